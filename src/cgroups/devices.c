/*
 * cgroups/devices.c: /linux/resources/devices -> eBPF instructions.
 *
 * Pure.  Runs in the creator and the update command.  Should: deny what no rule allows (GHSA-g54h-m393-cpwq: a list
 * is an allow list, whatever its first rule).  Must not: depend on what the kernel has attached; bpf.c does that.
 */
#include "cgroups/devices.h"

#include <inttypes.h>
#include <string.h>

#define POINTER "/linux/resources/devices"
#define RULES_MAX 2000           /* up to four branches each: the verifier keeps at most 8192 of one path in mind */
#define INSTRUCTIONS_PER_RULE 11 /* at most: three comparisons of three, two for the verdict; a jump reaches 32767 far */
#define INSTRUCTIONS_AROUND 24

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
    {.allow = true, .type = 'a', .mknod = true},
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

/*
 * Registers of the program.  A key holds a whole device: (type ^ its type) << 32 | major << 20 | minor.  The kernel's dev_t
 * has 12 bits of major and 20 of minor number (MINORBITS), so a key is exact, and where a device is of the key's type its
 * upper half is 0: one comparison with a 32-bit number then tells type, major and minor number together.
 */
enum {
    VERDICT = BPF_REG_0,
    CONTEXT = BPF_REG_1,
    TYPE = BPF_REG_2,
    WANTED = BPF_REG_3, /* access bits no rule has decided about yet; never 0 */
    MAJOR = BPF_REG_4,
    MINOR = BPF_REG_5,
    CHAR_KEY = BPF_REG_6,
    CHAR_MAJOR = BPF_REG_7, /* a key without the minor number */
    BLOCK_KEY = BPF_REG_8,
    BLOCK_MAJOR = BPF_REG_9,
    DIFFERENCE = BPF_REG_0, /* shares VERDICT's register, which is set just before each exit */
};

#define MINOR_BITS 20
#define MAJOR_MAX 0xfff
#define MINOR_MAX 0xfffff
#define KEY_MAJOR_MAX 0x7ff /* a key with more is no positive 32-bit number, which a comparison would extend by its sign */

/* Where a jump of emit_verdict goes, until all instructions are there. */
enum { TO_ALLOWED = -1, TO_DENIED = -2 };

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

/* A rule that names no access, or a number that no device has, decides about nothing. */
static bool is_about_nothing(const struct spec_device_rule *rule)
{
    return access_of(rule) == 0 || (rule->major.set && rule->major.value > MAJOR_MAX) ||
           (rule->minor.set && rule->minor.value > MINOR_MAX);
}

static bool number_covers(const struct optional_i64 *later, const struct optional_i64 *earlier)
{
    return is_every_number(later) || (!is_every_number(earlier) && later->value == earlier->value);
}

/* Whether a later rule decides whatever an earlier one would. */
static bool covers(const struct spec_device_rule *later, const struct spec_device_rule *earlier)
{
    return (later->type == 'a' || later->type == earlier->type) && number_covers(&later->major, &earlier->major) &&
           number_covers(&later->minor, &earlier->minor) && (access_of(earlier) & ~access_of(later)) == 0;
}

/* Engines list what the defaults grant anyhow.  Only the defaults are asked, so that a long list costs no square. */
static bool is_covered_by_defaults(const struct spec_device_rule *rule)
{
    for (size_t i = 0; i < devices_defaults_count; i++)
        if (covers(&devices_defaults[i], rule))
            return true;
    return false;
}

static bool has_key(const struct spec_device_rule *rule)
{
    return rule->type != 'a' && !is_every_number(&rule->major) && rule->major.value <= KEY_MAJOR_MAX;
}

static void emit_key(struct emitting *emitting, unsigned major, unsigned key, int32_t type)
{
    emit(emitting, BPF_ALU64 | BPF_MOV | BPF_X, major, TYPE, 0, 0);
    emit(emitting, BPF_ALU64 | BPF_XOR | BPF_K, major, 0, 0, type);
    emit(emitting, BPF_ALU64 | BPF_LSH | BPF_K, major, 0, 0, 32 - MINOR_BITS);
    emit(emitting, BPF_ALU64 | BPF_OR | BPF_X, major, MAJOR, 0, 0);
    emit(emitting, BPF_ALU64 | BPF_MOV | BPF_X, key, major, 0, 0);
    emit(emitting, BPF_ALU64 | BPF_LSH | BPF_K, key, 0, 0, MINOR_BITS);
    emit(emitting, BPF_ALU64 | BPF_OR | BPF_X, key, MINOR, 0, 0);
}

static void emit_prologue(struct emitting *emitting, const struct spec_device_rule *rules, size_t count)
{
    bool block_keys = false; /* the defaults need those of characters anyhow */
    for (size_t i = 0; i < count; i++)
        block_keys |= rules[i].type == 'b' && has_key(&rules[i]);
    emit(emitting, BPF_LDX | BPF_MEM | BPF_W, TYPE, CONTEXT, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
    emit(emitting, BPF_ALU64 | BPF_MOV | BPF_X, WANTED, TYPE, 0, 0);
    emit(emitting, BPF_ALU64 | BPF_RSH | BPF_K, WANTED, 0, 0, 16);
    emit(emitting, BPF_ALU64 | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
    emit(emitting, BPF_LDX | BPF_MEM | BPF_W, MAJOR, CONTEXT, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
    emit(emitting, BPF_LDX | BPF_MEM | BPF_W, MINOR, CONTEXT, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
    emit_key(emitting, CHAR_MAJOR, CHAR_KEY, BPF_DEVCG_DEV_CHAR);
    if (block_keys)
        emit_key(emitting, BLOCK_MAJOR, BLOCK_KEY, BPF_DEVCG_DEV_BLOCK);
}

static unsigned key_register(const struct spec_device_rule *rule, int32_t *ret_value)
{
    bool every_minor = is_every_number(&rule->minor);
    *ret_value = (int32_t)(every_minor ? rule->major.value : rule->major.value << MINOR_BITS | rule->minor.value);
    if (rule->type == 'c')
        return every_minor ? CHAR_MAJOR : CHAR_KEY;
    return every_minor ? BLOCK_MAJOR : BLOCK_KEY;
}

/*
 * "Not equal: skip the rule"; the offset is filled in by emit_rule.  A difference is compared with 0, rather than
 * the register with the number: else the verifier would learn the number on the way through and follow each
 * matching rule to the end on its own, which makes its steps quadratic and refuses lists of some hundred rules.
 */
static void emit_match(struct emitting *emitting, unsigned source, int32_t value)
{
    emit(emitting, BPF_ALU64 | BPF_MOV | BPF_X, DIFFERENCE, source, 0, 0);
    emit(emitting, BPF_ALU64 | BPF_XOR | BPF_K, DIFFERENCE, 0, 0, value);
    emit(emitting, BPF_JMP | BPF_JNE | BPF_K, DIFFERENCE, 0, 0, 0);
}

static void emit_matches(struct emitting *emitting, const struct spec_device_rule *rule)
{
    if (has_key(rule)) {
        int32_t value;
        unsigned key = key_register(rule, &value);
        emit_match(emitting, key, value);
        return;
    }
    if (rule->type != 'a')
        emit_match(emitting, TYPE, rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    if (!is_every_number(&rule->major))
        emit_match(emitting, MAJOR, (int32_t)rule->major.value);
    if (!is_every_number(&rule->minor))
        emit_match(emitting, MINOR, (int32_t)rule->minor.value);
}

/* A denial that touches a wanted bit ends the program; an allowance takes its bits off, and ends it when none is left. */
static void emit_verdict(struct emitting *emitting, const struct spec_device_rule *rule)
{
    unsigned access = access_of(rule);
    if (rule->allow) {
        emit(emitting, BPF_ALU64 | BPF_AND | BPF_K, WANTED, 0, 0, (int32_t)(ACCESS_ALL & ~access));
        emit(emitting, BPF_JMP | BPF_JEQ | BPF_K, WANTED, 0, TO_ALLOWED, 0);
    } else {
        emit(emitting, BPF_JMP | BPF_JSET | BPF_K, WANTED, 0, TO_DENIED, (int32_t)access);
    }
}

/* The rules come last to first, so the first one that matches decides about the bits it names. */
static void emit_rule(struct emitting *emitting, const struct spec_device_rule *rule)
{
    if (is_about_nothing(rule))
        return;
    if (has_key(rule) && access_of(rule) == ACCESS_ALL) {
        int32_t value;
        unsigned key = key_register(rule, &value);
        emit(emitting, BPF_JMP | BPF_JEQ | BPF_K, key, 0, rule->allow ? TO_ALLOWED : TO_DENIED, value);
        return;
    }
    size_t first = emitting->count;
    emit_matches(emitting, rule);
    size_t behind = emitting->count;
    emit_verdict(emitting, rule);
    for (size_t i = first; i < behind; i++)
        if (emitting->instructions[i].code == (BPF_JMP | BPF_JNE | BPF_K))
            emitting->instructions[i].off = (int16_t)(emitting->count - i - 1);
}

/* The two ends, first the one for what no rule has decided about; and the jumps to them. */
static void emit_ends(struct emitting *emitting, bool allow_rest)
{
    size_t first = emitting->count;
    size_t allowed = allow_rest ? first : first + 2, denied = allow_rest ? first + 2 : first;
    for (int end = 0; end < 2; end++) {
        emit(emitting, BPF_ALU64 | BPF_MOV | BPF_K, VERDICT, 0, 0, (end == 0) == allow_rest);
        emit(emitting, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    }
    for (size_t i = 0; i < first; i++) {
        struct bpf_insn *instruction = &emitting->instructions[i];
        if (BPF_CLASS(instruction->code) == BPF_JMP && instruction->off < 0)
            instruction->off = (int16_t)((instruction->off == TO_ALLOWED ? allowed : denied) - i - 1);
    }
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
        } else if (!rules[i].allow && !is_about_nothing(&rules[i]) && !is_covered_by_defaults(&rules[i])) {
            denies = true; /* by an instruction: the kernel refuses a program with an end that nothing leads to */
        }
    }
    if (count == 0 || (allow_rest && !denies))
        return 0;

    size_t room = (count - first + devices_defaults_count) * INSTRUCTIONS_PER_RULE + INSTRUCTIONS_AROUND;
    struct emitting emitting = {.instructions = arena_alloc(arena, room * sizeof(struct bpf_insn))};
    emit_prologue(&emitting, rules, count);
    for (size_t i = devices_defaults_count; i-- > 0;)
        emit_rule(&emitting, &devices_defaults[i]);
    for (size_t i = count; i-- > first;)
        if (!is_covered_by_defaults(&rules[i]))
            emit_rule(&emitting, &rules[i]);
    emit_ends(&emitting, allow_rest);
    *ret_program = (struct devices_program){emitting.instructions, emitting.count};
    return 0;
}

/* ---- what others have put in front of it ---- */

static bool leads_beyond(const struct devices_program *program, size_t end)
{
    for (size_t i = 0; i < end; i++) {
        const struct bpf_insn *instruction = &program->instructions[i];
        unsigned class = BPF_CLASS(instruction->code), operation = BPF_OP(instruction->code);
        if (instruction->code == (BPF_LD | BPF_IMM | BPF_DW)) {
            i++; /* one instruction in two */
            continue;
        }
        if ((class != BPF_JMP && class != BPF_JMP32) || operation == BPF_EXIT || operation == BPF_CALL)
            continue;
        if (class == BPF_JMP32 && operation == BPF_JA)
            return true; /* a long jump, which no list of rules needs */
        if (instruction->off > 0 && i + 1 + (size_t)instruction->off > end)
            return true;
    }
    return false;
}

bool devices_keep_front(const struct devices_program *found, const struct devices_program *before,
                        const struct devices_program *wanted, struct arena *arena, struct devices_program *ret_program)
{
    if (before->count == 0 || found->count < before->count)
        return false;
    size_t front = found->count - before->count, size = sizeof(struct bpf_insn);
    if (memcmp(found->instructions + front, before->instructions, before->count * size) != 0 || leads_beyond(found, front))
        return false;
    struct bpf_insn *both = arena_alloc(arena, (front + wanted->count) * size);
    memcpy(both, found->instructions, front * size); /* there is at least `before` */
    if (wanted->count > 0)
        memcpy(both + front, wanted->instructions, wanted->count * size);
    *ret_program = (struct devices_program){both, front + wanted->count};
    return true;
}
