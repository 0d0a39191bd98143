/*
 * base/timeline.c: the ring of marks.
 *
 * The clock is CLOCK_MONOTONIC as the command reads it.  A process in a time namespace reads a shifted one (time_namespaces(7):
 * every monotonic clock is, CLOCK_REALTIME is not).  How far it is ahead shows in its distance to CLOCK_REALTIME before and after
 * the change; moments lie between the two, in which nothing but a change of namespace moves one clock against the other by more
 * than SHIFT_LEAST.
 */
#include "base/timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

#define SECOND_NS INT64_C(1000000000)
#define SHIFT_LEAST 1000000 /* ns */

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* KERNEL(6.3) */
#endif

const char slice_words[SLICES][40] = {
    [SLICE_STARTUP] = "start of this process (its CPU time)",
    [SLICE_LOCK] = "wait for the container's lock",
    [SLICE_RECORD] = "read the container's record",
    [SLICE_PARSE] = "read and parse the configuration",
    [SLICE_LIBRARY] = "load a library",
    [SLICE_FILTER_LOOKUP] = "look for the compiled filter",
    [SLICE_FILTER_COMPILE] = "compile the seccomp filter",
    [SLICE_CGROUP] = "set up the cgroup",
    [SLICE_SYSTEMD] = "ask systemd",
    [SLICE_DEVICE_PROGRAM] = "load and attach the device program",
    [SLICE_ID_MAP_HELPER] = "map ids by helper",
    [SLICE_HOOK] = "hook",
    [SLICE_MOUNT] = "mount",
    [SLICE_DEVICES] = "make devices and links",
};

struct timeline *timeline_now;

/* Of this process; a clone begins with its parent's. */
static struct {
    int track;
    int file;
    int ring; /* its descriptor, where it has one */
    const char *container;
    int64_t shift; /* what its clock is ahead of the command's, ns */
    int64_t lead;  /* before a change of its clock */
} own = {.file = -1, .ring = -1};

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now); /* cannot fail for the clocks used here */
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static int64_t clock_lead(void)
{
    int64_t best = INT64_MAX, lead = 0;
    /* Whoever is interrupted between the readings tries again. */
    for (int i = 0; i < 3; i++) {
        int64_t before = read_clock(CLOCK_MONOTONIC), real = read_clock(CLOCK_REALTIME), width = read_clock(CLOCK_MONOTONIC) - before;
        if (width >= best)
            continue;
        best = width;
        lead = before + width / 2 - real;
    }
    return lead;
}

static void add_shift(int64_t shift)
{
    if (shift >= SHIFT_LEAST || shift <= -SHIFT_LEAST)
        own.shift += shift;
}

/* ---- writing ---- */

static void keep_text(struct timeline_event *event, const char *text)
{
    size_t length = strlen(text);
    /* Of a long path the end tells more. */
    if (length > TIMELINE_TEXT_MAX) {
        text += length - TIMELINE_TEXT_MAX;
        length = TIMELINE_TEXT_MAX;
    }
    uint32_t at = atomic_fetch_add(&timeline_now->texts_used, (uint32_t)length);
    if (at > TIMELINE_TEXTS || length > TIMELINE_TEXTS - at)
        return;
    memcpy(timeline_now->texts + at, text, length);
    event->text = (uint16_t)at;
    event->text_length = (uint16_t)length;
}

static void add_at(int64_t time, int track, enum timeline_kind kind, unsigned name, const char *text)
{
    uint32_t index = atomic_fetch_add(&timeline_now->events_used, 1);
    if (index >= TIMELINE_EVENTS)
        return;
    struct timeline_event *event = &timeline_now->events[index];
    event->time = time;
    event->track = (uint8_t)track;
    event->name = (uint8_t)name;
    if (text != NULL)
        keep_text(event, text);
    atomic_store_explicit(&event->kind, kind, memory_order_release);
}

void timeline_add(enum timeline_kind kind, unsigned name, const char *text)
{
    add_at(read_clock(CLOCK_MONOTONIC) - own.shift, own.track, kind, name, text);
}

int timeline_begin(int *file)
{
    void *memory = mmap(NULL, sizeof(struct timeline), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -errno;
    int64_t now = read_clock(CLOCK_MONOTONIC);
    timeline_now = memory;
    timeline_now->layout = TIMELINE_LAYOUT;
    own.track = timeline_track_new(TIMELINE_COMMAND);
    timeline_track_is(own.track, getpid());
    own.file = fd_steal(file);
    add_at(now - read_clock(CLOCK_PROCESS_CPUTIME_ID), own.track, TIMELINE_BEGIN, SLICE_STARTUP, NULL);
    add_at(now, own.track, TIMELINE_END, SLICE_STARTUP, NULL);
    return 0;
}

int timeline_file(void)
{
    return own.file;
}

void timeline_name(const char *id)
{
    if (timeline_is_on() && own.container == NULL)
        own.container = id;
}

const char *timeline_container(void)
{
    return own.container;
}

void timeline_stop(void)
{
    timeline_now = NULL;
}

/* ---- processes ---- */

int timeline_track_new(enum timeline_process process)
{
    if (!timeline_is_on() || process == TIMELINE_NOBODY)
        return -1;
    uint32_t track = atomic_fetch_add(&timeline_now->tracks_used, 1);
    if (track >= TIMELINE_TRACKS)
        return -1;
    atomic_store(&timeline_now->tracks[track].process, process);
    atomic_store(&timeline_now->lead, clock_lead() - own.shift);
    return (int)track;
}

void timeline_track_is(int track, pid_t pid)
{
    if (track >= 0)
        atomic_store(&timeline_now->tracks[track].pid, pid);
}

void timeline_enter(int track)
{
    if (!timeline_is_on())
        return;
    fd_close(&own.file);
    fd_close(&own.ring);
    if (track < 0) {
        timeline_stop();
        return;
    }
    own.track = track;
    own.shift = 0;
    add_shift(clock_lead() - atomic_load(&timeline_now->lead));
}

void timeline_executed(pid_t pid)
{
    for (int track = 0; timeline_is_on() && pid > 0 && track < TIMELINE_TRACKS; track++)
        if (atomic_load(&timeline_now->tracks[track].pid) == pid)
            add_at(read_clock(CLOCK_MONOTONIC) - own.shift, track, TIMELINE_DONE, 0, NULL);
}

/* ---- another process's ring ---- */

static struct timeline *map_ring(int fd)
{
    void *memory = mmap(NULL, sizeof(struct timeline), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* Of a size that nobody can change: reading it must not raise a signal. */
static int new_ring(void)
{
    CLEANUP_FD int fd = memfd_create("crun-lite-timeline", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("crun-lite-timeline", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, sizeof(struct timeline)) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return -1;
    return fd_steal(&fd);
}

int timeline_share(void)
{
    if (!timeline_is_on() || own.ring >= 0)
        return own.ring;
    CLEANUP_FD int fd = new_ring();
    struct timeline *ring = fd < 0 ? NULL : map_ring(fd);
    if (ring == NULL)
        return -1;
    memcpy(ring, timeline_now, sizeof(*ring));
    timeline_leave();
    timeline_now = ring;
    return own.ring = fd_steal(&fd);
}

void timeline_leave(void)
{
    if (timeline_is_on())
        (void)munmap(timeline_now, sizeof(*timeline_now)); /* ours, whole */
    timeline_stop();
}

void timeline_join(int ring, int track)
{
    struct stat file;
    if (ring < 0 || track < 0 || track >= TIMELINE_TRACKS || fstat(ring, &file) < 0 || file.st_size != sizeof(struct timeline))
        return;
    timeline_leave();
    timeline_now = map_ring(ring);
    if (timeline_is_on() && timeline_now->layout != TIMELINE_LAYOUT)
        timeline_leave();
    timeline_enter(track);
}

void timeline_before_clock_change(void)
{
    if (timeline_is_on())
        own.lead = clock_lead();
}

void timeline_after_clock_change(void)
{
    if (timeline_is_on())
        add_shift(clock_lead() - own.lead);
}
