/*
 * process/keyring.c: a session keyring of the container's own.
 *
 * Without it the container's processes possess the caller's session keyring, and with it the caller's keys.
 *
 * Runs in: init, inside its user namespace (a keyring belongs to the namespace that made it).
 */
#include "process/process.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/kernel.h"
#include "base/log.h"
#include "base/text.h"

#define KEY_USER_SEARCH 0x00080000u

/* Lets processes of the same user that do not possess the keyring (those that exec brings in) find keys in
 * it.  Its absence costs convenience, not safety: nothing is reported. */
static void allow_search(long keyring)
{
    char text[256] = "";
    /* "keyring;UID;GID;PERM;NAME" with PERM in hexadecimal. */
    long length = kernel_keyctl(KEYCTL_DESCRIBE, (unsigned long)keyring, (unsigned long)text, sizeof(text) - 1, 0);
    if (length < 0 || (size_t)length > sizeof(text) - 1)
        return;
    const char *field = text;
    for (int skip = 0; skip < 3; skip++) {
        field = strchr(field, ';');
        if (!field)
            return;
        field++;
    }
    unsigned long rights = strtoul(field, NULL, 16);
    if (!(rights & KEY_USER_SEARCH))
        (void)kernel_keyctl(KEYCTL_SETPERM, (unsigned long)keyring, rights | KEY_USER_SEARCH, 0, 0);
}

int keyring_join(const char *id, struct failure *why)
{
    char name[1024];
    int length = snprintf(name, sizeof(name), "_ses.%s", id);
    if (length < 0 || (size_t)length >= sizeof(name))
        return fail(why, FAILURE_BUG, "container id of %zu bytes is too long for a keyring name", strlen(id));
    long keyring = kernel_keyctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)name, 0, 0, 0);
    if (keyring >= 0) {
        allow_search(keyring);
        return 0;
    }
    switch (errno) {
    case EDQUOT:
        log_warning("no session keyring for the container, it shares the caller's: the quota of keys is used up "
                    "(see /proc/key-users, raise /proc/sys/kernel/keys/maxkeys or use --no-new-keyring)");
        return 0;
    case EPERM:
    case EACCES:
    case ENOSYS: /* no CONFIG_KEYS, or a sandbox around us */
    case ENOMEM:
        log_warning("no session keyring for the container, it shares the caller's: %s "
                    "(--no-new-keyring silences this)", text_errno(errno));
        return 0;
    default:
        return fail_sys(why, "join a new session keyring '%s'", name);
    }
}
