# Sourced by tests/bench/bench: what the driver measures, operation by operation.
# shellcheck shell=bash disable=SC2154  # work, group, bin, rootfs, contenders and path_of are the bench's

# The floor is no yardstick for a root that it does not build: where its mounts are not those of crun-lite, the bench ends.
plan_check_floor() {
    local which words
    for which in default engine; do
        if [[ $which == engine ]]; then words=(-e -s "$work/sources"); else words=(); fi
        "$bin/floor" "${words[@]}" run "/sys/fs/cgroup$group/floor-mounts" "$rootfs" /bin/mounts | mounts_sorted >"$work/mounts-floor"
        "$bin/crun-lite" --root "$work/state-mounts" run --bundle "$work/bundle/mounts-$which" mounts | mounts_sorted >"$work/mounts-ours"
        diff -u --label floor --label crun-lite "$work/mounts-floor" "$work/mounts-ours" >&2 ||
            { echo "bench: floor_plans.h does not build the root of the $which configuration" >&2; exit 1; }
    done
}

# Where, how, of what type; of masks and read-only paths, which there are several ways to make, only where.
mounts_sorted() {
    sed -E -e 's/^[0-9]+ [0-9]+ [^ ]+ [^ ]+ ([^ ]+) ([^ ]+) .*- ([^ ]+) .*/\1 \2 \3/' -e 's/^(\/(proc|sys)\/(fs\/selinux|dev\/[a-z]+|[a-z_-]+)) [^ ]* (proc|tmpfs|devtmpfs)$/\1/' | LC_ALL=C sort
}

tabs() {
    local IFS=$'\t'
    echo "$*"
}

# Containers that last: `exec`, `state` are asked of them.
plan_containers() {
    local name place=/sys/fs/cgroup$group/ordinary
    mkdir -p "$place/runner" "$work/ordinary"
    chown -R "$ordinary" "$place" "$work/ordinary"
    "$bin/floor" create "$work/state-floor" "/sys/fs/cgroup$group/floor-kept" "$rootfs" /bin/sleep </dev/null
    "$bin/floor" start "$work/state-floor"
    for name in "${contenders[@]}"; do
        mkdir -p "$work/state-$name" "$work/state-ordinary-$name"
        chown "$ordinary" "$work/state-ordinary-$name"
        if is_runtime "$name"; then
            as_root "${path_of[$name]}" --root "$work/state-$name" run --detach --bundle "$work/bundle/$name-kept" "kept-$name" \
                </dev/null >/dev/null 2>&1 || true
        fi
    done
}

plan_user() {
    if [[ $1 == rootless ]]; then echo ordinary; else echo root; fi
}

# plan_that_works OPERATION <LINES: those whose steps succeed; says why of the others.
plan_that_works() {
    local line name user
    user=$(plan_user "$1")
    while IFS= read -r line; do
        name=$(cut -f 2 <<<"$line")
        if as_"$user" "$BENCH_DIR/driver" 1 <<<"$line" >/dev/null 2>"$work/why"; then
            echo "$line"
        else
            echo "$1: $name left out: $(grep -v '^driver: ' "$work/why" | tail -1)" >&2
            if [[ $name != floor* ]] && is_runtime "$name"; then
                "${path_of[$name]}" --root "$work/state-$name" delete --force "$1-$name" 2>/dev/null || true
            fi
        fi
    done
}

plan_of() {
    local name cgroup=/sys/fs/cgroup$group
    plan_floor "$1"
    for name in "${contenders[@]}"; do
        if is_runtime "$name"; then
            plan_runtime "$1" "$name" ${setting_of[$name]+"${setting_of[$name]}"} "${path_of[$name]}"
        elif [[ $1 == run ]]; then
            tabs run "$name" "${path_of[$name]}" --unshare-user-try --unshare-pid --unshare-net --unshare-ipc --unshare-uts \
                --unshare-cgroup-try --ro-bind "$rootfs" / --proc /proc --dev /dev --hostname box --cap-drop ALL --die-with-parent -- /bin/true
        fi
    done
}

# The floor; with the device program that it leaves out; and linked with the C library that crun-lite is linked with.
plan_floor() {
    plan_floor_as "$1" floor "$bin/floor"
    case $1 in
    run) tabs run floor+devices "$bin/floor" -d "$work/default.devices" run "$cgroup/floor" "$rootfs" /bin/true ;;
    engine)
        tabs engine floor+devices "$bin/floor" -e -s "$work/sources" -f "$work/engine.filter" -d "$work/engine.devices" \
            run "$cgroup/floor-engine" "$rootfs" /bin/true
        ;;
    state | kill | delete) return 0 ;;
    esac
    [[ ! -e $bin/floor-musl ]] || plan_floor_as "$1" floor+musl "$bin/floor-musl"
}

plan_floor_as() { # OPERATION NAME PROGRAM
    local name=$2 floor=$3 state=$work/state-life
    case $1 in
    run) tabs run "$name" "$floor" run "$cgroup/floor" "$rootfs" /bin/true ;;
    engine) tabs engine "$name" "$floor" -e -s "$work/sources" -f "$work/engine.filter" run "$cgroup/floor-engine" "$rootfs" /bin/true ;;
    lifecycle)
        tabs lifecycle "$name" "$floor" create "$state" "$cgroup/floor-life" "$rootfs" /bin/true ';' \
            "$floor" start "$state" ';' "$floor" delete "$state" "$cgroup/floor-life"
        ;;
    exec) tabs exec "$name" "$floor" exec "$work/state-floor" "$cgroup/floor-kept" /bin/true ;;
    state | kill | delete) tabs "$1" "$name" "$bin/hello" ;;
    rootless) tabs rootless "$name" "$floor" -u run "$cgroup/ordinary/floor" "$rootfs" /bin/true ;;
    esac
}

plan_runtime() { # OPERATION NAME [VARIABLE=VALUE] PROGRAM
    local operation=$1 name=$2 bundle=$work/bundle/$2 id=$1-$2 state=$work/state-$2
    shift 2
    [[ $operation != rootless ]] || state=$work/state-ordinary-$name
    set -- "$@" --root "$state"
    case $operation in
    run) tabs run "$name" "$@" run --bundle "$bundle" "$id" ;;
    engine) tabs engine "$name" "$@" run --bundle "$bundle-engine" "$id" ;;
    lifecycle)
        tabs lifecycle "$name" "$@" create --bundle "$bundle" "$id" ';' "$@" start "$id" ';' "$@" delete --force "$id"
        ;;
    exec) tabs exec "$name" "$@" exec "kept-$name" /bin/true ;;
    state) tabs state "$name" "$@" state "kept-$name" ;;
    kill)
        tabs kill "$name" - "$@" create --bundle "$bundle-kept-too" "$id" ';' - "$@" start "$id" ';' "$@" kill "$id" KILL ';' \
            reap ';' - "$@" delete "$id"
        ;;
    delete)
        tabs delete "$name" - "$@" create --bundle "$bundle" "$id" ';' - "$@" start "$id" ';' reap ';' "$@" delete "$id"
        ;;
    rootless) tabs rootless "$name" "$@" run --bundle "$bundle-rootless" "$id" ;;
    esac
}
