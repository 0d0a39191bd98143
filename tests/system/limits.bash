# shellcheck shell=bash
# What limits do, as against what files say: asked for and observed, one line a limit.  For limits.bats and
# rootless.bats.
#
# A container that sleeps has all limits at once; a process joins it for each of them and wants more than it may have.

MANAGER=()                    # --systemd-cgroup
WAY=config                    # where the limits come from: config.json, or `update` of looser ones
GROUP=                        # the container's cgroup
# A share that is there for it beside whatever else a busy host runs.
readonly MEMORY_ASKED=67108864 PIDS_ASKED=20 QUOTA_ASKED=30000 PERIOD_ASKED=100000 CPU_ASKED=1 IO_ASKED=1048576

# observed LIMIT ASKED OBSERVED: one line of the table that tests/limits-table collects.
observed() {
    local manager=cgroupfs who=root
    [[ ${#MANAGER[@]} == 0 ]] || manager=systemd
    [[ $EUID == 0 ]] || who=user
    printf '# observed: %s\t%s\t%s\t%s\n' "$who, $manager, $WAY" "$@" >&3
}

# within PERCENT ASKED OBSERVED, in whole numbers.
within() {
    (($3 * 100 >= $2 * (100 - $1) && $3 * 100 <= $2 * (100 + $1))) || { echo "$3 is not within $1 % of $2" >&2; return 1; }
}

# reads_as KEY FILE: the number behind KEY in a flat keyed file of the container's cgroup.
reads_as() { awk -v key="$1" '$1 == key {print $2}' "$GROUP/$2"; }

microseconds() { echo "${EPOCHREALTIME/[.,]/}"; }

# The disk below the bundle as "MAJOR MINOR"; nothing where it is no block device that can be limited.
disk() {
    local device
    # Padded to the width of its column.
    read -r device < <(findmnt -no MAJ:MIN -T "$BUNDLE")
    [[ $device == 0:* || ! -e /sys/dev/block/$device ]] && return
    # Limits are the whole disk's, not the partition's.
    [[ ! -e /sys/dev/block/$device/partition ]] || device=$(<"/sys/dev/block/$device/../dev")
    echo "${device/:/ }"
}

all_limits() {
    local major minor io='{}'
    read -r major minor <<<"$(disk)"
    [[ -z $major ]] || io="{\"throttleWriteBpsDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": $IO_ASKED}]}"
    jq -nc --argjson io "$io" --arg cpu "$CPU_ASKED" --argjson memory "$MEMORY_ASKED" --argjson pids "$PIDS_ASKED" \
        --argjson quota "$QUOTA_ASKED" --argjson period "$PERIOD_ASKED" \
        '{memory: {limit: $memory, swap: $memory}, pids: {limit: $pids}, blockIO: $io, cpu: {quota: $quota, period: $period, cpus: $cpu}}'
}

# detached ID: runs the bundle in the background, with the manager of the test.
detached() {
    "$CRUN_LITE" "${MANAGER[@]}" --root "$STATE" run --detach "$1" </dev/null >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- ||
        { cat "$BATS_TEST_TMPDIR/err" >&2; return 1; }
}
group_of() { echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(container_pid "$1")/cgroup")"; }

# A sleeping container with every limit, from $WAY.
limited() {
    local looser='{"memory": {"limit": 1073741824, "swap": 1073741824}, "pids": {"limit": 400}, "cpu": {"quota": 90000, "period": 100000}}'
    config '.root.readonly = false | .linux.resources += $r' --argjson r "$(if [[ $WAY == update ]]; then echo "$looser"; else all_limits; fi)"
    [[ ${#MANAGER[@]} == 0 ]] || config '.linux.cgroupsPath = $p' --arg p ":crunlite:$ID"
    program sleep
    detached "$ID"
    GROUP=$(group_of "$ID")
    [[ $WAY != update ]] || silently rt update --resources - "$ID" <<<"$(all_limits)"
}

limits_hold() {
    limited
    cpu_holds
    io_holds
    memory_holds
    pids_holds
    silently rt delete --force "$ID"
}

spins() { (($(reads_as usage_usec cpu.stat) > $1)); }

# One hog that wants a whole processor: it gets its quota, and only of the processor that it may use.
cpu_holds() {
    local hog used begin got seconds=${SYSTEM_TESTS_CPU_SECONDS:-3} before throttled
    before=$(reads_as usage_usec cpu.stat)
    rt_background exec "$ID" /probe spin 1000 >/dev/null
    hog=$!
    wait_until spins $((before + 400000))
    throttled=$(reads_as nr_throttled cpu.stat)
    used=$(reads_as usage_usec cpu.stat) begin=$(microseconds)
    # Not a wait for something: the time over which is measured.
    sleep "$seconds"
    used=$(($(reads_as usage_usec cpu.stat) - used))
    got=$((used * PERIOD_ASKED / ($(microseconds) - begin)))
    observed cpu.max "$QUOTA_ASKED of $PERIOD_ASKED us" "$got of $PERIOD_ASKED us"
    within 10 "$QUOTA_ASKED" "$got"
    (($(reads_as nr_throttled cpu.stat) > throttled))
    # The processor on which the hog was last: not the sleeping init, which has not run since a limit changed.
    got=$(while read -r pid; do sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f37; done < <(others) | sort -u | paste -sd,)
    observed cpuset.cpus "$CPU_ASKED" "$got"
    [[ $got == "$CPU_ASKED" ]]
    kill_others
    wait "$hog" || true
}

# Everybody in the container but its init.
others() { grep -vx "$(container_pid "$ID")" "$GROUP/cgroup.procs"; }
kill_others() {
    local pid
    while read -r pid; do kill -9 "$pid"; done < <(others)
    wait_until alone
}
alone() { [[ $(wc -l <"$GROUP/cgroup.procs") == 1 ]]; }

io_holds() {
    local rate
    if [[ -z $(disk) ]]; then
        echo "# no disk below $BUNDLE that can be limited" >&3
        [[ ${CRUN_LITE_TESTS_MUST_RUN-} != 1 ]]
        return
    fi
    run -0 --separate-stderr rt exec "$ID" /probe write-direct /data/written 6
    expect '.errno == null'
    rate=$(jq '.bytes * 1000 / .ms | floor' <<<"$output")
    observed "io.max wbps" "$IO_ASKED bytes/s" "$rate bytes/s"
    within 15 "$IO_ASKED" "$rate"
}

holds_watch() { find "/proc/$1/fd" -lname "*memory.events*" | grep -q .; }

memory_holds() {
    local events kills
    rt_background events --interval 1h "$ID" >"$BATS_TEST_TMPDIR/events" 2>/dev/null
    events=$!
    wait_until holds_watch "$events"
    run -137 rt exec "$ID" /probe mem 200
    kills=$(reads_as oom_kill memory.events)
    observed memory.max "$MEMORY_ASKED bytes" "peak $(<"$GROUP/memory.peak") bytes, $kills killed"
    # The kernel lets a dying process have a few pages more.
    ((kills >= 1 && $(<"$GROUP/memory.peak") <= MEMORY_ASKED + MEMORY_ASKED / 100))
    wait_until grep -qx '{"type":"oom","id":"'"$ID"'"}' "$BATS_TEST_TMPDIR/events"
    kill "$events"
    wait "$events" || true
    is_status "$ID" running
}

pids_holds() {
    local current
    # Not `run`: the children live on, and hold what they have inherited.
    rt exec "$ID" /probe fork 500 >"$BATS_TEST_TMPDIR/forks" 2>&1 3>&- 4>&-
    output=$(<"$BATS_TEST_TMPDIR/forks")
    expect '.errno == "EAGAIN"'
    current=$(<"$GROUP/pids.current")
    observed pids.max "$PIDS_ASKED" "$(jq .forked <<<"$output") forks and 2 others"
    expect --argjson asked "$PIDS_ASKED" '.forked == $asked - 2'
    ((current <= PIDS_ASKED))
    (($(reads_as max pids.events) > 0))
}

# Two hogs on one processor, one of which has twice the shares.
weights_hold() {
    local other=$ID-other asked got first second hogs=() seconds=${SYSTEM_TESTS_CPU_SECONDS:-3} one two shares=2048
    for container in "$ID" "$other"; do
        config '.linux.resources.cpu = {"cpus": "0", "shares": $s}' --argjson s "$shares"
        if [[ ${#MANAGER[@]} == 0 ]]; then
            config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/$container"
        else
            config '.linux.cgroupsPath = $p' --arg p ":crunlite:$container"
        fi
        program spin 1000
        detached "$container"
        shares=1024
    done
    one=$(group_of "$ID") two=$(group_of "$other")
    asked=$(($(<"$one/cpu.weight") * 100 / $(<"$two/cpu.weight")))
    for GROUP in "$one" "$two"; do wait_until spins 300000; done
    used() { awk '$1 == "usage_usec" {print $2}' "$1/cpu.stat"; }
    first=$(used "$one") second=$(used "$two")
    sleep $((2 * seconds))
    got=$((($(used "$one") - first) * 100 / ($(used "$two") - second)))
    observed "cpu.weight $(<"$one/cpu.weight") : $(<"$two/cpu.weight")" "$asked : 100" "$got : 100"
    within 10 "$asked" "$got"
    silently rt delete --force "$ID"
    silently rt delete --force "$other"
}
