/* Unit tests of base/spawn.c with programs that behave badly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/pid.h"
#include "base/spawn.h"
#include "base/text.h"

static struct spawn_result result;
static struct failure why;

static void run_shell(const char *script, const char *input, size_t input_length, int timeout_ms)
{
    char sh[] = "sh", option[] = "-c";
    char *argv[] = {sh, option, (char *)(uintptr_t)script, NULL};
    struct spawn spawn = {
        .path = "/bin/sh", .argv = argv, .input = input, .input_length = input_length, .directory_fd = -1, .timeout_ms = timeout_ms};
    assert_int_equal(spawn_run(&spawn, &result, &why), 0);
}

static void expect_exit(int status)
{
    assert_int_equal(result.exec_errno, 0);
    assert_int_equal(result.timed_out, 0);
    assert_true(WIFEXITED(result.wait_status));
    assert_int_equal(WEXITSTATUS(result.wait_status), status);
}

static int count_own_fds(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void input_and_words(void **state)
{
    (void)state;
    run_shell("cat; echo said >&2; exit 3", "given ", 6, 0);
    expect_exit(3);
    assert_string_equal(result.tail, "given said");
    char sentence[256];
    spawn_describe(&result, sentence, sizeof(sentence));
    assert_string_equal(sentence, "exited with status 3, saying: \"given said\"");
    run_shell("exit 0", NULL, 0, 0);
    expect_exit(0);
    assert_string_equal(result.tail, "");
    spawn_describe(&result, sentence, sizeof(sentence));
    assert_string_equal(sentence, "exited with status 0");
}

/* More than any socket buffer holds, to a program that never looks: no SIGPIPE, no waiting. */
static void a_program_that_does_not_read(void **state)
{
    (void)state;
    enum { SIZE = 4 << 20 };
    char *input = memory_new(SIZE);
    run_shell("exit 0", input, SIZE, 20000);
    expect_exit(0);
    run_shell("exec 0<&-; exec sleep 0.2", input, SIZE, 20000);
    expect_exit(0);
    run_shell("head -c 1 >/dev/null; exit 4", input, SIZE, 20000);
    expect_exit(4);
    run_shell("wc -c", input, SIZE, 20000);
    expect_exit(0);
    assert_string_equal(result.tail, "4194304");
    free(input);
}

/* Input and output at once, each larger than the buffers between. */
static void both_directions_at_once(void **state)
{
    (void)state;
    enum { SIZE = 4 << 20 };
    char *input = memory_new(SIZE);
    memset(input, 'i', SIZE);
    memcpy(input + SIZE - 4, "last", 4);
    run_shell("cat", input, SIZE, 20000);
    expect_exit(0);
    assert_int_equal(strlen(result.tail), sizeof(result.tail) - 1);
    assert_true(text_ends(result.tail, "iiilast"));
    free(input);
}

static void of_huge_output_the_end_is_kept(void **state)
{
    (void)state;
    run_shell("head -c 3000000 /dev/zero | tr '\\0' x; printf THE-END", NULL, 0, 20000);
    expect_exit(0);
    assert_int_equal(strlen(result.tail), sizeof(result.tail) - 1);
    assert_true(text_ends(result.tail, "xxxTHE-END"));
    /* One byte at a time over the border. */
    run_shell("i=0; while [ $i -lt 1030 ]; do printf y; i=$((i+1)); done; printf END", NULL, 0, 20000);
    assert_int_equal(strlen(result.tail), sizeof(result.tail) - 1);
    assert_true(text_ends(result.tail, "yyyEND"));
}

static void words_are_tamed(void **state)
{
    (void)state;
    run_shell("printf '\\033[31m\\302\\2330m\\377 caf\\303\\251\\n\\n'", NULL, 0, 0);
    assert_string_equal(result.tail, "?[31m??0m? caf\xc3\xa9");
    /* A NUL byte hides nothing of what follows. */
    run_shell("printf 'a\\000b'", NULL, 0, 0);
    assert_string_equal(result.tail, "a?b");
}

static void an_endless_program_is_killed(void **state)
{
    (void)state;
    int64_t begun = clock_now_ms();
    run_shell("echo begun; exec sleep 1000", NULL, 0, 300);
    assert_int_equal(result.timed_out, 1);
    assert_true(WIFSIGNALED(result.wait_status));
    assert_int_equal(WTERMSIG(result.wait_status), SIGKILL);
    assert_true(result.elapsed_ms >= 300 && clock_now_ms() - begun < 10000);
    assert_string_equal(result.tail, "begun");
    char sentence[256];
    spawn_describe(&result, sentence, sizeof(sentence));
    assert_true(text_starts(sentence, "timed out after "));
    /* One that writes for ever, ignores signals, and keeps its stdin full. */
    char *input = memory_new(1 << 20);
    begun = clock_now_ms();
    run_shell("trap '' TERM INT HUP; while :; do echo flood; done", input, 1 << 20, 300);
    assert_int_equal(result.timed_out, 1);
    assert_true(clock_now_ms() - begun < 10000);
    free(input);
}

/* What the program leaves behind may hold its stdout and stdin: nobody waits for it. */
static void a_child_holding_the_pipe(void **state)
{
    (void)state;
    int64_t begun = clock_now_ms();
    run_shell("sleep 3 & echo left it; exit 5", "unread", 6, 20000);
    assert_true(clock_now_ms() - begun < 2500);
    expect_exit(5);
    assert_string_equal(result.tail, "left it");
    /* The same where the child never stops writing. */
    begun = clock_now_ms();
    run_shell("(i=0; while [ $i -lt 200000 ]; do echo noise; i=$((i+1)); done) & exit 6", NULL, 0, 20000);
    assert_true(clock_now_ms() - begun < 5000);
    expect_exit(6);
}

static void what_cannot_be_executed(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int errnum;
    } rows[] = {{"/no/such/program", ENOENT}, {"/etc/passwd", EACCES}, {"/tmp", EACCES}, {"/etc/passwd/below", ENOTDIR}, {"", ENOENT}};
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct spawn spawn = {.path = rows[i].path, .directory_fd = -1};
        assert_int_equal(spawn_run(&spawn, &result, &why), 0);
        assert_int_equal(result.exec_errno, rows[i].errnum);
        char sentence[256];
        spawn_describe(&result, sentence, sizeof(sentence));
        assert_true(text_starts(sentence, "could not be executed: "));
    }
    int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    struct spawn spawn = {.path = "/bin/true", .directory_fd = file};
    assert_int_equal(spawn_run(&spawn, &result, &why), 0);
    assert_int_equal(result.exec_errno, ENOTDIR);
    close(file);
}

static void an_interruption_kills(void **state)
{
    (void)state;
    int ends[2];
    char sh[] = "sh", option[] = "-c", script[] = "sleep 100", *argv[] = {sh, option, script, NULL};
    assert_int_equal(pipe(ends), 0);
    struct spawn spawn = {.path = "/bin/sh", .argv = argv, .directory_fd = -1, .interruption = &ends[0], .timeout_ms = 20000};
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(spawn_run(&spawn, &result, &why), 0);
    assert_true(result.interrupted);
    assert_false(result.timed_out);
    assert_true(WIFSIGNALED(result.wait_status));
    char sentence[128];
    spawn_describe(&result, sentence, sizeof(sentence));
    assert_true(text_starts(sentence, "was interrupted after "));
    close(ends[0]);
    close(ends[1]);
}

static void death_by_signal(void **state)
{
    (void)state;
    run_shell("kill -SEGV $$", NULL, 0, 0);
    char sentence[64];
    spawn_describe(&result, sentence, sizeof(sentence));
    assert_string_equal(sentence, "was killed by signal 11");
    spawn_describe(&result, sentence, 5);
    assert_string_equal(sentence, "was ");
}

static void the_program_gets_what_it_should(void **state)
{
    (void)state;
    char sh[] = "sh", option[] = "-c", script[] = "pwd; echo $ONLY-$HOME; echo $(ls /proc/self/fd)", only[] = "ONLY=this";
    char *envp[] = {only, NULL}, *argv[] = {sh, option, script, NULL};
    int directory = open("/usr", O_PATH | O_CLOEXEC), leaked = dup(STDIN_FILENO);
    struct spawn spawn = {.path = "/bin/sh", .argv = argv, .envp = envp, .directory_fd = directory};
    assert_int_equal(spawn_run(&spawn, &result, &why), 0);
    expect_exit(0);
    assert_string_equal(result.tail, "/usr this- 0 1 2 3"); /* 3 is the directory that ls reads */
    close(leaked);
    close(directory);
}

/* A blocked signal of ours must not make the helper deaf. */
static void signals_are_unblocked(void **state)
{
    (void)state;
    sigset_t all, old;
    sigfillset(&all);
    assert_int_equal(sigprocmask(SIG_SETMASK, &all, &old), 0);
    run_shell("grep SigBlk /proc/self/status", NULL, 0, 0);
    assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    assert_string_equal(result.tail, "SigBlk: 0000000000000000");
}

static void nothing_is_left_over(void **state)
{
    (void)state;
    int before = count_own_fds();
    for (int i = 0; i < 5; i++) {
        run_shell("sleep 0.01 & exec cat", "x", 1, i == 0 ? 1 : 0);
        struct spawn absent = {.path = "/no/such", .directory_fd = -1};
        assert_int_equal(spawn_run(&absent, &result, &why), 0);
    }
    assert_int_equal(count_own_fds(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_and_words),
        cmocka_unit_test(a_program_that_does_not_read),
        cmocka_unit_test(both_directions_at_once),
        cmocka_unit_test(of_huge_output_the_end_is_kept),
        cmocka_unit_test(words_are_tamed),
        cmocka_unit_test(an_endless_program_is_killed),
        cmocka_unit_test(a_child_holding_the_pipe),
        cmocka_unit_test(what_cannot_be_executed),
        cmocka_unit_test(an_interruption_kills),
        cmocka_unit_test(death_by_signal),
        cmocka_unit_test(the_program_gets_what_it_should),
        cmocka_unit_test(signals_are_unblocked),
        cmocka_unit_test(nothing_is_left_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
