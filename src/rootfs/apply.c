/*
 * rootfs/apply.c: carries the plan out.
 *
 * Runs in: init, in its new mount namespace, before the root switch.  Every mount is made detached, dressed with
 * its attributes and propagation, filled where needed, and only then attached to a target that is an fd.
 */
#include "rootfs/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/text.h"
#include "base/timeline.h"
#include "rootfs/mount_calls.h"

/* ---- targets ---- */

/* Reached through a link, a mount point must not be in a procfs: the plan has checked the words only. */
static int target_check_not_proc(const struct mount_step *step, int target_fd, struct failure *why)
{
    struct statfs status;

    if (fstatfs(target_fd, &status) < 0)
        return fail_sys(why, "examine the mount point '%s'", step->target_inside);
    if (status.f_type != PROC_SUPER_MAGIC)
        return 0;
    fail(why, FAILURE_CONFIG, "'%s' cannot be mounted over: a symbolic link leads it into /proc",
         step->target_inside);
    return failure_pointer(why, "/mounts/%zu/destination", step->index);
}

/* The mount point as an fd; made when missing, as a directory or an empty file like the tree that comes there: 1, 0 when it was there,
 * -1 with *why. */
static int target_open(const struct rootfs *rootfs, const struct mount_step *step, enum path_kind kind, int *ret_fd,
                       struct failure *why)
{
    /* Without links the words are the place.  So the common case needs no further look at where it ended. */
    CLEANUP_FD int target_fd = path_open(rootfs->root_fd, step->target_inside, PATH_NO_LINKS);
    bool through_link = target_fd == -ELOOP && step->target_links == PATH_LINKS_INSIDE;

    if (through_link)
        target_fd = path_open(rootfs->root_fd, step->target_inside, PATH_LINKS_INSIDE);
    bool missing = target_fd == -ENOENT;
    if (missing)
        target_fd = path_make(rootfs->root_fd, step->target_inside, kind, step->target_links);
    if (target_fd < 0)
        return explain_target(why, step, target_fd);
    if (through_link && target_check_not_proc(step, target_fd, why) < 0)
        return -1;
    *ret_fd = fd_steal(&target_fd);
    return missing;
}

static enum path_kind tree_kind(int tree_fd)
{
    struct stat status;

    return fstat(tree_fd, &status) == 0 && !S_ISDIR(status.st_mode) ? PATH_FILE : PATH_DIRECTORY;
}

static int step_attach(const struct rootfs *rootfs, struct mount_step *step, int target_fd, struct failure *why)
{
    int result = tree_attach(step->tree_fd, target_fd);

    /* Kernels differ in what they call a file over a directory. */
    if (result == -EINVAL && tree_kind(step->tree_fd) != tree_kind(target_fd))
        result = -ENOTDIR;
    if (result < 0)
        return explain_mount(why, rootfs, step, result, NULL);
    if (!step->seal_read_only)
        fd_close(&step->tree_fd);
    return 0;
}

/* ---- binds ---- */

/* The source was a symbolic link and is to be one in the container; what is there already stays. */
static int link_copy(const struct rootfs *rootfs, const struct mount_step *step, struct failure *why)
{
    const char *name;
    CLEANUP_FD int parent_fd = path_make_parent(rootfs->root_fd, step->target_inside, PATH_LINKS_INSIDE, &name);

    if (parent_fd < 0)
        return explain_target(why, step, parent_fd);
    if (symlinkat(step->link_target, parent_fd, name) == 0 || errno == EEXIST)
        return 0;
    fail_sys(why, "copy the symbolic link '%s' to '%s'", step->source, step->target_inside);
    return failure_pointer(why, "/mounts/%zu", step->index);
}

static int step_bind(struct rootfs *rootfs, struct mount_step *step, struct failure *why)
{
    CLEANUP_FD int target_fd = -1;

    /* Open already, unless there were more than descriptors: see sources.c. */
    if (step->tree_fd < 0 && !step->link_target && bind_source_open(rootfs, step, why) < 0)
        return -1;
    if (step->link_target)
        return link_copy(rootfs, step, why);
    /* What kind it is matters only where the mount point has to be made: most exist. */
    target_fd = path_open(rootfs->root_fd, step->target_inside, PATH_NO_LINKS);
    if (target_fd < 0 && target_open(rootfs, step, tree_kind(step->tree_fd), &target_fd, why) < 0)
        return -1;
    return step_attach(rootfs, step, target_fd, why);
}

/* ---- filesystems ---- */

static struct filesystem filesystem_of(const struct mount_step *step)
{
    return (struct filesystem){
        .type = step->kind == MOUNT_CGROUP ? "cgroup2" : step->type,
        .source = step->source && *step->source ? step->source : NULL,
        .label = step->label,
        .mode = -1,
        .attributes = step->options.attributes.set | step->options.tree.set,
        .superblock = step->options.superblock_set,
        .data = &step->options.data,
    };
}

static int filesystem_failed(const struct rootfs *rootfs, const struct mount_step *step, int errnum,
                             const struct filesystem_trouble *trouble, struct failure *why)
{
    char detail[sizeof(trouble->words) + sizeof(trouble->key) + 32] = "";

    if (trouble->unknown_type) {
        return explain_unknown_type(why, step);
    }
    if (trouble->key[0])
        snprintf(detail, sizeof(detail), "option '%s'%s%s", trouble->key, trouble->words[0] ? ": " : "",
                 trouble->words);
    else if (trouble->words[0])
        snprintf(detail, sizeof(detail), "%s", trouble->words);
    explain_mount(why, rootfs, step, errnum, detail[0] ? detail : NULL);
    if (trouble->key[0] && strcmp(trouble->key, "source") != 0) {
        why->kind = FAILURE_CONFIG;
        return failure_pointer(why, "/mounts/%zu/options", step->index);
    }
    return -1;
}

/* The covered directory as a readable fd, for copy-up: the same directory that target_fd holds. */
static int copy_up_covered(const struct mount_step *step, int target_fd, struct failure *why)
{
    CLEANUP_FD int from_fd = kernel_openat2(target_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                                            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    int result = from_fd < 0 ? -errno : copy_up(from_fd, step->tree_fd);

    if (result == 0)
        return 0;
    fail_errno(why, result, "copy the content of '%s' into the tmpfs that covers it", step->target_inside);
    if (result == -ENOSPC)
        failure_hint(why, "give the tmpfs a larger size= or nr_inodes=");
    return failure_pointer(why, "/mounts/%zu", step->index);
}

/* Everything between a new filesystem and its attaching. */
static int tree_prepare(struct rootfs *rootfs, struct mount_step *step, int target_fd, struct failure *why)
{
    if (step->is_dev && devices_fill_new_dev(rootfs, step->tree_fd, why) < 0)
        return -1;
    if (step->options.copy_up && copy_up_covered(step, target_fd, why) < 0)
        return -1;
    for (size_t i = 0; i < step->propagation_count; i++) {
        int result = tree_change(step->tree_fd, &(struct tree_change){.propagation = step->propagation[i].kind},
                                 TREE_TOP);
        if (result < 0)
            return explain_mount(why, rootfs, step, result, "set the propagation");
    }
    return 0;
}

/* MNT-24: where the kernel refuses procfs or sysfs to this user namespace, the host's own is what the container
 * shares anyway.  For sysfs everything in it is made read-only, with the cgroup mount below it: rootless, the
 * host's /sys/fs/cgroup would otherwise be writable (CVE-2023-25809). */
static int host_tree_instead(struct rootfs *rootfs, struct mount_step *step)
{
    bool sysfs = text_equal(step->type, "sysfs");
    bool host_pids_proc = text_equal(step->type, "proc") && !rootfs->new_pid_ns;

    if (!sysfs && !host_pids_proc)
        return -EPERM;
    CLEANUP_FD int tree_fd = tree_clone(AT_FDCWD, sysfs ? "/sys" : "/proc", TREE_ALL);
    if (tree_fd < 0)
        return tree_fd;
    uint64_t set = (step->options.attributes.set | step->options.tree.set) & ~(uint64_t) MOUNT_ATTR__ATIME;
    int result = tree_change(tree_fd,
                             &(struct tree_change){
                                 .set = set | (sysfs ? MOUNT_ATTR_RDONLY : 0),
                                 .propagation = MS_PRIVATE,
                             },
                             TREE_ALL);
    if (result < 0)
        return result;
    log_debug("%s is refused here: the host's is bound instead", step->type);
    return fd_steal(&tree_fd);
}

static int filesystem_make(struct rootfs *rootfs, struct mount_step *step, const struct filesystem *filesystem,
                           struct failure *why)
{
    struct filesystem_trouble trouble;

    int tree_fd = filesystem_new(filesystem, &trouble);
    if (tree_fd == -EPERM || tree_fd == -EACCES) {
        int instead_fd = host_tree_instead(rootfs, step);
        tree_fd = instead_fd >= 0 ? instead_fd : tree_fd;
    }
    if (tree_fd < 0)
        return filesystem_failed(rootfs, step, tree_fd, &trouble, why);
    step->tree_fd = tree_fd;
    return 0;
}

/* mount(2) attaches at once: what the new way does before that is done after it.  Nobody else is in this mount
 * namespace yet to see the difference. */
static int step_mount_classic(struct rootfs *rootfs, struct mount_step *step, const struct filesystem *filesystem,
                              int target_fd, struct failure *why)
{
    int result = filesystem_mount(filesystem, target_fd);
    const struct filesystem_trouble trouble = {.unknown_type = result == -ENODEV};

    if (result < 0)
        return filesystem_failed(rootfs, step, result, &trouble, why);
    step->tree_fd = path_open(rootfs->root_fd, step->target_inside, step->target_links);
    if (step->tree_fd < 0)
        return explain_target(why, step, step->tree_fd);
    result = tree_change(step->tree_fd, &(struct tree_change){.set = filesystem->attributes & MOUNT_ATTR_RDONLY},
                         TREE_TOP);
    if (result < 0)
        return explain_mount(why, rootfs, step, result, "make it read-only");
    if (tree_prepare(rootfs, step, target_fd, why) < 0)
        return -1;
    if (!step->seal_read_only)
        fd_close(&step->tree_fd);
    return 0;
}

/* Those that are known not to ask for it. */
static bool shows_network(const char *type)
{
    static const char *const others[] = {"proc", "tmpfs", "devpts", "mqueue", "overlay", "ramfs"};

    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if (text_equal(type, others[i]))
            return false;
    return true;
}

static int meet_network(struct rootfs *rootfs, struct failure *why)
{
    const struct rootfs_need *network = rootfs->network;

    rootfs->network = NULL;
    return network->meet(network->arg, why);
}

/* So that a tmpfs on it is the same the next time, when the directory is there already.  Where it cannot be, it is the first time only. */
static void open_to_everybody(int made_fd)
{
    CLEANUP_FD int fd = kernel_openat2(made_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

    if (fd >= 0)
        IGNORE_RESULT(fchmod(fd, 01777));
}

/* A tmpfs without mode= takes that of the directory which it covers, one that covers none the kernel's own, 1777; /dev is no
 * place for everybody to write to. */
static int mode_of(const struct mount_step *step, int target_fd, bool was_missing)
{
    struct stat covered;

    if (!step->take_mode)
        return -1;
    if (was_missing && !step->is_dev)
        open_to_everybody(target_fd);
    if (was_missing)
        return step->is_dev ? 0755 : -1;
    return fstat(target_fd, &covered) == 0 ? (int) (covered.st_mode & 07777) : -1;
}

static int step_filesystem(struct rootfs *rootfs, struct mount_step *step, struct failure *why)
{
    struct filesystem filesystem = filesystem_of(step);
    CLEANUP_FD int target_fd = -1;

    if (rootfs->network != NULL && shows_network(step->type) && meet_network(rootfs, why) < 0)
        return -1;
    int made = target_open(rootfs, step, PATH_DIRECTORY, &target_fd, why);
    if (made < 0)
        return -1;
    filesystem.mode = mode_of(step, target_fd, made > 0);
    if (filesystem_needs_mount(&filesystem))
        return step_mount_classic(rootfs, step, &filesystem, target_fd, why);
    if (filesystem_make(rootfs, step, &filesystem, why) < 0 || tree_prepare(rootfs, step, target_fd, why) < 0)
        return -1;
    return step_attach(rootfs, step, target_fd, why);
}

/* ---- cgroup ---- */

/* A bind of the host's cgroup2 mount: of all of it as every runtime shows it to a privileged container without a
 * cgroup namespace, of the container's own cgroup in a user namespace.  Mounting cgroup2 anew from the first
 * cgroup namespace instead would reset the options (nsdelegate …) of the host's mount. */
static int cgroup_bind_open(const struct rootfs *rootfs, const struct mount_step *step)
{
    const struct rootfs_surroundings *around = &rootfs->around;
    bool own_only = (rootfs->in_user_ns || rootfs->own_cgroup_ns || !around->privileged) && around->cgroup_path;

    if (!around->cgroup_mount)
        return -ENODEV;
    const char *source = own_only ? arena_format(rootfs->arena, "%s%s", around->cgroup_mount, around->cgroup_path)
                                  : around->cgroup_mount;
    CLEANUP_FD int tree_fd = tree_clone(AT_FDCWD, source, TREE_TOP);
    if (tree_fd < 0)
        return tree_fd;
    /* Only restrictions: what the host's mount forbids stays forbidden. */
    uint64_t set = (step->options.attributes.set | step->options.tree.set) & ~(uint64_t) MOUNT_ATTR__ATIME;
    int result = tree_change(tree_fd, &(struct tree_change){.set = set, .propagation = MS_PRIVATE}, TREE_TOP);
    return result < 0 ? result : fd_steal(&tree_fd);
}

static int cgroup_make(const struct rootfs *rootfs, struct mount_step *step, struct failure *why)
{
    struct filesystem filesystem = filesystem_of(step);
    struct filesystem_trouble trouble = {0};
    int tree_fd = -EPERM;

    if (rootfs->own_cgroup_ns)
        tree_fd = filesystem_new(&filesystem, &trouble);
    if (tree_fd == -EPERM || tree_fd == -EBUSY || tree_fd == -EACCES) {
        int bind_fd = cgroup_bind_open(rootfs, step);
        if (bind_fd == -ENODEV) {
            explain_mount(why, rootfs, step, bind_fd, "the host has no cgroup2 mount");
            return failure_hint(why, "mount cgroup2 at /sys/fs/cgroup on the host, or remove this mount");
        }
        tree_fd = bind_fd;
    }
    if (tree_fd < 0)
        return filesystem_failed(rootfs, step, tree_fd, &trouble, why);
    step->tree_fd = tree_fd;
    return 0;
}

static int step_cgroup(struct rootfs *rootfs, struct mount_step *step, struct failure *why)
{
    CLEANUP_FD int target_fd = -1;

    if (target_open(rootfs, step, PATH_DIRECTORY, &target_fd, why) < 0 || cgroup_make(rootfs, step, why) < 0 ||
        tree_prepare(rootfs, step, target_fd, why) < 0)
        return -1;
    return step_attach(rootfs, step, target_fd, why);
}

/* ---- remount ---- */

/* With bind only the mount changes; without, also the filesystem's options, but never whether the filesystem is
 * read-only: it may be one that the host uses too, and the read-only mount is what the container sees. */
static int step_remount(struct rootfs *rootfs, struct mount_step *step, struct failure *why)
{
    const struct mount_options *options = &step->options;
    struct filesystem filesystem = filesystem_of(step);
    struct filesystem_trouble trouble;
    CLEANUP_FD int target_fd = path_open(rootfs->root_fd, step->target_inside, PATH_LINKS_INSIDE);

    if (target_fd < 0)
        return explain_mount(why, rootfs, step, target_fd, NULL);
    if (bind_attributes_set(step, target_fd, why) < 0)
        return -1;
    filesystem.source = NULL;
    filesystem.superblock &= ~(unsigned) SUPERBLOCK_READ_ONLY;
    filesystem.superblock_clear = options->superblock_clear & ~(unsigned) SUPERBLOCK_READ_ONLY;
    if (options->bind || (!filesystem.superblock && !filesystem.superblock_clear && !options->data.count))
        return 0;
    int result = filesystem_change(target_fd, &filesystem, &trouble);
    return result < 0 ? filesystem_failed(rootfs, step, result, &trouble, why) : 0;
}

/* ---- the front ---- */

static int step_apply(struct rootfs *rootfs, struct mount_step *step, struct failure *why)
{
    TIMELINE_SLICE(SLICE_MOUNT, step->target_inside);
    switch (step->kind) {
    case MOUNT_BIND:
        return step_bind(rootfs, step, why);
    case MOUNT_FILESYSTEM:
        return step_filesystem(rootfs, step, why);
    case MOUNT_CGROUP:
        return step_cgroup(rootfs, step, why);
    case MOUNT_REMOUNT:
        return step_remount(rootfs, step, why);
    }
    return fail(why, FAILURE_BUG, "mount step of unknown kind %d", (int) step->kind);
}

static int steps_apply(struct rootfs *rootfs, struct failure *why)
{
    for (size_t i = 0; i < rootfs->mounts_count; i++)
        if (step_apply(rootfs, &rootfs->mounts[i], why) < 0)
            return -1;
    return rootfs->entry == ROOT_PIVOT ? devices_make(rootfs, why) : 0;
}

int rootfs_mount(struct rootfs *rootfs, const struct rootfs_need *network, struct failure *why)
{
    rootfs->network = network;
    if (root_attach(rootfs, why) < 0)
        return -1;
    /* Modes of nodes, placeholders and mount points are exact, without a chmod for each. */
    mode_t saved = umask(0);
    int result = steps_apply(rootfs, why);
    umask(saved);
    return result;
}

static int seal_mounts(struct rootfs *rootfs, struct failure *why)
{
    for (size_t i = 0; i < rootfs->mounts_count; i++) {
        struct mount_step *step = &rootfs->mounts[i];
        if (!step->seal_read_only || step->tree_fd < 0)
            continue;
        int result = tree_change(step->tree_fd, &(struct tree_change){.set = MOUNT_ATTR_RDONLY}, TREE_TOP);
        if (result < 0)
            return explain_mount(why, rootfs, step, result, "make it read-only");
        fd_close(&step->tree_fd);
    }
    return 0;
}

/* A working directory that is missing, while it still can be made: engines expect that.  Who enters it says why it cannot be
 * entered. */
static void directory_make(const struct rootfs *rootfs)
{
    const struct spec_process *process = &rootfs->spec->process;
    if (!process->set || process->cwd == NULL)
        return;
    int fd = path_open(rootfs->root_fd, process->cwd, PATH_LINKS_INSIDE);
    if (fd == -ENOENT)
        fd = path_make(rootfs->root_fd, process->cwd, PATH_DIRECTORY, PATH_LINKS_INSIDE);
    fd_close(&fd);
}

int rootfs_seal(struct rootfs *rootfs, struct failure *why)
{
    /* Read-only before masks: a read-only clone made after would be of the mask, and one above it would hide it. */
    if (read_only_paths_apply(rootfs, why) < 0 || masks_apply(rootfs, why) < 0 || seal_mounts(rootfs, why) < 0)
        return -1;
    if (!rootfs->root_read_only)
        return 0;
    directory_make(rootfs);
    /* The mount, not the filesystem: the host's copy stays writable. */
    int result = tree_change(rootfs->root_fd, &(struct tree_change){.set = MOUNT_ATTR_RDONLY}, TREE_TOP);
    if (result == 0)
        return 0;
    fail_errno(why, result, "make the root filesystem read-only");
    return failure_pointer(why, "/root/readonly");
}

void rootfs_close(struct rootfs *rootfs)
{
    for (size_t i = 0; i < rootfs->mounts_count; i++)
        fd_close(&rootfs->mounts[i].tree_fd);
    fd_close(&rootfs->root_fd);
    fd_close(&rootfs->null_fd);
    fd_close(&rootfs->mask_fd);
}
