/* ns/flags.h: the CLONE_NEW* flag of each type, and what the files of this folder lend each other; not for other folders. */
#ifndef CRUN_LITE_NS_FLAGS_H
#define CRUN_LITE_NS_FLAGS_H

#include "ns/ns.h"

extern const uint64_t ns_clone_flags[NS_TYPES];
/* Takes a namespace out of the plan: it is the creator's own already. */
void ns_plan_drop(struct ns_plan *plan, size_t position);

/* Runs in: creator.  A routing socket of the network namespace `namespace_fd`, opened by a throw-away child that enters it: the
 * creator never changes its own namespaces.  PLAIN: fd or -errno. */
int ns_open_socket_inside(int namespace_fd) MUST_CHECK;
/* probe.c: may newuidmap take this range?  True where it cannot be known. */
bool ns_range_is_own(const char *file, uint32_t own, const struct id_mapping *map);
/* idmap.c: reports. */
int ns_probe_id_maps(const struct ns_plan *plan, struct findings *findings) MUST_CHECK;

#endif
