/*
 * base/twin.c: executes the program's dynamically linked twin from a sealed file in memory.
 *
 * Sealed, so that the twin needs no protection of its own binary: see process/own_binary.c.
 */
#include "base/twin.h"

#ifdef STATIC_PROGRAM

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sealed.h"

/* Of no segment, so that a start neither maps nor reads it: it is found in the file. */
#define SECTION ".crun_lite_twin"
__asm__(".section " SECTION ", \"\", @progbits\n"
        ".incbin \"crun-lite-twin.image\"\n"
        ".previous\n");

static char **arguments;

void twin_begin(char **argv)
{
    arguments = argv;
}

static int read_at(int fd, void *data, size_t size, uint64_t offset)
{
    ssize_t got = pread(fd, data, size, (off_t)offset);
    return got < 0 ? -errno : (size_t)got == size ? 0 : -ENOEXEC;
}

static int find_image(int fd, ElfW(Shdr) *ret_section)
{
    ElfW(Ehdr) header;
    ElfW(Shdr) names;
    int r = read_at(fd, &header, sizeof(header), 0);
    if (r == 0)
        r = read_at(fd, &names, sizeof(names), header.e_shoff + (uint64_t)header.e_shstrndx * sizeof(names));
    for (unsigned i = 0; r == 0 && i < header.e_shnum; i++) {
        char name[sizeof(SECTION)] = "";
        r = read_at(fd, ret_section, sizeof(*ret_section), header.e_shoff + (uint64_t)i * sizeof(*ret_section));
        if (r == 0 && read_at(fd, name, sizeof(name), names.sh_offset + ret_section->sh_name) == 0 &&
            memcmp(name, SECTION, sizeof(SECTION)) == 0)
            return 0;
    }
    return r < 0 ? r : -ENOEXEC; /* somebody took it out of the file */
}

static int copy_image(int from, int to)
{
    ElfW(Shdr) section;
    int r = find_image(from, &section);
    if (r < 0)
        return r;
    off_t at = (off_t)section.sh_offset, end = at + (off_t)section.sh_size;
    while (at < end) {
        ssize_t copied = sendfile(to, from, &at, (size_t)(end - at));
        if (copied <= 0 && errno != EINTR)
            return copied < 0 ? -errno : -ENOEXEC;
    }
    return 0;
}

static int execute_image(void)
{
    CLEANUP_FD int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (self < 0)
        return -errno;
    CLEANUP_FD int copy = sealed_new();
    if (copy < 0)
        return copy;
    int r = copy_image(self, copy);
    if (r == 0)
        r = sealed_close(copy);
    return r < 0 ? r : sealed_execute(copy, arguments);
}

int twin_take_over(struct failure *why)
{
    int r = execute_image();
    fail_errno(why, r, "execute the program again from memory, dynamically linked, to load a library");
    if (r == -EACCES || r == -EPERM)
        return failure_hint(why, "allow memfd_create with execution (sysctl vm.memfd_noexec below 2), or build with --disable-static-program");
    return -1;
}

#else

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

/* A program that was executed from memory is called by the number of a descriptor. */
void twin_begin(char **argv)
{
    const char *executed = (const char *)getauxval(AT_EXECFN);
    (void)argv; /* there is nothing to start with it */
    if (executed != NULL && strncmp(executed, "/dev/fd/", strlen("/dev/fd/")) == 0)
        (void)prctl(PR_SET_NAME, program_invocation_short_name, 0, 0, 0); /* cosmetic */
}

int twin_take_over(struct failure *why)
{
    (void)why; /* the program can load libraries itself */
    return 0;
}

#endif
