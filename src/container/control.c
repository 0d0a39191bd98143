/*
 * container/control.c: pause, resume, ps: what acts on or looks into the cgroup of a live container.
 *
 * Runs in the CLI process.  A freeze is waited for in cgroup.events, with a deadline; one that does not come about is
 * taken back by cgroup_freeze, so nothing stays half frozen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "container/container.h"
#include "container/live.h"

#define FREEZE_DEADLINE_MS 10000

int container_pause(const struct runtime *runtime, const char *id, struct failure *why)
{
    struct live live;
    int r = live_open(runtime, id, STATE_EXCLUSIVE, &live, why);
    if (r == 0 && live.status == STATUS_PAUSED)
        r = fail(why, FAILURE_STATE, "container `%s` is already paused", id);
    if (r == 0)
        r = cgroup_freeze(live.cgroup, true, clock_now_ms() + FREEZE_DEADLINE_MS, why);
    live_close(&live);
    return r;
}

int container_resume(const struct runtime *runtime, const char *id, struct failure *why)
{
    struct live live;
    int r = live_open(runtime, id, STATE_EXCLUSIVE, &live, why);
    /* A pause that was killed while it waited has left a freeze that has not come about yet: that is taken back, too. */
    if (r == 0 && live.status != STATUS_PAUSED && !cgroup_is_freezing(live.cgroup))
        r = fail(why, FAILURE_STATE, "container `%s` is not paused", id);
    if (r == 0)
        r = cgroup_freeze(live.cgroup, false, clock_now_ms() + FREEZE_DEADLINE_MS, why);
    live_close(&live);
    return r;
}

/* ---- ps ---- */

static int by_pid(const void *a, const void *b)
{
    pid_t one = *(const pid_t *)a, other = *(const pid_t *)b;
    return (one > other) - (one < other);
}

/* argv with blanks between the words; the kernel's name in brackets where there is none. */
static void read_command(pid_t pid, char *out, size_t size)
{
    char path[64], raw[512] = "";
    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    ssize_t length = file_read_line_at(-1, path, raw, sizeof(raw));
    for (ssize_t i = 0; i + 1 < length; i++)
        if (raw[i] == '\0')
            raw[i] = ' ';
    if (length > 0) {
        text_sanitize(out, size, raw);
        return;
    }
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    IGNORE_RESULT(file_read_line_at(-1, path, raw, sizeof(raw))); /* "" when it has just ended */
    text_sanitize(out, size, raw);
}

int container_processes(const struct runtime *runtime, const char *id, struct arena *arena, struct container_process **ret_list,
                        size_t *ret_count, struct failure *why)
{
    struct live live;
    pid_t *pids = NULL;
    ssize_t count = -1;
    if (live_open(runtime, id, STATE_UNLOCKED, &live, why) == 0) {
        count = cgroup_pids(live.cgroup, arena, &pids);
        if (count < 0)
            fail_errno(why, (int)count, "list the processes of cgroup '%s'", live.state.cgroup.path);
    }
    live_close(&live);
    if (count < 0)
        return -1;
    if (count > 1)
        qsort(pids, (size_t)count, sizeof(*pids), by_pid);
    struct container_process *list = arena_alloc(arena, ((size_t)count + 1) * sizeof(*list));
    for (ssize_t i = 0; i < count; i++) {
        uint64_t start_time;
        list[i] = (struct container_process){.pid = pids[i], .state = '?'};
        IGNORE_RESULT(pid_look(pids[i], &start_time, &list[i].state)); /* '?' when it has just ended */
        read_command(pids[i], list[i].command, sizeof(list[i].command));
    }
    *ret_list = list;
    *ret_count = (size_t)count;
    return 0;
}
