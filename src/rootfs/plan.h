/*
 * rootfs/plan.h: the plan of a root filesystem and the fds that carrying it out collects.
 *
 * Inside the folder only.  Made whole by rootfs_plan; afterwards only the fds change, and what is marked so.
 */
#ifndef CRUN_LITE_ROOTFS_PLAN_H
#define CRUN_LITE_ROOTFS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rootfs/mount_options.h"
#include "rootfs/path_inside.h"
#include "rootfs/rootfs.h"

enum mount_kind {
    MOUNT_BIND,
    MOUNT_FILESYSTEM,
    MOUNT_CGROUP,  /* cgroup2, or a bind where the container has no cgroup namespace of its own */
    MOUNT_REMOUNT, /* changes what an earlier entry, or the image's storage, mounted there */
};

struct mount_step {
    size_t index; /* N of /mounts/N */
    enum mount_kind kind;
    const char *target_inside; /* absolute; no ".", "..", "//" or final "/" */
    const char *source;        /* MOUNT_BIND: absolute host path; otherwise the word for mountinfo, or NULL */
    const char *type;
    const char *label; /* SELinux context or NULL */
    struct mount_options options;
    struct propagation *propagation; /* in order, what must be done before it is attached */
    size_t propagation_count;
    enum path_links target_links;
    bool must_be_procfs;   /* a bind over /proc */
    bool is_dev;           /* a new tmpfs on /dev: filled with nodes before it is attached */
    bool take_mode;        /* tmpfs without mode=: the covered directory's mode, where one was there */
    bool seal_read_only;   /* written to until rootfs_seal */
    const struct id_mappings *uid_mappings, *gid_mappings; /* with options.idmap; NULL: of the joined user ns */

    int tree_fd;           /* detached until attached; kept longer only for seal_read_only */
    char *link_target;     /* copy-symlink: the source is this link */
};

struct device_step {
    const char *path_inside; /* cleaned as a mount's target */
    const char *pointer;     /* "/linux/devices/N", NULL for a default device */
    mode_t mode;             /* type and permissions */
    dev_t number;
    uid_t uid;
    gid_t gid;
    bool in_new_dev;  /* made in the tmpfs of the is_dev step before it is attached */
    bool placeholder; /* an empty file waits there for the host's device to be bound over it */
    bool covered;     /* by a mount of the bundle at that very place, which counts; none above it comes later */
};

struct link_step {
    const char *name;   /* in /dev */
    const char *target;
    const char *needs;  /* path inside that must exist, NULL: nothing */
    bool in_new_dev;
};

enum dev_kind {
    DEV_NONE,      /* not ours: bound from the host, or no mount namespace: nothing is created in it */
    DEV_NEW_TMPFS, /* the is_dev step */
    DEV_OF_ROOT,   /* a directory of the root filesystem, or what a mount put there */
};

enum root_entry { ROOT_PIVOT, ROOT_CHROOT };

#define LINKS_MAX 6

struct rootfs {
    struct arena *arena;
    const struct spec *spec;
    struct rootfs_surroundings around;
    bool in_user_ns;
    enum root_entry entry;
    const char *root_path_host;
    bool root_read_only;
    bool new_pid_ns;
    bool own_cgroup_ns;
    const char *joined_user_ns_path; /* NULL: none */
    struct propagation root_propagation; /* kind 0: private */

    struct mount_step *mounts;
    size_t mounts_count;
    enum dev_kind dev;
    bool dev_is_mounted; /* some step mounts on /dev */
    struct device_step *devices;
    size_t devices_count;
    struct link_step links[LINKS_MAX];
    size_t links_count;
    const struct strings *read_only_paths, *masked_paths;
    const char *mount_label;

    const struct rootfs_need *network; /* rootfs_mount's, until it is met */

    int root_fd; /* the root as a mount; detached until rootfs_mount */
    bool root_is_over_root; /* attached over "/", not over the directory it came from */
    int null_fd; /* clone of the host's /dev/null, read-only; the source of masks */
    int mask_fd; /* empty read-only directory, made when first needed */
    bool bind_devices; /* mknod was refused, or will be */
};

/* "/a//b/./../c/" -> "/a/c"; a relative path counts from "/". */
char *path_clean(struct arena *arena, const char *path);
/* True when `path` is `above` or lies below it; both cleaned. */
bool path_is_below(const char *path, const char *above);

/* ---- sources.c: what is cloned from the host ---- */
int root_open(struct rootfs *rootfs, struct failure *why) MUST_CHECK;
/* Opens the source of a bind as a detached tree with its attributes and propagation. */
int bind_source_open(struct rootfs *rootfs, struct mount_step *step, struct failure *why) MUST_CHECK;
int bind_attributes_set(const struct mount_step *step, int tree_fd, struct failure *why) MUST_CHECK;
/* What rootfs_open has left to init, as far as descriptors allow: before anything is attached. */
int sources_open_rest(struct rootfs *rootfs, struct failure *why) MUST_CHECK;
/* The sentences for a root or source that cannot be had. */
int root_path_failed(const struct rootfs *rootfs, int errnum, struct failure *why);
int source_failed(const struct rootfs *rootfs, const struct mount_step *step, int errnum, struct failure *why);
void labels_drop_without_selinux(struct rootfs *rootfs);
/* Clone of a character device of the host, verified on the clone: fd or -errno (-ENODEV: something else). */
int host_device_clone(const char *path_host, mode_t type, dev_t number) MUST_CHECK;

/* ---- idmap.c ---- */
/* Maps the ids of an opened tree, when that is asked for. */
int idmap_probe(const struct rootfs *rootfs, const struct mount_step *step, struct failure *why) MUST_CHECK;

/* ---- plan_dev.c ---- */
/* PURE; reports.  After the mounts: devices, and links where there is a /dev to hold them. */
int plan_dev(struct rootfs *rootfs, const struct spec *spec, struct findings *findings) MUST_CHECK;

/* ---- devices.c ---- */

/* Runs in: check.  A device that would have to be bound, and that the host does not have. */
int device_probe(const struct rootfs *rootfs, const struct device_step *device, struct failure *why) MUST_CHECK;
/* Nodes and links that go into the new tmpfs of /dev, while it is detached. */
int devices_fill_new_dev(struct rootfs *rootfs, int dev_fd, struct failure *why) MUST_CHECK;
/* The rest, after all mounts. */
int devices_make(struct rootfs *rootfs, struct failure *why) MUST_CHECK;

/* ---- copy_up.c ---- */
/* Copies the content of a directory into another; neither is left, no link is followed.  0 or -errno. */
int copy_up(int from_fd, int to_fd) MUST_CHECK;

/* ---- pivot.c ---- */
/* Takes the mount namespace off the host's propagation and attaches the root in it. */
int root_attach(struct rootfs *rootfs, struct failure *why) MUST_CHECK;

/* ---- masks.c ---- */
/* Opens the source of masked files: before the container's first mount. */
int mask_source_open(struct rootfs *rootfs, struct failure *why) MUST_CHECK;
int masks_apply(struct rootfs *rootfs, struct failure *why) MUST_CHECK;
int read_only_paths_apply(struct rootfs *rootfs, struct failure *why) MUST_CHECK;

/* ---- explain.c: a failed step in the user's words ---- */
int explain_mount(struct failure *why, const struct rootfs *rootfs, const struct mount_step *step, int errnum,
                  const char *detail);
int explain_unknown_type(struct failure *why, const struct mount_step *step);
int explain_target(struct failure *why, const struct mount_step *step, int errnum);

#endif
