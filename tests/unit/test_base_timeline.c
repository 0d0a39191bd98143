/* The ring of marks: what is written where, by which process, and what happens when it is full. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/timeline.h"

#include <cmocka.h>

static int none = -1;

/* Each test begins with a ring of its own; its memory is the process's to the end. */
static int begin(void **state)
{
    (void)state;
    return timeline_begin(&none);
}

static int stop(void **state)
{
    (void)state;
    timeline_stop();
    return 0;
}

static unsigned used(void)
{
    return atomic_load(&timeline_now->events_used);
}

static const struct timeline_event *last(void)
{
    return &timeline_now->events[used() - 1];
}

static void nobody_asked(void **state)
{
    (void)state;
    assert_null(timeline_now);
    timeline_mark(TIMELINE_STEP, 1);
    { TIMELINE_SLICE(SLICE_HOOK, "x"); }
    timeline_name("c1");
    timeline_executed(getpid());
    assert_int_equal(timeline_track_new(TIMELINE_INIT), -1);
    timeline_track_is(-1, 1);
    timeline_enter(-1);
    timeline_before_clock_change();
    timeline_after_clock_change();
    assert_null(timeline_now);
    assert_null(timeline_container());
    assert_int_equal(timeline_file(), -1);
}

static void begins_with_the_start_of_the_process(void **state)
{
    const struct timeline_event *events = timeline_now->events;
    (void)state;
    assert_int_equal(used(), 2);
    assert_int_equal(events[0].kind, TIMELINE_BEGIN);
    assert_int_equal(events[0].name, SLICE_STARTUP);
    assert_int_equal(events[1].kind, TIMELINE_END);
    assert_true(events[0].time < events[1].time);
    assert_int_equal(timeline_now->tracks_used, 1);
    assert_int_equal(timeline_now->tracks[0].process, TIMELINE_COMMAND);
    assert_int_equal(timeline_now->tracks[0].pid, getpid());
}

static void a_slice_ends_with_its_block(void **state)
{
    (void)state;
    {
        TIMELINE_SLICE(SLICE_HOOK, "/bin/hook");
        assert_int_equal(last()->kind, TIMELINE_BEGIN);
        assert_int_equal(last()->text_length, strlen("/bin/hook"));
        assert_memory_equal(timeline_now->texts + last()->text, "/bin/hook", strlen("/bin/hook"));
    }
    assert_int_equal(last()->kind, TIMELINE_END);
    assert_int_equal(last()->name, SLICE_HOOK);
    assert_true(last()[-1].time <= last()->time);
}

static void a_long_text_keeps_its_end(void **state)
{
    char path[600];
    (void)state;
    memset(path, 'a', sizeof(path));
    strncpy(path + sizeof(path) - 5, "/end", 5);
    timeline_add(TIMELINE_BEGIN, SLICE_MOUNT, path);
    assert_int_equal(last()->text_length, TIMELINE_TEXT_MAX);
    assert_memory_equal(timeline_now->texts + last()->text + TIMELINE_TEXT_MAX - 4, "/end", 4);
}

static void texts_that_do_not_fit_are_left_out(void **state)
{
    char path[TIMELINE_TEXT_MAX + 1];
    (void)state;
    memset(path, 'b', TIMELINE_TEXT_MAX);
    path[TIMELINE_TEXT_MAX] = '\0';
    for (unsigned i = 0; i < TIMELINE_TEXTS / TIMELINE_TEXT_MAX + 3; i++)
        timeline_add(TIMELINE_BEGIN, SLICE_MOUNT, path);
    assert_int_equal(last()->kind, TIMELINE_BEGIN);
    assert_int_equal(last()->text_length, 0);
    assert_int_equal(timeline_now->texts[TIMELINE_TEXTS - 1] == 'b', TIMELINE_TEXTS % TIMELINE_TEXT_MAX == 0);
}

static void marks_that_do_not_fit_are_counted(void **state)
{
    (void)state;
    unsigned before = used();
    for (unsigned i = 0; i < TIMELINE_EVENTS + 100; i++)
        timeline_mark(TIMELINE_STEP, 7);
    assert_int_equal(used(), before + TIMELINE_EVENTS + 100);
    assert_int_equal(timeline_now->events[TIMELINE_EVENTS - 1].kind, TIMELINE_STEP);
    /* What lies behind them is not written to. */
    for (size_t i = 0; i < TIMELINE_TEXTS; i++)
        assert_int_equal(timeline_now->texts[i], 0);
}

static void tracks_that_do_not_fit_mark_nothing(void **state)
{
    (void)state;
    for (int i = 1; i < TIMELINE_TRACKS; i++)
        assert_int_equal(timeline_track_new(TIMELINE_INIT), i);
    assert_int_equal(timeline_track_new(TIMELINE_INIT), -1);
    unsigned before = used();
    pid_t pid = fork();
    if (pid == 0) {
        timeline_enter(-1);
        timeline_mark(TIMELINE_STAGE, 1);
        _exit(timeline_now == NULL ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(used(), before);
}

/* A child writes into the parent's ring, on its own track and by the same clock, and does not keep the file. */
static void a_child_writes_into_the_same_ring(void **state)
{
    int ends[2], status;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    timeline_stop();
    assert_int_equal(timeline_begin(&ends[1]), 0);
    assert_int_equal(ends[1], -1);
    assert_true(timeline_file() >= 0);
    int track = timeline_track_new(TIMELINE_INIT);
    assert_int_equal(track, 1);
    timeline_mark(TIMELINE_STEP, 1);
    pid_t pid = fork();
    if (pid == 0) {
        int file = timeline_file();
        timeline_enter(track);
        timeline_mark(TIMELINE_STAGE, 3);
        _exit(timeline_file() == -1 && fcntl(file, F_GETFD) < 0 && errno == EBADF ? 0 : 1);
    }
    timeline_track_is(track, pid);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(last()->kind, TIMELINE_STAGE);
    assert_int_equal(last()->name, 3);
    assert_int_equal(last()->track, track);
    int64_t in_child = last()->time;
    assert_true(last()[-1].time < in_child);
    timeline_executed(pid);
    assert_int_equal(last()->kind, TIMELINE_DONE);
    assert_int_equal(last()->track, track);
    assert_true(in_child < last()->time);
    timeline_mark(TIMELINE_STEP, 2);
    assert_int_equal(last()->track, 0);
    assert_int_equal(fcntl(timeline_file(), F_GETFD) >= 0, 1);
    close(ends[0]);
}

/* As `start` and the init that waits for it: two processes that come together by a descriptor. */
static void a_stranger_goes_on_in_a_shared_ring(void **state)
{
    int status;
    (void)state;
    timeline_mark(TIMELINE_STEP, 1);
    int track = timeline_track_new(TIMELINE_INIT);
    unsigned before = used();
    int ring = timeline_share();
    assert_true(ring >= 0);
    assert_int_equal(timeline_share(), ring);
    assert_int_equal(used(), before); /* nothing is lost on the way */
    assert_int_equal(last()->kind, TIMELINE_STEP);
    assert_int_equal(ftruncate(ring, 0), -1);
    pid_t pid = fork();
    if (pid == 0) {
        timeline_leave();
        timeline_mark(TIMELINE_STAGE, 1); /* nowhere */
        timeline_join(ring, track);
        timeline_mark(TIMELINE_STAGE, 2);
        _exit(timeline_now == NULL ? 1 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(used(), before + 1);
    assert_int_equal(last()->name, 2);
    assert_int_equal(last()->track, track);
}

static void what_is_no_ring_is_not_joined(void **state)
{
    int ring = timeline_share();
    (void)state;
    struct timeline *mine = timeline_now;
    timeline_join(-1, 1);
    timeline_join(ring, -1);
    timeline_join(ring, TIMELINE_TRACKS);
    CLEANUP_FD int small = memfd_create("small", MFD_CLOEXEC);
    timeline_join(small, 1);
    assert_ptr_equal(timeline_now, mine);
    CLEANUP_FD int foreign = memfd_create("foreign", MFD_CLOEXEC);
    assert_int_equal(ftruncate(foreign, sizeof(struct timeline)), 0);
    timeline_join(foreign, 1);
    assert_null(timeline_now);
    timeline_mark(TIMELINE_STAGE, 2);
}

static void a_stopped_process_marks_nothing(void **state)
{
    struct timeline *ring = timeline_now;
    (void)state;
    unsigned before = used();
    timeline_stop();
    timeline_mark(TIMELINE_STEP, 1);
    assert_int_equal(atomic_load(&ring->events_used), before);
}

static void the_first_name_counts(void **state)
{
    (void)state;
    timeline_name("c1");
    timeline_name("c2");
    assert_string_equal(timeline_container(), "c1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_asked), /* first: the others have asked */
        cmocka_unit_test_setup_teardown(begins_with_the_start_of_the_process, begin, stop),
        cmocka_unit_test_setup_teardown(a_slice_ends_with_its_block, begin, stop),
        cmocka_unit_test_setup_teardown(a_long_text_keeps_its_end, begin, stop),
        cmocka_unit_test_setup_teardown(texts_that_do_not_fit_are_left_out, begin, stop),
        cmocka_unit_test_setup_teardown(marks_that_do_not_fit_are_counted, begin, stop),
        cmocka_unit_test_setup_teardown(tracks_that_do_not_fit_mark_nothing, begin, stop),
        cmocka_unit_test_setup_teardown(a_child_writes_into_the_same_ring, begin, stop),
        cmocka_unit_test_setup_teardown(a_stranger_goes_on_in_a_shared_ring, begin, stop),
        cmocka_unit_test_setup_teardown(what_is_no_ring_is_not_joined, begin, stop),
        cmocka_unit_test_setup_teardown(a_stopped_process_marks_nothing, begin, stop),
        cmocka_unit_test_setup_teardown(the_first_name_counts, begin, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
