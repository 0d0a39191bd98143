/*
 * cgroups/plan.h: what is to be done with a cgroup, before one exists.  Inside the folder only.
 */
#ifndef CRUN_LITE_CGROUPS_PLAN_H
#define CRUN_LITE_CGROUPS_PLAN_H

#include "cgroups/devices.h"
#include "cgroups/limits.h"

struct cgroup_plan {
    struct limits limits;
    struct devices_program program;
};

/* The plan that cgroup_plan_all left in the request, or a new one. */
int plan_of(const struct cgroup_request *request, struct arena *arena, struct cgroup_plan *ret_plan,
            struct failure *why) MUST_CHECK;
/* Whether a container without a cgroup of its own would miss something it was promised. */
bool plan_asks(const struct cgroup_plan *plan);
/* For a runtime that was told to make no cgroup. */
int plan_check_disabled(const struct cgroup_plan *plan, struct failure *why) MUST_CHECK;
/* For a caller without any place: nothing is delegated to him. */
int plan_check_nowhere(const struct cgroup_plan *plan, struct failure *why) MUST_CHECK;

#endif
