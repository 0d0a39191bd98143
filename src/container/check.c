/*
 * container/check.c: everything that create would refuse, at once and without making anything.
 *
 * The configuration is judged by prepare_check, which create and run call too; what follows asks the host.  A question that
 * only trying would answer is not asked: a finding is a thing that create is known to fail on.
 *
 * Runs in: the CLI process, in the host's namespaces.  Must not: make a state directory, a cgroup, a mount that others see.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "container/hooks.h"
#include "container/prepare.h"
#include "spec/read.h"

static bool is_below(const char *path, const char *above)
{
    size_t length = strlen(above);
    return strncmp(path, above, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* Could a program be where this mount shows something that is not in the bundle's root? */
static bool may_bring(const struct spec_mount *mount, const char *program)
{
    static const char *const empty[] = {"tmpfs", "proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2"};
    static const char *const without_programs[] = {"/dev", "/etc", "/proc", "/run", "/sys", "/tmp"};
    for (size_t i = 0; i < ARRAY_LENGTH(empty); i++)
        if (text_equal(mount->type, empty[i]))
            return false;
    if (is_below(program, mount->destination))
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(without_programs); i++)
        if (is_below(mount->destination, without_programs[i]))
            return false;
    return true;
}

static bool program_may_come_later(const struct spec *spec)
{
    for (size_t i = 0; i < spec->mounts_count; i++)
        if (may_bring(&spec->mounts[i], spec->process.args.items[0]))
            return true;
    return spec->hooks[HOOK_PRESTART].count > 0 || spec->hooks[HOOK_CREATE_RUNTIME].count > 0 ||
           spec->hooks[HOOK_CREATE_CONTAINER].count > 0;
}

static int probe_program(const struct birth *birth, struct findings *findings)
{
    const struct spec *spec = &birth->spec;
    if (birth->state.rootfs == NULL || !spec->process.set || spec->process.args.count == 0 ||
        findings_doubt(findings, "/process/args") || findings_doubt(findings, "/mounts") || program_may_come_later(spec))
        return 0;
    CLEANUP_FD int root = open(birth->state.rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? 0 : found(findings, environment_probe_program(&spec->process, root, findings->why));
}

/* In the order in which create would come upon them. */
static int probe_host(struct birth *birth, struct findings *findings)
{
    if (cgroup_probe(&birth->cgroup_request, &birth->state.cgroup, &birth->arena, findings) < 0)
        return -1;
    if (birth->rootfs != NULL && rootfs_probe(birth->rootfs, findings) < 0)
        return -1;
    if (seccomp_probe(&birth->spec.linux.seccomp, findings) < 0 || ns_probe(&birth->namespaces, findings) < 0 ||
        limits_probe(&birth->spec.process, findings) < 0 || hooks_probe(&birth->spec, findings) < 0 ||
        ns_probe_sysctls(birth->sysctls, birth->sysctls_count, findings) < 0)
        return -1;
    return probe_program(birth, findings);
}

int container_check(const struct runtime *runtime, const char *bundle, struct arena *arena, const char **ret_config_path,
                    struct findings *findings)
{
    /* The id of a container that nobody has: an absent cgroupsPath is made of it. */
    struct create_request request = {.id = arena_format(arena, "check-%d", (int)getpid()), .bundle = bundle};
    struct birth birth;
    birth_init(&birth, runtime, &request, BIRTH_CHECK);
    int r = prepare_check(&birth, findings);
    if (r == 0)
        r = found(findings, cgroup_prepare(runtime->manager, findings->why));
    if (r == 0)
        IGNORE_RESULT(probe_host(&birth, findings)); /* -1: there are too many of them */
    bool was_read = birth.spec.text != NULL;
    spec_locate_all(&birth.spec, findings->items, findings->count);
    if (was_read)
        *ret_config_path = arena_format(arena, "%s/config.json", bundle != NULL ? bundle : birth.state.bundle);
    else if (findings->count > 0)
        *findings->why = findings->items[0];
    birth_done(&birth);
    return was_read ? 0 : -1;
}
