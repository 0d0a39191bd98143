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

@test "cgroupsPath is taken, parents are made, and all of ours goes with delete" {
    config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/parent/$ID"
    program sleep
    run_detached
    grep -q "0::$TEST_CGROUP/parent/$ID$" "/proc/$(container_pid "$ID")/cgroup"
    silently rt delete --force "$ID"
    [[ ! -e /sys/fs/cgroup$TEST_CGROUP/parent/$ID ]]
    rmdir "/sys/fs/cgroup$TEST_CGROUP/parent" 2>/dev/null || true
}

@test "no cgroupsPath: one that bears the id" {
    config 'del(.linux.cgroupsPath)'
    program sleep
    run_detached
    grep -q "^0::.*$ID" "/proc/$(container_pid "$ID")/cgroup"
    silently rt delete --force "$ID"
}

@test "cgroupsPath cannot leave the hierarchy" {
    config '.linux.cgroupsPath = "/../../../../tmp/x"'
    run --separate-stderr rt run "$ID"
    [[ $status == 1 ]] || ! [[ -e /tmp/x ]]
}

@test "init is in its cgroup from its first moment, with all its children" {
    program fork 3 + sleep
    run_detached
    wait_until output_has forked
    [[ $(value cgroup.procs | wc -l) == 4 ]]
    silently rt delete --force "$ID"
}

@test "the container may make cgroups below itself, and delete removes them" {
    program sleep
    run_detached
    mkdir -p "$(group)/child/grandchild"
    silently rt delete --force "$ID"
}

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
}

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
    has controller:memory && skip "the host has the controller"
    limits '{"memory": {"limit": 67108864}}'
    fails 1 memory controller -- rt run "$ID"
}

@test "hugetlb" {
    has controller:hugetlb || skip "needs controller:hugetlb"
    start_with '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
    [[ $(value hugetlb.2MB.max) == 4194304 ]]
    silently rt delete --force "$ID"
}

@test "unified: any file by name; one that does not exist is named" {
    start_with '{"unified": {"cgroup.max.depth": "3", "cgroup.max.descendants": "7"}}'
    [[ $(value cgroup.max.depth) == 3 && $(value cgroup.max.descendants) == 7 ]]
    silently rt delete --force "$ID"
    limits '{"unified": {"nothing.like.this": "1"}}'
    fails 1 nothing.like.this -- rt run "$ID"
}

@test "unified cannot name a file outside the cgroup" {
    limits '{"unified": {"../cgroup.max.depth": "3"}}'
    fails 1 "../cgroup.max.depth" -- rt run "$ID"
}

@test "memory: limit, reservation, swap in their files, and the limit kills" {
    needs controller:memory
    start_with '{"memory": {"limit": 67108864, "reservation": 33554432, "swap": 67108864}}'
    [[ $(value memory.max) == 67108864 && $(value memory.low) == 33554432 ]]
    [[ ! -e $(group)/memory.swap.max || $(value memory.swap.max) == 0 ]]
    silently rt delete --force "$ID"
    program mem 200
    run -137 rt run "$ID"
}

@test "pids: a fork bomb stops" {
    needs controller:pids
    limits '{"pids": {"limit": 10}}'
    inside fork 50
    expect '.forked < 10 and .errno == "EAGAIN"'
}

@test "cpu: quota and weight in their files, and the quota holds" {
    needs controller:cpu
    start_with '{"cpu": {"shares": 1024, "quota": 20000, "period": 100000}}'
    [[ $(value cpu.max) == "20000 100000" && $(value cpu.weight) =~ ^(39|100)$ ]]
    silently rt delete --force "$ID"
    inside spin 2
    expect '.cpu_ms < 800'
}

@test "cpuset" {
    needs controller:cpuset
    start_with '{"cpu": {"cpus": "0", "mems": "0"}}'
    [[ $(value cpuset.cpus) == 0 && $(value cpuset.mems) == 0 ]]
    silently rt delete --force "$ID"
    inside report
    expect '.affinity == [0]'
}

@test "io: weight and throttling" {
    needs controller:io
    local device
    device=$(lsblk -dno MAJ:MIN | head -1 | tr -d ' ')
    start_with "{\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": ${device%:*}, \"minor\": ${device#*:}, \"rate\": 1048576}]}}"
    grep -q "$device rbps=1048576" "$(group)/io.max"
    silently rt delete --force "$ID"
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

@test "--cgroup-manager disabled makes no cgroup" {
    program sleep
    config 'del(.linux.resources)'
    "$CRUN_LITE" --cgroup-manager disabled --root "$STATE" run --detach "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
    [[ ! -e $(group) ]]
    silently rt delete --force "$ID"
}
