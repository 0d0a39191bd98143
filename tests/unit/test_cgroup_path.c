/* tests/unit/test_cgroup_path.c: cgroupsPath -> place, for both managers and both privileges (CGP-01..07, CGP-12).
 */
#include "cgroups/path.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* After ours, because it has a macro fail(); and behind what it uses and does not include. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define OWN "/user.slice/user-1000.slice/user@1000.service/app.slice/shell.scope"
#define DELEGATED "/user.slice/user-1000.slice/user@1000.service"

static struct arena arena;
static struct failure why;

static int resolve(enum cgroup_manager manager, enum path_privilege privilege, const char *words,
                   struct path_place *ret_place)
{
    struct path_question question = {.manager = manager,
                                     .privilege = privilege,
                                     .id = "c1",
                                     .cgroups_path = words,
                                     .own = OWN,
                                     .delegated = DELEGATED};
    why = (struct failure){0};
    return path_resolve(&question, &arena, ret_place, &why);
}

/* spec: CGP-02 CGP-03 CGP-04 CGP-06 */
static void cgroupfs_places(void **state)
{
    static const struct {
        enum path_privilege privilege;
        const char *words, *place;
    } rows[] = {
        {PATH_ROOT, NULL, "/c1"},
        {PATH_ROOT, "", "/c1"},
        {PATH_ROOT, "/a/b", "/a/b"},
        {PATH_ROOT, "a/b", "/a/b"},
        {PATH_ROOT, "//a/./b//", "/a/b"},
        {PATH_ROOT, "/a:b:c", "/a:b:c"}, /* a slash in front: a path, whatever follows */
        {PATH_ROOT, "a:b", "/a:b"},
        {PATH_ROOT, "/..a/b..", "/..a/b.."},
        {PATH_ROOTLESS, NULL, "/user.slice/user-1000.slice/user@1000.service/app.slice/c1"},
        {PATH_ROOTLESS, "", "/user.slice/user-1000.slice/user@1000.service/app.slice/c1"},
        {PATH_ROOTLESS, "/a/b", "/a/b"},
        {PATH_ROOTLESS, "a/b", DELEGATED "/a/b"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct path_place place;
        assert_int_equal(resolve(CGROUP_MANAGER_FS, rows[i].privilege, rows[i].words, &place), 0);
        assert_string_equal(place.path, rows[i].place);
        assert_null(place.unit);
    }
}

static void rootless_without_a_place(void **state)
{
    struct path_place place;
    struct path_question question = {.privilege = PATH_ROOTLESS, .id = "c1"};
    (void)state;
    assert_int_equal(path_resolve(&question, &arena, &place, &why), 0);
    assert_null(place.path);
    question.cgroups_path = "rel";
    question.own = "/session";
    assert_int_equal(path_resolve(&question, &arena, &place, &why), 0);
    assert_null(place.path);
    question.cgroups_path = NULL;
    question.own = "/"; /* in a cgroup namespace */
    assert_int_equal(path_resolve(&question, &arena, &place, &why), 0);
    assert_string_equal(place.path, "/c1");
    question.cgroups_path = "rel";
    question.delegated = "/";
    assert_int_equal(path_resolve(&question, &arena, &place, &why), 0);
    assert_string_equal(place.path, "/rel");
}

/* spec: CGP-07 CGP-12 */
static void cgroup_paths_that_are_refused(void **state)
{
    static char component[NAME_MAX + 2], whole[PATH_MAX + 1];
    memset(component, 'x', sizeof component - 1);
    for (size_t i = 0; i + 1 < sizeof whole; i++)
        whole[i] = i % 2 ? 'x' : '/';
    const struct {
        enum cgroup_manager manager;
        const char *words, *says;
    } rows[] = {
        {CGROUP_MANAGER_FS, "../x", "'..'"},
        {CGROUP_MANAGER_FS, "/a/../../x", "'..'"},
        {CGROUP_MANAGER_FS, "/a/..", "'..'"},
        {CGROUP_MANAGER_FS, "/", "no cgroup of its own"},
        {CGROUP_MANAGER_FS, "./", "no cgroup of its own"},
        {CGROUP_MANAGER_FS, "/a\nb", "control byte"},
        {CGROUP_MANAGER_FS, "system.slice:crun:c1", "slice:prefix:name"},
        {CGROUP_MANAGER_FS, component, "at most 255 bytes, found 256"},
        {CGROUP_MANAGER_FS, whole, "has less than"},
        {CGROUP_MANAGER_SYSTEMD, "foo", "slice:prefix:name"},
        {CGROUP_MANAGER_SYSTEMD, "/foo/bar", "slice:prefix:name"},
        {CGROUP_MANAGER_SYSTEMD, "a.slice:b", "slice:prefix:name"},
        {CGROUP_MANAGER_SYSTEMD, "a.slice:b:c:d", "slice:prefix:name"},
        {CGROUP_MANAGER_SYSTEMD, "a:b:c", "no name of a systemd slice"},
        {CGROUP_MANAGER_SYSTEMD, "../a.slice:b:c", "no name of a systemd slice"},
        {CGROUP_MANAGER_SYSTEMD, "a--b.slice:b:c", "no name of a systemd slice"},
        {CGROUP_MANAGER_SYSTEMD, "-a.slice:b:c", "no name of a systemd slice"},
        {CGROUP_MANAGER_SYSTEMD, "a-.slice:b:c", "no name of a systemd slice"},
        {CGROUP_MANAGER_SYSTEMD, ".slice:b:c", "no name of a systemd slice"},
        {CGROUP_MANAGER_SYSTEMD, "a.slice:b:", "no name after"},
        {CGROUP_MANAGER_SYSTEMD, "a.slice:b:c.slice", "is a slice"},
        {CGROUP_MANAGER_SYSTEMD, "a.slice:b:c/d", "no name of a systemd unit"},
        {CGROUP_MANAGER_SYSTEMD, "a.slice::c d", "no name of a systemd unit"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct path_place place;
        assert_int_equal(resolve(rows[i].manager, PATH_ROOT, rows[i].words, &place), -1);
        assert_int_equal(why.kind, FAILURE_CONFIG);
        assert_string_equal(why.pointer, "/linux/cgroupsPath");
        if (!strstr(why.text, rows[i].says))
            print_error("row %zu: %s\n", i, why.text);
        assert_non_null(strstr(why.text, rows[i].says));
    }
    struct path_place place;
    assert_int_equal(resolve(CGROUP_MANAGER_FS, PATH_ROOT, "system.slice:crun:c1", &place), -1);
    assert_non_null(strstr(why.hint, "--systemd-cgroup"));
}

/* spec: CGP-06 CGP-12 */
static void systemd_places(void **state)
{
    static const struct {
        enum path_privilege privilege;
        const char *words, *slice, *unit, *path;
    } rows[] = {
        {PATH_ROOT, NULL, "system.slice", "crun-lite-c1.scope", "/system.slice/crun-lite-c1.scope"},
        {PATH_ROOT, "", "system.slice", "crun-lite-c1.scope", "/system.slice/crun-lite-c1.scope"},
        {PATH_ROOTLESS, "", "user.slice", "crun-lite-c1.scope", "/user.slice/crun-lite-c1.scope"},
        {PATH_ROOT, "machine.slice:libpod:id", "machine.slice", "libpod-id.scope",
         "/machine.slice/libpod-id.scope"},
        {PATH_ROOT, ":docker:id", "system.slice", "docker-id.scope", "/system.slice/docker-id.scope"},
        {PATH_ROOT, "-:p:id", "-.slice", "p-id.scope", "/p-id.scope"},
        {PATH_ROOT, "-.slice::id", "-.slice", "id.scope", "/id.scope"},
        {PATH_ROOT, "a-b-c.slice:p:n", "a-b-c.slice", "p-n.scope", "/a.slice/a-b.slice/a-b-c.slice/p-n.scope"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct path_place place;
        assert_int_equal(resolve(CGROUP_MANAGER_SYSTEMD, rows[i].privilege, rows[i].words, &place), 0);
        assert_string_equal(place.slice, rows[i].slice);
        assert_string_equal(place.unit, rows[i].unit);
        assert_string_equal(place.path, rows[i].path);
    }
}

/* Whatever comes in: an absolute place without dots, or a CONFIG failure. */
static void random_words_stay_below_the_mount(void **state)
{
    static const char alphabet[] = "./:a-\n ~";
    uint32_t random = 12345;
    (void)state;
    for (int round = 0; round < 50000; round++) {
        char words[12] = "";
        for (size_t i = 0; i + 1 < sizeof words; i++) {
            random = random * 1664525 + 1013904223;
            words[i] = alphabet[random >> 24 & 7];
            if ((random >> 16 & 15) == 0)
                break;
        }
        struct path_place place;
        if (resolve(CGROUP_MANAGER_FS, PATH_ROOT, words, &place) < 0) {
            assert_int_equal(why.kind, FAILURE_CONFIG);
            continue;
        }
        assert_true(place.path[0] == '/' && place.path[1] != '\0' && !text_ends(place.path, "/"));
        assert_null(strstr(place.path, "//"));
        assert_null(strstr(place.path, "/../"));
        assert_null(strstr(place.path, "/./"));
        assert_false(text_ends(place.path, "/.."));
    }
}

static int clear(void **state)
{
    (void)state;
    arena_done(&arena);
    arena = (struct arena){0};
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(cgroupfs_places, clear),
        cmocka_unit_test_teardown(rootless_without_a_place, clear),
        cmocka_unit_test_teardown(cgroup_paths_that_are_refused, clear),
        cmocka_unit_test_teardown(systemd_places, clear),
        cmocka_unit_test_teardown(random_words_stay_below_the_mount, clear),
    };
    return cmocka_run_group_tests_name("cgroup_path", tests, NULL, NULL);
}
