/* The writer: what it writes is valid JSON in valid UTF-8 whatever the strings hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "spec/json.h"

#include <cmocka.h> /* last: its fail() macro hides ours */

static void expect(struct json_writer *writer, const char *text)
{
    size_t length = 99;
    assert_string_equal(json_result(writer, &length), text);
    assert_int_equal(length, strlen(text));
    json_writer_free(writer);
}

static void every_value(void **state)
{
    struct json_writer *w = json_writer_new(JSON_COMPACT);
    const char *items[] = {"a", "b"};
    struct string_pair pairs[] = {{(char[]){"k"}, (char[]){"v"}}, {(char[]){""}, (char[]){""}}};
    struct string_map map = {pairs, 2}, none = {NULL, 0};
    (void)state;
    json_open_object(w);
    json_string(w, "s", "x\"\\\n\x01/");
    json_i64(w, "min", INT64_MIN);
    json_i64(w, "max", INT64_MAX);
    json_u64(w, "u", UINT64_MAX);
    json_thousandths(w, "d", 1234005);
    json_bool(w, "t", true);
    json_bool(w, "f", false);
    json_null(w, "n");
    json_strings(w, "a", items, 2);
    json_strings(w, "e", NULL, 0);
    json_map(w, "m", &map);
    json_map(w, "z", &none);
    json_key(w, "list");
    json_open_array(w);
    json_u64(w, NULL, 1);
    json_string(w, NULL, "two");
    json_null(w, NULL);
    json_open_object(w);
    json_close_object(w);
    json_close_array(w);
    json_close_object(w);
    expect(w, "{\"s\":\"x\\\"\\\\\\n\\u0001/\",\"min\":-9223372036854775808,\"max\":9223372036854775807,"
              "\"u\":18446744073709551615,\"d\":1234.005,\"t\":true,\"f\":false,\"n\":null,\"a\":[\"a\",\"b\"],\"e\":[],"
              "\"m\":{\"k\":\"v\",\"\":\"\"},\"z\":{},\"list\":[1,\"two\",null,{}]}");
}

static void pretty(void **state)
{
    struct json_writer *w = json_writer_new(JSON_PRETTY);
    (void)state;
    json_open_object(w);
    json_u64(w, "a", 1);
    json_strings(w, "e", NULL, 0);
    json_close_object(w);
    expect(w, "{\n    \"a\": 1,\n    \"e\": []\n}\n");
}

static void invalid_utf8_is_replaced(void **state)
{
    static const struct { const char *in, *out; } cases[] = {
        {"plain", "\"plain\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"\xff", "\"\xef\xbf\xbd\""},
        {"a\xc3", "\"a\xef\xbf\xbd\""},
        {"\xc3(", "\"\xef\xbf\xbd(\""},
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80x", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\""},
        {"12345678\xfe" "87654321", "\"12345678\xef\xbf\xbd" "87654321\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct json_writer *w = json_writer_new(JSON_COMPACT);
        json_string(w, NULL, cases[i].in);
        expect(w, cases[i].out);
    }
    struct json_writer *w = json_writer_new(JSON_COMPACT);
    json_open_object(w);
    json_string(w, "\xff", "v");
    json_close_object(w);
    expect(w, "{\"\xef\xbf\xbd\":\"v\"}");
}

static void wrong_order_gives_nothing(void **state)
{
    struct json_writer *w = json_writer_new(JSON_COMPACT);
    (void)state;
    json_open_object(w);
    json_u64(w, NULL, 1); /* a number as a member name */
    json_close_object(w);
    expect(w, "");
}

static void empty_and_growing(void **state)
{
    struct json_writer *w = json_writer_new(JSON_COMPACT);
    size_t length;
    (void)state;
    assert_string_equal(json_result(w, NULL), "");
    json_open_array(w);
    for (int i = 0; i < 100000; i++)
        json_u64(w, NULL, 7);
    json_close_array(w);
    const char *text = json_result(w, &length);
    assert_int_equal(length, 200001);
    assert_int_equal(strlen(text), length);
    json_writer_free(w);
    json_writer_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value),
        cmocka_unit_test(pretty),
        cmocka_unit_test(invalid_utf8_is_replaced),
        cmocka_unit_test(wrong_order_gives_nothing),
        cmocka_unit_test(empty_and_growing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
