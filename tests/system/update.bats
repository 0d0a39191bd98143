# update: new limits for a live container, merged with what is in force, all or nothing.
load helpers

group() { echo "/sys/fs/cgroup$TEST_CGROUP/$ID"; }
value() { cat "$(group)/$1"; }
# start_with LIMITS: a sleeping container with these resources.
start_with() {
    config '.linux.resources += $r' --argjson r "$1"
    program sleep
    run_detached
}
kept() { jq -e "$1" "$STATE/$ID/resources.json" >/dev/null; }

@test "update: a document from a file, from standard input, in every spelling of the option" {
    local words
    start_with '{"unified": {"cgroup.max.depth": "3"}}'
    echo '{"unified": {"cgroup.max.depth": "4"}}' >"$BATS_TEST_TMPDIR/r.json"
    silently rt update --resources="$BATS_TEST_TMPDIR/r.json" "$ID"
    [[ $(value cgroup.max.depth) == 4 ]]
    for words in "--resources -" "--resources=-" "-r -" "-resources=-"; do
        # shellcheck disable=SC2086  # several words
        silently rt update $words "$ID" <<<'{"unified": {"cgroup.max.depth": "5"}}'
        [[ $(value cgroup.max.depth) == 5 ]]
        silently rt update -r "$BATS_TEST_TMPDIR/r.json" "$ID"
        [[ $(value cgroup.max.depth) == 4 ]]
    done
    # Behind the id, too; and in a container that is paused.
    rt pause "$ID"
    silently rt update "$ID" --resources - <<<'{"unified": {"cgroup.max.depth": "6"}}'
    [[ $(value cgroup.max.depth) == 6 ]]
    silently rt delete --force "$ID"
}

@test "update: a created container can be updated before its program runs" {
    config '.linux.resources += $r' --argjson r '{"unified": {"cgroup.max.depth": "3"}}'
    program sleep
    create_container
    silently rt update -r - "$ID" <<<'{"unified": {"cgroup.max.depth": "9"}}'
    [[ $(value cgroup.max.depth) == 9 ]]
    silently rt delete --force "$ID"
}

@test "update: what is not asked for stays, and is kept for the next time" {
    start_with '{"unified": {"cgroup.max.depth": "3", "cgroup.max.descendants": "7"}}'
    silently rt update -r - "$ID" <<<'{"unified": {"cgroup.max.depth": "4"}}'
    silently rt update -r - "$ID" <<<'{}'
    [[ $(value cgroup.max.depth) == 4 && $(value cgroup.max.descendants) == 7 ]]
    kept '.unified == {"cgroup.max.depth": "4", "cgroup.max.descendants": "7"} and (.devices | length) > 0'
    silently rt update -r - "$ID" <<<'{"unified": {"cgroup.max.descendants": "8"}}'
    kept '.unified == {"cgroup.max.depth": "4", "cgroup.max.descendants": "8"}'
    silently rt delete --force "$ID"
}

@test "update: all or nothing, and the failure names file, value and cause" {
    start_with '{"unified": {"cgroup.max.depth": "3", "cgroup.max.descendants": "7"}}'
    fails 1 cgroup.max.descendants never "Invalid argument" "/unified/cgroup.max.descendants" -- \
        rt update -r - "$ID" <<<'{"unified": {"cgroup.max.depth": "4", "cgroup.max.descendants": "never"}}'
    [[ $(value cgroup.max.depth) == 3 && $(value cgroup.max.descendants) == 7 ]]
    [[ ! -e $STATE/$ID/resources.json && ! -e $STATE/$ID/resources.json.next ]]
    # The refused values are not merged into the next update.
    silently rt update -r - "$ID" <<<'{"unified": {"cgroup.max.depth": "5"}}'
    kept '.unified == {"cgroup.max.depth": "5", "cgroup.max.descendants": "7"}'
    silently rt delete --force "$ID"
}

@test "update: wrong use, wrong documents, wrong containers" {
    local document
    start_with '{}'
    fails 1 "no new limit" -- rt update "$ID"
    fails 1 "an argument is missing" -- rt update --memory 5M
    fails 1 "--memory takes bytes" "12x" -- rt update --memory 12x "$ID"
    fails 1 "--cpu-period" "not negative" -- rt update --cpu-period -1 "$ID"
    fails 1 "--pids-limit takes a number" -- rt update --pids-limit many "$ID"
    fails 1 "no resctrl group" "linux.intelRdt" -- rt update --l3-cache-schema "L3:0=f" "$ID"
    fails 1 "--l3-cache-schema takes one line" -- rt update --l3-cache-schema $'L3:0=f\nMB:0=10' "$ID"
    fails 1 "--mem-bw-schema" "MB:" -- rt update --mem-bw-schema "L3:0=f" "$ID"
    fails 1 "/no/such/file" -- rt update --resources /no/such/file "$ID"
    for document in '' '[]' '{"pids": {"limit": "5"}}' '{"pids": {"limit": 5}, "pids": {"limit": 6}}' '{'; do
        fails 1 "resources" -- rt update -r - "$ID" <<<"$document"
    done
    fails 1 "/memory/swappiness" "cgroup v1 only" -- rt update -r - "$ID" <<<'{"memory": {"swappiness": 60}}'
    fails 1 "/cpu/realtimeRuntime" -- rt update --cpu-rt-runtime 950000 "$ID"
    fails 1 "/memory/swap" "memory limit" -- rt update --memory-swap 10M "$ID"
    fails 1 "/cpu/idle" -- rt update --cpu-idle 2 "$ID"
    fails 1 "does not exist" -- rt update --pids-limit 5 no-such-container
    rt kill "$ID" KILL
    status_becomes "$ID" stopped
    fails 1 "not running" -- rt update -r - "$ID" <<<'{}'
    silently rt delete "$ID"
}

@test "update: numbers that change nothing are no failure: zeros, and options that are accepted for compatibility" {
    start_with '{}'
    silently rt update --kernel-memory 5M --kernel-memory-tcp 1g --memory 0 --cpu-share 0 --cpu-rt-period 0 "$ID"
    silently rt update -r - "$ID" <<<'{"memory": {"limit": 0, "swap": 0, "reservation": 0}, "cpu": {"shares": 0, "quota": 0, "period": 0, "cpus": "", "mems": ""}, "blockIO": {"weight": 0}}'
    silently rt delete --force "$ID"
}

@test "update: hugetlb limits by page size" {
    needs controller:hugetlb
    start_with '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
    silently rt update -r - "$ID" <<<'{"hugepageLimits": [{"pageSize": "2MB", "limit": 8388608}]}'
    [[ $(value hugetlb.2MB.max) == 8388608 && $(value hugetlb.2MB.rsvd.max) == 8388608 ]]
    kept '.hugepageLimits == [{"pageSize": "2MB", "limit": 8388608}]'
    fails 1 hugetlb.3MB.max -- rt update -r - "$ID" <<<'{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}, {"pageSize": "3MB", "limit": 1}]}'
    [[ $(value hugetlb.2MB.max) == 8388608 && $(value hugetlb.2MB.rsvd.max) == 8388608 ]]
    silently rt delete --force "$ID"
}

# The ids of the device programs attached to the container's cgroup.
programs() {
    python3 - "$(group)" <<'PYTHON'
import ctypes, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
ids = (ctypes.c_uint32 * 16)()
# struct of BPF_PROG_QUERY: target_fd, attach_type (BPF_CGROUP_DEVICE), query_flags, attach_flags, prog_ids, prog_cnt
attr = ctypes.create_string_buffer(struct.pack("=IIIIQI", fd, 6, 0, 0, ctypes.addressof(ids), 16), 128)
if ctypes.CDLL(None, use_errno=True).syscall(321, 16, attr, 128) < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
print(*ids[:struct.unpack_from("=I", attr, 24)[0]])
PYTHON
}

# spec: RDEV-10
@test "update: device rules replace the old ones in one step, and the same rules leave the program alone" {
    local before after rules='{"devices": [{"allow": false}, {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]}'
    start_with "$rules"
    before=$(programs)
    [[ $before =~ ^[0-9]+$ ]]
    silently rt update -r - "$ID" <<<"$rules"
    silently rt update -r - "$ID" <<<'{"unified": {"cgroup.max.depth": "4"}}'
    [[ $(programs) == "$before" ]]
    silently rt update -r - "$ID" <<<'{"devices": [{"allow": false}, {"allow": true, "type": "c", "major": 1, "minor": 1, "access": "r"}]}'
    after=$(programs)
    [[ $after =~ ^[0-9]+$ && $after != "$before" ]]
    kept '.devices[1] == {"allow": true, "type": "c", "major": 1, "minor": 1, "access": "r"}'
    # A refused limit leaves the program as it is.
    fails 1 cgroup.max.depth -- rt update -r - "$ID" <<<"$(jq '.unified = {"cgroup.max.depth": "x"}' <<<"$rules")"
    [[ $(programs) == "$after" ]]
    silently rt delete --force "$ID"
}

@test "update: after one that was killed everything is written again, also what the record says already" {
    local document kept=$STATE/$ID/resources.json
    local denied='{"devices": [{"allow": false}], "unified": {"cgroup.max.depth": "4"}}'
    local allowed='{"devices": [{"allow": true, "access": "rwm"}], "unified": {"cgroup.max.depth": "9"}}'
    start_with '{}'
    for document in '{"devices": [{"allow": false}]}' '{}'; do
        silently rt update -r - "$ID" <<<"$denied"
        cp "$kept" "$BATS_TEST_TMPDIR/recorded"
        silently rt update -r - "$ID" <<<"$allowed"
        # Killed before the rename: the old record, the new limits.
        mv "$kept" "$kept.next"
        mv "$BATS_TEST_TMPDIR/recorded" "$kept"
        [[ -z $(programs) && $(value cgroup.max.depth) == 9 ]]
        # One that fails makes nothing better known.
        fails 1 cgroup.max.depth -- rt update -r - "$ID" <<<'{"unified": {"cgroup.max.depth": "x"}}'
        [[ -e $kept.next ]]
        silently rt update -r - "$ID" <<<"$document"
        [[ $(programs) =~ ^[0-9]+$ && $(value cgroup.max.depth) == 4 && ! -e $kept.next ]]
    done
    silently rt delete --force "$ID"
}

@test "update: a record that cannot be replaced takes limits and device rules back" {
    local kept=$STATE/$ID/resources.json
    start_with '{}'
    silently rt update -r - "$ID" <<<'{"devices": [{"allow": false}], "unified": {"cgroup.max.depth": "4"}}'
    # Nothing can be renamed onto a mount.
    mount --bind "$kept" "$kept"
    fails 1 "keep the resources" "Device or resource busy" -- \
        rt update -r - "$ID" <<<'{"devices": [{"allow": true, "access": "rwm"}], "unified": {"cgroup.max.depth": "9"}}'
    umount "$kept"
    [[ $(programs) =~ ^[0-9]+$ && $(value cgroup.max.depth) == 4 && ! -e $kept.next ]]
    kept '.unified == {"cgroup.max.depth": "4"} and .devices[0].allow == false'
    silently rt delete --force "$ID"
}

@test "update: a damaged record of the runtime's own is told from the new resources, and can be left behind" {
    local kept=$STATE/$ID/resources.json damage
    start_with '{"unified": {"cgroup.max.depth": "3"}}'
    for damage in '{"memory": {"limit": "5"}}' '{"pids"' ''; do
        printf '\n%s' "$damage" >"$kept"
        fails 1 "the record of container \`$ID\` is damaged: resources.json line 2" "rename it to resources.json.next" -- \
            rt update -r - "$ID" <<<'{"unified": {"cgroup.max.depth": "4"}}'
        [[ $stderr != *"new resources"* && $stderr != *"resources document"* && $stderr != */memory* ]]
    done
    mv "$kept" "$kept.next"
    silently rt update -r - "$ID" <<<'{"unified": {"cgroup.max.descendants": "4"}}'
    kept '.unified == {"cgroup.max.depth": "3", "cgroup.max.descendants": "4"}'
    rm "$kept"
    echo '{' >"$STATE/$ID/config.json"
    fails 1 "the record of container \`$ID\` is damaged: config.json line" "delete --force" -- rt update -r - "$ID" <<<'{}'
    silently rt delete --force "$ID"
}

@test "update: lists that are too long are refused before anybody waits for it" {
    local holder refused=no
    start_with '{}'
    jq -nc '{blockIO: {throttleReadBpsDevice: [range(4097) | {major: 8, minor: ., rate: 1}]}}' >"$BATS_TEST_TMPDIR/long.json"
    # Not even for the lock of the container.
    exec {holder}<"$STATE/$ID"
    flock -x "$holder"
    fails 1 "/blockIO/throttleReadBpsDevice of the new resources" "4097 entries are more than the 4096" -- \
        timeout 20 "$CRUN_LITE" --root "$STATE" update -r "$BATS_TEST_TMPDIR/long.json" "$ID" && refused=yes
    exec {holder}<&- # before anything may fail: cleaning up waits for it
    [[ $refused == yes ]]
    silently rt delete --force "$ID"
}

@test "update: memory by option and document: sum of memory and swap, -1, suffixes, what is in force" {
    needs controller:memory
    start_with '{"memory": {"limit": 67108864, "swap": 134217728}}'
    [[ $(value memory.max) == 67108864 && $(value memory.swap.max) == 67108864 ]]
    silently rt update --memory 128M --memory-reservation 1.5m "$ID"
    [[ $(value memory.max) == 134217728 && $(value memory.low) == 1572864 && $(value memory.swap.max) == 67108864 ]]
    kept '.memory | .limit == 134217728 and .swap == 201326592 and .reservation == 1572864'
    # The sum alone: the limit in force is subtracted.
    silently rt update --memory-swap 256MiB "$ID"
    [[ $(value memory.max) == 134217728 && $(value memory.swap.max) == 134217728 ]]
    fails 1 "/memory/swap" -- rt update --memory-swap 100M "$ID"
    silently rt update --memory 64M --memory-swap 64M "$ID"
    [[ $(value memory.max) == 67108864 && $(value memory.swap.max) == 0 ]]
    silently rt update -r - --memory -1 "$ID" <<<'{"memory": {"limit": 5000000, "reservation": 4096}}'
    [[ $(value memory.max) == max && $(value memory.swap.max) == max && $(value memory.low) == 4096 ]]
    silently rt delete --force "$ID"
}

# spec: RMEM-18 RMEM-19
@test "update: checkBeforeUpdate refuses a limit below what is in use, and the old limit stays" {
    needs controller:memory
    start_with '{"memory": {"limit": 67108864, "checkBeforeUpdate": true}}'
    fails 1 "in use" "/memory/limit" -- rt update --memory 4096 "$ID"
    [[ $(value memory.max) == 67108864 && $(rt state "$ID" | jq -r .status) == running ]]
    silently rt update -r - "$ID" <<<'{"memory": {"limit": 33554432}}'
    [[ $(value memory.max) == 33554432 ]]
    # Everything of a refused update stays, also what would come before the limit.
    fails 1 "in use" -- rt update -r - "$ID" <<<'{"memory": {"limit": 4096, "swap": 8192}, "pids": {"limit": 12}}'
    [[ $(value memory.swap.max) == max && $(value memory.max) == 33554432 ]]
    silently rt delete --force "$ID"
}

@test "update: quota, period, burst, shares and idle are completed by what is in force" {
    needs controller:cpu
    start_with '{"cpu": {"shares": 512, "quota": 20000, "period": 50000}}'
    [[ $(value cpu.max) == "20000 50000" && $(value cpu.weight) == 59 ]]
    silently rt update --cpu-quota 30000 "$ID"
    [[ $(value cpu.max) == "30000 50000" ]]
    silently rt update --cpu-period 100000 "$ID"
    [[ $(value cpu.max) == "30000 100000" ]]
    silently rt update --cpu-burst 10000 "$ID"
    [[ $(value cpu.max.burst) == 10000 ]]
    fails 1 burst -- rt update --cpu-quota 5000 "$ID"
    [[ $(value cpu.max) == "30000 100000" ]]
    silently rt update --cpu-quota 60000 --cpu-burst 50000 "$ID"
    [[ $(value cpu.max) == "60000 100000" && $(value cpu.max.burst) == 50000 ]]
    silently rt update --cpu-burst 0 --cpu-quota -1 "$ID"
    [[ $(value cpu.max) == "max 100000" && $(value cpu.max.burst) == 0 ]]
    silently rt update --cpu-idle 1 "$ID"
    [[ $(value cpu.idle) == 1 ]]
    silently rt update --cpu-share 2048 "$ID"
    [[ $(value cpu.idle) == 1 ]]
    silently rt update --cpu-idle 0 "$ID"
    [[ $(value cpu.idle) == 0 && $(value cpu.weight) == 174 ]]
    silently rt delete --force "$ID"
}

@test "update: pids and cpusets by option" {
    needs controller:pids controller:cpuset
    start_with '{"pids": {"limit": 20}}'
    silently rt update --pids-limit 30 --cpuset-cpus 0 --cpuset-mems 0 "$ID"
    [[ $(value pids.max) == 30 && $(value cpuset.cpus) == 0 && $(value cpuset.mems) == 0 ]]
    fails 1 cpuset.cpus 9999 -- rt update --pids-limit 40 --cpuset-cpus 9999 "$ID"
    [[ $(value pids.max) == 30 && $(value cpuset.cpus) == 0 ]]
    silently rt update --pids-limit -1 "$ID"
    [[ $(value pids.max) == max ]]
    silently rt delete --force "$ID"
}

@test "update: rates of devices, rolled back line by line" {
    needs controller:io
    local device
    device=$(lsblk -dno MAJ:MIN | head -1 | tr -d ' ')
    rates() { jq -nc --arg d "$device" --arg key "$1" --argjson rate "$2" '($d | split(":") | map(tonumber)) as [$a, $b] | {blockIO: {($key): [{major: $a, minor: $b, rate: $rate}]}}'; }
    start_with "$(rates throttleReadBpsDevice 1048576)"
    silently rt update -r - "$ID" <<<"$(rates throttleWriteIOPSDevice 100)"
    [[ $(value io.max) == "$device rbps=1048576 wbps=max riops=max wiops=100" ]]
    fails 1 cgroup.max.depth -- rt update -r - "$ID" <<<"$(rates throttleReadBpsDevice 2097152 | jq '.unified = {"cgroup.max.depth": "x"}')"
    [[ $(value io.max) == "$device rbps=1048576 wbps=max riops=max wiops=100" ]]
    silently rt update -r - "$ID" <<<"$(rates throttleReadBpsDevice 0)"
    [[ $(value io.max) == "$device rbps=max wbps=max riops=max wiops=100" ]]
    silently rt delete --force "$ID"
}

@test "update with the systemd manager: properties and exact values in the files, both taken back on failure" {
    needs systemd
    local unit=crunlite-$ID.scope cgroup
    config '.linux.cgroupsPath = $p' --arg p "system.slice:crunlite:$ID"
    config '.linux.resources += {"memory": {"limit": 67108864}, "cpu": {"quota": 50000, "period": 100000}}'
    program sleep
    "$CRUN_LITE" --systemd-cgroup --root "$STATE" run --detach "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
    cgroup=/sys/fs/cgroup$(systemctl show --property ControlGroup --value "$unit")
    silently rt update --memory 128M --pids-limit 50 --cpu-quota 12345 "$ID"
    [[ $(systemctl show --property MemoryMax --value "$unit") == 134217728 ]]
    [[ $(systemctl show --property TasksMax --value "$unit") == 50 ]]
    # systemd rounds; the file has what was asked for.
    [[ $(<"$cgroup/cpu.max") == "12345 100000" && $(<"$cgroup/memory.max") == 134217728 ]]
    fails 1 cgroup.max.depth -- rt update -r - "$ID" <<<'{"memory": {"limit": 33554432}, "unified": {"cgroup.max.depth": "x"}}'
    [[ $(systemctl show --property MemoryMax --value "$unit") == 134217728 && $(<"$cgroup/memory.max") == 134217728 ]]
    systemctl daemon-reload
    [[ $(<"$cgroup/memory.max") == 134217728 && $(<"$cgroup/pids.max") == 50 ]]
    silently rt delete --force "$ID"
}
