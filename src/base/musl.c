/*
 * base/musl.c: what the static program has where musl is its C library (configure --with-musl), and glibc would have brought itself.
 *
 * The checked functions that static libraries call which were compiled for glibc with _FORTIFY_SOURCE: beside these, yajl, libcap and
 * libseccomp need nothing of a C library but memory, strings, numbers and streams by their standard names.  And the protection of
 * what only the start may write, which a dynamic linker or glibc's start sees to.
 *
 * Runs in: every process; the constructor before main.
 */
#include <link.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- constants with addresses in them ---- */

static int protect_relro(struct dl_phdr_info *info, size_t size, void *data)
{
    const uintptr_t *page = data;
    (void)size; /* the members in use are those that every libc has */
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~(*page - 1);
        uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz) & ~(*page - 1);
        if (segment->p_type == PT_GNU_RELRO && end > start)
            (void)mprotect((void *)start, end - start, PROT_READ); /* refused, they stay writable */
    }
    return 1; /* the program itself comes first; the rest are none of it */
}

static void __attribute__((constructor)) protect_constants(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)dl_iterate_phdr(protect_relro, &page); /* returns the callback's 1 */
}

/* ---- checked functions ---- */

/* The names are glibc's (LSB core specification, "libc interfaces"): `room` is what the compiler knew of the destination. */
void *__memcpy_chk(void *to, const void *from, size_t length, size_t room);
int __sprintf_chk(char *to, int strict, size_t room, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int __snprintf_chk(char *to, size_t size, int strict, size_t room, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
int __fprintf_chk(FILE *to, int strict, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int __asprintf_chk(char **ret_text, int strict, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

void *__memcpy_chk(void *to, const void *from, size_t length, size_t room)
{
    if (length > room)
        __builtin_trap();
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
        __builtin_trap();
    return length;
}

int __snprintf_chk(char *to, size_t size, int strict, size_t room, const char *fmt, ...)
{
    (void)strict;
    if (size > room)
        __builtin_trap();
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

/* Since musl 1.2.4 nothing is linked by the names of a time when files of more than 2 GiB were special. */
#ifndef __GLIBC__ /* where this file is only looked at */
#undef fopen64
FILE *fopen64(const char *path, const char *mode);

FILE *fopen64(const char *path, const char *mode)
{
    return fopen(path, mode);
}
#endif
