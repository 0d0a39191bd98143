/*
 * tests/bench/floor_plans.h: the roots that the floor builds, known at compile time.
 *
 * `default_plan` is tests/system/base.config.json, `engine_plan` what tests/bench/engine-config makes of a captured
 * configuration; `bench` compares the mounts that come out with the runtime's.  Paths are relative to the root.
 */
#ifndef CRUN_LITE_BENCH_FLOOR_PLANS_H
#define CRUN_LITE_BENCH_FLOOR_PLANS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mount.h>

struct floor_mount {
    const char *target;
    const char *type;    /* NULL: a bind of `source` below the directory of sources */
    const char *source;
    const char *data;
    unsigned long flags; /* of a bind: set with a second call, where there are any */
};

struct floor_sysctl {
    const char *path, *value;
};

/* Lists end with an empty element. */
struct floor_plan {
    const struct floor_mount *mounts;
    const char *const *masked_files, *const *masked_directories, *const *readonly_paths;
    const struct floor_sysctl *sysctls;
    const int *capabilities; /* ends with -1 */
    unsigned long files;     /* RLIMIT_NOFILE */
    bool readonly_root, no_new_privs;
};

static const char *const masked_files[] = {"proc/kcore", "proc/keys", "proc/latency_stats", "proc/timer_list", "proc/timer_stats",
                                           "proc/sched_debug", NULL};

static const struct floor_plan default_plan = {
    .mounts =
        (const struct floor_mount[]){
            {"proc", "proc", NULL, NULL, 0},
            {"dev", "tmpfs", NULL, "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME},
            {"dev/pts", "devpts", NULL, "newinstance,ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC},
            {"dev/shm", "tmpfs", NULL, "mode=1777,size=65536k", MS_NOSUID | MS_NOEXEC | MS_NODEV},
            {"dev/mqueue", "mqueue", NULL, NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV},
            {"sys", "sysfs", NULL, NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY},
            {"sys/fs/cgroup", "cgroup2", NULL, NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RELATIME | MS_RDONLY},
            {NULL, NULL, NULL, NULL, 0},
        },
    .masked_files = masked_files,
    .masked_directories = (const char *const[]){"proc/acpi", "proc/asound", "sys/firmware", "proc/scsi", NULL},
    .readonly_paths = (const char *const[]){"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger", NULL},
    .sysctls = (const struct floor_sysctl[]){{NULL, NULL}},
    .capabilities = (const int[]){CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE, -1},
    .files = 1024,
    .readonly_root = true,
    .no_new_privs = true,
};

static const struct floor_plan engine_plan = {
    .mounts =
        (const struct floor_mount[]){
            {"proc", "proc", NULL, NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV},
            {"dev", "tmpfs", NULL, "mode=755,size=65536k", MS_NOSUID | MS_NOEXEC | MS_STRICTATIME},
            {"sys", "sysfs", NULL, NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY},
            {"dev/pts", "devpts", NULL, "newinstance,ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC},
            {"dev/mqueue", "mqueue", NULL, NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV},
            {"etc/resolv.conf", NULL, "resolv.conf", NULL, 0},
            {"etc/hosts", NULL, "hosts", NULL, 0},
            {"dev/shm", NULL, "shm", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV},
            {"run/.containerenv", NULL, ".containerenv", NULL, 0},
            {"etc/hostname", NULL, "hostname", NULL, 0},
            {"sys/fs/cgroup", "cgroup2", NULL, NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RELATIME | MS_RDONLY},
            {"volumes/0", NULL, "volume-0", NULL, 0},
            {"volumes/1", NULL, "volume-1", NULL, MS_RDONLY},
            {"volumes/2", NULL, "volume-2", NULL, 0},
            {"volumes/3", NULL, "volume-3", NULL, MS_RDONLY},
            {"volumes/4", NULL, "volume-4", NULL, 0},
            {"volumes/5", NULL, "volume-5", NULL, MS_RDONLY},
            {"volumes/6", NULL, "volume-6", NULL, 0},
            {"volumes/7", NULL, "volume-7", NULL, MS_RDONLY},
            {"volumes/8", NULL, "volume-8", NULL, 0},
            {"volumes/9", NULL, "volume-9", NULL, MS_RDONLY},
            {NULL, NULL, NULL, NULL, 0},
        },
    .masked_files = masked_files,
    .masked_directories = (const char *const[]){"proc/acpi", "proc/scsi", "sys/firmware", "sys/fs/selinux", "sys/dev/block", NULL},
    .readonly_paths = (const char *const[]){"proc/asound", "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger", NULL},
    .sysctls = (const struct floor_sysctl[]){{"proc/sys/net/ipv4/ping_group_range", "0 0"}, {NULL, NULL}},
    .capabilities = (const int[]){CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_NET_BIND_SERVICE, CAP_SETFCAP,
                                  CAP_SETGID, CAP_SETPCAP, CAP_SETUID, CAP_SYS_CHROOT, -1},
    .files = 1024,
};

#endif
