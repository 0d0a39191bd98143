/*
 * rootfs/masks.c: masked and read-only paths.
 *
 * Runs in: init, after the createContainer hooks and before the root switch.  A path that the container does not
 * have is skipped; a source that is missing never is (CVE-2025-31133).
 */
#include "rootfs/plan.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "rootfs/mount_calls.h"

#define MASK_ATTRIBUTES (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

int mask_source_open(struct rootfs *rootfs, struct failure *why)
{
    /* The host's own node, never the container's: that may be a link to what the mask should hide, or be swapped
     * meanwhile (CVE-2025-31133).  Opened before the container's first mount and verified on the clone itself. */
    CLEANUP_FD int null_fd = host_device_clone("/dev/null", S_IFCHR, makedev(1, 3));
    if (null_fd < 0) {
        fail_errno(why, null_fd, "open the host's '/dev/null' to mask files with");
        return failure_hint(why, "'/dev/null' outside of the container must be the character device 1:3");
    }
    /* Read-only: the inode is the host's, and the container's root must not change its mode or owner. */
    int result = tree_change(null_fd, &(struct tree_change){.set = MASK_ATTRIBUTES, .propagation = MS_PRIVATE},
                             TREE_TOP);
    if (result < 0)
        return fail_errno(why, result, "make the mask for files read-only");
    rootfs->null_fd = fd_steal(&null_fd);
    return 0;
}

/* One empty directory for all masked directories: a tmpfs for each made hosts with many CPUs crawl. */
static int mask_directory_new(const struct rootfs *rootfs)
{
    char *words[] = {(char[]){"nr_blocks=1"}, (char[]){"nr_inodes=1"}};
    struct filesystem_trouble trouble;

    return filesystem_new(&(struct filesystem){.type = "tmpfs",
                                               .source = "tmpfs",
                                               .label = rootfs->mount_label,
                                               .mode = -1,
                                               .attributes = MASK_ATTRIBUTES | MOUNT_ATTR_NODEV,
                                               .data = &(struct strings){words, 2}},
                          &trouble);
}

/* The source's fd is used up by the first mask: attached it stands for that mount, and the next are its clones. */
struct mask_source {
    int fd; /* lent */
    bool attached;
};

static int mask_attach(struct mask_source *source, int target_fd)
{
    if (!source->attached) {
        int result = tree_attach(source->fd, target_fd);
        source->attached = result == 0;
        return result;
    }
    CLEANUP_FD int clone_fd = tree_clone(source->fd, "", TREE_TOP);
    return clone_fd < 0 ? clone_fd : tree_attach(clone_fd, target_fd);
}

static int mask_path(struct rootfs *rootfs, struct mask_source *file, struct mask_source *directory,
                     const char *path)
{
    CLEANUP_FD int target_fd = path_open(rootfs->root_fd, path, PATH_LINKS_INSIDE);
    struct stat status;

    if (target_fd == -ENOENT || target_fd == -ENOTDIR)
        return 0;
    if (target_fd < 0)
        return target_fd;
    if (fstat(target_fd, &status) < 0)
        return -errno;
    if (!S_ISDIR(status.st_mode))
        return mask_attach(file, target_fd);
    if (directory->fd < 0)
        directory->fd = rootfs->mask_fd = mask_directory_new(rootfs);
    return directory->fd < 0 ? directory->fd : mask_attach(directory, target_fd);
}

int masks_apply(struct rootfs *rootfs, struct failure *why)
{
    struct mask_source file = {.fd = rootfs->null_fd}, directory = {.fd = -1};

    for (size_t i = 0; i < rootfs->masked_paths->count; i++) {
        int result = mask_path(rootfs, &file, &directory, rootfs->masked_paths->items[i]);
        if (result < 0) {
            fail_errno(why, result, "mask '%s'", rootfs->masked_paths->items[i]);
            return failure_pointer(why, "/linux/maskedPaths/%zu", i);
        }
    }
    return 0;
}

static int read_only_path(const struct rootfs *rootfs, const char *path)
{
    CLEANUP_FD int target_fd = path_open(rootfs->root_fd, path, PATH_LINKS_INSIDE);

    if (target_fd == -ENOENT || target_fd == -ENOTDIR)
        return 0;
    if (target_fd < 0)
        return target_fd;
    /* A clone of what the fd holds, on top of what it holds: no second lookup to race with.  The clone keeps
     * nosuid, nodev, noexec, locked or not. */
    bool cloned;
    CLEANUP_FD int tree_fd = tree_clone_changed(target_fd, "", &(struct tree_change){.set = MOUNT_ATTR_RDONLY}, TREE_ALL, &cloned);
    return tree_fd < 0 ? tree_fd : tree_attach(tree_fd, target_fd);
}

int read_only_paths_apply(struct rootfs *rootfs, struct failure *why)
{
    for (size_t i = 0; i < rootfs->read_only_paths->count; i++) {
        int result = read_only_path(rootfs, rootfs->read_only_paths->items[i]);
        if (result < 0) {
            fail_errno(why, result, "make '%s' read-only", rootfs->read_only_paths->items[i]);
            return failure_pointer(why, "/linux/readonlyPaths/%zu", i);
        }
    }
    return 0;
}
