/* base/doze.c: what a waiting process keeps of its program, and that it hears signals, takes the connection and goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/doze.h"
#include "base/fd.h"

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_length;
static int variable = 1;
static volatile sig_atomic_t signals;

static void count_signal(int sig)
{
    (void)sig;
    signals = signals + 1;
}

static int listen_somewhere(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    address_length = sizeof(sa_family_t);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, address_length), 0); /* the kernel chooses an abstract name */
    address_length = sizeof(address);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &address_length), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* Instructions of files, in KiB; -1: it cannot be told. */
static long resident_program(pid_t pid)
{
    char path[64], line[512], permissions[8];
    unsigned long start, end;
    bool program = false;
    long total = 0, rss;
    snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "%lx-%lx %7s", &start, &end, permissions) == 3)
            program = strncmp(permissions, "r-x", 3) == 0 && strchr(line, '/') != NULL;
        else if (program && sscanf(line, "Rss: %ld kB", &rss) == 1)
            total += rss;
    }
    fclose(file);
    return total;
}

static bool comes_down_to(pid_t pid, long most)
{
    for (int i = 0; i < 1000; i++) {
        long now = resident_program(pid);
        if (now >= 0 && now <= most)
            return true;
        (void)poll(NULL, 0, 10);
    }
    return false;
}

static void __attribute__((noreturn)) wait_for_connection(int listening, int ready)
{
    struct sigaction action = {.sa_handler = count_signal};
    (void)sigaction(SIGUSR1, &action, NULL);
    if (write(ready, "r", 1) != 1)
        _exit(1);
    variable = 2;
    int connection = doze_accept(listening);
    char said[8];
    bool good = connection >= 0 && (fcntl(connection, F_GETFD) & FD_CLOEXEC) && variable == 2;
    snprintf(said, sizeof(said), "%d %d", (int)signals % 10, variable % 10);
    good = good && write(connection, said, 3) == 3 && doze_accept(-1) == -EBADF;
    _exit(good ? 0 : 1);
}

static void waits_with_little_and_goes_on(void **state)
{
    char said[4] = "";
    int status, ready[2];
    (void)state;
    CLEANUP_FD int listening = listen_somewhere();
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0)
        wait_for_connection(listening, ready[1]);
    fd_close(&listening); /* should the child die, nobody is connected to nobody */
    fd_close(&ready[1]);
    /* A clone has no pages of the program but those that it has used: now it has. */
    assert_int_equal(read(ready[0], said, 1), 1);
    fd_close(&ready[0]);
#if !defined(SANITIZED) && (defined(__x86_64__) || defined(__aarch64__))
    assert_true(resident_program(getpid()) > 64);
    assert_true(comes_down_to(pid, sysconf(_SC_PAGESIZE) / 1024));
    /* The handler is the program's, too. */
    assert_int_equal(kill(pid, SIGUSR1), 0);
#else
    (void)comes_down_to;
#endif
    CLEANUP_FD int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(connection, (struct sockaddr *)&address, address_length), 0);
    assert_int_equal(read(connection, said, 3), 3);
#if !defined(SANITIZED) && (defined(__x86_64__) || defined(__aarch64__))
    assert_string_equal(said, "1 2");
#endif
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_with_little_and_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
