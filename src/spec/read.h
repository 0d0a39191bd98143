/*
 * spec/read.h: JSON in, structs out; and the checks that need no kernel.
 *
 * yajl's event parser fills the structs directly (one pass, one arena, no tree).  Every refusal names the
 * JSON pointer, the line, what was found and what is allowed.  Integers never pass through a double.
 * Duplicate member names and wrong types are errors, unknown members are ignored, null means absent.
 *
 * Runs in: creator (and exec, update).  Needs: nothing.
 */
#ifndef CRUN_LITE_SPEC_READ_H
#define CRUN_LITE_SPEC_READ_H

#include "base/failure.h"
#include "base/findings.h"
#include "spec/spec.h"

/* Largest document accepted: 16 MiB (a config of 10,000 mounts is 2 MiB). */
#define SPEC_SIZE_LIMIT ((size_t)16 * 1024 * 1024)
/* Deepest nesting accepted, known or unknown members. */
#define SPEC_DEPTH_LIMIT 64

/* Reads "config.json" (or `name`) in the bundle directory.  After this: spec_done is due, also on failure. */
int spec_read(int bundle_fd, const char *name, struct spec *spec, struct failure *why) MUST_CHECK;
/* The same from memory; `text` need not be NUL-ended. */
int spec_parse(const char *text, size_t length, struct spec *spec, struct failure *why) MUST_CHECK;
/* Report; see json_read_all. */
int spec_read_all(int bundle_fd, const char *name, struct spec *spec, struct findings *findings) MUST_CHECK;
int spec_parse_all(const char *text, size_t length, struct spec *spec, struct findings *findings) MUST_CHECK;
/* Gives a failure that has a pointer into this document its line. */
void spec_locate(const struct spec *spec, struct failure *why);
/* A process document as `exec --process` gets it, and a resources document as `update --resources` does. */
int spec_parse_process(const char *text, size_t length, struct arena *arena, struct spec_process *process,
                       struct failure *why) MUST_CHECK;
int spec_parse_resources(const char *text, size_t length, struct arena *arena,
                         struct spec_resources *resources, struct failure *why) MUST_CHECK;

/* Rules of the specification that a single member cannot show: contradictions, required companions, what
 * cgroup v2 cannot express, what this release refuses.  `pointer` is where the part stands: "/process" and
 * "/linux/resources" in config.json, "" in a document of its own. */
int spec_check(const struct spec *spec, struct failure *why) MUST_CHECK;
int spec_check_all(const struct spec *spec, struct findings *findings) MUST_CHECK; /* reports */
int spec_check_process(const struct spec_process *process, const char *pointer, struct failure *why) MUST_CHECK;
int spec_check_resources(const struct spec_resources *resources, const char *pointer,
                         struct failure *why) MUST_CHECK;

void spec_done(struct spec *spec);

#endif
