/*
 * seccomp/probe.c: what this kernel and this libseccomp cannot do of a profile.
 *
 * Runs in: check.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "seccomp/build.h"
#include "seccomp/seccomp.h"

#define POINTER_SIZE 160

/* The kernel's own word for an action, as in actions_avail. */
static const char *kernel_word(const char *action)
{
    static const struct {
        const char *action, *word;
    } words[] = {
        {"SCMP_ACT_KILL", "kill_thread"}, {"SCMP_ACT_KILL_THREAD", "kill_thread"}, {"SCMP_ACT_KILL_PROCESS", "kill_process"},
        {"SCMP_ACT_TRAP", "trap"},        {"SCMP_ACT_ERRNO", "errno"},             {"SCMP_ACT_TRACE", "trace"},
        {"SCMP_ACT_ALLOW", "allow"},      {"SCMP_ACT_LOG", "log"},                 {"SCMP_ACT_NOTIFY", "user_notif"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (text_equal(action, words[i].action))
            return words[i].word;
    return NULL;
}

static bool has_word(const char *line, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = line; (at = strstr(at, word)) != NULL; at += length)
        if ((at == line || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static int probe_action(const char *action, const char *pointer, const char *available, struct failure *why)
{
    const char *word = kernel_word(action);
    if (word == NULL || has_word(available, word))
        return 0;
    (void)fail(why, FAILURE_HOST, "this kernel does not know the seccomp action %s; it has: %s", action, available); /* below */
    return failure_pointer(why, "%s", pointer);
}

static int probe_actions(const struct spec_seccomp *seccomp, struct findings *findings)
{
    char available[256], pointer[POINTER_SIZE];
    if (file_read_line_at(-1, "/proc/sys/kernel/seccomp/actions_avail", available, sizeof(available)) < 0)
        return found(findings, fail(findings->why, FAILURE_HOST, "this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)"));
    if (found(findings, probe_action(seccomp->default_action, "/linux/seccomp/defaultAction", available, findings->why)) < 0)
        return -1;
    for (size_t i = 0; i < seccomp->syscalls_count; i++) {
        snprintf(pointer, sizeof(pointer), "/linux/seccomp/syscalls/%zu/action", i);
        if (found(findings, probe_action(seccomp->syscalls[i].action, pointer, available, findings->why)) < 0)
            return -1;
    }
    return 0;
}

static int probe_build(const struct spec_seccomp *seccomp, struct failure *why)
{
    struct arena arena = {0};
    struct seccomp_filter filter = {0};
    struct failure known;
    /* A profile with findings of its own is not compiled: they are known. */
    int result = seccomp_check(seccomp, &known) < 0 ? 0 : build_compile(seccomp, BUILD_TREE, &arena, &filter, why);
    if (result < 0 && why->pointer[0] == '\0')
        (void)failure_pointer(why, "/linux/seccomp"); /* returned below */
    if (result == 0 && filter.notify)
        result = seccomp_find_agent(seccomp->listener_path, why);
    arena_done(&arena);
    return result;
}

int seccomp_probe(const struct spec_seccomp *seccomp, struct findings *findings)
{
    if (!seccomp->set)
        return 0;
    if (probe_actions(seccomp, findings) < 0)
        return -1;
    return found(findings, probe_build(seccomp, findings->why));
}
