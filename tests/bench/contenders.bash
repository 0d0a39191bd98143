# Sourced by tests/bench/bench: who takes part, their bundles, and how a container of theirs is made.
# shellcheck shell=bash disable=SC2154  # work, group and here are the bench's

declare -A path_of=()  # name: program
declare -A setting_of=() # name: VARIABLE=VALUE of its environment where the driver runs it
contenders=()          # names, the floor not among them
bin=                   # copies of crun-lite and the floor, which an ordinary user can reach

# Every runtime of PATH: the first under its name, others of the same name with their version behind it.
contenders_find() {
    local name word path version wanted=${RUNTIMES-}
    bin=$work/bin
    mkdir "$bin"
    cp "$CRUN_LITE" "$bin/crun-lite"
    cp "$BENCH_DIR"/{floor,hello} "$bin/"
    [[ ! -x $BENCH_DIR/floor-musl ]] || cp "$BENCH_DIR/floor-musl" "$bin/"
    if [[ -z $wanted ]]; then
        wanted=crun-lite
        for name in crun runc youki bwrap; do
            for path in $(type -ap "$name" | xargs -r -n 1 readlink -f | awk '!seen[$0]++'); do
                version=$("$path" --version | sed -nE '1s/.* (version )?//p')
                if [[ " $wanted" == *" $name="* ]]; then word=$name-$version; else word=$name; fi
                wanted+=" $word=$path"
            done
        done
    fi
    for word in $wanted; do
        name=${word%%=*}
        case $word in
        *=*=*) path=$bin/crun-lite setting_of[$name]=${word#*=} ;;
        *=*) path=${word#*=} ;;
        crun-lite) path=$bin/crun-lite ;;
        *) path=$(command -v "$name") || { echo "$name: not installed, left out" >&2; continue; } ;;
        esac
        path_of[$name]=$path
        contenders+=("$name")
    done
}

contenders_say() {
    local name
    echo "floor: $(stat -c %s "$bin/floor") bytes, static"
    for name in "${contenders[@]}"; do
        echo "$name: $("${path_of[$name]}" --version | head -1)"
    done
}

is_runtime() {
    [[ $1 != bwrap ]]
}

rootfs=
# The default bundle is that of the system suite, the engine's that of engine-config; the program is static and does nothing.
bundles_make() {
    local name
    rootfs=$work/rootfs
    mkdir -p "$rootfs"/{proc,dev,sys,bin} "$work/sources" "$work/bundle"
    for name in true sleep mounts; do cp "$BENCH_DIR/floor" "$rootfs/bin/$name"; done
    for name in floor "${contenders[@]}"; do
        config_default "$group/$name" /bin/true >"$(bundle_new "$name")/config.json"
        config_default "$group/$name-kept" /bin/sleep >"$(bundle_new "$name-kept")/config.json"
        config_default "$group/$name-kept-too" /bin/sleep >"$(bundle_new "$name-kept-too")/config.json"
        "$here/engine-config" "$rootfs" "$work/sources" "$group/$name-engine" /bin/true >"$(bundle_new "$name-engine")/config.json"
        config_default "$group/ordinary/$name" /bin/true | config_rootless >"$(bundle_new "$name-rootless")/config.json"
    done
    config_default "$group/mounts" /bin/mounts >"$(bundle_new mounts-default)/config.json"
    "$here/engine-config" "$rootfs" "$work/sources" "$group/mounts" /bin/mounts >"$(bundle_new mounts-engine)/config.json"
    "$BENCH_DIR/compile" seccomp "$work/bundle/floor-engine/config.json" >"$work/engine.filter"
    "$BENCH_DIR/compile" devices "$work/bundle/floor/config.json" >"$work/default.devices"
    "$BENCH_DIR/compile" devices "$work/bundle/floor-engine/config.json" >"$work/engine.devices"
}

bundle_new() {
    mkdir -p "$work/bundle/$1"
    echo "$work/bundle/$1"
}

config_default() { # CGROUP PROGRAM
    sed -e "s|\"path\": \"rootfs\"|\"path\": \"$rootfs\"|" -e "s|\[\"/probe\", \"report\"\]|[\"$2\"]|" \
        -e "s|\"resources\":|\"cgroupsPath\": \"$1\", \"resources\":|" "$here/../system/base.config.json"
}

# The calling user becomes root inside, alone: a group of terminals and device rules are beyond it.
config_rootless() {
    jq --argjson uid "$ordinary" '.linux.namespaces += [{"type": "user"}] | del(.linux.resources)
        | .linux.uidMappings = [{"containerID": 0, "hostID": $uid, "size": 1}] | .linux.gidMappings = .linux.uidMappings
        | (.mounts[] | select(.type == "devpts") | .options) -= ["gid=5"]'
}

ordinary=65534

as_root() {
    "${equally[@]}" "$@"
}

# As an ordinary user with a cgroup of its own, as a session manager delegates it.
as_ordinary() {
    local place=/sys/fs/cgroup$group/ordinary
    (echo "$BASHPID" >"$place/runner/cgroup.procs" &&
        exec "${equally[@]}" setpriv --reuid $ordinary --regid $ordinary --clear-groups --inh-caps=-all env XDG_RUNTIME_DIR="$work/ordinary" HOME="$work/ordinary" "$@")
}
