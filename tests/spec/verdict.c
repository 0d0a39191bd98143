/*
 * tests/spec/verdict.c: what create would say about each configuration of a stream, as far as no kernel is needed.
 *
 * Input, any number of times: the decimal length of a document, a newline, the document, a newline.
 * Output, one line each: "accepted", or "refused", JSON pointer, line, message and hint separated by tabs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "spec/read.h"
#include "tests/spec/judge.h"

static void judge_one(const char *text, size_t length)
{
    struct failure why = {0};
    struct arena arena = {0};
    struct spec spec;
    if (judge(text, length, &spec, &arena, &why) == 0) {
        puts("accepted");
    } else {
        spec_locate(&spec, &why);
        printf("refused\t%s\t%u\t%s\t%s\n", why.pointer, why.line, why.text, why.hint);
    }
    arena_done(&arena);
    spec_done(&spec);
}

int main(void)
{
    char line[32];
    log_set(LOG_TEXT, LOG_ERROR); /* warnings are no verdict */
    while (fgets(line, sizeof(line), stdin) != NULL) {
        size_t length = strtoul(line, NULL, 10);
        char *text = memory_new(length + 1);
        if (fread(text, 1, length + 1, stdin) != length + 1 || text[length] != '\n') {
            fprintf(stderr, "verdict: the stream ends in the middle of a document\n");
            return 2;
        }
        judge_one(text, length);
        free(text);
    }
    return 0;
}
