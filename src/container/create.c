/*
 * container/create.c: the creator's recipe from clone to the container that is created or has run.
 *
 * Runs in the creator.  Whatever fails, `birth_undo` leaves the host as it was: the process killed and reaped, the
 * cgroup, the state directory and the pid file gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/shortcut.h"
#include "base/text.h"
#include "container/channel.h"
#include "container/child.h"
#include "container/container.h"
#include "container/hooks.h"
#include "container/prepare.h"
#include "container/stop.h"
#include "spec/read.h"

#define UNDO_DEADLINE_MS 10000

/* In messages about the escort too: clients look for these words. */
#define WHO "init process"

/* ---- the end of a process ---- */

static int explain_end(struct birth *birth, struct ns_child *child, bool *ret_unborn, struct failure *why)
{
    const struct child_scene scene = {
        .who = WHO,
        .goal = "start the container",
        .words = birth->words,
        .cgroup_fd = birth->cgroup.fd,
        .cgroup_path = birth->cgroup.name.path,
    };
    return child_explain_death(child, &scene, ret_unborn, why);
}

/* Init, or the escort while there is none, died without a word. */
static int explain_death(struct birth *birth, struct failure *why)
{
    return explain_end(birth, birth->init.pid > 0 ? &birth->init : &birth->escort, &birth->died_unborn, why);
}

/* Nobody is there to hear us.  What was said before comes first: it says why. */
static int explain_silence(struct birth *birth, struct failure *why)
{
    return child_hear_out(birth->channel, WHO, why) < 0 ? -1 : explain_death(birth, why);
}

/* A message to init or the escort. */
static int tell(struct birth *birth, enum message_kind kind, int32_t value, int fd, struct failure *why)
{
    int r = channel_send(birth->channel, kind, value, fd);
    return r == -EPIPE ? explain_silence(birth, why) : r < 0 ? fail_errno(why, r, "speak to the " WHO) : 0;
}

/* The escort died before it could name init, which may be there and wait for ever: it is ended with the rest. */
static int explain_lost_escort(struct birth *birth, struct failure *why)
{
    bool ignored; /* it was killed itself, and would be again */
    birth->init = child_of_lost_escort(birth->words);
    return explain_end(birth, &birth->escort, &ignored, why);
}

/* While we only waited others had the lock: `delete` may have removed the container, and there may be another one of its name. */
static bool is_still_ours(struct birth *birth)
{
    struct failure unimportant;
    return birth->directory.lock != STATE_UNLOCKED || state_lock_again(&birth->directory, &unimportant) == 0;
}

static void birth_undo(struct birth *birth)
{
    struct failure unimportant; /* the first failure is the one to report */
    step_note(STEP_UNDO);
    struct hook_call call = {
        .kind = HOOK_POSTSTOP, .state = &birth->state, .status = STATUS_STOPPED};
    child_end(&birth->escort);
    child_end(&birth->init);
    if (!is_still_ours(birth))
        return;
    /* Their namespace lives as long as we hold it; nobody of the container is left to touch them. */
    ns_devices_take_back(birth->devices);
    cgroup_undo(&birth->cgroup);
    if (birth->resctrl_begun && stop_remove_resctrl(&birth->state.resctrl, RESCTRL_UNDO, &unimportant) < 0)
        log_warning("%s", unimportant.text);
    if (birth->directory.root_fd >= 0)
        IGNORE_RESULT(state_remove(&birth->directory, &unimportant));
    if (birth->pid_file_written)
        (void)unlink(birth->request->pid_file); /* gone already is fine */
    if (birth->poststop_due)
        hooks_run_poststop(&birth->spec.hooks[HOOK_POSTSTOP], &call);
}

static void birth_fail(struct birth *birth, struct failure *why)
{
    spec_locate(&birth->spec, why);
    birth_undo(birth);
}

void birth_done(struct birth *birth)
{
    if (birth->rootfs != NULL)
        rootfs_close(birth->rootfs);
    ns_close(&birth->namespaces);
    ns_devices_close(birth->devices);
    cgroup_close(&birth->cgroup);
    fd_close(&birth->channel);
    fd_close(&birth->init_channel);
    fd_close(&birth->start_socket);
    fd_close(&birth->console_socket);
    fd_close(&birth->console_master);
    fd_close(&birth->interruption);
    notify_close(&birth->notify);
    fd_close(&birth->proc_fd);
    fd_close(&birth->binary_mount);
    fd_close(&birth->escort.pidfd);
    fd_close(&birth->init.pidfd);
    state_close(&birth->directory);
    spec_done(&birth->spec);
    arena_done(&birth->arena);
}

/* ---- clone ---- */

static int fail_interrupted(const struct birth *birth, struct failure *why)
{
    return fail(why, FAILURE_STATE, "interrupted before the container was %s", birth->mode == BIRTH_CREATE ? "created" : "started");
}

static int write_id_maps(struct birth *birth, pid_t pid, bool *ret_setgroups_denied, struct failure *why)
{
    *ret_setgroups_denied = false;
    return birth->namespaces.new_user ? ns_write_id_maps(&birth->spec.linux, pid, ret_setgroups_denied, why) : 0;
}

static int go_on(struct birth *birth, bool setgroups_denied, struct failure *why)
{
    return tell(birth, MESSAGE_GO_ON, setgroups_denied, -1, why);
}

static int enter_resctrl(struct birth *birth, struct failure *why)
{
    if (birth->state.resctrl.group == NULL)
        return 0;
    CLEANUP_FD int root = resctrl_open(why);
    return root < 0 ? -1 : resctrl_enter(root, &birth->state.resctrl, birth->init.pid, why);
}

/* What init must not do itself, or not before it sits in its cgroup. */
static int equip_init(struct birth *birth, bool setgroups_denied, struct failure *why)
{
    if (!birth->init_waits)
        return 0;
    step_note(STEP_EQUIP);
    if (birth->attach) {
        if (cgroup_attach(&birth->cgroup_request, &birth->arena, &birth->cgroup, birth->init.pid, why) < 0)
            return -1;
        birth->state.cgroup = birth->cgroup.name;
    }
    if (enter_resctrl(birth, why) < 0 || limits_raise_rlimits(birth->init.pid, &birth->spec.process, why) < 0)
        return -1;
    if (!birth->namespaces.escort && limits_set_oom_score(birth->proc_fd, birth->init.pid, &birth->spec.process, why) < 0)
        return -1;
    return go_on(birth, setgroups_denied, why);
}

static int clone_directly(struct birth *birth, struct failure *why)
{
    struct ns_spawn spawn = {
        .flags = birth->namespaces.new_flags | (birth->namespaces.new_user ? CLONE_NEWUSER : 0),
        .cgroup_fd = birth->attach ? -1 : birth->cgroup.fd,
        .relation = NS_CHILD,
        .track = TIMELINE_INIT,
        .body = init_main,
        .arg = birth,
    };
    bool setgroups_denied;
    if (ns_spawn(&spawn, &birth->init, why) < 0)
        return -1;
    fd_close(&birth->init_channel);
    if (write_id_maps(birth, birth->init.pid, &setgroups_denied, why) < 0)
        return -1;
    return equip_init(birth, setgroups_denied, why);
}

static int adopt_init(struct birth *birth, pid_t pid, struct failure *why)
{
    /* Our own unreaped child: the pid cannot have been reused. */
    birth->init.pid = pid;
    birth->init.pidfd = kernel_pidfd_open(pid, 0);
    child_reap(&birth->escort);
    return birth->init.pidfd < 0 ? fail_sys(why, "open a pidfd of the " WHO) : 0;
}

static int clone_with_escort(struct birth *birth, struct failure *why)
{
    struct ns_spawn spawn = {.cgroup_fd = -1, .relation = NS_CHILD, .track = TIMELINE_ESCORT, .body = escort_main, .arg = birth};
    bool setgroups_denied = false;
    atomic_store(&birth->words->cloned, 0);
    if (ns_spawn(&spawn, &birth->escort, why) < 0)
        return -1;
    fd_close(&birth->init_channel);
    if (limits_set_oom_score(birth->proc_fd, birth->escort.pid, &birth->spec.process, why) < 0 || go_on(birth, false, why) < 0)
        return -1;
    for (;;) {
        struct message message;
        int fd, event = child_await(birth->channel, &birth->escort, birth->interruption, -1);
        if (event < 0)
            return fail_errno(why, event, "wait for the " WHO);
        if (event == CHILD_ESCORT_LOST)
            return explain_lost_escort(birth, why);
        if (event == CHILD_INTERRUPTED)
            return fail_interrupted(birth, why);
        if (child_hear(birth->channel, WHO, &message, &fd, why) < 0)
            return -1;
        fd_close(&fd);
        if (message.kind == MESSAGE_NONE)
            return explain_lost_escort(birth, why);
        if (message.kind == MESSAGE_SPAWNED)
            return adopt_init(birth, message.value, why) < 0 ? -1 : equip_init(birth, setgroups_denied, why);
        if (message.kind != MESSAGE_WANT_ID_MAPS)
            return fail(why, FAILURE_BUG, "unexpected message %u from the escort", message.kind);
        if (write_id_maps(birth, birth->escort.pid, &setgroups_denied, why) < 0 || go_on(birth, setgroups_denied, why) < 0)
            return -1;
    }
}

/* Where `run` has nothing to do between READY and START, nobody waits for READY, and init does not say it: still busy with its mounts, it
 * finds START when it asks for it, and neither of us has to be woken up.  Nobody is told of init before it is in its root: who has its pid
 * may enter its namespaces, and `exec` waits for our lock. */
static bool starts_early(const struct birth *birth)
{
    if (birth->mode != BIRTH_RUN || birth->attach || birth->creator_continues || birth->spec.process.terminal || birth->cgroup.late_count > 0 ||
        birth->request->pid_file != NULL || birth->request->pidfd_socket != NULL || birth->notify.manager_address != NULL || !shortcut_permitted(SHORTCUT_EARLY_START))
        return false;
    for (enum hook_kind kind = 0; kind < HOOK_KINDS; kind++)
        if (birth->spec.hooks[kind].count > 0)
            return false;
    return true;
}

static int birth_clone(struct birth *birth, struct failure *why)
{
    birth->starts_early = starts_early(birth);
    step_note(STEP_CLONE);
    return birth->namespaces.escort ? clone_with_escort(birth, why) : clone_directly(birth, why);
}

/* ---- while init works ---- */

static int record_init(struct birth *birth, struct failure *why)
{
    char state;
    struct pid_name *init = &birth->state.init;
    init->pid = birth->init.pid;
    int r = pid_look(init->pid, &init->start_time, &state);
    return r < 0 ? fail_errno(why, r, "read the start time of the " WHO) : 0;
}

static int run_hooks(struct birth *birth, enum hook_kind kind, struct failure *why)
{
    struct hook_call call = {
        .kind = kind, .state = &birth->state, .status = STATUS_CREATING, .pid = birth->init.pid, .interruption = &birth->interruption};
    birth->poststop_due = true;
    return hooks_run(&birth->spec.hooks[kind], &call, why);
}

/* A hook of init's, or a dead file server below its root, may keep it for as long as they like. */
static int hear(struct birth *birth, struct message *ret_message, int *ret_fd, struct failure *why)
{
    static const struct ns_child no_escort = {.pidfd = -1};
    ret_message->kind = MESSAGE_NONE;
    int event = child_await(birth->channel, &no_escort, birth->interruption, -1);
    if (event < 0)
        return fail_errno(why, event, "wait for the " WHO);
    if (event == CHILD_INTERRUPTED)
        return fail_interrupted(birth, why);
    return child_hear(birth->channel, WHO, ret_message, ret_fd, why);
}

/* Serves init until it is READY. */
static int await_ready(struct birth *birth, struct failure *why)
{
    birth->poststop_due = birth->spec.hooks[HOOK_CREATE_CONTAINER].count > 0;
    step_note(STEP_AWAIT_READY);
    for (;;) {
        struct message message;
        CLEANUP_FD int fd = -1;
        if (hear(birth, &message, &fd, why) < 0)
            return -1;
        switch (message.kind) {
        case MESSAGE_NONE:
            return explain_death(birth, why);
        case MESSAGE_CONSOLE:
            if (child_pass_terminal(&birth->console_socket, &fd, &birth->console_master, WHO, why) < 0)
                return -1;
            break;
        case MESSAGE_BUILT:
            if (birth->devices != NULL && ns_devices_move(birth->devices, &birth->namespaces, birth->init.pid, why) < 0)
                return -1;
            if (run_hooks(birth, HOOK_PRESTART, why) < 0 || run_hooks(birth, HOOK_CREATE_RUNTIME, why) < 0 || go_on(birth, false, why) < 0)
                return -1;
            break;
        case MESSAGE_READY:
            return 0;
        default:
            return fail(why, FAILURE_BUG, "unexpected message %u from the " WHO, message.kind);
        }
    }
}

static int hand_out(struct birth *birth, struct failure *why)
{
    if (child_write_pid_file(birth->request->pid_file, birth->init.pid, why) < 0)
        return -1;
    birth->pid_file_written = birth->request->pid_file != NULL;
    return child_send_pidfd(birth->request->pidfd_socket, birth->init.pidfd, why);
}

/* Of words that contradict each other the last one counts. */
static bool is_writable(const struct spec_mount *mount)
{
    bool writable = true;
    for (size_t i = 0; i < mount->options.count; i++) {
        const char *word = mount->options.items[i];
        if (text_equal(word, "ro") || text_equal(word, "rro"))
            writable = false;
        else if (text_equal(word, "rw") || text_equal(word, "rrw"))
            writable = true;
    }
    return writable;
}

/* Of the process's user, of whose user namespace init is.  1, 0 when it has no number out here, -1 with *why. */
static int find_owner_outside(struct birth *birth, uint32_t *ret_owner, struct failure *why)
{
    struct id_mappings mappings = birth->spec.linux.uid_mappings;
    int r = birth->namespaces.joined_user ? ns_read_uid_map(birth->init.pid, &birth->arena, &mappings) : 0;
    if (r < 0)
        return fail_errno(why, r, "read the uid map of the joined user namespace");
    return ns_id_to_host(&mappings, birth->spec.process.user.uid, ret_owner);
}

/* From inside init cannot, where the pipes' owner has no number in its user namespace.  Best effort. */
static void give_pipes(struct birth *birth)
{
    struct failure unimportant;
    uint32_t owner = 0;
    if (birth->new_user_ns && !birth->spec.process.terminal && find_owner_outside(birth, &owner, &unimportant) > 0)
        fds_give_pipes(owner);
}

/* config-linux.md, cgroup ownership: where the container may write to its cgroup file system, its root owns its cgroup. */
static int delegate_cgroup(struct birth *birth, struct failure *why)
{
    const struct spec *spec = &birth->spec;
    bool writable = false;
    for (size_t i = 0; i < spec->mounts_count; i++) {
        const struct spec_mount *mount = &spec->mounts[i];
        if (!text_equal(mount->destination, "/sys/fs/cgroup") || !text_equal(mount->type, "cgroup") ||
            !text_equal(mount->source, "cgroup"))
            continue;
        writable = is_writable(mount);
    }
    if (!writable || !birth->namespaces.new_cgroup || !birth->new_user_ns || birth->cgroup.fd < 0)
        return 0;
    uint32_t host_uid = 0;
    int r = find_owner_outside(birth, &host_uid, why);
    return r > 0 ? cgroup_delegate(&birth->cgroup, host_uid, why) : r;
}

static int keep_config(struct birth *birth, struct failure *why)
{
    int r = file_create_at(birth->directory.fd, STATE_CONFIG, 0600, birth->spec.text, birth->spec.length);
    return r < 0 ? fail_errno(why, r, "keep a copy of config.json in the state directory") : 0;
}

/* ---- start ---- */

/* A process that is frozen hears nothing.  Not by cgroup.events, which may tell of it later only. */
static int check_thawed(const struct birth *birth, struct failure *why)
{
    const struct string_map *unified = &birth->spec.linux.resources.unified;
    bool frozen = false;
    for (size_t i = 0; i < unified->count; i++)
        if (text_equal(unified->items[i].key, "cgroup.freeze"))
            frozen = text_starts(unified->items[i].value, "1");
    if (!frozen)
        return 0;
    fail_config(why, "/linux/resources/unified/cgroup.freeze", "a container that is paused from the beginning cannot be run");
    return failure_hint(why, "leave cgroup.freeze out, or use create, resume and start");
}

/* START, then whatever init has to say until end of file, which means that the program was executed. */
static int birth_start(struct birth *birth, struct failure *why)
{
    /* From here on it was a container, whatever becomes of it: its end is a deletion. */
    birth->poststop_due = true;
    step_note(STEP_AWAIT_EXEC);
    if (check_thawed(birth, why) < 0)
        return -1;
    if (notify_listen(&birth->notify, birth->directory.fd, why) < 0 || tell(birth, MESSAGE_START, 0, -1, why) < 0)
        return -1;
    for (;;) {
        struct message message;
        CLEANUP_FD int fd = -1;
        if (hear(birth, &message, &fd, why) < 0)
            return -1;
        if (message.kind == MESSAGE_NONE)
            break;
        if (message.kind != MESSAGE_LISTENER || fd < 0)
            return fail(why, FAILURE_BUG, "unexpected message %u from the " WHO, message.kind);
        const struct listener_owner owner = {.pid = birth->init.pid, .status = STATUS_CREATING};
        if (listener_send(&birth->spec, &birth->state, &owner, fd, why) < 0 || go_on(birth, false, why) < 0)
            return -1;
    }
    if (!child_has_executed(&birth->init, birth->words))
        return explain_death(birth, why);
    timeline_executed(birth->init.pid);
    /* Now the network devices are the container's: its program could be exchanging them. */
    ns_devices_close(birth->devices);
    birth->devices = NULL;
    birth->started = true;
    if (birth->spec.hooks[HOOK_POSTSTART].count == 0)
        return 0;
    step_note(STEP_HOOKS);
    struct hook_call call = {
        .kind = HOOK_POSTSTART, .state = &birth->state, .status = STATUS_RUNNING, .pid = birth->init.pid, .interruption = &birth->interruption};
    return hooks_run(&birth->spec.hooks[HOOK_POSTSTART], &call, why);
}

/* ---- all of it ---- */

static int give_network(struct birth *birth, struct failure *why)
{
    CLEANUP_FD int network = -1;
    if (!birth->namespaces.late_network)
        return 0;
    step_note(STEP_NETWORK);
    return ns_network_make(&birth->namespaces, &network, why) < 0 ? -1 : tell(birth, MESSAGE_NETWORK, 0, network, why);
}

static int conclude(struct birth *birth, struct failure *why)
{
    step_note(STEP_SETTLE);
    if (cgroup_write_late(&birth->cgroup, why) < 0 || hand_out(birth, why) < 0)
        return -1;
    birth->state.phase = PHASE_CREATED;
    return state_save(&birth->directory, &birth->state, why);
}

static int serve_init(struct birth *birth, struct failure *why)
{
    /* What init need not wait for overlaps with its mounts. */
    if (give_network(birth, why) < 0)
        return -1;
    step_note(STEP_KEEP);
    int shared_fd = shortcut_permitted(SHORTCUT_SHARED_DEVICES) ? birth->directory.root_fd : -1;
    if (record_init(birth, why) < 0 || cgroup_guard_devices(&birth->cgroup, shared_fd, why) < 0 ||
        keep_config(birth, why) < 0 || delegate_cgroup(birth, why) < 0)
        return -1;
    give_pipes(birth);
    /* Before the container's program runs, which might reach it; here, because closing it waits for the whole kernel. */
    fd_close(&birth->binary_mount);
    if (birth->starts_early)
        return conclude(birth, why) < 0 ? -1 : birth_start(birth, why);
    return await_ready(birth, why) < 0 ? -1 : conclude(birth, why);
}

/* ---- the operations ---- */

void birth_init(struct birth *birth, const struct runtime *runtime, const struct create_request *request, enum birth_mode mode)
{
    memset(birth, 0, sizeof(*birth));
    birth->runtime = runtime;
    birth->request = request;
    birth->mode = mode;
    birth->directory = (struct state_directory){.root_fd = -1, .fd = -1};
    birth->cgroup.fd = -1;
    birth->notify = (struct notify)NOTIFY_NONE;
    birth->proc_fd = birth->binary_mount = birth->channel = birth->init_channel = birth->start_socket = birth->console_socket = birth->console_master = birth->interruption = -1;
    birth->escort.pidfd = birth->init.pidfd = -1;
}

/* KERNEL(6.1.129, 6.14 and others): after cgroup.kill was once written to the creator's own cgroup or to one that is joined,
 * CLONE_INTO_CGROUP between the two kills the child at birth: the kernel compares the kill counters of two different
 * cgroups.  Moving the child by cgroup.procs works. */
static int clone_again(struct birth *birth, struct failure *why)
{
    log_debug("init was killed at birth: once more without CLONE_INTO_CGROUP");
    child_end(&birth->escort);
    child_end(&birth->init);
    fd_close(&birth->channel);
    birth->attach = birth->init_waits = true;
    birth->died_unborn = false;
    IGNORE_RESULT(unlinkat(birth->directory.fd, STATE_CONFIG, 0)); /* not there unless the first try came that far */
    if (prepare_channel(birth, why) < 0 || birth_clone(birth, why) < 0)
        return -1;
    return serve_init(birth, why);
}

static int birth_bring_up(struct birth *birth, struct failure *why)
{
    memory_expect_small();
    /* First of all: where it needs a second exec, that one must find nothing made or connected by this one. */
    step_note(STEP_PROTECT);
    if (own_binary_protect(birth->runtime->argv, &birth->binary_mount, why) < 0 || prepare_plan(birth, why) < 0 || prepare_make(birth, why) < 0)
        return -1;
    ns_network_prepare(&birth->namespaces);
    proxy_block_signals(&birth->old_signals);
    birth->interruption = child_open_interruption();
    if (birth->interruption < 0)
        return fail_errno(why, birth->interruption, "receive signals by descriptor");
    if (birth_clone(birth, why) == 0 && serve_init(birth, why) == 0)
        return 0;
    return (birth->died_unborn || child_is_born_dead(&birth->init, birth->words)) && !birth->attach ? clone_again(birth, why) : -1;
}

int container_create(const struct runtime *runtime, const struct create_request *request, struct failure *why)
{
    struct birth birth;
    birth_init(&birth, runtime, request, BIRTH_CREATE);
    int r = birth_bring_up(&birth, why);
    if (r == 0)
        r = tell(&birth, MESSAGE_HANDED_OVER, 0, -1, why);
    if (r < 0)
        birth_fail(&birth, why);
    birth_done(&birth);
    return r;
}

/* The foreground's end: what delete would do, with what we hold. */
static int birth_end(struct birth *birth, struct failure *why)
{
    struct hook_call call = {.kind = HOOK_POSTSTOP, .state = &birth->state, .status = STATUS_STOPPED};
    step_note(STEP_REMOVE);
    if (!is_still_ours(birth))
        return 0;
    if (birth->cgroup.fd >= 0 && !birth->state.new_pid_ns) {
        int r = cgroup_kill(birth->cgroup.fd);
        if (r < 0 && r != -ENOENT)
            log_debug("kill what is left in the cgroup: %s", text_errno(-r));
    }
    bool leaves = birth->cgroup.fd >= 0 && stop_leaves_cgroup(&birth->state, birth->cgroup.fd);
    cgroup_close(&birth->cgroup);
    if (birth->state.cgroup.path != NULL && !leaves && cgroup_remove(&birth->state.cgroup, clock_now_ms() + UNDO_DEADLINE_MS, why) < 0)
        return -1;
    if (stop_remove_resctrl(&birth->state.resctrl, RESCTRL_DELETE, why) < 0 || state_remove(&birth->directory, why) < 0)
        return -1;
    hooks_run_poststop(&birth->spec.hooks[HOOK_POSTSTOP], &call);
    return 0;
}

static int birth_attend(struct birth *birth, unsigned flags, int *ret_exit_code, struct failure *why)
{
    int status;
    step_note(STEP_ATTEND);
    /* Other commands (state, kill, exec) need the lock while we only wait. */
    state_unlock(&birth->directory);
    const struct proxy_watch watch = {.fd = birth->notify.container, .serve = notify_pass_on, .arg = &birth->notify};
    if (proxy_run(birth->init.pidfd, birth->init.pid, &birth->console_master, &watch, &status, why) < 0) {
        birth_undo(birth); /* nobody would see its end or hear its signals */
        return -1;
    }
    birth->init.pid = 0;
    *ret_exit_code = child_exit_code(status);
    return flags & RUN_KEEP ? 0 : birth_end(birth, why);
}

/* The caller may go: at once, or where a service manager wants to know, when the container is ready. */
static int birth_part(struct birth *birth, struct failure *why)
{
    if (birth->notify.container < 0)
        return 0;
    step_note(STEP_AWAIT_NOTICE);
    state_unlock(&birth->directory); /* as in birth_attend */
    (void)kernel_sigprocmask(SIG_SETMASK, &birth->old_signals, NULL); /* whoever wants to wait no longer; cannot fail with valid arguments */
    return notify_await_ready(&birth->notify, birth->state.id, birth->init.pidfd, birth->init.pid, why);
}

int container_run(const struct runtime *runtime, const struct create_request *request, unsigned flags, int *ret_exit_code,
                  struct failure *why)
{
    struct birth birth;
    birth_init(&birth, runtime, request, BIRTH_RUN);
    birth.detached = (flags & RUN_DETACH) != 0;
    int r = birth_bring_up(&birth, why);
    if (r == 0)
        r = birth.started ? 0 : birth_start(&birth, why);
    if (r == 0 && birth.detached)
        r = birth_part(&birth, why);
    *ret_exit_code = 0;
    if (r < 0)
        birth_fail(&birth, why);
    else if (!birth.detached)
        r = birth_attend(&birth, flags, ret_exit_code, why);
    birth_done(&birth);
    return r;
}
