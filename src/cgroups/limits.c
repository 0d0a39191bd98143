/*
 * cgroups/limits.c: /linux/resources, in cgroup v1 terms, -> ordered writes to cgroup v2 files.
 *
 * Pure.  Runs in the creator and the update command.  Should: give every value asked for a write, or refuse it with
 * its JSON pointer. Must not: drop a value silently; zero means "not asked for" only where the comment says so.
 */
#include "cgroups/limits.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

#define R "/linux/resources"

/* Below these, clone3(CLONE_INTO_CGROUP) or init's own pages might not fit: the write waits for init. */
#define PIDS_ROOM_FOR_INIT 16
#define MEMORY_ROOM_FOR_INIT (16u << 20)
#define PIDS_MAX 4194304 /* PID_MAX_LIMIT: pids.max refuses more, and more is no limit */
#define CPU_PERIOD_DEFAULT 100000
/* A cgroup has some hundred files; a line for each of a thousand disks fits in as well. */
#define WRITES_MAX 4096

/* The files that may have to wait for init. */
static const char *const late_files[] = {"cgroup.freeze", "pids.max", "memory.max", "memory.high"};
#define LATE_FILES ARRAY_LENGTH(late_files)

struct planning {
    struct arena *arena;
    struct limits limits;
    struct findings *findings;
    struct failure *why; /* of the findings */
    bool late[LATE_FILES];     /* there is a late write to it */
    struct cgroup_write spare; /* takes what is too much */
    const char *too_much;      /* pointer of the first one; NULL: none */
};

static const char *controller_of(struct arena *arena, const char *file)
{
    size_t length = strcspn(file, ".");
    if (length == strlen("cgroup") && text_starts(file, "cgroup."))
        return NULL;
    return arena_copy_n(arena, file, length);
}

/* Whether the file may keep init from starting, when set to this value. */
static bool waits_for_init(const char *file, const char *value)
{
    uint64_t number;
    if (text_equal(file, "cgroup.freeze"))
        return true;
    if (text_to_u64(value, UINT64_MAX, &number) < 0)
        return false;
    if (text_equal(file, "pids.max"))
        return number < PIDS_ROOM_FOR_INIT;
    return (text_equal(file, "memory.max") || text_equal(file, "memory.high")) && number < MEMORY_ROOM_FOR_INIT;
}

/* A write to a file that has a late write is late as well: the last one asked for must be the last one made. */
static bool is_late(struct planning *planning, const char *file, const char *value)
{
    for (size_t i = 0; i < LATE_FILES; i++)
        if (text_equal(file, late_files[i])) {
            planning->late[i] |= waits_for_init(file, value);
            return planning->late[i];
        }
    return false;
}

static struct cgroup_write *add(struct planning *planning, const char *pointer, unsigned flags, const char *file,
                                const char *value)
{
    struct limits *limits = &planning->limits;
    struct cgroup_write *write = &planning->spare;
    if (limits->count < WRITES_MAX) {
        limits->writes = arena_grow_one(planning->arena, limits->writes, limits->count, sizeof *limits->writes);
        write = &limits->writes[limits->count++];
    } else if (planning->too_much == NULL) {
        planning->too_much = pointer;
    }
    *write = (struct cgroup_write){
        .file = file,
        .value = value,
        .controller = controller_of(planning->arena, file),
        .pointer = pointer,
        .flags = flags | (is_late(planning, file, value) ? WRITE_LATE : 0),
    };
    return write;
}

/* -1 is "max"; `ret_flags` says whether the value is the kernel's default. */
static const char *number_or_max(struct planning *planning, int64_t value, unsigned *ret_flags)
{
    *ret_flags = value < 0 ? WRITE_IS_DEFAULT : 0;
    return value < 0 ? "max" : arena_format(planning->arena, "%" PRId64, value);
}

static int refuse(struct planning *planning, const char *pointer, const char *what)
{
    (void)fail_config(planning->why, pointer, "cgroup v2 has no equivalent of %s", what); /* handed on below */
    return found(planning->findings, failure_hint(planning->why, "leave the member out"));
}

static int check_bytes_limit(struct planning *planning, const char *pointer, const struct optional_i64 *value)
{
    if (value->set && value->value < -1)
        return fail_config(planning->why, pointer, "%" PRId64 " is neither a number of bytes nor -1 (no limit)",
                           value->value);
    return 0;
}

/* memory.swap is memory+swap in v1 terms, memory.swap.max is swap alone (RMEM-04..10). */
static int plan_swap(struct planning *planning, const struct spec_resources *resources)
{
    static const char pointer[] = R "/memory/swap";
    bool limited = resources->memory.limit.set && resources->memory.limit.value > 0;
    bool unlimited = resources->memory.limit.set && resources->memory.limit.value < 0;
    int64_t limit = limited ? resources->memory.limit.value : 0;
    if (!resources->memory.swap.set) {
        if (unlimited)
            add(planning, R "/memory/limit", WRITE_MAY_BE_MISSING | WRITE_IS_DEFAULT, "memory.swap.max", "max");
        return 0;
    }
    int64_t swap = resources->memory.swap.value;
    if (swap == 0 && !limited)
        return 0; /* "not asked for": nerdctl sends it so */
    if (swap < 0) { /* less than -1 was refused */
        add(planning, pointer, WRITE_MAY_BE_MISSING | WRITE_IS_DEFAULT, "memory.swap.max", "max");
        return 0;
    }
    if (swap > 0 && !limited && !unlimited) {
        fail_config(planning->why, pointer,
                    "memory.swap is the sum of memory and swap, and there is no memory.limit");
        return failure_hint(planning->why, "set /linux/resources/memory/limit too");
    }
    if (swap > 0 && swap < limit)
        return fail_config(planning->why, pointer,
                           "memory.swap is the sum of memory and swap: %" PRId64
                           " is less than memory.limit %" PRId64,
                           swap, limit);
    /* An explicit 0 beside a limit is "no swap", and so is swap == limit. */
    int64_t alone = swap == 0 ? 0 : swap - limit;
    add(planning, pointer, alone == 0 ? WRITE_MAY_BE_MISSING : 0, "memory.swap.max",
        arena_format(planning->arena, "%" PRId64, alone));
    return 0;
}

static int plan_memory(struct planning *planning, const struct spec_resources *resources)
{
    if (resources->memory.swappiness.set && resources->memory.swappiness.value > 0 &&
        refuse(planning, R "/memory/swappiness", "memory.swappiness") < 0)
        return -1;
    if (resources->memory.disable_oom_killer.set && resources->memory.disable_oom_killer.value &&
        refuse(planning, R "/memory/disableOOMKiller", "a disabled OOM killer") < 0)
        return -1;
    if (resources->memory.use_hierarchy.set && !resources->memory.use_hierarchy.value &&
        refuse(planning, R "/memory/useHierarchy", "memory accounting without hierarchy") < 0)
        return -1;
    if (found(planning->findings, check_bytes_limit(planning, R "/memory/limit", &resources->memory.limit)) < 0 ||
        found(planning->findings, check_bytes_limit(planning, R "/memory/reservation", &resources->memory.reservation)) < 0 ||
        found(planning->findings, check_bytes_limit(planning, R "/memory/swap", &resources->memory.swap)) < 0)
        return -1;
    /* Deprecated by the specification since 1.1, which lets a runtime ignore them. */
    if (resources->memory.kernel.set && resources->memory.kernel.value > 0)
        log_debug("memory.kernel is ignored: cgroup v2 counts kernel memory in memory.limit");
    if (resources->memory.kernel_tcp.set && resources->memory.kernel_tcp.value > 0)
        log_debug("memory.kernelTCP is ignored: cgroup v2 counts it in memory.limit");

    /* Swap first: with a lowered memory.max and the old swap limit the kernel would start swapping (RMEM-21). */
    if (found(planning->findings, plan_swap(planning, resources)) < 0)
        return -1;
    unsigned flags;
    if (resources->memory.limit.set && resources->memory.limit.value != 0) {
        const char *value = number_or_max(planning, resources->memory.limit.value, &flags);
        if (resources->memory.check_before_update.set && resources->memory.check_before_update.value)
            flags |= WRITE_CHECKS_USAGE;
        add(planning, R "/memory/limit", flags, "memory.max", value);
    }
    if (resources->memory.reservation.set && resources->memory.reservation.value != 0) {
        /* "max" is no default here: memory.low starts as 0. */
        const char *value = number_or_max(planning, resources->memory.reservation.value, &flags);
        add(planning, R "/memory/reservation", 0, "memory.low", value);
    }
    return 0;
}

/*
 * ceil(10 ^ ((l*l + 125*l) / 612 - 7/34)) with l = log2(shares): the curve through (2, 1), (1024, 100) and
 * (262144, 10000).  Without libm, which would be one more shared object at every start for a value that is nearly
 * always 1024: the logarithm comes bit by bit, and instead of a power the smallest weight is searched whose own
 * logarithm reaches the exponent.
 */
static double log2_of(double value)
{
    double whole = 0, part = 0, bit = 0.5;
    while (value >= 2) {
        value /= 2;
        whole++;
    }
    for (int i = 0; i < 52; i++) {
        value *= value;
        if (value >= 2) {
            value /= 2;
            part += bit;
        }
        bit /= 2;
    }
    return whole + part;
}

uint64_t limits_weight_of_shares(uint64_t shares)
{
    if (shares <= 2)
        return 1;
    if (shares >= 262144)
        return 10000;
    const double log2_of_10 = 3.321928094887362348;
    double l = log2_of((double)shares);
    double exponent = ((l * l + 125 * l) / 612 - 7.0 / 34) * log2_of_10; /* log2 of the weight */
    /* The smallest weight whose logarithm reaches the exponent is its ceiling; the tolerance keeps 1024 at 100. */
    uint64_t low = 1, high = 10000;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (log2_of((double)middle) >= exponent - 1e-10)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void plan_cpu_max(struct planning *planning, const struct spec_resources *resources)
{
    bool quota_set = resources->cpu.quota.set && resources->cpu.quota.value != 0;
    bool period_set = resources->cpu.period.set && resources->cpu.period.value != 0;
    if (!quota_set && !period_set)
        return;
    bool limited = quota_set && resources->cpu.quota.value > 0;
    uint64_t period = period_set ? resources->cpu.period.value : CPU_PERIOD_DEFAULT;
    const char *value =
        limited ? arena_format(planning->arena, "%" PRId64 " %" PRIu64, resources->cpu.quota.value, period)
                : arena_format(planning->arena, "max %" PRIu64, period);
    add(planning, quota_set ? R "/cpu/quota" : R "/cpu/period", limited ? 0 : WRITE_IS_DEFAULT, "cpu.max", value);
}

static int plan_burst_and_max(struct planning *planning, const struct spec_resources *resources)
{
    bool limited = resources->cpu.quota.set && resources->cpu.quota.value > 0;
    if (!resources->cpu.burst.set) {
        plan_cpu_max(planning, resources);
        return 0;
    }
    uint64_t burst = resources->cpu.burst.value;
    if (limited && burst > (uint64_t)resources->cpu.quota.value)
        return fail_config(planning->why, R "/cpu/burst", "cpu.burst %" PRIu64 " is more than cpu.quota %" PRId64,
                           burst, resources->cpu.quota.value);
    const char *value = arena_format(planning->arena, "%" PRIu64, burst);
    unsigned flags = burst == 0 ? WRITE_IS_DEFAULT : 0;
    size_t before = planning->limits.count;
    /* The kernel wants burst <= quota after every single write.  Lowering both: burst goes first.  Raising both:
     * the first try is refused and the second one counts (RCPU-11). */
    plan_cpu_max(planning, resources);
    if (planning->limits.count > before) {
        struct cgroup_write max = planning->limits.writes[--planning->limits.count];
        add(planning, R "/cpu/burst", flags | WRITE_FIRST_TRY, "cpu.max.burst", value);
        add(planning, max.pointer, max.flags, max.file, max.value);
    }
    add(planning, R "/cpu/burst", flags, "cpu.max.burst", value);
    return 0;
}

static int plan_cpu(struct planning *planning, const struct spec_resources *resources)
{
    if (resources->cpu.realtime_runtime.set && resources->cpu.realtime_runtime.value != 0 &&
        refuse(planning, R "/cpu/realtimeRuntime", "cpu.realtimeRuntime") < 0)
        return -1;
    if (resources->cpu.realtime_period.set && resources->cpu.realtime_period.value != 0 &&
        refuse(planning, R "/cpu/realtimePeriod", "cpu.realtimePeriod") < 0)
        return -1;
    bool idle = false;
    if (resources->cpu.idle.set) {
        int64_t value = resources->cpu.idle.value;
        if (value != 0 && value != 1 &&
            found(planning->findings, fail_config(planning->why, R "/cpu/idle", "cpu.idle is 0 or 1, not %" PRId64, value)) < 0)
            return -1;
        idle = value == 1;
        /* Before the weight: leaving idle makes the weight writable again (RCPU-17). */
        add(planning, R "/cpu/idle", idle ? 0 : WRITE_IS_DEFAULT, "cpu.idle", idle ? "1" : "0");
    }
    /* An idle cgroup has no weight; the kernel refuses the write with EINVAL. */
    if (resources->cpu.shares.set && resources->cpu.shares.value != 0 && !idle) {
        uint64_t weight = limits_weight_of_shares(resources->cpu.shares.value);
        add(planning, R "/cpu/shares", weight == 100 ? WRITE_IS_DEFAULT : 0, "cpu.weight",
            arena_format(planning->arena, "%" PRIu64, weight));
    }
    if (found(planning->findings, plan_burst_and_max(planning, resources)) < 0)
        return -1;
    if (resources->cpu.cpus && resources->cpu.cpus[0])
        add(planning, R "/cpu/cpus", 0, "cpuset.cpus", resources->cpu.cpus);
    if (resources->cpu.mems && resources->cpu.mems[0])
        add(planning, R "/cpu/mems", 0, "cpuset.mems", resources->cpu.mems);
    return 0;
}

/* `device` is "" for the cgroup's own weight, "8:0 " for that of one device. */
static int plan_io_weight(struct planning *planning, const char *pointer, const char *device, uint64_t weight)
{
    if (weight < 10 || weight > 1000)
        return fail_config(planning->why, pointer, "%" PRIu64 " is no block I/O weight: 10 to 1000", weight);
    struct cgroup_write *write =
        add(planning, pointer, 0, "io.bfq.weight", arena_format(planning->arena, "%s%" PRIu64, device, weight));
    write->other_file = "io.weight"; /* kernels and devices with iocost rather than BFQ; 1 to 10000 */
    write->other_value = arena_format(planning->arena, "%s%" PRIu64, device, 1 + (weight - 10) * 9999 / 990);
    return 0;
}

static int plan_io_weights(struct planning *planning, const struct spec_resources *resources)
{
    if (resources->block_io.leaf_weight.set && resources->block_io.leaf_weight.value != 0 &&
        refuse(planning, R "/blockIO/leafWeight", "blockIO.leafWeight") < 0)
        return -1;
    if (resources->block_io.weight.set && resources->block_io.weight.value != 0 &&
        found(planning->findings, plan_io_weight(planning, R "/blockIO/weight", "", resources->block_io.weight.value)) < 0)
        return -1;
    for (size_t i = 0; i < resources->block_io.weight_devices_count; i++) {
        const struct spec_io_weight *entry = &resources->block_io.weight_devices[i];
        if (entry->leaf_weight.set && entry->leaf_weight.value != 0 &&
            refuse(planning, arena_format(planning->arena, R "/blockIO/weightDevice/%zu/leafWeight", i),
                   "blockIO.weightDevice.leafWeight") < 0)
            return -1;
        if (!entry->weight.set || entry->weight.value == 0)
            continue;
        const char *pointer = arena_format(planning->arena, R "/blockIO/weightDevice/%zu/weight", i);
        const char *device = arena_format(planning->arena, "%" PRId64 ":%" PRId64 " ", entry->major, entry->minor);
        if (found(planning->findings, plan_io_weight(planning, pointer, device, entry->weight.value)) < 0)
            return -1;
    }
    return 0;
}

static int plan_io(struct planning *planning, const struct spec_resources *resources)
{
    const struct {
        const struct spec_io_rates *rates;
        const char *member, *key;
    } throttles[] = {
        {&resources->block_io.read_bps, "throttleReadBpsDevice", "rbps"},
        {&resources->block_io.write_bps, "throttleWriteBpsDevice", "wbps"},
        {&resources->block_io.read_iops, "throttleReadIOPSDevice", "riops"},
        {&resources->block_io.write_iops, "throttleWriteIOPSDevice", "wiops"},
    };
    if (plan_io_weights(planning, resources) < 0)
        return -1;
    for (size_t t = 0; t < ARRAY_LENGTH(throttles); t++) {
        for (size_t i = 0; i < throttles[t].rates->count; i++) {
            const struct spec_io_rate *rate = &throttles[t].rates->items[i];
            const char *pointer = arena_format(planning->arena, R "/blockIO/%s/%zu", throttles[t].member, i);
            /* A rate of 0 took the limit away on v1; io.max wants the word. */
            const char *value = rate->rate == 0
                                    ? arena_format(planning->arena, "%" PRId64 ":%" PRId64 " %s=max", rate->major,
                                                   rate->minor, throttles[t].key)
                                    : arena_format(planning->arena, "%" PRId64 ":%" PRId64 " %s=%" PRIu64,
                                                   rate->major, rate->minor, throttles[t].key, rate->rate);
            add(planning, pointer, rate->rate == 0 ? WRITE_IS_DEFAULT : 0, "io.max", value);
        }
    }
    return 0;
}

/* ^[1-9][0-9]*[KMG]B$: the word becomes part of a file name, so nothing else may pass (RHUG-04). */
static bool page_size_is_valid(const char *size)
{
    size_t digits = strspn(size, "0123456789");
    return digits > 0 && digits < 16 && size[0] != '0' && size[digits] && strchr("KMG", size[digits]) &&
           text_equal(size + digits + 1, "B");
}

static int refuse_page_size(struct planning *planning, size_t index, const char *size)
{
    const char *pointer = arena_format(planning->arena, R "/hugepageLimits/%zu/pageSize", index);
    return found(planning->findings, fail_config(planning->why, pointer, "expected a page size such as 2MB, found '%.32s'", size));
}

static int plan_hugetlb(struct planning *planning, const struct spec_resources *resources)
{
    for (size_t i = 0; i < resources->hugepage_limits_count; i++) {
        const struct spec_hugepage_limit *limit = &resources->hugepage_limits[i];
        if (!limit->page_size || !page_size_is_valid(limit->page_size)) {
            if (refuse_page_size(planning, i, limit->page_size ? limit->page_size : "") < 0)
                return -1;
            continue;
        }
        const char *pointer = arena_format(planning->arena, R "/hugepageLimits/%zu", i);
        const char *value = arena_format(planning->arena, "%" PRIu64, limit->limit);
        /* Reservation accounting first (RHUG-02), KERNEL(5.7); the fault limit too, as every engine expects
         * (RHUG-03). */
        add(planning, pointer, WRITE_MAY_BE_MISSING,
            arena_format(planning->arena, "hugetlb.%s.rsvd.max", limit->page_size), value);
        add(planning, pointer, 0, arena_format(planning->arena, "hugetlb.%s.max", limit->page_size), value);
    }
    return 0;
}

static void plan_pids(struct planning *planning, const struct spec_resources *resources)
{
    if (!resources->pids_limit.set)
        return;
    int64_t limit = resources->pids_limit.value > PIDS_MAX ? -1 : resources->pids_limit.value;
    unsigned flags;
    const char *value = number_or_max(planning, limit, &flags);
    add(planning, R "/pids/limit", flags, "pids.max", value);
}

static int refuse_rdma_name(struct planning *planning, const char *name)
{
    char token[POINTER_TOKEN_SIZE], shown[64];
    const char *pointer = arena_format(planning->arena, R "/rdma/%s", text_pointer_token(token, name, strlen(name)));
    text_sanitize(shown, sizeof(shown), name);
    return found(planning->findings, fail_config(planning->why, pointer, "'%s' is no name of an RDMA device such as mlx5_1", shown));
}

static int plan_rdma(struct planning *planning, const struct spec_resources *resources)
{
    for (size_t i = 0; i < resources->rdma_count; i++) {
        const struct spec_rdma_limit *limit = &resources->rdma[i];
        /* The name stands at the head of a line of words: a blank in it would change what the line says. */
        size_t plain = strspn(limit->device, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-:@");
        if (plain == 0 || limit->device[plain]) {
            if (refuse_rdma_name(planning, limit->device) < 0)
                return -1;
            continue;
        }
        const char *value = limit->device;
        if (limit->hca_handles.set)
            value = arena_format(planning->arena, "%s hca_handle=%" PRIu64, value, limit->hca_handles.value);
        if (limit->hca_objects.set)
            value = arena_format(planning->arena, "%s hca_object=%" PRIu64, value, limit->hca_objects.value);
        if (value != limit->device)
            add(planning, arena_format(planning->arena, R "/rdma/%s", limit->device), 0, "rdma.max", value);
    }
    return 0;
}

static int plan_network(struct planning *planning, const struct spec_resources *resources)
{
    if (resources->network_class_id.set && resources->network_class_id.value != 0 &&
        refuse(planning, R "/network/classID", "network.classID") < 0)
        return -1;
    for (size_t i = 0; i < resources->network_priorities_count; i++)
        if (resources->network_priorities[i].priority != 0 &&
            refuse(planning, arena_format(planning->arena, R "/network/priorities/%zu/priority", i),
                   "network.priorities") < 0)
            return -1;
    return 0;
}

/* CONTROLLER.PARAM, one plain file name: no slash, no leading dot (RUNI-07). */
static bool unified_key_is_valid(const char *key)
{
    size_t length = strlen(key);
    const char *dot = strchr(key, '.');
    return dot && dot != key && dot[1] && length <= 255 &&
           strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == length;
}

/* Written line by line: most files take one key per write(2). */
static void plan_unified_value(struct planning *planning, const char *pointer, const char *key, const char *value)
{
    if (!value[0]) {
        add(planning, pointer, 0, key, "\n"); /* a write of no bytes would not reach the file */
        return;
    }
    while (*value) {
        size_t length = strcspn(value, "\n");
        if (length > 0)
            add(planning, pointer, 0, key, arena_copy_n(planning->arena, value, length));
        value += length + (value[length] == '\n');
    }
}

static int check_unified_key(struct planning *planning, const char *pointer, const char *key)
{
    /* These act on processes, perhaps on the host's, instead of setting something. */
    static const char *const actions[] = {"cgroup.procs", "cgroup.threads", "cgroup.kill"};
    if (!unified_key_is_valid(key)) {
        char shown[64];
        text_sanitize(shown, sizeof(shown), key);
        (void)fail_config(planning->why, pointer, "'%s' is no name of a cgroup v2 file", shown); /* returned below */
        return failure_hint(planning->why, "keys are of the form CONTROLLER.PARAMETER, such as memory.high");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(actions); i++)
        if (text_equal(key, actions[i]))
            return fail_config(planning->why, pointer, "'%s' is an action on processes, no setting", key);
    if (text_equal(key, "cgroup.type"))
        return fail_config(planning->why, pointer, "'cgroup.type' would keep kill, ps and freezing from the container's processes");
    return 0;
}

/* After the typed members, so that it overrides them (RUNI-07). */
static int plan_unified(struct planning *planning, const struct spec_resources *resources)
{
    for (size_t i = 0; i < resources->unified.count; i++) {
        const char *key = resources->unified.items[i].key;
        char token[POINTER_TOKEN_SIZE];
        const char *pointer = arena_format(planning->arena, R "/unified/%s", text_pointer_token(token, key, strlen(key)));
        int result = check_unified_key(planning, pointer, key);
        if (result == 0)
            plan_unified_value(planning, pointer, key, resources->unified.items[i].value);
        else if (found(planning->findings, result) < 0)
            return -1;
    }
    return 0;
}

int limits_plan(const struct spec_resources *resources, struct arena *arena, struct limits *ret_limits,
                struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return limits_plan_all(resources, arena, ret_limits, &first);
}

int limits_plan_all(const struct spec_resources *resources, struct arena *arena, struct limits *ret_limits,
                    struct findings *findings)
{
    struct planning planning = {.arena = arena, .findings = findings, .why = findings->why};
    if (resources && resources->set) {
        if (plan_network(&planning, resources) < 0 || plan_memory(&planning, resources) < 0 ||
            plan_cpu(&planning, resources) < 0 || plan_io(&planning, resources) < 0 ||
            plan_hugetlb(&planning, resources) < 0)
            return -1;
        plan_pids(&planning, resources);
        if (plan_rdma(&planning, resources) < 0 || plan_unified(&planning, resources) < 0)
            return -1;
        if (planning.too_much != NULL &&
            found(findings, fail_config(findings->why, planning.too_much,
                                        "more than the %d settings of a cgroup that this runtime takes", WRITES_MAX)) < 0)
            return -1;
    }
    *ret_limits = planning.limits;
    return 0;
}
