/*
 * process/environment_exec.c: why the kernel refused to execute a file that is there.
 *
 * execve(2) has few error numbers for many causes: ENOENT also means a missing interpreter.  This reads the
 * first bytes of the file, as the kernel did, and names the cause.
 *
 * Runs in: init and joiner, after execve failed, inside the container: bounded, reading only, no magic link, and no
 * byte of the file reaches the message unsanitized.
 */
#include "process/process.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/text.h"

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

#define HEAD_SIZE 1024
#define PROGRAM_HEADERS_MAX 64

#define EXIT_CANNOT_EXECUTE 126
#define EXIT_NO_PROGRAM 127

struct head {
    unsigned char bytes[HEAD_SIZE + 1]; /* ended by a NUL */
    size_t length;
    char interpreter[PATH_MAX];         /* of "#!" or PT_INTERP; "" when there is none */
    int machine;                        /* of an ELF file; -1 */
};

/* A regular file for reading or -1: a pipe or a device is not even opened. */
static int open_program(const char *path)
{
    struct stat file;
    /* stat is another system call in each C library, and the profile that is in force may know one of them only. */
    CLEANUP_FD int found = kernel_openat2(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
    if (found < 0 || fstat(found, &file) < 0 || !S_ISREG(file.st_mode))
        return -1;
    return kernel_openat2(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
}

static void take_script_interpreter(struct head *head)
{
    const char *word = (const char *)head->bytes + 2;
    word += strspn(word, " \t");
    size_t length = strcspn(word, " \t\r\n");
    /* A carriage return belongs to the interpreter's name for the kernel: the commonest cause, shown as '?'. */
    if (word[length] == '\r')
        length++;
    memcpy(head->interpreter, word, length);
    head->interpreter[length] = '\0';
}

static void read_interpreter(int fd, uint64_t offset, uint64_t size, struct head *head)
{
    if (size < 2 || size > sizeof(head->interpreter) || offset > INT64_MAX)
        return;
    if (pread(fd, head->interpreter, (size_t)size, (off_t)offset) != (ssize_t)size)
        size = 1;
    head->interpreter[size - 1] = '\0';
}

/* Both classes share this walk; the struct types differ. */
#define TAKE_ELF_INTERPRETER(BITS) \
    static void take_elf##BITS##_interpreter(int fd, struct head *head) \
    { \
        Elf##BITS##_Ehdr file; \
        Elf##BITS##_Phdr segment; \
        memcpy(&file, head->bytes, sizeof(file)); \
        for (unsigned i = 0; i < file.e_phnum && i < PROGRAM_HEADERS_MAX; i++) { \
            uint64_t at = (uint64_t)file.e_phoff + i * sizeof(segment); \
            if (at > INT32_MAX || pread(fd, &segment, sizeof(segment), (off_t)at) != (ssize_t)sizeof(segment)) \
                return; \
            if (segment.p_type == PT_INTERP) { \
                read_interpreter(fd, segment.p_offset, segment.p_filesz, head); \
                return; \
            } \
        } \
    }
TAKE_ELF_INTERPRETER(32)
TAKE_ELF_INTERPRETER(64)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_ORDER ELFDATA2LSB
#else
#define NATIVE_ORDER ELFDATA2MSB
#endif

static int read_head(const char *path, struct head *head)
{
    CLEANUP_FD int fd = open_program(path);
    if (fd < 0)
        return -1;
    ssize_t length = pread(fd, head->bytes, HEAD_SIZE, 0);
    if (length < 0)
        return -1;
    head->length = (size_t)length;
    head->bytes[length] = '\0';
    if (length > 2 && head->bytes[0] == '#' && head->bytes[1] == '!') {
        take_script_interpreter(head);
    } else if ((size_t)length >= sizeof(Elf64_Ehdr) && memcmp(head->bytes, ELFMAG, SELFMAG) == 0 &&
               head->bytes[EI_DATA] == NATIVE_ORDER) {
        uint16_t machine;
        memcpy(&machine, head->bytes + offsetof(Elf64_Ehdr, e_machine), sizeof(machine));
        head->machine = machine;
        if (head->bytes[EI_CLASS] == ELFCLASS64)
            take_elf64_interpreter(fd, head);
        else
            take_elf32_interpreter(fd, head);
    }
    return 0;
}

static const char *machine_name(int machine)
{
    static const struct {
        int machine;
        const char *name;
    } machines[] = {
        {EM_386, "i386"},         {EM_X86_64, "x86_64"}, {EM_ARM, "arm"},     {EM_AARCH64, "aarch64"},
        {EM_PPC64, "ppc64"},      {EM_S390, "s390x"},    {EM_RISCV, "riscv"}, {EM_LOONGARCH, "loongarch64"},
        {EM_MIPS, "mips"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(machines); i++)
        if (machines[i].machine == machine)
            return machines[i].name;
    return NULL;
}

/* The words of hints in lower case are Docker's, see fail_program. */
static void hint_missing(const struct head *head, struct failure *why)
{
    char shown[256];
    if (!head->interpreter[0])
        return;
    text_sanitize(shown, sizeof(shown), head->interpreter);
    failure_hint(why, "there is no such file or directory as its interpreter `%s`: add that to the image%s", shown,
                 text_ends(head->interpreter, "\r") ? ", and end the script's lines without carriage returns" : "");
}

static void hint_format(const struct head *head, struct failure *why)
{
    if (head->length == 0)
        failure_hint(why, "the file is empty");
    else if (head->machine >= 0 && machine_name(head->machine))
        failure_hint(why, "it is a program for %s: use an image for this machine, or register an emulator with "
                          "binfmt_misc", machine_name(head->machine));
    else if (memcmp(head->bytes, ELFMAG, SELFMAG) != 0)
        failure_hint(why, "it is no program; a script needs a first line such as #!/bin/sh");
}

void environment_hint_denied(const char *path, struct failure *why)
{
    struct statvfs filesystem;
    if (statvfs(path, &filesystem) == 0 && (filesystem.f_flag & ST_NOEXEC))
        failure_hint(why, "permission denied: the filesystem it is on is mounted noexec");
    else
        failure_hint(why, "permission denied: set its execute permission and let the container's user pass every directory above");
}

int environment_explain_exec(const char *path, int errnum, struct failure *why)
{
    struct head head = {.machine = -1};
    char shown[256];
    text_sanitize(shown, sizeof(shown), path);
    fail_errno(why, errnum, "exec `%s`", shown);
    bool known = read_head(path, &head) == 0;
    why->exit_code = why->errnum == ENOENT ? EXIT_NO_PROGRAM : EXIT_CANNOT_EXECUTE;
    if (why->errnum == ENOENT && known)
        hint_missing(&head, why);
    else if (why->errnum == ENOEXEC && known)
        hint_format(&head, why);
    else if (why->errnum == EACCES)
        environment_hint_denied(path, why);
    else if (why->errnum == E2BIG)
        failure_hint(why, "args and env together are larger than the kernel takes");
    return -1;
}
