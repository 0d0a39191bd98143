/*
 * cgroups/systemd.c: the service manager's D-Bus interface (org.freedesktop.systemd1(5)), by libsystemd's sd-bus.
 *
 * Runs in host side processes.  Should: load libsystemd only here and only now (in the link map it would cost every
 * start more than all its mounts); subscribe before it calls, so that no job's end is missed; put a deadline on
 * everything.  Must not: write to cgroupfs.
 */
#include "cgroups/systemd.h"

#ifdef HAVE_SYSTEMD
#include "base/dlopen_note.h"

#define SONAME "libsystemd.so.0"

DLOPEN_NOTE("systemd", "Makes containers scopes of systemd (--systemd-cgroup)", "recommended", SONAME);
#endif

#if defined(HAVE_SYSTEMD) && !defined(STATIC_PROGRAM)

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/log.h"
#include "base/pid.h"
#include "base/text.h"
#include "base/timeline.h"
#include "cgroups/mount.h"

#define SERVICE "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define JOB_MS 30000
#define BUS_MS 5000 /* for the message bus to let us in; the service manager itself is asked then */

/* ---- the library ---- */

/* Every function of it that is used; the one list for declaration and lookup. */
#define FUNCTIONS(X)                                                                                               \
    X(open_system)                                                                                                 \
    X(open_user) X(new) X(set_address) X(start) X(is_ready) X(close_unref) X(set_method_call_timeout) X(match_signal) \
        X(process) X(wait) X(call) X(call_method) X(get_property_string) X(error_free) X(error_has_name)           \
            X(message_new_method_call) X(message_append) X(message_append_array) X(message_open_container)         \
                X(message_close_container) X(message_read) X(message_unref)

#define DECLARE(name) typeof(sd_bus_##name) *name; /* NOLINT(bugprone-macro-parentheses): what it declares */
static struct {
    FUNCTIONS(DECLARE)
} bus_library;
#undef DECLARE

int systemd_prepare(struct failure *why)
{
    static void *handle;
    if (handle)
        return 0;
    TIMELINE_SLICE(SLICE_LIBRARY, SONAME);
    void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        (void)fail(why, FAILURE_HOST, "the systemd cgroup manager cannot be used: %s", dlerror());
        return failure_hint(
            why, "install libsystemd (Debian: libsystemd0, Fedora: systemd-libs), or leave --systemd-cgroup out");
    }
#define LOOK_UP(name)                                                                                              \
    if (!(*(void **)&bus_library.name = dlsym(library, "sd_bus_" #name)))                                          \
        return fail(why, FAILURE_HOST, "%s has no sd_bus_%s: it is older than 242", SONAME, #name);
    FUNCTIONS(LOOK_UP)
#undef LOOK_UP
    handle = library;
    return 0;
}

/* ---- one conversation ---- */

struct conversation {
    sd_bus *bus;
    bool direct; /* with the service manager itself, no message bus in between */
    const char *unit;
    int64_t deadline_ms;
    char job[256];   /* object path of the job we wait for */
    char result[32]; /* "done", "failed", …; "" while it runs */
};

/* JobRemoved: u id, o job, s unit, s result. */
static int see_job_removed(sd_bus_message *message, void *data, sd_bus_error *unused)
{
    struct conversation *talk = data;
    const char *job, *unit, *result;
    uint32_t id;
    (void)unused; /* nothing is answered to a signal */
    if (bus_library.message_read(message, "uoss", &id, &job, &unit, &result) >= 0 && text_equal(job, talk->job))
        (void)snprintf(talk->result, sizeof talk->result, "%s", result); /* systemd's words are shorter */
    return 0;
}

/* The service manager's own socket: for hosts without a message bus, and for users whose bus is not running. */
static int open_direct(sd_bus **ret_bus)
{
    struct text address = {0};
    sd_bus *bus = NULL;
    const char *runtime_directory = getenv("XDG_RUNTIME_DIR");
    if (mount_privilege() == PATH_ROOT)
        text_add(&address, "unix:path=/run/systemd/private");
    else if (runtime_directory && runtime_directory[0] == '/')
        text_format(&address, "unix:path=%s/systemd/private", runtime_directory);
    else
        return -ENOENT;
    int done = bus_library.new(&bus);
    if (done >= 0)
        done = bus_library.set_address(bus, address.data);
    if (done >= 0)
        done = bus_library.start(bus);
    text_done(&address);
    if (done < 0) {
        bus_library.close_unref(bus);
        return done;
    }
    *ret_bus = bus;
    return 0;
}

/* The library's own calls wait for this without our deadline: 90 seconds for a bus that accepts and says nothing. */
static int await_connection(sd_bus *bus, int64_t deadline_ms)
{
    for (;;) {
        int done = bus_library.is_ready(bus);
        if (done != 0)
            return done < 0 ? done : 0;
        done = bus_library.process(bus, NULL);
        if (done > 0)
            continue;
        int64_t left = deadline_ms - clock_now_ms();
        if (done == 0 && left <= 0)
            return -ETIMEDOUT;
        if (done == 0)
            done = bus_library.wait(bus, (uint64_t)left * 1000);
        if (done < 0 && done != -EINTR)
            return done;
    }
}

static int explain_no_bus(int errnum, struct failure *why)
{
    bool root = mount_privilege() == PATH_ROOT;
    fail_errno(why, errnum, "connect to %s",
               root ? "systemd over the system bus" : "the user's systemd over the session bus");
    if (root)
        return failure_hint(why, "is systemd running here? Leave --systemd-cgroup out where it is not");
    return failure_hint(
        why,
        "set XDG_RUNTIME_DIR=/run/user/UID in a login session (loginctl enable-linger USER keeps one), or leave "
        "--systemd-cgroup out");
}

/* Without a flush, which would wait; every call has had its answer. */
static void end(struct conversation *talk)
{
    if (talk->bus)
        bus_library.close_unref(talk->bus);
    talk->bus = NULL;
}

/* 0 or -errno, that of the message bus. */
static int connect_to_systemd(struct conversation *talk)
{
    int64_t soon = clock_now_ms() + BUS_MS;
    int done = mount_privilege() == PATH_ROOT ? bus_library.open_system(&talk->bus) : bus_library.open_user(&talk->bus);
    if (done < 0)
        talk->bus = NULL;
    else if ((done = await_connection(talk->bus, soon < talk->deadline_ms ? soon : talk->deadline_ms)) == 0)
        return 0;
    end(talk);
    talk->direct = true;
    if (open_direct(&talk->bus) < 0 || await_connection(talk->bus, talk->deadline_ms) < 0) {
        end(talk);
        return done;
    }
    return 0;
}

/* A manager that does not answer must not outlast the caller's deadline; 0 would be the library's default, 25 s. */
static void bound_calls(struct conversation *talk)
{
    int64_t left = talk->deadline_ms - clock_now_ms();
    (void)bus_library.set_method_call_timeout(talk->bus, (uint64_t)(left > 0 ? left : 1) * 1000); /* fails without a bus only */
}

/* `deadline_ms` as everywhere: CLOCK_MONOTONIC; -1 gets a job's usual time. */
static int begin(struct conversation *talk, const char *unit, int64_t deadline_ms, struct failure *why)
{
    *talk =
        (struct conversation){.unit = unit, .deadline_ms = deadline_ms < 0 ? clock_now_ms() + JOB_MS : deadline_ms};
    if (systemd_prepare(why) < 0)
        return -1;
    int done = connect_to_systemd(talk);
    if (done < 0)
        return explain_no_bus(-done, why);
    bound_calls(talk);
    /* Before any call: a job can be over before the call that made it has returned. */
    done = bus_library.match_signal(talk->bus, NULL, talk->direct ? NULL : SERVICE, OBJECT, MANAGER, "JobRemoved",
                                    see_job_removed, talk);
    if (done >= 0 && !talk->direct)
        done = bus_library.call_method(talk->bus, SERVICE, OBJECT, MANAGER, "Subscribe", NULL, NULL, NULL);
    if (done < 0) {
        end(talk);
        return fail_errno(why, -done, "subscribe to systemd's signals");
    }
    bound_calls(talk);
    return 0;
}

static int explain_call(const struct conversation *talk, const char *what, const sd_bus_error *fault, int errnum,
                        struct failure *why)
{
    char words[512];
    text_sanitize(words, sizeof words, fault->message ? fault->message : text_errno(errnum));
    (void)fail(why, FAILURE_HOST, "%s of systemd unit '%s': %s", what, talk->unit, words);
    why->errnum = errnum;
    if (errnum == EACCES || errnum == EPERM)
        return failure_hint(why, "systemd or its policy does not permit it to this user");
    if (bus_library.error_has_name(fault, SERVICE ".UnitExists")) {
        (void)failure_hint(why, "it is in use: choose another name, or remove the container that has it"); /* returned below */
        return failure_pointer(why, "/linux/cgroupsPath");
    }
    return -1;
}

/* Takes the job's object path from the reply and waits for its end. */
static int await_job(struct conversation *talk, sd_bus_message *reply, const char *what, struct failure *why)
{
    const char *job;
    int done = bus_library.message_read(reply, "o", &job);
    if (done < 0)
        return fail_errno(why, -done, "read systemd's answer to %s of unit '%s'", what, talk->unit);
    (void)snprintf(talk->job, sizeof talk->job, "%s", job); /* "/org/freedesktop/systemd1/job/4711" */
    talk->result[0] = '\0';
    while (!talk->result[0]) {
        done = bus_library.process(talk->bus, NULL);
        if (done == 0) {
            int64_t left = talk->deadline_ms - clock_now_ms();
            if (left <= 0) {
                (void)fail(why, FAILURE_HOST, "%s of systemd unit '%s' did not end in time", what, talk->unit);
                return failure_hint(why, "systemctl list-jobs shows what it waits for");
            }
            done = bus_library.wait(talk->bus, (uint64_t)left * 1000);
        }
        if (done < 0 && done != -EINTR)
            return fail_errno(why, -done, "wait for %s of systemd unit '%s'", what, talk->unit);
    }
    if (text_equal(talk->result, "done"))
        return 0;
    (void)fail(why, FAILURE_HOST, "%s of systemd unit '%s' ended with result '%s'", what, talk->unit, talk->result);
    return failure_hint(why, "systemctl status %s and journalctl -u %s say why", talk->unit, talk->unit);
}

/* Best effort: the unit may be gone, or never have failed. */
static void reset_failed(struct conversation *talk)
{
    bound_calls(talk);
    (void)bus_library.call_method(talk->bus, SERVICE, OBJECT, MANAGER, "ResetFailedUnit", NULL, NULL, "s",
                                  talk->unit);
}

/* ---- properties ---- */

static int append_value(sd_bus_message *message, const struct systemd_property *property)
{
    const char *signature = property->signature;
    if (text_equal(signature, "as")) {
        int done = bus_library.message_open_container(message, 'a', "s");
        for (size_t i = 0; done >= 0 && i < property->strings.count; i++)
            done = bus_library.message_append(message, "s", property->strings.items[i]);
        return done < 0 ? done : bus_library.message_close_container(message);
    }
    switch (signature[0]) {
    case 'a':
        return bus_library.message_append_array(message, 'y', property->bytes, property->bytes_count);
    case 'b':
        return bus_library.message_append(message, "b", (int)property->boolean);
    case 's':
        return bus_library.message_append(message, "s", property->string);
    case 'y':
    case 'n':
    case 'q':
    case 'i': { /* narrower than int: C's variable arguments are promoted */
        int value = signature[0] == 'n' || signature[0] == 'i' ? (int)property->integer : (int)property->number;
        return bus_library.message_append(message, signature, value);
    }
    case 'u':
        return bus_library.message_append(message, "u", (uint32_t)property->number);
    case 'x':
        return bus_library.message_append(message, "x", property->integer);
    default:
        return bus_library.message_append(message, "t", property->number);
    }
}

static int append_property(sd_bus_message *message, const struct systemd_property *property)
{
    int done = bus_library.message_open_container(message, 'r', "sv");
    if (done >= 0)
        done = bus_library.message_append(message, "s", property->name);
    if (done >= 0)
        done = bus_library.message_open_container(message, 'v', property->signature);
    if (done >= 0)
        done = append_value(message, property);
    if (done >= 0)
        done = bus_library.message_close_container(message);
    return done < 0 ? done : bus_library.message_close_container(message);
}

enum property_choice { EVERY_PROPERTY, KNOWN_TO_OLD_SYSTEMD };

static int append_properties(sd_bus_message *message, const struct systemd_properties *properties,
                             enum property_choice choice)
{
    int done = 0;
    for (size_t i = 0; done >= 0 && i < properties->count; i++)
        if (choice == EVERY_PROPERTY || properties->items[i].need == PROPERTY_NEEDED)
            done = append_property(message, &properties->items[i]);
    return done;
}

static bool is_unknown_property(const sd_bus_error *fault)
{
    /* Which of the first two it says depends on systemd's version.  The third is about a value that is newer than the
     * property (CPUWeight's 0); one that is wrong everywhere is refused a second time. */
    return bus_library.error_has_name(fault, "org.freedesktop.DBus.Error.PropertyReadOnly") ||
           bus_library.error_has_name(fault, "org.freedesktop.DBus.Error.UnknownProperty") ||
           bus_library.error_has_name(fault, "org.freedesktop.DBus.Error.InvalidArgs");
}

/* ---- starting ---- */

static int append_scope(sd_bus_message *message, const struct systemd_scope *scope, enum property_choice choice)
{
    static const char *const always[] = {"Delegate", "CPUAccounting", "MemoryAccounting", "IOAccounting",
                                         "TasksAccounting"};
    int done = bus_library.message_append(message, "ss", scope->unit, "fail");
    if (done >= 0)
        done = bus_library.message_open_container(message, 'a', "(sv)");
    if (done >= 0)
        done = bus_library.message_append(message, "(sv)(sv)(sv)(sv)(sv)", "Description", "s", scope->description,
                                          "Slice", "s", scope->slice, "PIDs", "au", 1, (uint32_t)scope->pid,
                                          "DefaultDependencies", "b", 0,
                                          /* A scope whose process failed must not stay and block the name. */
                                          "CollectMode", "s", "inactive-or-failed");
    for (size_t i = 0; done >= 0 && i < ARRAY_LENGTH(always); i++)
        done = bus_library.message_append(message, "(sv)", always[i], "b", 1);
    if (done >= 0)
        done = append_properties(message, scope->properties, choice);
    if (done >= 0)
        done = bus_library.message_close_container(message);
    return done < 0 ? done : bus_library.message_append(message, "a(sa(sv))", 0);
}

/* One StartTransientUnit.  0 or -errno, *fault filled. */
static int call_start(struct conversation *talk, const struct systemd_scope *scope, enum property_choice choice,
                      sd_bus_error *fault, sd_bus_message **ret_reply)
{
    sd_bus_message *message = NULL;
    int done =
        bus_library.message_new_method_call(talk->bus, &message, SERVICE, OBJECT, MANAGER, "StartTransientUnit");
    if (done >= 0)
        done = append_scope(message, scope, choice);
    if (done >= 0)
        done = bus_library.call(talk->bus, message, 0, fault, ret_reply);
    bus_library.message_unref(message);
    return done < 0 ? done : 0;
}

/* Asks again, at most once for each of the two reasons that have a cure. */
static int start_with_cures(struct conversation *talk, const struct systemd_scope *scope,
                            sd_bus_message **ret_reply, struct failure *why)
{
    enum property_choice choice = EVERY_PROPERTY;
    bool was_reset = false;
    for (;;) {
        sd_bus_error fault = SD_BUS_ERROR_NULL;
        int done = call_start(talk, scope, choice, &fault, ret_reply);
        bool again = false;
        if (done < 0 && !was_reset && bus_library.error_has_name(&fault, SERVICE ".UnitExists")) {
            /* A failed scope of an earlier container of that name. */
            reset_failed(talk);
            was_reset = again = true;
        } else if (done < 0 && choice == EVERY_PROPERTY && is_unknown_property(&fault)) {
            log_debug("systemd does not know a property: %s", fault.message);
            choice = KNOWN_TO_OLD_SYSTEMD;
            again = true;
        }
        if (done < 0 && !again)
            (void)explain_call(talk, "start", &fault, -done, why);
        bus_library.error_free(&fault);
        if (done >= 0)
            return 0;
        if (!again)
            return -1;
    }
}

/* Where the unit's cgroup is: for a user's systemd below that user's service, so it cannot be computed from the
 * name. */
static int read_control_group(struct conversation *talk, struct arena *arena, char **ret_control_group,
                              struct failure *why)
{
    sd_bus_error fault = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    char *path = NULL;
    const char *object;
    int done =
        bus_library.call_method(talk->bus, SERVICE, OBJECT, MANAGER, "GetUnit", &fault, &reply, "s", talk->unit);
    if (done >= 0)
        done = bus_library.message_read(reply, "o", &object);
    if (done >= 0)
        done = bus_library.get_property_string(talk->bus, SERVICE, object, SERVICE ".Scope", "ControlGroup", &fault,
                                               &path);
    int result = 0;
    if (done < 0)
        result = explain_call(talk, "look up the cgroup", &fault, -done, why);
    else if (path[0] != '/')
        result = fail(why, FAILURE_HOST, "systemd unit '%s' has no cgroup: its process ended already", talk->unit);
    else
        *ret_control_group = arena_copy(arena, path);
    free(path);
    bus_library.message_unref(reply);
    bus_library.error_free(&fault);
    return result;
}

static int call_stop(struct conversation *talk, struct failure *why)
{
    sd_bus_error fault = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    int result = 0;
    int done = bus_library.call_method(talk->bus, SERVICE, OBJECT, MANAGER, "StopUnit", &fault, &reply, "ss",
                                       talk->unit, "replace");
    if (done >= 0)
        result = await_job(talk, reply, "stop", why);
    else if (!bus_library.error_has_name(&fault, SERVICE ".NoSuchUnit"))
        result = explain_call(talk, "stop", &fault, -done, why);
    if (done >= 0)
        reset_failed(talk);
    bus_library.message_unref(reply);
    bus_library.error_free(&fault);
    return result;
}

int systemd_start_scope(const struct systemd_scope *scope, struct arena *arena, char **ret_control_group,
                        struct failure *why)
{
    struct conversation talk;
    TIMELINE_SLICE(SLICE_SYSTEMD, "StartTransientUnit");
    sd_bus_message *reply = NULL;
    if (begin(&talk, scope->unit, -1, why) < 0)
        return -1;
    int result = start_with_cures(&talk, scope, &reply, why);
    bool started = result == 0;
    if (result == 0)
        result = await_job(&talk, reply, "start", why);
    if (result == 0)
        result = read_control_group(&talk, arena, ret_control_group, why);
    if (result < 0 && started) {
        struct failure second;
        talk.deadline_ms = clock_now_ms() + JOB_MS;
        if (call_stop(&talk, &second) < 0)
            log_debug("%s", second.text); /* the first failure is the one to report */
    }
    bus_library.message_unref(reply);
    end(&talk);
    return result;
}

int systemd_stop_unit(const char *unit, int64_t deadline_ms, struct failure *why)
{
    struct conversation talk;
    TIMELINE_SLICE(SLICE_SYSTEMD, "StopUnit");
    if (begin(&talk, unit, deadline_ms, why) < 0)
        return -1;
    int result = call_stop(&talk, why);
    end(&talk);
    return result;
}

/* ---- changing ---- */

/* 0 or -errno, *fault filled. */
static int call_set(struct conversation *talk, const struct systemd_properties *properties,
                    enum property_choice choice, sd_bus_error *fault)
{
    sd_bus_message *message = NULL;
    int done =
        bus_library.message_new_method_call(talk->bus, &message, SERVICE, OBJECT, MANAGER, "SetUnitProperties");
    if (done >= 0)
        done = bus_library.message_append(message, "sb", talk->unit, 1 /* runtime: until the unit is gone */);
    if (done >= 0)
        done = bus_library.message_open_container(message, 'a', "(sv)");
    if (done >= 0)
        done = append_properties(message, properties, choice);
    if (done >= 0)
        done = bus_library.message_close_container(message);
    if (done >= 0)
        done = bus_library.call(talk->bus, message, 0, fault, NULL);
    bus_library.message_unref(message);
    return done < 0 ? done : 0;
}

/* systemd answers first and writes the cgroup's files behind it, before it reads the next call: the answer to that one
 * says that the files are written, and what the caller writes afterwards stays. */
static void await_realization(struct conversation *talk)
{
    sd_bus_error fault = SD_BUS_ERROR_NULL;
    /* Whatever the answer is, it comes in order. */
    IGNORE_RESULT(bus_library.call_method(talk->bus, SERVICE, OBJECT, "org.freedesktop.DBus.Peer", "Ping", &fault, NULL, ""));
    bus_library.error_free(&fault);
}

int systemd_set_properties(const char *unit, const struct systemd_properties *properties, struct failure *why)
{
    struct conversation talk;
    TIMELINE_SLICE(SLICE_SYSTEMD, "SetUnitProperties");
    sd_bus_error fault = SD_BUS_ERROR_NULL;
    if (begin(&talk, unit, -1, why) < 0)
        return -1;
    int done = call_set(&talk, properties, EVERY_PROPERTY, &fault);
    if (done < 0 && is_unknown_property(&fault)) {
        bus_library.error_free(&fault);
        done = call_set(&talk, properties, KNOWN_TO_OLD_SYSTEMD, &fault);
    }
    int result = done < 0 ? explain_call(&talk, "set properties", &fault, -done, why) : 0;
    bus_library.error_free(&fault);
    if (result == 0)
        await_realization(&talk);
    end(&talk);
    return result;
}

#else

#include "base/twin.h"

int systemd_prepare(struct failure *why)
{
#ifdef HAVE_SYSTEMD
    return twin_take_over(why);
#else
    (void)fail(why, FAILURE_HOST, "this build has no systemd cgroup manager");
    return failure_hint(why, "leave --systemd-cgroup out, or build with libsystemd");
#endif
}

int systemd_start_scope(const struct systemd_scope *scope, struct arena *arena, char **ret_control_group,
                        struct failure *why)
{
    (void)scope, (void)arena, (void)ret_control_group; /* there is nothing to give them to */
    return systemd_prepare(why);
}

int systemd_set_properties(const char *unit, const struct systemd_properties *properties, struct failure *why)
{
    (void)unit, (void)properties; /* there is nothing to give them to */
    return systemd_prepare(why);
}

int systemd_stop_unit(const char *unit, int64_t deadline_ms, struct failure *why)
{
    (void)unit, (void)deadline_ms; /* there is nothing to give them to */
    return systemd_prepare(why);
}

#endif
