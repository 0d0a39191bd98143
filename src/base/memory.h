/*
 * base/memory.h: allocation.
 *
 * The runtime is short-lived and small.  An arena holds everything that lives as long as a document or a
 * plan does and is freed in one call; running out of memory ends the process with one clear sentence
 * (exit code 1), which every recipe survives like any other sudden death.
 *
 * Runs in: every process.
 */
#ifndef CRUN_LITE_BASE_MEMORY_H
#define CRUN_LITE_BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#include "base/failure.h"

struct arena_block;
struct arena {
    struct arena_block *blocks;
};

/* Zeroed memory aligned for any type, valid until arena_done.  Never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
/* Grows an array kept in the arena: returns room for `count` elements, the first `old_count` copied. */
void *arena_grow(struct arena *arena, const void *old, size_t old_count, size_t count, size_t size);
/* The same for one more element.  Copies only when `count` is a power of two, so an array that nothing but this makes
 * grow costs time and memory in proportion to its length. */
void *arena_grow_one(struct arena *arena, void *old, size_t count, size_t size);
char *arena_copy(struct arena *arena, const char *text);
char *arena_copy_n(struct arena *arena, const char *text, size_t length);
char *arena_format(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
void arena_done(struct arena *arena);

/* Heap, for what outlives or outgrows an arena.  Never NULL. */
void *memory_new(size_t size);
void *memory_resize(void *old, size_t size);
/* Called where many small pieces are going to come and go one after another: makes them cheap. */
void memory_expect_small(void);

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
