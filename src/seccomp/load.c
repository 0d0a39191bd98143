/*
 * seccomp/load.c: the one system call that puts the filter in force.
 *
 * Runs in: init, last before exec with no_new_privs, otherwise before privileges are dropped.  Should: seccomp(2).
 * Must not: allocate, open, log: from here on the profile decides over every system call of init.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/kernel.h"
#include "seccomp/seccomp.h"

int seccomp_install(const struct seccomp_filter *filter)
{
    union {
        const void *lent;
        struct sock_filter *wanted; /* the kernel only reads it, its header does not say const */
    } program = {.lent = filter->program};
    struct sock_fprog fprog = {.len = (unsigned short)filter->instructions, .filter = program.wanted};
    int result;

    /* The flags go in as they are: a refused one is an error, never silently left out. */
    result = kernel_seccomp(SECCOMP_SET_MODE_FILTER, filter->flags, &fprog);
    if (result < 0)
        return -errno;
    if (result > 0 && !filter->notify)
        return -ESRCH; /* TSYNC: a thread of that id could not be synchronised */
    return result;
}
