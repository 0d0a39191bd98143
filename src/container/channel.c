/*
 * container/channel.c: one packet in, one packet out.
 *
 * Runs in creator, start, escort and init.  Init uses it after the root switch: no path lookups here but for
 * the start socket, which only the creator and `start` touch.
 */
#include "container/channel.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pid.h"
#include "base/text.h"

#define SHORT_MESSAGE offsetof(struct message, failure)

int channel_open(int ret_ends[2], struct failure *why)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends) < 0)
        return fail_sys(why, "make the channel to the container's first process");
    return 0;
}

/* What a socket answers, once, whose other side ended with words unread is one more way of being gone. */
static int gone_or(int errnum)
{
    return errnum == -ECONNRESET ? -EPIPE : errnum;
}

int channel_send(int channel, enum message_kind kind, int32_t value, int fd)
{
    struct message message = {.kind = kind, .value = value};
    if (fd >= 0)
        return gone_or(fd_send(channel, fd, &message, SHORT_MESSAGE));
    ssize_t sent;
    do
        sent = send(channel, &message, SHORT_MESSAGE, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? gone_or(-errno) : 0;
}

int channel_send_failure(int channel, const struct failure *why)
{
    struct message message = {.kind = MESSAGE_FAILED, .failure = *why};
    ssize_t sent;
    do
        sent = send(channel, &message, sizeof(message), MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

static int wait_readable(int channel, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd wait = {.fd = channel, .events = POLLIN};
        int64_t left = deadline_ms < 0 ? -1 : deadline_ms - clock_now_ms();
        if (deadline_ms >= 0 && left <= 0)
            return -ETIME;
        int r = poll(&wait, 1, (int)left);
        if (r > 0)
            return 0;
        if (r < 0 && errno != EINTR)
            return -errno;
    }
}

/* A failure from the other side may come from a container: every string ended, no control bytes. */
static void tame_failure(struct failure *failure)
{
    struct failure tame = {.errnum = failure->errnum, .exit_code = failure->exit_code & 0xff, .line = failure->line, .kind = FAILURE_HOST};
    failure->text[sizeof(failure->text) - 1] = '\0';
    failure->document[sizeof(failure->document) - 1] = '\0';
    failure->pointer[sizeof(failure->pointer) - 1] = '\0';
    failure->hint[sizeof(failure->hint) - 1] = '\0';
    failure->document[0] = '\0'; /* who reads the document knows its name */
    text_sanitize(tame.text, sizeof(tame.text), failure->text);
    text_sanitize(tame.document, sizeof(tame.document), failure->document);
    text_sanitize(tame.pointer, sizeof(tame.pointer), failure->pointer);
    text_sanitize(tame.hint, sizeof(tame.hint), failure->hint);
    if (failure->kind > FAILURE_NONE && failure->kind <= FAILURE_BUG)
        tame.kind = failure->kind;
    *failure = tame;
}

static void take_fd(struct msghdr *header, int *ret_fd)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
            if (*ret_fd < 0)
                *ret_fd = fd;
            else
                fd_close(&fd);
        }
    }
}

int channel_receive(int channel, int64_t deadline_ms, struct message *ret_message, int *ret_fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = ret_message, .iov_len = sizeof(*ret_message)};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

    *ret_fd = -1;
    memset(ret_message, 0, sizeof(*ret_message));
    if (deadline_ms >= 0) {
        int r = wait_readable(channel, deadline_ms);
        if (r < 0)
            return r;
    }
    ssize_t got;
    /* ECONNRESET, once: the other side ended before it had read all that was sent to it.  Its own words may still be there. */
    do
        got = recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
    while (got < 0 && (errno == EINTR || errno == ECONNRESET));
    if (got < 0)
        return -errno;
    if (got > 0 || (got == 0 && header.msg_controllen > 0))
        take_fd(&header, ret_fd); /* an empty packet may carry some too */
    if (got <= 0) {
        fd_close(ret_fd);
        ret_message->kind = MESSAGE_NONE;
        return 0;
    }
    size_t due = ret_message->kind == MESSAGE_FAILED ? sizeof(*ret_message) : SHORT_MESSAGE;
    if ((size_t)got != due || ret_message->kind == MESSAGE_NONE || ret_message->kind >= MESSAGE_KINDS || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
        fd_close(ret_fd);
        return -EPROTO;
    }
    if (ret_message->kind == MESSAGE_FAILED)
        tame_failure(&ret_message->failure);
    return 0;
}

/* The directory is reached through its fd: state roots may be longer than sun_path. */
static void socket_address(int directory_fd, const char *name, struct sockaddr_un *ret_address)
{
    memset(ret_address, 0, sizeof(*ret_address));
    ret_address->sun_family = AF_UNIX;
    snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "/proc/self/fd/%d/%s", directory_fd, name);
}

int channel_listen(int directory_fd, const char *name, int *ret_fd, struct failure *why)
{
    struct sockaddr_un address;
    socket_address(directory_fd, name, &address);
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
        return fail_sys(why, "make the start socket in the state directory");
    *ret_fd = fd_steal(&fd);
    return 0;
}

int channel_connect(int directory_fd, const char *name)
{
    struct sockaddr_un address;
    socket_address(directory_fd, name, &address);
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return fd_steal(&fd);
}
