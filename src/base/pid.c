/* base/pid.c: naming a process by pid and start time, and waiting for its end. */
#include "base/pid.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/kernel.h"

int64_t clock_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* proc(5), /proc/PID/stat: fields by number. */
enum { FIELD_STATE = 3, FIELD_FLAGS = 9, FIELD_START_TIME = 22, FIELD_EXIT_CODE = 52 };

/* linux/sched.h of the kernel: being ended; forked, but did not execute. */
#define PF_EXITING 0x4
#define PF_FORKNOEXEC 0x40

#define STAT_SIZE 1024

static int read_stat(pid_t pid, char line[STAT_SIZE])
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    ssize_t length = file_read_line_at(-1, path, line, STAT_SIZE);
    return length >= 0 ? 0 : length == -ENOENT ? -ESRCH : (int)length;
}

/* The start of a field after the command name, or NULL. */
static const char *find_field(const char *line, int number)
{
    /* The command name may hold anything, also ") ": fields are counted from the last parenthesis. */
    const char *field = strrchr(line, ')');
    for (int at = 2; field != NULL && at < number; at++)
        field = strchr(field + 1, ' ');
    return field == NULL || field[1] == '\0' ? NULL : field + 1;
}

int pid_look(pid_t pid, uint64_t *ret_start_time, char *ret_state)
{
    char line[STAT_SIZE];
    int r = read_stat(pid, line);
    if (r < 0)
        return r;
    const char *state = find_field(line, FIELD_STATE), *start_time = find_field(line, FIELD_START_TIME);
    if (state == NULL || start_time == NULL)
        return -EIO;
    *ret_start_time = strtoull(start_time, NULL, 10);
    *ret_state = *state;
    return 0;
}

int pid_has_executed(pid_t pid)
{
    char line[STAT_SIZE];
    int r = read_stat(pid, line);
    if (r < 0)
        return r;
    const char *flags = find_field(line, FIELD_FLAGS);
    return flags == NULL ? -EIO : (strtoul(flags, NULL, 10) & PF_FORKNOEXEC) == 0;
}

bool pid_is_ending(pid_t pid)
{
    char line[STAT_SIZE];
    int r = read_stat(pid, line);
    const char *flags = r < 0 ? NULL : find_field(line, FIELD_FLAGS);
    return r == -ESRCH || (flags != NULL && (strtoul(flags, NULL, 10) & PF_EXITING) != 0);
}

/* A caller who may not look reads 0 as exit code; the link of a zombie's program leads nowhere, but only for one who may. */
static bool may_look(pid_t pid)
{
    char path[64], ignored[2];
    snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    return readlink(path, ignored, sizeof(ignored)) >= 0 || errno == ENOENT;
}

static int zombie_exit_status(const struct pid_name *name, int *ret_status)
{
    char line[STAT_SIZE];
    int r = read_stat(name->pid, line);
    if (r < 0)
        return r;
    const char *state = find_field(line, FIELD_STATE), *start_time = find_field(line, FIELD_START_TIME);
    const char *exit_code = find_field(line, FIELD_EXIT_CODE);
    if (state == NULL || start_time == NULL || exit_code == NULL || *state != 'Z' ||
        strtoull(start_time, NULL, 10) != name->start_time || !may_look(name->pid))
        return -ENODATA;
    *ret_status = (int)strtol(exit_code, NULL, 10);
    return 0;
}

int pid_exit_status(int pidfd, const struct pid_name *name, int *ret_status)
{
    struct kernel_pidfd_info info = {.mask = KERNEL_PIDFD_INFO_EXIT};
    /* In this order: the kernel keeps the status behind the pidfd from the moment on in which the zombie is gone. */
    if (zombie_exit_status(name, ret_status) == 0)
        return 0;
    if (ioctl(pidfd, KERNEL_PIDFD_GET_INFO, &info) < 0 || !(info.mask & KERNEL_PIDFD_INFO_EXIT))
        return -ENODATA;
    *ret_status = info.exit_code;
    return 0;
}

enum pid_life pid_life(const struct pid_name *name)
{
    char line[STAT_SIZE];
    int r = name->pid <= 0 ? -ESRCH : read_stat(name->pid, line);
    if (r < 0) /* what cannot be known (too many open files) takes nothing away from one who may live */
        return r == -ESRCH ? PID_OVER : PID_EXECUTED;
    const char *state = find_field(line, FIELD_STATE), *flags = find_field(line, FIELD_FLAGS), *start_time = find_field(line, FIELD_START_TIME);
    if (state == NULL || flags == NULL || start_time == NULL || *state == 'Z' || *state == 'X' ||
        strtoull(start_time, NULL, 10) != name->start_time)
        return PID_OVER;
    return strtoul(flags, NULL, 10) & PF_FORKNOEXEC ? PID_WAITS : PID_EXECUTED;
}

bool pid_alive(const struct pid_name *name)
{
    return pid_life(name) != PID_OVER;
}

int pid_open(const struct pid_name *name)
{
    if (name->pid <= 0)
        return -ESRCH;
    CLEANUP_FD int pidfd = kernel_pidfd_open(name->pid, 0);
    if (pidfd < 0)
        return -errno;
    /* The pidfd is held first: if the start time matches now, it names that very process. */
    uint64_t start_time;
    char state;
    int r = pid_look(name->pid, &start_time, &state);
    if (r < 0)
        return r;
    if (start_time != name->start_time)
        return -ESRCH;
    return fd_steal(&pidfd);
}

int pid_wait_end(int pidfd, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd wait = {.fd = pidfd, .events = POLLIN};
        int64_t left = deadline_ms < 0 ? -1 : deadline_ms - clock_now_ms();
        if (deadline_ms >= 0 && left < 0)
            left = 0;
        int r = poll(&wait, 1, left > 60000 ? 60000 : (int)left);
        if (r > 0)
            return 1;
        if (r < 0 && errno != EINTR)
            return -errno;
        if (r == 0 && left >= 0 && left <= 60000)
            return 0;
    }
}
