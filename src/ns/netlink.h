/*
 * ns/netlink.h: one question to the kernel's routing socket, and its answer.  Private to ns/.
 *
 * All functions are PLAIN; the kernel's own words about a refusal, where it has some, are in `complaint`.
 *
 * Runs in: creator, with a socket of its own network namespace and one of the container's.
 */
#ifndef CRUN_LITE_NS_NETLINK_H
#define CRUN_LITE_NS_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "ns/mnl.h"

struct netlink {
    int fd; /* -1: none */
    uint32_t sequence;
    const struct mnl *mnl;
    char complaint[160]; /* " (what the kernel said)" of the last refusal, or "" */
};

/* Makes the caller's socket ready; takes *fd. */
int netlink_init(struct netlink *netlink, const struct mnl *mnl, int *fd) MUST_CHECK;
void netlink_done(struct netlink *netlink);

/* A request under construction: room for one link or address with all its attributes. */
struct netlink_request {
    const struct mnl *mnl;
    struct nlmsghdr *message;
    int overflow;
    _Alignas(8) char room[1024];
};

/* `head` is the struct that follows the message header (struct ifinfomsg, struct ifaddrmsg). */
void netlink_begin(const struct netlink *netlink, struct netlink_request *request, uint16_t type, const void *head, size_t size);
void netlink_add(struct netlink_request *request, uint16_t type, const void *data, size_t size);
void netlink_add_text(struct netlink_request *request, uint16_t type, const char *text);
void netlink_add_u32(struct netlink_request *request, uint16_t type, uint32_t value);

/* Called for every object of the answer: 0 or -errno, which ends the calls. */
typedef int netlink_reader(const struct mnl *mnl, const struct nlmsghdr *message, void *arg);

/* Asks for a change, or for one object when there is a reader.  0 or -errno. */
int netlink_ask(struct netlink *netlink, struct netlink_request *request, netlink_reader *reader, void *arg) MUST_CHECK;
/* Asks for every object.  0 or -errno; -EINTR: something changed meanwhile and the list may have holes. */
int netlink_list(struct netlink *netlink, struct netlink_request *request, netlink_reader *reader, void *arg) MUST_CHECK;

#endif
