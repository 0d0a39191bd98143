/* base/shortcut.c: which words of CRUN_LITE_WITHOUT switch off what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/shortcut.h"

static void whole_words_between_commas_switch_off(void **state)
{
    static const struct {
        const char *words;
        bool network, early_start;
    } cases[] = {
        {"", true, true},
        {"network", false, true},
        {"early-start", true, false},
        {"network,early-start", false, false},
        {",,early-start,", true, false},
        {"all", false, false},
        {"unknown,all", false, false},
        {"net", true, true},
        {"networks", true, true},
        {"network early-start", true, true},
    };

    (void)state; /* none */
    unsetenv("CRUN_LITE_WITHOUT");
    assert_true(shortcut_permitted(SHORTCUT_NETWORK));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setenv("CRUN_LITE_WITHOUT", cases[i].words, 1);
        assert_int_equal(shortcut_permitted(SHORTCUT_NETWORK), cases[i].network);
        assert_int_equal(shortcut_permitted(SHORTCUT_EARLY_START), cases[i].early_start);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whole_words_between_commas_switch_off)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
