/*
 * cgroups/controllers.c: cgroup.subtree_control.
 *
 * Runs in the creator and the update command.  Should: when a controller cannot be had say which, in which cgroup
 * it stops, and why. Must not: switch a controller off, or fail for one that no limit needs.
 */
#include "cgroups/controllers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define CONTROL "cgroup.subtree_control"
#define LINE_SIZE 512 /* all controllers of Linux 6.18 take 70 bytes */

/* Without them stats, OOM detection and kubelet's eviction see nothing of a container that has no limits. */
static const char *const accounting[] = {"cpu", "io", "memory", "pids"};

struct controllers controllers_of(const struct limits *limits, struct arena *arena)
{
    struct controllers needed = {0};
    for (size_t i = 0; i < limits->count; i++) {
        const struct cgroup_write *write = &limits->writes[i];
        if (!write->controller || (write->flags & WRITE_IS_DEFAULT))
            continue;
        size_t at = 0;
        while (at < needed.count && !text_equal(needed.items[at].name, write->controller))
            at++;
        if (at < needed.count)
            continue;
        needed.items = arena_grow_one(arena, needed.items, needed.count, sizeof *needed.items);
        needed.items[needed.count++] = (struct controller_need){write->controller, write->pointer};
    }
    return needed;
}

static bool has_word(const char *line, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = line; *at;) {
        size_t here = strcspn(at, " ");
        if (here == length && memcmp(at, word, length) == 0)
            return true;
        at += here + (at[here] == ' ');
    }
    return false;
}

static int explain_refusal(int fd, const char *path, const char *name, int errnum, struct failure *why)
{
    char type[64] = "";
    fail_errno(why, errnum, "cannot enable controller '%s' for the children of cgroup '%s'", name, path);
    switch (errnum) {
    case EROFS:
        return failure_hint(
            why, "the cgroup file system is mounted read-only: leave the limit out, or run where it is writable");
    case EACCES:
    case EPERM:
        return failure_hint(
            why,
            "this cgroup belongs to somebody else: run in a delegated one (systemd-run --user --scope "
            "-p Delegate=yes, or a drop-in with Delegate=%s for user@.service)",
            name);
    case EBUSY:
        return failure_hint(
            why, "processes live in that cgroup, and such a cgroup cannot have limited children: move them to a "
                 "child of it, or choose another cgroupsPath");
    case EOPNOTSUPP:
        if (file_read_line_at(fd, "cgroup.type", type, sizeof type) < 0)
            type[0] = '\0';
        return failure_hint(
            why, "its cgroup.type is '%s', and '%s' needs a domain cgroup: choose another cgroupsPath", type, name);
    case EINVAL:
        if (text_equal(name, "cpu"))
            return failure_hint(
                why,
                "with CONFIG_RT_GROUP_SCHED the cpu controller can be enabled only while no realtime process is "
                "outside the root cgroup");
        return -1;
    default:
        return -1;
    }
}

static int explain_absence(const char *path, const char *name, struct failure *why)
{
    if (text_equal(path, "/")) {
        fail(why, FAILURE_HOST,
             "the kernel does not offer controller '%s' on cgroup v2 here: it is not in cgroup.controllers of '/'",
             name);
        return failure_hint(
            why, "if cgroup v1 holds it, boot with systemd.unified_cgroup_hierarchy=1 (or cgroup_no_v1=all); "
                 "else leave the limit out");
    }
    fail(why, FAILURE_HOST, "controller '%s' stops above cgroup '%s': it is not in cgroup.controllers there", name,
         path);
    return failure_hint(
        why, "have it delegated (for user@.service: a drop-in with Delegate=%s), or leave the limit out", name);
}

/* Called after a failed write: finds the controller that is to blame. */
static int explain(int fd, const char *path, const struct controllers *needed, const char *present,
                   struct failure *why)
{
    char available[LINE_SIZE];
    if (file_read_line_at(fd, "cgroup.controllers", available, sizeof available) < 0)
        available[0] = '\0';
    for (size_t i = 0; i < needed->count; i++) {
        const struct controller_need *need = &needed->items[i];
        if (has_word(present, need->name))
            continue;
        if (!has_word(available, need->name)) {
            explain_absence(path, need->name, why);
            return failure_pointer(why, "%s", need->pointer);
        }
        struct text request = {0};
        text_format(&request, "+%s", need->name);
        int done = file_write_text_at(fd, CONTROL, request.data);
        text_done(&request);
        if (done < 0) {
            explain_refusal(fd, path, need->name, -done, why);
            return failure_pointer(why, "%s", need->pointer);
        }
    }
    return 0; /* one by one they all could be enabled */
}

static void add_missing(struct text *request, const char *present, const char *name)
{
    if (!has_word(present, name))
        text_format(request, "%s+%s", request->length ? " " : "", name);
}

static bool accounting_is_complete(const char *present)
{
    for (size_t i = 0; i < ARRAY_LENGTH(accounting); i++)
        if (!has_word(present, accounting[i]))
            return false;
    return true;
}

/* Best effort, one by one: the reason why one of them fails (realtime processes, inner processes) need not concern
 * the others. */
static void enable_accounting(int fd, const char *present)
{
    char available[LINE_SIZE];
    if (file_read_line_at(fd, "cgroup.controllers", available, sizeof available) < 0)
        return;
    struct text request = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(accounting); i++)
        if (has_word(available, accounting[i]))
            add_missing(&request, present, accounting[i]);
    if (request.length > 0 && file_write_text_at(fd, CONTROL, request.data) == -EINVAL)
        for (size_t i = 0; i < ARRAY_LENGTH(accounting); i++) {
            text_done(&request);
            request = (struct text){0};
            text_format(&request, "+%s", accounting[i]);
            /* No limit depends on it. */
            int ignored = has_word(available, accounting[i]) ? file_write_text_at(fd, CONTROL, request.data) : 0;
            (void)ignored;
        }
    text_done(&request);
}

int controllers_enable(int fd, const char *path, const struct controllers *needed, struct failure *why)
{
    char present[LINE_SIZE];
    ssize_t length = file_read_line_at(fd, CONTROL, present, sizeof present);
    if (length < 0)
        return fail_errno(why, (int)-length, "read " CONTROL " of cgroup '%s'", path);
    struct text request = {0};
    for (size_t i = 0; i < needed->count; i++)
        add_missing(&request, present, needed->items[i].name);
    int done = request.length > 0 ? file_write_text_at(fd, CONTROL, request.data) : 0;
    text_done(&request);
    if (done < 0 && explain(fd, path, needed, present, why) < 0)
        return -1;
    if (!accounting_is_complete(present))
        enable_accounting(fd, present);
    return 0;
}

/* The kernel keeps these out of a cgroup that has both processes and children; the others may go there as threads. */
static bool is_domain_controller(const char *name)
{
    static const char *const names[] = {"memory", "io", "hugetlb", "rdma", "misc"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (text_equal(name, names[i]))
            return true;
    return false;
}

static bool has_processes(int fd)
{
    char line[32];
    /* The root cgroup, which has no type, may have both. */
    return faccessat(fd, "cgroup.type", F_OK, 0) == 0 && file_read_line_at(fd, "cgroup.procs", line, sizeof line) > 0;
}

static int probe_controller(int fd, const char *path, const struct controller_need *need, const char *available, struct failure *why)
{
    if (!has_word(available, need->name))
        (void)explain_absence(path, need->name, why); /* the pointer follows, here and below */
    else if (faccessat(fd, CONTROL, W_OK, AT_EACCESS) < 0)
        (void)explain_refusal(fd, path, need->name, errno, why);
    else if (is_domain_controller(need->name) && has_processes(fd))
        (void)explain_refusal(fd, path, need->name, EBUSY, why);
    else
        return 0;
    return failure_pointer(why, "%s", need->pointer);
}

int controllers_probe(int fd, const char *path, const struct controllers *needed, struct findings *findings)
{
    char present[LINE_SIZE], available[LINE_SIZE];
    if (file_read_line_at(fd, CONTROL, present, sizeof present) < 0 ||
        file_read_line_at(fd, "cgroup.controllers", available, sizeof available) < 0)
        return 0; /* then nothing is known */
    for (size_t i = 0; i < needed->count; i++)
        if (!has_word(present, needed->items[i].name) &&
            found(findings, probe_controller(fd, path, &needed->items[i], available, findings->why)) < 0)
            return -1;
    return 0;
}
