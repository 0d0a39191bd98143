/* tests/userns/test_rootfs_mounts.c: binds, options, placeholders, devices, propagation, failures: real mounts. */
#include "rootfs_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/kernel.h"

/* Last: its macro fail() would hide ours in the headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static size_t descriptors_count(void)
{
    size_t count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return count;
}

static void run(struct sandbox *sandbox)
{
    char text[2048];
    size_t before = mountinfo_count(), descriptors = descriptors_count();

    if (sandbox_run(sandbox) < 0) {
        failure_render(&sandbox->why, text, sizeof(text));
        fprintf(stderr, "failure: %s\n", text);
        _exit(1);
    }
    CHECK(mountinfo_count() == before);
    CHECK(descriptors_count() == descriptors);
}

static void run_refused(struct sandbox *sandbox, const char *pointer, const char *text, const char *hint)
{
    size_t before = mountinfo_count(), descriptors = descriptors_count();

    CHECK(sandbox_run(sandbox) < 0);
    CHECK_TEXT(sandbox->why.text, text);
    CHECK_TEXT(sandbox->why.hint, hint);
    CHECK(strcmp(sandbox->why.pointer, pointer) == 0);
    CHECK(mountinfo_count() == before);
    CHECK(descriptors_count() == descriptors);
}

static unsigned long flags_of(const char *path)
{
    struct statvfs status;

    CHECK(statvfs(path, &status) == 0);
    return status.f_flag;
}

static mode_t mode_of(const char *path)
{
    struct stat status;

    CHECK(lstat(path, &status) == 0);
    return status.st_mode;
}

static void check_content(const char *path, const char *expected)
{
    char buffer[64] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0 && read(fd, buffer, sizeof(buffer) - 1) >= 0);
    CHECK(strcmp(buffer, expected) == 0);
    close(fd);
}

/* ---- binds ---- */

static void binds_inside(struct sandbox *sandbox)
{
    (void) sandbox;
    check_content("/data/file", "content");
    CHECK((flags_of("/data") & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC)) ==
          (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC));
    CHECK(!(flags_of("/rw") & ST_RDONLY));
    CHECK(open("/data/new", O_CREAT | O_WRONLY, 0600) < 0 && errno == EROFS);
    CHECK(S_ISREG(mode_of("/etc/deep/placeholder")) && (mode_of("/etc/deep") & 07777) == 0755);
    check_content("/etc/deep/placeholder", "content");
    check_content("/relative/file", "content");
    /* rro reaches what is mounted below, ro does not; bind leaves it out. */
    check_content("/tree/sub/below", "below");
    CHECK(!(flags_of("/tree/sub") & ST_RDONLY) && (flags_of("/tree") & ST_RDONLY));
    CHECK((flags_of("/rtree/sub") & ST_RDONLY) && (flags_of("/rtree") & ST_RDONLY));
    CHECK(flags_of("/rtree/sub") & ST_NOATIME);
    CHECK(!exists("/rw/sub/below"));
}

static void binds_body(struct sandbox *sandbox)
{
    make_dirs("source/sub");
    make_file("source/file", "content");
    CHECK(mount("sub", "source/sub", "tmpfs", 0, NULL) == 0);
    make_file("source/sub/below", "below");
    sandbox_mount(sandbox, "/data", "bind", "source", "rbind rprivate ro nosuid nodev noexec");
    sandbox_mount(sandbox, "/rw", "none", "source", "bind ro rw");
    sandbox_mount(sandbox, "/etc/deep/placeholder", "bind", "/tmp/sandbox/source/file", "bind");
    sandbox_mount(sandbox, "relative", "bind", "source", "rbind");
    sandbox_mount(sandbox, "/tree", "bind", "source", "rbind ro");
    sandbox_mount(sandbox, "/rtree", "bind", "source", "rbind rro rnoatime");
    sandbox->inside = binds_inside;
    umask(077);
    run(sandbox);
    CHECK(umask(077) == 077);
    CHECK(!(flags_of("source") & ST_RDONLY));
    make_file("source/host-writes", "");
    CHECK(S_ISREG(mode_of("rootfs/etc/deep/placeholder")));
}

static void binds_user_ns_body(struct sandbox *sandbox)
{
    sandbox->user_ns = true;
    if (sandbox_is_root())
        CHECK(chown("rootfs", 1000, 1000) == 0);
    binds_body(sandbox);
}

static void bind_missing_body(struct sandbox *sandbox)
{
    sandbox_mount(sandbox, "/data", "tmpfs", "tmpfs", "");
    sandbox_mount(sandbox, "/data", "bind", "/nonexistent/source", "rbind");
    run_refused(sandbox, "/mounts/1/source", "bind '/nonexistent/source' at '/data': No such file", "must exist");
    CHECK(sandbox->why.kind == FAILURE_CONFIG);
    sandbox->around.privileged = false;
    run_refused(sandbox, "/mounts/1/source", "bind '/nonexistent/source' at '/data': No such file", "must exist");
}

static void bind_kind_differs_body(struct sandbox *sandbox)
{
    make_dirs("source");
    make_file("rootfs/file", "");
    sandbox_mount(sandbox, "/file", "bind", "source", "bind");
    run_refused(sandbox, "/mounts/0", "bind '/tmp/sandbox/source' at '/file': Not a directory",
                "both be directories");
}

static void copied_link_inside(struct sandbox *sandbox)
{
    char target[64] = "";

    (void) sandbox;
    CHECK(readlink("/etc/localtime", target, sizeof(target) - 1) > 0);
    CHECK(strcmp(target, "../usr/zone") == 0);
    check_content("/etc/plain", "plain");
}

static void copied_link_body(struct sandbox *sandbox)
{
    make_link("../usr/zone", "localtime");
    make_file("plain", "plain");
    sandbox_mount(sandbox, "/etc/localtime", "bind", "localtime", "bind copy-symlink");
    sandbox_mount(sandbox, "/etc/plain", "bind", "plain", "bind copy-symlink");
    sandbox->inside = copied_link_inside;
    run(sandbox);
}

/* ---- filesystems ---- */

static void tmpfs_inside(struct sandbox *sandbox)
{
    char line[1024];

    (void) sandbox;
    CHECK((mode_of("/sticky") & 07777) == 01777);
    CHECK((mode_of("/given") & 07777) == 0700);
    mountinfo_line("/given", line, sizeof(line));
    CHECK_TEXT(line, "size=64k");
    CHECK_TEXT(line, "nr_inodes=10");
    mountinfo_line("/flags", line, sizeof(line));
    CHECK_TEXT(line, "sync");
    CHECK_TEXT(line, "dirsync");
    CHECK_TEXT(line, "lazytime");
    CHECK_TEXT(line, "noatime");
    mountinfo_line("/noflags", line, sizeof(line));
    CHECK(!strstr(line, "sync") && !strstr(line, "lazytime"));
    CHECK((flags_of("/readonly") & ST_RDONLY) && exists("/readonly/below"));
    CHECK(!(flags_of("/readonly/below") & ST_RDONLY));
    check_content("/copied/file", "kept");
    CHECK((mode_of("/copied/file") & 07777) == 04755);
    CHECK((mode_of("/copied/directory") & 07777) == 01711);
    CHECK(S_ISLNK(mode_of("/copied/directory/link")) && S_ISFIFO(mode_of("/copied/fifo")));
    make_file("/copied/new", "");
}

static void tmpfs_body(struct sandbox *sandbox)
{
    make_dirs("rootfs/sticky");
    CHECK(chmod("rootfs/sticky", 01777) == 0);
    make_dirs("rootfs/copied/directory");
    make_file("rootfs/copied/file", "kept");
    CHECK(chmod("rootfs/copied/file", 04755) == 0 && chmod("rootfs/copied/directory", 01711) == 0);
    make_link("/tmp/sandbox/nowhere", "rootfs/copied/directory/link");
    CHECK(mkfifo("rootfs/copied/fifo", 0600) == 0);
    sandbox_mount(sandbox, "/proc", "proc", "proc", "");
    sandbox_mount(sandbox, "/sticky", "tmpfs", "tmpfs", "nofail x-word defaults");
    sandbox_mount(sandbox, "/given", "tmpfs", "tmpfs", "mode=700 size=64k nr_inodes=10");
    sandbox_mount(sandbox, "/flags", "tmpfs", "tmpfs", "sync dirsync lazytime noatime iversion silent mand");
    sandbox_mount(sandbox, "/noflags", "tmpfs", "tmpfs", "sync async lazytime nolazytime loud noiversion nomand");
    sandbox_mount(sandbox, "/readonly", "tmpfs", "tmpfs", "ro");
    sandbox_mount(sandbox, "/readonly/below", "tmpfs", "tmpfs", "");
    sandbox_mount(sandbox, "/copied", "tmpfs", "tmpfs", "tmpcopyup");
    sandbox->inside = tmpfs_inside;
    run(sandbox);
    CHECK(!exists("rootfs/copied/new"));
}

static void failures_body(struct sandbox *sandbox)
{
    sandbox_mount(sandbox, "/a", "nosuchfs", "none", "");
    run_refused(sandbox, "/mounts/0/type", "mount 'nosuchfs' at '/a'", "kernel module");
    sandbox->spec.mounts_count = 0;
    sandbox_mount(sandbox, "/a", "tmpfs", "none", "nosuid size=banana");
    run_refused(sandbox, "/mounts/0/options", "size", "");
    CHECK(sandbox->why.kind == FAILURE_CONFIG);
    sandbox->spec.mounts_count = 0;
    sandbox_mount(sandbox, "/a", "tmpfs", "none", "wibble");
    run_refused(sandbox, "/mounts/0/options", "wibble", "");
    sandbox->spec.mounts_count = 0;
    sandbox->spec.root.path = strdup("elsewhere");
    run_refused(sandbox, "/root/path", "open root filesystem '/tmp/sandbox/elsewhere'", "existing directory");
    make_file("elsewhere", "");
    run_refused(sandbox, "/root/path", "Not a directory", "existing directory");
}

static void devpts_group_body(struct sandbox *sandbox)
{
    sandbox->user_ns = true;
    if (sandbox_is_root())
        CHECK(chown("rootfs", 1000, 1000) == 0);
    sandbox_mount(sandbox, "/dev", "tmpfs", "tmpfs", "");
    sandbox_mount(sandbox, "/dev/pts", "devpts", "devpts", "newinstance gid=2000");
    CHECK(sandbox_run(sandbox) < 0);
    CHECK_TEXT(sandbox->why.text, "mount 'devpts' at '/dev/pts'");
    CHECK_TEXT(sandbox->why.text, "Invalid argument");
    CHECK_TEXT(sandbox->why.hint, "gid=");
}

static void remount_inside(struct sandbox *sandbox)
{
    (void) sandbox;
    CHECK((flags_of("/bound") & (ST_RDONLY | ST_NOSUID)) == (ST_RDONLY | ST_NOSUID));
    CHECK(flags_of("/tmp") & ST_RDONLY);
    char line[1024];
    mountinfo_line("/sized", line, sizeof(line));
    CHECK_TEXT(line, "size=128k");
}

static void remount_body(struct sandbox *sandbox)
{
    make_dirs("source");
    sandbox_mount(sandbox, "/proc", "proc", "proc", "");
    sandbox_mount(sandbox, "/bound", "bind", "source", "bind nosuid");
    sandbox_mount(sandbox, "/bound", NULL, NULL, "remount bind ro");
    sandbox_mount(sandbox, "/tmp", "tmpfs", "tmpfs", "");
    sandbox_mount(sandbox, "/tmp", "tmpfs", "tmpfs", "remount ro");
    sandbox_mount(sandbox, "/sized", "tmpfs", "tmpfs", "size=64k");
    sandbox_mount(sandbox, "/sized", "tmpfs", "tmpfs", "remount size=128k");
    sandbox->inside = remount_inside;
    run(sandbox);
    CHECK(!(flags_of("source") & ST_RDONLY));
}

/* Values above 255 bytes go through mount(2). */
static void overlay_inside(struct sandbox *sandbox)
{
    (void) sandbox;
    check_content("/merged/file", "lower");
    CHECK(flags_of("/merged") & ST_NOSUID);
    make_file("/merged/new", "");
}

static void overlay_body(struct sandbox *sandbox)
{
    char name[300], path[320], options[2048];

    memset(name, 'l', 240);
    name[240] = '\0';
    snprintf(path, sizeof(path), "lower/%s", name);
    make_dirs(path);
    make_dirs("upper");
    make_dirs("work");
    snprintf(options, sizeof(options), "lower/%s/file", name);
    make_file(options, "lower");
    snprintf(options, sizeof(options),
             "nosuid lowerdir=/tmp/sandbox/lower/%s upperdir=/tmp/sandbox/upper workdir=/tmp/sandbox/work%s", name,
             sandbox_is_root() ? "" : " userxattr");
    sandbox_mount(sandbox, "/merged", "overlay", "overlay", options);
    sandbox->inside = overlay_inside;
    run(sandbox);
    CHECK(exists("upper/new"));
}

/* ---- propagation ---- */

static void propagation_inside(struct sandbox *sandbox)
{
    char line[1024];

    (void) sandbox;
    mountinfo_line("/private", line, sizeof(line));
    CHECK(!strstr(line, "shared:") && !strstr(line, "master:"));
    mountinfo_line("/slave", line, sizeof(line));
    CHECK(strstr(line, "master:") && !strstr(line, "shared:"));
    mountinfo_line("/both", line, sizeof(line));
    CHECK(strstr(line, "master:") && strstr(line, "shared:"));
    mountinfo_line("/unbindable", line, sizeof(line));
    CHECK_TEXT(line, "unbindable");
    mountinfo_line("/plain", line, sizeof(line));
    CHECK(!strstr(line, "shared:") && !strstr(line, "master:"));
    mountinfo_line("/fresh", line, sizeof(line));
    CHECK_TEXT(line, "shared:");
    mountinfo_line("/", line, sizeof(line));
    CHECK(!strstr(line, "shared:") && !strstr(line, "master:"));
}

static void propagation_body(struct sandbox *sandbox)
{
    make_dirs("source");
    sandbox_mount(sandbox, "/proc", "proc", "proc", "");
    sandbox_mount(sandbox, "/private", "bind", "source", "rbind rprivate");
    sandbox_mount(sandbox, "/slave", "bind", "source", "rbind rslave");
    sandbox_mount(sandbox, "/both", "bind", "source", "rbind rslave rshared");
    sandbox_mount(sandbox, "/unbindable", "bind", "source", "bind unbindable");
    sandbox_mount(sandbox, "/plain", "bind", "source", "bind");
    sandbox_mount(sandbox, "/fresh", "tmpfs", "tmpfs", "shared");
    sandbox->inside = propagation_inside;
    run(sandbox);
}

static void shared_root_inside(struct sandbox *sandbox)
{
    char line[1024];

    mountinfo_line("/", line, sizeof(line));
    CHECK_TEXT(line, sandbox->spec.linux.rootfs_propagation[0] == 'u'   ? "unbindable"
                     : sandbox->spec.linux.rootfs_propagation[0] == 's' &&
                             sandbox->spec.linux.rootfs_propagation[1] == 'h'
                         ? "shared:"
                         : "master:");
}

static void root_propagation_body(struct sandbox *sandbox)
{
    static const char *const words[] = {"shared", "slave", "unbindable"};

    sandbox_default_bundle(sandbox);
    sandbox->inside = shared_root_inside;
    for (size_t i = 0; i < 3; i++) {
        sandbox->spec.linux.rootfs_propagation = strdup(words[i]);
        run(sandbox);
    }
}

/* ---- devices ---- */

static void check_node(const char *path, mode_t mode, unsigned first, unsigned second)
{
    struct stat status;

    CHECK(lstat(path, &status) == 0);
    CHECK((status.st_mode & S_IFMT) == (mode & S_IFMT));
    CHECK(S_ISFIFO(mode) || status.st_rdev == makedev(first, second));
    CHECK(!sandbox_is_root() || (status.st_mode & 07777) == (mode & 07777));
}

static void devices_inside(struct sandbox *sandbox)
{
    (void) sandbox;
    check_node("/dev/null", S_IFCHR | 0666, 1, 3);
    check_node("/dev/net/zero", S_IFCHR | 0640, 1, 5);
    check_node("/data/deep/full", S_IFCHR | 0666, 1, 7);
    check_node("/dev/fifo", S_IFIFO | 0622, 0, 0);
    check_node("/dev/tty", S_IFCHR | 0666, 5, 0);
    CHECK(!exists("/dev/fd"));
    CHECK(S_ISLNK(mode_of("/dev/ptmx")));
    CHECK(flags_of("/dev") & ST_RDONLY);
    int fd = open("/dev/null", O_WRONLY);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1);
}

static void devices_body(struct sandbox *sandbox)
{
    static struct spec_device devices[4];

    devices[0] = (struct spec_device){.path = strdup("/dev/net/zero"), .type = 'c', .major = 1, .minor = 5,
                                      .file_mode = {true, 0640}, .uid = {sandbox_is_root(), 3}};
    devices[1] = (struct spec_device){.path = strdup("/data/deep/full"), .type = 'u', .major = 1, .minor = 7};
    devices[2] = (struct spec_device){.path = strdup("/dev/fifo"), .type = 'p', .file_mode = {true, 0622}};
    devices[3] = (struct spec_device){.path = strdup("/dev/tty"), .type = 'c', .major = 5};
    sandbox->spec.linux.devices = devices;
    sandbox->spec.linux.devices_count = 4;
    sandbox_mount(sandbox, "/dev", "tmpfs", "tmpfs", "ro mode=755");
    sandbox->inside = devices_inside;
    umask(077);
    run(sandbox);
}

static void devices_user_ns_inside(struct sandbox *sandbox)
{
    (void) sandbox;
    static const char *const names[] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                        "/dev/random", "/dev/urandom", "/dev/tty"};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        CHECK(S_ISCHR(mode_of(names[i])));
    check_node("/dev/full", S_IFCHR | 0666, 1, 7);
}

/* No tmpfs: nodes in the root filesystem itself; a second run meets what the first one left. */
static void devices_user_ns_body(struct sandbox *sandbox)
{
    static struct spec_device full;

    full = (struct spec_device){.path = strdup("/dev/full"), .type = 'c', .major = 1, .minor = 7};
    sandbox->user_ns = true;
    sandbox->spec.linux.devices = &full;
    sandbox->spec.linux.devices_count = 1;
    if (sandbox_is_root())
        CHECK(chown("rootfs", 1000, 1000) == 0);
    sandbox->inside = devices_user_ns_inside;
    run(sandbox);
    CHECK(S_ISREG(mode_of("rootfs/dev/null")) && S_ISREG(mode_of("rootfs/dev/full")));
    run(sandbox);
    full.path = strdup("/dev/not-on-the-host");
    full.minor = 250;
    run_refused(sandbox, "/linux/devices/0", "'/dev/not-on-the-host'", "user namespace");
}

static void device_conflict_body(struct sandbox *sandbox)
{
    static struct spec_device device;

    device = (struct spec_device){.path = strdup("/data/full"), .type = 'c', .major = 1, .minor = 7};
    sandbox->spec.linux.devices = &device;
    sandbox->spec.linux.devices_count = 1;
    make_dirs("rootfs/data");
    make_file("rootfs/data/full", "not a device");
    run_refused(sandbox, "/linux/devices/0", "'/data/full' exists already and is not the device c 1:7",
                "remove it");
}

/* ---- entering ---- */

static void no_pivot_inside(struct sandbox *sandbox)
{
    (void) sandbox;
    CHECK(!exists("/tmp/sandbox") && !exists("/../tmp/sandbox"));
    CHECK(exists("/dev/null") && exists("/marker"));
}

static void no_pivot_body(struct sandbox *sandbox)
{
    sandbox_default_bundle(sandbox);
    make_file("rootfs/marker", "");
    sandbox->no_pivot = true;
    sandbox->inside = no_pivot_inside;
    run(sandbox);
}

static void chroot_inside(struct sandbox *sandbox)
{
    (void) sandbox;
    CHECK(exists("/marker") && !exists("/dev") && !exists("/../tmp/sandbox"));
}

static void chroot_body(struct sandbox *sandbox)
{
    sandbox->spec.linux.namespaces[NS_MOUNT].listed = false;
    make_file("rootfs/marker", "");
    sandbox->inside = chroot_inside;
    run(sandbox);
    CHECK(!exists("rootfs/dev"));
}

static void unreachable_inside(struct sandbox *sandbox)
{
    (void) sandbox;
    CHECK(exists("/marker") && exists("/dev/null") && exists("/data/file") && !exists("/../tmp/sandbox"));
    CHECK(!exists("/tmp"));
}

/* The container's root user cannot walk to its own root, nor to the source of a bind. */
static void unreachable_root_body(struct sandbox *sandbox)
{
    sandbox->user_ns = true;
    make_file("rootfs/marker", "");
    make_dirs("closed/source");
    make_file("closed/source/file", "");
    CHECK(chown("rootfs", 1000, 1000) == 0 && chmod("closed", 0700) == 0 && chmod("/tmp/sandbox", 0700) == 0);
    sandbox_default_bundle(sandbox);
    sandbox_mount(sandbox, "/data", "bind", "closed/source", "bind ro");
    sandbox->inside = unreachable_inside;
    run(sandbox);
    sandbox->no_pivot = true;
    run(sandbox);
}

static void many_binds_inside(struct sandbox *sandbox)
{
    char path[32];

    (void) sandbox;
    for (int i = 0; i < 60; i++) {
        snprintf(path, sizeof(path), "/target/%d/file", i);
        CHECK(exists(path));
    }
}

static void many_binds_body(struct sandbox *sandbox)
{
    const struct rlimit few = {48, 48};
    char path[32];

    make_dirs("source");
    make_file("source/file", "");
    sandbox->spec.mounts = calloc(60, sizeof(struct spec_mount));
    for (int i = 0; i < 60; i++) {
        sandbox->spec.mounts_count = 0;
        snprintf(path, sizeof(path), "/target/%d", i);
        sandbox_mount(sandbox, path, "bind", "source", "bind");
        sandbox->spec.mounts[i] = sandbox->mounts[0];
    }
    sandbox->spec.mounts_count = 60;
    sandbox->inside = many_binds_inside;
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    run(sandbox);
}

static void source_below_root_inside(struct sandbox *sandbox)
{
    (void) sandbox;
    CHECK(!exists("/covered/file"));
    check_content("/data/file", "of the host");
}

/* A source is what the host shows under its name, not what the container has mounted there. */
static void source_below_root_body(struct sandbox *sandbox)
{
    make_dirs("rootfs/covered");
    make_file("rootfs/covered/file", "of the host");
    sandbox_mount(sandbox, "/covered", "tmpfs", "tmpfs", "");
    sandbox_mount(sandbox, "/data", "bind", "rootfs/covered", "bind");
    sandbox->inside = source_below_root_inside;
    run(sandbox);
}

static void source_below_root_in_init_body(struct sandbox *sandbox)
{
    sandbox->around.privileged = false;
    source_below_root_body(sandbox);
}

static void label_body(struct sandbox *sandbox)
{
    sandbox->spec.linux.mount_label = strdup("system_u:object_r:container_file_t:s0:c1,c2");
    sandbox_default_bundle(sandbox);
    run(sandbox);
}

/* ---- rootless host network, host cgroup ---- */

static void host_sys_inside(struct sandbox *sandbox)
{
    (void) sandbox;
    CHECK(exists("/sys/kernel"));
    CHECK(flags_of("/sys") & ST_RDONLY);
    CHECK(mkdir("/sys/fs/cgroup/made", 0755) < 0);
    CHECK(!exists("/sys/fs/cgroup") || (flags_of("/sys/fs/cgroup") & ST_RDONLY));
}

static void host_sys_body(struct sandbox *sandbox)
{
    sandbox->user_ns = sandbox->no_network_ns = sandbox->no_cgroup_ns = true;
    if (sandbox_is_root())
        CHECK(chown("rootfs", 1000, 1000) == 0);
    sandbox_mount(sandbox, "/sys", "sysfs", "sysfs", "nosuid noexec nodev");
    sandbox->inside = host_sys_inside;
    run(sandbox);
    CHECK(!(flags_of("/sys") & ST_RDONLY) || !sandbox_is_root());
}

static void bound_cgroup_inside(struct sandbox *sandbox)
{
    CHECK(exists(sandbox->user_ns ? "/sys/fs/cgroup/own" : "/sys/fs/cgroup/a/b/own"));
    CHECK((flags_of("/sys/fs/cgroup") & (ST_RDONLY | ST_NOSUID)) == (ST_RDONLY | ST_NOSUID));
}

/* MNT-23: without a cgroup namespace the host's mount is bound: all of it, or the container's part in a user
 * namespace. */
static void bound_cgroup_body(struct sandbox *sandbox)
{
    make_dirs("cgroup/a/b");
    make_file("cgroup/a/b/own", "");
    sandbox->no_cgroup_ns = true;
    sandbox->around.cgroup_mount = "/tmp/sandbox/cgroup";
    sandbox->around.cgroup_path = "/a/b";
    sandbox_mount(sandbox, "/sys/fs/cgroup", "cgroup", "cgroup", "ro nosuid relatime nsdelegate");
    sandbox->inside = bound_cgroup_inside;
    run(sandbox);
    sandbox->user_ns = true;
    run(sandbox);
    sandbox->around.cgroup_mount = NULL;
    run_refused(sandbox, "/mounts/0", "the host has no cgroup2 mount", "mount cgroup2");
}

/* ---- idmap ---- */

/* KERNEL(6.3): before, tmpfs cannot map ids, so the sources are bound from here, on the disk.  Otherwise "". */
static char disk_dir[64];

static bool tmpfs_maps_ids(void)
{
    struct utsname kernel;
    unsigned major, minor;

    CHECK(uname(&kernel) == 0 && sscanf(kernel.release, "%u.%u", &major, &minor) == 2);
    return major > 6 || (major == 6 && minor >= 3);
}

/* Puts a directory of a mount of its own, whose ids can be mapped, at `path`. */
static void mount_mappable(const char *name, const char *path)
{
    char on_disk[128];

    make_dirs(path);
    snprintf(on_disk, sizeof(on_disk), "%s/%s", disk_dir, name);
    if (disk_dir[0])
        make_dirs(on_disk);
    CHECK(mount(on_disk, path, disk_dir[0] ? NULL : "tmpfs", disk_dir[0] ? MS_BIND : 0, NULL) == 0);
}

static void idmap_inside(struct sandbox *sandbox)
{
    struct stat status;

    (void) sandbox;
    CHECK(stat("/top/file", &status) == 0 && status.st_uid == 1003 && status.st_gid == 1003);
    CHECK(stat("/top/sub/file", &status) == 0 && status.st_uid == 3);
    CHECK(stat("/all/sub/file", &status) == 0 && status.st_uid == 1003);
    CHECK(stat("/plain/file", &status) == 0 && status.st_uid == 3);
}

static void map_mount(struct sandbox *sandbox, size_t index, struct id_mapping *mapping)
{
    sandbox->mounts[index].uid_mappings = sandbox->mounts[index].gid_mappings = (struct id_mappings){mapping, 1};
    sandbox->mounts[index].mappings_set = true;
}

static void idmap_body(struct sandbox *sandbox)
{
    static struct id_mapping mapping = {.inside = 0, .host = 1000, .size = 10};

    mount_mappable("source", "source");
    mount_mappable("sub", "source/sub");
    make_file("source/file", "");
    make_file("source/sub/file", "");
    CHECK(chown("source/file", 3, 3) == 0 && chown("source/sub/file", 3, 3) == 0);
    sandbox_mount(sandbox, "/top", "bind", "source", "rbind idmap");
    sandbox_mount(sandbox, "/all", "bind", "source", "rbind ridmap");
    sandbox_mount(sandbox, "/plain", "bind", "source", "rbind");
    map_mount(sandbox, 0, &mapping);
    map_mount(sandbox, 1, &mapping);
    sandbox->inside = idmap_inside;
    run(sandbox);
}

static void idmap_own_inside(struct sandbox *sandbox)
{
    struct stat status;

    (void) sandbox;
    CHECK(stat("/mapped/file", &status) == 0 && status.st_uid == 0);
    CHECK(stat("/plain/file", &status) == 0 && status.st_uid == 65534);
}

static void idmap_own_body(struct sandbox *sandbox)
{
    static struct id_mapping mapping = {.inside = 0, .host = 1000, .size = 100};

    sandbox->user_ns = true;
    sandbox->spec.linux.uid_mappings = sandbox->spec.linux.gid_mappings = (struct id_mappings){&mapping, 1};
    CHECK(chown("rootfs", 1000, 1000) == 0);
    mount_mappable("source", "source");
    make_file("source/file", "");
    sandbox_mount(sandbox, "/mapped", "bind", "source", "bind idmap");
    sandbox_mount(sandbox, "/plain", "bind", "source", "bind");
    sandbox->inside = idmap_own_inside;
    run(sandbox);
}

static void idmap_refused_body(struct sandbox *sandbox)
{
    static struct id_mapping mapping = {.inside = 0, .host = 1000, .size = 10};

    sandbox_mount(sandbox, "/mapped", "bind", "/proc", "bind idmap");
    map_mount(sandbox, 0, &mapping);
    sandbox->mounts[0].destination = strdup("/elsewhere");
    run_refused(sandbox, "/mounts/0", "map the ids of '/proc'", "does not support");
}

static void few_descriptors_inside(struct sandbox *sandbox)
{
    struct stat status;

    CHECK(stat("/mapped/file", &status) == 0 && status.st_uid == 1003);
    for (size_t i = 0; i + 1 < sandbox->spec.mounts_count; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/plain/%zu/file", i);
        CHECK(stat(path, &status) == 0 && status.st_uid == 3);
    }
}

static void idmap_behind_many_binds(struct sandbox *sandbox)
{
    static struct id_mapping mapping = {.inside = 0, .host = 1000, .size = 10};

    mount_mappable("source", "source");
    make_file("source/file", "");
    CHECK(chown("source/file", 3, 3) == 0);
    for (int i = 0; i < 60; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/plain/%d", i);
        sandbox_mount(sandbox, path, "bind", "source", "bind");
    }
    sandbox_mount(sandbox, "/mapped", "bind", "source", "bind idmap");
    map_mount(sandbox, 60, &mapping);
    sandbox->inside = few_descriptors_inside;
}

static void idmap_few_descriptors_body(struct sandbox *sandbox)
{
    const struct rlimit few = {48, 48};

    idmap_behind_many_binds(sandbox);
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    run(sandbox);
}

static void idmap_few_descriptors_of_init_body(struct sandbox *sandbox)
{
    static struct spec_rlimit few = {.soft = 48, .hard = 48};

    idmap_behind_many_binds(sandbox);
    few.type = strdup("RLIMIT_NOFILE");
    sandbox->spec.process.rlimits = &few;
    sandbox->spec.process.rlimits_count = 1;
    run(sandbox);
}

static void idmap_no_descriptors_body(struct sandbox *sandbox)
{
    static struct id_mapping mapping = {.inside = 0, .host = 1000, .size = 10};
    const struct rlimit few = {30, 30};

    mount_mappable("source", "source");
    for (size_t i = 0; i < 40; i++) {
        sandbox_mount(sandbox, "/mapped", "bind", "source", "bind idmap");
        map_mount(sandbox, i, &mapping);
    }
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK(sandbox_run(sandbox) < 0);
    CHECK_TEXT(sandbox->why.text, "Too many open files");
    CHECK_TEXT(sandbox->why.hint, "the limit of open files");
    CHECK_TEXT(sandbox->why.pointer, "/mounts/");
}

/* ---- */

static void check_case(void **state)
{
    assert_int_equal(sandbox_case((void (*)(struct sandbox *)) *state), 0);
}

static void check_case_of_root(void **state)
{
    if (geteuid() != 0) {
        if (getenv("CRUN_LITE_TESTS_MUST_RUN"))
            fail_msg("needs root");
        skip();
    }
    check_case(state);
}

/* Out here, so that nothing stays on the disk whatever becomes of a case. */
static int idmap_setup(void **state)
{
    (void) state;
    disk_dir[0] = '\0';
    if (geteuid() != 0 || tmpfs_maps_ids())
        return 0;
    snprintf(disk_dir, sizeof(disk_dir), "/var/tmp/crun-lite-idmap.XXXXXX");
    return mkdtemp(disk_dir) ? 0 : -1;
}

static int idmap_teardown(void **state)
{
    static const char *const parts[] = {"source/file", "source/sub", "source", "sub/file", "sub", ""};
    char path[128];

    (void) state;
    for (size_t i = 0; disk_dir[0] && i < sizeof(parts) / sizeof(parts[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", disk_dir, parts[i]);
        (void) remove(path); /* not every case made all of them */
    }
    return 0;
}

#define CASE(body) {#body, check_case, NULL, NULL, (void *) (body)}
#define ROOT_CASE(body) {#body, check_case_of_root, NULL, NULL, (void *) (body)}
#define IDMAP_CASE(body) {#body, check_case_of_root, idmap_setup, idmap_teardown, (void *) (body)}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(binds_body),
        CASE(binds_user_ns_body),
        CASE(bind_missing_body),
        CASE(bind_kind_differs_body),
        CASE(copied_link_body),
        CASE(tmpfs_body),
        CASE(failures_body),
        CASE(devpts_group_body),
        CASE(remount_body),
        CASE(overlay_body),
        CASE(propagation_body),
        CASE(root_propagation_body),
        ROOT_CASE(devices_body),
        CASE(devices_user_ns_body),
        CASE(device_conflict_body),
        CASE(no_pivot_body),
        CASE(chroot_body),
        CASE(host_sys_body),
        IDMAP_CASE(idmap_body),
        IDMAP_CASE(idmap_own_body),
        IDMAP_CASE(idmap_few_descriptors_body),
        IDMAP_CASE(idmap_few_descriptors_of_init_body),
        IDMAP_CASE(idmap_no_descriptors_body),
        ROOT_CASE(idmap_refused_body),
        ROOT_CASE(unreachable_root_body),
        CASE(many_binds_body),
        CASE(source_below_root_body),
        CASE(source_below_root_in_init_body),
        CASE(label_body),
        CASE(bound_cgroup_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
