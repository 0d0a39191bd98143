/*
 * container/stage.h: the steps of every process, and the page on which init leaves its last words.
 *
 * The page is mapped shared before clone.  Init notes the step before it takes it, which costs one store and
 * no system call: so even a death that no message can announce (SIGKILL by the OOM killer, a seccomp filter that forbids
 * write) can be explained.  The kernel notes there whom the escort has cloned, should it die before it can say so.
 */
#ifndef CRUN_LITE_CONTAINER_STAGE_H
#define CRUN_LITE_CONTAINER_STAGE_H

#include <stdatomic.h>

#include "base/timeline.h"

/* Of init and joiner. */
enum stage {
    STAGE_UNBORN, /* not one instruction of init was executed */
    STAGE_BEGIN,
    STAGE_JOIN,
    STAGE_WAIT_FOR_MAPS,
    STAGE_LIMITS,
    STAGE_NAMES,
    STAGE_ROOTFS,
    STAGE_CONSOLE,
    STAGE_WAIT_FOR_CREATOR,
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
extern const char stage_words[STAGES][48]; /* in place: pointers would have to be relocated in every process */

/* Of the command itself: creator, exec, start, … */
enum step {
    STEP_COMMAND, /* what is none of the others */
    STEP_PROTECT,
    STEP_CHECK,
    STEP_RECORD,
    STEP_CGROUP,
    STEP_RESCTRL,
    STEP_ROOT,
    STEP_FILTER,
    STEP_CLONE,
    STEP_EQUIP,
    STEP_NETWORK,
    STEP_KEEP,
    STEP_AWAIT_READY,
    STEP_SETTLE,
    STEP_AWAIT_EXEC,
    STEP_HOOKS,
    STEP_AWAIT_NOTICE,
    STEP_ATTEND,
    STEP_STOP,
    STEP_REMOVE,
    STEP_UNDO,
    STEPS
};

/* Fits "while …" too. */
extern const char step_words[STEPS][56];

/* The command's next step begins. */
static inline void step_note(enum step step)
{
    timeline_mark(TIMELINE_STEP, step);
}

struct last_words {
    _Atomic int stage;
    _Atomic int errnum; /* of a failure that could not be sent */
    _Atomic int cloned; /* by the escort, not yet in the creator's hands: a pid; 0: none */
};

/* Shared anonymous page; NULL when there is no memory for it (then deaths are explained less well). */
struct last_words *last_words_map(void);

#endif
