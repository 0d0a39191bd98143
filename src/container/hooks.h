/*
 * container/hooks.h: runs the hooks of one kind, in order, the state document on their stdin.
 *
 * Runs in: creator, start, delete (runtime namespaces), init (createContainer, startContainer).
 */
#ifndef CRUN_LITE_CONTAINER_HOOKS_H
#define CRUN_LITE_CONTAINER_HOOKS_H

#include "base/failure.h"
#include "base/findings.h"
#include "container/state.h"
#include "spec/spec.h"

struct hook_call {
    enum hook_kind kind;
    const struct state *state;
    enum state_status status; /* shown to the hook */
    int pid;                  /* as the hook's namespace sees it; 0: the container is gone */
    char *const *default_env; /* for hooks without `env`; NULL: the caller's environ */
    const int *interruption;  /* readable: the hook that runs is killed, which is a failure; NULL: nothing can interrupt */
};

/* The working directory is the bundle, as far as it is still there; for startContainer, which no longer sees it, the
 * caller's.  Stops at the first failing hook; the message tells kind, index, path, end, duration and the last words. */
int hooks_run(const struct spec_hooks *hooks, const struct hook_call *call, struct failure *why) MUST_CHECK;
/* poststop: every hook runs, a failing one is a warning. */
void hooks_run_poststop(const struct spec_hooks *hooks, const struct hook_call *call);

/* Runs in: check.  Reports the hooks of the host's mount namespace that could not be executed and would end a start. */
int hooks_probe(const struct spec *spec, struct findings *findings) MUST_CHECK;

#endif
