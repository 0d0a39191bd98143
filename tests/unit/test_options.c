/* Unit tests of cmd/options.c: the grammar that engines rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cmd/cmd.h"

static struct {
    bool all, detach, debug;
    const char *bundle, *pid_file, *log, *log_format;
    unsigned preserve;
    struct strings env;
} given;

static const struct option_row rows[] = {
    {"all", 'a', OPTION_FLAG, &given.all, NULL, ""},
    {"detach", 'd', OPTION_FLAG, &given.detach, NULL, ""},
    {"debug", 0, OPTION_FLAG, &given.debug, NULL, ""},
    {"bundle", 'b', OPTION_TEXT, &given.bundle, "DIR", ""},
    {"pid-file", 0, OPTION_TEXT, &given.pid_file, "FILE", ""},
    {"log", 0, OPTION_TEXT, &given.log, "DEST", ""},
    {"log-format", 0, OPTION_TEXT, &given.log_format, "FORMAT", ""},
    {"preserve-fds", 0, OPTION_NUMBER, &given.preserve, "N", ""},
    {"env", 'e', OPTION_TEXTS, &given.env, "NAME=VALUE", ""},
};

static struct failure why;
static char copies[32][64];
static char *argv[33];
static int argc, used;

/* Splits a line at blanks; "''" is an empty word. */
static int read_line(const char *line, enum options_order order)
{
    char words[512];
    char *rest = words, *word;
    free(given.env.items);
    memset(&given, 0, sizeof(given));
    memset(&why, 0, sizeof(why));
    snprintf(words, sizeof(words), "%s", line);
    for (argc = 0; (word = strsep(&rest, " ")) != NULL; argc++) {
        snprintf(copies[argc], sizeof(copies[argc]), "%s", text_equal(word, "''") ? "" : word);
        argv[argc] = copies[argc];
    }
    argv[argc] = NULL;
    used = -1;
    return options_read(argc, argv, rows, ARRAY_LENGTH(rows), order, &used, &why);
}

/* The positional words, joined. */
static const char *positionals(void)
{
    static char joined[512];
    joined[0] = '\0';
    for (int i = used; i < argc; i++) {
        strncat(joined, argv[i], sizeof(joined) - strlen(joined) - 1);
        strncat(joined, i + 1 < argc ? " " : "", sizeof(joined) - strlen(joined) - 1);
    }
    return joined;
}

static void values(void **state)
{
    (void)state;
    static const struct {
        const char *line, *bundle, *pid_file;
        unsigned preserve;
        const char *rest;
    } cases[] = {
        {"create", NULL, NULL, 0, ""},
        {"create c1", NULL, NULL, 0, "c1"},
        {"create --bundle /b c1", "/b", NULL, 0, "c1"},
        {"create --bundle=/b c1", "/b", NULL, 0, "c1"},
        {"create -bundle /b c1", "/b", NULL, 0, "c1"},
        {"create -bundle=/b c1", "/b", NULL, 0, "c1"},
        {"create -b /b c1", "/b", NULL, 0, "c1"},
        {"create -b/b c1", "/b", NULL, 0, "c1"},
        {"create --bundle= c1", "", NULL, 0, "c1"},
        {"create --bundle '' c1", "", NULL, 0, "c1"},
        {"create --bundle --pid-file c1", "--pid-file", NULL, 0, "c1"},
        {"create --bundle -- c1", "--", NULL, 0, "c1"},
        {"create --bundle a=b c1", "a=b", NULL, 0, "c1"},
        {"create --bundle=a=b c1", "a=b", NULL, 0, "c1"},
        {"create --bundle /one --bundle /two c1", "/two", NULL, 0, "c1"},
        {"create -b /one -bundle=/two --bundle /three c1", "/three", NULL, 0, "c1"},
        {"create --pid-file p --preserve-fds 3 -- c1", NULL, "p", 3, "c1"},
        {"create --preserve-fds=0 c1", NULL, NULL, 0, "c1"},
        {"create --preserve-fds 2147483647 c1", NULL, NULL, 2147483647, "c1"},
        {"create --preserve-fds 007 c1", NULL, NULL, 7, "c1"},
        {"create --preserve-fds 1 --preserve-fds 2 c1", NULL, NULL, 2, "c1"},
        {"create --pid p c1", NULL, "p", 0, "c1"}, /* an abbreviation of one option only */
        {"create -- --bundle", NULL, NULL, 0, "--bundle"},
        {"create -- -- c1", NULL, NULL, 0, "-- c1"},
        {"create -", NULL, NULL, 0, "-"},
        {"create ''", NULL, NULL, 0, ""},
    };
    for (int order = OPTIONS_FIRST; order <= OPTIONS_ANYWHERE; order++)
        for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
            print_message("# %s\n", cases[i].line);
            assert_int_equal(read_line(cases[i].line, (enum options_order)order), 0);
            assert_true(text_equal(given.bundle, cases[i].bundle));
            assert_true(text_equal(given.pid_file, cases[i].pid_file));
            assert_int_equal(given.preserve, cases[i].preserve);
            assert_string_equal(positionals(), cases[i].rest);
        }
}

static void repeated_options_add_up(void **state)
{
    (void)state;
    assert_int_equal(read_line("exec -e A=1 --env B=2 -env=C=3 --env= c1 prog --env D=4", OPTIONS_FIRST), 0);
    assert_int_equal(given.env.count, 4);
    assert_string_equal(given.env.items[0], "A=1");
    assert_string_equal(given.env.items[1], "B=2");
    assert_string_equal(given.env.items[2], "C=3");
    assert_string_equal(given.env.items[3], "");
    assert_string_equal(positionals(), "c1 prog --env D=4");
    assert_int_equal(read_line("exec c1", OPTIONS_FIRST), 0);
    assert_int_equal(given.env.count, 0);
    assert_int_equal(read_line("exec c1 --env", OPTIONS_FIRST), 0);
    assert_int_equal(read_line("exec --env", OPTIONS_FIRST), -1);
    assert_string_equal(why.text, "flag needs an argument: --env");
}

static void flags(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool all, detach;
        const char *rest;
    } cases[] = {
        {"run --all c1", true, false, "c1"},
        {"run -all c1", true, false, "c1"},
        {"run -a c1", true, false, "c1"},
        {"run -ad c1", true, true, "c1"},
        {"run --all=true c1", true, false, "c1"},
        {"run -all=true c1", true, false, "c1"},
        {"run --all=1 c1", true, false, "c1"},
        {"run --all=false c1", false, false, "c1"},
        {"run -all=false c1", false, false, "c1"},
        {"run --all=0 c1", false, false, "c1"},
        {"run --all --all=false c1", false, false, "c1"},
        {"run --all=false --all c1", true, false, "c1"},
        {"run --detach=true --detach=false --detach=true c1", false, true, "c1"},
        {"run --all true", true, false, "true"}, /* a flag takes its value after '=' only */
        {"run --al --det c1", true, true, "c1"},
        {"run -a=true c1", true, false, "c1"},
        {"run -a -a=false -d c1", false, true, "c1"},
        {"run -d=1 -a=0 c1", false, true, "c1"},
        {"run -da=true c1", true, true, "c1"},
        {"run -e=A=B -a=false y sh", false, false, "y sh"}, /* no word is read as another one's letters */
        {"run -ae=A c1", true, false, "c1"},
        {"run -aeA c1", true, false, "c1"},
        {"run -ae A c1", true, false, "c1"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].line);
        assert_int_equal(read_line(cases[i].line, OPTIONS_FIRST), 0);
        assert_int_equal(given.all, cases[i].all);
        assert_int_equal(given.detach, cases[i].detach);
        assert_string_equal(positionals(), cases[i].rest);
    }
}

/* A name that is whole is itself, also where it begins another. */
static void whole_names_win(void **state)
{
    (void)state;
    assert_int_equal(read_line("x --log a --log-format b", OPTIONS_FIRST), 0);
    assert_string_equal(given.log, "a");
    assert_string_equal(given.log_format, "b");
    assert_int_equal(read_line("x -log=a -log-format=b", OPTIONS_FIRST), 0);
    assert_string_equal(given.log, "a");
    assert_string_equal(given.log_format, "b");
    assert_int_equal(read_line("x --log-f b", OPTIONS_FIRST), 0);
    assert_null(given.log);
    assert_string_equal(given.log_format, "b");
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"x --unknown c1", "'--unknown'"},
        {"x -e=A=B -Zt y sh", "'-Zt'"},
        {"x -aZ c1", "'-aZ'"},
        {"x --bundle DIR -xyz list", "'-xyz'"},
        {"x -a=maybe c1", "option --all takes true or false, found 'maybe'"},
        {"x -a=", "found ''"},
        {"x -d=TRUE", "option --detach takes true or false, found 'TRUE'"},
        {"x -e", "flag needs an argument: --env"},
        {"x -ae", "flag needs an argument: --env"},
        {"x -p c1", "'-p'"}, /* pid-file or preserve-fds */
        {"x -=1 c1", "'-=1'"},
        {"x --unknown=1 c1", "'--unknown=1'"},
        {"x -unknown c1", "'-unknown'"},
        {"x -z c1", "'-z'"},
        {"x --allx c1", "'--allx'"},
        {"x --de c1", "'--de'"}, /* detach or debug */
        {"x --bundle", "flag needs an argument: --bundle"},
        {"x -bundle", "flag needs an argument: --bundle"},
        {"x -b", "flag needs an argument: --bundle"},
        {"x --all --pid-file", "flag needs an argument: --pid-file"},
        {"x --all=maybe c1", "option --all takes true or false, found 'maybe'"},
        {"x --all= c1", "option --all takes true or false, found ''"},
        {"x --all=TRUEE c1", "found 'TRUEE'"},
        {"x --preserve-fds", "flag needs an argument: --preserve-fds"},
        {"x --preserve-fds -1 c1", "option --preserve-fds takes a number, found '-1'"},
        {"x --preserve-fds= c1", "found ''"},
        {"x --preserve-fds 1x c1", "found '1x'"},
        {"x --preserve-fds +1 c1", "found '+1'"},
        {"x --preserve-fds 0x1 c1", "found '0x1'"},
        {"x --preserve-fds 2147483648 c1", "found '2147483648'"},
        {"x --preserve-fds 18446744073709551617 c1", "found '18446744073709551617'"},
        {"x --=x c1", "'--=x'"},
        {"x --%n%s c1", "'--%n%s'"},
    };
    for (int order = OPTIONS_FIRST; order <= OPTIONS_ANYWHERE; order++)
        for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
            print_message("# %s\n", cases[i].line);
            assert_int_equal(read_line(cases[i].line, (enum options_order)order), -1);
            assert_int_equal(why.kind, FAILURE_USAGE);
            assert_int_equal(used, -1);
            assert_non_null(strstr(why.text, cases[i].says));
        }
}

static void order_of_words(void **state)
{
    (void)state;
    /* What follows the first positional belongs to the container's program. */
    assert_int_equal(read_line("exec c1 ls --all -b x", OPTIONS_FIRST), 0);
    assert_false(given.all);
    assert_string_equal(positionals(), "c1 ls --all -b x");
    assert_int_equal(read_line("exec --detach c1 --unknown", OPTIONS_FIRST), 0);
    assert_string_equal(positionals(), "c1 --unknown");
    assert_int_equal(read_line("kill c1 --all KILL", OPTIONS_ANYWHERE), 0);
    assert_true(given.all);
    assert_string_equal(positionals(), "c1 KILL");
    assert_int_equal(read_line("kill c1 --bundle /b KILL -d last", OPTIONS_ANYWHERE), 0);
    assert_string_equal(given.bundle, "/b");
    assert_true(given.detach);
    assert_string_equal(positionals(), "c1 KILL last");
    assert_int_equal(read_line("kill c1 -- --all", OPTIONS_ANYWHERE), 0);
    assert_false(given.all);
    assert_string_equal(positionals(), "c1 --all");
    assert_int_equal(read_line("kill --all - c1 -- - -b", OPTIONS_ANYWHERE), 0);
    assert_string_equal(positionals(), "- c1 - -b");
}

/* The environment has no say in the grammar. */
static void posix_order_changes_nothing(void **state)
{
    setenv("POSIXLY_CORRECT", "1", 1);
    order_of_words(state);
    values(state);
    unsetenv("POSIXLY_CORRECT");
}

static void nothing(void **state)
{
    (void)state;
    char *none[] = {NULL};
    assert_int_equal(read_line("x", OPTIONS_ANYWHERE), 0);
    assert_int_equal(used, 1);
    assert_int_equal(options_read(argc, argv, NULL, 0, OPTIONS_FIRST, &used, &why), 0);
    assert_int_equal(options_read(0, none, rows, ARRAY_LENGTH(rows), OPTIONS_ANYWHERE, &used, &why), 0);
    assert_true(used <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(repeated_options_add_up),
        cmocka_unit_test(flags),
        cmocka_unit_test(whole_names_win),
        cmocka_unit_test(refusals),
        cmocka_unit_test(order_of_words),
        cmocka_unit_test(posix_order_changes_nothing),
        cmocka_unit_test(nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
