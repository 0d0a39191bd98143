/*
 * base/log.c: the log destination, levels and formats.
 *
 * Text lines look like "2026-01-02T03:04:05.678901Z warning: …"; JSON lines are one object with the keys level, msg and
 * time, as engines parse them.  syslog and journald are spoken to over their datagram sockets.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

enum destination { TO_STDERR, TO_FILE, TO_SYSLOG, TO_JOURNALD };

static struct {
    enum destination to;
    enum log_format format;
    enum log_level level;
    int fd;
    char identifier[64];
} log_state = {.to = TO_STDERR, .format = LOG_TEXT, .level = LOG_ERROR, .fd = -1};

static const char *const level_names[] = {"error", "warning", "debug"};
static const int syslog_priorities[] = {3, 4, 7};

static int connect_daemon(const char *path, const char *destination, struct failure *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    /* A daemon that takes nothing more must not keep the container waiting. */
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return fail_sys(why, "open log '%s': connect to '%s'", destination, path);
    log_state.fd = fd_steal(&fd);
    return 0;
}

static int open_file(const char *path, struct failure *why)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
        return fail_sys(why, "open log '%s'", path);
    log_state.fd = fd;
    log_state.to = TO_FILE;
    return 0;
}

int log_open(const char *destination, struct failure *why)
{
    if (destination == NULL || *destination == '\0')
        return 0;
    if (text_starts(destination, "file:"))
        return open_file(destination + 5, why);
    if (text_starts(destination, "fd:")) {
        uint64_t number;
        if (text_to_u64(destination + 3, 65535, &number) < 0 || !fd_is_open((int)number))
            return fail(why, FAILURE_USAGE, "open log '%s': no such open file descriptor", destination);
        int copy = fd_duplicate((int)number, 3);
        if (copy < 0)
            return fail_errno(why, copy, "open log '%s'", destination);
        log_state.fd = copy;
        log_state.to = TO_FILE;
        return 0;
    }
    bool syslog = text_starts(destination, "syslog:"), journald = text_starts(destination, "journald:");
    if (!syslog && !journald)
        return open_file(destination, why);
    /* A newline would begin another field of the journal. */
    text_sanitize(log_state.identifier, sizeof(log_state.identifier), strchr(destination, ':') + 1);
    log_state.to = syslog ? TO_SYSLOG : TO_JOURNALD;
    return connect_daemon(syslog ? "/dev/log" : "/run/systemd/journal/socket", destination, why);
}

void log_set(enum log_format format, enum log_level level)
{
    log_state.format = format;
    log_state.level = level;
}

enum log_level log_level_now(void)
{
    return log_state.level;
}

int log_fd(void)
{
    return log_state.to == TO_FILE ? log_state.fd : -1;
}

static void timestamp(char *out, size_t size)
{
    struct timespec now;
    char seconds[TEXT_TIME_SIZE];
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    snprintf(out, size, "%s.%06uZ", text_utc(seconds, now.tv_sec), (unsigned)(now.tv_nsec / 1000 % 1000000));
}

static void add_json_string(struct text *line, const char *value)
{
    text_add(line, "\"");
    for (const char *c = value; *c != '\0'; c++)
        if (*c == '"' || *c == '\\')
            text_format(line, "\\%c", *c);
        else
            text_add_n(line, c, 1);
    text_add(line, "\"");
}

/* One write per line: lines of several processes do not mix in an O_APPEND file. */
static void write_line(enum log_level level, const char *message)
{
    struct text line = {0};
    char now[48];
    timestamp(now, sizeof(now));
    if (log_state.to == TO_JOURNALD) {
        text_format(&line, "PRIORITY=%d\nSYSLOG_IDENTIFIER=crun-lite\nCONTAINER_ID=%s\nMESSAGE=%s\n", syslog_priorities[level],
                    log_state.identifier, message);
    } else if (log_state.to == TO_SYSLOG) {
        text_format(&line, "<%d>crun-lite[%d]: %s: %s", 24 + syslog_priorities[level], (int)getpid(), log_state.identifier, message);
    } else if (log_state.format == LOG_JSON) {
        text_add(&line, "{\"level\":");
        add_json_string(&line, level_names[level]);
        text_add(&line, ",\"msg\":");
        add_json_string(&line, message);
        text_format(&line, ",\"time\":\"%s\"}\n", now);
    } else {
        text_format(&line, "%s %s: %s\n", now, level_names[level], message);
    }
    /* A log that cannot be written must not stop the container: the error also goes to stderr. */
    IGNORE_RESULT(fd_write_all(log_state.to == TO_STDERR ? STDERR_FILENO : log_state.fd, line.data, line.length));
    text_done(&line);
}

static void __attribute__((format(printf, 2, 0))) log_message(enum log_level level, const char *fmt, va_list args)
{
    char raw[2048], clean[2048];
    vsnprintf(raw, sizeof(raw), fmt, args);
    text_sanitize(clean, sizeof(clean), raw);
    write_line(level, clean);
}

void log_debug(const char *fmt, ...)
{
    if (log_state.level < LOG_DEBUG)
        return;
    va_list args;
    va_start(args, fmt);
    log_message(LOG_DEBUG, fmt, args);
    va_end(args);
}

void log_warning(const char *fmt, ...)
{
    if (log_state.level < LOG_WARNING)
        return;
    va_list args;
    va_start(args, fmt);
    log_message(LOG_WARNING, fmt, args);
    va_end(args);
}

void log_failure(const struct failure *why)
{
    if (log_state.to == TO_STDERR)
        return; /* main.c writes stderr itself */
    char raw[2048], clean[2048];
    failure_render(why, raw, sizeof(raw));
    text_sanitize(clean, sizeof(clean), raw);
    write_line(LOG_ERROR, clean);
}
