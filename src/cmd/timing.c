/* cmd/timing.c: --timing: where the timeline of a command goes. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "base/timeline.h"
#include "cmd/cmd.h"

static struct {
    const char *file; /* NULL: the summary */
    const char *command;
} given;

/* Emptied now: should the command be killed, nothing older can be taken for its timeline. */
static int open_file(const char *file, struct failure *why)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    (void)fail_sys(why, "open timing file '%s'", file); /* returned below */
    return errno == ELOOP ? failure_hint(why, "a symbolic link is not followed: name the file itself") : -1;
}

int timing_open(const char *destination, const char *command, struct failure *why)
{
    int fd = -1;
    if (destination == NULL)
        return 0;
    if (*destination == '\0')
        return fail(why, FAILURE_USAGE, "option --timing takes a file or -, found ''");
    if (!text_equal(destination, "-")) {
        given.file = destination;
        fd = open_file(destination, why);
        if (fd < 0)
            return -1;
    }
    given.command = command;
    return timing_begin(&fd, why);
}

static int write_document(const struct timing_facts *facts, struct failure *why)
{
    struct json_writer *writer = json_writer_new(JSON_COMPACT);
    size_t length;
    timing_document(timeline_now, facts, writer);
    const char *text = json_result(writer, &length);
    int r = fd_write_all(timeline_file(), text, length);
    if (r == 0)
        r = fd_write_all(timeline_file(), "\n", 1);
    json_writer_free(writer);
    return r < 0 ? fail_errno(why, r, "write timing file '%s'", given.file) : 0;
}

static int write_summary(const struct timing_facts *facts, struct failure *why)
{
    struct text text = {0};
    timing_summary(timeline_now, facts, &text);
    int r = fd_write_all(STDERR_FILENO, text.data, text.length);
    text_done(&text);
    return r < 0 ? fail_errno(why, r, "write the summary of --timing to standard error") : 0;
}

int timing_write(int exit_code, const struct failure *failed, struct failure *why)
{
    if (!timeline_is_on())
        return 0;
    const struct timing_facts facts = {
        .command = given.command,
        .container = text_equal(given.command, "list") ? NULL : timeline_container(),
        .exit_code = exit_code,
        .why = failed,
    };
    timeline_mark(failed == NULL ? TIMELINE_DONE : TIMELINE_FAILED, 0);
    return given.file != NULL ? write_document(&facts, why) : write_summary(&facts, why);
}
