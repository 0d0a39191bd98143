/*
 * spec/json_refuse.c: the sentences of the reader: line, JSON pointer, what was expected, what was found.
 *
 * Everything that comes from the document is bounded and cleaned of control bytes here.
 */
#include "spec/json_stack.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static size_t line_at(const struct reader *reader, size_t offset)
{
    return json_line_at(reader->text, offset < reader->length ? offset : reader->length);
}

size_t json_line_at(const char *text, size_t offset)
{
    size_t line = 1;
    const char *at = text, *end = text + offset;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        line++;
        at++;
    }
    return line;
}

static size_t put_token(char *out, size_t room, const char *name, size_t length)
{
    char token[POINTER_TOKEN_SIZE];
    int written = snprintf(out, room, "/%s", text_pointer_token(token, name, length));
    return (size_t)written < room ? (size_t)written : room - 1;
}

void json_put_pointer(const struct reader *reader, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < reader->depth; i++) {
        const struct frame *frame = &reader->frames[i];
        if (!frame->inside)
            break;
        if (stack_is_list(frame)) {
            char number[24];
            int length = snprintf(number, sizeof(number), "%zu", frame->index);
            used += put_token(out + used, size - used, number, (size_t)length);
        } else {
            used += put_token(out + used, size - used, frame->name, frame->name_length);
        }
    }
}

int json_refuse_at(struct reader *reader, size_t offset, const char *fmt, ...)
{
    struct failure *why = reader->findings->why;
    char pointer[sizeof(why->pointer)], sentence[sizeof(why->text)];
    json_put_pointer(reader, pointer, sizeof(pointer));
    va_list args;
    va_start(args, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, args);
    va_end(args);
    (void)fail_config(why, pointer, "%s", sentence); /* -1: handed on below */
    why->line = (unsigned)line_at(reader, offset);
    snprintf(why->document, sizeof(why->document), "%s", reader->type->document);
    reader->refusals++;
    return found_refused(reader->findings, -1) == 0;
}

static void describe_words(const char *const *words, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, words[1] ? "one of" : "the word");
    for (size_t i = 0; words[i] != NULL && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s \"%s\"", i ? "," : "", words[i]);
}

const char *json_describe_string(const struct json_member *member, char *out, size_t size)
{
    if (member->words != NULL)
        describe_words(member->words, out, size);
    else if (member->flags & JSON_ABSOLUTE)
        snprintf(out, size, "an absolute path");
    else
        snprintf(out, size, member->flags & JSON_NON_EMPTY ? "a non-empty string" : "a string");
    return out;
}

static const char *describe_expected(const struct slot *slot, char *out, size_t size)
{
    const struct json_member *member = slot->member;
    switch (slot->kind) {
    case JSON_BOOL:
    case JSON_OPTIONAL_BOOL:
        return "true or false";
    case JSON_U32:
    case JSON_U64:
    case JSON_I64:
    case JSON_OPTIONAL_U64:
    case JSON_OPTIONAL_I64:
        snprintf(out, size, "an integer from %" PRId64 " to %" PRIu64, member->min, member->max);
        return out;
    case JSON_STRING:
    case JSON_WORD:
    case JSON_TAKE:
        return json_describe_string(member, out, size);
    case JSON_OBJECT:
    case JSON_STRING_MAP:
    case JSON_OBJECT_MAP:
        return "an object";
    case JSON_STRINGS:
        return "an array of strings";
    case JSON_U32S:
        return "an array of integers";
    case JSON_ARRAY:
        return "an array of objects";
    case JSON_PRESENT:
        break;
    }
    return "a value";
}

int json_refuse_found(struct reader *reader, const struct slot *slot, const char *found)
{
    char expected[EXPECTED_SIZE];
    return stack_mark_refused(reader, json_refuse_at(reader, stack_offset(reader), "expected %s, found %s",
                                                     describe_expected(slot, expected, sizeof(expected)), found));
}

const char *json_describe_found(char out[FOUND_SIZE], const char *what, const char *value, size_t length)
{
    char raw[57], clean[sizeof(raw)];
    size_t shown = length < sizeof(raw) - 1 ? length : sizeof(raw) - 1;
    while (shown < length && shown > 0 && ((unsigned char)value[shown] & 0xc0) == 0x80)
        shown--; /* not in the middle of a character */
    for (size_t i = 0; i < shown; i++)
        raw[i] = value[i] ? value[i] : '?';
    raw[shown] = '\0';
    text_sanitize(clean, sizeof(clean), raw);
    const char *quote = strcmp(what, "string") == 0 ? "\"" : "";
    snprintf(out, FOUND_SIZE, "the %s %s%s%s%s", what, quote, clean, shown < length ? "…" : "", quote);
    return out;
}
