/*
 * tests/bench/flight.c: how long many containers take, so many at a time.
 *
 *   flight FIRST COUNT IN_FLIGHT PROGRAM...    prints microseconds
 *
 * In the words of PROGRAM, %n becomes the number of the start, from FIRST on, and %s that of its place among those in flight.  Every place starts
 * its next program as soon as its last one has ended; the time is that from the first start to the last end.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PLACES = 64, WORDS = 64, LENGTH = 4096 };

extern char **environ;
static posix_spawn_file_actions_t quiet;

static void put_in(const char *word, int number, int place, char *ret)
{
    int length = 0;

    for (; *word != '\0' && length < LENGTH - 16; word++)
        if (word[0] == '%' && (word[1] == 'n' || word[1] == 's'))
            length += snprintf(ret + length, 16, "%d", *++word == 'n' ? number : place);
        else
            ret[length++] = *word;
    ret[length] = '\0';
}

static pid_t start(char **words, int number, int place)
{
    static char text[WORDS][LENGTH];
    char *argv[WORDS + 1] = {NULL};
    pid_t pid;
    int failure;

    for (int i = 0; words[i] != NULL && i < WORDS; i++) {
        put_in(words[i], number, place, text[i]);
        argv[i] = text[i];
    }
    failure = posix_spawn(&pid, argv[0], &quiet, NULL, argv, environ);
    if (failure != 0) {
        fprintf(stderr, "flight: %s: %s\n", argv[0], strerror(failure));
        exit(1);
    }
    return pid;
}

int main(int argc, char **argv)
{
    pid_t in_place[PLACES] = {0};
    struct timespec begin, end;
    int first = argc > 4 ? atoi(argv[1]) : 0, count = argc > 4 ? atoi(argv[2]) : 0, places = argc > 4 ? atoi(argv[3]) : 0;
    int started = 0;

    if (count < 1 || places < 1 || places > PLACES) {
        fprintf(stderr, "usage: flight FIRST COUNT IN_FLIGHT PROGRAM...\n");
        return 2;
    }
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < places && started < count; i++, started++)
        in_place[i] = start(argv + 4, first + started, i);
    for (int ended = 0; ended < count; ended++) {
        int status, place = 0;
        pid_t pid = wait(&status);

        if (pid < 0 || status != 0) {
            fprintf(stderr, "flight: status 0x%x from %s\n", (unsigned)status, argv[4]);
            return 1;
        }
        while (place < places && in_place[place] != pid)
            place++;
        if (place < places && started < count)
            in_place[place] = start(argv + 4, first + started++, place);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.0f\n", (double)(end.tv_sec - begin.tv_sec) * 1e6 + (double)(end.tv_nsec - begin.tv_nsec) / 1e3);
    return 0;
}
