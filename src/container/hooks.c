/* container/hooks.c: hooks, one after the other. */
#include "container/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/spawn.h"
#include "base/text.h"
#include "base/timeline.h"

/* A NULL-ended array of a string list, in the arena. */
static char **list_new(struct arena *arena, const struct strings *strings)
{
    char **list = arena_alloc(arena, (strings->count + 1) * sizeof(*list));
    if (strings->count > 0)
        memcpy(list, strings->items, strings->count * sizeof(*list));
    return list;
}

static int timeout_ms(const struct spec_hook *hook)
{
    if (!hook->timeout.set)
        return 0;
    return hook->timeout.value > INT_MAX / 1000 ? INT_MAX : (int)hook->timeout.value * 1000;
}

static int open_directory(const struct hook_call *call)
{
    if (call->kind == HOOK_START_CONTAINER)
        return -1;
    int fd = open(call->state->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
    /* Gone, or closed to the root of a user namespace: the hook stays where its caller is. */
    if (fd >= 0 && faccessat(fd, ".", X_OK, AT_EACCESS) < 0)
        fd_close(&fd);
    return fd;
}

static int explain(enum hook_kind kind, const struct spec_hook *hook, size_t index, const struct spawn_result *result,
                   struct failure *why)
{
    char end[1150];
    spawn_describe(result, end, sizeof(end));
    (void)fail(why, FAILURE_CONFIG, "%s hook '%s' %s", hook_kind_names[kind], hook->path, end); /* returned below */
    return failure_pointer(why, "/hooks/%s/%zu", hook_kind_names[kind], index);
}

static int run_one(const struct spec_hook *hook, size_t index, const struct hook_call *call, const char *document, size_t length,
                   struct failure *why)
{
    struct arena arena = {0};
    TIMELINE_SLICE(SLICE_HOOK, hook->path);
    CLEANUP_FD int directory = open_directory(call);
    struct spawn program = {
        .path = hook->path,
        .argv = hook->args_set && hook->args.count > 0 ? list_new(&arena, &hook->args) : NULL,
        .envp = hook->env_set ? list_new(&arena, &hook->env) : call->default_env,
        .input = document,
        .input_length = length,
        .directory_fd = directory,
        .timeout_ms = timeout_ms(hook),
        .interruption = call->interruption,
    };
    struct spawn_result result;
    int r = spawn_run(&program, &result, why);
    arena_done(&arena);
    bool good = r == 0 && result.exec_errno == 0 && !result.timed_out && !result.interrupted && WIFEXITED(result.wait_status) && WEXITSTATUS(result.wait_status) == 0;
    if (good) {
        log_debug("%s hook %zu '%s' took %ld ms", hook_kind_names[call->kind], index, hook->path, result.elapsed_ms);
        return 0;
    }
    return r == 0 ? explain(call->kind, hook, index, &result, why)
                  : failure_pointer(why, "/hooks/%s/%zu", hook_kind_names[call->kind], index);
}

static int probe_one(enum hook_kind kind, const struct spec_hook *hook, size_t index, struct failure *why)
{
    struct spawn_result result = {0};
    struct stat file;
    if (stat(hook->path, &file) < 0 || faccessat(AT_FDCWD, hook->path, X_OK, AT_EACCESS) < 0)
        result.exec_errno = errno;
    else if (!S_ISREG(file.st_mode))
        result.exec_errno = EACCES;
    return result.exec_errno == 0 ? 0 : explain(kind, hook, index, &result, why);
}

int hooks_probe(const struct spec *spec, struct findings *findings)
{
    for (enum hook_kind kind = 0; kind < HOOK_KINDS; kind++) {
        const struct spec_hooks *hooks = &spec->hooks[kind];
        /* A path of the container's; and one whose failure is a warning only. */
        if (kind == HOOK_START_CONTAINER || kind == HOOK_POSTSTOP)
            continue;
        for (size_t i = 0; i < hooks->count; i++)
            if (found(findings, probe_one(kind, &hooks->items[i], i, findings->why)) < 0)
                return -1;
    }
    return 0;
}

static struct json_writer *document_new(const struct hook_call *call)
{
    struct json_writer *writer = json_writer_new(JSON_COMPACT);
    state_document(writer, call->state, call->status, call->pid);
    return writer;
}

int hooks_run(const struct spec_hooks *hooks, const struct hook_call *call, struct failure *why)
{
    if (hooks->count == 0)
        return 0;
    struct json_writer *writer = document_new(call);
    size_t length;
    const char *document = json_result(writer, &length);
    int r = 0;
    for (size_t i = 0; i < hooks->count && r == 0; i++)
        r = run_one(&hooks->items[i], i, call, document, length, why);
    json_writer_free(writer);
    return r;
}

void hooks_run_poststop(const struct spec_hooks *hooks, const struct hook_call *call)
{
    if (hooks->count == 0)
        return;
    struct json_writer *writer = document_new(call);
    size_t length;
    const char *document = json_result(writer, &length);
    for (size_t i = 0; i < hooks->count; i++) {
        struct failure why;
        char text[1900];
        if (run_one(&hooks->items[i], i, call, document, length, &why) == 0)
            continue;
        failure_render(&why, text, sizeof(text));
        log_warning("%s", text);
    }
    json_writer_free(writer);
}
