/*
 * ns/network.c: a network namespace made by the creator while init builds the root filesystem.
 *
 * It takes the kernel longer to make than all other namespaces together, and init needs it only when it comes to sysfs, so on two
 * processors its time disappears.  Only where it belongs to the creator's user namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/shortcut.h"
#include "ns/ns.h"

#define OWN "/proc/self/ns/net"

void ns_network_prepare(struct ns_plan *plan)
{
    if (!(plan->new_flags & CLONE_NEWNET) || plan->new_user || plan->escort || !shortcut_permitted(SHORTCUT_NETWORK))
        return;
    plan->own_network = open(OWN, O_RDONLY | O_CLOEXEC);
    /* May we come back?  Not where ours belongs to a user namespace above ours. */
    if (plan->own_network < 0 || setns(plan->own_network, CLONE_NEWNET) < 0) {
        fd_close(&plan->own_network);
        return;
    }
    plan->late_network = true;
    plan->new_flags &= ~(uint64_t)CLONE_NEWNET;
}

static int explain(int errnum, struct failure *why)
{
    fail_errno(why, errnum, "make a network namespace");
    return errnum == ENOSPC ? failure_hint(why, "a limit on namespaces is reached: see /proc/sys/user/max_net_namespaces") : -1;
}

int ns_network_make(const struct ns_plan *plan, int *ret_network, struct failure *why)
{
    if (unshare(CLONE_NEWNET) < 0)
        return explain(errno, why);
    int r = ns_loopback_up(why);
    CLEANUP_FD int network = open(OWN, O_RDONLY | O_CLOEXEC);
    if (r == 0 && network < 0)
        r = fail_sys(why, "open the new network namespace");
    if (setns(plan->own_network, CLONE_NEWNET) < 0)
        r = fail_sys(why, "return to our own network namespace");
    if (r == 0)
        *ret_network = fd_steal(&network);
    return r;
}

int ns_network_enter(int network, struct failure *why)
{
    return setns(network, CLONE_NEWNET) < 0 ? fail_sys(why, "enter the network namespace") : 0;
}
