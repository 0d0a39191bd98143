/* Unit tests of base/text.c: numbers without surprises, words of untrusted sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"

static void unsigned_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        int result;
        uint64_t value;
    } rows[] = {
        {"0", UINT64_MAX, 0, 0},
        {"00000000000000000000000000000000007", UINT64_MAX, 0, 7},
        {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, -ERANGE, 0},
        {"18446744073709551620", UINT64_MAX, -ERANGE, 0},
        {"28446744073709551615", UINT64_MAX, -ERANGE, 0},
        {"184467440737095516150", UINT64_MAX, -ERANGE, 0},
        {"99999999999999999999999999999999", UINT64_MAX, -ERANGE, 0},
        {"4294967295", UINT32_MAX, 0, UINT32_MAX},
        {"4294967296", UINT32_MAX, -ERANGE, 0},
        {"1", 0, -ERANGE, 0},
        {"0", 0, 0, 0},
        {"", UINT64_MAX, -EINVAL, 0},
        {"-1", UINT64_MAX, -EINVAL, 0},
        {"-0", UINT64_MAX, -EINVAL, 0},
        {"+1", UINT64_MAX, -EINVAL, 0},
        {" 1", UINT64_MAX, -EINVAL, 0},
        {"1 ", UINT64_MAX, -EINVAL, 0},
        {"1\n", UINT64_MAX, -EINVAL, 0},
        {"\t1", UINT64_MAX, -EINVAL, 0},
        {"0x10", UINT64_MAX, -EINVAL, 0},
        {"1e3", UINT64_MAX, -EINVAL, 0},
        {"1.0", UINT64_MAX, -EINVAL, 0},
        {"1,000", UINT64_MAX, -EINVAL, 0},
        {"1k", UINT64_MAX, -EINVAL, 0},
        {"/", UINT64_MAX, -EINVAL, 0},
        {":", UINT64_MAX, -EINVAL, 0},
        {"\xd9\xa1", UINT64_MAX, -EINVAL, 0}, /* ARABIC-INDIC DIGIT ONE */
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        uint64_t value = 4711;
        print_message("# '%s'\n", rows[i].text);
        assert_int_equal(text_to_u64(rows[i].text, rows[i].max, &value), rows[i].result);
        assert_true(value == (rows[i].result == 0 ? rows[i].value : 4711)); /* set on success only */
    }
}

static void signed_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t min, max;
        int result;
        int64_t value;
    } rows[] = {
        {"0", INT64_MIN, INT64_MAX, 0, 0},
        {"-0", INT64_MIN, INT64_MAX, 0, 0},
        {"-1", INT64_MIN, INT64_MAX, 0, -1},
        {"9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX},
        {"9223372036854775808", INT64_MIN, INT64_MAX, -ERANGE, 0},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, -ERANGE, 0},
        {"18446744073709551615", INT64_MIN, INT64_MAX, -ERANGE, 0},
        {"-18446744073709551615", INT64_MIN, INT64_MAX, -ERANGE, 0},
        {"-1000", -1000, 1000, 0, -1000},
        {"-1001", -1000, 1000, -ERANGE, 0},
        {"1001", -1000, 1000, -ERANGE, 0},
        {"-1", 0, 10, -ERANGE, 0},
        {"", INT64_MIN, INT64_MAX, -EINVAL, 0},
        {"-", INT64_MIN, INT64_MAX, -EINVAL, 0},
        {"--1", INT64_MIN, INT64_MAX, -EINVAL, 0},
        {"-+1", INT64_MIN, INT64_MAX, -EINVAL, 0},
        {"+1", INT64_MIN, INT64_MAX, -EINVAL, 0},
        {"- 1", INT64_MIN, INT64_MAX, -EINVAL, 0},
        {"1-", INT64_MIN, INT64_MAX, -EINVAL, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        int64_t value = 4711;
        print_message("# '%s'\n", rows[i].text);
        assert_int_equal(text_to_i64(rows[i].text, rows[i].min, rows[i].max, &value), rows[i].result);
        assert_true(value == (rows[i].result == 0 ? rows[i].value : 4711));
    }
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
        int result;
    } rows[] = {
        {"0", 0, 0},
        {"1000", 1000, 0},
        {"-1", -1, 0},
        {"5b", 5, 0},
        {"1k", 1024, 0},
        {"512M", 536870912, 0},
        {"512mb", 536870912, 0},
        {"64KiB", 65536, 0},
        {"2GIB", 2147483648, 0},
        {"1.5g", 1610612736, 0},
        {"0.25k", 256, 0},
        {"1.1", 1, 0},
        {"1t", 1099511627776, 0},
        {"7E", 8070450532247928832, 0},
        {"9223372036854775807", INT64_MAX, 0},
        {"9223372036854775808", 0, -ERANGE},
        {"8e", 0, -ERANGE},
        {"99999999999999999999999999999999999", 0, -EINVAL},
        {"", 0, -EINVAL},
        {"M", 0, -EINVAL},
        {"-2", 0, -EINVAL},
        {"-1M", 0, -EINVAL},
        {"+5", 0, -EINVAL},
        {" 5", 0, -EINVAL},
        {"5 M", 0, -EINVAL},
        {"1.", 0, -EINVAL},
        {".5g", 0, -EINVAL},
        {"1..5g", 0, -EINVAL},
        {"1.0000000000000000001g", 0, -EINVAL},
        {"5x", 0, -EINVAL},
        {"5MM", 0, -EINVAL},
        {"5Mi5", 0, -EINVAL},
        {"0x10", 0, -EINVAL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        int64_t bytes = 4711;
        assert_int_equal(text_to_size(rows[i].text, &bytes), rows[i].result);
        assert_true(bytes == (rows[i].result == 0 ? rows[i].bytes : 4711));
    }
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t microseconds;
        int result;
    } rows[] = {
        {"0", 0, 0},
        {"0s", 0, 0},
        {"5s", 5000000, 0},
        {"250ms", 250000, 0},
        {"10us", 10, 0},
        {"10\u00b5s", 10, 0},
        {"1m30s", 90000000, 0},
        {"1h0m0.5s", 3600500000, 0},
        {"1.5h", 5400000000, 0},
        {"0.0000019s", 1, 0},
        {"2147483647h", INT64_C(7730941129200000000), 0},
        {"2147483647h2147483647h", 0, -ERANGE},
        {"2147483648s", 0, -ERANGE},
        {"99999999999999999999s", 0, -ERANGE},
        {"", 0, -EINVAL},
        {"5", 0, -EINVAL},
        {"-5s", 0, -EINVAL},
        {"s", 0, -EINVAL},
        {".5s", 0, -EINVAL},
        {"5 s", 0, -EINVAL},
        {"5d", 0, -EINVAL},
        {"5s3", 0, -EINVAL},
        {"1s,", 0, -EINVAL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        int64_t microseconds = 4711;
        assert_int_equal(text_to_duration(rows[i].text, &microseconds), rows[i].result);
        assert_true(microseconds == (rows[i].result == 0 ? rows[i].microseconds : 4711));
    }
}

static void predicates(void **state)
{
    (void)state;
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_false(text_equal("", NULL));
    assert_true(text_equal("a", "a"));
    assert_false(text_equal("a", "ab"));
    assert_true(text_starts("abc", ""));
    assert_true(text_starts("abc", "abc"));
    assert_false(text_starts("ab", "abc"));
    assert_true(text_ends("abc", ""));
    assert_true(text_ends("abc", "abc"));
    assert_false(text_ends("bc", "abc"));
    assert_false(text_ends("", "c"));
}

static void buffer_grows(void **state)
{
    (void)state;
    struct text text = {0};
    text_add(&text, "");
    assert_string_equal(text.data, "");
    for (int i = 0; i < 5000; i++)
        text_format(&text, "%d,", i % 10);
    assert_int_equal(text.length, 10000);
    assert_int_equal(strlen(text.data), 10000);
    assert_string_equal(text.data + 9996, "8,9,");
    text_add_n(&text, "\0\0", 2);
    assert_int_equal(text.length, 10002);
    assert_int_equal(text.data[10002], 0);
    text_format(&text, "%s", "");
    assert_int_equal(text.length, 10002);
    text_done(&text);
    assert_null(text.data);
    /* Exactly to the border of the room and over it. */
    char *exact = memory_new(600);
    for (size_t length = 250; length < 520; length++) {
        memset(exact, 'e', length);
        exact[length] = '\0';
        text_add(&text, exact);
        assert_string_equal(text.data, exact);
        text_done(&text);
        text_format(&text, "%s", exact);
        assert_string_equal(text.data, exact);
        text_done(&text);
    }
    free(exact);
}

static void sanitize_rows(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {"plain ~", "plain ~"},
        {"line\nline\tend", "line line end"},
        {"\x01\x02\x1f\x7f\r\b\v", "???????"},
        {"\x1b[31mred", "?[31mred"},
        {"\xc3\xa9", "\xc3\xa9"},
        {"\xe2\x82\xac", "\xe2\x82\xac"},
        {"\xf0\x9f\x90\xb3", "\xf0\x9f\x90\xb3"},
        {"\xc2\xa0", "\xc2\xa0"},
        {"\xdf\xbf", "\xdf\xbf"},
        {"\xe0\xa0\x80", "\xe0\xa0\x80"},
        {"\xed\x9f\xbf", "\xed\x9f\xbf"},
        {"\xee\x80\x80", "\xee\x80\x80"},
        {"\xef\xbf\xbf", "\xef\xbf\xbf"},
        {"\xf0\x90\x80\x80", "\xf0\x90\x80\x80"},
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        /* Control bytes of the second kind: terminals take U+009B for ESC [. */
        {"\xc2\x80", "??"},
        {"\xc2\x9b" "31m", "??31m"},
        {"\xc2\x9f", "??"},
        /* A continuation without a beginning. */
        {"\x80", "?"},
        {"\xbf\xbf", "??"},
        /* Overlong forms: of '/', of NUL, of three and four bytes. */
        {"\xc0\xaf", "??"},
        {"\xc0\x80", "??"},
        {"\xc1\xbf", "??"},
        {"\xe0\x80\xaf", "???"},
        {"\xe0\x9f\xbf", "???"},
        {"\xf0\x80\x80\xaf", "????"},
        {"\xf0\x8f\xbf\xbf", "????"},
        /* Surrogates. */
        {"\xed\xa0\x80", "???"},
        {"\xed\xbf\xbf", "???"},
        {"\xed\xa0\xbd\xed\xb0\x80", "??????"},
        /* Above U+10FFFF, and bytes that begin nothing. */
        {"\xf4\x90\x80\x80", "????"},
        {"\xf5\x80\x80\x80", "????"},
        {"\xf8\x88\x80\x80\x80", "?????"},
        {"\xfc\x84\x80\x80\x80\x80", "??????"},
        {"\xfe\xff", "??"},
        /* Cut sequences: what follows is kept. */
        {"\xc3", "?"},
        {"\xc3x", "?x"},
        {"\xe2\x82", "??"},
        {"\xe2\x82x", "??x"},
        {"\xe2x\x82", "?x?"},
        {"\xf0\x9f\x90", "???"},
        {"\xf0\x9f\x90\xc3\xa9", "???\xc3\xa9"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char out[64];
        char *in = strdup(rows[i].in); /* of its exact size: a sanitizer sees a read beyond */
        text_sanitize(out, sizeof(out), in);
        print_message("# row %zu\n", i);
        assert_string_equal(out, rows[i].out);
        text_sanitize(out, sizeof(out), rows[i].out);
        assert_string_equal(out, rows[i].out); /* what came out is clean */
        free(in);
    }
}

/* No sequence is cut in the middle, nothing is written beyond the room. */
static void sanitize_into_little_room(void **state)
{
    (void)state;
    static const char in[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3z";
    static const char *const whole[] = {"", "", "a", "a", "a\xc3\xa9", "a\xc3\xa9", "a\xc3\xa9", "a\xc3\xa9\xe2\x82\xac"};
    for (size_t size = 1; size < ARRAY_LENGTH(whole); size++) {
        char *out = malloc(size);
        text_sanitize(out, size, in);
        assert_string_equal(out, whole[size]);
        free(out);
    }
    char out[sizeof(in)];
    text_sanitize(out, sizeof(out), in);
    assert_string_equal(out, in);
}

/* Every string of one to three bytes comes out as printable, valid UTF-8 of no more bytes. */
static void sanitize_is_total(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 1ul << 24; n += n < 1ul << 16 ? 1 : 251) {
        char in[4] = {(char)(n & 0xff), (char)(n >> 8 & 0xff), (char)(n >> 16 & 0xff), 0}, out[8], again[8];
        text_sanitize(out, sizeof(out), in);
        text_sanitize(again, sizeof(again), out);
        if (strcmp(out, again) != 0 || strlen(out) > strlen(in))
            assert_int_equal(n, 0); /* shows the string */
        for (const char *c = out; *c; c++)
            if ((unsigned char)*c < 0x20 || *c == 0x7f)
                assert_int_equal(n, 0);
    }
}

static void pointer_tokens(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *token;
    } rows[] = {
        {"eth0", "eth0"},
        {"net/ipv4/conf/a~b", "net~1ipv4~1conf~1a~0b"},
        {"~/", "~0~1"},
        {"~1", "~01"},
        {"a\033b\n", "a?b "},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char out[POINTER_TOKEN_SIZE];
        print_message("# row %zu\n", i);
        text_pointer_token(out, rows[i].name, strlen(rows[i].name));
        assert_string_equal(out, rows[i].token);
    }
    char long_name[1000], out[POINTER_TOKEN_SIZE];
    memset(long_name, '/', sizeof(long_name));
    text_pointer_token(out, long_name, sizeof(long_name));
    assert_true(strlen(out) >= 60 && strlen(out) < sizeof(out) && strlen(out) % 2 == 0);
    text_pointer_token(out, "a\0b", 3);
    assert_string_equal(out, "a?b");
}

static void words_of_a_line(void **state)
{
    const char *line = "  1: FLOCK  WRITE\nnext";
    (void)state;
    assert_ptr_equal(text_word(line, 0), line + 2);
    assert_ptr_equal(text_word(line, 2), line + 12);
    assert_null(text_word(line, 3)); /* not of the next line */
    assert_null(text_word("", 0));
    assert_null(text_word("   ", 0));
    assert_null(text_word("one ", 1));
}

static void times_are_those_of_the_calendar(void **state)
{
    (void)state;
    char ours[TEXT_TIME_SIZE], theirs[64];
    /* Every day's first and last second from 1970 to 2400, then strides to the end of 9999. */
    for (int64_t at = 0; at < INT64_C(253402300800); at += at < INT64_C(13569465600) ? 86399 : INT64_C(7654321)) {
        time_t time = (time_t)at;
        struct tm parts;
        assert_non_null(gmtime_r(&time, &parts));
        strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S", &parts);
        if (strcmp(text_utc(ours, at), theirs) != 0)
            assert_string_equal(ours, theirs);
    }
    assert_string_equal(text_utc(ours, INT64_C(253402300799)), "9999-12-31T23:59:59");
    assert_string_equal(text_utc(ours, 951782400), "2000-02-29T00:00:00");
}

/* The words are glibc's; where that is the C library of the tests, its own are at hand. */
static void error_words_are_those_of_glibc(void **state)
{
    (void)state;
#ifdef __GLIBC__
    char theirs[64]; /* strerror has one place for all numbers that it does not know */
    for (int errnum = 1; errnum < 134; errnum++)
        assert_string_equal(text_errno(errnum), strerror_r(errnum, theirs, sizeof(theirs)));
#endif
    assert_string_equal(text_errno(EBUSY), "Device or resource busy");
    assert_string_equal(text_errno(ELOOP), "Too many levels of symbolic links");
    assert_string_equal(text_errno(ENOENT), "No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsigned_numbers),
        cmocka_unit_test(signed_numbers),
        cmocka_unit_test(sizes),
        cmocka_unit_test(durations),
        cmocka_unit_test(predicates),
        cmocka_unit_test(buffer_grows),
        cmocka_unit_test(sanitize_rows),
        cmocka_unit_test(sanitize_into_little_room),
        cmocka_unit_test(sanitize_is_total),
        cmocka_unit_test(pointer_tokens),
        cmocka_unit_test(words_of_a_line),
        cmocka_unit_test(times_are_those_of_the_calendar),
        cmocka_unit_test(error_words_are_those_of_glibc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
