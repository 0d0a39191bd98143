/*
 * tests/userns/rootfs_sandbox.h: a pretended host with one container, for tests of src/rootfs/.
 *
 * A case runs in a child with a mount namespace of its own, as root or in a user namespace that it makes: the
 * "host".  Its mounts are shared, so that a mount which leaks out of the container is seen.  The container's init
 * is a grandchild with new namespaces; it is this very program, so the root filesystem can be empty.
 */
#ifndef CRUN_LITE_TESTS_ROOTFS_SANDBOX_H
#define CRUN_LITE_TESTS_ROOTFS_SANDBOX_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "rootfs/rootfs.h"

/* A failed check ends the process it is in; the case fails. */
#define CHECK(condition)                                                                                          \
    do {                                                                                                          \
        if (!(condition)) {                                                                                       \
            fprintf(stderr, "%s:%d: not true: %s (errno %m)\n", __FILE__, __LINE__, #condition);                  \
            _exit(1);                                                                                             \
        }                                                                                                         \
    } while (0)
#define CHECK_TEXT(text, part)                                                                                    \
    do {                                                                                                          \
        if (!strstr(text, part)) {                                                                                \
            fprintf(stderr, "%s:%d: '%s' is not in '%s'\n", __FILE__, __LINE__, part, text);                      \
            _exit(1);                                                                                             \
        }                                                                                                         \
    } while (0)

#define SANDBOX_MOUNTS_MAX 64

struct sandbox {
    struct spec spec;
    struct spec_mount mounts[SANDBOX_MOUNTS_MAX];
    struct rootfs_surroundings around;
    char *masked[8], *readonly[8];
    bool user_ns;      /* the container gets a user namespace of its own */
    bool no_network_ns, no_cgroup_ns, no_pid_ns;
    bool no_pivot;
    bool half_privileged; /* the host itself is in a user namespace younger than its mount namespace */
    bool stop_before_enter;
    void (*in_hook)(struct sandbox *sandbox, struct rootfs *rootfs); /* between mount and seal, in init */
    void (*inside)(struct sandbox *sandbox);                         /* after enter, in init */
    struct failure why; /* of a failed container, in the host after sandbox_run */
};

/* Runs `body` as the host: working directory "/sandbox" = a new tmpfs with "rootfs" in it; exits 0 when it
 * returns.  Returns the exit status: 0 passed, 1 failed. */
int sandbox_case(void (*body)(struct sandbox *sandbox));
bool sandbox_is_root(void);
/* After unshare(CLONE_NEWUSER): the caller is root in it, and nobody else exists. */
void sandbox_map_self(void);

/* In the host: describe, run, look. */
void sandbox_mount(struct sandbox *sandbox, const char *destination, const char *type, const char *source,
                   const char *options);
/* proc, /dev, pts, shm, mqueue, sysfs, cgroup with the options of `crun-lite spec`, masks and read-only paths. */
void sandbox_default_bundle(struct sandbox *sandbox);
void sandbox_strings(struct strings *strings, char **storage, const char *words);
/* Carries the container out.  0, or -1 with sandbox->why. */
int sandbox_run(struct sandbox *sandbox);

/* Helpers for both sides. */
void make_dirs(const char *path);
void make_file(const char *path, const char *content);
void make_link(const char *target, const char *path);
bool exists(const char *path);
/* The line of mountinfo whose mount point is `path` (the last one), "" when there is none. */
void mountinfo_line(const char *path, char *out, size_t size);
size_t mountinfo_count(void);

#endif
