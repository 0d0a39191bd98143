/*
 * tests/bench/floor.c: the least that the kernel must do for the default bundle.
 *
 * Runs the same work as a runtime does for the config that `spec` writes (the same clone3 flags, cgroup, mounts, devices,
 * masks, read-only paths, pivot_root, capability drops, limit, no_new_privs, exec, wait), as bare system calls in a static
 * program with everything known at compile time: no parsing, no state, no checks, no messages.  Nothing that does this
 * work one step after another can be faster; a runtime is measured as a multiple of it.  It is a yardstick only: it
 * trusts its arguments, and its failures are a line number.
 *
 *   floor run    CGROUP ROOTFS PROGRAM...          start, wait, remove the cgroup; the program's exit status
 *   floor create STATE CGROUP ROOTFS PROGRAM...    start up to the exec, which waits for `start`; STATE is a directory to make
 *   floor start  STATE                             release it
 *   floor delete STATE CGROUP                      kill, wait, remove
 *   floor state  STATE                             what a `state` command must at least do: read a file, print a line
 *   floor true                                     (or called "true") exit 0: the container's program
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noreturn)) static void fail_at(int line)
{
    dprintf(2, "floor: line %d: %s\n", line, strerror(errno));
    _exit(125);
}
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        if ((call) < 0)                                                                                                \
            fail_at(__LINE__);                                                                                         \
    } while (0)

static const struct {
    const char *target, *type, *data;
    unsigned long flags;
} mounts[] = {
    {"proc", "proc", NULL, 0},
    {"dev", "tmpfs", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME},
    {"dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC},
    {"dev/shm", "tmpfs", "mode=1777,size=65536k", MS_NOSUID | MS_NOEXEC | MS_NODEV},
    {"dev/mqueue", "mqueue", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV},
    {"sys", "sysfs", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY},
    {"sys/fs/cgroup", "cgroup2", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RELATIME | MS_RDONLY},
};
static const struct {
    const char *path;
    unsigned major, minor;
} devices[] = {{"dev/null", 1, 3}, {"dev/zero", 1, 5},    {"dev/full", 1, 7},
               {"dev/tty", 5, 0},  {"dev/random", 1, 8}, {"dev/urandom", 1, 9}};
static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"},
                                       {"/proc/self/fd/0", "dev/stdin"},
                                       {"/proc/self/fd/1", "dev/stdout"},
                                       {"/proc/self/fd/2", "dev/stderr"},
                                       {"pts/ptmx", "dev/ptmx"}};
static const char *const masked_files[] = {"proc/kcore", "proc/keys", "proc/latency_stats", "proc/timer_list", "proc/sched_debug"};
static const char *const masked_directories[] = {"proc/acpi", "proc/asound", "sys/firmware", "proc/scsi"};
static const char *const readonly_paths[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
static const int kept_capabilities[] = {CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    TRY(fd);
    TRY(ioctl(fd, SIOCSIFFLAGS, &request));
    close(fd);
}

static void build_root(const char *rootfs)
{
    TRY(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    TRY(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL));
    TRY(chdir(rootfs));
    for (size_t i = 0; i < COUNT(mounts); i++) {
        /* pts, shm and mqueue are directories of the new tmpfs. */
        if (strncmp(mounts[i].target, "dev/", 4) == 0)
            TRY(mkdir(mounts[i].target, 0755));
        TRY(mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags, mounts[i].data));
    }
    for (size_t i = 0; i < COUNT(devices); i++)
        TRY(mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)));
    for (size_t i = 0; i < COUNT(links); i++)
        TRY(symlink(links[i][0], links[i][1]));
}

/* Paths that this kernel does not have are passed over, as the specification has it. */
static void mask(void)
{
    for (size_t i = 0; i < COUNT(masked_files); i++)
        if (mount("dev/null", masked_files[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
            fail_at(__LINE__);
    for (size_t i = 0; i < COUNT(masked_directories); i++)
        if (mount("tmpfs", masked_directories[i], "tmpfs", MS_RDONLY, "nr_blocks=1,nr_inodes=1") < 0 && errno != ENOENT)
            fail_at(__LINE__);
    for (size_t i = 0; i < COUNT(readonly_paths); i++) {
        if (mount(readonly_paths[i], readonly_paths[i], NULL, MS_BIND | MS_REC, NULL) < 0) {
            if (errno != ENOENT)
                fail_at(__LINE__);
            continue;
        }
        TRY(mount(NULL, readonly_paths[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    }
}

static void enter_root(void)
{
    TRY(mount(NULL, ".", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
    TRY(syscall(SYS_pivot_root, ".", "."));
    TRY(umount2(".", MNT_DETACH));
    TRY(chdir("/"));
}

static void limit_process(void)
{
    struct rlimit files = {1024, 1024};
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};

    for (size_t i = 0; i < COUNT(kept_capabilities); i++)
        data[0].effective |= 1U << kept_capabilities[i];
    data[0].permitted = data[0].effective;
    TRY(setrlimit(RLIMIT_NOFILE, &files));
    for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
        if (cap > 31 || (data[0].effective & 1U << cap) == 0)
            TRY(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0));
    TRY(syscall(SYS_setgroups, 0, NULL));
    TRY(syscall(SYS_setresgid, 0, 0, 0));
    TRY(syscall(SYS_setresuid, 0, 0, 0));
    TRY(syscall(SYS_capset, &header, data));
    TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/* The child: everything but the exec. */
static void become_container(const char *rootfs)
{
    TRY(setsid());
    TRY(sethostname("floor", 5));
    loopback_up();
    build_root(rootfs);
    mask();
    enter_root();
}

static pid_t clone_into(const char *cgroup, int *ret_pidfd)
{
    struct clone_args arguments = {
        .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
                 CLONE_INTO_CGROUP | CLONE_PIDFD,
        .pidfd = (uintptr_t)ret_pidfd,
        .exit_signal = SIGCHLD,
    };
    int fd;
    pid_t pid;

    TRY(mkdir(cgroup, 0755));
    TRY(fd = open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC));
    arguments.cgroup = (uint64_t)fd;
    TRY(pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments)));
    if (pid > 0)
        close(fd);
    return pid;
}

static int mode_run(char **words)
{
    char *const environment[] = {(char[]){"PATH=/bin"}, NULL};
    int pidfd, status;
    pid_t pid = clone_into(words[0], &pidfd);

    if (pid == 0) {
        become_container(words[1]);
        limit_process();
        execve(words[2], words + 2, environment);
        fail_at(__LINE__);
    }
    TRY(waitpid(pid, &status, 0));
    TRY(rmdir(words[0]));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int mode_create(char **words)
{
    char *const environment[] = {(char[]){"PATH=/bin"}, NULL};
    int pidfd, directory, fifo, ready[2], fd;
    char byte = 'r', text[16];
    pid_t pid;

    TRY(mkdir(words[0], 0700));
    TRY(directory = open(words[0], O_PATH | O_DIRECTORY | O_CLOEXEC));
    TRY(mkfifoat(directory, "start", 0600));
    TRY(fifo = openat(directory, "start", O_PATH | O_CLOEXEC));
    TRY(pipe2(ready, O_CLOEXEC));
    pid = clone_into(words[1], &pidfd);
    if (pid == 0) {
        become_container(words[2]);
        limit_process();
        TRY(write(ready[1], &byte, 1));
        close(ready[0]);
        close(ready[1]);
        snprintf(text, sizeof(text), "%d", fifo);
        {
            char path[32];

            snprintf(path, sizeof(path), "/proc/self/fd/%d", fifo);
            TRY(fd = open(path, O_RDONLY | O_CLOEXEC)); /* until start opens the other end */
        }
        execve(words[3], words + 3, environment);
        fail_at(__LINE__);
    }
    TRY(fd = openat(directory, "pid", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    TRY(write(fd, text, (size_t)snprintf(text, sizeof(text), "%d", (int)pid)));
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        fail_at(__LINE__);
    return 0;
}

static pid_t read_pid(const char *state)
{
    char path[4096], text[16] = "";
    int fd;

    snprintf(path, sizeof(path), "%s/pid", state);
    TRY(fd = open(path, O_RDONLY | O_CLOEXEC));
    TRY(read(fd, text, sizeof(text) - 1));
    close(fd);
    return (pid_t)atoi(text);
}

static int mode_start(char **words)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s/start", words[0]);
    TRY(fd = open(path, O_WRONLY | O_CLOEXEC));
    TRY(unlink(path));
    return 0;
}

static int mode_delete(char **words)
{
    char path[4096];
    struct pollfd ended = {.events = POLLIN};
    pid_t pid = read_pid(words[0]);

    /* ESRCH: it ended, and was reaped, by itself. */
    ended.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (ended.fd >= 0) {
        if (syscall(SYS_pidfd_send_signal, ended.fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
            fail_at(__LINE__);
        TRY(poll(&ended, 1, -1));
    }
    TRY(rmdir(words[1]));
    snprintf(path, sizeof(path), "%s/start", words[0]);
    if (unlink(path) < 0 && errno != ENOENT) /* ENOENT: it was started */
        fail_at(__LINE__);
    snprintf(path, sizeof(path), "%s/pid", words[0]);
    TRY(unlink(path));
    TRY(rmdir(words[0]));
    return 0;
}

static int mode_state(char **words)
{
    dprintf(1, "{\"pid\": %d}\n", (int)read_pid(words[0]));
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int words;
        int (*run)(char **words);
    } modes[] = {{"run", 3, mode_run}, {"create", 4, mode_create}, {"start", 1, mode_start}, {"delete", 2, mode_delete}, {"state", 1, mode_state}};
    const char *name = strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argv[0];

    if (strcmp(name, "true") == 0 || (argc > 1 && strcmp(argv[1], "true") == 0))
        return 0;
    for (size_t i = 0; argc > 1 && i < COUNT(modes); i++)
        if (strcmp(modes[i].name, argv[1]) == 0 && argc - 2 >= modes[i].words)
            return modes[i].run(argv + 2);
    dprintf(2, "floor: see the head of floor.c\n");
    return 2;
}
