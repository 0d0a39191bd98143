/*
 * cgroups/path.c: cgroupsPath -> place below the cgroup2 mount, or systemd slice and unit.
 *
 * Pure.  Runs in the creator.  Should: refuse everything that could name a cgroup outside the place it seems to
 * name. Must not: look at the file system; what it needs to know of the host comes in the question.
 */
#include "cgroups/path.h"

#include <limits.h>
#include <string.h>

#include "base/text.h"

#define POINTER "/linux/cgroupsPath"
#define UNIT_NAME_MAX 255 /* systemd.unit(5): 256 with the final NUL */
#define SCOPE_PREFIX "crun-lite"

/* Adds the components of `words` to `path`, without "." and empty ones. */
static int add_components(struct arena *arena, char **path, const char *words, struct failure *why)
{
    const char *rest = words;
    while (*rest) {
        size_t length = strcspn(rest, "/");
        if (length == 2 && memcmp(rest, "..", 2) == 0) {
            /* Against: a bundle that reaches a cgroup beside the one its engine put it in (CGP-07). */
            fail_config(why, POINTER, "cgroupsPath '%s' has a '..' component", words);
            return failure_hint(why, "write the path without '..'");
        }
        if (length > NAME_MAX)
            return fail_config(why, POINTER, "a component of cgroupsPath has at most %d bytes, found %zu", NAME_MAX, length);
        if (length > 0 && !(length == 1 && rest[0] == '.'))
            *path = arena_format(arena, "%s/%.*s", *path, (int)length, rest);
        /* At once: a path of a million components is refused before it is put together. */
        if (strlen(*path) >= PATH_MAX / 2)
            return fail_config(why, POINTER, "cgroupsPath has less than %d bytes, found %zu", PATH_MAX / 2, strlen(words));
        rest += length + (rest[length] == '/');
    }
    return 0;
}

static int check_bytes(const char *words, struct failure *why)
{
    for (const unsigned char *byte = (const unsigned char *)words; *byte; byte++)
        if (*byte < 0x20 || *byte == 0x7f)
            return fail_config(why, POINTER, "cgroupsPath holds the control byte 0x%02x", *byte);
    return 0;
}

static unsigned count_colons(const char *words)
{
    unsigned colons = 0;
    for (; *words; words++)
        colons += *words == ':';
    return colons;
}

/* The parent of `path` without a final slash: "/a/b" -> "/a", "/a" -> "". */
static char *parent_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return arena_copy_n(arena, path, slash ? (size_t)(slash - path) : 0);
}

/* NULL: there is no such place. */
static const char *base_of(const struct path_question *question, struct arena *arena)
{
    const char *words = question->cgroups_path;
    if (question->privilege == PATH_ROOT || (words && words[0] == '/'))
        return "";
    if (words && words[0])
        return question->delegated;
    return question->own ? parent_of(arena, question->own) : NULL;
}

static int resolve_fs(const struct path_question *question, struct arena *arena, struct path_place *ret_place,
                      struct failure *why)
{
    const char *words = question->cgroups_path ? question->cgroups_path : "";
    if (words[0] != '/' && count_colons(words) >= 2) {
        fail_config(why, POINTER,
                    "cgroupsPath '%s' is a systemd slice:prefix:name, and the cgroup manager is cgroupfs", words);
        return failure_hint(why, "give the global option --systemd-cgroup, or configure the engine for cgroupfs");
    }
    const char *base = base_of(question, arena);
    if (!base) {
        ret_place->path = NULL;
        return 0;
    }
    /* A base such as "/" would give "//ID". */
    char *path = arena_copy(arena, text_equal(base, "/") ? "" : base);
    size_t base_length = strlen(path);
    if (add_components(arena, &path, words[0] ? words : question->id, why) < 0)
        return -1;
    if (strlen(path) == base_length) {
        fail_config(why, POINTER, "cgroupsPath '%s' names no cgroup of its own", words);
        return failure_hint(why, "name a cgroup below it, or leave cgroupsPath out");
    }
    ret_place->path = path;
    return 0;
}

/* systemd.unit(5): letters, digits, ":_.\-" (and "@" for instances). */
static bool unit_name_is_valid(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > UNIT_NAME_MAX)
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.\\-@") == length;
}

static bool slice_is_valid(const char *slice)
{
    size_t length = strlen(slice);
    if (!text_ends(slice, ".slice") || length == strlen(".slice") || !unit_name_is_valid(slice))
        return false;
    if (text_equal(slice, "-.slice"))
        return true;
    return slice[0] != '-' && slice[length - strlen(".slice") - 1] != '-' && !strstr(slice, "--");
}

char *path_expand_slice(struct arena *arena, const char *slice)
{
    char *path = arena_copy(arena, "");
    if (text_equal(slice, "-.slice"))
        return path;
    size_t stem = strlen(slice) - strlen(".slice");
    for (size_t end = 1; end <= stem; end++)
        if (end == stem || slice[end] == '-')
            path = arena_format(arena, "%s/%.*s.slice", path, (int)end, slice);
    return path;
}

static int resolve_systemd(const struct path_question *question, struct arena *arena, struct path_place *ret_place,
                           struct failure *why)
{
    const char *words = question->cgroups_path ? question->cgroups_path : "";
    const char *slice = "", *prefix = SCOPE_PREFIX, *name = question->id;
    if (words[0]) {
        if (words[0] == '/' || count_colons(words) != 2) {
            fail_config(
                why, POINTER,
                "cgroupsPath '%s' is not of the form slice:prefix:name that the systemd cgroup manager needs",
                words);
            return failure_hint(why, "leave --systemd-cgroup out to use it as a path");
        }
        size_t slice_length = strcspn(words, ":");
        const char *second = words + slice_length + 1;
        size_t prefix_length = strcspn(second, ":");
        slice = arena_copy_n(arena, words, slice_length);
        prefix = arena_copy_n(arena, second, prefix_length);
        name = second + prefix_length + 1;
    }
    if (!slice[0])
        slice = question->privilege == PATH_ROOT ? "system.slice" : "user.slice";
    else if (text_equal(slice, "-"))
        slice = "-.slice";
    if (!slice_is_valid(slice))
        return fail_config(why, POINTER, "cgroupsPath '%s': '%s' is no name of a systemd slice such as machine.slice", words, slice);
    if (!name[0])
        return fail_config(why, POINTER, "cgroupsPath '%s' has no name after the second colon", words);
    if (text_ends(name, ".slice"))
        return fail_config(why, POINTER, "cgroupsPath '%s': '%s' is a slice, and a container lives in a scope",
                           words, name);

    char *unit =
        prefix[0] ? arena_format(arena, "%s-%s.scope", prefix, name) : arena_format(arena, "%s.scope", name);
    if (!unit_name_is_valid(unit))
        return fail_config(why, POINTER, "'%s' is no name of a systemd unit: letters, digits and :-_.\\@, at most 255", unit);
    ret_place->slice = arena_copy(arena, slice);
    ret_place->unit = unit;
    /* Where systemd is asked to put it; the driver reads the true place back from the unit. */
    ret_place->path = arena_format(arena, "%s/%s", path_expand_slice(arena, slice), unit);
    return 0;
}

int path_resolve(const struct path_question *question, struct arena *arena, struct path_place *ret_place,
                 struct failure *why)
{
    struct path_place place = {0};
    if (question->cgroups_path && check_bytes(question->cgroups_path, why) < 0)
        return -1;
    int done = question->manager == CGROUP_MANAGER_SYSTEMD ? resolve_systemd(question, arena, &place, why)
                                                           : resolve_fs(question, arena, &place, why);
    if (done < 0)
        return -1;
    *ret_place = place;
    return 0;
}
