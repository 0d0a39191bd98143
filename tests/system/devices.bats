# The devices and links of /dev, and those of /linux/devices.
load helpers

device_add() { config '.linux.devices += [$d]' --argjson d "$1"; }

# spec: DDEV-01 DDEV-02 DDEV-03 DDEV-04 DDEV-05 DDEV-06 DDEV-07 DDEV-08 DDEV-09
@test "the default devices are there without being listed, and do what they do" {
    local device
    umask 077
    inside report
    for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
        IFS=: read -r name major minor <<<"$device"
        expect --arg n "$name" --argjson a "$major" --argjson i "$minor" '.dev[$n] | .type == "char" and .major == $a and .minor == $i and .mode == (6*64+6*8+6) and .uid == 0 and .gid == 0'
    done
    # Without a terminal there is no console.
    expect '.dev.console == null and .dev.ptmx.link == "pts/ptmx"'
    inside write /dev/null x + read /dev/null 4 + read /dev/zero 4 + write /dev/full x + read /dev/random 4 + read /dev/urandom 4 + try-open /dev/tty r + try-open /dev/ptmx rw
    [[ ${lines[0]} == *'null}'* && ${lines[1]} == *'"hex":""'* && ${lines[2]} == *'"hex":"00000000"'* && ${lines[3]} == *ENOSPC* ]]
    output=${lines[4]} expect '.hex | test("^[0-9a-f]{8}$")'
    output=${lines[5]} expect '.hex | test("^[0-9a-f]{8}$")'
    # No terminal of its own, so none to open; the node itself is fine.
    [[ ${lines[6]} == *ENXIO* && ${lines[7]} == *'null}'* ]]
}

# spec: DLNK-01 DLNK-02 DLNK-03 DLNK-04 DLNK-05
@test "links of /dev: where they lead, only where that exists, and never over something else" {
    inside report
    expect '.dev.fd.link == "/proc/self/fd" and .dev.stdin.link == "/proc/self/fd/0" and .dev.stdout.link == "/proc/self/fd/1" and .dev.stderr.link == "/proc/self/fd/2"'
    [[ ! -e /proc/kcore ]] || expect '.dev.core.link == "/proc/kcore"'
    # No /proc: none of them.
    config '.mounts |= map(select(.destination != "/proc")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
    inside list /dev
    expect '. == ["full", "mqueue", "null", "ptmx", "pts", "random", "shm", "tty", "urandom", "zero"]'
    # A /proc of the image's own, with a part of what there could be.
    mkdir -p rootfs/proc/self/fd
    touch rootfs/proc/self/fd/1
    inside list /dev
    expect '. == ["fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stdout", "tty", "urandom", "zero"]'
}

# spec: DLNK-05 DEV-09
@test "links of /dev: what the root file system has under such a name stays" {
    rm -rf rootfs/dev
    mkdir -p rootfs/dev/pts
    echo mine >rootfs/dev/fd
    ln -s elsewhere rootfs/dev/core
    config '.root.readonly = false | .mounts |= map(select(.destination | test("^/dev(/shm|/mqueue)?$") | not))'
    inside cat /dev/fd + report
    [[ ${lines[0]} == mine ]]
    output=${lines[1]} expect '.dev.fd.type == "file" and .dev.core.link == "elsewhere" and .dev.stdin.link == "/proc/self/fd/0" and .dev.null.type == "char"'
}

# spec: DEV-01 DEV-03 DEV-04 DEV-06 DEV-09 DEV-11 DEV-12 DEV-13 DEV-14 DDEV-09
@test "listed devices: each type, mode and owner, anywhere, whatever the umask" {
    umask 077
    config '.root.readonly = false | .linux.devices = [
        {"path": "/dev/mem2", "type": "c", "major": 1, "minor": 1, "fileMode": 416, "uid": 3, "gid": 4},
        {"path": "/dev/deep/er/loop", "type": "b", "major": 7, "minor": 0, "fileMode": 384},
        {"path": "/dev/pipe", "type": "p", "fileMode": 438},
        {"path": "/dev/unbuffered", "type": "u", "major": 1, "minor": 7},
        {"path": "/made/for/it/null2", "type": "c", "major": 1, "minor": 3, "fileMode": 8630},
        {"path": "/data/null3", "type": "c", "major": 1, "minor": 3},
        {"path": "/dev/full", "type": "c", "major": 1, "minor": 3},
        {"path": "/dev/zero", "type": "c", "major": 1, "minor": 5, "fileMode": 256, "uid": 7}]'
    inside report + stat /dev/deep/er/loop + stat /made/for/it/null2 + stat /made/for + stat /data/null3 + write /data/null3 x + write /made/for/it/null2 x
    lines=("${lines[@]}")
    output=${lines[0]}
    expect '.dev.mem2 | .type == "char" and .major == 1 and .minor == 1 and .mode == 416 and .uid == 3 and .gid == 4'
    expect '.dev.pipe | .type == "fifo" and .mode == 438'
    expect '.dev.unbuffered | .type == "char" and .major == 1 and .minor == 7 and .mode == 438 and .uid == 0 and .gid == 0'
    # In place of a default one.
    expect '.dev.full | .type == "char" and .minor == 3'
    expect '.dev.zero | .type == "char" and .minor == 5 and .mode == 256 and .uid == 7'
    expect '.dev.deep | .type == "dir" and .mode == (7*64+5*8+5)'
    output=${lines[1]} expect '.type == "block" and .major == 7 and .minor == 0 and .mode == 384'
    output=${lines[2]} expect '.type == "char" and .major == 1 and .minor == 3 and .mode == 438'
    output=${lines[3]} expect '.type == "dir" and .mode == (7*64+5*8+5)'
    output=${lines[4]} expect '.type == "char" and .major == 1 and .minor == 3 and .mode == 438'
    [[ ${lines[5]} == *'null}'* && ${lines[6]} == *'null}'* ]]
}

# spec: DEV-03 DEV-04 DEV-07 DEV-08 DEV-10
@test "listed devices: what is refused, with its place" {
    local entry
    while IFS='|' read -r entry pointer word; do
        config '.linux.devices = [$d]' --argjson d "$entry"
        fails 1 "$pointer" "$word" -- rt run "$ID" || { echo "entry: $entry"; return 1; }
    done <<'END'
{"path": "/dev/x", "type": "z", "major": 1, "minor": 1}|/linux/devices/0/type|
{"path": "/dev/x", "type": "", "major": 1, "minor": 1}|/linux/devices/0/type|
{"path": "/dev/x", "type": "cc", "major": 1, "minor": 1}|/linux/devices/0/type|
{"path": "/dev/x", "major": 1, "minor": 1}|/linux/devices/0|type
{"type": "c", "major": 1, "minor": 1}|/linux/devices/0|path
{"path": "dev/x", "type": "c", "major": 1, "minor": 1}|/linux/devices/0/path|
{"path": "/dev/x", "type": "c", "minor": 1}|/linux/devices/0|major
{"path": "/dev/x", "type": "u", "major": 1}|/linux/devices/0|minor
{"path": "/dev/x", "type": "b", "major": 1}|/linux/devices/0|minor
{"path": "/dev/x", "type": "c", "major": 1, "minor": 1, "fileMode": 512}|/linux/devices/0|511
{"path": "/dev/x", "type": "c", "major": 1, "minor": 1, "fileMode": 65536}|/linux/devices/0/fileMode|
{"path": "/dev/x", "type": "c", "major": 1, "minor": 1, "fileMode": -1}|/linux/devices/0/fileMode|
END
}

# spec: DEV-05
@test "listed devices: the same node is accepted, anything else there is refused" {
    config '.root.readonly = false | .linux.devices = [{"path": "/data/x", "type": "c", "major": 1, "minor": 7, "fileMode": 438}]'
    mknod -m 600 rootfs/data/x c 1 7
    inside write /data/x y
    [[ $output == *ENOSPC* ]]
    local make
    for make in "mknod rootfs/data/x c 1 3" "mknod rootfs/data/x b 1 7" "mkfifo rootfs/data/x" "touch rootfs/data/x" \
        "cp config.json rootfs/data/x" "mkdir rootfs/data/x" "ln -s /dev/full rootfs/data/x"; do
        rm -rf rootfs/data/x
        $make
        fails 1 "'/data/x' exists already and is not the device c 1:7" /linux/devices/0 -- rt run "$ID" || { echo "$make"; return 1; }
    done
    rm -rf rootfs/data/x
    mkfifo rootfs/data/x
    config '.linux.devices[0] = {"path": "/data/x", "type": "p"}'
    inside stat /data/x
    expect '.type == "fifo"'
}

# spec: DEV-15
@test "a container cannot use a node of its own making: the device rules deny it" {
    config '.root.readonly = false | .process.capabilities |= map_values(. + ["CAP_MKNOD"])'
    inside mknod /data/disk b 8 0 + mknod /data/mem c 1 1 + mknod /data/null c 1 3 + try-open /data/disk r + try-open /data/mem r + try-open /data/null r
    [[ ${lines[3]} != *'null}'* && ${lines[4]} == *EPERM* ]]
    # Nodes that the default devices are, are not denied.
    [[ ${lines[2]} == *'null}'* && ${lines[5]} == *'null}'* ]]
}

# spec: DDEV-09
@test "a /dev of the host's is left as it is" {
    mkdir dev
    config '.mounts |= map(select(.destination | startswith("/dev") | not)) | .root.readonly = false
            | .linux.devices = [{"path": "/dev/mem2", "type": "c", "major": 1, "minor": 1}]'
    mount_add '{"destination": "/dev", "type": "bind", "source": "dev", "options": ["rbind"]}'
    inside list /dev
    expect '. == []'
    [[ -z $(ls -A dev) ]]
}

# spec: DDEV-08
@test "ptmx is the container's own, whatever the image or the configuration has there" {
    rm -rf rootfs/dev
    mkdir -p rootfs/dev/pts
    mknod rootfs/dev/ptmx c 5 2
    config '.root.readonly = false | .mounts |= map(select(.destination | test("^/dev(/shm|/mqueue)?$") | not))
            | .linux.devices = [{"path": "/dev/ptmx", "type": "c", "major": 5, "minor": 2}]'
    inside report + try-open /dev/ptmx rw
    [[ ${lines[1]} == *'null}'* ]]
    output=${lines[0]} expect '.dev.ptmx.link == "pts/ptmx"'
}

# spec: DDEV-10
@test "the host's /dev/null as a standard stream becomes the container's" {
    # Its own mode, so that the container cannot change the host's.
    program fstat 0 + stat /dev/null + fstat 2
    config '.process.user = {"uid": 0, "gid": 0}'
    run --separate-stderr rt run "$ID" </dev/null
    [[ $status == 0 ]]
    [[ ${lines[0]} == "${lines[1]}" ]] || { echo "$output"; return 1; }
    output=${lines[0]} expect --argjson host "$(stat -c %i /dev/null)" --argjson on "$(stat -c %d /dev/null)" '(.inode == $host and .filesystem == $on) | not'
    # Anything else stays: a file that only bears the name is not taken for it.
    program fstat 0
    config '.root.readonly = false | .mounts |= map(select(.destination | startswith("/dev") | not))'
    mknod rootfs/dev/zero c 1 5
    run --separate-stderr rt run "$ID" </dev/zero
    output=$output expect '.major == 1 and .minor == 5'
    output=$output expect --argjson host "$(stat -c %i /dev/zero)" '.inode == $host'
}

# spec: DEV-02 DEV-12
@test "user namespace: the host's devices are bound; a fifo and its owner are the container's own" {
    local node=$BATS_TEST_TMPDIR/node
    mknod -m 666 "$node" c 1 7
    chown -R 100000:100000 rootfs
    config '.linux.namespaces += [{"type": "user"}]
            | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 1000}] | .linux.gidMappings = .linux.uidMappings
            | .root.readonly = false
            | .linux.devices = [{"path": $node, "type": "c", "major": 1, "minor": 7}, {"path": "/dev/full", "type": "c", "major": 1, "minor": 7},
                                {"path": "/dev/pipe", "type": "p", "fileMode": 384, "uid": 5, "gid": 6}]' --arg node "$node"
    inside stat "$node" + write /dev/full x + stat /dev/pipe + write /dev/null x + report
    output=${lines[0]} expect '.type == "char" and .major == 1 and .minor == 7'
    [[ ${lines[1]} == *ENOSPC* && ${lines[3]} == *'null}'* ]]
    output=${lines[2]} expect '.type == "fifo" and .mode == 384 and .uid == 5 and .gid == 6'
    # The very node of the host.
    output=${lines[0]} expect --argjson i "$(stat -c %i "$node")" '.inode == $i'
    output=${lines[4]} expect_mount /dev/full '.root | test("full")'
    config '.linux.devices = [{"path": "/dev/not-there", "type": "c", "major": 1, "minor": 250}]'
    fails 1 "'/dev/not-there'" /linux/devices/0 "user namespace" -- rt run "$ID"
}

@test "the last mount counts at the place of a device: below another mount, outside of /dev, in a user namespace" {
    local user
    echo of-the-bundle >"$BATS_TEST_TMPDIR/file"
    chmod 644 "$BATS_TEST_TMPDIR/file"
    for user in '' user; do
        new_bundle "$BUNDLE"
        config '.mounts += [{"destination": "/dev/d", "type": "tmpfs", "source": "tmpfs"}, {"destination": "/data", "type": "tmpfs", "source": "tmpfs"}]
            + [("/dev/d/x", "/data/x") | {"destination": ., "type": "bind", "source": $f, "options": ["bind"]}]
            | .linux.devices = [("/dev/d/x", "/dev/d/y", "/data/x", "/data/y") | {"path": ., "type": "c", "major": 1, "minor": 5}]' --arg f "$BATS_TEST_TMPDIR/file"
        if [[ -n $user ]]; then
            config '.linux.namespaces += [{"type": "user"}]
                | .linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 4294967295}] | .linux.gidMappings = .linux.uidMappings
                | .linux.devices |= map(select(.path | endswith("/x")))' # those of the host, which has no others
            inside stat /dev/d/x + stat /data/x
            [[ $(jq -r .type <<<"$output" | xargs) == "file file" ]] || { echo "$output" >&2; return 1; }
            continue
        fi
        inside stat /dev/d/x + stat /dev/d/y + stat /data/x + stat /data/y
        [[ $(jq -r .type <<<"$output" | xargs) == "file char file char" ]] || { echo "$output" >&2; return 1; }
    done
}

@test "a mount of the bundle at the place of a device counts: default or listed, in a user namespace too, without an entry for /dev" {
    local base
    echo of-the-bundle >"$BATS_TEST_TMPDIR/file"
    chmod 644 "$BATS_TEST_TMPDIR/file"
    config '.mounts += [("random", "zero") | {"destination": "/dev/\(.)", "type": "bind", "source": $f, "options": ["bind"]}]' --arg f "$BATS_TEST_TMPDIR/file"
    base=$(<config.json)
    look() {
        inside stat /dev/random + stat /dev/zero + stat /dev/null
        [[ $(jq -r .type <<<"$output" | xargs) == "file file char" ]] || { echo "$1: $output" >&2; return 1; }
    }
    look default
    config '.linux.devices = [{"path": "/dev/zero", "type": "c", "major": 1, "minor": 5}]'
    look listed
    config '.linux.namespaces += [{"type": "user"}]
        | .linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 4294967295}] | .linux.gidMappings = .linux.uidMappings'
    look 'user namespace'
    echo "$base" >config.json
    config '.root.readonly = false | .mounts |= map(select(.destination != "/dev" and .destination != "/dev/pts" and .destination != "/dev/shm" and .destination != "/dev/mqueue"))'
    look 'no entry for /dev'
}
