/*
 * tests/userns/process_check.h: what the effect tests of src/process share: each case runs in a forked child, so
 * that what it does to itself (ids, capabilities, limits) ends with it.
 */
#ifndef CRUN_LITE_TESTS_PROCESS_CHECK_H
#define CRUN_LITE_TESTS_PROCESS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/failure.h"

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

/* For calls that explain. */
#define CHECK_DONE(call) \
    do { \
        if ((call) < 0) { \
            char sentence_[2048]; \
            failure_render(&why, sentence_, sizeof(sentence_)); \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, sentence_); \
            exit(1); \
        } \
    } while (0)

#define CHECK_TEXT(text, part) \
    do { \
        if (!strstr((text), (part))) { \
            fprintf(stderr, "%s:%d: '%s' lacks '%s'\n", __FILE__, __LINE__, (text), (part)); \
            exit(1); \
        } \
    } while (0)

static inline int skip_program(const char *reason)
{
    fprintf(stderr, "skipped: %s\n", reason);
    const char *must_run = getenv("CRUN_LITE_TESTS_MUST_RUN");
    return must_run && must_run[0] == '1' ? 1 : 77;
}

struct effect_case {
    const char *name;
    void (*run)(void);
};

/* The number of failed cases. */
static inline int run_cases(const struct effect_case *cases, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        int status = 0;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            cases[i].run();
            exit(0);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
            fprintf(stderr, "FAILED: %s (wait status %d)\n", cases[i].name, status);
            failed++;
        } else {
            fprintf(stderr, "ok: %s\n", cases[i].name);
        }
    }
    return failed;
}

/* The value of "NAME:" in /proc/self/status, blanks around it cut. */
static inline void status_line(const char *name, char *value, size_t size)
{
    char line[4096];
    size_t length = strlen(name);
    FILE *status = fopen("/proc/self/status", "re");
    CHECK(status != NULL);
    value[0] = '\0';
    while (fgets(line, sizeof(line), status))
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            char *start = line + length + 1;
            start += strspn(start, " \t");
            start[strcspn(start, "\n")] = '\0';
            size_t end = strlen(start);
            while (end > 0 && start[end - 1] == ' ')
                start[--end] = '\0';
            snprintf(value, size, "%s", start);
        }
    fclose(status);
}

#define CHECK_STATUS(name, expected) \
    do { \
        char value_[4096]; \
        status_line(name, value_, sizeof(value_)); \
        if (strcmp(value_, expected) != 0) { \
            fprintf(stderr, "%s:%d: %s is '%s', not '%s'\n", __FILE__, __LINE__, name, value_, expected); \
            exit(1); \
        } \
    } while (0)

#endif
