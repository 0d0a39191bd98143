/* Unit tests of ns/sysctl.c: the allow list, and names that want around it (CVE-2022-0811). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <string.h>

#include "base/memory.h"
#include "ns/ns.h"

static struct spec spec;
static struct ns_plan plan;
static struct arena arena;
static struct failure why;
static struct ns_sysctl *sysctls;
static size_t count;

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static void list_namespaces(bool listed)
{
    memset(&spec, 0, sizeof(spec));
    for (size_t type = 0; type < NS_TYPES; type++)
        spec.linux.namespaces[type].listed = listed;
    ns_plan(&spec.linux, &plan);
}

static int plan_one(const char *name, const char *value)
{
    static struct string_pair pair;
    pair = (struct string_pair){(char *)(uintptr_t)name, (char *)(uintptr_t)value};
    spec.linux.sysctl = (struct string_map){&pair, 1};
    memset(&why, 0, sizeof(why));
    return ns_plan_sysctls(&spec, &plan, &arena, &sysctls, &count, &why);
}

static void allowed_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *path;
        enum ns_type type;
    } rows[] = {
        {"net.ipv4.ip_forward", "sys/net/ipv4/ip_forward", NS_NETWORK},
        {"net/ipv4/ip_forward", "sys/net/ipv4/ip_forward", NS_NETWORK},
        {"net.ipv4.conf.eth0/1.forwarding", "sys/net/ipv4/conf/eth0.1/forwarding", NS_NETWORK},
        {"net/ipv4/conf/eth0.1/forwarding", "sys/net/ipv4/conf/eth0.1/forwarding", NS_NETWORK},
        {"fs.mqueue.msg_max", "sys/fs/mqueue/msg_max", NS_IPC},
        {"kernel.shm_rmid_forced", "sys/kernel/shm_rmid_forced", NS_IPC},
        {"kernel/msgmax", "sys/kernel/msgmax", NS_IPC},
        {"kernel.sem", "sys/kernel/sem", NS_IPC},
        {"kernel.hostname", "sys/kernel/hostname", NS_UTS},
        {"kernel.domainname", "sys/kernel/domainname", NS_UTS},
        {"user.max_user_namespaces", "sys/user/max_user_namespaces", NS_USER},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        print_message("# %s\n", rows[i].name);
        list_namespaces(true);
        assert_int_equal(plan_one(rows[i].name, "1"), 0);
        assert_int_equal(count, 1);
        assert_string_equal(sysctls[0].path, rows[i].path);
        assert_string_equal(sysctls[0].name, rows[i].name);
        assert_string_equal(sysctls[0].value, "1");
        /* Its own namespace alone is enough; all the others are not. */
        list_namespaces(false);
        spec.linux.namespaces[rows[i].type].listed = true;
        ns_plan(&spec.linux, &plan);
        assert_int_equal(plan_one(rows[i].name, "1"), 0);
        list_namespaces(true);
        spec.linux.namespaces[rows[i].type].listed = false;
        ns_plan(&spec.linux, &plan);
        assert_int_equal(plan_one(rows[i].name, "1"), -1);
        assert_int_equal(why.kind, FAILURE_CONFIG);
        assert_non_null(strstr(why.text, ns_type_names[rows[i].type]));
    }
}

static void hostile_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        /* The host's, by name. */
        "kernel.core_pattern", "kernel/core_pattern", "vm.overcommit_memory", "fs.suid_dumpable", "kernel.modprobe", "dev.cdrom.info",
        "kernel.shmmax_", "kernel.sem/x", "kernel.sem.x", "kernel.msgmax/../core_pattern", "kernel.shm_rmid_forced.x", "fs.mqueue", "network.x",
        "netx.ipv4", "users.x", "fs.mqueue_max.x", "kernel", "sys.net.ipv4.ip_forward", "proc.sys.net.x",
        /* Ways up and around, in both spellings. */
        "kernel/../kernel/core_pattern", "net/../kernel/core_pattern", "net.//.kernel.core_pattern", "net.ipv4.//.//.kernel.core_pattern",
        "net/ipv4/../../kernel/core_pattern", "net/./ipv4/ip_forward", "net./.ipv4", "net/../../../etc/passwd", "net/..", "net.//", "net/.",
        "fs/mqueue/../suid_dumpable", "fs.mqueue.//.suid_dumpable", "user/../kernel/core_pattern", "../kernel/core_pattern",
        "//.kernel.core_pattern", "./net/ipv4", "./.net.ipv4",
        /* Empty parts, and names that are none. */
        "", ".", "/", "..", "//", "net", "net/", "net.", "/net/ipv4", ".net.ipv4", "net//ipv4", "net..ipv4", "net/ipv4/", "net.ipv4.", "net/ipv4//x",
        "/proc/sys/net/ipv4/ip_forward", "/etc/passwd",
        /* As pinns took them. */
        "kernel.shm_rmid_forced=1+kernel.core_pattern", "kernel.shm_rmid_forced+kernel.core_pattern", "kernel.shm_rmid_forced\nkernel.core_pattern",
        "kernel.shm_rmid_forced ", " kernel.shm_rmid_forced", "KERNEL.SEM", "Net.ipv4.ip_forward", "kernel.sem\t",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        print_message("# '%s'\n", names[i]);
        list_namespaces(true);
        assert_int_equal(plan_one(names[i], "1"), -1);
        assert_int_equal(why.kind, FAILURE_CONFIG);
        assert_memory_equal(why.pointer, "/linux/sysctl/", 14);
    }
}

/* What is let through stays below the namespaced directories, whatever the name: every word of up to seven
 * letters out of an alphabet that can climb. */
static void no_name_escapes(void **state)
{
    (void)state;
    static const char *const parts[] = {".", "/", "..", "net", "x"};
    list_namespaces(true);
    for (unsigned n = 0; n < 5 * 5 * 5 * 5 * 5 * 5 * 5; n++) {
        char name[64] = "";
        unsigned rest = n;
        for (int i = 0; i < 7; i++, rest /= 5)
            strncat(name, parts[rest % 5], sizeof(name) - strlen(name) - 1);
        if (plan_one(name, "1") == 0) {
            assert_memory_equal(sysctls[0].path, "sys/net/", 8);
            assert_null(strstr(sysctls[0].path, "/../"));
            assert_null(strstr(sysctls[0].path, "/./"));
            assert_null(strstr(sysctls[0].path, "//"));
            size_t length = strlen(sysctls[0].path);
            assert_int_not_equal(sysctls[0].path[length - 1], '/');
            assert_false(length >= 3 && strcmp(sysctls[0].path + length - 3, "/..") == 0);
        }
        arena_done(&arena);
    }
}

static void the_value_is_carried_as_it_is(void **state)
{
    (void)state;
    list_namespaces(true);
    assert_int_equal(plan_one("kernel.shm_rmid_forced", "1+kernel.core_pattern=|/evil"), 0);
    assert_string_equal(sysctls[0].value, "1+kernel.core_pattern=|/evil");
    assert_string_equal(sysctls[0].path, "sys/kernel/shm_rmid_forced");
}

static void names_given_twice(void **state)
{
    (void)state;
    static char name[] = "inside", other[] = "other";
    list_namespaces(true);
    spec.hostname = name;
    assert_int_equal(plan_one("kernel.hostname", "inside"), -1);
    assert_non_null(strstr(why.text, "/hostname"));
    assert_int_equal(plan_one("kernel/domainname", "inside"), 0);
    spec.domainname = other;
    assert_int_equal(plan_one("kernel/domainname", "inside"), -1);
    assert_int_equal(plan_one("kernel/domainname", "other"), 0);
}

static void pointers_are_escaped(void **state)
{
    (void)state;
    list_namespaces(true);
    assert_int_equal(plan_one("kernel/core_pattern", "1"), -1);
    assert_string_equal(why.pointer, "/linux/sysctl/kernel~1core_pattern");
    assert_int_equal(plan_one("kernel.core~pattern", "1"), -1);
    assert_string_equal(why.pointer, "/linux/sysctl/kernel.core~0pattern");
    list_namespaces(false);
    assert_int_equal(plan_one("net/ipv4/ip_forward", "1"), -1);
    assert_string_equal(why.pointer, "/linux/sysctl/net~1ipv4~1ip_forward");
}

static void order_and_none(void **state)
{
    (void)state;
    char b[] = "net.b", a[] = "net.a", one[] = "1", two[] = "2";
    struct string_pair pairs[] = {{b, two}, {a, one}};
    list_namespaces(true);
    spec.linux.sysctl = (struct string_map){NULL, 0};
    assert_int_equal(ns_plan_sysctls(&spec, &plan, &arena, &sysctls, &count, &why), 0);
    assert_int_equal(count, 0);
    spec.linux.sysctl = (struct string_map){pairs, 2};
    assert_int_equal(ns_plan_sysctls(&spec, &plan, &arena, &sysctls, &count, &why), 0);
    assert_int_equal(count, 2);
    assert_string_equal(sysctls[0].path, "sys/net/b");
    assert_string_equal(sysctls[1].value, "1");
    static char big[8192];
    memset(big, 'n', sizeof(big) - 1);
    memcpy(big, "net.", 4);
    assert_int_equal(plan_one(big, "1"), 0); /* open will say ENAMETOOLONG */
    memcpy(big, "ker.", 4);
    assert_int_equal(plan_one(big, "1"), -1);
}

/* Joining the namespace that the runtime itself is in is no protection: it is the host's. */
static void a_joined_own_namespace_is_the_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum ns_type type;
        char path[32];
    } rows[] = {
        {"net.ipv4.ip_forward", NS_NETWORK, "/proc/self/ns/net"},
        {"kernel.shmmax", NS_IPC, "/proc/self/ns/ipc"},
        {"kernel.domainname", NS_UTS, "/proc/self/ns/uts"},
        {"user.max_user_namespaces", NS_USER, "/proc/self/ns/user"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        print_message("# %s\n", rows[i].name);
        list_namespaces(false);
        spec.linux.namespaces[rows[i].type] = (struct spec_namespace){.listed = true, .path = (char *)(uintptr_t)rows[i].path};
        ns_plan(&spec.linux, &plan);
        assert_int_equal(ns_open(&plan, &why), 0);
        assert_int_equal(plan_one(rows[i].name, "1"), -1);
        assert_non_null(strstr(why.text, "host"));
        ns_close(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowed_names),
        cmocka_unit_test(hostile_names),
        cmocka_unit_test(no_name_escapes),
        cmocka_unit_test(the_value_is_carried_as_it_is),
        cmocka_unit_test(names_given_twice),
        cmocka_unit_test(pointers_are_escaped),
        cmocka_unit_test(order_and_none),
        cmocka_unit_test(a_joined_own_namespace_is_the_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
