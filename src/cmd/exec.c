/* cmd/exec.c: exec. */
#include "base/memory.h"
#include "cmd/cmd.h"

static struct {
    struct exec_request request;
    bool detach, tty, no_new_privs, ignore_paused;
} given;

static const struct option_row exec_options[] = {
    {"process", 'p', OPTION_TEXT, &given.request.process_file, "FILE", "read the process from a JSON document (-: from stdin)"},
    {"detach", 'd', OPTION_FLAG, &given.detach, NULL, "do not wait for the process"},
    {"pid-file", 0, OPTION_TEXT, &given.request.pid_file, "FILE", "write the process id to FILE"},
    {"console-socket", 0, OPTION_TEXT, &given.request.console_socket, "PATH", "send the terminal to the UNIX socket PATH"},
    {"pidfd-socket", 0, OPTION_TEXT, &given.request.pidfd_socket, "PATH", "send a pidfd of the process to the UNIX socket PATH"},
    {"tty", 't', OPTION_FLAG, &given.tty, NULL, "give the process a terminal"},
    {"cwd", 0, OPTION_TEXT, &given.request.cwd, "DIR", "working directory (default: the container's)"},
    {"env", 'e', OPTION_TEXTS, &given.request.env, "NAME=VALUE", "one more environment variable (repeatable)"},
    {"user", 'u', OPTION_TEXT, &given.request.user, "UID[:GID]", "user and group id (default: the container's)"},
    {"additional-gids", 'g', OPTION_TEXTS, &given.request.additional_gids, "GID", "one more supplementary group (repeatable)"},
    {"cap", 'c', OPTION_TEXTS, &given.request.capabilities, "CAP_NAME", "one more capability (repeatable)"},
    {"no-new-privs", 0, OPTION_FLAG, &given.no_new_privs, NULL, "set no_new_privs, also where the container has not"},
    {"process-label", 0, OPTION_TEXT, &given.request.process_label, "LABEL", "SELinux label (default: the container's)"},
    {"apparmor", 0, OPTION_TEXT, &given.request.apparmor_profile, "PROFILE", "AppArmor profile (default: the container's)"},
    {"cgroup", 0, OPTION_TEXT, &given.request.cgroup, "PATH", "run in a cgroup below the container's"},
    {"preserve-fds", 0, OPTION_NUMBER, &given.request.preserve_fds, "N", "pass N more file descriptors, from 3 on"},
    {"ignore-paused", 0, OPTION_FLAG, &given.ignore_paused, NULL, "also in a paused container: the process waits for resume"},
};

static int run_exec(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    int exit_code;
    if (argc < 1)
        return arguments_check(&command_exec, argc, 1, 1, why);
    given.request.id = argv[0];
    given.request.words = argv + 1;
    given.request.words_count = (size_t)argc - 1;
    given.request.flags = (given.detach ? EXEC_DETACH : 0u) | (given.tty ? EXEC_TTY : 0u) |
                          (given.no_new_privs ? EXEC_NO_NEW_PRIVS : 0u) | (given.ignore_paused ? EXEC_IGNORE_PAUSED : 0u);
    return container_exec(runtime, &given.request, &exit_code, why) < 0 ? -1 : exit_code;
}

const struct command command_exec = {
    .name = "exec",
    .arguments = "[OPTIONS] CONTAINER COMMAND [ARGUMENT...]",
    .summary = "Execute one more process in a container",
    .options = exec_options,
    .options_count = ARRAY_LENGTH(exec_options),
    .takes_words = true,
    .run = run_exec,
};
