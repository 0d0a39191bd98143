/*
 * container/birth.h: everything between the command line and the container's program, prepared by the creator
 * and inherited by init through clone.  Private to container/.
 */
#ifndef CRUN_LITE_CONTAINER_BIRTH_H
#define CRUN_LITE_CONTAINER_BIRTH_H

#include <signal.h>

#include "cgroups/cgroups.h"
#include "container/container.h"
#include "container/notify.h"
#include "container/stage.h"
#include "container/state.h"
#include "ns/ns.h"
#include "process/process.h"
#include "rootfs/rootfs.h"
#include "seccomp/seccomp.h"
#include "spec/spec.h"

enum birth_mode { BIRTH_CREATE, BIRTH_RUN, BIRTH_CHECK /* judged only, for either */ };

struct birth {
    const struct runtime *runtime;
    const struct create_request *request;
    enum birth_mode mode;

    struct arena arena;
    struct spec spec;
    struct state state;
    struct state_directory directory;

    struct ns_plan namespaces;
    struct ns_devices *devices; /* NULL: none to move */
    struct ns_sysctl *sysctls;
    size_t sysctls_count;
    struct caps_plan caps;
    struct seccomp_filter filter; /* instructions 0: none */
    struct rootfs *rootfs;
    struct cgroup_request cgroup_request;
    struct cgroup cgroup;

    int proc_fd;
    int binary_mount;   /* see own_binary_protect; -1: none */
    int channel;        /* creator's end */
    int init_channel;   /* the other end */
    int start_socket;   /* listening; BIRTH_CREATE only */
    int console_socket; /* connected; -1: none */
    int console_master; /* received from init */
    int interruption;   /* child_open_interruption, from the clone on; whoever waits with us must be able to give up */
    struct notify notify;
    struct last_words *words;
    sigset_t old_signals;
    unsigned listen_fds, preserved_fds;
    const char *listen_names; /* "LISTEN_FDNAMES=…" or NULL */

    bool detached;          /* run --detach */
    bool new_user_ns;
    bool init_waits;        /* for GO_ON before it does anything: id maps, limits, systemd cgroup, resctrl */
    bool attach;            /* init is moved into its cgroup after clone: see plan_namespaces and birth_bring_up */
    bool resctrl_begun;     /* what state.resctrl calls made is made: to be undone */
    bool died_unborn;       /* init was killed before its first instruction */
    bool creator_continues; /* network devices, prestart or createRuntime hooks: BUILT is answered by GO_ON */
    bool starts_early;      /* START without a READY: see create.c */
    bool poststop_due;      /* a hook was called or start was asked for: a failure runs the poststop hooks */
    bool pid_file_written;
    bool started;           /* START was sent, and what init had to say heard */
    struct ns_child escort; /* pid 0: none */
    struct ns_child init;   /* pid 0: not yet */
};

void birth_init(struct birth *birth, const struct runtime *runtime, const struct create_request *request, enum birth_mode mode);
/* Closes and frees what the creator holds; what it made stays. */
void birth_done(struct birth *birth);


/* Runs in: escort.  Ends with init cloned as the creator's child and SPAWNED sent. */
void escort_main(void *argument) __attribute__((noreturn));
/* Runs in: init.  Ends in exec. */
void init_main(void *argument) __attribute__((noreturn));

#endif
