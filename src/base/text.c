/* base/text.c: a growable byte buffer, number parsing without surprises, and words from untrusted sides. */
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void make_room(struct text *text, size_t more)
{
    if (text->room - text->length > more)
        return;
    size_t room = text->room ? text->room : 256;
    while (room - text->length <= more)
        room *= 2;
    text->data = memory_resize(text->data, room);
    text->room = room;
}

void text_add_n(struct text *text, const char *more, size_t length)
{
    make_room(text, length);
    memcpy(text->data + text->length, more, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *more)
{
    text_add_n(text, more, strlen(more));
}

void text_format(struct text *text, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (length > 0) {
        make_room(text, (size_t)length);
        vsnprintf(text->data + text->length, (size_t)length + 1, fmt, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

void text_done(struct text *text)
{
    free(text->data);
    memset(text, 0, sizeof(*text));
}

bool text_equal(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

const char *text_word(const char *line, size_t index)
{
    line += strspn(line, " ");
    for (; index > 0 && *line && *line != '\n'; index--) {
        line += strcspn(line, " \n");
        line += strspn(line, " ");
    }
    return *line && *line != '\n' ? line : NULL;
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

uint64_t text_hash(uint64_t seed, const void *data, size_t length)
{
    const char *bytes = data;

    for (size_t i = 0; i < length; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, length - i < sizeof(word) ? length - i : sizeof(word));
        seed = (seed ^ word) * 0x100000001b3u;
        seed ^= seed >> 32;
    }
    return seed;
}

int text_to_u64(const char *text, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (*text == '\0')
        return -EINVAL;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9')
            return -EINVAL;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value))
            return -ERANGE;
    }
    if (value > max)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

int text_to_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
    bool negative = *text == '-';
    uint64_t magnitude;
    int r = text_to_u64(text + negative, negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX, &magnitude);
    if (r < 0)
        return r;
    int64_t value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    if (value < min || value > max)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

/* The power of two that a suffix stands for ("", "b", "k", "KB", "KiB", …), or -1. */
static int suffix_shift(const char *suffix)
{
    static const char units[] = "kmgtpe";
    const char *unit = suffix[0] ? strchr(units, suffix[0] | 0x20) : NULL;
    const char *rest = unit ? suffix + 1 : suffix;
    if (unit && (rest[0] == 'i' || rest[0] == 'I'))
        rest++;
    if (rest[0] == 'b' || rest[0] == 'B')
        rest++;
    return rest[0] ? -1 : unit ? 10 * (int)(unit - units + 1) : 0;
}

int text_to_size(const char *text, int64_t *ret_bytes)
{
    enum { DIGITS_MAX = 19 }; /* of a fraction: its numerator has to fit, too */
    char digits[32];
    size_t length = strspn(text, "0123456789");
    uint64_t whole = 0, fraction = 0, scale = 1;
    if (text_equal(text, "-1")) {
        *ret_bytes = -1;
        return 0;
    }
    if (length == 0 || length >= sizeof(digits))
        return -EINVAL;
    memcpy(digits, text, length);
    digits[length] = '\0';
    int r = text_to_u64(digits, INT64_MAX, &whole);
    text += length;
    if (*text == '.') {
        length = strspn(++text, "0123456789");
        if (length == 0 || length >= DIGITS_MAX)
            return -EINVAL;
        for (; length > 0; length--, scale *= 10)
            fraction = fraction * 10 + (uint64_t)(*text++ - '0');
    }
    int shift = suffix_shift(text);
    if (r < 0 || shift < 0)
        return r < 0 ? r : -EINVAL;
    if (whole > (uint64_t)INT64_MAX >> shift)
        return -ERANGE;
    /* As a fraction of one: what is lost is below one byte of 2^50. */
    uint64_t part = (uint64_t)((long double)fraction / (long double)scale * (long double)((uint64_t)1 << shift));
    if ((whole << shift) > (uint64_t)INT64_MAX - part)
        return -ERANGE;
    *ret_bytes = (int64_t)((whole << shift) + part);
    return 0;
}

static const struct {
    const char *name;
    int64_t microseconds;
} duration_units[] = {
    /* "ms" in front of "m" */
    {"ms", 1000}, {"us", 1}, {"\u00b5s", 1}, {"h", 3600000000}, {"m", 60000000}, {"s", 1000000},
};

/* "1.5h" of "1.5h30m"; *text goes behind it. */
static int take_duration(const char **text, int64_t *ret_microseconds)
{
    uint64_t whole = 0, fraction = 0, scale = 1;
    const char *at = *text;
    if (*at < '0' || *at > '9')
        return -EINVAL;
    for (; *at >= '0' && *at <= '9'; at++)
        if ((whole = whole * 10 + (uint64_t)(*at - '0')) > INT32_MAX)
            return -ERANGE;
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9'; at++)
            if (scale < 1000000) /* what is below a microsecond is dropped */
                fraction = fraction * 10 + (uint64_t)(*at - '0'), scale *= 10;
    for (size_t i = 0; i < ARRAY_LENGTH(duration_units); i++) {
        if (!text_starts(at, duration_units[i].name))
            continue;
        *ret_microseconds = (int64_t)(whole * (uint64_t)duration_units[i].microseconds +
                                      fraction * (uint64_t)duration_units[i].microseconds / scale);
        *text = at + strlen(duration_units[i].name);
        return 0;
    }
    return -EINVAL;
}

int text_to_duration(const char *text, int64_t *ret_microseconds)
{
    int64_t sum = 0, part = 0;
    if (strcmp(text, "0") == 0) {
        *ret_microseconds = 0;
        return 0;
    }
    do {
        int r = take_duration(&text, &part);
        if (r < 0)
            return r;
        if (__builtin_add_overflow(sum, part, &sum))
            return -ERANGE;
    } while (*text != '\0');
    *ret_microseconds = sum;
    return 0;
}

/* Length of the UTF-8 sequence at `in`, 0 when it is invalid or a control character. */
static size_t sequence_length(const unsigned char *in)
{
    if (in[0] < 0x80)
        return in[0] >= 0x20 && in[0] != 0x7f;
    size_t length = in[0] >= 0xc2 && in[0] < 0xe0 ? 2 : in[0] >= 0xe0 && in[0] < 0xf0 ? 3 : in[0] >= 0xf0 && in[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < length; i++)
        if ((in[i] & 0xc0) != 0x80)
            return 0;
    /* The control characters of the second kind too: some terminals take U+009B for ESC [. */
    if ((in[0] == 0xc2 && in[1] < 0xa0) || (in[0] == 0xe0 && in[1] < 0xa0) || (in[0] == 0xed && in[1] > 0x9f) || (in[0] == 0xf0 && in[1] < 0x90) ||
        (in[0] == 0xf4 && in[1] > 0x8f))
        return 0;
    return length;
}

/* In a year that begins in March the lengths of months repeat every five of them, 153 days, and leap days come last; years repeat every
 * 400, 146097 days. */
const char *text_utc(char out[TEXT_TIME_SIZE], int64_t seconds)
{
    int64_t days = seconds / 86400 + 719468, second = seconds % 86400; /* since 0000-03-01 */
    int64_t era = days / 146097, day_of_era = days % 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153, day = day_of_year - (153 * month + 2) / 5 + 1;
    int64_t year = era * 400 + year_of_era + (month >= 10);
    month += month < 10 ? 3 : -9;
    snprintf(out, TEXT_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned)year % 10000, (unsigned)month % 100, (unsigned)day % 100,
             (unsigned)(second / 3600) % 100, (unsigned)(second / 60 % 60), (unsigned)(second % 60));
    return out;
}

const char *text_errno(int errnum)
{
    /* Those that musl has other words for than glibc, and a runtime may meet. */
    static const struct {
        int errnum;
        const char *words;
    } known[] = {
        {EIO, "Input/output error"},
        {ECHILD, "No child processes"},
        {ENOMEM, "Cannot allocate memory"},
        {EBUSY, "Device or resource busy"},
        {EXDEV, "Invalid cross-device link"},
        {EMFILE, "Too many open files"},
        {ENOTTY, "Inappropriate ioctl for device"},
        {ESPIPE, "Illegal seek"},
        {ERANGE, "Numerical result out of range"},
        {EDOM, "Numerical argument out of domain"},
        {EDEADLK, "Resource deadlock avoided"},
        {ENAMETOOLONG, "File name too long"},
        {ELOOP, "Too many levels of symbolic links"},
        {EUNATCH, "Protocol driver not attached"},
        {ETIME, "Timer expired"},
        {EOVERFLOW, "Value too large for defined data type"},
        {ELIBBAD, "Accessing a corrupted shared library"},
        {EILSEQ, "Invalid or incomplete multibyte or wide character"},
        {EUSERS, "Too many users"},
        {ENOTSOCK, "Socket operation on non-socket"},
        {EMSGSIZE, "Message too long"},
        {EOPNOTSUPP, "Operation not supported"},
        {EADDRINUSE, "Address already in use"},
        {EADDRNOTAVAIL, "Cannot assign requested address"},
        {ENETUNREACH, "Network is unreachable"},
        {ENETRESET, "Network dropped connection on reset"},
        {ECONNABORTED, "Software caused connection abort"},
        {EISCONN, "Transport endpoint is already connected"},
        {ENOTCONN, "Transport endpoint is not connected"},
        {ESHUTDOWN, "Cannot send after transport endpoint shutdown"},
        {ETOOMANYREFS, "Too many references: cannot splice"},
        {ETIMEDOUT, "Connection timed out"},
        {EHOSTUNREACH, "No route to host"},
        {EINPROGRESS, "Operation now in progress"},
        {EUCLEAN, "Structure needs cleaning"},
        {EDQUOT, "Disk quota exceeded"},
        {EOWNERDEAD, "Owner died"},
        {ERFKILL, "Operation not possible due to RF-kill"},
        {EHWPOISON, "Memory page has hardware error"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (known[i].errnum == errnum)
            return known[i].words;
    const char *words = strerror(errnum);
    if (!text_equal(words, "No error information"))
        return words;
    static char unknown[32]; /* the kernel's own, 524 for one; there is one thread */
    snprintf(unknown, sizeof(unknown), "Unknown error %d", errnum);
    return unknown;
}

void text_sanitize(char *out, size_t size, const char *in)
{
    size_t used = 0;
    while (*in != '\0' && used + 1 < size) {
        size_t length = sequence_length((const unsigned char *)in);
        if (length == 0) {
            out[used++] = *in == '\n' || *in == '\t' ? ' ' : '?';
            in++;
            continue;
        }
        if (used + length + 1 > size)
            break;
        memcpy(out + used, in, length);
        used += length;
        in += length;
    }
    out[used] = '\0';
}

const char *text_pointer_token(char out[POINTER_TOKEN_SIZE], const char *name, size_t length)
{
    char token[POINTER_TOKEN_SIZE];
    size_t used = 0;
    for (size_t i = 0; i < length && used + 3 < sizeof(token); i++) {
        if (name[i] == '~' || name[i] == '/') {
            token[used++] = '~';
            token[used++] = name[i] == '~' ? '0' : '1';
        } else {
            token[used++] = name[i] ? name[i] : '?';
        }
    }
    token[used] = '\0';
    text_sanitize(out, POINTER_TOKEN_SIZE, token);
    return out;
}
