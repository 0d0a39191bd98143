/*
 * container/init.c: the recipe of init, from its first instruction to exec.
 *
 * Runs in the container's first process: a copy of the creator, inside the new namespaces.  Holds the fds that
 * the creator prepared, full capabilities in the container's user namespace until `become_process`.  Must
 * not load libraries, look up users or follow a container's path after `rootfs_enter`; must not print.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/text.h"
#include "container/birth.h"
#include "container/channel.h"
#include "container/hooks.h"

/* What init finds out on its way. */
struct init {
    struct birth *birth;
    int conversation; /* the creator's channel, later the connection of `start` */
    bool told_by_start;
    bool setgroups_denied;
    mode_t caller_umask;
    int terminal; /* the slave end, -1: none */
    bool directory_later; /* cwd could not be entered as root */
    char **environment;
    char *program;
};

static void note(const struct init *init, enum stage stage)
{
    if (init->birth->words != NULL)
        atomic_store_explicit(&init->birth->words->stage, stage, memory_order_relaxed);
}

/* ---- conversation ---- */

/* Waits for one of the two kinds.  Its end means that whoever was to decide is gone: so is init. */
static int await(struct init *init, enum message_kind kind, enum message_kind or_kind, struct message *ret_message, struct failure *why)
{
    int fd;
    int r = channel_receive(init->conversation, -1, ret_message, &fd);
    fd_close(&fd);
    if (r < 0)
        return fail_errno(why, r, "hear from the runtime");
    if (ret_message->kind == MESSAGE_NONE)
        _exit(1);
    if (ret_message->kind != kind && ret_message->kind != or_kind)
        return fail(why, FAILURE_BUG, "unexpected message %u from the runtime", ret_message->kind);
    return 0;
}

static int tell(struct init *init, enum message_kind kind, int fd, struct failure *why)
{
    int r = channel_send(init->conversation, kind, 0, fd);
    return r < 0 ? fail_errno(why, r, "report to the runtime") : 0;
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
    /* Until init is handed over it must not outlive the creator. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return fail_sys(why, "tie init's life to the creator's");
    init->caller_umask = umask(022);
    if (!birth->init_waits)
        return 0;
    note(init, STAGE_WAIT_FOR_MAPS);
    struct message message;
    if (await(init, MESSAGE_GO_ON, MESSAGE_GO_ON, &message, why) < 0)
        return -1;
    init->setgroups_denied = message.value != 0;
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
        if (ns_become_root(&birth->namespaces, birth->spec.process.user.uid, birth->spec.process.user.gid, init->setgroups_denied, why) < 0)
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
            limits_set_rlimits(0, &birth->spec.process, why) < 0)
            return -1;
    }
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
    if (ns_is_new(&birth->namespaces, NS_NETWORK) && ns_loopback_up(why) < 0)
        return -1;
    if (birth->request->flags & CREATE_NO_NEW_KEYRING)
        return 0;
    return lsm_set_key_label(birth->proc_fd, &spec->process, why) < 0 ? -1 : keyring_join(birth->state.id, why);
}

static int build_root(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    note(init, STAGE_ROOTFS);
    return rootfs_mount(birth->rootfs, birth->proc_fd, why);
}

static int open_terminal(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    const struct spec_process *process = &birth->spec.process;
    if (!process->set || !process->terminal)
        return 0;
    note(init, STAGE_CONSOLE);
    CLEANUP_FD int master = -1;
    if (terminal_open(rootfs_root_fd(birth->rootfs), process, &master, &init->terminal, why) < 0 ||
        rootfs_attach_console(birth->rootfs, init->terminal, why) < 0)
        return -1;
    return tell(init, MESSAGE_CONSOLE, master, why);
}

/* prestart and createRuntime hooks run in the creator, createContainer hooks here, all before pivot_root. */
static int run_create_hooks(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    struct message message;
    if (birth->hooks_wait) {
        note(init, STAGE_HOOKS_CREATE);
        if (tell(init, MESSAGE_BUILT, -1, why) < 0 || await(init, MESSAGE_GO_ON, MESSAGE_GO_ON, &message, why) < 0)
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
        .directory_fd = -1,
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
        if (r == 0)
            continue;
        char token[POINTER_TOKEN_SIZE];
        fail_errno(why, r, "set kernel parameter '%s' to '%s'", sysctl->name, sysctl->value);
        return failure_pointer(why, "/linux/sysctl/%s", text_pointer_token(token, sysctl->name, strlen(sysctl->name)));
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
    return rootfs_enter(birth->rootfs, (birth->request->flags & CREATE_NO_PIVOT) != 0, why);
}

/* Everything that can fail for the bundle's fault fails here, in create, as engines expect. */
static int find_program(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    const struct spec_process *process = &birth->spec.process;
    note(init, STAGE_PROGRAM);
    if (!process->set)
        return 0;
    char listen_fds[32];
    snprintf(listen_fds, sizeof(listen_fds), "LISTEN_FDS=%u", birth->listen_fds);
    const char *const listening[] = {listen_fds, "LISTEN_PID=1", NULL};
    if (environment_build(process, rootfs_root_fd(birth->rootfs), birth->proc_fd, birth->listen_fds > 0 ? listening : NULL, &birth->arena,
                          &init->environment, why) < 0)
        return -1;
    if (environment_enter_directory(process->cwd, why) < 0) {
        if (why->errnum != EACCES && why->errnum != EPERM)
            return -1;
        init->directory_later = true; /* perhaps the process's own user may */
    }
    return environment_find_program(process->args.items[0], init->environment, process->cwd, &birth->arena, &init->program, why);
}

/* `create` leaves: `start` will come.  A connection that ends without a word was a `start` that died: the next one is
 * waited for. */
static int await_start_command(struct init *init, struct failure *why)
{
    int *listening = &init->birth->start_socket;
    init->told_by_start = true;
    for (;;) {
        struct message message;
        int fd;
        fd_close(&init->conversation);
        init->conversation = accept4(*listening, NULL, NULL, SOCK_CLOEXEC);
        if (init->conversation < 0 && errno != EINTR)
            return fail_sys(why, "wait for start");
        if (init->conversation < 0 || channel_receive(init->conversation, -1, &message, &fd) < 0)
            continue;
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
    if (tell(init, MESSAGE_READY, -1, why) < 0 || await(init, MESSAGE_START, MESSAGE_HANDED_OVER, &message, why) < 0)
        return -1;
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
        .directory_fd = -1,
        .default_env = init->environment,
    };
    return hooks_run(hooks, &call, why);
}

static void reset_signals(const sigset_t *mask)
{
    struct sigaction fallback = {.sa_handler = SIG_DFL};
    for (int sig = 1; sig <= SIGRTMAX; sig++)
        (void)sigaction(sig, &fallback, NULL); /* SIGKILL, SIGSTOP and libc's own two refuse: nothing to reset there */
    (void)sigprocmask(SIG_SETMASK, mask, NULL); /* cannot fail with valid arguments */
}

static int hand_over_listener(struct init *init, int *listener, struct failure *why)
{
    struct message message;
    if (tell(init, MESSAGE_LISTENER, *listener, why) < 0 || await(init, MESSAGE_GO_ON, MESSAGE_GO_ON, &message, why) < 0)
        return -1;
    fd_close(listener);
    return 0;
}

static int load_filter(struct init *init, struct failure *why)
{
    const struct seccomp_filter *filter = &init->birth->filter;
    if (filter->instructions == 0)
        return 0;
    note(init, STAGE_SECCOMP);
    int listener = seccomp_install(filter);
    if (listener < 0) {
        fail_errno(why, listener, "load the seccomp filter");
        return failure_pointer(why, "/linux/seccomp");
    }
    return filter->notify ? hand_over_listener(init, &listener, why) : 0;
}

static enum identity_groups groups_rule(const struct init *init)
{
    const char *keep = spec_annotation(&init->birth->spec, "run.oci.keep_original_groups");
    if (text_equal(keep, "1"))
        return IDENTITY_GROUPS_KEEP;
    /* Also where the runtime itself runs in a user namespace whose groups are fixed. */
    char rule[16] = "";
    bool denied = init->setgroups_denied ||
                  (proc_read(init->birth->proc_fd, "self/setgroups", rule, sizeof(rule)) > 0 && text_starts(rule, "deny"));
    return denied ? IDENTITY_GROUPS_DENIED : IDENTITY_GROUPS_SET;
}

/* The order is the security of it: the bounding set needs CAP_SETPCAP, ids need CAP_SETUID; without
 * no_new_privs a filter needs CAP_SYS_ADMIN, with it the filter comes last so that it need not
 * allow what we do ourselves.  Descriptors are marked before a filter could forbid it. */
static int become_process(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    const struct spec_process *process = &birth->spec.process;
    note(init, STAGE_IDENTITY);
    if (init->terminal >= 0 && terminal_take(init->terminal, process->user.uid, why) < 0)
        return -1;
    umask(init->caller_umask);
    reset_signals(&birth->old_signals);
    if (lsm_set_exec_labels(birth->proc_fd, process, why) < 0 || caps_drop_bounding(&birth->caps, why) < 0 ||
        identity_take(&process->user, groups_rule(init), why) < 0 || fds_leave_only(birth->preserved_fds, why) < 0)
        return -1;
    if (init->directory_later && environment_enter_directory(process->cwd, why) < 0)
        return -1;
    if (!process->no_new_privileges) {
        if (birth->filter.instructions > 0 && caps_keep_for_filter(&birth->caps, why) < 0)
            return -1;
        if (load_filter(init, why) < 0)
            return -1;
        return caps_settle(&birth->caps, why);
    }
    if (caps_settle(&birth->caps, why) < 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return fail_sys(why, "set no_new_privs");
    return load_filter(init, why);
}

static int execute(struct init *init, struct failure *why)
{
    struct birth *birth = init->birth;
    char **argv = birth->spec.process.args.items; /* ended by NULL: see prepare_arguments in create.c */
    note(init, STAGE_EXEC);
    if (init->told_by_start)
        IGNORE_RESULT(channel_send(init->conversation, MESSAGE_EXECUTING, 0, -1)); /* `start` may be gone: the program runs all the same */
    execve(init->program, argv, init->environment);
    return environment_explain_exec(init->program, errno, why);
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
        return fail_config(why, "/process", "there is no process to start");
    if (become_process(init, why) < 0)
        return -1;
    return execute(init, why);
}

void init_main(void *argument)
{
    struct init init = {.birth = argument, .terminal = -1};
    note(&init, STAGE_BEGIN);
    init.conversation = fd_steal(&init.birth->init_channel);
    struct failure why;
    (void)init_run(&init, &why); /* returns only with a failure */
    if (channel_send_failure(init.conversation, &why) < 0 && init.birth->words != NULL)
        atomic_store(&init.birth->words->errnum, why.errnum != 0 ? why.errnum : EIO);
    _exit(1);
}
