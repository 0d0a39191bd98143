/* Unit tests of ns/plan.c and of the id arithmetic of ns/idmap.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kernel.h"
#include "ns/ns.h"

/* One letter per type in the order of enum ns_type: '-' not listed, 'n' new, 'j' joined. */
static void describe(const char *wanted, bool offsets, struct spec_linux *ret_linux)
{
    static char path[] = "/proc/1/ns/x";
    memset(ret_linux, 0, sizeof(*ret_linux));
    ret_linux->set = true;
    for (size_t type = 0; type < NS_TYPES; type++)
        ret_linux->namespaces[type] = (struct spec_namespace){
            .listed = wanted[type] != '-', .path = wanted[type] == 'j' ? path : NULL, .index = 10 + type};
    ret_linux->monotonic_offset.set = offsets;
}

enum { OFFSETS = 1, ESCORT = 2, NEW_USER = 4, NEW_CGROUP = 8, TIME_LATER = 16, JOINED_USER = 32 };

static void plans(void **state)
{
    (void)state;
    static const struct {
        const char *wanted; /* pid network mount ipc uts user cgroup time */
        unsigned given;
        uint64_t flags;
        unsigned result;
    } rows[] = {
        {"--------", 0, 0, 0},
        {"nnnnn---", 0, CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS, 0},
        {"nnnnnnnn", 0, CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWTIME, NEW_USER | NEW_CGROUP},
        {"nnnnn-n-", 0, CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS, NEW_CGROUP},
        {"--n--n--", 0, CLONE_NEWNS, NEW_USER},
        /* Joined ones that init can join itself: no escort. */
        {"njn-----", 0, CLONE_NEWPID | CLONE_NEWNS, 0},
        {"njnjj-j-", 0, CLONE_NEWPID | CLONE_NEWNS, 0},
        /* Pid and time take effect for children only. */
        {"j-n-----", 0, CLONE_NEWNS, ESCORT},
        {"n-n----j", 0, CLONE_NEWPID | CLONE_NEWNS, ESCORT},
        /* A new user namespace may not join what belongs to its parent. */
        {"njn--n--", 0, CLONE_NEWPID | CLONE_NEWNS, NEW_USER | ESCORT},
        {"n-nj-n--", 0, CLONE_NEWPID | CLONE_NEWNS, NEW_USER | ESCORT},
        {"n-n-jn--", 0, CLONE_NEWPID | CLONE_NEWNS, NEW_USER | ESCORT},
        {"n-n--nj-", 0, CLONE_NEWPID | CLONE_NEWNS, NEW_USER | ESCORT},
        /* The new ones must belong to a joined user namespace. */
        {"n-n--j--", 0, CLONE_NEWPID | CLONE_NEWNS, JOINED_USER | ESCORT},
        {"-----j--", 0, 0, JOINED_USER | ESCORT},
        {"jjjjjjjj", 0, 0, JOINED_USER | ESCORT},
        /* Offsets are written before anybody is inside. */
        {"n-n----n", OFFSETS, CLONE_NEWPID | CLONE_NEWNS, TIME_LATER | ESCORT},
        {"n-n----n", 0, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWTIME, 0},
        {"n-n----j", OFFSETS, CLONE_NEWPID | CLONE_NEWNS, ESCORT},
        {"n-n-----", OFFSETS, CLONE_NEWPID | CLONE_NEWNS, 0},
        {"n-n--n-n", OFFSETS, CLONE_NEWPID | CLONE_NEWNS, TIME_LATER | NEW_USER | ESCORT},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct spec_linux linux;
        struct ns_plan plan;
        unsigned result = rows[i].result;
        print_message("# %s\n", rows[i].wanted);
        describe(rows[i].wanted, rows[i].given & OFFSETS, &linux);
        ns_plan(&linux, &plan);
        assert_int_equal(plan.new_flags, rows[i].flags);
        assert_int_equal(plan.escort, !!(result & ESCORT));
        assert_int_equal(plan.new_user, !!(result & NEW_USER));
        assert_int_equal(plan.new_cgroup, !!(result & NEW_CGROUP));
        assert_int_equal(plan.new_time_with_offsets, !!(result & TIME_LATER));
        assert_int_equal(plan.joined_user, !!(result & JOINED_USER));
    }
}

/* All 3^8 combinations, twice: each listed namespace is in exactly one place, and the escort is there exactly when
 * the rules of ns.h say so. */
static void every_combination(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 6561 * 2; n++) {
        char wanted[NS_TYPES + 1] = "";
        unsigned rest = n / 2;
        size_t joined = 0;
        bool offsets = n % 2;
        struct spec_linux linux;
        struct ns_plan plan;
        for (size_t type = 0; type < NS_TYPES; type++, rest /= 3)
            wanted[type] = "-nj"[rest % 3];
        describe(wanted, offsets, &linux);
        ns_plan(&linux, &plan);
        for (size_t type = 0; type < NS_TYPES; type++) {
            bool apart = (type == NS_USER && plan.new_user) || (type == NS_CGROUP && plan.new_cgroup) ||
                         (type == NS_TIME && plan.new_time_with_offsets);
            static const uint64_t flags[] = {CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWCGROUP, CLONE_NEWTIME};
            bool flagged = plan.new_flags & flags[type];
            joined += wanted[type] == 'j';
            assert_int_equal(flagged + apart, wanted[type] == 'n');
            assert_int_equal(ns_is_new(&plan, (enum ns_type)type), wanted[type] == 'n');
            assert_int_equal(ns_is_joined(&plan, (enum ns_type)type), wanted[type] == 'j');
        }
        assert_int_equal(plan.joined_count, joined);
        for (size_t i = 0; i < joined; i++) {
            assert_int_equal(plan.joined[i].fd, -1);
            assert_int_equal(plan.joined[i].index, 10 + plan.joined[i].type);
            assert_false(plan.joined[i].done);
        }
        bool escort = wanted[NS_PID] == 'j' || wanted[NS_TIME] == 'j' || wanted[NS_USER] == 'j' ||
                      (wanted[NS_TIME] == 'n' && offsets) || (wanted[NS_USER] == 'n' && joined > 0);
        assert_int_equal(plan.escort, escort);
    }
}

/* ---- opening ---- */

static void open_one(enum ns_type type, const char *path, struct spec_linux *linux, struct ns_plan *plan, int due, struct failure *why)
{
    describe("--------", false, linux);
    linux->namespaces[type] = (struct spec_namespace){.listed = true, .path = (char *)(uintptr_t)path, .index = 3};
    ns_plan(linux, plan);
    assert_int_equal(ns_open(plan, why), due);
}

static void what_is_opened_is_verified(void **state)
{
    (void)state;
    static const struct {
        enum ns_type type;
        const char *path, *says;
    } rows[] = {
        {NS_NETWORK, "/proc/self/ns/uts", "is a namespace of type uts, not of type network"},
        {NS_PID, "/proc/self/ns/user", "is a namespace of type user, not of type pid"},
        {NS_UTS, "/dev/null", "is not a namespace file"},
        {NS_UTS, "/etc/passwd", "is not a namespace file"},
        {NS_UTS, "/tmp", "is not a namespace file"},
        {NS_IPC, "/no/such", "open ipc namespace '/no/such': No such file"},
        {NS_MOUNT, "", "open mount namespace ''"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct spec_linux linux;
        struct ns_plan plan;
        struct failure why;
        print_message("# %s\n", rows[i].path);
        open_one(rows[i].type, rows[i].path, &linux, &plan, -1, &why);
        assert_non_null(strstr(why.text, rows[i].says));
        assert_string_equal(why.pointer, "/linux/namespaces/3/path");
        ns_close(&plan);
        assert_int_equal(plan.joined[0].fd, -1);
    }
    char fifo[64];
    struct spec_linux linux;
    struct ns_plan plan;
    struct failure why;
    int r = snprintf(fifo, sizeof(fifo), "/tmp/crun-lite-test-fifo-%06d", (int)getpid() % 1000000);
    assert_true(r > 0);
    assert_int_equal(mkfifo(fifo, 0600), 0); /* nobody waits for a writer */
    open_one(NS_UTS, fifo, &linux, &plan, -1, &why);
    assert_non_null(strstr(why.text, "is not a namespace file"));
    ns_close(&plan);
    assert_int_equal(unlink(fifo), 0);
}

/* The creator's own user namespace cannot be joined and need not be. */
static void the_own_user_namespace_is_dropped(void **state)
{
    (void)state;
    struct spec_linux linux;
    struct ns_plan plan;
    struct failure why;
    open_one(NS_USER, "/proc/self/ns/user", &linux, &plan, 0, &why);
    assert_int_equal(plan.joined_count, 0);
    assert_false(plan.joined_user);
    assert_false(plan.escort);
    assert_false(ns_is_joined(&plan, NS_USER));
    assert_false(ns_is_new(&plan, NS_USER));
    /* With others around it: they stay, and what needs an escort still gets one. */
    describe("--------", false, &linux);
    static char user[] = "/proc/self/ns/user", network[] = "/proc/self/ns/net", clock[] = "/proc/self/ns/time";
    linux.namespaces[NS_NETWORK] = (struct spec_namespace){.listed = true, .path = network, .index = 0};
    linux.namespaces[NS_USER] = (struct spec_namespace){.listed = true, .path = user, .index = 1};
    linux.namespaces[NS_TIME] = (struct spec_namespace){.listed = true, .path = clock, .index = 2};
    ns_plan(&linux, &plan);
    assert_int_equal(plan.joined_count, 3);
    assert_int_equal(ns_open(&plan, &why), 0);
    assert_int_equal(plan.joined_count, 2);
    assert_true(ns_is_joined(&plan, NS_NETWORK) && ns_is_joined(&plan, NS_TIME));
    assert_true(plan.escort);
    assert_true(plan.joined[0].fd >= 0 && plan.joined[1].fd >= 0);
    ns_close(&plan);
}

/* ---- ids ---- */

static void ids_at_the_borders(void **state)
{
    (void)state;
    static struct id_mapping items[] = {
        {.inside = 0, .host = 1000, .size = 1},
        {.inside = 1, .host = 100000, .size = 65535},
        {.inside = 70000, .host = 0, .size = 0},
        {.inside = 4294967294, .host = 5, .size = 1},
        {.inside = 4294967000, .host = 7000, .size = 4294967295}, /* wraps on the inside */
        {.inside = 80000, .host = 4294967290, .size = 100},       /* wraps on the outside */
    };
    static const struct {
        uint32_t inside;
        bool mapped;
        uint32_t host;
    } rows[] = {
        {0, true, 1000},
        {1, true, 100000},
        {65535, true, 165534},
        {65536, false, 0},
        {69999, false, 0},
        {70000, false, 0},
        {4294966999, false, 0},
        {4294967000, true, 7000},
        {4294967294, true, 5},
        {4294967295, true, 7295},
        {80000, true, 4294967290},
        {80005, true, 4294967295},
        {80006, false, 0},
        {80099, false, 0},
    };
    const struct id_mappings mappings = {items, ARRAY_LENGTH(items)};
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        uint32_t host = 4711;
        print_message("# %u\n", rows[i].inside);
        assert_int_equal(ns_id_to_host(&mappings, rows[i].inside, &host), rows[i].mapped);
        assert_int_equal(host, rows[i].mapped ? rows[i].host : 4711);
    }
    const struct id_mappings none = {0};
    uint32_t host;
    assert_false(ns_id_to_host(&none, 0, &host));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans),
        cmocka_unit_test(every_combination),
        cmocka_unit_test(what_is_opened_is_verified),
        cmocka_unit_test(the_own_user_namespace_is_dropped),
        cmocka_unit_test(ids_at_the_borders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
