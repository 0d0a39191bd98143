/* base/fd.c: descriptors: closing, copying, whole writes, passing one over a socket. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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

const char *fd_path(int fd, char buffer[FD_PATH_SIZE])
{
    snprintf(buffer, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
    return buffer;
}
