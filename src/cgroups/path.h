/*
 * cgroups/path.h: cgroupsPath -> place.  Pure: no system call, no global.
 *
 * Runs in: creator.
 */
#ifndef CRUN_LITE_CGROUPS_PATH_H
#define CRUN_LITE_CGROUPS_PATH_H

#include "cgroups/cgroups.h"

enum path_privilege { PATH_ROOT, PATH_ROOTLESS };

struct path_question {
    enum cgroup_manager manager;
    enum path_privilege privilege;
    const char *id;
    const char *cgroups_path; /* /linux/cgroupsPath or NULL */
    const char *own;          /* the creator's own cgroup, "/a/b"; NULL when unknown; rootless only */
    const char *delegated; /* highest cgroup above `own` that the creator may write to, NULL: none; rootless only */
};

struct path_place {
    char *path;  /* below the cgroup2 mount, "/a/b"; NULL: rootless and nowhere to go */
    char *slice; /* systemd only: "machine.slice" */
    char *unit;  /* systemd only: "libpod-ID.scope" */
};

/*
 * Decides where the container's cgroup is (CGP-03..07, CGP-12):
 *
 * - absolute: below the mount;
 * - relative: for root below the mount, rootless below the highest delegated cgroup.  Never below the creator's own
 *   cgroup, so that one value means one place (CGP-05);
 * - absent or "": for root "/ID", rootless beside the creator's own cgroup;
 * - slice:prefix:name: with the systemd manager only, and there the only form but absent.
 *
 * Refuses "..", the root cgroup, and components longer than a file name.
 */
int path_resolve(const struct path_question *question, struct arena *arena, struct path_place *ret_place,
                 struct failure *why) MUST_CHECK;

/* "a-b-c.slice" -> "/a.slice/a-b.slice/a-b-c.slice"; "-.slice" -> "".  systemd.slice(5). */
char *path_expand_slice(struct arena *arena, const char *slice);

#endif
