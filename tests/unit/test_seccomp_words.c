/*
 * seccomp/words.c and check.c: every word means what the kernel means by it, every contradiction is named.
 */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "base/memory.h"
#include "seccomp/seccomp.h"
#include "seccomp/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* last: its fail() is a macro */

#define WORD(text) ((char *)(uintptr_t)(text))

static size_t list_length(const char *const *list)
{
    size_t n = 0;
    while (list[n] != NULL)
        n++;
    return n;
}

static void actions(void **state)
{
    static const struct { const char *word; uint32_t code, errno_max; } expected[] = {
        {"SCMP_ACT_KILL", SCMP_ACT_KILL, 0},
        {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, 0},
        {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, 0},
        {"SCMP_ACT_TRAP", SCMP_ACT_TRAP, 0},
        {"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), 4095},
        {"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), 65535},
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, 0},
        {"SCMP_ACT_LOG", SCMP_ACT_LOG, 0},
        {"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY, 0},
    };
    struct action_meaning meaning;
    (void)state;
    assert_int_equal(list_length(seccomp_action_words), ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        assert_true(words_action(expected[i].word, &meaning));
        assert_int_equal(meaning.code, expected[i].code);
        assert_int_equal(meaning.errno_max, expected[i].errno_max);
    }
    assert_false(words_action("SCMP_ACT_ALLOWED", &meaning));
    assert_false(words_action("scmp_act_allow", &meaning));
    assert_false(words_action("", &meaning));
    assert_false(words_action(NULL, &meaning));
}

static void operators(void **state)
{
    static const struct { const char *word; unsigned op; } expected[] = {
        {"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT}, {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT},
        {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    };
    unsigned op;
    (void)state;
    assert_int_equal(list_length(seccomp_operator_words), ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        assert_true(words_operator(expected[i].word, &op));
        assert_int_equal(op, expected[i].op);
    }
    assert_false(words_operator("SCMP_CMP_", &op));
}

static void architectures(void **state)
{
    static const struct { const char *word; uint32_t token; } expected[] = {
        {"SCMP_ARCH_X86", AUDIT_ARCH_I386},
        {"SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64},
        {"SCMP_ARCH_X32", SCMP_ARCH_X32},
        {"SCMP_ARCH_ARM", AUDIT_ARCH_ARM},
        {"SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64},
        {"SCMP_ARCH_MIPS", AUDIT_ARCH_MIPS},
        {"SCMP_ARCH_MIPS64", AUDIT_ARCH_MIPS64},
        {"SCMP_ARCH_MIPS64N32", AUDIT_ARCH_MIPS64N32},
        {"SCMP_ARCH_MIPSEL", AUDIT_ARCH_MIPSEL},
        {"SCMP_ARCH_MIPSEL64", AUDIT_ARCH_MIPSEL64},
        {"SCMP_ARCH_MIPSEL64N32", AUDIT_ARCH_MIPSEL64N32},
        {"SCMP_ARCH_PPC", AUDIT_ARCH_PPC},
        {"SCMP_ARCH_PPC64", AUDIT_ARCH_PPC64},
        {"SCMP_ARCH_PPC64LE", AUDIT_ARCH_PPC64LE},
        {"SCMP_ARCH_S390", AUDIT_ARCH_S390},
        {"SCMP_ARCH_S390X", AUDIT_ARCH_S390X},
        {"SCMP_ARCH_PARISC", AUDIT_ARCH_PARISC},
        {"SCMP_ARCH_PARISC64", AUDIT_ARCH_PARISC64},
        {"SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64},
        {"SCMP_ARCH_LOONGARCH64", AUDIT_ARCH_LOONGARCH64},
        {"SCMP_ARCH_M68K", AUDIT_ARCH_M68K},
        {"SCMP_ARCH_SH", AUDIT_ARCH_SHEL},
        {"SCMP_ARCH_SHEB", AUDIT_ARCH_SH},
    };
    uint32_t token;
    (void)state;
    assert_int_equal(list_length(seccomp_arch_words), ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        assert_true(words_arch(expected[i].word, &token));
        assert_int_equal(token, expected[i].token);
    }
    assert_false(words_arch("SCMP_ARCH_NATIVE", &token));
    assert_false(words_arch("x86_64", &token));
}

static void flags(void **state)
{
    static const struct { const char *word; unsigned flag; } expected[] = {
        {"SECCOMP_FILTER_FLAG_TSYNC", 1},
        {"SECCOMP_FILTER_FLAG_LOG", 2},
        {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", 4},
        {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 32},
    };
    unsigned flag;
    (void)state;
    assert_int_equal(list_length(seccomp_flag_words), ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        assert_true(words_flag(expected[i].word, &flag));
        assert_int_equal(flag, expected[i].flag);
    }
    assert_false(words_flag("SECCOMP_FILTER_FLAG_NEW_LISTENER", &flag));
}

/* ---- seccomp_check ---- */

/* A profile with one rule, all of it to be varied by a case. */
struct profile {
    char *names[2];
    char *words[2];
    struct spec_seccomp_arg args[1];
    struct spec_seccomp_rule rules[1];
    struct spec_seccomp seccomp;
};

static void profile_init(struct profile *profile)
{
    *profile = (struct profile){
        .names = {WORD("mount"), WORD("umount2")},
        .args = {{.index = 0, .value = 1, .op = WORD("SCMP_CMP_EQ")}},
    };
    profile->rules[0] = (struct spec_seccomp_rule){
        .names = {.items = profile->names, .count = 2},
        .action = WORD("SCMP_ACT_ALLOW"),
        .args = profile->args,
        .args_count = 1,
    };
    profile->seccomp = (struct spec_seccomp){
        .set = true,
        .default_action = WORD("SCMP_ACT_ERRNO"),
        .syscalls = profile->rules,
        .syscalls_count = 1,
    };
}

static void accepted(const struct profile *profile)
{
    struct failure why = {0};
    if (seccomp_check(&profile->seccomp, &why) < 0)
        fail_msg("refused at %s: %s", why.pointer, why.text);
}

static void refused(const struct profile *profile, const char *pointer, const char *about)
{
    struct failure why = {0};
    assert_int_equal(seccomp_check(&profile->seccomp, &why), -1);
    assert_int_equal(why.kind, FAILURE_CONFIG);
    assert_string_equal(why.pointer, pointer);
    if (strstr(why.text, about) == NULL)
        fail_msg("`%s` is not in: %s", about, why.text);
}

static void check_default_action(void **state)
{
    struct profile p;
    (void)state;
    profile_init(&p);
    accepted(&p);
    p.seccomp.default_action = NULL;
    refused(&p, "/linux/seccomp/defaultAction", "absent");
    p.seccomp.default_action = WORD("SCMP_ACT_DENY");
    refused(&p, "/linux/seccomp/defaultAction", "SCMP_ACT_DENY");
    p.seccomp.default_action = WORD("SCMP_ACT_NOTIFY");
    refused(&p, "/linux/seccomp/defaultAction", "SCMP_ACT_NOTIFY");
    p.seccomp.set = false;
    accepted(&p);
}

/* spec: SECC-04 SECC-11 */
static void errno_needs_an_action_that_has_one(void **state)
{
    static const char *const without[] = {"SCMP_ACT_ALLOW", "SCMP_ACT_LOG",         "SCMP_ACT_KILL",
                                          "SCMP_ACT_TRAP",  "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS"};
    struct profile p;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(without); i++) {
        profile_init(&p);
        p.seccomp.default_action = WORD(without[i]);
        accepted(&p);
        p.seccomp.default_errno_ret = (struct optional_u64){true, 1};
        refused(&p, "/linux/seccomp/defaultErrnoRet", without[i]);
        profile_init(&p);
        p.rules[0].action = WORD(without[i]);
        p.rules[0].errno_ret = (struct optional_u64){true, 38};
        refused(&p, "/linux/seccomp/syscalls/0/errnoRet", without[i]);
    }
    profile_init(&p);
    p.seccomp.default_errno_ret = (struct optional_u64){true, 4095};
    accepted(&p);
    p.seccomp.default_errno_ret.value = 4096;
    refused(&p, "/linux/seccomp/defaultErrnoRet", "4096");
    p.seccomp.default_action = WORD("SCMP_ACT_TRACE");
    accepted(&p);
    p.seccomp.default_errno_ret.value = 65536;
    refused(&p, "/linux/seccomp/defaultErrnoRet", "65536");
}

/* spec: SECC-08 SECC-09 SECC-13 SECC-16 */
static void a_rule_needs_its_parts(void **state)
{
    struct profile p;
    (void)state;
    profile_init(&p);
    p.rules[0].names.count = 0;
    refused(&p, "/linux/seccomp/syscalls/0/names", "at least one");
    profile_init(&p);
    p.rules[0].action = NULL;
    refused(&p, "/linux/seccomp/syscalls/0/action", "absent");
    profile_init(&p);
    p.args[0].index = 5;
    accepted(&p);
    p.args[0].index = 6;
    refused(&p, "/linux/seccomp/syscalls/0/args/0/index", "6");
    p.args[0].index = UINT64_MAX;
    refused(&p, "/linux/seccomp/syscalls/0/args/0/index", "18446744073709551615");
    profile_init(&p);
    p.args[0].op = NULL;
    refused(&p, "/linux/seccomp/syscalls/0/args/0/op", "absent");
    p.args[0].op = WORD("SCMP_CMP_XX");
    refused(&p, "/linux/seccomp/syscalls/0/args/0/op", "SCMP_CMP_XX");
}

/* spec: SCFLAG-01 SCFLAG-02 SCFLAG-03 SCFLAG-04 */
static void unknown_architectures_and_flags(void **state)
{
    struct profile p;
    (void)state;
    profile_init(&p);
    p.words[0] = WORD("SCMP_ARCH_X86");
    p.words[1] = WORD("SCMP_ARCH_VAX");
    p.seccomp.architectures = (struct strings){.items = p.words, .count = 2};
    refused(&p, "/linux/seccomp/architectures/1", "SCMP_ARCH_VAX");
    profile_init(&p);
    p.words[0] = WORD("SECCOMP_FILTER_FLAG_NEW_LISTENER");
    p.seccomp.flags = (struct strings){.items = p.words, .count = 1};
    refused(&p, "/linux/seccomp/flags/0", "NEW_LISTENER");
}

static void check_notify(void **state)
{
    static const char *const needed[] = {"sendmsg", "recvmsg", "read",       "write", "close",   "close_range",
                                         "futex",   "prctl",   "exit_group", "capset"};
    struct profile p;
    (void)state;
    profile_init(&p);
    p.rules[0].action = WORD("SCMP_ACT_NOTIFY");
    refused(&p, "/linux/seccomp/listenerPath", "SCMP_ACT_NOTIFY");
    p.seccomp.listener_path = WORD("");
    refused(&p, "/linux/seccomp/listenerPath", "SCMP_ACT_NOTIFY");
    p.seccomp.listener_path = WORD("/run/agent");
    accepted(&p);
    p.names[1] = WORD("execve");
    accepted(&p);
    for (size_t i = 0; i < ARRAY_LENGTH(needed); i++) {
        p.names[1] = WORD(needed[i]);
        refused(&p, "/linux/seccomp/syscalls/0/names/1", needed[i]);
    }
    profile_init(&p);
    p.names[1] = WORD("write");
    p.seccomp.listener_path = WORD("/nowhere"); /* ignored without SCMP_ACT_NOTIFY */
    p.seccomp.listener_metadata = WORD("m");
    accepted(&p);
    p.seccomp.listener_path = NULL;
    refused(&p, "/linux/seccomp/listenerMetadata", "without listenerPath");
}

/* ---- seccomp_allows ---- */

static void allowed_is_what_nothing_stops(void **state)
{
    struct profile p;
    (void)state;
    profile_init(&p);
    assert_false(seccomp_allows(&p.seccomp, "mount")); /* depends on an argument */
    p.rules[0].args_count = 0;
    assert_true(seccomp_allows(&p.seccomp, "mount"));
    assert_true(seccomp_allows(&p.seccomp, "umount2"));
    assert_false(seccomp_allows(&p.seccomp, "clock_gettime"));
    p.rules[0].action = WORD("SCMP_ACT_LOG");
    assert_true(seccomp_allows(&p.seccomp, "mount"));
    p.seccomp.default_action = WORD("SCMP_ACT_ALLOW");
    assert_true(seccomp_allows(&p.seccomp, "clock_gettime"));
    p.rules[0].action = WORD("SCMP_ACT_KILL");
    assert_false(seccomp_allows(&p.seccomp, "umount2"));
    p.rules[0].args_count = 1; /* with some argument it is stopped */
    assert_false(seccomp_allows(&p.seccomp, "umount2"));
    p.seccomp.default_action = NULL;
    assert_false(seccomp_allows(&p.seccomp, "getpid"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions),       cmocka_unit_test(operators),        cmocka_unit_test(architectures),
        cmocka_unit_test(flags),         cmocka_unit_test(check_default_action), cmocka_unit_test(errno_needs_an_action_that_has_one),
        cmocka_unit_test(a_rule_needs_its_parts),   cmocka_unit_test(unknown_architectures_and_flags), cmocka_unit_test(check_notify),
        cmocka_unit_test(allowed_is_what_nothing_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
