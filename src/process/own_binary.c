/*
 * process/own_binary.c: nobody in a container can write to the runtime's own binary.
 *
 * Against CVE-2019-5736: a process of ours that a container can see has a /proc/PID/exe that leads to the
 * host's binary.  The container opens it O_PATH (or makes it its own entry point: "#!/proc/self/exe"), waits
 * until ETXTBSY is over and reopens it for writing; the next start runs its code as the host's root.
 *
 * The answer is to let /proc/PID/exe lead through a mount that is read-only for ever: a clone of the
 * binary's mount, made read-only, then detached.  Three ways to get there:
 *
 *   remap   replaces the mappings of the running program by mappings of the same file opened through
 *           that mount and tells the kernel so (PR_SET_MM).  No second exec.
 *   exec    executes the file behind that mount once more.
 *   memfd   executes a sealed copy in memory, where no mount can be made (rootless, outside a namespace).
 *
 * Runs in: creator and joiner, single-threaded, before clone and before anything of a container is entered:
 * children inherit it.  Must not: write to a static variable (the pages holding them are being replaced).
 */
#include "process/process.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/sealed.h"
#include "base/text.h"

#define SELF "/proc/self/exe"
/* Holds the pid of the process that executes itself again: a pid survives execve, and a mark that leaked into
 * another process means nothing there. */
#define MARK "CRUN_LITE_PROTECTED"
#define WAY "CRUN_LITE_SELF_PROTECT"

enum way { WAY_ANY, WAY_REMAP, WAY_EXEC, WAY_MEMFD };

/* ---- is it needed? ---- */

/* `self` is the binary opened O_PATH, once: each walk of /proc/self/exe costs more than the questions below. */
static int open_self(void)
{
    int self = open(SELF, O_PATH | O_CLOEXEC);
    return self < 0 ? -errno : self;
}

static bool is_sealed(void)
{
    CLEANUP_FD int fd = open(SELF, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && sealed_is(fd);
}

/* On a read-only mount, or in memory and sealed, as after execute_again or twin_take_over. */
static bool is_protected(int self)
{
    struct statfs filesystem;
    if (fstatfs(self, &filesystem) < 0)
        return false;
    return (filesystem.f_flags & ST_RDONLY) || (filesystem.f_type == TMPFS_MAGIC && is_sealed());
}

/* True where no process of a container can get a descriptor for writing, whatever it does:
 * - fs-verity: the kernel opens such a file for reading only;
 * - the caller is not root, so the host's root, who owns the file, is mapped into no namespace that the caller
 *   makes, and nobody but the owner may write (an ACL entry would show in the group bits). */
static bool cannot_be_written(int self)
{
    struct kernel_statx file;
    if (kernel_statx(self, "", AT_EMPTY_PATH, KERNEL_STATX_MODE | KERNEL_STATX_UID, &file) < 0)
        return false;
    if (file.attributes & KERNEL_STATX_ATTR_VERITY)
        return true;
    return geteuid() != 0 && file.uid == 0 && !(file.mode & (S_IWGRP | S_IWOTH));
}

/* ---- the read-only mount ---- */

/* The binary, opened for reading through a read-only mount that belongs to no namespace.  fd or -errno.
 *
 * Closing the mount's own descriptor is the point: while it is open, the clone lives in an anonymous mount namespace and whoever
 * reaches it through /proc/PID/exe with CAP_SYS_ADMIN in a user namespace of its own could make it writable with mount_setattr.
 * Closed, the mount is in no namespace any more, so it can never be changed again; the file and then the mappings
 * keep it alive. */
static int open_read_only(int self, int *ret_mount)
{
    struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
    char path[FD_PATH_SIZE];
    CLEANUP_FD int tree = kernel_open_tree(self, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (tree < 0 || kernel_mount_setattr(tree, "", AT_EMPTY_PATH, &read_only) < 0)
        return -errno;
    int fd = open(fd_path(tree, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (ret_mount != NULL)
        *ret_mount = fd_steal(&tree);
    return fd;
}

/* ---- remap ---- */

#ifndef SANITIZED

struct image {
    int fd;     /* the file, through the read-only mount */
    long page;
    int result; /* 0 or -errno */
};

static uintptr_t page_down(uintptr_t address, long page)
{
    return address & ~((uintptr_t)page - 1);
}

static uintptr_t page_up(uintptr_t address, long page)
{
    return page_down(address + (uintptr_t)page - 1, page);
}

/* What the linker wrote at the start of the file (headers, build id) is what runs here?  Not so when
 * we run as `ld.so ./crun-lite`: then /proc/self/exe is ld.so. */
static bool is_running_image(const struct dl_phdr_info *info, const struct image *image)
{
    unsigned char head[1024];
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || segment->p_offset != 0)
            continue;
        size_t length = segment->p_filesz < sizeof(head) ? (size_t)segment->p_filesz : sizeof(head);
        return pread(image->fd, head, length, 0) == (ssize_t)length &&
               memcmp(head, (const void *)(info->dlpi_addr + segment->p_vaddr), length) == 0;
    }
    return false;
}

/* Same bytes, same place, same protection, other path.  (On aarch64 a PROT_BTI is lost: hardening only.) */
static int remap_constant(const struct image *image, uintptr_t start, size_t length, int protection, off_t offset)
{
    void *at = mmap((void *)start, length, protection, MAP_PRIVATE | MAP_FIXED, image->fd, offset);
    return at == MAP_FAILED ? -errno : 0;
}

/* Data differs from the file by now (relocations, variables): an anonymous copy takes its place.  Nothing may
 * write to the pages between the copy and the move. */
static int remap_data(uintptr_t start, size_t length)
{
    void *copy = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (copy == MAP_FAILED)
        return -errno;
    memcpy(copy, (const void *)start, length);
    if (mremap(copy, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, start) == MAP_FAILED) {
        int result = -errno;
        (void)munmap(copy, length); /* ours alone; a rest would only waste memory */
        return result;
    }
    return 0;
}

static int remap_segment(const struct image *image, uintptr_t base, const ElfW(Phdr) *segment)
{
    uintptr_t start = page_down(base + segment->p_vaddr, image->page);
    uintptr_t end = page_up(base + segment->p_vaddr + segment->p_filesz, image->page);
    int protection = (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) |
                     (segment->p_flags & PF_X ? PROT_EXEC : 0);
    if (segment->p_filesz == 0)
        return 0;
    if (segment->p_flags & PF_W)
        return protection & PROT_EXEC ? -ENOTSUP : remap_data(start, end - start);
    return remap_constant(image, start, end - start, protection,
                          (off_t)page_down((uintptr_t)segment->p_offset, image->page));
}

/* What the loader made read-only after relocation stays so. */
static int protect_relro(const struct image *image, uintptr_t base, const ElfW(Phdr) *segment)
{
    uintptr_t start = page_down(base + segment->p_vaddr, image->page);
    uintptr_t end = page_down(base + segment->p_vaddr + segment->p_memsz, image->page);
    return end > start && mprotect((void *)start, end - start, PROT_READ) < 0 ? -errno : 0;
}

/* dl_iterate_phdr shows the program itself first; the return value 1 ends the walk. */
static int remap_program(struct dl_phdr_info *info, size_t size, void *data)
{
    struct image *image = data;
    (void)size; /* the members in use are those that every libc has */
    image->result = is_running_image(info, image) ? 0 : -ENOTSUP;
    for (int i = 0; i < info->dlpi_phnum && image->result == 0; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            image->result = remap_segment(image, info->dlpi_addr, &info->dlpi_phdr[i]);
    for (int i = 0; i < info->dlpi_phnum && image->result == 0; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO)
            image->result = protect_relro(image, info->dlpi_addr, &info->dlpi_phdr[i]);
    return 1;
}

/* The numbers of /proc/self/stat that PR_SET_MM_MAP wants back unchanged (proc_pid_stat(5)). */
static int read_memory_map(struct prctl_mm_map *ret_map)
{
    enum { FIELDS = 52, FIRST_AFTER_NAME = 3 };
    uint64_t field[FIELDS] = {0};
    char line[1024];
    ssize_t length = file_read_line_at(AT_FDCWD, "/proc/self/stat", line, sizeof(line));
    if (length < 0)
        return (int)length;
    char *cursor = strrchr(line, ')'); /* the name may hold blanks and parentheses itself */
    if (!cursor || !cursor[1] || !cursor[2])
        return -EINVAL;
    cursor += 4; /* ") S": the state is a letter; numbers follow from field 4 on */
    for (int i = FIRST_AFTER_NAME + 1; i < FIELDS; i++) {
        char *end;
        field[i] = strtoull(cursor, &end, 10);
        if (end == cursor)
            return -EINVAL;
        cursor = end;
    }
    *ret_map = (struct prctl_mm_map){
        .start_code = field[26], .end_code = field[27],   .start_stack = field[28], .start_data = field[45],
        .end_data = field[46],   .start_brk = field[47],  .arg_start = field[48],   .arg_end = field[49],
        .env_start = field[50],  .env_end = field[51],    .brk = (uintptr_t)sbrk(0), .exe_fd = (uint32_t)-1,
    };
    return 0;
}

/* Needs: no mapping of the old file left, else EBUSY. */
static int name_executable(int fd)
{
    struct prctl_mm_map map;
    /* Simplest, but wants CAP_SYS_RESOURCE of the host. */
    if (prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, (unsigned long)fd, 0, 0) == 0)
        return 0;
    if (errno != EPERM)
        return -errno;
    /* Wants CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE of the user namespace only, and all numbers in one go. */
    int result = read_memory_map(&map);
    if (result < 0)
        return result;
    map.exe_fd = (uint32_t)fd;
    return prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) < 0 ? -errno : 0;
}

/* About 70 us where a second exec costs 500 to 700, 20 of them the read of /proc/self/stat, which CAP_SYS_RESOURCE saves; closing the
 * mount, for which the kernel waits for all readers of the mount table, takes as long again. */
static int protect_by_remap(int self, int *ret_mount)
{
    unsigned map_size = 0;
    /* Asked first, since nothing is to be remapped for nothing.  EINVAL: no CONFIG_CHECKPOINT_RESTORE. */
    if (prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &map_size, 0, 0) < 0)
        return -errno;
    if (map_size != sizeof(struct prctl_mm_map))
        return -ENOTSUP;
    CLEANUP_FD int fd = open_read_only(self, ret_mount);
    if (fd < 0)
        return fd;
    struct image image = {.fd = fd, .page = sysconf(_SC_PAGESIZE)};
    (void)dl_iterate_phdr(remap_program, &image); /* returns the callback's 1 */
    return image.result < 0 ? image.result : name_executable(fd);
}

#else

/* The sanitizers keep addresses of the program's data and poison around them. */
static int protect_by_remap(int self, int *ret_mount)
{
    (void)self, (void)ret_mount; /* as above */
    return -ENOTSUP;
}

#endif

/* ---- exec ---- */

/* Returns only on failure, with -errno. */
static int execute_again(int fd, char **argv)
{
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    if (setenv(MARK, pid, 1) < 0)
        return -errno;
    int result = sealed_execute(fd, argv);
    (void)unsetenv(MARK); /* the name is valid */
    return result;
}

static int protect_by_exec(int self, char **argv)
{
    CLEANUP_FD int fd = open_read_only(self, NULL);
    return fd < 0 ? fd : execute_again(fd, argv);
}

static int copy_whole(int from, int to)
{
    for (;;) {
        ssize_t copied = sendfile(to, from, NULL, 1 << 24);
        if (copied < 0 && errno != EINTR)
            return -errno;
        if (copied == 0)
            return 0;
    }
}

static int protect_by_memfd(char **argv)
{
    CLEANUP_FD int copy = -1;
    CLEANUP_FD int binary = open(SELF, O_RDONLY | O_CLOEXEC);
    if (binary < 0)
        return -errno;
    copy = sealed_new();
    if (copy < 0)
        return copy;
    int result = copy_whole(binary, copy);
    if (result < 0)
        return result;
    result = sealed_close(copy);
    return result < 0 ? result : execute_again(copy, argv);
}

/* ---- the recipe ---- */

static int parse_way(enum way *ret_way, struct failure *why)
{
    static const char *const words[] = {[WAY_REMAP] = "remap", [WAY_EXEC] = "exec", [WAY_MEMFD] = "memfd"};
    const char *word = getenv(WAY);
    *ret_way = WAY_ANY;
    if (!word || !word[0])
        return 0;
    for (size_t i = WAY_REMAP; i < ARRAY_LENGTH(words); i++)
        if (text_equal(word, words[i])) {
            *ret_way = (enum way)i;
            return 0;
        }
    return fail(why, FAILURE_USAGE, WAY "=%.32s is none of remap, exec, memfd", word);
}

/* True in the image that execute_again started. */
static bool executed_again(void)
{
    const char *mark = getenv(MARK);
    uint64_t pid;
    bool ours = mark && text_to_u64(mark, INT32_MAX, &pid) == 0 && (pid_t)pid == getpid();
    if (mark)
        (void)unsetenv(MARK); /* the name is valid; hooks and helpers have no use for it */
    if (ours)
        (void)prctl(PR_SET_NAME, program_invocation_short_name, 0, 0, 0); /* execveat left a number; cosmetic */
    return ours;
}

int own_binary_protect(char **argv, int *ret_mount, struct failure *why)
{
    enum way way;
    int result = -ENOTSUP;
    CLEANUP_FD int self = open_self();
    if (self < 0)
        return fail_errno(why, self, "open '" SELF "'");
    if (executed_again()) {
        /* The mark is no proof, and a second round would end like the first. */
        if (is_protected(self))
            return 0;
        return fail(why, FAILURE_HOST, "the runtime's binary is still writable after executing it again: " SELF
                                       " is neither on a read-only mount nor sealed");
    }
    if (parse_way(&way, why) < 0)
        return -1;
    if (way == WAY_ANY && (is_protected(self) || cannot_be_written(self)))
        return 0;
    if (way == WAY_ANY || way == WAY_REMAP) {
        result = protect_by_remap(self, ret_mount);
        if (result == 0)
            return 0;
        log_debug("own binary: cannot be remapped from a read-only mount: %s", text_errno(-result));
    }
    if (way == WAY_ANY || way == WAY_EXEC) {
        result = protect_by_exec(self, argv);
        log_debug("own binary: cannot be executed from a read-only mount: %s", text_errno(-result));
    }
    if (way == WAY_ANY || way == WAY_MEMFD)
        result = protect_by_memfd(argv);
    fail_errno(why, result, "protect the runtime's own binary from the container (CVE-2019-5736)");
    return failure_hint(why, "install it on a read-only filesystem, or allow memfd_create with execution "
                             "(sysctl vm.memfd_noexec below 2)");
}
