/*
 * cgroups/controllers.h: which controllers a list of writes needs, and switching them on along a path.
 *
 * Runs in: creator, and the update command.
 */
#ifndef CRUN_LITE_CGROUPS_CONTROLLERS_H
#define CRUN_LITE_CGROUPS_CONTROLLERS_H

#include "cgroups/limits.h"

struct controller_need {
    const char *name;
    const char *pointer; /* of the first member that asks for it */
};
struct controllers {
    struct controller_need *items;
    size_t count;
};

/* Pure. */
struct controllers controllers_of(const struct limits *limits, struct arena *arena);

/* Makes the needed controllers available to the children of the cgroup `fd` ("/a/b", for messages).  Reads
 * cgroup.subtree_control first and writes only what is missing.  Also tries the controllers whose statistics
 * engines read (cpu, io, memory, pids); that these cannot be had is no failure. */
int controllers_enable(int fd, const char *path, const struct controllers *needed, struct failure *why) MUST_CHECK;

/* Reports the needed controllers that controllers_enable could not have. */
int controllers_probe(int fd, const char *path, const struct controllers *needed, struct findings *findings) MUST_CHECK;

#endif
