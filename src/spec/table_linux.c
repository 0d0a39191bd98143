/* spec/table_linux.c: /linux without its resources. */
#include <string.h>

#include "spec/tables.h"

const char *const ns_type_names[NS_TYPES] = {
    [NS_PID] = "pid", [NS_NETWORK] = "network", [NS_MOUNT] = "mount",   [NS_IPC] = "ipc",
    [NS_UTS] = "uts", [NS_USER] = "user",       [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
};

/* ---- namespaces: an array in the document, one slot per type in the struct ---- */

static const char *const ns_words[] = {"pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time", NULL};
_Static_assert(ARRAY_LENGTH(ns_words) == NS_TYPES + 1, "one word per namespace type, in the order of enum ns_type");

#define LISTED_TWICE(type) "namespace type \"" type "\" is listed a second time"
static const char *const listed_twice[NS_TYPES] = {
    LISTED_TWICE("pid"), LISTED_TWICE("network"), LISTED_TWICE("mount"),  LISTED_TWICE("ipc"),
    LISTED_TWICE("uts"), LISTED_TWICE("user"),    LISTED_TWICE("cgroup"), LISTED_TWICE("time"),
};

struct ns_entry { unsigned type; char *path; };

static const char *take_namespace(void *holder, void *element, size_t index)
{
    struct spec_linux *linux_section = holder;
    const struct ns_entry *entry = element;
    struct spec_namespace *slot = &linux_section->namespaces[entry->type];
    if (slot->listed)
        return listed_twice[entry->type];
    *slot = (struct spec_namespace){.listed = true, .path = entry->path, .index = index};
    return NULL;
}

static const struct json_member ns_members[] = {
    JSON_FIELD(struct ns_entry, "type", JSON_WORD, type, .flags = JSON_REQUIRED, .words = ns_words),
    JSON_FIELD(struct ns_entry, "path", JSON_STRING, path, .flags = JSON_ABSOLUTE | JSON_EMPTY_IS_ABSENT),
};
static const struct json_object ns_object = {JSON_TABLE(struct ns_entry, ns_members)};

/* ---- mappings, time ---- */

static const char *finish_mapping(void *target, const struct json_seen *seen)
{
    const struct id_mapping *mapping = target;
    (void)seen; /* all three are required */
    if ((uint64_t)mapping->inside + mapping->size > (uint64_t)UINT32_MAX + 1 ||
        (uint64_t)mapping->host + mapping->size > (uint64_t)UINT32_MAX + 1)
        return "\"containerID\" or \"hostID\" and \"size\" run past 4294967295, the largest id";
    return NULL;
}

static const struct json_member mapping_members[] = {
    JSON_NUMBER(struct id_mapping, "containerID", JSON_U32, inside, 0, UINT32_MAX, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct id_mapping, "hostID", JSON_U32, host, 0, UINT32_MAX, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct id_mapping, "size", JSON_U32, size, 0, UINT32_MAX, .flags = JSON_REQUIRED),
};
const struct json_object table_id_mapping = {JSON_TABLE(struct id_mapping, mapping_members),
                                             .finish = finish_mapping};

#define OFFSET_TABLE(clock)                                                                                     \
    static const struct json_member clock##_members[] = {                                                       \
        JSON_NUMBER(struct spec_linux, "secs", JSON_I64, clock##_offset.secs, INT64_MIN, INT64_MAX),            \
        JSON_NUMBER(struct spec_linux, "nanosecs", JSON_U64, clock##_offset.nanosecs, 0, 999999999),            \
    };                                                                                                          \
    static const struct json_object clock = {JSON_TABLE(struct spec_linux, clock##_members)}
OFFSET_TABLE(monotonic);
OFFSET_TABLE(boottime);

static const struct json_member time_members[] = {
    JSON_INLINE("monotonic", monotonic, .present = JSON_AT(struct spec_linux, monotonic_offset.set)),
    JSON_INLINE("boottime", boottime, .present = JSON_AT(struct spec_linux, boottime_offset.set)),
};
static const struct json_object time_offsets = {
    JSON_TABLE(struct spec_linux, time_members),
    .unknown = "unknown clock: a time namespace has offsets for \"monotonic\" and \"boottime\" only"};

/* ---- devices ---- */

static const char *take_device_type(void *target, const char *value)
{
    struct spec_device *device = target;
    if (value[0] == '\0' || strchr("bcup", value[0]) == NULL || value[1] != '\0')
        return "\"b\", \"c\", \"u\" or \"p\"";
    device->type = value[0];
    return NULL;
}

static const char *finish_device(void *target, const struct json_seen *seen)
{
    struct spec_device *device = target;
    if (device->type != 'p' && !(json_has(seen, "major") && json_has(seen, "minor")))
        return "\"major\" and \"minor\" are required unless the type is \"p\"";
    /* Engines copy st_mode: the type bits say nothing new. */
    if (device->file_mode.value & 07000)
        return "\"fileMode\" has more than the permission bits, 0 to 511 (octal 777)";
    device->file_mode.value &= 0777;
    return NULL;
}

static const struct json_member device_members[] = {
    {.name = "type", .kind = JSON_TAKE, .flags = JSON_REQUIRED, .take = take_device_type},
    JSON_FIELD(struct spec_device, "path", JSON_STRING, path, .flags = JSON_REQUIRED | JSON_ABSOLUTE),
    JSON_NUMBER(struct spec_device, "major", JSON_I64, major, 0, 4095), /* 12 bits */
    JSON_NUMBER(struct spec_device, "minor", JSON_I64, minor, 0, 1048575), /* 20 bits */
    JSON_NUMBER(struct spec_device, "fileMode", JSON_OPTIONAL_U64, file_mode, 0, 0177777),
    JSON_NUMBER(struct spec_device, "uid", JSON_OPTIONAL_U64, uid, 0, ID_MAX),
    JSON_NUMBER(struct spec_device, "gid", JSON_OPTIONAL_U64, gid, 0, ID_MAX),
};
static const struct json_object device = {JSON_TABLE(struct spec_device, device_members), .finish = finish_device};

/* As the kernel's dev_valid_name, whose blanks are those of Latin-1. */
static const char *check_interface(const char *value)
{
    size_t length = strlen(value);
    if (length > 0 && length < 16 && strpbrk(value, "/: \t\n\v\f\r\xa0") == NULL && strcmp(value, ".") != 0 &&
        strcmp(value, "..") != 0)
        return NULL;
    return "an interface name of 1 to 15 characters without slash, colon or blank";
}

/* A '%' may only be that of one "%d", which stands for a free number. */
static const char *check_new_interface(const char *value)
{
    const char *mark = strchr(value, '%');
    if (mark != NULL && (mark[1] != 'd' || strchr(mark + 1, '%') != NULL))
        return "an interface name in which % is that of one %d, a free number";
    return check_interface(value);
}

static const struct json_member net_device_members[] = {
    JSON_FIELD(struct spec_net_device, "name", JSON_STRING, name, .flags = JSON_EMPTY_IS_ABSENT,
               .check = check_new_interface),
};
static const struct json_object net_device = {JSON_TABLE(struct spec_net_device, net_device_members),
                                              .key_offset = offsetof(struct spec_net_device, host_name)};

/* ---- intelRdt, memoryPolicy, personality ---- */

static const char *check_one_line(const char *value)
{
    return strchr(value, '\n') == NULL ? NULL : "one line without a newline";
}

static const char *check_bandwidth_schema(const char *value)
{
    return strncmp(value, "MB:", 3) == 0 && strchr(value, '\n') == NULL ? NULL
                                                                        : "one line that begins with \"MB:\"";
}

/* "/" is the root group; anything else is one directory name below it. */
static const char *check_clos_id(const char *value)
{
    bool name = strcmp(value, "/") == 0 ||
                (strchr(value, '/') == NULL && strcmp(value, ".") != 0 && strcmp(value, "..") != 0);
    return name && strchr(value, '\n') == NULL ? NULL : "\"/\" or a directory name without a slash";
}

static const struct json_member rdt_members[] = {
    JSON_FIELD(struct spec_linux, "closID", JSON_STRING, intel_rdt.clos_id, .flags = JSON_EMPTY_IS_ABSENT,
               .check = check_clos_id),
    JSON_FIELD(struct spec_linux, "l3CacheSchema", JSON_STRING, intel_rdt.l3_cache_schema,
               .flags = JSON_EMPTY_IS_ABSENT, .check = check_one_line),
    JSON_FIELD(struct spec_linux, "memBwSchema", JSON_STRING, intel_rdt.mem_bw_schema,
               .flags = JSON_EMPTY_IS_ABSENT,
               .check = check_bandwidth_schema),
    JSON_TEXTS(struct spec_linux, "schemata", intel_rdt.schemata, .check = check_one_line),
    JSON_FIELD(struct spec_linux, "enableMonitoring", JSON_BOOL, intel_rdt.enable_monitoring),
};
static const struct json_object rdt = {JSON_TABLE(struct spec_linux, rdt_members)};

const char *const memory_policy_modes[] = {
    "MPOL_DEFAULT",   "MPOL_BIND",           "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
    "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_LOCAL",      NULL,
};
const char *const memory_policy_flags[] = {
    "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES", NULL,
};
static const struct json_member memory_policy_members[] = {
    JSON_FIELD(struct spec_linux, "mode", JSON_STRING, memory_policy.mode, .flags = JSON_REQUIRED,
               .words = memory_policy_modes),
    JSON_FIELD(struct spec_linux, "nodes", JSON_STRING, memory_policy.nodes, .flags = JSON_EMPTY_IS_ABSENT,
               .check = table_check_list),
    JSON_TEXTS(struct spec_linux, "flags", memory_policy.flags, .words = memory_policy_flags),
};
static const struct json_object memory_policy = {JSON_TABLE(struct spec_linux, memory_policy_members)};

static const char *const personality_domains[] = {"LINUX", "LINUX32", NULL};
static const struct json_member personality_members[] = {
    JSON_FIELD(struct spec_linux, "domain", JSON_STRING, personality.domain, .flags = JSON_REQUIRED,
               .words = personality_domains),
    JSON_TEXTS(struct spec_linux, "flags", personality.flags),
};
static const struct json_object personality = {JSON_TABLE(struct spec_linux, personality_members)};

/* ---- seccomp ---- */

static const struct json_member seccomp_arg_members[] = {
    JSON_NUMBER(struct spec_seccomp_arg, "index", JSON_U64, index, 0, UINT32_MAX, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct spec_seccomp_arg, "value", JSON_U64, value, 0, UINT64_MAX, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct spec_seccomp_arg, "valueTwo", JSON_U64, value_two, 0, UINT64_MAX),
    JSON_FIELD(struct spec_seccomp_arg, "op", JSON_STRING, op, .flags = JSON_REQUIRED,
               .words = seccomp_operator_words),
};
static const struct json_object seccomp_arg = {JSON_TABLE(struct spec_seccomp_arg, seccomp_arg_members)};

static const struct json_member seccomp_rule_members[] = {
    JSON_TEXTS(struct spec_seccomp_rule, "names", names, .flags = JSON_REQUIRED | JSON_NON_EMPTY_LIST),
    JSON_FIELD(struct spec_seccomp_rule, "action", JSON_STRING, action, .flags = JSON_REQUIRED,
               .words = seccomp_action_words),
    JSON_NUMBER(struct spec_seccomp_rule, "errnoRet", JSON_OPTIONAL_U64, errno_ret, 0, UINT32_MAX),
    JSON_LIST(struct spec_seccomp_rule, "args", args, args_count, seccomp_arg),
};
static const struct json_object seccomp_rule = {JSON_TABLE(struct spec_seccomp_rule, seccomp_rule_members)};

static const struct json_member seccomp_members[] = {
    JSON_FIELD(struct spec_seccomp, "defaultAction", JSON_STRING, default_action, .flags = JSON_REQUIRED,
               .words = seccomp_action_words),
    JSON_NUMBER(struct spec_seccomp, "defaultErrnoRet", JSON_OPTIONAL_U64, default_errno_ret, 0, UINT32_MAX),
    JSON_TEXTS(struct spec_seccomp, "architectures", architectures, .words = seccomp_arch_words),
    JSON_TEXTS(struct spec_seccomp, "flags", flags, .words = seccomp_flag_words,
               .present = JSON_AT(struct spec_seccomp, flags_set)),
    JSON_FIELD(struct spec_seccomp, "listenerPath", JSON_STRING, listener_path, .flags = JSON_EMPTY_IS_ABSENT),
    JSON_FIELD(struct spec_seccomp, "listenerMetadata", JSON_STRING, listener_metadata,
               .flags = JSON_EMPTY_IS_ABSENT),
    JSON_LIST(struct spec_seccomp, "syscalls", syscalls, syscalls_count, seccomp_rule),
};
static const struct json_object seccomp = {JSON_TABLE(struct spec_seccomp, seccomp_members)};

/* ---- the section ---- */

/* The r-forms are not in the specification; Docker sends them. */
static const char *const propagations[] = {
    "private", "shared", "slave", "unbindable", "rprivate", "rshared", "rslave", "runbindable", NULL,
};

static const struct json_member linux_members[] = {
    {.name = "namespaces", .kind = JSON_ARRAY, .object = &ns_object, .element = take_namespace},
    JSON_LIST(struct spec_linux, "uidMappings", uid_mappings.items, uid_mappings.count, table_id_mapping),
    JSON_LIST(struct spec_linux, "gidMappings", gid_mappings.items, gid_mappings.count, table_id_mapping),
    JSON_INLINE("timeOffsets", time_offsets),
    JSON_LIST(struct spec_linux, "devices", devices, devices_count, device),
    JSON_NAMED(struct spec_linux, "netDevices", net_devices, net_devices_count, net_device,
               .check_key = check_interface),
    JSON_FIELD(struct spec_linux, "cgroupsPath", JSON_STRING, cgroups_path, .flags = JSON_EMPTY_IS_ABSENT),
    JSON_NESTED(struct spec_linux, "resources", resources, table_resources,
                .present = JSON_AT(struct spec_linux, resources.set)),
    JSON_INLINE("intelRdt", rdt, .present = JSON_AT(struct spec_linux, intel_rdt.set)),
    JSON_INLINE("memoryPolicy", memory_policy, .present = JSON_AT(struct spec_linux, memory_policy.set)),
    JSON_PAIRS(struct spec_linux, "sysctl", sysctl),
    JSON_NESTED(struct spec_linux, "seccomp", seccomp, seccomp, .present = JSON_AT(struct spec_linux, seccomp.set)),
    JSON_FIELD(struct spec_linux, "rootfsPropagation", JSON_STRING, rootfs_propagation,
               .flags = JSON_EMPTY_IS_ABSENT, .words = propagations),
    JSON_TEXTS(struct spec_linux, "maskedPaths", masked_paths, .flags = JSON_ABSOLUTE),
    JSON_TEXTS(struct spec_linux, "readonlyPaths", readonly_paths, .flags = JSON_ABSOLUTE),
    JSON_FIELD(struct spec_linux, "mountLabel", JSON_STRING, mount_label, .flags = JSON_EMPTY_IS_ABSENT),
    JSON_INLINE("personality", personality, .present = JSON_AT(struct spec_linux, personality.set)),
};
const struct json_object table_linux = {JSON_TABLE(struct spec_linux, linux_members)};
