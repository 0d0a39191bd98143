/*
 * process/proxy.c: every byte, every signal, the right status, and the caller's terminal as it was.
 *
 * Each case has three processes: the test (the caller: shell or engine), the foreground runtime (proxy_run), and
 * the container's process on a pty of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/memory.h"
#include "base/pid.h"
#include "process/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* last: its fail() is a macro */

/* What the caller gives the runtime as 0 and 1. */
enum caller { CALLER_PIPES, CALLER_SOCKETS, CALLER_TERMINAL };
enum container { CONTAINER_TERMINAL, CONTAINER_PLAIN };

struct run {
    pid_t runtime;
    int to, from;  /* the caller's ends; the same pty master with CALLER_TERMINAL */
    int slave;     /* CALLER_TERMINAL: the runtime's side of that pty */
    int result;    /* wait status of the container's process, written by the runtime */
    int lent;      /* our copy of the runtime's descriptor 1 */
};

static void pty_new(int *master, int *slave)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*master < 0 || grantpt(*master) < 0 || unlockpt(*master) < 0)
        abort();
    *slave = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*slave < 0)
        abort();
}

static void runtime_body(int in, int out, int own_tty, int result, enum container kind, void (*body)(void))
{
    int master = -1, slave = -1, status = 0;
    sigset_t old;
    struct failure why = {0};
    pid_t pid;
    int pidfd;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (own_tty >= 0 && (setsid() < 0 || ioctl(own_tty, TIOCSCTTY, 0) < 0))
        _exit(90);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
        _exit(91);
    if (kind == CONTAINER_TERMINAL)
        pty_new(&master, &slave);
    proxy_block_signals(&old);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (slave >= 0 && terminal_take(slave, getuid(), &why) < 0)
            _exit(92);
        kernel_close_range(3, ~0u, 0);
        sigprocmask(SIG_SETMASK, &old, NULL);
        body();
        _exit(0);
    }
    fd_close(&slave);
    pidfd = kernel_pidfd_open(pid, 0);
    if (proxy_run(pidfd, pid, &master, NULL, &status, &why) < 0) {
        fprintf(stderr, "proxy_run: %s\n", why.text);
        _exit(93);
    }
    if (write(result, &status, sizeof(status)) != (ssize_t)sizeof(status))
        _exit(94);
    _exit(0);
}

static void run_start(struct run *run, enum caller caller, enum container kind, void (*body)(void))
{
    int in[2], out[2], result[2], master = -1, slave = -1;
    assert_int_equal(pipe2(result, O_CLOEXEC), 0);
    if (caller == CALLER_TERMINAL) {
        pty_new(&master, &slave);
        in[0] = out[1] = slave;
        in[1] = out[0] = master;
    } else if (caller == CALLER_PIPES) {
        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    } else {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out), 0);
    }
    run->runtime = fork();
    if (run->runtime == 0) {
        if (caller != CALLER_TERMINAL) {
            close(in[1]);
            close(out[0]);
        } else {
            close(master);
        }
        runtime_body(in[0], out[1], slave, result[1], kind, body);
    }
    close(result[1]);
    run->to = in[1];
    run->from = out[0];
    run->slave = slave;
    run->result = result[0];
    run->lent = -1;
    if (caller != CALLER_TERMINAL) {
        close(in[0]);
        run->lent = out[1];
    }
}

/* The container's wait status; everything of the run is closed. */
static int run_end(struct run *run)
{
    int status = -1, runtime_status = -1;
    if (run->lent >= 0)
        close(run->lent);
    assert_int_equal(read(run->result, &status, sizeof(status)), sizeof(status));
    assert_int_equal(waitpid(run->runtime, &runtime_status, 0), run->runtime);
    assert_int_equal(runtime_status, 0);
    if (run->to >= 0)
        close(run->to);
    if (run->from >= 0 && run->from != run->to)
        close(run->from);
    if (run->slave >= 0)
        close(run->slave);
    close(run->result);
    return status;
}

/* Reads until the end, `limit` bytes or 20 s without any; ends the text with NUL. */
static size_t read_until(int fd, const char *mark, char *data, size_t limit)
{
    size_t length = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (length < limit) {
        ssize_t got;
        if (poll(&wait, 1, 20000) <= 0)
            fail_msg("nothing for 20 s, %zu bytes so far", length);
        got = read(fd, data + length, limit - length);
        if (got <= 0)
            break;
        length += (size_t)got;
        data[length] = '\0';
        if (mark != NULL && strstr(data, mark) != NULL)
            break;
    }
    return length;
}

static void drop_lent(struct run *run)
{
    close(run->lent);
    run->lent = -1;
}

static void say(const char *text)
{
    if (write(1, text, strlen(text)) < 0)
        _exit(80);
}

/* ---- bytes ---- */

#define MEGABYTE (1024u * 1024)

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 131 + (i >> 8) * 17 + (i >> 16));
}

static void body_write_megabyte(void)
{
    static unsigned char block[MEGABYTE];
    struct termios modes;
    tcgetattr(1, &modes);
    cfmakeraw(&modes);
    tcsetattr(1, TCSANOW, &modes);
    for (size_t i = 0; i < MEGABYTE; i++)
        block[i] = pattern(i);
    if (fd_write_all(1, block, MEGABYTE) < 0)
        _exit(81);
    _exit(5);
}

static void megabyte_through(enum caller caller, unsigned stall_ms)
{
    struct run run;
    unsigned char *data = memory_new(MEGABYTE + 2);
    int status;
    run_start(&run, caller, CONTAINER_TERMINAL, body_write_megabyte);
    if (run.lent >= 0)
        drop_lent(&run);
    if (stall_ms > 0)
        poll(NULL, 0, (int)stall_ms);
    assert_int_equal(read_until(run.from, NULL, (char *)data, caller == CALLER_TERMINAL ? MEGABYTE : MEGABYTE + 1), MEGABYTE);
    for (size_t i = 0; i < MEGABYTE; i++)
        if (data[i] != pattern(i))
            fail_msg("byte %zu is %u", i, data[i]);
    status = run_end(&run);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 5);
    free(data);
}

static void every_byte_arrives(void **state)
{
    (void)state;
    megabyte_through(CALLER_PIPES, 0);
    megabyte_through(CALLER_SOCKETS, 0);
    megabyte_through(CALLER_TERMINAL, 0);
}

static void reader_that_stalls_loses_nothing(void **state)
{
    (void)state;
    megabyte_through(CALLER_PIPES, 1200);
    megabyte_through(CALLER_TERMINAL, 1200);
}

static void body_short(void)
{
    say("all of it\n");
    _exit(3);
}

static void short_runs_lose_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        struct run run;
        char data[64] = "";
        run_start(&run, i % 2 ? CALLER_PIPES : CALLER_SOCKETS, CONTAINER_TERMINAL, body_short);
        drop_lent(&run);
        assert_int_equal(read_until(run.from, NULL, data, sizeof(data) - 1), 11);
        assert_string_equal(data, "all of it\r\n");
        assert_int_equal(run_end(&run), 3 << 8);
    }
}

static void body_leaves_another(void)
{
    if (fork() == 0) {
        signal(SIGHUP, SIG_IGN);
        poll(NULL, 0, 15000);
        _exit(0);
    }
    say("done\n");
    _exit(0);
}

/* Somebody else with the terminal open does not hold the end up. */
static void others_on_the_terminal_are_not_waited_for(void **state)
{
    struct run run;
    char data[64] = "";
    int64_t before = clock_now_ms();
    (void)state;
    run_start(&run, CALLER_PIPES, CONTAINER_TERMINAL, body_leaves_another);
    drop_lent(&run);
    assert_int_equal(read_until(run.from, NULL, data, sizeof(data) - 1), 6);
    assert_string_equal(data, "done\r\n");
    assert_int_equal(run_end(&run), 0);
    assert_true(clock_now_ms() - before < 5000);
}

static void body_cat(void)
{
    char data[256];
    ssize_t got;
    struct termios modes;
    tcgetattr(0, &modes);
    modes.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(0, TCSANOW, &modes);
    say("ready\n");
    while ((got = read(0, data, sizeof(data))) > 0)
        if (write(1, data, (size_t)got) < 0)
            _exit(82);
    say("|eof");
    _exit(got == 0 ? 0 : 83);
}

static void end_of_input(void **state)
{
    static const struct { const char *input, *output; } cases[] = {
        {"", "|eof"}, {"line\n", "line\r\n|eof"}, {"no newline", "no newline|eof"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct run run;
        char data[256] = "";
        run_start(&run, i == 1 ? CALLER_SOCKETS : CALLER_PIPES, CONTAINER_TERMINAL, body_cat);
        drop_lent(&run);
        read_until(run.from, "ready\r\n", data, sizeof(data) - 1);
        assert_int_equal(fd_write_all(run.to, cases[i].input, strlen(cases[i].input)), 0);
        fd_close(&run.to);
        data[0] = '\0';
        read_until(run.from, NULL, data, sizeof(data) - 1);
        assert_string_equal(data, cases[i].output);
        assert_int_equal(run_end(&run), 0);
    }
}

/* Reads keys until ^D, outside of canonical mode but for the moment between two of them. */
static void edit_until_end(const char *name)
{
    struct termios before, raw;
    char key = 0;
    tcgetattr(0, &before);
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    tcsetattr(0, TCSANOW, &raw);
    while (key != 4 && read(0, &key, 1) == 1)
        ;
    tcsetattr(0, TCSANOW, &before);
    say(name);
}

static void body_nested_editors(void)
{
    pid_t pid;
    signal(SIGTTOU, SIG_IGN);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        tcsetpgrp(0, getpid());
        edit_until_end("inner ");
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    tcsetpgrp(0, getpgrp());
    edit_until_end("outer");
    _exit(0);
}

/* The shell that started the one that had the key waits for it too. */
static void end_of_input_for_each_shell(void **state)
{
    struct run run;
    char data[256] = "";
    (void)state;
    run_start(&run, CALLER_PIPES, CONTAINER_TERMINAL, body_nested_editors);
    drop_lent(&run);
    poll(NULL, 0, 200);
    fd_close(&run.to);
    read_until(run.from, NULL, data, sizeof(data) - 1);
    assert_string_equal(data, "inner outer");
    assert_int_equal(run_end(&run), 0);
}

static void body_yes(void)
{
    for (;;)
        if (write(1, "y\n", 2) < 0)
            _exit(84);
}

static void reader_that_goes_away_is_a_hangup(void **state)
{
    struct run run;
    char data[64];
    int status;
    (void)state;
    run_start(&run, CALLER_PIPES, CONTAINER_TERMINAL, body_yes);
    drop_lent(&run);
    read_until(run.from, "y\r\n", data, sizeof(data) - 1);
    fd_close(&run.from);
    status = run_end(&run);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 84);
    if (WIFSIGNALED(status))
        assert_int_equal(WTERMSIG(status), SIGHUP);
}

static void callers_descriptors_keep_their_flags(void **state)
{
    struct run run;
    char data[64] = "";
    (void)state;
    for (enum caller caller = CALLER_PIPES; caller <= CALLER_SOCKETS; caller++) {
        run_start(&run, caller, CONTAINER_TERMINAL, body_cat);
        read_until(run.from, "ready\r\n", data, sizeof(data) - 1);
        assert_int_equal(fcntl(run.lent, F_GETFL) & O_NONBLOCK, 0);
        fd_close(&run.to);
        assert_int_equal(run_end(&run), 0);
    }
}

/* ---- status and signals ---- */

static void body_kill_itself(void)
{
    kill(getpid(), SIGKILL);
}

static void body_exit_42(void)
{
    _exit(42);
}

static void status_of_the_process(void **state)
{
    struct run run;
    (void)state;
    for (enum container kind = CONTAINER_TERMINAL; kind <= CONTAINER_PLAIN; kind++) {
        run_start(&run, CALLER_PIPES, kind, body_kill_itself);
        assert_int_equal(run_end(&run), SIGKILL);
        run_start(&run, CALLER_PIPES, kind, body_exit_42);
        assert_int_equal(run_end(&run), 42 << 8);
    }
}

static void body_tell_signals(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    say("ready\n");
    for (;;) {
        int number = 0;
        char line[32];
        sigwait(&all, &number);
        snprintf(line, sizeof(line), "<%d>\n", number);
        say(line);
        if (number == SIGTERM)
            _exit(7);
    }
}

static void signals_are_passed_on(void **state)
{
    int numbers[] = {SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT, SIGSEGV, SIGRTMIN, SIGRTMAX};
    (void)state;
    for (enum container kind = CONTAINER_TERMINAL; kind <= CONTAINER_PLAIN; kind++) {
        struct run run;
        char data[256] = "", expected[16];
        run_start(&run, CALLER_PIPES, kind, body_tell_signals);
        read_until(run.from, "ready", data, sizeof(data) - 1);
        /* Ours, not the container's: were they passed on, the next answer would be theirs. */
        kill(run.runtime, SIGCHLD);
        kill(run.runtime, SIGPIPE);
        kill(run.runtime, SIGURG);
        kill(run.runtime, SIGTTIN);
        for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
            data[0] = '\0';
            kill(run.runtime, numbers[i]);
            read_until(run.from, ">", data, sizeof(data) - 1);
            snprintf(expected, sizeof(expected), "<%d>", numbers[i]);
            if (strstr(data, expected) == NULL)
                fail_msg("signal %d: the container says %s", numbers[i], data);
        }
        kill(run.runtime, SIGTERM);
        assert_int_equal(run_end(&run), 7 << 8);
    }
}

/* A stopped job is stopped with what it runs, and goes on with it.  (Without a terminal in between, so that the
 * process can be heard while the runtime stands still.) */
static void stop_and_continue(void **state)
{
    struct run run;
    char data[64] = "";
    int status;
    (void)state;
    run_start(&run, CALLER_PIPES, CONTAINER_PLAIN, body_tell_signals);
    read_until(run.from, "ready", data, sizeof(data) - 1);
    kill(run.runtime, SIGTSTP);
    assert_int_equal(waitpid(run.runtime, &status, WUNTRACED), run.runtime);
    assert_true(WIFSTOPPED(status));
    read_until(run.from, "<20>", data, sizeof(data) - 1);
    kill(run.runtime, SIGCONT);
    read_until(run.from, "<18>", data, sizeof(data) - 1);
    kill(run.runtime, SIGTERM);
    assert_int_equal(run_end(&run), 7 << 8);
}

/* ---- the caller's terminal ---- */

static void body_tell_sizes(void)
{
    struct winsize size;
    char line[32];
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGWINCH);
    sigprocmask(SIG_BLOCK, &one, NULL);
    for (unsigned i = 0; i < 2; i++) {
        int number;
        if (i > 0)
            sigwait(&one, &number);
        /* The first size may come before or after we look. */
        while (ioctl(0, TIOCGWINSZ, &size) == 0 && i == 0 && size.ws_row == 0)
            sigwait(&one, &number);
        snprintf(line, sizeof(line), "<%u %u>", size.ws_row, size.ws_col);
        say(line);
    }
}

static void window_size_follows(void **state)
{
    struct run run;
    struct winsize size = {.ws_row = 33, .ws_col = 99};
    char data[64] = "";
    (void)state;
    run_start(&run, CALLER_TERMINAL, CONTAINER_TERMINAL, body_tell_sizes);
    assert_int_equal(ioctl(run.to, TIOCSWINSZ, &size), 0);
    kill(run.runtime, SIGWINCH); /* in case the size came before it had the terminal */
    read_until(run.from, ">", data, sizeof(data) - 1);
    assert_string_equal(data, "<33 99>");
    poll(NULL, 0, 100); /* a second SIGWINCH for the first size passes */
    size.ws_row = 44;
    assert_int_equal(ioctl(run.to, TIOCSWINSZ, &size), 0); /* the kernel signals the foreground group */
    data[0] = '\0';
    read_until(run.from, ">", data, sizeof(data) - 1);
    assert_string_equal(data, "<44 99>");
    assert_int_equal(run_end(&run), 0);
}

static bool is_raw(const struct run *run)
{
    struct termios modes;
    assert_int_equal(tcgetattr(run->slave, &modes), 0);
    return (modes.c_lflag & (ICANON | ECHO | ISIG)) == 0;
}

/* Modes change a moment after the signal that makes them. */
static void becomes(const struct run *run, bool raw)
{
    for (int64_t end = clock_now_ms() + 10000; is_raw(run) != raw;) {
        assert_true(clock_now_ms() < end);
        poll(NULL, 0, 5);
    }
}

static void terminal_is_raw_and_restored(void **state)
{
    struct run run;
    struct termios before = {0}, after = {0};
    char data[256] = "";
    int status;
    (void)state;
    run_start(&run, CALLER_TERMINAL, CONTAINER_TERMINAL, body_tell_signals);
    read_until(run.from, "ready", data, sizeof(data) - 1);
    becomes(&run, true);
    /* ^Z from outside: cooked and stopped; continued: raw again. */
    kill(run.runtime, SIGTSTP);
    assert_int_equal(waitpid(run.runtime, &status, WUNTRACED), run.runtime);
    assert_true(WIFSTOPPED(status));
    assert_false(is_raw(&run));
    assert_int_equal(tcgetattr(run.slave, &before), 0);
    kill(run.runtime, SIGCONT);
    becomes(&run, true);
    data[0] = '\0';
    read_until(run.from, "<18>", data, sizeof(data) - 1);
    kill(run.runtime, SIGTERM);
    assert_int_equal(read(run.result, &status, sizeof(status)), sizeof(status));
    assert_int_equal(status, 7 << 8);
    assert_int_equal(tcgetattr(run.slave, &after), 0);
    assert_memory_equal(&before, &after, sizeof(after));
    assert_int_equal(waitpid(run.runtime, &status, 0), run.runtime);
    close(run.result);
    close(run.to);
    close(run.slave);
}

static void keys_reach_the_process(void **state)
{
    struct run run;
    char data[64] = "";
    (void)state;
    run_start(&run, CALLER_TERMINAL, CONTAINER_TERMINAL, body_cat);
    read_until(run.from, "ready\r\n", data, sizeof(data) - 1);
    assert_int_equal(fd_write_all(run.to, "typed\n", 6), 0);
    data[0] = '\0';
    read_until(run.from, "typed\r\n", data, sizeof(data) - 1);
    assert_string_equal(data, "typed\r\n"); /* neither echoed nor translated by the outer terminal */
    assert_int_equal(fd_write_all(run.to, "\003", 1), 0); /* ^C: for the container's terminal, not for ours */
    assert_int_equal(run_end(&run), SIGINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_arrives),
        cmocka_unit_test(reader_that_stalls_loses_nothing),
        cmocka_unit_test(short_runs_lose_nothing),
        cmocka_unit_test(others_on_the_terminal_are_not_waited_for),
        cmocka_unit_test(end_of_input),
        cmocka_unit_test(end_of_input_for_each_shell),
        cmocka_unit_test(reader_that_goes_away_is_a_hangup),
        cmocka_unit_test(callers_descriptors_keep_their_flags),
        cmocka_unit_test(status_of_the_process),
        cmocka_unit_test(signals_are_passed_on),
        cmocka_unit_test(stop_and_continue),
        cmocka_unit_test(window_size_follows),
        cmocka_unit_test(terminal_is_raw_and_restored),
        cmocka_unit_test(keys_reach_the_process),
    };
    /* In the background of a script they are ignored, and a key is pressed here. */
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
