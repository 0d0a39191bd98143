# Every kind of namespace: new, joined by path, absent; user namespaces with mappings; clocks.
load helpers

teardown() {
    release_holders
    common_teardown
}

# spec: NS-01 NS-03 NS-09 NS-14 NS-15
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

# spec: NS-12
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

# spec: NS-11 NS-13
@test "a path of the wrong kind, an absent one, and one that is no namespace" {
    config '.linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/uts" else . end)'
    fails 1 /proc/self/ns/uts /linux/namespaces/1/path -- rt run "$ID"
    config '.linux.namespaces |= map(if .type == "network" then .path = "/no/such/ns" else . end)'
    fails 1 /no/such/ns /linux/namespaces/1/path "$M_ENOENT" -- rt run "$ID"
    config '.linux.namespaces |= map(if .type == "network" then .path = "/etc/passwd" else . end)'
    fails 1 /etc/passwd /linux/namespaces/1/path -- rt run "$ID"
    config '.linux.namespaces |= map(if .type == "network" then .path = "proc/self/ns/net" else . end)'
    (cd / && fails 1 proc/self/ns/net /linux/namespaces/1/path "absolute" -- rt run --bundle "$BUNDLE" "$ID")
}

# spec: NS-02 NS-16
@test "an unknown kind, one listed twice, and hostname without uts are refused" {
    cp config.json saved.json
    local word
    for word in submarine net mnt PID; do
        config '.linux.namespaces += [{"type": $w}]' --arg w "$word"
        fails 1 "\"$word\"" /linux/namespaces/6 -- rt run "$ID"
        cp saved.json config.json
    done
    config '.linux.namespaces += [{"path": "/proc/self/ns/net"}]'
    fails 1 type /linux/namespaces/6 -- rt run "$ID"
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

# spec: NS-08
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
    needs time_namespaces
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

# --- row by row --------------------------------------------------------------------------------------------------------

# spec: NS-04
@test "network namespace: nothing but a loopback that is up, and the host's devices are not seen" {
    inside cat /proc/net/dev + cat /proc/net/if_inet6
    [[ $(grep -c : <<<"$(sed '/^[0-9a-f]\{32\}/d' <<<"$output")") == 1 ]]
    says "$output" " lo:" "00000000000000000000000000000001 01 80 10 80       lo"
    config '.linux.namespaces |= map(select(.type != "network"))'
    inside cat /proc/net/dev
    [[ $(sed 1,2d <<<"$output" | cut -d: -f1 | sort) == "$(sed 1,2d /proc/net/dev | cut -d: -f1 | sort)" ]]
}

# spec: NS-05
@test "mount namespace: while the container lives the host sees none of its mounts, and it none of the host's later ones" {
    program sleep
    run_detached
    [[ $(cut -d' ' -f1,5 /proc/self/mountinfo) == "$MOUNTS_BEFORE" ]]
    mount -t tmpfs none "$BUNDLE/rootfs/mnt"
    run grep -c " /mnt " "/proc/$(container_pid "$ID")/mountinfo"
    umount "$BUNDLE/rootfs/mnt"
    [[ $output == 0 ]]
    silently rt delete --force "$ID"
}

# spec: NS-06
@test "ipc namespace: shared memory and message queues of one side do not exist on the other" {
    local id
    id=$(ipcmk -M 4096 | grep -o '[0-9]*$')
    program syscall 68 4711 950 + syscall 29 4711 4096 950 + cat /proc/sysvipc/shm + cat /proc/sysvipc/msg + list /dev/mqueue
    run_ok
    ipcrm -m "$id"
    # msgget and shmget made theirs; what is listed is theirs alone.
    [[ $(grep -c '^ *4711 ' <<<"$output") == 2 ]]
    [[ $(grep -v '^ *4711 ' <<<"$output" | grep -c "^ *[0-9-]*  *$id ") == 0 ]]
    [[ -z $(grep '^ *4711 ' /proc/sysvipc/shm /proc/sysvipc/msg) ]]
}

# spec: NS-07 HOST-01 HOST-03
@test "uts namespace: hostname and domainname inside are the config's, the host's stay" {
    local host_name domain
    host_name=$(uname -n) domain=$(</proc/sys/kernel/domainname)
    config '.hostname = "box-7" | .domainname = "inside.example"'
    inside report + cat /proc/sys/kernel/domainname
    output=$(sed '$d' <<<"$output") expect '.hostname == "box-7" and .domainname == "inside.example"'
    [[ ${lines[-1]} == inside.example ]]
    [[ $(uname -n) == "$host_name" && $(</proc/sys/kernel/domainname) == "$domain" ]]
}

# spec: HOST-02 HOST-04 NS-18
@test "what needs a namespace of its own is refused without one, and the host is as it was" {
    local host_name domain type change pointer
    host_name=$(uname -n) domain=$(</proc/sys/kernel/domainname)
    config 'del(.hostname)'
    cp config.json saved.json
    while IFS=@ read -r type change pointer; do
        config ".linux.namespaces |= map(select(.type != \"$type\")) | $change"
        fails 1 "needs a $type namespace" "$pointer" -- rt run "$ID"
        cp saved.json config.json
    done <<'TABLE'
uts@.hostname = "other"@/hostname
uts@.domainname = "other"@/domainname
mount@.mounts = [] | .linux.readonlyPaths = []@/linux/maskedPaths
mount@.mounts = [] | .linux.maskedPaths = []@/linux/readonlyPaths
mount@.linux.maskedPaths = [] | .linux.readonlyPaths = []@/mounts
network@.linux.netDevices = {"no-such": {}}@/linux/netDevices
time@.linux.timeOffsets = {"boottime": {"secs": 1}}@/linux/timeOffsets
TABLE
    [[ $(uname -n) == "$host_name" && $(</proc/sys/kernel/domainname) == "$domain" ]]
}

# spec: NS-10
@test "time namespace without offsets: its own, with the host's clocks" {
    config '.linux.namespaces += [{"type": "time"}]'
    inside report
    expect --arg ns "$(ns_of $$ time)" '.namespaces.time != $ns'
}

# spec: NS-17
@test "all eight namespaces of another container are joined, and an empty path asks for a new one" {
    with_user_namespace
    config '.linux.namespaces += [{"type": "time"}]'
    program sleep
    run_detached
    local pid name kind
    pid=$(container_pid "$ID")
    # root.path counts in the mount namespace that is joined.
    config 'del(.hostname, .mounts, .linux.maskedPaths, .linux.readonlyPaths, .linux.uidMappings, .linux.gidMappings) | .root = {"path": "/"}'
    for kind in pid:pid network:net ipc:ipc uts:uts mount:mnt user:user cgroup:cgroup time:time; do
        name=${kind#*:}
        config '.linux.namespaces |= map(if .type == $k then .path = $p else . end)' --arg k "${kind%:*}" --arg p "/proc/$pid/ns/$name"
    done
    config '.linux.cgroupsPath += "-second"'
    rt run --detach "$ID-second" </dev/null >out 2>err 3>&- 4>&- || { cat err >&2; return 1; }
    local second
    second=$(container_pid "$ID-second")
    for name in pid net ipc uts mnt user cgroup time; do
        [[ $(ns_of "$second" "$name") == "$(ns_of "$pid" "$name")" ]] || { echo "$name" >&2; return 1; }
    done
    silently rt delete --force "$ID-second"
    silently rt delete --force "$ID"
    new_bundle "$BUNDLE"
    config '(.linux.namespaces[] | select(.type == "network")).path = ""'
    inside report
    expect --arg ns "$(ns_of $$ net)" '.namespaces.net != $ns'
}

@test "an existing cgroup namespace together with a new user namespace: the container is in its own cgroup all the same" {
    needs delegated_cgroup
    hold --cgroup
    with_user_namespace
    config '.linux.namespaces |= map(if .type == "cgroup" then .path = $p else . end) | .mounts |= map(select(.type != "cgroup"))' \
        --arg p "/proc/$HOLDER/ns/cgroup"
    program sleep
    run_detached
    local pid
    pid=$(container_pid "$ID")
    [[ $(ns_of "$pid" cgroup) == "$(ns_of "$HOLDER" cgroup)" ]]
    [[ $(<"/proc/$pid/cgroup") == *"0::$TEST_CGROUP/$ID" ]]
    silently rt delete --force "$ID"
}

# spec: MAP-01 MAP-02 MAP-03 MAP-04 MAP-05 MAP-06 MAP-07 MAP-08
@test "id mappings: every column of uid_map and gid_map is the config's" {
    chown -R 200000:300000 "$BUNDLE/rootfs"
    config '.linux.namespaces += [{"type": "user"}]
            | .linux.uidMappings = [{"containerID": 0, "hostID": 200000, "size": 1000}, {"containerID": 5000, "hostID": 400000, "size": 7}]
            | .linux.gidMappings = [{"containerID": 0, "hostID": 300000, "size": 1001}, {"containerID": 6000, "hostID": 500000, "size": 8}]'
    program sleep
    run_detached
    local pid
    pid=$(container_pid "$ID")
    columns() { tr -s ' ' <"/proc/$pid/$1" | sed 's/^ //'; }
    [[ $(columns uid_map) == "0 200000 1000"$'\n'"5000 400000 7" ]]
    [[ $(columns gid_map) == "0 300000 1001"$'\n'"6000 500000 8" ]]
    silently rt delete --force "$ID"
}

# spec: MAP-09
@test "id mappings: nobody's files change their owner on the host" {
    local before
    owners() { find "$BUNDLE/rootfs" -printf '%P %U %G\n' | sort; }
    with_user_namespace
    chown 1234:5678 rootfs/etc/marker
    before=$(owners)
    inside stat /etc/marker
    expect '.uid == 65534 and .gid == 65534'
    [[ $(owners) == "$before" ]]
}

# spec: MAP-10
@test "id mappings: as many as the kernel takes, and one more is refused" {
    # They must also fit into one page, so the numbers are small; and the first one is root of the host.
    config '.linux.namespaces += [{"type": "user"}] | .linux.gidMappings = [{"containerID": 0, "hostID": 0, "size": 1000}]
            | .linux.uidMappings = [range(340) | {"containerID": ., "hostID": ., "size": 1}]'
    program cat /proc/self/uid_map
    run_ok
    [[ ${#lines[@]} == 340 ]]
    config '.linux.uidMappings = [range(341) | {"containerID": ., "hostID": ., "size": 1}]'
    fails 1 341 340 /linux/uidMappings -- rt run "$ID"
}

# spec: MAP-11
@test "id mappings: a new user namespace needs both, elsewhere they say nothing" {
    cp config.json saved.json
    config '.linux.namespaces += [{"type": "user"}]'
    fails 1 "a new user namespace needs mappings" /linux/uidMappings -- rt run "$ID"
    config '.linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 10}]'
    fails 1 "a new user namespace needs mappings" /linux/gidMappings -- rt run "$ID"
    config 'del(.process)'
    fails 1 "a new user namespace needs mappings" /linux/gidMappings -- rt create "$ID"
    cp saved.json config.json
    config '.linux.uidMappings = [{"containerID": 0, "hostID": 200000, "size": 10}] | .linux.gidMappings = .linux.uidMappings'
    inside report
    expect --arg ns "$(ns_of $$ user)" '.namespaces.user == $ns and .uid == 0'
    hold --user --map-root-user
    config '.mounts |= map(select(.destination != "/dev/pts")) | .linux.namespaces += [{"type": "user", "path": $p}]' --arg p "/proc/$HOLDER/ns/user"
    inside report
    expect --arg ns "$(ns_of "$HOLDER" user)" '.namespaces.user == $ns and (.uid_map | split(" ") | map(select(. != ""))) == ["0", "0", "1"]'
}

# spec: TIME-01 TIME-02 TIME-03 TIME-04 TIME-05 TIME-06 TIME-07
@test "time offsets: both clocks, both members, forwards and backwards" {
    config '.linux.namespaces += [{"type": "time"}]
            | .linux.timeOffsets = {"boottime": {"secs": 100000, "nanosecs": 123456789}, "monotonic": {"secs": 777, "nanosecs": 5}}'
    program sleep
    # Both clocks of the process PID, in seconds.
    clocks() { nsenter --target "$1" --time python3 -c 'import time; print(*(int(time.clock_gettime(c)) for c in (time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME)))'; }
    # shifted MONOTONIC BOOTTIME: by so much, and by what the test needed in between.
    shifted() {
        local here there pid
        read -ra here < <(clocks $$)
        run_detached
        pid=$(container_pid "$ID")
        read -ra there < <(clocks "$pid")
        silently rt delete --force "$ID"
        local i passed
        for i in 0 1; do
            passed=$((there[i] - here[i] - $((i == 0 ? $1 : $2))))
            ((passed >= 0 && passed < 60)) || { echo "clock $i: $passed" >&2; return 1; }
        done
    }
    offsets() { tr -s ' ' <"/proc/$(container_pid "$ID")/timens_offsets"; }
    shifted 777 100000
    # Backwards, but not before zero.
    local back=$(($(cut -d. -f1 /proc/uptime) / 2))
    config '.linux.timeOffsets = {"boottime": {"secs": -$b}, "monotonic": {"secs": (-$b + 1), "nanosecs": 7}}' --argjson b "$back"
    shifted $((1 - back)) $((-back))
    run_detached
    [[ $(offsets) == "monotonic $((1 - back)) 7"$'\n'"boottime $((-back)) 0" ]]
    silently rt delete --force "$ID"
    config '.linux.timeOffsets = {"boottime": {"secs": 1, "nanosecs": 123456789}, "monotonic": {"secs": 2, "nanosecs": 5}}'
    run_detached
    [[ $(offsets) == "monotonic 2 5"$'\n'"boottime 1 123456789" ]]
    silently rt delete --force "$ID"
}

# spec: TIME-08 TIME-09
@test "time offsets: another clock, impossible values, and no new time namespace are refused" {
    config '.linux.namespaces += [{"type": "time"}]'
    cp config.json saved.json
    local change words pointer
    while IFS=@ read -r change words pointer; do
        config "$change"
        fails 1 "$words" "$pointer" -- rt run "$ID"
        cp saved.json config.json
    done <<'TABLE'
.linux.timeOffsets = {"realtime": {"secs": 1}}@realtime@/linux/timeOffsets/realtime
.linux.timeOffsets = {"monotonic": {"secs": 1, "nanosecs": 1000000000}}@999999999@/linux/timeOffsets/monotonic/nanosecs
.linux.timeOffsets = {"monotonic": {"secs": -4000000000}}@set the clock offsets@/linux/timeOffsets
.linux.timeOffsets = {"boottime": {"secs": 9223372036854774784}}@set the clock offsets@/linux/timeOffsets
.linux.timeOffsets = {"boottime": {"secs": 1}} | .linux.namespaces |= map(select(.type != "time"))@needs a time namespace@/linux/timeOffsets
.linux.timeOffsets = {"boottime": {"secs": 1}} | (.linux.namespaces[] | select(.type == "time")).path = "/proc/1/ns/time"@exists already@/linux/timeOffsets
TABLE
}

# spec: SYSC-01 SYSC-02 SYSC-04 SYSC-05
@test "kernel parameters: written as they are, with dots or slashes, below a read-only /proc/sys" {
    config '.linux.sysctl = {"net.ipv4.ip_forward": "1", "net/ipv4/conf/lo/forwarding": "0", "kernel.msgmax": "4096", "fs.mqueue.msg_max": "20",
            "kernel.sem": "100 200 30 40", "net.ipv4.ping_group_range": "1 2"}'
    inside cat /proc/sys/net/ipv4/ip_forward + cat /proc/sys/net/ipv4/conf/lo/forwarding + cat /proc/sys/kernel/msgmax + \
        cat /proc/sys/fs/mqueue/msg_max + cat /proc/sys/kernel/sem + cat /proc/sys/net/ipv4/ping_group_range + write /proc/sys/net/ipv4/ip_forward 0
    says "$(tr '\t' ' ' <<<"$output")" $'1\n0\n4096\n20\n100 200 30 40\n1 2\n' EROFS
    config '.linux.sysctl = {"net.ipv4.no_such_key": "1"}'
    fails 1 "'net.ipv4.no_such_key'" /linux/sysctl/net.ipv4.no_such_key "$M_ENOENT" -- rt run "$ID"
    config '.linux.sysctl = {"net/ipv4/ip_forward": "neither"}'
    fails 1 "'net/ipv4/ip_forward'" "/linux/sysctl/net~1ipv4~1ip_forward" "$M_EINVAL" -- rt run "$ID"
}

# spec: SYSC-04
@test "kernel parameters: a device's name may hold a dot" {
    hold --net
    nsenter --net="/proc/$HOLDER/ns/net" ip link add eth0.7 type veth peer name other
    config '(.linux.namespaces[] | select(.type == "network")).path = $p | .linux.sysctl = {"net/ipv4/conf/eth0.7/forwarding": "1",
            "net.ipv4.conf.eth0/7.rp_filter": "2"}' --arg p "/proc/$HOLDER/ns/net"
    inside cat /proc/sys/net/ipv4/conf/eth0.7/forwarding + cat /proc/sys/net/ipv4/conf/eth0.7/rp_filter
    [[ $output == $'1\n2' ]]
}

# spec: SYSC-03
@test "kernel parameters: only those of a namespace that is not the host's" {
    config 'del(.hostname)'
    cp config.json saved.json
    local key type
    for key in kernel.msgmax:ipc kernel.msgmnb:ipc kernel.msgmni:ipc kernel.sem:ipc kernel.shmall:ipc kernel.shmmax:ipc kernel.shmmni:ipc \
        kernel.shm_rmid_forced:ipc fs.mqueue.msg_max:ipc net.ipv4.ip_forward:network kernel.domainname:uts kernel.hostname:uts \
        user.max_user_namespaces:user; do
        type=${key#*:} key=${key%:*}
        config '.linux.sysctl = {($k): "1"} | .linux.namespaces |= map(select(.type != $t)) | .mounts |= map(select(.type != "mqueue" or $t != "ipc"))' \
            --arg k "$key" --arg t "$type"
        fails 1 "'$key'" "/linux/sysctl/$key" "needs a $type namespace" -- rt run "$ID"
        cp saved.json config.json
    done
    for key in kernel.panic vm.swappiness fs.file-max kernel.core_pattern kernel.shm_rmid_forced.x; do
        config '.linux.sysctl = {($k): "1"}' --arg k "$key"
        fails 1 "'$key'" "/linux/sysctl/$key" "belongs to no namespace" -- rt run "$ID"
    done
    # What /hostname does can be said this way too, but not twice.
    cp saved.json config.json
    config '.linux.sysctl = {"kernel.hostname": "called-so", "kernel.domainname": "so.too"}'
    inside report
    expect '.hostname == "called-so" and .domainname == "so.too"'
    config '.hostname = "otherwise"'
    fails 1 "give one of them" /linux/sysctl/kernel.hostname -- rt run "$ID"
}

@test "names: a uts namespace that is joined by path but the host's keeps its names" {
    run -0 unshare --uts bash -c '
        hostname before
        jq --arg path "/proc/$$/ns/uts" ".linux.namespaces |= map(if .type == \"uts\" then .path = \$path else . end) | .hostname = \"changed\" | del(.domainname)" \
            config.json >other && mv other config.json
        "$0" --root "$1" run "$2" 2>&1
        echo "$?"
        hostname
        jq ".hostname = \"before\"" config.json >other && mv other config.json
        "$0" --root "$1" run "$2" >/dev/null && hostname' "$CRUN_LITE" "$STATE" "$ID"
    says "${lines[0]}" "/hostname" "hostname 'changed' needs a uts namespace other than the host's"
    [[ ${lines[1]} == 1 && ${lines[2]} == before && ${lines[3]} == before ]]
}
