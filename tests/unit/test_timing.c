/* The writers of --timing: spans out of marks, as a trace and as text, whatever a process wrote into the ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/timeline.h"
#include "container/container.h"
#include "container/stage.h"

#include <cmocka.h>

static struct timeline *ring;

static int make_ring(void **state)
{
    (void)state;
    ring = calloc(1, sizeof(*ring));
    if (ring == NULL)
        return -1;
    ring->tracks_used = 2;
    ring->tracks[0].process = TIMELINE_COMMAND;
    ring->tracks[0].pid = 100;
    ring->tracks[1].process = TIMELINE_INIT;
    ring->tracks[1].pid = 101;
    return 0;
}

static int free_ring(void **state)
{
    (void)state;
    free(ring);
    return 0;
}

static struct timeline_event *mark(int64_t time, uint8_t track, enum timeline_kind kind, uint8_t name)
{
    uint32_t index = atomic_fetch_add(&ring->events_used, 1);
    struct timeline_event *event = &ring->events[index];
    event->time = time;
    event->track = track;
    event->name = name;
    atomic_store(&event->kind, kind);
    return event;
}

static void name_object(struct timeline_event *event, const char *object)
{
    event->text = (uint16_t)ring->texts_used;
    event->text_length = (uint16_t)strlen(object);
    memcpy(ring->texts + event->text, object, strlen(object));
    ring->texts_used += (uint32_t)strlen(object);
}

static const struct timing_facts facts = {.command = "run", .container = "c1"};

static char *document_of(const struct timing_facts *of)
{
    struct json_writer *writer = json_writer_new(JSON_COMPACT);
    size_t length;
    timing_document(ring, of, writer);
    char *text = strdup(json_result(writer, &length));
    json_writer_free(writer);
    assert_non_null(text);
    return text;
}

static void assert_document(const char *part)
{
    char *text = document_of(&facts);
    if (strstr(text, part) == NULL)
        fail_msg("no %s in %s", part, text);
    free(text);
}

static void assert_no_document(const char *part)
{
    char *text = document_of(&facts);
    if (strstr(text, part) != NULL)
        fail_msg("%s in %s", part, text);
    free(text);
}

/* Without its first line, which names the kernel. */
static void assert_summary(const char *lines)
{
    struct text text = {0};
    timing_summary(ring, &facts, &text);
    const char *rest = strchr(text.data, '\n');
    assert_non_null(rest);
    assert_string_equal(rest + 1, lines);
    text_done(&text);
}

static void steps_follow_one_another(void **state)
{
    (void)state;
    mark(1000000, 0, TIMELINE_STEP, STEP_CHECK);
    mark(1500000, 0, TIMELINE_STEP, STEP_CLONE);
    mark(1600001, 1, TIMELINE_STAGE, STAGE_BEGIN);
    mark(2500000, 1, TIMELINE_STAGE, STAGE_EXEC);
    mark(2600000, 1, TIMELINE_DONE, 0);
    mark(2700000, 0, TIMELINE_DONE, 0);
    assert_summary("creator (process 100)\n"
                   "        at ms      took ms\n"
                   "        0.000        0.500  reading and checking the configuration\n"
                   "        0.500        1.200  cloning\n"
                   "init (process 101)\n"
                   "        at ms      took ms\n"
                   "        0.600        0.899  starting\n"
                   "        1.500        0.100  executing the program\n");
    assert_document("{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":100,\"tid\":100,\"args\":{\"name\":\"creator\"}}");
    assert_document("{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":101,\"tid\":101,\"args\":{\"sort_index\":1}}");
    assert_document("{\"ph\":\"X\",\"name\":\"starting\",\"cat\":\"stage\",\"pid\":101,\"tid\":101,\"ts\":1600.001,\"dur\":899.999}");
    assert_document("\"command\":\"run\",\"container\":\"c1\"");
    assert_document("\"exitStatus\":0}");
    assert_no_document("failed");
    assert_no_document("unfinished");
    assert_no_document("marksLost");
}

static void slices_nest(void **state)
{
    (void)state;
    mark(1000000, 0, TIMELINE_STEP, STEP_AWAIT_READY);
    name_object(mark(1100000, 0, TIMELINE_BEGIN, SLICE_HOOK), "/bin/h\x1b\"x");
    mark(1200000, 0, TIMELINE_BEGIN, SLICE_LIBRARY);
    mark(1300000, 0, TIMELINE_END, SLICE_HOOK); /* ends what is within it too */
    mark(1400000, 0, TIMELINE_END, SLICE_LIBRARY); /* not open any more */
    mark(1500000, 0, TIMELINE_DONE, 0);
    assert_summary("creator (process 100)\n"
                   "        at ms      took ms\n"
                   "        0.000        0.500  waiting until the process is ready\n"
                   "        0.100        0.200    hook /bin/h?\"x\n"
                   "        0.200        0.100      load a library\n");
    assert_document("\"name\":\"hook /bin/h?\\\"x\",\"cat\":\"slice\"");
    assert_document("\"args\":{\"object\":\"/bin/h?\\\"x\"}");
}

static void the_failed_step_shows(void **state)
{
    (void)state;
    mark(1000000, 0, TIMELINE_STEP, STEP_AWAIT_READY);
    mark(1100000, 1, TIMELINE_STAGE, STAGE_ROOTFS);
    name_object(mark(1200000, 1, TIMELINE_BEGIN, SLICE_MOUNT), "/data");
    mark(1300000, 1, TIMELINE_FAILED, 0);
    mark(1400000, 0, TIMELINE_STEP, STEP_UNDO);
    mark(1500000, 0, TIMELINE_FAILED, 0);
    assert_summary("creator (process 100)\n"
                   "        at ms      took ms\n"
                   "        0.000        0.400  waiting until the process is ready: failed\n"
                   "        0.400        0.100  undoing what was made\n"
                   "init (process 101)\n"
                   "        at ms      took ms\n"
                   "        0.100        0.200  building the root filesystem: failed\n"
                   "        0.200        0.100    mount /data: failed\n");
    assert_document("\"args\":{\"object\":\"/data\",\"failed\":true}");
}

static void a_failure_before_the_tidying_up_is_the_one(void **state)
{
    (void)state;
    mark(1000000, 0, TIMELINE_STEP, STEP_AWAIT_EXEC);
    mark(1100000, 0, TIMELINE_FAILED, 0);
    mark(1200000, 0, TIMELINE_STEP, STEP_REMOVE);
    mark(1300000, 0, TIMELINE_FAILED, 0);
    assert_summary("creator (process 100)\n"
                   "        at ms      took ms\n"
                   "        0.000        0.100  waiting until the program is executed: failed\n"
                   "        0.200        0.100  removing what was made\n");
}

/* exec and create try once more where a kernel killed the child at birth. */
static void a_second_try_can_fail_too(void **state)
{
    (void)state;
    mark(1000000, 0, TIMELINE_STEP, STEP_CLONE);
    mark(1100000, 0, TIMELINE_STEP, STEP_UNDO);
    mark(1200000, 0, TIMELINE_STEP, STEP_CLONE);
    mark(1300000, 0, TIMELINE_STEP, STEP_UNDO);
    mark(1400000, 0, TIMELINE_FAILED, 0);
    assert_summary("creator (process 100)\n"
                   "        at ms      took ms\n"
                   "        0.000        0.100  cloning: failed\n"
                   "        0.100        0.100  undoing what was made\n"
                   "        0.200        0.100  cloning: failed\n"
                   "        0.300        0.100  undoing what was made\n");
}

static void a_failure_without_anything_to_undo_shows(void **state)
{
    struct failure why = {.text = "the cause"};
    const struct timing_facts failed = {.command = "state", .container = "c1", .exit_code = 1, .why = &why};
    (void)state;
    mark(1000000, 0, TIMELINE_STEP, STEP_COMMAND);
    mark(1500000, 0, TIMELINE_FAILED, 0);
    char *text = document_of(&failed);
    assert_non_null(strstr(text, "\"exitStatus\":1,\"failure\":\"the cause\"}"));
    assert_non_null(strstr(text, "\"args\":{\"failed\":true}"));
    assert_non_null(strstr(text, "\"args\":{\"name\":\"state\"}"));
    free(text);
}

static void what_goes_on_is_not_over(void **state)
{
    (void)state;
    mark(1000000, 0, TIMELINE_STEP, STEP_SETTLE);
    mark(1100000, 1, TIMELINE_STAGE, STAGE_WAIT_FOR_START);
    mark(1500000, 0, TIMELINE_DONE, 0);
    assert_summary("creator (process 100)\n"
                   "        at ms      took ms\n"
                   "        0.000        0.500  setting late limits and handing out the process id\n"
                   "init (process 101)\n"
                   "        at ms      took ms\n"
                   "        0.100        0.400  waiting for start: not over\n");
    assert_document("\"args\":{\"unfinished\":true}");
}

static void lost_marks_are_told(void **state)
{
    (void)state;
    mark(1000000, 0, TIMELINE_STEP, STEP_CHECK);
    ring->events_used = TIMELINE_EVENTS + 3;
    assert_document("\"marksLost\":3");
    assert_summary("creator (process 100)\n"
                   "        at ms      took ms\n"
                   "        0.000        0.000  reading and checking the configuration: not over\n"
                   "3 marks did not fit and are missing\n");
}

/* Init is inside a container while it writes: nothing that it writes leads outside of the ring, or out of the command's time. */
static void nonsense_is_bounded(void **state)
{
    (void)state;
    mark(1000000, 0, TIMELINE_STEP, STEP_CHECK);
    mark(2000000, 0, TIMELINE_DONE, 0);
    mark(INT64_MIN, 1, TIMELINE_STAGE, 255);
    struct timeline_event *event = mark(INT64_MAX, 1, TIMELINE_BEGIN, 200);
    event->text = UINT16_MAX;
    event->text_length = UINT16_MAX;
    mark(1500000, 1, (enum timeline_kind)99, 1);
    mark(1500000, 200, TIMELINE_STAGE, STAGE_BEGIN);
    mark(1500000, 1, TIMELINE_END, 77);
    for (int i = 0; i < 100; i++)
        mark(1500000, 1, TIMELINE_BEGIN, SLICE_MOUNT);
    ring->tracks[1].process = 250;
    ring->tracks[1].pid = -5;
    ring->tracks_used = UINT32_MAX;
    char *text = document_of(&facts);
    assert_non_null(strstr(text, "\"pid\":2147483646"));
    assert_non_null(strstr(text, "\"ts\":1000.000,\"dur\":1000.000"));
    assert_null(strstr(text, "starting"));
    free(text);
}

static void an_empty_ring_is_a_document(void **state)
{
    (void)state;
    assert_document("\"traceEvents\":[]");
}

int main(void)
{
#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, make_ring, free_ring)
    const struct CMUnitTest tests[] = {
        RING_TEST(steps_follow_one_another), RING_TEST(slices_nest), RING_TEST(the_failed_step_shows), RING_TEST(a_failure_before_the_tidying_up_is_the_one),
        RING_TEST(a_second_try_can_fail_too),
        RING_TEST(a_failure_without_anything_to_undo_shows), RING_TEST(what_goes_on_is_not_over), RING_TEST(lost_marks_are_told),
        RING_TEST(nonsense_is_bounded), RING_TEST(an_empty_ring_is_a_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
