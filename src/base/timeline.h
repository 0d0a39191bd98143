/*
 * base/timeline.h: when each process of a command did what, for --timing.
 *
 * Marks go into a ring of events in shared anonymous memory, mapped before any process is cloned.  Writing one takes the clock
 * from the vDSO and a few stores: no system call, no descriptor, nothing to allocate, so init can still do it inside the
 * container's root.  What does not fit is counted, never written.  Without --timing no clock is read and a mark is one comparison.
 *
 * Whoever has read the marks of a process inside a container has read what that process wished: names are numbers below a bound,
 * texts have a length, and the readers check both.
 *
 * Runs in: every process.
 */
#ifndef CRUN_LITE_BASE_TIMELINE_H
#define CRUN_LITE_BASE_TIMELINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"

#define TIMELINE_EVENTS 4096
#define TIMELINE_TEXTS ((size_t)16 * 1024)
#define TIMELINE_TRACKS 16
#define TIMELINE_TEXT_MAX 255

enum timeline_process { TIMELINE_NOBODY, TIMELINE_COMMAND, TIMELINE_ESCORT, TIMELINE_INIT, TIMELINE_JOINER, TIMELINE_PROCESSES };

/* What takes time within a step, whoever does it. */
enum slice {
    SLICE_STARTUP,
    SLICE_LOCK,
    SLICE_RECORD,
    SLICE_PARSE,
    SLICE_LIBRARY,
    SLICE_FILTER_LOOKUP,
    SLICE_FILTER_COMPILE,
    SLICE_CGROUP,
    SLICE_SYSTEMD,
    SLICE_DEVICE_PROGRAM,
    SLICE_ID_MAP_HELPER,
    SLICE_HOOK,
    SLICE_MOUNT,
    SLICE_DEVICES,
    SLICES
};
extern const char slice_words[SLICES][40]; /* in place: pointers would have to be relocated in every process */

enum timeline_kind {
    TIMELINE_EMPTY, /* reserved, not yet written */
    TIMELINE_STEP,  /* of the command: ends the one before; container/stage.h names it */
    TIMELINE_STAGE, /* of escort, init or joiner; likewise */
    TIMELINE_BEGIN, /* a slice, within a step or another slice */
    TIMELINE_END,
    TIMELINE_DONE,     /* the process has nothing more to do: its program runs, or its work is done */
    TIMELINE_FAILED,   /* its step failed */
    TIMELINE_KINDS
};

struct timeline_event {
    int64_t time; /* ns of the command's CLOCK_MONOTONIC */
    uint16_t text, text_length;
    uint8_t track, name;
    _Atomic uint8_t kind; /* last: nothing before it counts while it is EMPTY */
};

struct timeline_track {
    _Atomic uint8_t process; /* enum timeline_process */
    _Atomic int pid;         /* as the command sees it; 0: not known */
};

/* Of struct timeline: with every change another one.  `start` may be newer than the init that it speaks to. */
#define TIMELINE_LAYOUT UINT32_C(0x74696d31)

struct timeline {
    uint32_t layout;
    _Atomic int64_t lead; /* of CLOCK_MONOTONIC over CLOCK_REALTIME, just before the last clone */
    _Atomic uint32_t events_used, texts_used, tracks_used; /* wanted: may be more than there is */
    struct timeline_track tracks[TIMELINE_TRACKS];
    struct timeline_event events[TIMELINE_EVENTS];
    char texts[TIMELINE_TEXTS];
};

/* NULL: nobody asked. */
extern struct timeline *timeline_now;

/* Begins with the start-up slice, which is as long as the CPU time that this process has used.  `*file` is where the result will
 * be written: taken, and closed in every process that gets a track; -1: none.  0 or -errno. */
int timeline_begin(int *file) MUST_CHECK;
/* Of the container that the command is about, lent for good: the first one counts. */
void timeline_name(const char *id);
/* Lent; -1 and NULL: none. */
int timeline_file(void);
const char *timeline_container(void);
/* After this nothing is marked any more by this process. */
void timeline_stop(void);

void timeline_add(enum timeline_kind kind, unsigned name, const char *text);

static inline bool timeline_is_on(void)
{
    return __builtin_expect(timeline_now != NULL, 0);
}

static inline void timeline_mark(enum timeline_kind kind, unsigned name)
{
    if (timeline_is_on())
        timeline_add(kind, name, NULL);
}

/* A slice from here to the end of the block, however that is left.  `of`: the object; NULL: that is clear. */
#define TIMELINE_SLICE(what, of) \
    __attribute__((cleanup(timeline_end_slice), unused)) const enum slice timeline_slice = timeline_begin_slice((what), (of))

static inline enum slice timeline_begin_slice(enum slice slice, const char *text)
{
    if (timeline_is_on())
        timeline_add(TIMELINE_BEGIN, slice, text);
    return slice;
}

static inline void timeline_end_slice(const enum slice *slice)
{
    timeline_mark(TIMELINE_END, *slice);
}

/* ---- processes ---- */

/* Before clone, in the parent: a track for the child; -1: none. */
int timeline_track_new(enum timeline_process process);
/* After clone, in the parent and in the child; nothing happens with -1. */
void timeline_track_is(int track, pid_t pid);
void timeline_enter(int track);
/* The command has seen that its child executes its program. */
void timeline_executed(pid_t pid);

/* `start` has no memory in common with the init that waits for it: a descriptor of its ring, lent, with which that init can go on
 * there.  -1: nobody asked, or there is no such memory. */
int timeline_share(void);
/* Of that init: what it has noted so far was of another command, and nobody reads it any more.  */
void timeline_leave(void);
/* `ring` is lent; anything but a ring of ours is ignored, and so is -1. */
void timeline_join(int ring, int track);

/* Around a setns into a time namespace, whose clocks may be ahead of ours or behind. */
void timeline_before_clock_change(void);
void timeline_after_clock_change(void);

#endif
