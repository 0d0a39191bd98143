/*
 * Harness: what a container may send to the creator.  The input is a row of packets, each after a header of three bytes:
 * the length (two bytes, the lower first) and how many descriptors go along (0 to 7).  Whatever is received is
 * tame: strings ended and clean, kinds in range, at most one descriptor.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "container/channel.h"
#include "fuzz.h"

#define PACKETS_MAX 8 /* what one socket queues without a reader */

static void must(bool good)
{
    if (!good)
        abort(); /* a finding */
}

static void send_packet(int channel, const uint8_t *bytes, size_t length, size_t count)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(7 * sizeof(int))];
    } control;
    memset(&control, 0, sizeof(control));
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        header.msg_control = &control;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
        for (size_t i = 0; i < count; i++)
            memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &channel, sizeof(int));
    }
    must(sendmsg(channel, &header, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length);
}

static void must_be_clean(const char *text, size_t size)
{
    char again[sizeof(((struct failure *)0)->text)];
    must(memchr(text, '\0', size) != NULL);
    text_sanitize(again, sizeof(again), text);
    must(strcmp(again, text) == 0);
}

static void must_be_tame(const struct message *message)
{
    must(message->kind < MESSAGE_KINDS);
    if (message->kind != MESSAGE_FAILED)
        return;
    must(message->failure.kind > FAILURE_NONE && message->failure.kind <= FAILURE_BUG);
    must(message->failure.exit_code >= 0 && message->failure.exit_code <= 255);
    must_be_clean(message->failure.text, sizeof(message->failure.text));
    must_be_clean(message->failure.pointer, sizeof(message->failure.pointer));
    must_be_clean(message->failure.hint, sizeof(message->failure.hint));
    char rendered[2048];
    failure_render(&message->failure, rendered, sizeof(rendered));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2], count = 0;
    struct failure why;
    must(channel_open(ends, &why) == 0);
    int next = dup(ends[0]); /* the lowest free number: a descriptor that is left open takes it */
    (void)close(next);
    while (size >= 3 && count < PACKETS_MAX) {
        size_t length = (size_t)data[0] | (size_t)data[1] << 8, fds = data[2] & 7;
        data += 3;
        size -= 3;
        if (length > size)
            length = size;
        send_packet(ends[0], data, length, fds);
        data += length;
        size -= length;
        count++;
    }
    must(shutdown(ends[0], SHUT_WR) == 0);
    for (; count >= 0; count--) { /* one more than were sent: end of file */
        struct message message;
        int fd = -1;
        int r = channel_receive(ends[1], -1, &message, &fd);
        must(r == 0 || r == -EPROTO);
        must(r == 0 || fd == -1);
        if (r == 0)
            must_be_tame(&message);
        if (count == 0)
            must(r == 0 && message.kind == MESSAGE_NONE && fd == -1);
        fd_close(&fd);
        int free_number = dup(ends[0]);
        must(free_number == next);
        (void)close(free_number);
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}
