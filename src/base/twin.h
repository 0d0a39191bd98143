/*
 * base/twin.h: the program in its other linkage.
 *
 * A statically linked program starts in half the time, and cannot load a library.  It carries its dynamically linked
 * twin as data, untouched until a library is needed that exists as a shared object only (libsystemd, libmnl), and then goes on
 * as that.  Where the program itself is linked dynamically there is no twin and no need of one.
 *
 * Runs in: the CLI process, single-threaded.
 */
#ifndef CRUN_LITE_BASE_TWIN_H
#define CRUN_LITE_BASE_TWIN_H

#include "base/failure.h"

/* To be called by main: `argv`, lent for good, is what the twin is started with. */
void twin_begin(char **argv);
/*
 * Before a library is loaded.  The static program starts over as its twin, in the same process, with the same arguments,
 * environment and inherited descriptors, and returns only to say why it could not; the dynamic one returns 0.
 *
 * Needs: nothing was made, and nothing read that could not be read again.
 */
int twin_take_over(struct failure *why) MUST_CHECK;

#endif
