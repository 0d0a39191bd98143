/*
 * seccomp/cache.c: no two profiles share a key, no damaged or foreign entry is used, a hit equals a build.
 */
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/memory.h"
#include "seccomp/cache.h"
#include "seccomp/library.h"
#include "seccomp/seccomp.h"
#include "seccomp_profiles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* last: its fail() is a macro */

#define WORD(text) ((char *)(uintptr_t)(text))

static struct arena arena;
static char directory_path[64];
static int directory = -1;

static int cache_setup(void **state)
{
    (void)state;
    strcpy(directory_path, "/tmp/crun-lite-cache-XXXXXX");
    if (mkdtemp(directory_path) == NULL)
        return -1;
    directory = open(directory_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory < 0 ? -1 : 0;
}

static int cache_teardown(void **state)
{
    (void)state;
    fd_close(&directory);
    arena_done(&arena);
    return file_remove_tree_at(AT_FDCWD, directory_path);
}

static struct seccomp_filter built(const struct spec_seccomp *seccomp, int cache_fd)
{
    struct seccomp_filter filter = {0};
    struct failure why = {0};
    if (seccomp_build_cached(seccomp, cache_fd, &arena, &filter, &why) < 0)
        fail_msg("%s: %s", why.pointer, why.text);
    return filter;
}

static void same(const struct seccomp_filter *a, const struct seccomp_filter *b)
{
    assert_int_equal(a->instructions, b->instructions);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->notify, b->notify);
    assert_memory_equal(a->program, b->program, a->instructions * 8);
}

/* The only entry: its name, or "" when there is none. */
static unsigned entries(char name[64])
{
    DIR *listing = opendir(directory_path);
    const struct dirent *entry;
    unsigned count = 0;
    name[0] = '\0';
    while ((entry = readdir(listing)) != NULL)
        if (entry->d_name[0] != '.') {
            snprintf(name, 64, "%.60s", entry->d_name);
            count++;
        }
    closedir(listing);
    return count;
}

static void hit_equals_build(void **state)
{
    static const struct spec_seccomp *const profiles[] = {&docker_profile, &podman_profile};
    char name[64];
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(profiles); i++) {
        struct seccomp_filter plain = built(profiles[i], -1), miss = built(profiles[i], directory), hit;
        struct stat before, after;
        assert_int_equal(entries(name), i + 1);
        assert_int_equal(fstatat(directory, name, &before, 0), 0);
        assert_int_equal(before.st_mode & 07777, 0600);
        hit = built(profiles[i], directory);
        assert_int_equal(fstatat(directory, name, &after, 0), 0);
        assert_int_equal(before.st_ino, after.st_ino); /* not written again */
        same(&plain, &miss);
        same(&plain, &hit);
    }
}

/* ---- key ---- */

struct sample {
    char *names[2], *archs[2], *flags[2];
    struct spec_seccomp_arg args[2];
    struct spec_seccomp_rule rules[2];
    struct spec_seccomp seccomp;
};

static void sample_init(struct sample *s)
{
    *s = (struct sample){
        .names = {WORD("mkdir"), WORD("rmdir")},
        .archs = {WORD("SCMP_ARCH_X86"), WORD("SCMP_ARCH_X86_64")},
        .flags = {WORD("SECCOMP_FILTER_FLAG_LOG"), WORD("SECCOMP_FILTER_FLAG_TSYNC")},
        .args = {{0, 1, 2, WORD("SCMP_CMP_EQ")}, {1, 2, 3, WORD("SCMP_CMP_NE")}},
    };
    s->rules[0] = (struct spec_seccomp_rule){{s->names, 1}, WORD("SCMP_ACT_ERRNO"), {true, 1}, s->args, 1};
    s->rules[1] = (struct spec_seccomp_rule){{s->names + 1, 1}, WORD("SCMP_ACT_ERRNO"), {false, 0}, s->args + 1, 1};
    s->seccomp = (struct spec_seccomp){
        .set = true, .default_action = WORD("SCMP_ACT_ALLOW"), .architectures = {s->archs, 1},
        .flags = {s->flags, 1}, .flags_set = true, .syscalls = s->rules, .syscalls_count = 1};
}

/* Each changes one thing, some in a way that a key without lengths or kinds would not notice. */
static void mutate(struct sample *s, unsigned kind)
{
    switch (kind) {
    case 0: break;
    case 1: s->seccomp.default_action = WORD("SCMP_ACT_LOG"); break;
    case 2: s->seccomp.default_errno_ret = (struct optional_u64){true, 0}; break;
    case 3: s->seccomp.default_errno_ret = (struct optional_u64){true, 1}; break;
    case 4: s->seccomp.architectures.count = 2; break;
    case 5: s->seccomp.architectures.count = 0; break;
    case 6: s->archs[0] = WORD("SCMP_ARCH_X32"); break;
    case 7: s->seccomp.flags.count = 2; break;
    case 8: s->seccomp.flags.count = 0; break;
    case 9: s->seccomp.flags.count = 0; s->seccomp.flags_set = false; break;
    case 10: s->flags[0] = WORD("SECCOMP_FILTER_FLAG_SPEC_ALLOW"); break;
    case 11: s->rules[0].names.count = 2; break;
    case 12: s->names[0] = WORD("mkdirrmdir"); break;
    case 13: s->rules[0].action = WORD("SCMP_ACT_TRACE"); break;
    case 14: s->rules[0].errno_ret.value = 38; break;
    case 15: s->rules[0].errno_ret = (struct optional_u64){false, 1}; break;
    case 16: s->rules[0].args_count = 2; break;
    case 17: s->rules[0].args_count = 0; break;
    case 18: s->args[0].index = 3; break;
    case 19: s->args[0].value = 1ull << 32 | 1; break;
    case 20: s->args[0].value_two = 0; break;
    case 21: s->args[0].op = WORD("SCMP_CMP_GE"); break;
    case 22: s->seccomp.syscalls_count = 2; break;
    case 23: s->seccomp.syscalls_count = 0; break;
    case 24: s->names[0] = WORD("mkdi"); s->names[1] = WORD("rrmdir"); s->rules[0].names.count = 2; break;
    case 25: s->names[0] = WORD("rmdir"); break;
    }
}
#define MUTATIONS 26

static void every_member_is_in_the_key(void **state)
{
    struct text keys[MUTATIONS] = {{0}};
    (void)state;
    for (unsigned i = 0; i < MUTATIONS; i++) {
        struct sample sample;
        sample_init(&sample);
        mutate(&sample, i);
        cache_key(&sample.seccomp, &keys[i]);
        for (unsigned j = 0; j < i; j++)
            if (keys[i].length == keys[j].length && memcmp(keys[i].data, keys[j].data, keys[i].length) == 0)
                fail_msg("mutations %u and %u have one key", i, j);
    }
    for (unsigned i = 0; i < MUTATIONS; i++)
        text_done(&keys[i]);
}

static void where_the_listener_is_does_not_matter(void **state)
{
    struct sample sample;
    struct text one = {0}, two = {0};
    (void)state;
    sample_init(&sample);
    cache_key(&sample.seccomp, &one);
    sample.seccomp.listener_path = WORD("/run/a");
    sample.seccomp.listener_metadata = WORD("m");
    cache_key(&sample.seccomp, &two);
    assert_int_equal(one.length, two.length);
    assert_memory_equal(one.data, two.data, one.length);
    text_done(&one);
    text_done(&two);
}

/* ---- content ---- */

static void any_damage_is_noticed(void **state)
{
    static const uint64_t program[3] = {1, 2, 3};
    struct seccomp_filter filter = {program, 3, 5, true}, got;
    struct text key = {0}, other = {0}, content = {0};
    const char *library;
    (void)state;
    text_add(&key, "a key of some bytes");
    text_add(&other, "a key of SOME bytes");
    cache_encode(&key, "1:2 3 /lib/x", &filter, &content);
    assert_true(cache_decode(content.data, content.length, &key, &library, &got));
    assert_string_equal(library, "1:2 3 /lib/x");
    same(&filter, &got);
    assert_int_equal((uintptr_t)got.program % 8, 0);
    assert_false(cache_decode(content.data, content.length, &other, &library, &got));
    for (size_t i = 0; i < content.length; i++) {
        content.data[i] ^= 0x10;
        if (cache_decode(content.data, content.length, &key, &library, &got))
            fail_msg("a change of byte %zu goes unnoticed", i);
        content.data[i] ^= 0x10;
    }
    for (size_t shorter = 0; shorter < content.length; shorter++)
        assert_false(cache_decode(content.data, shorter, &key, &library, &got));
    text_done(&key);
    text_done(&other);
    text_done(&content);
}

static void entry_of_another_profile_under_our_name(void **state)
{
    struct sample a, b;
    struct seccomp_filter filter_a, filter_b;
    char name_a[64], name_b[64];
    (void)state;
    sample_init(&a);
    sample_init(&b);
    b.rules[0].errno_ret.value = 38;
    filter_b = built(&b.seccomp, directory);
    assert_int_equal(entries(name_b), 1);
    assert_int_equal(unlinkat(directory, name_b, 0), 0);
    filter_a = built(&a.seccomp, directory);
    assert_int_equal(entries(name_a), 1);
    assert_string_not_equal(name_a, name_b);
    assert_int_equal(renameat(directory, name_a, directory, name_b), 0); /* as if the two hashes were one */
    assert_true(memcmp(filter_a.program, filter_b.program, filter_b.instructions * 8) != 0);
    filter_a = built(&b.seccomp, directory);
    same(&filter_a, &filter_b);
}

/* What must not be read is put in the place of a good entry; the build is right and the entry is whole again. */
static void unusable_entries_are_rebuilt(void **state)
{
    struct sample sample;
    struct seccomp_filter good, again;
    char name[64], path[160];
    struct stat status;
    (void)state;
    sample_init(&sample);
    good = built(&sample.seccomp, directory);
    assert_int_equal(entries(name), 1);
    snprintf(path, sizeof(path), "%s/%s", directory_path, name);
    for (unsigned kind = 0; kind < 5; kind++) {
        if (kind == 0)
            assert_int_equal(truncate(path, 100), 0);
        else if (kind == 1)
            assert_int_equal(chmod(path, 0666), 0);
        else {
            assert_int_equal(unlink(path), 0);
            if (kind == 2)
                assert_int_equal(symlink("/dev/zero", path), 0);
            else if (kind == 3)
                assert_int_equal(mkfifo(path, 0600), 0);
            else
                assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
        }
        again = built(&sample.seccomp, directory);
        same(&good, &again);
        assert_int_equal(lstat(path, &status), 0);
        assert_true(S_ISREG(status.st_mode));
        assert_int_equal(status.st_mode & 07777, 0600);
        assert_true(status.st_size > 100);
    }
}

static void directory_of_others_is_not_used(void **state)
{
    struct sample sample;
    char name[64];
    (void)state;
    sample_init(&sample);
    assert_int_equal(fchmod(directory, 0755), 0);
    (void)built(&sample.seccomp, directory);
    assert_int_equal(entries(name), 0);
    assert_int_equal(fchmod(directory, 0700), 0);
    if (geteuid() == 0) {
        assert_int_equal(fchown(directory, 65534, (gid_t)-1), 0);
        (void)built(&sample.seccomp, directory);
        assert_int_equal(entries(name), 0);
        assert_int_equal(fchown(directory, 0, (gid_t)-1), 0);
    }
    (void)built(&sample.seccomp, directory);
    assert_int_equal(entries(name), 1);
}

static void number_of_entries_is_bounded(void **state)
{
    struct sample sample;
    char name[64];
    (void)state;
    for (unsigned i = 0; i < 150; i++) {
        sample_init(&sample);
        sample.args[0].value = i;
        (void)built(&sample.seccomp, directory);
        assert_in_range(entries(name), 1, 70);
    }
}

static void refusals_are_the_same_with_a_cache(void **state)
{
    struct sample sample;
    struct seccomp_filter filter;
    struct failure why = {0};
    (void)state;
    sample_init(&sample);
    (void)built(&sample.seccomp, directory);
    sample.seccomp.listener_metadata = WORD("m"); /* not in the key, still checked */
    assert_int_equal(seccomp_build_cached(&sample.seccomp, directory, &arena, &filter, &why), -1);
    assert_string_equal(why.pointer, "/linux/seccomp/listenerMetadata");
}

int main(void)
{
#define CACHE_TEST(name) cmocka_unit_test_setup_teardown(name, cache_setup, cache_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_in_the_key),
        cmocka_unit_test(where_the_listener_is_does_not_matter),
        cmocka_unit_test(any_damage_is_noticed),
        CACHE_TEST(hit_equals_build),
        CACHE_TEST(entry_of_another_profile_under_our_name),
        CACHE_TEST(unusable_entries_are_rebuilt),
        CACHE_TEST(directory_of_others_is_not_used),
        CACHE_TEST(number_of_entries_is_bounded),
        CACHE_TEST(refusals_are_the_same_with_a_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
