/*
 * container/exec_process.h: which process exec is asked for: from the container's own process, a process document and the
 * command line.  Pure.  Private to container/.
 *
 * Runs in: the CLI process.
 */
#ifndef CRUN_LITE_CONTAINER_EXEC_PROCESS_H
#define CRUN_LITE_CONTAINER_EXEC_PROCESS_H

#include "container/container.h"
#include "spec/spec.h"

/* A process document (`exec --process`) decides about the program, environment, directory, user and terminal alone.  What
 * it does not mention of that which confines or ranks a process is the container's: capabilities, noNewPrivileges, labels,
 * rlimits, oomScoreAdj, scheduler, ioPriority, execCPUAffinity. */
void exec_process_inherit(struct spec_process *process, const struct spec_process *container);

/* The command line's words over the container's process.  USAGE failures name the option. */
int exec_process_override(struct spec_process *process, const struct exec_request *request, struct arena *arena,
                          struct failure *why) MUST_CHECK;

/* Options that have no meaning beside --process are refused rather than ignored: a --user without effect is a danger. */
int exec_process_check_request(const struct exec_request *request, struct failure *why) MUST_CHECK;

/* Where a failure points into /process: the pointer into the document that this came from, and its name; none where the
 * value came from the command line. */
void exec_process_place(const struct exec_request *request, struct failure *why);

#endif
