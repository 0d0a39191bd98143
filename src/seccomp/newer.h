/*
 * seccomp/newer.h: "system calls newer than the profile get ENOSYS", as instructions put before a filter.
 *
 * A profile with an EPERM default was complete when it was written.  A later C library tries a later system
 * call first and falls back when it gets ENOSYS; EPERM it reports to the program.  So numbers above the highest
 * that the profile names, per architecture, return ENOSYS.  Never more than that: they were refused before and
 * they are refused after.
 */
#ifndef CRUN_LITE_SECCOMP_NEWER_H
#define CRUN_LITE_SECCOMP_NEWER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

/* One architecture of the filter. */
struct newer_arch {
    uint32_t token;   /* libseccomp's: x32 is a token of its own */
    uint32_t highest; /* highest system call number named, below the private range */
};

/* Instructions that the stub of `count` architectures can have. */
#define NEWER_PER_ARCH 9u
#define NEWER_ROOM(count) ((size_t)(count) * NEWER_PER_ARCH)

/* PURE.  Numbers that do not grow with the kernel's common table (x32's own, ARM's private ones): they say
 * nothing about how new a profile is and keep the profile's default. */
int newer_is_private(uint32_t token, uint32_t number);
/* PURE.  Writes the stub to `out` (room for NEWER_ROOM(count)) and returns its length.  It falls through to
 * whatever follows it. */
size_t newer_build(const struct newer_arch *archs, size_t count, struct sock_filter *out);

#endif
