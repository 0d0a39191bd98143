/*
 * container/stop.c: kill and delete.
 *
 * Runs in the CLI process.  Init is somebody else's child: its end is seen through a pidfd.  One deadline
 * bounds everything; when it passes, the message names the process that would not die.
 */
#include "container/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "container/container.h"
#include "container/hooks.h"
#include "container/live.h"
#include "container/stage.h"
#include "spec/read.h"

/* SIGRTMIN of glibc, and with it of all who write such names. */
#define FIRST_REALTIME 34

/* ---- signals by word ---- */

/* NAME without SIG; 0 when unknown. */
static int signal_by_name(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {
        {"HUP", SIGHUP}, {"INT", SIGINT}, {"QUIT", SIGQUIT}, {"ILL", SIGILL}, {"TRAP", SIGTRAP}, {"ABRT", SIGABRT}, {"IOT", SIGABRT},
        {"BUS", SIGBUS}, {"FPE", SIGFPE}, {"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"SEGV", SIGSEGV}, {"USR2", SIGUSR2}, {"PIPE", SIGPIPE},
        {"ALRM", SIGALRM}, {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT}, {"CHLD", SIGCHLD}, {"CLD", SIGCHLD}, {"CONT", SIGCONT},
        {"STOP", SIGSTOP}, {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU}, {"URG", SIGURG}, {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},
        {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH}, {"IO", SIGIO}, {"POLL", SIGIO}, {"PWR", SIGPWR}, {"SYS", SIGSYS},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (strcasecmp(name, known[i].name) == 0)
            return known[i].number;
    uint64_t offset = 0;
    if (strncasecmp(name, "RTMIN", 5) == 0 && (name[5] == '\0' || (name[5] == '+' && text_to_u64(name + 6, 30, &offset) == 0)))
        return FIRST_REALTIME + (int)offset <= KERNEL_LAST_SIGNAL ? FIRST_REALTIME + (int)offset : 0;
    if (strncasecmp(name, "RTMAX", 5) == 0 && (name[5] == '\0' || (name[5] == '-' && text_to_u64(name + 6, 30, &offset) == 0)))
        return KERNEL_LAST_SIGNAL - (int)offset >= FIRST_REALTIME ? KERNEL_LAST_SIGNAL - (int)offset : 0;
    return 0;
}

static int parse_signal(const char *word, int *ret_signal, struct failure *why)
{
    uint64_t number;
    int sig = 0;
    if (text_to_u64(word, 64, &number) == 0)
        sig = (int)number;
    else
        sig = signal_by_name(strncasecmp(word, "SIG", 3) == 0 ? word + 3 : word);
    if (sig == 0 && !text_equal(word, "0")) {
        fail(why, FAILURE_USAGE, "unknown signal '%s'", word);
        return failure_hint(why, "give a number from 1 to 64 or a name such as TERM, SIGTERM or RTMIN+3");
    }
    *ret_signal = sig;
    return 0;
}

/* ---- kill ---- */

static int check_created(const struct state *state, struct failure *why)
{
    bool creating = state->phase == PHASE_CREATING && pid_alive(&state->creator);
    return creating ? fail_not_running(state->id, STATUS_CREATING, why) : 0;
}

/* Nobody of the container is left: the kernel has killed all of its pid namespace together with its init.  Whoever is in its cgroup
 * came later, with a container that was given the same one or by somebody's hand, and is not ours to signal. */
static bool is_over(const struct state *state)
{
    return state->new_pid_ns && state->phase == PHASE_CREATED && !pid_alive(&state->init);
}

static int kill_everybody(const struct state *state, int sig, struct failure *why)
{
    CLEANUP_FD int cgroup = is_over(state) ? -ENOENT : cgroup_open(&state->cgroup);
    if (cgroup < 0 && cgroup != -ENOENT)
        return fail_errno(why, cgroup, "open cgroup '%s'", state->cgroup.path);
    /* Nothing left to signal is success. */
    int r = cgroup < 0 ? 0 : sig == SIGKILL ? cgroup_kill(cgroup) : cgroup_signal(cgroup, sig);
    return r < 0 && r != -ENOENT && r != -ENODEV ? fail_errno(why, r, "signal the processes of cgroup '%s'", state->cgroup.path) : 0;
}

static int kill_init(const struct state *state, int sig, struct failure *why)
{
    CLEANUP_FD int pidfd = pid_alive(&state->init) ? pid_open(&state->init) : -ESRCH;
    if (pidfd == -ESRCH)
        return fail_not_running(state->id, STATUS_STOPPED, why);
    if (pidfd < 0)
        return fail_errno(why, pidfd, "open a pidfd of process %d", (int)state->init.pid);
    if (kernel_pidfd_send_signal(pidfd, sig) == 0)
        return 0;
    return errno == ESRCH ? fail_not_running(state->id, STATUS_STOPPED, why) : fail_sys(why, "send signal %d to process %d", sig, (int)state->init.pid);
}

static bool has_processes(const struct state *state)
{
    CLEANUP_FD int cgroup = cgroup_open(&state->cgroup);
    return cgroup >= 0 && cgroup_is_populated(cgroup);
}

/* KILL ends all of a pid namespace together with its init.  Where the container has none of its own the others would live on, so
 * they get it too, also those whose init has ended before. */
static int kill_container(const struct state *state, int sig, struct failure *why)
{
    bool ends_all = sig == SIGKILL && !state->new_pid_ns && state->cgroup.path != NULL;
    bool left_behind = ends_all && !pid_alive(&state->init) && has_processes(state);
    if (!left_behind && kill_init(state, sig, why) < 0)
        return -1;
    return ends_all ? kill_everybody(state, sig, why) : 0;
}

static const char *default_signal(const struct state *state)
{
    for (size_t i = 0; i < state->annotations.count; i++)
        if (text_equal(state->annotations.items[i].key, ANNOTATION_STOP_SIGNAL))
            return state->annotations.items[i].value;
    return "TERM";
}

int container_kill(const struct runtime *runtime, const char *id, const char *signal_word, enum kill_scope scope, struct failure *why)
{
    struct arena arena = {0};
    struct state_directory directory = {.root_fd = -1, .fd = -1};
    struct state state = {0};
    int sig = 0;
    /* No lock: a kill must get through while another command is busy with the container. */
    int r = state_open(runtime->root, id, STATE_UNLOCKED, &directory, why);
    if (r == 0)
        r = state_load(&directory, &arena, &state, why);
    if (r == 0)
        r = parse_signal(signal_word != NULL ? signal_word : default_signal(&state), &sig, why);
    if (r == 0)
        r = check_created(&state, why);
    if (r == 0 && scope == KILL_ALL && state.cgroup.path != NULL)
        r = kill_everybody(&state, sig, why);
    else if (r == 0)
        r = kill_container(&state, sig, why);
    state_close(&directory);
    arena_done(&arena);
    return r;
}

/* ---- delete ---- */

static int fail_stuck(const struct state *state, struct failure *why)
{
    char path[64], place[128] = "";
    uint64_t ignored;
    char letter = '?';
    IGNORE_RESULT(pid_look(state->init.pid, &ignored, &letter)); /* '?' when it has just gone */
    snprintf(path, sizeof(path), "/proc/%d/wchan", (int)state->init.pid);
    IGNORE_RESULT(file_read_line_at(-1, path, place, sizeof(place))); /* needs privilege; empty without */
    fail(why, FAILURE_HOST, "process %d of container `%s` did not die in time: it is in state %c%s%s", (int)state->init.pid, state->id,
         letter, place[0] ? ", waiting in " : "", place);
    return failure_hint(why, "a process in state D waits for the kernel, usually for a device or a network file system");
}

static int end_init(const struct state *state, int64_t deadline, struct failure *why)
{
    CLEANUP_FD int pidfd = pid_alive(&state->init) ? pid_open(&state->init) : -ESRCH;
    if (pidfd == -ESRCH)
        return 0;
    if (pidfd < 0)
        return fail_errno(why, pidfd, "open a pidfd of process %d", (int)state->init.pid);
    if (kernel_pidfd_send_signal(pidfd, SIGKILL) < 0 && errno != ESRCH)
        return fail_sys(why, "kill process %d", (int)state->init.pid);
    int r = pid_wait_end(pidfd, deadline);
    if (r < 0)
        return fail_errno(why, r, "wait for the end of process %d", (int)state->init.pid);
    return r == 0 ? fail_stuck(state, why) : 0;
}

bool stop_leaves_cgroup(const struct state *state, int cgroup)
{
    struct arena arena = {0};
    pid_t *pids = NULL;
    if (!cgroup_is_populated(cgroup) || !is_over(state))
        return false;
    ssize_t count = cgroup_pids(cgroup, &arena, &pids);
    if (count > 0)
        log_warning("cgroup '%s' stays: process %d in it is not of container `%s`", state->cgroup.path, (int)pids[0], state->id);
    arena_done(&arena);
    return count > 0;
}

/* *ret_stays: the cgroup holds processes that are not the container's. */
static int kill_cgroup(const struct state *state, bool *ret_stays, struct failure *why)
{
    CLEANUP_FD int cgroup = state->cgroup.path != NULL ? cgroup_open(&state->cgroup) : -ENOENT;
    *ret_stays = cgroup >= 0 && stop_leaves_cgroup(state, cgroup);
    if (cgroup < 0 || *ret_stays || is_over(state))
        return 0;
    int r = cgroup_kill(cgroup);
    return r < 0 && r != -ENOENT && r != -ENODEV ? fail_errno(why, r, "kill the processes of cgroup '%s'", state->cgroup.path) : 0;
}

/* A frozen process dies of cgroup.kill too, so nothing needs to be thawed.  Init is waited for first: its pidfd tells at once, and with a
 * pid namespace when all the others are gone; the kernel tells of a cgroup at most every 10 ms. */
static int end_everybody(const struct state *state, int64_t deadline, struct failure *why)
{
    struct failure of_cgroup;
    bool stays;
    if (kill_cgroup(state, &stays, why) < 0)
        return -1;
    int r = end_init(state, deadline, why);
    if (state->cgroup.path == NULL || stays || cgroup_remove(&state->cgroup, deadline, &of_cgroup) == 0)
        return r;
    *why = of_cgroup; /* it names who did not die, who need not be init */
    return -1;
}

int stop_remove_resctrl(const struct resctrl_name *name, enum resctrl_end end, struct failure *why)
{
    if (name->group == NULL)
        return 0;
    CLEANUP_FD int root = resctrl_find();
    if (root == -ENODEV)
        return 0; /* unmounted meanwhile, and its groups with it */
    return root < 0 ? fail_errno(why, root, "open the resctrl file system") : resctrl_remove(root, name, end, why);
}

static void run_poststop(struct state_directory *directory, const struct state *state, struct spec *spec)
{
    struct failure why;
    char text[1900];
    if (!state->has_hooks)
        return;
    if (spec_read(directory->fd, STATE_CONFIG, spec, &why) == 0)
        return;
    failure_render(&why, text, sizeof(text));
    log_warning("the poststop hooks of container `%s` cannot be run: %s", state->id, text);
}

int stop_destroy(struct state_directory *directory, struct state *state, int64_t deadline_ms, struct failure *why)
{
    struct spec spec = {0};
    step_note(STEP_STOP);
    if (end_everybody(state, deadline_ms, why) < 0)
        return -1;
    enum resctrl_end end = state->phase == PHASE_CREATING ? RESCTRL_UNDO : RESCTRL_DELETE;
    if (stop_remove_resctrl(&state->resctrl, end, why) < 0)
        return -1;
    step_note(STEP_REMOVE);
    /* The hooks are read before their copy goes, and run after everything is gone. */
    run_poststop(directory, state, &spec);
    int r = state_remove(directory, why);
    struct hook_call call = {.kind = HOOK_POSTSTOP, .state = state, .status = STATUS_STOPPED};
    if (r == 0)
        hooks_run_poststop(&spec.hooks[HOOK_POSTSTOP], &call);
    spec_done(&spec);
    return r;
}

static int check_deletable(const struct state *state, struct failure *why)
{
    enum state_status status = state_status(state);
    if (status == STATUS_STOPPED || status == STATUS_CREATED)
        return 0;
    fail(why, FAILURE_STATE, "cannot delete container %s that is not stopped: %s", state->id, state_status_words[status]);
    return failure_hint(why, "kill it first, or use delete --force");
}

/* --force from whatever is left: without a readable record there is the directory, and in it the names of cgroup and resctrl
 * group. */
static int delete_remains(struct state_directory *directory, int64_t deadline, struct arena *arena, struct failure *why)
{
    char text[1900];
    struct state remains = {.id = arena_copy(arena, directory->id)};
    failure_render(why, text, sizeof(text));
    log_warning("removing the remains of container `%s`: %s", directory->id, text);
    if (state_find_cgroup(directory, arena, &remains.cgroup) == 0 && end_everybody(&remains, deadline, why) < 0)
        return -1;
    if (state_find_resctrl(directory, arena, &remains.resctrl) == 0 && stop_remove_resctrl(&remains.resctrl, RESCTRL_DELETE, why) < 0)
        return -1;
    return state_remove(directory, why);
}

/* Everything that has a part in the container and may keep the holder of the lock waiting: `start` with a hook inside, a `pause`
 * that waits for a freeze.  What is left of it is reported by delete itself, with the lock. */
static void end_what_is_waited_for(const struct state *state)
{
    CLEANUP_FD int cgroup = is_over(state) ? -ENOENT : cgroup_open(&state->cgroup);
    CLEANUP_FD int pidfd = pid_alive(&state->init) ? pid_open(&state->init) : -ESRCH;
    if (cgroup >= 0)
        IGNORE_RESULT(cgroup_kill(cgroup));
    if (pidfd >= 0)
        IGNORE_RESULT(kernel_pidfd_send_signal(pidfd, SIGKILL));
}

/* A command that is still at work holds the lock; --force ends a creator, and what any other one waits for. */
static void clear_the_way(const struct runtime *runtime, const char *id, int64_t deadline)
{
    struct arena arena = {0};
    struct state_directory directory = {.root_fd = -1, .fd = -1};
    struct state state = {0};
    struct failure unimportant; /* delete itself reports what is wrong */
    if (state_open(runtime->root, id, STATE_UNLOCKED, &directory, &unimportant) == 0 &&
        state_load(&directory, &arena, &state, &unimportant) == 0) {
        CLEANUP_FD int pidfd = state.phase == PHASE_CREATING ? pid_open(&state.creator) : -ESRCH;
        if (pidfd >= 0 && kernel_pidfd_send_signal(pidfd, SIGKILL) == 0)
            IGNORE_RESULT(pid_wait_end(pidfd, deadline)); /* the lock tells the rest */
        else if (state.phase != PHASE_CREATING && state_is_locked(&directory))
            end_what_is_waited_for(&state);
    }
    state_close(&directory);
    arena_done(&arena);
}

static int open_to_delete(const struct runtime *runtime, const char *id, int64_t deadline, struct state_directory *directory,
                          struct failure *why)
{
    return state_open(runtime->root, id, STATE_UNLOCKED, directory, why) < 0 ? -1 : state_lock_until(directory, deadline, why);
}

int container_delete(const struct runtime *runtime, const char *id, enum delete_force force, struct failure *why)
{
    struct arena arena = {0};
    struct state_directory directory = {.root_fd = -1, .fd = -1};
    struct state state = {0};
    int64_t deadline = clock_now_ms() + STATE_PATIENCE_MS;
    if (state_check_id(id, why) < 0)
        return -1;
    if (force == DELETE_ANY)
        clear_the_way(runtime, id, deadline);
    int r = open_to_delete(runtime, id, deadline, &directory, why);
    if (r < 0) {
        state_close(&directory);
        if (force == DELETE_ANY && why->errnum == ETIMEDOUT)
            return failure_hint(why, "perhaps it waits for a hook: look with `ps`, and end it or its children first");
        return force == DELETE_ANY && why->errnum == ENOENT ? 0 : -1;
    }
    if (state_load(&directory, &arena, &state, why) < 0) {
        r = force == DELETE_ANY ? delete_remains(&directory, deadline, &arena, why) : -1;
    } else {
        r = force == DELETE_ANY ? 0 : check_deletable(&state, why);
        /* Without its manager the cgroup can be removed all the same. */
        struct failure unimportant;
        if (r == 0 && cgroup_prepare(state.cgroup.manager, &unimportant) < 0)
            log_debug("%s", unimportant.text);
        if (r == 0)
            r = stop_destroy(&directory, &state, deadline, why);
    }
    state_close(&directory);
    arena_done(&arena);
    return r;
}
