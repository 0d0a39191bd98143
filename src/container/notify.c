/*
 * container/notify.c: the relay between the container's notify socket and the service manager's.
 *
 * Runs in creator and start, on the host's side.  What arrives comes from the container: bounded, only known words are passed on, and no
 * descriptor that came with it ever becomes ours.
 */
#include "container/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/pid.h"
#include "base/text.h"

#define DIRECTORY_NAME "notify"
#define SOCKET_NAME "notify.sock"
#define DIRECTORY_INSIDE "/run/notify"

#define MESSAGE_MAX ((size_t)4096) /* longer ones are dropped, as service managers do */
/* A manager that takes nothing for so long is not waited for: signals and terminal of the foreground wait meanwhile. */
#define PATIENCE_S 5
#define BARRIER_MS 30000
/* So many messages in one go, then the foreground's other duties have their turn. */
#define BURST 16

/* ---- words ---- */

/* Of sd_notify(3), what is about the service as a whole.  Not MAINPID, whose number is one of the container's own; not FDSTORE and
 * its kin, since no descriptors come along; not NOTIFYACCESS, which would let the container choose whom the manager believes.  BARRIER is
 * answered when it is read: its descriptor is then closed by the kernel, and what came before has been passed on. */
static const struct word {
    const char *name;
    bool is_whole; /* name is the whole line */
} words[] = {
    {"READY=1", true},    {"RELOADING=1", true}, {"STOPPING=1", true}, {"WATCHDOG=1", true},           {"WATCHDOG=trigger", true},
    {"STATUS=", false},   {"ERRNO=", false},     {"BUSERROR=", false}, {"EXTEND_TIMEOUT_USEC=", false}, {"MONOTONIC_USEC=", false},
};

static bool is_passed_on(const char *line)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (words[i].is_whole ? text_equal(line, words[i].name) : text_starts(line, words[i].name))
            return true;
    return false;
}

void notify_filter(const char *message, size_t length, struct text *out, bool *ret_ready)
{
    char line[MESSAGE_MAX + 1], tame[MESSAGE_MAX + 1];
    *ret_ready = false;
    if (length > MESSAGE_MAX || memchr(message, '\0', length) != NULL)
        return;
    for (size_t at = 0; at < length;) {
        const char *end = memchr(message + at, '\n', length - at);
        size_t size = end == NULL ? length - at : (size_t)(end - (message + at));
        memcpy(line, message + at, size);
        line[size] = '\0';
        at += size + 1;
        if (!is_passed_on(line))
            continue;
        *ret_ready |= text_equal(line, "READY=1");
        text_sanitize(tame, sizeof(tame), line);
        text_format(out, "%s\n", tame);
    }
}

/* ---- what the container gets ---- */

int notify_look(struct notify *notify, struct failure *why)
{
    const char *address = getenv("NOTIFY_SOCKET");
    if (address == NULL || *address == '\0')
        return 0;
    if ((*address != '/' && *address != '@') || address[1] == '\0') {
        fail(why, FAILURE_HOST, "NOTIFY_SOCKET is '%s', which is neither an absolute path nor an abstract socket's @name", address);
        return failure_hint(why, "unset it where no service manager is to be told that the container is ready");
    }
    notify->manager_address = address;
    return 0;
}

static bool has_own_socket(const struct spec_process *process)
{
    for (size_t i = 0; i < process->env.count; i++)
        if (text_starts(process->env.items[i], "NOTIFY_SOCKET="))
            return true;
    return false;
}

static void add_variable(struct spec_process *process, struct arena *arena)
{
    struct strings *env = &process->env;
    env->items = arena_grow(arena, env->items, env->count, env->count + 1, sizeof(*env->items));
    env->items[env->count++] = arena_copy(arena, "NOTIFY_SOCKET=" DIRECTORY_INSIDE "/" SOCKET_NAME);
}

static void add_mount(struct spec *spec, const char *directory_host, struct arena *arena)
{
    /* Read-only: the container may send, not put something else in the socket's place. */
    static const char *const options[] = {"bind", "private", "nosuid", "nodev", "noexec", "ro"};
    struct spec_mount mount = {
        .destination = arena_copy(arena, DIRECTORY_INSIDE),
        .source = arena_format(arena, "%s/" DIRECTORY_NAME, directory_host),
        .type = arena_copy(arena, "bind"),
    };
    mount.options.items = arena_alloc(arena, ARRAY_LENGTH(options) * sizeof(*mount.options.items));
    for (size_t i = 0; i < ARRAY_LENGTH(options); i++)
        mount.options.items[mount.options.count++] = arena_copy(arena, options[i]);
    spec->mounts = arena_grow(arena, spec->mounts, spec->mounts_count, spec->mounts_count + 1, sizeof(*spec->mounts));
    spec->mounts[spec->mounts_count++] = mount; /* last: above a tmpfs on /run */
}

int notify_plan(struct notify *notify, const char *directory_host, struct arena *arena, struct spec *spec, struct failure *why)
{
    const struct spec_namespace *mount_ns = &spec->linux.namespaces[NS_MOUNT];
    if (notify->manager_address == NULL)
        return 0;
    if (!spec->process.set || has_own_socket(&spec->process)) {
        notify->manager_address = NULL;
        return 0;
    }
    if (!mount_ns->listed || mount_ns->path != NULL) {
        fail(why, FAILURE_HOST, "NOTIFY_SOCKET is set, but a container without a new mount namespace cannot be given a socket of its own");
        return failure_hint(why, "unset NOTIFY_SOCKET, or let the container have a new mount namespace");
    }
    add_mount(spec, directory_host, arena);
    add_variable(&spec->process, arena);
    return 0;
}

int notify_make(const struct notify *notify, int directory_fd, struct failure *why)
{
    if (notify->manager_address == NULL)
        return 0;
    if (mkdirat(directory_fd, DIRECTORY_NAME, 0755) < 0 || fchmodat(directory_fd, DIRECTORY_NAME, 0755, 0) < 0)
        return fail_sys(why, "make the directory of the notify socket in the state directory");
    return 0;
}

/* ---- sockets ---- */

static int connect_abstract(int fd, const char *address)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t length = strlen(address);
    if (length > sizeof(name.sun_path))
        return -ENAMETOOLONG;
    memcpy(name.sun_path, address, length);
    name.sun_path[0] = '\0';
    return connect(fd, (const struct sockaddr *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0 ? -errno : 0;
}

static int connect_manager(struct notify *notify, struct failure *why)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const char *address = notify->manager_address;
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
        return fail_sys(why, "make a socket for messages to the service manager");
    int r = *address == '@' ? connect_abstract(fd, address) : fd_connect(fd, address);
    if (r < 0) {
        fail_errno(why, r, "connect to '%s', which NOTIFY_SOCKET names", address);
        return failure_hint(why, "unset NOTIFY_SOCKET where no service manager is to be told that the container is ready");
    }
    notify->manager = fd_steal(&fd);
    return 0;
}

/* Whatever user the program runs as, it may send: 0777.  By the mask, not by chmod: a name is resolved once only. */
static int bind_socket(int fd, int directory_fd)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (unlinkat(directory_fd, SOCKET_NAME, 0) < 0 && errno != ENOENT) /* there is one where an earlier `start` died */
        return -errno;
    snprintf(name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/" SOCKET_NAME, directory_fd);
    mode_t mask = umask(0);
    int r = bind(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 ? -errno : 0;
    (void)umask(mask); /* cannot fail */
    return r;
}

int notify_listen(struct notify *notify, int directory_fd, struct failure *why)
{
    if (notify->manager_address == NULL)
        return 0;
    CLEANUP_FD int directory = openat(directory_fd, DIRECTORY_NAME, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0 && errno == ENOENT) {
        log_debug("NOTIFY_SOCKET is set now, but was not at create: the container has nothing to send to");
        notify->manager_address = NULL;
        return 0;
    }
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int r = directory < 0 || fd < 0 ? -errno : bind_socket(fd, directory);
    if (r < 0)
        return fail_errno(why, r, "make the container's notify socket in the state directory");
    if (connect_manager(notify, why) < 0)
        return -1;
    notify->container = fd_steal(&fd);
    return 0;
}

void notify_close(struct notify *notify)
{
    fd_close(&notify->manager);
    fd_close(&notify->container);
}

/* ---- passing on ---- */

/* One message: 1 when there was none, 0 when there was.  No control buffer: the kernel closes the descriptors that came with it. */
static int pass_one_on(const struct notify *notify, pid_t main_pid, bool *ret_ready)
{
    char message[MESSAGE_MAX];
    struct text told = {0};
    *ret_ready = false;
    ssize_t length = recv(notify->container, message, sizeof(message), MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0)
        return 1;
    if ((size_t)length <= sizeof(message))
        notify_filter(message, (size_t)length, &told, ret_ready);
    if (*ret_ready)
        text_format(&told, "MAINPID=%d\n", (int)main_pid);
    if (told.length > 0 && send(notify->manager, told.data, told.length, MSG_NOSIGNAL) < 0)
        log_warning("the service manager could not be told about the container: %s", text_errno(errno));
    text_done(&told);
    return 0;
}

void notify_pass_on(void *notify)
{
    bool ready;
    for (int i = 0; i < BURST; i++)
        if (pass_one_on(notify, getpid(), &ready) != 0)
            return;
}

/* sd_notify(3), sd_notify_barrier: a manager may look at the sender only after it has exited, and then not know whose words they were.
 * The pipe's end is closed when it has come that far.  Late is no failure: the container runs. */
static void await_manager(const struct notify *notify)
{
    static const char barrier[] = "BARRIER=1";
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return;
    CLEANUP_FD int here = ends[0];
    int r = fd_send(notify->manager, ends[1], barrier, sizeof(barrier) - 1);
    fd_close(&ends[1]);
    struct pollfd wait = {.fd = here};
    int64_t end = clock_now_ms() + BARRIER_MS, left;
    while (r == 0 && (left = end - clock_now_ms()) > 0 && poll(&wait, 1, (int)left) < 0 && errno == EINTR)
        ;
}

int notify_await_ready(struct notify *notify, const char *id, int pidfd, pid_t pid, struct failure *why)
{
    bool ready = false;
    while (notify->container >= 0 && !ready) {
        struct pollfd fds[] = {{.fd = notify->container, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
        if (poll(fds, ARRAY_LENGTH(fds), pidfd < 0 ? 0 : -1) < 0 && errno != EINTR)
            return fail_sys(why, "wait until container `%s` is ready", id);
        /* What it sent before its end counts. */
        if (pass_one_on(notify, pid, &ready) == 0 || (pidfd >= 0 && fds[1].revents == 0))
            continue;
        fail(why, FAILURE_STATE, "container `%s` ended before it was ready", id);
        return failure_hint(why, "NOTIFY_SOCKET is set: its program must send READY=1, as sd_notify(3) does; unset it for one that does not");
    }
    if (ready)
        await_manager(notify);
    return 0;
}
