/*
 * rootfs/plan_dev.c: what /dev is, the nodes and the links in it.
 *
 * Runs in: creator, and unit tests.  PURE: must not call the kernel.
 */
#include "rootfs/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/text.h"

/* The last entry that mounts on /dev decides what /dev is. */
static struct mount_step *find_dev(struct rootfs *rootfs)
{
    rootfs->dev = rootfs->entry == ROOT_CHROOT ? DEV_NONE : DEV_OF_ROOT;
    for (size_t i = rootfs->mounts_count; i-- > 0;) {
        struct mount_step *step = &rootfs->mounts[i];
        if (step->kind == MOUNT_REMOUNT || strcmp(step->target_inside, "/dev") != 0)
            continue;
        rootfs->dev_is_mounted = true;
        /* devtmpfs is one filesystem for the whole machine: what is made or removed in it is so on the host. */
        if (step->kind == MOUNT_BIND || text_equal(step->type, "devtmpfs")) {
            rootfs->dev = DEV_NONE;
        } else if (text_equal(step->type, "tmpfs")) {
            rootfs->dev = DEV_NEW_TMPFS;
            step->is_dev = true;
            return step;
        }
        break;
    }
    return NULL;
}

/* A link made early would lead a later mount on that very name astray. */
static bool mounted_later(const struct rootfs *rootfs, const struct mount_step *dev_step, const char *path)
{
    for (const struct mount_step *step = dev_step + 1; step < rootfs->mounts + rootfs->mounts_count; step++)
        if (step->kind != MOUNT_REMOUNT && path_is_below(path, step->target_inside))
            return true;
    return false;
}

static const struct {
    const char *path;
    unsigned minor, major;
} default_devices[] = {
    {"/dev/null", 3, 1},   {"/dev/zero", 5, 1},    {"/dev/full", 7, 1},
    {"/dev/random", 8, 1}, {"/dev/urandom", 9, 1}, {"/dev/tty", 0, 5},
};

static int plan_device(struct rootfs *rootfs, const struct spec_device *device, size_t index, struct failure *why)
{
    const char *pointer = arena_format(rootfs->arena, "/linux/devices/%zu", index);
    struct device_step *step = &rootfs->devices[rootfs->devices_count];
    mode_t type = device->type == 'p' ? S_IFIFO : device->type == 'b' ? S_IFBLK : S_IFCHR;

    if (!device->path || device->path[0] != '/') {
        fail_config(why, pointer, "device path '%s' is not absolute", device->path ? device->path : "");
        return failure_pointer(why, "%s/path", pointer);
    }
    *step = (struct device_step){
        .path_inside = path_clean(rootfs->arena, device->path),
        .pointer = pointer,
        .mode = type | (device->file_mode.set ? (mode_t) device->file_mode.value & 07777 : 0666),
        .number = type == S_IFIFO ? 0 : makedev((unsigned) device->major, (unsigned) device->minor),
        .uid = device->uid.set ? (uid_t) device->uid.value : 0,
        .gid = device->gid.set ? (gid_t) device->gid.value : 0,
    };
    if (strcmp(step->path_inside, "/") == 0) {
        fail_config(why, pointer, "device path '%s' names the root directory", device->path);
        return failure_pointer(why, "%s/path", pointer);
    }
    /* /dev/ptmx is always the link to the container's own pts (privileged engines list the host's node); below a
     * /dev that is the host's nothing is made. */
    bool skip = strcmp(step->path_inside, "/dev/ptmx") == 0 ||
                (rootfs->dev == DEV_NONE && path_is_below(step->path_inside, "/dev"));
    rootfs->devices_count += skip ? 0 : 1;
    return 0;
}

static int compare_devices(const void *left, const void *right)
{
    const struct device_step *a = *(struct device_step *const *) left, *b = *(struct device_step *const *) right;
    int order = strcmp(a->path_inside, b->path_inside);

    return order ? order : (a > b) - (a < b); /* of one array: in the order of the document */
}

/* Engines list a node twice; two nodes cannot have one place.  Sorted, since a config may hold a hundred thousand. */
static int check_repetitions(const struct rootfs *rootfs, struct findings *findings)
{
    const size_t size = sizeof(struct device_step *); /* NOLINT(bugprone-sizeof-expression): an array of pointers is meant */
    struct device_step **sorted = arena_alloc(rootfs->arena, (rootfs->devices_count + 1) * size);

    for (size_t i = 0; i < rootfs->devices_count; i++)
        sorted[i] = &rootfs->devices[i];
    qsort(sorted, rootfs->devices_count, size, compare_devices);
    for (size_t i = 1; i < rootfs->devices_count; i++) {
        const struct device_step *one = sorted[i - 1], *other = sorted[i];
        if (strcmp(one->path_inside, other->path_inside) != 0 ||
            ((one->mode & S_IFMT) == (other->mode & S_IFMT) && one->number == other->number))
            continue;
        (void) fail_config(findings->why, other->pointer, "'%s' is another device than that of %s", other->path_inside, one->pointer); /* below */
        if (found(findings, failure_pointer(findings->why, "%s/path", other->pointer)) < 0)
            return -1;
    }
    return 0;
}

static bool device_listed(const struct rootfs *rootfs, const char *path)
{
    for (size_t i = 0; i < rootfs->devices_count; i++)
        if (strcmp(rootfs->devices[i].path_inside, path) == 0)
            return true;
    return false;
}

/* Mounts are known by their order in the document, counted from 1; 0: none. */
struct place {
    const char *path;
    struct device_step *device; /* NULL: a mount */
    size_t order;
};

/* Below /a come /a/b and /a/b/c before /a.b: what is below a directory follows it without a gap.  A device comes behind the mounts at its
 * place. */
static int compare_places(const void *left, const void *right)
{
    const struct place *one = left, *other = right;
    const unsigned char *a = (const unsigned char *) one->path, *b = (const unsigned char *) other->path;

    while (*a && *a == *b)
        a++, b++;
    int first = *a == '/' ? 1 : *a ? *a + 1 : 0, second = *b == '/' ? 1 : *b ? *b + 1 : 0;
    return first != second ? first - second : (one->device != NULL) - (other->device != NULL);
}

static size_t list_places(struct rootfs *rootfs, struct place *places)
{
    bool everywhere = false;
    size_t count = 0;

    for (size_t i = 0; i < rootfs->devices_count; i++) {
        struct device_step *device = &rootfs->devices[i];
        everywhere |= !path_is_below(device->path_inside, "/dev");
        places[count++] = (struct place){.path = device->path_inside, .device = device};
    }
    for (size_t i = 0; i < rootfs->mounts_count; i++) {
        const struct mount_step *step = &rootfs->mounts[i];
        if (step->kind != MOUNT_REMOUNT && (everywhere || path_is_below(step->target_inside, "/dev")))
            places[count++] = (struct place){.path = step->target_inside, .order = i + 1};
    }
    qsort(places, count, sizeof(*places), compare_places);
    return count;
}

/* A place with mounts: the last one at it, and the last one at a directory above it. */
struct mounted {
    const char *path;
    size_t here, above;
};

static size_t last_of(const struct mounted *mounted)
{
    return mounted->here > mounted->above ? mounted->here : mounted->above;
}

/* Which devices a mount at their very place covers; and which of the others go into the new /dev before it is attached: one that a later
 * mount on a directory above it would hide is made after all mounts. */
static void plan_covered_devices(struct rootfs *rootfs, const struct mount_step *dev_step)
{
    const size_t dev_order = dev_step ? (size_t) (dev_step - rootfs->mounts) + 1 : 0;
    struct place *places = arena_alloc(rootfs->arena, (rootfs->mounts_count + rootfs->devices_count) * sizeof(*places));
    size_t count = list_places(rootfs, places), depth = 0;
    struct mounted *chain = arena_alloc(rootfs->arena, (count + 1) * sizeof(*chain)); /* the place's directories, from the top; nothing first */

    for (size_t i = 0; i < count; i++) {
        const struct place *place = &places[i];
        while (depth > 0 && !path_is_below(place->path, chain[depth].path))
            depth--;
        bool among = depth > 0 && strcmp(chain[depth].path, place->path) == 0;
        size_t here = among ? chain[depth].here : 0, above = among ? chain[depth].above : last_of(&chain[depth]);
        if (place->device) {
            place->device->covered = here > above;
            place->device->in_new_dev = dev_step && above == dev_order;
            continue;
        }
        depth += !among;
        chain[depth] = (struct mounted){.path = place->path, .here = place->order > here ? place->order : here, .above = above};
    }
}

/* A mount of the bundle on that very place, after the one on /dev. */
static bool is_mounted_over(const struct rootfs *rootfs, const struct mount_step *dev_step, const char *path)
{
    const struct mount_step *end = rootfs->mounts + rootfs->mounts_count;

    for (const struct mount_step *step = dev_step ? dev_step + 1 : rootfs->mounts; step < end; step++)
        if (step->kind != MOUNT_REMOUNT && strcmp(step->target_inside, path) == 0)
            return true;
    return false;
}

static int plan_devices(struct rootfs *rootfs, const struct spec *spec, const struct mount_step *dev_step,
                        struct findings *findings)
{
    rootfs->devices = arena_alloc(rootfs->arena, (spec->linux.devices_count + ARRAY_LENGTH(default_devices)) *
                                                     sizeof(*rootfs->devices));
    for (size_t i = 0; i < spec->linux.devices_count; i++)
        if (found(findings, plan_device(rootfs, &spec->linux.devices[i], i, findings->why)) < 0)
            return -1;
    if (check_repetitions(rootfs, findings) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LENGTH(default_devices) && rootfs->dev != DEV_NONE; i++) {
        if (device_listed(rootfs, default_devices[i].path) || is_mounted_over(rootfs, dev_step, default_devices[i].path))
            continue;
        rootfs->devices[rootfs->devices_count++] = (struct device_step){
            .path_inside = default_devices[i].path,
            .mode = S_IFCHR | 0666,
            .number = makedev(default_devices[i].major, default_devices[i].minor),
        };
    }
    plan_covered_devices(rootfs, dev_step);
    return 0;
}

static bool proc_is_mounted(const struct rootfs *rootfs)
{
    for (size_t i = 0; i < rootfs->mounts_count; i++)
        if (strcmp(rootfs->mounts[i].target_inside, "/proc") == 0 && text_equal(rootfs->mounts[i].type, "proc"))
            return true;
    return false;
}

static void plan_links(struct rootfs *rootfs, const struct mount_step *dev_step)
{
    static const struct {
        const char *path, *target, *needs;
    } links[LINKS_MAX] = {
        {"/dev/ptmx", "pts/ptmx", NULL},
        {"/dev/fd", "/proc/self/fd", "/proc/self/fd"},
        {"/dev/stdin", "/proc/self/fd/0", "/proc/self/fd/0"},
        {"/dev/stdout", "/proc/self/fd/1", "/proc/self/fd/1"},
        {"/dev/stderr", "/proc/self/fd/2", "/proc/self/fd/2"},
        {"/dev/core", "/proc/kcore", "/proc/kcore"},
    };
    bool proc = proc_is_mounted(rootfs);

    for (size_t i = 0; i < LINKS_MAX && rootfs->dev != DEV_NONE; i++) {
        if (device_listed(rootfs, links[i].path))
            continue;
        rootfs->links[rootfs->links_count++] = (struct link_step){
            .name = links[i].path + strlen("/dev/"),
            .target = links[i].target,
            .needs = proc ? NULL : links[i].needs,
            .in_new_dev = dev_step && (proc || !links[i].needs) && !mounted_later(rootfs, dev_step, links[i].path),
        };
    }
}

int plan_dev(struct rootfs *rootfs, const struct spec *spec, struct findings *findings)
{
    const struct mount_step *dev_step = find_dev(rootfs);
    if (plan_devices(rootfs, spec, dev_step, findings) < 0)
        return -1;
    plan_links(rootfs, dev_step);
    return 0;
}
