/* base/fd.c: descriptors: closing, copying, whole writes, locks with a deadline, passing one over a socket. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/pid.h"

void fd_close(int *fd)
{
    if (*fd < 0)
        return;
    int saved = errno;
    /* After close(2) the number is gone whatever it returned. */
    (void)close(*fd);
    *fd = -1;
    errno = saved;
}

int fd_steal(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

int fd_duplicate(int fd, int lowest)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
    return copy < 0 ? -errno : copy;
}

int fd_write_all(int fd, const void *data, size_t length)
{
    const char *from = data;
    while (length > 0) {
        ssize_t written = write(fd, from, length);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        from += written;
        length -= (size_t)written;
    }
    return 0;
}

ssize_t fd_read_up_to(int fd, void *data, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t got = read(fd, (char *)data + used, size - used);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        if (got == 0)
            break;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

int fd_set_nonblocking(int fd, bool nonblocking)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -errno;
    flags = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

bool fd_is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

int fd_connect(int socket, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP_FD int path_fd = -1;
    if (strlen(path) < sizeof(address.sun_path)) {
        memcpy(address.sun_path, path, strlen(path));
    } else {
        /* Through a descriptor of the socket's own name. */
        path_fd = open(path, O_PATH | O_CLOEXEC);
        if (path_fd < 0)
            return -errno;
        fd_path(path_fd, address.sun_path);
    }
    int r;
    do
        r = connect(socket, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    while (r == -EINTR);
    return r;
}

int fd_send(int socket, int fd, const void *data, size_t length)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof(control));
    struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &fd, sizeof(int));
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return -errno;
    return (size_t)sent == length ? 0 : -EMSGSIZE;
}

/* Its arrival is what ends flock(2). */
static void interrupt(int sig)
{
    (void)sig;
}

/* With a timer running whose signals interrupt: it goes on behind the deadline, for a signal that came just before flock(2). */
static int lock_interrupted(int fd, timer_t timer, int64_t deadline_ms)
{
    struct itimerspec times = {
        .it_value = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000},
        .it_interval = {.tv_nsec = 10L * 1000000},
    };
    if (timer_settime(timer, TIMER_ABSTIME, &times, NULL) < 0)
        return -errno;
    while (flock(fd, LOCK_EX) < 0) {
        if (errno != EINTR)
            return -errno;
        if (clock_now_ms() >= deadline_ms) /* any other signal was not meant for us */
            return -ETIMEDOUT;
    }
    return 0;
}

int fd_lock_until(int fd, int64_t deadline_ms)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK)
        return -errno;
    const struct sigaction interrupting = {.sa_handler = interrupt}; /* without SA_RESTART */
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct sigaction old_action;
    sigset_t alarm, old_mask;
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
        return -errno;
    (void)sigemptyset(&alarm); /* these cannot fail with valid arguments */
    (void)sigaddset(&alarm, SIGALRM);
    (void)sigaction(SIGALRM, &interrupting, &old_action);
    (void)sigprocmask(SIG_UNBLOCK, &alarm, &old_mask);
    int r = lock_interrupted(fd, timer, deadline_ms);
    /* In this order no signal of the timer meets the old mask or the old action. */
    (void)timer_delete(timer);
    (void)sigprocmask(SIG_SETMASK, &old_mask, NULL);
    (void)sigaction(SIGALRM, &old_action, NULL);
    return r;
}

const char *fd_path(int fd, char buffer[FD_PATH_SIZE])
{
    snprintf(buffer, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
    return buffer;
}
