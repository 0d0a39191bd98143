/*
 * rootfs/probe.c: what of a planned root this host would refuse, as far as that shows without building it.
 *
 * Runs in: check.  Clones trees and lets them go; must not attach anything.
 */
#include "rootfs/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

#define MODULES_LIMIT ((size_t)4 << 20) /* modules.dep of a distribution's kernel takes 700 KiB */

/* What tree_clone would say, where only init can clone. */
static int look_at(const char *path)
{
    CLEANUP_FD int fd = open(path, O_PATH | O_CLOEXEC);
    return fd < 0 ? -errno : 0;
}

static int probe_root(struct rootfs *rootfs, struct failure *why)
{
    struct stat status;
    if (rootfs->around.privileged && rootfs->entry != ROOT_CHROOT) {
        int result = root_open(rootfs, why);
        fd_close(&rootfs->root_fd);
        if (result == 0 || why->errnum != EPERM)
            return result;
        rootfs->around.privileged = false; /* as in rootfs_open */
    }
    if (stat(rootfs->root_path_host, &status) < 0)
        return root_path_failed(rootfs, -errno, why);
    return S_ISDIR(status.st_mode) ? 0 : root_path_failed(rootfs, -ENOTDIR, why);
}

static int probe_source(struct rootfs *rootfs, struct mount_step *step, struct failure *why)
{
    int r = look_at(step->source);
    if (rootfs->around.privileged && r != -ENOENT && r != -ENOTDIR)
        return bind_source_open(rootfs, step, why);
    /* A dangling link is copied as it is. */
    return r < 0 && !step->options.copy_symlink ? source_failed(rootfs, step, r, why) : 0;
}

/* ---- filesystem types ---- */

/* /proc/filesystems: "nodev\ttmpfs\n\text4\n" */
static bool is_listed(const char *list, const char *type, size_t length)
{
    for (const char *line = list; *line != '\0';) {
        size_t here = strcspn(line, "\n");
        const char *tab = memchr(line, '\t', here);
        if (tab != NULL && (size_t)(line + here - tab - 1) == length && memcmp(tab + 1, type, length) == 0)
            return true;
        line += here + (line[here] == '\n');
    }
    return false;
}

/* Read once, for the first mount that asks: the lists are long, and mounts can be many. */
struct filesystem_types {
    bool were_read;
    const char *listed;  /* NULL: cannot be known */
    const char *modules; /* NULL: cannot be known */
    bool any_loadable;   /* what `modules` would say of every type, where it is NULL */
    const char *last;    /* most ask for the type that the one before asked for */
    bool last_is_there;
};

/* The kernel asks modprobe(8) for "fs-TYPE"; only where no module of that name is installed is the answer known. */
static void modules_read(struct filesystem_types *types, struct arena *arena)
{
    struct utsname kernel;
    char *modules;
    types->any_loadable = true;
    if (uname(&kernel) < 0)
        return;
    const char *directory = arena_format(arena, "/lib/modules/%s", kernel.release);
    if (access("/lib/modules", F_OK) == 0 && file_read_at(-1, arena_format(arena, "%s/modules.dep", directory), MODULES_LIMIT, arena, &modules) >= 0)
        types->modules = modules;
    else
        types->any_loadable = access(directory, F_OK) == 0;
}

static void types_read(struct filesystem_types *types, struct arena *arena)
{
    char *listed;
    types->were_read = true;
    if (file_read_at(-1, "/proc/filesystems", MODULES_LIMIT, arena, &listed) >= 0)
        types->listed = listed;
    modules_read(types, arena);
}

static bool is_there(const struct filesystem_types *types, const char *type, struct arena *arena)
{
    size_t length = strcspn(type, "."); /* "fuse.sshfs" */
    if (types->listed == NULL || is_listed(types->listed, type, length))
        return true;
    return types->modules != NULL ? strstr(types->modules, arena_format(arena, "/%.*s.ko", (int)length, type)) != NULL : types->any_loadable;
}

static int probe_type(const struct mount_step *step, struct filesystem_types *types, struct arena *arena, struct failure *why)
{
    if (step->kind != MOUNT_FILESYSTEM || step->type == NULL)
        return 0;
    if (!types->were_read)
        types_read(types, arena);
    if (!text_equal(types->last, step->type)) {
        types->last = step->type;
        types->last_is_there = is_there(types, step->type, arena);
    }
    return types->last_is_there ? 0 : explain_unknown_type(why, step);
}

/* One tree at a time: a plan with more mounts than descriptors is as good as any. */
int rootfs_probe(struct rootfs *rootfs, struct findings *findings)
{
    struct filesystem_types types = {0};
    labels_drop_without_selinux(rootfs);
    if (rootfs->root_path_host != NULL && found(findings, probe_root(rootfs, findings->why)) < 0)
        return -1;
    for (size_t i = 0; i < rootfs->mounts_count; i++) {
        struct mount_step *step = &rootfs->mounts[i];
        if (step->kind != MOUNT_BIND) {
            if (found(findings, probe_type(step, &types, rootfs->arena, findings->why)) < 0)
                return -1;
            continue;
        }
        if (found(findings, probe_source(rootfs, step, findings->why)) < 0 ||
            found(findings, idmap_probe(rootfs, step, findings->why)) < 0)
            return -1;
        fd_close(&step->tree_fd);
    }
    for (size_t i = 0; i < rootfs->devices_count; i++)
        if (found(findings, device_probe(rootfs, &rootfs->devices[i], findings->why)) < 0)
            return -1;
    return 0;
}
