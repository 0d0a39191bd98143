/*
 * cgroups/schema.h: one line of a resctrl schemata file, "L3:0=ff;1=f" (Documentation/filesystems/resctrl.rst).
 *
 * Pure.  Runs in: creator.
 */
#ifndef CRUN_LITE_CGROUPS_SCHEMA_H
#define CRUN_LITE_CGROUPS_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

#define SCHEMA_RESOURCE_SIZE 32

/* The resource's name without the blanks that the kernel pads it with ("    MB:…" -> "MB").  0 or -EINVAL. */
int schema_resource(const char *line, char ret_resource[SCHEMA_RESOURCE_SIZE]) MUST_CHECK;

/* The line for `resource` in the text of a schemata file, without its leading blanks, not NUL-ended; NULL: none. */
const char *schema_find(const char *schemata, const char *resource, size_t *ret_length);

enum schema_answer { SCHEMA_SAME, SCHEMA_DIFFERENT, SCHEMA_MALFORMED };
/*
 * Whether writing `wanted` over `line` (as schema_find gave it) would change nothing: every domain that `wanted` lists has
 * that value, whatever the order, the blanks and the leading zeros.  Domains that are not listed are not asked about.
 * Values of resources whose name begins with L (caches) are hexadecimal masks, others decimal; `step` is what the kernel
 * rounds decimal ones up to (0 or 1: not at all).  MALFORMED speaks of `wanted`.
 */
enum schema_answer schema_compare(const char *wanted, const char *line, size_t length, uint64_t step) MUST_CHECK;

#endif
