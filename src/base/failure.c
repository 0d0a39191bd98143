/*
 * base/failure.c: filling and rendering the one failure type.
 *
 * Runs in every process, also between clone and exec: no allocation, no locale, no stdio streams.
 */
#include "base/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void __attribute__((format(printf, 4, 0))) fill(struct failure *why, enum failure_kind kind, int errnum, const char *fmt, va_list args)
{
    memset(why, 0, sizeof(*why));
    why->kind = kind;
    why->errnum = errnum;
    vsnprintf(why->text, sizeof(why->text), fmt, args);
}

static void append(char *out, size_t size, const char *more)
{
    size_t used = strlen(out);
    if (used < size)
        snprintf(out + used, size - used, "%s", more);
}

/* Makes "text: cause".  Where both have no room the text is cut, to no less than half: a long path must not push
 * the cause out of the message. */
static void add_cause(char *text, size_t size, const char *cause)
{
    static const char cut[] = "...";
    size_t head = strlen(text), tail = strlen(cause) + 2;
    if (head + tail >= size) {
        size_t room = tail + sizeof(cut) < size / 2 ? size - tail - sizeof(cut) : size / 2;
        if (head > room) {
            while (room > 0 && ((unsigned char)text[room] & 0xc0) == 0x80)
                room--; /* not within a character */
            text[room] = '\0';
            append(text, size, cut);
        }
    }
    append(text, size, ": ");
    append(text, size, cause);
}

int fail(struct failure *why, enum failure_kind kind, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fill(why, kind, 0, fmt, args);
    va_end(args);
    return -1;
}

int fail_sys(struct failure *why, const char *fmt, ...)
{
    int errnum = errno;
    va_list args;
    va_start(args, fmt);
    fill(why, FAILURE_HOST, errnum, fmt, args);
    va_end(args);
    add_cause(why->text, sizeof(why->text), text_errno(errnum));
    return -1;
}

int fail_errno(struct failure *why, int errnum, const char *fmt, ...)
{
    errnum = abs(errnum);
    va_list args;
    va_start(args, fmt);
    fill(why, FAILURE_HOST, errnum, fmt, args);
    va_end(args);
    add_cause(why->text, sizeof(why->text), text_errno(errnum));
    return -1;
}

int fail_config(struct failure *why, const char *pointer, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fill(why, FAILURE_CONFIG, 0, fmt, args);
    va_end(args);
    snprintf(why->pointer, sizeof(why->pointer), "%s", pointer);
    return -1;
}

int failure_hint(struct failure *why, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why->hint, sizeof(why->hint), fmt, args);
    va_end(args);
    return -1;
}

int failure_pointer(struct failure *why, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why->pointer, sizeof(why->pointer), fmt, args);
    va_end(args);
    return -1;
}

int failure_document(struct failure *why, const char *name)
{
    snprintf(why->document, sizeof(why->document), "%s", name);
    return -1;
}

int failure_context(struct failure *why, const char *fmt, ...)
{
    char old[sizeof(why->text)];
    memcpy(old, why->text, sizeof(old));
    va_list args;
    va_start(args, fmt);
    vsnprintf(why->text, sizeof(why->text), fmt, args);
    va_end(args);
    add_cause(why->text, sizeof(why->text), old);
    return -1;
}

const char *failure_document_name(const struct failure *why)
{
    return why->document[0] ? why->document : "config.json";
}

/* "config.json line 7 (/process/cwd): text; hint", or without a line "text (config.json /process/cwd); hint". */
void failure_render(const struct failure *why, char *out, unsigned long size)
{
    const char *open = why->pointer[0] ? " (" : "", *close = why->pointer[0] ? ")" : "";
    const char *join = why->hint[0] ? "; " : "";
    if (why->line > 0)
        snprintf(out, size, "%s line %u%s%s%s: %s%s%s", failure_document_name(why), why->line, open, why->pointer, close, why->text, join,
                 why->hint);
    else
        snprintf(out, size, "%s%s%s%s%s%s%s%s", why->text, open, why->pointer[0] ? failure_document_name(why) : "",
                 why->pointer[0] ? " " : "", why->pointer, close, join, why->hint);
}
