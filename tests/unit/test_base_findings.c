/* Findings: the first one ends, or all are kept without their follow-ups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/findings.h"
#include "base/memory.h"

#include <cmocka.h> /* last: its fail() macro hides ours */

static struct failure why;

static int config(struct findings *findings, const char *pointer)
{
    return found(findings, fail_config(findings->why, pointer, "wrong"));
}

static int refuse(struct findings *findings, const char *pointer)
{
    return found_refused(findings, fail_config(findings->why, pointer, "refused"));
}

static void the_first_one_ends(void **state)
{
    struct findings first = FINDINGS_FIRST(&why);
    (void)state;
    assert_int_equal(found(&first, 0), 0);
    assert_int_equal(config(&first, "/a"), -1);
    assert_string_equal(why.pointer, "/a");
    assert_int_equal(refuse(&first, "/b"), -1);
    assert_false(findings_doubt(&first, "/b")); /* it ended there */
    findings_drop_element(&first, "/list", 0);
    assert_int_equal(first.count + first.dropped_count, 0);
}

static void follow_ups_are_left_out(void **state)
{
    static const struct { const char *refused, *pointer; bool kept; } cases[] = {
        {"/a", "/b", true},
        {"/a", "/a", false},
        {"/a", "/a/b", false},
        {"/a/b", "/a", false},
        {"/a", "/ab", true},
        {"/list/1", "/list/2", true},
        {"/list/1/x", "/list/1/y", false}, /* they may explain each other */
        {"/list/1/x", "/list/2/x", true},
        {"/process/cwd", "/process/env", true}, /* these do not */
        {"/linux/resources/memory/limit", "/linux/resources/memory/swap", false},
        {"/linux/resources/memory/limit", "/linux/resources/cpu/idle", true},
        {"", "/a", false}, /* the whole document */
        {"/a", "", true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct findings all;
        findings_collect(&all, &why);
        assert_int_equal(refuse(&all, cases[i].refused), 0);
        assert_int_equal(config(&all, cases[i].pointer), 0);
        if (all.count != (cases[i].kept ? 2 : 1))
            fail_msg("%s after %s", cases[i].pointer, cases[i].refused);
        assert_int_equal(all.seen, 2);
        findings_done(&all);
    }
}

static void one_finding_per_place(void **state)
{
    struct findings all;
    (void)state;
    findings_collect(&all, &why);
    assert_int_equal(config(&all, "/a/b"), 0);
    assert_int_equal(config(&all, "/a/b"), 0);
    assert_int_equal(config(&all, "/a"), 0);
    assert_int_equal(config(&all, "/a/c"), 0);
    assert_int_equal(all.count, 2);
    /* What the host lacks for a value is another matter, but not twice. */
    for (int i = 0; i < 2; i++) {
        fail_errno(&why, 2, "open");
        assert_int_equal(found(&all, failure_pointer(&why, "/a/b")), 0);
    }
    assert_int_equal(all.count, 3);
    findings_done(&all);
}

static void elements_are_numbered_as_in_the_document(void **state)
{
    static const struct { const char *in_structs, *in_document; } cases[] = {
        {"/m/0", "/m/0"}, {"/m/1", "/m/2"}, {"/m/2/x", "/m/3/x"}, {"/m/3", "/m/5"}, {"/n/1", "/n/1"}, {"/m/x", "/m/x"},
        {"/m/2/o/0", "/m/3/o/1"}, {"/m/2/o/1", "/m/3/o/2"}, {"/m/3/o/0", "/m/5/o/0"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct findings all;
        findings_collect(&all, &why);
        findings_drop_element(&all, "/m", 1);
        findings_drop_element(&all, "/m/3/o", 0);
        findings_drop_element(&all, "/m/4/o", 7); /* of an element that goes away itself */
        findings_drop_element(&all, "/m", 4);
        assert_int_equal(config(&all, cases[i].in_structs), 0);
        assert_string_equal(all.items[0].pointer, cases[i].in_document);
        findings_done(&all);
    }
}

static void doubt(void **state)
{
    struct findings all;
    (void)state;
    findings_collect(&all, &why);
    assert_int_equal(refuse(&all, "/linux/namespaces/1/type"), 0);
    assert_int_equal(config(&all, "/linux/seccomp"), 0);
    assert_true(findings_doubt(&all, "/linux/namespaces"));
    assert_true(findings_doubt(&all, "/linux/namespaces/1/type/x"));
    assert_false(findings_doubt(&all, "/linux/seccomp")); /* was there, and wrong */
    assert_false(findings_doubt(&all, "/linux/name"));
    findings_done(&all);
}

static void there_is_a_limit(void **state)
{
    struct findings all;
    char pointer[32];
    (void)state;
    findings_collect(&all, &why);
    for (int i = 0; i < FINDINGS_LIMIT; i++) {
        snprintf(pointer, sizeof(pointer), "/list/%d", i);
        assert_int_equal(config(&all, pointer), i < FINDINGS_LIMIT - 1 ? 0 : -1);
    }
    assert_int_equal(all.count, FINDINGS_LIMIT);
    findings_done(&all);
    assert_int_equal(all.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_one_ends),     cmocka_unit_test(follow_ups_are_left_out),
        cmocka_unit_test(one_finding_per_place),  cmocka_unit_test(elements_are_numbered_as_in_the_document),
        cmocka_unit_test(doubt),                  cmocka_unit_test(there_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
