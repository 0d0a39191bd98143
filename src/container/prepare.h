/*
 * container/prepare.h: the creator's work before clone: read, check, plan, make.  Private to container/.
 *
 * prepare_plan makes nothing on the host; prepare_make makes the state directory and the cgroup and opens
 * what init will need.
 */
#ifndef CRUN_LITE_CONTAINER_PREPARE_H
#define CRUN_LITE_CONTAINER_PREPARE_H

#include "container/birth.h"

/* Reports.  Everything that create, run and check can say of a configuration without making anything, in the one order that
 * all three follow; the plans that it makes are the ones that are carried out. */
int prepare_check(struct birth *birth, struct findings *findings) MUST_CHECK;
int prepare_plan(struct birth *birth, struct failure *why) MUST_CHECK;
int prepare_make(struct birth *birth, struct failure *why) MUST_CHECK;
/* The compiled /linux/seccomp, from the cache below the state root where it is there.  Left as it is without a profile. */
int prepare_filter(const struct spec_seccomp *seccomp, int root_fd, struct arena *arena, struct seccomp_filter *ret_filter,
                   struct failure *why) MUST_CHECK;
/* A new pair of channel ends; part of prepare_make, and again for a second clone. */
int prepare_channel(struct birth *birth, struct failure *why) MUST_CHECK;

#endif
