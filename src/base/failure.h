/*
 * base/failure.h: the one failure type.
 *
 * A `struct failure` lives by value in the caller's frame: nothing to free, and it goes onto the
 * creator-init channel as it is.
 *
 * A function whose last parameter is `struct failure *why` EXPLAINS: on failure it fills *why exactly
 * once and returns -1.  A function without it is PLAIN: it returns -errno and builds no sentence; fallbacks
 * use plain functions.  (One with `struct findings *` last REPORTS: base/findings.h.)  Nobody prints a failure but main.c (and the log).
 *
 * Runs in: every process.  Needs: nothing.  Never allocates.
 */
#ifndef CRUN_LITE_BASE_FAILURE_H
#define CRUN_LITE_BASE_FAILURE_H

#define MUST_CHECK __attribute__((warn_unused_result))
/* For a must-check result that has no consequence; the reason stands beside it. */
#define IGNORE_RESULT(call) ((void)!(call))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Who can act on it. */
enum failure_kind {
    FAILURE_NONE = 0,
    FAILURE_CONFIG, /* the bundle's author: config.json asks for something wrong or contradictory */
    FAILURE_HOST,   /* the administrator: kernel, permission, missing feature, full disk */
    FAILURE_STATE,  /* the caller: wrong moment (already exists, not running, does not exist) */
    FAILURE_USAGE,  /* the caller: command line */
    FAILURE_BUG,    /* us */
};

struct failure {
    enum failure_kind kind;
    int errnum;        /* errno behind it, 0 when there is none */
    int exit_code;     /* 0: main's default (1) */
    unsigned line;     /* of the document, from 1; 0: not known */
    char document[64]; /* what the pointer points into; "": config.json */
    char pointer[192]; /* JSON pointer into the document, such as "/linux/namespaces/2/path"; "" if none */
    char text[1200];   /* what was tried on which object and what happened, one sentence, no final dot */
    char hint[400];    /* what to do about it, one sentence, no final dot; "" if none */
};

/* Fill *why and return -1.  `fail_sys` reads errno and appends what it means; kind HOST. */
int fail(struct failure *why, enum failure_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
int fail_sys(struct failure *why, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* As fail_sys with an explicit error number; accepts both errno and -errno. */
int fail_errno(struct failure *why, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* kind CONFIG with the JSON pointer of the offending member. */
int fail_config(struct failure *why, const char *pointer, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Add to a filled failure; each returns -1 so that it can stand in a return statement. */
int failure_hint(struct failure *why, const char *fmt, ...) PRINTF_LIKE(2, 3);
int failure_pointer(struct failure *why, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The pointer's document where it is another one than config.json. */
int failure_document(struct failure *why, const char *name);
/* Puts "prefix: " before the text: used where a caller knows the object's name better. */
int failure_context(struct failure *why, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The document that pointer and line belong to. */
const char *failure_document_name(const struct failure *why);
/* Renders place, text and hint as the one sentence users see.  `size` bytes at `out`, always ended. */
void failure_render(const struct failure *why, char *out, unsigned long size);

#endif
