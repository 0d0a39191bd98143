/*
 * container/stage.h: the steps of init, and the page on which it leaves its last words.
 *
 * The page is mapped shared before clone.  Init notes the step before it takes it, which costs one store and
 * no system call: so even a death that no message can announce (SIGKILL by the OOM killer, a seccomp filter that forbids
 * write) can be explained.  The kernel notes there whom the escort has cloned, should it die before it can say so.
 */
#ifndef CRUN_LITE_CONTAINER_STAGE_H
#define CRUN_LITE_CONTAINER_STAGE_H

#include <stdatomic.h>

enum stage {
    STAGE_UNBORN, /* not one instruction of init was executed */
    STAGE_BEGIN,
    STAGE_JOIN,
    STAGE_WAIT_FOR_MAPS,
    STAGE_LIMITS,
    STAGE_NAMES,
    STAGE_ROOTFS,
    STAGE_CONSOLE,
    STAGE_HOOKS_CREATE,
    STAGE_SYSCTL,
    STAGE_SEAL,
    STAGE_ENTER,
    STAGE_PROGRAM,
    STAGE_WAIT_FOR_START,
    STAGE_HOOKS_START,
    STAGE_IDENTITY,
    STAGE_SECCOMP,
    STAGE_EXEC,
    STAGES
};

/* What init was doing: fits "while …". */
extern const char *const stage_words[STAGES];

struct last_words {
    _Atomic int stage;
    _Atomic int errnum; /* of a failure that could not be sent */
    _Atomic int cloned; /* by the escort, not yet in the creator's hands: a pid; 0: none */
};

/* Shared anonymous page; NULL when there is no memory for it (then deaths are explained less well). */
struct last_words *last_words_map(void);

#endif
