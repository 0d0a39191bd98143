/*
 * ns/idmap.c: the id maps of a new user namespace.
 *
 * Runs in the creator, on the host side.  newuidmap and newgidmap are started from fixed host directories, never
 * by PATH and never after a root switch (CVE-2026-84042).
 */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/text.h"
#include "base/timeline.h"
#include "ns/flags.h"
#include "ns/ns.h"

enum id_kind { UIDS, GIDS };

static const struct id_words {
    const char *member, *file, *helper, *ranges;
} words[] = {
    [UIDS] = {"/linux/uidMappings", "uid_map", "newuidmap", "/etc/subuid"},
    [GIDS] = {"/linux/gidMappings", "gid_map", "newgidmap", "/etc/subgid"},
};

/* KERNEL(4.15): 340 lines. */
#define MAP_LINES_LIMIT 340 /* also keeps the search for overlaps short */
#define MAP_SIZE_LIMIT ((size_t)64 * 1024)

bool ns_id_to_host(const struct id_mappings *mappings, uint32_t inside, uint32_t *ret_host)
{
    for (size_t i = 0; i < mappings->count; i++) {
        const struct id_mapping *map = &mappings->items[i];
        uint32_t host;
        if (inside < map->inside || inside - map->inside >= map->size)
            continue;
        /* A range that wraps on the host's side must not become a small id of the host. */
        if (__builtin_add_overflow(map->host, inside - map->inside, &host))
            return false;
        *ret_host = host;
        return true;
    }
    return false;
}

static uint64_t end_of(uint32_t first, uint32_t size)
{
    return (uint64_t)first + size;
}

static bool overlap(const struct id_mapping *a, const struct id_mapping *b)
{
    return (a->inside < end_of(b->inside, b->size) && b->inside < end_of(a->inside, a->size)) ||
           (a->host < end_of(b->host, b->size) && b->host < end_of(a->host, a->size));
}

static int check_mapping(const struct id_mappings *mappings, size_t index, enum id_kind kind, struct failure *why)
{
    const struct id_mapping *map = &mappings->items[index];
    char pointer[64];
    snprintf(pointer, sizeof(pointer), "%s/%zu", words[kind].member, index);
    if (map->size == 0) {
        (void)fail_config(why, pointer, "the mapping is empty: expected a size of at least 1, found 0"); /* returned below */
        return failure_pointer(why, "%s/size", pointer);
    }
    for (size_t i = 0; i < index; i++)
        if (overlap(map, &mappings->items[i]))
            return fail_config(why, pointer, "the ids of the mapping %u %u %u overlap those of entry %zu in the map", map->inside,
                               map->host, map->size, i);
    return 0;
}

static void add_lines(struct text *lines, const struct id_mappings *mappings)
{
    for (size_t i = 0; i < mappings->count; i++)
        text_format(lines, "%u %u %u\n", mappings->items[i].inside, mappings->items[i].host, mappings->items[i].size);
}

/* A map is taken in one write of less than a page. */
static int check_length(const struct id_mappings *mappings, enum id_kind kind, struct failure *why)
{
    struct text lines = {0};
    if (mappings->count < 64) /* a line has 33 bytes at most */
        return 0;
    add_lines(&lines, mappings);
    bool fits = lines.length < (size_t)sysconf(_SC_PAGESIZE);
    text_done(&lines);
    return fits ? 0 : fail_config(why, words[kind].member, "%zu mappings make the %s longer than one page, which the kernel does not take",
                                  mappings->count, words[kind].file);
}

static int check_map(const struct id_mappings *mappings, enum id_kind kind, struct findings *findings)
{
    if (mappings->count == 0)
        return found(findings, fail_config(findings->why, words[kind].member,
                                           "a new user namespace needs mappings: expected 1 to %d, found none", MAP_LINES_LIMIT));
    if (mappings->count > MAP_LINES_LIMIT)
        return found(findings, fail_config(findings->why, words[kind].member, "%zu mappings are more than the kernel's limit of %d",
                                           mappings->count, MAP_LINES_LIMIT));
    for (size_t i = 0; i < mappings->count; i++)
        if (found(findings, check_mapping(mappings, i, kind, findings->why)) < 0)
            return -1;
    return found(findings, check_length(mappings, kind, findings->why));
}

int ns_check_id_maps(const struct ns_plan *plan, struct findings *findings)
{
    if (!plan->new_user)
        return 0;
    return check_map(&plan->linux->uid_mappings, UIDS, findings) < 0 ? -1 : check_map(&plan->linux->gid_mappings, GIDS, findings);
}

int ns_read_uid_map(pid_t pid, struct arena *arena, struct id_mappings *ret_mappings)
{
    char path[64], *content;
    struct id_mappings mappings = {.items = arena_alloc(arena, MAP_LINES_LIMIT * sizeof(*mappings.items))};
    snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
    ssize_t length = file_read_at(-1, path, MAP_SIZE_LIMIT, arena, &content);
    if (length < 0)
        return (int)length;
    for (char *at = content; *at != '\0' && mappings.count < MAP_LINES_LIMIT; at += strcspn(at, "\n"), at += *at == '\n') {
        struct id_mapping *map = &mappings.items[mappings.count];
        char *end;
        map->inside = (uint32_t)strtoul(at, &end, 10);
        map->host = (uint32_t)strtoul(end, &end, 10);
        map->size = (uint32_t)strtoul(end, &end, 10);
        if (*end != '\n' || map->size == 0)
            return -EINVAL;
        mappings.count++;
    }
    *ret_mappings = mappings;
    return 0;
}

static int write_proc(pid_t pid, const char *file, const char *content, size_t length)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    return file_write_at(-1, path, content, length);
}

static int write_directly(const struct id_mappings *mappings, pid_t pid, enum id_kind kind)
{
    struct text lines = {0};
    add_lines(&lines, mappings);
    int r = write_proc(pid, words[kind].file, lines.data, lines.length);
    text_done(&lines);
    return r;
}

static bool is_single_own_id(const struct id_mappings *mappings, uint32_t own)
{
    return mappings->count == 1 && mappings->items[0].size == 1 && mappings->items[0].host == own;
}

static const char *find_helper(const char *name, char *path, size_t size)
{
    static const char *const directories[] = {"/usr/bin", "/bin", "/usr/local/bin", "/run/wrappers/bin"};
    for (size_t i = 0; i < ARRAY_LENGTH(directories); i++) {
        snprintf(path, size, "%s/%s", directories[i], name);
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

static int require_helper(enum id_kind kind, char *path, size_t size, struct failure *why)
{
    if (find_helper(words[kind].helper, path, size) != NULL)
        return 0;
    (void)fail(why, FAILURE_HOST, "cannot map more than one's own id: the program %s is not installed", words[kind].helper); /* below */
    (void)failure_hint(why, "install it (Debian: uidmap, Fedora: shadow-utils-subid), or map only one's own id"); /* below */
    return failure_pointer(why, "%s", words[kind].member);
}

static int probe_mapping(const struct id_mappings *mappings, size_t index, enum id_kind kind, struct failure *why)
{
    const struct id_mapping *map = &mappings->items[index];
    if (ns_range_is_own(words[kind].ranges, kind == UIDS ? geteuid() : getegid(), map))
        return 0;
    (void)fail(why, FAILURE_HOST, "the host's ids %u to %" PRIu64 " are not in the caller's ranges of %s", map->host,
               end_of(map->host, map->size) - 1, words[kind].ranges); /* returned below */
    (void)failure_hint(why, "map ids of those ranges, or have the administrator add a range: usermod --add-%s FIRST-LAST USER",
                       kind == UIDS ? "subuids" : "subgids"); /* as above */
    return failure_pointer(why, "%s/%zu", words[kind].member, index);
}

static int probe_map(const struct id_mappings *mappings, enum id_kind kind, struct findings *findings)
{
    char path[64];
    if (is_single_own_id(mappings, kind == UIDS ? geteuid() : getegid()))
        return 0;
    if (found(findings, require_helper(kind, path, sizeof(path), findings->why)) < 0)
        return -1;
    for (size_t i = 0; i < mappings->count; i++)
        if (found(findings, probe_mapping(mappings, i, kind, findings->why)) < 0)
            return -1;
    return 0;
}

int ns_probe_id_maps(const struct ns_plan *plan, struct findings *findings)
{
    /* root, in whatever user namespace, needs no helper. */
    if (!plan->new_user || geteuid() == 0)
        return 0;
    if (probe_map(&plan->linux->gid_mappings, GIDS, findings) < 0)
        return -1;
    return probe_map(&plan->linux->uid_mappings, UIDS, findings);
}

static int run_helper(const struct id_mappings *mappings, pid_t pid, enum id_kind kind, struct failure *why)
{
    char path[64];
    if (require_helper(kind, path, sizeof(path), why) < 0)
        return -1;
    TIMELINE_SLICE(SLICE_ID_MAP_HELPER, path);
    struct arena arena = {0};
    char **argv = arena_alloc(&arena, (mappings->count * 3 + 3) * sizeof(*argv));
    size_t argc = 0;
    argv[argc++] = path;
    argv[argc++] = arena_format(&arena, "%d", (int)pid);
    for (size_t i = 0; i < mappings->count; i++) {
        argv[argc++] = arena_format(&arena, "%u", mappings->items[i].inside);
        argv[argc++] = arena_format(&arena, "%u", mappings->items[i].host);
        argv[argc++] = arena_format(&arena, "%u", mappings->items[i].size);
    }
    struct spawn helper = {.path = path, .argv = argv, .directory_fd = -1, .timeout_ms = 10000};
    struct spawn_result result;
    int r = spawn_run(&helper, &result, why);
    arena_done(&arena);
    if (r < 0)
        return -1;
    if (result.exec_errno == 0 && !result.timed_out && result.wait_status == 0)
        return 0;
    char end[1200];
    spawn_describe(&result, end, sizeof(end));
    fail(why, FAILURE_HOST, "%s %s", path, end);
    failure_hint(why, "the host ids of %s must lie in the caller's ranges of %s, and %s needs its file capability or set-id bit",
                 words[kind].member, words[kind].ranges, path);
    return failure_pointer(why, "%s", words[kind].member);
}

static int write_map(const struct id_mappings *mappings, pid_t pid, enum id_kind kind, bool unprivileged_single, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    if (check_map(mappings, kind, &first) < 0)
        return -1;
    int r = write_directly(mappings, pid, kind);
    if (r == 0)
        return 0;
    if (r == -EPERM && !unprivileged_single && geteuid() != 0)
        return run_helper(mappings, pid, kind, why);
    fail_errno(why, r, "write the %s of the user namespace", words[kind].file);
    if (r == -EINVAL)
        failure_hint(why, "ranges must not overlap, must not be empty and must stay below 4294967295");
    else if (r == -EPERM)
        failure_hint(why, "the host ids must be mapped in the user namespace that the runtime itself runs in");
    return failure_pointer(why, "%s", words[kind].member);
}

bool ns_denies_setgroups(const struct spec_linux *linux)
{
    /* CVE-2014-8989: an unprivileged gid map is allowed only after setgroups was denied for good, or dropping a
     * group could lift a restriction that the group stands for. */
    return geteuid() != 0 && is_single_own_id(&linux->gid_mappings, getegid());
}

int ns_write_id_maps(const struct spec_linux *linux, pid_t pid, bool *ret_setgroups_denied, struct failure *why)
{
    bool single_gid = ns_denies_setgroups(linux);
    bool single_uid = geteuid() != 0 && is_single_own_id(&linux->uid_mappings, geteuid());
    if (single_gid) {
        int r = write_proc(pid, "setgroups", "deny", 4);
        if (r < 0)
            return fail_errno(why, r, "deny setgroups in the user namespace");
    }
    if (write_map(&linux->gid_mappings, pid, GIDS, single_gid, why) < 0 ||
        write_map(&linux->uid_mappings, pid, UIDS, single_uid, why) < 0)
        return -1;
    *ret_setgroups_denied = single_gid;
    return 0;
}

int ns_become_root(const struct ns_plan *plan, uint32_t uid_inside, uint32_t gid_inside, bool keep_groups, struct failure *why)
{
    /* Files made while building the root must have mapped owners.  Root where it is mapped; else the process's
     * own ids: the capabilities in the new namespace do not depend on the uid before exec. */
    uint32_t ignored;
    uid_t uid = plan->joined_user || ns_id_to_host(&plan->linux->uid_mappings, 0, &ignored) ? 0 : uid_inside;
    gid_t gid = plan->joined_user || ns_id_to_host(&plan->linux->gid_mappings, 0, &ignored) ? 0 : gid_inside;
    if (!keep_groups && setgroups(0, NULL) < 0 && errno != EPERM)
        return fail_sys(why, "drop supplementary groups in the user namespace");
    if (setresgid(gid, gid, gid) < 0)
        return fail_sys(why, "become group %u in the user namespace", gid);
    if (setresuid(uid, uid, uid) < 0)
        return fail_sys(why, "become user %u in the user namespace", uid);
    return 0;
}
