/*
 * process/proc.c: the private procfs handle.
 *
 * The creator opens the host's /proc once, before anything of a container exists, and hands the directory
 * fd on.  Everything below it is opened relative to that fd and may not leave it: not by "..", not by a
 * magic link, not through something mounted over a part of it.
 *
 * Against: a container that mounts over /proc or parts of it so that a label or limit write goes to a file
 * that swallows it (CVE-2019-16884, CVE-2019-19921) or to a dangerous one (CVE-2025-52881).
 *
 * Runs in: creator (proc_open), init and joiner (the rest).  Must not: open "/proc/…" by absolute path.
 */
#include "process/process.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"

/* fs/proc: the inode number of every procfs' root directory.  A bind of a subdirectory is procfs too, with
 * another number. */
#define PROC_ROOT_INODE 1

#define PROC_RESOLVE (RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

int proc_open(struct failure *why)
{
    struct statfs filesystem;
    struct stat root;
    CLEANUP_FD int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        fail_sys(why, "open '/proc'");
        return failure_hint(why, "mount it: mount -t proc proc /proc");
    }
    if (fstatfs(fd, &filesystem) < 0 || fstat(fd, &root) < 0)
        return fail_sys(why, "stat '/proc'");
    if (filesystem.f_type != PROC_SUPER_MAGIC || root.st_ino != PROC_ROOT_INODE) {
        fail(why, FAILURE_HOST, "'/proc' is not the root of a proc filesystem");
        return failure_hint(why, "mount it: mount -t proc proc /proc");
    }
    return fd_steal(&fd);
}

/* "self" is a plain symbolic link inside procfs and stays allowed; so a name may begin with it. */
static int proc_open_below(int proc_fd, const char *name, int flags)
{
    int fd = kernel_openat2(proc_fd, name, (uint64_t)flags | O_CLOEXEC | O_NOCTTY, 0, PROC_RESOLVE);
    return fd < 0 ? -errno : fd;
}

int proc_write(int proc_fd, const char *name, const char *text)
{
    CLEANUP_FD int fd = proc_open_below(proc_fd, name, O_WRONLY);
    if (fd < 0)
        return fd;
    /* One write: procfs takes a value whole or not at all, and a rest would be a second value. */
    size_t length = strlen(text);
    ssize_t written = write(fd, text, length);
    if (written < 0)
        return -errno;
    return (size_t)written == length ? 0 : -EIO;
}

ssize_t proc_read(int proc_fd, const char *name, char *buffer, size_t size)
{
    if (size == 0)
        return -EINVAL;
    CLEANUP_FD int fd = proc_open_below(proc_fd, name, O_RDONLY);
    if (fd < 0)
        return fd;
    ssize_t length = fd_read_up_to(fd, buffer, size - 1);
    if (length < 0)
        return length;
    while (length > 0 && buffer[length - 1] == '\n')
        length--;
    buffer[length] = '\0';
    return length;
}
