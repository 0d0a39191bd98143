/* base/shortcut.c: the off switch of what is done for speed alone. */
#include "base/shortcut.h"

#include <stdlib.h>
#include <string.h>

static bool is_word(const char *at, size_t length, const char *word)
{
    return strlen(word) == length && strncmp(at, word, length) == 0;
}

bool shortcut_permitted(const char *name)
{
    const char *at = getenv("CRUN_LITE_WITHOUT");
    while (at != NULL && *at != '\0') {
        size_t length = strcspn(at, ",");
        if (is_word(at, length, name) || is_word(at, length, "all"))
            return false;
        at += length + (at[length] == ',');
    }
    return true;
}
