/* tests/unit/test_cgroup_limits.c: resources -> writes, every row of the conversion table; writes -> controllers
 * and systemd properties. */
#include "cgroups/limits.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cgroups/controllers.h"
#include "cgroups/systemd_properties.h"

/* After ours, because it has a macro fail(); and behind what it uses and does not include. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct arena arena;
static struct failure why;
static struct spec_resources resources;

static int fresh(void **state)
{
    (void)state;
    arena_done(&arena);
    arena = (struct arena){0};
    why = (struct failure){0};
    resources = (struct spec_resources){.set = true};
    return 0;
}

/* "file=value file=value …"; a mark behind the value: d default, m may be missing, f first try, l late, u checks
 * usage. */
static const char *plan(void)
{
    static char line[4096];
    struct limits limits;
    if (limits_plan(&resources, &arena, &limits, &why) < 0)
        return NULL;
    line[0] = '\0';
    for (size_t i = 0; i < limits.count; i++) {
        const struct cgroup_write *write = &limits.writes[i];
        size_t used = strlen(line);
        unsigned flags = write->flags;
        (void)snprintf(line + used, sizeof line - used, "%s%s=%s%s%s%s%s%s%s", used ? "; " : "", write->file,
                       write->value, flags ? "!" : "", flags & WRITE_IS_DEFAULT ? "d" : "",
                       flags & WRITE_MAY_BE_MISSING ? "m" : "", flags & WRITE_FIRST_TRY ? "f" : "",
                       flags & WRITE_LATE ? "l" : "", flags & WRITE_CHECKS_USAGE ? "u" : "");
        assert_true(text_starts(write->pointer, "/linux/resources/"));
    }
    return line;
}

static void expect(const char *line)
{
    const char *found = plan();
    if (!found)
        print_error("%s [%s]\n", why.text, why.pointer);
    assert_non_null(found);
    assert_string_equal(found, line);
    (void)fresh(NULL);
}

static void expect_refusal(const char *pointer)
{
    assert_null(plan());
    assert_int_equal(why.kind, FAILURE_CONFIG);
    assert_string_equal(why.pointer, pointer);
    (void)fresh(NULL);
}

#define I64(n) ((struct optional_i64){true, (n)})
#define U64(n) ((struct optional_u64){true, (n)})
#define YES ((struct optional_bool){true, true})
#define NO ((struct optional_bool){true, false})
#define TEXT(s) ((char *)(uintptr_t)(s))

/* spec: RMEM-12 RMEM-13 RMEM-14 */
static void nothing_asked_for_writes_nothing(void **state)
{
    struct limits limits = {.count = 7};
    (void)state;
    expect("");
    resources.memory.limit = resources.memory.reservation = resources.memory.swap = I64(0);
    resources.cpu.shares = U64(0);
    resources.cpu.quota = I64(0);
    resources.cpu.period = resources.cpu.realtime_period = U64(0);
    resources.cpu.realtime_runtime = I64(0);
    resources.cpu.cpus = resources.cpu.mems = TEXT("");
    resources.block_io.weight = resources.block_io.leaf_weight = U64(0);
    resources.network_class_id = U64(0);
    resources.memory.swappiness = U64(0);
    resources.memory.disable_oom_killer = NO;
    resources.memory.use_hierarchy = YES;
    resources.memory.kernel = resources.memory.kernel_tcp = I64(1000000);
    expect("");
    assert_int_equal(limits_plan(NULL, &arena, &limits, &why), 0);
    assert_int_equal(limits.count, 0);
}

/* spec: RMEM-01 RMEM-02 RMEM-03 RMEM-04 RMEM-05 RMEM-06 RMEM-07 RMEM-08 RMEM-09 RMEM-10 RMEM-21 RUNI-05 */
static void memory_limits_are_converted(void **state)
{
    (void)state;
    resources.memory.limit = I64(104857600);
    expect("memory.max=104857600");
    resources.memory.limit = I64(104857600), resources.memory.swap = I64(157286400);
    expect("memory.swap.max=52428800; memory.max=104857600");
    resources.memory.limit = I64(104857600), resources.memory.swap = I64(104857600);
    expect("memory.swap.max=0!m; memory.max=104857600");
    resources.memory.limit = I64(104857600), resources.memory.swap = I64(0);
    expect("memory.swap.max=0!m; memory.max=104857600");
    resources.memory.limit = I64(104857600), resources.memory.swap = I64(-1);
    expect("memory.swap.max=max!dm; memory.max=104857600");
    resources.memory.limit = I64(-1);
    expect("memory.swap.max=max!dm; memory.max=max!d");
    resources.memory.limit = I64(-1), resources.memory.swap = I64(1000);
    expect("memory.swap.max=1000; memory.max=max!d");
    resources.memory.swap = I64(-1);
    expect("memory.swap.max=max!dm");
    resources.memory.limit = I64(64 << 20), resources.memory.reservation = I64(32 << 20);
    expect("memory.max=67108864; memory.low=33554432");
    /* The order: swap before the limit, or the kernel would begin to swap. */
    resources.memory.limit = I64(64 << 20), resources.memory.reservation = I64(32 << 20), resources.memory.swap = I64(96 << 20);
    expect("memory.swap.max=33554432; memory.max=67108864; memory.low=33554432");
    resources.memory.reservation = I64(-1);
    expect("memory.low=max");
    resources.memory.limit = I64(64 << 20), resources.memory.check_before_update = YES;
    expect("memory.max=67108864!u");
    resources.memory.limit = I64((16 << 20) - 1);
    expect("memory.max=16777215!l");
    resources.memory.limit = I64(16 << 20);
    expect("memory.max=16777216");

    resources.memory.swap = I64(1000);
    expect_refusal("/linux/resources/memory/swap");
    resources.memory.limit = I64(2000), resources.memory.swap = I64(1999);
    expect_refusal("/linux/resources/memory/swap");
    resources.memory.limit = I64(-2);
    expect_refusal("/linux/resources/memory/limit");
    resources.memory.reservation = I64(-2);
    expect_refusal("/linux/resources/memory/reservation");
    resources.memory.swap = I64(-2);
    expect_refusal("/linux/resources/memory/swap");
}

/* spec: RCPU-02 RCPU-03 RCPU-04 RUNI-05 */
static void shares_become_a_weight(void **state)
{
    static const uint64_t rows[][2] = {
        {1, 1},      {2, 1},        {3, 2},         {10, 4},         {100, 17},       {256, 35},
        {512, 59},   {1000, 99},    {1024, 100},    {1025, 101},     {2048, 174},     {4096, 303},
        {8192, 532}, {65536, 3023}, {131072, 5478}, {262143, 10000}, {262144, 10000}, {262145, 10000}, {UINT64_MAX, 10000},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_int_equal(limits_weight_of_shares(rows[i][0]), rows[i][1]);
    uint64_t last = 1;
    for (uint64_t value = 2; value < 262200; value += 7) {
        uint64_t weight = limits_weight_of_shares(value);
        assert_true(weight >= last && weight <= 10000);
        last = weight;
    }
    resources.cpu.shares = U64(1024);
    expect("cpu.weight=100!d"); /* what the kernel does unasked: needs no cpu controller */
    resources.cpu.shares = U64(512);
    expect("cpu.weight=59");
}

/* spec: RCPU-05 RCPU-06 RCPU-07 RCPU-08 RCPU-09 RCPU-10 RCPU-11 RCPU-12 RCPU-13 RCPU-14 RCPU-15 RCPU-16
 * RCPU-17 */
static void cpu_limits_are_converted(void **state)
{
    (void)state;
    resources.cpu.quota = I64(20000);
    expect("cpu.max=20000 100000");
    resources.cpu.period = U64(50000);
    expect("cpu.max=max 50000!d");
    resources.cpu.quota = I64(20000), resources.cpu.period = U64(50000);
    expect("cpu.max=20000 50000");
    resources.cpu.quota = I64(-1);
    expect("cpu.max=max 100000!d");
    resources.cpu.burst = U64(1000);
    expect("cpu.max.burst=1000");
    resources.cpu.burst = U64(1000), resources.cpu.quota = I64(20000);
    expect("cpu.max.burst=1000!f; cpu.max=20000 100000; cpu.max.burst=1000");
    resources.cpu.idle = I64(1), resources.cpu.shares = U64(512);
    expect("cpu.idle=1"); /* RCPU-17: no weight while idle */
    resources.cpu.idle = I64(0), resources.cpu.shares = U64(512);
    expect("cpu.idle=0!d; cpu.weight=59");
    resources.cpu.cpus = TEXT("0-3,7"), resources.cpu.mems = TEXT("0");
    expect("cpuset.cpus=0-3,7; cpuset.mems=0");
    resources.cpu.burst = U64(2000), resources.cpu.quota = I64(1000);
    expect_refusal("/linux/resources/cpu/burst");
    resources.cpu.idle = I64(2);
    expect_refusal("/linux/resources/cpu/idle");
    resources.cpu.realtime_runtime = I64(950000);
    expect_refusal("/linux/resources/cpu/realtimeRuntime");
    resources.cpu.realtime_period = U64(1000000);
    expect_refusal("/linux/resources/cpu/realtimePeriod");
}

/* spec: RIO-02 RIO-03 RIO-04 RIO-05 RIO-08 RIO-09 RIO-12 RIO-16 RIO-20 RIO-24 RIO-28 RUNI-05 */
static void io_limits_are_converted(void **state)
{
    static const uint64_t weights[][2] = {{10, 1}, {11, 11}, {100, 910}, {300, 2930}, {500, 4950}, {1000, 10000}};
    struct limits limits;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(weights); i++) {
        resources.block_io.weight = U64(weights[i][0]);
        assert_int_equal(limits_plan(&resources, &arena, &limits, &why), 0);
        assert_int_equal(limits.count, 1);
        assert_string_equal(limits.writes[0].file, "io.bfq.weight");
        assert_string_equal(limits.writes[0].value, arena_format(&arena, "%d", (int)weights[i][0]));
        assert_string_equal(limits.writes[0].other_file, "io.weight");
        assert_string_equal(limits.writes[0].other_value, arena_format(&arena, "%d", (int)weights[i][1]));
    }
    (void)fresh(NULL);
    struct spec_io_weight devices[] = {{8, 0, U64(500), {0}}, {8, 16, {0}, U64(0)}};
    resources.block_io.weight_devices = devices, resources.block_io.weight_devices_count = 2;
    expect("io.bfq.weight=8:0 500");
    struct spec_io_rate rates[] = {{8, 0, 1048576}, {8, 16, 0}};
    resources.block_io.read_bps = (struct spec_io_rates){rates, 2};
    resources.block_io.write_bps = resources.block_io.read_iops = resources.block_io.write_iops =
        (struct spec_io_rates){rates, 1};
    expect("io.max=8:0 rbps=1048576; io.max=8:16 rbps=max!d; io.max=8:0 wbps=1048576; io.max=8:0 riops=1048576; "
           "io.max=8:0 wiops=1048576");
    resources.block_io.weight = U64(9);
    expect_refusal("/linux/resources/blockIO/weight");
    resources.block_io.weight = U64(1001);
    expect_refusal("/linux/resources/blockIO/weight");
    resources.block_io.leaf_weight = U64(100);
    expect_refusal("/linux/resources/blockIO/leafWeight");
    devices[1].leaf_weight = U64(100);
    resources.block_io.weight_devices = devices, resources.block_io.weight_devices_count = 2;
    expect_refusal("/linux/resources/blockIO/weightDevice/1/leafWeight");
}

/* spec: RHUG-01 RHUG-02 RHUG-03 RHUG-04 */
static void hugetlb_limits_are_converted(void **state)
{
    static const char *const bad[] = {"64kB",  "../memory", "2mb", "02MB", "MB",
                                      "2MB/x", "2MBB",      "",    "2 MB", "99999999999999999MB"};
    struct spec_hugepage_limit limit = {TEXT("2MB"), 209715200};
    (void)state;
    resources.hugepage_limits = &limit, resources.hugepage_limits_count = 1;
    expect("hugetlb.2MB.rsvd.max=209715200!m; hugetlb.2MB.max=209715200");
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        limit.page_size = TEXT(bad[i]);
        resources.hugepage_limits = &limit, resources.hugepage_limits_count = 1;
        expect_refusal("/linux/resources/hugepageLimits/0/pageSize");
    }
}

/* spec: RPID-01 RPID-03 RPID-04 */
static void pids_limits_are_converted(void **state)
{
    static const struct {
        int64_t limit;
        const char *line;
    } rows[] = {
        {-1, "pids.max=max!d"},      {-7, "pids.max=max!d"},        {0, "pids.max=0!l"},
        {15, "pids.max=15!l"},       {16, "pids.max=16"},           {4194304, "pids.max=4194304"},
        {4194305, "pids.max=max!d"}, {INT64_MAX, "pids.max=max!d"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        resources.pids_limit = I64(rows[i].limit);
        expect(rows[i].line);
    }
}

/* spec: RRDM-01 RRDM-02 RRDM-03 RRDM-05 */
static void rdma_limits_are_converted(void **state)
{
    struct spec_rdma_limit limits[] = {
        {TEXT("mlx5_1"), U64(3), U64(10000)}, {TEXT("rxe0"), {0}, U64(5)}, {TEXT("none"), {0}, {0}}};
    (void)state;
    resources.rdma = limits, resources.rdma_count = 3;
    expect("rdma.max=mlx5_1 hca_handle=3 hca_object=10000; rdma.max=rxe0 hca_object=5");
    limits[0].device = TEXT("a hca_object=max\nb");
    resources.rdma = limits, resources.rdma_count = 1;
    expect_refusal("/linux/resources/rdma/a hca_object=max b");
}

/* spec: RUNI-03 RUNI-07 */
static void unified_values_come_last_and_line_by_line(void **state)
{
    struct string_pair pair = {TEXT("memory.high"), TEXT("1000000000")};
    (void)state;
#define UNIFIED(k, v)                                                                                              \
    (pair = (struct string_pair){TEXT(k), TEXT(v)}, resources.unified = (struct string_map){&pair, 1})
    UNIFIED("memory.high", "1000000000");
    resources.memory.limit = I64(64 << 20);
    expect("memory.max=67108864; memory.high=1000000000"); /* last: it overrides */
    UNIFIED("io.max", "8:0 rbps=1\n\n8:16 rbps=2\n");
    expect("io.max=8:0 rbps=1; io.max=8:16 rbps=2");
    UNIFIED("cpuset.cpus", "");
    expect("cpuset.cpus=\n");
    UNIFIED("nosuch.max", "1");
    expect("nosuch.max=1");
    UNIFIED("memory.max", "1000000000");
    resources.memory.limit = I64(4096);
    expect("memory.max=4096!l; memory.max=1000000000!l"); /* the override must not come before what it overrides */
    UNIFIED("cgroup.freeze", "1");
    expect("cgroup.freeze=1!l");
    static const char *const bad[] = {"../x",    "memory/max", "memory",      ".max",
                                      "memory.", "",           "memory.ma x", "memory.max\n"};
    static const char *const pointers[] = {
        "/linux/resources/unified/..~1x",  "/linux/resources/unified/memory~1max", "/linux/resources/unified/memory",
        "/linux/resources/unified/.max",   "/linux/resources/unified/memory.",     "/linux/resources/unified/",
        "/linux/resources/unified/memory.ma x", "/linux/resources/unified/memory.max "};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        UNIFIED(bad[i], "1");
        expect_refusal(pointers[i]);
    }
    UNIFIED("cgroup.procs", "1");
    expect_refusal("/linux/resources/unified/cgroup.procs");
    UNIFIED("cgroup.threads", "1");
    expect_refusal("/linux/resources/unified/cgroup.threads");
    UNIFIED("cgroup.kill", "1");
    expect_refusal("/linux/resources/unified/cgroup.kill");
}

/* spec: RMEM-15 RMEM-16 RMEM-17 RNET-01 RNET-02 RNET-03 RUNI-06 */
static void what_cgroup_v2_cannot_do_is_refused(void **state)
{
    struct spec_net_priority priority = {TEXT("eth0"), 1};
    (void)state;
    resources.memory.swappiness = U64(60);
    expect_refusal("/linux/resources/memory/swappiness");
    resources.memory.swappiness = U64(101);
    expect_refusal("/linux/resources/memory/swappiness");
    resources.memory.disable_oom_killer = YES;
    expect_refusal("/linux/resources/memory/disableOOMKiller");
    resources.memory.use_hierarchy = NO;
    expect_refusal("/linux/resources/memory/useHierarchy");
    resources.network_class_id = U64(1048577);
    expect_refusal("/linux/resources/network/classID");
    resources.network_priorities = &priority, resources.network_priorities_count = 1;
    expect_refusal("/linux/resources/network/priorities/0/priority");
}

static void controllers_that_limits_need(void **state)
{
    struct limits limits;
    struct string_pair pairs[] = {
        {TEXT("cgroup.max.depth"), TEXT("3")}, {TEXT("misc.max"), TEXT("x 1")}, {TEXT("memory.high"), TEXT("max")}};
    (void)state;
    resources.memory.limit = I64(64 << 20);
    resources.cpu.shares = U64(1024); /* default: none */
    resources.pids_limit = I64(-1);   /* default: none */
    resources.cpu.cpus = TEXT("0");
    resources.unified = (struct string_map){pairs, 3};
    assert_int_equal(limits_plan(&resources, &arena, &limits, &why), 0);
    struct controllers needed = controllers_of(&limits, &arena);
    static const char *const names[] = {"memory", "cpuset", "misc"};
    assert_int_equal(needed.count, ARRAY_LENGTH(names));
    for (size_t i = 0; i < needed.count; i++)
        assert_string_equal(needed.items[i].name, names[i]);
    assert_string_equal(needed.items[0].pointer, "/linux/resources/memory/limit");
}

/* ---- systemd ---- */

static struct systemd_properties properties;

static const struct systemd_property *property(const char *name)
{
    for (size_t i = 0; i < properties.count; i++)
        if (text_equal(properties.items[i].name, name))
            return &properties.items[i];
    return NULL;
}

static void properties_of_all_limits(void **state)
{
    struct limits limits;
    (void)state;
    properties = (struct systemd_properties){0};
    resources.memory.limit = I64(64 << 20), resources.memory.swap = I64(-1),
    resources.memory.reservation = I64(32 << 20);
    resources.cpu.shares = U64(512), resources.cpu.quota = I64(12345), resources.cpu.period = U64(50000);
    resources.cpu.cpus = TEXT("0-2,9"), resources.pids_limit = I64(40), resources.block_io.weight = U64(500);
    assert_int_equal(limits_plan(&resources, &arena, &limits, &why), 0);
    properties_of_limits(&limits, &arena, &properties);
    assert_int_equal(property("MemoryMax")->number, 64 << 20);
    assert_int_equal(property("MemoryLow")->number, 32 << 20);
    assert_true(property("MemorySwapMax")->number == UINT64_MAX);
    assert_int_equal(property("CPUWeight")->number, 59);
    assert_int_equal(property("CPUQuotaPerSecUSec")->number, 250000); /* 246900, up to the next 10 ms */
    assert_int_equal(property("CPUQuotaPeriodUSec")->number, 50000);
    assert_int_equal(property("CPUQuotaPeriodUSec")->need, PROPERTY_IF_KNOWN);
    assert_int_equal(property("TasksMax")->number, 40);
    assert_int_equal(property("IOWeight")->number, 4950);
    const struct systemd_property *set = property("AllowedCPUs");
    assert_string_equal(set->signature, "ay");
    assert_int_equal(set->bytes_count, 2);
    assert_int_equal(set->bytes[0], 0x07);
    assert_int_equal(set->bytes[1], 0x02);

    (void)fresh(NULL);
    properties = (struct systemd_properties){0};
    resources.pids_limit = I64(0), resources.cpu.quota = I64(-1), resources.cpu.cpus = TEXT("9999999");
    assert_int_equal(limits_plan(&resources, &arena, &limits, &why), 0);
    properties_of_limits(&limits, &arena, &properties);
    assert_int_equal(property("TasksMax")->number, 1); /* systemd has no 0; the file says it */
    assert_null(property("AllowedCPUs"));
    assert_true(property("CPUQuotaPerSecUSec")->number == UINT64_MAX);
}

static int annotate(const char *name, const char *value)
{
    struct string_pair pair = {arena_format(&arena, "org.systemd.property.%s", name), TEXT(value)};
    struct string_map map = {&pair, 1};
    properties = (struct systemd_properties){0};
    return properties_of_annotations(&map, &arena, &properties, &why);
}

/* What an update that is taken back tells systemd: the files' content as it reads. */
static void properties_of_what_files_hold(void **state)
{
    struct cgroup_write writes[] = {
        {.file = "memory.max", .value = "max"}, {.file = "memory.low", .value = "0"},       {.file = "cpu.max", .value = "max 100000"},
        {.file = "cpu.weight", .value = "0"},   {.file = "cpuset.cpus", .value = "\n"}, {.file = "cpuset.mems", .value = "0"},
        {.file = "io.weight", .value = "default 100"},
    };
    (void)state;
    properties = (struct systemd_properties){0};
    properties_of_limits(&(struct limits){writes, ARRAY_LENGTH(writes)}, &arena, &properties);
    assert_true(property("MemoryMax")->number == UINT64_MAX);
    assert_int_equal(property("MemoryLow")->number, 0);
    assert_true(property("CPUQuotaPerSecUSec")->number == UINT64_MAX);
    assert_null(property("CPUWeight")); /* of an idle cgroup: cpu.idle says it */
    assert_int_equal(property("AllowedCPUs")->bytes_count, 0);
    assert_int_equal(property("AllowedMemoryNodes")->bytes_count, 1);
    assert_int_equal(property("IOWeight")->number, 100);
}

/* What a daemon-reload would otherwise take back. */
static void limits_that_systemd_has_other_words_for(void **state)
{
    struct cgroup_write none = {.file = "pids.max", .value = "0"};
    struct cgroup_write idle[] = {{.file = "cpu.idle", .value = "1"}};
    struct cgroup_write busy[] = {{.file = "cpu.idle", .value = "0"}, {.file = "cpu.weight", .value = "59"}};
    (void)state;
    properties = (struct systemd_properties){0};
    properties_of_limits(&(struct limits){&none, 1}, &arena, &properties);
    assert_int_equal(property("TasksMax")->number, 1);
    properties_of_limits(&(struct limits){idle, 1}, &arena, &properties);
    assert_int_equal(property("CPUWeight")->number, 0);
    assert_int_equal(property("CPUWeight")->need, PROPERTY_IF_KNOWN);
    properties_of_limits(&(struct limits){busy, 1}, &arena, &properties);
    assert_true(property("CPUWeight")->number == UINT64_MAX);
    assert_int_equal(property("CPUWeight")->need, PROPERTY_NEEDED);
    properties_of_limits(&(struct limits){busy, 2}, &arena, &properties);
    assert_int_equal(property("CPUWeight")->number, 59);
}

static void annotations_are_typed(void **state)
{
    static const struct {
        const char *value, *signature;
        int64_t integer;
        uint64_t number;
        const char *string;
    } rows[] = {
        {"true", "b", 0, 0, NULL},
        {"false", "b", 0, 0, NULL},
        {"'on-failure'", "s", 0, 0, "on-failure"},
        {"\"a'b\"", "s", 0, 0, "a'b"},
        {"'a\\'b'", "s", 0, 0, "a'b"},
        {"5", "i", 5, 0, NULL},
        {"-5", "i", -5, 0, NULL},
        {"int64 -9", "x", -9, 0, NULL},
        {"uint64 18446744073709551615", "t", 0, UINT64_MAX, NULL},
        {"uint32 7", "u", 0, 7, NULL},
        {"byte 255", "y", 0, 255, NULL},
        {" uint16  9 ", "q", 0, 9, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(annotate("Thing", rows[i].value), 0);
        assert_int_equal(properties.count, 1);
        assert_string_equal(properties.items[0].signature, rows[i].signature);
        assert_true(properties.items[0].integer == rows[i].integer && properties.items[0].number == rows[i].number);
        assert_true(text_equal(properties.items[0].string, rows[i].string));
        assert_int_equal(properties.items[0].boolean, text_equal(rows[i].value, "true"));
    }
    assert_int_equal(annotate("After", "['a.service', \"b.service\"]"), 0);
    assert_string_equal(properties.items[0].signature, "as");
    assert_int_equal(properties.items[0].strings.count, 2);
    assert_string_equal(properties.items[0].strings.items[1], "b.service");
    assert_int_equal(annotate("After", "@as []"), 0);
    assert_int_equal(properties.items[0].strings.count, 0);
    assert_int_equal(annotate("TimeoutStopSec", "90"), 0);
    assert_string_equal(properties.items[0].name, "TimeoutStopUSec");
    assert_string_equal(properties.items[0].signature, "t");
    assert_int_equal(properties.items[0].number, 90000000);
    assert_int_equal(annotate("TimeoutStopUSec", "uint64 5"), 0);
    assert_int_equal(properties.items[0].number, 5);
}

static void bad_annotations_are_refused(void **state)
{
    static const char *const values[] = {"",           "yes",  "'open",  "5x",  "uint32 -1",  "uint32 4294967296",
                                         "3000000000", "['a'", "['a',]", "[5]", "true false", "'a\\n'",
                                         "1.5",        "@as",  "uint64", "-"};
    static const char *const names[] = {"", "x", "lower", "With.Dot", "With-Dash", "PIDs", "Slice", "A"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        assert_int_equal(annotate("Thing", values[i]), -1);
        assert_string_equal(why.pointer, "/annotations/org.systemd.property.Thing");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        assert_int_equal(annotate(names[i], "true"), -1);
    assert_int_equal(annotate("TimeoutStopSec", "-1"), -1);
    assert_int_equal(annotate("TimeoutStopSec", "uint64 18446744073709551615"), -1);
    struct string_pair other = {TEXT("io.example"), TEXT("nonsense")};
    properties = (struct systemd_properties){0};
    assert_int_equal(properties_of_annotations(&(struct string_map){&other, 1}, &arena, &properties, &why), 0);
    assert_int_equal(properties.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_asked_for_writes_nothing, fresh, fresh),
        cmocka_unit_test_setup_teardown(memory_limits_are_converted, fresh, fresh),
        cmocka_unit_test_setup_teardown(shares_become_a_weight, fresh, fresh),
        cmocka_unit_test_setup_teardown(cpu_limits_are_converted, fresh, fresh),
        cmocka_unit_test_setup_teardown(io_limits_are_converted, fresh, fresh),
        cmocka_unit_test_setup_teardown(hugetlb_limits_are_converted, fresh, fresh),
        cmocka_unit_test_setup_teardown(pids_limits_are_converted, fresh, fresh),
        cmocka_unit_test_setup_teardown(rdma_limits_are_converted, fresh, fresh),
        cmocka_unit_test_setup_teardown(unified_values_come_last_and_line_by_line, fresh, fresh),
        cmocka_unit_test_setup_teardown(what_cgroup_v2_cannot_do_is_refused, fresh, fresh),
        cmocka_unit_test_setup_teardown(controllers_that_limits_need, fresh, fresh),
        cmocka_unit_test_setup_teardown(properties_of_all_limits, fresh, fresh),
        cmocka_unit_test_setup_teardown(properties_of_what_files_hold, fresh, fresh),
        cmocka_unit_test_setup_teardown(limits_that_systemd_has_other_words_for, fresh, fresh),
        cmocka_unit_test_setup_teardown(annotations_are_typed, fresh, fresh),
        cmocka_unit_test_setup_teardown(bad_annotations_are_refused, fresh, fresh),
    };
    return cmocka_run_group_tests_name("cgroup_limits", tests, NULL, NULL);
}
