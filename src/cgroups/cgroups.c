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
#include "cgroups/bpf.h"
#include "cgroups/fs.h"
#include "cgroups/mount.h"
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

static int attach_devices(const struct cgroup *cgroup, const struct devices_program *program, struct failure *why)
{
    /* A joined cgroup may have a program of ours already. */
    int done = cgroup->created      ? bpf_attach_devices(cgroup->fd, program)
               : program->count > 0 ? bpf_replace_devices(cgroup->fd, program)
                                    : 0;
    if (done == 0)
        return 0;
    if (done == -EPERM && mount_privilege() == PATH_ROOTLESS) {
        /* The kernel takes programs from a privileged creator only.  Nothing is lost: an unprivileged one's
         * container cannot make device nodes (mknod needs CAP_MKNOD in the initial user namespace), and sees those
         * its mounts show it. */
        log_debug("no device program: not permitted to an unprivileged creator");
        return 0;
    }
    (void)fail_errno(why, done, "attach the device program to cgroup '%s'", cgroup->name.path);
    if (done == -EINVAL || done == -ENOSYS)
        (void)failure_hint(why, "the kernel needs CONFIG_CGROUP_BPF and CONFIG_BPF_SYSCALL");
    else if (done == -EPERM)
        (void)failure_hint(why, "the creator needs CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN), and a seccomp "
                                "filter that permits bpf(2)");
    return failure_pointer(why, "/linux/resources/devices");
}

static int write_early(struct cgroup *cgroup, const struct limits *limits, struct arena *arena, struct failure *why)
{
    for (size_t i = 0; i < limits->count; i++) {
        if (limits->writes[i].flags & WRITE_LATE) {
            cgroup->late =
                arena_grow(arena, cgroup->late, cgroup->late_count, cgroup->late_count + 1, sizeof *cgroup->late);
            cgroup->late[cgroup->late_count++] = limits->writes[i];
        } else if (fs_write(cgroup->fd, cgroup->name.path, &limits->writes[i], why) < 0) {
            return -1;
        }
    }
    return 0;
}

/* A container made in a frozen cgroup would hang before its first instruction (CGF-01). */
static int check_not_frozen(const struct cgroup *cgroup, struct failure *why)
{
    if (!cgroup_is_frozen(cgroup->fd))
        return 0;
    fail(why, FAILURE_STATE, "cgroup '%s' is frozen", cgroup->name.path);
    (void)failure_hint(why, "write 0 to cgroup.freeze of the cgroup (or of the one above it that was frozen), or "
                            "choose another cgroupsPath");
    return failure_pointer(why, "/linux/cgroupsPath");
}

/* Opening an existing directory says nothing about the right to put a process there. */
static int check_may_enter(const struct cgroup *cgroup, struct failure *why)
{
    if (!cgroup->name.joined || faccessat(cgroup->fd, "cgroup.procs", W_OK, AT_EACCESS) == 0)
        return 0;
    (void)fail_sys(why, "enter cgroup '%s', which exists already", cgroup->name.path);
    (void)failure_hint(why,
                       "it belongs to somebody else: choose another cgroupsPath, or have systemd delegate one");
    return failure_pointer(why, "/linux/cgroupsPath");
}

/* Whoever is in there would be limited, counted and in the end killed together with the container (CGF-01). */
static int check_not_populated(const struct cgroup *cgroup, struct failure *why)
{
    if (!cgroup->name.joined || !tree_is_populated(cgroup->fd))
        return 0;
    fail(why, FAILURE_STATE, "cgroup '%s' already has processes", cgroup->name.path);
    (void)failure_hint(why, "choose another cgroupsPath, or end them first");
    return failure_pointer(why, "/linux/cgroupsPath");
}

/* Everything between "the directory's path is known" and "a process may be put in". */
static int set_up(int root_fd, struct cgroup *cgroup, const struct limits *limits,
                  const struct devices_program *program, struct arena *arena, struct failure *why)
{
    struct controllers needed = controllers_of(limits, arena);
    if (fs_make(root_fd, cgroup->name.path, &needed, cgroup, why) < 0)
        return -1;
    if (cgroup->name.manager == CGROUP_MANAGER_SYSTEMD)
        cgroup->created = true; /* with its unit */
    cgroup->name.joined = !cgroup->created;
    if (check_may_enter(cgroup, why) < 0 || check_not_frozen(cgroup, why) < 0 ||
        check_not_populated(cgroup, why) < 0 || write_early(cgroup, limits, arena, why) < 0) {
        cgroup_undo(cgroup);
        return -1;
    }
    cgroup->devices = arena_grow(arena, program, 1, 1, sizeof *program);
    return 0;
}

/* Whether a container without a cgroup of its own would miss something it was promised. */
static bool asks_for_cgroup(const struct limits *limits, const struct devices_program *program)
{
    for (size_t i = 0; i < limits->count; i++)
        if (!(limits->writes[i].flags & (WRITE_IS_DEFAULT | WRITE_MAY_BE_MISSING)))
            return true;
    return program->count > 0 && mount_privilege() == PATH_ROOT;
}

static bool is_not_ours_to_write(int errnum)
{
    return errnum == EROFS || ((errnum == EACCES || errnum == EPERM) && mount_privilege() == PATH_ROOTLESS);
}

static int create_fs(const struct cgroup_request *request, const struct limits *limits,
                     const struct devices_program *program, struct arena *arena, struct cgroup *cgroup,
                     struct failure *why)
{
    CLEANUP_FD int root_fd = mount_open_root(why);
    struct path_place place;
    if (root_fd < 0 || find_place(request, root_fd, arena, &place, why) < 0)
        return -1;
    bool asked = asks_for_cgroup(limits, program);
    if (!place.path && asked) {
        fail(why, FAILURE_HOST, "limits are asked for, and no cgroup is delegated to this user");
        return failure_hint(why, "have systemd delegate one: systemd-run --user --scope -p Delegate=yes COMMAND");
    }
    if (!place.path)
        return 0;
    cgroup->name.path = place.path;
    struct failure refusal = {0};
    if (set_up(root_fd, cgroup, limits, program, arena, &refusal) == 0)
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

static int plan_all(const struct spec_resources *resources, struct arena *arena, struct limits *ret_limits,
                    struct devices_program *ret_program, struct failure *why)
{
    bool given = resources && resources->set;
    if (limits_plan(resources, arena, ret_limits, why) < 0)
        return -1;
    return devices_plan(given ? resources->devices : NULL, given ? resources->devices_count : 0, arena, ret_program,
                        why);
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
    struct limits limits;
    struct devices_program program;
    /* Every refusal that needs no kernel comes first, for the systemd manager too. */
    if (plan_all(request->resources, arena, &limits, &program, why) < 0)
        return -1;
    int done = 0;
    switch (request->manager) {
    case CGROUP_MANAGER_FS:
        done = create_fs(request, &limits, &program, arena, &cgroup, why);
        break;
    case CGROUP_MANAGER_SYSTEMD:
        done = create_systemd(request, arena, &cgroup, why);
        break;
    case CGROUP_MANAGER_DISABLED:
        if (asks_for_cgroup(&limits, &(struct devices_program){0})) {
            fail(why, FAILURE_HOST, "limits are asked for, and cgroups are disabled");
            (void)failure_hint(why, "leave --cgroup-manager disabled out, or leave the limits out");
            done = failure_pointer(why, "/linux/resources");
        }
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
    struct limits limits;
    struct devices_program program;
    struct systemd_properties properties = {0};
    if (find_place(request, -1, arena, &place, why) < 0 ||
        plan_all(request->resources, arena, &limits, &program, why) < 0)
        return -1;
    properties_of_limits(&limits, arena, &properties);
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
    if (root_fd >= 0 && set_up(root_fd, cgroup, &limits, &program, arena, why) == 0)
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
    if (cgroup->fd < 0)
        return 0;
    char line[32];
    (void)snprintf(line, sizeof line, "%d", (int)pid); /* always fits */
    int done = file_write_text_at(cgroup->fd, "cgroup.procs", line);
    if (done == 0)
        return 0;
    (void)fail_errno(why, done, "move process %d into cgroup '%s'", (int)pid, cgroup->name.path);
    if (done == -EACCES)
        return failure_hint(
            why, "the process comes from a cgroup that is not delegated: start it from within the delegated one");
    if (done == -EBUSY)
        return failure_hint(
            why, "the cgroup has children with controllers enabled: a process must live in one of those");
    return -1;
}

int cgroup_guard_devices(struct cgroup *cgroup, struct failure *why)
{
    const struct devices_program *program = cgroup->devices;
    cgroup->devices = NULL;
    return program == NULL ? 0 : attach_devices(cgroup, program, why);
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

int cgroup_remove(const struct cgroup_name *name, int64_t deadline_ms, struct failure *why)
{
    if (!name->path || name->joined)
        return 0;
    struct failure refusal;
    /* A scope ends with its last process anyway: without systemd (a bus that is gone, a user's session that is
     * over) the directory can still be removed, and a container whose delete fails for that could never be got rid
     * of. */
    if (name->manager == CGROUP_MANAGER_SYSTEMD && name->unit &&
        systemd_stop_unit(name->unit, deadline_ms, &refusal) < 0)
        log_debug("%s", refusal.text);
    return remove_directory(name->path, deadline_ms, why);
}
