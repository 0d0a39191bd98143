/*
 * base/sealed.h: a program in memory that nobody can change (memfd_create(2)).
 *
 * Runs in: the CLI process.
 */
#ifndef CRUN_LITE_BASE_SEALED_H
#define CRUN_LITE_BASE_SEALED_H

#include <stdbool.h>

/* An empty file to be filled by the caller.  fd or -errno; EACCES: sysctl vm.memfd_noexec is 2. */
int sealed_new(void);
/* Nothing can be written to it from here on, through whatever descriptor.  0 or -errno. */
int sealed_close(int fd);
bool sealed_is(int fd);
/* Executes the file behind fd, sealed or not, with the environment as it is.  Returns only on failure, with -errno. */
int sealed_execute(int fd, char **argv);

#endif
