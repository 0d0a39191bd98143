/*
 * container/child.h: the process that create, run and exec make for their caller: what it says, how it ended, and what is
 * handed to the caller.  Private to container/.
 *
 * Runs in: the CLI process, its parent.
 */
#ifndef CRUN_LITE_CONTAINER_CHILD_H
#define CRUN_LITE_CONTAINER_CHILD_H

#include "cgroups/cgroups.h"
#include "container/channel.h"
#include "container/stage.h"
#include "container/state.h"
#include "ns/ns.h"
#include "spec/spec.h"

/* Collects its status; after this: pid 0, no pidfd. */
void child_reap(struct ns_child *child);
void child_end(struct ns_child *child); /* SIGKILL first */

/* While an escort is at work: it may die between its clone and its word of it.  Then the channel does not end, for the one
 * it cloned holds it open and waits for GO_ON. */
enum child_event {
    CHILD_SPEAKS,      /* or the channel ended */
    CHILD_ESCORT_LOST, /* after its last word was heard */
    CHILD_INTERRUPTED,
    CHILD_SILENT, /* the time passed */
};
/* `escort`: pidfd -1 when there is none any more.  `interruption`: an fd that ends the wait; -1: none.  `wait_ms`: -1 for ever.
 * PLAIN: the event or -errno. */
int child_await(int channel, const struct ns_child *escort, int interruption, int wait_ms) MUST_CHECK;
/* Whom a lost escort cloned, by the note of the kernel: to be ended like any child.  pid 0: nobody. */
struct ns_child child_of_lost_escort(const struct last_words *words);

/* Readable when a signal has come by which people and managers end a command that waits.  The signals are blocked and stay
 * pending.  fd or -errno. */
int child_open_interruption(void) MUST_CHECK;

/* Next packet; FAILED becomes *why.  `who` speaks: "init process", a text that clients know. */
int child_hear(int channel, const char *who, struct message *ret_message, int *ret_fd, struct failure *why) MUST_CHECK;

/* Hears all that is left to hear.  -1: the last packet was FAILED, or could not be read; 0: an end without a word. */
int child_hear_out(int channel, const char *who, struct failure *why) MUST_CHECK;

/* Something ended without a word: its wait status, the last step and the cgroup's OOM counter tell why.  Reaps it. */
struct child_scene {
    const char *who;  /* as child_hear has it */
    const char *goal; /* "start the container": what an OOM kill hindered */
    struct last_words *words;
    int cgroup_fd; /* -1: none */
    const char *cgroup_path;
};
/* Always -1.  *ret_unborn: killed before its first instruction. */
int child_explain_death(struct ns_child *child, const struct child_scene *scene, bool *ret_unborn, struct failure *why);
/* Something done to it failed; was that because it never lived?  Leaves it to be reaped. */
bool child_is_born_dead(const struct ns_child *child, const struct last_words *words);
/* The channel has ended: because the program runs, or did the process die on its way there? */
bool child_has_executed(const struct ns_child *child, const struct last_words *words);

/* `path` NULL: nothing to do. */
int child_write_pid_file(const char *path, pid_t pid, struct failure *why) MUST_CHECK;
int child_send_pidfd(const char *socket_path, int pidfd, struct failure *why) MUST_CHECK;
/* The terminal to the console socket, or kept for the proxy. */
int child_pass_terminal(int *console_socket, int *master, int *ret_kept, const char *who, struct failure *why) MUST_CHECK;
int child_exit_code(int wait_status);

/* Runs in: creator, start, exec.  The container process state for /linux/seccomp/listenerPath. */
struct listener_owner {
    pid_t pid;                /* the process that the filter is loaded in */
    enum state_status status; /* of the container */
};
int listener_send(const struct spec *spec, const struct state *state, const struct listener_owner *owner, int listener,
                  struct failure *why) MUST_CHECK;

#endif
