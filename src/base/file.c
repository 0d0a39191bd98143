/* base/file.c: whole-file reads, atomic replacement, removal, all relative to directory fds. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

static int open_for_reading(int dirfd, const char *name)
{
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd < 0 ? -errno : fd;
}

/* `room` is for the first try: one byte more than what is expected tells the end from "full". */
static ssize_t read_to_end(int fd, size_t room, size_t limit, struct arena *arena, char **ret_data)
{
    char *data = arena_alloc(arena, room + 1);
    size_t used = 0;
    for (;;) {
        ssize_t got = fd_read_up_to(fd, data + used, room - used);
        if (got < 0)
            return got;
        used += (size_t)got;
        if (used > limit)
            return -EFBIG;
        if (used < room)
            break;
        data = arena_grow(arena, data, used, room * 2 + 1, 1);
        room *= 2;
    }
    data[used] = '\0';
    *ret_data = data;
    return (ssize_t)used;
}

ssize_t file_read_at(int dirfd, const char *name, size_t limit, struct arena *arena, char **ret_data)
{
    CLEANUP_FD int fd = open_for_reading(dirfd, name);
    if (fd < 0)
        return fd;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (st.st_size > 0 && (uint64_t)st.st_size > limit)
        return -EFBIG;
    /* Pseudo files say 0. */
    return read_to_end(fd, st.st_size > 0 ? (size_t)st.st_size + 1 : 4096, limit, arena, ret_data);
}

ssize_t file_read_stream(const char *path, size_t limit, struct arena *arena, char **ret_data)
{
    CLEANUP_FD int opened = -1;
    int fd = STDIN_FILENO;
    if (strcmp(path, "-") != 0) {
        opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        fd = opened;
        if (fd < 0)
            return -errno;
    }
    return read_to_end(fd, 65536, limit, arena, ret_data);
}

ssize_t file_read_line_at(int dirfd, const char *name, char *buffer, size_t size)
{
    CLEANUP_FD int fd = open_for_reading(dirfd, name);
    if (fd < 0)
        return fd;
    ssize_t length = fd_read_up_to(fd, buffer, size - 1);
    if (length < 0)
        return length;
    if (length > 0 && buffer[length - 1] == '\n')
        length--;
    buffer[length] = '\0';
    return length;
}

int file_write_at(int dirfd, const char *name, const char *data, size_t length)
{
    CLEANUP_FD int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, data, length);
    if (written < 0)
        return -errno;
    return (size_t)written == length ? 0 : -EIO;
}

int file_write_text_at(int dirfd, const char *name, const char *text)
{
    return file_write_at(dirfd, name, text, strlen(text));
}

int file_create_at(int dirfd, const char *name, mode_t mode, const void *data, size_t length)
{
    CLEANUP_FD int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return -errno;
    int r = fd_write_all(fd, data, length);
    if (r < 0)
        (void)unlinkat(dirfd, name, 0); /* the first failure is the one to report */
    return r;
}

int file_replace_at(int dirfd, const char *name, mode_t mode, const void *data, size_t length)
{
    char temporary[NAME_MAX + 1];
    int r = snprintf(temporary, sizeof(temporary), ".%s.%d", name, (int)getpid());
    if (r < 0 || (size_t)r >= sizeof(temporary))
        return -ENAMETOOLONG;
    r = file_create_at(dirfd, temporary, mode, data, length);
    /* A leftover of an earlier process with our pid, killed in between: ours to replace. */
    if (r == -EEXIST && unlinkat(dirfd, temporary, 0) == 0)
        r = file_create_at(dirfd, temporary, mode, data, length);
    if (r < 0)
        return r;
    if (renameat(dirfd, temporary, dirfd, name) == 0)
        return 0;
    r = -errno;
    (void)unlinkat(dirfd, temporary, 0); /* the first failure is the one to report */
    return r;
}

static bool is_self_or_parent(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A directory being removed: what is deeper than its own entries is first moved up to them, so that neither the
 * number of open descriptors nor the stack grows with the depth of the tree. */
struct removal {
    int top_fd;
    unsigned lifted; /* for names of what was moved up */
};

/* Removes a file, a link or an empty directory. */
static int remove_single(int dirfd, const char *name)
{
    if (unlinkat(dirfd, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int lift(struct removal *removal, int dirfd, const char *name)
{
    char lifted[32];
    for (;;) {
        snprintf(lifted, sizeof(lifted), ".removed.%u", removal->lifted++);
        if (renameat(dirfd, name, removal->top_fd, lifted) == 0)
            return 0;
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
            return -errno; /* else the name is taken */
    }
}

/* NULL with errno. */
static DIR *open_directory(int dirfd, const char *name)
{
    CLEANUP_FD int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory != NULL)
        (void)fd_steal(&fd); /* the stream closes it */
    return directory;
}

/* Removes one entry of the top directory. */
static int remove_entry(struct removal *removal, const char *name)
{
    int result = remove_single(removal->top_fd, name);
    if (result != -ENOTEMPTY && result != -EEXIST)
        return result;
    DIR *directory = open_directory(removal->top_fd, name);
    if (directory == NULL)
        return -errno;
    result = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (is_self_or_parent(entry->d_name))
            continue;
        int r = remove_single(dirfd(directory), entry->d_name);
        if (r == -ENOTEMPTY || r == -EEXIST)
            r = lift(removal, dirfd(directory), entry->d_name);
        if (r < 0 && r != -ENOENT && result == 0)
            result = r;
    }
    (void)closedir(directory); /* nothing was written through it */
    if (unlinkat(removal->top_fd, name, AT_REMOVEDIR) < 0 && result == 0)
        result = -errno;
    return result;
}

/* Passes over the directory until one removes nothing more. */
static int remove_content(DIR *directory)
{
    struct removal removal = {.top_fd = dirfd(directory)};
    int result;
    bool progress;
    do {
        const struct dirent *entry;
        result = 0;
        progress = false;
        rewinddir(directory);
        while ((entry = readdir(directory)) != NULL) {
            if (is_self_or_parent(entry->d_name))
                continue;
            int r = remove_entry(&removal, entry->d_name);
            if (r == 0)
                progress = true;
            else if (r != -ENOENT && result == 0)
                result = r;
        }
    } while (progress);
    return result;
}

int file_remove_tree_at(int dirfd, const char *name)
{
    int r = remove_single(dirfd, name);
    if (r != -ENOTEMPTY && r != -EEXIST)
        return r;
    DIR *directory = open_directory(dirfd, name);
    if (directory == NULL)
        return -errno;
    r = remove_content(directory);
    (void)closedir(directory); /* nothing was written through it */
    if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && r == 0)
        r = -errno;
    return r;
}

/* An existing directory is fine, another thing of that name is not. */
static int make_directory(const char *path, mode_t mode)
{
    struct stat st;
    if (mkdir(path, mode) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (stat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_make_directories(const char *path, mode_t mode)
{
    char prefix[PATH_MAX];
    size_t length = strlen(path);
    int r = make_directory(path, mode);
    if (r != -ENOENT || length == 0)
        return r;
    if (length >= sizeof(prefix))
        return -ENAMETOOLONG;
    memcpy(prefix, path, length + 1);
    for (char *slash = strchr(prefix + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        r = make_directory(prefix, mode);
        if (r < 0)
            return r;
        *slash = '/';
    }
    return make_directory(path, mode);
}
