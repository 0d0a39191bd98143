/*
 * container/exec.c: exec: one more process in a live container.
 *
 * Runs in the CLI process, which never changes its own namespaces or cgroup: an escort and the joiner do (joining.h).
 * Holds no lock, like kill: a hook of the container's own start may call it.  Whatever fails, the joiner is killed and
 * reaped and the pid file gone; the container is as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/pid.h"
#include "base/shortcut.h"
#include "base/text.h"
#include "container/birth.h"
#include "container/channel.h"
#include "container/child.h"
#include "container/exec_process.h"
#include "container/joining.h"
#include "container/prepare.h"
#include "spec/read.h"

/* The exit code of a runtime that failed, which no program's own is mistaken for easily. */
#define EXIT_NOT_EXECUTED 255

#define WHO "process to execute"
#define ESCORT "escort of the " WHO

/* A joiner that says nothing for so long is perhaps frozen. */
#define SILENCE_MS 200

/* ---- read and check ---- */

static int fail_stopped(const struct joining *joining, struct failure *why)
{
    return fail(why, FAILURE_STATE, "cannot exec in a stopped container: the container `%s` is not running", joining->state.id);
}

static int fail_paused(struct failure *why)
{
    fail(why, FAILURE_STATE, "cannot exec in a paused container (use --ignore-paused to override)");
    return failure_hint(why, "resume it first");
}

static int check_status(const struct joining *joining, struct failure *why)
{
    const char *id = joining->state.id;
    switch (joining->status) {
    case STATUS_STOPPED:
        return fail_stopped(joining, why);
    case STATUS_CREATING:
        return fail(why, FAILURE_STATE, "cannot exec in container `%s`: it is still being created", id);
    case STATUS_PAUSED:
        return joining->request->flags & EXEC_IGNORE_PAUSED ? 0 : fail_paused(why);
    case STATUS_CREATED:
    case STATUS_RUNNING:
    default:
        return 0;
    }
}

static int look(struct joining *joining, struct failure *why)
{
    if (state_load(&joining->directory, &joining->arena, &joining->state, why) < 0)
        return -1;
    /* Held before the look at its status: what that finds alive is then what the pidfd names. */
    pid_t pid = joining->state.init.pid;
    joining->init_pidfd = pid > 0 ? kernel_pidfd_open(pid, 0) : -1;
    int errnum = -errno;
    joining->status = state_status(&joining->state);
    if (check_status(joining, why) < 0)
        return -1;
    if (joining->init_pidfd < 0)
        return errnum == -ESRCH ? fail_stopped(joining, why) : fail_errno(why, errnum, "open a pidfd of the container's process %d", (int)pid);
    return 0;
}

/* Perhaps a `run` that started early, whose init is not in its root yet: the namespaces to join would be half the host's.  What
 * `create` has made is in its root, and so is what has hooks to wait for, which may call us. */
static bool may_be_on_its_way(const struct joining *joining)
{
    return joining->status == STATUS_CREATED && !joining->state.has_hooks &&
           faccessat(joining->directory.fd, STATE_START_SOCKET, F_OK, 0) < 0 && state_is_locked(&joining->directory);
}

static int open_container(struct joining *joining, struct failure *why)
{
    const char *id = joining->request->id;
    if (state_open(joining->runtime->root, id, STATE_UNLOCKED, &joining->directory, why) < 0 || look(joining, why) < 0)
        return -1;
    if (may_be_on_its_way(joining)) {
        fd_close(&joining->init_pidfd);
        if (state_await_unlocked(&joining->directory, why) < 0 || look(joining, why) < 0)
            return -1;
    }
    if (spec_read(joining->directory.fd, STATE_CONFIG, &joining->spec, why) == 0)
        return 0;
    return why->errnum == ENOENT ? state_explain_absence(&joining->directory, why) : -1;
}

static int read_document(struct joining *joining, struct spec_process *ret_process, struct failure *why)
{
    const char *file = joining->request->process_file;
    char *text = NULL;
    if (file == NULL)
        return 0;
    ssize_t length = file_read_stream(file, SPEC_SIZE_LIMIT, &joining->arena, &text);
    if (length == -EFBIG)
        return fail(why, FAILURE_CONFIG, "the process document '%s' is larger than %zu MiB", file, SPEC_SIZE_LIMIT >> 20);
    if (length < 0)
        return fail_errno(why, (int)length, "read the process document '%s'", file);
    joining->document = text;
    joining->document_length = (size_t)length;
    if (spec_parse_process(text, (size_t)length, &joining->arena, ret_process, why) < 0 ||
        spec_check_process(ret_process, "", why) < 0)
        return failure_document(why, "process document");
    return 0;
}

static int settle_process(struct joining *joining, struct spec_process *document, struct failure *why)
{
    struct spec_process *process = &joining->spec.process;
    if (joining->request->process_file != NULL) {
        exec_process_inherit(document, process);
        *process = *document;
    } else if (exec_process_override(process, joining->request, &joining->arena, why) < 0) {
        return -1;
    }
    /* execve wants them ended by NULL. */
    struct strings *args = &process->args;
    args->items = arena_grow(&joining->arena, args->items, args->count, args->count + 1, sizeof(*args->items));
    return 0;
}

static int check_terminal(const struct joining *joining, struct failure *why)
{
    bool terminal = joining->spec.process.terminal, socket = joining->request->console_socket != NULL;
    if (terminal && !socket && (joining->request->flags & EXEC_DETACH)) {
        fail_config(why, "/process/terminal", "a detached process with a terminal needs --console-socket");
        return failure_hint(why, "pass --console-socket PATH, or leave --detach or the terminal out");
    }
    if (!terminal && socket)
        return fail_config(why, "/process/terminal", "--console-socket was given, but the process has no terminal");
    return 0;
}

static int check_cgroup_path(const char *path, struct failure *why)
{
    for (const char *at = path; at != NULL && *at != '\0';) {
        at += strspn(at, "/");
        size_t length = strcspn(at, "/");
        if (length == 2 && at[0] == '.' && at[1] == '.')
            return fail(why, FAILURE_USAGE, "option --cgroup takes a path below the container's cgroup, without '..'");
        at += length;
    }
    return 0;
}

static int settle(struct joining *joining, struct failure *why)
{
    const struct exec_request *request = joining->request;
    struct spec *spec = &joining->spec;
    struct spec_process document = {0};
    step_note(STEP_CHECK);
    if (exec_process_check_request(request, why) < 0 || check_cgroup_path(request->cgroup, why) < 0)
        return -1;
    /* The document first: a pipe may take its time, in which the container may end, or its status change. */
    if (read_document(joining, &document, why) < 0 || open_container(joining, why) < 0 || settle_process(joining, &document, why) < 0)
        return -1;
    if (check_terminal(joining, why) < 0 || limits_check(spec, why) < 0 || lsm_check(&spec->process, NULL, why) < 0)
        return -1;
    caps_plan(&spec->process.capabilities, &joining->caps);
    if (fds_count_preserved(joining->runtime->inherited, request->preserve_fds, &joining->listen_fds, &joining->preserved_fds, why) < 0)
        return -1;
    joining->listen_names = fds_listen_names(joining->listen_fds, &joining->arena);
    return 0;
}

/* ---- open what the joiner needs ---- */

static int open_cgroup(struct joining *joining, struct failure *why)
{
    const struct cgroup_name *name = &joining->state.cgroup;
    const char *below = joining->request->cgroup;
    if (name->path == NULL && below != NULL)
        return fail(why, FAILURE_STATE, "option --cgroup: container `%s` has no cgroup of its own", joining->state.id);
    /* Made without one: the process stays in its caller's, as the container's did. */
    if (name->path == NULL)
        return 0;
    joining->cgroup_fd = cgroup_open_below(name, below != NULL ? below : "", why);
    return joining->cgroup_fd < 0 ? -1 : 0;
}

/* A container without a mount namespace of its own, or in a joined one, is in its root by chroot alone. */
static int open_root(struct joining *joining, struct failure *why)
{
    const struct spec_namespace *mount = &joining->spec.linux.namespaces[NS_MOUNT];
    char path[64];
    if (mount->listed && mount->path == NULL)
        return 0;
    snprintf(path, sizeof(path), "/proc/%d/root", (int)joining->state.init.pid);
    joining->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (joining->root_fd < 0)
        return fail_sys(why, "open the root directory of the container's process");
    return ns_entry_check(&joining->namespaces, why);
}

static int open_channel(struct joining *joining, struct failure *why)
{
    int ends[2];
    if (channel_open(ends, why) < 0)
        return -1;
    joining->channel = ends[0];
    joining->joiner_channel = ends[1];
    return 0;
}

static int open_all(struct joining *joining, struct failure *why)
{
    const char *console_socket = joining->request->console_socket;
    joining->proc_fd = proc_open(why);
    if (joining->proc_fd < 0 || ns_entry_look(&joining->spec.linux, joining->state.init.pid, joining->init_pidfd, &joining->namespaces, why) < 0 ||
        open_cgroup(joining, why) < 0 || open_root(joining, why) < 0 ||
        prepare_filter(&joining->spec.linux.seccomp, joining->directory.root_fd, &joining->arena, &joining->filter, why) < 0)
        return -1;
    if (console_socket != NULL && (joining->console_socket = terminal_connect(console_socket, why)) < 0)
        return -1;
    joining->words = last_words_map();
    return joining->words == NULL ? fail_sys(why, "map a shared page") : 0;
}

/* ---- clone and serve ---- */

static const char *speaker(const struct joining *joining)
{
    return joining->joiner.pid > 0 ? WHO : ESCORT;
}

static int explain_end(struct joining *joining, struct ns_child *child, bool *ret_unborn, struct failure *why)
{
    const struct child_scene scene = {
        .who = child == &joining->escort ? ESCORT : WHO,
        .goal = "execute one more process",
        .words = joining->words,
        .cgroup_fd = joining->cgroup_fd,
        .cgroup_path = joining->state.cgroup.path,
    };
    return child_explain_death(child, &scene, ret_unborn, why);
}

/* The escort died before it could name the joiner, which may be there and wait for us: it is ended with the rest. */
static int explain_lost_escort(struct joining *joining, struct failure *why)
{
    bool ignored; /* it was killed itself, and would be again */
    joining->joiner = child_of_lost_escort(joining->words);
    return explain_end(joining, &joining->escort, &ignored, why);
}

static int explain_death(struct joining *joining, struct failure *why)
{
    if (joining->joiner.pid <= 0)
        return explain_lost_escort(joining, why);
    return explain_end(joining, &joining->joiner, &joining->died_unborn, why);
}

/* Nobody is there to hear us.  What was said before comes first: it says why. */
static int explain_silence(struct joining *joining, struct failure *why)
{
    return child_hear_out(joining->channel, WHO, why) < 0 ? -1 : explain_death(joining, why);
}

static int go_on(struct joining *joining, struct failure *why)
{
    int r = channel_send(joining->channel, MESSAGE_GO_ON, 0, -1);
    return r == -EPIPE ? explain_silence(joining, why) : r < 0 ? fail_errno(why, r, "speak to the " WHO) : 0;
}

/* Where the container is: a group that was removed since, or unmounted, left its processes to the root group. */
static int join_resctrl(const struct joining *joining, pid_t pid, struct failure *why)
{
    if (joining->state.resctrl.group == NULL)
        return 0;
    CLEANUP_FD int root = resctrl_find();
    if (root == -ENODEV)
        return 0;
    if (root < 0)
        return fail_errno(why, root, "open the resctrl file system");
    return resctrl_enter(root, &joining->state.resctrl, pid, why) < 0 && why->errnum != ENOENT ? -1 : 0;
}

/* Before the joiner does anything. */
static int equip_joiner(struct joining *joining, struct failure *why)
{
    pid_t pid = joining->joiner.pid;
    if (joining->attach && joining->cgroup_fd >= 0 && cgroup_enter(joining->cgroup_fd, joining->state.cgroup.path, pid, why) < 0)
        return -1;
    if (join_resctrl(joining, pid, why) < 0 || go_on(joining, why) < 0)
        return -1;
    /* Closing it takes long.  Whoever reached it meanwhile, through the joiner, which is not dumpable, could trace the joiner. */
    fd_close(&joining->binary_mount);
    return 0;
}

static int adopt_joiner(struct joining *joining, pid_t pid, struct failure *why)
{
    /* Our own unreaped child: the pid cannot have been reused. */
    joining->joiner.pid = pid;
    joining->joiner.pidfd = kernel_pidfd_open(pid, 0);
    if (joining->joiner.pidfd < 0)
        return fail_sys(why, "open a pidfd of the " WHO);
    if (equip_joiner(joining, why) < 0)
        return -1;
    /* Not earlier: the joiner need not wait for the escort's end. */
    child_reap(&joining->escort);
    return 0;
}

static int pass_listener(struct joining *joining, int listener, struct failure *why)
{
    const struct listener_owner owner = {.pid = joining->joiner.pid, .status = joining->status};
    if (listener < 0)
        return fail(why, FAILURE_BUG, "the " WHO " sent no listener");
    if (listener_send(&joining->spec, &joining->state, &owner, listener, why) < 0)
        return -1;
    return go_on(joining, why);
}

/* After we looked at its status, and before the program runs: the joiner was frozen in the middle, and would wait with its
 * caller until somebody resumes the container. */
static bool was_paused_since(const struct joining *joining)
{
    return !(joining->request->flags & EXEC_IGNORE_PAUSED) && joining->cgroup_fd >= 0 && cgroup_is_frozen(joining->cgroup_fd);
}

/* A paused container, or a dead file server below the working directory, may keep the joiner waiting for as long as they
 * like: whoever waits with us must be able to give up. */
static int await_words(struct joining *joining, struct failure *why)
{
    CLEANUP_FD int interruption = child_open_interruption();
    if (interruption < 0)
        return fail_errno(why, interruption, "receive signals by descriptor");
    int event;
    while ((event = child_await(joining->channel, &joining->escort, interruption, SILENCE_MS)) == CHILD_SILENT)
        if (was_paused_since(joining))
            return fail_paused(why);
    if (event < 0)
        return fail_errno(why, event, "wait for the " WHO);
    if (event == CHILD_INTERRUPTED)
        return fail(why, FAILURE_STATE, "interrupted before the program was executed");
    return event == CHILD_ESCORT_LOST ? explain_lost_escort(joining, why) : 0;
}

/* Until end of file, which means that the program was executed, or that nobody is left to say why not. */
static int serve_joiner(struct joining *joining, struct failure *why)
{
    step_note(STEP_AWAIT_EXEC);
    for (;;) {
        struct message message;
        CLEANUP_FD int fd = -1;
        if (await_words(joining, why) < 0 || child_hear(joining->channel, speaker(joining), &message, &fd, why) < 0)
            return -1;
        int r = 0;
        switch (message.kind) {
        case MESSAGE_NONE:
            return joining->joiner.pid > 0 && child_has_executed(&joining->joiner, joining->words) ? 0 : explain_death(joining, why);
        case MESSAGE_SPAWNED:
            r = joining->joiner.pid > 0 ? fail(why, FAILURE_BUG, "a second " WHO) : adopt_joiner(joining, message.value, why);
            break;
        case MESSAGE_CONSOLE:
            r = child_pass_terminal(&joining->console_socket, &fd, &joining->console_master, WHO, why);
            if (r == 0)
                r = go_on(joining, why);
            break;
        case MESSAGE_LISTENER:
            r = pass_listener(joining, fd, why);
            break;
        default:
            r = fail(why, FAILURE_BUG, "unexpected message %u from the %s", message.kind, speaker(joining));
        }
        if (r < 0)
            return -1;
    }
}

/* Where root enters a container of its own user namespace there is nothing that needs a process in between: the pid namespace
 * alone takes effect for children only, and a pid namespace lent to one child changes nothing for us. */
static bool is_direct(const struct joining *joining)
{
    return geteuid() == 0 && joining->spec.process.exec_cpu_affinity.initial == NULL && shortcut_permitted(SHORTCUT_NO_ESCORT) &&
           ns_entry_is_direct(&joining->namespaces);
}

static int join_directly(struct joining *joining, struct failure *why)
{
    struct ns_spawn spawn = {
        .cgroup_fd = joining->attach ? -1 : joining->cgroup_fd,
        .relation = NS_CHILD,
        .track = TIMELINE_JOINER,
        .body = joiner_main,
        .arg = joining,
    };
    atomic_store(&joining->words->stage, STAGE_UNBORN);
    /* The joiner is seen by the container from its first instruction (CVE-2016-9962); dumpability is inherited. */
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        return fail_sys(why, "become non-dumpable");
    if (open_channel(joining, why) < 0 || ns_entry_spawn(&joining->namespaces, &spawn, &joining->joiner, why) < 0)
        return -1;
    fd_close(&joining->joiner_channel);
    return equip_joiner(joining, why) < 0 ? -1 : serve_joiner(joining, why);
}

static int join_once(struct joining *joining, struct failure *why)
{
    step_note(STEP_CLONE);
    if (joining->direct)
        return join_directly(joining, why);
    /* The escort's child has it from its first instruction. */
    fd_close(&joining->binary_mount);
    struct ns_spawn spawn = {.cgroup_fd = -1, .relation = NS_CHILD, .track = TIMELINE_ESCORT, .body = joining_escort_main, .arg = joining};
    atomic_store(&joining->words->cloned, 0);
    if (open_channel(joining, why) < 0 || ns_spawn(&spawn, &joining->escort, why) < 0)
        return -1;
    fd_close(&joining->joiner_channel);
    return serve_joiner(joining, why);
}

static void joining_undo(struct joining *joining)
{
    step_note(STEP_UNDO);
    child_end(&joining->escort);
    child_end(&joining->joiner);
    fd_close(&joining->channel);
    fd_close(&joining->joiner_channel);
    if (joining->pid_file_written)
        (void)unlink(joining->request->pid_file); /* gone already is fine */
}

/* The container has made cgroups of its own below its own one and passes controllers on to them: no process may live
 * above (cgroups(7), "no internal processes"), its init does not either.  Where that one is, is a place. */
static bool falls_back_to_cgroup_of_init(struct joining *joining, const struct failure *why)
{
    bool refused = (why->errnum == EBUSY || why->errnum == EOPNOTSUPP) && atomic_load(&joining->words->stage) <= STAGE_WAIT_FOR_MAPS &&
                   joining->cgroup_fd >= 0 && joining->request->cgroup == NULL;
    int fd = refused ? cgroup_open_of(&joining->state.cgroup, joining->state.init.pid) : -1;
    if (fd < 0)
        return false;
    log_debug("cgroup '%s' takes no process: into that of the container's init", joining->state.cgroup.path);
    fd_close(&joining->cgroup_fd);
    joining->cgroup_fd = fd;
    return true;
}

/* KERNEL(6.1.129, 6.14 and others): see clone_again in create.c. */
static bool dies_at_birth(struct joining *joining)
{
    bool dead = (joining->died_unborn || child_is_born_dead(&joining->joiner, joining->words)) && !joining->attach;
    joining->died_unborn = false;
    joining->attach = joining->attach || dead;
    if (dead)
        log_debug("the process was killed at birth: once more without CLONE_INTO_CGROUP");
    return dead;
}

/* From inside the joiner cannot, where the pipes' owner has no number in the container's user namespace.  Best effort. */
static void give_pipes(struct joining *joining)
{
    struct id_mappings mappings;
    uint32_t owner;
    if (ns_read_uid_map(joining->state.init.pid, &joining->arena, &mappings) == 0 &&
        ns_id_to_host(&mappings, joining->spec.process.user.uid, &owner))
        fds_give_pipes(owner);
}

static int join(struct joining *joining, struct failure *why)
{
    bool fell_back = false;
    joining->direct = is_direct(joining);
    if (joining->spec.linux.namespaces[NS_USER].listed && !joining->spec.process.terminal)
        give_pipes(joining);
    proxy_block_signals(NULL);
    for (;;) {
        if (join_once(joining, why) == 0)
            return 0;
        bool again = dies_at_birth(joining);
        if (!again && !fell_back)
            again = fell_back = falls_back_to_cgroup_of_init(joining, why);
        joining_undo(joining);
        if (!again)
            return -1;
    }
}

/* ---- the operation ---- */

static int hand_out(struct joining *joining, struct failure *why)
{
    const struct exec_request *request = joining->request;
    timeline_executed(joining->joiner.pid);
    step_note(STEP_SETTLE);
    if (child_write_pid_file(request->pid_file, joining->joiner.pid, why) < 0)
        return -1;
    joining->pid_file_written = request->pid_file != NULL;
    return child_send_pidfd(request->pidfd_socket, joining->joiner.pidfd, why);
}

static int attend(struct joining *joining, int *ret_exit_code, struct failure *why)
{
    int status;
    step_note(STEP_ATTEND);
    if (proxy_run(joining->joiner.pidfd, joining->joiner.pid, &joining->console_master, NULL, &status, why) < 0)
        return -1;
    joining->joiner.pid = 0;
    *ret_exit_code = child_exit_code(status);
    return 0;
}

/* A container that ends takes away what it is entered by, in steps: its pid namespace clones no process any more (ENOMEM), and its
 * cgroup goes as soon as nobody is in it. */
static int explain_ended(const struct joining *joining, struct failure *why)
{
    bool entered = joining->words != NULL && atomic_load(&joining->words->stage) > STAGE_WAIT_FOR_MAPS;
    bool goes = why->errnum == ENOMEM || why->errnum == ENOENT || why->errnum == ENODEV;
    return goes && !entered && pid_is_ending(joining->state.init.pid) ? fail_stopped(joining, why) : -1;
}

static int joining_run(struct joining *joining, int *ret_exit_code, struct failure *why)
{
    memory_expect_small();
    /* First of all: where it needs a second exec, that one must find our stdin unread. */
    step_note(STEP_PROTECT);
    if (own_binary_protect(joining->runtime->argv, &joining->binary_mount, why) < 0 || settle(joining, why) < 0)
        return -1;
    if (open_all(joining, why) < 0 || join(joining, why) < 0)
        return explain_ended(joining, why);
    int r = hand_out(joining, why);
    if (r == 0 && !(joining->request->flags & EXEC_DETACH))
        r = attend(joining, ret_exit_code, why);
    if (r < 0)
        joining_undo(joining); /* nobody would know of it, see its end or hear its signals */
    return r;
}

static void joining_done(struct joining *joining)
{
    fd_close(&joining->init_pidfd);
    fd_close(&joining->root_fd);
    fd_close(&joining->proc_fd);
    fd_close(&joining->cgroup_fd);
    fd_close(&joining->channel);
    fd_close(&joining->joiner_channel);
    fd_close(&joining->console_socket);
    fd_close(&joining->console_master);
    fd_close(&joining->binary_mount);
    fd_close(&joining->joiner.pidfd);
    state_close(&joining->directory);
    spec_done(&joining->spec);
    arena_done(&joining->arena);
}

int container_exec(const struct runtime *runtime, const struct exec_request *request, int *ret_exit_code, struct failure *why)
{
    struct joining joining = {
        .runtime = runtime,
        .request = request,
        .directory = {.root_fd = -1, .fd = -1},
        .init_pidfd = -1,
        .root_fd = -1,
        .proc_fd = -1,
        .cgroup_fd = -1,
        .channel = -1,
        .joiner_channel = -1,
        .console_socket = -1,
        .console_master = -1,
        .binary_mount = -1,
        .escort = {.pidfd = -1},
        .joiner = {.pidfd = -1},
    };
    *ret_exit_code = 0;
    int r = joining_run(&joining, ret_exit_code, why);
    if (r < 0) {
        exec_process_place(request, why);
        if (why->document[0] != '\0')
            spec_locate_in(joining.document, joining.document_length, why);
        else
            spec_locate(&joining.spec, why);
        if (why->exit_code == 0)
            why->exit_code = EXIT_NOT_EXECUTED;
    }
    joining_done(&joining);
    return r;
}
