/*
 * rootfs/explain.c: why a mount failed, in the words of the person who wrote the bundle.
 *
 * Runs in: creator and init.  PURE but for the failure it fills.
 */
#include "rootfs/plan.h"

#include <errno.h>
#include <string.h>

#include "base/kernel.h"
#include "base/text.h"

static const char *hint_permission(const struct rootfs *rootfs, const struct mount_step *step)
{
    if (step->kind == MOUNT_BIND || step->kind == MOUNT_REMOUNT)
        return (step->options.attributes.clear | step->options.tree.clear)
                   ? "an option of this mount takes away a restriction (ro, nosuid, nodev, noexec, noatime) that "
                     "the source has outside, which a user namespace must not do: leave that option out"
                   : "the source may be unreadable for the user that becomes the container's root";
    if (text_equal(step->type, "proc"))
        return "the kernel mounts /proc only in a new pid namespace, and not where the host's own /proc is partly "
               "covered (as inside another container): give the container a pid namespace, or unmask /proc outside";
    if (text_equal(step->type, "sysfs"))
        return "sysfs needs a network namespace owned by the container: add {\"type\": \"network\"} to "
               "/linux/namespaces, or bind the host's /sys";
    if (text_equal(step->type, "mqueue"))
        return "mqueue needs an ipc namespace owned by the container: add {\"type\": \"ipc\"} to /linux/namespaces";
    if (rootfs->in_user_ns)
        return "this filesystem cannot be mounted in a user namespace";
    return "mounting needs CAP_SYS_ADMIN; a security module may also forbid it (see the kernel log)";
}

static const char *hint_invalid(const struct rootfs *rootfs, const struct mount_step *step)
{
    if (text_equal(step->type, "devpts") && rootfs->in_user_ns)
        return "the gid= option may name a group that the container's user namespace does not map: remove gid=5 or "
               "map that group in /linux/gidMappings";
    if (step->kind == MOUNT_BIND)
        return rootfs->in_user_ns || !rootfs->around.privileged
                   ? "the source may have mounts below it that must stay visible: use rbind instead of bind"
                   : "the source may be an unbindable mount";
    if ((step->kind == MOUNT_FILESYSTEM || step->kind == MOUNT_CGROUP) && step->options.data.count > 0)
        return "the filesystem may not know one of its options, or not this value: the kernel log tells which";
    return NULL;
}

static const char *hint_for(const struct rootfs *rootfs, const struct mount_step *step, int errnum)
{
    switch (errnum) {
    case EPERM:
    case EACCES:
        return hint_permission(rootfs, step);
    case EINVAL:
        return hint_invalid(rootfs, step);
    case ENOTDIR:
        return "the source and the mount point must both be directories, or neither";
    case ENOSYS:
    case EOPNOTSUPP:
        return "the kernel lacks what this needs; Linux 5.14 or later is required";
    case EMFILE:
        return "there are more mounts than the limit of open files allows: raise it where the runtime is started "
               "(ulimit -n), or RLIMIT_NOFILE in /process/rlimits";
    case ENOSPC:
        return "the mount namespace holds as many mounts as it may: see /proc/sys/fs/mount-max";
    case ENOENT:
        if (text_equal(step->type, "overlay"))
            return "one of the directories in lowerdir, upperdir, workdir does not exist";
        return NULL;
    default:
        return NULL;
    }
}

int explain_mount(struct failure *why, const struct rootfs *rootfs, const struct mount_step *step, int errnum,
                  const char *detail)
{
    const char *what = step->kind == MOUNT_BIND ? step->source : step->type;
    const char *verb = step->kind == MOUNT_BIND ? "bind" : step->kind == MOUNT_REMOUNT ? "remount" : "mount";
    const char *hint;

    errnum = errnum < 0 ? -errnum : errnum;
    hint = detail && strstr(detail, "Unknown parameter") ? "remove the option, or correct its spelling" : hint_for(rootfs, step, errnum);
    if (step->kind == MOUNT_REMOUNT)
        fail_errno(why, errnum, "remount '%s'%s%s", step->target_inside, detail ? ": " : "", detail ? detail : "");
    else
        fail_errno(why, errnum, "%s '%s' at '%s'%s%s", verb, what ? what : "none", step->target_inside,
                   detail ? ": " : "", detail ? detail : "");
    if (hint)
        failure_hint(why, "%s", hint);
    return failure_pointer(why, "/mounts/%zu", step->index);
}

int explain_unknown_type(struct failure *why, const struct mount_step *step)
{
    fail(why, FAILURE_CONFIG, "mount '%s' at '%s': the kernel has no filesystem of this type", step->type,
         step->target_inside);
    failure_hint(why, "correct the type, or load the kernel module that provides it");
    return failure_pointer(why, "/mounts/%zu/type", step->index);
}

int explain_target(struct failure *why, const struct mount_step *step, int errnum)
{
    errnum = errnum < 0 ? -errnum : errnum;
    if (errnum == ELOOP && step->target_links == PATH_NO_LINKS) {
        fail(why, FAILURE_CONFIG, "mount '%s' at '%s': the mount point must be a directory, not a symlink",
             step->type, step->target_inside);
        failure_hint(why, "correct the image: '%s' or a directory above it is a symbolic link",
                     step->target_inside);
    } else {
        fail_errno(why, errnum, "make the mount point '%s'", step->target_inside);
        if (errnum == EACCES || errnum == EPERM)
            failure_hint(why, "it does not exist, and the container's root cannot create it there: create it in "
                              "the root filesystem beforehand");
        else if (errnum == EROFS)
            failure_hint(why, "it does not exist on a read-only filesystem: create it there beforehand");
        else if (errnum == ENOTDIR)
            failure_hint(why, "something on the way to it is not a directory");
    }
    return failure_pointer(why, "/mounts/%zu/destination", step->index);
}
