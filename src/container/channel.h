/*
 * container/channel.h: the words that creator, escort, init and `start` exchange.
 *
 *   creator                                   (escort)  init
 *      |---- clone3 ------------------------------>|
 *      |<--- WANT_ID_MAPS ----------- escort, when it made a user namespace
 *      |---- GO_ON --------------------->|
 *      |<--- SPAWNED(pid) ----------- escort, its last word
 *      |---- GO_ON --------------------------------->|   id maps, limits, systemd cgroup (where one is needed)
 *      |---- NETWORK(fd) ------------------------->|   with a network namespace that the creator made meanwhile
 *      |<--- CONSOLE(fd) ---------------------------|   with a terminal
 *      |<--- BUILT ---------------------------------|   with network devices, prestart, createRuntime hooks
 *      |---- GO_ON --------------------------------->|
 *      |<--- READY ---------------------------------|   inside its root, program found; not where
 *      |---- START (run) / HANDED_OVER (create) ---->|   START comes without it: see create.c, starts_early
 *      |                                             |   create: init waits on the start socket;
 *   start                                            |   `start` connects and speaks as the creator would
 *      |---- START(fd) ----------------------------->|   with --timing: its timeline
 *      |<--- LISTENER(fd) --------------------------|   with a seccomp listener; answered by GO_ON
 *      |<--- EXECUTING, then end of file -------------|
 *      |<--- FAILED(why) at any moment -------------|
 *
 * One SOCK_SEQPACKET pair (or the accepted start connection), CLOEXEC: so end of file means "exec happened or
 * died".  Every packet is one struct message, cut after the member that its kind needs.  Once init runs
 * in a user namespace or a container's root, its messages are untrusted: bounded, ended, sanitized.
 */
#ifndef CRUN_LITE_CONTAINER_CHANNEL_H
#define CRUN_LITE_CONTAINER_CHANNEL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"

enum message_kind {
    MESSAGE_NONE = 0, /* end of file */
    MESSAGE_WANT_ID_MAPS,
    MESSAGE_SPAWNED,
    MESSAGE_CONSOLE,
    MESSAGE_BUILT,
    MESSAGE_READY,
    MESSAGE_LISTENER,
    MESSAGE_EXECUTING,
    MESSAGE_FAILED,
    MESSAGE_GO_ON,
    MESSAGE_NETWORK,
    MESSAGE_START,
    MESSAGE_HANDED_OVER,
    MESSAGE_KINDS
};

struct message {
    uint32_t kind;
    int32_t value; /* SPAWNED: the pid; GO_ON: 1 when setgroups is denied; START with a timeline: init's track there */
    struct failure failure; /* FAILED */
};

/* A connected pair, both ends CLOEXEC. */
int channel_open(int ret_ends[2], struct failure *why) MUST_CHECK;
/* PLAIN: 0 or -errno (-EPIPE: the other side is gone). `fd` goes along unless -1. */
int channel_send(int channel, enum message_kind kind, int32_t value, int fd) MUST_CHECK;
int channel_send_failure(int channel, const struct failure *why) MUST_CHECK;
/* Waits for the next packet, at most until `deadline_ms` (-1: for ever).  Fills *ret_message (kind NONE at end of file)
 * and *ret_fd (-1 when there is none).  PLAIN: 0, -ETIME, or -EPROTO for a malformed packet. */
int channel_receive(int channel, int64_t deadline_ms, struct message *ret_message, int *ret_fd) MUST_CHECK;

/* The start socket in the state directory. */
int channel_listen(int directory_fd, const char *name, int *ret_fd, struct failure *why) MUST_CHECK;
/* PLAIN: connected fd or -errno (-ENOENT: no such socket, -ECONNREFUSED: nobody listens any more). */
int channel_connect(int directory_fd, const char *name) MUST_CHECK;

#endif
