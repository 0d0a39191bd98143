/*
 * rootfs/plan.c: the spec's root, mounts, devices and paths as ordered steps.
 *
 * Runs in: creator, and unit tests.  PURE: must not call the kernel.  Refuses what cannot be meant, with the JSON
 * pointer, before anything exists.
 */
#include "rootfs/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/kernel.h"
#include "base/log.h"
#include "base/text.h"

#define POINTER_SIZE 64

char *path_clean(struct arena *arena, const char *path)
{
    char *out = arena_alloc(arena, strlen(path) + 2);
    size_t length = 0;

    while (*path) {
        size_t part;
        path += strspn(path, "/");
        part = strcspn(path, "/");
        if (part == 2 && path[0] == '.' && path[1] == '.') {
            while (length > 0 && out[--length] != '/')
                ;
        } else if (part > 0 && !(part == 1 && path[0] == '.')) {
            out[length++] = '/';
            memcpy(out + length, path, part);
            length += part;
        }
        path += part;
    }
    if (length == 0)
        out[length++] = '/';
    out[length] = '\0';
    return out;
}

bool path_is_below(const char *path, const char *above)
{
    size_t length = strlen(above);

    if (length == 1)
        return true;
    return strncmp(path, above, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* ---- root ---- */

static const char *path_from_bundle(struct arena *arena, const char *bundle, const char *path)
{
    return path[0] == '/' ? path : arena_format(arena, "%s/%s", bundle, path);
}

/* The four words, and the r-forms that containerd sends. */
static int plan_root_propagation(struct rootfs *rootfs, const char *word, struct failure *why)
{
    static const struct {
        const char *name;
        struct propagation propagation;
    } words[] = {
        {"private", {MS_PRIVATE, false}},   {"rprivate", {MS_PRIVATE, true}},
        {"slave", {MS_SLAVE, false}},       {"rslave", {MS_SLAVE, true}},
        {"shared", {MS_SHARED, false}},     {"rshared", {MS_SHARED, true}},
        {"unbindable", {MS_UNBINDABLE, false}}, {"runbindable", {MS_UNBINDABLE, true}},
    };

    if (!word || !*word)
        return 0;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (strcmp(word, words[i].name) == 0) {
            rootfs->root_propagation = words[i].propagation;
            return 0;
        }
    fail_config(why, "/linux/rootfsPropagation", "unknown root propagation '%s'", word);
    return failure_hint(why, "use one of shared, slave, private, unbindable");
}

static int refuse_without_namespace(const char *pointer, bool joined, struct failure *why)
{
    if (joined) {
        fail_config(why, pointer, "nothing can be mounted for a container that joins an existing mount namespace");
        return failure_hint(why, "remove it, or let the container have a new mount namespace");
    }
    fail_config(why, pointer, "a container without a mount namespace cannot have mounts of its own");
    return failure_hint(why, "add {\"type\": \"mount\"} to /linux/namespaces");
}

/* Where the mount namespace is the host's, or another container's, nothing may be changed in it. */
static int check_chroot_only(const struct spec *spec, bool joined, struct findings *findings)
{
    const struct {
        bool asked;
        const char *pointer;
    } rules[] = {
        {spec->mounts_count > 0, "/mounts/0"},
        {spec->linux.devices_count > 0, "/linux/devices/0"},
        {spec->linux.masked_paths.count > 0, "/linux/maskedPaths"},
        {spec->linux.readonly_paths.count > 0, "/linux/readonlyPaths"},
        {spec->root.readonly, "/root/readonly"},
    };

    /* What namespaces were meant is not known where one of them was refused. */
    if (findings_doubt(findings, "/linux/namespaces"))
        return 0;
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (rules[i].asked && found(findings, refuse_without_namespace(rules[i].pointer, joined, findings->why)) < 0)
            return -1;
    return 0;
}

static int plan_root(struct rootfs *rootfs, const struct spec *spec, const char *bundle, struct findings *findings)
{
    const struct spec_namespace *mount_ns = &spec->linux.namespaces[NS_MOUNT];

    if (!spec->root.path || !*spec->root.path) {
        if (found(findings, fail_config(findings->why, "/root/path", "root.path is missing")) < 0)
            return -1;
    } else {
        rootfs->root_path_host = path_from_bundle(rootfs->arena, bundle, spec->root.path);
    }
    rootfs->root_read_only = spec->root.readonly;
    if (!mount_ns->listed || mount_ns->path) {
        rootfs->entry = ROOT_CHROOT;
        return check_chroot_only(spec, mount_ns->path != NULL, findings);
    }
    return found(findings, plan_root_propagation(rootfs, spec->linux.rootfs_propagation, findings->why));
}

/* ---- mounts ---- */

/* What may be mounted below /proc: files that lxcfs and the like replace.  Anything else could redirect a label
 * or limit write (CVE-2019-16884, CVE-2025-52881). */
static bool target_below_proc_allowed(const char *target)
{
    static const char *const names[] = {
        "cpuinfo",  "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo",
        "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcmp(target + strlen("/proc/"), names[i]) == 0)
            return true;
    return false;
}

static int check_target(struct mount_step *step, const char *pointer, struct failure *why)
{
    const char *target = step->target_inside;
    bool new_procfs = step->kind == MOUNT_FILESYSTEM && text_equal(step->type, "proc");

    if (strcmp(target, "/") == 0 && step->kind != MOUNT_REMOUNT) {
        fail_config(why, pointer, "a mount over the container's root '/' would hide all of it");
        failure_hint(why, "give the directory as root.path instead");
        return failure_pointer(why, "%s/destination", pointer);
    }
    if (!path_is_below(target, "/proc") || step->kind == MOUNT_REMOUNT)
        return 0;
    if (strcmp(target, "/proc") == 0) {
        step->must_be_procfs = step->kind == MOUNT_BIND;
        if (new_procfs || step->kind == MOUNT_BIND)
            return 0;
        fail_config(why, pointer, "'/proc' must be of type proc, not '%s'", step->type);
        return failure_pointer(why, "%s/type", pointer);
    }
    if (target_below_proc_allowed(target))
        return 0;
    fail_config(why, pointer, "'%s' cannot be mounted over: it is inside /proc", target);
    failure_hint(why, "only cpuinfo, diskstats, loadavg, meminfo, slabinfo, stat, swaps, uptime, "
                      "sys/kernel/ns_last_pid and sys/crypto/fips_enabled can be replaced");
    return failure_pointer(why, "%s/destination", pointer);
}

static bool word_is_cgroup_option(const char *word)
{
    return strcmp(word, "nsdelegate") == 0 || text_starts(word, "memory_") || strcmp(word, "favordynmods") == 0;
}

static int refuse_copy(const struct mount_step *step, const char *option, const char *what_for, const char *pointer, struct failure *why)
{
    (void)fail_config(why, pointer, "option %s is for %s, mount at '%s' is none", option, what_for, step->target_inside); /* below */
    return failure_hint(why, "leave the option out");
}

static int check_bind(const struct mount_step *step, const struct spec_mount *mount, const char *pointer,
                      struct failure *why)
{
    if (!mount->source || !*mount->source) {
        fail_config(why, pointer, "bind mount at '%s' has no source", step->target_inside);
        return failure_pointer(why, "%s/source", pointer);
    }
    for (size_t i = 0; i < step->options.data.count; i++) {
        if (word_is_cgroup_option(step->options.data.items[i]))
            continue;
        fail_config(why, pointer,
                    "bind mount at '%s' has the filesystem option '%s', which a bind mount cannot change",
                    step->target_inside, step->options.data.items[i]);
        failure_hint(why, "remove the option, or correct its spelling");
        return failure_pointer(why, "%s/options/%zu", pointer, step->options.first_data);
    }
    return 0;
}

/* idmap=…: ranges of the option instead of the mount's members. */
static int plan_id_ranges(struct rootfs *rootfs, struct mount_step *step, const char *pointer, struct failure *why)
{
    const struct spec_linux *of = &rootfs->spec->linux;
    struct id_mappings *maps = arena_alloc(rootfs->arena, 2 * sizeof(*maps));

    if (id_ranges_resolve(&step->options.uid_ranges, &of->uid_mappings, rootfs->arena, &maps[0]) < 0 ||
        id_ranges_resolve(&step->options.gid_ranges, &of->gid_mappings, rootfs->arena, &maps[1]) < 0) {
        fail_config(why, pointer,
                    "the option idmap of the mount at '%s' counts in ids that the container's user namespace does not map",
                    step->target_inside);
        return failure_hint(why, "without '@' the ids are the host's");
    }
    step->uid_mappings = &maps[0];
    step->gid_mappings = &maps[1];
    return 0;
}

static int plan_idmap(struct rootfs *rootfs, struct mount_step *step, const struct spec_mount *mount,
                      const char *pointer, struct failure *why)
{
    bool mappings = mount->uid_mappings.count > 0 && mount->gid_mappings.count > 0;
    bool any = mount->mappings_set || mount->uid_mappings.count > 0 || mount->gid_mappings.count > 0;

    if (!any && step->options.idmap == IDMAP_NONE)
        return 0;
    if (step->kind != MOUNT_BIND) {
        return fail_config(why, pointer, "only bind mounts can have id mappings, '%s' is not one", step->target_inside);
    }
    if (step->options.uid_ranges.count > 0) {
        if (!any)
            return plan_id_ranges(rootfs, step, pointer, why);
        fail_config(why, pointer, "mount at '%s' says twice how its ids are mapped", step->target_inside);
        return failure_hint(why, "with uidMappings and gidMappings the option is idmap alone");
    }
    if (any && !mappings) {
        fail_config(why, pointer,
                    "mount at '%s' needs both uidMappings and gidMappings, with at least one entry each",
                    step->target_inside);
        return failure_pointer(why, "%s/%s", pointer, mount->uid_mappings.count ? "gidMappings" : "uidMappings");
    }
    if (!any && !rootfs->in_user_ns) {
        fail_config(why, pointer, "mount at '%s' has the option idmap, but there are no mappings for it",
                    step->target_inside);
        return failure_hint(why, "give the mount uidMappings and gidMappings, or the container a user namespace");
    }
    if (step->options.idmap == IDMAP_NONE)
        step->options.idmap = IDMAP_THIS_MOUNT;
    if (mappings) {
        step->uid_mappings = &mount->uid_mappings;
        step->gid_mappings = &mount->gid_mappings;
    } else if (rootfs->around.new_user_ns) {
        step->uid_mappings = &rootfs->spec->linux.uid_mappings;
        step->gid_mappings = &rootfs->spec->linux.gid_mappings;
    }
    return 0;
}

static void propagation_add(struct rootfs *rootfs, struct mount_step *step, uint64_t kind, bool recursive)
{
    step->propagation = arena_grow_one(rootfs->arena, step->propagation, step->propagation_count,
                                       sizeof(*step->propagation));
    step->propagation[step->propagation_count++] = (struct propagation){.kind = kind, .recursive = recursive};
}

/* A clone of a shared mount is its peer: what is mounted on it inside would show on the host.  So unless the
 * bundle asks for a shared root, the whole clone first becomes a slave (private when nothing else is asked), and
 * the words of the options act on that. */
static void plan_propagation(struct rootfs *rootfs, struct mount_step *step)
{
    const struct mount_options *options = &step->options;
    uint64_t root_kind = rootfs->root_propagation.kind;
    const struct propagation *first = options->propagation;
    bool asked = options->propagation_count > 0;
    bool first_takes_all = asked && (first->recursive || !options->recursive) && first->kind != MS_SHARED;
    bool hosts_events = asked || root_kind == MS_SLAVE || root_kind == MS_SHARED;
    bool skip_private = step->kind != MOUNT_BIND && step->kind != MOUNT_REMOUNT;

    if (step->kind == MOUNT_BIND && !first_takes_all && !(asked && root_kind == MS_SHARED))
        propagation_add(rootfs, step, hosts_events ? MS_SLAVE : MS_PRIVATE, true);
    for (size_t i = 0; i < options->propagation_count; i++) {
        const struct propagation *item = &options->propagation[i];
        /* A new filesystem's mount is private already and has no master. */
        if (skip_private && (item->kind == MS_PRIVATE || item->kind == MS_SLAVE))
            continue;
        skip_private = false;
        propagation_add(rootfs, step, item->kind, item->recursive);
    }
}

static enum mount_kind mount_kind_of(const struct spec_mount *mount, const struct mount_options *options)
{
    if (options->remount)
        return MOUNT_REMOUNT;
    if (options->bind)
        return MOUNT_BIND;
    if (text_equal(mount->type, "cgroup") || text_equal(mount->type, "cgroup2"))
        return MOUNT_CGROUP;
    return MOUNT_FILESYSTEM;
}

static int plan_filesystem(struct rootfs *rootfs, struct mount_step *step, const char *pointer, struct failure *why)
{
    bool tmpfs = text_equal(step->type, "tmpfs");
    bool kernels_own = text_equal(step->type, "proc") || text_equal(step->type, "sysfs");

    if (!step->type || !*step->type) {
        fail_config(why, pointer, "mount at '%s' has no type", step->target_inside);
        failure_hint(why, "give a filesystem type, or the option bind or rbind");
        return failure_pointer(why, "%s/type", pointer);
    }
    if (text_equal(step->type, "bind")) {
        fail_config(why, pointer, "mount at '%s' has the type bind, but the kernel has no filesystem of this type",
                    step->target_inside);
        failure_hint(why, "what makes a bind mount is the option bind or rbind");
        return failure_pointer(why, "%s/type", pointer);
    }
    if (step->options.copy_up && !tmpfs)
        return fail_config(why, pointer, "option tmpcopyup is for tmpfs, mount at '%s' is %s", step->target_inside,
                           step->type);
    /* CVE-2019-19921, CVE-2023-27561: an image's symbolic link must not decide where proc or sysfs goes;
     * CVE-2026-41579: nor where the nodes of /dev do. */
    if (kernels_own || strcmp(step->target_inside, "/dev") == 0)
        step->target_links = PATH_NO_LINKS;
    if (!kernels_own && !text_equal(step->type, "mqueue") && step->kind == MOUNT_FILESYSTEM)
        step->label = rootfs->mount_label;
    step->take_mode = tmpfs && !step->options.mode_given;
    /* Written to until sealed: nodes in /dev, copy-up, mount points of later entries. */
    if (tmpfs && (step->options.attributes.set & MOUNT_ATTR_RDONLY)) {
        step->options.attributes.set &= ~(uint64_t) MOUNT_ATTR_RDONLY;
        step->seal_read_only = true;
    }
    /* A read-only mount is enough for the kernel's own filesystems; their superblocks may be the host's. */
    if (tmpfs || kernels_own || step->kind == MOUNT_CGROUP || text_equal(step->type, "mqueue") ||
        text_equal(step->type, "devpts"))
        step->options.superblock_set &= ~(unsigned) SUPERBLOCK_READ_ONLY;
    /* Nothing in them has a version, or anything to say: no reason to mount them by mount(2). */
    if (kernels_own)
        step->options.superblock_set &= ~(unsigned) (SUPERBLOCK_IVERSION | SUPERBLOCK_SILENT);
    return 0;
}

static int plan_by_kind(struct rootfs *rootfs, struct mount_step *step, const struct spec_mount *mount,
                        const char *pointer, const char *bundle, struct failure *why)
{
    if (step->options.copy_up && (step->kind == MOUNT_BIND || step->kind == MOUNT_REMOUNT))
        return refuse_copy(step, "tmpcopyup", "a new tmpfs", pointer, why);
    if (step->options.copy_symlink && step->kind != MOUNT_BIND)
        return refuse_copy(step, "copy-symlink", "a bind mount", pointer, why);
    switch (step->kind) {
    case MOUNT_BIND:
        if (check_bind(step, mount, pointer, why) < 0)
            return -1;
        step->source = path_from_bundle(rootfs->arena, bundle, mount->source);
        return 0;
    case MOUNT_REMOUNT:
        return 0; /* plan_remounts sees to it when all are there */
    case MOUNT_FILESYSTEM:
    case MOUNT_CGROUP:
    default:
        return plan_filesystem(rootfs, step, pointer, why);
    }
}

/* A mount with findings is not part of the plan: a caller that wants all of them carries nothing out. */
static int plan_mount(struct rootfs *rootfs, const struct spec_mount *mount, size_t index, const char *bundle,
                      struct findings *findings)
{
    struct mount_step *step = &rootfs->mounts[rootfs->mounts_count];
    size_t before = findings->seen;
    char pointer[POINTER_SIZE];

    snprintf(pointer, sizeof(pointer), "/mounts/%zu", index);
    *step = (struct mount_step){.index = index, .type = mount->type, .source = mount->source, .tree_fd = -1};
    if (!mount->destination || !*mount->destination)
        return found(findings, fail_config(findings->why, pointer, "mount has no destination"));
    if (mount->destination[0] != '/')
        log_warning("%s/destination: '%s' is not absolute, taken relative to '/' (deprecated)", pointer,
                    mount->destination);
    step->target_inside = path_clean(rootfs->arena, mount->destination);
    if (mount_options_read_all(&mount->options, pointer, rootfs->arena, &step->options, findings) < 0)
        return -1;
    step->kind = mount_kind_of(mount, &step->options);
    if (found(findings, plan_by_kind(rootfs, step, mount, pointer, bundle, findings->why)) < 0 ||
        found(findings, check_target(step, pointer, findings->why)) < 0 ||
        found(findings, plan_idmap(rootfs, step, mount, pointer, findings->why)) < 0)
        return -1;
    plan_propagation(rootfs, step);
    rootfs->mounts_count += findings->seen == before;
    return 0;
}

/* A remount of what an earlier entry will only make read-only at the end changes that intent. */
static void plan_remount(struct mount_step *earlier, struct mount_step *step)
{
    if (!text_equal(earlier->type, "tmpfs") || earlier->kind != MOUNT_FILESYSTEM)
        return;
    if (step->options.attributes.set & MOUNT_ATTR_RDONLY) {
        earlier->seal_read_only = true;
        step->options.attributes.set &= ~(uint64_t) MOUNT_ATTR_RDONLY;
    } else if (step->options.attributes.clear & MOUNT_ATTR_RDONLY) {
        earlier->seal_read_only = false;
    }
}

static int compare_targets(const void *left, const void *right)
{
    const struct mount_step *a = *(struct mount_step *const *) left, *b = *(struct mount_step *const *) right;
    int order = strcmp(a->target_inside, b->target_inside);

    return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Sorted, since a config may hold a hundred thousand. */
static void plan_remounts(struct rootfs *rootfs)
{
    struct mount_step **sorted, *mounted = NULL;
    size_t remounts = 0;

    for (size_t i = 0; i < rootfs->mounts_count; i++)
        remounts += rootfs->mounts[i].kind == MOUNT_REMOUNT;
    if (remounts == 0)
        return;
    sorted = arena_alloc(rootfs->arena, rootfs->mounts_count * sizeof(struct mount_step *));
    for (size_t i = 0; i < rootfs->mounts_count; i++)
        sorted[i] = &rootfs->mounts[i];
    qsort(sorted, rootfs->mounts_count, sizeof(struct mount_step *), compare_targets);
    for (size_t i = 0; i < rootfs->mounts_count; i++) {
        if (sorted[i]->kind != MOUNT_REMOUNT)
            mounted = sorted[i];
        else if (mounted && strcmp(mounted->target_inside, sorted[i]->target_inside) == 0)
            plan_remount(mounted, sorted[i]);
    }
}

static int plan_mounts(struct rootfs *rootfs, const struct spec *spec, const char *bundle, struct findings *findings)
{
    rootfs->mounts = arena_alloc(rootfs->arena, (spec->mounts_count + 1) * sizeof(*rootfs->mounts));
    for (size_t i = 0; i < spec->mounts_count; i++)
        if (plan_mount(rootfs, &spec->mounts[i], i, bundle, findings) < 0)
            return -1;
    plan_remounts(rootfs);
    return 0;
}

/* ---- the rest ---- */

/* No mount made inside of the root directory can cover it: it would look applied, and not be. */
static int check_path(const char *path, const char *pointer, const char *hint_for_root, struct arena *arena, struct failure *why)
{
    if (path[0] != '/')
        return fail_config(why, pointer, "path '%s' is not absolute", path);
    if (strcmp(path_clean(arena, path), "/") != 0)
        return 0;
    (void)fail_config(why, pointer, "path '%s' names the container's root, which cannot be mounted over", path); /* below */
    return failure_hint(why, "%s", hint_for_root);
}

static int check_paths(const struct strings *paths, const char *pointer, const char *hint_for_root, struct arena *arena,
                       struct findings *findings)
{
    for (size_t i = 0; i < paths->count; i++) {
        if (check_path(paths->items[i], pointer, hint_for_root, arena, findings->why) == 0)
            continue;
        if (found(findings, failure_pointer(findings->why, "%s/%zu", pointer, i)) < 0)
            return -1;
    }
    return 0;
}

void rootfs_set_cgroup(struct rootfs *rootfs, const char *cgroup_path)
{
    rootfs->around.cgroup_path = cgroup_path;
}

int rootfs_plan(const struct spec *spec, const char *bundle, const struct rootfs_surroundings *around,
                struct arena *arena, struct rootfs **ret_rootfs, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return rootfs_plan_all(spec, bundle, around, arena, ret_rootfs, &first);
}

int rootfs_plan_all(const struct spec *spec, const char *bundle, const struct rootfs_surroundings *around,
                    struct arena *arena, struct rootfs **ret_rootfs, struct findings *findings)
{
    struct rootfs *rootfs = arena_alloc(arena, sizeof(*rootfs));
    const struct spec_namespace *namespaces = spec->linux.namespaces;

    rootfs->arena = arena;
    rootfs->spec = spec;
    rootfs->around = *around;
    rootfs->in_user_ns = around->new_user_ns || around->joined_user_ns;
    rootfs->bind_devices = rootfs->in_user_ns;
    rootfs->new_pid_ns = namespaces[NS_PID].listed;
    rootfs->own_cgroup_ns = around->new_cgroup_ns || (namespaces[NS_CGROUP].listed && !around->host_cgroup_ns);
    rootfs->joined_user_ns_path = namespaces[NS_USER].path;
    rootfs->read_only_paths = &spec->linux.readonly_paths;
    rootfs->masked_paths = &spec->linux.masked_paths;
    rootfs->mount_label = spec->linux.mount_label && *spec->linux.mount_label ? spec->linux.mount_label : NULL;
    rootfs->root_fd = rootfs->null_fd = rootfs->mask_fd = -1;

    if (plan_root(rootfs, spec, bundle, findings) < 0 || plan_mounts(rootfs, spec, bundle, findings) < 0 ||
        check_paths(&spec->linux.masked_paths, "/linux/maskedPaths", "name what is to be hidden below it", arena, findings) < 0 ||
        check_paths(&spec->linux.readonly_paths, "/linux/readonlyPaths", "set /root/readonly instead", arena, findings) < 0)
        return -1;
    if (plan_dev(rootfs, spec, findings) < 0)
        return -1;
    *ret_rootfs = rootfs;
    return 0;
}
