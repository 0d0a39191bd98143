/*
 * cgroups/tree.c: a live cgroup's subtree: its processes, events, freezing, killing, removal.
 *
 * Runs in the host side of kill, pause, resume, ps, delete and in the creator's undo, by directory fd.  A container
 * with a delegated cgroup chooses the names, the number and the depth of what is below, so: no recursion, no path
 * strings in the removal, bounded lists.  Must not: sleep; waiting is poll(2) on cgroup.events.
 */
#include "cgroups/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/pid.h"
#include "base/text.h"

#define PROCS_MAX (32u << 20)  /* bytes of one cgroup.procs: four million pids */
#define DIRECTORIES_MAX 100000 /* of one subtree */
#define SIGNAL_CHUNK 64        /* pidfds held at once */
#define KILL_ROUNDS 16
#define SHOWN_MAX 4 /* processes that a message names */

/* ---- events ---- */

/* The number behind "key " in the text of a flat keyed file; -1: no such key. */
static int64_t number_of(const char *text, const char *key)
{
    size_t length = strlen(key);
    while (*text) {
        if (strncmp(text, key, length) == 0 && text[length] == ' ') {
            char *end;
            errno = 0;
            long long number = strtoll(text + length + 1, &end, 10);
            return errno == 0 && (*end == '\n' || *end == '\0') ? number : -1;
        }
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return -1;
}

static int64_t read_number(int cgroup_fd, const char *file, const char *key)
{
    char data[1024];
    return file_read_line_at(cgroup_fd, file, data, sizeof data) < 0 ? -1 : number_of(data, key);
}

int tree_wait_event(int cgroup_fd, const char *key, bool wanted, int64_t deadline_ms)
{
    CLEANUP_FD int events = openat(cgroup_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
    if (events < 0)
        return -errno;
    /* The kernel tells of changes at most every 10 ms (CGROUP_FILE_NOTIFY_MIN_INTV): what follows one closely would be heard of late. */
    for (int look_again_ms = 1;; look_again_ms *= look_again_ms < 1000 ? 2 : 1) {
        char data[512];
        /* Reading arms poll: the next change after it is seen. */
        ssize_t length = pread(events, data, sizeof data - 1, 0);
        if (length < 0)
            return -errno; /* ENODEV: removed meanwhile */
        data[length] = '\0';
        int64_t now = number_of(data, key);
        if (now < 0)
            return -ENOENT;
        if ((now != 0) == wanted)
            return 1;
        int64_t left = deadline_ms < 0 ? -1 : deadline_ms - clock_now_ms();
        if (deadline_ms >= 0 && left <= 0)
            return 0;
        struct pollfd wait = {.fd = events, .events = POLLPRI};
        if (poll(&wait, 1, left >= 0 && left < look_again_ms ? (int)left : look_again_ms) < 0 && errno != EINTR)
            return -errno;
    }
}

/* ---- processes ---- */

struct pid_list {
    struct arena *arena;
    pid_t *pids;
    size_t count, room;
};

static void list_add(struct pid_list *list, pid_t pid)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 32;
        list->pids = arena_grow(list->arena, list->pids, list->count, room, sizeof *list->pids);
        list->room = room;
    }
    list->pids[list->count++] = pid;
}

static int list_add_procs(struct pid_list *list, int cgroup_fd)
{
    char *data;
    ssize_t length = file_read_at(cgroup_fd, "cgroup.procs", PROCS_MAX, list->arena, &data);
    if (length == -EOPNOTSUPP || length == -ENODEV)
        return 0; /* a threaded cgroup's processes are listed by its domain; a removed one has none */
    if (length < 0)
        return (int)length;
    for (char *at = data; *at;) {
        char *end;
        long pid = strtol(at, &end, 10);
        if (end == at)
            break;
        if (pid > 0 && pid <= INT_MAX) /* 0: a process outside of our pid namespace */
            list_add(list, (pid_t)pid);
        at = end + (*end == '\n');
    }
    return 0;
}

struct directory_queue {
    struct arena *arena;
    char **paths; /* relative to the subtree's root */
    size_t count, room;
};

static bool is_child_cgroup(const struct dirent *entry)
{
    return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

static DIR *open_listing(int cgroup_fd)
{
    int fd = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    if (!listing)
        fd_close(&fd);
    return listing;
}

static int queue_children(struct directory_queue *queue, int fd, const char *path)
{
    DIR *listing = open_listing(fd);
    if (!listing)
        return errno == ENOENT || errno == ENODEV ? 0 : -errno;
    int result = 0;
    for (const struct dirent *entry; (entry = readdir(listing));) {
        if (!is_child_cgroup(entry))
            continue;
        if (queue->count == DIRECTORIES_MAX) {
            result = -E2BIG;
            break;
        }
        if (queue->count == queue->room) {
            size_t room = queue->room ? queue->room * 2 : 16;
            queue->paths = arena_grow(queue->arena, queue->paths, queue->count, room, sizeof *queue->paths);
            queue->room = room;
        }
        queue->paths[queue->count++] = *path ? arena_format(queue->arena, "%s/%s", path, entry->d_name)
                                             : arena_copy(queue->arena, entry->d_name);
    }
    (void)closedir(listing); /* was only read */
    return result;
}

ssize_t cgroup_pids(int cgroup_fd, struct arena *arena, pid_t **ret_pids)
{
    struct pid_list list = {.arena = arena};
    struct directory_queue queue = {.arena = arena};
    int done = list_add_procs(&list, cgroup_fd);
    if (done == 0)
        done = queue_children(&queue, cgroup_fd, "");
    for (size_t i = 0; done == 0 && i < queue.count; i++) {
        CLEANUP_FD int fd = kernel_openat2(cgroup_fd, queue.paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                                           RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        if (fd < 0)
            continue; /* removed meanwhile, or deeper than PATH_MAX: cgroup_kill reaches that all the same */
        done = list_add_procs(&list, fd);
        if (done == 0)
            done = queue_children(&queue, fd, queue.paths[i]);
    }
    if (done < 0)
        return done;
    *ret_pids = list.pids;
    return (ssize_t)list.count;
}

static int compare_pids(const void *a, const void *b)
{
    pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;
    return (left > right) - (left < right);
}

/* A pid can be recycled between the list and the signal.  So: open pidfds, read the list again, and signal only who
 * is still on it. */
static int signal_chunk(int cgroup_fd, const pid_t *pids, size_t count, int sig)
{
    int pidfds[SIGNAL_CHUNK], signalled = 0;
    for (size_t i = 0; i < count; i++)
        pidfds[i] = pids[i] == getpid() ? -1 : kernel_pidfd_open(pids[i], 0);
    struct arena arena = {0};
    pid_t *again = NULL;
    ssize_t listed = cgroup_pids(cgroup_fd, &arena, &again);
    if (listed > 0)
        qsort(again, (size_t)listed, sizeof *again, compare_pids);
    for (size_t i = 0; i < count; i++) {
        if (pidfds[i] >= 0 && listed > 0 && bsearch(&pids[i], again, (size_t)listed, sizeof *again, compare_pids) &&
            kernel_pidfd_send_signal(pidfds[i], sig) == 0)
            signalled++;
        fd_close(&pidfds[i]);
    }
    arena_done(&arena);
    return listed < 0 ? (int)listed : signalled;
}

int cgroup_signal(int cgroup_fd, int sig)
{
    struct arena arena = {0};
    pid_t *pids = NULL;
    ssize_t count = cgroup_pids(cgroup_fd, &arena, &pids);
    int result = count < 0 ? (int)count : 0;
    for (ssize_t at = 0; result >= 0 && at < count; at += SIGNAL_CHUNK) {
        size_t chunk = count - at < SIGNAL_CHUNK ? (size_t)(count - at) : SIGNAL_CHUNK;
        int signalled = signal_chunk(cgroup_fd, pids + at, chunk, sig);
        result = signalled < 0 ? signalled : result + signalled;
    }
    arena_done(&arena);
    return result;
}

int cgroup_kill(int cgroup_fd)
{
    int done = file_write_text_at(cgroup_fd, "cgroup.kill", "1");
    if (done != -ENOENT && done != -EOPNOTSUPP)
        return done;
    /* KERNEL(5.14): no cgroup.kill, or a threaded cgroup.  Frozen processes cannot fork away and die all the same.
     */
    int frozen = file_write_text_at(cgroup_fd, "cgroup.freeze", "1");
    int signalled = 1;
    for (int round = 0; signalled > 0 && round < KILL_ROUNDS; round++) {
        signalled = cgroup_signal(cgroup_fd, SIGKILL);
        if (signalled > 0 && tree_wait_event(cgroup_fd, "populated", false, clock_now_ms() + 10) != 0)
            break;
    }
    if (frozen == 0)
        done = file_write_text_at(cgroup_fd, "cgroup.freeze", "0");
    return signalled < 0 ? signalled : frozen == 0 ? done : 0;
}

/* Where in the kernel the process waits, "" when it does not. */
static void read_wchan(pid_t pid, char *out, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/wchan", (int)pid); /* always fits */
    if (file_read_line_at(AT_FDCWD, path, out, size) < 0 || text_equal(out, "0"))
        out[0] = '\0';
}

enum waiting { WAITS_IN_KERNEL, DOES_NOT };

/* "pid 4711 (cat) in state D waiting in nfs_wait"; false: it is of the other kind, or has ended meanwhile. */
static bool describe_process(pid_t pid, enum waiting which, struct text *text)
{
    char path[64], name[64], clean[64], wchan[128], state = '?';
    uint64_t start_time;
    (void)snprintf(path, sizeof path, "/proc/%d/comm", (int)pid); /* always fits */
    if (pid_look(pid, &start_time, &state) < 0 || (state == 'D') != (which == WAITS_IN_KERNEL) ||
        file_read_line_at(AT_FDCWD, path, name, sizeof name) < 0)
        return false;
    text_sanitize(clean, sizeof clean, name);
    read_wchan(pid, wchan, sizeof wchan);
    text_format(text, "%spid %d (%s) in state %c%s%s", text->length ? ", " : "", (int)pid, clean, state,
                wchan[0] ? " waiting in " : "", wchan);
    return true;
}

/* Those that no signal reaches first: they are what the others are waited for with. */
void tree_describe_processes(int cgroup_fd, char *out, size_t size)
{
    struct arena arena = {0};
    struct text text = {0};
    pid_t *pids = NULL;
    unsigned shown = 0;
    ssize_t count = cgroup_pids(cgroup_fd, &arena, &pids);
    for (enum waiting which = WAITS_IN_KERNEL; which <= DOES_NOT; which++)
        for (ssize_t i = 0; i < count && shown < SHOWN_MAX; i++)
            shown += describe_process(pids[i], which, &text);
    if (count > (ssize_t)shown)
        text_format(&text, " and %zd more", count - (ssize_t)shown);
    (void)snprintf(out, size, "%s", text.data ? text.data : "no process of our pid namespace"); /* may be cut */
    text_done(&text);
    arena_done(&arena);
}

/* ---- freezing ---- */

bool cgroup_is_populated(int cgroup_fd)
{
    return read_number(cgroup_fd, "cgroup.events", "populated") == 1;
}

bool cgroup_is_frozen(int cgroup_fd)
{
    return read_number(cgroup_fd, "cgroup.events", "frozen") == 1;
}

bool cgroup_is_freezing(int cgroup_fd)
{
    char asked[8];
    return file_read_line_at(cgroup_fd, "cgroup.freeze", asked, sizeof asked) >= 0 && text_equal(asked, "1");
}

int cgroup_freeze(int cgroup_fd, bool frozen, int64_t deadline_ms, struct failure *why)
{
    int done = file_write_text_at(cgroup_fd, "cgroup.freeze", frozen ? "1" : "0");
    if (done < 0)
        return fail_errno(why, done, "write cgroup.freeze");
    done = tree_wait_event(cgroup_fd, "frozen", frozen, deadline_ms);
    if (done > 0)
        return 0;
    char who[512] = "";
    if (frozen) {
        /* Before the thaw, which wakes everybody for a moment. */
        if (done == 0)
            tree_describe_processes(cgroup_fd, who, sizeof who);
        /* Nothing stays half frozen: the caller is told that it did not happen. */
        int thawed = file_write_text_at(cgroup_fd, "cgroup.freeze", "0");
        (void)thawed; /* the first failure is the one to report */
    }
    if (done < 0)
        return fail_errno(why, done, "wait for cgroup.events to say frozen %d", frozen);
    if (!frozen) {
        fail(why, FAILURE_STATE, "the cgroup is still frozen");
        return failure_hint(why, "a cgroup above it is frozen: thaw that one");
    }
    return fail(why, FAILURE_HOST, "the cgroup did not freeze in time: %s", who);
}

/* ---- removal ---- */

/* Removes those children that can be, counts them, and gives the name of one that cannot.  1 there is one, 0 none
 * is left, -errno. */
static int remove_leaves(int fd, unsigned *ret_removed, char *ret_name, size_t size)
{
    DIR *listing = open_listing(fd);
    if (!listing)
        return errno == ENOENT || errno == ENODEV ? 0 : -errno;
    int result = 0;
    *ret_removed = 0;
    for (const struct dirent *entry; (entry = readdir(listing));) {
        if (!is_child_cgroup(entry))
            continue;
        if (unlinkat(fd, entry->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT) {
            ++*ret_removed;
            continue;
        }
        if (errno != EBUSY && errno != ENOTEMPTY) {
            result = -errno;
            break;
        }
        (void)snprintf(ret_name, size, "%s", entry->d_name); /* NAME_MAX fits */
        result = 1;
        break;
    }
    (void)closedir(listing); /* was only read */
    return result;
}

/*
 * Goes down into children that have children and up again by "..", with one descriptor, so that a container cannot
 * exhaust ours by nesting.  Every way down leads to a cgroup with children and every way up leaves one without, so
 * it ends.
 */
int tree_remove_children(int cgroup_fd, int64_t deadline_ms)
{
    CLEANUP_FD int here = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (here < 0)
        return -errno;
    bool came_down = false;
    for (size_t depth = 0;;) {
        char name[NAME_MAX + 1];
        unsigned removed = 0;
        int left = remove_leaves(here, &removed, name, sizeof name);
        if (left < 0)
            return left;
        if (left == 0 && depth == 0)
            return 0;
        if (left == 0 && came_down && removed == 0)
            return -EBUSY; /* a leaf without processes that would not go: somebody is moving in or out */
        if (deadline_ms >= 0 && clock_now_ms() > deadline_ms)
            return -ETIMEDOUT;
        CLEANUP_FD int next = openat(here, left ? name : "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return -errno;
        /* Populated means: no way down ends in anything removable. */
        if (left && read_number(next, "cgroup.events", "populated") == 1)
            return -EBUSY;
        came_down = left;
        depth = left ? depth + 1 : depth - 1;
        fd_close(&here);
        here = fd_steal(&next);
    }
}

/* ---- out of memory ---- */

uint64_t cgroup_oom_kills(int cgroup_fd)
{
    int64_t kills = read_number(cgroup_fd, "memory.events", "oom_kill");
    return kills < 0 ? 0 : (uint64_t)kills;
}
