/*
 * spec/documents.c: the default configuration and the features document.
 *
 * Both are fixed texts with a few holes: long, flat, in the order in which they are read.  The mounts, masks
 * and capabilities are the ones that users of other runtimes know.  No capability is inheritable: with one,
 * a program of the image that has inheritable file capabilities would give it to any user (CVE-2022-29162).
 *
 * Runs in: `spec` and `features`.
 */
#include "spec/documents.h"

#include <string.h>

#include "spec/tables.h"

#define STRINGS(writer, key, ...)                                                                              \
    json_strings(writer, key, (const char *const[]){__VA_ARGS__},                                              \
                 ARRAY_LENGTH(((const char *const[]){__VA_ARGS__})))

static void open_object(struct json_writer *writer, const char *key)
{
    json_key(writer, key);
    json_open_object(writer);
}

static void open_array(struct json_writer *writer, const char *key)
{
    json_key(writer, key);
    json_open_array(writer);
}

/* ---- the default config.json ---- */

static void write_process(struct json_writer *w)
{
    open_object(w, "process");
    json_bool(w, "terminal", true);
    open_object(w, "user");
    json_u64(w, "uid", 0);
    json_u64(w, "gid", 0);
    json_close_object(w);
    STRINGS(w, "args", "sh");
    STRINGS(w, "env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm");
    json_string(w, "cwd", "/");
    open_object(w, "capabilities");
    STRINGS(w, "bounding", "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE");
    STRINGS(w, "effective", "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE");
    STRINGS(w, "permitted", "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE");
    json_close_object(w);
    open_array(w, "rlimits");
    json_open_object(w);
    json_string(w, "type", "RLIMIT_NOFILE");
    json_u64(w, "hard", 1024);
    json_u64(w, "soft", 1024);
    json_close_object(w);
    json_close_array(w);
    json_bool(w, "noNewPrivileges", true);
    json_close_object(w);
}

struct default_mount { const char *destination, *type, *source; const char *options[9]; };

static void write_mount(struct json_writer *w, const struct default_mount *mount)
{
    size_t count = 0;
    while (mount->options[count] != NULL)
        count++;
    json_open_object(w);
    json_string(w, "destination", mount->destination);
    json_string(w, "type", mount->type);
    json_string(w, "source", mount->source);
    if (count > 0)
        json_strings(w, "options", mount->options, count);
    json_close_object(w);
}

static void write_mounts(struct json_writer *w, bool rootless)
{
    static const struct default_mount first[] = {
        {"/proc", "proc", "proc", {NULL}},
        {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k", NULL}},
    };
    /* Group 5 is tty; a single mapping has no group 5. */
    static const struct default_mount pts[] = {
        {"/dev/pts", "devpts", "devpts",
         {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5", NULL}},
        {"/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", NULL}},
    };
    static const struct default_mount middle[] = {
        {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k", NULL}},
        {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev", NULL}},
    };
    /* sysfs belongs to the network namespace: without an own one it cannot be mounted, only bound. */
    static const struct default_mount sys[] = {
        {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro", NULL}},
        /* rro: cgroup file systems below /sys are read-only too (CVE-2023-25809). */
        {"/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "rro", NULL}},
    };
    static const struct default_mount cgroup = {
        "/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro", NULL}};

    open_array(w, "mounts");
    for (size_t i = 0; i < ARRAY_LENGTH(first); i++)
        write_mount(w, &first[i]);
    write_mount(w, &pts[rootless]);
    for (size_t i = 0; i < ARRAY_LENGTH(middle); i++)
        write_mount(w, &middle[i]);
    write_mount(w, &sys[rootless]);
    write_mount(w, &cgroup);
    json_close_array(w);
}

static void write_mapping(struct json_writer *w, const char *key, uint32_t host)
{
    open_array(w, key);
    json_open_object(w);
    json_u64(w, "containerID", 0);
    json_u64(w, "hostID", host);
    json_u64(w, "size", 1);
    json_close_object(w);
    json_close_array(w);
}

static void write_default_resources(struct json_writer *w)
{
    open_object(w, "resources");
    open_array(w, "devices");
    json_open_object(w);
    json_bool(w, "allow", false);
    json_string(w, "access", "rwm");
    json_close_object(w);
    json_close_array(w);
    json_close_object(w);
}

static void write_linux(struct json_writer *w, const struct default_config *wanted)
{
    static const enum ns_type types[] = {NS_PID, NS_NETWORK, NS_IPC, NS_UTS, NS_CGROUP, NS_MOUNT, NS_USER};

    open_object(w, "linux");
    if (wanted->rootless) {
        write_mapping(w, "uidMappings", wanted->host_uid);
        write_mapping(w, "gidMappings", wanted->host_gid);
    } else {
        write_default_resources(w);
    }
    open_array(w, "namespaces");
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        if (types[i] == (wanted->rootless ? NS_NETWORK : NS_USER))
            continue;
        json_open_object(w);
        json_string(w, "type", ns_type_names[types[i]]);
        json_close_object(w);
    }
    json_close_array(w);
    STRINGS(w, "maskedPaths", "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
            "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
            "/sys/devices/virtual/powercap", "/proc/scsi");
    STRINGS(w, "readonlyPaths", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");
    json_close_object(w);
}

void document_default_config(struct json_writer *writer, const struct default_config *wanted)
{
    json_open_object(writer);
    json_string(writer, "ociVersion", SPEC_VERSION);
    write_process(writer);
    open_object(writer, "root");
    json_string(writer, "path", "rootfs");
    json_bool(writer, "readonly", true);
    json_close_object(writer);
    json_string(writer, "hostname", "crun-lite");
    write_mounts(writer, wanted->rootless);
    write_linux(writer, wanted);
    json_close_object(writer);
}

/* ---- features ---- */

static size_t count_words(const char *const *words)
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    return count;
}

static void write_enabled(struct json_writer *w, const char *key, bool enabled)
{
    open_object(w, key);
    json_bool(w, "enabled", enabled);
    json_close_object(w);
}

static void write_features_seccomp(struct json_writer *w, const struct features *features)
{
    open_object(w, "seccomp");
    json_bool(w, "enabled", true);
    json_strings(w, "actions", features->seccomp_actions, features->seccomp_actions_count);
    json_strings(w, "operators", features->seccomp_operators, features->seccomp_operators_count);
    json_strings(w, "archs", features->seccomp_archs, features->seccomp_archs_count);
    json_strings(w, "knownFlags", features->seccomp_known_flags, features->seccomp_known_flags_count);
    json_strings(w, "supportedFlags", features->seccomp_supported_flags, features->seccomp_supported_flags_count);
    json_close_object(w);
}

/* False is "known not to be there"; an absent member would mean "unknown" (features.md). */
static void write_features_linux(struct json_writer *w, const struct features *features)
{
    open_object(w, "linux");
    json_strings(w, "namespaces", ns_type_names, NS_TYPES);
    json_strings(w, "capabilities", features->capabilities, features->capabilities_count);
    open_object(w, "cgroup");
    json_bool(w, "v1", false);
    json_bool(w, "v2", true);
    json_bool(w, "systemd", features->systemd);
    json_bool(w, "systemdUser", features->systemd);
    json_bool(w, "rdma", true);
    json_close_object(w);
    write_features_seccomp(w, features);
    write_enabled(w, "apparmor", features->apparmor);
    write_enabled(w, "selinux", features->selinux);
    open_object(w, "memoryPolicy");
    size_t modes = features->memory_policy ? count_words(memory_policy_modes) : 0;
    size_t flags = features->memory_policy ? count_words(memory_policy_flags) : 0;
    json_strings(w, "modes", memory_policy_modes, modes);
    json_strings(w, "flags", memory_policy_flags, flags);
    json_close_object(w);
    open_object(w, "intelRdt");
    json_bool(w, "enabled", features->intel_rdt);
    json_bool(w, "schemata", features->intel_rdt);
    json_bool(w, "monitoring", features->intel_rdt);
    json_close_object(w);
    open_object(w, "mountExtensions");
    write_enabled(w, "idmap", features->idmap);
    json_close_object(w);
    write_enabled(w, "netDevices", features->net_devices);
    json_close_object(w);
}

/* The runtime's own facts, not keys of config.json.  Engines read the first two, under the names that runc gave them. */
static void write_features_annotations(struct json_writer *w, const struct features *features)
{
    open_object(w, "annotations");
    if (features->libseccomp_version != NULL)
        json_string(w, "io.github.seccomp.libseccomp.version", features->libseccomp_version);
    json_string(w, "org.opencontainers.runc.checkpoint.enabled", "false");
    json_string(w, "run.oci.crun-lite.version", features->version);
    json_string(w, "run.oci.crun-lite.commit", features->commit);
    json_close_object(w);
}

void document_features(struct json_writer *writer, const struct features *features)
{
    json_open_object(writer);
    json_string(writer, "ociVersionMin", SPEC_VERSION_MIN);
    json_string(writer, "ociVersionMax", SPEC_VERSION);
    json_strings(writer, "hooks", hook_kind_names, HOOK_KINDS);
    json_strings(writer, "mountOptions", features->mount_options, features->mount_options_count);
    write_features_linux(writer, features);
    write_features_annotations(writer, features);
    json_strings(writer, "potentiallyUnsafeConfigAnnotations", spec_effective_annotations, count_words(spec_effective_annotations));
    json_close_object(writer);
}
