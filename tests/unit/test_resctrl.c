/*
 * Unit tests of cgroups/resctrl.c, resctrl_mount.c and schema.c, against the made-up resctrl of
 * tests/helpers/made_up_resctrl.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "cgroups/cgroups.h"
#include "cgroups/resctrl_mount.h"
#include "cgroups/schema.h"

#define ID "c1"
#define FRESH "    L3:0=fffff;1=fffff\n    MB:0=100;1=100\n"

static char top[] = "/tmp/crun-lite-resctrl-XXXXXX";
static char tree[64], record[64];
static int root = -1;
static struct arena arena;
static struct failure why;

/* The structs of config.json own their words. */
static char *word(const char *text)
{
    return text == NULL ? NULL : arena_copy(&arena, text);
}

static void put(const char *name, const char *text)
{
    assert_int_equal(file_create_at(root, name, 0644, text, strlen(text)), 0);
}

static void directory(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", tree, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static bool exists(const char *name)
{
    return faccessat(root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static const char *content(int dirfd, const char *name)
{
    char *text;
    return file_read_at(dirfd, name, 65536, &arena, &text) < 0 ? "" : text;
}

static const char *written(void)
{
    return content(AT_FDCWD, record);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(top + sizeof(top) - 7, "XXXXXX");
    why = (struct failure){0};
    if (mkdtemp(top) == NULL)
        return -1;
    snprintf(tree, sizeof(tree), "%s/resctrl", top);
    snprintf(record, sizeof(record), "%s/log", top);
    if (mkdir(tree, 0755) < 0 || setenv("RESCTRL_TREE", tree, 1) < 0 || setenv("RESCTRL_LOG", record, 1) < 0)
        return -1;
    root = resctrl_open(&why);
    for (const char *const *name = (const char *const[]){"info", "info/L3", "info/L2", "info/MB", "mon_groups", "mon_data", NULL}; *name; name++)
        directory(*name);
    put("tasks", "");
    put("schemata", FRESH);
    put("info/last_cmd_status", "ok\n");
    put("info/MB/bandwidth_gran", "10\n");
    return root < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    fd_close(&root);
    arena_done(&arena);
    return file_remove_tree_at(AT_FDCWD, top);
}

static int locate(const struct spec_intel_rdt *wanted, struct resctrl_name *ret_name)
{
    return resctrl_locate(root, ID, wanted, &arena, ret_name, &why);
}

static void make(const struct spec_intel_rdt *wanted, struct resctrl_name *ret_name)
{
    int r = locate(wanted, ret_name) < 0 ? -1 : resctrl_make(root, wanted, ret_name, &why);
    assert_string_equal(r < 0 ? why.text : "", "");
}

static void refused(enum failure_kind kind, const char *pointer, const char *words)
{
    assert_non_null(strstr(why.text, words));
    assert_string_equal(why.pointer, pointer);
    assert_int_equal(why.kind, kind);
}

static void remove_it(const struct resctrl_name *name, enum resctrl_end end)
{
    int r = resctrl_remove(root, name, end, &why);
    assert_string_equal(r < 0 ? why.text : "", "");
}

/* spec: RDT-14 RDT-15 RDT-19 */
static void test_resctrl_own_group(void **state)
{
    (void)state;
    struct resctrl_name name;
    make(&(struct spec_intel_rdt){.set = true}, &name);
    assert_true(exists(ID));
    assert_true(name.made && !name.shared && name.monitor == NULL);
    assert_string_equal(written(), ""); /* no schemata file was written */
    assert_string_equal(content(root, ID "/schemata"), FRESH);
    assert_int_equal(resctrl_enter(root, &name, 42, &why), 0);
    assert_string_equal(written(), ID "/tasks 42\n");
    remove_it(&name, RESCTRL_DELETE);
    assert_false(exists(ID));
    remove_it(&name, RESCTRL_DELETE); /* gone already is fine */
}

/* An own group that was there before is used, and left alone. */
/* spec: RDT-20 */
static void test_resctrl_foreign_group_of_our_name(void **state)
{
    (void)state;
    struct resctrl_name name;
    directory(ID);
    put(ID "/tasks", "");
    put(ID "/schemata", FRESH);
    make(&(struct spec_intel_rdt){.set = true, .l3_cache_schema = word("L3:0=fffff;1=fffff")}, &name);
    assert_false(name.made);
    remove_it(&name, RESCTRL_DELETE);
    remove_it(&name, RESCTRL_UNDO);
    assert_true(exists(ID));
}

/* spec: RDT-07 RDT-09 RDT-11 RDT-12 RDT-13 */
static void test_resctrl_schemata_in_order(void **state)
{
    (void)state;
    char *lines[] = {word("L2:0=f"), word("L3:0=3;1=3")};
    static const struct { const char *l3, *mb; size_t lines; const char *log; } rows[] = {
        {"L3:0=f;1=f", NULL, 0, ID "/schemata L3:0=f;1=f\n"},
        {NULL, "MB:0=20;1=20", 0, ID "/schemata MB:0=20;1=20\n"},
        {"L3:0=f;1=f", "MB:0=20;1=20", 0, ID "/schemata L3:0=f;1=f\n" ID "/schemata MB:0=20;1=20\n"},
        {"L2:0=3", NULL, 0, ID "/schemata L2:0=3\n"},
        {NULL, NULL, 2, ID "/schemata L2:0=f\n" ID "/schemata L3:0=3;1=3\n"},
        {"L3:0=f;1=f", "MB:0=20;1=20", 2,
         ID "/schemata L3:0=f;1=f\n" ID "/schemata MB:0=20;1=20\n" ID "/schemata L2:0=f\n" ID "/schemata L3:0=3;1=3\n"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct spec_intel_rdt wanted = {
            .set = true, .l3_cache_schema = word(rows[i].l3), .mem_bw_schema = word(rows[i].mb), .schemata = {lines, rows[i].lines}};
        struct resctrl_name name;
        make(&wanted, &name);
        assert_string_equal(written(), rows[i].log);
        remove_it(&name, RESCTRL_DELETE);
        assert_int_equal(unlink(record), 0);
    }
}

/* spec: RDT-06 */
static void test_resctrl_root_group(void **state)
{
    (void)state;
    char *line = word("MB:0=50;1=50");
    struct resctrl_name name;
    make(&(struct spec_intel_rdt){.set = true, .clos_id = word("/"), .enable_monitoring = true}, &name);
    assert_string_equal(name.group, "/");
    assert_true(exists("mon_groups/" ID));
    /* A live container changes its own shares, not the host's. */
    struct spec_intel_rdt old;
    assert_int_equal(resctrl_update(root, &name, &(struct spec_intel_rdt){.set = true, .mem_bw_schema = line}, &arena, &old, &why), -1);
    refused(FAILURE_STATE, "", "the container is in the root group of resctrl");
    assert_string_equal(content(root, "schemata"), FRESH);
    assert_int_equal(resctrl_enter(root, &name, 7, &why), 0);
    assert_string_equal(written(), "tasks 7\nmon_groups/" ID "/tasks 7\n");
    remove_it(&name, RESCTRL_DELETE);
    assert_false(exists("mon_groups/" ID));
    assert_true(exists("tasks") && exists("schemata") && exists("mon_groups"));
    make(&(struct spec_intel_rdt){.set = true, .clos_id = word("/"), .schemata = {&line, 1}}, &name);
    remove_it(&name, RESCTRL_UNDO);
    assert_string_equal(content(root, "schemata"), "    L3:0=fffff;1=fffff\n    MB:0=50;1=50\n");
}

/* spec: RDT-05 RDT-16 RDT-20 */
static void test_resctrl_named_group_is_made_and_stays(void **state)
{
    (void)state;
    char *line = word("L2:0=f");
    const struct spec_intel_rdt wanted[] = {
        {.set = true, .clos_id = word("gold"), .l3_cache_schema = word("L3:0=f;1=f")},
        {.set = true, .clos_id = word("silver"), .mem_bw_schema = word("MB:0=20;1=20")},
        {.set = true, .clos_id = word("bronze"), .schemata = {&line, 1}},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++) {
        struct resctrl_name name;
        make(&wanted[i], &name);
        assert_true(exists(wanted[i].clos_id) && !exists(ID));
        assert_true(name.made && name.shared);
        remove_it(&name, RESCTRL_DELETE);
        assert_true(exists(wanted[i].clos_id));
    }
}

/* What a failed create made goes again, unless somebody lives in it by now. */
static void test_resctrl_undo_of_a_named_group(void **state)
{
    (void)state;
    const struct spec_intel_rdt wanted = {.set = true, .clos_id = word("gold"), .l3_cache_schema = word("L3:0=f;1=f")};
    struct resctrl_name first, second;
    make(&wanted, &first);
    make(&wanted, &second);
    assert_true(first.made && !second.made);
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(1);
    }
    assert_int_equal(resctrl_enter(root, &second, pid, &why), 0);
    remove_it(&first, RESCTRL_UNDO);
    assert_true(exists("gold"));
    /* A zombie is nobody. */
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
    remove_it(&second, RESCTRL_UNDO);
    assert_true(exists("gold"));
    remove_it(&first, RESCTRL_UNDO);
    assert_false(exists("gold"));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Two creators at once: both saw no group, one makes it. */
static void test_resctrl_named_group_made_meanwhile(void **state)
{
    (void)state;
    const struct spec_intel_rdt wanted = {.set = true, .clos_id = word("gold"), .l3_cache_schema = word("L3:0=f;1=f")};
    const struct spec_intel_rdt other = {.set = true, .clos_id = word("gold"), .l3_cache_schema = word("L3:0=1;1=1")};
    struct resctrl_name first, second, third;
    assert_int_equal(locate(&wanted, &first), 0);
    assert_int_equal(locate(&wanted, &second), 0);
    assert_int_equal(locate(&other, &third), 0);
    assert_int_equal(resctrl_make(root, &wanted, &first, &why), 0);
    assert_int_equal(resctrl_make(root, &wanted, &second, &why), 0);
    assert_true(first.made && !second.made);
    assert_int_equal(resctrl_make(root, &other, &third, &why), -1);
    refused(FAILURE_CONFIG, "/linux/intelRdt/l3CacheSchema", "resctrl group 'gold' exists with 'L3:0=f;1=f', 'L3:0=1;1=1' is asked for");
    assert_false(third.made);
}

/* spec: RDT-18 */
static void test_resctrl_named_group_without_schema(void **state)
{
    (void)state;
    const struct spec_intel_rdt wanted = {.set = true, .clos_id = word("gold"), .enable_monitoring = true};
    struct resctrl_name name;
    assert_int_equal(locate(&wanted, &name), -1);
    refused(FAILURE_CONFIG, "/linux/intelRdt/closID", "there is no resctrl group 'gold'");
    assert_false(exists("gold"));
    directory("gold");
    directory("gold/mon_groups");
    put("gold/tasks", "");
    put("gold/schemata", FRESH);
    make(&wanted, &name);
    assert_int_equal(resctrl_enter(root, &name, 5, &why), 0);
    assert_string_equal(written(), "gold/tasks 5\ngold/mon_groups/" ID "/tasks 5\n");
}

/* spec: RDT-17 */
static void test_resctrl_named_group_is_compared(void **state)
{
    (void)state;
    static const struct { const char *l3, *mb, *member, *words; } rows[] = {
        {"L3:0=ff;1=f", NULL, NULL, NULL},
        {"L3:1=f;0=ff", NULL, NULL, NULL},
        {"L3:0=0ff;1=0x0F", NULL, NULL, NULL},
        {"  L3: 0 = FF ; 1=f ", "MB:1=100;0=20", NULL, NULL},
        {"L3:1=f", "MB:0=15", NULL, NULL}, /* rounded by the kernel as it did before */
        {"L3:0=f", NULL, "l3CacheSchema", "resctrl group 'gold' exists with 'L3:0=ff;1=f', 'L3:0=f' is asked for"},
        {"L3:0=ff;2=1", NULL, "l3CacheSchema", "is asked for"},
        {"L2:0=1", NULL, "l3CacheSchema", "resctrl group 'gold' exists and has no L2, 'L2:0=1' is asked for"},
        {"L3:0=ff;", NULL, "l3CacheSchema", "expected RESOURCE:ID=VALUE;ID=VALUE…, found 'L3:0=ff;'"},
        {"nonsense", NULL, "l3CacheSchema", "expected RESOURCE:ID=VALUE"},
        {NULL, "MB:0=30", "memBwSchema", "resctrl group 'gold' exists with 'MB:0= 20;1=100', 'MB:0=30' is asked for"},
        {"L3:0=ff", "MB:0=21", "memBwSchema", "is asked for"},
        {NULL, "MB:", "memBwSchema", "expected RESOURCE:ID=VALUE"},
    };
    directory("gold");
    put("gold/tasks", "");
    put("gold/schemata", "    L3:0=ff;1=f\n    MB:0= 20;1=100\n");
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct resctrl_name name;
        struct spec_intel_rdt wanted = {
            .set = true, .clos_id = word("gold"), .l3_cache_schema = word(rows[i].l3), .mem_bw_schema = word(rows[i].mb)};
        int r = locate(&wanted, &name);
        assert_int_equal(r, rows[i].member == NULL ? 0 : -1);
        if (r < 0)
            refused(FAILURE_CONFIG, arena_format(&arena, "/linux/intelRdt/%s", rows[i].member), rows[i].words);
    }
    assert_string_equal(written(), "");
}

static void test_resctrl_directories_that_are_no_groups(void **state)
{
    (void)state;
    for (const char *const *name = (const char *const[]){"info", "mon_groups", "mon_data", NULL}; *name; name++) {
        struct resctrl_name ignored;
        const struct spec_intel_rdt named = {.set = true, .clos_id = arena_copy(&arena, *name), .l3_cache_schema = word("L3:0=f")};
        const struct spec_intel_rdt own = {.set = true};
        assert_int_equal(locate(&named, &ignored), -1);
        refused(FAILURE_CONFIG, "/linux/intelRdt/closID", "of resctrl is not a group");
        assert_int_equal(resctrl_locate(root, *name, &own, &arena, &ignored, &why), -1);
        refused(FAILURE_CONFIG, "/linux/intelRdt/closID", "of resctrl is not a group");
    }
}

/* spec: RDT-21 */
static void test_resctrl_monitoring(void **state)
{
    (void)state;
    const struct spec_intel_rdt wanted = {.set = true, .enable_monitoring = true};
    const struct spec_intel_rdt named = {.set = true, .clos_id = word("gold"), .mem_bw_schema = word("MB:0=10"), .enable_monitoring = true};
    struct resctrl_name name, other;
    make(&wanted, &name);
    assert_true(exists(ID "/mon_groups/" ID));
    assert_int_equal(resctrl_enter(root, &name, 42, &why), 0);
    assert_string_equal(written(), ID "/tasks 42\n" ID "/mon_groups/" ID "/tasks 42\n");
    remove_it(&name, RESCTRL_DELETE);
    assert_false(exists(ID));

    make(&named, &name);
    assert_true(exists("gold/mon_groups/" ID) && !exists("mon_groups/" ID));
    assert_int_equal(locate(&named, &other), 0);
    assert_int_equal(resctrl_make(root, &named, &other, &why), -1); /* somebody else's numbers */
    refused(FAILURE_STATE, "/linux/intelRdt/enableMonitoring", "make the monitoring group 'gold/mon_groups/" ID "' of resctrl: File exists");
    assert_true(other.monitor == NULL && !other.made);
    remove_it(&name, RESCTRL_DELETE);
    assert_true(exists("gold") && !exists("gold/mon_groups/" ID));

    put("full-monitors", "");
    assert_int_equal(locate(&wanted, &name), 0);
    assert_int_equal(resctrl_make(root, &wanted, &name, &why), -1);
    refused(FAILURE_HOST, "/linux/intelRdt/enableMonitoring", "make the monitoring group '" ID "/mon_groups/" ID "' of resctrl: No space left on device");
    assert_true(name.made && name.monitor == NULL);
    remove_it(&name, RESCTRL_UNDO);
    assert_false(exists(ID));

    assert_int_equal(file_remove_tree_at(root, "mon_groups"), 0);
    assert_int_equal(locate(&wanted, &name), -1);
    refused(FAILURE_HOST, "/linux/intelRdt/enableMonitoring", "resctrl of this host has no monitoring");
}

static void test_resctrl_failures_say_what_the_kernel_says(void **state)
{
    (void)state;
    char *lines[] = {word("L3:0=f;1=f"), word("L9:0=1")};
    const struct spec_intel_rdt wanted = {.set = true, .schemata = {lines, 2}, .enable_monitoring = true};
    struct resctrl_name name;
    assert_int_equal(locate(&wanted, &name), 0);
    assert_int_equal(resctrl_make(root, &wanted, &name, &why), -1);
    refused(FAILURE_CONFIG, "/linux/intelRdt/schemata/1", "write 'L9:0=1' to the schemata of resctrl group '" ID "': Invalid argument");
    assert_string_equal(why.hint, "info/last_cmd_status of resctrl says: Unknown or unsupported resource name 'L9'");
    assert_true(name.made && name.monitor == NULL);
    remove_it(&name, RESCTRL_UNDO);
    assert_false(exists(ID));

    put("full", "");
    const struct spec_intel_rdt plain = {.set = true};
    assert_int_equal(locate(&plain, &name), 0);
    assert_int_equal(resctrl_make(root, &plain, &name, &why), -1);
    assert_non_null(strstr(why.text, "make resctrl group '" ID "': No space left on device"));
    assert_non_null(strstr(why.hint, "share one by closID"));
    assert_false(name.made);
}

/* Any user of the host may open the mount's directory, and hold its lock for ever. */
static void test_resctrl_lock_of_somebody_else(void **state)
{
    (void)state;
    const struct spec_intel_rdt wanted = {.set = true, .clos_id = word("gold"), .l3_cache_schema = word("L3:0=f;1=f")};
    struct spec_intel_rdt old;
    struct resctrl_name made, name;
    make(&wanted, &made);
    assert_int_equal(locate(&(struct spec_intel_rdt){.set = true}, &name), 0);
    int holder = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(holder, LOCK_EX), 0);
    assert_int_equal(setenv("RESCTRL_LOCK_MS", "20", 1), 0);
    assert_int_equal(resctrl_make(root, &(struct spec_intel_rdt){.set = true}, &name, &why), -1);
    refused(FAILURE_HOST, "", "lock the resctrl file system");
    assert_non_null(strstr(why.hint, "somebody holds the lock of resctrl"));
    assert_false(name.made || exists(ID));
    assert_int_equal(resctrl_update(root, &made, &wanted, &arena, &old, &why), -1);
    refused(FAILURE_HOST, "", "lock the resctrl file system");
    /* What is removed without the lock could be about to get a process; nobody waits for it either. */
    remove_it(&made, RESCTRL_UNDO);
    assert_true(exists("gold"));
    assert_int_equal(close(holder), 0);
    remove_it(&made, RESCTRL_UNDO);
    assert_false(exists("gold"));
    assert_int_equal(unsetenv("RESCTRL_LOCK_MS"), 0);
}

/* A record may be damaged: no name leads out of the tree. */
static void test_resctrl_names_stay_in_the_tree(void **state)
{
    (void)state;
    char longest[300];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(mkdir(arena_format(&arena, "%s/victim", top), 0755), 0);
    for (const char *const *bad = (const char *const[]){"..", ".", "", "../victim", "a/b", longest, NULL}; *bad; bad++) {
        char *name = word(*bad);
        struct resctrl_name group = {.group = name, .made = true}, monitor = {.group = word("/"), .monitor = name};
        assert_int_equal(resctrl_remove(root, &group, RESCTRL_DELETE, &why), -1);
        assert_int_equal(resctrl_remove(root, &monitor, RESCTRL_DELETE, &why), -1);
        assert_int_equal(resctrl_enter(root, &group, 1, &why), -1);
        assert_int_equal(resctrl_enter(root, &monitor, 1, &why), -1);
    }
    assert_int_equal(access(arena_format(&arena, "%s/victim", top), F_OK), 0);
    remove_it(&(struct resctrl_name){0}, RESCTRL_DELETE); /* nothing was asked for */
}

static void test_resctrl_absent(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("RESCTRL_TREE"), 0);
    assert_int_equal(resctrl_open(&why), -1);
    assert_int_equal(why.kind, FAILURE_HOST);
    assert_string_equal(why.pointer, "/linux/intelRdt");
    assert_non_null(strstr(why.hint, "mount -t resctrl resctrl /sys/fs/resctrl"));
}

static void test_resctrl_line_of_mountinfo(void **state)
{
    (void)state;
    static const struct { const char *line, *place; } rows[] = {
        {"36 25 0:31 / /sys/fs/resctrl rw,relatime shared:1 - resctrl resctrl rw", "/sys/fs/resctrl"},
        {"36 25 0:31 / /a\\040b\\134\\011c rw - resctrl none rw,cdp", "/a b\\\tc"},
        {"36 25 0:31 / /x\\04 rw - resctrl none rw", "/x\\04"},
        {"36 25 0:31 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", NULL},
        {"36 25 0:31 / /resctrl rw - resctrlfs none rw", NULL},
        {"36 25 - resctrl", NULL},
        {"36 - resctrl x", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char *place = resctrl_mount_of_line(arena_copy(&arena, rows[i].line));
        if (rows[i].place == NULL)
            assert_null(place);
        else
            assert_string_equal(place, rows[i].place);
    }
}

static void test_resctrl_schema_compare(void **state)
{
    (void)state;
    static const struct { const char *wanted, *line; uint64_t step; enum schema_answer answer; } rows[] = {
        {"L3:0=ff", "L3:0=ff", 0, SCHEMA_SAME},
        {"L3CODE:0=ff", "L3CODE:0=0ff;1=1", 0, SCHEMA_SAME},
        {"L3:0=10", "L3:0=16", 0, SCHEMA_DIFFERENT}, /* hexadecimal both */
        {"MB:0=10", "MB:0=16", 0, SCHEMA_DIFFERENT},
        {"MB:0=11", "MB:0=20", 10, SCHEMA_SAME},
        {"MB:0=21", "MB:0=20", 10, SCHEMA_DIFFERENT},
        {"L3:0=11", "L3:0=20", 16, SCHEMA_DIFFERENT}, /* masks are not rounded */
        {"MB:0=18446744073709551615", "MB:0=0", 10, SCHEMA_DIFFERENT},
        {"MB:0=18446744073709551616", "MB:0=0", 10, SCHEMA_MALFORMED},
        {"MB:0=a", "MB:0=10", 0, SCHEMA_MALFORMED},
        {"L3:0=g", "L3:0=1", 0, SCHEMA_MALFORMED},
        {"L3:0=0x", "L3:0=0", 0, SCHEMA_MALFORMED},
        {"L3:0=1;;1=1", "L3:0=1;1=1", 0, SCHEMA_MALFORMED},
        {"L3:0=2;1", "L3:0=1;1=1", 0, SCHEMA_MALFORMED},
        {"L3", "L3:0=1", 0, SCHEMA_MALFORMED},
        {":0=1", "L3:0=1", 0, SCHEMA_MALFORMED},
        {"L3:0=1", "L3:uninitialized", 0, SCHEMA_DIFFERENT},
        {"L3:0=1", "L3:", 0, SCHEMA_DIFFERENT},
        {"L3:0=1", "", 0, SCHEMA_DIFFERENT},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_int_equal(schema_compare(rows[i].wanted, rows[i].line, strlen(rows[i].line), rows[i].step), rows[i].answer);
    size_t length;
    const char *text = "  L3:0=1\n    MB:0=2\nL3CODE:0=3";
    const char *line = schema_find(text, "MB", &length);
    assert_string_equal(arena_copy_n(&arena, line, length), "MB:0=2");
    line = schema_find(text, "L3CODE", &length);
    assert_string_equal(arena_copy_n(&arena, line, length), "L3CODE:0=3");
    assert_null(schema_find(text, "L", &length));
    assert_null(schema_find("", "L3", &length));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_resctrl_own_group),
        TEST(test_resctrl_foreign_group_of_our_name),
        TEST(test_resctrl_schemata_in_order),
        TEST(test_resctrl_root_group),
        TEST(test_resctrl_named_group_is_made_and_stays),
        TEST(test_resctrl_undo_of_a_named_group),
        TEST(test_resctrl_named_group_made_meanwhile),
        TEST(test_resctrl_named_group_without_schema),
        TEST(test_resctrl_named_group_is_compared),
        TEST(test_resctrl_directories_that_are_no_groups),
        TEST(test_resctrl_monitoring),
        TEST(test_resctrl_failures_say_what_the_kernel_says),
        TEST(test_resctrl_lock_of_somebody_else),
        TEST(test_resctrl_names_stay_in_the_tree),
        TEST(test_resctrl_absent),
        TEST(test_resctrl_line_of_mountinfo),
        TEST(test_resctrl_schema_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
