/*
 * tests/spec/verdict.c: what create would say about each configuration of a stream, as far as no kernel is needed.
 *
 * Input, any number of times: the decimal length of a document, a newline, the document, a newline.
 * Output, a line each, separated by tabs: "accepted" or "refused", JSON pointer, line, message, hint; then how many findings
 * there are for a caller that wants all, and their pointers.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "spec/read.h"
#include "tests/spec/judge.h"

/* A caller that wants all findings; where there are several: the pointers of the others. */
static void tell_others(const char *text, size_t length)
{
    struct failure why = {0};
    struct arena arena = {0};
    struct findings findings;
    struct spec spec;
    findings_collect(&findings, &why);
    IGNORE_RESULT(judge(text, length, &spec, &arena, &findings)); /* the findings say it */
    printf("\t%zu", findings.count);
    for (size_t i = 0; i < findings.count; i++)
        printf("\t%s", findings.items[i].pointer);
    findings_done(&findings);
    arena_done(&arena);
    spec_done(&spec);
}

static void judge_one(const char *text, size_t length)
{
    struct failure why = {0};
    struct findings first = FINDINGS_FIRST(&why);
    struct arena arena = {0};
    struct spec spec;
    if (judge(text, length, &spec, &arena, &first) == 0) {
        printf("accepted\t\t\t\t");
    } else {
        spec_locate(&spec, &why);
        printf("refused\t%s\t%u\t%s\t%s", why.pointer, why.line, why.text, why.hint);
    }
    tell_others(text, length);
    putchar('\n');
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
