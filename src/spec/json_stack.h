/*
 * spec/json_stack.h: the open objects and arrays of a document being read; inside spec/ only.
 *
 * json_reader.c carries out yajl's events on this stack, json_stack.c moves along it, json_refuse.c puts the
 * place where it stands into words.
 */
#ifndef CRUN_LITE_SPEC_JSON_STACK_H
#define CRUN_LITE_SPEC_JSON_STACK_H

#include <yajl/yajl_parse.h>

#include "base/findings.h"
#include "spec/json_table.h"
#include "spec/read.h"

enum frame_kind { FRAME_OBJECT, FRAME_MAP, FRAME_LIST, FRAME_SKIPPED_OBJECT, FRAME_SKIPPED_LIST };

/* One open object or array. */
struct frame {
    enum frame_kind kind;
    bool inside;                      /* between the begin and the end of a child: it belongs to the pointer */
    bool skips;                       /* the value that comes next belongs to a refused name */
    bool incomplete;                  /* OBJECT: a required member has no value */
    const struct json_object *type;   /* OBJECT */
    /* OBJECT: whose value comes next, NULL when unknown.  MAP, LIST: the one that describes the collection. */
    const struct json_member *member;
    char *target;                     /* OBJECT: its struct.  MAP, LIST: the struct that holds the collection */
    uint64_t named, seen;             /* bit per member: its name occurred; with a value that is not null */
    uint64_t refused;                 /* bit per member: it is there, but its value was refused */
    const char *name;                 /* of the child, in an object or map */
    size_t name_length;
    size_t index;                     /* of the child, in an array */
    size_t opened_at;                 /* offset in the text */
    size_t names_from;                /* where its names begin in the reader's stack of names */
    size_t refusals;                  /* of the reader when this frame was opened */
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
    struct findings *findings;
    size_t refusals; /* so far */
    yajl_handle yajl;
    bool at_end; /* yajl got the whole text; from here on it counts from 0 again */
    struct frame frames[SPEC_DEPTH_LIMIT];
    size_t depth;
    struct name *names;
    size_t names_count, names_room;
};

/* What stands at the place where a value is due. */
enum due { DUE_SKIP, DUE_VALUE, DUE_ELEMENT };
struct slot {
    enum due due;
    enum json_kind kind; /* of an element: JSON_STRING, JSON_U32 or JSON_OBJECT */
    const struct json_member *member;
};

/* ---- json_stack.c ---- */

/* Offset in the text of what yajl reads now. */
size_t stack_offset(const struct reader *reader);
/* NULL before the document's own object. */
struct frame *stack_top(struct reader *reader);
bool stack_is_list(const struct frame *frame);
/* What may come next; an array's element enters the pointer. */
struct slot stack_due(struct reader *reader);
/* The member under the top frame has a value that is not null. */
void stack_mark_seen(struct reader *reader);
/* The value that was due is complete; returns 1 for yajl. */
int stack_value_done(struct reader *reader);
/* The value that was due was refused and, where it goes on, counts as absent.  Returns go_on. */
int stack_mark_refused(struct reader *reader, int go_on);
/* The element that was gathered last is not kept. */
void stack_drop_element(struct reader *reader);
/* NULL after a refusal: too deep. */
struct frame *stack_push(struct reader *reader, enum frame_kind kind);
/* Room for one more zeroed element of the collection. */
void *stack_gather(struct frame *frame, size_t size);
/* The name as it is, or a copy when yajl holds it only until its next event (it had escapes). */
const char *stack_keep_name(struct reader *reader, const char *name, size_t length);
/* Remembers a name that no table row stands for, until the end of its object. */
void stack_push_name(struct reader *reader, const char *name, size_t length);
/* At the end of an object: refuses each of those names that is there already. */
int stack_check_names(struct reader *reader, struct frame *frame);

/* ---- json_refuse.c: each json_refuse_* reports a finding at the place where the stack stands.  Return: 1 to go on, 0 to
 * stop yajl: the caller wanted the first finding only ---- */

#define FOUND_SIZE 96
#define EXPECTED_SIZE 768

#define JSON_TWICE "this member name occurs twice in one object"

int json_refuse_at(struct reader *reader, size_t offset, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "expected …, found FOUND": the value that is due is refused. */
int json_refuse_found(struct reader *reader, const struct slot *slot, const char *found);
/* The pointer of the place; `size` bytes, always ended. */
void json_put_pointer(const struct reader *reader, char *out, size_t size);
/* `the string "abc"`, `the number 12`: bounded, without control bytes.  `what` is "string" or "number". */
const char *json_describe_found(char out[FOUND_SIZE], const char *what, const char *value, size_t length);
/* What a string member allows. */
const char *json_describe_string(const struct json_member *member, char *out, size_t size);

#endif
