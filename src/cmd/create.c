/* cmd/create.c: create and run: the options that both share. */
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/cmd.h"

static struct {
    struct create_request request;
    char id[NAME_MAX + 1]; /* when it is the name of the bundle */
    bool no_pivot, no_new_keyring, detach, keep, no_subreaper;
} given;

#define SHARED_OPTIONS \
    {"bundle", 'b', OPTION_TEXT, &given.request.bundle, "DIR", "the bundle (default: the current directory)"}, \
    {"pid-file", 0, OPTION_TEXT, &given.request.pid_file, "FILE", "write the process id to FILE"}, \
    {"console-socket", 0, OPTION_TEXT, &given.request.console_socket, "PATH", "send the terminal to the UNIX socket PATH"}, \
    {"pidfd-socket", 0, OPTION_TEXT, &given.request.pidfd_socket, "PATH", "send a pidfd of the process to the UNIX socket PATH"}, \
    {"no-pivot", 0, OPTION_FLAG, &given.no_pivot, NULL, "use chroot instead of pivot_root, for a root on a ramdisk"}, \
    {"no-new-keyring", 0, OPTION_FLAG, &given.no_new_keyring, NULL, "keep the caller's session keyring"}, \
    {"preserve-fds", 0, OPTION_NUMBER, &given.request.preserve_fds, "N", "pass N more file descriptors, from 3 on"}, \
    {"no-subreaper", 0, OPTION_FLAG, &given.no_subreaper, NULL, "accepted for compatibility: crun-lite is never a subreaper"}

static const struct option_row create_options[] = {
    SHARED_OPTIONS,
    {"detach", 'd', OPTION_FLAG, &given.detach, NULL, "accepted for compatibility: create never waits for the container's end"},
};
static const struct option_row run_options[] = {
    SHARED_OPTIONS,
    {"detach", 'd', OPTION_FLAG, &given.detach, NULL, "do not wait for the container"},
    {"keep", 0, OPTION_FLAG, &given.keep, NULL, "leave the state and the cgroup after the end"},
};

static void take_request(const char *id)
{
    given.request.id = id;
    given.request.flags = (given.no_pivot ? CREATE_NO_PIVOT : 0u) | (given.no_new_keyring ? CREATE_NO_NEW_KEYRING : 0u);
}

static int run_create(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    if (arguments_check(&command_create, argc, 1, 1, why) < 0)
        return -1;
    take_request(argv[0]);
    return container_create(runtime, &given.request, why);
}

static bool is_bundle(const char *directory)
{
    char path[PATH_MAX];
    struct stat st;
    int length = snprintf(path, sizeof(path), "%s/config.json", directory);
    return length > 0 && (size_t)length < sizeof(path) && stat(path, &st) == 0;
}

/* `run mybundle`: without --bundle an argument that is a directory with a config.json is the bundle, its name the id. */
static int take_bundle_argument(const char *argument, struct failure *why)
{
    char path[PATH_MAX];
    if (given.request.bundle != NULL || !is_bundle(argument))
        return 0;
    if (realpath(argument, path) == NULL)
        return fail_sys(why, "open bundle '%s'", argument);
    snprintf(given.id, sizeof(given.id), "%s", strrchr(path, '/') + 1);
    given.request.bundle = argument;
    given.request.id = given.id;
    return 0;
}

static int run_run(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    int exit_code;
    if (arguments_check(&command_run, argc, 1, 1, why) < 0)
        return -1;
    take_request(argv[0]);
    if (take_bundle_argument(argv[0], why) < 0)
        return -1;
    unsigned flags = (given.detach ? RUN_DETACH : 0u) | (given.keep ? RUN_KEEP : 0u);
    return container_run(runtime, &given.request, flags, &exit_code, why) < 0 ? -1 : exit_code;
}

const struct command command_create = {
    .name = "create",
    .arguments = "[OPTIONS] CONTAINER",
    .summary = "Make a container that waits for start",
    .options = create_options,
    .options_count = ARRAY_LENGTH(create_options),
    .run = run_create,
};

const struct command command_run = {
    .name = "run",
    .arguments = "[OPTIONS] CONTAINER|BUNDLE",
    .summary = "Make a container, start it, and wait for its end",
    .options = run_options,
    .options_count = ARRAY_LENGTH(run_options),
    .run = run_run,
};
