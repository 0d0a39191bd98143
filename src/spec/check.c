/*
 * spec/check.c: what no single member shows: contradictions, missing companions, what cgroup v2 has no file
 * for, and what this release does not carry out.
 *
 * A configured thing is applied or refused, never skipped: a runtime that skips makes isolation weaker than its
 * caller believes.  Pure; runs in: creator, exec, update, before anything exists.
 */
#include "spec/read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

/* ---- what this release refuses ---- */

static int check_supported(const struct spec *spec, struct findings *findings)
{
    struct { bool asked; const char *pointer, *what; } refused[] = {
        /* Ignoring it would run the program on the host's kernel where a machine of its own was asked for. */
        {spec->vm.set, "/vm", "running a container in a virtual machine"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        if (refused[i].asked && found(findings, fail_config(findings->why, refused[i].pointer, "%s is not supported by this release",
                                                            refused[i].what)) < 0)
            return -1;
    return 0;
}

/* ---- process ---- */

#define RLIMITS_MAX 64 /* above what the kernel has, so that it is the limits folder that explains a new name */

static int check_rlimit(const struct spec_process *process, size_t index, const char *pointer, struct failure *why)
{
    const struct spec_rlimit *limit = &process->rlimits[index];
    if (limit->soft > limit->hard) {
        (void)fail_config(why, "", "the soft limit %" PRIu64 " of %s is above its hard limit %" PRIu64, limit->soft,
                          limit->type, limit->hard); /* returned below */
        return failure_pointer(why, "%s/rlimits/%zu", pointer, index);
    }
    for (size_t i = 0; i < index; i++)
        if (strcmp(process->rlimits[i].type, limit->type) == 0) {
            (void)fail_config(why, "", "%s is listed a second time", limit->type); /* returned below */
            return failure_pointer(why, "%s/rlimits/%zu", pointer, index);
        }
    return 0;
}

static int check_rlimits(const struct spec_process *process, const char *pointer, struct findings *findings)
{
    /* Also bounds the search for repetitions. */
    if (process->rlimits_count > RLIMITS_MAX) {
        (void)fail_config(findings->why, "", "Linux has 16 resource limits, found %zu entries", process->rlimits_count); /* below */
        return found(findings, failure_pointer(findings->why, "%s/rlimits", pointer));
    }
    for (size_t i = 0; i < process->rlimits_count; i++)
        if (found(findings, check_rlimit(process, i, pointer, findings->why)) < 0)
            return -1;
    return 0;
}

struct scheduler_rule { bool broken; const char *member, *sentence, *found; };

/* What stands in the document, for messages. */
struct number_text { char text[24]; };

static struct number_text signed_text(int64_t number)
{
    struct number_text result;
    snprintf(result.text, sizeof(result.text), "%" PRId64, number);
    return result;
}

static struct number_text unsigned_text(uint64_t number)
{
    struct number_text result;
    snprintf(result.text, sizeof(result.text), "%" PRIu64, number);
    return result;
}

static int check_scheduler_flags(const struct spec_scheduler *scheduler, const char *pointer, struct findings *findings)
{
    for (size_t i = 0; i < scheduler->flags.count; i++) {
        if (!text_starts(scheduler->flags.items[i], "SCHED_FLAG_UTIL_CLAMP"))
            continue;
        (void)fail_config(findings->why, "", "the specification has no member for the value of %s",
                          scheduler->flags.items[i]); /* handed on below */
        if (found(findings, failure_pointer(findings->why, "%s/scheduler/flags/%zu", pointer, i)) < 0)
            return -1;
    }
    return 0;
}

static int check_scheduler(const struct spec_scheduler *scheduler, const char *pointer, struct findings *findings)
{
    const char *policy = scheduler->policy;
    bool realtime = text_equal(policy, "SCHED_FIFO") || text_equal(policy, "SCHED_RR");
    bool deadline = text_equal(policy, "SCHED_DEADLINE");
    bool times = scheduler->runtime != 0 || scheduler->deadline != 0 || scheduler->period != 0;
    struct number_text nice = signed_text(scheduler->nice), priority = signed_text(scheduler->priority);
    struct number_text runtime_ns = unsigned_text(scheduler->runtime), deadline_ns = unsigned_text(scheduler->deadline);

    const struct scheduler_rule rules[] = {
        {text_equal(policy, "SCHED_ISO"), "policy", "Linux has no such policy", policy},
        {scheduler->nice < -20 || scheduler->nice > 19, "nice", "expected a nice value from -20 to 19", nice.text},
        {realtime && (scheduler->priority < 1 || scheduler->priority > 99), "priority",
         "SCHED_FIFO and SCHED_RR need a priority from 1 to 99", priority.text},
        {!realtime && scheduler->priority != 0, "priority", "a priority needs the policy SCHED_FIFO or SCHED_RR",
         priority.text},
        {!deadline && times, "policy", "runtime, deadline and period need the policy SCHED_DEADLINE", policy},
        {deadline && scheduler->runtime == 0, "runtime", "SCHED_DEADLINE needs a runtime", runtime_ns.text},
        {deadline && scheduler->deadline == 0, "deadline", "SCHED_DEADLINE needs a deadline", deadline_ns.text},
        {deadline && scheduler->deadline != 0 && scheduler->runtime > scheduler->deadline, "runtime",
         "the runtime can be no longer than the deadline", runtime_ns.text},
        {deadline && scheduler->period != 0 && scheduler->deadline > scheduler->period, "deadline",
         "the deadline can be no longer than the period", deadline_ns.text},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++) {
        if (!rules[i].broken)
            continue;
        (void)fail_config(findings->why, "", "%s, found %s", rules[i].sentence, rules[i].found); /* handed on below */
        if (found(findings, failure_pointer(findings->why, "%s/scheduler/%s", pointer, rules[i].member)) < 0)
            return -1;
    }
    return check_scheduler_flags(scheduler, pointer, findings);
}

static int check_console_size(const struct spec_process *process, const char *pointer, struct failure *why)
{
    /* TIOCSWINSZ takes 16 bits each; cutting a number short would give some other size. */
    if (!process->terminal || !process->console_size.set ||
        (process->console_size.height <= UINT16_MAX && process->console_size.width <= UINT16_MAX))
        return 0;
    (void)fail_config(why, "", "a terminal has at most %d rows and columns", UINT16_MAX); /* returned below */
    return failure_pointer(why, "%s/consoleSize", pointer);
}

#define GROUPS_MAX 65536 /* NGROUPS_MAX of Linux, whatever the libc says */

static int check_groups(const struct spec_process *process, const char *pointer, struct failure *why)
{
    if (process->user.additional_gids_count <= GROUPS_MAX)
        return 0;
    (void)fail_config(why, "", "a process has at most %d supplementary groups, found %zu", GROUPS_MAX,
                      process->user.additional_gids_count); /* returned below */
    return failure_pointer(why, "%s/user/additionalGids", pointer);
}

static int check_process(const struct spec_process *process, const char *pointer, struct findings *findings)
{
    if (found(findings, check_console_size(process, pointer, findings->why)) < 0 ||
        found(findings, check_groups(process, pointer, findings->why)) < 0 ||
        check_rlimits(process, pointer, findings) < 0)
        return -1;
    return process->scheduler.set ? check_scheduler(&process->scheduler, pointer, findings) : 0;
}

int spec_check_process(const struct spec_process *process, const char *pointer, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return check_process(process, pointer, &first);
}

/* ---- names ---- */

#define NAME_LIMIT 64 /* __NEW_UTS_LEN */

static int check_name(const char *name, const char *pointer, const char *what, struct failure *why)
{
    if (name == NULL || strlen(name) <= NAME_LIMIT)
        return 0;
    return fail_config(why, pointer, "a %s has at most %d bytes, found %zu", what, NAME_LIMIT, strlen(name));
}

static int check_names(const struct spec *spec, struct findings *findings)
{
    if (found(findings, check_name(spec->hostname, "/hostname", "host name", findings->why)) < 0)
        return -1;
    return found(findings, check_name(spec->domainname, "/domainname", "domain name", findings->why));
}

/* ---- namespaces ---- */

struct ns_rule {
    bool asked;
    enum ns_type needed;
    const char *pointer, *what;
    const char *found; /* NULL: nothing to show */
};

static int check_ns_rule(const struct spec *spec, const struct ns_rule *rule, struct failure *why)
{
    if (!rule->asked || spec->linux.namespaces[rule->needed].listed)
        return 0;
    const char *type = ns_type_names[rule->needed];
    char shown[80] = "";
    if (rule->found != NULL)
        text_sanitize(shown, sizeof(shown), rule->found);
    (void)fail_config(why, rule->pointer, "%s%s%s%s needs a %s namespace, or it would change the host", rule->what,
                      rule->found ? " \"" : "", shown, rule->found ? "\"" : "", type); /* below */
    return failure_hint(why, "add {\"type\": \"%s\"} to /linux/namespaces", type);
}

/* Without the namespace the setting would change the host. */
static int check_namespaces(const struct spec *spec, struct findings *findings)
{
    const struct spec_linux *section = &spec->linux;
    bool offsets = section->monotonic_offset.set || section->boottime_offset.set;
    const struct ns_rule rules[] = {
        {spec->hostname != NULL, NS_UTS, "/hostname", "the host name", spec->hostname},
        {spec->domainname != NULL, NS_UTS, "/domainname", "the domain name", spec->domainname},
        {spec->mounts_count > 0, NS_MOUNT, "/mounts", "a mount", NULL},
        {section->masked_paths.count > 0, NS_MOUNT, "/linux/maskedPaths", "a masked path", NULL},
        {section->readonly_paths.count > 0, NS_MOUNT, "/linux/readonlyPaths", "a read-only path", NULL},
        {section->rootfs_propagation != NULL, NS_MOUNT, "/linux/rootfsPropagation", "the mount propagation",
         section->rootfs_propagation},
        {offsets, NS_TIME, "/linux/timeOffsets", "a clock offset", NULL},
        {section->net_devices_count > 0, NS_NETWORK, "/linux/netDevices", "a network device", NULL},
    };
    if (findings_doubt(findings, "/linux/namespaces"))
        return 0;
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (found(findings, check_ns_rule(spec, &rules[i], findings->why)) < 0)
            return -1;
    if (offsets && section->namespaces[NS_TIME].path != NULL)
        return found(findings, fail_config(findings->why, "/linux/timeOffsets",
                                           "clock offsets cannot be given to a time namespace that exists already"));
    return 0;
}

/* ---- network devices ---- */

/* Each costs a dozen questions to the kernel; also bounds the search for repetitions below. */
#define NET_DEVICES_MAX 1024

static const char *name_inside(const struct spec_net_device *device)
{
    return device->name != NULL ? device->name : device->host_name;
}

static int check_net_devices(const struct spec_linux *section, struct failure *why)
{
    if (section->net_devices_count > NET_DEVICES_MAX)
        return fail_config(why, "/linux/netDevices", "expected at most %d devices, found %zu", NET_DEVICES_MAX, section->net_devices_count);
    for (size_t i = 0; i < section->net_devices_count; i++) {
        const struct spec_net_device *device = &section->net_devices[i];
        for (size_t j = 0; j < i; j++) {
            if (strchr(name_inside(device), '%') != NULL || !text_equal(name_inside(device), name_inside(&section->net_devices[j])))
                continue;
            char token[POINTER_TOKEN_SIZE];
            text_pointer_token(token, device->host_name, strlen(device->host_name));
            fail_config(why, "", "two devices cannot both be '%s' in the container", name_inside(device));
            return failure_pointer(why, "/linux/netDevices/%s%s", token, device->name != NULL ? "/name" : "");
        }
    }
    return 0;
}

/* ---- mounts ---- */

static int check_mount(const struct spec_mount *mount, size_t index, struct findings *findings)
{
    for (size_t i = 0; i < mount->options.count; i++) {
        const char *option = mount->options.items[i];
        if (!text_equal(option, "idmap") && !text_equal(option, "ridmap"))
            continue;
        (void)fail_config(findings->why, "",
                          "the option %s needs uidMappings and gidMappings, or a user namespace to take them from",
                          option); /* handed on below */
        if (found(findings, failure_pointer(findings->why, "/mounts/%zu/options/%zu", index, i)) < 0)
            return -1;
    }
    return 0;
}

static int check_mounts(const struct spec *spec, struct findings *findings)
{
    if (spec->linux.namespaces[NS_USER].listed || findings_doubt(findings, "/linux/namespaces"))
        return 0;
    for (size_t i = 0; i < spec->mounts_count; i++) {
        const struct spec_mount *mount = &spec->mounts[i];
        bool mapped = mount->uid_mappings.count > 0 && mount->gid_mappings.count > 0;
        if (!mapped && check_mount(mount, i, findings) < 0)
            return -1;
    }
    return 0;
}

/* ---- resources ---- */

struct v1_rule { bool asked; const char *member, *what, *found; };

static int refuse_v1(const struct v1_rule *rule, const char *pointer, struct failure *why)
{
    if (!rule->asked)
        return 0;
    (void)fail_config(why, "", "%s exists on cgroup v1 only: cgroup v2 has no file for it, found %s", rule->what,
                      rule->found); /* returned below */
    (void)failure_hint(why, "remove the member; this release works with cgroup v2 alone"); /* returned below */
    return failure_pointer(why, "%s/%s", pointer, rule->member);
}

static int refuse_v1_element(uint64_t value, const char *list, size_t index, const char *member, const char *what,
                             const char *pointer, struct failure *why)
{
    char place[80];
    struct number_text text = unsigned_text(value);
    snprintf(place, sizeof(place), "%s/%zu/%s", list, index, member);
    return refuse_v1(&(struct v1_rule){value != 0, place, what, text.text}, pointer, why);
}

static int check_v1_elements(const struct spec_resources *resources, const char *pointer, struct findings *findings)
{
    for (size_t i = 0; i < resources->block_io.weight_devices_count; i++)
        if (found(findings, refuse_v1_element(resources->block_io.weight_devices[i].leaf_weight.value, "blockIO/weightDevice",
                                              i, "leafWeight", "a leaf weight", pointer, findings->why)) < 0)
            return -1;
    for (size_t i = 0; i < resources->network_priorities_count; i++)
        if (found(findings, refuse_v1_element(resources->network_priorities[i].priority, "network/priorities", i,
                                              "priority", "a network priority", pointer, findings->why)) < 0)
            return -1;
    return 0;
}

/* The specification: what cannot be converted is an error.  A zero asks for nothing and is let through: engines
 * send zeros for everything that their user left alone. */
static int check_v1_only(const struct spec_resources *resources, const char *pointer, struct findings *findings)
{
    struct number_text swappiness = unsigned_text(resources->memory.swappiness.value);
    struct number_text runtime = signed_text(resources->cpu.realtime_runtime.value);
    struct number_text period = unsigned_text(resources->cpu.realtime_period.value);
    struct number_text leaf_weight = unsigned_text(resources->block_io.leaf_weight.value);
    struct number_text class_id = unsigned_text(resources->network_class_id.value);
    const struct v1_rule rules[] = {
        {resources->memory.swappiness.value != 0, "memory/swappiness", "swappiness", swappiness.text},
        {resources->memory.disable_oom_killer.value, "memory/disableOOMKiller", "switching off the OOM killer", "true"},
        {resources->memory.use_hierarchy.set && !resources->memory.use_hierarchy.value, "memory/useHierarchy",
         "accounting without hierarchy", "false"},
        {resources->cpu.realtime_runtime.value != 0, "cpu/realtimeRuntime", "a realtime budget", runtime.text},
        {resources->cpu.realtime_period.value != 0, "cpu/realtimePeriod", "a realtime period", period.text},
        {resources->block_io.leaf_weight.value != 0, "blockIO/leafWeight", "a leaf weight", leaf_weight.text},
        {resources->network_class_id.value != 0, "network/classID", "a network class", class_id.text},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (found(findings, refuse_v1(&rules[i], pointer, findings->why)) < 0)
            return -1;
    /* Deprecated, and without effect even where v1 still has the files. */
    if (resources->memory.kernel.value != 0 || resources->memory.kernel_tcp.value != 0)
        log_debug("%s/memory: kernel and kernelTCP have no equivalent on cgroup v2 and are not applied", pointer);
    return check_v1_elements(resources, pointer, findings);
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
static int check_swap(const struct spec_resources *resources, const char *pointer, struct failure *why)
{
    int64_t limit = resources->memory.limit.value, swap = resources->memory.swap.value;
    if (swap > 0 && limit == 0) {
        (void)fail_config(why, "", "swap is the sum of memory and swap space, and needs a memory limit to subtract, found %" PRId64
                          " without one", swap); /* below */
        (void)failure_hint(why, "set %s/memory/limit as well", pointer); /* below */
        return failure_pointer(why, "%s/memory/swap", pointer);
    }
    if (swap > 0 && swap < limit) {
        (void)fail_config(why, "",
                          "swap is the sum of memory and swap space: %" PRId64 " is less than the memory limit %" PRId64,
                          swap, limit); /* below */
        return failure_pointer(why, "%s/memory/swap", pointer);
    }
    return 0;
}

static int check_memory(const struct spec_resources *resources, const char *pointer, struct findings *findings)
{
    struct failure *why = findings->why;
    if (found(findings, check_not_below(why, pointer, "limit", &resources->memory.limit)) < 0 ||
        found(findings, check_not_below(why, pointer, "reservation", &resources->memory.reservation)) < 0 ||
        found(findings, check_not_below(why, pointer, "swap", &resources->memory.swap)) < 0)
        return -1;
    return found(findings, check_swap(resources, pointer, why));
}

static int check_burst(const struct spec_resources *resources, const char *pointer, struct failure *why)
{
    const struct optional_i64 *quota = &resources->cpu.quota;
    if (quota->value <= 0 || resources->cpu.burst.value <= (uint64_t)quota->value)
        return 0;
    (void)fail_config(why, "", "burst %" PRIu64 " is larger than the quota %" PRId64, resources->cpu.burst.value,
                      quota->value); /* returned below */
    return failure_pointer(why, "%s/cpu/burst", pointer);
}

static int check_idle(const struct spec_resources *resources, const char *pointer, struct failure *why)
{
    const struct optional_i64 *idle = &resources->cpu.idle;
    if (!idle->set || idle->value == 0 || idle->value == 1)
        return 0;
    (void)fail_config(why, "", "expected 0 or 1, found %" PRId64, idle->value); /* returned below */
    return failure_pointer(why, "%s/cpu/idle", pointer);
}

static int check_resources(const struct spec_resources *resources, const char *pointer, struct findings *findings)
{
    if (check_v1_only(resources, pointer, findings) < 0 || check_memory(resources, pointer, findings) < 0 ||
        found(findings, check_burst(resources, pointer, findings->why)) < 0)
        return -1;
    return found(findings, check_idle(resources, pointer, findings->why));
}

int spec_check_resources(const struct spec_resources *resources, const char *pointer, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return check_resources(resources, pointer, &first);
}

/* ---- memory policy, personality ---- */

static int check_memory_policy(const struct spec_linux *section, struct failure *why)
{
    const char *mode = section->memory_policy.mode;
    bool none = text_equal(mode, "MPOL_DEFAULT") || text_equal(mode, "MPOL_LOCAL");
    bool some = !none && !text_equal(mode, "MPOL_PREFERRED");
    bool fixed = false, relative = false;

    if (none && section->memory_policy.nodes != NULL)
        return fail_config(why, "/linux/memoryPolicy/nodes", "%s takes no nodes, found \"%.64s\"", mode,
                           section->memory_policy.nodes);
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

static int check_personality(const struct spec_linux *section, struct failure *why)
{
    if (section->personality.flags.count == 0)
        return 0;
    return fail_config(why, "/linux/personality/flags/0", "the specification defines no personality flag yet, found \"%s\"",
                       section->personality.flags.items[0]);
}

static int check_linux(const struct spec_linux *section, struct findings *findings)
{
    if (found(findings, check_net_devices(section, findings->why)) < 0)
        return -1;
    if (section->memory_policy.set && found(findings, check_memory_policy(section, findings->why)) < 0)
        return -1;
    if (found(findings, check_personality(section, findings->why)) < 0)
        return -1;
    return section->resources.set ? check_resources(&section->resources, "/linux/resources", findings) : 0;
}

/* Id mappings without a user namespace, or beside the path of one, are no error: Podman and CRI send both. */
int spec_check_all(const struct spec *spec, struct findings *findings)
{
    if (check_supported(spec, findings) < 0 || check_names(spec, findings) < 0 || check_namespaces(spec, findings) < 0 ||
        check_mounts(spec, findings) < 0)
        return -1;
    if (spec->process.set && check_process(&spec->process, "/process", findings) < 0)
        return -1;
    return check_linux(&spec->linux, findings);
}

int spec_check(const struct spec *spec, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return spec_check_all(spec, &first);
}
