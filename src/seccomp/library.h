/*
 * seccomp/library.h: the door to libseccomp, which is loaded when a profile has to be compiled and not before, or is a part
 * of the program (BUILT_IN_SECCOMP) that is not touched before.
 *
 * Runs in: creator, before any path of the container is visible: what dlopen finds is the host's.
 */
#ifndef CRUN_LITE_SECCOMP_LIBRARY_H
#define CRUN_LITE_SECCOMP_LIBRARY_H

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"

struct library {
    typeof(seccomp_version) *version;
    typeof(seccomp_init) *init;
    typeof(seccomp_release) *release;
    typeof(seccomp_attr_set) *attr_set;
    typeof(seccomp_arch_add) *arch_add;
    typeof(seccomp_arch_exist) *arch_exist;
    typeof(seccomp_arch_native) *arch_native;
    typeof(seccomp_syscall_resolve_name) *resolve_name;
    typeof(seccomp_syscall_resolve_name_arch) *resolve_name_arch;
    typeof(seccomp_rule_add_array) *rule_add_array;
    typeof(seccomp_export_bpf) *export_bpf;
    /* NULL before libseccomp 2.6. */
    int (*export_bpf_mem)(const scmp_filter_ctx context, void *buffer, size_t *length);
};

/* Loads once per process; the table stays valid for its life. */
int library_open(const struct library **ret_library, struct failure *why) MUST_CHECK;
/* One line that changes when the library does, for what was compiled by it; false: unknown, also before library_open.  With
 * a library that is loaded it is the file's identity: a hit must not need the library, so it cannot ask for its version. */
#define LIBRARY_IDENTITY_SIZE (4096 + 128)
bool library_identity(char *line, size_t size);
/* Is that line of an earlier process still so?  Loads nothing. */
bool library_unchanged(const char *line);

#endif
