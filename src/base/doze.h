/*
 * base/doze.h: waiting for a connection with hardly any memory.
 *
 * A created container may wait for its start for days, and there may be thousands.  What the waiting process has of its program,
 * instructions and constants, is in the page cache as well: it leaves the process and comes back page by page afterwards.
 *
 * Runs in: init that waits for start.
 */
#ifndef CRUN_LITE_BASE_DOZE_H
#define CRUN_LITE_BASE_DOZE_H

#include "base/failure.h"

/* The next connection to a listening socket, close-on-exec.  Handlers of signals run meanwhile.  PLAIN: fd or -errno. */
int doze_accept(int listening) MUST_CHECK;

#endif
