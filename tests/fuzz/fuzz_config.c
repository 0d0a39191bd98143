/* Harness: config.json from any bytes, through the reader, the checks and the plans.  Whatever comes, it ends in time and in
 * memory, a refusal explains itself, and who wants all findings gets the one that create stops at first of all. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "base/log.h"
#include "spec/read.h"
#include "tests/spec/judge.h"

static int judge_first(const char *text, size_t size, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    struct arena arena = {0};
    struct spec spec;
    int result = judge(text, size, &spec, &arena, &first);
    if (result < 0)
        spec_locate(&spec, why);
    arena_done(&arena);
    spec_done(&spec);
    return result;
}

/* All findings: none where the document is accepted, else the first is the one that ended the reading; each has its line. */
static void collect(const char *text, size_t size, const struct failure *first)
{
    struct spec spec;
    struct failure why;
    struct findings findings;
    findings_collect(&findings, &why);
    if (spec_parse_all(text, size, &spec, &findings) == 0)
        IGNORE_RESULT(spec_check_all(&spec, &findings)); /* the limit is reached: nothing to add */
    if ((first == NULL) != (findings.count == 0))
        abort();
    if (first != NULL && (strcmp(first->text, findings.items[0].text) != 0 || strcmp(first->pointer, findings.items[0].pointer) != 0))
        abort();
    for (size_t i = 0; i < findings.count; i++) {
        spec_locate(&spec, &findings.items[i]);
        if (findings.items[i].pointer[0] == '/' && findings.items[i].line == 0)
            abort();
    }
    findings_done(&findings);
    spec_done(&spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct failure why = {0}, other = {0};
    struct findings findings;
    struct arena arena = {0};
    struct spec spec;

    log_set(LOG_TEXT, LOG_ERROR);
    int result = judge_first(text, size, &why);
    if (result < 0 && (why.kind != FAILURE_CONFIG || why.text[0] == '\0' || (why.pointer[0] != '\0' && why.line == 0)))
        abort(); /* a finding: refused without a reason or a place */
    findings_collect(&findings, &other);
    IGNORE_RESULT(judge(text, size, &spec, &arena, &findings)); /* compared below */
    if ((result < 0) != (findings.count > 0) || (result < 0 && strcmp(findings.items[0].pointer, why.pointer) != 0))
        abort(); /* a finding: create and check disagree */
    findings_done(&findings);
    arena_done(&arena);
    spec_done(&spec);
    collect((const char *)data, size, result < 0 ? &why : NULL);
    return 0;
}
