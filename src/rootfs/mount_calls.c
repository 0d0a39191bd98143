/*
 * rootfs/mount_calls.c: trees, attributes and filesystems by file descriptor.
 *
 * Runs in: creator and init.  Must not: take a path that a container has a say in; targets are fds, so there is no
 * string to race with and no fallback to one (CVE-2021-30465).
 */
#include "rootfs/mount_calls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/text.h"
#include "rootfs/mount_options.h"

#define FSCONFIG_VALUE_LIMIT 255

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef FSPICK_CLOEXEC
#define FSPICK_CLOEXEC 1
#endif
#ifndef FSPICK_EMPTY_PATH
#define FSPICK_EMPTY_PATH 8
#endif
#ifndef SYS_fspick
#define SYS_fspick 433
#endif

static int or_errno(int result)
{
    return result < 0 ? -errno : result;
}

static unsigned clone_flags(const char *path, enum tree_reach reach)
{
    return OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (path[0] ? 0 : AT_EMPTY_PATH) | (reach == TREE_ALL ? AT_RECURSIVE : 0);
}

static struct mount_attr attributes_of(const struct tree_change *change)
{
    return (struct mount_attr){
        .attr_set = change->set,
        .attr_clr = change->clear,
        .propagation = change->propagation,
        .userns_fd = change->set & MOUNT_ATTR_IDMAP ? (uint64_t) change->user_ns_fd : 0,
    };
}

static bool changes_nothing(const struct tree_change *change)
{
    return !change->set && !change->clear && !change->propagation;
}

int tree_clone(int dir_fd, const char *path, enum tree_reach reach)
{
    return or_errno(kernel_open_tree(dir_fd, path, clone_flags(path, reach)));
}

int tree_change(int tree_fd, const struct tree_change *change, enum tree_reach reach)
{
    struct mount_attr attr = attributes_of(change);

    if (changes_nothing(change))
        return 0;
    unsigned flags = AT_EMPTY_PATH | (reach == TREE_ALL ? AT_RECURSIVE : 0);
    return or_errno(kernel_mount_setattr(tree_fd, "", flags, &attr));
}

int tree_clone_changed(int dir_fd, const char *path, const struct tree_change *change, enum tree_reach reach, bool *ret_cloned)
{
    static bool lacking; /* the call; what fails otherwise is told apart by two */
    struct mount_attr attr = attributes_of(change);

    *ret_cloned = false;
    if (!lacking && !changes_nothing(change)) {
        int both = kernel_open_tree_attr(dir_fd, path, clone_flags(path, reach), &attr);
        if (both >= 0)
            return both;
        lacking = errno == ENOSYS;
    }
    CLEANUP_FD int tree_fd = tree_clone(dir_fd, path, reach);
    if (tree_fd < 0)
        return tree_fd;
    *ret_cloned = true;
    int result = tree_change(tree_fd, change, reach);
    return result < 0 ? result : fd_steal(&tree_fd);
}

int tree_attach(int tree_fd, int target_fd)
{
    const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

    return or_errno(kernel_move_mount(tree_fd, "", target_fd, "", flags));
}

int tree_attach_at(int tree_fd, int dir_fd, const char *name)
{
    return or_errno(kernel_move_mount(tree_fd, "", dir_fd, name, MOVE_MOUNT_F_EMPTY_PATH));
}

int tree_change_at_root(uint64_t propagation)
{
    struct mount_attr attr = {.propagation = propagation};

    return or_errno(kernel_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr));
}

/* The context's messages are "e text", "w text", "i text"; the last error says what was wrong. */
static void trouble_read(int context_fd, struct filesystem_trouble *trouble)
{
    char message[sizeof(trouble->words) + 3];
    ssize_t length;

    while ((length = read(context_fd, message, sizeof(message) - 1)) > 0) {
        message[length] = '\0';
        if (length < 3 || message[0] != 'e')
            continue;
        if (message[length - 1] == '\n')
            message[length - 1] = '\0';
        text_sanitize(trouble->words, sizeof(trouble->words), message + 2);
    }
}

static int config_set(int context_fd, const char *key, const char *value, struct filesystem_trouble *trouble)
{
    unsigned command = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

    if (kernel_fsconfig(context_fd, command, key, value, 0) == 0)
        return 0;
    int result = -errno;
    snprintf(trouble->key, sizeof(trouble->key), "%s", key);
    trouble_read(context_fd, trouble);
    return result;
}

/* "key=value" or "key". */
static int config_set_word(int context_fd, const char *word, struct filesystem_trouble *trouble)
{
    const char *equals = strchr(word, '=');
    char key[FSCONFIG_VALUE_LIMIT + 1];

    if (!equals)
        return config_set(context_fd, word, NULL, trouble);
    if ((size_t) (equals - word) >= sizeof(key))
        return -EINVAL;
    memcpy(key, word, (size_t) (equals - word));
    key[equals - word] = '\0';
    return config_set(context_fd, key, equals + 1, trouble);
}

static int config_set_superblock(int context_fd, const struct filesystem *filesystem,
                                 struct filesystem_trouble *trouble)
{
    int result = 0;

    for (unsigned flag = 1; flag <= SUPERBLOCK_SILENT && result == 0; flag <<= 1) {
        const char *key = NULL;
        if (filesystem->superblock & flag)
            key = superblock_flag_key((enum superblock_flag) flag);
        else if (filesystem->superblock_clear & flag)
            key = superblock_flag_clear_key((enum superblock_flag) flag);
        if (key)
            result = config_set(context_fd, key, NULL, trouble);
    }
    return result;
}

static int config_set_all(int context_fd, const struct filesystem *filesystem, struct filesystem_trouble *trouble)
{
    char mode[16];
    int result = 0;

    if (filesystem->source)
        result = config_set(context_fd, "source", filesystem->source, trouble);
    if (result == 0)
        result = config_set_superblock(context_fd, filesystem, trouble);
    for (size_t i = 0; result == 0 && filesystem->data && i < filesystem->data->count; i++)
        result = config_set_word(context_fd, filesystem->data->items[i], trouble);
    if (result == 0 && filesystem->mode >= 0) {
        snprintf(mode, sizeof(mode), "%o", (unsigned) filesystem->mode);
        result = config_set(context_fd, "mode", mode, trouble);
    }
    if (result == 0 && filesystem->label)
        result = config_set(context_fd, "context", filesystem->label, trouble);
    return result;
}

static int config_command(int context_fd, unsigned command, struct filesystem_trouble *trouble)
{
    int result = or_errno(kernel_fsconfig(context_fd, command, NULL, NULL, 0));

    if (result < 0)
        trouble_read(context_fd, trouble);
    return result;
}

int filesystem_new(const struct filesystem *filesystem, struct filesystem_trouble *trouble)
{
    CLEANUP_FD int context_fd = kernel_fsopen(filesystem->type, FSOPEN_CLOEXEC);

    *trouble = (struct filesystem_trouble){0};
    if (context_fd < 0) {
        trouble->unknown_type = errno == ENODEV;
        return -errno;
    }
    int result = config_set_all(context_fd, filesystem, trouble);
    if (result == 0)
        result = config_command(context_fd, FSCONFIG_CMD_CREATE, trouble);
    if (result < 0)
        return result;
    return or_errno(kernel_fsmount(context_fd, FSMOUNT_CLOEXEC, (unsigned) filesystem->attributes));
}

int filesystem_change(int mount_fd, const struct filesystem *filesystem, struct filesystem_trouble *trouble)
{
    CLEANUP_FD int context_fd = (int) syscall(SYS_fspick, mount_fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);

    *trouble = (struct filesystem_trouble){0};
    if (context_fd < 0)
        return -errno;
    int result = config_set_all(context_fd, filesystem, trouble);
    return result == 0 ? config_command(context_fd, FSCONFIG_CMD_RECONFIGURE, trouble) : result;
}

bool filesystem_needs_mount(const struct filesystem *filesystem)
{
    if (filesystem->superblock & (SUPERBLOCK_IVERSION | SUPERBLOCK_SILENT))
        return true;
    for (size_t i = 0; filesystem->data && i < filesystem->data->count; i++) {
        const char *equals = strchr(filesystem->data->items[i], '=');
        if (equals && strlen(equals + 1) > FSCONFIG_VALUE_LIMIT)
            return true;
    }
    return false;
}

static const struct {
    uint64_t attribute;
    unsigned long flag;
} mount_flags[] = {
    {MOUNT_ATTR_NOSUID, MS_NOSUID},     {MOUNT_ATTR_NODEV, MS_NODEV},       {MOUNT_ATTR_NOEXEC, MS_NOEXEC},
    {MOUNT_ATTR_NOATIME, MS_NOATIME},   {MOUNT_ATTR_STRICTATIME, MS_STRICTATIME},
    {MOUNT_ATTR_NODIRATIME, MS_NODIRATIME}, {MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW},
};
static const struct {
    unsigned superblock;
    unsigned long flag;
} superblock_flags[] = {
    {SUPERBLOCK_SYNC, MS_SYNCHRONOUS}, {SUPERBLOCK_DIRSYNC, MS_DIRSYNC},   {SUPERBLOCK_LAZYTIME, MS_LAZYTIME},
    {SUPERBLOCK_MAND, MS_MANDLOCK},    {SUPERBLOCK_IVERSION, MS_I_VERSION}, {SUPERBLOCK_SILENT, MS_SILENT},
    {SUPERBLOCK_READ_ONLY, MS_RDONLY},
};

static unsigned long classic_flags(const struct filesystem *filesystem)
{
    unsigned long flags = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(mount_flags); i++)
        if (filesystem->attributes & mount_flags[i].attribute)
            flags |= mount_flags[i].flag;
    for (size_t i = 0; i < ARRAY_LENGTH(superblock_flags); i++)
        if (filesystem->superblock & superblock_flags[i].superblock)
            flags |= superblock_flags[i].flag;
    return flags;
}

int filesystem_mount(const struct filesystem *filesystem, int target_fd)
{
    CLEANUP_FD int directory_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct text data = {0};
    int result = 0;

    for (size_t i = 0; filesystem->data && i < filesystem->data->count; i++)
        text_format(&data, "%s%s", i ? "," : "", filesystem->data->items[i]);
    if (filesystem->mode >= 0)
        text_format(&data, "%smode=%o", data.length ? "," : "", (unsigned) filesystem->mode);
    if (filesystem->label)
        text_format(&data, "%scontext=\"%s\"", data.length ? "," : "", filesystem->label);
    /* "." is the directory held by target_fd, whatever happened to its path meanwhile. */
    if (directory_fd < 0 || fchdir(target_fd) < 0 ||
        mount(filesystem->source ? filesystem->source : "none", ".", filesystem->type, classic_flags(filesystem),
              data.data) < 0)
        result = -errno;
    text_done(&data);
    if (directory_fd >= 0 && fchdir(directory_fd) < 0 && result == 0)
        result = -errno;
    return result;
}

int mount_detach(const char *path_host)
{
    return or_errno(umount2(path_host, MNT_DETACH | UMOUNT_NOFOLLOW));
}
