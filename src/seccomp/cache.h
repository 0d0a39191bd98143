/*
 * seccomp/cache.h: the pure halves of the cache, for its tests.
 */
#ifndef CRUN_LITE_SECCOMP_CACHE_H
#define CRUN_LITE_SECCOMP_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "seccomp/seccomp.h"

/* PURE but for uname(2).  Appends everything that decides about the program: every member of the profile that
 * reaches it, each with its kind and length before it, our build, the machine and the kernel.  (listenerPath and
 * listenerMetadata do not reach it.) */
void cache_key(const struct spec_seccomp *seccomp, struct text *key);

/* PURE.  A file's content: key, the library it was compiled with (`library`, a line of cache_library), the filter. */
void cache_encode(const struct text *key, const char *library, const struct seccomp_filter *filter, struct text *out);
/* True when `data` is intact and has exactly this key; the filter's program points into `data`. */
bool cache_decode(const void *data, size_t length, const struct text *key, const char **ret_library,
                  struct seccomp_filter *ret_filter);

#endif
