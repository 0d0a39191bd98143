/*
 * main.c: global options, the command table's caller, and the only place that prints a failure and chooses an exit code.
 *
 * Order matters: what was inherited is looked at before anything is opened, and the log is opened before
 * anything else can fail.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "base/twin.h"
#include "cmd/cmd.h"

static struct {
    const char *root, *log, *log_format, *log_level, *cgroup_manager, *criu, *timing;
    bool debug, systemd_cgroup, rootless, version, help;
} given;

static const struct option_row global_options[] = {
    {"root", 0, OPTION_TEXT, &given.root, "DIR", "keep the state of containers in DIR"},
    {"log", 0, OPTION_TEXT, &given.log, "DEST", "log to a file (also file:PATH, fd:N, syslog:ID, journald:ID)"},
    {"log-format", 0, OPTION_TEXT, &given.log_format, "text|json", "the form of the log (default: text)"},
    {"log-level", 0, OPTION_TEXT, &given.log_level, "LEVEL", "error, warning or debug (default: error)"},
    {"debug", 0, OPTION_FLAG, &given.debug, NULL, "the same as --log-level debug"},
    {"cgroup-manager", 0, OPTION_TEXT, &given.cgroup_manager, "NAME", "cgroupfs, systemd or disabled (default: cgroupfs)"},
    {"systemd-cgroup", 0, OPTION_FLAG, &given.systemd_cgroup, NULL, "the same as --cgroup-manager systemd"},
    {"timing", 0, OPTION_TEXT, &given.timing, "FILE", "write what took how long to FILE, as a trace (-: a summary to stderr)"},
    {"rootless", 0, OPTION_LOOSE_FLAG, &given.rootless, NULL, "accepted for compatibility: found out by itself"},
    {"criu", 0, OPTION_TEXT, &given.criu, "PATH", "accepted for compatibility"},
    {"version", 'v', OPTION_FLAG, &given.version, NULL, "print the version"},
    {"help", 'h', OPTION_FLAG, &given.help, NULL, "print this help"},
};

/* A global option whose value is the next word. */
static bool takes_next(const char *option, const char *next)
{
    static const char *const with_value[] = {"root", "log-level", "cgroup-manager", "criu", "timing"};
    for (size_t i = 0; i < ARRAY_LENGTH(with_value); i++)
        if (text_equal(option, with_value[i]))
            return true;
    return text_equal(option, "rootless") && options_is_loose_value(next);
}

/* --log and --log-format as early and as forgivingly as possible: whatever fails later must be in the log. */
static int open_log(int argc, char **argv, struct failure *why)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-')
            break;
        word += word[1] == '-' ? 2 : 1;
        if (text_equal(word, "log") && i + 1 < argc)
            given.log = argv[++i];
        else if (text_starts(word, "log="))
            given.log = word + strlen("log=");
        else if (text_equal(word, "log-format") && i + 1 < argc)
            given.log_format = argv[++i];
        else if (text_starts(word, "log-format="))
            given.log_format = word + strlen("log-format=");
        else if (i + 1 < argc && takes_next(word, argv[i + 1]))
            i++; /* its value, whatever it looks like */
    }
    log_set(text_equal(given.log_format, "json") ? LOG_JSON : LOG_TEXT, LOG_ERROR);
    return log_open(given.log, why);
}

static int set_log_level(struct failure *why)
{
    enum log_level level = given.debug ? LOG_DEBUG : LOG_ERROR;
    const char *word = given.log_level;
    if (given.log_format != NULL && !text_equal(given.log_format, "json") && !text_equal(given.log_format, "text"))
        return fail(why, FAILURE_USAGE, "unknown log format '%s': expected text or json", given.log_format);
    if (text_equal(word, "debug") || text_equal(word, "trace"))
        level = LOG_DEBUG;
    else if (text_equal(word, "warning") || text_equal(word, "warn") || text_equal(word, "info"))
        level = given.debug ? LOG_DEBUG : LOG_WARNING;
    else if (word != NULL && !text_equal(word, "error") && !text_equal(word, "fatal") && !text_equal(word, "panic"))
        return fail(why, FAILURE_USAGE, "unknown log level '%s': expected error, warning or debug", word);
    log_set(text_equal(given.log_format, "json") ? LOG_JSON : LOG_TEXT, level);
    return 0;
}

static int choose_manager(enum cgroup_manager *ret_manager, struct failure *why)
{
    const char *word = given.cgroup_manager;
    *ret_manager = given.systemd_cgroup ? CGROUP_MANAGER_SYSTEMD : CGROUP_MANAGER_FS;
    if (word == NULL)
        return 0;
    for (enum cgroup_manager manager = CGROUP_MANAGER_FS; manager <= CGROUP_MANAGER_DISABLED; manager++) {
        if (text_equal(word, cgroup_manager_names[manager])) {
            *ret_manager = manager;
            return 0;
        }
    }
    return fail(why, FAILURE_USAGE, "unknown cgroup manager '%s': expected cgroupfs, systemd or disabled", word);
}

static int choose_root(struct arena *arena, const char **ret_root, struct failure *why)
{
    char directory[PATH_MAX];
    if (given.root == NULL || given.root[0] == '\0')
        return runtime_default_root(arena, ret_root, why);
    if (given.root[0] == '/') {
        *ret_root = given.root;
        return 0;
    }
    if (getcwd(directory, sizeof(directory)) == NULL)
        return fail_sys(why, "find the current directory for --root '%s'", given.root);
    *ret_root = arena_format(arena, "%s/%s", directory, given.root);
    return 0;
}

/* The command's own options, with --help added for every command. */
static int run_command(const struct runtime *runtime, const struct command *command, int argc, char **argv, struct failure *why)
{
    struct option_row rows[32];
    bool help = false;
    int used;
    size_t count = command->options_count;
    if (count >= ARRAY_LENGTH(rows))
        return fail(why, FAILURE_BUG, "too many options");
    if (count > 0)
        memcpy(rows, command->options, count * sizeof(*rows));
    rows[count++] = (struct option_row){"help", 'h', OPTION_FLAG, &help, NULL, "print the help of this command"};
    if (options_read(argc, argv, rows, count, command->takes_words ? OPTIONS_FIRST : OPTIONS_ANYWHERE, &used, why) < 0)
        return -1;
    if (help) {
        help_command(command);
        return 0;
    }
    return command->run(runtime, argc - used, argv + used, why);
}

static int run_main(int argc, char **argv, const struct inherited_fds *inherited, struct arena *arena, struct failure *why)
{
    int used;
    /* A copy: reading the options reorders argv, and a second exec must find it as it was. */
    struct runtime runtime = {.inherited = inherited, .argv = arena_grow(arena, argv, (size_t)argc, (size_t)argc + 1, sizeof(*argv))};
    twin_begin(runtime.argv);
    if (fds_ensure_standard(why) < 0 || open_log(argc, argv, why) < 0 ||
        options_read(argc, argv, global_options, ARRAY_LENGTH(global_options), OPTIONS_FIRST, &used, why) < 0 || set_log_level(why) < 0)
        return -1;
    if (given.version)
        return help_version(why);
    if (given.help || (used < argc && text_equal(argv[used], "help"))) {
        help_global_with(global_options, ARRAY_LENGTH(global_options));
        return 0;
    }
    if (used == argc) {
        fail(why, FAILURE_USAGE, "a command is missing");
        return failure_hint(why, "see crun-lite --help");
    }
    const struct command *command = command_find(argv[used]);
    if (command == NULL) {
        fail(why, FAILURE_USAGE, "unknown command '%s'", argv[used]);
        return failure_hint(why, "see crun-lite --help");
    }
    if (timing_open(given.timing, command->name, why) < 0 || choose_manager(&runtime.manager, why) < 0 || (!command->stateless && choose_root(arena, &runtime.root, why) < 0))
        return -1;
    return run_command(&runtime, command, argc - used, argv + used, why);
}

static int report(const struct failure *why)
{
    char raw[2048], clean[2048], line[2100];
    failure_render(why, raw, sizeof(raw));
    text_sanitize(clean, sizeof(clean), raw);
    int length = snprintf(line, sizeof(line), "crun-lite: %s\n", clean);
    log_failure(why);
    IGNORE_RESULT(fd_write_all(STDERR_FILENO, line, (size_t)length)); /* nowhere left to complain */
    return why->exit_code != 0 ? why->exit_code : 1;
}

int main(int argc, char **argv)
{
    struct inherited_fds inherited;
    struct arena arena = {0};
    struct failure why, unwritten;
    fds_look(&inherited);
    /* Ignored by some callers: then nobody would know how a child ended. */
    (void)signal(SIGCHLD, SIG_DFL); /* cannot fail */
    int result = run_main(argc, argv, &inherited, &arena, &why);
    int code = result < 0 ? report(&why) : result;
    if (timing_write(code, result < 0 ? &why : NULL, &unwritten) < 0)
        (void)report(&unwritten); /* the command's own end is what its caller asked for */
    arena_done(&arena);
    return code;
}
