/*
 * cgroups/fs.c: the only writer of cgroupfs files that set limits.
 *
 * Runs in the creator and the update command.  Should: walk by directory fd, name the file, the value and the
 * cgroup in every message. Must not: decide what to write (limits.c) or where (path.c).
 */
#include "cgroups/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#define CONTENT_LIMIT ((size_t)64 * 1024) /* of a file with one line per device */

/* ---- making ---- */

void fs_unmake(int root_fd, const char *path, unsigned levels)
{
    char below[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof below)
        return;
    memcpy(below, path, length + 1);
    for (; levels > 0; levels--) {
        char *slash = strrchr(below, '/');
        if (!slash || unlinkat(root_fd, below + 1, AT_REMOVEDIR) < 0)
            return; /* somebody else uses it by now */
        *slash = '\0';
    }
}

int fs_explain_directory(const char *what, const char *path, struct failure *why)
{
    int errnum = errno;
    fail_errno(why, errnum, "%s cgroup '%s'", what, path);
    switch (errnum) {
    case EACCES:
    case EPERM:
        return failure_hint(
            why, "have systemd delegate a cgroup: systemd-run --user --scope -p Delegate=yes COMMAND, or run "
                 "without limits");
    case EROFS:
        return failure_hint(
            why,
            "the cgroup file system is mounted read-only: give --cgroup-manager disabled to run without limits");
    case EAGAIN:
        return failure_hint(why, "cgroup.max.descendants or cgroup.max.depth of a cgroup above it is reached");
    case ENOTDIR:
        why->kind = FAILURE_CONFIG;
        (void)failure_hint(
            why,
            "a component of the path is the name of one of the kernel's own files: choose another cgroupsPath"); /* returned below */
        return failure_pointer(why, "/linux/cgroupsPath");
    default:
        return -1;
    }
}

/* One step down; 1 when the directory was made, 0 when it was there. */
static int make_level(int *fd, const char *name, const char *path, struct failure *why)
{
    int made = mkdirat(*fd, name, 0755) == 0;
    if (!made && errno != EEXIST)
        return fs_explain_directory("make", path, why);
    int next = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) {
        (void)fs_explain_directory("open", path, why);
        if (made)
            (void)unlinkat(*fd, name, AT_REMOVEDIR); /* the first failure is the one to report */
        return -1;
    }
    fd_close(fd);
    *fd = next;
    return made;
}

int fs_make(int root_fd, const char *path, const struct controllers *needed, struct cgroup *cgroup,
            struct failure *why)
{
    char at[PATH_MAX], name[NAME_MAX + 1];
    CLEANUP_FD int fd = fd_duplicate(root_fd, 3);
    if (fd < 0)
        return fail_errno(why, fd, "duplicate a descriptor");
    unsigned made_levels = 0;
    at[0] = '\0';
    for (const char *rest = path; *rest;) {
        rest += strspn(rest, "/");
        size_t length = strcspn(rest, "/"), so_far = strlen(at);
        if (length == 0)
            break;
        if (length > NAME_MAX || so_far + length + 2 > sizeof at)
            return fail_config(why, "/linux/cgroupsPath", "the cgroup path '%.64s…' is too long", path);
        /* From the top: a controller is available below only where every cgroup above passes it on. */
        if (controllers_enable(fd, so_far ? at : "/", needed, why) < 0)
            goto undo;
        memcpy(name, rest, length);
        name[length] = '\0';
        at[so_far] = '/';
        memcpy(at + so_far + 1, name, length + 1);
        int made = make_level(&fd, name, at, why);
        if (made < 0) {
            at[so_far] = '\0';
            goto undo;
        }
        made_levels = made ? made_levels + 1 : 0;
        rest += length;
    }
    cgroup->fd = fd_steal(&fd);
    cgroup->created = made_levels > 0;
    cgroup->made_levels = made_levels;
    return 0;

undo:
    fs_unmake(root_fd, at, made_levels);
    return -1;
}

/* ---- writing ---- */

static int check_usage(int fd, const struct cgroup_write *write, struct failure *why)
{
    char line[64];
    uint64_t limit, usage;
    /* Unreadable: no memory controller yet, so there is no usage either. */
    if (text_to_u64(write->value, UINT64_MAX, &limit) < 0 ||
        file_read_line_at(fd, "memory.current", line, sizeof line) < 0 || text_to_u64(line, UINT64_MAX, &usage) < 0)
        return 0;
    if (limit > usage)
        return 0;
    fail_config(why, write->pointer,
                "memory.limit %" PRIu64 " is not above the %" PRIu64 " bytes in use, and checkBeforeUpdate is set",
                limit, usage);
    return failure_hint(why,
                        "free memory in the container first, or leave checkBeforeUpdate out to have it reclaimed");
}

static int explain_missing(int fd, const char *path, const struct cgroup_write *write, struct failure *why)
{
    char available[512] = "";
    if (write->controller && file_read_line_at(fd, "cgroup.controllers", available, sizeof available) >= 0 &&
        available[0] == '\0')
        (void)fail(why, FAILURE_HOST, "cgroup '%s' has no file '%s': it has no controller at all", path,
                   write->file);
    else if (write->other_file)
        (void)fail(why, FAILURE_HOST, "cgroup '%s' has neither '%s' nor '%s'", path, write->file,
                   write->other_file);
    else
        (void)fail(why, FAILURE_HOST, "cgroup '%s' has no file '%s'", path, write->file);
    if (write->controller && text_equal(write->controller, "io") && write->other_file)
        (void)failure_hint(why, "weights need the kernel's BFQ scheduler or CONFIG_BLK_CGROUP_IOCOST");
    else
        (void)failure_hint(why, "this kernel does not offer it: leave the member out");
    return failure_pointer(why, "%s", write->pointer);
}

static int explain_write(int fd, const char *path, const struct cgroup_write *write, int errnum,
                         struct failure *why)
{
    if (errnum == ENOENT)
        return explain_missing(fd, path, write, why);
    fail_errno(why, errnum, "write '%.200s' to '%s' of cgroup '%s'", write->value, write->file, path);
    switch (errnum) {
    case EINVAL:
    case ERANGE:
    case ENODEV:
    case EOPNOTSUPP:
        why->kind = FAILURE_CONFIG; /* the kernel understood the request and refused the value */
        if (errnum == EOPNOTSUPP && write->other_file)
            (void)failure_hint(why, "weights need the BFQ scheduler on the device, or iocost (io.cost.qos)");
        break;
    case EBUSY:
        (void)failure_hint(why, "more is in use already than the new limit allows");
        break;
    default:
        break;
    }
    return failure_pointer(why, "%s", write->pointer);
}

int fs_check_usage(int fd, const struct limits *limits, struct failure *why)
{
    for (size_t i = 0; i < limits->count; i++)
        if ((limits->writes[i].flags & WRITE_CHECKS_USAGE) && check_usage(fd, &limits->writes[i], why) < 0)
            return -1;
    return 0;
}

/* 0 or -errno; nothing is built. */
static int write_plain(int fd, const struct cgroup_write *write)
{
    int done = file_write_text_at(fd, write->file, write->value);
    /* io.bfq.weight without BFQ in the kernel, or on this device. */
    if ((done == -ENOENT || done == -EOPNOTSUPP) && write->other_file) {
        int other = file_write_text_at(fd, write->other_file, write->other_value);
        done = other == -ENOENT ? done : other;
    }
    if (done == -ENOENT && (write->flags & (WRITE_MAY_BE_MISSING | WRITE_IS_DEFAULT)))
        return 0;
    if (done == -EINVAL && (write->flags & WRITE_FIRST_TRY))
        return 0;
    return done;
}

int fs_write(int fd, const char *path, const struct cgroup_write *write, struct failure *why)
{
    if ((write->flags & WRITE_CHECKS_USAGE) && check_usage(fd, write, why) < 0)
        return -1;
    int done = write_plain(fd, write);
    return done < 0 ? explain_write(fd, path, write, -done, why) : 0;
}

/* ---- taking back ---- */

/* Files of one line per device or resource: a write names one of them by its first word. */
static const struct keyed_file {
    const char *name;
    const char *nothing; /* what a key that is not listed stands at */
} keyed_files[] = {
    {"io.max", "rbps=max wbps=max riops=max wiops=max"},
    {"io.weight", "default"},
    {"io.bfq.weight", "default"},
    {"io.latency", "target=max"},
    {"rdma.max", "hca_handle=max hca_object=max"},
    {"misc.max", "max"},
    {"dmem.max", "max"},
};

/* "8:0 rbps=1" -> "8:0"; a weight without a device is that of all, "default". */
static const char *key_of(struct arena *arena, const char *value)
{
    size_t length = strcspn(value, " ");
    return value[length] ? arena_copy_n(arena, value, length) : "default";
}

/* The line of `content` that begins with the key, or NULL. */
static const char *find_line(struct arena *arena, const char *content, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = content; *line;) {
        size_t end = strcspn(line, "\n");
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return arena_copy_n(arena, line, end);
        line += end + (line[end] == '\n');
    }
    return NULL;
}

static const char *old_value(struct arena *arena, const char *file, const char *value, const char *content)
{
    for (size_t i = 0; i < ARRAY_LENGTH(keyed_files); i++) {
        if (!text_equal(file, keyed_files[i].name))
            continue;
        const char *key = key_of(arena, value), *line = find_line(arena, content, key);
        return line ? line : arena_format(arena, "%s %s", key, keyed_files[i].nothing);
    }
    size_t length = strcspn(content, "\n");
    return length > 0 ? arena_copy_n(arena, content, length) : "\n"; /* a write of no bytes would not reach the file */
}

static void save_one(int fd, const char *file, const char *value, struct arena *arena, struct limits *old)
{
    char *content;
    /* Missing, or an action that cannot be read: nothing to put back. */
    if (file_read_at(fd, file, CONTENT_LIMIT, arena, &content) >= 0)
        old->writes[old->count++] =
            (struct cgroup_write){.file = file, .value = old_value(arena, file, value, content)};
}

void fs_save(int fd, const struct limits *limits, struct arena *arena, struct limits *ret_old)
{
    struct limits old = {.writes = arena_alloc(arena, (2 * limits->count + 1) * sizeof *old.writes)};
    for (size_t i = 0; i < limits->count; i++) {
        const struct cgroup_write *write = &limits->writes[i];
        save_one(fd, write->file, write->value, arena, &old);
        if (write->other_file) /* which of the two takes it is not known yet */
            save_one(fd, write->other_file, write->other_value, arena, &old);
    }
    *ret_old = old;
}

void fs_put_back(int fd, const struct limits *old)
{
    for (size_t i = old->count; i-- > 0;) {
        int done = file_write_text_at(fd, old->writes[i].file, old->writes[i].value);
        if (done < 0)
            log_debug("put '%s' back into '%s': %s", old->writes[i].value, old->writes[i].file, text_errno(-done));
    }
}
