/*
 * process/scheduling.c: CPU scheduler, I/O priority, memory policy, personality.
 *
 * Each member is turned into a plan of plain numbers by a pure function, which the check and the
 * application share, so nothing can pass one and be refused by the other.
 *
 * Runs in: creator (scheduling_check_all, pure), init and joiner (scheduling_set).
 */
#include "process/process.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/kernel.h"
#include "base/text.h"

struct word {
    const char *name;
    uint64_t value;
};

static const struct word *word_find(const struct word *words, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(words[i].name, name))
            return &words[i];
    return NULL;
}

static int refuse_word(struct failure *why, const char *pointer, const char *what, const char *name)
{
    char shown[64];
    text_sanitize(shown, sizeof(shown), name ? name : "");
    return fail_config(why, pointer, "%s '%s' is unknown", what, shown);
}

/* Or-s the values of `names`; -1 with the pointer of the first unknown one. */
static int words_or(const struct word *words, size_t count, const struct strings *names, const char *pointer,
                    uint64_t *ret_bits, struct failure *why)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < names->count; i++) {
        const struct word *word = word_find(words, count, names->items[i]);
        if (!word) {
            char at[80];
            snprintf(at, sizeof(at), "%s/%zu", pointer, i);
            return refuse_word(why, at, "flag", names->items[i]);
        }
        bits |= word->value;
    }
    *ret_bits = bits;
    return 0;
}

/* ---- scheduler ---- */

/* The kernel's struct sched_attr of 56 bytes: KERNEL(5.3), with the utilisation clamps. */
struct scheduler_plan {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};
_Static_assert(sizeof(struct scheduler_plan) == 56, "the layout is the kernel's");

#define POLICY_ISO 4 /* reserved by the kernel's headers, never implemented */
#define UTIL_CLAMP_WIDEST 1024
#define FLAG_RESET_ON_FORK 0x01

static const struct word scheduler_policies[] = {
    {"SCHED_OTHER", SCHED_OTHER}, {"SCHED_FIFO", SCHED_FIFO}, {"SCHED_RR", SCHED_RR},
    {"SCHED_BATCH", SCHED_BATCH}, {"SCHED_ISO", POLICY_ISO},  {"SCHED_IDLE", SCHED_IDLE},
    {"SCHED_DEADLINE", SCHED_DEADLINE},
};

static const struct word scheduler_flags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", FLAG_RESET_ON_FORK},  {"SCHED_FLAG_RECLAIM", 0x02},       {"SCHED_FLAG_DL_OVERRUN", 0x04},
    {"SCHED_FLAG_KEEP_POLICY", 0x08},    {"SCHED_FLAG_KEEP_PARAMS", 0x10},   {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40},
};

static int scheduler_check_ranges(const struct spec_scheduler *want, uint32_t policy, struct failure *why)
{
    bool fair = policy == SCHED_OTHER || policy == SCHED_BATCH;
    bool real_time = policy == SCHED_FIFO || policy == SCHED_RR;
    if (fair && (want->nice < -20 || want->nice > 19))
        return fail_config(why, "/process/scheduler/nice", "%lld is outside -20..19", (long long)want->nice);
    if (real_time && (want->priority < 1 || want->priority > 99))
        return fail_config(why, "/process/scheduler/priority", "%lld is outside 1..99, the range of %s",
                           (long long)want->priority, want->policy);
    if (!real_time && want->priority != 0)
        return fail_config(why, "/process/scheduler/priority", "only SCHED_FIFO and SCHED_RR have one, not %s",
                           want->policy);
    if (policy != SCHED_DEADLINE && (want->runtime || want->deadline || want->period))
        return fail_config(why, "/process/scheduler",
                           "runtime, deadline and period belong to SCHED_DEADLINE, not to %s", want->policy);
    if (policy == SCHED_DEADLINE && (want->runtime == 0 || want->runtime > want->deadline ||
                                     (want->period && want->deadline > want->period)))
        return fail_config(why, "/process/scheduler", "SCHED_DEADLINE needs 0 < runtime <= deadline <= period");
    return 0;
}

static int scheduler_plan(const struct spec_scheduler *want, struct scheduler_plan *ret_plan, struct failure *why)
{
    uint64_t flags = 0;
    const struct word *policy = word_find(scheduler_policies, ARRAY_LENGTH(scheduler_policies), want->policy);
    if (!policy)
        return refuse_word(why, "/process/scheduler/policy", "policy", want->policy);
    if (policy->value == POLICY_ISO)
        return fail_config(why, "/process/scheduler/policy", "Linux does not implement SCHED_ISO");
    if (words_or(scheduler_flags, ARRAY_LENGTH(scheduler_flags), &want->flags, "/process/scheduler/flags", &flags,
                 why) < 0)
        return -1;
    if (scheduler_check_ranges(want, (uint32_t)policy->value, why) < 0)
        return -1;
    *ret_plan = (struct scheduler_plan){
        .size = sizeof(*ret_plan),
        .policy = (uint32_t)policy->value,
        .flags = flags,
        /* The kernel refuses no nice value here, it clamps; outside OTHER and BATCH it has no effect. */
        .nice = policy->value == SCHED_OTHER || policy->value == SCHED_BATCH ? (int32_t)want->nice : 0,
        .priority = (uint32_t)want->priority,
        .runtime = want->runtime,
        .deadline = want->deadline,
        .period = want->period,
        /* UTIL_CLAMP_* without values, for which the specification has no members: the widest range, which clamps
         * nothing.  0 for both would pin the process to the slowest clock. */
        .util_min = 0,
        .util_max = UTIL_CLAMP_WIDEST,
    };
    return 0;
}

static int scheduler_set(const struct spec_scheduler *want, uint64_t more_flags, struct failure *why)
{
    struct scheduler_plan plan = {0};
    if (scheduler_plan(want, &plan, why) < 0)
        return -1;
    plan.flags |= more_flags;
    if (kernel_sched_setattr(0, &plan, 0) == 0)
        return 0;
    fail_sys(why, "set scheduler %s", want->policy);
    failure_pointer(why, "/process/scheduler");
    if (why->errnum == EPERM && plan.policy == SCHED_DEADLINE)
        return failure_hint(why, "it needs CAP_SYS_NICE and a CPU affinity of all CPUs: remove the cpuset");
    if (why->errnum == EPERM)
        return failure_hint(why, "real-time policies and a lower nice value need CAP_SYS_NICE on the host, "
                                 "or RLIMIT_RTPRIO and RLIMIT_NICE for the caller");
    if (why->errnum == EINVAL && plan.policy == SCHED_DEADLINE)
        return failure_hint(why, "the kernel wants a runtime of 1024 ns or more, and a period (without one: a deadline) between "
                                 "sched_deadline_period_min_us and sched_deadline_period_max_us of /proc/sys/kernel");
    if (why->errnum == EBUSY)
        return failure_hint(why, "the CPUs of this cpuset have no bandwidth left for it");
    return -1;
}

/* The kernel lets no process with SCHED_DEADLINE fork, unless its children are without; hooks are our children. */
static bool hooks_need_reset(const struct spec *spec)
{
    return text_equal(spec->process.scheduler.policy, "SCHED_DEADLINE") &&
           (spec->hooks[HOOK_CREATE_CONTAINER].count > 0 || spec->hooks[HOOK_START_CONTAINER].count > 0);
}

/* ---- I/O priority ---- */

static const struct word io_classes[] = {
    {"IOPRIO_CLASS_RT", IOPRIO_CLASS_RT},
    {"IOPRIO_CLASS_BE", IOPRIO_CLASS_BE},
    {"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE},
};

static int io_priority_plan(const struct spec_process *process, int *ret_value, struct failure *why)
{
    const char *name = process->io_priority.class_name;
    const struct word *class = word_find(io_classes, ARRAY_LENGTH(io_classes), name);
    if (!class)
        return refuse_word(why, "/process/ioPriority/class", "class", name);
    if (process->io_priority.priority < 0 || process->io_priority.priority > 7)
        return fail_config(why, "/process/ioPriority/priority", "%lld is outside 0..7",
                           (long long)process->io_priority.priority);
    *ret_value = (int)(class->value << IOPRIO_CLASS_SHIFT) | (int)process->io_priority.priority;
    return 0;
}

static int io_priority_set(const struct spec_process *process, struct failure *why)
{
    int value = 0;
    if (io_priority_plan(process, &value, why) < 0)
        return -1;
    /* The specification speaks of the process group (IOPR-01).  That is right once we lead one; before, "our
     * group" is the group of whoever called the runtime, an engine for example, which must not change.  What the
     * process starts later inherits the value either way. */
    int which = getpgrp() == getpid() ? IOPRIO_WHO_PGRP : IOPRIO_WHO_PROCESS;
    if (kernel_ioprio_set(which, 0, value) == 0)
        return 0;
    fail_sys(why, "set I/O priority %s %d", process->io_priority.class_name, (int)process->io_priority.priority);
    failure_pointer(why, "/process/ioPriority");
    if (why->errnum == EPERM)
        return failure_hint(why, "IOPRIO_CLASS_RT needs CAP_SYS_ADMIN or CAP_SYS_NICE on the host");
    return -1;
}

/* ---- memory policy ---- */

const char *const scheduling_memory_policy_mode_words[] = {
    "MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED_MANY",
    "MPOL_WEIGHTED_INTERLEAVE", NULL, /* index = the kernel's number */
};
enum {
    MODE_DEFAULT, MODE_PREFERRED, MODE_BIND, MODE_INTERLEAVE, MODE_LOCAL, MODE_PREFERRED_MANY, MODE_WEIGHTED, MODES
};

const char *const scheduling_memory_policy_flag_words[] = {
    "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES", NULL,
};
static const struct word memory_policy_flags[] = {
    {"MPOL_F_NUMA_BALANCING", 1u << 13}, {"MPOL_F_RELATIVE_NODES", 1u << 14}, {"MPOL_F_STATIC_NODES", 1u << 15},
};
#define STATIC_AND_RELATIVE ((1u << 14) | (1u << 15))

/* set_mempolicy(2) takes masks of up to one page (32768 bits on most machines); which of the bits are nodes is
 * for the kernel to say. */
#define NODES_MAX 32768u
#define LONG_BITS (8 * sizeof(unsigned long))

struct memory_policy_plan {
    int mode; /* flags or-ed in */
    unsigned long mask_bits; /* 0: no nodes */
    unsigned long mask[NODES_MAX / LONG_BITS];
};

/* Digits only, cut from *cursor.  0 or -EINVAL / -ERANGE. */
static int take_node(const char **cursor, uint64_t *ret_node)
{
    char digits[8];
    size_t length = strspn(*cursor, "0123456789");
    if (length == 0 || length >= sizeof(digits))
        return length ? -ERANGE : -EINVAL;
    memcpy(digits, *cursor, length);
    digits[length] = '\0';
    *cursor += length;
    return text_to_u64(digits, NODES_MAX - 1, ret_node);
}

static int refuse_nodes(struct failure *why, const char *nodes, int result)
{
    char shown[64];
    text_sanitize(shown, sizeof(shown), nodes);
    if (result == -ERANGE)
        return fail_config(why, "/linux/memoryPolicy/nodes", "'%s' holds a node above %u", shown, NODES_MAX - 1);
    return fail_config(why, "/linux/memoryPolicy/nodes", "'%s' is no list of nodes such as 0-3,7", shown);
}

static int parse_nodes(const char *nodes, struct memory_policy_plan *plan, struct failure *why)
{
    const char *cursor = nodes;
    for (;;) {
        uint64_t first, last;
        int result = take_node(&cursor, &first);
        if (result < 0)
            return refuse_nodes(why, nodes, result);
        last = first;
        if (*cursor == '-') {
            cursor++;
            result = take_node(&cursor, &last);
        }
        if (result < 0 || last < first)
            return refuse_nodes(why, nodes, result < 0 ? result : -EINVAL);
        for (uint64_t node = first; node <= last; node++) {
            bool whole = node % LONG_BITS == 0 && last - node >= LONG_BITS - 1;
            plan->mask[node / LONG_BITS] |= whole ? ~0ul : 1ul << (node % LONG_BITS);
            node += whole ? LONG_BITS - 1 : 0;
        }
        if (last + 1 > plan->mask_bits)
            plan->mask_bits = last + 1;
        if (*cursor == '\0')
            return 0;
        if (*cursor++ != ',')
            return refuse_nodes(why, nodes, -EINVAL);
    }
}

static int memory_policy_plan(const struct spec *spec, struct memory_policy_plan *ret_plan, struct failure *why)
{
    const char *mode_name = spec->linux.memory_policy.mode, *nodes = spec->linux.memory_policy.nodes;
    uint64_t flags = 0;
    int mode = 0;
    while (mode < MODES && !text_equal(scheduling_memory_policy_mode_words[mode], mode_name))
        mode++;
    if (mode == MODES)
        return refuse_word(why, "/linux/memoryPolicy/mode", "mode", mode_name);
    if (words_or(memory_policy_flags, ARRAY_LENGTH(memory_policy_flags), &spec->linux.memory_policy.flags,
                 "/linux/memoryPolicy/flags", &flags, why) < 0)
        return -1;
    if ((flags & STATIC_AND_RELATIVE) == STATIC_AND_RELATIVE)
        return fail_config(why, "/linux/memoryPolicy/flags",
                           "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
    bool has_nodes = nodes && nodes[0]; /* MPOL-04: empty equals absent */
    bool takes_nodes = mode != MODE_DEFAULT && mode != MODE_LOCAL;
    if (has_nodes && !takes_nodes)
        return fail_config(why, "/linux/memoryPolicy/nodes", "%s takes no nodes", mode_name);
    if (!has_nodes && takes_nodes && mode != MODE_PREFERRED)
        return fail_config(why, "/linux/memoryPolicy/nodes", "%s needs at least one node", mode_name);
    *ret_plan = (struct memory_policy_plan){.mode = mode | (int)flags};
    return has_nodes ? parse_nodes(nodes, ret_plan, why) : 0;
}

static int memory_policy_set(const struct spec *spec, struct failure *why)
{
    struct memory_policy_plan plan = {0};
    if (memory_policy_plan(spec, &plan, why) < 0)
        return -1;
    /* The kernel looks at maxnode - 1 bits. */
    bool has_nodes = plan.mask_bits > 0;
    if (kernel_set_mempolicy(plan.mode, has_nodes ? plan.mask : NULL, has_nodes ? plan.mask_bits + 1 : 0) == 0)
        return 0;
    fail_sys(why, "set memory policy %s", spec->linux.memory_policy.mode);
    failure_pointer(why, "/linux/memoryPolicy");
    if (why->errnum == ENOSYS)
        return failure_hint(why, "this kernel has no NUMA support: remove memoryPolicy");
    if (why->errnum == EINVAL)
        return failure_hint(why, "a node is not online or not in cpuset.mems, or this kernel lacks the mode or a "
                                 "flag");
    return -1;
}

/* ---- personality ---- */

static const struct word personalities[] = {{"LINUX", PER_LINUX}, {"LINUX32", PER_LINUX32}};

static int personality_plan(const struct spec *spec, unsigned long *ret_value, struct failure *why)
{
    const char *name = spec->linux.personality.domain;
    const struct word *domain = word_find(personalities, ARRAY_LENGTH(personalities), name);
    if (!domain)
        return refuse_word(why, "/linux/personality/domain", "domain", name);
    if (spec->linux.personality.flags.count > 0)
        return refuse_word(why, "/linux/personality/flags/0", "flag", spec->linux.personality.flags.items[0]);
    *ret_value = (unsigned long)domain->value;
    return 0;
}

static int personality_set(const struct spec *spec, struct failure *why)
{
    unsigned long value = 0;
    if (personality_plan(spec, &value, why) < 0)
        return -1;
    if (personality(value) >= 0)
        return 0;
    fail_sys(why, "set personality %s", spec->linux.personality.domain);
    return failure_pointer(why, "/linux/personality");
}

/* ---- all four ---- */

int scheduling_check_all(const struct spec *spec, struct findings *findings)
{
    struct failure *why = findings->why;
    struct scheduler_plan scheduler;
    struct memory_policy_plan policy;
    int io_priority;
    unsigned long domain;
    if (spec->process.scheduler.set && found(findings, scheduler_plan(&spec->process.scheduler, &scheduler, why)) < 0)
        return -1;
    if (spec->process.io_priority.set && found(findings, io_priority_plan(&spec->process, &io_priority, why)) < 0)
        return -1;
    if (spec->linux.memory_policy.set && found(findings, memory_policy_plan(spec, &policy, why)) < 0)
        return -1;
    if (spec->linux.personality.set && found(findings, personality_plan(spec, &domain, why)) < 0)
        return -1;
    return 0;
}

int scheduling_set(const struct spec *spec, struct failure *why)
{
    uint64_t for_hooks = hooks_need_reset(spec) ? FLAG_RESET_ON_FORK : 0;
    if (spec->process.scheduler.set && scheduler_set(&spec->process.scheduler, for_hooks, why) < 0)
        return -1;
    if (spec->process.io_priority.set && io_priority_set(&spec->process, why) < 0)
        return -1;
    if (spec->linux.memory_policy.set && memory_policy_set(spec, why) < 0)
        return -1;
    if (spec->linux.personality.set && personality_set(spec, why) < 0)
        return -1;
    return 0;
}

int scheduling_settle(const struct spec *spec, struct failure *why)
{
    return spec->process.scheduler.set && hooks_need_reset(spec) ? scheduler_set(&spec->process.scheduler, 0, why) : 0;
}
