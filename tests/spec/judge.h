/*
 * tests/spec/judge.h: what create refuses of a configuration before it has made anything, as far as no kernel is needed.
 */
#ifndef CRUN_LITE_TESTS_SPEC_JUDGE_H
#define CRUN_LITE_TESTS_SPEC_JUDGE_H

#include "base/findings.h"
#include "base/memory.h"
#include "spec/spec.h"

/* Reads, checks and plans in the order of the creator's recipe, for the first finding or for all of them.  After this
 * spec_done and arena_done are due. */
int judge(const char *text, size_t length, struct spec *spec, struct arena *arena, struct findings *findings) MUST_CHECK;

#endif
