/* tests/unit/test_rootfs_plan.c: the spec as ordered steps, and what is refused before anything exists. */
#include "rootfs/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/kernel.h"

/* Last: its macro fail() would hide ours in the headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct arena arena;
static struct spec spec;
static struct rootfs_surroundings around;
static struct failure why;

/* In the C library's place: one that turns equals round, as some libraries' may (musl's smoothsort), so that no plan depends on theirs. */
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    char *items = base, moved[64];

    assert_true(size <= sizeof(moved));
    for (size_t i = 1; i < count; i++) {
        size_t to = i;
        memcpy(moved, items + i * size, size);
        for (; to > 0 && compare(items + (to - 1) * size, moved) >= 0; to--)
            memcpy(items + to * size, items + (to - 1) * size, size);
        memcpy(items + to * size, moved, size);
    }
}

static int setup(void **state)
{
    (void) state;
    spec = (struct spec){.root = {.set = true, .path = arena_copy(&arena, "rootfs")}};
    spec.linux.namespaces[NS_MOUNT].listed = true;
    spec.mounts = arena_alloc(&arena, 64 * sizeof(*spec.mounts));
    around = (struct rootfs_surroundings){.privileged = true};
    why = (struct failure){0};
    return 0;
}

static struct strings split(const char *words)
{
    struct strings strings = {.items = arena_alloc(&arena, 32 * sizeof(char *))};
    char *state = NULL;

    for (char *word = strtok_r(arena_copy(&arena, words), " ", &state); word; word = strtok_r(NULL, " ", &state))
        strings.items[strings.count++] = word;
    return strings;
}

static void add(const char *destination, const char *type, const char *source, const char *options)
{
    spec.mounts[spec.mounts_count++] = (struct spec_mount){
        .destination = arena_copy(&arena, destination),
        .type = type ? arena_copy(&arena, type) : NULL,
        .source = source ? arena_copy(&arena, source) : NULL,
        .options = split(options),
    };
}

static struct rootfs *plan(void)
{
    struct rootfs *rootfs = NULL;

    if (rootfs_plan(&spec, "/bundle", &around, &arena, &rootfs, &why) < 0)
        fail_msg("%s (%s)", why.text, why.pointer);
    return rootfs;
}

static void check_refused(const char *pointer, const char *text)
{
    struct rootfs *rootfs = NULL;

    assert_int_equal(rootfs_plan(&spec, "/bundle", &around, &arena, &rootfs, &why), -1);
    assert_int_equal(why.kind, FAILURE_CONFIG);
    assert_string_equal(why.pointer, pointer);
    if (!strstr(why.text, text))
        fail_msg("'%s' is not in '%s'", text, why.text);
    assert_null(rootfs);
}

static void test_path_clean(void **state)
{
    static const char *const pairs[][2] = {
        {"/", "/"}, {"", "/"}, {"a", "/a"}, {"../../a", "/a"}, {"/a/..", "/"},
        {"/a/b/../../..", "/"}, {"...", "/..."}, {"/a//b/./c/", "/a/b/c"}, {"/a/c/../b", "/a/b"},
    };

    (void) state;
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++)
        assert_string_equal(path_clean(&arena, pairs[i][0]), pairs[i][1]);
    assert_true(path_is_below("/proc/sys", "/proc"));
    assert_true(path_is_below("/proc", "/proc"));
    assert_false(path_is_below("/procx", "/proc"));
    assert_true(path_is_below("/x", "/"));
}

/* ROOT-03, MNT-06, MNT-08 */
static void test_relative_paths(void **state)
{
    (void) state;
    add("data", "bind", "vol", "rbind");
    add("/x", "none", "/abs", "bind");
    struct rootfs *rootfs = plan();
    assert_string_equal(rootfs->root_path_host, "/bundle/rootfs");
    assert_string_equal(rootfs->mounts[0].target_inside, "/data");
    assert_string_equal(rootfs->mounts[0].source, "/bundle/vol");
    assert_string_equal(rootfs->mounts[1].source, "/abs");
}

/* MNT-02, MNT-09, MNT-23 */
static void test_kinds_in_order(void **state)
{
    (void) state;
    add("/a", "ext4", "/s", "rbind");
    add("/b", "", "/s", "bind");
    add("/c", "bind", "/s", "bind");
    add("/d", "tmpfs", NULL, "");
    add("/e", "cgroup", NULL, "ro");
    add("/d", NULL, NULL, "remount ro bind");
    struct rootfs *rootfs = plan();
    const enum mount_kind kinds[] = {MOUNT_BIND,       MOUNT_BIND,   MOUNT_BIND,
                                     MOUNT_FILESYSTEM, MOUNT_CGROUP, MOUNT_REMOUNT};
    assert_int_equal(rootfs->mounts_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(rootfs->mounts[i].kind, kinds[i]);
        assert_int_equal(rootfs->mounts[i].index, i);
    }
    /* MNT-25: the tmpfs is only now known to end read-only, at the end. */
    assert_true(rootfs->mounts[3].seal_read_only);
    assert_false(rootfs->mounts[5].options.attributes.set & MOUNT_ATTR_RDONLY);
}

static void test_refused_mounts(void **state)
{
    static const struct {
        const char *destination, *type, *source, *options, *pointer, *text;
    } rows[] = {
        {"/proc/self/attr", "bind", "/s", "bind", "/mounts/0/destination", "inside /proc"},
        {"/x/../proc/sys", "tmpfs", "tmpfs", "", "/mounts/0/destination", "inside /proc"},
        {"/proc", "tmpfs", "tmpfs", "", "/mounts/0/type", "must be of type proc"},
        {"/", "tmpfs", "tmpfs", "", "/mounts/0/destination", "root"},
        {"/a", "bind", "/s", "rbind size=1k", "/mounts/0/options/1", "size=1k"},
        {"/a", "bind", NULL, "rbind", "/mounts/0/source", "no source"},
        {"/a", NULL, NULL, "ro", "/mounts/0/type", "no type"},
        {"/a", "bind", "/s", "ro", "/mounts/0/type", "no filesystem of this type"},
        {"/a", "proc", "proc", "tmpcopyup", "/mounts/0", "tmpcopyup"},
        {"/a", "tmpfs", "tmpfs", "idmap", "/mounts/0", "only bind mounts"},
        {"/a", "bind", "/s", "bind idmap", "/mounts/0", "no mappings"},
        {"/a", "bind", "/s", "bind src-nofollow", "/mounts/0/options/1", "not supported"},
    };

    (void) state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        setup(NULL);
        add(rows[i].destination, rows[i].type, rows[i].source, rows[i].options);
        check_refused(rows[i].pointer, rows[i].text);
    }
}

/* MNT-21 */
static void test_allowed_below_proc(void **state)
{
    (void) state;
    add("/proc/cpuinfo", "bind", "/lxcfs/cpuinfo", "bind");
    add("/proc/sys/kernel/ns_last_pid", "bind", "/s", "bind");
    add("/proc", "bind", "/proc", "rbind");
    add("/sys/fs/cgroup", "bind", "/sys/fs/cgroup", "bind nsdelegate memory_recursiveprot");
    struct rootfs *rootfs = plan();
    assert_true(rootfs->mounts[2].must_be_procfs);
    assert_int_equal(rootfs->mounts[0].target_links, PATH_LINKS_INSIDE);
}

/* CVE-2019-19921 */
static void test_proc_and_sysfs_take_no_links(void **state)
{
    (void) state;
    add("/proc", "proc", "proc", "");
    add("/sys", "sysfs", "sysfs", "");
    add("/run", "tmpfs", "tmpfs", "");
    struct rootfs *rootfs = plan();
    assert_int_equal(rootfs->mounts[0].target_links, PATH_NO_LINKS);
    assert_int_equal(rootfs->mounts[1].target_links, PATH_NO_LINKS);
    assert_int_equal(rootfs->mounts[2].target_links, PATH_LINKS_INSIDE);
    assert_true(rootfs->mounts[2].take_mode);
}

static const struct device_step *device_find(const struct rootfs *rootfs, const char *path)
{
    for (size_t i = 0; i < rootfs->devices_count; i++)
        if (strcmp(rootfs->devices[i].path_inside, path) == 0)
            return &rootfs->devices[i];
    return NULL;
}

/* DEV-*, DDEV-*, DDEV-09 */
static void test_devices(void **state)
{
    struct spec_device devices[] = {
        {.path = arena_copy(&arena, "/dev/fuse"), .type = 'u', .major = 10, .minor = 229},
        {.path = arena_copy(&arena, "/dev/null"), .type = 'c', .major = 1, .minor = 3,
         .file_mode = {true, 0100600}, .uid = {true, 7}},
        {.path = arena_copy(&arena, "/dev/shm/hidden"), .type = 'p'},
        {.path = arena_copy(&arena, "/data/disk"), .type = 'b', .major = 8, .minor = 1},
        {.path = arena_copy(&arena, "/dev/ptmx"), .type = 'c', .major = 5, .minor = 2},
    };

    (void) state;
    add("/dev", "tmpfs", "tmpfs", "ro");
    add("/dev/shm", "tmpfs", "shm", "");
    spec.linux.devices = devices;
    spec.linux.devices_count = ARRAY_LENGTH(devices);
    struct rootfs *rootfs = plan();
    assert_int_equal(rootfs->dev, DEV_NEW_TMPFS);
    assert_true(rootfs->mounts[0].is_dev && rootfs->mounts[0].seal_read_only);
    assert_int_equal(rootfs->devices_count, 4 + 5);
    assert_true(device_find(rootfs, "/dev/fuse")->in_new_dev);
    assert_int_equal(device_find(rootfs, "/dev/fuse")->mode, S_IFCHR | 0666);
    assert_true(device_find(rootfs, "/dev/fuse")->number == makedev(10, 229));
    assert_int_equal(device_find(rootfs, "/dev/null")->mode, S_IFCHR | 0600);
    assert_int_equal(device_find(rootfs, "/dev/null")->uid, 7);
    assert_false(device_find(rootfs, "/dev/shm/hidden")->in_new_dev);
    assert_false(device_find(rootfs, "/data/disk")->in_new_dev);
    assert_string_equal(device_find(rootfs, "/data/disk")->pointer, "/linux/devices/3");
    assert_null(device_find(rootfs, "/dev/ptmx"));
}

static void test_host_dev_is_left_alone(void **state)
{
    (void) state;
    add("/dev", "bind", "/dev", "rbind");
    struct rootfs *rootfs = plan();
    assert_int_equal(rootfs->dev, DEV_NONE);
    assert_int_equal(rootfs->devices_count, 0);
    assert_int_equal(rootfs->links_count, 0);
    setup(NULL);
    add("/dev", "devtmpfs", "dev", "");
    assert_int_equal(plan()->dev, DEV_NONE);
}

/* Whatever else there is to be sorted: a mount at a device's place covers it, in front of it in the list or behind. */
static void test_covered_devices(void **state)
{
    struct spec_device devices[] = {{.path = arena_copy(&arena, "/dev/zero"), .type = 'c', .major = 1, .minor = 5}};

    (void) state;
    for (int others = 0; others < 40; others++) {
        setup(NULL);
        add("/dev", "tmpfs", "tmpfs", "");
        for (int i = 0; i < others; i++)
            add(arena_format(&arena, i % 2 ? "/dev/other%d" : "/elsewhere%d", i), "bind", "/s", "bind");
        add("/dev/zero", "bind", "/s", "bind");
        spec.linux.devices = devices;
        spec.linux.devices_count = ARRAY_LENGTH(devices);
        const struct device_step *device = device_find(plan(), "/dev/zero");
        assert_true(device->covered && device->in_new_dev);
    }
}

/* The last mount counts: at the place, it covers the device; at a directory above, the device comes into that. */
static void test_devices_and_mounts_in_order(void **state)
{
    static const struct {
        const char *mounts, *device;
        bool covered, in_new_dev;
    } rows[] = {
        {"/dev", "/dev/d/x", false, true},
        {"/dev /dev/d", "/dev/d/x", false, false},
        {"/dev /dev/d /dev/d/x", "/dev/d/x", true, false},
        {"/dev /dev/d/x /dev/d", "/dev/d/x", false, false},
        {"/dev /dev/d/x", "/dev/d/x", true, true},
        {"/dev/d/x /dev", "/dev/d/x", false, true},
        {"/dev /dev/d /dev/d/e /dev/d/x", "/dev/d/x", true, false},
        {"/dev /dev/d/x /dev/d/x/y", "/dev/d/x", true, true},
        {"/dev /dev/d.x /dev/d", "/dev/d/x", false, false},
        {"/dev /data/x", "/data/x", true, false},
        {"/dev /data/x /data", "/data/x", false, false},
        {"/data /dev /data/x", "/data/x", true, false},
        {"/data/x", "/data/x", true, false},
        {"/elsewhere", "/data/x", false, false},
        {"/elsewhere", "/dev/x", false, false},
        {"/dev/x", "/dev/x", true, false},
    };

    (void) state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct spec_device devices[] = {{.path = arena_copy(&arena, rows[i].device), .type = 'c', .major = 1, .minor = 5}};
        struct strings mounts = split(rows[i].mounts);
        setup(NULL);
        for (size_t j = 0; j < mounts.count; j++)
            add(mounts.items[j], "tmpfs", "tmpfs", "");
        spec.linux.devices = devices;
        spec.linux.devices_count = ARRAY_LENGTH(devices);
        const struct device_step *device = device_find(plan(), rows[i].device);
        if (device->covered != rows[i].covered || device->in_new_dev != rows[i].in_new_dev)
            print_error("%s, device %s: covered %d, in the new /dev %d\n", rows[i].mounts, rows[i].device, device->covered, device->in_new_dev);
        assert_true(device->covered == rows[i].covered && device->in_new_dev == rows[i].in_new_dev);
    }
}

/* DLNK-*: known beforehand when /proc is mounted, looked for otherwise. */
static void test_links(void **state)
{
    struct rootfs *rootfs;

    (void) state;
    add("/proc", "proc", "proc", "");
    add("/dev", "tmpfs", "tmpfs", "");
    add("/dev/ptmx", "bind", "/s", "bind");
    rootfs = plan();
    assert_int_equal(rootfs->links_count, 6);
    for (size_t i = 0; i < rootfs->links_count; i++) {
        assert_null(rootfs->links[i].needs);
        assert_int_equal(rootfs->links[i].in_new_dev, strcmp(rootfs->links[i].name, "ptmx") != 0);
    }
    setup(NULL);
    rootfs = plan();
    assert_int_equal(rootfs->dev, DEV_OF_ROOT);
    assert_string_equal(rootfs->links[1].needs, "/proc/self/fd");
    assert_false(rootfs->links[0].in_new_dev);
}

static void check_propagation(size_t mount, size_t count, uint64_t first, bool recursive)
{
    const struct mount_step *step = &plan()->mounts[mount];

    assert_int_equal(step->propagation_count, count);
    if (count) {
        assert_int_equal(step->propagation[0].kind, first);
        assert_int_equal(step->propagation[0].recursive, recursive);
    }
}

/* Never a peer of the host unless the root is asked to be shared. */
static void test_propagation(void **state)
{
    (void) state;
    add("/a", "bind", "/s", "rbind");
    check_propagation(0, 1, MS_PRIVATE, true);
    setup(NULL);
    add("/a", "bind", "/s", "rbind rshared");
    check_propagation(0, 2, MS_SLAVE, true);
    spec.linux.rootfs_propagation = arena_copy(&arena, "rshared");
    check_propagation(0, 1, MS_SHARED, true);
    setup(NULL);
    add("/a", "bind", "/s", "rbind private");
    check_propagation(0, 2, MS_SLAVE, true);
    setup(NULL);
    add("/a", "bind", "/s", "bind private");
    check_propagation(0, 1, MS_PRIVATE, false);
    setup(NULL);
    add("/a", "bind", "/s", "rbind rslave");
    check_propagation(0, 1, MS_SLAVE, true);
    setup(NULL);
    add("/a", "tmpfs", "tmpfs", "rprivate");
    check_propagation(0, 0, 0, false);
    setup(NULL);
    add("/a", "tmpfs", "tmpfs", "private shared");
    check_propagation(0, 1, MS_SHARED, false);
    setup(NULL);
    spec.linux.rootfs_propagation = arena_copy(&arena, "slave");
    add("/a", "bind", "/s", "rbind");
    check_propagation(0, 1, MS_SLAVE, true);
}

static void test_refused_elsewhere(void **state)
{
    struct spec_device relative = {.path = arena_copy(&arena, "dev/x"), .type = 'c'};

    (void) state;
    spec.linux.rootfs_propagation = arena_copy(&arena, "peer");
    check_refused("/linux/rootfsPropagation", "peer");
    setup(NULL);
    spec.linux.masked_paths = split("/a b");
    check_refused("/linux/maskedPaths/1", "not absolute");
    setup(NULL);
    spec.linux.readonly_paths = split("a");
    check_refused("/linux/readonlyPaths/0", "not absolute");
    setup(NULL);
    spec.linux.devices = &relative;
    spec.linux.devices_count = 1;
    check_refused("/linux/devices/0/path", "not absolute");
    setup(NULL);
    spec.root.path = NULL;
    check_refused("/root/path", "missing");
}

/* IDM-09, IDM-10, IDM-16, IDM-19 */
/* spec: LABEL-01 LABEL-02 */
static void test_mount_label(void **state)
{
    static const struct {
        const char *type;
        bool labelled;
    } rows[] = {{"tmpfs", true}, {"devpts", true}, {"proc", false}, {"sysfs", false}, {"mqueue", false}, {"bind", false}};
    (void) state;
    spec.linux.mount_label = arena_copy(&arena, "system_u:object_r:container_file_t:s0:c1,c2");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char target[16];
        snprintf(target, sizeof(target), "/%s", rows[i].type);
        add(target, rows[i].type, "/source", strcmp(rows[i].type, "bind") == 0 ? "bind" : "");
    }
    struct rootfs *rootfs = plan();
    assert_int_equal(rootfs->mounts_count, sizeof(rows) / sizeof(rows[0]));
    assert_string_equal(rootfs->mount_label, spec.linux.mount_label);
    for (size_t i = 0; i < rootfs->mounts_count; i++) {
        print_message("# %s\n", rows[i].type);
        if (rows[i].labelled)
            assert_string_equal(rootfs->mounts[i].label, spec.linux.mount_label);
        else
            assert_null(rootfs->mounts[i].label);
    }
}

static void test_idmaps(void **state)
{
    struct id_mapping item = {0, 1000, 10};
    struct id_mappings one = {&item, 1};

    (void) state;
    add("/a", "bind", "/s", "bind");
    spec.mounts[0].uid_mappings = spec.mounts[0].gid_mappings = one;
    spec.mounts[0].mappings_set = true;
    assert_int_equal(plan()->mounts[0].options.idmap, IDMAP_THIS_MOUNT);
    assert_ptr_equal(plan()->mounts[0].uid_mappings->items, &item);
    spec.mounts[0].gid_mappings.count = 0;
    check_refused("/mounts/0/gidMappings", "both");
    setup(NULL);
    add("/a", "bind", "/s", "bind idmap");
    spec.mounts[0].mappings_set = true;
    check_refused("/mounts/0/uidMappings", "both");
    spec.mounts[0].mappings_set = false;
    around.new_user_ns = true;
    spec.linux.uid_mappings = spec.linux.gid_mappings = one;
    assert_ptr_equal(plan()->mounts[0].uid_mappings->items, &item);
}

static void test_no_mount_namespace(void **state)
{
    (void) state;
    spec.linux.namespaces[NS_MOUNT].listed = false;
    struct rootfs *rootfs = plan();
    assert_int_equal(rootfs->entry, ROOT_CHROOT);
    assert_int_equal(rootfs->devices_count + rootfs->links_count, 0);
    add("/a", "tmpfs", "tmpfs", "");
    check_refused("/mounts/0", "without a mount namespace");
    setup(NULL);
    spec.linux.namespaces[NS_MOUNT].path = arena_copy(&arena, "/proc/1/ns/mnt");
    spec.root.readonly = true;
    check_refused("/root/readonly", "joins");
}

static int teardown(void **state)
{
    (void) state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_path_clean, setup),
        cmocka_unit_test_setup(test_relative_paths, setup),
        cmocka_unit_test_setup(test_kinds_in_order, setup),
        cmocka_unit_test_setup(test_refused_mounts, setup),
        cmocka_unit_test_setup(test_allowed_below_proc, setup),
        cmocka_unit_test_setup(test_proc_and_sysfs_take_no_links, setup),
        cmocka_unit_test_setup(test_devices, setup),
        cmocka_unit_test_setup(test_covered_devices, setup),
        cmocka_unit_test_setup(test_devices_and_mounts_in_order, setup),
        cmocka_unit_test_setup(test_host_dev_is_left_alone, setup),
        cmocka_unit_test_setup(test_links, setup),
        cmocka_unit_test_setup(test_propagation, setup),
        cmocka_unit_test_setup(test_refused_elsewhere, setup),
        cmocka_unit_test_setup(test_mount_label, setup),
        cmocka_unit_test_setup(test_idmaps, setup),
        cmocka_unit_test_setup(test_no_mount_namespace, setup),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
