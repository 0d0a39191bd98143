/* Unit tests of base/log.c.  The log is the process's own: each case runs in a child. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

static char root[] = "/tmp/crun-lite-test-XXXXXX";
static char path[128], destination[160];
static struct failure why;
static struct arena arena;
static char *content;

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(root) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/log", root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return file_remove_tree_at(AT_FDCWD, root);
}

/* Runs `body` in a child with a fresh log file and reads what came. */
static void logged(void (*body)(void))
{
    int status;
    (void)unlink(path); /* of the case before */
    pid_t pid = fork();
    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(file_read_at(-1, path, 1 << 20, &arena, &content) >= 0);
}

static void must(int result)
{
    if (result < 0)
        _exit(2);
}

/* "2026-01-02T03:04:05.678901Z" */
static size_t time_length(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.ddddddZ";
    for (size_t i = 0; i < sizeof(form) - 1; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return 0;
    return sizeof(form) - 1;
}

static void expect_json(const char *level, const char *message)
{
    char begin[4096];
    int length = snprintf(begin, sizeof(begin), "{\"level\":\"%s\",\"msg\":\"%s\",\"time\":\"", level, message);
    assert_true(length > 0 && strlen(content) > (size_t)length);
    char *end = content + length + time_length(content + length);
    assert_string_equal(end, "\"}\n");
    content[length] = '\0';
    assert_string_equal(content, begin);
}

static void log_quotes(void)
{
    must(log_open(path, &why));
    log_set(LOG_JSON, LOG_WARNING);
    log_warning("say \"%s\" \\ \n\t\x01\x1b[0m /slash", "quoted");
}

static void log_odd_bytes(void)
{
    must(log_open(path, &why));
    log_set(LOG_JSON, LOG_DEBUG);
    log_debug("%s", "caf\xc3\xa9 \xff\xc0\x80 \xed\xa0\x80 \xc2\x9b \x7f");
}

static void json_is_escaped(void **state)
{
    (void)state;
    logged(log_quotes);
    expect_json("warning", "say \\\"quoted\\\" \\\\   ??[0m /slash");
    logged(log_odd_bytes);
    expect_json("debug", "caf\xc3\xa9 ??? ??? ?? ?");
}

static void log_too_much(void)
{
    char big[5000];
    memset(big, '"', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    must(log_open(path, &why));
    log_set(LOG_JSON, LOG_ERROR);
    fail_config(&why, "/p", "%s", big);
    log_failure(&why);
}

/* Cut before it is escaped: the object is whole. */
static void a_cut_message_is_still_json(void **state)
{
    (void)state;
    logged(log_too_much);
    assert_true(text_starts(content, "{\"level\":\"error\",\"msg\":\"\\\"\\\"\\\""));
    assert_non_null(strstr(content, "\\\" (config.json /p)\",\"time\":\""));
    assert_true(text_ends(content, "Z\"}\n"));
}

static void log_plain(void)
{
    must(log_open(path, &why));
    log_set(LOG_TEXT, LOG_DEBUG);
    log_warning("two\nlines");
    log_debug("%s", "100%s %n");
}

static void text_lines(void **state)
{
    (void)state;
    logged(log_plain);
    size_t first = time_length(content);
    assert_int_not_equal(first, 0);
    char *second = strchr(content, '\n') + 1;
    second[-1] = '\0';
    assert_string_equal(content + first, " warning: two lines");
    assert_string_equal(second + time_length(second), " debug: 100%s %n\n");
}

static void log_below_the_level(void)
{
    must(log_open(path, &why));
    log_set(LOG_JSON, LOG_ERROR);
    log_debug("no");
    log_warning("no");
    log_set(LOG_JSON, LOG_WARNING);
    log_debug("no");
}

static void log_nothing(void)
{
    must(log_open(path, &why));
}

/* Engines take any word in the log for an error; but the file must be there. */
static void silence_below_the_level(void **state)
{
    (void)state;
    logged(log_below_the_level);
    assert_string_equal(content, "");
    logged(log_nothing);
    assert_string_equal(content, "");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void log_by_every_name(void)
{
    char word[160];
    snprintf(word, sizeof(word), "file:%s", path);
    must(log_open(word, &why));
    log_set(LOG_TEXT, LOG_WARNING);
    log_warning("as file");
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    snprintf(word, sizeof(word), "fd:%d", fd);
    must(log_open(word, &why));
    fd_close(&fd); /* the log has its own copy */
    if (log_fd() < 3 || fcntl(log_fd(), F_GETFD) != FD_CLOEXEC)
        _exit(3);
    log_warning("as fd");
}

static void destinations(void **state)
{
    (void)state;
    logged(log_by_every_name);
    assert_non_null(strstr(content, "warning: as file\n"));
    assert_non_null(strstr(content, "warning: as fd\n"));
}

static void log_twice(void)
{
    must(log_open(path, &why));
    log_set(LOG_TEXT, LOG_WARNING);
    if (fork() == 0) {
        for (int i = 0; i < 200; i++)
            log_warning("child %s", "cccccccccccccccccccccccccccccccccccccccc");
        _exit(0);
    }
    for (int i = 0; i < 200; i++)
        log_warning("parent %s", "pppppppppppppppppppppppppppppppppppp");
    int status;
    if (wait(&status) < 0 || status != 0)
        _exit(4);
}

/* Creator and init write the same file: whole lines. */
static void lines_do_not_mix(void **state)
{
    (void)state;
    int count = 0;
    logged(log_twice);
    for (char *line = content, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, count++) {
        *end = '\0';
        size_t length = time_length(line);
        assert_int_not_equal(length, 0);
        assert_true(text_equal(line + length, " warning: child cccccccccccccccccccccccccccccccccccccccc") ||
                    text_equal(line + length, " warning: parent pppppppppppppppppppppppppppppppppppp"));
    }
    assert_int_equal(count, 400);
}

static void bad_destinations(void **state)
{
    (void)state;
    static const char *const words[] = {"fd:", "fd:-1", "fd:x", "fd:9999", "fd:65536", "fd: 1", "fd:1x"};
    assert_int_equal(log_open(NULL, &why), 0);
    assert_int_equal(log_open("", &why), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        assert_int_equal(log_open(words[i], &why), -1);
        assert_int_equal(why.kind, FAILURE_USAGE);
        assert_non_null(strstr(why.text, words[i]));
    }
    snprintf(destination, sizeof(destination), "%s/no/such/log", root);
    assert_int_equal(log_open(destination, &why), -1);
    assert_non_null(strstr(why.text, destination));
    assert_int_equal(log_open("file:", &why), -1);
    assert_int_equal(log_open(root, &why), -1); /* a directory */
    assert_int_equal(log_fd(), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_escaped),
        cmocka_unit_test(a_cut_message_is_still_json),
        cmocka_unit_test(text_lines),
        cmocka_unit_test(silence_below_the_level),
        cmocka_unit_test(destinations),
        cmocka_unit_test(lines_do_not_mix),
        cmocka_unit_test(bad_destinations),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
