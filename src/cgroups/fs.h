/*
 * cgroups/fs.h: makes a cgroup and writes its files.
 *
 * Runs in: creator, and the update command.
 */
#ifndef CRUN_LITE_CGROUPS_FS_H
#define CRUN_LITE_CGROUPS_FS_H

#include "cgroups/controllers.h"

/* Opens `path`, making what is missing, with the needed controllers enabled in every cgroup above it.  Sets fd,
 * created and made_levels of *cgroup.  On failure removes what it made. */
int fs_make(int root_fd, const char *path, const struct controllers *needed, struct cgroup *cgroup,
            struct failure *why) MUST_CHECK;
/* Removes `levels` directories from the leaf up; best effort. */
void fs_unmake(int root_fd, const char *path, unsigned levels);

/* "WHAT cgroup 'PATH': …", of errno. */
int fs_explain_directory(const char *what, const char *path, struct failure *why);

/* `path` is for messages. */
int fs_write(int fd, const char *path, const struct cgroup_write *write, struct failure *why) MUST_CHECK;

/* Before the first write: a limit that wants to be checked (checkBeforeUpdate) is above what is in use. */
int fs_check_usage(int fd, const struct limits *limits, struct failure *why) MUST_CHECK;
/* The writes that would bring back what the files of `limits` hold now; of a file with a line per device, the line
 * of the device in question. */
void fs_save(int fd, const struct limits *limits, struct arena *arena, struct limits *ret_old);
/* Newest first, best effort: what the kernel refuses by now stays. */
void fs_put_back(int fd, const struct limits *old);

#endif
