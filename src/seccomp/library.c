/*
 * seccomp/library.c: libseccomp as a table of functions.
 *
 * Not linked: most starts find their compiled filter in the cache or have no profile, and a library in the link
 * map costs every start its relocation.  Never unloaded: the process is short-lived.
 */
#include "seccomp/library.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>

#include "base/dlopen_note.h"
#include "base/timeline.h"
#include "seccomp/seccomp.h"

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

const char *library_path(void)
{
    struct link_map *map;

    if (handle == NULL || dlinfo(handle, RTLD_DI_LINKMAP, &map) < 0 || map->l_name[0] != '/')
        return NULL;
    return map->l_name;
}

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
