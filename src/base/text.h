/*
 * base/text.h: a growable byte buffer and small string predicates.
 *
 * Runs in: every process.
 */
#ifndef CRUN_LITE_BASE_TEXT_H
#define CRUN_LITE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

/* Starts as {0}; `data` is always ended by a NUL once something was added. */
struct text {
    char *data;
    size_t length;
    size_t room;
};

void text_add(struct text *text, const char *more);
void text_add_n(struct text *text, const char *more, size_t length);
void text_format(struct text *text, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_done(struct text *text);

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
/* Where word number `index` (from 0) of a line begins, blanks between them; NULL: the line has fewer. */
const char *text_word(const char *line, size_t index);
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

/* FNV-1a's step on words of 8 bytes: for a given seed no change of one word goes unnoticed.  Names entries; is no protection. */
uint64_t text_hash(uint64_t seed, const void *data, size_t length);

/* Digits only, everything consumed, no sign, no blank, in range.  0 or -EINVAL / -ERANGE. */
int text_to_u64(const char *text, uint64_t max, uint64_t *ret_value) MUST_CHECK;
/* As above with one optional leading '-'. */
int text_to_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value) MUST_CHECK;
/* Bytes as people write them: "512M", "1.5g", "64KiB", "1000": the prefixes K M G T P E are powers of 1024, with or
 * without "i" and "B", in any case; "-1": no limit.  0 or -EINVAL / -ERANGE. */
int text_to_size(const char *text, int64_t *ret_bytes) MUST_CHECK;

/* Durations as Go programs write them: "5s", "1m30s", "250ms", "1.5h", "10us"; "0".  0 or -EINVAL / -ERANGE. */
int text_to_duration(const char *text, int64_t *ret_microseconds) MUST_CHECK;

/* "2026-11-29T14:56:01", UTC, of seconds since 1970 in the years 1970 to 9999.  Not gmtime_r and strftime, which read /etc/localtime
 * first. */
#define TEXT_TIME_SIZE 32
const char *text_utc(char out[TEXT_TIME_SIZE], int64_t seconds);

/* What `errnum` (positive) means, in the same words whichever C library the program was linked with: engines read them. */
const char *text_errno(int errnum);

/* Copies `in` with control bytes and invalid UTF-8 replaced by '?', at most size-1 bytes: for words that
 * come from a container. */
void text_sanitize(char *out, size_t size, const char *in);
/* One reference token of a JSON pointer (RFC 6901) made of a member name that anybody may have written: '~' and '/'
 * escaped, control bytes replaced, cut where it is long.  Every pointer's token is made here, so that two tokens of one name
 * are equal. */
#define POINTER_TOKEN_SIZE 64
const char *text_pointer_token(char out[POINTER_TOKEN_SIZE], const char *name, size_t length);

#endif
