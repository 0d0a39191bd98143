/*
 * base/kernel.h: system calls without a libc wrapper and constants that older headers lack, in ONE place.
 *
 * Each function returns what the system call returns (-1 and errno).  KERNEL(x.y) names the first release.
 * The runtime as a whole needs Linux 5.14 (cgroup.kill); where an older kernel is met the message says so.
 *
 * Runs in: every process.
 */
#ifndef CRUN_LITE_BASE_KERNEL_H
#define CRUN_LITE_BASE_KERNEL_H

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef CGROUP2_SUPER_MAGIC
#define CGROUP2_SUPER_MAGIC 0x63677270
#endif
#ifndef RDTGROUP_SUPER_MAGIC
#define RDTGROUP_SUPER_MAGIC 0x7655821
#endif
#ifndef PROC_SUPER_MAGIC
#define PROC_SUPER_MAGIC 0x9fa0
#endif

/* linux/pidfd.h of Linux 6.15: the first version of the struct has the exit code already. */
struct kernel_pidfd_info {
    uint64_t mask, cgroup_id;
    uint32_t pid, tgid, ppid, ids[8];
    int32_t exit_code; /* as waitpid(2) has it */
};
#define KERNEL_PIDFD_GET_INFO _IOWR(0xff, 11, struct kernel_pidfd_info)
#define KERNEL_PIDFD_INFO_EXIT (UINT64_C(1) << 3)

/* struct statx, which C libraries declare each in their own way, or not at all. */
struct kernel_statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, unused;
    uint64_t others[28];
};
#define KERNEL_STATX_MODE 0x2U
#define KERNEL_STATX_UID 0x8U
#define KERNEL_STATX_ATTR_VERITY 0x00100000U /* KERNEL(5.5) */

long kernel_clone3(struct clone_args *args, size_t size);                     /* KERNEL(5.3) */
int kernel_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve); /* KERNEL(5.6) */
int kernel_open_tree(int dirfd, const char *path, unsigned flags);            /* KERNEL(5.2) */
int kernel_open_tree_attr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr); /* KERNEL(6.15) */
int kernel_move_mount(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags);
int kernel_fsopen(const char *filesystem, unsigned flags);
int kernel_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux);
int kernel_fsmount(int fd, unsigned flags, unsigned attr_flags);
int kernel_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr); /* KERNEL(5.12) */
int kernel_statx(int dirfd, const char *path, int flags, unsigned mask, struct kernel_statx *file); /* KERNEL(4.11) */
int kernel_pivot_root(const char *new_root, const char *put_old);
int kernel_pidfd_open(pid_t pid, unsigned flags);                             /* KERNEL(5.3) */
int kernel_pidfd_send_signal(int pidfd, int sig);                             /* KERNEL(5.1) */
/* _exit(2), also under a seccomp filter that refuses it, which _exit of a C library may try again for ever: ends by a signal then. */
void kernel_exit(int status) __attribute__((noreturn));
/* Signal `sig` does what it does by default, also one that the C library keeps for itself, and refuses. */
#define KERNEL_FIRST_REALTIME 32
#define KERNEL_LAST_SIGNAL 64
int kernel_signal_default(int sig);
/* Signal `sig` does what `model` does. */
int kernel_signal_as(int sig, int model);
/* sigprocmask(2), of which a C library takes out those signals, too. */
int kernel_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int kernel_close_range(unsigned first, unsigned last, unsigned flags);        /* KERNEL(5.9) */
long kernel_keyctl(int operation, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int kernel_bpf(int cmd, void *attr, unsigned size);
int kernel_seccomp(unsigned operation, unsigned flags, void *args);
int kernel_sched_setattr(pid_t pid, void *attr, unsigned flags);
int kernel_ioprio_set(int which, int who, int ioprio);
long kernel_set_mempolicy(int mode, const unsigned long *mask, unsigned long maxnode);

#endif
