# The features document: valid, complete, and true: what it lists is what the parser takes, what it denies is refused.
load helpers

# The document, also as $output.
setup() {
    common_setup
    FEATURES=$BATS_TEST_TMPDIR/features.json
    "$CRUN_LITE" features >"$FEATURES"
    output=$(<"$FEATURES")
}

# words FILTER: a list of the document, one word a line.
words() { jq -r "$1[]" "$FEATURES"; }

# accepts: create takes config.json, or fails for a reason of the host that FRAGMENT... tell.
accepts() {
    local fragment
    if create_container; then
        silently rt delete "$ID"
        return
    fi
    for fragment; do [[ $(<"$BATS_TEST_TMPDIR/err") == *"$fragment"* ]] && return; done
    cat "$BATS_TEST_TMPDIR/err" >&2
    return 1
}

# spec: FEAT-01 FEAT-03 FEAT-04 FEAT-07 FEAT-08 FEAT-14 FEAT-15 FEAT-21 FEAT-27 FEAT-39 FEAT-41 FEAT-43 FEAT-48 FEAT-52 FEAT-53 FEAT-55
@test "features: valid by the schema, every member of 1.3 and no other, false instead of absent" {
    local schema=$BATS_TEST_DIRNAME/../data/schema/features-schema.json
    python3 "$BATS_TEST_DIRNAME/validate.py" "$schema" "$FEATURES"
    jq '{ociVersionMin, ociVersionMax}' "$FEATURES" | python3 "$BATS_TEST_DIRNAME/validate.py" "$schema"
    run ! python3 "$BATS_TEST_DIRNAME/validate.py" "$schema" <(jq 'del(.ociVersionMax)' "$FEATURES")
    output=$(<"$FEATURES")
    expect '[paths(type != "object") | map(select(type == "string")) | join("/")] | unique | map(select(startswith("annotations/") | not)) == [
        "hooks", "linux/apparmor/enabled", "linux/capabilities", "linux/cgroup/rdma", "linux/cgroup/systemd", "linux/cgroup/systemdUser",
        "linux/cgroup/v1", "linux/cgroup/v2", "linux/intelRdt/enabled", "linux/intelRdt/monitoring", "linux/intelRdt/schemata",
        "linux/memoryPolicy/flags", "linux/memoryPolicy/modes", "linux/mountExtensions/idmap/enabled", "linux/namespaces",
        "linux/netDevices/enabled", "linux/seccomp/actions", "linux/seccomp/archs", "linux/seccomp/enabled", "linux/seccomp/knownFlags",
        "linux/seccomp/operators", "linux/seccomp/supportedFlags", "linux/selinux/enabled", "mountOptions", "ociVersionMax", "ociVersionMin",
        "potentiallyUnsafeConfigAnnotations"]'
    expect '[.. | select(. == null)] == []'
    expect '[.ociVersionMin, .ociVersionMax] | map(split(".") | map(tonumber)) | .[0] < .[1] and .[1] >= [1, 3, 0]'
    # Our own facts below a domain; what engines look for under the names that they know.
    expect '.annotations | (map(type) | unique) == ["string"] and .["run.oci.crun-lite.version"] != "" and has("run.oci.crun-lite.commit")'
    run "$CRUN_LITE" --version
    [[ ${lines[0]} == *"$(jq -r '.annotations["run.oci.crun-lite.version"]' "$FEATURES")"* ]]
    fails 1 features -- "$CRUN_LITE" features surplus
}

# spec: FEAT-02
@test "features: the same without cgroups, devices and privileges, whatever the state root" {
    needs root
    # shellcheck disable=SC2016
    unshare -m --propagation private sh -c 'umount -R /sys && mount -t tmpfs none /dev && exec setpriv --reuid 65534 --regid 65534 \
        --clear-groups --inh-caps=-all --bounding-set=-all env -i "$1" --root /nowhere features' - "$CRUN_LITE" >"$BATS_TEST_TMPDIR/elsewhere"
    cmp "$FEATURES" "$BATS_TEST_TMPDIR/elsewhere"
}

# spec: FEAT-05 FEAT-06
@test "features: configs of the lowest and of the highest version run" {
    local version
    program exit 3
    for version in $(jq -r '.ociVersionMin, .ociVersionMax' "$FEATURES"); do
        config '.ociVersion = $v' --arg v "$version"
        run -3 rt run "$ID"
    done
}

# spec: FEAT-09 FEAT-10
@test "features: the hooks that are listed are the six, and each runs" {
    local path=$PROBE
    expect '.hooks == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]'
    # A path that is the same inside and outside.
    mkdir -p "$BUNDLE/rootfs${path%/*}" "$BUNDLE/rootfs/log"
    cp "$path" "$BUNDLE/rootfs$path"
    mount_add "$(jq -nc --arg d "$BATS_TEST_TMPDIR" '{destination: $d, type: "bind", source: $d, options: ["rbind", "rw"]}')"
    config '.root.readonly = false | .hooks = ($f[0].hooks | map({(.): [{path: $p, args: ["probe", "hook", $l, .]}]}) | add)' \
        --slurpfile f "$FEATURES" --arg p "$path" --arg l "$BATS_TEST_TMPDIR/log"
    program exit 0
    run_ok
    [[ $(jq -r .hook "$BATS_TEST_TMPDIR/log") == "$(words .hooks)" ]]
}

# spec: FEAT-11 FEAT-12 FEAT-13
@test "features: every mount option that is listed is a word of the parser, none goes to the file system, none of the specification is missing" {
    # copy-symlink is Podman's.
    local specified="copy-symlink async atime bind defaults dev diratime dirsync exec idmap iversion lazytime loud mand noatime nodev nodiratime noexec
        noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime remount rexec
        ridmap rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave
        rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync tmpcopyup unbindable"
    [[ $(words .mountOptions | LC_ALL=C sort) == "$(tr -s ' \n' '\n' <<<"$specified" | LC_ALL=C sort)" ]]
    expect '.mountOptions | map(select(contains("="))) == []'
    # One container with a mount for each; tmpfs refuses what it does not know: a word that reached it would fail the mount.
    mount_add '{"destination": "/mnt/not-a-word", "type": "tmpfs", "source": "tmpfs", "options": ["not-a-word"]}'
    fails 1 not-a-word /mounts/7 -- rt run "$ID"
    config 'del(.mounts[7]) | .root.readonly = false | .mounts += ($f[0].mountOptions | map(
        if IN("bind", "rbind", "remount", "copy-symlink") then {destination: "/mnt/\(.)", type: "bind", source: $s, options: ["bind", .]}
        elif IN("idmap", "ridmap") then {destination: "/mnt/\(.)", type: "bind", source: $s, options: ["rbind", .],
             uidMappings: [{containerID: 0, hostID: 0, size: 1}], gidMappings: [{containerID: 0, hostID: 0, size: 1}]}
        else {destination: "/mnt/\(.)", type: "tmpfs", source: "tmpfs", options: [.]} end))' --slurpfile f "$FEATURES" --arg s "$BUNDLE/rootfs/etc"
    mkdir -p rootfs/mnt/remount
    inside report
    expect --slurpfile f "$FEATURES" '[.mounts[].target] as $there | $f[0].mountOptions - ["remount"] | map(select("/mnt/\(.)" | IN($there[]) | not)) == []'
}

# spec: FEAT-17 FEAT-18
@test "features: the namespaces that are listed are the eight, and a container has them all" {
    expect '.linux.namespaces | sort == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]'
    config '.linux.namespaces = ($f[0].linux.namespaces | map({type: .})) | .linux.timeOffsets = {"boottime": {"secs": 5}}
            | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}] | .linux.gidMappings = .linux.uidMappings' --slurpfile f "$FEATURES"
    inside report
    expect --argjson h "$(for name in cgroup ipc mnt net pid time user uts; do echo "$name $(readlink "/proc/$$/ns/$name")"; done |
        jq -Rn '[inputs | split(" ") | {(.[0]): .[1]}] | add')" '.namespaces as $c | [$h | keys[] | select($h[.] == $c[.])] == []'
    config '.linux.namespaces += [{"type": "syslog"}]'
    fails 1 /linux/namespaces/8/type syslog -- rt run "$ID"
}

# spec: FEAT-19 FEAT-20
@test "features: no capability of this kernel is missing, and none that is listed is unknown to the parser" {
    local last
    last=$(</proc/sys/kernel/cap_last_cap)
    expect --argjson n "$last" '.linux.capabilities | length >= $n + 1 and length >= 41 and length == (unique | length) and (map(test("^CAP_[A-Z_]+$")) | all)'
    config '.process.capabilities |= map_values($f[0].linux.capabilities)' --slurpfile f "$FEATURES"
    program report
    run --separate-stderr rt --log-level warning run "$ID"
    [[ $status == 0 && $stderr != *"is no capability"* ]]
    # All that the caller has: its bounding set.
    expect --arg b "$(awk '/^CapBnd/ {print $2}' /proc/self/status)" '.status.CapBnd == $b'
    config '.process.capabilities.bounding += ["CAP_NONSENSE"]'
    run --separate-stderr rt --log-level warning run "$ID"
    [[ $stderr == *CAP_NONSENSE*"is no capability"* ]]
}

# spec: FEAT-22 FEAT-23 FEAT-24 FEAT-25 FEAT-26
@test "features: cgroup v2 with rdma and not v1, systemd as built" {
    expect '.linux.cgroup | .v1 == false and .v2 == true and .rdma == true and .systemd == .systemdUser'
    # The member is read and planned; where the host lacks the controller it is the host that is named.
    config '.linux.resources.rdma = {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 4}}'
    accepts rdma
    [[ $(<"$BATS_TEST_TMPDIR/err") != *"not supported by this release"* ]]
    run --separate-stderr rt --systemd-cgroup create "$ID" </dev/null
    if [[ $(jq .linux.cgroup.systemd "$FEATURES") == true ]]; then
        [[ $stderr != *"without systemd"* ]]
    else
        [[ $status == 1 && $stderr == *systemd* ]]
    fi
    rt delete --force "$ID"
}

# spec: FEAT-28 FEAT-29 FEAT-30 FEAT-31 FEAT-32
@test "features: seccomp actions and operators are the specification's, and one profile with all of them is loaded" {
    expect '.linux.seccomp.enabled == true'
    expect '.linux.seccomp.actions == ["SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO",
        "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY"]'
    expect '.linux.seccomp.operators | sort == ["SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"]'
    python3 "$BATS_TEST_DIRNAME/seccomp-agent.py" "$BATS_TEST_TMPDIR/agent.sock" answer >/dev/null 3>&- 4>&- &
    local agent=$!
    wait_until test -e "$BATS_TEST_TMPDIR/agent.sock.ready"
    # Calls that nobody makes, one for each action; and for each operator one that is never true for what the probe passes.
    config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $p, syscalls: (
        [$f[0].linux.seccomp.actions, ["acct", "swapon", "swapoff", "reboot", "quotactl", "kexec_load", "settimeofday", "init_module", "getppid"]]
            | transpose | map({names: [.[1]], action: .[0]}))}
        | .linux.seccomp.syscalls += ($f[0].linux.seccomp.operators | map({names: ["personality"], action: "SCMP_ACT_ERRNO",
            args: [{index: 0, value: 1000, valueTwo: 1001, op: .}]}))' --slurpfile f "$FEATURES" --arg p "$BATS_TEST_TMPDIR/agent.sock"
    inside syscall quotactl 0 0 0 0 + syscall getppid
    output=${lines[0]} expect '.errno == "EPERM"'
    output=${lines[1]} expect '.errno == null'
    kill "$agent"
    wait "$agent" 2>/dev/null || true
}

# spec: FEAT-33 FEAT-34
@test "features: the architectures that are listed are the specification's, each taken or refused for what this machine's filter cannot hold" {
    local arch
    expect --argjson a "$(jq -c '.definitions.SeccompArch.enum' "$BATS_TEST_DIRNAME/../data/schema/defs-linux.json")" '.linux.seccomp.archs | sort == ($a | sort)'
    program exit 0
    for arch in $(words .linux.seccomp.archs); do
        config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: [$a], syscalls: [{names: ["acct"], action: "SCMP_ACT_ERRNO"}]}' --arg a "$arch"
        accepts "$arch has the other byte order" "cannot generate a filter for $arch" || { echo "$arch" >&2; return 1; }
    done
    config '.linux.seccomp.architectures = ["SCMP_ARCH_ABACUS"]'
    fails 1 "expected one of" SCMP_ARCH_ABACUS /linux/seccomp/architectures/0 -- rt create "$ID"
}

# spec: FEAT-35 FEAT-36 FEAT-37 FEAT-38
@test "features: the seccomp flags that are known are the parser's, those that are supported load on this kernel" {
    local flag
    expect '.linux.seccomp | .knownFlags == ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] and (.supportedFlags - .knownFlags) == [] and (.supportedFlags | length) >= 3'
    program syscall acct 0
    config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["acct"], action: "SCMP_ACT_ERRNO", errnoRet: 95}]}'
    for flag in $(words .linux.seccomp.supportedFlags); do
        config '.linux.seccomp.flags = [$f]' --arg f "$flag"
        run_ok
        expect '.errno == "EOPNOTSUPP"'
    done
    for flag in $(jq -r '.linux.seccomp | .knownFlags - .supportedFlags | .[]' "$FEATURES"); do
        config '.linux.seccomp.flags = [$f]' --arg f "$flag"
        fails 1 "$flag" kernel -- rt run "$ID"
    done
    config '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_NONSENSE"]'
    fails 1 "expected one of" SECCOMP_FILTER_FLAG_NONSENSE /linux/seccomp/flags/0 -- rt create "$ID"
}

# spec: FEAT-40 FEAT-42
@test "features: AppArmor and SELinux are implemented, whether this host has them or not" {
    expect '.linux.apparmor.enabled and .linux.selinux.enabled'
    config '.process.apparmorProfile = "no-such-profile"'
    fails 1 AppArmor -- rt run "$ID" || says "$stderr" no-such-profile
    [[ $stderr != *"by this release"* ]]
    config 'del(.process.apparmorProfile) | .process.selinuxLabel = "system_u:system_r:container_t:s0"'
    run --separate-stderr rt run "$ID"
    [[ $status == 1 && $stderr == *SELinux* && $stderr != *"by this release"* ]] || [[ -d /sys/fs/selinux ]]
}

# spec: FEAT-44 FEAT-45 FEAT-46 FEAT-47
@test "features: the memory policy modes and flags that are listed are the specification's, and the parser takes each" {
    local word nodes
    expect --argjson m "$(jq -c '.definitions.MemoryPolicyMode.enum' "$BATS_TEST_DIRNAME/../data/schema/defs-linux.json")" '.linux.memoryPolicy.modes | sort == ($m | sort) and length == 7'
    expect --argjson m "$(jq -c '.definitions.MemoryPolicyFlag.enum' "$BATS_TEST_DIRNAME/../data/schema/defs-linux.json")" '.linux.memoryPolicy.flags | sort == ($m | sort) and length == 3'
    program exit 0
    for word in $(words .linux.memoryPolicy.modes); do
        nodes='"0"'
        case $word in MPOL_DEFAULT | MPOL_LOCAL) nodes=null ;; esac
        config '.linux.memoryPolicy = {mode: $m, nodes: $n}' --arg m "$word" --argjson n "$nodes"
        accepts "set memory policy" || { echo "$word" >&2; return 1; }
    done
    for word in $(words .linux.memoryPolicy.flags); do
        config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: [$f]}' --arg f "$word"
        accepts "set memory policy" || { echo "$word" >&2; return 1; }
    done
    config '.linux.memoryPolicy = {mode: "MPOL_NONSENSE"}'
    fails 1 /linux/memoryPolicy/mode -- rt create "$ID"
    config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_NONSENSE"]}'
    fails 1 /linux/memoryPolicy/flags/0 -- rt create "$ID"
}

# is_true_of FILTER POINTER: config.json is refused as beyond this release exactly where the document says false.
is_true_of() {
    run --separate-stderr rt create "$ID" </dev/null
    rt delete --force "$ID"
    if [[ $(jq "$1" "$FEATURES") == true ]]; then
        [[ $stderr != *"not supported by this release"* ]]
    else
        [[ $status == 1 && $stderr == *"not supported by this release"*"$2"* ]]
    fi
}

# spec: FEAT-49 FEAT-50 FEAT-51 FEAT-54 FEAT-56
@test "features: what is said of Intel RDT, id-mapped mounts and network devices is what create does" {
    local directory=$BATS_TEST_TMPDIR/mapped
    cp config.json plain.json
    config '.linux.intelRdt = {"closID": "crun-lite-no-such", "l3CacheSchema": "L3:0=1"}'
    is_true_of .linux.intelRdt.enabled /linux/intelRdt
    cp plain.json config.json
    config '.linux.intelRdt = {"schemata": ["L3:0=1"]}'
    is_true_of .linux.intelRdt.schemata /linux/intelRdt
    cp plain.json config.json
    config '.linux.intelRdt = {"enableMonitoring": true}'
    is_true_of .linux.intelRdt.monitoring /linux/intelRdt
    cp plain.json config.json
    config '.linux.netDevices = {"cl-no-such0": {}}'
    is_true_of .linux.netDevices.enabled /linux/netDevices
    cp plain.json config.json
    output=$(<"$FEATURES")
    expect '.linux.mountExtensions.idmap.enabled == true'
    mkdir "$directory"
    touch "$directory/file"
    mount_add "$(jq -nc --arg s "$directory" '{destination: "/mnt", type: "bind", source: $s, options: ["bind"],
        uidMappings: [{containerID: 0, hostID: 1234, size: 1}], gidMappings: [{containerID: 0, hostID: 1234, size: 1}]}')"
    inside stat /mnt/file
    expect '.uid == 1234 and .gid == 1234'
}

# spec: FEAT-16 ANN-05 ANN-08 ANN-10
@test "features: the annotations that change behaviour are listed, all below a domain, none of our own in the specification's" {
    local systemd='["org.systemd.property."]'
    [[ $(jq .linux.cgroup.systemd "$FEATURES") == true ]] || systemd='[]'
    expect --argjson s "$systemd" '.potentiallyUnsafeConfigAnnotations | sort == (["org.opencontainers.image.stopSignal", "run.oci.keep_original_groups"] + $s | sort)'
    expect '.potentiallyUnsafeConfigAnnotations + (.annotations | keys) | map(test("^(org|io|run)\\.[a-z]+\\.")) | all'
    # Of org.opencontainers the specification's key, and the name under which engines ask for runc'\''s checkpoints.
    expect '[(.potentiallyUnsafeConfigAnnotations + (.annotations | keys))[] | select(startswith("org.opencontainers."))]
            == ["org.opencontainers.image.stopSignal", "org.opencontainers.runc.checkpoint.enabled"]'
}
