#!/usr/bin/env bats
# Buildah with the isolation "oci": `bud` and `run`.
load helpers

bud() { BUILDAH_ISOLATION=oci BUILDAH_RUNTIME=$(command -v "$CLIENT_RUNTIME") buildah --storage-driver vfs "$@"; }

setup_file() {
    image_tar
    local from
    from=$(bud from scratch)
    bud add "$from" "$CLIENT_WORK/image.tar" / >/dev/null
    bud config --env PATH=/bin "$from"
    bud commit "$from" box >/dev/null 2>&1
    bud rm "$from" >/dev/null
}

teardown() { bud rm --all >/dev/null 2>&1 || true; }

@test "buildah: bud with RUN, USER, WORKDIR, ENV" {
    mkdir -p "$CLIENT_WORK/bud"
    printf 'FROM localhost/box\nENV A=b\nWORKDIR /tmp\nRUN echo $A >/made; pwd >>/made\nUSER 33\nRUN id -u >/tmp/who\n' >"$CLIENT_WORK/bud/Containerfile"
    bud bud --network none -t made "$CLIENT_WORK/bud"
    local from
    from=$(bud from localhost/made)
    run bud run --network none "$from" cat /made /tmp/who
    ended 0
    [[ ${lines[*]} == 'b /tmp 33' ]]
}

@test "buildah: a RUN that fails fails the build, with its status" {
    mkdir -p "$CLIENT_WORK/bud2"
    printf 'FROM localhost/box\nRUN exit 9\n' >"$CLIENT_WORK/bud2/Containerfile"
    run bud bud --network none "$CLIENT_WORK/bud2"
    ((status != 0))
    says 'exit status 9'
}

@test "buildah: run with input, terminal, mounts, and exit codes" {
    local from
    from=$(bud from localhost/box)
    run bud run --network none "$from" sh -c 'exit 7'
    ended 7
    run bud run --network none "$from" cat <<<'typed in'
    [[ $output == 'typed in' ]]
    mkdir -p "$CLIENT_WORK/bv"
    echo outside >"$CLIENT_WORK/bv/file"
    run bud run --network none -v "$CLIENT_WORK/bv:/v:ro" "$from" cat /v/file
    [[ $output == outside ]]
    run bud run --network none --terminal "$from" tty
    says /dev/pts/
    run bud run --network none "$from" nosuchprogram
    ((status != 0))
}

@test "buildah: capabilities, host name, user" {
    local from
    from=$(bud from localhost/box)
    run bud run --network none --cap-drop all --hostname h --user 33 "$from" sh -c 'grep CapPrm /proc/self/status; hostname; id -u'
    ended 0
    says 0000000000000000
    [[ ${lines[1]} == h && ${lines[2]} == 33 ]]
}

@test "buildah: limits, devices, options of the runtime, and both cgroup managers" {
    local from manager
    mkdir -p "$CLIENT_WORK/bud3"
    printf 'FROM localhost/box\nRUN cat /sys/fs/cgroup/memory.max >/limit; ulimit -n >>/limit; ls /dev/null >>/limit\n' >"$CLIENT_WORK/bud3/Containerfile"
    for manager in systemd cgroupfs; do
        printf '[engine]\ncgroup_manager = "%s"\n' "$manager" >"$CLIENT_WORK/manager.conf"
        CONTAINERS_CONF=$CLIENT_WORK/manager.conf bud bud --network none --memory 64m --memory-swap 64m --ulimit nofile=123:123 -t "limited-$manager" "$CLIENT_WORK/bud3"
        from=$(bud from "localhost/limited-$manager")
        run bud run --network none "$from" cat /limit
        ended 0
        [[ ${lines[*]} == '67108864 123 /dev/null' ]]
    done
    run bud bud --network none --runtime-flag invalidflag "$CLIENT_WORK/bud3"
    ((status != 0))
    says invalidflag
}

@test "buildah: nothing is left when all are gone" {
    bud rm --all >/dev/null
    [[ -z $(ls /run/crun-lite 2>/dev/null) ]]
    [[ -z $(find /sys/fs/cgroup -type d -name '*buildah*' 2>/dev/null) ]]
}
