/*
 * process/caps.c: the five capability sets.  The door to libcap.
 *
 * Runs in: creator (caps_plan), init and joiner (the rest).  After the root switch nothing here opens a
 * file: the kernel's last capability is asked by prctl, not read from /proc.
 *
 * Order (CAP-11), and why: the bounding set is cut first, while CAP_SETPCAP is still effective; the ids
 * change next; permitted, effective and inheritable follow, since a change of user would have emptied
 * effective; ambient comes last, since it may only hold what is permitted and inheritable by then.
 */
#include "process/process.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "base/text.h"

const char *const caps_words[] = {
    "CAP_CHOWN",           "CAP_DAC_OVERRIDE",   "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
    "CAP_FSETID",          "CAP_KILL",           "CAP_SETGID",          "CAP_SETUID",
    "CAP_SETPCAP",         "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",       "CAP_NET_RAW",        "CAP_IPC_LOCK",        "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",      "CAP_SYS_RAWIO",      "CAP_SYS_CHROOT",      "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",       "CAP_SYS_ADMIN",      "CAP_SYS_BOOT",        "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",    "CAP_SYS_TIME",       "CAP_SYS_TTY_CONFIG",  "CAP_MKNOD",
    "CAP_LEASE",           "CAP_AUDIT_WRITE",    "CAP_AUDIT_CONTROL",   "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",    "CAP_MAC_ADMIN",      "CAP_SYSLOG",          "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",   "CAP_AUDIT_READ",     "CAP_PERFMON",         "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE", NULL,
};
#define WORDS (ARRAY_LENGTH(caps_words) - 1)
#define CAPS_MAX 64
#define BIT(capability) (UINT64_C(1) << (capability))

_Static_assert(CAP_NET_BIND_SERVICE == 10 && CAP_SYS_ADMIN == 21 && CAP_AUDIT_READ == 37,
               "caps_words is indexed by the kernel's numbers");

/* One past the last capability of the running kernel, which may know more than our headers do. */
static unsigned caps_count(void)
{
    unsigned count = CAP_LAST_CAP + 1;
    while (count > 0 && !CAP_IS_SUPPORTED((cap_value_t)(count - 1)))
        count--;
    while (count < CAPS_MAX && CAP_IS_SUPPORTED((cap_value_t)count))
        count++;
    return count;
}

/* "CAP_" and capitals, as the specification writes them: cap_from_name alone would take lower case too. */
static bool is_capability_word(const char *word)
{
    if (!text_starts(word, "CAP_") || word[4] == '\0')
        return false;
    for (const char *c = word + 4; *c; c++)
        if (!isupper((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '_')
            return false;
    return true;
}

/* The number or -1.  Names younger than our table are left to the installed libcap. */
static int capability_number(const char *word)
{
    cap_value_t value;
    for (size_t n = 0; n < WORDS; n++)
        if (strcmp(caps_words[n], word) == 0)
            return (int)n;
    if (is_capability_word(word) && cap_from_name(word, &value) == 0 && value >= 0 && value < CAPS_MAX)
        return value;
    return -1;
}

bool caps_is_name(const char *word)
{
    return capability_number(word) >= 0;
}

static uint64_t plan_set(const struct strings *words, const char *set, unsigned count)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < words->count; i++) {
        char shown[64];
        text_sanitize(shown, sizeof(shown), words->items[i]);
        int number = capability_number(words->items[i]);
        if (number < 0)
            log_warning("/process/capabilities/%s/%zu: '%s' is no capability: ignored", set, i, shown);
        else if ((unsigned)number >= count)
            log_warning("/process/capabilities/%s/%zu: this kernel lacks %s: ignored", set, i, shown);
        else
            bits |= BIT(number);
    }
    return bits;
}

void caps_plan(const struct spec_capabilities *capabilities, struct caps_plan *ret_plan)
{
    struct caps_plan plan = {0};
    if (capabilities->set) {
        unsigned count = caps_count();
        plan.bounding = plan_set(&capabilities->bounding, "bounding", count);
        plan.effective = plan_set(&capabilities->effective, "effective", count);
        plan.inheritable = plan_set(&capabilities->inheritable, "inheritable", count);
        plan.permitted = plan_set(&capabilities->permitted, "permitted", count);
        plan.ambient = plan_set(&capabilities->ambient, "ambient", count);
    }
    *ret_plan = plan;
}

static void warn_ungranted(const char *set, uint64_t missing, const char *reason)
{
    struct text names = {0};
    if (!missing || log_level_now() < LOG_WARNING)
        return;
    for (unsigned n = 0; n < CAPS_MAX; n++)
        if ((missing & BIT(n)) && n < WORDS)
            text_format(&names, " %s", caps_words[n]);
        else if (missing & BIT(n))
            text_format(&names, " capability %u", n);
    log_warning("/process/capabilities/%s:%s cannot be granted: %s", set, names.data, reason);
    text_done(&names);
}

static uint64_t bounding_now(unsigned count)
{
    uint64_t bits = 0;
    for (unsigned n = 0; n < count; n++)
        if (cap_get_bound((cap_value_t)n) > 0)
            bits |= BIT(n);
    return bits;
}

int caps_drop_bounding(const struct caps_plan *plan, struct failure *why)
{
    unsigned count = caps_count();
    for (unsigned n = 0; n < count; n++) {
        if ((plan->bounding & BIT(n)) || cap_drop_bound((cap_value_t)n) == 0)
            continue;
        int errnum = errno;
        if (cap_get_bound((cap_value_t)n) == 0)
            continue; /* gone already: nothing was needed */
        /* What is not asked for must go, also what is younger than our headers: it is no mere warning. */
        fail_errno(why, errnum, "drop %s from the bounding set", n < WORDS ? caps_words[n] : "a capability");
        failure_pointer(why, "/process/capabilities/bounding");
        return failure_hint(why, "this needs CAP_SETPCAP: run as root or let the container have a user namespace");
    }
    if (log_level_now() >= LOG_WARNING)
        warn_ungranted("bounding", plan->bounding & ~bounding_now(count), "the caller's own bounding set lacks it");
    return 0;
}

/* ---- the three sets of capset(2) ---- */

bool caps_have(unsigned number)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    return capget(&header, data) == 0 && (data[CAP_TO_INDEX(number)].effective & CAP_TO_MASK(number)) != 0;
}

/* Straight to the kernel's two system calls: libcap's cap_t costs a call per bit and set, four times the time. */
struct sets {
    uint64_t effective, permitted, inheritable;
};

static uint64_t join_halves(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

static int sets_read(struct sets *ret_sets, struct failure *why)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (capget(&header, data) < 0)
        return fail_sys(why, "read the process's capabilities");
    ret_sets->effective = join_halves(data[0].effective, data[1].effective);
    ret_sets->permitted = join_halves(data[0].permitted, data[1].permitted);
    ret_sets->inheritable = join_halves(data[0].inheritable, data[1].inheritable);
    return 0;
}

static int sets_write(const struct sets *sets, struct failure *why)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    for (int half = 0; half < _LINUX_CAPABILITY_U32S_3; half++) {
        data[half].effective = (uint32_t)(sets->effective >> (32 * half));
        data[half].permitted = (uint32_t)(sets->permitted >> (32 * half));
        data[half].inheritable = (uint32_t)(sets->inheritable >> (32 * half));
    }
    return capset(&header, data) < 0 ? fail_sys(why, "set the process's capabilities") : 0;
}

/* capset(2): inheritable may grow only from what is permitted or inheritable already, within the bounding set. */
static uint64_t grantable_inheritable(const struct caps_plan *plan, const struct sets *now)
{
    if (!plan->inheritable)
        return 0; /* the usual case, which need not ask for the bounding set */
    return plan->inheritable & (now->inheritable | (now->permitted & bounding_now(caps_count())));
}

int caps_keep_for_filter(const struct caps_plan *plan, struct failure *why)
{
    struct sets now = {0}, next;
    if (sets_read(&now, why) < 0)
        return -1;
    next.permitted = (plan->permitted | BIT(CAP_SYS_ADMIN)) & now.permitted;
    next.effective = next.permitted;
    /* Now, while everything is still permitted: what is inheritable but not permitted could not be added later. */
    next.inheritable = grantable_inheritable(plan, &now);
    return sets_write(&next, why);
}

static int ambient_set(uint64_t bits, struct failure *why)
{
    uint64_t refused = 0;
    /* The caller's ambient set must not reach the container.  Not cap_reset_ambient: it asks for each bit first. */
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return fail_sys(why, "empty the ambient capability set");
    for (unsigned n = 0; n < CAPS_MAX; n++)
        if ((bits & BIT(n)) && cap_set_ambient((cap_value_t)n, CAP_SET) < 0)
            refused |= BIT(n);
    warn_ungranted("ambient", refused, "the kernel refuses it (SECBIT_NO_CAP_AMBIENT_RAISE)");
    return 0;
}

int caps_settle(const struct caps_plan *plan, struct failure *why)
{
    struct sets now = {0}, next;
    if (sets_read(&now, why) < 0)
        return -1;
    next.permitted = plan->permitted & now.permitted;
    next.effective = plan->effective & next.permitted;
    next.inheritable = grantable_inheritable(plan, &now);
    warn_ungranted("permitted", plan->permitted & ~next.permitted, "the caller does not have it");
    warn_ungranted("effective", plan->effective & ~next.effective, "it is not permitted");
    warn_ungranted("inheritable", plan->inheritable & ~next.inheritable,
                   "it is not permitted or not in the bounding set");
    if (sets_write(&next, why) < 0)
        return -1;
    uint64_t ambient = plan->ambient & next.permitted & next.inheritable;
    warn_ungranted("ambient", plan->ambient & ~ambient, "it must be permitted and inheritable too");
    return ambient_set(ambient, why);
}
