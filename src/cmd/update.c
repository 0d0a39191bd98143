/* cmd/update.c: update: new limits by a document, by options, or by both. */
#include "base/memory.h"
#include "base/text.h"
#include "cmd/cmd.h"

static struct {
    const char *resources;
    const char *memory, *reservation, *swap, *kernel, *kernel_tcp;
    const char *shares, *quota, *period, *burst, *idle, *realtime_runtime, *realtime_period, *cpus, *mems;
    const char *weight, *pids, *l3_cache_schema, *mem_bw_schema;
} given;

/* The names are runc's. */
static const struct option_row update_options[] = {
    {"resources", 'r', OPTION_TEXT, &given.resources, "FILE", "read the resources as JSON from FILE (-: standard input)"},
    {"memory", 0, OPTION_TEXT, &given.memory, "BYTES", "memory limit, such as 512M; -1: none"},
    {"memory-reservation", 0, OPTION_TEXT, &given.reservation, "BYTES", "memory that is not reclaimed"},
    {"memory-swap", 0, OPTION_TEXT, &given.swap, "BYTES", "limit of memory and swap together; -1: none"},
    {"kernel-memory", 0, OPTION_TEXT, &given.kernel, "BYTES", "accepted for compatibility: counted in --memory"},
    {"kernel-memory-tcp", 0, OPTION_TEXT, &given.kernel_tcp, "BYTES", "accepted for compatibility: counted in --memory"},
    {"cpu-share", 0, OPTION_TEXT, &given.shares, "NUMBER", "relative CPU time, 2 to 262144 (1024: an equal share)"},
    {"cpu-quota", 0, OPTION_TEXT, &given.quota, "USECS", "CPU time in each period; -1: no limit"},
    {"cpu-period", 0, OPTION_TEXT, &given.period, "USECS", "length of a period"},
    {"cpu-burst", 0, OPTION_TEXT, &given.burst, "USECS", "unused CPU time that may be saved up"},
    {"cpu-idle", 0, OPTION_TEXT, &given.idle, "0|1", "1: only CPU time that nobody else wants"},
    {"cpu-rt-runtime", 0, OPTION_TEXT, &given.realtime_runtime, "USECS", "not on cgroup v2: anything but 0 is refused"},
    {"cpu-rt-period", 0, OPTION_TEXT, &given.realtime_period, "USECS", "not on cgroup v2: anything but 0 is refused"},
    {"cpuset-cpus", 0, OPTION_TEXT, &given.cpus, "LIST", "processors, such as 0-3,7"},
    {"cpuset-mems", 0, OPTION_TEXT, &given.mems, "LIST", "memory nodes"},
    {"blkio-weight", 0, OPTION_TEXT, &given.weight, "NUMBER", "relative block I/O, 10 to 1000"},
    {"pids-limit", 0, OPTION_TEXT, &given.pids, "NUMBER", "processes and threads; -1: no limit"},
    {"l3-cache-schema", 0, OPTION_TEXT, &given.l3_cache_schema, "TEXT", "not supported by this release"},
    {"mem-bw-schema", 0, OPTION_TEXT, &given.mem_bw_schema, "TEXT", "not supported by this release"},
};

static int read_size(const char *option, const char *word, struct optional_i64 *target, struct failure *why)
{
    if (word == NULL)
        return 0;
    if (text_to_size(word, &target->value) < 0)
        return fail(why, FAILURE_USAGE, "option --%s takes bytes such as 512M, or -1 for no limit, found '%s'", option, word);
    target->set = true;
    return 0;
}

static int read_signed(const char *option, const char *word, struct optional_i64 *target, struct failure *why)
{
    if (word == NULL)
        return 0;
    if (text_to_i64(word, INT64_MIN, INT64_MAX, &target->value) < 0)
        return fail(why, FAILURE_USAGE, "option --%s takes a number, found '%s'", option, word);
    target->set = true;
    return 0;
}

static int read_unsigned(const char *option, const char *word, struct optional_u64 *target, struct failure *why)
{
    if (word == NULL)
        return 0;
    if (text_to_u64(word, UINT64_MAX, &target->value) < 0)
        return fail(why, FAILURE_USAGE, "option --%s takes a number that is not negative, found '%s'", option, word);
    target->set = true;
    return 0;
}

static int read_memory(struct spec_resources *resources, struct failure *why)
{
    if (read_size("memory", given.memory, &resources->memory.limit, why) < 0 ||
        read_size("memory-reservation", given.reservation, &resources->memory.reservation, why) < 0 ||
        read_size("memory-swap", given.swap, &resources->memory.swap, why) < 0 ||
        read_size("kernel-memory", given.kernel, &resources->memory.kernel, why) < 0)
        return -1;
    return read_size("kernel-memory-tcp", given.kernel_tcp, &resources->memory.kernel_tcp, why);
}

static int read_cpu(struct spec_resources *resources, struct failure *why)
{
    if (read_unsigned("cpu-share", given.shares, &resources->cpu.shares, why) < 0 ||
        read_signed("cpu-quota", given.quota, &resources->cpu.quota, why) < 0 ||
        read_unsigned("cpu-period", given.period, &resources->cpu.period, why) < 0 ||
        read_unsigned("cpu-burst", given.burst, &resources->cpu.burst, why) < 0 ||
        read_signed("cpu-idle", given.idle, &resources->cpu.idle, why) < 0 ||
        read_signed("cpu-rt-runtime", given.realtime_runtime, &resources->cpu.realtime_runtime, why) < 0)
        return -1;
    return read_unsigned("cpu-rt-period", given.realtime_period, &resources->cpu.realtime_period, why);
}

static int read_options(struct spec_resources *resources, struct failure *why)
{
    if (given.l3_cache_schema != NULL || given.mem_bw_schema != NULL)
        return fail(why, FAILURE_CONFIG, "Intel RDT (resctrl) is not supported by this release");
    if (read_memory(resources, why) < 0 || read_cpu(resources, why) < 0 ||
        read_unsigned("blkio-weight", given.weight, &resources->block_io.weight, why) < 0)
        return -1;
    resources->cpu.cpus = (char *)(uintptr_t)given.cpus; /* never written to */
    resources->cpu.mems = (char *)(uintptr_t)given.mems;
    return read_signed("pids-limit", given.pids, &resources->pids_limit, why);
}

/* A call that asks for nothing is a slip. */
static bool anything_given(void)
{
    for (size_t i = 0; i < ARRAY_LENGTH(update_options); i++)
        if (*(const char **)update_options[i].target != NULL)
            return true;
    return false;
}

static int run_update(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    struct update_request request = {.document = given.resources};
    if (arguments_check(&command_update, argc, 1, 1, why) < 0)
        return -1;
    if (!anything_given()) {
        fail(why, FAILURE_USAGE, "update: no new limit was given");
        return failure_hint(why, "see update --help");
    }
    if (read_options(&request.resources, why) < 0)
        return -1;
    return container_update(runtime, argv[0], &request, why);
}

const struct command command_update = {
    .name = "update",
    .arguments = "[OPTIONS] CONTAINER",
    .summary = "Change the limits of a container",
    .options = update_options,
    .options_count = ARRAY_LENGTH(update_options),
    .run = run_update,
};
