/* The table-driven reader: every kind of member, every refusal with its exact words, pointer and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "spec/json_table.h"
#include "spec/read.h"

#include <cmocka.h> /* last: its fail() macro hides ours */

struct part { char *name; uint64_t size; char *key; };
struct sample {
    bool flag;
    struct optional_bool maybe_flag;
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
    struct optional_u64 maybe_u64, wide_u64;
    struct optional_i64 maybe_i64, wide_i64;
    char *text, *path, *filled, *chosen, *checked, *empty_absent;
    unsigned word;
    char letter;
    bool there;
    struct { bool set; char *inner; } nested;
    struct strings list, needed_list;
    uint32_t *numbers;
    size_t numbers_count;
    bool numbers_set;
    struct string_map map;
    struct part *parts;
    size_t parts_count;
    struct part *named;
    size_t named_count;
    char placed[64];
    bool finished, finished_saw_flag;
};

static const char *const words[] = {"zero", "one", "two", NULL};

static const char *check_hash(const char *value)
{
    return value[0] == '#' ? NULL : "a text that begins with #";
}

static const char *take_letter(void *target, const char *value)
{
    struct sample *sample = target;
    if (strlen(value) != 1)
        return "one letter";
    sample->letter = value[0];
    return NULL;
}

static const char *place_part(void *holder, void *element, size_t index)
{
    struct sample *sample = holder;
    const struct part *part = element;
    size_t used = strlen(sample->placed);
    if (text_equal(part->name, "bad"))
        return "a bad part";
    snprintf(sample->placed + used, sizeof(sample->placed) - used, "%zu:%s;", index, part->name);
    return NULL;
}

static const char *finish_sample(void *target, const struct json_seen *seen)
{
    struct sample *sample = target;
    sample->finished = true;
    sample->finished_saw_flag = json_has(seen, "flag");
    return text_equal(sample->text, "unfinished") ? "the sample is not finished" : NULL;
}

static const struct json_member part_members[] = {
    JSON_FIELD(struct part, "name", JSON_STRING, name, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct part, "size", JSON_U64, size, 0, UINT64_MAX),
};
static const struct json_object part = {JSON_TABLE(struct part, part_members), .key_offset = offsetof(struct part, key)};

static const struct json_member inner_members[] = {
    JSON_FIELD(struct sample, "inner", JSON_STRING, nested.inner, .flags = JSON_REQUIRED),
};
static const struct json_object inner = {JSON_TABLE(struct sample, inner_members)};
static const struct json_object closed = {JSON_TABLE(struct sample, inner_members), .unknown = "no such thing"};

static const struct json_member sample_members[] = {
    JSON_FIELD(struct sample, "flag", JSON_BOOL, flag),
    JSON_FIELD(struct sample, "maybeFlag", JSON_OPTIONAL_BOOL, maybe_flag),
    JSON_NUMBER(struct sample, "u32", JSON_U32, u32, 5, 4294967294),
    JSON_NUMBER(struct sample, "u64", JSON_U64, u64, 0, UINT64_MAX),
    JSON_NUMBER(struct sample, "i64", JSON_I64, i64, INT64_MIN, INT64_MAX),
    JSON_NUMBER(struct sample, "maybeU64", JSON_OPTIONAL_U64, maybe_u64, 0, 100),
    JSON_NUMBER(struct sample, "maybeI64", JSON_OPTIONAL_I64, maybe_i64, -10, 10),
    JSON_NUMBER(struct sample, "wideU64", JSON_OPTIONAL_U64, wide_u64, 0, UINT64_MAX),
    JSON_NUMBER(struct sample, "wideI64", JSON_OPTIONAL_I64, wide_i64, INT64_MIN, INT64_MAX),
    JSON_FIELD(struct sample, "text", JSON_STRING, text),
    JSON_FIELD(struct sample, "path", JSON_STRING, path, .flags = JSON_ABSOLUTE),
    JSON_FIELD(struct sample, "filled", JSON_STRING, filled, .flags = JSON_NON_EMPTY),
    JSON_FIELD(struct sample, "chosen", JSON_STRING, chosen, .words = words),
    JSON_FIELD(struct sample, "checked", JSON_STRING, checked, .check = check_hash),
    JSON_FIELD(struct sample, "emptyAbsent", JSON_STRING, empty_absent, .flags = JSON_EMPTY_IS_ABSENT | JSON_ABSOLUTE),
    JSON_FIELD(struct sample, "word", JSON_WORD, word, .words = words),
    {.name = "letter", .kind = JSON_TAKE, .take = take_letter},
    {.name = "there", .kind = JSON_PRESENT, .present = JSON_AT(struct sample, there)},
    JSON_INLINE("nested", inner, .present = JSON_AT(struct sample, nested.set)),
    JSON_INLINE("closed", closed),
    JSON_TEXTS(struct sample, "list", list, .flags = JSON_ABSOLUTE),
    JSON_TEXTS(struct sample, "neededList", needed_list, .flags = JSON_NON_EMPTY_LIST),
    JSON_NUMBER(struct sample, "numbers", JSON_U32S, numbers, 0, 100, .count = offsetof(struct sample, numbers_count),
                .present = JSON_AT(struct sample, numbers_set)),
    JSON_PAIRS(struct sample, "map", map, .check_key = check_hash),
    JSON_LIST(struct sample, "parts", parts, parts_count, part),
    JSON_NAMED(struct sample, "named", named, named_count, part),
    {.name = "placed", .kind = JSON_ARRAY, .object = &part, .element = place_part},
};
static const struct json_object sample_type = {
    .document = "sample", JSON_TABLE(struct sample, sample_members), .finish = finish_sample};

static struct arena arena;
static struct failure why;
static struct sample sample;

static int read_n(const char *text, size_t length)
{
    arena_done(&arena);
    memset(&sample, 0, sizeof(sample));
    memset(&why, 0, sizeof(why));
    if (json_read(&sample_type, text, length, &arena, &sample, &why) == 0)
        return 0;
    if (why.line > 0)
        failure_context(&why, "%s line %u", failure_document_name(&why), why.line); /* so that one string shows both */
    return -1;
}

static void accept(const char *text)
{
    if (read_n(text, strlen(text)) != 0)
        fail_msg("refused: %s\n%s: %s", text, why.pointer, why.text);
}

struct bad { const char *text, *pointer, *sentence; };

/* ---- all findings at once ---- */

/* "line pointer: text" of each finding, one a line. */
static char *collect(const char *text, int expected)
{
    static char all[4096];
    struct findings findings;
    size_t used = 0;
    arena_done(&arena);
    memset(&sample, 0, sizeof(sample));
    findings_collect(&findings, &why);
    if (json_read_all(&sample_type, text, strlen(text), &arena, &sample, &findings) != expected)
        fail_msg("%s: expected %d", text, expected);
    all[0] = '\0';
    for (size_t i = 0; i < findings.count; i++)
        used += (size_t)snprintf(all + used, sizeof(all) - used, "%u %s: %s\n", findings.items[i].line, findings.items[i].pointer,
                                 findings.items[i].text);
    findings_done(&findings);
    return all;
}

struct many { const char *text, *found; };

static void all_findings(void **state)
{
    static const struct many cases[] = {
        {"{\"flag\":1,\n\"text\":5,\n\"u64\":7,\"u32\":1}",
         "1 /flag: expected true or false, found the number 1\n"
         "2 /text: expected a string, found the number 5\n"
         "3 /u32: expected an integer from 5 to 4294967294, found the number 1\n"},
        /* The wrong value may be anything, and what is in it is not looked at. */
        {"{\"flag\":{\"a\":[{\"flag\":1}]},\"list\":{\"x\":1},\"nested\":[[{}]],\"u64\":[\"\"],\"numbers\":\"\"}",
         "1 /flag: expected true or false, found an object\n1 /list: expected an array of strings, found an object\n"
         "1 /nested: expected an object, found an array\n"
         "1 /u64: expected an integer from 0 to 18446744073709551615, found an array\n"
         "1 /numbers: expected an array of integers, found the string \"\"\n"},
        /* A member that was refused is not missing, one that is null is. */
        {"{\"nested\":{\"inner\":1},\"parts\":[{\"name\":2},{\"name\":null},{\"size\":1}]}",
         "1 /nested/inner: expected a string, found the number 1\n1 /parts/0/name: expected a string, found the number 2\n"
         "1 /parts/1/name: expected a string, found null\n1 /parts/2/name: the required member \"name\" is missing\n"},
        {"{\"neededList\":[1,2],\"list\":[null,\"a\"],\"letter\":\"ab\",\"chosen\":\"x\\u0000\"}",
         "1 /neededList/0: expected a string, found the number 1\n1 /neededList/1: expected a string, found the number 2\n"
         "1 /list/0: expected an absolute path, found null\n1 /list/1: expected an absolute path, found the string \"a\"\n"
         "1 /letter: expected one letter, found the string \"ab\"\n"
         "1 /chosen: a NUL byte (\\u0000) is not allowed in this string\n"},
        {"{\"map\":{\"x\":1,\"#y\":1,\"\":\"\"},\"named\":{\"a\":1,\"b\":{\"name\":\"\"}},\"closed\":{\"q\":[{}],\"inner\":\"\"}}",
         "1 /map/x: expected a text that begins with # as the member name, found the string \"x\"\n"
         "1 /map/#y: expected a string, found the number 1\n1 /map/: an empty member name is not allowed here\n"
         "1 /named/a: expected an object, found the number 1\n1 /closed/q: no such thing\n"},
        {"{\"flag\":true,\n\"flag\":{\"x\":1},\n\"y\":1,\n\"x\":1,\n\"y\":2,\n\"x\":3,\n\"y\":4}",
         "2 /flag: this member name occurs twice in one object\n5 /y: this member name occurs twice in one object\n"
         "6 /x: this member name occurs twice in one object\n7 /y: this member name occurs twice in one object\n"},
        /* What only several members show is not judged where one of them was refused. */
        {"{\"text\":\"unfinished\",\"flag\":1}", "1 /flag: expected true or false, found the number 1\n"},
        {"{\"placed\":[{\"name\":\"bad\"},{\"name\":1},{\"name\":\"ok\"}]}",
         "1 /placed/0: a bad part\n1 /placed/1/name: expected a string, found the number 1\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_string_equal(collect(cases[i].text, 0), cases[i].found);
    assert_string_equal(sample.placed, "2:ok;"); /* an element keeps its own number */

    /* What is no JSON ends it. */
    assert_string_equal(collect("{\"flag\":1,\n\"x\":}", -1),
                        "1 /flag: expected true or false, found the number 1\n"
                        "2 /x: not valid JSON: unallowed token at this point in JSON text\n");
    assert_string_equal(collect("", -1), "0 : sample is empty\n");
    assert_string_equal(collect("[{\"flag\":1}]", 0), "1 : expected an object, found an array\n");
}

/* The structs after refusals: refused values absent, the elements that are left in order. */
static void what_is_left(void **state)
{
    (void)state;
    collect("{\"flag\":true,\"u64\":\"x\",\"text\":1,\"nested\":{\"inner\":1},\"list\":[\"/a\",1,\"/b\"],\"numbers\":[1,\"\",2],"
            "\"map\":{\"#a\":\"1\",\"b\":\"2\",\"#c\":\"3\"},\"parts\":[{\"size\":1},{\"name\":\"b\",\"size\":\"\"},{\"name\":\"c\"}]}", 0);
    assert_true(sample.flag && sample.u64 == 0 && sample.text == NULL);
    assert_false(sample.nested.set); /* its required member has no value */
    assert_int_equal(sample.list.count, 2);
    assert_string_equal(sample.list.items[1], "/b");
    assert_true(sample.numbers_set && sample.numbers_count == 2 && sample.numbers[1] == 2);
    assert_int_equal(sample.map.count, 2);
    assert_string_equal(sample.map.items[1].key, "#c");
    assert_int_equal(sample.parts_count, 2);
    assert_string_equal(sample.parts[0].name, "b");
    assert_string_equal(sample.parts[1].name, "c");
}

static void too_many_findings(void **state)
{
    struct text text = {0};
    struct findings findings;
    (void)state;
    text_add(&text, "{\"list\":[1");
    for (int i = 0; i < 3 * FINDINGS_LIMIT; i++)
        text_add(&text, ",1");
    text_add(&text, "]}");
    findings_collect(&findings, &why);
    memset(&sample, 0, sizeof(sample));
    assert_int_equal(json_read_all(&sample_type, text.data, text.length, &arena, &sample, &findings), -1);
    assert_int_equal(findings.count, FINDINGS_LIMIT);
    findings_done(&findings);
    text_done(&text);
}

static void lines(void **state)
{
    static const char text[] = "{\n\"a\": [1,\n {\"b~/c\": {\"d\":\n 5}},\n\n [2, [\"x\",\n null]]],\n \"e\": {\"a\": 1,\n \"\": true},\n\"\\u0066\": \"\"\n}\n";
    static const struct { const char *pointer; unsigned line; } cases[] = {
        {"", 1}, {"/a", 2}, {"/a/0", 2}, {"/a/1", 3}, {"/a/1/b~0~1c", 3}, {"/a/1/b~0~1c/d", 4}, {"/a/2", 6}, {"/a/2/0", 6},
        {"/a/2/1/1", 7}, {"/e", 8}, {"/e/a", 8}, {"/e/", 9}, {"/f", 10},
        /* Not there: what is around it. */
        {"/g", 1}, {"/a/3", 2}, {"/a/1/x/y", 3}, {"/e/a/b", 8}, {"/a/2/1/2", 6}, {"/a/b", 2},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (json_line_of(text, sizeof(text) - 1, cases[i].pointer) != cases[i].line)
            fail_msg("%s: line %u, expected %u", cases[i].pointer, json_line_of(text, sizeof(text) - 1, cases[i].pointer), cases[i].line);
}

static void refuse(const struct bad *bad)
{
    if (read_n(bad->text, strlen(bad->text)) != -1)
        fail_msg("accepted: %s", bad->text);
    if (strcmp(why.pointer, bad->pointer) != 0 || strcmp(why.text, bad->sentence) != 0)
        fail_msg("%s\n  expected %s: %s\n  found    %s: %s", bad->text, bad->pointer, bad->sentence, why.pointer, why.text);
    assert_int_equal(why.kind, FAILURE_CONFIG);
}

static void scalars(void **state)
{
    (void)state;
    accept("{\"flag\":true,\"maybeFlag\":false,\"u32\":4294967294,\"u64\":18446744073709551615,\"i64\":-9223372036854775808,"
           "\"maybeU64\":0,\"maybeI64\":-10,\"text\":\"\",\"path\":\"/\",\"filled\":\"x\",\"chosen\":\"one\",\"checked\":\"#1\","
           "\"word\":\"two\",\"letter\":\"q\",\"there\":{\"deep\":[1,{}]}}");
    assert_true(sample.flag);
    assert_true(sample.maybe_flag.set);
    assert_false(sample.maybe_flag.value);
    assert_true(sample.u32 == 4294967294u);
    assert_true(sample.u64 == UINT64_MAX);
    assert_true(sample.i64 == INT64_MIN);
    assert_true(sample.maybe_u64.set && sample.maybe_u64.value == 0);
    assert_true(sample.maybe_i64.set && sample.maybe_i64.value == -10);
    assert_string_equal(sample.text, "");
    assert_string_equal(sample.path, "/");
    assert_string_equal(sample.filled, "x");
    assert_string_equal(sample.chosen, "one");
    assert_string_equal(sample.checked, "#1");
    assert_int_equal(sample.word, 2);
    assert_int_equal(sample.letter, 'q');
    assert_true(sample.there);
    assert_true(sample.finished && sample.finished_saw_flag);
}

/* spec: JSON-04 */
static void exact_integers(void **state)
{
    (void)state;
    accept("{\"u64\":9007199254740993}"); /* 2^53 + 1, which no double holds */
    assert_true(sample.u64 == UINT64_C(9007199254740993));
    accept("{\"i64\":9223372036854775807}");
    assert_true(sample.i64 == INT64_MAX);
    accept("{\"i64\":-0,\"u64\":-0}");
    assert_true(sample.i64 == 0 && sample.u64 == 0);
    accept("{\"wideU64\":18446744073709551613,\"wideI64\":-9223372036854775807,\"i64\":-9007199254740993}");
    assert_true(sample.wide_u64.set && sample.wide_u64.value == UINT64_MAX - 2);
    assert_true(sample.wide_i64.set && sample.wide_i64.value == INT64_MIN + 1);
    assert_true(sample.i64 == -INT64_C(9007199254740993));
    accept("{\"u64\":18446744073709551615,\"wideU64\":9007199254740993,\"wideI64\":-9223372036854775808}");
    assert_true(sample.u64 == UINT64_MAX && sample.wide_u64.value == UINT64_C(9007199254740993) && sample.wide_i64.value == INT64_MIN);
}

/* spec: JSON-06 */
static void null_and_empty_are_absent(void **state)
{
    (void)state;
    accept("{\"flag\":null,\"maybeFlag\":null,\"u32\":null,\"maybeU64\":null,\"text\":null,\"path\":null,\"word\":null,"
           "\"letter\":null,\"there\":null,\"nested\":null,\"list\":null,\"neededList\":null,\"numbers\":null,"
           "\"map\":{\"#a\":null},\"parts\":null,\"named\":{\"a\":null},\"emptyAbsent\":\"\"}");
    struct sample expected = {.finished = true};
    assert_memory_equal(&sample, &expected, sizeof(sample));
}

static void collections(void **state)
{
    (void)state;
    accept("{\"nested\":{\"inner\":\"i\",\"more\":[[]]},\"list\":[\"/a\",\"/b\",\"/c\"],\"neededList\":[\"\"],\"numbers\":[],"
           "\"map\":{\"#k\":\"v\",\"#\\u00e9\":\"\"},\"parts\":[{\"name\":\"p\",\"size\":7},{\"name\":\"q\"}],"
           "\"named\":{\"first\":{\"name\":\"n\"},\"s/~\":{\"name\":\"m\",\"size\":1}},\"placed\":[{\"name\":\"x\"},{\"name\":\"y\"}]}");
    assert_true(sample.nested.set);
    assert_string_equal(sample.nested.inner, "i");
    assert_int_equal(sample.list.count, 3);
    assert_string_equal(sample.list.items[2], "/c");
    assert_int_equal(sample.needed_list.count, 1);
    assert_true(sample.numbers_set);
    assert_int_equal(sample.numbers_count, 0);
    assert_int_equal(sample.map.count, 2);
    assert_string_equal(sample.map.items[1].key, "#\xc3\xa9");
    assert_string_equal(sample.map.items[0].value, "v");
    assert_int_equal(sample.parts_count, 2);
    assert_true(sample.parts[0].size == 7 && sample.parts[1].size == 0);
    assert_string_equal(sample.parts[1].name, "q");
    assert_int_equal(sample.named_count, 2);
    assert_string_equal(sample.named[1].key, "s/~");
    assert_string_equal(sample.named[1].name, "m");
    assert_string_equal(sample.placed, "0:x;1:y;");
    accept("{\"numbers\":[0,100,7]}");
    assert_true(sample.numbers_count == 3 && sample.numbers[1] == 100);
}

/* spec: EXT-01 */
static void unknown_members(void **state)
{
    (void)state;
    accept("{\"x\":1.5e300,\"y\":{\"z\":[null,true,\"\\u0000\",{\"a\":{},\"b\":[]}]},\"flag\":true,\"\":0,\"\\u0000\":0}");
    assert_true(sample.flag);
    accept("{\"flag\\u0000\":1,\"u32\\u0000xyz\":1,\"fla\":1}"); /* a NUL does not end a name */
    assert_false(sample.flag);
    accept("{\"x\":{\"flag\":1,\"u32\":\"no\"},\"parts\":[{\"x\":[[[]]],\"name\":\"n\"}]}");
    assert_string_equal(sample.parts[0].name, "n");
}

/* spec: JSON-05 */
static void wrong_values(void **state)
{
    static const struct bad cases[] = {
        {"{\"flag\":1}", "/flag", "sample line 1: expected true or false, found the number 1"},
        {"{\n\"flag\":\"true\"}", "/flag", "sample line 2: expected true or false, found the string \"true\""},
        {"{\"maybeFlag\":{}}", "/maybeFlag", "sample line 1: expected true or false, found an object"},
        {"{\"u32\":\"abc\"}", "/u32", "sample line 1: expected an integer from 5 to 4294967294, found the string \"abc\""},
        {"{\"u32\":4294967295}", "/u32",
         "sample line 1: expected an integer from 5 to 4294967294, found the number 4294967295"},
        {"{\"u32\":4}", "/u32", "sample line 1: expected an integer from 5 to 4294967294, found the number 4"},
        {"{\"u32\":-1}", "/u32", "sample line 1: expected an integer from 5 to 4294967294, found the number -1"},
        {"{\"u32\":7.0}", "/u32", "sample line 1: expected an integer from 5 to 4294967294, found the number 7.0"},
        {"{\"u32\":1e1}", "/u32", "sample line 1: expected an integer from 5 to 4294967294, found the number 1e1"},
        {"{\"u32\":true}", "/u32", "sample line 1: expected an integer from 5 to 4294967294, found true"},
        {"{\"u64\":18446744073709551616}", "/u64",
         "sample line 1: expected an integer from 0 to 18446744073709551615, found the number 18446744073709551616"},
        {"{\"u64\":-1}", "/u64",
         "sample line 1: expected an integer from 0 to 18446744073709551615, found the number -1"},
        {"{\"i64\":9223372036854775808}", "/i64",
         "sample line 1: expected an integer from -9223372036854775808 to 9223372036854775807, found the number "
         "9223372036854775808"},
        {"{\"i64\":-9223372036854775809}", "/i64",
         "sample line 1: expected an integer from -9223372036854775808 to 9223372036854775807, found the number "
         "-9223372036854775809"},
        {"{\"maybeU64\":101}", "/maybeU64", "sample line 1: expected an integer from 0 to 100, found the number 101"},
        {"{\"maybeI64\":-11}", "/maybeI64", "sample line 1: expected an integer from -10 to 10, found the number -11"},
        {"{\"maybeI64\":[]}", "/maybeI64", "sample line 1: expected an integer from -10 to 10, found an array"},
        {"{\"u64\":1111111111111111111111111111111111111111111111111111111111111111111111}", "/u64",
         "sample line 1: expected an integer from 0 to 18446744073709551615, found the number "
         "11111111111111111111111111111111111111111111111111111111…"},
        {"{\"text\":5}", "/text", "sample line 1: expected a string, found the number 5"},
        {"{\"text\":\"a\\u0000b\"}", "/text", "sample line 1: a NUL byte (\\u0000) is not allowed in this string"},
        {"{\"path\":\"a\\u0007b\"}", "/path", "sample line 1: expected an absolute path, found the string \"a?b\""},
        {"{\"path\":\"\"}", "/path", "sample line 1: expected an absolute path, found the string \"\""},
        {"{\"filled\":\"\"}", "/filled", "sample line 1: expected a non-empty string, found the string \"\""},
        {"{\"chosen\":\"three\"}", "/chosen",
         "sample line 1: expected one of \"zero\", \"one\", \"two\", found the string \"three\""},
        {"{\"chosen\":0}", "/chosen", "sample line 1: expected one of \"zero\", \"one\", \"two\", found the number 0"},
        {"{\"checked\":\"x\"}", "/checked",
         "sample line 1: expected a text that begins with #, found the string \"x\""},
        {"{\"emptyAbsent\":\"rel\"}", "/emptyAbsent",
         "sample line 1: expected an absolute path, found the string \"rel\""},
        {"{\"word\":\"\"}", "/word", "sample line 1: expected one of \"zero\", \"one\", \"two\", found the string \"\""},
        {"{\"letter\":\"qq\"}", "/letter", "sample line 1: expected one letter, found the string \"qq\""},
        {"{\"letter\":[]}", "/letter", "sample line 1: expected a string, found an array"},
        {"{\"nested\":[]}", "/nested", "sample line 1: expected an object, found an array"},
        {"{\"nested\":\n{\"inner\":false}}", "/nested/inner", "sample line 2: expected a string, found false"},
        {"{\"list\":\"/a\"}", "/list", "sample line 1: expected an array of strings, found the string \"/a\""},
        {"{\"list\":[\"/a\",\n\"b\"]}", "/list/1", "sample line 2: expected an absolute path, found the string \"b\""},
        {"{\"list\":[\"/a\",null]}", "/list/1", "sample line 1: expected an absolute path, found null"},
        {"{\"list\":[[]]}", "/list/0", "sample line 1: expected an absolute path, found an array"},
        {"{\"neededList\":[]}", "/neededList", "sample line 1: at least one element is required, found none"},
        {"{\"numbers\":{}}", "/numbers", "sample line 1: expected an array of integers, found an object"},
        {"{\"numbers\":[1,101]}", "/numbers/1", "sample line 1: expected an integer from 0 to 100, found the number 101"},
        {"{\"numbers\":[1,null]}", "/numbers/1", "sample line 1: expected an integer from 0 to 100, found null"},
        {"{\"map\":[]}", "/map", "sample line 1: expected an object, found an array"},
        {"{\"map\":{\"#a\":1}}", "/map/#a", "sample line 1: expected a string, found the number 1"},
        {"{\"map\":{\"#a/b~c\":{}}}", "/map/#a~1b~0c", "sample line 1: expected a string, found an object"},
        {"{\"map\":{\"\":\"\"}}", "/map/", "sample line 1: an empty member name is not allowed here"},
        {"{\"map\":{\"#\\u0000\":\"\"}}", "/map/#?", "sample line 1: a NUL byte (\\u0000) is not allowed in a member name here"},
        {"{\"map\":{\"k\":\"\"}}", "/map/k",
         "sample line 1: expected a text that begins with # as the member name, found the string \"k\""},
        {"{\"map\":{\"#k\":\"\\u0000\"}}", "/map/#k", "sample line 1: a NUL byte (\\u0000) is not allowed in this string"},
        {"{\"parts\":{}}", "/parts", "sample line 1: expected an array of objects, found an object"},
        {"{\"parts\":[{\"name\":\"a\"},null]}", "/parts/1", "sample line 1: expected an object, found null"},
        {"{\"parts\":[{\"name\":\"a\"},[]]}", "/parts/1", "sample line 1: expected an object, found an array"},
        {"{\"parts\":[{\"name\":\"a\"},\n\n{\"size\":1\n}]}", "/parts/1/name",
         "sample line 3: the required member \"name\" is missing"},
        {"{\"parts\":[{\"name\":null}]}", "/parts/0/name", "sample line 1: expected a string, found null"},
        {"{\"named\":{\"a\":{\"name\":2}}}", "/named/a/name", "sample line 1: expected a string, found the number 2"},
        {"{\"named\":{\"a\":1}}", "/named/a", "sample line 1: expected an object, found the number 1"},
        {"{\"placed\":[{\"name\":\"ok\"},{\"name\":\"bad\"}]}", "/placed/1", "sample line 1: a bad part"},
        {"{\"closed\":{\"inner\":\"x\",\"else\":1}}", "/closed/else", "sample line 1: no such thing"},
        {"\n\n{\"text\":\"unfinished\"}", "", "sample line 3: the sample is not finished"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        refuse(&cases[i]);
}

/* spec: JSON-02 */
static void duplicates(void **state)
{
    static const char twice[] = "this member name occurs twice in one object";
    static const struct { const char *text, *pointer; int line; } cases[] = {
        {"{\"flag\":true,\n\"flag\":true}", "/flag", 2},
        {"{\"flag\":null,\"flag\":true}", "/flag", 1},
        {"{\"flag\":true,\"\\u0066lag\":true}", "/flag", 1},
        {"{\"x\":1,\"y\":2,\n\"x\":3}", "/x", 2},
        {"{\"x\":1,\"\\u0078\":3}", "/x", 1},
        {"{\"x\":[0,{\"a\":{\"k/1\":0,\n\"k/1\":0}}]}", "/x/1/a/k~11", 2},
        {"{\"map\":{\"#b\":\"\",\"#a\":\"\",\"#a\":\"\",\"#b\":\"\"}}", "/map/#a", 1},
        {"{\"map\":{\"#a\":null,\"#a\":\"\"}}", "/map/#a", 1},
        {"{\"named\":{\"n\":{\"name\":\"a\"},\"n\":{\"name\":\"b\"}}}", "/named/n", 1},
        {"{\"nested\":{\"inner\":\"\",\"inner\":\"\"}}", "/nested/inner", 1},
        {"{\"nested\":{\"inner\":\"\",\"u\":1,\"u\":1}}", "/nested/u", 1},
        {"{\"there\":{\"a\":1,\"a\":1}}", "/there/a", 1},
    };
    char sentence[128];
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        snprintf(sentence, sizeof(sentence), "sample line %d: %s", cases[i].line, twice);
        refuse(&(struct bad){cases[i].text, cases[i].pointer, sentence});
    }
    /* The same name in different objects is no duplicate. */
    accept("{\"x\":{\"x\":{\"x\":1},\"y\":{\"x\":1}},\"y\":[{\"x\":1},{\"x\":1}]}");
}

/* spec: JSON-01 */
static void not_json(void **state)
{
    static const struct bad cases[] = {
        {"", "", "sample is empty"},
        {" \n\n", "", "sample line 3: not valid JSON: premature EOF"},
        {"{\"flag\":true", "", "sample line 1: not valid JSON: premature EOF"},
        {"{\"x\":{\n\"flag\":", "/x/flag", "sample line 2: not valid JSON: premature EOF"},
        {"{}\n{}", "", "sample line 2: not valid JSON: trailing garbage"},
        {"{} x", "", "sample line 1: not valid JSON: trailing garbage"},
        {"[]", "", "sample line 1: expected an object, found an array"},
        {"null", "", "sample line 1: expected an object, found null"},
        {"12", "", "sample line 1: expected an object, found the number 12"},
        {"\"s\"", "", "sample line 1: expected an object, found the string \"s\""},
        {"true", "", "sample line 1: expected an object, found true"},
        {"{\"x\":01}", "/x", NULL},
        {"{\"x\":/* c */1}", "/x", NULL},
        {"{\"x\":1,}", "", NULL},
        {"{'x':1}", "", NULL},
        {"{\"x\":NaN}", "/x", NULL},
        {"{\"x\":+1}", "/x", NULL},
        {"{\"x\":\"\\x\"}", "/x", NULL},
        {"{\"x\":\"a\tb\"}", "/x", NULL},
        {"{\"x\":\"\\ud83d\"}", "", "sample line 1: \\ud83d is half of a surrogate pair, not a character"},
        {"{\"x\":\n\"\\uDE00\"}", "", "sample line 2: \\uDE00 is half of a surrogate pair, not a character"},
        {"{\"x\":\"\\ud83d\\u0041\"}", "", "sample line 1: \\ud83d is half of a surrogate pair, not a character"},
        {"{\n\"x\":\"\xff\"}", "", "sample line 2: byte 0xff is not valid UTF-8"},
        {"{\"x\":\"\xc0\xaf\"}", "", "sample line 1: byte 0xc0 is not valid UTF-8"},
        {"{\"x\":\"\xed\xa0\x80\"}", "", "sample line 1: byte 0xed is not valid UTF-8"},
        {"{\"x\":\"\xf4\x90\x80\x80\"}", "", "sample line 1: byte 0xf4 is not valid UTF-8"},
        {"{\"12345678\xe2\x82\":1}", "", "sample line 1: byte 0xe2 is not valid UTF-8"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (cases[i].sentence != NULL) {
            refuse(&cases[i]);
            continue;
        }
        if (read_n(cases[i].text, strlen(cases[i].text)) != -1)
            fail_msg("accepted: %s", cases[i].text);
        assert_true(text_starts(why.text, "sample line 1: not valid JSON: "));
    }
    accept("{\"text\":\"\\ud83d\\ude00 \\\\ud83d \xf0\x9f\x98\x80\"}");
    assert_string_equal(sample.text, "\xf0\x9f\x98\x80 \\ud83d \xf0\x9f\x98\x80");
    assert_int_equal(read_n("{}\0", 3), -1);
    assert_int_equal(read_n("{}garbage", 2), 0); /* the length counts, not a NUL */
}

static void depth(void **state)
{
    struct text deep = {0};
    (void)state;
    text_add(&deep, "{\"x\":");
    for (int i = 1; i < SPEC_DEPTH_LIMIT; i++)
        text_add(&deep, "[");
    for (int i = 1; i < SPEC_DEPTH_LIMIT; i++)
        text_add(&deep, "]");
    text_add(&deep, "}");
    accept(deep.data);
    text_done(&deep);

    text_add(&deep, "{\"x\":");
    for (int i = 0; i < 1000000; i++)
        text_add(&deep, i % 2 ? "[" : "{\"a\":");
    assert_int_equal(read_n(deep.data, deep.length), -1);
    assert_string_equal(why.text, "sample line 1: nested deeper than 64 levels");
    text_done(&deep);
}

static void long_pointers_are_bounded(void **state)
{
    struct text text = {0};
    (void)state;
    for (int i = 0; i < 20; i++)
        text_add(&text, "{\"a-rather-long-member-name/with~both\":");
    text_add(&text, "{\"k\":1,\"k\":1}");
    for (int i = 0; i < 20; i++)
        text_add(&text, "}");
    assert_int_equal(read_n(text.data, text.length), -1);
    assert_true(text_starts(why.pointer, "/a-rather-long-member-name~1with~0both/a-rather"));
    assert_int_equal(strlen(why.pointer), sizeof(why.pointer) - 1);
    text_done(&text);
}

static void size_limit(void **state)
{
    char *big = memory_new(SPEC_SIZE_LIMIT + 1);
    (void)state;
    memset(big, ' ', SPEC_SIZE_LIMIT + 1);
    memcpy(big, "{}", 2);
    assert_int_equal(read_n(big, SPEC_SIZE_LIMIT), 0);
    assert_int_equal(read_n(big, SPEC_SIZE_LIMIT + 1), -1);
    assert_string_equal(why.text, "sample is larger than 16 MiB");
    free(big);
}

/* 100,000 names in one object: quadratic work would take minutes. */
static void many_names(void **state)
{
    static const char *const heads[] = {"{", "{\"x\":{", "{\"map\":{", "{\"named\":{"};
    (void)state;
    for (size_t head = 0; head < ARRAY_LENGTH(heads); head++) {
        for (int twice = 0; twice < 2; twice++) {
            struct text text = {0};
            text_add(&text, heads[head]);
            for (int i = 0; i < 100000; i++)
                text_format(&text, "\"#%d\":%s,", i, head == 3 ? "{\"name\":\"n\"}" : "\"v\"");
            text_format(&text, "\"#%s\":%s}%s", twice ? "77777" : "last", head == 3 ? "{\"name\":\"n\"}" : "\"v\"",
                        head ? "}" : "");
            assert_int_equal(read_n(text.data, text.length), twice ? -1 : 0);
            if (twice) {
                assert_true(text_ends(why.pointer, "/#77777"));
                assert_string_equal(why.text, "sample line 1: this member name occurs twice in one object");
            } else if (head == 2) {
                assert_int_equal(sample.map.count, 100001);
                assert_string_equal(sample.map.items[99999].key, "#99999");
            } else if (head == 3) {
                assert_int_equal(sample.named_count, 100001);
            }
            text_done(&text);
        }
    }
}

static void same_name_100000_times(void **state)
{
    struct text text = {0};
    (void)state;
    text_add(&text, "{\"x\":{");
    for (int i = 0; i < 100000; i++)
        text_add(&text, "\"k\":1,\n");
    text_add(&text, "\"z\":1}}");
    assert_int_equal(read_n(text.data, text.length), -1);
    assert_string_equal(why.text, "sample line 2: this member name occurs twice in one object");
    text_done(&text);
}

static int done(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars),           cmocka_unit_test(exact_integers),
        cmocka_unit_test(null_and_empty_are_absent), cmocka_unit_test(collections),
        cmocka_unit_test(unknown_members),   cmocka_unit_test(wrong_values),
        cmocka_unit_test(duplicates),        cmocka_unit_test(not_json),
        cmocka_unit_test(all_findings),      cmocka_unit_test(what_is_left),
        cmocka_unit_test(too_many_findings), cmocka_unit_test(lines),
        cmocka_unit_test(depth),             cmocka_unit_test(long_pointers_are_bounded),
        cmocka_unit_test(size_limit),        cmocka_unit_test(many_names),
        cmocka_unit_test(same_name_100000_times),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
