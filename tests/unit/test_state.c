/* Unit tests of container/state.c: ids, the record, the cgroup's name beside it, the directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "container/state.h"

static char root[] = "/tmp/crun-lite-test-XXXXXX";
static struct arena arena;
static struct failure why;
static struct state_directory directory = {.root_fd = -1, .fd = -1};

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(root) == NULL ? -1 : state_make(root, "c1", &directory, &why);
}

static int tear_down(void **state)
{
    (void)state;
    state_close(&directory);
    arena_done(&arena);
    return file_remove_tree_at(-1, root);
}

static void ids(void **state)
{
    (void)state;
    char longest[257];
    memset(longest, 'a', 256);
    longest[256] = '\0';
    static const char *const good[] = {"a", "0", "-", "_", "+", "a.b", "c..d", "--force", "A-Z_0+9.", "a."};
    static const char *const bad[] = {"", ".", "..", ".a", "/", "a/b", "../x", "a b", "a\n", "\xc3\xa9", "a\xff", "a:b", "a@b", "%s", "a\\b", "~", "$x", "a*", "\x1b[m"};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_int_equal(state_check_id(good[i], &why), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct state_directory none;
        assert_int_equal(state_check_id(bad[i], &why), -1);
        assert_int_equal(why.kind, FAILURE_USAGE);
        assert_null(strpbrk(why.text, "\n\x1b\xff"));
        assert_int_equal(state_open(root, bad[i], STATE_UNLOCKED, &none, &why), -1);
    }
    assert_int_equal(state_check_id(longest, &why), -1);
    longest[255] = '\0';
    assert_int_equal(state_check_id(longest, &why), 0);
}

static void write_record_text(const char *text, size_t length)
{
    assert_int_equal(file_replace_at(directory.fd, STATE_RECORD, 0600, text, length), 0);
}

static char *words(const char *text)
{
    return arena_copy(&arena, text);
}

static struct state full_state(void)
{
    struct string_pair *pairs = arena_alloc(&arena, 2 * sizeof(*pairs));
    pairs[0] = (struct string_pair){words("key \"quoted\"\n"), words("")};
    pairs[1] = (struct string_pair){words("k"), words("value \\ / \x01 caf\xc3\xa9")};
    return (struct state){
        .phase = PHASE_CREATED,
        .creator = {2147483647, UINT64_MAX},
        .init = {1, 1},
        .id = words("c1"),
        .bundle = words("/a \"bundle\"/\t"),
        .rootfs = words("/r"),
        .created = words("2026-01-02T03:04:05.678901Z"),
        .owner = UINT32_MAX,
        .cgroup = {.manager = CGROUP_MANAGER_SYSTEMD, .path = words("/a:b/c"), .unit = words("u.scope"), .joined = true},
        .resctrl = {.group = words("/"), .monitor = words("c1"), .shared = true, .made = true},
        .annotations = {pairs, 2},
        .new_pid_ns = true,
        .no_process = true,
        .has_hooks = true,
    };
}

static void expect_same(const struct state *a, const struct state *b)
{
    assert_int_equal(a->phase, b->phase);
    assert_int_equal(a->creator.pid, b->creator.pid);
    assert_true(a->creator.start_time == b->creator.start_time);
    assert_int_equal(a->init.pid, b->init.pid);
    assert_true(a->init.start_time == b->init.start_time);
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->bundle, b->bundle);
    assert_string_equal(a->rootfs, b->rootfs);
    assert_string_equal(a->created, b->created);
    assert_int_equal(a->owner, b->owner);
    assert_int_equal(a->cgroup.manager, b->cgroup.manager);
    assert_true(text_equal(a->cgroup.path, b->cgroup.path));
    assert_true(text_equal(a->cgroup.unit, b->cgroup.unit));
    assert_int_equal(a->cgroup.joined, b->cgroup.joined);
    assert_true(text_equal(a->resctrl.group, b->resctrl.group));
    assert_true(text_equal(a->resctrl.monitor, b->resctrl.monitor));
    assert_int_equal(a->resctrl.shared, b->resctrl.shared);
    assert_int_equal(a->resctrl.made, b->resctrl.made);
    assert_int_equal(a->new_pid_ns, b->new_pid_ns);
    assert_int_equal(a->no_process, b->no_process);
    assert_int_equal(a->has_hooks, b->has_hooks);
    assert_int_equal(a->annotations.count, b->annotations.count);
    for (size_t i = 0; i < a->annotations.count; i++) {
        assert_string_equal(a->annotations.items[i].key, b->annotations.items[i].key);
        assert_string_equal(a->annotations.items[i].value, b->annotations.items[i].value);
    }
}

static void records_come_back(void **state)
{
    (void)state;
    struct state saved = full_state(), loaded;
    assert_int_equal(state_save(&directory, &saved, &why), 0);
    assert_int_equal(state_load(&directory, &arena, &loaded, &why), 0);
    expect_same(&loaded, &saved);
    saved = (struct state){.id = words("c1"), .bundle = words(""), .rootfs = words(""), .created = words("")};
    saved.cgroup.manager = CGROUP_MANAGER_DISABLED;
    assert_int_equal(state_save(&directory, &saved, &why), 0);
    assert_int_equal(state_load(&directory, &arena, &loaded, &why), 0);
    expect_same(&loaded, &saved);
    assert_null(loaded.cgroup.path);
}

/* Every cut of a good record, and every record with one byte changed, is either refused with a clear word or
 * read as a whole record. */
static void damaged_records(void **state)
{
    (void)state;
    struct state saved = full_state(), loaded;
    char *text;
    assert_int_equal(state_save(&directory, &saved, &why), 0);
    ssize_t length = file_read_at(directory.fd, STATE_RECORD, 1 << 20, &arena, &text);
    assert_true(length > 100);
    for (ssize_t cut = 0; cut < length; cut++) {
        write_record_text(text, (size_t)cut);
        memset(&why, 0, sizeof(why));
        assert_int_equal(state_load(&directory, &arena, &loaded, &why), -1);
        assert_int_equal(why.kind, FAILURE_STATE);
        assert_string_equal(why.pointer, "");
        assert_non_null(strstr(why.text, "the state of container `c1` is damaged: "));
        assert_non_null(strstr(why.hint, "delete --force"));
    }
    static const char bytes[] = {0, '"', '\\', '}', '{', ',', ':', '9', '-', (char)0xff, '\n', ' '};
    for (ssize_t at = 0; at < length; at++)
        for (size_t i = 0; i < sizeof(bytes); i++) {
            char kept = text[at];
            char *exact = malloc((size_t)length);
            struct arena own = {0};
            text[at] = bytes[i];
            memcpy(exact, text, (size_t)length);
            text[at] = kept;
            if (state_parse(exact, (size_t)length, &own, &loaded, &why) == 0) {
                assert_true(loaded.id[0] != '\0' && loaded.bundle != NULL && loaded.rootfs != NULL && loaded.created != NULL);
                assert_true(loaded.phase == PHASE_CREATING || loaded.phase == PHASE_CREATED);
                assert_true(loaded.init.pid >= 0 && loaded.creator.pid >= 0);
            }
            free(exact);
            arena_done(&own);
        }
}

static void records_that_lie(void **state)
{
    (void)state;
    static const char record[] = "{\"phase\":%s,\"id\":%s,\"bundle\":\"b\",\"rootfs\":\"r\",\"created\":\"c\",\"owner\":%s,\"pid\":%s,\"startTime\":%s,"
                                 "\"creatorPid\":0,\"creatorStartTime\":0,\"cgroupManager\":%s}";
    static const struct {
        const char *phase, *id, *owner, *pid, *start, *manager;
        int result;
    } rows[] = {
        {"\"created\"", "\"c1\"", "0", "1", "18446744073709551615", "\"cgroupfs\"", 0},
        {"\"creating\"", "\"c1\"", "4294967295", "2147483647", "0", "\"disabled\"", 0},
        {"\"running\"", "\"c1\"", "0", "1", "1", "\"cgroupfs\"", -1},
        {"\"\"", "\"c1\"", "0", "1", "1", "\"cgroupfs\"", -1},
        {"1", "\"c1\"", "0", "1", "1", "\"cgroupfs\"", -1},
        {"null", "\"c1\"", "0", "1", "1", "\"cgroupfs\"", -1},
        {"\"created\"", "\"\"", "0", "1", "1", "\"cgroupfs\"", -1},
        {"\"created\"", "[]", "0", "1", "1", "\"cgroupfs\"", -1},
        {"\"created\"", "\"c\\u0000\"", "0", "1", "1", "\"cgroupfs\"", -1},
        {"\"created\"", "\"c1\"", "-1", "1", "1", "\"cgroupfs\"", -1},
        {"\"created\"", "\"c1\"", "4294967296", "1", "1", "\"cgroupfs\"", -1},
        {"\"created\"", "\"c1\"", "0", "-1", "1", "\"cgroupfs\"", -1},
        {"\"created\"", "\"c1\"", "0", "2147483648", "1", "\"cgroupfs\"", -1},
        {"\"created\"", "\"c1\"", "0", "1.5", "1", "\"cgroupfs\"", -1},
        {"\"created\"", "\"c1\"", "0", "\"1\"", "1", "\"cgroupfs\"", -1},
        {"\"created\"", "\"c1\"", "0", "1", "18446744073709551616", "\"cgroupfs\"", -1},
        {"\"created\"", "\"c1\"", "0", "1", "1", "\"other\"", -1},
        {"\"created\"", "\"c1\",\"id\":\"c2\"", "0", "1", "1", "\"cgroupfs\"", -1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char text[1024];
        struct state loaded;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        int length = snprintf(text, sizeof(text), record, rows[i].phase, rows[i].id, rows[i].owner, rows[i].pid, rows[i].start, rows[i].manager);
#pragma GCC diagnostic pop
        print_message("# %s\n", text);
        write_record_text(text, (size_t)length);
        assert_int_equal(state_load(&directory, &arena, &loaded, &why), rows[i].result);
    }
}

static void records_that_are_no_files(void **state)
{
    (void)state;
    struct state loaded;
    assert_int_equal(unlinkat(directory.fd, STATE_RECORD, 0), 0);
    assert_int_equal(state_load(&directory, &arena, &loaded, &why), -1);
    assert_int_equal(why.errnum, ENOENT);
    assert_int_equal(why.kind, FAILURE_STATE);
    assert_int_equal(mkfifoat(directory.fd, STATE_RECORD, 0600), 0);
    assert_int_equal(state_load(&directory, &arena, &loaded, &why), -1);
    assert_int_equal(unlinkat(directory.fd, STATE_RECORD, 0), 0);
    char *big = malloc(1024 * 1024 + 1);
    memset(big, ' ', 1024 * 1024 + 1);
    write_record_text(big, 1024 * 1024 + 1);
    free(big);
    assert_int_equal(state_load(&directory, &arena, &loaded, &why), -1);
    assert_int_equal(why.errnum, EFBIG);
}

/* ---- the cgroup's name ---- */

static void cgroup_names_come_back(void **state)
{
    (void)state;
    static const struct {
        enum cgroup_manager manager;
        const char *unit, *path;
        bool joined;
    } rows[] = {
        {CGROUP_MANAGER_FS, NULL, "/a/b", false},
        {CGROUP_MANAGER_FS, NULL, "/", true},
        {CGROUP_MANAGER_FS, NULL, "/with:colons:/in it", false},
        {CGROUP_MANAGER_SYSTEMD, "crun-lite-c1.scope", "/system.slice/crun-lite-c1.scope", false},
        {CGROUP_MANAGER_DISABLED, NULL, "/x", true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct cgroup_name kept = {
            .manager = rows[i].manager, .path = (char *)(uintptr_t)rows[i].path, .unit = (char *)(uintptr_t)rows[i].unit, .joined = rows[i].joined};
        struct cgroup_name found;
        assert_int_equal(state_keep_cgroup(&directory, &kept, &why), 0);
        assert_int_equal(state_find_cgroup(&directory, &arena, &found), 0);
        assert_int_equal(found.manager, kept.manager);
        assert_string_equal(found.path, kept.path);
        assert_true(text_equal(found.unit, kept.unit));
        assert_int_equal(found.joined, kept.joined);
        assert_int_equal(state_keep_cgroup(&directory, &kept, &why), -1); /* once */
        assert_int_equal(unlinkat(directory.fd, STATE_CGROUP, 0), 0);
    }
    struct cgroup_name none = {0}, found;
    assert_int_equal(state_keep_cgroup(&directory, &none, &why), 0);
    assert_int_equal(state_find_cgroup(&directory, &arena, &found), -ENOENT);
}

static void odd_cgroup_links(void **state)
{
    (void)state;
    static const char *const targets[] = {
        "x", ":", "::", ":::", "cgroupfs", "cgroupfs:made", "cgroupfs:made:", "cgroupfs:made::", "cgroupfs:made::relative", "cgroupfs:made:::/a",
        "cgroupfs:kept::/a", "cgroupfs:::/a", ":made::/a", "other:made::/a", "CGROUPFS:made::/a", "cgroupfs:joined2::/a", "/sys/fs/cgroup/a", "cgroupfs:made:/a:b",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        struct cgroup_name found = {.path = NULL};
        print_message("# %s\n", targets[i]);
        assert_int_equal(symlinkat(targets[i], directory.fd, STATE_CGROUP), 0);
        assert_int_equal(state_find_cgroup(&directory, &arena, &found), -EINVAL);
        assert_null(found.path);
        assert_int_equal(unlinkat(directory.fd, STATE_CGROUP, 0), 0);
    }
    struct cgroup_name found;
    int fd = openat(directory.fd, STATE_CGROUP, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close(fd);
    assert_int_equal(state_find_cgroup(&directory, &arena, &found), -EINVAL); /* a file, no link */
    assert_int_equal(unlinkat(directory.fd, STATE_CGROUP, 0), 0);
}

/* The longest link that the kernel keeps is read whole; a longer one is refused, not cut. */
static void long_cgroup_names(void **state)
{
    (void)state;
    char path[4200];
    struct cgroup_name name = {.manager = CGROUP_MANAGER_FS, .path = path}, found;
    size_t longest = 4095 - strlen("cgroupfs:made::");
    memset(path, 'p', sizeof(path));
    path[0] = '/';
    path[longest] = '\0';
    assert_int_equal(state_keep_cgroup(&directory, &name, &why), 0);
    assert_int_equal(state_find_cgroup(&directory, &arena, &found), 0);
    assert_string_equal(found.path, path);
    assert_int_equal(unlinkat(directory.fd, STATE_CGROUP, 0), 0);
    path[longest] = 'p';
    path[longest + 1] = '\0';
    assert_int_equal(state_keep_cgroup(&directory, &name, &why), -1);
    assert_int_equal(why.errnum, ENAMETOOLONG);
}

/* ---- the directory ---- */

static void one_directory_per_id(void **state)
{
    (void)state;
    struct state_directory other;
    struct stat st;
    assert_int_equal(state_make(root, "c1", &other, &why), -1);
    assert_int_equal(why.kind, FAILURE_STATE);
    assert_non_null(strstr(why.text, "already exists"));
    assert_int_equal(state_open(root, "absent", STATE_UNLOCKED, &other, &why), -1);
    assert_int_equal(why.errnum, ENOENT);
    assert_non_null(strstr(why.text, "container `absent` does not exist"));
    assert_int_equal(state_open("/no/such/root", "c1", STATE_UNLOCKED, &other, &why), -1);
    assert_int_equal(why.errnum, ENOENT);
    assert_int_equal(fstat(directory.fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    /* A link in the state root is nobody's directory. */
    assert_int_equal(symlinkat("c1", directory.root_fd, "link"), 0);
    assert_int_equal(state_open(root, "link", STATE_UNLOCKED, &other, &why), -1);
    assert_int_equal(unlinkat(directory.root_fd, "link", 0), 0);
}

static void locks_and_removal(void **state)
{
    (void)state;
    struct state_directory made, opened;
    assert_int_equal(state_make(root, "c2", &made, &why), 0);
    int second = openat(made.root_fd, "c2", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(second, LOCK_SH | LOCK_NB), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    assert_int_equal(state_remove(&made, &why), 0);
    assert_int_equal(state_remove(&made, &why), 0); /* gone already */
    state_close(&made);
    assert_int_equal(flock(second, LOCK_SH | LOCK_NB), 0); /* closing unlocks, whoever has a copy */
    close(second);
    assert_int_equal(state_open(root, "c2", STATE_EXCLUSIVE, &opened, &why), -1);
    assert_int_equal(state_make(root, "c2", &made, &why), 0);
    state_close(&made);
    assert_int_equal(state_open(root, "c2", STATE_EXCLUSIVE, &opened, &why), 0);
    assert_int_equal(state_remove(&opened, &why), 0);
    state_close(&opened);
}

static void a_lock_is_waited_for_in_time(void **state)
{
    (void)state;
    struct state_directory made, waiting;
    char holder[64];
    assert_int_equal(state_make(root, "c3", &made, &why), 0);
    assert_int_equal(state_open(root, "c3", STATE_UNLOCKED, &waiting, &why), 0);
    int64_t begin = clock_now_ms();
    assert_int_equal(state_lock_until(&waiting, begin + 50, &why), -1);
    assert_true(clock_now_ms() >= begin + 50);
    assert_int_equal(waiting.lock, STATE_UNLOCKED);
    assert_int_equal(why.kind, FAILURE_STATE);
    assert_int_equal(why.errnum, ETIMEDOUT);
    snprintf(holder, sizeof(holder), "another command, process %d (", (int)getpid());
    assert_non_null(strstr(why.text, holder));
    assert_non_null(strstr(why.text, "busy with container `c3`"));
    assert_non_null(strstr(why.hint, "delete --force"));
    state_unlock(&made);
    assert_int_equal(state_lock_until(&waiting, clock_now_ms(), &why), 0); /* nobody has it: no time is needed */
    assert_int_equal(waiting.lock, STATE_EXCLUSIVE);
    state_unlock(&waiting);
    /* Deleted by its holder, which is still busy with something. */
    assert_int_equal(state_lock_again(&made, &why), 0);
    assert_int_equal(state_remove(&made, &why), 0);
    assert_int_equal(state_lock_until(&waiting, clock_now_ms(), &why), -1);
    assert_int_equal(why.errnum, ENOENT);
    state_close(&waiting);
    state_close(&made);
}

static void status_of_the_dead(void **state)
{
    (void)state;
    struct state seen = {.phase = PHASE_CREATING, .creator = {.pid = getpid()}};
    char letter;
    assert_int_equal(state_status(&seen), STATUS_STOPPED); /* another process of that pid */
    assert_int_equal(pid_look(getpid(), &seen.creator.start_time, &letter), 0);
    assert_int_equal(state_status(&seen), STATUS_CREATING);
    seen.phase = PHASE_CREATED;
    assert_int_equal(state_status(&seen), STATUS_STOPPED);
    seen.init = seen.creator;
    assert_int_equal(state_status(&seen), STATUS_RUNNING);
    /* A clone that has not executed anything waits for start. */
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    seen.init.pid = child;
    assert_int_equal(pid_look(child, &seen.init.start_time, &letter), 0);
    assert_int_equal(state_status(&seen), STATUS_CREATED);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(state_status(&seen), STATUS_STOPPED);
}

static void resctrl_names_come_back(void **state)
{
    (void)state;
    const struct resctrl_name names[] = {
        {.group = words("c1"), .made = true},
        {.group = words("c1"), .monitor = words("c1"), .made = true},
        {.group = words("a:b c\t"), .shared = true},
        {.group = words("/"), .monitor = words("c1"), .shared = true},
        {.group = words("/"), .shared = true},
    };
    static const char *const bad[] = {"made", "made/own/c1", "made/own/c1/", "Made/own//g", "made/mine//g", "/own//g", "made:own::g"};
    struct resctrl_name found;
    assert_int_equal(state_keep_resctrl(&directory, &(struct resctrl_name){0}, &why), 0);
    assert_int_equal(state_find_resctrl(&directory, &arena, &found), -ENOENT);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        assert_int_equal(state_keep_resctrl(&directory, &names[i], &why), 0);
        assert_int_equal(state_find_resctrl(&directory, &arena, &found), 0);
        assert_string_equal(found.group, names[i].group);
        assert_true(text_equal(found.monitor, names[i].monitor));
        assert_int_equal(found.shared, names[i].shared);
        assert_int_equal(found.made, names[i].made);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_int_equal(unlinkat(directory.fd, STATE_RESCTRL, 0), 0);
        assert_int_equal(symlinkat(bad[i], directory.fd, STATE_RESCTRL), 0);
        assert_int_equal(state_find_resctrl(&directory, &arena, &found), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids),
        cmocka_unit_test(records_come_back),
        cmocka_unit_test(resctrl_names_come_back),
        cmocka_unit_test(damaged_records),
        cmocka_unit_test(records_that_lie),
        cmocka_unit_test(records_that_are_no_files),
        cmocka_unit_test(cgroup_names_come_back),
        cmocka_unit_test(odd_cgroup_links),
        cmocka_unit_test(long_cgroup_names),
        cmocka_unit_test(one_directory_per_id),
        cmocka_unit_test(locks_and_removal),
        cmocka_unit_test(a_lock_is_waited_for_in_time),
        cmocka_unit_test(status_of_the_dead),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
