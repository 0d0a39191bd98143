/* tests/unit/test_base_pid.c: a process by pid and start time: alive, a zombie, reaped, and how it ended. */
#include "base/pid.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

/* After ours, because it has a macro fail(); and behind what it uses and does not include. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static bool kernel_is_at_least(int major, int minor)
{
    struct utsname name;
    int found_major = 0, found_minor = 0;
    assert_int_equal(uname(&name), 0);
    assert_int_equal(sscanf(name.release, "%d.%d", &found_major, &found_minor), 2);
    return found_major > major || (found_major == major && found_minor >= minor);
}

/* A child that exits with `code`, or waits for a signal (-1). */
static struct pid_name spawn(int code)
{
    struct pid_name name;
    char state;
    pid_t parent = getpid();
    name.pid = fork();
    assert_true(name.pid >= 0);
    if (name.pid == 0) {
        /* A test that fails (under valgrind, which knows no pidfds) must not leave one that waits for ever, with every descriptor
         * that it has inherited. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
            _exit(99);
        if (code >= 0)
            _exit(code);
        for (;;)
            pause();
    }
    assert_int_equal(pid_look(name.pid, &name.start_time, &state), 0); /* also of a zombie */
    return name;
}

static void the_end_of_a_zombie_and_of_a_reaped_process(void **state)
{
    static const int codes[] = {0, 7, 255};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++) {
        struct pid_name name = spawn(codes[i]);
        int pidfd = pid_open(&name), status = 4711;
        assert_true(pidfd >= 0);
        assert_int_equal(pid_wait_end(pidfd, clock_now_ms() + 10000), 1);
        assert_false(pid_alive(&name));
        assert_int_equal(pid_exit_status(pidfd, &name, &status), 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == codes[i]);
        assert_int_equal(waitpid(name.pid, NULL, 0), name.pid);
        status = 4711;
        int found = pid_exit_status(pidfd, &name, &status);
        if (kernel_is_at_least(6, 15)) {
            assert_int_equal(found, 0);
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == codes[i]);
        } else {
            assert_int_equal(found, -ENODATA);
            assert_int_equal(status, 4711);
        }
        fd_close(&pidfd);
        assert_int_equal(pid_open(&name), -ESRCH);
    }
}

static void a_living_process_has_no_status(void **state)
{
    struct pid_name name = spawn(-1);
    int pidfd = pid_open(&name), status = 4711;
    (void)state;
    assert_true(pidfd >= 0 && pid_alive(&name));
    assert_int_equal(pid_wait_end(pidfd, clock_now_ms() + 1), 0);
    assert_int_equal(pid_exit_status(pidfd, &name, &status), -ENODATA);
    assert_int_equal(kill(name.pid, SIGKILL), 0);
    assert_int_equal(pid_wait_end(pidfd, clock_now_ms() + 10000), 1);
    assert_int_equal(pid_exit_status(pidfd, &name, &status), 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(waitpid(name.pid, NULL, 0), name.pid);
    fd_close(&pidfd);
}

/* A pid that was given to somebody else: nothing of theirs is taken for ours. */
static void one_that_cannot_be_looked_at_lives(void **state)
{
    (void)state;
    struct pid_name name = spawn(-1);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool alive = pid_alive(&name);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(alive);
    assert_int_equal(kill(name.pid, SIGKILL), 0);
    assert_int_equal(waitpid(name.pid, NULL, 0), name.pid);
    assert_false(pid_alive(&name));
}

static void another_process_of_that_pid_is_not_ours(void **state)
{
    struct pid_name name = spawn(7), other = name;
    int pidfd = pid_open(&name), status = 4711;
    (void)state;
    assert_true(pidfd >= 0);
    other.start_time++;
    assert_int_equal(pid_open(&other), -ESRCH);
    assert_false(pid_alive(&other));
    assert_int_equal(pid_wait_end(pidfd, clock_now_ms() + 10000), 1);
    assert_int_equal(pid_exit_status(pidfd, &other, &status), -ENODATA);
    assert_int_equal(status, 4711);
    assert_int_equal(waitpid(name.pid, NULL, 0), name.pid);
    fd_close(&pidfd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_zombie_and_of_a_reaped_process),
        cmocka_unit_test(a_living_process_has_no_status),
        cmocka_unit_test(one_that_cannot_be_looked_at_lives),
        cmocka_unit_test(another_process_of_that_pid_is_not_ours),
    };
    return cmocka_run_group_tests_name("base_pid", tests, NULL, NULL);
}
