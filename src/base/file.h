/*
 * base/file.h: whole-file reads and writes relative to a directory fd.
 *
 * Runs in: every process.
 */
#ifndef CRUN_LITE_BASE_FILE_H
#define CRUN_LITE_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/failure.h"
#include "base/memory.h"

/* Reads a regular file or pseudo file whole, at most `limit` bytes, NUL added.  PLAIN: the length or
 * -errno; -EFBIG when longer than `limit`. */
ssize_t file_read_at(int dirfd, const char *name, size_t limit, struct arena *arena,
                     char **ret_data) MUST_CHECK;
/* The same of what a command line names: a regular file, a pipe as shells make it (<(...)), or `-` for standard input, which stays
 * open.  Waits for the writer's end. */
ssize_t file_read_stream(const char *path, size_t limit, struct arena *arena, char **ret_data) MUST_CHECK;
/* Reads a short pseudo file into a caller's buffer (NUL added, final newline removed).  Length or -errno. */
ssize_t file_read_line_at(int dirfd, const char *name, char *buffer, size_t size) MUST_CHECK;

/* One open(O_WRONLY|O_CLOEXEC), ONE write, close: what procfs and cgroupfs want.  0 or -errno. */
int file_write_at(int dirfd, const char *name, const char *data, size_t length) MUST_CHECK;
int file_write_text_at(int dirfd, const char *name, const char *text) MUST_CHECK;

/* Makes a new file (O_EXCL) and writes it.  0 or -errno (-EEXIST); nothing is left on failure. */
int file_create_at(int dirfd, const char *name, mode_t mode, const void *data, size_t length) MUST_CHECK;
/* Replaces `name` in `dirfd` atomically: a new O_EXCL file beside it, written, renamed.  0 or -errno; the
 * old content survives any failure. */
int file_replace_at(int dirfd, const char *name, mode_t mode, const void *data, size_t length) MUST_CHECK;

/* Removes a directory tree below dirfd/name without following symbolic links.  0 or -errno of the first
 * thing that could not be removed; -ENOENT when there was nothing. */
int file_remove_tree_at(int dirfd, const char *name) MUST_CHECK;

/* mkdir -p with fds; existing directories are fine.  0 or -errno. */
int file_make_directories(const char *path, mode_t mode) MUST_CHECK;

#endif
