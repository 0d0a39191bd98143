/* container/stop.h: ending and removing a container; shared by delete and a start whose hook failed. */
#ifndef CRUN_LITE_CONTAINER_STOP_H
#define CRUN_LITE_CONTAINER_STOP_H

#include "container/state.h"

/* Removes what the container has in resctrl, once its processes are gone; nothing there is fine. */
int stop_remove_resctrl(const struct resctrl_name *name, enum resctrl_end end, struct failure *why) MUST_CHECK;

/* Kills everybody, removes the cgroup, the resctrl group and the state directory, runs the poststop hooks.  The directory is
 * locked exclusively by the caller.  `deadline_ms` of CLOCK_MONOTONIC bounds all but the hooks. */
int stop_destroy(struct state_directory *directory, struct state *state, int64_t deadline_ms, struct failure *why) MUST_CHECK;

/* Whether the cgroup of a stopped container has processes that are none of it, which are not ours to kill; says so in the log. */
bool stop_leaves_cgroup(const struct state *state, int cgroup);

#endif
