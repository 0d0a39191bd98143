/*
 * spec/check.c: what no single member shows: contradictions, missing companions, what cgroup v2 has no file
 * for, and what this release does not carry out.
 *
 * A configured thing is applied or refused, never skipped: a runtime that skips makes isolation weaker than its
 * caller believes.  Pure; runs in: creator, exec, update, before anything exists.
 */
#include "spec/read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

/* ---- what this release refuses ---- */

static int check_supported(const struct spec *spec, struct failure *why)
{
    /* Ignoring it would run the program on the host's kernel where a machine of its own was asked for. */
    if (spec->vm.set)
        return fail_config(why, "/vm", "running a container in a virtual machine is not supported by this release");
    if (spec->linux.intel_rdt.set)
        return fail_config(why, "/linux/intelRdt", "Intel RDT (resctrl) is not supported by this release");
    if (spec->linux.net_devices_count > 0)
        return fail_config(why, "/linux/netDevices",
                           "moving network devices into the container is not supported by this release");
    return 0;
}

/* ---- process ---- */

#define RLIMITS_MAX 64 /* above what the kernel has, so that it is the limits folder that explains a new name */

static int check_rlimits(const struct spec_process *process, const char *pointer, struct failure *why)
{
    /* Also bounds the search for repetitions below. */
    if (process->rlimits_count > RLIMITS_MAX) {
        fail_config(why, "", "Linux has 16 resource limits, found %zu entries", process->rlimits_count);
        return failure_pointer(why, "%s/rlimits", pointer);
    }
    for (size_t i = 0; i < process->rlimits_count; i++) {
        const struct spec_rlimit *limit = &process->rlimits[i];
        if (limit->soft > limit->hard) {
            fail_config(why, "", "the soft limit %" PRIu64 " of %s is above its hard limit %" PRIu64, limit->soft,
                        limit->type, limit->hard);
            return failure_pointer(why, "%s/rlimits/%zu", pointer, i);
        }
        for (size_t j = 0; j < i; j++)
            if (strcmp(process->rlimits[j].type, limit->type) == 0) {
                fail_config(why, "", "%s is listed a second time", limit->type);
                return failure_pointer(why, "%s/rlimits/%zu", pointer, i);
            }
    }
    return 0;
}

struct scheduler_rule { bool broken; const char *member, *sentence; };

static int check_scheduler(const struct spec_scheduler *scheduler, const char *pointer, struct failure *why)
{
    const char *policy = scheduler->policy;
    bool realtime = text_equal(policy, "SCHED_FIFO") || text_equal(policy, "SCHED_RR");
    bool deadline = text_equal(policy, "SCHED_DEADLINE");
    bool times = scheduler->runtime != 0 || scheduler->deadline != 0 || scheduler->period != 0;
    bool clamp = false;
    for (size_t i = 0; i < scheduler->flags.count; i++)
        clamp |= text_starts(scheduler->flags.items[i], "SCHED_FLAG_UTIL_CLAMP");

    const struct scheduler_rule rules[] = {
        {text_equal(policy, "SCHED_ISO"), "policy", "Linux has no SCHED_ISO"},
        {scheduler->nice < -20 || scheduler->nice > 19, "nice", "a nice value is from -20 to 19"},
        {realtime && (scheduler->priority < 1 || scheduler->priority > 99), "priority",
         "SCHED_FIFO and SCHED_RR need a priority from 1 to 99"},
        {!realtime && scheduler->priority != 0, "priority", "a priority needs the policy SCHED_FIFO or SCHED_RR"},
        {!deadline && times, "policy", "runtime, deadline and period need the policy SCHED_DEADLINE"},
        {deadline && scheduler->runtime == 0, "runtime", "SCHED_DEADLINE needs a runtime"},
        {deadline && scheduler->deadline == 0, "deadline", "SCHED_DEADLINE needs a deadline"},
        {deadline && scheduler->runtime > scheduler->deadline, "runtime",
         "the runtime is longer than the deadline"},
        {deadline && scheduler->period != 0 && scheduler->deadline > scheduler->period, "deadline",
         "the deadline is longer than the period"},
        {clamp, "flags", "the specification has no member for the value of a SCHED_FLAG_UTIL_CLAMP flag"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++) {
        if (!rules[i].broken)
            continue;
        fail_config(why, "", "%s", rules[i].sentence);
        return failure_pointer(why, "%s/scheduler/%s", pointer, rules[i].member);
    }
    return 0;
}

int spec_check_process(const struct spec_process *process, const char *pointer, struct failure *why)
{
    /* TIOCSWINSZ takes 16 bits each; cutting a number short would give some other size. */
    if (process->terminal && process->console_size.set &&
        (process->console_size.height > UINT16_MAX || process->console_size.width > UINT16_MAX)) {
        fail_config(why, "", "a terminal has at most %d rows and columns", UINT16_MAX);
        return failure_pointer(why, "%s/consoleSize", pointer);
    }
    if (check_rlimits(process, pointer, why) < 0)
        return -1;
    return process->scheduler.set ? check_scheduler(&process->scheduler, pointer, why) : 0;
}

/* ---- namespaces ---- */

struct ns_rule {
    bool asked;
    enum ns_type needed;
    const char *pointer, *what;
};

/* Without the namespace the setting would change the host. */
static int check_namespaces(const struct spec *spec, struct failure *why)
{
    const struct spec_linux *section = &spec->linux;
    bool offsets = section->monotonic_offset.set || section->boottime_offset.set;
    const struct ns_rule rules[] = {
        {spec->hostname != NULL, NS_UTS, "/hostname", "a host name"},
        {spec->domainname != NULL, NS_UTS, "/domainname", "a domain name"},
        {spec->mounts_count > 0, NS_MOUNT, "/mounts", "a mount"},
        {section->masked_paths.count > 0, NS_MOUNT, "/linux/maskedPaths", "a masked path"},
        {section->readonly_paths.count > 0, NS_MOUNT, "/linux/readonlyPaths", "a read-only path"},
        {section->rootfs_propagation != NULL, NS_MOUNT, "/linux/rootfsPropagation", "a mount propagation"},
        {offsets, NS_TIME, "/linux/timeOffsets", "a clock offset"},
        {section->net_devices_count > 0, NS_NETWORK, "/linux/netDevices", "a network device"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++) {
        if (!rules[i].asked || section->namespaces[rules[i].needed].listed)
            continue;
        const char *type = ns_type_names[rules[i].needed];
        fail_config(why, rules[i].pointer, "%s needs a %s namespace, or it would change the host", rules[i].what,
                    type);
        return failure_hint(why, "add {\"type\": \"%s\"} to /linux/namespaces", type);
    }
    if (offsets && section->namespaces[NS_TIME].path != NULL)
        return fail_config(why, "/linux/timeOffsets",
                           "clock offsets cannot be given to a time namespace that exists already");
    return 0;
}

/* ---- mounts ---- */

static int check_mounts(const struct spec *spec, struct failure *why)
{
    for (size_t i = 0; i < spec->mounts_count; i++) {
        const struct spec_mount *mount = &spec->mounts[i];
        bool mapped = mount->uid_mappings.count > 0 && mount->gid_mappings.count > 0;
        if (mapped || spec->linux.namespaces[NS_USER].listed)
            continue;
        for (size_t j = 0; j < mount->options.count; j++) {
            const char *option = mount->options.items[j];
            if (!text_equal(option, "idmap") && !text_equal(option, "ridmap"))
                continue;
            fail_config(why, "",
                        "the option %s needs uidMappings and gidMappings, or a user namespace to take them from",
                        option);
            return failure_pointer(why, "/mounts/%zu/options/%zu", i, j);
        }
    }
    return 0;
}

/* ---- resources ---- */

static int refuse_v2(struct failure *why, const char *pointer, const char *member, const char *what)
{
    fail_config(why, "", "%s exists on cgroup v1 only; cgroup v2 has no file for it", what);
    failure_hint(why, "remove the member; this release works with cgroup v2 alone");
    return failure_pointer(why, "%s/%s", pointer, member);
}

/* The specification: what cannot be converted is an error.  A zero asks for nothing and is let through: engines
 * send zeros for everything that their user left alone. */
static int check_v1_only(const struct spec_resources *resources, const char *pointer, struct failure *why)
{
    if (resources->memory.swappiness.value != 0)
        return refuse_v2(why, pointer, "memory/swappiness", "swappiness");
    if (resources->memory.disable_oom_killer.value)
        return refuse_v2(why, pointer, "memory/disableOOMKiller", "switching off the OOM killer");
    if (resources->memory.use_hierarchy.set && !resources->memory.use_hierarchy.value)
        return refuse_v2(why, pointer, "memory/useHierarchy", "accounting without hierarchy");
    if (resources->cpu.realtime_runtime.value != 0)
        return refuse_v2(why, pointer, "cpu/realtimeRuntime", "a realtime budget");
    if (resources->cpu.realtime_period.value != 0)
        return refuse_v2(why, pointer, "cpu/realtimePeriod", "a realtime period");
    if (resources->block_io.leaf_weight.value != 0)
        return refuse_v2(why, pointer, "blockIO/leafWeight", "a leaf weight");
    for (size_t i = 0; i < resources->block_io.weight_devices_count; i++)
        if (resources->block_io.weight_devices[i].leaf_weight.value != 0)
            return refuse_v2(why, pointer, "blockIO/weightDevice", "a leaf weight");
    if (resources->network_class_id.value != 0)
        return refuse_v2(why, pointer, "network/classID", "a network class");
    for (size_t i = 0; i < resources->network_priorities_count; i++)
        if (resources->network_priorities[i].priority != 0)
            return refuse_v2(why, pointer, "network/priorities", "a network priority");
    /* Deprecated, and without effect even where v1 still has the files. */
    if (resources->memory.kernel.value != 0 || resources->memory.kernel_tcp.value != 0)
        log_debug("%s/memory: kernel and kernelTCP have no equivalent on cgroup v2 and are not applied", pointer);
    return 0;
}

static int check_not_below(struct failure *why, const char *pointer, const char *member,
                           const struct optional_i64 *number)
{
    if (!number->set || number->value >= -1)
        return 0;
    fail_config(why, "", "expected -1 (no limit) or a positive number, found %" PRId64, number->value);
    return failure_pointer(why, "%s/memory/%s", pointer, member);
}

/* `swap` is memory and swap together (the way of cgroup v1); zero means not given, as engines send it. */
static int check_memory(const struct spec_resources *resources, const char *pointer, struct failure *why)
{
    int64_t limit = resources->memory.limit.value, swap = resources->memory.swap.value;

    if (check_not_below(why, pointer, "limit", &resources->memory.limit) < 0 ||
        check_not_below(why, pointer, "reservation", &resources->memory.reservation) < 0 ||
        check_not_below(why, pointer, "swap", &resources->memory.swap) < 0)
        return -1;
    if (swap > 0 && limit == 0) {
        fail_config(why, "", "swap is the sum of memory and swap space, and needs a memory limit to subtract");
        failure_hint(why, "set /memory/limit as well");
        return failure_pointer(why, "%s/memory/swap", pointer);
    }
    if (swap > 0 && swap < limit) {
        fail_config(why, "",
                    "swap is the sum of memory and swap space: %" PRId64 " is less than the memory limit %" PRId64,
                    swap, limit);
        return failure_pointer(why, "%s/memory/swap", pointer);
    }
    return 0;
}

static int check_cpu(const struct spec_resources *resources, const char *pointer, struct failure *why)
{
    const struct optional_i64 *quota = &resources->cpu.quota, *idle = &resources->cpu.idle;
    if (quota->value > 0 && resources->cpu.burst.value > (uint64_t)quota->value) {
        fail_config(why, "", "burst %" PRIu64 " is larger than the quota %" PRId64, resources->cpu.burst.value,
                    quota->value);
        return failure_pointer(why, "%s/cpu/burst", pointer);
    }
    if (idle->set && idle->value != 0 && idle->value != 1) {
        fail_config(why, "", "expected 0 or 1, found %" PRId64, idle->value);
        return failure_pointer(why, "%s/cpu/idle", pointer);
    }
    return 0;
}

int spec_check_resources(const struct spec_resources *resources, const char *pointer, struct failure *why)
{
    if (check_v1_only(resources, pointer, why) < 0 || check_memory(resources, pointer, why) < 0)
        return -1;
    return check_cpu(resources, pointer, why);
}

/* ---- memory policy, personality ---- */

static int check_memory_policy(const struct spec_linux *section, struct failure *why)
{
    const char *mode = section->memory_policy.mode;
    bool none = text_equal(mode, "MPOL_DEFAULT") || text_equal(mode, "MPOL_LOCAL");
    bool some = !none && !text_equal(mode, "MPOL_PREFERRED");
    bool fixed = false, relative = false;

    if (none && section->memory_policy.nodes != NULL)
        return fail_config(why, "/linux/memoryPolicy/nodes", "%s takes no nodes", mode);
    if (some && section->memory_policy.nodes == NULL)
        return fail_config(why, "/linux/memoryPolicy/nodes", "%s needs at least one node", mode);
    for (size_t i = 0; i < section->memory_policy.flags.count; i++) {
        fixed |= text_equal(section->memory_policy.flags.items[i], "MPOL_F_STATIC_NODES");
        relative |= text_equal(section->memory_policy.flags.items[i], "MPOL_F_RELATIVE_NODES");
    }
    if (fixed && relative)
        return fail_config(why, "/linux/memoryPolicy/flags",
                           "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
    return 0;
}

static int check_linux(const struct spec_linux *section, struct failure *why)
{
    if (section->memory_policy.set && check_memory_policy(section, why) < 0)
        return -1;
    if (section->personality.flags.count > 0)
        return fail_config(why, "/linux/personality/flags",
                           "the specification defines no personality flag yet, found \"%s\"",
                           section->personality.flags.items[0]);
    return section->resources.set ? spec_check_resources(&section->resources, "/linux/resources", why) : 0;
}

/* Id mappings without a user namespace, or beside the path of one, are no error: Podman and CRI send both. */
int spec_check(const struct spec *spec, struct failure *why)
{
    if (check_supported(spec, why) < 0 || check_namespaces(spec, why) < 0 || check_mounts(spec, why) < 0)
        return -1;
    if (spec->process.set && spec_check_process(&spec->process, "/process", why) < 0)
        return -1;
    return check_linux(&spec->linux, why);
}
