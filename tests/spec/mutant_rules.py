"""What tests/spec/mutants cannot take from the JSON schemas: the rules of the prose, and the decisions of this runtime.

Pointers with a star are about every element; a list in maximal.config.json is changed at its last one.
"""

import collections
import fnmatch


class Absent:
    def __repr__(self):
        return "absent"


ABSENT = Absent()

# ---- what the specification says in prose ----

# `changes` on maximal.config.json; the message names `pointer` and holds the tokens: what was found, what is allowed.
Rule = collections.namedtuple("Rule", "name pointer tokens changes")

RULES = []


def refused(name, pointer, tokens, *changes):
    RULES.append(Rule(name, pointer, tokens, changes or ()))


def refused_value(pointer, value, *tokens):
    refused("is %r" % (value,), pointer, tokens, (pointer, value))


for version in ("", "1", "1.0", "v1.0.0", "1.0.0.0", "1.0.0-", "1.0.0+", "1.0.0-a..b", "1.0.0-01", "01.0.0", "1.01.0", "1.0.00",
                "1.0.0+a+b", "1.0.0-a_b", " 1.0.0", "1.0.0 ", "-1.0.0", "1..0", "2.0.0", "0.9.0", "10.0.0"):
    refused_value("/ociVersion", version, "expected a version 1.MINOR.PATCH", '"%s"' % version)

for path in ("/process/cwd", "/linux/maskedPaths/1", "/linux/readonlyPaths/1", "/linux/devices/1/path", "/linux/namespaces/7/path"):
    refused_value(path, "relative/path", "an absolute path", '"relative/path"')
for path in ("/", "//", "/.", "/a/.."):
    for member, cure in (("/linux/maskedPaths/1", "below it"), ("/linux/readonlyPaths/1", "/root/readonly")):
        refused_value(member, path, "path '%s' names the container's root" % path, cure)
refused_value("/linux/devices/1/major", 4096, "an integer from 0 to 4095", "4096")
refused_value("/linux/devices/1/minor", 1048576, "an integer from 0 to 1048575", "1048576")
refused("two devices in one place", "/linux/devices/1/path", ["another device", "/linux/devices/0"],
        ("/linux/devices/0/path", "/dev/same"), ("/linux/devices/0/major", 7), ("/linux/devices/1/path", "/dev//same"))
for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"):
    refused_value("/hooks/%s/1/path" % kind, "bin/hook", "an absolute path", '"bin/hook"')
    refused_value("/hooks/%s/1/path" % kind, "", "an absolute path", '""')
refused_value("/root/path", "", "a non-empty string", '""')
refused_value("/mounts/1/destination", "", "a non-empty string", '""')

refused("starts with a NUL", "/process/args/0", ["NUL", "not allowed"], ("/process/args/0", "\0"))
refused("holds a NUL", "/linux/sysctl/kernel.msgmax", ["NUL", "not allowed"], ("/linux/sysctl/kernel.msgmax", "1\0"))
refused("has an empty name", "/annotations/", ["empty member name", "not allowed"], ("/annotations/", "x"))

refused_value("/process/oomScoreAdj", -1001, "an integer from -1000 to 1000", "-1001")
refused_value("/process/oomScoreAdj", 1001, "an integer from -1000 to 1000", "1001")
refused("listed twice", "/process/rlimits/1", ["RLIMIT_CORE", "second time"], ("/process/rlimits/1/type", "RLIMIT_CORE"))
refused("unknown", "/process/rlimits/1/type", ['"RLIMIT_FOO"', '"RLIMIT_NOFILE"', '"RLIMIT_STACK"'], ("/process/rlimits/1/type", "RLIMIT_FOO"))
refused("soft above hard", "/process/rlimits/1", ["10", "5", "RLIMIT_NOFILE"], ("/process/rlimits/1/soft", 10), ("/process/rlimits/1/hard", 5))
refused_value("/process/env/1", "TERM", "NAME=value", "TERM")
refused_value("/process/env/1", "=xterm", "NAME=value", "=xterm")
for list_of_cpus in ("0-a", "3-1", "1,,2", "-", "0-", ",1", "1-2-3", "1 2", "1,", " ", "4294967296", "1" * 30):
    for member in ("/process/execCPUAffinity/initial", "/process/execCPUAffinity/final", "/linux/resources/cpu/cpus",
                   "/linux/resources/cpu/mems", "/linux/memoryPolicy/nodes"):
        refused_value(member, list_of_cpus, "expected a list such as 0-3,7", '"%s"' % list_of_cpus)

SCHEDULER = "/process/scheduler/"
refused("FIFO without a priority", SCHEDULER + "priority", ["SCHED_FIFO", "from 1 to 99", "0"], (SCHEDULER + "policy", "SCHED_FIFO"),
        (SCHEDULER + "runtime", ABSENT), (SCHEDULER + "deadline", ABSENT), (SCHEDULER + "period", ABSENT))
refused("RR with too high a priority", SCHEDULER + "priority", ["from 1 to 99", "100"], (SCHEDULER + "policy", "SCHED_RR"),
        (SCHEDULER + "priority", 100), (SCHEDULER + "runtime", ABSENT), (SCHEDULER + "deadline", ABSENT), (SCHEDULER + "period", ABSENT))
refused("a priority without a realtime policy", SCHEDULER + "priority", ["SCHED_FIFO or SCHED_RR", "5"], (SCHEDULER + "priority", 5))
refused("deadline shorter than runtime", SCHEDULER + "runtime", ["3000001", "deadline"], (SCHEDULER + "runtime", 3000001))
refused("period shorter than deadline", SCHEDULER + "deadline", ["3000001", "period"], (SCHEDULER + "deadline", 3000001))
refused("times without SCHED_DEADLINE", SCHEDULER + "policy", ["SCHED_DEADLINE", "SCHED_BATCH"], (SCHEDULER + "policy", "SCHED_BATCH"))

NEEDS = [("/hostname", "uts", "box"), ("/domainname", "uts", "example.org"), ("/mounts", "mount", ""),
         ("/linux/maskedPaths", "mount", ""), ("/linux/readonlyPaths", "mount", ""), ("/linux/rootfsPropagation", "mount", ""),
         ("/linux/timeOffsets", "time", ""), ("/linux/sysctl/kernel.msgmax", "ipc", "kernel.msgmax"), ("/linux/sysctl/net.ipv4.ip_forward", "network", "ip_forward")]
OTHER_NEEDS = ["/hostname", "/domainname", "/mounts", "/linux/maskedPaths", "/linux/readonlyPaths", "/linux/rootfsPropagation",
               "/linux/timeOffsets", "/linux/sysctl", "/linux/devices", "/root/readonly"]
for member, ns_type, found in NEEDS:
    dropped = [other for other in OTHER_NEEDS if not member.startswith(other)]
    if member.endswith("kernel.msgmax"):
        dropped.append("/linux/sysctl/net.ipv4.ip_forward")
    refused("without a namespace for it", member, ["needs a", ns_type + " namespace", found], ("/linux/namespaces", [{"type": "user"}]),
            *[(other, ABSENT) for other in dropped])
refused("listed twice", "/linux/namespaces/8", ['"pid"', "second time"], ("/linux/namespaces/8", {"type": "pid"}))
refused("for a time namespace that exists", "/linux/timeOffsets", ["time namespace"], ("/linux/namespaces/6/path", "/proc/1/ns/time"))
refused("a clock of its own", "/linux/timeOffsets/realtime", ["monotonic", "boottime"], ("/linux/timeOffsets/realtime", {"secs": 1}))
refused_value("/linux/timeOffsets/monotonic/nanosecs", 1000000000, "an integer from 0 to 999999999", "1000000000")

for pair in ("/linux/devices/1", "/linux/resources/blockIO/weightDevice/1", "/linux/resources/blockIO/throttleReadBpsDevice/1"):
    for number in ("major", "minor"):
        refused("without " + number, pair + "/" + number if "IO" in pair else pair, ["required", number], (pair + "/" + number, ABSENT))
refused("without weight or leafWeight", "/linux/resources/blockIO/weightDevice/1", ["weight", "leafWeight", "required"],
        ("/linux/resources/blockIO/weightDevice/1/weight", ABSENT), ("/linux/resources/blockIO/weightDevice/1/leafWeight", ABSENT))
refused("without hcaHandles or hcaObjects", "/linux/resources/rdma/mlx5_1", ["hcaHandles", "hcaObjects", "required"],
        ("/linux/resources/rdma/mlx5_1", {}))
refused("a device name with a blank", "/linux/resources/rdma/mlx5 1", ["mlx5 1", "device name"],
        ("/linux/resources/rdma/mlx5 1", {"hcaHandles": 1}))

RESOURCES = "/linux/resources/"
refused_value(RESOURCES + "devices/1/type", "u", '"a", "b" or "c"', '"u"')
refused_value(RESOURCES + "devices/1/access", "rx", '"rwm"', '"rx"')
refused_value(RESOURCES + "devices/1/major", -2, "an integer from -1", "-2")
for member in ("limit", "reservation", "swap"):
    refused_value(RESOURCES + "memory/" + member, -2, "-1", "-2")
refused("swap without a limit", RESOURCES + "memory/swap", ["memory limit", "536870912"], (RESOURCES + "memory/limit", ABSENT))
refused("swap below the limit", RESOURCES + "memory/swap", ["536870911", "536870912"], (RESOURCES + "memory/swap", 536870911))
for member, value in (("memory/swappiness", 60), ("memory/disableOOMKiller", True), ("memory/useHierarchy", False),
                      ("cpu/realtimeRuntime", 950000), ("cpu/realtimePeriod", 1000000), ("blockIO/leafWeight", 100),
                      ("blockIO/weightDevice/1/leafWeight", 100), ("network/classID", 1048577), ("network/priorities/1/priority", 5)):
    refused_value(RESOURCES + member, value, "cgroup v2", str(value).lower())
refused_value(RESOURCES + "cpu/burst", 100001, "100001", "100000")
refused_value(RESOURCES + "cpu/idle", 2, "0 or 1", "2")
refused_value(RESOURCES + "cpu/idle", -1, "0 or 1", "-1")
for key in ("../memory.max", "memory.max/../x", "memory", "cgroup.procs", ".", "..", "-.x y"):
    pointer = RESOURCES + "unified/" + key.replace("/", "~1")
    refused("holds " + key, pointer, [key, ""], (pointer, "1"))

refused("BIND without nodes", "/linux/memoryPolicy/nodes", ["MPOL_BIND", "at least one node"], ("/linux/memoryPolicy/nodes", ABSENT))
refused("LOCAL with nodes", "/linux/memoryPolicy/nodes", ["MPOL_LOCAL", "no nodes", "0-1"], ("/linux/memoryPolicy/mode", "MPOL_LOCAL"))
refused("flags that exclude each other", "/linux/memoryPolicy/flags", ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"],
        ("/linux/memoryPolicy/flags/0", "MPOL_F_RELATIVE_NODES"))
refused("a flag", "/linux/personality/flags/0", ["ADDR_NO_RANDOMIZE", "no personality flag"], ("/linux/personality/flags", ["ADDR_NO_RANDOMIZE"]))

for key in ("vm.swappiness", "kernel.core_pattern", "net..ipv4", "net.ipv4.", "kernel", ".net.x", "net.ipv4/../../kernel.core_pattern"):
    pointer = "/linux/sysctl/" + key.replace("/", "~1")
    refused("names " + key, pointer, [key], (pointer, "1"))
refused("contradicts the host name", "/linux/sysctl/kernel.hostname", ["kernel.hostname", "/hostname"], ("/linux/sysctl/kernel.hostname", "x"))

MAPPING = "/mounts/1/"
refused("without gidMappings", "/mounts/1", ["uidMappings", "gidMappings"], (MAPPING + "gidMappings", ABSENT))
refused("without uidMappings", "/mounts/1", ["uidMappings", "gidMappings"], (MAPPING + "uidMappings", ABSENT))
refused("past the largest id", "/linux/uidMappings/1", ["4294967295"], ("/linux/uidMappings/1/containerID", 4294967295), ("/linux/uidMappings/1/size", 2))
refused("idmap without mappings", MAPPING + "options/2", ["idmap", "uidMappings", "gidMappings"], (MAPPING + "options/2", "idmap"), (MAPPING + "uidMappings", ABSENT),
        (MAPPING + "gidMappings", ABSENT), ("/linux/namespaces", [{"type": "mount"}]), ("/hostname", ABSENT), ("/domainname", ABSENT),
        ("/linux/timeOffsets", ABSENT), ("/linux/sysctl", ABSENT))
refused("data for a bind mount", MAPPING + "options/2", ["size=1k", "bind mount"], (MAPPING + "options/2", "size=1k"))
refused("a bind mount without a source", MAPPING + "source", ["bind mount", "no source"], (MAPPING + "source", ABSENT))
refused("no type", "/mounts/0/type", ["no type"], ("/mounts/0/type", ABSENT))
refused("over the root", MAPPING + "destination", ["/"], (MAPPING + "destination", "/"))
refused("over a file of /proc", MAPPING + "destination", ["/proc/self/attr", "/proc"], (MAPPING + "destination", "/proc/self/attr"))
refused("mappings of what is no bind mount", MAPPING.rstrip("/"), ["bind mount", "/data"], (MAPPING + "type", "tmpfs"), (MAPPING + "options", []))

SECCOMP = "/linux/seccomp/"
refused("default errno with an action that has none", SECCOMP + "defaultErrnoRet", ["SCMP_ACT_ALLOW", "38", "SCMP_ACT_ERRNO or SCMP_ACT_TRACE"],
        (SECCOMP + "defaultAction", "SCMP_ACT_ALLOW"))
refused("errno with an action that has none", SECCOMP + "syscalls/1/errnoRet", ["SCMP_ACT_KILL", "1", "SCMP_ACT_ERRNO or SCMP_ACT_TRACE"],
        (SECCOMP + "syscalls/1/action", "SCMP_ACT_KILL"))
refused_value(SECCOMP + "defaultErrnoRet", 4096, "4096", "0 to 4095")
refused_value(SECCOMP + "syscalls/1/errnoRet", 65536, "65536", "0 to 65535")
refused_value(SECCOMP + "syscalls/1/args/1/index", 6, "6", "0 to 5")
refused("metadata without a path", SECCOMP + "listenerMetadata", ["listenerPath"], (SECCOMP + "listenerPath", ABSENT))
refused("notify without a path", SECCOMP + "listenerPath", ["SCMP_ACT_NOTIFY", "listenerPath"], (SECCOMP + "listenerPath", ABSENT),
        (SECCOMP + "listenerMetadata", ABSENT), (SECCOMP + "syscalls/1/action", "SCMP_ACT_NOTIFY"), (SECCOMP + "syscalls/1/errnoRet", ABSENT))
refused("notify on what init needs", SECCOMP + "syscalls/1/names/1", ["SCMP_ACT_NOTIFY", "sendmsg"], (SECCOMP + "syscalls/1/names/1", "sendmsg"),
        (SECCOMP + "syscalls/1/action", "SCMP_ACT_NOTIFY"), (SECCOMP + "syscalls/1/errnoRet", ABSENT))

# ---- valid ones beside those that the schema gives ----

VALID = [("version " + version, [("/ociVersion", version)]) for version in
         ("1.0.0", "1.0.2", "1.1.0", "1.2.0", "1.2.1", "1.3.0", "1.9.0", "1.0.0-rc1", "1.1.0-rc.2", "1.2.1-dev", "1.3.0+dev", "1.0.0-rc2-dev",
          "1.0.0-0a.0-0", "1.0.0-x+001.-", "1.10.20")]
VALID += [("propagation " + word, [("/linux/rootfsPropagation", word)]) for word in ("rprivate", "rshared", "rslave", "runbindable")]
VALID += [("device of type " + word, [("/linux/devices/1/type", word)]) for word in "cbup"]
VALID += [("the same device twice", [("/linux/devices/0/path", "/dev/same"), ("/linux/devices/1/path", "/dev/./same"),
                                     ("/linux/devices/0/type", "c"), ("/linux/devices/1/type", "u"),
                                     ("/linux/devices/0/major", 7), ("/linux/devices/1/major", 7),
                                     ("/linux/devices/0/minor", 8), ("/linux/devices/1/minor", 8)]),
          ("the last device number", [("/linux/devices/1/major", 4095), ("/linux/devices/1/minor", 1048575)])]
VALID += [("device rule for " + word, [("/linux/resources/devices/1/type", word)]) for word in "abc"]
VALID += [("every device number", [("/linux/resources/devices/1/major", -1), ("/linux/resources/devices/1/minor", -1)]),
          ("an annotation of every kind of name", [("/annotations/~0~1 a", "b\n\u2028\U0001f600")]),
          ("no limit", [(RESOURCES + "memory/limit", -1), (RESOURCES + "memory/swap", -1), (RESOURCES + "memory/reservation", -1)]),
          ("no pids limit", [(RESOURCES + "pids/limit", -1)]),
          ("idle", [(RESOURCES + "cpu/idle", 1)]),
          ("a capability of tomorrow", [("/process/capabilities/bounding/1", "CAP_TOMORROW")]),
          ("a system call of tomorrow", [(SECCOMP + "syscalls/1/names/1", "tomorrow")]),
          ("empty where engines send it", [("/process/apparmorProfile", ""), ("/process/selinuxLabel", ""), ("/linux/cgroupsPath", ""),
                                           ("/linux/mountLabel", ""), ("/hostname", ""), ("/linux/rootfsPropagation", "")])]

FOREIGN_SECTIONS = [
    ("windows", {"layerFolders": ["C:\\Layers\\layer1"], "network": {"endpointList": [1]}}),
    ("solaris", {"milestone": 7}),
    ("zos", {"namespaces": [{"type": "no such"}]}),
    ("freebsd", {"jail": {"vnet": "disable"}}),
]

# ---- sections in documents of their own ----

# `refused`: the words with which a section is refused as a whole though it is well formed; None: it is carried out.
Section = collections.namedtuple("Section", "pointer schema refused value")
SECTIONS = [
    # Ignoring it would run the program on the host's kernel where a machine of its own was asked for.
    Section("/vm", "config-vm.json#/vm", ["virtual machine", "not supported"], {
        "hypervisor": {"path": "/bin/vmm", "parameters": ["a", "b"]},
        "kernel": {"path": "/boot/kernel", "parameters": ["quiet", "ro"], "initrd": "/boot/initrd"},
        "image": {"path": "/images/one", "format": "raw"},
        "hwConfig": {
            "deviceTree": "/boot/tree.dtb", "vcpus": 2, "memory": 1 << 30, "dtdevs": ["/a", "/b"],
            "iomems": [{"firstMFN": 1, "nrMFNs": 1}, {"firstGFN": 1, "firstMFN": 2, "nrMFNs": 3}], "irqs": [1, 2]},
    }),
    Section("/linux/intelRdt", "config-linux.json#/linux/properties/intelRdt", None, {
        "closID": "guaranteed", "schemata": ["L3:0=7f0;1=1f", "MB:0=20;1=70"], "l3CacheSchema": "L3:0=7f0", "memBwSchema": "MB:0=20",
        "enableMonitoring": True}),
    Section("/linux/netDevices", "config-linux.json#/linux/properties/netDevices", None, {
        "eth0": {}, "eth1": {"name": "container1"}}),
]

# ---- decisions ----

PATTERNS = {
    "^RLIMIT_[A-Z]+$": ["RLIMIT_", "NOFILE", "rlimit_nofile", "RLIMIT_NO FILE", ""],
    "^[0-9, -]*$": ["0-a", "all", "1\n"],
    "^[1-9][0-9]*[KMG]B$": ["64kB", "0MB", "2M", "2TB", "MB", "2MB/../x", ""],
    "^MB:[^\\n]*$": ["XX:0=1", "MB:0=50\nL3:0=f", "mb:0=1"],
    "^[cbup]$": ["x", "cc", "C", ""],
}

# What else has to change for a variation to be valid: (place, detail or its first word) -> changes.
WITHOUT_TIMES = [(SCHEDULER + "runtime", ABSENT), (SCHEDULER + "deadline", ABSENT), (SCHEDULER + "period", ABSENT)]
WITHOUT_NAMESPACES = [(member, ABSENT) for member in OTHER_NEEDS]
WITHOUT_ERRNO = [(SECCOMP + "syscalls/1/errnoRet", ABSENT)]
FULL_LIMIT = [(RESOURCES + "memory/swap", -1), (RESOURCES + "memory/reservation", -1)]
COMPANIONS = {
    ("/linux", "absent"): WITHOUT_NAMESPACES[:3] + [("/root/readonly", ABSENT)],
    ("/linux", "null"): WITHOUT_NAMESPACES[:3] + [("/root/readonly", ABSENT)],
    ("/linux", "empty"): WITHOUT_NAMESPACES[:3] + [("/root/readonly", ABSENT)],
    ("/linux/namespaces", "absent"): WITHOUT_NAMESPACES,
    ("/linux/namespaces", "null"): WITHOUT_NAMESPACES,
    ("/linux/namespaces", "empty"): WITHOUT_NAMESPACES,
    ("/process/scheduler/policy", "word SCHED_DEADLINE"): [],
    ("/process/scheduler/policy", "word SCHED_FIFO"): WITHOUT_TIMES + [(SCHEDULER + "priority", 1)],
    ("/process/scheduler/policy", "word SCHED_RR"): WITHOUT_TIMES + [(SCHEDULER + "priority", 99)],
    ("/process/scheduler/policy", "word"): WITHOUT_TIMES,
    ("/process/scheduler/runtime", "greatest value"): [(SCHEDULER + "deadline", 2 ** 64 - 1), (SCHEDULER + "period", 2 ** 64 - 1)],
    ("/process/scheduler/deadline", "greatest value"): [(SCHEDULER + "period", 2 ** 64 - 1)],
    ("/process/rlimits/*/hard", "least value"): [("/process/rlimits/1/soft", 0)],
    ("/process/consoleSize/height", "greatest value"): [("/process/terminal", False)],
    ("/process/consoleSize/width", "greatest value"): [("/process/terminal", False)],
    ("/mounts/*/source", "absent"): [("/mounts/1/type", "tmpfs"), ("/mounts/1/options", []), ("/mounts/1/uidMappings", ABSENT), ("/mounts/1/gidMappings", ABSENT)],
    ("/mounts/*/source", "null"): [("/mounts/1/type", "tmpfs"), ("/mounts/1/options", []), ("/mounts/1/uidMappings", ABSENT), ("/mounts/1/gidMappings", ABSENT)],
    ("/mounts/*/uidMappings", "absent"): [("/mounts/1/gidMappings", ABSENT)],
    ("/mounts/*/uidMappings", "null"): [("/mounts/1/gidMappings", None)],
    ("/mounts/*/gidMappings", "absent"): [("/mounts/1/uidMappings", ABSENT)],
    ("/mounts/*/gidMappings", "null"): [("/mounts/1/uidMappings", None)],
    ("/mounts/*/options", "absent"): [("/mounts/1/type", "tmpfs"), ("/mounts/1/uidMappings", ABSENT), ("/mounts/1/gidMappings", ABSENT)],
    ("/mounts/*/options", "null"): [("/mounts/1/type", "tmpfs"), ("/mounts/1/uidMappings", ABSENT), ("/mounts/1/gidMappings", ABSENT)],
    ("/mounts/*/options", "empty"): [("/mounts/1/type", "tmpfs"), ("/mounts/1/uidMappings", ABSENT), ("/mounts/1/gidMappings", ABSENT)],
    ("/linux/memoryPolicy/nodes", "absent"): [("/linux/memoryPolicy/mode", "MPOL_PREFERRED")],
    ("/linux/memoryPolicy/nodes", "null"): [("/linux/memoryPolicy/mode", "MPOL_DEFAULT")],
    ("/linux/memoryPolicy/mode", "word MPOL_DEFAULT"): [("/linux/memoryPolicy/nodes", ABSENT)],
    ("/linux/memoryPolicy/mode", "word MPOL_LOCAL"): [("/linux/memoryPolicy/nodes", ABSENT)],
    ("/linux/resources/memory/limit", "absent"): [(RESOURCES + "memory/swap", ABSENT)],
    ("/linux/resources/memory/limit", "null"): [(RESOURCES + "memory/swap", None)],
    ("/linux/resources/memory/limit", "greatest value"): FULL_LIMIT,
    ("/linux/resources/cpu/burst", "greatest value"): [(RESOURCES + "cpu/quota", ABSENT)],
    ("/linux/seccomp/listenerPath", "absent"): [(SECCOMP + "listenerMetadata", ABSENT)],
    ("/linux/seccomp/listenerPath", "null"): [(SECCOMP + "listenerMetadata", ABSENT)],
    ("/linux/seccomp/defaultAction", "word SCMP_ACT_ERRNO"): [],
    ("/linux/seccomp/defaultAction", "word SCMP_ACT_TRACE"): [],
    ("/linux/seccomp/defaultAction", "word"): [(SECCOMP + "defaultErrnoRet", ABSENT)],
    ("/linux/seccomp/syscalls/*/action", "word SCMP_ACT_ERRNO"): [],
    ("/linux/seccomp/syscalls/*/action", "word SCMP_ACT_TRACE"): [],
    ("/linux/seccomp/syscalls/*/action", "word"): WITHOUT_ERRNO,
}
for number, word in enumerate(("mount", "pid", "uts", "ipc", "user", "cgroup", "time")):
    COMPANIONS["/linux/namespaces/*/type", "word " + word] = [
        ("/linux/namespaces/7/path", ABSENT), ("/linux/namespaces/%d" % number, ABSENT), ("/linux/sysctl", ABSENT)]
for mappings in ("/linux/uidMappings", "/linux/gidMappings", "/mounts/*/uidMappings", "/mounts/*/gidMappings"):
    first, last = mappings.replace("*", "1") + "/0/", mappings.replace("*", "1") + "/1/"
    COMPANIONS[mappings + "/*/containerID", "least value"] = [(first + "containerID", 5000)]
    COMPANIONS[mappings + "/*/size", "greatest value"] = [
        (last + "containerID", 0), (last + "hostID", 0),
        (first + "containerID", 4294967295), (first + "hostID", 4294967295), (first + "size", 1)]
    if mappings.startswith("/linux"):
        for detail in ("absent", "null", "empty"):
            COMPANIONS[mappings, detail] = [("/linux/namespaces/4", ABSENT)]

# Valid by the schema and refused all the same: (place, detail) with shell wildcards, where the message points to, its words, why.
NUMBERS = "device numbers are 12 and 20 bits, and never negative"
ID = "4294967295 is (uid_t)-1, which setresuid(2) and chown(2) take for `leave it alone`"
V1 = "cgroup v2 has no file for it; the specification wants an error then"
PROSE = "the prose requires it"
REFUSED = [
    ("/root", "absent", "/root", ['required member "root" is missing'], PROSE),
    ("/root", "null", "/root", ["expected ", "found null"], PROSE),
    ("/process/args", "absent", "/process/args", ['required member "args" is missing'], PROSE),
    ("/process/args", "null", "/process/args", ["expected ", "found null"], PROSE),
    ("/process/args", "empty", "/process/args", ["at least one element", "none"], PROSE),
    ("/process/user", "empty", "/process/user/uid", ['required member "uid" is missing'], PROSE),
    ("/process/user/[ug]id", "absent", None, ['required member "', 'id" is missing'], PROSE),
    ("/process/user/[ug]id", "null", None, ["expected ", "found null"], PROSE),
    ("/process/user/[ug]id", "greatest value", None, ["an integer from 0 to 4294967294", "4294967295"], ID),
    ("/process/user/additionalGids/*", "greatest value", "/process/user/additionalGids/1", ["an integer from 0 to 4294967294", "4294967295"], ID),
    ("/process/user/umask", "greatest value", "/process/user/umask", ["an integer from 0 to 4095", "4294967295"], "a mask of mode bits has twelve"),
    ("/process/ioPriority/priority", "absent", "/process/ioPriority/priority", ['required member "priority" is missing'], PROSE),
    ("/process/ioPriority/priority", "null", "/process/ioPriority/priority", ["expected ", "found null"], PROSE),
    ("/process/ioPriority/priority", "* value", "/process/ioPriority/priority", ["an integer from 0 to 7", "214748364"], PROSE),
    ("/process/scheduler/policy", "word SCHED_ISO", "/process/scheduler/policy", ["SCHED_ISO"], "Linux has none"),
    ("/process/scheduler/nice", "* value", "/process/scheduler/nice", ["from -20 to 19", "214748364"], "the kernel's range"),
    ("/process/scheduler/priority", "* value", "/process/scheduler/priority", ["priority", "214748364"], "the kernel's range"),
    ("/process/scheduler/runtime", "absent", "/process/scheduler/runtime", ["SCHED_DEADLINE needs a runtime"], PROSE),
    ("/process/scheduler/runtime", "null", "/process/scheduler/runtime", ["SCHED_DEADLINE needs a runtime"], PROSE),
    ("/process/scheduler/runtime", "least value", "/process/scheduler/runtime", ["SCHED_DEADLINE needs a runtime"], PROSE),
    ("/process/scheduler/deadline", "absent", "/process/scheduler/deadline", ["SCHED_DEADLINE needs a deadline"], PROSE),
    ("/process/scheduler/deadline", "null", "/process/scheduler/deadline", ["SCHED_DEADLINE needs a deadline"], PROSE),
    ("/process/scheduler/deadline", "least value", "/process/scheduler/deadline", ["SCHED_DEADLINE needs a deadline"], PROSE),
    ("/process/scheduler/flags/*", "word *UTIL_CLAMP*", "/process/scheduler/flags/1", ["UTIL_CLAMP"], "the specification has no member for the value"),
    ("/mounts/*/[ug]idMappings", "empty", None, ["both uidMappings and gidMappings", "at least one entry"], "an empty map would map nobody"),
    ("/linux/[ug]idMappings/*/size", "least value", None, ["at least 1", "0"], "the kernel takes no empty mapping"),
    ("/linux/timeOffsets", "with an unknown member", "/linux/timeOffsets/x-unknown", ["monotonic", "boottime"], "the prose lists the clocks"),
    ("/linux/timeOffsets/*/nanosecs", "greatest value", None, ["an integer from 0 to 999999999", "4294967295"], "the kernel's range"),
    ("/linux/devices/*/major", "* value", None, ["an integer from 0 to 4095", "922337203685477580"], NUMBERS),
    ("/linux/devices/*/minor", "* value", None, ["an integer from 0 to 1048575", "922337203685477580"], NUMBERS),
    ("/linux/devices/*/m??or", "absent", "/linux/devices/1", ["major", "minor", "required"], PROSE),
    ("/linux/devices/*/m??or", "null", "/linux/devices/1", ["major", "minor", "required"], PROSE),
    ("/linux/devices/*/[ug]id", "greatest value", None, ["an integer from 0 to 4294967294", "4294967295"], ID),
    ("/linux/resources/devices/*/m??or", "* value", None, ["an integer from -1 to 4294967295", "922337203685477580"], NUMBERS),
    ("/linux/resources/blockIO/*Device/*/m??or", "* value", None, ["an integer from 0 to 4294967295", "922337203685477580"], NUMBERS),
    ("/linux/resources/blockIO/*Device/*/rate", "absent", None, ['required member "rate" is missing'], PROSE),
    ("/linux/resources/blockIO/*Device/*/rate", "null", None, ["expected ", "found null"], PROSE),
    ("/linux/resources/blockIO/leafWeight", "greatest value", "/linux/resources/blockIO/leafWeight", ["cgroup v2", "65535"], V1),
    ("/linux/resources/blockIO/weightDevice/*/leafWeight", "greatest value", None, ["cgroup v2", "65535"], V1),
    ("/linux/resources/cpu/realtimeRuntime", "* value", None, ["cgroup v2", "922337203685477580"], V1),
    ("/linux/resources/cpu/realtimePeriod", "greatest value", None, ["cgroup v2", "18446744073709551615"], V1),
    ("/linux/resources/blockIO/weight", "greatest value", None, ["10 to 1000", "65535"], "the prose gives the range"),
    ("/linux/resources/blockIO/weightDevice/*/weight", "greatest value", None, ["10 to 1000", "65535"], "the prose gives the range"),
    ("/linux/resources/cpu/idle", "* value", "/linux/resources/cpu/idle", ["0 or 1", "922337203685477580"], PROSE),
    ("/linux/resources/memory/limit", "least value", None, ["-1", "-9223372036854775808"], "below -1 stands for nothing"),
    ("/linux/resources/memory/reservation", "least value", None, ["-1", "-9223372036854775808"], "below -1 stands for nothing"),
    ("/linux/resources/memory/swap", "least value", None, ["-1", "-9223372036854775808"], "below -1 stands for nothing"),
    ("/linux/resources/memory/swappiness", "greatest value", None, ["cgroup v2", "18446744073709551615"], V1),
    ("/linux/resources/memory/disableOOMKiller", "the other way", None, ["cgroup v2", "true"], V1),
    ("/linux/resources/memory/useHierarchy", "the other way", None, ["cgroup v2", "false"], V1),
    ("/linux/resources/network/classID", "greatest value", None, ["cgroup v2", "4294967295"], V1),
    ("/linux/resources/network/priorities/*/priority", "greatest value", None, ["cgroup v2", "4294967295"], V1),
    ("/linux/resources/rdma/mlx5_1", "empty", "/linux/resources/rdma/mlx5_1", ["hcaHandles", "hcaObjects"], PROSE),
    ("/linux/memoryPolicy", "empty", "/linux/memoryPolicy/mode", ['required member "mode" is missing'], PROSE),
    ("/linux/memoryPolicy/mode", "absent", "/linux/memoryPolicy/mode", ['required member "mode" is missing'], PROSE),
    ("/linux/memoryPolicy/mode", "null", "/linux/memoryPolicy/mode", ["expected ", "found null"], PROSE),
    ("/linux/personality", "empty", "/linux/personality/domain", ['required member "domain" is missing'], PROSE),
    ("/linux/personality/domain", "absent", "/linux/personality/domain", ['required member "domain" is missing'], PROSE),
    ("/linux/personality/domain", "null", "/linux/personality/domain", ["expected ", "found null"], PROSE),
    ("/linux/seccomp/defaultAction", "word SCMP_ACT_NOTIFY", "/linux/seccomp/defaultAction", ["SCMP_ACT_NOTIFY"],
     "init needs system calls before an agent has the listener"),
    ("/linux/seccomp/defaultErrnoRet", "greatest value", "/linux/seccomp/defaultErrnoRet", ["0 to 4095", "4294967295"], "the kernel's range"),
    ("/linux/seccomp/syscalls/*/errnoRet", "greatest value", "/linux/seccomp/syscalls/1/errnoRet", ["0 to 65535", "4294967295"], "the kernel's range"),
    ("/linux/seccomp/syscalls/*/args/*/index", "greatest value", "/linux/seccomp/syscalls/1/args/1/index", ["0 to 5", "4294967295"],
     "a system call has six arguments"),
]

# Against the schema and accepted all the same.
ACCEPTED = [
    ("/process/commandLine", "is of type *", "for Windows: an unknown member here"),
    ("/process/commandLine", "is a fraction", "for Windows: an unknown member here"),
    ("/process/user/username", "is of type *", "for Windows: an unknown member here"),
    ("/process/user/username", "is a fraction", "for Windows: an unknown member here"),
    ("/linux/resources/pids/limit", "is missing", "optional since 1.3 by the prose"),
    ("/linux/resources/pids/limit", "is null", "optional since 1.3 by the prose"),
]

# Faults that are more than one finding for `check`.
SEVERAL = [
    ("/process/user", "empty"), # neither uid nor gid
    ("/linux/sysctl/net.ipv4.ip_forward", "without a namespace for it"), # another sysctl needs one too
]

# Where the message points to another place than the schema: to the element whose members do not go together.
ELSEWHERE = {
    ("/linux/devices/*/fileMode", "is one beyond the greatest value"): ("/linux/devices/1", ["fileMode", "0 to 511"]),
}

met = set()


def matching(table, place, detail):
    for entry in table:
        if fnmatch.fnmatchcase(place, entry[0]) and fnmatch.fnmatchcase(detail, entry[1]):
            met.add(entry[:2])
            return entry
    return None


def refused_variation(place, detail):
    """None, or the pointer and the words of the message."""
    entry = matching(REFUSED, place, detail)
    # The lists of maximal.config.json have two elements each.
    return entry and (entry[2] or place.replace("*", "1"), entry[3])


def accepted_mutant(place, detail):
    return matching(ACCEPTED, place, detail) is not None


def unused():
    return [entry[:2] for entry in REFUSED + ACCEPTED if entry[:2] not in met]


def is_map(place):
    """Objects whose members are named by the document; in timeOffsets the prose lets no other stand."""
    return place in ("/annotations", "/linux/sysctl", "/linux/resources/unified", "/linux/resources/rdma", "/linux/netDevices", "/linux/timeOffsets")
