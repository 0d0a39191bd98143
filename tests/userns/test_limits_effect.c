/* Limits, OOM score and scheduling as the kernel shows them afterwards.  Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "process/process.h"
#include "process_check.h"

static struct failure why;
static char fifo[] = "SCHED_FIFO", batch[] = "SCHED_BATCH", reset[] = "SCHED_FLAG_RESET_ON_FORK", other[] = "SCHED_OTHER",
            clamp_max[] = "SCHED_FLAG_UTIL_CLAMP_MAX";

/* Sleeps until it is killed, or until its starter is gone: that one may not be allowed to kill it any more. */
static pid_t start_sleeper(void)
{
    int life[2];
    char nothing;
    CHECK(pipe2(life, O_CLOEXEC) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(life[1]);
        _exit(read(life[0], &nothing, 1) == 0 ? 0 : 1);
    }
    CHECK(pid > 0 && close(life[0]) == 0);
    return pid;
}

static void end_sleeper(pid_t pid)
{
    int status;
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
}

static void rlimits_of_another_process(void)
{
    struct rlimit now, own, core_before;
    char nofile[] = "RLIMIT_NOFILE", core[] = "RLIMIT_CORE", fsize[] = "RLIMIT_FSIZE";
    CHECK(getrlimit(RLIMIT_NOFILE, &own) == 0 && own.rlim_cur > 16);
    struct spec_rlimit limits[] = {{nofile, 7, own.rlim_max}, {core, 0, 4096}, {fsize, 5, 8}};
    const struct spec_process process = {.rlimits = limits, .rlimits_count = 3};
    const struct rlimit small = {.rlim_cur = 2, .rlim_max = 8};
    pid_t pid = start_sleeper();
    CHECK(prlimit(pid, RLIMIT_CORE, NULL, &core_before) == 0 && prlimit(pid, RLIMIT_FSIZE, &small, NULL) == 0);
    CHECK_DONE(limits_raise_rlimits(pid, &process, &why));
    /* Up, and never down. */
    CHECK(prlimit(pid, RLIMIT_NOFILE, NULL, &now) == 0 && now.rlim_cur == own.rlim_cur && now.rlim_max == own.rlim_max);
    CHECK(prlimit(pid, RLIMIT_CORE, NULL, &now) == 0 && now.rlim_cur == core_before.rlim_cur && now.rlim_max == core_before.rlim_max);
    CHECK(prlimit(pid, RLIMIT_FSIZE, NULL, &now) == 0 && now.rlim_cur == 5 && now.rlim_max == 8);
    CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == own.rlim_cur && now.rlim_max == own.rlim_max);
    end_sleeper(pid);
}

/* The last step, by a process that has no privilege left: to the number, even where nothing would work any more. */
static void rlimits_are_settled(void)
{
    struct rlimit now;
    char nofile[] = "RLIMIT_NOFILE", core[] = "RLIMIT_CORE";
    struct spec_rlimit limits[] = {{nofile, 0, 1}, {core, 3, 4096}};
    const struct spec_process process = {.rlimits = limits, .rlimits_count = 2};
    CHECK_DONE(limits_raise_rlimits(0, &process, &why));
    CHECK(setresuid(4711, 4711, 4711) == 0);
    CHECK_DONE(limits_settle_rlimits(&process, &why));
    CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 0 && now.rlim_max == 1);
    CHECK(getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_cur == 3 && now.rlim_max == 4096);
    _exit(0); /* the leak checker would have no descriptor to look around with */
}

static void rlimit_raise_is_explained(void)
{
    char nproc[] = "RLIMIT_NPROC";
    struct spec_rlimit limits[] = {{nproc, 10, 20}, {nproc, 10, 21}};
    const struct spec_process lower = {.rlimits = limits, .rlimits_count = 1},
                              raise_again = {.rlimits = limits + 1, .rlimits_count = 1};
    CHECK_DONE(limits_settle_rlimits(&lower, &why));
    CHECK(setresuid(4711, 4711, 4711) == 0);
    CHECK(limits_raise_rlimits(0, &raise_again, &why) < 0);
    CHECK(why.errnum == EPERM && strcmp(why.pointer, "/process/rlimits/0") == 0);
    CHECK_TEXT(why.text, "set RLIMIT_NPROC to 10:21");
    CHECK_TEXT(why.hint, "hard limit is 20");
    CHECK_TEXT(why.hint, "CAP_SYS_RESOURCE");
}

static void oom_score_of_another_process(void)
{
    char text[16];
    const struct spec_process process = {.oom_score_adj = {true, 321}}, unset = {.oom_score_adj = {false, 0}};
    int proc_fd = proc_open(&why);
    CHECK(proc_fd >= 0);
    pid_t pid = start_sleeper();
    char name[48];
    snprintf(name, sizeof(name), "%d/oom_score_adj", (int)pid);
    CHECK_DONE(limits_set_oom_score(proc_fd, pid, &process, &why));
    CHECK(proc_read(proc_fd, name, text, sizeof(text)) > 0 && strcmp(text, "321") == 0);
    CHECK_DONE(limits_set_oom_score(proc_fd, pid, &unset, &why)); /* OOM-02: untouched */
    CHECK(proc_read(proc_fd, name, text, sizeof(text)) > 0 && strcmp(text, "321") == 0);
    CHECK(proc_read(proc_fd, "self/oom_score_adj", text, sizeof(text)) > 0 && strcmp(text, "321") != 0);
    end_sleeper(pid);
}

static void oom_score_refusal_is_explained(void)
{
    const struct spec_process now = {.oom_score_adj = {true, 500}}, lower = {.oom_score_adj = {true, -900}};
    int proc_fd = proc_open(&why);
    CHECK_DONE(limits_set_oom_score(proc_fd, 0, &now, &why));
    pid_t pid = start_sleeper();
    CHECK(setresuid(4711, 4711, 4711) == 0); /* may write to no process of root's */
    CHECK_DONE(limits_set_oom_score(proc_fd, pid, &now, &why)); /* in force already */
    CHECK(limits_set_oom_score(proc_fd, pid, &lower, &why) < 0);
    CHECK(why.errnum == EACCES || why.errnum == EPERM);
    CHECK_TEXT(why.text, "set oom_score_adj to -900");
    CHECK_TEXT(why.hint, "it is 500 now");
}

static void scheduler_fifo(void)
{
    char *flags[] = {reset};
    struct sched_param param;
    const struct spec spec = {.process.scheduler = {.set = true, .policy = fifo, .priority = 7, .flags = {flags, 1}}};
    CHECK_DONE(scheduling_set(&spec, &why));
    CHECK(sched_getscheduler(0) == (SCHED_FIFO | SCHED_RESET_ON_FORK));
    CHECK(sched_getparam(0, &param) == 0 && param.sched_priority == 7);
}

static void scheduler_nice(void)
{
    const struct spec spec = {.process.scheduler = {.set = true, .policy = batch, .nice = 5}};
    CHECK_DONE(scheduling_set(&spec, &why));
    CHECK(sched_getscheduler(0) == SCHED_BATCH && getpriority(PRIO_PROCESS, 0) == 5);
}

static void scheduler_refusal_is_explained(void)
{
    const struct spec spec = {.process.scheduler = {.set = true, .policy = fifo, .priority = 7}};
    CHECK(setresuid(4711, 4711, 4711) == 0);
    CHECK(scheduling_set(&spec, &why) < 0);
    CHECK(why.errnum == EPERM && strcmp(why.pointer, "/process/scheduler") == 0);
    CHECK_TEXT(why.hint, "CAP_SYS_NICE");
}

/* Either the clamp that clamps nothing, or a kernel without clamps that says so; never the slowest clock. */
static void scheduler_clamp_without_value(void)
{
    char *flags[] = {clamp_max};
    uint32_t attr[14] = {0};
    const struct spec spec = {.process.scheduler = {.set = true, .policy = other, .flags = {flags, 1}}};
    if (scheduling_set(&spec, &why) < 0)
        CHECK(why.errnum == EOPNOTSUPP);
    else
        CHECK(syscall(SYS_sched_getattr, 0, attr, sizeof(attr), 0) == 0 && attr[13] == 1024);
}

static void io_priority_of_us_alone(void)
{
    char be[] = "IOPRIO_CLASS_BE";
    const struct spec spec = {.process.io_priority = {true, be, 6}};
    pid_t neighbour = start_sleeper(); /* same group, which we do not lead */
    long before = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, neighbour);
    CHECK(getpgrp() != getpid());
    CHECK_DONE(scheduling_set(&spec, &why));
    CHECK(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) == ((IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT) | 6));
    CHECK(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, neighbour) == before);
    end_sleeper(neighbour);
    neighbour = -1;
    CHECK(setpgid(0, 0) == 0);
    neighbour = start_sleeper(); /* now in our own group */
    const struct spec idle = {.process.io_priority = {true, (char[]){"IOPRIO_CLASS_IDLE"}, 0}};
    CHECK_DONE(scheduling_set(&idle, &why));
    CHECK(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, neighbour) == IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT);
    end_sleeper(neighbour);
}

static void memory_policy(void)
{
    int mode = -1;
    unsigned long mask[64] = {0};
    char bind_word[] = "MPOL_BIND", fixed[] = "MPOL_F_STATIC_NODES", nodes[] = "0", absent[] = "0,1500", *flags[] = {fixed};
    struct spec spec = {.linux.memory_policy = {.set = true, .mode = bind_word, .nodes = nodes, .flags = {flags, 1}}};
    if (scheduling_set(&spec, &why) < 0) {
        CHECK(why.errnum == ENOSYS); /* a kernel without NUMA */
        CHECK_TEXT(why.hint, "NUMA");
        return;
    }
    CHECK(syscall(SYS_get_mempolicy, &mode, mask, 8 * sizeof(mask), 0, 0) == 0);
    CHECK(mode == (MPOL_BIND | (1 << 15)) && mask[0] == 1);
    spec.linux.memory_policy.nodes = absent; /* no machine has it: the kernel's word, not a cut mask */
    CHECK(scheduling_set(&spec, &why) < 0 && why.errnum == EINVAL);
    CHECK(strcmp(why.pointer, "/linux/memoryPolicy") == 0);
}

static void personality_32(void)
{
    char domain[] = "LINUX32";
    struct utsname name;
    const struct spec spec = {.linux.personality = {.set = true, .domain = domain}};
    CHECK_DONE(scheduling_set(&spec, &why));
    CHECK(personality(0xffffffff) == PER_LINUX32);
#ifdef __x86_64__
    CHECK(uname(&name) == 0 && strcmp(name.machine, "i686") == 0);
#else
    CHECK(uname(&name) == 0);
#endif
}

int main(void)
{
    static const struct effect_case cases[] = {
        {"rlimits of another process", rlimits_of_another_process},
        {"rlimits are settled without privilege", rlimits_are_settled},
        {"a refused raise is explained", rlimit_raise_is_explained},
        {"oom score of another process", oom_score_of_another_process},
        {"a refused oom score is explained", oom_score_refusal_is_explained},
        {"SCHED_FIFO", scheduler_fifo},
        {"nice", scheduler_nice},
        {"a refused scheduler is explained", scheduler_refusal_is_explained},
        {"a clamp without value clamps nothing", scheduler_clamp_without_value},
        {"I/O priority stays in our own group", io_priority_of_us_alone},
        {"memory policy", memory_policy},
        {"personality", personality_32},
    };
    if (geteuid() != 0)
        return skip_program("needs root");
    return run_cases(cases, ARRAY_LENGTH(cases)) > 0;
}
