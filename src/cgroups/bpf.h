/*
 * cgroups/bpf.h: loads a device program and attaches it to a cgroup.
 *
 * Runs in: creator, and the update command.
 */
#ifndef CRUN_LITE_CGROUPS_BPF_H
#define CRUN_LITE_CGROUPS_BPF_H

#include "cgroups/devices.h"

/* Beside what others (systemd) attached: the kernel allows what all programs allow.  0 or -errno; -EPERM without
 * CAP_BPF or CAP_SYS_ADMIN in the initial user namespace.  `shared_fd` is a directory whose extended attributes say which program
 * was loaded last for which instructions; where it still lives, another container's, it serves this one too.  -1: always a new one. */
int bpf_attach_devices(int cgroup_fd, const struct devices_program *program, int shared_fd) MUST_CHECK;

/* Loads the program and lets it go: whether the kernel and our privileges would do.  0 or -errno. */
int bpf_try_devices(const struct devices_program *program) MUST_CHECK;

/* As above, in the place of what bpf_attach_devices attached before, without a moment in which neither is in force
 * (RDEV-10).  Rules that a hook has put in front of `before`, the program that was attached (empty: not known), stay in front of
 * the new one.  An empty program takes the old one away. */
int bpf_replace_devices(int cgroup_fd, const struct devices_program *before, const struct devices_program *program,
                        struct arena *arena) MUST_CHECK;

#endif
