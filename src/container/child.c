/* container/child.c: the process that create, run and exec make for their caller, seen from outside. */
#include "container/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/pid.h"
#include "base/text.h"
#include "process/process.h"
#include "seccomp/seccomp.h"
#include "spec/spec.h"

#define SILENT_MS 5000

void child_reap(struct ns_child *child)
{
    if (child->pid <= 0)
        return;
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    fd_close(&child->pidfd);
    child->pid = 0;
}

void child_end(struct ns_child *child)
{
    if (child->pid > 0)
        (void)kill(child->pid, SIGKILL); /* our unreaped child: the pid is its own; gone already is fine */
    child_reap(child);
}

int child_await(int channel, const struct ns_child *escort, int interruption, int wait_ms)
{
    struct pollfd wait[] = {
        {.fd = channel, .events = POLLIN}, {.fd = interruption, .events = POLLIN}, {.fd = escort->pidfd, .events = POLLIN}};
    int events;
    while ((events = poll(wait, ARRAY_LENGTH(wait), wait_ms)) < 0)
        if (errno != EINTR)
            return -errno;
    if (events == 0)
        return CHILD_SILENT;
    if (wait[0].revents != 0)
        return CHILD_SPEAKS;
    if (wait[1].revents != 0)
        return CHILD_INTERRUPTED;
    /* Its last word may have come between the two looks, but comes no more now. */
    int r = poll(wait, 1, 0);
    return r > 0 ? CHILD_SPEAKS : r == 0 ? CHILD_ESCORT_LOST : -errno;
}

int child_open_interruption(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_LENGTH(signals); i++) {
        struct sigaction action;
        /* What the caller ignores (nohup, a job in the background of a script) would be pending all the same, as it is blocked. */
        if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, signals[i]);
    }
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

struct ns_child child_of_lost_escort(const struct last_words *words)
{
    siginfo_t ignored;
    pid_t pid = atomic_load(&words->cloned);
    /* Of nobody but a child of ours is the pid sure to be its own. */
    if (pid <= 0 || waitid(P_PID, (id_t)pid, &ignored, WEXITED | WNOHANG | WNOWAIT) < 0)
        pid = 0;
    return (struct ns_child){.pid = pid, .pidfd = -1};
}

int child_hear(int channel, const char *who, struct message *ret_message, int *ret_fd, struct failure *why)
{
    int r = channel_receive(channel, -1, ret_message, ret_fd);
    if (r < 0)
        return fail_errno(why, r, "read from the %s", who);
    if (ret_message->kind == MESSAGE_FAILED) {
        fd_close(ret_fd);
        *why = ret_message->failure;
        return -1;
    }
    return 0;
}

int child_hear_out(int channel, const char *who, struct failure *why)
{
    for (;;) {
        struct message message;
        CLEANUP_FD int fd = -1;
        if (child_hear(channel, who, &message, &fd, why) < 0)
            return -1;
        if (message.kind == MESSAGE_NONE)
            return 0;
    }
}

/* The channel of one who lives has ended: it can say nothing any more, and nobody may wait for it for ever. */
static void end_the_silent(const struct ns_child *child)
{
    if (child->pid > 0 && child->pidfd >= 0 && pid_wait_end(child->pidfd, clock_now_ms() + SILENT_MS) == 0)
        (void)kernel_pidfd_send_signal(child->pidfd, SIGKILL); /* it has ended this very moment */
}

int child_explain_death(struct ns_child *child, const struct child_scene *scene, bool *ret_unborn, struct failure *why)
{
    int status = 0;
    end_the_silent(child);
    while (child->pid > 0 && waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    child->pid = 0;
    fd_close(&child->pidfd);
    int stage = atomic_load(&scene->words->stage), errnum = atomic_load(&scene->words->errnum);
    const char *doing = stage >= 0 && stage < STAGES ? stage_words[stage] : "working";
    *ret_unborn = stage == STAGE_UNBORN && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (errnum != 0)
        fail_errno(why, errnum, "read from the %s: it failed while %s", scene->who, doing);
    else if (WIFSIGNALED(status))
        fail(why, FAILURE_HOST, "read from the %s: it was killed by signal %d (%s) while %s", scene->who, WTERMSIG(status),
             strsignal(WTERMSIG(status)), doing);
    else
        fail(why, FAILURE_HOST, "read from the %s: it ended with status %d while %s", scene->who, WEXITSTATUS(status), doing);
    if (scene->cgroup_fd >= 0 && cgroup_oom_kills(scene->cgroup_fd) > 0)
        failure_hint(why, "the memory limit of cgroup '%s' is too small to %s", scene->cgroup_path, scene->goal);
    else if (errnum != 0 && stage >= STAGE_SECCOMP)
        failure_hint(why, "the seccomp profile forbids the process to tell more, and perhaps what it failed on, such as execve");
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        failure_hint(why, "the seccomp profile forbids a system call that is needed to execute the program");
    return -1;
}

bool child_is_born_dead(const struct ns_child *child, const struct last_words *words)
{
    siginfo_t end = {0};
    return words != NULL && atomic_load(&words->stage) == STAGE_UNBORN && child->pid > 0 &&
           waitid(P_PID, (id_t)child->pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid == child->pid &&
           end.si_code == CLD_KILLED && end.si_status == SIGKILL;
}

bool child_has_executed(const struct ns_child *child, const struct last_words *words)
{
    /* A filter may have killed it in execve itself: the end of file looks the same. */
    return atomic_load(&words->errnum) == 0 && atomic_load(&words->stage) >= STAGE_EXEC && pid_has_executed(child->pid) != 0;
}

/* Beside the target, then renamed: readers that poll for it see nothing or all; a symbolic link at its name is
 * replaced, never followed. */
int child_write_pid_file(const char *path, pid_t pid, struct failure *why)
{
    if (path == NULL)
        return 0;
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX], digits[16];
    snprintf(directory, sizeof(directory), "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1, slash == NULL ? "." : path);
    int length = snprintf(digits, sizeof(digits), "%d", (int)pid);
    CLEANUP_FD int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -errno : file_replace_at(fd, slash == NULL ? path : slash + 1, 0644, digits, (size_t)length);
    return r < 0 ? fail_errno(why, r, "write pid file '%s'", path) : 0;
}

int child_send_pidfd(const char *socket_path, int pidfd, struct failure *why)
{
    if (socket_path == NULL)
        return 0;
    CLEANUP_FD int socket = terminal_connect(socket_path, why);
    if (socket < 0)
        return -1;
    int r = fd_send(socket, pidfd, "pidfd", 5);
    return r < 0 ? fail_errno(why, r, "send the pidfd to '%s'", socket_path) : 0;
}

int child_pass_terminal(int *console_socket, int *master, int *ret_kept, const char *who, struct failure *why)
{
    if (*master < 0)
        return fail(why, FAILURE_BUG, "the %s sent no terminal", who);
    if (*console_socket >= 0) {
        int r = terminal_send(*console_socket, *master, why);
        fd_close(console_socket);
        fd_close(master);
        return r;
    }
    *ret_kept = fd_steal(master);
    proxy_give_size(*ret_kept);
    return 0;
}

int child_exit_code(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int listener_send(const struct spec *spec, const struct state *state, const struct listener_owner *owner, int listener,
                  struct failure *why)
{
    struct json_writer *writer = json_writer_new(JSON_COMPACT);
    json_open_object(writer);
    json_string(writer, "ociVersion", SPEC_VERSION);
    json_key(writer, "fds");
    json_open_array(writer);
    json_string(writer, NULL, "seccompFd");
    json_close_array(writer);
    json_i64(writer, "pid", owner->pid);
    if (spec->linux.seccomp.listener_metadata != NULL)
        json_string(writer, "metadata", spec->linux.seccomp.listener_metadata);
    json_key(writer, "state");
    state_document(writer, state, owner->status, state->init.pid);
    json_close_object(writer);
    size_t length;
    int r = seccomp_send_listener(spec->linux.seccomp.listener_path, json_result(writer, &length), listener, why);
    json_writer_free(writer);
    return r;
}
