/* cmd/output.c: what commands print: documents, help, version. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/cmd.h"

int output_write(const char *text, size_t length, struct failure *why)
{
    int r = fd_write_all(STDOUT_FILENO, text, length);
    return r < 0 ? fail_errno(why, r, "write to standard output") : 0;
}

int output_document(struct json_writer *writer, struct failure *why)
{
    size_t length;
    const char *text = json_result(writer, &length);
    if (output_write(text, length, why) < 0)
        return -1;
    return length > 0 && text[length - 1] == '\n' ? 0 : output_write("\n", 1, why);
}

static void add_options(struct text *text, const struct option_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char left[64];
        snprintf(left, sizeof(left), "  %c%c%s --%s%s%s", rows[i].letter ? '-' : ' ', rows[i].letter ? rows[i].letter : ' ',
                 rows[i].letter ? "," : " ", rows[i].name, rows[i].value_name ? " " : "", rows[i].value_name ? rows[i].value_name : "");
        text_format(text, "%-34s %s\n", left, rows[i].help);
    }
}

static void print(struct text *text)
{
    /* Help on a closed stdout is nobody's loss. */
    IGNORE_RESULT(fd_write_all(STDOUT_FILENO, text->data, text->length));
    text_done(text);
}

void help_global_with(const struct option_row *rows, size_t count)
{
    struct text text = {0};
    text_add(&text, "Usage: crun-lite [OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\nRuns OCI containers.\n\nCommands:\n");
    for (size_t i = 0; commands[i] != NULL; i++)
        text_format(&text, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    text_add(&text, "\nOptions:\n");
    add_options(&text, rows, count);
    text_add(&text, "\n`crun-lite COMMAND --help` tells more about a command; see also crun-lite(1).\n");
    print(&text);
}

void help_command(const struct command *command)
{
    struct text text = {0};
    text_format(&text, "Usage: crun-lite %s %s\n\n%s.\n", command->name, command->arguments, command->summary);
    if (command->options_count > 0)
        text_add(&text, "\nOptions:\n");
    add_options(&text, command->options, command->options_count);
    print(&text);
}

int help_version(struct failure *why)
{
    /* Docker takes the last line with the word "version": there must be only one. */
    static const char text[] = "crun-lite version " VERSION "\ncommit: " CRUN_LITE_COMMIT "\nspec: " SPEC_VERSION "\n";
    return output_write(text, sizeof(text) - 1, why);
}

int arguments_check(const struct command *command, int argc, int least, int most, struct failure *why)
{
    if (argc >= least && argc <= most)
        return 0;
    fail(why, FAILURE_USAGE, "%s: %s", command->name, argc < least ? "an argument is missing" : "too many arguments");
    return failure_hint(why, "usage: crun-lite %s %s", command->name, command->arguments);
}
