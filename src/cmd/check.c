/* cmd/check.c: all that is wrong with a bundle, as text or JSON, and a verdict. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "cmd/cmd.h"

/* Exit codes; 1 is that of every command that failed. */
enum verdict { VERDICT_OK = 0, VERDICT_CONFIG = 2, VERDICT_HOST = 3 };

static struct {
    const char *bundle, *format;
} given;

static const struct option_row check_options[] = {
    {"bundle", 'b', OPTION_TEXT, &given.bundle, "DIR", "the bundle (default: the current directory)"},
    {"format", 'f', OPTION_TEXT, &given.format, "text|json", "the form of the findings (default: text)"},
};

static const char *kind_word(const struct failure *finding)
{
    return finding->kind == FAILURE_CONFIG ? "config" : "host";
}

static size_t count_config(const struct findings *findings)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += findings->items[i].kind == FAILURE_CONFIG;
    return count;
}

static enum verdict judge(const struct findings *findings)
{
    if (count_config(findings) > 0)
        return VERDICT_CONFIG;
    return findings->count > 0 ? VERDICT_HOST : VERDICT_OK;
}

static const char *verdict_word(enum verdict verdict)
{
    return verdict == VERDICT_CONFIG ? "config" : verdict == VERDICT_HOST ? "host" : "ok";
}

/* ---- text ---- */

static void add_clean(struct text *text, const char *words)
{
    char clean[sizeof(((struct failure *)NULL)->text)];
    text_sanitize(clean, sizeof(clean), words);
    text_add(text, clean);
}

static void add_finding(struct text *text, const char *path, const struct failure *finding)
{
    add_clean(text, path);
    if (finding->line > 0)
        text_format(text, ":%u", finding->line);
    text_format(text, ": %s: ", kind_word(finding));
    add_clean(text, finding->pointer[0] ? finding->pointer : "the document");
    text_add(text, "\n    ");
    add_clean(text, finding->text);
    if (finding->hint[0]) {
        text_add(text, "\n    hint: ");
        add_clean(text, finding->hint);
    }
    text_add(text, "\n\n");
}

static int print_text(const char *path, const struct findings *findings, struct failure *why)
{
    struct text text = {0};
    size_t config = count_config(findings), host = findings->count - config;
    for (size_t i = 0; i < findings->count; i++)
        add_finding(&text, path, &findings->items[i]);
    if (findings->count == 0) {
        add_clean(&text, path);
        text_add(&text, ": no findings\n");
    } else {
        text_format(&text, "%zu finding%s: %zu in the configuration, %zu about this host%s\n", findings->count,
                    findings->count == 1 ? "" : "s", config, host, findings->count == FINDINGS_LIMIT ? "; the search ended here" : "");
    }
    int r = output_write(text.data, text.length, why);
    text_done(&text);
    return r;
}

/* ---- JSON ---- */

static int print_json(const char *path, const struct findings *findings, struct failure *why)
{
    struct json_writer *writer = json_writer_new(JSON_PRETTY);
    json_open_object(writer);
    json_string(writer, "config", path);
    json_string(writer, "verdict", verdict_word(judge(findings)));
    json_bool(writer, "complete", findings->count < FINDINGS_LIMIT);
    json_key(writer, "findings");
    json_open_array(writer);
    for (size_t i = 0; i < findings->count; i++) {
        const struct failure *finding = &findings->items[i];
        json_open_object(writer);
        json_string(writer, "kind", kind_word(finding));
        json_string(writer, "pointer", finding->pointer);
        json_u64(writer, "line", finding->line);
        json_string(writer, "message", finding->text);
        json_string(writer, "hint", finding->hint);
        json_close_object(writer);
    }
    json_close_array(writer);
    json_close_object(writer);
    int r = output_document(writer, why);
    json_writer_free(writer);
    return r;
}

static int run_check(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    struct arena arena = {0};
    struct findings findings;
    const char *path = NULL;
    if (arguments_check(&command_check, argc, 0, 1, why) < 0)
        return -1;
    if (argc == 1 && given.bundle != NULL)
        return fail(why, FAILURE_USAGE, "check: the bundle is named twice, by --bundle and as an argument");
    bool json = text_equal(given.format, "json");
    if (given.format != NULL && !json && !text_equal(given.format, "text"))
        return fail(why, FAILURE_USAGE, "unknown format '%s': expected text or json", given.format);
    findings_collect(&findings, why);
    int r = container_check(runtime, argc == 1 ? argv[0] : given.bundle, &arena, &path, &findings);
    if (r == 0)
        r = json ? print_json(path, &findings, why) : print_text(path, &findings, why);
    if (r == 0)
        r = (int)judge(&findings);
    findings_done(&findings);
    arena_done(&arena);
    return r;
}

const struct command command_check = {
    .name = "check",
    .arguments = "[OPTIONS] [BUNDLE]",
    .summary = "Find everything that create would refuse, without making anything",
    .options = check_options,
    .options_count = ARRAY_LENGTH(check_options),
    .stateless = true,
    .run = run_check,
};
