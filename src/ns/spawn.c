/*
 * ns/spawn.c: the clone3 of init, escort and joiner.
 *
 * The child is a copy of the calling process: it goes on in `body` with everything that was prepared, without
 * another exec.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/kernel.h"
#include "ns/ns.h"

static void explain(const struct ns_spawn *spawn, int errnum, struct failure *why)
{
    fail_errno(why, errnum, "clone a process for the container");
    if (errnum == ENOSYS)
        failure_hint(why, "clone3 with CLONE_INTO_CGROUP needs Linux 5.7 and must not be hidden by a seccomp filter around us");
    else if (errnum == ENOSPC || errnum == EUSERS)
        failure_hint(why, "a limit on namespaces is reached: see /proc/sys/user/max_*_namespaces");
    else if (errnum == EAGAIN)
        failure_hint(why, "a process limit is reached: see pids.max of the cgroup and RLIMIT_NPROC");
    else if (errnum == EPERM && (spawn->flags & CLONE_NEWUSER))
        failure_hint(why, "user namespaces are refused here: see /proc/sys/user/max_user_namespaces and "
                          "/proc/sys/kernel/unprivileged_userns_clone; after chroot the kernel refuses them too");
    else if (errnum == EPERM)
        failure_hint(why, "without root privileges add a namespace of type \"user\" with mappings to /linux/namespaces");
    else if ((errnum == EACCES || errnum == EBUSY || errnum == EOPNOTSUPP) && spawn->cgroup_fd >= 0)
        failure_hint(why, "the cgroup does not admit the process: its common ancestor with our own cgroup must be writable, "
                          "and it must be a domain cgroup without enabled controllers");
    else if (errnum == EINVAL)
        failure_hint(why, "the kernel lacks a namespace type that /linux/namespaces asks for");
}

int ns_spawn(const struct ns_spawn *spawn, struct ns_child *ret_child, struct failure *why)
{
    int pidfd = -1;
    struct clone_args args = {
        .flags = spawn->flags | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
    };
    if (spawn->cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)spawn->cgroup_fd;
    }
    if (spawn->pid_note != NULL) {
        args.flags |= CLONE_PARENT_SETTID;
        args.parent_tid = (uint64_t)(uintptr_t)spawn->pid_note;
    }
    if (spawn->relation == NS_SIBLING) {
        args.flags |= CLONE_PARENT;
        args.exit_signal = 0; /* with CLONE_PARENT the caller's own exit signal is used */
    }
    int track = timeline_track_new(spawn->track);
    long pid = kernel_clone3(&args, sizeof(args));
    if (pid < 0) {
        explain(spawn, errno, why);
        return -1;
    }
    if (pid == 0) {
        if (spawn->track != TIMELINE_NOBODY)
            timeline_enter(track);
        spawn->body(spawn->arg);
    }
    timeline_track_is(track, (pid_t)pid);
    ret_child->pid = (pid_t)pid;
    ret_child->pidfd = pidfd;
    return 0;
}
