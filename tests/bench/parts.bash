# Sourced by tests/bench/bench: what takes more than the driver.  Each part prints series.
# shellcheck shell=bash disable=SC2154  # work, group, bin, rootfs, contenders, path_of, rounds and few are the bench's

# series OPERATION NAME UNIT SAMPLE...
series() {
    local operation=$1 name=$2 unit=$3 IFS=,
    shift 3
    [[ $# == 0 ]] || echo "{\"operation\": \"$operation\", \"name\": \"$name\", \"unit\": \"$unit\", \"samples\": [$*]}"
}

# kib_of FILE FIELD: a line of the forms of /proc/PID/smaps_rollup and status.
kib_of() {
    awk -v field="$2:" '$1 == field { print $2; exit }' "$1"
}

runtimes_that_run() { # the contenders that have a kept container
    local name
    for name in "${contenders[@]}"; do
        [[ ! -d $work/state-$name/kept-$name ]] || echo "$name"
    done
}

measure() { # [ROUNDS] <PLAN
    as_root "$BENCH_DIR/driver" "${1:-$few}"
}

# ---- many at a time ----

STARTS=500
IN_FLIGHT=8

part_throughput() {
    local name place round bundle
    local -A took=()
    for name in $(runtimes_that_run); do
        for ((place = 0; place < IN_FLIGHT; place++)); do
            config_default "$group/$name-$place" /bin/true >"$(bundle_new "$name-flight-$place")/config.json"
        done
    done
    for ((round = 0; round < (few < 3 ? few : 3); round++)); do
        for name in floor $(runtimes_that_run); do
            bundle=$work/bundle/$name-flight-%s
            if [[ $name == floor ]]; then
                set -- "$bin/floor" run "/sys/fs/cgroup$group/floor-%s" "$rootfs" /bin/true
            else
                set -- "${path_of[$name]}" --root "$work/state-$name" run --bundle "$bundle" "flight-%n"
            fi
            took[$name]+=" $(as_root "$BENCH_DIR/flight" 0 "$STARTS" "$IN_FLIGHT" "$@")"
        done
    done
    for name in "${!took[@]}"; do
        # shellcheck disable=SC2086  # one word a sample
        series throughput "$name" us ${took[$name]}
    done
}

# ---- many that live ----

LIVING=1000

crowd_plan() {
    tabs "crowd$1" floor "$bin/floor" run "/sys/fs/cgroup$group/floor" "$rootfs" /bin/true
    tabs "crowd$1" crun-lite "$bin/crun-lite" --root "$work/state-crowd" run --bundle "$work/bundle/crun-lite" next
}

# Before, with and after so many that wait for their start; `list` at each quarter, by its processor time: it waits for nobody.
part_crowd() {
    local config number first each=$((LIVING / 4))
    local ours=("$bin/crun-lite" --root "$work/state-crowd")
    config=$(config_default "$group/crowd-@" /bin/true)
    for ((number = 0; number < LIVING; number++)); do
        echo "${config//@/$number}" >"$(bundle_new "crowd-$number")/config.json"
    done
    crowd_plan -before | measure >"$work/crowd"
    for ((first = 0; first < LIVING; first += each)); do
        as_root "$BENCH_DIR/flight" "$first" "$each" 4 "${ours[@]}" create --bundle "$work/bundle/crowd-%n" crowd-%n >/dev/null
        tabs "list-$((first + each))" crun-lite "${ours[@]}" list | measure >>"$work/crowd"
    done
    crowd_plan '' | measure >>"$work/crowd"
    "$BENCH_DIR/flight" 0 "$LIVING" 2 "${ours[@]}" delete --force crowd-%n >/dev/null
    crowd_plan -before | measure >>"$work/crowd"
    cat "$work/crowd"
    derive "$work/crowd" rename crowd 'one alone' crowd-before crun-lite
    derive "$work/crowd" rename crowd 'the floor alone' crowd-before floor
    derive "$work/crowd" slope list cpu:list-$each cpu:list-$LIVING $((LIVING - each))
    derive "$work/crowd" slope list-linear cpu:list-$((LIVING / 2)) cpu:list-$LIVING $((LIVING / 2))
    derive "$work/crowd" slope list-first-half cpu:list-$each cpu:list-$((LIVING / 2)) $each >"$work/half"
    derive "$work/half" rename list-linear 'one of the first half' list-first-half crun-lite
}

derive() {
    "$here/derive" "$@"
}

# ---- many mounts, many cgroups ----

MOUNTS=1000

# By processor time: a thousand mounts are long enough to be interrupted by others.
part_mounts() {
    local count name target
    mkdir -p "$work/sources/volume-0"
    for ((count = 0; count < MOUNTS; count++)); do echo "$rootfs/many/$count"; done | xargs mkdir -p
    for count in 0 $((MOUNTS / 2)) $MOUNTS; do
        tabs "mounts-$count" floor "$bin/floor" -s "$work/sources" -b "$count" run "/sys/fs/cgroup$group/floor" "$rootfs" /bin/true
        tabs "mounts-$count" floor+trees "$bin/floor" -s "$work/sources" -b "$count" -t run "/sys/fs/cgroup$group/floor" "$rootfs" /bin/true
        for name in $(runtimes_that_run); do
            jq -c --argjson count "$count" --arg source "$work/sources/volume-0" \
                '.mounts += [range($count) | {destination: "/many/\(.)", type: "bind", source: $source, options: ["rbind", "rprivate"]}]' \
                "$work/bundle/$name/config.json" >"$(bundle_new "$name-mounts-$count")/config.json"
            tabs "mounts-$count" "$name" "${path_of[$name]}" --root "$work/state-$name" run --bundle "$work/bundle/$name-mounts-$count" "mounts-$name"
        done
    done >"$work/plan-mounts"
    plan_that_works mounts <"$work/plan-mounts" | measure >"$work/mounts"
    cat "$work/mounts"
    derive "$work/mounts" slope mounts cpu:mounts-0 cpu:mounts-$MOUNTS $MOUNTS
    derive "$work/mounts" slope mounts-linear cpu:mounts-$((MOUNTS / 2)) cpu:mounts-$MOUNTS $((MOUNTS / 2))
    derive "$work/mounts" slope mounts-first-half cpu:mounts-0 cpu:mounts-$((MOUNTS / 2)) $((MOUNTS / 2)) >"$work/half"
    derive "$work/half" rename mounts-linear 'one of the first half' mounts-first-half crun-lite
}

SIBLINGS=10000

part_siblings() {
    local place name number
    mkdir "/sys/fs/cgroup$group/alone" "/sys/fs/cgroup$group/crowded"
    for ((number = 0; number < SIBLINGS; number++)); do echo "/sys/fs/cgroup$group/crowded/$number"; done | xargs mkdir
    for place in alone crowded; do
        tabs siblings-$place floor "$bin/floor" run "/sys/fs/cgroup$group/$place/floor" "$rootfs" /bin/true
        for name in $(runtimes_that_run); do
            config_default "$group/$place/$name" /bin/true >"$(bundle_new "$name-$place")/config.json"
            tabs siblings-$place "$name" "${path_of[$name]}" --root "$work/state-$name" run --bundle "$work/bundle/$name-$place" "siblings-$name"
        done
    done | measure "$rounds" | sed 's/siblings-crowded"/siblings"/' >"$work/siblings"
    cat "$work/siblings"
    derive "$work/siblings" rename siblings 'without them' siblings-alone crun-lite
    derive "$work/siblings" rename siblings 'the floor without' siblings-alone floor
    for ((number = 0; number < SIBLINGS; number++)); do echo "/sys/fs/cgroup$group/crowded/$number"; done | xargs rmdir
}

# ---- what a run asks of the kernel ----

part_calls() {
    local name calls faults
    for name in floor $(runtimes_that_run); do
        if [[ $name == floor ]]; then
            set -- "$bin/floor" run "/sys/fs/cgroup$group/floor" "$rootfs" /bin/true
        else
            set -- "${path_of[$name]}" --root "$work/state-$name" run --bundle "$work/bundle/$name" "calls-$name"
        fi
        read -r calls faults < <(as_root "$BENCH_DIR/count" calls "$rootfs/bin/true" "$@") || continue
        series calls "$name" calls "$calls"
        series faults "$name" faults "$faults"
    done
}

# ---- memory ----

part_resident() {
    local name pid
    for name in $(runtimes_that_run); do
        "${equally[@]}" "${path_of[$name]}" --root "$work/state-$name" create --bundle "$work/bundle/$name" --pid-file "$work/pid" "resident-$name" \
            </dev/null >/dev/null 2>&1 || continue
        pid=$(<"$work/pid")
        series resident "$name" KiB "$(kib_of "/proc/$pid/smaps_rollup" Rss)"
        series resident-own "$name" KiB "$(awk '/^Private_(Clean|Dirty):/ { own += $2 } END { print own }' "/proc/$pid/smaps_rollup")"
        series resident-share "$name" KiB "$(kib_of "/proc/$pid/smaps_rollup" Pss)"
        "${path_of[$name]}" --root "$work/state-$name" delete --force "resident-$name"
    done
}

# What a container's cgroup is charged for before its program runs, and with how little it runs.  Needs the memory controller.
#
# The charge is what memory.stat adds up; memory.current and memory.peak count in steps of 64 pages, which each processor
# keeps in stock.
part_charged() {
    local name low high middle
    if [[ ! -e /sys/fs/cgroup$group/floor-kept/memory.peak ]]; then
        echo "charged: no memory controller here, left out" >&2
        return
    fi
    for name in floor $(runtimes_that_run); do
        charged_create "$name" || continue
        series charged "$name" bytes "$(awk '/^(anon|file|kernel) / { sum += $2 } END { print sum }' "/sys/fs/cgroup$group/$name/memory.stat")"
        series charged-peak "$name" bytes "$(<"/sys/fs/cgroup$group/$name/memory.peak")"
        charged_delete "$name"
        low=0 high=4096 # pages: not enough, enough
        while ((high - low > 1)); do
            middle=$(((low + high) / 2))
            if charged_run "$name" $((middle * 4096)); then high=$middle; else low=$middle; fi
        done
        series memory-max "$name" bytes $((high * 4096))
    done
}

charged_create() {
    if [[ $1 == floor ]]; then
        "$bin/floor" create "$work/state-charged" "/sys/fs/cgroup$group/floor" "$rootfs" /bin/true </dev/null
    else
        "${path_of[$1]}" --root "$work/state-$1" create --bundle "$work/bundle/$1" "charged-$1" </dev/null >/dev/null 2>&1
    fi
}

charged_delete() {
    if [[ $1 == floor ]]; then
        "$bin/floor" delete "$work/state-charged" "/sys/fs/cgroup$group/floor"
    else
        "${path_of[$1]}" --root "$work/state-$1" delete --force "charged-$1" 2>/dev/null || true
    fi
}

charged_run() { # NAME BYTES
    local bundle
    if [[ $1 == floor ]]; then
        "$bin/floor" -m "$2" run "/sys/fs/cgroup$group/floor" "$rootfs" /bin/true </dev/null 2>/dev/null && return
        rmdir "/sys/fs/cgroup$group/floor" 2>/dev/null
        return 1
    fi
    bundle=$(bundle_new "$1-charged")
    jq --argjson limit "$2" '.linux.resources.memory = {limit: $limit, swap: $limit}' "$work/bundle/$1/config.json" >"$bundle/config.json"
    timeout 60 "${path_of[$1]}" --root "$work/state-$1" run --bundle "$bundle" "charged-$1" </dev/null >/dev/null 2>&1 && return
    charged_delete "$1"
    return 1
}

# ---- after the start ----

# What others do on the machine only adds: of these loops the least counts.
least() {
    tr -s ' ' '\n' <<<"$1" | sed '/^$/d' | sort -n | head -1
}

part_steady() {
    local name round numbers
    local -A parent=() pipe=()
    cp "$BENCH_DIR/steady" "$rootfs/bin/steady"
    for name in $(runtimes_that_run); do
        "$here/engine-config" "$rootfs" "$work/sources" "$group/$name" /bin/steady >"$(bundle_new "$name-steady")/config.json"
    done
    for ((round = 0; round < rounds; round++)); do
        for name in outside $(runtimes_that_run); do
            if [[ $name == outside ]]; then set -- "$rootfs/bin/steady"; else
                set -- "${path_of[$name]}" --root "$work/state-$name" run --bundle "$work/bundle/$name-steady" "steady-$name"
            fi
            numbers=$(as_root "$@" </dev/null)
            parent[$name]+=" ${numbers% *}" pipe[$name]+=" ${numbers#* }"
        done
    done
    for name in "${!parent[@]}"; do
        series steady-getppid "$name" ns "$(least "${parent[$name]}")"
        series steady-pipe "$name" ns "$(least "${pipe[$name]}")"
    done >"$work/steady"
    cat "$work/steady"
    derive "$work/steady" minus steady-getppid-more steady-getppid outside
    derive "$work/steady" minus steady-pipe-more steady-pipe outside
}

part_size() {
    local name
    for name in "${contenders[@]}"; do
        strip -o "$work/stripped" "${path_of[$name]}" 2>/dev/null || cp "${path_of[$name]}" "$work/stripped"
        series size "$name" bytes "$(stat -c %s "$work/stripped")"
    done
}
