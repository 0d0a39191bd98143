/*
 * container/control.c: pause and resume: what acts on the cgroup of a live container.
 *
 * Runs in the CLI process.  A freeze is waited for in cgroup.events, with a deadline; one that does not come about is
 * taken back by cgroup_freeze, so nothing stays half frozen.
 */
#include "base/pid.h"
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
