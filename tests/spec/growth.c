/*
 * tests/spec/growth.c: reading, checking and planning a configuration costs in proportion to its size.
 *
 * For each shape that a configuration can grow in, one of 4 N parts is measured against one of N parts: quadratic work
 * would make it 16 times as dear.  Where the kernel counts the instructions of this process these are compared, else
 * the processor time, the least of several runs.  What has a limit is shown to be refused at once, however far above the
 * limit it is.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "process/process.h"
#include "spec/read.h"
#include "tests/spec/judge.h"

#define ROUNDS 3
#define GROWTH 4
#define GROWTH_ALLOWED 9 /* sorting and the processor's caches add to the 4; the square is 16 */
#define TRIES 3          /* the machine may be busy with something else in between */

/* ---- the measure ---- */

static int counter_open(void)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attributes),
        .config = PERF_COUNT_HW_INSTRUCTIONS,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Instructions, or nanoseconds of processor time. */
static uint64_t cost_so_far(int counter)
{
    uint64_t count = 0;
    struct timespec now = {0};
    if (counter >= 0 && read(counter, &count, sizeof(count)) == sizeof(count) && count > 0)
        return count;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- the shapes ---- */

#define HEAD "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"}"
#define SPACES "\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"network\"},{\"type\":\"uts\"}]"
#define PROCESS HEAD ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]"
#define DEV "{\"destination\":\"/dev\",\"type\":\"tmpfs\"}"
#define MOUNTS HEAD ",\"linux\":{" SPACES "},\"mounts\":[" DEV
#define LINUX HEAD ",\"linux\":{" SPACES
#define RESOURCES HEAD ",\"linux\":{\"resources\":{"
#define SECCOMP LINUX ",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\""

struct shape {
    const char *name;
    int parts;           /* N */
    const char *before;
    const char *part;    /* printf format that may use the number of the part, as many as it has of %1$d */
    const char *after;
    const char *refused; /* NULL: accepted; else the pointer of the refusal */
};

static const struct shape shapes[] = {
    {"mounts", 10000, MOUNTS, ",{\"destination\":\"/m/%1$d\",\"type\":\"bind\",\"source\":\"/s/%1$d\",\"options\":[\"rbind\",\"ro\"]}", "]}", NULL},
    {"mounts on one another", 10000, MOUNTS, ",{\"destination\":\"/m\",\"type\":\"tmpfs\",\"options\":[\"ro\"]}", "]}", NULL},
    {"remounts", 10000, MOUNTS ",{\"destination\":\"/m\",\"type\":\"tmpfs\"}",
     ",{\"destination\":\"/m\",\"options\":[\"remount\",\"ro\"]}", "]}", NULL},
    {"remounts of nothing", 10000, MOUNTS, ",{\"destination\":\"/m/%1$d\",\"options\":[\"remount\",\"ro\"]}", "]}", NULL},
    {"devices", 5000, HEAD ",\"mounts\":[" DEV "],\"linux\":{" SPACES ",\"devices\":[{\"type\":\"p\",\"path\":\"/dev/first\"}",
     ",{\"type\":\"c\",\"path\":\"/dev/shm/%1$d\",\"major\":1,\"minor\":3}", "]}}", NULL},
    {"options of a mount", 20000, MOUNTS ",{\"destination\":\"/m\",\"type\":\"tmpfs\",\"options\":[\"ro\"", ",\"rw\",\"ro\"", "]}]}", NULL},
    {"propagations of a mount", 20000, MOUNTS ",{\"destination\":\"/m\",\"type\":\"tmpfs\",\"options\":[\"ro\"", ",\"shared\",\"rslave\"", "]}]}",
     NULL},
    {"data of a mount", 100000, MOUNTS ",{\"destination\":\"/m\",\"type\":\"tmpfs\",\"options\":[\"ro\"", ",\"x=%1$d\"", "]}]}",
     "/mounts/1/options/"},
    {"environment", 50000, PROCESS ",\"env\":[\"HOME=/\"", ",\"VARIABLE_%1$d=value\"", "]}}", NULL},
    {"one variable again and again", 50000, PROCESS ",\"env\":[\"HOME=/\"", ",\"VARIABLE=%1$d\"", "]}}", NULL},
    {"arguments", 50000, HEAD ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"", ",\"%1$d\"", "]}}", NULL},
    {"groups", 16000, PROCESS ",\"user\":{\"uid\":1,\"gid\":1,\"additionalGids\":[1", ",%1$d", "]}}}", NULL},
    {"capabilities", 20000, PROCESS ",\"capabilities\":{\"bounding\":[\"CAP_KILL\"", ",\"CAP_%1$d\"", "]}}}", NULL},
    {"resource limits", 50000, PROCESS ",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0}",
     ",{\"type\":\"RLIMIT_X\",\"soft\":0,\"hard\":0}", "]}}", "/process/rlimits"},
    {"hooks", 20000, HEAD ",\"hooks\":{\"prestart\":[{\"path\":\"/bin/true\"}", ",{\"path\":\"/bin/%1$d\",\"args\":[\"a\"],\"env\":[\"A=1\"]}", "]}}", NULL},
    {"annotations", 50000, HEAD ",\"annotations\":{\"first\":\"\"", ",\"key.%1$d\":\"v\"", "}}", NULL},
    {"unknown members", 50000, HEAD ",\"x\":1", ",\"x.%1$d\":[{\"y\":{}}]", "}", NULL},
    {"a name again and again", 50000, HEAD ",\"x\":1", ",\"x\":%1$d", "}", "/x"},
    {"a name again and again, in a map", 50000, HEAD ",\"annotations\":{\"x\":\"1\"", ",\"x\":\"%1$d\"", "}}", "/annotations/x"},
    {"long names that differ at the end", 2000, HEAD ",\"x\":1",
     ",\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx%1$d\":1",
     "}", NULL},
    {"lines", 200000, HEAD ",\n\n", "\n\n", "\"x\":1}", NULL},
    {"a long string", 200000, HEAD ",\"annotations\":{\"x\":\"", "longlong", "\"}}", NULL},
    {"escapes", 50000, HEAD ",\"annotations\":{\"x\":\"", "\\u00e9\\n", "\"}}", NULL},
    {"device rules", 20000, RESOURCES "\"devices\":[{\"allow\":false,\"access\":\"rwm\"}",
     ",{\"allow\":true,\"type\":\"c\",\"major\":%1$d,\"minor\":1,\"access\":\"rw\"}", "]}}}", "/linux/resources/devices"},
    {"cgroup files", 50000, RESOURCES "\"unified\":{\"memory.high\":\"1\"", ",\"x%1$d.max\":\"1\"", "}}}}", "/linux/resources/unified/"},
    {"lines of a cgroup file", 50000, RESOURCES "\"unified\":{\"io.max\":\"8:0 rbps=1", "\\n8:%1$d rbps=1", "\"}}}}", "/linux/resources/unified/io.max"},
    {"late cgroup files", 20000, RESOURCES "\"unified\":{\"pids.max\":\"1", "\\n%1$d", "\"}}}}", "/linux/resources/unified/pids.max"},
    {"throttled devices", 50000, RESOURCES "\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1}",
     ",{\"major\":8,\"minor\":%1$d,\"rate\":1}", "]}}}}", "/linux/resources/blockIO/throttleReadBpsDevice/"},
    {"page sizes", 50000, RESOURCES "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}", ",{\"pageSize\":\"2MB\",\"limit\":%1$d}", "]}}}",
     "/linux/resources/hugepageLimits/"},
    {"a list of CPUs", 2000, RESOURCES "\"cpu\":{\"cpus\":\"0-8191", ",0-8191", "\"}}}}", NULL},
    {"too long a list of CPUs", 50000, RESOURCES "\"cpu\":{\"cpus\":\"0-8191", ",0-8191", "\"}}}}", "/linux/resources/cpu/cpus"},
    {"a list of nodes", 2000, LINUX ",\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0-32767", ",0-32767", "\"}}}", NULL},
    {"sysctls", 20000, LINUX ",\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"", ",\"net.x%1$d.y\":\"1\"", "}}}", NULL},
    {"masked paths", 50000, LINUX ",\"maskedPaths\":[\"/proc/kcore\"", ",\"/m/%1$d\"", "]}}", NULL},
    {"namespaces", 50000, HEAD ",\"linux\":{\"namespaces\":[{\"type\":\"pid\"}", ",{\"type\":\"pid\"}", "]}}", "/linux/namespaces/1"},
    {"id mappings", 20000, LINUX ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}",
     ",{\"containerID\":%1$d,\"hostID\":%1$d,\"size\":1}", "]}}", NULL},
    {"names of system calls", 50000, SECCOMP ",\"syscalls\":[{\"action\":\"SCMP_ACT_ALLOW\",\"names\":[\"read\"", ",\"call_%1$d\"", "]}]}}}", NULL},
    {"rules for system calls", 20000, SECCOMP ",\"syscalls\":[{\"action\":\"SCMP_ACT_ALLOW\",\"names\":[\"read\"]}",
     ",{\"action\":\"SCMP_ACT_ALLOW\",\"names\":[\"read\"],\"args\":[{\"index\":0,\"value\":%1$d,\"op\":\"SCMP_CMP_EQ\"}]}", "]}}}", NULL},
    {"architectures", 50000, SECCOMP ",\"architectures\":[\"SCMP_ARCH_X86\"", ",\"SCMP_ARCH_ARM\"", "]}}}", NULL},
};

/* Of these `check` wants every finding; it takes a thousand. */
static const struct shape faulty[] = {
    {"many mounts without a destination", 20000, MOUNTS, ",{\"type\":\"tmpfs\"}", "]}", ""},
    {"many arguments that are numbers", 50000, HEAD ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"", ",%1$d", "]}}", ""},
    {"many faults in one small object", 50000, HEAD ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"user\":{\"uid\":[", "{\"a\":1},", "1]}}}", ""},
    {"a name again and again, all told", 50000, HEAD ",\"x\":1", ",\"x\":%1$d", "}", ""},
    {"a name again and again, all told, one a line", 50000, HEAD ",\"x\":1", ",\n\"x\":%1$d", "}", ""},
    {"a member again and again, all told", 50000, HEAD ",\"hostname\":\"h\"", ",\n\"hostname\":\"h\"", "}", ""},
    {"many names twice, all told", 20000, HEAD ",\"x\":1", ",\n\"x%1$d\":1,\"x%1$d\":2", "}", ""},
    {"many mappings that run past the end", 20000, LINUX ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}",
     ",{\"containerID\":%1$d,\"hostID\":4294967295,\"size\":2}", "]}}", ""},
    {"many options that need what is missing", 50000, HEAD ",\"linux\":{" SPACES "},\"mounts\":[{\"destination\":\"/m\",\"options\":[\"ro\"",
     ",\"idmap\"", "]}]}", ""},
    {"many dropped elements", 20000, HEAD ",\"hooks\":{\"prestart\":[{\"path\":\"/bin/true\"}", ",{\"path\":1},{\"path\":\"/bin/true\"}", "]}}", ""},
};

static char *grow(const struct shape *shape, int parts, size_t *ret_length)
{
    struct text text = {0};
    text_add(&text, shape->before);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    for (int i = 0; i < parts; i++)
        text_format(&text, shape->part, i);
#pragma GCC diagnostic pop
    text_add(&text, shape->after);
    *ret_length = text.length;
    return text.data;
}

/* ---- the comparison ---- */

static int build_environment(const struct spec *spec, struct arena *arena, struct failure *why)
{
    char **envp;
    return spec->process.set ? environment_build(&spec->process, -1, -1, NULL, arena, &envp, why) : 0;
}

struct verdict { bool accepted; struct failure why; };

/* As `create` does. */
static void judge_first(const char *text, size_t length, struct verdict *verdict)
{
    struct findings first = FINDINGS_FIRST(&verdict->why);
    struct arena arena = {0};
    struct spec spec;
    verdict->accepted = judge(text, length, &spec, &arena, &first) == 0 && build_environment(&spec, &arena, &verdict->why) == 0;
    arena_done(&arena);
    spec_done(&spec);
}

/* As `check` does. */
static void judge_all(const char *text, size_t length, struct verdict *verdict)
{
    struct findings findings;
    struct arena arena = {0};
    struct spec spec;
    findings_collect(&findings, &verdict->why);
    IGNORE_RESULT(judge(text, length, &spec, &arena, &findings)); /* the findings say it */
    verdict->accepted = findings.count == 0;
    spec_locate_all(&spec, findings.items, findings.count);
    findings_done(&findings);
    arena_done(&arena);
    spec_done(&spec);
}

/* The least cost of a run, 0 when the verdict is not the one that is due. */
static uint64_t measure(const struct shape *shape, int parts, int counter,
                        void (*judging)(const char *text, size_t length, struct verdict *verdict))
{
    size_t length;
    char *text = grow(shape, parts, &length);
    uint64_t least = UINT64_MAX;
    for (int round = 0; round < ROUNDS && least != 0; round++) {
        struct verdict verdict = {0};
        uint64_t before = cost_so_far(counter);
        judging(text, length, &verdict);
        uint64_t cost = cost_so_far(counter) - before;
        bool due = verdict.accepted ? shape->refused == NULL
                                    : shape->refused != NULL && text_starts(verdict.why.pointer, shape->refused);
        if (!due)
            printf("# %s, %d parts: %s %s\n", shape->name, parts, verdict.accepted ? "accepted" : verdict.why.pointer, verdict.why.text);
        least = !due ? 0 : cost < least ? cost : least;
    }
    free(text);
    return least;
}

static bool grows_in_proportion(const struct shape *shape, size_t number, int counter,
                                void (*judging)(const char *text, size_t length, struct verdict *verdict))
{
    uint64_t one = 1, many = 0;
    bool good = false;
    for (int try = 0; try < TRIES && !good && one > 0; try++) {
        one = measure(shape, shape->parts, counter, judging);
        many = one == 0 ? 0 : measure(shape, shape->parts * GROWTH, counter, judging);
        good = one > 0 && many > 0 && many <= one * GROWTH_ALLOWED;
    }
    printf("%s %zu - %s: %d parts %.2f million %s, %d parts %.1f times that\n", good ? "ok" : "not ok", number, shape->name,
           shape->parts, (double)one / 1e6, counter >= 0 ? "instructions" : "ns", shape->parts * GROWTH,
           one ? (double)many / (double)one : 0.0);
    return good;
}

int main(void)
{
    int failures = 0;
    log_set(LOG_TEXT, LOG_ERROR); /* warnings about each part are not the subject */
    CLEANUP_FD int opened = counter_open();
    uint64_t tried = 0;
    int counter = opened >= 0 && read(opened, &tried, sizeof(tried)) == sizeof(tried) && tried > 0 ? opened : -1;
    printf("1..%zu\n", ARRAY_LENGTH(shapes) + ARRAY_LENGTH(faulty));
    for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++)
        failures += !grows_in_proportion(&shapes[i], i + 1, counter, judge_first);
    for (size_t i = 0; i < ARRAY_LENGTH(faulty); i++)
        failures += !grows_in_proportion(&faulty[i], ARRAY_LENGTH(shapes) + i + 1, counter, judge_all);
    return failures > 0;
}
