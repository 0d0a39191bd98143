/*
 * config.json, process and resources documents: what is accepted, what is refused and in which words; the
 * examples of the specification; every document that was captured from an engine; big and hostile inputs.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "spec/read.h"

#include <cmocka.h> /* last: its fail() macro hides ours */

#define ALL_NS "\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"network\"},{\"type\":\"time\"}]"
#define HEAD "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"}"

static struct failure why;

/* So that one string shows both. */
static int with_line(int result)
{
    if (result < 0 && why.line > 0)
        failure_context(&why, "%s line %u", failure_document_name(&why), why.line);
    return result;
}

static int read_config(const char *text, size_t length, struct spec *spec)
{
    memset(&why, 0, sizeof(why));
    if (with_line(spec_parse(text, length, spec, &why)) < 0)
        return -1;
    return spec_check(spec, &why);
}

/* Where a fragment stands: the text around it. */
enum place { TOP, PROCESS, LINUX, RESOURCES, MOUNT, DEVICE, HOOK, SECCOMP };
static const struct { const char *before, *after; } around[] = {
    [TOP] = {HEAD ",", "}"},
    [PROCESS] = {HEAD ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],", "}}"},
    [LINUX] = {HEAD ",\"linux\":{" ALL_NS ",", "}}"},
    [RESOURCES] = {HEAD ",\"linux\":{\"resources\":{", "}}}"},
    [MOUNT] = {HEAD ",\"linux\":{" ALL_NS "},\"mounts\":[{\"destination\":\"/m\",", "}]}"},
    [DEVICE] = {HEAD ",\"linux\":{\"devices\":[{", "}]}}"},
    [HOOK] = {HEAD ",\"hooks\":{\"poststop\":[{", "}]}}"},
    [SECCOMP] = {HEAD ",\"linux\":{\"seccomp\":{", "}}}"},
};

static char *wrap(enum place place, const char *fragment)
{
    struct text text = {0};
    text_format(&text, "%s%s%s", around[place].before, fragment, around[place].after);
    return text.data;
}

/* ---- accepted ---- */

static void good(void **state)
{
    static const struct { enum place place; const char *fragment; } cases[] = {
        {TOP, "\"ociVersion2\":1"},
        {TOP, "\"hostname\":\"\",\"domainname\":\"\""},
        {TOP, "\"hostname\":null,\"linux\":null,\"process\":null,\"mounts\":null,\"hooks\":null,\"annotations\":null,\"vm\":null"},
        {TOP, "\"hostname\":\"h\",\"domainname\":\"d\",\"linux\":{\"namespaces\":[{\"type\":\"uts\",\"path\":\"/proc/1/ns/uts\"}]}"},
        {TOP, "\"annotations\":{\"a\":\"\",\"org.opencontainers.image.stopSignal\":\"SIGINT\"}"},
        {TOP, "\"hooks\":{}"},
        {TOP, "\"mounts\":[]"},
        {TOP, "\"freebsd\":{\"x\":[]},\"windows\":{},\"solaris\":1,\"zos\":null"},
        {PROCESS, "\"user\":{\"uid\":4294967294,\"gid\":0,\"umask\":4095,\"additionalGids\":[],\"username\":\"x\"}"},
        {PROCESS, "\"commandLine\":\"x\""},
        {PROCESS, "\"capabilities\":{}"},
        {PROCESS, "\"capabilities\":{\"bounding\":[\"CAP_FUTURE\"],\"ambient\":null}"},
        {PROCESS, "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":0,\"hard\":18446744073709551615}]"},
        {PROCESS, "\"oomScoreAdj\":-1000"},
        {PROCESS, "\"oomScoreAdj\":0,\"apparmorProfile\":\"\",\"selinuxLabel\":\"\""},
        {PROCESS, "\"consoleSize\":{\"height\":70000,\"width\":1}"},
        {PROCESS, "\"terminal\":true,\"consoleSize\":{\"height\":65535,\"width\":65535}"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":-20}"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"priority\":99,\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\"]}"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":1,\"deadline\":2,\"period\":2}"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":2,\"deadline\":2}"},
        {PROCESS, "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":7}"},
        {PROCESS, "\"execCPUAffinity\":{\"initial\":\"0-3, 7\",\"final\":\"\"}"},
        {PROCESS, "\"env\":[\"A=1\",\"A=1\"]"},
        {LINUX, "\"cgroupsPath\":\"\",\"mountLabel\":\"\",\"rootfsPropagation\":\"\""},
        {LINUX, "\"rootfsPropagation\":\"rslave\""},
        {LINUX, "\"maskedPaths\":[\"/a\"],\"readonlyPaths\":[\"/b\",\"/b\"]"},
        {LINUX, "\"timeOffsets\":{\"monotonic\":{\"secs\":-1,\"nanosecs\":999999999},\"boottime\":{}}"},
        {LINUX, "\"timeOffsets\":{}"},
        {LINUX, "\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":4294967295}],\"gidMappings\":[]"},
        {LINUX, "\"netDevices\":{}"},
        {LINUX, "\"netDevices\":{\"eth0\":{},\"a\":{\"name\":\"x%d\"},\"b\":{\"name\":\"x%d\"}}"},
        {LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_PREFERRED\",\"nodes\":\"\"}"},
        {LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0-3,7\",\"flags\":[\"MPOL_F_STATIC_NODES\"]}"},
        {LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_LOCAL\"}"},
        {LINUX, "\"personality\":{\"domain\":\"LINUX32\",\"flags\":[]}"},
        {LINUX, "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}"},
        {LINUX, "\"intelRdt\":null"},
        {RESOURCES, "\"devices\":[{\"allow\":false},{\"allow\":true,\"type\":\"\",\"access\":\"\",\"major\":-1,\"minor\":-1}]"},
        {RESOURCES, "\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":200,\"access\":\"mrw\"}]"},
        {RESOURCES, "\"memory\":{\"limit\":-1,\"swap\":-1,\"reservation\":0}"},
        {RESOURCES, "\"memory\":{\"limit\":-1,\"swap\":1000}"},
        {RESOURCES, "\"memory\":{\"limit\":100,\"swap\":100}"},
        {RESOURCES, "\"memory\":{\"swap\":0}"},
        {RESOURCES, "\"memory\":{\"swap\":-1}"},
        {RESOURCES, "\"memory\":{\"swappiness\":0,\"disableOOMKiller\":false,\"useHierarchy\":true,\"kernel\":5,\"kernelTCP\":-1}"},
        {RESOURCES, "\"cpu\":{\"realtimeRuntime\":0,\"realtimePeriod\":0,\"idle\":1,\"cpus\":\"\",\"mems\":\"0\"}"},
        {RESOURCES, "\"cpu\":{\"quota\":-1,\"burst\":5,\"period\":18446744073709551615,\"shares\":0}"},
        {RESOURCES, "\"cpu\":{\"quota\":5,\"burst\":5}"},
        {RESOURCES, "\"blockIO\":{\"weight\":65535,\"leafWeight\":0,\"weightDevice\":[{\"major\":8,\"minor\":0,\"leafWeight\":0}]}"},
        {RESOURCES, "\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":18446744073709551615}]}"},
        {RESOURCES, "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0},{\"pageSize\":\"1024KB\",\"limit\":1}]"},
        {RESOURCES, "\"network\":{\"classID\":0,\"priorities\":[{\"name\":\"eth0\",\"priority\":0}]}"},
        {RESOURCES, "\"pids\":{}"},
        {RESOURCES, "\"pids\":{\"limit\":-1}"},
        {RESOURCES, "\"rdma\":{\"mlx5_1\":{\"hcaHandles\":0},\"gone\":null}"},
        {RESOURCES, "\"unified\":{\"memory.high\":\"1\\n2\",\"a.hidden\":\"\"}"},
        {RESOURCES, "\"oomScoreAdj\":100"},
        {MOUNT, "\"type\":\"\",\"source\":\"\",\"options\":[\"\",\"size=1\"]"},
        {MOUNT, "\"uidMappings\":[],\"gidMappings\":[]"},
        {MOUNT, "\"options\":[\"idmap\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"
                "\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]"},
        {DEVICE, "\"type\":\"p\",\"path\":\"/p\""},
        {DEVICE, "\"type\":\"u\",\"path\":\"/p\",\"major\":0,\"minor\":0,\"fileMode\":8630,\"uid\":4294967294"},
        {HOOK, "\"path\":\"/h\",\"args\":[],\"env\":[],\"timeout\":1"},
        {HOOK, "\"path\":\"/h\",\"timeout\":null"},
        {SECCOMP, "\"defaultAction\":\"SCMP_ACT_LOG\",\"listenerPath\":\"\",\"flags\":[],\"syscalls\":[]"},
        {SECCOMP, "\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":0,"
                  "\"value\":18446744073709551615,\"op\":\"SCMP_CMP_NE\"}]}]"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct spec spec;
        char *text = wrap(cases[i].place, cases[i].fragment);
        if (read_config(text, strlen(text), &spec) < 0)
            fail_msg("%s\n%s: %s", text, why.pointer, why.text);
        spec_done(&spec);
        free(text);
    }
}

/* ---- refused ---- */

#define PARSE "config.json line 1: "

struct bad { enum place place; const char *fragment, *pointer, *sentence; };

static void refuse(const struct bad *bad)
{
    struct spec spec;
    char *text = wrap(bad->place, bad->fragment);
    if (read_config(text, strlen(text), &spec) == 0)
        fail_msg("accepted: %s", text);
    if (strcmp(why.pointer, bad->pointer) != 0 || strcmp(why.text, bad->sentence) != 0)
        fail_msg("%s\n  expected %s: %s\n  found    %s: %s", text, bad->pointer, bad->sentence, why.pointer, why.text);
    assert_int_equal(why.kind, FAILURE_CONFIG);
    spec_done(&spec);
    free(text);
}

static void refuse_all(const struct bad *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        refuse(&cases[i]);
}

#define REQUIRED(name) PARSE "the required member \"" name "\" is missing"
#define INT(from, to, found) PARSE "expected an integer from " from " to " to ", found " found
#define ABSOLUTE(found) PARSE "expected an absolute path, found " found
#define U32 "4294967295"
#define U64 "18446744073709551615"
#define ID "4294967294"

static void bad_top(void **state)
{
    static const struct bad cases[] = {
        {TOP, "\"root\":{\"path\":\"x\"}", "/root", PARSE "this member name occurs twice in one object"},
        {TOP, "\"hostname\":1", "/hostname", PARSE "expected a string, found the number 1"},
        {TOP, "\"hostname\":\"h\"", "/hostname", "the host name \"h\" needs a uts namespace, or it would change the host"},
        {TOP, "\"domainname\":\"h\"", "/domainname", "the domain name \"h\" needs a uts namespace, or it would change the host"},
        {TOP, "\"mounts\":[{\"destination\":\"/x\"}]", "/mounts", "a mount needs a mount namespace, or it would change the host"},
        {TOP, "\"mounts\":{}", "/mounts", PARSE "expected an array of objects, found an object"},
        {TOP, "\"mounts\":[{}]", "/mounts/0/destination", REQUIRED("destination")},
        {TOP, "\"mounts\":[{\"destination\":\"\"}]", "/mounts/0/destination", PARSE "expected a non-empty string, found the string \"\""},
        {TOP, "\"annotations\":[]", "/annotations", PARSE "expected an object, found an array"},
        {TOP, "\"annotations\":{\"a\":1}", "/annotations/a", PARSE "expected a string, found the number 1"},
        {TOP, "\"annotations\":{\"\":\"x\"}", "/annotations/", PARSE "an empty member name is not allowed here"},
        {TOP, "\"annotations\":{\"a\":\"\",\"a\":\"\"}", "/annotations/a", PARSE "this member name occurs twice in one object"},
        {TOP, "\"vm\":{}", "/vm/kernel", REQUIRED("kernel")},
        {TOP, "\"vm\":{\"kernel\":{\"path\":\"/k\"}}", "/vm", "running a container in a virtual machine is not supported by this release"},
        {TOP, "\"linux\":[]", "/linux", PARSE "expected an object, found an array"},
        {TOP, "\"process\":\"x\"", "/process", PARSE "expected an object, found the string \"x\""},
        {TOP, "\"process\":{}", "/process/cwd", REQUIRED("cwd")},
        {TOP, "\"process\":{\"cwd\":\"/\"}", "/process/args", REQUIRED("args")},
        {TOP, "\"process\":{\"cwd\":\"/\",\"args\":[]}", "/process/args", PARSE "at least one element is required, found none"},
        {TOP, "\"process\":{\"cwd\":\"\",\"args\":[\"a\"]}", "/process/cwd", ABSOLUTE("the string \"\"")},
        {TOP, "\"process\":{\"cwd\":\"tmp\",\"args\":[\"a\"]}", "/process/cwd", ABSOLUTE("the string \"tmp\"")},
        {TOP, "\"process\":{\"cwd\":\"/\",\"args\":[\"a\",\"b\\u0000\"]}", "/process/args/1",
         PARSE "a NUL byte (\\u0000) is not allowed in this string"},
        {TOP, "\"process\":{\"cwd\":\"/\",\"args\":\"sh\"}", "/process/args", PARSE "expected an array of strings, found the string \"sh\""},
        {TOP, "\"hooks\":[]", "/hooks", PARSE "expected an object, found an array"},
        {TOP, "\"hooks\":{\"prestart\":{}}", "/hooks/prestart", PARSE "expected an array of objects, found an object"},
        {TOP, "\"hooks\":{\"createRuntime\":[{\"path\":\"/h\"},{}]}", "/hooks/createRuntime/1/path", REQUIRED("path")},
        {TOP, "\"hooks\":{\"startContainer\":[{\"path\":\"\"}]}", "/hooks/startContainer/0/path", ABSOLUTE("the string \"\"")},
        {HOOK, "\"path\":\"h\"", "/hooks/poststop/0/path", ABSOLUTE("the string \"h\"")},
        {HOOK, "\"path\":\"/h\",\"timeout\":0", "/hooks/poststop/0/timeout", INT("1", "2147483", "the number 0")},
        {HOOK, "\"path\":\"/h\",\"timeout\":-5", "/hooks/poststop/0/timeout", INT("1", "2147483", "the number -5")},
        {HOOK, "\"path\":\"/h\",\"timeout\":1.5", "/hooks/poststop/0/timeout", INT("1", "2147483", "the number 1.5")},
        {HOOK, "\"path\":\"/h\",\"env\":{}", "/hooks/poststop/0/env", PARSE "expected an array of strings, found an object"},
        {HOOK, "\"path\":\"/h\",\"args\":[1]", "/hooks/poststop/0/args/0", PARSE "expected a string, found the number 1"},
        {MOUNT, "\"source\":[]", "/mounts/0/source", PARSE "expected a string, found an array"},
        {MOUNT, "\"type\":7", "/mounts/0/type", PARSE "expected a string, found the number 7"},
        {MOUNT, "\"options\":\"ro\"", "/mounts/0/options", PARSE "expected an array of strings, found the string \"ro\""},
        {MOUNT, "\"options\":[\"ro\",2]", "/mounts/0/options/1", PARSE "expected a string, found the number 2"},
        {MOUNT, "\"uidMappings\":[]", "/mounts/0", PARSE "\"uidMappings\" needs \"gidMappings\" beside it"},
        {MOUNT, "\"gidMappings\":[]", "/mounts/0", PARSE "\"gidMappings\" needs \"uidMappings\" beside it"},
        {MOUNT, "\"gidMappings\":[],\"uidMappings\":[{\"hostID\":1,\"size\":1}]", "/mounts/0/uidMappings/0/containerID", REQUIRED("containerID")},
        {MOUNT, "\"options\":[\"rw\",\"ridmap\"]", "/mounts/0/options/1",
         "the option ridmap needs uidMappings and gidMappings, or a user namespace to take them from"},
    };
    (void)state;
    refuse_all(cases, ARRAY_LENGTH(cases));
}

#define RLIMITS                                                                                                   \
    "expected one of \"RLIMIT_AS\", \"RLIMIT_CORE\", \"RLIMIT_CPU\", \"RLIMIT_DATA\", \"RLIMIT_FSIZE\", \"RLIMIT_LOCKS\", "  \
    "\"RLIMIT_MEMLOCK\", \"RLIMIT_MSGQUEUE\", \"RLIMIT_NICE\", \"RLIMIT_NOFILE\", \"RLIMIT_NPROC\", \"RLIMIT_RSS\", "          \
    "\"RLIMIT_RTPRIO\", \"RLIMIT_RTTIME\", \"RLIMIT_SIGPENDING\", \"RLIMIT_STACK\""

/* spec: EXT-03 EXT-04 */
static void process_values_refused(void **state)
{
    static const char limit[] = "{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":1}";
    static const struct bad cases[] = {
        {PROCESS, "\"terminal\":1", "/process/terminal", PARSE "expected true or false, found the number 1"},
        {PROCESS, "\"consoleSize\":{\"height\":1}", "/process/consoleSize/width", REQUIRED("width")},
        {PROCESS, "\"consoleSize\":{\"height\":-1,\"width\":1}", "/process/consoleSize/height", INT("0", U64, "the number -1")},
        {PROCESS, "\"terminal\":true,\"consoleSize\":{\"height\":65536,\"width\":1}", "/process/consoleSize",
         "a terminal has at most 65535 rows and columns"},
        {PROCESS, "\"env\":[null]", "/process/env/0", PARSE "expected a string, found null"},
        {PROCESS, "\"user\":{}", "/process/user/uid", REQUIRED("uid")},
        {PROCESS, "\"user\":{\"uid\":0}", "/process/user/gid", REQUIRED("gid")},
        {PROCESS, "\"user\":{\"uid\":\"abc\",\"gid\":0}", "/process/user/uid", INT("0", ID, "the string \"abc\"")},
        {PROCESS, "\"user\":{\"uid\":4294967295,\"gid\":0}", "/process/user/uid", INT("0", ID, "the number 4294967295")},
        {PROCESS, "\"user\":{\"uid\":-1,\"gid\":0}", "/process/user/uid", INT("0", ID, "the number -1")},
        {PROCESS, "\"user\":{\"uid\":4294967296,\"gid\":0}", "/process/user/uid", INT("0", ID, "the number 4294967296")},
        {PROCESS, "\"user\":{\"uid\":0,\"gid\":4294967295}", "/process/user/gid", INT("0", ID, "the number 4294967295")},
        {PROCESS, "\"user\":{\"uid\":0,\"gid\":0,\"umask\":4096}", "/process/user/umask", INT("0", "4095", "the number 4096")},
        {PROCESS, "\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[1,4294967295]}", "/process/user/additionalGids/1",
         INT("0", ID, "the number 4294967295")},
        {PROCESS, "\"capabilities\":[]", "/process/capabilities", PARSE "expected an object, found an array"},
        {PROCESS, "\"capabilities\":{\"ambient\":\"CAP_KILL\"}", "/process/capabilities/ambient",
         PARSE "expected an array of strings, found the string \"CAP_KILL\""},
        {PROCESS, "\"rlimits\":[{\"soft\":1,\"hard\":1}]", "/process/rlimits/0/type", REQUIRED("type")},
        {PROCESS, "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":1}]", "/process/rlimits/0/soft", REQUIRED("soft")},
        {PROCESS, "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1}]", "/process/rlimits/0/hard", REQUIRED("hard")},
        {PROCESS, "\"rlimits\":[{\"type\":\"NOFILE\",\"soft\":1,\"hard\":1}]", "/process/rlimits/0/type",
         PARSE RLIMITS ", found the string \"NOFILE\""},
        {PROCESS, "\"rlimits\":[{\"type\":\"RLIMIT_\",\"soft\":1,\"hard\":1}]", "/process/rlimits/0/type",
         PARSE RLIMITS ", found the string \"RLIMIT_\""},
        {PROCESS, "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":18446744073709551616,\"hard\":1}]", "/process/rlimits/0/soft",
         INT("0", U64, "the number 18446744073709551616")},
        {PROCESS, "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":2,\"hard\":1}]", "/process/rlimits/0",
         "the soft limit 2 of RLIMIT_CORE is above its hard limit 1"},
        {PROCESS, "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":1},{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":1}]",
         "/process/rlimits/1", "RLIMIT_CORE is listed a second time"},
        {PROCESS, "\"noNewPrivileges\":\"yes\"", "/process/noNewPrivileges", PARSE "expected true or false, found the string \"yes\""},
        {PROCESS, "\"oomScoreAdj\":1001", "/process/oomScoreAdj", INT("-1000", "1000", "the number 1001")},
        {PROCESS, "\"oomScoreAdj\":-1001", "/process/oomScoreAdj", INT("-1000", "1000", "the number -1001")},
        {PROCESS, "\"apparmorProfile\":{}", "/process/apparmorProfile", PARSE "expected a string, found an object"},
        {PROCESS, "\"scheduler\":{}", "/process/scheduler/policy", REQUIRED("policy")},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_ISO\"}", "/process/scheduler/policy", "Linux has no such policy, found SCHED_ISO"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":20}", "/process/scheduler/nice",
         "expected a nice value from -20 to 19, found 20"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":-21}", "/process/scheduler/nice",
         "expected a nice value from -20 to 19, found -21"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"priority\":1}", "/process/scheduler/priority",
         "a priority needs the policy SCHED_FIFO or SCHED_RR, found 1"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_RR\"}", "/process/scheduler/priority",
         "SCHED_FIFO and SCHED_RR need a priority from 1 to 99, found 0"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"priority\":100}", "/process/scheduler/priority",
         "SCHED_FIFO and SCHED_RR need a priority from 1 to 99, found 100"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_IDLE\",\"period\":1}", "/process/scheduler/policy",
         "runtime, deadline and period need the policy SCHED_DEADLINE, found SCHED_IDLE"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\"}", "/process/scheduler/runtime", "SCHED_DEADLINE needs a runtime, found 0"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":1}", "/process/scheduler/deadline",
         "SCHED_DEADLINE needs a deadline, found 0"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":3,\"deadline\":2}", "/process/scheduler/runtime",
         "the runtime can be no longer than the deadline, found 3"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":1,\"deadline\":3,\"period\":2}",
         "/process/scheduler/deadline", "the deadline can be no longer than the period, found 3"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"flags\":[\"SCHED_FLAG_UTIL_CLAMP_MIN\"]}", "/process/scheduler/flags/0",
         "the specification has no member for the value of SCHED_FLAG_UTIL_CLAMP_MIN"},
        {PROCESS, "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":2147483648}", "/process/scheduler/nice",
         INT("-2147483648", "2147483647", "the number 2147483648")},
        {PROCESS, "\"ioPriority\":{\"priority\":1}", "/process/ioPriority/class", REQUIRED("class")},
        {PROCESS, "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\"}", "/process/ioPriority/priority", REQUIRED("priority")},
        {PROCESS, "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}", "/process/ioPriority/priority", INT("0", "7", "the number 8")},
        {PROCESS, "\"ioPriority\":{\"class\":\"BE\",\"priority\":1}", "/process/ioPriority/class",
         PARSE "expected one of \"IOPRIO_CLASS_RT\", \"IOPRIO_CLASS_BE\", \"IOPRIO_CLASS_IDLE\", found the string \"BE\""},
        {PROCESS, "\"execCPUAffinity\":{\"initial\":\"0;1\"}", "/process/execCPUAffinity/initial",
         PARSE "expected a list such as 0-3,7, found the string \"0;1\""},
        {PROCESS, "\"execCPUAffinity\":{\"final\":3}", "/process/execCPUAffinity/final", PARSE "expected a string, found the number 3"},
    };
    struct text many = {0};
    (void)state;
    refuse_all(cases, ARRAY_LENGTH(cases));
    text_add(&many, "\"rlimits\":[");
    for (int i = 0; i < 65; i++)
        text_format(&many, "%s%s", i ? "," : "", limit);
    text_add(&many, "]");
    refuse(&(struct bad){PROCESS, many.data, "/process/rlimits", "Linux has 16 resource limits, found 65 entries"});
    text_done(&many);
}

/* spec: EXT-03 */
static void linux_values_refused(void **state)
{
    static const struct bad cases[] = {
        {TOP, "\"linux\":{\"namespaces\":{}}", "/linux/namespaces", PARSE "expected an array of objects, found an object"},
        {TOP, "\"linux\":{\"namespaces\":[{}]}", "/linux/namespaces/0/type", REQUIRED("type")},
        {TOP, "\"linux\":{\"namespaces\":[{\"type\":\"net\"}]}", "/linux/namespaces/0/type",
         PARSE "expected one of \"pid\", \"network\", \"mount\", \"ipc\", \"uts\", \"user\", \"cgroup\", \"time\", found the string \"net\""},
        {TOP, "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"pid\"}]}", "/linux/namespaces/2",
         PARSE "namespace type \"pid\" is listed a second time"},
        {TOP, "\"linux\":{\"namespaces\":[{\"type\":\"pid\",\"path\":\"proc/1\"}]}", "/linux/namespaces/0/path",
         ABSOLUTE("the string \"proc/1\"")},
        {TOP, "\"linux\":{\"maskedPaths\":[\"/x\"]}", "/linux/maskedPaths", "a masked path needs a mount namespace, or it would change the host"},
        {TOP, "\"linux\":{\"readonlyPaths\":[\"/x\"]}", "/linux/readonlyPaths",
         "a read-only path needs a mount namespace, or it would change the host"},
        {TOP, "\"linux\":{\"rootfsPropagation\":\"slave\"}", "/linux/rootfsPropagation",
         "the mount propagation \"slave\" needs a mount namespace, or it would change the host"},
        {TOP, "\"linux\":{\"timeOffsets\":{\"boottime\":{\"secs\":1}}}", "/linux/timeOffsets",
         "a clock offset needs a time namespace, or it would change the host"},
        {TOP, "\"linux\":{\"namespaces\":[{\"type\":\"time\",\"path\":\"/t\"}],\"timeOffsets\":{\"boottime\":{}}}", "/linux/timeOffsets",
         "clock offsets cannot be given to a time namespace that exists already"},
        {LINUX, "\"timeOffsets\":{\"realtime\":{\"secs\":1}}", "/linux/timeOffsets/realtime",
         PARSE "unknown clock: a time namespace has offsets for \"monotonic\" and \"boottime\" only"},
        {LINUX, "\"timeOffsets\":{\"monotonic\":{\"nanosecs\":1000000000}}", "/linux/timeOffsets/monotonic/nanosecs",
         INT("0", "999999999", "the number 1000000000")},
        {LINUX, "\"timeOffsets\":{\"monotonic\":{\"secs\":9223372036854775808}}", "/linux/timeOffsets/monotonic/secs",
         INT("-9223372036854775808", "9223372036854775807", "the number 9223372036854775808")},
        {LINUX, "\"uidMappings\":[{\"containerID\":0,\"hostID\":0}]", "/linux/uidMappings/0/size", REQUIRED("size")},
        {LINUX, "\"gidMappings\":[{\"containerID\":0,\"size\":1}]", "/linux/gidMappings/0/hostID", REQUIRED("hostID")},
        {LINUX, "\"uidMappings\":[{\"containerID\":1,\"hostID\":4294967295,\"size\":2}]", "/linux/uidMappings/0",
         PARSE "\"containerID\" or \"hostID\" and \"size\" run past 4294967295, the largest id"},
        {LINUX, "\"uidMappings\":[{\"containerID\":4294967295,\"hostID\":0,\"size\":2}]", "/linux/uidMappings/0",
         PARSE "\"containerID\" or \"hostID\" and \"size\" run past 4294967295, the largest id"},
        {LINUX, "\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":4294967296}]", "/linux/uidMappings/0/size",
         INT("0", U32, "the number 4294967296")},
        {LINUX, "\"cgroupsPath\":1", "/linux/cgroupsPath", PARSE "expected a string, found the number 1"},
        {LINUX, "\"rootfsPropagation\":\"public\"", "/linux/rootfsPropagation",
         PARSE "expected one of \"private\", \"shared\", \"slave\", \"unbindable\", \"rprivate\", \"rshared\", \"rslave\", \"runbindable\", "
               "found the string \"public\""},
        {LINUX, "\"maskedPaths\":[\"/ok\",\"proc\"]", "/linux/maskedPaths/1", ABSOLUTE("the string \"proc\"")},
        {LINUX, "\"readonlyPaths\":[\"\"]", "/linux/readonlyPaths/0", ABSOLUTE("the string \"\"")},
        {LINUX, "\"sysctl\":{\"a\":1}", "/linux/sysctl/a", PARSE "expected a string, found the number 1"},
        {TOP, "\"linux\":{\"netDevices\":{\"eth0\":{}}}", "/linux/netDevices", "a network device needs a network namespace, or it would change the host"},
        {LINUX, "\"netDevices\":{\"eth0\":{},\"a~b\":{\"name\":\"eth0\"}}", "/linux/netDevices/a~0b/name", "two devices cannot both be 'eth0' in the container"},
        {LINUX, "\"netDevices\":{\"eth0\":{\"name\":\"eth1\"},\"eth1\":{}}", "/linux/netDevices/eth1", "two devices cannot both be 'eth1' in the container"},
        {LINUX, "\"netDevices\":{\"eth0\":{\"name\":\"eth%s\"}}", "/linux/netDevices/eth0/name",
         PARSE "expected an interface name in which % is that of one %d, a free number, found the string \"eth%s\""},
        {LINUX, "\"netDevices\":{\"eth0\":{\"name\":\"%d%d\"}}", "/linux/netDevices/eth0/name",
         PARSE "expected an interface name in which % is that of one %d, a free number, found the string \"%d%d\""},
        {TOP, "\"linux\":{\"netDevices\":{\"a/b\":{}}}", "/linux/netDevices/a~1b",
         PARSE "expected an interface name of 1 to 15 characters without slash, colon or blank as the member name, found the string \"a/b\""},
        {LINUX, "\"netDevices\":{\"eth0\":{\"name\":\"a:b\"}}", "/linux/netDevices/eth0/name",
         PARSE "expected an interface name of 1 to 15 characters without slash, colon or blank, found the string \"a:b\""},
        {LINUX, "\"netDevices\":{\"eth0\":{\"name\":\"sixteen-letters-\"}}", "/linux/netDevices/eth0/name",
         PARSE "expected an interface name of 1 to 15 characters without slash, colon or blank, found the string \"sixteen-letters-\""},
        {LINUX, "\"intelRdt\":{\"closID\":\"..\"}", "/linux/intelRdt/closID",
         PARSE "expected \"/\" or a directory name without a slash, found the string \"..\""},
        {LINUX, "\"intelRdt\":{\"closID\":\"a/b\"}", "/linux/intelRdt/closID",
         PARSE "expected \"/\" or a directory name without a slash, found the string \"a/b\""},
        {LINUX, "\"intelRdt\":{\"memBwSchema\":\"L3:0\"}", "/linux/intelRdt/memBwSchema",
         PARSE "expected one line that begins with \"MB:\", found the string \"L3:0\""},
        {LINUX, "\"intelRdt\":{\"schemata\":[\"a\",\"b\\nc\"]}", "/linux/intelRdt/schemata/1",
         PARSE "expected one line without a newline, found the string \"b c\""},
        {LINUX, "\"memoryPolicy\":{}", "/linux/memoryPolicy/mode", REQUIRED("mode")},
        {LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\"}", "/linux/memoryPolicy/nodes", "MPOL_BIND needs at least one node"},
        {LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_DEFAULT\",\"nodes\":\"0\"}", "/linux/memoryPolicy/nodes", "MPOL_DEFAULT takes no nodes, found \"0\""},
        {LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"a\"}", "/linux/memoryPolicy/nodes",
         PARSE "expected a list such as 0-3,7, found the string \"a\""},
        {LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\",\"MPOL_F_RELATIVE_NODES\"]}",
         "/linux/memoryPolicy/flags", "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other"},
        {LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_LOCAL\",\"flags\":[\"X\"]}", "/linux/memoryPolicy/flags/0",
         PARSE "expected one of \"MPOL_F_NUMA_BALANCING\", \"MPOL_F_RELATIVE_NODES\", \"MPOL_F_STATIC_NODES\", found the string \"X\""},
        {LINUX, "\"personality\":{}", "/linux/personality/domain", REQUIRED("domain")},
        {LINUX, "\"personality\":{\"domain\":\"BSD\"}", "/linux/personality/domain",
         PARSE "expected one of \"LINUX\", \"LINUX32\", found the string \"BSD\""},
        {LINUX, "\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"F\"]}", "/linux/personality/flags/0",
         "the specification defines no personality flag yet, found \"F\""},
        {DEVICE, "\"path\":\"/d\"", "/linux/devices/0/type", REQUIRED("type")},
        {DEVICE, "\"type\":\"c\",\"major\":1,\"minor\":1", "/linux/devices/0/path", REQUIRED("path")},
        {DEVICE, "\"type\":\"x\",\"path\":\"/d\"", "/linux/devices/0/type", PARSE "expected \"b\", \"c\", \"u\" or \"p\", found the string \"x\""},
        {DEVICE, "\"type\":\"cc\",\"path\":\"/d\"", "/linux/devices/0/type", PARSE "expected \"b\", \"c\", \"u\" or \"p\", found the string \"cc\""},
        {DEVICE, "\"type\":\"c\",\"path\":\"d\"", "/linux/devices/0/path", ABSOLUTE("the string \"d\"")},
        {DEVICE, "\"type\":\"c\",\"path\":\"/d\",\"major\":1", "/linux/devices/0",
         PARSE "\"major\" and \"minor\" are required unless the type is \"p\""},
        {DEVICE, "\"type\":\"c\",\"path\":\"/d\",\"major\":-1,\"minor\":1", "/linux/devices/0/major", INT("0", "4095", "the number -1")},
        {DEVICE, "\"type\":\"c\",\"path\":\"/d\",\"major\":4096,\"minor\":1", "/linux/devices/0/major", INT("0", "4095", "the number 4096")},
        {DEVICE, "\"type\":\"c\",\"path\":\"/d\",\"major\":1,\"minor\":1048576", "/linux/devices/0/minor", INT("0", "1048575", "the number 1048576")},
        {DEVICE, "\"type\":\"c\",\"path\":\"/d\",\"fileMode\":65536", "/linux/devices/0/fileMode", INT("0", "65535", "the number 65536")},
        {DEVICE, "\"type\":\"c\",\"path\":\"/d\",\"major\":1,\"minor\":1,\"fileMode\":9216", "/linux/devices/0",
         PARSE "\"fileMode\" has more than the permission bits, 0 to 511 (octal 777)"},
        {DEVICE, "\"type\":\"c\",\"path\":\"/d\",\"uid\":4294967295", "/linux/devices/0/uid", INT("0", ID, "the number 4294967295")},
        {SECCOMP, "\"syscalls\":[]", "/linux/seccomp/defaultAction", REQUIRED("defaultAction")},
        {SECCOMP, "\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{\"action\":\"SCMP_ACT_KILL\"}]", "/linux/seccomp/syscalls/0/names", REQUIRED("names")},
        {SECCOMP, "\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_KILL\"}]", "/linux/seccomp/syscalls/0/names",
         PARSE "at least one element is required, found none"},
        {SECCOMP, "\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{\"names\":[\"a\"]}]", "/linux/seccomp/syscalls/0/action", REQUIRED("action")},
        {SECCOMP, "\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":0,\"value\":1}]}]",
         "/linux/seccomp/syscalls/0/args/0/op", REQUIRED("op")},
        {SECCOMP, "\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":0,\"value\":-1}]}]",
         "/linux/seccomp/syscalls/0/args/0/value", INT("0", U64, "the number -1")},
        {SECCOMP, "\"defaultAction\":\"SCMP_ACT_LOG\",\"defaultErrnoRet\":4294967296", "/linux/seccomp/defaultErrnoRet",
         INT("0", U32, "the number 4294967296")},
    };
    (void)state;
    refuse_all(cases, ARRAY_LENGTH(cases));
}

#define V1(what, found) what " exists on cgroup v1 only: cgroup v2 has no file for it, found " found

/* spec: EXT-03 */
static void resources_values_refused(void **state)
{
    static const struct bad cases[] = {
        {RESOURCES, "\"devices\":[{}]", "/linux/resources/devices/0/allow", REQUIRED("allow")},
        {RESOURCES, "\"devices\":[{\"allow\":true,\"type\":\"p\"}]", "/linux/resources/devices/0/type",
         PARSE "expected \"a\", \"b\" or \"c\", found the string \"p\""},
        {RESOURCES, "\"devices\":[{\"allow\":true,\"access\":\"rwx\"}]", "/linux/resources/devices/0/access",
         PARSE "expected letters out of \"rwm\", found the string \"rwx\""},
        {RESOURCES, "\"devices\":[{\"allow\":true,\"major\":-2}]", "/linux/resources/devices/0/major", INT("-1", U32, "the number -2")},
        {RESOURCES, "\"memory\":{\"limit\":\"64M\"}", "/linux/resources/memory/limit",
         INT("-9223372036854775808", "9223372036854775807", "the string \"64M\"")},
        {RESOURCES, "\"memory\":{\"limit\":-2}", "/linux/resources/memory/limit", "expected -1 (no limit) or a positive number, found -2"},
        {RESOURCES, "\"memory\":{\"reservation\":-2}", "/linux/resources/memory/reservation",
         "expected -1 (no limit) or a positive number, found -2"},
        {RESOURCES, "\"memory\":{\"swap\":-2}", "/linux/resources/memory/swap", "expected -1 (no limit) or a positive number, found -2"},
        {RESOURCES, "\"memory\":{\"swap\":5}", "/linux/resources/memory/swap",
         "swap is the sum of memory and swap space, and needs a memory limit to subtract, found 5 without one"},
        {RESOURCES, "\"memory\":{\"swap\":5,\"limit\":0}", "/linux/resources/memory/swap",
         "swap is the sum of memory and swap space, and needs a memory limit to subtract, found 5 without one"},
        {RESOURCES, "\"memory\":{\"swap\":99,\"limit\":100}", "/linux/resources/memory/swap",
         "swap is the sum of memory and swap space: 99 is less than the memory limit 100"},
        {RESOURCES, "\"memory\":{\"swappiness\":60}", "/linux/resources/memory/swappiness", V1("swappiness", "60")},
        {RESOURCES, "\"memory\":{\"disableOOMKiller\":true}", "/linux/resources/memory/disableOOMKiller", V1("switching off the OOM killer", "true")},
        {RESOURCES, "\"memory\":{\"useHierarchy\":false}", "/linux/resources/memory/useHierarchy", V1("accounting without hierarchy", "false")},
        {RESOURCES, "\"memory\":{\"checkBeforeUpdate\":1}", "/linux/resources/memory/checkBeforeUpdate",
         PARSE "expected true or false, found the number 1"},
        {RESOURCES, "\"cpu\":{\"realtimeRuntime\":-1}", "/linux/resources/cpu/realtimeRuntime", V1("a realtime budget", "-1")},
        {RESOURCES, "\"cpu\":{\"realtimePeriod\":1000}", "/linux/resources/cpu/realtimePeriod", V1("a realtime period", "1000")},
        {RESOURCES, "\"cpu\":{\"shares\":-1}", "/linux/resources/cpu/shares", INT("0", U64, "the number -1")},
        {RESOURCES, "\"cpu\":{\"quota\":5,\"burst\":6}", "/linux/resources/cpu/burst", "burst 6 is larger than the quota 5"},
        {RESOURCES, "\"cpu\":{\"idle\":2}", "/linux/resources/cpu/idle", "expected 0 or 1, found 2"},
        {RESOURCES, "\"cpu\":{\"cpus\":0}", "/linux/resources/cpu/cpus", PARSE "expected a string, found the number 0"},
        {RESOURCES, "\"blockIO\":{\"weight\":65536}", "/linux/resources/blockIO/weight", INT("0", "65535", "the number 65536")},
        {RESOURCES, "\"blockIO\":{\"leafWeight\":10}", "/linux/resources/blockIO/leafWeight", V1("a leaf weight", "10")},
        {RESOURCES, "\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0}]}", "/linux/resources/blockIO/weightDevice/0",
         PARSE "\"weight\" or \"leafWeight\" is required"},
        {RESOURCES, "\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"leafWeight\":5}]}", 
         "/linux/resources/blockIO/weightDevice/0/leafWeight", V1("a leaf weight", "5")},
        {RESOURCES, "\"blockIO\":{\"weightDevice\":[{\"minor\":0,\"weight\":5}]}", "/linux/resources/blockIO/weightDevice/0/major",
         REQUIRED("major")},
        {RESOURCES, "\"blockIO\":{\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":0}]}",
         "/linux/resources/blockIO/throttleWriteIOPSDevice/0/rate", REQUIRED("rate")},
        {RESOURCES, "\"blockIO\":{\"throttleReadIOPSDevice\":[{\"major\":8,\"rate\":1}]}",
         "/linux/resources/blockIO/throttleReadIOPSDevice/0/minor", REQUIRED("minor")},
        {RESOURCES, "\"hugepageLimits\":[{\"limit\":1}]", "/linux/resources/hugepageLimits/0/pageSize", REQUIRED("pageSize")},
        {RESOURCES, "\"hugepageLimits\":[{\"pageSize\":\"2MB\"}]", "/linux/resources/hugepageLimits/0/limit", REQUIRED("limit")},
        {RESOURCES, "\"hugepageLimits\":[{\"pageSize\":\"02MB\",\"limit\":1}]", "/linux/resources/hugepageLimits/0/pageSize",
         PARSE "expected a size such as 64KB, 2MB or 1GB, found the string \"02MB\""},
        {RESOURCES, "\"hugepageLimits\":[{\"pageSize\":\"../MB\",\"limit\":1}]", "/linux/resources/hugepageLimits/0/pageSize",
         PARSE "expected a size such as 64KB, 2MB or 1GB, found the string \"../MB\""},
        {RESOURCES, "\"hugepageLimits\":[{\"pageSize\":\"2\",\"limit\":1}]", "/linux/resources/hugepageLimits/0/pageSize",
         PARSE "expected a size such as 64KB, 2MB or 1GB, found the string \"2\""},
        {RESOURCES, "\"network\":{\"classID\":1}", "/linux/resources/network/classID", V1("a network class", "1")},
        {RESOURCES, "\"network\":{\"classID\":4294967296}", "/linux/resources/network/classID", INT("0", U32, "the number 4294967296")},
        {RESOURCES, "\"network\":{\"priorities\":[{\"name\":\"e\",\"priority\":1}]}", "/linux/resources/network/priorities/0/priority",
         V1("a network priority", "1")},
        {RESOURCES, "\"network\":{\"priorities\":[{\"name\":\"e\"}]}", "/linux/resources/network/priorities/0/priority", REQUIRED("priority")},
        {RESOURCES, "\"pids\":{\"limit\":1.0}", "/linux/resources/pids/limit",
         INT("-9223372036854775808", "9223372036854775807", "the number 1.0")},
        {RESOURCES, "\"rdma\":{\"mlx\":{}}", "/linux/resources/rdma/mlx", PARSE "\"hcaHandles\" or \"hcaObjects\" is required"},
        {RESOURCES, "\"rdma\":{\"mlx\":{\"hcaObjects\":4294967296}}", "/linux/resources/rdma/mlx/hcaObjects", INT("0", U32, "the number 4294967296")},
        {RESOURCES, "\"unified\":{\"../memory.max\":\"1\"}", "/linux/resources/unified/..~1memory.max",
         PARSE "expected CONTROLLER.PARAMETER such as \"memory.high\" as the member name, found the string \"../memory.max\""},
        {RESOURCES, "\"unified\":{\"..\":\"1\"}", "/linux/resources/unified/..",
         PARSE "expected CONTROLLER.PARAMETER such as \"memory.high\" as the member name, found the string \"..\""},
        {RESOURCES, "\"unified\":{\"\":\"1\"}", "/linux/resources/unified/", PARSE "an empty member name is not allowed here"},
        {RESOURCES, "\"unified\":{\"memory.max\":1}", "/linux/resources/unified/memory.max", PARSE "expected a string, found the number 1"},
    };
    (void)state;
    refuse_all(cases, ARRAY_LENGTH(cases));
}

#define VM(members) "{\"kernel\":{\"path\":\"/k\"}" members "}"
#define VM_REFUSED "running a container in a virtual machine is not supported by this release"
#define MEMORY_RANGES(ranges) VM(",\"hwConfig\":{\"iomems\":" ranges "}")

/* Well formed it is refused as a whole, since ignoring it would take isolation away; malformed it is refused by name. */
/* spec: VM-01 VM-02 VM-03 VM-04 VM-05 VM-06 VM-07 VM-08 VM-09 VM-10 VM-11 VM-12 VM-13 VM-14 VM-15 VM-16 VM-17 VM-18 VM-19 VM-20
 *       VM-21 VM-22 VM-23 */
static void vm_section_is_refused(void **state)
{
    static const struct { const char *vm, *pointer, *found; } cases[] = {
        {"{\"hypervisor\":{\"path\":\"/vmm\",\"parameters\":[\"a\"]},\"kernel\":{\"path\":\"/k\",\"parameters\":[\"ro\"],\"initrd\":\"/i\"},"
         "\"image\":{\"path\":\"/d\",\"format\":\"qcow2\"},\"hwConfig\":{\"deviceTree\":\"/t\",\"vcpus\":4294967295,"
         "\"memory\":18446744073709551615,\"dtdevs\":[\"/a\"],\"iomems\":[{\"firstGFN\":1,\"firstMFN\":2,\"nrMFNs\":3},{\"firstMFN\":2,\"nrMFNs\":3}],"
         "\"irqs\":[0,4294967295]}}", "/vm", VM_REFUSED},
        {VM(""), "/vm", VM_REFUSED},
        {"{}", "/vm/kernel", "the required member \"kernel\" is missing"},
        {"[]", "/vm", "expected an object, found an array"},
        {VM(",\"hypervisor\":\"/vmm\""), "/vm/hypervisor", "expected an object"},
        {VM(",\"hypervisor\":{}"), "/vm/hypervisor/path", "the required member \"path\" is missing"},
        {VM(",\"hypervisor\":{\"path\":\"vmm\"}"), "/vm/hypervisor/path", "expected an absolute path, found the string \"vmm\""},
        {VM(",\"hypervisor\":{\"path\":\"/vmm\",\"parameters\":[1]}"), "/vm/hypervisor/parameters/0", "expected a string, found the number 1"},
        {"{\"kernel\":{}}", "/vm/kernel/path", "the required member \"path\" is missing"},
        {"{\"kernel\":{\"path\":\"k\"}}", "/vm/kernel/path", "expected an absolute path, found the string \"k\""},
        {"{\"kernel\":{\"path\":\"/k\",\"parameters\":\"ro\"}}", "/vm/kernel/parameters", "expected an array of strings"},
        {"{\"kernel\":{\"path\":\"/k\",\"initrd\":\"i\"}}", "/vm/kernel/initrd", "expected an absolute path, found the string \"i\""},
        {VM(",\"image\":[]"), "/vm/image", "expected an object, found an array"},
        {VM(",\"image\":{\"path\":\"d\",\"format\":\"raw\"}"), "/vm/image/path", "expected an absolute path"},
        {VM(",\"image\":{\"path\":\"/d\"}"), "/vm/image/format", "the required member \"format\" is missing"},
        {VM(",\"image\":{\"path\":\"/d\",\"format\":\"vhdx\"}"), "/vm/image/format",
         "expected one of \"raw\", \"qcow2\", \"vdi\", \"vmdk\", \"vhd\", found the string \"vhdx\""},
        {VM(",\"hwConfig\":1"), "/vm/hwConfig", "expected an object, found the number 1"},
        {VM(",\"hwConfig\":{\"deviceTree\":1}"), "/vm/hwConfig/deviceTree", "expected a string, found the number 1"},
        {VM(",\"hwConfig\":{\"vcpus\":-1}"), "/vm/hwConfig/vcpus", "expected an integer from 0 to 4294967295, found the number -1"},
        {VM(",\"hwConfig\":{\"vcpus\":4294967296}"), "/vm/hwConfig/vcpus", "expected an integer from 0 to 4294967295"},
        {VM(",\"hwConfig\":{\"memory\":-1}"), "/vm/hwConfig/memory", "expected an integer from 0 to 18446744073709551615, found the number -1"},
        {VM(",\"hwConfig\":{\"dtdevs\":[{}]}"), "/vm/hwConfig/dtdevs/0", "expected a string, found an object"},
        {MEMORY_RANGES("[1]"), "/vm/hwConfig/iomems/0", "expected an object, found the number 1"},
        {MEMORY_RANGES("[{\"firstGFN\":-1,\"firstMFN\":2,\"nrMFNs\":3}]"), "/vm/hwConfig/iomems/0/firstGFN", "expected an integer from 0"},
        {MEMORY_RANGES("[{\"nrMFNs\":3}]"), "/vm/hwConfig/iomems/0/firstMFN", "the required member \"firstMFN\" is missing"},
        {MEMORY_RANGES("[{\"firstMFN\":2,\"nrMFNs\":3},{\"firstMFN\":2}]"), "/vm/hwConfig/iomems/1/nrMFNs", "the required member \"nrMFNs\" is missing"},
        {VM(",\"hwConfig\":{\"irqs\":[1,4294967296]}"), "/vm/hwConfig/irqs/1", "4294967296"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct spec spec;
        struct text text = {0};
        text_format(&text, HEAD ",\"vm\":%s}", cases[i].vm);
        assert_int_equal(read_config(text.data, text.length, &spec), -1);
        if (strcmp(why.pointer, cases[i].pointer) != 0 || strstr(why.text, cases[i].found) == NULL)
            fail_msg("%s\n  expected %s: %s\n  found    %s: %s", text.data, cases[i].pointer, cases[i].found, why.pointer, why.text);
        spec_done(&spec);
        text_done(&text);
    }
}

/* spec: VER-02 VER-03 VER-04 */
static void versions_by_semver(void **state)
{
    static const struct { const char *word; bool good; } cases[] = {
        {"1.0.0", true}, {"1.0.2-dev", true}, {"1.3.0+dev", true}, {"1.0.0-rc5-dev", true}, {"1.99.12", true}, {"1.2.1-a.b+c", true},
        {"", false}, {"1", false}, {"1.0", false}, {"1.0.", false}, {"1..0", false}, {"2.0.0", false}, {"0.5.0-dev", false},
        {"11.0.0", false}, {"1.0.0 ", false}, {"1.0.0-", false}, {"1.0.0+", false}, {"v1.0.0", false}, {"1.0.0.0", false},
        {"1.0.0-\\u00e9", false}, {"-1.0.0", false}, {"1.-1.0", false}, {"1.00.0", false}, {"1.0.01", false},
        {"1.0.0-01", false}, {"1.0.0-a..b", false}, {"1.0.0+a+b", false}, {"1.0.0-0a.0", true}, {"1.0.0+001", true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct spec spec;
        struct text text = {0};
        text_format(&text, "{\"root\":{\"path\":\"r\"},\"ociVersion\":\"%s\"}", cases[i].word);
        if ((read_config(text.data, text.length, &spec) == 0) != cases[i].good)
            fail_msg("%s", text.data);
        if (!cases[i].good) {
            assert_string_equal(why.pointer, "/ociVersion");
            assert_true(text_starts(why.text, PARSE "expected a version 1.MINOR.PATCH such as 1.3.0, found the string"));
        }
        spec_done(&spec);
        text_done(&text);
    }
}

/* spec: VER-01 */
static void required_at_the_top(void **state)
{
    static const struct { const char *text, *pointer; } cases[] = {
        {"{}", "/ociVersion"},
        {"{\"root\":{\"path\":\"r\"}}", "/ociVersion"},
        {"{\"ociVersion\":null,\"root\":{\"path\":\"r\"}}", "/ociVersion"},
        {"{\"ociVersion\":\"1.0.0\"}", "/root"},
        {"{\"ociVersion\":\"1.0.0\",\"root\":null}", "/root"},
        {"{\"ociVersion\":\"1.0.0\",\"root\":{}}", "/root/path"},
        {"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"\"}}", "/root/path"},
        {"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":[]}}", "/root/path"},
        {"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\",\"readonly\":\"true\"}}", "/root/readonly"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct spec spec;
        assert_int_equal(read_config(cases[i].text, strlen(cases[i].text), &spec), -1);
        assert_string_equal(why.pointer, cases[i].pointer);
        spec_done(&spec);
    }
}

/* ---- what stands in the structs ---- */

/* spec: RDEV-04 RDEV-05 RDEV-06 RDEV-07 */
static void values_in_the_structs(void **state)
{
    static const char text[] =
        "{\"ociVersion\":\"1.0.2-dev\",\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"annotations\":{\"k\":\"v\",\"e\":\"\"},"
        "\"process\":{\"terminal\":true,\"cwd\":\"/w\",\"args\":[\"sh\",\"\"],\"env\":[\"A=\\u00e4\"],\"user\":{\"uid\":1,\"gid\":2,"
        "\"umask\":18,\"additionalGids\":[3,4]},\"consoleSize\":{\"height\":24,\"width\":80},"
        "\"rlimits\":[{\"type\":\"RLIMIT_AS\",\"hard\":18446744073709551615,\"soft\":9007199254740993}],\"oomScoreAdj\":0,"
        "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":4},\"execCPUAffinity\":{\"initial\":\"1\",\"final\":\"2\"}},"
        "\"hooks\":{\"poststop\":[{\"path\":\"/a\"},{\"path\":\"/b\",\"args\":[],\"env\":[\"X=1\"],\"timeout\":9}]},"
        "\"mounts\":[{\"destination\":\"rel\",\"type\":\"none\",\"source\":\"/s\",\"options\":[\"bind\"],"
        "\"uidMappings\":[{\"containerID\":1,\"hostID\":2,\"size\":3}],\"gidMappings\":[]}],"
        "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\",\"path\":\"/u\"},{\"type\":\"time\",\"path\":\"\"}],"
        "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/x\",\"major\":10,\"minor\":229,\"fileMode\":8630}],"
        "\"timeOffsets\":{\"monotonic\":{\"secs\":-5,\"nanosecs\":6}},"
        "\"resources\":{\"devices\":[{\"allow\":true},{\"allow\":false,\"type\":\"b\",\"major\":8,\"access\":\"m\"}],"
        "\"blockIO\":{\"throttleWriteBpsDevice\":[{\"major\":254,\"minor\":1,\"rate\":7}]},\"pids\":{\"limit\":0},"
        "\"rdma\":{\"mlx\":{\"hcaObjects\":5}},\"unified\":{\"cpu.idle\":\"1\"},\"memory\":{\"limit\":1024}},"
        "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"flags\":[],\"syscalls\":[{\"names\":[\"read\"],"
        "\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":1,\"value\":18446744073709551615,\"valueTwo\":2,\"op\":\"SCMP_CMP_EQ\"}]}]}}}";
    struct spec spec;
    (void)state;
    if (read_config(text, sizeof(text) - 1, &spec) < 0)
        fail_msg("%s: %s", why.pointer, why.text);
    assert_int_equal(spec.length, sizeof(text) - 1);
    assert_memory_equal(spec.text, text, sizeof(text) - 1);
    assert_string_equal(spec_annotation(&spec, "e"), "");
    assert_null(spec_annotation(&spec, "absent"));
    assert_true(spec.process.set && spec.process.terminal && spec.linux.set && spec.root.set);
    assert_string_equal(spec.process.args.items[1], "");
    assert_string_equal(spec.process.env.items[0], "A=\xc3\xa4");
    assert_true(spec.process.user.uid == 1 && spec.process.user.gid == 2 && spec.process.user.umask.value == 18);
    assert_true(spec.process.user.additional_gids_set && spec.process.user.additional_gids[1] == 4);
    assert_true(spec.process.console_size.set && spec.process.console_size.width == 80);
    assert_true(spec.process.rlimits[0].hard == UINT64_MAX && spec.process.rlimits[0].soft == UINT64_C(9007199254740993));
    assert_true(spec.process.oom_score_adj.set && !spec.process.capabilities.set && !spec.process.scheduler.set);
    assert_true(spec.process.io_priority.set && spec.process.io_priority.priority == 4);
    assert_string_equal(spec.process.exec_cpu_affinity.final, "2");
    assert_int_equal(spec.hooks[HOOK_POSTSTOP].count, 2);
    assert_false(spec.hooks[HOOK_POSTSTOP].items[0].args_set || spec.hooks[HOOK_POSTSTOP].items[0].timeout.set);
    assert_true(spec.hooks[HOOK_POSTSTOP].items[1].args_set && spec.hooks[HOOK_POSTSTOP].items[1].env_set);
    assert_true(spec.hooks[HOOK_POSTSTOP].items[1].timeout.value == 9);
    assert_true(spec.mounts[0].mappings_set && spec.mounts[0].uid_mappings.items[0].host == 2);
    const struct spec_namespace *ns = spec.linux.namespaces;
    assert_true(ns[NS_MOUNT].listed && ns[NS_MOUNT].path == NULL && !ns[NS_PID].listed);
    assert_string_equal(ns[NS_USER].path, "/u");
    assert_int_equal(ns[NS_USER].index, 1);
    assert_true(ns[NS_TIME].listed && ns[NS_TIME].path == NULL && ns[NS_TIME].index == 2);
    assert_true(spec.linux.devices[0].file_mode.set && spec.linux.devices[0].file_mode.value == 0666);
    assert_true(spec.linux.devices[0].type == 'c' && spec.linux.devices[0].minor == 229 && !spec.linux.devices[0].uid.set);
    assert_true(spec.linux.monotonic_offset.set && spec.linux.monotonic_offset.secs == -5 && !spec.linux.boottime_offset.set);
    const struct spec_resources *resources = &spec.linux.resources;
    assert_true(resources->set && resources->devices_count == 2);
    assert_true(resources->devices[0].type == 'a' && !resources->devices[0].read && !resources->devices[0].write &&
                !resources->devices[0].mknod && !resources->devices[0].major.set);
    assert_true(resources->devices[1].type == 'b' && resources->devices[1].mknod && !resources->devices[1].read &&
                resources->devices[1].major.value == 8 && !resources->devices[1].minor.set);
    assert_true(resources->block_io.write_bps.count == 1 && resources->block_io.write_bps.items[0].rate == 7);
    assert_true(resources->pids_limit.set && resources->pids_limit.value == 0);
    assert_string_equal(resources->rdma[0].device, "mlx");
    assert_true(resources->rdma[0].hca_objects.value == 5 && !resources->rdma[0].hca_handles.set);
    assert_string_equal(resources->unified.items[0].key, "cpu.idle");
    const struct spec_seccomp *seccomp = &spec.linux.seccomp;
    assert_true(seccomp->set && seccomp->flags_set && seccomp->default_errno_ret.value == 38);
    assert_true(seccomp->syscalls[0].args[0].value == UINT64_MAX && seccomp->syscalls[0].args[0].value_two == 2);
    assert_false(seccomp->syscalls[0].errno_ret.set);
    spec_done(&spec);
}

/* ---- documents of their own ---- */

static void process_document(void **state)
{
    static const char text[] = "{\"cwd\":\"/\",\"args\":[\"a\"]}", bad[] = "{\"cwd\":\"/\",\n\"args\":[1]}";
    struct arena arena = {0};
    struct spec_process process;
    (void)state;
    memset(&process, 0xff, sizeof(process));
    assert_int_equal(spec_parse_process(text, sizeof(text) - 1, &arena, &process, &why), 0);
    assert_true(process.set && process.user.uid == 0 && !process.scheduler.set);
    assert_int_equal(with_line(spec_parse_process(bad, sizeof(bad) - 1, &arena, &process, &why)), -1);
    assert_string_equal(why.pointer, "/args/0");
    assert_string_equal(why.text, "process document line 2: expected a string, found the number 1");
    process = (struct spec_process){.scheduler = {.set = true, .policy = (char[]){"SCHED_ISO"}}};
    assert_int_equal(spec_check_process(&process, "", &why), -1);
    assert_string_equal(why.pointer, "/scheduler/policy");
    arena_done(&arena);
}

static void resources_document(void **state)
{
    static const char text[] = "{\"memory\":{\"limit\":5,\"swap\":4}}", bad[] = "{\"cpu\":{\"shares\":\"x\"}}";
    struct arena arena = {0};
    struct spec_resources resources;
    (void)state;
    assert_int_equal(spec_parse_resources(text, sizeof(text) - 1, &arena, &resources, &why), 0);
    assert_true(resources.set && resources.memory.limit.value == 5);
    assert_int_equal(spec_check_resources(&resources, "", &why), -1);
    assert_string_equal(why.pointer, "/memory/swap");
    assert_int_equal(with_line(spec_parse_resources(bad, sizeof(bad) - 1, &arena, &resources, &why)), -1);
    assert_string_equal(why.text, "resources document line 1: expected an integer from 0 to " U64 ", found the string \"x\"");
    arena_done(&arena);
}

/* ---- files ---- */

static void bundle_without_config(void **state)
{
    struct spec spec;
    (void)state;
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(spec_read(fd, "no-such-config.json", &spec, &why), -1);
    assert_string_equal(why.text, "read 'no-such-config.json' in the bundle directory: No such file or directory");
    assert_true(text_ends(why.hint, "crun-lite spec"));
    spec_done(&spec);
    assert_int_equal(spec_read(fd, "dev", &spec, &why), -1);
    assert_string_equal(why.text, "read 'dev' in the bundle directory: Is a directory");
    spec_done(&spec);
    fd_close(&fd);
}

static int open_data(const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/tests/data/%s", getenv("srcdir") ? getenv("srcdir") : ".", name);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        fail_msg("%s is missing", path);
    return fd;
}

static int read_process(int directory, const char *name)
{
    struct arena arena = {0};
    struct spec_process process;
    char *text;
    ssize_t length = file_read_at(directory, name, SPEC_SIZE_LIMIT, &arena, &text);
    assert_true(length > 0);
    int result = spec_parse_process(text, (size_t)length, &arena, &process, &why);
    if (result == 0)
        result = spec_check_process(&process, "", &why);
    arena_done(&arena);
    return result;
}

/* What the checks say after the reader went on: "line pointer", one a line, in the order of finding. */
static char *find_all(const char *text)
{
    static char all[4096];
    struct findings findings;
    struct spec spec;
    size_t used = 0;
    findings_collect(&findings, &why);
    if (spec_parse_all(text, strlen(text), &spec, &findings) == 0)
        assert_int_equal(spec_check_all(&spec, &findings), 0);
    all[0] = '\0';
    spec_locate_all(&spec, findings.items, findings.count);
    for (size_t i = 0; i < findings.count; i++) {
        used += (size_t)snprintf(all + used, sizeof(all) - used, "%u %s\n", findings.items[i].line, findings.items[i].pointer);
    }
    spec_done(&spec);
    findings_done(&findings);
    return all;
}

static void all_findings(void **state)
{
    static const struct { const char *text, *found; } cases[] = {
        {HEAD "}", ""},
        /* Everything of the reader, then everything of the checks. */
        {HEAD ",\n\"hostname\":\"h\",\n\"domainname\":1,\n\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\n"
              "\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1},\n{\"type\":\"RLIMIT_AS\",\"soft\":2,\"hard\":1}],\n"
              "\"scheduler\":{\"policy\":\"SCHED_ISO\",\n\"nice\":20,\n\"priority\":1}},\n"
              "\"linux\":{\"resources\":{\"memory\":{\"limit\":-5,\n\"swappiness\":1},\n\"cpu\":{\"idle\":7}}}}",
         "3 /domainname\n2 /hostname\n5 /process/rlimits/0\n6 /process/rlimits/1\n7 /process/scheduler/policy\n"
         "8 /process/scheduler/nice\n9 /process/scheduler/priority\n11 /linux/resources/memory/swappiness\n"
         "10 /linux/resources/memory/limit\n12 /linux/resources/cpu/idle\n"},
        /* Elements are counted as in the document. */
        {HEAD ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\n\"rlimits\":[1,\n{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1},\n"
              "{\"type\":\"x\",\"soft\":2,\"hard\":1},\n{\"type\":\"RLIMIT_AS\",\"soft\":2,\"hard\":1}]}}",
         "2 /process/rlimits/0\n4 /process/rlimits/2/type\n3 /process/rlimits/1\n5 /process/rlimits/3\n"},
        {HEAD ",\"mounts\":[{},\n{\"destination\":\"/a\",\"options\":[1,\n\"idmap\"]},{\"destination\":1},\n"
              "{\"destination\":\"/b\",\"options\":[\"ro\",\n\"ridmap\"]}],\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}",
         "1 /mounts/0/destination\n2 /mounts/1/options/0\n3 /mounts/2/destination\n3 /mounts/1/options/1\n5 /mounts/3/options/1\n"},
        /* No conclusion from what was refused: the list of namespaces, a required member, a number beside another. */
        {HEAD ",\"hostname\":\"h\",\"linux\":{\"namespaces\":[{\"type\":\"utz\"}],\"maskedPaths\":[\"/a\"]}}", "1 /linux/namespaces/0/type\n"},
        {HEAD ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"priority\":\"5\"}}}",
         "1 /process/scheduler/priority\n"},
        {HEAD ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"scheduler\":{\"policy\":\"FIFO\",\"priority\":5}}}",
         "1 /process/scheduler/policy\n"},
        {HEAD ",\"linux\":{\"resources\":{\"memory\":{\"limit\":\"x\",\"swap\":5},\"cpu\":{\"idle\":2}}}}",
         "1 /linux/resources/memory/limit\n1 /linux/resources/cpu/idle\n"},
        /* /process goes on without its working directory. */
        {"{\"process\":{\"args\":[\"a\"],\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]}}",
         "1 /process/cwd\n1 /ociVersion\n1 /root\n1 /process/rlimits/0\n"},
        {HEAD ",\"hostname\":\"h\",\"x\":}", "1 /x\n"}, /* no JSON: nothing is known for sure */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_string_equal(find_all(cases[i].text), cases[i].found);
}

static void engine_documents(void **state)
{
    int directory = open_data("engines"), configs = 0, processes = 0;
    (void)state;
    DIR *listing = fdopendir(fd_duplicate(directory, 3));
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        struct spec spec;
        memset(&why, 0, sizeof(why));
        if (text_ends(entry->d_name, ".process.json")) {
            if (read_process(directory, entry->d_name) < 0)
                fail_msg("%s: %s: %s", entry->d_name, why.pointer, why.text);
            processes++;
        } else if (text_ends(entry->d_name, ".config.json")) {
            if (spec_read(directory, entry->d_name, &spec, &why) < 0 || spec_check(&spec, &why) < 0)
                fail_msg("%s: %s: %s", entry->d_name, why.pointer, why.text);
            assert_true(spec.process.set && spec.mounts_count >= 5 && spec.linux.namespaces[NS_MOUNT].listed);
            spec_done(&spec);
            configs++;
        }
    }
    closedir(listing);
    fd_close(&directory);
    assert_int_equal(configs, 28);
    assert_int_equal(processes, 6);
}

static void specification_examples(void **state)
{
    static const struct { const char *name, *pointer; /* NULL: accepted */ } cases[] = {
        {"good/minimal.json", NULL},
        {"good/minimal-for-start.json", NULL},
        {"good/linux-rdma.json", NULL},
        {"good/linux-netdevice.json", "/linux/netDevices"}, /* not supported yet */
        {"good/freebsd-minimal.json", NULL},                /* other platforms: unknown members */
        {"good/zos-minimal.json", NULL},
        {"good/freebsd-example.json", "/hostname"},         /* without /linux there is no uts namespace */
        {"good/spec-example.json", "/ociVersion"},          /* they say 0.5.0-dev */
        {"good/zos-example.json", "/ociVersion"},
        {"bad/freebsd-vnet-disable.json", NULL},
        {"bad/invalid-json.json", ""},
        {"bad/linux-hugepage.json", "/linux/resources/hugepageLimits/0/pageSize"},
        {"bad/linux-netdevice.json", "/linux/netDevices/eth0/name"},
        {"bad/linux-rdma.json", "/linux/resources/rdma/mlx5_1/hcaHandles"},
    };
    int directory = open_data("schema/config");
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct spec spec;
        memset(&why, 0, sizeof(why));
        int result = spec_read(directory, cases[i].name, &spec, &why);
        if (result == 0)
            result = spec_check(&spec, &why);
        if (result != (cases[i].pointer ? -1 : 0) || (cases[i].pointer && strcmp(why.pointer, cases[i].pointer) != 0))
            fail_msg("%s: %s: %s", cases[i].name, why.pointer, why.text);
        spec_done(&spec);
    }
    fd_close(&directory);
}

/* The big example of the specification with the version of a released one: nothing else in it may be refused by
 * the reader; what cgroup v2 cannot express is refused by the check. */
static void specification_example_as_1_0(void **state)
{
    struct arena arena = {0};
    struct spec spec;
    char *text;
    int directory = open_data("schema/config/good");
    (void)state;
    ssize_t length = file_read_at(directory, "spec-example.json", SPEC_SIZE_LIMIT, &arena, &text);
    assert_true(length > 0);
    char *version = strstr(text, "\"0.5.0-dev\"");
    assert_non_null(version);
    memcpy(version, "\"1.0.0-dev\"", strlen("\"1.0.0-dev\""));
    memset(&why, 0, sizeof(why));
    if (spec_parse(text, (size_t)length, &spec, &why) < 0)
        fail_msg("%s: %s", why.pointer, why.text);
    assert_true(spec.linux.resources.network_class_id.set);
    assert_int_equal(spec_check(&spec, &why), -1);
    assert_true(text_starts(why.pointer, "/linux/"));
    spec_done(&spec);
    arena_done(&arena);
    fd_close(&directory);
}

/* ---- big ---- */

static void big_documents(void **state)
{
    struct spec spec;
    struct text text = {0};
    (void)state;
    text_add(&text, HEAD ",\"linux\":{" ALL_NS "},\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"env\":[\"X=0\"");
    for (int i = 0; i < 100000; i++)
        text_format(&text, ",\"VARIABLE_%d=value\"", i);
    text_add(&text, "]},\"mounts\":[{\"destination\":\"/first\"}");
    for (int i = 0; i < 10000; i++)
        text_format(&text, ",{\"destination\":\"/m/%d\",\"type\":\"bind\",\"source\":\"/s/%d\",\"options\":[\"rbind\",\"ro\"]}", i, i);
    text_add(&text, "],\"annotations\":{\"first\":\"\"");
    for (int i = 0; i < 100000; i++)
        text_format(&text, ",\"key.%d\":\"v\"", i);
    text_add(&text, "}}");
    if (read_config(text.data, text.length, &spec) < 0)
        fail_msg("%s: %s", why.pointer, why.text);
    assert_int_equal(spec.process.env.count, 100001);
    assert_string_equal(spec.process.env.items[100000], "VARIABLE_99999=value");
    assert_int_equal(spec.mounts_count, 10001);
    assert_string_equal(spec.mounts[10000].destination, "/m/9999");
    assert_string_equal(spec.mounts[10000].options.items[1], "ro");
    assert_string_equal(spec_annotation(&spec, "key.99999"), "v");
    spec_done(&spec);
    text_done(&text);
}

static void too_large(void **state)
{
    struct spec spec;
    char *big = memory_new(SPEC_SIZE_LIMIT + 1);
    (void)state;
    assert_int_equal(spec_parse(big, SPEC_SIZE_LIMIT + 1, &spec, &why), -1);
    assert_string_equal(why.text, "config.json is larger than 16 MiB");
    spec_done(&spec);
    free(big);
    assert_int_equal(spec_parse(NULL, 0, &spec, &why), -1);
    assert_string_equal(why.text, "config.json is empty");
    spec_done(&spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(bad_top),
        cmocka_unit_test(process_values_refused),
        cmocka_unit_test(linux_values_refused),
        cmocka_unit_test(resources_values_refused),
        cmocka_unit_test(versions_by_semver),
        cmocka_unit_test(vm_section_is_refused),
        cmocka_unit_test(required_at_the_top),
        cmocka_unit_test(values_in_the_structs),
        cmocka_unit_test(process_document),
        cmocka_unit_test(resources_document),
        cmocka_unit_test(bundle_without_config),
        cmocka_unit_test(all_findings),
        cmocka_unit_test(engine_documents),
        cmocka_unit_test(specification_examples),
        cmocka_unit_test(specification_example_as_1_0),
        cmocka_unit_test(big_documents),
        cmocka_unit_test(too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
