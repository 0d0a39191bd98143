/*
 * seccomp/library.h: the door to libseccomp, which is loaded when a profile has to be compiled and not before.
 *
 * Runs in: creator, before any path of the container is visible: what dlopen finds is the host's.
 */
#ifndef CRUN_LITE_SECCOMP_LIBRARY_H
#define CRUN_LITE_SECCOMP_LIBRARY_H

#include <seccomp.h>
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
/* The file that library_open loaded, as the dynamic linker names it; NULL before or when unknown. */
const char *library_path(void);

#endif
