/*
 * container/escort.c: the throw-away process before init where the order of namespaces needs one (ns/ns.h).
 *
 * Runs in a child of the creator, in the host's mount namespace and pid namespace.  Holds what the creator
 * prepared.  Should only join, unshare and clone; must not touch the container's files.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "container/birth.h"
#include "container/channel.h"

static int await_go_on(struct birth *birth, struct failure *why)
{
    struct message message;
    int fd;
    int r = channel_receive(birth->init_channel, -1, &message, &fd);
    fd_close(&fd);
    if (r < 0 || message.kind != MESSAGE_GO_ON)
        return fail(why, FAILURE_BUG, "the creator went away");
    return message.value;
}

static int make_user_namespace(struct birth *birth, struct failure *why)
{
    if (ns_join_user(&birth->namespaces, why) < 0)
        return -1;
    if (!birth->namespaces.new_user)
        return 0;
    int r = channel_send(birth->init_channel, MESSAGE_WANT_ID_MAPS, 0, -1);
    if (r < 0)
        return fail_errno(why, r, "ask for the id maps");
    return await_go_on(birth, why);
}

static int spawn_init(struct birth *birth, struct failure *why)
{
    /* Init may be born into a pid namespace where others live: from its first instruction it must not be ptraced
     * nor its descriptors looked at (CVE-2016-9962).  Dumpability is inherited. */
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        return fail_sys(why, "become non-dumpable");
    struct ns_spawn spawn = {
        .flags = birth->namespaces.new_flags,
        .cgroup_fd = birth->attach ? -1 : birth->cgroup.fd,
        .relation = NS_SIBLING,
        .track = TIMELINE_INIT,
        .body = init_main,
        .arg = birth,
        .pid_note = &birth->words->cloned,
    };
    atomic_store(&birth->words->stage, STAGE_UNBORN);
    timeline_mark(TIMELINE_STAGE, STAGE_UNBORN);
    struct ns_child child;
    if (ns_spawn(&spawn, &child, why) < 0)
        return -1;
    int r = channel_send(birth->init_channel, MESSAGE_SPAWNED, child.pid, -1);
    return r < 0 ? fail_errno(why, r, "tell the creator about init") : 0;
}

static int escort_run(struct birth *birth, struct failure *why)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return fail_sys(why, "tie the escort's life to the creator's");
    if (await_go_on(birth, why) < 0 || ns_join_before_user(&birth->namespaces, why) < 0 || make_user_namespace(birth, why) < 0 ||
        ns_join_after_user(&birth->namespaces, why) < 0 || ns_set_time_offsets(&birth->namespaces, birth->proc_fd, why) < 0)
        return -1;
    return spawn_init(birth, why);
}

void escort_main(void *argument)
{
    struct birth *birth = argument;
    struct failure why;
    fd_close(&birth->channel);
    atomic_store(&birth->words->stage, STAGE_JOIN);
    timeline_mark(TIMELINE_STAGE, STAGE_JOIN);
    if (escort_run(birth, &why) == 0) {
        timeline_mark(TIMELINE_DONE, 0);
        _exit(0);
    }
    timeline_mark(TIMELINE_FAILED, 0);
    /* If even this fails the creator sees end of file and explains that. */
    IGNORE_RESULT(channel_send_failure(birth->init_channel, &why));
    _exit(1);
}
