/*
 * cmd/stats_document.c: statistics as JSON events, as a table, as OpenMetrics.
 *
 * The JSON is what clients of runc parse: in the terms of cgroup v1, times in nanoseconds, swap with memory in it, "no
 * limit" as the largest number (of pids: 0).
 */
#include "cmd/stats_document.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* ---- JSON ---- */

static void open_object(struct json_writer *writer, const char *key)
{
    json_key(writer, key);
    json_open_object(writer);
}

static void empty_object(struct json_writer *writer, const char *key)
{
    json_map(writer, key, &(struct string_map){0});
}

static void add_stall(struct json_writer *writer, const char *key, const struct stats_stall *stall)
{
    if (!stall->set)
        return;
    open_object(writer, key);
    json_hundredths(writer, "avg10", stall->average_10);
    json_hundredths(writer, "avg60", stall->average_60);
    json_hundredths(writer, "avg300", stall->average_300);
    json_u64(writer, "total", stall->total_us);
    json_close_object(writer);
}

static void add_pressure(struct json_writer *writer, const struct stats_pressure *pressure)
{
    if (!pressure->some.set && !pressure->full.set)
        return;
    open_object(writer, "psi");
    add_stall(writer, "some", &pressure->some);
    add_stall(writer, "full", &pressure->full);
    json_close_object(writer);
}

static void add_cpu(struct json_writer *writer, const struct cgroup_stats *stats)
{
    open_object(writer, "cpu");
    open_object(writer, "usage");
    json_u64(writer, "total", stats->cpu.total_us * 1000);
    json_u64(writer, "kernel", stats->cpu.system_us * 1000);
    json_u64(writer, "user", stats->cpu.user_us * 1000);
    json_close_object(writer);
    open_object(writer, "throttling");
    json_u64(writer, "periods", stats->cpu.periods);
    json_u64(writer, "throttledPeriods", stats->cpu.throttled_periods);
    json_u64(writer, "throttledTime", stats->cpu.throttled_us * 1000);
    json_close_object(writer);
    add_pressure(writer, &stats->cpu.pressure);
    json_close_object(writer);
}

static void add_memory_entry(struct json_writer *writer, const char *key, uint64_t limit, uint64_t usage, uint64_t peak, uint64_t failures)
{
    open_object(writer, key);
    json_u64(writer, "limit", limit);
    json_u64(writer, "usage", usage);
    json_u64(writer, "max", peak);
    json_u64(writer, "failcnt", failures);
    json_close_object(writer);
}

static uint64_t sum_of(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static void add_memory(struct json_writer *writer, const struct cgroup_stats *stats)
{
    open_object(writer, "memory");
    json_u64(writer, "cache", stats_memory_counter(stats, "file"));
    add_memory_entry(writer, "usage", stats->memory.limit, stats->memory.usage, stats->memory.peak, stats->memory.limit_hits);
    add_memory_entry(writer, "swap", sum_of(stats->memory.swap_limit, stats->memory.limit),
                     sum_of(stats->memory.swap_usage, stats->memory.usage), 0, 0);
    add_memory_entry(writer, "kernel", 0, stats_memory_counter(stats, "kernel"), 0, 0);
    add_memory_entry(writer, "kernelTCP", 0, stats_memory_counter(stats, "sock"), 0, 0);
    json_key(writer, "raw");
    json_open_object(writer);
    for (size_t i = 0; i < stats->memory.counters_count; i++)
        json_u64(writer, stats->memory.counters[i].name, stats->memory.counters[i].value);
    json_close_object(writer);
    add_pressure(writer, &stats->memory.pressure);
    json_close_object(writer);
}

static void add_transfer(struct json_writer *writer, const struct stats_device *device, const char *operation, uint64_t value)
{
    json_open_object(writer);
    json_u64(writer, "major", device->major);
    json_u64(writer, "minor", device->minor);
    json_string(writer, "op", operation);
    json_u64(writer, "value", value);
    json_close_object(writer);
}

static void add_io(struct json_writer *writer, const struct cgroup_stats *stats)
{
    open_object(writer, "blkio");
    if (stats->io.devices_count > 0) {
        json_key(writer, "ioServiceBytesRecursive");
        json_open_array(writer);
        for (size_t i = 0; i < stats->io.devices_count; i++) {
            const struct stats_device *device = &stats->io.devices[i];
            add_transfer(writer, device, "Read", device->read_bytes);
            add_transfer(writer, device, "Write", device->written_bytes);
            add_transfer(writer, device, "Discard", device->discarded_bytes);
        }
        json_close_array(writer);
        json_key(writer, "ioServicedRecursive");
        json_open_array(writer);
        for (size_t i = 0; i < stats->io.devices_count; i++) {
            const struct stats_device *device = &stats->io.devices[i];
            add_transfer(writer, device, "Read", device->reads);
            add_transfer(writer, device, "Write", device->writes);
            add_transfer(writer, device, "Discard", device->discards);
        }
        json_close_array(writer);
    }
    add_pressure(writer, &stats->io.pressure);
    json_close_object(writer);
}

static void add_hugetlb(struct json_writer *writer, const struct cgroup_stats *stats)
{
    open_object(writer, "hugetlb");
    for (size_t i = 0; i < stats->hugetlb_count; i++) {
        open_object(writer, stats->hugetlb[i].page_size);
        json_u64(writer, "usage", stats->hugetlb[i].usage);
        json_u64(writer, "failcnt", stats->hugetlb[i].failures);
        json_close_object(writer);
    }
    json_close_object(writer);
}

void stats_event(struct json_writer *writer, const char *type, const char *id, const struct cgroup_stats *stats)
{
    json_open_object(writer);
    json_string(writer, "type", type);
    json_string(writer, "id", id);
    if (stats != NULL) {
        open_object(writer, "data");
        add_cpu(writer, stats);
        empty_object(writer, "cpuset");
        add_memory(writer, stats);
        open_object(writer, "pids");
        json_u64(writer, "current", stats->pids.current);
        json_u64(writer, "limit", stats->pids.limit == STATS_NO_LIMIT ? 0 : stats->pids.limit);
        json_close_object(writer);
        add_io(writer, stats);
        add_hugetlb(writer, stats);
        empty_object(writer, "intel_rdt");
        json_null(writer, "network_interfaces");
        json_close_object(writer);
    }
    json_close_object(writer);
}

/* ---- table ---- */

#define CELL 24

/* "1.5G"; "-": no limit */
static const char *bytes_cell(char cell[CELL], uint64_t bytes)
{
    static const char units[] = "BKMGTPE";
    size_t unit = 0;
    uint64_t tenths = bytes > UINT64_MAX / 10 ? UINT64_MAX : bytes * 10;
    while (tenths >= 10240) {
        tenths /= 1024;
        unit++;
    }
    if (bytes == STATS_NO_LIMIT)
        snprintf(cell, CELL, "-");
    else if (unit == 0)
        snprintf(cell, CELL, "%" PRIu64 "B", bytes);
    else
        snprintf(cell, CELL, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10, tenths % 10, units[unit]);
    return cell;
}

static const char *number_cell(char cell[CELL], bool set, uint64_t number)
{
    if (set && number != STATS_NO_LIMIT)
        snprintf(cell, CELL, "%" PRIu64, number);
    else
        snprintf(cell, CELL, "-");
    return cell;
}

static const char *stall_cell(char cell[CELL], const struct stats_pressure *pressure)
{
    if (pressure->some.set)
        snprintf(cell, CELL, "%u.%02u%%", pressure->some.average_10 / 100, pressure->some.average_10 % 100);
    else
        snprintf(cell, CELL, "-");
    return cell;
}

void stats_table(struct text *text, const struct stats_of *list, size_t count)
{
    text_format(text, "%-20s %12s %10s %10s %10s %7s %7s %10s %10s %8s %8s %8s\n", "ID", "CPU TIME", "MEMORY", "PEAK", "LIMIT", "PIDS",
                "LIMIT", "READ", "WRITTEN", "PSI CPU", "PSI MEM", "PSI IO");
    for (size_t i = 0; i < count; i++) {
        const struct cgroup_stats *stats = &list[i].stats;
        char cell[10][CELL];
        uint64_t read = 0, written = 0;
        for (size_t d = 0; d < stats->io.devices_count; d++) {
            read += stats->io.devices[d].read_bytes;
            written += stats->io.devices[d].written_bytes;
        }
        bool memory = stats->memory.set;
        text_format(text, "%-20s %8" PRIu64 ".%02us %10s %10s %10s %7s %7s %10s %10s %8s %8s %8s\n", list[i].id,
                    stats->cpu.total_us / 1000000, (unsigned)(stats->cpu.total_us / 10000 % 100),
                    memory ? bytes_cell(cell[0], stats->memory.usage) : "-",
                    memory && stats->memory.peak > 0 ? bytes_cell(cell[1], stats->memory.peak) : "-",
                    bytes_cell(cell[2], stats->memory.limit), number_cell(cell[3], stats->pids.set, stats->pids.current),
                    number_cell(cell[4], stats->pids.set, stats->pids.limit),
                    bytes_cell(cell[5], read), bytes_cell(cell[6], written), stall_cell(cell[7], &stats->cpu.pressure),
                    stall_cell(cell[8], &stats->memory.pressure), stall_cell(cell[9], &stats->io.pressure));
    }
}

/* ---- OpenMetrics ---- */

enum metric_form {
    METRIC_COUNT,   /* a counter */
    METRIC_SECONDS, /* a counter of microseconds */
    METRIC_GAUGE
};

/* `shown` is the place of a bool that says whether the kernel counts it. */
static const struct metric {
    const char *name, *unit, *help;
    enum metric_form form;
    size_t value, shown;
} metrics[] = {
#define ALWAYS SIZE_MAX
#define AT(field) offsetof(struct cgroup_stats, field)
    {"cpu_usage_seconds", "seconds", "CPU time used", METRIC_SECONDS, AT(cpu.total_us), ALWAYS},
    {"cpu_user_seconds", "seconds", "CPU time used by programs", METRIC_SECONDS, AT(cpu.user_us), ALWAYS},
    {"cpu_system_seconds", "seconds", "CPU time used by the kernel", METRIC_SECONDS, AT(cpu.system_us), ALWAYS},
    {"cpu_periods", NULL, "Periods in which the quota was in force", METRIC_COUNT, AT(cpu.periods), ALWAYS},
    {"cpu_throttled_periods", NULL, "Periods in which the quota was used up", METRIC_COUNT, AT(cpu.throttled_periods), ALWAYS},
    {"cpu_throttled_seconds", "seconds", "Time for which processes were held back", METRIC_SECONDS, AT(cpu.throttled_us), ALWAYS},
    {"memory_usage_bytes", "bytes", "Memory in use", METRIC_GAUGE, AT(memory.usage), AT(memory.set)},
    {"memory_peak_bytes", "bytes", "Most memory ever in use", METRIC_GAUGE, AT(memory.peak), AT(memory.set)},
    {"memory_limit_bytes", "bytes", "Memory limit", METRIC_GAUGE, AT(memory.limit), AT(memory.set)},
    {"memory_swap_usage_bytes", "bytes", "Swap space in use", METRIC_GAUGE, AT(memory.swap_usage), AT(memory.set)},
    {"memory_swap_peak_bytes", "bytes", "Most swap space ever in use", METRIC_GAUGE, AT(memory.swap_peak), AT(memory.set)},
    {"memory_limit_hits", NULL, "Times at which the memory limit was reached", METRIC_COUNT, AT(memory.limit_hits), AT(memory.set)},
    {"memory_oom_kills", NULL, "Processes killed for lack of memory", METRIC_COUNT, AT(memory.oom_kills), AT(memory.set)},
    {"pids", NULL, "Processes and threads", METRIC_GAUGE, AT(pids.current), AT(pids.set)},
    {"pids_peak", NULL, "Most processes and threads ever", METRIC_GAUGE, AT(pids.peak), AT(pids.set)},
    {"pids_limit", NULL, "Limit of processes and threads", METRIC_GAUGE, AT(pids.limit), AT(pids.set)},
    {"cpu_stalled_some_seconds", "seconds", "Time for which some process waited for a CPU", METRIC_SECONDS, AT(cpu.pressure.some.total_us), AT(cpu.pressure.some.set)},
    {"cpu_stalled_full_seconds", "seconds", "Time for which every process waited for a CPU", METRIC_SECONDS, AT(cpu.pressure.full.total_us), AT(cpu.pressure.full.set)},
    {"memory_stalled_some_seconds", "seconds", "Time for which some process waited for memory", METRIC_SECONDS, AT(memory.pressure.some.total_us), AT(memory.pressure.some.set)},
    {"memory_stalled_full_seconds", "seconds", "Time for which every process waited for memory", METRIC_SECONDS, AT(memory.pressure.full.total_us), AT(memory.pressure.full.set)},
    {"io_stalled_some_seconds", "seconds", "Time for which some process waited for I/O", METRIC_SECONDS, AT(io.pressure.some.total_us), AT(io.pressure.some.set)},
    {"io_stalled_full_seconds", "seconds", "Time for which every process waited for I/O", METRIC_SECONDS, AT(io.pressure.full.total_us), AT(io.pressure.full.set)},
};

static void add_family(struct text *text, const char *name, const char *type, const char *unit, const char *help)
{
    text_format(text, "# TYPE container_%s %s\n", name, type);
    if (unit != NULL)
        text_format(text, "# UNIT container_%s %s\n", name, unit);
    text_format(text, "# HELP container_%s %s.\n", name, help);
}

/* An id has no character that would need escaping. */
static void add_metric(struct text *text, const struct metric *metric, const struct stats_of *of)
{
    const char *base = (const char *)&of->stats;
    bool shown = true;
    uint64_t value;
    if (metric->shown != ALWAYS)
        memcpy(&shown, base + metric->shown, sizeof(shown));
    memcpy(&value, base + metric->value, sizeof(value));
    if (!shown)
        return;
    text_format(text, "container_%s%s{id=\"%s\"} ", metric->name, metric->form == METRIC_GAUGE ? "" : "_total", of->id);
    if (metric->form == METRIC_SECONDS)
        text_format(text, "%" PRIu64 ".%06u\n", value / 1000000, (unsigned)(value % 1000000));
    else if (value == STATS_NO_LIMIT)
        text_add(text, "+Inf\n");
    else
        text_format(text, "%" PRIu64 "\n", value);
}

static void add_device_metric(struct text *text, const struct stats_of *list, size_t count, const char *name, const char *unit,
                              const char *help, size_t read_at, size_t written_at)
{
    add_family(text, name, "counter", unit, help);
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < list[i].stats.io.devices_count; d++) {
            const struct stats_device *device = &list[i].stats.io.devices[d];
            uint64_t read, written;
            memcpy(&read, (const char *)device + read_at, sizeof(read));
            memcpy(&written, (const char *)device + written_at, sizeof(written));
            text_format(text, "container_%s_total{id=\"%s\",device=\"%u:%u\",operation=\"read\"} %" PRIu64 "\n", name, list[i].id,
                        device->major, device->minor, read);
            text_format(text, "container_%s_total{id=\"%s\",device=\"%u:%u\",operation=\"write\"} %" PRIu64 "\n", name, list[i].id,
                        device->major, device->minor, written);
        }
}

void stats_metrics(struct text *text, const struct stats_of *list, size_t count)
{
    for (size_t m = 0; m < ARRAY_LENGTH(metrics); m++) {
        add_family(text, metrics[m].name, metrics[m].form == METRIC_GAUGE ? "gauge" : "counter", metrics[m].unit, metrics[m].help);
        for (size_t i = 0; i < count; i++)
            add_metric(text, &metrics[m], &list[i]);
    }
    add_device_metric(text, list, count, "io_bytes", "bytes", "Bytes transferred", offsetof(struct stats_device, read_bytes),
                      offsetof(struct stats_device, written_bytes));
    add_device_metric(text, list, count, "io_operations", NULL, "Transfers", offsetof(struct stats_device, reads),
                      offsetof(struct stats_device, writes));
    text_add(text, "# EOF\n");
}
