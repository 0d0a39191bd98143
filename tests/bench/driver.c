/*
 * tests/bench/driver.c: measures commands against one another in one run.
 *
 *   driver ROUNDS <PLAN >SERIES
 *
 * PLAN, one contender a line, fields separated by tabs:  OPERATION NAME STEP [; STEP]...
 * where a STEP is a program and its arguments, perhaps with VARIABLE=VALUE in front.  The time of the steps of a line is summed; a step that begins with the
 * word "-" prepares or clears away and is not timed, and the step "reap" waits, untimed, until no container is left.
 * Every round runs every line once, beginning with another one each time, so that drift of the machine hits all alike.
 * Two rounds before the first warm the caches and are thrown away.
 *
 * SERIES, one JSON object a line, with the samples of every round in the order of the rounds, so that contenders can be compared
 * round by round: wall time in microseconds, the same of processor time as the operation "cpu:OPERATION", and peak memory
 * in KiB as "rss:OPERATION".  Wall time is CLOCK_MONOTONIC from before posix_spawn until wait4 has
 * returned; processor time is wait4's, so it holds what the process itself waited for (a foreground run: the container
 * too), but not a container that outlives its creator.
 *
 * Containers outlive their creators: the driver is their subreaper and collects them between measurements.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONTENDERS = 128, WORDS = 128, WARM_UP = 2 };

struct contender {
    char *operation, *name;
    char *words[WORDS];  /* steps, each ended by NULL; the last one by two */
    double *wall, *cpu, *rss; /* one a round: microseconds, microseconds, KiB */
};

static struct contender contenders[CONTENDERS];
static int contenders_count;
static posix_spawn_file_actions_t quiet;
extern char **environ;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double microseconds(const struct timeval *time)
{
    return (double)time->tv_sec * 1e6 + (double)time->tv_usec;
}

__attribute__((noreturn)) static void step_failed(const struct contender *contender, char *const *words, int status)
{
    fprintf(stderr, "driver: %s %s: status 0x%x from:", contender->operation, contender->name, (unsigned)status);
    for (; *words != NULL; words++)
        fprintf(stderr, " %s", *words);
    fputc('\n', stderr);
    exit(1);
}

/* Containers' own processes, orphaned to us. */
static void reap(int flags)
{
    while (waitpid(-1, NULL, flags) > 0)
        ;
}

struct sample {
    double wall, cpu, rss;
};

/* The words of the program behind what belongs into its environment. */
static char *const *set_environment(char *const *words)
{
    for (; words[0][0] != '/' && strchr(words[0], '=') != NULL; words++)
        putenv(words[0]);
    return words;
}

static void unset_environment(char *const *words, char *const *program)
{
    for (; words < program; words++) {
        char name[64];

        snprintf(name, sizeof(name), "%.*s", (int)strcspn(words[0], "="), words[0]);
        unsetenv(name);
    }
}

static void run_step(const struct contender *contender, char *const *words, struct sample *sample)
{
    struct rusage usage;
    pid_t pid;
    int status = 0;
    char *const *program = set_environment(words);
    double begin = now();
    int failure = posix_spawn(&pid, program[0], &quiet, NULL, program, environ);

    if (failure != 0 || wait4(pid, &status, 0, &usage) < 0 || status != 0)
        step_failed(contender, words, failure != 0 ? failure : status);
    sample->wall += now() - begin;
    sample->cpu += microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime);
    if ((double)usage.ru_maxrss > sample->rss)
        sample->rss = (double)usage.ru_maxrss;
    unset_environment(words, program);
}

static struct sample measure(const struct contender *contender)
{
    struct sample sample = {0, 0, 0}, untimed = {0, 0, 0};

    for (char *const *words = contender->words; *words != NULL; words++) {
        if (strcmp(words[0], "reap") == 0)
            reap(0);
        else if (strcmp(words[0], "-") == 0)
            run_step(contender, words + 1, &untimed);
        else
            run_step(contender, words, &sample);
        while (*words != NULL)
            words++;
    }
    reap(WNOHANG);
    return sample;
}

static void read_plan(int rounds)
{
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stdin) > 0) {
        struct contender *contender = &contenders[contenders_count];
        char *rest = strdup(line), *word;
        int count = 0;

        if (contenders_count == CONTENDERS || rest == NULL)
            exit(2);
        rest[strcspn(rest, "\n")] = '\0';
        contender->operation = strsep(&rest, "\t");
        contender->name = strsep(&rest, "\t");
        while (count < WORDS - 2 && (word = strsep(&rest, "\t")) != NULL)
            contender->words[count++] = strcmp(word, ";") == 0 ? NULL : word;
        contender->wall = calloc((size_t)rounds, sizeof(double));
        contender->cpu = calloc((size_t)rounds, sizeof(double));
        contender->rss = calloc((size_t)rounds, sizeof(double));
        if (contender->name == NULL || count == 0 || rest != NULL || contender->wall == NULL || contender->cpu == NULL ||
            contender->rss == NULL) {
            fprintf(stderr, "driver: bad line in the plan: %s", line);
            exit(2);
        }
        contenders_count++;
    }
    free(line);
}

static void print_series(const struct contender *contender, const char *kind, const char *unit, const double *samples, int rounds)
{
    printf("{\"operation\": \"%s%s\", \"name\": \"%s\", \"unit\": \"%s\", \"samples\": [", kind, contender->operation,
           contender->name, unit);
    for (int i = 0; i < rounds; i++)
        printf("%s%.1f", i > 0 ? ", " : "", samples[i]);
    printf("]}\n");
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 0;

    if (rounds < 1) {
        fprintf(stderr, "usage: driver ROUNDS <PLAN >SERIES\n");
        return 2;
    }
    read_plan(rounds);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    for (int round = -WARM_UP; round < rounds; round++)
        for (int i = 0; i < contenders_count; i++) {
            struct contender *one = &contenders[(i + (round > 0 ? round : 0)) % contenders_count];
            struct sample sample = measure(one);

            if (round < 0)
                continue;
            one->wall[round] = sample.wall;
            one->cpu[round] = sample.cpu;
            one->rss[round] = sample.rss;
        }
    for (int i = 0; i < contenders_count; i++) {
        print_series(&contenders[i], "", "us", contenders[i].wall, rounds);
        print_series(&contenders[i], "cpu:", "us", contenders[i].cpu, rounds);
        print_series(&contenders[i], "rss:", "KiB", contenders[i].rss, rounds);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
