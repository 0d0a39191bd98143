#!/usr/bin/env bats
# Podman with conmon: as root and as an ordinary user, with both of its cgroup managers ($PODMAN_CGROUPS: systemd or cgroupfs).
load helpers

pod() {
    command podman --runtime "$CLIENT_RUNTIME" --cgroup-manager "${PODMAN_CGROUPS:-systemd}" --log-level error "$@"
}

# Without a network, the slowest part, where the test is not about it.
prun() { pod run --rm --network none "$@"; }

# started NAME [OPTION...]: a container in the background that ends soon when it is asked to.
started() {
    local name=$1
    shift
    pod run -d --name "$name" --network none "$@" box sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done' >/dev/null
}

setup_file() {
    image_tar
    pod image exists box || pod import "$CLIENT_WORK/image.tar" box
}

teardown() {
    pod pod rm --all --force --time 0 >/dev/null 2>&1 || true
    pod rm --all --force --time 0 >/dev/null 2>&1 || true
}

# --- run --------------------------------------------------------------------------------------------------------------

@test "podman: run prints, and nothing else is printed" {
    run --separate-stderr prun box echo hello
    ended 0
    [[ $output == hello && -z $stderr ]]
}

@test "podman: the exit codes 0, 1, 42 and 137" {
    prun box true
    run prun box false
    ended 1
    run prun box sh -c 'exit 42'
    ended 42
    started dies
    pod kill --signal KILL dies
    pod wait dies
    [[ $(pod inspect --format '{{.State.ExitCode}}' dies) == 137 ]]
}

@test "podman: 125 for the engine's own errors" {
    run prun --no-such-flag box true
    ended 125
}

@test "podman: an option of the runtime that it does not know is named" {
    run pod --runtime-flag invalidflag run --rm --network none box true
    ended 126
    says invalidflag
    [[ $output != *'not found'* ]]
}

@test "podman: 126 for what is no program" {
    run prun box /etc/passwd
    ended 126
    says 'ermission denied'
    run prun box /etc
    ended 126
}

@test "podman: a file without a format is told so" {
    run prun box nonsense
    ((status != 0))
    [[ ${output,,} == *'exec format error'* ]]
}

@test "podman: 127 for what is not there" {
    run prun box nosuchprogram
    ended 127
    says 'executable file'
    run prun box /no/such/program
    ended 127
    run prun --entrypoint '' --workdir /no/such/dir box true
    ((status == 126 || status == 127))
}

@test "podman: standard input is passed on with -i" {
    run prun -i box cat <<<'from outside'
    ended 0
    [[ $output == 'from outside' ]]
}

@test "podman: 2 MiB of output arrive whole" {
    run prun box sh -c 'head -c 2097152 /dev/zero | tr "\0" x'
    ended 0
    [[ ${#output} == 2097152 ]]
}

@test "podman: -t gives a terminal" {
    run prun -t box sh -c 'tty; stty size 2>/dev/null || true'
    ended 0
    says /dev/pts/0
}

@test "podman: -it answers what is typed" {
    run script -qec "podman --runtime $CLIENT_RUNTIME --cgroup-manager ${PODMAN_CGROUPS:-systemd} run --rm --network none -it box sh -c 'read line; echo got-\$line'" /dev/null <<<'typed'
    says got-typed
}

@test "podman: environment, working directory, user and groups" {
    run prun -e NAME=value --workdir /tmp --user 33:29 --group-add 1234 box sh -c 'echo $NAME; pwd; id -u; id -g; id -G'
    ended 0
    [[ ${lines[0]} == value && ${lines[1]} == /tmp && ${lines[2]} == 33 && ${lines[3]} == 29 && ${lines[4]} == *1234* ]]
}

@test "podman: --hostname and --env-host" {
    OUTSIDE=seen run prun --hostname box1 --env-host box sh -c 'hostname; echo $OUTSIDE'
    ended 0
    [[ ${lines[0]} == box1 && ${lines[1]} == seen ]]
}

@test "podman: a directory as working directory is made" {
    run prun --workdir /data box pwd
    ended 0
    [[ $output == /data ]]
}

@test "podman: --read-only, with and without --read-only-tmpfs" {
    run prun --read-only box sh -c 'touch /x'
    ((status != 0))
    says 'Read-only file system'
    run prun --read-only box sh -c 'touch /tmp/x && echo written'
    ended 0
    run prun --read-only --read-only-tmpfs=false box sh -c 'touch /tmp/x'
    ((status != 0))
}

@test "podman: --tmpfs with its options" {
    run prun --tmpfs /scratch:size=1m,mode=1770,noexec box sh -c 'grep " /scratch " /proc/mounts; stat -c %a /scratch'
    ended 0
    says noexec
    says size=1024k
    [[ ${lines[1]} == 1770 ]]
}

@test "podman: volumes, :ro and :U" {
    local place=$CLIENT_WORK/volume
    rm -rf "$place"
    mkdir -p "$place"
    echo outside >"$place/file"
    run prun -v "$place:/v:ro" box sh -c 'cat /v/file; touch /v/x'
    says outside
    says 'Read-only file system'
    run prun -v "$place:/v:U" --user 33 box sh -c 'stat -c %u /v/file; touch /v/new'
    ended 0
    [[ ${lines[0]} == 33 ]]
    pod unshare true 2>/dev/null || true
    if is_root; then [[ $(stat -c %u "$place/new") == 33 ]]; fi
    if is_root; then rm -rf "$place"; else pod unshare rm -rf "$place"; fi
}

@test "podman: a named volume keeps what the image has there" {
    run prun -v named:/data box cat /data/file
    ended 0
    [[ $output == of-the-image ]]
    pod volume rm named
}

@test "podman: --mount of every type" {
    mkdir -p "$CLIENT_WORK/mount"
    echo bound >"$CLIENT_WORK/mount/file"
    run prun --mount "type=bind,src=$CLIENT_WORK/mount,dst=/b,ro" --mount type=tmpfs,dst=/t,tmpfs-size=1m \
        --mount type=devpts,dst=/myptys box sh -c 'cat /b/file; touch /t/x; grep -c " /myptys devpts" /proc/mounts'
    ended 0
    [[ ${lines[0]} == bound && ${lines[1]} == 1 ]]
}

@test "podman: capabilities are added and dropped" {
    run prun box grep CapEff /proc/self/status
    local before=$output
    run prun --cap-add SYS_TIME box grep CapEff /proc/self/status
    (((16#${output##*[[:space:]]} >> 25) & 1))
    run prun --cap-drop all box grep CapEff /proc/self/status
    [[ ${output##*[[:space:]]} == 0000000000000000 ]]
    [[ $before != "$output" ]]
}

@test "podman: --privileged" {
    run prun --privileged box sh -c 'grep CapEff /proc/self/status; mkdir /m && mount -t tmpfs none /m && echo mounted'
    ended 0
    says mounted
}

@test "podman: no-new-privileges and seccomp profiles" {
    run prun --security-opt no-new-privileges box grep NoNewPrivs /proc/self/status
    says 1
    run prun box grep '^Seccomp:' /proc/self/status
    says 2
    run prun --security-opt seccomp=unconfined box grep '^Seccomp:' /proc/self/status
    says 0
    printf '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]}' >"$CLIENT_WORK/profile.json"
    run prun --security-opt "seccomp=$CLIENT_WORK/profile.json" box mkdir /tmp/x
    ended 1
    says 'not implemented'
}

@test "podman: a profile that kills is told as such" {
    printf '{"defaultAction":"SCMP_ACT_KILL"}' >"$CLIENT_WORK/kill.json"
    run prun --security-opt "seccomp=$CLIENT_WORK/kill.json" box true
    ((status != 0))
}

@test "podman: --device, with its permissions" {
    is_root || skip 'an ordinary user makes no device'
    run prun --device /dev/loop-control:/dev/mine:r box sh -c 'ls -l /dev/mine; : >/dev/mine'
    says /dev/mine
    says 'not permitted'
}

@test "podman: --ulimit" {
    run prun --ulimit nofile=123:456 box sh -c 'ulimit -n; ulimit -Hn'
    ended 0
    [[ ${lines[0]} == 123 && ${lines[1]} == 456 ]]
}

@test "podman: --sysctl" {
    run prun --sysctl net.ipv4.ip_unprivileged_port_start=80 --sysctl kernel.msgmax=4096 box \
        cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax
    ended 0
    [[ ${lines[0]} == 80 && ${lines[1]} == 4096 ]]
}

@test "podman: --shm-size, --oom-score-adj, --umask and --timezone-less defaults" {
    run prun --shm-size 1m --oom-score-adj 500 --umask 0027 box sh -c 'grep /dev/shm /proc/mounts; cat /proc/self/oom_score_adj; umask'
    ended 0
    says size=1024k
    [[ ${lines[1]} == 500 && ${lines[2]} == 0027 ]]
}

@test "podman: limits are in force" {
    run prun --memory 32m --memory-swap 32m --pids-limit 20 --cgroupns host box sh -c \
        'cd /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup) && cat memory.max pids.max memory.swap.max'
    ended 0
    [[ ${lines[0]} == 33554432 && ${lines[1]} == 20 && ${lines[2]} == 0 ]]
}

@test "podman: a process that takes too much memory is killed" {
    run pod run --name hog --network none --memory 16m --memory-swap 16m box tail /dev/zero
    ended 137
}

@test "podman: a kill for lack of memory is told" {
    pod run --name pair --network none --memory 16m --memory-swap 16m box sh -c 'tail /dev/zero; sleep 2' || true
    [[ $(pod inspect --format '{{.State.OOMKilled}}' pair) == true ]]
}

@test "podman: --cpus, --cpuset-cpus and --cgroup-conf are in force" {
    run prun --cpus 0.5 --cpuset-cpus 0 --cgroup-conf memory.high=20971520 --cgroupns host box sh -c \
        'cd /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup) && cat cpu.max cpuset.cpus memory.high'
    ended 0
    [[ ${lines[0]} == '50000 100000' && ${lines[1]} == 0 && ${lines[2]} == 20971520 ]]
}

@test "podman: --cgroups=disabled" {
    run prun --cgroups=disabled box echo without
    ended 0
    [[ $output == without ]]
}

@test "podman: --init and --pid=host" {
    run prun --init box cat /proc/1/comm
    ended 0
    [[ $output == catatonit || $output == *init* ]]
    run prun --pid=host box sh -c 'ls -d /proc/[0-9]* 2>/dev/null | wc -l'
    ended 0
    ((output > 10))
}

@test "podman: namespaces of another container" {
    started other --ipc shareable --hostname others
    run prun --pid container:other --ipc container:other --uts container:other box sh -c 'cat /proc/1/cmdline | tr "\0" " "; hostname'
    ended 0
    says 'trap'
    says others
    run pod run --rm --network container:other box cat /proc/net/dev
    ended 0
}

@test "podman: the user namespace of another container" {
    local ids=(--uidmap 0:200000:1000 --gidmap 0:200000:1000)
    is_root || ids=(--uidmap 0:1:1000 --gidmap 0:1:1000)
    started owner "${ids[@]}"
    run prun --userns container:owner box readlink /proc/self/ns/user
    ended 0
    [[ $output == "$(pod exec owner readlink /proc/self/ns/user)" ]]
}

@test "podman: the container's own network" {
    run pod run --rm box sh -c 'cat /proc/net/dev; cat /etc/resolv.conf >/dev/null'
    ended 0
    says eth0 || says tap0
}

@test "podman: --userns=auto, keep-id and --uidmap" {
    if is_root; then
        run prun --userns=auto box cat /proc/self/uid_map
        ended 0
        [[ $output != *' 0 4294967295'* ]]
        run prun --uidmap 0:200000:1000 --gidmap 0:200000:1000 box sh -c 'cat /proc/self/uid_map; id -u; touch /data/x && stat -c %u /data/x'
        ended 0
        says 200000
    else
        run prun --userns=keep-id box id -u
        ended 0
        [[ $output == "$EUID" ]]
        run prun --uidmap 0:1:1000 --uidmap 1000:0:1 box id -u
        ended 0
    fi
}

@test "podman: masks are lifted and added" {
    run prun box sh -c 'head -c 1 /proc/kcore 2>/dev/null | wc -c; echo 1 >/proc/sys/kernel/panic'
    [[ ${lines[0]} == 0 ]]
    says 'Read-only file system'
    run prun --security-opt unmask=ALL box sh -c 'grep -c " /proc/" /proc/self/mountinfo'
    [[ $output == 0 ]]
    run prun --security-opt mask=/data box sh -c 'ls /data | wc -l'
    ended 0
    [[ $output == 0 ]]
}

@test "podman: --volume :O, --mount type=image, secrets" {
    mkdir -p "$CLIENT_WORK/lower"
    echo below >"$CLIENT_WORK/lower/file"
    run prun -v "$CLIENT_WORK/lower:/over:O" box sh -c 'cat /over/file; echo above >/over/file; cat /over/file'
    ended 0
    [[ ${lines[*]} == 'below above' && $(<"$CLIENT_WORK/lower/file") == below ]]
    run prun --mount type=image,source=box,destination=/image box cat /image/data/file
    ended 0
    [[ $output == of-the-image ]]
    pod secret rm words >/dev/null 2>&1 || true
    echo secret-words | pod secret create words - >/dev/null
    run prun --secret words box cat /run/secrets/words
    pod secret rm words >/dev/null
    [[ $output == secret-words ]]
}

@test "podman: --rootfs, and hosts" {
    run prun --rootfs "$CLIENT_WORK/image" cat /data/file
    ended 0
    [[ $output == of-the-image ]]
    run prun --add-host there:10.1.2.3 --uts host box sh -c 'grep there /etc/hosts; hostname'
    ended 0
    says 10.1.2.3
    says "$(cat /proc/sys/kernel/hostname)"
}

@test "podman: --stop-signal, --timeout, --restart" {
    pod run -d --name asked --network none --stop-signal USR1 box sh -c 'trap "exit 8" USR1; while :; do sleep 0.1; done' >/dev/null
    sleep 1
    pod stop --time 10 asked
    [[ $(pod inspect --format '{{.State.ExitCode}}' asked) == 8 ]]
    run prun --timeout 2 box sleep 100
    ((status != 0))
    pod run -d --name retried --network none --restart on-failure:2 box false >/dev/null
    tries() { [[ $(pod inspect --format '{{.RestartCount}}' retried) == 2 ]]; }
    eventually tries
}

@test "podman: attach" {
    pod run -d -i --name attached --network none box sh -c 'read line; echo "heard $line"; exit 4' >/dev/null
    run pod attach attached <<<spoken
    says 'heard spoken'
    [[ $(pod wait attached) == 4 ]]
}

@test "podman: --systemd=always mounts what systemd wants" {
    run prun --systemd=always box sh -c 'stat -f -c %T /run /tmp /sys/fs/cgroup | tr "\n" " "; mkdir "/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup)/below" && echo made'
    ended 0
    says tmpfs
    says made
}

@test "podman: keep-groups" {
    is_root && skip 'is for ordinary users'
    run prun --group-add keep-groups box true
    ended 0
}

@test "podman: what the runtime cannot do is told" {
    is_root || skip 'is for root'
    started solid
    run pod container checkpoint solid
    ((status != 0))
    says checkpoint
    [[ $(pod inspect --format '{{.State.Status}}' solid) == running ]]
}

# --- a running container ----------------------------------------------------------------------------------------------

@test "podman: ps, logs, inspect, stop, rm" {
    pod run -d --name life --network none box sh -c 'trap "exit 7" TERM; echo logged; while :; do sleep 0.1; done'
    [[ $(pod ps --format '{{.Names}}') == life ]]
    eventually bash -c "podman --runtime $CLIENT_RUNTIME logs life | grep -q logged"
    [[ $(pod inspect --format '{{.State.Status}} {{.OCIRuntime}}' life) == "running $CLIENT_RUNTIME" ]]
    pod stop --time 5 life
    [[ $(pod inspect --format '{{.State.ExitCode}}' life) == 7 ]]
    pod rm life
}

@test "podman: stop kills what does not listen" {
    pod run -d --name deaf --network none box sh -c 'trap "" TERM; while :; do sleep 0.1; done'
    pod stop --time 1 deaf
    [[ $(pod inspect --format '{{.State.ExitCode}}' deaf) == 137 ]]
}

@test "podman: kill with a signal, and a stopped container is not killed" {
    started one
    sleep 1
    pod kill --signal TERM one
    pod wait one
    [[ $(pod inspect --format '{{.State.ExitCode}}' one) == 7 ]]
    run pod kill one
    ((status != 0))
}

@test "podman: restart, and start of what has ended" {
    pod run --name again --network none box echo once
    run pod start --attach again
    ended 0
    [[ $output == once ]]
    started up
    pod restart --time 0 up
    [[ $(pod inspect --format '{{.State.Status}}' up) == running ]]
}

@test "podman: created, then started" {
    pod create --name later --network none box echo now
    [[ $(pod inspect --format '{{.State.Status}}' later) == created ]]
    pod init later
    [[ $(pod inspect --format '{{.State.Status}}' later) == initialized ]]
    run pod start --attach later
    [[ $output == now ]]
}

@test "podman: pause and unpause" {
    started cold
    pod pause cold
    [[ $(pod inspect --format '{{.State.Status}}' cold) == paused ]]
    run pod exec cold true
    ((status != 0))
    pod unpause cold
    pod exec cold true
}

@test "podman: update changes a limit that runs" {
    is_root || skip 'podman 4.3 updates as root'
    started changed --memory 64m
    pod update --memory 48m changed
    local pid
    pid=$(pod inspect --format '{{.State.Pid}}' changed)
    [[ $(cat "/sys/fs/cgroup$(cut -d: -f3 "/proc/$pid/cgroup")/memory.max") == $((48 * 1024 * 1024)) ]]
}

@test "podman: top and stats" {
    started seen
    run pod top seen
    ended 0
    says sleep || says trap
    run pod stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' seen
    ended 0
    says seen
}

@test "podman: cp in both directions, of a running container" {
    started copied
    echo there >"$CLIENT_WORK/there"
    pod cp "$CLIENT_WORK/there" copied:/tmp/here
    [[ $(pod exec copied cat /tmp/here) == there ]]
    pod cp copied:/data/file "$CLIENT_WORK/back"
    [[ $(<"$CLIENT_WORK/back") == of-the-image ]]
}

@test "podman: wait, and many at once" {
    local i jobs=()
    for i in 1 2 3 4; do
        pod run -d --name "m$i" --network none box sh -c "exit $i" >/dev/null 3>&- &
        jobs+=($!)
    done
    wait "${jobs[@]}"
    for i in 1 2 3 4; do [[ $(pod wait "m$i") == "$i" ]]; done
}

# --- exec -------------------------------------------------------------------------------------------------------------

@test "podman: exec prints and returns the exit code" {
    started ex
    run pod exec ex echo within
    ended 0
    [[ $output == within ]]
    run pod exec ex sh -c 'exit 9'
    ended 9
    run pod exec ex nosuchprogram
    ended 127
    run pod exec ex /etc/passwd
    ended 126
}

@test "podman: exec with user, environment, directory, input and terminal" {
    started ex2
    run pod exec --user 33 --env A=b --workdir /tmp ex2 sh -c 'id -u; echo $A; pwd'
    ended 0
    [[ ${lines[0]} == 33 && ${lines[1]} == b && ${lines[2]} == /tmp ]]
    run pod exec -i ex2 cat <<<'typed in'
    [[ $output == 'typed in' ]]
    run pod exec -t ex2 tty
    ended 0
    says /dev/pts/
}

@test "podman: exec -d, --privileged, and in the same cgroup" {
    started ex3
    pod exec -d ex3 sleep 77
    eventually bash -c "podman --runtime $CLIENT_RUNTIME top ex3 | grep -q 'sleep 77'"
    run pod exec --privileged ex3 grep CapEff /proc/self/status
    ended 0
    run pod exec ex3 sh -c '[ "$(cat /proc/self/cgroup)" = "$(cat /proc/1/cgroup)" ]'
    ended 0
}

@test "podman: healthcheck" {
    started healthy --health-cmd 'test -e /data/file' --health-interval disable
    pod healthcheck run healthy
    pod run -d --name ill --network none --health-cmd false --health-interval disable box sleep 100
    run pod healthcheck run ill
    ended 1
}

# --- pods, services, hooks ----------------------------------------------------------------------------------------------

@test "podman: a pod shares its namespaces" {
    pod pod create --name p --infra-image box --infra-command '/bin/sleep 1000' --network none >/dev/null
    pod run -d --pod p --name in1 box sleep 100 >/dev/null
    run pod run --rm --pod p box sh -c 'hostname; readlink /proc/self/ns/net'
    ended 0
    local net=${lines[1]}
    [[ $(pod exec in1 readlink /proc/self/ns/net) == "$net" ]]
    pod pod stop --time 0 p >/dev/null
    pod pod rm --force p >/dev/null
}

@test "podman: --sdnotify=container" {
    local socket=$CLIENT_WORK/notify out=$CLIENT_WORK/notified
    rm -f "$socket" "$out"
    python3 - "$socket" "$out" <<'P' 3>&- &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(60)
text = b""
try:
    while b"READY=1" not in text:
        text += s.recv(4096) + b"\n"
except socket.timeout:
    pass
open(sys.argv[2], "wb").write(text)
P
    local listener=$!
    eventually test -S "$socket"
    chmod 666 "$socket"
    NOTIFY_SOCKET=$socket pod run -d --name notifier --network none --sdnotify conmon box sleep 100 >/dev/null
    wait "$listener"
    grep -q READY=1 "$out"
    grep -q MAINPID= "$out"
}

# systemd-notify of the host, for the image has no program that can.
@test "podman: --sdnotify=container waits for the container's own word" {
    local socket=$CLIENT_WORK/notify-inside out=$CLIENT_WORK/notified-inside
    rm -f "$socket" "$out"
    python3 - "$socket" "$out" <<'P' 3>&- &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(90)
text = b""
try:
    while b"READY=1" not in text:
        text += s.recv(4096) + b"\n"
except socket.timeout:
    pass
open(sys.argv[2], "wb").write(text)
P
    local listener=$!
    eventually test -S "$socket"
    chmod 666 "$socket"
    NOTIFY_SOCKET=$socket pod run -d --name speaker --network none --sdnotify container -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro box \
        sh -c '/usr/bin/systemd-notify --ready; sleep 100' 3>&-
    wait "$listener"
    grep -q READY=1 "$out"
}

@test "podman: a service of systemd, in its own cgroup (--cgroups=split)" {
    is_root || skip 'is for root'
    # As `podman generate systemd` writes it: without the two commands systemd kills Podman's own cleanup with the rest.
    systemd-run --quiet --unit="split-${CLIENT_RUNTIME##*/}-${PODMAN_CGROUPS:-systemd}" --property=Type=notify --property=NotifyAccess=all --property=Delegate=yes --property=KillMode=mixed \
        --property='ExecStop=/usr/bin/podman stop --ignore --time 1 split' --property='ExecStopPost=/usr/bin/podman rm --force --ignore --time 1 split' \
        podman --runtime "$CLIENT_RUNTIME" --cgroup-manager "${PODMAN_CGROUPS:-systemd}" run --cgroups=split --sdnotify=conmon -d --replace --rm \
        --name split --network none box sleep 1000
    local pid
    pid=$(pod inspect --format '{{.State.Pid}}' split)
    [[ $(<"/proc/$pid/cgroup") == *split-${CLIENT_RUNTIME##*/}-${PODMAN_CGROUPS:-systemd}.service/libpod-payload-* ]]
    [[ $(systemctl show --property=ActiveState --value "split-${CLIENT_RUNTIME##*/}-${PODMAN_CGROUPS:-systemd}") == active ]]
    systemctl stop "split-${CLIENT_RUNTIME##*/}-${PODMAN_CGROUPS:-systemd}"
    eventually bash -c "! kill -0 $pid 2>/dev/null"
}

@test "podman: sockets of the caller reach the container" {
    run python3 - "$CLIENT_RUNTIME" "${PODMAN_CGROUPS:-systemd}" <<'P'
import os, socket, subprocess, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
env = dict(os.environ, LISTEN_FDS="1")
code = 'exec env LISTEN_PID=$$ "$@"'
p = subprocess.run(["sh", "-c", code, "sh", "podman", "--runtime", sys.argv[1], "--cgroup-manager", sys.argv[2], "run", "--rm", "--network", "none", "box",
                    "sh", "-c", "echo $LISTEN_FDS $LISTEN_PID; readlink /proc/self/fd/3"], env=env, pass_fds=[3], capture_output=True, text=True)
print(p.stdout, p.stderr)
P
    ended 0
    says '1 1'
    says 'socket:['
}

@test "podman: --preserve-fds" {
    run bash -c "exec 3<<<'through 3'; podman --runtime $CLIENT_RUNTIME --cgroup-manager ${PODMAN_CGROUPS:-systemd} run --rm --network none --preserve-fds 1 box cat /proc/self/fd/3"
    ended 0
    [[ $output == 'through 3' ]]
}

@test "podman: hooks.d is called with the state" {
    local hooks=$CLIENT_WORK/hooks.d
    mkdir -p "$hooks"
    printf '#!/bin/sh\ncat >%s/hook-$1\n' "$CLIENT_WORK" >"$CLIENT_WORK/hook"
    chmod 755 "$CLIENT_WORK/hook"
    local stage
    for stage in prestart createRuntime createContainer poststart poststop; do
        rm -f "$CLIENT_WORK/hook-$stage"
        printf '{"version":"1.0.0","hook":{"path":"%s","args":["hook","%s"]},"when":{"always":true},"stages":["%s"]}' \
            "$CLIENT_WORK/hook" "$stage" "$stage" >"$hooks/$stage.json"
    done
    command podman --runtime "$CLIENT_RUNTIME" --cgroup-manager "${PODMAN_CGROUPS:-systemd}" --hooks-dir "$hooks" run --rm --network none box true
    for stage in prestart createRuntime createContainer poststart poststop; do
        [[ $(jq -r .status "$CLIENT_WORK/hook-$stage") =~ ^(creating|created|running|stopped)$ ]] || { echo "$stage" >&2; false; }
    done
}

@test "podman: a startContainer hook runs inside, before the program" {
    mkdir -p "$CLIENT_WORK/hooks-inside"
    printf '{"version":"1.0.0","hook":{"path":"/bin/sh","args":["sh","-c","cat >/tmp/state"]},"when":{"always":true},"stages":["startContainer"]}' \
        >"$CLIENT_WORK/hooks-inside/start.json"
    run command podman --runtime "$CLIENT_RUNTIME" --cgroup-manager "${PODMAN_CGROUPS:-systemd}" --hooks-dir "$CLIENT_WORK/hooks-inside" \
        run --rm --network none box cat /tmp/state
    ended 0
    [[ $(jq -r .status <<<"$output") =~ ^(creating|created)$ ]]
}

@test "podman: a createRuntime hook that fails fails the container, with its own words" {
    mkdir -p "$CLIENT_WORK/hooks-bad"
    printf '#!/bin/sh\necho refused-by-hook >&2\nexit 3\n' >"$CLIENT_WORK/bad-hook"
    chmod 755 "$CLIENT_WORK/bad-hook"
    printf '{"version":"1.0.0","hook":{"path":"%s"},"when":{"always":true},"stages":["createRuntime"]}' "$CLIENT_WORK/bad-hook" \
        >"$CLIENT_WORK/hooks-bad/bad.json"
    run command podman --runtime "$CLIENT_RUNTIME" --cgroup-manager "${PODMAN_CGROUPS:-systemd}" --hooks-dir "$CLIENT_WORK/hooks-bad" \
        run --rm --network none box true
    ((status != 0))
    [[ $CLIENT_RUNTIME != crun-lite ]] || says refused-by-hook
}

@test "podman: generate and play a Kubernetes pod" {
    pod run -d --name k --network none box sleep 100 >/dev/null
    pod generate kube k >"$CLIENT_WORK/pod.yaml"
    pod rm --force --time 0 k >/dev/null
    run pod play kube --network none "$CLIENT_WORK/pod.yaml"
    if [[ $status != 0 && $output == *pause* ]]; then skip 'the pause image cannot be built without a network'; fi
    ended 0
}

@test "podman: build with RUN" {
    mkdir -p "$CLIENT_WORK/build"
    printf 'FROM localhost/box\nRUN echo built >/built && id -u >/who\nCMD cat /built /who\n' >"$CLIENT_WORK/build/Containerfile"
    pod build --network none --isolation oci -t made "$CLIENT_WORK/build"
    run prun made
    ended 0
    [[ ${lines[0]} == built && ${lines[1]} == 0 ]]
    pod rmi made >/dev/null
}

@test "podman: nothing is left when all are gone" {
    prun box true
    pod rm --all --force --time 0 >/dev/null
    local place=/run left
    is_root || place=$XDG_RUNTIME_DIR
    place+=/${CLIENT_RUNTIME##*/}
    left=$(grep -HE '' "$place"/*/state.json 2>/dev/null || ls "$place" 2>/dev/null) || true
    left+=$(find /sys/fs/cgroup -type d -name 'libpod-[0-9a-f]*' 2>/dev/null | grep -v conmon) || true
    [[ -z $left ]] || { echo "left: $left" >&2; return 1; }
}
