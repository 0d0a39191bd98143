/*
 * cgroups/probe.h: questions about a cgroup that the creator asks and the check command too.  Inside the folder only.
 */
#ifndef CRUN_LITE_CGROUPS_PROBE_H
#define CRUN_LITE_CGROUPS_PROBE_H

#include "cgroups/cgroups.h"

/* Of a cgroup that was opened. */
int probe_may_enter(const struct cgroup *cgroup, struct failure *why) MUST_CHECK;
int probe_not_frozen(const struct cgroup *cgroup, struct failure *why) MUST_CHECK;
int probe_not_populated(const struct cgroup *cgroup, struct failure *why) MUST_CHECK;
/* `done`: 0 or the -errno of loading or attaching the device program. */
int probe_explain_devices(int done, const char *path, struct failure *why) MUST_CHECK;

#endif
