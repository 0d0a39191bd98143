/*
 * container/update.c: new limits for a live container.
 *
 * Runs in the CLI process.  What is in force is known from the record: resources.json of the last update, else
 * config.json.  The new record is on disk before the first limit changes, and takes the old one's place by rename after
 * the last one did.
 */
#include <errno.h>
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
    struct spec_intel_rdt schemas, old_schemas;
};

/* ---- what is asked for ---- */

static int read_document(const char *path, struct arena *arena, struct spec_resources *ret_resources, struct failure *why)
{
    char *text = NULL;
    ssize_t length = file_read_stream(path, SPEC_SIZE_LIMIT, arena, &text);
    if (length == -EFBIG)
        return fail(why, FAILURE_CONFIG, "the resources '%s' are larger than %zu MiB", path, SPEC_SIZE_LIMIT >> 20);
    if (length < 0)
        return fail_errno(why, (int)length, "read the resources '%s'", path);
    return spec_parse_resources(text, (size_t)length, arena, ret_resources, why);
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

static int read_held(struct update *update, struct failure *why)
{
    char *text;
    ssize_t length = file_read_at(update->live.directory.fd, STATE_RESOURCES, SPEC_SIZE_LIMIT, &update->live.arena, &text);
    if (length >= 0)
        return spec_parse_resources(text, (size_t)length, &update->live.arena, &update->held, why);
    if (length != -ENOENT)
        return fail_errno(why, (int)length, "read the resources of container `%s`", update->live.state.id);
    if (spec_read(update->live.directory.fd, STATE_CONFIG, &update->spec, why) < 0)
        return -1;
    update->held = update->spec.linux.resources;
    return 0;
}

static int write_next(const struct update *update, struct failure *why)
{
    struct json_writer *writer = json_writer_new(JSON_COMPACT);
    size_t length;
    int fd = update->live.directory.fd;
    resources_write(writer, &update->after);
    const char *text = json_result(writer, &length);
    /* One that a killed update left; nobody else has the lock. */
    int r = unlinkat(fd, NEXT_RESOURCES, 0) < 0 && errno != ENOENT ? -errno : 0;
    if (r == 0)
        r = file_create_at(fd, NEXT_RESOURCES, 0600, text, length);
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
    return root < 0 ? -1 : resctrl_update(root, &state->resctrl, schemas, &update->live.arena, ret_old, why);
}

static int write_limits(struct update *update, struct failure *why)
{
    int directory = update->live.directory.fd;
    struct spec_resources asked = cgroup_update_plan(&update->held, &update->given, &update->after);
    if (cgroup_update(&update->live.state.cgroup, &asked, &update->live.arena, why) < 0)
        return -1;
    if (renameat(directory, NEXT_RESOURCES, directory, STATE_RESOURCES) < 0)
        return fail_sys(why, "keep the resources of container `%s`", update->live.state.id);
    return 0;
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
    if (live_open(runtime, id, STATE_EXCLUSIVE, &update->live, why) < 0 || read_held(update, why) < 0)
        return -1;
    update->after = resources_merge(&update->held, &update->given, &update->live.arena);
    /* The two together: the document alone may look contradictory and fit what is in force, and the other way round. */
    if (spec_check_resources(&update->after, "", why) < 0 || write_next(update, why) < 0)
        return -1;
    if (carry_out(update, why) == 0)
        return 0;
    (void)unlinkat(update->live.directory.fd, NEXT_RESOURCES, 0); /* the next update would, too */
    return -1;
}

/* The pointer is one into the resources, not into config.json. */
static void explain_place(struct failure *why)
{
    char place[sizeof(why->pointer)];
    const char *prefix = "/linux/resources";
    snprintf(place, sizeof(place), "%s", why->pointer + (text_starts(why->pointer, prefix) ? strlen(prefix) : 0));
    why->pointer[0] = '\0';
    if (place[0] != '\0')
        failure_context(why, "%s of the new resources", place);
}

int container_update(const struct runtime *runtime, const char *id, const struct update_request *request, struct failure *why)
{
    struct update update = {.live = {.directory = {.root_fd = -1, .fd = -1}, .cgroup = -1}};
    int r = read_request(request, &update, why);
    if (r == 0)
        r = update_all(runtime, id, &update, why);
    if (r < 0)
        explain_place(why);
    live_close(&update.live);
    spec_done(&update.spec);
    arena_done(&update.arena);
    return r;
}
