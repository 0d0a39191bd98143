/*
 * cgroups/bpf.c: bpf(2) for the device program of a cgroup.
 *
 * Runs in the creator and the update command, with the cgroup's directory fd.  Should: leave exactly one program of
 * ours attached, also where a hook has put rules of its own in front of it. Must not: touch the programs of others (systemd's
 * "sd_devices"), nor RLIMIT_MEMLOCK: KERNEL(5.11) charges BPF memory to the memory cgroup instead.
 */
#include "cgroups/bpf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/text.h"

#define PROGRAM_NAME "crun_lite_dev" /* 15 bytes at most; by it we know our own program again */
#define PROGRAMS_MAX 64              /* BPF_CGROUP_MAX_PROGS */
#define SHARED_SLOTS 16              /* for so many lists of rules at most; two in one slot displace each other */
#define SHARED_MAX 128               /* instructions; what engines ask for has some thirty */

static uint64_t address_of(const void *data)
{
    return (uint64_t)(uintptr_t)data;
}

/* The program's fd or -errno. */
static int load(const struct devices_program *program)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr); /* the kernel insists on zeroes, padding included */
    attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attr.insns = address_of(program->instructions);
    attr.insn_cnt = (uint32_t)program->count;
    attr.license = address_of("Apache-2.0");
    memcpy(attr.prog_name, PROGRAM_NAME, sizeof PROGRAM_NAME);
    int fd = kernel_bpf(BPF_PROG_LOAD, &attr, sizeof attr);
    return fd < 0 ? -errno : fd;
}

int bpf_try_devices(const struct devices_program *program)
{
    CLEANUP_FD int fd = load(program);
    return fd < 0 ? fd : 0;
}

/* `replaced_fd` -1: added to what is there. */
static int attach(int cgroup_fd, int program_fd, int replaced_fd)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t)cgroup_fd;
    attr.attach_bpf_fd = (uint32_t)program_fd;
    attr.attach_type = BPF_CGROUP_DEVICE;
    attr.attach_flags = BPF_F_ALLOW_MULTI;
    if (replaced_fd >= 0) {
        attr.attach_flags |= BPF_F_REPLACE; /* KERNEL(5.6) */
        attr.replace_bpf_fd = (uint32_t)replaced_fd;
    }
    return kernel_bpf(BPF_PROG_ATTACH, &attr, sizeof attr) < 0 ? -errno : 0;
}

static int detach(int cgroup_fd, int program_fd)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t)cgroup_fd;
    attr.attach_bpf_fd = (uint32_t)program_fd;
    attr.attach_type = BPF_CGROUP_DEVICE;
    return kernel_bpf(BPF_PROG_DETACH, &attr, sizeof attr) < 0 ? -errno : 0;
}

/* Its fd, or -1: by now it has gone, with the last cgroup that it was attached to. */
static int open_program(uint32_t id)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_id = id;
    return kernel_bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof attr);
}

static int read_info(int program_fd, struct bpf_prog_info *info)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.info.bpf_fd = (uint32_t)program_fd;
    attr.info.info_len = sizeof *info;
    attr.info.info = address_of(info);
    return kernel_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr);
}

/* The instructions as the kernel runs them, which for programs this simple are those that were loaded.  Empty: not to be had. */
static struct devices_program read_program(int program_fd, struct arena *arena)
{
    struct devices_program none = {0}, program;
    struct bpf_prog_info info;
    memset(&info, 0, sizeof info);
    if (read_info(program_fd, &info) < 0 || info.xlated_prog_len == 0)
        return none;
    uint32_t length = info.xlated_prog_len;
    program.count = length / sizeof(struct bpf_insn);
    program.instructions = arena_alloc(arena, length);
    memset(&info, 0, sizeof info);
    info.xlated_prog_len = length;
    info.xlated_prog_insns = address_of(program.instructions);
    /* The address comes back as 0 where the kernel hides them (bpf_jit_harden). */
    return read_info(program_fd, &info) < 0 || info.xlated_prog_len != length || info.xlated_prog_insns == 0 ? none : program;
}

static bool has_our_name(int program_fd)
{
    struct bpf_prog_info info;
    memset(&info, 0, sizeof info);
    return read_info(program_fd, &info) == 0 && strncmp(info.name, PROGRAM_NAME, sizeof info.name) == 0;
}

/* What replaces what. */
struct replacing {
    const struct devices_program *before, *wanted;
    struct arena *arena;
    struct devices_program program; /* to be loaded: `wanted`, perhaps with a front that stays */
    int fds[PROGRAMS_MAX];          /* what goes */
    int count;
};

/* A hook's program has the hook's name, and ours at its end. */
static bool goes(struct replacing *replacing, int program_fd)
{
    struct devices_program found = read_program(program_fd, replacing->arena), kept;
    bool changed = devices_keep_front(&found, replacing->before, replacing->wanted, replacing->arena, &kept);
    if (changed && replacing->wanted->count > 0)
        replacing->program = kept;
    return changed || has_our_name(program_fd);
}

/* Among those attached to this very cgroup.  0 or -errno. */
static int find_what_goes(int cgroup_fd, struct replacing *replacing)
{
    uint32_t ids[PROGRAMS_MAX];
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.query.target_fd = (uint32_t)cgroup_fd;
    attr.query.attach_type = BPF_CGROUP_DEVICE;
    attr.query.prog_ids = address_of(ids);
    attr.query.prog_cnt = PROGRAMS_MAX;
    if (kernel_bpf(BPF_PROG_QUERY, &attr, sizeof attr) < 0)
        return -errno;
    uint32_t count = attr.query.prog_cnt;
    for (uint32_t i = 0; i < count && i < PROGRAMS_MAX; i++) {
        int fd = open_program(ids[i]);
        if (fd < 0)
            continue; /* detached meanwhile by its owner */
        if (goes(replacing, fd))
            replacing->fds[replacing->count++] = fd;
        else
            fd_close(&fd);
    }
    return 0;
}

/* ---- one program for many containers ---- */

struct shared_name {
    char text[sizeof "trusted.crun-lite.devices.ff"];
};

/* Only who may load programs may write an attribute of this kind (xattr(7)). */
static struct shared_name shared_name(const struct devices_program *program)
{
    struct shared_name name;
    uint64_t hash = text_hash(0, program->instructions, program->count * sizeof(struct bpf_insn));
    snprintf(name.text, sizeof name.text, "trusted.crun-lite.devices.%x", (unsigned)(hash % SHARED_SLOTS));
    return name;
}

/* Some architectures' translators have moves put behind 32-bit loads, which clear the register's upper half.  Ours are all at the
 * beginning, where no jump leads over them. */
static size_t drop_extensions(struct bpf_insn *instructions, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (instructions[i].code != (BPF_ALU | BPF_MOV | BPF_X) || instructions[i].imm != 1)
            instructions[kept++] = instructions[i];
    return kept;
}

/* What runs is compared, not what somebody wrote about it.  Its number, or 0: another one, or one of which the kernel left something out,
 * which nobody can tell from another. */
static uint32_t number_if_same(int program_fd, const struct devices_program *program)
{
    struct bpf_prog_info info;
    struct bpf_insn found[2 * SHARED_MAX];
    memset(&info, 0, sizeof info);
    info.xlated_prog_len = sizeof found;
    info.xlated_prog_insns = address_of(found);
    if (read_info(program_fd, &info) < 0 || info.type != BPF_PROG_TYPE_CGROUP_DEVICE || info.xlated_prog_len > sizeof found ||
        info.xlated_prog_insns == 0 || strncmp(info.name, PROGRAM_NAME, sizeof info.name) != 0)
        return 0;
    size_t count = drop_extensions(found, info.xlated_prog_len / sizeof *found);
    return count == program->count && memcmp(found, program->instructions, count * sizeof *found) == 0 ? info.id : 0;
}

/* The fd, or -1: nobody has such a program any more. */
static int find_shared(int shared_fd, const struct devices_program *program)
{
    char id[16] = "";
    uint64_t number;
    if (fgetxattr(shared_fd, shared_name(program).text, id, sizeof id - 1) <= 0 || text_to_u64(id, UINT32_MAX, &number) < 0)
        return -1;
    int fd = open_program((uint32_t)number);
    if (fd >= 0 && number_if_same(fd, program) == 0)
        fd_close(&fd);
    return fd;
}

static void offer_shared(int shared_fd, const struct devices_program *program, int program_fd)
{
    char id[16];
    uint32_t number = number_if_same(program_fd, program);
    if (number == 0)
        return;
    int length = snprintf(id, sizeof id, "%" PRIu32, number);
    /* Such as a file system without these attributes: the next one loads its own. */
    if (fsetxattr(shared_fd, shared_name(program).text, id, (size_t)length, 0) < 0)
        log_debug("share the device program with other containers: %s", text_errno(errno));
}

/* Other containers' programs live as long as theirs and ours: nothing changes a loaded program, an update attaches another. */
static int attach_shared(int cgroup_fd, const struct devices_program *program, int shared_fd)
{
    CLEANUP_FD int program_fd = find_shared(shared_fd, program);
    return program_fd < 0 ? -ENOENT : attach(cgroup_fd, program_fd, -1);
}

int bpf_attach_devices(int cgroup_fd, const struct devices_program *program, int shared_fd)
{
    if (program->count == 0)
        return 0;
    if (program->count > SHARED_MAX)
        shared_fd = -1;
    if (shared_fd >= 0 && attach_shared(cgroup_fd, program, shared_fd) == 0)
        return 0;
    CLEANUP_FD int program_fd = load(program);
    if (program_fd < 0)
        return program_fd;
    if (shared_fd >= 0)
        offer_shared(shared_fd, program, program_fd);
    return attach(cgroup_fd, program_fd, -1);
}

int bpf_replace_devices(int cgroup_fd, const struct devices_program *before, const struct devices_program *program,
                        struct arena *arena)
{
    struct replacing replacing = {.before = before, .wanted = program, .arena = arena, .program = *program};
    CLEANUP_FD int program_fd = -1;
    int result = find_what_goes(cgroup_fd, &replacing);
    if (result == 0 && program->count > 0 && (program_fd = load(&replacing.program)) < 0)
        result = program_fd;
    int replaced = program_fd >= 0 && replacing.count > 0 ? 1 : 0;
    if (result == 0 && program_fd >= 0)
        result = attach(cgroup_fd, program_fd, replaced ? replacing.fds[0] : -1);
    /* More than one: an earlier version's or an interrupted update's.  Only after the new one is in force. */
    for (int i = 0; i < replacing.count; i++) {
        if (result == 0 && i >= replaced)
            result = detach(cgroup_fd, replacing.fds[i]);
        fd_close(&replacing.fds[i]);
    }
    return result;
}
