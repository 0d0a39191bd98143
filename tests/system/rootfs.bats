# The root file system: mounts of every kind and option, devices, masks, propagation.
load helpers

# --- /root -------------------------------------------------------------------------------------------------------------

# spec: ROOT-01 ROOT-02 ROOT-05
@test "root: what is refused, with its place, and nothing is left" {
    touch file
    ln -s rootfs/nowhere dangling
    while IFS='|' read -r root pointer word; do
        config '.root = $r' --argjson r "$root"
        fails 1 "$pointer" "$word" -- rt create "$ID" || { echo "root: $root"; return 1; }
    done <<'END'
{}|/root|path
{"path": ""}|/root/path|
{"path": "missing"}|/root/path|open root filesystem '
{"path": "missing/deeper"}|/root/path|No such file
{"path": "/no/such/root"}|/root/path|'/no/such/root'
{"path": "file"}|/root/path|Not a directory
{"path": "dangling"}|/root/path|No such file
{"path": "rootfs", "readonly": "yes"}|/root/readonly|
END
    config 'del(.root)'
    fails 1 root -- rt create "$ID"
}

# spec: ROOT-03
@test "root.path: absolute as it is, relative from the bundle and not from the caller's directory" {
    local path
    program cat /etc/marker
    mkdir -p "$BATS_TEST_TMPDIR/elsewhere/rootfs"
    cd "$BATS_TEST_TMPDIR/elsewhere"
    for path in "$BUNDLE/rootfs" rootfs rootfs/ ./rootfs ../bundle/rootfs; do
        config '.root.path = $p' --arg p "$path"
        run_ok --bundle "$BUNDLE"
        [[ $output == inside ]]
        run_ok --bundle ../bundle
        [[ $output == inside ]]
    done
}

# spec: ROOT-04
@test "the generated configuration has its root in rootfs" {
    rm config.json
    run -0 "$CRUN_LITE" spec
    [[ $(jq -r .root.path config.json) == rootfs ]]
}

# spec: ROOT-06 ROOT-07
@test "root.readonly: nothing can be written but on other mounts, and the host still can" {
    config '.mounts += [{"destination": "/mnt", "type": "tmpfs"}, {"destination": "/made/for/it", "type": "tmpfs"}]
            | .linux.devices = [{"path": "/data/null", "type": "c", "major": 1, "minor": 3}]
            | .hooks.createContainer = [{"path": "/bin/sh", "args": ["sh", "-c", "echo hook >rootfs/data/by-hook"]}]'
    inside write /data/x y + mkdir /new + write /mnt/x y + write /made/for/it/x y + write /data/null y + cat /data/by-hook + report
    [[ $(grep -c EROFS <<<"$output") == 2 && ${lines[0]} == *EROFS* && ${lines[1]} == *EROFS* ]]
    [[ ${lines[2]} == *'null}'* && ${lines[3]} == *'null}'* && ${lines[4]} == *'null}'* && ${lines[5]} == hook ]]
    output=${lines[6]} expect_mount / '(.options | split(",")[0] == "ro") and (.super | split(",")[0] == "rw")'
    program sleep
    run_detached
    echo host >rootfs/data/while-it-runs
    silently rt delete --force "$ID"
    config '.root.readonly = false'
    inside write /data/x y + cat /data/while-it-runs
    [[ ${lines[0]} == *'null}'* && ${lines[1]} == host && $(<rootfs/data/x) == y ]]
    config 'del(.root.readonly)'
    inside write /data/x z
    [[ $(<rootfs/data/x) == z ]]
}

# spec: ROOT-07
@test "root.readonly keeps the restrictions of the mount that the root is on" {
    mkdir mounted
    mount -t tmpfs -o nosuid,nodev,noatime mounted mounted
    cp -a rootfs mounted/
    config '.root.path = "mounted/rootfs"'
    program report
    run --separate-stderr rt run "$ID"
    local result=$status
    touch mounted/rootfs/host-writes || result=1
    umount mounted
    [[ $result == 0 ]]
    expect_mount / '.options == "ro,nosuid,nodev,noatime"'
}

# spec: ROOT-08
@test "the root is entered by pivot_root, by --no-pivot, or by chroot without a mount namespace: no host path remains" {
    local words
    for words in "" --no-pivot; do
        program report + list / + try-open "/../..$BUNDLE/config.json" r
        # shellcheck disable=SC2086 # none, or one word
        run --separate-stderr rt run $words "$ID"
        [[ $status == 0 && ${lines[1]} == *'"probe"'* && ${lines[2]} == *ENOENT* ]] || { echo "$words: $output $stderr"; return 1; }
        output=${lines[0]} expect '[.mounts[] | select(.target == "/")] | length == 1'
        output=${lines[0]} expect --arg b "$BUNDLE" '[.mounts[].target | select(startswith($b) or test("oldroot|/host"))] == []'
    done
    config '.linux.namespaces |= map(select(.type != "mount" and .type != "cgroup")) | .mounts = [] | .root.readonly = false
            | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
    inside list / + try-open "/../..$BUNDLE/config.json" r + list /dev + write /data/x y
    [[ ${lines[0]} == *'"probe"'* && ${lines[1]} == *ENOENT* && ${lines[2]} == "[]" && $(<rootfs/data/x) == y ]]
    [[ -z $(ls -A rootfs/dev) ]]
    config '.root.readonly = true'
    fails 1 /root/readonly "mount namespace" -- rt run "$ID"
}

# --- the rest ----------------------------------------------------------------------------------------------------------

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

