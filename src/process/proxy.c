/*
 * process/proxy.c: stands in the foreground for the container's process until it ends.
 *
 * Runs in: creator (`run`, foreground `exec`).  Should: wait, pass signals on, copy bytes, set our own terminal.
 * Must not: set O_NONBLOCK on descriptors 0, 1, 2.  That is a property of the open file, shared with the caller's
 * shell and with everyone else who writes there; a private opening of the same terminal or pipe is used instead,
 * and where there can be none, small pieces after poll(2).
 *
 * All signals are blocked and arrive through a signalfd, so nothing but SIGKILL can end us with the caller's
 * terminal still in raw mode.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/pid.h"
#include "base/text.h"
#include "process/process.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

#define STREAM_SIZE ((size_t)64 * 1024)
/* A terminal takes this much after it polls as writable; a pipe takes PIPE_BUF. */
#define TERMINAL_PIECE 256u
/* What the process can have left in the terminal when it ended is a few KiB; what others write on is not waited for. */
#define DRAIN_LIMIT ((size_t)1024 * 1024)
/* A reader of our output that accepts nothing for so long after the process ended is not waited for either. */
#define STALL_MS 60000
#define CONTROL_D 4 /* VEOF where the terminal cannot be asked */
/* How often the container's terminal is looked at once our input has ended: nothing tells that an end of file was lost. */
#define END_LOOK_MS 100
#define END_LOOK_LATER_MS 1000 /* after END_LATE_MS: what still runs is no filter of our input */
#define END_LATE_MS 10000
/* How often a runtime in the background looks whether it is in front: a shell sends SIGCONT to stopped jobs only. */
#define FRONT_LOOK_MS 1000

/* One of our own 0 and 1. */
enum end_kind { END_DIRECT, END_PRIVATE, END_SOCKET };
struct end {
    int fd; /* -1: closed for good */
    enum end_kind kind;
    size_t piece; /* largest write that does not block after POLLOUT */
};

struct stream {
    unsigned char *bytes; /* STREAM_SIZE; NULL without a terminal, where nothing is copied */
    size_t start, end;
};

struct proxy {
    pid_t pid;
    int pidfd;   /* lent; -1 once the process has ended */
    int signals; /* signalfd */
    int master;  /* -1: no terminal (any more) */
    /* The container's end, held open: otherwise a moment in which no process has it open would look like the end
     * of the terminal, and poll would spin on that. */
    int peer;
    struct end in, out;
    int tty; /* ours: 0, 1 or 2; -1: none */
    bool raw, paused; /* paused: our terminal belongs to another foreground job */
    struct termios saved;
    int64_t input_ended_ms; /* 0: it has not */
    bool eof_typed;
    pid_t eof_group; /* in front in the container when ^D was typed outside of canonical mode; -1: it was typed in it */
    int64_t looked_ms; /* when the container's terminal was last looked at for that */
    unsigned char last_input;
    size_t drained;
    int64_t progress_ms; /* when our output last accepted something after the end */
    const struct proxy_watch *watch; /* NULL: nothing else */
    int status;
    struct stream to_container, to_caller;
};

/* ---- streams ---- */

static size_t stream_held(const struct stream *stream)
{
    return stream->end - stream->start;
}

/* Free bytes at the end; what is held moves to the front when there are none. */
static size_t stream_room(struct stream *stream)
{
    if (stream->start == stream->end)
        stream->start = stream->end = 0;
    if (stream->start > 0 && stream->end == STREAM_SIZE) {
        memmove(stream->bytes, stream->bytes + stream->start, stream_held(stream));
        stream->end -= stream->start;
        stream->start = 0;
    }
    return STREAM_SIZE - stream->end;
}

/* ---- our own ends ---- */

static bool is_pty_master(int fd)
{
    unsigned number;
    return ioctl(fd, TIOCGPTN, &number) == 0;
}

/* An open file of our own where the descriptor is a terminal or a pipe.  Not for a pty master (opening one makes
 * a new pty) and not for regular files (a new opening starts at offset 0, and they do not block). */
static void end_open(struct end *end, int fd, int access)
{
    char path[FD_PATH_SIZE];
    struct stat status;
    bool tty = isatty(fd) == 1;
    int private_fd = -1;

    *end = (struct end){.fd = fd, .kind = END_DIRECT, .piece = tty ? TERMINAL_PIECE : PIPE_BUF};
    if (fstat(fd, &status) < 0) {
        end->fd = -1;
        return;
    }
    if (S_ISSOCK(status.st_mode)) {
        end->kind = END_SOCKET;
        end->piece = STREAM_SIZE;
        return;
    }
    if (S_ISFIFO(status.st_mode) || (tty && !is_pty_master(fd)))
        private_fd = open(fd_path(fd, path), access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (private_fd < 0)
        return; /* another user's terminal, no /proc: small pieces after poll */
    *end = (struct end){.fd = private_fd, .kind = END_PRIVATE, .piece = STREAM_SIZE};
}

static void end_close(struct end *end)
{
    if (end->kind == END_PRIVATE)
        fd_close(&end->fd);
    end->fd = -1; /* 0 and 1 themselves are lent */
}

static ssize_t end_read(const struct end *end, void *data, size_t size)
{
    return end->kind == END_SOCKET ? recv(end->fd, data, size, MSG_DONTWAIT) : read(end->fd, data, size);
}

static ssize_t end_write(const struct end *end, const void *data, size_t size)
{
    if (size > end->piece)
        size = end->piece;
    return end->kind == END_SOCKET ? send(end->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) : write(end->fd, data, size);
}

static bool is_temporary(int errnum)
{
    return errnum == EAGAIN || errnum == EINTR;
}

/* ---- our terminal ---- */

/* False while another job of the shell has our terminal: we may neither read it nor change it. */
static bool tty_foreground(int tty)
{
    pid_t group = tcgetpgrp(tty);
    return group < 0 || group == getpgrp(); /* not our controlling terminal: engines give us such, it is ours alone */
}

static void tty_enter_raw(struct proxy *proxy)
{
    struct termios raw;

    if (proxy->tty < 0)
        return;
    proxy->paused = !tty_foreground(proxy->tty);
    if (proxy->paused)
        return;
    /* Raw already: a stop that we did not see; the shell has set its own modes since, ours to save are the old ones. */
    if (!proxy->raw && tcgetattr(proxy->tty, &proxy->saved) < 0)
        return;
    raw = proxy->saved;
    cfmakeraw(&raw);
    proxy->raw = tcsetattr(proxy->tty, TCSANOW, &raw) == 0;
}

static void tty_restore(struct proxy *proxy)
{
    if (proxy->raw)
        (void)tcsetattr(proxy->tty, TCSANOW, &proxy->saved); /* it fails when the terminal is gone, then nobody misses it */
    proxy->raw = false;
}

static void copy_size(int tty, int master)
{
    struct winsize size;

    if (tty < 0 || master < 0 || ioctl(tty, TIOCGWINSZ, &size) < 0)
        return;
    if (size.ws_row == 0 && size.ws_col == 0)
        return; /* unknown: the container's own size is the better one */
    (void)ioctl(master, TIOCSWINSZ, &size); /* it fails when the container's terminal is gone */
}

static void tty_copy_size(const struct proxy *proxy)
{
    copy_size(proxy->tty, proxy->master);
}

/* As far as our terminal is ours now. */
static void tty_take(struct proxy *proxy)
{
    tty_enter_raw(proxy);
    tty_copy_size(proxy);
}

void proxy_give_size(int master)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (isatty(fd)) {
            copy_size(fd, master);
            return;
        }
    }
}

/* ---- signals ---- */

/* Not sigfillset, which leaves out those that the C library keeps for its threads: here they can only be meant for the container. */
static void signals_fill(sigset_t *set)
{
    memset(set, 0xff, sizeof(*set));
}

void proxy_block_signals(sigset_t *ret_old)
{
    sigset_t all;

    signals_fill(&all);
    (void)kernel_sigprocmask(SIG_BLOCK, &all, ret_old); /* fails for a wrong `how` only */
    /* A caller that ignores SIGCHLD makes the kernel reap our children: their status would be lost. */
    (void)signal(SIGCHLD, SIG_DFL); /* fails for a wrong number only */
}

/* Not passed on: SIGCHLD, SIGPIPE, SIGURG are about our own descriptors and children, SIGTTIN and SIGTTOU about our
 * own terminal. */
static bool signal_is_ours(int number)
{
    return number == SIGCHLD || number == SIGPIPE || number == SIGURG || number == SIGTTIN || number == SIGTTOU;
}

static void signal_pass_on(const struct proxy *proxy, const struct signalfd_siginfo *info)
{
    int number = (int)info->ssi_signo;

    /* ^C at a terminal that the process shares with us: it had the signal when we had it. */
    if (info->ssi_code == SI_KERNEL && getpgid(proxy->pid) == getpgrp())
        return;
    if (kernel_pidfd_send_signal(proxy->pidfd, number) < 0 && errno != ESRCH)
        log_warning("signal %d could not be sent to the container: %s", number, text_errno(errno));
}

/* ^Z: the shell gets its terminal back as it was, and us as a stopped job.  SIGCONT, which wakes us, then comes
 * through the signalfd. */
static void stop_ourselves(struct proxy *proxy)
{
    tty_restore(proxy);
    (void)kill(getpid(), SIGSTOP); /* one's own process is always permitted */
}

static bool ends_waiting(int number)
{
    return number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGQUIT;
}

static void output_give_up(struct proxy *proxy)
{
    if (stream_held(&proxy->to_caller) > 0)
        log_warning("%zu bytes of the terminal's output are lost: nobody reads them", stream_held(&proxy->to_caller));
    proxy->to_caller.start = proxy->to_caller.end = 0;
    fd_close(&proxy->master);
}

static void signal_take(struct proxy *proxy, const struct signalfd_siginfo *info)
{
    int number = (int)info->ssi_signo;

    if (proxy->pidfd < 0) {
        if (ends_waiting(number))
            output_give_up(proxy);
        return;
    }
    if (number == SIGWINCH && proxy->master >= 0) {
        tty_copy_size(proxy);
        return;
    }
    if (signal_is_ours(number))
        return;
    signal_pass_on(proxy, info);
    if (number == SIGTSTP)
        stop_ourselves(proxy);
    if (number == SIGCONT)
        tty_take(proxy);
}

static void signals_read(struct proxy *proxy)
{
    struct signalfd_siginfo info;

    while (read(proxy->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        signal_take(proxy, &info);
}

/* ---- bytes ---- */

/* Our reader is gone: for the process that is a terminal that was closed, SIGHUP included. */
static void output_lost(struct proxy *proxy)
{
    end_close(&proxy->out);
    proxy->to_caller.start = proxy->to_caller.end = 0;
    fd_close(&proxy->peer);
    fd_close(&proxy->master);
}

static void output_write(struct proxy *proxy)
{
    struct stream *stream = &proxy->to_caller;
    ssize_t count = end_write(&proxy->out, stream->bytes + stream->start, stream_held(stream));

    if (count > 0) {
        stream->start += (size_t)count;
        proxy->progress_ms = clock_now_ms();
    } else if (count < 0 && !is_temporary(errno))
        output_lost(proxy);
}

static void master_read(struct proxy *proxy)
{
    struct stream *stream = &proxy->to_caller;
    size_t room = stream_room(stream);
    ssize_t count = read(proxy->master, stream->bytes + stream->end, room);

    if (count > 0) {
        stream->end += (size_t)count;
        if (proxy->pidfd < 0)
            proxy->drained += (size_t)count;
    } else if (count == 0 || !is_temporary(errno)) /* EIO: nobody has the other end open */
        fd_close(&proxy->master);
}

static void master_write(struct proxy *proxy)
{
    struct stream *stream = &proxy->to_container;
    ssize_t count = write(proxy->master, stream->bytes + stream->start, stream_held(stream));

    if (count > 0)
        stream->start += (size_t)count;
    else if (count < 0 && !is_temporary(errno))
        stream->start = stream->end = 0;
}

static void input_read(struct proxy *proxy)
{
    struct stream *stream = &proxy->to_container;
    size_t room = stream_room(stream);
    ssize_t count = end_read(&proxy->in, stream->bytes + stream->end, room);

    if (count > 0) {
        stream->end += (size_t)count;
        proxy->last_input = stream->bytes[stream->end - 1];
        return;
    }
    if (count < 0 && is_temporary(errno))
        return;
    if (count < 0 && errno == EIO && proxy->tty >= 0 && !tty_foreground(proxy->tty)) {
        proxy->paused = true; /* SIGCONT or a look tells when the shell has put us in front again */
        return;
    }
    end_close(&proxy->in);
    proxy->input_ended_ms = clock_now_ms();
}

/* The key that ends the input; true where the terminal makes an end of file of it, false where the program has to. */
static bool end_key(const struct proxy *proxy, unsigned char *ret_key)
{
    struct termios modes;

    *ret_key = CONTROL_D;
    if (tcgetattr(proxy->master, &modes) < 0 || !(modes.c_lflag & ICANON) || modes.c_cc[VEOF] == _POSIX_VDISABLE)
        return false;
    *ret_key = modes.c_cc[VEOF];
    return true;
}

/* True also where the other end could not be opened. */
static bool all_is_read(const struct proxy *proxy)
{
    struct pollfd reader = {.fd = proxy->peer, .events = POLLIN};
    return stream_held(&proxy->to_container) == 0 && poll(&reader, 1, 0) == 0;
}

/* A terminal has no end of file; what a person types for it is ^D, which ends a line that has begun, and ends the
 * input only where a line begins.
 *
 * A shell that edits lines can lose it: the kernel makes a NUL of a waiting end of file when canonical mode is switched
 * off, an ordinary byte of a waiting ^D when it is switched on, and drops both on TCSAFLUSH.  Hence it is typed again
 * when all is read and somebody may still wait: in canonical mode each time, as a file's end is there for every read(2);
 * without it only after a switch or for another foreground job (the shell that started the one that has ended), because
 * a program that had the key may have its own meaning for it.  There the first waits too, until all is read and the
 * shell has had the time to start what was asked for: that would read it otherwise. */
static void input_end(struct proxy *proxy)
{
    struct stream *stream = &proxy->to_container;
    unsigned char key;
    bool lines = end_key(proxy, &key);
    pid_t group = lines ? -1 : tcgetpgrp(proxy->master);

    proxy->looked_ms = clock_now_ms();
    if (stream_room(stream) < 2)
        return;
    if (!lines && proxy->looked_ms - proxy->input_ended_ms < END_LOOK_MS)
        return;
    if ((proxy->eof_typed || !lines) && !all_is_read(proxy))
        return;
    if (proxy->eof_typed && !lines && group == proxy->eof_group)
        return;
    stream->bytes[stream->end++] = key;
    if (lines && proxy->last_input != '\n')
        stream->bytes[stream->end++] = key;
    proxy->last_input = '\n'; /* the next one finds no line begun: a switch makes one of what is there */
    proxy->eof_typed = true;
    proxy->eof_group = group;
}

/* ---- the end ---- */

static int process_ended(struct proxy *proxy, struct failure *why)
{
    pid_t got;

    do
        got = waitpid(proxy->pid, &proxy->status, __WALL);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail_sys(why, "collect the exit status of process %d", (int)proxy->pid);
    proxy->pidfd = -1;
    proxy->progress_ms = clock_now_ms();
    end_close(&proxy->in);
    fd_close(&proxy->peer);
    return 0;
}

/* After the end: takes what is in the terminal.  What the process wrote is on its way through a kernel worker, and
 * poll(2) on the master waits for that worker before it says "nothing" (n_tty_poll), so the first "nothing" after
 * the end is final, whoever else still has the terminal open. */
static void drain(struct proxy *proxy)
{
    struct pollfd master = {.fd = proxy->master, .events = POLLIN};

    while (proxy->master >= 0 && stream_room(&proxy->to_caller) > 0) {
        if (proxy->drained > DRAIN_LIMIT || poll(&master, 1, 0) <= 0)
            fd_close(&proxy->master);
        else
            master_read(proxy);
    }
}

static bool finished(struct proxy *proxy)
{
    if (proxy->pidfd >= 0)
        return false;
    drain(proxy);
    if (stream_held(&proxy->to_caller) == 0)
        return proxy->master < 0;
    if (clock_now_ms() - proxy->progress_ms < STALL_MS)
        return false;
    output_give_up(proxy);
    return true;
}

/* ---- the loop ---- */

/* Until the container's terminal has to be looked at; -1: it has not. */
static int end_look_due_ms(const struct proxy *proxy)
{
    int64_t left, pause = proxy->looked_ms - proxy->input_ended_ms < END_LATE_MS ? END_LOOK_MS : END_LOOK_LATER_MS;

    if (proxy->input_ended_ms == 0 || proxy->pidfd < 0 || proxy->master < 0 || (proxy->eof_typed && proxy->peer < 0))
        return -1;
    left = proxy->looked_ms + pause - clock_now_ms();
    return left > 0 ? (int)left : 0;
}

/* How long to wait for what no descriptor tells; -1: for ever. */
static int patience_ms(const struct proxy *proxy)
{
    int due = end_look_due_ms(proxy);

    if (proxy->pidfd < 0)
        return STALL_MS;
    return due < 0 && proxy->paused ? FRONT_LOOK_MS : due;
}

static int proxy_step(struct proxy *proxy, struct failure *why)
{
    bool ended = proxy->pidfd < 0;
    bool reads_master = proxy->master >= 0 && !ended && stream_room(&proxy->to_caller) > 0;
    bool writes_master = proxy->master >= 0 && !ended && stream_held(&proxy->to_container) > 0;
    bool may_read = !(proxy->paused && proxy->tty == STDIN_FILENO);
    bool reads_input = proxy->master >= 0 && may_read && stream_room(&proxy->to_container) > 0;
    bool writes_output = stream_held(&proxy->to_caller) > 0;
    struct pollfd fds[] = {
        {.fd = proxy->signals, .events = POLLIN},
        {.fd = proxy->pidfd, .events = POLLIN},
        {.fd = writes_output ? proxy->out.fd : -1, .events = POLLOUT},
        {.fd = reads_master || writes_master ? proxy->master : -1,
         .events = (short)((reads_master ? POLLIN : 0) | (writes_master ? POLLOUT : 0))},
        {.fd = reads_input ? proxy->in.fd : -1, .events = POLLIN},
        {.fd = proxy->watch != NULL ? proxy->watch->fd : -1, .events = POLLIN},
    };

    if (poll(fds, sizeof(fds) / sizeof(fds[0]), patience_ms(proxy)) < 0)
        return errno == EINTR ? 0 : fail_sys(why, "wait for the container's process");
    /* Output before the rest: where reader and process are both ready the buffer stays short. */
    if (fds[2].revents != 0)
        output_write(proxy);
    if (fds[3].revents & (POLLIN | POLLHUP | POLLERR) && reads_master && proxy->master >= 0)
        master_read(proxy);
    if (fds[3].revents & POLLOUT && proxy->master >= 0)
        master_write(proxy);
    if (fds[4].revents != 0 && proxy->in.fd >= 0)
        input_read(proxy);
    if (end_look_due_ms(proxy) == 0)
        input_end(proxy);
    if (proxy->paused && !ended && tty_foreground(proxy->tty))
        tty_take(proxy);
    if (fds[5].revents != 0 && proxy->watch != NULL)
        proxy->watch->serve(proxy->watch->arg);
    if (fds[0].revents != 0)
        signals_read(proxy);
    if (fds[1].revents != 0 && proxy->pidfd >= 0)
        return process_ended(proxy, why);
    return 0;
}

static int proxy_init(struct proxy *proxy, int *master, struct failure *why)
{
    sigset_t all;
    int err;

    signals_fill(&all);
    proxy->master = fd_steal(master);
    proxy->peer = proxy->signals = proxy->tty = proxy->in.fd = proxy->out.fd = -1;
    proxy->last_input = '\n';
    proxy_block_signals(NULL);
    proxy->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    if (proxy->signals < 0)
        return fail_sys(why, "receive signals by descriptor");
    if (proxy->master < 0)
        return 0;
    /* The master is ours alone, so here the flag disturbs nobody. */
    err = fd_set_nonblocking(proxy->master, true);
    if (err < 0)
        return fail_errno(why, err, "prepare the container's terminal");
    proxy->to_container.bytes = memory_new(STREAM_SIZE);
    proxy->to_caller.bytes = memory_new(STREAM_SIZE);
    proxy->peer = ioctl(proxy->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (proxy->peer < 0) /* then a terminal that nobody has open ends the copying, and only that */
        log_debug("open the other end of the container's terminal: %s", text_errno(errno));
    end_open(&proxy->in, STDIN_FILENO, O_RDONLY);
    end_open(&proxy->out, STDOUT_FILENO, O_WRONLY);
    for (int fd = STDERR_FILENO; fd >= STDIN_FILENO; fd--)
        if (isatty(fd) == 1)
            proxy->tty = fd;
    tty_take(proxy);
    return 0;
}

static void proxy_done(struct proxy *proxy)
{
    tty_restore(proxy);
    end_close(&proxy->in);
    end_close(&proxy->out);
    fd_close(&proxy->peer);
    fd_close(&proxy->master);
    fd_close(&proxy->signals);
    free(proxy->to_container.bytes);
    free(proxy->to_caller.bytes);
}

int proxy_run(int pidfd, pid_t pid, int *master, const struct proxy_watch *watch, int *ret_wait_status, struct failure *why)
{
    struct proxy proxy = {.pid = pid, .pidfd = pidfd, .watch = watch};
    int result = proxy_init(&proxy, master, why);

    while (result == 0 && !finished(&proxy))
        result = proxy_step(&proxy, why);
    proxy_done(&proxy);
    if (result == 0)
        *ret_wait_status = proxy.status;
    return result;
}
