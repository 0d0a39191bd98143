/* Resources documents: what is written is what was read, member by member; what a merge leaves and what it replaces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "spec/read.h"
#include "spec/resources.h"
#include "spec/tables.h"

#include <cmocka.h> /* last: its fail() macro hides ours */

/* Every member, in the order in which they are written. */
static const char everything[] =
    "{\"devices\":[{\"allow\":false,\"type\":\"a\",\"access\":\"rwm\"},"
    "{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"rw\"}],"
    "\"memory\":{\"limit\":1,\"reservation\":2,\"swap\":3,\"kernel\":4,\"kernelTCP\":5,\"swappiness\":0,"
    "\"disableOOMKiller\":false,\"useHierarchy\":true,\"checkBeforeUpdate\":true},"
    "\"cpu\":{\"shares\":6,\"quota\":-1,\"burst\":7,\"period\":8,\"realtimeRuntime\":0,\"realtimePeriod\":0,"
    "\"cpus\":\"0-3\",\"mems\":\"0\",\"idle\":1},"
    "\"blockIO\":{\"weight\":10,\"leafWeight\":0,"
    "\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":11,\"leafWeight\":12}],"
    "\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":1,\"rate\":13}],"
    "\"throttleWriteBpsDevice\":[{\"major\":8,\"minor\":2,\"rate\":14}],"
    "\"throttleReadIOPSDevice\":[{\"major\":8,\"minor\":3,\"rate\":18446744073709551615}],"
    "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":4,\"rate\":16}]},"
    "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":17}],"
    "\"network\":{\"classID\":0,\"priorities\":[{\"name\":\"eth0\",\"priority\":18}]},"
    "\"pids\":{\"limit\":19},"
    "\"rdma\":{\"mlx5_1\":{\"hcaHandles\":20,\"hcaObjects\":21}},"
    "\"unified\":{\"memory.high\":\"22\"}}";

static struct arena arena;

static int fresh(void **state)
{
    (void)state;
    arena_done(&arena);
    arena = (struct arena){0};
    return 0;
}

static struct spec_resources read_text(const char *text)
{
    struct spec_resources resources;
    struct failure why = {0};
    if (spec_parse_resources(text, strlen(text), &arena, &resources, &why) < 0)
        fail_msg("%s: %s in %s", why.pointer, why.text, text);
    return resources;
}

static const char *write_text(const struct spec_resources *resources)
{
    struct json_writer *writer = json_writer_new(JSON_COMPACT);
    size_t length;
    resources_write(writer, resources);
    const char *text = arena_copy(&arena, json_result(writer, &length));
    json_writer_free(writer);
    return text;
}

static void every_member_is_in_the_text(const struct json_object *object)
{
    for (size_t i = 0; i < object->members_count; i++) {
        const char *name = object->members[i].name;
        if (strstr(everything, arena_format(&arena, "\"%s\":", name)) == NULL)
            fail_msg("%s is missing from the test's document", name);
        if (object->members[i].object != NULL)
            every_member_is_in_the_text(object->members[i].object);
    }
}

static void what_is_written_is_what_was_read(void **state)
{
    (void)state;
    every_member_is_in_the_text(&table_resources);
    struct spec_resources resources = read_text(everything);
    assert_string_equal(write_text(&resources), everything);
    resources = read_text("{}");
    const char *nothing = write_text(&resources);
    resources = read_text(nothing);
    assert_string_equal(write_text(&resources), nothing);
    assert_int_equal(resources.devices_count + resources.rdma_count + resources.unified.count, 0);
    assert_false(resources.memory.limit.set || resources.pids_limit.set);
}

/* Merging everything with nothing, and the other way round, is everything. */
static void merging_with_nothing_changes_nothing(void **state)
{
    struct spec_resources all = read_text(everything), nothing = read_text("{}"), result;
    (void)state;
    result = resources_merge(&all, &nothing, &arena);
    assert_string_equal(write_text(&result), everything);
    result = resources_merge(&all, &all, &arena);
    assert_string_equal(write_text(&result), everything);
    result = resources_merge(&(struct spec_resources){0}, &all, &arena);
    assert_true(result.set);
    /* But for zeros of numbers whose zero means "left alone". */
    struct spec_resources zeros_gone = all;
    zeros_gone.cpu.realtime_runtime.set = zeros_gone.cpu.realtime_period.set = false;
    zeros_gone.block_io.leaf_weight.set = zeros_gone.network_class_id.set = false;
    assert_string_equal(write_text(&result), write_text(&zeros_gone));
}

static void members_are_merged_one_by_one(void **state)
{
    static const struct {
        const char *held, *given, *result;
    } rows[] = {
        {"{\"pids\":{\"limit\":5}}", "{\"memory\":{\"limit\":9}}", "{\"pids\":{\"limit\":5},\"memory\":{\"limit\":9}}"},
        {"{\"pids\":{\"limit\":5}}", "{\"pids\":{\"limit\":0}}", "{\"pids\":{\"limit\":0}}"},
        {"{\"pids\":{\"limit\":5}}", "{\"pids\":{}}", "{\"pids\":{\"limit\":5}}"},
        /* cpu */
        {"{\"cpu\":{\"quota\":5,\"period\":6}}", "{\"cpu\":{\"quota\":-1}}", "{\"cpu\":{\"quota\":-1,\"period\":6}}"},
        {"{\"cpu\":{\"quota\":5,\"period\":6}}", "{\"cpu\":{\"quota\":0,\"period\":0,\"shares\":0}}",
         "{\"cpu\":{\"quota\":5,\"period\":6}}"},
        {"{\"cpu\":{\"burst\":5,\"idle\":1}}", "{\"cpu\":{\"burst\":0,\"idle\":0}}", "{\"cpu\":{\"burst\":0,\"idle\":0}}"},
        {"{\"cpu\":{\"cpus\":\"0\",\"mems\":\"0\"}}", "{\"cpu\":{\"cpus\":\"1\",\"mems\":\"\"}}",
         "{\"cpu\":{\"cpus\":\"1\",\"mems\":\"0\"}}"},
        /* memory and its sum with swap */
        {"{\"memory\":{\"limit\":100,\"swap\":150}}", "{\"memory\":{\"limit\":200}}", "{\"memory\":{\"limit\":200,\"swap\":250}}"},
        {"{\"memory\":{\"limit\":100,\"swap\":150}}", "{\"memory\":{\"limit\":50}}", "{\"memory\":{\"limit\":50,\"swap\":100}}"},
        {"{\"memory\":{\"limit\":100,\"swap\":150}}", "{\"memory\":{\"limit\":-1}}", "{\"memory\":{\"limit\":-1,\"swap\":-1}}"},
        {"{\"memory\":{\"limit\":-1,\"swap\":50}}", "{\"memory\":{\"limit\":100}}", "{\"memory\":{\"limit\":100,\"swap\":150}}"},
        {"{\"memory\":{\"limit\":100,\"swap\":-1}}", "{\"memory\":{\"limit\":200}}", "{\"memory\":{\"limit\":200,\"swap\":-1}}"},
        {"{\"memory\":{\"limit\":100,\"swap\":0}}", "{\"memory\":{\"limit\":200}}", "{\"memory\":{\"limit\":200,\"swap\":0}}"},
        {"{\"memory\":{\"limit\":100}}", "{\"memory\":{\"limit\":200}}", "{\"memory\":{\"limit\":200}}"},
        {"{\"memory\":{\"limit\":100,\"swap\":150}}", "{\"memory\":{\"swap\":0}}", "{\"memory\":{\"limit\":100,\"swap\":150}}"},
        {"{\"memory\":{\"limit\":100,\"swap\":150}}", "{\"memory\":{\"limit\":80,\"swap\":0}}", "{\"memory\":{\"limit\":80,\"swap\":0}}"},
        {"{\"memory\":{\"limit\":100,\"swap\":150}}", "{\"memory\":{\"limit\":0,\"swap\":180}}",
         "{\"memory\":{\"limit\":100,\"swap\":180}}"},
        {"{\"memory\":{\"limit\":100,\"swap\":9223372036854775807}}", "{\"memory\":{\"limit\":9223372036854775807}}",
         "{\"memory\":{\"limit\":9223372036854775807,\"swap\":9223372036854775807}}"},
        {"{\"memory\":{\"checkBeforeUpdate\":true}}", "{\"memory\":{\"checkBeforeUpdate\":false}}",
         "{\"memory\":{\"checkBeforeUpdate\":false}}"},
        /* lists: by device, page size, key; device rules as a whole */
        {"{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1},{\"major\":8,\"minor\":16,\"rate\":2}]}}",
         "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":32,\"rate\":4},{\"major\":8,\"minor\":0,\"rate\":3}]}}",
         "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":3},{\"major\":8,\"minor\":16,\"rate\":2},"
         "{\"major\":8,\"minor\":32,\"rate\":4}]}}"},
        {"{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1}]}",
         "{\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":2},{\"pageSize\":\"2MB\",\"limit\":3}]}",
         "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":3},{\"pageSize\":\"1GB\",\"limit\":2}]}"},
        {"{\"unified\":{\"a.b\":\"1\",\"c.d\":\"2\"}}", "{\"unified\":{\"c.d\":\"3\"}}", "{\"unified\":{\"a.b\":\"1\",\"c.d\":\"3\"}}"},
        {"{\"devices\":[{\"allow\":false},{\"allow\":true,\"type\":\"c\"}]}", "{\"devices\":[{\"allow\":true}]}",
         "{\"devices\":[{\"allow\":true}]}"},
        {"{\"devices\":[{\"allow\":false}]}", "{\"devices\":[]}", "{\"devices\":[{\"allow\":false}]}"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct spec_resources held = read_text(rows[i].held), given = read_text(rows[i].given), wanted = read_text(rows[i].result);
        struct spec_resources result = resources_merge(&held, &given, &arena);
        assert_string_equal(write_text(&result), write_text(&wanted));
        /* What was in force stays untouched: a failed update must not change it. */
        struct spec_resources again = read_text(rows[i].held);
        assert_string_equal(write_text(&held), write_text(&again));
    }
}

static void lists_have_an_end(void **state)
{
    (void)state;
    struct spec_resources given = {0};
    const struct { size_t *count; const char *pointer; } lists[] = {
        {&given.block_io.weight_devices_count, "/blockIO/weightDevice"},
        {&given.block_io.read_bps.count, "/blockIO/throttleReadBpsDevice"},
        {&given.block_io.write_bps.count, "/blockIO/throttleWriteBpsDevice"},
        {&given.block_io.read_iops.count, "/blockIO/throttleReadIOPSDevice"},
        {&given.block_io.write_iops.count, "/blockIO/throttleWriteIOPSDevice"},
        {&given.hugepage_limits_count, "/hugepageLimits"},
        {&given.network_priorities_count, "/network/priorities"},
        {&given.rdma_count, "/rdma"},
        {&given.unified.count, "/unified"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        struct failure why = {0};
        *lists[i].count = RESOURCES_LIST_MAX;
        assert_int_equal(resources_check_lists(&given, &why), 0);
        *lists[i].count = RESOURCES_LIST_MAX + 1;
        assert_int_equal(resources_check_lists(&given, &why), -1);
        assert_string_equal(why.pointer, lists[i].pointer);
        assert_string_equal(why.text, "4097 entries are more than the 4096 that this runtime takes");
        *lists[i].count = RESOURCES_LIST_MAX; /* the others may be full */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_what_was_read, fresh, fresh),
        cmocka_unit_test_setup_teardown(merging_with_nothing_changes_nothing, fresh, fresh),
        cmocka_unit_test_setup_teardown(members_are_merged_one_by_one, fresh, fresh),
        cmocka_unit_test_setup_teardown(lists_have_an_end, fresh, fresh),
    };
    return cmocka_run_group_tests_name("spec_resources", tests, NULL, NULL);
}
