/*
 * cgroups/mount.h: where cgroup2 is, where we are in it, and who we are.
 *
 * Runs in: host side processes.
 */
#ifndef CRUN_LITE_CGROUPS_MOUNT_H
#define CRUN_LITE_CGROUPS_MOUNT_H

#include "cgroups/path.h"

/* The mount's root directory, O_RDONLY|O_DIRECTORY; explains. */
int mount_open_root(struct failure *why) MUST_CHECK;
/* A cgroup below it: fd or -errno. */
int mount_open_path(int root_fd, const char *path) MUST_CHECK;

/* PATH_ROOTLESS: no privilege over the host, be it another uid or another user namespace than the initial one. */
enum path_privilege mount_privilege(void);
/* "/a/b" of the line "0::" in /proc/self/cgroup; NULL when outside of the mount's view. */
char *mount_own_path(struct arena *arena);
/* The same for another process. */
char *mount_path_of(pid_t pid, struct arena *arena);
/* The highest cgroup on the way to `own` that the caller may make children in; NULL: none. */
char *mount_delegated_path(int root_fd, const char *own, struct arena *arena);

/* Tests only: a directory that stands for the mount, taken without the file system check; NULL: back to the host's.
 */
void mount_point_set_for_tests(const char *directory);

#endif
