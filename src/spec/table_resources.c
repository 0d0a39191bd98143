/* spec/table_resources.c: /linux/resources, and the document of `update --resources`. */
#include <string.h>

#include "spec/tables.h"

static const char *take_rule_type(void *target, const char *value)
{
    struct spec_device_rule *rule = target;
    if (value[0] == '\0')
        return NULL; /* as absent: every type */
    if (strchr("abc", value[0]) == NULL || value[1] != '\0')
        return "\"a\", \"b\" or \"c\"";
    rule->type = value[0];
    return NULL;
}

static const char *take_rule_access(void *target, const char *value)
{
    struct spec_device_rule *rule = target;
    for (; *value != '\0'; value++) {
        if (*value == 'r')
            rule->read = true;
        else if (*value == 'w')
            rule->write = true;
        else if (*value == 'm')
            rule->mknod = true;
        else
            return "letters out of \"rwm\"";
    }
    return NULL;
}

static const char *finish_rule(void *target, const struct json_seen *seen)
{
    struct spec_device_rule *rule = target;
    (void)seen; /* "" counts as absent too */
    if (rule->type == '\0')
        rule->type = 'a';
    /* No kind of access is named: nothing is given, and nothing is left where it is denied. */
    if (!rule->allow && !rule->read && !rule->write && !rule->mknod)
        rule->read = rule->write = rule->mknod = true;
    return NULL;
}

/* -1 stands for "every number" in engines' rules; device numbers themselves have 12 and 20 bits. */
static const struct json_member device_rule_members[] = {
    JSON_FIELD(struct spec_device_rule, "allow", JSON_BOOL, allow, .flags = JSON_REQUIRED),
    {.name = "type", .kind = JSON_TAKE, .take = take_rule_type},
    JSON_NUMBER(struct spec_device_rule, "major", JSON_OPTIONAL_I64, major, -1, 4294967295),
    JSON_NUMBER(struct spec_device_rule, "minor", JSON_OPTIONAL_I64, minor, -1, 4294967295),
    {.name = "access", .kind = JSON_TAKE, .take = take_rule_access},
};
static const struct json_object device_rule = {JSON_TABLE(struct spec_device_rule, device_rule_members),
                                               .finish = finish_rule};

#define RESOURCE(name, kind, field, min, max) JSON_NUMBER(struct spec_resources, name, kind, field, min, max)

static const struct json_member memory_members[] = {
    RESOURCE("limit", JSON_OPTIONAL_I64, memory.limit, INT64_MIN, INT64_MAX),
    RESOURCE("reservation", JSON_OPTIONAL_I64, memory.reservation, INT64_MIN, INT64_MAX),
    RESOURCE("swap", JSON_OPTIONAL_I64, memory.swap, INT64_MIN, INT64_MAX),
    RESOURCE("kernel", JSON_OPTIONAL_I64, memory.kernel, INT64_MIN, INT64_MAX),
    RESOURCE("kernelTCP", JSON_OPTIONAL_I64, memory.kernel_tcp, INT64_MIN, INT64_MAX),
    RESOURCE("swappiness", JSON_OPTIONAL_U64, memory.swappiness, 0, UINT64_MAX),
    JSON_FIELD(struct spec_resources, "disableOOMKiller", JSON_OPTIONAL_BOOL, memory.disable_oom_killer),
    JSON_FIELD(struct spec_resources, "useHierarchy", JSON_OPTIONAL_BOOL, memory.use_hierarchy),
    JSON_FIELD(struct spec_resources, "checkBeforeUpdate", JSON_OPTIONAL_BOOL, memory.check_before_update),
};
static const struct json_object memory = {JSON_TABLE(struct spec_resources, memory_members)};

static const struct json_member cpu_members[] = {
    RESOURCE("shares", JSON_OPTIONAL_U64, cpu.shares, 0, UINT64_MAX),
    RESOURCE("quota", JSON_OPTIONAL_I64, cpu.quota, INT64_MIN, INT64_MAX),
    RESOURCE("burst", JSON_OPTIONAL_U64, cpu.burst, 0, UINT64_MAX),
    RESOURCE("period", JSON_OPTIONAL_U64, cpu.period, 0, UINT64_MAX),
    RESOURCE("realtimeRuntime", JSON_OPTIONAL_I64, cpu.realtime_runtime, INT64_MIN, INT64_MAX),
    RESOURCE("realtimePeriod", JSON_OPTIONAL_U64, cpu.realtime_period, 0, UINT64_MAX),
    RESOURCE("idle", JSON_OPTIONAL_I64, cpu.idle, INT64_MIN, INT64_MAX),
    JSON_FIELD(struct spec_resources, "cpus", JSON_STRING, cpu.cpus, .flags = JSON_EMPTY_IS_ABSENT,
               .check = table_check_list),
    JSON_FIELD(struct spec_resources, "mems", JSON_STRING, cpu.mems, .flags = JSON_EMPTY_IS_ABSENT,
               .check = table_check_list),
};
static const struct json_object cpu = {JSON_TABLE(struct spec_resources, cpu_members)};

static const char *finish_weight(void *target, const struct json_seen *seen)
{
    (void)target; /* only presence counts */
    return json_has(seen, "weight") || json_has(seen, "leafWeight") ? NULL
                                                                    : "\"weight\" or \"leafWeight\" is required";
}

static const struct json_member weight_members[] = {
    JSON_NUMBER(struct spec_io_weight, "major", JSON_I64, major, 0, 4294967295, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct spec_io_weight, "minor", JSON_I64, minor, 0, 4294967295, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct spec_io_weight, "weight", JSON_OPTIONAL_U64, weight, 0, 65535),
    JSON_NUMBER(struct spec_io_weight, "leafWeight", JSON_OPTIONAL_U64, leaf_weight, 0, 65535),
};
static const struct json_object weight = {JSON_TABLE(struct spec_io_weight, weight_members),
                                          .finish = finish_weight};

static const struct json_member rate_members[] = {
    JSON_NUMBER(struct spec_io_rate, "major", JSON_I64, major, 0, 4294967295, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct spec_io_rate, "minor", JSON_I64, minor, 0, 4294967295, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct spec_io_rate, "rate", JSON_U64, rate, 0, UINT64_MAX, .flags = JSON_REQUIRED),
};
static const struct json_object rate = {JSON_TABLE(struct spec_io_rate, rate_members)};

#define RATES(name, field)                                                                                     \
    JSON_LIST(struct spec_resources, name, block_io.field.items, block_io.field.count, rate)

static const struct json_member block_io_members[] = {
    RESOURCE("weight", JSON_OPTIONAL_U64, block_io.weight, 0, 65535),
    RESOURCE("leafWeight", JSON_OPTIONAL_U64, block_io.leaf_weight, 0, 65535),
    JSON_LIST(struct spec_resources, "weightDevice", block_io.weight_devices, block_io.weight_devices_count,
              weight),
    RATES("throttleReadBpsDevice", read_bps),
    RATES("throttleWriteBpsDevice", write_bps),
    RATES("throttleReadIOPSDevice", read_iops),
    RATES("throttleWriteIOPSDevice", write_iops),
};
static const struct json_object block_io = {JSON_TABLE(struct spec_resources, block_io_members)};

/* It becomes part of a file name: the kernel's form, nothing else. */
static const char *check_page_size(const char *value)
{
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && value[0] != '0' && value[digits] != '\0' && strchr("KMG", value[digits]) != NULL &&
        strcmp(value + digits + 1, "B") == 0)
        return NULL;
    return "a size such as 64KB, 2MB or 1GB";
}

static const struct json_member hugepage_members[] = {
    JSON_FIELD(struct spec_hugepage_limit, "pageSize", JSON_STRING, page_size, .flags = JSON_REQUIRED,
               .check = check_page_size),
    JSON_NUMBER(struct spec_hugepage_limit, "limit", JSON_U64, limit, 0, UINT64_MAX, .flags = JSON_REQUIRED),
};
static const struct json_object hugepage = {JSON_TABLE(struct spec_hugepage_limit, hugepage_members)};

static const struct json_member priority_members[] = {
    JSON_FIELD(struct spec_net_priority, "name", JSON_STRING, name, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct spec_net_priority, "priority", JSON_U64, priority, 0, UINT32_MAX, .flags = JSON_REQUIRED),
};
static const struct json_object priority = {JSON_TABLE(struct spec_net_priority, priority_members)};

static const struct json_member network_members[] = {
    RESOURCE("classID", JSON_OPTIONAL_U64, network_class_id, 0, UINT32_MAX),
    JSON_LIST(struct spec_resources, "priorities", network_priorities, network_priorities_count, priority),
};
static const struct json_object network = {JSON_TABLE(struct spec_resources, network_members)};

static const struct json_member pids_members[] = {
    RESOURCE("limit", JSON_OPTIONAL_I64, pids_limit, INT64_MIN, INT64_MAX),
};
static const struct json_object pids = {JSON_TABLE(struct spec_resources, pids_members)};

static const char *finish_rdma(void *target, const struct json_seen *seen)
{
    (void)target; /* only presence counts */
    return json_has(seen, "hcaHandles") || json_has(seen, "hcaObjects")
               ? NULL
               : "\"hcaHandles\" or \"hcaObjects\" is required";
}

/* It stands at the head of a line of words: a blank in it would change what the line says. */
static const char *check_rdma_device(const char *key)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-:@";
    return key[strspn(key, letters)] == '\0' ? NULL : "an RDMA device name such as \"mlx5_0\"";
}

static const struct json_member rdma_members[] = {
    JSON_NUMBER(struct spec_rdma_limit, "hcaHandles", JSON_OPTIONAL_U64, hca_handles, 0, UINT32_MAX),
    JSON_NUMBER(struct spec_rdma_limit, "hcaObjects", JSON_OPTIONAL_U64, hca_objects, 0, UINT32_MAX),
};
static const struct json_object rdma = {JSON_TABLE(struct spec_rdma_limit, rdma_members),
                                        .key_offset = offsetof(struct spec_rdma_limit, device),
                                        .finish = finish_rdma};

/* The key is opened below the container's cgroup: a slash would leave it (as root, to anywhere). */
static const char *check_cgroup_file(const char *key)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    const char *dot = strchr(key, '.');
    bool good = dot != NULL && dot != key && dot[1] != '\0' && key[strspn(key, letters)] == '\0' && strlen(key) <= 255;
    return good ? NULL : "CONTROLLER.PARAMETER such as \"memory.high\"";
}

static const struct json_member resources_members[] = {
    JSON_LIST(struct spec_resources, "devices", devices, devices_count, device_rule),
    JSON_INLINE("memory", memory),
    JSON_INLINE("cpu", cpu),
    JSON_INLINE("blockIO", block_io),
    JSON_LIST(struct spec_resources, "hugepageLimits", hugepage_limits, hugepage_limits_count, hugepage),
    JSON_INLINE("network", network),
    JSON_INLINE("pids", pids),
    JSON_NAMED(struct spec_resources, "rdma", rdma, rdma_count, rdma, .check_key = check_rdma_device),
    JSON_PAIRS(struct spec_resources, "unified", unified, .check_key = check_cgroup_file),
};
const struct json_object table_resources = {JSON_TABLE(struct spec_resources, resources_members)};
const struct json_object table_resources_document = {
    .document = "resources document", JSON_TABLE(struct spec_resources, resources_members)};
