/*
 * tests/bench/floor.c: the least that the kernel must do for a container.
 *
 * Runs the same work as a runtime does for one of the configurations in floor_plans.h (the same clone3 flags, cgroup, mounts,
 * devices, masks, read-only paths, pivot_root, capability drops, limit, seccomp filter, exec, wait), as bare system calls in a
 * static program with everything known at compile time: no parsing, no state, no checks, no messages, no protection of its
 * own binary.  Nothing that does this work one step after another can be faster; a runtime is measured as a multiple of it.
 * It is a yardstick only: it trusts its arguments, and its failures are a line number.
 *
 *   floor [OPTIONS] run    CGROUP ROOTFS PROGRAM...          start, wait, remove the cgroup; the program's exit status
 *   floor [OPTIONS] create STATE CGROUP ROOTFS PROGRAM...    start up to the exec, which waits for `start`; STATE is a directory to make
 *   floor start  STATE                               release it
 *   floor delete STATE CGROUP                        kill, wait, remove
 *   floor [OPTIONS] exec   STATE CGROUP PROGRAM...           pidfd_open, one setns into everything, clone3 into the cgroup, exec, wait
 *   floor true|sleep|mounts                          (or called by that name) the container's program: exit 0; sleep until killed;
 *                                                    show /proc/self/mountinfo
 *
 *   -e          the engine's configuration instead of the default one
 *   -s SOURCES  where its bind mounts come from
 *   -f FILTER   load the seccomp filter of this file (`compile seccomp`), unread until init needs it
 *   -d PROGRAM  load and attach the device program of this file (`compile devices`).  The plain floor leaves it out
 *   -u          in a new user namespace in which the caller is root: init writes its own maps, devices are bind mounts
 *   -m BYTES    memory.max of the cgroup
 *   -b NUMBER   with so many more bind mounts, of SOURCES/volume-0 at ROOTFS/many/0, …: one mount(2) each
 *   -t          these as detached trees, made private and attached by descriptor to mount points that no link leads away
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/floor_plans.h"

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
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct floor_plan *plan = &default_plan;
static const char *sources, *filter, *device_program, *memory_max;
static bool new_user, trees;
static int binds;
static char *const environment[] = {(char[]){"PATH=/bin"}, NULL};

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

static void write_file(const char *path, const char *text)
{
    int fd;

    TRY(fd = open(path, O_WRONLY | O_CLOEXEC));
    TRY(write(fd, text, strlen(text)));
    close(fd);
}

static size_t read_file(const char *path, void *buffer, size_t size)
{
    int fd;
    ssize_t length;

    TRY(fd = open(path, O_RDONLY | O_CLOEXEC));
    TRY(length = read(fd, buffer, size));
    close(fd);
    return (size_t)length;
}

/* A user that maps itself alone needs nobody to do it for it. */
static void become_root_inside(uid_t uid, gid_t gid)
{
    char map[32];

    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "0 %u 1", uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof(map), "0 %u 1", gid);
    write_file("/proc/self/gid_map", map);
}

static void loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    TRY(fd);
    TRY(ioctl(fd, SIOCSIFFLAGS, &request));
    close(fd);
}

static void build_mount(const struct floor_mount *one)
{
    char source[4096];
    const char *data = one->data;

    /* pts, shm and mqueue are directories of the new tmpfs. */
    if (strncmp(one->target, "dev/", 4) == 0)
        TRY(mkdir(one->target, 0755));
    if (one->type != NULL) {
        /* Group 5 is not mapped. */
        if (new_user && strcmp(one->type, "devpts") == 0)
            data = "newinstance,ptmxmode=0666,mode=0620";
        TRY(mount(one->type, one->target, one->type, one->flags, data));
        return;
    }
    snprintf(source, sizeof(source), "%s/%s", sources, one->source);
    TRY(mount(source, one->target, NULL, MS_BIND | MS_REC, NULL));
    if (one->flags != 0)
        TRY(mount(NULL, one->target, NULL, MS_BIND | MS_REMOUNT | one->flags, NULL));
}

static void bind_tree(int root, const char *source, const char *target)
{
    const uint64_t attributes[4] = {0, 0, MS_PRIVATE, 0}; /* struct mount_attr */
    const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS};
    int tree, place;

    TRY(tree = (int)syscall(SYS_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    TRY(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, attributes, sizeof(attributes)));
    TRY(place = (int)syscall(SYS_openat2, root, target, &how, sizeof(how)));
    TRY(syscall(SYS_move_mount, tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
    close(place);
    close(tree);
}

static void bind_many(void)
{
    char source[4096], target[32];
    int root;

    snprintf(source, sizeof(source), "%s/volume-0", sources);
    TRY(root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (int i = 0; i < binds; i++) {
        snprintf(target, sizeof(target), "many/%d", i);
        if (trees)
            bind_tree(root, source, target);
        else
            TRY(mount(source, target, NULL, MS_BIND | MS_REC, NULL));
    }
    close(root);
}

static void build_devices(void)
{
    char source[32];
    int fd;

    for (size_t i = 0; i < COUNT(devices); i++) {
        if (!new_user) {
            TRY(mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)));
            continue;
        }
        snprintf(source, sizeof(source), "/%s", devices[i].path);
        TRY(fd = open(devices[i].path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666));
        close(fd);
        TRY(mount(source, devices[i].path, NULL, MS_BIND, NULL));
    }
    for (size_t i = 0; i < COUNT(links); i++)
        TRY(symlink(links[i][0], links[i][1]));
}

static void build_root(const char *rootfs)
{
    TRY(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    TRY(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL));
    TRY(chdir(rootfs));
    for (const struct floor_mount *one = plan->mounts; one->target != NULL; one++)
        build_mount(one);
    if (binds > 0)
        bind_many();
    build_devices();
    for (const struct floor_sysctl *one = plan->sysctls; one->path != NULL; one++)
        write_file(one->path, one->value);
}

/* Paths that this kernel does not have are passed over, as the specification has it. */
static void mask(void)
{
    for (const char *const *path = plan->masked_files; *path != NULL; path++)
        if (mount("dev/null", *path, NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
            fail_at(__LINE__);
    for (const char *const *path = plan->masked_directories; *path != NULL; path++)
        if (mount("tmpfs", *path, "tmpfs", MS_RDONLY, "nr_blocks=1,nr_inodes=1") < 0 && errno != ENOENT)
            fail_at(__LINE__);
    for (const char *const *path = plan->readonly_paths; *path != NULL; path++) {
        if (mount(*path, *path, NULL, MS_BIND | MS_REC, NULL) < 0) {
            if (errno != ENOENT)
                fail_at(__LINE__);
            continue;
        }
        TRY(mount(NULL, *path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    }
}

static void enter_root(void)
{
    if (plan->readonly_root)
        TRY(mount(NULL, ".", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
    TRY(syscall(SYS_pivot_root, ".", "."));
    TRY(umount2(".", MNT_DETACH));
    TRY(chdir("/"));
}

/* `length` bytes of struct sock_filter. */
static void install_filter(struct sock_filter *program, size_t length)
{
    struct sock_fprog fprog = {.len = (unsigned short)(length / sizeof(struct sock_filter)), .filter = program};

    TRY(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog));
}

static void limit_process(struct sock_filter *program, size_t length)
{
    struct rlimit files = {plan->files, plan->files};
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};

    for (const int *cap = plan->capabilities; *cap >= 0; cap++)
        data[*cap / 32].effective |= 1U << (*cap % 32);
    for (size_t i = 0; i < COUNT(data); i++)
        data[i].permitted = data[i].effective;
    TRY(setrlimit(RLIMIT_NOFILE, &files));
    for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
        if ((data[cap / 32].effective & 1U << (cap % 32)) == 0)
            TRY(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0));
    if (!new_user)
        TRY(syscall(SYS_setgroups, 0, NULL));
    TRY(syscall(SYS_setresgid, 0, 0, 0));
    TRY(syscall(SYS_setresuid, 0, 0, 0));
    if (plan->no_new_privs)
        TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    if (length > 0)
        install_filter(program, length);
    TRY(syscall(SYS_capset, &header, data));
}

/* The child: everything but the exec. */
static void become_container(const char *rootfs, uid_t uid, gid_t gid)
{
    static struct sock_filter program[BPF_MAXINSNS];
    size_t length = 0;

    if (new_user)
        become_root_inside(uid, gid);
    if (filter != NULL)
        length = read_file(filter, program, sizeof(program));
    TRY(setsid());
    TRY(sethostname("floor", 5));
    loopback_up();
    build_root(rootfs);
    mask();
    enter_root();
    limit_process(program, length);
}

static void attach_devices(int cgroup)
{
    static struct bpf_insn instructions[4096];
    union bpf_attr attr;
    int fd;

    memset(&attr, 0, sizeof(attr));
    attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attr.insns = (uintptr_t)instructions;
    attr.insn_cnt = (uint32_t)(read_file(device_program, instructions, sizeof(instructions)) / sizeof(struct bpf_insn));
    attr.license = (uintptr_t) "Apache-2.0";
    TRY(fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)));
    memset(&attr, 0, sizeof(attr));
    attr.target_fd = (uint32_t)cgroup;
    attr.attach_bpf_fd = (uint32_t)fd;
    attr.attach_type = BPF_CGROUP_DEVICE;
    attr.attach_flags = BPF_F_ALLOW_MULTI;
    TRY(syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)));
    close(fd);
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

    if (new_user)
        arguments.flags |= CLONE_NEWUSER;
    TRY(mkdir(cgroup, 0755));
    if (memory_max != NULL) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/memory.max", cgroup);
        write_file(path, memory_max);
    }
    TRY(fd = open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC));
    arguments.cgroup = (uint64_t)fd;
    TRY(pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments)));
    if (pid > 0) {
        /* While the child builds its root. */
        if (device_program != NULL) {
            int writable;

            TRY(writable = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            attach_devices(writable);
            close(writable);
        }
        close(fd);
    }
    return pid;
}

static int wait_for(pid_t pid)
{
    int status;

    TRY(waitpid(pid, &status, 0));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int mode_run(char **words)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int pidfd, status;
    pid_t pid = clone_into(words[0], &pidfd);

    if (pid == 0) {
        become_container(words[1], uid, gid);
        execve(words[2], words + 2, environment);
        fail_at(__LINE__);
    }
    status = wait_for(pid);
    TRY(rmdir(words[0]));
    return status;
}

static int mode_create(char **words)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
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
        char path[32];

        become_container(words[2], uid, gid);
        TRY(write(ready[1], &byte, 1));
        close(ready[0]);
        close(ready[1]);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fifo);
        TRY(fd = open(path, O_RDONLY | O_CLOEXEC)); /* until start opens the other end */
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

    snprintf(path, sizeof(path), "%s/pid", state);
    read_file(path, text, sizeof(text) - 1);
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

static int mode_exec(char **words)
{
    struct clone_args arguments = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
    static struct sock_filter program[BPF_MAXINSNS];
    size_t length = 0;
    int pidfd, cgroup;
    pid_t pid;

    TRY(pidfd = (int)syscall(SYS_pidfd_open, read_pid(words[0]), 0));
    TRY(cgroup = open(words[1], O_PATH | O_DIRECTORY | O_CLOEXEC));
    arguments.cgroup = (uint64_t)cgroup;
    if (filter != NULL)
        length = read_file(filter, program, sizeof(program));
    TRY(setns(pidfd, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS));
    TRY(pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments)));
    if (pid == 0) {
        /* Before the move, where the hierarchy is mounted with nsdelegate, the way in would lead out of it. */
        TRY(setns(pidfd, CLONE_NEWCGROUP));
        TRY(setsid());
        limit_process(program, length);
        execve(words[2], words + 2, environment);
        fail_at(__LINE__);
    }
    return wait_for(pid);
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

static int mode_mounts(void)
{
    static char text[65536];

    TRY(write(1, text, read_file("/proc/self/mountinfo", text, sizeof(text))));
    return 0;
}

static bool called(const char *name, int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');

    return strcmp(slash != NULL ? slash + 1 : argv[0], name) == 0 || (argc > 1 && strcmp(argv[1], name) == 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int words;
        int (*run)(char **words);
    } modes[] = {{"run", 3, mode_run},       {"create", 4, mode_create}, {"start", 1, mode_start},
                 {"delete", 2, mode_delete}, {"exec", 3, mode_exec}};
    int option;

    if (called("true", argc, argv))
        return 0;
    if (called("sleep", argc, argv))
        return pause();
    if (called("mounts", argc, argv))
        return mode_mounts();
    while ((option = getopt(argc, argv, "+es:f:d:um:b:t")) != -1)
        switch (option) {
        case 'e': plan = &engine_plan; break;
        case 's': sources = optarg; break;
        case 'f': filter = optarg; break;
        case 'd': device_program = optarg; break;
        case 'u': new_user = true; break;
        case 'm': memory_max = optarg; break;
        case 'b': binds = atoi(optarg); break;
        case 't': trees = true; break;
        default: return 2;
        }
    for (size_t i = 0; optind < argc && i < COUNT(modes); i++)
        if (strcmp(modes[i].name, argv[optind]) == 0 && argc - optind - 1 >= modes[i].words)
            return modes[i].run(argv + optind + 1);
    dprintf(2, "floor: see the head of floor.c\n");
    return 2;
}
