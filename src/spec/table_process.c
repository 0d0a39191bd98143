/* spec/table_process.c: /process, and the document of `exec --process`. */
#include <string.h>

#include "base/text.h"
#include "spec/tables.h"

/* NULL when no number is there. */
static const char *skip_list_number(const char *at, uint64_t *ret_number)
{
    char digits[24];
    size_t length = strspn(at, "0123456789");
    if (length == 0 || length >= sizeof(digits))
        return NULL;
    memcpy(digits, at, length);
    digits[length] = '\0';
    return text_to_u64(digits, UINT32_MAX, ret_number) < 0 ? NULL : at + length;
}

/* More than the kernel takes, and little enough for a list of ranges that all mean every CPU. */
#define LIST_MAX 65536

const char *table_check_list(const char *value)
{
    static const char expected[] = "a list such as 0-3,7";
    if (strlen(value) > LIST_MAX)
        return "a list such as 0-3,7 of at most 65536 bytes";
    for (const char *at = value;; at++) {
        uint64_t first, last;
        at = skip_list_number(at + strspn(at, " "), &first);
        if (at == NULL)
            return expected;
        if (*at == '-' && ((at = skip_list_number(at + 1, &last)) == NULL || last < first))
            return expected;
        at += strspn(at, " ");
        if (*at == '\0')
            return NULL;
        if (*at != ',')
            return expected;
    }
}

static const char *check_variable(const char *value)
{
    const char *equals = strchr(value, '=');
    return equals != NULL && equals != value ? NULL : "a variable written NAME=value";
}

static const struct json_member console_size_members[] = {
    JSON_NUMBER(struct spec_process, "height", JSON_U64, console_size.height, 0, UINT64_MAX,
                .flags = JSON_REQUIRED),
    JSON_NUMBER(struct spec_process, "width", JSON_U64, console_size.width, 0, UINT64_MAX, .flags = JSON_REQUIRED),
};
static const struct json_object console_size = {JSON_TABLE(struct spec_process, console_size_members)};

static const struct json_member user_members[] = {
    JSON_NUMBER(struct spec_user, "uid", JSON_U32, uid, 0, ID_MAX, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct spec_user, "gid", JSON_U32, gid, 0, ID_MAX, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct spec_user, "umask", JSON_OPTIONAL_U64, umask, 0, 07777),
    JSON_NUMBER(struct spec_user, "additionalGids", JSON_U32S, additional_gids, 0, ID_MAX,
                .count = offsetof(struct spec_user, additional_gids_count),
                .present = JSON_AT(struct spec_user, additional_gids_set)),
};
static const struct json_object user = {JSON_TABLE(struct spec_user, user_members)};

static const struct json_member capabilities_members[] = {
    JSON_TEXTS(struct spec_capabilities, "bounding", bounding),
    JSON_TEXTS(struct spec_capabilities, "effective", effective),
    JSON_TEXTS(struct spec_capabilities, "inheritable", inheritable),
    JSON_TEXTS(struct spec_capabilities, "permitted", permitted),
    JSON_TEXTS(struct spec_capabilities, "ambient", ambient),
};
static const struct json_object capabilities = {JSON_TABLE(struct spec_capabilities, capabilities_members)};

static const char *const rlimit_types[] = {
    "RLIMIT_AS",         "RLIMIT_CORE",  "RLIMIT_CPU",  "RLIMIT_DATA",   "RLIMIT_FSIZE", "RLIMIT_LOCKS",  "RLIMIT_MEMLOCK",
    "RLIMIT_MSGQUEUE",   "RLIMIT_NICE",  "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_RSS",   "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
    "RLIMIT_SIGPENDING", "RLIMIT_STACK", NULL,
};
static const struct json_member rlimit_members[] = {
    JSON_FIELD(struct spec_rlimit, "type", JSON_STRING, type, .flags = JSON_REQUIRED,
               .words = rlimit_types),
    JSON_NUMBER(struct spec_rlimit, "soft", JSON_U64, soft, 0, UINT64_MAX, .flags = JSON_REQUIRED),
    JSON_NUMBER(struct spec_rlimit, "hard", JSON_U64, hard, 0, UINT64_MAX, .flags = JSON_REQUIRED),
};
static const struct json_object rlimit = {JSON_TABLE(struct spec_rlimit, rlimit_members)};

static const char *const scheduler_policies[] = {
    "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE", NULL,
};
static const char *const scheduler_flags[] = {
    "SCHED_FLAG_RESET_ON_FORK",    "SCHED_FLAG_RECLAIM",        "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY",
    "SCHED_FLAG_KEEP_PARAMS",      "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX", NULL,
};
static const struct json_member scheduler_members[] = {
    JSON_FIELD(struct spec_scheduler, "policy", JSON_STRING, policy, .flags = JSON_REQUIRED,
               .words = scheduler_policies),
    JSON_NUMBER(struct spec_scheduler, "nice", JSON_I64, nice, INT32_MIN, INT32_MAX),
    JSON_NUMBER(struct spec_scheduler, "priority", JSON_I64, priority, INT32_MIN, INT32_MAX),
    JSON_TEXTS(struct spec_scheduler, "flags", flags, .words = scheduler_flags),
    JSON_NUMBER(struct spec_scheduler, "runtime", JSON_U64, runtime, 0, UINT64_MAX),
    JSON_NUMBER(struct spec_scheduler, "deadline", JSON_U64, deadline, 0, UINT64_MAX),
    JSON_NUMBER(struct spec_scheduler, "period", JSON_U64, period, 0, UINT64_MAX),
};
static const struct json_object scheduler = {JSON_TABLE(struct spec_scheduler, scheduler_members)};

static const char *const io_classes[] = {"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE", NULL};
static const struct json_member io_priority_members[] = {
    JSON_FIELD(struct spec_process, "class", JSON_STRING, io_priority.class_name, .flags = JSON_REQUIRED,
               .words = io_classes),
    JSON_NUMBER(struct spec_process, "priority", JSON_I64, io_priority.priority, 0, 7, .flags = JSON_REQUIRED),
};
static const struct json_object io_priority = {JSON_TABLE(struct spec_process, io_priority_members)};

static const struct json_member affinity_members[] = {
    JSON_FIELD(struct spec_process, "initial", JSON_STRING, exec_cpu_affinity.initial,
               .flags = JSON_EMPTY_IS_ABSENT,
               .check = table_check_list),
    JSON_FIELD(struct spec_process, "final", JSON_STRING, exec_cpu_affinity.final, .flags = JSON_EMPTY_IS_ABSENT,
               .check = table_check_list),
};
static const struct json_object affinity = {JSON_TABLE(struct spec_process, affinity_members)};

static const struct json_member process_members[] = {
    JSON_FIELD(struct spec_process, "terminal", JSON_BOOL, terminal),
    JSON_INLINE("consoleSize", console_size, .present = JSON_AT(struct spec_process, console_size.set)),
    JSON_FIELD(struct spec_process, "cwd", JSON_STRING, cwd, .flags = JSON_REQUIRED | JSON_ABSOLUTE),
    JSON_TEXTS(struct spec_process, "env", env, .check = check_variable),
    JSON_TEXTS(struct spec_process, "args", args, .flags = JSON_REQUIRED | JSON_NON_EMPTY_LIST),
    JSON_NESTED(struct spec_process, "user", user, user),
    JSON_NESTED(struct spec_process, "capabilities", capabilities, capabilities,
                .present = JSON_AT(struct spec_process, capabilities.set)),
    JSON_LIST(struct spec_process, "rlimits", rlimits, rlimits_count, rlimit),
    JSON_FIELD(struct spec_process, "noNewPrivileges", JSON_BOOL, no_new_privileges,
               .present = JSON_AT(struct spec_process, no_new_privileges_set)),
    JSON_FIELD(struct spec_process, "apparmorProfile", JSON_STRING, apparmor_profile,
               .flags = JSON_EMPTY_IS_ABSENT),
    JSON_FIELD(struct spec_process, "selinuxLabel", JSON_STRING, selinux_label, .flags = JSON_EMPTY_IS_ABSENT),
    JSON_NUMBER(struct spec_process, "oomScoreAdj", JSON_OPTIONAL_I64, oom_score_adj, -1000, 1000),
    JSON_NESTED(struct spec_process, "scheduler", scheduler, scheduler,
                .present = JSON_AT(struct spec_process, scheduler.set)),
    JSON_INLINE("ioPriority", io_priority, .present = JSON_AT(struct spec_process, io_priority.set)),
    JSON_INLINE("execCPUAffinity", affinity, .present = JSON_AT(struct spec_process, exec_cpu_affinity.set)),
};
const struct json_object table_process = {JSON_TABLE(struct spec_process, process_members)};
const struct json_object table_process_document = {
    .document = "process document", JSON_TABLE(struct spec_process, process_members)};
