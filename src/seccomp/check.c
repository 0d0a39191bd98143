/*
 * seccomp/check.c: every refusal of /linux/seccomp that needs neither the kernel nor libseccomp.
 *
 * PURE.  Runs in: creator, before anything is made.  Each failure carries the JSON pointer of the member.
 */
#include <linux/seccomp.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/text.h"
#include "seccomp/seccomp.h"
#include "seccomp/words.h"

#define POINTER_SIZE 160
#define ARGUMENTS 6 /* of a Linux system call */

/* System calls that init makes between loading the filter and the program's first instruction: it reports to the
 * creator, receives the answer, closes what is left, settles its capabilities where the filter had to come first,
 * and ends when something fails.  Were one of them to wait for the agent, init would wait for a listener that it has
 * not handed over yet.  execve is not here: by then the agent has the listener. */
static const char *const needed_after_loading[] = {
    "capset", "close",  "close_range", "exit",    "exit_group", "fcntl",
    "futex",  "prctl",  "read",        "recvmsg", "sendmsg",    "write",
};

static const char *shown(const char *word)
{
    return word == NULL ? "(absent)" : word;
}

static int check_action(const char *word, const char *pointer, const struct optional_u64 *errno_ret,
                        const char *errno_pointer, struct action_meaning *ret_meaning, struct failure *why)
{
    if (!words_action(word, ret_meaning)) {
        (void)fail_config(why, pointer, "`%s` is not a seccomp action", shown(word)); /* returned below */
        return failure_hint(why, "the actions are SCMP_ACT_KILL, _KILL_PROCESS, _KILL_THREAD, _TRAP, _ERRNO, _TRACE, "
                                 "_ALLOW, _LOG and _NOTIFY");
    }
    if (!errno_ret->set)
        return 0;
    if (ret_meaning->errno_max == 0) {
        (void)fail_config(why, errno_pointer, "%s returns no errno, found %llu", word,
                          (unsigned long long)errno_ret->value); /* returned below */
        return failure_hint(why, "remove it, or use SCMP_ACT_ERRNO or SCMP_ACT_TRACE");
    }
    if (errno_ret->value > ret_meaning->errno_max)
        return fail_config(why, errno_pointer, "errno %llu is out of range: %s takes 0 to %u",
                           (unsigned long long)errno_ret->value, word, (unsigned)ret_meaning->errno_max);
    return 0;
}

static int check_arg(const struct spec_seccomp_arg *arg, size_t rule, size_t number, struct failure *why)
{
    char pointer[POINTER_SIZE];
    unsigned op;
    snprintf(pointer, sizeof(pointer), "/linux/seccomp/syscalls/%zu/args/%zu", rule, number);
    if (arg->index >= ARGUMENTS) {
        (void)fail_config(why, pointer, "argument index %llu is out of range: a system call has arguments 0 to %d",
                          (unsigned long long)arg->index, ARGUMENTS - 1); /* returned below */
        return failure_pointer(why, "%s/index", pointer);
    }
    if (!words_operator(arg->op, &op)) {
        (void)fail_config(why, pointer, "`%s` is not a seccomp operator", shown(arg->op)); /* returned below */
        (void)failure_hint(why, "the operators are SCMP_CMP_NE, _LT, _LE, _EQ, _GE, _GT and _MASKED_EQ"); /* as above */
        return failure_pointer(why, "%s/op", pointer);
    }
    return 0;
}

static int check_notify_name(const char *name, size_t rule, size_t number, struct failure *why)
{
    char pointer[POINTER_SIZE];

    for (size_t i = 0; i < ARRAY_LENGTH(needed_after_loading); i++) {
        if (!text_equal(name, needed_after_loading[i]))
            continue;
        snprintf(pointer, sizeof(pointer), "/linux/seccomp/syscalls/%zu/names/%zu", rule, number);
        (void)fail_config(why, pointer,
                          "SCMP_ACT_NOTIFY on `%s` would stop the container's own start: it is needed to hand "
                          "the listener over",
                          needed_after_loading[i]); /* returned below */
        return failure_hint(why, "take `%s` out of that rule", needed_after_loading[i]);
    }
    return 0;
}

static int check_rule_action(const struct spec_seccomp_rule *rule, size_t number, struct action_meaning *ret_action,
                             struct failure *why)
{
    char pointer[POINTER_SIZE], errno_pointer[POINTER_SIZE];

    if (rule->names.count == 0) {
        snprintf(pointer, sizeof(pointer), "/linux/seccomp/syscalls/%zu/names", number);
        return fail_config(why, pointer, "a rule needs at least one system call name");
    }
    snprintf(pointer, sizeof(pointer), "/linux/seccomp/syscalls/%zu/action", number);
    snprintf(errno_pointer, sizeof(errno_pointer), "/linux/seccomp/syscalls/%zu/errnoRet", number);
    return check_action(rule->action, pointer, &rule->errno_ret, errno_pointer, ret_action, why);
}

static int check_rule(const struct spec_seccomp *seccomp, size_t number, bool *notify, struct findings *findings)
{
    const struct spec_seccomp_rule *rule = &seccomp->syscalls[number];
    struct action_meaning action = {0};

    if (found(findings, check_rule_action(rule, number, &action, findings->why)) < 0)
        return -1;
    for (size_t i = 0; i < rule->args_count; i++)
        if (found(findings, check_arg(&rule->args[i], number, i, findings->why)) < 0)
            return -1;
    if (action.code != SECCOMP_RET_USER_NOTIF)
        return 0;
    *notify = true;
    for (size_t i = 0; i < rule->names.count; i++)
        if (found(findings, check_notify_name(rule->names.items[i], number, i, findings->why)) < 0)
            return -1;
    return 0;
}

static int check_word(const char *word, const char *member, size_t number, const char *kind, struct failure *why)
{
    char pointer[POINTER_SIZE];
    snprintf(pointer, sizeof(pointer), "/linux/seccomp/%s/%zu", member, number);
    (void)fail_config(why, pointer, "`%s` is not a seccomp %s", shown(word), kind); /* returned below */
    return failure_hint(why, "`crun-lite features` lists the %ss that it knows", kind);
}

static int check_words(const struct strings *list, const char *member, const char *kind,
                       bool (*known)(const char *word, unsigned *ret), struct findings *findings)
{
    for (size_t i = 0; i < list->count; i++) {
        unsigned meaning;
        if (!known(list->items[i], &meaning) &&
            found(findings, check_word(list->items[i], member, i, kind, findings->why)) < 0)
            return -1;
    }
    return 0;
}

static int check_default_action(const struct spec_seccomp *seccomp, struct failure *why)
{
    struct action_meaning action;
    if (check_action(seccomp->default_action, "/linux/seccomp/defaultAction", &seccomp->default_errno_ret,
                     "/linux/seccomp/defaultErrnoRet", &action, why) < 0)
        return -1;
    if (action.code == SECCOMP_RET_USER_NOTIF)
        return fail_config(why, "/linux/seccomp/defaultAction",
                           "SCMP_ACT_NOTIFY cannot be the default: the container's own start needs system calls "
                           "(sendmsg, close, …) before an agent has the listener");
    return 0;
}

static int check_listener(const struct spec_seccomp *seccomp, bool notify, struct failure *why)
{
    if (notify && (seccomp->listener_path == NULL || seccomp->listener_path[0] == '\0'))
        return fail_config(why, "/linux/seccomp/listenerPath",
                           "a rule uses SCMP_ACT_NOTIFY, but there is no listenerPath to send the listener to");
    if (seccomp->listener_metadata != NULL && seccomp->listener_path == NULL)
        return fail_config(why, "/linux/seccomp/listenerMetadata", "listenerMetadata is given without listenerPath");
    return 0;
}

int seccomp_check_all(const struct spec_seccomp *seccomp, struct findings *findings)
{
    bool notify = false;

    if (!seccomp->set)
        return 0;
    if (found(findings, check_default_action(seccomp, findings->why)) < 0 ||
        check_words(&seccomp->architectures, "architectures", "architecture", words_arch, findings) < 0 ||
        check_words(&seccomp->flags, "flags", "flag", words_flag, findings) < 0)
        return -1;
    for (size_t i = 0; i < seccomp->syscalls_count; i++)
        if (check_rule(seccomp, i, &notify, findings) < 0)
            return -1;
    /* A path that was refused is no path that is missing. */
    if (findings_doubt(findings, "/linux/seccomp/listenerPath"))
        return 0;
    return found(findings, check_listener(seccomp, notify, findings->why));
}

int seccomp_check(const struct spec_seccomp *seccomp, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return seccomp_check_all(seccomp, &first);
}

static bool lets_through(const char *action)
{
    struct action_meaning meaning;
    return words_action(action, &meaning) && (meaning.code == SECCOMP_RET_ALLOW || meaning.code == SECCOMP_RET_LOG);
}

bool seccomp_allows(const struct spec_seccomp *seccomp, const char *name)
{
    bool allowed = lets_through(seccomp->default_action);
    for (size_t i = 0; i < seccomp->syscalls_count; i++) {
        const struct spec_seccomp_rule *rule = &seccomp->syscalls[i];
        bool named = false;
        for (size_t j = 0; j < rule->names.count && !named; j++)
            named = text_equal(rule->names.items[j], name);
        if (!named)
            continue;
        if (!lets_through(rule->action))
            return false;
        allowed = allowed || rule->args_count == 0;
    }
    return allowed;
}
