/*
 * rootfs/copy_up.c: tmpcopyup: the covered directory's content in the new tmpfs.
 *
 * Both trees are walked by directory fds, one component at a time, and no link is followed: a container that swaps
 * directories meanwhile makes the copy fail or incomplete, but it stays inside (CVE-2018-15664, CVE-2024-1753).
 *
 * Runs in: init.  Keeps: types, modes, owners, times, extended attributes, links as links.
 */
#include "rootfs/plan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"

/* Directories in each other; each level holds two fds. */
#define DEPTH_LIMIT 64
#define CHUNK_SIZE ((size_t) 64 * 1024)
#define XATTR_LIMIT ((size_t) 64 * 1024)

static int copy_directory(int from_fd, int to_fd, int depth);

/* Attributes that the new filesystem or the user namespace does not take are left out, as cp -a does. */
static void copy_xattrs(int from_fd, int to_fd)
{
    char *names = memory_new(XATTR_LIMIT), *value = memory_new(XATTR_LIMIT);
    ssize_t length = flistxattr(from_fd, names, XATTR_LIMIT);

    for (const char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
        ssize_t size = fgetxattr(from_fd, name, value, XATTR_LIMIT);
        if (size >= 0)
            (void) fsetxattr(to_fd, name, value, (size_t) size, 0);
    }
    free(names);
    free(value);
}

/* Owner before mode: chown clears set-id bits.  An owner that the user namespace cannot give stays root. */
static int copy_metadata(int from_fd, int to_fd, const struct stat *status)
{
    const struct timespec times[2] = {status->st_atim, status->st_mtim};

    if (fchown(to_fd, status->st_uid, status->st_gid) < 0 && errno != EPERM && errno != EINVAL)
        return -errno;
    if (fchmod(to_fd, status->st_mode & 07777) < 0)
        return -errno;
    copy_xattrs(from_fd, to_fd);
    return futimens(to_fd, times) < 0 ? -errno : 0;
}

static int copy_data(int from_fd, int to_fd)
{
    char *chunk = memory_new(CHUNK_SIZE);
    int result = 0;

    while (result == 0) {
        ssize_t count = fd_read_up_to(from_fd, chunk, CHUNK_SIZE);
        if (count <= 0) {
            result = (int) count;
            break;
        }
        result = fd_write_all(to_fd, chunk, (size_t) count);
    }
    free(chunk);
    return result;
}

/* What is opened is looked at again on its fd: the name may be another thing than a moment ago. */
static int open_checked(int dir_fd, const char *name, int flags, mode_t type, struct stat *ret_status)
{
    CLEANUP_FD int fd = kernel_openat2(dir_fd, name, (uint64_t) flags | O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0,
                                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

    if (fd < 0 || fstat(fd, ret_status) < 0)
        return -errno;
    return (ret_status->st_mode & S_IFMT) == type ? fd_steal(&fd) : -EAGAIN;
}

static int copy_file(int from_dir_fd, int to_dir_fd, const char *name)
{
    struct stat status = {0};
    CLEANUP_FD int from_fd = open_checked(from_dir_fd, name, 0, S_IFREG, &status);
    if (from_fd < 0)
        return from_fd;
    CLEANUP_FD int to_fd = openat(to_dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to_fd < 0)
        return -errno;
    int result = copy_data(from_fd, to_fd);
    return result < 0 ? result : copy_metadata(from_fd, to_fd, &status);
}

static int copy_subdirectory(int from_dir_fd, int to_dir_fd, const char *name, int depth)
{
    struct stat status = {0};
    CLEANUP_FD int from_fd = open_checked(from_dir_fd, name, O_DIRECTORY, S_IFDIR, &status);
    if (from_fd < 0)
        return from_fd;
    if (mkdirat(to_dir_fd, name, 0700) < 0)
        return -errno;
    CLEANUP_FD int to_fd = openat(to_dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (to_fd < 0)
        return -errno;
    int result = copy_directory(from_fd, to_fd, depth + 1);
    return result < 0 ? result : copy_metadata(from_fd, to_fd, &status);
}

static int copy_link(int from_dir_fd, int to_dir_fd, const char *name, const struct stat *status)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(from_dir_fd, name, target, sizeof(target) - 1);

    if (length < 0)
        return -errno;
    target[length] = '\0';
    if (symlinkat(target, to_dir_fd, name) < 0)
        return -errno;
    /* An owner that the user namespace cannot give: a link's owner decides nothing. */
    (void) fchownat(to_dir_fd, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW);
    return 0;
}

static int copy_node(int to_dir_fd, const char *name, const struct stat *status)
{
    if (mknodat(to_dir_fd, name, status->st_mode, status->st_rdev) < 0)
        return errno == EPERM ? 0 : -errno; /* devices in a user namespace: could not be opened there either */
    (void) fchownat(to_dir_fd, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW); /* as for links */
    return 0;
}

static int copy_entry(int from_fd, int to_fd, const char *name, int depth)
{
    struct stat status;

    if (fstatat(from_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno; /* gone meanwhile */
    switch (status.st_mode & S_IFMT) {
    case S_IFDIR:
        return copy_subdirectory(from_fd, to_fd, name, depth);
    case S_IFREG:
        return copy_file(from_fd, to_fd, name);
    case S_IFLNK:
        return copy_link(from_fd, to_fd, name, &status);
    default:
        return copy_node(to_fd, name, &status);
    }
}

static int copy_directory(int from_fd, int to_fd, int depth)
{
    int list_fd = depth < DEPTH_LIMIT ? fd_duplicate(from_fd, 0) : -ELOOP;
    DIR *list = list_fd < 0 ? NULL : fdopendir(list_fd);
    const struct dirent *entry;
    int result = 0;

    if (!list) {
        result = list_fd < 0 ? list_fd : -errno;
        fd_close(&list_fd);
        return result;
    }
    while (result == 0 && (errno = 0, entry = readdir(list)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = copy_entry(from_fd, to_fd, entry->d_name, depth);
    if (result == 0 && errno != 0 && !entry)
        result = -errno;
    closedir(list);
    return result;
}

int copy_up(int from_fd, int to_fd)
{
    return copy_directory(from_fd, to_fd, 0);
}
