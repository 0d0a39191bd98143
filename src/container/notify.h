/*
 * container/notify.h: NOTIFY_SOCKET: what the container's program says with sd_notify(3) reaches the service manager that
 * started us.  Private to container/.
 *
 *   service manager <--- NOTIFY_SOCKET --- run, start <--- <root>/<id>/notify/notify.sock = /run/notify/notify.sock inside
 *
 * The container does not get the manager's own socket: its process ids mean nothing there, and descriptors and the choice of who may
 * notify are not a container's to hand in.  Its socket is read while `run` is in the foreground, or until READY=1 by `run --detach`
 * and `start`; no process stays behind for it.
 *
 * Runs in: creator, start.
 */
#ifndef CRUN_LITE_CONTAINER_NOTIFY_H
#define CRUN_LITE_CONTAINER_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/failure.h"
#include "base/memory.h"
#include "base/text.h"
#include "spec/spec.h"

struct notify {
    const char *manager_address; /* of the environment; NULL: nobody is to be told */
    int manager;                 /* connected; -1: not yet */
    int container;               /* bound in the state directory; -1: not yet */
};

#define NOTIFY_NONE {.manager_address = NULL, .manager = -1, .container = -1}

/* Takes NOTIFY_SOCKET from the environment. */
int notify_look(struct notify *notify, struct failure *why) MUST_CHECK;
/* Adds the mount and the variable to the specification; nothing where the configuration has a NOTIFY_SOCKET of its own.
 * `directory_host`: the state directory that will be. */
int notify_plan(struct notify *notify, const char *directory_host, struct arena *arena, struct spec *spec, struct failure *why) MUST_CHECK;
/* The directory that is mounted. */
int notify_make(const struct notify *notify, int directory_fd, struct failure *why) MUST_CHECK;
/* Before the program runs.  Where create made no directory there is nothing to listen to: manager_address becomes NULL. */
int notify_listen(struct notify *notify, int directory_fd, struct failure *why) MUST_CHECK;
/* Passes on until READY=1 came, with MAINPID=`pid`, and the manager has taken it (30 seconds at most).  Without a listening
 * socket it returns at once.  A process that ends before it is ready is a failure; `pidfd` -1: it is gone already. */
int notify_await_ready(struct notify *notify, const char *id, int pidfd, pid_t pid, struct failure *why) MUST_CHECK;
/* Passes on what is there, without waiting for more; MAINPID is the caller's pid.  `notify`: a struct notify. */
void notify_pass_on(void *notify);
void notify_close(struct notify *notify);

/* PURE.  The lines of a container's message that concern the manager are added to `out`, made harmless. */
void notify_filter(const char *message, size_t length, struct text *out, bool *ret_ready);

#endif
