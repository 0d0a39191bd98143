/*
 * cgroups/probe.c: what this host would not do with a cgroup, as far as that shows without making one.
 *
 * Runs in: check; the single questions in the creator too.  Must not: make, write or attach anything.
 */
#include "cgroups/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cgroups/bpf.h"
#include "cgroups/controllers.h"
#include "cgroups/fs.h"
#include "cgroups/mount.h"
#include "cgroups/plan.h"
#include "cgroups/tree.h"

/* A container made in a frozen cgroup would hang before its first instruction (CGF-01). */
int probe_not_frozen(const struct cgroup *cgroup, struct failure *why)
{
    if (!cgroup_is_frozen(cgroup->fd))
        return 0;
    fail(why, FAILURE_STATE, "cgroup '%s' is frozen", cgroup->name.path);
    (void)failure_hint(why, "write 0 to cgroup.freeze of the cgroup (or of the one above it that was frozen), or "
                            "choose another cgroupsPath");
    return failure_pointer(why, "/linux/cgroupsPath");
}

/* Opening an existing directory says nothing about the right to put a process there. */
int probe_may_enter(const struct cgroup *cgroup, struct failure *why)
{
    if (!cgroup->name.joined || faccessat(cgroup->fd, "cgroup.procs", W_OK, AT_EACCESS) == 0)
        return 0;
    (void)fail_sys(why, "enter cgroup '%s', which exists already", cgroup->name.path);
    (void)failure_hint(why,
                       "it belongs to somebody else: choose another cgroupsPath, or have systemd delegate one");
    return failure_pointer(why, "/linux/cgroupsPath");
}

/* Whoever is in there would be limited, counted and in the end killed together with the container (CGF-01). */
int probe_not_populated(const struct cgroup *cgroup, struct failure *why)
{
    if (!cgroup->name.joined || !cgroup_is_populated(cgroup->fd))
        return 0;
    fail(why, FAILURE_STATE, "cgroup '%s' already has processes", cgroup->name.path);
    (void)failure_hint(why, "choose another cgroupsPath, or end them first");
    return failure_pointer(why, "/linux/cgroupsPath");
}

int probe_explain_devices(int done, const char *path, struct failure *why)
{
    if (done == 0)
        return 0;
    if (done == -EPERM && mount_privilege() == PATH_ROOTLESS) {
        /* The kernel takes programs from a privileged creator only.  Nothing is lost: an unprivileged one's
         * container cannot make device nodes (mknod needs CAP_MKNOD in the initial user namespace), and sees those
         * its mounts show it. */
        log_debug("no device program: not permitted to an unprivileged creator");
        return 0;
    }
    (void)fail_errno(why, done, "attach the device program to cgroup '%s'", path);
    if (done == -EINVAL || done == -ENOSYS)
        (void)failure_hint(why, "the kernel needs CONFIG_CGROUP_BPF and CONFIG_BPF_SYSCALL");
    else if (done == -EPERM)
        (void)failure_hint(why, "the creator needs CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN), and a seccomp "
                                "filter that permits bpf(2)");
    return failure_pointer(why, "/linux/resources/devices");
}

static size_t count_levels(const char *path)
{
    size_t levels = 0;
    for (; *path; path++)
        levels += path[0] == '/' && path[1] != '\0';
    return levels;
}

/* The next level is to be made in `fd`, and `missing` levels in all. */
static int probe_making(int fd, const char *next, size_t missing, struct failure *why)
{
    char depth[32];
    uint64_t limit;
    if (faccessat(fd, ".", W_OK, AT_EACCESS) < 0)
        return fs_explain_directory("make", next, why);
    if (file_read_line_at(fd, "cgroup.max.depth", depth, sizeof depth) > 0 && text_to_u64(depth, UINT64_MAX, &limit) == 0 &&
        limit < missing) {
        errno = EAGAIN;
        return fs_explain_directory("make", next, why);
    }
    return 0;
}

static int probe_leaf(int fd, const struct cgroup_name *name, struct findings *findings)
{
    struct cgroup cgroup = {.name = *name, .fd = fd};
    if (found(findings, probe_may_enter(&cgroup, findings->why)) < 0 || found(findings, probe_not_frozen(&cgroup, findings->why)) < 0)
        return -1;
    return found(findings, probe_not_populated(&cgroup, findings->why));
}

/* Follows the path as fs_make does. */
static int probe_path(int root_fd, const struct cgroup_name *name, const struct controllers *needed, struct findings *findings)
{
    char at[PATH_MAX] = "";
    CLEANUP_FD int fd = fd_duplicate(root_fd, 3);
    for (const char *rest = name->path; *rest != '\0' && fd >= 0;) {
        rest += strspn(rest, "/");
        size_t length = strcspn(rest, "/"), so_far = strlen(at);
        if (length == 0 || so_far + length + 2 > sizeof at)
            break;
        if (controllers_probe(fd, so_far ? at : "/", needed, findings) < 0)
            return -1;
        at[so_far] = '/';
        memcpy(at + so_far + 1, rest, length);
        at[so_far + 1 + length] = '\0';
        int next = openat(fd, at + so_far + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return found(findings, probe_making(fd, at, count_levels(rest) + 1, findings->why));
        fd_close(&fd);
        fd = next;
        rest += length;
    }
    return fd >= 0 ? probe_leaf(fd, name, findings) : 0;
}

static int probe_devices(const struct cgroup_plan *plan, const char *path, struct failure *why)
{
    return plan->program.count > 0 ? probe_explain_devices(bpf_try_devices(&plan->program), path, why) : 0;
}

int cgroup_probe(const struct cgroup_request *request, const struct cgroup_name *name, struct arena *arena,
                 struct findings *findings)
{
    const struct cgroup_plan *plan = request->plan;
    struct failure known; /* where there is no mount, cgroup_plan_all has said so */
    if (plan == NULL)
        return 0;
    if (request->manager == CGROUP_MANAGER_DISABLED)
        return found(findings, plan_check_disabled(plan, findings->why));
    if (found(findings, probe_devices(plan, name->path != NULL ? name->path : "/", findings->why)) < 0)
        return -1;
    /* What systemd would do is known when it is asked. */
    if (request->manager == CGROUP_MANAGER_SYSTEMD)
        return 0;
    CLEANUP_FD int root_fd = mount_open_root(&known);
    if (root_fd < 0)
        return 0;
    if (name->path == NULL)
        return found(findings, plan_check_nowhere(plan, findings->why));
    /* Without a wish the container may stay where the creator is. */
    if (!plan_asks(plan) && mount_privilege() == PATH_ROOTLESS)
        return 0;
    struct controllers needed = controllers_of(&plan->limits, arena);
    return probe_path(root_fd, name, &needed, findings);
}
