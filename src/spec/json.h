/*
 * spec/json.h: the door to yajl: a table-driven reader and a writer.
 *
 * Reader: a document type is a table of members; the reader checks types, ranges, duplicates and required
 * members and stores straight into the struct.  config.json, process documents, resources and the state
 * record are all read this way.
 *
 * Writer: a thin cover of yajl_gen that cannot fail half-way (memory ends the process).
 */
#ifndef CRUN_LITE_SPEC_JSON_H
#define CRUN_LITE_SPEC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "base/findings.h"
#include "base/memory.h"
#include "spec/spec.h"

/* ---- reader ---- */

struct json_object; /* a table: see json_table.h */

/* Parses `text` as one object of type `type` into `target` (a struct zeroed by the caller). */
int json_read(const struct json_object *type, const char *text, size_t length, struct arena *arena,
              void *target, struct failure *why) MUST_CHECK;
/* Reports.  Where all findings are wanted a refused value is skipped as if it were absent, and so is the array element or the
 * optional object whose required member has no value; only what is no JSON ends it. */
int json_read_all(const struct json_object *type, const char *text, size_t length, struct arena *arena,
                  void *target, struct findings *findings) MUST_CHECK;

/* The line of the byte at `offset`, from 1. */
size_t json_line_at(const char *text, size_t offset);
/* The line of the value at `pointer` in a document that is known to be JSON, or of the innermost object or array around it where
 * the document has no such member. */
unsigned json_line_of(const char *text, size_t length, const char *pointer);

/* ---- writer ---- */

struct json_writer;
enum json_style { JSON_COMPACT, JSON_PRETTY };
struct json_writer *json_writer_new(enum json_style style);
void json_writer_free(struct json_writer *writer);
void json_open_object(struct json_writer *writer);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);
void json_close_array(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *key);
/* Values; the `key` of the member first, NULL inside an array.  Invalid UTF-8 is replaced. */
void json_string(struct json_writer *writer, const char *key, const char *value);
void json_i64(struct json_writer *writer, const char *key, int64_t value);
void json_u64(struct json_writer *writer, const char *key, uint64_t value);
void json_hundredths(struct json_writer *writer, const char *key, uint64_t value); /* 1234: 12.34 */
void json_thousandths(struct json_writer *writer, const char *key, uint64_t value); /* 1234: 1.234 */
void json_bool(struct json_writer *writer, const char *key, bool value);
void json_null(struct json_writer *writer, const char *key);
void json_strings(struct json_writer *writer, const char *key, const char *const *items, size_t count);
void json_map(struct json_writer *writer, const char *key, const struct string_map *map);
/* The text so far: NUL-ended, owned by the writer, valid until the next call. */
const char *json_result(struct json_writer *writer, size_t *ret_length);

#endif
