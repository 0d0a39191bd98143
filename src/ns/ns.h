/*
 * ns/ns.h: front of the folder that makes and joins namespaces.
 *
 * plan (pure) -> open (creator: joined namespaces as fds, type verified) -> spawn (clone3) ->
 * join, set up (in the new process).
 *
 * Two ways from the creator to init:
 *   DIRECT  one clone3 with every new namespace at once; init joins network, ipc, uts and cgroup itself.
 *   ESCORT  a throw-away process first, where the order of things needs one: joined pid and time namespaces (they
 *           take effect for children only), time offsets (written before anybody is inside), a joined user
 *           namespace (the new ones must belong to it), and a new user namespace together with joined
 *           ones (a child of the user namespace would have no right to join them).  The escort then starts
 *           init with CLONE_PARENT, so init is the creator's child in both ways.
 * The creator never changes its own namespaces, but for the moment in which it makes init's network namespace.
 */
#ifndef CRUN_LITE_NS_NS_H
#define CRUN_LITE_NS_NS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"
#include "base/findings.h"
#include "base/memory.h"
#include "base/timeline.h"
#include "spec/spec.h"

struct ns_joined {
    enum ns_type type;
    int fd;           /* -1 until ns_open */
    const char *path; /* from config.json */
    size_t index;     /* N of /linux/namespaces/N */
    bool own;         /* found by ns_open: it is the creator's own, joining it separates nothing */
    bool done;
};

struct ns_plan {
    uint64_t new_flags; /* CLONE_NEW* of the namespaces to make; CLONE_NEWCGROUP and CLONE_NEWUSER apart, below */
    bool new_user, new_cgroup, new_time_with_offsets;
    bool joined_user;
    bool escort;
    bool late_network; /* a new network namespace, made by ns_network_make: not among new_flags */
    int own_network;   /* the creator's, to come back to; -1 without late_network */
    struct ns_joined joined[NS_TYPES];
    size_t joined_count;
    const struct spec_linux *linux;
};

/* PURE. */
void ns_plan(const struct spec_linux *linux, struct ns_plan *ret_plan);
/* Is a namespace of this type new, or joined, rather than the creator's own? */
bool ns_is_new(const struct ns_plan *plan, enum ns_type type);
/* PURE, after ns_open.  Neither made nor joined, or joined where the creator already is. */
bool ns_is_of_the_host(const struct ns_plan *plan, enum ns_type type);
bool ns_is_joined(const struct ns_plan *plan, enum ns_type type);

/* Runs in: creator.  Opens the joined namespaces and checks their type (NS_GET_NSTYPE).  A user
 * namespace that is the creator's own already is dropped from the plan. */
int ns_open(struct ns_plan *plan, struct failure *why) MUST_CHECK;
int ns_open_all(struct ns_plan *plan, struct findings *findings) MUST_CHECK; /* reports */
void ns_close(struct ns_plan *plan);

struct ns_child {
    pid_t pid;
    int pidfd;
};

/* Runs in: creator (or escort, with `sibling`).  Clones; in the child calls body(arg), which must not
 * return.  `cgroup_fd` >= 0: the child starts inside it. */
struct ns_spawn {
    uint64_t flags;                  /* CLONE_NEW* */
    int cgroup_fd;
    enum { NS_CHILD, NS_SIBLING } relation; /* NS_SIBLING: CLONE_PARENT, for the escort */
    enum timeline_process track; /* what it is on the timeline; TIMELINE_NOBODY: not on it, and CLONE_FILES is allowed */
    void (*body)(void *arg) __attribute__((noreturn));
    void *arg;
    _Atomic int *pid_note; /* NULL: none; in shared memory.  The kernel writes the pid there before the child's first
                            * instruction: its parent can find it even when the caller has died since */
};
int ns_spawn(const struct ns_spawn *spawn, struct ns_child *ret_child, struct failure *why) MUST_CHECK;

/* Runs in: escort.  First everything joined that the current privileges allow (a refusal is kept for
 * later when a user namespace is joined), then the user namespace: joined, or unshared (the caller then asks
 * the creator for its id maps), then the rest, then the time offsets. */
int ns_join_before_user(struct ns_plan *plan, struct failure *why) MUST_CHECK;
int ns_join_user(struct ns_plan *plan, struct failure *why) MUST_CHECK;
int ns_join_after_user(struct ns_plan *plan, struct failure *why) MUST_CHECK;
int ns_set_time_offsets(const struct ns_plan *plan, int proc_fd, struct failure *why) MUST_CHECK;
/* Runs in: init, inside its cgroup.  What is not joined yet: on the direct way network, ipc, uts and cgroup, with an escort
 * cgroup. */
int ns_join_all(struct ns_plan *plan, struct failure *why) MUST_CHECK;

/* Runs in: creator.  Writes the id maps of `pid`'s new user namespace: directly, for a single own
 * id without privilege (setgroups denied), or through newuidmap/newgidmap.
 * *ret_setgroups_denied: supplementary groups cannot be set inside. */
int ns_write_id_maps(const struct spec_linux *linux, pid_t pid, bool *ret_setgroups_denied, struct failure *why) MUST_CHECK;
/* Will it deny them?  For what is decided before. */
bool ns_denies_setgroups(const struct spec_linux *linux);
/* The user ids of the user namespace that `pid` is in, as ours sees them: where the namespace was joined, config.json
 * does not know them.  PLAIN: 0 or -errno. */
int ns_read_uid_map(pid_t pid, struct arena *arena, struct id_mappings *ret_mappings) MUST_CHECK;
/* Translates an id of the container to the host's; false when it is not mapped. */
bool ns_id_to_host(const struct id_mappings *mappings, uint32_t inside, uint32_t *ret_host);

/* Runs in: init.  keep_groups: the caller's supplementary groups stay, as they must where setgroups is denied. */
int ns_become_root(const struct ns_plan *plan, uint32_t uid_inside, uint32_t gid_inside, bool keep_groups,
                   struct failure *why) MUST_CHECK;
int ns_unshare_cgroup(struct failure *why) MUST_CHECK; /* once inside the container's cgroup */
/* In the creator, after ns_open: names that would be the host's are refused, but for those that it has. */
int ns_check_names(const struct ns_plan *plan, const char *hostname, const char *domainname, struct failure *why) MUST_CHECK;
int ns_set_names(const char *hostname, const char *domainname, struct failure *why) MUST_CHECK;
int ns_loopback_up(struct failure *why) MUST_CHECK;

/* Runs in: creator, before the clone.  Decides whether the new network namespace is made by us, while init works: where there
 * is to be one that belongs to our own user namespace, and nothing forbids us to come back from it. */
void ns_network_prepare(struct ns_plan *plan);
/* Runs in: creator, after the clone.  Needs: plan->late_network.  After this: *ret_network is a namespace with its loopback device
 * up, and we are in our own again; on failure perhaps not, and must end. */
int ns_network_make(const struct ns_plan *plan, int *ret_network, struct failure *why) MUST_CHECK;
/* Runs in: init. */
int ns_network_enter(int network, struct failure *why) MUST_CHECK;

/* /linux/netDevices: devices of the creator's network namespace that go into the container's and, when its
 * program is not executed after all, come back.
 * All run in: creator.  Need CAP_NET_ADMIN in both namespaces and CAP_SYS_ADMIN. */
struct ns_devices;
/* After ns_open, before anything exists: every device is there and may be moved as far as can be known.  *ret_devices is NULL when
 * none is listed; its memory belongs to the arena. */
int ns_devices_open(const struct ns_plan *plan, struct arena *arena, struct ns_devices **ret_devices, struct failure *why) MUST_CHECK;
/* Once `init` is in its network namespace, before hooks.  After a failure some may be inside: ns_devices_take_back. */
int ns_devices_move(struct ns_devices *devices, const struct ns_plan *plan, pid_t init, struct failure *why) MUST_CHECK;
/* Whatever went inside comes back with its name, addresses and state; what cannot is a warning. */
void ns_devices_take_back(struct ns_devices *devices);
/* They are the container's from here on: `create` has handed it over, or `run` has seen its program executed.  NULL is fine. */
void ns_devices_close(struct ns_devices *devices);

/* PURE; reports.  What the kernel would refuse of /linux/uidMappings and gidMappings of a new user namespace. */
int ns_check_id_maps(const struct ns_plan *plan, struct findings *findings) MUST_CHECK;

/* Runs in: check.  Reports the new namespaces and id maps that this host or this caller cannot have, as far as that shows
 * without making any. */
int ns_probe(const struct ns_plan *plan, struct findings *findings) MUST_CHECK;

/* ---- a live container, for exec ---- */

struct ns_entry {
    pid_t pid;       /* the container's init, for messages */
    int pidfd;       /* of it; lent */
    uint64_t left;   /* CLONE_NEW* of the namespaces that are not the caller's own and not joined yet */
    bool other_user; /* the user namespace was among them */
};
/* Runs in: the CLI process.  Needs: PTRACE_MODE_READ over the process, as setns on its pidfd does.  Refuses one that has ended,
 * also where its pid is another's by now.  `linux`: the container's configuration; the namespaces that it made need no look in the
 * user namespace that it made them in. */
int ns_entry_look(const struct spec_linux *linux, pid_t pid, int pidfd, struct ns_entry *ret_entry, struct failure *why) MUST_CHECK;
/* Due after anything else that was opened below /proc/PID: the process has not ended, so it was its own. */
int ns_entry_check(const struct ns_entry *entry, struct failure *why) MUST_CHECK;
/* Runs in: the CLI process.  Can it clone a process into the container's pid namespace itself, and have its own back for its next
 * child?  Where the user namespace is the same, and nothing forbids to come back. */
bool ns_entry_is_direct(const struct ns_entry *entry);
/* Runs in: the CLI process.  Needs: ns_entry_is_direct.  ns_spawn, into the container's pid namespace; for the child it is entered. */
int ns_entry_spawn(struct ns_entry *entry, const struct ns_spawn *spawn, struct ns_child *ret_child, struct failure *why) MUST_CHECK;
/* Runs in: escort.  The pid namespace, which takes effect for children; where the caller has no right to it, together with
 * the user namespace, which then gives that right. */
int ns_enter_for_children(struct ns_entry *entry, struct failure *why) MUST_CHECK;
/* Runs in: joiner, inside its cgroup (a cgroup namespace is joined).  All the rest in one setns.  After this: full
 * capabilities in the container's user namespace, root in it where root is mapped; the working directory and root are those
 * of a joined mount namespace; the parent-death signal is gone where the user namespace changed. */
int ns_enter(struct ns_entry *entry, struct failure *why) MUST_CHECK;

/* PURE, after ns_open.  /linux/sysctl: each name must belong to a namespace that is not the host's.  Yields the paths
 * below /proc ("sys/net/ipv4/ip_forward") in the order of the document. */
struct ns_sysctl {
    const char *name; /* as in config.json */
    const char *path;
    const char *value;
};
int ns_plan_sysctls(const struct spec *spec, const struct ns_plan *plan, struct arena *arena, struct ns_sysctl **ret_sysctls,
                    size_t *ret_count, struct failure *why) MUST_CHECK;
int ns_plan_sysctls_all(const struct spec *spec, const struct ns_plan *plan, struct arena *arena, struct ns_sysctl **ret_sysctls,
                        size_t *ret_count, struct findings *findings) MUST_CHECK; /* reports */

/* PURE: fills `why` for a parameter that the kernel did not take; `errnum` as proc_write returns it. */
int ns_explain_sysctl(const struct ns_sysctl *sysctl, int errnum, struct failure *why) MUST_CHECK;

/* Reports the kernel parameters of the plan that this kernel lacks; those of single network devices may come with them. */
int ns_probe_sysctls(const struct ns_sysctl *sysctls, size_t count, struct findings *findings) MUST_CHECK;

#endif
