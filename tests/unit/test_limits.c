/* Unit tests of process/limits.c and scheduling.c: the pure checks (RLIM-*, OOM-03, SCHED-*, IOPR-*, MPOL-*, PERS-*). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <string.h>

#include "process/process.h"

static struct failure why;

static char *word(const char *text)
{
    static struct arena arena; /* for the life of the program */
    return arena_copy(&arena, text);
}

static void check_accepted(const struct spec *spec)
{
    memset(&why, 0, sizeof(why));
    int result = limits_check(spec, &why);
    assert_string_equal(why.text, "");
    assert_int_equal(result, 0);
}

static void check_refused(const struct spec *spec, const char *pointer)
{
    memset(&why, 0, sizeof(why));
    assert_int_equal(limits_check(spec, &why), -1);
    assert_int_equal(why.kind, FAILURE_CONFIG);
    assert_string_equal(why.pointer, pointer);
}

static void test_nothing_is_fine(void **state)
{
    (void)state;
    const struct spec spec = {0};
    check_accepted(&spec);
}

static void test_rlimits(void **state)
{
    static const char *const known[] = {"AS",   "CORE",   "CPU",  "DATA", "FSIZE",  "LOCKS",  "MEMLOCK",    "MSGQUEUE",
                                        "NICE", "NOFILE", "NPROC", "RSS", "RTPRIO", "RTTIME", "SIGPENDING", "STACK"};
    struct spec_rlimit limits[ARRAY_LENGTH(known) + 1];
    struct spec spec = {.process = {.set = true, .rlimits = limits, .rlimits_count = ARRAY_LENGTH(known)}};
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        limits[i] = (struct spec_rlimit){arena_format(&arena, "RLIMIT_%s", known[i]), i, UINT64_MAX};
    check_accepted(&spec);
    limits[3].soft = 11;
    limits[3].hard = 10;
    check_refused(&spec, "/process/rlimits/3");
    limits[3].hard = 11;
    check_accepted(&spec);
    limits[16] = (struct spec_rlimit){word("RLIMIT_CORE"), 0, 0};
    spec.process.rlimits_count = 17;
    check_refused(&spec, "/process/rlimits/16");
    static const char *const unknown[] = {"RLIMIT_FOO", "NOFILE", "rlimit_nofile", "", "RLIMIT_NOFILE "};
    for (size_t i = 0; i < ARRAY_LENGTH(unknown); i++) {
        limits[16].type = word(unknown[i]);
        check_refused(&spec, "/process/rlimits/16");
    }
    limits[16].type = NULL;
    check_refused(&spec, "/process/rlimits/16");
    arena_done(&arena);
}

static void test_oom_score(void **state)
{
    static const struct { int64_t value; bool good; } cases[] = {
        {0, true}, {-1000, true}, {1000, true}, {1001, false}, {-1001, false}, {INT64_MAX, false}, {INT64_MIN, false}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct spec spec = {.process.oom_score_adj = {true, cases[i].value}};
        if (cases[i].good)
            check_accepted(&spec);
        else
            check_refused(&spec, "/process/oomScoreAdj");
    }
}

static void test_scheduler(void **state)
{
    static const struct {
        const char *policy;
        int64_t nice, priority;
        uint64_t runtime, deadline, period;
        const char *pointer; /* NULL: accepted */
    } cases[] = {
        {"SCHED_OTHER", 0, 0, 0, 0, 0, NULL},
        {"SCHED_OTHER", -20, 0, 0, 0, 0, NULL},
        {"SCHED_OTHER", 19, 0, 0, 0, 0, NULL},
        {"SCHED_OTHER", 20, 0, 0, 0, 0, "/process/scheduler/nice"},
        {"SCHED_BATCH", -21, 0, 0, 0, 0, "/process/scheduler/nice"},
        {"SCHED_OTHER", 0, 1, 0, 0, 0, "/process/scheduler/priority"},
        {"SCHED_IDLE", 0, 0, 0, 0, 0, NULL},
        {"SCHED_FIFO", 0, 1, 0, 0, 0, NULL},
        {"SCHED_RR", 0, 99, 0, 0, 0, NULL},
        {"SCHED_RR", 0, 100, 0, 0, 0, "/process/scheduler/priority"},
        {"SCHED_FIFO", 0, 0, 0, 0, 0, "/process/scheduler/priority"},
        {"SCHED_FIFO", 0, -1, 0, 0, 0, "/process/scheduler/priority"},
        {"SCHED_FIFO", 0, 1, 1, 0, 0, "/process/scheduler"},
        {"SCHED_OTHER", 0, 0, 0, 5, 0, "/process/scheduler"},
        {"SCHED_DEADLINE", 0, 0, 10, 20, 30, NULL},
        {"SCHED_DEADLINE", 0, 0, 10, 20, 0, NULL},
        {"SCHED_DEADLINE", 0, 0, 0, 20, 30, "/process/scheduler"},
        {"SCHED_DEADLINE", 0, 0, 21, 20, 30, "/process/scheduler"},
        {"SCHED_DEADLINE", 0, 0, 10, 31, 30, "/process/scheduler"},
        {"SCHED_DEADLINE", 0, 1, 10, 20, 30, "/process/scheduler/priority"},
        {"SCHED_ISO", 0, 0, 0, 0, 0, "/process/scheduler/policy"},
        {"SCHED_NORMAL", 0, 0, 0, 0, 0, "/process/scheduler/policy"},
        {"", 0, 0, 0, 0, 0, "/process/scheduler/policy"},
        {NULL, 0, 0, 0, 0, 0, "/process/scheduler/policy"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct spec spec = {.process.scheduler = {.set = true,
                                                        .policy = cases[i].policy ? word(cases[i].policy) : NULL,
                                                        .nice = cases[i].nice,
                                                        .priority = cases[i].priority,
                                                        .runtime = cases[i].runtime,
                                                        .deadline = cases[i].deadline,
                                                        .period = cases[i].period}};
        if (cases[i].pointer)
            check_refused(&spec, cases[i].pointer);
        else
            check_accepted(&spec);
    }
}

static void test_scheduler_flags(void **state)
{
    char *flags[] = {word("SCHED_FLAG_RESET_ON_FORK"), word("SCHED_FLAG_RECLAIM"),        word("SCHED_FLAG_DL_OVERRUN"),
                     word("SCHED_FLAG_KEEP_POLICY"),   word("SCHED_FLAG_KEEP_PARAMS"),    word("SCHED_FLAG_UTIL_CLAMP_MIN"),
                     word("SCHED_FLAG_UTIL_CLAMP_MAX"), word("SCHED_FLAG_UTIL_CLAMP")};
    struct spec spec = {.process.scheduler = {.set = true, .policy = word("SCHED_OTHER"), .flags = {flags, 7}}};
    (void)state;
    check_accepted(&spec);
    spec.process.scheduler.flags.count = 8;
    check_refused(&spec, "/process/scheduler/flags/7");
}

static void test_io_priority(void **state)
{
    static const struct { const char *class_name; int64_t priority; const char *pointer; } cases[] = {
        {"IOPRIO_CLASS_RT", 0, NULL},
        {"IOPRIO_CLASS_BE", 7, NULL},
        {"IOPRIO_CLASS_IDLE", 0, NULL},
        {"IOPRIO_CLASS_BE", 8, "/process/ioPriority/priority"},
        {"IOPRIO_CLASS_BE", -1, "/process/ioPriority/priority"},
        {"IOPRIO_CLASS_NONE", 0, "/process/ioPriority/class"},
        {"", 0, "/process/ioPriority/class"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct spec spec = {.process.io_priority = {true, word(cases[i].class_name), cases[i].priority}};
        if (cases[i].pointer)
            check_refused(&spec, cases[i].pointer);
        else
            check_accepted(&spec);
    }
}

static void test_memory_policy(void **state)
{
    static const struct { const char *mode, *nodes, *pointer; } cases[] = {
        {"MPOL_DEFAULT", NULL, NULL},
        {"MPOL_LOCAL", "", NULL},
        {"MPOL_PREFERRED", NULL, NULL},
        {"MPOL_PREFERRED", "0", NULL},
        {"MPOL_BIND", "0-3,7", NULL},
        {"MPOL_INTERLEAVE", "0,1,2", NULL},
        {"MPOL_PREFERRED_MANY", "5-5", NULL},
        {"MPOL_WEIGHTED_INTERLEAVE", "2000", NULL},
        {"MPOL_BIND", "32767", NULL},
        {"MPOL_BIND", "0-32767", NULL},
        {"MPOL_DEFAULT", "0", "/linux/memoryPolicy/nodes"},
        {"MPOL_LOCAL", "0", "/linux/memoryPolicy/nodes"},
        {"MPOL_BIND", NULL, "/linux/memoryPolicy/nodes"},
        {"MPOL_INTERLEAVE", "", "/linux/memoryPolicy/nodes"},
        {"MPOL_WEIGHTED_INTERLEAVE", NULL, "/linux/memoryPolicy/nodes"},
        {"MPOL_PREFERRED_MANY", NULL, "/linux/memoryPolicy/nodes"},
        {"MPOL_BIND", "32768", "/linux/memoryPolicy/nodes"},
        {"MPOL_BIND", "0-99999999999999999999", "/linux/memoryPolicy/nodes"},
        {"MPOL_BIND", "3-1", "/linux/memoryPolicy/nodes"},
        {"MPOL_BIND", "1-", "/linux/memoryPolicy/nodes"},
        {"MPOL_BIND", "-1", "/linux/memoryPolicy/nodes"},
        {"MPOL_BIND", "1,", "/linux/memoryPolicy/nodes"},
        {"MPOL_BIND", ",1", "/linux/memoryPolicy/nodes"},
        {"MPOL_BIND", "1 2", "/linux/memoryPolicy/nodes"},
        {"MPOL_BIND", "1-2-3", "/linux/memoryPolicy/nodes"},
        {"MPOL_BIND", "all", "/linux/memoryPolicy/nodes"},
        {"BIND", "0", "/linux/memoryPolicy/mode"},
        {"", "0", "/linux/memoryPolicy/mode"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct spec spec = {.linux.memory_policy = {.set = true,
                                                          .mode = word(cases[i].mode),
                                                          .nodes = cases[i].nodes ? word(cases[i].nodes) : NULL}};
        if (cases[i].pointer)
            check_refused(&spec, cases[i].pointer);
        else
            check_accepted(&spec);
    }
}

static void test_memory_policy_flags(void **state)
{
    char *balancing = word("MPOL_F_NUMA_BALANCING"), *relative = word("MPOL_F_RELATIVE_NODES"),
         *fixed = word("MPOL_F_STATIC_NODES");
    char *good[] = {balancing, relative}, *both[] = {relative, fixed}, *unknown[] = {fixed, word("MPOL_F_FOO")};
    struct spec spec = {.linux.memory_policy = {.set = true, .mode = word("MPOL_BIND"), .nodes = word("0")}};
    (void)state;
    spec.linux.memory_policy.flags = (struct strings){good, 2};
    check_accepted(&spec);
    spec.linux.memory_policy.flags = (struct strings){both, 2};
    check_refused(&spec, "/linux/memoryPolicy/flags");
    spec.linux.memory_policy.flags = (struct strings){unknown, 2};
    check_refused(&spec, "/linux/memoryPolicy/flags/1");
}

static void test_personality(void **state)
{
    char *flags[] = {word("ADDR_NO_RANDOMIZE")};
    struct spec spec = {.linux.personality = {.set = true, .domain = word("LINUX")}};
    (void)state;
    check_accepted(&spec);
    spec.linux.personality.domain = word("LINUX32");
    check_accepted(&spec);
    spec.linux.personality.flags = (struct strings){flags, 1};
    check_refused(&spec, "/linux/personality/flags/0");
    spec.linux.personality.flags.count = 0;
    spec.linux.personality.domain = word("PER_LINUX");
    check_refused(&spec, "/linux/personality/domain");
}

/* spec: AFF-06 */
static void test_affinity_lists(void **state)
{
    static const char *const good[] = {"0", "0-3,7", "8191", "0-8191", "1, 2", " 1 - 3 , 5 ", "3,1,3", "007"};
    static const char *const bad[] = {",", "-", "1-", "-1", "3-1", "0,,1", "0,", ",0", "1 2", "0-a", "a", "1-2-3", "8192",
                                      "0-8192", "99999999", "18446744073709551616", " ", "0x1", "1;2", "1\n"};
    struct spec spec = {.process = {.set = true, .exec_cpu_affinity = {.set = true}}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        spec.process.exec_cpu_affinity.initial = spec.process.exec_cpu_affinity.final = word(good[i]);
        check_accepted(&spec);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        spec.process.exec_cpu_affinity.initial = NULL;
        spec.process.exec_cpu_affinity.final = word(bad[i]);
        check_refused(&spec, "/process/execCPUAffinity/final");
        spec.process.exec_cpu_affinity.initial = word(bad[i]);
        check_refused(&spec, "/process/execCPUAffinity/initial");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_fine),    cmocka_unit_test(test_rlimits),
        cmocka_unit_test(test_oom_score),          cmocka_unit_test(test_scheduler),
        cmocka_unit_test(test_scheduler_flags),    cmocka_unit_test(test_io_priority),
        cmocka_unit_test(test_memory_policy),      cmocka_unit_test(test_memory_policy_flags),
        cmocka_unit_test(test_personality),        cmocka_unit_test(test_affinity_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
