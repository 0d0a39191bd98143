# `check`: the same findings as create, all at once, and nothing made.
load helpers

setup() {
    common_setup
    program exit 0
}

# checks STATUS [OPTION...]: `check` ends with STATUS; its document is left in $FINDINGS.
checks() {
    local wanted=$1
    shift
    run --separate-stderr rt check --format json "$@"
    FINDINGS=$output
    [[ $status == "$wanted" && -z $stderr ]] || { echo "status $status, not $wanted: $output$stderr"; return 1; }
    jq -e '.findings | type == "array"' <<<"$FINDINGS" >/dev/null
}

finding() { jq -e "$@" <<<"$FINDINGS" >/dev/null || { echo "not so: $* in $FINDINGS"; return 1; }; }

# agrees STATUS: the first finding is what create says; nothing is left by either.
agrees() {
    local first
    checks "$1" || return 1
    first=$(jq -r '.findings[0].message' <<<"$FINDINGS")
    run --separate-stderr rt create "$ID" </dev/null
    [[ $status != 0 ]] || { echo "create accepts what check refuses: $FINDINGS"; return 1; }
    [[ $stderr == *"$first"* ]] || { echo "create: $stderr"; echo "check: $first"; return 1; }
    # The place is told by both in the same words.
    jq -e '.findings[0] | .line == 0 or .kind != "config"' <<<"$FINDINGS" >/dev/null ||
        [[ $stderr == *"config.json line $(jq -r '.findings[0] | "\(.line) (\(.pointer))"' <<<"$FINDINGS")"* ]] ||
        [[ $(jq -r '.findings[0].pointer' <<<"$FINDINGS") == "" ]] || { echo "places differ: $stderr, $FINDINGS"; return 1; }
    assert_nothing_left
}

# Everything that check may not touch.
surroundings() {
    find "$STATE" "$BUNDLE" -printf '%p %s %T@ %m\n' 2>/dev/null | LC_ALL=C sort
    find "/sys/fs/cgroup${TEST_CGROUP-}" -type d 2>/dev/null | LC_ALL=C sort
}

@test "check: a bundle that create accepts has no finding, and nothing is touched" {
    local before
    before=$(surroundings)
    checks 0
    finding '.verdict == "ok" and .findings == [] and .complete'
    [[ $(rt check) == *"config.json: no findings" ]]
    [[ $(cd / && "$CRUN_LITE" check "$BUNDLE") == "$BUNDLE/config.json: no findings" ]]
    [[ $(surroundings) == "$before" ]]
    [[ ! -e $STATE/$ID ]]
}

@test "check: the command line" {
    fails 1 "named twice" -- rt check --bundle . .
    fails 1 "text or json" -- rt check --format xml
    fails 1 "too many arguments" -- rt check a b
    fails 1 /no/such/bundle "$M_ENOENT" -- rt check /no/such/bundle
    rm config.json
    fails 1 config.json "$M_ENOENT" -- rt check
}

@test "check: judges for create and run alike: without a process, with a terminal; a missing seccomp agent is a finding" {
    config 'del(.process)'
    [[ $(rt check) == *": no findings" ]]
    create_container
    silently rt delete "$ID"
    run -1 rt run "$ID"
    config '.process = {"cwd": "/", "args": ["/probe"], "terminal": true}'
    [[ $(rt check) == *": no findings" ]]
    config '.process.terminal = false | .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/no/such/agent",
        "syscalls": [{"names": ["getppid"], "action": "SCMP_ACT_NOTIFY"}]}'
    run -3 rt check
    says "$output" /linux/seccomp/listenerPath /no/such/agent
    fails 1 /linux/seccomp/listenerPath /no/such/agent -- rt create "$ID"
}

@test "check: says what create says, for every failure of the configuration" {
    local filter cases=(
        '.ociVersion = "2.0.0"'
        'del(.root)'
        '.root.path = ""'
        '.vm = {"kernel": {"path": "/k"}}'
        '.root.path = "/no/such/root"'
        '.root.path = "config.json"'
        '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 1000, "size": 10}, {"containerID": 5, "hostID": 2000, "size": 10}] | .linux.gidMappings = [{"containerID": 0, "hostID": 1000, "size": 10}]'
        '.linux.namespaces += [{"type": "user"}]'
        '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 1000, "size": 0}] | .linux.gidMappings = .linux.uidMappings'
        '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 1000, "size": 10}] | .linux.gidMappings = .linux.uidMappings | .process.user.uid = 4000'
        '.mounts += [{"destination": "/mnt", "type": "bind", "source": "/no/such/source", "options": ["rbind"]}]'
        '.mounts += [{"destination": "/mnt", "type": "bind", "options": ["rbind"]}]'
        '.mounts += [{"destination": "/mnt", "type": "nosuchfs", "source": "none"}]'
        '.mounts += [{"destination": "/mnt"}]'
        '.mounts += [{"destination": "/"  , "type": "tmpfs"}]'
        '.mounts += [{"destination": "/proc/sys", "type": "tmpfs"}]'
        '.mounts += [{"destination": "/mnt", "type": "bind", "source": "/tmp", "options": ["bind", "src-nofollow"]}]'
        '.linux.devices = [{"path": "/dev/odd", "type": "c", "major": -5, "minor": 1}]'
        '.linux.devices = [{"path": "relative", "type": "c", "major": 1, "minor": 3}]'
        '.linux.sysctl = {"kernel.panic": "1"}'
        '.linux.sysctl = {"net.no/such~thing": "1"} | .linux.namespaces |= map(select(.type != "network"))'
        '.process.cwd = "etc"'
        '.process.env = ["novalue"]'
        '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 5, "hard": 4}]'
        '.process.rlimits = [{"type": "RLIMIT_NOFIL", "soft": 4, "hard": 4}]'
        '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 5, "deadline": 4}'
        '.hostname = 5'
        '.hostname = ("x" * 100)'
        '.linux.namespaces |= map(select(.type != "uts")) | .hostname = "h"'
        '.linux.namespaces |= map(select(.type != "mount"))'
        '.linux.seccomp = {"defaultAction": "SCMP_ACT_NONSENSE"}'
        '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 7, "value": 1, "op": "SCMP_CMP_EQ"}]}]}'
        '.linux.resources = {"memory": {"swappiness": 5}}'
        '.linux.resources = {"memory": {"limit": 50, "swap": 40}}'
        '.linux.resources = {"unified": {"nonsense": "1"}}'
        '.linux.resources = {"hugepageLimits": [{"pageSize": "2", "limit": 1}]}'
        '.linux.cgroupsPath = "../x"'
        '.hooks = {"createRuntime": [{"path": "/no/such/hook"}]}'
        '.linux.memoryPolicy = {"mode": "MPOL_BIND"}'
    )
    for filter in "${cases[@]}"; do
        new_bundle "$BUNDLE"
        program exit 0
        config "$filter"
        agrees 2 || { echo "with $filter"; return 1; }
    done
    for filter in '' '{' '{"a": 1,}' '[]' '{"ociVersion": "1.0.0", "ociVersion": "1.0.0"}'; do
        printf '%s' "$filter" >config.json
        agrees 2 || { echo "with $filter"; return 1; }
    done
}

@test "check: says what create says, for devices, masks, options and groups that cannot be" {
    local filter cases=(
        '.linux.devices = [{"path": "/dev/odd", "type": "c", "major": 4096, "minor": 1}]'
        '.linux.devices = [{"path": "/dev/odd", "type": "c", "major": 1, "minor": 1048576}]'
        '.linux.devices = [{"path": "/dev/odd", "type": "c", "major": 1, "minor": 3}, {"path": "/dev/./odd", "type": "c", "major": 1, "minor": 5}]'
        '.linux.maskedPaths = ["/proc/keys", "/./data/.."]'
        '.linux.readonlyPaths = ["/"]'
        '.mounts += [{"destination": "/mnt", "type": "bind", "source": "/tmp", "options": ["bind", "tmpcopyup"]}]'
        '.mounts += [{"destination": "/mnt", "type": "tmpfs", "options": ["copy-symlink"]}]'
        '.process.user.additionalGids = [range(65537)]'
        '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 65536}] | .linux.gidMappings = .linux.uidMappings
            | .process.user.additionalGids = [5, 70000]'
    )
    for filter in "${cases[@]}"; do
        new_bundle "$BUNDLE"
        program exit 0
        config "$filter"
        agrees 2 || { echo "with $filter"; return 1; }
    done
}

@test "check: says what create says, for what this host cannot do" {
    local filter cases=(
        '.linux.namespaces[1].path = "/no/such/ns"'
        '.linux.resources = {"unified": {"nosuchcontroller.max": "1"}}'
        '.linux.sysctl = {"net.core.no_such_parameter": "1"}'
    )
    has apparmor || cases+=('.process.apparmorProfile = "docker-default"')
    [[ -d /sys/fs/selinux ]] || cases+=('.process.selinuxLabel = "system_u:system_r:container_t:s0"')
    has sys_resource || cases+=('.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 5, "hard": 1099511627776}]')
    has sys_resource || cases+=('.process.oomScoreAdj = -1000')
    cases+=('.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 65536}] | .linux.gidMappings = .linux.uidMappings
        | .linux.devices = [{"path": "/dev/that-no-host-has", "type": "c", "major": 4000, "minor": 1}]')
    has controller:memory || cases+=('.linux.resources = {"memory": {"limit": 104857600}}')
    for filter in "${cases[@]}"; do
        new_bundle "$BUNDLE"
        program exit 0
        config "$filter"
        agrees 3 || { echo "with $filter"; return 1; }
    done
}

@test "check: an OOM score that may be lowered, as it was higher before, is no finding, and stays" {
    needs no-sys_resource
    echo 300 >/proc/self/oom_score_adj
    config '.process.oomScoreAdj = 0'
    run --separate-stderr bash -c '"$@"; echo "$?"; cat /proc/$$/oom_score_adj' bash "$CRUN_LITE" --root "$STATE" check
    [[ $output == *"no findings"*$'\n0\n300' ]]
    run_ok
    config '.process.oomScoreAdj = -1'
    agrees 3
    finding '.findings[0].pointer == "/process/oomScoreAdj"'
}

@test "check: a cgroup that is too deep, frozen or in use" {
    local place=/sys/fs/cgroup$TEST_CGROUP/there pid
    mkdir -p "$place"
    config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/there/$ID"
    echo 0 >"$place/cgroup.max.depth"
    agrees 3
    config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/there"
    checks 0
    echo 1 >"$place/cgroup.freeze"
    agrees 3
    echo 0 >"$place/cgroup.freeze"
    sleep 600 3>&- 4>&- &
    pid=$!
    echo "$pid" >"$place/cgroup.procs"
    agrees 3
    kill -9 "$pid"
    wait "$pid" || true
    rmdir "$place"
}

@test "check: no namespace of a kind may be made" {
    # Of a user namespace of our own: its limits are ours to set.
    config '.linux.namespaces |= map(select(.type == "mount" or .type == "uts" or .type == "pid"))
        | del(.linux.sysctl, .linux.resources, .linux.cgroupsPath)'
    # shellcheck disable=SC2016  # for the shell inside
    FINDINGS=$(unshare --user --map-root-user --mount sh -c 'echo 0 >/proc/sys/user/max_uts_namespaces &&
        "$0" --root "$1" --cgroup-manager disabled check --format json' "$CRUN_LITE" "$STATE") || [[ $? == 3 ]]
    finding '.verdict == "host" and (.findings | length == 1) and (.findings[0].message | test("max_uts_namespaces is 0"))'
    finding --argjson n "$(jq '[.linux.namespaces[].type] | index("uts")' config.json)" '.findings[0].pointer == "/linux/namespaces/\($n)"'
    # shellcheck disable=SC2016  # as above
    run unshare --user --map-root-user --mount sh -c 'echo 0 >/proc/sys/user/max_uts_namespaces &&
        "$0" --root "$1" --cgroup-manager disabled run "$2"' "$CRUN_LITE" "$STATE" "$ID"
    [[ $status == 1 && $output == *"max_*_namespaces"* ]]
}

@test "check: an id map that a file system does not take, and one that it takes" {
    local source=$BATS_TEST_TMPDIR/source
    mkdir "$source"
    mount_add "$(jq -n --arg s "$source" '{destination: "/mnt", type: "bind", source: $s, options: ["bind"],
        uidMappings: [{containerID: 0, hostID: 1000, size: 10}], gidMappings: [{containerID: 0, hostID: 1000, size: 10}]}')"
    # Whatever the file system of the scratch directory can: check and create are of one mind.
    if rt create "$ID" </dev/null 2>/dev/null; then
        rt delete --force "$ID"
        checks 0
    else
        agrees 3
    fi
    mount_add "$(jq -n '{destination: "/data", type: "bind", source: "/proc", options: ["bind"],
        uidMappings: [{containerID: 0, hostID: 1000, size: 10}], gidMappings: [{containerID: 0, hostID: 1000, size: 10}]}')"
    agrees 3
    finding '.findings[0].hint | test("id-mapped")'
}

@test "check: a program that the root does not hold" {
    local filter
    for filter in '["nonexistent"]' '["/no/such/program"]' '["/etc/marker"]' '["/etc"]'; do
        config ".process.args = $filter"
        checks 3
        finding '.findings[0].pointer == "/process/args/0"'
        status=0
        stderr=$(rt run "$ID" 2>&1) || status=$?
        [[ $status == 12[67] && $stderr == *"$(jq -r '.findings[0].message' <<<"$FINDINGS")"* ]]
    done
    # Where a mount or a hook may bring it nothing is known.
    mount_add '{"destination": "/mnt", "type": "bind", "source": "/", "options": ["bind"]}'
    checks 0
}

@test "check: all findings at once, without those that only follow from others" {
    config '.hostname = 5 | .process.rlimits = [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}, {"type": "oops", "soft": 1, "hard": 1}, {"type": "RLIMIT_AS", "soft": 2, "hard": 1}]
        | .mounts += [{"source": "x"}, {"destination": "/mnt", "type": "bind", "source": "/no/such", "options": ["bind"]}]
        | .linux.sysctl = {"kernel.panic": "1", "net.core.no/such~thing": "1"} | .linux.resources.memory = {"limit": "x", "swap": 5}
        | .linux.seccomp = {"defaultAction": "SCMP_ACT_NOPE", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_BAD"}]} | .linux.cgroupsPath = "../x"'
    local n
    n=$(jq '.mounts | length' config.json)
    checks 2
    finding --argjson n "$n" '[.findings[].pointer] | sort == ([
        "/hostname", "/process/rlimits/0", "/process/rlimits/1/type", "/process/rlimits/2", "/mounts/\($n - 2)/destination",
        "/mounts/\($n - 1)/source", "/linux/sysctl/kernel.panic", "/linux/sysctl/net.core.no~1such~0thing",
        "/linux/resources/memory/limit", "/linux/seccomp/defaultAction", "/linux/seccomp/syscalls/0/action", "/linux/cgroupsPath"] | sort)'
    finding '.verdict == "config" and ([.findings[] | select(.kind == "host")] | length == 1)'
    # Each line is that of its value.
    while read -r line words; do
        sed -n "${line}p" config.json | grep -qF -- "$words" || { echo "line $line has no $words"; return 1; }
    done < <(jq -r '.findings[] | select(.pointer | test("kernel.panic|hostname|cgroupsPath|defaultAction|limit$|type$|source$"))
        | "\(.line) \"\(.pointer | split("/") | last)\""' <<<"$FINDINGS")
    run rt check
    [[ $status == 2 && $output == *"12 findings: 11 in the configuration, 1 about this host" ]]
    [[ $output == *"config.json:"*": config: /linux/cgroupsPath"*"hint: "* ]]
}

@test "check: a thousand findings are enough" {
    jq -n '{ociVersion: "1.0.0", root: {path: "rootfs"}, mounts: [range(5000) | 1]}' >config.json
    checks 2
    finding '(.findings | length) == 1000 and (.complete | not)'
    [[ $(rt check || true) == *"the search ended here" ]]
}

@test "check: what comes from the document is shown without its control bytes" {
    config '.linux.sysctl = {"kernel.\u001b[31mred": "1"}'
    run rt check
    [[ $status == 2 && $output != *$'\e'* ]]
}

@test "check: configs that engines wrote" {
    local file engines=$BATS_TEST_DIRNAME/../data/engines count=0 manager
    for file in "$engines"/*.config.json; do
        cp "$file" config.json
        manager=cgroupfs
        [[ $(jq -r '.linux.cgroupsPath // ""' config.json) != *:*:* ]] || manager=systemd
        run rt --cgroup-manager "$manager" check --format json
        # Their roots, sources and namespaces were on other hosts; no other complaint is possible.
        jq -e '[.findings[] | select(.kind == "config") | .pointer
                | select(test("^/root/path$|^/mounts/[0-9]+/source$|^/linux/namespaces/[0-9]+/path$|^/hooks/|^/process/terminal$") | not)] == []' <<<"$output" >/dev/null ||
            { echo "${file##*/}: $output"; return 1; }
        ((++count))
    done
    ((count >= 20))
}

@test "check: what the host knows of filesystem types is read once, however many mounts ask" {
    needs strace
    config '.mounts += [range(10) | {destination: "/mnt/\(.)", source: "none", type: (if . % 2 == 0 then "tmpfs" else "nosuchfs" end)}]'
    run -2 env ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0" strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=%file \
        "$CRUN_LITE" --root "$STATE" check --format json
    [[ $(jq -c '[.findings[].pointer]' <<<"$output") == '["/mounts/'*'/type"]' && $(jq '.findings | length' <<<"$output") == 5 ]]
    [[ $(grep -c '"/proc/filesystems"' "$BATS_TEST_TMPDIR/trace") == 1 ]]
    [[ $(grep -c '"/lib/modules"' "$BATS_TEST_TMPDIR/trace") == 1 ]]
    [[ $(grep -c 'modules\.dep"' "$BATS_TEST_TMPDIR/trace") -le 1 ]]
}
