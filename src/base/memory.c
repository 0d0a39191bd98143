/*
 * base/memory.c: arenas and the heap.  Running out of memory ends the process with one sentence.
 */
#include "base/memory.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_SIZE (32u * 1024 - 64)

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) char data[];
};

static void __attribute__((noreturn)) memory_exhausted(void)
{
    static const char sentence[] = "crun-lite: out of memory\n";
    /* Nothing is left to do if even this write fails. */
    IGNORE_RESULT(write(STDERR_FILENO, sentence, sizeof(sentence) - 1));
    _exit(1);
}

/* musl gives the pages of a group of small pieces back with the last piece of it, so that a piece which is the only one of its time costs a
 * mapping, two page faults and an unmapping.  Groups of smaller pieces lie within larger ones: these two, held for good, spare `run` 16 of
 * its 29 mappings. */
void memory_expect_small(void)
{
    static void *held[2] __attribute__((used));
    held[0] = memory_resize(held[0], 256);
    held[1] = memory_resize(held[1], 2048);
}

void *memory_resize(void *old, size_t size)
{
    void *memory = realloc(old, size ? size : 1);
    if (memory == NULL)
        memory_exhausted();
    return memory;
}

void *memory_new(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (memory == NULL)
        memory_exhausted();
    return memory;
}

/* A block for many objects.  It is cleared piece by piece as it is used: a page that nothing lies on is never touched. */
static struct arena_block *block_new(struct arena *arena)
{
    struct arena_block *block = memory_resize(NULL, sizeof(*block) + BLOCK_SIZE);
    *block = (struct arena_block){.size = BLOCK_SIZE, .next = arena->blocks};
    arena->blocks = block;
    return block;
}

/* A block for one big object, which the C library has clear from the kernel.  It goes behind the current one, whose room stays
 * usable. */
static void *block_new_big(struct arena *arena, size_t size)
{
    struct arena_block *block = memory_new(sizeof(*block) + size);
    struct arena_block **place = arena->blocks == NULL ? &arena->blocks : &arena->blocks->next;
    block->size = block->used = size;
    block->next = *place;
    *place = block;
    return block->data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t unit = alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        memory_exhausted();
    size = (size + unit - 1) / unit * unit;
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < size) {
        if (size > BLOCK_SIZE)
            return block_new_big(arena, size);
        block = block_new(arena);
    }
    void *memory = block->data + block->used;
    block->used += size;
    return memset(memory, 0, size);
}

void *arena_grow(struct arena *arena, const void *old, size_t old_count, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        memory_exhausted();
    void *memory = arena_alloc(arena, bytes);
    if (old_count > 0)
        memcpy(memory, old, old_count * size);
    return memory;
}

void *arena_grow_one(struct arena *arena, void *old, size_t count, size_t size)
{
    bool full = (count & (count - 1)) == 0; /* none yet, or as many as there is room for */
    return full ? arena_grow(arena, old, count, count > 0 ? count * 2 : 1, size) : old;
}

char *arena_copy_n(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *arena_copy(struct arena *arena, const char *text)
{
    return arena_copy_n(arena, text, strlen(text));
}

char *arena_format(struct arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = NULL;
    int length = vasprintf(&text, fmt, args);
    va_end(args);
    if (length < 0)
        memory_exhausted();
    char *copy = arena_copy_n(arena, text, (size_t)length);
    free(text);
    return copy;
}

void arena_done(struct arena *arena)
{
    struct arena_block *block = arena->blocks;
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = NULL;
}
