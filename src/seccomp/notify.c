/*
 * seccomp/notify.c: hands the listener of SCMP_ACT_NOTIFY to the agent.
 *
 * Runs in: creator.  One connection per message, one message per connection (runtime-spec, "Container Process
 * State"); closing it tells the agent where the document ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fd.h"
#include "seccomp/seccomp.h"

#define POINTER "/linux/seccomp/listenerPath"
/* An agent that neither accepts nor reads must not hold the container's creation for ever. */
#define AGENT_PATIENCE_SECONDS 30

static int listener_connect(const char *path, int socket_fd)
{
    struct timeval patience = {.tv_sec = AGENT_PATIENCE_SECONDS};

    if (setsockopt(socket_fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
        return -errno;
    return fd_connect(socket_fd, path);
}

/* One sendmsg, with the descriptor when `fd` >= 0.  The count sent or -errno. */
static ssize_t listener_send(int socket_fd, const char *data, size_t length, int fd)
{
    union {
        struct cmsghdr head; /* aligns the room */
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent;

    if (fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
        CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
        CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
        CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(int));
    }
    do
        sent = sendmsg(socket_fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

static int fail_no_agent(struct failure *why, int err, const char *path)
{
    (void)fail_errno(why, err, "connect to the seccomp agent at '%s'", path); /* returned below */
    (void)failure_hint(why, "an agent must listen there, on a stream socket, before the container is created");
    return failure_pointer(why, POINTER);
}

int seccomp_find_agent(const char *path, struct failure *why)
{
    /* The kernel looks the socket up before it compares the types: EPROTOTYPE is the answer of one that is in use and
     * no datagram socket, and its owner notices nothing. */
    CLEANUP_FD int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_fd < 0)
        return fail_sys(why, "create a socket for the seccomp agent");
    int err = fd_connect(socket_fd, path);
    return err == -EPROTOTYPE ? 0 : fail_no_agent(why, err == 0 ? -EPROTOTYPE : err, path);
}

int seccomp_send_listener(const char *path, const char *process_state_json, int listener_fd, struct failure *why)
{
    size_t length = strlen(process_state_json), sent = 0;
    CLEANUP_FD int socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int err;

    if (socket_fd < 0)
        return fail_sys(why, "create a socket for the seccomp agent");
    err = listener_connect(path, socket_fd);
    if (err < 0)
        return fail_no_agent(why, err, path);
    /* A document larger than the socket's buffer takes several messages; the descriptor goes with the first only. */
    while (sent < length) {
        ssize_t count = listener_send(socket_fd, process_state_json + sent, length - sent, sent == 0 ? listener_fd : -1);
        if (count < 0) {
            (void)fail_errno(why, (int)count, "send the seccomp listener to the agent at '%s'", path); /* returned below */
            return failure_pointer(why, POINTER);
        }
        sent += (size_t)count;
    }
    return 0;
}
