# config.json as a document: JSON, versions, what is not known, other platforms.
load helpers

# What the container is like from inside, without what differs from run to run.
same_report() {
    run_ok
    jq -S '{args, env, cwd, comm, rlimits, hostname, domainname, uid, gid, groups, umask, nice, ioprio, oom_score_adj, personality, dumpable,
            securebits, affinity, timens_offsets, uid_map, status: (.status | {CapInh, CapPrm, CapEff, CapBnd, CapAmb, NoNewPrivs, Seccomp}),
            mounts: [.mounts[] | [.target, .type, .options]]}' <<<"$output"
}

# spec: JSON-01 JSON-02 VER-01
@test "what is no JSON, no UTF-8, twice there or without a version is refused before anything is made" {
    local good text words
    mkdir hooked
    config '.hooks.createRuntime = [{"path": "/bin/touch", "args": ["touch", $f]}]' --arg f "$BUNDLE/hooked/yes"
    good=$(jq -c . config.json)
    while IFS='|' read -r text words; do
        printf '%b' "$text" >config.json
        # shellcheck disable=SC2086  # words
        fails 1 $words -- rt create "$ID"
        # shellcheck disable=SC2086  # words
        fails 1 $words -- rt run "$ID"
        [[ ! -e hooked/yes ]]
        [[ ! -e $STATE/$ID ]]
    done <<BAD
{]|config.json line 1 JSON
|config.json empty
${good%\}}|config.json JSON
\\0377$good|config.json 0xff UTF-8
${good/box/b\\0377x}|config.json 0xff UTF-8
${good/\"hostname\"/\"hostname\":\"a\",\"hostname\"}|/hostname twice
${good/\"hostname\"/\"x\":{\"y\":1,\"y\":1\},\"hostname\"}|/x/y twice
{}|/ociVersion missing
$(jq -c 'del(.ociVersion)' <<<"$good")|/ociVersion missing
BAD
}

# spec: JSON-03
@test "the order of members does not matter" {
    local first
    first=$(same_report)
    [[ $first == *hostname* ]]
    python3 - config.json <<'PYTHON'
import json, sys
def turned(v):
    if isinstance(v, dict):
        return {k: turned(v[k]) for k in reversed(v)}
    return [turned(e) for e in v] if isinstance(v, list) else v
with open(sys.argv[1]) as file:
    config = json.load(file)
assert next(iter(turned(config))) != next(iter(config))
with open(sys.argv[1], "w") as file:
    json.dump(turned(config), file)
PYTHON
    [[ $(same_report) == "$first" ]]
}

# spec: JSON-04
@test "integers are exact to the last of 64 bits" {
    # jq counts in doubles: the numbers are put in as text.
    config '.process.rlimits = [{"type": "RLIMIT_CORE", "soft": "SOFT", "hard": "HARD"}]'
    cp config.json kept
    ulimit -H -c | grep -q unlimited || needs sys_resource
    sed -e 's/"SOFT"/9007199254740993/' -e 's/"HARD"/18446744073709551615/' kept >config.json
    run_ok
    expect '.rlimits.RLIMIT_CORE.hard == -1'
    [[ $output == *'"RLIMIT_CORE":{"soft":9007199254740993,'* ]]
    sed -e 's/"SOFT"/0/' -e 's/"HARD"/18446744073709551616/' kept >config.json
    fails 1 /process/rlimits/0/hard 18446744073709551616 "from 0 to 18446744073709551615" -- rt run "$ID"
    sed -e 's/"SOFT"/-1/' -e 's/"HARD"/0/' kept >config.json
    fails 1 /process/rlimits/0/soft "from 0 to 18446744073709551615" -- rt run "$ID"
}

# spec: JSON-05
@test "a value of another type is refused by name" {
    local change words
    cp config.json kept
    while IFS='|' read -r change words; do
        jq "$change" kept >config.json
        # shellcheck disable=SC2086  # words
        fails 1 $words -- rt run "$ID"
    done <<'WRONG'
.hostname = 5|/hostname string 5
.linux.netDevices = {"eth0": {"name": 23}}|/linux/netDevices/eth0/name string 23
.linux.resources.rdma = {"mlx5_0": {"hcaHandles": "x"}}|/linux/resources/rdma/mlx5_0/hcaHandles integer "x"
.process.user.uid = "root"|/process/user/uid integer "root"
.process.args = {}|/process/args array object
.root = "rootfs"|/root object "rootfs"
.process.user.gid = 1.5|/process/user/gid integer 1.5
.process.terminal = 0|/process/terminal true false 0
WRONG
}

# spec: JSON-06
@test "null is as absent" {
    local first
    first=$(same_report)
    config '.linux.seccomp = null | .linux.sysctl = null | .hooks = null | .annotations = null | .process.rlimits[0] += {"x": null}
        | .linux.resources.memory = {"limit": null} | .vm = null | .linux.timeOffsets = null | .process.scheduler = null'
    [[ $(same_report) == "$first" ]]
    expect '.status.Seccomp == "0"'
}

# spec: VER-03 VER-04
@test "every version of major 1 is run, other majors are refused" {
    local version
    program exit 0
    for version in 1.0.0 1.0.2 1.1.0 1.2.0 1.2.1 1.3.0 1.3.0+dev 1.9.0; do
        config '.ociVersion = $v' --arg v "$version"
        silently rt run "$ID"
    done
    for version in 2.0.0 0.9.0; do
        config '.ociVersion = $v' --arg v "$version"
        fails 1 /ociVersion "$version" 1.MINOR.PATCH -- rt run "$ID"
    done
}

# spec: VER-05
@test "every document that is handed out carries the version of the specification" {
    local semver='^1\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$'
    config '.hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", $s]}]' --arg s "cat >$BUNDLE/hook"
    config '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": $p, "syscalls": [{"names": ["acct"], "action": "SCMP_ACT_NOTIFY"}]}' \
        --arg p "$BUNDLE/agent"
    program sleep
    python3 - agent notified <<'PYTHON' &
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
connection, _ = listener.accept()
text, fds, _, _ = socket.recv_fds(connection, 1 << 16, 1)
with open(sys.argv[2] + ".new", "wb") as file:
    file.write(text)
os.rename(sys.argv[2] + ".new", sys.argv[2])
PYTHON
    wait_until test -S agent
    create_container
    silently rt start "$ID"
    wait_until test -e notified
    output=$(rt state "$ID") expect --arg v "$semver" '.ociVersion | test($v)'
    output=$(<hook) expect --arg v "$semver" '.ociVersion | test($v)'
    output=$(<notified) expect --arg v "$semver" '(.ociVersion | test($v)) and (.state.ociVersion | test($v))'
    silently rt delete --force "$ID"
}

# spec: EXT-01 EXT-02
@test "unknown members change nothing, and nothing is said about them" {
    local first
    first=$(same_report)
    python3 - config.json <<'PYTHON'
import json, sys
MAPS = ("annotations", "sysctl", "unified", "rdma", "netDevices", "timeOffsets")
def more(v, name=""):
    if isinstance(v, dict):
        v = {k: more(e, k) for k, e in v.items()}
        return v if name in MAPS else {"x": {"y": 1}, **v, "zzz": [None, {"a": 1.5e300}]}
    return [more(e) for e in v] if isinstance(v, list) else v
with open(sys.argv[1]) as file:
    config = json.load(file)
with open(sys.argv[1], "w") as file:
    json.dump(more(config), file)
PYTHON
    [[ $(jq '.mounts[0].x.y + .process.user.x.y + .linux.namespaces[0].x.y' config.json) == 3 ]]
    [[ $(same_report) == "$first" ]]
    [[ -z $stderr ]]
    program exit 0
    silently rt --debug --log "$BUNDLE/log" run "$ID"
    run -1 grep zzz log
}

# spec: EXT-03 EXT-04
@test "a word that is none, and one that Linux does not have, are refused by name" {
    local change words
    cp config.json kept
    while IFS='|' read -r change words; do
        jq "$change" kept >config.json
        # shellcheck disable=SC2086  # words
        fails 1 $words -- rt run "$ID"
    done <<'WRONG'
.linux.namespaces[0].type = "net"|/linux/namespaces/0/type "network" "net"
.linux.rootfsPropagation = "lazy"|/linux/rootfsPropagation "private" "lazy"
.linux.devices = [{"type": "x", "path": "/dev/x"}]|/linux/devices/0/type "b" "x"
.linux.resources.devices[0].type = "p"|/linux/resources/devices/0/type "a" "p"
.linux.seccomp = {"defaultAction": "ALLOW"}|/linux/seccomp/defaultAction "SCMP_ACT_ALLOW" "ALLOW"
.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["X86"]}|/linux/seccomp/architectures/0 "SCMP_ARCH_SHEB" "X86"
.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "flags": ["LOG"]}|/linux/seccomp/flags/0 "SECCOMP_FILTER_FLAG_LOG" "LOG"
.linux.memoryPolicy = {"mode": "BIND"}|/linux/memoryPolicy/mode "MPOL_BIND" "BIND"
.linux.personality = {"domain": "BSD"}|/linux/personality/domain "LINUX32" "BSD"
.process.ioPriority = {"class": "RT", "priority": 0}|/process/ioPriority/class "IOPRIO_CLASS_RT" "RT"
.process.scheduler = {"policy": "FIFO"}|/process/scheduler/policy "SCHED_FIFO" "FIFO"
.process.scheduler = {"policy": "SCHED_ISO"}|/process/scheduler/policy SCHED_ISO
.process.rlimits[0].type = "RLIMIT_FOO"|/process/rlimits/0/type "RLIMIT_NOFILE" "RLIMIT_FOO"
WRONG
}

# spec: PLAT-01
@test "a configuration without a linux section is created and started" {
    jq '.root.path = $r | .process.args = ["/probe", "say", "hello"]' --arg r "$BUNDLE/rootfs" \
        "$BATS_TEST_DIRNAME/../data/schema/config/good/minimal-for-start.json" >config.json
    needs root
    create_container
    [[ $(container_status "$ID") == created ]]
    silently rt start "$ID"
    status_becomes "$ID" stopped
    output_has hello
    silently rt delete "$ID"
    config '.linux = {}'
    run_ok
    [[ $output == hello ]]
}

# spec: PLAT-02 PLAT-03
@test "sections and members for other platforms have no effect" {
    local first
    first=$(same_report)
    config '.windows = {"layerFolders": ["C:\\x"], "network": 5} | .solaris = {"milestone": 7} | .zos = {"namespaces": [{"type": "no such"}]}
        | .freebsd = {"jail": {"vnet": "disable"}} | .process.commandLine = "cmd.exe /c dir" | .process.user.username = "ContainerUser"'
    [[ $(same_report) == "$first" ]]
    config 'del(.process.args)'
    fails 1 /process/args missing -- rt run "$ID"
}

# spec: PLAT-04
@test "no rule that must hold is given up for an architecture, and this one's word may stand in a seccomp profile" {
    [[ -z $(awk -F'\t' '$2 == "fails" && tolower($3) ~ /architecture|x86|aarch|riscv/' "$BATS_TEST_DIRNAME/../spec/decisions.tsv") ]]
    declare -A word=([x86_64]=X86_64 [aarch64]=AARCH64 [riscv64]=RISCV64 [ppc64le]=PPC64LE [s390x]=S390X)
    config '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [$a], "syscalls": [{"names": ["getppid"], "action": "SCMP_ACT_ERRNO"}]}' \
        --arg a "SCMP_ARCH_${word[$(uname -m)]}"
    inside syscall getppid
    expect '.errno == "EPERM"'
}
