/*
 * ns/enter.c: the namespaces of a live container, entered through the pidfd of its init.
 *
 * Runs in `exec`: ns_entry_look in the CLI process, the rest in its escort and in the joiner.  A pidfd instead of files
 * below /proc/PID/ns: one system call for all of them, all of one process, and never of one that was given its pid since.
 * Only which of them to enter is looked up by number, and believed when the pidfd says afterwards that init still lives.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/pid.h"
#include "ns/flags.h"
#include "ns/ns.h"

/* Of /proc/PID/ns. */
static const char *file_name(enum ns_type type)
{
    return type == NS_NETWORK ? "net" : type == NS_MOUNT ? "mnt" : ns_type_names[type];
}

/* 1 another one, 0 our own (or a type that this kernel does not know), -errno. */
static int differs(int own_fd, int other_fd, enum ns_type type)
{
    struct stat own, other;
    if (fstatat(own_fd, file_name(type), &own, 0) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstatat(other_fd, file_name(type), &other, 0) < 0)
        return -errno;
    return own.st_dev != other.st_dev || own.st_ino != other.st_ino;
}

/* A container that ends while it is entered is stopped, not broken. */
static int fail_ended(pid_t pid, struct failure *why)
{
    fail(why, FAILURE_STATE, "cannot exec in a stopped container: its process %d has just ended", (int)pid);
    why->errnum = ESRCH;
    return -1;
}

/* What was looked up by number is init's only if init lives after the look: the pid of a dead one is free, a process of the host
 * could have it, all "our own namespaces" would be none to enter, and the container's program would run on the host. */
int ns_entry_check(const struct ns_entry *entry, struct failure *why)
{
    int r = pid_wait_end(entry->pidfd, 0);
    if (r < 0)
        return fail_errno(why, r, "look whether the container's process %d lives", (int)entry->pid);
    return r > 0 ? fail_ended(entry->pid, why) : 0;
}

static int explain_look(pid_t pid, int errnum, struct failure *why)
{
    /* The links of one that has been collected meanwhile are refused with EACCES. */
    if (errnum == -ENOENT || errnum == -ESRCH || (errnum == -EACCES && pid_is_ending(pid)))
        return fail_ended(pid, why);
    fail_errno(why, errnum, "look at the namespaces of the container's process %d", (int)pid);
    if (errnum == -EACCES || errnum == -EPERM)
        return failure_hint(why, "only root and the user who made the container may enter it; without root privileges not "
                                 "before it is started");
    return -1;
}

/* A namespace that the container made is not our own, unless somebody calls us from inside of it: then joining it again is
 * allowed where the user namespace is the same, and changes nothing. */
static bool is_known(const struct spec_linux *linux, const struct ns_entry *entry, enum ns_type type)
{
    const struct spec_namespace *namespace = &linux->namespaces[type];
    return type != NS_USER && type != NS_MOUNT && namespace->listed && namespace->path == NULL && !(entry->left & CLONE_NEWUSER);
}

int ns_entry_look(const struct spec_linux *linux, pid_t pid, int pidfd, struct ns_entry *ret_entry, struct failure *why)
{
    struct ns_entry entry = {.pidfd = pidfd, .pid = pid};
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/ns", (int)pid);
    CLEANUP_FD int own = open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int other = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (own < 0 || other < 0)
        return explain_look(pid, -errno, why);
    int user = differs(own, other, NS_USER);
    if (user < 0)
        return explain_look(pid, user, why);
    entry.left = user > 0 ? CLONE_NEWUSER : 0;
    for (enum ns_type type = 0; type < NS_TYPES; type++) {
        int result = type == NS_USER ? 0 : is_known(linux, &entry, type) ? 1 : differs(own, other, type);
        if (result < 0)
            return explain_look(pid, result, why);
        if (result == 0)
            continue;
        entry.left |= ns_clone_flags[type];
    }
    if (ns_entry_check(&entry, why) < 0)
        return -1;
    entry.other_user = (entry.left & CLONE_NEWUSER) != 0;
    *ret_entry = entry;
    return 0;
}

static int explain_entry(const struct ns_entry *entry, int errnum, struct failure *why)
{
    if (errnum == ESRCH)
        return fail_ended(entry->pid, why);
    fail_errno(why, errnum, "join the namespaces of the container's process %d", (int)entry->pid);
    if (errnum == EPERM || errnum == EACCES)
        return failure_hint(why, "only root and the user who made the container may enter it");
    return -1;
}

/* ---- without an escort ---- */

#define OWN_PID "/proc/self/ns/pid"

/* setns to a pid namespace changes nothing for the caller, only for its next children. */
bool ns_entry_is_direct(const struct ns_entry *entry)
{
    if (entry->other_user || !(entry->left & CLONE_NEWPID))
        return !entry->other_user;
    CLEANUP_FD int own = open(OWN_PID, O_RDONLY | O_CLOEXEC);
    return own >= 0 && setns(own, CLONE_NEWPID) == 0;
}

int ns_entry_spawn(struct ns_entry *entry, const struct ns_spawn *spawn, struct ns_child *ret_child, struct failure *why)
{
    if (!(entry->left & CLONE_NEWPID))
        return ns_enter_for_children(entry, why) < 0 ? -1 : ns_spawn(spawn, ret_child, why);
    CLEANUP_FD int own = open(OWN_PID, O_RDONLY | O_CLOEXEC);
    if (own < 0)
        return fail_sys(why, "open our own pid namespace");
    if (ns_enter_for_children(entry, why) < 0)
        return -1;
    int r = ns_spawn(spawn, ret_child, why);
    entry->left |= CLONE_NEWPID; /* of the caller's: there may be a second try */
    if (setns(own, CLONE_NEWPID) < 0)
        return fail_sys(why, "return to our own pid namespace");
    return r;
}

/* ---- with an escort ---- */

int ns_enter_for_children(struct ns_entry *entry, struct failure *why)
{
    int flags = (int)(entry->left & CLONE_NEWPID);
    if (flags == 0)
        return ns_entry_check(entry, why); /* what setns would have said */
    /* From outside of the container's user namespace while our privileges suffice for that: then the clone into its
     * cgroup has them too.  Without them the user namespace is what gives the right. */
    int result = setns(entry->pidfd, flags);
    if (result < 0 && errno == EPERM && entry->other_user) {
        flags |= CLONE_NEWUSER;
        result = setns(entry->pidfd, flags);
    }
    if (result < 0)
        return explain_entry(entry, errno, why);
    entry->left &= ~(uint64_t)(unsigned)flags;
    return 0;
}

/* Files made from here on must have mapped owners: root where it is mapped.  Where it is not, the caller's own id is (an
 * ordinary user's single mapping), or the ids stay until the process takes its own; the capabilities do not depend on it. */
static int become_root(struct failure *why)
{
    if (setresgid(0, 0, 0) < 0 && errno != EINVAL && errno != EPERM)
        return fail_sys(why, "become group 0 in the user namespace");
    if (setresuid(0, 0, 0) < 0 && errno != EINVAL && errno != EPERM)
        return fail_sys(why, "become user 0 in the user namespace");
    return 0;
}

int ns_enter(struct ns_entry *entry, struct failure *why)
{
    int flags = (int)entry->left;
    if (flags == 0 && ns_entry_check(entry, why) < 0)
        return -1;
    timeline_before_clock_change();
    if (flags != 0 && setns(entry->pidfd, flags) < 0)
        return explain_entry(entry, errno, why);
    timeline_after_clock_change();
    entry->left = 0;
    return entry->other_user ? become_root(why) : 0;
}
