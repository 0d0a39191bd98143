/*
 * seccomp/build.c, newer.c and load.c: what compiled profiles answer, interpreted and loaded for real in a child.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "bpf_interpreter.h"
#include "seccomp/build.h"
#include "base/text.h"
#include "seccomp/library.h"
#include "seccomp/newer.h"
#include "seccomp/seccomp.h"
#include "seccomp/words.h"
#include "seccomp_profiles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* last: its fail() is a macro */

#define WORD(text) ((char *)(uintptr_t)(text))
#define X32 0x40000000u
#define RET_ERRNO(number) (SECCOMP_RET_ERRNO | (uint32_t)(number))

static struct arena arena;

static int arena_teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct seccomp_filter built(const struct spec_seccomp *seccomp)
{
    struct seccomp_filter filter = {0};
    struct failure why = {0};
    if (seccomp_build(seccomp, &arena, &filter, &why) < 0)
        fail_msg("%s: %s", why.pointer, why.text);
    return filter;
}

static uint32_t answer_args(const struct seccomp_filter *filter, uint32_t arch, uint32_t nr, const uint64_t args[6])
{
    struct seccomp_data data = {.nr = (int)nr, .arch = arch};
    if (args != NULL)
        memcpy(data.args, args, sizeof(data.args));
    return bpf_answer(filter->program, filter->instructions, &data);
}

static uint32_t answer(const struct seccomp_filter *filter, uint32_t arch, uint32_t nr)
{
    return answer_args(filter, arch, nr, NULL);
}

/* One rule in a profile of the test's own. */
struct small {
    char *names[4];
    struct spec_seccomp_rule rule;
    struct spec_seccomp seccomp;
};

static void small_init(struct small *small, const char *default_action, const char *action, const char *name)
{
    *small = (struct small){.names = {WORD(name)}};
    small->rule = (struct spec_seccomp_rule){.names = {small->names, 1}, .action = WORD(action)};
    small->seccomp = (struct spec_seccomp){
        .set = true, .default_action = WORD(default_action), .syscalls = &small->rule, .syscalls_count = 1};
}

/* ---- the stub ---- */

/* spec: SECC-20 */
static void stub_per_architecture(void **state)
{
    static const struct newer_arch archs[] = {
        {SCMP_ARCH_X86_64, 100}, {SCMP_ARCH_X86, 200}, {SCMP_ARCH_X32, X32 + 300}, {SCMP_ARCH_ARM, 400}};
    static const struct { uint32_t arch, nr; bool refused; } cases[] = {
        {AUDIT_ARCH_X86_64, 0, false},         {AUDIT_ARCH_X86_64, 100, false},
        {AUDIT_ARCH_X86_64, 101, true},        {AUDIT_ARCH_X86_64, X32 - 1, true},
        {AUDIT_ARCH_X86_64, X32, false},       {AUDIT_ARCH_X86_64, X32 + 300, false},
        {AUDIT_ARCH_X86_64, X32 + 301, true},  {AUDIT_ARCH_X86_64, X32 + 511, true},
        {AUDIT_ARCH_X86_64, X32 + 512, false}, {AUDIT_ARCH_X86_64, X32 + 547, false},
        {AUDIT_ARCH_X86_64, X32 + 548, true},  {AUDIT_ARCH_I386, 200, false},
        {AUDIT_ARCH_I386, 201, true},          {AUDIT_ARCH_I386, X32 + 1, true},
        {AUDIT_ARCH_ARM, 400, false},          {AUDIT_ARCH_ARM, 401, true},
        {AUDIT_ARCH_ARM, 0x0effff, true},      {AUDIT_ARCH_ARM, 0x0f0000, false},
        {AUDIT_ARCH_ARM, 0x0fffff, false},     {AUDIT_ARCH_ARM, 0x100000, true},
        {AUDIT_ARCH_AARCH64, 4000, false},
    };
    struct sock_filter program[NEWER_ROOM(4) + 1];
    size_t length;
    (void)state;

    for (unsigned order = 0; order < 2; order++) { /* x32 before and after x86_64 */
        struct newer_arch turned[4];
        for (size_t i = 0; i < 4; i++)
            turned[i] = archs[order ? 3 - i : i];
        length = newer_build(turned, 4, program);
        assert_in_range(length, 4, NEWER_ROOM(4));
        program[length] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
            struct seccomp_data data = {.nr = (int)cases[i].nr, .arch = cases[i].arch};
            uint32_t got = bpf_answer(program, length + 1, &data);
            if (got != (cases[i].refused ? RET_ERRNO(ENOSYS) : SECCOMP_RET_ALLOW))
                fail_msg("order %u arch %x nr %x answers %x", order, cases[i].arch, cases[i].nr, got);
        }
    }
    assert_int_equal(newer_build(archs, 0, program), 0);
}

#if defined(__x86_64__)

static void stub_only_for_eperm(void **state)
{
    static const struct { const char *action; struct optional_u64 errno_ret; uint32_t newer, older; } cases[] = {
        {"SCMP_ACT_ERRNO", {false, 0}, RET_ERRNO(ENOSYS), RET_ERRNO(EPERM)},
        {"SCMP_ACT_ERRNO", {true, EPERM}, RET_ERRNO(ENOSYS), RET_ERRNO(EPERM)},
        {"SCMP_ACT_ERRNO", {true, EACCES}, RET_ERRNO(EACCES), RET_ERRNO(EACCES)},
        {"SCMP_ACT_KILL_PROCESS", {false, 0}, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_PROCESS},
        {"SCMP_ACT_LOG", {false, 0}, SECCOMP_RET_LOG, SECCOMP_RET_LOG},
        {"SCMP_ACT_TRACE", {false, 0}, SECCOMP_RET_TRACE | EPERM, SECCOMP_RET_TRACE | EPERM},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct small small;
        struct seccomp_filter filter;
        small_init(&small, cases[i].action, "SCMP_ACT_ALLOW", "openat2"); /* 437 */
        small.seccomp.default_errno_ret = cases[i].errno_ret;
        filter = built(&small.seccomp);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 437), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 438), cases[i].newer);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 1000), cases[i].newer);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 436), cases[i].older);
        assert_int_equal(answer(&filter, AUDIT_ARCH_I386, 1000), SECCOMP_RET_KILL_THREAD); /* not listed */
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, X32 + 1000), SECCOMP_RET_KILL_THREAD);
    }
}

/* ---- engine profiles ---- */

/* Among the first `count` rules, those without conditions. */
static bool named_without_args(const struct spec_seccomp *seccomp, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; seccomp->syscalls[i].args_count == 0 && j < seccomp->syscalls[i].names.count; j++)
            if (strcmp(seccomp->syscalls[i].names.items[j], name) == 0)
                return true;
    return false;
}

/* Every name of a rule without conditions gets that rule's action on every architecture that has the call. */
static void profile_answers_as_written(const struct spec_seccomp *seccomp, uint32_t default_answer)
{
    static const struct { uint32_t token, arch; } archs[] = {
        {SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64}, {SCMP_ARCH_X32, AUDIT_ARCH_X86_64}, {SCMP_ARCH_X86, AUDIT_ARCH_I386}};
    struct seccomp_filter filter = built(seccomp);
    const struct library *library;
    struct failure why;
    unsigned compared = 0;

    assert_int_equal(library_open(&library, &why), 0);
    assert_false(filter.notify);
    assert_int_equal(filter.flags, 0);
    for (size_t i = 0; i < seccomp->syscalls_count; i++) {
        const struct spec_seccomp_rule *rule = &seccomp->syscalls[i];
        uint32_t expected = strcmp(rule->action, "SCMP_ACT_ALLOW") == 0
                                ? SECCOMP_RET_ALLOW
                                : RET_ERRNO(rule->errno_ret.set ? rule->errno_ret.value : EPERM);
        for (size_t j = 0; rule->args_count == 0 && j < rule->names.count; j++)
            for (size_t k = 0; k < ARRAY_LENGTH(archs); k++) {
                if (named_without_args(seccomp, i, rule->names.items[j]))
                    continue; /* Podman's allows and refuses setns: the first rule stands */
                int nr = library->resolve_name_arch(archs[k].token, rule->names.items[j]);
                if (nr < 0)
                    continue;
                if (answer(&filter, archs[k].arch, (uint32_t)nr) != expected)
                    fail_msg("%s (arch %x, %d) answers %x, expected %x", rule->names.items[j], archs[k].arch, nr,
                             answer(&filter, archs[k].arch, (uint32_t)nr), expected);
                compared++;
            }
    }
    assert_true(compared > 800);
    assert_false(named_without_args(seccomp, seccomp->syscalls_count, "tuxcall"));
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_tuxcall), default_answer);
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 1000), RET_ERRNO(ENOSYS));
    assert_int_equal(answer(&filter, AUDIT_ARCH_I386, 1000), RET_ERRNO(ENOSYS));
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, X32 + 1000), RET_ERRNO(ENOSYS));
    assert_int_equal(answer(&filter, AUDIT_ARCH_AARCH64, 1), SECCOMP_RET_KILL_THREAD);
}

static void docker_profile_compiles(void **state)
{
    struct seccomp_filter filter;
    (void)state;
    profile_answers_as_written(&docker_profile, RET_ERRNO(EPERM));
    filter = built(&docker_profile);
    /* personality: 0, 8, 0x20000, 0x20008, 0xffffffff, as one-argument alternatives of five entries */
    assert_int_equal(answer_args(&filter, AUDIT_ARCH_X86_64, SYS_personality, (uint64_t[6]){8}), SECCOMP_RET_ALLOW);
    assert_int_equal(answer_args(&filter, AUDIT_ARCH_X86_64, SYS_personality, (uint64_t[6]){9}), RET_ERRNO(EPERM));
    assert_int_equal(answer_args(&filter, AUDIT_ARCH_X86_64, SYS_clone, (uint64_t[6]){0x11}), SECCOMP_RET_ALLOW);
    assert_int_equal(answer_args(&filter, AUDIT_ARCH_X86_64, SYS_clone, (uint64_t[6]){0x10000011}), RET_ERRNO(EPERM));
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_clone3), RET_ERRNO(ENOSYS));
}

static void podman_profile_compiles(void **state)
{
    (void)state;
    profile_answers_as_written(&podman_profile, RET_ERRNO(ENOSYS));
}

/* The binary tree decides exactly as the plain list does. */
static void tree_equals_list(void **state)
{
    static const struct spec_seccomp *const profiles[] = {&docker_profile, &podman_profile};
    static const struct { uint32_t arch, bit; } archs[] = {
        {AUDIT_ARCH_X86_64, 0}, {AUDIT_ARCH_X86_64, X32}, {AUDIT_ARCH_I386, 0}};
    static const uint64_t args[][6] = {{0}, {1, 1, 1, 1, 1, 1}, {40}, {16, 3, 9}, {0x20008}, {0x10000000}, {UINT64_MAX}};
    (void)state;
    for (size_t p = 0; p < ARRAY_LENGTH(profiles); p++) {
        struct seccomp_filter tree = built(profiles[p]), list;
        struct failure why;
        assert_int_equal(build_compile(profiles[p], BUILD_LIST, &arena, &list, &why), 0);
        for (size_t a = 0; a < ARRAY_LENGTH(archs); a++)
            for (uint32_t nr = 0; nr < 700; nr++)
                for (size_t i = 0; i < ARRAY_LENGTH(args); i++) {
                    uint32_t one = answer_args(&tree, archs[a].arch, nr | archs[a].bit, args[i]);
                    uint32_t two = answer_args(&list, archs[a].arch, nr | archs[a].bit, args[i]);
                    assert_int_not_equal(one, BPF_ANSWER_BROKEN);
                    if (one != two)
                        fail_msg("profile %zu arch %zu nr %u args %zu: tree %x list %x", p, a, nr, i, one, two);
                }
    }
}

/* ---- rules ---- */

/* spec: SCOP-01 SCOP-02 SCOP-03 SCOP-04 SCOP-05 SCOP-06 SCOP-07 SECC-14 SECC-15 */
static void operators_compare_64_bits(void **state)
{
    static const uint64_t edge[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x100000001,
                                    0x8000000000000000, UINT64_MAX};
    static const char *const ops[] = {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ",
                                      "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"};
    (void)state;
    for (size_t o = 0; o < ARRAY_LENGTH(ops); o++)
        for (size_t v = 0; v < ARRAY_LENGTH(edge); v++) {
            struct small small;
            struct spec_seccomp_arg arg = {.index = 5, .value = edge[v], .value_two = edge[v] & 0x100000001, .op = WORD(ops[o])};
            struct seccomp_filter filter;
            small_init(&small, "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "mmap");
            small.rule.args = &arg;
            small.rule.args_count = 1;
            filter = built(&small.seccomp);
            for (size_t i = 0; i < ARRAY_LENGTH(edge); i++) {
                uint64_t x = edge[i];
                bool holds[] = {x != arg.value, x < arg.value,  x <= arg.value,
                                x == arg.value, x >= arg.value, x > arg.value,
                                (x & arg.value) == arg.value_two};
                uint32_t got = answer_args(&filter, AUDIT_ARCH_X86_64, SYS_mmap, (uint64_t[6]){7, 7, 7, 7, 7, x});
                if (got != (holds[o] ? RET_ERRNO(EPERM) : SECCOMP_RET_ALLOW))
                    fail_msg("%s value %llx argument %llx answers %x", ops[o], (unsigned long long)arg.value,
                             (unsigned long long)x, got);
            }
        }
}

/* spec: SECC-12 SECC-17 */
static void conditions_are_and_repeated_index_is_or(void **state)
{
    struct spec_seccomp_arg both[] = {{.index = 0, .value = 1, .op = WORD("SCMP_CMP_EQ")},
                                      {.index = 1, .value = 2, .op = WORD("SCMP_CMP_EQ")}};
    struct spec_seccomp_arg either[] = {{.index = 0, .value = 1, .op = WORD("SCMP_CMP_EQ")},
                                        {.index = 0, .value = 2, .op = WORD("SCMP_CMP_EQ")},
                                        {.index = 1, .value = 9, .op = WORD("SCMP_CMP_EQ")}};
    struct small small;
    struct seccomp_filter filter;
    (void)state;
    small_init(&small, "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "ioctl");
    small.rule.args = both;
    small.rule.args_count = 2;
    filter = built(&small.seccomp);
    assert_int_equal(answer_args(&filter, AUDIT_ARCH_X86_64, SYS_ioctl, (uint64_t[6]){1, 2}), RET_ERRNO(EPERM));
    assert_int_equal(answer_args(&filter, AUDIT_ARCH_X86_64, SYS_ioctl, (uint64_t[6]){1, 3}), SECCOMP_RET_ALLOW);
    assert_int_equal(answer_args(&filter, AUDIT_ARCH_X86_64, SYS_ioctl, (uint64_t[6]){0, 2}), SECCOMP_RET_ALLOW);
    small.rule.args = either;
    small.rule.args_count = 3;
    filter = built(&small.seccomp);
    assert_int_equal(answer_args(&filter, AUDIT_ARCH_X86_64, SYS_ioctl, (uint64_t[6]){1, 0}), RET_ERRNO(EPERM));
    assert_int_equal(answer_args(&filter, AUDIT_ARCH_X86_64, SYS_ioctl, (uint64_t[6]){2, 0}), RET_ERRNO(EPERM));
    assert_int_equal(answer_args(&filter, AUDIT_ARCH_X86_64, SYS_ioctl, (uint64_t[6]){3, 9}), RET_ERRNO(EPERM));
    assert_int_equal(answer_args(&filter, AUDIT_ARCH_X86_64, SYS_ioctl, (uint64_t[6]){3, 0}), SECCOMP_RET_ALLOW);
}

/* spec: SECC-17 */
static void unknown_and_repeated_names_and_default_rules(void **state)
{
    struct small small;
    struct spec_seccomp_rule rules[4];
    char *names[] = {WORD("mkdir"), WORD("no_such_call"), WORD(""), WORD("mkdir")};
    struct seccomp_filter filter;
    (void)state;
    small_init(&small, "SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW", "mkdir");
    rules[0] = (struct spec_seccomp_rule){.names = {names, 4}, .action = WORD("SCMP_ACT_ALLOW")};
    rules[1] = rules[0]; /* the same again */
    rules[2] = rules[0]; /* equal to the default: skipped; it would contradict otherwise */
    rules[2].action = WORD("SCMP_ACT_ERRNO");
    rules[3] = rules[0]; /* not equal to the default: contradicts, the first stands */
    rules[3].action = WORD("SCMP_ACT_KILL");
    small.seccomp.syscalls = rules;
    small.seccomp.syscalls_count = 4;
    filter = built(&small.seccomp);
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_mkdir), SECCOMP_RET_ALLOW);
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_mkdir - 1), RET_ERRNO(EPERM));
}

/* spec: SECC-03 SECC-10 */
static void errno_is_what_the_profile_says(void **state)
{
    struct small small;
    struct seccomp_filter filter;
    (void)state;
    small_init(&small, "SCMP_ACT_ERRNO", "SCMP_ACT_ERRNO", "mkdir");
    small.seccomp.default_errno_ret = (struct optional_u64){true, EACCES};
    filter = built(&small.seccomp); /* the rule's own default is EPERM, not the profile's */
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_mkdir), RET_ERRNO(EPERM));
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_rmdir), RET_ERRNO(EACCES));
    small.rule.errno_ret = (struct optional_u64){true, 0};
    filter = built(&small.seccomp);
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_mkdir), RET_ERRNO(0));
}

/* spec: SCACT-01 SCACT-02 SCACT-03 SCACT-04 SCACT-05 SCACT-06 SCACT-07 SCACT-08 SCACT-09 SECC-02 SECC-09 */
static void every_action_word(void **state)
{
    static const struct { const char *word; uint32_t code; } actions[] = {
        {"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD}, {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
        {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD}, {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
        {"SCMP_ACT_ERRNO", RET_ERRNO(EPERM)}, {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE | EPERM},
        {"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW}, {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
        {"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(actions); i++) {
        struct small small;
        struct seccomp_filter filter;
        const char *other = actions[i].code == SECCOMP_RET_ALLOW ? "SCMP_ACT_LOG" : "SCMP_ACT_ALLOW";
        small_init(&small, other, actions[i].word, "mkdir");
        small.seccomp.listener_path = WORD("/run/agent");
        filter = built(&small.seccomp);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_mkdir), actions[i].code);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_rename),
                         actions[i].code == SECCOMP_RET_ALLOW ? SECCOMP_RET_LOG : SECCOMP_RET_ALLOW);
        if (actions[i].code == SECCOMP_RET_USER_NOTIF)
            continue; /* as the default it would stop init itself: refused */
        small_init(&small, actions[i].word, other, "mkdir");
        filter = built(&small.seccomp);
        /* Older than mkdir: the stub for newer ones says nothing of it. */
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_rename), actions[i].code);
    }
    struct small small;
    struct seccomp_filter filter;
    small_init(&small, "SCMP_ACT_ALLOW", "SCMP_ACT_TRACE", "mkdir");
    small.rule.errno_ret = (struct optional_u64){true, 65535};
    filter = built(&small.seccomp);
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_mkdir), SECCOMP_RET_TRACE | 65535);
}

/* spec: SCARCH-01 SCARCH-02 SCARCH-03 SCARCH-04 SCARCH-05 SCARCH-06 SCARCH-07 SCARCH-08 SCARCH-09 SCARCH-10 SCARCH-11 SCARCH-12
 *       SCARCH-13 SCARCH-14 SCARCH-15 SCARCH-16 SCARCH-17 SCARCH-18 SCARCH-19 SCARCH-20 SCARCH-21 SCARCH-22 SCARCH-23 */
static void every_architecture_word(void **state)
{
    /* Those that libseccomp 2.5 can put into one filter with a little-endian 64-bit machine's. */
    static const char *const together[] = {
        "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPSEL",
        "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64",
    };
    static const char *const words[] = {
        "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",
        "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
        "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC",
        "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
    };
    size_t native = 0;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        char *list[] = {WORD(words[i])};
        struct small small;
        struct seccomp_filter filter = {0}, alone;
        uint32_t token = 0;
        struct failure why = {0};
        bool expected = false;
        for (size_t j = 0; j < ARRAY_LENGTH(together); j++)
            expected |= text_equal(words[i], together[j]);
        small_init(&small, "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "mkdir");
        alone = built(&small.seccomp);
        small.seccomp.architectures = (struct strings){list, 1};
        assert_int_equal(seccomp_check(&small.seccomp, &why), 0); /* the word is recognised */
        if (seccomp_build(&small.seccomp, &arena, &filter, &why) == 0) {
            /* Never ignored: a call of that architecture is decided by the profile, and killed where it is not listed. */
            assert_true(words_arch(words[i], &token));
            bool x32 = token == SCMP_ARCH_X32; /* x86_64 for the kernel, told apart by the number */
            uint32_t arch = x32 ? AUDIT_ARCH_X86_64 : token, number = x32 ? X32 + 600 : 600;
            assert_int_equal(answer(&filter, arch, number), SECCOMP_RET_ALLOW);
            native += answer(&alone, arch, number) == SECCOMP_RET_ALLOW;
        } else {
            if (expected)
                fail_msg("%s: %s", words[i], why.text);
            assert_string_equal(why.pointer, "/linux/seccomp/architectures/0");
            assert_non_null(strstr(why.text, words[i]));
        }
    }
    assert_int_equal(native, 1);
}

/* spec: SECC-05 */
static void listed_architectures_and_the_native_one(void **state)
{
    char *words[] = {WORD("SCMP_ARCH_X86"), WORD("SCMP_ARCH_X86")};
    struct small small;
    struct seccomp_filter filter;
    struct failure why = {0};
    (void)state;
    small_init(&small, "SCMP_ACT_KILL", "SCMP_ACT_ALLOW", "getpid");
    small.seccomp.architectures = (struct strings){words, 2};
    filter = built(&small.seccomp);
    assert_int_equal(answer(&filter, AUDIT_ARCH_I386, 20), SECCOMP_RET_ALLOW);
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_getpid), SECCOMP_RET_ALLOW); /* native, unlisted */
    words[1] = WORD("SCMP_ARCH_S390X");
    assert_int_equal(seccomp_build(&small.seccomp, &arena, &filter, &why), -1);
    assert_int_equal(why.kind, FAILURE_CONFIG);
    assert_string_equal(why.pointer, "/linux/seccomp/architectures/1");
    assert_non_null(strstr(why.text, "SCMP_ARCH_S390X"));
}

/* spec: SECC-07 */
static void no_rules_at_all(void **state)
{
    struct spec_seccomp seccomp = {.set = true, .default_action = WORD("SCMP_ACT_ERRNO")};
    struct seccomp_filter filter;
    (void)state;
    filter = built(&seccomp);
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, SYS_getpid), RET_ERRNO(EPERM));
    assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 1000), RET_ERRNO(EPERM));
}

/* More comparisons than the kernel takes instructions. */
static void too_long_a_program(void **state)
{
    enum { COUNT = 1500 };
    static struct spec_seccomp_arg args[COUNT];
    static struct spec_seccomp_rule rules[COUNT];
    char *name[] = {WORD("mmap")};
    struct spec_seccomp seccomp = {
        .set = true, .default_action = WORD("SCMP_ACT_ALLOW"), .syscalls = rules, .syscalls_count = COUNT};
    struct seccomp_filter filter;
    struct failure why = {0};
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        args[i] = (struct spec_seccomp_arg){.index = 0, .value = ((uint64_t)i << 32) + i, .op = WORD("SCMP_CMP_EQ")};
        rules[i] = (struct spec_seccomp_rule){
            .names = {name, 1}, .action = WORD("SCMP_ACT_ERRNO"), .args = &args[i], .args_count = 1};
    }
    assert_int_equal(seccomp_build(&seccomp, &arena, &filter, &why), -1);
    assert_string_equal(why.pointer, "/linux/seccomp");
    assert_non_null(strstr(why.text, "4096"));
}

/* A profile that libseccomp would think about for days ends with a sentence instead. */
static void too_complex_a_profile(void **state)
{
    static struct spec_seccomp_arg args[200][6];
    static struct spec_seccomp_rule rules[200];
    char *name[] = {WORD("mmap")};
    struct spec_seccomp seccomp = {
        .set = true, .default_action = WORD("SCMP_ACT_ALLOW"), .syscalls = rules, .syscalls_count = 200};
    struct seccomp_filter filter;
    struct failure why = {0};
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        for (unsigned j = 0; j < 6; j++)
            args[i][j] = (struct spec_seccomp_arg){
                .index = j, .value = ((uint64_t)i * 7 + j) << 16 | i, .op = WORD("SCMP_CMP_GE")};
        rules[i] = (struct spec_seccomp_rule){
            .names = {name, 1}, .action = WORD("SCMP_ACT_ERRNO"), .args = args[i], .args_count = 6};
    }
    assert_int_equal(seccomp_build(&seccomp, &arena, &filter, &why), -1);
    assert_int_equal(why.kind, FAILURE_CONFIG);
    assert_non_null(strstr(why.text, "too complex"));
}
#endif

/* spec: SECC-06 SECC-19 SCFLAG-01 SCFLAG-02 SCFLAG-03 SCFLAG-04 */
static void filter_flags(void **state)
{
    char *words[] = {WORD("SECCOMP_FILTER_FLAG_LOG"), WORD("SECCOMP_FILTER_FLAG_SPEC_ALLOW"),
                     WORD("SECCOMP_FILTER_FLAG_TSYNC"), WORD("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")};
    struct small small;
    struct seccomp_filter filter;
    (void)state;
    small_init(&small, "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "mkdir");
    assert_int_equal(built(&small.seccomp).flags, 0); /* absent: the administrator decides about speculation */
    small.seccomp.flags = (struct strings){words, 4};
    assert_int_equal(built(&small.seccomp).flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC);
    small.rule.action = WORD("SCMP_ACT_NOTIFY");
    small.seccomp.listener_path = WORD("/run/agent");
    filter = built(&small.seccomp);
    assert_true(filter.notify);
    assert_int_equal(filter.flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC |
                                       SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC_ESRCH |
                                       SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
    assert_true(seccomp_flag_supported("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"));
    assert_true(seccomp_flag_supported("SECCOMP_FILTER_FLAG_LOG"));
    assert_false(seccomp_flag_supported("SECCOMP_FILTER_FLAG_NEW_LISTENER"));
    assert_false(seccomp_flag_supported("bogus"));
}

static void library_version(void **state)
{
    unsigned major, minor, micro;
    (void)state;
    assert_non_null(seccomp_library_version());
    assert_int_equal(sscanf(seccomp_library_version(), "%u.%u.%u", &major, &minor, &micro), 3);
    assert_true(major == 2 && minor >= 5);
}

/* ---- really loaded ---- */

/* Loads in a child and returns its wait status; the child's exit code is 0 when `probe` holds. */
static int loaded(const struct seccomp_filter *filter, int (*probe)(int listener))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        int listener;
        (void)signal(SIGSYS, SIG_DFL); /* cmocka catches it */
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
            _exit(100);
        listener = seccomp_install(filter);
        if (listener < 0)
            _exit(101);
        _exit(probe(listener));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int errno_of(long result)
{
    return result < 0 ? errno : 0;
}

static int probe_docker(int listener)
{
    if (listener != 0)
        return 1;
    if (errno_of(syscall(1000)) != ENOSYS)
        return 2;
    if (errno_of(syscall(SYS_kexec_load, 0, 0, 0, 0)) != EPERM)
        return 3;
    if (errno_of(syscall(SYS_clone3, 0, 0)) != ENOSYS)
        return 4;
    return syscall(SYS_getpid) > 0 ? 0 : 5;
}

static void docker_profile_in_force(void **state)
{
    struct seccomp_filter filter = built(&docker_profile);
    (void)state;
    assert_int_equal(loaded(&filter, probe_docker), 0);
}

static int probe_kill(int listener)
{
    (void)listener;
    (void)syscall(SYS_mkdirat, -1, "x", 0);
    return 9;
}

/* spec: SCACT-01 SCACT-02 SCACT-03 SCACT-04 */
static void kill_and_trap_in_force(void **state)
{
    static const char *const fatal[] = {"SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(fatal); i++) {
        struct small small;
        struct seccomp_filter filter;
        int status;
        small_init(&small, "SCMP_ACT_ALLOW", fatal[i], "mkdirat");
        filter = built(&small.seccomp);
        status = loaded(&filter, probe_kill);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGSYS);
    }
}

static int probe_notify(int listener)
{
    char name[64], target[64] = "";
    snprintf(name, sizeof(name), "/proc/self/fd/%d", listener);
    if (listener <= 2 || readlink(name, target, sizeof(target) - 1) < 0)
        return 1;
    return strcmp(target, "anon_inode:seccomp notify") == 0 ? 0 : 2;
}

/* spec: SCACT-09 */
static void notify_gives_a_listener(void **state)
{
    struct small small;
    struct seccomp_filter filter;
    (void)state;
    small_init(&small, "SCMP_ACT_ALLOW", "SCMP_ACT_NOTIFY", "mount");
    small.seccomp.listener_path = WORD("/run/agent");
    filter = built(&small.seccomp);
    assert_int_equal(loaded(&filter, probe_notify), 0);
}

static void refused_by_the_kernel(void **state)
{
    struct seccomp_filter filter = built(&docker_profile);
    (void)state;
    filter.flags = 1u << 30;
    assert_int_equal(seccomp_install(&filter), -EINVAL);
    filter.flags = 0;
    filter.instructions = 0;
    assert_int_equal(seccomp_install(&filter), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stub_per_architecture),
#if defined(__x86_64__)
        cmocka_unit_test(stub_only_for_eperm),
        cmocka_unit_test(docker_profile_compiles),
        cmocka_unit_test(podman_profile_compiles),
        cmocka_unit_test(tree_equals_list),
        cmocka_unit_test(operators_compare_64_bits),
        cmocka_unit_test(conditions_are_and_repeated_index_is_or),
        cmocka_unit_test(unknown_and_repeated_names_and_default_rules),
        cmocka_unit_test(errno_is_what_the_profile_says),
        cmocka_unit_test(every_action_word), cmocka_unit_test(every_architecture_word),
        cmocka_unit_test(listed_architectures_and_the_native_one),
        cmocka_unit_test(no_rules_at_all),
        cmocka_unit_test(too_long_a_program),
        cmocka_unit_test(too_complex_a_profile),
#endif
        cmocka_unit_test(filter_flags),
        cmocka_unit_test(library_version),
        cmocka_unit_test(docker_profile_in_force),
        cmocka_unit_test(kill_and_trap_in_force),
        cmocka_unit_test(notify_gives_a_listener),
        cmocka_unit_test(refused_by_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, arena_teardown);
}
