/*
 * rootfs/sources.c: what the container gets of the host's files: its root, the sources of binds, device nodes.
 *
 * All become detached clones at once, so that a path which the container's user cannot walk still works and no name
 * is looked up after the container's mounts begin: one that leads below the bundle's root would then lead through those mounts, and
 * show what the container put there (CVE-2025-31133).  One case is left: more sources than descriptors.  What does not
 * fit is looked up when its turn comes, and a source below the root gets a warning then.
 *
 * Runs in: creator, host mount namespace, when it may clone mounts; otherwise, and for what does not fit there, init, in
 * its own copy of the host's mount namespace before the root is attached in it.  Must not: attach anything.
 */
#include "rootfs/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/text.h"
#include "rootfs/mount_calls.h"

#define LINK_SIZE_LIMIT 4096
/* What creator and init need beside the trees: sockets, pidfds, contexts. */
#define SPARE_DESCRIPTORS 24

/* ---- root ---- */

int root_path_failed(const struct rootfs *rootfs, int errnum, struct failure *why)
{
    fail_errno(why, errnum, "open root filesystem '%s'", rootfs->root_path_host);
    if (errnum == -ENOENT || errnum == -ENOTDIR) {
        why->kind = FAILURE_CONFIG;
        failure_hint(why, "root.path must name an existing directory; a relative one counts from the bundle");
    } else if (errnum == -EACCES) {
        failure_hint(why, "every directory on the way to it must be searchable for the container's root user");
    }
    return failure_pointer(why, "/root/path");
}

int root_open(struct rootfs *rootfs, struct failure *why)
{
    /* The clone of a shared mount is its peer: before anything is mounted on it, it must stop telling the host. */
    uint64_t kind = rootfs->root_propagation.kind == MS_SLAVE ? MS_SLAVE : MS_PRIVATE;
    bool cloned;
    /* O_PATH|O_DIRECTORY first would say ENOTDIR for a file; the clone's type says the same with one call less. */
    CLEANUP_FD int root_fd = tree_clone_changed(AT_FDCWD, rootfs->root_path_host, &(struct tree_change){.propagation = kind}, TREE_ALL, &cloned);
    struct stat status;

    if (root_fd < 0 && cloned)
        return fail_errno(why, root_fd, "make root filesystem '%s' %s", rootfs->root_path_host, kind == MS_SLAVE ? "a slave" : "private");
    if (root_fd < 0)
        return root_path_failed(rootfs, root_fd, why);
    if (fstat(root_fd, &status) < 0)
        return root_path_failed(rootfs, -errno, why);
    if (!S_ISDIR(status.st_mode))
        return root_path_failed(rootfs, -ENOTDIR, why);
    rootfs->root_fd = fd_steal(&root_fd);
    return 0;
}

/* ---- binds ---- */

int source_failed(const struct rootfs *rootfs, const struct mount_step *step, int errnum,
                         struct failure *why)
{
    if (errnum != -ENOENT && errnum != -ENOTDIR)
        return explain_mount(why, rootfs, step, errnum, NULL);
    fail_errno(why, errnum, "bind '%s' at '%s'", step->source, step->target_inside);
    why->kind = FAILURE_CONFIG;
    failure_hint(why, "the source must exist on the host before the container is created");
    return failure_pointer(why, "/mounts/%zu/source", step->index);
}

/* One mount, or the same change for all: the recursive words, then the plain ones over them. */
static struct mount_attributes attributes_joined(const struct mount_options *options)
{
    const struct mount_attributes *tree = &options->tree, *top = &options->attributes;

    return (struct mount_attributes){
        .set = (tree->set & ~top->clear) | top->set,
        .clear = (tree->clear & ~top->set) | top->clear,
    };
}

/* As few calls as the kernel allows: each takes attributes and one propagation, for one mount or for all. */
struct attribute_calls {
    struct tree_change first, second; /* the second for the top; it may change nothing */
    enum tree_reach first_reach;
    size_t propagation_done; /* how many of step->propagation are in `first` */
};

static struct attribute_calls attribute_calls_of(const struct mount_step *step)
{
    const struct mount_options *options = &step->options;
    bool single = !options->recursive && step->kind == MOUNT_BIND, propagates = step->propagation_count > 0;
    struct attribute_calls calls = {.first = {.user_ns_fd = -1}, .second = {.user_ns_fd = -1}};

    if (single || (!options->tree.set && !options->tree.clear && !(propagates && step->propagation[0].recursive))) {
        struct mount_attributes joined = attributes_joined(options);
        calls.first_reach = TREE_TOP;
        calls.first.set = joined.set;
        calls.first.clear = joined.clear;
        calls.propagation_done = propagates;
    } else {
        calls.first_reach = TREE_ALL;
        calls.first.set = options->tree.set;
        calls.first.clear = options->tree.clear;
        calls.second.set = options->attributes.set;
        calls.second.clear = options->attributes.clear;
        calls.propagation_done = propagates && step->propagation[0].recursive;
    }
    if (calls.propagation_done)
        calls.first.propagation = step->propagation[0].kind;
    return calls;
}

/* Behind the first. */
static int attributes_set_rest(const struct mount_step *step, const struct attribute_calls *calls, int tree_fd)
{
    int result = tree_change(tree_fd, &calls->second, TREE_TOP);

    for (size_t i = calls->propagation_done; result == 0 && i < step->propagation_count; i++)
        result = tree_change(tree_fd, &(struct tree_change){.propagation = step->propagation[i].kind},
                             step->propagation[i].recursive ? TREE_ALL : TREE_TOP);
    return result;
}

static int attributes_failed(const struct mount_step *step, int result, struct failure *why)
{
    if (step->kind == MOUNT_REMOUNT)
        fail_errno(why, result, "remount '%s'", step->target_inside);
    else
        fail_errno(why, result, "set the options of '%s' mounted at '%s'", step->source ? step->source : "none",
                   step->target_inside);
    if (result == -EPERM)
        failure_hint(why, "an option takes away a restriction (ro, nosuid, nodev, noexec, noatime) that the source "
                          "has outside, which a user namespace must not do: leave that option out");
    else if (result == -EINVAL && step->kind == MOUNT_REMOUNT)
        failure_hint(why, "a remount needs a mount at this very place: an entry before this one");
    else if (result == -ENOSYS)
        failure_hint(why, "the kernel lacks mount_setattr(2): Linux 5.12 or later is needed");
    return failure_pointer(why, "/mounts/%zu/options", step->index);
}

int bind_attributes_set(const struct mount_step *step, int tree_fd, struct failure *why)
{
    struct attribute_calls calls = attribute_calls_of(step);
    int result = tree_change(tree_fd, &calls.first, calls.first_reach);

    if (result == 0)
        result = attributes_set_rest(step, &calls, tree_fd);
    return result < 0 ? attributes_failed(step, result, why) : 0;
}

/* copy-symlink: 1 when the source is a link and was read, 0 when it is not, -errno. */
static int source_read_link(struct rootfs *rootfs, struct mount_step *step)
{
    char target[LINK_SIZE_LIMIT];
    ssize_t length = readlink(step->source, target, sizeof(target));

    if (length < 0)
        return errno == EINVAL ? 0 : -errno;
    if ((size_t) length == sizeof(target))
        return -ENAMETOOLONG;
    step->link_target = arena_copy_n(rootfs->arena, target, (size_t) length);
    return 1;
}

/* CVE-2019-16884: what a bind puts over /proc must be a real procfs. */
static int source_check_procfs(const struct mount_step *step, int tree_fd, struct failure *why)
{
    struct statfs status;

    if (fstatfs(tree_fd, &status) < 0)
        return fail_sys(why, "examine '%s'", step->source);
    if (status.f_type == PROC_SUPER_MAGIC)
        return 0;
    fail(why, FAILURE_CONFIG, "bind '%s' at '/proc': the source is not a procfs", step->source);
    return failure_pointer(why, "/mounts/%zu/source", step->index);
}

int bind_source_open(struct rootfs *rootfs, struct mount_step *step, struct failure *why)
{
    if (step->options.copy_symlink) {
        int is_link = source_read_link(rootfs, step);
        if (is_link != 0)
            return is_link < 0 ? source_failed(rootfs, step, is_link, why) : 0;
    }
    struct attribute_calls calls = attribute_calls_of(step);
    enum tree_reach reach = step->options.recursive ? TREE_ALL : TREE_TOP;
    bool at_once = calls.first_reach == reach, cloned;
    const struct tree_change *change = at_once ? &calls.first : &(struct tree_change){0};
    CLEANUP_FD int tree_fd = tree_clone_changed(AT_FDCWD, step->source, change, reach, &cloned);
    if (tree_fd < 0)
        return cloned ? attributes_failed(step, tree_fd, why) : source_failed(rootfs, step, tree_fd, why);
    if (step->must_be_procfs && source_check_procfs(step, tree_fd, why) < 0)
        return -1;
    int result = at_once ? 0 : tree_change(tree_fd, &calls.first, calls.first_reach);
    if (result == 0)
        result = attributes_set_rest(step, &calls, tree_fd);
    if (result < 0)
        return attributes_failed(step, result, why);
    step->tree_fd = fd_steal(&tree_fd);
    return 0;
}

/* ---- devices ---- */

int host_device_clone(const char *path_host, mode_t type, dev_t number)
{
    CLEANUP_FD int device_fd = tree_clone(AT_FDCWD, path_host, TREE_TOP);
    struct stat status;

    if (device_fd < 0)
        return device_fd;
    if (fstat(device_fd, &status) < 0)
        return -errno;
    if ((status.st_mode & S_IFMT) != type || status.st_rdev != number)
        return -ENODEV;
    return fd_steal(&device_fd);
}

/* ---- the front ---- */

/* Without SELinux the kernel refuses "context=" as an unknown option; the label then means nothing (LABEL-01). */
void labels_drop_without_selinux(struct rootfs *rootfs)
{
    if (!rootfs->mount_label || access("/sys/fs/selinux/status", F_OK) == 0)
        return;
    log_debug("no SELinux here: the mount label is not used");
    rootfs->mount_label = NULL;
    for (size_t i = 0; i < rootfs->mounts_count; i++)
        rootfs->mounts[i].label = NULL;
}

/* ---- as many as there are descriptors for ---- */

struct descriptor_limits {
    uint64_t own;
    uint64_t init; /* of the process that mounts */
};

static uint64_t own_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : UINT64_MAX;
}

/* Init mounts under the container's own limit of open files. */
static uint64_t limit_of_init(const struct spec *spec)
{
    for (size_t i = 0; i < spec->process.rlimits_count; i++)
        if (text_equal(spec->process.rlimits[i].type, "RLIMIT_NOFILE"))
            return spec->process.rlimits[i].soft;
    return UINT64_MAX;
}

static bool is_spared(int fd, uint64_t limit)
{
    return limit > SPARE_DESCRIPTORS && (uint64_t) fd < limit - SPARE_DESCRIPTORS;
}

/* A descriptor numbered above init's limit serves it as well, and takes no room from those that init opens. */
static bool tree_make_fit(int *tree_fd, const struct descriptor_limits *limits)
{
    if (is_spared(*tree_fd, limits->init))
        return is_spared(*tree_fd, limits->own);
    if (limits->init >= limits->own)
        return false;
    int above_fd = fd_duplicate(*tree_fd, (int) limits->init);
    if (above_fd < 0)
        return false;
    fd_close(tree_fd);
    *tree_fd = above_fd;
    return is_spared(above_fd, limits->own);
}

static bool is_unopened(const struct mount_step *step)
{
    return step->kind == MOUNT_BIND && step->tree_fd < 0 && !step->link_target;
}

/* Only the creator can map ids: such a tree cannot wait, whether it leaves room or not. */
static int sources_open_mapped(struct rootfs *rootfs, const struct descriptor_limits *limits, struct failure *why)
{
    for (size_t i = 0; i < rootfs->mounts_count; i++) {
        struct mount_step *step = &rootfs->mounts[i];
        if (step->options.idmap == IDMAP_NONE || !is_unopened(step))
            continue;
        if (bind_source_open(rootfs, step, why) < 0)
            return -1;
        if (step->tree_fd >= 0)
            (void) tree_make_fit(&step->tree_fd, limits); /* it stays in any case */
    }
    return 0;
}

/* The process needs some to go on. */
static void give_descriptors_back(struct rootfs *rootfs, size_t opened)
{
    int spare = SPARE_DESCRIPTORS;

    for (size_t i = opened; i-- > 0 && spare > 0;) {
        struct mount_step *step = &rootfs->mounts[i];
        if (step->kind != MOUNT_BIND || step->tree_fd < 0 || step->options.idmap != IDMAP_NONE)
            continue;
        fd_close(&step->tree_fd);
        spare--;
    }
}

/* In order, up to the first that has no room. */
static int sources_open(struct rootfs *rootfs, const struct descriptor_limits *limits, struct failure *why)
{
    for (size_t i = 0; i < rootfs->mounts_count; i++) {
        struct mount_step *step = &rootfs->mounts[i];
        if (!is_unopened(step))
            continue;
        int result = bind_source_open(rootfs, step, why);
        if (result == 0 && (step->tree_fd < 0 || tree_make_fit(&step->tree_fd, limits)))
            continue;
        if (result < 0 && why->errnum != EMFILE)
            return -1;
        fd_close(&step->tree_fd);
        if (result < 0)
            give_descriptors_back(rootfs, i);
        *why = (struct failure){0};
        return 0;
    }
    return 0;
}

int rootfs_open(struct rootfs *rootfs, struct failure *why)
{
    labels_drop_without_selinux(rootfs);
    if (rootfs->entry == ROOT_CHROOT || !rootfs->around.privileged)
        return 0;
    if (root_open(rootfs, why) < 0) {
        if (why->errnum != EPERM)
            return -1;
        /* Capable in its user namespace, but the mount namespace is not that one's: init has one of its own. */
        *why = (struct failure){0};
        rootfs->around.privileged = false;
        return 0;
    }
    const struct descriptor_limits limits = {.own = own_limit(), .init = limit_of_init(rootfs->spec)};
    return sources_open_mapped(rootfs, &limits, why) < 0 ? -1 : sources_open(rootfs, &limits, why);
}

int sources_open_rest(struct rootfs *rootfs, struct failure *why)
{
    const uint64_t own = own_limit();
    const char *root = path_clean(rootfs->arena, rootfs->root_path_host);
    size_t late = 0;

    if (sources_open(rootfs, &(struct descriptor_limits){.own = own, .init = own}, why) < 0)
        return -1;
    for (size_t i = 0; i < rootfs->mounts_count; i++) {
        const struct mount_step *step = &rootfs->mounts[i];
        if (!is_unopened(step))
            continue;
        late++;
        if (path_is_below(path_clean(rootfs->arena, step->source), root))
            log_warning("bind '%s' at '%s': there are more mounts than RLIMIT_NOFILE allows descriptors: the source is looked up "
                        "below the container's mounts",
                        step->source, step->target_inside);
    }
    if (late > 0)
        log_debug("descriptors are used up: %zu sources are opened when their turn comes", late);
    return 0;
}
