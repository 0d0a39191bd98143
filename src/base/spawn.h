/*
 * base/spawn.h: runs one helper program (hook, newuidmap) to its end.
 *
 * The program gets `input` on stdin, a file in memory that need not be read; its stdout and stderr are read through one pipe whose
 * last bytes are kept for the error message.  No shell, no PATH search: `path` is absolute.  No fd but 0, 1, 2 is inherited.
 *
 * Runs in: creator (host helpers, runtime-namespace hooks) and init (container-namespace hooks).
 */
#ifndef CRUN_LITE_BASE_SPAWN_H
#define CRUN_LITE_BASE_SPAWN_H

#include <stddef.h>

#include "base/failure.h"

struct spawn {
    const char *path;       /* absolute */
    char *const *argv;      /* NULL: { path, NULL } */
    char *const *envp;      /* NULL: environ of the caller */
    const char *input;      /* stdin's content, NULL: empty */
    size_t input_length;
    int directory_fd;       /* working directory, -1: unchanged */
    int timeout_ms;         /* <= 0: none */
    const int *interruption; /* when it is readable, the program is killed; NULL: nothing can interrupt */
    const int *output_fd;   /* stdout goes there, and only stderr is kept for the message; NULL: both are kept */
};

struct spawn_result {
    int exec_errno;   /* != 0: execve failed with it */
    int wait_status;  /* as waitpid(2) */
    int timed_out;    /* killed because of the timeout */
    int interrupted;  /* killed because of the interruption */
    long elapsed_ms;
    char tail[1024];  /* last bytes of stdout and stderr, control bytes and invalid UTF-8 replaced */
};

/* Returns -1 with *why only when the program could not be started at all (fork, pipe); everything else
 * is in *result. */
int spawn_run(const struct spawn *spawn, struct spawn_result *result, struct failure *why) MUST_CHECK;
/* "exited with status 3", "was killed by signal 9", "timed out after 2000 ms", "could not be executed: …" */
void spawn_describe(const struct spawn_result *result, char *out, size_t size);

#endif
