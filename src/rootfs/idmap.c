/*
 * rootfs/idmap.c: mounts that show other owners than the files have.
 *
 * Runs in: creator (MOUNT_ATTR_IDMAP wants CAP_SYS_ADMIN over the filesystem, and a tree that was never attached).
 * The kernel takes the mapping from a user namespace; a process that does nothing makes one and is gone again.
 */
#include "rootfs/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/text.h"
#include "rootfs/mount_calls.h"

/* A child in a new user namespace that waits to be killed.  Its pid or -errno. */
static pid_t holder_start(void)
{
    struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    pid_t parent = getpid();
    long pid = kernel_clone3(&args, sizeof(args));

    if (pid != 0)
        return pid < 0 ? -errno : (pid_t) pid;
    /* Must not outlive a creator that is killed here; a creator already gone is not waited for. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
    for (;;)
        pause();
}

static void holder_end(pid_t pid)
{
    (void) kill(pid, SIGKILL); /* our own child, not yet reaped: the pid is its */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static int map_write(pid_t pid, const char *file, const struct id_mappings *mappings)
{
    char path[64];
    struct text lines = {0};

    for (size_t i = 0; i < mappings->count; i++) {
        const struct id_mapping *item = &mappings->items[i];
        text_format(&lines, "%u %u %u\n", item->inside, item->host, item->size);
    }
    snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, file);
    int result = file_write_at(AT_FDCWD, path, lines.data, lines.length);
    text_done(&lines);
    return result;
}

static int user_ns_new(const struct id_mappings *uids, const struct id_mappings *gids)
{
    char path[64];
    pid_t pid = holder_start();
    int result;

    if (pid < 0)
        return pid;
    result = map_write(pid, "uid_map", uids);
    if (result == 0)
        result = map_write(pid, "gid_map", gids);
    if (result == 0) {
        snprintf(path, sizeof(path), "/proc/%d/ns/user", (int) pid);
        result = open(path, O_RDONLY | O_CLOEXEC);
        result = result < 0 ? -errno : result;
    }
    holder_end(pid);
    return result;
}

static int idmap_failed(const struct mount_step *step, int errnum, struct failure *why)
{
    fail_errno(why, errnum, "map the ids of '%s' mounted at '%s'", step->source, step->target_inside);
    if (errnum == -EINVAL || errnum == -EOPNOTSUPP)
        failure_hint(why, "the filesystem of the source, or one below it, does not support id-mapped mounts");
    else if (errnum == -EPERM)
        failure_hint(why, "id-mapped mounts need root outside of any user namespace");
    return failure_pointer(why, "/mounts/%zu", step->index);
}

/* The namespace that carries the mapping of this mount; the fd is the caller's. */
static int mapping_open(const struct rootfs *rootfs, const struct mount_step *step, int container_user_ns)
{
    int fd;

    if (step->uid_mappings)
        return user_ns_new(step->uid_mappings, step->gid_mappings);
    if (container_user_ns >= 0)
        return fd_duplicate(container_user_ns, 0);
    fd = open(rootfs->joined_user_ns_path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int idmap_apply(const struct rootfs *rootfs, const struct mount_step *step, int container_user_ns,
                       struct failure *why)
{
    if (step->tree_fd < 0)
        return idmap_failed(step, -EPERM, why);
    CLEANUP_FD int user_ns_fd = mapping_open(rootfs, step, container_user_ns);
    if (user_ns_fd < 0)
        return idmap_failed(step, user_ns_fd, why);
    int result = tree_change(step->tree_fd,
                             &(struct tree_change){.set = MOUNT_ATTR_IDMAP, .user_ns_fd = user_ns_fd},
                             step->options.idmap == IDMAP_TREE ? TREE_ALL : TREE_TOP);
    return result < 0 ? idmap_failed(step, result, why) : 0;
}

int idmap_probe(const struct rootfs *rootfs, const struct mount_step *step, struct failure *why)
{
    if (step->options.idmap == IDMAP_NONE || (rootfs->around.privileged && step->tree_fd < 0))
        return 0;
    return idmap_apply(rootfs, step, -1, why);
}

int rootfs_open_idmaps(struct rootfs *rootfs, int container_user_ns, struct failure *why)
{
    for (size_t i = 0; i < rootfs->mounts_count; i++)
        if (rootfs->mounts[i].options.idmap != IDMAP_NONE &&
            idmap_apply(rootfs, &rootfs->mounts[i], container_user_ns, why) < 0)
            return -1;
    return 0;
}
