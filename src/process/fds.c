/*
 * process/fds.c: which descriptors the container's process gets: 0, 1, 2 and those that were asked for.
 *
 * Runs in: main's first act (fds_look), creator (count), init (take_null_inside), init and joiner (leave_only).
 * Must not: leave anything to close-on-exec that leads to a file of the host.
 */
#include "process/process.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/text.h"

#define FIRST 3
#define COUNT_MAX 65536u

/* Against: --preserve-fds=N counted after the runtime has opened files of its own, which then fill the
 * numbers that the caller left out and reach the container (runc issue 5474: /sys/fs/cgroup leaked).
 * A descriptor that came through our own execve cannot carry close-on-exec; whatever does is ours. */
void fds_look(struct inherited_fds *ret_inherited)
{
    unsigned count = 0;
    while (count < COUNT_MAX) {
        int flags = fcntl((int)(FIRST + count), F_GETFD);
        if (flags < 0 || (flags & FD_CLOEXEC))
            break;
        count++;
    }
    ret_inherited->count = count;
}

int fds_ensure_standard(struct failure *why)
{
    for (int fd = 0; fd < FIRST; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        /* The lowest free number is `fd`: everything below it is open by now.  Not CLOEXEC: the container's
         * process inherits it. */
        int null_fd = open("/dev/null", O_RDWR);
        if (null_fd < 0)
            return fail_sys(why, "open '/dev/null' for the closed descriptor %d", fd);
        if (null_fd != fd)
            return fail(why, FAILURE_BUG, "'/dev/null' came as descriptor %d instead of %d", null_fd, fd);
    }
    return 0;
}

/* sd_listen_fds(3): the announcement counts only if it was meant for this very process. */
static int listen_count(unsigned *ret_listen, struct failure *why)
{
    const char *pid_text = getenv("LISTEN_PID"), *count_text = getenv("LISTEN_FDS");
    uint64_t pid, count;
    *ret_listen = 0;
    if (!pid_text || !count_text)
        return 0;
    if (text_to_u64(pid_text, INT32_MAX, &pid) < 0 || (pid_t)pid != getpid())
        return 0;
    if (text_to_u64(count_text, COUNT_MAX, &count) < 0)
        return fail(why, FAILURE_USAGE, "LISTEN_FDS=%.32s is not a number of descriptors", count_text);
    *ret_listen = (unsigned)count;
    return 0;
}

const char *fds_listen_names(unsigned listen, struct arena *arena)
{
    const char *names = listen > 0 ? getenv("LISTEN_FDNAMES") : NULL;
    return names == NULL ? NULL : arena_format(arena, "LISTEN_FDNAMES=%s", names);
}

int fds_count_preserved(const struct inherited_fds *inherited, unsigned preserve, unsigned *ret_listen,
                        unsigned *ret_total, struct failure *why)
{
    unsigned listen;
    if (listen_count(&listen, why) < 0)
        return -1;
    if (preserve > COUNT_MAX || listen + preserve > inherited->count) {
        fail(why, FAILURE_USAGE,
             "descriptor %u is not open, but %u are to be preserved from 3 on (LISTEN_FDS %u, --preserve-fds %u)",
             FIRST + inherited->count, listen + preserve, listen, preserve);
        return failure_hint(why, "pass every descriptor from 3 on without a gap and without close-on-exec");
    }
    *ret_listen = listen;
    *ret_total = listen + preserve;
    return 0;
}

void fds_give_pipes(uid_t owner)
{
    struct stat status;

    for (int fd = 0; fd < FIRST; fd++)
        if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && status.st_uid != owner)
            IGNORE_RESULT(fchown(fd, owner, (gid_t)-1)); /* EPERM, EINVAL: of an owner without a number here */
}

static bool is_null_device(const struct stat *status)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

/* Against: the container's root changing mode or owner of the host's /dev/null through a descriptor.  After the root
 * switch, when the name means the container's; and never what only bears that name (CVE-2025-31133).  Where there
 * is none, or it cannot be opened, the descriptor stays what the caller chose. */
void fds_take_null_inside(void)
{
    struct stat inside, status;

    for (int fd = 0; fd < FIRST; fd++) {
        if (fstat(fd, &status) < 0 || !is_null_device(&status))
            continue;
        if (lstat("/dev/null", &inside) < 0 || !is_null_device(&inside))
            return;
        if (inside.st_dev == status.st_dev && inside.st_ino == status.st_ino)
            continue;
        int flags = fcntl(fd, F_GETFL);
        CLEANUP_FD int null_fd = open("/dev/null", (flags & (O_ACCMODE | O_APPEND)) | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
        if (null_fd < 0 || fstat(null_fd, &inside) < 0 || !is_null_device(&inside) || dup2(null_fd, fd) < 0)
            return;
    }
}

/* The channel moves right behind what is kept, so that one call reaches everything else. */
static int move_behind(unsigned keep, int *channel, struct failure *why)
{
    int place = (int)(FIRST + keep);
    if (*channel == place)
        return 0;
    if (dup3(*channel, place, O_CLOEXEC) < 0)
        return fail_sys(why, "move the channel to the runtime to descriptor %d", place);
    *channel = place;
    return 0;
}

int fds_leave_only(unsigned keep, int *channel, struct failure *why)
{
    /* Against: CVE-2024-21626 (a host directory is a way out), by /proc/self/fd too.  Closed, not marked: the kernel looks for the
     * program, for the interpreter of a script and for that of a binary while what is only marked is still there.  The channel,
     * which reports a failed execve, is a socket and leads nowhere. */
    if (move_behind(keep, channel, why) < 0)
        return -1;
    if (kernel_close_range(FIRST + keep + 1, ~0U, 0) < 0) {
        fail_sys(why, "close the descriptors from %u on", FIRST + keep + 1);
        return failure_hint(why, "close_range(2) needs Linux 5.9 and an outer sandbox that allows it");
    }
    for (unsigned fd = FIRST; fd < FIRST + keep; fd++)
        if (fcntl((int)fd, F_SETFD, 0) < 0)
            return fail_sys(why, "keep descriptor %u for the container", fd);
    return 0;
}
