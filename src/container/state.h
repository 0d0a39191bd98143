/*
 * container/state.h: what is kept about a container: one directory per container below the state root.
 *
 *   <root>/<id>/state.json    the record, replaced by rename
 *   <root>/<id>/config.json   config.json as create read it: later edits of the bundle have no effect
 *   <root>/<id>/resources.json  the resources in force, once an update changed them; before that config.json says it
 *   <root>/<id>/resources.json.next  what an update at work, or one that was killed, would make of it
 *   <root>/<id>/start.sock    init listens here until it is told to start
 *   <root>/<id>/notify/     mounted in the container on /run/notify, where create or run had NOTIFY_SOCKET; notify.sock is bound in it
 *                           before the program runs (notify.h)
 *   <root>/<id>/cgroup        a symbolic link whose text names the cgroup: made in one step, readable when the record is damaged
 *   <root>/<id>/resctrl       the same for the resctrl group, where /linux/intelRdt asks for one
 *
 * The directory's creation (mkdir) decides who owns an id; its flock orders the commands of one container.
 * The record is there, with the phase "creating" and the cgroup's place, before the container's first process
 * is: whatever kills the creator, `delete --force` finds all there is to remove.
 *
 * Runs in: host side processes.
 */
#ifndef CRUN_LITE_CONTAINER_STATE_H
#define CRUN_LITE_CONTAINER_STATE_H

#include <stdbool.h>

#include "base/failure.h"
#include "base/memory.h"
#include "base/pid.h"
#include "cgroups/cgroups.h"
#include "spec/json.h"

#define STATE_RECORD "state.json"
#define STATE_CONFIG "config.json"
#define STATE_RESOURCES "resources.json"
#define STATE_START_SOCKET "start.sock"
#define STATE_CGROUP "cgroup"
#define STATE_RESCTRL "resctrl"

enum state_phase { PHASE_CREATING, PHASE_CREATED };

/* The record. */
struct state {
    enum state_phase phase;
    struct pid_name creator; /* while creating */
    struct pid_name init;    /* pid 0: none yet */
    char *id, *bundle, *rootfs, *created; /* created: RFC 3339 */
    uint32_t owner;
    struct cgroup_name cgroup;
    struct resctrl_name resctrl;
    struct string_map annotations;
    bool new_pid_ns; /* the kernel kills everybody when init dies */
    bool no_process; /* config.json has none: nothing to start */
    bool keeps_keyring; /* no session keyring was made for it */
    bool has_hooks;  /* startContainer, poststart or poststop: config.json is worth reading again */
};

enum state_status { STATUS_CREATING, STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED };
extern const char *const state_status_words[];

/* What a command waits for the others of its container, at most; delete's for everything that it waits for. */
#define STATE_PATIENCE_MS 10000

/* An open state directory. */
enum state_lock { STATE_EXCLUSIVE, STATE_UNLOCKED };

struct state_directory {
    int root_fd;
    int fd;
    enum state_lock lock;
    const char *id;
};

/* A-Z a-z 0-9 _ + - . but no dot at the beginning, 1 to 255 bytes. */
int state_check_id(const char *id, struct failure *why) MUST_CHECK;

/* STATE failure when the id is in use now: the better answer where something of that container's would be found first.  What
 * decides is state_make. */
int state_check_unused(const char *root, const char *id, struct failure *why) MUST_CHECK;
/* Makes <root>/<id>, 0700, locked exclusively. STATE failure when the id is in use. */
int state_make(const char *root, const char *id, struct state_directory *ret_directory, struct failure *why) MUST_CHECK;
/* Opens it, for STATE_EXCLUSIVE with state_lock_until and all of the patience.  STATE failure "container `id` does not exist"
 * (why->errnum ENOENT) when there is none. */
int state_open(const char *root, const char *id, enum state_lock how, struct state_directory *ret_directory,
               struct failure *why) MUST_CHECK;
/* Whether another process has the lock of a directory that was opened without it. */
bool state_is_locked(const struct state_directory *directory) MUST_CHECK;
/* The lock of a directory that was opened without it, by `deadline_ms` of CLOCK_MONOTONIC: a deadline of our patience.  STATE failure
 * when it passes (why->errnum ETIMEDOUT), which names the process that has the lock, or when that one has deleted the container (ENOENT). */
int state_lock_until(struct state_directory *directory, int64_t deadline_ms, struct failure *why) MUST_CHECK;
/* Waits until nobody has it any more, with all of the patience, and fails as state_lock_until does; does not keep it. */
int state_await_unlocked(const struct state_directory *directory, struct failure *why) MUST_CHECK;
/* Lets other commands have their turn, and waits until it is ours again, however long: what was begun must be ended.  STATE failure when
 * one has deleted the container. */
void state_unlock(struct state_directory *directory);
int state_lock_again(struct state_directory *directory, struct failure *why) MUST_CHECK;
void state_close(struct state_directory *directory);
/* Removes the directory and what is in it. */
int state_remove(struct state_directory *directory, struct failure *why) MUST_CHECK;

/* The first record of a new directory, then the later ones (replaced by rename). */
int state_begin(const struct state_directory *directory, const struct state *state, struct failure *why) MUST_CHECK;
/* The record from any bytes; `text` need not be NUL-ended. */
int state_parse(const char *text, size_t length, struct arena *arena, struct state *ret_state, struct failure *why) MUST_CHECK;
int state_save(const struct state_directory *directory, const struct state *state, struct failure *why) MUST_CHECK;
/* why->errnum is ENOENT when there is no record: not yet, where another command has the lock, or no longer. */
int state_load(const struct state_directory *directory, struct arena *arena, struct state *ret_state, struct failure *why) MUST_CHECK;
/* A file of a directory that was opened unlocked is not there, or empty, as *why says: because another command is making or deleting
 * the container?  Then *why says that.  Always -1. */
int state_explain_absence(const struct state_directory *directory, struct failure *why);

/* The cgroup's name beside the record, before the cgroup exists. */
int state_keep_cgroup(const struct state_directory *directory, const struct cgroup_name *name, struct failure *why) MUST_CHECK;
/* PLAIN: 0 or -errno (-ENOENT: none was kept). */
int state_find_cgroup(const struct state_directory *directory, struct arena *arena, struct cgroup_name *ret_name) MUST_CHECK;

/* The same for resctrl; a later call replaces the earlier one. */
int state_keep_resctrl(const struct state_directory *directory, const struct resctrl_name *name, struct failure *why) MUST_CHECK;
/* PLAIN: 0 or -errno (-ENOENT: none was kept). */
int state_find_resctrl(const struct state_directory *directory, struct arena *arena, struct resctrl_name *ret_name) MUST_CHECK;

/* What the container is doing right now: pid with start time, then cgroup.events, then whether init has executed the
 * program. */
enum state_status state_status(const struct state *state);

/* The state document of the runtime specification. */
void state_document(struct json_writer *writer, const struct state *state, enum state_status status, int pid);

#endif
