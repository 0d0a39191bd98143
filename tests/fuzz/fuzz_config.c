/* Harness: config.json from any bytes, through the reader and the checks.  Whatever comes, it ends in time and in memory,
 * and a refusal explains itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "spec/read.h"

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
    struct spec spec;
    struct failure why = {0};
    int result = spec_parse((const char *)data, size, &spec, &why);
    if (result == 0)
        result = spec_check(&spec, &why);
    if (result < 0 && (why.kind != FAILURE_CONFIG || why.text[0] == '\0'))
        abort(); /* a finding: refused without a reason */
    spec_done(&spec);
    collect((const char *)data, size, result < 0 ? &why : NULL);
    return 0;
}
