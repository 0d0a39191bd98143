/*
 * container/events.c: events, stats, wait: what happens to a container, without touching it.
 *
 * Runs in the CLI process, without a lock: a container that is deleted meanwhile ends them.  One poll for everything; the
 * first process's pidfd tells the end.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "container/live.h"

#define PRESSURE_WINDOW_US 2000000 /* the one that the kernel lets everybody have, KERNEL(6.5) */

/* ---- stats ---- */

static int read_stats(const struct live *live, struct arena *arena, struct cgroup_stats *ret_stats, struct failure *why)
{
    int r = cgroup_read_stats(live->cgroup, arena, ret_stats);
    return r < 0 ? fail_errno(why, r, "read the statistics of cgroup '%s'", live->state.cgroup.path) : 0;
}

int container_stats(const struct runtime *runtime, const char *id, struct arena *arena, struct cgroup_stats *ret_stats,
                    struct failure *why)
{
    struct live live;
    int r = live_open(runtime, id, STATE_UNLOCKED, &live, why);
    if (r == 0)
        r = read_stats(&live, arena, ret_stats, why);
    live_close(&live);
    return r;
}

/* ---- events ---- */

/* The order in which they are looked at: a kill for lack of memory is told before the end that it caused. */
enum watched { WATCH_OOM, WATCH_PRESSURE, WATCH_TIMER, WATCH_END, WATCHED };

struct watching {
    struct live live;
    const struct events_request *request;
    struct pollfd polls[WATCHED];
    uint64_t oom_kills;
};

static int tell(struct watching *watching, enum event_kind kind, struct failure *why)
{
    struct container_event event = {.kind = kind, .id = watching->live.state.id};
    if (kind == EVENT_OOM)
        return watching->request->sink(&event, why);
    struct arena arena = {0};
    struct cgroup_stats stats;
    int r = cgroup_read_stats(watching->live.cgroup, &arena, &stats);
    event.stats = &stats;
    if (r == 0)
        r = watching->request->sink(&event, why);
    else
        r = 0; /* the cgroup is gone: so is the container, which the pidfd says next */
    arena_done(&arena);
    return r;
}

static int open_timer(int64_t interval_us)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct timespec interval = {.tv_sec = interval_us / 1000000, .tv_nsec = interval_us % 1000000 * 1000};
    struct itimerspec timer = {.it_interval = interval, .it_value = interval};
    if (fd >= 0 && timerfd_settime(fd, 0, &timer, NULL) == 0)
        return fd;
    int r = -errno;
    fd_close(&fd);
    return r;
}

static int open_pressure(const struct watching *watching, struct failure *why)
{
    if (watching->request->stall_us == 0)
        return -1;
    int fd = cgroup_watch_pressure(watching->live.cgroup, (uint64_t)watching->request->stall_us, PRESSURE_WINDOW_US);
    if (fd >= 0)
        return fd;
    fail_errno(why, fd, "watch memory.pressure of cgroup '%s'", watching->live.state.cgroup.path);
    if (fd == -ENOENT || fd == -EOPNOTSUPP)
        failure_hint(why, "the kernel needs CONFIG_PSI, and the kernel parameter psi=1 where it is off by default");
    return -2;
}

static int watching_open(struct watching *watching, const struct runtime *runtime, const char *id, struct failure *why)
{
    if (live_open(runtime, id, STATE_UNLOCKED, &watching->live, why) < 0)
        return -1;
    int pidfd = pid_open(&watching->live.state.init);
    watching->polls[WATCH_END] = (struct pollfd){.fd = pidfd, .events = POLLIN};
    if (pidfd < 0)
        return pidfd == -ESRCH ? fail_not_running(id, STATUS_STOPPED, why)
                               : fail_errno(why, pidfd, "open the first process of container `%s`", id);
    watching->polls[WATCH_TIMER] = (struct pollfd){.fd = open_timer(watching->request->interval_us), .events = POLLIN};
    if (watching->polls[WATCH_TIMER].fd < 0)
        return fail_errno(why, watching->polls[WATCH_TIMER].fd, "make a timer");
    int pressure = open_pressure(watching, why);
    watching->polls[WATCH_PRESSURE] = (struct pollfd){.fd = pressure, .events = POLLPRI};
    if (pressure < -1)
        return -1;
    /* Without the memory controller nobody is killed for lack of the container's memory. */
    int oom = cgroup_watch_oom(watching->live.cgroup);
    watching->polls[WATCH_OOM] = (struct pollfd){.fd = oom < 0 ? -1 : oom, .events = POLLPRI};
    if (oom >= 0 && cgroup_watched_oom_kills(oom, &watching->oom_kills) < 0)
        fd_close(&watching->polls[WATCH_OOM].fd);
    return 0;
}

static int look_at_oom(struct watching *watching, struct failure *why)
{
    uint64_t kills;
    if (watching->polls[WATCH_OOM].fd < 0)
        return 0;
    if (cgroup_watched_oom_kills(watching->polls[WATCH_OOM].fd, &kills) < 0) {
        fd_close(&watching->polls[WATCH_OOM].fd); /* gone with the cgroup */
        return 0;
    }
    bool more = kills > watching->oom_kills;
    watching->oom_kills = kills;
    return more ? tell(watching, EVENT_OOM, why) : 0;
}

static int look_at_timer(struct watching *watching, struct failure *why)
{
    uint64_t expirations;
    /* However many were missed, the numbers are those of now. */
    IGNORE_RESULT(read(watching->polls[WATCH_TIMER].fd, &expirations, sizeof(expirations)));
    return tell(watching, EVENT_STATS, why);
}

/* 1: the end. */
static int look(struct watching *watching, struct failure *why)
{
    bool ended = watching->polls[WATCH_END].revents != 0;
    if ((watching->polls[WATCH_OOM].revents != 0 || ended) && look_at_oom(watching, why) < 0)
        return -1;
    if (watching->polls[WATCH_PRESSURE].revents & POLLERR)
        fd_close(&watching->polls[WATCH_PRESSURE].fd); /* gone with the cgroup */
    else if ((watching->polls[WATCH_PRESSURE].revents & POLLPRI) && tell(watching, EVENT_PRESSURE, why) < 0)
        return -1;
    if (ended)
        return 1;
    return watching->polls[WATCH_TIMER].revents != 0 ? look_at_timer(watching, why) : 0;
}

static int watch(struct watching *watching, struct failure *why)
{
    for (;;) {
        int r = poll(watching->polls, WATCHED, -1);
        if (r < 0 && errno != EINTR)
            return fail_sys(why, "wait for events of container `%s`", watching->live.state.id);
        if (r > 0 && (r = look(watching, why)) != 0)
            return r < 0 ? -1 : 0;
    }
}

int container_events(const struct runtime *runtime, const char *id, const struct events_request *request, struct failure *why)
{
    struct watching watching = {.request = request};
    for (int i = 0; i < WATCHED; i++)
        watching.polls[i].fd = -1;
    int r = watching_open(&watching, runtime, id, why);
    if (r == 0)
        r = watch(&watching, why);
    for (int i = 0; i < WATCHED; i++)
        fd_close(&watching.polls[i].fd);
    live_close(&watching.live);
    return r;
}

/* ---- wait ---- */

static int wait_for(const struct state *state, struct container_end *ret_end, struct failure *why)
{
    CLEANUP_FD int pidfd = pid_open(&state->init);
    if (pidfd == -ESRCH) {
        *ret_end = (struct container_end){.known = false}; /* ended and reaped before */
        return 0;
    }
    if (pidfd < 0)
        return fail_errno(why, pidfd, "open the first process of container `%s`", state->id);
    int r = pid_wait_end(pidfd, -1);
    if (r < 0)
        return fail_errno(why, r, "wait for container `%s`", state->id);
    int status = 0;
    bool known = pid_exit_status(pidfd, &state->init, &status) == 0;
    *ret_end = (struct container_end){.known = known, .status = status};
    return 0;
}

int container_wait(const struct runtime *runtime, const char *id, struct container_end *ret_end, struct failure *why)
{
    struct arena arena = {0};
    struct state_directory directory = {.root_fd = -1, .fd = -1};
    struct state state;
    int r = state_open(runtime->root, id, STATE_UNLOCKED, &directory, why);
    if (r == 0)
        r = state_load(&directory, &arena, &state, why);
    if (r == 0 && state_status(&state) == STATUS_CREATING)
        r = fail_not_running(id, STATUS_CREATING, why);
    state_close(&directory); /* held open it would keep nothing alive */
    if (r == 0)
        r = wait_for(&state, ret_end, why);
    arena_done(&arena);
    return r;
}
