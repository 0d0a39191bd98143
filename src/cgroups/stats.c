/*
 * cgroups/stats.c: cgroup v2's files of statistics -> struct cgroup_stats.
 *
 * stats_take is pure; cgroup_read_stats reads the files.  Runs in events and stats.  Must not: fail for what a kernel
 * does not count.
 */
#include "cgroups/stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "cgroups/cgroups.h"

#define FILE_LIMIT ((size_t)1024 * 1024) /* io.stat of a host with thousands of disks */
#define PAGE_SIZES_MAX 16
#define US_DIGITS_MAX 20

/* ---- words and lines ---- */

struct line {
    const char *text; /* not ended */
    size_t length;
};

/* The next line of *rest, without its end; false behind the last one. */
static bool next_line(const char **rest, struct line *ret_line)
{
    if (**rest == '\0')
        return false;
    *ret_line = (struct line){*rest, strcspn(*rest, "\n")};
    *rest += ret_line->length + ((*rest)[ret_line->length] == '\n');
    return true;
}

/* Digits up to a blank or the line's end; "max" is STATS_NO_LIMIT.  False: something else. */
static bool read_number(const char *text, uint64_t *ret_value)
{
    char word[US_DIGITS_MAX + 2];
    size_t length = strcspn(text, " \n");
    if (length == 0 || length >= sizeof word)
        return false;
    memcpy(word, text, length);
    word[length] = '\0';
    if (text_equal(word, "max")) {
        *ret_value = STATS_NO_LIMIT;
        return true;
    }
    return text_to_u64(word, UINT64_MAX, ret_value) == 0;
}

struct keyed {
    const char *key;
    uint64_t *target;
};

/* "key number" lines. */
static void take_flat(const char *content, const struct keyed *rows, size_t count)
{
    struct line line;
    while (next_line(&content, &line))
        for (size_t i = 0; i < count; i++) {
            size_t length = strlen(rows[i].key);
            uint64_t value;
            if (strncmp(line.text, rows[i].key, length) == 0 && line.text[length] == ' ' &&
                read_number(line.text + length + 1, &value))
                *rows[i].target = value;
        }
}

static void take_number(const char *content, uint64_t *target, bool *set)
{
    uint64_t value;
    if (!read_number(content, &value))
        return;
    *target = value;
    if (set)
        *set = true;
}

/* ---- one function for each kind of file ---- */

static void take_cpu(struct cgroup_stats *stats, const char *content)
{
    const struct keyed rows[] = {
        {"usage_usec", &stats->cpu.total_us},     {"user_usec", &stats->cpu.user_us},
        {"system_usec", &stats->cpu.system_us},   {"nr_periods", &stats->cpu.periods},
        {"nr_throttled", &stats->cpu.throttled_periods}, {"throttled_usec", &stats->cpu.throttled_us},
        {"nr_bursts", &stats->cpu.bursts},        {"burst_usec", &stats->cpu.burst_us},
    };
    take_flat(content, rows, ARRAY_LENGTH(rows));
}

static void take_memory_events(struct cgroup_stats *stats, const char *content)
{
    const struct keyed rows[] = {{"max", &stats->memory.limit_hits}, {"oom_kill", &stats->memory.oom_kills}};
    take_flat(content, rows, ARRAY_LENGTH(rows));
}

static void take_memory_stat(struct cgroup_stats *stats, struct arena *arena, const char *content)
{
    struct line line;
    size_t room = 0;
    while (next_line(&content, &line)) {
        size_t length = strcspn(line.text, " \n");
        uint64_t value;
        if (length == 0 || line.text[length] != ' ' || !read_number(line.text + length + 1, &value))
            continue;
        size_t count = stats->memory.counters_count;
        if (count >= room) {
            room = room ? room * 2 : 64;
            stats->memory.counters = arena_grow(arena, stats->memory.counters, count, room, sizeof(struct stats_counter));
        }
        stats->memory.counters[stats->memory.counters_count++] =
            (struct stats_counter){arena_copy_n(arena, line.text, length), value};
    }
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6"; a device without any traffic has its number alone. */
static void take_io(struct cgroup_stats *stats, struct arena *arena, const char *content)
{
    struct line line;
    size_t room = 0;
    while (next_line(&content, &line)) {
        struct stats_device device = {0};
        char *end;
        const struct keyed rows[] = {
            {"rbytes=", &device.read_bytes}, {"wbytes=", &device.written_bytes}, {"dbytes=", &device.discarded_bytes},
            {"rios=", &device.reads},        {"wios=", &device.writes},          {"dios=", &device.discards},
        };
        device.major = (uint32_t)strtoul(line.text, &end, 10);
        if (end == line.text || *end != ':')
            continue;
        device.minor = (uint32_t)strtoul(end + 1, &end, 10);
        for (const char *word = end; *word == ' '; word += strcspn(word, " \n")) {
            word++;
            for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
                if (text_starts(word, rows[i].key))
                    take_number(word + strlen(rows[i].key), rows[i].target, NULL);
        }
        size_t count = stats->io.devices_count;
        if (count >= room) {
            room = room ? room * 2 : 8;
            stats->io.devices = arena_grow(arena, stats->io.devices, count, room, sizeof device);
        }
        stats->io.devices[stats->io.devices_count++] = device;
    }
}

/* "12.34" -> 1234 */
static unsigned read_hundredths(const char *text)
{
    char *end;
    unsigned long whole = strtoul(text, &end, 10), part = 0;
    if (*end == '.' && strspn(end + 1, "0123456789") >= 2)
        part = (unsigned long)(end[1] - '0') * 10 + (unsigned long)(end[2] - '0');
    return (unsigned)(whole * 100 + part);
}

static const char *value_of(const struct line *line, const char *key)
{
    size_t length = strlen(key);
    for (size_t i = 0; i + length < line->length; i++)
        if (line->text[i] == ' ' && strncmp(line->text + i + 1, key, length) == 0)
            return line->text + i + 1 + length;
    return NULL;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same for "full". */
static void take_pressure(struct stats_pressure *pressure, const char *content)
{
    struct line line;
    while (next_line(&content, &line)) {
        struct stats_stall *stall = strncmp(line.text, "some ", 5) == 0   ? &pressure->some
                                    : strncmp(line.text, "full ", 5) == 0 ? &pressure->full
                                                                          : NULL;
        const char *ten = value_of(&line, "avg10="), *sixty = value_of(&line, "avg60=");
        const char *most = value_of(&line, "avg300="), *total = value_of(&line, "total=");
        if (!stall || !ten || !sixty || !most || !total)
            continue;
        stall->average_10 = read_hundredths(ten);
        stall->average_60 = read_hundredths(sixty);
        stall->average_300 = read_hundredths(most);
        take_number(total, &stall->total_us, &stall->set);
    }
}

static struct stats_hugetlb *hugetlb_of(struct cgroup_stats *stats, struct arena *arena, const char *size, size_t length)
{
    for (size_t i = 0; i < stats->hugetlb_count; i++)
        if (strncmp(stats->hugetlb[i].page_size, size, length) == 0 && stats->hugetlb[i].page_size[length] == '\0')
            return &stats->hugetlb[i];
    stats->hugetlb =
        arena_grow(arena, stats->hugetlb, stats->hugetlb_count, stats->hugetlb_count + 1, sizeof *stats->hugetlb);
    struct stats_hugetlb *hugetlb = &stats->hugetlb[stats->hugetlb_count++];
    *hugetlb = (struct stats_hugetlb){.page_size = arena_copy_n(arena, size, length), .limit = STATS_NO_LIMIT};
    return hugetlb;
}

/* "hugetlb.2MB.current", ".max", ".events" */
static void take_hugetlb(struct cgroup_stats *stats, struct arena *arena, const char *file, const char *content)
{
    const char *size = file + strlen("hugetlb."), *dot = strchr(size, '.');
    if (!dot || dot == size)
        return;
    struct stats_hugetlb *hugetlb = hugetlb_of(stats, arena, size, (size_t)(dot - size));
    if (text_equal(dot, ".current"))
        take_number(content, &hugetlb->usage, NULL);
    else if (text_equal(dot, ".max"))
        take_number(content, &hugetlb->limit, NULL);
    else if (text_equal(dot, ".events"))
        take_flat(content, &(struct keyed){"max", &hugetlb->failures}, 1);
}

/* ---- all of them ---- */

struct cgroup_stats stats_nothing(void)
{
    return (struct cgroup_stats){
        .memory = {.limit = STATS_NO_LIMIT, .swap_limit = STATS_NO_LIMIT}, .pids = {.limit = STATS_NO_LIMIT}};
}

void stats_take(struct cgroup_stats *stats, struct arena *arena, const char *file, const char *content)
{
    const struct {
        const char *file;
        uint64_t *target;
        bool *set;
    } numbers[] = {
        {"memory.current", &stats->memory.usage, &stats->memory.set},
        {"memory.peak", &stats->memory.peak, NULL},
        {"memory.max", &stats->memory.limit, NULL},
        {"memory.swap.current", &stats->memory.swap_usage, NULL},
        {"memory.swap.peak", &stats->memory.swap_peak, NULL},
        {"memory.swap.max", &stats->memory.swap_limit, NULL},
        {"pids.current", &stats->pids.current, &stats->pids.set},
        {"pids.peak", &stats->pids.peak, NULL},
        {"pids.max", &stats->pids.limit, NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        if (text_equal(file, numbers[i].file))
            take_number(content, numbers[i].target, numbers[i].set);
    if (text_equal(file, "cpu.stat"))
        take_cpu(stats, content);
    else if (text_equal(file, "memory.events"))
        take_memory_events(stats, content);
    else if (text_equal(file, "memory.stat"))
        take_memory_stat(stats, arena, content);
    else if (text_equal(file, "io.stat"))
        take_io(stats, arena, content);
    else if (text_equal(file, "cpu.pressure"))
        take_pressure(&stats->cpu.pressure, content);
    else if (text_equal(file, "memory.pressure"))
        take_pressure(&stats->memory.pressure, content);
    else if (text_equal(file, "io.pressure"))
        take_pressure(&stats->io.pressure, content);
    else if (text_starts(file, "hugetlb."))
        take_hugetlb(stats, arena, file, content);
}

uint64_t stats_memory_counter(const struct cgroup_stats *stats, const char *name)
{
    for (size_t i = 0; i < stats->memory.counters_count; i++)
        if (text_equal(stats->memory.counters[i].name, name))
            return stats->memory.counters[i].value;
    return 0;
}

/* ---- reading ---- */

static void read_file(int cgroup_fd, const char *file, struct cgroup_stats *stats, struct arena *arena)
{
    char *content;
    if (file_read_at(cgroup_fd, file, FILE_LIMIT, arena, &content) >= 0)
        stats_take(stats, arena, file, content);
}

/* The page sizes are those of the machine: the directory tells. */
static void read_hugetlb(int cgroup_fd, struct cgroup_stats *stats, struct arena *arena)
{
    int fd = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    if (!listing) {
        fd_close(&fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(listing)) && stats->hugetlb_count < PAGE_SIZES_MAX;) {
        const char *name = entry->d_name;
        if (!text_starts(name, "hugetlb.") || !text_ends(name, "B.current"))
            continue;
        size_t length = strlen(name) - strlen("current");
        read_file(cgroup_fd, name, stats, arena);
        read_file(cgroup_fd, arena_format(arena, "%.*smax", (int)length, name), stats, arena);
        read_file(cgroup_fd, arena_format(arena, "%.*sevents", (int)length, name), stats, arena);
    }
    (void)closedir(listing); /* only read */
}

int cgroup_read_stats(int cgroup_fd, struct arena *arena, struct cgroup_stats *ret_stats)
{
    static const char *const files[] = {
        "memory.current",  "memory.peak",      "memory.max",       "memory.swap.current", "memory.swap.peak",
        "memory.swap.max", "memory.events",    "memory.stat",      "pids.current",        "pids.peak",
        "pids.max",        "io.stat",          "cpu.pressure",     "memory.pressure",     "io.pressure",
    };
    char *content;
    *ret_stats = stats_nothing();
    /* A core file: without it there is no cgroup any more. */
    ssize_t length = file_read_at(cgroup_fd, "cpu.stat", FILE_LIMIT, arena, &content);
    if (length < 0)
        return (int)length;
    stats_take(ret_stats, arena, "cpu.stat", content);
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        read_file(cgroup_fd, files[i], ret_stats, arena);
    read_hugetlb(cgroup_fd, ret_stats, arena);
    return 0;
}

/* ---- watching ---- */

int cgroup_watch_oom(int cgroup_fd)
{
    int fd = openat(cgroup_fd, "memory.events", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int cgroup_watched_oom_kills(int watch_fd, uint64_t *ret_kills)
{
    struct cgroup_stats stats = stats_nothing();
    char content[1024];
    ssize_t length = pread(watch_fd, content, sizeof content - 1, 0);
    if (length < 0)
        return -errno;
    content[length] = '\0';
    take_memory_events(&stats, content);
    *ret_kills = stats.memory.oom_kills;
    return 0;
}

int cgroup_watch_pressure(int cgroup_fd, uint64_t stall_us, uint64_t window_us)
{
    char trigger[64];
    int length = snprintf(trigger, sizeof trigger, "some %" PRIu64 " %" PRIu64, stall_us, window_us);
    CLEANUP_FD int fd = openat(cgroup_fd, "memory.pressure", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    /* The final NUL belongs to it. */
    if (write(fd, trigger, (size_t)length + 1) < 0)
        return -errno;
    return fd_steal(&fd);
}
