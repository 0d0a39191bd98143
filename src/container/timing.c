/*
 * container/timing.c: the marks of a command's processes as spans of time, as a trace and as text.
 *
 * Runs in the command, at its end.  Init and joiner wrote into the ring while they were inside a container: every number is
 * checked against its bound, every text is copied before it is looked at, and no time lies outside of the command's own.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/timeline.h"
#include "container/container.h"
#include "container/stage.h"

#define OPEN_MAX 16 /* spans within spans */

struct span {
    int64_t begin, end;
    enum timeline_kind kind; /* STEP, STAGE or BEGIN: a slice */
    unsigned name, depth;
    char object[TIMELINE_TEXT_MAX + 1];
    bool failed, unfinished;
};

struct spans {
    struct span *items;
    size_t count;
    size_t open[OPEN_MAX]; /* indices */
    unsigned depth;
    bool failed; /* what comes now is the tidying up */
};

struct bounds {
    int64_t begin, end; /* of the command */
};

/* ---- the ring ---- */

static uint32_t least(uint32_t wanted, uint32_t room)
{
    return wanted < room ? wanted : room;
}

static uint32_t events_count(const struct timeline *ring)
{
    return least(atomic_load(&ring->events_used), TIMELINE_EVENTS);
}

static uint32_t tracks_count(const struct timeline *ring)
{
    return least(atomic_load(&ring->tracks_used), TIMELINE_TRACKS);
}

static uint32_t events_lost(const struct timeline *ring)
{
    return atomic_load(&ring->events_used) - events_count(ring);
}

/* The first track is the command's. */
static struct bounds bounds_of(const struct timeline *ring)
{
    struct bounds bounds = {INT64_MAX, 0};
    for (uint32_t i = 0; i < events_count(ring); i++) {
        const struct timeline_event *event = &ring->events[i];
        if (atomic_load(&event->kind) == TIMELINE_EMPTY || event->track != 0)
            continue;
        bounds.begin = event->time < bounds.begin ? event->time : bounds.begin;
        bounds.end = event->time > bounds.end ? event->time : bounds.end;
    }
    return bounds;
}

static int64_t within(int64_t time, const struct bounds *bounds)
{
    return time < bounds->begin ? bounds->begin : time > bounds->end ? bounds->end : time;
}

static const char *word_of(enum timeline_kind kind, unsigned name)
{
    switch (kind) {
    case TIMELINE_STEP:
        return name < STEPS ? step_words[name] : "?";
    case TIMELINE_STAGE:
        return name < STAGES ? stage_words[name] : "?";
    default:
        return name < SLICES ? slice_words[name] : "?";
    }
}

static void copy_text(const struct timeline *ring, const struct timeline_event *event, char out[TIMELINE_TEXT_MAX + 1])
{
    char raw[TIMELINE_TEXT_MAX + 1] = "";
    size_t at = event->text, length = event->text_length;
    if (length <= TIMELINE_TEXT_MAX && at <= TIMELINE_TEXTS && length <= TIMELINE_TEXTS - at)
        memcpy(raw, ring->texts + at, length);
    text_sanitize(out, TIMELINE_TEXT_MAX + 1, raw);
}

/* ---- spans ---- */

static void open_span(struct spans *spans, const struct span *span)
{
    if (spans->depth == OPEN_MAX)
        return;
    if ((spans->count & (spans->count - 1)) == 0) /* as many as there is room for */
        spans->items = memory_resize(spans->items, (spans->count > 0 ? spans->count * 2 : 1) * sizeof(*spans->items));
    spans->items[spans->count] = *span;
    spans->items[spans->count].depth = spans->depth;
    spans->open[spans->depth++] = spans->count++;
}

static struct span *close_span(struct spans *spans, int64_t time)
{
    struct span *span = &spans->items[spans->open[--spans->depth]];
    span->end = time > span->begin ? time : span->begin;
    return span;
}

enum ending { GOES_ON, FAILS, IS_NOT_OVER };

static void close_all(struct spans *spans, int64_t time, enum ending ending)
{
    while (spans->depth > 0) {
        struct span *span = close_span(spans, time);
        span->failed = ending == FAILS;
        span->unfinished = ending == IS_NOT_OVER;
    }
}

static void close_slice(struct spans *spans, unsigned name, int64_t time)
{
    unsigned depth = spans->depth;
    while (depth > 0 && (spans->items[spans->open[depth - 1]].kind != TIMELINE_BEGIN || spans->items[spans->open[depth - 1]].name != name))
        depth--;
    while (depth > 0 && spans->depth >= depth)
        (void)close_span(spans, time); /* the slice, after what its end ends */
}

/* At the end of a command that failed, too: by then what failed may be over. */
static void fail_once(struct spans *spans, int64_t time)
{
    close_all(spans, time, spans->failed ? GOES_ON : FAILS);
    spans->failed = true;
}

static void take_event(struct spans *spans, const struct timeline *ring, const struct timeline_event *event, const struct bounds *bounds)
{
    struct span span = {.begin = within(event->time, bounds), .kind = atomic_load(&event->kind), .name = event->name};
    switch (span.kind) {
    case TIMELINE_STEP:
    case TIMELINE_STAGE:
        if (span.kind == TIMELINE_STEP && span.name == STEP_UNDO) {
            spans->failed = false; /* what is undone has failed, of a second try as well */
            fail_once(spans, span.begin);
        }
        close_all(spans, span.begin, GOES_ON);
        open_span(spans, &span);
        break;
    case TIMELINE_BEGIN:
        copy_text(ring, event, span.object);
        open_span(spans, &span);
        break;
    case TIMELINE_END:
        close_slice(spans, span.name, span.begin);
        break;
    case TIMELINE_DONE:
        close_all(spans, span.begin, GOES_ON);
        break;
    case TIMELINE_FAILED:
        fail_once(spans, span.begin);
        break;
    default:
        break;
    }
}

/* On the heap. */
static struct spans spans_of(const struct timeline *ring, uint32_t track, const struct bounds *bounds)
{
    struct spans spans = {0};
    for (uint32_t i = 0; i < events_count(ring); i++)
        if (ring->events[i].track == track)
            take_event(&spans, ring, &ring->events[i], bounds);
    close_all(&spans, bounds->end, IS_NOT_OVER);
    return spans;
}

static const char *process_name(const struct timeline *ring, uint32_t track, const struct timing_facts *facts)
{
    static const char *const names[TIMELINE_PROCESSES] = {
        [TIMELINE_ESCORT] = "escort", [TIMELINE_INIT] = "init", [TIMELINE_JOINER] = "joiner"};
    unsigned process = atomic_load(&ring->tracks[track].process);
    const char *name = process < TIMELINE_PROCESSES ? names[process] : NULL;
    if (name != NULL)
        return name;
    return text_equal(facts->command, "create") || text_equal(facts->command, "run") ? "creator" : facts->command;
}

/* One that nobody could note gets a number that no process has. */
static int process_id(const struct timeline *ring, uint32_t track)
{
    int pid = atomic_load(&ring->tracks[track].pid);
    return pid > 0 ? pid : INT32_MAX - (int)track;
}

static const char *kernel_release(struct utsname *host)
{
    return uname(host) == 0 ? host->release : "?";
}

/* ---- the trace ---- */

static void add_metadata(struct json_writer *writer, const char *what, int pid, const char *name, int64_t number)
{
    json_open_object(writer);
    json_string(writer, "ph", "M");
    json_string(writer, "name", what);
    json_i64(writer, "pid", pid);
    json_i64(writer, "tid", pid);
    json_key(writer, "args");
    json_open_object(writer);
    if (name != NULL)
        json_string(writer, "name", name);
    else
        json_i64(writer, "sort_index", number);
    json_close_object(writer);
    json_close_object(writer);
}

static void add_arguments(struct json_writer *writer, const struct span *span)
{
    if (span->object[0] == '\0' && !span->failed && !span->unfinished)
        return;
    json_key(writer, "args");
    json_open_object(writer);
    if (span->object[0] != '\0')
        json_string(writer, "object", span->object);
    if (span->failed)
        json_bool(writer, "failed", true);
    if (span->unfinished)
        json_bool(writer, "unfinished", true);
    json_close_object(writer);
}

static void add_span(struct json_writer *writer, const struct span *span, int pid)
{
    static const char *const categories[TIMELINE_KINDS] = {
        [TIMELINE_STEP] = "step", [TIMELINE_STAGE] = "stage", [TIMELINE_BEGIN] = "slice"};
    struct text name = {0};
    text_format(&name, "%s%s%s", word_of(span->kind, span->name), span->object[0] != '\0' ? " " : "", span->object);
    json_open_object(writer);
    json_string(writer, "ph", "X");
    json_string(writer, "name", name.data);
    json_string(writer, "cat", categories[span->kind]);
    json_i64(writer, "pid", pid);
    json_i64(writer, "tid", pid);
    json_thousandths(writer, "ts", (uint64_t)span->begin);
    json_thousandths(writer, "dur", (uint64_t)(span->end - span->begin));
    add_arguments(writer, span);
    json_close_object(writer);
    text_done(&name);
}

static void add_track(struct json_writer *writer, const struct timeline *ring, uint32_t track, const struct timing_facts *facts,
                      const struct bounds *bounds)
{
    struct spans spans = spans_of(ring, track, bounds);
    int pid = process_id(ring, track);
    if (spans.count > 0) {
        const char *name = process_name(ring, track, facts);
        add_metadata(writer, "process_name", pid, name, 0);
        add_metadata(writer, "process_sort_index", pid, NULL, track);
        add_metadata(writer, "thread_name", pid, name, 0);
    }
    for (size_t i = 0; i < spans.count; i++)
        add_span(writer, &spans.items[i], pid);
    free(spans.items);
}

static void add_facts(struct json_writer *writer, const struct timeline *ring, const struct timing_facts *facts)
{
    struct utsname host;
    char failure[2048];
    json_open_object(writer);
    json_string(writer, "command", facts->command);
    if (facts->container != NULL)
        json_string(writer, "container", facts->container);
    json_string(writer, "version", VERSION);
    json_string(writer, "kernel", kernel_release(&host));
    json_string(writer, "clock", "CLOCK_MONOTONIC");
    json_i64(writer, "exitStatus", facts->exit_code);
    if (facts->why != NULL) {
        failure_render(facts->why, failure, sizeof(failure));
        json_string(writer, "failure", failure);
    }
    if (events_lost(ring) > 0)
        json_u64(writer, "marksLost", events_lost(ring));
    json_close_object(writer);
}

void timing_document(const struct timeline *ring, const struct timing_facts *facts, struct json_writer *writer)
{
    struct bounds bounds = bounds_of(ring);
    json_open_object(writer);
    json_string(writer, "displayTimeUnit", "ns");
    json_key(writer, "otherData");
    add_facts(writer, ring, facts);
    json_key(writer, "traceEvents");
    json_open_array(writer);
    for (uint32_t track = 0; track < tracks_count(ring); track++)
        add_track(writer, ring, track, facts, &bounds);
    json_close_array(writer);
    json_close_object(writer);
}

/* ---- the summary ---- */

static void add_milliseconds(struct text *out, int64_t nanoseconds)
{
    text_format(out, "%9" PRId64 ".%03" PRId64, nanoseconds / 1000000, nanoseconds / 1000 % 1000);
}

static void add_lines(struct text *out, const struct timeline *ring, uint32_t track, const struct timing_facts *facts,
                      const struct bounds *bounds)
{
    struct spans spans = spans_of(ring, track, bounds);
    if (spans.count > 0)
        text_format(out, "%s (process %d)\n        at ms      took ms\n", process_name(ring, track, facts), process_id(ring, track));
    for (size_t i = 0; i < spans.count; i++) {
        const struct span *span = &spans.items[i];
        add_milliseconds(out, span->begin - bounds->begin);
        add_milliseconds(out, span->end - span->begin);
        text_format(out, "  %*s%s%s%s%s\n", (int)span->depth * 2, "", word_of(span->kind, span->name), span->object[0] != '\0' ? " " : "",
                    span->object, span->failed ? ": failed" : span->unfinished ? ": not over" : "");
    }
    free(spans.items);
}

void timing_summary(const struct timeline *ring, const struct timing_facts *facts, struct text *out)
{
    struct utsname host;
    struct bounds bounds = bounds_of(ring);
    text_format(out, "crun-lite %s%s%s: ", facts->command, facts->container != NULL ? " " : "", facts->container != NULL ? facts->container : "");
    text_format(out, "%" PRId64 ".%03" PRId64 " ms, exit status %d (crun-lite " VERSION ", Linux %s)\n", (bounds.end - bounds.begin) / 1000000,
                (bounds.end - bounds.begin) / 1000 % 1000, facts->exit_code, kernel_release(&host));
    for (uint32_t track = 0; track < tracks_count(ring); track++)
        add_lines(out, ring, track, facts, &bounds);
    if (events_lost(ring) > 0)
        text_format(out, "%" PRIu32 " marks did not fit and are missing\n", events_lost(ring));
}

/* ---- the beginning ---- */

int timing_begin(int *file, struct failure *why)
{
    int r = timeline_begin(file);
    if (r < 0)
        return fail_errno(why, r, "map the memory of the timeline");
    step_note(STEP_COMMAND);
    return 0;
}
