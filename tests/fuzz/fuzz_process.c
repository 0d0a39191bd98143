/* Harness: the documents of `exec --process` and `update --resources` from any bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "fuzz.h"
#include "spec/read.h"

static void explained(int result, const struct failure *why)
{
    if (result < 0 && (why->kind != FAILURE_CONFIG || why->text[0] == '\0'))
        abort(); /* a finding: refused without a reason */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct failure why = {0};
    struct spec_process process;
    struct spec_resources resources;

    int result = spec_parse_process((const char *)data, size, &arena, &process, &why);
    if (result == 0)
        result = spec_check_process(&process, "", &why);
    explained(result, &why);

    why = (struct failure){0};
    result = spec_parse_resources((const char *)data, size, &arena, &resources, &why);
    if (result == 0)
        result = spec_check_resources(&resources, "", &why);
    explained(result, &why);
    arena_done(&arena);
    return 0;
}
