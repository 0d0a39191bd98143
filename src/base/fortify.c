/*
 * base/fortify.c: what static libraries that were compiled for glibc with _FORTIFY_SOURCE call, for a C library without it.
 *
 * libc.a of musl is what the program is linked with where both are there (configure --with-static-libc): yajl, libcap and libseccomp
 * need nothing of a C library but memory, strings, numbers and streams by their standard names, and these checked ones.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names are glibc's (LSB core specification, "libc interfaces"): `room` is what the compiler knew of the destination. */
void *__memcpy_chk(void *to, const void *from, size_t length, size_t room);
int __sprintf_chk(char *to, int strict, size_t room, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int __snprintf_chk(char *to, size_t size, int strict, size_t room, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
int __fprintf_chk(FILE *to, int strict, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int __asprintf_chk(char **ret_text, int strict, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

void *__memcpy_chk(void *to, const void *from, size_t length, size_t room)
{
    if (length > room)
        abort();
    return memcpy(to, from, length);
}

int __sprintf_chk(char *to, int strict, size_t room, const char *fmt, ...)
{
    (void)strict; /* about %n, which musl takes as it is */
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(to, room, fmt, args);
    va_end(args);
    if (length >= 0 && (size_t)length >= room)
        abort();
    return length;
}

int __snprintf_chk(char *to, size_t size, int strict, size_t room, const char *fmt, ...)
{
    (void)strict;
    if (size > room)
        abort();
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(to, size, fmt, args);
    va_end(args);
    return length;
}

int __fprintf_chk(FILE *to, int strict, const char *fmt, ...)
{
    (void)strict;
    va_list args;
    va_start(args, fmt);
    int length = vfprintf(to, fmt, args);
    va_end(args);
    return length;
}

int __asprintf_chk(char **ret_text, int strict, const char *fmt, ...)
{
    (void)strict;
    va_list args;
    va_start(args, fmt);
    int length = vasprintf(ret_text, fmt, args);
    va_end(args);
    return length;
}
