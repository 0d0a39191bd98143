/* tests/fuzz/fuzz.h: the one function that libFuzzer and replay.c call. */
#ifndef CRUN_LITE_TESTS_FUZZ_H
#define CRUN_LITE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
