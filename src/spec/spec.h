/*
 * spec/spec.h: config.json as plain structs (OCI runtime-spec 1.3, Linux).
 *
 * The vocabulary shared by every folder below container/.  Names follow the specification's members.  All
 * memory belongs to the arena of the document.  Absent strings are NULL, absent arrays have count 0, absent
 * numbers have `set` false.  Words (namespace types, actions, …) are kept as enums where the set is closed.
 *
 * Nothing here calls the kernel.
 */
#ifndef CRUN_LITE_SPEC_SPEC_H
#define CRUN_LITE_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

#define SPEC_VERSION "1.3.0"     /* in every document we write */
#define SPEC_VERSION_MIN "1.0.0"

struct optional_i64 { bool set; int64_t value; };
struct optional_u64 { bool set; uint64_t value; };
struct optional_bool { bool set; bool value; };

struct strings { char **items; size_t count; };
struct string_pair { char *key; char *value; };
struct string_map { struct string_pair *items; size_t count; };

struct id_mapping { uint32_t inside; uint32_t host; uint32_t size; }; /* containerID, hostID, size */
struct id_mappings { struct id_mapping *items; size_t count; };

/* ---- process ---- */

struct spec_user {
    uint32_t uid, gid;
    struct optional_u64 umask;
    uint32_t *additional_gids;
    size_t additional_gids_count;
    bool additional_gids_set;
};

struct spec_capabilities {
    bool set; /* false: member absent, means no capability at all */
    struct strings bounding, effective, inheritable, permitted, ambient;
};

struct spec_rlimit { char *type; uint64_t soft, hard; };

struct spec_scheduler {
    bool set;
    char *policy;
    int64_t nice, priority;
    struct strings flags;
    uint64_t runtime, deadline, period;
};

struct spec_process {
    bool set; /* process may be absent: create works, start refuses */
    bool terminal;
    struct { bool set; uint64_t height, width; } console_size;
    char *cwd;
    struct strings env, args;
    struct spec_user user;
    struct spec_capabilities capabilities;
    struct spec_rlimit *rlimits;
    size_t rlimits_count;
    bool no_new_privileges, no_new_privileges_set;
    char *apparmor_profile, *selinux_label;
    struct optional_i64 oom_score_adj;
    struct spec_scheduler scheduler;
    struct { bool set; char *class_name; int64_t priority; } io_priority;
    struct { bool set; char *initial, *final; } exec_cpu_affinity;
};

/* ---- root, mounts, hooks ---- */

struct spec_mount {
    char *destination, *source, *type; /* type and source may be NULL */
    struct strings options;
    struct id_mappings uid_mappings, gid_mappings;
    bool mappings_set; /* both members were present, perhaps empty */
};

struct spec_hook {
    char *path;
    struct strings args, env;
    bool args_set, env_set;
    struct optional_i64 timeout; /* seconds */
};
struct spec_hooks { struct spec_hook *items; size_t count; };

enum hook_kind {
    HOOK_PRESTART, HOOK_CREATE_RUNTIME, HOOK_CREATE_CONTAINER, HOOK_START_CONTAINER, HOOK_POSTSTART, HOOK_POSTSTOP,
    HOOK_KINDS
};
/* "prestart", "createRuntime", …: the member names of /hooks. */
extern const char *const hook_kind_names[HOOK_KINDS];

/* ---- linux ---- */

enum ns_type {
    NS_PID, NS_NETWORK, NS_MOUNT, NS_IPC, NS_UTS, NS_USER, NS_CGROUP, NS_TIME,
    NS_TYPES
};
/* "pid", "network", …: the words of /linux/namespaces/N/type. */
extern const char *const ns_type_names[NS_TYPES];

struct spec_namespace {
    bool listed;
    char *path;    /* NULL: a new one */
    size_t index;  /* N of /linux/namespaces/N, for messages */
};

struct spec_device {
    char *path;
    char type; /* 'c', 'b', 'u' (= 'c') or 'p' */
    int64_t major, minor;
    struct optional_u64 file_mode, uid, gid;
};

struct spec_device_rule {
    struct optional_i64 major, minor; /* unset or -1: every number */
    bool allow;
    char type;                        /* 'a', 'b' or 'c'; 'a' when absent */
    bool read, write, mknod;          /* access; all three when absent */
};

struct spec_io_weight { int64_t major, minor; struct optional_u64 weight, leaf_weight; };
struct spec_io_rate { int64_t major, minor; uint64_t rate; };
struct spec_io_rates { struct spec_io_rate *items; size_t count; };
struct spec_hugepage_limit { char *page_size; uint64_t limit; };
struct spec_rdma_limit { char *device; struct optional_u64 hca_handles, hca_objects; };
struct spec_net_priority { char *name; uint64_t priority; };

struct spec_resources {
    bool set;
    struct spec_device_rule *devices;
    size_t devices_count;
    struct {
        struct optional_i64 limit, reservation, swap, kernel, kernel_tcp;
        struct optional_u64 swappiness;
        struct optional_bool disable_oom_killer, use_hierarchy, check_before_update;
    } memory;
    struct {
        struct optional_u64 shares, burst, period, realtime_period;
        struct optional_i64 quota, realtime_runtime, idle;
        char *cpus, *mems;
    } cpu;
    struct {
        struct optional_u64 weight, leaf_weight;
        struct spec_io_weight *weight_devices;
        size_t weight_devices_count;
        struct spec_io_rates read_bps, write_bps, read_iops, write_iops;
    } block_io;
    struct spec_hugepage_limit *hugepage_limits;
    size_t hugepage_limits_count;
    struct optional_u64 network_class_id;
    struct spec_net_priority *network_priorities;
    size_t network_priorities_count;
    struct optional_i64 pids_limit;
    struct spec_rdma_limit *rdma;
    size_t rdma_count;
    struct string_map unified;
};

/* The words of actions, operators, architectures and flags, each ended by NULL; the features document lists them. */
extern const char *const seccomp_action_words[9 + 1];
extern const char *const seccomp_operator_words[7 + 1];
extern const char *const seccomp_arch_words[23 + 1];
extern const char *const seccomp_flag_words[4 + 1];

struct spec_seccomp_arg { uint64_t index, value, value_two; char *op; };
struct spec_seccomp_rule {
    struct strings names;
    char *action;
    struct optional_u64 errno_ret;
    struct spec_seccomp_arg *args;
    size_t args_count;
};
struct spec_seccomp {
    bool set;
    char *default_action;
    struct optional_u64 default_errno_ret;
    struct strings architectures, flags;
    bool flags_set;
    char *listener_path, *listener_metadata;
    struct spec_seccomp_rule *syscalls;
    size_t syscalls_count;
};

struct spec_net_device { char *host_name; char *name; /* NULL: same */ };

struct spec_intel_rdt {
    bool set;
    char *clos_id, *l3_cache_schema, *mem_bw_schema;
    struct strings schemata;
    bool enable_monitoring;
};

struct spec_linux {
    bool set;
    struct spec_namespace namespaces[NS_TYPES];
    struct id_mappings uid_mappings, gid_mappings;
    struct { bool set; int64_t secs; uint64_t nanosecs; } monotonic_offset, boottime_offset;
    struct spec_device *devices;
    size_t devices_count;
    struct spec_net_device *net_devices;
    size_t net_devices_count;
    char *cgroups_path;
    struct spec_resources resources;
    struct spec_intel_rdt intel_rdt;
    struct { bool set; char *mode, *nodes; struct strings flags; } memory_policy;
    struct string_map sysctl;
    struct spec_seccomp seccomp;
    char *rootfs_propagation;
    struct strings masked_paths, readonly_paths;
    char *mount_label;
    struct { bool set; char *domain; struct strings flags; } personality;
};

/* ---- vm: read to be refused with its mistakes named, used by nobody ---- */

struct spec_vm_memory_range { struct optional_u64 first_guest_frame; uint64_t first_machine_frame, frames; };
struct spec_vm {
    bool set;
    char *hypervisor_path;
    struct strings hypervisor_parameters;
    char *kernel_path, *kernel_initrd;
    struct strings kernel_parameters;
    char *image_path, *image_format;
    char *device_tree;
    struct optional_u64 vcpus, memory; /* memory: bytes */
    struct strings device_tree_nodes;
    struct spec_vm_memory_range *memory_ranges;
    size_t memory_ranges_count;
    uint32_t *irqs;
    size_t irqs_count;
};

/* ---- the whole document ---- */

struct spec {
    struct arena arena;
    char *text; /* config.json as read, `length` bytes: the copy that create keeps */
    size_t length;

    char *oci_version;
    struct { bool set; char *path; bool readonly; } root;
    struct spec_mount *mounts;
    size_t mounts_count;
    struct spec_process process;
    char *hostname, *domainname;
    struct spec_hooks hooks[HOOK_KINDS];
    struct string_map annotations;
    struct spec_vm vm;
    struct spec_linux linux;
};

/* Value of an annotation or NULL. */
const char *spec_annotation(const struct spec *spec, const char *key);

/* The annotations that change what the runtime does; all others are only handed on. */
#define ANNOTATION_STOP_SIGNAL "org.opencontainers.image.stopSignal"
#define ANNOTATION_KEEP_GROUPS "run.oci.keep_original_groups"
#define ANNOTATION_SYSTEMD_PROPERTY "org.systemd.property." /* a prefix, as its dot says */
/* The same as a list that NULL ends, for the features document. */
extern const char *const spec_effective_annotations[];

#endif
