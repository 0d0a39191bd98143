/*
 * process/terminal.c: the container's terminal, and the console socket that takes its other end.
 *
 * terminal_open and terminal_take run in init, terminal_connect and terminal_send in the creator.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "process/process.h"

#ifndef DEVPTS_SUPER_MAGIC
#define DEVPTS_SUPER_MAGIC 0x1cd1
#endif
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

#define POINTER "/process/terminal"
/* Owner reads and writes, the group (devpts' gid=, by custom tty) may write: what login(1) leaves behind too. */
#define TERMINAL_MODE 0620

/* ---- init ---- */

/* Against: a rootfs whose dev/pts is a link or a directory with a prepared ptmx (CVE-2025-52565 and its class).
 * The walk cannot leave the rootfs, follows no magic link, and ends in a devpts or nowhere; ptmx is then opened
 * in that very filesystem. */
static int terminal_open_master(int root_fd, struct failure *why)
{
    struct statfs filesystem;
    int master;
    CLEANUP_FD int directory = kernel_openat2(root_fd, "dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                                              RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

    if (directory < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
        return fail_sys(why, "open the container's /dev/pts");
    if (directory < 0 || fstatfs(directory, &filesystem) < 0 || filesystem.f_type != DEVPTS_SUPER_MAGIC) {
        (void)fail_config(why, POINTER, "a terminal needs a devpts filesystem on /dev/pts of the container"); /* below */
        return failure_hint(why, "add {\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":"
                                 "[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]} to mounts");
    }
    master = kernel_openat2(directory, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0,
                            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
    if (master < 0) {
        (void)fail_sys(why, "open a new terminal in the container's /dev/pts"); /* returned below */
        return failure_pointer(why, POINTER);
    }
    return master;
}

static int terminal_set_size(int master, const struct spec_process *process, struct failure *why)
{
    struct winsize size = {0};

    if (!process->console_size.set)
        return 0;
    if (process->console_size.height > USHRT_MAX || process->console_size.width > USHRT_MAX)
        return fail_config(why, "/process/consoleSize", "%llu x %llu is too large: a terminal has at most %d rows and columns",
                           (unsigned long long)process->console_size.height,
                           (unsigned long long)process->console_size.width, USHRT_MAX);
    size.ws_row = (unsigned short)process->console_size.height;
    size.ws_col = (unsigned short)process->console_size.width;
    if (ioctl(master, TIOCSWINSZ, &size) < 0)
        return fail_sys(why, "set the terminal's size");
    return 0;
}

int terminal_open(int root_fd, const struct spec_process *process, int *ret_master, int *ret_slave, struct failure *why)
{
    int locked = 0;
    CLEANUP_FD int slave = -1;
    CLEANUP_FD int master = terminal_open_master(root_fd, why);

    if (master < 0)
        return -1;
    if (ioctl(master, TIOCSPTLCK, &locked) < 0)
        return fail_sys(why, "unlock the container's terminal");
    /* By the master, not by a name like dev/pts/0 that the container's side could have replaced in between
     * (CVE-2025-52565).  KERNEL(4.13). */
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return fail_sys(why, "open the container's end of its terminal");
    if (terminal_set_size(master, process, why) < 0)
        return -1;
    *ret_master = fd_steal(&master);
    *ret_slave = fd_steal(&slave);
    return 0;
}

int terminal_take(int slave, uid_t owner, struct failure *why)
{
    /* A session leader already: fine, setsid has nothing to do. */
    if (getsid(0) != getpid() && setsid() < 0)
        return fail_sys(why, "start a session for the terminal");
    if (ioctl(slave, TIOCSCTTY, 0) < 0)
        return fail_sys(why, "make the terminal the controlling one");
    /* The group stays the one that the devpts mount gives. */
    if (fchown(slave, owner, (gid_t)-1) < 0)
        return fail_sys(why, "give the terminal to user %u", (unsigned)owner);
    if (fchmod(slave, TERMINAL_MODE) < 0)
        return fail_sys(why, "set the terminal's mode");
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (dup2(slave, fd) < 0)
            return fail_sys(why, "make the terminal descriptor %d", fd);
    return 0;
}

/* ---- creator ---- */

int terminal_connect(const char *socket_path, struct failure *why)
{
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return fail_sys(why, "create a socket");
    int err = fd_connect(fd, socket_path);
    if (err < 0) {
        (void)fail_errno(why, err, "connect to the socket '%s'", socket_path); /* returned below */
        return failure_hint(why, "a stream socket must be listening there before the command is run");
    }
    return fd_steal(&fd);
}

/* No answer is waited for: engines accept the connection when the runtime has exited. */
int terminal_send(int socket_fd, int master, struct failure *why)
{
    char name[32];
    unsigned number;
    int err;

    if (ioctl(master, TIOCGPTN, &number) < 0)
        return fail_sys(why, "read the terminal's number");
    snprintf(name, sizeof(name), "/dev/pts/%u", number);
    err = fd_send(socket_fd, master, name, strlen(name));
    if (err < 0)
        return fail_errno(why, err, "send the terminal through the console socket");
    return 0;
}
