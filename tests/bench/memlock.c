/*
 * tests/bench/memlock.c: memlock PROGRAM...: runs PROGRAM where raising RLIMIT_MEMLOCK always succeeds and does nothing.
 *
 * crun raises that limit before it loads a device program, and gives up where it may not (no CAP_SYS_RESOURCE, as in sandboxes);
 * since Linux 5.11 the limit is not what such programs are charged to, so nothing else changes.  The bench runs the driver under
 * it, so that every contender, the floor included, bears the same filter of six instructions.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    /* setrlimit(resource, …) and prlimit(pid, resource, …); the C library uses the second.  The answer is success: errno 0. */
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RLIMIT_MEMLOCK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog fprog = {.len = sizeof(program) / sizeof(program[0]), .filter = program};

    if (argc < 2) {
        fprintf(stderr, "usage: memlock PROGRAM...\n");
        return 2;
    }
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog) == 0)
        execvp(argv[1], argv + 1);
    perror("memlock");
    return 125;
}
