/*
 * process/affinity.c: on which CPUs a process may run: /process/execCPUAffinity, and what others left us with.
 *
 * Runs in: creator (affinity_check, pure), init, escort and joiner of exec (the rest; each changes itself only).
 */
#include "process/process.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

/* NR_CPUS_RANGE_END of the kernel: no machine has more. */
#define CPUS_MAX 8192u
#define LONG_BITS (8 * sizeof(unsigned long))

struct cpus {
    unsigned long mask[CPUS_MAX / LONG_BITS];
};

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " ");
}

/* Digits only, cut from *cursor.  0 or -EINVAL / -ERANGE. */
static int take_number(const char **cursor, uint64_t *ret_number)
{
    char digits[8];
    *cursor = skip_blanks(*cursor);
    size_t length = strspn(*cursor, "0123456789");
    if (length == 0 || length >= sizeof(digits))
        return length ? -ERANGE : -EINVAL;
    memcpy(digits, *cursor, length);
    digits[length] = '\0';
    *cursor = skip_blanks(*cursor + length);
    return text_to_u64(digits, CPUS_MAX - 1, ret_number);
}

/* "0-3,7": numbers and ranges, blanks around them.  0, -EINVAL or -ERANGE. */
static int parse_cpus(const char *list, struct cpus *ret_cpus)
{
    struct cpus cpus = {{0}};
    for (const char *cursor = list;;) {
        uint64_t first, last;
        int result = take_number(&cursor, &first);
        if (result < 0)
            return result;
        last = first;
        if (*cursor == '-') {
            cursor++;
            result = take_number(&cursor, &last);
        }
        if (result < 0 || last < first)
            return result < 0 ? result : -EINVAL;
        for (uint64_t cpu = first; cpu <= last; cpu++)
            cpus.mask[cpu / LONG_BITS] |= 1ul << (cpu % LONG_BITS);
        if (*cursor == '\0')
            break;
        if (*cursor++ != ',')
            return -EINVAL;
    }
    *ret_cpus = cpus;
    return 0;
}

static int check_list(const char *list, const char *pointer, struct failure *why)
{
    struct cpus ignored;
    char shown[64];
    int result = list == NULL ? 0 : parse_cpus(list, &ignored);
    if (result == 0)
        return 0;
    text_sanitize(shown, sizeof(shown), list);
    if (result == -ERANGE)
        return fail_config(why, pointer, "'%s' holds a CPU above %u", shown, CPUS_MAX - 1);
    return fail_config(why, pointer, "'%s' is no list of CPUs such as 0-3,7", shown);
}

int affinity_check(const struct spec_process *process, struct failure *why)
{
    if (check_list(process->exec_cpu_affinity.initial, "/process/execCPUAffinity/initial", why) < 0)
        return -1;
    return check_list(process->exec_cpu_affinity.final, "/process/execCPUAffinity/final", why);
}

static int set_list(const char *list, const char *pointer, struct failure *why)
{
    struct cpus cpus;
    if (check_list(list, pointer, why) < 0 || parse_cpus(list, &cpus) < 0)
        return -1;
    if (sched_setaffinity(0, sizeof(cpus), (const cpu_set_t *)(const void *)&cpus) == 0)
        return 0;
    fail_sys(why, "run on the CPUs %.64s", list);
    failure_pointer(why, "%s", pointer);
    if (why->errnum == EINVAL)
        return failure_hint(why, "none of them is online and in the cpuset of the cgroup");
    return -1;
}

void affinity_release(void)
{
    struct cpus all;
    memset(&all, 0xff, sizeof(all));
    if (sched_setaffinity(0, sizeof(all), (const cpu_set_t *)(const void *)&all) < 0)
        log_debug("the CPU affinity stays the caller's: %s", text_errno(errno));
}

int affinity_set_initial(const struct spec_process *process, struct failure *why)
{
    const char *initial = process->exec_cpu_affinity.initial;
    if (initial != NULL)
        return set_list(initial, "/process/execCPUAffinity/initial", why);
    if (process->exec_cpu_affinity.final == NULL)
        affinity_release();
    return 0;
}

int affinity_set_final(const struct spec_process *process, struct failure *why)
{
    const char *final = process->exec_cpu_affinity.final;
    return final == NULL ? 0 : set_list(final, "/process/execCPUAffinity/final", why);
}
