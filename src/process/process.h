/*
 * process/process.h: front of the folder that dresses a process: identity, capabilities, limits, labels,
 * terminal, environment, descriptors.
 *
 * `proc_fd` everywhere is a directory fd of the host's /proc, opened by the creator before clone and verified
 * as procfs (proc_open).  Files below it are opened with RESOLVE_BENEATH|NO_MAGICLINKS|NO_XDEV, so nothing that
 * a container mounts can redirect a label or limit write (CVE-2019-16884, CVE-2025-52881).
 */
#ifndef CRUN_LITE_PROCESS_PROCESS_H
#define CRUN_LITE_PROCESS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"
#include "base/findings.h"
#include "base/memory.h"
#include "spec/spec.h"

/* ---- proc.c: the private procfs handle ---- */
int proc_open(struct failure *why) MUST_CHECK; /* fd */
/* One write to e.g. "self/oom_score_adj"; PLAIN: 0 or -errno. */
int proc_write(int proc_fd, const char *name, const char *text) MUST_CHECK;
ssize_t proc_read(int proc_fd, const char *name, char *buffer, size_t size) MUST_CHECK;

/* ---- own_binary.c: invariant CVE-2019-5736 ---- */
/* Makes /proc/self/exe of the caller and of all its later children refer to a read-only detached mount of the
 * runtime's binary, without a second exec: the executable's mappings are replaced by mappings of the same file
 * opened through that mount, then PR_SET_MM_MAP names it.  Where that is refused, re-executes `argv`
 * from the read-only mount once (environment mark), where even that is refused a sealed memfd copy.
 * Skipped where the file provably cannot be written from a container (see the source).
 * Runs in: creator, before clone. */
/* *ret_mount (-1: none), owned by the caller, must be closed everywhere before a process of a container can reach us: until then
 * the mount is one that a privileged process could still change.  Closing it takes long, so it is left to a caller who then has
 * nothing better to do.  NULL: it is closed at once. */
/* CRUN_LITE_SELF_PROTECT=remap|exec|memfd in the environment allows that one way only, also where
 * it would have been skipped (tests; kernels on which one of the ways misbehaves).  There is no "off". */
int own_binary_protect(char **argv, int *ret_mount, struct failure *why) MUST_CHECK;

/* ---- fds.c ---- */
/* First act of main: how many descriptors from 3 on, without a gap, came from the caller.  Only these
 * can be preserved, and later our own files cannot be taken for them.  One system call in the usual case. */
struct inherited_fds { unsigned count; };
void fds_look(struct inherited_fds *ret_inherited);
/* /dev/null on closed 0, 1, 2. */
int fds_ensure_standard(struct failure *why) MUST_CHECK;
/* LISTEN_FDS (when LISTEN_PID is us) + --preserve-fds: the count to keep from 3 on; a missing one is an error
 * that names its number.  *ret_listen is the part that the container's LISTEN_FDS announces. */
int fds_count_preserved(const struct inherited_fds *inherited, unsigned preserve, unsigned *ret_listen,
                        unsigned *ret_total, struct failure *why) MUST_CHECK;
/* "LISTEN_FDNAMES=…" where the caller announced `listen` descriptors by name, else NULL. */
const char *fds_listen_names(unsigned listen, struct arena *arena);
/* What the caller opened as the host's /dev/null becomes the container's, where it has one.  Runs in: init and joiner, inside the
 * container's root. */
void fds_take_null_inside(void);
/* Pipes among 0, 1 and 2 become `owner`'s, who could not open them by /dev/stdin and the like else.  Nothing else does: a file or a terminal
 * of the caller's stays the caller's.  Best effort: where it is not ours to give, what was there stays. */
void fds_give_pipes(uid_t owner);
/* Closes everything from 3 + keep on but *channel, a socket, which moves to 3 + keep and is close-on-exec; 3..3+keep-1 are not.  Every
 * other descriptor that the caller still has a number of is gone.  Runs in: init and joiner, last. */
int fds_leave_only(unsigned keep, int *channel, struct failure *why) MUST_CHECK;

/* ---- identity.c ---- */
enum identity_groups {
    IDENTITY_GROUPS_SET,    /* exactly additionalGids, none when absent */
    IDENTITY_GROUPS_DENIED, /* /proc/self/setgroups says deny: they stay, nobody can change them (USR-10) */
    IDENTITY_GROUPS_KEEP,   /* annotation run.oci.keep_original_groups: the caller's stay */
};
/* setgroups, setgid, setuid, umask; keeps the permitted capabilities (PR_SET_KEEPCAPS) for caps_settle.
 * Runs in: init, joiner.  Needs: caps_drop_bounding done (it needs CAP_SETPCAP effective, gone after this).
 * After this: effective is empty when uid is not 0, and the process is not dumpable. */
int identity_take(const struct spec_user *user, enum identity_groups groups, struct failure *why) MUST_CHECK;

/* ---- caps.c: the door to libcap ---- */
/* Order (CAP-11): plan (creator), drop_bounding, identity_take, [keep_for_filter, the filter,] settle, execve. */
struct caps_plan {
    uint64_t bounding, effective, inheritable, permitted, ambient; /* bit n = capability n */
};
/* Names to sets.  Unknown names and those that this kernel lacks are warnings (CAP-08), so it cannot
 * fail.  `process.capabilities` absent: no capability at all. */
void caps_plan(const struct spec_capabilities *capabilities, struct caps_plan *ret_plan);
/* Runs in: init, joiner.  Needs: CAP_SETPCAP effective. */
int caps_drop_bounding(const struct caps_plan *plan, struct failure *why) MUST_CHECK;
/* Between: permitted plus CAP_SYS_ADMIN, both effective, so that a filter can be loaded without
 * no_new_privs (NNP-02); inheritable already final. */
int caps_keep_for_filter(const struct caps_plan *plan, struct failure *why) MUST_CHECK;
/* Final sets; ambient last.  What the process cannot have is a warning, not an error (CAP-09). */
int caps_settle(const struct caps_plan *plan, struct failure *why) MUST_CHECK;
/* PURE but for the installed libcap's table: is it the name of a capability? */
bool caps_is_name(const char *word);
extern const char *const caps_words[]; /* "CAP_CHOWN", …, ended by NULL */
/* Does the caller have it, effective?  `number`: CAP_SYS_ADMIN, … */
bool caps_have(unsigned number);

/* ---- limits.c ---- */
/* Where a limit is below what is asked for.  Runs in: creator with the child's pid (keeps CAP_SYS_RESOURCE that a user
 * namespace would lose); pid 0: the caller. */
int limits_raise_rlimits(pid_t pid, const struct spec_process *process, struct failure *why) MUST_CHECK;
/* As configured, to the number.  Runs in: init, joiner.  Needs: limits_raise_rlimits before; then it only lowers, which anyone
 * may.  After this: a descriptor, memory or a child may not be had any more. */
int limits_settle_rlimits(const struct spec_process *process, struct failure *why) MUST_CHECK;
/* As above, and before the child makes itself non-dumpable: its /proc files belong to the host's root from then
 * on, which a rootless creator is not.  A value that is in force already is never an error. */
int limits_set_oom_score(int proc_fd, pid_t pid, const struct spec_process *process,
                         struct failure *why) MUST_CHECK;
/* PURE word and range checks of rlimits, oomScoreAdj and of everything in scheduling.c and affinity.c; for the creator, before
 * anything is made. */
int limits_check(const struct spec *spec, struct failure *why) MUST_CHECK;
int limits_check_all(const struct spec *spec, struct findings *findings) MUST_CHECK; /* reports */
/* Reports the rlimits that this caller may not raise, and an OOM score that it may not lower. */
int limits_probe(const struct spec_process *process, struct findings *findings) MUST_CHECK;

/* ---- scheduling.c ---- */
/* Scheduler, I/O priority, memory policy, personality: each as configured, else untouched.
 * Runs in: init, joiner, before the seccomp filter (profiles forbid personality(2), PERS-04) and before
 * identity_take (real-time classes need CAP_SYS_NICE). */
int scheduling_set(const struct spec *spec, struct failure *why) MUST_CHECK;
/* After the last hook: takes back what let a process with SCHED_DEADLINE start them. */
int scheduling_settle(const struct spec *spec, struct failure *why) MUST_CHECK;
int scheduling_check_all(const struct spec *spec, struct findings *findings) MUST_CHECK; /* PURE; reports */
/* For the features document; each ended by NULL. */
extern const char *const scheduling_memory_policy_mode_words[];
extern const char *const scheduling_memory_policy_flag_words[];

/* ---- affinity.c ---- */
/* PURE: the two lists of /process/execCPUAffinity.  Part of limits_check. */
int affinity_check(const struct spec_process *process, struct failure *why) MUST_CHECK;
/* Every CPU that the cgroup's cpuset leaves: the caller's own restriction is not the container's.  Best effort.
 * Runs in: init, inside its cgroup. */
void affinity_release(void);
/* Runs in: escort of exec, before anything is in the container's cgroup.  `initial`; with neither list affinity_release. */
int affinity_set_initial(const struct spec_process *process, struct failure *why) MUST_CHECK;
/* Runs in: joiner, inside its cgroup.  Without `final` the kernel's answer to the move stays. */
int affinity_set_final(const struct spec_process *process, struct failure *why) MUST_CHECK;

/* ---- lsm.c ---- */
bool lsm_apparmor_enabled(void);
bool lsm_selinux_enabled(void);
/* Runs in: creator: a label that cannot be applied on this host is refused before anything exists. */
int lsm_check(const struct spec_process *process, const char *mount_label, struct failure *why) MUST_CHECK;
int lsm_check_all(const struct spec_process *process, const char *mount_label, struct findings *findings) MUST_CHECK; /* reports */
/* Label of the keys made from now until exec: before keyring_join (SEL-03).  Runs in: init. */
int lsm_set_key_label(int proc_fd, const struct spec_process *process, struct failure *why) MUST_CHECK;
/* Runs in: init, right before exec (both take effect at exec). */
int lsm_set_exec_labels(int proc_fd, const struct spec_process *process, struct failure *why) MUST_CHECK;

/* ---- keyring.c ---- */
/* New session keyring "_ses.ID"; refusal by the kernel (EPERM, ENOSYS, EDQUOT…) is a warning. Runs in: init. */
int keyring_join(const char *id, struct failure *why) MUST_CHECK;

/* ---- environment.c ---- */
/* PURE; reports.  /process/env: each is NAME=value. */
int environment_check_all(const struct spec_process *process, struct findings *findings) MUST_CHECK;
/* The final envp: /process/env, duplicates: last wins, plus HOME from the container's /etc/passwd when
 * unset or empty, plus `extra` pairs ("LISTEN_FDS=2", may be NULL), NULL-ended, arena memory.  passwd is read
 * through root_fd with RESOLVE_IN_ROOT, at most 1 MiB, only if it is a regular file; proc_fd reopens the
 * descriptor that was looked at. */
int environment_build(const struct spec_process *process, int root_fd, int proc_fd, const char *const *extra,
                      struct arena *arena, char ***ret_envp, struct failure *why) MUST_CHECK;
/* The absolute path of args[0] by the PATH of envp (absent: /bin:/usr/bin, as execvp does), as the kernel would
 * find it from inside, after rootfs_enter.  It asks with the effective ids: before identity_take, what only the
 * container's user may not execute is found by execve (environment_explain_exec).  Messages are those
 * that engines look for: executable file `X` not found in $PATH …  Fills exit_code (126/127). */
int environment_find_program(const char *name, char *const *envp, const char *cwd, struct arena *arena,
                             char **ret_path, struct failure *why) MUST_CHECK;
/* The same question and the same answer from outside: `root_fd` is the bundle's root, which nothing is mounted on. */
int environment_probe_program(const struct spec_process *process, int root_fd, struct failure *why) MUST_CHECK;
/* chdir with the checks of CVE-2024-21626; makes a missing directory.  Runs in: init after rootfs_enter.
 * Where it fails with why->errnum EACCES or EPERM before identity_take, try again after it: a 0700 directory
 * of the container's user on a root-squashing volume opens only then (PROC-05). */
int environment_enter_directory(const char *cwd, struct failure *why) MUST_CHECK;
/* ---- environment_exec.c ---- */
/* The sentence and exit code (126/127) for a failed execve of `path`; always -1.  Reads the file's first bytes
 * for the hint; a strict filter may kill for that, so note (stage, errno) on the shared page before. */
int environment_explain_exec(const char *path, int errnum, struct failure *why);
/* Of the two above: what to do about EACCES. */
void environment_hint_denied(const char *path, struct failure *why);

/* ---- terminal.c ---- */
/* A new pty of the container's own devpts, through root_fd.  Runs in: init before rootfs_enter. */
int terminal_open(int root_fd, const struct spec_process *process, int *ret_master, int *ret_slave,
                  struct failure *why) MUST_CHECK;
/* New session, controlling terminal, 0, 1, 2.  Runs in: init. */
int terminal_take(int slave, uid_t owner, struct failure *why) MUST_CHECK;
/* Checks that the console socket can be reached, before anything is made; the connected fd. */
int terminal_connect(const char *socket_path, struct failure *why) MUST_CHECK;
int terminal_send(int socket, int master, struct failure *why) MUST_CHECK;

/* ---- proxy.c: the foreground ---- */
/* Forwards signals to the process and, with a terminal (`master` >= 0), bytes between it and our stdin/stdout in raw mode
 * with window size changes, until the process named by pidfd ended; drains the last bytes (a reader that accepts
 * nothing for a minute, or SIGTERM, SIGINT, SIGHUP, SIGQUIT, end that); restores the terminal whatever happens.
 * The end of our stdin becomes ^D, a reader of our stdout that goes away a hangup of the terminal.
 * Returns the wait status of `pid` (our child); waits for no other.  Signals stay blocked afterwards. */
struct proxy_watch {
    int fd; /* -1: none */
    void (*serve)(void *arg); /* when there is something to read; must not wait for more */
    void *arg;
};
/* `watch` (may be NULL): one more descriptor that is served meanwhile, the last time after the process's end was seen. */
int proxy_run(int pidfd, pid_t pid, int *master, const struct proxy_watch *watch, int *ret_wait_status, struct failure *why) MUST_CHECK;
/* Gives a new terminal the size of the caller's (the first of 0, 1, 2 that is one), before the program can look
 * at it.  Runs in: creator. */
void proxy_give_size(int master);
/* Blocks every signal that can be, and makes SIGCHLD's action the default one: called before clone so that none
 * is lost; *ret_old (NULL: not wanted) is the mask as it was. */
#include <signal.h>
void proxy_block_signals(sigset_t *ret_old);

#endif
