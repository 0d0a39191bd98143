/* Unit tests of process/environment.c and process/environment_exec.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "process/process.h"

static char root[] = "/tmp/crun-lite-test-XXXXXX";
static int root_fd = -1, proc_fd = -1;
static struct arena arena;
static struct failure why;

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(root))
        return -1;
    root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    proc_fd = proc_open(&why);
    return root_fd < 0 || proc_fd < 0 || mkdirat(root_fd, "etc", 0755) < 0 || mkdirat(root_fd, "bin", 0755) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(root_fd);
    close(proc_fd);
    arena_done(&arena);
    return file_remove_tree_at(AT_FDCWD, root);
}

static void write_bytes(const char *name, const void *bytes, size_t length, mode_t mode)
{
    (void)unlinkat(root_fd, name, 0); /* may not be there */
    int fd = openat(root_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void write_text(const char *name, const char *text, mode_t mode)
{
    write_bytes(name, text, strlen(text), mode);
}

static char *path_of(const char *name)
{
    return arena_format(&arena, "%s/%s", root, name);
}

/* env is one text of lines. */
static char **build(const char *env, uid_t uid, const char *const *extra)
{
    char *items[64], **envp = NULL;
    size_t count = 0;
    char *copy = arena_copy(&arena, env);
    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n"))
        items[count++] = line;
    const struct spec_process process = {.env = {items, count}, .user = {.uid = uid}};
    memset(&why, 0, sizeof(why));
    if (environment_build(&process, root_fd, proc_fd, extra, &arena, &envp, &why) < 0)
        return NULL;
    return envp;
}

static void check_envp(char *const *envp, const char *expected)
{
    char joined[4096] = "";
    size_t length = 0;
    assert_non_null(envp);
    for (; *envp; envp++)
        length += (size_t)snprintf(joined + length, sizeof(joined) - length, "%s\n", *envp);
    assert_string_equal(joined, expected);
}

static void test_last_one_wins(void **state)
{
    static const char *const extra[] = {"LISTEN_FDS=2", "LISTEN_PID=1", NULL};
    (void)state;
    check_envp(build("A=1\nHOME=/h\nB=2\nA=3", 0, NULL), "HOME=/h\nB=2\nA=3\n");
    check_envp(build("A=1\nAB=2\nA=\nHOME=/h\nB=x=y", 0, NULL), "AB=2\nA=\nHOME=/h\nB=x=y\n");
    check_envp(build("LISTEN_FDS=9\nHOME=/h", 0, extra), "HOME=/h\nLISTEN_FDS=2\nLISTEN_PID=1\n");
    check_envp(build("HOME=/h\nHOME=/g", 0, NULL), "HOME=/g\n");
}

static void test_malformed_is_refused(void **state)
{
    (void)state;
    assert_null(build("A=1\nB", 0, NULL));
    assert_string_equal(why.pointer, "/process/env/1");
    assert_null(build("=x", 0, NULL));
    assert_string_equal(why.pointer, "/process/env/0");
}

/* A hundred thousand equal names must not take quadratic time: seconds instead of milliseconds, which the test
 * harness' limit would notice; the content is checked here. */
static void test_many(void **state)
{
    enum { COUNT = 200000 };
    char **items = malloc(COUNT * sizeof(*items)), **envp;
    char home[] = "HOME=/h";
    (void)state;
    assert_non_null(items);
    for (size_t i = 0; i < COUNT; i++)
        items[i] = i == 0 ? home : arena_format(&arena, "NAME%zu=%zu", i % 1000, i);
    const struct spec_process process = {.env = {items, COUNT}};
    assert_int_equal(environment_build(&process, root_fd, proc_fd, NULL, &arena, &envp, &why), 0);
    size_t count = 0;
    while (envp[count])
        count++;
    assert_int_equal(count, 1001);
    assert_string_equal(envp[0], "HOME=/h");
    assert_string_equal(envp[1000], "NAME999=199999");
    free(items);
}

static void test_home(void **state)
{
    (void)state;
    (void)unlinkat(root_fd, "etc/passwd", 0); /* may not be there */
    check_envp(build("A=1", 0, NULL), "A=1\nHOME=/\n");
    /* CVE-2016-3697: a name that looks like a number is a name; the id is the third field. */
    write_text("etc/passwd", "1000:x:0:0::/evil:/bin/sh\nroot:x:0:0:root:/root:/bin/sh\n\nbroken\nu:x:1000:1000::/home/u:/bin/sh\n"
                             "rel:x:7:7::home:\nshort:x:8\nlast:x:9:9::/home/last", 0644);
    check_envp(build("A=1", 1000, NULL), "A=1\nHOME=/home/u\n");
    check_envp(build("HOME=\nA=1", 1000, NULL), "HOME=/home/u\nA=1\n");
    check_envp(build("HOME=/mine", 1000, NULL), "HOME=/mine\n");
    check_envp(build("A=1", 0, NULL), "A=1\nHOME=/evil\n"); /* the first line with uid 0, as getpwuid */
    check_envp(build("A=1", 7, NULL), "A=1\nHOME=/\n");
    check_envp(build("A=1", 8, NULL), "A=1\nHOME=/\n");
    check_envp(build("A=1", 9, NULL), "A=1\nHOME=/home/last\n");
    check_envp(build("A=1", 100, NULL), "A=1\nHOME=/\n");
}

static void test_hostile_passwd(void **state)
{
    (void)state;
    (void)unlinkat(root_fd, "etc/passwd", 0); /* may not be there */
    assert_int_equal(mkfifoat(root_fd, "etc/passwd", 0644), 0); /* would block */
    check_envp(build("A=1", 0, NULL), "A=1\nHOME=/\n");
    (void)unlinkat(root_fd, "etc/passwd", 0);
    assert_int_equal(symlinkat("/etc/other", root_fd, "etc/passwd"), 0); /* absolute: starts at the root given */
    write_text("etc/other", "root:x:0:0:root:/inside:/bin/sh\n", 0644);
    check_envp(build("A=1", 0, NULL), "A=1\nHOME=/inside\n");
    (void)unlinkat(root_fd, "etc/passwd", 0);
    assert_int_equal(symlinkat("../../../../../../etc/passwd", root_fd, "etc/passwd"), 0); /* the host's: out of reach */
    check_envp(build("A=1", 0, NULL), "A=1\nHOME=/\n");
    (void)unlinkat(root_fd, "etc/passwd", 0);
    /* 2 MiB before the line: beyond the bound. */
    char *big = malloc(2u << 20);
    assert_non_null(big);
    memset(big, 'x', 2u << 20);
    memcpy(big + (2u << 20) - 32, "\nr:x:0:0::/far:/bin/sh\n", 23);
    write_bytes("etc/passwd", big, 2u << 20, 0644);
    free(big);
    check_envp(build("A=1", 0, NULL), "A=1\nHOME=/\n");
}

static int find(const char *name, const char *path, char **ret_path)
{
    char *envp[] = {path ? arena_format(&arena, "PATH=%s", path) : NULL, NULL};
    memset(&why, 0, sizeof(why));
    *ret_path = NULL;
    return environment_find_program(name, envp, root, &arena, ret_path, &why);
}

static void test_find(void **state)
{
    char *path, *search = arena_format(&arena, "/nowhere:%s:%s", path_of("etc"), path_of("bin"));
    (void)state;
    write_text("bin/tool", "#!/bin/sh\n", 0755);
    write_text("etc/tool", "no program", 0644); /* not executable: passed over */
    write_text("etc/plain", "no program", 0644);
    assert_int_equal(mkdirat(root_fd, "bin/directory", 0755), 0);
    assert_int_equal(find("tool", search, &path), 0);
    assert_string_equal(path, path_of("bin/tool"));
    assert_int_equal(find("bin/tool", "/nowhere", &path), 0); /* relative to cwd */
    assert_string_equal(path, path_of("bin/tool"));
    assert_int_equal(find("tool", "bin", &path), 0); /* so is a relative element */
    assert_string_equal(path, path_of("bin/tool"));
    assert_int_equal(find(path_of("bin/tool"), NULL, &path), 0);
    assert_int_equal(find("sh", NULL, &path), 0); /* no PATH: the default one */
    assert_string_equal(path, "/bin/sh");

    assert_int_equal(find("absent", search, &path), -1);
    assert_string_equal(why.text, "executable file `absent` not found in $PATH: No such file or directory");
    assert_int_equal(why.exit_code, 127);
    assert_int_equal(find("sh", "", &path), -1); /* PATH empty: cwd only */
    assert_int_equal(why.exit_code, 127);
    assert_int_equal(find("", search, &path), -1);
    assert_string_equal(why.text, "executable file `` not found in $PATH: No such file or directory");
    assert_int_equal(find("directory", search, &path), -1); /* execvp passes over directories too */
    assert_int_equal(why.exit_code, 127);
    assert_int_equal(find("plain", search, &path), -1);
    assert_string_equal(why.text, arena_format(&arena, "exec `%s`: Permission denied", path_of("etc/plain")));
    assert_int_equal(why.exit_code, 126);
    assert_int_equal(find(path_of("bin/none"), NULL, &path), -1);
    assert_string_equal(why.text, arena_format(&arena, "open executable `%s`: No such file or directory", path_of("bin/none")));
    assert_int_equal(why.exit_code, 127);
    assert_int_equal(find("/etc", NULL, &path), -1);
    assert_string_equal(why.text, "exec `/etc`: it is a directory: Permission denied");
    assert_int_equal(why.exit_code, 126);
    assert_int_equal(find("a\x1b[2Jb", search, &path), -1);
    assert_null(strchr(why.text, '\x1b'));
}

static const struct failure *explain(const char *name, int errnum)
{
    memset(&why, 0, sizeof(why));
    assert_int_equal(environment_explain_exec(path_of(name), errnum, &why), -1);
    return &why;
}

static void test_explain_script(void **state)
{
    (void)state;
    write_text("bin/script", "#! /bin/absent -x\nline\n", 0755);
    explain("bin/script", ENOENT);
    assert_string_equal(why.text, arena_format(&arena, "exec `%s`: No such file or directory", path_of("bin/script")));
    assert_non_null(strstr(why.hint, "interpreter `/bin/absent`:"));
    assert_int_equal(why.exit_code, 127);
    write_text("bin/script", "#!/bin/sh\r\n", 0755);
    explain("bin/script", ENOENT);
    assert_non_null(strstr(why.hint, "`/bin/sh?`"));
    assert_non_null(strstr(why.hint, "carriage returns"));
    write_text("bin/script", "echo", 0755);
    assert_non_null(strstr(explain("bin/script", ENOEXEC)->hint, "#!/bin/sh"));
    assert_int_equal(why.exit_code, 126);
    assert_non_null(strstr(why.text, "Exec format error"));
    write_text("bin/script", "", 0755);
    assert_non_null(strstr(explain("bin/script", ENOEXEC)->hint, "empty"));
    explain("bin/script", EACCES);
    assert_int_equal(why.exit_code, 126);
    assert_non_null(strstr(why.text, "Permission denied"));
}

struct program {
    Elf64_Ehdr file;
    Elf64_Phdr segment;
    char interpreter[32];
};

static struct program make_program(void)
{
    struct program program = {
        .file = {.e_ident = ELFMAG, .e_machine = EM_AARCH64, .e_phoff = offsetof(struct program, segment), .e_phnum = 1},
        .segment = {.p_type = PT_INTERP, .p_offset = offsetof(struct program, interpreter), .p_filesz = 32},
        .interpreter = "/lib/ld-absent.so.1",
    };
    const uint16_t one = 1;
    program.file.e_ident[EI_CLASS] = ELFCLASS64;
    program.file.e_ident[EI_DATA] = *(const uint8_t *)&one ? ELFDATA2LSB : ELFDATA2MSB;
    return program;
}

static void test_explain_elf(void **state)
{
    struct program program = make_program();
    (void)state;
    write_bytes("bin/elf", &program, sizeof(program), 0755);
    assert_non_null(strstr(explain("bin/elf", ENOENT)->hint, "interpreter `/lib/ld-absent.so.1`:"));
    assert_non_null(strstr(explain("bin/elf", ENOEXEC)->hint, "program for aarch64"));
}

/* Numbers that a hostile file may hold: no hint is fine, a crash or a wait is not. */
static void test_explain_hostile_elf(void **state)
{
    static const uint64_t numbers[] = {0, 1, 31, 4096, 4097, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        for (int member = 0; member < 4; member++) {
            struct program program = make_program();
            if (member == 0)
                program.file.e_phoff = numbers[i];
            else if (member == 1)
                program.segment.p_offset = numbers[i];
            else if (member == 2)
                program.segment.p_filesz = numbers[i];
            else
                program.file.e_phnum = (uint16_t)numbers[i];
            write_bytes("bin/elf", &program, sizeof(program), 0755);
            explain("bin/elf", ENOENT);
            assert_int_equal(why.exit_code, 127);
        }
    /* Long enough to fill more than the room for a name. */
    char *big = calloc(1, 65536);
    assert_non_null(big);
    struct program program = make_program();
    program.segment.p_filesz = 32768;
    memset(big, '/', 65536);
    memcpy(big, &program, sizeof(program));
    write_bytes("bin/elf", big, 65536, 0755);
    free(big);
    assert_string_equal(explain("bin/elf", ENOENT)->hint, "");
    for (size_t length = 0; length < sizeof(program); length++) {
        write_bytes("bin/elf", &program, length, 0755);
        explain("bin/elf", ENOENT);
    }
    (void)unlinkat(root_fd, "bin/elf", 0);
    assert_int_equal(mkfifoat(root_fd, "bin/elf", 0755), 0); /* must not block */
    explain("bin/elf", EACCES);
    assert_int_equal(why.exit_code, 126);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_one_wins),   cmocka_unit_test(test_malformed_is_refused),
        cmocka_unit_test(test_many),            cmocka_unit_test(test_home),
        cmocka_unit_test(test_hostile_passwd),  cmocka_unit_test(test_find),
        cmocka_unit_test(test_explain_script),  cmocka_unit_test(test_explain_elf),
        cmocka_unit_test(test_explain_hostile_elf),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
