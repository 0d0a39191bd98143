/* tests/unit/test_cgroup_update.c: what an update writes, given what is in force and what is asked for. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cgroups/limits.h"
#include "spec/read.h"
#include "spec/resources.h"

/* After ours, because it has a macro fail(); and behind what it uses and does not include. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static struct arena arena;
static struct failure why;

static int fresh(void **state)
{
    (void)state;
    arena_done(&arena);
    arena = (struct arena){0};
    why = (struct failure){0};
    return 0;
}

static struct spec_resources read_text(const char *text)
{
    struct spec_resources resources;
    if (spec_parse_resources(text, strlen(text), &arena, &resources, &why) < 0)
        fail_msg("%s: %s in %s", why.pointer, why.text, text);
    return resources;
}

static struct spec_resources plan(const char *held_text, const char *given_text)
{
    struct spec_resources held = read_text(held_text), given = read_text(given_text);
    struct spec_resources after = resources_merge(&held, &given, &arena);
    return cgroup_update_plan(&held, &given, &after);
}

static void check_writes(const struct spec_resources *asked, const char *expected)
{
    struct limits limits;
    struct text line = {0};
    if (limits_plan(asked, &arena, &limits, &why) < 0)
        fail_msg("%s, expected %s", why.text, expected);
    text_add(&line, "");
    for (size_t w = 0; w < limits.count; w++)
        text_format(&line, "%s%s=%s%s", w > 0 ? "; " : "", limits.writes[w].file, limits.writes[w].value,
                    limits.writes[w].flags & WRITE_CHECKS_USAGE ? " (checked)" : "");
    assert_string_equal(line.data, expected);
    text_done(&line);
}

static void members_are_completed_by_what_is_in_force(void **state)
{
    static const struct {
        const char *held, *given, *writes;
    } rows[] = {
        {"{\"pids\":{\"limit\":50}}", "{}", ""},
        {"{\"pids\":{\"limit\":50}}", "{\"memory\":{\"limit\":99999999}}", "memory.max=99999999"},
        /* cpu.max holds two */
        {"{\"cpu\":{\"quota\":20000,\"period\":50000}}", "{\"cpu\":{\"quota\":30000}}", "cpu.max=30000 50000"},
        {"{\"cpu\":{\"quota\":20000,\"period\":50000}}", "{\"cpu\":{\"quota\":-1}}", "cpu.max=max 50000"},
        {"{\"cpu\":{\"quota\":20000,\"period\":50000}}", "{\"cpu\":{\"period\":70000}}", "cpu.max=20000 70000"},
        {"{}", "{\"cpu\":{\"period\":70000}}", "cpu.max=max 70000"},
        {"{\"cpu\":{\"quota\":20000}}", "{\"cpu\":{\"quota\":0,\"period\":0}}", ""},
        {"{\"cpu\":{\"quota\":20000}}", "{\"cpu\":{\"burst\":10000}}", "cpu.max.burst=10000"},
        {"{\"cpu\":{\"quota\":20000,\"burst\":10000}}", "{\"cpu\":{\"quota\":15000}}", "cpu.max=15000 100000"},
        /* idle and weight */
        {"{\"cpu\":{\"shares\":512}}", "{\"cpu\":{\"idle\":1}}", "cpu.idle=1"},
        {"{\"cpu\":{\"shares\":512,\"idle\":1}}", "{\"cpu\":{\"idle\":0}}", "cpu.idle=0; cpu.weight=59"},
        {"{\"cpu\":{\"idle\":1}}", "{\"cpu\":{\"shares\":512}}", "cpu.idle=1"},
        {"{\"cpu\":{\"shares\":512}}", "{\"cpu\":{\"shares\":2048}}", "cpu.weight=174"},
        /* memory.swap.max is the difference */
        {"{\"memory\":{\"limit\":100000000,\"swap\":150000000}}", "{\"memory\":{\"swap\":180000000}}",
         "memory.swap.max=80000000; memory.max=100000000"},
        {"{\"memory\":{\"limit\":100000000,\"swap\":150000000}}", "{\"memory\":{\"limit\":200000000}}", "memory.max=200000000"},
        {"{\"memory\":{\"limit\":100000000,\"swap\":150000000}}", "{\"memory\":{\"swap\":-1}}", "memory.swap.max=max"},
        {"{\"memory\":{\"limit\":100000000,\"swap\":150000000}}", "{\"memory\":{\"limit\":-1}}",
         "memory.swap.max=max; memory.max=max"},
        {"{\"memory\":{\"limit\":100000000}}", "{\"memory\":{\"limit\":90000000,\"swap\":0}}",
         "memory.swap.max=0; memory.max=90000000"},
        /* the check is one of a limit that is asked for */
        {"{\"memory\":{\"limit\":100000000,\"checkBeforeUpdate\":true}}", "{\"memory\":{\"limit\":90000000}}",
         "memory.max=90000000 (checked)"},
        {"{\"memory\":{\"limit\":100000000,\"checkBeforeUpdate\":true}}", "{\"memory\":{\"swap\":100000000}}",
         "memory.swap.max=0; memory.max=100000000"},
        {"{\"memory\":{\"checkBeforeUpdate\":true}}",
         "{\"memory\":{\"limit\":90000000,\"checkBeforeUpdate\":false}}", "memory.max=90000000"},
        /* the rest is written as it is given */
        {"{\"unified\":{\"memory.high\":\"1\"}}", "{\"unified\":{\"memory.min\":\"2\"}}", "memory.min=2"},
        {"{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":2}]}", "{\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":3}]}",
         "hugetlb.1GB.rsvd.max=3; hugetlb.1GB.max=3"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct spec_resources asked = plan(rows[i].held, rows[i].given);
        check_writes(&asked, rows[i].writes);
    }
}

static void device_rules_in_force_are_left_alone(void **state)
{
#define RULE(text) "{\"devices\":[{\"allow\":false}," text "]}"
    static const char held[] = RULE("{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":-1,\"access\":\"rw\"}");
    static const char *const same[] = {held, RULE("{\"allow\":true,\"type\":\"c\",\"major\":10,\"access\":\"wr\"}")};
    static const char *const others[] = {
        "{\"devices\":[{\"allow\":false}]}",
        RULE("{\"allow\":false,\"type\":\"c\",\"major\":10,\"access\":\"rw\"}"),
        RULE("{\"allow\":true,\"type\":\"b\",\"major\":10,\"access\":\"rw\"}"),
        RULE("{\"allow\":true,\"type\":\"c\",\"major\":11,\"access\":\"rw\"}"),
        RULE("{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":1,\"access\":\"rw\"}"),
        RULE("{\"allow\":true,\"type\":\"c\",\"major\":10,\"access\":\"r\"}"),
        RULE("{\"allow\":true,\"type\":\"c\",\"major\":10,\"access\":\"w\"}"),
        RULE("{\"allow\":true,\"type\":\"c\",\"major\":10,\"access\":\"rwm\"}"),
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(same); i++)
        assert_int_equal(plan(held, same[i]).devices_count, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_int_not_equal(plan(held, others[i]).devices_count, 0);
    assert_int_equal(plan(held, "{}").devices_count, 0);
}

/* An update was interrupted: what is in force is not known. */
static void everything_is_written_where_nothing_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *after, *given, *writes;
    } rows[] = {
        {"{}", "{}", ""},
        {"{\"pids\":{\"limit\":50},\"cpu\":{\"quota\":20000,\"period\":50000}}", "{}", "cpu.max=20000 50000; pids.max=50"},
        {"{\"memory\":{\"limit\":100000000,\"swap\":150000000,\"checkBeforeUpdate\":true}}", "{}",
         "memory.swap.max=50000000; memory.max=100000000"},
        {"{\"memory\":{\"limit\":100000000,\"checkBeforeUpdate\":true}}", "{\"memory\":{\"limit\":100000000}}",
         "memory.max=100000000 (checked)"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct spec_resources after = read_text(rows[i].after), given = read_text(rows[i].given);
        struct spec_resources asked = cgroup_update_plan(NULL, &given, &after);
        check_writes(&asked, rows[i].writes);
        assert_int_equal(asked.devices_count, 1);
        assert_true(asked.devices[0].allow && asked.devices[0].type == 'a');
    }
    struct spec_resources denied = read_text("{\"devices\":[{\"allow\":false},{\"allow\":true,\"type\":\"c\"}]}");
    struct spec_resources asked = cgroup_update_plan(NULL, &denied, &denied);
    assert_int_equal(asked.devices_count, 2);
    assert_ptr_equal(asked.devices, denied.devices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_are_completed_by_what_is_in_force, fresh, fresh),
        cmocka_unit_test_setup_teardown(everything_is_written_where_nothing_is_known, fresh, fresh),
        cmocka_unit_test_setup_teardown(device_rules_in_force_are_left_alone, fresh, fresh),
    };
    return cmocka_run_group_tests_name("cgroup_update", tests, NULL, NULL);
}
