/*
 * container/update.c: new limits for a live container.
 *
 * Runs in the CLI process.  What is in force is known from the record: resources.json of the last update, else
 * config.json.  The new record is on disk before the first limit changes, and takes the old one's place by rename after
 * the last one did.  One that is on disk when an update begins was left by an update that somebody killed: the limits may be
 * the old ones, the new ones or some of each, so everything is written again, and it stays there until that has come about.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "container/live.h"
#include "spec/read.h"
#include "spec/resources.h"

#define NEXT_RESOURCES STATE_RESOURCES ".next"

struct update {
    struct arena arena; /* of what is asked for */
    struct live live;   /* of what is in force, where an update was before */
    struct spec spec;   /* as create kept it: of what is in force, where none was */
    struct spec_resources held, given, after;
    bool interrupted; /* an update before this one was: `held` is what is recorded, and perhaps not in force */
    struct spec_intel_rdt schemas, old_schemas;
};

/* ---- what is asked for ---- */

/* Of a failure of what is asked for: the pointer is one into the resources, not into config.json. */
static int explain_place(struct failure *why)
{
    char place[sizeof(why->pointer)];
    const char *prefix = "/linux/resources";
    snprintf(place, sizeof(place), "%s", why->pointer + (text_starts(why->pointer, prefix) ? strlen(prefix) : 0));
    why->pointer[0] = '\0';
    return place[0] != '\0' ? failure_context(why, "%s of the new resources", place) : -1;
}

static int read_document(const char *path, struct arena *arena, struct spec_resources *ret_resources, struct failure *why)
{
    char *text = NULL;
    ssize_t length = file_read_stream(path, SPEC_SIZE_LIMIT, arena, &text);
    if (length == -EFBIG)
        return fail(why, FAILURE_CONFIG, "the resources '%s' are larger than %zu MiB", path, SPEC_SIZE_LIMIT >> 20);
    if (length < 0)
        return fail_errno(why, (int)length, "read the resources '%s'", path);
    /* Counted here, because the lock is held while they are merged. */
    if (spec_parse_resources(text, (size_t)length, arena, ret_resources, why) < 0 || resources_check_lists(ret_resources, why) < 0)
        return explain_place(why);
    return 0;
}

/* Before the lock is taken: standard input may take its time. */
static int read_request(const struct update_request *request, struct update *update, struct failure *why)
{
    struct spec_resources document = {0};
    struct arena *arena = &update->arena;
    if (request->document != NULL && read_document(request->document, arena, &document, why) < 0)
        return -1;
    update->given = request->document != NULL ? resources_merge(&document, &request->resources, arena) : request->resources;
    update->given.set = true;
    update->schemas = request->intel_rdt;
    return 0;
}

/* ---- what is in force ---- */

/* Our own document, which nobody is asked to mend: its place is no business of whoever wrote the new one. */
static int explain_damage(const struct update *update, const char *file, struct failure *why)
{
    const char *id = update->live.state.id;
    if (why->line > 0)
        failure_context(why, "the record of container `%s` is damaged: %s line %u", id, file, why->line);
    else
        failure_context(why, "the record of container `%s` is damaged: %s", id, file);
    why->kind = FAILURE_STATE;
    why->pointer[0] = '\0';
    why->document[0] = '\0';
    why->line = 0;
    if (text_equal(file, STATE_CONFIG))
        return failure_hint(why, "remove the container with delete --force");
    return failure_hint(why, "rename it to %s: the next update starts from config.json and writes everything; or remove the container "
                             "with delete --force", NEXT_RESOURCES);
}

static int read_held(struct update *update, struct failure *why)
{
    char *text;
    ssize_t length = file_read_at(update->live.directory.fd, STATE_RESOURCES, SPEC_SIZE_LIMIT, &update->live.arena, &text);
    if (length >= 0 && spec_parse_resources(text, (size_t)length, &update->live.arena, &update->held, why) < 0)
        return explain_damage(update, STATE_RESOURCES, why);
    if (length >= 0)
        return 0;
    if (length != -ENOENT) {
        fail_errno(why, (int)length, "read it");
        return explain_damage(update, STATE_RESOURCES, why);
    }
    if (spec_read(update->live.directory.fd, STATE_CONFIG, &update->spec, why) < 0)
        return explain_damage(update, STATE_CONFIG, why);
    update->held = update->spec.linux.resources;
    return 0;
}

/* A container without a cgroup has no limits that could have changed. */
static int look_for_interrupted(struct update *update, struct failure *why)
{
    int r = faccessat(update->live.directory.fd, NEXT_RESOURCES, F_OK, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
    update->interrupted = r == 0 && update->live.state.cgroup.path != NULL;
    return r == 0 || r == -ENOENT ? 0 : fail_errno(why, r, "look for an interrupted update of container `%s`", update->live.state.id);
}

static int write_next(const struct update *update, struct failure *why)
{
    struct json_writer *writer = json_writer_new(JSON_COMPACT);
    size_t length;
    resources_write(writer, &update->after);
    const char *text = json_result(writer, &length);
    /* By rename: one that a killed update left says so without a gap. */
    int r = file_replace_at(update->live.directory.fd, NEXT_RESOURCES, 0600, text, length);
    json_writer_free(writer);
    return r < 0 ? fail_errno(why, r, "keep the resources of container `%s`", update->live.state.id) : 0;
}

/* ---- the order ---- */

/* In the place of what the group has; *old_schemas takes it back. */
static int update_schemas(struct update *update, const struct spec_intel_rdt *schemas, struct spec_intel_rdt *ret_old, struct failure *why)
{
    const struct state *state = &update->live.state;
    if (schemas->l3_cache_schema == NULL && schemas->mem_bw_schema == NULL)
        return 0;
    if (state->resctrl.group == NULL) {
        fail(why, FAILURE_STATE, "container `%s` is in no resctrl group of its own", state->id);
        return failure_hint(why, "it was made without linux.intelRdt");
    }
    CLEANUP_FD int root = resctrl_open(why);
    if (root >= 0 && resctrl_update(root, &state->resctrl, schemas, &update->live.arena, ret_old, why) == 0)
        return 0;
    why->pointer[0] = '\0'; /* they came from the command line, not from a document */
    return -1;
}

static int keep_resources(void *argument, struct failure *why)
{
    const struct update *update = argument;
    int directory = update->live.directory.fd;
    if (renameat(directory, NEXT_RESOURCES, directory, STATE_RESOURCES) < 0)
        return fail_sys(why, "keep the resources of container `%s`", update->live.state.id);
    return 0;
}

static int write_limits(struct update *update, struct failure *why)
{
    const struct cgroup_keeping keeping = {.keep = keep_resources, .argument = update, .held = &update->held};
    struct spec_resources asked = cgroup_update_plan(update->interrupted ? NULL : &update->held, &update->given, &update->after);
    return cgroup_update(&update->live.state.cgroup, &asked, &keeping, &update->live.arena, why) < 0 ? explain_place(why) : 0;
}

static int carry_out(struct update *update, struct failure *why)
{
    struct spec_intel_rdt ignored;
    struct failure second;
    if (update_schemas(update, &update->schemas, &update->old_schemas, why) < 0)
        return -1;
    if (write_limits(update, why) == 0)
        return 0;
    IGNORE_RESULT(update_schemas(update, &update->old_schemas, &ignored, &second)); /* the first failure is reported */
    return -1;
}

static int update_all(const struct runtime *runtime, const char *id, struct update *update, struct failure *why)
{
    if (live_find(runtime, id, STATE_EXCLUSIVE, &update->live, why) < 0 || look_for_interrupted(update, why) < 0 ||
        read_held(update, why) < 0)
        return -1;
    update->after = resources_merge(&update->held, &update->given, &update->live.arena);
    /* The two together: the document alone may look contradictory and fit what is in force, and the other way round. */
    if (spec_check_resources(&update->after, "", why) < 0)
        return explain_place(why);
    if (write_next(update, why) < 0)
        return -1;
    if (carry_out(update, why) == 0)
        return 0;
    /* What is in force is what is recorded, unless that was not known before.  A failure makes the next update write more. */
    if (!update->interrupted)
        (void)unlinkat(update->live.directory.fd, NEXT_RESOURCES, 0);
    return -1;
}

static int prepare_manager(const struct runtime *runtime, const char *id, struct failure *why)
{
    struct live live;
    int r = live_find(runtime, id, STATE_UNLOCKED, &live, why);
    if (r == 0)
        r = cgroup_prepare(live.state.cgroup.manager, why);
    live_close(&live);
    return r;
}

int container_update(const struct runtime *runtime, const char *id, const struct update_request *request, struct failure *why)
{
    struct update update = {.live = {.directory = {.root_fd = -1, .fd = -1}, .cgroup = -1}};
    /* First of all: the program may start over, which must find our stdin unread. */
    int r = prepare_manager(runtime, id, why);
    if (r == 0)
        r = read_request(request, &update, why);
    if (r == 0)
        r = update_all(runtime, id, &update, why);
    live_close(&update.live);
    spec_done(&update.spec);
    arena_done(&update.arena);
    return r;
}
