/*
 * rootfs/devices.c: device nodes and links of /dev, the nodes of /linux/devices, the console.
 *
 * Everything is made by *at() calls, one component, in a directory whose fd was opened without following links
 * (CVE-2026-41579, CVE-2026-47766); nothing that exists is written through or replaced, but for ptmx.
 *
 * Runs in: init, before the root switch, umask 0.
 */
#include "rootfs/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/text.h"
#include "base/timeline.h"
#include "rootfs/mount_calls.h"

#define DEVPTS_MAGIC 0x1cd1
/* Unix98 pty ends: majors 136 to 143 (Documentation/admin-guide/devices.txt). */
#define PTY_MAJOR_FIRST 136
#define PTY_MAJOR_LAST 143

static int device_failed(const struct device_step *device, int errnum, const char *what, struct failure *why)
{
    fail_errno(why, errnum, "%s '%s'", what, device->path_inside);
    if (abs(errnum) == EROFS || abs(errnum) == EACCES)
        failure_hint(why, "mount a tmpfs on /dev, so that the container's root can create nodes there");
    return failure_pointer(why, "%s", device->pointer ? device->pointer : "");
}

static int device_conflict(const struct device_step *device, struct failure *why)
{
    fail(why, FAILURE_CONFIG, "'%s' exists already and is not the device %c %u:%u", device->path_inside,
         S_ISBLK(device->mode) ? 'b' : S_ISFIFO(device->mode) ? 'p' : 'c', major(device->number),
         minor(device->number));
    failure_hint(why, "remove it from the root filesystem, or mount a tmpfs on /dev");
    return failure_pointer(why, "%s", device->pointer ? device->pointer : "");
}

/* ---- one device ---- */

/* The other place of the host's device. */
static const char *device_by_number(const struct device_step *device, char path[64])
{
    snprintf(path, 64, "/dev/%s/%u:%u", S_ISBLK(device->mode) ? "block" : "char", major(device->number), minor(device->number));
    return path;
}

static int device_not_found(const struct device_step *device, int errnum, struct failure *why)
{
    device_failed(device, errnum, "find the host's device for", why);
    return failure_hint(why, "device nodes cannot be made in a user namespace; the host must have '%s' as %c %u:%u",
                        device->path_inside, S_ISBLK(device->mode) ? 'b' : 'c', major(device->number), minor(device->number));
}

static bool is_device(const char *path_host, const struct device_step *device)
{
    struct stat status;
    return stat(path_host, &status) == 0 && (status.st_mode & S_IFMT) == (device->mode & S_IFMT) && status.st_rdev == device->number;
}

int device_probe(const struct rootfs *rootfs, const struct device_step *device, struct failure *why)
{
    char by_number[64];
    if (!rootfs->bind_devices || S_ISFIFO(device->mode) || is_device(device->path_inside, device) ||
        is_device(device_by_number(device, by_number), device))
        return 0;
    return device_not_found(device, -ENOENT, why);
}

/* Binding needs the placeholder's directory attached in this mount namespace. */
static int device_bind(const struct device_step *device, int parent_fd, const char *name, struct failure *why)
{
    char by_number[64];
    int result;

    CLEANUP_FD int source_fd = host_device_clone(device->path_inside, device->mode & S_IFMT, device->number);
    if (source_fd == -ENOENT || source_fd == -ENODEV)
        source_fd = host_device_clone(device_by_number(device, by_number), device->mode & S_IFMT, device->number);
    if (source_fd < 0)
        return device_not_found(device, source_fd, why);
    result = tree_attach_at(source_fd, parent_fd, name);
    return result < 0 ? device_failed(device, result, "bind the host's device at", why) : 0;
}

/* Something is there: 0 when it is the device, 1 when it is an empty file to bind over, -1. */
static int device_accept(const struct rootfs *rootfs, const struct device_step *device, int parent_fd,
                         const char *name, struct failure *why)
{
    bool listed = device->pointer != NULL;
    struct stat status;

    /* Not followed: a link would have the container's words decide which file this is (CVE-2026-88265). */
    if (fstatat(parent_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return device_failed(device, -errno, "examine", why);
    if ((status.st_mode & S_IFMT) == (device->mode & S_IFMT) &&
        (S_ISFIFO(device->mode) || status.st_rdev == device->number))
        return 0;
    /* What an earlier rootless run with the same root filesystem left behind.  Where nodes can be made, a listed
     * device must not meet anything else (DEV-05). */
    if (S_ISREG(status.st_mode) && status.st_size == 0 && !S_ISFIFO(device->mode) &&
        (rootfs->bind_devices || !listed))
        return 1;
    return device_conflict(device, why);
}

/* mknodat neither follows a link nor replaces anything, for nodes and for placeholders alike. */
static int device_make(struct rootfs *rootfs, struct device_step *device, int parent_fd, const char *name,
                       struct failure *why)
{
    bool bind = rootfs->bind_devices && !S_ISFIFO(device->mode);

    if (!bind && mknodat(parent_fd, name, device->mode, device->number) == 0) {
        if ((device->uid || device->gid) &&
            fchownat(parent_fd, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
            return device_failed(device, -errno, "set the owner of", why);
        return 0;
    }
    if (!bind && errno == EPERM && !S_ISFIFO(device->mode))
        bind = rootfs->bind_devices = true; /* inside somebody's user namespace after all */
    if (bind && mknodat(parent_fd, name, S_IFREG | 0666, 0) == 0) {
        device->placeholder = true;
        return 0;
    }
    if (errno != EEXIST)
        return device_failed(device, -errno, "create device", why);
    int accepted = device_accept(rootfs, device, parent_fd, name, why);
    device->placeholder = accepted == 1;
    return accepted < 0 ? -1 : 0;
}

/* The directory that holds a device: `base_fd` itself (lent) for a plain name, else a new fd in *ret_fd. */
static int device_parent(const struct device_step *device, int base_fd, const char *path, enum path_links links,
                         int *ret_fd, const char **ret_name, struct failure *why)
{
    if (!strchr(path, '/')) {
        *ret_name = path;
        return base_fd;
    }
    *ret_fd = path_make_parent(base_fd, path, links, ret_name);
    return *ret_fd < 0 ? device_failed(device, *ret_fd, "create the directory of", why) : *ret_fd;
}

static bool device_in_dev(const struct device_step *device)
{
    return text_starts(device->path_inside, "/dev/");
}

/* ---- links ---- */

/* /dev/ptmx must be the container's own (DDEV-08): anything else there would open the host's ptys. */
static int link_replace(int dev_fd, const struct link_step *link)
{
    char target[16];
    ssize_t length = readlinkat(dev_fd, link->name, target, sizeof(target));

    if (length == (ssize_t) strlen(link->target) && memcmp(target, link->target, (size_t) length) == 0)
        return 0;
    if (unlinkat(dev_fd, link->name, 0) < 0)
        return errno == EBUSY ? 0 : -errno; /* a mount of the bundle's own */
    return symlinkat(link->target, dev_fd, link->name) < 0 ? -errno : 0;
}

static int link_make(int dev_fd, const struct link_step *link, struct failure *why)
{
    int result = symlinkat(link->target, dev_fd, link->name) < 0 ? -errno : 0;

    if (result == -EEXIST)
        result = strcmp(link->name, "ptmx") == 0 ? link_replace(dev_fd, link) : 0;
    if (result == -EROFS) {
        log_debug("/dev is read-only: no link '%s' in it", link->name);
        return 0;
    }
    return result < 0 ? fail_errno(why, result, "create the link '/dev/%s'", link->name) : 0;
}

static bool link_wanted(const struct rootfs *rootfs, const struct link_step *link)
{
    if (!link->needs)
        return true;
    CLEANUP_FD int fd = path_open(rootfs->root_fd, link->needs, PATH_LINKS_INSIDE);
    /* What is in /proc/self/fd exists, but is never followed. */
    return fd >= 0 || fd == -ELOOP;
}

/* ---- the new tmpfs ---- */

/* Later entries mount on directories of the new /dev: made here they are one call each. */
static void mount_points_make(const struct rootfs *rootfs, int dev_fd)
{
    for (size_t i = 0; i < rootfs->mounts_count; i++) {
        const struct mount_step *step = &rootfs->mounts[i];
        const char *name = step->target_inside + strlen("/dev/");
        struct stat status;
        if (!text_starts(step->target_inside, "/dev/") || strchr(name, '/') || step->kind == MOUNT_REMOUNT)
            continue;
        /* Whether there was one decides about its mode. */
        if (step->take_mode)
            continue;
        if (step->kind == MOUNT_BIND &&
            (step->tree_fd < 0 || fstat(step->tree_fd, &status) < 0 || !S_ISDIR(status.st_mode)))
            continue;
        /* Only a saving: what fails here is made, or explained, when the mount's turn comes. */
        (void) mkdirat(dev_fd, name, 0755);
    }
}

int devices_fill_new_dev(struct rootfs *rootfs, int dev_fd, struct failure *why)
{
    for (size_t i = 0; i < rootfs->devices_count; i++) {
        struct device_step *device = &rootfs->devices[i];
        CLEANUP_FD int made_fd = -1;
        const char *name;
        if (!device->in_new_dev)
            continue;
        int parent_fd = device_parent(device, dev_fd, device->path_inside + strlen("/dev/"), PATH_NO_LINKS,
                                      &made_fd, &name, why);
        if (parent_fd < 0 || device_make(rootfs, device, parent_fd, name, why) < 0)
            return -1;
    }
    for (size_t i = 0; i < rootfs->links_count; i++)
        if (rootfs->links[i].in_new_dev && link_make(dev_fd, &rootfs->links[i], why) < 0)
            return -1;
    mount_points_make(rootfs, dev_fd);
    return 0;
}

/* ---- after all mounts ---- */

/* -1: /dev is not ours to fill. */
static int dev_open(const struct rootfs *rootfs, int *ret_fd, struct failure *why)
{
    int fd = path_make(rootfs->root_fd, "/dev", PATH_DIRECTORY, PATH_NO_LINKS);
    struct stat status, root_status;

    if (fd == -ELOOP) {
        fail(why, FAILURE_CONFIG, "'/dev' in the root filesystem is a symbolic link");
        return failure_hint(why, "correct the image, or mount a tmpfs on /dev");
    }
    if (fd < 0)
        return fail_errno(why, fd, "open '/dev' in the root filesystem");
    /* Without an entry for /dev in the bundle, another filesystem there came along with a root that is a part of
     * the host; its /dev is the host's, and nothing is made in it or removed from it. */
    if (!rootfs->dev_is_mounted && fstat(fd, &status) == 0 && fstat(rootfs->root_fd, &root_status) == 0 &&
        status.st_dev != root_status.st_dev)
        fd_close(&fd);
    *ret_fd = fd;
    return 0;
}

static int device_finish(struct rootfs *rootfs, struct device_step *device, int dev_fd, struct failure *why)
{
    bool in_dev = device_in_dev(device);
    CLEANUP_FD int made_fd = -1;
    const char *name;

    if (device->covered || (in_dev && dev_fd < 0) || (device->in_new_dev && !device->placeholder))
        return 0;
    int parent_fd = device_parent(device, in_dev ? dev_fd : rootfs->root_fd,
                                  in_dev ? device->path_inside + strlen("/dev/") : device->path_inside,
                                  in_dev ? PATH_NO_LINKS : PATH_LINKS_INSIDE, &made_fd, &name, why);
    if (parent_fd < 0)
        return -1;
    if (!device->in_new_dev && device_make(rootfs, device, parent_fd, name, why) < 0)
        return -1;
    return device->placeholder ? device_bind(device, parent_fd, name, why) : 0;
}

static bool devices_left(const struct rootfs *rootfs)
{
    for (size_t i = 0; i < rootfs->devices_count; i++)
        if (!rootfs->devices[i].covered && (!rootfs->devices[i].in_new_dev || rootfs->devices[i].placeholder))
            return true;
    for (size_t i = 0; i < rootfs->links_count; i++)
        if (!rootfs->links[i].in_new_dev)
            return true;
    return false;
}

int devices_make(struct rootfs *rootfs, struct failure *why)
{
    CLEANUP_FD int dev_fd = -1;

    if (!devices_left(rootfs))
        return 0;
    TIMELINE_SLICE(SLICE_DEVICES, NULL);
    if (rootfs->dev != DEV_NONE && dev_open(rootfs, &dev_fd, why) < 0)
        return -1;
    for (size_t i = 0; i < rootfs->devices_count; i++)
        if (device_finish(rootfs, &rootfs->devices[i], dev_fd, why) < 0)
            return -1;
    for (size_t i = 0; i < rootfs->links_count && dev_fd >= 0; i++) {
        const struct link_step *link = &rootfs->links[i];
        if (!link->in_new_dev && link_wanted(rootfs, link) && link_make(dev_fd, link, why) < 0)
            return -1;
    }
    return 0;
}

/* ---- console ---- */

/* CVE-2025-52565: what is bound is the fd that came from the pty's own ioctl, and it must be a pty. */
static int terminal_check(int terminal_fd, struct failure *why)
{
    struct stat status;
    struct statfs filesystem;

    if (fstat(terminal_fd, &status) < 0 || fstatfs(terminal_fd, &filesystem) < 0)
        return fail_sys(why, "examine the container's terminal");
    unsigned number = major(status.st_rdev);
    if (!S_ISCHR(status.st_mode) || number < PTY_MAJOR_FIRST || number > PTY_MAJOR_LAST ||
        filesystem.f_type != DEVPTS_MAGIC)
        return fail(why, FAILURE_BUG, "the container's terminal is not a pseudoterminal");
    return 0;
}

/* CVE-2026-88264: made without following a link, and a link that exists is refused. */
static int console_placeholder(const struct rootfs *rootfs, int dev_fd, struct failure *why)
{
    struct stat status;

    if (fstatat(dev_fd, "console", &status, AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISREG(status.st_mode) || S_ISCHR(status.st_mode))
            return 0;
        fail(why, FAILURE_CONFIG, "'/dev/console' exists and is neither a file nor a character device");
        return failure_hint(why, "remove it from the root filesystem, or mount a tmpfs on /dev");
    }
    if (errno != ENOENT)
        return fail_sys(why, "examine '/dev/console'");
    if (rootfs->dev == DEV_NONE)
        return 1; /* the host's /dev: nothing is made in it */
    if (mknodat(dev_fd, "console", S_IFREG | 0600, 0) < 0)
        return fail_sys(why, "create '/dev/console'");
    return 0;
}

int rootfs_attach_console(struct rootfs *rootfs, int terminal_fd, struct failure *why)
{
    if (terminal_check(terminal_fd, why) < 0)
        return -1;
    if (fchown(terminal_fd, rootfs->around.process_uid, (gid_t) -1) < 0)
        return fail_sys(why, "give the terminal to user %u", rootfs->around.process_uid);
    if (rootfs->entry == ROOT_CHROOT)
        return 0;
    CLEANUP_FD int dev_fd = path_make(rootfs->root_fd, "/dev", PATH_DIRECTORY, PATH_NO_LINKS);
    if (dev_fd < 0)
        return fail_errno(why, dev_fd, "open '/dev' in the root filesystem");
    int placeholder = console_placeholder(rootfs, dev_fd, why);
    if (placeholder != 0)
        return placeholder < 0 ? -1 : 0;
    CLEANUP_FD int tree_fd = tree_clone(terminal_fd, "", TREE_TOP);
    if (tree_fd < 0)
        return fail_errno(why, tree_fd, "clone the terminal for '/dev/console'");
    int result = tree_attach_at(tree_fd, dev_fd, "console");
    return result < 0 ? fail_errno(why, result, "mount the terminal at '/dev/console'") : 0;
}
