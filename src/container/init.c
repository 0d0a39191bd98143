/*
 * container/init.c: the recipe of init, from its first instruction to exec.
 *
 * Runs in the container's first process: a copy of the creator, inside the new namespaces.  Holds the fds that
 * the creator prepared, full capabilities in the container's user namespace until `become_process`.  Must
 * not load libraries, look up users or follow a container's path after `rootfs_enter`; must not print.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/doze.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/text.h"
#include "container/become.h"
#include "container/birth.h"
#include "container/channel.h"
#include "container/hooks.h"

struct init {
    struct birth *birth;
    bool in_network;      /* its namespace, or there is nothing to wait for */
    struct become become; /* conversation: the creator's channel, later the connection of `start` */
};

static void note(const struct init *init, enum stage stage)
{
    become_note(&init->become, stage);
}

/* The runtime's environment is the host's affair, but whoever may trace init would read it in /proc/PID/environ.  Hooks that have none of
 * their own are given it. */
static void hide_environment(struct birth *birth)
{
    static char *none[] = {NULL};
    bool needed = birth->spec.hooks[HOOK_CREATE_CONTAINER].count > 0 || birth->spec.hooks[HOOK_START_CONTAINER].count > 0;
    char **shown = environ, **kept = none;
    size_t count = 0;
    while (shown[count] != NULL)
        count++;
    if (needed)
        kept = arena_alloc(&birth->arena, (count + 1) * sizeof(*kept));
    for (size_t i = 0; i < count; i++) {
        if (needed)
            kept[i] = arena_copy(&birth->arena, shown[i]);
        memset(shown[i], 0, strlen(shown[i]));
    }
    environ = kept;
}

/* ---- steps, in order ---- */

static int begin(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    /* The creator's own: its end of the channel, and host directories that no container may see (CVE-2024-21626). */
    fd_close(&birth->channel);
    fd_close(&birth->directory.fd);
    fd_close(&birth->directory.root_fd);
    fd_close(&birth->cgroup.fd);
    fd_close(&birth->console_socket);
    fd_close(&birth->binary_mount);
    fd_close(&birth->interruption);
    fd_close(&birth->namespaces.own_network);
    ns_devices_close(birth->devices);
    /* Until init is handed over it must not outlive the creator. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return fail_sys(why, "tie init's life to the creator's");
    become_take_umask(&init->become);
    hide_environment(birth);
    if (!birth->init_waits)
        return 0;
    note(init, STAGE_WAIT_FOR_MAPS);
    struct message message;
    if (become_await(&init->become, MESSAGE_GO_ON, MESSAGE_GO_ON, &message, why) < 0)
        return -1;
    init->become.setgroups_denied = message.value != 0;
    return 0;
}

static int join_namespaces(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    note(init, STAGE_JOIN);
    /* CVE-2016-9962: from here on others may see us.  Not earlier: an unprivileged creator can write our id maps
     * only while we are dumpable. */
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        return fail_sys(why, "become non-dumpable");
    if (ns_join_all(&birth->namespaces, why) < 0)
        return -1;
    if (birth->new_user_ns) {
        bool keep_groups = become_groups_rule(&init->become) != IDENTITY_GROUPS_SET;
        if (ns_become_root(&birth->namespaces, birth->spec.process.user.uid, birth->spec.process.user.gid, keep_groups, why) < 0)
            return -1;
        /* A change of ids resets the parent-death signal. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
            return fail_sys(why, "tie init's life to the creator's");
    }
    if (birth->namespaces.new_cgroup && ns_unshare_cgroup(why) < 0)
        return -1;
    return 0;
}

static int set_limits(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    note(init, STAGE_LIMITS);
    /* With a user namespace the creator did it: init has no privilege over the host's limits. */
    if (!birth->init_waits) {
        if (limits_set_oom_score(birth->proc_fd, 0, &birth->spec.process, why) < 0 ||
            limits_raise_rlimits(0, &birth->spec.process, why) < 0)
            return -1;
    }
    affinity_release();
    return scheduling_set(&birth->spec, why);
}

static int set_up_namespaces(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    const struct spec *spec = &birth->spec;
    note(init, STAGE_NAMES);
    if (setsid() < 0 && errno != EPERM)
        return fail_sys(why, "start a session");
    if (ns_set_names(spec->hostname, spec->domainname, why) < 0)
        return -1;
    if (ns_is_new(&birth->namespaces, NS_NETWORK) && !birth->namespaces.late_network && ns_loopback_up(why) < 0)
        return -1;
    if (birth->request->flags & CREATE_NO_NEW_KEYRING)
        return 0;
    return lsm_set_key_label(birth->proc_fd, &spec->process, why) < 0 ? -1 : keyring_join(birth->state.id, why);
}

/* What the creator has made meanwhile. */
static int enter_network(void *arg, struct failure *why)
{
    struct init *init = arg;
    struct message message;
    CLEANUP_FD int network = -1;
    if (init->in_network)
        return 0;
    note(init, STAGE_WAIT_FOR_CREATOR);
    if (become_receive(&init->become, MESSAGE_NETWORK, MESSAGE_NETWORK, &message, &network, why) < 0 || ns_network_enter(network, why) < 0)
        return -1;
    init->in_network = true;
    note(init, STAGE_ROOTFS);
    return 0;
}

static int build_root(struct init *init, struct failure *why)
{
    const struct rootfs_need network = {.meet = enter_network, .arg = init};
    note(init, STAGE_ROOTFS);
    if (rootfs_mount(init->birth->rootfs, init->in_network ? NULL : &network, why) < 0)
        return -1;
    return enter_network(init, why);
}

static int open_terminal(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    const struct spec_process *process = &birth->spec.process;
    if (!process->set || !process->terminal)
        return 0;
    note(init, STAGE_CONSOLE);
    CLEANUP_FD int master = -1;
    CLEANUP_FD int slave = -1;
    if (terminal_open(rootfs_root_fd(birth->rootfs), process, &master, &slave, why) < 0 ||
        rootfs_attach_console(birth->rootfs, slave, why) < 0)
        return -1;
    /* Not left for the program's start: containerd's shim reads what `create` prints to its end, which would not come while
     * the waiting init held it open. */
    if (terminal_take(slave, process->user.uid, why) < 0)
        return -1;
    return become_tell(&init->become, MESSAGE_CONSOLE, master, why);
}

/* The creator moves network devices and runs prestart and createRuntime hooks; createContainer hooks run here, all before
 * pivot_root. */
static int run_create_hooks(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    struct message message;
    if (birth->creator_continues) {
        note(init, STAGE_WAIT_FOR_CREATOR);
        if (become_tell(&init->become, MESSAGE_BUILT, -1, why) < 0 || become_await(&init->become, MESSAGE_GO_ON, MESSAGE_GO_ON, &message, why) < 0)
            return -1;
    }
    const struct spec_hooks *hooks = &birth->spec.hooks[HOOK_CREATE_CONTAINER];
    if (hooks->count == 0)
        return 0;
    note(init, STAGE_HOOKS_CREATE);
    struct hook_call call = {
        .kind = HOOK_CREATE_CONTAINER,
        .state = &birth->state,
        .status = STATUS_CREATING,
        .pid = getpid(),
    };
    return hooks_run(hooks, &call, why);
}

static int set_kernel_parameters(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    note(init, STAGE_SYSCTL);
    for (size_t i = 0; i < birth->sysctls_count; i++) {
        const struct ns_sysctl *sysctl = &birth->sysctls[i];
        int r = proc_write(birth->proc_fd, sysctl->path, sysctl->value);
        if (r < 0)
            return ns_explain_sysctl(sysctl, r, why);
    }
    return 0;
}

static int enter_root(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    note(init, STAGE_SEAL);
    if (rootfs_seal(birth->rootfs, why) < 0)
        return -1;
    note(init, STAGE_ENTER);
    if (rootfs_enter(birth->rootfs, (birth->request->flags & CREATE_NO_PIVOT) != 0, why) < 0)
        return -1;
    fds_take_null_inside();
    return 0;
}

/* Everything that can fail for the bundle's fault fails here, in create, as engines expect. */
static int find_program(struct init *init, struct failure *why)
{
    note(init, STAGE_PROGRAM);
    return init->birth->spec.process.set ? become_find_program(&init->become, rootfs_root_fd(init->birth->rootfs), why) : 0;
}

/* The kernel drops what would end the first process of a pid namespace by default; on return that is what is left to do. */
static void end_by_signal(int sig)
{
    /* Not raise, by which some C libraries mean the process that we were cloned from.  The handler is gone (SA_RESETHAND); cannot fail for
     * a signal that has just come. */
    (void)kill(getpid(), sig);
    _exit(128 + sig);
}

/* `kill` of a created container means init itself, whatever pid namespace it is in. */
static void obey_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGIO, SIGVTALRM, SIGPROF, SIGPWR};
    struct sigaction end = {.sa_handler = end_by_signal, .sa_flags = SA_RESETHAND | SA_NODEFER};
    for (size_t i = 0; i < ARRAY_LENGTH(ending); i++)
        (void)sigaction(ending[i], &end, NULL); /* cannot fail for these */
    for (int sig = KERNEL_FIRST_REALTIME; sig <= KERNEL_LAST_SIGNAL; sig++)
        (void)kernel_signal_as(sig, SIGTERM); /* likewise */
    (void)kernel_sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with valid arguments */
}

/* `create` leaves: `start` will come.  A connection that ends without a word was a `start` that died: the next one is
 * waited for. */
static int await_start_command(struct init *init, struct failure *why)
{
    int *listening = &init->birth->start_socket;
    init->become.announces = true;
    timeline_leave();
    obey_signals();
    for (;;) {
        struct message message;
        int fd;
        fd_close(&init->become.conversation);
        int connection = doze_accept(*listening);
        if (connection < 0)
            return fail_errno(why, connection, "wait for start");
        init->become.conversation = connection;
        if (channel_receive(connection, -1, &message, &fd) < 0)
            continue;
        if (message.kind == MESSAGE_START)
            timeline_join(fd, message.value);
        fd_close(&fd);
        if (message.kind == MESSAGE_START)
            break;
    }
    /* From here on a second start is refused. */
    fd_close(listening);
    return 0;
}

static int await_start(struct init *init, struct failure *why)
{
    struct message message;
    note(init, STAGE_WAIT_FOR_START);
    rootfs_close(init->birth->rootfs);
    /* The creator may exit as soon as it has answered.  Until then its death is seen as the channel's end. */
    if (prctl(PR_SET_PDEATHSIG, 0) < 0)
        return fail_sys(why, "let go of the creator");
    if (!init->birth->starts_early && become_tell(&init->become, MESSAGE_READY, -1, why) < 0)
        return -1;
    if (become_await(&init->become, MESSAGE_START, MESSAGE_HANDED_OVER, &message, why) < 0)
        return -1;
    /* Without a READY nothing has told yet whether the creator outlived its START: it may have died before it could take us along. */
    struct pollfd creator = {.fd = init->become.conversation};
    if (init->birth->starts_early && poll(&creator, 1, 0) > 0)
        kernel_exit(1);
    return message.kind == MESSAGE_HANDED_OVER ? await_start_command(init, why) : 0;
}

static int run_start_hooks(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    const struct spec_hooks *hooks = &birth->spec.hooks[HOOK_START_CONTAINER];
    if (hooks->count == 0)
        return 0;
    note(init, STAGE_HOOKS_START);
    struct hook_call call = {
        .kind = HOOK_START_CONTAINER,
        .state = &birth->state,
        .status = STATUS_CREATED,
        .pid = getpid(),
        .default_env = init->become.environment,
    };
    return hooks_run(hooks, &call, why);
}

static int init_run(struct init *init, struct failure *why)
{
    if (begin(init, why) < 0 || join_namespaces(init, why) < 0 || set_limits(init, why) < 0 || set_up_namespaces(init, why) < 0)
        return -1;
    if (build_root(init, why) < 0 || open_terminal(init, why) < 0 || run_create_hooks(init, why) < 0)
        return -1;
    if (set_kernel_parameters(init, why) < 0 || enter_root(init, why) < 0 || find_program(init, why) < 0)
        return -1;
    if (await_start(init, why) < 0 || run_start_hooks(init, why) < 0)
        return -1;
    if (!init->birth->spec.process.set)
        return fail(why, FAILURE_BUG, "started without a process"); /* `start` and `run` refuse it */
    if (become_process(&init->become, why) < 0)
        return -1;
    return become_execute(&init->become, why);
}

void init_main(void *argument)
{
    struct birth *birth = argument;
    struct init init = {
        .birth = birth,
        .in_network = !birth->namespaces.late_network,
        .become = {
            .spec = &birth->spec,
            .caps = &birth->caps,
            .filter = &birth->filter,
            .arena = &birth->arena,
            .words = birth->words,
            .proc_fd = birth->proc_fd,
            .conversation = fd_steal(&birth->init_channel),
            .listen_fds = birth->listen_fds,
            .listen_names = birth->listen_names,
            .preserved_fds = birth->preserved_fds,
        },
    };
    struct failure why;
    note(&init, STAGE_BEGIN);
    IGNORE_RESULT(init_run(&init, &why)); /* returns only with a failure */
    become_fail(&init.become, &why);
}
