/*
 * cgroups/devices.c: /linux/resources/devices -> eBPF instructions.
 *
 * Pure.  Runs in the creator and the update command.  Should: deny what no rule allows (GHSA-g54h-m393-cpwq: a list
 * is an allow list, whatever its first rule).  Must not: depend on what the kernel has attached; bpf.c does that.
 */
#include "cgroups/devices.h"

#include <inttypes.h>

#define POINTER "/linux/resources/devices"
#define RULES_MAX 2000           /* four branches each: the verifier keeps at most 8192 of one path in mind */
#define INSTRUCTIONS_PER_RULE 13 /* at most: three comparisons of three, four for the verdict */

#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define NUMBER(n)                                                                                                  \
    {                                                                                                              \
        .set = true, .value = (n)                                                                                  \
    }
#define CHARACTER(major_number, minor_number)                                                                      \
    {                                                                                                              \
        .allow = true, .type = 'c', .major = NUMBER(major_number), .minor = NUMBER(minor_number), .read = true,    \
        .write = true, .mknod = true                                                                               \
    }

const struct spec_device_rule devices_defaults[] = {
    {.allow = true, .type = 'c', .mknod = true},
    {.allow = true, .type = 'b', .mknod = true},
    CHARACTER(1, 3),    /* null */
    CHARACTER(1, 5),    /* zero */
    CHARACTER(1, 7),    /* full */
    CHARACTER(1, 8),    /* random */
    CHARACTER(1, 9),    /* urandom */
    CHARACTER(5, 0),    /* tty */
    CHARACTER(5, 2),    /* ptmx */
    CHARACTER(136, -1), /* pts */
    CHARACTER(10, 200), /* net/tun */
};
const size_t devices_defaults_count = ARRAY_LENGTH(devices_defaults);

/* Registers of the program. */
enum {
    VERDICT = BPF_REG_0,
    CONTEXT = BPF_REG_1,
    TYPE = BPF_REG_2,
    WANTED = BPF_REG_3, /* access bits no rule has decided about yet */
    MAJOR = BPF_REG_4,
    MINOR = BPF_REG_5,
    DIFFERENCE = BPF_REG_0, /* shares VERDICT's register, which is set just before each exit */
};

struct emitting {
    struct bpf_insn *instructions;
    size_t count;
};

static void emit(struct emitting *emitting, unsigned code, unsigned target, unsigned source, int offset,
                 int32_t value)
{
    emitting->instructions[emitting->count++] = (struct bpf_insn){.code = (uint8_t)code,
                                                                  .dst_reg = target & 0xf,
                                                                  .src_reg = source & 0xf,
                                                                  .off = (int16_t)offset,
                                                                  .imm = value};
}

static unsigned access_of(const struct spec_device_rule *rule)
{
    return (rule->mknod ? BPF_DEVCG_ACC_MKNOD : 0u) | (rule->read ? BPF_DEVCG_ACC_READ : 0u) |
           (rule->write ? BPF_DEVCG_ACC_WRITE : 0u);
}

static bool is_every_number(const struct optional_i64 *number)
{
    return !number->set || number->value == -1;
}

static bool is_about_everything(const struct spec_device_rule *rule)
{
    return rule->type == 'a' && is_every_number(&rule->major) && is_every_number(&rule->minor) &&
           access_of(rule) == ACCESS_ALL;
}

static void emit_prologue(struct emitting *emitting)
{
    emit(emitting, BPF_LDX | BPF_MEM | BPF_W, TYPE, CONTEXT, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
    emit(emitting, BPF_ALU64 | BPF_MOV | BPF_X, WANTED, TYPE, 0, 0);
    emit(emitting, BPF_ALU64 | BPF_RSH | BPF_K, WANTED, 0, 0, 16);
    emit(emitting, BPF_ALU64 | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
    emit(emitting, BPF_LDX | BPF_MEM | BPF_W, MAJOR, CONTEXT, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
    emit(emitting, BPF_LDX | BPF_MEM | BPF_W, MINOR, CONTEXT, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
}

/*
 * "Not equal: skip the rule"; the offset is filled in by emit_rule.  A difference is compared with 0, rather than
 * the register with the number: else the verifier would learn the number on the way through and follow each
 * matching rule to the end on its own, which makes its steps quadratic and refuses lists of some hundred rules.
 */
static void emit_match(struct emitting *emitting, unsigned source, uint32_t value)
{
    emit(emitting, BPF_ALU | BPF_MOV | BPF_X, DIFFERENCE, source, 0, 0);
    emit(emitting, BPF_ALU | BPF_XOR | BPF_K, DIFFERENCE, 0, 0, (int32_t)value);
    emit(emitting, BPF_JMP | BPF_JNE | BPF_K, DIFFERENCE, 0, 0, 0);
}

/*
 * The rules come last to first, so the first one that matches decides about the bits it names:
 * a denial that touches a wanted bit ends with 0, an allowance takes its bits off the wanted ones and ends with 1
 * when none is left.
 */
static void emit_rule(struct emitting *emitting, const struct spec_device_rule *rule)
{
    size_t first = emitting->count;
    unsigned access = access_of(rule);
    if (rule->type != 'a')
        emit_match(emitting, TYPE, rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    if (!is_every_number(&rule->major))
        emit_match(emitting, MAJOR, (uint32_t)rule->major.value);
    if (!is_every_number(&rule->minor))
        emit_match(emitting, MINOR, (uint32_t)rule->minor.value);
    size_t matches = emitting->count - first;
    if (rule->allow) {
        emit(emitting, BPF_ALU64 | BPF_AND | BPF_K, WANTED, 0, 0, (int32_t)(ACCESS_ALL & ~access));
        emit(emitting, BPF_JMP | BPF_JNE | BPF_K, WANTED, 0, 2, 0);
        emit(emitting, BPF_ALU64 | BPF_MOV | BPF_K, VERDICT, 0, 0, 1);
        emit(emitting, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    } else {
        emit(emitting, BPF_JMP | BPF_JSET | BPF_K, WANTED, 0, 1, (int32_t)access);
        emit(emitting, BPF_JMP | BPF_JA, 0, 0, 2, 0);
        emit(emitting, BPF_ALU64 | BPF_MOV | BPF_K, VERDICT, 0, 0, 0);
        emit(emitting, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    }
    for (size_t i = first; i < first + matches; i++)
        if (emitting->instructions[i].code == (BPF_JMP | BPF_JNE | BPF_K))
            emitting->instructions[i].off = (int16_t)(emitting->count - i - 1);
}

static int check_number(const struct optional_i64 *number, size_t rule, const char *member, struct failure *why)
{
    if (!number->set || (number->value >= -1 && number->value <= UINT32_MAX))
        return 0;
    (void)fail_config(why, "", "%" PRId64 " is no device number: expected 0 to %u, or -1 for all", number->value, UINT32_MAX); /* below */
    return failure_pointer(why, POINTER "/%zu/%s", rule, member);
}

static int check_rules(const struct spec_device_rule *rules, size_t count, struct findings *findings)
{
    if (count > RULES_MAX)
        return found(findings, fail_config(findings->why, POINTER, "%zu device rules are more than the %d this runtime takes",
                                           count, RULES_MAX));
    for (size_t i = 0; i < count; i++)
        if (found(findings, check_number(&rules[i].major, i, "major", findings->why)) < 0 ||
            found(findings, check_number(&rules[i].minor, i, "minor", findings->why)) < 0)
            return -1;
    return 0;
}

int devices_plan(const struct spec_device_rule *rules, size_t count, struct arena *arena,
                 struct devices_program *ret_program, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return devices_plan_all(rules, count, arena, ret_program, &first);
}

int devices_plan_all(const struct spec_device_rule *rules, size_t count, struct arena *arena,
                     struct devices_program *ret_program, struct findings *findings)
{
    *ret_program = (struct devices_program){0};
    if (check_rules(rules, count, findings) < 0)
        return -1;
    if (count > RULES_MAX)
        return 0; /* reported */
    /* What stands before a rule about everything has no effect any more. */
    size_t first = 0;
    bool allow_rest = false, denies = false;
    for (size_t i = 0; i < count; i++) {
        if (is_about_everything(&rules[i])) {
            first = i + 1;
            allow_rest = rules[i].allow;
            denies = false;
        } else if (!rules[i].allow && access_of(&rules[i]) != 0) {
            denies = true;
        }
    }
    if (count == 0 || (allow_rest && !denies))
        return 0;

    size_t room = (count - first + devices_defaults_count) * INSTRUCTIONS_PER_RULE + 16;
    struct emitting emitting = {.instructions = arena_alloc(arena, room * sizeof(struct bpf_insn))};
    emit_prologue(&emitting);
    for (size_t i = devices_defaults_count; i-- > 0;)
        emit_rule(&emitting, &devices_defaults[i]);
    for (size_t i = count; i-- > first;)
        if (access_of(&rules[i]) != 0)
            emit_rule(&emitting, &rules[i]);
    emit(&emitting, BPF_ALU64 | BPF_MOV | BPF_K, VERDICT, 0, 0, allow_rest ? 1 : 0);
    emit(&emitting, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    *ret_program = (struct devices_program){emitting.instructions, emitting.count};
    return 0;
}
