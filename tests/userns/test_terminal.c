/*
 * process/terminal.c: the pty comes from the container's own devpts or there is none; the console socket gets it.
 *
 * Each case forks into a mount namespace of its own (with a user namespace where the test has no privileges).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/memory.h"
#include "process/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* last: its fail() is a macro */

#define SKIPPED 77

static char root[64];

/* In the forked child: ends it with the line that did not hold. */
#define HOLDS(condition)                                                                                             \
    do {                                                                                                             \
        if (!(condition)) {                                                                                          \
            fprintf(stderr, "line %d: %s does not hold (errno %d)\n", __LINE__, #condition, errno);                  \
            _exit(1);                                                                                                \
        }                                                                                                            \
    } while (0)

static void write_proc(const char *name, const char *text)
{
    HOLDS(file_write_text_at(AT_FDCWD, name, text) == 0);
}

/* A mount namespace with an empty tmpfs on `root`. */
static int enter_rootfs(void)
{
    char line[64];
    unsigned uid = getuid(), gid = getgid();
    if (uid == 0) {
        HOLDS(unshare(CLONE_NEWNS) == 0);
    } else {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
            _exit(SKIPPED);
        write_proc("/proc/self/setgroups", "deny");
        snprintf(line, sizeof(line), "0 %u 1", uid);
        write_proc("/proc/self/uid_map", line);
        snprintf(line, sizeof(line), "0 %u 1", gid);
        write_proc("/proc/self/gid_map", line);
    }
    HOLDS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    HOLDS(mount("tmpfs", root, "tmpfs", 0, NULL) == 0);
    HOLDS(chdir(root) == 0);
    HOLDS(mkdir("dev", 0755) == 0 && mkdir("dev/pts", 0755) == 0);
    return open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void mount_devpts(void)
{
    HOLDS(mount("devpts", "dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=0620") == 0);
}

static void in_child(void (*body)(void))
{
    int status;
    pid_t pid;
    strcpy(root, "/tmp/crun-lite-terminal-XXXXXX");
    assert_non_null(mkdtemp(root));
    pid = fork();
    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(rmdir(root), 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED && getenv("CRUN_LITE_TESTS_MUST_RUN") == NULL)
        skip();
    assert_int_equal(status, 0);
}

/* ---- terminal_open, terminal_take ---- */

static void body_own_devpts(void)
{
    struct spec_process process = {.terminal = true, .console_size = {true, 50, 132}};
    struct failure why = {0};
    struct winsize size;
    struct stat slave_status, inside;
    struct statfs filesystem;
    int master = -1, slave = -1, root_fd = enter_rootfs();
    unsigned number;
    char byte = 0;
    mount_devpts();
    if (terminal_open(root_fd, &process, &master, &slave, &why) < 0) {
        fprintf(stderr, "%s\n", why.text);
        _exit(1);
    }
    HOLDS(ioctl(master, TIOCGPTN, &number) == 0 && number == 0); /* the first of a new instance */
    HOLDS(fstat(slave, &slave_status) == 0 && stat("dev/pts/0", &inside) == 0);
    HOLDS(slave_status.st_dev == inside.st_dev && slave_status.st_ino == inside.st_ino);
    HOLDS(major(slave_status.st_rdev) == 136 && fstatfs(slave, &filesystem) == 0 && filesystem.f_type == 0x1cd1);
    HOLDS(ioctl(slave, TIOCGWINSZ, &size) == 0 && size.ws_row == 50 && size.ws_col == 132);
    HOLDS((fcntl(master, F_GETFD) & FD_CLOEXEC) && (fcntl(slave, F_GETFD) & FD_CLOEXEC));

    HOLDS(terminal_take(slave, 0, &why) == 0);
    HOLDS(getsid(0) == getpid() && tcgetsid(slave) == getpid());
    HOLDS(stat("dev/pts/0", &inside) == 0 && inside.st_uid == 0 && (inside.st_mode & 07777) == 0620);
    for (int fd = 0; fd < 3; fd++)
        HOLDS(isatty(fd) == 1 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0);
    HOLDS(write(1, "x", 1) == 1 && read(master, &byte, 1) == 1 && byte == 'x');
}

static void pty_of_the_containers_own_devpts(void **state)
{
    (void)state;
    in_child(body_own_devpts);
}

static void body_owner(void)
{
    struct spec_process process = {.terminal = true};
    struct failure why = {0};
    struct stat inside;
    int master = -1, slave = -1, root_fd;
    if (getuid() != 0)
        _exit(SKIPPED);
    root_fd = enter_rootfs();
    mount_devpts();
    HOLDS(terminal_open(root_fd, &process, &master, &slave, &why) == 0);
    HOLDS(terminal_take(slave, 1234, &why) == 0);
    HOLDS(stat("dev/pts/0", &inside) == 0 && inside.st_uid == 1234);
}

static void owner_is_the_process_user(void **state)
{
    (void)state;
    in_child(body_owner);
}

static void no_terminal(int root_fd)
{
    struct spec_process process = {.terminal = true};
    struct failure why = {0};
    int master = -7, slave = -8;
    HOLDS(terminal_open(root_fd, &process, &master, &slave, &why) == -1);
    HOLDS(why.kind == FAILURE_CONFIG && strcmp(why.pointer, "/process/terminal") == 0);
    HOLDS(strstr(why.text, "devpts") != NULL && strstr(why.hint, "newinstance") != NULL);
    HOLDS(master == -7 && slave == -8);
}

/* Whatever the image has under dev/pts, only a devpts gives a terminal; nothing is created or opened outside. */
static void body_no_devpts(void)
{
    char host_pts[128];
    int root_fd = enter_rootfs();
    no_terminal(root_fd); /* an empty directory */
    HOLDS(mknodat(root_fd, "dev/pts/ptmx", S_IFREG | 0666, 0) == 0);
    no_terminal(root_fd);
    HOLDS(unlinkat(root_fd, "dev/pts/ptmx", 0) == 0 && rmdir("dev/pts") == 0);
    no_terminal(root_fd); /* nothing */
    HOLDS(symlink("/dev/pts", "dev/pts") == 0);
    no_terminal(root_fd); /* a loop inside, the host's /dev/pts if it were followed outside */
    HOLDS(unlink("dev/pts") == 0);
    HOLDS(symlink("../../../../../../../../dev/pts", "dev/pts") == 0);
    no_terminal(root_fd);
    HOLDS(unlink("dev/pts") == 0 && mkdir("proc", 0755) == 0);
    snprintf(host_pts, sizeof(host_pts), "/proc/%d/root/dev/pts", (int)getpid());
    if (getuid() == 0) {
        HOLDS(mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL) == 0);
        HOLDS(symlink(host_pts, "dev/pts") == 0); /* through a magic link that leads out */
        {
            struct spec_process process = {.terminal = true};
            struct failure why = {0};
            int master = -1, slave = -1;
            HOLDS(stat("dev/pts/ptmx", &(struct stat){0}) == 0);
            HOLDS(terminal_open(root_fd, &process, &master, &slave, &why) == -1);
        }
    }
}

static void no_devpts_no_terminal(void **state)
{
    (void)state;
    in_child(body_no_devpts);
}

/* Something mounted over ptmx itself is not used. */
static void body_mounted_ptmx(void)
{
    struct spec_process process = {.terminal = true};
    struct failure why = {0};
    int master = -1, slave = -1, root_fd = enter_rootfs();
    mount_devpts();
    HOLDS(mount("/dev/null", "dev/pts/ptmx", NULL, MS_BIND, NULL) == 0);
    HOLDS(terminal_open(root_fd, &process, &master, &slave, &why) == -1);
    HOLDS(why.errnum == EXDEV);
}

static void mount_over_ptmx_is_refused(void **state)
{
    (void)state;
    in_child(body_mounted_ptmx);
}

static void body_size_too_large(void)
{
    struct spec_process process = {.terminal = true, .console_size = {true, 70000, 10}};
    struct failure why = {0};
    int master = -1, slave = -1, root_fd = enter_rootfs();
    mount_devpts();
    HOLDS(terminal_open(root_fd, &process, &master, &slave, &why) == -1);
    HOLDS(strcmp(why.pointer, "/process/consoleSize") == 0 && strstr(why.text, "70000") != NULL);
}

static void size_out_of_range(void **state)
{
    (void)state;
    in_child(body_size_too_large);
}

/* ---- terminal_connect, terminal_send ---- */

static int console_listen(const char *directory, const char *name, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[FD_PATH_SIZE];
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    CLEANUP_FD int directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0 && directory_fd >= 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%.30s/%.40s", fd_path(directory_fd, path), name);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* The whole exchange before the other side accepts, as engines do it. */
static void terminal_through(const char *directory)
{
    struct failure why = {0};
    char path[400], data[64] = "", name[64];
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * 4)];
    } control;
    struct iovec part = {data, sizeof(data) - 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    CLEANUP_FD int listening = console_listen(directory, "console", SOCK_STREAM);
    CLEANUP_FD int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CLEANUP_FD int accepted = -1, received = -1;
    unsigned number, got = ~0u;
    int socket_fd;
    snprintf(path, sizeof(path), "%s/console", directory);
    socket_fd = terminal_connect(path, &why);
    assert_true(socket_fd >= 0);
    assert_int_equal(terminal_send(socket_fd, master, &why), 0);
    close(socket_fd);
    accepted = accept(listening, NULL, NULL);
    assert_true(recvmsg(accepted, &message, MSG_CMSG_CLOEXEC) > 0);
    assert_int_equal(CMSG_FIRSTHDR(&message)->cmsg_len, CMSG_LEN(sizeof(int)));
    memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    assert_null(CMSG_NXTHDR(&message, CMSG_FIRSTHDR(&message)));
    assert_int_equal(ioctl(master, TIOCGPTN, &number), 0);
    assert_int_equal(ioctl(received, TIOCGPTN, &got), 0);
    assert_int_equal(number, got);
    snprintf(name, sizeof(name), "/dev/pts/%u", number);
    assert_string_equal(data, name);
    assert_int_equal(read(accepted, data, sizeof(data)), 0); /* one message, then closed */
}

static void console_socket(void **state)
{
    char directory[64] = "/tmp/crun-lite-console-XXXXXX", deep[300];
    (void)state;
    assert_non_null(mkdtemp(directory));
    terminal_through(directory);
    snprintf(deep, sizeof(deep), "%s/%0120d", directory, 0); /* longer than a socket address */
    assert_int_equal(mkdir(deep, 0700), 0);
    terminal_through(deep);
    assert_int_equal(file_remove_tree_at(AT_FDCWD, directory), 0);
}

static void console_socket_failures(void **state)
{
    char directory[64] = "/tmp/crun-lite-console-XXXXXX", path[128];
    struct failure why = {0};
    int fd;
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/console", directory);
    assert_int_equal(terminal_connect(path, &why), -1);
    assert_int_equal(why.errnum, ENOENT);
    assert_non_null(strstr(why.text, path));
    fd = console_listen(directory, "console", SOCK_SEQPACKET);
    assert_int_equal(terminal_connect(path, &why), -1);
    assert_int_equal(why.errnum, EPROTOTYPE);
    close(fd);
    assert_int_equal(terminal_connect(path, &why), -1);
    assert_int_equal(why.errnum, ECONNREFUSED);
    assert_int_equal(file_remove_tree_at(AT_FDCWD, directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pty_of_the_containers_own_devpts), cmocka_unit_test(owner_is_the_process_user),
        cmocka_unit_test(no_devpts_no_terminal),            cmocka_unit_test(mount_over_ptmx_is_refused),
        cmocka_unit_test(size_out_of_range),                cmocka_unit_test(console_socket),
        cmocka_unit_test(console_socket_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
