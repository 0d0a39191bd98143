#!/usr/bin/env bats
# containerd with ctr and its runc.v2 shim.
load helpers

CTR=(ctr --address /run/containerd-test/containerd.sock)
image=example.org/box:latest

crt() { "${CTR[@]}" "$@"; }

# on OPTION... IMAGE ID COMMAND...: `ctr run` with the runtime under test.
on() { crt run --snapshotter native --runc-binary "$(command -v "$CLIENT_RUNTIME")" "$@"; }

start_daemon() {
    cat >"$CLIENT_WORK/containerd.toml" <<C
version = 2
root = "$CLIENT_WORK/containerd"
state = "/run/containerd-test"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "/run/containerd-test/containerd.sock"
C
    # Shims find what is called runc there when they are told of no binary.
    mkdir -p "$CLIENT_WORK/bin"
    ln -sf "$(command -v "$CLIENT_RUNTIME")" "$CLIENT_WORK/bin/runc"
    PATH=$CLIENT_WORK/bin:$PATH containerd --config "$CLIENT_WORK/containerd.toml" >"$CLIENT_WORK/containerd.log" 2>&1 3>&- &
    echo $! >"$CLIENT_WORK/containerd.pid"
    eventually crt version >/dev/null 2>&1 || { tail -20 "$CLIENT_WORK/containerd.log" >&2; return 1; }
}

setup_file() {
    image_tar
    image_archive "$image" '["sh"]' "$CLIENT_WORK/archive.tar"
    start_daemon
    crt image import --snapshotter native "$CLIENT_WORK/archive.tar" >/dev/null
}

teardown_file() {
    kill "$(<"$CLIENT_WORK/containerd.pid")"
}

teardown() {
    local id
    for id in $(crt task ls -q); do crt task kill -s KILL "$id" 2>/dev/null || true; done
    for id in $(crt task ls -q); do eventually crt task delete -f "$id" >/dev/null 2>&1 || true; done
    for id in $(crt container ls -q); do crt container rm "$id" >/dev/null 2>&1 || true; done
}

started() {
    on -d "${@:2}" "$image" "$1" sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done'
}

@test "containerd: run prints; exit codes" {
    run on --rm "$image" a echo hello
    ended 0
    [[ $output == hello ]]
    run on --rm "$image" b false
    ended 1
    run on --rm "$image" c sh -c 'exit 42'
    ended 42
}

@test "containerd: the message of a failure is the runtime's" {
    run on --rm "$image" d nosuchprogram
    ((status != 0))
    says 'executable file'
    run on --rm "$image" e /etc/passwd
    ((status != 0))
    says 'ermission denied'
}

@test "containerd: a terminal" {
    run script -qec "${CTR[*]} run --snapshotter native --runc-binary $(command -v "$CLIENT_RUNTIME") --rm --tty $image t tty" /dev/null
    ended 0
    says /dev/pts/0
}

@test "containerd: in the background: state, kill with TERM, exit status, delete" {
    started f
    crt task ls | grep -q 'f .*RUNNING'
    sleep 1
    crt task kill -s TERM f
    eventually bash -c "${CTR[*]} task ls | grep -q 'f .*STOPPED'"
    run crt task delete f
    says 7 || ended 7
}

@test "containerd: a task that is gone is said to be" {
    started g
    crt task kill -s KILL g
    eventually bash -c "${CTR[*]} task ls | grep -q 'g .*STOPPED'"
    run crt task kill -s TERM g
    says 'not found' || says 'already finished' || ended 0
}

@test "containerd: a container record, then its task; the runtime called runc" {
    crt container create --snapshotter native "$image" h sleep 100
    crt task start -d h
    crt task ls | grep -q 'h .*RUNNING'
    local pid
    pid=$(crt task ls | awk '$1 == "h" {print $2}')
    [[ $("$CLIENT_RUNTIME" --root /run/containerd/runc/default state h | jq -r '"\(.status) \(.pid)"') == "running $pid" ]]
    # A task is begun anew in the same container.
    crt task kill -s KILL h
    eventually bash -c "${CTR[*]} task ls | grep -q 'h .*STOPPED'"
    crt task delete h || true
    crt task start -d h
    crt task ls | grep -q 'h .*RUNNING'
}

@test "containerd: exec, with exit codes and a terminal" {
    started i
    run crt task exec --exec-id x1 i echo within
    ended 0
    [[ $output == within ]]
    run crt task exec --exec-id x2 i sh -c 'exit 9'
    ended 9
    run crt task exec --exec-id x3 i nosuchprogram
    ((status != 0))
    says 'executable file'
    run script -qec "${CTR[*]} task exec --tty --exec-id x4 i tty" /dev/null
    says /dev/pts/
}

@test "containerd: host network, capabilities, devices" {
    run on --rm --net-host --cap-drop CAP_CHOWN --cap-add CAP_SYS_TIME "$image" caps sh -c 'readlink /proc/self/ns/net; grep CapEff /proc/self/status'
    ended 0
    [[ ${lines[0]} == "$(readlink /proc/self/ns/net)" ]]
    local effective=${lines[1]##*[[:space:]]}
    (((16#$effective >> 25) & 1 && !(16#$effective & 1)))
    run on --rm --device /dev/loop-control "$image" dev ls -l /dev/loop-control
    ended 0
    says '10,'
}

@test "containerd: many at once" {
    local i jobs=()
    for i in 1 2 3 4; do
        on --rm "$image" "many$i" sh -c "exit $i" 3>&- &
        jobs+=($!)
    done
    for i in 1 2 3 4; do
        status=0
        wait "${jobs[i - 1]}" || status=$?
        ended "$i"
    done
}

@test "containerd: ps, pause, resume, metrics" {
    started j
    run crt task ps j
    ended 0
    says PID
    crt task pause j
    crt task ls | grep -q 'j .*PAUSED'
    crt task resume j
    crt task ls | grep -q 'j .*RUNNING'
    run crt task metrics j
    ended 0
}

@test "containerd: limits are in force" {
    started k --memory-limit 67108864 --cpus 0.5
    local pid group
    pid=$(crt task ls | awk '$1 == "k" {print $2}')
    group=/sys/fs/cgroup$(cut -d: -f3 "/proc/$pid/cgroup")
    [[ $(<"$group/memory.max") == 67108864 ]]
    [[ $(<"$group/cpu.max") == '50000 100000' ]]
}

@test "containerd: privileged, read-only, mounts, environment, seccomp" {
    run on --rm --privileged "$image" l sh -c 'mkdir /m && mount -t tmpfs none /m && echo mounted'
    says mounted
    run on --rm --read-only "$image" m touch /x
    says 'Read-only file system'
    run on --rm --mount type=bind,src=/etc,dst=/e,options=rbind:ro --env A=b --seccomp "$image" n \
        sh -c 'ls /e/passwd; echo $A; grep ^Seccomp: /proc/self/status'
    ended 0
    says /e/passwd
    [[ ${lines[1]} == b && ${lines[2]} == *2 ]]
}

@test "containerd: the systemd cgroup driver" {
    on -d --runc-systemd-cgroup --cgroup system.slice:test:s "$image" s sleep 100
    local pid
    pid=$(crt task ls | awk '$1 == "s" {print $2}')
    [[ $(<"/proc/$pid/cgroup") == *system.slice/test-s.scope* ]]
    systemctl is-active test-s.scope
    crt task kill -s KILL s
    eventually bash -c "${CTR[*]} task ls | grep -q 's .*STOPPED'"
    crt task delete s || true
    eventually bash -c '! systemctl is-active -q test-s.scope'
}

@test "containerd: containers survive the daemon, and are found again" {
    started survivor
    kill "$(<"$CLIENT_WORK/containerd.pid")"
    tail --pid="$(<"$CLIENT_WORK/containerd.pid")" -f /dev/null
    start_daemon
    crt task ls | grep -q 'survivor .*RUNNING'
    run crt task exec --exec-id y survivor echo alive
    [[ $output == alive ]]
}

@test "containerd: a dead shim is cleaned up" {
    started orphan
    local pid shim
    pid=$(crt task ls | awk '$1 == "orphan" {print $2}')
    shim=$(ps -o ppid= -p "$pid" | tr -d ' ')
    kill -KILL "$shim"
    eventually bash -c "! kill -0 $pid 2>/dev/null"
    eventually bash -c "[ -z \"\$(ls /run/containerd/runc/default 2>/dev/null)\" ]"
}

@test "containerd: nothing is left when all are gone" {
    on --rm "$image" z true
    [[ -z $(ls /run/containerd/runc/default 2>/dev/null) ]]
    [[ -z $(find /sys/fs/cgroup/default -mindepth 1 -type d 2>/dev/null) ]]
}
