/*
 * process/environment.c: environment, working directory and program of the container's process.
 *
 * Runs in: init and joiner.  Reads files of the container, so: bounded, by hand, never through NSS (a hostile
 * image brings its own libnss, CVE-2019-14271), never a device or a pipe, never through a magic link.
 */
#include "process/process.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/text.h"

#define PASSWD_MAX (1u << 20)
#define SHOWN_MAX 256 /* bytes of a container's word in a message */

/* ---- the environment ---- */

struct variable {
    const char *text;
    size_t name_length, index;
};

static int compare_names(const struct variable *a, const struct variable *b)
{
    size_t shorter = a->name_length < b->name_length ? a->name_length : b->name_length;
    int order = memcmp(a->text, b->text, shorter);
    if (order != 0)
        return order;
    return (a->name_length > b->name_length) - (a->name_length < b->name_length);
}

static int compare_variables(const void *a, const void *b)
{
    const struct variable *left = a, *right = b;
    int order = compare_names(left, right);
    return order ? order : (left->index > right->index) - (left->index < right->index);
}

/* Keeps the last of each name, in the order of those last ones.  Sorted, since a config may hold a million. */
static size_t drop_overridden(struct variable *variables, size_t count, char **envp)
{
    size_t kept = 0;
    qsort(variables, count, sizeof(*variables), compare_variables);
    for (size_t i = 0; i + 1 < count; i++)
        if (compare_names(&variables[i], &variables[i + 1]) == 0)
            envp[variables[i].index] = NULL;
    for (size_t i = 0; i < count; i++)
        if (envp[i])
            envp[kept++] = envp[i];
    return kept;
}

static const char *value_of(char *const *envp, const char *name)
{
    size_t length = strlen(name);
    for (; *envp; envp++)
        if (strncmp(*envp, name, length) == 0 && (*envp)[length] == '=')
            return *envp + length + 1;
    return NULL;
}

/* ---- HOME ---- */

/* The text between the n-th and the next colon of a line of passwd(5); its length or -1. */
static ssize_t passwd_field(const char *line, size_t length, unsigned n, const char **ret_start)
{
    const char *end = line + length;
    for (; n > 0; n--) {
        line = memchr(line, ':', (size_t)(end - line));
        if (!line)
            return -1;
        line++;
    }
    const char *colon = memchr(line, ':', (size_t)(end - line));
    *ret_start = line;
    return (colon ? colon : end) - line;
}

static bool is_line_of(const char *line, size_t length, const char *uid)
{
    const char *field;
    ssize_t field_length = passwd_field(line, length, 2, &field);
    return field_length > 0 && (size_t)field_length == strlen(uid) && memcmp(field, uid, (size_t)field_length) == 0;
}

/* The home directory of the first line with that uid.  Names are not looked at (CVE-2016-3697). */
static const char *passwd_home(const char *passwd, size_t size, uid_t uid, struct arena *arena)
{
    char wanted[16];
    snprintf(wanted, sizeof(wanted), "%u", uid);
    while (size > 0) {
        const char *newline = memchr(passwd, '\n', size), *home;
        size_t length = newline ? (size_t)(newline - passwd) : size;
        if (is_line_of(passwd, length, wanted)) {
            ssize_t home_length = passwd_field(passwd, length, 5, &home);
            bool usable = home_length > 0 && home_length < PATH_MAX && home[0] == '/' &&
                          !memchr(home, '\0', (size_t)home_length);
            return usable ? arena_copy_n(arena, home, (size_t)home_length) : NULL;
        }
        size_t step = newline ? length + 1 : length;
        passwd += step;
        size -= step;
    }
    return NULL;
}

/* The container's /etc/passwd for reading, or -1.  Looked at first, opened second: opening a device node can act
 * (a watchdog starts, a tape rewinds), opening a pipe can block. */
static int open_passwd(int root_fd, int proc_fd)
{
    struct stat file;
    char name[32];
    CLEANUP_FD int looked_at =
        kernel_openat2(root_fd, "etc/passwd", O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    if (looked_at < 0 || fstat(looked_at, &file) < 0 || !S_ISREG(file.st_mode))
        return -1;
    /* The magic link is wanted here: it leads to the very file that was looked at; proc_fd is known as procfs. */
    snprintf(name, sizeof(name), "self/fd/%d", looked_at);
    return openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
}

static const char *find_home(uid_t uid, int root_fd, int proc_fd, struct arena *arena)
{
    const char *home = NULL;
    CLEANUP_FD int fd = open_passwd(root_fd, proc_fd);
    if (fd >= 0) {
        char *passwd = memory_new(PASSWD_MAX);
        ssize_t length = fd_read_up_to(fd, passwd, PASSWD_MAX);
        if (length > 0)
            home = passwd_home(passwd, (size_t)length, uid, arena);
        free(passwd);
    }
    return home ? home : "/";
}

static int check_variable(const char *text, size_t index, struct failure *why)
{
    char pointer[48];
    const char *equals = strchr(text, '=');
    if (equals && equals != text)
        return 0;
    snprintf(pointer, sizeof(pointer), "/process/env/%zu", index);
    char shown[64];
    text_sanitize(shown, sizeof(shown), text);
    return fail_config(why, pointer, "a variable is written NAME=value, found '%s'", shown);
}

int environment_check_all(const struct spec_process *process, struct findings *findings)
{
    for (size_t i = 0; i < process->env.count; i++)
        if (found(findings, check_variable(process->env.items[i], i, findings->why)) < 0)
            return -1;
    return 0;
}

int environment_build(const struct spec_process *process, int root_fd, int proc_fd, const char *const *extra,
                      struct arena *arena, char ***ret_envp, struct failure *why)
{
    static const char *const none[] = {NULL};
    size_t extra_count = 0, count = 0;
    if (!extra)
        extra = none;
    while (extra[extra_count])
        extra_count++;
    size_t total = process->env.count + extra_count;
    char **envp = arena_alloc(arena, (total + 2) * sizeof(*envp)); /* and HOME and the end */
    struct variable *variables = memory_new((total + 1) * sizeof(*variables));
    int result = 0;
    for (; count < total && result == 0; count++) {
        bool own = count < process->env.count;
        const char *text = own ? process->env.items[count] : extra[count - process->env.count];
        result = check_variable(text, count, why);
        envp[count] = own ? process->env.items[count] : arena_copy(arena, text);
        variables[count] = (struct variable){text, strcspn(text, "="), count};
    }
    if (result == 0)
        count = drop_overridden(variables, count, envp);
    free(variables);
    if (result < 0)
        return -1;
    envp[count] = NULL;
    const char *home = value_of(envp, "HOME");
    if (!home || !home[0]) {
        char *line = arena_format(arena, "HOME=%s", find_home(process->user.uid, root_fd, proc_fd, arena));
        size_t at = 0;
        while (at < count && !text_starts(envp[at], "HOME="))
            at++;
        envp[at] = line; /* in place of an empty one, else at the end */
        envp[at == count ? count + 1 : count] = NULL;
    }
    *ret_envp = envp;
    return 0;
}

/* ---- the program ---- */

/* execvp(3) and the C library's default: what a program started without PATH would get. */
#define PATH_DEFAULT "/bin:/usr/bin"

enum { EXIT_CANNOT_EXECUTE = 126, EXIT_NO_PROGRAM = 127 };

static int fail_exit(struct failure *why, int exit_code)
{
    why->exit_code = exit_code;
    return -1;
}

/* 0 when `path` can be executed by the effective ids, else -errno; -EISDIR for a directory. */
static int try_program(const char *path)
{
    struct stat file;
    if (stat(path, &file) < 0)
        return -errno;
    if (S_ISDIR(file.st_mode))
        return -EISDIR;
    if (!S_ISREG(file.st_mode))
        return -EACCES;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* Docker's client tells 126 and 127 by "permission denied", "no such file or directory" and "executable file not found" in
 * these very letters, which the kernel's own sentences and Podman's pattern have otherwise: the hints hold them. */
static int fail_program(struct failure *why, const char *path, int result)
{
    char shown[SHOWN_MAX];
    text_sanitize(shown, sizeof(shown), path);
    if (result == -EISDIR) {
        fail_errno(why, EACCES, "exec `%s`: it is a directory", shown);
        failure_hint(why, "permission denied for every directory: name a program");
        return fail_exit(why, EXIT_CANNOT_EXECUTE);
    }
    if (result == -ENOENT || result == -ENOTDIR) {
        fail_errno(why, ENOENT, "open executable `%s`", shown);
        failure_hint(why, "there is no such file or directory in the container");
        return fail_exit(why, EXIT_NO_PROGRAM);
    }
    fail_errno(why, result, "exec `%s`", shown);
    if (result == -EACCES)
        environment_hint_denied(path, why);
    return fail_exit(why, EXIT_CANNOT_EXECUTE);
}

static int fail_search(struct failure *why, const char *name)
{
    char shown[SHOWN_MAX];
    text_sanitize(shown, sizeof(shown), name);
    fail_errno(why, ENOENT, "executable file `%s` not found in $PATH", shown);
    failure_pointer(why, "/process/args/0");
    failure_hint(why, "executable file not found: name one that the container has, or correct its $PATH");
    return fail_exit(why, EXIT_NO_PROGRAM);
}

/* A relative path starts at cwd, which is where we are. */
static char *absolute(const char *cwd, const char *path, size_t length, struct arena *arena)
{
    bool slash = text_ends(cwd, "/");
    if (length > 0 && path[0] == '/')
        return arena_copy_n(arena, path, length);
    return arena_format(arena, "%s%s%.*s", cwd, slash ? "" : "/", (int)length, path);
}

/* The same from outside, below a root that nothing is mounted on yet.  What cannot be known from there is 0. */
static int try_program_below(int root_fd, const char *path)
{
    struct stat file;
    CLEANUP_FD int fd = kernel_openat2(root_fd, path, O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
        return 0;
    if (fd < 0) {
        /* A link may lead to what a mount will bring. */
        int result = -errno;
        CLEANUP_FD int link = kernel_openat2(root_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
        return link < 0 ? result : 0;
    }
    if (fstat(fd, &file) < 0)
        return 0;
    if (S_ISDIR(file.st_mode))
        return -EISDIR;
    return S_ISREG(file.st_mode) && (file.st_mode & 0111) != 0 ? 0 : -EACCES;
}

/* `root_fd` -1: the root that we are in. */
static int search_path(const char *name, const char *path, const char *cwd, int root_fd, struct arena *arena, char **ret_path,
                       struct failure *why)
{
    char *denied = NULL;
    int denied_result = 0;
    for (;;) {
        size_t length = strcspn(path, ":");
        if (length < PATH_MAX) { /* a longer element names nothing */
            char *directory = absolute(cwd, path, length, arena);
            char *candidate = arena_format(arena, "%s%s%s", directory, text_ends(directory, "/") ? "" : "/", name);
            int result = root_fd < 0 ? try_program(candidate) : try_program_below(root_fd, candidate);
            if (result == 0) {
                *ret_path = candidate;
                return 0;
            }
            /* As execvp: a file that may not be executed does not end the search, but is what the failure names. */
            if (result == -EACCES && !denied) {
                denied = candidate;
                denied_result = result;
            }
        }
        if (path[length] == '\0')
            break;
        path += length + 1;
    }
    return denied ? fail_program(why, denied, denied_result) : fail_search(why, name);
}

int environment_find_program(const char *name, char *const *envp, const char *cwd, struct arena *arena,
                             char **ret_path, struct failure *why)
{
    if (!name || !name[0])
        return fail_search(why, "");
    if (!strchr(name, '/')) {
        const char *path = value_of(envp, "PATH");
        return search_path(name, path ? path : PATH_DEFAULT, cwd, -1, arena, ret_path, why);
    }
    size_t length = strlen(name);
    char *path = absolute(cwd, name, length < PATH_MAX ? length : PATH_MAX, arena);
    int result = try_program(path);
    if (result < 0)
        return fail_program(why, name, result);
    *ret_path = path;
    return 0;
}

static int probe_program(const struct spec_process *process, int root_fd, struct arena *arena, struct failure *why)
{
    char *ignored;
    const char *name = process->args.items[0], *path = PATH_DEFAULT;
    if (!name[0])
        return fail_search(why, "");
    for (size_t i = 0; i < process->env.count; i++)
        if (text_starts(process->env.items[i], "PATH="))
            path = process->env.items[i] + strlen("PATH=");
    if (!strchr(name, '/'))
        return search_path(name, path, process->cwd, root_fd, arena, &ignored, why);
    size_t length = strlen(name);
    int result = try_program_below(root_fd, absolute(process->cwd, name, length < PATH_MAX ? length : PATH_MAX, arena));
    return result < 0 ? fail_program(why, name, result) : 0;
}

int environment_probe_program(const struct spec_process *process, int root_fd, struct failure *why)
{
    struct arena arena = {0};
    int result = process->args.count > 0 && process->cwd != NULL ? probe_program(process, root_fd, &arena, why) : 0;
    arena_done(&arena);
    return result < 0 ? failure_pointer(why, "/process/args/0") : 0;
}

/* ---- the working directory ---- */

/* Against CVE-2024-21626: "/proc/self/fd/7" as cwd leads out of the container through a directory that some
 * process of ours has open.  Ordinary symbolic links stay allowed. */
#define NO_MAGIC RESOLVE_NO_MAGICLINKS

static int open_directory(int at, const char *path)
{
    int fd = kernel_openat2(at, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, NO_MAGIC);
    return fd < 0 ? -errno : fd;
}

/* mkdir -p, one component at a time from an fd, so that no magic link is followed on the way either. */
static int make_directory(const char *path)
{
    char name[NAME_MAX + 1];
    CLEANUP_FD int at = open_directory(AT_FDCWD, "/");
    while (at >= 0) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if (length == 0)
            return fd_steal(&at);
        if (length > NAME_MAX)
            return -ENAMETOOLONG;
        memcpy(name, path, length);
        name[length] = '\0';
        path += length;
        int next = open_directory(at, name);
        if (next == -ENOENT && mkdirat(at, name, 0755) < 0 && errno != EEXIST)
            return -errno;
        if (next == -ENOENT)
            next = open_directory(at, name);
        fd_close(&at);
        at = next;
    }
    return at;
}

static int fail_directory(struct failure *why, const char *cwd, int result)
{
    char shown[SHOWN_MAX];
    text_sanitize(shown, sizeof(shown), cwd);
    fail_errno(why, result, "chdir to `%s`", shown);
    failure_pointer(why, "/process/cwd");
    if (result == -ELOOP)
        return failure_hint(why, "cwd may not lead through a magic link such as /proc/self/fd/N");
    return -1;
}

/* What engines look for is that it is absent; that it could not be made either is a detail. */
static int fail_absent_directory(struct failure *why, const char *cwd)
{
    (void)fail_directory(why, cwd, -ENOENT);
    return failure_hint(why, "it cannot be made on a read-only root: make it in the image, or choose another cwd");
}

int environment_enter_directory(const char *cwd, struct failure *why)
{
    char now[PATH_MAX];
    if (!cwd || cwd[0] != '/')
        return fail_config(why, "/process/cwd", "the working directory must be an absolute path");
    CLEANUP_FD int fd = open_directory(AT_FDCWD, cwd);
    if (fd == -ENOENT) {
        mode_t caller_umask = umask(0022); /* 0755 whatever the caller's mask; single-threaded, so nobody notices */
        fd = make_directory(cwd);
        (void)umask(caller_umask); /* cannot fail */
        if (fd == -EROFS)
            return fail_absent_directory(why, cwd);
    }
    if (fd < 0 || fchdir(fd) < 0)
        return fail_directory(why, cwd, fd < 0 ? fd : -errno);
    /* The second line of defence: a directory outside our root shows as "(unreachable)", which the kernel
     * says and the C library turns into ENOENT. */
    if (!getcwd(now, sizeof(now)))
        return fail_directory(why, cwd, -errno);
    if (now[0] != '/') {
        fail(why, FAILURE_CONFIG, "chdir to `%.256s`: it is outside the container's root", cwd);
        return failure_pointer(why, "/process/cwd");
    }
    return 0;
}
