/*
 * seccomp/seccomp.h: front of the folder that turns /linux/seccomp into a loaded filter.
 *
 * words (pure tables) -> build (libseccomp, loaded on demand, in the creator) -> load (init, two system
 * calls).  Init never sees libseccomp.
 */
#ifndef CRUN_LITE_SECCOMP_SECCOMP_H
#define CRUN_LITE_SECCOMP_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"
#include "base/memory.h"
#include "spec/spec.h"

struct seccomp_filter {
    const void *program; /* struct sock_filter[], arena memory */
    size_t instructions;
    unsigned flags;      /* SECCOMP_FILTER_FLAG_*, NEW_LISTENER included when `notify` */
    bool notify;         /* some action is SCMP_ACT_NOTIFY */
};

/* PURE.  Words, ranges, contradictions (errnoRet without errno action, listenerMetadata without path, NOTIFY
 * on what init itself needs after loading); names the JSON pointer. */
int seccomp_check(const struct spec_seccomp *seccomp, struct failure *why) MUST_CHECK;
/* Compiles the profile.  Unknown system call names are ignored (logged at debug); system calls newer than
 * the newest one the profile names get ENOSYS instead of an EPERM default.  Runs in: creator. */
int seccomp_build(const struct spec_seccomp *seccomp, struct arena *arena, struct seccomp_filter *ret_filter,
                  struct failure *why) MUST_CHECK;
/* Loads it: the listener fd when `notify`, else 0; -errno.  PLAIN.  Runs in: init, without another
 * allocation or open.  Needs: no_new_privs or CAP_SYS_ADMIN in the user namespace. */
int seccomp_load(const struct seccomp_filter *filter) MUST_CHECK;
/* Sends the containerProcessState and the listener fd to /linux/seccomp/listenerPath. Runs in: creator. */
int seccomp_send_listener(const char *path, const char *process_state_json, int listener_fd,
                          struct failure *why) MUST_CHECK;

/* Word tables for the features document, each ended by NULL. */
extern const char *const seccomp_action_words[];
extern const char *const seccomp_operator_words[];
extern const char *const seccomp_arch_words[];
extern const char *const seccomp_flag_words[];
/* True when this kernel (and libseccomp) can do the flag. */
bool seccomp_flag_supported(const char *word);
/* "2.5.4", or NULL when libseccomp cannot be loaded. */
const char *seccomp_library_version(void);

#endif
