/*
 * tests/helpers/dying_escort.c: an escort that is killed at its worst moment: it has cloned, and has told nobody.
 *
 * Linked into the runtime with --wrap.
 */
#include <signal.h>

#include "container/channel.h"

int __real_channel_send(int channel, enum message_kind kind, int32_t value, int fd);
int __wrap_channel_send(int channel, enum message_kind kind, int32_t value, int fd);

int __wrap_channel_send(int channel, enum message_kind kind, int32_t value, int fd)
{
    if (kind == MESSAGE_SPAWNED)
        (void)raise(SIGKILL);
    return __real_channel_send(channel, kind, value, fd);
}
