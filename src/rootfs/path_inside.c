/*
 * rootfs/path_inside.c: opening and making paths below the container's root, fd by fd.
 *
 * Runs in: init, before the root switch.  Holds: nothing between calls.
 */
#include "rootfs/path_inside.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"

/* As many as the kernel follows in one lookup. */
#define LINKS_LIMIT 40
/* openat2 answers EAGAIN when a rename anywhere raced with ".."; each try is a few microseconds, and a hostile
 * container that renames for ever gets its failure. */
#define RACE_LIMIT 128

static int open_resolved(int dir_fd, const char *path, uint64_t resolve)
{
    for (int tries = 0; tries < RACE_LIMIT; tries++) {
        int fd = kernel_openat2(dir_fd, path[0] ? path : ".", O_PATH | O_CLOEXEC, 0,
                                resolve | RESOLVE_NO_MAGICLINKS);
        if (fd >= 0)
            return fd;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
    return -EAGAIN;
}

int path_open(int root_fd, const char *path, enum path_links links)
{
    return open_resolved(root_fd, path, RESOLVE_IN_ROOT | (links == PATH_NO_LINKS ? RESOLVE_NO_SYMLINKS : 0));
}

/* Opens `name`, one component, in a directory; a link there is -ELOOP. */
static int open_component(int dir_fd, const char *name)
{
    return open_resolved(dir_fd, name, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* One walk from the root to the end of a path, making what is missing. */
struct walk {
    int root_fd;
    enum path_kind kind;
    enum path_links links;
    int links_followed;
    bool restart;        /* a dangling link was met: `path` was rewritten */
    char path[PATH_MAX]; /* what is being made */
};

/* `at` is the offset of the component that is a dangling link, `end` the offset behind it.  The rewritten path is
 * again resolved below the root only, so nothing is trusted about the link's words. */
static int walk_follow(struct walk *walk, int parent_fd, const char *name, size_t at, size_t end)
{
    char target[PATH_MAX], rewritten[PATH_MAX];
    ssize_t length = readlinkat(parent_fd, name, target, sizeof(target) - 1);

    if (length < 0)
        return errno == EINVAL ? -EEXIST : -errno; /* not a link: somebody else makes things here right now */
    if (walk->links == PATH_NO_LINKS || ++walk->links_followed > LINKS_LIMIT)
        return -ELOOP;
    target[length] = '\0';
    int written = snprintf(rewritten, sizeof(rewritten), "%.*s/%s%s", target[0] == '/' ? 0 : (int) at, walk->path,
                           target, walk->path + end);
    if (written < 0 || (size_t) written >= sizeof(rewritten))
        return -ENAMETOOLONG;
    memcpy(walk->path, rewritten, (size_t) written + 1);
    walk->restart = true;
    return -ENOENT;
}

/* Makes the component and opens it; never through a link (CVE-2026-88264): mkdir and mknod do not follow the last
 * component and fail when anything is there, and the result is opened with links forbidden. */
static int walk_make(struct walk *walk, int parent_fd, const char *name, bool last, size_t at, size_t end)
{
    bool file = last && walk->kind == PATH_FILE;
    int made = file ? mknodat(parent_fd, name, S_IFREG | 0644, 0) : mkdirat(parent_fd, name, 0755);

    if (made < 0 && errno != EEXIST)
        return -errno;
    int fd = open_component(parent_fd, name);
    if (fd == -ELOOP)
        return walk_follow(walk, parent_fd, name, at, end);
    return fd;
}

static int walk_once(struct walk *walk)
{
    CLEANUP_FD int parent_fd = -1;
    bool making = false; /* from here on nothing existed before: no more lookups from the root */
    size_t at = 0;

    for (;;) {
        char name[NAME_MAX + 1], saved;
        while (walk->path[at] == '/')
            at++;
        if (walk->path[at] == '\0')
            break;
        size_t end = at + strcspn(walk->path + at, "/");
        if (end - at > NAME_MAX)
            return -ENAMETOOLONG;
        memcpy(name, walk->path + at, end - at);
        name[end - at] = '\0';
        bool last = walk->path[end + strspn(walk->path + end, "/")] == '\0';

        int fd = -ENOENT;
        if (!making) {
            saved = walk->path[end];
            walk->path[end] = '\0';
            fd = path_open(walk->root_fd, walk->path, walk->links);
            walk->path[end] = saved;
        }
        if (fd == -ENOENT) {
            if (strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
                return -ENOENT;
            making = true;
            fd = walk_make(walk, parent_fd >= 0 ? parent_fd : walk->root_fd, name, last, at, end);
        }
        if (fd < 0)
            return fd;
        fd_close(&parent_fd);
        parent_fd = fd;
        at = end;
    }
    return parent_fd >= 0 ? fd_steal(&parent_fd) : path_open(walk->root_fd, "", walk->links);
}

int path_make(int root_fd, const char *path, enum path_kind kind, enum path_links links)
{
    struct walk walk = {.root_fd = root_fd, .kind = kind, .links = links};
    int fd = path_open(root_fd, path, links);

    if (fd != -ENOENT)
        return fd;
    if (strlen(path) >= sizeof(walk.path))
        return -ENAMETOOLONG;
    memcpy(walk.path, path, strlen(path) + 1);
    do {
        walk.restart = false;
        fd = walk_once(&walk);
    } while (fd < 0 && walk.restart);
    return fd;
}

int path_make_parent(int root_fd, const char *path, enum path_links links, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    char parent[PATH_MAX];
    size_t length = slash ? (size_t) (slash - path) : 0;

    if (length >= sizeof(parent))
        return -ENAMETOOLONG;
    memcpy(parent, path, length);
    parent[length] = '\0';
    int fd = path_make(root_fd, parent, PATH_DIRECTORY, links);
    if (fd >= 0)
        *ret_name = slash ? slash + 1 : path;
    return fd;
}
