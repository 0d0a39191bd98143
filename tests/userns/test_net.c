/*
 * What happens to network devices where the way into the container, or back, is not smooth (ns/net.c): each case in a
 * child whose network namespace is "the host"; another child is init.  Needs root and ip(8).
 */
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>

#include "base/kernel.h"
#include "ns/ns.h"
#include "process_check.h"

static struct failure why;
static struct arena arena;
static struct spec_linux config;
static struct ns_plan plan;
static struct spec_net_device listed[4];
static struct ns_devices *devices;
static pid_t init;

static int run(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The wait status of a shell. */
static int run(const char *fmt, ...)
{
    char command[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(command, sizeof(command), fmt, args);
    va_end(args);
    return system(command);
}

static void list(char *host_name, char *name)
{
    listed[config.net_devices_count++] = (struct spec_net_device){host_name, name};
}

static unsigned count_fds(void)
{
    unsigned count = 0;
    DIR *fds = opendir("/proc/self/fd");
    CHECK(fds != NULL);
    while (readdir(fds) != NULL)
        count++;
    closedir(fds);
    return count;
}

/* A host with va and vb, both up, and an init in a network namespace of its own. */
static void begin(void)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    CHECK(run("ip link set lo up && ip link add va type veth peer name pa && ip link add vb type veth peer name pb && ip addr add "
              "10.0.0.5/24 dev va && ip link set va up && ip link set vb up") == 0);
    struct clone_args args = {.flags = CLONE_NEWNET, .exit_signal = SIGCHLD};
    long pid = kernel_clone3(&args, sizeof(args));
    CHECK(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* for a case that fails; cannot fail with a signal's number */
        for (;;)
            pause();
    }
    init = (pid_t)pid;
    config.namespaces[NS_NETWORK].listed = true;
    config.net_devices = listed;
    ns_plan(&config, &plan);
}

static void end_init(void)
{
    CHECK(kill(init, SIGKILL) == 0 && waitpid(init, NULL, 0) == init);
    init = 0;
}

/* On the host. */
static void check_whole(const char *name)
{
    CHECK(run("ip -o link show dev %s up | grep -q %s", name, name) == 0);
    if (strcmp(name, "va") == 0)
        CHECK(run("ip -o addr show dev va | grep -q 10.0.0.5/24") == 0);
}

static void end(void)
{
    if (init > 0)
        end_init();
    ns_devices_close(devices);
    arena_done(&arena);
}

/* The kernel moves first and renames then; this name it finds bad only then, as it would one that somebody took in between. */
static void half_way(void)
{
    begin();
    unsigned index = if_nametoindex("va");
    list(strdup("vb"), NULL);
    list(strdup("va"), strdup("a\xa0"));
    CHECK_DONE(ns_devices_open(&plan, &arena, &devices, &why));
    CHECK(ns_devices_move(devices, &plan, init, &why) < 0);
    CHECK(why.errnum == EINVAL);
    CHECK_TEXT(why.pointer, "/linux/netDevices/va");
    CHECK(if_nametoindex("va") == 0 && if_nametoindex("vb") == 0);
    CHECK(run("nsenter --net=/proc/%d/ns/net ip link show dev va >/dev/null", (int)init) == 0);
    ns_devices_take_back(devices);
    CHECK(if_nametoindex("va") == index);
    check_whole("va");
    check_whole("vb");
    end();
}

static void after_the_end_of_init(void)
{
    begin();
    list(strdup("va"), strdup("eth0"));
    CHECK_DONE(ns_devices_open(&plan, &arena, &devices, &why));
    CHECK_DONE(ns_devices_move(devices, &plan, init, &why));
    CHECK(if_nametoindex("va") == 0);
    end_init();
    ns_devices_take_back(devices);
    check_whole("va");
    ns_devices_take_back(devices); /* there is nothing more to do */
    check_whole("va");
    end();
}

static void number_given_away(void)
{
    begin();
    unsigned index = if_nametoindex("va");
    list(strdup("va"), NULL);
    CHECK_DONE(ns_devices_open(&plan, &arena, &devices, &why));
    CHECK_DONE(ns_devices_move(devices, &plan, init, &why));
    CHECK(run("ip link add thief index %u type veth peer name other", index) == 0);
    ns_devices_take_back(devices);
    CHECK(if_nametoindex("thief") == index);
    check_whole("va");
    end();
}

static void vanished_inside(void)
{
    begin();
    list(strdup("va"), NULL);
    list(strdup("vb"), NULL);
    CHECK_DONE(ns_devices_open(&plan, &arena, &devices, &why));
    CHECK_DONE(ns_devices_move(devices, &plan, init, &why));
    CHECK(run("nsenter --net=/proc/%d/ns/net ip link del vb", (int)init) == 0);
    ns_devices_take_back(devices); /* warns of vb */
    check_whole("va");
    CHECK(if_nametoindex("vb") == 0);
    end();
}

/* Inside the container's network namespace. */
static int run_there(const char *commands)
{
    return run("nsenter --net=/proc/%d/ns/net sh -ec '%s' >/dev/null", (int)init, commands);
}

/* What others do in a network namespace that is joined: ours gets another name, and one of theirs has the name that ours had. */
static void name_given_to_another(void)
{
    begin();
    unsigned index = if_nametoindex("va");
    list(strdup("va"), strdup("eth0"));
    list(strdup("vb"), NULL);
    CHECK_DONE(ns_devices_open(&plan, &arena, &devices, &why));
    CHECK_DONE(ns_devices_move(devices, &plan, init, &why));
    CHECK(run_there("ip link set eth0 down; ip link set eth0 name hidden; ip link add eth0 type veth peer name spy") == 0);
    CHECK(run_there("ip link set vb down; ip link set vb name hidden2; ip link add vb type bridge") == 0);
    ns_devices_take_back(devices);
    CHECK(if_nametoindex("va") == index);
    check_whole("va");
    check_whole("vb");
    CHECK(run("ip -o link show dev va | grep -q va@pa") == 0);
    CHECK(run_there("ip link show dev eth0; ip link show dev spy; ip link show dev vb") == 0);
    end();
}

/* Ours is gone, and one of theirs has its number and all else that can be chosen. */
static void number_given_to_another(void)
{
    begin();
    unsigned index = if_nametoindex("va"), index_b = if_nametoindex("vb");
    list(strdup("va"), NULL);
    list(strdup("vb"), NULL);
    CHECK_DONE(ns_devices_open(&plan, &arena, &devices, &why));
    CHECK_DONE(ns_devices_move(devices, &plan, init, &why));
    CHECK(run("nsenter --net=/proc/%d/ns/net sh -ec 'mac=$(ip -o link show dev va | sed \"s/.*ether "
              "//; s/ .*//\"); ip link del va; ip link add va index %u address $mac type veth peer name spy; ip link del vb; "
              "ip link add vb index %u type bridge'",
              (int)init, index, index_b) == 0);
    ns_devices_take_back(devices);
    CHECK(if_nametoindex("va") == 0 && if_nametoindex("vb") == 0);
    CHECK(run_there("ip link show dev va; ip link show dev spy; ip link show dev vb") == 0);
    end();
}

static void number_taken_inside(void)
{
    begin();
    unsigned index = if_nametoindex("va");
    list(strdup("va"), strdup("eth0"));
    CHECK_DONE(ns_devices_open(&plan, &arena, &devices, &why));
    CHECK(run("nsenter --net=/proc/%d/ns/net sh -ec 'ip link add x index %u type bridge; ip link add y index %u type bridge'", (int)init,
              index, index + 1) == 0);
    CHECK_DONE(ns_devices_move(devices, &plan, init, &why));
    CHECK(run_there("ip -o addr show dev eth0 up | grep 10.0.0.5/24") == 0);
    ns_devices_take_back(devices);
    CHECK(if_nametoindex("va") == index);
    check_whole("va");
    CHECK(run_there("ip link show dev x; ip link show dev y; ! ip link show dev eth0 2>&1") == 0);
    end();
}

/* More than one packet of the kernel's holds, and more than it keeps for a device that is down. */
static void many_addresses(void)
{
    begin();
    CHECK(run("for i in $(seq 36); do for k in $(seq 20); do echo addr add 10.1.$i.$k/24 dev va; echo addr add fd00:$i::$k/64 dev va; "
              "done; done | ip -batch -") == 0);
    list(strdup("va"), NULL);
    CHECK_DONE(ns_devices_open(&plan, &arena, &devices, &why));
    CHECK_DONE(ns_devices_move(devices, &plan, init, &why));
    CHECK(run("test $(nsenter --net=/proc/%d/ns/net ip -o addr show dev va scope global | wc -l) = 1441", (int)init) == 0);
    ns_devices_take_back(devices);
    CHECK(run("test $(ip -o addr show dev va scope global | wc -l) = 1441") == 0);
    end();
}

static void nothing_stays_open(void)
{
    begin();
    unsigned before = count_fds();
    list(strdup("va"), NULL);
    CHECK_DONE(ns_devices_open(&plan, &arena, &devices, &why));
    CHECK_DONE(ns_devices_move(devices, &plan, init, &why));
    CHECK(count_fds() == before + 4);
    CHECK(waitpid(-1, NULL, WNOHANG) == 0); /* but init there is nobody */
    ns_devices_close(devices);
    CHECK(count_fds() == before);
    ns_devices_close(NULL);
    ns_devices_take_back(NULL);
    end();
}

static void none_listed(void)
{
    begin();
    devices = (struct ns_devices *)(void *)&arena;
    CHECK_DONE(ns_devices_open(&plan, &arena, &devices, &why));
    CHECK(devices == NULL);
    end();
}

int main(void)
{
    if (geteuid() != 0)
        return skip_program("needs root");
    if (system("ip link help 2>&1 | grep -q veth") != 0)
        return skip_program("needs ip(8)");
    const struct effect_case cases[] = {
        {"half way", half_way},
        {"after the end of init", after_the_end_of_init},
        {"number given away", number_given_away},
        {"vanished inside", vanished_inside},
        {"name given to another", name_given_to_another},
        {"number given to another", number_given_to_another},
        {"number taken inside", number_taken_inside},
        {"many addresses", many_addresses},
        {"nothing stays open", nothing_stays_open},
        {"none listed", none_listed},
    };
    return run_cases(cases, sizeof(cases) / sizeof(cases[0])) > 0;
}
