/* container/live.c: opens a container for the commands that act on its processes or its cgroup. */
#include "container/live.h"

#include <errno.h>

#include "base/fd.h"

int fail_not_running(const char *id, enum state_status status, struct failure *why)
{
    if (status != STATUS_CREATING)
        return fail(why, FAILURE_STATE, "container not running: `%s` is %s", id, state_status_words[status]);
    /* Its creator is at work with it; `delete --force` ends that one too. */
    fail(why, FAILURE_STATE, "container not running: `%s` is still being created", id);
    return failure_hint(why, "use delete --force to end that");
}

int live_find(const struct runtime *runtime, const char *id, enum state_lock lock, struct live *live, struct failure *why)
{
    *live = (struct live){.directory = {.root_fd = -1, .fd = -1}, .cgroup = -1};
    if (state_open(runtime->root, id, lock, &live->directory, why) < 0 ||
        state_load(&live->directory, &live->arena, &live->state, why) < 0)
        return -1;
    live->status = state_status(&live->state);
    if (live->status == STATUS_STOPPED || live->status == STATUS_CREATING)
        return fail_not_running(live->state.id, live->status, why);
    return 0;
}

int live_open(const struct runtime *runtime, const char *id, enum state_lock lock, struct live *live, struct failure *why)
{
    if (live_find(runtime, id, lock, live, why) < 0)
        return -1;
    if (live->state.cgroup.path == NULL) {
        fail(why, FAILURE_STATE, "container `%s` has no cgroup of its own", id);
        return failure_hint(why, "it was made with --cgroup-manager disabled, or without a delegated cgroup");
    }
    live->cgroup = cgroup_open(&live->state.cgroup);
    /* A process leaves its cgroup before it is dead: a `delete` that was killed in between has removed the cgroup already. */
    if (live->cgroup == -ENOENT && pid_is_ending(live->state.init.pid))
        return fail_not_running(live->state.id, STATUS_STOPPED, why);
    return live->cgroup < 0 ? fail_errno(why, live->cgroup, "open cgroup '%s'", live->state.cgroup.path) : 0;
}

void live_close(struct live *live)
{
    fd_close(&live->cgroup);
    state_close(&live->directory);
    arena_done(&live->arena);
}
