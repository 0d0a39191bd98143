/*
 * The classic BPF that seccomp filters consist of, interpreted: what a filter answers, without loading it.
 */
#ifndef CRUN_LITE_TESTS_BPF_INTERPRETER_H
#define CRUN_LITE_TESTS_BPF_INTERPRETER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>

#define BPF_ANSWER_BROKEN 0x00010000u /* no action of the kernel */

static inline uint32_t bpf_answer(const struct sock_filter *program, size_t length, const struct seccomp_data *data)
{
    uint32_t a = 0;

    for (size_t at = 0; at < length; at++) {
        const struct sock_filter *step = &program[at];
        int yes;
        switch (step->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            if (step->k + sizeof(a) > sizeof(*data) || step->k % sizeof(a) != 0)
                return BPF_ANSWER_BROKEN;
            memcpy(&a, (const char *)data + step->k, sizeof(a));
            continue;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= step->k;
            continue;
        case BPF_RET | BPF_K:
            return step->k;
        case BPF_JMP | BPF_JA:
            at += step->k;
            continue;
        case BPF_JMP | BPF_JEQ | BPF_K:
            yes = a == step->k;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            yes = a > step->k;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            yes = a >= step->k;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            yes = (a & step->k) != 0;
            break;
        default:
            return BPF_ANSWER_BROKEN;
        }
        at += yes ? step->jt : step->jf;
    }
    return BPF_ANSWER_BROKEN; /* ran off the end */
}

#endif
