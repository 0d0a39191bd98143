/*
 * spec/locate.c: from a JSON pointer to the line.
 *
 * The structs keep no places: a second pass over the text finds the line, on failure only.
 *
 * Runs in: creator, exec, update, check, after a check failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/text.h"
#include "spec/read.h"
#include "spec/json.h"

struct level {
    bool list;
    bool leads; /* its children are on the pointer's way: all tokens up to here were equal */
    size_t index;
};

struct search {
    yajl_handle yajl;
    char tokens[SPEC_DEPTH_LIMIT][POINTER_TOKEN_SIZE + 1]; /* with the slash */
    size_t tokens_count;
    struct level levels[SPEC_DEPTH_LIMIT + 1];
    size_t depth;
    bool matches; /* the value that comes next is on the way */
    size_t best;  /* tokens that were found */
    size_t offset; /* of the value they lead to */
};

static void split(struct search *search, const char *pointer)
{
    while (*pointer == '/' && search->tokens_count < SPEC_DEPTH_LIMIT) {
        size_t length = 1 + strcspn(pointer + 1, "/");
        char *token = search->tokens[search->tokens_count++];
        snprintf(token, sizeof(search->tokens[0]), "%.*s", (int)length, pointer);
        pointer += length;
    }
}

static bool is_next(const struct search *search, const char *token)
{
    return search->depth - 1 < search->tokens_count && strcmp(search->tokens[search->depth - 1] + 1, token) == 0;
}

/* A value begins: the innermost one on the way is what we look for. */
static bool begin_value(struct search *search)
{
    struct level *level = search->depth > 0 ? &search->levels[search->depth - 1] : NULL;
    bool matches = level == NULL || search->matches;
    if (level != NULL && level->list) {
        char token[24];
        snprintf(token, sizeof(token), "%zu", level->index++);
        matches = level->leads && is_next(search, token);
    }
    search->matches = false;
    if (matches && (search->depth > search->best || level == NULL)) {
        search->best = search->depth;
        search->offset = yajl_get_bytes_consumed(search->yajl);
    }
    return matches;
}

/* Returns 0, which stops yajl, once everything was found. */
static int end_value(const struct search *search)
{
    return search->best < search->tokens_count;
}

static int on_null(void *context)
{
    struct search *search = context;
    (void)begin_value(search); /* nothing is below it */
    return end_value(search);
}

static int on_boolean(void *context, int value)
{
    (void)value; /* only the place counts */
    return on_null(context);
}

static int on_scalar(void *context, const char *text, size_t length)
{
    (void)text, (void)length; /* as above */
    return on_null(context);
}

static int on_string(void *context, const unsigned char *text, size_t length)
{
    (void)text, (void)length; /* as above */
    return on_null(context);
}

static int open_level(struct search *search, bool list)
{
    bool leads = begin_value(search);
    if (!end_value(search) || search->depth == SPEC_DEPTH_LIMIT)
        return 0;
    search->levels[search->depth++] = (struct level){.list = list, .leads = leads};
    return 1;
}

static int on_start_map(void *context)
{
    return open_level(context, false);
}

static int on_start_array(void *context)
{
    return open_level(context, true);
}

static int on_key(void *context, const unsigned char *key, size_t length)
{
    struct search *search = context;
    char token[POINTER_TOKEN_SIZE];
    if (search->levels[search->depth - 1].leads)
        search->matches = is_next(search, text_pointer_token(token, (const char *)key, length));
    return 1;
}

static int on_end(void *context)
{
    struct search *search = context;
    search->depth--;
    return 1;
}

unsigned json_line_of(const char *text, size_t length, const char *pointer)
{
    static const yajl_callbacks events = {
        .yajl_null = on_null, .yajl_boolean = on_boolean, .yajl_number = on_scalar, .yajl_string = on_string,
        .yajl_start_map = on_start_map, .yajl_map_key = on_key, .yajl_end_map = on_end,
        .yajl_start_array = on_start_array, .yajl_end_array = on_end,
    };
    struct search search = {.offset = 0};
    split(&search, pointer);
    search.yajl = yajl_alloc(&events, NULL, &search);
    if (search.yajl == NULL)
        return 0;
    /* Stopped by us or not: what was found until then counts. */
    (void)yajl_parse(search.yajl, (const unsigned char *)text, length);
    yajl_free(search.yajl);
    return (unsigned)json_line_at(text, search.offset);
}

void spec_locate(const struct spec *spec, struct failure *why)
{
    if (why->pointer[0] == '/' && why->line == 0 && spec->text != NULL)
        why->line = json_line_of(spec->text, spec->length, why->pointer);
}
