/*
 * spec/json_writer.c: a thin cover of yajl's generator.
 *
 * Whatever the strings hold, the result is valid JSON in valid UTF-8.  Memory failure ends the process;
 * the only other failure is a wrong sequence of calls, after which json_result gives an empty text, which
 * no reader takes for a document.
 *
 * Runs in: every process that writes a document.
 */
#include "spec/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>

#include "base/text.h"
#include "spec/utf8.h"

struct json_writer {
    yajl_gen yajl;
    bool misused;
};

static void *writer_alloc(void *context, size_t size)
{
    (void)context; /* the heap has no context */
    return memory_new(size);
}

static void *writer_resize(void *context, void *old, size_t size)
{
    (void)context; /* as above */
    return memory_resize(old, size);
}

static void writer_release(void *context, void *memory)
{
    (void)context; /* as above */
    free(memory);
}

struct json_writer *json_writer_new(enum json_style style)
{
    yajl_alloc_funcs memory = {writer_alloc, writer_resize, writer_release, NULL};
    struct json_writer *writer = memory_new(sizeof(*writer));
    writer->yajl = yajl_gen_alloc(&memory);
    yajl_gen_config(writer->yajl, yajl_gen_beautify, style == JSON_PRETTY);
    yajl_gen_config(writer->yajl, yajl_gen_indent_string, "    ");
    return writer;
}

void json_writer_free(struct json_writer *writer)
{
    if (writer == NULL)
        return;
    yajl_gen_free(writer->yajl);
    free(writer);
}

static void note(struct json_writer *writer, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok)
        writer->misused = true;
}

void json_open_object(struct json_writer *writer)
{
    note(writer, yajl_gen_map_open(writer->yajl));
}

void json_close_object(struct json_writer *writer)
{
    note(writer, yajl_gen_map_close(writer->yajl));
}

void json_open_array(struct json_writer *writer)
{
    note(writer, yajl_gen_array_open(writer->yajl));
}

void json_close_array(struct json_writer *writer)
{
    note(writer, yajl_gen_array_close(writer->yajl));
}

static void write_text(struct json_writer *writer, const char *value)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    size_t length = strlen(value), valid = utf8_valid_prefix((const unsigned char *)value, length);
    if (valid == length) {
        note(writer, yajl_gen_string(writer->yajl, (const unsigned char *)value, length));
        return;
    }
    struct text clean = {0};
    for (;;) {
        text_add_n(&clean, value, valid);
        value += valid;
        length -= valid;
        if (length == 0)
            break;
        text_add(&clean, replacement);
        value++;
        length--;
        valid = utf8_valid_prefix((const unsigned char *)value, length);
    }
    note(writer, yajl_gen_string(writer->yajl, (const unsigned char *)clean.data, clean.length));
    text_done(&clean);
}

void json_key(struct json_writer *writer, const char *key)
{
    write_text(writer, key);
}

static void write_key(struct json_writer *writer, const char *key)
{
    if (key != NULL)
        json_key(writer, key);
}

void json_string(struct json_writer *writer, const char *key, const char *value)
{
    write_key(writer, key);
    write_text(writer, value);
}

void json_i64(struct json_writer *writer, const char *key, int64_t value)
{
    write_key(writer, key);
    note(writer, yajl_gen_integer(writer->yajl, value));
}

void json_u64(struct json_writer *writer, const char *key, uint64_t value)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);
    write_key(writer, key);
    note(writer, yajl_gen_number(writer->yajl, digits, (size_t)length));
}

void json_hundredths(struct json_writer *writer, const char *key, uint64_t value)
{
    char digits[32];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64 ".%02u", value / 100, (unsigned)(value % 100));
    write_key(writer, key);
    note(writer, yajl_gen_number(writer->yajl, digits, (size_t)length));
}

void json_thousandths(struct json_writer *writer, const char *key, uint64_t value)
{
    char digits[32];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64 ".%03u", value / 1000, (unsigned)(value % 1000));
    write_key(writer, key);
    note(writer, yajl_gen_number(writer->yajl, digits, (size_t)length));
}

void json_bool(struct json_writer *writer, const char *key, bool value)
{
    write_key(writer, key);
    note(writer, yajl_gen_bool(writer->yajl, value));
}

void json_null(struct json_writer *writer, const char *key)
{
    write_key(writer, key);
    note(writer, yajl_gen_null(writer->yajl));
}

/* yajl would put a blank line between the brackets; a "number" is written as it is. */
static void write_empty(struct json_writer *writer, const char *brackets)
{
    note(writer, yajl_gen_number(writer->yajl, brackets, strlen(brackets)));
}

void json_strings(struct json_writer *writer, const char *key, const char *const *items, size_t count)
{
    write_key(writer, key);
    if (count == 0) {
        write_empty(writer, "[]");
        return;
    }
    json_open_array(writer);
    for (size_t i = 0; i < count; i++)
        write_text(writer, items[i]);
    json_close_array(writer);
}

void json_map(struct json_writer *writer, const char *key, const struct string_map *map)
{
    write_key(writer, key);
    if (map->count == 0) {
        write_empty(writer, "{}");
        return;
    }
    json_open_object(writer);
    for (size_t i = 0; i < map->count; i++)
        json_string(writer, map->items[i].key, map->items[i].value);
    json_close_object(writer);
}

const char *json_result(struct json_writer *writer, size_t *ret_length)
{
    const unsigned char *data = NULL;
    size_t length = 0;
    if (!writer->misused)
        note(writer, yajl_gen_get_buf(writer->yajl, &data, &length));
    if (writer->misused || data == NULL)
        length = 0;
    if (ret_length != NULL)
        *ret_length = length;
    return length > 0 ? (const char *)data : "";
}
