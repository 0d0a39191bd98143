/*
 * process/limits.c: resource limits and the OOM score.
 *
 * Runs in: creator, on the child's pid: raising needs CAP_SYS_RESOURCE of the initial user namespace, which
 * the child has lost once it is in its own.  Lowering needs nothing and comes last, in init and joiner.
 */
#include "process/process.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/fd.h"
#include "base/text.h"

static const struct {
    const char *word;
    int resource;
} rlimits[] = {
    {"RLIMIT_AS", RLIMIT_AS},           {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},         {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},     {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},       {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},     {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},   {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING}, {"RLIMIT_STACK", RLIMIT_STACK},
};

/* The index into rlimits[], or -1. */
static int rlimit_index(const char *word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rlimits); i++)
        if (text_equal(word, rlimits[i].word))
            return (int)i;
    return -1;
}

/* `seen`: the limits that stand before it. */
static int check_rlimit(const struct spec_rlimit *limit, size_t number, bool seen[], struct failure *why)
{
    char pointer[64], shown[64];
    snprintf(pointer, sizeof(pointer), "/process/rlimits/%zu", number);
    text_sanitize(shown, sizeof(shown), limit->type ? limit->type : "");
    int index = rlimit_index(limit->type);
    if (index < 0) {
        (void)fail_config(why, pointer, "resource limit '%s' is unknown", shown); /* returned below */
        return failure_hint(why, "Linux has RLIMIT_ followed by one of AS, CORE, CPU, DATA, FSIZE, LOCKS, MEMLOCK, MSGQUEUE, NICE, "
                                 "NOFILE, NPROC, RSS, RTPRIO, RTTIME, SIGPENDING, STACK");
    }
    if (seen[index])
        return fail_config(why, pointer, "resource limit %s is listed twice", shown);
    seen[index] = true;
    if (limit->soft > limit->hard)
        return fail_config(why, pointer, "%s: soft limit %llu is above hard limit %llu", shown,
                           (unsigned long long)limit->soft, (unsigned long long)limit->hard);
    return 0;
}

static int check_rlimits(const struct spec_process *process, struct findings *findings)
{
    bool seen[ARRAY_LENGTH(rlimits)] = {false};
    for (size_t i = 0; i < process->rlimits_count; i++)
        if (found(findings, check_rlimit(&process->rlimits[i], i, seen, findings->why)) < 0)
            return -1;
    return 0;
}

static int explain_rlimit(pid_t pid, const char *word, int resource, const struct rlimit *wanted, size_t index,
                          struct failure *why)
{
    struct rlimit now;
    int errnum = errno;
    bool known = prlimit(pid, resource, NULL, &now) == 0;
    fail_errno(why, errnum, "set %s to %llu:%llu", word, (unsigned long long)wanted->rlim_cur,
               (unsigned long long)wanted->rlim_max);
    failure_pointer(why, "/process/rlimits/%zu", index);
    if (errnum != EPERM || !known)
        return -1;
    if (resource == RLIMIT_NOFILE && wanted->rlim_max <= now.rlim_max)
        return failure_hint(why, "it may not be above /proc/sys/fs/nr_open");
    return failure_hint(why, "the caller's hard limit is %llu; raising it needs CAP_SYS_RESOURCE: raise it for the "
                             "caller (ulimit, LimitXXX= of its unit) or ask for less",
                        (unsigned long long)now.rlim_max);
}

/* Up to what is asked for, never down: what comes until the program starts needs descriptors, memory and time of its own. */
static int raise_rlimit(pid_t pid, const struct spec_rlimit *limit, size_t index, struct failure *why)
{
    const struct rlimit wanted = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
    int resource = rlimits[rlimit_index(limit->type)].resource;
    struct rlimit now;
    if (prlimit(pid, resource, NULL, &now) < 0)
        return explain_rlimit(pid, limit->type, resource, &wanted, index, why);
    const struct rlimit raised = {.rlim_cur = wanted.rlim_cur > now.rlim_cur ? wanted.rlim_cur : now.rlim_cur,
                                  .rlim_max = wanted.rlim_max > now.rlim_max ? wanted.rlim_max : now.rlim_max};
    if (raised.rlim_cur == now.rlim_cur && raised.rlim_max == now.rlim_max)
        return 0;
    if (prlimit(pid, resource, &raised, NULL) < 0)
        return explain_rlimit(pid, limit->type, resource, &wanted, index, why);
    return 0;
}

int limits_raise_rlimits(pid_t pid, const struct spec_process *process, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    if (check_rlimits(process, &first) < 0)
        return -1;
    for (size_t i = 0; i < process->rlimits_count; i++)
        if (raise_rlimit(pid, &process->rlimits[i], i, why) < 0)
            return -1;
    return 0;
}

int limits_settle_rlimits(const struct spec_process *process, struct failure *why)
{
    for (size_t i = 0; i < process->rlimits_count; i++) {
        const struct spec_rlimit *limit = &process->rlimits[i];
        const struct rlimit wanted = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
        int resource = rlimits[rlimit_index(limit->type)].resource;
        if (prlimit(0, resource, &wanted, NULL) < 0)
            return explain_rlimit(0, limit->type, resource, &wanted, i, why);
    }
    return 0;
}

/* ---- OOM score ---- */

#define OOM_MIN (-1000)
#define OOM_MAX 1000

static int check_oom_score(const struct spec_process *process, struct failure *why)
{
    const struct optional_i64 *score = &process->oom_score_adj;
    if (score->set && (score->value < OOM_MIN || score->value > OOM_MAX))
        return fail_config(why, "/process/oomScoreAdj", "%lld is outside %d..%d", (long long)score->value, OOM_MIN,
                           OOM_MAX);
    return 0;
}

int limits_set_oom_score(int proc_fd, pid_t pid, const struct spec_process *process, struct failure *why)
{
    char name[48] = "self/oom_score_adj", wanted[16], now[16] = "";
    if (check_oom_score(process, why) < 0)
        return -1;
    if (!process->oom_score_adj.set)
        return 0;
    if (pid > 0)
        snprintf(name, sizeof(name), "%d/oom_score_adj", (int)pid);
    snprintf(wanted, sizeof(wanted), "%d", (int)process->oom_score_adj.value);
    int result = proc_write(proc_fd, name, wanted);
    if (result == 0)
        return 0;
    /* What is asked for may be what is there: a rootless engine passes its own value on. */
    if (proc_read(proc_fd, name, now, sizeof(now)) > 0 && strcmp(now, wanted) == 0)
        return 0;
    fail_errno(why, result, "set oom_score_adj to %s", wanted);
    failure_pointer(why, "/process/oomScoreAdj");
    if (result == -EACCES || result == -EPERM)
        return failure_hint(why, "it is %s now, and going below the caller's own value needs CAP_SYS_RESOURCE: "
                                 "leave oomScoreAdj out or ask for a higher one", now[0] ? now : "unreadable");
    return -1;
}

int limits_check_all(const struct spec *spec, struct findings *findings)
{
    if (check_rlimits(&spec->process, findings) < 0 || found(findings, check_oom_score(&spec->process, findings->why)) < 0 ||
        found(findings, affinity_check(&spec->process, findings->why)) < 0)
        return -1;
    return scheduling_check_all(spec, findings);
}

int limits_check(const struct spec *spec, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return limits_check_all(spec, &first);
}

/* What prlimit(2) would refuse: raising the hard limit that is inherited. */
static int probe_rlimit(const struct spec_rlimit *limit, size_t index, struct failure *why)
{
    const struct rlimit wanted = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
    struct rlimit now;
    int number = rlimit_index(limit->type);
    if (number < 0 || prlimit(0, rlimits[number].resource, NULL, &now) < 0 || wanted.rlim_max <= now.rlim_max)
        return 0;
    errno = EPERM;
    return explain_rlimit(0, limit->type, rlimits[number].resource, &wanted, index, why);
}

/* Lowering it is refused to a caller without the privilege, but for what an ancestor with it had set before, which shows only by
 * trying: on ourselves, and taken back at once, which is always allowed. */
static int probe_oom_score(const struct spec_process *process, struct failure *why)
{
    char before[16] = "";
    CLEANUP_FD int proc_fd = proc_open(why);
    if (proc_fd < 0)
        return -1;
    if (proc_read(proc_fd, "self/oom_score_adj", before, sizeof(before)) <= 0 || strtol(before, NULL, 10) <= process->oom_score_adj.value)
        return 0;
    int result = limits_set_oom_score(proc_fd, 0, process, why);
    IGNORE_RESULT(proc_write(proc_fd, "self/oom_score_adj", before)); /* upwards */
    return result;
}

int limits_probe(const struct spec_process *process, struct findings *findings)
{
    bool may_raise = caps_have(CAP_SYS_RESOURCE);
    for (size_t i = 0; i < process->rlimits_count && !may_raise; i++)
        if (found(findings, probe_rlimit(&process->rlimits[i], i, findings->why)) < 0)
            return -1;
    return process->oom_score_adj.set && !may_raise ? found(findings, probe_oom_score(process, findings->why)) : 0;
}
