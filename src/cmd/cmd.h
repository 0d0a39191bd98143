/*
 * cmd/cmd.h: the commands: options in, one call of container/ out.
 *
 * Every command is one file with one `struct command`.  No command does system-level work, none prints a failure.
 */
#ifndef CRUN_LITE_CMD_CMD_H
#define CRUN_LITE_CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"
#include "container/container.h"

/* ---- options ---- */

enum option_kind {
    OPTION_FLAG,  /* bool; also --name=true, --name=false */
    OPTION_LOOSE_FLAG, /* the same, also with true, false or auto as the next word */
    OPTION_TEXT,  /* const char * */
    OPTION_TEXTS, /* struct strings: each time one more; the words are argv's */
    OPTION_NUMBER /* unsigned */
};

struct option_row {
    const char *name; /* without dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    void *target;
    const char *value_name; /* in the help: "FILE" */
    const char *help;
};

/* Reads options up to the first positional argument; "--" ends them.  Long options may have one dash (Go
 * style), a value may follow after '=' or as the next word, repeated options: last wins, but for OPTION_TEXTS.  Options after the first
 * positional are accepted too with OPTIONS_ANYWHERE.  *ret_used: the index of the first positional in argv; they are
 * moved behind the options.  USAGE failures name the option. */
enum options_order { OPTIONS_FIRST, OPTIONS_ANYWHERE };
int options_read(int argc, char **argv, const struct option_row *rows, size_t rows_count, enum options_order order, int *ret_used,
                 struct failure *why) MUST_CHECK;

/* The words that an OPTION_LOOSE_FLAG takes for its value. */
bool options_is_loose_value(const char *word);

/* ---- commands ---- */

struct command {
    const char *name;
    const char *arguments; /* in the help: "[OPTIONS] CONTAINER" */
    const char *summary;   /* one line */
    const struct option_row *options;
    size_t options_count;
    bool stateless; /* works without a state root */
    bool takes_words; /* what follows the first argument is another command's, options and all */
    /* argv[0..argc-1]: what is left after the options.  The exit code, or -1 with *why. */
    int (*run)(const struct runtime *runtime, int argc, char **argv, struct failure *why);
};

extern const struct command command_create, command_run, command_exec, command_start, command_state, command_kill, command_delete,
    command_list, command_check, command_pause, command_resume, command_ps, command_update, command_stats, command_events, command_wait, command_spec, command_features;

/* ENDED by NULL, in the order of the help. */
extern const struct command *const commands[];
const struct command *command_find(const char *name);

/* ---- output ---- */

/* Writes to stdout whole.  A closed pipe or full disk is a failure. */
int output_write(const char *text, size_t length, struct failure *why) MUST_CHECK;
int output_document(struct json_writer *writer, struct failure *why) MUST_CHECK; /* adds a final newline */
void help_global_with(const struct option_row *rows, size_t count);
void help_command(const struct command *command);
int help_version(struct failure *why) MUST_CHECK;

/* "exactly one container id" and friends. */
int arguments_check(const struct command *command, int argc, int least, int most, struct failure *why) MUST_CHECK;

/* ---- --timing ---- */

/* `destination`: a file, made or emptied before anything else can fail; "-": a summary on standard error at the end; NULL: nothing. */
int timing_open(const char *destination, const char *command, struct failure *why) MUST_CHECK;
/* What the command spent its time on; `failed`: what it failed with, NULL: it did not. */
int timing_write(int exit_code, const struct failure *failed, struct failure *why) MUST_CHECK;

#endif
