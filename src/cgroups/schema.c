/* cgroups/schema.c: reads and compares lines of a resctrl schemata file.  Pure. */
#include "cgroups/schema.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* A part of a text, read from its front. */
struct cursor {
    const char *at, *end;
};

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t'))
        cursor->at++;
}

static bool take(struct cursor *cursor, char wanted)
{
    skip_blanks(cursor);
    if (cursor->at == cursor->end || *cursor->at != wanted)
        return false;
    cursor->at++;
    return true;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static bool take_number(struct cursor *cursor, unsigned base, uint64_t *ret_number)
{
    uint64_t number = 0;
    skip_blanks(cursor);
    if (base == 16 && cursor->end - cursor->at > 2 && cursor->at[0] == '0' && (cursor->at[1] | 0x20) == 'x')
        cursor->at += 2;
    const char *start = cursor->at;
    for (; cursor->at < cursor->end; cursor->at++) {
        unsigned digit = (unsigned)digit_of(*cursor->at);
        if (digit >= base)
            break;
        if (number > (UINT64_MAX - digit) / base)
            return false;
        number = number * base + digit;
    }
    *ret_number = number;
    return cursor->at > start;
}

struct domain {
    uint64_t id, value;
};

/* The next "ID=VALUE".  1; 0 at the end; -EINVAL.  `first` is true before the first and set false. */
static int next_domain(struct cursor *cursor, unsigned base, bool *first, struct domain *ret_domain)
{
    skip_blanks(cursor);
    if (!*first && cursor->at == cursor->end)
        return 0;
    if (!*first && !take(cursor, ';'))
        return -EINVAL;
    *first = false;
    bool good = take_number(cursor, 10, &ret_domain->id) && take(cursor, '=') && take_number(cursor, base, &ret_domain->value);
    return good ? 1 : -EINVAL;
}

static bool find_domain(struct cursor line, unsigned base, uint64_t id, uint64_t *ret_value)
{
    bool first = true;
    for (struct domain domain; next_domain(&line, base, &first, &domain) == 1;)
        if (domain.id == id) {
            *ret_value = domain.value;
            return true;
        }
    return false;
}

static bool is_same(uint64_t wanted, uint64_t present, uint64_t step)
{
    if (wanted == present)
        return true;
    return step > 1 && wanted <= UINT64_MAX - step && (wanted + step - 1) / step * step == present;
}

int schema_resource(const char *line, char ret_resource[SCHEMA_RESOURCE_SIZE])
{
    line += strspn(line, " \t");
    size_t length = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    if (length == 0 || length >= SCHEMA_RESOURCE_SIZE || line[length] != ':')
        return -EINVAL;
    memcpy(ret_resource, line, length);
    ret_resource[length] = '\0';
    return 0;
}

const char *schema_find(const char *schemata, const char *resource, size_t *ret_length)
{
    char name[SCHEMA_RESOURCE_SIZE];
    for (const char *line = schemata; *line != '\0'; line += *line == '\n') {
        if (schema_resource(line, name) == 0 && strcmp(name, resource) == 0) {
            line += strspn(line, " \t");
            *ret_length = strcspn(line, "\n");
            return line;
        }
        line += strcspn(line, "\n");
    }
    return NULL;
}

enum schema_answer schema_compare(const char *wanted, const char *line, size_t length, uint64_t step)
{
    char resource[SCHEMA_RESOURCE_SIZE];
    if (schema_resource(wanted, resource) < 0)
        return SCHEMA_MALFORMED;
    bool cache = resource[0] == 'L', first = true, different = false;
    unsigned base = cache ? 16 : 10;
    struct cursor list = {.at = strchr(wanted, ':') + 1, .end = wanted + strlen(wanted)};
    const char *colon = memchr(line, ':', length);
    struct cursor present = {.at = colon == NULL ? line + length : colon + 1, .end = line + length};
    struct domain domain;
    int more;
    while ((more = next_domain(&list, base, &first, &domain)) == 1) {
        uint64_t value;
        if (!find_domain(present, base, domain.id, &value) || !is_same(domain.value, value, cache ? 0 : step))
            different = true; /* go on: a malformed rest is the better message */
    }
    return more < 0 ? SCHEMA_MALFORMED : different ? SCHEMA_DIFFERENT : SCHEMA_SAME;
}
