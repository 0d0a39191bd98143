/* container/exec_process.c: which process exec is asked for.  Pure. */
#include "container/exec_process.h"

#include <string.h>

#include "base/text.h"
#include "process/process.h"

#define ID_MAX UINT64_C(4294967294) /* (uint32_t)-1 means "leave as it is" to setresuid(2) */
#define DOCUMENT "process document"

/* ---- a document ---- */

void exec_process_inherit(struct spec_process *process, const struct spec_process *container)
{
    if (!container->set)
        return;
    if (!process->capabilities.set)
        process->capabilities = container->capabilities;
    if (!process->no_new_privileges_set)
        process->no_new_privileges = container->no_new_privileges;
    if (process->apparmor_profile == NULL)
        process->apparmor_profile = container->apparmor_profile;
    if (process->selinux_label == NULL)
        process->selinux_label = container->selinux_label;
    if (process->rlimits_count == 0) {
        process->rlimits = container->rlimits;
        process->rlimits_count = container->rlimits_count;
    }
    if (!process->oom_score_adj.set)
        process->oom_score_adj = container->oom_score_adj;
    if (!process->scheduler.set)
        process->scheduler = container->scheduler;
    if (!process->io_priority.set)
        process->io_priority = container->io_priority;
    if (!process->exec_cpu_affinity.set)
        process->exec_cpu_affinity = container->exec_cpu_affinity;
}

/* ---- the command line ---- */

/* Digits only (CVE-2016-3697: never a name; CVE-2026-30892: a lone uid is a uid, "-1" is not root). */
static int parse_id(const char *text, uint32_t *ret_id)
{
    uint64_t id;
    if (text_to_u64(text, ID_MAX, &id) < 0)
        return -1;
    *ret_id = (uint32_t)id;
    return 0;
}

static int refuse_id(const char *option, const char *form, const char *given, struct failure *why)
{
    char shown[64];
    text_sanitize(shown, sizeof(shown), given);
    fail(why, FAILURE_USAGE, "option %s takes %s, found '%s'", option, form, shown);
    return failure_hint(why, "ids are numbers from 0 to 4294967294; names are not looked up");
}

static int set_user(struct spec_user *user, const char *text, struct failure *why)
{
    char uid[16];
    const char *colon = strchr(text, ':');
    size_t length = colon == NULL ? strlen(text) : (size_t)(colon - text);
    struct spec_user wanted = *user;
    if (length >= sizeof(uid))
        return refuse_id("--user", "UID[:GID]", text, why);
    memcpy(uid, text, length);
    uid[length] = '\0';
    if (parse_id(uid, &wanted.uid) < 0 || (colon != NULL && parse_id(colon + 1, &wanted.gid) < 0))
        return refuse_id("--user", "UID[:GID]", text, why);
    *user = wanted;
    return 0;
}

static int add_groups(struct spec_user *user, const struct strings *texts, struct arena *arena, struct failure *why)
{
    size_t count = user->additional_gids_count;
    if (texts->count == 0)
        return 0;
    user->additional_gids = arena_grow(arena, user->additional_gids, count, count + texts->count, sizeof(*user->additional_gids));
    for (size_t i = 0; i < texts->count; i++)
        if (parse_id(texts->items[i], &user->additional_gids[count + i]) < 0)
            return refuse_id("--additional-gids", "a group id", texts->items[i], why);
    user->additional_gids_count = count + texts->count;
    user->additional_gids_set = true;
    return 0;
}

static void append(struct strings *list, const struct strings *more, struct arena *arena)
{
    list->items = arena_grow(arena, list->items, list->count, list->count + more->count, sizeof(*list->items));
    for (size_t i = 0; i < more->count; i++)
        list->items[list->count++] = more->items[i];
}

static int add_environment(struct spec_process *process, const struct strings *env, struct arena *arena, struct failure *why)
{
    for (size_t i = 0; i < env->count; i++) {
        char shown[64];
        if (env->items[i][0] != '=' && strchr(env->items[i], '=') != NULL)
            continue;
        text_sanitize(shown, sizeof(shown), env->items[i]);
        return fail(why, FAILURE_USAGE, "option --env takes NAME=VALUE, found '%s'", shown);
    }
    append(&process->env, env, arena);
    return 0;
}

/* Never into the inheritable set (CVE-2022-24769, CVE-2022-29162): a file of the image with inheritable capabilities would
 * give them to any user.  Ambient ones must be inheritable too, so they grow only where the container's are. */
static int add_capabilities(struct spec_capabilities *capabilities, const struct strings *names, struct arena *arena, struct failure *why)
{
    if (names->count == 0)
        return 0;
    for (size_t i = 0; i < names->count; i++) {
        char shown[64];
        if (caps_is_name(names->items[i]))
            continue;
        text_sanitize(shown, sizeof(shown), names->items[i]);
        fail(why, FAILURE_USAGE, "option --cap: '%s' is no capability", shown);
        return failure_hint(why, "names look like CAP_NET_RAW");
    }
    append(&capabilities->bounding, names, arena);
    append(&capabilities->effective, names, arena);
    append(&capabilities->permitted, names, arena);
    if (capabilities->inheritable.count > 0)
        append(&capabilities->ambient, names, arena);
    capabilities->set = true;
    return 0;
}

/* The spec's strings are not const; nobody writes to them. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

int exec_process_override(struct spec_process *process, const struct exec_request *request, struct arena *arena,
                          struct failure *why)
{
    process->set = true;
    process->args = (struct strings){.items = request->words, .count = request->words_count};
    process->terminal = (request->flags & EXEC_TTY) != 0;
    if (process->cwd == NULL)
        process->cwd = lend("/");
    if (request->cwd != NULL && request->cwd[0] != '/')
        return fail(why, FAILURE_USAGE, "option --cwd takes an absolute path, found '%.256s'", request->cwd);
    if (request->cwd != NULL)
        process->cwd = lend(request->cwd);
    if (request->apparmor_profile != NULL)
        process->apparmor_profile = lend(request->apparmor_profile);
    if (request->process_label != NULL)
        process->selinux_label = lend(request->process_label);
    if (request->flags & EXEC_NO_NEW_PRIVS)
        process->no_new_privileges = true;
    if (request->user != NULL && set_user(&process->user, request->user, why) < 0)
        return -1;
    if (add_groups(&process->user, &request->additional_gids, arena, why) < 0 ||
        add_environment(process, &request->env, arena, why) < 0)
        return -1;
    return add_capabilities(&process->capabilities, &request->capabilities, arena, why);
}

int exec_process_check_request(const struct exec_request *request, struct failure *why)
{
    const struct { bool given; const char *name; } lonely[] = {
        {request->words_count > 0, "a command"},
        {request->cwd != NULL, "--cwd"},
        {request->user != NULL, "--user"},
        {request->env.count > 0, "--env"},
        {request->additional_gids.count > 0, "--additional-gids"},
        {request->capabilities.count > 0, "--cap"},
        {request->apparmor_profile != NULL, "--apparmor"},
        {request->process_label != NULL, "--process-label"},
        {(request->flags & EXEC_NO_NEW_PRIVS) != 0, "--no-new-privs"},
    };
    if (request->process_file == NULL) {
        if (request->words_count > 0)
            return 0;
        fail(why, FAILURE_USAGE, "exec: neither a command nor --process is given");
        return failure_hint(why, "usage: crun-lite exec [OPTIONS] CONTAINER COMMAND [ARGUMENT...]");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(lonely); i++)
        if (lonely[i].given)
            return fail(why, FAILURE_USAGE, "exec: %s has no meaning beside --process, whose document decides", lonely[i].name);
    return 0;
}

/* ---- where a failure points to ---- */

void exec_process_place(const struct exec_request *request, struct failure *why)
{
    static const char process[] = "/process";
    const struct { bool given; const char *pointer; } options[] = {
        {request->user != NULL, "/process/user/uid"},
        {request->user != NULL && strchr(request->user, ':') != NULL, "/process/user/gid"},
        {request->additional_gids.count > 0, "/process/user/additionalGids"},
        {request->capabilities.count > 0, "/process/capabilities"},
        {request->apparmor_profile != NULL, "/process/apparmorProfile"},
        {request->process_label != NULL, "/process/selinuxLabel"},
        {request->cwd != NULL, "/process/cwd"},
        {true, "/process/terminal"},
        {true, "/process/args"},
    };
    if (!text_starts(why->pointer, process))
        return;
    if (request->process_file != NULL) {
        memmove(why->pointer, why->pointer + strlen(process), strlen(why->pointer) - strlen(process) + 1);
        (void)failure_document(why, DOCUMENT); /* returns -1 for the sake of `return` */
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(options); i++)
        if (options[i].given && text_starts(why->pointer, options[i].pointer))
            why->pointer[0] = '\0';
}
