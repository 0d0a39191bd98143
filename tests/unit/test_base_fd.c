/* Unit tests of base/fd.c and base/pid.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/pid.h"

static void closing_keeps_errno(void **state)
{
    (void)state;
    int fd = -1;
    errno = EXDEV;
    fd_close(&fd);
    assert_int_equal(fd, -1);
    fd = 9999; /* not open: close fails */
    fd_close(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(errno, EXDEV);
}

static void stealing_and_copying(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int number = fd, taken = fd_steal(&fd);
    assert_int_equal(taken, number);
    assert_int_equal(fd, -1);
    int copy = fd_duplicate(taken, 100);
    assert_true(copy >= 100);
    assert_int_equal(fcntl(copy, F_GETFD), FD_CLOEXEC);
    close(taken);
    assert_int_equal(fd_duplicate(taken, 3), -EBADF);
    assert_false(fd_is_open(taken));
    assert_true(fd_is_open(copy));
    assert_int_equal(fd_set_nonblocking(taken, true), -EBADF);
    close(copy);
}

static void whole_writes_through_a_narrow_pipe(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    int ends[2];
    static char data[SIZE], back[SIZE + 1];
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)(i * 31 >> 3);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        _exit(fd_write_all(ends[1], data, SIZE) == 0 ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(fd_read_up_to(ends[0], back, sizeof(back)), SIZE);
    assert_memory_equal(back, data, SIZE);
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void reads_stop_at_the_size(void **state)
{
    (void)state;
    int ends[2];
    char data[4] = "....";
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fd_write_all(ends[1], "abcdef", 6), 0);
    assert_int_equal(fd_write_all(ends[1], NULL, 0), 0);
    assert_int_equal(fd_read_up_to(ends[0], data, 3), 3);
    assert_memory_equal(data, "abc.", 4);
    assert_int_equal(fd_read_up_to(ends[0], data, 0), 0);
    assert_int_equal(fd_set_nonblocking(ends[0], true), 0);
    assert_int_equal(fd_read_up_to(ends[0], data, 4), -EAGAIN);
    close(ends[1]);
    assert_int_equal(fd_read_up_to(ends[0], data, 4), 0);
    close(ends[0]);
    assert_int_equal(fd_read_up_to(ends[0], data, 1), -EBADF);
}

static void one_descriptor_over_a_socket(void **state, int type)
{
    (void)state;
    int ends[2], pipe_ends[2];
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    assert_int_equal(fd_send(ends[0], pipe_ends[1], "payload", 7), 0);
    close(pipe_ends[1]);
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control;
    char data[16];
    struct iovec part = {data, sizeof(data)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    assert_int_equal(recvmsg(ends[1], &message, MSG_CMSG_CLOEXEC), 7);
    assert_memory_equal(data, "payload", 7);
    assert_int_equal(control.head.cmsg_type, SCM_RIGHTS);
    assert_int_equal(control.head.cmsg_len, CMSG_LEN(sizeof(int)));
    int fd;
    memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
    assert_int_equal(fd_write_all(fd, "x", 1), 0);
    assert_int_equal(fd_read_up_to(pipe_ends[0], data, 1), 1);
    close(fd);
    close(pipe_ends[0]);
    assert_int_equal(fd_send(ends[0], 9999, "x", 1), -EBADF);
    close(ends[1]);
    assert_int_equal(fd_send(ends[0], 1, "x", 1), -EPIPE); /* and no SIGPIPE */
    close(ends[0]);
}

static void descriptors_are_passed(void **state)
{
    one_descriptor_over_a_socket(state, SOCK_STREAM);
    one_descriptor_over_a_socket(state, SOCK_SEQPACKET);
}

static void paths_of_descriptors(void **state)
{
    (void)state;
    char buffer[FD_PATH_SIZE];
    assert_string_equal(fd_path(0, buffer), "/proc/self/fd/0");
    assert_string_equal(fd_path(2147483647, buffer), "/proc/self/fd/2147483647");
}

/* ---- pids ---- */

static void own_process_is_found(void **state)
{
    (void)state;
    struct pid_name name = {.pid = getpid()};
    char letter;
    assert_int_equal(pid_look(name.pid, &name.start_time, &letter), 0);
    assert_int_equal(letter, 'R');
    assert_true(name.start_time > 0);
    assert_true(pid_alive(&name));
    int pidfd = pid_open(&name);
    assert_true(pidfd >= 0);
    assert_int_equal(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(pid_wait_end(pidfd, clock_now_ms() + 10), 0);
    assert_int_equal(pid_wait_end(pidfd, 0), 0);
    close(pidfd);
    name.start_time++;
    assert_false(pid_alive(&name));
    assert_int_equal(pid_open(&name), -ESRCH);
}

static void nobody_is_nobody(void **state)
{
    (void)state;
    static const pid_t pids[] = {0, -1, -2147483647, 2147483647};
    uint64_t start_time;
    char letter;
    for (size_t i = 0; i < ARRAY_LENGTH(pids); i++) {
        struct pid_name name = {.pid = pids[i]};
        assert_false(pid_alive(&name));
        assert_int_equal(pid_open(&name), -ESRCH);
        assert_int_equal(pid_look(pids[i], &start_time, &letter), -ESRCH);
    }
}

/* Whatever a process calls itself, its fields are read from behind the name. */
static void hostile_names(void **state)
{
    (void)state;
    static const char *const names[] = {") Z 1 1 1", "a b c", "))))", ") Z 0 0 (", "(", "\n) X 1", ""};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid_t pid = fork();
        if (pid == 0) {
            char end;
            close(ends[1]);
            prctl(PR_SET_NAME, names[i]);
            _exit(read(ends[0], &end, 1) < 0);
        }
        close(ends[0]);
        struct pid_name name = {.pid = pid};
        char letter;
        uint64_t own;
        assert_int_equal(pid_look(getpid(), &own, &letter), 0);
        assert_int_equal(pid_look(pid, &name.start_time, &letter), 0);
        assert_true(letter == 'R' || letter == 'S');
        assert_true(name.start_time >= own && name.start_time < own + 1000000);
        int pidfd = pid_open(&name);
        assert_true(pidfd >= 0);
        close(ends[1]);
        assert_int_equal(pid_wait_end(pidfd, clock_now_ms() + 10000), 1);
        assert_false(pid_alive(&name)); /* a zombie */
        assert_int_equal(pid_look(pid, &name.start_time, &letter), 0);
        assert_int_equal(letter, 'Z');
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(pid_open(&name), -ESRCH);
        assert_int_equal(pid_wait_end(pidfd, -1), 1);
        close(pidfd);
    }
}

/* Somebody else holds the lock: the wait ends at the deadline, and when the lock is let go. */
static void locks_have_a_deadline(void **state)
{
    (void)state;
    char path[] = "/tmp/crun-lite-lock-XXXXXX";
    int held = mkstemp(path), fd = open(path, O_RDONLY | O_CLOEXEC);
    sigset_t blocked, after;
    struct sigaction action;
    assert_true(held >= 0 && fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(flock(held, LOCK_EX), 0);
    assert_int_equal(sigemptyset(&blocked), 0);
    assert_int_equal(sigaddset(&blocked, SIGALRM), 0);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    int64_t begin = clock_now_ms();
    assert_int_equal(fd_lock_until(fd, begin + 30), -ETIMEDOUT);
    assert_true(clock_now_ms() >= begin + 30);
    assert_int_equal(fd_lock_until(fd, begin), -ETIMEDOUT); /* over already */
    assert_true(clock_now_ms() < begin + 10000);
    /* The caller's signals are as they were, and none is left over. */
    assert_int_equal(sigprocmask(SIG_UNBLOCK, &blocked, &after), 0);
    assert_true(sigismember(&after, SIGALRM));
    assert_int_equal(sigaction(SIGALRM, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_DFL);
    pid_t pid = fork();
    if (pid == 0) {
        close(held); /* the description is the parent's: what ends the wait is its own unlocking */
        _exit(fd_lock_until(fd, clock_now_ms() + 10000) == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(flock(held, LOCK_UN), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(fd_lock_until(9999, begin), -EBADF);
    close(held);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closing_keeps_errno),
        cmocka_unit_test(stealing_and_copying),
        cmocka_unit_test(whole_writes_through_a_narrow_pipe),
        cmocka_unit_test(reads_stop_at_the_size),
        cmocka_unit_test(descriptors_are_passed),
        cmocka_unit_test(paths_of_descriptors),
        cmocka_unit_test(locks_have_a_deadline),
        cmocka_unit_test(own_process_is_found),
        cmocka_unit_test(nobody_is_nobody),
        cmocka_unit_test(hostile_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
