/*
 * cgroups/devices.h: device rules -> a BPF_PROG_TYPE_CGROUP_DEVICE program.  Pure: no system call.
 *
 * Runs in: creator, and the update command.
 */
#ifndef CRUN_LITE_CGROUPS_DEVICES_H
#define CRUN_LITE_CGROUPS_DEVICES_H

#include <linux/bpf.h>

#include "cgroups/cgroups.h"

struct devices_program {
    struct bpf_insn *instructions;
    size_t count; /* 0: no program is needed, every device is allowed */
};

/* The rules in order, the last one that matches a device and an access bit decides about that bit, none: denied.
 * Behind the caller's rules come our own (devices_defaults).  No rule at all: no program (RDEV-09: what engines
 * mean by privileged). */
int devices_plan(const struct spec_device_rule *rules, size_t count, struct arena *arena,
                 struct devices_program *ret_program, struct failure *why) MUST_CHECK;
int devices_plan_all(const struct spec_device_rule *rules, size_t count, struct arena *arena,
                     struct devices_program *ret_program, struct findings *findings) MUST_CHECK; /* reports */

/* `found` with `wanted` in the place of `before`, where it ends with that: what a hook (a GPU's) does is to put rules of its own in front
 * of the program it finds, and they are to stay.  false: it does not, or leads into the middle of it. */
bool devices_keep_front(const struct devices_program *found, const struct devices_program *before,
                        const struct devices_program *wanted, struct arena *arena, struct devices_program *ret_program);

/* What no rule can take away (RDEV-08): mknod of any device (the node is useless without read or write), null,
 * zero, full, random, urandom, tty, ptmx, the pts, and tun.  10:200 is among them as with runc and crun (runc took
 * it out once and had to put it back): what can be done with it is bounded by CAP_NET_ADMIN over the container's
 * own network namespace.  /dev/console is a pty and needs no 5:1. */
extern const struct spec_device_rule devices_defaults[];
extern const size_t devices_defaults_count;

#endif
