/*
 * rootfs/id_ranges.c: id mappings written into a mount option.
 *
 * Runs in: creator, and unit tests.  PURE: must not call the kernel.
 */
#include "rootfs/id_ranges.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define FIELDS 3
/* As many as a user namespace takes (user_namespaces(7)). */
#define RANGES_LIMIT 340

static size_t pieces(const char *text, char separator)
{
    size_t count = 1;

    for (; *text; text++)
        count += *text == separator ? 1 : 0;
    return count;
}

/* Takes `text` apart in place. */
static int range_read(char *text, struct id_range *ret_range)
{
    uint64_t fields[FIELDS];
    bool in_container = text[0] == '@';
    size_t count = 0;
    char *rest = text + (in_container ? 1 : 0);

    for (char *field; (field = strsep(&rest, "-")) != NULL; count++)
        if (count == FIELDS || text_to_u64(field, UINT32_MAX, &fields[count]) < 0)
            return -EINVAL;
    if (count != FIELDS || fields[2] == 0 || fields[0] + fields[2] > (uint64_t) UINT32_MAX + 1 ||
        fields[1] + fields[2] > (uint64_t) UINT32_MAX + 1)
        return -EINVAL;
    *ret_range = (struct id_range){
        .mapping = {.inside = (uint32_t) fields[0], .host = (uint32_t) fields[1], .size = (uint32_t) fields[2]},
        .in_container = in_container,
    };
    return 0;
}

static int list_read(char *text, struct arena *arena, struct id_ranges *ret_ranges)
{
    struct id_ranges ranges = {0};
    size_t count = pieces(text, '#');

    if (count > RANGES_LIMIT)
        return -EINVAL;
    ranges.items = arena_alloc(arena, count * sizeof(*ranges.items));
    for (char *range; (range = strsep(&text, "#")) != NULL; ranges.count++)
        if (range_read(range, &ranges.items[ranges.count]) < 0)
            return -EINVAL;
    *ret_ranges = ranges;
    return 0;
}

int id_ranges_read(const char *text, struct arena *arena, struct id_ranges *ret_uids, struct id_ranges *ret_gids)
{
    static const char uids_key[] = "uids=", gids_key[] = "gids=";
    struct id_ranges uids = {0}, gids = {0};
    char *rest = arena_copy(arena, text);

    for (char *list; (list = strsep(&rest, ";")) != NULL;) {
        bool of_users = text_starts(list, uids_key);
        struct id_ranges *ranges = of_users ? &uids : &gids;
        if ((!of_users && !text_starts(list, gids_key)) || ranges->count > 0 ||
            list_read(list + strlen(uids_key), arena, ranges) < 0)
            return -EINVAL;
    }
    if (uids.count == 0 || gids.count == 0)
        return -EINVAL;
    *ret_uids = uids;
    *ret_gids = gids;
    return 0;
}

/* The mapping that holds an id of the container, NULL: none. */
static const struct id_mapping *mapping_of(const struct id_mappings *container, uint32_t id)
{
    for (size_t i = 0; i < container->count; i++)
        if (id >= container->items[i].inside && id - container->items[i].inside < container->items[i].size)
            return &container->items[i];
    return NULL;
}

static int mapping_add(struct id_mappings *mappings, struct id_mapping mapping)
{
    if (mappings->count == RANGES_LIMIT)
        return -ERANGE;
    mappings->items[mappings->count++] = mapping;
    return 0;
}

/* One range of container ids may lie in several mappings: as many ranges of the host's. */
static int range_resolve(struct id_mapping left, const struct id_mappings *container, struct id_mappings *mappings)
{
    while (left.size > 0) {
        const struct id_mapping *mapping = mapping_of(container, left.host);
        if (!mapping)
            return -ERANGE;
        uint32_t offset = left.host - mapping->inside, room = mapping->size - offset;
        uint32_t size = left.size < room ? left.size : room;
        if (mapping_add(mappings, (struct id_mapping){left.inside, mapping->host + offset, size}) < 0)
            return -ERANGE;
        left = (struct id_mapping){.inside = left.inside + size, .host = left.host + size, .size = left.size - size};
    }
    return 0;
}

int id_ranges_resolve(const struct id_ranges *ranges, const struct id_mappings *container, struct arena *arena,
                      struct id_mappings *ret_mappings)
{
    struct id_mappings mappings = {.items = arena_alloc(arena, RANGES_LIMIT * sizeof(*mappings.items))};

    for (size_t i = 0; i < ranges->count; i++) {
        const struct id_range *range = &ranges->items[i];
        int result = range->in_container ? range_resolve(range->mapping, container, &mappings)
                                         : mapping_add(&mappings, range->mapping);
        if (result < 0)
            return result;
    }
    *ret_mappings = mappings;
    return 0;
}
