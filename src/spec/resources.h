/*
 * spec/resources.h: resources that come in several documents: what is in force, and what an update asks for.  Pure.
 *
 * Runs in: update.
 */
#ifndef CRUN_LITE_SPEC_RESOURCES_H
#define CRUN_LITE_SPEC_RESOURCES_H

#include "base/failure.h"
#include "spec/json.h"

/* The most entries of one list that an update may ask for: more than a cgroup takes settings. */
#define RESOURCES_LIST_MAX 4096

/* Refuses a longer list, before it is merged: that takes the time of its length times the list's in force. */
int resources_check_lists(const struct spec_resources *given, struct failure *why) MUST_CHECK;

/* Puts what `given` sets over what `held` holds.  A number that engines send as 0 for "left alone" (a limit, a
 * quota, shares, a weight) leaves the old one in force; entries of lists take the place of those with the same device,
 * page size or key, but for device rules, which make sense only as a whole.  The result points into both. */
struct spec_resources resources_merge(const struct spec_resources *held, const struct spec_resources *given, struct arena *arena);

/* Writes the document that spec_parse_resources reads. */
void resources_write(struct json_writer *writer, const struct spec_resources *resources);

#endif
