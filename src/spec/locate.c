/*
 * spec/locate.c: from JSON pointers to lines.
 *
 * The structs keep no places: a second pass over the text finds the lines, on failure only, and one pass finds them all.
 * The pointers are sorted, so that those that lead through an object or array are neighbours; on the way down the range
 * of neighbours narrows token by token.
 *
 * Runs in: creator, exec, update, check, after a check failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/memory.h"
#include "base/text.h"
#include "spec/read.h"
#include "spec/json.h"

struct wanted {
    const char *pointer;
    unsigned *line;
    size_t found; /* levels of the pointer that were found, and one; 0: none, not even the document */
};

/* Those of the sorted pointers that lead to or through a value; their first `prefix` bytes are its own pointer. */
struct range { size_t low, high, prefix; };

struct level {
    bool list;
    size_t index;
    struct range range;
};

struct search {
    yajl_handle yajl;
    struct wanted *wanted;
    size_t left; /* not found to the end yet */
    struct level levels[SPEC_DEPTH_LIMIT];
    size_t depth;
    struct range next; /* of the value that comes next */
    const char *text;
    size_t offset; /* up to which the lines are counted */
    unsigned line;
};

/* The end of a token before all letters: /a, /a/b, /a.b. */
static int rank(char letter)
{
    return letter == '\0' ? 0 : letter == '/' ? 1 : (unsigned char)letter + 1;
}

static int compare_wanted(const void *left, const void *right)
{
    const char *a = ((const struct wanted *)left)->pointer, *b = ((const struct wanted *)right)->pointer;
    while (*a != '\0' && *a == *b)
        a++, b++;
    return rank(*a) - rank(*b);
}

/* Where `rest` of a pointer stands beside those that go on with /TOKEN: 0 among them. */
static int compare_token(const char *rest, const char *token)
{
    if (*rest != '/')
        return -1; /* it ends here */
    for (rest++; *token != '\0' && *rest == *token; rest++)
        token++;
    if (*token == '\0')
        return rank(*rest) > 1; /* the token ends here too, or goes on */
    return rank(*rest) > 1 && rank(*rest) > rank(*token) ? 1 : -1;
}

/* The first of the range that stands at `least` or behind. */
static size_t find_first(const struct search *search, const struct range *range, const char *token, int least)
{
    size_t low = range->low, high = range->high;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_token(search->wanted[middle].pointer + range->prefix, token) < least)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct range narrow(const struct search *search, const struct range *range, const char *token)
{
    if (range->low == range->high)
        return *range;
    return (struct range){find_first(search, range, token, 0), find_first(search, range, token, 1),
                          range->prefix + 1 + strlen(token)};
}

static void count_lines(struct search *search, size_t offset)
{
    const char *at = search->text + search->offset, *end = search->text + offset;
    for (; at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        search->line++;
    search->offset = offset;
}

/* A value begins: as yet the innermost one on the way of those that lead here. */
static struct range begin_value(struct search *search)
{
    struct level *level = search->depth > 0 ? &search->levels[search->depth - 1] : NULL;
    if (level != NULL && level->list) {
        char token[24];
        snprintf(token, sizeof(token), "%zu", level->index++);
        search->next = narrow(search, &level->range, token);
    }
    struct range range = search->next;
    search->next.high = search->next.low;
    if (range.low < range.high)
        count_lines(search, yajl_get_bytes_consumed(search->yajl));
    for (size_t i = range.low; i < range.high; i++) {
        struct wanted *wanted = &search->wanted[i];
        if (wanted->found > search->depth)
            continue; /* the member is there twice: the first one counts */
        wanted->found = search->depth + 1;
        *wanted->line = search->line;
        search->left -= wanted->pointer[range.prefix] == '\0';
    }
    return range;
}

/* Returns 0, which stops yajl, once everything was found. */
static int on_null(void *context)
{
    struct search *search = context;
    (void)begin_value(search); /* nothing is below it */
    return search->left > 0;
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
    struct range range = begin_value(search);
    if (search->left == 0 || search->depth == SPEC_DEPTH_LIMIT)
        return 0;
    search->levels[search->depth++] = (struct level){.list = list, .range = range};
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
    const struct range *range = &search->levels[search->depth - 1].range;
    char token[POINTER_TOKEN_SIZE];
    if (range->low < range->high)
        search->next = narrow(search, range, text_pointer_token(token, (const char *)key, length));
    return 1;
}

static int on_end(void *context)
{
    struct search *search = context;
    search->depth--;
    return 1;
}

/* Stopped by us, or by what is no JSON: what was found until then counts. */
static void locate(const char *text, size_t length, struct wanted *wanted, size_t count)
{
    static const yajl_callbacks events = {
        .yajl_null = on_null, .yajl_boolean = on_boolean, .yajl_number = on_scalar, .yajl_string = on_string,
        .yajl_start_map = on_start_map, .yajl_map_key = on_key, .yajl_end_map = on_end,
        .yajl_start_array = on_start_array, .yajl_end_array = on_end,
    };
    struct search search = {.wanted = wanted, .left = count, .next = {.high = count}, .text = text, .line = 1};
    if (count == 0)
        return;
    qsort(wanted, count, sizeof(*wanted), compare_wanted);
    search.yajl = yajl_alloc(&events, NULL, &search);
    if (search.yajl == NULL)
        return;
    (void)yajl_parse(search.yajl, (const unsigned char *)text, length); /* as above */
    yajl_free(search.yajl);
}

unsigned json_line_of(const char *text, size_t length, const char *pointer)
{
    unsigned line = 1;
    locate(text, length, &(struct wanted){.pointer = pointer, .line = &line}, 1);
    return line;
}

void spec_locate_all(const struct spec *spec, struct failure *failures, size_t count)
{
    struct wanted *wanted = memory_new(count * sizeof(*wanted));
    size_t unlocated = 0;
    for (size_t i = 0; i < count && spec->text != NULL; i++)
        if (failures[i].pointer[0] == '/' && failures[i].line == 0)
            wanted[unlocated++] = (struct wanted){.pointer = failures[i].pointer, .line = &failures[i].line};
    locate(spec->text, spec->length, wanted, unlocated);
    free(wanted);
}

void spec_locate_in(const char *text, size_t length, struct failure *why)
{
    if (why->pointer[0] == '/' && why->line == 0 && text != NULL)
        why->line = json_line_of(text, length, why->pointer);
}

void spec_locate(const struct spec *spec, struct failure *why)
{
    spec_locate_in(spec->text, spec->length, why);
}
