/*
 * ns/sysctl.c: which kernel parameters a container may set.  Pure.
 *
 * Allow list by namespace and exact resolved name (CVE-2022-0811): a name is split at '/' or '.', the first of
 * the two that occurs decides which one separates; ".." and empty parts are refused.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ns/ns.h"

static const struct {
    const char *path; /* below /proc/sys; a trailing '/' stands for everything below */
    enum ns_type type;
} allowed[] = {
    {"net/", NS_NETWORK},
    {"fs/mqueue/", NS_IPC},
    {"kernel/msgmax", NS_IPC},
    {"kernel/msgmnb", NS_IPC},
    {"kernel/msgmni", NS_IPC},
    {"kernel/sem", NS_IPC},
    {"kernel/shmall", NS_IPC},
    {"kernel/shmmax", NS_IPC},
    {"kernel/shmmni", NS_IPC},
    {"kernel/shm_rmid_forced", NS_IPC},
    {"kernel/msg_next_id", NS_IPC},
    {"kernel/sem_next_id", NS_IPC},
    {"kernel/shm_next_id", NS_IPC},
    {"kernel/auto_msgmni", NS_IPC},
    {"kernel/domainname", NS_UTS},
    {"kernel/hostname", NS_UTS},
    {"user/", NS_USER},
};

/* "net.ipv4.conf.eth0/1.forwarding" -> "net/ipv4/conf/eth0.1/forwarding", as sysctl(8) reads it. */
static bool resolve_name(char *name)
{
    const char *first = strpbrk(name, "./");
    if (first == NULL)
        return false;
    bool dots = *first == '.';
    size_t part = 0;
    for (char *c = name;; c++) {
        if (dots && *c == '.')
            *c = '/';
        else if (dots && *c == '/')
            *c = '.';
        if (*c != '/' && *c != '\0') {
            part++;
            continue;
        }
        if (part == 0 || (part == 1 && c[-1] == '.') || (part == 2 && c[-1] == '.' && c[-2] == '.'))
            return false;
        part = 0;
        if (*c == '\0')
            return true;
    }
}

static int find_type(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(allowed); i++)
        if (text_ends(allowed[i].path, "/") ? text_starts(name, allowed[i].path) : text_equal(name, allowed[i].path))
            return (int)allowed[i].type;
    return -1;
}

static int plan_one(const struct spec *spec, const struct ns_plan *plan, struct arena *arena, const struct string_pair *pair,
                    struct ns_sysctl *ret_sysctl, struct failure *why)
{
    char pointer[96], token[POINTER_TOKEN_SIZE];
    snprintf(pointer, sizeof(pointer), "/linux/sysctl/%s", text_pointer_token(token, pair->key, strlen(pair->key)));
    char *name = arena_copy(arena, pair->key);
    if (!resolve_name(name))
        return fail_config(why, pointer, "expected a kernel parameter such as net.ipv4.ip_forward or net/ipv4/ip_forward, found '%s'",
                           pair->key);
    int type = find_type(name);
    if (type < 0) {
        fail_config(why, pointer, "kernel parameter '%s' belongs to no namespace: setting it would change the host", pair->key);
        return failure_hint(why, "allowed are net.*, user.*, fs.mqueue.*, kernel.msg*, kernel.sem*, kernel.shm* and kernel.domainname");
    }
    if (ns_is_of_the_host(plan, (enum ns_type)type)) {
        fail_config(why, pointer, "kernel parameter '%s' needs a %s namespace other than the host's, or it would change the host", pair->key, ns_type_names[type]);
        return failure_hint(why, "add a namespace of type \"%s\" to /linux/namespaces", ns_type_names[type]);
    }
    if (text_equal(name, "kernel/hostname") && spec->hostname != NULL)
        return fail_config(why, pointer, "kernel.hostname is '%s' and /hostname '%s': give one of them", pair->value, spec->hostname);
    if (text_equal(name, "kernel/domainname") && spec->domainname != NULL && !text_equal(spec->domainname, pair->value))
        return fail_config(why, pointer, "kernel.domainname is '%s' and /domainname '%s': give one of them", pair->value,
                           spec->domainname);
    ret_sysctl->path = arena_format(arena, "sys/%s", name);
    ret_sysctl->name = pair->key;
    ret_sysctl->value = pair->value;
    return 0;
}

int ns_plan_sysctls(const struct spec *spec, const struct ns_plan *plan, struct arena *arena, struct ns_sysctl **ret_sysctls,
                    size_t *ret_count, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return ns_plan_sysctls_all(spec, plan, arena, ret_sysctls, ret_count, &first);
}

int ns_plan_sysctls_all(const struct spec *spec, const struct ns_plan *plan, struct arena *arena, struct ns_sysctl **ret_sysctls,
                        size_t *ret_count, struct findings *findings)
{
    const struct string_map *map = &spec->linux.sysctl;
    struct ns_sysctl *sysctls = arena_alloc(arena, (map->count + 1) * sizeof(*sysctls));
    for (size_t i = 0; i < map->count; i++)
        if (found(findings, plan_one(spec, plan, arena, &map->items[i], &sysctls[i], findings->why)) < 0)
            return -1;
    *ret_sysctls = sysctls;
    *ret_count = map->count;
    return 0;
}

int ns_explain_sysctl(const struct ns_sysctl *sysctl, int errnum, struct failure *why)
{
    char token[POINTER_TOKEN_SIZE];
    (void)fail_errno(why, errnum, "set kernel parameter '%s' to '%s'", sysctl->name, sysctl->value); /* returned below */
    if (why->errnum == ENOENT)
        (void)failure_hint(why, "this kernel has no such parameter, or the module that brings it is not loaded"); /* likewise */
    else if (why->errnum == EINVAL || why->errnum == ERANGE)
        (void)failure_hint(why, "the kernel does not take this value: Documentation/admin-guide/sysctl of the kernel tells which"); /* likewise */
    else if (why->errnum == EACCES || why->errnum == EPERM)
        (void)failure_hint(why, "the container's user namespace has no right to it: the namespace that it belongs to must be a new "
                                "one, and some parameters are the host's root alone"); /* likewise */
    return failure_pointer(why, "/linux/sysctl/%s", text_pointer_token(token, sysctl->name, strlen(sysctl->name)));
}
