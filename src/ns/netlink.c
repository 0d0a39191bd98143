/*
 * ns/netlink.c: one question to the kernel's routing socket, and its answer.
 *
 * Runs in the creator.  Believes the kernel only: inside a network namespace that is joined others may
 * send to the socket too.
 */
#include "ns/netlink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/* The kernel fits the parts of a list into what the reader offers, up to this. */
#define ANSWER_ROOM 32768

int netlink_init(struct netlink *netlink, const struct mnl *mnl, int *fd)
{
    const int on = 1;
    *netlink = (struct netlink){.fd = fd_steal(fd), .mnl = mnl};
    /* KERNEL(4.20): lists may be narrowed to one device. */
    if (setsockopt(netlink->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) < 0 ||
        setsockopt(netlink->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) < 0 ||
        setsockopt(netlink->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0)
        return -errno;
    return 0;
}

void netlink_done(struct netlink *netlink)
{
    fd_close(&netlink->fd);
}

/* ---- requests ---- */

void netlink_begin(const struct netlink *netlink, struct netlink_request *request, uint16_t type, const void *head, size_t size)
{
    request->mnl = netlink->mnl;
    request->overflow = 0;
    request->message = netlink->mnl->put_header(request->room);
    request->message->nlmsg_type = type;
    memcpy(netlink->mnl->put_extra_header(request->message, size), head, size);
}

void netlink_add(struct netlink_request *request, uint16_t type, const void *data, size_t size)
{
    if (!request->mnl->attr_put(request->message, sizeof(request->room), type, size, data))
        request->overflow = 1;
}

void netlink_add_text(struct netlink_request *request, uint16_t type, const char *text)
{
    netlink_add(request, type, text, strlen(text) + 1);
}

void netlink_add_u32(struct netlink_request *request, uint16_t type, uint32_t value)
{
    netlink_add(request, type, &value, sizeof(value));
}

/* ---- answers ---- */

struct answer {
    struct netlink *netlink;
    netlink_reader *reader;
    void *arg;
    int refused;     /* by the reader: the rest is received all the same, or the next answer would begin with it */
    int result;      /* of the kernel */
    int interrupted; /* NLM_F_DUMP_INTR was seen */
};

static int read_object(const struct nlmsghdr *message, void *arg)
{
    struct answer *answer = arg;
    if (answer->reader != NULL && answer->refused == 0)
        answer->refused = answer->reader(answer->netlink->mnl, message, answer->arg);
    return MNL_CB_OK;
}

/* The attributes behind a refusal, with NETLINK_CAP_ACK right behind its fixed part. */
static void keep_complaint(struct netlink *netlink, const struct nlmsghdr *message)
{
    const char *payload = netlink->mnl->payload(message);
    size_t length = netlink->mnl->payload_length(message), at = sizeof(struct nlmsgerr);
    char words[sizeof(netlink->complaint) - 4];
    if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || !(message->nlmsg_flags & NLM_F_CAPPED))
        return;
    while (at + sizeof(struct nlattr) <= length) {
        struct nlattr attribute;
        memcpy(&attribute, payload + at, sizeof(attribute));
        if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > length - at)
            return;
        if ((attribute.nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
            const char *text = payload + at + sizeof(attribute);
            size_t size = attribute.nla_len - sizeof(attribute);
            snprintf(words, sizeof(words), "%.*s", (int)strnlen(text, size), text);
            snprintf(netlink->complaint, sizeof(netlink->complaint), " (%s)", words);
            return;
        }
        at += NLMSG_ALIGN((size_t)attribute.nla_len);
    }
}

static int read_end(const struct nlmsghdr *message, void *arg)
{
    struct answer *answer = arg;
    const struct nlmsgerr *end = answer->netlink->mnl->payload(message);
    if (answer->netlink->mnl->payload_length(message) < sizeof(*end)) {
        answer->result = -EBADMSG;
        return MNL_CB_STOP;
    }
    memcpy(&answer->result, end, sizeof(answer->result)); /* its member has glibc's name */
    if (answer->result < 0) {
        answer->netlink->complaint[0] = '\0';
        keep_complaint(answer->netlink, message);
    }
    return MNL_CB_STOP;
}

/* A list ends with NLMSG_DONE, whose payload is the kernel's result. */
static int read_done(const struct nlmsghdr *message, void *arg)
{
    struct answer *answer = arg;
    int result = 0;
    if (answer->netlink->mnl->payload_length(message) >= sizeof(result))
        memcpy(&result, answer->netlink->mnl->payload(message), sizeof(result));
    answer->result = result < 0 ? result : 0;
    return MNL_CB_STOP;
}

static ssize_t receive(int fd, struct iovec part)
{
    for (;;) {
        struct sockaddr_nl from = {0};
        struct msghdr header = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1};
        ssize_t got = recvmsg(fd, &header, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (header.msg_flags & MSG_TRUNC)
            return -EMSGSIZE;
        if (header.msg_namelen == sizeof(from) && from.nl_pid == 0)
            return got;
    }
}

/* libmnl stops at the mark of an interrupted list, but its end has to be received. */
static void take_marks(struct answer *answer, char *room, ssize_t length)
{
    const struct mnl *mnl = answer->netlink->mnl;
    int left = (int)length;
    for (struct nlmsghdr *message = (struct nlmsghdr *)(void *)room; mnl->message_fits(message, left); message = mnl->message_next(message, &left)) {
        answer->interrupted |= message->nlmsg_flags & NLM_F_DUMP_INTR;
        message->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
    }
}

static int converse(struct netlink *netlink, struct netlink_request *request, netlink_reader *reader, void *arg)
{
    mnl_cb_t ends[NLMSG_DONE + 1] = {[NLMSG_ERROR] = read_end, [NLMSG_DONE] = read_done};
    struct answer answer = {.netlink = netlink, .reader = reader, .arg = arg};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (request->overflow)
        return -EMSGSIZE;
    request->message->nlmsg_seq = ++netlink->sequence;
    if (sendto(netlink->fd, request->room, request->message->nlmsg_len, MSG_NOSIGNAL, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
        return -errno;
    char *room = memory_new(ANSWER_ROOM);
    int r = MNL_CB_OK;
    while (r > 0) {
        ssize_t got = receive(netlink->fd, (struct iovec){.iov_base = room, .iov_len = ANSWER_ROOM});
        if (got < 0) {
            r = (int)got;
            break;
        }
        take_marks(&answer, room, got);
        r = netlink->mnl->run(room, (size_t)got, netlink->sequence, 0, read_object, &answer, ends, ARRAY_LENGTH(ends));
        if (r < 0)
            r = errno > 0 ? -errno : -EBADMSG;
    }
    free(room);
    if (r < 0)
        return r;
    return answer.result < 0 ? answer.result : answer.interrupted ? -EINTR : answer.refused;
}

int netlink_ask(struct netlink *netlink, struct netlink_request *request, netlink_reader *reader, void *arg)
{
    /* The acknowledgement comes behind the object, so that there is one end to every answer. */
    request->message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    return converse(netlink, request, reader, arg);
}

int netlink_list(struct netlink *netlink, struct netlink_request *request, netlink_reader *reader, void *arg)
{
    request->message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    return converse(netlink, request, reader, arg);
}
