/*
 * cmd/options.c: the argument grammar that engines rely on.
 *
 *   --NAME VALUE  --NAME=VALUE  -NAME …     NAME whole, or the beginning of one option's name only
 *   -L VALUE  -LVALUE  -L=VALUE             letters; those without a value can stand together: -it
 *   --FLAG  --FLAG=false                    as Go programs write it
 *   --                                      ends the options; a lone - is a word like others
 *
 * Not the C library's getopt_long_only: each library has its own opinion of letters behind one dash, and the program is linked with
 * another one than its twin, which reads the same words.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cmd/cmd.h"

struct reading {
    const struct option_row *rows;
    size_t count;
    int argc, at; /* `at`: the next word */
    char **argv;
    struct failure *why;
};

static int read_flag(const struct option_row *row, const char *value, struct failure *why)
{
    bool on = value == NULL || text_equal(value, "true") || text_equal(value, "1") || text_equal(value, "auto");
    if (!on && !text_equal(value, "false") && !text_equal(value, "0"))
        return fail(why, FAILURE_USAGE, "option --%s takes true or false, found '%s'", row->name, value);
    *(bool *)row->target = on;
    return 0;
}

/* On the heap: what is given on a command line lives as long as the process. */
static void add_text(struct strings *texts, char *value)
{
    texts->items = memory_resize(texts->items, (texts->count + 1) * sizeof(*texts->items));
    texts->items[texts->count++] = value;
}

static int read_value(const struct option_row *row, char *value, struct failure *why)
{
    uint64_t number;
    switch (row->kind) {
    case OPTION_FLAG:
    case OPTION_LOOSE_FLAG:
        return read_flag(row, value, why);
    case OPTION_NUMBER:
        if (text_to_u64(value, INT_MAX, &number) < 0)
            return fail(why, FAILURE_USAGE, "option --%s takes a number, found '%s'", row->name, value);
        *(unsigned *)row->target = (unsigned)number;
        return 0;
    case OPTION_TEXTS:
        add_text(row->target, value);
        return 0;
    case OPTION_TEXT:
    default:
        *(const char **)row->target = value;
        return 0;
    }
}

static bool is_flag(const struct option_row *row)
{
    return row->kind == OPTION_FLAG || row->kind == OPTION_LOOSE_FLAG;
}

bool options_is_loose_value(const char *word)
{
    return text_equal(word, "true") || text_equal(word, "false") || text_equal(word, "auto");
}

static const struct option_row *find_letter(const struct reading *reading, char letter)
{
    for (size_t i = 0; i < reading->count; i++)
        if (letter != '\0' && reading->rows[i].letter == letter)
            return &reading->rows[i];
    return NULL;
}

/* By the whole name, or by the beginning of one name only; how many begin so is left in *ret_found. */
static const struct option_row *find_name(const struct reading *reading, const char *name, size_t length, size_t *ret_found)
{
    const struct option_row *row = NULL;
    *ret_found = 0;
    for (size_t i = 0; i < reading->count && length > 0; i++) {
        if (strncmp(reading->rows[i].name, name, length) != 0)
            continue;
        row = &reading->rows[i];
        if (row->name[length] == '\0') {
            *ret_found = 1;
            return row;
        }
        *ret_found += 1;
    }
    return *ret_found == 1 ? row : NULL;
}

static int fail_unknown(const char *word, struct failure *why)
{
    fail(why, FAILURE_USAGE, "unknown or ambiguous option '%s'", word);
    return failure_hint(why, "see --help");
}

/* `value`: what came with the name; NULL: nothing, so that it is the next word where the option has one. */
static int read_option(struct reading *reading, const struct option_row *row, char *value)
{
    const char *next = reading->at < reading->argc ? reading->argv[reading->at] : NULL;
    if (value == NULL && !is_flag(row)) {
        if (next == NULL)
            return fail(reading->why, FAILURE_USAGE, "flag needs an argument: --%s", row->name);
        value = reading->argv[reading->at++];
    } else if (value == NULL && row->kind == OPTION_LOOSE_FLAG && options_is_loose_value(next)) {
        value = reading->argv[reading->at++];
    }
    return read_value(row, value, reading->why);
}

static int read_letters(struct reading *reading, char *word)
{
    for (char *letter = word + 1; *letter != '\0'; letter++) {
        const struct option_row *row = find_letter(reading, *letter);
        if (row == NULL)
            return fail_unknown(word, reading->why);
        if (!is_flag(row) || letter[1] == '=') {
            char *rest = letter[1] == '=' ? letter + 2 : letter[1] != '\0' ? letter + 1 : NULL;
            return read_option(reading, row, rest);
        }
        if (read_value(row, NULL, reading->why) < 0)
            return -1;
    }
    return 0;
}

static int read_word(struct reading *reading, char *word)
{
    bool may_be_letters = word[1] != '-';
    char *name = word + (may_be_letters ? 1 : 2);
    size_t found, length = strcspn(name, "=");
    if (may_be_letters && length == 1 && find_letter(reading, *name) != NULL)
        return read_letters(reading, word);
    const struct option_row *row = find_name(reading, name, length, &found);
    if (row != NULL)
        return read_option(reading, row, name[length] == '=' ? name + length + 1 : NULL);
    return may_be_letters && found == 0 ? read_letters(reading, word) : fail_unknown(word, reading->why);
}

int options_read(int argc, char **argv, const struct option_row *rows, size_t rows_count, enum options_order order, int *ret_used,
                 struct failure *why)
{
    struct reading reading = {.rows = rows, .count = rows_count, .argc = argc, .at = argc > 0 ? 1 : 0, .argv = argv, .why = why};
    int positionals = 0;
    while (reading.at < argc) {
        char *word = argv[reading.at];
        bool is_option = word[0] == '-' && word[1] != '\0';
        if (!is_option && order == OPTIONS_FIRST)
            break;
        reading.at++;
        if (text_equal(word, "--"))
            break;
        if (!is_option)
            argv[1 + positionals++] = word; /* a place that was read already */
        else if (read_word(&reading, word) < 0)
            return -1;
    }
    *ret_used = reading.at - positionals;
    if (positionals > 0)
        memmove(&argv[*ret_used], &argv[1], (size_t)positionals * sizeof(*argv));
    return 0;
}
