/*
 * container/ps.c: ps: the processes of a container's cgroup, by the kernel's or by ps(1)'s words.
 *
 * Runs in the CLI process.  ps(1) is the host's, started by absolute path with the options of the caller; it looks at the host's
 * processes, and the lines of others are left out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/pid.h"
#include "base/spawn.h"
#include "base/text.h"
#include "container/container.h"
#include "container/live.h"

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

/* In order.  The count, or -1. */
static ssize_t read_pids(const struct runtime *runtime, const char *id, struct arena *arena, pid_t **ret_pids, struct failure *why)
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
    if (count > 1)
        qsort(pids, (size_t)count, sizeof(*pids), by_pid);
    *ret_pids = pids;
    return count < 0 ? -1 : count;
}

int container_processes(const struct runtime *runtime, const char *id, struct arena *arena, struct container_process **ret_list,
                        size_t *ret_count, struct failure *why)
{
    pid_t *pids;
    ssize_t count = read_pids(runtime, id, arena, &pids, why);
    if (count < 0)
        return -1;
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

/* ---- with the host's ps(1) ---- */

#define OUTPUT_LIMIT ((size_t)64 * 1024 * 1024)

/* Which word of the header is PID; -1: none. */
static ssize_t find_column(const char *header)
{
    for (size_t i = 0;; i++) {
        const char *word = text_word(header, i);
        if (word == NULL)
            return -1;
        if (strcspn(word, " \n") == strlen("PID") && text_starts(word, "PID"))
            return (ssize_t)i;
    }
}

/* Clients of runc give all options as one word: "-eo pid,comm". */
static char **split_options(char *const *options, struct arena *arena)
{
    size_t count = 0;
    char **argv = NULL;
    char *name = arena_copy(arena, "ps"), *all = arena_copy(arena, "-ef");
    argv = arena_grow_one(arena, argv, count, sizeof(*argv));
    argv[count++] = name;
    for (size_t i = 0; options[i]; i++) {
        const char *rest = options[i] + strspn(options[i], " ");
        while (*rest) {
            size_t length = strcspn(rest, " ");
            argv = arena_grow_one(arena, argv, count, sizeof(*argv));
            argv[count++] = arena_copy_n(arena, rest, length);
            rest += length;
            rest += strspn(rest, " ");
        }
    }
    if (count == 1) {
        argv = arena_grow_one(arena, argv, count, sizeof(*argv));
        argv[count++] = all;
    }
    argv = arena_grow_one(arena, argv, count, sizeof(*argv));
    argv[count] = NULL;
    return argv;
}

static int run_ps(char *const *options, struct arena *arena, char **ret_output, struct failure *why)
{
    char said[1200];
    char **argv = split_options(options, arena);
    CLEANUP_FD int output = memfd_create("ps", MFD_CLOEXEC);
    if (output < 0)
        return fail_sys(why, "make a place for the output of ps");
    struct spawn spawn = {
        .path = access("/usr/bin/ps", X_OK) == 0 ? "/usr/bin/ps" : "/bin/ps", .argv = argv, .directory_fd = -1, .timeout_ms = 60000, .output_fd = &output};
    struct spawn_result result;
    if (spawn_run(&spawn, &result, why) < 0)
        return -1;
    if (result.exec_errno || result.timed_out || result.wait_status != 0) {
        spawn_describe(&result, said, sizeof(said));
        fail(why, result.exec_errno ? FAILURE_HOST : FAILURE_USAGE, "%s %s", spawn.path, said);
        return result.exec_errno == ENOENT ? failure_hint(why, "install it (procps), or leave the options out") : -1;
    }
    ssize_t length = file_read_at(-1, arena_format(arena, "/proc/self/fd/%d", output), OUTPUT_LIMIT, arena, ret_output);
    return length < 0 ? fail_errno(why, (int)length, "read the output of ps") : 0;
}

int container_processes_shown(const struct runtime *runtime, const char *id, char *const *options, struct arena *arena, char **ret_table,
                              struct failure *why)
{
    char *output = NULL;
    pid_t *pids;
    ssize_t count = read_pids(runtime, id, arena, &pids, why);
    if (count < 0 || run_ps(options, arena, &output, why) < 0)
        return -1;
    ssize_t column = output ? find_column(output) : -1;
    if (column < 0) {
        fail(why, FAILURE_USAGE, "what ps shows with these options has no column PID");
        return failure_hint(why, "it is needed to tell the container's processes: give -o pid,… or -ef");
    }
    /* The lines that stay move up. */
    char *table = output + strcspn(output, "\n");
    char *end = table += *table == '\n';
    for (char *line = table; *line;) {
        size_t length = strcspn(line, "\n");
        length += line[length] == '\n';
        const char *word = text_word(line, (size_t)column);
        pid_t pid = word ? (pid_t)strtol(word, NULL, 10) : 0;
        if (bsearch(&pid, pids, (size_t)count, sizeof(*pids), by_pid) != NULL) {
            memmove(end, line, length);
            end += length;
        }
        line += length;
    }
    *end = '\0';
    *ret_table = output;
    return 0;
}
