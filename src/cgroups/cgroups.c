/*
 * cgroups/cgroups.c: the front of the folder: the order of things for each of the three managers.
 *
 * Runs in host side processes.  Should: leave nothing behind on failure.  Must not: know formats (limits, path,
 * devices) or D-Bus.
 */
#include "cgroups/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/pid.h"
#include "base/text.h"
#include "base/timeline.h"
#include "cgroups/bpf.h"
#include "cgroups/fs.h"
#include "cgroups/mount.h"
#include "cgroups/plan.h"
#include "cgroups/probe.h"
#include "cgroups/systemd.h"
#include "cgroups/tree.h"

#define UNDO_MS 2000 /* processes that were just killed */

const char *const cgroup_manager_names[] = {"cgroupfs", "systemd", "disabled"};

/* ---- making ---- */

static int find_place(const struct cgroup_request *request, int root_fd, struct arena *arena,
                      struct path_place *ret_place, struct failure *why)
{
    struct path_question question = {
        .manager = request->manager,
        .privilege = mount_privilege(),
        .id = request->id,
        .cgroups_path = request->cgroups_path,
    };
    if (question.privilege == PATH_ROOTLESS && request->manager == CGROUP_MANAGER_FS &&
        (question.own = mount_own_path(arena)) != NULL)
        question.delegated = mount_delegated_path(root_fd, question.own, arena);
    return path_resolve(&question, arena, ret_place, why);
}

/* A joined cgroup may have a program of ours already. */
static int replace_devices(const struct cgroup *cgroup, const struct devices_program *program)
{
    struct devices_program unknown = {0};
    struct arena arena = {0};
    int done = program->count > 0 ? bpf_replace_devices(cgroup->fd, &unknown, program, &arena) : 0;
    arena_done(&arena);
    return done;
}

static int attach_devices(const struct cgroup *cgroup, const struct devices_program *program, int shared_fd, struct failure *why)
{
    int done = cgroup->created ? bpf_attach_devices(cgroup->fd, program, shared_fd) : replace_devices(cgroup, program);
    return probe_explain_devices(done, cgroup->name.path, why);
}

static int write_early(struct cgroup *cgroup, const struct limits *limits, struct arena *arena, struct failure *why)
{
    for (size_t i = 0; i < limits->count; i++) {
        if (limits->writes[i].flags & WRITE_LATE) {
            cgroup->late =
                arena_grow_one(arena, cgroup->late, cgroup->late_count, sizeof *cgroup->late);
            cgroup->late[cgroup->late_count++] = limits->writes[i];
        } else if (fs_write(cgroup->fd, cgroup->name.path, &limits->writes[i], why) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Everything between "the directory's path is known" and "a process may be put in". */
static int set_up(int root_fd, struct cgroup *cgroup, const struct limits *limits,
                  const struct devices_program *program, struct arena *arena, struct failure *why)
{
    struct controllers needed = controllers_of(limits, arena);
    TIMELINE_SLICE(SLICE_CGROUP, cgroup->name.path);
    if (fs_make(root_fd, cgroup->name.path, &needed, cgroup, why) < 0)
        return -1;
    if (cgroup->name.manager == CGROUP_MANAGER_SYSTEMD)
        cgroup->created = true; /* with its unit */
    cgroup->name.joined = !cgroup->created;
    if (probe_may_enter(cgroup, why) < 0 || probe_not_frozen(cgroup, why) < 0 ||
        probe_not_populated(cgroup, why) < 0 || write_early(cgroup, limits, arena, why) < 0) {
        cgroup_undo(cgroup);
        return -1;
    }
    cgroup->devices = arena_grow(arena, program, 1, 1, sizeof *program);
    return 0;
}

static bool is_not_ours_to_write(int errnum)
{
    return errnum == EROFS || ((errnum == EACCES || errnum == EPERM) && mount_privilege() == PATH_ROOTLESS);
}

static int create_fs(const struct cgroup_request *request, const struct cgroup_plan *plan, struct arena *arena,
                     struct cgroup *cgroup, struct failure *why)
{
    CLEANUP_FD int root_fd = mount_open_root(why);
    struct path_place place;
    if (root_fd < 0 || find_place(request, root_fd, arena, &place, why) < 0)
        return -1;
    if (!place.path)
        return plan_check_nowhere(plan, why);
    bool asked = plan_asks(plan);
    cgroup->name.path = place.path;
    struct failure refusal = {0};
    if (set_up(root_fd, cgroup, &plan->limits, &plan->program, arena, &refusal) == 0)
        return 0;
    if (asked || !is_not_ours_to_write(refusal.errnum)) {
        *why = refusal;
        return -1;
    }
    log_debug("the container stays in the cgroup of its creator: %s", refusal.text);
    cgroup->name.path = NULL;
    return 0;
}

/* The scope is made around a process, so only its name is decided here. */
static int create_systemd(const struct cgroup_request *request, struct arena *arena, struct cgroup *cgroup,
                          struct failure *why)
{
    struct path_place place;
    struct systemd_properties ignored = {0};
    if (find_place(request, -1, arena, &place, why) < 0 ||
        properties_of_annotations(request->annotations, arena, &ignored, why) < 0)
        return -1;
    cgroup->name.path = place.path;
    cgroup->name.unit = place.unit;
    return 0;
}

int cgroup_locate(const struct cgroup_request *request, struct arena *arena, struct cgroup_name *ret_name,
                  struct failure *why)
{
    struct cgroup_name name = {.manager = request->manager};
    struct path_place place;
    CLEANUP_FD int root_fd = -1;
    if (request->manager == CGROUP_MANAGER_FS && (root_fd = mount_open_root(why)) < 0)
        return -1;
    if (request->manager != CGROUP_MANAGER_DISABLED) {
        if (find_place(request, root_fd, arena, &place, why) < 0)
            return -1;
        name.path = place.path;
        name.unit = place.unit;
    }
    if (root_fd >= 0 && name.path != NULL)
        name.joined = faccessat(root_fd, name.path + 1, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    *ret_name = name;
    return 0;
}

int cgroup_create(const struct cgroup_request *request, struct arena *arena, struct cgroup *ret_cgroup,
                  struct failure *why)
{
    struct cgroup cgroup = {.name = {.manager = request->manager}, .fd = -1};
    struct cgroup_plan plan = {0};
    /* Every refusal that needs no kernel comes first, for the systemd manager too. */
    if (plan_of(request, arena, &plan, why) < 0)
        return -1;
    int done = 0;
    switch (request->manager) {
    case CGROUP_MANAGER_FS:
        done = create_fs(request, &plan, arena, &cgroup, why);
        break;
    case CGROUP_MANAGER_SYSTEMD:
        done = create_systemd(request, arena, &cgroup, why);
        break;
    case CGROUP_MANAGER_DISABLED:
        done = plan_check_disabled(&plan, why);
        break;
    }
    if (done < 0)
        return -1;
    *ret_cgroup = cgroup;
    return 0;
}

static int attach_systemd(const struct cgroup_request *request, struct arena *arena, struct cgroup *cgroup,
                          pid_t pid, struct failure *why)
{
    struct path_place place;
    struct cgroup_plan plan = {0};
    struct systemd_properties properties = {0};
    if (find_place(request, -1, arena, &place, why) < 0 || plan_of(request, arena, &plan, why) < 0)
        return -1;
    properties_of_limits(&plan.limits, arena, &properties);
    if (properties_of_annotations(request->annotations, arena, &properties, why) < 0)
        return -1;
    struct systemd_scope scope = {
        .unit = place.unit,
        .slice = place.slice,
        .description = arena_format(arena, "crun-lite container %s", request->id),
        .pid = pid,
        .properties = &properties,
    };
    char *control_group = NULL;
    if (systemd_start_scope(&scope, arena, &control_group, why) < 0)
        return -1;
    if (control_group)
        cgroup->name.path = control_group;
    CLEANUP_FD int root_fd = mount_open_root(why);
    if (root_fd >= 0 && set_up(root_fd, cgroup, &plan.limits, &plan.program, arena, why) == 0)
        return 0;
    struct failure second;
    if (systemd_stop_unit(place.unit, clock_now_ms() + UNDO_MS, &second) < 0)
        log_debug("%s", second.text); /* the first failure is the one to report */
    return -1;
}

int cgroup_attach(const struct cgroup_request *request, struct arena *arena, struct cgroup *cgroup, pid_t pid,
                  struct failure *why)
{
    if (cgroup->name.manager == CGROUP_MANAGER_SYSTEMD)
        return attach_systemd(request, arena, cgroup, pid, why);
    return cgroup->fd < 0 ? 0 : cgroup_enter(cgroup->fd, cgroup->name.path, pid, why);
}

int cgroup_enter(int cgroup_fd, const char *path, pid_t pid, struct failure *why)
{
    char line[32];
    (void)snprintf(line, sizeof line, "%d", (int)pid); /* always fits */
    int done = file_write_text_at(cgroup_fd, "cgroup.procs", line);
    if (done == 0)
        return 0;
    (void)fail_errno(why, done, "move process %d into cgroup '%s'", (int)pid, path);
    if (done == -EACCES)
        return failure_hint(
            why, "the process comes from a cgroup that is not delegated: start it from within the delegated one");
    if (done == -EBUSY)
        return failure_hint(
            why, "the cgroup has children with controllers enabled: a process must live in one of those");
    return -1;
}

int cgroup_guard_devices(struct cgroup *cgroup, int shared_fd, struct failure *why)
{
    const struct devices_program *program = cgroup->devices;
    cgroup->devices = NULL;
    TIMELINE_SLICE(SLICE_DEVICE_PROGRAM, NULL);
    return program == NULL ? 0 : attach_devices(cgroup, program, shared_fd, why);
}

int cgroup_write_late(struct cgroup *cgroup, struct failure *why)
{
    for (size_t i = 0; i < cgroup->late_count; i++)
        if (fs_write(cgroup->fd, cgroup->name.path, &cgroup->late[i], why) < 0)
            return -1;
    cgroup->late_count = 0;
    return 0;
}

/* ---- ownership ---- */

/* The files that the kernel lists, of those that this cgroup has. */
static int delegate_files(const struct cgroup *cgroup, uid_t host_uid, struct arena *arena, struct failure *why)
{
    /* CGO-08: what kernels before 4.15 had. */
    static const char before[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
    char *names;
    ssize_t length = file_read_at(AT_FDCWD, "/sys/kernel/cgroup/delegate", (size_t)64 * 1024, arena, &names);
    if (length < 0)
        names = arena_copy(arena, before);
    for (char *rest = names; *rest;) {
        size_t end = strcspn(rest, "\n");
        char *next = rest + end + (rest[end] == '\n');
        rest[end] = '\0';
        /* A listed file that this cgroup does not have is no failure (CGO-07). */
        if (*rest && !strchr(rest, '/') &&
            fchownat(cgroup->fd, rest, host_uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
            return fail_sys(why, "give '%s' of cgroup '%s' to uid %u", rest, cgroup->name.path, host_uid);
        rest = next;
    }
    return 0;
}

int cgroup_delegate(const struct cgroup *cgroup, uid_t host_uid, struct failure *why)
{
    if (cgroup->fd < 0)
        return 0;
    if (fchown(cgroup->fd, host_uid, (gid_t)-1) < 0) {
        int errnum = errno;
        if (errnum != EPERM || mount_privilege() == PATH_ROOT)
            return fail_errno(why, errnum, "give cgroup '%s' to uid %u", cgroup->name.path, host_uid);
        /* An ordinary user cannot give anything away: the container works, but for writing to its cgroup. */
        log_debug("cgroup '%s' stays its creator's: not permitted to give it to uid %u", cgroup->name.path, host_uid);
        return 0;
    }
    struct arena arena = {0};
    int result = delegate_files(cgroup, host_uid, &arena, why);
    arena_done(&arena);
    return result;
}

/* ---- undoing ---- */

void cgroup_close(struct cgroup *cgroup)
{
    fd_close(&cgroup->fd);
}

void cgroup_undo(struct cgroup *cgroup)
{
    struct failure ignored;
    int64_t deadline = clock_now_ms() + UNDO_MS;
    if (cgroup->fd >= 0 && cgroup->created) {
        int done = cgroup_kill(cgroup->fd);
        if (done == 0)
            done = tree_wait_event(cgroup->fd, "populated", false, deadline);
        if (done >= 0)
            done = tree_remove_children(cgroup->fd, deadline);
        (void)done; /* rmdir below fails then, and that is all that can be done here */
    }
    if (cgroup->made_levels > 0) {
        CLEANUP_FD int root_fd = mount_open_root(&ignored);
        if (root_fd >= 0)
            fs_unmake(root_fd, cgroup->name.path, cgroup->made_levels);
    } else if (cgroup->name.manager == CGROUP_MANAGER_SYSTEMD && cgroup->created &&
               systemd_stop_unit(cgroup->name.unit, deadline, &ignored) < 0) {
        log_debug("%s", ignored.text);
    }
    cgroup->made_levels = 0;
    cgroup->created = false;
    cgroup_close(cgroup);
}

/* ---- by name ---- */

int cgroup_open(const struct cgroup_name *name)
{
    struct failure ignored;
    if (!name->path)
        return -ENOENT;
    CLEANUP_FD int root_fd = mount_open_root(&ignored);
    return root_fd < 0 ? -ENOENT : mount_open_path(root_fd, name->path);
}

int cgroup_open_below(const struct cgroup_name *name, const char *below, struct failure *why)
{
    char shown[256];
    text_sanitize(shown, sizeof shown, below);
    CLEANUP_FD int top = cgroup_open(name);
    if (top < 0)
        return fail_errno(why, top, "open cgroup '%s'", name->path);
    int fd = mount_open_path(top, below);
    if (fd >= 0)
        return fd;
    (void)fail_errno(why, fd, "open cgroup '%s' below the container's '%s'", shown, name->path);
    if (fd == -EXDEV)
        return failure_hint(why, "the path may not leave the container's cgroup");
    return fd == -ENOENT ? failure_hint(why, "it must exist already, in the container's own cgroup") : -1;
}

int cgroup_open_of(const struct cgroup_name *name, pid_t pid)
{
    struct arena arena = {0};
    const char *path = mount_path_of(pid, &arena);
    size_t length = strlen(name->path);
    bool below = path && text_starts(path, name->path) && (path[length] == '/' || path[length] == '\0');
    int fd = -ESRCH;
    if (below) {
        CLEANUP_FD int top = cgroup_open(name);
        fd = top < 0 ? top : mount_open_path(top, path + length);
    }
    arena_done(&arena);
    return fd;
}

static int explain_still_there(int fd, const char *path, struct failure *why)
{
    char who[700];
    tree_describe_processes(fd, who, sizeof who);
    fail(why, FAILURE_HOST, "cgroup '%s' cannot be removed, it still has processes: %s", path, who);
    return failure_hint(
        why, "state D is a wait in the kernel that no signal ends, usually for a disk or a network file system");
}

static int remove_directory(const char *path, int64_t deadline_ms, struct failure *why)
{
    CLEANUP_FD int root_fd = mount_open_root(why);
    if (root_fd < 0)
        return -1;
    const char *below = path + strspn(path, "/");
    if (*below == '\0')
        return fail(why, FAILURE_BUG, "asked to remove the root cgroup");
    for (unsigned round = 0;; round++) {
        CLEANUP_FD int fd = mount_open_path(root_fd, path);
        /* The path was checked by that open: no "..", no symbolic link. */
        if (fd == -ENOENT || (fd >= 0 && unlinkat(root_fd, below, AT_REMOVEDIR) == 0) ||
            (fd >= 0 && errno == ENOENT))
            return 0;
        if (fd < 0)
            return fail_errno(why, fd, "open cgroup '%s'", path);
        if (errno != EBUSY && errno != ENOTEMPTY)
            return fail_sys(why, "remove cgroup '%s'", path);
        int done = tree_wait_event(fd, "populated", false, deadline_ms);
        if (done == -ENODEV || done == -ENOENT)
            continue; /* removed by another delete */
        if (done < 0)
            return fail_errno(why, done, "wait for cgroup '%s' to become empty", path);
        if (done == 0)
            return explain_still_there(fd, path, why);
        done = tree_remove_children(fd, deadline_ms);
        if (done < 0 && done != -EBUSY)
            return fail_errno(why, done, "remove the children of cgroup '%s'", path);
        /* Empty, without children, and still busy: only somebody who keeps moving in and out can do that. */
        if (round > 1000)
            return fail_errno(why, EBUSY, "remove cgroup '%s'", path);
    }
}

int cgroup_prepare(enum cgroup_manager manager, struct failure *why)
{
    return manager == CGROUP_MANAGER_SYSTEMD ? systemd_prepare(why) : 0;
}

/* It was not frozen when we came, or it would have been refused: a container that is deleted while it is paused must not leave it so,
 * for the next one would be refused. */
static int leave(const struct cgroup_name *name, struct failure *why)
{
    CLEANUP_FD int fd = cgroup_open(name);
    int done = fd >= 0 && cgroup_is_freezing(fd) ? file_write_text_at(fd, "cgroup.freeze", "0") : 0;
    return done < 0 && done != -ENODEV ? fail_errno(why, done, "thaw cgroup '%s'", name->path) : 0;
}

int cgroup_remove(const struct cgroup_name *name, int64_t deadline_ms, struct failure *why)
{
    if (!name->path)
        return 0;
    if (name->joined)
        return leave(name, why);
    struct failure refusal;
    /* A scope ends with its last process anyway: without systemd (a bus that is gone, a user's session that is
     * over) the directory can still be removed, and a container whose delete fails for that could never be got rid
     * of. */
    if (name->manager == CGROUP_MANAGER_SYSTEMD && name->unit &&
        systemd_stop_unit(name->unit, deadline_ms, &refusal) < 0)
        log_debug("%s", refusal.text);
    return remove_directory(name->path, deadline_ms, why);
}
