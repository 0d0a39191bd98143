/*
 * spec/read.c: from a file or a buffer to the structs of spec.h.
 *
 * Runs in: creator, exec, update.  Must not look at the host beyond the one file it reads.
 */
#include "spec/read.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/timeline.h"
#include "spec/tables.h"

/* Too large, or not there: an end in both ways of reporting. */
static int end_reading(struct findings *findings, int result)
{
    IGNORE_RESULT(found_refused(findings, result));
    return -1;
}

static int parse_kept(struct spec *spec, struct findings *findings)
{
    return json_read_all(&table_config, spec->text, spec->length, &spec->arena, spec, findings);
}

int spec_parse(const char *text, size_t length, struct spec *spec, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return spec_parse_all(text, length, spec, &first);
}

int spec_parse_all(const char *text, size_t length, struct spec *spec, struct findings *findings)
{
    memset(spec, 0, sizeof(*spec));
    if (length > SPEC_SIZE_LIMIT) /* before a copy of it is made */
        return end_reading(findings, fail_config(findings->why, "", "config.json is larger than %zu MiB", SPEC_SIZE_LIMIT >> 20));
    spec->text = arena_copy_n(&spec->arena, length > 0 ? text : "", length);
    spec->length = length;
    return parse_kept(spec, findings);
}

static int explain_unread(int errnum, const char *name, struct failure *why)
{
    if (errnum == -EFBIG)
        return fail_config(why, "", "%s is larger than %zu MiB", name, SPEC_SIZE_LIMIT >> 20);
    (void)fail_errno(why, errnum, "read '%s' in the bundle directory", name); /* -1, as below */
    if (errnum == -ENOENT)
        (void)failure_hint(why, "name the bundle with --bundle, or write a default one with: crun-lite spec");
    return -1;
}

int spec_read(int bundle_fd, const char *name, struct spec *spec, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return spec_read_all(bundle_fd, name, spec, &first);
}

int spec_read_all(int bundle_fd, const char *name, struct spec *spec, struct findings *findings)
{
    memset(spec, 0, sizeof(*spec));
    TIMELINE_SLICE(SLICE_PARSE, NULL);
    ssize_t length = file_read_at(bundle_fd, name, SPEC_SIZE_LIMIT, &spec->arena, &spec->text);
    if (length < 0)
        return end_reading(findings, explain_unread((int)length, name, findings->why));
    spec->length = (size_t)length;
    return parse_kept(spec, findings);
}

int spec_parse_process(const char *text, size_t length, struct arena *arena, struct spec_process *process,
                       struct failure *why)
{
    memset(process, 0, sizeof(*process));
    if (json_read(&table_process_document, text, length, arena, process, why) < 0)
        return -1;
    process->set = true;
    return 0;
}

int spec_parse_resources(const char *text, size_t length, struct arena *arena, struct spec_resources *resources,
                         struct failure *why)
{
    memset(resources, 0, sizeof(*resources));
    if (json_read(&table_resources_document, text, length, arena, resources, why) < 0)
        return -1;
    resources->set = true;
    return 0;
}

void spec_done(struct spec *spec)
{
    arena_done(&spec->arena);
    memset(spec, 0, sizeof(*spec));
}

const char *spec_annotation(const struct spec *spec, const char *key)
{
    for (size_t i = 0; i < spec->annotations.count; i++)
        if (strcmp(spec->annotations.items[i].key, key) == 0)
            return spec->annotations.items[i].value;
    return NULL;
}
