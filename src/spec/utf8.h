/*
 * spec/utf8.h: strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * Inside spec/ only: the reader refuses what is not UTF-8 (yajl's own check lets overlong forms and surrogates
 * pass), the writer replaces it.
 */
#ifndef CRUN_LITE_SPEC_UTF8_H
#define CRUN_LITE_SPEC_UTF8_H

#include <stddef.h>

/* Length of the character at `text`, 1..4, or 0 when it is not valid; `length` >= 1 bytes may be read. */
size_t utf8_character(const unsigned char *text, size_t length);
/* Number of leading bytes that are valid: `length` when all are. */
size_t utf8_valid_prefix(const unsigned char *text, size_t length);
/* \ud800 without its second half is no character: yajl would make a '?' of it and swallow a byte.  Looks at every
 * backslash (outside strings one is a syntax error, which yajl reports).  Offset of the first, or `length`. */
size_t utf8_lone_surrogate(const char *text, size_t length);

#endif
