/* tests/userns/test_rootfs_attacks.c: hostile root filesystems; each case names the published weakness. */
#include "rootfs_sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/kernel.h"

/* Last: its macro fail() would hide ours in the headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void run(struct sandbox *sandbox)
{
    char text[2048];
    size_t before = mountinfo_count();

    if (sandbox_run(sandbox) < 0) {
        failure_render(&sandbox->why, text, sizeof(text));
        fprintf(stderr, "failure: %s\n", text);
        _exit(1);
    }
    CHECK(mountinfo_count() == before);
}

static void run_refused(struct sandbox *sandbox, const char *text)
{
    size_t before = mountinfo_count();

    CHECK(sandbox_run(sandbox) < 0);
    CHECK_TEXT(sandbox->why.text, text);
    CHECK(mountinfo_count() == before);
}

static size_t entries(const char *path)
{
    DIR *directory = opendir(path);
    size_t count = 0;

    CHECK(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 2;
}

/* CVE-2026-41579, CVE-2026-47766 */
static void dev_is_link_body(struct sandbox *sandbox)
{
    static const char *const targets[] = {"/tmp/sandbox/target", "../target", "../../../../tmp/sandbox/target"};

    make_dirs("target");
    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        make_link(targets[i], "rootfs/dev");
        run_refused(sandbox, "'/dev' in the root filesystem is a symbolic link");
        CHECK(entries("target") == 0);
        CHECK(unlink("rootfs/dev") == 0);
    }
    make_link("/tmp/sandbox/target", "rootfs/dev");
    sandbox_mount(sandbox, "/dev", "tmpfs", "tmpfs", "");
    run_refused(sandbox, "must be a directory, not a symlink");
    CHECK(entries("target") == 0);
}

/* A directory of the image's /dev that is a link, for a node below it. */
static void device_parent_is_link_body(struct sandbox *sandbox)
{
    static struct spec_device device;

    device = (struct spec_device){.path = strdup("/dev/net/zero"), .type = 'c', .major = 1, .minor = 5};
    sandbox->spec.linux.devices = &device;
    sandbox->spec.linux.devices_count = 1;
    make_dirs("target");
    make_dirs("rootfs/dev");
    make_link("/tmp/sandbox/target", "rootfs/dev/net");
    run_refused(sandbox, "/dev/net/zero");
    CHECK(entries("target") == 0);
}

/* CVE-2019-19921, CVE-2023-27561, CVE-2025-54867 */
static void proc_is_link_body(struct sandbox *sandbox)
{
    make_dirs("target");
    make_dirs("rootfs/evil");
    make_link("/evil", "rootfs/proc");
    sandbox_mount(sandbox, "/proc", "proc", "proc", "");
    run_refused(sandbox, "must be a directory, not a symlink");
    CHECK(strcmp(sandbox->why.pointer, "/mounts/0/destination") == 0);
    CHECK(unlink("rootfs/proc") == 0);
    make_link("/tmp/sandbox/missing", "rootfs/proc");
    run_refused(sandbox, "must be a directory, not a symlink");
    CHECK(!exists("missing") && !exists("rootfs/tmp"));
    CHECK(unlink("rootfs/proc") == 0);
    make_link("/evil", "rootfs/sys");
    sandbox_mount(sandbox, "/sys", "sysfs", "sysfs", "");
    run_refused(sandbox, "must be a directory, not a symlink");
}

/* CVE-2019-16884, CVE-2025-52881: the words do not say /proc, the link does. */
static void link_into_proc_body(struct sandbox *sandbox)
{
    make_dirs("source");
    make_link("proc/self", "rootfs/harmless");
    sandbox_mount(sandbox, "/proc", "proc", "proc", "");
    sandbox_mount(sandbox, "/harmless/attr", "bind", "source", "bind");
    run_refused(sandbox, "a symbolic link leads it into /proc");
    sandbox->spec.mounts_count = 0;
    sandbox_mount(sandbox, "/proc", "proc", "proc", "");
    sandbox_mount(sandbox, "/harmless/attr", "tmpfs", "tmpfs", "");
    run_refused(sandbox, "a symbolic link leads it into /proc");
}

/* CVE-2019-16884: a bind over /proc must be a procfs. */
static void false_proc_body(struct sandbox *sandbox)
{
    make_dirs("source/self/attr");
    sandbox_mount(sandbox, "/proc", "bind", "source", "bind");
    run_refused(sandbox, "not a procfs");
}

static void escape_inside(struct sandbox *sandbox)
{
    (void) sandbox;
    CHECK(exists("/tmp/sandbox/target/x/marker") && exists("/run/lock/y/marker") && exists("/deep/z/marker"));
}

/* CVE-2019-18837, CVE-2021-30465: followed below the root, made below the root. */
static void target_escapes_body(struct sandbox *sandbox)
{
    make_dirs("source");
    make_file("source/marker", "");
    make_dirs("target");
    make_dirs("rootfs/var");
    make_link("/tmp/sandbox/target", "rootfs/evil");
    make_link("../run/lock", "rootfs/var/lock");
    make_link("../../../../../../deep", "rootfs/var/deep");
    sandbox_mount(sandbox, "/evil/x", "bind", "source", "bind");
    sandbox_mount(sandbox, "/var/lock/y", "bind", "source", "bind");
    sandbox_mount(sandbox, "/var/deep/z", "bind", "source", "bind");
    sandbox->inside = escape_inside;
    run(sandbox);
    CHECK(entries("target") == 0);
    CHECK(exists("rootfs/tmp/sandbox/target/x") && exists("rootfs/run/lock/y") && exists("rootfs/deep/z"));
}

static void target_loops_body(struct sandbox *sandbox)
{
    make_link("b", "rootfs/a");
    make_link("a", "rootfs/b");
    sandbox_mount(sandbox, "/a/x", "tmpfs", "tmpfs", "");
    run_refused(sandbox, "make the mount point '/a/x'");
    /* Two links that lead to what the other one lacks: rewriting them must end. */
    CHECK(unlink("rootfs/a") == 0 && unlink("rootfs/b") == 0);
    make_link("/b/c", "rootfs/a");
    make_link("/a/c", "rootfs/b");
    run_refused(sandbox, "make the mount point '/a/x'");
}

static void file_target_inside(struct sandbox *sandbox)
{
    struct stat status;

    (void) sandbox;
    CHECK(stat("/etc/hosts", &status) == 0 && status.st_size == 6);
}

/* CVE-2026-88264: a placeholder through a link. */
static void file_target_is_link_body(struct sandbox *sandbox)
{
    make_dirs("rootfs/etc");
    make_file("source", "source");
    make_link("/tmp/sandbox/victim", "rootfs/etc/hosts");
    sandbox_mount(sandbox, "/etc/hosts", "bind", "source", "bind");
    sandbox->inside = file_target_inside;
    run(sandbox);
    CHECK(!exists("victim") && exists("rootfs/tmp/sandbox/victim"));
}

static void masks_inside(struct sandbox *sandbox)
{
    struct stat status;

    (void) sandbox;
    CHECK(stat("/secret", &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3));
    /* The inode is the host's: its mode and owner are out of reach. */
    CHECK(chmod("/secret", 0) < 0 && (errno == EROFS || errno == EPERM));
    CHECK(stat("/directory", &status) == 0 && S_ISDIR(status.st_mode) && entries("/directory") == 0);
    CHECK(mkdir("/directory/new", 0755) < 0 && errno == EROFS);
    CHECK(entries("/second") == 0);
    CHECK(exists("/closed/file") && open("/closed/file", O_WRONLY) < 0 && errno == EROFS);
    CHECK(stat("/dev/null", &status) < 0 || !S_ISCHR(status.st_mode));
}

/* CVE-2025-31133: the container's /dev/null is anything but. */
static void masks_body(struct sandbox *sandbox)
{
    struct stat before, after;

    CHECK(stat("/dev/null", &before) == 0);
    make_dirs("devices");
    make_link("/proc/sys/kernel/core_pattern", "devices/null");
    make_dirs("rootfs/directory/full");
    make_dirs("rootfs/second/full");
    make_dirs("rootfs/closed");
    make_file("rootfs/closed/file", "");
    make_file("rootfs/secret", "secret");
    sandbox_mount(sandbox, "/dev", "bind", "devices", "bind");
    sandbox_strings(&sandbox->spec.linux.masked_paths, sandbox->masked,
                    "/secret /directory /second /missing /secret /directory /directory/full/missing");
    sandbox_strings(&sandbox->spec.linux.readonly_paths, sandbox->readonly, "/closed /missing /closed");
    sandbox->inside = masks_inside;
    run(sandbox);
    CHECK(stat("/dev/null", &after) == 0 && before.st_mode == after.st_mode);
    CHECK(entries("devices") == 1);
}

/* CVE-2026-88265: no node is made over, or believed through, a link. */
static void null_is_link_body(struct sandbox *sandbox)
{
    make_dirs("rootfs/dev");
    make_file("victim", "victim");
    make_link("/tmp/sandbox/victim", "rootfs/dev/null");
    run_refused(sandbox, "'/dev/null' exists already and is not the device c 1:3");
    CHECK(unlink("rootfs/dev/null") == 0);
    make_file("rootfs/dev/null", "a file with content");
    run_refused(sandbox, "'/dev/null' exists already and is not the device c 1:3");
}

/* ---- console ---- */

static int pty_open(const struct rootfs *rootfs)
{
    int unlock = 0;
    int ptmx_fd = openat(rootfs_root_fd(rootfs), "dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

    CHECK(ptmx_fd >= 0);
    CHECK(ioctl(ptmx_fd, TIOCSPTLCK, &unlock) == 0);
    int pty_fd = ioctl(ptmx_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(pty_fd >= 0);
    return pty_fd; /* ptmx_fd stays open with the process: the pty lives */
}

static void console_hook(struct sandbox *sandbox, struct rootfs *rootfs)
{
    struct failure why = {0};
    struct stat pty, console;
    int pty_fd = pty_open(rootfs);

    (void) sandbox;
    CHECK(rootfs_attach_console(rootfs, pty_fd, &why) == 0);
    CHECK(fstat(pty_fd, &pty) == 0);
    CHECK(fstatat(rootfs_root_fd(rootfs), "dev/console", &console, 0) == 0);
    CHECK(S_ISCHR(console.st_mode) && console.st_rdev == pty.st_rdev);
    /* CVE-2025-52565: only a pty. */
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    CHECK(rootfs_attach_console(rootfs, null_fd, &why) < 0);
}

static void console_body(struct sandbox *sandbox)
{
    sandbox_default_bundle(sandbox);
    sandbox->in_hook = console_hook;
    run(sandbox);
}

static void console_link_hook(struct sandbox *sandbox, struct rootfs *rootfs)
{
    struct failure why = {0};

    (void) sandbox;
    CHECK(rootfs_attach_console(rootfs, pty_open(rootfs), &why) < 0);
    CHECK_TEXT(why.text, "'/dev/console' exists and is neither");
}

/* CVE-2026-88264 */
static void console_is_link_body(struct sandbox *sandbox)
{
    make_dirs("rootfs/dev");
    make_link("/tmp/sandbox/victim", "rootfs/dev/console");
    sandbox_mount(sandbox, "/dev/pts", "devpts", "devpts", "newinstance ptmxmode=0666");
    sandbox->in_hook = console_link_hook;
    run(sandbox);
    CHECK(!exists("victim"));
}

/* ---- races ---- */

/* Swaps a directory with a link to the host's target as fast as it can. */
static pid_t racer_start(const char *directory, const char *link)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0)
        for (;;)
            (void) syscall(SYS_renameat2, AT_FDCWD, directory, AT_FDCWD, link, 2 /* RENAME_EXCHANGE */);
    return pid;
}

static void racer_inside(struct sandbox *sandbox)
{
    (void) sandbox;
    CHECK(!exists("/host-marker"));
}

/* CVE-2021-30465, CVE-2024-45310: a volume whose other user swaps a directory while mount points are made in it. */
static void race_body(struct sandbox *sandbox)
{
    size_t before = mountinfo_count(), passed = 0;

    make_dirs("target");
    make_dirs("source");
    make_dirs("volume/real");
    make_link("/tmp/sandbox/target", "volume/link");
    make_file("host-marker", "");
    sandbox_mount(sandbox, "/volume", "bind", "volume", "bind");
    sandbox_mount(sandbox, "/volume/real/sub/deeper", "bind", "source", "bind");
    sandbox_mount(sandbox, "/volume/real/file", "bind", "host-marker", "bind");
    sandbox->inside = racer_inside;
    pid_t racer = racer_start("volume/real", "volume/link");
    for (int i = 0; i < 60; i++) {
        passed += sandbox_run(sandbox) == 0 ? 1 : 0;
        CHECK(mountinfo_count() == before);
    }
    CHECK(kill(racer, SIGKILL) == 0 && waitpid(racer, NULL, 0) == racer);
    CHECK(entries("target") == 0);
    CHECK(passed > 0);
}

static void check_case(void **state)
{
    assert_int_equal(sandbox_case((void (*)(struct sandbox *)) *state), 0);
}

#define CASE(body) {#body, check_case, NULL, NULL, (void *) (body)}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(dev_is_link_body),
        CASE(device_parent_is_link_body),
        CASE(proc_is_link_body),
        CASE(link_into_proc_body),
        CASE(false_proc_body),
        CASE(target_escapes_body),
        CASE(target_loops_body),
        CASE(file_target_is_link_body),
        CASE(masks_body),
        CASE(null_is_link_body),
        CASE(console_body),
        CASE(console_is_link_body),
        CASE(race_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
