/* Unit tests of process/caps.c: names to sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "base/log.h"
#include "process/process.h"

static char chown_word[] = "CAP_CHOWN", admin_word[] = "CAP_SYS_ADMIN", last_word[] = "CAP_CHECKPOINT_RESTORE";

static uint64_t bounding_of(char *word)
{
    char *items[] = {word};
    struct spec_capabilities want = {.set = true, .bounding = {items, 1}};
    struct caps_plan plan;
    caps_plan(&want, &plan);
    assert_int_equal(plan.effective | plan.inheritable | plan.permitted | plan.ambient, 0);
    return plan.bounding;
}

static void test_words_are_the_kernels(void **state)
{
    (void)state;
    size_t count = 0;
    for (; caps_words[count]; count++) {
        cap_value_t value;
        assert_int_equal(cap_from_name(caps_words[count], &value), 0);
        assert_int_equal(value, count);
    }
    assert_int_equal(count, 41);
}

static void test_every_word_is_its_bit(void **state)
{
    (void)state;
    for (unsigned n = 0; caps_words[n]; n++) {
        char word[64];
        strncpy(word, caps_words[n], sizeof(word) - 1);
        word[sizeof(word) - 1] = '\0';
        if (CAP_IS_SUPPORTED((cap_value_t)n))
            assert_int_equal(bounding_of(word), UINT64_C(1) << n);
    }
}

static void test_each_set_is_its_own(void **state)
{
    (void)state;
    char *one[] = {chown_word}, *two[] = {chown_word, admin_word}, *three[] = {last_word};
    struct spec_capabilities want = {.set = true, .bounding = {two, 2}, .effective = {one, 1}, .permitted = {two, 2},
                                     .inheritable = {three, 1}};
    struct caps_plan plan;
    caps_plan(&want, &plan);
    assert_int_equal(plan.bounding, 0x200001);
    assert_int_equal(plan.effective, 1);
    assert_int_equal(plan.permitted, 0x200001);
    assert_int_equal(plan.inheritable, UINT64_C(1) << 40);
    assert_int_equal(plan.ambient, 0);
}

static void test_absent_is_empty(void **state)
{
    (void)state;
    char *one[] = {chown_word};
    struct spec_capabilities want = {.set = false, .bounding = {one, 1}};
    struct caps_plan plan = {1, 1, 1, 1, 1};
    caps_plan(&want, &plan);
    assert_int_equal(plan.bounding | plan.effective | plan.inheritable | plan.permitted | plan.ambient, 0);
}

static void test_unknown_words_are_warnings(void **state)
{
    static const char *const words[] = {"CAP_FOO", "cap_chown", "CHOWN", "CAP_", "", "CAP_CHOWN ", "0", "CAP_\x1b[2J"};
    char path[] = "/tmp/crun-lite-test-XXXXXX", text[8192];
    struct failure why;
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(log_open(path, &why), 0);
    log_set(LOG_TEXT, LOG_WARNING);
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        char word[32];
        strncpy(word, words[i], sizeof(word) - 1);
        word[sizeof(word) - 1] = '\0';
        assert_int_equal(bounding_of(word), 0);
    }
    log_set(LOG_TEXT, LOG_ERROR);
    ssize_t length = read(fd, text, sizeof(text) - 1);
    assert_true(length > 0);
    text[length] = '\0';
    assert_non_null(strstr(text, "/process/capabilities/bounding/0: 'CAP_FOO' is no capability: ignored"));
    assert_null(strchr(text, '\x1b'));
    unsigned lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, ARRAY_LENGTH(words));
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_the_kernels), cmocka_unit_test(test_every_word_is_its_bit),
        cmocka_unit_test(test_each_set_is_its_own),   cmocka_unit_test(test_absent_is_empty),
        cmocka_unit_test(test_unknown_words_are_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
