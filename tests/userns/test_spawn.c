/*
 * The two ways from a creator to init, as the kernel shows them (ns/ns.h): each case in a child, which is the creator;
 * a holder process keeps the namespaces that are joined.  Needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "ns/ns.h"
#include "process_check.h"

static struct failure why;
static struct spec_linux config;
static struct ns_plan plan;
static int channel[2], proc_fd, alive[2];
static pid_t creator;
static void (*check_inside)(void);

/* ---- a holder of namespaces ---- */

static char *path_of(pid_t pid, const char *name)
{
    static char paths[NS_TYPES][64];
    static size_t used;
    char *path = paths[used++ % NS_TYPES];
    snprintf(path, sizeof(paths[0]), "/proc/%d/ns/%s", (int)pid, name);
    return path;
}

/* The namespaces of creator and holder, noted beforehand: from inside a user namespace they cannot be looked at. */
static const char *const names[] = {"pid", "net", "mnt", "ipc", "uts", "user", "cgroup", "time"};
static struct noted {
    pid_t pid;
    ino_t inodes[sizeof(names) / sizeof(names[0])];
} noted[2];

static void note(struct noted *at, pid_t pid)
{
    struct stat st;
    at->pid = pid;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        CHECK(stat(path_of(pid, names[i]), &st) == 0);
        at->inodes[i] = st.st_ino;
    }
}

/* A process that sits in new namespaces until we end; the paths below its /proc/PID/ns are for joining. */
static pid_t hold(uint64_t flags)
{
    char word;
    int ready[2];
    CHECK(pipe2(ready, O_CLOEXEC) == 0);
    struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
    long pid = kernel_clone3(&args, sizeof(args));
    CHECK(pid >= 0);
    if (pid == 0) {
        close(alive[1]);
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        _exit(read(alive[0], &word, 1) < 0); /* until the creator's end closes */
    }
    CHECK(read(ready[0], &word, 1) == 1);
    close(ready[0]);
    close(ready[1]);
    note(&noted[1], (pid_t)pid);
    return (pid_t)pid;
}

static void want(enum ns_type type, char *path)
{
    config.namespaces[type] = (struct spec_namespace){.listed = true, .path = path, .index = type};
}

static bool same(const char *a, const char *b)
{
    struct stat first, second;
    CHECK(stat(a, &first) == 0 && stat(b, &second) == 0);
    return first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

static bool shares(const char *name, pid_t with)
{
    char own[64];
    struct stat st;
    size_t i = 0;
    while (strcmp(names[i], name) != 0)
        i++;
    snprintf(own, sizeof(own), "/proc/self/ns/%s", name);
    CHECK(stat(own, &st) == 0); /* /proc is the host's */
    CHECK(with == noted[0].pid || with == noted[1].pid);
    return st.st_ino == noted[with == noted[0].pid ? 0 : 1].inodes[i];
}

/* ---- creator, escort, init ---- */

static void __attribute__((noreturn)) init_body(void *arg)
{
    (void)arg;
    check_inside();
    _exit(0); /* no leak check: its tracer cannot work across pid namespaces */
}

static void __attribute__((noreturn)) escort_body(void *arg)
{
    (void)arg;
    struct ns_child child;
    struct ns_spawn spawn = {.flags = plan.new_flags, .cgroup_fd = -1, .relation = NS_SIBLING, .body = init_body};
    pid_t pid = -1;
    char word;
    CHECK_DONE(ns_join_before_user(&plan, &why));
    CHECK_DONE(ns_join_user(&plan, &why));
    if (plan.new_user)
        CHECK(send(channel[1], &pid, sizeof(pid), MSG_NOSIGNAL) == sizeof(pid) && recv(channel[1], &word, 1, 0) == 1);
    CHECK_DONE(ns_join_after_user(&plan, &why));
    CHECK_DONE(ns_set_time_offsets(&plan, proc_fd, &why));
    CHECK_DONE(ns_spawn(&spawn, &child, &why));
    CHECK(send(channel[1], &child.pid, sizeof(child.pid), MSG_NOSIGNAL) == sizeof(child.pid));
    _exit(0);
}

static void expect_end(pid_t pid)
{
    int status;
    CHECK(waitpid(pid, &status, 0) == pid); /* our own child, whoever cloned it */
    CHECK(status == 0);
}

static void by_escort(void (*check)(void))
{
    struct ns_spawn spawn = {.cgroup_fd = -1, .relation = NS_CHILD, .body = escort_body};
    struct ns_child escort;
    pid_t pid;
    bool denied;
    check_inside = check;
    ns_plan(&config, &plan);
    CHECK(plan.escort);
    CHECK_DONE(ns_open(&plan, &why));
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) == 0);
    CHECK_DONE(ns_spawn(&spawn, &escort, &why));
    close(channel[1]);
    CHECK(fcntl(escort.pidfd, F_GETFD) == FD_CLOEXEC);
    CHECK(recv(channel[0], &pid, sizeof(pid), 0) == sizeof(pid));
    if (plan.new_user) {
        CHECK(pid == -1);
        CHECK_DONE(ns_write_id_maps(&config, escort.pid, &denied, &why));
        CHECK(send(channel[0], "x", 1, MSG_NOSIGNAL) == 1);
        CHECK(recv(channel[0], &pid, sizeof(pid), 0) == sizeof(pid));
    }
    CHECK(pid > 0 && pid != escort.pid);
    expect_end(escort.pid);
    expect_end(pid);
    CHECK(waitpid(-1, NULL, WNOHANG) <= 0); /* but holders there is nobody */
    ns_close(&plan);
}

static void directly(void (*check)(void))
{
    struct ns_spawn spawn = {.cgroup_fd = -1, .relation = NS_CHILD, .body = init_body};
    struct ns_child init;
    check_inside = check;
    ns_plan(&config, &plan);
    CHECK(!plan.escort);
    CHECK_DONE(ns_open(&plan, &why));
    spawn.flags = plan.new_flags | (plan.new_user ? CLONE_NEWUSER : 0);
    CHECK_DONE(ns_spawn(&spawn, &init, &why));
    expect_end(init.pid);
    ns_close(&plan);
}

static void begin(void)
{
    creator = getpid();
    note(&noted[0], creator);
    CHECK(pipe2(alive, O_CLOEXEC) == 0);
    proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(proc_fd >= 0);
}

static void map_ids(struct id_mapping *uids, size_t uids_count, struct id_mapping *gids, size_t gids_count)
{
    config.uid_mappings = (struct id_mappings){uids, uids_count};
    config.gid_mappings = (struct id_mappings){gids, gids_count};
}

/* ---- joined pid namespace ---- */

static pid_t holder;

static void inside_joined_pid(void)
{
    CHECK(shares("pid", holder));
    CHECK(!shares("mnt", creator));
    CHECK(shares("net", creator));
    CHECK(getpid() == 2); /* 1 is the holder */
    CHECK(getppid() == 0); /* the creator is outside */
}

static void joined_pid_namespace(void)
{
    begin();
    holder = hold(CLONE_NEWPID);
    want(NS_PID, path_of(holder, "pid"));
    want(NS_MOUNT, NULL);
    by_escort(inside_joined_pid);
}

/* ---- joined network with a new user namespace ---- */

static void inside_joined_network(void)
{
    char map[256];
    CHECK(shares("net", holder) && !shares("net", creator));
    CHECK(!shares("user", creator) && !shares("uts", creator) && !shares("pid", creator));
    CHECK(getpid() == 1);
    CHECK_DONE(ns_become_root(&plan, 5, 5, false, &why));
    CHECK(getuid() == 0 && getgid() == 0 && getgroups(0, NULL) == 0);
    CHECK_DONE(ns_set_names("inside", "domain", &why)); /* the new uts namespace is ours */
    CHECK(gethostname(map, sizeof(map)) == 0 && strcmp(map, "inside") == 0);
    int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, map, sizeof(map) - 1);
    CHECK(length > 0);
    map[length] = '\0';
    unsigned numbers[6];
    CHECK(sscanf(map, "%u %u %u %u %u %u", &numbers[0], &numbers[1], &numbers[2], &numbers[3], &numbers[4], &numbers[5]) == 6);
    CHECK(numbers[0] == 0 && numbers[1] == 100000 && numbers[2] == 1000);
    CHECK(numbers[3] == 1000 && numbers[4] == 300000 && numbers[5] == 1);
    /* No right over what was joined: it belongs to the parent. */
    CHECK(ns_loopback_up(&why) < 0);
    CHECK(why.errnum == EPERM);
}

static void joined_network_with_new_user_namespace(void)
{
    struct id_mapping uids[] = {{0, 100000, 1000}, {1000, 300000, 1}}, gids[] = {{0, 100000, 1000}};
    begin();
    holder = hold(CLONE_NEWNET);
    want(NS_NETWORK, path_of(holder, "net"));
    want(NS_USER, NULL);
    want(NS_UTS, NULL);
    want(NS_PID, NULL);
    map_ids(uids, 2, gids, 1);
    by_escort(inside_joined_network);
}

/* ---- joined user namespace ---- */

static void inside_joined_user(void)
{
    struct stat owner, own;
    CHECK(shares("user", holder) && !shares("user", creator));
    CHECK(!shares("net", creator));
    CHECK_DONE(ns_become_root(&plan, 0, 0, false, &why));
    CHECK_DONE(ns_loopback_up(&why));
    int network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int fd = ioctl(network, NS_GET_USERNS);
    CHECK(fd >= 0 && fstat(fd, &owner) == 0 && stat("/proc/self/ns/user", &own) == 0);
    CHECK(owner.st_ino == own.st_ino); /* the new one belongs to the joined one */
}

static void joined_user_namespace(void)
{
    struct id_mapping ids[] = {{0, 200000, 65536}};
    bool denied;
    begin();
    holder = hold(CLONE_NEWUSER);
    map_ids(ids, 1, ids, 1);
    CHECK_DONE(ns_write_id_maps(&config, holder, &denied, &why));
    CHECK(!denied);
    map_ids(NULL, 0, NULL, 0);
    want(NS_USER, path_of(holder, "user"));
    want(NS_NETWORK, NULL);
    by_escort(inside_joined_user);
}

/* ---- time ---- */

static struct timespec monotonic_outside, boottime_outside;

static void inside_shifted_time(void)
{
    struct timespec monotonic, boottime;
    CHECK(!shares("time", creator));
    CHECK(clock_gettime(CLOCK_MONOTONIC, &monotonic) == 0 && clock_gettime(CLOCK_BOOTTIME, &boottime) == 0);
    time_t first = monotonic.tv_sec - monotonic_outside.tv_sec, second = boottime.tv_sec - boottime_outside.tv_sec;
    CHECK(first >= 1000000 && first < 1000100);
    CHECK(second >= 2000000 && second < 2000100);
}

static void time_offsets(void)
{
    begin();
    want(NS_TIME, NULL);
    want(NS_PID, NULL);
    config.monotonic_offset.set = config.boottime_offset.set = true;
    config.monotonic_offset.secs = 1000000;
    config.monotonic_offset.nanosecs = 999999999;
    config.boottime_offset.secs = 2000000;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &monotonic_outside) == 0 && clock_gettime(CLOCK_BOOTTIME, &boottime_outside) == 0);
    by_escort(inside_shifted_time);
    CHECK(same("/proc/self/ns/time", "/proc/self/ns/time_for_children")); /* the creator's own are untouched */
}

static void impossible_time_offsets(void)
{
    static const int64_t seconds[] = {-4000000000000000, INT64_MIN, INT64_MAX, 9223372036};
    begin();
    want(NS_TIME, NULL);
    config.monotonic_offset.set = true;
    for (size_t i = 0; i < ARRAY_LENGTH(seconds); i++) {
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            config.monotonic_offset.secs = seconds[i];
            ns_plan(&config, &plan);
            CHECK(ns_set_time_offsets(&plan, proc_fd, &why) < 0);
            CHECK(strcmp(why.pointer, "/linux/timeOffsets") == 0);
            exit(0);
        }
        expect_end(pid);
    }
}

/* ---- the direct way ---- */

static void inside_directly_joined(void)
{
    CHECK(shares("net", creator) && shares("ipc", creator)); /* not yet */
    CHECK_DONE(ns_join_all(&plan, &why));
    CHECK(shares("net", holder) && shares("ipc", holder) && shares("uts", holder));
    CHECK(!shares("mnt", creator) && getpid() == 1);
    CHECK_DONE(ns_loopback_up(&why));
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP));
    CHECK_DONE(ns_unshare_cgroup(&why));
    CHECK(!shares("cgroup", creator));
}

static void joined_without_an_escort(void)
{
    begin();
    holder = hold(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
    want(NS_NETWORK, path_of(holder, "net"));
    want(NS_IPC, path_of(holder, "ipc"));
    want(NS_UTS, path_of(holder, "uts"));
    want(NS_PID, NULL);
    want(NS_MOUNT, NULL);
    want(NS_CGROUP, NULL);
    directly(inside_directly_joined);
}

/* ---- id maps that the kernel refuses ---- */

static void impossible_id_maps(void)
{
    struct id_mapping good[] = {{0, 100000, 10}}, overlap[] = {{0, 100000, 10}, {5, 200000, 10}}, empty[] = {{0, 100000, 0}},
                      wraps[] = {{0, 4294967290, 100}}, twice_outside[] = {{0, 100000, 10}, {10, 100005, 10}};
    static struct id_mapping many[341], long_lines[300];
    const struct {
        struct id_mapping *items;
        size_t count;
        const char *says;
    } rows[] = {
        {overlap, 2, "overlap those of entry 0"}, {empty, 1, "the mapping is empty"}, {wraps, 1, "write the uid_map"},
        {twice_outside, 2, "overlap those of entry 0"}, {NULL, 0, "needs mappings"}, {many, 341, "more than the kernel's limit"},
        {long_lines, 300, "longer than one page"},
    };
    begin();
    for (size_t i = 0; i < ARRAY_LENGTH(many); i++)
        many[i] = (struct id_mapping){(uint32_t)i * 2, (uint32_t)i * 2, 1};
    for (size_t i = 0; i < ARRAY_LENGTH(long_lines); i++)
        long_lines[i] = (struct id_mapping){1000000000 + (uint32_t)i * 2, 1000000000 + (uint32_t)i * 2, 1};
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        bool denied;
        map_ids(rows[i].items, rows[i].count, good, 1);
        CHECK(ns_write_id_maps(&config, hold(CLONE_NEWUSER), &denied, &why) < 0);
        CHECK_TEXT(why.text, rows[i].says);
        CHECK(strncmp(why.pointer, "/linux/uidMappings", strlen("/linux/uidMappings")) == 0);
    }
    bool denied;
    map_ids(many, 340, many, 340);
    CHECK_DONE(ns_write_id_maps(&config, hold(CLONE_NEWUSER), &denied, &why));
}

/* ---- a live container, entered by pidfd ---- */

static void __attribute__((noreturn)) end_at_once(void *arg)
{
    (void)arg;
    _exit(0);
}

static void ended(int result)
{
    CHECK(result < 0 && why.kind == FAILURE_STATE && why.errnum == ESRCH);
    CHECK_TEXT(why.text, "has just ended");
}

/* The pid of a dead init is another's by now, here ours, whose namespaces are all the caller's own: nothing is left to
 * enter, and only the pidfd knows that the container is gone. */
static void reused_pid(void)
{
    struct ns_spawn spawn = {.cgroup_fd = -1, .relation = NS_CHILD, .body = end_at_once};
    struct ns_child init;
    struct ns_entry entry;
    CHECK_DONE(ns_spawn(&spawn, &init, &why));
    /* First a zombie, then nobody. */
    for (int reaped = 0; reaped < 2; reaped++) {
        siginfo_t end;
        CHECK(waitid(P_PID, (id_t)init.pid, &end, WEXITED | (reaped ? 0 : WNOWAIT)) == 0);
        entry = (struct ns_entry){.pid = getpid(), .pidfd = init.pidfd};
        ended(ns_entry_look(&config, getpid(), init.pidfd, &entry, &why));
        ended(ns_entry_check(&entry, &why));
        ended(ns_enter_for_children(&entry, &why));
        ended(ns_enter(&entry, &why));
    }
    int own = kernel_pidfd_open(getpid(), 0);
    CHECK(own >= 0);
    CHECK_DONE(ns_entry_look(&config, getpid(), own, &entry, &why));
    CHECK(entry.left == 0 && !entry.other_user);
    CHECK_DONE(ns_enter_for_children(&entry, &why));
    CHECK_DONE(ns_enter(&entry, &why));
}

int main(void)
{
    if (geteuid() != 0)
        return skip_program("needs root");
    if (access("/proc/self/ns/time", F_OK) < 0 || access("/proc/self/ns/user", F_OK) < 0)
        return skip_program("the kernel lacks time or user namespaces");
    const struct effect_case cases[] = {
        {"joined pid namespace", joined_pid_namespace},
        {"joined network with a new user namespace", joined_network_with_new_user_namespace},
        {"joined user namespace", joined_user_namespace},
        {"time offsets", time_offsets},
        {"impossible time offsets", impossible_time_offsets},
        {"joined without an escort", joined_without_an_escort},
        {"impossible id maps", impossible_id_maps},
        {"reused pid", reused_pid},
    };
    return run_cases(cases, sizeof(cases) / sizeof(cases[0])) > 0;
}
