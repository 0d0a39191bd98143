/* Harness: config.json from any bytes, through the reader, the checks and the plans.  Whatever comes, it ends in time and in
 * memory, a refusal explains itself, and who wants all findings gets the one that create stops at first of all. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "base/log.h"
#include "spec/read.h"
#include "tests/spec/judge.h"

/* Refused without a reason, or without a place where there is one? */
static void insist_on_words(const struct failure *why)
{
    if (why->kind != FAILURE_CONFIG || why->text[0] == '\0' || (why->pointer[0] != '\0' && why->line == 0))
        abort();
}

static int judge_first(const char *text, size_t size, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    struct arena arena = {0};
    struct spec spec;
    int result = judge(text, size, &spec, &arena, &first);
    if (result < 0) {
        spec_locate(&spec, why);
        insist_on_words(why);
    }
    arena_done(&arena);
    spec_done(&spec);
    return result;
}

/* None where the document is accepted, else the first is the one that `create` stops at. */
static void judge_all(const char *text, size_t size, const struct failure *first)
{
    struct failure why = {0};
    struct findings findings;
    struct arena arena = {0};
    struct spec spec;
    findings_collect(&findings, &why);
    IGNORE_RESULT(judge(text, size, &spec, &arena, &findings)); /* the findings say it */
    if ((first == NULL) != (findings.count == 0))
        abort();
    for (size_t i = 0; i < findings.count; i++) {
        spec_locate(&spec, &findings.items[i]);
        insist_on_words(&findings.items[i]);
    }
    if (first != NULL && (strcmp(first->pointer, findings.items[0].pointer) != 0 || strcmp(first->text, findings.items[0].text) != 0))
        abort();
    findings_done(&findings);
    arena_done(&arena);
    spec_done(&spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct failure why = {0};
    log_set(LOG_TEXT, LOG_ERROR);
    int result = judge_first((const char *)data, size, &why);
    judge_all((const char *)data, size, result < 0 ? &why : NULL);
    return 0;
}
