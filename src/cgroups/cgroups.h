/*
 * cgroups/cgroups.h: front of the folder that owns cgroup v2, and resctrl.
 *
 * path and limits are pure (cgroupsPath -> place, resources -> ordered (file, value) writes, device rules ->
 * BPF program); fs.c is the only writer and works by directory fd.  Never reads mountinfo when statfs
 * answers; never sleeps in a loop: waiting is poll(2) on cgroup.events with a deadline.
 *
 * Runs in: host side processes.
 */
#ifndef CRUN_LITE_CGROUPS_CGROUPS_H
#define CRUN_LITE_CGROUPS_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"
#include "base/findings.h"
#include "base/memory.h"
#include "cgroups/stats.h"
#include "spec/spec.h"

enum cgroup_manager { CGROUP_MANAGER_FS, CGROUP_MANAGER_SYSTEMD, CGROUP_MANAGER_DISABLED };
/* "cgroupfs", "systemd", "disabled" */
extern const char *const cgroup_manager_names[];

/* What the state file keeps: enough to find, kill and remove the cgroup later, without any flag. */
struct cgroup_name {
    enum cgroup_manager manager;
    char *path;  /* below the cgroup2 mount, "/a/b"; NULL: the container has no cgroup of its own */
    char *unit;  /* systemd scope, NULL otherwise */
    bool joined; /* it was there before us: cgroup_remove leaves it, and others may live in it */
};

struct cgroup_request {
    enum cgroup_manager manager;
    const char *id;
    const char *cgroups_path;               /* /linux/cgroupsPath or NULL */
    const struct spec_resources *resources; /* may be NULL */
    const struct string_map *annotations;   /* org.systemd.property.*; may be NULL */
    const struct cgroup_plan *plan;         /* of cgroup_plan_all; NULL: made where it is needed */
};

struct cgroup {
    struct cgroup_name name;   /* memory: the arena given at create */
    int fd;                    /* the directory, O_RDONLY|O_DIRECTORY, usable for CLONE_INTO_CGROUP; -1: none */
    bool created;              /* made by us (existing ones are joined and not removed on undo) */
    unsigned made_levels;      /* directories made, from the leaf up: what undo removes */
    struct cgroup_write *late; /* limits that must wait until init is in place */
    size_t late_count;
    const struct devices_program *devices; /* until cgroup_guard_devices attached it */
};

/* Loads what the manager's work is done with; the static program goes on as its twin (base/twin.h says what that needs).  Once,
 * before a command makes or changes anything, where a cgroup will be made, changed or removed. */
int cgroup_prepare(enum cgroup_manager manager, struct failure *why) MUST_CHECK;

/* Where cgroup2 is mounted on this host ("/sys/fs/cgroup", or "/sys/fs/cgroup/unified" on hybrid hosts), or NULL
 * with *why explaining what to boot with.  Opens and statfs-checks; result cached. */
const char *cgroup_mount_point(struct failure *why);

/* Decides where the container's cgroup will be, and whether it is there already, without making anything: what the
 * record of a container must hold before the cgroup exists.  An unusable cgroupsPath is refused. */
int cgroup_locate(const struct cgroup_request *request, struct arena *arena, struct cgroup_name *ret_name,
                  struct failure *why) MUST_CHECK;

/* Reports every refusal that needs nothing to be made: limits, device rules, properties of a unit, the place.  After this,
 * when the place could be told: request->plan is what cgroup_create carries out, *ret_name the place. */
int cgroup_plan_all(struct cgroup_request *request, struct arena *arena, struct cgroup_name *ret_name,
                    struct findings *findings) MUST_CHECK;
/* Reports, with the sentences of cgroup_create, what of the plan this host would not do here, as far as that can be known
 * without trying: controllers that stop above, a place that is not ours, a frozen or populated cgroup.  Makes nothing. */
int cgroup_probe(const struct cgroup_request *request, const struct cgroup_name *name, struct arena *arena,
                 struct findings *findings) MUST_CHECK;

/* Makes (or joins) the cgroup: parents, controllers enabled top down (what limits need is a must; cpu, io, memory
 * and pids are tried for their statistics), every limit that may precede the process.  An
 * existing cgroup is refused when it is frozen or has processes.  cgroupfs manager: before clone.  systemd manager:
 * decides the name only, fd = -1.  On failure everything made is removed again. Where the place cannot be written
 * to (rootless without delegation, or cgroup2 mounted read-only) and nothing is asked for, the container stays in
 * the creator's cgroup: success with fd = -1 and name.path = NULL.  With a limit asked for it is a failure that
 * names the controller or directory. */
int cgroup_create(const struct cgroup_request *request, struct arena *arena, struct cgroup *ret_cgroup,
                  struct failure *why) MUST_CHECK;
/* Moves `pid` in: systemd manager (StartTransientUnit, waits for the job) or where CLONE_INTO_CGROUP was not
 * possible.  For systemd this is also what makes the cgroup and writes its limits. */
int cgroup_attach(const struct cgroup_request *request, struct arena *arena, struct cgroup *cgroup, pid_t pid,
                  struct failure *why) MUST_CHECK;
/* Loads and attaches the device program.  Apart from cgroup_create because the kernel takes its time to verify it: the creator
 * does it while init builds the root; no program of the container runs before.  `shared_fd`, the state root, remembers programs
 * that can serve more than one container (bpf.h); -1: this one gets its own. */
int cgroup_guard_devices(struct cgroup *cgroup, int shared_fd, struct failure *why) MUST_CHECK;
/* The writes that had to wait (tiny memory.max, pids.max).  Init is waiting meanwhile. */
int cgroup_write_late(struct cgroup *cgroup, struct failure *why) MUST_CHECK;
/* Hands the cgroup's directory and the files of /sys/kernel/cgroup/delegate to the container's root
 * (config-linux.md, cgroup ownership).  Where an ordinary user may not, everything stays as it is. */
int cgroup_delegate(const struct cgroup *cgroup, uid_t host_uid, struct failure *why) MUST_CHECK;
/* Undo of a failed create: kills what is inside and removes what was made.  Plain, best effort. */
void cgroup_undo(struct cgroup *cgroup);
void cgroup_close(struct cgroup *cgroup);

/* ---- new limits for a live container ---- */

/* What has to be written when `given` is asked for where `held` is in force and `after` will be (the two merged):
 * `given`, completed by members of `after` that one file or one rule of the kernel ties to it: quota and period, swap
 * and limit, shares and idle.  Device rules that are the ones in force are left out: a program that somebody
 * widened meanwhile (for a GPU, say) stays.  `held` NULL: an update was interrupted, so what is in force is not known,
 * and all of `after` has to be written.  Pure; points into its arguments. */
struct spec_resources cgroup_update_plan(const struct spec_resources *held, const struct spec_resources *given,
                                         const struct spec_resources *after);

/* What makes an update last: called when everything is in force; its failure is one of the update. */
struct cgroup_keeping {
    int (*keep)(void *argument, struct failure *why);
    void *argument;
    const struct spec_resources *held; /* the record: its device rules come back, and tell what a hook has added to them */
};
/* Writes what is set in `resources`, the rest stays; where nothing is, no cgroup is needed.  All or nothing: on failure the files get their old content
 * back, and systemd its old properties.  Device rules replace the old ones, after everything else but
 * `keeping` (NULL: nothing is to be kept). */
int cgroup_update(const struct cgroup_name *name, const struct spec_resources *resources, const struct cgroup_keeping *keeping,
                  struct arena *arena, struct failure *why) MUST_CHECK;
struct device_rules {
    const struct spec_device_rule *items;
    size_t count;
};
/* The device rules alone: no moment without a program, programs of others are left alone, and what a hook has allowed beside
 * `before`, the rules in force (none: not known), stays allowed. */
int cgroup_devices_replace(int cgroup_fd, struct device_rules before, struct device_rules rules, struct arena *arena,
                           struct failure *why) MUST_CHECK;

/* ---- by name, for the later commands ---- */

/* Opens the directory: fd, or -errno (-ENOENT: already gone, not an error for any caller). */
int cgroup_open(const struct cgroup_name *name) MUST_CHECK;
/* A cgroup at or below the container's that exists already; `below` may begin with slashes, and leads nowhere else.  fd, or
 * -1 with *why. */
int cgroup_open_below(const struct cgroup_name *name, const char *below, struct failure *why) MUST_CHECK;
/* The cgroup in which `pid` is now, where that is below the container's.  PLAIN: fd, or -errno (-ESRCH: it is not). */
int cgroup_open_of(const struct cgroup_name *name, pid_t pid) MUST_CHECK;
/* Moves `pid` in, by cgroup.procs: where CLONE_INTO_CGROUP was not possible. `path` is for messages. */
int cgroup_enter(int cgroup_fd, const char *path, pid_t pid, struct failure *why) MUST_CHECK;
/* SIGKILL to everybody in the subtree (cgroup.kill, KERNEL(5.14); else freeze and iterate). 0 or -errno. */
int cgroup_kill(int cgroup_fd) MUST_CHECK;
/* Sends `sig` to every process of the subtree but the caller; plain.  Count signalled or -errno. */
int cgroup_signal(int cgroup_fd, int sig) MUST_CHECK;
/* Whether the subtree has a process: one read, where cgroup_pids takes a walk. */
bool cgroup_is_populated(int cgroup_fd);
/* Every pid of the subtree, arena array. Count or -errno. */
ssize_t cgroup_pids(int cgroup_fd, struct arena *arena, pid_t **ret_pids) MUST_CHECK;
/* Writes cgroup.freeze and waits for cgroup.events to say so, at most until `deadline_ms` of CLOCK_MONOTONIC (-1:
 * for ever).  A freeze that does not come about in time is taken back. */
int cgroup_freeze(int cgroup_fd, bool frozen, int64_t deadline_ms, struct failure *why) MUST_CHECK;
bool cgroup_is_frozen(int cgroup_fd);
/* Somebody has asked for this very cgroup to be frozen, whether all its processes are by now or not. */
bool cgroup_is_freezing(int cgroup_fd);
/* Waits until the subtree is empty, at most until `deadline_ms` of CLOCK_MONOTONIC (-1: for ever), then removes it,
 * children first. Missing is success; a joined cgroup is left alone, but thawed.  On expiry the message names the processes
 * that are left and where in the kernel they wait.  systemd: stops the unit. */
int cgroup_remove(const struct cgroup_name *name, int64_t deadline_ms, struct failure *why) MUST_CHECK;
/* oom_kill count of memory.events, 0 when unknown: explains a silent death. */
uint64_t cgroup_oom_kills(int cgroup_fd);

/* ---- resctrl: shares of caches and memory bandwidth (Intel RDT, AMD QoS), /linux/intelRdt ---- */

/* What the state file keeps.  All zero: nothing was asked for, and nothing is ever touched. */
struct resctrl_name {
    char *group;   /* directory below the mount, "/": the root group */
    char *monitor; /* our directory in the group's mon_groups; NULL: none */
    bool shared;   /* named by closID: it stays when the container goes */
    bool made;     /* by us, or about to be */
};

/* PLAIN: the directory of the mounted file system, -ENODEV when there is none, or -errno.  One statfs(2) where it is at
 * /sys/fs/resctrl; any other place is searched for in mountinfo. */
int resctrl_find(void) MUST_CHECK;
/* The same with an explanation.  The descriptor is given back before anything of the container runs. */
int resctrl_open(struct failure *why) MUST_CHECK;

/* Decides which group, refuses what the specification refuses, makes nothing: what the record must hold before the
 * group exists.  `id` is a checked container id. */
int resctrl_locate(int root_fd, const char *id, const struct spec_intel_rdt *wanted, struct arena *arena,
                   struct resctrl_name *ret_name, struct failure *why) MUST_CHECK;
/* Makes the group where it is missing, writes the schemata, makes the monitoring group.  On failure *name says what was
 * made, for resctrl_remove. */
int resctrl_make(int root_fd, const struct spec_intel_rdt *wanted, struct resctrl_name *name, struct failure *why) MUST_CHECK;
/* New schemata for a live container's group, all or none; refused for the root group, in which every process of the host is that
 * nobody put elsewhere.  *ret_old: a call with it brings back what was there; memory
 * belongs to the arena. */
int resctrl_update(int root_fd, const struct resctrl_name *name, const struct spec_intel_rdt *wanted, struct arena *arena,
                   struct spec_intel_rdt *ret_old, struct failure *why) MUST_CHECK;
/* Puts a process that has no threads and no children yet in: its children are born there. */
int resctrl_enter(int root_fd, const struct resctrl_name *name, pid_t pid, struct failure *why) MUST_CHECK;

enum resctrl_end {
    RESCTRL_DELETE, /* our own group goes, one named by closID stays */
    RESCTRL_UNDO,   /* of a create that did not come about: one that we made goes too, unless others are in it by now */
};
int resctrl_remove(int root_fd, const struct resctrl_name *name, enum resctrl_end end, struct failure *why) MUST_CHECK;

/* ---- statistics ---- */

/* Everything there is to read.  0 or -errno: -ENODEV or -ENOENT where the cgroup is gone. */
int cgroup_read_stats(int cgroup_fd, struct arena *arena, struct cgroup_stats *ret_stats) MUST_CHECK;
/* A descriptor that polls POLLPRI when a counter of memory.events changes after the last cgroup_watched_oom_kills of
 * it, or -errno: -ENOENT without the memory controller. */
int cgroup_watch_oom(int cgroup_fd) MUST_CHECK;
/* How many processes were killed; 0 or -errno: -ENODEV when the cgroup is gone. */
int cgroup_watched_oom_kills(int watch_fd, uint64_t *ret_kills) MUST_CHECK;
/* One that polls POLLPRI, at most once per window, when some process waited for memory for `stall_us` out of
 * `window_us` (500 ms to 10 s), and POLLERR when the cgroup is gone; or -errno: -ENOENT or -EOPNOTSUPP without PSI. */
int cgroup_watch_pressure(int cgroup_fd, uint64_t stall_us, uint64_t window_us) MUST_CHECK;

#endif
