/*
 * base/log.h: the --log destination and the three levels.
 *
 * Silent on success at the default level: engines parse stdout+stderr of successful commands, and podman
 * reads the whole log file as ONE JSON object.  Errors are written by main.c only, once.
 *
 * Runs in: every process; init writes to the inherited fd until it is closed before exec.
 */
#ifndef CRUN_LITE_BASE_LOG_H
#define CRUN_LITE_BASE_LOG_H

#include <stdbool.h>

#include "base/failure.h"

enum log_level { LOG_ERROR = 0, LOG_WARNING = 1, LOG_DEBUG = 2 };
enum log_format { LOG_TEXT = 0, LOG_JSON = 1 };

/* `destination`: NULL (stderr), PATH or "file:PATH" (append, created 0600 at once, before anything else can
 * fail), "fd:N", "syslog:ID", "journald:ID". */
int log_open(const char *destination, struct failure *why) MUST_CHECK;
void log_set(enum log_format format, enum log_level level);
enum log_level log_level_now(void);

/* Below the level in force these cost one comparison. */
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The error line of the log: called by main.c only. */
void log_failure(const struct failure *why);
/* The fd of the log file, -1 when it is stderr or a daemon. */
int log_fd(void);

#endif
