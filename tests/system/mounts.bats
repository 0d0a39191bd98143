# The entries of /mounts: where they go, what they are, what their options do, and id-mapped ones.
load helpers

bind_of() { # SOURCE TARGET OPTION...
    config '.mounts += [{"destination": $t, "source": $s, "options": $ARGS.positional}]' --arg s "$1" --arg t "$2" --args "${@:3}"
}
tmpfs_on() { # TARGET OPTION...
    config '.mounts += [{"destination": $t, "type": "tmpfs", "source": "tmpfs", "options": $ARGS.positional}]' --arg t "$1" --args "${@:2}"
}

# --- which, in which order, where ------------------------------------------------------------------------------------

# spec: MNT-01 MNT-10
@test "no mounts at all, and entries without options" {
    config 'del(.mounts) | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
    inside list /proc
    expect '. == []'
    config '.mounts = []'
    inside list /proc
    config '.mounts = [{"destination": "/proc", "type": "proc"}, {"destination": "/mnt", "type": "tmpfs", "options": []},
                       {"destination": "/data", "type": "tmpfs", "source": "x", "options": ["ro"]}]'
    inside report
    expect_mount /mnt '.type == "tmpfs" and .options == "rw,relatime"'
    expect_mount /data '.options == "ro,relatime"'
}

# spec: MNT-02 MNT-19
@test "entries are mounted in their order: the later one covers the earlier" {
    mkdir source
    echo bound >source/file
    tmpfs_on /data
    bind_of source /data/below bind
    inside cat /data/below/file
    [[ $output == bound ]]
    config '.mounts = .mounts[:7] + [.mounts[8], .mounts[7]]'
    inside list /data
    expect '. == []'
    [[ -d rootfs/data/below ]]
}

# spec: MNT-03 MNT-07 MNT-11 MNT-13 MNT-23 ROOT-08
@test "types, sources, flags and data are those of mount(2)" {
    tmpfs_on /mnt size=64k,mode=1777 nr_inodes=10 noexec
    config '.mounts[-1].source = "any words"'
    inside report
    expect_mount /mnt '.type == "tmpfs" and (.source | test("any.040words")) and .options == "rw,noexec,relatime" and (.super | test("size=64k") and test("nr_inodes=10"))'
    expect_mount / '.options | split(",") | index("ro") != null'
    expect_mount /proc '.type == "proc" and .source == "proc"'
    expect_mount /dev '.type == "tmpfs" and .options == "rw,nosuid" and (.super | test("mode=755"))'
    expect_mount /dev/pts '.type == "devpts" and (.super | test("gid=5")) and (.super | test("ptmxmode=666"))'
    expect_mount /dev/shm '.type == "tmpfs" and .source == "shm" and .options == "rw,nosuid,nodev,noexec,relatime" and (.super | test("size=65536k"))'
    expect_mount /dev/mqueue '.type == "mqueue" and .options == "rw,nosuid,nodev,noexec,relatime"'
    expect_mount /sys '.type == "sysfs" and .options == "ro,nosuid,nodev,noexec,relatime"'
    expect_mount /sys/fs/cgroup '.type == "cgroup2" and .options == "ro,nosuid,nodev,noexec,relatime"'
    # One root, and nothing of the host's mount table.
    expect '[.mounts[] | select(.target == "/")] | length == 1'
    expect '[.mounts[].target | select(test("oldroot|pivot|/tmp/crun"))] == []'
    expect '.mounts | map(select(.propagation != [])) == []'
    inside stat /mnt
    expect '.mode == (1*512+7*64+7*8+7)'
}

# spec: MNT-11
@test "an overlay" {
    mkdir lower upper work
    tmpfs_on /mnt
    echo lower >lower/file
    config '.mounts[-1] = {"destination": "/mnt", "type": "overlay", "source": "overlay",
        "options": ["lowerdir=\($b)/lower,upperdir=\($b)/upper,workdir=\($b)/work", "nosuid"]}' --arg b "$PWD"
    # The upper layer must be on a file system that can be one.
    mount -t tmpfs upper upper && mkdir upper/u upper/w
    config '.mounts[-1].options[0] |= (sub("/upper,"; "/upper/u,") | sub("/work$"; "/upper/w"))'
    run --separate-stderr rt run "$ID"
    program cat /mnt/file + write /mnt/new x
    run --separate-stderr rt run "$ID"
    local made
    [[ ! -e upper/u/new ]] || made=yes
    umount upper
    [[ $status == 0 && ${lines[0]} == lower && $made == yes ]] || { echo "$output $stderr"; return 1; }
}

# spec: MNT-04 MNT-05 MNT-06
@test "destination: required, absolute; a relative one counts from the root, with a warning" {
    tmpfs_on /data/x
    config '.mounts += [{"destination": "relative/one", "type": "tmpfs", "source": "relative"}]'
    program report
    create_container
    [[ ! -s $BATS_TEST_TMPDIR/err ]]
    silently rt delete "$ID"
    run --separate-stderr "$CRUN_LITE" --root "$STATE" --log-level warning run "$ID"
    says "$stderr" /mounts/8/destination "'relative/one' is not absolute"
    [[ $stderr != *mounts/7* ]]
    expect_mount /data/x '.type == "tmpfs"'
    expect_mount /relative/one '.source == "relative"'
    config '.mounts[-1].destination = ""'
    fails 1 /mounts/8 destination -- rt run "$ID"
    config 'del(.mounts[-1].destination)'
    fails 1 /mounts/8 destination -- rt run "$ID"
}

# spec: MNT-08
@test "a bind's source: absolute as it is, relative from the bundle, whatever the caller's directory" {
    mkdir vol "$BATS_TEST_TMPDIR/vol"
    echo bundle >vol/file
    echo elsewhere >"$BATS_TEST_TMPDIR/vol/file"
    bind_of vol /data rbind
    bind_of "$BATS_TEST_TMPDIR/vol" /mnt bind
    program cat /data/file + cat /mnt/file
    cd "$BATS_TEST_TMPDIR"
    run_ok --bundle "$BUNDLE"
    [[ ${lines[0]} == bundle && ${lines[1]} == elsewhere ]]
    cd /
    run_ok --bundle "$BUNDLE"
    [[ ${lines[0]} == bundle && ${lines[1]} == elsewhere ]]
}

# spec: MNT-09
@test "a bind is what has the option, whatever its type says" {
    local type
    mkdir source
    echo bound >source/file
    for type in none bind ext4 tmpfs '' proc; do
        config '.mounts = .mounts[:7] + [{"destination": "/mnt", "type": $t, "source": "source", "options": ["rbind"]}]' --arg t "$type"
        inside cat /mnt/file
        [[ $output == bound ]]
    done
    config '.mounts[-1].type = "bind" | .mounts[-1].options = ["ro"]'
    fails 1 /mounts/7/type "the option bind or rbind" -- rt run "$ID"
    config '.mounts[-1].type = "tmpfs"'
    inside list /mnt
    expect '. == []'
}

# spec: MNT-12
@test "a file system that the kernel does not have" {
    mount_add '{"destination": "/mnt", "type": "nosuchfs", "source": "x"}'
    fails 1 nosuchfs /mounts/7/type "no filesystem of this type" -- rt run "$ID"
    config '.mounts[-1] = {"destination": "/mnt"}'
    fails 1 /mounts/7/type "no type" -- rt run "$ID"
}

# spec: MNT-13 MNT-15 MNT-18
@test "options that only the file system knows, or only mount(8)" {
    tmpfs_on /mnt nofail _netdev x-systemd.automount auto comment=volume defaults size=32k
    inside report
    expect_mount /mnt '.options == "rw,relatime" and (.super | test("size=32k"))'
    config '.mounts[-1].options = ["user"]'
    inside report
    expect_mount /mnt '.options == "rw,nosuid,nodev,noexec,relatime"'
    config '.mounts[-1].options = ["nosuid", "frobnicate"]'
    fails 1 "option 'frobnicate'" /mounts/7/options -- rt run "$ID"
    mkdir source
    config '.mounts[-1] = {"destination": "/mnt", "source": "source", "options": ["rbind", "size=1k"]}'
    fails 1 "'size=1k'" "which a bind mount cannot change" /mounts/7/options/1 -- rt run "$ID"
}

# spec: MNT-14 MOPT-68
@test "extensions: copy-symlink is listed among the features; other runtimes' are refused or the file system's" {
    run --separate-stderr rt features
    expect '.mountOptions | index("copy-symlink") != null'
    ln -s ../usr/share/zone zone
    bind_of zone /etc/localtime bind copy-symlink
    config '.root.readonly = false'
    inside stat /etc/localtime
    expect '.link == "../usr/share/zone"'
    local word
    for word in src-nofollow dest-nofollow; do
        config '.mounts[-1].options = ["bind", $w]' --arg w "$word"
        fails 1 "mount option '$word' is not supported" /mounts/7/options/1 -- rt run "$ID"
    done
    for word in rsync rasync rdirsync rmand rnomand; do
        config '.mounts[-1] = {"destination": "/mnt", "type": "tmpfs", "options": [$w]}' --arg w "$word"
        fails 1 "option '$word'" /mounts/7/options -- rt run "$ID"
    done
}

# spec: MNT-19
@test "missing mount points are made: a directory, or an empty file for a file" {
    umask 077
    mkdir source
    echo text >source/file
    bind_of source/file /made/for/file bind ro
    bind_of source /made/for/directory bind
    tmpfs_on /made/for/tmpfs
    inside cat /made/for/file + stat /made/for + list /made/for/directory
    [[ ${lines[0]} == text && ${lines[2]} == '["file"]' ]]
    output=${lines[1]} expect '.mode == (7*64+5*8+5)'
    [[ $(stat -c '%F %a %s' rootfs/made/for/file) == "regular empty file 644 0" ]]
    [[ $(stat -c '%F %a' rootfs/made/for/directory) == "directory 755" ]]
    # What kind they are must agree.
    bind_of source /etc/marker bind
    fails 1 /mounts/10 "both be directories" -- rt run "$ID"
}

# spec: MNT-20
@test "a mount point behind symbolic links is found inside of the root, and made there" {
    ln -sfn /../../../../../../etc rootfs/escape
    ln -sfn ../../../../../../../../../../tmp rootfs/mnt/up
    ln -s /nowhere/yet rootfs/dangling
    mkdir source
    config '.root.readonly = false'
    bind_of source /escape/made-by-test bind
    tmpfs_on /mnt/up/made-by-test
    tmpfs_on /dangling
    inside report
    expect_mount /etc/made-by-test '.target == "/etc/made-by-test"'
    expect_mount /tmp/made-by-test '.type == "tmpfs"'
    expect_mount /nowhere/yet '.type == "tmpfs"'
    [[ ! -e /etc/made-by-test && ! -e /tmp/made-by-test && ! -e /nowhere ]]
    [[ -d rootfs/etc/made-by-test && -d rootfs/nowhere/yet ]]
}

# spec: MNT-21
@test "/proc and /sys are no symbolic links; below /proc only what may be replaced" {
    local path
    mkdir source
    echo "processor : none" >source/file
    for path in /proc/self/attr /proc/1 /proc/sys /proc/../proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/keys; do
        config '.mounts = .mounts[:7] + [{"destination": $p, "source": "source/file", "options": ["bind"]}]' --arg p "$path"
        fails 1 /mounts/7/destination "inside /proc" -- rt run "$ID"
    done
    for path in cpuinfo diskstats meminfo stat swaps uptime loadavg; do
        [[ -e /proc/$path ]] || continue
        config '.mounts = .mounts[:7] + [{"destination": $p, "source": "source/file", "options": ["bind"]}]' --arg p "/proc/$path"
        inside cat "/proc/$path"
        [[ $output == "processor : none" ]]
    done
    config '.mounts = .mounts[:7]'
    for path in proc sys; do
        rmdir "rootfs/$path"
        ln -s data "rootfs/$path"
        run --separate-stderr rt run "$ID"
        [[ $status == 1 ]] && says "$stderr" "must be a directory, not a symlink"
        rm "rootfs/$path"
        mkdir "rootfs/$path"
    done
}

# spec: MNT-22 MNT-25
@test "tmpfs: the mode of the directory that it covers; read-only only when all is in it" {
    chmod 1770 rootfs/data
    tmpfs_on /data
    tmpfs_on /tmp mode=700
    tmpfs_on /mnt ro
    config '.mounts[1].options += ["ro"]'
    bind_of rootfs/etc /mnt/deep/er bind
    inside stat /data + stat /tmp + cat /mnt/deep/er/marker + mkdir /mnt/x + write /dev/x y + write /dev/null y + report
    output=${lines[0]} expect '.mode == (1*512+7*64+7*8)'
    output=${lines[1]} expect '.mode == (7*64)'
    [[ ${lines[2]} == inside && ${lines[3]} == *EROFS* && ${lines[4]} == *EROFS* && ${lines[5]} == *'null}'* ]]
    output=${lines[6]} expect '.dev.full.type == "char" and .dev.stdin.type == "link" and .dev.shm.type == "dir"'
}

# spec: MNT-23
@test "type cgroup: the container's own part of cgroup2, with and without a cgroup namespace" {
    inside list /sys/fs/cgroup + write /sys/fs/cgroup/cgroup.freeze 1 + cat /sys/fs/cgroup/cgroup.procs
    [[ ${lines[0]} == *cgroup.procs* && ${lines[1]} == *EROFS* && ${lines[2]} == 1 ]]
    config '.linux.namespaces |= map(select(.type != "cgroup"))'
    inside report
    expect_mount /sys/fs/cgroup '.type == "cgroup2" and (.options | test("^ro,"))'
}

# --- what options do ---------------------------------------------------------------------------------------------------

# spec: MOPT-05 MOPT-08 MOPT-14 MOPT-16 MOPT-22 MOPT-23 MOPT-39 MOPT-50 MOPT-55 MOPT-56 MOPT-42 MOPT-43
@test "what ro, nosuid, nodev, noexec and nosymfollow forbid is forbidden, and allowed again by their opposites" {
    local word
    mkdir -p source
    mount -t tmpfs source source
    cp "$PROBE" source/set-id
    chown 4321:4321 source/set-id
    chmod 6755 source/set-id
    mknod -m 666 source/null c 1 3
    ln -s null source/link
    config '.root.readonly = false | .process.noNewPrivileges = false'
    for word in ro:rw nosuid:suid nodev:dev noexec:exec nosymfollow:symfollow; do
        bind_of source "/m/${word%:*}" bind "${word#*:}" "${word%:*}"
        bind_of source "/m/${word#*:}" bind "${word%:*}" "${word#*:}"
    done
    bind_of source /m/rro rbind rrw rro
    bind_of source /m/rrw rbind rro rrw
    program write /m/ro/x y + write /m/rw/x y + write /m/rro/x y + write /m/rrw/x y + try-open /m/nodev/null r + try-open /m/dev/null r + \
        try-open /m/nosymfollow/link r + try-open /m/symfollow/link r + exec /m/nosuid/set-id report
    run --separate-stderr rt run "$ID"
    local first=("${lines[@]}") statuses=$status
    config '.process.args = ["/probe", "exec", "/m/suid/set-id", "report"]'
    run --separate-stderr rt run "$ID"
    local set_id=$output
    config '.process.args[2] = "/m/exec/set-id"'
    run --separate-stderr rt run "$ID"
    statuses+=" $status"
    config '.process.args[2] = "/m/noexec/set-id"'
    run --separate-stderr rt run "$ID"
    umount source
    [[ $status != 0 && $stderr == *"Permission denied"* && $statuses == "0 0" ]]
    [[ ${first[0]} == *EROFS* && ${first[1]} == *'null}'* && ${first[2]} == *EROFS* && ${first[3]} == *'null}'* ]]
    [[ ${first[4]} == *EACCES* && ${first[5]} == *'null}'* && ${first[6]} == *ELOOP* && ${first[7]} == *'null}'* ]]
    output=${first[8]} expect '.euid == 0 and .egid == 0'
    output=$set_id expect '.euid == 4321 and .egid == 4321'
}

# spec: MOPT-63
@test "options mean what they mean to mount(8)" {
    local words=(ro rw nosuid nodev noexec noatime nodiratime relatime strictatime sync dirsync lazytime mand nosymfollow silent loud iversion
        noiversion defaults user users owner group suid dev exec atime diratime norelatime nostrictatime async nolazytime nomand symfollow
        auto noauto nouser nofail _netdev comment=x x-y=z)
    local word host ours
    mkdir host
    for word in "${words[@]}"; do
        tmpfs_on "/m/$word" "$word"
    done
    config '.root.readonly = false'
    inside report
    for word in "${words[@]}"; do
        mount -t tmpfs -o "$word" tmpfs host
        host=$(awk -v at="$PWD/host" '$5 == at { options = $6 } END { print options }' /proc/self/mountinfo)
        host+=" $(awk -v at="$PWD/host" '$5 == at { super = $NF } END { print super }' /proc/self/mountinfo)"
        umount host
        ours=$(jq -r --arg at "/m/$word" '.mounts[] | select(.target == $at) | "\(.options) \(.super)"' <<<"$output")
        # A read-only tmpfs is a read-only mount here, so that it can be filled before; its mode is the directory's.
        ours=${ours/,mode=755/}
        [[ $word != ro ]] || ours=${ours/% rw*/ ro}
        [[ ${ours%,inode*} == "${host%,inode*}" ]] || { echo "$word: mount(8) $host, here $ours"; return 1; }
    done
}

# spec: MOPT-03 MOPT-26 MOPT-42
@test "bind versus rbind: the mounts below come along only with rbind; rro reaches them, ro does not" {
    mkdir -p source/below
    mount -t tmpfs below source/below
    echo deep >source/below/file
    echo same >source/file
    bind_of source /mnt bind
    inside list /mnt/below + cat /mnt/file
    local plain=$output
    config '.mounts[-1].options = ["rbind", "ro"]'
    inside list /mnt/below + write /mnt/below/w x
    local recursive=$output
    config '.mounts[-1].options = ["rbind", "rro"]'
    inside write /mnt/below/w x
    local readonly=$output
    umount source/below
    [[ $plain == '[]'*same && $recursive == '["file"]'*null* && $readonly == *EROFS* ]] ||
        { echo "$plain; $recursive; $readonly"; return 1; }
}

# spec: MOPT-58
@test "tmpcopyup: what was there is in the tmpfs, writable, and the image keeps its own" {
    mkdir rootfs/etc/directory
    ln -s marker rootfs/etc/link
    cp rootfs/etc/marker rootfs/etc/directory/file
    chown 5:6 rootfs/etc/directory/file
    chmod 4751 rootfs/etc/directory/file
    setfattr -n user.test -v value rootfs/etc/directory/file 2>/dev/null || true
    chmod 711 rootfs/etc
    tmpfs_on /etc tmpcopyup size=1m nosuid
    inside cat /etc/marker + stat /etc + stat /etc/directory/file + stat /etc/link + write /etc/marker changed + write /etc/new x + report
    [[ ${lines[0]} == inside && ${lines[4]} == *'null}'* && ${lines[5]} == *'null}'* ]]
    output=${lines[1]} expect '.mode == (7*64+9)'
    output=${lines[2]} expect '.mode == (4*512+7*64+5*8+1) and .uid == 5 and .gid == 6'
    output=${lines[3]} expect '.link == "marker"'
    output=${lines[6]} expect_mount /etc '.type == "tmpfs" and (.super | test("size=1024k"))'
    [[ ! -e rootfs/etc/new && $(<rootfs/etc/marker) == inside ]]
    config '.mounts[-1].type = "ramfs"'
    fails 1 tmpcopyup /mounts/7 -- rt run "$ID"
}

# spec: MOPT-30
@test "remount changes what an earlier entry mounted" {
    mkdir source
    bind_of source /mnt bind nosuid
    bind_of none /mnt remount bind ro
    inside report + write /mnt/x y
    [[ ${lines[1]} == *EROFS* ]]
    output=${lines[0]} expect_mount /mnt '.options | test("^ro,nosuid")'
    [[ -w source ]]
    touch source/host-writes
}

# --- id-mapped mounts ---------------------------------------------------------------------------------------------------

teardown() {
    [[ -z ${ON_DISK-} ]] || rm -rf --one-file-system "$ON_DISK"
    common_teardown
}

# A directory whose mount can be mapped, with one below it.  KERNEL(6.3): before, tmpfs cannot, and the disk is used.
mappable() {
    local major minor
    IFS=. read -r major minor _ < <(uname -r)
    mkdir -p source
    if ((major > 6 || (major == 6 && minor >= 3))); then
        mount -t tmpfs source source
        mkdir source/sub
        mount -t tmpfs sub source/sub
    else
        ON_DISK=$(mktemp -d /var/tmp/crun-lite-idmap.XXXXXX)
        mkdir -p "$ON_DISK/source/sub" "$ON_DISK/sub"
        mount --bind "$ON_DISK/source" source
        mount --bind "$ON_DISK/sub" source/sub
    fi
    chmod 777 source source/sub
    echo x >source/file
    echo x >source/sub/file
    chown 1003:1004 source/file source/sub/file
    mkdir -m 777 source/open source/other
}
mapped() { config '.mounts[-1].uidMappings = [{"containerID": $a, "hostID": $b, "size": $c}] | .mounts[-1].gidMappings = .mounts[-1].uidMappings' --argjson a "$1" --argjson b "$2" --argjson c "$3"; }

# spec: IDM-01 IDM-02 IDM-04 IDM-05 IDM-10 IDM-11 IDM-12 IDM-13 IDM-14 IDM-15 MOPT-60 MOPT-61
@test "idmap and ridmap: owners as the mappings say, here or below too; what is made inside has the other owner outside" {
    mappable
    chown 1000:1000 source/open
    chown 2000:2000 source/other
    config '.root.readonly = false | .process.capabilities |= map_values(. + ["CAP_DAC_OVERRIDE"])'
    bind_of source /plain rbind
    bind_of source /without rbind
    mapped 1000 0 10
    bind_of source /top rbind idmap
    mapped 1000 0 10
    bind_of source /all rbind ridmap
    config '.mounts[-1].uidMappings = [{"containerID": 1000, "hostID": 0, "size": 4}, {"containerID": 2000, "hostID": 500, "size": 1}]
            | .mounts[-1].gidMappings = [{"containerID": 1000, "hostID": 70, "size": 10}]'
    program stat /plain/file + stat /without/file + stat /without/sub/file + stat /top/file + stat /top/sub/file + stat /all/file + stat /all/sub/file + \
        stat /all/other + write /top/open/made x + report
    run --separate-stderr rt run "$ID"
    local owner
    owner=$(stat -c %u:%g source/open/made) || true
    umount source/sub source
    [[ $status == 0 ]] || { echo "$stderr"; return 1; }
    output=${lines[0]} expect '.uid == 1003 and .gid == 1004'
    output=${lines[1]} expect '.uid == 3 and .gid == 4'
    output=${lines[2]} expect '.uid == 1003 and .gid == 1004'
    output=${lines[3]} expect '.uid == 3 and .gid == 4'
    output=${lines[4]} expect '.uid == 1003 and .gid == 1004'
    output=${lines[5]} expect '.uid == 3 and .gid == 74'
    output=${lines[6]} expect '.uid == 3 and .gid == 74'
    # The group is in no range: nobody's.
    output=${lines[7]} expect '.uid == 500 and .gid == 65534'
    [[ ${lines[8]} == *'null}'* && $owner == 1000:1000 ]]
    output=${lines[9]}
    expect '[.mounts[] | select(.target == "/top")][0].options | test("idmapped")'
    expect '[.mounts[] | select(.target == "/top/sub")][0].options | test("idmapped") | not'
    expect '[.mounts[] | select(.target == "/all/sub")][0].options | test("idmapped")'
    expect '[.mounts[] | select(.super | test("idmap"))] == []'
}

# spec: IDM-16
@test "idmap without mappings of its own: those of the container's user namespace" {
    mappable
    chown 0:0 source/file
    chown -R 100000:100000 rootfs
    config '.root.readonly = false | .linux.namespaces += [{"type": "user"}]
            | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 2000}] | .linux.gidMappings = .linux.uidMappings'
    bind_of source /mapped rbind idmap
    bind_of source /tree rbind ridmap
    bind_of source /plain rbind
    program stat /mapped/file + stat /tree/sub/file + stat /mapped/sub/file + stat /plain/file + write /mapped/made x
    run --separate-stderr rt run "$ID"
    local owner
    owner=$(stat -c %u:%g source/made) || true
    umount source/sub source
    [[ $status == 0 ]] || { echo "$stderr"; return 1; }
    output=${lines[0]} expect '.uid == 0 and .gid == 0'
    output=${lines[1]} expect '.uid == 1003 and .gid == 1004'
    output=${lines[2]} expect '.uid == 65534'
    output=${lines[3]} expect '.uid == 65534'
    # A new file is root's on the disk, as one made by root without a user namespace.
    [[ $owner == 0:0 ]]
}

# spec: IDM-16 MOPT-60
@test "idmap without mappings of its own, in a joined user namespace: those of that one" {
    mappable
    chown -R 100000:100000 rootfs
    config '.linux.namespaces += [{"type": "user"}]
            | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 2000}] | .linux.gidMappings = .linux.uidMappings'
    program sleep
    run_detached
    config '(.linux.namespaces[] | select(.type == "user")).path = $p | del(.linux.uidMappings, .linux.gidMappings)' \
        --arg p "/proc/$(container_pid "$ID")/ns/user"
    [[ -z ${TEST_CGROUP-} ]] || config '.linux.cgroupsPath += "-b"'
    bind_of source /mapped rbind idmap
    program stat /mapped/file + stat /mapped/sub/file
    run --separate-stderr rt run "$ID-b"
    rt delete --force "$ID"
    umount source/sub source
    [[ $status == 0 ]] || { echo "$stderr"; return 1; }
    output=${lines[0]} expect '.uid == 1003 and .gid == 1004'
    output=${lines[1]} expect '.uid == 65534'
}

# spec: IDM-20
@test "idmap=: ranges in the option, of the host's ids or of the container's" {
    mappable
    chown -R 100000:100000 rootfs
    config '.linux.namespaces += [{"type": "user"}]
            | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 2000}] | .linux.gidMappings = .linux.uidMappings'
    bind_of source /host rbind 'idmap=uids=1003-100001-1#0-100000-1;gids=1000-100010-10'
    bind_of source /container rbind 'ridmap=uids=@1003-7-1#@0-0-1;gids=@1000-20-10'
    program stat /host/file + stat /host/sub/file + stat /container/file + stat /container/sub/file
    run --separate-stderr rt run "$ID"
    umount source/sub source
    [[ $status == 0 ]] || { echo "$stderr"; return 1; }
    output=${lines[0]} expect '.uid == 1 and .gid == 14'
    output=${lines[1]} expect '.uid == 65534 and .gid == 65534'
    output=${lines[2]} expect '.uid == 7 and .gid == 24'
    output=${lines[3]} expect '.uid == 7 and .gid == 24'
}

# spec: IDM-03 IDM-06 IDM-07 IDM-08 IDM-09 IDM-10 IDM-17 IDM-18 IDM-19
@test "mappings: what is refused, and nothing is ever mounted without the mapping that was asked for" {
    local full='{"containerID": 0, "hostID": 1000, "size": 10}' part member entry
    mkdir source
    bind_of source /mnt bind idmap
    for part in uid gid; do
        for member in containerID hostID size; do
            config '.mounts[-1].uidMappings = [$f] | .mounts[-1].gidMappings = [$f] | del(.mounts[-1][$p][0][$m])' \
                --argjson f "$full" --arg p "${part}Mappings" --arg m "$member"
            fails 1 "/mounts/7/${part}Mappings/0" "$member" -- rt run "$ID"
        done
    done
    while IFS='|' read -r entry pointer word; do
        config '.mounts[-1] = ({"destination": "/mnt", "source": "source"} + $e)' --argjson e "$entry"
        fails 1 "$pointer" "$word" -- rt run "$ID" || { echo "entry: $entry"; return 1; }
    done <<END
{"options": ["bind", "idmap"], "uidMappings": [$full]}|/mounts/7|gidMappings
{"options": ["bind"], "gidMappings": [$full]}|/mounts/7|uidMappings
{"options": ["bind", "idmap"], "uidMappings": [], "gidMappings": []}|/mounts/7|
{"options": ["bind"], "uidMappings": [], "gidMappings": []}|/mounts/7|
{"options": ["bind", "idmap"]}|/mounts/7/options/1|user namespace
{"options": ["rbind", "ridmap"]}|/mounts/7/options/1|user namespace
{"options": ["bind"], "uidMappings": [{"containerID": 0, "hostID": 4294967296, "size": 1}], "gidMappings": [$full]}|/mounts/7/uidMappings/0/hostID|
{"options": ["bind"], "uidMappings": [{"containerID": 0, "hostID": 1, "size": "1"}], "gidMappings": [$full]}|/mounts/7/uidMappings/0/size|
{"type": "tmpfs", "options": ["idmap"], "uidMappings": [$full], "gidMappings": [$full]}|/mounts/7|only bind mounts
{"source": "/proc", "options": ["bind", "idmap"], "uidMappings": [$full], "gidMappings": [$full]}|/mounts/7|does not support
{"source": "/proc", "options": ["bind"], "uidMappings": [$full], "gidMappings": [$full]}|/mounts/7|does not support
{"options": ["bind", "idmap=uids=0-1000-10"]}|/mounts/7/options/1|which ids are mapped
{"options": ["bind", "idmap=uids=0-1000-10;gids=@0-1000-10"]}|/mounts/7|user namespace
{"options": ["bind", "idmap=uids=0-1000-10;gids=0-1000-10"], "uidMappings": [$full], "gidMappings": [$full]}|/mounts/7|twice
{"type": "tmpfs", "options": ["idmap=uids=0-1000-10;gids=0-1000-10"]}|/mounts/7|only bind mounts
END
    # One mount of the tree cannot be mapped: none is.
    mkdir source/below
    mount --bind /proc source/below
    config '.mounts[-1] = {"destination": "/mnt", "source": "source", "options": ["rbind", "ridmap"], "uidMappings": [$f], "gidMappings": [$f]}' --argjson f "$full"
    run --separate-stderr rt run "$ID"
    umount source/below
    [[ $status == 1 ]] && says "$stderr" /mounts/7 "does not support"
}

@test "tmpfs without a mode: that of the directory which it covers, 1777 where there was none, 755 for /dev" {
    mkdir -m 750 rootfs/kept
    config '.process.user = {"uid": 0, "gid": 0} | .root.readonly = false | .mounts |= map(select(.destination | startswith("/dev") | not)) + [
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid"]},
        {"destination": "/kept", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/new/below", "type": "tmpfs", "source": "tmpfs", "options": ["noexec"]}]'
    rmdir rootfs/dev
    # The second time what was made the first time is there.
    for _ in 1 2; do
        inside stat /dev + stat /dev/shm + stat /kept + stat /new/below
        [[ $(jq -r '.mode' <<<"$output" | xargs) == "$((8#755)) $((8#1777)) $((8#750)) $((8#1777))" ]] || { echo "$output" >&2; return 1; }
    done
}

@test "type cgroup: the host's own cgroup namespace, joined by path, keeps the options of the host's mount" {
    local before
    cgroup_options() { awk '$5 == "/sys/fs/cgroup" {print $NF}' /proc/self/mountinfo; }
    # An option that has to survive, where a service manager has set none.
    [[ $(cgroup_options) == *nsdelegate* ]] || mount -o remount,memory_recursiveprot /sys/fs/cgroup
    before=$(cgroup_options)
    [[ $before == *nsdelegate* || $before == *memory_recursiveprot* ]]
    config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{"type": "cgroup", "path": $p}])' \
        --arg p "/proc/$$/ns/cgroup"
    program exit 0
    run_ok
    [[ $(cgroup_options) == "$before" ]]
    [[ $before == *nsdelegate* ]] || mount -o remount /sys/fs/cgroup
}
