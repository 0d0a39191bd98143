/*
 * seccomp/words.h: what each word of /linux/seccomp stands for.
 */
#ifndef CRUN_LITE_SECCOMP_WORDS_H
#define CRUN_LITE_SECCOMP_WORDS_H

#include <stdbool.h>
#include <stdint.h>

struct action_meaning {
    uint32_t code;      /* SECCOMP_RET_*, without data */
    uint32_t errno_max; /* largest errnoRet it can carry, 0: it carries none */
};

/* Each: true and *ret set when `word` (which may be NULL) is in the table. */
bool words_action(const char *word, struct action_meaning *ret_meaning);
bool words_operator(const char *word, unsigned *ret_operator); /* enum scmp_compare */
bool words_arch(const char *word, uint32_t *ret_token);        /* libseccomp's token */
bool words_flag(const char *word, unsigned *ret_flag);         /* SECCOMP_FILTER_FLAG_* */

#endif
