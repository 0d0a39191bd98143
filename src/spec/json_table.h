/*
 * spec/json_table.h: how to describe a JSON document type to json_read.
 *
 * A document type is a `struct json_object`: a table of members, each with a kind, the place of its value in a
 * struct, and the values that are allowed.  The reader does the rest, for every table alike:
 *
 *   - unknown members are skipped at any depth, a null member counts as absent;
 *   - a name that occurs twice in one object, known or unknown, is refused;
 *   - a wrong type, a fraction where an integer is due, a value out of range, a NUL byte in a string, a missing
 *     required member are refused with JSON pointer, line, what was found and what is allowed;
 *   - integers are exact over all 64 bits;
 *   - absent members leave the (zeroed) struct as it is.
 *
 * Tables are constant and hold at most JSON_MEMBERS_MAX members; the macros below keep a row on one line.
 */
#ifndef CRUN_LITE_SPEC_JSON_TABLE_H
#define CRUN_LITE_SPEC_JSON_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/json.h"

enum json_kind {
    JSON_BOOL,          /* bool */
    JSON_OPTIONAL_BOOL, /* struct optional_bool */
    JSON_U32,           /* uint32_t; min, max */
    JSON_U64,           /* uint64_t; min, max */
    JSON_I64,           /* int64_t; min, max */
    JSON_OPTIONAL_U64,  /* struct optional_u64; min, max */
    JSON_OPTIONAL_I64,  /* struct optional_i64; min, max */
    JSON_STRING,        /* char *; words, check, flags */
    JSON_WORD,          /* unsigned: the index in words */
    JSON_TAKE,          /* a string given to `take`, which stores it */
    JSON_PRESENT,       /* nothing is stored but `present`; the value is skipped whatever it is */
    JSON_OBJECT,        /* the struct itself, described by `object` */
    JSON_STRINGS,       /* char ** and count; words, check, flags hold for every element */
    JSON_U32S,          /* uint32_t * and count; min, max */
    JSON_STRING_MAP,    /* struct string_pair * and count; check_key */
    JSON_ARRAY,         /* array of structs described by `object`, and count */
    JSON_OBJECT_MAP,    /* the same from an object; the member's name goes to `object->key_offset` */
};

enum json_flag {
    JSON_REQUIRED = 1 << 0,
    JSON_NON_EMPTY = 1 << 1,       /* strings, and elements of JSON_STRINGS: "" is refused */
    JSON_ABSOLUTE = 1 << 2,        /* strings: begins with a slash */
    JSON_EMPTY_IS_ABSENT = 1 << 3, /* strings: "" leaves NULL, as Go programs without omitempty mean it */
    JSON_NON_EMPTY_LIST = 1 << 4,  /* arrays: at least one element */
    JSON_LOOSE = 1 << 5,           /* objects: checked further also where a required member is missing */
};

#define JSON_MEMBERS_MAX 64
#define JSON_AT(type, field) (offsetof(type, field) + 1)

struct json_member {
    const char *name;
    enum json_kind kind;
    unsigned flags;
    size_t offset;  /* of the value; of the pointer for arrays and maps */
    size_t count;   /* of the size_t that counts the elements */
    size_t present; /* JSON_AT of a bool that becomes true when the member is there and not null; 0: none */
    uint64_t max;
    int64_t min;
    const struct json_object *object;
    const char *const *words;                /* ended by NULL: the only values allowed */
    /* Each returns NULL, or what the value should have been ("a SemVer version such as 1.2.0"). */
    const char *(*check)(const char *value);
    const char *(*check_key)(const char *key);
    const char *(*take)(void *target, const char *value);
    /* JSON_ARRAY only, instead of offset and count: gets each element when it is complete, with the struct
     * that holds the array.  Returns NULL, or what is wrong with the element. */
    const char *(*element)(void *holder, void *element, size_t index);
};

/* Which members of one object were there (and not null). */
struct json_seen {
    const struct json_object *type;
    uint64_t bits;
};
bool json_has(const struct json_seen *seen, const char *name);

struct json_object {
    const char *document; /* top level only: "config.json", the name in messages */
    const struct json_member *members;
    size_t members_count;
    size_t size;       /* of the struct */
    size_t key_offset; /* JSON_OBJECT_MAP: of the char * for the name */
    const char *unknown; /* NULL: unknown members are skipped; else the sentence that refuses them */
    /* Called when an object is complete, after the required members were checked: sets what an absent member
     * means, refuses what only several members together show.  NULL, or what is wrong. */
    const char *(*finish)(void *target, const struct json_seen *seen);
};

/* ---- one row per member ---- */

#define JSON_ROW_(type_, name_, kind_, field_) \
    .name = (name_), .kind = (kind_), .offset = offsetof(type_, field_)

#define JSON_FIELD(type, name, kind, field, ...) {JSON_ROW_(type, name, kind, field), __VA_ARGS__}
#define JSON_NUMBER(type, name, kind, field, min_, max_, ...) \
    {JSON_ROW_(type, name, kind, field), .min = (min_), .max = (max_), __VA_ARGS__}
/* An object without a struct of its own keeps its members in the struct around it: offset 0. */
#define JSON_INLINE(name_, object_, ...) \
    {.name = (name_), .kind = JSON_OBJECT, .object = &(object_), __VA_ARGS__}
#define JSON_NESTED(type, name, field, object_, ...) \
    {JSON_ROW_(type, name, JSON_OBJECT, field), .object = &(object_), __VA_ARGS__}
#define JSON_LIST(type, name, field, count_, object_, ...) \
    {JSON_ROW_(type, name, JSON_ARRAY, field), .count = offsetof(type, count_), .object = &(object_), __VA_ARGS__}
#define JSON_NAMED(type, name, field, count_, object_, ...) \
    {JSON_ROW_(type, name, JSON_OBJECT_MAP, field), .count = offsetof(type, count_), .object = &(object_), \
     __VA_ARGS__}
/* `field` is a struct strings or a struct string_map. */
#define JSON_TEXTS(type, name, field, ...) \
    {JSON_ROW_(type, name, JSON_STRINGS, field.items), .count = offsetof(type, field.count), __VA_ARGS__}
#define JSON_PAIRS(type, name, field, ...) \
    {JSON_ROW_(type, name, JSON_STRING_MAP, field.items), .count = offsetof(type, field.count), __VA_ARGS__}

#define JSON_TABLE(struct_, rows) .members = (rows), .members_count = ARRAY_LENGTH(rows), .size = sizeof(struct_)

#endif
