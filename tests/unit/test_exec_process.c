/* Unit tests of container/exec_process.c: which process exec is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "container/exec_process.h"
#include "spec/read.h"

static struct arena arena;
static struct failure why;

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct spec_process parse(const char *text)
{
    struct spec_process process;
    memset(&why, 0, sizeof(why));
    int result = spec_parse_process(text, strlen(text), &arena, &process, &why);
    assert_string_equal(why.text, "");
    assert_int_equal(result, 0);
    return process;
}

/* A container's process with everything that a document may leave out. */
static struct spec_process container(void)
{
    return parse("{\"args\": [\"init\"], \"cwd\": \"/home\", \"env\": [\"A=1\"], \"terminal\": true,"
                 " \"user\": {\"uid\": 1, \"gid\": 2, \"additionalGids\": [3]}, \"noNewPrivileges\": true,"
                 " \"capabilities\": {\"bounding\": [\"CAP_KILL\"], \"permitted\": [\"CAP_KILL\"], \"effective\": [\"CAP_KILL\"]},"
                 " \"rlimits\": [{\"type\": \"RLIMIT_CORE\", \"soft\": 1, \"hard\": 2}], \"oomScoreAdj\": 5,"
                 " \"apparmorProfile\": \"profile\", \"selinuxLabel\": \"label\","
                 " \"scheduler\": {\"policy\": \"SCHED_BATCH\"}, \"ioPriority\": {\"class\": \"IOPRIO_CLASS_BE\", \"priority\": 3},"
                 " \"execCPUAffinity\": {\"final\": \"1\"}}");
}

/* As on a command line: words that could be written to. */
static struct strings words(const char *one, const char *other)
{
    struct strings list = {arena_alloc(&arena, 2 * sizeof(char *)), 1};
    list.items[0] = arena_copy(&arena, one);
    if (other != NULL)
        list.items[list.count++] = arena_copy(&arena, other);
    return list;
}

static struct exec_request request(void)
{
    struct strings command = words("program", "-x");
    return (struct exec_request){.id = "c", .words = command.items, .words_count = command.count};
}

static void assert_words(const struct strings *list, const char *expected)
{
    char joined[256] = "";
    for (size_t i = 0; i < list->count; i++)
        snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s", i ? " " : "", list->items[i]);
    assert_string_equal(joined, expected);
}

static void test_document_is_completed_by_what_confines(void **state)
{
    (void)state;
    struct spec_process given = parse("{\"args\": [\"p\"], \"cwd\": \"/\"}"), base = container();
    exec_process_inherit(&given, &base);
    assert_words(&given.capabilities.bounding, "CAP_KILL");
    assert_true(given.no_new_privileges);
    assert_string_equal(given.apparmor_profile, "profile");
    assert_string_equal(given.selinux_label, "label");
    assert_int_equal(given.rlimits_count, 1);
    assert_int_equal(given.oom_score_adj.value, 5);
    assert_string_equal(given.scheduler.policy, "SCHED_BATCH");
    assert_int_equal(given.io_priority.priority, 3);
    assert_string_equal(given.exec_cpu_affinity.final, "1");
    /* The rest is the document's alone. */
    assert_words(&given.args, "p");
    assert_string_equal(given.cwd, "/");
    assert_int_equal(given.env.count, 0);
    assert_int_equal(given.user.uid, 0);
    assert_int_equal(given.user.additional_gids_count, 0);
    assert_false(given.terminal);
}

static void test_document_wins_where_it_speaks(void **state)
{
    (void)state;
    struct spec_process base = container();
    struct spec_process given = parse(
        "{\"args\": [\"p\"], \"cwd\": \"/\", \"noNewPrivileges\": false, \"capabilities\": {}, \"apparmorProfile\": \"other\","
        " \"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"soft\": 1, \"hard\": 2}], \"oomScoreAdj\": 0,"
        " \"scheduler\": {\"policy\": \"SCHED_IDLE\"}, \"execCPUAffinity\": {}}");
    exec_process_inherit(&given, &base);
    assert_false(given.no_new_privileges);
    assert_true(given.capabilities.set);
    assert_int_equal(given.capabilities.bounding.count, 0);
    assert_string_equal(given.apparmor_profile, "other");
    assert_string_equal(given.rlimits[0].type, "RLIMIT_NOFILE");
    assert_int_equal(given.oom_score_adj.value, 0);
    assert_string_equal(given.scheduler.policy, "SCHED_IDLE");
    assert_null(given.exec_cpu_affinity.final);
}

static void test_document_in_a_container_without_process(void **state)
{
    (void)state;
    struct spec_process given = parse("{\"args\": [\"p\"], \"cwd\": \"/\"}"), base = {0};
    exec_process_inherit(&given, &base);
    assert_false(given.capabilities.set);
    assert_false(given.no_new_privileges);
}

static void test_command_alone(void **state)
{
    (void)state;
    struct spec_process process = container();
    struct exec_request asked = request();
    assert_int_equal(exec_process_override(&process, &asked, &arena, &why), 0);
    assert_words(&process.args, "program -x");
    assert_string_equal(process.cwd, "/home");
    assert_words(&process.env, "A=1");
    assert_int_equal(process.user.uid, 1);
    assert_int_equal(process.user.gid, 2);
    assert_false(process.terminal);
    assert_true(process.no_new_privileges);
    /* Without a process in the container: no capability, the root directory. */
    struct spec_process nothing = {0};
    assert_int_equal(exec_process_override(&nothing, &asked, &arena, &why), 0);
    assert_true(nothing.set);
    assert_false(nothing.capabilities.set);
    assert_string_equal(nothing.cwd, "/");
}

static void test_options_over_the_container(void **state)
{
    (void)state;
    struct spec_process process = container();
    struct exec_request asked = request();
    asked.cwd = "/tmp";
    asked.user = "10:20";
    asked.env = words("B=2", "A=3=x");
    asked.additional_gids = words("7", "4294967294");
    asked.capabilities = words("CAP_CHOWN", NULL);
    asked.apparmor_profile = "mine";
    asked.process_label = "its";
    asked.flags = EXEC_TTY;
    assert_int_equal(exec_process_override(&process, &asked, &arena, &why), 0);
    assert_string_equal(process.cwd, "/tmp");
    assert_words(&process.env, "A=1 B=2 A=3=x"); /* environment_build keeps the last of each name */
    assert_int_equal(process.user.uid, 10);
    assert_int_equal(process.user.gid, 20);
    assert_int_equal(process.user.additional_gids_count, 3);
    assert_int_equal(process.user.additional_gids[0], 3);
    assert_int_equal(process.user.additional_gids[2], 4294967294u);
    assert_words(&process.capabilities.bounding, "CAP_KILL CAP_CHOWN");
    assert_words(&process.capabilities.effective, "CAP_KILL CAP_CHOWN");
    assert_words(&process.capabilities.permitted, "CAP_KILL CAP_CHOWN");
    assert_int_equal(process.capabilities.inheritable.count, 0);
    assert_int_equal(process.capabilities.ambient.count, 0);
    assert_string_equal(process.apparmor_profile, "mine");
    assert_string_equal(process.selinux_label, "its");
    assert_true(process.terminal);
    assert_true(process.no_new_privileges); /* no option takes it off */
}

static void test_user_grammar(void **state)
{
    (void)state;
    static const struct { const char *text; uint32_t uid, gid; } good[] = {
        {"0", 0, 2}, {"1000", 1000, 2}, {"4294967294", 4294967294u, 2}, {"5:6", 5, 6}, {"0:0", 0, 0}, {"007", 7, 2},
    };
    static const char *const bad[] = {
        "", ":", "1:", ":1", "1:2:3", "-1", "+1", "1:-1", "0x10", " 1", "1 ", "1.0", "root", "4294967295", "1:4294967295",
        "4294967296", "18446744073709551616", "99999999999999999999999999", "1\n",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        struct spec_process process = container();
        struct exec_request asked = request();
        asked.user = good[i].text;
        assert_int_equal(exec_process_override(&process, &asked, &arena, &why), 0);
        assert_int_equal(process.user.uid, good[i].uid);
        assert_int_equal(process.user.gid, good[i].gid);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct spec_process process = container();
        struct exec_request asked = request();
        asked.user = bad[i];
        print_message("# '%s'\n", bad[i]);
        assert_int_equal(exec_process_override(&process, &asked, &arena, &why), -1);
        assert_int_equal(why.kind, FAILURE_USAGE);
        assert_int_equal(process.user.uid, 1); /* untouched */
    }
}

static void test_what_has_no_meaning_beside_a_document(void **state)
{
    (void)state;
    struct exec_request asked = request();
    assert_int_equal(exec_process_check_request(&asked, &why), 0);
    asked.words_count = 0;
    assert_int_equal(exec_process_check_request(&asked, &why), -1); /* neither */
    asked.process_file = "-";
    asked.flags = EXEC_TTY | EXEC_DETACH; /* conmon gives --tty beside a document */
    assert_int_equal(exec_process_check_request(&asked, &why), 0);
    for (int option = 0; option < 9; option++) {
        struct exec_request more = asked;
        switch (option) {
        case 0: more.words_count = 2; break;
        case 1: more.cwd = "/"; break;
        case 2: more.user = "1"; break;
        case 3: more.env = words("X=1", NULL); break;
        case 4: more.additional_gids = words("X=1", NULL); break;
        case 5: more.capabilities = words("X=1", NULL); break;
        case 6: more.apparmor_profile = "x"; break;
        case 7: more.process_label = "x"; break;
        default: more.flags |= EXEC_NO_NEW_PRIVS; break;
        }
        assert_int_equal(exec_process_check_request(&more, &why), -1);
        assert_int_equal(why.kind, FAILURE_USAGE);
    }
}

static void assert_placed(const struct exec_request *asked, const char *pointer, const char *expected)
{
    char rendered[512];
    IGNORE_RESULT(fail_config(&why, pointer, "text")); /* made to be looked at */
    exec_process_place(asked, &why);
    failure_render(&why, rendered, sizeof(rendered));
    assert_string_equal(rendered, expected);
}

static void test_failures_point_into_the_right_document(void **state)
{
    (void)state;
    struct exec_request asked = request();
    asked.user = "5";
    assert_placed(&asked, "/process/user/uid", "text");
    assert_placed(&asked, "/process/user/gid", "text (config.json /process/user/gid)");
    assert_placed(&asked, "/process/rlimits/0", "text (config.json /process/rlimits/0)");
    assert_placed(&asked, "/linux/seccomp", "text (config.json /linux/seccomp)");
    asked = (struct exec_request){.process_file = "f"};
    assert_placed(&asked, "/process/user/uid", "text (process document /user/uid)");
    assert_placed(&asked, "/linux/seccomp", "text (config.json /linux/seccomp)");
    assert_placed(&asked, "", "text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_document_is_completed_by_what_confines, teardown),
        cmocka_unit_test_teardown(test_document_wins_where_it_speaks, teardown),
        cmocka_unit_test_teardown(test_document_in_a_container_without_process, teardown),
        cmocka_unit_test_teardown(test_command_alone, teardown),
        cmocka_unit_test_teardown(test_options_over_the_container, teardown),
        cmocka_unit_test_teardown(test_user_grammar, teardown),
        cmocka_unit_test_teardown(test_what_has_no_meaning_beside_a_document, teardown),
        cmocka_unit_test_teardown(test_failures_point_into_the_right_document, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
