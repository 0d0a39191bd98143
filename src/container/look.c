/* container/look.c: state and list: what there is, without touching it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "container/container.h"
#include "container/state.h"

int runtime_default_root(struct arena *arena, const char **ret_root, struct failure *why)
{
    const char *runtime_directory = getenv("XDG_RUNTIME_DIR");
    bool usable = runtime_directory != NULL && runtime_directory[0] == '/';
    /* Root has one place, whatever session it was started from: engines and people must see the same containers. In a
     * user namespace "root" is an ordinary user outside, for whom /run is not writable. */
    if (geteuid() == 0 && (!usable || access("/run", W_OK) == 0)) {
        *ret_root = "/run/crun-lite";
        return 0;
    }
    if (!usable) {
        fail(why, FAILURE_USAGE, "no state root: XDG_RUNTIME_DIR is not set");
        return failure_hint(why, "set XDG_RUNTIME_DIR or pass --root DIR");
    }
    *ret_root = arena_format(arena, "%s/crun-lite", runtime_directory);
    return 0;
}

static int shown_pid(const struct state *state, enum state_status status)
{
    return status == STATUS_STOPPED || status == STATUS_CREATING ? 0 : (int)state->init.pid;
}

int container_state(const struct runtime *runtime, const char *id, struct json_writer *writer, struct failure *why)
{
    struct arena arena = {0};
    struct state_directory directory = {.root_fd = -1, .fd = -1};
    struct state state;
    int r = state_open(runtime->root, id, STATE_UNLOCKED, &directory, why);
    if (r == 0)
        r = state_load(&directory, &arena, &state, why);
    if (r == 0) {
        enum state_status status = state_status(&state);
        state_document(writer, &state, status, shown_pid(&state, status));
    }
    state_close(&directory);
    arena_done(&arena);
    return r;
}

/* Clients read a time there, whatever is left of the container. */
static const char *changed(const struct state_directory *directory, struct arena *arena)
{
    struct stat status = {0};
    char seconds[TEXT_TIME_SIZE];
    IGNORE_RESULT(fstat(directory->fd, &status)); /* the beginning of time, then */
    return arena_format(arena, "%sZ", text_utc(seconds, status.st_mtime));
}

static int summarize(const struct runtime *runtime, const char *id, struct arena *arena, struct container_summary *ret_summary)
{
    struct state_directory directory = {.root_fd = -1, .fd = -1};
    struct state state;
    struct failure why;
    if (state_check_id(id, &why) < 0 || state_open(runtime->root, id, STATE_UNLOCKED, &directory, &why) < 0)
        return -1;
    *ret_summary = (struct container_summary){.id = arena_copy(arena, id), .status = "stopped", .bundle = "", .rootfs = ""};
    if (state_load(&directory, arena, &state, &why) == 0) {
        enum state_status status = state_status(&state);
        ret_summary->status = state_status_words[status];
        ret_summary->pid = shown_pid(&state, status);
        ret_summary->bundle = state.bundle;
        ret_summary->rootfs = state.rootfs;
        ret_summary->created = state.created;
        ret_summary->owner = state.owner;
        ret_summary->annotations = state.annotations;
    } else {
        ret_summary->created = changed(&directory, arena);
    }
    state_close(&directory);
    return 0;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct container_summary *)a)->id, ((const struct container_summary *)b)->id);
}

int container_list(const struct runtime *runtime, struct arena *arena, struct container_summary **ret_list, size_t *ret_count,
                   struct failure *why)
{
    size_t count = 0, room = 16;
    struct container_summary *list = arena_alloc(arena, room * sizeof(*list));
    DIR *root = opendir(runtime->root);
    if (root == NULL && errno != ENOENT)
        return fail_sys(why, "open the state root '%s'", runtime->root);
    const struct dirent *entry;
    while (root != NULL && (entry = readdir(root)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (count == room) {
            list = arena_grow(arena, list, count, room * 2, sizeof(*list));
            room *= 2;
        }
        if (summarize(runtime, entry->d_name, arena, &list[count]) == 0)
            count++;
    }
    if (root != NULL)
        (void)closedir(root); /* only read */
    if (count > 1)
        qsort(list, count, sizeof(*list), by_id);
    *ret_list = list;
    *ret_count = count;
    return 0;
}
