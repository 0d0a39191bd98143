/*
 * ns/join.c: namespaces given by path: opened by the creator, joined by the escort or by init.
 *
 * With enter.c, which joins those of a live process, and network.c, which makes one for init, the only user of setns(2) and unshare(2).
 * Paths are host paths and are opened before anything of the container exists.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "ns/flags.h"
#include "ns/ns.h"

static int point_at(const struct ns_joined *joined, struct failure *why)
{
    return failure_pointer(why, "/linux/namespaces/%zu/path", joined->index);
}

static const char *type_of_flag(int flag)
{
    for (enum ns_type type = 0; type < NS_TYPES; type++)
        if ((int)ns_clone_flags[type] == flag)
            return ns_type_names[type];
    return "unknown";
}

/* Of /proc/PID/ns. */
static const char *file_name(enum ns_type type)
{
    return type == NS_NETWORK ? "net" : type == NS_MOUNT ? "mnt" : ns_type_names[type];
}

static bool is_own_namespace(int fd, enum ns_type type)
{
    char path[64];
    struct stat own, other;
    snprintf(path, sizeof(path), "/proc/self/ns/%s", file_name(type));
    return stat(path, &own) == 0 && fstat(fd, &other) == 0 && own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

static int open_joined(struct ns_joined *joined, struct failure *why)
{
    joined->fd = open(joined->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (joined->fd < 0) {
        fail_sys(why, "open %s namespace '%s'", ns_type_names[joined->type], joined->path);
        return point_at(joined, why);
    }
    int flag = ioctl(joined->fd, NS_GET_NSTYPE);
    if (flag < 0) {
        fail(why, FAILURE_CONFIG, "'%s' is not a namespace file", joined->path);
        failure_hint(why, "a namespace path looks like /proc/PID/ns/%s or a bind mount of it", file_name(joined->type));
        return point_at(joined, why);
    }
    if (flag != (int)ns_clone_flags[joined->type]) {
        fail(why, FAILURE_CONFIG, "'%s' is a namespace of type %s, not of type %s", joined->path, type_of_flag(flag),
             ns_type_names[joined->type]);
        return point_at(joined, why);
    }
    return 0;
}

int ns_open(struct ns_plan *plan, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return ns_open_all(plan, &first);
}

int ns_open_all(struct ns_plan *plan, struct findings *findings)
{
    for (size_t i = 0; i < plan->joined_count; i++) {
        struct ns_joined *joined = &plan->joined[i];
        if (found(findings, open_joined(joined, findings->why)) < 0)
            return -1;
        joined->own = is_own_namespace(joined->fd, joined->type);
        /* The kernel refuses joining the user namespace one is in already. */
        if (joined->type == NS_USER && joined->own) {
            fd_close(&joined->fd);
            ns_plan_drop(plan, i--);
        }
    }
    return 0;
}

bool ns_is_of_the_host(const struct ns_plan *plan, enum ns_type type)
{
    for (size_t i = 0; i < plan->joined_count; i++)
        if (plan->joined[i].type == type)
            return plan->joined[i].own;
    return !ns_is_new(plan, type);
}

void ns_close(struct ns_plan *plan)
{
    for (size_t i = 0; i < plan->joined_count; i++)
        fd_close(&plan->joined[i].fd);
    fd_close(&plan->own_network);
}

static int join(struct ns_joined *joined, struct failure *why)
{
    timeline_before_clock_change();
    if (setns(joined->fd, (int)ns_clone_flags[joined->type]) < 0) {
        int errnum = errno;
        fail_sys(why, "join %s namespace '%s'", ns_type_names[joined->type], joined->path);
        if (errnum == EPERM)
            failure_hint(why, "joining needs CAP_SYS_ADMIN in the user namespace that owns it");
        return point_at(joined, why);
    }
    timeline_after_clock_change();
    joined->done = true;
    fd_close(&joined->fd);
    return 0;
}

enum join_pass { BEFORE_USER, AFTER_USER, IN_INIT };

/* Init joins the cgroup namespace, when it is in its cgroup: with nsdelegate, as systemd mounts cgroup2, nobody inside
 * that namespace may put a child into a cgroup outside of its root (ENOENT).  A new user namespace has no power over it,
 * so it is joined before that one all the same. */
static bool waits_for_init(const struct ns_plan *plan, enum ns_type type)
{
    return type == NS_CGROUP && !plan->new_user;
}

/* Joins every namespace of the plan but the user namespace.  Before a user namespace is joined a refusal is no error:
 * there will be a second try with other privileges. */
static int join_pass(struct ns_plan *plan, enum join_pass pass, struct failure *why)
{
    for (size_t i = 0; i < plan->joined_count; i++) {
        struct ns_joined *joined = &plan->joined[i];
        if (joined->done || joined->type == NS_USER || (pass != IN_INIT && waits_for_init(plan, joined->type)))
            continue;
        if (join(joined, why) < 0 && !(pass == BEFORE_USER && plan->joined_user && why->errnum == EPERM))
            return -1;
    }
    return 0;
}

int ns_join_before_user(struct ns_plan *plan, struct failure *why)
{
    return join_pass(plan, BEFORE_USER, why);
}

int ns_join_user(struct ns_plan *plan, struct failure *why)
{
    for (size_t i = 0; i < plan->joined_count; i++)
        if (plan->joined[i].type == NS_USER && join(&plan->joined[i], why) < 0)
            return -1;
    if (plan->new_user && unshare(CLONE_NEWUSER) < 0) {
        fail_sys(why, "make a user namespace");
        return failure_hint(why, "see /proc/sys/user/max_user_namespaces and the host's policy for unprivileged user namespaces");
    }
    return 0;
}

int ns_join_after_user(struct ns_plan *plan, struct failure *why)
{
    return join_pass(plan, AFTER_USER, why);
}

int ns_join_all(struct ns_plan *plan, struct failure *why)
{
    return join_pass(plan, IN_INIT, why);
}

int ns_unshare_cgroup(struct failure *why)
{
    if (unshare(CLONE_NEWCGROUP) < 0)
        return fail_sys(why, "make a cgroup namespace");
    return 0;
}

/* ---- a socket of another network namespace ---- */

struct passage {
    int namespace_fd, socket;
};

static void __attribute__((noreturn)) go_through(void *arg)
{
    const struct passage *passage = arg;
    int fd;
    if (setns(passage->namespace_fd, CLONE_NEWNET) < 0 || (fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) < 0 ||
        dup3(fd, passage->socket, O_CLOEXEC) < 0)
        _exit(errno);
    close(fd); /* the table of descriptors is the creator's too */
    _exit(0);
}

int ns_open_socket_inside(int namespace_fd)
{
    /* The child shares our descriptors, so the socket needs no way back: it takes the place of ours. */
    struct passage passage = {namespace_fd, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
    struct ns_spawn spawn = {.flags = CLONE_FILES, .cgroup_fd = -1, .relation = NS_CHILD, .body = go_through, .arg = &passage};
    struct ns_child child;
    struct failure unimportant; /* we are plain */
    int status = 0;
    if (passage.socket < 0)
        return -errno;
    if (ns_spawn(&spawn, &child, &unimportant) < 0) {
        fd_close(&passage.socket);
        return -unimportant.errnum;
    }
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
        ;
    fd_close(&child.pidfd);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return passage.socket;
    fd_close(&passage.socket);
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

int ns_set_time_offsets(const struct ns_plan *plan, int proc_fd, struct failure *why)
{
    if (!plan->new_time_with_offsets)
        return 0;
    if (unshare(CLONE_NEWTIME) < 0)
        return fail_sys(why, "make a time namespace");
    char lines[256];
    size_t used = 0;
    const struct spec_linux *linux = plan->linux;
    if (linux->monotonic_offset.set)
        used += (size_t)snprintf(lines, sizeof(lines), "monotonic %lld %llu\n", (long long)linux->monotonic_offset.secs,
                                 (unsigned long long)linux->monotonic_offset.nanosecs);
    if (linux->boottime_offset.set)
        used += (size_t)snprintf(lines + used, sizeof(lines) - used, "boottime %lld %llu\n", (long long)linux->boottime_offset.secs,
                                 (unsigned long long)linux->boottime_offset.nanosecs);
    CLEANUP_FD int fd = kernel_openat2(proc_fd, "self/timens_offsets", O_WRONLY | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
    if (fd < 0 || write(fd, lines, used) < 0) {
        fail_sys(why, "set the clock offsets of the time namespace");
        failure_hint(why, "no clock may become negative or pass half of the 64-bit range");
        return failure_pointer(why, "/linux/timeOffsets");
    }
    return 0;
}
