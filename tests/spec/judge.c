/* tests/spec/judge.c: the pure part of the creator's recipe. */
#include "tests/spec/judge.h"

#include "cgroups/devices.h"
#include "cgroups/limits.h"
#include "ns/ns.h"
#include "process/process.h"
#include "rootfs/rootfs.h"
#include "seccomp/seccomp.h"
#include "spec/read.h"

static int plan_namespaces(const struct spec *spec, struct ns_plan *plan, struct arena *arena, struct findings *findings)
{
    struct ns_sysctl *sysctls;
    size_t count;
    ns_plan(&spec->linux, plan);
    if (ns_check_id_maps(plan, findings) < 0)
        return -1;
    if (findings_doubt(findings, "/linux/namespaces"))
        return 0;
    return ns_plan_sysctls_all(spec, plan, arena, &sysctls, &count, findings);
}

static int plan_root(const struct spec *spec, const struct ns_plan *plan, struct arena *arena, struct findings *findings)
{
    struct rootfs *rootfs;
    const struct rootfs_surroundings around = {
        .new_user_ns = plan->new_user,
        .joined_user_ns = plan->joined_user,
        .new_network_ns = ns_is_new(plan, NS_NETWORK),
        .new_cgroup_ns = plan->new_cgroup,
        .privileged = true,
        .cgroup_path = "/container",
        .cgroup_mount = "/sys/fs/cgroup",
    };
    return rootfs_plan_all(spec, "/bundle", &around, arena, &rootfs, findings);
}

static int plan_cgroup(const struct spec *spec, struct arena *arena, struct findings *findings)
{
    const struct spec_resources *resources = &spec->linux.resources;
    struct devices_program program;
    struct limits limits;
    if (limits_plan_all(resources, arena, &limits, findings) < 0)
        return -1;
    return devices_plan_all(resources->devices, resources->devices_count, arena, &program, findings);
}

int judge(const char *text, size_t length, struct spec *spec, struct arena *arena, struct findings *findings)
{
    struct ns_plan namespaces;
    struct caps_plan caps;

    if (spec_parse_all(text, length, spec, findings) < 0 || spec_check_all(spec, findings) < 0 ||
        seccomp_check_all(&spec->linux.seccomp, findings) < 0 || limits_check_all(spec, findings) < 0 ||
        environment_check_all(&spec->process, findings) < 0)
        return -1;
    if (plan_namespaces(spec, &namespaces, arena, findings) < 0 || plan_root(spec, &namespaces, arena, findings) < 0)
        return -1;
    caps_plan(&spec->process.capabilities, &caps);
    return plan_cgroup(spec, arena, findings);
}
