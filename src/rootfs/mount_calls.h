/*
 * rootfs/mount_calls.h: the only user of the mount API.
 *
 * A "tree" is a mount, or a mount with those below it, held by an fd; detached until tree_attach.  All functions
 * are PLAIN: an fd or 0, or -errno.  Every fd is CLOEXEC.
 *
 * Runs in: creator (detached trees only) and init.
 */
#ifndef CRUN_LITE_ROOTFS_MOUNT_CALLS_H
#define CRUN_LITE_ROOTFS_MOUNT_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"
#include "spec/spec.h"

enum tree_reach { TREE_TOP, TREE_ALL };

/* What to change of a tree; zeroes change nothing. */
struct tree_change {
    uint64_t set, clear;  /* MOUNT_ATTR_* */
    uint64_t propagation; /* MS_SHARED … or 0 */
    int user_ns_fd;       /* with MOUNT_ATTR_IDMAP in `set` */
};

/* Clones what `path` (below dir_fd, or dir_fd itself when "") shows. */
int tree_clone(int dir_fd, const char *path, enum tree_reach reach) MUST_CHECK;
int tree_change(int tree_fd, const struct tree_change *change, enum tree_reach reach) MUST_CHECK;
/* Both, in one call where the kernel has it.  After a failure *ret_cloned says of which. */
int tree_clone_changed(int dir_fd, const char *path, const struct tree_change *change, enum tree_reach reach, bool *ret_cloned) MUST_CHECK;
/* Attaches a detached tree, or moves an attached one. */
int tree_attach(int tree_fd, int target_fd) MUST_CHECK;
/* The same over one component of a directory; a symbolic link there is not followed and is an error. */
int tree_attach_at(int tree_fd, int dir_fd, const char *name) MUST_CHECK;
/* Takes the propagation of the caller's whole mount namespace off the host's. */
int tree_change_at_root(uint64_t propagation) MUST_CHECK;

struct filesystem {
    const char *type;
    const char *source;     /* NULL: none */
    const char *label;      /* SELinux context, NULL: none */
    int mode;               /* of its root directory, -1: the filesystem's own default */
    uint64_t attributes;    /* MOUNT_ATTR_* of the mount */
    unsigned superblock;    /* enum superblock_flag to set */
    unsigned superblock_clear; /* to take back; for filesystem_change */
    const struct strings *data; /* NULL: none */
};

/* What the kernel had to say about a failure. */
struct filesystem_trouble {
    bool unknown_type;
    char key[64];    /* the option that was refused, "" when none in particular */
    char words[256]; /* the kernel's message, "" when it gave none */
};

/* A new detached mount of a filesystem. */
int filesystem_new(const struct filesystem *filesystem, struct filesystem_trouble *trouble) MUST_CHECK;
/* Changes the options of the filesystem that is mounted at mount_fd. */
int filesystem_change(int mount_fd, const struct filesystem *filesystem,
                      struct filesystem_trouble *trouble) MUST_CHECK;
/* True when fsconfig(2) cannot express it: a value of more than 255 bytes (long overlay layers), or the flags
 * iversion and silent. */
bool filesystem_needs_mount(const struct filesystem *filesystem);
/* mount(2) over the directory target_fd; the working directory is the same afterwards.  MOUNT_ATTR_RDONLY alone is
 * left out, since mount(2) would make the filesystem read-only with the mount. */
int filesystem_mount(const struct filesystem *filesystem, int target_fd) MUST_CHECK;

/* Takes whatever is mounted at a host path out of the caller's mount namespace. */
int mount_detach(const char *path_host) MUST_CHECK;

#endif
