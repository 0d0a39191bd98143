/* The documents that we write: the default config passes our own reader and checks, the features document has the
 * members that the specification's schema names, with their types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "spec/documents.h"
#include "spec/json_table.h"
#include "spec/read.h"

#include <cmocka.h> /* last: its fail() macro hides ours */

static void parse_default(const struct default_config *wanted, enum json_style style, struct spec *spec)
{
    struct failure why = {0};
    struct json_writer *writer = json_writer_new(style);
    size_t length;
    document_default_config(writer, wanted);
    const char *text = json_result(writer, &length);
    if (spec_parse(text, length, spec, &why) < 0 || spec_check(spec, &why) < 0)
        fail_msg("%s: %s\n%s", why.pointer, why.text, text);
    json_writer_free(writer);
}

static const struct spec_mount *mount_at(const struct spec *spec, const char *destination)
{
    for (size_t i = 0; i < spec->mounts_count; i++)
        if (text_equal(spec->mounts[i].destination, destination))
            return &spec->mounts[i];
    fail_msg("no mount at %s", destination);
    return NULL;
}

static bool has_option(const struct spec_mount *mount, const char *option)
{
    for (size_t i = 0; i < mount->options.count; i++)
        if (text_equal(mount->options.items[i], option))
            return true;
    return false;
}

static void default_config(void **state)
{
    (void)state;
    for (int style = JSON_COMPACT; style <= JSON_PRETTY; style++) {
        struct spec spec;
        parse_default(&(struct default_config){.rootless = false}, style, &spec);
        assert_string_equal(spec.oci_version, SPEC_VERSION);
        assert_string_equal(spec.root.path, "rootfs");
        assert_true(spec.root.readonly);
        assert_string_equal(spec.hostname, "crun-lite");
        assert_true(spec.process.terminal && spec.process.no_new_privileges);
        assert_string_equal(spec.process.args.items[0], "sh");
        assert_string_equal(spec.process.cwd, "/");
        assert_int_equal(spec.process.capabilities.bounding.count, 3);
        assert_int_equal(spec.process.capabilities.effective.count, 3);
        assert_int_equal(spec.process.capabilities.permitted.count, 3);
        assert_int_equal(spec.process.capabilities.inheritable.count, 0);
        assert_int_equal(spec.process.capabilities.ambient.count, 0);
        assert_true(spec.process.rlimits_count == 1 && spec.process.rlimits[0].hard == 1024);
        for (int type = 0; type < NS_TYPES; type++)
            assert_int_equal(spec.linux.namespaces[type].listed, type != NS_USER && type != NS_TIME);
        assert_int_equal(spec.linux.resources.devices_count, 1);
        assert_false(spec.linux.resources.devices[0].allow);
        assert_int_equal(spec.linux.resources.devices[0].type, 'a');
        assert_int_equal(spec.mounts_count, 7);
        assert_true(has_option(mount_at(&spec, "/dev/pts"), "gid=5"));
        assert_string_equal(mount_at(&spec, "/sys")->type, "sysfs");
        assert_true(has_option(mount_at(&spec, "/sys/fs/cgroup"), "ro"));
        assert_true(spec.linux.masked_paths.count >= 10 && spec.linux.readonly_paths.count == 5);
        spec_done(&spec);
    }
}

static void rootless_config(void **state)
{
    struct spec spec;
    (void)state;
    parse_default(&(struct default_config){true, 1000, 4294967294u}, JSON_PRETTY, &spec);
    assert_true(spec.linux.namespaces[NS_USER].listed);
    assert_false(spec.linux.namespaces[NS_NETWORK].listed);
    assert_int_equal(spec.linux.uid_mappings.count, 1);
    assert_true(spec.linux.uid_mappings.items[0].host == 1000 && spec.linux.uid_mappings.items[0].size == 1);
    assert_true(spec.linux.gid_mappings.items[0].host == 4294967294u && spec.linux.gid_mappings.items[0].inside == 0);
    assert_false(spec.linux.resources.set);
    assert_false(has_option(mount_at(&spec, "/dev/pts"), "gid=5"));
    assert_true(has_option(mount_at(&spec, "/sys"), "rbind"));
    assert_true(has_option(mount_at(&spec, "/sys"), "rro"));
    assert_string_equal(mount_at(&spec, "/sys")->source, "/sys");
    spec_done(&spec);
}

/* ---- features: read back by a table that requires every member ---- */

struct seen_features {
    char *min, *max;
    struct strings hooks, mount_options, namespaces, capabilities, actions, operators, archs, known, supported, modes, flags;
    struct strings unsafe;
    bool v1, v2, systemd, systemd_user, rdma, seccomp, apparmor, selinux, rdt, schemata, monitoring, idmap, net;
    struct string_map annotations;
};
#define F struct seen_features
#define WORDS(name, field) JSON_TEXTS(F, name, field, .flags = JSON_REQUIRED)
#define FLAG(name, field) JSON_FIELD(F, name, JSON_BOOL, field, .flags = JSON_REQUIRED)
#define PART(name, part) JSON_INLINE(name, part, .flags = JSON_REQUIRED)
#define TYPE(name, ...)                                                                                        \
    static const struct json_member name##_rows[] = {__VA_ARGS__};                                             \
    static const struct json_object name = {JSON_TABLE(F, name##_rows), .unknown = "a member of no schema"}

TYPE(cgroup, FLAG("v1", v1), FLAG("v2", v2), FLAG("systemd", systemd), FLAG("systemdUser", systemd_user), FLAG("rdma", rdma));
TYPE(seccomp_part, FLAG("enabled", seccomp), WORDS("actions", actions), WORDS("operators", operators), WORDS("archs", archs),
     WORDS("knownFlags", known), WORDS("supportedFlags", supported));
TYPE(apparmor_part, FLAG("enabled", apparmor));
TYPE(selinux_part, FLAG("enabled", selinux));
TYPE(policy, WORDS("modes", modes), WORDS("flags", flags));
TYPE(rdt_part, FLAG("enabled", rdt), FLAG("schemata", schemata), FLAG("monitoring", monitoring));
TYPE(idmap_part, FLAG("enabled", idmap));
TYPE(extensions, PART("idmap", idmap_part));
TYPE(net_part, FLAG("enabled", net));
TYPE(linux_part, WORDS("namespaces", namespaces), WORDS("capabilities", capabilities), PART("cgroup", cgroup),
     PART("seccomp", seccomp_part), PART("apparmor", apparmor_part), PART("selinux", selinux_part),
     PART("memoryPolicy", policy), PART("intelRdt", rdt_part), PART("mountExtensions", extensions),
     PART("netDevices", net_part));
static const struct json_member features_rows[] = {
    JSON_FIELD(F, "ociVersionMin", JSON_STRING, min, .flags = JSON_REQUIRED),
    JSON_FIELD(F, "ociVersionMax", JSON_STRING, max, .flags = JSON_REQUIRED),
    WORDS("hooks", hooks),
    WORDS("mountOptions", mount_options),
    PART("linux", linux_part),
    JSON_PAIRS(F, "annotations", annotations, .flags = JSON_REQUIRED),
    WORDS("potentiallyUnsafeConfigAnnotations", unsafe),
};
static const struct json_object features_type = {
    .document = "features", JSON_TABLE(F, features_rows), .unknown = "a member of no schema"};

static const char *annotation(const struct seen_features *seen, const char *key)
{
    for (size_t i = 0; i < seen->annotations.count; i++)
        if (text_equal(seen->annotations.items[i].key, key))
            return seen->annotations.items[i].value;
    return NULL;
}

static void read_features(const struct features *given, struct arena *arena, struct seen_features *seen)
{
    struct failure why = {0};
    struct json_writer *writer = json_writer_new(JSON_PRETTY);
    size_t length;
    document_features(writer, given);
    const char *text = json_result(writer, &length);
    memset(seen, 0, sizeof(*seen));
    if (json_read(&features_type, text, length, arena, seen, &why) < 0)
        fail_msg("%s: %s\n%s", why.pointer, why.text, text);
    json_writer_free(writer);
}

static void features_document(void **state)
{
    static const char *const words[] = {"one", "two", "three"};
    struct features given = {
        .version = "0.1.0", .commit = "abc",
        .mount_options = words, .mount_options_count = 3, .capabilities = words, .capabilities_count = 2,
        .seccomp_actions = words, .seccomp_actions_count = 1, .seccomp_operators = words, .seccomp_operators_count = 2,
        .seccomp_archs = words, .seccomp_archs_count = 3, .seccomp_known_flags = words, .seccomp_known_flags_count = 2,
        .seccomp_supported_flags = words, .seccomp_supported_flags_count = 1, .libseccomp_version = "2.5.4",
        .systemd = true, .apparmor = true, .memory_policy = true, .idmap = true,
    };
    struct arena arena = {0};
    struct seen_features seen;
    (void)state;
    read_features(&given, &arena, &seen);
    assert_string_equal(seen.min, "1.0.0");
    assert_string_equal(seen.max, SPEC_VERSION);
    assert_int_equal(seen.hooks.count, HOOK_KINDS);
    assert_string_equal(seen.hooks.items[HOOK_POSTSTOP], "poststop");
    assert_int_equal(seen.namespaces.count, NS_TYPES);
    assert_int_equal(seen.mount_options.count, 3);
    assert_int_equal(seen.capabilities.count, 2);
    assert_true(seen.actions.count == 1 && seen.operators.count == 2 && seen.archs.count == 3);
    assert_true(seen.known.count == 2 && seen.supported.count == 1);
    assert_true(seen.modes.count == 7 && seen.flags.count == 3);
    assert_true(!seen.v1 && seen.v2 && seen.systemd && seen.systemd_user && seen.rdma && seen.seccomp);
    assert_true(seen.apparmor && !seen.selinux && seen.idmap && !seen.net && !seen.rdt);
    size_t effective = 0;
    while (spec_effective_annotations[effective] != NULL)
        effective++;
    assert_int_equal(seen.unsafe.count, effective);
    assert_string_equal(seen.unsafe.items[0], ANNOTATION_STOP_SIGNAL);
    assert_string_equal(annotation(&seen, "run.oci.crun-lite.version"), "0.1.0");
    assert_string_equal(annotation(&seen, "io.github.seccomp.libseccomp.version"), "2.5.4");
    assert_string_equal(annotation(&seen, "org.opencontainers.runc.checkpoint.enabled"), "false");

    given = (struct features){.version = "0", .commit = "", .selinux = true, .intel_rdt = true, .net_devices = true};
    read_features(&given, &arena, &seen);
    assert_true(seen.modes.count == 0 && seen.flags.count == 0 && seen.known.count == 0);
    assert_true(!seen.systemd && !seen.systemd_user && !seen.apparmor && seen.selinux && !seen.idmap);
    assert_true(seen.net && seen.rdt && seen.schemata && seen.monitoring);
    assert_null(annotation(&seen, "io.github.seccomp.libseccomp.version"));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_config),
        cmocka_unit_test(rootless_config),
        cmocka_unit_test(features_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
