/* tests/spec/judge.c: the pure part of the creator's recipe. */
#include "tests/spec/judge.h"

#include "cgroups/devices.h"
#include "cgroups/limits.h"
#include "ns/ns.h"
#include "process/process.h"
#include "rootfs/rootfs.h"
#include "seccomp/seccomp.h"
#include "spec/read.h"

static int plan_cgroup(const struct spec_resources *resources, struct arena *arena, struct failure *why)
{
    struct devices_program program;
    struct limits limits;
    if (devices_plan(resources->devices, resources->devices_count, arena, &program, why) < 0)
        return -1;
    return limits_plan(resources, arena, &limits, why);
}

int judge(const char *text, size_t length, struct spec *spec, struct arena *arena, struct failure *why)
{
    struct ns_plan namespaces;
    struct ns_sysctl *sysctls;
    struct caps_plan caps;
    struct rootfs *rootfs;
    size_t count;

    if (spec_parse(text, length, spec, why) < 0 || spec_check(spec, why) < 0 ||
        seccomp_check(&spec->linux.seccomp, why) < 0 || limits_check(spec, why) < 0)
        return -1;
    ns_plan(&spec->linux, &namespaces);
    if (ns_plan_sysctls(spec, &namespaces, arena, &sysctls, &count, why) < 0)
        return -1;
    caps_plan(&spec->process.capabilities, &caps);
    const struct rootfs_surroundings around = {
        .new_user_ns = namespaces.new_user,
        .joined_user_ns = namespaces.joined_user,
        .new_network_ns = ns_is_new(&namespaces, NS_NETWORK),
        .new_cgroup_ns = namespaces.new_cgroup,
        .privileged = true,
        .cgroup_path = "/container",
        .cgroup_mount = "/sys/fs/cgroup",
    };
    if (plan_cgroup(&spec->linux.resources, arena, why) < 0)
        return -1;
    return rootfs_plan(spec, "/bundle", &around, arena, &rootfs, why);
}
