/* cmd/documents.c: spec and features. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/cmd.h"
#include "process/process.h"
#include "rootfs/rootfs.h"
#include "seccomp/seccomp.h"
#include "spec/documents.h"

static struct {
    const char *bundle;
    bool rootless;
} given;

static const struct option_row spec_options[] = {
    {"bundle", 'b', OPTION_TEXT, &given.bundle, "DIR", "write into DIR (default: the current directory)"},
    {"rootless", 0, OPTION_FLAG, &given.rootless, NULL, "a config that an ordinary user can run"},
};

/* O_EXCL: what is there is somebody's work. */
static int write_config(int directory, const char *text, size_t length, struct failure *why)
{
    CLEANUP_FD int fd = openat(directory, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) {
        fail_sys(why, "write config.json");
        return failure_hint(why, "it is left as it is: move it away first");
    }
    if (fd < 0)
        return fail_sys(why, "write config.json");
    int r = fd_write_all(fd, text, length);
    if (r == 0)
        return 0;
    (void)unlinkat(directory, "config.json", 0); /* half a file is worse than none; the write's failure is reported */
    return fail_errno(why, r, "write config.json");
}

static int run_spec(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    (void)runtime; /* makes no container */
    (void)argv;    /* there are none */
    if (arguments_check(&command_spec, argc, 0, 0, why) < 0)
        return -1;
    const char *path = given.bundle != NULL ? given.bundle : ".";
    CLEANUP_FD int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return fail_sys(why, "open bundle '%s'", path);
    struct json_writer *writer = json_writer_new(JSON_PRETTY);
    struct default_config wanted = {.rootless = given.rootless, .host_uid = geteuid(), .host_gid = getegid()};
    document_default_config(writer, &wanted);
    size_t length;
    const char *text = json_result(writer, &length);
    int r = write_config(directory, text, length, why);
    json_writer_free(writer);
    return r;
}

static size_t words_count(const char *const *words)
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    return count;
}

static int run_features(const struct runtime *runtime, int argc, char **argv, struct failure *why)
{
    (void)runtime; /* the same for every state root */
    (void)argv;    /* there are none */
    if (arguments_check(&command_features, argc, 0, 0, why) < 0)
        return -1;
    const char *supported_flags[16];
    size_t supported = 0;
    for (size_t i = 0; seccomp_flag_words[i] != NULL && supported < ARRAY_LENGTH(supported_flags); i++)
        if (seccomp_flag_supported(seccomp_flag_words[i]))
            supported_flags[supported++] = seccomp_flag_words[i];
    struct features features = {
        .version = VERSION,
        .commit = CRUN_LITE_COMMIT,
        .mount_options = rootfs_mount_option_words,
        .mount_options_count = rootfs_mount_option_words_count(),
        .capabilities = caps_words,
        .capabilities_count = words_count(caps_words),
        .seccomp_actions = seccomp_action_words,
        .seccomp_actions_count = words_count(seccomp_action_words),
        .seccomp_operators = seccomp_operator_words,
        .seccomp_operators_count = words_count(seccomp_operator_words),
        .seccomp_archs = seccomp_arch_words,
        .seccomp_archs_count = words_count(seccomp_arch_words),
        .seccomp_known_flags = seccomp_flag_words,
        .seccomp_known_flags_count = words_count(seccomp_flag_words),
        .seccomp_supported_flags = supported_flags,
        .seccomp_supported_flags_count = supported,
        .libseccomp_version = seccomp_library_version(),
#ifdef HAVE_SYSTEMD
        .systemd = true,
#endif
        .apparmor = true,
        .selinux = true,
        .intel_rdt = true,
        .memory_policy = true,
        .net_devices = true,
        .idmap = true,
    };
    struct json_writer *writer = json_writer_new(JSON_PRETTY);
    document_features(writer, &features);
    int r = output_document(writer, why);
    json_writer_free(writer);
    return r;
}

const struct command command_spec = {
    .name = "spec",
    .arguments = "[OPTIONS]",
    .summary = "Write a default config.json",
    .options = spec_options,
    .options_count = ARRAY_LENGTH(spec_options),
    .stateless = true,
    .run = run_spec,
};

const struct command command_features = {
    .name = "features",
    .arguments = "",
    .summary = "Print what this runtime can do, as JSON",
    .stateless = true,
    .run = run_features,
};
