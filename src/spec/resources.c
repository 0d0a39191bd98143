/*
 * spec/resources.c: merges resources documents and writes them.
 *
 * Flat, in the order of spec.h: a member that is missing here would be forgotten by the next update.  Pure.
 */
#include "spec/resources.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* ---- merging ---- */

static void put_i64(struct optional_i64 *held, const struct optional_i64 *given)
{
    if (given->set)
        *held = *given;
}

static void put_u64(struct optional_u64 *held, const struct optional_u64 *given)
{
    if (given->set)
        *held = *given;
}

static void put_bool(struct optional_bool *held, const struct optional_bool *given)
{
    if (given->set)
        *held = *given;
}

/* 0 is "left alone". */
static void put_i64_but_zero(struct optional_i64 *held, const struct optional_i64 *given)
{
    if (given->value != 0)
        *held = *given;
}

static void put_u64_but_zero(struct optional_u64 *held, const struct optional_u64 *given)
{
    if (given->value != 0)
        *held = *given;
}

static void put_string(char **held, char *given)
{
    if (given != NULL && given[0] != '\0')
        *held = given;
}

/* memory.swap is the sum of memory and swap, the kernel limits swap alone: a new memory limit leaves that as it is, and
 * the sum moves along.  Without any limit there is none for swap either. */
static void move_swap(struct spec_resources *result, const struct spec_resources *held, const struct spec_resources *given)
{
    int64_t limit = given->memory.limit.value, old = held->memory.limit.value, swap = held->memory.swap.value, sum;
    if (given->memory.swap.set || limit == 0)
        return;
    if (limit < 0)
        result->memory.swap = (struct optional_i64){.set = held->memory.swap.set, .value = -1};
    else if (swap > 0 && old > 0)
        result->memory.swap.value = __builtin_add_overflow(swap - old, limit, &sum) ? INT64_MAX : sum;
    else if (swap > 0) /* beside "no limit" it was that of swap alone */
        result->memory.swap.value = __builtin_add_overflow(swap, limit, &sum) ? INT64_MAX : sum;
}

static void merge_memory(struct spec_resources *result, const struct spec_resources *held, const struct spec_resources *given)
{
    move_swap(result, held, given);
    put_i64_but_zero(&result->memory.limit, &given->memory.limit);
    put_i64_but_zero(&result->memory.reservation, &given->memory.reservation);
    put_i64_but_zero(&result->memory.kernel, &given->memory.kernel);
    put_i64_but_zero(&result->memory.kernel_tcp, &given->memory.kernel_tcp);
    /* 0 beside a limit is "no swap". */
    if (given->memory.limit.value > 0)
        put_i64(&result->memory.swap, &given->memory.swap);
    else
        put_i64_but_zero(&result->memory.swap, &given->memory.swap);
    put_u64(&result->memory.swappiness, &given->memory.swappiness);
    put_bool(&result->memory.disable_oom_killer, &given->memory.disable_oom_killer);
    put_bool(&result->memory.use_hierarchy, &given->memory.use_hierarchy);
    put_bool(&result->memory.check_before_update, &given->memory.check_before_update);
}

static void merge_cpu(struct spec_resources *result, const struct spec_resources *given)
{
    put_u64_but_zero(&result->cpu.shares, &given->cpu.shares);
    put_u64(&result->cpu.burst, &given->cpu.burst);
    put_u64_but_zero(&result->cpu.period, &given->cpu.period);
    put_u64_but_zero(&result->cpu.realtime_period, &given->cpu.realtime_period);
    put_i64_but_zero(&result->cpu.quota, &given->cpu.quota);
    put_i64_but_zero(&result->cpu.realtime_runtime, &given->cpu.realtime_runtime);
    put_i64(&result->cpu.idle, &given->cpu.idle);
    put_string(&result->cpu.cpus, given->cpu.cpus);
    put_string(&result->cpu.mems, given->cpu.mems);
}

/* Device rules are not merged, and counted by whoever makes a program of them. */
int resources_check_lists(const struct spec_resources *given, struct failure *why)
{
    const struct { const char *pointer; size_t count; } lists[] = {
        {"/blockIO/weightDevice", given->block_io.weight_devices_count},
        {"/blockIO/throttleReadBpsDevice", given->block_io.read_bps.count},
        {"/blockIO/throttleWriteBpsDevice", given->block_io.write_bps.count},
        {"/blockIO/throttleReadIOPSDevice", given->block_io.read_iops.count},
        {"/blockIO/throttleWriteIOPSDevice", given->block_io.write_iops.count},
        {"/hugepageLimits", given->hugepage_limits_count},
        {"/network/priorities", given->network_priorities_count},
        {"/rdma", given->rdma_count},
        {"/unified", given->unified.count},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++)
        if (lists[i].count > RESOURCES_LIST_MAX)
            return fail_config(why, lists[i].pointer, "%zu entries are more than the %d that this runtime takes", lists[i].count,
                               RESOURCES_LIST_MAX);
    return 0;
}

typedef bool same_entry(const void *one, const void *other);

/* `held` with the entries of `given` in the place of the same ones, or behind. */
static void *merge_list(struct arena *arena, const void *held, size_t held_count, const void *given, size_t given_count,
                        size_t size, same_entry *same, size_t *ret_count)
{
    char *list = arena_grow(arena, held, held_count, held_count + given_count + 1, size);
    size_t count = held_count;
    for (size_t g = 0; g < given_count; g++) {
        const char *entry = (const char *)given + g * size;
        size_t at = 0;
        while (at < count && !same(list + at * size, entry))
            at++;
        memcpy(list + at * size, entry, size);
        count += at == count;
    }
    *ret_count = count;
    return list;
}

#define MERGE(list, number, same)                                                                               \
    result->list = merge_list(arena, held->list, held->number, given->list, given->number, sizeof(*result->list), same, \
                              &result->number)

static bool same_weight(const void *one, const void *other)
{
    const struct spec_io_weight *a = one, *b = other;
    return a->major == b->major && a->minor == b->minor;
}

static bool same_rate(const void *one, const void *other)
{
    const struct spec_io_rate *a = one, *b = other;
    return a->major == b->major && a->minor == b->minor;
}

static bool same_page_size(const void *one, const void *other)
{
    const struct spec_hugepage_limit *a = one, *b = other;
    return text_equal(a->page_size, b->page_size);
}

static bool same_rdma_device(const void *one, const void *other)
{
    const struct spec_rdma_limit *a = one, *b = other;
    return text_equal(a->device, b->device);
}

static bool same_interface(const void *one, const void *other)
{
    const struct spec_net_priority *a = one, *b = other;
    return text_equal(a->name, b->name);
}

static bool same_key(const void *one, const void *other)
{
    const struct string_pair *a = one, *b = other;
    return text_equal(a->key, b->key);
}

static void merge_lists(struct spec_resources *result, const struct spec_resources *held, const struct spec_resources *given,
                        struct arena *arena)
{
    MERGE(block_io.weight_devices, block_io.weight_devices_count, same_weight);
    MERGE(block_io.read_bps.items, block_io.read_bps.count, same_rate);
    MERGE(block_io.write_bps.items, block_io.write_bps.count, same_rate);
    MERGE(block_io.read_iops.items, block_io.read_iops.count, same_rate);
    MERGE(block_io.write_iops.items, block_io.write_iops.count, same_rate);
    MERGE(hugepage_limits, hugepage_limits_count, same_page_size);
    MERGE(network_priorities, network_priorities_count, same_interface);
    MERGE(rdma, rdma_count, same_rdma_device);
    MERGE(unified.items, unified.count, same_key);
}

struct spec_resources resources_merge(const struct spec_resources *held, const struct spec_resources *given, struct arena *arena)
{
    struct spec_resources result = *held;
    result.set = true;
    if (given->devices_count > 0) {
        result.devices = given->devices;
        result.devices_count = given->devices_count;
    }
    merge_memory(&result, held, given);
    merge_cpu(&result, given);
    put_u64_but_zero(&result.block_io.weight, &given->block_io.weight);
    put_u64_but_zero(&result.block_io.leaf_weight, &given->block_io.leaf_weight);
    put_u64_but_zero(&result.network_class_id, &given->network_class_id);
    put_i64(&result.pids_limit, &given->pids_limit);
    merge_lists(&result, held, given, arena);
    return result;
}

/* ---- writing ---- */

static void write_i64(struct json_writer *writer, const char *key, const struct optional_i64 *number)
{
    if (number->set)
        json_i64(writer, key, number->value);
}

static void write_u64(struct json_writer *writer, const char *key, const struct optional_u64 *number)
{
    if (number->set)
        json_u64(writer, key, number->value);
}

static void write_bool(struct json_writer *writer, const char *key, const struct optional_bool *value)
{
    if (value->set)
        json_bool(writer, key, value->value);
}

static void write_string(struct json_writer *writer, const char *key, const char *value)
{
    if (value != NULL)
        json_string(writer, key, value);
}

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

static void write_devices(struct json_writer *writer, const struct spec_resources *resources)
{
    open_array(writer, "devices");
    for (size_t i = 0; i < resources->devices_count; i++) {
        const struct spec_device_rule *rule = &resources->devices[i];
        char type[] = {rule->type, '\0'}, access[4];
        snprintf(access, sizeof(access), "%s%s%s", rule->read ? "r" : "", rule->write ? "w" : "", rule->mknod ? "m" : "");
        json_open_object(writer);
        json_bool(writer, "allow", rule->allow);
        json_string(writer, "type", type);
        write_i64(writer, "major", &rule->major);
        write_i64(writer, "minor", &rule->minor);
        json_string(writer, "access", access);
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void write_memory(struct json_writer *writer, const struct spec_resources *resources)
{
    open_object(writer, "memory");
    write_i64(writer, "limit", &resources->memory.limit);
    write_i64(writer, "reservation", &resources->memory.reservation);
    write_i64(writer, "swap", &resources->memory.swap);
    write_i64(writer, "kernel", &resources->memory.kernel);
    write_i64(writer, "kernelTCP", &resources->memory.kernel_tcp);
    write_u64(writer, "swappiness", &resources->memory.swappiness);
    write_bool(writer, "disableOOMKiller", &resources->memory.disable_oom_killer);
    write_bool(writer, "useHierarchy", &resources->memory.use_hierarchy);
    write_bool(writer, "checkBeforeUpdate", &resources->memory.check_before_update);
    json_close_object(writer);
}

static void write_cpu(struct json_writer *writer, const struct spec_resources *resources)
{
    open_object(writer, "cpu");
    write_u64(writer, "shares", &resources->cpu.shares);
    write_i64(writer, "quota", &resources->cpu.quota);
    write_u64(writer, "burst", &resources->cpu.burst);
    write_u64(writer, "period", &resources->cpu.period);
    write_i64(writer, "realtimeRuntime", &resources->cpu.realtime_runtime);
    write_u64(writer, "realtimePeriod", &resources->cpu.realtime_period);
    write_string(writer, "cpus", resources->cpu.cpus);
    write_string(writer, "mems", resources->cpu.mems);
    write_i64(writer, "idle", &resources->cpu.idle);
    json_close_object(writer);
}

static void write_rates(struct json_writer *writer, const char *key, const struct spec_io_rates *rates)
{
    open_array(writer, key);
    for (size_t i = 0; i < rates->count; i++) {
        json_open_object(writer);
        json_i64(writer, "major", rates->items[i].major);
        json_i64(writer, "minor", rates->items[i].minor);
        json_u64(writer, "rate", rates->items[i].rate);
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void write_block_io(struct json_writer *writer, const struct spec_resources *resources)
{
    open_object(writer, "blockIO");
    write_u64(writer, "weight", &resources->block_io.weight);
    write_u64(writer, "leafWeight", &resources->block_io.leaf_weight);
    open_array(writer, "weightDevice");
    for (size_t i = 0; i < resources->block_io.weight_devices_count; i++) {
        const struct spec_io_weight *weight = &resources->block_io.weight_devices[i];
        json_open_object(writer);
        json_i64(writer, "major", weight->major);
        json_i64(writer, "minor", weight->minor);
        write_u64(writer, "weight", &weight->weight);
        write_u64(writer, "leafWeight", &weight->leaf_weight);
        json_close_object(writer);
    }
    json_close_array(writer);
    write_rates(writer, "throttleReadBpsDevice", &resources->block_io.read_bps);
    write_rates(writer, "throttleWriteBpsDevice", &resources->block_io.write_bps);
    write_rates(writer, "throttleReadIOPSDevice", &resources->block_io.read_iops);
    write_rates(writer, "throttleWriteIOPSDevice", &resources->block_io.write_iops);
    json_close_object(writer);
}

static void write_hugepage_limits(struct json_writer *writer, const struct spec_resources *resources)
{
    open_array(writer, "hugepageLimits");
    for (size_t i = 0; i < resources->hugepage_limits_count; i++) {
        json_open_object(writer);
        json_string(writer, "pageSize", resources->hugepage_limits[i].page_size);
        json_u64(writer, "limit", resources->hugepage_limits[i].limit);
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void write_network(struct json_writer *writer, const struct spec_resources *resources)
{
    open_object(writer, "network");
    write_u64(writer, "classID", &resources->network_class_id);
    open_array(writer, "priorities");
    for (size_t i = 0; i < resources->network_priorities_count; i++) {
        json_open_object(writer);
        json_string(writer, "name", resources->network_priorities[i].name);
        json_u64(writer, "priority", resources->network_priorities[i].priority);
        json_close_object(writer);
    }
    json_close_array(writer);
    json_close_object(writer);
}

static void write_rdma(struct json_writer *writer, const struct spec_resources *resources)
{
    open_object(writer, "rdma");
    for (size_t i = 0; i < resources->rdma_count; i++) {
        open_object(writer, resources->rdma[i].device);
        write_u64(writer, "hcaHandles", &resources->rdma[i].hca_handles);
        write_u64(writer, "hcaObjects", &resources->rdma[i].hca_objects);
        json_close_object(writer);
    }
    json_close_object(writer);
}

void resources_write(struct json_writer *writer, const struct spec_resources *resources)
{
    json_open_object(writer);
    write_devices(writer, resources);
    write_memory(writer, resources);
    write_cpu(writer, resources);
    write_block_io(writer, resources);
    write_hugepage_limits(writer, resources);
    write_network(writer, resources);
    open_object(writer, "pids");
    write_i64(writer, "limit", &resources->pids_limit);
    json_close_object(writer);
    write_rdma(writer, resources);
    json_map(writer, "unified", &resources->unified);
    json_close_object(writer);
}
