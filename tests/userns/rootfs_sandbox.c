/* tests/userns/rootfs_sandbox.c: see the header. */
#include "rootfs_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"

#define SANDBOX_DIR "/tmp"

static bool was_root;

bool sandbox_is_root(void)
{
    return was_root;
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t) strlen(text));
    close(fd);
}

static uid_t own_uid;
static gid_t own_gid;

void sandbox_map_self(void)
{
    char map[64];

    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "0 %u 1", own_uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof(map), "0 %u 1", own_gid);
    write_file("/proc/self/gid_map", map);
    own_uid = 0;
    own_gid = 0;
}

/* An unprivileged caller becomes root of a user namespace; then everything below is the same for both. */
static void become_host(void)
{
    own_uid = geteuid();
    own_gid = getegid();
    was_root = own_uid == 0;
    if (!was_root) {
        CHECK(unshare(CLONE_NEWUSER) == 0);
        sandbox_map_self();
    }
    CHECK(unshare(CLONE_NEWNS) == 0);
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0);
    CHECK(mount("sandbox", SANDBOX_DIR, "tmpfs", 0, "mode=755") == 0);
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) == 0);
    make_dirs(SANDBOX_DIR "/sandbox/rootfs");
    CHECK(chdir(SANDBOX_DIR "/sandbox") == 0);
}

int sandbox_case(void (*body)(struct sandbox *sandbox))
{
    int status = 0;

    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct sandbox *sandbox = calloc(1, sizeof(*sandbox));
        CHECK(sandbox);
        become_host();
        sandbox->spec.root.set = true;
        sandbox->spec.root.path = strdup("rootfs");
        sandbox->spec.linux.set = true;
        sandbox->spec.mounts = sandbox->mounts;
        sandbox->spec.linux.namespaces[NS_MOUNT].listed = true;
        sandbox->around.privileged = true;
        sandbox->around.cgroup_mount = "/sys/fs/cgroup";
        body(sandbox);
        _exit(0);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

void sandbox_strings(struct strings *strings, char **storage, const char *words)
{
    char *copy = strdup(words), *state = NULL;

    CHECK(copy);
    strings->items = storage;
    for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
        strings->items[strings->count++] = word;
}

void sandbox_mount(struct sandbox *sandbox, const char *destination, const char *type, const char *source,
                   const char *options)
{
    struct spec_mount *mount = &sandbox->mounts[sandbox->spec.mounts_count++];
    char **storage = calloc(32, sizeof(char *));

    CHECK(sandbox->spec.mounts_count <= SANDBOX_MOUNTS_MAX && storage);
    *mount = (struct spec_mount){0};
    mount->destination = strdup(destination);
    mount->type = type ? strdup(type) : NULL;
    mount->source = source ? strdup(source) : NULL;
    sandbox_strings(&mount->options, storage, options);
}

void sandbox_default_bundle(struct sandbox *sandbox)
{
    sandbox_mount(sandbox, "/proc", "proc", "proc", "nosuid noexec nodev");
    sandbox_mount(sandbox, "/dev", "tmpfs", "tmpfs", "nosuid strictatime mode=755 size=65536k");
    sandbox_mount(sandbox, "/dev/pts", "devpts", "devpts",
                  sandbox_is_root() && !sandbox->user_ns && !sandbox->half_privileged
                      ? "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5"
                      : "nosuid noexec newinstance ptmxmode=0666 mode=0620");
    sandbox_mount(sandbox, "/dev/shm", "tmpfs", "shm", "nosuid noexec nodev mode=1777 size=65536k");
    sandbox_mount(sandbox, "/dev/mqueue", "mqueue", "mqueue", "nosuid noexec nodev");
    sandbox_mount(sandbox, "/sys", "sysfs", "sysfs", "nosuid noexec nodev ro");
    sandbox_mount(sandbox, "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid noexec nodev relatime ro");
    sandbox->spec.root.readonly = true;
    sandbox_strings(&sandbox->spec.linux.masked_paths, sandbox->masked,
                    "/proc/acpi /proc/kcore /proc/keys /proc/timer_list /proc/scsi /sys/firmware /nowhere "
                    "/proc/keys");
    sandbox_strings(&sandbox->spec.linux.readonly_paths, sandbox->readonly,
                    "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger /nowhere");
}

static void init_main(struct sandbox *sandbox, struct rootfs *rootfs, struct failure *why)
{
    if (rootfs_mount(rootfs, NULL, why) < 0)
        _exit(2);
    if (sandbox->in_hook)
        sandbox->in_hook(sandbox, rootfs);
    if (rootfs_seal(rootfs, why) < 0)
        _exit(2);
    if (sandbox->stop_before_enter)
        _exit(0);
    if (rootfs_enter(rootfs, sandbox->no_pivot, why) < 0)
        _exit(2);
    rootfs_close(rootfs);
    if (sandbox->inside)
        sandbox->inside(sandbox);
    _exit(0);
}

static pid_t init_clone(const struct sandbox *sandbox, int barrier_fd)
{
    struct clone_args args = {.exit_signal = SIGCHLD, .flags = CLONE_NEWIPC | CLONE_NEWUTS};
    char byte;

    if (sandbox->spec.linux.namespaces[NS_MOUNT].listed)
        args.flags |= CLONE_NEWNS;
    if (!sandbox->no_pid_ns)
        args.flags |= CLONE_NEWPID;
    if (!sandbox->no_network_ns)
        args.flags |= CLONE_NEWNET;
    if (!sandbox->no_cgroup_ns)
        args.flags |= CLONE_NEWCGROUP;
    if (sandbox->user_ns)
        args.flags |= CLONE_NEWUSER;
    pid_t pid = (pid_t) kernel_clone3(&args, sizeof(args));
    if (pid == 0 && sandbox->user_ns) {
        CHECK(read(barrier_fd, &byte, 1) == 1);
        CHECK(setuid(0) == 0 && setgid(0) == 0);
    }
    return pid;
}

/* The container's root is user 1000 of a host with root; an unprivileged host has one user to give. */
static void map_user_ns(const struct sandbox *sandbox, pid_t pid)
{
    const struct id_mappings *uids = &sandbox->spec.linux.uid_mappings;
    char path[64], map[64];

    snprintf(map, sizeof(map), "0 %u %u", sandbox_is_root() ? 1000 : 0, sandbox_is_root() ? 100 : 1);
    if (uids->count)
        snprintf(map, sizeof(map), "%u %u %u", uids->items[0].inside, uids->items[0].host, uids->items[0].size);
    if (!sandbox_is_root()) {
        snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
        write_file(path, "deny");
    }
    snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
    write_file(path, map);
    snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
    write_file(path, map);
}

int sandbox_run(struct sandbox *sandbox)
{
    struct failure *why = mmap(NULL, sizeof(*why), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct arena arena = {0};
    struct rootfs *rootfs;
    int status, barrier[2];

    CHECK(why != MAP_FAILED);
    sandbox->around.new_user_ns = sandbox->user_ns;
    sandbox->around.new_network_ns = !sandbox->no_network_ns;
    sandbox->around.new_cgroup_ns = !sandbox->no_cgroup_ns;
    sandbox->spec.linux.namespaces[NS_PID].listed = !sandbox->no_pid_ns;
    if (rootfs_plan(&sandbox->spec, SANDBOX_DIR "/sandbox", &sandbox->around, &arena, &rootfs, &sandbox->why) < 0)
        return -1;
    if (rootfs_open(rootfs, &sandbox->why) < 0 || rootfs_open_idmaps(rootfs, -1, &sandbox->why) < 0) {
        rootfs_close(rootfs);
        return -1;
    }
    CHECK(pipe2(barrier, O_CLOEXEC) == 0);
    fflush(NULL);
    pid_t pid = init_clone(sandbox, barrier[0]);
    CHECK(pid >= 0);
    if (pid == 0)
        init_main(sandbox, rootfs, why);
    if (sandbox->user_ns)
        map_user_ns(sandbox, pid);
    CHECK(write(barrier[1], "x", 1) == 1);
    rootfs_close(rootfs);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(barrier[0]);
    close(barrier[1]);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) != 1);
    sandbox->why = *why;
    munmap(why, sizeof(*why));
    arena_done(&arena);
    return WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* ---- files ---- */

void make_dirs(const char *path)
{
    char copy[512];

    snprintf(copy, sizeof(copy), "%s", path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        CHECK(mkdir(copy, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
    CHECK(mkdir(copy, 0755) == 0 || errno == EEXIST);
}

void make_file(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    CHECK(fd >= 0);
    CHECK(write(fd, content, strlen(content)) == (ssize_t) strlen(content));
    close(fd);
}

void make_link(const char *target, const char *path)
{
    CHECK(symlink(target, path) == 0);
}

bool exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

void mountinfo_line(const char *path, char *out, size_t size)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[1024], point[512];

    CHECK(file);
    out[0] = '\0';
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "%*s %*s %*s %*s %511s", point) == 1 && strcmp(point, path) == 0)
            snprintf(out, size, "%s", line);
    fclose(file);
}

size_t mountinfo_count(void)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[1024];
    size_t count = 0;

    CHECK(file);
    while (fgets(line, sizeof(line), file))
        count++;
    fclose(file);
    return count;
}
