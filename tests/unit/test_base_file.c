/* Unit tests of base/file.c, in a directory of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

static char root[] = "/tmp/crun-lite-test-XXXXXX";
static int root_fd = -1;
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(root) == NULL)
        return -1;
    root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return root_fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    close(root_fd);
    return file_remove_tree_at(AT_FDCWD, root);
}

static void write_bytes(const char *name, const void *bytes, size_t length)
{
    int fd = openat(root_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
}

static void expect_content(const char *name, const char *content)
{
    char *data;
    assert_int_equal(file_read_at(root_fd, name, 1 << 20, &arena, &data), strlen(content));
    assert_string_equal(data, content);
}

static int count_entries(const char *name)
{
    int count = 0, fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fdopendir(fd);
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.' || (entry->d_name[1] != '\0' && entry->d_name[1] != '.');
    closedir(directory);
    return count;
}

/* ---- reading ---- */

static void whole_files_of_any_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 8191, 8192, 65536};
    char *bytes = malloc(65536);
    for (size_t i = 0; i < 65536; i++)
        bytes[i] = (char)(i * 7);
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        char *data = NULL;
        write_bytes("sized", bytes, sizes[i]);
        assert_int_equal(file_read_at(root_fd, "sized", sizes[i], &arena, &data), sizes[i]);
        assert_memory_equal(data, bytes, sizes[i]);
        assert_int_equal(data[sizes[i]], 0);
        data = NULL;
        if (sizes[i] > 0)
            assert_int_equal(file_read_at(root_fd, "sized", sizes[i] - 1, &arena, &data), -EFBIG);
        assert_null(data);
    }
    free(bytes);
}

/* procfs says that every file has 0 bytes. */
static void pseudo_files_are_bounded_too(void **state)
{
    (void)state;
    char *data = NULL;
    ssize_t length = file_read_at(-1, "/proc/self/smaps", 16u << 20, &arena, &data);
    assert_true(length > 8192); /* more than the first guess: the buffer has grown */
    assert_int_equal(strlen(data), length);
    data = NULL;
    assert_int_equal(file_read_at(-1, "/proc/self/smaps", 100, &arena, &data), -EFBIG);
    assert_null(data);
}

/* A regular file, a pipe whose writer takes its time, standard input: of any size, to the byte at the limit. */
static void streams_of_any_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 300000};
    char path[sizeof(root) + 16], *big = malloc(300000), *data;
    assert_non_null(big);
    memset(big, 'x', 300000);
    snprintf(path, sizeof(path), "%s/stream", root);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ssize_t size = (ssize_t)sizes[i];
        write_bytes("stream", big, sizes[i]);
        assert_int_equal(file_read_stream(path, sizes[i], &arena, &data), size);
        assert_int_equal(strlen(data), size);
        if (size > 0)
            assert_int_equal(file_read_stream(path, sizes[i] - 1, &arena, &data), -EFBIG);

        int ends[2], kept = dup(STDIN_FILENO);
        assert_int_equal(pipe(ends), 0);
        pid_t writer = fork();
        if (writer == 0) {
            close(ends[0]);
            /* In two parts, as writers do. */
            bool written = fd_write_all(ends[1], big, sizes[i] / 2) == 0 && fd_write_all(ends[1], big, sizes[i] - sizes[i] / 2) == 0;
            _exit(written ? 0 : 1);
        }
        close(ends[1]);
        assert_true(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
        close(ends[0]);
        assert_int_equal(file_read_stream("-", sizes[i], &arena, &data), size);
        assert_int_equal(strlen(data), size);
        assert_true(fd_is_open(STDIN_FILENO));
        assert_true(kept < 0 || dup2(kept, STDIN_FILENO) == STDIN_FILENO);
        close(kept);
        assert_int_equal(waitpid(writer, NULL, 0), writer);
    }
    free(big);
    assert_int_equal(unlinkat(root_fd, "stream", 0), 0);
    assert_int_equal(file_read_stream(path, 1, &arena, &data), -ENOENT);
    assert_int_equal(file_read_stream(root, 1, &arena, &data), -EISDIR);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    char *data;
    assert_int_equal(mkfifoat(root_fd, "fifo", 0600), 0); /* and nobody waits for a writer */
    assert_int_equal(file_read_at(root_fd, "fifo", 100, &arena, &data), -EINVAL);
    assert_int_equal(file_read_at(root_fd, ".", 100, &arena, &data), -EISDIR);
    assert_int_equal(file_read_at(-1, "/dev/zero", 100, &arena, &data), -EINVAL);
    assert_int_equal(file_read_at(root_fd, "absent", 100, &arena, &data), -ENOENT);
}

static void lines_of_pseudo_files(void **state)
{
    (void)state;
    char line[8];
    write_bytes("line", "seven77\n", 8);
    assert_int_equal(file_read_line_at(root_fd, "line", line, sizeof(line)), 7);
    assert_string_equal(line, "seven77");
    write_bytes("line", "much too long\n", 14);
    assert_int_equal(file_read_line_at(root_fd, "line", line, sizeof(line)), 7);
    assert_string_equal(line, "much to");
    write_bytes("line", "\n", 1);
    assert_int_equal(file_read_line_at(root_fd, "line", line, sizeof(line)), 0);
    assert_string_equal(line, "");
    write_bytes("line", "", 0);
    assert_int_equal(file_read_line_at(root_fd, "line", line, sizeof(line)), 0);
    write_bytes("line", "a\n\n", 3);
    assert_int_equal(file_read_line_at(root_fd, "line", line, sizeof(line)), 2);
    assert_string_equal(line, "a\n");
    assert_int_equal(file_read_line_at(root_fd, "absent", line, sizeof(line)), -ENOENT);
}

/* ---- writing ---- */

static void writing_makes_and_follows_nothing(void **state)
{
    (void)state;
    assert_int_equal(file_write_text_at(root_fd, "absent", "x"), -ENOENT);
    write_bytes("target", "old", 3);
    assert_int_equal(symlinkat("target", root_fd, "link"), 0);
    assert_int_equal(file_write_text_at(root_fd, "link", "new"), -ELOOP);
    expect_content("target", "old");
    assert_int_equal(file_write_text_at(root_fd, "target", "new"), 0);
    expect_content("target", "new");
    assert_int_equal(file_write_text_at(-1, "/dev/full", "x"), -ENOSPC);
}

static void replacing(void **state)
{
    (void)state;
    struct stat before, after;
    assert_int_equal(mkdirat(root_fd, "replace", 0700), 0);
    int fd = openat(root_fd, "replace", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(file_replace_at(fd, "record", 0640, "one", 3), 0);
    assert_int_equal(fstatat(fd, "record", &before, 0), 0);
    assert_int_equal(before.st_mode & 07777, 0640);
    /* Somebody who reads meanwhile reads the old content to its end. */
    int reader = openat(fd, "record", O_RDONLY | O_CLOEXEC);
    assert_int_equal(file_replace_at(fd, "record", 0600, "second", 6), 0);
    char old[8] = "";
    assert_int_equal(read(reader, old, sizeof(old)), 3);
    assert_string_equal(old, "one");
    close(reader);
    assert_int_equal(fstatat(fd, "record", &after, 0), 0);
    assert_true(before.st_ino != after.st_ino);
    expect_content("replace/record", "second");
    assert_int_equal(count_entries("replace"), 1);
    /* A symbolic link is replaced, not followed. */
    assert_int_equal(symlinkat("../target-of-link", fd, "link"), 0);
    assert_int_equal(file_replace_at(fd, "link", 0600, "x", 1), 0);
    assert_int_equal(fstatat(fd, "link", &after, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISREG(after.st_mode));
    assert_int_equal(faccessat(root_fd, "target-of-link", F_OK, 0), -1);
    close(fd);
}

/* What a killed process with our pid left behind is in nobody's way, and not followed either. */
static void replacing_over_leftovers(void **state)
{
    (void)state;
    char leftover[64];
    snprintf(leftover, sizeof(leftover), ".record.%d", (int)getpid());
    write_bytes(leftover, "half a rec", 10);
    assert_int_equal(file_replace_at(root_fd, "record", 0600, "whole", 5), 0);
    expect_content("record", "whole");
    assert_int_equal(faccessat(root_fd, leftover, F_OK, 0), -1);
    write_bytes("victim", "untouched", 9);
    assert_int_equal(symlinkat("victim", root_fd, leftover), 0);
    assert_int_equal(file_replace_at(root_fd, "record", 0600, "again", 5), 0);
    expect_content("record", "again");
    expect_content("victim", "untouched");
}

/* A full disk, played by a limit on the file size. */
static void a_failed_replacement_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(root_fd, "full", 0700), 0);
    int fd = openat(root_fd, "full", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(file_replace_at(fd, "record", 0600, "old", 3), 0);
    pid_t pid = fork();
    if (pid == 0) {
        static const char big[4096];
        struct rlimit limit = {1000, 1000};
        signal(SIGXFSZ, SIG_IGN);
        _exit(setrlimit(RLIMIT_FSIZE, &limit) < 0 ? 2 : file_replace_at(fd, "record", 0600, big, sizeof(big)) != -EFBIG);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    expect_content("full/record", "old");
    assert_int_equal(count_entries("full"), 1);
    /* The name is a directory: rename refuses, nothing is left. */
    assert_int_equal(mkdirat(fd, "directory", 0700), 0);
    assert_int_equal(file_replace_at(fd, "directory", 0600, "x", 1), -EISDIR);
    assert_int_equal(count_entries("full"), 2);
    close(fd);
}

static void names_of_every_length(void **state)
{
    (void)state;
    char name[NAME_MAX + 1];
    memset(name, 'n', NAME_MAX);
    name[NAME_MAX] = '\0';
    assert_int_equal(file_replace_at(root_fd, name, 0600, "x", 1), -ENAMETOOLONG);
    name[NAME_MAX - 20] = '\0';
    assert_int_equal(file_replace_at(root_fd, name, 0600, "x", 1), 0);
}

/* ---- trees ---- */

static void removal_follows_no_link(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(root_fd, "outside", 0700), 0);
    write_bytes("outside/keep", "k", 1);
    assert_int_equal(mkdirat(root_fd, "tree", 0700), 0);
    assert_int_equal(mkdirat(root_fd, "tree/sub", 0700), 0);
    assert_int_equal(symlinkat("../outside", root_fd, "tree/link"), 0);
    assert_int_equal(symlinkat("../../outside", root_fd, "tree/sub/link"), 0);
    assert_int_equal(symlinkat(root, root_fd, "tree/absolute"), 0);
    assert_int_equal(symlinkat("nowhere", root_fd, "tree/dangling"), 0);
    assert_int_equal(mkfifoat(root_fd, "tree/fifo", 0), 0);
    assert_int_equal(linkat(root_fd, "outside/keep", root_fd, "tree/hard", 0), 0);
    assert_int_equal(file_remove_tree_at(root_fd, "tree"), 0);
    assert_int_equal(faccessat(root_fd, "tree", F_OK, 0), -1);
    expect_content("outside/keep", "k");
    /* The thing itself may be a link: it goes, its target stays. */
    assert_int_equal(symlinkat("outside", root_fd, "tree"), 0);
    assert_int_equal(file_remove_tree_at(root_fd, "tree"), 0);
    expect_content("outside/keep", "k");
    write_bytes("file", "f", 1);
    assert_int_equal(file_remove_tree_at(root_fd, "file"), 0);
    assert_int_equal(file_remove_tree_at(root_fd, "file"), -ENOENT);
}

static void make_chain(int fd, int depth)
{
    int current = dup(fd);
    for (int i = 0; i < depth; i++) {
        assert_int_equal(mkdirat(current, "d", 0700), 0);
        int leaf = openat(current, "leaf", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(leaf >= 0);
        close(leaf);
        int next = openat(current, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(current);
        current = next;
    }
    close(current);
}

/* Deeper than there are descriptors, and than PATH_MAX. */
static void deep_trees_are_removed(void **state)
{
    (void)state;
    struct rlimit old, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = (struct rlimit){64, old.rlim_max};
    assert_int_equal(mkdirat(root_fd, "deep", 0700), 0);
    int fd = openat(root_fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    make_chain(fd, 3000);
    close(fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    int r = file_remove_tree_at(root_fd, "deep");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(r, 0);
    assert_int_equal(faccessat(root_fd, "deep", F_OK, 0), -1);
}

static void wide_trees_are_removed(void **state)
{
    (void)state;
    char name[64];
    assert_int_equal(mkdirat(root_fd, "wide", 0700), 0);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "wide/%d", i);
        assert_int_equal(mkdirat(root_fd, name, 0700), 0);
        for (int k = 0; k < 40; k++) {
            snprintf(name, sizeof(name), "wide/%d/%d", i, k);
            assert_int_equal(mkdirat(root_fd, name, 0700), 0);
            snprintf(name, sizeof(name), "wide/%d/%d/file", i, k);
            write_bytes(name, "", 0);
        }
    }
    assert_int_equal(file_remove_tree_at(root_fd, "wide"), 0);
    assert_int_equal(faccessat(root_fd, "wide", F_OK, 0), -1);
}

static void directories_are_made_once(void **state)
{
    (void)state;
    char path[256];
    struct stat st;
    snprintf(path, sizeof(path), "%s/made//a/b/", root);
    assert_int_equal(file_make_directories(path, 0700), 0);
    assert_int_equal(file_make_directories(path, 0700), 0);
    assert_int_equal(fstatat(root_fd, "made/a/b", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    write_bytes("plain", "", 0);
    snprintf(path, sizeof(path), "%s/plain/below", root);
    assert_int_equal(file_make_directories(path, 0700), -ENOTDIR);
    snprintf(path, sizeof(path), "%s/plain", root);
    assert_int_equal(file_make_directories(path, 0700), -ENOTDIR);
    assert_int_equal(file_make_directories("", 0700), -ENOENT);
    assert_int_equal(file_make_directories("/", 0700), 0);
    assert_int_equal(symlinkat("made", root_fd, "made-link"), 0);
    snprintf(path, sizeof(path), "%s/made-link/c/d", root);
    assert_int_equal(file_make_directories(path, 0700), 0);
    assert_int_equal(fstatat(root_fd, "made/c/d", &st, 0), 0);
}

/* As many components as a path can have need no more stack than one. */
static void the_longest_path_is_made(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        char path[PATH_MAX + 8];
        struct rlimit stack = {1 << 20, 1 << 20};
        size_t length = (size_t)snprintf(path, sizeof(path), "%s/long", root);
        while (length + 2 < PATH_MAX) {
            memcpy(path + length, "/p", 3);
            length += 2;
        }
        if (setrlimit(RLIMIT_STACK, &stack) < 0 || file_make_directories(path, 0700) != 0 || access(path, F_OK) < 0)
            _exit(1);
        while (length < PATH_MAX + 4)
            path[length++] = 'q';
        path[length] = '\0';
        _exit(file_make_directories(path, 0700) == -ENAMETOOLONG ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    umask(022);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_files_of_any_size),
        cmocka_unit_test(pseudo_files_are_bounded_too),
        cmocka_unit_test(streams_of_any_size),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(lines_of_pseudo_files),
        cmocka_unit_test(writing_makes_and_follows_nothing),
        cmocka_unit_test(replacing),
        cmocka_unit_test(replacing_over_leftovers),
        cmocka_unit_test(a_failed_replacement_changes_nothing),
        cmocka_unit_test(names_of_every_length),
        cmocka_unit_test(removal_follows_no_link),
        cmocka_unit_test(deep_trees_are_removed),
        cmocka_unit_test(wide_trees_are_removed),
        cmocka_unit_test(directories_are_made_once),
        cmocka_unit_test(the_longest_path_is_made),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
