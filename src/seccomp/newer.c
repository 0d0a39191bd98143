/*
 * seccomp/newer.c: the ENOSYS stub.  PURE.
 *
 * Only load, conditional jump, jump and return are used: the kernel's per-filter bitmap of always-allowed system
 * calls (Linux 5.11) understands these and so still skips the filter for the common ones.
 */
#include "seccomp/newer.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>

#define X32_BIT 0x40000000u

struct private_range {
    uint32_t token, first, last;
};
static const struct private_range private_ranges[] = {
    {SCMP_ARCH_X32, X32_BIT + 512, X32_BIT + 547}, /* the calls that x32 has instead of x86_64's */
    {SCMP_ARCH_ARM, 0x0f0000, 0x0fffff},           /* breakpoint, cacheflush, set_tls, … */
};

static const struct private_range *private_range(uint32_t token)
{
    for (size_t i = 0; i < sizeof(private_ranges) / sizeof(private_ranges[0]); i++)
        if (private_ranges[i].token == token)
            return &private_ranges[i];
    return NULL;
}

int newer_is_private(uint32_t token, uint32_t number)
{
    const struct private_range *range = private_range(token);
    return range != NULL && number >= range->first && number <= range->last;
}

/*
 * One architecture.  x86_64 and x32 are one for the kernel (AUDIT_ARCH_X86_64), told apart by bit 30 of the
 * number; each has its block.
 *
 *      ld   arch
 *      jeq  this one         no -> next block
 *      ld   nr
 *      jge  X32_BIT          x86_64: yes -> next block;  x32: no -> next block;  others: not there
 *      jgt  highest          no -> leave
 *      jge  private.first    no -> enosys       where the architecture has a private range
 *      jgt  private.last     no -> leave
 *  enosys: ret ENOSYS
 *  leave:  ja  past the last block, filled in when that is known
 */
static size_t newer_block(const struct newer_arch *arch, struct sock_filter *out)
{
    const struct private_range *range = private_range(arch->token);
    bool x32 = arch->token == SCMP_ARCH_X32, x86_64 = arch->token == SCMP_ARCH_X86_64;
    size_t next = 6u + (x32 || x86_64) + (range != NULL ? 2u : 0u), leave = next - 1, enosys = next - 2, n = 0;

#define LOAD(member) (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define JUMP(condition, value, yes, no)                                                                              \
    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | (condition), (value), (unsigned char)((yes) - n - 1),            \
                                 (unsigned char)((no) - n - 1))
    out[n] = LOAD(arch), n++;
    out[n] = JUMP(BPF_JEQ, x32 ? AUDIT_ARCH_X86_64 : arch->token, n + 1, next), n++;
    out[n] = LOAD(nr), n++;
    if (x86_64)
        out[n] = JUMP(BPF_JGE, X32_BIT, next, n + 1), n++;
    if (x32)
        out[n] = JUMP(BPF_JGE, X32_BIT, n + 1, next), n++;
    out[n] = JUMP(BPF_JGT, arch->highest, n + 1, leave), n++;
    if (range != NULL) {
        out[n] = JUMP(BPF_JGE, range->first, n + 1, enosys), n++;
        out[n] = JUMP(BPF_JGT, range->last, n + 1, leave), n++;
    }
    out[n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS), n++;
    out[n] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0), n++;
#undef LOAD
#undef JUMP
    return n;
}

size_t newer_build(const struct newer_arch *archs, size_t count, struct sock_filter *out)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += newer_block(&archs[i], out + n);
    for (size_t i = 0; i < n; i++)
        if (out[i].code == (BPF_JMP | BPF_JA))
            out[i].k = (uint32_t)(n - i - 1);
    return n;
}
