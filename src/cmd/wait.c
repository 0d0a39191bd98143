/* cmd/wait.c: wait: the end of a container, and its exit status where somebody still knows it. */
#include <stdio.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "cmd/cmd.h"

static int run_wait(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    struct container_end end;
    char line[32] = "unknown\n";
    if (arguments_check(&command_wait, argc, 1, 1, why) < 0 || container_wait(runtime, argv[0], &end, why) < 0)
        return -1;
    int length = (int)sizeof("unknown");
    if (end.known)
        length = snprintf(line, sizeof(line), "%d\n", WIFSIGNALED(end.status) ? 128 + WTERMSIG(end.status) : WEXITSTATUS(end.status));
    return output_write(line, (size_t)length, why);
}

const struct command command_wait = {
    .name = "wait",
    .arguments = "CONTAINER",
    .summary = "Wait for the end of a container and print its exit status",
    .run = run_wait,
};
