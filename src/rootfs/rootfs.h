/*
 * rootfs/rootfs.h: front of the folder that builds and enters the container's root filesystem.
 *
 * plan (pure: spec -> ordered steps) -> open (creator: host-side fds) -> mount, seal, enter (init).
 * The steps are carried out through file descriptors only: every target is found by openat2 with
 * RESOLVE_IN_ROOT below the root's fd, every attach is move_mount(fd, fd).  No mount ever appears in the
 * host's mount namespace.
 */
#ifndef CRUN_LITE_ROOTFS_ROOTFS_H
#define CRUN_LITE_ROOTFS_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"
#include "base/findings.h"
#include "base/memory.h"
#include "spec/spec.h"

/* What the plan must know of the surroundings; all facts, no fds. */
struct rootfs_surroundings {
    bool new_user_ns;      /* device nodes cannot be made: bind the host's */
    bool joined_user_ns;
    bool new_network_ns;   /* false: sysfs may be refused in a user namespace: falls back to binding /sys */
    bool new_cgroup_ns;
    bool host_cgroup_ns;   /* the one that is joined is the creator's */
    bool privileged;       /* the creator can clone mounts in the host's mount namespace (CAP_SYS_ADMIN) */
    const char *cgroup_path; /* the container's cgroup below the cgroup2 mount, "/a/b"; NULL: none */
    const char *cgroup_mount; /* where the host has cgroup2 mounted; NULL: not at all */
    uid_t process_uid;     /* inside: owner of the console */
};

struct rootfs; /* the plan with its fds; lives in the arena given at rootfs_plan */

/* PURE.  Refuses contradictions with a JSON pointer (/mounts/N/options/M).  `bundle` is absolute. */
int rootfs_plan(const struct spec *spec, const char *bundle, const struct rootfs_surroundings *around,
                struct arena *arena, struct rootfs **ret_rootfs, struct failure *why) MUST_CHECK;
int rootfs_plan_all(const struct spec *spec, const char *bundle, const struct rootfs_surroundings *around,
                    struct arena *arena, struct rootfs **ret_rootfs, struct findings *findings) MUST_CHECK; /* reports */
/* Where the container's cgroup came to be, once that is known: instead of around->cgroup_path. */
void rootfs_set_cgroup(struct rootfs *rootfs, const char *cgroup_path);

/* Runs in: creator, before clone, host mount namespace.  When privileged: clones the root and every bind source as
 * detached trees (so a path that the container's root cannot walk still works); otherwise init does so by path, in
 * its own copy of the host's mounts, before it attaches anything.  All fds CLOEXEC; init inherits them by clone. */
int rootfs_open(struct rootfs *rootfs, struct failure *why) MUST_CHECK;
/* Reports what rootfs_open and rootfs_open_idmaps would refuse, of an unprivileged caller too; what it opens is closed by
 * rootfs_close. */
int rootfs_probe(struct rootfs *rootfs, struct findings *findings) MUST_CHECK;
/* Idmapped mounts: makes the user namespaces that carry /mounts/N/uidMappings (for the option idmap without
 * mappings: /linux/uidMappings) and applies them to the opened trees.  `container_user_ns`: fd of a joined user
 * namespace, -1: opened by its path.
 * Runs in: creator, after rootfs_open. */
int rootfs_open_idmaps(struct rootfs *rootfs, int container_user_ns, struct failure *why) MUST_CHECK;

/* Runs in: init, inside its new mount namespace, with CAP_SYS_ADMIN there, still in the host's root: "/dev/null"
 * and other devices are taken from there.
 * mount: propagation, root, /mounts in order, devices and links.
 * `network`, unless NULL, is met before the first file system that may show the network namespace it is made in. */
struct rootfs_need {
    int (*meet)(void *arg, struct failure *why); /* called at most once */
    void *arg;
};
int rootfs_mount(struct rootfs *rootfs, const struct rootfs_need *network, struct failure *why) MUST_CHECK;
/* The container's root directory (O_PATH), lent; valid after rootfs_mount. */
int rootfs_root_fd(const struct rootfs *rootfs);
/* Gives the terminal to process_uid and binds it over /dev/console.  `terminal_fd` is lent; it must be a pty of a
 * devpts that is mounted in this mount namespace (TIOCGPTPEER on <root>/dev/pts/ptmx). */
int rootfs_attach_console(struct rootfs *rootfs, int terminal_fd, struct failure *why) MUST_CHECK;
/* After the createContainer hooks: read-only paths, masked paths, read-only mounts and root. */
int rootfs_seal(struct rootfs *rootfs, struct failure *why) MUST_CHECK;
/* pivot_root (or MS_MOVE + chroot when `no_pivot`; chroot without a mount namespace), old root detached,
 * working directory "/".  After this: no host path is reachable. */
int rootfs_enter(struct rootfs *rootfs, bool no_pivot, struct failure *why) MUST_CHECK;
/* Closes every fd the plan holds (creator after clone; init after enter). */
void rootfs_close(struct rootfs *rootfs);

/* The words of /mounts/N/options that the features document lists. */
extern const char *const rootfs_mount_option_words[];
size_t rootfs_mount_option_words_count(void);

#endif
