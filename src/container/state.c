/* container/state.c: the record of a container, its directory and its lock. */
#include "container/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timeline.h"
#include "spec/json_table.h"

#define RECORD_LIMIT ((size_t)1024 * 1024)
#define LOCKS_LIMIT ((size_t)4 * 1024 * 1024) /* of /proc/locks */

const char *const state_status_words[] = {
    [STATUS_CREATING] = "creating", [STATUS_CREATED] = "created", [STATUS_RUNNING] = "running",
    [STATUS_PAUSED] = "paused",     [STATUS_STOPPED] = "stopped",
};

/* ---- the record as JSON ---- */

static const char *const phase_words[] = {"creating", "created", NULL};
/* In the order of enum cgroup_manager. */
static const char *const manager_words[] = {"cgroupfs", "systemd", "disabled", NULL};

struct record {
    struct state state;
    unsigned phase, manager;
    uint32_t init_pid, creator_pid;
};

static const struct json_member record_members[] = {
    JSON_FIELD(struct record, "phase", JSON_WORD, phase, .words = phase_words, .flags = JSON_REQUIRED),
    JSON_FIELD(struct record, "id", JSON_STRING, state.id, .flags = JSON_REQUIRED | JSON_NON_EMPTY),
    JSON_FIELD(struct record, "bundle", JSON_STRING, state.bundle, .flags = JSON_REQUIRED),
    JSON_FIELD(struct record, "rootfs", JSON_STRING, state.rootfs, .flags = JSON_REQUIRED),
    JSON_FIELD(struct record, "created", JSON_STRING, state.created, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct record, "owner", JSON_U32, state.owner, 0, UINT32_MAX, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct record, "pid", JSON_U32, init_pid, 0, INT32_MAX, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct record, "startTime", JSON_U64, state.init.start_time, 0, UINT64_MAX, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct record, "creatorPid", JSON_U32, creator_pid, 0, INT32_MAX, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct record, "creatorStartTime", JSON_U64, state.creator.start_time, 0, UINT64_MAX, .flags = JSON_REQUIRED),
    JSON_FIELD(struct record, "cgroupManager", JSON_WORD, manager, .words = manager_words, .flags = JSON_REQUIRED),
    JSON_FIELD(struct record, "cgroupPath", JSON_STRING, state.cgroup.path),
    JSON_FIELD(struct record, "cgroupJoined", JSON_BOOL, state.cgroup.joined),
    JSON_FIELD(struct record, "systemdUnit", JSON_STRING, state.cgroup.unit),
    JSON_FIELD(struct record, "resctrlGroup", JSON_STRING, state.resctrl.group),
    JSON_FIELD(struct record, "resctrlMonitor", JSON_STRING, state.resctrl.monitor),
    JSON_FIELD(struct record, "resctrlShared", JSON_BOOL, state.resctrl.shared),
    JSON_FIELD(struct record, "resctrlMade", JSON_BOOL, state.resctrl.made),
    JSON_FIELD(struct record, "ownPidNamespace", JSON_BOOL, state.new_pid_ns),
    JSON_FIELD(struct record, "noProcess", JSON_BOOL, state.no_process),
    JSON_FIELD(struct record, "keepsKeyring", JSON_BOOL, state.keeps_keyring),
    JSON_FIELD(struct record, "hooks", JSON_BOOL, state.has_hooks),
    JSON_PAIRS(struct record, "annotations", state.annotations),
};

static const struct json_object record_object = {.document = "state.json", JSON_TABLE(struct record, record_members)};

static void write_resctrl(struct json_writer *writer, const struct resctrl_name *resctrl)
{
    if (resctrl->group == NULL)
        return;
    json_string(writer, "resctrlGroup", resctrl->group);
    if (resctrl->monitor != NULL)
        json_string(writer, "resctrlMonitor", resctrl->monitor);
    json_bool(writer, "resctrlShared", resctrl->shared);
    json_bool(writer, "resctrlMade", resctrl->made);
}

static void write_record(struct json_writer *writer, const struct state *state)
{
    json_open_object(writer);
    json_string(writer, "phase", phase_words[state->phase]);
    json_string(writer, "id", state->id);
    json_string(writer, "bundle", state->bundle);
    json_string(writer, "rootfs", state->rootfs);
    json_string(writer, "created", state->created);
    json_u64(writer, "owner", state->owner);
    json_i64(writer, "pid", state->init.pid);
    json_u64(writer, "startTime", state->init.start_time);
    json_i64(writer, "creatorPid", state->creator.pid);
    json_u64(writer, "creatorStartTime", state->creator.start_time);
    json_string(writer, "cgroupManager", manager_words[state->cgroup.manager]);
    if (state->cgroup.path != NULL)
        json_string(writer, "cgroupPath", state->cgroup.path);
    if (state->cgroup.unit != NULL)
        json_string(writer, "systemdUnit", state->cgroup.unit);
    json_bool(writer, "cgroupJoined", state->cgroup.joined);
    write_resctrl(writer, &state->resctrl);
    json_bool(writer, "ownPidNamespace", state->new_pid_ns);
    json_bool(writer, "noProcess", state->no_process);
    json_bool(writer, "keepsKeyring", state->keeps_keyring);
    json_bool(writer, "hooks", state->has_hooks);
    json_map(writer, "annotations", &state->annotations);
    json_close_object(writer);
}

typedef int record_writer(int directory_fd, const char *name, mode_t mode, const void *data, size_t length);

static int save(const struct state_directory *directory, const struct state *state, record_writer *put, struct failure *why)
{
    struct json_writer *writer = json_writer_new(JSON_COMPACT);
    write_record(writer, state);
    size_t length;
    const char *text = json_result(writer, &length);
    int r = put(directory->fd, STATE_RECORD, 0600, text, length);
    json_writer_free(writer);
    return r < 0 ? fail_errno(why, r, "save the state of container `%s`", directory->id) : 0;
}

int state_begin(const struct state_directory *directory, const struct state *state, struct failure *why)
{
    return save(directory, state, file_create_at, why);
}

int state_save(const struct state_directory *directory, const struct state *state, struct failure *why)
{
    return save(directory, state, file_replace_at, why);
}

int state_parse(const char *text, size_t length, struct arena *arena, struct state *ret_state, struct failure *why)
{
    struct record record = {0};
    if (json_read(&record_object, text, length, arena, &record, why) < 0)
        return -1;
    *ret_state = record.state;
    ret_state->phase = record.phase;
    ret_state->cgroup.manager = record.manager;
    ret_state->init.pid = (pid_t)record.init_pid;
    ret_state->creator.pid = (pid_t)record.creator_pid;
    return 0;
}

static bool is_deleted(const struct state_directory *directory)
{
    struct stat st;
    return fstat(directory->fd, &st) == 0 && st.st_nlink == 0;
}

/* A creator has the lock almost from the directory's first moment on, and writes the record next; `delete` has it while it removes
 * the directory.  "does not exist" is what clients look for. */
int state_explain_absence(const struct state_directory *directory, struct failure *why)
{
    if (directory->lock != STATE_UNLOCKED || !(is_deleted(directory) || state_is_locked(directory)))
        return -1;
    fail(why, FAILURE_STATE, "container `%s` does not exist yet, or no longer: another command is making or deleting it", directory->id);
    why->errnum = ENOENT;
    return -1;
}

int state_load(const struct state_directory *directory, struct arena *arena, struct state *ret_state, struct failure *why)
{
    char *text;
    TIMELINE_SLICE(SLICE_RECORD, directory->id);
    ssize_t length = file_read_at(directory->fd, STATE_RECORD, RECORD_LIMIT, arena, &text);
    if (length < 0) {
        fail_errno(why, (int)length, "read the state of container `%s`", directory->id);
        why->kind = FAILURE_STATE;
        (void)failure_hint(why, "it was never finished or is damaged: remove it with delete --force"); /* returned below */
        return length == -ENOENT ? state_explain_absence(directory, why) : -1;
    }
    if (state_parse(text, (size_t)length, arena, ret_state, why) < 0) {
        failure_context(why, "the state of container `%s` is damaged: line %u", directory->id, why->line);
        why->kind = FAILURE_STATE;
        why->pointer[0] = '\0'; /* place and document are no business of the bundle's author */
        why->line = 0;
        (void)failure_hint(why, "remove the container with delete --force"); /* returned below */
        return length == 0 ? state_explain_absence(directory, why) : -1;
    }
    return 0;
}

/* ---- the directory ---- */

int state_check_id(const char *id, struct failure *why)
{
    size_t length = strlen(id);
    size_t good = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-.");
    if (length == 0 || length > 255 || good != length || id[0] == '.') {
        char clean[300];
        text_sanitize(clean, sizeof(clean), id);
        fail(why, FAILURE_USAGE, "invalid container id `%s`", clean);
        return failure_hint(why, "an id has 1 to 255 of the characters A-Z a-z 0-9 _ + - . and does not begin with a dot");
    }
    timeline_name(id);
    return 0;
}

/* Without a deadline. */
static int lock(const struct state_directory *directory, struct failure *why)
{
    int r;
    do
        r = flock(directory->fd, LOCK_EX);
    while (r < 0 && errno == EINTR);
    return r < 0 ? fail_sys(why, "lock the state of container `%s`", directory->id) : 0;
}

/* The holder that a line of /proc/locks names, such as "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF" with device and inode;
 * 0: it is about another file, or a process not to be seen from here. */
static pid_t holder_in(const char *line, const struct stat *file)
{
    const char *kind = text_word(line, 1), *pid = text_word(line, 4), *place = text_word(line, 5);
    if (kind == NULL || place == NULL || !text_starts(kind, "FLOCK "))
        return 0;
    char *end;
    bool same = strtoul(place, &end, 16) == major(file->st_dev) && *end == ':' && strtoul(end + 1, &end, 16) == minor(file->st_dev) &&
                *end == ':' && strtoul(end + 1, &end, 10) == file->st_ino;
    long number = same ? strtol(pid, NULL, 10) : 0;
    return number > 0 && number <= INT_MAX ? (pid_t)number : 0;
}

/* Only read when a failure is to be explained. */
static pid_t lock_holder(const struct state_directory *directory)
{
    struct arena arena = {0};
    struct stat st;
    char *text = NULL;
    pid_t holder = 0;
    if (fstat(directory->fd, &st) == 0 && file_read_at(AT_FDCWD, "/proc/locks", LOCKS_LIMIT, &arena, &text) >= 0)
        for (const char *line = text; *line && holder == 0;) {
            holder = holder_in(line, &st);
            line += strcspn(line, "\n");
            line += *line == '\n';
        }
    arena_done(&arena);
    return holder;
}

static int fail_missing(const char *id, struct failure *why)
{
    fail(why, FAILURE_STATE, "container `%s` does not exist", id);
    why->errnum = ENOENT;
    return -1;
}

static int fail_locked(const struct state_directory *directory, struct failure *why)
{
    char path[64], name[64] = "", clean[64], who[128] = "", letter = '?';
    uint64_t ignored;
    pid_t holder = lock_holder(directory);
    if (holder > 0) {
        snprintf(path, sizeof(path), "/proc/%d/comm", (int)holder);
        IGNORE_RESULT(file_read_line_at(-1, path, name, sizeof(name))); /* "" and '?' when it has just ended */
        IGNORE_RESULT(pid_look(holder, &ignored, &letter));
        text_sanitize(clean, sizeof(clean), name);
        snprintf(who, sizeof(who), ", process %d (%s) in state %c,", (int)holder, clean, letter);
    }
    fail(why, FAILURE_STATE, "another command%s has been busy with container `%s` for %d seconds", who, directory->id,
         STATE_PATIENCE_MS / 1000);
    why->errnum = ETIMEDOUT;
    return failure_hint(why, "wait for it, or use delete --force");
}

static int lock_until(const struct state_directory *directory, int64_t deadline_ms, struct failure *why)
{
    int r = fd_lock_until(directory->fd, deadline_ms);
    if (r < 0 && r != -ETIMEDOUT)
        return fail_errno(why, r, "lock the state of container `%s`", directory->id);
    /* Its holder may have deleted the container, and be busy with the poststop hooks. */
    if (is_deleted(directory))
        return fail_missing(directory->id, why);
    return r < 0 ? fail_locked(directory, why) : 0;
}

bool state_is_locked(const struct state_directory *directory)
{
    if (flock(directory->fd, LOCK_EX | LOCK_NB) < 0)
        return true;
    (void)flock(directory->fd, LOCK_UN); /* ours; cannot fail */
    return false;
}

static int open_root(const char *root, struct failure *why)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? fail_sys(why, "open the state root '%s'", root) : fd;
}

static int make_root(const char *root, struct failure *why)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    int r = errno == ENOENT ? file_make_directories(root, 0700) : -errno;
    if (r < 0) {
        fail_errno(why, r, "make the state root '%s'", root);
        return failure_hint(why, "choose another place with --root");
    }
    return open_root(root, why);
}

static int fail_in_use(const char *id, struct failure *why)
{
    fail(why, FAILURE_STATE, "container with given ID already exists: `%s`", id);
    return failure_hint(why, "remove it with delete, or choose another id");
}

int state_check_unused(const char *root, const char *id, struct failure *why)
{
    struct text path = {0};
    text_format(&path, "%s/%s", root, id);
    bool used = access(path.data, F_OK) == 0;
    text_done(&path);
    return used ? fail_in_use(id, why) : 0;
}

static int fail_deleted(const char *id, struct failure *why)
{
    return fail(why, FAILURE_STATE, "container `%s` was deleted while it was being created", id);
}

/* Opens and locks the directory that was just made.  Until it is locked anybody may delete it by force, and somebody else make one of
 * that name, which is then the one that we have: who has the lock and finds no record is its owner. */
static int take_new(struct state_directory *directory, struct failure *why)
{
    directory->fd = openat(directory->root_fd, directory->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory->fd < 0)
        return errno == ENOENT ? fail_deleted(directory->id, why) : fail_sys(why, "open the state directory of container `%s`", directory->id);
    if (lock(directory, why) < 0)
        return -1;
    if (is_deleted(directory))
        return fail_deleted(directory->id, why);
    return faccessat(directory->fd, STATE_RECORD, F_OK, 0) == 0 ? fail_in_use(directory->id, why) : 0;
}

int state_make(const char *root, const char *id, struct state_directory *ret_directory, struct failure *why)
{
    struct state_directory directory = {.root_fd = make_root(root, why), .fd = -1, .lock = STATE_EXCLUSIVE, .id = id};
    if (directory.root_fd < 0)
        return -1;
    if (mkdirat(directory.root_fd, id, 0700) < 0) {
        if (errno == EEXIST)
            fail_in_use(id, why);
        else
            fail_sys(why, "make the state directory '%s/%s'", root, id);
        state_close(&directory);
        return -1;
    }
    if (take_new(&directory, why) < 0) {
        (void)unlinkat(directory.root_fd, id, AT_REMOVEDIR); /* refused where it is another's; the first failure is reported */
        state_close(&directory);
        return -1;
    }
    *ret_directory = directory;
    return 0;
}

int state_open(const char *root, const char *id, enum state_lock how, struct state_directory *ret_directory, struct failure *why)
{
    struct state_directory directory = {.root_fd = -1, .fd = -1, .lock = how, .id = id};
    if (state_check_id(id, why) < 0)
        return -1;
    directory.root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory.root_fd < 0)
        return errno == ENOENT ? fail_missing(id, why) : fail_sys(why, "open the state root '%s'", root);
    directory.fd = openat(directory.root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory.fd < 0) {
        if (errno == ENOENT)
            fail_missing(id, why);
        else
            fail_sys(why, "open the state directory '%s/%s'", root, id);
        state_close(&directory);
        return -1;
    }
    int r = 0;
    if (how == STATE_EXCLUSIVE)
        r = lock_until(&directory, clock_now_ms() + STATE_PATIENCE_MS, why);
    else if (is_deleted(&directory))
        r = fail_missing(id, why);
    if (r < 0) {
        state_close(&directory);
        return -1;
    }
    *ret_directory = directory;
    return 0;
}

int state_lock_until(struct state_directory *directory, int64_t deadline_ms, struct failure *why)
{
    if (lock_until(directory, deadline_ms, why) < 0)
        return -1;
    directory->lock = STATE_EXCLUSIVE;
    return 0;
}

int state_await_unlocked(const struct state_directory *directory, struct failure *why)
{
    if (lock_until(directory, clock_now_ms() + STATE_PATIENCE_MS, why) < 0)
        return -1;
    (void)flock(directory->fd, LOCK_UN); /* ours; cannot fail */
    return 0;
}

void state_unlock(struct state_directory *directory)
{
    (void)flock(directory->fd, LOCK_UN); /* ours; cannot fail */
    directory->lock = STATE_UNLOCKED;
}

int state_lock_again(struct state_directory *directory, struct failure *why)
{
    if (lock(directory, why) < 0)
        return -1;
    directory->lock = STATE_EXCLUSIVE;
    return is_deleted(directory) ? fail_missing(directory->id, why) : 0;
}

void state_close(struct state_directory *directory)
{
    if (directory->fd >= 0)
        (void)flock(directory->fd, LOCK_UN); /* a child may hold a copy for a moment longer; unlocking cannot fail */
    fd_close(&directory->fd);
    fd_close(&directory->root_fd);
}

/* What is there in nearly every case: without a look around.  The record goes last: until then delete finds all that it needs. */
static bool remove_usual(const struct state_directory *directory)
{
    static const char *const names[] = {STATE_START_SOCKET, STATE_CONFIG, STATE_CGROUP, STATE_RECORD};
    char path[PATH_MAX];
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory->id, names[i]);
        (void)unlinkat(directory->root_fd, path, 0); /* what is left shows below */
    }
    return unlinkat(directory->root_fd, directory->id, AT_REMOVEDIR) == 0;
}

int state_remove(struct state_directory *directory, struct failure *why)
{
    if (remove_usual(directory))
        return 0;
    int r = file_remove_tree_at(directory->root_fd, directory->id);
    return r < 0 && r != -ENOENT ? fail_errno(why, r, "remove the state directory of container `%s`", directory->id) : 0;
}

/* ---- the cgroup's name ---- */

/* "cgroupfs:made::/a/b", "systemd:made:crun-lite-c1.scope:/system.slice/crun-lite-c1.scope" */
int state_keep_cgroup(const struct state_directory *directory, const struct cgroup_name *name, struct failure *why)
{
    if (name->path == NULL)
        return 0;
    struct text target = {0};
    text_format(&target, "%s:%s:%s:%s", manager_words[name->manager], name->joined ? "joined" : "made", name->unit ? name->unit : "", name->path);
    int r = symlinkat(target.data, directory->fd, STATE_CGROUP) < 0 ? -errno : 0;
    text_done(&target);
    return r < 0 ? fail_errno(why, r, "note the cgroup of container `%s`", directory->id) : 0;
}

int state_find_cgroup(const struct state_directory *directory, struct arena *arena, struct cgroup_name *ret_name)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(directory->fd, STATE_CGROUP, target, sizeof(target) - 1);
    if (length < 0)
        return -errno;
    target[length] = '\0';
    char *part[4] = {target};
    for (int i = 1; i < 4; i++) {
        char *colon = strchr(part[i - 1], ':');
        if (colon == NULL)
            return -EINVAL;
        *colon = '\0';
        part[i] = colon + 1;
    }
    struct cgroup_name name = {.joined = text_equal(part[1], "joined")};
    while (manager_words[name.manager] != NULL && !text_equal(part[0], manager_words[name.manager]))
        name.manager++;
    /* Guessing could remove what is not ours. */
    if (manager_words[name.manager] == NULL || (!name.joined && !text_equal(part[1], "made")) || part[3][0] != '/')
        return -EINVAL;
    name.unit = part[2][0] ? arena_copy(arena, part[2]) : NULL;
    name.path = arena_copy(arena, part[3]);
    *ret_name = name;
    return 0;
}

/* ---- the resctrl group's name ---- */

/* "made/own/c1/c1", "found/shared//gold", "found/shared/c1//": of the parts only a root group has a slash, and it is last. */
int state_keep_resctrl(const struct state_directory *directory, const struct resctrl_name *name, struct failure *why)
{
    if (name->group == NULL)
        return 0;
    struct text target = {0};
    text_format(&target, "%s/%s/%s/%s", name->made ? "made" : "found", name->shared ? "shared" : "own", name->monitor ? name->monitor : "",
                name->group);
    int r = unlinkat(directory->fd, STATE_RESCTRL, 0) < 0 && errno != ENOENT ? -errno : 0;
    if (r == 0 && symlinkat(target.data, directory->fd, STATE_RESCTRL) < 0)
        r = -errno;
    text_done(&target);
    return r < 0 ? fail_errno(why, r, "note the resctrl group of container `%s`", directory->id) : 0;
}

int state_find_resctrl(const struct state_directory *directory, struct arena *arena, struct resctrl_name *ret_name)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(directory->fd, STATE_RESCTRL, target, sizeof(target) - 1);
    if (length < 0)
        return -errno;
    target[length] = '\0';
    char *part[4] = {target};
    for (int i = 1; i < 4; i++) {
        char *slash = strchr(part[i - 1], '/');
        if (slash == NULL)
            return -EINVAL;
        *slash = '\0';
        part[i] = slash + 1;
    }
    bool made = text_equal(part[0], "made"), own = text_equal(part[1], "own");
    /* Guessing could remove what is not ours. */
    if ((!made && !text_equal(part[0], "found")) || (!own && !text_equal(part[1], "shared")) || part[3][0] == '\0')
        return -EINVAL;
    *ret_name = (struct resctrl_name){
        .group = arena_copy(arena, part[3]),
        .monitor = part[2][0] ? arena_copy(arena, part[2]) : NULL,
        .shared = !own,
        .made = made,
    };
    return 0;
}

/* ---- status ---- */

static bool is_paused(const struct state *state)
{
    if (state->cgroup.path == NULL)
        return false;
    CLEANUP_FD int fd = cgroup_open(&state->cgroup);
    return fd >= 0 && cgroup_is_frozen(fd);
}

enum state_status state_status(const struct state *state)
{
    if (state->phase == PHASE_CREATING)
        return pid_alive(&state->creator) ? STATUS_CREATING : STATUS_STOPPED;
    enum pid_life life = pid_life(&state->init);
    if (life == PID_OVER)
        return STATUS_STOPPED;
    if (is_paused(state))
        return STATUS_PAUSED;
    return life == PID_WAITS ? STATUS_CREATED : STATUS_RUNNING;
}

void state_document(struct json_writer *writer, const struct state *state, enum state_status status, int pid)
{
    json_open_object(writer);
    json_string(writer, "ociVersion", SPEC_VERSION);
    json_string(writer, "id", state->id);
    json_i64(writer, "pid", pid);
    json_string(writer, "status", state_status_words[status]);
    json_string(writer, "bundle", state->bundle);
    json_string(writer, "rootfs", state->rootfs);
    json_string(writer, "created", state->created);
    json_map(writer, "annotations", &state->annotations);
    char owner[16];
    snprintf(owner, sizeof(owner), "%u", state->owner);
    json_string(writer, "owner", owner);
    if (state->cgroup.unit != NULL)
        json_string(writer, "systemdScope", state->cgroup.unit);
    if (state->resctrl.group != NULL)
        json_string(writer, "resctrlGroup", state->resctrl.group);
    json_close_object(writer);
}
