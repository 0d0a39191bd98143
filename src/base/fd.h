/*
 * base/fd.h: file descriptors.
 *
 * `int fd` is lent, `int *fd` is taken (closed and set to -1).  Unset is -1.  Everything is CLOEXEC.
 *
 * Runs in: every process.
 */
#ifndef CRUN_LITE_BASE_FD_H
#define CRUN_LITE_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"

#define CLEANUP_FD __attribute__((cleanup(fd_close)))

void fd_close(int *fd);       /* closes when >= 0; sets -1; keeps errno */
int fd_steal(int *fd);        /* returns *fd and sets it to -1 */
int fd_duplicate(int fd, int lowest); /* CLOEXEC copy >= lowest; -errno on failure */

/* Loops over short writes and EINTR.  0 or -errno. */
int fd_write_all(int fd, const void *data, size_t length) MUST_CHECK;
/* Reads up to `size` bytes until EOF; returns the count or -errno. */
ssize_t fd_read_up_to(int fd, void *data, size_t size) MUST_CHECK;

int fd_set_nonblocking(int fd, bool nonblocking);
bool fd_is_open(int fd);

/* flock(2), exclusive, for a file that others may open and hold: waits at most until `deadline_ms` of CLOCK_MONOTONIC.  0,
 * -ETIMEDOUT or -errno.  Takes SIGALRM for itself meanwhile.  Host side only. */
int fd_lock_until(int fd, int64_t deadline_ms) MUST_CHECK;

/* Connects a UNIX socket to `path`, which may be longer than a socket address.  0 or -errno.  Host side only. */
int fd_connect(int socket, const char *path) MUST_CHECK;
/* One descriptor by SCM_RIGHTS with `length` bytes of payload (>= 1) over a stream or seqpacket socket. */
int fd_send(int socket, int fd, const void *data, size_t length) MUST_CHECK;

/* Formats "/proc/self/fd/N" into a caller's buffer of FD_PATH_SIZE and returns it.  Host side only: inside
 * the container nothing goes through a /proc that the container could have replaced. */
#define FD_PATH_SIZE 32
const char *fd_path(int fd, char buffer[FD_PATH_SIZE]);

#endif
