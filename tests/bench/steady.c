/*
 * tests/bench/steady.c: what a system call costs where it runs, for the time after the start.
 *
 *   steady    prints two numbers, nanoseconds: getppid(2), and write(2) with read(2) of a byte through a pipe
 *
 * Each is the least of several batches: what others do on the machine only adds.
 */
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BATCHES = 25, CALLS = 4000 };

static int ends[2];

static void call_getppid(void)
{
    (void)syscall(SYS_getppid);
}

static void call_pipe(void)
{
    char byte = 'x';

    if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
        _exit(1);
}

static double least(void (*call)(void))
{
    double best = 1e18;

    for (int batch = 0; batch < BATCHES; batch++) {
        struct timespec begin, end;
        double spent;

        clock_gettime(CLOCK_MONOTONIC, &begin);
        for (int i = 0; i < CALLS; i++)
            call();
        clock_gettime(CLOCK_MONOTONIC, &end);
        spent = (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
        if (spent < best)
            best = spent;
    }
    return best / CALLS;
}

int main(void)
{
    if (pipe(ends) < 0)
        return 1;
    printf("%.2f %.2f\n", least(call_getppid), least(call_pipe));
    return 0;
}
