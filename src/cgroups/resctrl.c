/*
 * cgroups/resctrl.c: the container's group in resctrl, the kernel's door to shares of caches and memory bandwidth.
 *
 * Runs in host side processes.  Should: work by a descriptor of the mount, say what the kernel says in
 * info/last_cmd_status.  Must not: touch resctrl for a container that asks for nothing there, or remove what others made.
 *
 * The file system's own rules that the order of things follows: making a group and writing its schemata are two steps, so
 * they happen under flock(2) of the mount, as resctrl's documentation asks; a task enters a group before it enters that
 * group's monitoring group; every child of a task is born in its groups; rmdir works on a group with tasks and takes
 * its monitoring groups with it.
 */
#include "cgroups/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h> /* flock */
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/pid.h"
#include "base/text.h"
#include "cgroups/resctrl_mount.h"
#include "cgroups/schema.h"

#define SCHEMATA_MAX ((size_t)256 * 1024)
#define TASKS_MAX ((size_t)1024 * 1024)
#define POINTER "/linux/intelRdt"
/* A holder of the lock writes a few lines; this is for a hundred of them in a row. */
#define LOCK_SECONDS 5

/* ---- the mount ---- */

int resctrl_open(struct failure *why)
{
    int fd = resctrl_find();
    if (fd >= 0)
        return fd;
    if (fd != -ENODEV) {
        fail_errno(why, fd, "open the resctrl file system at '%s'", RESCTRL_PLACE);
    } else if (access(RESCTRL_PLACE, F_OK) == 0) {
        fail(why, FAILURE_HOST, "no resctrl file system is mounted");
        failure_hint(why, "mount it: mount -t resctrl resctrl %s", RESCTRL_PLACE);
    } else {
        /* The kernel makes the directory when it finds the features at boot. */
        fail(why, FAILURE_HOST, "this host has no resctrl: the CPU or the kernel has no support for it");
        failure_hint(why, "it needs a CPU with Intel RDT or AMD QoS (cat_l3, mba or cqm in /proc/cpuinfo), a kernel with "
                          "CONFIG_X86_CPU_RESCTRL, and mount -t resctrl resctrl %s", RESCTRL_PLACE);
    }
    return failure_pointer(why, POINTER);
}

/* With a deadline: every user of the host may open the mount's directory, and whoever has it open may lock it for ever. */
static int lock(int root_fd, struct failure *why)
{
    int r = fd_lock_until(root_fd, clock_now_ms() + LOCK_SECONDS * INT64_C(1000));
    if (r == 0)
        return 0;
    fail_errno(why, r, "lock the resctrl file system");
    return r != -ETIMEDOUT ? -1
                           : failure_hint(why, "somebody holds the lock of resctrl for longer than %d s: lslocks shows who",
                                          LOCK_SECONDS);
}

static void unlock(int root_fd)
{
    (void)flock(root_fd, LOCK_UN); /* ours; cannot fail */
}

/* ---- names ---- */

/* Group and file below the mount: two names of a directory entry, "mon_groups" and a file's name. */
struct place { char path[2 * (NAME_MAX + 1) + 64]; };

/* A name that leads out, or into the middle of something, may come from a damaged record.  0 or -EINVAL. */
static int check_name(const char *name)
{
    bool good = name[0] != '\0' && strchr(name, '/') == NULL && !text_equal(name, ".") && !text_equal(name, "..") &&
                strlen(name) <= NAME_MAX;
    return good ? 0 : -EINVAL;
}

static bool is_root_group(const char *group)
{
    return text_equal(group, "/");
}

/* "GROUP/" or, for the root group, "". */
static int begin_place(const char *group, struct place *place)
{
    place->path[0] = '\0';
    if (is_root_group(group))
        return 0;
    int r = check_name(group);
    if (r == 0)
        (void)snprintf(place->path, sizeof(place->path), "%s/", group); /* fits: checked above */
    return r;
}

static int place_in_group(const char *group, const char *file, struct place *ret_place)
{
    int r = begin_place(group, ret_place);
    size_t length = strlen(ret_place->path);
    (void)snprintf(ret_place->path + length, sizeof(ret_place->path) - length, "%s", file); /* one of our constants */
    return r;
}

/* `file`: "" or "/tasks". */
static int place_of_monitor(const struct resctrl_name *name, const char *file, struct place *ret_place)
{
    int r = begin_place(name->group, ret_place);
    if (r == 0)
        r = check_name(name->monitor);
    size_t length = strlen(ret_place->path);
    if (r == 0) /* fits: both names are checked */
        (void)snprintf(ret_place->path + length, sizeof(ret_place->path) - length, "mon_groups/%s%s", name->monitor, file);
    return r;
}

/* ---- failures ---- */

/* The kernel's own sentence about the call that just failed, for want of a better hint. */
static int hint_of_kernel(int root_fd, struct failure *why)
{
    char raw[200], clean[200];
    if (file_read_line_at(root_fd, "info/last_cmd_status", raw, sizeof(raw)) <= 0 || text_equal(raw, "ok"))
        return -1;
    text_sanitize(clean, sizeof(clean), raw);
    return failure_hint(why, "info/last_cmd_status of resctrl says: %s", clean);
}

static int explain(int root_fd, int errnum, struct failure *why)
{
    if (errnum == EACCES || errnum == EPERM || errnum == EROFS)
        return failure_hint(why, "resctrl belongs to root of the host: only root can use it");
    if (errnum == ENOSPC)
        return failure_hint(why, "the CPU has only so many classes of service and monitoring ids: remove groups that are not in "
                                 "use, or share one by closID");
    return hint_of_kernel(root_fd, why);
}

/* ---- what is there already ---- */

static bool has_schema(const struct spec_intel_rdt *wanted)
{
    return wanted->l3_cache_schema != NULL || wanted->mem_bw_schema != NULL || wanted->schemata.count > 0;
}

/* The kernel rounds bandwidth up to steps; 0 where it has none. */
static uint64_t read_step(int root_fd, const char *resource)
{
    char path[SCHEMA_RESOURCE_SIZE + 32], line[32];
    uint64_t step = 0;
    (void)snprintf(path, sizeof(path), "info/%s/bandwidth_gran", resource); /* always fits */
    if (file_read_line_at(root_fd, path, line, sizeof(line)) < 0 || text_to_u64(line, UINT32_MAX, &step) < 0)
        return 0;
    return step;
}

/* A group that others may use keeps its shares: the specification wants an error when ours are different ones. */
static int compare(int root_fd, const char *group, const char *schemata, const char *member, const char *wanted,
                   struct failure *why)
{
    char resource[SCHEMA_RESOURCE_SIZE] = "";
    size_t length = 0;
    if (wanted == NULL)
        return 0;
    /* A line without a resource is malformed whatever it is compared with. */
    const char *line = schema_resource(wanted, resource) < 0 ? NULL : schema_find(schemata, resource, &length);
    switch (schema_compare(wanted, line == NULL ? "" : line, length, line == NULL ? 0 : read_step(root_fd, resource))) {
    case SCHEMA_SAME:
        return 0;
    case SCHEMA_MALFORMED:
        fail_config(why, "", "expected RESOURCE:ID=VALUE;ID=VALUE…, found '%s'", wanted);
        break;
    case SCHEMA_DIFFERENT:
        if (line == NULL)
            fail_config(why, "", "resctrl group '%s' exists and has no %s, '%s' is asked for", group, resource, wanted);
        else
            fail_config(why, "", "resctrl group '%s' exists with '%.*s', '%s' is asked for", group, (int)length, line, wanted);
        failure_hint(why, "choose another closID, or leave the member out to take the group as it is");
        break;
    }
    return failure_pointer(why, POINTER "/%s", member);
}

static int compare_all(int root_fd, const char *group, const struct spec_intel_rdt *wanted, struct failure *why)
{
    struct arena arena = {0};
    struct place place;
    char *schemata;
    if (wanted->l3_cache_schema == NULL && wanted->mem_bw_schema == NULL)
        return 0;
    int r = place_in_group(group, "schemata", &place);
    ssize_t length = r < 0 ? r : file_read_at(root_fd, place.path, SCHEMATA_MAX, &arena, &schemata);
    if (length < 0)
        r = fail_errno(why, (int)length, "read the schemata of resctrl group '%s'", group);
    else if (compare(root_fd, group, schemata, "l3CacheSchema", wanted->l3_cache_schema, why) < 0 ||
             compare(root_fd, group, schemata, "memBwSchema", wanted->mem_bw_schema, why) < 0)
        r = -1;
    arena_done(&arena);
    return r;
}

/* info, mon_data and mon_groups are directories of resctrl and no groups. */
static int check_group(int root_fd, const char *group, const struct spec_intel_rdt *wanted, struct failure *why)
{
    struct stat st;
    struct place place;
    int r = place_in_group(group, "tasks", &place);
    if (r == 0 && (fstatat(root_fd, place.path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))) {
        fail_config(why, POINTER "/closID", "'%s' of resctrl is not a group", group);
        return failure_hint(why, "choose another closID");
    }
    return r < 0 ? fail_errno(why, r, "open resctrl group '%s'", group) : compare_all(root_fd, group, wanted, why);
}

static int check_monitoring(int root_fd, struct failure *why)
{
    if (faccessat(root_fd, "mon_groups", F_OK, 0) == 0)
        return 0;
    fail(why, FAILURE_HOST, "resctrl of this host has no monitoring");
    failure_hint(why, "the CPU needs cqm_occup_llc, cqm_mbm_total or cqm_mbm_local: leave enableMonitoring out");
    return failure_pointer(why, POINTER "/enableMonitoring");
}

int resctrl_locate(int root_fd, const char *id, const struct spec_intel_rdt *wanted, struct arena *arena,
                   struct resctrl_name *ret_name, struct failure *why)
{
    struct resctrl_name name = {
        .group = arena_copy(arena, wanted->clos_id != NULL ? wanted->clos_id : id),
        .monitor = wanted->enable_monitoring ? arena_copy(arena, id) : NULL,
        .shared = wanted->clos_id != NULL,
    };
    bool exists = is_root_group(name.group) || faccessat(root_fd, name.group, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    if (!exists && name.shared && !has_schema(wanted)) {
        fail_config(why, POINTER "/closID", "there is no resctrl group '%s', and no schema to make it with", name.group);
        return failure_hint(why, "make it with mkdir below the resctrl mount, or give l3CacheSchema, memBwSchema or schemata");
    }
    if (exists && check_group(root_fd, name.group, wanted, why) < 0)
        return -1;
    name.made = !exists;
    if (name.monitor != NULL && check_monitoring(root_fd, why) < 0)
        return -1;
    *ret_name = name;
    return 0;
}

/* ---- making ---- */

static int make_group(int root_fd, const struct spec_intel_rdt *wanted, struct resctrl_name *name, struct failure *why)
{
    int r = check_name(name->group);
    if (r == 0 && mkdirat(root_fd, name->group, 0755) == 0) {
        name->made = true;
        return 0;
    }
    int errnum = r < 0 ? -r : errno;
    if (errnum == EEXIST) /* another container that shares it was faster */
        return check_group(root_fd, name->group, wanted, why);
    fail_errno(why, errnum, "make resctrl group '%s'", name->group);
    return explain(root_fd, errnum, why);
}

static int write_schema(int root_fd, const char *group, const char *schema, const char *member, struct failure *why)
{
    struct place place;
    struct text line = {0};
    if (schema == NULL)
        return 0;
    text_format(&line, "%s\n", schema); /* the kernel refuses a line without its end */
    int r = place_in_group(group, "schemata", &place);
    if (r == 0)
        r = file_write_text_at(root_fd, place.path, line.data);
    text_done(&line);
    if (r == 0)
        return 0;
    fail_errno(why, r, "write '%s' to the schemata of resctrl group '%s'", schema, group);
    if (r == -EINVAL || r == -ENODEV)
        why->kind = FAILURE_CONFIG; /* understood and refused */
    explain(root_fd, -r, why);
    return failure_pointer(why, POINTER "/%s", member);
}

static int write_schemata(int root_fd, const char *group, const struct spec_intel_rdt *wanted, struct failure *why)
{
    if (write_schema(root_fd, group, wanted->l3_cache_schema, "l3CacheSchema", why) < 0 ||
        write_schema(root_fd, group, wanted->mem_bw_schema, "memBwSchema", why) < 0)
        return -1;
    for (size_t i = 0; i < wanted->schemata.count; i++)
        if (write_schema(root_fd, group, wanted->schemata.items[i], "schemata", why) < 0)
            return failure_pointer(why, POINTER "/schemata/%zu", i);
    return 0;
}

static int make_monitor(int root_fd, char *monitor, struct resctrl_name *name, struct failure *why)
{
    struct resctrl_name with = {.group = name->group, .monitor = monitor};
    struct place place;
    int r = place_of_monitor(&with, "", &place);
    if (r == 0 && mkdirat(root_fd, place.path, 0755) == 0) {
        name->monitor = monitor;
        return 0;
    }
    int errnum = r < 0 ? -r : errno;
    fail_errno(why, errnum, "make the monitoring group '%s' of resctrl", place.path);
    if (errnum == EEXIST) { /* somebody else's: its numbers would be of both */
        why->kind = FAILURE_STATE;
        failure_hint(why, "remove it with rmdir, or choose another container id");
    } else {
        explain(root_fd, errnum, why);
    }
    return failure_pointer(why, POINTER "/enableMonitoring");
}

int resctrl_make(int root_fd, const struct spec_intel_rdt *wanted, struct resctrl_name *name, struct failure *why)
{
    const struct resctrl_name planned = *name;
    /* Until they are: on failure the name says what is to be removed. */
    name->made = false;
    name->monitor = NULL;
    if (lock(root_fd, why) < 0)
        return -1;
    int r = planned.made ? make_group(root_fd, wanted, name, why) : 0;
    if (r == 0)
        r = write_schemata(root_fd, name->group, wanted, why);
    if (r == 0 && planned.monitor != NULL)
        r = make_monitor(root_fd, planned.monitor, name, why);
    unlock(root_fd);
    return r;
}

/* The line that has the shares of the same resource now; NULL: none, and the kernel will refuse a new one. */
static char *old_schema(const char *schemata, const char *wanted, struct arena *arena)
{
    char resource[SCHEMA_RESOURCE_SIZE];
    size_t length;
    if (wanted == NULL || schema_resource(wanted, resource) < 0)
        return NULL;
    const char *line = schema_find(schemata, resource, &length);
    return line == NULL ? NULL : arena_copy_n(arena, line, length);
}

static int update_schemata(int root_fd, const char *group, const struct spec_intel_rdt *wanted, struct arena *arena,
                           struct spec_intel_rdt *ret_old, struct failure *why)
{
    struct place place;
    char *schemata;
    int r = place_in_group(group, "schemata", &place);
    ssize_t length = r < 0 ? r : file_read_at(root_fd, place.path, SCHEMATA_MAX, arena, &schemata);
    if (length < 0)
        return fail_errno(why, (int)length, "read the schemata of resctrl group '%s'", group);
    struct spec_intel_rdt old = {
        .set = true,
        .l3_cache_schema = old_schema(schemata, wanted->l3_cache_schema, arena),
        .mem_bw_schema = old_schema(schemata, wanted->mem_bw_schema, arena),
    };
    *ret_old = old;
    if (write_schemata(root_fd, group, wanted, why) == 0)
        return 0;
    struct failure second;
    IGNORE_RESULT(write_schemata(root_fd, group, &old, &second)); /* the first failure is the one to report */
    return -1;
}

int resctrl_update(int root_fd, const struct resctrl_name *name, const struct spec_intel_rdt *wanted, struct arena *arena,
                   struct spec_intel_rdt *ret_old, struct failure *why)
{
    if (is_root_group(name->group)) {
        fail(why, FAILURE_STATE, "the container is in the root group of resctrl, whose shares are those of the whole host");
        return failure_hint(why, "write them to %s/schemata, or make the container without closID '/': then it has a group of its own",
                            RESCTRL_PLACE);
    }
    if (lock(root_fd, why) < 0)
        return -1;
    int r = update_schemata(root_fd, name->group, wanted, arena, ret_old, why);
    unlock(root_fd);
    return r;
}

int resctrl_enter(int root_fd, const struct resctrl_name *name, pid_t pid, struct failure *why)
{
    char line[16];
    struct place place;
    (void)snprintf(line, sizeof(line), "%d\n", (int)pid); /* always fits */
    int r = place_in_group(name->group, "tasks", &place);
    if (r == 0)
        r = file_write_text_at(root_fd, place.path, line);
    /* Last: a monitoring group takes only tasks that are in the group around it. */
    if (r == 0 && name->monitor != NULL)
        r = place_of_monitor(name, "/tasks", &place);
    if (r == 0 && name->monitor != NULL)
        r = file_write_text_at(root_fd, place.path, line);
    if (r == 0)
        return 0;
    fail_errno(why, r, "write process %d to '%s' of resctrl", (int)pid, place.path);
    explain(root_fd, -r, why);
    return failure_pointer(why, POINTER);
}

/* ---- removing ---- */

static int remove_directory(int root_fd, const char *path, struct failure *why)
{
    if (unlinkat(root_fd, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    int errnum = errno;
    fail_errno(why, errnum, "remove '%s' from resctrl", path);
    return explain(root_fd, errnum, why);
}

/* Is it there, and more than a zombie, which resctrl lists too?  What cannot be told counts as there. */
static bool is_task_alive(const char *line)
{
    uint64_t pid, ignored;
    char state;
    if (text_to_u64(line, INT32_MAX, &pid) < 0)
        return true;
    int r = pid_look((pid_t)pid, &ignored, &state);
    return r != -ESRCH && (r < 0 || (state != 'Z' && state != 'X'));
}

static bool has_tasks(int root_fd, const char *group)
{
    struct arena arena = {0};
    struct place place;
    char *tasks = NULL;
    ssize_t length = place_in_group(group, "tasks", &place);
    if (length == 0)
        length = file_read_at(root_fd, place.path, TASKS_MAX, &arena, &tasks);
    bool found = length < 0 && length != -ENOENT;
    for (char *line = tasks, *next; !found && line != NULL && *line != '\0'; line = next) {
        next = line + strcspn(line, "\n");
        if (*next == '\n')
            *next++ = '\0';
        found = is_task_alive(line);
    }
    arena_done(&arena);
    return found;
}

/* rmdir would throw the tasks of others out of it.  Without the lock one may be about to enter: then the group stays, as a named
 * one does elsewhere, and nobody's delete --force waits for whoever holds the lock. */
static int remove_shared(int root_fd, const char *group, struct failure *why)
{
    struct failure unlocked;
    if (lock(root_fd, &unlocked) < 0) {
        log_warning("resctrl group '%s' stays: %s; %s", group, unlocked.text, unlocked.hint);
        return 0;
    }
    int r = has_tasks(root_fd, group) ? 0 : remove_directory(root_fd, group, why);
    unlock(root_fd);
    return r;
}

int resctrl_remove(int root_fd, const struct resctrl_name *name, enum resctrl_end end, struct failure *why)
{
    struct place place;
    if (name->group == NULL)
        return 0;
    int r = name->monitor != NULL ? place_of_monitor(name, "", &place) : 0;
    if (r == 0 && name->made)
        r = check_name(name->group);
    if (r < 0)
        return fail_errno(why, r, "remove resctrl group '%s'", name->group);
    if (name->monitor != NULL && remove_directory(root_fd, place.path, why) < 0)
        return -1;
    if (!name->made)
        return 0;
    if (!name->shared)
        return remove_directory(root_fd, name->group, why);
    return end == RESCTRL_UNDO ? remove_shared(root_fd, name->group, why) : 0;
}
