/*
 * spec/documents.h: the documents that we write for people and engines: default config, features.
 */
#ifndef CRUN_LITE_SPEC_DOCUMENTS_H
#define CRUN_LITE_SPEC_DOCUMENTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "spec/json.h"

struct default_config {
    bool rootless;        /* new user namespace with one mapping, no network namespace, no resources */
    uid_t host_uid;       /* for the rootless mapping */
    gid_t host_gid;
};
/* The default config.json. */
void document_default_config(struct json_writer *writer, const struct default_config *wanted);

/* What the features document needs from folders that spec/ must not include; filled by cmd/features. */
struct features {
    const char *version, *commit;
    const char *const *mount_options; size_t mount_options_count;
    const char *const *capabilities; size_t capabilities_count;
    const char *const *seccomp_actions; size_t seccomp_actions_count;
    const char *const *seccomp_operators; size_t seccomp_operators_count;
    const char *const *seccomp_archs; size_t seccomp_archs_count;
    const char *const *seccomp_known_flags; size_t seccomp_known_flags_count;
    const char *const *seccomp_supported_flags; size_t seccomp_supported_flags_count;
    const char *libseccomp_version;
    bool systemd;
    bool apparmor, selinux;
    bool intel_rdt, memory_policy, net_devices, idmap;
};
void document_features(struct json_writer *writer, const struct features *features);

#endif
