/* CVE-2019-5736: /proc/PID/exe of the runtime cannot be opened for writing, in each of the three ways.  Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "process/process.h"
#include "process_check.h"

/* Data of every kind that the remapping moves: constants, relocated constants, variables, zeroes. */
static const char *const relocated[] = {"one", "two", "three"};
static int variable = 41;
static char zeroes[3 * 4096];
static struct failure why;

#ifdef SANITIZED /* no remapping there: see own_binary.c */
#define FIRST_WAY "exec"
#else
#define FIRST_WAY "remap"
#endif

/* The victim is a copy of this program: while we run, nobody can write to our own file anyway (ETXTBSY). */
static char victim_path[] = "test_own_binary.XXXXXX";

static void make_victim(void)
{
    char buffer[65536];
    ssize_t length;
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int to = mkostemp(victim_path, O_CLOEXEC);
    CHECK(from >= 0 && to >= 0);
    while ((length = read(from, buffer, sizeof(buffer))) > 0)
        CHECK(write(to, buffer, (size_t)length) == length);
    CHECK(length == 0 && fchmod(to, 0755) == 0);
    close(from);
    close(to);
}

static void write_map(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void check_data(void)
{
    CHECK(strcmp(relocated[2], "three") == 0);
    CHECK(variable == 42);
    CHECK(zeroes[0] == 'x' && zeroes[4096] == 0 && zeroes[sizeof(zeroes) - 1] == 'y');
    variable++;
    zeroes[4096] = 'z';
    CHECK(variable == 43 && zeroes[4096] == 'z');
}

static int find_relro(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size; /* the members in use are those that every libc has */
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO)
            *(uintptr_t *)data = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    return 1;
}

/* What the loader made read-only after relocation is still so. */
static void check_relro(void)
{
    int status;
    uintptr_t relro = 0;
    (void)dl_iterate_phdr(find_relro, &relro); /* returns the callback's 1 */
    CHECK(relro != 0);
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none); /* only tidiness */
        *(volatile char *)relro = 0;
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status != 0);
}

/* The protected program: tells that it is ready and waits to be ended. */
static int protected_program(char **argv)
{
    char byte;
    variable++;
    zeroes[0] = 'x';
    zeroes[sizeof(zeroes) - 1] = 'y';
    CHECK_DONE(own_binary_protect(argv, NULL, &why));
    check_data();
    check_relro();
    CHECK(getenv("CRUN_LITE_PROTECTED") == NULL);
    /* A child, as the one that becomes the container's process, has the same executable. */
    int ready[2];
    CHECK(pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct statvfs filesystem;
        int seals = fcntl(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), F_GET_SEALS);
        bool read_only = statvfs("/proc/self/exe", &filesystem) == 0 && (filesystem.f_flag & ST_RDONLY);
        _exit(read_only || seals > 0 ? 0 : 1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(write(1, "r", 1) == 1);
    CHECK(read(0, &byte, 1) == 0);
    return 0;
}

struct running {
    pid_t pid;
    int to, from;
};

static struct running start(const char *way, const char *mark)
{
    int to[2], from[2];
    CHECK(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (way)
            setenv("CRUN_LITE_SELF_PROTECT", way, 1);
        if (mark)
            setenv("CRUN_LITE_PROTECTED", mark, 1);
        dup2(to[0], 0);
        dup2(from[1], 1);
        execl(victim_path, "test_own_binary", "protected", "an argument", (char *)NULL);
        _exit(1);
    }
    close(to[0]);
    close(from[1]);
    return (struct running){pid, to[1], from[0]};
}

/* The attack: O_PATH while it lives, for writing after its end.  0 when that works, else the errno. */
static int attack(struct running victim)
{
    char byte, path[64], link[FD_PATH_SIZE];
    int status;
    CHECK(read(victim.from, &byte, 1) == 1);
    snprintf(path, sizeof(path), "/proc/%d/exe", (int)victim.pid);
    int exe = open(path, O_PATH | O_CLOEXEC);
    CHECK(exe >= 0);
    /* The mount is in no namespace: nobody can make it writable again, not even while the victim lives. */
    struct statvfs filesystem;
    struct mount_attr writable = {.attr_clr = MOUNT_ATTR_RDONLY};
    CHECK(fstatvfs(exe, &filesystem) == 0);
    if (filesystem.f_flag & ST_RDONLY) {
        CHECK(kernel_mount_setattr(exe, "", AT_EMPTY_PATH, &writable) < 0 && errno == EINVAL);
        CHECK(kernel_open_tree(exe, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH) < 0 && errno == EINVAL);
    }
    close(victim.to);
    close(victim.from);
    CHECK(waitpid(victim.pid, &status, 0) == victim.pid && status == 0);
    return open(fd_path(exe, link), O_WRONLY | O_CLOEXEC) < 0 ? errno : 0;
}

static void remapped(void)
{
    CHECK(attack(start(FIRST_WAY, NULL)) == EROFS);
}

static void executed(void)
{
    CHECK(attack(start("exec", NULL)) == EROFS);
}

/* A sealed memfd opens, but takes no byte. */
static void check_sealed(struct running victim)
{
    char byte, path[64], link[FD_PATH_SIZE];
    int status;
    CHECK(read(victim.from, &byte, 1) == 1);
    snprintf(path, sizeof(path), "/proc/%d/exe", (int)victim.pid);
    CLEANUP_FD int exe = open(path, O_PATH | O_CLOEXEC);
    close(victim.to);
    close(victim.from);
    CHECK(waitpid(victim.pid, &status, 0) == victim.pid && status == 0);
    CLEANUP_FD int fd = open(fd_path(exe, link), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, "x", 1) < 0 && errno == EPERM);
    CHECK(ftruncate(fd, 0) < 0 && errno == EPERM);
    CHECK(mmap(NULL, 1, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
}

static void copied(void)
{
    check_sealed(start("memfd", NULL));
}

/* The control: the attack works on an unprotected program, so the cases above can fail. */
static void unprotected_is_writable(void)
{
    int to[2], from[2];
    CHECK(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        execl(victim_path, "test_own_binary", "unprotected", (char *)NULL);
        _exit(1);
    }
    close(to[0]);
    close(from[1]);
    CHECK(attack((struct running){pid, to[1], from[0]}) == 0);
}

/* Rootless engines start us as root of their own user and mount namespaces: no CAP_SYS_RESOURCE, no host right. */
static void remapped_in_user_namespace(void)
{
    CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
    write_map("/proc/self/setgroups", "deny");
    write_map("/proc/self/uid_map", "0 0 1");
    write_map("/proc/self/gid_map", "0 0 1");
    CHECK(attack(start(FIRST_WAY, NULL)) == EROFS);
}

/* The owner without any right: no mount can be made, the copy remains. */
static void copied_for_unprivileged_owner(void)
{
    CHECK(chown(victim_path, 4711, 4711) == 0);
    CHECK(setresgid(4711, 4711, 4711) == 0 && setresuid(4711, 4711, 4711) == 0);
    CHECK(access(victim_path, X_OK) == 0);
    check_sealed(start(NULL, NULL));
}

/* Somebody else's mark is no reason to believe it. */
static void foreign_mark_is_ignored(void)
{
    CHECK(attack(start(NULL, "1")) == EROFS);
}

/* A true mark on a program that is not protected ends the matter instead of going round. */
static void lying_mark_is_a_failure(void)
{
    char pid[16];
    char name[] = "test", *argv[] = {name, NULL};
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("CRUN_LITE_PROTECTED", pid, 1);
    CHECK(own_binary_protect(argv, NULL, &why) < 0);
    CHECK_TEXT(why.text, "still writable");
    CHECK(getenv("CRUN_LITE_PROTECTED") == NULL);
}

static void unknown_way_is_refused(void)
{
    char name[] = "test", *argv[] = {name, NULL};
    setenv("CRUN_LITE_SELF_PROTECT", "off", 1);
    CHECK(own_binary_protect(argv, NULL, &why) < 0);
    CHECK(why.kind == FAILURE_USAGE);
    CHECK_TEXT(why.text, "CRUN_LITE_SELF_PROTECT=off");
}

/* Nobody but root may write a file of root's, and root is mapped nowhere: nothing to do, nothing done. */
static void unneeded_is_skipped(void)
{
    char name[] = "test", *argv[] = {name, NULL};
    struct statvfs filesystem;
    CHECK(setresuid(4711, 4711, 4711) == 0);
    CHECK_DONE(own_binary_protect(argv, NULL, &why));
    CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
    CHECK(statvfs("/proc/self/exe", &filesystem) == 0 && !(filesystem.f_flag & ST_RDONLY));
}

int main(int argc, char **argv)
{
    static const struct effect_case cases[] = {
        {"unprotected: the control", unprotected_is_writable},
        {"remap", remapped},
        {"exec", executed},
        {"memfd", copied},
        {"remap in a user namespace", remapped_in_user_namespace},
        {"memfd for an unprivileged owner", copied_for_unprivileged_owner},
        {"a foreign mark is ignored", foreign_mark_is_ignored},
        {"a lying mark is a failure", lying_mark_is_a_failure},
        {"an unknown way is refused", unknown_way_is_refused},
        {"skipped where unneeded", unneeded_is_skipped},
    };
    if (argc == 3 && strcmp(argv[1], "protected") == 0) {
        CHECK(strcmp(argv[2], "an argument") == 0);
        return protected_program(argv);
    }
    if (argc == 2) {
        char byte;
        return write(1, "r", 1) == 1 && read(0, &byte, 1) == 0 ? 0 : 1;
    }
    if (geteuid() != 0)
        return skip_program("needs root");
    make_victim();
    int failed = run_cases(cases, ARRAY_LENGTH(cases));
    CHECK(unlink(victim_path) == 0);
    return failed > 0;
}
