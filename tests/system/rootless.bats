# Without privilege: an ordinary user's containers.  `run --rootless` runs this file.
load helpers

setup() {
    [[ $EUID != 0 ]] || skip "run by an ordinary user only"
    common_setup
    rm -f config.json
    "$CRUN_LITE" spec --rootless
    config '.process.terminal = false | .process.args = ["/probe", "report"] | .process.env += ["FROM_CONFIG=yes"]'
}

with_cgroup() { config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/$ID"; }

@test "spec --rootless runs as it is: single id, root inside" {
    run_ok
    expect --arg uid "$(id -u)" '.uid == 0 and (.uid_map | split(" ") | map(select(. != ""))) == ["0", $uid, "1"] and .setgroups == "deny"'
    expect_mount /proc '.type == "proc"'
    expect '.pid == 1'
}

@test "files made inside belong to the caller outside" {
    config '.root.readonly = false'
    inside write /data/made x
    [[ -O rootfs/data/made ]]
}

@test "the devices are the host's, bound" {
    inside write /dev/null x + try-open /dev/zero r + try-open /dev/urandom r + stat /dev/null
    [[ $(grep -c '"errno":null' <<<"$output") == 3 ]]
    output=${lines[3]} expect '.major == 1 and .minor == 3'
}

@test "several ids by newuidmap and newgidmap" {
    needs newuidmap
    config '.linux.uidMappings = [{"containerID": 0, "hostID": $u, "size": 1}, {"containerID": 1, "hostID": $sub, "size": 1000}]
            | .linux.gidMappings = [{"containerID": 0, "hostID": $g, "size": 1}, {"containerID": 1, "hostID": $sub, "size": 1000}]' \
        --argjson u "$(id -u)" --argjson g "$(id -g)" --argjson sub "$(grep "^$(id -un):" /etc/subuid | cut -d: -f2)"
    config '.process.user = {"uid": 33, "gid": 44, "additionalGids": [55]}'
    run_ok
    expect '.uid == 33 and .gid == 44 and .groups == [55] and (.uid_map | split("\n") | length) == 2'
}

@test "ids beyond the subordinate ones are refused, naming the file to look at" {
    needs newuidmap
    config '.linux.uidMappings = [{"containerID": 0, "hostID": $u, "size": 1}, {"containerID": 1, "hostID": 3000000000, "size": 10}]' --argjson u "$(id -u)"
    fails 1 newuidmap subuid -- rt run "$ID"
}

@test "create, start, state, kill, delete" {
    program sleep
    create_container
    is_status "$ID" created
    silently rt start "$ID"
    silently rt kill "$ID" KILL
    status_becomes "$ID" stopped
    silently rt delete "$ID"
}

@test "the state root defaults to XDG_RUNTIME_DIR" {
    program sleep
    "$CRUN_LITE" run --detach "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
    [[ $(find "$XDG_RUNTIME_DIR" -name "$ID" -type d) != "" ]]
    silently "$CRUN_LITE" delete --force "$ID"
    [[ $(find "$XDG_RUNTIME_DIR" -name "$ID" -type d) == "" ]]
}

@test "a new network namespace has a loopback" {
    config '.linux.namespaces += [{"type": "network"}]'
    inside cat /proc/net/fib_trie
    says "$output" 127.0.0.1
}

@test "a delegated cgroup is used, frozen and removed" {
    needs delegated_cgroup
    # The runner's own group is a sibling: moving needs write access to the common ancestor, which is ours.
    with_cgroup
    program sleep
    run_detached
    grep -q "0::$TEST_CGROUP/$ID$" "/proc/$(container_pid "$ID")/cgroup"
    silently rt pause "$ID"
    is_status "$ID" paused
    silently rt delete --force "$ID"
}

@test "limits that cannot be applied are refused, not ignored" {
    config '.linux.resources = {"memory": {"limit": 67108864}} | .linux.cgroupsPath = "/nobody-may-write-here"'
    run --separate-stderr rt run "$ID"
    [[ $status == 1 ]] && says "$stderr" cgroup
}

@test "a failing start leaves nothing" {
    config '.process.args = ["nonexistent"]'
    fails 127 "executable file" "$M_ARGV0_IN_PATH" -- rt run "$ID"
}

@test "a terminal" {
    config '.process.terminal = true'
    program report
    run script -qec "'$CRUN_LITE' --root '$STATE' run '$ID'; echo after=\$?" /dev/null </dev/null
    [[ $output == *"after=0"* && $output == *'"tty":"/dev/pts/0"'* ]]
}

@test "seccomp without privilege" {
    config '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getppid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}'
    inside syscall getppid
    expect '.errno == "EOPNOTSUPP"'
}

@test "check: an ordinary user's bundle has no finding; ids of others, and no user namespace, have one" {
    local findings
    [[ $(rt check) == *": no findings" ]]
    config '.linux.uidMappings += [{"containerID": 1, "hostID": 3000000000, "size": 10}]'
    findings=$(rt check --format json) || [[ $? == 3 ]]
    jq -e '.verdict == "host" and any(.findings[]; .pointer | startswith("/linux/uidMappings"))' <<<"$findings" >/dev/null
    run rt run "$ID"
    [[ $status == 1 ]]
    config '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
    findings=$(rt check --format json) || [[ $? == 3 ]]
    jq -e '.verdict == "host" and .findings[0].pointer == "/linux/namespaces"' <<<"$findings" >/dev/null
    run rt run "$ID"
    [[ $status == 1 ]]
}
