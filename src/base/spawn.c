/*
 * base/spawn.c: one helper program from fork to reaping, its last words kept.
 *
 * Runs in the creator and in init; both are single-threaded, so fork is safe here.
 */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/memory.h"
#include "base/pid.h"
#include "base/text.h"

/* After the program ended, something it left behind may hold the pipe: words already written are
 * collected, nobody is waited for. */
#define TAIL_RAW 1023

/* As if it had exited with 255: somebody else has reaped it, or the kernel, where SIGCHLD is ignored. */
#define STATUS_UNKNOWN (255 << 8)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* KERNEL(6.3) */
#endif

struct exchange {
    const struct spawn *spawn;
    int output;  /* our end of its stdout and stderr */
    int problem; /* our end of the pipe that carries exec's errno */
    int pidfd;
    char tail[TAIL_RAW + 1];
    size_t tail_length;
};

static void __attribute__((noreturn)) become_program(const struct spawn *spawn, int input, int output, int problem)
{
    sigset_t none;
    sigemptyset(&none);
    (void)kernel_sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with valid arguments */
    char *const default_argv[] = {(char *)(uintptr_t)spawn->path, NULL};
    bool ready = dup2(input, STDIN_FILENO) >= 0 && dup2(spawn->output_fd ? *spawn->output_fd : output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0 &&
                 (spawn->directory_fd < 0 || fchdir(spawn->directory_fd) == 0);
    if (ready) {
        /* Neither our files nor what the caller of the runtime leaked: closed, not marked, as the name of the program could lead
         * through them (see fds_leave_only). */
        if (problem != 3 && dup3(problem, 3, O_CLOEXEC) == 3)
            problem = 3;
        if (problem == 3 && kernel_close_range(4, ~0u, 0) == 0)
            execve(spawn->path, spawn->argv ? spawn->argv : default_argv, spawn->envp ? spawn->envp : environ);
    }
    int errnum = errno;
    /* If the pipe is gone the parent is too. */
    IGNORE_RESULT(write(problem, &errnum, sizeof(errnum)));
    _exit(127);
}

static void keep_tail(struct exchange *exchange, const char *data, size_t length)
{
    if (length >= TAIL_RAW) {
        data += length - TAIL_RAW;
        length = TAIL_RAW;
        exchange->tail_length = 0;
    }
    size_t surplus = exchange->tail_length + length > TAIL_RAW ? exchange->tail_length + length - TAIL_RAW : 0;
    memmove(exchange->tail, exchange->tail + surplus, exchange->tail_length - surplus);
    exchange->tail_length -= surplus;
    memcpy(exchange->tail + exchange->tail_length, data, length);
    exchange->tail_length += length;
}

static void read_output(struct exchange *exchange)
{
    char buffer[4096];
    ssize_t got = read(exchange->output, buffer, sizeof(buffer));
    if (got > 0)
        keep_tail(exchange, buffer, (size_t)got);
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
        fd_close(&exchange->output);
}

enum end { END_OF_PROGRAM, END_OF_TIME, END_BY_INTERRUPTION };

static enum end converse(struct exchange *exchange, int64_t deadline)
{
    const int *interruption = exchange->spawn->interruption;
    for (;;) {
        struct pollfd wait[] = {
            {.fd = exchange->pidfd, .events = POLLIN},
            {.fd = exchange->output, .events = POLLIN},
            {.fd = interruption != NULL ? *interruption : -1, .events = POLLIN},
        };
        int64_t left = deadline < 0 ? -1 : deadline - clock_now_ms();
        if (deadline >= 0 && left <= 0)
            return END_OF_TIME;
        if (poll(wait, ARRAY_LENGTH(wait), left > 60000 ? 60000 : (int)left) < 0 && errno != EINTR)
            return END_OF_TIME;
        if (wait[1].revents)
            read_output(exchange);
        if (wait[0].revents)
            return END_OF_PROGRAM;
        if (wait[2].revents)
            return END_BY_INTERRUPTION;
    }
}

static void drain(struct exchange *exchange)
{
    if (exchange->output < 0 || fd_set_nonblocking(exchange->output, true) < 0)
        return;
    /* Bounded by the pipe's capacity: only what was written before the end. */
    for (int round = 0; round < 32 && exchange->output >= 0; round++) {
        struct pollfd wait = {.fd = exchange->output, .events = POLLIN};
        if (poll(&wait, 1, 0) <= 0)
            break;
        read_output(exchange);
    }
}

static void finish(struct exchange *exchange, pid_t pid, struct spawn_result *result)
{
    pid_t ended;
    while ((ended = waitpid(pid, &result->wait_status, 0)) < 0 && errno == EINTR)
        ;
    if (ended < 0)
        result->wait_status = STATUS_UNKNOWN;
    drain(exchange);
    int errnum;
    if (fd_read_up_to(exchange->problem, &errnum, sizeof(errnum)) == sizeof(errnum))
        result->exec_errno = errnum;
    for (size_t i = 0; i < exchange->tail_length; i++)
        if (exchange->tail[i] == '\0')
            exchange->tail[i] = '?'; /* it must not hide the words behind it */
    exchange->tail[exchange->tail_length] = '\0';
    text_sanitize(result->tail, sizeof(result->tail), exchange->tail);
    for (size_t n = strlen(result->tail); n > 0 && result->tail[n - 1] == ' '; n--)
        result->tail[n - 1] = '\0';
}

/* A file, which every program can read, and open again as /dev/stdin; nobody has to wait until it is read. */
static int make_input(const struct spawn *spawn)
{
    int fd = memfd_create("input", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) /* KERNEL(6.3): the flag is new */
        fd = memfd_create("input", MFD_CLOEXEC);
    if (fd >= 0 && (fd_write_all(fd, spawn->input, spawn->input_length) < 0 || lseek(fd, 0, SEEK_SET) < 0))
        fd_close(&fd);
    return fd;
}

int spawn_run(const struct spawn *spawn, struct spawn_result *result, struct failure *why)
{
    struct exchange exchange = {.spawn = spawn, .output = -1, .problem = -1, .pidfd = -1};
    CLEANUP_FD int input = -1;
    int output[2] = {-1, -1}, problem[2] = {-1, -1};
    int64_t begun = clock_now_ms();
    pid_t pid = -1;

    memset(result, 0, sizeof(*result));
    input = make_input(spawn);
    if (input < 0 || pipe2(output, O_CLOEXEC) < 0 || pipe2(problem, O_CLOEXEC) < 0) {
        fail_sys(why, "make standard input and pipes for '%s'", spawn->path);
        goto out;
    }
    pid = fork();
    if (pid < 0) {
        fail_sys(why, "start '%s'", spawn->path);
        goto out;
    }
    if (pid == 0)
        become_program(spawn, input, output[1], problem[1]);
    fd_close(&output[1]);
    fd_close(&problem[1]);
    exchange.output = fd_steal(&output[0]);
    exchange.problem = fd_steal(&problem[0]);
    exchange.pidfd = kernel_pidfd_open(pid, 0);
    if (exchange.pidfd >= 0)
        (void)fcntl(exchange.pidfd, F_SETFD, FD_CLOEXEC); /* pidfds are CLOEXEC already; harmless */
    enum end end = exchange.pidfd < 0 ? END_OF_TIME : converse(&exchange, spawn->timeout_ms > 0 ? begun + spawn->timeout_ms : -1);
    if (end != END_OF_PROGRAM) {
        result->timed_out = exchange.pidfd >= 0 && end == END_OF_TIME;
        result->interrupted = end == END_BY_INTERRUPTION;
        (void)kill(pid, SIGKILL); /* our unreaped child: the pid cannot have been reused */
    }
    finish(&exchange, pid, result);
    result->elapsed_ms = (long)(clock_now_ms() - begun);
out:
    fd_close(&exchange.output);
    fd_close(&exchange.problem);
    fd_close(&exchange.pidfd);
    for (int i = 0; i < 2; i++) {
        fd_close(&output[i]);
        fd_close(&problem[i]);
    }
    return pid < 0 ? -1 : 0;
}

void spawn_describe(const struct spawn_result *result, char *out, size_t size)
{
    char end[96];
    if (result->exec_errno)
        snprintf(end, sizeof(end), "could not be executed: %s", text_errno(result->exec_errno));
    else if (result->timed_out)
        snprintf(end, sizeof(end), "timed out after %ld ms and was killed", result->elapsed_ms);
    else if (result->interrupted)
        snprintf(end, sizeof(end), "was interrupted after %ld ms and killed", result->elapsed_ms);
    else if (WIFSIGNALED(result->wait_status))
        snprintf(end, sizeof(end), "was killed by signal %d", WTERMSIG(result->wait_status));
    else
        snprintf(end, sizeof(end), "exited with status %d", WEXITSTATUS(result->wait_status));
    snprintf(out, size, "%s%s%s%s", end, result->tail[0] ? ", saying: \"" : "", result->tail, result->tail[0] ? "\"" : "");
}
