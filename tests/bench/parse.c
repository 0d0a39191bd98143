/*
 * tests/bench/parse.c: how long reading and checking one configuration takes.
 *
 *   parse FILE...     prints a line for each: microseconds, median and least of a thousand runs
 *
 * What every create pays before it does anything; the file is in memory already.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "spec/read.h"

#define RUNS 1000

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static int measure(const char *name)
{
    static double times[RUNS];
    struct arena arena = {0};
    struct failure why = {0};
    char *text;
    ssize_t length = file_read_at(AT_FDCWD, name, SPEC_SIZE_LIMIT, &arena, &text);
    if (length < 0) {
        fprintf(stderr, "parse: cannot read %s\n", name);
        return 1;
    }
    for (size_t i = 0; i < RUNS; i++) {
        struct spec spec;
        double before = now_us();
        int result = spec_parse(text, (size_t)length, &spec, &why);
        if (result == 0)
            result = spec_check(&spec, &why);
        spec_done(&spec);
        times[i] = now_us() - before;
        if (result < 0) {
            fprintf(stderr, "parse: %s: %s: %s\n", name, why.pointer, why.text);
            return 1;
        }
    }
    qsort(times, RUNS, sizeof(*times), compare);
    printf("parse + check of %.1f KB: %.0f us (least %.0f us), %.0f MB/s\n", (double)length / 1024, times[RUNS / 2], times[0],
           (double)length / times[RUNS / 2]);
    arena_done(&arena);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    log_set(LOG_TEXT, LOG_ERROR);
    for (int i = 1; i < argc; i++)
        failed |= measure(argv[i]);
    return failed || argc < 2;
}
