/* Unit tests of base/failure.c: what is filled, what is kept when there is no room for everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/failure.h"

static struct failure why;
static char rendered[2048];

static const char *render(void)
{
    failure_render(&why, rendered, sizeof(rendered));
    return rendered;
}

static char *long_word(char letter, size_t length)
{
    static char word[8192];
    memset(word, letter, length);
    word[length] = '\0';
    return word;
}

static void filling_leaves_nothing_old(void **state)
{
    (void)state;
    memset(&why, 'x', sizeof(why));
    assert_int_equal(fail(&why, FAILURE_STATE, "first %d", 1), -1);
    assert_int_equal(why.kind, FAILURE_STATE);
    assert_int_equal(why.errnum, 0);
    assert_int_equal(why.exit_code, 0);
    assert_string_equal(render(), "first 1");
    assert_int_equal(fail_config(&why, "/a/b", "second"), -1);
    failure_hint(&why, "do %s", "this");
    assert_string_equal(render(), "second (config.json /a/b); do this");
    why.line = 7;
    assert_string_equal(render(), "config.json line 7 (/a/b): second; do this");
    snprintf(why.document, sizeof(why.document), "process document");
    why.pointer[0] = why.hint[0] = '\0';
    assert_string_equal(render(), "process document line 7: second");
    assert_int_equal(fail(&why, FAILURE_BUG, "third"), -1);
    assert_string_equal(render(), "third");
}

static void error_numbers(void **state)
{
    (void)state;
    errno = ENOENT;
    assert_int_equal(fail_sys(&why, "open '%s'", "/x"), -1);
    assert_int_equal(why.kind, FAILURE_HOST);
    assert_int_equal(why.errnum, ENOENT);
    assert_string_equal(why.text, "open '/x': No such file or directory");
    fail_errno(&why, -EBUSY, "y");
    assert_int_equal(why.errnum, EBUSY);
    assert_string_equal(why.text, "y: Device or resource busy");
    fail_errno(&why, EBUSY, "y");
    assert_int_equal(why.errnum, EBUSY);
    fail_errno(&why, 0, "y");
    assert_string_equal(why.text, "y: Success");
    fail_errno(&why, 12345, "y");
    assert_string_equal(why.text, "y: Unknown error 12345");
}

/* A path of 4096 bytes must not push the cause out of the message. */
static void the_cause_survives_a_long_object(void **state)
{
    (void)state;
    const char cause[] = ": Permission denied";
    errno = EACCES;
    fail_sys(&why, "open '%s'", long_word('p', 5000));
    assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
    assert_string_equal(why.text + strlen(why.text) - strlen(cause), cause);
    assert_memory_equal(why.text, "open 'ppp", 9);
    assert_non_null(strstr(why.text, "ppp...: Permission denied"));
    fail_errno(&why, -EACCES, "open '%s'", long_word('p', 5000));
    assert_string_equal(why.text + strlen(why.text) - strlen(cause), cause);
    /* Exactly full, and one byte more. */
    fail_errno(&why, EACCES, "%s", long_word('p', sizeof(why.text) - sizeof(cause)));
    assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
    assert_null(strstr(why.text, "..."));
    fail_errno(&why, EACCES, "%s", long_word('p', sizeof(why.text) - sizeof(cause) + 1));
    assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
    assert_non_null(strstr(why.text, "p...: Permission denied"));
}

static void context_keeps_both_sides(void **state)
{
    (void)state;
    fail(&why, FAILURE_STATE, "inner");
    assert_int_equal(failure_context(&why, "outer %d", 7), -1);
    assert_string_equal(why.text, "outer 7: inner");
    assert_int_equal(why.kind, FAILURE_STATE);
    fail(&why, FAILURE_HOST, "the cause");
    failure_context(&why, "%s", long_word('c', 5000));
    assert_non_null(strstr(why.text, "ccc...: the cause"));
    fail(&why, FAILURE_HOST, "%s", long_word('i', 5000));
    failure_context(&why, "outer");
    assert_memory_equal(why.text, "outer: iii", 10);
    assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
    fail(&why, FAILURE_HOST, "%s", long_word('i', 5000));
    failure_context(&why, "%s", long_word('c', 5000));
    assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
    assert_non_null(strstr(why.text, "ccc...: iii"));
}

static void every_member_is_cut_and_ended(void **state)
{
    (void)state;
    fail_config(&why, long_word('/', 5000), "%s", "t");
    assert_int_equal(strlen(why.pointer), sizeof(why.pointer) - 1);
    failure_hint(&why, "%s", long_word('h', 5000));
    assert_int_equal(strlen(why.hint), sizeof(why.hint) - 1);
    failure_pointer(&why, "%s", long_word('q', 5000));
    assert_int_equal(strlen(why.pointer), sizeof(why.pointer) - 1);
    fail(&why, FAILURE_HOST, "%s", long_word('t', 5000));
    assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
}

/* main.c and the log render into 2048 bytes. */
static void the_largest_failure_fits_its_reader(void **state)
{
    (void)state;
    fail_config(&why, long_word('p', 5000), "%s", "t");
    memset(why.text, 't', sizeof(why.text) - 1);
    failure_hint(&why, "%s", long_word('h', 5000));
    size_t length = strlen(render());
    assert_true(length < sizeof(rendered) - 1);
    assert_string_equal(rendered + length - 3, "hhh");
}

static void rendering_into_little_room(void **state)
{
    (void)state;
    char small[8];
    fail_config(&why, "/pointer", "a text");
    memset(small, 'x', sizeof(small));
    failure_render(&why, small, 1);
    assert_string_equal(small, "");
    assert_int_equal(small[1], 'x');
    failure_render(&why, small, 7);
    assert_string_equal(small, "a text");
    assert_int_equal(small[7], 'x');
    failure_render(&why, small, 8);
    assert_string_equal(small, "a text ");
}

static void words_of_a_config_are_no_format(void **state)
{
    (void)state;
    fail_config(&why, "/%s%n", "'%s'", "%n%s%999999d");
    failure_hint(&why, "%s", "%n");
    failure_context(&why, "%s", "%n");
    assert_string_equal(render(), "%n: '%n%s%999999d' (config.json /%s%n); %n");
}

static void another_document_is_named(void **state)
{
    (void)state;
    char line[256];
    IGNORE_RESULT(fail_config(&why, "/user/uid", "wrong"));
    failure_render(&why, line, sizeof(line));
    assert_string_equal(line, "wrong (config.json /user/uid)");
    assert_int_equal(failure_document(&why, "process document"), -1);
    IGNORE_RESULT(failure_hint(&why, "cure it"));
    failure_render(&why, line, sizeof(line));
    assert_string_equal(line, "wrong (process document /user/uid); cure it");
    /* Without a pointer there is nothing to say about a document. */
    why.pointer[0] = '\0';
    failure_render(&why, line, sizeof(line));
    assert_string_equal(line, "wrong; cure it");
    IGNORE_RESULT(fail(&why, FAILURE_BUG, "new"));
    assert_string_equal(why.document, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filling_leaves_nothing_old),
        cmocka_unit_test(error_numbers),
        cmocka_unit_test(the_cause_survives_a_long_object),
        cmocka_unit_test(context_keeps_both_sides),
        cmocka_unit_test(every_member_is_cut_and_ended),
        cmocka_unit_test(the_largest_failure_fits_its_reader),
        cmocka_unit_test(rendering_into_little_room),
        cmocka_unit_test(words_of_a_config_are_no_format),
        cmocka_unit_test(another_document_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
