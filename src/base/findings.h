/*
 * base/findings.h: one list of checks for two callers: the one that stops at the first finding (create, run) and
 * the one that wants them all (check).
 *
 * A check of one thing stays an ordinary explainer with `struct failure *why`.  A function whose last parameter is
 * `struct findings *` REPORTS: it runs such checks one after another,
 *
 *     if (found(findings, check_one(spec, i, findings->why)) < 0)
 *         return -1;
 *
 * and returns 0 to go on, -1 to end.  Where the caller wants the first finding, `found` is no more than the
 * check's own result, and after -1 `why` is that finding.  Where he wants all, `found` keeps it and says 0; -1 means
 * that nothing further can be said (the document is no JSON, the limit is reached), and all findings are kept.
 *
 * A collecting caller checks what is left of a document after the reader skipped what it refused.  Three rules, all in
 * `found`, keep follow-ups out: one CONFIG finding per place, with what is above and below it; none beside a value of
 * the same small object that the reader refused; and the number of a list's element is the document's number, also where
 * refused elements before it are missing from the structs.
 *
 * Runs in: creator, exec, update, check.  Allocates only where all findings are wanted.
 */
#ifndef CRUN_LITE_BASE_FINDINGS_H
#define CRUN_LITE_BASE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"

#define FINDINGS_LIMIT 1000

struct dropped_element;

struct findings {
    struct failure *why; /* what the check that runs now fills */
    bool all;
    struct failure *items; /* of a caller that wants all */
    size_t count;
    size_t seen;    /* those that were not kept included: more than before a check means that it failed */
    size_t refused; /* the first so many are the reader's: the values are absent from the structs */
    struct dropped_element *dropped;
    size_t dropped_count;
};

/* For a caller that wants the first one.  Nothing to release. */
#define FINDINGS_FIRST(why_) {.why = (why_)}

/* For a caller that wants all; findings_done is due. */
void findings_collect(struct findings *findings, struct failure *why);
void findings_done(struct findings *findings);

/* `result` of an explainer that was given findings->why. */
int found(struct findings *findings, int result) MUST_CHECK;

/* ---- for the reader ---- */

/* The same for a value that is skipped from here on. */
int found_refused(struct findings *findings, int result) MUST_CHECK;
/* Element `index` of the list at `list` is not in the structs. */
void findings_drop_element(struct findings *findings, const char *list, size_t index);

/* ---- for checks that draw conclusions from what is absent ---- */

/* Did the reader refuse something at or below `pointer`?  Never for a caller that wants the first finding. */
bool findings_doubt(const struct findings *findings, const char *pointer);

#endif
