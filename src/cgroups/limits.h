/*
 * cgroups/limits.h: /linux/resources -> ordered writes to cgroup v2 files.  Pure: no system call.
 *
 * Runs in: creator, and the update command.
 */
#ifndef CRUN_LITE_CGROUPS_LIMITS_H
#define CRUN_LITE_CGROUPS_LIMITS_H

#include "cgroups/cgroups.h"

enum {
    /* The file may be missing: the value is in force without it, or the next write says it too. */
    WRITE_MAY_BE_MISSING = 1 << 0,
    /* The value is what the kernel does unasked; it calls for no controller. */
    WRITE_IS_DEFAULT = 1 << 1,
    /* EINVAL now is no failure: the same write comes again later in the list. */
    WRITE_FIRST_TRY = 1 << 2,
    /* Refused when the memory in use is as much or more (checkBeforeUpdate). */
    WRITE_CHECKS_USAGE = 1 << 3,
    /* Could keep init from coming into being: waits until it is there. */
    WRITE_LATE = 1 << 4,
};

struct cgroup_write {
    const char *file;
    const char *value;
    const char *other_file; /* written instead where `file` is missing, or NULL */
    const char *other_value;
    const char *controller; /* "memory"; NULL for the core files, "cgroup.*" */
    const char *pointer;    /* of the member that asks for it */
    unsigned flags;
};

struct limits {
    struct cgroup_write *writes;
    size_t count;
};

/* Converts (the table of crun-lite-spec(5)); what cgroup v2 cannot do is refused with its pointer (RUNI-06).
 * Absent resources give no write. */
int limits_plan(const struct spec_resources *resources, struct arena *arena, struct limits *ret_limits,
                struct failure *why) MUST_CHECK;
int limits_plan_all(const struct spec_resources *resources, struct arena *arena, struct limits *ret_limits,
                    struct findings *findings) MUST_CHECK; /* reports */

/* cpu.shares (2..262144) -> cpu.weight (1..10000); 1024 is 100.  RCPU-03. */
uint64_t limits_weight_of_shares(uint64_t shares);

#endif
