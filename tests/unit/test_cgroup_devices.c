/*
 * tests/unit/test_cgroup_devices.c: device rules -> BPF program.  The programs are run here by a small interpreter
 * and compared with a reference that says the specification's sentence and nothing else.
 */
#include "cgroups/devices.h"

#include <stdint.h>
#include <string.h>

/* After ours, because it has a macro fail(); and behind what it uses and does not include. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { MKNOD = BPF_DEVCG_ACC_MKNOD, READ = BPF_DEVCG_ACC_READ, WRITE = BPF_DEVCG_ACC_WRITE };

static struct arena arena;
static struct failure why;

static int clear(void **state)
{
    (void)state;
    arena_done(&arena);
    arena = (struct arena){0};
    why = (struct failure){0};
    return 0;
}

/* ---- the interpreter: the instructions that devices.c may use, and a failed test for any other ---- */

static uint64_t run(const struct devices_program *program, char type, uint32_t major, uint32_t minor,
                    unsigned access)
{
    struct bpf_cgroup_dev_ctx context = {.access_type = access << 16 |
                                                        (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
                                         .major = major,
                                         .minor = minor};
    uint64_t registers[11] = {0};
    for (size_t at = 0;; at++) {
        assert_true(at < program->count);
        const struct bpf_insn *in = &program->instructions[at];
        uint64_t *target = &registers[in->dst_reg];
        uint64_t immediate = (uint64_t)(int64_t)in->imm;
        switch (in->code) {
        case BPF_LDX | BPF_MEM | BPF_W: {
            uint32_t word;
            assert_int_equal(in->src_reg, BPF_REG_1);
            assert_true(in->off >= 0 && (size_t)in->off + sizeof word <= sizeof context);
            memcpy(&word, (const char *)&context + in->off, sizeof word);
            *target = word;
            break;
        }
        case BPF_ALU64 | BPF_MOV | BPF_X:
            *target = registers[in->src_reg];
            break;
        case BPF_ALU64 | BPF_MOV | BPF_K:
            *target = immediate;
            break;
        case BPF_ALU64 | BPF_RSH | BPF_K:
            *target >>= immediate;
            break;
        case BPF_ALU64 | BPF_AND | BPF_K:
            *target &= immediate;
            break;
        case BPF_ALU64 | BPF_LSH | BPF_K:
            *target <<= immediate;
            break;
        case BPF_ALU64 | BPF_OR | BPF_X:
            *target |= registers[in->src_reg];
            break;
        case BPF_ALU64 | BPF_XOR | BPF_K:
            *target ^= immediate;
            break;
        case BPF_JMP | BPF_JNE | BPF_K:
            at += *target != immediate ? (size_t)in->off : 0;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += *target == immediate ? (size_t)in->off : 0;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            at += *target & immediate ? (size_t)in->off : 0;
            break;
        case BPF_JMP | BPF_EXIT:
            return registers[BPF_REG_0];
        default:
            fail_msg("unexpected instruction 0x%02x", in->code);
        }
    }
}

/* ---- the reference ---- */

static bool rule_decides(const struct spec_device_rule *rule, char type, uint32_t major, uint32_t minor,
                         unsigned bit)
{
    unsigned named = (rule->mknod ? MKNOD : 0u) | (rule->read ? READ : 0u) | (rule->write ? WRITE : 0u);
    return (rule->type == 'a' || rule->type == type) &&
           (!rule->major.set || rule->major.value == -1 || rule->major.value == major) &&
           (!rule->minor.set || rule->minor.value == -1 || rule->minor.value == minor) && (named & bit);
}

/* "Entries apply in order, a later one overrides earlier ones for the devices and access bits it names"; none:
 * denied. */
static bool reference(const struct spec_device_rule *rules, size_t count, char type, uint32_t major, uint32_t minor,
                      unsigned access)
{
    for (unsigned bit = 1; bit <= WRITE; bit <<= 1) {
        bool allowed = false;
        if (!(access & bit))
            continue;
        for (size_t i = 0; i < count; i++)
            if (rule_decides(&rules[i], type, major, minor, bit))
                allowed = rules[i].allow;
        for (size_t i = 0; i < devices_defaults_count; i++)
            allowed |= rule_decides(&devices_defaults[i], type, major, minor, bit);
        if (!allowed)
            return false;
    }
    return true;
}

/* ---- tests ---- */

static uint32_t random_state = 2463534242u;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

/* Of rules, and of devices: the kernel has 12 bits of major and 20 bits of minor number. */
static const int64_t numbers[] = {-1, 0, 1, 3, 5, 10, 136, 200, 2047, 2048, 4095, 0x7fffffff, 0x80000000, 0xffffffff};
static const uint32_t majors[] = {0, 1, 3, 5, 10, 136, 200, 2047, 2048, 4095};
static const uint32_t minors[] = {0, 1, 3, 5, 10, 136, 200, 2047, 2048, 4095, 0xfffff};

static struct spec_device_rule random_rule(void)
{
    struct spec_device_rule rule = {
        .allow = pick(2), .type = "aabbcc"[pick(6)], .read = pick(3), .write = pick(3), .mknod = pick(3)};
    rule.major = (struct optional_i64){pick(4) != 0, numbers[pick(ARRAY_LENGTH(numbers))]};
    rule.minor = (struct optional_i64){pick(3) != 0, numbers[pick(ARRAY_LENGTH(numbers))]};
    return rule;
}

/* spec: RDEV-02 RDEV-05 RDEV-06 RDEV-08 */
static void random_lists_agree_with_the_reference(void **state)
{
    (void)state;
    unsigned allowed = 0, denied = 0;
    for (int round = 0; round < 3000; round++) {
        struct spec_device_rule rules[12];
        size_t count = 1 + pick(ARRAY_LENGTH(rules));
        for (size_t i = 0; i < count; i++)
            rules[i] = random_rule();
        struct devices_program program;
        assert_int_equal(devices_plan(rules, count, &arena, &program, &why), 0);
        for (int probe = 0; probe < 60; probe++) {
            char type = "bc"[pick(2)];
            uint32_t major = majors[pick(ARRAY_LENGTH(majors))];
            uint32_t minor = minors[pick(ARRAY_LENGTH(minors))];
            unsigned access = 1 + pick(7);
            bool expected = reference(rules, count, type, major, minor, access);
            bool found = program.count == 0 || run(&program, type, major, minor, access) == 1;
            assert_int_equal(found, expected);
            expected ? allowed++ : denied++;
        }
        if (round % 100 == 0)
            (void)clear(NULL);
    }
    assert_true(allowed > 20000 && denied > 20000); /* the probes tell something */
}

/* The same over every device and access that the numbers make, with few numbers, so that the rules get in each other's way. */
static void dense_lists_agree_with_the_reference_everywhere(void **state)
{
    static const uint32_t few[] = {1, 3, 5, 136};
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct spec_device_rule rules[6];
        size_t count = 1 + pick(ARRAY_LENGTH(rules));
        for (size_t i = 0; i < count; i++) {
            rules[i] = random_rule();
            rules[i].major.value = few[pick(ARRAY_LENGTH(few))];
            rules[i].minor.value = few[pick(ARRAY_LENGTH(few))];
        }
        struct devices_program program;
        assert_int_equal(devices_plan(rules, count, &arena, &program, &why), 0);
        for (unsigned probe = 0; probe < 2 * ARRAY_LENGTH(few) * ARRAY_LENGTH(few) * 7; probe++) {
            char type = "bc"[probe % 2];
            uint32_t major = few[probe / 2 % ARRAY_LENGTH(few)];
            uint32_t minor = few[probe / 2 / ARRAY_LENGTH(few) % ARRAY_LENGTH(few)];
            unsigned access = 1 + probe / 2 / ARRAY_LENGTH(few) / ARRAY_LENGTH(few);
            bool found = program.count == 0 || run(&program, type, major, minor, access) == 1;
            assert_int_equal(found, reference(rules, count, type, major, minor, access));
        }
        if (round % 100 == 0)
            (void)clear(NULL);
    }
}

static const struct spec_device_rule deny_all = {.type = 'a', .read = true, .write = true, .mknod = true};
static const struct spec_device_rule allow_all = {
    .allow = true, .type = 'a', .read = true, .write = true, .mknod = true};

/* spec: RDEV-09 */
static void no_program_where_everything_is_allowed(void **state)
{
    struct spec_device_rule rules[] = {deny_all, allow_all, {.allow = true, .type = 'c', .read = true}};
    struct devices_program program;
    (void)state;
    assert_int_equal(devices_plan(NULL, 0, &arena, &program, &why), 0);
    assert_int_equal(program.count, 0);
    assert_int_equal(devices_plan(rules, 3, &arena, &program, &why), 0);
    assert_int_equal(program.count, 0);
    assert_int_equal(devices_plan(rules, 1, &arena, &program, &why), 0);
    assert_true(program.count > 0);
}

/* RDEV-02's own example: deny all, allow 10:229 rw, deny 10:229 w => only reading works. */
/* spec: RDEV-02 */
static void a_later_rule_overrides_the_bits_it_names(void **state)
{
    struct spec_device_rule rules[] = {
        deny_all,
        {.allow = true, .type = 'c', .major = {true, 10}, .minor = {true, 229}, .read = true, .write = true},
        {.allow = false, .type = 'c', .major = {true, 10}, .minor = {true, 229}, .write = true},
    };
    struct devices_program program;
    (void)state;
    assert_int_equal(devices_plan(rules, 3, &arena, &program, &why), 0);
    assert_int_equal(run(&program, 'c', 10, 229, READ), 1);
    assert_int_equal(run(&program, 'c', 10, 229, WRITE), 0);
    assert_int_equal(run(&program, 'c', 10, 229, READ | WRITE), 0);
    assert_int_equal(run(&program, 'b', 10, 229, READ), 0);
}

/* GHSA-g54h-m393-cpwq: a list that begins with an allowance allows nothing else. */
static void default_is_denial(void **state)
{
    struct spec_device_rule rules[] = {
        {.allow = true, .type = 'c', .major = {true, 1}, .minor = {true, 3}, .read = true}};
    struct devices_program program;
    (void)state;
    assert_int_equal(devices_plan(rules, 1, &arena, &program, &why), 0);
    assert_int_equal(run(&program, 'c', 10, 229, READ), 0);
    assert_int_equal(run(&program, 'b', 8, 0, WRITE), 0);
    assert_int_equal(run(&program, 'c', 1, 11, READ), 0);
}

/* spec: RDEV-08 */
static void defaults_cannot_be_denied(void **state)
{
    static const uint32_t always[][2] = {{1, 3}, {1, 5}, {1, 7},   {1, 8},    {1, 9},
                                         {5, 0}, {5, 2}, {136, 0}, {136, 99}, {10, 200}};
    struct devices_program program;
    (void)state;
    assert_int_equal(devices_plan(&deny_all, 1, &arena, &program, &why), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(always); i++) {
        assert_int_equal(run(&program, 'c', always[i][0], always[i][1], READ | WRITE | MKNOD), 1);
        assert_int_equal(run(&program, 'b', always[i][0], always[i][1], READ), 0);
    }
    assert_int_equal(run(&program, 'b', 8, 0, MKNOD), 1);
    assert_int_equal(run(&program, 'b', 8, 0, MKNOD | READ), 0);
    assert_int_equal(run(&program, 'c', 5, 1, READ), 0);
}

/* The kernel's verifier walks through this program at every start. */
static void the_program_of_an_engine_is_short(void **state)
{
    struct devices_program program;
    (void)state;
    assert_int_equal(devices_plan(&deny_all, 1, &arena, &program, &why), 0);
    assert_true(program.count <= 28);
    /* As containerd writes it: the list repeats what the defaults grant; only 5:1 is a rule of its own. */
    struct spec_device_rule rules[10] = {deny_all};
    static const int64_t granted[][2] = {{1, 3}, {1, 8}, {1, 7}, {5, 0}, {1, 5}, {1, 9}, {5, 1}, {136, -1}, {5, 2}};
    for (size_t i = 0; i < ARRAY_LENGTH(granted); i++)
        rules[1 + i] = (struct spec_device_rule){.allow = true,
                                                 .type = 'c',
                                                 .major = {true, granted[i][0]},
                                                 .minor = {granted[i][1] >= 0, granted[i][1]},
                                                 .read = true,
                                                 .write = true,
                                                 .mknod = true};
    assert_int_equal(devices_plan(rules, ARRAY_LENGTH(rules), &arena, &program, &why), 0);
    assert_true(program.count <= 29);
    assert_int_equal(run(&program, 'c', 5, 1, READ), 1);
}

/* What a GPU's hook has in front of our program: 195:* is allowed, the rest is up to ours. */
static const struct bpf_insn front[] = {
    {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = offsetof(struct bpf_cgroup_dev_ctx, major)},
    {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 2, .off = 2, .imm = 195},
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1},
    {.code = BPF_JMP | BPF_EXIT},
};

static struct devices_program behind_front(const struct devices_program *program)
{
    struct bpf_insn *both = arena_alloc(&arena, sizeof front + program->count * sizeof *both);
    memcpy(both, front, sizeof front);
    memcpy(both + ARRAY_LENGTH(front), program->instructions, program->count * sizeof *both);
    return (struct devices_program){both, ARRAY_LENGTH(front) + program->count};
}

static void a_front_that_a_hook_made_stays(void **state)
{
    struct spec_device_rule rules[] = {deny_all, {.allow = true, .type = 'c', .major = {true, 10}, .minor = {true, 229}, .read = true}};
    struct devices_program before, wanted, kept, nothing = {0};
    (void)state;
    assert_int_equal(devices_plan(rules, 2, &arena, &before, &why), 0);
    assert_int_equal(devices_plan(rules, 1, &arena, &wanted, &why), 0);
    struct devices_program found = behind_front(&before);
    assert_true(devices_keep_front(&found, &before, &wanted, &arena, &kept));
    assert_int_equal(kept.count, ARRAY_LENGTH(front) + wanted.count);
    assert_int_equal(run(&kept, 'c', 195, 7, READ), 1);
    assert_int_equal(run(&kept, 'c', 10, 229, READ), 0);
    assert_int_equal(run(&kept, 'c', 1, 3, READ), 1);
    assert_true(devices_keep_front(&kept, &wanted, &before, &arena, &kept)); /* and back */
    assert_int_equal(run(&kept, 'c', 10, 229, READ), 1);
    assert_true(devices_keep_front(&before, &before, &wanted, &arena, &kept)); /* nobody put anything there */
    assert_int_equal(kept.count, wanted.count);
    assert_true(devices_keep_front(&found, &before, &nothing, &arena, &kept)); /* every device is allowed now */

    /* Nothing of ours at its end, or not known what; a front that goes on behind our first instruction. */
    assert_false(devices_keep_front(&found, &wanted, &before, &arena, &kept));
    assert_false(devices_keep_front(&found, &nothing, &wanted, &arena, &kept));
    assert_false(devices_keep_front(&nothing, &before, &wanted, &arena, &kept));
    found.instructions[1].off = 3;
    assert_false(devices_keep_front(&found, &before, &wanted, &arena, &kept));
    found.instructions[1].code = BPF_JMP32 | BPF_JNE | BPF_K;
    assert_false(devices_keep_front(&found, &before, &wanted, &arena, &kept));
    found.instructions[1].code = BPF_JMP32 | BPF_JA;
    found.instructions[1].off = 0;
    assert_false(devices_keep_front(&found, &before, &wanted, &arena, &kept));
    found.instructions[1].code = BPF_LD | BPF_IMM | BPF_DW; /* its second half is no instruction */
    found.instructions[2] = (struct bpf_insn){.code = BPF_JMP | BPF_JA, .off = 100};
    assert_true(devices_keep_front(&found, &before, &wanted, &arena, &kept));
}

static void bad_lists_are_refused(void **state)
{
    struct spec_device_rule rules[] = {deny_all, {.type = 'c', .major = {true, -2}}};
    struct devices_program program;
    (void)state;
    assert_int_equal(devices_plan(rules, 2, &arena, &program, &why), -1);
    assert_string_equal(why.pointer, "/linux/resources/devices/1/major");
    rules[1] = (struct spec_device_rule){.type = 'c', .minor = {true, 1LL << 32}};
    assert_int_equal(devices_plan(rules, 2, &arena, &program, &why), -1);
    assert_string_equal(why.pointer, "/linux/resources/devices/1/minor");
    enum { TOO_MANY = 2001 };
    struct spec_device_rule *many = arena_alloc(&arena, TOO_MANY * sizeof *many);
    for (size_t i = 0; i < TOO_MANY; i++)
        many[i] = deny_all;
    assert_int_equal(devices_plan(many, TOO_MANY, &arena, &program, &why), -1);
    assert_string_equal(why.pointer, "/linux/resources/devices");
    assert_int_equal(devices_plan(many, TOO_MANY - 1, &arena, &program, &why), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(random_lists_agree_with_the_reference, clear),
        cmocka_unit_test_teardown(dense_lists_agree_with_the_reference_everywhere, clear),
        cmocka_unit_test_teardown(no_program_where_everything_is_allowed, clear),
        cmocka_unit_test_teardown(a_later_rule_overrides_the_bits_it_names, clear),
        cmocka_unit_test_teardown(default_is_denial, clear),
        cmocka_unit_test_teardown(defaults_cannot_be_denied, clear),
        cmocka_unit_test_teardown(the_program_of_an_engine_is_short, clear),
        cmocka_unit_test_teardown(a_front_that_a_hook_made_stays, clear),
        cmocka_unit_test_teardown(bad_lists_are_refused, clear),
    };
    return cmocka_run_group_tests_name("cgroup_devices", tests, NULL, NULL);
}
