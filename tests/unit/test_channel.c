/* Unit tests of container/channel.c against a container that sends what it likes, and of what container/child.c makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/pid.h"
#include "base/text.h"
#include "container/channel.h"
#include "container/child.h"

#define SHORT offsetof(struct message, failure)

static int ends[2] = {-1, -1};
static struct failure why;
static struct message message;
static int fd, fds_before;

static int count_own_fds(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static int set_up(void **state)
{
    (void)state;
    fds_before = count_own_fds();
    fd = -1;
    return channel_open(ends, &why);
}

/* Whatever a case did, no descriptor stays behind. */
static int tear_down(void **state)
{
    (void)state;
    fd_close(&ends[0]);
    fd_close(&ends[1]);
    return count_own_fds() == fds_before ? 0 : -1;
}

static int receive(void)
{
    memset(&message, 0x55, sizeof(message));
    fd = 4711;
    return channel_receive(ends[1], clock_now_ms() + 2000, &message, &fd);
}

static void send_bytes(const void *bytes, size_t length)
{
    assert_int_equal(send(ends[0], bytes, length, MSG_NOSIGNAL), length);
}

/* A packet with `count` copies of our stdin. */
static void send_with_fds(const void *bytes, size_t length, size_t count)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(253 * sizeof(int))];
    } control;
    memset(&control, 0, sizeof(control));
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
    int zero = STDIN_FILENO;
    for (size_t i = 0; i < count; i++)
        memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &zero, sizeof(int));
    assert_int_equal(sendmsg(ends[0], &header, MSG_NOSIGNAL), length);
}

static void words_come_through(void **state)
{
    (void)state;
    for (enum message_kind kind = MESSAGE_WANT_ID_MAPS; kind < MESSAGE_KINDS; kind++) {
        if (kind == MESSAGE_FAILED)
            continue;
        assert_int_equal(channel_send(ends[0], kind, -7, -1), 0);
        assert_int_equal(receive(), 0);
        assert_int_equal(message.kind, kind);
        assert_int_equal(message.value, -7);
        assert_int_equal(fd, -1);
    }
    int flags = fcntl(ends[0], F_GETFD) & fcntl(ends[1], F_GETFD);
    assert_int_equal(flags, FD_CLOEXEC);
}

static void a_descriptor_comes_through(void **state)
{
    (void)state;
    struct stat sent, received;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(null, &sent), 0);
    assert_int_equal(channel_send(ends[0], MESSAGE_CONSOLE, 0, null), 0);
    close(null);
    assert_int_equal(receive(), 0);
    assert_int_equal(message.kind, MESSAGE_CONSOLE);
    assert_int_equal(fstat(fd, &received), 0);
    assert_true(sent.st_rdev == received.st_rdev);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    assert_int_equal(channel_send(ends[0], MESSAGE_CONSOLE, 0, 9999), -EBADF);
}

static void a_failure_comes_through(void **state)
{
    (void)state;
    struct failure sent = {0};
    fail_config(&sent, "/process/cwd", "caf\xc3\xa9 is closed");
    failure_hint(&sent, "a hint");
    sent.errnum = ENOENT;
    sent.exit_code = 127;
    assert_int_equal(channel_send_failure(ends[0], &sent), 0);
    assert_int_equal(receive(), 0);
    assert_int_equal(message.kind, MESSAGE_FAILED);
    assert_int_equal(message.failure.kind, FAILURE_CONFIG);
    assert_int_equal(message.failure.errnum, ENOENT);
    assert_int_equal(message.failure.exit_code, 127);
    assert_string_equal(message.failure.text, sent.text);
    assert_string_equal(message.failure.pointer, sent.pointer);
    assert_string_equal(message.failure.hint, sent.hint);
}

static void packets_of_any_other_length(void **state)
{
    (void)state;
    static struct message long_ones[2];
    static const size_t lengths[] = {1, 3, 4, 5, 7, SHORT - 1, SHORT + 1, 100, sizeof(struct message) - 1, sizeof(struct message) + 1, sizeof(long_ones)};
    for (uint32_t kind = 0; kind < MESSAGE_KINDS + 2; kind++)
        for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
            memset(long_ones, 0, sizeof(long_ones));
            long_ones[0].kind = kind;
            send_bytes(long_ones, lengths[i]);
            assert_int_equal(receive(), -EPROTO);
            assert_int_equal(fd, -1);
        }
    /* The wrong length for the kind. */
    long_ones[0].kind = MESSAGE_READY;
    send_bytes(long_ones, sizeof(struct message));
    assert_int_equal(receive(), -EPROTO);
    long_ones[0].kind = MESSAGE_FAILED;
    send_bytes(long_ones, SHORT);
    assert_int_equal(receive(), -EPROTO);
}

static void kinds_that_are_none(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {MESSAGE_NONE, MESSAGE_KINDS, MESSAGE_KINDS + 1, 0x7fffffff, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        struct message sent = {.kind = kinds[i]};
        send_bytes(&sent, SHORT);
        assert_int_equal(receive(), -EPROTO);
        send_bytes(&sent, sizeof(sent));
        assert_int_equal(receive(), -EPROTO);
    }
}

/* At most one descriptor is ever kept, and none of a refused packet (the tear down counts). */
static void floods_of_descriptors(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 3, 4, 16, 253};
    struct message sent = {.kind = MESSAGE_READY};
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++) {
        int before = count_own_fds();
        send_with_fds(&sent, SHORT, counts[i]);
        int r = receive();
        assert_true(r == -EPROTO || (r == 0 && fd >= 0));
        fd_close(&fd);
        assert_int_equal(count_own_fds(), before);
        send_with_fds(&sent, SHORT - 1, counts[i]);
        assert_int_equal(receive(), -EPROTO);
        assert_int_equal(fd, -1);
        assert_int_equal(count_own_fds(), before);
    }
}

static void an_empty_packet_with_descriptors(void **state)
{
    (void)state;
    int before = count_own_fds();
    send_with_fds("", 0, 1);
    assert_int_equal(receive(), 0);
    assert_int_equal(message.kind, MESSAGE_NONE);
    assert_int_equal(fd, -1);
    send_with_fds("", 0, 100);
    assert_int_equal(receive(), 0);
    assert_int_equal(fd, -1);
    assert_int_equal(count_own_fds(), before);
}

static void hostile_failures_are_tamed(void **state)
{
    (void)state;
    struct message sent;
    memset(&sent, 'A', sizeof(sent)); /* nothing ended, every number odd */
    sent.kind = MESSAGE_FAILED;
    send_bytes(&sent, sizeof(sent));
    assert_int_equal(receive(), 0);
    assert_int_equal(message.failure.kind, FAILURE_HOST);
    assert_int_equal(message.failure.exit_code, 'A');
    assert_int_equal(strlen(message.failure.text), sizeof(message.failure.text) - 1);
    assert_int_equal(strlen(message.failure.pointer), sizeof(message.failure.pointer) - 1);
    assert_int_equal(strlen(message.failure.hint), sizeof(message.failure.hint) - 1);

    memset(&sent, 0, sizeof(sent));
    sent.kind = MESSAGE_FAILED;
    sent.failure.kind = FAILURE_NONE;
    sent.failure.exit_code = -1;
    memcpy(sent.failure.text, "\x1b]0;title\x07\n\xff\xc2\x9b", 15);
    memset(sent.failure.hint, 0xe2, sizeof(sent.failure.hint)); /* a sequence that goes on behind the end */
    memset(sent.failure.pointer, 0xf0, sizeof(sent.failure.pointer));
    send_bytes(&sent, sizeof(sent));
    assert_int_equal(receive(), 0);
    assert_int_equal(message.failure.kind, FAILURE_HOST);
    assert_true(message.failure.exit_code >= 0 && message.failure.exit_code <= 255);
    assert_string_equal(message.failure.text, "?]0;title? ???");
    assert_int_equal(strspn(message.failure.hint, "?"), sizeof(message.failure.hint) - 1);
    assert_int_equal(strspn(message.failure.pointer, "?"), sizeof(message.failure.pointer) - 1);
}

static void ends_of_the_channel(void **state)
{
    (void)state;
    int64_t begun = clock_now_ms();
    assert_int_equal(channel_receive(ends[1], begun + 50, &message, &fd), -ETIME);
    assert_true(clock_now_ms() - begun >= 50);
    assert_int_equal(channel_receive(ends[1], begun, &message, &fd), -ETIME);
    assert_int_equal(fd, -1);
    assert_int_equal(channel_send(ends[0], MESSAGE_BUILT, 1, -1), 0);
    fd_close(&ends[0]);
    assert_int_equal(receive(), 0); /* what was said before the end is heard */
    assert_int_equal(message.kind, MESSAGE_BUILT);
    assert_int_equal(receive(), 0);
    assert_int_equal(message.kind, MESSAGE_NONE);
    assert_int_equal(channel_receive(ends[1], -1, &message, &fd), 0);
    assert_int_equal(message.kind, MESSAGE_NONE);
    assert_int_equal(channel_send(ends[1], MESSAGE_GO_ON, 0, -1), -EPIPE);
    assert_int_equal(channel_send(ends[1], MESSAGE_GO_ON, 0, STDIN_FILENO), -EPIPE);
    assert_int_equal(channel_send_failure(ends[1], &why), -EPIPE);
}

static void the_other_side_dies_with_words_unread(void **state)
{
    (void)state;
    assert_int_equal(channel_send(ends[1], MESSAGE_GO_ON, 0, -1), 0);
    fd_close(&ends[0]); /* ECONNRESET on our side */
    assert_int_equal(receive(), 0);
    assert_int_equal(message.kind, MESSAGE_NONE);
}

static void the_other_side_is_gone_with_words_unread(void **state)
{
    (void)state;
    assert_int_equal(channel_send(ends[1], MESSAGE_GO_ON, 0, -1), 0);
    fd_close(&ends[0]);
    assert_int_equal(channel_send(ends[1], MESSAGE_GO_ON, 0, -1), -EPIPE); /* the kernel says ECONNRESET */
    fd_close(&ends[1]);
    assert_int_equal(channel_open(ends, &why), 0);
    assert_int_equal(channel_send(ends[1], MESSAGE_GO_ON, 0, -1), 0);
    fd_close(&ends[0]);
    assert_int_equal(channel_send(ends[1], MESSAGE_GO_ON, 0, STDIN_FILENO), -EPIPE);
}

static void the_other_side_fails_with_words_unread(void **state)
{
    (void)state;
    fail(&why, FAILURE_HOST, "there is a reason");
    assert_int_equal(channel_send(ends[1], MESSAGE_START, 0, -1), 0);
    assert_int_equal(channel_send_failure(ends[0], &why), 0);
    fd_close(&ends[0]);
    assert_int_equal(receive(), 0);
    assert_int_equal(message.kind, MESSAGE_FAILED);
    assert_string_equal(message.failure.text, "there is a reason");
    assert_int_equal(receive(), 0);
    assert_int_equal(message.kind, MESSAGE_NONE);
}

/* The start socket, in a state directory deeper than sun_path is long. */
static void the_start_socket(void **state)
{
    (void)state;
    char root[] = "/tmp/crun-lite-test-XXXXXX", path[512];
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof(path), "%s/%0200d/x", root, 7);
    assert_int_equal(file_make_directories(path, 0700), 0);
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), listener, accepted, client;
    assert_int_equal(channel_connect(directory, "start.sock"), -ENOENT);
    assert_int_equal(channel_listen(directory, "start.sock", &listener, &why), 0);
    assert_int_equal(channel_listen(directory, "start.sock", &accepted, &why), -1); /* taken */
    client = channel_connect(directory, "start.sock");
    assert_true(client >= 0);
    accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_int_equal(channel_send(client, MESSAGE_START, 0, -1), 0);
    assert_int_equal(channel_receive(accepted, -1, &message, &fd), 0);
    assert_int_equal(message.kind, MESSAGE_START);
    close(listener);
    close(accepted);
    close(client);
    assert_int_equal(channel_connect(directory, "start.sock"), -ECONNREFUSED);
    close(directory);
    assert_int_equal(file_remove_tree_at(-1, root), 0);
}

/* Of create clients know the words, of exec the subject is another one. */
static void failures_name_who_speaks(void **state)
{
    (void)state;
    static const char *const speakers[] = {"init process", "process to execute"};
    for (size_t i = 0; i < ARRAY_LENGTH(speakers); i++) {
        char text[64];
        snprintf(text, sizeof(text), "read from the %s: ", speakers[i]);
        send_bytes("?", 1);
        assert_int_equal(child_hear(ends[1], speakers[i], &message, &fd, &why), -1);
        assert_true(text_starts(why.text, text));
        assert_int_equal(why.errnum, EPROTO);
    }
}

/* An escort that says so many words and is killed; whom it "cloned" (we) holds the channel open. */
static struct ns_child escort_of_words(int words)
{
    struct ns_child escort = {.pid = fork()};
    assert_true(escort.pid >= 0);
    if (escort.pid == 0) {
        for (int i = 0; i < words; i++)
            if (channel_send(ends[0], MESSAGE_WANT_ID_MAPS, 0, -1) < 0)
                _exit(1);
        (void)raise(SIGKILL);
    }
    escort.pidfd = kernel_pidfd_open(escort.pid, 0);
    assert_true(escort.pidfd >= 0);
    return escort;
}

static void a_lost_escort(void **state)
{
    (void)state;
    struct ns_child none = {.pidfd = -1};
    for (int words = 0; words < 3; words++) {
        struct ns_child escort = escort_of_words(words);
        assert_int_equal(pid_wait_end(escort.pidfd, clock_now_ms() + 10000), 1);
        for (int i = 0; i < words; i++) {
            assert_int_equal(child_await(ends[1], &escort, -1, -1), CHILD_SPEAKS);
            assert_int_equal(child_hear(ends[1], "escort", &message, &fd, &why), 0);
            assert_int_equal(message.kind, MESSAGE_WANT_ID_MAPS);
        }
        assert_int_equal(child_await(ends[1], &escort, -1, -1), CHILD_ESCORT_LOST);
        assert_int_equal(child_await(ends[1], &escort, escort.pidfd, -1), CHILD_INTERRUPTED);
        assert_int_equal(child_await(ends[1], &none, -1, 10), CHILD_SILENT);
        child_reap(&escort);
    }
    /* It has gone as it should have: the rest is the other's. */
    assert_int_equal(channel_send(ends[0], MESSAGE_READY, 0, -1), 0);
    assert_int_equal(child_await(ends[1], &none, -1, -1), CHILD_SPEAKS);
}

/* Only a child of ours is ended by its number. */
static void whom_a_lost_escort_cloned(void **state)
{
    (void)state;
    struct last_words words = {.cloned = 0};
    assert_int_equal(child_of_lost_escort(&words).pid, 0);
    atomic_store(&words.cloned, getppid());
    assert_int_equal(child_of_lost_escort(&words).pid, 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)pause();
        _exit(0);
    }
    atomic_store(&words.cloned, pid);
    struct ns_child child = child_of_lost_escort(&words);
    assert_int_equal(child.pid, pid);
    assert_int_equal(child.pidfd, -1);
    child_end(&child);
    assert_int_equal(child.pid, 0);
    assert_int_equal(child_of_lost_escort(&words).pid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(words_come_through, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_descriptor_comes_through, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_comes_through, set_up, tear_down),
        cmocka_unit_test_setup_teardown(packets_of_any_other_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(kinds_that_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(floods_of_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_packet_with_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile_failures_are_tamed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_of_the_channel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_other_side_dies_with_words_unread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_other_side_is_gone_with_words_unread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_other_side_fails_with_words_unread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_start_socket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_name_who_speaks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_escort, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whom_a_lost_escort_cloned, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
