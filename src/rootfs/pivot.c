/*
 * rootfs/pivot.c: the root enters the mount namespace, and the process enters the root.
 *
 * Runs in: init.  After rootfs_enter no path of the host can be named any more.
 */
#include "rootfs/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "rootfs/mount_calls.h"

/* Where in init's own namespace the root is attached: over the directory it came from, so that hooks find the
 * container's mounts where the bundle says.  Where the container's root user cannot walk there, over "/". */
static int root_place_open(struct rootfs *rootfs)
{
    int fd = open(rootfs->root_path_host, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && errno == EACCES) {
        fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        rootfs->root_is_over_root = true;
    }
    return fd < 0 ? -errno : fd;
}

static int root_open_for_chroot(struct rootfs *rootfs, struct failure *why)
{
    rootfs->root_fd = open(rootfs->root_path_host, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (rootfs->root_fd >= 0)
        return 0;
    fail_sys(why, "open root filesystem '%s'", rootfs->root_path_host);
    return failure_pointer(why, "/root/path");
}

int root_attach(struct rootfs *rootfs, struct failure *why)
{
    if (rootfs->entry == ROOT_CHROOT)
        return root_open_for_chroot(rootfs, why);
    /* First of all, and in one call instead of by reading mountinfo, which races (runc#2404): from here on no mount
     * made here shows on the host, nor does the unmounting of the old root.  Sources that init has still to clone
     * may want to stay slaves of the host. */
    int result = tree_change_at_root(rootfs->root_fd >= 0 ? MS_PRIVATE : MS_SLAVE);
    if (result < 0) {
        (void)fail_errno(why, result, "take the mount namespace off the host's mount propagation");
        return result != -EINVAL ? -1
                                 : failure_hint(why, "the root directory of this process is not a mount, as after chroot: "
                                                     "bind it onto itself before (mount --bind DIR DIR; chroot DIR)");
    }
    if (rootfs->masked_paths->count && mask_source_open(rootfs, why) < 0)
        return -1;
    if (rootfs->root_fd < 0 && root_open(rootfs, why) < 0)
        return -1;
    /* Before the root is attached: behind it, a source below the bundle's root leads into the container. */
    if (sources_open_rest(rootfs, why) < 0)
        return -1;
    CLEANUP_FD int place_fd = root_place_open(rootfs);
    if (place_fd < 0)
        result = place_fd;
    else
        result = tree_attach(rootfs->root_fd, place_fd);
    if (result == 0)
        return 0;
    fail_errno(why, result, "mount the root filesystem '%s'", rootfs->root_path_host);
    return failure_pointer(why, "/root/path");
}

int rootfs_root_fd(const struct rootfs *rootfs)
{
    return rootfs->root_fd;
}

/* ---- entering ---- */

static int enter_by_pivot(struct rootfs *rootfs, struct failure *why)
{
    if (fchdir(rootfs->root_fd) < 0)
        return fail_sys(why, "enter the root filesystem");
    /* Old and new root in one place (pivot_root(2), "pivot_root(".", ".")"): no directory is needed for the old. */
    if (kernel_pivot_root(".", ".") < 0) {
        fail_sys(why, "pivot_root into '%s'", rootfs->root_path_host);
        if (why->errnum == EINVAL)
            failure_hint(why, "on an initramfs root the option --no-pivot is needed");
        return -1;
    }
    if (umount2(".", MNT_DETACH) < 0)
        return fail_sys(why, "detach the host's root");
    return 0;
}

/* With no pivot the host's mounts stay in the namespace.  A fully visible procfs or sysfs among them would let
 * the container mount an unmasked one of its own (kernel: mount_too_revealing), so those two go first. */
static int enter_by_move(struct rootfs *rootfs, struct failure *why)
{
    static const char *const revealing[] = {"/proc", "/sys"};
    int result;

    for (size_t i = 0; i < ARRAY_LENGTH(revealing); i++) {
        do
            result = mount_detach(revealing[i]);
        while (result == 0);
        if (result != -EINVAL && result != -ENOENT)
            return fail_errno(why, result, "detach the host's '%s'", revealing[i]);
    }
    CLEANUP_FD int old_root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (old_root_fd < 0)
        return fail_sys(why, "open the host's root");
    if (fchdir(rootfs->root_fd) < 0)
        return fail_sys(why, "enter the root filesystem");
    result = rootfs->root_is_over_root ? 0 : tree_attach(rootfs->root_fd, old_root_fd);
    if (result < 0)
        return fail_errno(why, result, "move the root filesystem '%s' over '/'", rootfs->root_path_host);
    return chroot(".") < 0 ? fail_sys(why, "change the root directory") : 0;
}

static int enter_by_chroot(struct rootfs *rootfs, struct failure *why)
{
    if (fchdir(rootfs->root_fd) < 0)
        return fail_sys(why, "enter the root filesystem");
    if (chroot(".") < 0) {
        fail_sys(why, "change the root directory to '%s'", rootfs->root_path_host);
        return failure_pointer(why, "/root/path");
    }
    return 0;
}

/* Shared and unbindable would hinder the steps before: they are for the finished root. */
static int root_propagation_set(const struct rootfs *rootfs, struct failure *why)
{
    const struct propagation *propagation = &rootfs->root_propagation;

    if (propagation->kind != MS_SHARED && propagation->kind != MS_UNBINDABLE)
        return 0;
    int result = tree_change(rootfs->root_fd, &(struct tree_change){.propagation = propagation->kind},
                             propagation->recursive ? TREE_ALL : TREE_TOP);
    if (result == 0)
        return 0;
    fail_errno(why, result, "set the propagation of the root filesystem");
    return failure_pointer(why, "/linux/rootfsPropagation");
}

int rootfs_enter(struct rootfs *rootfs, bool no_pivot, struct failure *why)
{
    int result;

    if (rootfs->entry == ROOT_CHROOT)
        result = enter_by_chroot(rootfs, why);
    else if (no_pivot)
        result = enter_by_move(rootfs, why);
    else
        result = enter_by_pivot(rootfs, why);
    if (result < 0)
        return -1;
    if (chdir("/") < 0)
        return fail_sys(why, "enter the container's root directory");
    return root_propagation_set(rootfs, why);
}
