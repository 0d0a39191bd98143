/*
 * seccomp/notify.c: what an agent receives, and what the creator is told when there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/memory.h"
#include "seccomp/seccomp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* last: its fail() is a macro */

static char directory_path[64];

static int agent_setup(void **state)
{
    (void)state;
    strcpy(directory_path, "/tmp/crun-lite-agent-XXXXXX");
    return mkdtemp(directory_path) == NULL ? -1 : 0;
}

static int agent_teardown(void **state)
{
    (void)state;
    return file_remove_tree_at(AT_FDCWD, directory_path);
}

static int agent_bind(const char *name, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", directory_path, name);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int agent_listen(const char *name, int type)
{
    int fd = agent_bind(name, type);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

/* Accepts one connection and reads it to its end.  The length; the descriptors counted, the last one returned. */
static size_t agent_receive(int listening, char *data, size_t size, unsigned *ret_count, int *ret_fd)
{
    size_t length = 0;
    CLEANUP_FD int fd = accept(listening, NULL, NULL);
    *ret_count = 0;
    for (;;) {
        union {
            struct cmsghdr head;
            char room[CMSG_SPACE(sizeof(int) * 4)];
        } control;
        struct iovec part = {data + length, size - length};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
        if (got <= 0)
            return length;
        if (CMSG_FIRSTHDR(&message) != NULL) {
            assert_int_equal(length, 0); /* with the first message only */
            assert_int_equal(CMSG_FIRSTHDR(&message)->cmsg_len, CMSG_LEN(sizeof(int)));
            memcpy(ret_fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
            *ret_count += 1;
        }
        length += (size_t)got;
    }
}

static void sent_to(const char *path, int listening, size_t size)
{
    char *json = memory_new(size + 1), *data = memory_new(size + 2);
    int status, fd = -1;
    unsigned count;
    struct stat sent, got;
    CLEANUP_FD int lent = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_t pid;
    for (size_t i = 0; i < size; i++)
        json[i] = (char)('a' + i % 23);
    json[size] = '\0';
    pid = fork();
    if (pid == 0) {
        struct failure why;
        _exit(seccomp_send_listener(path, json, lent, &why) == 0 ? 0 : 1);
    }
    assert_int_equal(agent_receive(listening, data, size + 1, &count, &fd), size);
    assert_memory_equal(data, json, size);
    assert_int_equal(count, 1);
    assert_int_equal(fstat(lent, &sent), 0);
    assert_int_equal(fstat(fd, &got), 0);
    assert_int_equal(sent.st_ino, got.st_ino);
    fd_close(&fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    free(json);
    free(data);
}

static void one_document_one_descriptor(void **state)
{
    char path[128];
    CLEANUP_FD int listening = agent_listen("s", SOCK_STREAM);
    (void)state;
    snprintf(path, sizeof(path), "%s/s", directory_path);
    sent_to(path, listening, 2);
    sent_to(path, listening, 4000);
    sent_to(path, listening, 3 * 1024 * 1024); /* larger than the socket's buffer */
}

static void path_longer_than_an_address(void **state)
{
    char component[101], path[400], short_path[128];
    CLEANUP_FD int listening = agent_listen("s", SOCK_STREAM);
    (void)state;
    memset(component, 'd', 100);
    component[100] = '\0';
    snprintf(path, sizeof(path), "%s/%s", directory_path, component);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/%s/%s", directory_path, component, component);
    snprintf(short_path, sizeof(short_path), "%s/s", directory_path);
    assert_int_equal(rename(short_path, path), 0);
    sent_to(path, listening, 10);
}

/* What create asks, without the agent noticing: nothing is left to accept. */
static void agent_found_or_not(void **state)
{
    static const struct { const char *name; int type, errnum; } rows[] = {
        {"stream", SOCK_STREAM, 0}, {"datagram", SOCK_DGRAM, EPROTOTYPE}, {"absent", 0, ENOENT}, {"closed", -1, ECONNREFUSED},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct failure why = {0};
        char path[128];
        CLEANUP_FD int fd = -1;
        if (rows[i].type > 0)
            fd = agent_bind(rows[i].name, rows[i].type);
        if (rows[i].type == SOCK_STREAM)
            assert_int_equal(listen(fd, 4), 0);
        if (rows[i].type < 0) {
            fd = agent_bind(rows[i].name, SOCK_STREAM);
            fd_close(&fd);
        }
        snprintf(path, sizeof(path), "%s/%s", directory_path, rows[i].name);
        assert_int_equal(seccomp_find_agent(path, &why), rows[i].errnum == 0 ? 0 : -1);
        assert_int_equal(why.errnum, rows[i].errnum);
        if (rows[i].errnum != 0)
            assert_string_equal(why.pointer, "/linux/seccomp/listenerPath");
        if (rows[i].type == SOCK_STREAM) {
            assert_int_equal(fd_set_nonblocking(fd, true), 0);
            assert_int_equal(accept(fd, NULL, NULL), -1);
            assert_int_equal(errno, EAGAIN);
        }
    }
}

static void failures(void **state)
{
    struct failure why = {0};
    char path[128];
    CLEANUP_FD int packets = agent_listen("packets", SOCK_SEQPACKET);
    (void)state;
    snprintf(path, sizeof(path), "%s/nobody", directory_path);
    assert_int_equal(seccomp_send_listener(path, "{}", 0, &why), -1);
    assert_int_equal(why.errnum, ENOENT);
    assert_string_equal(why.pointer, "/linux/seccomp/listenerPath");
    assert_non_null(strstr(why.text, path));
    snprintf(path, sizeof(path), "%s/packets", directory_path);
    assert_int_equal(seccomp_send_listener(path, "{}", 0, &why), -1);
    assert_int_equal(why.errnum, EPROTOTYPE);
    fd_close(&packets);
    assert_int_equal(seccomp_send_listener(path, "{}", 0, &why), -1);
    assert_int_equal(why.errnum, ECONNREFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_document_one_descriptor, agent_setup, agent_teardown),
        cmocka_unit_test_setup_teardown(path_longer_than_an_address, agent_setup, agent_teardown),
        cmocka_unit_test_setup_teardown(agent_found_or_not, agent_setup, agent_teardown),
        cmocka_unit_test_setup_teardown(failures, agent_setup, agent_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
