/*
 * cmd/options.c: the argument grammar that engines rely on.
 *
 * getopt_long_only of the C library does the parsing: "--opt VALUE", "--opt=VALUE", "-opt", "-o".  Flags are
 * declared with an optional argument, so that "--flag=false" works as Go programs write it.
 */
#include <getopt.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cmd/cmd.h"

#define ROWS_MAX 48
#define FIRST_VALUE 1000 /* above every character */

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

static const struct option_row *find_row(const struct option_row *rows, size_t count, int found)
{
    for (size_t i = 0; i < count; i++)
        if (found == FIRST_VALUE + (int)i || (rows[i].letter != 0 && found == rows[i].letter))
            return &rows[i];
    return NULL;
}

static int fail_unknown(char **argv, int found, const struct option_row *rows, size_t count, struct failure *why)
{
    const char *word = argv[optind - 1];
    if (found == ':') {
        const struct option_row *row = find_row(rows, count, optopt);
        if (row != NULL)
            return fail(why, FAILURE_USAGE, "flag needs an argument: --%s", row->name);
        return fail(why, FAILURE_USAGE, "flag needs an argument: %s", word);
    }
    fail(why, FAILURE_USAGE, "unknown or ambiguous option '%s'", word);
    return failure_hint(why, "see --help");
}

static bool is_flag(const struct option_row *row)
{
    return row->kind == OPTION_FLAG || row->kind == OPTION_LOOSE_FLAG;
}

bool options_is_loose_value(const char *word)
{
    return text_equal(word, "true") || text_equal(word, "false") || text_equal(word, "auto");
}

/* "-L=VALUE" as Go programs take it.  getopt gives up where L begins several long options, and else hands over "=VALUE". */
static const struct option_row *read_letter(const struct option_row *rows, size_t count, int found, const char *word, char **value)
{
    bool is_letter = word[0] == '-' && word[1] != '-' && word[1] != '\0' && word[2] == '=';
    if (found == '?' && is_letter) {
        *value = (char *)(uintptr_t)word + 3;
        return find_row(rows, count, word[1]);
    }
    if (is_letter && *value == word + 2)
        *value += 1;
    return found == '?' ? NULL : find_row(rows, count, found);
}

int options_read(int argc, char **argv, const struct option_row *rows, size_t rows_count, enum options_order order, int *ret_used,
                 struct failure *why)
{
    struct option table[ROWS_MAX + 1];
    char letters[ROWS_MAX * 2 + 3];
    /* '-' hands over positional words one by one as the value of option 1; left to itself getopt would let
     * POSIXLY_CORRECT in the environment decide about options behind them. */
    size_t used = 0;
    letters[used++] = order == OPTIONS_FIRST ? '+' : '-';
    letters[used++] = ':';
    if (rows_count > ROWS_MAX)
        return fail(why, FAILURE_BUG, "too many options");
    memset(table, 0, sizeof(table));
    for (size_t i = 0; i < rows_count; i++) {
        bool flag = is_flag(&rows[i]);
        table[i] = (struct option){rows[i].name, flag ? optional_argument : required_argument, NULL, FIRST_VALUE + (int)i};
        if (rows[i].letter == 0)
            continue;
        letters[used++] = rows[i].letter;
        if (!flag)
            letters[used++] = ':';
    }
    letters[used] = '\0';
    optind = 0; /* glibc: starts anew */
    opterr = 0;
    int found, positionals = 0;
    while ((found = getopt_long_only(argc, argv, letters, table, NULL)) != -1) {
        if (found == 1) {
            argv[1 + positionals++] = optarg; /* a place that was read already */
            continue;
        }
        char *value = optarg;
        const struct option_row *row = read_letter(rows, rows_count, found, argv[optind - 1], &value);
        if (row == NULL)
            return fail_unknown(argv, found, rows, rows_count, why);
        if (row->kind == OPTION_LOOSE_FLAG && value == NULL && optind < argc && options_is_loose_value(argv[optind]))
            value = argv[optind++];
        if (read_value(row, value, why) < 0)
            return -1;
    }
    *ret_used = optind - positionals;
    if (positionals > 0)
        memmove(&argv[*ret_used], &argv[1], (size_t)positionals * sizeof(*argv));
    return 0;
}
