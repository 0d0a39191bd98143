/*
 * container/joining.h: everything between the command line of exec and the program, prepared by the CLI process and
 * inherited by escort and joiner through clone.  Private to container/.
 *
 *   exec (CLI process)            escort                         joiner
 *   reads state and config,       non-dumpable; joins the        in the container's cgroup and pid namespace
 *   settles the process,          pid namespace for its          from its first instruction
 *   compiles the filter           child, clones with
 *      |---- clone3 ------------->|  CLONE_PARENT,
 *      |<--- SPAWNED(pid) --------|  CLONE_INTO_CGROUP --------->|   (without escort where `direct`)
 *      |---- GO_ON ------------------------------------------->|   known to us, in its cgroup and resctrl group
 *      |                                                        |   one setns on init's pidfd for all the rest
 *      |<--- CONSOLE(fd) --------------------------------------|   with a terminal; answered by GO_ON
 *      |<--- LISTENER(fd) -------------------------------------|   with a seccomp listener; answered by GO_ON
 *      |<--- end of file --------------------------- (CLOEXEC) -|   execve
 *
 * The joiner is the CLI process's child, and its caller's (subreaper's) when that has exited.
 */
#ifndef CRUN_LITE_CONTAINER_JOINING_H
#define CRUN_LITE_CONTAINER_JOINING_H


#include "cgroups/cgroups.h"
#include "container/container.h"
#include "container/stage.h"
#include "container/state.h"
#include "ns/ns.h"
#include "process/process.h"
#include "seccomp/seccomp.h"
#include "spec/spec.h"

struct joining {
    const struct runtime *runtime;
    const struct exec_request *request;

    struct arena arena;
    struct spec spec; /* the copy that create kept, with the process that exec is asked for */
    char *document;   /* of --process; NULL: none */
    size_t document_length;
    struct state state;
    enum state_status status;
    struct state_directory directory;

    struct caps_plan caps;
    struct seccomp_filter filter; /* instructions 0: none */
    struct ns_entry namespaces;

    int init_pidfd;
    int root_fd; /* the container's root, where its mount namespace has another one at its top; else -1 */
    int proc_fd;
    int cgroup_fd; /* -1: the caller's own */
    int channel;        /* our end */
    int joiner_channel; /* the other end */
    int console_socket; /* connected; -1: none */
    int console_master; /* received from the joiner */
    struct last_words *words;
    unsigned listen_fds, preserved_fds;
    const char *listen_names; /* "LISTEN_FDNAMES=…" or NULL */

    int binary_mount; /* see own_binary_protect; -1: none */
    bool direct;      /* the CLI process clones the joiner itself, without an escort */
    bool attach;      /* the joiner is moved into its cgroup after clone */
    bool died_unborn; /* it was killed before its first instruction */
    bool pid_file_written;
    struct ns_child escort; /* pid 0: none */
    struct ns_child joiner; /* pid 0: not yet */
};

/* Runs in: escort.  Ends with the joiner cloned as the CLI process's child and SPAWNED sent. */
void joining_escort_main(void *argument) __attribute__((noreturn));
/* Runs in: joiner.  Ends in exec. */
void joiner_main(void *argument) __attribute__((noreturn));

#endif
