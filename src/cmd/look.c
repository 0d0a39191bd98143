/* cmd/look.c: state, list and ps. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/cmd.h"

static struct {
    const char *format;
    bool quiet;
} given;

static const struct option_row list_options[] = {
    {"format", 'f', OPTION_TEXT, &given.format, "table|json", "the form of the output (default: table)"},
    {"quiet", 'q', OPTION_FLAG, &given.quiet, NULL, "only the ids"},
};

static int run_state(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    if (arguments_check(&command_state, argc, 1, 1, why) < 0)
        return -1;
    struct json_writer *writer = json_writer_new(JSON_PRETTY);
    int r = container_state(runtime, argv[0], writer, why);
    if (r == 0)
        r = output_document(writer, why);
    json_writer_free(writer);
    return r;
}

static int print_json(const struct container_summary *list, size_t count, struct failure *why)
{
    struct json_writer *writer = json_writer_new(count == 0 ? JSON_COMPACT : JSON_PRETTY);
    json_open_array(writer);
    for (size_t i = 0; i < count; i++) {
        char owner[16];
        snprintf(owner, sizeof(owner), "%u", list[i].owner);
        json_open_object(writer);
        json_string(writer, "ociVersion", SPEC_VERSION);
        json_string(writer, "id", list[i].id);
        json_i64(writer, "pid", list[i].pid);
        json_string(writer, "status", list[i].status);
        json_string(writer, "bundle", list[i].bundle);
        json_string(writer, "rootfs", list[i].rootfs);
        json_string(writer, "created", list[i].created);
        json_map(writer, "annotations", &list[i].annotations);
        json_string(writer, "owner", owner);
        json_close_object(writer);
    }
    json_close_array(writer);
    int r = output_document(writer, why);
    json_writer_free(writer);
    return r;
}

static int print_table(const struct container_summary *list, size_t count, struct failure *why)
{
    struct text text = {0};
    if (!given.quiet)
        text_format(&text, "%-20s %-10s %-10s %-32s %s\n", "ID", "PID", "STATUS", "CREATED", "BUNDLE");
    for (size_t i = 0; i < count; i++) {
        if (given.quiet) {
            text_format(&text, "%s\n", list[i].id);
            continue;
        }
        char bundle[PATH_MAX]; /* may hold anything, lines of a table too */
        text_sanitize(bundle, sizeof(bundle), list[i].bundle);
        text_format(&text, "%-20s %-10d %-10s %-32s %s\n", list[i].id, list[i].pid, list[i].status, list[i].created, bundle);
    }
    int r = text.length > 0 ? output_write(text.data, text.length, why) : 0;
    text_done(&text);
    return r;
}

static int check_format(struct failure *why)
{
    if (given.format == NULL || text_equal(given.format, "json") || text_equal(given.format, "table"))
        return 0;
    return fail(why, FAILURE_USAGE, "unknown format '%s': expected table or json", given.format);
}

static int run_list(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    (void)argv; /* there are none */
    struct arena arena = {0};
    struct container_summary *list;
    size_t count;
    bool json = text_equal(given.format, "json");
    if (arguments_check(&command_list, argc, 0, 0, why) < 0)
        return -1;
    if (check_format(why) < 0)
        return -1;
    int r = container_list(runtime, &arena, &list, &count, why);
    if (r == 0)
        r = json && !given.quiet ? print_json(list, count, why) : print_table(list, count, why);
    arena_done(&arena);
    return r;
}

static const struct option_row ps_options[] = {
    {"format", 'f', OPTION_TEXT, &given.format, "table|json", "the form of the output (default: table); json: the pids"},
};

static void add_processes(struct text *text, const struct container_process *list, size_t count)
{
    text_format(text, "%-8s %-5s %s\n", "PID", "STATE", "COMMAND");
    for (size_t i = 0; i < count; i++)
        text_format(text, "%-8d %-5c %s\n", list[i].pid, list[i].state, list[i].command);
}

static void add_pids(struct text *text, const struct container_process *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_format(text, "%c%d", i == 0 ? '[' : ',', list[i].pid);
    text_add(text, count == 0 ? "[]\n" : "]\n");
}

static int show_with_options(const struct runtime *runtime, char **argv, struct failure *why)
{
    struct arena arena = {0};
    char *table;
    int r = container_processes_shown(runtime, argv[0], argv + 1, &arena, &table, why);
    if (r == 0)
        r = output_write(table, strlen(table), why);
    arena_done(&arena);
    return r;
}

static int run_ps(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    struct arena arena = {0};
    struct container_process *list;
    size_t count;
    bool json = text_equal(given.format, "json");
    if (arguments_check(&command_ps, argc, 1, INT_MAX, why) < 0)
        return -1;
    if (check_format(why) < 0)
        return -1;
    if (argc > 1 && !json)
        return show_with_options(runtime, argv, why);
    int r = container_processes(runtime, argv[0], &arena, &list, &count, why);
    if (r == 0) {
        struct text text = {0};
        (json ? add_pids : add_processes)(&text, list, count);
        r = output_write(text.data, text.length, why);
        text_done(&text);
    }
    arena_done(&arena);
    return r;
}

const struct command command_ps = {
    .name = "ps",
    .arguments = "[OPTIONS] CONTAINER [PS OPTIONS]",
    .summary = "Show the processes of a container",
    .takes_words = true,
    .options = ps_options,
    .options_count = ARRAY_LENGTH(ps_options),
    .run = run_ps,
};

const struct command command_state = {
    .name = "state",
    .arguments = "CONTAINER",
    .summary = "Print the state of a container as JSON",
    .run = run_state,
};

const struct command command_list = {
    .name = "list",
    .arguments = "[OPTIONS]",
    .summary = "List the containers below the state root",
    .options = list_options,
    .options_count = ARRAY_LENGTH(list_options),
    .run = run_list,
};
