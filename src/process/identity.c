/*
 * process/identity.c: supplementary groups, gid, uid, umask of the container's process.
 *
 * Only numbers: no name is ever looked up here (CVE-2016-3697).
 *
 * Runs in: init, joiner.  Should: come after the bounding set is cut and before capset (CAP-11).
 */
#include "process/process.h"

#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int explain_unmapped(struct failure *why, const char *mappings)
{
    if (why->errnum == EINVAL)
        return failure_hint(why, "the id is not mapped in the container's user namespace: extend %s to cover it",
                            mappings);
    if (why->errnum == EPERM)
        return failure_hint(why, "changing ids needs CAP_SETUID and CAP_SETGID in the container's user namespace");
    return -1;
}

static int set_groups(const struct spec_user *user, struct failure *why)
{
    _Static_assert(sizeof(gid_t) == sizeof(user->additional_gids[0]), "gids are handed to the kernel as they are");
    if (setgroups(user->additional_gids_count, user->additional_gids) == 0)
        return 0;
    fail_sys(why, "set %zu supplementary groups", user->additional_gids_count);
    failure_pointer(why, "/process/user/additionalGids");
    return explain_unmapped(why, "/linux/gidMappings");
}

int identity_take(const struct spec_user *user, enum identity_groups groups, struct failure *why)
{
    /* setresuid away from 0 would empty the permitted set, which caps_settle cuts to size afterwards. */
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return fail_sys(why, "keep capabilities over the change of user");
    /* Groups first, user last: each step needs what the next one gives up. */
    if (groups == IDENTITY_GROUPS_SET && set_groups(user, why) < 0)
        return -1;
    if (setresgid(user->gid, user->gid, user->gid) < 0) {
        fail_sys(why, "become group %u", user->gid);
        failure_pointer(why, "/process/user/gid");
        return explain_unmapped(why, "/linux/gidMappings");
    }
    /* The filesystem uid and gid follow the effective ones by themselves (credentials(7)). */
    if (setresuid(user->uid, user->uid, user->uid) < 0) {
        fail_sys(why, "become user %u", user->uid);
        failure_pointer(why, "/process/user/uid");
        return explain_unmapped(why, "/linux/uidMappings");
    }
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
        return fail_sys(why, "end keeping capabilities");
    if (user->umask.set)
        (void)umask((mode_t)user->umask.value & 0777); /* cannot fail; returns the old one */
    return 0;
}
