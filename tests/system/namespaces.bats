# Every kind of namespace: new, joined by path, absent; user namespaces with mappings; clocks.
load helpers

teardown() {
    release_holders
    common_teardown
}

@test "a namespace of each listed kind is new, one that is not listed is the caller's" {
    local kind name
    inside report
    for kind in pid:pid network:net ipc:ipc uts:uts mount:mnt cgroup:cgroup; do
        name=${kind#*:}
        expect --arg k "$name" --arg ns "$(ns_of $$ "$name")" '.namespaces[$k] != $ns'
    done
    expect --arg ns "$(ns_of $$ user)" '.namespaces.user == $ns'
    expect '.pid == 1 and .ppid == 0 and .hostname == "box" and (.cgroup | test("(^|\n)0::/$"))'
    for kind in network:net ipc:ipc uts:uts cgroup:cgroup; do
        name=${kind#*:}
        config 'del(.hostname) | .linux.namespaces |= map(select(.type != $k))' --arg k "${kind%:*}"
        # The kernel ties a new sysfs to the network namespace it is made in, mqueue to the ipc one: both stay usable.
        run_ok
        expect --arg k "$name" --arg ns "$(ns_of $$ "$name")" '.namespaces[$k] == $ns'
    done
}

@test "network, ipc, uts, pid and cgroup are joined by path" {
    local kind name
    hold --net --ipc --uts --cgroup --pid
    program report
    for kind in network:net ipc:ipc uts:uts cgroup:cgroup pid:pid; do
        name=${kind#*:}
        config 'del(.hostname) | .linux.namespaces |= map(if .type == $k then .path = $p else . end)' \
            --arg k "${kind%:*}" --arg p "/proc/$HOLDER/ns/$name"
    done
    run_ok
    for name in net ipc uts cgroup pid; do
        expect --arg k "$name" --arg ns "$(ns_of "$HOLDER" "$name")" '.namespaces[$k] == $ns'
    done
    expect '.pid > 1'
}

@test "a bind-mounted namespace file outlives its maker and is joined" {
    touch "$BATS_TEST_TMPDIR/netns"
    unshare --net="$BATS_TEST_TMPDIR/netns" true
    config '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)' --arg p "$BATS_TEST_TMPDIR/netns"
    run --separate-stderr rt run "$ID"
    umount "$BATS_TEST_TMPDIR/netns"
    [[ $status == 0 ]]
    expect --arg ns "$(ns_of $$ net)" '.namespaces.net != $ns'
}

@test "mount namespace by path: the container's process is in it" {
    hold --mount
    # Nothing of the config may then change what others see there.
    config 'del(.mounts, .linux.maskedPaths, .linux.readonlyPaths) | .root.readonly = false
            | .linux.namespaces |= map(if .type == "mount" then .path = $p else . end)' --arg p "/proc/$HOLDER/ns/mnt"
    program sleep
    run_detached
    [[ $(ns_of "$(container_pid "$ID")" mnt) == "$(ns_of "$HOLDER" mnt)" ]]
    silently rt delete --force "$ID"
}

@test "the loopback of a new network namespace is up" {
    inside cat /proc/net/if_inet6 + cat /proc/net/fib_trie
    says "$output" 127.0.0.1
}

@test "a path of the wrong kind, an absent one, and one that is no namespace" {
    config '.linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/uts" else . end)'
    fails 1 /proc/self/ns/uts /linux/namespaces/1/path -- rt run "$ID"
    config '.linux.namespaces |= map(if .type == "network" then .path = "/no/such/ns" else . end)'
    fails 1 /no/such/ns /linux/namespaces/1/path "$M_ENOENT" -- rt run "$ID"
    config '.linux.namespaces |= map(if .type == "network" then .path = "/etc/passwd" else . end)'
    fails 1 /etc/passwd /linux/namespaces/1/path -- rt run "$ID"
}

@test "an unknown kind, one listed twice, and hostname without uts are refused" {
    cp config.json saved.json
    config '.linux.namespaces += [{"type": "submarine"}]'
    fails 1 submarine /linux/namespaces/6 -- rt run "$ID"
    cp saved.json config.json
    config '.linux.namespaces += [{"type": "pid"}]'
    fails 1 "second time" /linux/namespaces/6 -- rt run "$ID"
    cp saved.json config.json
    config '.linux.namespaces |= map(select(.type != "uts"))'
    fails 1 hostname -- rt run "$ID"
}

with_user_namespace() {
    chown -R 200000:200000 "$BUNDLE/rootfs"
    config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = $m | .linux.gidMappings = $m' \
        --argjson m "${1:-[{\"containerID\": 0, \"hostID\": 200000, \"size\": 1000\}]}"
}

@test "user namespace with a range of ids: maps, ownership, capabilities inside" {
    with_user_namespace
    config '.root.readonly = false'
    inside report + write /data/made x
    output=${lines[0]} expect '(.uid_map | split(" ") | map(select(. != ""))) == ["0", "200000", "1000"] and .uid == 0'
    output=${lines[0]} expect --arg ns "$(ns_of $$ user)" '.namespaces.user != $ns and .status.CapBnd == "0000000020000420"'
    [[ $(stat -c %u:%g rootfs/data/made) == 200000:200000 ]]
}

@test "user namespace: several ranges, and a process user out of the second" {
    with_user_namespace '[{"containerID": 0, "hostID": 200000, "size": 10}, {"containerID": 5000, "hostID": 300000, "size": 5}]'
    config '.process.user = {"uid": 5001, "gid": 5002, "additionalGids": [3]}'
    run_ok
    expect '.uid == 5001 and .gid == 5002 and .groups == [3] and (.uid_map | split("\n") | length) == 2'
}

@test "user namespace: /dev has its devices though mknod is forbidden there" {
    with_user_namespace
    run_ok
    expect '.dev.null | .type == "char" and .major == 1 and .minor == 3'
    inside write /dev/null x + try-open /dev/zero r
    [[ $output != *EPERM* && $output != *EACCES* ]]
}

@test "user namespace by path, with the other namespaces made inside it" {
    hold --user --map-root-user
    # Group 5 is not mapped there.
    config '.mounts |= map(select(.destination != "/dev/pts")) | .linux.namespaces += [{"type": "user", "path": $p}]' --arg p "/proc/$HOLDER/ns/user"
    run_ok
    expect --arg ns "$(ns_of "$HOLDER" user)" '.namespaces.user == $ns'
}

@test "a user namespace without mappings, a user that is not mapped" {
    cp config.json saved.json
    config '.linux.namespaces += [{"type": "user"}]'
    fails 1 appings -- rt run "$ID"
    cp saved.json config.json
    with_user_namespace
    config '.process.user.uid = 77777'
    fails 1 77777 -- rt run "$ID"
}

@test "time namespace: the clocks are offset inside" {
    [[ -e /proc/self/timens_offsets ]] || skip "needs a kernel with time namespaces"
    config '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"boottime": {"secs": 100000, "nanosecs": 5}, "monotonic": {"secs": 777}}'
    inside cat /proc/self/timens_offsets + cat /proc/uptime
    says "$output" 777 100000
    [[ $(tail -1 <<<"$output" | cut -d. -f1) -gt 100000 ]]
}

@test "timeOffsets without a time namespace is refused" {
    config '.linux.timeOffsets = {"monotonic": {"secs": 777}}'
    fails 1 timeOffsets -- rt run "$ID"
}

@test "without a mount namespace nothing is mounted on the host, or it is refused" {
    config '.linux.namespaces |= map(select(.type != "mount"))'
    run --separate-stderr rt run "$ID"
    [[ $status != 0 && -n $stderr ]]
}
