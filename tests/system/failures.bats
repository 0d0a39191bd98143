# One failing case for every stage of a start: the message says what, where and why; exit code 1; one object in the
# log; and teardown insists that nothing is left.
load helpers

setup() {
    common_setup
    LOG=$BATS_TEST_TMPDIR/log.json
    program exit 0
}

# stage_fails FRAGMENT...: `run` and `create` both fail with exactly these words, on standard error and in the log.
stage_fails() {
    local command
    for command in run create; do
        rm -f "$LOG"
        fails 1 "$@" -- rt --log "$LOG" --log-format json "$command" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" </dev/null
        [[ $(jq -s 'length' "$LOG") == 1 ]] || { echo "log: $(<"$LOG")"; return 1; }
        says "$(jq -r .msg "$LOG")" "$@"
        [[ ! -e $BATS_TEST_TMPDIR/pid ]] || { echo "$command left a pid file"; return 1; }
        assert_nothing_left || return 1
    done
}

# program_fails CODE FRAGMENT...: the same where the program itself cannot be executed: `create` may succeed and `start` tells.
program_fails() {
    local code=$1
    shift
    fails "$code" "$@" -- rt run "$ID"
    if rt create "$ID" </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&-; then
        fails "$code" "$@" -- rt start "$ID"
        status_becomes "$ID" stopped
        silently rt delete "$ID"
    else
        says "$(<"$BATS_TEST_TMPDIR/err")" "$@"
    fi
}

@test "bundle absent" { fails 1 /no/such/bundle "$M_ENOENT" -- rt run --bundle /no/such/bundle "$ID"; }
# spec: BUN-01
@test "a bundle whose config.json is absent, unreadable or no regular file is refused, and no container comes into being" {
    local kind
    for kind in absent directory fifo socket device dangling; do
        rm -rf config.json
        case $kind in
        directory) mkdir config.json ;;
        fifo) mkfifo config.json ;;
        socket) python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("config.json")' ;;
        device) mknod config.json c 1 3 ;;
        dangling) ln -s nowhere config.json ;;
        esac
        stage_fails config.json || { echo "$kind" >&2; return 1; }
        [[ ! -e $STATE/$ID ]]
    done
    rm config.json
    new_bundle "$BUNDLE"
    chmod 0 config.json
    # Whatever stands in the file's place under another name is no config.
    cp config.json Config.json
    run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all -- "$CRUN_LITE" --root "$BATS_TEST_TMPDIR/mine" create "$ID"
    [[ $status == 1 && ! -e $BATS_TEST_TMPDIR/mine ]]
    says "$stderr" config.json "$M_EACCES"
}
@test "config.json is not JSON: the line is told" { sed -i '5s/$/ ,,/' config.json; stage_fails config.json 5; }
@test "config.json is empty" { : >config.json; stage_fails config.json; }
@test "config.json has nesting without end" {
    python3 -c 'print("[" * 200000)' >config.json
    stage_fails config.json
}
@test "config check: ociVersion of another major" { config '.ociVersion = "2.0.0"'; stage_fails 2.0.0 /ociVersion; }
@test "config check: no root path" { config 'del(.root)'; stage_fails /root; }
@test "config check: a vm section is refused, never ignored" {
    config '.vm = {"kernel": {"path": "/k"}}'
    stage_fails /vm;
}
@test "state: the root is a file" {
    touch "$BATS_TEST_TMPDIR/file"
    run --separate-stderr "$CRUN_LITE" --root "$BATS_TEST_TMPDIR/file" run "$ID"
    [[ $status == 1 ]] && says "$stderr" "$BATS_TEST_TMPDIR/file" "Not a directory"
}
@test "root file system absent" { config '.root.path = "/no/such/root"'; stage_fails /no/such/root "$M_ENOENT"; }
@test "root file system is a file" { config '.root.path = "config.json"'; stage_fails config.json "Not a directory"; }
@test "cgroup: depth limit reached" {
    mkdir -p "/sys/fs/cgroup$TEST_CGROUP/shallow"
    echo 0 >"/sys/fs/cgroup$TEST_CGROUP/shallow/cgroup.max.depth"
    config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/shallow/$ID"
    stage_fails "$TEST_CGROUP/shallow/$ID" "temporarily unavailable"
    rmdir "/sys/fs/cgroup$TEST_CGROUP/shallow"
}
# spec: ERR-01
@test "namespace path absent" {
    config '.linux.namespaces[1].path = "/no/such/ns"'
    stage_fails /no/such/ns /linux/namespaces/1/path "$M_ENOENT"
}
@test "id map: overlapping ranges" {
    config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 1000, "size": 10}, {"containerID": 5, "hostID": 2000, "size": 10}] | .linux.gidMappings = [{"containerID": 0, "hostID": 1000, "size": 10}]'
    stage_fails map
}
@test "mount source absent" {
    mount_add '{"destination": "/mnt", "type": "bind", "source": "/no/such/source", "options": ["rbind"]}'
    stage_fails /no/such/source /mounts/7/source "$M_ENOENT"
}
# spec: ERR-01
@test "mount: bad data for the file system, with the mount's place" {
    mount_add '{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["size=lots"]}'
    stage_fails /mnt size /mounts/7
}
# spec: LIFE-02 ERR-01
@test "mount: a file system that the kernel does not have" {
    mount_add '{"destination": "/mnt", "type": "nosuchfs", "source": "none"}'
    stage_fails nosuchfs /mounts/7
    fails 1 "$M_NO_CONTAINER" -- rt state "$ID"
}
@test "mount: a directory over a file" {
    mount_add '{"destination": "/etc/marker", "type": "tmpfs", "source": "tmpfs"}'
    stage_fails /etc/marker /mounts/7 "Not a directory"
}
@test "mount: no file in the root can be made because it is read-only on the host" {
    mount -t tmpfs -o ro none rootfs/mnt
    mount_add '{"destination": "/mnt/x", "type": "tmpfs", "source": "tmpfs"}'
    run --separate-stderr rt run "$ID"
    local result=$status text=$stderr
    umount rootfs/mnt
    # Not everything below the root is part of it: with a plain bind the directory is simply there.
    [[ $result == 0 ]] || says "$text" /mnt/x
}
@test "device: a number that no device can have" {
    config '.linux.devices = [{"path": "/dev/odd", "type": "c", "major": -5, "minor": 1}]'
    stage_fails /linux/devices/0
}
@test "device: outside of the root" {
    config '.linux.devices = [{"path": "relative", "type": "c", "major": 1, "minor": 3}]'
    stage_fails /linux/devices/0/path
}
@test "masked path below a file" {
    config '.linux.maskedPaths += ["/etc/marker/below"]'
    run --separate-stderr rt run "$ID"
    [[ $status == 0 || -n $stderr ]]
}
@test "sysctl of no namespace" {
    config '.linux.sysctl = {"kernel.panic": "1"}'
    stage_fails kernel.panic /linux/sysctl;
}
# spec: ERR-01 OPCR-08
@test "sysctl with a value the kernel refuses" {
    config '.linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "not a number"}'
    stage_fails ip_unprivileged_port_start "Invalid argument"
}
# spec: ERR-01
@test "hostname too long" { config '.hostname = ("x" * 100)'; stage_fails hostname; }
@test "user that is not mapped" {
    config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 1000, "size": 10}] | .linux.gidMappings = .linux.uidMappings | .process.user.uid = 4000'
    stage_fails 4000 /process/user/uid
}
@test "capability in ambient but not in inheritable" {
    config '.process.capabilities = {"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"], "effective": ["CAP_KILL"], "ambient": ["CAP_KILL"]}'
    run --separate-stderr rt run "$ID"
    # Real engines send it: accepted without the ambient one, or refused by name.
    [[ $status == 0 ]] || says "$stderr" CAP_KILL
}
@test "cwd absent" { config '.process.cwd = "/proc/no/such"'; program_fails 1 "$M_CWD" /proc/no/such; }
@test "cwd is a file" { config '.process.cwd = "/etc/marker"'; program_fails 1 "$M_CWD" /etc/marker "Not a directory"; }
@test "cwd is relative" { config '.process.cwd = "etc"'; stage_fails /process/cwd; }
@test "exec: name absent from PATH" {
    config '.process.args = ["nonexistent"]'
    program_fails 127 "executable file" nonexistent "$M_ARGV0_IN_PATH" "$M_DOCKER_SEARCH"
}
@test "exec: path absent" { config '.process.args = ["/no/such/program"]'; program_fails 127 /no/such/program "$M_ENOENT" "$M_DOCKER_ENOENT"; }
@test "exec: no permission" { config '.process.args = ["/etc/marker"]'; program_fails 126 /etc/marker "$M_EACCES" "$M_DOCKER_EACCES"; }
@test "exec: a directory" { config '.process.args = ["/etc"]'; program_fails 126 /etc "is a directory" "$M_DOCKER_EACCES"; }
@test "exec: format" {
    printf 'not a program' >rootfs/data/strange
    chmod 755 rootfs/data/strange
    config '.process.args = ["/data/strange"]'
    program_fails 126 /data/strange "$M_EXEC_FORMAT"
}
@test "exec: the script's interpreter is absent" {
    printf '#!/no/such/shell\n' >rootfs/data/script
    chmod 755 rootfs/data/script
    config '.process.args = ["/data/script"]'
    program_fails 127 /data/script "$M_ENOENT" "$M_DOCKER_ENOENT"
}
# spec: ERR-01
@test "a failing hook of each kind before start leaves nothing" {
    local kind
    for kind in prestart createRuntime createContainer; do
        new_bundle "$BUNDLE"
        config '.hooks = {($k): [{"path": $p, "args": ["probe", "exit", "3"]}]}' --arg k "$kind" --arg p "$PROBE"
        stage_fails "$kind" "$PROBE" 3
    done
}
@test "seccomp: an impossible profile" {
    config '.linux.seccomp = {"defaultAction": "SCMP_ACT_NONSENSE"}'
    stage_fails SCMP_ACT_NONSENSE /linux/seccomp/defaultAction;
}
@test "apparmor label where AppArmor is off" {
    needs no-apparmor
    config '.process.apparmorProfile = "docker-default"'
    stage_fails docker-default AppArmor
}
@test "selinux label where SELinux is off" {
    needs no-selinux
    config '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
    stage_fails SELinux
}
@test "terminal without a socket" {
    config '.process.terminal = true'
    fails 1 console-socket -- rt create "$ID"
    fails 1 console-socket -- rt run --detach "$ID"
}
@test "pid file in a directory that is absent" {
    fails 1 /no/such/pid "$M_ENOENT" -- rt create --pid-file /no/such/pid "$ID"
    fails 1 /no/such/pid "$M_ENOENT" -- rt run --pid-file /no/such/pid "$ID"
}
@test "preserve-fds that are not open" {
    run --separate-stderr rt run --preserve-fds 5 "$ID" 9>&-
    [[ $status == 1 ]] && says "$stderr" preserve-fds
}
@test "no room in the state directory" {
    mkdir "$BATS_TEST_TMPDIR/full"
    mount -t tmpfs -o size=4k,nr_inodes=2 none "$BATS_TEST_TMPDIR/full"
    run --separate-stderr "$CRUN_LITE" --root "$BATS_TEST_TMPDIR/full" run "$ID"
    local result=$status text=$stderr left
    left=$(ls "$BATS_TEST_TMPDIR/full")
    umount "$BATS_TEST_TMPDIR/full"
    [[ $result == 1 && -z $left ]] && says "$text" "No space left on device"
}
