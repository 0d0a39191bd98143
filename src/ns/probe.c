/*
 * ns/probe.c: which namespaces and id maps this host would refuse, as far as that shows without making any.
 *
 * Runs in: check.  Must not: make or join anything; ask the name service.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ns/flags.h"
#include "ns/ns.h"

#define FILE_LIMIT ((size_t)1 << 20)

/* Of /proc/self/ns and of /proc/sys/user/max_NAME_namespaces. */
static const char *const kernel_names[NS_TYPES] = {
    [NS_PID] = "pid", [NS_NETWORK] = "net", [NS_MOUNT] = "mnt",       [NS_IPC] = "ipc",
    [NS_UTS] = "uts", [NS_USER] = "user",   [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
};

static bool is_privileged(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    return syscall(SYS_capget, &header, data) == 0 &&
           (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

static bool reads_zero(const char *path)
{
    char line[32];
    return file_read_line_at(-1, path, line, sizeof(line)) > 0 && text_equal(line, "0");
}

static int probe_type(const struct ns_plan *plan, enum ns_type type, struct failure *why)
{
    char path[64];
    size_t index = plan->linux->namespaces[type].index;
    snprintf(path, sizeof(path), "/proc/self/ns/%s", kernel_names[type]);
    if (access(path, F_OK) < 0) {
        (void)fail(why, FAILURE_HOST, "this kernel has no %s namespaces", ns_type_names[type]); /* returned below */
        return failure_pointer(why, "/linux/namespaces/%zu/type", index);
    }
    snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", kernel_names[type]);
    if (reads_zero(path)) {
        (void)fail(why, FAILURE_HOST, "no %s namespace can be made here: %s is 0", ns_type_names[type], path); /* returned below */
        (void)failure_hint(why, "have the administrator raise it: sysctl user.max_%s_namespaces=N", kernel_names[type]); /* as above */
        return failure_pointer(why, "/linux/namespaces/%zu", index);
    }
    return 0;
}

static int probe_privilege(const struct ns_plan *plan, struct failure *why)
{
    static const char clone_file[] = "/proc/sys/kernel/unprivileged_userns_clone"; /* Debian's */
    if (is_privileged())
        return 0;
    if (!plan->new_user && !plan->joined_user && (plan->new_flags != 0 || plan->new_cgroup || plan->new_time_with_offsets)) {
        (void)fail(why, FAILURE_HOST, "this caller has no right to make namespaces: CAP_SYS_ADMIN is missing"); /* returned below */
        (void)failure_hint(why, "add a namespace of type \"user\" with mappings to /linux/namespaces"); /* as above */
        return failure_pointer(why, "/linux/namespaces");
    }
    if (plan->new_user && reads_zero(clone_file)) {
        (void)fail(why, FAILURE_HOST, "ordinary users can make no user namespace here: %s is 0", clone_file); /* returned below */
        (void)failure_hint(why, "have the administrator allow it: sysctl kernel.unprivileged_userns_clone=1"); /* as above */
        return failure_pointer(why, "/linux/namespaces/%zu", plan->linux->namespaces[NS_USER].index);
    }
    return 0;
}

/* ---- id ranges of an ordinary user ---- */

/* The login name of our uid in /etc/passwd, where a local account has one: a name service is not asked. */
static const char *own_name(struct arena *arena)
{
    char *text, *line, *rest;
    if (file_read_at(-1, "/etc/passwd", FILE_LIMIT, arena, &text) < 0)
        return NULL;
    for (rest = text; (line = strsep(&rest, "\n")) != NULL;) {
        uint64_t uid;
        const char *name = strsep(&line, ":");
        (void)strsep(&line, ":"); /* the password's field is of no interest */
        const char *number = strsep(&line, ":");
        if (number != NULL && text_to_u64(number, UINT32_MAX, &uid) == 0 && uid == geteuid())
            return name;
    }
    return NULL;
}

/* Where ranges come from a directory service, the files say nothing. */
static bool ranges_are_elsewhere(struct arena *arena)
{
    char *text;
    return file_read_at(-1, "/etc/nsswitch.conf", FILE_LIMIT, arena, &text) > 0 &&
           (text_starts(text, "subid:") || strstr(text, "\nsubid:") != NULL);
}

static bool line_covers(char *line, const char *name, const char *number, const struct id_mapping *map)
{
    uint64_t first, count;
    const char *owner = strsep(&line, ":"), *from = strsep(&line, ":"), *size = strsep(&line, ":");
    if (owner == NULL || from == NULL || size == NULL || text_to_u64(from, UINT32_MAX, &first) < 0 ||
        text_to_u64(size, UINT32_MAX, &count) < 0)
        return false;
    return (text_equal(owner, number) || text_equal(owner, name)) && map->host >= first &&
           (uint64_t)map->host + map->size <= first + count;
}

bool ns_range_is_own(const char *file, uint32_t own, const struct id_mapping *map)
{
    struct arena arena = {0};
    char number[16], *text, *line, *rest;
    bool covered = (map->size == 1 && map->host == own) || ranges_are_elsewhere(&arena);
    snprintf(number, sizeof(number), "%u", (unsigned)geteuid());
    const char *name = own_name(&arena);
    if (!covered && file_read_at(-1, file, FILE_LIMIT, &arena, &text) >= 0)
        for (rest = text; !covered && (line = strsep(&rest, "\n")) != NULL;)
            covered = line_covers(line, name, number, map);
    arena_done(&arena);
    return covered;
}

int ns_probe(const struct ns_plan *plan, struct findings *findings)
{
    for (enum ns_type type = 0; type < NS_TYPES; type++)
        if (ns_is_new(plan, type) && found(findings, probe_type(plan, type, findings->why)) < 0)
            return -1;
    if (found(findings, probe_privilege(plan, findings->why)) < 0)
        return -1;
    return ns_probe_id_maps(plan, findings);
}

/* ---- kernel parameters ---- */

static int probe_sysctl(const struct ns_sysctl *sysctl, struct failure *why)
{
    char path[512];
    int length = snprintf(path, sizeof(path), "/proc/%s", sysctl->path);
    /* These come and go with devices and modules of the container's own network namespace. */
    if (strstr(sysctl->path, "/conf/") != NULL || strstr(sysctl->path, "/neigh/") != NULL || (size_t)length >= sizeof(path) ||
        access(path, F_OK) == 0 || errno != ENOENT)
        return 0;
    return ns_explain_sysctl(sysctl, -ENOENT, why);
}

int ns_probe_sysctls(const struct ns_sysctl *sysctls, size_t count, struct findings *findings)
{
    for (size_t i = 0; i < count; i++)
        if (sysctls[i].path != NULL && found(findings, probe_sysctl(&sysctls[i], findings->why)) < 0)
            return -1;
    return 0;
}
