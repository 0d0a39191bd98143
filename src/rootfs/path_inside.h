/*
 * rootfs/path_inside.h: a path that cannot leave the container's root.
 *
 * Every path that the configuration or the image has a say in is opened here: openat2(2) resolves it below the
 * root's fd as if that were "/", so neither ".." nor an absolute symbolic link nor a racing rename leads out
 * (CVE-2019-18837, CVE-2021-30465), and what is missing is made one component at a time in the directory whose
 * fd is held (CVE-2024-45310).  Results are O_PATH fds, CLOEXEC.  All functions are PLAIN.
 *
 * Runs in: init.  Must not: build a path by joining it to the root's path.
 */
#ifndef CRUN_LITE_ROOTFS_PATH_INSIDE_H
#define CRUN_LITE_ROOTFS_PATH_INSIDE_H

#include <sys/types.h>

#include "base/failure.h"

enum path_links {
    PATH_LINKS_INSIDE, /* symbolic links are followed, below the root */
    PATH_NO_LINKS,     /* any symbolic link on the way is -ELOOP */
};

enum path_kind { PATH_DIRECTORY, PATH_FILE };

/* fd or -errno; "" and "/" are the root itself. */
int path_open(int root_fd, const char *path, enum path_links links) MUST_CHECK;
/* As path_open, but what is missing is created: directories 0755, and an empty file 0644 at the end when `kind`
 * is PATH_FILE.  A link that leads nowhere has its target created, below the root.  The umask must be 0. */
int path_make(int root_fd, const char *path, enum path_kind kind, enum path_links links) MUST_CHECK;
/* Makes and opens the directory that holds the last component; *ret_name points at that component. */
int path_make_parent(int root_fd, const char *path, enum path_links links, const char **ret_name) MUST_CHECK;

#endif
