/*
 * container/container.h: front of the folder that knows the ORDER of things.
 *
 * One function per operation of the runtime specification; each is called by one file of cmd/.
 *
 * Runs in: the CLI process (the "creator" for create and run).
 */
#ifndef CRUN_LITE_CONTAINER_CONTAINER_H
#define CRUN_LITE_CONTAINER_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "base/findings.h"
#include "base/text.h"
#include "cgroups/cgroups.h"
#include "process/process.h"
#include "spec/json.h"
#include "spec/spec.h"

/* What the command line says for every command. */
struct runtime {
    const char *root;             /* the state root, absolute */
    enum cgroup_manager manager;
    const struct inherited_fds *inherited;
    char **argv;                  /* for own_binary_protect's second start */
};

/* The state root when --root is not given: /run/crun-lite for root, else $XDG_RUNTIME_DIR/crun-lite.  0 or -1. */
int runtime_default_root(struct arena *arena, const char **ret_root, struct failure *why) MUST_CHECK;

enum create_flag {
    CREATE_NO_PIVOT = 1 << 0,
    CREATE_NO_NEW_KEYRING = 1 << 1,
};

struct create_request {
    const char *id;
    const char *bundle;          /* as given; NULL: the current directory */
    const char *pid_file;
    const char *console_socket;
    const char *pidfd_socket;
    unsigned flags;              /* enum create_flag */
    unsigned preserve_fds;
};

enum run_flag {
    RUN_DETACH = 1 << 0,
    RUN_KEEP = 1 << 1, /* leave state and cgroup after the end */
};

int container_create(const struct runtime *runtime, const struct create_request *request, struct failure *why) MUST_CHECK;
/* *ret_exit_code: the process's exit status, 128 + signal when it was killed, 0 when detached. */
int container_run(const struct runtime *runtime, const struct create_request *request, unsigned flags, int *ret_exit_code,
                  struct failure *why) MUST_CHECK;
/* Reports everything that create would refuse: of the configuration, by the very functions that create calls, then of this host
 * as far as it shows without making anything.  -1: the bundle could not be read at all, *findings->why tells.  *ret_config_path: of
 * the arena. */
int container_check(const struct runtime *runtime, const char *bundle, struct arena *arena, const char **ret_config_path,
                    struct findings *findings) MUST_CHECK;
int container_start(const struct runtime *runtime, const char *id, struct failure *why) MUST_CHECK;

enum exec_flag {
    EXEC_DETACH = 1 << 0,
    EXEC_TTY = 1 << 1,
    EXEC_NO_NEW_PRIVS = 1 << 2,
    EXEC_IGNORE_PAUSED = 1 << 3,
};

struct exec_request {
    const char *id;
    const char *process_file; /* "-": stdin; NULL: the command and the members that follow it decide */
    char **words;             /* the command */
    size_t words_count;
    const char *cwd;
    const char *user;         /* "UID" or "UID:GID" */
    const char *apparmor_profile;
    const char *process_label;
    struct strings env, additional_gids, capabilities; /* each more than the container's */
    const char *cgroup;       /* below the container's, existing; NULL: the container's, or init's where that takes no process */
    const char *pid_file;
    const char *console_socket;
    const char *pidfd_socket;
    unsigned flags;           /* enum exec_flag */
    unsigned preserve_fds;
};
/* One more process in a created or running container.  *ret_exit_code: as for container_run.  A failure has exit code 126
 * (the program cannot be executed), 127 (there is none) or 255. */
int container_exec(const struct runtime *runtime, const struct exec_request *request, int *ret_exit_code,
                   struct failure *why) MUST_CHECK;

enum kill_scope { KILL_INIT, KILL_ALL };
/* `signal_word`: number, NAME or SIGNAME in any case; NULL: the image's stopSignal annotation, else SIGTERM. */
int container_kill(const struct runtime *runtime, const char *id, const char *signal_word, enum kill_scope scope,
                   struct failure *why) MUST_CHECK;

enum delete_force { DELETE_STOPPED, DELETE_ANY };
int container_delete(const struct runtime *runtime, const char *id, enum delete_force force, struct failure *why) MUST_CHECK;

/* Freezes or thaws the container's cgroup and waits until it is so. */
int container_pause(const struct runtime *runtime, const char *id, struct failure *why) MUST_CHECK;
int container_resume(const struct runtime *runtime, const char *id, struct failure *why) MUST_CHECK;

struct update_request {
    const char *document;            /* a file, "-": standard input; NULL: none */
    struct spec_resources resources; /* from the command line: they win over the document's */
    struct spec_intel_rdt intel_rdt; /* the two schemas, from the command line */
};
/* New limits: those asked for, merged with what is in force, which is kept for the next update.  All or nothing. */
int container_update(const struct runtime *runtime, const char *id, const struct update_request *request, struct failure *why) MUST_CHECK;

/* What ps(1) of the host says of the container's processes, asked with `options` (ENDED by NULL; none: "-ef"): its header, which
 * must have a column PID before any with blanks in its values, and their lines. */
int container_processes_shown(const struct runtime *runtime, const char *id, char *const *options, struct arena *arena, char **ret_table,
                              struct failure *why) MUST_CHECK;

struct container_process {
    int pid; /* in the caller's pid namespace */
    char state;
    char command[256];
};
/* Every process in the container's cgroup and below, by pid. */
int container_processes(const struct runtime *runtime, const char *id, struct arena *arena, struct container_process **ret_list,
                        size_t *ret_count, struct failure *why) MUST_CHECK;

/* What the kernel counts about the container; memory belongs to the arena. */
int container_stats(const struct runtime *runtime, const char *id, struct arena *arena, struct cgroup_stats *ret_stats,
                    struct failure *why) MUST_CHECK;

enum event_kind {
    EVENT_STATS,
    EVENT_OOM,     /* the kernel killed a process of the container for lack of memory */
    EVENT_PRESSURE /* processes of the container had to wait for memory */
};
struct container_event {
    enum event_kind kind;
    const char *id;
    const struct cgroup_stats *stats; /* NULL: none, with EVENT_OOM */
};
struct events_request {
    int64_t interval_us; /* of EVENT_STATS; the first one comes after it */
    int64_t stall_us;    /* EVENT_PRESSURE: out of two seconds; 0: not asked for */
    int (*sink)(const struct container_event *event, struct failure *why); /* -1 ends it */
};
/* Until the container's first process has ended. */
int container_events(const struct runtime *runtime, const char *id, const struct events_request *request,
                     struct failure *why) MUST_CHECK;

struct container_end {
    bool known;
    int status; /* as waitpid(2) has it */
};
/* Waits for the end of the container's first process; one that has ended is no failure. */
int container_wait(const struct runtime *runtime, const char *id, struct container_end *ret_end, struct failure *why) MUST_CHECK;

/* Adds the state document of one container to the writer. */
int container_state(const struct runtime *runtime, const char *id, struct json_writer *writer, struct failure *why) MUST_CHECK;

struct container_summary {
    const char *id, *status, *bundle, *rootfs, *created;
    int pid;
    unsigned owner;
    struct string_map annotations;
};
/* Every container below the root, sorted by id; memory belongs to the arena.  A container that vanishes meanwhile is
 * left out; one whose record cannot be read is listed with the status "stopped", as created when its directory last changed. */
int container_list(const struct runtime *runtime, struct arena *arena, struct container_summary **ret_list, size_t *ret_count,
                   struct failure *why) MUST_CHECK;

/* ---- the timeline of a command (--timing) ---- */

struct timing_facts {
    const char *command;        /* its name */
    const char *container;      /* NULL: none, or more than one */
    int exit_code;
    const struct failure *why;  /* NULL: it did not fail */
};
/* `*file` is taken; -1: none. */
int timing_begin(int *file, struct failure *why) MUST_CHECK;
/* PURE.  What the ring holds, as a trace in the JSON form of the Trace Event Format, and as lines of text. */
struct timeline;
void timing_document(const struct timeline *ring, const struct timing_facts *facts, struct json_writer *writer);
void timing_summary(const struct timeline *ring, const struct timing_facts *facts, struct text *out);

#endif
