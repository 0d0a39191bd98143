/* base/sealed.c: a program in memory that nobody can change. */
#include "base/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* KERNEL(6.3) */
#endif

int sealed_new(void)
{
    int fd = memfd_create("crun-lite", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (fd < 0 && errno == EINVAL) /* KERNEL(6.3): MFD_EXEC is new, and implied before */
        fd = memfd_create("crun-lite", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd < 0 ? -errno : fd;
}

int sealed_close(int fd)
{
    return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

bool sealed_is(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS;
}

int sealed_execute(int fd, char **argv)
{
    (void)syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH); /* returns only when it failed: errno */
    return -errno;
}
