/*
 * cgroups/systemd.h: transient scopes through the service manager's D-Bus interface.
 *
 * libsystemd is loaded on demand, in systemd.c only; a build without it answers every call with one clear failure.
 *
 * Runs in: creator, delete, update: host side processes.
 */
#ifndef CRUN_LITE_CGROUPS_SYSTEMD_H
#define CRUN_LITE_CGROUPS_SYSTEMD_H

#include "cgroups/path.h"
#include "cgroups/systemd_properties.h"

struct systemd_scope {
    const char *unit;  /* "libpod-ID.scope" */
    const char *slice; /* "machine.slice" */
    const char *description;
    pid_t pid; /* its first process */
    const struct systemd_properties *properties;
};

/* Loads the library; in the static program goes on as the dynamic one (base/twin.h, which says what that needs).  Called early
 * by those who will call one of the following, so that what is missing is told before anything is made. */
int systemd_prepare(struct failure *why) MUST_CHECK;

/* StartTransientUnit and its job's end.  `ret_control_group`: the unit's place, "/machine.slice/…", in the arena.
 */
int systemd_start_scope(const struct systemd_scope *scope, struct arena *arena, char **ret_control_group,
                        struct failure *why) MUST_CHECK;
/* SetUnitProperties of a running scope: all of them or none.  After this: systemd has written the cgroup's files. */
int systemd_set_properties(const char *unit, const struct systemd_properties *properties,
                           struct failure *why) MUST_CHECK;
/* StopUnit and its job's end, then ResetFailedUnit.  No such unit is success. */
int systemd_stop_unit(const char *unit, int64_t deadline_ms, struct failure *why) MUST_CHECK;

#endif
