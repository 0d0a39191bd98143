/*
 * base/doze.c: accept4(2) from a page of its own.
 *
 * The instructions that give the program's pages back and then wait are among them, and a fault maps what lies around it too, by
 * 64 KiB or, KERNEL(6.18), by a folio of any size.  So the few that are needed lie within one page, call nothing, and that page is
 * made a mapping of its own, by a flag that matters to nobody (MADV_DONTDUMP): faults do not look beyond a mapping.
 */
#include "base/doze.h"

#include <errno.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The sanitizers have something to call everywhere. */
#if !defined(SANITIZED) && (defined(__x86_64__) || defined(__aarch64__))

#define RANGES_MAX 32
#define INSTRUCTIONS_MAX 4096 /* the smallest page */

struct range {
    uintptr_t start;
    size_t length;
};

struct program {
    struct range ranges[RANGES_MAX];
    size_t count;
    uintptr_t page;
};

static int note_constant(struct dl_phdr_info *object, size_t size, void *arg)
{
    struct program *program = arg;
    (void)size; /* there is nothing newer to look for */
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + segment->p_vaddr;
        /* What can be written, or could be until it was relocated, is nowhere else. */
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) || program->count == RANGES_MAX)
            continue;
        uintptr_t first = start & ~(program->page - 1), end = (start + segment->p_filesz + program->page - 1) & ~(program->page - 1);
        program->ranges[program->count++] = (struct range){first, end - first};
    }
    return 0;
}

/* As the kernel has it: -errno. */
static inline __attribute__((always_inline)) long call(long number, long a, long b, long c, long d)
{
#ifdef __x86_64__
    long result;
    register long fourth __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth) : "rcx", "r11", "memory");
    return result;
#else
    register long which __asm__("x8") = number;
    register long first __asm__("x0") = a;
    register long second __asm__("x1") = b;
    register long third __asm__("x2") = c;
    register long fourth __asm__("x3") = d;
    __asm__ volatile("svc #0" : "+r"(first) : "r"(which), "r"(second), "r"(third), "r"(fourth) : "memory");
    return first;
#endif
}

/* Must not call anything. */
static __attribute__((noinline, aligned(INSTRUCTIONS_MAX))) int give_back_and_accept(const struct program *program, int listening)
{
    long fd;
    for (size_t i = 0; i < program->count; i++)
        (void)call(SYS_madvise, (long)program->ranges[i].start, (long)program->ranges[i].length, MADV_DONTNEED, 0); /* refused, it only stays */
    do
        fd = call(SYS_accept4, listening, 0, 0, SOCK_CLOEXEC);
    while (fd == -EINTR);
    return (int)fd;
}

int doze_accept(int listening)
{
    struct program program = {.page = (uintptr_t)sysconf(_SC_PAGESIZE)};
    void *own = (void *)((uintptr_t)give_back_and_accept & ~(program.page - 1));
    (void)dl_iterate_phdr(note_constant, &program); /* returns the callback's 0 */
    /* Where this is refused it takes a little more memory. */
    (void)madvise(own, program.page, MADV_DONTDUMP);
    int fd = give_back_and_accept(&program, listening);
    (void)madvise(own, program.page, MADV_DODUMP); /* one mapping again */
    return fd;
}

#else

int doze_accept(int listening)
{
    int fd;
    do
        fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

#endif
