/*
 * tests/helpers/probe.c: the program that the tests run inside containers (and as hooks).
 *
 * A static binary without needs of its own: a root filesystem holding nothing else is enough.  It says on
 * standard output, as JSON, what it sees from inside, or tries one thing and says how the kernel answered.
 * Several commands may be joined with "+":  probe write /a text + report
 *
 *   report                     everything below as one JSON object
 *   exit N | kill-self SIG     how to end
 *   pattern N                  N bytes of a known sequence, '!' to '~' over and over, as fast as they are taken
 *   say TEXT | warn TEXT       a line on stdout | stderr
 *   cat PATH | echo-stdin      a file, or standard input, to standard output
 *   write PATH TEXT            create or truncate, then write        -> {"write":PATH,"errno":"EROFS"}
 *   try-open PATH r|w|rw|c     c: create exclusively                 -> {"try-open":PATH,"errno":null}
 *   mkdir|rmdir|unlink|chdir PATH, mknod PATH c|b|p MAJOR MINOR, symlink TARGET PATH, chown PATH UID GID
 *   bind PORT                  a TCP socket                          -> {"bind":PORT,"errno":"EACCES"}
 *   notify LINE...             one datagram to $NOTIFY_SOCKET        -> {"notify":LINE,"errno":null}
 *   barrier                    BARRIER=1 with a pipe; waits until the other side has closed it, five seconds at most
 *                              -> {"barrier":"closed"}
 *   stat PATH | list PATH      lstat as JSON | sorted names as JSON
 *   fstat FD | read PATH N     the same of a descriptor | the first N bytes -> {"read":PATH,"hex":"00ff"}
 *   syscall NAME|NUMBER [N...] raw call with integer arguments       -> {"syscall":NAME,"result":-1,"errno":"EPERM"}
 *   sleep [SECONDS]            for ever by default
 *   trap SIG [EXIT]            says "ready", waits for the signal, says "got N", exits EXIT (0)
 *   trap-all                   says "ready", answers every signal with "got N" until SIGTERM
 *   mem MEGABYTES              touches that much memory              -> {"mem":N,"errno":null}
 *   fork N                     N children that wait                  -> {"forked":N,"errno":"EAGAIN"}
 *   spin SECONDS               uses one processor                    -> {"cpu_ms":N}: what it got
 *   write-direct FILE SECONDS  writes past the page cache            -> {"bytes":N,"ms":N}
 *   orphan                     leaves a child that ignores SIGHUP and SIGTERM, and goes on
 *   spy                        tries to trace every other process it meets and to read its descriptors, until SIGTERM
 *                              -> {"met":N,"traced":N,"links":[...]}
 *   edit-line [MS]             after that time reads one line as shells do that edit it, outside of canonical mode, and says
 *                              "got LINE", or "end" for ^D; the terminal is then as it was
 *   winsize-on-winch           says "ready", then the size at each SIGWINCH until SIGTERM
 *   hook LOG NAME [EXIT]       appends one JSON line with stdin, argv, environment, namespaces and a look at the process of
 *                              the state to LOG; "exists" tells of each path in PROBE_LOOK (divided by colons)
 *   hang-hook LOG NAME         as hook, then sleeps for ever
 *   exec PATH [ARG...]         replaces itself
 *
 * Without a word, the words are those of the variable PROBE_COMMAND.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static char **whole_argv; /* of the program, ended by NULL; the commands see their own words only */

/* --- JSON out: a comma is due exactly where a value or key follows another ------------------------------- */

static bool comma_due;

static void json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20 || *c >= 0x7f)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

static void separate(FILE *out)
{
    if (comma_due)
        fputc(',', out);
    comma_due = true;
}

static void key(FILE *out, const char *name)
{
    separate(out);
    json_text(out, name);
    fputc(':', out);
    comma_due = false;
}

static void open_with(FILE *out, char bracket)
{
    separate(out);
    fputc(bracket, out);
    comma_due = false;
}

static void close_with(FILE *out, char bracket)
{
    fputc(bracket, out);
    comma_due = true;
}

static void value_text(FILE *out, const char *text)
{
    separate(out);
    if (text == NULL)
        fputs("null", out);
    else
        json_text(out, text);
}

static void value_number(FILE *out, long long number)
{
    separate(out);
    fprintf(out, "%lld", number);
}

static void pair_text(FILE *out, const char *name, const char *text)
{
    key(out, name);
    value_text(out, text);
}

static void pair_number(FILE *out, const char *name, long long number)
{
    key(out, name);
    value_number(out, number);
}

static void line_ends(FILE *out)
{
    fputc('\n', out);
    fflush(out);
    comma_due = false;
}

static void pair_errno(FILE *out, int number)
{
    pair_text(out, "errno", number == 0 ? NULL : strerrorname_np(number));
}

/* {"WHAT":SUBJECT,"errno":...}: the answer of every command that tries one thing. */
static void say_outcome(const char *what, const char *subject, bool succeeded)
{
    int saved = succeeded ? 0 : errno;

    open_with(stdout, '{');
    pair_text(stdout, what, subject);
    pair_errno(stdout, saved);
    close_with(stdout, '}');
    line_ends(stdout);
}

__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
    exit(99);
}

/* --- what is seen from inside ---------------------------------------------------------------------------- */

/* At most `size` - 1 bytes; the length, or -1. */
static ssize_t slurp(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got;

    if (fd < 0)
        return -1;
    while (length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    text[length] = '\0';
    return (ssize_t)length;
}

static void pair_file(FILE *out, const char *name, const char *path)
{
    static char text[65536];
    ssize_t length = slurp(path, text, sizeof(text));

    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    pair_text(out, name, length < 0 ? NULL : text);
}

static void pair_link(FILE *out, const char *name, const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target) - 1);

    target[length < 0 ? 0 : length] = '\0';
    pair_text(out, name, length < 0 ? NULL : target);
}

static void report_ids(FILE *out)
{
    gid_t groups[1024];
    uid_t ruid, euid, suid;
    gid_t rgid, egid, sgid;
    int count = getgroups(1024, groups);
    mode_t mask = umask(0);

    (void)umask(mask); /* there is no way to read it but to set it */
    getresuid(&ruid, &euid, &suid);
    getresgid(&rgid, &egid, &sgid);
    pair_number(out, "uid", ruid);
    pair_number(out, "euid", euid);
    pair_number(out, "suid", suid);
    pair_number(out, "gid", rgid);
    pair_number(out, "egid", egid);
    pair_number(out, "sgid", sgid);
    pair_number(out, "umask", mask);
    key(out, "groups");
    open_with(out, '[');
    for (int i = 0; i < count; i++)
        value_number(out, groups[i]);
    close_with(out, ']');
}

static void report_process(FILE *out)
{
    char cwd[PATH_MAX];

    pair_number(out, "pid", getpid());
    pair_number(out, "ppid", getppid());
    pair_number(out, "pgid", getpgrp());
    pair_number(out, "sid", getsid(0));
    pair_text(out, "cwd", getcwd(cwd, sizeof(cwd)));
    pair_link(out, "exe", "/proc/self/exe");
    pair_file(out, "comm", "/proc/self/comm");
    pair_file(out, "cgroup", "/proc/self/cgroup");
    pair_file(out, "oom_score_adj", "/proc/self/oom_score_adj");
    pair_file(out, "timens_offsets", "/proc/self/timens_offsets");
    pair_file(out, "uid_map", "/proc/self/uid_map");
    pair_file(out, "gid_map", "/proc/self/gid_map");
    pair_file(out, "setgroups", "/proc/self/setgroups");
    pair_file(out, "apparmor", "/proc/self/attr/current");
    pair_number(out, "personality", personality(0xffffffff));
    pair_number(out, "dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    pair_number(out, "pdeathsig", ({
                    int signal_number = -1;
                    prctl(PR_GET_PDEATHSIG, &signal_number, 0, 0, 0);
                    signal_number;
                }));
    pair_number(out, "securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
}

/* CapInh, CapPrm, …, NoNewPrivs, Seccomp, Seccomp_filters, SigBlk, SigIgn, Threads as the kernel writes them. */
static void report_status(FILE *out)
{
    static char text[16384];
    char *rest = text, *line;

    key(out, "status");
    open_with(out, '{');
    if (slurp("/proc/self/status", text, sizeof(text)) >= 0) {
        while ((line = strsep(&rest, "\n")) != NULL) {
            char *colon = strchr(line, ':');

            if (colon == NULL)
                continue;
            *colon++ = '\0';
            colon += strspn(colon, " \t");
            pair_text(out, line, colon);
        }
    }
    close_with(out, '}');
}

static void report_arguments(FILE *out, int argc, char **argv)
{
    key(out, "args");
    open_with(out, '[');
    for (int i = 0; i < argc; i++)
        value_text(out, argv[i]);
    close_with(out, ']');
    key(out, "env");
    open_with(out, '[');
    for (char **entry = environ; *entry != NULL; entry++)
        value_text(out, *entry);
    close_with(out, ']');
}

static void report_limits(FILE *out)
{
    static const struct {
        const char *name;
        int number;
    } limits[] = {
        {"RLIMIT_AS", RLIMIT_AS},           {"RLIMIT_CORE", RLIMIT_CORE},       {"RLIMIT_CPU", RLIMIT_CPU},
        {"RLIMIT_DATA", RLIMIT_DATA},       {"RLIMIT_FSIZE", RLIMIT_FSIZE},     {"RLIMIT_LOCKS", RLIMIT_LOCKS},
        {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE}, {"RLIMIT_NICE", RLIMIT_NICE},
        {"RLIMIT_NOFILE", RLIMIT_NOFILE},   {"RLIMIT_NPROC", RLIMIT_NPROC},     {"RLIMIT_RSS", RLIMIT_RSS},
        {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},   {"RLIMIT_RTTIME", RLIMIT_RTTIME},   {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
        {"RLIMIT_STACK", RLIMIT_STACK},
    };

    key(out, "rlimits");
    open_with(out, '{');
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit limit = {0, 0};

        getrlimit((__rlimit_resource_t)limits[i].number, &limit);
        key(out, limits[i].name);
        open_with(out, '{');
        pair_number(out, "soft", limit.rlim_cur == RLIM_INFINITY ? -1 : (long long)limit.rlim_cur);
        pair_number(out, "hard", limit.rlim_max == RLIM_INFINITY ? -1 : (long long)limit.rlim_max);
        close_with(out, '}');
    }
    close_with(out, '}');
}

/* struct sched_attr, which glibc does not have yet. */
static void report_sched_attr(FILE *out)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
        uint32_t util_min, util_max;
    } attr = {0};

    key(out, "sched_attr");
    open_with(out, '{');
    if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0) {
        pair_errno(out, errno);
    } else {
        pair_number(out, "policy", attr.policy);
        pair_number(out, "flags", (long long)attr.flags);
        pair_number(out, "nice", attr.nice);
        pair_number(out, "priority", attr.priority);
        pair_number(out, "runtime", (long long)attr.runtime);
        pair_number(out, "deadline", (long long)attr.deadline);
        pair_number(out, "period", (long long)attr.period);
    }
    close_with(out, '}');
}

/* The mode with its flags, and the nodes, as set_mempolicy(2) was given them. */
static void report_memory_policy(FILE *out)
{
    unsigned long mask[64] = {0};
    const int bits = 8 * (int)sizeof(mask[0]);
    int mode = -1;

    key(out, "memory_policy");
    open_with(out, '{');
    if (syscall(SYS_get_mempolicy, &mode, mask, 8 * sizeof(mask), 0, 0) < 0) {
        pair_errno(out, errno);
    } else {
        pair_number(out, "mode", mode);
        key(out, "nodes");
        open_with(out, '[');
        for (int node = 0; node < 64 * bits; node++)
            if (mask[node / bits] >> (node % bits) & 1)
                value_number(out, node);
        close_with(out, ']');
    }
    close_with(out, '}');
}

static void report_scheduling(FILE *out)
{
    struct sched_param parameters = {0};
    cpu_set_t cpus;

    sched_getparam(0, &parameters);
    pair_number(out, "sched_policy", sched_getscheduler(0));
    pair_number(out, "sched_priority", parameters.sched_priority);
    errno = 0;
    pair_number(out, "nice", getpriority(PRIO_PROCESS, 0));
    pair_number(out, "ioprio", syscall(SYS_ioprio_get, 1, 0));
    report_sched_attr(out);
    report_memory_policy(out);
    key(out, "affinity");
    open_with(out, '[');
    if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
            if (CPU_ISSET(cpu, &cpus))
                value_number(out, cpu);
    close_with(out, ']');
}

static void report_uts_and_namespaces(FILE *out)
{
    static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
    struct utsname uts;

    uname(&uts);
    pair_text(out, "hostname", uts.nodename);
    pair_text(out, "domainname", uts.domainname);
    pair_text(out, "machine", uts.machine);
    key(out, "namespaces");
    open_with(out, '{');
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
        pair_link(out, names[i], path);
    }
    close_with(out, '}');
}

static void report_keyring(FILE *out)
{
    char description[256] = "";

    /* KEYCTL_DESCRIBE of KEY_SPEC_SESSION_KEYRING; KEYCTL_GET_KEYRING_ID gives its serial number. */
    pair_number(out, "session_keyring", syscall(SYS_keyctl, 0, -3, 0));
    pair_text(out, "session_keyring_description",
              syscall(SYS_keyctl, 6, -3, description, sizeof(description) - 1) < 0 ? NULL : description);
}

static void report_one_mount(FILE *out, char *line)
{
    char *fields[64];
    int count = 0, optional_end;

    for (char *word; count < 64 && (word = strsep(&line, " ")) != NULL;)
        fields[count++] = word;
    for (optional_end = 6; optional_end < count && strcmp(fields[optional_end], "-") != 0; optional_end++)
        ;
    if (optional_end + 3 >= count)
        return;
    open_with(out, '{');
    pair_text(out, "root", fields[3]);
    pair_text(out, "target", fields[4]);
    pair_text(out, "options", fields[5]);
    key(out, "propagation");
    open_with(out, '[');
    for (int i = 6; i < optional_end; i++)
        value_text(out, fields[i]);
    close_with(out, ']');
    pair_text(out, "type", fields[optional_end + 1]);
    pair_text(out, "source", fields[optional_end + 2]);
    pair_text(out, "super", fields[optional_end + 3]);
    close_with(out, '}');
}

static void report_mounts(FILE *out, const char *path)
{
    static char text[262144];
    char *rest = text, *line;

    key(out, "mounts");
    open_with(out, '[');
    if (slurp(path, text, sizeof(text)) >= 0)
        while ((line = strsep(&rest, "\n")) != NULL)
            if (*line != '\0')
                report_one_mount(out, line);
    close_with(out, ']');
}

static void report_descriptors(FILE *out)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;

    key(out, "fds");
    open_with(out, '{');
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char path[PATH_MAX];

        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
            continue;
        snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
        pair_link(out, entry->d_name, path);
    }
    close_with(out, '}');
    if (dir != NULL)
        closedir(dir);
}

static void report_stat_members(FILE *out, const struct stat *st)
{
    pair_text(out, "type",
              S_ISREG(st->st_mode)    ? "file"
              : S_ISDIR(st->st_mode)  ? "dir"
              : S_ISLNK(st->st_mode)  ? "link"
              : S_ISCHR(st->st_mode)  ? "char"
              : S_ISBLK(st->st_mode)  ? "block"
              : S_ISFIFO(st->st_mode) ? "fifo"
                                      : "socket");
    pair_number(out, "mode", st->st_mode & 07777);
    pair_number(out, "uid", st->st_uid);
    pair_number(out, "gid", st->st_gid);
    pair_number(out, "size", st->st_size);
    pair_number(out, "major", major(st->st_rdev));
    pair_number(out, "minor", minor(st->st_rdev));
    pair_number(out, "filesystem", (long long)st->st_dev);
    pair_number(out, "inode", (long long)st->st_ino);
}

static void report_stat(FILE *out, const char *path)
{
    struct stat st;
    char target[PATH_MAX];
    ssize_t length;

    open_with(out, '{');
    if (lstat(path, &st) < 0) {
        pair_errno(out, errno);
        close_with(out, '}');
        return;
    }
    report_stat_members(out, &st);
    if (S_ISLNK(st.st_mode) && (length = readlink(path, target, sizeof(target) - 1)) >= 0) {
        target[length] = '\0';
        pair_text(out, "link", target);
    }
    close_with(out, '}');
}

static void report_devices(FILE *out)
{
    struct dirent **entries = NULL;
    int count = scandir("/dev", &entries, NULL, alphasort);

    key(out, "dev");
    open_with(out, '{');
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];

        if (entries[i]->d_name[0] != '.') {
            snprintf(path, sizeof(path), "/dev/%s", entries[i]->d_name);
            key(out, entries[i]->d_name);
            report_stat(out, path);
        }
        free(entries[i]);
    }
    free(entries);
    close_with(out, '}');
}

static void report_terminal(FILE *out)
{
    struct winsize size;
    char name[256];
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

    pair_text(out, "tty", ttyname_r(0, name, sizeof(name)) == 0 ? name : NULL);
    key(out, "controlling_tty");
    separate(out);
    fputs(fd < 0 ? "false" : "true", out);
    if (fd >= 0)
        close(fd);
    key(out, "stdio_tty");
    open_with(out, '[');
    for (int i = 0; i < 3; i++)
        value_number(out, isatty(i));
    close_with(out, ']');
    if (ioctl(0, TIOCGWINSZ, &size) == 0) {
        pair_number(out, "rows", size.ws_row);
        pair_number(out, "columns", size.ws_col);
    }
}

static int command_report(int argc, char **argv)
{
    open_with(stdout, '{');
    report_process(stdout);
    report_ids(stdout);
    report_arguments(stdout, argc, argv);
    report_status(stdout);
    report_limits(stdout);
    report_scheduling(stdout);
    report_uts_and_namespaces(stdout);
    report_keyring(stdout);
    report_descriptors(stdout);
    report_devices(stdout);
    report_terminal(stdout);
    report_mounts(stdout, "/proc/self/mountinfo");
    close_with(stdout, '}');
    line_ends(stdout);
    return 0;
}

/* --- commands: each gets its own words only, argv[0] being its name; the result is the exit status -------- */

static long long number_of(const char *word)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(word, &end, 0);
    if (errno != 0 || *end != '\0' || end == word) {
        fprintf(stderr, "probe: '%s' is not a number\n", word);
        exit(98);
    }
    return number;
}

static int signal_of(const char *word)
{
    if (isdigit((unsigned char)*word))
        return (int)number_of(word);
    for (int i = 1; i < NSIG; i++) {
        const char *name = sigabbrev_np(i);

        if (name != NULL && strcmp(name, strncmp(word, "SIG", 3) == 0 ? word + 3 : word) == 0)
            return i;
    }
    fprintf(stderr, "probe: '%s' is not a signal\n", word);
    exit(98);
}

static void copy_to_stdout(int fd)
{
    char block[65536];
    ssize_t got;

    while ((got = read(fd, block, sizeof(block))) > 0)
        if (write(1, block, (size_t)got) != got)
            die("write standard output");
    if (got < 0)
        die("read");
}

static int command_exit(int argc, char **argv)
{
    (void)argc;
    fflush(NULL);
    _exit((int)number_of(argv[1]));
}

static int command_kill_self(int argc, char **argv)
{
    int number = signal_of(argv[1]);
    sigset_t all;

    (void)argc;
    signal(number, SIG_DFL);
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    raise(number);
    /* PID 1 of a pid namespace is deaf to its own default-action signals: let a child die and tell. */
    fprintf(stderr, "probe: still alive after signal %d\n", number);
    return 97;
}

/* Without stdio: what a write takes is what the process has left in the terminal when it ends. */
static int command_pattern(int argc, char **argv)
{
    char block[4096];
    size_t left = strtoul(argv[1], NULL, 10), at = 0;
    (void)argc;
    while (left > 0) {
        size_t size = left < sizeof(block) ? left : sizeof(block);
        for (size_t i = 0; i < size; i++)
            block[i] = (char)('!' + (at + i) % ('~' - '!' + 1));
        ssize_t written = write(STDOUT_FILENO, block, size);
        if (written < 0)
            return errno == EINTR ? 96 : 97;
        at += (size_t)written;
        left -= (size_t)written;
    }
    return 0;
}

static int command_say(int argc, char **argv)
{
    FILE *out = strcmp(argv[0], "warn") == 0 ? stderr : stdout;

    for (int i = 1; i < argc; i++)
        fprintf(out, "%s%s", i > 1 ? " " : "", argv[i]);
    fputc('\n', out);
    fflush(out);
    return 0;
}

static int command_cat(int argc, char **argv)
{
    int fd = open(argv[1], O_RDONLY | O_CLOEXEC);

    (void)argc;
    if (fd < 0)
        die(argv[1]);
    copy_to_stdout(fd);
    close(fd);
    return 0;
}

static int command_echo_stdin(int argc, char **argv)
{
    (void)argc, (void)argv;
    copy_to_stdout(0);
    return 0;
}

static int command_write(int argc, char **argv)
{
    int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool written = fd >= 0 && write(fd, argv[2], strlen(argv[2])) == (ssize_t)strlen(argv[2]);

    (void)argc;
    say_outcome("write", argv[1], written);
    if (fd >= 0)
        close(fd);
    return 0;
}

static int command_try_open(int argc, char **argv)
{
    int flags = strcmp(argv[2], "r") == 0    ? O_RDONLY
                : strcmp(argv[2], "w") == 0  ? O_WRONLY
                : strcmp(argv[2], "rw") == 0 ? O_RDWR
                                             : O_WRONLY | O_CREAT | O_EXCL;
    int fd = open(argv[1], flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);

    (void)argc;
    say_outcome("try-open", argv[1], fd >= 0);
    if (fd >= 0)
        close(fd);
    return 0;
}

static int command_path(int argc, char **argv)
{
    const char *what = argv[0];
    int result = -1;

    if (strcmp(what, "mkdir") == 0)
        result = mkdir(argv[1], 0777);
    else if (strcmp(what, "rmdir") == 0)
        result = rmdir(argv[1]);
    else if (strcmp(what, "unlink") == 0)
        result = unlink(argv[1]);
    else if (strcmp(what, "chdir") == 0)
        result = chdir(argv[1]);
    else if (strcmp(what, "symlink") == 0 && argc > 2)
        result = symlink(argv[1], argv[2]);
    else if (strcmp(what, "chown") == 0 && argc > 3)
        result = chown(argv[1], (uid_t)number_of(argv[2]), (gid_t)number_of(argv[3]));
    else if (strcmp(what, "mknod") == 0 && argc > 4)
        result = mknod(argv[1], (*argv[2] == 'c' ? S_IFCHR : *argv[2] == 'b' ? S_IFBLK : S_IFIFO) | 0666,
                       makedev((unsigned)number_of(argv[3]), (unsigned)number_of(argv[4])));
    else
        errno = EINVAL;
    say_outcome(what, argv[1], result == 0);
    return 0;
}

static int command_bind(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number_of(argv[1]))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)argc;
    say_outcome("bind", argv[1], fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return 0;
}

static int notify_connected(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path != NULL ? path : "/no/NOTIFY_SOCKET");
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

static int command_notify(int argc, char **argv)
{
    char message[8192] = "";
    size_t used = 0;
    int fd = notify_connected();

    for (int i = 1; i < argc && used < sizeof(message); i++)
        used += (size_t)snprintf(message + used, sizeof(message) - used, "%s%s", i > 1 ? "\n" : "", argv[i]);
    say_outcome("notify", argv[1], fd >= 0 && send(fd, message, strlen(message), 0) == (ssize_t)strlen(message));
    return 0;
}

static int command_barrier(int argc, char **argv)
{
    static char word[] = "BARRIER=1";
    char room[CMSG_SPACE(sizeof(int))] = "";
    struct iovec part = {.iov_base = word, .iov_len = strlen(word)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    int ends[2], fd = notify_connected();

    (void)argc;
    (void)argv;
    if (pipe(ends) < 0)
        die("pipe");
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &ends[1], sizeof(int));
    if (fd < 0 || sendmsg(fd, &message, 0) < 0)
        die("send BARRIER=1");
    close(ends[1]);
    struct pollfd wait = {.fd = ends[0]};
    printf("{\"barrier\":\"%s\"}\n", poll(&wait, 1, 5000) == 1 ? "closed" : "waited in vain");
    fflush(stdout);
    return 0;
}

static int command_stat(int argc, char **argv)
{
    (void)argc;
    report_stat(stdout, argv[1]);
    line_ends(stdout);
    return 0;
}

static int command_fstat(int argc, char **argv)
{
    struct stat st;

    (void)argc;
    if (fstat((int)number_of(argv[1]), &st) < 0)
        die(argv[1]);
    open_with(stdout, '{');
    report_stat_members(stdout, &st);
    close_with(stdout, '}');
    line_ends(stdout);
    return 0;
}

static int command_read(int argc, char **argv)
{
    unsigned char bytes[64];
    char hex[2 * sizeof(bytes) + 1] = "";
    size_t wanted = (size_t)number_of(argv[2]);
    int fd = open(argv[1], O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t got = fd < 0 ? -1 : read(fd, bytes, wanted < sizeof(bytes) ? wanted : sizeof(bytes));

    (void)argc;
    open_with(stdout, '{');
    pair_text(stdout, "read", argv[1]);
    if (got < 0)
        pair_errno(stdout, errno);
    for (ssize_t i = 0; i < got; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    if (got >= 0)
        pair_text(stdout, "hex", hex);
    close_with(stdout, '}');
    line_ends(stdout);
    if (fd >= 0)
        close(fd);
    return 0;
}

static int command_list(int argc, char **argv)
{
    struct dirent **entries = NULL;
    int count = scandir(argv[1], &entries, NULL, alphasort);

    (void)argc;
    if (count < 0)
        die(argv[1]);
    open_with(stdout, '[');
    for (int i = 0; i < count; i++) {
        if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
            value_text(stdout, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    close_with(stdout, ']');
    line_ends(stdout);
    return 0;
}

static long syscall_number(const char *word)
{
    static const struct {
        const char *name;
        long number;
    } names[] = {
        {"getpid", SYS_getpid},       {"getuid", SYS_getuid},         {"mkdirat", SYS_mkdirat},
        {"uname", SYS_uname},         {"personality", SYS_personality}, {"setns", SYS_setns},
        {"unshare", SYS_unshare},     {"mount", SYS_mount},           {"umount2", SYS_umount2},
        {"pivot_root", SYS_pivot_root}, {"keyctl", SYS_keyctl},       {"add_key", SYS_add_key},
        {"bpf", SYS_bpf},             {"ptrace", SYS_ptrace},         {"reboot", SYS_reboot},
        {"clone3", SYS_clone3},       {"kexec_load", SYS_kexec_load}, {"sethostname", SYS_sethostname},
        {"getcwd", SYS_getcwd},       {"swapon", SYS_swapon},         {"userfaultfd", SYS_userfaultfd},
        {"perf_event_open", SYS_perf_event_open}, {"getppid", SYS_getppid}, {"open_by_handle_at", SYS_open_by_handle_at},
        {"init_module", SYS_init_module}, {"socket", SYS_socket},     {"acct", SYS_acct},
        {"settimeofday", SYS_settimeofday}, {"quotactl", SYS_quotactl}, {"getpgid", SYS_getpgid},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i].name, word) == 0)
            return names[i].number;
    return (long)number_of(word);
}

static int command_syscall(int argc, char **argv)
{
    long long arguments[6] = {0};
    long result;
    int saved;

    for (int i = 2; i < argc && i < 8; i++)
        arguments[i - 2] = number_of(argv[i]);
    errno = 0;
    result = syscall(syscall_number(argv[1]), arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                     arguments[5]);
    saved = result == -1 ? errno : 0;
    open_with(stdout, '{');
    pair_text(stdout, "syscall", argv[1]);
    pair_number(stdout, "result", result);
    pair_errno(stdout, saved);
    close_with(stdout, '}');
    line_ends(stdout);
    return 0;
}

static int command_sleep(int argc, char **argv)
{
    if (argc > 1) {
        struct timespec left = {.tv_sec = (time_t)number_of(argv[1])};

        while (nanosleep(&left, &left) < 0 && errno == EINTR)
            ;
        return 0;
    }
    for (;;)
        pause();
}

/* Waits with every signal blocked, so that none is lost between "ready" and the wait. */
static int next_signal(sigset_t *all)
{
    int number;

    while (sigwait(all, &number) != 0)
        ;
    return number;
}

static int command_trap(int argc, char **argv)
{
    sigset_t all;
    int number;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    puts("ready");
    fflush(stdout);
    if (strcmp(argv[0], "trap-all") == 0) {
        do {
            number = next_signal(&all);
            printf("got %d\n", number);
            fflush(stdout);
        } while (number != SIGTERM);
        return 0;
    }
    while ((number = next_signal(&all)) != signal_of(argv[1]))
        ;
    printf("got %d\n", number);
    fflush(stdout);
    return argc > 2 ? (int)number_of(argv[2]) : 0;
}

#define SPY_LINKS 32
#define SPY_PIDS 4096

struct spy {
    long met;
    int traced;
    bool known[SPY_PIDS];
    char links[SPY_LINKS][128];
    int links_count;
};

static void spy_note_link(struct spy *spy, const char *link)
{
    for (int i = 0; i < spy->links_count; i++)
        if (strcmp(spy->links[i], link) == 0)
            return;
    if (spy->links_count < SPY_LINKS)
        snprintf(spy->links[spy->links_count++], sizeof(spy->links[0]), "%s", link);
}

static void spy_look(struct spy *spy, int pid)
{
    char path[64], link[128];

    if (pid < SPY_PIDS && !spy->known[pid]) {
        spy->known[pid] = true;
        spy->met++;
    }
    for (int fd = 0; fd < 24; fd++) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
        ssize_t length = readlink(path, link, sizeof(link) - 1);
        if (length <= 0)
            continue;
        link[length] = '\0';
        spy_note_link(spy, link);
    }
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
        spy->traced++; /* and stays so: it goes on running */
}

static int command_spy(int argc, char **argv)
{
    static struct spy spy;
    const struct timespec at_once = {0, 0};
    sigset_t all;

    (void)argc, (void)argv;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    while (sigtimedwait(&all, NULL, &at_once) != SIGTERM) {
        DIR *proc = opendir("/proc");
        const struct dirent *entry;

        while (proc != NULL && (entry = readdir(proc)) != NULL)
            if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != getpid())
                spy_look(&spy, atoi(entry->d_name));
        if (proc != NULL)
            closedir(proc);
    }
    printf("{\"met\":%ld,\"traced\":%d,\"links\":[", spy.met, spy.traced);
    for (int i = 0; i < spy.links_count; i++)
        printf("%s\"%s\"", i > 0 ? "," : "", spy.links[i]);
    printf("]}\n");
    return 0;
}

static int command_winsize_on_winch(int argc, char **argv)
{
    struct winsize size;
    sigset_t all;

    (void)argc, (void)argv;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    puts("ready");
    fflush(stdout);
    while (next_signal(&all) == SIGWINCH) {
        if (ioctl(0, TIOCGWINSZ, &size) == 0)
            printf("%dx%d\n", size.ws_row, size.ws_col);
        fflush(stdout);
    }
    return 0;
}

static int command_edit_line(int argc, char **argv)
{
    struct termios before, raw;
    char line[256];
    size_t length = 0;

    poll(NULL, 0, argc > 1 ? (int)number_of(argv[1]) : 0);
    if (tcgetattr(0, &before) < 0)
        die("standard input");
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    tcsetattr(0, TCSANOW, &raw);
    /* The NUL is what the kernel makes of an end of file that was typed before: no key of an editor. */
    while (length < sizeof(line) - 1 && read(0, line + length, 1) == 1 && line[length] != '\n' && line[length] != 4)
        length += line[length] != '\0';
    if (length == 0 && line[0] == 4)
        puts("end");
    else
        printf("got %.*s\n", (int)length, line);
    fflush(stdout);
    tcsetattr(0, TCSANOW, &before);
    return 0;
}

static int command_mem(int argc, char **argv)
{
    size_t size = (size_t)number_of(argv[1]) << 20;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)argc;
    if (memory != MAP_FAILED)
        for (size_t i = 0; i < size; i += 4096)
            memory[i] = (char)i | 1;
    say_outcome("mem", argv[1], memory != MAP_FAILED);
    return 0;
}

static int command_fork(int argc, char **argv)
{
    long long wanted = number_of(argv[1]), made = 0;
    int saved = 0;

    (void)argc;
    for (; made < wanted; made++) {
        pid_t pid = fork();

        if (pid == 0)
            for (;;)
                pause();
        if (pid < 0) {
            saved = errno;
            break;
        }
    }
    open_with(stdout, '{');
    pair_number(stdout, "forked", made);
    pair_errno(stdout, saved);
    close_with(stdout, '}');
    line_ends(stdout);
    return 0;
}

static long long milliseconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int command_spin(int argc, char **argv)
{
    long long end = milliseconds(CLOCK_MONOTONIC) + number_of(argv[1]) * 1000;
    long long before = milliseconds(CLOCK_PROCESS_CPUTIME_ID);

    (void)argc;
    while (milliseconds(CLOCK_MONOTONIC) < end)
        ;
    open_with(stdout, '{');
    pair_number(stdout, "cpu_ms", milliseconds(CLOCK_PROCESS_CPUTIME_ID) - before);
    close_with(stdout, '}');
    line_ends(stdout);
    return 0;
}

/* Past the page cache, so that io.max is felt by the writer itself. */
static int command_write_direct(int argc, char **argv)
{
    enum { BLOCK = 65536, ROUND = 64 };
    int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0666);
    long long begin = milliseconds(CLOCK_MONOTONIC), end = begin + number_of(argv[2]) * 1000, bytes = 0;
    void *block = NULL;
    bool written = fd >= 0 && posix_memalign(&block, 4096, BLOCK) == 0;

    (void)argc;
    while (written && milliseconds(CLOCK_MONOTONIC) < end) {
        memset(block, 1, BLOCK);
        written = pwrite(fd, block, BLOCK, (bytes / BLOCK) % ROUND * BLOCK) == BLOCK;
        bytes += written ? BLOCK : 0;
    }
    open_with(stdout, '{');
    pair_number(stdout, "bytes", bytes);
    pair_number(stdout, "ms", milliseconds(CLOCK_MONOTONIC) - begin);
    pair_errno(stdout, written ? 0 : errno);
    close_with(stdout, '}');
    line_ends(stdout);
    return 0;
}

static int command_orphan(int argc, char **argv)
{
    pid_t pid = fork();

    (void)argc, (void)argv;
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        /* Do not hold the runtime's pipes open: only the cgroup keeps this one reachable. */
        (void)close(0), (void)close(1), (void)close(2);
        signal(SIGHUP, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        for (;;)
            pause();
    }
    return 0;
}

/* What a hook sees of the process that the state names. */
static void report_subject(FILE *out, const char *state)
{
    static const char *const links[] = {"exe", "ns/mnt", "ns/net", "ns/pid"};
    const char *at = strstr(state, "\"pid\":");
    long pid = at == NULL ? 0 : strtol(at + 6, NULL, 10);
    char path[PATH_MAX];

    key(out, "subject");
    open_with(out, '{');
    for (size_t i = 0; pid > 0 && i < sizeof(links) / sizeof(links[0]); i++) {
        snprintf(path, sizeof(path), "/proc/%ld/%s", pid, links[i]);
        pair_link(out, links[i], path);
    }
    snprintf(path, sizeof(path), "/proc/%ld/root/etc/marker", pid);
    key(out, "in_root");
    separate(out);
    fputs(pid > 0 && access(path, F_OK) == 0 ? "true" : "false", out);
    snprintf(path, sizeof(path), "/proc/%ld/cgroup", pid);
    pair_file(out, "cgroup", path);
    snprintf(path, sizeof(path), "/proc/%ld/mountinfo", pid);
    report_mounts(out, path);
    close_with(out, '}');
}

static void report_exists(FILE *out)
{
    const char *given = getenv("PROBE_LOOK");
    char *rest = given == NULL ? NULL : strdup(given), *path;

    key(out, "exists");
    open_with(out, '{');
    while ((path = strsep(&rest, ":")) != NULL) {
        key(out, path);
        separate(out);
        fputs(access(path, F_OK) == 0 ? "true" : "false", out);
    }
    close_with(out, '}');
}

static void report_whole_argv(FILE *out)
{
    key(out, "argv");
    open_with(out, '[');
    for (char **word = whole_argv; *word != NULL; word++)
        value_text(out, *word);
    close_with(out, ']');
}

static int command_hook(int argc, char **argv)
{
    static char state[65536];
    size_t length = 0;
    ssize_t got;
    char line[4096];
    FILE *out;
    int fd;

    while (length < sizeof(state) - 1 && (got = read(0, state + length, sizeof(state) - 1 - length)) > 0)
        length += (size_t)got;
    state[length] = '\0';
    fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || (out = fdopen(fd, "a")) == NULL)
        die(argv[1]);
    setvbuf(out, NULL, _IOFBF, 262144); /* one write: hooks of two containers may share the log */
    open_with(out, '{');
    pair_text(out, "hook", argv[2]);
    key(out, "state");
    separate(out);
    fputs(length > 0 ? state : "null", out);
    report_process(out);
    report_arguments(out, argc, argv);
    report_uts_and_namespaces(out);
    report_descriptors(out);
    report_whole_argv(out);
    report_subject(out, state);
    report_exists(out);
    close_with(out, '}');
    line_ends(out);
    fclose(out);
    snprintf(line, sizeof(line), "hook %s", argv[2]);
    if (strcmp(argv[0], "hang-hook") == 0)
        for (;;)
            pause();
    if (argc > 3 && number_of(argv[3]) != 0)
        fprintf(stderr, "%s says no\n", line);
    return argc > 3 ? (int)number_of(argv[3]) : 0;
}

static int command_exec(int argc, char **argv)
{
    (void)argc;
    fflush(NULL);
    execv(argv[1], argv + 1);
    die(argv[1]);
}

static const struct command {
    const char *name;
    int words; /* least number of words after the name */
    int (*run)(int argc, char **argv);
} commands[] = {
    {"report", 0, command_report},   {"exit", 1, command_exit},       {"kill-self", 1, command_kill_self},
    {"pattern", 1, command_pattern}, {"say", 0, command_say},         {"warn", 0, command_say},        {"cat", 1, command_cat},
    {"echo-stdin", 0, command_echo_stdin}, {"write", 2, command_write}, {"try-open", 2, command_try_open},
    {"mkdir", 1, command_path},      {"rmdir", 1, command_path},      {"unlink", 1, command_path},
    {"chdir", 1, command_path},      {"symlink", 2, command_path},    {"chown", 3, command_path},
    {"mknod", 4, command_path},      {"stat", 1, command_stat},       {"list", 1, command_list},
    {"syscall", 1, command_syscall}, {"sleep", 0, command_sleep},     {"trap", 1, command_trap},
    {"trap-all", 0, command_trap},   {"winsize-on-winch", 0, command_winsize_on_winch},
    {"edit-line", 0, command_edit_line},
    {"mem", 1, command_mem},         {"fork", 1, command_fork},       {"spin", 1, command_spin},
    {"write-direct", 2, command_write_direct},
    {"spy", 0, command_spy},         {"orphan", 0, command_orphan},   {"hook", 2, command_hook},       {"hang-hook", 2, command_hook},
    {"exec", 1, command_exec},       {"fstat", 1, command_fstat},     {"read", 2, command_read},
    {"bind", 1, command_bind},       {"notify", 1, command_notify},   {"barrier", 0, command_barrier},
};

static const struct command *command_named(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    static char name[] = "probe", *words[64] = {name};
    int status = 0;

    whole_argv = calloc((size_t)argc + 1, sizeof(*whole_argv));
    if (whole_argv == NULL)
        die("argv");
    memcpy(whole_argv, argv, (size_t)argc * sizeof(*whole_argv));
    if (argc < 2 && getenv("PROBE_COMMAND") != NULL) {
        char *rest = strdup(getenv("PROBE_COMMAND")), *word;

        for (argc = 1; argc < 63 && (word = strsep(&rest, " ")) != NULL; argc++)
            words[argc] = word;
        argv = words;
    }

    for (int first = 1, end; first < argc; first = end + 1) {
        const struct command *command = command_named(argv[first]);

        for (end = first; end < argc && strcmp(argv[end], "+") != 0; end++)
            ;
        if (command == NULL || end - first - 1 < command->words) {
            fprintf(stderr, "probe: '%s' is no command, or lacks words\n", argv[first]);
            return 98;
        }
        argv[end] = NULL; /* at argc it is NULL already */
        status = command->run(end - first, argv + first);
    }
    fflush(NULL);
    return status;
}
