#include "cgroups/systemd.h"

static int refuse(struct failure *why)
{
    fail(why, FAILURE_HOST, "this build has no systemd cgroup driver");
    return failure_hint(why, "use the cgroupfs manager (leave --systemd-cgroup out), or build with libsystemd");
}

int systemd_start_scope(const struct systemd_scope *scope, struct arena *arena, char **ret_control_group, struct failure *why)
{
    (void)scope, (void)arena, (void)ret_control_group;
    return refuse(why);
}

int systemd_set_properties(const char *unit, const struct systemd_properties *properties, struct failure *why)
{
    (void)unit, (void)properties;
    return refuse(why);
}

int systemd_stop_unit(const char *unit, int64_t deadline_ms, struct failure *why)
{
    (void)unit, (void)deadline_ms;
    return refuse(why);
}
