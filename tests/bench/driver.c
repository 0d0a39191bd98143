/*
 * tests/bench/driver.c: measures commands against one another in one run.
 *
 *   driver ROUNDS JSON <PLAN
 *
 * PLAN, one contender a line, fields separated by tabs:  OPERATION NAME STEP [; STEP]...
 * where a STEP is a program and its arguments.  The steps of a line run one after another and their time is summed.
 * Every round runs every line once, beginning with another one each time, so that drift of the machine hits all alike.
 * Two rounds before the first warm the caches and are thrown away.
 *
 * Wall time is CLOCK_MONOTONIC from before posix_spawn until wait4 has returned; processor time and peak memory are
 * wait4's, so they hold what the process itself waited for (a foreground run: the container too), but not a container
 * that outlives its creator.
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
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONTENDERS = 32, WORDS = 128, WARM_UP = 2 };

struct sample {
    double wall, cpu; /* microseconds */
    long rss;         /* KiB */
};

struct contender {
    char *operation, *name;
    char *words[WORDS]; /* steps, each ended by NULL; the last one by two */
    struct sample *samples;
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

__attribute__((noreturn)) static void step_failed(const struct contender *contender, char **words, int status)
{
    fprintf(stderr, "driver: %s %s: status 0x%x from:", contender->operation, contender->name, (unsigned)status);
    for (; *words != NULL; words++)
        fprintf(stderr, " %s", *words);
    fputc('\n', stderr);
    exit(1);
}

static void measure(const struct contender *contender, struct sample *sample)
{
    *sample = (struct sample){0, 0, 0};
    for (char *const *words = contender->words; *words != NULL;) {
        struct rusage usage;
        pid_t pid;
        int status = 0, failure;
        double begin = now();

        failure = posix_spawn(&pid, words[0], &quiet, NULL, words, environ);
        if (failure != 0 || wait4(pid, &status, 0, &usage) < 0 || status != 0)
            step_failed(contender, (char **)(size_t)words, failure != 0 ? failure : status);
        sample->wall += now() - begin;
        sample->cpu += microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime);
        if (usage.ru_maxrss > sample->rss)
            sample->rss = usage.ru_maxrss;
        while (*words != NULL)
            words++;
        words++;
    }
    /* The containers' own processes, orphaned to us.  Not timed. */
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static void read_plan(int rounds)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    while ((length = getline(&line, &size, stdin)) > 0) {
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
        contender->samples = calloc((size_t)rounds, sizeof(struct sample));
        if (contender->name == NULL || count == 0 || contender->samples == NULL) {
            fprintf(stderr, "driver: bad line in the plan\n");
            exit(2);
        }
        contenders_count++;
    }
    free(line);
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

enum figure { WALL, CPU, RSS };

/* The value below which `share` of the samples lie. */
static double quantile(const struct contender *contender, int rounds, enum figure figure, double share)
{
    double *values = calloc((size_t)rounds, sizeof(double)), result;

    if (values == NULL)
        exit(2);
    for (int i = 0; i < rounds; i++)
        values[i] = figure == WALL  ? contender->samples[i].wall
                    : figure == CPU ? contender->samples[i].cpu
                                    : (double)contender->samples[i].rss;
    qsort(values, (size_t)rounds, sizeof(double), compare);
    result = values[(int)(share * (rounds - 1) + 0.5)];
    free(values);
    return result;
}

static double floor_of(const char *operation, int rounds)
{
    for (int i = 0; i < contenders_count; i++)
        if (strcmp(contenders[i].operation, operation) == 0 && strcmp(contenders[i].name, "floor") == 0)
            return quantile(&contenders[i], rounds, WALL, 0.5);
    return 0;
}

static void report(int rounds, FILE *json)
{
    struct utsname host;
    const char *previous = "";

    uname(&host);
    fprintf(json, "{\"kernel\": \"%s\", \"machine\": \"%s\", \"processors\": %ld, \"rounds\": %d, \"time\": %ld,\n \"results\": [",
            host.release, host.machine, sysconf(_SC_NPROCESSORS_ONLN), rounds, (long)time(NULL));
    printf("%d rounds, kernel %s, %ld processors\n", rounds, host.release,
           sysconf(_SC_NPROCESSORS_ONLN));
    for (int i = 0; i < contenders_count; i++) {
        const struct contender *one = &contenders[i];
        double median = quantile(one, rounds, WALL, 0.5), least = quantile(one, rounds, WALL, 0),
               high = quantile(one, rounds, WALL, 0.9), cpu = quantile(one, rounds, CPU, 0.5),
               rss = quantile(one, rounds, RSS, 0.5), base = floor_of(one->operation, rounds);

        if (strcmp(previous, one->operation) != 0)
            printf("\n%-10s %-12s %9s %9s %9s %9s %9s %7s\n", one->operation, "", "median", "minimum", "90 %", "cpu", "peak KiB", "x floor");
        previous = one->operation;
        printf("%-10s %-12s %7.0f µs %6.0f µs %6.0f µs %6.0f µs %9.0f %7.2f\n", "", one->name, median, least, high, cpu, rss,
               base > 0 ? median / base : 0);
        fprintf(json, "%s\n  {\"operation\": \"%s\", \"name\": \"%s\", \"wall_us\": {\"median\": %.1f, \"min\": %.1f, \"p90\": %.1f}, \"cpu_us\": %.1f, \"rss_kib\": %.0f, \"ratio\": %.3f}",
                i > 0 ? "," : "", one->operation, one->name, median, least, high, cpu, rss, base > 0 ? median / base : 0);
    }
    fprintf(json, "]}\n");
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 0;
    struct sample thrown_away;
    FILE *json = argc > 2 ? fopen(argv[2], "we") : NULL;

    if (rounds < 1 || json == NULL) {
        fprintf(stderr, "usage: driver ROUNDS JSON <PLAN\n");
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

            measure(one, round < 0 ? &thrown_away : &one->samples[round]);
        }
    report(rounds, json);
    return fclose(json) == 0 ? 0 : 1;
}
