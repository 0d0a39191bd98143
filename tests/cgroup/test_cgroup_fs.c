/*
 * tests/cgroup/test_cgroup_fs.c: the cgroupfs driver against the kernel's cgroup2, and against a fake tree.
 *
 * Enters a private mount namespace and mounts cgroup2 over /sys/fs/cgroup there, so it runs on hybrid hosts too and
 * sees whatever controllers cgroup2 has.  Needs root; without it the whole program is skipped (77), a failure when
 * CRUN_LITE_TESTS_MUST_RUN=1.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/pid.h"
#include "base/text.h"
#include "cgroups/bpf.h"
#include "cgroups/cgroups.h"
#include "cgroups/fs.h"
#include "cgroups/mount.h"
#include "cgroups/tree.h"

/* After ours, because it has a macro fail(); and behind what it uses and does not include. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <stdint.h>


#define MOUNT "/sys/fs/cgroup"

static struct arena arena;
static struct failure why;
static char top[64]; /* "/crun-lite-test-PID": everything below belongs to the test */

static int setup(void **state)
{
    (void)state;
    arena = (struct arena){0};
    why = (struct failure){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    mount_point_set_for_tests(NULL);
    return 0;
}

static const char *below(const char *name)
{
    return arena_format(&arena, "%s/%s", top, name);
}

static const char *host_path(const char *cgroup)
{
    return arena_format(&arena, MOUNT "%s", cgroup);
}

static bool exists(const char *cgroup)
{
    return access(host_path(cgroup), F_OK) == 0;
}

static struct cgroup_request request_for(const char *path, const struct spec_resources *resources)
{
    return (struct cgroup_request){
        .manager = CGROUP_MANAGER_FS, .id = "crun-lite-test-c1", .cgroups_path = path, .resources = resources};
}

static void must(int result)
{
    if (result < 0)
        print_error("%s [%s] (%s)\n", why.text, why.pointer, why.hint);
    assert_true(result >= 0);
}

static struct cgroup make_sharing(const char *path, const struct spec_resources *resources, int shared_fd)
{
    struct cgroup cgroup;
    struct cgroup_request request = request_for(path, resources);
    must(cgroup_create(&request, &arena, &cgroup, &why));
    must(cgroup_guard_devices(&cgroup, shared_fd, &why));
    return cgroup;
}

static struct cgroup make(const char *path, const struct spec_resources *resources)
{
    return make_sharing(path, resources, -1);
}

static void drop(struct cgroup *cgroup)
{
    must(cgroup_kill(cgroup->fd));
    must(cgroup_remove(&cgroup->name, clock_now_ms() + 5000, &why));
    cgroup_close(cgroup);
}

/* A child in the cgroup from its first instruction; runs `body`, or waits for a signal. */
static pid_t spawn_in(int cgroup_fd, int (*body)(void))
{
    struct clone_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup_fd};
    long pid = kernel_clone3(&args, sizeof args);
    assert_true(pid >= 0);
    if (pid == 0) {
        if (body)
            _exit(body());
        for (;;)
            pause();
    }
    return (pid_t)pid;
}

static int status_of(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static const char *content(const struct cgroup *cgroup, const char *file)
{
    char line[256];
    assert_true(file_read_line_at(cgroup->fd, file, line, sizeof line) >= 0);
    return arena_copy(&arena, line);
}

/* ---- making, joining, removing ---- */

/* spec: CGP-08 */
static void makes_parents_and_removes(void **state)
{
    (void)state;
    struct cgroup cgroup = make(below("a/b//./c"), NULL);
    assert_true(cgroup.created);
    assert_string_equal(cgroup.name.path, below("a/b/c"));
    assert_true(exists(below("a/b/c")));
    int fd = cgroup_open(&cgroup.name);
    assert_true(fd >= 0);
    fd_close(&fd);
    must(cgroup_remove(&cgroup.name, clock_now_ms() + 1000, &why));
    assert_false(exists(below("a/b/c")));
    assert_true(exists(below("a/b")));                              /* parents are shared: they stay */
    must(cgroup_remove(&cgroup.name, clock_now_ms() + 1000, &why)); /* missing is success */
    assert_int_equal(cgroup_open(&cgroup.name), -ENOENT);
    cgroup_close(&cgroup);
    assert_int_equal(rmdir(host_path(below("a/b"))), 0);
    assert_int_equal(rmdir(host_path(below("a"))), 0);
}

/* spec: CGP-06 */
static void default_path_is_the_id(void **state)
{
    (void)state;
    struct cgroup cgroup;
    struct cgroup_request request = request_for("", NULL);
    request.id = top + 1;
    must(rmdir(host_path(top)));
    must(cgroup_create(&request, &arena, &cgroup, &why));
    assert_string_equal(cgroup.name.path, top);
    must(cgroup_remove(&cgroup.name, clock_now_ms() + 1000, &why));
    cgroup_close(&cgroup);
    must(mkdir(host_path(top), 0755));
}

/* spec: CGP-04 CGP-05 */
static void same_value_same_place_from_any_cgroup(void **state)
{
    (void)state;
    struct cgroup first = make(below("rel") + 1, NULL);
    struct cgroup home = make(below("home"), NULL);
    must(file_write_text_at(home.fd, "cgroup.procs", "0"));
    struct cgroup second = make(below("rel") + 1, NULL);
    assert_string_equal(first.name.path, second.name.path);
    int root_fd = mount_open_root(&why);
    must(file_write_text_at(root_fd, "cgroup.procs", "0"));
    fd_close(&root_fd);
    cgroup_close(&second);
    drop(&first);
    drop(&home);
}

static void undo_leaves_nothing(void **state)
{
    (void)state;
    struct cgroup cgroup = make(below("u1/u2/u3"), NULL);
    pid_t pid = spawn_in(cgroup.fd, NULL);
    must(mkdir(host_path(below("u1/u2/u3/inner")), 0755));
    cgroup_undo(&cgroup);
    assert_int_equal(cgroup.fd, -1);
    assert_false(exists(below("u1")));
    assert_int_equal(WTERMSIG(status_of(pid)), SIGKILL);
}

static void failed_limit_leaves_nothing(void **state)
{
    (void)state;
    struct string_pair pair = {(char *)(uintptr_t) "cgroup.max.depth", (char *)(uintptr_t) "nonsense"};
    struct spec_resources resources = {.set = true, .unified = {&pair, 1}};
    struct cgroup cgroup;
    struct cgroup_request request = request_for(below("f1/f2"), &resources);
    assert_int_equal(cgroup_create(&request, &arena, &cgroup, &why), -1);
    assert_string_equal(why.pointer, "/linux/resources/unified/cgroup.max.depth");
    assert_int_equal(why.kind, FAILURE_CONFIG);
    assert_non_null(strstr(why.text, "cgroup.max.depth"));
    assert_false(exists(below("f1")));
}

/* spec: RUNI-04 */
static void missing_controller_is_named(void **state)
{
    (void)state;
    struct string_pair pair = {(char *)(uintptr_t) "nosuch.max", (char *)(uintptr_t) "1"};
    struct spec_resources resources = {.set = true, .unified = {&pair, 1}};
    struct cgroup cgroup;
    struct cgroup_request request = request_for(below("n"), &resources);
    assert_int_equal(cgroup_create(&request, &arena, &cgroup, &why), -1);
    assert_non_null(strstr(why.text, "'nosuch'"));
    assert_string_equal(why.pointer, "/linux/resources/unified/nosuch.max");
    assert_int_equal(why.kind, FAILURE_HOST);
    assert_false(exists(below("n")));
}

/* spec: CGP-08 CGP-09 */
static void joins_what_exists_and_leaves_it(void **state)
{
    (void)state;
    const char *path = below("joined");
    must(mkdir(host_path(path), 0755));
    int fd = open(host_path(path), O_RDONLY | O_DIRECTORY);
    must(file_write_text_at(fd, "cgroup.max.depth", "7"));
    struct cgroup cgroup = make(path, NULL);
    assert_false(cgroup.created);
    assert_true(cgroup.name.joined);
    assert_string_equal(content(&cgroup, "cgroup.max.depth"), "7"); /* CGP-09 */
    must(cgroup_remove(&cgroup.name, clock_now_ms() + 100, &why));
    cgroup_undo(&cgroup);
    assert_true(exists(path));
    fd_close(&fd);
    must(rmdir(host_path(path)));
}

/* spec: CGF-01 CGF-02 */
static void frozen_is_refused(void **state)
{
    (void)state;
    const char *path = below("frozen");
    must(mkdir(host_path(path), 0755));
    int fd = open(host_path(path), O_RDONLY | O_DIRECTORY);
    must(file_write_text_at(fd, "cgroup.freeze", "1"));
    struct cgroup cgroup;
    struct cgroup_request own = request_for(path, NULL), child = request_for(below("frozen/child"), NULL);
    assert_int_equal(cgroup_create(&own, &arena, &cgroup, &why), -1);
    assert_int_equal(why.kind, FAILURE_STATE);
    assert_non_null(strstr(why.text, "is frozen"));
    assert_int_equal(cgroup_create(&child, &arena, &cgroup, &why), -1);
    assert_non_null(strstr(why.text, "is frozen"));
    assert_false(exists(below("frozen/child")));
    fd_close(&fd);
    must(rmdir(host_path(path)));
}

/* spec: CGF-01 CGF-02 */
static void populated_is_refused(void **state)
{
    (void)state;
    struct cgroup first = make(below("full"), NULL), second;
    pid_t pid = spawn_in(first.fd, NULL);
    struct cgroup_request request = request_for(below("full"), NULL);
    assert_int_equal(cgroup_create(&request, &arena, &second, &why), -1);
    assert_int_equal(why.kind, FAILURE_STATE);
    assert_non_null(strstr(why.text, "already has processes"));
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* nothing was done to it */
    drop(&first);
    (void)status_of(pid);
}

static void locates_without_making(void **state)
{
    (void)state;
    struct cgroup_name name;
    struct cgroup_request request = request_for(below("later"), NULL);
    must(cgroup_locate(&request, &arena, &name, &why));
    assert_string_equal(name.path, below("later"));
    assert_false(name.joined);
    assert_false(exists(name.path));
    must(mkdir(host_path(name.path), 0755));
    must(cgroup_locate(&request, &arena, &name, &why));
    assert_true(name.joined);
    must(rmdir(host_path(name.path)));
    request.manager = CGROUP_MANAGER_SYSTEMD;
    request.cgroups_path = "a-b.slice:p:n";
    must(cgroup_locate(&request, &arena, &name, &why));
    assert_string_equal(name.unit, "p-n.scope");
    assert_string_equal(name.path, "/a.slice/a-b.slice/p-n.scope");
}

/* spec: RUNI-01 RUNI-08 */
static void unified_core_file_and_late_freeze(void **state)
{
    (void)state;
    struct string_pair pairs[] = {{(char *)(uintptr_t) "cgroup.max.descendants", (char *)(uintptr_t) "3"},
                                  {(char *)(uintptr_t) "cgroup.freeze", (char *)(uintptr_t) "1"}};
    struct spec_resources resources = {.set = true, .unified = {pairs, 2}};
    struct cgroup cgroup = make(below("core"), &resources);
    assert_string_equal(content(&cgroup, "cgroup.max.descendants"), "3");
    assert_string_equal(content(&cgroup, "cgroup.freeze"), "0");
    assert_int_equal(cgroup.late_count, 1);
    must(cgroup_write_late(&cgroup, &why));
    assert_string_equal(content(&cgroup, "cgroup.freeze"), "1");
    drop(&cgroup);
}

/* spec: RHUG-01 RHUG-02 RHUG-03 RHUG-05 RHUG-06 */
static void hugetlb_limit_is_in_force(void **state)
{
    (void)state;
    char controllers[256];
    assert_true(file_read_line_at(AT_FDCWD, MOUNT "/cgroup.controllers", controllers, sizeof controllers) >= 0);
    if (!strstr(controllers, "hugetlb"))
        skip();
    struct spec_hugepage_limit limits[] = {{(char *)(uintptr_t) "2MB", 4u << 20}};
    struct spec_resources resources = {.set = true, .hugepage_limits = limits, .hugepage_limits_count = 1};
    struct cgroup cgroup = make(below("deep/huge"), &resources);
    assert_string_equal(content(&cgroup, "hugetlb.2MB.max"), "4194304");
    assert_string_equal(content(&cgroup, "hugetlb.2MB.rsvd.max"), "4194304");

    /* update: all or nothing */
    struct string_pair bad = {(char *)(uintptr_t) "cgroup.max.depth", (char *)(uintptr_t) "x"};
    struct spec_resources update = resources;
    limits[0].limit = 8u << 20;
    update.unified = (struct string_map){&bad, 1};
    assert_int_equal(cgroup_update(&cgroup.name, &update, NULL, &arena, &why), -1);
    assert_string_equal(content(&cgroup, "hugetlb.2MB.max"), "4194304");
    assert_string_equal(content(&cgroup, "hugetlb.2MB.rsvd.max"), "4194304");
    update.unified.count = 0;
    must(cgroup_update(&cgroup.name, &update, NULL, &arena, &why));
    assert_string_equal(content(&cgroup, "hugetlb.2MB.max"), "8388608");

    limits[0].page_size = (char *)(uintptr_t) "3MB"; /* RHUG-06 */
    assert_int_equal(cgroup_update(&cgroup.name, &resources, NULL, &arena, &why), -1);
    assert_non_null(strstr(why.text, "hugetlb.3MB.max"));
    assert_string_equal(why.pointer, "/linux/resources/hugepageLimits/0");
    drop(&cgroup);
    must(rmdir(host_path(below("deep"))));
}

/* spec: CGP-13 */
static void busy_parent_is_explained(void **state)
{
    (void)state;
    char controllers[256];
    assert_true(file_read_line_at(AT_FDCWD, MOUNT "/cgroup.controllers", controllers, sizeof controllers) >= 0);
    if (!strstr(controllers, "hugetlb"))
        skip();
    struct spec_hugepage_limit limits[] = {{(char *)(uintptr_t) "2MB", 4u << 20}};
    struct spec_resources resources = {.set = true, .hugepage_limits = limits, .hugepage_limits_count = 1};
    struct cgroup parent = make(below("busy"), NULL), child;
    pid_t pid = spawn_in(parent.fd, NULL);
    /* hugetlb may only be enabled there when "busy" itself has it, so give it a limit of its own. */
    must(cgroup_update(&parent.name, &resources, NULL, &arena, &why));
    struct cgroup_request request = request_for(below("busy/child"), &resources);
    assert_int_equal(cgroup_create(&request, &arena, &child, &why), -1);
    assert_non_null(strstr(why.text, "'hugetlb'"));
    assert_non_null(strstr(why.text, below("busy")));
    assert_int_equal(why.errnum, EBUSY);
    assert_string_equal(why.pointer, "/linux/resources/hugepageLimits/0");
    drop(&parent);
    assert_int_equal(WTERMSIG(status_of(pid)), SIGKILL);
}

static void defaults_need_no_controller(void **state)
{
    (void)state;
    struct spec_resources resources = {.set = true, .pids_limit = {true, -1}};
    resources.cpu.shares = (struct optional_u64){true, 1024};
    resources.memory.limit = (struct optional_i64){true, -1};
    resources.memory.swap = (struct optional_i64){true, -1};
    resources.cpu.quota = (struct optional_i64){true, -1};
    struct cgroup cgroup = make(below("plain"), &resources);
    drop(&cgroup);
}

/* ---- processes ---- */

static void clone_into_cgroup_takes_both_kinds_of_fd(void **state)
{
    (void)state;
    struct cgroup cgroup = make(below("clone"), NULL);
    int path_fd = open(host_path(below("clone")), O_PATH | O_DIRECTORY | O_CLOEXEC);
    pid_t pids[] = {spawn_in(cgroup.fd, NULL), spawn_in(path_fd, NULL)};
    pid_t *listed;
    assert_int_equal(cgroup_pids(cgroup.fd, &arena, &listed), 2);
    assert_true((listed[0] == pids[0] && listed[1] == pids[1]) || (listed[0] == pids[1] && listed[1] == pids[0]));
    fd_close(&path_fd);
    drop(&cgroup);
    for (int i = 0; i < 2; i++)
        assert_int_equal(WTERMSIG(status_of(pids[i])), SIGKILL);
}

static void attach_moves_a_process(void **state)
{
    (void)state;
    struct cgroup cgroup = make(below("attach"), NULL);
    struct cgroup_request request = request_for(below("attach"), NULL);
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    must(cgroup_attach(&request, &arena, &cgroup, pid, &why));
    pid_t *listed;
    assert_int_equal(cgroup_pids(cgroup.fd, &arena, &listed), 1);
    assert_int_equal(listed[0], pid);
    drop(&cgroup);
    (void)status_of(pid);
    assert_int_equal(cgroup_attach(&request, &arena, &(struct cgroup){.fd = -1}, 1, &why),
                     0); /* no cgroup of its own */
}

static void signals_and_pids_of_the_whole_subtree(void **state)
{
    (void)state;
    struct cgroup cgroup = make(below("tree"), NULL);
    enum { COUNT = 150 }; /* more than one chunk */
    pid_t pids[COUNT];
    for (int i = 0; i < COUNT; i++) {
        const char *child = below(arena_format(&arena, "tree/child%d", i % 3));
        if (i < 3)
            must(mkdir(host_path(child), 0755));
        int fd = open(host_path(child), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        pids[i] = spawn_in(fd, NULL);
        fd_close(&fd);
    }
    pid_t *listed;
    assert_int_equal(cgroup_pids(cgroup.fd, &arena, &listed), COUNT);
    assert_int_equal(cgroup_signal(cgroup.fd, SIGTERM), COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(WTERMSIG(status_of(pids[i])), SIGTERM);
    drop(&cgroup);
    assert_false(exists(below("tree")));
}

static void the_caller_is_not_signalled(void **state)
{
    (void)state;
    struct cgroup cgroup = make(below("self"), NULL);
    must(file_write_text_at(cgroup.fd, "cgroup.procs", "0"));
    assert_int_equal(cgroup_signal(cgroup.fd, SIGKILL), 0);
    int root_fd = mount_open_root(&why);
    must(file_write_text_at(root_fd, "cgroup.procs", "0"));
    fd_close(&root_fd);
    drop(&cgroup);
}

static void freezes_and_thaws(void **state)
{
    (void)state;
    struct cgroup cgroup = make(below("freeze"), NULL);
    pid_t pid = spawn_in(cgroup.fd, NULL);
    assert_false(cgroup_is_frozen(cgroup.fd));
    must(cgroup_freeze(cgroup.fd, true, clock_now_ms() + 5000, &why));
    assert_true(cgroup_is_frozen(cgroup.fd));
    must(cgroup_freeze(cgroup.fd, false, clock_now_ms() + 5000, &why));
    assert_false(cgroup_is_frozen(cgroup.fd));
    must(cgroup_freeze(cgroup.fd, true, clock_now_ms() + 5000, &why));
    drop(&cgroup); /* a frozen container can be killed and removed */
    assert_int_equal(WTERMSIG(status_of(pid)), SIGKILL);
}

static void thaw_below_a_frozen_parent_is_explained(void **state)
{
    (void)state;
    struct cgroup parent = make(below("outer"), NULL), child = make(below("outer/inner"), NULL);
    must(cgroup_freeze(parent.fd, true, clock_now_ms() + 1000, &why));
    assert_int_equal(cgroup_freeze(child.fd, false, clock_now_ms() + 50, &why), -1);
    assert_int_equal(why.kind, FAILURE_STATE);
    assert_non_null(strstr(why.hint, "above"));
    drop(&child);
    drop(&parent);
}

static int64_t milliseconds_of_remove(const struct cgroup_name *name, int64_t wait_ms, int *ret_result)
{
    int64_t start = clock_now_ms();
    *ret_result = cgroup_remove(name, start + wait_ms, &why);
    return clock_now_ms() - start;
}

static void remove_names_who_is_left(void **state)
{
    (void)state;
    struct cgroup cgroup = make(below("held"), NULL);
    pid_t pid = spawn_in(cgroup.fd, NULL);
    int result;
    int64_t took = milliseconds_of_remove(&cgroup.name, 200, &result);
    assert_int_equal(result, -1);
    assert_true(took >= 190 && took < 2000);
    assert_non_null(strstr(why.text, arena_format(&arena, "pid %d (test_cgroup_fs) in state ", (int)pid)));
    assert_true(exists(below("held")));
    drop(&cgroup);
    assert_int_equal(WTERMSIG(status_of(pid)), SIGKILL);
}

static void remove_waits_for_the_end(void **state)
{
    (void)state;
    struct cgroup cgroup = make(below("ending"), NULL);
    pid_t pid = spawn_in(cgroup.fd, NULL);
    pid_t killer = fork();
    if (killer == 0) {
        poll(NULL, 0, 100);
        _exit(kill(pid, SIGKILL));
    }
    int result;
    int64_t took = milliseconds_of_remove(&cgroup.name, 5000, &result);
    must(result);
    assert_true(took >= 50 && took < 2000);
    (void)status_of(killer);
    (void)status_of(pid);
    assert_false(exists(below("ending")));
    cgroup_close(&cgroup);
}

static void removes_wide_and_very_deep_trees(void **state)
{
    (void)state;
    struct cgroup cgroup = make(below("deep"), NULL);
    for (int i = 0; i < 50; i++)
        must(mkdirat(cgroup.fd, arena_format(&arena, "w%d", i), 0755));
    /* Deeper than this process may have descriptors open. */
    struct rlimit before, few = {32, 32};
    must(getrlimit(RLIMIT_NOFILE, &before));
    few.rlim_max = before.rlim_max;
    must(setrlimit(RLIMIT_NOFILE, &few));
    int fd = fd_duplicate(cgroup.fd, 3);
    for (int i = 0; i < 100; i++) {
        must(mkdirat(fd, "deeper-and-deeper", 0755));
        int next = openat(fd, "deeper-and-deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fd_close(&fd);
        fd = next;
        assert_true(fd >= 0);
    }
    pid_t pid = spawn_in(fd, NULL);
    fd_close(&fd);
    must(cgroup_kill(cgroup.fd));
    assert_int_equal(WTERMSIG(status_of(pid)), SIGKILL);
    assert_int_equal(tree_remove_children(cgroup.fd, clock_now_ms() + 5000), 0); /* in one pass */
    drop(&cgroup);
    assert_false(exists(below("deep")));
    must(setrlimit(RLIMIT_NOFILE, &before));
}

/* ---- devices ---- */

static int probe_devices(void)
{
    /* Bits of the exit status: what could be opened. */
    static const struct {
        const char *path;
        int flags;
    } probes[] = {
        {"/dev/null", O_RDWR},   {"/dev/zero", O_RDONLY}, {"/dev/full", O_WRONLY},
        {"/dev/kmsg", O_RDONLY}, {"/dev/kmsg", O_WRONLY},
    };
    int opened = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(probes); i++) {
        int fd = open(probes[i].path, probes[i].flags | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0)
            opened |= 1 << i;
        else if (errno != EPERM)
            opened |= 0x80;
        fd_close(&fd);
    }
    return opened;
}

static int devices_open_in(const struct cgroup *cgroup)
{
    return WEXITSTATUS(status_of(spawn_in(cgroup->fd, probe_devices)));
}

enum { NULL_ZERO_FULL = 7, KMSG_READ = 8, KMSG_WRITE = 16 };

static const struct spec_device_rule deny_all = {
    .allow = false, .type = 'a', .read = true, .write = true, .mknod = true};
static const struct spec_device_rule allow_all = {
    .allow = true, .type = 'a', .read = true, .write = true, .mknod = true};
static const struct spec_device_rule kmsg_read = {
    .allow = true, .type = 'c', .major = {true, 1}, .minor = {true, 11}, .read = true};

/* spec: RDEV-01 RDEV-02 RDEV-08 RDEV-10 */
static void device_rules_are_in_force(void **state)
{
    (void)state;
    struct stat st;
    if (stat("/dev/kmsg", &st) < 0 || st.st_rdev != makedev(1, 11))
        skip();
    struct spec_device_rule rules[] = {deny_all, kmsg_read};
    struct spec_resources resources = {.set = true, .devices = rules, .devices_count = 1};
    struct cgroup denied = make(below("dev1"), &resources);
    assert_int_equal(devices_open_in(&denied), NULL_ZERO_FULL); /* RDEV-08: the defaults stay */
    drop(&denied);

    resources.devices_count = 2;
    struct cgroup some = make(below("dev2"), &resources);
    assert_int_equal(devices_open_in(&some), NULL_ZERO_FULL | KMSG_READ);

    /* Replaced, neither stacked (which would still deny) nor lost. */
    struct device_rules unknown = {0};
    must(cgroup_devices_replace(some.fd, unknown, (struct device_rules){&deny_all, 1}, &arena, &why));
    assert_int_equal(devices_open_in(&some), NULL_ZERO_FULL);
    must(cgroup_devices_replace(some.fd, unknown, (struct device_rules){rules, 2}, &arena, &why));
    assert_int_equal(devices_open_in(&some), NULL_ZERO_FULL | KMSG_READ);
    must(cgroup_devices_replace(some.fd, unknown, (struct device_rules){&allow_all, 1}, &arena, &why));
    assert_int_equal(devices_open_in(&some), NULL_ZERO_FULL | KMSG_READ | KMSG_WRITE);
    must(cgroup_devices_replace(some.fd, unknown, (struct device_rules){&deny_all, 1}, &arena, &why));
    assert_int_equal(devices_open_in(&some), NULL_ZERO_FULL);
    drop(&some);
}

static void first_allow_rule_allows_nothing_else(void **state)
{
    (void)state;
    /* GHSA-g54h-m393-cpwq */
    struct spec_device_rule rules[] = {kmsg_read};
    struct spec_resources resources = {.set = true, .devices = rules, .devices_count = 1};
    struct cgroup cgroup = make(below("dev3"), &resources);
    assert_int_equal(devices_open_in(&cgroup), NULL_ZERO_FULL | KMSG_READ);
    drop(&cgroup);
}

/* What no rule can take away is not taken away, and is no reason to take nothing else away. */
static void denying_a_default_after_everything_is_allowed(void **state)
{
    (void)state;
    static const struct spec_device_rule without_effect[] = {
        {.type = 'c', .major = {true, 10}, .minor = {true, 200}, .read = true, .write = true, .mknod = true},
        {.type = 'b', .mknod = true},
        {.type = 'c', .major = {true, 5000}, .read = true},
        {.type = 'c', .major = {true, 1}},
    };
    struct stat st;
    if (stat("/dev/kmsg", &st) < 0 || st.st_rdev != makedev(1, 11))
        skip();
    for (size_t i = 0; i < ARRAY_LENGTH(without_effect); i++) {
        struct spec_device_rule rules[] = {allow_all, without_effect[i], {.type = 'c', .major = {true, 1}, .minor = {true, 11}, .write = true}};
        struct spec_resources resources = {.set = true, .devices = rules, .devices_count = 2};
        struct cgroup cgroup = make(below("dev15"), &resources);
        assert_int_equal(devices_open_in(&cgroup), NULL_ZERO_FULL | KMSG_READ | KMSG_WRITE);
        must(cgroup_devices_replace(cgroup.fd, (struct device_rules){rules, 2}, (struct device_rules){rules, 3}, &arena, &why));
        assert_int_equal(devices_open_in(&cgroup), NULL_ZERO_FULL | KMSG_READ);
        must(cgroup_devices_replace(cgroup.fd, (struct device_rules){rules, 3}, (struct device_rules){rules, 2}, &arena, &why));
        assert_int_equal(devices_open_in(&cgroup), NULL_ZERO_FULL | KMSG_READ | KMSG_WRITE);
        drop(&cgroup);
    }
}

/* spec: RDEV-09 */
static void no_rules_no_program(void **state)
{
    (void)state;
    struct spec_resources resources = {.set = true};
    struct cgroup cgroup = make(below("dev4"), &resources);
    assert_int_equal(devices_open_in(&cgroup), NULL_ZERO_FULL | KMSG_READ | KMSG_WRITE);
    drop(&cgroup);
}

static void joined_cgroup_keeps_one_program(void **state)
{
    (void)state;
    struct spec_device_rule rules[] = {deny_all, kmsg_read};
    struct spec_resources first = {.set = true, .devices = rules, .devices_count = 1}, second = first;
    second.devices_count = 2;
    struct cgroup one = make(below("dev5"), &first), two = make(below("dev5"), &second);
    assert_int_equal(devices_open_in(&two), NULL_ZERO_FULL | KMSG_READ);
    cgroup_close(&two);
    drop(&one);
}

/* The kernel's verifier takes programs of any shape we make. */
static void largest_rule_list_loads(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    struct spec_device_rule *rules = arena_alloc(&arena, COUNT * sizeof *rules);
    for (int i = 0; i < COUNT; i++)
        rules[i] = (struct spec_device_rule){.allow = i % 3 != 0,
                                             .type = "cb"[i % 2],
                                             .major = {true, i},
                                             .minor = {true, i},
                                             .read = true,
                                             .write = i % 5 != 0,
                                             .mknod = i % 7 == 0};
    struct cgroup cgroup = make(below("dev6"), NULL);
    must(cgroup_devices_replace(cgroup.fd, (struct device_rules){0}, (struct device_rules){rules, COUNT}, &arena, &why));
    assert_int_equal(devices_open_in(&cgroup), NULL_ZERO_FULL);
    drop(&cgroup);
}

static int call_bpf(int command, union bpf_attr *attr)
{
    int result = kernel_bpf(command, attr, sizeof *attr);
    assert_true(result >= 0);
    return result;
}

static uint32_t programs_of(int cgroup_fd, uint32_t *ret_ids, uint32_t room)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.query.target_fd = (uint32_t)cgroup_fd;
    attr.query.attach_type = BPF_CGROUP_DEVICE;
    attr.query.prog_ids = (uintptr_t)ret_ids;
    attr.query.prog_cnt = room;
    (void)call_bpf(BPF_PROG_QUERY, &attr);
    return attr.query.prog_cnt;
}

static int open_program(uint32_t id)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_id = id;
    return call_bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

static uint32_t program_of(const struct cgroup *cgroup)
{
    uint32_t ids[2];
    assert_int_equal(programs_of(cgroup->fd, ids, ARRAY_LENGTH(ids)), 1);
    return ids[0];
}

/* A state root of its own, on tmpfs as /run is. */
static int open_state_root(void)
{
    char path[] = "/tmp/crun-lite-shared.XXXXXX";
    assert_non_null(mkdtemp(path));
    assert_int_equal(mount("tmpfs", path, "tmpfs", 0, NULL), 0);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(umount2(path, MNT_DETACH), 0);
    assert_int_equal(rmdir(path), 0);
    return fd;
}

static void same_rules_share_a_program(void **state)
{
    (void)state;
    struct spec_device_rule rules[] = {deny_all, kmsg_read};
    struct spec_resources first = {.set = true, .devices = rules, .devices_count = 1}, second = first;
    second.devices_count = 2;
    int shared = open_state_root();
    struct cgroup one = make_sharing(below("dev8"), &first, shared), two = make_sharing(below("dev9"), &first, shared);
    struct cgroup other = make_sharing(below("dev10"), &second, shared), alone = make(below("dev11"), &first);
    uint32_t id = program_of(&one);
    assert_int_equal(program_of(&two), id);
    assert_int_not_equal(program_of(&other), id);
    assert_int_not_equal(program_of(&alone), id);

    /* New rules for one are none for the other. */
    must(cgroup_devices_replace(one.fd, (struct device_rules){rules, 1}, (struct device_rules){rules, 2}, &arena, &why));
    assert_int_not_equal(program_of(&one), id);
    assert_int_equal(program_of(&two), id);
    assert_int_equal(devices_open_in(&two) & KMSG_READ, 0);
    drop(&one);
    assert_int_equal(devices_open_in(&two), NULL_ZERO_FULL);
    /* The last one's end is the program's, whatever is written about it. */
    drop(&two);
    one = make_sharing(below("dev8"), &first, shared);
    assert_int_equal(devices_open_in(&one), NULL_ZERO_FULL);
    drop(&one);
    drop(&other);
    drop(&alone);
    fd_close(&shared);
}

/* Whatever the attributes say, a program is shared for what it does. */
static void a_note_about_another_program_is_not_believed(void **state)
{
    (void)state;
    struct spec_device_rule rules[] = {deny_all, kmsg_read};
    struct spec_resources narrow = {.set = true, .devices = rules, .devices_count = 1}, wide = narrow;
    wide.devices_count = 2;
    const char *const texts[] = {NULL, "", "0", "4294967295", "x", "123456789012345678901234567890"};
    struct cgroup other = make(below("dev12"), &wide);
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        int shared = open_state_root();
        const char *text = texts[i] == NULL ? arena_format(&arena, "%u", program_of(&other)) : texts[i];
        for (unsigned slot = 0; slot < 16; slot++)
            assert_int_equal(fsetxattr(shared, arena_format(&arena, "trusted.crun-lite.devices.%x", slot), text, strlen(text), 0), 0);
        struct cgroup cgroup = make_sharing(below("dev13"), &narrow, shared);
        assert_int_not_equal(program_of(&cgroup), program_of(&other));
        assert_int_equal(devices_open_in(&cgroup) & KMSG_READ, 0);
        drop(&cgroup);
        fd_close(&shared);
    }
    /* A file system without such attributes, and a list too long to be compared at once: everyone has its own. */
    int without = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), shared = open_state_root();
    struct cgroup one = make_sharing(below("dev13"), &narrow, without), two = make_sharing(below("dev14"), &narrow, without);
    assert_int_not_equal(program_of(&one), program_of(&two));
    drop(&one);
    drop(&two);
    struct spec_device_rule many[100];
    for (size_t i = 0; i < ARRAY_LENGTH(many); i++)
        many[i] = (struct spec_device_rule){.allow = true, .type = 'b', .major = {true, 9}, .minor = {true, (int64_t)i}, .read = true};
    struct spec_resources long_list = {.set = true, .devices = many, .devices_count = ARRAY_LENGTH(many)};
    one = make_sharing(below("dev13"), &long_list, shared);
    two = make_sharing(below("dev14"), &long_list, shared);
    assert_int_not_equal(program_of(&one), program_of(&two));
    drop(&one);
    drop(&two);
    drop(&other);
    fd_close(&without);
    fd_close(&shared);
}

/* What a GPU's hook does: reads the program that it finds, puts a rule (/dev/kmsg, everything) in front of it, and has the result in
 * the place of the old one, without a name. */
static void change_program_as_a_hook_does(int cgroup_fd)
{
    uint32_t id;
    union bpf_attr attr;
    struct bpf_prog_info info;
    struct bpf_insn program[512] = {
        {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = offsetof(struct bpf_cgroup_dev_ctx, major)},
        {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 3, .src_reg = 1, .off = offsetof(struct bpf_cgroup_dev_ctx, minor)},
        {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 2, .off = 3, .imm = 1},
        {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 3, .off = 2, .imm = 11},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1},
        {.code = BPF_JMP | BPF_EXIT},
    };
    enum { FRONT = 6 };
    assert_int_equal(programs_of(cgroup_fd, &id, 1), 1);
    int old = open_program(id);
    memset(&info, 0, sizeof info);
    info.xlated_prog_len = sizeof program - FRONT * sizeof *program;
    info.xlated_prog_insns = (uintptr_t)(program + FRONT);
    memset(&attr, 0, sizeof attr);
    attr.info.bpf_fd = (uint32_t)old;
    attr.info.info_len = sizeof info;
    attr.info.info = (uintptr_t)&info;
    (void)call_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);

    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attr.insns = (uintptr_t)program;
    attr.insn_cnt = FRONT + info.xlated_prog_len / (uint32_t)sizeof *program;
    attr.license = (uintptr_t) "GPL";
    int changed = call_bpf(BPF_PROG_LOAD, &attr);
    memset(&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t)cgroup_fd;
    attr.attach_bpf_fd = (uint32_t)changed;
    attr.attach_type = BPF_CGROUP_DEVICE;
    attr.attach_flags = BPF_F_ALLOW_MULTI;
    (void)call_bpf(BPF_PROG_ATTACH, &attr);
    memset(&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t)cgroup_fd;
    attr.attach_bpf_fd = (uint32_t)old;
    attr.attach_type = BPF_CGROUP_DEVICE;
    (void)call_bpf(BPF_PROG_DETACH, &attr);
    fd_close(&changed);
    fd_close(&old);
}

static void what_a_hook_allows_stays_allowed(void **state)
{
    (void)state;
    struct stat st;
    uint32_t ids[8];
    if (stat("/dev/kmsg", &st) < 0 || st.st_rdev != makedev(1, 11))
        skip();
    struct spec_device_rule tape[] = {deny_all, {.allow = true, .type = 'c', .major = {true, 9}, .minor = {true, 0}, .read = true}};
    struct device_rules denied = {&deny_all, 1}, other = {tape, 2}, everything = {&allow_all, 1};
    struct spec_resources resources = {.set = true, .devices = tape, .devices_count = 1};
    struct cgroup cgroup = make(below("dev7"), &resources);
    change_program_as_a_hook_does(cgroup.fd);
    assert_int_equal(devices_open_in(&cgroup), NULL_ZERO_FULL | KMSG_READ | KMSG_WRITE);

    /* New rules, again and again: one program, with the hook's front and the rules of now behind it. */
    must(cgroup_devices_replace(cgroup.fd, denied, other, &arena, &why));
    assert_int_equal(devices_open_in(&cgroup), NULL_ZERO_FULL | KMSG_READ | KMSG_WRITE);
    assert_int_equal(programs_of(cgroup.fd, ids, ARRAY_LENGTH(ids)), 1);
    must(cgroup_devices_replace(cgroup.fd, other, denied, &arena, &why));
    assert_int_equal(devices_open_in(&cgroup), NULL_ZERO_FULL | KMSG_READ | KMSG_WRITE);
    assert_int_equal(programs_of(cgroup.fd, ids, ARRAY_LENGTH(ids)), 1);

    /* A program that does not end with ours is somebody else's: beside it, not in its place. */
    change_program_as_a_hook_does(cgroup.fd);
    struct device_rules unknown = {0};
    must(cgroup_devices_replace(cgroup.fd, unknown, other, &arena, &why));
    assert_int_equal(programs_of(cgroup.fd, ids, ARRAY_LENGTH(ids)), 2);
    assert_int_equal(devices_open_in(&cgroup), NULL_ZERO_FULL);

    drop(&cgroup);

    /* Every device: no program is needed, neither ours nor the hook's. */
    cgroup = make(below("dev7"), &resources);
    change_program_as_a_hook_does(cgroup.fd);
    must(cgroup_devices_replace(cgroup.fd, denied, everything, &arena, &why));
    assert_int_equal(programs_of(cgroup.fd, ids, ARRAY_LENGTH(ids)), 0);
    drop(&cgroup);
}

/* ---- ownership ---- */

/* spec: CGO-06 CGO-07 CGO-09 */
static void delegates_the_listed_files_only(void **state)
{
    (void)state;
    struct cgroup cgroup = make(below("owned"), NULL);
    must(cgroup_delegate(&cgroup, 12345, &why));
    DIR *listing = opendir(host_path(below("owned")));
    assert_non_null(listing);
    unsigned owned = 0;
    for (const struct dirent *entry; (entry = readdir(listing));) {
        struct stat st;
        if (text_equal(entry->d_name, ".."))
            continue;
        must(fstatat(cgroup.fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW));
        static const char *const listed[] = {
            ".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "memory.oom.group", "memory.reclaim"};
        bool expected = false;
        for (size_t i = 0; i < ARRAY_LENGTH(listed); i++)
            expected |= text_equal(entry->d_name, listed[i]);
        assert_int_equal(st.st_uid, expected ? 12345 : 0);
        assert_int_equal(st.st_gid, 0);
        owned += expected;
    }
    assert_true(owned >= 4);
    closedir(listing);
    drop(&cgroup);
}

/* ---- without privilege ---- */

/* Runs `body` in a child with uid 1000; the child's exit status. */
static int as_user(int (*body)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        if (setresgid(1000, 1000, 1000) < 0 || setresuid(1000, 1000, 1000) < 0)
            _exit(99);
        _exit(body());
    }
    return WEXITSTATUS(status_of(pid));
}

static int user_without_limits(void)
{
    struct cgroup cgroup;
    struct spec_device_rule rules[] = {deny_all};
    struct spec_resources resources = {.set = true, .devices = rules, .devices_count = 1};
    struct cgroup_request request = request_for(NULL, &resources);
    if (cgroup_create(&request, &arena, &cgroup, &why) < 0)
        return 1;
    return cgroup.fd == -1 && cgroup.name.path == NULL ? 0 : 2;
}

static int user_with_existing(void)
{
    struct cgroup cgroup;
    struct cgroup_request request = request_for(below("others"), NULL);
    if (cgroup_create(&request, &arena, &cgroup, &why) < 0 || cgroup.fd != -1 || cgroup.name.path)
        return 1;
    struct string_pair pair = {(char *)(uintptr_t) "cgroup.max.depth", (char *)(uintptr_t) "3"};
    struct spec_resources resources = {.set = true, .unified = {&pair, 1}};
    request.resources = &resources;
    return cgroup_create(&request, &arena, &cgroup, &why) < 0 && why.errnum == EACCES &&
                   strstr(why.text, "exists already")
               ? 0
               : 2;
}

static int user_with_limit(void)
{
    struct cgroup cgroup;
    struct spec_resources resources = {.set = true, .pids_limit = {true, 100}};
    struct cgroup_request request = request_for("/some/where", &resources);
    if (cgroup_create(&request, &arena, &cgroup, &why) == 0)
        return 1;
    /* Which of the two stops it depends on the host: the controller, or else the directory. */
    bool controller = strstr(why.text, "'pids'") && text_equal(why.pointer, "/linux/resources/pids/limit");
    bool directory = strstr(why.text, "'/some'") && why.errnum == EACCES;
    return (controller || directory) && why.hint[0] ? 0 : 2;
}

static int user_with_core_limit(void)
{
    struct cgroup cgroup;
    struct string_pair pair = {(char *)(uintptr_t) "cgroup.max.depth", (char *)(uintptr_t) "3"};
    struct spec_resources resources = {.set = true, .unified = {&pair, 1}};
    struct cgroup_request request = request_for("/crun-lite-some/where", &resources);
    if (cgroup_create(&request, &arena, &cgroup, &why) == 0)
        return 1;
    return strstr(why.text, "/crun-lite-some") && strstr(why.hint, "Delegate=yes") && why.errnum == EACCES ? 0 : 2;
}

static const char *delegated;

static int user_in_delegated(void)
{
    struct cgroup cgroup;
    struct cgroup_request request = request_for(NULL, NULL);
    if (cgroup_create(&request, &arena, &cgroup, &why) < 0 || cgroup.fd < 0)
        return 1;
    if (!text_equal(cgroup.name.path, arena_format(&arena, "%s/crun-lite-test-c1", delegated)))
        return 2;
    cgroup_undo(&cgroup);
    request.cgroups_path = "rel/ative";
    if (cgroup_create(&request, &arena, &cgroup, &why) < 0 || cgroup.fd < 0)
        return 3;
    if (!text_equal(cgroup.name.path, arena_format(&arena, "%s/rel/ative", delegated)))
        return 4;
    pid_t pid = spawn_in(cgroup.fd, NULL);
    cgroup_undo(&cgroup);
    return WTERMSIG(status_of(pid)) == SIGKILL ? 0 : 5;
}

static void rootless_without_delegation(void **state)
{
    (void)state;
    assert_int_equal(as_user(user_without_limits), 0);
    assert_int_equal(as_user(user_with_limit), 0);
    assert_int_equal(as_user(user_with_core_limit), 0);
    struct cgroup others = make(below("others"), NULL);
    assert_int_equal(as_user(user_with_existing), 0);
    drop(&others);
}

static void rootless_with_delegation(void **state)
{
    (void)state;
    struct cgroup slice = make(below("user"), NULL), session = make(below("user/session"), NULL);
    must(cgroup_delegate(&slice, 1000, &why));
    must(cgroup_delegate(&session, 1000, &why));
    delegated = slice.name.path;
    must(file_write_text_at(session.fd, "cgroup.procs", "0"));
    int result = as_user(user_in_delegated);
    int root_fd = mount_open_root(&why);
    must(file_write_text_at(root_fd, "cgroup.procs", "0"));
    fd_close(&root_fd);
    assert_int_equal(result, 0);
    drop(&session);
    drop(&slice);
}

/* Each in a child with its own mount namespace. */
static int in_new_mount_ns(int (*body)(void))
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(unshare(CLONE_NEWNS) < 0 ? 99 : body());
    return WEXITSTATUS(status_of(pid));
}

static int read_only_body(void)
{
    struct cgroup cgroup;
    struct cgroup_request request = request_for("/ro", NULL);
    if (mount(NULL, MOUNT, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
        return 98;
    if (cgroup_create(&request, &arena, &cgroup, &why) < 0 || cgroup.fd != -1 || cgroup.name.path)
        return 1;
    struct spec_device_rule rules[] = {deny_all};
    struct spec_resources resources = {.set = true, .devices = rules, .devices_count = 1};
    request.resources = &resources; /* default deny cannot be had here: an error, not silence */
    if (cgroup_create(&request, &arena, &cgroup, &why) == 0 || why.errnum != EROFS)
        return 2;
    return strstr(why.hint, "--cgroup-manager disabled") ? 0 : 3;
}

static int no_cgroup2_body(void)
{
    struct cgroup cgroup;
    struct cgroup_request request = request_for("/x", NULL);
    if (mount("tmpfs", MOUNT, "tmpfs", 0, NULL) < 0)
        return 98;
    if (cgroup_create(&request, &arena, &cgroup, &why) == 0)
        return 1;
    if (!strstr(why.hint, "systemd.unified_cgroup_hierarchy=1") || !strstr(why.hint, "--cgroup-manager disabled"))
        return 2;
    request.manager = CGROUP_MANAGER_DISABLED;
    if (cgroup_create(&request, &arena, &cgroup, &why) < 0 || cgroup.fd != -1 || cgroup.name.path)
        return 3;
    struct spec_resources resources = {.set = true, .pids_limit = {true, 100}};
    request.resources = &resources;
    return cgroup_create(&request, &arena, &cgroup, &why) < 0 && text_equal(why.pointer, "/linux/resources") ? 0
                                                                                                             : 4;
}

static int hybrid_body(void)
{
    struct cgroup cgroup;
    if (mount("tmpfs", MOUNT, "tmpfs", 0, NULL) < 0 || mkdir(MOUNT "/unified", 0755) < 0 ||
        mount("cgroup2", MOUNT "/unified", "cgroup2", 0, NULL) < 0)
        return 98;
    struct cgroup_request request = request_for(below("hybrid"), NULL);
    if (cgroup_create(&request, &arena, &cgroup, &why) < 0 || cgroup.fd < 0)
        return 1;
    if (!text_equal(cgroup_mount_point(&why), MOUNT "/unified"))
        return 2;
    cgroup_undo(&cgroup);
    return 0;
}

static void read_only_and_missing_mounts(void **state)
{
    (void)state;
    assert_int_equal(in_new_mount_ns(read_only_body), 0);
    assert_int_equal(in_new_mount_ns(no_cgroup2_body), 0);
    assert_int_equal(in_new_mount_ns(hybrid_body), 0);
}

/* ---- a fake tree: files of controllers that this host does not have ---- */

static const char *fake;

static void fake_file(const char *name, const char *text)
{
    int fd = open(arena_format(&arena, "%s/%s", fake, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    must(fd_write_all(fd, text, strlen(text)));
    fd_close(&fd);
}

static const char *fake_read(const char *name)
{
    char line[256];
    assert_true(file_read_line_at(AT_FDCWD, arena_format(&arena, "%s/%s", fake, name), line, sizeof line) >= 0);
    return arena_copy(&arena, line);
}

static void fake_begin(char *template)
{
    fake = mkdtemp(template);
    assert_non_null(fake);
    mount_point_set_for_tests(fake);
    fake_file("cgroup.subtree_control", "");
    fake_file("cgroup.controllers", "cpuset cpu io memory pids\n");
    must(mkdir(arena_format(&arena, "%s/c1", fake), 0755));
    fake_file("c1/cgroup.procs", "");
}

static void fake_end(void)
{
    must(file_remove_tree_at(AT_FDCWD, fake));
}

/* spec: RMEM-02 RMEM-03 RMEM-05 RCPU-03 RCPU-10 RIO-03 RPID-01 */
static void writes_land_in_their_files(void **state)
{
    (void)state;
    char template[] = "/tmp/crun-lite-cgroup-XXXXXX";
    fake_begin(template);
    static const char *const files[] = {"memory.max", "memory.low",  "memory.swap.max", "cpu.weight",
                                        "cpu.max",    "cpuset.cpus", "pids.max",        "io.weight"};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        fake_file(arena_format(&arena, "c1/%s", files[i]), "");
    struct spec_resources resources = {.set = true, .pids_limit = {true, 40}};
    resources.memory.limit = (struct optional_i64){true, 64 << 20};
    resources.memory.swap = (struct optional_i64){true, 128 << 20};
    resources.memory.reservation = (struct optional_i64){true, 32 << 20};
    resources.cpu.shares = (struct optional_u64){true, 512};
    resources.cpu.quota = (struct optional_i64){true, 50000};
    resources.cpu.cpus = (char *)(uintptr_t) "0-1";
    resources.block_io.weight = (struct optional_u64){true, 500};
    struct cgroup cgroup = make("/c1", &resources);
    assert_string_equal(fake_read("c1/memory.max"), "67108864");
    assert_string_equal(fake_read("c1/memory.swap.max"), "67108864");
    assert_string_equal(fake_read("c1/memory.low"), "33554432");
    assert_string_equal(fake_read("c1/cpu.weight"), "59");
    assert_string_equal(fake_read("c1/cpu.max"), "50000 100000");
    assert_string_equal(fake_read("c1/cpuset.cpus"), "0-1");
    assert_string_equal(fake_read("c1/pids.max"), "40");
    assert_string_equal(fake_read("c1/io.weight"), "4950"); /* no io.bfq.weight here */
    /* A regular file keeps the longest write's tail; both writes went to it, the needed controllers first. */
    assert_non_null(strstr(fake_read("cgroup.subtree_control"), "+"));
    cgroup_close(&cgroup);
    fake_end();
}

/* spec: RMEM-11 */
static void a_kernel_without_swap_accounting_is_enough_for_no_swap(void **state)
{
    static const struct {
        int64_t limit, swap;
        bool enough;
    } rows[] = {
        {64 << 20, -1, true}, {64 << 20, 64 << 20, true}, {64 << 20, 0, true}, {-1, 0, true}, {64 << 20, 65 << 20, false}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char template[] = "/tmp/crun-lite-cgroup-XXXXXX";
        fake_begin(template);
        fake_file("c1/memory.max", "");
        struct spec_resources resources = {.set = true};
        resources.memory.limit = (struct optional_i64){true, rows[i].limit};
        resources.memory.swap = (struct optional_i64){true, rows[i].swap};
        struct cgroup cgroup;
        struct cgroup_request request = request_for("/c1", &resources);
        assert_int_equal(cgroup_create(&request, &arena, &cgroup, &why), rows[i].enough ? 0 : -1);
        if (rows[i].enough)
            cgroup_close(&cgroup);
        else
            assert_string_equal(why.pointer, "/linux/resources/memory/swap");
        fake_end();
    }
}

/* spec: RIO-11 */
static void a_weight_without_any_scheduler_for_it_is_refused(void **state)
{
    struct spec_io_weight device = {8, 0, {true, 500}, {0}};
    (void)state;
    char template[] = "/tmp/crun-lite-cgroup-XXXXXX";
    fake_begin(template);
    struct spec_resources resources = {.set = true};
    resources.block_io.weight_devices = &device, resources.block_io.weight_devices_count = 1;
    struct cgroup cgroup;
    struct cgroup_request request = request_for("/c1", &resources);
    assert_int_equal(cgroup_create(&request, &arena, &cgroup, &why), -1);
    assert_string_equal(why.pointer, "/linux/resources/blockIO/weightDevice/0/weight");
    assert_non_null(strstr(why.text, "io.bfq.weight"));
    assert_non_null(strstr(why.hint, "CONFIG_BLK_CGROUP_IOCOST"));
    /* With iocost, converted; with BFQ, as it is. */
    fake_file("c1/io.weight", "");
    cgroup = make("/c1", &resources);
    assert_string_equal(fake_read("c1/io.weight"), "8:0 4950");
    cgroup_close(&cgroup);
    fake_file("c1/io.bfq.weight", "");
    cgroup = make("/c1", &resources);
    assert_string_equal(fake_read("c1/io.bfq.weight"), "8:0 500");
    cgroup_close(&cgroup);
    fake_end();
}

static void stopped_controller_is_named_with_its_cgroup(void **state)
{
    (void)state;
    char template[] = "/tmp/crun-lite-cgroup-XXXXXX";
    fake_begin(template);
    fake_file("cgroup.subtree_control", "memory pids\n");
    fake_file("c1/cgroup.controllers", "memory pids\n");
    must(mkdir(arena_format(&arena, "%s/c1/sub", fake), 0755));
    fake_file("c1/cgroup.subtree_control", "");
    struct spec_resources resources = {.set = true};
    resources.cpu.quota = (struct optional_i64){true, 50000};
    struct cgroup cgroup;
    struct cgroup_request request = request_for("/c1/sub", &resources);
    /* The write succeeds on a plain file; take it away so that the driver has to explain. */
    must(unlink(arena_format(&arena, "%s/cgroup.subtree_control", fake)));
    assert_int_equal(cgroup_create(&request, &arena, &cgroup, &why), -1);
    assert_non_null(strstr(why.text, "cgroup.subtree_control of cgroup '/'"));
    fake_file("cgroup.subtree_control", "cpu memory pids io\n");
    must(unlink(arena_format(&arena, "%s/c1/cgroup.subtree_control", fake)));
    must(symlink("/proc/self/stat",
                 arena_format(&arena, "%s/c1/cgroup.subtree_control", fake))); /* readable, not writable */
    assert_int_equal(cgroup_create(&request, &arena, &cgroup, &why), -1);
    assert_string_equal(why.pointer, "/linux/resources/cpu/quota");
    assert_non_null(strstr(why.text, "controller 'cpu' stops above cgroup '/c1'"));
    fake_end();
}

static void tiny_limits_wait_for_init(void **state)
{
    (void)state;
    char template[] = "/tmp/crun-lite-cgroup-XXXXXX";
    fake_begin(template);
    fake_file("c1/pids.max", "");
    fake_file("c1/memory.max", "");
    struct spec_resources resources = {.set = true, .pids_limit = {true, 0}};
    resources.memory.limit = (struct optional_i64){true, 1 << 20};
    struct cgroup cgroup = make("/c1", &resources);
    assert_string_equal(fake_read("c1/pids.max"), "");
    assert_string_equal(fake_read("c1/memory.max"), "");
    assert_int_equal(cgroup.late_count, 2);
    must(cgroup_write_late(&cgroup, &why));
    assert_string_equal(fake_read("c1/pids.max"), "0");
    assert_string_equal(fake_read("c1/memory.max"), "1048576");
    cgroup_close(&cgroup);
    fake_end();
}

/* spec: RMEM-18 RMEM-19 RMEM-20 */
static void usage_is_checked_before_update(void **state)
{
    (void)state;
    char template[] = "/tmp/crun-lite-cgroup-XXXXXX";
    fake_begin(template);
    fake_file("c1/memory.max", "max\n");
    fake_file("c1/memory.current", "67108864\n");
    struct spec_resources resources = {.set = true};
    resources.memory.check_before_update = (struct optional_bool){true, true};
    resources.memory.limit = (struct optional_i64){true, 67108864};
    struct cgroup_name name = {.path = (char *)(uintptr_t) "/c1"};
    assert_int_equal(cgroup_update(&name, &resources, NULL, &arena, &why), -1); /* RMEM-20: the boundary is refused */
    assert_string_equal(why.pointer, "/linux/resources/memory/limit");
    assert_string_equal(fake_read("c1/memory.max"), "max");
    resources.memory.limit.value++;
    must(cgroup_update(&name, &resources, NULL, &arena, &why));
    assert_string_equal(fake_read("c1/memory.max"), "67108865");
    fake_end();
}

/* A refused write at the end: what was written before is taken back, of files with a line per device line by line. */
static void a_failed_update_takes_everything_back(void **state)
{
    static const char *const files[][2] = {
        {"memory.max", "33554432"}, /* as long as the new one: these files are not cut at a write */
        {"cpuset.cpus", ""},
        {"io.max", "8:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=2 wbps=max riops=max wiops=max"},
        {"io.weight", "default 100\n8:0 300"},
        {"rdma.max", "mlx5_0 hca_handle=2 hca_object=2000\nmlx5_1 hca_handle=3 hca_object=max"},
    };
    static const char *const values[][3] = {
        /* file, value, what puts the old one back */
        {"memory.max", "67108864", "33554432"},
        {"cpuset.cpus", "0-1", "\n"},
        {"io.max", "8:16 rbps=5", "8:16 rbps=2 wbps=max riops=max wiops=max"},
        {"io.max", "8:32 rbps=5", "8:32 rbps=max wbps=max riops=max wiops=max"},
        {"io.bfq.weight", "500", "default 100"}, /* written to io.weight */
        {"io.bfq.weight", "8:0 500", "8:0 300"},
        {"io.bfq.weight", "8:16 500", "8:16 default"},
        {"rdma.max", "mlx5_1 hca_handle=7", "mlx5_1 hca_handle=3 hca_object=max"},
        {"rdma.max", "mlx5_11 hca_handle=7", "mlx5_11 hca_handle=max hca_object=max"},
        {"memory.missing", "7", NULL},
    };
    struct cgroup_write writes[ARRAY_LENGTH(values)];
    struct limits limits = {writes, ARRAY_LENGTH(values)}, old;
    (void)state;
    char template[] = "/tmp/crun-lite-cgroup-XXXXXX";
    fake_begin(template);
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        fake_file(arena_format(&arena, "c1/%s", files[i][0]), arena_format(&arena, "%s\n", files[i][1]));
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++)
        writes[i] = (struct cgroup_write){.file = values[i][0], .value = values[i][1]};
    for (size_t i = 4; i < 7; i++)
        writes[i].other_file = "io.weight", writes[i].other_value = writes[i].value;
    struct cgroup_name name = {.path = (char *)(uintptr_t) "/c1"};
    CLEANUP_FD int fd = cgroup_open(&name);
    fs_save(fd, &limits, &arena, &old);
    assert_int_equal(old.count, ARRAY_LENGTH(values) - 1);
    for (size_t i = 0; i < old.count; i++) {
        assert_string_equal(old.writes[i].value, values[i][2]);
        assert_string_equal(old.writes[i].file, i >= 4 && i < 7 ? "io.weight" : values[i][0]);
    }

    struct string_pair pairs[] = {{(char *)(uintptr_t) "memory.low", (char *)(uintptr_t) "5"},
                                  {(char *)(uintptr_t) "memory.missing", (char *)(uintptr_t) "5"}};
    struct spec_resources resources = {.set = true, .unified = {pairs, 2}};
    resources.memory.limit = (struct optional_i64){true, 67108864};
    fake_file("c1/memory.low", "1\n");
    assert_int_equal(cgroup_update(&name, &resources, NULL, &arena, &why), -1);
    assert_non_null(strstr(why.text, "memory.missing"));
    assert_string_equal(why.pointer, "/linux/resources/unified/memory.missing");
    assert_string_equal(fake_read("c1/memory.max"), "33554432");
    assert_string_equal(fake_read("c1/memory.low"), "1");
    fake_end();
}

static void oom_kills_are_read(void **state)
{
    (void)state;
    char template[] = "/tmp/crun-lite-cgroup-XXXXXX";
    fake_begin(template);
    int fd = open(arena_format(&arena, "%s/c1", fake), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(cgroup_oom_kills(fd), 0);
    fake_file("c1/memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n");
    assert_int_equal(cgroup_oom_kills(fd), 2);
    fd_close(&fd);
    fake_end();
}

static void state_file_paths_cannot_lead_out(void **state)
{
    (void)state;
    static const char *const paths[] = {"/../etc", "/c/../../etc"};
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        struct cgroup_name name = {.path = (char *)(uintptr_t)paths[i]};
        int fd = cgroup_open(&name);
        assert_true(fd < 0);
        if (fd != -ENOENT)
            assert_int_equal(cgroup_remove(&name, 0, &why), -1);
    }
}

static int enter_private_view(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    if (umount2(MOUNT, MNT_DETACH) < 0 && errno != EINVAL)
        return -1;
    return mount("cgroup2", MOUNT, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

int main(void)
{
    if (enter_private_view() < 0) {
        const char *must_run = getenv("CRUN_LITE_TESTS_MUST_RUN");
        fprintf(stderr, "cannot mount cgroup2 privately: %s\n", strerror(errno));
        return text_equal(must_run, "1") ? 1 : 77;
    }
    (void)snprintf(top, sizeof top, "/crun-lite-test-%d", (int)getpid());
    arena = (struct arena){0};
    int made = mkdir(host_path(top), 0755);
    arena_done(&arena);
    if (made < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(makes_parents_and_removes, setup, teardown),
        cmocka_unit_test_setup_teardown(default_path_is_the_id, setup, teardown),
        cmocka_unit_test_setup_teardown(same_value_same_place_from_any_cgroup, setup, teardown),
        cmocka_unit_test_setup_teardown(undo_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(failed_limit_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_controller_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(joins_what_exists_and_leaves_it, setup, teardown),
        cmocka_unit_test_setup_teardown(frozen_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(populated_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(locates_without_making, setup, teardown),
        cmocka_unit_test_setup_teardown(unified_core_file_and_late_freeze, setup, teardown),
        cmocka_unit_test_setup_teardown(hugetlb_limit_is_in_force, setup, teardown),
        cmocka_unit_test_setup_teardown(busy_parent_is_explained, setup, teardown),
        cmocka_unit_test_setup_teardown(defaults_need_no_controller, setup, teardown),
        cmocka_unit_test_setup_teardown(clone_into_cgroup_takes_both_kinds_of_fd, setup, teardown),
        cmocka_unit_test_setup_teardown(attach_moves_a_process, setup, teardown),
        cmocka_unit_test_setup_teardown(signals_and_pids_of_the_whole_subtree, setup, teardown),
        cmocka_unit_test_setup_teardown(the_caller_is_not_signalled, setup, teardown),
        cmocka_unit_test_setup_teardown(freezes_and_thaws, setup, teardown),
        cmocka_unit_test_setup_teardown(thaw_below_a_frozen_parent_is_explained, setup, teardown),
        cmocka_unit_test_setup_teardown(remove_names_who_is_left, setup, teardown),
        cmocka_unit_test_setup_teardown(remove_waits_for_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(removes_wide_and_very_deep_trees, setup, teardown),
        cmocka_unit_test_setup_teardown(device_rules_are_in_force, setup, teardown),
        cmocka_unit_test_setup_teardown(first_allow_rule_allows_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(denying_a_default_after_everything_is_allowed, setup, teardown),
        cmocka_unit_test_setup_teardown(no_rules_no_program, setup, teardown),
        cmocka_unit_test_setup_teardown(joined_cgroup_keeps_one_program, setup, teardown),
        cmocka_unit_test_setup_teardown(same_rules_share_a_program, setup, teardown),
        cmocka_unit_test_setup_teardown(a_note_about_another_program_is_not_believed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_hook_allows_stays_allowed, setup, teardown),
        cmocka_unit_test_setup_teardown(largest_rule_list_loads, setup, teardown),
        cmocka_unit_test_setup_teardown(delegates_the_listed_files_only, setup, teardown),
        cmocka_unit_test_setup_teardown(rootless_without_delegation, setup, teardown),
        cmocka_unit_test_setup_teardown(rootless_with_delegation, setup, teardown),
        cmocka_unit_test_setup_teardown(read_only_and_missing_mounts, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_land_in_their_files, setup, teardown),
        cmocka_unit_test_setup_teardown(a_kernel_without_swap_accounting_is_enough_for_no_swap, setup, teardown),
        cmocka_unit_test_setup_teardown(a_weight_without_any_scheduler_for_it_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(stopped_controller_is_named_with_its_cgroup, setup, teardown),
        cmocka_unit_test_setup_teardown(tiny_limits_wait_for_init, setup, teardown),
        cmocka_unit_test_setup_teardown(usage_is_checked_before_update, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_update_takes_everything_back, setup, teardown),
        cmocka_unit_test_setup_teardown(oom_kills_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(state_file_paths_cannot_lead_out, setup, teardown),
    };
    int failed = cmocka_run_group_tests_name("cgroup_fs", tests, NULL, NULL);
    /* A failed test may leave cgroups: take them away, with their processes. */
    char leftover[128];
    (void)snprintf(leftover, sizeof leftover, "%s", top);
    struct cgroup_name name = {.path = leftover};
    int fd = cgroup_open(&name);
    if (fd >= 0 && (cgroup_kill(fd) < 0 || cgroup_remove(&name, clock_now_ms() + 5000, &why) < 0))
        failed = 1;
    fd_close(&fd);
    return failed;
}
