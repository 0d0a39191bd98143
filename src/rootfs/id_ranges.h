/*
 * rootfs/id_ranges.h: the ranges of the mount option idmap=uids=FIRST-HOST-COUNT#…;gids=FIRST-HOST-COUNT#…
 *
 * Podman hands it on from its volumes.  FIRST counts in the filesystem, HOST on the host; with "@" before a range HOST
 * counts in the container's user namespace.
 *
 * PURE.  All functions are PLAIN: 0 or -errno.
 */
#ifndef CRUN_LITE_ROOTFS_ID_RANGES_H
#define CRUN_LITE_ROOTFS_ID_RANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"
#include "base/memory.h"
#include "spec/spec.h"

struct id_range {
    struct id_mapping mapping;
    bool in_container; /* its host id is one of the container's user namespace */
};

struct id_ranges {
    struct id_range *items;
    size_t count;
};

/* What follows "idmap=".  -EINVAL: not of that form, or one of the two lists is missing. */
int id_ranges_read(const char *text, struct arena *arena, struct id_ranges *ret_uids, struct id_ranges *ret_gids) MUST_CHECK;
/* As the kernel wants them.  `container`: the mappings of the user namespace.  -ERANGE: one of its ids is not mapped, or
 * more ranges than a user namespace takes. */
int id_ranges_resolve(const struct id_ranges *ranges, const struct id_mappings *container, struct arena *arena,
                      struct id_mappings *ret_mappings) MUST_CHECK;

#endif
