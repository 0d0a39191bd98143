/* spec/table_config.c: config.json itself: version, root, mounts, hooks, annotations, and the parts. */
#include <string.h>

#include "spec/tables.h"

const char *const hook_kind_names[HOOK_KINDS] = {
    [HOOK_PRESTART] = "prestart",
    [HOOK_CREATE_RUNTIME] = "createRuntime",
    [HOOK_CREATE_CONTAINER] = "createContainer",
    [HOOK_START_CONTAINER] = "startContainer",
    [HOOK_POSTSTART] = "poststart",
    [HOOK_POSTSTOP] = "poststop",
};

const char *const spec_effective_annotations[] = {
    ANNOTATION_STOP_SIGNAL,
#ifdef HAVE_SYSTEMD
    ANNOTATION_SYSTEMD_PROPERTY,
#endif
    ANNOTATION_KEEP_GROUPS,
    NULL,
};

/* Digits without a leading zero; NULL when there are none. */
static const char *skip_number(const char *at)
{
    size_t digits = strspn(at, "0123456789");
    return digits == 0 || (digits > 1 && at[0] == '0') ? NULL : at + digits;
}

/* The identifiers of a -prerelease or +build, separated by dots, none of them empty; NULL when they are not that.
 * A number among those of a prerelease has no leading zero. */
static const char *skip_identifiers(const char *at, bool prerelease)
{
    static const char digits[] = "0123456789";
    static const char letters[] = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (;; at++) {
        size_t length = strspn(at, letters);
        if (length == 0 || (prerelease && length > 1 && at[0] == '0' && strspn(at, digits) == length))
            return NULL;
        at += length;
        if (*at != '.')
            return at;
    }
}

/* SemVer 2.0.0; of its majors only 1 is compatible with us. */
static const char *check_version(const char *value)
{
    static const char expected[] = "a version 1.MINOR.PATCH such as " SPEC_VERSION;
    const char *at = value[0] == '1' ? value + 1 : NULL;
    for (int part = 0; at != NULL && part < 2; part++)
        at = *at == '.' ? skip_number(at + 1) : NULL;
    if (at != NULL && *at == '-')
        at = skip_identifiers(at + 1, true);
    if (at != NULL && *at == '+')
        at = skip_identifiers(at + 1, false);
    return at != NULL && *at == '\0' ? NULL : expected;
}

static const struct json_member root_members[] = {
    JSON_FIELD(struct spec, "path", JSON_STRING, root.path, .flags = JSON_REQUIRED | JSON_NON_EMPTY),
    JSON_FIELD(struct spec, "readonly", JSON_BOOL, root.readonly),
};
static const struct json_object root = {JSON_TABLE(struct spec, root_members)};

static const char *finish_mount(void *target, const struct json_seen *seen)
{
    struct spec_mount *mount = target;
    bool uid = json_has(seen, "uidMappings"), gid = json_has(seen, "gidMappings");
    if (uid != gid)
        return uid ? "\"uidMappings\" needs \"gidMappings\" beside it"
                   : "\"gidMappings\" needs \"uidMappings\" beside it";
    mount->mappings_set = uid;
    return NULL;
}

static const struct json_member mount_members[] = {
    JSON_FIELD(struct spec_mount, "destination", JSON_STRING, destination, .flags = JSON_REQUIRED | JSON_NON_EMPTY),
    JSON_FIELD(struct spec_mount, "source", JSON_STRING, source, .flags = JSON_EMPTY_IS_ABSENT),
    JSON_FIELD(struct spec_mount, "type", JSON_STRING, type, .flags = JSON_EMPTY_IS_ABSENT),
    JSON_TEXTS(struct spec_mount, "options", options),
    JSON_LIST(struct spec_mount, "uidMappings", uid_mappings.items, uid_mappings.count, table_id_mapping),
    JSON_LIST(struct spec_mount, "gidMappings", gid_mappings.items, gid_mappings.count, table_id_mapping),
};
static const struct json_object mount = {JSON_TABLE(struct spec_mount, mount_members), .finish = finish_mount};

/* The timeout ends in milliseconds in an int. */
static const struct json_member hook_members[] = {
    JSON_FIELD(struct spec_hook, "path", JSON_STRING, path, .flags = JSON_REQUIRED | JSON_ABSOLUTE),
    JSON_TEXTS(struct spec_hook, "args", args, .present = JSON_AT(struct spec_hook, args_set)),
    JSON_TEXTS(struct spec_hook, "env", env, .present = JSON_AT(struct spec_hook, env_set)),
    JSON_NUMBER(struct spec_hook, "timeout", JSON_OPTIONAL_I64, timeout, 1, INT32_MAX / 1000),
};
static const struct json_object hook = {JSON_TABLE(struct spec_hook, hook_members)};

#define HOOKS(name, kind) JSON_LIST(struct spec, name, hooks[kind].items, hooks[kind].count, hook)

static const struct json_member hooks_members[] = {
    HOOKS("prestart", HOOK_PRESTART),
    HOOKS("createRuntime", HOOK_CREATE_RUNTIME),
    HOOKS("createContainer", HOOK_CREATE_CONTAINER),
    HOOKS("startContainer", HOOK_START_CONTAINER),
    HOOKS("poststart", HOOK_POSTSTART),
    HOOKS("poststop", HOOK_POSTSTOP),
};
static const struct json_object hooks = {JSON_TABLE(struct spec, hooks_members)};

static const struct json_member config_members[] = {
    JSON_FIELD(struct spec, "ociVersion", JSON_STRING, oci_version, .flags = JSON_REQUIRED, .check = check_version),
    JSON_INLINE("root", root, .flags = JSON_REQUIRED, .present = JSON_AT(struct spec, root.set)),
    JSON_LIST(struct spec, "mounts", mounts, mounts_count, mount),
    JSON_NESTED(struct spec, "process", process, table_process, .flags = JSON_LOOSE, .present = JSON_AT(struct spec, process.set)),
    JSON_FIELD(struct spec, "hostname", JSON_STRING, hostname, .flags = JSON_EMPTY_IS_ABSENT),
    JSON_FIELD(struct spec, "domainname", JSON_STRING, domainname, .flags = JSON_EMPTY_IS_ABSENT),
    JSON_INLINE("hooks", hooks),
    JSON_PAIRS(struct spec, "annotations", annotations),
    JSON_NESTED(struct spec, "linux", linux, table_linux, .present = JSON_AT(struct spec, linux.set)),
    JSON_NESTED(struct spec, "vm", vm, table_vm, .present = JSON_AT(struct spec, vm.set)),
};
const struct json_object table_config = {.document = "config.json", JSON_TABLE(struct spec, config_members)};
