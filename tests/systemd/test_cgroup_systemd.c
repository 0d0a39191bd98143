/*
 * tests/systemd/test_cgroup_systemd.c: the systemd manager against a running systemd, as root with the system's and
 * as a user with that user's.
 *
 * Skipped (77) where no systemd runs, such as in a build container; a failure then when CRUN_LITE_TESTS_MUST_RUN=1.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pid.h"
#include "base/text.h"
#include "cgroups/cgroups.h"
#include "cgroups/mount.h"

/* After ours, because it has a macro fail(); and behind what it uses and does not include. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <stdint.h>

static struct arena arena;
static struct failure why;
static struct spec_resources resources;

static int fresh(void **state)
{
    (void)state;
    arena_done(&arena);
    arena = (struct arena){0};
    why = (struct failure){0};
    resources = (struct spec_resources){.set = true};
    return 0;
}

static void must(int result)
{
    if (result < 0)
        print_error("%s [%s] (%s)\n", why.text, why.pointer, why.hint);
    assert_true(result >= 0);
}

static pid_t spawn_waiting(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        for (;;)
            pause();
    return pid;
}

static void reap(pid_t pid)
{
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static const char *root_slice(void)
{
    return mount_privilege() == PATH_ROOT ? "system.slice" : "app.slice";
}

static const char *place_of(const char *name)
{
    return arena_format(&arena, "%s:crun-lite-test:%s-%d", root_slice(), name, (int)getpid());
}

static struct cgroup_request request_for(const char *place)
{
    return (struct cgroup_request){
        .manager = CGROUP_MANAGER_SYSTEMD, .id = "c1", .cgroups_path = place, .resources = &resources};
}

static const char *content(const struct cgroup *cgroup, const char *file)
{
    char line[256];
    if (file_read_line_at(cgroup->fd, file, line, sizeof line) < 0)
        return "(missing)";
    return arena_copy(&arena, line);
}

/* What systemd itself says about the unit. */
static const char *shown(const struct cgroup *cgroup, const char *property)
{
    char line[256] = "";
    const char *command = arena_format(&arena, "systemctl %s show --value --property=%s %s",
                                       mount_privilege() == PATH_ROOT ? "" : "--user", property, cgroup->name.unit);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    if (fgets(line, sizeof line, output))
        line[strcspn(line, "\n")] = '\0';
    pclose(output);
    return arena_copy(&arena, line);
}

static void start(const struct cgroup_request *request, pid_t pid, struct cgroup *ret_cgroup)
{
    must(cgroup_create(request, &arena, ret_cgroup, &why));
    assert_int_equal(ret_cgroup->fd, -1);
    must(cgroup_attach(request, &arena, ret_cgroup, pid, &why));
    assert_true(ret_cgroup->fd >= 0);
}

static void finish(struct cgroup *cgroup, pid_t pid)
{
    must(cgroup_kill(cgroup->fd));
    reap(pid);
    must(cgroup_remove(&cgroup->name, clock_now_ms() + 10000, &why));
    assert_int_equal(cgroup_open(&cgroup->name), -ENOENT);
    assert_string_equal(shown(cgroup, "ActiveState"), "inactive");
    cgroup_close(cgroup);
}

static void scope_is_made_and_removed(void **state)
{
    struct cgroup cgroup;
    struct cgroup_request request = request_for(place_of("plain"));
    pid_t pid = spawn_waiting(), *pids;
    (void)state;
    start(&request, pid, &cgroup);
    assert_true(text_ends(cgroup.name.path, cgroup.name.unit));
    assert_non_null(strstr(cgroup.name.path, root_slice()));
    assert_string_equal(shown(&cgroup, "ControlGroup"), cgroup.name.path);
    assert_string_equal(shown(&cgroup, "Delegate"), "yes");
    assert_int_equal(cgroup_pids(cgroup.fd, &arena, &pids), 1);
    assert_int_equal(pids[0], pid);
    finish(&cgroup, pid);
    must(cgroup_remove(&cgroup.name, clock_now_ms() + 1000, &why)); /* missing is success */
}

static void limits_are_in_force_and_known_to_systemd(void **state)
{
    struct cgroup cgroup;
    struct cgroup_request request = request_for(place_of("limits"));
    pid_t pid = spawn_waiting();
    (void)state;
    resources.memory.limit = (struct optional_i64){true, 64 << 20};
    resources.pids_limit = (struct optional_i64){true, 40};
    resources.cpu.shares = (struct optional_u64){true, 512};
    resources.cpu.quota = (struct optional_i64){true, 50000};
    start(&request, pid, &cgroup);
    assert_string_equal(content(&cgroup, "memory.max"), "67108864");
    assert_string_equal(content(&cgroup, "pids.max"), "40");
    assert_string_equal(content(&cgroup, "cpu.weight"), "59");
    assert_string_equal(content(&cgroup, "cpu.max"), "50000 100000");
    assert_string_equal(shown(&cgroup, "MemoryMax"), "67108864");
    assert_string_equal(shown(&cgroup, "TasksMax"), "40");
    assert_string_equal(shown(&cgroup, "CPUWeight"), "59");

    resources = (struct spec_resources){.set = true, .pids_limit = {true, 50}};
    must(cgroup_update(&cgroup.name, &resources, NULL, &arena, &why));
    assert_string_equal(content(&cgroup, "pids.max"), "50");
    assert_string_equal(shown(&cgroup, "TasksMax"), "50");
    assert_string_equal(content(&cgroup, "memory.max"), "67108864");
    finish(&cgroup, pid);
}

static void zero_pids_and_tiny_memory_wait(void **state)
{
    struct cgroup cgroup;
    struct cgroup_request request = request_for(place_of("tiny"));
    pid_t pid = spawn_waiting();
    (void)state;
    resources.pids_limit = (struct optional_i64){true, 0};
    start(&request, pid, &cgroup);
    assert_int_equal(cgroup.late_count, 1);
    must(cgroup_write_late(&cgroup, &why));
    assert_string_equal(content(&cgroup, "pids.max"), "0");
    finish(&cgroup, pid);
}

static void annotations_become_properties(void **state)
{
    struct string_pair pairs[] = {
        {(char *)(uintptr_t) "org.systemd.property.TimeoutStopSec", (char *)(uintptr_t) "uint64 7"},
        {(char *)(uintptr_t) "org.systemd.property.CollectMode", (char *)(uintptr_t) "'inactive'"},
    };
    struct string_map annotations = {pairs, 2};
    struct cgroup cgroup;
    struct cgroup_request request = request_for(place_of("noted"));
    request.annotations = &annotations;
    pid_t pid = spawn_waiting();
    (void)state;
    start(&request, pid, &cgroup);
    assert_string_equal(shown(&cgroup, "TimeoutStopUSec"), "7s");
    assert_string_equal(shown(&cgroup, "CollectMode"), "inactive");
    finish(&cgroup, pid);

    pairs[0] =
        (struct string_pair){(char *)(uintptr_t) "org.systemd.property.NoSuchThing", (char *)(uintptr_t) "true"};
    pid = spawn_waiting();
    must(cgroup_create(&request, &arena, &cgroup, &why));
    assert_int_equal(cgroup_attach(&request, &arena, &cgroup, pid, &why), -1);
    assert_non_null(strstr(why.text, "NoSuchThing"));
    assert_non_null(strstr(why.text, cgroup.name.unit));
    assert_int_equal(kill(pid, SIGKILL), 0);
    reap(pid);
}

static void a_living_scope_of_that_name_is_refused(void **state)
{
    struct cgroup first, second;
    struct cgroup_request request = request_for(place_of("twice"));
    pid_t pids[] = {spawn_waiting(), spawn_waiting()};
    (void)state;
    start(&request, pids[0], &first);
    must(cgroup_create(&request, &arena, &second, &why));
    assert_int_equal(cgroup_attach(&request, &arena, &second, pids[1], &why), -1);
    assert_non_null(strstr(why.text, first.name.unit));
    assert_int_equal(kill(pids[0], 0), 0); /* the first one lives on */
    assert_string_equal(shown(&first, "ActiveState"), "active");
    assert_int_equal(kill(pids[1], SIGKILL), 0);
    reap(pids[1]);
    finish(&first, pids[0]);
}

static int run_systemctl(const char *words)
{
    const char *user = mount_privilege() == PATH_ROOT ? "" : "--user ";
    return system(arena_format(&arena, "systemctl %s%s", user, words)); /* NOLINT: words of this file */
}

/* The scope of a container that another runtime had made, ended by systemd: it stays loaded and keeps its name. */
static void a_failed_unit_of_that_name_gives_way(void **state)
{
    struct cgroup cgroup;
    struct cgroup_request request = request_for(place_of("failed"));
    (void)state;
    must(cgroup_create(&request, &arena, &cgroup, &why));
    const char *unit = cgroup.name.unit, *user = mount_privilege() == PATH_ROOT ? "" : "--user";
    IGNORE_RESULT(system(arena_format(&arena, "systemd-run %s --quiet --scope --unit=%s -p RuntimeMaxSec=1 sleep 1000 2>/dev/null",
                                      user, unit))); /* ended by systemd, which is a failure */
    for (int i = 0; i < 100 && !text_equal(shown(&cgroup, "ActiveState"), "failed"); i++)
        usleep(100000);
    assert_string_equal(shown(&cgroup, "ActiveState"), "failed");
    pid_t pid = spawn_waiting();
    must(cgroup_attach(&request, &arena, &cgroup, pid, &why));
    assert_string_equal(shown(&cgroup, "ActiveState"), "active");
    finish(&cgroup, pid);
    assert_int_not_equal(run_systemctl(arena_format(&arena, "--quiet is-failed %s", unit)), 0);
}

/* systemd has MemoryZSwapMax since 253; with one that has it this is a limit as any other. */
static void a_property_that_systemd_does_not_know_is_left_to_the_file(void **state)
{
    struct cgroup cgroup;
    struct string_pair pair = {.key = (char[]){"memory.zswap.max"}, .value = (char[]){"1048576"}};
    struct cgroup_request request = request_for(place_of("newer"));
    pid_t pid = spawn_waiting();
    (void)state;
    resources.unified = (struct string_map){.items = &pair, .count = 1};
    resources.pids_limit = (struct optional_i64){.set = true, .value = 17};
    start(&request, pid, &cgroup);
    assert_string_equal(content(&cgroup, "memory.zswap.max"), "1048576");
    assert_string_equal(content(&cgroup, "pids.max"), "17");
    assert_string_equal(shown(&cgroup, "TasksMax"), "17");
    pair.value = (char[]){"2097152"};
    resources.pids_limit.value = 18;
    must(cgroup_update(&cgroup.name, &resources, NULL, &arena, &why));
    assert_string_equal(content(&cgroup, "memory.zswap.max"), "2097152");
    assert_string_equal(shown(&cgroup, "TasksMax"), "18");
    finish(&cgroup, pid);
}

static void a_refused_limit_leaves_no_unit(void **state)
{
    struct string_pair pair = {(char *)(uintptr_t) "cgroup.max.depth", (char *)(uintptr_t) "nonsense"};
    struct cgroup cgroup;
    struct cgroup_request request = request_for(place_of("refused"));
    pid_t pid = spawn_waiting();
    (void)state;
    resources.unified = (struct string_map){&pair, 1};
    must(cgroup_create(&request, &arena, &cgroup, &why));
    assert_int_equal(cgroup_attach(&request, &arena, &cgroup, pid, &why), -1);
    assert_string_equal(why.pointer, "/linux/resources/unified/cgroup.max.depth");
    assert_string_equal(shown(&cgroup, "ActiveState"), "inactive");
    assert_int_equal(cgroup_open(&cgroup.name), -ENOENT);
    reap(pid); /* killed by the undo */
}

static void removal_ends_a_populated_scope(void **state)
{
    struct cgroup cgroup;
    struct cgroup_request request = request_for(place_of("stopped"));
    pid_t pid = spawn_waiting();
    (void)state;
    start(&request, pid, &cgroup);
    cgroup_close(&cgroup);
    must(cgroup_remove(&cgroup.name, clock_now_ms() + 20000, &why)); /* StopUnit sends SIGTERM */
    reap(pid);
    assert_string_equal(shown(&cgroup, "ActiveState"), "inactive");
}

static void removal_does_without_systemd(void **state)
{
    struct cgroup cgroup;
    struct cgroup_request request = request_for(place_of("nobus"));
    pid_t pid = spawn_waiting();
    (void)state;
    start(&request, pid, &cgroup);
    const char *runtime_directory = arena_copy(&arena, getenv("XDG_RUNTIME_DIR"));
    must(setenv("XDG_RUNTIME_DIR", "/nonexistent", 1));
    unsetenv("DBUS_SESSION_BUS_ADDRESS");
    must(cgroup_kill(cgroup.fd));
    reap(pid);
    must(cgroup_remove(&cgroup.name, clock_now_ms() + 5000, &why));
    struct cgroup other;
    must(cgroup_create(&request, &arena, &other, &why));
    assert_int_equal(cgroup_attach(&request, &arena, &other, getpid(), &why), -1);
    assert_non_null(strstr(why.hint, "XDG_RUNTIME_DIR"));
    must(setenv("XDG_RUNTIME_DIR", runtime_directory, 1));
    cgroup_close(&cgroup);
}

int main(void)
{
    if (access("/run/systemd/system", F_OK) < 0) {
        fprintf(stderr, "systemd does not run here\n");
        return text_equal(getenv("CRUN_LITE_TESTS_MUST_RUN"), "1") ? 1 : 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(scope_is_made_and_removed, fresh, fresh),
        cmocka_unit_test_setup_teardown(limits_are_in_force_and_known_to_systemd, fresh, fresh),
        cmocka_unit_test_setup_teardown(zero_pids_and_tiny_memory_wait, fresh, fresh),
        cmocka_unit_test_setup_teardown(annotations_become_properties, fresh, fresh),
        cmocka_unit_test_setup_teardown(a_living_scope_of_that_name_is_refused, fresh, fresh),
        cmocka_unit_test_setup_teardown(a_failed_unit_of_that_name_gives_way, fresh, fresh),
        cmocka_unit_test_setup_teardown(a_property_that_systemd_does_not_know_is_left_to_the_file, fresh, fresh),
        cmocka_unit_test_setup_teardown(a_refused_limit_leaves_no_unit, fresh, fresh),
        cmocka_unit_test_setup_teardown(removal_ends_a_populated_scope, fresh, fresh),
    };
    const struct CMUnitTest users_tests[] = {
        cmocka_unit_test_setup_teardown(removal_does_without_systemd, fresh, fresh), /* root's address is fixed */
    };
    int failed = cmocka_run_group_tests_name("cgroup_systemd", tests, NULL, NULL);
    if (mount_privilege() == PATH_ROOTLESS)
        failed += cmocka_run_group_tests_name("cgroup_systemd of a user", users_tests, NULL, NULL);
    return failed;
}
