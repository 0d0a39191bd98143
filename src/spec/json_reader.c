/*
 * spec/json_reader.c: the table-driven reader over yajl's event parser.
 *
 * One pass over the text; the open objects and arrays are the frames of a small stack, everything that
 * outlives the call is in the caller's arena.  The time is linear in the text except for the search for
 * duplicate names, which sorts (never a hash: nothing for a hostile document to collide).
 *
 * Runs in: every process that reads a document of ours or of an engine.  Should know nothing about any
 * particular document: those are tables.  Must not hand a number through a double, must not trust a length.
 */
#include "spec/json_table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "base/text.h"
#include "spec/read.h"
#include "spec/utf8.h"

enum frame_kind { FRAME_OBJECT, FRAME_MAP, FRAME_LIST, FRAME_SKIPPED_OBJECT, FRAME_SKIPPED_LIST };

/* One open object or array. */
struct frame {
    enum frame_kind kind;
    const struct json_object *type;   /* OBJECT */
    /* OBJECT: whose value comes next, NULL when unknown.  MAP, LIST: the one that describes the collection. */
    const struct json_member *member;
    char *target;                     /* OBJECT: its struct.  MAP, LIST: the struct that holds the collection */
    uint64_t named, seen;             /* bit per member: its name occurred; with a value that is not null */
    bool inside;                      /* between the begin and the end of a child: it belongs to the pointer */
    const char *name;                 /* of that child, in an object or map */
    size_t name_length;
    size_t index;                     /* of that child, in an array */
    size_t opened_at;                 /* offset in the text */
    size_t names_from;                /* where its names begin in the reader's stack of names */
    char *elements;                   /* heap, reused by later frames of the same depth */
    size_t count, room;               /* elements in it; bytes */
};

/* A member name that no table row stands for. */
struct name {
    const char *text;
    size_t length;
    size_t offset; /* in the document, for the line */
};

struct reader {
    const struct json_object *type;
    void *target;
    const char *text;
    size_t length;
    struct arena *arena;
    struct failure *why;
    yajl_handle yajl;
    bool at_end; /* yajl got the whole text; from here on it counts from 0 again */
    struct frame frames[SPEC_DEPTH_LIMIT];
    size_t depth;
    struct name *names;
    size_t names_count, names_room;
};

bool json_has(const struct json_seen *seen, const char *name)
{
    for (size_t i = 0; i < seen->type->members_count; i++)
        if (strcmp(seen->type->members[i].name, name) == 0)
            return seen->bits >> i & 1;
    return false;
}

/* ---- refusing ---- */

#define FOUND_SIZE 96
#define EXPECTED_SIZE 320

static size_t line_at(const struct reader *reader, size_t offset)
{
    size_t line = 1;
    const char *at = reader->text, *end = reader->text + (offset < reader->length ? offset : reader->length);
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        line++;
        at++;
    }
    return line;
}

/* Appends one reference token of a JSON pointer; `room` bytes are left, always ended. */
static size_t put_token(char *out, size_t room, const char *name, size_t length)
{
    char token[64];
    size_t used = 0;
    for (size_t i = 0; i < length && used + 3 < sizeof(token); i++) {
        if (name[i] == '~' || name[i] == '/') {
            token[used++] = '~';
            token[used++] = name[i] == '~' ? '0' : '1';
        } else {
            token[used++] = name[i] ? name[i] : '?';
        }
    }
    token[used] = '\0';
    char clean[sizeof(token)];
    text_sanitize(clean, sizeof(clean), token);
    int written = snprintf(out, room, "/%s", clean);
    return (size_t)written < room ? (size_t)written : room - 1;
}

static void put_pointer(const struct reader *reader, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < reader->depth; i++) {
        const struct frame *frame = &reader->frames[i];
        if (!frame->inside)
            break;
        if (frame->kind == FRAME_LIST || frame->kind == FRAME_SKIPPED_LIST) {
            char number[24];
            int length = snprintf(number, sizeof(number), "%zu", frame->index);
            used += put_token(out + used, size - used, number, (size_t)length);
        } else {
            used += put_token(out + used, size - used, frame->name, frame->name_length);
        }
    }
}

/* The one way to refuse: the place is where the stack of frames stands.  Returns 0, which stops yajl. */
static int refuse_at(struct reader *reader, size_t offset, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int refuse_at(struct reader *reader, size_t offset, const char *fmt, ...)
{
    char pointer[sizeof(reader->why->pointer)], sentence[sizeof(reader->why->text)];
    put_pointer(reader, pointer, sizeof(pointer));
    va_list args;
    va_start(args, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, args);
    va_end(args);
    fail_config(reader->why, pointer, "%s line %zu: %s", reader->type->document, line_at(reader, offset), sentence);
    return 0;
}

static size_t offset_now(const struct reader *reader)
{
    return reader->at_end ? reader->length : yajl_get_bytes_consumed(reader->yajl);
}

static void describe_words(const char *const *words, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, words[1] ? "one of" : "the word");
    for (size_t i = 0; words[i] != NULL && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s \"%s\"", i ? "," : "", words[i]);
}

static const char *describe_string(const struct json_member *member, char *out, size_t size)
{
    if (member->words != NULL)
        describe_words(member->words, out, size);
    else if (member->flags & JSON_ABSOLUTE)
        snprintf(out, size, "an absolute path");
    else
        snprintf(out, size, member->flags & JSON_NON_EMPTY ? "a non-empty string" : "a string");
    return out;
}

/* What stands at the place where a value is due. */
enum due { DUE_SKIP, DUE_VALUE, DUE_ELEMENT };
struct slot {
    enum due due;
    enum json_kind kind; /* of an element: JSON_STRING, JSON_U32 or JSON_OBJECT */
    const struct json_member *member;
};

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
        return describe_string(member, out, size);
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

static int refuse_found(struct reader *reader, const struct slot *slot, const char *found)
{
    char expected[EXPECTED_SIZE];
    return refuse_at(reader, offset_now(reader), "expected %s, found %s",
                     describe_expected(slot, expected, sizeof(expected)), found);
}

static const char *describe_found(char out[FOUND_SIZE], const char *what, const char *value, size_t length)
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

/* ---- the stack ---- */

static struct frame *frame_top(struct reader *reader)
{
    return reader->depth > 0 ? &reader->frames[reader->depth - 1] : NULL;
}

static bool frame_is_list(const struct frame *frame)
{
    return frame->kind == FRAME_LIST || frame->kind == FRAME_SKIPPED_LIST;
}

static struct slot slot_due(struct reader *reader)
{
    struct frame *frame = frame_top(reader);
    if (frame == NULL)
        return (struct slot){DUE_ELEMENT, JSON_OBJECT, NULL};
    if (frame_is_list(frame))
        frame->inside = true;
    switch (frame->kind) {
    case FRAME_OBJECT:
        if (frame->member == NULL || frame->member->kind == JSON_PRESENT)
            return (struct slot){DUE_SKIP, JSON_PRESENT, frame->member};
        return (struct slot){DUE_VALUE, frame->member->kind, frame->member};
    case FRAME_MAP:
        return (struct slot){DUE_ELEMENT, frame->member->kind == JSON_STRING_MAP ? JSON_STRING : JSON_OBJECT,
                             frame->member};
    case FRAME_LIST:
        if (frame->member->kind == JSON_STRINGS)
            return (struct slot){DUE_ELEMENT, JSON_STRING, frame->member};
        return (struct slot){DUE_ELEMENT, frame->member->kind == JSON_U32S ? JSON_U32 : JSON_OBJECT, frame->member};
    case FRAME_SKIPPED_OBJECT:
    case FRAME_SKIPPED_LIST:
        break;
    }
    return (struct slot){DUE_SKIP, JSON_PRESENT, NULL};
}

/* The member under the top frame has a value that is not null. */
static void mark_seen(struct reader *reader)
{
    struct frame *frame = frame_top(reader);
    if (frame == NULL || frame->kind != FRAME_OBJECT || frame->member == NULL)
        return;
    frame->seen |= UINT64_C(1) << (frame->member - frame->type->members);
    if (frame->member->present != 0)
        *(bool *)(frame->target + frame->member->present - 1) = true;
}

/* The value that was due is complete. */
static int value_done(struct reader *reader)
{
    struct frame *frame = frame_top(reader);
    if (frame == NULL)
        return 1;
    frame->inside = false;
    if (frame_is_list(frame))
        frame->index++;
    return 1;
}

static struct frame *frame_push(struct reader *reader, enum frame_kind kind)
{
    if (reader->depth == SPEC_DEPTH_LIMIT) {
        refuse_at(reader, offset_now(reader), "nested deeper than %d levels", SPEC_DEPTH_LIMIT);
        return NULL;
    }
    struct frame *frame = &reader->frames[reader->depth++];
    char *elements = frame->elements;
    size_t room = frame->room;
    *frame = (struct frame){.kind = kind, .elements = elements, .room = room,
                            .opened_at = offset_now(reader), .names_from = reader->names_count};
    return frame;
}

/* Room for one more zeroed element of the collection. */
static void *frame_gather(struct frame *frame, size_t size)
{
    size_t need = (frame->count + 1) * size;
    if (need > frame->room) {
        frame->room = need < 512 ? 512 : need * 2;
        frame->elements = memory_resize(frame->elements, frame->room);
    }
    return memset(frame->elements + frame->count++ * size, 0, size);
}

/* ---- names ---- */

/* The name as it is, or a copy when yajl holds it only until its next event (it had escapes). */
static const char *name_keep(struct reader *reader, const char *name, size_t length)
{
    if (name >= reader->text && name < reader->text + reader->length)
        return name;
    return arena_copy_n(reader->arena, name, length);
}

static void name_push(struct reader *reader, const char *name, size_t length)
{
    if (reader->names_count == reader->names_room) {
        reader->names_room = reader->names_room ? reader->names_room * 2 : 64;
        reader->names = memory_resize(reader->names, reader->names_room * sizeof(*reader->names));
    }
    reader->names[reader->names_count++] = (struct name){name, length, offset_now(reader)};
}

static int name_compare(const void *left, const void *right)
{
    const struct name *a = left, *b = right;
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    int order = memcmp(a->text, b->text, a->length);
    if (order != 0)
        return order;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static int refuse_duplicate(struct reader *reader, size_t offset)
{
    return refuse_at(reader, offset, "this member name occurs twice in one object");
}

/* At the end of an object: are two of its names equal?  Reports the first repetition in the text. */
static int names_check(struct reader *reader, struct frame *frame)
{
    struct name *names = reader->names + frame->names_from, *twice = NULL;
    size_t count = reader->names_count - frame->names_from;
    reader->names_count = frame->names_from;
    if (count < 2)
        return 1;
    qsort(names, count, sizeof(*names), name_compare);
    for (size_t i = 1; i < count; i++)
        if (names[i].length == names[i - 1].length &&
            memcmp(names[i].text, names[i - 1].text, names[i].length) == 0 &&
            (twice == NULL || names[i].offset < twice->offset))
            twice = &names[i];
    if (twice == NULL)
        return 1;
    frame->inside = true;
    frame->name = twice->text;
    frame->name_length = twice->length;
    return refuse_duplicate(reader, twice->offset);
}

/* ---- scalars ---- */

static int store_number(struct reader *reader, const struct slot *slot, const char *digits, size_t length)
{
    struct frame *frame = frame_top(reader);
    const struct json_member *member = slot->member;
    char number[24], found[FOUND_SIZE];
    uint64_t u64 = 0;
    int64_t i64 = 0;
    bool fits = length < sizeof(number);

    if (fits) {
        memcpy(number, digits, length);
        number[length] = '\0';
        if (strcmp(number, "-0") == 0)
            number[0] = '0', number[1] = '\0';
        if (number[0] == '-' || slot->kind == JSON_I64 || slot->kind == JSON_OPTIONAL_I64) {
            fits = text_to_i64(number, member->min, (int64_t)member->max, &i64) == 0;
            u64 = (uint64_t)i64;
        } else {
            fits = text_to_u64(number, member->max, &u64) == 0 && (member->min <= 0 || u64 >= (uint64_t)member->min);
        }
    }
    if (!fits)
        return refuse_found(reader, slot, describe_found(found, "number", digits, length));

    char *place = slot->due == DUE_VALUE ? frame->target + member->offset : NULL;
    switch (slot->kind) {
    case JSON_U32:
        if (place == NULL)
            place = frame_gather(frame, sizeof(uint32_t));
        *(uint32_t *)(void *)place = (uint32_t)u64;
        break;
    case JSON_U64:
        *(uint64_t *)(void *)place = u64;
        break;
    case JSON_I64:
        *(int64_t *)(void *)place = i64;
        break;
    case JSON_OPTIONAL_U64:
        *(struct optional_u64 *)(void *)place = (struct optional_u64){true, u64};
        break;
    default:
        *(struct optional_i64 *)(void *)place = (struct optional_i64){true, i64};
        break;
    }
    return 1;
}

static bool kind_is_number(enum json_kind kind)
{
    return kind == JSON_U32 || kind == JSON_U64 || kind == JSON_I64 || kind == JSON_OPTIONAL_U64 ||
           kind == JSON_OPTIONAL_I64;
}

/* The index in `words`, or -1. */
static int word_find(const char *const *words, const char *value)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], value) == 0)
            return i;
    return -1;
}

/* NULL when the value is allowed, else what was expected. */
static const char *string_check(const struct json_member *member, const char *value, size_t length, char *expected,
                                size_t size)
{
    bool wrong = (member->flags & JSON_NON_EMPTY && length == 0) || (member->flags & JSON_ABSOLUTE && value[0] != '/') ||
                 (member->words != NULL && word_find(member->words, value) < 0);
    if (wrong)
        return describe_string(member, expected, size);
    return member->check != NULL ? member->check(value) : NULL;
}

static int store_string(struct reader *reader, const struct slot *slot, const char *value, size_t length)
{
    struct frame *frame = frame_top(reader);
    const struct json_member *member = slot->member;
    char expected[EXPECTED_SIZE], found[FOUND_SIZE];
    const char *problem = NULL;

    if (memchr(value, '\0', length) != NULL)
        return refuse_at(reader, offset_now(reader), "a NUL byte (\\u0000) is not allowed in this string");
    if (length == 0 && member->flags & JSON_EMPTY_IS_ABSENT)
        return 1;
    char *copy = arena_copy_n(reader->arena, value, length);
    if (frame->kind != FRAME_MAP)
        problem = string_check(member, copy, length, expected, sizeof(expected));
    if (problem == NULL && slot->kind == JSON_TAKE)
        problem = member->take(frame->target, copy);
    if (problem != NULL)
        return refuse_at(reader, offset_now(reader), "expected %s, found %s", problem,
                         describe_found(found, "string", value, length));

    if (slot->due == DUE_VALUE && slot->kind == JSON_STRING)
        *(char **)(void *)(frame->target + member->offset) = copy;
    else if (slot->kind == JSON_WORD)
        *(unsigned *)(void *)(frame->target + member->offset) = (unsigned)word_find(member->words, copy);
    else if (frame->kind == FRAME_LIST)
        *(char **)frame_gather(frame, sizeof(char *)) = copy;
    else if (frame->kind == FRAME_MAP)
        *(struct string_pair *)frame_gather(frame, sizeof(struct string_pair)) =
            (struct string_pair){arena_copy_n(reader->arena, frame->name, frame->name_length), copy};
    return 1;
}

/* ---- yajl's events ---- */

static int on_null(void *context)
{
    struct reader *reader = context;
    struct slot slot = slot_due(reader);
    struct frame *frame = frame_top(reader);
    if (frame == NULL || frame->kind == FRAME_LIST)
        return refuse_found(reader, &slot, "null");
    return value_done(reader);
}

static int on_boolean(void *context, int value)
{
    struct reader *reader = context;
    struct slot slot = slot_due(reader);
    struct frame *frame = frame_top(reader);
    if (slot.due != DUE_SKIP) {
        if (slot.kind != JSON_BOOL && slot.kind != JSON_OPTIONAL_BOOL)
            return refuse_found(reader, &slot, value ? "true" : "false");
        void *place = frame->target + slot.member->offset;
        if (slot.kind == JSON_BOOL)
            *(bool *)place = value != 0;
        else
            *(struct optional_bool *)place = (struct optional_bool){true, value != 0};
    }
    mark_seen(reader);
    return value_done(reader);
}

static int on_number(void *context, const char *digits, size_t length)
{
    struct reader *reader = context;
    struct slot slot = slot_due(reader);
    if (slot.due != DUE_SKIP) {
        char found[FOUND_SIZE];
        if (!kind_is_number(slot.kind))
            return refuse_found(reader, &slot, describe_found(found, "number", digits, length));
        if (!store_number(reader, &slot, digits, length))
            return 0;
    }
    mark_seen(reader);
    return value_done(reader);
}

static int on_string(void *context, const unsigned char *value, size_t length)
{
    struct reader *reader = context;
    struct slot slot = slot_due(reader);
    const char *string = (const char *)value;
    if (slot.due != DUE_SKIP) {
        char found[FOUND_SIZE];
        if (slot.kind != JSON_STRING && slot.kind != JSON_WORD && slot.kind != JSON_TAKE)
            return refuse_found(reader, &slot, describe_found(found, "string", string, length));
        if (!store_string(reader, &slot, string, length))
            return 0;
        if (length == 0 && slot.member->flags & JSON_EMPTY_IS_ABSENT)
            return value_done(reader);
    }
    mark_seen(reader);
    return value_done(reader);
}

/* An object that a table describes begins: as a member, as an element, or the whole document. */
static int open_object(struct reader *reader, const struct slot *slot)
{
    struct frame *parent = frame_top(reader);
    const struct json_object *type = parent != NULL ? slot->member->object : reader->type;
    char *target;
    if (parent == NULL) {
        target = reader->target;
    } else if (slot->due == DUE_VALUE) {
        target = parent->target + slot->member->offset;
    } else {
        if (slot->member->element != NULL)
            parent->count = 0; /* handed on one by one, not kept */
        target = frame_gather(parent, type->size);
        if (parent->kind == FRAME_MAP)
            *(char **)(void *)(target + type->key_offset) =
                arena_copy_n(reader->arena, parent->name, parent->name_length);
    }
    struct frame *frame = frame_push(reader, FRAME_OBJECT);
    if (frame == NULL)
        return 0;
    frame->type = type;
    frame->target = target;
    return 1;
}

static int open_collection(struct reader *reader, const struct slot *slot, enum frame_kind kind)
{
    char *target = frame_top(reader)->target;
    struct frame *frame = frame_push(reader, kind);
    if (frame == NULL)
        return 0;
    frame->member = slot->member;
    frame->target = target;
    return 1;
}

static int on_start_map(void *context)
{
    struct reader *reader = context;
    struct slot slot = slot_due(reader);
    mark_seen(reader);
    if (slot.due == DUE_SKIP)
        return frame_push(reader, FRAME_SKIPPED_OBJECT) != NULL;
    if (slot.kind == JSON_OBJECT)
        return open_object(reader, &slot);
    if (slot.kind == JSON_STRING_MAP || slot.kind == JSON_OBJECT_MAP)
        return open_collection(reader, &slot, FRAME_MAP);
    return refuse_found(reader, &slot, "an object");
}

static int on_start_array(void *context)
{
    struct reader *reader = context;
    struct slot slot = slot_due(reader);
    mark_seen(reader);
    if (slot.due == DUE_SKIP)
        return frame_push(reader, FRAME_SKIPPED_LIST) != NULL;
    if (slot.kind == JSON_STRINGS || slot.kind == JSON_U32S || slot.kind == JSON_ARRAY)
        return open_collection(reader, &slot, FRAME_LIST);
    return refuse_found(reader, &slot, "an array");
}

static const struct json_member *member_find(const struct json_object *type, const char *name, size_t length)
{
    for (size_t i = 0; i < type->members_count; i++)
        if (strncmp(type->members[i].name, name, length) == 0 && type->members[i].name[length] == '\0')
            return &type->members[i];
    return NULL;
}

static int key_of_map(struct reader *reader, struct frame *frame)
{
    char found[FOUND_SIZE];
    if (memchr(frame->name, '\0', frame->name_length) != NULL)
        return refuse_at(reader, offset_now(reader), "a NUL byte (\\u0000) is not allowed in a member name here");
    if (frame->name_length == 0)
        return refuse_at(reader, offset_now(reader), "an empty member name is not allowed here");
    if (frame->member->check_key == NULL)
        return 1;
    const char *expected = frame->member->check_key(arena_copy_n(reader->arena, frame->name, frame->name_length));
    if (expected == NULL)
        return 1;
    return refuse_at(reader, offset_now(reader), "expected %s as the member name, found %s", expected,
                     describe_found(found, "string", frame->name, frame->name_length));
}

static int on_key(void *context, const unsigned char *key, size_t length)
{
    struct reader *reader = context;
    struct frame *frame = frame_top(reader);
    frame->name = name_keep(reader, (const char *)key, length);
    frame->name_length = length;
    frame->inside = true;

    if (frame->kind == FRAME_OBJECT) {
        frame->member = member_find(frame->type, frame->name, length);
        if (frame->member != NULL) {
            uint64_t bit = UINT64_C(1) << (frame->member - frame->type->members);
            if (frame->named & bit)
                return refuse_duplicate(reader, offset_now(reader));
            frame->named |= bit;
            return 1;
        }
        if (frame->type->unknown != NULL)
            return refuse_at(reader, offset_now(reader), "%s", frame->type->unknown);
        name_push(reader, frame->name, length);
        return 1;
    }
    name_push(reader, frame->name, length);
    return frame->kind == FRAME_MAP ? key_of_map(reader, frame) : 1;
}

static int check_required(struct reader *reader, struct frame *frame)
{
    for (size_t i = 0; i < frame->type->members_count; i++) {
        const struct json_member *member = &frame->type->members[i];
        if (!(member->flags & JSON_REQUIRED) || frame->seen >> i & 1)
            continue;
        frame->inside = true;
        frame->name = member->name;
        frame->name_length = strlen(member->name);
        return refuse_at(reader, frame->opened_at, "the required member \"%s\" is missing", member->name);
    }
    return 1;
}

/* After the object left the stack: the array that it is an element of may want it at once. */
static int hand_on(struct reader *reader, const struct frame *closed)
{
    struct frame *parent = frame_top(reader);
    if (parent == NULL || parent->kind != FRAME_LIST || parent->member->element == NULL)
        return 1;
    const char *problem = parent->member->element(parent->target, closed->target, parent->index);
    return problem == NULL ? 1 : refuse_at(reader, closed->opened_at, "%s", problem);
}

static int close_object(struct reader *reader, struct frame *frame)
{
    if (!check_required(reader, frame))
        return 0;
    if (frame->type->finish != NULL) {
        struct json_seen seen = {frame->type, frame->seen};
        const char *problem = frame->type->finish(frame->target, &seen);
        if (problem != NULL)
            return refuse_at(reader, frame->opened_at, "%s", problem);
    }
    reader->depth--;
    return hand_on(reader, frame);
}

/* The gathered elements move into the arena at their exact size. */
static int close_collection(struct reader *reader, struct frame *frame)
{
    const struct json_member *member = frame->member;
    size_t size = member->kind == JSON_STRINGS      ? sizeof(char *)
                  : member->kind == JSON_U32S       ? sizeof(uint32_t)
                  : member->kind == JSON_STRING_MAP ? sizeof(struct string_pair)
                                                    : member->object->size;
    if (member->flags & JSON_NON_EMPTY_LIST && frame->count == 0)
        return refuse_at(reader, frame->opened_at, "at least one element is required, found none");
    if (member->element == NULL && frame->count > 0) {
        void *kept = arena_alloc(reader->arena, frame->count * size);
        memcpy(kept, frame->elements, frame->count * size);
        *(void **)(void *)(frame->target + member->offset) = kept;
        *(size_t *)(void *)(frame->target + member->count) = frame->count;
    }
    reader->depth--;
    return 1;
}

static int on_end_map(void *context)
{
    struct reader *reader = context;
    struct frame *frame = frame_top(reader);
    if (!names_check(reader, frame))
        return 0;
    if (frame->kind == FRAME_OBJECT) {
        if (!close_object(reader, frame))
            return 0;
    } else if (frame->kind == FRAME_MAP) {
        if (!close_collection(reader, frame))
            return 0;
    } else {
        reader->depth--;
    }
    return value_done(reader);
}

static int on_end_array(void *context)
{
    struct reader *reader = context;
    struct frame *frame = frame_top(reader);
    if (frame->kind == FRAME_LIST) {
        if (!close_collection(reader, frame))
            return 0;
    } else {
        reader->depth--;
    }
    return value_done(reader);
}

/* ---- what must be settled before yajl sees the text ---- */

static int hex4(const char *at, const char *end)
{
    int value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* \ud800 without its second half is no character: yajl would make a '?' of it and swallow a byte.  Outside
 * strings a backslash is a syntax error, which yajl reports.  Offset of the first one, or the length. */
static size_t find_lone_surrogate(const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    while (at < end && (at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        int first = end - at > 2 && at[1] == 'u' ? hex4(at + 2, end) : -1;
        if (first < 0xd800 || first > 0xdfff) {
            at += 2;
            continue;
        }
        int second = first <= 0xdbff && end - at > 8 && at[6] == '\\' && at[7] == 'u' ? hex4(at + 8, end) : -1;
        if (second < 0xdc00 || second > 0xdfff)
            return (size_t)(at - text);
        at += 12;
    }
    return length;
}

static int check_text(struct reader *reader)
{
    const char *document = reader->type->document;
    if (reader->length == 0)
        return fail_config(reader->why, "", "%s is empty", document);
    if (reader->length > SPEC_SIZE_LIMIT)
        return fail_config(reader->why, "", "%s is larger than %zu MiB", document, SPEC_SIZE_LIMIT >> 20);
    size_t valid = utf8_valid_prefix((const unsigned char *)reader->text, reader->length);
    if (valid < reader->length) {
        refuse_at(reader, valid, "byte 0x%02x is not valid UTF-8", (unsigned char)reader->text[valid]);
        return -1;
    }
    size_t surrogate = find_lone_surrogate(reader->text, reader->length);
    if (surrogate < reader->length) {
        refuse_at(reader, surrogate, "%.6s is half of a surrogate pair, not a character", reader->text + surrogate);
        return -1;
    }
    return 0;
}

/* ---- running yajl ---- */

static void *yajl_new(void *context, size_t size)
{
    (void)context; /* the heap has no context */
    return memory_new(size);
}

static void *yajl_resize(void *context, void *old, size_t size)
{
    (void)context; /* as above */
    return memory_resize(old, size);
}

static void yajl_release(void *context, void *memory)
{
    (void)context; /* as above */
    free(memory);
}

static void refuse_syntax(struct reader *reader)
{
    unsigned char *message = yajl_get_error(reader->yajl, 0, NULL, 0);
    char *text = (char *)message;
    text[strcspn(text, "\n")] = '\0';
    const char *reason = strstr(text, ": ") ? strstr(text, ": ") + 2 : text;
    refuse_at(reader, offset_now(reader), "not valid JSON: %s", reason);
    yajl_free_error(reader->yajl, message);
}

int json_read(const struct json_object *type, const char *text, size_t length, struct arena *arena, void *target,
              struct failure *why)
{
    static const yajl_callbacks events = {
        .yajl_null = on_null, .yajl_boolean = on_boolean, .yajl_number = on_number, .yajl_string = on_string,
        .yajl_start_map = on_start_map, .yajl_map_key = on_key, .yajl_end_map = on_end_map,
        .yajl_start_array = on_start_array, .yajl_end_array = on_end_array,
    };
    yajl_alloc_funcs memory = {yajl_new, yajl_resize, yajl_release, NULL};
    struct reader reader = {.type = type, .target = target, .text = text, .length = length, .arena = arena, .why = why};

    if (check_text(&reader) < 0)
        return -1;
    reader.yajl = yajl_alloc(&events, &memory, &reader);
    yajl_status status = yajl_parse(reader.yajl, (const unsigned char *)text, length);
    if (status == yajl_status_ok) {
        reader.at_end = true;
        status = yajl_complete_parse(reader.yajl);
    }
    if (status == yajl_status_error)
        refuse_syntax(&reader);

    yajl_free(reader.yajl);
    free(reader.names);
    for (size_t i = 0; i < SPEC_DEPTH_LIMIT; i++)
        free(reader.frames[i].elements);
    return status == yajl_status_ok ? 0 : -1;
}
