/*
 * seccomp/cache.c: compiled profiles on disk, because compiling is the dearest step of a start.
 *
 * Runs in: creator, host side.  An entry is named by a hash of its key and contains the whole key: two profiles
 * with one name only displace each other, neither is ever loaded for the other.  The key is length-prefixed, so
 * no two profiles have one key; leaving a member out or joining strings would load the wrong filter.
 *
 * The program is trusted as much as a profile is, so only what our own effective uid wrote is read: directory and
 * file are owned by it, others cannot write, symbolic links are not followed.  The checksum is against torn and
 * decayed files, not against an attacker.
 */
#include "seccomp/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/timeline.h"
#include "seccomp/build.h"
#include "seccomp/library.h"

#define MAGIC "crun-lite bpf 1\n" /* 16 bytes; the number changes with the layout or with what build.c generates */
#define HASH_SEED 0xcbf29ce484222325u
#define ENTRIES_MAX 64
#define ENTRY_SIZE_MAX ((size_t)4 * 1024 * 1024)
#define NAME_LENGTH 16

struct header {
    char magic[16];
    uint64_t checksum; /* of everything after it */
    uint32_t key_length, library_length, instructions, flags, notify, reserved;
};

/* ---- key ---- */

static void key_number(struct text *key, uint64_t value)
{
    text_add_n(key, (const char *)&value, sizeof(value));
}

static void key_string(struct text *key, const char *string)
{
    if (string == NULL) {
        key_number(key, UINT64_MAX);
        return;
    }
    key_number(key, strlen(string));
    text_add_n(key, string, strlen(string));
}

static void key_optional(struct text *key, const struct optional_u64 *optional)
{
    key_number(key, optional->set);
    key_number(key, optional->set ? optional->value : 0);
}

static void key_strings(struct text *key, const struct strings *strings)
{
    key_number(key, strings->count);
    for (size_t i = 0; i < strings->count; i++)
        key_string(key, strings->items[i]);
}

static void key_rule(struct text *key, const struct spec_seccomp_rule *rule)
{
    key_strings(key, &rule->names);
    key_string(key, rule->action);
    key_optional(key, &rule->errno_ret);
    key_number(key, rule->args_count);
    for (size_t i = 0; i < rule->args_count; i++) {
        key_number(key, rule->args[i].index);
        key_number(key, rule->args[i].value);
        key_number(key, rule->args[i].value_two);
        key_string(key, rule->args[i].op);
    }
}

void cache_key(const struct spec_seccomp *seccomp, struct text *key)
{
    struct utsname kernel;

    memset(&kernel, 0, sizeof(kernel));
    (void)uname(&kernel); /* fails for a bad address only */
    key_string(key, PACKAGE_VERSION);
    key_string(key, CRUN_LITE_COMMIT);
    key_string(key, kernel.machine);
    key_string(key, kernel.release);
    key_string(key, kernel.version);
    key_string(key, seccomp->default_action);
    key_optional(key, &seccomp->default_errno_ret);
    key_strings(key, &seccomp->architectures);
    key_number(key, seccomp->flags_set);
    key_strings(key, &seccomp->flags);
    key_number(key, seccomp->syscalls_count);
    for (size_t i = 0; i < seccomp->syscalls_count; i++)
        key_rule(key, &seccomp->syscalls[i]);
}

/* ---- content ---- */

/* Parts are padded so that the program is aligned wherever the content starts on 8 bytes. */
static size_t padded(size_t length)
{
    return (length + 7) & ~(size_t)7;
}

static void add_padded(struct text *out, const void *data, size_t length)
{
    static const char zeros[8];

    text_add_n(out, data, length);
    text_add_n(out, zeros, padded(length) - length);
}

static uint64_t content_checksum(const void *data, size_t length)
{
    size_t from = offsetof(struct header, key_length);
    return text_hash(HASH_SEED, (const char *)data + from, length - from);
}

void cache_encode(const struct text *key, const char *library, const struct seccomp_filter *filter, struct text *out)
{
    struct header header = {
        .magic = {0},
        .key_length = (uint32_t)key->length,
        .library_length = (uint32_t)strlen(library) + 1,
        .instructions = (uint32_t)filter->instructions,
        .flags = filter->flags,
        .notify = filter->notify,
    };

    memcpy(header.magic, MAGIC, sizeof(header.magic));
    add_padded(out, &header, sizeof(header));
    add_padded(out, key->data, key->length);
    add_padded(out, library, header.library_length);
    add_padded(out, filter->program, filter->instructions * sizeof(struct sock_filter));
    header.checksum = content_checksum(out->data, out->length);
    memcpy(out->data + offsetof(struct header, checksum), &header.checksum, sizeof(header.checksum));
}

bool cache_decode(const void *data, size_t length, const struct text *key, const char **ret_library,
                  struct seccomp_filter *ret_filter)
{
    const char *content = data, *library;
    struct header header;
    size_t key_at = padded(sizeof(header)), library_at, program_at;

    if (length < key_at || length > ENTRY_SIZE_MAX)
        return false;
    memcpy(&header, content, sizeof(header));
    if (memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0 || header.key_length != key->length ||
        header.library_length == 0 || header.instructions == 0 || header.instructions > BPF_MAXINSNS)
        return false;
    library_at = key_at + padded(header.key_length);
    program_at = library_at + padded(header.library_length);
    if (length != program_at + padded((size_t)header.instructions * sizeof(struct sock_filter)))
        return false;
    library = content + library_at;
    if (memcmp(content + key_at, key->data, key->length) != 0 || library[header.library_length - 1] != '\0' ||
        header.checksum != content_checksum(data, length))
        return false;
    *ret_library = library;
    *ret_filter = (struct seccomp_filter){
        .program = content + program_at,
        .instructions = header.instructions,
        .flags = header.flags,
        .notify = header.notify != 0,
    };
    return true;
}

/* ---- files ---- */

static bool directory_usable(int directory)
{
    struct stat status;

    if (directory < 0)
        return false;
    if (fstat(directory, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
        (status.st_mode & 077) == 0)
        return true;
    log_debug("seccomp: the cache directory is not ours alone (owner %u, mode %o), compiling", (unsigned)status.st_uid,
              (unsigned)status.st_mode);
    return false;
}

/* The whole entry in arena memory, or NULL. */
static const char *entry_read(int directory, const char *name, struct arena *arena, size_t *ret_length)
{
    struct stat status;
    char *data;
    ssize_t got;
    /* O_NONBLOCK: a fifo under that name must not stop us. */
    CLEANUP_FD int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &status) < 0)
        return NULL;
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 022) != 0 ||
        status.st_size > (off_t)ENTRY_SIZE_MAX)
        return NULL;
    data = arena_alloc(arena, (size_t)status.st_size + 1);
    got = fd_read_up_to(fd, data, (size_t)status.st_size);
    if (got != status.st_size)
        return NULL;
    *ret_length = (size_t)got;
    return data;
}

static bool entry_load(int directory, const char *name, const struct text *key, struct arena *arena,
                       struct seccomp_filter *ret_filter)
{
    const char *library;
    struct seccomp_filter filter;
    size_t length = 0;
    TIMELINE_SLICE(SLICE_FILTER_LOOKUP, NULL);
    const char *data = entry_read(directory, name, arena, &length);

    if (data == NULL || !cache_decode(data, length, key, &library, &filter) || !library_unchanged(library))
        return false;
    *ret_filter = filter;
    return true;
}

/* Profiles change with every update of an engine; when the old ones have piled up all go and those in use come
 * back. */
static void entries_bound(int directory)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    unsigned count = 0;

    if (listing == NULL) {
        fd_close(&fd);
        return;
    }
    while (readdir(listing) != NULL)
        count++;
    if (count > ENTRIES_MAX) {
        rewinddir(listing);
        while ((entry = readdir(listing)) != NULL)
            if (strlen(entry->d_name) == NAME_LENGTH &&
                strspn(entry->d_name, "0123456789abcdef") == NAME_LENGTH)
                (void)unlinkat(directory, entry->d_name, 0); /* another process may have been faster */
    }
    (void)closedir(listing); /* nothing was written through it */
}

static void entry_store(int directory, const char *name, const struct text *key, const struct seccomp_filter *filter)
{
    char library[LIBRARY_IDENTITY_SIZE];
    struct text content = {0};
    int err;

    if (!library_identity(library, sizeof(library)))
        return;
    entries_bound(directory);
    cache_encode(key, library, filter, &content);
    err = content.length <= ENTRY_SIZE_MAX ? file_replace_at(directory, name, 0600, content.data, content.length) : -EFBIG;
    if (err < 0)
        log_debug("seccomp: the compiled profile is not kept: %s", text_errno(-err));
    text_done(&content);
}

int seccomp_build_cached(const struct spec_seccomp *seccomp, int cache_dir_fd, struct arena *arena,
                         struct seccomp_filter *ret_filter, struct failure *why)
{
    char name[NAME_LENGTH + 1];
    struct text key = {0};
    int result = 0;

    if (!directory_usable(cache_dir_fd))
        return seccomp_build(seccomp, arena, ret_filter, why);
    if (seccomp_check(seccomp, why) < 0)
        return -1;
    cache_key(seccomp, &key);
    snprintf(name, sizeof(name), "%016llx", (unsigned long long)text_hash(HASH_SEED, key.data, key.length));
    if (!entry_load(cache_dir_fd, name, &key, arena, ret_filter)) {
        result = build_compile(seccomp, BUILD_TREE, arena, ret_filter, why);
        if (result == 0)
            entry_store(cache_dir_fd, name, &key, ret_filter);
    }
    text_done(&key);
    return result;
}
