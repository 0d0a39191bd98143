# Without privilege: an ordinary user's containers.  `run --rootless` runs this file.
load helpers
load limits

setup() {
    [[ $EUID != 0 ]] || skip "run by an ordinary user only"
    common_setup
    rm -f config.json
    "$CRUN_LITE" spec --rootless
    config '.process.terminal = false | .process.args = ["/probe", "report"] | .process.env += ["FROM_CONFIG=yes"]'
}

with_cgroup() { config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/$ID"; }

# spec: MAP-12
@test "spec --rootless runs as it is: single id, root inside" {
    run_ok
    expect --arg uid "$(id -u)" '.uid == 0 and (.uid_map | split(" ") | map(select(. != ""))) == ["0", $uid, "1"] and .setgroups == "deny"'
    expect_mount /proc '.type == "proc"'
    expect '.pid == 1'
}

# spec: USR-10
@test "groups that a single id cannot have are left out without a word" {
    config '.process.user.additionalGids = [55, 66]'
    run_ok
    expect '.uid == 0 and .setgroups == "deny" and (.groups | index(55) == null and index(66) == null)'
    [[ -z $stderr ]]
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

# spec: MAP-12
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

@test "a writable cgroup: one that cannot be given to the process's user stays the caller's" {
    needs newuidmap delegated_cgroup
    with_cgroup
    config '(.mounts[] | select(.type == "cgroup")).options -= ["ro"]'
    program mkdir /sys/fs/cgroup/inner + sleep
    run_detached
    wait_until test -O "/sys/fs/cgroup$TEST_CGROUP/$ID/inner"
    silently rt delete --force "$ID"
    config '.linux.uidMappings += [{"containerID": 1, "hostID": $sub, "size": 1000}] | .linux.gidMappings += [{"containerID": 1, "hostID": $sub, "size": 1000}]' \
        --argjson sub "$(grep "^$(id -un):" /etc/subuid | cut -d: -f2)"
    config '.process.user.uid = 33'
    program sleep
    run_detached
    [[ -O /sys/fs/cgroup$TEST_CGROUP/$ID && -O /sys/fs/cgroup$TEST_CGROUP/$ID/cgroup.procs ]]
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

# spec: MNT-24
@test "sysfs without a network namespace: the host's, all of it read-only" {
    config '.mounts = (.mounts | map(select(.destination != "/sys" and .destination != "/sys/fs/cgroup"))) + [{"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev"]}]'
    inside report + list /sys/kernel + mkdir /sys/fs/cgroup/made
    output=${lines[0]} expect_mount /sys '.type == "sysfs" and (.options | test("^ro,nosuid,nodev,noexec"))'
    output=${lines[0]} expect '[.mounts[] | select(.target | startswith("/sys")) | .options | startswith("ro,") | not] | any | not'
    [[ ${lines[1]} == *'"'* && ${lines[2]} != *'null}'* ]]
    config '.linux.namespaces += [{"type": "network"}]'
    inside report
    expect_mount /sys '.type == "sysfs" and (.options | test("^rw,"))'
}

# spec: MNT-24
@test "proc without a pid namespace: the host's" {
    config '.linux.namespaces |= map(select(.type != "pid"))'
    inside report
    expect_mount /proc '.type == "proc"'
    expect '.pid != 1'
}

# spec: MNT-02 MNT-08 MNT-19 MNT-22 MOPT-39 MOPT-42 MOPT-52 MOPT-58
@test "mounts of an ordinary user: order, binds, options, mount points that are made" {
    mkdir -p source
    echo text >source/file
    chmod 1777 rootfs/data
    config '.root.readonly = false | .mounts += [
        {"destination": "/made/for/it", "source": "source", "options": ["rbind", "ro", "nosuid", "noexec", "nodev"]},
        {"destination": "/made/tree", "source": "source", "options": ["rbind", "rro", "rnosuid"]},
        {"destination": "/data", "type": "tmpfs", "options": ["silent", "size=64k", "noatime"]},
        {"destination": "/data/file", "source": "source/file", "options": ["bind"]},
        {"destination": "/etc", "type": "tmpfs", "options": ["tmpcopyup"]}]'
    inside cat /made/for/it/file + write /made/for/it/x y + write /made/tree/x y + write /data/file changed + cat /etc/marker + stat /data + report
    [[ ${lines[0]} == text && ${lines[1]} == *EROFS* && ${lines[2]} == *EROFS* && ${lines[3]} == *'null}'* && ${lines[4]} == inside ]]
    output=${lines[5]} expect '.mode == (1*512+7*64+7*8+7)'
    output=${lines[6]}
    expect_mount /made/for/it '.options | test("^ro,nosuid,nodev,noexec")'
    expect_mount /made/tree '.options | test("^ro,nosuid")'
    expect_mount /data '.type == "tmpfs" and (.options | test("noatime")) and (.super | test("size=64k"))'
    [[ $(<source/file) == changed && -O rootfs/made/for/it && -d rootfs/made/for/it ]]
}

# spec: IDM-19
@test "an id-mapped mount needs root: refused, not mounted plainly" {
    mkdir source
    config '.mounts += [{"destination": "/mnt", "source": "source", "options": ["bind", "idmap"]}]'
    fails 1 "map the ids of" /mounts "need root outside of any user namespace" -- rt run "$ID"
}

# spec: DEV-01 DEV-02 DEV-05 DEV-06 DDEV-01 DDEV-08
@test "devices of an ordinary user: bound from the host, on placeholders that a second run accepts" {
    config '.root.readonly = false | .mounts |= map(select(.destination | test("^/dev(/shm|/mqueue)?$") | not))
            | .linux.devices = [{"path": "/dev/full", "type": "c", "major": 1, "minor": 7, "fileMode": 384, "uid": 0, "gid": 0},
                                {"path": "/data/deep/pipe", "type": "p", "fileMode": 384}]'
    mkdir -p rootfs/dev/pts
    local run
    for run in first second; do
        inside write /dev/null x + write /dev/full x + stat /data/deep/pipe + try-open /dev/ptmx rw + stat /dev/full
        [[ ${lines[0]} == *'null}'* && ${lines[1]} == *ENOSPC* && ${lines[3]} == *'null}'* ]] || { echo "$run: $output"; return 1; }
        output=${lines[2]} expect '.type == "fifo" and .mode == 384 and .uid == 0'
        output=${lines[4]} expect '.type == "char" and .major == 1 and .minor == 7'
        [[ -f rootfs/dev/full && ! -s rootfs/dev/full ]]
    done
    echo "not a device" >rootfs/dev/full
    fails 1 "'/dev/full' exists already and is not the device c 1:7" /linux/devices/0 -- rt run "$ID"
}

# spec: ROOT-06 ROOT-08
@test "a read-only root, entered by pivot_root or without, of an ordinary user" {
    local words
    config '.root.readonly = true'
    for words in "" --no-pivot; do
        program write /data/x y + report + try-open "/../..$BUNDLE/config.json" r
        # shellcheck disable=SC2086 # none, or one word
        run --separate-stderr rt run $words "$ID"
        [[ $status == 0 && ${lines[0]} == *EROFS* && ${lines[2]} == *ENOENT* ]] || { echo "$words: $output $stderr"; return 1; }
        output=${lines[1]} expect '[.mounts[] | select(.target == "/")] | length == 1 and (.[0].options | test("^ro,"))'
    done
    touch rootfs/data/host-writes
}

@test "rootless exec: the container's namespaces, ids and exit status; refused before start" {
    local pid kind
    program sleep
    create_container
    # Not dumpable until it executes its program, and so not ours to enter.
    fails 255 "started" -- rt exec "$ID" /probe exit 0
    silently rt start "$ID"
    pid=$(container_pid "$ID")
    run --separate-stderr rt exec --env MORE=yes "$ID" /probe report
    for kind in ipc mnt net pid user uts; do
        expect --arg kind "$kind" --arg ns "$(readlink "/proc/$pid/ns/$kind")" '.namespaces[$kind] == $ns'
    done
    expect '.uid == 0 and .gid == 0 and .setgroups == "deny" and .pid > 1 and (.env | contains(["MORE=yes", "FROM_CONFIG=yes"]))'
    run -9 rt exec "$ID" /probe exit 9
    run -127 rt exec "$ID" /no/such
    fails 255 uidMappings -- rt exec --user 5 "$ID" /probe exit 0
    run script -qec "'$CRUN_LITE' --root '$STATE' exec -t '$ID' /probe exit 12; echo after=\$?" /dev/null </dev/null
    [[ $output == *"after=12"* ]]
    silently rt delete --force "$ID"
}

@test "rootless exec: into the delegated cgroup" {
    needs delegated_cgroup
    with_cgroup
    program sleep
    run_detached
    rt exec --detach --pid-file pid "$ID" /probe sleep </dev/null >/dev/null 2>&1 3>&- 4>&-
    [[ $(sed -n 's/^0:://p' "/proc/$(<pid)/cgroup") == *"$TEST_CGROUP/$ID" ]]
    rt pause "$ID"
    fails 255 "$M_EXEC_PAUSED" -- rt exec "$ID" /probe exit 0
    rt resume "$ID"
    silently rt delete --force "$ID"
}

@test "rootless exec: several ids" {
    needs newuidmap
    config '.linux.uidMappings = [{"containerID": 0, "hostID": $u, "size": 1}, {"containerID": 1, "hostID": $sub, "size": 1000}]
            | .linux.gidMappings = [{"containerID": 0, "hostID": $g, "size": 1}, {"containerID": 1, "hostID": $sub, "size": 1000}]' \
        --argjson u "$(id -u)" --argjson g "$(id -g)" --argjson sub "$(grep "^$(id -un):" /etc/subuid | cut -d: -f2)"
    program sleep
    run_detached
    run -0 --separate-stderr rt exec --user 33:44 -g 55 "$ID" /probe report
    expect '.uid == 33 and .gid == 44 and .groups == [55]'
    silently rt delete --force "$ID"
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

@test "NOTIFY_SOCKET: the program's READY=1 reaches the manager" {
    local heard=$BATS_TEST_TMPDIR/heard manager
    python3 "$BATS_TEST_DIRNAME/notify-manager.py" "$BATS_TEST_TMPDIR/manager.sock" 60 >"$heard" 3>&- 4>&- &
    manager=$!
    wait_until grep -q listening "$heard"
    program notify READY=1 + sleep
    NOTIFY_SOCKET=$BATS_TEST_TMPDIR/manager.sock run_detached
    grep -q "READY=1.*MAINPID=$(container_pid "$ID")" "$heard"
    silently rt delete --force "$ID"
    kill "$manager"
}

every_controller() { needs controller:memory controller:cpu controller:cpuset controller:pids controller:io; }

@test "limits hold in a delegated cgroup, from the configuration and by update" {
    every_controller
    with_cgroup
    cp config.json plain.json
    limits_hold
    cp plain.json config.json
    WAY=update
    limits_hold
}

@test "limits hold with the user's systemd, from the configuration and by update" {
    every_controller
    needs user_systemd
    MANAGER=(--systemd-cgroup)
    export DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$EUID/bus
    cp config.json plain.json
    limits_hold
    cp plain.json config.json
    WAY=update
    limits_hold
}
