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
#include "spec/json_stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "spec/utf8.h"

bool json_has(const struct json_seen *seen, const char *name)
{
    for (size_t i = 0; i < seen->type->members_count; i++)
        if (strcmp(seen->type->members[i].name, name) == 0)
            return seen->bits >> i & 1;
    return false;
}

/* ---- scalars ---- */

static int store_number(struct reader *reader, const struct slot *slot, const char *digits, size_t length)
{
    struct frame *frame = stack_top(reader);
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
            fits = text_to_u64(number, member->max, &u64) == 0 &&
                   (member->min <= 0 || u64 >= (uint64_t)member->min);
        }
    }
    if (!fits)
        return json_refuse_found(reader, slot, json_describe_found(found, "number", digits, length));

    /* The only number that can be an element is JSON_U32. */
    char *place = slot->due == DUE_VALUE ? frame->target + member->offset : stack_gather(frame, sizeof(uint32_t));
    switch (slot->kind) {
    case JSON_U32:
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
    bool wrong = (member->flags & JSON_NON_EMPTY && length == 0) ||
                 (member->flags & JSON_ABSOLUTE && value[0] != '/') ||
                 (member->words != NULL && word_find(member->words, value) < 0);
    if (wrong)
        return json_describe_string(member, expected, size);
    return member->check != NULL ? member->check(value) : NULL;
}

static int store_string(struct reader *reader, const struct slot *slot, const char *value, size_t length)
{
    struct frame *frame = stack_top(reader);
    const struct json_member *member = slot->member;
    char expected[EXPECTED_SIZE], found[FOUND_SIZE];
    const char *problem = NULL;

    if (memchr(value, '\0', length) != NULL)
        return stack_mark_refused(reader, json_refuse_at(reader, stack_offset(reader),
                                                         "a NUL byte (\\u0000) is not allowed in this string"));
    if (length == 0 && member->flags & JSON_EMPTY_IS_ABSENT)
        return 1;
    char *copy = arena_copy_n(reader->arena, value, length);
    if (frame->kind != FRAME_MAP)
        problem = string_check(member, copy, length, expected, sizeof(expected));
    if (problem == NULL && slot->kind == JSON_TAKE)
        problem = member->take(frame->target, copy);
    if (problem != NULL)
        return stack_mark_refused(reader, json_refuse_at(reader, stack_offset(reader), "expected %s, found %s", problem,
                                                         json_describe_found(found, "string", value, length)));

    if (slot->due == DUE_VALUE && slot->kind == JSON_STRING)
        *(char **)(void *)(frame->target + member->offset) = copy;
    else if (slot->kind == JSON_WORD)
        *(unsigned *)(void *)(frame->target + member->offset) = (unsigned)word_find(member->words, copy);
    else if (frame->kind == FRAME_LIST)
        *(char **)stack_gather(frame, sizeof(char *)) = copy;
    else if (frame->kind == FRAME_MAP)
        *(struct string_pair *)stack_gather(frame, sizeof(struct string_pair)) =
            (struct string_pair){arena_copy_n(reader->arena, frame->name, frame->name_length), copy};
    return 1;
}

/* ---- yajl's events ---- */

/* It was stored, or refused since `refusals` were counted. */
static int scalar_done(struct reader *reader, size_t refusals)
{
    if (reader->refusals == refusals)
        stack_mark_seen(reader);
    return stack_value_done(reader);
}

static int on_null(void *context)
{
    struct reader *reader = context;
    struct slot slot = stack_due(reader);
    struct frame *frame = stack_top(reader);
    bool required = slot.due == DUE_VALUE && slot.member->flags & JSON_REQUIRED;
    if ((frame == NULL || frame->kind == FRAME_LIST || required) && !json_refuse_found(reader, &slot, "null"))
        return 0;
    return stack_value_done(reader);
}

static int store_boolean(struct reader *reader, const struct slot *slot, bool value)
{
    if (slot->kind != JSON_BOOL && slot->kind != JSON_OPTIONAL_BOOL)
        return json_refuse_found(reader, slot, value ? "true" : "false");
    void *place = stack_top(reader)->target + slot->member->offset;
    if (slot->kind == JSON_BOOL)
        *(bool *)place = value;
    else
        *(struct optional_bool *)place = (struct optional_bool){true, value};
    return 1;
}

static int on_boolean(void *context, int value)
{
    struct reader *reader = context;
    struct slot slot = stack_due(reader);
    size_t refusals = reader->refusals;
    if (slot.due != DUE_SKIP && !store_boolean(reader, &slot, value != 0))
        return 0;
    return scalar_done(reader, refusals);
}

static int on_number(void *context, const char *digits, size_t length)
{
    struct reader *reader = context;
    struct slot slot = stack_due(reader);
    size_t refusals = reader->refusals;
    if (slot.due != DUE_SKIP) {
        char found[FOUND_SIZE];
        int go_on = kind_is_number(slot.kind)
                        ? store_number(reader, &slot, digits, length)
                        : json_refuse_found(reader, &slot, json_describe_found(found, "number", digits, length));
        if (!go_on)
            return 0;
    }
    return scalar_done(reader, refusals);
}

static int on_string(void *context, const unsigned char *value, size_t length)
{
    struct reader *reader = context;
    struct slot slot = stack_due(reader);
    const char *string = (const char *)value;
    size_t refusals = reader->refusals;
    if (slot.due != DUE_SKIP) {
        char found[FOUND_SIZE];
        bool fits = slot.kind == JSON_STRING || slot.kind == JSON_WORD || slot.kind == JSON_TAKE;
        int go_on = fits ? store_string(reader, &slot, string, length)
                         : json_refuse_found(reader, &slot, json_describe_found(found, "string", string, length));
        if (!go_on)
            return 0;
        if (length == 0 && slot.member != NULL && slot.member->flags & JSON_EMPTY_IS_ABSENT)
            return stack_value_done(reader);
    }
    return scalar_done(reader, refusals);
}

/* An object that a table describes begins: as a member, as an element, or the whole document. */
static int open_object(struct reader *reader, const struct slot *slot)
{
    struct frame *parent = stack_top(reader);
    const struct json_object *type = parent != NULL ? slot->member->object : reader->type;
    char *target;
    if (parent == NULL) {
        target = reader->target;
    } else if (slot->due == DUE_VALUE) {
        target = parent->target + slot->member->offset;
    } else {
        if (slot->member->element != NULL)
            parent->count = 0; /* handed on one by one, not kept */
        target = stack_gather(parent, type->size);
        if (parent->kind == FRAME_MAP)
            *(char **)(void *)(target + type->key_offset) =
                arena_copy_n(reader->arena, parent->name, parent->name_length);
    }
    struct frame *frame = stack_push(reader, FRAME_OBJECT);
    if (frame == NULL)
        return 0;
    frame->type = type;
    frame->target = target;
    return 1;
}

static int open_collection(struct reader *reader, const struct slot *slot, enum frame_kind kind)
{
    char *target = stack_top(reader)->target;
    struct frame *frame = stack_push(reader, kind);
    if (frame == NULL)
        return 0;
    frame->member = slot->member;
    frame->target = target;
    return 1;
}

static int on_start_map(void *context)
{
    struct reader *reader = context;
    struct slot slot = stack_due(reader);
    bool map = slot.kind == JSON_STRING_MAP || slot.kind == JSON_OBJECT_MAP;
    if (slot.due != DUE_SKIP && slot.kind != JSON_OBJECT && !map)
        return json_refuse_found(reader, &slot, "an object") && stack_push(reader, FRAME_SKIPPED_OBJECT) != NULL;
    stack_mark_seen(reader);
    if (slot.due == DUE_SKIP)
        return stack_push(reader, FRAME_SKIPPED_OBJECT) != NULL;
    return map ? open_collection(reader, &slot, FRAME_MAP) : open_object(reader, &slot);
}

static int on_start_array(void *context)
{
    struct reader *reader = context;
    struct slot slot = stack_due(reader);
    bool list = slot.kind == JSON_STRINGS || slot.kind == JSON_U32S || slot.kind == JSON_ARRAY;
    if (slot.due != DUE_SKIP && !list)
        return json_refuse_found(reader, &slot, "an array") && stack_push(reader, FRAME_SKIPPED_LIST) != NULL;
    stack_mark_seen(reader);
    if (slot.due == DUE_SKIP)
        return stack_push(reader, FRAME_SKIPPED_LIST) != NULL;
    return open_collection(reader, &slot, FRAME_LIST);
}

static const struct json_member *member_find(const struct json_object *type, const char *name, size_t length)
{
    if (length == 0)
        return NULL;
    for (const struct json_member *member = type->members; member < type->members + type->members_count; member++)
        /* The first byte alone rules out most of them. */
        if (member->name[0] == name[0] && strlen(member->name) == length && memcmp(member->name, name, length) == 0)
            return member;
    return NULL;
}

static int key_of_map(struct reader *reader, struct frame *frame)
{
    char found[FOUND_SIZE];
    frame->skips = true; /* what belongs to a name that is refused below */
    if (memchr(frame->name, '\0', frame->name_length) != NULL)
        return json_refuse_at(reader, stack_offset(reader),
                              "a NUL byte (\\u0000) is not allowed in a member name here");
    if (frame->name_length == 0)
        return json_refuse_at(reader, stack_offset(reader), "an empty member name is not allowed here");
    const char *expected = NULL;
    if (frame->member->check_key != NULL)
        expected = frame->member->check_key(arena_copy_n(reader->arena, frame->name, frame->name_length));
    frame->skips = expected != NULL;
    return expected == NULL ? 1 : json_refuse_at(reader, stack_offset(reader), "expected %s as the member name, found %s", expected,
                     json_describe_found(found, "string", frame->name, frame->name_length));
}

static int on_key(void *context, const unsigned char *key, size_t length)
{
    struct reader *reader = context;
    struct frame *frame = stack_top(reader);
    frame->name = stack_keep_name(reader, (const char *)key, length);
    frame->name_length = length;
    frame->inside = true;

    if (frame->kind == FRAME_OBJECT) {
        frame->member = member_find(frame->type, frame->name, length);
        if (frame->member != NULL) {
            uint64_t bit = UINT64_C(1) << (frame->member - frame->type->members);
            if (frame->named & bit) {
                frame->member = NULL; /* the first one counts */
                return json_refuse_at(reader, stack_offset(reader), JSON_TWICE);
            }
            frame->named |= bit;
            return 1;
        }
        if (frame->type->unknown != NULL)
            return json_refuse_at(reader, stack_offset(reader), "%s", frame->type->unknown);
        stack_push_name(reader, frame->name, length);
        return 1;
    }
    stack_push_name(reader, frame->name, length);
    return frame->kind == FRAME_MAP ? key_of_map(reader, frame) : 1;
}

static int check_required(struct reader *reader, struct frame *frame)
{
    for (size_t i = 0; i < frame->type->members_count; i++) {
        const struct json_member *member = &frame->type->members[i];
        if (!(member->flags & JSON_REQUIRED) || frame->seen >> i & 1)
            continue;
        frame->incomplete = true;
        if (frame->refused >> i & 1)
            continue;
        frame->inside = true;
        frame->name = member->name;
        frame->name_length = strlen(member->name);
        if (!json_refuse_at(reader, frame->opened_at, "the required member \"%s\" is missing", member->name))
            return 0;
    }
    return 1;
}

static int finish(struct reader *reader, struct frame *frame)
{
    struct json_seen seen = {frame->type, frame->seen};
    /* What several members show together cannot be seen where one of them was refused. */
    if (frame->type->finish == NULL || reader->refusals != frame->refusals)
        return 1;
    const char *problem = frame->type->finish(frame->target, &seen);
    if (problem == NULL)
        return 1;
    frame->incomplete = true;
    return json_refuse_at(reader, frame->opened_at, "%s", problem);
}

/* An object that no check could make sense of is not kept. */
static void forget(struct reader *reader)
{
    struct frame *parent = stack_top(reader);
    if (parent == NULL)
        return;
    if (parent->kind != FRAME_OBJECT) {
        stack_drop_element(reader);
        return;
    }
    if (parent->member->flags & JSON_LOOSE)
        return;
    parent->incomplete |= (parent->member->flags & JSON_REQUIRED) != 0;
    if (parent->member->present != 0)
        *(bool *)(parent->target + parent->member->present - 1) = false;
}

/* After the object left the stack: the array that it is an element of may want it at once. */
static int hand_on(struct reader *reader, const struct frame *closed)
{
    struct frame *parent = stack_top(reader);
    if (parent == NULL || parent->kind != FRAME_LIST || parent->member->element == NULL)
        return 1;
    const char *problem = parent->member->element(parent->target, closed->target, parent->index);
    return problem == NULL ? 1 : json_refuse_at(reader, closed->opened_at, "%s", problem);
}

static int close_object(struct reader *reader, struct frame *frame)
{
    frame->inside = false;
    if (!check_required(reader, frame) || !finish(reader, frame))
        return 0;
    reader->depth--;
    if (!frame->incomplete)
        return hand_on(reader, frame);
    forget(reader);
    return 1;
}

static int close_empty(struct reader *reader, struct frame *frame)
{
    frame->inside = false;
    /* Where there were elements, and all were refused, there is nothing to add. */
    int go_on = frame->index > 0 || json_refuse_at(reader, frame->opened_at, "at least one element is required, found none");
    reader->depth--;
    return go_on;
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
        return close_empty(reader, frame);
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
    struct frame *frame = stack_top(reader);
    if (!stack_check_names(reader, frame))
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
    return stack_value_done(reader);
}

static int on_end_array(void *context)
{
    struct reader *reader = context;
    struct frame *frame = stack_top(reader);
    if (frame->kind == FRAME_LIST) {
        if (!close_collection(reader, frame))
            return 0;
    } else {
        reader->depth--;
    }
    return stack_value_done(reader);
}

/* ---- what must be settled before yajl sees the text ---- */

/* What follows from the result does not matter: nothing can be read. */
static bool check_text(struct reader *reader)
{
    const char *document = reader->type->document;
    struct failure *why = reader->findings->why;
    if (reader->length == 0) {
        IGNORE_RESULT(found_refused(reader->findings, fail_config(why, "", "%s is empty", document)));
        return false;
    }
    if (reader->length > SPEC_SIZE_LIMIT) {
        IGNORE_RESULT(found_refused(reader->findings, fail_config(why, "", "%s is larger than %zu MiB", document, SPEC_SIZE_LIMIT >> 20)));
        return false;
    }
    size_t valid = utf8_valid_prefix((const unsigned char *)reader->text, reader->length);
    if (valid < reader->length) {
        (void)json_refuse_at(reader, valid, "byte 0x%02x is not valid UTF-8", (unsigned char)reader->text[valid]);
        return false;
    }
    size_t surrogate = utf8_lone_surrogate(reader->text, reader->length);
    if (surrogate < reader->length) {
        (void)json_refuse_at(reader, surrogate, "%.6s is half of a surrogate pair, not a character",
                             reader->text + surrogate);
        return false;
    }
    return true;
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
    (void)json_refuse_at(reader, stack_offset(reader), "not valid JSON: %s", reason);
    yajl_free_error(reader->yajl, message);
}

int json_read(const struct json_object *type, const char *text, size_t length, struct arena *arena, void *target,
              struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return json_read_all(type, text, length, arena, target, &first);
}

int json_read_all(const struct json_object *type, const char *text, size_t length, struct arena *arena, void *target,
                  struct findings *findings)
{
    static const yajl_callbacks events = {
        .yajl_null = on_null, .yajl_boolean = on_boolean, .yajl_number = on_number, .yajl_string = on_string,
        .yajl_start_map = on_start_map, .yajl_map_key = on_key, .yajl_end_map = on_end_map,
        .yajl_start_array = on_start_array, .yajl_end_array = on_end_array,
    };
    yajl_alloc_funcs memory = {yajl_new, yajl_resize, yajl_release, NULL};
    struct reader reader = {.type = type, .target = target, .text = text, .length = length, .arena = arena,
                            .findings = findings};

    if (!check_text(&reader))
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
