/*
 * container/start.c: start: speaks to the waiting init as the creator would have.
 *
 * Runs in the CLI process, which is not init's parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/pid.h"
#include "base/text.h"
#include "container/birth.h"
#include "container/channel.h"
#include "container/child.h"
#include "container/container.h"
#include "container/hooks.h"
#include "container/notify.h"
#include "container/stop.h"
#include "spec/read.h"

/* Init that says nothing for so long is perhaps frozen. */
#define SILENCE_MS 200

struct start {
    struct arena arena;
    struct state_directory directory;
    struct state state;
    struct spec spec; /* the copy that create kept; read only where hooks or a listener need it */
    bool spec_read;
    struct notify notify;
};

static int read_spec(struct start *start, struct failure *why)
{
    if (start->spec_read)
        return 0;
    start->spec_read = true;
    return spec_read(start->directory.fd, STATE_CONFIG, &start->spec, why);
}

static int check_status(const struct start *start, struct failure *why)
{
    switch (state_status(&start->state)) {
    case STATUS_CREATED:
        if (start->state.no_process)
            return fail_config(why, "/process", "there is no process to start");
        return 0;
    case STATUS_STOPPED:
        return fail(why, FAILURE_STATE, "cannot start a container that has stopped");
    case STATUS_CREATING:
        return fail(why, FAILURE_STATE, "cannot start container `%s`: it is still being created", start->state.id);
    case STATUS_PAUSED:
        fail(why, FAILURE_STATE, "cannot start container `%s`: it is paused", start->state.id);
        return failure_hint(why, "resume it first");
    case STATUS_RUNNING:
    default:
        return fail(why, FAILURE_STATE, "cannot start an already running container");
    }
}

static int pass_listener(struct start *start, int connection, int listener, struct failure *why)
{
    const struct listener_owner owner = {.pid = start->state.init.pid, .status = STATUS_CREATING};
    if (read_spec(start, why) < 0 || listener_send(&start->spec, &start->state, &owner, listener, why) < 0)
        return -1;
    int r = channel_send(connection, MESSAGE_GO_ON, 0, -1);
    return r < 0 ? fail_errno(why, r, "speak to the init process") : 0;
}

static void locate(struct start *start, struct failure *why)
{
    struct failure unimportant;
    if (why->pointer[0] != '\0' && read_spec(start, &unimportant) == 0)
        spec_locate(&start->spec, why);
}

static int fail_started_already(const struct start *start, struct failure *why)
{
    return fail(why, FAILURE_STATE, "cannot start container `%s`: it is being started already", start->state.id);
}

static bool is_frozen(const struct start *start)
{
    CLEANUP_FD int cgroup = start->state.cgroup.path == NULL ? -1 : cgroup_open(&start->state.cgroup);
    return cgroup >= 0 && cgroup_is_frozen(cgroup);
}

/* Whoever has paused the container meanwhile, past our lock or by a pause that was killed, can only resume it when we let go of the
 * lock: START cannot be taken back. */
static int hear(struct start *start, int connection, struct message *ret_message, int *ret_fd, struct failure *why)
{
    int r;
    while ((r = channel_receive(connection, clock_now_ms() + SILENCE_MS, ret_message, ret_fd)) == -ETIME)
        if (start->directory.lock == STATE_EXCLUSIVE && is_frozen(start))
            state_unlock(&start->directory);
    if (r < 0)
        return fail_errno(why, r, "read from the init process");
    return start->directory.lock == STATE_EXCLUSIVE ? 0 : state_lock_again(&start->directory, why);
}

/* Until end of file; only EXECUTING before it means success. */
static int hear_init(struct start *start, int connection, struct failure *why)
{
    bool executing = false;
    for (;;) {
        struct message message;
        CLEANUP_FD int fd = -1;
        if (hear(start, connection, &message, &fd, why) < 0)
            return -1;
        if (message.kind == MESSAGE_FAILED) {
            *why = message.failure;
            return -1;
        }
        if (message.kind == MESSAGE_NONE)
            break;
        if (message.kind == MESSAGE_EXECUTING)
            executing = true;
        else if (message.kind != MESSAGE_LISTENER || fd < 0)
            return fail(why, FAILURE_BUG, "unexpected message %u from the init process", message.kind);
        else if (pass_listener(start, connection, fd, why) < 0)
            return -1;
    }
    /* A filter may have killed init in execve itself: the end of file looks the same. */
    if (executing && pid_has_executed(start->state.init.pid) != 0) {
        timeline_executed(start->state.init.pid);
        return 0;
    }
    /* Another start that was killed had come first: init heard that one, and no longer listens. */
    if (!executing && pid_alive(&start->state.init) && !pid_is_ending(start->state.init.pid))
        return fail_started_already(start, why);
    fail(why, FAILURE_HOST, "read from the init process: it died before it executed the program");
    CLEANUP_FD int cgroup = cgroup_open(&start->state.cgroup);
    if (cgroup >= 0 && cgroup_oom_kills(cgroup) > 0)
        failure_hint(why, "the memory limit of cgroup '%s' is too small to start the container", start->state.cgroup.path);
    return -1;
}

static int signal_start(struct start *start, struct failure *why)
{
    step_note(STEP_AWAIT_EXEC);
    CLEANUP_FD int connection = channel_connect(start->directory.fd, STATE_START_SOCKET);
    if (connection == -ECONNREFUSED)
        return fail_started_already(start, why);
    if (connection < 0)
        return fail_errno(why, connection, "connect to the waiting init of container `%s`", start->state.id);
    int track = timeline_track_new(TIMELINE_INIT);
    timeline_track_is(track, start->state.init.pid);
    /* Were we killed here, init would see the connection end without a word, and wait for the next start. */
    int r = channel_send(connection, MESSAGE_START, track, timeline_share());
    if (r < 0 && r != -EPIPE && r != -ECONNRESET) /* the end that is heard next explains these */
        return fail_errno(why, r, "speak to the init process");
    return hear_init(start, connection, why);
}

static int run_poststart(struct start *start, struct failure *why)
{
    if (!start->state.has_hooks)
        return 0;
    if (read_spec(start, why) < 0)
        return -1;
    step_note(STEP_HOOKS);
    struct hook_call call = {
        .kind = HOOK_POSTSTART, .state = &start->state, .status = STATUS_RUNNING, .pid = start->state.init.pid};
    return hooks_run(&start->spec.hooks[HOOK_POSTSTART], &call, why);
}

/* What was started is never created again: told before the lock, which a poststart hook may keep as long as it likes.  Without a
 * readable record the lock has to tell. */
static int check_not_started(struct start *start, struct failure *why)
{
    struct failure unimportant;
    if (!state_is_locked(&start->directory) || state_load(&start->directory, &start->arena, &start->state, &unimportant) < 0)
        return 0;
    enum state_status status = state_status(&start->state);
    return status == STATUS_RUNNING || status == STATUS_STOPPED ? check_status(start, why) : 0;
}

static bool is_being_created(struct start *start)
{
    struct failure unimportant;
    return state_load(&start->directory, &start->arena, &start->state, &unimportant) == 0 && state_status(&start->state) == STATUS_CREATING;
}

/* A create takes as long as its hooks do, and is waited for; the patience is with every other command. */
static int await_turn(struct start *start, struct failure *why)
{
    do {
        if (check_not_started(start, why) < 0)
            return -1;
        if (state_lock_until(&start->directory, clock_now_ms() + STATE_PATIENCE_MS, why) == 0)
            return 0;
    } while (why->errnum == ETIMEDOUT && is_being_created(start));
    return -1;
}

static int start_open(struct start *start, const struct runtime *runtime, const char *id, struct failure *why)
{
    if (state_open(runtime->root, id, STATE_UNLOCKED, &start->directory, why) < 0 || await_turn(start, why) < 0 ||
        state_load(&start->directory, &start->arena, &start->state, why) < 0)
        return -1;
    return check_status(start, why);
}

/* The lock is not for the time that a container takes to become ready. */
static int await_ready(struct start *start, struct failure *why)
{
    if (start->notify.container < 0)
        return 0;
    step_note(STEP_AWAIT_NOTICE);
    state_close(&start->directory);
    CLEANUP_FD int pidfd = pid_open(&start->state.init);
    if (pidfd < 0 && pidfd != -ESRCH)
        return fail_errno(why, pidfd, "open a pidfd of the init process");
    return notify_await_ready(&start->notify, start->state.id, pidfd < 0 ? -1 : pidfd, start->state.init.pid, why);
}

/* A hook that fails makes us remove the cgroup, for which its manager may have to take our place: now, not in the middle of it.
 * Without its manager the cgroup can be removed all the same. */
static void prepare_to_destroy(const struct start *start)
{
    struct failure unimportant;
    if (start->state.has_hooks && cgroup_prepare(start->state.cgroup.manager, &unimportant) < 0)
        log_debug("%s", unimportant.text);
}

int container_start(const struct runtime *runtime, const char *id, struct failure *why)
{
    struct start start = {.directory = {.root_fd = -1, .fd = -1}, .notify = NOTIFY_NONE};
    int r = start_open(&start, runtime, id, why);
    if (r == 0) {
        prepare_to_destroy(&start);
        r = notify_look(&start.notify, why) < 0 || notify_listen(&start.notify, start.directory.fd, why) < 0 ? -1 : signal_start(&start, why);
        bool failed_hook = r < 0 && text_starts(why->pointer, "/hooks/");
        if (r == 0 && run_poststart(&start, why) < 0) {
            r = -1;
            failed_hook = true;
        }
        /* runtime.md, lifecycle: a failed startContainer or poststart hook stops and destroys the container. */
        struct failure unimportant;
        if (r < 0) {
            timeline_mark(TIMELINE_FAILED, 0);
            locate(&start, why);
        }
        /* The hook's failure is the news. */
        if (failed_hook)
            IGNORE_RESULT(stop_destroy(&start.directory, &start.state, clock_now_ms() + STATE_PATIENCE_MS, &unimportant));
    }
    if (r == 0)
        r = await_ready(&start, why);
    notify_close(&start.notify);
    spec_done(&start.spec);
    state_close(&start.directory);
    arena_done(&start.arena);
    return r;
}
