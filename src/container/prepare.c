/*
 * container/prepare.c: read, check, plan, make: the creator's recipe up to the clone.
 *
 * Runs in the creator, in the host's namespaces.  Should refuse whatever can be refused before anything exists.
 */
#include "container/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/text.h"
#include "container/channel.h"
#include "spec/read.h"

/* Below the state root; ids do not begin with a dot. */
#define SECCOMP_CACHE ".seccomp"

static int open_bundle(struct birth *birth, int *ret_fd, struct failure *why)
{
    const char *given = birth->request->bundle != NULL ? birth->request->bundle : ".";
    char path[PATH_MAX];
    if (realpath(given, path) == NULL)
        return fail_sys(why, "open bundle '%s'", given);
    /* Two slashes may stay two, by POSIX; engines compare the path with theirs. */
    birth->state.bundle = arena_copy(&birth->arena, path[0] == '/' && path[1] == '/' ? path + 1 : path);
    *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret_fd < 0 ? fail_sys(why, "open bundle '%s'", path) : 0;
}

static int read_bundle(struct birth *birth, struct findings *findings)
{
    CLEANUP_FD int fd = -1;
    if (open_bundle(birth, &fd, findings->why) < 0) {
        IGNORE_RESULT(found(findings, -1)); /* an end in any case */
        return -1;
    }
    if (spec_read_all(fd, "config.json", &birth->spec, findings) < 0)
        return -1;
    const char *root = birth->spec.root.path;
    if (root != NULL) /* refused, and all findings are wanted */
        birth->state.rootfs = *root == '/' ? arena_copy(&birth->arena, root) : arena_format(&birth->arena, "%s/%s", birth->state.bundle, root);
    return 0;
}

/* `create` works without one; `start` is what fails then (runtime.md). */
static int check_process(const struct birth *birth, struct failure *why)
{
    if (birth->mode != BIRTH_RUN || birth->spec.process.set)
        return 0;
    return fail_config(why, "/process", "there is no process to start");
}

static int check_terminal(const struct birth *birth, struct failure *why)
{
    bool terminal = birth->spec.process.set && birth->spec.process.terminal;
    bool socket = birth->request->console_socket != NULL;
    if (terminal && !socket && (birth->mode == BIRTH_CREATE || birth->detached)) {
        fail_config(why, "/process/terminal", "a detached container with a terminal needs --console-socket");
        return failure_hint(why, "pass --console-socket PATH, set process.terminal to false, or use run in the foreground");
    }
    if (!terminal && socket)
        return fail_config(why, "/process/terminal", "--console-socket was given, but process.terminal is not true");
    return 0;
}

/* Ids that the user namespace does not map cannot be taken at the end: refused at the beginning. */
static int check_uid(const struct birth *birth, struct failure *why)
{
    uint32_t uid = birth->spec.process.user.uid, ignored;
    if (ns_id_to_host(&birth->spec.linux.uid_mappings, uid, &ignored))
        return 0;
    (void)fail_config(why, "/process/user/uid", "user %u is not mapped in the user namespace", uid); /* returned below */
    return failure_hint(why, "extend /linux/uidMappings");
}

static int check_gid(const struct birth *birth, struct failure *why)
{
    uint32_t gid = birth->spec.process.user.gid, ignored;
    if (ns_id_to_host(&birth->spec.linux.gid_mappings, gid, &ignored))
        return 0;
    (void)fail_config(why, "/process/user/gid", "group %u is not mapped in the user namespace", gid); /* returned below */
    return failure_hint(why, "extend /linux/gidMappings");
}

/* Where they stay the caller's (become_groups_rule), none needs a mapping. */
static bool groups_are_taken(const struct birth *birth)
{
    char rule[16] = "";
    if (text_equal(spec_annotation(&birth->spec, ANNOTATION_KEEP_GROUPS), "1") || ns_denies_setgroups(&birth->spec.linux))
        return false;
    return file_read_line_at(-1, "/proc/self/setgroups", rule, sizeof(rule)) <= 0 || !text_starts(rule, "deny");
}

static int check_additional_gids(const struct birth *birth, struct findings *findings)
{
    const struct spec_user *user = &birth->spec.process.user;
    if (user->additional_gids_count == 0 || !groups_are_taken(birth))
        return 0;
    for (size_t i = 0; i < user->additional_gids_count; i++) {
        uint32_t ignored;
        if (ns_id_to_host(&birth->spec.linux.gid_mappings, user->additional_gids[i], &ignored))
            continue;
        (void)fail_config(findings->why, "", "group %u is not mapped in the user namespace", user->additional_gids[i]); /* below */
        (void)failure_hint(findings->why, "extend /linux/gidMappings"); /* likewise */
        if (found(findings, failure_pointer(findings->why, "/process/user/additionalGids/%zu", i)) < 0)
            return -1;
    }
    return 0;
}

static int check_ids(const struct birth *birth, struct findings *findings)
{
    if (ns_check_id_maps(&birth->namespaces, findings) < 0)
        return -1;
    if (!birth->namespaces.new_user || !birth->spec.process.set)
        return 0;
    /* Unmapped follows from mappings that were refused. */
    if (!findings_doubt(findings, "/linux/uidMappings") && found(findings, check_uid(birth, findings->why)) < 0)
        return -1;
    if (findings_doubt(findings, "/linux/gidMappings"))
        return 0;
    return found(findings, check_gid(birth, findings->why)) < 0 ? -1 : check_additional_gids(birth, findings);
}

static int check_specification(struct birth *birth, struct findings *findings)
{
    const struct spec *spec = &birth->spec;
    if (spec_check_all(spec, findings) < 0 || seccomp_check_all(&spec->linux.seccomp, findings) < 0 ||
        limits_check_all(spec, findings) < 0 || found(findings, check_process(birth, findings->why)) < 0 ||
        found(findings, check_terminal(birth, findings->why)) < 0 || environment_check_all(&spec->process, findings) < 0)
        return -1;
    return lsm_check_all(&spec->process, spec->linux.mount_label, findings);
}

/* Which namespaces there will be is not known where one of them was refused. */
static int plan_sysctls(struct birth *birth, struct findings *findings)
{
    if (findings_doubt(findings, "/linux/namespaces"))
        return 0;
    return ns_plan_sysctls_all(&birth->spec, &birth->namespaces, &birth->arena, &birth->sysctls, &birth->sysctls_count, findings);
}

static int check_names(struct birth *birth, struct findings *findings)
{
    /* A namespace that is not listed at all is refused by itself. */
    if (!birth->spec.linux.namespaces[NS_UTS].listed || findings_doubt(findings, "/linux/namespaces"))
        return 0;
    return found(findings, ns_check_names(&birth->namespaces, birth->spec.hostname, birth->spec.domainname, findings->why));
}

static int plan_namespaces(struct birth *birth, struct findings *findings)
{
    ns_plan(&birth->spec.linux, &birth->namespaces);
    if (check_ids(birth, findings) < 0 || ns_open_all(&birth->namespaces, findings) < 0 || check_names(birth, findings) < 0 || plan_sysctls(birth, findings) < 0)
        return -1;
    birth->new_user_ns = birth->namespaces.new_user || birth->namespaces.joined_user;
    /* With a new user namespace init is cloned from within the joined cgroup namespace (ns/join.c), where nsdelegate forbids a child in
     * a cgroup outside of that namespace's root: we, who are not in it, move init. */
    birth->attach = birth->runtime->manager == CGROUP_MANAGER_SYSTEMD ||
                    (birth->namespaces.new_user && ns_is_joined(&birth->namespaces, NS_CGROUP));
    birth->init_waits = birth->new_user_ns || birth->namespaces.escort || birth->attach || birth->spec.linux.intel_rdt.set;
    birth->creator_continues = birth->spec.hooks[HOOK_PRESTART].count > 0 || birth->spec.hooks[HOOK_CREATE_RUNTIME].count > 0 ||
                               birth->spec.linux.net_devices_count > 0;
    return found(findings, ns_devices_open(&birth->namespaces, &birth->arena, &birth->devices, findings->why));
}

static void prepare_arguments(struct birth *birth)
{
    struct strings *args = &birth->spec.process.args;
    args->items = arena_grow(&birth->arena, args->items, args->count, args->count + 1, sizeof(*args->items));
}

static int connect_console(struct birth *birth, struct failure *why)
{
    if (birth->request->console_socket == NULL)
        return 0;
    birth->console_socket = terminal_connect(birth->request->console_socket, why);
    return birth->console_socket < 0 ? -1 : 0;
}

static int plan_cgroup(struct birth *birth, struct findings *findings)
{
    birth->cgroup_request = (struct cgroup_request){
        .manager = birth->runtime->manager,
        .id = birth->request->id,
        .cgroups_path = birth->spec.linux.cgroups_path,
        .resources = birth->spec.linux.resources.set ? &birth->spec.linux.resources : NULL,
        .annotations = &birth->spec.annotations,
    };
    return cgroup_plan_all(&birth->cgroup_request, &birth->arena, &birth->state.cgroup, findings);
}

static int plan_resctrl(struct birth *birth, struct failure *why)
{
    const struct spec_intel_rdt *wanted = &birth->spec.linux.intel_rdt;
    if (!wanted->set)
        return 0;
    CLEANUP_FD int root = resctrl_open(why);
    return root < 0 ? -1 : resctrl_locate(root, birth->request->id, wanted, &birth->arena, &birth->state.resctrl, why);
}

static int plan_root(struct birth *birth, struct findings *findings)
{
    struct failure unimportant;
    struct rootfs_surroundings around = {
        .new_user_ns = birth->namespaces.new_user,
        .joined_user_ns = birth->namespaces.joined_user,
        .new_network_ns = ns_is_new(&birth->namespaces, NS_NETWORK),
        .new_cgroup_ns = birth->namespaces.new_cgroup,
        .host_cgroup_ns = ns_is_of_the_host(&birth->namespaces, NS_CGROUP),
        .privileged = caps_have(CAP_SYS_ADMIN), /* the right to clone mounts of the host */
        .cgroup_mount = birth->runtime->manager == CGROUP_MANAGER_DISABLED ? NULL : cgroup_mount_point(&unimportant),
        .process_uid = birth->spec.process.user.uid,
    };
    return rootfs_plan_all(&birth->spec, birth->state.bundle, &around, &birth->arena, &birth->rootfs, findings);
}

/* `check` has no id, and no service manager to tell. */
static int plan_notify(struct birth *birth, struct failure *why)
{
    const char *directory = arena_format(&birth->arena, "%s/%s", birth->runtime->root, birth->request->id != NULL ? birth->request->id : "");
    return notify_plan(&birth->notify, directory, &birth->arena, &birth->spec, why);
}

int prepare_check(struct birth *birth, struct findings *findings)
{
    if (read_bundle(birth, findings) < 0 || check_specification(birth, findings) < 0 || plan_namespaces(birth, findings) < 0 ||
        found(findings, plan_notify(birth, findings->why)) < 0 || plan_root(birth, findings) < 0 || plan_cgroup(birth, findings) < 0)
        return -1;
    return found(findings, plan_resctrl(birth, findings->why));
}

int prepare_plan(struct birth *birth, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    step_note(STEP_CHECK);
    if (state_check_id(birth->request->id, why) < 0 || state_check_unused(birth->runtime->root, birth->request->id, why) < 0 ||
        fds_count_preserved(birth->runtime->inherited, birth->request->preserve_fds, &birth->listen_fds, &birth->preserved_fds, why) < 0 ||
        cgroup_prepare(birth->runtime->manager, why) < 0)
        return -1;
    if (notify_look(&birth->notify, why) < 0 || prepare_check(birth, &first) < 0)
        return -1;
    birth->listen_names = fds_listen_names(birth->listen_fds, &birth->arena);
    birth->proc_fd = proc_open(why);
    if (birth->proc_fd < 0)
        return -1;
    caps_plan(&birth->spec.process.capabilities, &birth->caps);
    prepare_arguments(birth);
    return connect_console(birth, why);
}

/* ---- make ---- */

static char *now(struct arena *arena)
{
    struct timespec time;
    char seconds[TEXT_TIME_SIZE];
    (void)clock_gettime(CLOCK_REALTIME, &time); /* cannot fail for this clock */
    return arena_format(arena, "%s.%09ldZ", text_utc(seconds, time.tv_sec), time.tv_nsec);
}

static int name_self(struct pid_name *ret_name, struct failure *why)
{
    char state;
    ret_name->pid = getpid();
    int r = pid_look(ret_name->pid, &ret_name->start_time, &state);
    return r < 0 ? fail_errno(why, r, "read our own start time from /proc") : 0;
}

static int begin_record(struct birth *birth, struct failure *why)
{
    struct state *state = &birth->state;
    step_note(STEP_RECORD);
    state->phase = PHASE_CREATING;
    state->id = arena_copy(&birth->arena, birth->request->id);
    state->created = now(&birth->arena);
    state->owner = geteuid();
    state->annotations = birth->spec.annotations;
    state->new_pid_ns = ns_is_new(&birth->namespaces, NS_PID);
    state->no_process = !birth->spec.process.set;
    state->keeps_keyring = (birth->request->flags & CREATE_NO_NEW_KEYRING) != 0;
    for (enum hook_kind kind = HOOK_START_CONTAINER; kind <= HOOK_POSTSTOP; kind++)
        state->has_hooks = state->has_hooks || birth->spec.hooks[kind].count > 0;
    if (name_self(&state->creator, why) < 0 || state_make(birth->runtime->root, birth->request->id, &birth->directory, why) < 0)
        return -1;
    if (state_keep_cgroup(&birth->directory, &state->cgroup, why) < 0 || state_keep_resctrl(&birth->directory, &state->resctrl, why) < 0)
        return -1;
    return notify_make(&birth->notify, birth->directory.fd, why) < 0 ? -1 : state_begin(&birth->directory, state, why);
}

static int make_cgroup(struct birth *birth, struct failure *why)
{
    step_note(STEP_CGROUP);
    if (cgroup_create(&birth->cgroup_request, &birth->arena, &birth->cgroup, why) < 0)
        return -1;
    birth->state.cgroup = birth->cgroup.name;
    return 0;
}

static int make_resctrl(struct birth *birth, struct failure *why)
{
    struct resctrl_name *name = &birth->state.resctrl;
    bool to_make = name->made;
    if (name->group == NULL)
        return 0;
    step_note(STEP_RESCTRL);
    CLEANUP_FD int root = resctrl_open(why);
    birth->resctrl_begun = root >= 0;
    if (root < 0 || resctrl_make(root, &birth->spec.linux.intel_rdt, name, why) < 0)
        return -1;
    /* Somebody else made it meanwhile: the record must not claim it. */
    if (name->made == to_make)
        return 0;
    return state_keep_resctrl(&birth->directory, name, why) < 0 ? -1 : state_save(&birth->directory, &birth->state, why);
}

static int open_root(struct birth *birth, struct failure *why)
{
    step_note(STEP_ROOT);
    rootfs_set_cgroup(birth->rootfs, birth->cgroup.name.path);
    return rootfs_open(birth->rootfs, why) < 0 ? -1 : rootfs_open_idmaps(birth->rootfs, -1, why);
}

int prepare_filter(const struct spec_seccomp *seccomp, int root_fd, struct arena *arena, struct seccomp_filter *ret_filter,
                   struct failure *why)
{
    if (!seccomp->set)
        return 0;
    step_note(STEP_FILTER);
    /* Without a cache directory every start compiles: slower, not wrong. */
    if (mkdirat(root_fd, SECCOMP_CACHE, 0700) < 0 && errno != EEXIST)
        log_debug("make the seccomp cache directory: %s", text_errno(errno));
    CLEANUP_FD int cache = openat(root_fd, SECCOMP_CACHE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (seccomp_build_cached(seccomp, cache, arena, ret_filter, why) < 0)
        return -1;
    return ret_filter->notify ? seccomp_find_agent(seccomp->listener_path, why) : 0;
}

int prepare_channel(struct birth *birth, struct failure *why)
{
    int ends[2];
    if (channel_open(ends, why) < 0)
        return -1;
    birth->channel = ends[0];
    birth->init_channel = ends[1];
    return 0;
}

int prepare_make(struct birth *birth, struct failure *why)
{
    if (begin_record(birth, why) < 0 || make_cgroup(birth, why) < 0 || make_resctrl(birth, why) < 0 || open_root(birth, why) < 0)
        return -1;
    if (prepare_filter(&birth->spec.linux.seccomp, birth->directory.root_fd, &birth->arena, &birth->filter, why) < 0)
        return -1;
    if (birth->mode == BIRTH_CREATE && channel_listen(birth->directory.fd, STATE_START_SOCKET, &birth->start_socket, why) < 0)
        return -1;
    if (prepare_channel(birth, why) < 0)
        return -1;
    birth->words = last_words_map();
    return birth->words == NULL ? fail_sys(why, "map a shared page") : 0;
}
