/*
 * ns/mnl.c: libmnl as a table of functions.
 *
 * Not linked: hardly a start moves network devices, and a library in the link map costs every start its
 * relocation.  Never unloaded: the process is short-lived.  Runs in the creator.
 */
#include "ns/mnl.h"

#include "base/dlopen_note.h"
#include "base/timeline.h"

#define SONAME "libmnl.so.0"

DLOPEN_NOTE("netdevices", "Moves network devices into a container", "suggested", SONAME);

#ifdef STATIC_PROGRAM

#include "base/twin.h"

int mnl_load(const struct mnl **ret_mnl, struct failure *why)
{
    (void)ret_mnl; /* the twin loads it */
    IGNORE_RESULT(twin_take_over(why)); /* returns only with a failure */
    return failure_pointer(why, "/linux/netDevices");
}

#else

#include <dlfcn.h>

static struct mnl loaded;
static void *handle;

static int mnl_symbol(const char *name, void *ret_function, struct failure *why)
{
    void *function = dlsym(handle, name);
    if (function == NULL)
        return fail(why, FAILURE_HOST, "%s has no `%s`", SONAME, name);
    *(void **)ret_function = function; /* POSIX's own way from dlsym's object pointer to a function pointer */
    return 0;
}

static int mnl_fill(struct failure *why)
{
    struct mnl table = {0};
    if (mnl_symbol("mnl_nlmsg_put_header", &table.put_header, why) < 0 ||
        mnl_symbol("mnl_nlmsg_put_extra_header", &table.put_extra_header, why) < 0 ||
        mnl_symbol("mnl_nlmsg_ok", &table.message_fits, why) < 0 ||
        mnl_symbol("mnl_nlmsg_next", &table.message_next, why) < 0 ||
        mnl_symbol("mnl_nlmsg_get_payload", &table.payload, why) < 0 ||
        mnl_symbol("mnl_nlmsg_get_payload_len", &table.payload_length, why) < 0 ||
        mnl_symbol("mnl_attr_put_check", &table.attr_put, why) < 0 ||
        mnl_symbol("mnl_attr_parse", &table.attr_parse, why) < 0 ||
        mnl_symbol("mnl_attr_parse_nested", &table.attr_parse_nested, why) < 0 ||
        mnl_symbol("mnl_attr_get_type", &table.attr_type, why) < 0 ||
        mnl_symbol("mnl_attr_get_payload", &table.attr_payload, why) < 0 ||
        mnl_symbol("mnl_attr_get_payload_len", &table.attr_length, why) < 0 ||
        mnl_symbol("mnl_cb_run2", &table.run, why) < 0)
        return -1;
    loaded = table;
    return 0;
}

int mnl_load(const struct mnl **ret_mnl, struct failure *why)
{
    TIMELINE_SLICE(SLICE_LIBRARY, SONAME);
    if (handle == NULL)
        handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        fail(why, FAILURE_HOST, "network devices cannot be moved: %s", dlerror());
        failure_hint(why, "install libmnl (Debian: libmnl0, Fedora: libmnl)");
        return failure_pointer(why, "/linux/netDevices");
    }
    if (loaded.run == NULL && mnl_fill(why) < 0)
        return -1;
    *ret_mnl = &loaded;
    return 0;
}

#endif
