/*
 * cgroups/plan.c: limits, device rules, properties and place of a cgroup as one plan, which the creator carries out and the
 * check command only makes.
 *
 * Runs in: creator, check, update.  Makes nothing.
 */
#include "cgroups/plan.h"

#include "cgroups/mount.h"
#include "cgroups/systemd_properties.h"

bool plan_asks(const struct cgroup_plan *plan)
{
    for (size_t i = 0; i < plan->limits.count; i++)
        if (!(plan->limits.writes[i].flags & (WRITE_IS_DEFAULT | WRITE_MAY_BE_MISSING)))
            return true;
    return plan->program.count > 0 && mount_privilege() == PATH_ROOT;
}

/* Limits, but no device rules: engines send those always, and without a cgroup they were never in force. */
int plan_check_disabled(const struct cgroup_plan *plan, struct failure *why)
{
    if (!plan_asks(&(struct cgroup_plan){.limits = plan->limits}))
        return 0;
    (void)fail(why, FAILURE_HOST, "limits are asked for, and cgroups are disabled"); /* returned below */
    (void)failure_hint(why, "leave --cgroup-manager disabled out, or leave the limits out"); /* as above */
    return failure_pointer(why, "/linux/resources");
}

int plan_check_nowhere(const struct cgroup_plan *plan, struct failure *why)
{
    if (!plan_asks(plan))
        return 0;
    (void)fail(why, FAILURE_HOST, "limits are asked for, and no cgroup is delegated to this user"); /* returned below */
    (void)failure_hint(why, "have systemd delegate one: systemd-run --user --scope -p Delegate=yes COMMAND"); /* as above */
    return failure_pointer(why, "/linux/resources");
}

static int plan_resources(const struct spec_resources *resources, struct arena *arena, struct cgroup_plan *ret_plan,
                          struct findings *findings)
{
    bool given = resources && resources->set;
    if (limits_plan_all(resources, arena, &ret_plan->limits, findings) < 0)
        return -1;
    return devices_plan_all(given ? resources->devices : NULL, given ? resources->devices_count : 0, arena,
                            &ret_plan->program, findings);
}

int plan_of(const struct cgroup_request *request, struct arena *arena, struct cgroup_plan *ret_plan,
                   struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    if (request->plan != NULL) {
        *ret_plan = *request->plan;
        return 0;
    }
    return plan_resources(request->resources, arena, ret_plan, &first);
}

static int check_properties(const struct cgroup_request *request, struct arena *arena, struct failure *why)
{
    struct systemd_properties ignored = {0};
    return request->manager == CGROUP_MANAGER_SYSTEMD ? properties_of_annotations(request->annotations, arena, &ignored, why) : 0;
}

int cgroup_plan_all(struct cgroup_request *request, struct arena *arena, struct cgroup_name *ret_name,
                    struct findings *findings)
{
    struct cgroup_plan *plan = arena_alloc(arena, sizeof *plan);
    if (plan_resources(request->resources, arena, plan, findings) < 0 ||
        found(findings, check_properties(request, arena, findings->why)) < 0)
        return -1;
    int located = cgroup_locate(request, arena, ret_name, findings->why);
    if (located == 0)
        request->plan = plan;
    return found(findings, located);
}
