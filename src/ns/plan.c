/* ns/plan.c: which namespaces are made, which joined, and whether an escort is needed.  Pure. */
#include <string.h>

#include "base/kernel.h"
#include "ns/flags.h"
#include "ns/ns.h"

const uint64_t ns_clone_flags[NS_TYPES] = {
    [NS_PID] = CLONE_NEWPID, [NS_NETWORK] = CLONE_NEWNET, [NS_MOUNT] = CLONE_NEWNS,   [NS_IPC] = CLONE_NEWIPC,
    [NS_UTS] = CLONE_NEWUTS, [NS_USER] = CLONE_NEWUSER,   [NS_CGROUP] = CLONE_NEWCGROUP, [NS_TIME] = CLONE_NEWTIME,
};

static void plan_joined(struct ns_plan *plan, enum ns_type type, const struct spec_namespace *namespace)
{
    plan->joined[plan->joined_count++] =
        (struct ns_joined){.type = type, .fd = -1, .path = namespace->path, .index = namespace->index};
    if (type == NS_USER)
        plan->joined_user = true;
}

static void plan_new(struct ns_plan *plan, enum ns_type type)
{
    bool offsets = plan->linux->monotonic_offset.set || plan->linux->boottime_offset.set;
    if (type == NS_USER)
        plan->new_user = true;
    else if (type == NS_CGROUP)
        plan->new_cgroup = true;
    else if (type == NS_TIME && offsets)
        plan->new_time_with_offsets = true;
    else
        plan->new_flags |= ns_clone_flags[type];
}

static void decide_escort(struct ns_plan *plan)
{
    plan->escort = plan->joined_user || plan->new_time_with_offsets || (plan->new_user && plan->joined_count > 0) ||
                   ns_is_joined(plan, NS_PID) || ns_is_joined(plan, NS_TIME);
}

void ns_plan(const struct spec_linux *linux, struct ns_plan *ret_plan)
{
    memset(ret_plan, 0, sizeof(*ret_plan));
    ret_plan->linux = linux;
    ret_plan->own_network = -1;
    for (enum ns_type type = 0; type < NS_TYPES; type++) {
        const struct spec_namespace *namespace = &linux->namespaces[type];
        if (!namespace->listed)
            continue;
        if (namespace->path != NULL)
            plan_joined(ret_plan, type, namespace);
        else
            plan_new(ret_plan, type);
    }
    decide_escort(ret_plan);
}

void ns_plan_drop(struct ns_plan *plan, size_t position)
{
    if (plan->joined[position].type == NS_USER)
        plan->joined_user = false;
    plan->joined_count--;
    memmove(&plan->joined[position], &plan->joined[position + 1], (plan->joined_count - position) * sizeof(plan->joined[0]));
    decide_escort(plan);
}

bool ns_is_joined(const struct ns_plan *plan, enum ns_type type)
{
    for (size_t i = 0; i < plan->joined_count; i++)
        if (plan->joined[i].type == type)
            return true;
    return false;
}

bool ns_is_new(const struct ns_plan *plan, enum ns_type type)
{
    const struct spec_namespace *namespace = &plan->linux->namespaces[type];
    return namespace->listed && namespace->path == NULL;
}
