/*
 * rootfs/mount_options.c: mount option words to attributes, superblock flags, propagation and data.
 *
 * Runs in: creator, and unit tests.  PURE: must not call the kernel.
 */
#include "rootfs/mount_options.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/kernel.h"
#include "base/text.h"
#include "rootfs/rootfs.h"

enum word_action {
    ATTRIBUTE_SET,
    ATTRIBUTE_CLEAR,
    ATIME_SET,   /* choose this access time mode */
    ATIME_CLEAR, /* if it is the mode chosen so far, go back to the kernel's default, relatime */
    SUPERBLOCK_SET,
    SUPERBLOCK_CLEAR,
    PROPAGATE,
    BIND,
    REMOUNT,
    COPY_UP,
    COPY_SYMLINK,
    IDMAP,
    NOTHING,
};

struct word {
    const char *name;
    enum word_action action;
    bool recursive;
    uint64_t value;
    unsigned superblock; /* read-only is both a mount's and a superblock's flag */
};

/* Sorted as the features document lists them; same order as rootfs_mount_option_words. */
static const struct word words[] = {
    {"async", SUPERBLOCK_CLEAR, false, SUPERBLOCK_SYNC, 0},
    {"atime", ATIME_CLEAR, false, MOUNT_ATTR_NOATIME, 0},
    {"bind", BIND, false, 0, 0},
    {"copy-symlink", COPY_SYMLINK, false, 0, 0},
    {"defaults", NOTHING, false, 0, 0},
    {"dev", ATTRIBUTE_CLEAR, false, MOUNT_ATTR_NODEV, 0},
    {"diratime", ATTRIBUTE_CLEAR, false, MOUNT_ATTR_NODIRATIME, 0},
    {"dirsync", SUPERBLOCK_SET, false, SUPERBLOCK_DIRSYNC, 0},
    {"exec", ATTRIBUTE_CLEAR, false, MOUNT_ATTR_NOEXEC, 0},
    {"idmap", IDMAP, false, IDMAP_THIS_MOUNT, 0},
    {"iversion", SUPERBLOCK_SET, false, SUPERBLOCK_IVERSION, 0},
    {"lazytime", SUPERBLOCK_SET, false, SUPERBLOCK_LAZYTIME, 0},
    {"loud", SUPERBLOCK_CLEAR, false, SUPERBLOCK_SILENT, 0},
    {"mand", SUPERBLOCK_SET, false, SUPERBLOCK_MAND, 0},
    {"noatime", ATIME_SET, false, MOUNT_ATTR_NOATIME, 0},
    {"nodev", ATTRIBUTE_SET, false, MOUNT_ATTR_NODEV, 0},
    {"nodiratime", ATTRIBUTE_SET, false, MOUNT_ATTR_NODIRATIME, 0},
    {"noexec", ATTRIBUTE_SET, false, MOUNT_ATTR_NOEXEC, 0},
    {"noiversion", SUPERBLOCK_CLEAR, false, SUPERBLOCK_IVERSION, 0},
    {"nolazytime", SUPERBLOCK_CLEAR, false, SUPERBLOCK_LAZYTIME, 0},
    {"nomand", SUPERBLOCK_CLEAR, false, SUPERBLOCK_MAND, 0},
    {"norelatime", ATIME_CLEAR, false, MOUNT_ATTR_RELATIME, 0},
    {"nostrictatime", ATIME_CLEAR, false, MOUNT_ATTR_STRICTATIME, 0},
    {"nosuid", ATTRIBUTE_SET, false, MOUNT_ATTR_NOSUID, 0},
    {"nosymfollow", ATTRIBUTE_SET, false, MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"private", PROPAGATE, false, MS_PRIVATE, 0},
    {"ratime", ATIME_CLEAR, true, MOUNT_ATTR_NOATIME, 0},
    {"rbind", BIND, true, 0, 0},
    {"rdev", ATTRIBUTE_CLEAR, true, MOUNT_ATTR_NODEV, 0},
    {"rdiratime", ATTRIBUTE_CLEAR, true, MOUNT_ATTR_NODIRATIME, 0},
    {"relatime", ATIME_SET, false, MOUNT_ATTR_RELATIME, 0},
    {"remount", REMOUNT, false, 0, 0},
    {"rexec", ATTRIBUTE_CLEAR, true, MOUNT_ATTR_NOEXEC, 0},
    {"ridmap", IDMAP, true, IDMAP_TREE, 0},
    {"rnoatime", ATIME_SET, true, MOUNT_ATTR_NOATIME, 0},
    {"rnodev", ATTRIBUTE_SET, true, MOUNT_ATTR_NODEV, 0},
    {"rnodiratime", ATTRIBUTE_SET, true, MOUNT_ATTR_NODIRATIME, 0},
    {"rnoexec", ATTRIBUTE_SET, true, MOUNT_ATTR_NOEXEC, 0},
    {"rnorelatime", ATIME_CLEAR, true, MOUNT_ATTR_RELATIME, 0},
    {"rnostrictatime", ATIME_CLEAR, true, MOUNT_ATTR_STRICTATIME, 0},
    {"rnosuid", ATTRIBUTE_SET, true, MOUNT_ATTR_NOSUID, 0},
    {"rnosymfollow", ATTRIBUTE_SET, true, MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"ro", ATTRIBUTE_SET, false, MOUNT_ATTR_RDONLY, SUPERBLOCK_READ_ONLY},
    {"rprivate", PROPAGATE, true, MS_PRIVATE, 0},
    {"rrelatime", ATIME_SET, true, MOUNT_ATTR_RELATIME, 0},
    {"rro", ATTRIBUTE_SET, true, MOUNT_ATTR_RDONLY, 0},
    {"rrw", ATTRIBUTE_CLEAR, true, MOUNT_ATTR_RDONLY, 0},
    {"rshared", PROPAGATE, true, MS_SHARED, 0},
    {"rslave", PROPAGATE, true, MS_SLAVE, 0},
    {"rstrictatime", ATIME_SET, true, MOUNT_ATTR_STRICTATIME, 0},
    {"rsuid", ATTRIBUTE_CLEAR, true, MOUNT_ATTR_NOSUID, 0},
    {"rsymfollow", ATTRIBUTE_CLEAR, true, MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"runbindable", PROPAGATE, true, MS_UNBINDABLE, 0},
    {"rw", ATTRIBUTE_CLEAR, false, MOUNT_ATTR_RDONLY, SUPERBLOCK_READ_ONLY},
    {"shared", PROPAGATE, false, MS_SHARED, 0},
    {"silent", SUPERBLOCK_SET, false, SUPERBLOCK_SILENT, 0},
    {"slave", PROPAGATE, false, MS_SLAVE, 0},
    {"strictatime", ATIME_SET, false, MOUNT_ATTR_STRICTATIME, 0},
    {"suid", ATTRIBUTE_CLEAR, false, MOUNT_ATTR_NOSUID, 0},
    {"symfollow", ATTRIBUTE_CLEAR, false, MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"sync", SUPERBLOCK_SET, false, SUPERBLOCK_SYNC, 0},
    {"tmpcopyup", COPY_UP, false, 0, 0},
    {"unbindable", PROPAGATE, false, MS_UNBINDABLE, 0},
};

const char *const rootfs_mount_option_words[] = {
    "async",        "atime",      "bind",       "copy-symlink", "defaults",       "dev",         "diratime",   "dirsync",
    "exec",         "idmap",      "iversion",   "lazytime",       "loud",        "mand",       "noatime",
    "nodev",        "nodiratime", "noexec",     "noiversion",     "nolazytime",  "nomand",     "norelatime",
    "nostrictatime", "nosuid",    "nosymfollow", "private",       "ratime",      "rbind",      "rdev",
    "rdiratime",    "relatime",   "remount",    "rexec",          "ridmap",      "rnoatime",   "rnodev",
    "rnodiratime",  "rnoexec",    "rnorelatime", "rnostrictatime", "rnosuid",    "rnosymfollow", "ro",
    "rprivate",     "rrelatime",  "rro",        "rrw",            "rshared",     "rslave",     "rstrictatime",
    "rsuid",        "rsymfollow", "runbindable", "rw",            "shared",      "silent",     "slave",
    "strictatime",  "suid",       "symfollow",  "sync",           "tmpcopyup",   "unbindable",
};
_Static_assert(ARRAY_LENGTH(rootfs_mount_option_words) == ARRAY_LENGTH(words), "one list, two forms");

size_t rootfs_mount_option_words_count(void)
{
    return ARRAY_LENGTH(rootfs_mount_option_words);
}

static const struct {
    enum superblock_flag flag;
    const char *key, *clear_key;
} superblock_keys[] = {
    {SUPERBLOCK_READ_ONLY, "ro", "rw"},         {SUPERBLOCK_SYNC, "sync", "async"},
    {SUPERBLOCK_LAZYTIME, "lazytime", "nolazytime"}, {SUPERBLOCK_MAND, "mand", "nomand"},
    {SUPERBLOCK_DIRSYNC, "dirsync", NULL},
};

const char *superblock_flag_key(enum superblock_flag flag)
{
    for (size_t i = 0; i < ARRAY_LENGTH(superblock_keys); i++)
        if (superblock_keys[i].flag == flag)
            return superblock_keys[i].key;
    return NULL;
}

const char *superblock_flag_clear_key(enum superblock_flag flag)
{
    for (size_t i = 0; i < ARRAY_LENGTH(superblock_keys); i++)
        if (superblock_keys[i].flag == flag)
            return superblock_keys[i].clear_key;
    return NULL;
}

static const struct word *word_find(const char *name)
{
    size_t low = 0, high = ARRAY_LENGTH(words);

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, words[middle].name);
        if (order == 0)
            return &words[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static void attribute_set(struct mount_attributes *attributes, uint64_t bit)
{
    attributes->set |= bit;
    attributes->clear &= ~bit;
}

static void attribute_clear(struct mount_attributes *attributes, uint64_t bit)
{
    attributes->clear |= bit;
    attributes->set &= ~bit;
}

/* Words that mean something to mount(8) and fstab only; the kernel must not see them.  What mount(8) makes of them
 * for root too: those that let users mount bring restrictions, which later words may lift. */
static bool mount_program_word(struct mount_options *options, const char *word)
{
    const uint64_t owned = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, anyones = owned | MOUNT_ATTR_NOEXEC;
    const struct {
        const char *name;
        uint64_t implied;
    } names[] = {
        {"auto", 0},      {"noauto", 0},  {"nofail", 0},  {"_netdev", 0},  {"comment", 0},
        {"nouser", 0},    {"nousers", 0}, {"noowner", 0}, {"nogroup", 0},  {"user", anyones},
        {"users", anyones}, {"owner", owned}, {"group", owned},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcmp(word, names[i].name) == 0) {
            attribute_set(&options->attributes, names[i].implied);
            return true;
        }
    return text_starts(word, "x-") || text_starts(word, "X-") || text_starts(word, "comment=");
}

static void atime_set(struct mount_attributes *attributes, uint64_t mode)
{
    attributes->clear |= MOUNT_ATTR__ATIME;
    attributes->set = (attributes->set & ~(uint64_t) MOUNT_ATTR__ATIME) | mode;
}

static void atime_clear(struct mount_attributes *attributes, uint64_t mode)
{
    bool another_chosen = (attributes->clear & MOUNT_ATTR__ATIME) && (attributes->set & MOUNT_ATTR__ATIME) != mode;

    if (!another_chosen)
        atime_set(attributes, MOUNT_ATTR_RELATIME);
}

static void attributes_forget(struct mount_attributes *attributes, uint64_t bits)
{
    attributes->set &= ~bits;
    attributes->clear &= ~bits;
}

static void attribute_word(struct mount_options *options, const struct word *word)
{
    struct mount_attributes *attributes = word->recursive ? &options->tree : &options->attributes;
    bool atime = word->action == ATIME_SET || word->action == ATIME_CLEAR;

    switch (word->action) {
    case ATTRIBUTE_SET:
        attribute_set(attributes, word->value);
        options->superblock_set |= word->superblock;
        options->superblock_clear &= ~word->superblock;
        break;
    case ATTRIBUTE_CLEAR:
        attribute_clear(attributes, word->value);
        options->superblock_clear |= word->superblock;
        options->superblock_set &= ~word->superblock;
        break;
    case ATIME_SET:
        atime_set(attributes, word->value);
        break;
    default:
        atime_clear(attributes, word->value);
        break;
    }
    /* A recursive word is about the top mount too: it overrides what an earlier plain word said of it. */
    if (word->recursive)
        attributes_forget(&options->attributes, atime ? MOUNT_ATTR__ATIME : word->value);
}

static void propagation_add(struct mount_options *options, const struct word *word, struct arena *arena)
{
    options->propagation = arena_grow_one(arena, options->propagation, options->propagation_count,
                                          sizeof(*options->propagation));
    options->propagation[options->propagation_count++] =
        (struct propagation){.kind = word->value, .recursive = word->recursive};
}

static void word_apply(struct mount_options *options, const struct word *word, struct arena *arena)
{
    switch (word->action) {
    case ATTRIBUTE_SET:
    case ATTRIBUTE_CLEAR:
    case ATIME_SET:
    case ATIME_CLEAR:
        attribute_word(options, word);
        break;
    case SUPERBLOCK_SET:
        options->superblock_set |= (unsigned) word->value;
        options->superblock_clear &= ~(unsigned) word->value;
        break;
    case SUPERBLOCK_CLEAR:
        options->superblock_clear |= (unsigned) word->value;
        options->superblock_set &= ~(unsigned) word->value;
        break;
    case PROPAGATE:
        propagation_add(options, word, arena);
        break;
    case BIND:
        options->bind = true;
        options->recursive |= word->recursive;
        break;
    case REMOUNT:
        options->remount = true;
        break;
    case COPY_UP:
        options->copy_up = true;
        break;
    case COPY_SYMLINK:
        options->copy_symlink = true;
        break;
    case IDMAP:
        options->idmap = (enum idmap_reach) word->value;
        options->uid_ranges = options->gid_ranges = (struct id_ranges){0};
        break;
    case NOTHING:
        break;
    }
}

/* Length of the first of the options that one word may hold: mount(2) takes them apart at commas, but for those in
 * quotes (security labels) or behind a backslash (overlay's directories). */
static size_t data_length_of_first(const char *text)
{
    bool quoted = false;
    size_t length = 0;

    for (; text[length] && (quoted || text[length] != ','); length++) {
        if (text[length] == '"')
            quoted = !quoted;
        else if (text[length] == '\\' && text[length + 1])
            length++;
    }
    return length;
}

/* As many as there can be. */
static size_t data_room(const struct strings *option_words)
{
    size_t room = option_words->count;

    for (size_t i = 0; i < option_words->count; i++)
        for (const char *comma = strchr(option_words->items[i], ','); comma; comma = strchr(comma + 1, ','))
            room++;
    return room;
}

static void data_add(struct mount_options *options, const struct strings *option_words, size_t index,
                     struct arena *arena)
{
    const char *rest = option_words->items[index];
    struct strings *data = &options->data;

    if (!data->items) {
        data->items = arena_alloc(arena, data_room(option_words) * sizeof(*data->items));
        options->first_data = index;
    }
    while (*rest) {
        size_t length = data_length_of_first(rest);
        if (length > 0) {
            data->items[data->count++] = arena_copy_n(arena, rest, length);
            options->mode_given |= text_starts(rest, "mode=");
        }
        rest += length + (rest[length] == ',' ? 1 : 0);
    }
}

/* Extensions of other runtimes.  Some are refused rather than handed to a filesystem that would blame the user for them.
 * 1: taken, 0: not one of these, -1. */
static int extension_word(struct mount_options *options, const char *word, const char *pointer, size_t index,
                          struct arena *arena, struct failure *why)
{
    bool tree = text_starts(word, "ridmap=");
    char at[sizeof(why->pointer)];

    snprintf(at, sizeof(at), "%s/options/%zu", pointer, index);
    if (tree || text_starts(word, "idmap=")) {
        options->idmap = tree ? IDMAP_TREE : IDMAP_THIS_MOUNT;
        if (id_ranges_read(strchr(word, '=') + 1, arena, &options->uid_ranges, &options->gid_ranges) == 0)
            return 1;
        fail_config(why, at, "mount option '%s' does not say which ids are mapped", word);
        return failure_hint(why, "write uids=FIRST-HOST-COUNT;gids=FIRST-HOST-COUNT, more ranges after a '#'");
    }
    if (strcmp(word, "src-nofollow") != 0 && strcmp(word, "dest-nofollow") != 0)
        return 0;
    fail_config(why, at, "mount option '%s' is not supported", word);
    return failure_hint(why, "leave it out; `crun-lite features` lists the options that it knows");
}

static int refuse_data(const char *pointer, size_t index, struct failure *why)
{
    (void)fail_config(why, pointer, "the filesystem's own mount options are longer than %d bytes together",
                      MOUNT_DATA_LIMIT); /* returned below */
    return failure_pointer(why, "%s/options/%zu", pointer, index);
}

int mount_options_read(const struct strings *option_words, const char *pointer, struct arena *arena,
                       struct mount_options *ret_options, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return mount_options_read_all(option_words, pointer, arena, ret_options, &first);
}

int mount_options_read_all(const struct strings *option_words, const char *pointer, struct arena *arena,
                           struct mount_options *ret_options, struct findings *findings)
{
    struct mount_options options = {0};
    size_t data_length = 0;

    for (size_t i = 0; i < option_words->count; i++) {
        const char *text = option_words->items[i];
        const struct word *word = word_find(text);

        if (text[0] == '\0' || mount_program_word(&options, text))
            continue;
        if (word) {
            word_apply(&options, word, arena);
            continue;
        }
        int taken = extension_word(&options, text, pointer, i, arena, findings->why);
        if (taken < 0 && found(findings, taken) < 0)
            return -1;
        if (taken != 0)
            continue;
        data_length += strlen(text) + 1;
        if (data_length > MOUNT_DATA_LIMIT) {
            if (found(findings, refuse_data(pointer, i, findings->why)) < 0)
                return -1;
            break;
        }
        data_add(&options, option_words, i, arena);
    }
    *ret_options = options;
    return 0;
}
