/*
 * cgroups/stats.h: what the kernel counts about a cgroup.
 *
 * Runs in: events, stats.
 */
#ifndef CRUN_LITE_CGROUPS_STATS_H
#define CRUN_LITE_CGROUPS_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

#define STATS_NO_LIMIT UINT64_MAX /* "max" */

/* A share of the time, in hundredths of a percent, and the time in microseconds: <file>.pressure. */
struct stats_stall {
    bool set;
    unsigned average_10, average_60, average_300; /* over that many seconds */
    uint64_t total_us;
};
struct stats_pressure {
    struct stats_stall some, full;
};

struct stats_counter {
    char *name;
    uint64_t value;
};

struct stats_device {
    uint32_t major, minor;
    uint64_t read_bytes, written_bytes, discarded_bytes;
    uint64_t reads, writes, discards;
};

struct stats_hugetlb {
    char *page_size; /* "2MB" */
    uint64_t usage, limit, failures;
};

/* What the cgroup has no file for is 0 (limits: STATS_NO_LIMIT) and not `set`. */
struct cgroup_stats {
    struct {
        uint64_t total_us, user_us, system_us;
        uint64_t periods, throttled_periods, throttled_us, bursts, burst_us;
        struct stats_pressure pressure;
    } cpu;
    struct {
        bool set;
        uint64_t usage, peak, limit;
        uint64_t swap_usage, swap_peak, swap_limit;
        uint64_t limit_hits, oom_kills; /* of memory.events: "max", "oom_kill" */
        struct stats_counter *counters; /* memory.stat, in its order */
        size_t counters_count;
        struct stats_pressure pressure;
    } memory;
    struct {
        bool set;
        uint64_t current, peak, limit;
    } pids;
    struct {
        struct stats_device *devices;
        size_t devices_count;
        struct stats_pressure pressure;
    } io;
    struct stats_hugetlb *hugetlb;
    size_t hugetlb_count;
};

/* A counter of memory.stat by name, or 0. */
uint64_t stats_memory_counter(const struct cgroup_stats *stats, const char *name);

/* One file's content into the struct, by the file's name; other files and lines that are not understood are passed
 * over, since every kernel adds some.  Pure; memory belongs to the arena. */
void stats_take(struct cgroup_stats *stats, struct arena *arena, const char *file, const char *content);
/* What stats_take begins with. */
struct cgroup_stats stats_nothing(void);

#endif
