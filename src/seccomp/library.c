/*
 * seccomp/library.c: libseccomp as a table of functions.
 *
 * Not linked as a shared object: most starts find their compiled filter in the cache or have no profile, and a library in
 * the link map costs every start its relocation.  Never unloaded: the process is short-lived.
 */
#include "seccomp/library.h"

#include <stdio.h>

#include "base/text.h"
#include "seccomp/seccomp.h"

#ifdef BUILT_IN_SECCOMP

/* Not there before libseccomp 2.6. */
extern int seccomp_export_bpf_mem(const scmp_filter_ctx context, void *buffer, size_t *length) __attribute__((weak));

int library_open(const struct library **ret_library, struct failure *why)
{
    static struct library built_in;

    (void)why; /* it is always there */
    built_in = (struct library){
        .version = seccomp_version,
        .init = seccomp_init,
        .release = seccomp_release,
        .attr_set = seccomp_attr_set,
        .arch_add = seccomp_arch_add,
        .arch_exist = seccomp_arch_exist,
        .arch_native = seccomp_arch_native,
        .resolve_name = seccomp_syscall_resolve_name,
        .resolve_name_arch = seccomp_syscall_resolve_name_arch,
        .rule_add_array = seccomp_rule_add_array,
        .export_bpf = seccomp_export_bpf,
        .export_bpf_mem = seccomp_export_bpf_mem,
    };
    *ret_library = &built_in;
    return 0;
}

bool library_identity(char *line, size_t size)
{
    const struct scmp_version *version = seccomp_version();
    int length = snprintf(line, size, "built in: %u.%u.%u", version->major, version->minor, version->micro);

    return length > 0 && (size_t)length < size;
}

bool library_unchanged(const char *line)
{
    char now[LIBRARY_IDENTITY_SIZE];

    return library_identity(now, sizeof(now)) && text_equal(line, now);
}

#else

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>

#include "base/dlopen_note.h"
#include "base/timeline.h"

#define SONAME "libseccomp.so.2"

DLOPEN_NOTE("seccomp", "Compiles the system call filter of a container", "recommended", SONAME);

static struct library loaded;
static void *handle;

static int library_symbol(const char *name, void *ret_function, struct failure *why)
{
    void *function = dlsym(handle, name);

    if (function == NULL)
        return fail(why, FAILURE_HOST, "%s has no `%s`: it is older than 2.5", SONAME, name);
    *(void **)ret_function = function; /* POSIX's own way from dlsym's object pointer to a function pointer */
    return 0;
}

static int library_fill(struct failure *why)
{
    struct library table = {0};

    if (library_symbol("seccomp_version", &table.version, why) < 0 ||
        library_symbol("seccomp_init", &table.init, why) < 0 ||
        library_symbol("seccomp_release", &table.release, why) < 0 ||
        library_symbol("seccomp_attr_set", &table.attr_set, why) < 0 ||
        library_symbol("seccomp_arch_add", &table.arch_add, why) < 0 ||
        library_symbol("seccomp_arch_exist", &table.arch_exist, why) < 0 ||
        library_symbol("seccomp_arch_native", &table.arch_native, why) < 0 ||
        library_symbol("seccomp_syscall_resolve_name", &table.resolve_name, why) < 0 ||
        library_symbol("seccomp_syscall_resolve_name_arch", &table.resolve_name_arch, why) < 0 ||
        library_symbol("seccomp_rule_add_array", &table.rule_add_array, why) < 0 ||
        library_symbol("seccomp_export_bpf", &table.export_bpf, why) < 0)
        return -1;
    *(void **)&table.export_bpf_mem = dlsym(handle, "seccomp_export_bpf_mem");
    loaded = table;
    return 0;
}

int library_open(const struct library **ret_library, struct failure *why)
{
    TIMELINE_SLICE(SLICE_LIBRARY, SONAME);
    if (handle == NULL)
        handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        fail(why, FAILURE_HOST, "the seccomp profile cannot be compiled: %s", dlerror());
        failure_hint(why, "install libseccomp (Debian: libseccomp2, Fedora: libseccomp)");
        return -1;
    }
    if (loaded.init == NULL && library_fill(why) < 0)
        return -1;
    *ret_library = &loaded;
    return 0;
}

static bool file_identity(const char *path, char *line, size_t size)
{
    struct stat status;
    int length;

    if (stat(path, &status) < 0)
        return false;
    length = snprintf(line, size, "%llu:%llu %lld %lld.%09ld %lld.%09ld %s", (unsigned long long)status.st_dev,
                      (unsigned long long)status.st_ino, (long long)status.st_size, (long long)status.st_mtim.tv_sec,
                      status.st_mtim.tv_nsec, (long long)status.st_ctim.tv_sec, status.st_ctim.tv_nsec, path);
    return length > 0 && (size_t)length < size;
}

bool library_identity(char *line, size_t size)
{
    struct link_map *map;

    /* As the dynamic linker names it. */
    return handle != NULL && dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map->l_name[0] == '/' &&
           file_identity(map->l_name, line, size);
}

bool library_unchanged(const char *line)
{
    char now[LIBRARY_IDENTITY_SIZE];
    const char *path = strchr(line, '/');

    return path != NULL && file_identity(path, now, sizeof(now)) && text_equal(line, now);
}

#endif

const char *seccomp_library_version(void)
{
    static char text[40];
    const struct library *library;
    const struct scmp_version *version;
    struct failure ignored;

    if (library_open(&library, &ignored) < 0)
        return NULL;
    version = library->version();
    snprintf(text, sizeof(text), "%u.%u.%u", version->major, version->minor, version->micro);
    return text;
}
