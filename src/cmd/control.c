/* cmd/control.c: start, kill, delete, pause, resume. */
#include "base/memory.h"
#include "cmd/cmd.h"

static struct {
    bool all, force;
} given;

static const struct option_row kill_options[] = {
    {"all", 'a', OPTION_FLAG, &given.all, NULL, "signal every process of the container"},
};
static const struct option_row delete_options[] = {
    {"force", 'f', OPTION_FLAG, &given.force, NULL, "kill the container first; one that does not exist is no failure"},
};

static int run_start(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    if (arguments_check(&command_start, argc, 1, 1, why) < 0)
        return -1;
    return container_start(runtime, argv[0], why);
}

static int run_kill(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    if (arguments_check(&command_kill, argc, 1, 2, why) < 0)
        return -1;
    return container_kill(runtime, argv[0], argc == 2 ? argv[1] : NULL, given.all ? KILL_ALL : KILL_INIT, why);
}

static int run_delete(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    if (arguments_check(&command_delete, argc, 1, 1, why) < 0)
        return -1;
    return container_delete(runtime, argv[0], given.force ? DELETE_ANY : DELETE_STOPPED, why);
}

static int run_pause(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    if (arguments_check(&command_pause, argc, 1, 1, why) < 0)
        return -1;
    return container_pause(runtime, argv[0], why);
}

static int run_resume(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    if (arguments_check(&command_resume, argc, 1, 1, why) < 0)
        return -1;
    return container_resume(runtime, argv[0], why);
}

const struct command command_pause = {
    .name = "pause",
    .arguments = "CONTAINER",
    .summary = "Freeze every process of a container",
    .run = run_pause,
};

const struct command command_resume = {
    .name = "resume",
    .arguments = "CONTAINER",
    .summary = "Thaw a paused container",
    .run = run_resume,
};

const struct command command_start = {
    .name = "start",
    .arguments = "CONTAINER",
    .summary = "Execute the program of a created container",
    .run = run_start,
};

const struct command command_kill = {
    .name = "kill",
    .arguments = "[OPTIONS] CONTAINER [SIGNAL]",
    .summary = "Send a signal to a container (default: TERM, or the image's stop signal)",
    .options = kill_options,
    .options_count = ARRAY_LENGTH(kill_options),
    .run = run_kill,
};

const struct command command_delete = {
    .name = "delete",
    .arguments = "[OPTIONS] CONTAINER",
    .summary = "Remove a container that has stopped or was never started",
    .options = delete_options,
    .options_count = ARRAY_LENGTH(delete_options),
    .run = run_delete,
};
