/*
 * spec/json_stack.c: moving along the open objects and arrays; the search for duplicate names.
 */
#include "spec/json_stack.h"

#include <stdlib.h>
#include <string.h>

size_t stack_offset(const struct reader *reader)
{
    return reader->at_end ? reader->length : yajl_get_bytes_consumed(reader->yajl);
}

struct frame *stack_top(struct reader *reader)
{
    return reader->depth > 0 ? &reader->frames[reader->depth - 1] : NULL;
}

bool stack_is_list(const struct frame *frame)
{
    return frame->kind == FRAME_LIST || frame->kind == FRAME_SKIPPED_LIST;
}

struct slot stack_due(struct reader *reader)
{
    struct frame *frame = stack_top(reader);
    if (frame == NULL)
        return (struct slot){DUE_ELEMENT, JSON_OBJECT, NULL};
    if (stack_is_list(frame))
        frame->inside = true;
    if (frame->skips)
        return (struct slot){DUE_SKIP, JSON_PRESENT, NULL};
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

void stack_mark_seen(struct reader *reader)
{
    struct frame *frame = stack_top(reader);
    if (frame == NULL || frame->kind != FRAME_OBJECT || frame->member == NULL)
        return;
    frame->seen |= UINT64_C(1) << (frame->member - frame->type->members);
    if (frame->member->present != 0)
        *(bool *)(frame->target + frame->member->present - 1) = true;
}

int stack_value_done(struct reader *reader)
{
    struct frame *frame = stack_top(reader);
    if (frame == NULL)
        return 1;
    frame->inside = false;
    frame->skips = false;
    if (stack_is_list(frame))
        frame->index++;
    return 1;
}

/* An element that is missing moves those behind it; those handed on one by one keep their numbers. */
static void note_dropped(struct reader *reader, const struct frame *list)
{
    char pointer[sizeof(reader->findings->why->pointer)];
    if (list->kind != FRAME_LIST || list->member->element != NULL)
        return;
    json_put_pointer(reader, pointer, sizeof(pointer));
    char *last = strrchr(pointer, '/');
    if (last != NULL)
        *last = '\0';
    findings_drop_element(reader->findings, pointer, list->index);
}

int stack_mark_refused(struct reader *reader, int go_on)
{
    struct frame *frame = stack_top(reader);
    if (!go_on || frame == NULL)
        return go_on;
    if (frame->kind == FRAME_OBJECT && frame->member != NULL)
        frame->refused |= UINT64_C(1) << (frame->member - frame->type->members);
    else
        note_dropped(reader, frame);
    return go_on;
}

void stack_drop_element(struct reader *reader)
{
    struct frame *frame = stack_top(reader);
    frame->count--;
    note_dropped(reader, frame);
}

struct frame *stack_push(struct reader *reader, enum frame_kind kind)
{
    if (reader->depth == SPEC_DEPTH_LIMIT) {
        /* Whether to go on is not the question: there is no frame to go on with. */
        (void)json_refuse_at(reader, stack_offset(reader), "nested deeper than %d levels", SPEC_DEPTH_LIMIT);
        return NULL;
    }
    struct frame *frame = &reader->frames[reader->depth++];
    char *elements = frame->elements;
    size_t room = frame->room;
    *frame = (struct frame){.kind = kind, .elements = elements, .room = room,
                            .opened_at = stack_offset(reader), .names_from = reader->names_count,
                            .refusals = reader->refusals};
    return frame;
}

void *stack_gather(struct frame *frame, size_t size)
{
    size_t need = (frame->count + 1) * size;
    if (need > frame->room) {
        frame->room = need < 512 ? 512 : need * 2;
        frame->elements = memory_resize(frame->elements, frame->room);
    }
    return memset(frame->elements + frame->count++ * size, 0, size);
}

/* ---- names ---- */

const char *stack_keep_name(struct reader *reader, const char *name, size_t length)
{
    if (name >= reader->text && name < reader->text + reader->length)
        return name;
    return arena_copy_n(reader->arena, name, length);
}

void stack_push_name(struct reader *reader, const char *name, size_t length)
{
    if (reader->names_count == reader->names_room) {
        reader->names_room = reader->names_room ? reader->names_room * 2 : 64;
        reader->names = memory_resize(reader->names, reader->names_room * sizeof(*reader->names));
    }
    reader->names[reader->names_count++] = (struct name){name, length, stack_offset(reader)};
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

static bool name_repeats(const struct name *name, const struct name *before)
{
    return name->length == before->length && memcmp(name->text, before->text, name->length) == 0;
}

static int offset_compare(const void *left, const void *right)
{
    const struct name *a = left, *b = right;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Equal names are neighbours once they are sorted; reported in the order of the text. */
int stack_check_names(struct reader *reader, struct frame *frame)
{
    size_t count = reader->names_count - frame->names_from, repeated = 0;
    reader->names_count = frame->names_from;
    if (count < 2)
        return 1;
    struct name *names = reader->names + frame->names_from;
    qsort(names, count, sizeof(*names), name_compare);
    for (size_t i = 1; i < count; i++)
        if (name_repeats(&names[i], &names[i - 1]))
            names[repeated++] = names[i]; /* a copy: what follows is still compared with the one before it */
    qsort(names, repeated, sizeof(*names), offset_compare);
    for (size_t i = 0; i < repeated; i++) {
        frame->inside = true;
        frame->name = names[i].text;
        frame->name_length = names[i].length;
        if (!json_refuse_at(reader, names[i].offset, JSON_TWICE))
            return 0;
    }
    return 1;
}
