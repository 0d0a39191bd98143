/* cmd/stats.c: stats and events. */
#include "base/memory.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/stats_document.h"

#define INTERVAL_MIN_US 1000

static struct {
    const char *format, *interval, *pressure;
    bool stats;
} given;

/* ---- events ---- */

static const struct option_row events_options[] = {
    {"stats", 0, OPTION_FLAG, &given.stats, NULL, "print the statistics once"},
    {"interval", 0, OPTION_TEXT, &given.interval, "DURATION", "time between statistics, such as 500ms or 1m30s (default: 5s)"},
    {"pressure", 0, OPTION_TEXT, &given.pressure, "DURATION", "tell when processes wait that long for memory within 2 seconds"},
};

static const char *const event_words[] = {
    [EVENT_STATS] = "stats", [EVENT_OOM] = "oom", [EVENT_PRESSURE] = "memory-pressure"};

static int print_event(const struct container_event *event, struct failure *why)
{
    struct json_writer *writer = json_writer_new(JSON_COMPACT);
    stats_event(writer, event_words[event->kind], event->id, event->stats);
    int r = output_document(writer, why);
    json_writer_free(writer);
    return r;
}

static int read_duration(const char *option, const char *word, int64_t least, int64_t most, int64_t *ret_us,
                         struct failure *why)
{
    if (word == NULL)
        return 0;
    if (text_to_duration(word, ret_us) == 0 && *ret_us >= least && *ret_us <= most)
        return 0;
    return fail(why, FAILURE_USAGE, "option --%s takes a duration such as %s, found '%s'", option,
                most == INT64_MAX ? "500ms or 5s, not 0" : "150ms, up to 2s", word);
}

static int print_stats_once(const struct runtime *runtime, const char *id, struct failure *why)
{
    struct arena arena = {0};
    struct cgroup_stats stats;
    int r = container_stats(runtime, id, &arena, &stats, why);
    if (r == 0)
        r = print_event(&(struct container_event){.kind = EVENT_STATS, .id = id, .stats = &stats}, why);
    arena_done(&arena);
    return r;
}

static int run_events(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    struct events_request request = {.interval_us = 5000000, .sink = print_event};
    if (arguments_check(&command_events, argc, 1, 1, why) < 0 ||
        read_duration("interval", given.interval, INTERVAL_MIN_US, INT64_MAX, &request.interval_us, why) < 0 ||
        read_duration("pressure", given.pressure, 1, 2000000, &request.stall_us, why) < 0)
        return -1;
    return given.stats ? print_stats_once(runtime, argv[0], why) : container_events(runtime, argv[0], &request, why);
}

/* ---- stats ---- */

static const struct option_row stats_options[] = {
    {"format", 'f', OPTION_TEXT, &given.format, "table|json|openmetrics", "the form of the output (default: table)"},
};

static int print_json(const struct stats_of *list, size_t count, struct failure *why)
{
    struct json_writer *writer = json_writer_new(JSON_COMPACT);
    json_open_array(writer);
    for (size_t i = 0; i < count; i++)
        stats_event(writer, "stats", list[i].id, &list[i].stats);
    json_close_array(writer);
    int r = output_document(writer, why);
    json_writer_free(writer);
    return r;
}

static int print_text(const struct stats_of *list, size_t count, struct failure *why)
{
    struct text text = {0};
    (text_equal(given.format, "openmetrics") ? stats_metrics : stats_table)(&text, list, count);
    int r = output_write(text.data, text.length, why);
    text_done(&text);
    return r;
}

static int read_named(const struct runtime *runtime, char **ids, size_t count, struct arena *arena,
                      struct stats_of *list, struct failure *why)
{
    for (size_t i = 0; i < count; i++) {
        list[i].id = ids[i];
        if (container_stats(runtime, ids[i], arena, &list[i].stats, why) < 0)
            return -1;
    }
    return 0;
}

/* Every container that has statistics now: one that has stopped, or has no cgroup, is left out. */
static int read_all(const struct runtime *runtime, struct arena *arena, struct stats_of **ret_list, size_t *ret_count,
                    struct failure *why)
{
    struct container_summary *summaries;
    size_t known, count = 0;
    struct failure unimportant;
    if (container_list(runtime, arena, &summaries, &known, why) < 0)
        return -1;
    struct stats_of *list = arena_alloc(arena, (known + 1) * sizeof(*list));
    for (size_t i = 0; i < known; i++) {
        list[count].id = summaries[i].id;
        if (container_stats(runtime, summaries[i].id, arena, &list[count].stats, &unimportant) == 0)
            count++;
    }
    *ret_list = list;
    *ret_count = count;
    return 0;
}

static int run_stats(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    struct arena arena = {0};
    size_t count = (size_t)argc;
    bool json = text_equal(given.format, "json");
    if (given.format != NULL && !json && !text_equal(given.format, "table") && !text_equal(given.format, "openmetrics"))
        return fail(why, FAILURE_USAGE, "unknown format '%s': expected table, json or openmetrics", given.format);
    struct stats_of *list = arena_alloc(&arena, (count + 1) * sizeof(*list));
    int r = argc > 0 ? read_named(runtime, argv, count, &arena, list, why) : read_all(runtime, &arena, &list, &count, why);
    if (r == 0)
        r = json ? print_json(list, count, why) : print_text(list, count, why);
    arena_done(&arena);
    return r;
}

const struct command command_events = {
    .name = "events",
    .arguments = "[OPTIONS] CONTAINER",
    .summary = "Print events and statistics of a container as JSON",
    .options = events_options,
    .options_count = ARRAY_LENGTH(events_options),
    .run = run_events,
};

const struct command command_stats = {
    .name = "stats",
    .arguments = "[OPTIONS] [CONTAINER...]",
    .summary = "Show what containers use",
    .options = stats_options,
    .options_count = ARRAY_LENGTH(stats_options),
    .run = run_stats,
};
