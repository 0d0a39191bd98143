/*
 * cgroups/mount.c: finds the cgroup2 mount and the caller's own place in it.
 *
 * Runs in host side processes.  Should: ask statfs(2), two calls at most.  Must not: read mountinfo (hosts have
 * tens of thousands of lines).
 */
#include "cgroups/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/kernel.h"
#include "base/text.h"

#define USER_NS_INITIAL 0xEFFFFFFDu /* PROC_USER_INIT_INO: part of the kernel's ABI since 3.8 */
#define OWN_FILE_MAX ((size_t)64 * 1024)

static const char *found_mount;

void mount_point_set_for_tests(const char *directory)
{
    found_mount = directory;
}

static bool is_cgroup2(const char *path)
{
    struct statfs st;
    return statfs(path, &st) == 0 && (unsigned long)st.f_type == CGROUP2_SUPER_MAGIC;
}

const char *cgroup_mount_point(struct failure *why)
{
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified" /* hybrid hosts */};
    for (size_t i = 0; !found_mount && i < ARRAY_LENGTH(places); i++)
        if (is_cgroup2(places[i]))
            found_mount = places[i];
    if (found_mount)
        return found_mount;
    fail(why, FAILURE_HOST, "there is no cgroup v2 file system at %s or %s", places[0], places[1]);
    failure_hint(
        why,
        "boot with the kernel parameter systemd.unified_cgroup_hierarchy=1, or give --cgroup-manager disabled to "
        "run without limits");
    return NULL;
}

int mount_open_root(struct failure *why)
{
    const char *mount = cgroup_mount_point(why);
    if (!mount)
        return -1;
    int fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? fail_sys(why, "open '%s'", mount) : fd;
}

int mount_open_path(int root_fd, const char *path)
{
    /* The path may come from a state file: nothing in it may lead out of the mount. */
    const char *below = path + strspn(path, "/");
    int fd = kernel_openat2(root_fd, *below ? below : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    return fd < 0 ? -errno : fd;
}

static bool in_initial_user_namespace(void)
{
    static enum { UNKNOWN, INITIAL, OTHER } place; /* no command goes into another one before its cgroups are done */
    struct stat st;
    /* Without user namespaces in the kernel there is no such file, and uid 0 is the host's. */
    if (place == UNKNOWN)
        place = stat("/proc/self/ns/user", &st) == 0 && st.st_ino != USER_NS_INITIAL ? OTHER : INITIAL;
    return place == INITIAL;
}

enum path_privilege mount_privilege(void)
{
    return geteuid() == 0 && in_initial_user_namespace() ? PATH_ROOT : PATH_ROOTLESS;
}

static char *read_path(const char *file, struct arena *arena)
{
    char *data;
    if (file_read_at(AT_FDCWD, file, OWN_FILE_MAX, arena, &data) < 0)
        return NULL;
    for (char *line = data; *line;) {
        size_t length = strcspn(line, "\n");
        if (text_starts(line, "0::/")) {
            char *path = arena_copy_n(arena, line + strlen("0::"), length - strlen("0::"));
            /* "/../x": the mount is that of another cgroup namespace. */
            return text_starts(path, "/..") ? NULL : path;
        }
        line += length + (line[length] == '\n');
    }
    return NULL;
}

char *mount_own_path(struct arena *arena)
{
    return read_path("/proc/self/cgroup", arena);
}

char *mount_path_of(pid_t pid, struct arena *arena)
{
    return read_path(arena_format(arena, "/proc/%d/cgroup", (int)pid), arena);
}

char *mount_delegated_path(int root_fd, const char *own, struct arena *arena)
{
    size_t length = strlen(own);
    for (size_t end = 1; end <= length; end++) {
        if (own[end] != '/' && own[end] != '\0')
            continue;
        char *path = arena_copy_n(arena, own, end);
        /* With the effective ids, as mkdir(2) will be; own is "/" in a cgroup namespace. */
        if (faccessat(root_fd, path[1] ? path + 1 : ".", W_OK, AT_EACCESS) == 0)
            return path;
    }
    return NULL;
}
