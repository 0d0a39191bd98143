/* tests/userns/test_rootfs_default.c: the default bundle, as root and in user namespaces. */
#include "rootfs_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Last: its macro fail() would hide ours in the headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void show_failure(const struct sandbox *sandbox)
{
    char text[2048];

    failure_render(&sandbox->why, text, sizeof(text));
    fprintf(stderr, "failure: %s\n", text);
}

static void check_device(const char *path, unsigned minor_number, unsigned major_number)
{
    struct stat status;

    CHECK(lstat(path, &status) == 0);
    CHECK(S_ISCHR(status.st_mode) && status.st_rdev == makedev(major_number, minor_number));
    CHECK((status.st_mode & 0777) == 0666);
}

static void check_link(const char *path, const char *target)
{
    char buffer[128] = "";

    CHECK(readlink(path, buffer, sizeof(buffer) - 1) > 0);
    CHECK(strcmp(buffer, target) == 0);
}

static void check_mount(const char *path, const char *type, const char *options)
{
    char line[1024], *copy, *state = NULL;
    char part[64];

    mountinfo_line(path, line, sizeof(line));
    snprintf(part, sizeof(part), " - %s ", type);
    CHECK_TEXT(line, part);
    copy = strdup(options);
    for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
        CHECK_TEXT(line, word);
    free(copy);
}

static void default_inside(struct sandbox *sandbox)
{
    char line[1024], byte;
    struct statvfs root;
    bool cgroup_is_new = !sandbox->no_cgroup_ns;

    (void) sandbox;
    check_device("/dev/null", 3, 1);
    check_device("/dev/zero", 5, 1);
    check_device("/dev/full", 7, 1);
    check_device("/dev/random", 8, 1);
    check_device("/dev/urandom", 9, 1);
    check_device("/dev/tty", 0, 5);
    check_link("/dev/ptmx", "pts/ptmx");
    check_link("/dev/fd", "/proc/self/fd");
    check_link("/dev/stdin", "/proc/self/fd/0");
    check_link("/dev/stdout", "/proc/self/fd/1");
    check_link("/dev/stderr", "/proc/self/fd/2");
    check_mount("/proc", "proc proc", "nosuid nodev noexec");
    check_mount("/dev", "tmpfs tmpfs", "nosuid size=65536k mode=755");
    check_mount("/dev/pts", "devpts devpts", "nosuid noexec ptmxmode=666 mode=620");
    check_mount("/dev/shm", "tmpfs shm", "nosuid nodev noexec size=65536k");
    check_mount("/dev/mqueue", "mqueue mqueue", "nosuid nodev noexec");
    check_mount("/sys", "sysfs", "ro");
    if (cgroup_is_new)
        check_mount("/sys/fs/cgroup", "cgroup2", "ro nosuid nodev noexec");
    mountinfo_line("/dev", line, sizeof(line));
    CHECK(!strstr(line, "relatime") && !strstr(line, "noatime"));
    CHECK(statvfs("/", &root) == 0 && (root.f_flag & ST_RDONLY));
    CHECK(mkdir("/new", 0755) < 0 && errno == EROFS);
    make_file("/dev/shm/file", "writable");
    int null_fd = open("/dev/null", O_RDWR);
    CHECK(null_fd >= 0 && write(null_fd, "x", 1) == 1);
    int ptmx_fd = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    CHECK(ptmx_fd >= 0);
    int kcore_fd = open("/proc/keys", O_RDONLY);
    CHECK(kcore_fd >= 0 && read(kcore_fd, &byte, 1) == 0);
    mountinfo_line("/proc/sys", line, sizeof(line));
    CHECK_TEXT(line, "ro,nosuid,nodev,noexec");
    /* No host path is left. */
    mountinfo_line("/tmp", line, sizeof(line));
    CHECK(line[0] == '\0');
    CHECK(!exists("/tmp/sandbox"));
    CHECK(!exists("/../tmp/sandbox"));
    char directory[64];
    CHECK(getcwd(directory, sizeof(directory)) && strcmp(directory, "/") == 0);
}

static void default_body(struct sandbox *sandbox)
{
    size_t before = mountinfo_count();

    sandbox_default_bundle(sandbox);
    sandbox->inside = default_inside;
    if (sandbox_run(sandbox) < 0) {
        show_failure(sandbox);
        _exit(1);
    }
    CHECK(mountinfo_count() == before);
    CHECK(exists("rootfs/proc") && exists("rootfs/dev") && exists("rootfs/sys"));
    CHECK(!exists("rootfs/dev/null"));
    make_file("rootfs/host-still-writes", "");
}

static void default_user_ns_body(struct sandbox *sandbox)
{
    sandbox->user_ns = true;
    if (sandbox_is_root())
        CHECK(chown("rootfs", 1000, 1000) == 0);
    default_body(sandbox);
}

static void unprivileged_creator_body(struct sandbox *sandbox)
{
    sandbox->around.privileged = false;
    default_body(sandbox);
}

/* Capabilities in a user namespace that does not own the mount namespace, as after "unshare -Ur". */
static void half_privileged_body(struct sandbox *sandbox)
{
    CHECK(unshare(CLONE_NEWUSER) == 0);
    sandbox_map_self();
    sandbox->half_privileged = true;
    default_body(sandbox);
}

static void test_default_half_privileged(void **state)
{
    (void) state;
    assert_int_equal(sandbox_case(half_privileged_body), 0);
}

static void test_default(void **state)
{
    (void) state;
    assert_int_equal(sandbox_case(default_body), 0);
}

static void test_default_user_ns(void **state)
{
    (void) state;
    assert_int_equal(sandbox_case(default_user_ns_body), 0);
}

static void test_default_opened_by_init(void **state)
{
    (void) state;
    assert_int_equal(sandbox_case(unprivileged_creator_body), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_default_user_ns),
        cmocka_unit_test(test_default_opened_by_init),
        cmocka_unit_test(test_default_half_privileged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
