/*
 * container/joiner.c: the recipes of exec's escort and of the joiner, the process that becomes one more program in a live
 * container.
 *
 * Runs in a child of the CLI process each.  The container's processes may be hostile and see the joiner from its first
 * instruction: it is not dumpable, so they can neither trace it nor look at what it holds (CVE-2016-9962), and holds no
 * directory of the host but /proc when it comes to their files (CVE-2024-21626).  Must not load libraries, look up users, or print.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "container/become.h"
#include "container/channel.h"
#include "container/joining.h"

/* Of the CLI process alone. */
static void close_foreign(struct joining *joining)
{
    fd_close(&joining->channel);
    fd_close(&joining->directory.fd);
    fd_close(&joining->directory.root_fd);
    fd_close(&joining->console_socket);
    fd_close(&joining->binary_mount);
}

/* ---- escort ---- */

/* Both are lost with a change of the user namespace.  Dumpability is inherited by the joiner. */
static int hide_and_tie(struct failure *why)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return fail_sys(why, "tie our life to the runtime's");
    return prctl(PR_SET_DUMPABLE, 0) < 0 ? fail_sys(why, "become non-dumpable") : 0;
}

static int spawn_joiner(struct joining *joining, struct failure *why)
{
    struct ns_spawn spawn = {
        .cgroup_fd = joining->attach ? -1 : joining->cgroup_fd,
        .relation = NS_SIBLING,
        .track = TIMELINE_JOINER,
        .body = joiner_main,
        .arg = joining,
        .pid_note = &joining->words->cloned,
    };
    struct ns_child child;
    atomic_store(&joining->words->stage, STAGE_UNBORN);
    timeline_mark(TIMELINE_STAGE, STAGE_UNBORN);
    if (ns_spawn(&spawn, &child, why) < 0)
        return -1;
    int r = channel_send(joining->joiner_channel, MESSAGE_SPAWNED, child.pid, -1);
    return r < 0 ? fail_errno(why, r, "tell the runtime about the process") : 0;
}

static int escort_run(struct joining *joining, struct failure *why)
{
    const struct spec_process *process = &joining->spec.process;
    /* Our own files in /proc belong to root once we are not dumpable, which the caller need not be: the score comes first.  So
     * does `initial`: before the move into the container's cgroup (config.md, execCPUAffinity). */
    if (limits_set_oom_score(joining->proc_fd, 0, process, why) < 0 || affinity_set_initial(process, why) < 0)
        return -1;
    if (hide_and_tie(why) < 0 || ns_enter_for_children(&joining->namespaces, why) < 0 || hide_and_tie(why) < 0)
        return -1;
    return spawn_joiner(joining, why);
}

void joining_escort_main(void *argument)
{
    struct joining *joining = argument;
    struct failure why;
    atomic_store(&joining->words->stage, STAGE_JOIN);
    timeline_mark(TIMELINE_STAGE, STAGE_JOIN);
    close_foreign(joining);
    if (escort_run(joining, &why) == 0) {
        timeline_mark(TIMELINE_DONE, 0);
        _exit(0);
    }
    timeline_mark(TIMELINE_FAILED, 0);
    /* If even this fails the CLI process sees end of file and explains that. */
    IGNORE_RESULT(channel_send_failure(joining->joiner_channel, &why));
    _exit(1);
}

/* ---- joiner ---- */

struct joiner {
    struct joining *joining;
    struct become become;
};

static int begin(struct joiner *joiner, struct failure *why)
{
    struct joining *joining = joiner->joining;
    close_foreign(joining);
    fd_close(&joining->cgroup_fd);
    if (hide_and_tie(why) < 0)
        return -1;
    /* What the escort does otherwise.  Our files in /proc are root's, who we are. */
    if (joining->direct && (limits_set_oom_score(joining->proc_fd, 0, &joining->spec.process, why) < 0 ||
                            affinity_set_initial(&joining->spec.process, why) < 0))
        return -1;
    become_take_umask(&joiner->become);
    /* Nothing happens that the CLI process would not know of, be it that the escort died before it named us.  Where the CLI
     * process died before we were tied to it, the channel has ended. */
    become_note(&joiner->become, STAGE_WAIT_FOR_MAPS);
    struct message message;
    return become_await(&joiner->become, MESSAGE_GO_ON, MESSAGE_GO_ON, &message, why);
}

/* With the caller's privileges, of which the container's user namespace may keep nothing. */
static int set_limits(struct joiner *joiner, struct failure *why)
{
    const struct spec *spec = &joiner->joining->spec;
    become_note(&joiner->become, STAGE_LIMITS);
    if (setsid() < 0)
        return fail_sys(why, "start a session");
    if (limits_raise_rlimits(0, &spec->process, why) < 0 || affinity_set_final(&spec->process, why) < 0)
        return -1;
    return scheduling_set(spec, why);
}

static int enter_namespaces(struct joiner *joiner, struct failure *why)
{
    struct joining *joining = joiner->joining;
    become_note(&joiner->become, STAGE_JOIN);
    /* Where the container's user namespace denies setgroups the caller's groups could never be dropped again.  Refused to
     * an ordinary user, who keeps his own in any case. */
    if (joining->namespaces.other_user && become_groups_rule(&joiner->become) != IDENTITY_GROUPS_KEEP && setgroups(0, NULL) < 0 &&
        errno != EPERM)
        return fail_sys(why, "drop the caller's supplementary groups");
    if (ns_enter(&joining->namespaces, why) < 0 || hide_and_tie(why) < 0)
        return -1;
    fd_close(&joining->init_pidfd);
    if (joining->root_fd < 0)
        return 0;
    if (fchdir(joining->root_fd) < 0 || chroot(".") < 0)
        return fail_sys(why, "enter the container's root directory");
    fd_close(&joining->root_fd);
    return 0;
}

static int join_keyring(struct joiner *joiner, struct failure *why)
{
    struct joining *joining = joiner->joining;
    if (joining->state.keeps_keyring)
        return 0;
    become_note(&joiner->become, STAGE_NAMES);
    return lsm_set_key_label(joining->proc_fd, &joining->spec.process, why) < 0 ? -1 : keyring_join(joining->state.id, why);
}

static int open_terminal(struct joiner *joiner, int root_fd, struct failure *why)
{
    const struct spec_process *process = &joiner->joining->spec.process;
    if (!process->terminal)
        return 0;
    become_note(&joiner->become, STAGE_CONSOLE);
    CLEANUP_FD int master = -1;
    CLEANUP_FD int slave = -1;
    if (terminal_open(root_fd, process, &master, &slave, why) < 0 || terminal_take(slave, process->user.uid, why) < 0)
        return -1;
    /* Answered when the terminal has its size, or is with the engine: the program must find it so. */
    struct message message;
    if (become_tell(&joiner->become, MESSAGE_CONSOLE, master, why) < 0)
        return -1;
    return become_await(&joiner->become, MESSAGE_GO_ON, MESSAGE_GO_ON, &message, why);
}

static int settle_in(struct joiner *joiner, struct failure *why)
{
    CLEANUP_FD int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return fail_sys(why, "open the container's root directory");
    fds_take_null_inside();
    if (open_terminal(joiner, root_fd, why) < 0)
        return -1;
    become_note(&joiner->become, STAGE_PROGRAM);
    return become_find_program(&joiner->become, root_fd, why);
}

static int joiner_run(struct joiner *joiner, struct failure *why)
{
    if (begin(joiner, why) < 0 || set_limits(joiner, why) < 0 || enter_namespaces(joiner, why) < 0 || join_keyring(joiner, why) < 0 ||
        settle_in(joiner, why) < 0)
        return -1;
    /* The program lives on when the runtime exits. */
    if (prctl(PR_SET_PDEATHSIG, 0) < 0)
        return fail_sys(why, "let go of the runtime");
    if (become_process(&joiner->become, why) < 0)
        return -1;
    return become_execute(&joiner->become, why);
}

void joiner_main(void *argument)
{
    struct joining *joining = argument;
    struct joiner joiner = {
        .joining = joining,
        .become = {
            .spec = &joining->spec,
            .caps = &joining->caps,
            .filter = &joining->filter,
            .arena = &joining->arena,
            .words = joining->words,
            .proc_fd = joining->proc_fd,
            .conversation = fd_steal(&joining->joiner_channel),
            .listen_fds = joining->listen_fds,
            .listen_names = joining->listen_names,
            .preserved_fds = joining->preserved_fds,
        },
    };
    struct failure why;
    become_note(&joiner.become, STAGE_BEGIN);
    IGNORE_RESULT(joiner_run(&joiner, &why)); /* returns only with a failure */
    become_fail(&joiner.become, &why);
}
