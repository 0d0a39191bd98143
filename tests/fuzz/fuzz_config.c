/* Harness: config.json from any bytes, through the reader and the checks.  Whatever comes, it ends in time and in memory,
 * and a refusal explains itself. */
#include <stdint.h>
#include <stdlib.h>

#include "fuzz.h"
#include "spec/read.h"

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
    return 0;
}
