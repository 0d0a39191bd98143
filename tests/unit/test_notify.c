/* Unit tests of container/notify.c: which words of a container reach the service manager, and what is planned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <stdlib.h>
#include <string.h>

#include "container/notify.h"

static void test_notify_filter(void **state)
{
    static const struct {
        const char *message, *told;
        bool ready;
    } rows[] = {
        {"READY=1", "READY=1\n", true},
        {"READY=1\n", "READY=1\n", true},
        {"STATUS=half way\nREADY=1\nMAINPID=1", "STATUS=half way\nREADY=1\n", true},
        {"READY=0", "", false},
        {"READY=12", "", false},
        {"XREADY=1", "", false},
        {"ready=1", "", false},
        {"STATUS=READY=1", "STATUS=READY=1\n", false},
        {"STATUS=\033[2Jwiped\xff", "STATUS=?[2Jwiped?\n", false},
        {"STATUS=gr\xc3\xbc\xc3\x9f", "STATUS=gr\xc3\xbc\xc3\x9f\n", false},
        {"STOPPING=1\n\nERRNO=2\nBUSERROR=a.b", "STOPPING=1\nERRNO=2\nBUSERROR=a.b\n", false},
        {"RELOADING=1\nMONOTONIC_USEC=5", "RELOADING=1\nMONOTONIC_USEC=5\n", false},
        {"WATCHDOG=1", "WATCHDOG=1\n", false},
        {"WATCHDOG=trigger", "WATCHDOG=trigger\n", false},
        {"EXTEND_TIMEOUT_USEC=1000", "EXTEND_TIMEOUT_USEC=1000\n", false},
        /* Not a container's business. */
        {"MAINPID=7", "", false},
        {"NOTIFYACCESS=all", "", false},
        {"FDSTORE=1\nFDNAME=x", "", false},
        {"FDSTOREREMOVE=1\nFDNAME=x", "", false},
        {"BARRIER=1", "", false},
        {"WATCHDOG_USEC=1", "", false},
        {"X_OWN=1", "", false},
        {"", "", false},
        {"\n\n", "", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct text told = {0};
        bool ready = !rows[i].ready;
        notify_filter(rows[i].message, strlen(rows[i].message), &told, &ready);
        assert_string_equal(told.data == NULL ? "" : told.data, rows[i].told);
        assert_int_equal(ready, rows[i].ready);
        text_done(&told);
    }
}

static void test_notify_filter_bounds(void **state)
{
    struct text told = {0};
    bool ready = true;
    char longest[4097];
    (void)state;
    notify_filter("READY=1\0x", 9, &told, &ready);
    assert_false(ready);
    memset(longest, 'x', sizeof(longest));
    memcpy(longest, "READY=1\nSTATUS=", 15);
    notify_filter(longest, 4097, &told, &ready);
    assert_false(ready);
    assert_int_equal(told.length, 0);
    notify_filter(longest, 4096, &told, &ready);
    assert_true(ready);
    assert_int_equal(told.length, 4097); /* the last line is ended too */
    text_done(&told);
}

static void test_notify_addresses(void **state)
{
    static const struct {
        const char *address;
        int result;
        bool taken;
    } rows[] = {
        {NULL, 0, false},      {"", 0, false},    {"/run/systemd/notify", 0, true}, {"@abstract", 0, true},
        {"relative", -1, false}, {"@", -1, false}, {"/", -1, false},                {"vsock:2:1234", -1, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct notify notify = NOTIFY_NONE;
        struct failure why = {0};
        if (rows[i].address == NULL)
            unsetenv("NOTIFY_SOCKET");
        else
            setenv("NOTIFY_SOCKET", rows[i].address, 1);
        assert_int_equal(notify_look(&notify, &why), rows[i].result);
        assert_int_equal(notify.manager_address != NULL, rows[i].taken);
        assert_int_equal(why.hint[0] != '\0', rows[i].result < 0);
    }
    unsetenv("NOTIFY_SOCKET");
}

static void test_notify_plan(void **state)
{
    struct arena arena = {0};
    struct failure why = {0};
    struct notify notify = {.manager_address = "/run/m", .manager = -1, .container = -1};
    char path[] = "PATH=/bin", own[] = "NOTIFY_SOCKET=/mine", elsewhere[] = "/proc/1/ns/mnt";
    char *env[] = {path}, *own_env[] = {path, own};
    struct spec spec = {.process = {.set = true, .env = {.items = env, .count = 1}}};
    (void)state;

    /* Without a mount namespace of its own there is no place for it. */
    assert_int_equal(notify_plan(&notify, "/root/c1", &arena, &spec, &why), -1);
    assert_non_null(strstr(why.text, "mount namespace"));
    assert_non_null(strstr(why.hint, "unset NOTIFY_SOCKET"));
    spec.linux.namespaces[NS_MOUNT] = (struct spec_namespace){.listed = true, .path = elsewhere};
    assert_int_equal(notify_plan(&notify, "/root/c1", &arena, &spec, &why), -1);
    spec.linux.namespaces[NS_MOUNT].path = NULL;
    assert_int_equal(notify_plan(&notify, "/root/c1", &arena, &spec, &why), 0);
    assert_int_equal(spec.mounts_count, 1);
    assert_string_equal(spec.mounts[0].source, "/root/c1/notify");
    assert_string_equal(spec.mounts[0].destination, "/run/notify");
    assert_int_equal(spec.process.env.count, 2);
    assert_string_equal(spec.process.env.items[1], "NOTIFY_SOCKET=/run/notify/notify.sock");

    /* A configuration that has one already means that one. */
    spec.mounts_count = 0;
    spec.process.env = (struct strings){.items = own_env, .count = 2};
    assert_int_equal(notify_plan(&notify, "/root/c1", &arena, &spec, &why), 0);
    assert_int_equal(spec.mounts_count, 0);
    assert_null(notify.manager_address);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notify_filter),
        cmocka_unit_test(test_notify_filter_bounds),
        cmocka_unit_test(test_notify_addresses),
        cmocka_unit_test(test_notify_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
