/*
 * cgroups/update.c: new limits for a live container.
 *
 * Runs in the update command.  Should: change everything or nothing.  Must not: know where the old limits are kept.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cgroups/bpf.h"
#include "cgroups/fs.h"
#include "cgroups/mount.h"
#include "cgroups/systemd.h"

/* ---- what to write ---- */

static bool same_number(const struct optional_i64 *one, const struct optional_i64 *other)
{
    return (one->set ? one->value : -1) == (other->set ? other->value : -1); /* both say "every number" */
}

static bool same_rules(const struct spec_resources *one, const struct spec_resources *other)
{
    if (one->devices_count != other->devices_count)
        return false;
    for (size_t i = 0; i < one->devices_count; i++) {
        const struct spec_device_rule *a = &one->devices[i], *b = &other->devices[i];
        if (a->allow != b->allow || a->type != b->type || a->read != b->read || a->write != b->write ||
            a->mknod != b->mknod || !same_number(&a->major, &b->major) || !same_number(&a->minor, &b->minor))
            return false;
    }
    return true;
}

/* No rule at all lets every device pass, and in an update is "left alone": this says it in words. */
static struct spec_device_rule every_device[] = {{.allow = true, .type = 'a', .read = true, .write = true, .mknod = true}};

/* Also what nobody asks for now: the interrupted update may have changed it. */
static struct spec_resources everything(const struct spec_resources *after)
{
    struct spec_resources asked = *after;
    if (after->devices_count == 0) {
        asked.devices = every_device;
        asked.devices_count = ARRAY_LENGTH(every_device);
    }
    return asked;
}

struct spec_resources cgroup_update_plan(const struct spec_resources *held, const struct spec_resources *given,
                                         const struct spec_resources *after)
{
    struct spec_resources asked = held == NULL ? everything(after) : *given;
    bool limit = given->memory.limit.set && given->memory.limit.value != 0;
    /* memory.swap is the sum: the file wants the difference. */
    if (!limit && given->memory.swap.set && given->memory.swap.value > 0)
        asked.memory.limit = after->memory.limit;
    /* A limit that was only taken along is in force already, and may be used up. */
    asked.memory.check_before_update = (struct optional_bool){0};
    if (limit)
        asked.memory.check_before_update = after->memory.check_before_update;
    /* One file holds both. */
    if ((given->cpu.quota.set && given->cpu.quota.value != 0) || (given->cpu.period.set && given->cpu.period.value != 0)) {
        asked.cpu.quota = after->cpu.quota;
        asked.cpu.period = after->cpu.period;
    }
    /* An idle cgroup has no weight, and one that is no longer idle starts with the default. */
    if (given->cpu.shares.set || given->cpu.idle.set) {
        asked.cpu.idle = after->cpu.idle;
        asked.cpu.shares = after->cpu.shares;
    }
    if (held != NULL && same_rules(held, given)) {
        asked.devices = NULL;
        asked.devices_count = 0;
    }
    return asked;
}

/* ---- writing ---- */

struct update {
    const struct cgroup_name *name;
    const struct cgroup_keeping *keeping;
    int fd;
    struct limits limits, old;
};

static struct device_rules rules_of(const struct spec_resources *resources)
{
    return (struct device_rules){resources->devices, resources->devices_count};
}

int cgroup_devices_replace(int cgroup_fd, struct device_rules before, struct device_rules rules, struct arena *arena,
                           struct failure *why)
{
    struct devices_program program, old;
    if (devices_plan(rules.items, rules.count, arena, &program, why) < 0 ||
        devices_plan(before.items, before.count, arena, &old, why) < 0)
        return -1;
    int done = bpf_replace_devices(cgroup_fd, &old, &program, arena);
    if (done == 0 || (done == -EPERM && mount_privilege() == PATH_ROOTLESS))
        return 0;
    (void)fail_errno(why, done, "replace the device program of the cgroup");
    return failure_pointer(why, "/linux/resources/devices");
}

static int tell_systemd(const struct update *update, const struct limits *limits, struct arena *arena,
                        struct failure *why)
{
    struct systemd_properties properties = {0};
    if (update->name->manager != CGROUP_MANAGER_SYSTEMD)
        return 0;
    properties_of_limits(limits, arena, &properties);
    return properties.count > 0 ? systemd_set_properties(update->name->unit, &properties, why) : 0;
}

static void take_back(const struct update *update, struct arena *arena)
{
    struct failure second;
    if (tell_systemd(update, &update->old, arena, &second) < 0)
        log_debug("%s", second.text); /* the first failure is the one to report */
    fs_put_back(update->fd, &update->old);
}

static int write_all(const struct update *update, struct failure *why)
{
    for (size_t i = 0; i < update->limits.count; i++)
        if (fs_write(update->fd, update->name->path, &update->limits.writes[i], why) < 0)
            return -1;
    return 0;
}

static int keep(const struct cgroup_keeping *keeping, struct failure *why)
{
    return keeping != NULL ? keeping->keep(keeping->argument, why) : 0;
}

static int replace_devices(const struct update *update, const struct spec_resources *resources, struct arena *arena,
                           struct failure *why)
{
    if (resources->devices_count == 0)
        return 0;
    struct device_rules none = {0}, before = update->keeping != NULL ? rules_of(update->keeping->held) : none;
    return cgroup_devices_replace(update->fd, before, rules_of(resources), arena, why);
}

/* The record still says the old rules: left open by new ones, a device would be so unseen. */
static void put_devices_back(const struct update *update, const struct spec_resources *resources, struct arena *arena)
{
    struct failure second;
    const struct spec_resources *held = update->keeping->held;
    if (resources->devices_count > 0 && cgroup_devices_replace(update->fd, rules_of(resources), rules_of(held), arena, &second) < 0)
        log_warning("the old device rules are not in force again: %s", second.text); /* the first failure is the one to report */
}

/* systemd first: it rounds, and writes the files too.  Behind it they get the exact values; its properties keep a
 * daemon-reload from taking those back.  The device program behind them: it is replaced in one step, and only what cannot be kept
 * needs its undoing. */
static int carry_out(struct update *update, const struct spec_resources *resources, struct arena *arena,
                     struct failure *why)
{
    if (fs_check_usage(update->fd, &update->limits, why) < 0)
        return -1;
    fs_save(update->fd, &update->limits, arena, &update->old);
    if (tell_systemd(update, &update->limits, arena, why) < 0)
        return -1; /* it takes all properties or none */
    if (write_all(update, why) == 0 && replace_devices(update, resources, arena, why) == 0) {
        if (keep(update->keeping, why) == 0)
            return 0;
        put_devices_back(update, resources, arena);
    }
    take_back(update, arena);
    return -1;
}

/* The cgroup exists, so this only enables what the new limits need in the cgroups above. */
static int enable_controllers(int root_fd, const struct update *update, struct arena *arena, struct failure *why)
{
    struct cgroup there = {.fd = -1};
    struct controllers needed = controllers_of(&update->limits, arena);
    if (fs_make(root_fd, update->name->path, &needed, &there, why) < 0)
        return -1;
    fd_close(&there.fd);
    return 0;
}

int cgroup_update(const struct cgroup_name *name, const struct spec_resources *resources, const struct cgroup_keeping *keeping,
                  struct arena *arena, struct failure *why)
{
    struct update update = {.name = name, .keeping = keeping};
    if (limits_plan(resources, arena, &update.limits, why) < 0)
        return -1;
    /* Shares of caches have no need of a cgroup. */
    if (update.limits.count == 0 && resources->devices_count == 0)
        return keep(keeping, why);
    if (name->path == NULL) {
        fail(why, FAILURE_STATE, "the container has no cgroup of its own to limit");
        return failure_hint(why, "it was made with --cgroup-manager disabled, or without a delegated cgroup");
    }
    CLEANUP_FD int root_fd = mount_open_root(why);
    if (root_fd < 0)
        return -1;
    CLEANUP_FD int fd = mount_open_path(root_fd, name->path);
    if (fd < 0)
        return fail_errno(why, fd, "open cgroup '%s'", name->path);
    update.fd = fd;
    if (enable_controllers(root_fd, &update, arena, why) < 0)
        return -1;
    return carry_out(&update, resources, arena, why);
}
