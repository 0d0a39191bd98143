/*
 * seccomp/seccomp.h: front of the folder that turns /linux/seccomp into a loaded filter.
 *
 * words (pure tables) -> check (pure) -> build or cache (libseccomp, loaded on demand, in the creator) ->
 * load (init, one system call).  Init never sees libseccomp.
 */
#ifndef CRUN_LITE_SECCOMP_SECCOMP_H
#define CRUN_LITE_SECCOMP_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"
#include "base/findings.h"
#include "base/memory.h"
#include "spec/spec.h"

struct seccomp_filter {
    const void *program; /* struct sock_filter[], arena memory */
    size_t instructions;
    unsigned flags;      /* SECCOMP_FILTER_FLAG_*, NEW_LISTENER included when `notify` */
    bool notify;         /* some action is SCMP_ACT_NOTIFY */
};

/* PURE.  Words, ranges, contradictions (errnoRet without errno action, listenerMetadata without path, NOTIFY
 * without path or on what init itself needs after loading); names the JSON pointer. */
int seccomp_check(const struct spec_seccomp *seccomp, struct failure *why) MUST_CHECK;
int seccomp_check_all(const struct spec_seccomp *seccomp, struct findings *findings) MUST_CHECK; /* reports */

/* PURE.  Whether the profile lets the system call through whatever its arguments are, as far as its own words tell. */
bool seccomp_allows(const struct spec_seccomp *seccomp, const char *name);

/* Checks and compiles the profile.  Unknown system call names are ignored (logged at debug).  When the default
 * action is ERRNO with EPERM, system calls newer than the newest one the profile names get ENOSYS instead, so
 * that a C library newer than the profile finds its fallback.  Absent `flags` means no flag: whether
 * speculation is restricted stays the administrator's choice.
 * Runs in: creator, before any path of the container is visible (it calls dlopen). */
int seccomp_build(const struct spec_seccomp *seccomp, struct arena *arena, struct seccomp_filter *ret_filter,
                  struct failure *why) MUST_CHECK;
/* The same with the compiled program kept in `cache_dir_fd` (-1: no cache): a directory of the caller's
 * effective uid with mode 0700, which the caller makes under the state root.  A hit needs no libseccomp.
 * An unusable directory, a foreign or damaged entry, a full disk: compiled anew, logged at debug. */
int seccomp_build_cached(const struct spec_seccomp *seccomp, int cache_dir_fd, struct arena *arena,
                         struct seccomp_filter *ret_filter, struct failure *why) MUST_CHECK;

/* Runs in: check.  Reports what this kernel or this libseccomp cannot do of a checked profile; compiles it and lets it go. */
int seccomp_probe(const struct spec_seccomp *seccomp, struct findings *findings) MUST_CHECK;

/* Loads it: the listener fd (CLOEXEC) when `notify`, else 0; -errno.  PLAIN.  Runs in: init, without another
 * allocation or open.  Needs: no_new_privs or CAP_SYS_ADMIN in the user namespace.  (Not `seccomp_load`:
 * that name is libseccomp's.) */
int seccomp_install(const struct seccomp_filter *filter) MUST_CHECK;

/* Whether a stream socket is bound at /linux/seccomp/listenerPath, without connecting to it: the filter is loaded at
 * start, but whoever calls create is to hear that nobody is there.  Runs in: creator. */
int seccomp_find_agent(const char *path, struct failure *why) MUST_CHECK;
/* Sends the containerProcessState and the listener fd to /linux/seccomp/listenerPath on a connection of its
 * own, closed afterwards.  Runs in: creator. */
int seccomp_send_listener(const char *path, const char *process_state_json, int listener_fd,
                          struct failure *why) MUST_CHECK;

/* True when this kernel can do the flag. */
bool seccomp_flag_supported(const char *word);
/* "2.5.4", or NULL when libseccomp cannot be loaded. */
const char *seccomp_library_version(void);

#endif
