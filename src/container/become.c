/*
 * container/become.c: the last steps before execve, the same for init and joiner.
 *
 * Runs in init and joiner, inside the container's root.  Must not load libraries, look up users, print, or follow a path
 * of the host.
 */
#include "container/become.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/text.h"

void become_note(const struct become *become, enum stage stage)
{
    if (become->words != NULL)
        atomic_store_explicit(&become->words->stage, stage, memory_order_relaxed);
    timeline_mark(TIMELINE_STAGE, stage);
}

/* ---- conversation ---- */

int become_receive(struct become *become, enum message_kind kind, enum message_kind or_kind, struct message *ret_message,
                   int *ret_fd, struct failure *why)
{
    CLEANUP_FD int fd = -1;
    int r = channel_receive(become->conversation, -1, ret_message, &fd);
    if (r < 0)
        return fail_errno(why, r, "hear from the runtime");
    if (ret_message->kind == MESSAGE_NONE)
        kernel_exit(1);
    if (ret_message->kind != kind && ret_message->kind != or_kind)
        return fail(why, FAILURE_BUG, "unexpected message %u from the runtime", ret_message->kind);
    *ret_fd = fd_steal(&fd);
    return 0;
}

int become_await(struct become *become, enum message_kind kind, enum message_kind or_kind, struct message *ret_message,
                 struct failure *why)
{
    CLEANUP_FD int fd = -1;
    return become_receive(become, kind, or_kind, ret_message, &fd, why);
}

int become_tell(struct become *become, enum message_kind kind, int fd, struct failure *why)
{
    int r = channel_send(become->conversation, kind, 0, fd);
    return r < 0 ? fail_errno(why, r, "report to the runtime") : 0;
}

/* ---- the program ---- */

int become_find_program(struct become *become, int root_fd, struct failure *why)
{
    const struct spec_process *process = &become->spec->process;
    char listen_fds[32], listen_pid[32];
    snprintf(listen_fds, sizeof(listen_fds), "LISTEN_FDS=%u", become->listen_fds);
    snprintf(listen_pid, sizeof(listen_pid), "LISTEN_PID=%d", (int)getpid());
    const char *const listening[] = {listen_fds, listen_pid, become->listen_names, NULL}; /* the last may be NULL */
    if (environment_build(process, root_fd, become->proc_fd, become->listen_fds > 0 ? listening : NULL, become->arena,
                          &become->environment, why) < 0)
        return -1;
    if (environment_enter_directory(process->cwd, why) < 0) {
        if (why->errnum != EACCES && why->errnum != EPERM)
            return -1;
        become->directory_later = true; /* perhaps the process's own user may */
    }
    return environment_find_program(process->args.items[0], become->environment, process->cwd, become->arena, &become->program, why);
}

/* ---- the process ---- */

void become_take_umask(struct become *become)
{
    become->caller_umask = umask(022);
    if (become->caller_umask == 0)
        become->caller_umask = 022;
}

/* A program that cannot be told to end is no use: what the caller ignores or blocks is its own affair. */
static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int sig = 1; sig <= KERNEL_LAST_SIGNAL; sig++)
        (void)kernel_signal_default(sig); /* SIGKILL and SIGSTOP refuse: nothing to reset there */
    (void)kernel_sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with valid arguments */
}

static int hand_over_listener(struct become *become, int *listener, struct failure *why)
{
    struct message message;
    if (become_tell(become, MESSAGE_LISTENER, *listener, why) < 0 ||
        become_await(become, MESSAGE_GO_ON, MESSAGE_GO_ON, &message, why) < 0)
        return -1;
    fd_close(listener);
    return 0;
}

static int load_filter(struct become *become, struct failure *why)
{
    const struct seccomp_filter *filter = become->filter;
    if (filter->instructions == 0)
        return 0;
    become_note(become, STAGE_SECCOMP);
    /* Where the vDSO has no clock to read, asking for the time is a system call. */
    if (timeline_is_on() && !seccomp_allows(&become->spec->linux.seccomp, "clock_gettime"))
        timeline_stop();
    int listener = seccomp_install(filter);
    if (listener < 0) {
        fail_errno(why, listener, "load the seccomp filter");
        return failure_pointer(why, "/linux/seccomp");
    }
    return filter->notify ? hand_over_listener(become, &listener, why) : 0;
}

enum identity_groups become_groups_rule(const struct become *become)
{
    const char *keep = spec_annotation(become->spec, ANNOTATION_KEEP_GROUPS);
    if (text_equal(keep, "1"))
        return IDENTITY_GROUPS_KEEP;
    /* Also where the runtime itself runs in a user namespace whose groups are fixed. */
    char rule[16] = "";
    bool denied = become->setgroups_denied ||
                  (proc_read(become->proc_fd, "self/setgroups", rule, sizeof(rule)) > 0 && text_starts(rule, "deny"));
    return denied ? IDENTITY_GROUPS_DENIED : IDENTITY_GROUPS_SET;
}

/* The order is the security of it: the bounding set needs CAP_SETPCAP, ids need CAP_SETUID; without
 * no_new_privs a filter needs CAP_SYS_ADMIN, with it the filter comes last so that it need not
 * allow what we do ourselves.  Descriptors are closed, and resource limits lowered, before a filter could forbid it;
 * not earlier, as our own work and that of the hooks needs them. */
int become_process(struct become *become, struct failure *why)
{
    const struct spec_process *process = &become->spec->process;
    become_note(become, STAGE_IDENTITY);
    umask(become->caller_umask);
    reset_signals();
    fds_give_pipes(process->user.uid);
    if (scheduling_settle(become->spec, why) < 0)
        return -1;
    if (lsm_set_exec_labels(become->proc_fd, process, why) < 0 || caps_drop_bounding(become->caps, why) < 0 ||
        identity_take(&process->user, become_groups_rule(become), why) < 0 || fds_leave_only(become->preserved_fds, &become->conversation, why) < 0)
        return -1;
    if (become->directory_later && environment_enter_directory(process->cwd, why) < 0)
        return -1;
    if (limits_settle_rlimits(process, why) < 0)
        return -1;
    if (!process->no_new_privileges) {
        if (become->filter->instructions > 0 && caps_keep_for_filter(become->caps, why) < 0)
            return -1;
        if (load_filter(become, why) < 0)
            return -1;
        return caps_settle(become->caps, why);
    }
    if (caps_settle(become->caps, why) < 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return fail_sys(why, "set no_new_privs");
    return load_filter(become, why);
}

int become_execute(struct become *become, struct failure *why)
{
    become_note(become, STAGE_EXEC);
    if (become->announces)
        IGNORE_RESULT(channel_send(become->conversation, MESSAGE_EXECUTING, 0, -1)); /* `start` may be gone: the program runs all the same */
    execve(become->program, become->spec->process.args.items, become->environment);
    return environment_explain_exec(become->program, errno, why);
}

void become_fail(const struct become *become, const struct failure *why)
{
    timeline_mark(TIMELINE_FAILED, 0);
    if (channel_send_failure(become->conversation, why) < 0 && become->words != NULL)
        atomic_store(&become->words->errnum, why->errnum != 0 ? why->errnum : EIO);
    kernel_exit(1);
}
