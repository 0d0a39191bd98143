/* tests/unit/test_mount_options.c: every row MOPT of the requirements that words alone can show. */
#include "rootfs/mount_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/kernel.h"
#include "rootfs/rootfs.h"

/* Last: its macro fail() would hide ours in the headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ATIME MOUNT_ATTR__ATIME

static struct arena arena;

static struct strings split(const char *words)
{
    struct strings strings = {0};
    char *copy = arena_copy(&arena, words);

    strings.items = arena_alloc(&arena, (strlen(words) + 2) * sizeof(char *));
    while (*words) {
        char *comma = strchr(copy, ',');
        if (comma)
            *comma = '\0';
        strings.items[strings.count++] = copy;
        if (!comma)
            break;
        copy = comma + 1;
    }
    return strings;
}

static struct mount_options read_words(const char *words)
{
    struct mount_options options;
    struct failure why = {0};
    struct strings strings = split(words);

    if (mount_options_read(&strings, "/mounts/3", &arena, &options, &why) < 0)
        fail_msg("'%s': %s", words, why.text);
    return options;
}

struct row {
    const char *id, *words;
    uint64_t set, clear, tree_set, tree_clear;
    unsigned superblock_set, superblock_clear;
};

static const struct row rows[] = {
    {"MOPT-01", "sync,async", 0, 0, 0, 0, 0, SUPERBLOCK_SYNC},
    {"MOPT-02", "noatime,atime", 0, ATIME, 0, 0, 0, 0},
    {"MOPT-04", "defaults", 0, 0, 0, 0, 0, 0},
    {"MOPT-05", "nodev,dev", 0, MOUNT_ATTR_NODEV, 0, 0, 0, 0},
    {"MOPT-06", "nodiratime,diratime", 0, MOUNT_ATTR_NODIRATIME, 0, 0, 0, 0},
    {"MOPT-07", "dirsync", 0, 0, 0, 0, SUPERBLOCK_DIRSYNC, 0},
    {"MOPT-08", "noexec,exec", 0, MOUNT_ATTR_NOEXEC, 0, 0, 0, 0},
    {"MOPT-09", "iversion", 0, 0, 0, 0, SUPERBLOCK_IVERSION, 0},
    {"MOPT-10", "lazytime", 0, 0, 0, 0, SUPERBLOCK_LAZYTIME, 0},
    {"MOPT-11", "silent,loud", 0, 0, 0, 0, 0, SUPERBLOCK_SILENT},
    {"MOPT-12", "mand", 0, 0, 0, 0, SUPERBLOCK_MAND, 0},
    {"MOPT-13", "noatime", MOUNT_ATTR_NOATIME, ATIME, 0, 0, 0, 0},
    {"MOPT-14", "nodev", MOUNT_ATTR_NODEV, 0, 0, 0, 0, 0},
    {"MOPT-15", "nodiratime", MOUNT_ATTR_NODIRATIME, 0, 0, 0, 0, 0},
    {"MOPT-16", "noexec", MOUNT_ATTR_NOEXEC, 0, 0, 0, 0, 0},
    {"MOPT-17", "iversion,noiversion", 0, 0, 0, 0, 0, SUPERBLOCK_IVERSION},
    {"MOPT-18", "lazytime,nolazytime", 0, 0, 0, 0, 0, SUPERBLOCK_LAZYTIME},
    {"MOPT-19", "nomand", 0, 0, 0, 0, 0, SUPERBLOCK_MAND},
    {"MOPT-20", "relatime,norelatime", 0, ATIME, 0, 0, 0, 0},
    {"MOPT-20", "noatime,norelatime", MOUNT_ATTR_NOATIME, ATIME, 0, 0, 0, 0},
    {"MOPT-21", "strictatime,nostrictatime", 0, ATIME, 0, 0, 0, 0},
    {"MOPT-22", "nosuid", MOUNT_ATTR_NOSUID, 0, 0, 0, 0, 0},
    {"MOPT-23", "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, 0, 0, 0, 0},
    {"MOPT-25", "ratime", 0, 0, 0, ATIME, 0, 0},
    {"MOPT-27", "rdev", 0, 0, 0, MOUNT_ATTR_NODEV, 0, 0},
    {"MOPT-28", "rdiratime", 0, 0, 0, MOUNT_ATTR_NODIRATIME, 0, 0},
    {"MOPT-29", "relatime", 0, ATIME, 0, 0, 0, 0},
    {"MOPT-31", "rexec", 0, 0, 0, MOUNT_ATTR_NOEXEC, 0, 0},
    {"MOPT-32", "rnoatime", 0, 0, MOUNT_ATTR_NOATIME, ATIME, 0, 0},
    {"MOPT-33", "rnodiratime", 0, 0, MOUNT_ATTR_NODIRATIME, 0, 0, 0},
    {"MOPT-34", "rnoexec", 0, 0, MOUNT_ATTR_NOEXEC, 0, 0, 0},
    {"MOPT-35", "rnorelatime", 0, 0, 0, ATIME, 0, 0},
    {"MOPT-36", "rstrictatime,rnostrictatime", 0, 0, 0, ATIME, 0, 0},
    {"MOPT-37", "rnosuid", 0, 0, MOUNT_ATTR_NOSUID, 0, 0, 0},
    {"MOPT-38", "rnosymfollow", 0, 0, MOUNT_ATTR_NOSYMFOLLOW, 0, 0, 0},
    {"MOPT-39", "ro", MOUNT_ATTR_RDONLY, 0, 0, 0, SUPERBLOCK_READ_ONLY, 0},
    {"MOPT-41", "rrelatime", 0, 0, 0, ATIME, 0, 0},
    {"MOPT-42", "rro", 0, 0, MOUNT_ATTR_RDONLY, 0, 0, 0},
    {"MOPT-43", "rrw", 0, 0, 0, MOUNT_ATTR_RDONLY, 0, 0},
    {"MOPT-46", "rstrictatime", 0, 0, MOUNT_ATTR_STRICTATIME, ATIME, 0, 0},
    {"MOPT-47", "rsuid", 0, 0, 0, MOUNT_ATTR_NOSUID, 0, 0},
    {"MOPT-48", "rsymfollow", 0, 0, 0, MOUNT_ATTR_NOSYMFOLLOW, 0, 0},
    {"MOPT-50", "ro,rw", 0, MOUNT_ATTR_RDONLY, 0, 0, 0, SUPERBLOCK_READ_ONLY},
    {"MNT-16", "rw,ro", MOUNT_ATTR_RDONLY, 0, 0, 0, SUPERBLOCK_READ_ONLY, 0},
    {"MOPT-52", "silent", 0, 0, 0, 0, SUPERBLOCK_SILENT, 0},
    {"MOPT-54", "strictatime", MOUNT_ATTR_STRICTATIME, ATIME, 0, 0, 0, 0},
    {"MOPT-55", "nosuid,suid", 0, MOUNT_ATTR_NOSUID, 0, 0, 0, 0},
    {"MOPT-56", "nosymfollow,symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW, 0, 0, 0, 0},
    {"MOPT-57", "sync", 0, 0, 0, 0, SUPERBLOCK_SYNC, 0},
    {"MOPT-64", "rnodev", 0, 0, MOUNT_ATTR_NODEV, 0, 0, 0},
    {"MNT-16", "strictatime,noatime", MOUNT_ATTR_NOATIME, ATIME, 0, 0, 0, 0},
    {"MNT-16", "rw,rro", 0, 0, MOUNT_ATTR_RDONLY, 0, 0, SUPERBLOCK_READ_ONLY},
    {"MNT-16", "rro,rw", 0, MOUNT_ATTR_RDONLY, MOUNT_ATTR_RDONLY, 0, 0, SUPERBLOCK_READ_ONLY},
    {"MNT-16", "strictatime,rnoatime", 0, 0, MOUNT_ATTR_NOATIME, ATIME, 0, 0},
};

static void test_flags(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const struct row *row = &rows[i];
        struct mount_options options = read_words(row->words);
        if (options.attributes.set != row->set || options.attributes.clear != row->clear ||
            options.tree.set != row->tree_set || options.tree.clear != row->tree_clear ||
            options.superblock_set != row->superblock_set || options.superblock_clear != row->superblock_clear)
            fail_msg("%s: '%s' is read wrongly", row->id, row->words);
        assert_int_equal(options.data.count, 0);
        assert_int_equal(options.propagation_count, 0);
    }
}

/* MOPT-24, 40, 44, 45, 49, 51, 53, 59, 66 */
static void test_propagation(void **state)
{
    static const struct {
        const char *word;
        uint64_t kind;
        bool recursive;
    } words[] = {
        {"private", MS_PRIVATE, false},       {"rprivate", MS_PRIVATE, true},       {"shared", MS_SHARED, false},
        {"rshared", MS_SHARED, true},         {"slave", MS_SLAVE, false},           {"rslave", MS_SLAVE, true},
        {"unbindable", MS_UNBINDABLE, false}, {"runbindable", MS_UNBINDABLE, true},
    };

    (void) state;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        struct mount_options options = read_words(words[i].word);
        assert_int_equal(options.propagation_count, 1);
        assert_int_equal(options.propagation[0].kind, words[i].kind);
        assert_int_equal(options.propagation[0].recursive, words[i].recursive);
    }
    struct mount_options options = read_words("rslave,shared");
    assert_int_equal(options.propagation_count, 2);
    assert_int_equal(options.propagation[0].kind, MS_SLAVE);
    assert_int_equal(options.propagation[1].kind, MS_SHARED);
}

/* MOPT-03, 26, 30, 58, 60, 61 */
static void test_kinds(void **state)
{
    (void) state;
    assert_true(read_words("bind").bind);
    assert_false(read_words("bind").recursive);
    assert_true(read_words("rbind").bind);
    assert_true(read_words("rbind").recursive);
    assert_true(read_words("rbind,bind").recursive);
    assert_true(read_words("remount").remount);
    assert_true(read_words("tmpcopyup").copy_up);
    assert_int_equal(read_words("idmap").idmap, IDMAP_THIS_MOUNT);
    assert_int_equal(read_words("ridmap").idmap, IDMAP_TREE);
    assert_true(read_words("copy-symlink").copy_symlink);
    assert_false(read_words("ro").bind);
}

/* MNT-13, MNT-15, MOPT-65 */
static void test_data(void **state)
{
    struct mount_options options =
        read_words("size=64k,nosuid,,mode=1777,acl,nofail,_netdev,x-a.b=c,comment=d,newinstance");

    (void) state;
    assert_int_equal(options.data.count, 4);
    assert_string_equal(options.data.items[0], "size=64k");
    assert_string_equal(options.data.items[1], "mode=1777");
    assert_string_equal(options.data.items[2], "acl");
    assert_string_equal(options.data.items[3], "newinstance");
    assert_int_equal(options.first_data, 0);
    assert_true(options.mode_given);
    assert_false(read_words("size=64k").mode_given);
    struct strings one_word = {.items = (char *[]){arena_copy(&arena, "size=1k,,mode=7,context=\"a,b\",lower=a\\,b,")}, .count = 1};
    struct failure why = {0};
    assert_int_equal(mount_options_read(&one_word, "/mounts/3", &arena, &options, &why), 0);
    assert_int_equal(options.data.count, 4);
    assert_string_equal(options.data.items[1], "mode=7");
    assert_string_equal(options.data.items[2], "context=\"a,b\"");
    assert_string_equal(options.data.items[3], "lower=a\\,b");
    assert_true(options.mode_given);
    options = read_words("auto,noauto,user,nouser,users,owner,group,exec");
    assert_int_equal(options.data.count, 0);
    assert_int_equal(options.attributes.set, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

static void check_refused(const char *words, const char *pointer, const char *text)
{
    struct mount_options options;
    struct failure why = {0};
    struct strings strings = split(words);

    assert_int_equal(mount_options_read(&strings, "/mounts/3", &arena, &options, &why), -1);
    assert_int_equal(why.kind, FAILURE_CONFIG);
    assert_string_equal(why.pointer, pointer);
    assert_non_null(strstr(why.text, text));
}

static void test_refused(void **state)
{
    char *large = arena_alloc(&arena, 6000);

    (void) state;
    check_refused("ro,src-nofollow", "/mounts/3/options/1", "src-nofollow");
    check_refused("dest-nofollow", "/mounts/3/options/0", "dest-nofollow");
    memset(large, 'a', 5000);
    check_refused(large, "/mounts/3/options/0", "4095");
    large[4094] = '\0';
    assert_int_equal(read_words(large).data.count, 1);
}

static void check_range(const struct id_ranges *ranges, size_t index, struct id_range expected)
{
    assert_true(index < ranges->count);
    const struct id_range *range = &ranges->items[index];
    assert_int_equal(range->mapping.inside, expected.mapping.inside);
    assert_int_equal(range->mapping.host, expected.mapping.host);
    assert_int_equal(range->mapping.size, expected.mapping.size);
    assert_int_equal(range->in_container, expected.in_container);
}

static void test_id_ranges(void **state)
{
    static const char *const wrong[] = {
        "idmap=", "idmap=uids=0-1-10", "idmap=gids=0-1-10", "idmap=uids=0-1-10;gids=", "idmap=uids=0-1;gids=0-1-10",
        "idmap=uids=0-1-10-3;gids=0-1-10", "idmap=uids=0-1-0;gids=0-1-10", "idmap=uids=0-1-x;gids=0-1-10",
        "idmap=uids=0-1-10#;gids=0-1-10", "ridmap=uids=4294967295-0-2;gids=0-1-10", "idmap=uids=0-4294967295-2;gids=0-1-10",
        "idmap=uids=0-1-10;uids=0-1-10;gids=0-1-10", "idmap=uids=0-1-10;gids=0-1-10;", "idmap=uids=0-@1-10;gids=0-1-10",
        "idmap=uids=0--1-10;gids=0-1-10", "idmap=uids=0-4294967296-1;gids=0-1-10", "idmap=both",
    };
    struct mount_options options = read_words("bind,ridmap=gids=7-8-9;uids=0-1-10#@10-2000-5");

    (void) state;
    assert_int_equal(options.idmap, IDMAP_TREE);
    assert_int_equal(options.uid_ranges.count, 2);
    check_range(&options.uid_ranges, 0, (struct id_range){{0, 1, 10}, false});
    check_range(&options.uid_ranges, 1, (struct id_range){{10, 2000, 5}, true});
    assert_int_equal(options.gid_ranges.count, 1);
    check_range(&options.gid_ranges, 0, (struct id_range){{7, 8, 9}, false});
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        check_refused(wrong[i], "/mounts/3/options/0", "which ids are mapped");
    assert_int_equal(read_words("idmap=uids=0-1-10;gids=0-1-10,idmap").uid_ranges.count, 0);
    assert_int_equal(read_words("ridmap,idmap=uids=0-1-10;gids=0-1-10").idmap, IDMAP_THIS_MOUNT);
}

static void test_id_ranges_resolve(void **state)
{
    struct id_mapping items[] = {{0, 100000, 10}, {10, 5000, 1}, {20, 7000, 5}};
    const struct id_mappings container = {items, ARRAY_LENGTH(items)};
    struct id_range ranges[] = {{{0, 4294967290u, 5}, false}, {{50, 8, 3}, true}};
    struct id_mappings mappings;

    (void) state;
    assert_int_equal(id_ranges_resolve(&(struct id_ranges){ranges, 2}, &container, &arena, &mappings), 0);
    assert_int_equal(mappings.count, 3);
    const struct id_mapping expected[] = {{0, 4294967290u, 5}, {50, 100008, 2}, {52, 5000, 1}};
    assert_memory_equal(mappings.items, expected, sizeof(expected));
    ranges[1].mapping.size = 4;
    assert_int_equal(id_ranges_resolve(&(struct id_ranges){ranges, 2}, &container, &arena, &mappings), -ERANGE);
    assert_int_equal(id_ranges_resolve(&(struct id_ranges){ranges + 1, 1}, &(struct id_mappings){NULL, 0}, &arena, &mappings),
                     -ERANGE);
}

/* The features document: 63 words, sorted, each understood, none of them data. */
static void test_words(void **state)
{
    (void) state;
    assert_int_equal(rootfs_mount_option_words_count(), 63);
    for (size_t i = 0; i < rootfs_mount_option_words_count(); i++) {
        if (i > 0)
            assert_true(strcmp(rootfs_mount_option_words[i - 1], rootfs_mount_option_words[i]) < 0);
        assert_int_equal(read_words(rootfs_mount_option_words[i]).data.count, 0);
    }
}

static void test_superblock_keys(void **state)
{
    (void) state;
    assert_string_equal(superblock_flag_key(SUPERBLOCK_SYNC), "sync");
    assert_string_equal(superblock_flag_clear_key(SUPERBLOCK_SYNC), "async");
    assert_string_equal(superblock_flag_key(SUPERBLOCK_LAZYTIME), "lazytime");
    assert_string_equal(superblock_flag_key(SUPERBLOCK_DIRSYNC), "dirsync");
    assert_null(superblock_flag_clear_key(SUPERBLOCK_DIRSYNC));
    assert_null(superblock_flag_key(SUPERBLOCK_IVERSION));
    assert_null(superblock_flag_key(SUPERBLOCK_SILENT));
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
        cmocka_unit_test(test_flags),   cmocka_unit_test(test_propagation), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_data),    cmocka_unit_test(test_refused),     cmocka_unit_test(test_words),
        cmocka_unit_test(test_superblock_keys), cmocka_unit_test(test_id_ranges),
        cmocka_unit_test(test_id_ranges_resolve),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
