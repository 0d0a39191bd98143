/*
 * cgroups/cgroups.h: front of the folder that owns cgroup v2.
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
#include "base/memory.h"
#include "spec/spec.h"

enum cgroup_manager { CGROUP_MANAGER_FS, CGROUP_MANAGER_SYSTEMD, CGROUP_MANAGER_DISABLED };
/* "cgroupfs", "systemd", "disabled" */
extern const char *const cgroup_manager_names[];

/* What the state file keeps: enough to find, kill and remove the cgroup later, without any flag. */
struct cgroup_name {
    enum cgroup_manager manager;
    char *path; /* below the cgroup2 mount, "/a/b"; NULL: the container has no cgroup of its own */
    char *unit; /* systemd scope, NULL otherwise */
};

struct cgroup_request {
    enum cgroup_manager manager;
    const char *id;
    const char *cgroups_path;               /* /linux/cgroupsPath or NULL */
    const struct spec_resources *resources; /* may be NULL */
    const struct string_map *annotations;
    bool new_user_ns;                       /* tells a refused device program apart from a lost one */
};

struct cgroup {
    struct cgroup_name name; /* memory: the arena given at create */
    int fd;                  /* the directory, O_PATH|O_DIRECTORY usable for CLONE_INTO_CGROUP; -1: none */
    bool created;            /* made by us (existing ones are joined and not removed on undo) */
    struct cgroup_write *late; /* limits that must wait until init is in place */
    size_t late_count;
};

/* Where cgroup2 is mounted on this host ("/sys/fs/cgroup", or "/sys/fs/cgroup/unified" on hybrid hosts), or NULL
 * with *why explaining what to boot with.  Opens and statfs-checks; result cached. */
const char *cgroup_mount_point(struct failure *why);

/* Makes (or joins) the cgroup: parents, only the needed controllers enabled top down, every limit that may
 * precede the process, the device program.  cgroupfs manager: before clone.  On failure everything made is
 * removed again.  A rootless caller without write access and with no limit asked for gets fd = -1 and
 * stays where it is; with a limit asked for it is a failure that names the controller or directory. */
int cgroup_create(const struct cgroup_request *request, struct arena *arena, struct cgroup *ret_cgroup,
                  struct failure *why) MUST_CHECK;
/* Moves `pid` in: systemd manager (StartTransientUnit, waits for the job) or where CLONE_INTO_CGROUP was not
 * possible.  For systemd this is also what makes the cgroup and writes its limits. */
int cgroup_attach(const struct cgroup_request *request, struct arena *arena, struct cgroup *cgroup, pid_t pid,
                  struct failure *why) MUST_CHECK;
/* The writes that had to wait (tiny memory.max, pids.max).  Init is waiting meanwhile. */
int cgroup_write_late(struct cgroup *cgroup, struct failure *why) MUST_CHECK;
/* Hands the cgroup's directory and the files of /sys/kernel/cgroup/delegate to the container's root
 * (config-linux.md, cgroup ownership). */
int cgroup_delegate(const struct cgroup *cgroup, uid_t host_uid, struct failure *why) MUST_CHECK;
/* Undo of a failed create: kills what is inside and removes what was made.  Plain, best effort. */
void cgroup_undo(struct cgroup *cgroup);
void cgroup_close(struct cgroup *cgroup);

/* ---- by name, for the later commands ---- */

/* Opens the directory: fd, or -errno (-ENOENT: already gone, not an error for any caller). */
int cgroup_open(const struct cgroup_name *name) MUST_CHECK;
/* SIGKILL to everybody in the subtree (cgroup.kill, KERNEL(5.14); else freeze and iterate). 0 or -errno. */
int cgroup_kill(int cgroup_fd) MUST_CHECK;
/* Sends `sig` to every process of the subtree; plain.  Count signalled or -errno. */
int cgroup_signal(int cgroup_fd, int sig) MUST_CHECK;
/* Every pid of the subtree, arena array. Count or -errno. */
ssize_t cgroup_pids(int cgroup_fd, struct arena *arena, pid_t **ret_pids) MUST_CHECK;
/* Writes cgroup.freeze and waits for cgroup.events to say so, at most until `deadline_ms`. */
int cgroup_freeze(int cgroup_fd, bool frozen, int64_t deadline_ms, struct failure *why) MUST_CHECK;
bool cgroup_is_frozen(int cgroup_fd);
/* Waits until the subtree is empty, then removes it, children first.  Missing is success. */
int cgroup_remove(const struct cgroup_name *name, int64_t deadline_ms, struct failure *why) MUST_CHECK;
/* oom_kill count of memory.events, 0 when unknown: explains a silent death. */
uint64_t cgroup_oom_kills(int cgroup_fd);

#endif
