/* base/kernel.c: raw system calls; nothing here but the numbers. */
#include "base/kernel.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif

long kernel_clone3(struct clone_args *args, size_t size)
{
    return syscall(SYS_clone3, args, size);
}

int kernel_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

int kernel_open_tree(int dirfd, const char *path, unsigned flags)
{
    return (int)syscall(SYS_open_tree, dirfd, path, flags);
}

int kernel_open_tree_attr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr)
{
    return (int)syscall(SYS_open_tree_attr, dirfd, path, flags, attr, sizeof(*attr));
}

int kernel_move_mount(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags)
{
    return (int)syscall(SYS_move_mount, from_dirfd, from, to_dirfd, to, flags);
}

int kernel_fsopen(const char *filesystem, unsigned flags)
{
    return (int)syscall(SYS_fsopen, filesystem, flags);
}

int kernel_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
    return (int)syscall(SYS_fsconfig, fd, cmd, key, value, aux);
}

int kernel_fsmount(int fd, unsigned flags, unsigned attr_flags)
{
    return (int)syscall(SYS_fsmount, fd, flags, attr_flags);
}

int kernel_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr)
{
    return (int)syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof(*attr));
}

int kernel_statx(int dirfd, const char *path, int flags, unsigned mask, struct kernel_statx *file)
{
    return (int)syscall(SYS_statx, dirfd, path, flags, mask, file);
}

int kernel_pivot_root(const char *new_root, const char *put_old)
{
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

int kernel_pidfd_open(pid_t pid, unsigned flags)
{
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

int kernel_pidfd_send_signal(int pidfd, int sig)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

void kernel_exit(int status)
{
    (void)syscall(SYS_exit_group, status);
    __builtin_trap();
}

#define SIGNALS_SIZE ((size_t)(KERNEL_LAST_SIGNAL / 8))

/* The kernel's struct sigaction, larger than on any machine.  All 0 is SIG_DFL. */
struct kernel_action {
    unsigned long words[16];
};

int kernel_signal_default(int sig)
{
    static const struct kernel_action fallback;
    return (int)syscall(SYS_rt_sigaction, sig, &fallback, NULL, SIGNALS_SIZE);
}

int kernel_signal_as(int sig, int model)
{
    struct kernel_action action = {{0}};
    if (syscall(SYS_rt_sigaction, model, NULL, &action, SIGNALS_SIZE) < 0)
        return -1;
    return (int)syscall(SYS_rt_sigaction, sig, &action, NULL, SIGNALS_SIZE);
}

int kernel_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    if (old != NULL)
        memset(old, 0, sizeof(*old));
    return (int)syscall(SYS_rt_sigprocmask, how, set, old, SIGNALS_SIZE);
}

int kernel_close_range(unsigned first, unsigned last, unsigned flags)
{
    return (int)syscall(SYS_close_range, first, last, flags);
}

long kernel_keyctl(int operation, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
    return syscall(SYS_keyctl, operation, a, b, c, d);
}

int kernel_bpf(int cmd, void *attr, unsigned size)
{
    return (int)syscall(SYS_bpf, cmd, attr, size);
}

int kernel_seccomp(unsigned operation, unsigned flags, void *args)
{
    return (int)syscall(SYS_seccomp, operation, flags, args);
}

int kernel_sched_setattr(pid_t pid, void *attr, unsigned flags)
{
    return (int)syscall(SYS_sched_setattr, pid, attr, flags);
}

int kernel_ioprio_set(int which, int who, int ioprio)
{
    return (int)syscall(SYS_ioprio_set, which, who, ioprio);
}

long kernel_set_mempolicy(int mode, const unsigned long *mask, unsigned long maxnode)
{
    return syscall(SYS_set_mempolicy, mode, mask, maxnode);
}
