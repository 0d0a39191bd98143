/*
 * tests/bench/count.c: what a command does, in numbers that do not depend on how busy the machine is.
 *
 *   count calls LAST PROGRAM...           prints: system calls, page faults
 *   count instructions LAST PROGRAM...    prints: instructions in user space
 *
 * Of PROGRAM and everything that it clones, each up to its end or to its execve of the file LAST: the container's own program
 * does not count, but for its page faults.  A runtime that executes itself again does.  Instructions are counted by single steps, which unlike valgrind let every system call
 * through; 20 microseconds each.  Nothing is left to chance: addresses are not random, the environment holds one word, with
 * which the C library takes the same string functions on every processor, all is on one processor, and standard input and output
 * are /dev/null.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLLOW                                                                                                         \
    (PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD |     \
     PTRACE_O_EXITKILL)
#define CALL_STOP (SIGTRAP | 0x80)

static bool by_step;
static struct stat last;
static unsigned long long stops; /* a step each, or two for a system call */

__attribute__((noreturn)) static void fail(const char *what)
{
    fprintf(stderr, "count: %s: %s\n", what, strerror(errno));
    exit(125);
}

__attribute__((noreturn)) static void become(char **words)
{
    static char tunables[] = "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM";
    int null = open("/dev/null", O_RDWR);

    dup2(null, 0);
    dup2(null, 1);
    close(null);
    if (personality(ADDR_NO_RANDOMIZE) < 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        fail("ptrace");
    execve(words[0], words, (char *[]){tunables, NULL});
    fail(words[0]);
}

/* On the processor where we are, so that nothing has to be woken elsewhere. */
static void stay(void)
{
    cpu_set_t here;
    int cpu = sched_getcpu();

    CPU_ZERO(&here);
    CPU_SET(cpu < 0 ? 0 : (size_t)cpu, &here);
    sched_setaffinity(0, sizeof(here), &here);
}

static bool has_become_last(pid_t pid)
{
    char path[32];
    struct stat now;

    snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    return stat(path, &now) == 0 && now.st_dev == last.st_dev && now.st_ino == last.st_ino;
}

/* Past a stop, to the next one. */
static void go_on(pid_t pid, int status)
{
    int stop = WSTOPSIG(status), event = status >> 16;
    bool is_counted = event == 0 && stop == (by_step ? SIGTRAP : CALL_STOP);

    if (event == PTRACE_EVENT_EXEC && has_become_last(pid)) {
        ptrace(PTRACE_DETACH, pid, NULL, NULL);
        return;
    }
    stops += is_counted;
    /* SIGSTOP: the first stop of what was cloned. */
    if (is_counted || event != 0 || stop == SIGSTOP || stop == CALL_STOP)
        stop = 0;
    ptrace(by_step ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, pid, NULL, (long)stop);
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status, result = 125;
    long faults = 0;
    pid_t first, pid;

    if (argc < 4 || (strcmp(argv[1], "calls") != 0 && strcmp(argv[1], "instructions") != 0)) {
        fprintf(stderr, "usage: count calls|instructions LAST PROGRAM...\n");
        return 2;
    }
    if (stat(argv[2], &last) < 0)
        fail(argv[2]);
    by_step = strcmp(argv[1], "instructions") == 0;
    stay();
    first = fork();
    if (first == 0)
        become(argv + 3);
    if (first < 0 || waitpid(first, &status, 0) < 0 || !WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, first, NULL, FOLLOW) < 0)
        fail("start");
    ptrace(by_step ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, first, NULL, 0L);
    while ((pid = wait4(-1, &status, __WALL, &usage)) > 0) {
        if (WIFSTOPPED(status)) {
            go_on(pid, status);
        } else if (pid == first) {
            result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            faults = usage.ru_minflt;
        }
    }
    if (by_step)
        printf("%llu\n", stops);
    else
        printf("%llu\t%ld\n", (stops + 1) / 2, faults);
    return result;
}
