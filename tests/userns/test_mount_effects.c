/*
 * tests/userns/test_mount_effects.c: every word of /mounts/N/options, applied to real mounts and read back.
 *
 * Filesystems are mounted both ways, by fsopen(2) and by mount(2).  The calls to the kernel are looked at on their way
 * (ld --wrap), for what no mount table shows: which words reach the filesystem, and what happens on an old kernel.
 */
#include "rootfs_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/kernel.h"
#include "rootfs/mount_options.h"

/* Last: its macro fail() would hide ours in the headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* ---- the kernel, looked at ---- */

/* Shared with init, which makes most of the calls. */
static struct seen {
    char words[4096];      /* " key=value" and " key" as fsconfig(2) got them */
    char mount_data[4096]; /* of the last mount(2) */
    unsigned long mount_flags;
    unsigned mount_calls;
    bool no_recursive_attributes; /* as before Linux 5.12 */
    bool no_open_tree_attr;       /* as before Linux 6.15 */
} *seen;

int __real_kernel_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux);
int __wrap_kernel_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux);
int __wrap_kernel_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
    size_t length = strlen(seen->words);

    if (key)
        snprintf(seen->words + length, sizeof(seen->words) - length, " %s%s%s", key, value ? "=" : "",
                 value ? (const char *) value : "");
    return __real_kernel_fsconfig(fd, cmd, key, value, aux);
}

int __real_kernel_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr);
int __wrap_kernel_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr);
int __wrap_kernel_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr)
{
    if (seen->no_recursive_attributes && (flags & AT_RECURSIVE) && (attr->attr_set || attr->attr_clr)) {
        errno = ENOSYS;
        return -1;
    }
    return __real_kernel_mount_setattr(dirfd, path, flags, attr);
}

int __real_kernel_open_tree_attr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr);
int __wrap_kernel_open_tree_attr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr);
int __wrap_kernel_open_tree_attr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr)
{
    if (seen->no_open_tree_attr || seen->no_recursive_attributes) {
        errno = ENOSYS;
        return -1;
    }
    return __real_kernel_open_tree_attr(dirfd, path, flags, attr);
}

int __real_mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)
{
    /* The tests' own calls have a path; the runtime's are over its working directory. */
    if (strcmp(target, ".") == 0) {
        snprintf(seen->mount_data, sizeof(seen->mount_data), "%s", data ? (const char *) data : "");
        seen->mount_flags = flags;
        seen->mount_calls++;
    }
    return __real_mount(source, target, type, flags, data);
}

static void forget(void)
{
    *seen = (struct seen){.no_recursive_attributes = seen->no_recursive_attributes, .no_open_tree_attr = seen->no_open_tree_attr};
}

/* With a call for clone and attributes together, as far as this kernel has it, and without. */
static void on_new_and_old_kernels(void (*body)(struct sandbox *sandbox))
{
    assert_int_equal(sandbox_case(body), 0);
    seen->no_open_tree_attr = true;
    assert_int_equal(sandbox_case(body), 0);
    seen->no_open_tree_attr = false;
}

/* ---- looking ---- */

static bool has_word(const char *list, const char *separators, const char *word)
{
    char copy[4096], *state = NULL;

    snprintf(copy, sizeof(copy), "%s", list);
    for (char *item = strtok_r(copy, separators, &state); item; item = strtok_r(NULL, separators, &state))
        if (strcmp(item, word) == 0)
            return true;
    return false;
}

/* What mountinfo says of the mount at `path`. */
struct shown {
    char options[256], tags[128], superblock[512];
};

static struct shown shown_at(const char *path)
{
    struct shown shown = {0};
    char line[1024];
    const char *rest;

    mountinfo_line(path, line, sizeof(line));
    if (!line[0]) {
        fprintf(stderr, "nothing is mounted at '%s'\n", path);
        _exit(1);
    }
    CHECK(sscanf(line, "%*s %*s %*s %*s %*s %255s", shown.options) == 1);
    rest = strstr(line, " - ");
    CHECK(rest && sscanf(rest, " - %*s %*s %511s", shown.superblock) == 1);
    snprintf(shown.tags, sizeof(shown.tags), "%.*s", (int) (rest - strstr(line, shown.options)), strstr(line, shown.options));
    return shown;
}

static void check_words(const char *what, const char *list, const char *expected, bool wanted)
{
    char copy[256], *state = NULL;

    snprintf(copy, sizeof(copy), "%s", expected ? expected : "");
    for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
        if (has_word(list, ",", word) != wanted) {
            fprintf(stderr, "'%s': '%s' %s in '%s'\n", what, word, wanted ? "is not" : "is", list);
            _exit(1);
        }
}

static void run(struct sandbox *sandbox)
{
    char text[2048];

    forget();
    if (sandbox_run(sandbox) == 0)
        return;
    failure_render(&sandbox->why, text, sizeof(text));
    fprintf(stderr, "failure: %s\n", text);
    _exit(1);
}

static void refused(struct sandbox *sandbox, const char *pointer, const char *text, const char *hint)
{
    forget();
    CHECK(sandbox_run(sandbox) < 0);
    CHECK_TEXT(sandbox->why.text, text);
    CHECK_TEXT(sandbox->why.hint, hint);
    CHECK_TEXT(sandbox->why.pointer, pointer);
}

/* ---- new filesystems ---- */

struct filesystem_row {
    const char *words;
    const char *with, *without;             /* of the mount */
    const char *super_with, *super_without; /* of the filesystem */
};

static const struct filesystem_row filesystem_rows[] = {
    {"defaults", "rw relatime", "ro nosuid nodev noexec noatime nosymfollow", "rw", "sync dirsync lazytime mand"},
    {"ro", "ro", "rw", NULL, NULL},
    {"ro rw", "rw", "ro", "rw", "ro"},
    {"rw ro", "ro", "rw", NULL, NULL},
    {"nosuid", "nosuid", NULL, NULL, NULL},
    {"nosuid suid", NULL, "nosuid", NULL, NULL},
    {"nodev", "nodev", NULL, NULL, NULL},
    {"nodev dev", NULL, "nodev", NULL, NULL},
    {"noexec", "noexec", NULL, NULL, NULL},
    {"noexec exec", NULL, "noexec", NULL, NULL},
    {"nosymfollow", "nosymfollow", NULL, NULL, NULL},
    {"nosymfollow symfollow", NULL, "nosymfollow", NULL, NULL},
    {"nodiratime", "nodiratime relatime", NULL, NULL, NULL},
    {"nodiratime diratime", "relatime", "nodiratime", NULL, NULL},
    {"noatime", "noatime", "relatime", NULL, NULL},
    {"noatime atime", "relatime", "noatime", NULL, NULL},
    {"relatime", "relatime", "noatime", NULL, NULL},
    {"noatime relatime", "relatime", "noatime", NULL, NULL},
    {"relatime norelatime", "relatime", "noatime", NULL, NULL},
    {"noatime norelatime", "noatime", "relatime", NULL, NULL},
    {"strictatime", NULL, "relatime noatime", NULL, NULL},
    {"strictatime nostrictatime", "relatime", "noatime", NULL, NULL},
    {"noatime nostrictatime", "noatime", "relatime", NULL, NULL},
    {"noatime strictatime", NULL, "relatime noatime", NULL, NULL},
    {"sync", NULL, NULL, "sync", NULL},
    {"sync async", NULL, NULL, NULL, "sync"},
    {"dirsync", NULL, NULL, "dirsync", "sync"},
    {"lazytime", NULL, NULL, "lazytime", NULL},
    {"lazytime nolazytime", NULL, NULL, NULL, "lazytime"},
    {"mand nomand", NULL, NULL, NULL, "mand"},
    {"mand", NULL, NULL, NULL, NULL},
    {"loud", NULL, NULL, "rw", NULL},
    {"iversion noiversion", NULL, NULL, "rw", NULL},
    {"user", "nosuid nodev noexec", NULL, NULL, NULL},
    {"users exec", "nosuid nodev", "noexec", NULL, NULL},
    {"owner", "nosuid nodev", "noexec", NULL, NULL},
    {"group dev", "nosuid", "nodev", NULL, NULL},
    {"auto noauto nofail _netdev comment comment=a x-a.b=c X-y nouser nousers noowner nogroup", "rw relatime",
     "nosuid nodev noexec", NULL, NULL},
};
#define FILESYSTEM_ROWS (sizeof(filesystem_rows) / sizeof(filesystem_rows[0]))

static void filesystems_inside(struct sandbox *sandbox)
{
    char path[32];

    (void) sandbox;
    for (size_t i = 0; i < FILESYSTEM_ROWS; i++) {
        const struct filesystem_row *row = &filesystem_rows[i];
        snprintf(path, sizeof(path), "/m/%zu", i);
        struct shown shown = shown_at(path);
        check_words(row->words, shown.options, row->with, true);
        check_words(row->words, shown.options, row->without, false);
        check_words(row->words, shown.superblock, row->super_with, true);
        check_words(row->words, shown.superblock, row->super_without, false);
    }
}

/* The flags that have a key of fsconfig(2); any other word of ours must not get there. */
static void check_no_word_is_data(void)
{
    static const char *const keys = "ro rw sync async dirsync lazytime nolazytime mand nomand";

    for (size_t i = 0; i < rootfs_mount_option_words_count(); i++) {
        const char *word = rootfs_mount_option_words[i];
        CHECK(has_word(keys, " ", word) || !has_word(seen->words, " ", word));
        CHECK(!has_word(seen->mount_data, ",", word));
    }
    CHECK(!strstr(seen->words, "user") && !strstr(seen->words, "nofail") && !strstr(seen->words, "x-a"));
}

static void filesystems_run(struct sandbox *sandbox, const char *way)
{
    char path[32], words[256];

    sandbox->spec.mounts_count = 0;
    sandbox_mount(sandbox, "/proc", "proc", "proc", "");
    for (size_t i = 0; i < FILESYSTEM_ROWS; i++) {
        snprintf(path, sizeof(path), "/m/%zu", i);
        snprintf(words, sizeof(words), "%s %s", way, filesystem_rows[i].words);
        sandbox_mount(sandbox, path, "tmpfs", "tmpfs", words);
    }
    sandbox->inside = filesystems_inside;
    run(sandbox);
    check_no_word_is_data();
}

static void filesystems_body(struct sandbox *sandbox)
{
    filesystems_run(sandbox, "");
    CHECK(seen->mount_calls == 0);
    filesystems_run(sandbox, "silent");
    /* But for the row "loud". */
    CHECK(seen->mount_calls == FILESYSTEM_ROWS - 1);
    filesystems_run(sandbox, "iversion");
    /* But for the row "noiversion". */
    CHECK(seen->mount_calls == FILESYSTEM_ROWS - 1);
}

/* spec: MOPT-01 MOPT-02 MOPT-04 MOPT-05 MOPT-06 MOPT-07 MOPT-08 MOPT-10 MOPT-12 MOPT-13 MOPT-14 MOPT-15 MOPT-16
         MOPT-18 MOPT-19 MOPT-20 MOPT-21 MOPT-22 MOPT-23 MOPT-29 MOPT-39 MOPT-50 MOPT-54 MOPT-55 MOPT-56 MOPT-57
         MNT-15 MNT-16 */
static void test_words_on_new_filesystems(void **state)
{
    (void) state;
    assert_int_equal(sandbox_case(filesystems_body), 0);
}

/* ---- what reaches the filesystem ---- */

static void one_filesystem(struct sandbox *sandbox, const char *words)
{
    sandbox->spec.mounts_count = 0;
    sandbox_mount(sandbox, "/m", "tmpfs", "tmpfs", words);
    sandbox->inside = NULL;
    run(sandbox);
}

static void flags_of_mount_body(struct sandbox *sandbox)
{
    static const struct {
        const char *words;
        unsigned long with, without;
    } rows[] = {
        {"iversion", MS_I_VERSION, MS_SILENT},        {"silent", MS_SILENT, MS_I_VERSION},
        {"silent iversion noiversion", MS_SILENT, MS_I_VERSION},
        {"iversion silent loud", MS_I_VERSION, MS_SILENT},
        {"silent sync dirsync lazytime mand", MS_SILENT | MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME | MS_MANDLOCK, 0},
        {"silent ro", MS_SILENT, MS_RDONLY}, /* the mount, not the filesystem: not by this call */
    };

    CHECK(mkdir("rootfs/m", 0755) == 0); /* its mode is the mount's */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        one_filesystem(sandbox, rows[i].words);
        CHECK(seen->mount_calls == 1 && seen->words[0] == '\0');
        CHECK((seen->mount_flags & rows[i].with) == rows[i].with && !(seen->mount_flags & rows[i].without));
        CHECK(strcmp(seen->mount_data, "mode=755") == 0);
    }
    one_filesystem(sandbox, "iversion noiversion silent loud");
    CHECK(seen->mount_calls == 0);
}

/* spec: MOPT-09 MOPT-11 MOPT-17 MOPT-52 */
static void test_iversion_and_silent_are_flags_of_mount(void **state)
{
    (void) state;
    assert_int_equal(sandbox_case(flags_of_mount_body), 0);
}

static void data_body(struct sandbox *sandbox)
{
    const char *words = "size=64k nosuid mode=1777 ,nr_inodes=10,huge=never";

    one_filesystem(sandbox, words);
    CHECK(strcmp(seen->words, " source=tmpfs size=64k mode=1777 nr_inodes=10 huge=never") == 0);
    one_filesystem(sandbox, "silent size=64k nosuid mode=1777 ,nr_inodes=10,huge=never");
    CHECK(strcmp(seen->mount_data, "size=64k,mode=1777,nr_inodes=10,huge=never") == 0);
    CHECK(seen->words[0] == '\0');
    /* What no table holds is the filesystem's, and it is the one that refuses: the kernel's own words. */
    sandbox->spec.mounts_count = 0;
    sandbox_mount(sandbox, "/m", "tmpfs", "tmpfs", "acl");
    refused(sandbox, "/mounts/0/options", "option 'acl': tmpfs: Unknown parameter 'acl'", "correct its spelling");
    sandbox->spec.mounts_count = 0;
    sandbox_mount(sandbox, "/m", "tmpfs", "tmpfs", "silent noacl");
    refused(sandbox, "/mounts/0", "mount 'tmpfs' at '/m': Invalid argument", "the kernel log");
    CHECK(strcmp(seen->mount_data, "noacl,mode=755") == 0);
}

/* spec: MNT-13 MOPT-65 */
static void test_other_words_are_the_filesystems(void **state)
{
    (void) state;
    assert_int_equal(sandbox_case(data_body), 0);
}

/* ---- mount(2) does all that fsopen(2) does ---- */

static void by_mount_inside(struct sandbox *sandbox)
{
    struct stat status;
    struct shown shown = shown_at("/dev");

    (void) sandbox;
    check_words("/dev", shown.options, "ro nosuid", true);
    check_words("/dev", shown.superblock, "rw", true);
    CHECK(stat("/dev/null", &status) == 0 && S_ISCHR(status.st_mode));
    CHECK(lstat("/dev/ptmx", &status) == 0 && S_ISLNK(status.st_mode));
    CHECK(stat("/sticky", &status) == 0 && (status.st_mode & 07777) == 01777);
    CHECK(stat("/etc/file", &status) == 0 && status.st_size == 4);
    shown = shown_at("/shared");
    CHECK_TEXT(shown.tags, "shared:");
    shown = shown_at("/sys");
    check_words("/sys", shown.options, "ro", true);
    CHECK(open("/etc/new", O_CREAT | O_WRONLY, 0600) >= 0);
    CHECK(open("/closed/new", O_CREAT | O_WRONLY, 0600) < 0 && errno == EROFS);
}

static void by_mount_body(struct sandbox *sandbox)
{
    make_dirs("rootfs/sticky");
    CHECK(chmod("rootfs/sticky", 01777) == 0);
    make_dirs("rootfs/etc");
    make_file("rootfs/etc/file", "text");
    sandbox_mount(sandbox, "/proc", "proc", "proc", "silent");
    sandbox_mount(sandbox, "/dev", "tmpfs", "tmpfs", "silent nosuid ro");
    sandbox_mount(sandbox, "/sticky", "tmpfs", "tmpfs", "silent");
    sandbox_mount(sandbox, "/etc", "tmpfs", "tmpfs", "silent tmpcopyup");
    sandbox_mount(sandbox, "/shared", "tmpfs", "tmpfs", "silent shared");
    sandbox_mount(sandbox, "/closed", "tmpfs", "tmpfs", "silent ro");
    sandbox_mount(sandbox, "/closed/later", "tmpfs", "tmpfs", "");
    sandbox_mount(sandbox, "/sys", "sysfs", "sysfs", "silent ro");
    sandbox->inside = by_mount_inside;
    run(sandbox);
    CHECK(seen->mount_calls == 5);
    CHECK(access("rootfs/etc/new", F_OK) < 0);
    sandbox->spec.mounts_count = 0;
    sandbox_mount(sandbox, "/m", "nosuchfs", "none", "silent");
    refused(sandbox, "/mounts/0/type", "the kernel has no filesystem of this type", "");
}

static void by_mount_user_ns_body(struct sandbox *sandbox)
{
    sandbox->user_ns = true;
    if (sandbox_is_root())
        CHECK(chown("rootfs", 1000, 1000) == 0);
    by_mount_body(sandbox);
}

/* spec: MNT-22 MNT-25 MOPT-58 */
static void test_mounting_by_mount_2(void **state)
{
    (void) state;
    assert_int_equal(sandbox_case(by_mount_body), 0);
    assert_int_equal(sandbox_case(by_mount_user_ns_body), 0);
}

/* ---- binds ---- */

struct bind_row {
    unsigned long source_flags; /* of the mount that is bound, and of the one below it */
    const char *words;
    const char *with, *without;         /* of the mount */
    const char *below_with, *below_without; /* of the one below; both NULL: it must not be there */
};

#define ALL_FLAGS "ro nosuid nodev noexec noatime nodiratime nosymfollow"
#define MS_ALL (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_NOSYMFOLLOW)

static const struct bind_row bind_rows[] = {
    {0, "bind", "rw relatime", ALL_FLAGS, NULL, NULL},
    {MS_ALL, "bind", ALL_FLAGS, "rw", NULL, NULL},
    {MS_ALL, "bind defaults", ALL_FLAGS, "rw", NULL, NULL},
    {0, "rbind", "rw relatime", ALL_FLAGS, "rw relatime", ALL_FLAGS},
    {0, "rbind ro", "ro", "rw", "rw", "ro"},
    {0, "rbind nosuid nodev noexec nosymfollow nodiratime noatime", "nosuid nodev noexec nosymfollow nodiratime noatime",
     "ro", "rw", "nosuid nodev noexec nosymfollow nodiratime noatime"},
    {MS_RDONLY, "rbind rw", "rw", "ro", "ro", "rw"},
    {MS_RDONLY, "bind ro rw", "rw", "ro", NULL, NULL},
    {MS_NOSUID, "rbind suid", NULL, "nosuid", "nosuid", NULL},
    {MS_NODEV, "rbind dev", NULL, "nodev", "nodev", NULL},
    {MS_NOEXEC, "rbind exec", NULL, "noexec", "noexec", NULL},
    {MS_NOSYMFOLLOW, "rbind symfollow", NULL, "nosymfollow", "nosymfollow", NULL},
    {MS_NODIRATIME, "rbind diratime", NULL, "nodiratime", "nodiratime", NULL},
    {MS_NOATIME, "rbind atime", "relatime", "noatime", "noatime", NULL},
    {MS_NOATIME, "rbind relatime", "relatime", "noatime", "noatime", NULL},
    {MS_NOATIME, "rbind strictatime", NULL, "relatime noatime", "noatime", NULL},
    {MS_STRICTATIME, "rbind nostrictatime", "relatime", "noatime", "rw", "relatime noatime"},
    {0, "rbind rro", "ro", "rw", "ro", "rw"},
    {MS_RDONLY, "rbind rrw", "rw", "ro", "rw", "ro"},
    {0, "rbind rro rw", "rw", "ro", "ro", "rw"},
    {0, "rbind ro rrw", "rw", "ro", "rw", "ro"},
    {0, "rbind rnosuid", "nosuid", NULL, "nosuid", NULL},
    {MS_NOSUID, "rbind rsuid", NULL, "nosuid", "rw", "nosuid"},
    {0, "rbind rnodev", "nodev", NULL, "nodev", NULL},
    {MS_NODEV, "rbind rdev", NULL, "nodev", "rw", "nodev"},
    {0, "rbind rnoexec", "noexec", NULL, "noexec", NULL},
    {MS_NOEXEC, "rbind rexec", NULL, "noexec", "rw", "noexec"},
    {0, "rbind rnosymfollow", "nosymfollow", NULL, "nosymfollow", NULL},
    {MS_NOSYMFOLLOW, "rbind rsymfollow", NULL, "nosymfollow", "rw", "nosymfollow"},
    {0, "rbind rnodiratime", "nodiratime", NULL, "nodiratime", NULL},
    {MS_NODIRATIME, "rbind rdiratime", NULL, "nodiratime", "rw", "nodiratime"},
    {0, "rbind rnoatime", "noatime", "relatime", "noatime", "relatime"},
    {MS_NOATIME, "rbind ratime", "relatime", "noatime", "relatime", "noatime"},
    {MS_NOATIME, "rbind rrelatime", "relatime", "noatime", "relatime", "noatime"},
    {0, "rbind rrelatime rnorelatime", "relatime", "noatime", "relatime", "noatime"},
    {MS_NOATIME, "rbind rnorelatime", "relatime", "noatime", "relatime", "noatime"},
    {0, "rbind rstrictatime", NULL, "relatime noatime", "rw", "relatime noatime"},
    {MS_NOATIME, "rbind rstrictatime", NULL, "relatime noatime", "rw", "relatime noatime"},
    {MS_STRICTATIME, "rbind rnostrictatime", "relatime", "noatime", "relatime", "noatime"},
    {MS_STRICTATIME, "rbind rstrictatime rnoatime", "noatime", "relatime", "noatime", "relatime"},
    {0, "rbind rnoatime relatime", "relatime", "noatime", "noatime", "relatime"},
    {MS_ALL, "rbind rrw rsuid rdev rexec ratime rdiratime rsymfollow", "rw relatime", ALL_FLAGS, "rw relatime", ALL_FLAGS},
    /* Words of the filesystem change nothing on a bind. */
    {0, "rbind sync dirsync lazytime mand silent iversion", "rw relatime", NULL, "rw relatime", NULL},
};
#define BIND_ROWS (sizeof(bind_rows) / sizeof(bind_rows[0]))

static void binds_inside(struct sandbox *sandbox)
{
    char path[32];

    (void) sandbox;
    for (size_t i = 0; i < BIND_ROWS; i++) {
        const struct bind_row *row = &bind_rows[i];
        snprintf(path, sizeof(path), "/m/%zu", i);
        struct shown shown = shown_at(path);
        check_words(row->words, shown.options, row->with, true);
        check_words(row->words, shown.options, row->without, false);
        check_words(row->words, shown.superblock, "sync dirsync lazytime mand", false);
        snprintf(path, sizeof(path), "/m/%zu/sub/file", i);
        bool below = row->below_with || row->below_without;
        CHECK(exists(path) == below);
        if (!below)
            continue;
        snprintf(path, sizeof(path), "/m/%zu/sub", i);
        shown = shown_at(path);
        check_words(row->words, shown.options, row->below_with, true);
        check_words(row->words, shown.options, row->below_without, false);
    }
}

/* A mount with another below it; the flags come by a remount, after something was put there. */
static void source_make(const char *path, unsigned long flags)
{
    char below[64];

    make_dirs(path);
    CHECK(mount("source", path, "tmpfs", 0, NULL) == 0);
    snprintf(below, sizeof(below), "%s/sub", path);
    make_dirs(below);
    CHECK(mount("below", below, "tmpfs", 0, NULL) == 0);
    snprintf(below, sizeof(below), "%s/sub/file", path);
    make_file(below, "");
    snprintf(below, sizeof(below), "%s/sub", path);
    if (flags)
        CHECK(mount(NULL, below, NULL, MS_REMOUNT | MS_BIND | flags, NULL) == 0 &&
              mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | flags, NULL) == 0);
}

static void binds_body(struct sandbox *sandbox)
{
    char source[64], path[64];

    sandbox_mount(sandbox, "/proc", "proc", "proc", "");
    for (size_t i = 0; i < BIND_ROWS; i++) {
        snprintf(source, sizeof(source), "source/%zu", i);
        source_make(source, bind_rows[i].source_flags);
        snprintf(path, sizeof(path), "/m/%zu", i);
        /* The type says nothing. */
        sandbox_mount(sandbox, path, i % 3 == 0 ? "none" : i % 3 == 1 ? "ext4" : "", source, bind_rows[i].words);
    }
    sandbox->inside = binds_inside;
    run(sandbox);
    CHECK(seen->mount_calls == 0 && !strstr(seen->words, "sync"));
    /* The source is as it was. */
    for (size_t i = 0; i < BIND_ROWS; i++) {
        snprintf(path, sizeof(path), "/tmp/sandbox/source/%zu", i);
        struct shown shown = shown_at(path);
        bool read_only = bind_rows[i].source_flags & MS_RDONLY, no_suid = bind_rows[i].source_flags & MS_NOSUID;
        check_words(bind_rows[i].words, shown.options, "ro", read_only);
        check_words(bind_rows[i].words, shown.options, "nosuid", no_suid);
    }
    seen->no_recursive_attributes = true;
    sandbox->inside = NULL;
    /* ENOSYS for one that is recursive only; plain ones go on. */
    sandbox->spec.mounts_count = 0;
    sandbox_mount(sandbox, "/m", "bind", "source/0", "rbind ro");
    run(sandbox);
    sandbox_mount(sandbox, "/n", "bind", "source/0", "rbind rro");
    refused(sandbox, "/mounts/1/options", "Function not implemented", "Linux 5.12");
    seen->no_recursive_attributes = false;
}

/* spec: MOPT-02 MOPT-03 MOPT-04 MOPT-05 MOPT-06 MOPT-08 MOPT-13 MOPT-14 MOPT-15 MOPT-16 MOPT-21 MOPT-22 MOPT-23 MOPT-25
         MOPT-26 MOPT-27 MOPT-28 MOPT-29 MOPT-31 MOPT-32 MOPT-33 MOPT-34 MOPT-35 MOPT-36 MOPT-37 MOPT-38 MOPT-39 MOPT-41
         MOPT-42 MOPT-43 MOPT-46 MOPT-47 MOPT-48 MOPT-50 MOPT-54 MOPT-55 MOPT-56 MOPT-62 MOPT-64 MOPT-67
         MNT-09 MNT-16 MNT-17 */
static void test_words_on_binds(void **state)
{
    (void) state;
    on_new_and_old_kernels(binds_body);
}

/* ---- propagation ---- */

struct propagation_row {
    const char *words;
    const char *tags, *below; /* letters: s shared, m has a master, u unbindable; below NULL: not looked at */
};

static const struct propagation_row propagation_rows[] = {
    {"rbind", "", ""},
    {"bind shared", "sm", NULL},
    {"bind slave", "m", NULL},
    {"bind private", "", NULL},
    {"bind unbindable", "u", NULL},
    {"rbind shared", "sm", "m"},
    {"rbind slave", "m", "m"},
    {"rbind private", "", "m"},
    {"rbind unbindable", "u", "m"},
    {"rbind rshared", "sm", "sm"},
    {"rbind rslave", "m", "m"},
    {"rbind rprivate", "", ""},
    {"rbind runbindable", "u", "u"},
    {"rbind rslave rshared", "sm", "sm"},
    {"rbind rprivate rshared", "s", "s"},
    {"rbind rshared rprivate", "", ""},
    {"rbind rprivate shared", "s", ""},
};
#define PROPAGATION_ROWS (sizeof(propagation_rows) / sizeof(propagation_rows[0]))

static void check_tags(const char *words, const char *path, const char *letters)
{
    struct shown shown = shown_at(path);
    bool as_said = !!strstr(shown.tags, "shared:") == !!strchr(letters, 's') &&
                   !!strstr(shown.tags, "master:") == !!strchr(letters, 'm') &&
                   !!strstr(shown.tags, "unbindable") == !!strchr(letters, 'u');

    if (as_said)
        return;
    fprintf(stderr, "'%s': '%s' has '%s' instead of '%s'\n", words, path, shown.tags, letters);
    _exit(1);
}

static void propagations_inside(struct sandbox *sandbox)
{
    char path[32];

    (void) sandbox;
    make_dirs("/tmp/attempt");
    for (size_t i = 0; i < PROPAGATION_ROWS; i++) {
        const struct propagation_row *row = &propagation_rows[i];
        snprintf(path, sizeof(path), "/m/%zu", i);
        check_tags(row->words, path, row->tags);
        bool bound = mount(path, "/tmp/attempt", NULL, MS_BIND, NULL) == 0;
        CHECK(bound == !strchr(row->tags, 'u') && (bound || errno == EINVAL));
        CHECK(!bound || umount("/tmp/attempt") == 0);
        snprintf(path, sizeof(path), "/m/%zu/sub", i);
        if (row->below)
            check_tags(row->words, path, row->below);
    }
    check_tags("tmpfs", "/fresh/shared", "s");
    check_tags("tmpfs", "/fresh/slave", "");
    check_tags("tmpfs", "/fresh/unbindable", "u");
    check_tags("tmpfs", "/fresh/both", "s");
}

static void propagations_body(struct sandbox *sandbox)
{
    char path[32];

    source_make("source", 0);
    check_tags("the host's", "/tmp/sandbox/source/sub", "s");
    sandbox_mount(sandbox, "/proc", "proc", "proc", "");
    for (size_t i = 0; i < PROPAGATION_ROWS; i++) {
        snprintf(path, sizeof(path), "/m/%zu", i);
        sandbox_mount(sandbox, path, "bind", "source", propagation_rows[i].words);
    }
    sandbox_mount(sandbox, "/fresh/shared", "tmpfs", "tmpfs", "shared");
    sandbox_mount(sandbox, "/fresh/slave", "tmpfs", "tmpfs", "slave");
    sandbox_mount(sandbox, "/fresh/unbindable", "tmpfs", "tmpfs", "unbindable");
    sandbox_mount(sandbox, "/fresh/both", "tmpfs", "tmpfs", "rslave rshared");
    sandbox->inside = propagations_inside;
    run(sandbox);
    check_tags("the host's", "/tmp/sandbox/source/sub", "s");
}

/* spec: MOPT-24 MOPT-40 MOPT-44 MOPT-45 MOPT-49 MOPT-51 MOPT-53 MOPT-59 MOPT-66 */
static void test_propagation_words(void **state)
{
    (void) state;
    on_new_and_old_kernels(propagations_body);
}

/* ---- remount ---- */

static void remounts_inside(struct sandbox *sandbox)
{
    struct shown shown = shown_at("/bound");

    (void) sandbox;
    check_words("remount bind ro", shown.options, "ro nosuid noatime", true);
    CHECK(open("/bound/new", O_CREAT | O_WRONLY, 0600) < 0 && errno == EROFS);
    shown = shown_at("/back");
    check_words("remount bind rw", shown.options, "rw nosuid", true);
    shown = shown_at("/changed");
    check_words("remount", shown.options, "noexec nodev noatime", true);
    check_words("remount", shown.superblock, "sync lazytime size=128k", true);
    shown = shown_at("/taken-back");
    check_words("remount", shown.superblock, "sync lazytime", false);
    check_words("remount", shown.superblock, "size=64k", true);
    shown = shown_at("/tree/sub");
    check_words("remount", shown.options, "ro", true);
}

static void remounts_body(struct sandbox *sandbox)
{
    source_make("source", 0);
    sandbox_mount(sandbox, "/proc", "proc", "proc", "");
    sandbox_mount(sandbox, "/bound", "bind", "source", "bind nosuid noatime");
    sandbox_mount(sandbox, "/bound", NULL, NULL, "remount bind ro");
    sandbox_mount(sandbox, "/back", "bind", "source", "bind nosuid ro");
    sandbox_mount(sandbox, "/back", NULL, NULL, "remount bind rw");
    sandbox_mount(sandbox, "/changed", "tmpfs", "tmpfs", "size=64k nodev");
    sandbox_mount(sandbox, "/changed", NULL, NULL, "remount noexec noatime sync lazytime size=128k");
    sandbox_mount(sandbox, "/taken-back", "tmpfs", "tmpfs", "size=64k sync lazytime");
    sandbox_mount(sandbox, "/taken-back", NULL, NULL, "remount async nolazytime silent noiversion");
    sandbox_mount(sandbox, "/tree", "bind", "source", "rbind");
    sandbox_mount(sandbox, "/tree", NULL, NULL, "remount bind rro");
    sandbox->inside = remounts_inside;
    run(sandbox);
    struct shown shown = shown_at("/tmp/sandbox/source/sub");
    check_words("source", shown.options, "rw", true);
    sandbox->spec.mounts_count = 0;
    sandbox_mount(sandbox, "/nothing/here", NULL, NULL, "remount ro");
    refused(sandbox, "/mounts/0", "remount '/nothing/here': No such file", "");
    make_dirs("rootfs/directory");
    sandbox->spec.mounts_count = 0;
    sandbox_mount(sandbox, "/directory", NULL, NULL, "remount ro");
    refused(sandbox, "/mounts/0", "Invalid argument", "");
}

/* spec: MOPT-30 */
static void test_remounts(void **state)
{
    (void) state;
    on_new_and_old_kernels(remounts_body);
}

/* ---- locked flags ---- */

static void locked_inside(struct sandbox *sandbox)
{
    struct shown shown = shown_at("/kept");

    (void) sandbox;
    check_words("ro", shown.options, "ro nosuid nodev noexec", true);
}

/* The host's restrictions in a container whose creator has no power over them: kept, and not taken away. */
static void locked_body(struct sandbox *sandbox)
{
    static const char *const words[] = {"rw", "suid", "dev", "exec", "rrw", "rsuid", "rdev", "rexec"};
    char options[64];

    sandbox->user_ns = true;
    sandbox->around.privileged = false;
    if (sandbox_is_root())
        CHECK(chown("rootfs", 1000, 1000) == 0);
    source_make("source", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
    sandbox_mount(sandbox, "/proc", "proc", "proc", "");
    sandbox_mount(sandbox, "/kept", "bind", "source", "rbind noexec");
    sandbox->inside = locked_inside;
    run(sandbox);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        sandbox->spec.mounts_count = 0;
        snprintf(options, sizeof(options), "rbind %s", words[i]);
        sandbox_mount(sandbox, "/cleared", "bind", "source", options);
        refused(sandbox, "/mounts/0/options", "set the options of '/tmp/sandbox/source' mounted at '/cleared'",
                "takes away a restriction");
    }
    sandbox->spec.mounts_count = 0;
    sandbox_mount(sandbox, "/top-only", "bind", "source", "bind");
    refused(sandbox, "/mounts/0", "bind '/tmp/sandbox/source' at '/top-only'", "use rbind");
}

/* spec: MNT-17 */
static void test_locked_flags(void **state)
{
    (void) state;
    on_new_and_old_kernels(locked_body);
}

static int setup(void **state)
{
    (void) state;
    seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return seen == MAP_FAILED ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_on_new_filesystems),
        cmocka_unit_test(test_iversion_and_silent_are_flags_of_mount),
        cmocka_unit_test(test_other_words_are_the_filesystems),
        cmocka_unit_test(test_mounting_by_mount_2),
        cmocka_unit_test(test_words_on_binds),
        cmocka_unit_test(test_propagation_words),
        cmocka_unit_test(test_remounts),
        cmocka_unit_test(test_locked_flags),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
