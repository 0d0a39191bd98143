/*
 * What init does inside the root: private procfs handle, descriptors, working directory, labels, keyring.  Needs root
 * (mounts and chroot happen in a mount namespace of the case).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/file.h"
#include "process/process.h"
#include "process_check.h"

static struct failure why;
static char root[] = "/tmp/crun-lite-test-XXXXXX";

static void own_mounts(void)
{
    CHECK(unshare(CLONE_NEWNS) == 0);
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

/* ---- procfs ---- */

static void proc_is_the_real_one(void)
{
    char text[64];
    int fd = proc_open(&why);
    CHECK(fd >= 0);
    CHECK(proc_write(fd, "self/comm", "renamed") == 0);
    CHECK(proc_read(fd, "self/comm", text, sizeof(text)) == 7 && strcmp(text, "renamed") == 0);
    CHECK(proc_read(fd, "self/absent", text, sizeof(text)) == -ENOENT);
    CHECK(proc_read(fd, "../etc/passwd", text, sizeof(text)) == -EXDEV);
    CHECK(proc_read(fd, "/etc/passwd", text, sizeof(text)) == -EXDEV);
    CHECK(proc_read(fd, "self/root/etc/passwd", text, sizeof(text)) == -ELOOP);
    CHECK(proc_read(fd, "self/cwd/x", text, sizeof(text)) == -ELOOP);
}

/* CVE-2019-16884, CVE-2025-52881: something mounted over a file of procfs swallows no write. */
static void overmounted_proc_is_refused(void)
{
    char text[64];
    own_mounts();
    int fd = proc_open(&why);
    CHECK(fd >= 0);
    CHECK(mount("tmpfs", "/proc/self/attr", "tmpfs", 0, NULL) == 0);
    CHECK(proc_write(fd, "self/attr/exec", "x") == -EXDEV);
    CHECK(mount("/proc/self/sched", "/proc/self/oom_score_adj", NULL, MS_BIND, NULL) == 0); /* procfs too */
    CHECK(proc_write(fd, "self/oom_score_adj", "1") == -EXDEV);
    CHECK(proc_read(fd, "self/oom_score_adj", text, sizeof(text)) == -EXDEV);
}

static void fake_proc_is_refused(void)
{
    own_mounts();
    CHECK(mount("/proc/sys", "/proc", NULL, MS_BIND, NULL) == 0); /* procfs, but not its root */
    CHECK(proc_open(&why) < 0);
    CHECK_TEXT(why.text, "not the root of a proc filesystem");
    CHECK(mount("tmpfs", "/proc", "tmpfs", 0, NULL) == 0);
    CHECK(proc_open(&why) < 0);
    CHECK_TEXT(why.text, "not the root of a proc filesystem");
    CHECK(umount("/proc") == 0 && umount("/proc") == 0); /* the leak checker reads it at exit */
}

/* ---- descriptors ---- */

static void close_from(unsigned first)
{
    CHECK(syscall(SYS_close_range, first, ~0U, 0) == 0);
}

static void fds_are_counted(void)
{
    struct inherited_fds seen;
    unsigned listen = 99, total = 99;
    char pid[16];
    close_from(3);
    fds_look(&seen);
    CHECK(seen.count == 0);
    CHECK(dup2(0, 3) == 3 && dup2(0, 4) == 4 && dup2(0, 6) == 6);
    fds_look(&seen);
    CHECK(seen.count == 2);
    CHECK_DONE(fds_count_preserved(&seen, 2, &listen, &total, &why));
    CHECK(listen == 0 && total == 2);
    CHECK(fds_count_preserved(&seen, 3, &listen, &total, &why) < 0);
    CHECK_TEXT(why.text, "descriptor 5 is not open");
    CHECK(fds_count_preserved(&seen, 4000000000u, &listen, &total, &why) < 0);
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_PID", "1", 1); /* somebody else */
    CHECK_DONE(fds_count_preserved(&seen, 1, &listen, &total, &why));
    CHECK(listen == 0 && total == 1);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    CHECK_DONE(fds_count_preserved(&seen, 1, &listen, &total, &why));
    CHECK(listen == 1 && total == 2);
    CHECK(fds_count_preserved(&seen, 2, &listen, &total, &why) < 0);
    setenv("LISTEN_FDS", "-1", 1);
    CHECK(fds_count_preserved(&seen, 0, &listen, &total, &why) < 0);
    /* A file of our own in the gap is not the caller's. */
    CHECK(open("/dev/null", O_RDONLY | O_CLOEXEC) == 5);
    fds_look(&seen);
    CHECK(seen.count == 2);
}

static void only_the_kept_survive(void)
{
    close_from(3);
    CHECK(open("/dev/null", O_RDONLY | O_CLOEXEC) == 3);
    CHECK(dup2(0, 4) == 4 && dup2(0, 5) == 5 && dup2(0, 200) == 200);
    int channel = dup(0);
    CHECK(channel == 6);
    CHECK_DONE(fds_leave_only(2, &channel, &why));
    CHECK(fcntl(3, F_GETFD) == 0 && fcntl(4, F_GETFD) == 0);
    CHECK(channel == 5 && fcntl(5, F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(6, F_GETFD) < 0 && fcntl(200, F_GETFD) < 0);
    CHECK(fcntl(2, F_GETFD) == 0);
    CHECK_DONE(fds_leave_only(2, &channel, &why));
    CHECK(channel == 5 && fcntl(5, F_GETFD) == FD_CLOEXEC);
    close(4);
    CHECK(fds_leave_only(2, &channel, &why) < 0);
    CHECK_TEXT(why.text, "keep descriptor 4");
}

static void closed_standard_is_null(void)
{
    struct stat file, null;
    CHECK(stat("/dev/null", &null) == 0);
    close(0);
    close(2);
    int result = fds_ensure_standard(&why);
    if (result < 0 || fstat(0, &file) < 0 || file.st_rdev != null.st_rdev || fstat(2, &file) < 0 ||
        file.st_rdev != null.st_rdev || fcntl(0, F_GETFD) != 0 || fcntl(2, F_GETFD) != 0)
        _exit(1);
}

/* ---- working directory ---- */

/* Leaves a descriptor of a directory outside the new root, as a careless runtime would (CVE-2024-21626). */
static int enter_root_and_leak(void)
{
    own_mounts();
    int leaked = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(leaked >= 0);
    CHECK(chdir(root) == 0 && (mkdir("proc", 0755) == 0 || errno == EEXIST));
    CHECK(mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL) == 0);
    CHECK(chroot(".") == 0 && chdir("/") == 0);
    return leaked;
}

static void directory_is_entered_and_made(void)
{
    char now[256];
    struct stat file;
    (void)enter_root_and_leak();
    (void)umask(0077);
    CHECK_DONE(environment_enter_directory("/a//new/./directory/", &why));
    CHECK(getcwd(now, sizeof(now)) && strcmp(now, "/a/new/directory") == 0);
    CHECK(stat("/a/new", &file) == 0 && (file.st_mode & 07777) == 0755); /* whatever the umask */
    CHECK(umask(0022) == 0077);
    CHECK(symlink("/a/new", "/link") == 0);
    CHECK_DONE(environment_enter_directory("/link", &why)); /* ordinary links are fine */
    CHECK(getcwd(now, sizeof(now)) && strcmp(now, "/a/new") == 0);
    CHECK_DONE(environment_enter_directory("/../..", &why));
    CHECK(getcwd(now, sizeof(now)) && strcmp(now, "/") == 0);
}

static void bad_directories_are_refused(void)
{
    (void)enter_root_and_leak();
    CHECK(symlink("/nowhere", "/dangling") == 0);
    CHECK(environment_enter_directory("/dangling", &why) < 0);
    CHECK(strcmp(why.text, "chdir to `/dangling`: No such file or directory") == 0);
    CHECK(access("/nowhere", F_OK) < 0);
    CHECK(mknod("/file", S_IFREG | 0644, 0) == 0);
    CHECK(environment_enter_directory("/file", &why) < 0 && why.errnum == ENOTDIR);
    CHECK(environment_enter_directory("/file/below", &why) < 0 && why.errnum == ENOTDIR);
    CHECK(environment_enter_directory("", &why) < 0 && why.kind == FAILURE_CONFIG);
    CHECK(environment_enter_directory("relative", &why) < 0 && why.kind == FAILURE_CONFIG);
    CHECK(mkdir("/private", 0700) == 0);
    CHECK(setresuid(4711, 4711, 4711) == 0);
    CHECK(environment_enter_directory("/private", &why) < 0 && why.errnum == EACCES); /* the caller's sign to try later */
}

static void magic_links_are_refused(void)
{
    char now[4096], name[64];
    int leaked = enter_root_and_leak();
    snprintf(name, sizeof(name), "/proc/self/fd/%d", leaked);
    CHECK(environment_enter_directory(name, &why) < 0 && why.errnum == ELOOP);
    CHECK_TEXT(why.hint, "magic link");
    snprintf(name, sizeof(name), "/proc/self/fd/%d/tmp", leaked);
    CHECK(environment_enter_directory(name, &why) < 0 && why.errnum == ELOOP);
    snprintf(name, sizeof(name), "/proc/self/fd/%d/made-outside", leaked);
    CHECK(environment_enter_directory(name, &why) < 0 && why.errnum == ELOOP);
    CHECK(faccessat(leaked, "made-outside", F_OK, 0) < 0);
    CHECK(symlink(name, "/indirect") == 0);
    CHECK(environment_enter_directory("/indirect", &why) < 0 && why.errnum == ELOOP);
    CHECK(environment_enter_directory("/proc/self/root", &why) < 0 && why.errnum == ELOOP);
    CHECK(getcwd(now, sizeof(now)) && strcmp(now, "/") == 0);
    /* The control: without the care it would work, so the above can fail. */
    snprintf(name, sizeof(name), "/proc/self/fd/%d", leaked);
    CHECK(chdir(name) == 0);
    /* ".." then stays outside; "." is no absolute path, so nothing of ours takes it. */
    CHECK(environment_enter_directory(".", &why) < 0);
}

/* ---- labels and keyring ---- */

static void labels_need_their_module(void)
{
    char profile[] = "docker-default", unconfined[] = "unconfined", empty[] = "", label[] = "system_u:system_r:container_t:s0";
    const struct spec_process with_profile = {.apparmor_profile = profile}, with_label = {.selinux_label = label},
                              without = {.apparmor_profile = unconfined, .selinux_label = empty};
    int proc_fd = proc_open(&why);
    CHECK(lsm_apparmor_enabled() == (access("/sys/module/apparmor", F_OK) == 0));
    if (!lsm_apparmor_enabled()) {
        CHECK_DONE(lsm_check(&without, NULL, &why));
        CHECK_DONE(lsm_set_exec_labels(proc_fd, &without, &why));
        CHECK(lsm_check(&with_profile, NULL, &why) < 0);
        CHECK(why.kind == FAILURE_HOST && strcmp(why.pointer, "/process/apparmorProfile") == 0);
        CHECK_TEXT(why.text, "AppArmor is not enabled");
        /* Were the check forgotten, the write would not be silent either. */
        CHECK(lsm_set_exec_labels(proc_fd, &with_profile, &why) < 0);
    }
    if (!lsm_selinux_enabled()) {
        CHECK(lsm_check(&with_label, NULL, &why) < 0);
        CHECK(strcmp(why.pointer, "/process/selinuxLabel") == 0);
        CHECK(lsm_check(&without, label, &why) < 0);
        CHECK(strcmp(why.pointer, "/linux/mountLabel") == 0);
        CHECK(lsm_set_exec_labels(proc_fd, &with_label, &why) < 0);
        CHECK(lsm_set_key_label(proc_fd, &with_label, &why) < 0);
        CHECK_DONE(lsm_set_key_label(proc_fd, &without, &why));
    }
}

static void keyring_is_our_own(void)
{
    char text[256] = "";
    long before = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
    if (before < 0 && errno == ENOSYS)
        return; /* a kernel without keys: a warning is all there is */
    CHECK_DONE(keyring_join("some-container", &why));
    long after = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
    CHECK(after > 0 && after != before);
    CHECK(syscall(SYS_keyctl, KEYCTL_DESCRIBE, after, text, sizeof(text) - 1) > 0);
    CHECK_TEXT(text, ";_ses.some-container");
    unsigned rights = 0;
    CHECK(sscanf(text, "keyring;%*u;%*u;%x;", &rights) == 1 && (rights & 0x00080000));
}

int main(void)
{
    static const struct effect_case cases[] = {
        {"proc: reads and writes below, nothing beside", proc_is_the_real_one},
        {"proc: overmounted files are refused", overmounted_proc_is_refused},
        {"proc: a fake one is refused", fake_proc_is_refused},
        {"descriptors are counted", fds_are_counted},
        {"only the kept descriptors survive", only_the_kept_survive},
        {"closed standard descriptors become /dev/null", closed_standard_is_null},
        {"a directory is entered and made", directory_is_entered_and_made},
        {"bad directories are refused", bad_directories_are_refused},
        {"magic links are refused", magic_links_are_refused},
        {"labels need their module", labels_need_their_module},
        {"the keyring is our own", keyring_is_our_own},
    };
    if (geteuid() != 0)
        return skip_program("needs root");
    CHECK(mkdtemp(root) && chmod(root, 0755) == 0);
    int failed = run_cases(cases, ARRAY_LENGTH(cases));
    CHECK(file_remove_tree_at(AT_FDCWD, root) == 0);
    return failed > 0;
}
