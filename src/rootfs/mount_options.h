/*
 * rootfs/mount_options.h: the words of /mounts/N/options as flags, attributes and data.
 *
 * PURE.  Words act from left to right and a later one overrides an earlier opposite one.  What is not a word of
 * the table is the filesystem's own option ("data") and keeps its order.
 */
#ifndef CRUN_LITE_ROOTFS_MOUNT_OPTIONS_H
#define CRUN_LITE_ROOTFS_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "base/findings.h"
#include "base/memory.h"
#include "rootfs/id_ranges.h"
#include "spec/spec.h"

/* All data of one mount, joined by commas, at most: what mount(2) takes (one page with its NUL). */
#define MOUNT_DATA_LIMIT 4095

/* MOUNT_ATTR_* bits to set and to clear, as mount_setattr(2) takes them: when the access time mode is touched
 * the whole MOUNT_ATTR__ATIME field is in `clear`, else the kernel answers EINVAL. */
struct mount_attributes {
    uint64_t set, clear;
};

/* Flags of the superblock, not of the mount. */
enum superblock_flag {
    SUPERBLOCK_READ_ONLY = 1 << 0,
    SUPERBLOCK_SYNC = 1 << 1,
    SUPERBLOCK_DIRSYNC = 1 << 2,
    SUPERBLOCK_LAZYTIME = 1 << 3,
    SUPERBLOCK_MAND = 1 << 4,
    /* fsconfig(2) has no key for these two: a filesystem with one of them is mounted by mount(2). */
    SUPERBLOCK_IVERSION = 1 << 5,
    SUPERBLOCK_SILENT = 1 << 6,
};

struct propagation {
    uint64_t kind; /* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE */
    bool recursive;
};

enum idmap_reach { IDMAP_NONE, IDMAP_THIS_MOUNT, IDMAP_TREE };

struct mount_options {
    struct mount_attributes attributes; /* of this mount */
    struct mount_attributes tree;       /* of this mount and all below it; to be applied first */
    unsigned superblock_set, superblock_clear;
    struct propagation *propagation; /* in order */
    size_t propagation_count;
    bool bind;
    bool recursive; /* rbind */
    bool remount;
    bool copy_up;
    bool copy_symlink; /* a source that is a symbolic link is recreated, not followed */
    bool mode_given;   /* data has mode= */
    enum idmap_reach idmap;
    struct id_ranges uid_ranges, gid_ranges; /* of idmap=…; else none */
    struct strings data; /* "key" or "key=value", in order */
    size_t first_data;   /* its index among the words, for messages */
};

/* `pointer` is "/mounts/N": failures name "/mounts/N/options/M". */
int mount_options_read_all(const struct strings *words, const char *pointer, struct arena *arena,
                           struct mount_options *ret_options, struct findings *findings) MUST_CHECK; /* reports */
int mount_options_read(const struct strings *words, const char *pointer, struct arena *arena,
                       struct mount_options *ret_options, struct failure *why) MUST_CHECK;
/* The key by which fsconfig(2) knows the flag, NULL when it has none; `clear` the key that takes it back. */
const char *superblock_flag_key(enum superblock_flag flag);
const char *superblock_flag_clear_key(enum superblock_flag flag);

#endif
