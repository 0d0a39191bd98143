/*
 * Harness: an entry of /mounts and a device from any words, planned.
 *
 * The input is lines: destination, type, source, a device's path, then options.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/kernel.h"
#include "fuzz.h"
#include "rootfs/plan.h"

static void must(int condition)
{
    if (!condition)
        abort(); /* a finding */
}

static void check_target(const char *target)
{
    must(target[0] == '/' && !strstr(target, "//") && !strstr(target, "/../") && !strstr(target, "/./"));
    size_t length = strlen(target);
    must(length == 1 || target[length - 1] != '/');
    must(length < 3 || strcmp(target + length - 3, "/..") != 0);
}

/* What the kernel gets of a mount's options is bounded, and in one piece each. */
static void check_options(const struct mount_options *options)
{
    size_t length = 0;

    for (size_t i = 0; i < options->data.count; i++) {
        must(options->data.items[i][0] != '\0');
        length += strlen(options->data.items[i]) + 1;
    }
    must(length <= MOUNT_DATA_LIMIT + 1);
    must(!(options->attributes.set & options->attributes.clear & ~(uint64_t) MOUNT_ATTR__ATIME));
    must(!(options->superblock_set & options->superblock_clear));
    must((options->uid_ranges.count == 0) == (options->gid_ranges.count == 0));
}

static void check_plan(const struct rootfs *rootfs)
{
    must(rootfs->mounts_count == 1);
    check_target(rootfs->mounts[0].target_inside);
    check_options(&rootfs->mounts[0].options);
    must(rootfs->mounts[0].kind != MOUNT_BIND || rootfs->mounts[0].source[0] == '/');
    for (size_t i = 0; i < rootfs->devices_count; i++)
        check_target(rootfs->devices[i].path_inside);
}

static char *line_take(char **rest)
{
    char *line = strsep(rest, "\n");

    return line && *line ? line : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct failure why = {0};
    struct rootfs *rootfs = NULL;
    struct id_mapping mapping = {0, 100000, 1000};
    char *rest = arena_copy_n(&arena, (const char *) data, size);
    struct spec_mount mount = {.destination = line_take(&rest), .type = line_take(&rest), .source = line_take(&rest)};
    struct spec_device device = {.path = line_take(&rest), .type = 'c', .major = 1, .minor = 3};
    struct spec spec = {.root = {.set = true, .path = arena_copy(&arena, "rootfs")}, .mounts = &mount, .mounts_count = 1};
    const struct rootfs_surroundings around = {.privileged = true, .new_user_ns = size % 2 == 0};

    mount.options.items = arena_alloc(&arena, (size + 1) * sizeof(char *));
    for (char *word; (word = strsep(&rest, "\n")) != NULL;)
        mount.options.items[mount.options.count++] = word;
    spec.linux.namespaces[NS_MOUNT].listed = true;
    spec.linux.uid_mappings = spec.linux.gid_mappings = (struct id_mappings){&mapping, 1};
    spec.linux.devices = &device;
    spec.linux.devices_count = device.path ? 1 : 0;
    if (rootfs_plan(&spec, "/bundle", &around, &arena, &rootfs, &why) == 0)
        check_plan(rootfs);
    else
        must(why.kind == FAILURE_CONFIG && why.text[0] != '\0' && why.pointer[0] == '/');
    arena_done(&arena);
    return 0;
}
