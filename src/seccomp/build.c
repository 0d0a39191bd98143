/*
 * seccomp/build.c: profile -> BPF program, with libseccomp.
 *
 * Runs in: creator, host side.  Should: dlopen, memfd, one probing system call per flag.  Must not: load a filter
 * on itself, look at anything of the container.
 */
#include "seccomp/build.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/text.h"
#include "base/timeline.h"
#include "seccomp/library.h"
#include "seccomp/newer.h"
#include "seccomp/words.h"

#ifndef SECCOMP_FILTER_FLAG_TSYNC_ESRCH
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1UL << 4)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define POINTER_SIZE 160
#define ARGUMENTS 6
/* Conditions on many arguments of one system call multiply inside libseccomp: a few dozen such rules take hours.  A name
 * that comes again and again is looked up in the whole profile each time.  Engines' profiles take some milliseconds of CPU
 * time. */
#define COMPILE_CPU_MS 2000
#define ARCHS 24 /* the 23 words, and the native one when it is none of them */

struct build {
    const struct library *library;
    const struct spec_seccomp *seccomp;
    scmp_filter_ctx context;
    uint32_t default_action;
    bool notify;
    struct newer_arch archs[ARCHS];
    bool named[ARCHS]; /* archs[i].highest is set */
    size_t archs_count;
    int64_t cpu_deadline; /* milliseconds of this process's CPU time */
    unsigned plain_rules; /* added so far without a condition */
};

/* ---- actions ---- */

/* SECCOMP_RET_* with its errno: `given`, else EPERM, where the action carries one. */
static uint32_t action_value(const char *word, const struct optional_u64 *given)
{
    struct action_meaning meaning = {0};

    (void)words_action(word, &meaning); /* seccomp_check has seen the word */
    if (meaning.errno_max == 0)
        return meaning.code;
    return meaning.code | (uint32_t)(given->set ? given->value : EPERM);
}

/* ---- flags ---- */

/* The kernel looks at the flags before it looks at the filter: a filter at address 0 gives EFAULT when it knows
 * them all, EINVAL when not. */
static bool flag_known_to_kernel(unsigned flag)
{
    if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) /* valid only together */
        flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    return kernel_seccomp(SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}

bool seccomp_flag_supported(const char *word)
{
    unsigned flag;
    return words_flag(word, &flag) && flag_known_to_kernel(flag);
}

static int build_flags(const struct build *build, unsigned *ret_flags, struct failure *why)
{
    const struct strings *words = &build->seccomp->flags;
    unsigned flags = build->notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;

    for (size_t i = 0; i < words->count; i++) {
        unsigned flag = 0;
        (void)words_flag(words->items[i], &flag); /* seccomp_check has seen the word */
        if (!flag_known_to_kernel(flag)) {
            (void)fail(why, FAILURE_HOST, "this kernel does not support the seccomp flag `%s`",
                       words->items[i]); /* returned below */
            return failure_pointer(why, "/linux/seccomp/flags/%zu", i);
        }
        if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV && !build->notify) {
            log_debug("seccomp: %s has no effect without an SCMP_ACT_NOTIFY rule", words->items[i]);
            continue;
        }
        flags |= flag;
    }
    /* KERNEL(5.7): both report through the return value of seccomp(2), so the kernel takes them together only
     * when a thread that cannot be synchronised is an error number. */
    if (build->notify && (flags & SECCOMP_FILTER_FLAG_TSYNC))
        flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
    *ret_flags = flags;
    return 0;
}

/* ---- architectures ---- */

static int build_arch_refused(const struct build *build, size_t number, int err, struct failure *why)
{
    const struct scmp_version *version = build->library->version();
    const char *word = build->seccomp->architectures.items[number];
    char pointer[POINTER_SIZE];

    snprintf(pointer, sizeof(pointer), "/linux/seccomp/architectures/%zu", number);
    if (err == -EDOM)
        return fail_config(why, pointer, "%s has the other byte order than this machine and cannot be part of its filter",
                           word);
    (void)fail_errno(why, err, "libseccomp %u.%u.%u cannot generate a filter for %s", version->major, version->minor,
                     version->micro, word); /* returned below */
    return failure_pointer(why, "%s", pointer);
}

/* The native architecture is there from the start.  Calls through one that is not listed kill the caller
 * (libseccomp's "bad architecture"), so no word may be skipped in silence. */
static int build_archs(struct build *build, struct failure *why)
{
    const struct strings *words = &build->seccomp->architectures;

    build->archs[build->archs_count++].token = build->library->arch_native();
    for (size_t i = 0; i < words->count; i++) {
        uint32_t token = 0;
        int err;
        (void)words_arch(words->items[i], &token); /* seccomp_check has seen the word */
        if (build->library->arch_exist(build->context, token) == 0)
            continue;
        err = build->library->arch_add(build->context, token);
        if (err < 0)
            return build_arch_refused(build, i, err, why);
        build->archs[build->archs_count++].token = token;
    }
    return 0;
}

/* ---- rules ---- */

static int64_t cpu_now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* there since Linux 2.6 */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int build_add(struct build *build, uint32_t action, int number, const struct scmp_arg_cmp *args,
                     size_t args_count, const char *name, size_t rule, struct failure *why)
{
    int err = build->library->rule_add_array(build->context, action, number, (unsigned)args_count, args);

    /* The clock is looked at where it counts: conditions multiply, names just add up. */
    bool look = args_count > 0 || ++build->plain_rules % 64 == 0;
    if (look && cpu_now_ms() > build->cpu_deadline) {
        (void)fail(why, FAILURE_CONFIG, "the profile is too complex to compile: %d ms were spent when rule %zu on `%s` "
                   "was added", COMPILE_CPU_MS, rule, name); /* returned below */
        (void)failure_hint(why, "use fewer rules for `%s`, or fewer conditions on several of its arguments", name);
        return failure_pointer(why, "/linux/seccomp/syscalls/%zu", rule);
    }
    if (err == 0)
        return 0;
    /* Already decided by an earlier rule of the profile: the first one stands. */
    if (err == -EEXIST) {
        log_debug("seccomp: rule %zu for `%s` repeats or contradicts an earlier one, which stands", rule, name);
        return 0;
    }
    (void)fail_errno(why, err, "libseccomp does not accept rule %zu (%s on `%s`)", rule,
                     build->seccomp->syscalls[rule].action, name); /* returned below */
    if (err == -EOPNOTSUPP || err == -EINVAL)
        (void)failure_hint(why, "this kernel or this libseccomp may lack that action"); /* returned below */
    return failure_pointer(why, "/linux/seccomp/syscalls/%zu", rule);
}

/* The newest system call that the profile names, per architecture. */
static void build_note_name(struct build *build, const char *name)
{
    for (size_t i = 0; i < build->archs_count; i++) {
        struct newer_arch *arch = &build->archs[i];
        int number = build->library->resolve_name_arch(arch->token, name);
        if (number < 0 || newer_is_private(arch->token, (uint32_t)number))
            continue;
        if (!build->named[i] || (uint32_t)number > arch->highest)
            arch->highest = (uint32_t)number;
        build->named[i] = true;
    }
}

static bool index_repeats(const struct spec_seccomp_rule *rule)
{
    bool seen[ARGUMENTS] = {false};

    for (size_t i = 0; i < rule->args_count; i++) {
        if (seen[rule->args[i].index])
            return true;
        seen[rule->args[i].index] = true;
    }
    return false;
}

static struct scmp_arg_cmp comparison(const struct spec_seccomp_arg *arg)
{
    struct scmp_arg_cmp cmp = {.arg = (unsigned)arg->index, .datum_a = arg->value, .datum_b = arg->value_two};
    unsigned op = SCMP_CMP_EQ;

    (void)words_operator(arg->op, &op); /* seccomp_check has seen the word */
    cmp.op = (enum scmp_compare)op;
    return cmp;
}

/* All conditions of an entry must hold; where one argument occurs more than once they are alternatives instead,
 * each a rule of its own (as every runtime reads such profiles). */
static int build_name(struct build *build, size_t number, const char *name, uint32_t action, struct failure *why)
{
    const struct spec_seccomp_rule *rule = &build->seccomp->syscalls[number];
    struct scmp_arg_cmp args[ARGUMENTS];
    int syscall_number = build->library->resolve_name(name);

    if (syscall_number == __NR_SCMP_ERROR) {
        log_debug("seccomp: system call `%s` is not known to libseccomp, its rule is ignored", name);
        return 0;
    }
    build_note_name(build, name);
    if (action == build->default_action)
        return 0;
    if (!index_repeats(rule)) {
        for (size_t i = 0; i < rule->args_count; i++)
            args[i] = comparison(&rule->args[i]);
        return build_add(build, action, syscall_number, args, rule->args_count, name, number, why);
    }
    for (size_t i = 0; i < rule->args_count; i++) {
        args[0] = comparison(&rule->args[i]);
        if (build_add(build, action, syscall_number, args, 1, name, number, why) < 0)
            return -1;
    }
    return 0;
}

static int build_rules(struct build *build, struct failure *why)
{
    for (size_t i = 0; i < build->seccomp->syscalls_count; i++) {
        const struct spec_seccomp_rule *rule = &build->seccomp->syscalls[i];
        uint32_t action = action_value(rule->action, &rule->errno_ret);
        if (action == SECCOMP_RET_USER_NOTIF)
            build->notify = true;
        for (size_t j = 0; j < rule->names.count; j++)
            if (build_name(build, i, rule->names.items[j], action, why) < 0)
                return -1;
    }
    return 0;
}

/* ---- export ---- */

/* Appends what libseccomp generated to `stub`, in the arena. */
static int build_export(const struct build *build, const struct sock_filter *stub, size_t stub_length,
                        struct arena *arena, struct seccomp_filter *filter, struct failure *why)
{
    struct sock_filter *program;
    struct stat status;
    ssize_t got;
    int err;
    CLEANUP_FD int fd = memfd_create("seccomp", MFD_CLOEXEC);

    if (fd < 0)
        return fail_sys(why, "create a memory file for the seccomp program");
    err = build->library->export_bpf(build->context, fd);
    if (err < 0)
        return fail_errno(why, err, "libseccomp cannot generate the seccomp program");
    if (fstat(fd, &status) < 0)
        return fail_sys(why, "measure the seccomp program");
    filter->instructions = stub_length + (size_t)status.st_size / sizeof(*program);
    if (filter->instructions > BPF_MAXINSNS) {
        (void)fail_config(why, "/linux/seccomp", "the profile compiles to %zu instructions, the kernel takes %d",
                          filter->instructions, BPF_MAXINSNS); /* returned below */
        return failure_hint(why, "use fewer rules with arguments, or fewer architectures");
    }
    program = arena_alloc(arena, filter->instructions * sizeof(*program));
    memcpy(program, stub, stub_length * sizeof(*program));
    got = pread(fd, program + stub_length, (size_t)status.st_size, 0);
    if (got != status.st_size)
        return fail_errno(why, got < 0 ? errno : EIO, "read the seccomp program back");
    filter->program = program;
    return 0;
}

static int build_finish(const struct build *build, struct arena *arena, struct seccomp_filter *filter,
                        struct failure *why)
{
    struct sock_filter stub[NEWER_ROOM(ARCHS)];
    struct newer_arch named[ARCHS];
    size_t count = 0, length = 0;

    if (build->default_action == (SECCOMP_RET_ERRNO | EPERM)) {
        for (size_t i = 0; i < build->archs_count; i++)
            if (build->named[i])
                named[count++] = build->archs[i];
        length = newer_build(named, count, stub);
    }
    if (build_flags(build, &filter->flags, why) < 0)
        return -1;
    filter->notify = build->notify;
    return build_export(build, stub, length, arena, filter, why);
}

static int build_steps(struct build *build, enum build_tree tree, struct arena *arena, struct seccomp_filter *filter,
                       struct failure *why)
{
    int err = build->library->attr_set(build->context, SCMP_FLTATR_CTL_OPTIMIZE, (uint32_t)tree);

    if (err < 0)
        return fail_errno(why, err, "libseccomp does not accept optimisation level %d", (int)tree);
    if (build_archs(build, why) < 0)
        return -1;
    if (build_rules(build, why) < 0)
        return -1;
    return build_finish(build, arena, filter, why);
}

int build_compile(const struct spec_seccomp *seccomp, enum build_tree tree, struct arena *arena,
                  struct seccomp_filter *ret_filter, struct failure *why)
{
    struct build build = {.seccomp = seccomp};
    struct seccomp_filter filter = {0};
    int result;
    TIMELINE_SLICE(SLICE_FILTER_COMPILE, NULL);

    if (library_open(&build.library, why) < 0)
        return -1;
    build.cpu_deadline = cpu_now_ms() + COMPILE_CPU_MS;
    build.default_action = action_value(seccomp->default_action, &seccomp->default_errno_ret);
    build.context = build.library->init(build.default_action);
    if (build.context == NULL) {
        (void)fail(why, FAILURE_HOST, "libseccomp does not accept the default action %s",
                   seccomp->default_action); /* returned below */
        return failure_hint(why, "this kernel or this libseccomp may lack that action");
    }
    result = build_steps(&build, tree, arena, &filter, why);
    build.library->release(build.context);
    if (result == 0)
        *ret_filter = filter;
    return result;
}

int seccomp_build(const struct spec_seccomp *seccomp, struct arena *arena, struct seccomp_filter *ret_filter,
                  struct failure *why)
{
    if (seccomp_check(seccomp, why) < 0)
        return -1;
    return build_compile(seccomp, BUILD_TREE, arena, ret_filter, why);
}
