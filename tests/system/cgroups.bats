# cgroup v2: path, kill, freeze, device rules; the controllers' limits where the host has them.
load helpers

group() { echo "/sys/fs/cgroup$TEST_CGROUP/$ID"; }
limits() { config '.linux.resources += $r' --argjson r "$1"; }

# start_with LIMITS: a sleeping container with these resources.
start_with() {
    limits "$1"
    program sleep
    run_detached
}
value() { cat "$(group)/$1"; }

# spec: CGP-01 CGP-03 CGP-08
@test "cgroupsPath is taken, parents are made, and all of ours goes with delete" {
    config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/parent/$ID"
    program sleep
    run_detached
    grep -q "0::$TEST_CGROUP/parent/$ID$" "/proc/$(container_pid "$ID")/cgroup"
    silently rt delete --force "$ID"
    [[ ! -e /sys/fs/cgroup$TEST_CGROUP/parent/$ID ]]
    rmdir "/sys/fs/cgroup$TEST_CGROUP/parent" 2>/dev/null || true
}

# spec: CGP-06
@test "no cgroupsPath: one that bears the id" {
    config 'del(.linux.cgroupsPath)'
    program sleep
    run_detached
    grep -q "^0::/$ID$" "/proc/$(container_pid "$ID")/cgroup"
    silently rt delete --force "$ID"
}

# spec: CGP-02 CGP-04 CGP-05
@test "a relative cgroupsPath is one below the root, whatever cgroup the caller is in" {
    config '.linux.cgroupsPath = $p' --arg p "${TEST_CGROUP#/}/$ID"
    program sleep
    run_detached
    grep -q "^0::$TEST_CGROUP/$ID$" "/proc/$(container_pid "$ID")/cgroup"
    silently rt delete --force "$ID"
    mkdir "/sys/fs/cgroup$TEST_CGROUP/elsewhere"
    (echo "$BASHPID" >"/sys/fs/cgroup$TEST_CGROUP/elsewhere/cgroup.procs" && run_detached)
    grep -q "^0::$TEST_CGROUP/$ID$" "/proc/$(container_pid "$ID")/cgroup"
    silently rt delete --force "$ID"
    rmdir "/sys/fs/cgroup$TEST_CGROUP/elsewhere"
}

# spec: CGP-07 CGP-12
@test "a cgroupsPath that leaves the hierarchy, or is systemd's, is refused by name" {
    local words
    for words in /../../../../tmp/x ../x /a/.. a/../../x / system.slice:crun:c1 /cgroup.procs/x; do
        config '.linux.cgroupsPath = $p' --arg p "$words"
        fails 1 "/linux/cgroupsPath" -- rt run "$ID"
    done
    [[ ! -e /tmp/x ]]
}

# The runtime in a mount namespace of its own, in which SETUP was run.
rt_behind() {
    unshare --mount --propagation private bash -c "$1"' || exit 99; shift; exec "$@"' - "$1" "$CRUN_LITE" --root "$STATE" "${@:2}"
}

# spec: CGP-14 CGO-02
@test "a host without cgroup2 is told what to boot with, one with cgroup v1 at its place too" {
    program exit 0
    fails 1 "no cgroup v2 file system" "systemd.unified_cgroup_hierarchy=1" -- \
        rt_behind 'umount -R /sys/fs/cgroup && mount -t tmpfs none /sys/fs/cgroup' run "$ID"
    fails 1 "no cgroup v2 file system" -- \
        rt_behind 'umount -R /sys/fs/cgroup && mount -t tmpfs none /sys/fs/cgroup && mkdir /sys/fs/cgroup/unified && mount -t tmpfs none /sys/fs/cgroup/unified' run "$ID"
    # A hierarchy without controllers is enough to be one of v1.
    fails 1 "no cgroup v2 file system" -- \
        rt_behind 'umount -R /sys/fs/cgroup; mount -t cgroup -o none,name=crunlitetests none /sys/fs/cgroup' run "$ID"
    [[ ! -e $STATE/$ID ]]
}

# spec: CGP-11
@test "init is in its cgroup from its first moment, with all its children" {
    program fork 3 + sleep
    run_detached
    wait_until output_has forked
    [[ $(value cgroup.procs | wc -l) == 4 ]]
    # The cgroup namespace was made in there: its root is the container's cgroup.
    nsenter --target "$(container_pid "$ID")" --cgroup cat "/proc/$(container_pid "$ID")/cgroup" | grep -qx 0::/
    silently rt delete --force "$ID"
}

@test "the container may make cgroups below itself, and delete removes them" {
    program sleep
    run_detached
    mkdir -p "$(group)/child/grandchild"
    silently rt delete --force "$ID"
}

# spec: CGF-01 CGF-02 CGF-03
@test "a cgroup that has processes already is not taken over" {
    local sleeper
    mkdir "$(group)"
    sleep 100 3>&- 4>&- &
    sleeper=$!
    echo "$sleeper" >"$(group)/cgroup.procs"
    program exit 0
    run --separate-stderr rt run "$ID"
    local result=$status
    # Whatever was decided, the stranger lives.
    kill -0 "$sleeper"
    kill "$sleeper"
    wait "$sleeper" || true
    rmdir "$(group)" 2>/dev/null || true
    [[ $result == 1 ]]
}

@test "a cgroup that somebody else has moved into by then is left to them: delete and the end of run kill only their own" {
    program sleep
    run_detached
    silently rt kill "$ID" KILL
    status_becomes "$ID" stopped
    # Another container in the same cgroup, which is empty now.
    rt run --detach "$ID-b" >/dev/null 2>"$BATS_TEST_TMPDIR/err" </dev/null 3>&- 4>&-
    silently rt kill --all "$ID" KILL
    run --separate-stderr -0 rt --log-level warning delete "$ID"
    [[ $stderr == *"stays: process $(container_pid "$ID-b") in it is not of container"* ]]
    is_status "$ID-b" running
    fails 1 "does not exist" -- rt state "$ID"
    silently rt delete --force "$ID-b"
    rmdir "$(group)"

    # A process that came by hand while the container was running in the foreground.
    local stranger pid
    rt_background --log-level warning run "$ID" >/dev/null 2>"$BATS_TEST_TMPDIR/err"
    pid=$!
    status_becomes "$ID" running
    sleep 100 3>&- 4>&- &
    stranger=$!
    echo "$stranger" >"$(group)/cgroup.procs"
    kill -KILL "$(container_pid "$ID")"
    local code=0
    wait "$pid" || code=$?
    [[ $code == 137 ]]
    grep "stays: process $stranger in it is not of container" "$BATS_TEST_TMPDIR/err"
    kill "$stranger"
    wait "$stranger" || true
    rmdir "$(group)"
}

# spec: CGF-01 CGF-02 CGF-03
@test "a frozen cgroup is refused instead of waited for, and so is one below it" {
    mkdir "$(group)"
    echo 1 >"$(group)/cgroup.freeze"
    program exit 0
    fails 1 "is frozen" "/linux/cgroupsPath" -- rt run "$ID"
    config '.linux.cgroupsPath += "/child"'
    fails 1 "is frozen" -- rt run "$ID"
    rmdir "$(group)"
}

# spec: CGP-09
@test "a cgroup that is joined keeps its settings where the configuration has none" {
    mkdir "$(group)"
    echo 5 >"$(group)/cgroup.max.depth"
    program sleep
    run_detached
    [[ $(value cgroup.max.depth) == 5 ]]
    silently rt delete --force "$ID"
    # Deleted while it is paused it does not stay frozen: the next container would be refused.
    run_detached
    silently rt pause "$ID"
    [[ $(value cgroup.freeze) == 1 ]]
    silently rt delete --force "$ID"
    [[ $(value cgroup.freeze) == 0 ]]
    run_detached
    silently rt delete --force "$ID"
    rmdir "$(group)"
}

# Kernels that compare the kill counters of two cgroups end a child that is cloned into such a cgroup at its birth.
@test "a cgroup whose processes were killed once can be used again, with and without a user namespace" {
    local filter
    mkdir -p "$(group)"
    echo 1 >"$(group)/cgroup.kill"
    program exit 7
    run -7 rt run "$ID"
    filter='.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
    config "$filter | .linux.gidMappings = .linux.uidMappings"
    chown -R 100000:100000 rootfs
    run -7 rt run "$ID"
    rmdir "$(group)"
}

# spec: RDEV-01 RDEV-07 RDEV-08
@test "devices: denied by default, the standard ones allowed, a rule opens one more" {
    mknod rootfs/data/mem c 1 1
    mknod rootfs/data/null c 1 3
    inside try-open /data/mem r + try-open /data/null rw + try-open /dev/urandom r
    output=${lines[0]} expect '.errno == "EPERM"'
    output=${lines[1]} expect '.errno == null'
    output=${lines[2]} expect '.errno == null'
    limits '{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 1, "access": "r"}]}'
    config '.process.capabilities = ({} | .bounding = ["CAP_SYS_RAWIO", "CAP_DAC_OVERRIDE"] | .permitted = .bounding | .effective = .bounding)'
    inside try-open /data/mem r + try-open /data/mem w
    output=${lines[0]} expect '.errno != "EPERM"'
    output=${lines[1]} expect '.errno == "EPERM"'
    # No kind of access named: nothing is given, nothing is left.
    limits '{"devices": [{"allow": true, "type": "c", "major": 1, "minor": 1}]}'
    inside try-open /data/mem r
    expect '.errno == "EPERM"'
    limits '{"devices": [{"allow": true, "access": "rwm"}, {"allow": false, "type": "c", "major": 1, "minor": 1}]}'
    inside try-open /data/mem r
    expect '.errno == "EPERM"'
}

# spec: RDEV-01 RDEV-02 RDEV-06
@test "devices: a later rule wins over an earlier one, and wildcards cover what is not named" {
    mknod rootfs/data/closed c 10 201
    mknod rootfs/data/open c 10 229
    mknod rootfs/data/other c 4 4
    limits '{"devices": [{"allow": true, "access": "rwm"}, {"allow": false, "type": "c", "major": 10, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]}'
    inside try-open /data/closed r + try-open /data/open r + try-open /data/other r
    output=${lines[0]} expect '.errno == "EPERM"'
    # Whether there is such a driver is the host's matter.
    output=${lines[1]} expect '.errno != "EPERM"'
    output=${lines[2]} expect '.errno != "EPERM"'
}

@test "a memory limit where the host has no memory controller names it and the cgroup" {
    needs no-controller:memory
    limits '{"memory": {"limit": 67108864}}'
    fails 1 memory controller -- rt run "$ID"
}

# spec: RDEV-04 RDEV-05
@test "devices: a rule without a type, without a major number" {
    mknod rootfs/data/mem c 1 1
    mknod rootfs/data/other c 10 1
    mknod rootfs/data/kmsg c 1 11
    mknod rootfs/data/block b 7 1
    config '.process.capabilities = ({} | .bounding = ["CAP_SYS_RAWIO", "CAP_DAC_OVERRIDE", "CAP_SYSLOG"] | .permitted = .bounding | .effective = .bounding)'
    limits '{"devices": [{"allow": false}, {"allow": true, "type": "c", "minor": 1, "access": "r"}]}'
    inside try-open /data/mem r + try-open /data/other r + try-open /data/kmsg r + try-open /data/block r
    output=${lines[0]} expect '.errno != "EPERM"'
    output=${lines[1]} expect '.errno != "EPERM"'
    output=${lines[2]} expect '.errno == "EPERM"'
    output=${lines[3]} expect '.errno == "EPERM"'
    limits '{"devices": [{"allow": false}, {"allow": true, "minor": 1, "access": "r"}]}'
    inside try-open /data/mem r + try-open /data/block r + try-open /data/kmsg r
    output=${lines[0]} expect '.errno != "EPERM"'
    output=${lines[1]} expect '.errno != "EPERM"'
    output=${lines[2]} expect '.errno == "EPERM"'
}

# spec: RHUG-01 RHUG-02 RHUG-03 RHUG-05 RHUG-06 RUNI-01 RUNI-02
@test "hugetlb limits, typed and unified, below a parent that has the controller off" {
    needs controller:hugetlb
    config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/parent/$ID"
    start_with '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194305}]}'
    grep -qw hugetlb "/sys/fs/cgroup$TEST_CGROUP/parent/cgroup.subtree_control"
    [[ $(<"/sys/fs/cgroup$TEST_CGROUP/parent/$ID/hugetlb.2MB.max") == 4194304 ]]
    [[ $(<"/sys/fs/cgroup$TEST_CGROUP/parent/$ID/hugetlb.2MB.rsvd.max") == 4194304 ]]
    silently rt delete --force "$ID"
    rmdir "/sys/fs/cgroup$TEST_CGROUP/parent"
    config '.linux.resources |= (del(.hugepageLimits) | .unified = {"hugetlb.2MB.max": "6291456"})'
    run_detached
    [[ $(<"/sys/fs/cgroup$TEST_CGROUP/parent/$ID/hugetlb.2MB.max") == 6291456 ]]
    silently rt delete --force "$ID"
    config '.linux.resources |= (del(.unified) | .hugepageLimits = [{"pageSize": "3MB", "limit": 1}])'
    fails 1 hugetlb.3MB.max "/linux/resources/hugepageLimits/0" -- rt run "$ID"
    rmdir "/sys/fs/cgroup$TEST_CGROUP/parent"
}

# refused POINTER FRAGMENT RESOURCES: create fails, says so, and leaves nothing.
refused() {
    config '.linux.resources = $r' --argjson r "$3"
    fails 1 "/linux/resources$1" "$2" -- rt create "$ID"
    [[ ! -e $STATE/$ID && ! -e $(group) ]]
}

# spec: RDEV-03 RDEV-04 RDEV-07 RIO-06 RIO-07 RIO-10 RIO-13 RIO-14 RIO-15 RIO-17 RIO-18 RIO-19 RIO-21 RIO-22 RIO-23
# spec: RIO-25 RIO-26 RIO-27 RHUG-04 RHUG-05 RNET-04 RNET-05 RRDM-04
@test "resources: entries without their required members, or with words that are none, are refused by name" {
    local list member entry
    for list in throttleReadBpsDevice throttleWriteBpsDevice throttleReadIOPSDevice throttleWriteIOPSDevice weightDevice; do
        for member in major minor rate; do
            [[ $list != weightDevice || $member != rate ]] || continue
            entry=$(jq -nc --arg m "$member" '{major: 8, minor: 0, rate: 1, weight: 10} | del(.[$m])')
            refused "/blockIO/$list/0/$member" "required" "{\"blockIO\": {\"$list\": [$entry]}}"
        done
    done
    refused "/blockIO/weightDevice/0" '"leafWeight" is required' '{"blockIO": {"weightDevice": [{"major": 8, "minor": 0}]}}'
    refused "/devices/0/allow" "required" '{"devices": [{"type": "c"}]}'
    refused "/devices/0/type" '"u"' '{"devices": [{"allow": true, "type": "u"}]}'
    refused "/devices/0/access" '"rx"' '{"devices": [{"allow": true, "access": "rx"}]}'
    refused "/hugepageLimits/0/limit" "required" '{"hugepageLimits": [{"pageSize": "2MB"}]}'
    refused "/hugepageLimits/0/pageSize" "required" '{"hugepageLimits": [{"limit": 1}]}'
    refused "/hugepageLimits/0/pageSize" "64kB" '{"hugepageLimits": [{"pageSize": "64kB", "limit": 1}]}'
    refused "/network/priorities/0/name" "required" '{"network": {"priorities": [{"priority": 1}]}}'
    refused "/network/priorities/0/priority" "required" '{"network": {"priorities": [{"name": "eth0"}]}}'
    refused "/rdma/mlx5_1" '"hcaObjects" is required' '{"rdma": {"mlx5_1": {}}}'
}

# spec: RMEM-09 RMEM-15 RMEM-16 RMEM-17 RCPU-06 RCPU-08 RCPU-12 RCPU-13 RCPU-16 RIO-04 RIO-09 RNET-01 RNET-02 RNET-03
# spec: RUNI-04 RUNI-06 RUNI-07
@test "resources: what cgroup v2 cannot do, and what contradicts itself, is refused by name" {
    refused "/memory/swappiness" "cgroup v1 only" '{"memory": {"swappiness": 60}}'
    refused "/memory/swappiness" "cgroup v1 only" '{"memory": {"swappiness": 101}}'
    refused "/memory/disableOOMKiller" "cgroup v1 only" '{"memory": {"disableOOMKiller": true}}'
    refused "/memory/useHierarchy" "cgroup v1 only" '{"memory": {"useHierarchy": false}}'
    refused "/memory/swap" "memory limit" '{"memory": {"swap": 67108864}}'
    refused "/memory/swap" "less than the memory limit" '{"memory": {"swap": 67108864, "limit": 67108865}}'
    refused "/memory/limit" "-2" '{"memory": {"limit": -2}}'
    refused "/cpu/burst" "larger than the quota" '{"cpu": {"quota": 1000, "burst": 2000}}'
    refused "/cpu/realtimeRuntime" "cgroup v1 only" '{"cpu": {"realtimeRuntime": 950000}}'
    refused "/cpu/realtimePeriod" "cgroup v1 only" '{"cpu": {"realtimePeriod": 1000000}}'
    refused "/cpu/idle" "0 or 1" '{"cpu": {"idle": 2}}'
    refused "/blockIO/leafWeight" "cgroup v1 only" '{"blockIO": {"leafWeight": 100}}'
    refused "/blockIO/weightDevice" "cgroup v1 only" '{"blockIO": {"weightDevice": [{"major": 8, "minor": 0, "leafWeight": 100}]}}'
    refused "/network/classID" "cgroup v1 only" '{"network": {"classID": 1048577}}'
    refused "/network/priorities" "cgroup v1 only" '{"network": {"priorities": [{"name": "eth0", "priority": 1}]}}'
    refused "/unified" "../x" '{"unified": {"../x": "1"}}'
    refused "/unified" "memory" '{"unified": {"memory": "1"}}'
    refused "/unified/nosuch.max" "'nosuch'" '{"unified": {"nosuch.max": "1"}}'
}

# spec: RMEM-13 RMEM-14 RMEM-16 RMEM-17
@test "resources: what is so on cgroup v2 anyway, or means nothing there, is accepted" {
    config '.linux.resources += {"memory": {"kernel": 1000000, "kernelTCP": 1000000, "useHierarchy": true, "disableOOMKiller": false, "swappiness": 0}}'
    config '.linux.resources += {"network": {"classID": 0, "priorities": []}, "cpu": {"realtimeRuntime": 0, "realtimePeriod": 0}, "blockIO": {"leafWeight": 0}}'
    inside exit 0
    "$CRUN_LITE" --debug --log "$BATS_TEST_TMPDIR/log" --root "$STATE" run "$ID" >/dev/null 2>&1
    grep -q "kernel and kernelTCP have no equivalent" "$BATS_TEST_TMPDIR/log"
}

# A user namespace whose root is 100000 on the host, and a cgroup file system that the container may write to.
with_users() {
    config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
            | .linux.gidMappings = .linux.uidMappings
            | (.mounts[] | select(.type == "cgroup")).options -= ["ro"]'
    chown -R 100000:100000 rootfs
}
# The names in the container's cgroup that belong to a user: "." is the directory.
owned_by() { find "$(group)" -uid "$1" -printf '%P\n' | sed 's/^$/./' | sort; }

# spec: CGO-01 CGO-04 CGO-06 CGO-07 CGO-09
@test "cgroup ownership: the user of the process gets the directory and the files of the kernel's list, nothing else" {
    local listed
    listed=$({ echo .; for file in $(</sys/kernel/cgroup/delegate); do [[ ! -e /sys/fs/cgroup$TEST_CGROUP/runner/$file ]] || echo "$file"; done; } | sort)
    # Files of controllers that are not there are in the list.
    with_users
    program mkdir /sys/fs/cgroup/inner + sleep
    run_detached
    wait_until test -d "$(group)/inner"
    [[ $(owned_by 100000 | grep -v ^inner) == "$listed" ]]
    [[ -z $(find "$(group)" ! -uid 100000 -path "$(group)/inner") ]]
    silently rt delete --force "$ID"
    config '.process.user.uid = 5'
    program sleep
    run_detached
    [[ $(owned_by 100005) == "$listed" && -z $(owned_by 100000) ]]
    silently rt delete --force "$ID"
}

# spec: CGO-03 CGO-04 CGO-05
@test "cgroup ownership: not without a new cgroup namespace, not with a read-only or without a cgroup mount" {
    local filter
    with_users
    program sleep
    cp config.json with-users.json
    for filter in '.linux.namespaces |= map(select(.type != "cgroup"))' \
        '(.mounts[] | select(.type == "cgroup")).options += ["ro"]' \
        '(.mounts[] | select(.type == "cgroup")).options += ["rw", "rro"]' \
        'del(.mounts[] | select(.type == "cgroup"))' \
        '(.mounts[] | select(.type == "cgroup")).source = "none"'; do
        cp with-users.json config.json
        config "$filter"
        create_container
        [[ -z $(find "$(group)" ! -uid 0) ]] || { echo "changed owner with: $filter" >&2; return 1; }
        silently rt delete "$ID"
    done
}

# spec: CGO-01 CGO-06
@test "cgroup ownership: in a user namespace that is joined, its own map counts" {
    local holder
    with_users
    # Its first process has the map 0 -> 200000, which config.json knows nothing of.
    unshare --user --fork --kill-child=KILL sleep 1000 3>&- 4>&- &
    wait_until pgrep -P $!
    holder=$(pgrep -P $!)
    echo "0 200000 1000" >"/proc/$holder/uid_map"
    echo "0 200000 1000" >"/proc/$holder/gid_map"
    config '.linux.namespaces |= map(if .type == "user" then .path = $p else . end)' --arg p "/proc/$holder/ns/user"
    chown -R 200000:200000 rootfs
    program sleep
    run_detached
    [[ $(owned_by 200000 | head -2) == $'.\ncgroup.procs' && -z $(owned_by 100000) ]]
    silently rt delete --force "$ID"
    kill "$holder"
}

# spec: CGO-08
@test "cgroup ownership: a kernel without the list has the three files of old" {
    with_users
    program sleep
    rt_behind 'mount -t tmpfs none /sys/kernel/cgroup' run --detach "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&-
    [[ $(owned_by 100000) == $'.\ncgroup.procs\ncgroup.subtree_control\ncgroup.threads' ]]
    silently rt delete --force "$ID"
}

# spec: RUNI-01 RUNI-04 RUNI-08
@test "unified: any file by name; one that does not exist is named" {
    start_with '{"unified": {"cgroup.max.depth": "3", "cgroup.max.descendants": "7"}}'
    [[ $(value cgroup.max.depth) == 3 && $(value cgroup.max.descendants) == 7 ]]
    silently rt delete --force "$ID"
    limits '{"unified": {"nothing.like.this": "1"}}'
    fails 1 nothing.like.this -- rt run "$ID"
}

# spec: RUNI-07
@test "unified cannot name a file outside the cgroup" {
    limits '{"unified": {"../cgroup.max.depth": "3"}}'
    fails 1 "../cgroup.max.depth" -- rt run "$ID"
}

# spec: RMEM-01 RMEM-02 RMEM-03 RMEM-04 RMEM-05 RMEM-06 RMEM-07 RMEM-08 RMEM-10 RMEM-12 RMEM-21 RUNI-03 RUNI-07
@test "memory: every conversion in its file, and the limit kills" {
    needs controller:memory
    local case files
    while IFS='|' read -r case files; do
        config '.linux.resources.memory = $m' --argjson m "$case"
        program sleep
        run_detached
        [[ "$(value memory.max) $(value memory.swap.max) $(value memory.low)" == "$files" ]] ||
            { echo "$case: $(value memory.max) $(value memory.swap.max) $(value memory.low)" >&2; return 1; }
        silently rt delete --force "$ID"
    done <<'CASES'
{"limit": 67108864, "reservation": 33554432, "swap": 67108864}|67108864 0 33554432
{"limit": 67108864, "swap": 134217728}|67108864 67108864 0
{"limit": 67108864, "swap": 0}|67108864 0 0
{"limit": 67108864, "swap": -1}|67108864 max 0
{"limit": -1, "swap": 33554432}|max 33554432 0
{"limit": -1, "reservation": -1}|max max max
{"limit": 0, "reservation": 0, "swap": 0}|max max 0
CASES
    config '.linux.resources = {"memory": {"limit": 67108864}, "unified": {"memory.max": "134217728", "memory.high": "100663296"}}'
    run_detached
    [[ $(value memory.max) == 134217728 && $(value memory.high) == 100663296 ]]
    silently rt delete --force "$ID"
    config '.linux.resources = {"memory": {"limit": 67108864, "swap": 67108864}}'
    program mem 200
    run -137 rt run "$ID"
}

# spec: RPID-01 RPID-02 RPID-03
@test "pids: a fork bomb stops, -1 is no limit, and without a limit the file is left alone" {
    needs controller:pids
    limits '{"pids": {"limit": 10}}'
    inside fork 50
    expect '.forked < 10 and .errno == "EAGAIN"'
    start_with '{"pids": {"limit": -1}}'
    [[ $(value pids.max) == max ]]
    silently rt delete --force "$ID"
    mkdir "$(group)"
    echo 77 >"$(group)/pids.max"
    config '.linux.resources.pids = {}'
    run_detached
    [[ $(value pids.max) == 77 ]]
    silently rt delete --force "$ID"
    rmdir "$(group)"
}

# spec: RPID-04 RPID-05
@test "pids: 0 is a limit of none: the program runs and cannot fork" {
    needs controller:pids
    limits '{"pids": {"limit": 0}}'
    inside fork 1
    expect '.forked == 0 and .errno == "EAGAIN"'
    program sleep
    run_detached
    [[ $(value pids.max) == 0 ]]
    silently rt delete --force "$ID"
}

# spec: RCPU-01 RCPU-02 RCPU-05 RCPU-07 RCPU-09 RCPU-10 RCPU-11 RCPU-16 RCPU-17
@test "cpu: every conversion in its file, and the quota holds" {
    needs controller:cpu
    local case files
    while IFS='|' read -r case files; do
        config '.linux.resources.cpu = $c' --argjson c "$case"
        program sleep
        run_detached
        [[ "$(value cpu.max) $(value cpu.max.burst) $(value cpu.weight) $(value cpu.idle)" == "$files" ]] ||
            { echo "$case: $(value cpu.max) $(value cpu.max.burst) $(value cpu.weight) $(value cpu.idle)" >&2; return 1; }
        silently rt delete --force "$ID"
    done <<'CASES'
{"shares": 1024, "quota": 20000, "period": 100000}|20000 100000 0 100 0
{"shares": 512, "quota": 20000}|20000 100000 0 59 0
{"shares": 2, "period": 50000}|max 50000 0 1 0
{"shares": 262144, "quota": -1}|max 100000 0 10000 0
{"quota": 20000, "burst": 10000}|20000 100000 10000 100 0
{"shares": 0, "quota": 0, "period": 0, "idle": 0}|max 100000 0 100 0
{"shares": 512, "idle": 1}|max 100000 0 0 1
CASES
    config '.linux.resources.cpu = {"quota": 20000, "period": 100000}'
    inside spin 2
    expect '.cpu_ms < 800'
}

# spec: RCPU-14 RCPU-15 RCPU-18
@test "cpuset: processors and memory nodes; a list of what is not there is refused" {
    needs controller:cpuset
    start_with '{"cpu": {"cpus": "0", "mems": "0"}}'
    [[ $(value cpuset.cpus) == 0 && $(value cpuset.mems) == 0 && $(value cpuset.cpus.effective) == 0 ]]
    silently rt delete --force "$ID"
    inside report
    expect '.affinity == [0]'
    config '.linux.resources.cpu = {"cpus": "9999"}'
    fails 1 cpuset.cpus 9999 "/linux/resources/cpu/cpus" -- rt run "$ID"
    config '.linux.resources.cpu = {"cpus": "", "mems": ""}'
    inside exit 0
}

# spec: RIO-01 RIO-12 RIO-16 RIO-20 RIO-24 RIO-28
@test "io: rates of one device side by side; a device that is not there is refused" {
    needs controller:io
    local device entry
    device=$(lsblk -dno MAJ:MIN | head -1 | tr -d ' ')
    entry="{\"major\": ${device%:*}, \"minor\": ${device#*:}, \"rate\":"
    start_with "{\"blockIO\": {\"throttleReadBpsDevice\": [$entry 1048576}], \"throttleWriteBpsDevice\": [$entry 2097152}],
        \"throttleReadIOPSDevice\": [$entry 100}], \"throttleWriteIOPSDevice\": [$entry 200}]}}"
    [[ $(value io.max) == "$device rbps=1048576 wbps=2097152 riops=100 wiops=200" ]]
    silently rt delete --force "$ID"
    config '.linux.resources.blockIO = {"throttleReadBpsDevice": [{"major": 4000, "minor": 7, "rate": 1}]}'
    fails 1 "4000:7 rbps=1" io.max "No such device" "/linux/resources/blockIO/throttleReadBpsDevice/0" -- rt run "$ID"
}

# spec: RIO-01 RIO-02 RIO-03 RIO-05 RIO-08 RIO-11
@test "io: weights of all devices and of one, or a refusal where the kernel has no scheduler for them" {
    needs controller:io
    local device file
    # Files that a module brings may come and go: what counts is what is there when the runtime looks.
    weight_is() { grep -qsxE "$1" "$(group)/io.bfq.weight" || grep -qsxE "$2" "$(group)/io.weight"; }
    device=$(lsblk -dno MAJ:MIN | head -1 | tr -d ' ')
    config '.linux.resources.blockIO.weight = 300'
    program sleep
    if run_detached 2>/dev/null; then
        weight_is "(default )?300" "(default )?2930"
        silently rt delete --force "$ID"
    else
        says "$(<"$BATS_TEST_TMPDIR/err")" io.bfq.weight io.weight CONFIG_BLK_CGROUP_IOCOST "/linux/resources/blockIO/weight"
    fi
    config '.linux.resources.blockIO = {"weightDevice": [{"major": ($d | split(":")[0] | tonumber), "minor": ($d | split(":")[1] | tonumber), "weight": 500}]}' --arg d "$device"
    # The device's scheduler decides whether it can have a weight of its own: in its file, or the kernel's refusal.
    if run_detached 2>/dev/null; then
        weight_is "$device 500" "$device 4950"
        silently rt delete --force "$ID"
    else
        says "$(<"$BATS_TEST_TMPDIR/err")" "weight" "/linux/resources/blockIO/weightDevice/0/weight"
    fi
}

# spec: CGP-10
@test "controllers: those whose statistics engines read are there without a limit" {
    needs controller:memory controller:cpu controller:pids controller:io
    local controller
    config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/parent/$ID"
    program sleep
    run_detached
    for controller in memory cpu pids io; do
        grep -qw "$controller" "/sys/fs/cgroup$TEST_CGROUP/parent/$ID/cgroup.controllers"
    done
    silently rt delete --force "$ID"
    rmdir "/sys/fs/cgroup$TEST_CGROUP/parent"
}

@test "systemd driver: a scope of its own in the slice" {
    needs systemd
    config '.linux.cgroupsPath = $p' --arg p "system.slice:crunlite:$ID"
    program sleep
    "$CRUN_LITE" --systemd-cgroup --root "$STATE" run --detach "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
    systemctl is-active "crunlite-$ID.scope"
    # Later commands are called without the flag.
    silently rt delete --force "$ID"
    run ! systemctl is-active "crunlite-$ID.scope"
}

@test "systemd driver: a message bus that lets nobody in is given up in seconds, and systemd itself is asked" {
    local listener begin socket=$BATS_TEST_TMPDIR/bus
    needs systemd_driver
    python3 -c 'import signal, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
signal.alarm(100)
signal.pause()' "$socket" 3>&- 4>&- &
    listener=$!
    wait_until test -S "$socket"
    config 'del(.linux.cgroupsPath)'
    program exit 0
    export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$socket
    begin=$SECONDS
    if has systemd; then
        run -0 rt --systemd-cgroup run "$ID"
    else
        fails 1 "connect to systemd over the system bus: Connection timed out" -- rt --systemd-cgroup run "$ID"
    fi
    # The library itself would wait for a minute and a half.
    ((SECONDS - begin < 60))
    kill "$listener"
    wait "$listener" || true
}

@test "--cgroup-manager disabled makes no cgroup" {
    program sleep
    config 'del(.linux.resources)'
    "$CRUN_LITE" --cgroup-manager disabled --root "$STATE" run --detach "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
    [[ ! -e $(group) ]]
    silently rt delete --force "$ID"
}

@test "unified: cgroup.type is refused, and what is frozen from the beginning is not run" {
    needs delegated_cgroup
    program sleep
    config '.linux.resources.unified = {"cgroup.type": "threaded"}'
    fails 1 /linux/resources/unified/cgroup.type -- rt run "$ID"
    config '.linux.resources.unified = {"cgroup.freeze": "1"}'
    fails 1 /linux/resources/unified/cgroup.freeze "paused from the beginning" -- timeout 20 "$CRUN_LITE" --root "$STATE" run "$ID"
    create_container
    is_status "$ID" paused
    silently rt resume "$ID"
    silently rt start "$ID"
    silently rt delete --force "$ID"
}
