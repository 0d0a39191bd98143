/*
 * base/findings.c: stop at the first finding, or keep them all without their follow-ups.
 */
#include "base/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct dropped_element {
    char list[sizeof(((struct failure *)NULL)->pointer)];
    size_t index;
};

void findings_collect(struct findings *findings, struct failure *why)
{
    *findings = (struct findings){.why = why, .all = true};
}

void findings_done(struct findings *findings)
{
    free(findings->items);
    free(findings->dropped);
    *findings = (struct findings){.why = findings->why};
}

/* ---- places ---- */

/* Is `pointer` at `above` or below it? */
static bool is_below(const char *pointer, const char *above)
{
    size_t length = strlen(above);
    return strncmp(pointer, above, length) == 0 && (pointer[length] == '\0' || pointer[length] == '/');
}

/* Where the last token of a pointer begins, with its slash. */
static size_t parent_length(const char *pointer)
{
    const char *slash = strrchr(pointer, '/');
    return slash != NULL ? (size_t)(slash - pointer) : 0;
}

/* The members of these mean something one by one; those of all other objects explain each other. */
static bool is_loose(const char *pointer, size_t length)
{
    static const char *const loose[] = {"", "/process", "/linux", "/hooks", "/linux/resources", "/linux/seccomp", "/linux/sysctl"};
    for (size_t i = 0; i < ARRAY_LENGTH(loose); i++)
        if (strlen(loose[i]) == length && memcmp(loose[i], pointer, length) == 0)
            return true;
    return false;
}

static bool is_number(const char *token)
{
    return token[0] != '\0' && token[strspn(token, "0123456789")] == '\0';
}

static bool is_follow_up(const char *pointer, const char *refused)
{
    if (refused[0] == '\0') /* the whole document */
        return true;
    if (pointer[0] == '\0')
        return false;
    if (is_below(pointer, refused) || is_below(refused, pointer))
        return true;
    size_t parent = parent_length(refused);
    /* Elements of one list have nothing to do with each other. */
    return !is_number(refused + parent + 1) && !is_loose(refused, parent) && strncmp(pointer, refused, parent) == 0 &&
           pointer[parent] == '/';
}

bool findings_doubt(const struct findings *findings, const char *pointer)
{
    for (size_t i = 0; i < findings->refused; i++)
        if (is_below(findings->items[i].pointer, pointer) || is_below(pointer, findings->items[i].pointer))
            return true;
    return false;
}

/* ---- elements that are missing from the structs ---- */

void findings_drop_element(struct findings *findings, const char *list, size_t index)
{
    char element[sizeof(findings->dropped->list) + 24];
    if (!findings->all)
        return;
    snprintf(element, sizeof(element), "%s/%zu", list, index);
    /* What was missing inside of it does not matter any more. */
    while (findings->dropped_count > 0 && is_below(findings->dropped[findings->dropped_count - 1].list, element))
        findings->dropped_count--;
    findings->dropped = memory_resize(findings->dropped, (findings->dropped_count + 1) * sizeof(*findings->dropped));
    struct dropped_element *dropped = &findings->dropped[findings->dropped_count++];
    snprintf(dropped->list, sizeof(dropped->list), "%s", list);
    dropped->index = index;
}

/* From the number in the structs to the number in the document.  The elements were dropped in the document's order, so
 * that each step sees the numbers that the steps before it have put right. */
static void count_dropped(const struct findings *findings, char *pointer, size_t size)
{
    for (size_t i = 0; i < findings->dropped_count; i++) {
        const struct dropped_element *dropped = &findings->dropped[i];
        size_t length = strlen(dropped->list);
        if (strncmp(pointer, dropped->list, length) != 0 || pointer[length] != '/')
            continue;
        char *end;
        unsigned long index = strtoul(pointer + length + 1, &end, 10);
        if (end == pointer + length + 1 || (*end != '\0' && *end != '/') || index < dropped->index)
            continue;
        char rest[sizeof(dropped->list)];
        snprintf(rest, sizeof(rest), "%s", end);
        snprintf(pointer + length, size - length, "/%lu%s", index + 1, rest);
    }
}

/* ---- reporting ---- */

static int keep(struct findings *findings, const struct failure *finding)
{
    if ((findings->count & (findings->count + 1)) == 0) /* at 0, 1, 3, 7 … room for twice as many and one */
        findings->items = memory_resize(findings->items, (findings->count * 2 + 1) * sizeof(*findings->items));
    findings->items[findings->count++] = *finding;
    return findings->count < FINDINGS_LIMIT ? 0 : -1;
}

/* Two checks may see the same mistake, one of them as one of the whole object. */
static bool is_same_matter(const char *pointer, const char *other)
{
    return pointer[0] != '\0' && other[0] != '\0' && (is_below(pointer, other) || is_below(other, pointer));
}

static bool is_known(const struct findings *findings, const struct failure *finding)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct failure *other = &findings->items[i];
        if (strcmp(other->pointer, finding->pointer) == 0 && strcmp(other->text, finding->text) == 0)
            return true;
        if (finding->kind == FAILURE_CONFIG && other->kind == FAILURE_CONFIG && is_same_matter(finding->pointer, other->pointer))
            return true;
        if (i < findings->refused && is_follow_up(finding->pointer, other->pointer))
            return true;
    }
    return false;
}

int found(struct findings *findings, int result)
{
    if (result == 0 || !findings->all)
        return result;
    struct failure *finding = findings->why;
    findings->seen++;
    count_dropped(findings, finding->pointer, sizeof(finding->pointer));
    return is_known(findings, finding) ? 0 : keep(findings, finding);
}

int found_refused(struct findings *findings, int result)
{
    if (result == 0 || !findings->all)
        return result;
    findings->refused = findings->count + 1;
    findings->seen++;
    return keep(findings, findings->why);
}
