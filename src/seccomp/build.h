/*
 * seccomp/build.h: between build.c and cache.c.
 */
#ifndef CRUN_LITE_SECCOMP_BUILD_H
#define CRUN_LITE_SECCOMP_BUILD_H

#include "seccomp/seccomp.h"

enum build_tree {
    BUILD_LIST = 1, /* one comparison per system call, in order of priority */
    BUILD_TREE = 2, /* binary tree: what the runtime loads */
};
/* Compiles a profile that seccomp_check accepted. */
int build_compile(const struct spec_seccomp *seccomp, enum build_tree tree, struct arena *arena,
                  struct seccomp_filter *ret_filter, struct failure *why) MUST_CHECK;

#endif
