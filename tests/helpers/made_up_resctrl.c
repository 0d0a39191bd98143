/*
 * tests/helpers/made_up_resctrl.c: resctrl as a plain directory tree, with the kernel's behaviour put in front of the calls
 * that differ: mkdir fills a new group, rmdir empties one, tasks and schemata have rules.
 *
 * Linked into tests with --wrap.  RESCTRL_TREE names the tree (what the kernel would show at /sys/fs/resctrl); unset: the host
 * has none.  Every write goes to the file RESCTRL_LOG as "FILE TEXT", every search for the mount to the file
 * RESCTRL_ASKED.  Files "full" and "full-monitors" in the tree make mkdir say ENOSPC, as when the CPU's ids are used up.
 * RESCTRL_LOCK_MS shortens the wait for the lock of the mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/pid.h"
#include "base/text.h"

int __real_mkdirat(int dirfd, const char *name, mode_t mode);
int __real_unlinkat(int dirfd, const char *name, int flags);
int __real_file_write_text_at(int dirfd, const char *name, const char *text);
int __real_fd_lock_until(int fd, int64_t deadline_ms);
int __wrap_fd_lock_until(int fd, int64_t deadline_ms);
int __wrap_resctrl_find(void);
int __wrap_mkdirat(int dirfd, const char *name, mode_t mode);
int __wrap_unlinkat(int dirfd, const char *name, int flags);
int __wrap_file_write_text_at(int dirfd, const char *name, const char *text);

static void put(int dirfd, const char *path, int flags, const char *text)
{
    CLEANUP_FD int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
        abort();
}

int __wrap_resctrl_find(void)
{
    const char *tree = getenv("RESCTRL_TREE"), *asked = getenv("RESCTRL_ASKED");
    if (asked != NULL)
        put(AT_FDCWD, asked, O_APPEND, "asked\n");
    int fd = tree == NULL ? -1 : open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -ENODEV : fd;
}

int __wrap_fd_lock_until(int fd, int64_t deadline_ms)
{
    const char *ms = getenv("RESCTRL_LOCK_MS");
    return __real_fd_lock_until(fd, ms == NULL ? deadline_ms : clock_now_ms() + atoi(ms));
}

/* "" for the root, "a/tasks", …; NULL: not in the tree. */
static const char *path_in_tree(int dirfd, const char *name, char buffer[PATH_MAX])
{
    const char *tree = getenv("RESCTRL_TREE");
    char link[FD_PATH_SIZE], directory[PATH_MAX / 2];
    if (tree == NULL || dirfd < 0 || *name == '/')
        return NULL;
    ssize_t length = readlink(fd_path(dirfd, link), directory, sizeof(directory) - 1);
    if (length < 0)
        return NULL;
    directory[length] = '\0';
    snprintf(buffer, PATH_MAX, "%s/%s", directory, name);
    size_t prefix = strlen(tree);
    return strncmp(buffer, tree, prefix) == 0 && buffer[prefix] == '/' ? buffer + prefix + 1 : NULL;
}

static int open_tree(void)
{
    return open(getenv("RESCTRL_TREE"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void put_in_tree(const char *path, int flags, const char *text)
{
    CLEANUP_FD int tree = open_tree();
    put(tree, path, flags, text);
}

static void put_in_group(const char *group, const char *file, const char *text)
{
    CLEANUP_FD int tree = open_tree();
    CLEANUP_FD int directory = openat(tree, group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    put(directory, file, 0, text);
}

static void say(const char *words)
{
    put_in_tree("info/last_cmd_status", O_TRUNC, words);
}

static bool is_there(const char *path)
{
    CLEANUP_FD int tree = open_tree();
    return faccessat(tree, path, F_OK, 0) == 0;
}

static bool is_monitor(const char *path)
{
    const char *at = strstr(path, "mon_groups/");
    return at != NULL && (at == path || at[-1] == '/');
}

/* A directory in the root or in a group's mon_groups; nowhere else. */
int __wrap_mkdirat(int dirfd, const char *name, mode_t mode)
{
    char buffer[PATH_MAX];
    const char *path = path_in_tree(dirfd, name, buffer);
    if (path == NULL)
        return __real_mkdirat(dirfd, name, mode);
    bool monitor = is_monitor(path);
    if (!monitor && strchr(path, '/') != NULL) {
        errno = EPERM;
        return -1;
    }
    if (is_there(monitor ? "full-monitors" : "full") && !is_there(path)) {
        say(monitor ? "Out of RMIDs\n" : "Out of CLOSIDs\n");
        errno = ENOSPC;
        return -1;
    }
    if (__real_mkdirat(dirfd, name, mode) < 0)
        return -1;
    put_in_group(path, "tasks", "");
    if (monitor)
        return 0;
    put_in_group(path, "schemata", "    L3:0=fffff;1=fffff\n    MB:0=100;1=100\n");
    CLEANUP_FD int group = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return is_there("mon_groups") ? __real_mkdirat(group, "mon_groups", mode) : 0;
}

/* The files and monitoring groups go with their group. */
int __wrap_unlinkat(int dirfd, const char *name, int flags)
{
    static bool inside;
    char buffer[PATH_MAX];
    if (inside || flags != AT_REMOVEDIR || path_in_tree(dirfd, name, buffer) == NULL)
        return __real_unlinkat(dirfd, name, flags);
    inside = true;
    int r = file_remove_tree_at(dirfd, name);
    inside = false;
    errno = -r;
    return r < 0 ? -1 : 0;
}

static void read_in_tree(const char *path, char *text, size_t size)
{
    CLEANUP_FD int tree = open_tree();
    CLEANUP_FD int fd = openat(tree, path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : fd_read_up_to(fd, text, size - 1);
    text[count < 0 ? 0 : count] = '\0';
}

static int write_tasks(const char *path, const char *text)
{
    char parent[PATH_MAX], members[4096];
    const char *monitor = is_monitor(path) ? strstr(path, "mon_groups/") : NULL;
    if (monitor != NULL) {
        snprintf(parent, sizeof(parent), "%.*stasks", (int)(monitor - path), path);
        read_in_tree(parent, members, sizeof(members));
        if (strstr(members, text) == NULL) {
            say("Can't move task to different control group\n");
            return -EINVAL;
        }
    }
    put_in_tree(path, O_APPEND, text);
    return 0;
}

/* The new line replaces the resource's old one. */
static int write_schemata(const char *path, const char *text)
{
    char old[4096], line[1024], resource[64];
    size_t length = strlen(text), name = strcspn(text, ":");
    if (length == 0 || text[length - 1] != '\n' || strchr(text, '\n') != text + length - 1)
        return -EINVAL;
    snprintf(resource, sizeof(resource), "info/%.*s", (int)(name < 40 ? name : 40), text);
    if (text[name] != ':' || !is_there(resource)) {
        snprintf(line, sizeof(line), "Unknown or unsupported resource name '%s'\n", resource + strlen("info/"));
        say(line);
        return -EINVAL;
    }
    read_in_tree(path, old, sizeof(old));
    struct text merged = {0};
    for (char *at = old; *at != '\0';) {
        size_t end = strcspn(at, "\n"), blanks = strspn(at, " ");
        if (strncmp(at + blanks, text, name + 1) == 0)
            text_format(&merged, "    %s", text);
        else
            text_format(&merged, "%.*s\n", (int)end, at);
        at += end + (at[end] == '\n');
    }
    put_in_tree(path, O_TRUNC, merged.data);
    text_done(&merged);
    return 0;
}

int __wrap_file_write_text_at(int dirfd, const char *name, const char *text)
{
    char buffer[PATH_MAX];
    const char *path = path_in_tree(dirfd, name, buffer), *log = getenv("RESCTRL_LOG");
    if (path == NULL)
        return __real_file_write_text_at(dirfd, name, text);
    say("ok\n");
    if (!is_there(path))
        return -ENOENT;
    if (log != NULL) {
        struct text line = {0};
        text_format(&line, "%s %s", path, text);
        put(AT_FDCWD, log, O_APPEND, line.data);
        text_done(&line);
    }
    return text_ends(path, "tasks") ? write_tasks(path, text) : write_schemata(path, text);
}
