# The root file system: mounts of every kind and option, devices, masks, propagation.
load helpers

@test "root.readonly: writes fail with EROFS; without it they do not" {
    inside write /data/x y + mkdir /new
    [[ $(grep -c EROFS <<<"$output") == 2 ]]
    config '.root.readonly = false'
    inside write /data/x y
    expect '.errno == null'
    [[ $(<rootfs/data/x) == y ]]
}

@test "root.path: absolute, relative, with a trailing slash" {
    local path
    program exit 0
    for path in "$BUNDLE/rootfs" rootfs rootfs/ ./rootfs; do
        config '.root.path = $p' --arg p "$path"
        run -0 rt run "$ID"
    done
}

@test "the default mounts have their types and options" {
    inside report
    expect_mount / '.options | split(",") | index("ro") != null'
    expect_mount /proc '.type == "proc"'
    expect_mount /dev '.type == "tmpfs" and (.options | test("nosuid")) and (.super | test("mode=755"))'
    expect_mount /dev/pts '.type == "devpts" and (.super | test("gid=5")) and (.super | test("ptmxmode=666"))'
    expect_mount /dev/shm '.type == "tmpfs" and (.options | test("nosuid,nodev,noexec")) and (.super | test("size=65536k"))'
    expect_mount /dev/mqueue '.type == "mqueue"'
    expect_mount /sys '.type == "sysfs" and (.options | test("^ro,nosuid,nodev,noexec"))'
    expect_mount /sys/fs/cgroup '.type == "cgroup2" and (.options | test("^ro,"))'
    # Nothing of the host's mount table is visible.
    expect '[.mounts[].target | select(test("oldroot|pivot|/tmp/crun"))] == []'
    expect '.mounts | map(select(.propagation != [])) == []'
}

@test "bind: read-write, ro, files, and missing targets are made" {
    mkdir "$BATS_TEST_TMPDIR/source"
    echo host >"$BATS_TEST_TMPDIR/source/file"
    config '.root.readonly = false'
    mount_add "{\"destination\": \"/mnt\", \"type\": \"bind\", \"source\": \"$BATS_TEST_TMPDIR/source\", \"options\": [\"bind\"]}"
    mount_add "{\"destination\": \"/made/for/it\", \"source\": \"$BATS_TEST_TMPDIR/source\", \"options\": [\"rbind\", \"ro\", \"nosuid\", \"nodev\", \"noexec\"]}"
    mount_add "{\"destination\": \"/etc/hosts\", \"source\": \"$BATS_TEST_TMPDIR/source/file\", \"options\": [\"bind\", \"ro\"]}"
    inside cat /etc/hosts + write /mnt/new x + write /made/for/it/no x + write /etc/hosts no
    [[ ${lines[0]} == host && ${lines[1]} == *null* && ${lines[2]} == *EROFS* && ${lines[3]} == *EROFS* ]]
    [[ $(<"$BATS_TEST_TMPDIR/source/new") == x ]]
    inside report
    expect_mount /made/for/it '.options | test("^ro,nosuid,nodev,noexec")'
    expect_mount /mnt '.options | test("^rw")'
}

@test "bind sources may be relative to the bundle" {
    mkdir source
    echo here >source/file
    mount_add '{"destination": "/mnt", "type": "bind", "source": "source", "options": ["rbind"]}'
    inside cat /mnt/file
    [[ $output == here ]]
}

@test "bind versus rbind: the mounts below come along only with rbind; rro reaches them, ro does not" {
    mkdir -p source/below
    mount -t tmpfs below source/below
    echo deep >source/below/file
    mount_add '{"destination": "/mnt", "source": "source", "options": ["bind"]}'
    inside list /mnt/below
    local plain=$output
    config '.mounts[-1].options = ["rbind", "ro"]'
    inside list /mnt/below + write /mnt/below/w x
    local recursive=$output
    config '.mounts[-1].options = ["rbind", "rro"]'
    inside write /mnt/below/w x
    local readonly=$output
    umount source/below
    [[ $plain == '[]' && $recursive == '["file"]'*null* && $readonly == *EROFS* ]] ||
        { echo "$plain; $recursive; $readonly"; return 1; }
}

@test "tmpfs: size, and tmpcopyup keeps what was there and its mode" {
    chmod 711 rootfs/etc
    mount_add '{"destination": "/etc", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", "size=1m", "nosuid"]}'
    inside cat /etc/marker + stat /etc + write /etc/new x
    [[ ${lines[0]} == inside && ${lines[2]} == *null* ]]
    output=${lines[1]} expect '.mode == (7*64+9)'
    [[ ! -e rootfs/etc/new ]]
    inside report
    expect_mount /etc '.type == "tmpfs" and (.super | test("size=1024k"))'
}

@test "options: noatime, relatime, nodiratime, strictatime, nosymfollow, and later words win" {
    mount_add '{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["noatime", "nodiratime", "nosuid", "suid", "ro", "rw", "nosymfollow"]}'
    inside report
    expect_mount /mnt '.options | split(",") | (index("noatime") != null and index("nodiratime") != null and index("nosuid") == null and index("rw") != null and index("nosymfollow") != null)'
}

@test "an unknown mount option, and an unknown file system, are named with their place" {
    mount_add '{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "frobnicate"]}'
    fails 1 frobnicate /mounts/7 -- rt run "$ID"
    config '.mounts[-1] = {"destination": "/mnt", "type": "nosuchfs", "source": "x"}'
    fails 1 nosuchfs /mounts/7 -- rt run "$ID"
}

@test "a missing bind source is named with its pointer" {
    mount_add '{"destination": "/mnt", "type": "bind", "source": "/no/such/source", "options": ["rbind"]}'
    fails 1 /no/such/source /mounts/7/source "$M_ENOENT" -- rt run "$ID"
}

@test "propagation of a mount: rshared, rslave, rprivate, runbindable" {
    local word
    mkdir source
    mount --bind source source
    mount --make-shared source
    program report
    for word in rshared:shared rslave:master; do
        config '.linux.rootfsPropagation = "rslave" | .mounts = (.mounts[:7] + [{"destination": "/mnt", "source": "source", "options": ["rbind", $o]}])' --arg o "${word%:*}"
        run --separate-stderr rt run "$ID"
        expect_mount /mnt ".propagation | map(test(\"^${word#*:}\")) | any" || { umount source; return 1; }
    done
    config '.mounts[-1].options = ["rbind", "rprivate"]'
    run --separate-stderr rt run "$ID"
    expect_mount /mnt '.propagation == []' || { umount source; return 1; }
    umount source
}

@test "rootfsPropagation: what the container mounts never reaches the host" {
    local word
    for word in private slave unbindable; do
        config '.linux.rootfsPropagation = $w' --arg w "$word"
        inside exit 0
    done
    config '.linux.rootfsPropagation = "sideways"'
    fails 1 sideways /linux/rootfsPropagation -- rt run "$ID"
}

@test "a hostile rootfs: targets that are symlinks out of it stay inside" {
    ln -sfn /../../../../../../etc rootfs/escape
    ln -sfn ../../../../../../../../../../tmp rootfs/mnt/up
    mkdir source
    config '.root.readonly = false'
    mount_add '{"destination": "/escape/made-by-test", "source": "source", "options": ["bind"]}'
    mount_add '{"destination": "/mnt/up/made-by-test", "type": "tmpfs", "source": "tmpfs"}'
    inside report
    expect_mount /etc/made-by-test '.target == "/etc/made-by-test"'
    expect_mount /tmp/made-by-test '.type == "tmpfs"'
    [[ ! -e /etc/made-by-test && ! -e /tmp/made-by-test ]]
}

@test "a rootfs whose /proc is a symlink is refused" {
    rmdir rootfs/proc
    ln -s data rootfs/proc
    run --separate-stderr rt run "$ID"
    [[ $status != 0 && -n $stderr ]]
}

@test "idmapped mount: the host's ids appear shifted" {
    mkdir source
    echo x >source/file
    chown 1000:1000 source/file
    mount_add '{"destination": "/mnt", "source": "source", "options": ["bind"],
        "uidMappings": [{"containerID": 1000, "hostID": 5000, "size": 10}],
        "gidMappings": [{"containerID": 1000, "hostID": 6000, "size": 10}]}'
    inside stat /mnt/file
    expect '.uid == 5000 and .gid == 6000'
    [[ $(stat -c %u:%g source/file) == 1000:1000 ]]
}

@test "default devices and links" {
    local device
    inside report
    for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
        IFS=: read -r name major minor <<<"$device"
        expect --arg n "$name" --argjson a "$major" --argjson i "$minor" '.dev[$n] | .type == "char" and .major == $a and .minor == $i and .mode == (6*64+6*8+6)'
    done
    expect '.dev.fd.link == "/proc/self/fd" and .dev.stdin.link == "/proc/self/fd/0" and .dev.stdout.link == "/proc/self/fd/1" and .dev.stderr.link == "/proc/self/fd/2"'
    expect '.dev.ptmx.link | test("pts/ptmx$")'
    inside write /dev/null x + try-open /dev/zero r + try-open /dev/urandom r
    [[ $(grep -c null <<<"$output") -ge 3 && $output != *EPERM* ]]
}

@test "listed devices: nodes of each type with mode and owner, in directories that are made" {
    config '.linux.devices = [
        {"path": "/dev/mem2", "type": "c", "major": 1, "minor": 1, "fileMode": 416, "uid": 3, "gid": 4},
        {"path": "/dev/deep/er/loop", "type": "b", "major": 7, "minor": 0, "fileMode": 384},
        {"path": "/dev/pipe", "type": "p", "fileMode": 420}]'
    inside report
    expect '.dev.mem2 | .type == "char" and .major == 1 and .minor == 1 and .mode == 416 and .uid == 3 and .gid == 4'
    expect '.dev.pipe.type == "fifo" and .dev.deep.type == "dir"'
    inside stat /dev/deep/er/loop
    expect '.type == "block" and .major == 7 and .mode == 384'
}

@test "a device of an unknown type" {
    config '.linux.devices = [{"path": "/dev/x", "type": "z", "major": 1, "minor": 1}]'
    fails 1 /linux/devices/0 -- rt run "$ID"
}

@test "masked files read as empty, masked directories as empty, read-only paths refuse writes" {
    mkdir -p rootfs/secret
    echo x >rootfs/secret/file
    echo y >rootfs/etc/shadowed
    config '.root.readonly = false | .linux.maskedPaths += ["/secret", "/etc/shadowed", "/not/there"] | .linux.readonlyPaths += ["/data", "/also/not/there"]'
    inside list /secret + stat /etc/shadowed + write /data/x y + try-open /proc/kcore r + write /proc/sys/kernel/hostname hacked + write /proc/sysrq-trigger b
    [[ ${lines[0]} == '[]' ]]
    output=${lines[1]} expect '.type == "char" and .major == 1 and .minor == 3'
    [[ ${lines[2]} == *EROFS* && ${lines[4]} == *EROFS* ]]
    [[ ${lines[5]} == *EROFS* || ! -e /proc/sysrq-trigger ]]
    inside write /secret/new x
    [[ $output != *null* ]]
}

@test "a masked path that is a symlink does not mask something else on the host" {
    ln -s /etc/marker rootfs/link
    config '.linux.maskedPaths += ["/link"]'
    run --separate-stderr rt run "$ID"
    [[ $(<rootfs/etc/marker) == inside ]]
}

@test "root on a shared mount of the host: nothing propagates back" {
    mkdir shared
    mount -t tmpfs tmpfs shared
    mount --make-shared shared
    cp -a rootfs shared/
    config '.root.path = "shared/rootfs"'
    run --separate-stderr rt run "$ID"
    local result=$status
    umount shared
    [[ $result == 0 ]]
}

@test "--no-pivot works on a root that pivot_root cannot leave" {
    program exit 6
    run -6 rt run --no-pivot "$ID"
}

@test "cgroup mount: read-only view of the container's own cgroup" {
    inside list /sys/fs/cgroup + write /sys/fs/cgroup/cgroup.freeze 1 + cat /sys/fs/cgroup/cgroup.procs
    [[ ${lines[0]} == *cgroup.procs* && ${lines[1]} == *EROFS* && ${lines[2]} == 1 ]]
}

@test "mounts need an absolute destination" {
    mount_add '{"destination": "mnt", "type": "tmpfs", "source": "tmpfs"}'
    run --separate-stderr rt run "$ID"
    # 1.0 and 1.1 of the specification differ: a relative one is refused, or taken from the root with a word in the log.
    [[ $status == 0 ]] || says "$stderr" /mounts/7/destination
}
