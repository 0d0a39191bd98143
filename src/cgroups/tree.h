/*
 * cgroups/tree.h: what the front header does not show of tree.c.
 *
 * Runs in: host side processes.
 */
#ifndef CRUN_LITE_CGROUPS_TREE_H
#define CRUN_LITE_CGROUPS_TREE_H

#include "cgroups/cgroups.h"

/* Waits until `key` of cgroup.events ("populated", "frozen") is `wanted`.  1 it is, 0 deadline passed, -errno. */
int tree_wait_event(int cgroup_fd, const char *key, bool wanted, int64_t deadline_ms) MUST_CHECK;

/* Removes every cgroup below, deepest first.  0 or -errno: -EBUSY when there are still processes. */
int tree_remove_children(int cgroup_fd, int64_t deadline_ms) MUST_CHECK;

/* "pid 12 (sh), state D, waiting in nfs_wait_bit; …": at most four, for messages. */
void tree_describe_processes(int cgroup_fd, char *out, size_t size);

#endif
