/* spec/utf8.c: strict UTF-8; pure. */
#include "spec/utf8.h"

#include <stdint.h>
#include <string.h>

/* Table 3-7 of the Unicode standard: what the second byte may be after each first byte. */
size_t utf8_character(const unsigned char *text, size_t length)
{
    unsigned char first = text[0], low = 0x80, high = 0xbf;
    size_t need;

    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        need = 2;
    else if (first >= 0xe0 && first <= 0xef)
        need = 3;
    else if (first >= 0xf0 && first <= 0xf4)
        need = 4;
    else
        return 0;

    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f;

    if (length < need || text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return need;
}

size_t utf8_valid_prefix(const unsigned char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        uint64_t eight;
        /* Nearly every document is ASCII: eight bytes at a time. */
        while (length - at >= sizeof(eight)) {
            memcpy(&eight, text + at, sizeof(eight));
            if (eight & UINT64_C(0x8080808080808080))
                break;
            at += sizeof(eight);
        }
        if (at == length)
            break;
        size_t step = utf8_character(text + at, length - at);
        if (step == 0)
            break;
        at += step;
    }
    return at;
}

static int hex4(const char *at, const char *end)
{
    int value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *digit = at[i] != '\0' ? strchr(digits, at[i]) : NULL;
        if (digit == NULL)
            return -1;
        value = value << 4 | (int)((digit - digits) % 16);
    }
    return value;
}

size_t utf8_lone_surrogate(const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    while (at < end && (at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        int first = end - at > 2 && at[1] == 'u' ? hex4(at + 2, end) : -1;
        if (first < 0xd800 || first > 0xdfff) {
            at += 2;
            continue;
        }
        int second = first <= 0xdbff && end - at > 8 && at[6] == '\\' && at[7] == 'u' ? hex4(at + 8, end) : -1;
        if (second < 0xdc00 || second > 0xdfff)
            return (size_t)(at - text);
        at += 12;
    }
    return length;
}
