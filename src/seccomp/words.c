/*
 * seccomp/words.c: what the words of /linux/seccomp mean, in the order of spec/words.c.
 *
 * PURE: tables and look-ups, usable in every process.
 */
#include "seccomp/words.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>

#include "base/memory.h"
#include "base/text.h"
#include "seccomp/seccomp.h"

/* Newer than the kernel headers of the oldest distribution that we build on. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* Tokens that libseccomp has since 2.6.0; an older one refuses them, which build.c explains. */
#define TOKEN_LOONGARCH64 0xc0000102u /* EM_LOONGARCH, 64 bit, little endian */
#define TOKEN_M68K 0x00000004u        /* EM_68K */
#define TOKEN_SH 0x4000002au          /* EM_SH, little endian */
#define TOKEN_SHEB 0x0000002au        /* EM_SH */

/* The kernel caps the errno of SECCOMP_RET_ERRNO at its MAX_ERRNO; a tracer gets all 16 bits. */
#define ERRNO_MAX 4095u
#define TRACE_MAX 65535u

static const struct action_meaning action_meanings[] = {
    {SECCOMP_RET_KILL_THREAD, 0}, {SECCOMP_RET_KILL_PROCESS, 0},      {SECCOMP_RET_KILL_THREAD, 0},
    {SECCOMP_RET_TRAP, 0},        {SECCOMP_RET_ERRNO, ERRNO_MAX},     {SECCOMP_RET_TRACE, TRACE_MAX},
    {SECCOMP_RET_ALLOW, 0},       {SECCOMP_RET_LOG, 0},               {SECCOMP_RET_USER_NOTIF, 0},
};

static const unsigned operator_meanings[] = {
    SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ,
};

static const uint32_t arch_tokens[] = {
    SCMP_ARCH_X86,      SCMP_ARCH_X86_64,   SCMP_ARCH_X32,          SCMP_ARCH_ARM,
    SCMP_ARCH_AARCH64,  SCMP_ARCH_MIPS,     SCMP_ARCH_MIPS64,       SCMP_ARCH_MIPS64N32,
    SCMP_ARCH_MIPSEL,   SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32,  SCMP_ARCH_PPC,
    SCMP_ARCH_PPC64,    SCMP_ARCH_PPC64LE,  SCMP_ARCH_S390,         SCMP_ARCH_S390X,
    SCMP_ARCH_PARISC,   SCMP_ARCH_PARISC64, SCMP_ARCH_RISCV64,      TOKEN_LOONGARCH64,
    TOKEN_M68K,         TOKEN_SH,           TOKEN_SHEB,
};

static const unsigned flag_meanings[] = {
    SECCOMP_FILTER_FLAG_TSYNC,
    SECCOMP_FILTER_FLAG_LOG,
    SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
};

_Static_assert(ARRAY_LENGTH(action_meanings) + 1 == ARRAY_LENGTH(seccomp_action_words), "one meaning per word");
_Static_assert(ARRAY_LENGTH(operator_meanings) + 1 == ARRAY_LENGTH(seccomp_operator_words), "one meaning per word");
_Static_assert(ARRAY_LENGTH(arch_tokens) + 1 == ARRAY_LENGTH(seccomp_arch_words), "one token per word");
_Static_assert(ARRAY_LENGTH(flag_meanings) + 1 == ARRAY_LENGTH(seccomp_flag_words), "one meaning per word");

/* The place of `word` in a NULL-ended list, or -1. */
static int words_find(const char *const *list, const char *word)
{
    if (word == NULL)
        return -1;
    for (int i = 0; list[i] != NULL; i++)
        if (text_equal(list[i], word))
            return i;
    return -1;
}

bool words_action(const char *word, struct action_meaning *ret_meaning)
{
    int at = words_find(seccomp_action_words, word);
    if (at >= 0)
        *ret_meaning = action_meanings[at];
    return at >= 0;
}

bool words_operator(const char *word, unsigned *ret_operator)
{
    int at = words_find(seccomp_operator_words, word);
    if (at >= 0)
        *ret_operator = operator_meanings[at];
    return at >= 0;
}

bool words_arch(const char *word, uint32_t *ret_token)
{
    int at = words_find(seccomp_arch_words, word);
    if (at >= 0)
        *ret_token = arch_tokens[at];
    return at >= 0;
}

bool words_flag(const char *word, unsigned *ret_flag)
{
    int at = words_find(seccomp_flag_words, word);
    if (at >= 0)
        *ret_flag = flag_meanings[at];
    return at >= 0;
}
