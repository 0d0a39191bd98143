/* Unit tests of process/lsm.c: what is written for a label, and where, in a made-up procfs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "process/process.h"

#define LABEL "system_u:system_r:container_t:s0:c1,c2"

static char top[] = "/tmp/crun-lite-lsm-XXXXXX";
static int proc_fd = -1;
static struct arena arena;
static struct failure why;

static void put(const char *name, const char *text)
{
    assert_int_equal(file_create_at(proc_fd, name, 0644, text, strlen(text)), 0);
}

static const char *content(const char *name)
{
    char *text;
    return file_read_at(proc_fd, name, 4096, &arena, &text) < 0 ? "" : text;
}

static char *word(const char *text)
{
    return arena_copy(&arena, text);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(top + sizeof(top) - 7, "XXXXXX");
    why = (struct failure){0};
    if (mkdtemp(top) == NULL || (proc_fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
        return -1;
    for (const char *const *name = (const char *const[]){"1", "1/attr", "1/attr/apparmor", NULL}; *name; name++)
        if (mkdirat(proc_fd, *name, 0755) < 0)
            return -1;
    return symlinkat("1", proc_fd, "self");
}

static int tear_down(void **state)
{
    (void)state;
    fd_close(&proc_fd);
    arena_done(&arena);
    return file_remove_tree_at(AT_FDCWD, top);
}

/* spec: SEL-01 SEL-03 */
static void test_lsm_selinux_label_of_process_and_keys(void **state)
{
    (void)state;
    const struct spec_process process = {.selinux_label = word(LABEL)}, none = {.selinux_label = word("")};
    put("1/attr/exec", "");
    put("1/attr/keycreate", "");
    put("1/attr/apparmor/exec", "");
    assert_int_equal(lsm_set_exec_labels(proc_fd, &none, &why), 0);
    assert_int_equal(lsm_set_key_label(proc_fd, &none, &why), 0);
    assert_string_equal(content("1/attr/exec"), "");
    assert_string_equal(content("1/attr/keycreate"), "");
    assert_int_equal(lsm_set_exec_labels(proc_fd, &process, &why), 0);
    assert_string_equal(content("1/attr/exec"), LABEL);
    assert_string_equal(content("1/attr/apparmor/exec"), "");
    assert_string_equal(content("1/attr/keycreate"), "");
    assert_int_equal(lsm_set_key_label(proc_fd, &process, &why), 0);
    assert_string_equal(content("1/attr/keycreate"), LABEL);
}

/* spec: SEL-02 */
static void test_lsm_selinux_label_that_is_refused(void **state)
{
    (void)state;
    const struct spec_process process = {.selinux_label = word(LABEL)};
    assert_int_equal(lsm_set_exec_labels(proc_fd, &process, &why), -1); /* the kernel has no such file */
    assert_string_equal(why.pointer, "/process/selinuxLabel");
    assert_non_null(strstr(why.text, "set SELinux label '" LABEL "'"));
    assert_int_equal(lsm_set_key_label(proc_fd, &process, &why), -1);
}

/* spec: AA-01 */
static void test_lsm_apparmor_profile(void **state)
{
    (void)state;
    const struct spec_process process = {.apparmor_profile = word("docker-default")};
    put("1/attr/exec", "");
    put("1/attr/apparmor/exec", "");
    assert_int_equal(lsm_set_exec_labels(proc_fd, &process, &why), 0);
    assert_string_equal(content("1/attr/apparmor/exec"), "exec docker-default");
    assert_string_equal(content("1/attr/exec"), "");
    /* A kernel before 5.8 */
    assert_int_equal(unlinkat(proc_fd, "1/attr/apparmor/exec", 0), 0);
    assert_int_equal(lsm_set_exec_labels(proc_fd, &process, &why), 0);
    assert_string_equal(content("1/attr/exec"), "exec docker-default");
}

/* spec: AA-03 */
static void test_lsm_apparmor_unconfined_already(void **state)
{
    (void)state;
    const struct spec_process process = {.apparmor_profile = word("unconfined")}, none = {.apparmor_profile = word("")};
    put("1/attr/apparmor/exec", "");
    put("1/attr/apparmor/current", "unconfined\n");
    assert_int_equal(lsm_set_exec_labels(proc_fd, &process, &why), 0);
    assert_int_equal(lsm_set_exec_labels(proc_fd, &none, &why), 0);
    assert_string_equal(content("1/attr/apparmor/exec"), "");
    /* Confined ourselves: it is a change like any other. */
    assert_int_equal(unlinkat(proc_fd, "1/attr/apparmor/current", 0), 0);
    put("1/attr/apparmor/current", "engine (enforce)\n");
    assert_int_equal(lsm_set_exec_labels(proc_fd, &process, &why), 0);
    assert_string_equal(content("1/attr/apparmor/exec"), "exec unconfined");
}

/* A file that the container put in the way: neither a link out of procfs nor one of its magic links is followed. */
static void test_lsm_write_is_not_led_away(void **state)
{
    (void)state;
    const struct spec_process process = {.selinux_label = word(LABEL)};
    char *victim = arena_format(&arena, "%s.victim", top);
    int fd = open(victim, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(symlinkat(victim, proc_fd, "1/attr/exec"), 0);
    assert_int_equal(lsm_set_exec_labels(proc_fd, &process, &why), -1);
    assert_int_equal(unlinkat(proc_fd, "1/attr/exec", 0), 0);
    assert_int_equal(symlinkat(arena_format(&arena, "/proc/self/fd/%d", fd), proc_fd, "1/attr/exec"), 0);
    assert_int_equal(lsm_set_exec_labels(proc_fd, &process, &why), -1);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 0);
    fd_close(&fd);
    assert_int_equal(unlink(victim), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_lsm_selinux_label_of_process_and_keys), TEST(test_lsm_selinux_label_that_is_refused),
        TEST(test_lsm_apparmor_profile),                  TEST(test_lsm_apparmor_unconfined_already),
        TEST(test_lsm_write_is_not_led_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
