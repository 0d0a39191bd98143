/* tests/unit/test_cgroup_stats.c: the kernel's files of statistics, as several kernels write them, and as none does. */
#include <string.h>

#include "base/text.h"
#include "cgroups/cgroups.h"

/* After ours, because it has a macro fail(); and behind what it uses and does not include. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static struct arena arena;
static struct cgroup_stats stats;

static int fresh(void **state)
{
    (void)state;
    arena_done(&arena);
    arena = (struct arena){0};
    stats = stats_nothing();
    return 0;
}

static void take(const char *file, const char *content)
{
    stats_take(&stats, &arena, file, content);
}

static void nothing_is_no_limit(void **state)
{
    (void)state;
    assert_false(stats.memory.set || stats.pids.set || stats.cpu.pressure.some.set);
    assert_true(stats.memory.limit == STATS_NO_LIMIT && stats.memory.swap_limit == STATS_NO_LIMIT && stats.pids.limit == STATS_NO_LIMIT);
    assert_true(stats.memory.usage == 0 && stats.cpu.total_us == 0 && stats.io.devices_count == 0);
}

static void cpu_counters(void **state)
{
    (void)state;
    take("cpu.stat", "usage_usec 123456789\nuser_usec 100000000\nsystem_usec 23456789\ncore_sched.force_idle_usec 5\nnr_periods 40\n"
                     "nr_throttled 30\nthrottled_usec 2000000\nnr_bursts 3\nburst_usec 18446744073709551615\n");
    assert_int_equal(stats.cpu.total_us, 123456789);
    assert_int_equal(stats.cpu.user_us, 100000000);
    assert_int_equal(stats.cpu.system_us, 23456789);
    assert_int_equal(stats.cpu.periods, 40);
    assert_int_equal(stats.cpu.throttled_periods, 30);
    assert_int_equal(stats.cpu.throttled_us, 2000000);
    assert_int_equal(stats.cpu.bursts, 3);
    assert_true(stats.cpu.burst_us == UINT64_MAX);
}

static void memory_numbers_events_and_counters(void **state)
{
    (void)state;
    take("memory.current", "67108864\n");
    take("memory.peak", "77108864\n");
    take("memory.max", "134217728\n");
    take("memory.swap.current", "4096\n");
    take("memory.swap.peak", "8192\n");
    take("memory.swap.max", "max\n");
    take("memory.events", "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\n");
    take("memory.stat", "anon 10\nfile 20\nkernel 30\nsock 40\nworkingset_refault_anon 50\n");
    assert_true(stats.memory.set);
    assert_int_equal(stats.memory.usage, 67108864);
    assert_int_equal(stats.memory.peak, 77108864);
    assert_int_equal(stats.memory.limit, 134217728);
    assert_int_equal(stats.memory.swap_usage, 4096);
    assert_int_equal(stats.memory.swap_peak, 8192);
    assert_true(stats.memory.swap_limit == STATS_NO_LIMIT);
    assert_int_equal(stats.memory.limit_hits, 3);
    assert_int_equal(stats.memory.oom_kills, 5);
    assert_int_equal(stats.memory.counters_count, 5);
    assert_string_equal(stats.memory.counters[4].name, "workingset_refault_anon");
    assert_int_equal(stats_memory_counter(&stats, "file"), 20);
    assert_int_equal(stats_memory_counter(&stats, "workingset_refault_anon"), 50);
    assert_int_equal(stats_memory_counter(&stats, "fil"), 0);
}

static void hundreds_of_counters(void **state)
{
    struct text text = {0};
    (void)state;
    for (int i = 0; i < 300; i++)
        text_format(&text, "counter_%d %d\n", i, i);
    take("memory.stat", text.data);
    text_done(&text);
    assert_int_equal(stats.memory.counters_count, 300);
    assert_int_equal(stats_memory_counter(&stats, "counter_299"), 299);
}

static void pids_numbers(void **state)
{
    (void)state;
    take("pids.current", "4\n");
    take("pids.peak", "40\n");
    take("pids.max", "max\n");
    assert_true(stats.pids.set && stats.pids.current == 4 && stats.pids.peak == 40 && stats.pids.limit == STATS_NO_LIMIT);
    take("pids.max", "100\n");
    assert_int_equal(stats.pids.limit, 100);
}

/* A device that had no traffic yet is listed without numbers by some kernels, and without an end of line by others. */
static void io_devices(void **state)
{
    (void)state;
    take("io.stat", "8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=7 dios=8 cost.usage=5\n7:0 \n"
                    "254:1048575 rbytes=1\n\nnonsense\n");
    assert_int_equal(stats.io.devices_count, 3);
    const struct stats_device *device = stats.io.devices;
    assert_true(device->major == 8 && device->minor == 16);
    assert_true(device->read_bytes == 1459200 && device->written_bytes == 314773504 && device->discarded_bytes == 7);
    assert_true(device->reads == 192 && device->writes == 353 && device->discards == 8);
    assert_true(device[1].major == 7 && device[1].read_bytes == 0);
    assert_true(device[2].minor == 1048575 && device[2].read_bytes == 1);
}

static void pressure_averages(void **state)
{
    (void)state;
    take("memory.pressure", "some avg10=12.34 avg60=5.06 avg300=100.00 total=157656722\nfull avg10=0.00 avg60=0.01 avg300=0.00 total=9\n");
    take("cpu.pressure", "some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n"); /* before 5.13: without "full" */
    take("io.pressure", "some avg10=1.00 total=1\nother avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    const struct stats_pressure *memory = &stats.memory.pressure;
    assert_true(memory->some.set && memory->full.set);
    assert_true(memory->some.average_10 == 1234 && memory->some.average_60 == 506 && memory->some.average_300 == 10000);
    assert_true(memory->some.total_us == 157656722 && memory->full.average_60 == 1 && memory->full.total_us == 9);
    assert_true(stats.cpu.pressure.some.set && !stats.cpu.pressure.full.set);
    assert_false(stats.io.pressure.some.set || stats.io.pressure.full.set);
}

static void hugetlb_by_page_size(void **state)
{
    (void)state;
    take("hugetlb.2MB.current", "4194304\n");
    take("hugetlb.1GB.current", "0\n");
    take("hugetlb.2MB.max", "8388608\n");
    take("hugetlb.2MB.events", "max 3\n");
    take("hugetlb.1GB.max", "max\n");
    take("hugetlb.2MB.rsvd.current", "1\n"); /* another kind of account */
    assert_int_equal(stats.hugetlb_count, 2);
    assert_string_equal(stats.hugetlb[0].page_size, "2MB");
    assert_true(stats.hugetlb[0].usage == 4194304 && stats.hugetlb[0].limit == 8388608 && stats.hugetlb[0].failures == 3);
    assert_string_equal(stats.hugetlb[1].page_size, "1GB");
    assert_true(stats.hugetlb[1].limit == STATS_NO_LIMIT);
}

/* Whatever a file holds, nothing is read behind its end, and no number is made up. */
static void nonsense_counts_nothing(void **state)
{
    static const char *const contents[] = {
        "", "\n", "\n\n", " ", "max", "5x\n", "-5\n", "18446744073709551616\n", "99999999999999999999999999999999999999\n",
        "usage_usec", "usage_usec ", "usage_usec \n", "usage_usec x\n", "usage_use 5\n", "some", "some ", "some avg10=",
        "full avg10= avg60= avg300= total=",
        "some avg10=1 avg60=1 avg300=1 total=x", "8:", ":8 rbytes=5", "8:0 rbytes", "8:0 rbytes=", "8:0 rbytes=x"};
    static const char *const files[] = {"cpu.stat",     "memory.current",  "memory.events", "memory.stat",       "io.stat",
                                        "cpu.pressure", "memory.pressure", "pids.current",  "hugetlb.2MB.events", "hugetlb.", "hugetlb..max",
                                        "hugetlb.2MB", "other.file"};
    (void)state;
    for (size_t f = 0; f < ARRAY_LENGTH(files); f++)
        for (size_t c = 0; c < ARRAY_LENGTH(contents); c++) {
            /* On the heap to its last byte, so that a sanitizer sees a read behind it. */
            struct text exact = {0};
            text_add(&exact, contents[c]);
            take(files[f], exact.data);
            text_done(&exact);
        }
    assert_int_equal(stats.cpu.total_us, 0);
    assert_true(stats.memory.usage == 0 || stats.memory.usage == STATS_NO_LIMIT); /* "max" is a number of the kernel's */
    assert_int_equal(stats.memory.oom_kills, 0);
    assert_false(stats.cpu.pressure.some.set || stats.memory.pressure.some.set || stats.memory.pressure.full.set);
    for (size_t i = 0; i < stats.io.devices_count; i++)
        assert_int_equal(stats.io.devices[i].read_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_no_limit, fresh, fresh),
        cmocka_unit_test_setup_teardown(cpu_counters, fresh, fresh),
        cmocka_unit_test_setup_teardown(memory_numbers_events_and_counters, fresh, fresh),
        cmocka_unit_test_setup_teardown(hundreds_of_counters, fresh, fresh),
        cmocka_unit_test_setup_teardown(pids_numbers, fresh, fresh),
        cmocka_unit_test_setup_teardown(io_devices, fresh, fresh),
        cmocka_unit_test_setup_teardown(pressure_averages, fresh, fresh),
        cmocka_unit_test_setup_teardown(hugetlb_by_page_size, fresh, fresh),
        cmocka_unit_test_setup_teardown(nonsense_counts_nothing, fresh, fresh),
    };
    return cmocka_run_group_tests_name("cgroup_stats", tests, NULL, NULL);
}
