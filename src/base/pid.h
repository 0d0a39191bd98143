/*
 * base/pid.h: naming a process safely.
 *
 * A pid alone is never trusted: it is the pid together with its start time (field 22 of /proc/PID/stat,
 * clock ticks since boot), or a pidfd.
 *
 * Runs in: host side processes (they read the host's /proc).
 */
#ifndef CRUN_LITE_BASE_PID_H
#define CRUN_LITE_BASE_PID_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"

struct pid_name {
    pid_t pid;           /* 0: none */
    uint64_t start_time; /* clock ticks since boot */
};

/* Start time and state letter ('R', 'Z', …) of a pid.  0 or -errno (-ESRCH when gone). */
int pid_look(pid_t pid, uint64_t *ret_start_time, char *ret_state) MUST_CHECK;
/* Whether a clone of ours has executed a program since (flag PF_FORKNOEXEC of /proc/PID/stat, also of a zombie): 1, 0 or -errno
 * (-ESRCH when it has been reaped). */
int pid_has_executed(pid_t pid) MUST_CHECK;
/* Whether it is on its way out, dead or gone: from the moment on in which the kernel begins to end it. */
bool pid_is_ending(pid_t pid);
/* That very process, by one look.  Where the look fails it counts as one that lives. */
enum pid_life {
    PID_OVER,     /* it does not exist any more, or is a zombie */
    PID_WAITS,    /* a clone of ours that has not executed a program */
    PID_EXECUTED,
};
enum pid_life pid_life(const struct pid_name *name);
/* True while that very process exists and is not a zombie. */
bool pid_alive(const struct pid_name *name);
/* A pidfd of that very process: opened, then the start time compared.  fd or -errno (-ESRCH). */
int pid_open(const struct pid_name *name) MUST_CHECK;
/* Waits until the pidfd is readable (process ended) or `deadline_ms` of CLOCK_MONOTONIC passed (-1: for
 * ever).  1 ended, 0 deadline, -errno. */
int pid_wait_end(int pidfd, int64_t deadline_ms) MUST_CHECK;
/* The wait status of a process that has ended, whoever its parent is: of a zombie, or KERNEL(6.15) of one that was reaped while
 * the pidfd was open.  0 or -errno (-ENODATA: nobody knows it any more). */
int pid_exit_status(int pidfd, const struct pid_name *name, int *ret_status) MUST_CHECK;
int64_t clock_now_ms(void); /* CLOCK_MONOTONIC in milliseconds */

#endif
