/*
 * container/live.h: a container that has processes: what update works on; and a cgroup of its own: pause, ps and events.
 *
 * Runs in: the CLI process.
 */
#ifndef CRUN_LITE_CONTAINER_LIVE_H
#define CRUN_LITE_CONTAINER_LIVE_H

#include "container/container.h"
#include "container/state.h"

struct live {
    struct arena arena;
    struct state_directory directory;
    struct state state;
    enum state_status status;
    int cgroup;
};

/* Always -1: the STATE failure of a command that needs a live container, and found it stopped or still being created. */
int fail_not_running(const char *id, enum state_status status, struct failure *why);

/* STATE failure where the container is not there, has stopped or is still being created.  Its cgroup is left alone.  live_close
 * is due, also on failure. */
int live_find(const struct runtime *runtime, const char *id, enum state_lock lock, struct live *live, struct failure *why) MUST_CHECK;
/* The same, and its cgroup is open; STATE failure where it has none. */
int live_open(const struct runtime *runtime, const char *id, enum state_lock lock, struct live *live, struct failure *why) MUST_CHECK;
void live_close(struct live *live);

#endif
