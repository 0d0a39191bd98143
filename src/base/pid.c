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

int pid_look(pid_t pid, uint64_t *ret_start_time, char *ret_state)
{
    char path[64], line[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    ssize_t length = file_read_line_at(-1, path, line, sizeof(line));
    if (length < 0)
        return length == -ENOENT ? -ESRCH : (int)length;
    /* The command name may hold anything, also ") ": fields are counted from the last parenthesis. */
    const char *field = strrchr(line, ')');
    if (field == NULL || field[1] != ' ' || field[2] == '\0')
        return -EIO;
    char state = field[2];
    for (int number = 2; number < 22; number++) {
        field = strchr(field + 1, ' ');
        if (field == NULL)
            return -EIO;
    }
    *ret_start_time = strtoull(field + 1, NULL, 10);
    *ret_state = state;
    return 0;
}

bool pid_alive(const struct pid_name *name)
{
    uint64_t start_time;
    char state;
    if (name->pid <= 0 || pid_look(name->pid, &start_time, &state) < 0)
        return false;
    return start_time == name->start_time && state != 'Z' && state != 'X';
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
