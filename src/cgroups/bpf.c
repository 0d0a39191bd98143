/*
 * cgroups/bpf.c: bpf(2) for the device program of a cgroup.
 *
 * Runs in the creator and the update command, with the cgroup's directory fd.  Should: leave exactly one program of
 * ours attached. Must not: touch the programs of others (systemd's "sd_devices", a GPU hook's), nor RLIMIT_MEMLOCK:
 * KERNEL(5.11) charges BPF memory to the memory cgroup instead.
 */
#include "cgroups/bpf.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/kernel.h"

#define PROGRAM_NAME "crun_lite_dev" /* 15 bytes at most; by it we know our own program again */
#define PROGRAMS_MAX 64              /* BPF_CGROUP_MAX_PROGS */

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

static bool is_ours(int program_fd)
{
    struct bpf_prog_info info;
    union bpf_attr attr;
    memset(&info, 0, sizeof info);
    memset(&attr, 0, sizeof attr);
    attr.info.bpf_fd = (uint32_t)program_fd;
    attr.info.info_len = sizeof info;
    attr.info.info = address_of(&info);
    if (kernel_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr) < 0)
        return false;
    return strncmp(info.name, PROGRAM_NAME, sizeof info.name) == 0;
}

/* fds of our programs attached to this very cgroup, at most `room`.  Count or -errno. */
static int find_ours(int cgroup_fd, int *ret_fds, int room)
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
    int found = 0;
    uint32_t count = attr.query.prog_cnt;
    for (uint32_t i = 0; i < count && i < PROGRAMS_MAX && found < room; i++) {
        memset(&attr, 0, sizeof attr);
        attr.prog_id = ids[i];
        int fd = kernel_bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof attr);
        if (fd < 0)
            continue; /* detached meanwhile by its owner */
        if (is_ours(fd))
            ret_fds[found++] = fd;
        else
            fd_close(&fd);
    }
    return found;
}

int bpf_attach_devices(int cgroup_fd, const struct devices_program *program)
{
    if (program->count == 0)
        return 0;
    CLEANUP_FD int program_fd = load(program);
    return program_fd < 0 ? program_fd : attach(cgroup_fd, program_fd, -1);
}

int bpf_replace_devices(int cgroup_fd, const struct devices_program *program)
{
    CLEANUP_FD int program_fd = -1;
    if (program->count > 0 && (program_fd = load(program)) < 0)
        return program_fd;
    int ours[PROGRAMS_MAX] = {[0 ... PROGRAMS_MAX - 1] = -1};
    int count = find_ours(cgroup_fd, ours, PROGRAMS_MAX);
    if (count < 0)
        return count;
    int replaced = program_fd >= 0 && count > 0 ? 1 : 0;
    int result = program_fd >= 0 ? attach(cgroup_fd, program_fd, replaced ? ours[0] : -1) : 0;
    /* More than one: an earlier version's or an interrupted update's.  Only after the new one is in force. */
    for (int i = 0; i < count; i++) {
        if (result == 0 && i >= replaced)
            result = detach(cgroup_fd, ours[i]);
        fd_close(&ours[i]);
    }
    return result;
}
