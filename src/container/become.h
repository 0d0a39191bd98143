/*
 * container/become.h: the last steps of init and of the joiner alike: from a process of ours to the container's program.
 * Private to container/.
 *
 * become_find_program (inside the root) -> become_process (user, capabilities, labels, filter) -> become_execute.
 */
#ifndef CRUN_LITE_CONTAINER_BECOME_H
#define CRUN_LITE_CONTAINER_BECOME_H

#include <sys/types.h>

#include "container/channel.h"
#include "container/stage.h"
#include "process/process.h"
#include "seccomp/seccomp.h"
#include "spec/spec.h"

struct become {
    const struct spec *spec; /* its process.args are ended by NULL */
    const struct caps_plan *caps;
    const struct seccomp_filter *filter; /* instructions 0: none */
    struct arena *arena;
    struct last_words *words; /* may be NULL */
    int proc_fd;
    int conversation; /* with the creator, `start` or `exec` */
    mode_t caller_umask; /* see become_take_umask */
    unsigned listen_fds, preserved_fds;
    const char *listen_names; /* "LISTEN_FDNAMES=…" or NULL */
    bool setgroups_denied;
    bool announces; /* EXECUTING is sent: the other side cannot see the shared page */
    /* Found out on the way. */
    bool directory_later; /* cwd could not be entered as root */
    char **environment;
    char *program;
};

void become_note(const struct become *become, enum stage stage);

/* Keeps the caller's umask for the program, and goes on with 022.  Daemons that build (BuildKit) have 0, for themselves: with that, whatever a
 * build step makes could be written by everybody, so 0 becomes 022. */
void become_take_umask(struct become *become);

/* Waits for one of the two kinds.  Does not return when the other side is gone: whoever was to decide is gone, so are we. */
int become_await(struct become *become, enum message_kind kind, enum message_kind or_kind, struct message *ret_message,
                 struct failure *why) MUST_CHECK;
/* The same for a message that brings a descriptor: *ret_fd, -1 when there is none. */
int become_receive(struct become *become, enum message_kind kind, enum message_kind or_kind, struct message *ret_message,
                   int *ret_fd, struct failure *why) MUST_CHECK;
int become_tell(struct become *become, enum message_kind kind, int fd, struct failure *why) MUST_CHECK;

/* Environment, working directory, program.  Needs: the root and working directory are the container's. */
int become_find_program(struct become *become, int root_fd, struct failure *why) MUST_CHECK;
enum identity_groups become_groups_rule(const struct become *become);
int become_process(struct become *become, struct failure *why) MUST_CHECK;
/* Returns only with a failure. */
int become_execute(struct become *become, struct failure *why) MUST_CHECK;
/* The end of a process that failed: its words to the other side or, where those do not get there, onto the shared page. */
void become_fail(const struct become *become, const struct failure *why) __attribute__((noreturn));

#endif
