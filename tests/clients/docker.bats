#!/usr/bin/env bats
# dockerd with its containerd; the runtime is the default one, registered by docs/engines/docker-daemon.json.
load helpers

docker() { command docker --host "unix://$DOCKER_SOCKET" "$@"; }
drun() { docker run --rm --network none "$@"; }

start_daemon() {
    : >"$CLIENT_WORK/dockerd.log"
    dockerd --config-file "$CLIENT_WORK/daemon.json" --data-root "$CLIENT_WORK/docker" --exec-root /run/docker-test \
        --host "unix://$DOCKER_SOCKET" --pidfile /run/docker-test.pid --iptables=false --ip6tables=false --bridge=none \
        --ip-forward=false --storage-driver vfs "$@" >>"$CLIENT_WORK/dockerd.log" 2>&1 3>&- &
    echo $! >"$CLIENT_WORK/dockerd.pid"
    eventually docker version >/dev/null 2>&1 || { tail -20 "$CLIENT_WORK/dockerd.log" >&2; return 1; }
}

stop_daemon() {
    kill "$(<"$CLIENT_WORK/dockerd.pid")"
    tail --pid="$(<"$CLIENT_WORK/dockerd.pid")" -f /dev/null
}

setup_file() {
    export DOCKER_SOCKET=/run/docker-test.sock
    image_tar
    case $CLIENT_RUNTIME in
    crun-lite) sed "s#/usr/bin/crun-lite#$(command -v crun-lite)#" "$REGISTRATION/docker-daemon.json" >"$CLIENT_WORK/daemon.json" ;;
    runc) echo '{}' >"$CLIENT_WORK/daemon.json" ;;
    *) printf '{"runtimes":{"%s":{"path":"%s"}},"default-runtime":"%s"}' "$CLIENT_RUNTIME" "$(command -v "$CLIENT_RUNTIME")" \
        "$CLIENT_RUNTIME" >"$CLIENT_WORK/daemon.json" ;;
    esac
    start_daemon
    docker import "$CLIENT_WORK/image.tar" box >/dev/null
}

teardown_file() {
    stop_daemon || true
}

teardown() {
    local id
    for id in $(docker ps -aq); do docker rm -f "$id" >/dev/null 2>&1 || true; done
}

started() {
    local name=$1
    shift
    docker run -d --name "$name" --network none "$@" box sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done' >/dev/null
}

@test "docker: the daemon knows the runtime and its version" {
    run docker info --format '{{.DefaultRuntime}} {{.RuncCommit.ID}}'
    ended 0
    says "$CLIENT_RUNTIME"
}

@test "docker: run prints; exit codes 0, 1, 42" {
    run drun box echo hello
    ended 0
    [[ $output == hello ]]
    run drun box false
    ended 1
    run drun box sh -c 'exit 42'
    ended 42
}

@test "docker: 126 and 127" {
    run drun box /etc/passwd
    ended 126
    run drun box /etc
    ended 126
    run drun box nosuchprogram
    ended 127
    run drun box /no/such/program
    ended 127
}

@test "docker: 137 for a killed container" {
    started killed
    docker kill killed
    [[ $(docker wait killed) == 137 ]]
}

@test "docker: -i, and -t" {
    run drun -i box cat <<<'from outside'
    [[ $output == 'from outside' ]]
    run drun -t box tty
    ended 0
    says /dev/pts/0
}

@test "docker: 2 MiB of output arrive whole" {
    run drun box sh -c 'head -c 2097152 /dev/zero | tr "\0" x'
    ended 0
    [[ ${#output} == 2097152 ]]
}

@test "docker: environment, directory, user, groups, host name, domain name" {
    run drun -e A=b --workdir /tmp --user 33:29 --group-add 1234 --hostname h --domainname d box \
        sh -c 'echo $A; pwd; id -u; id -G; hostname; cat /proc/sys/kernel/domainname'
    ended 0
    [[ ${lines[0]} == b && ${lines[1]} == /tmp && ${lines[2]} == 33 && ${lines[3]} == *1234* && ${lines[4]} == h && ${lines[5]} == d ]]
}

@test "docker: --read-only and --tmpfs" {
    run drun --read-only --tmpfs /scratch:size=1m box sh -c 'touch /scratch/x && echo written; touch /x'
    says written
    says 'Read-only file system'
}

@test "docker: volumes and mounts" {
    mkdir -p "$CLIENT_WORK/v"
    echo outside >"$CLIENT_WORK/v/file"
    run drun -v "$CLIENT_WORK/v:/v:ro" --mount type=tmpfs,dst=/t box sh -c 'cat /v/file; touch /t/x; touch /v/x'
    says outside
    says 'Read-only file system'
    run drun -v named:/data box cat /data/file
    [[ $output == of-the-image ]]
}

@test "docker: capabilities, --privileged, no-new-privileges, seccomp" {
    run drun --cap-drop all box grep CapEff /proc/self/status
    says 0000000000000000
    run drun --privileged box sh -c 'mkdir /m && mount -t tmpfs none /m && echo mounted'
    says mounted
    run drun --security-opt no-new-privileges box grep NoNewPrivs /proc/self/status
    says 1
    run drun box grep '^Seccomp:' /proc/self/status
    says 2
    run drun --security-opt seccomp=unconfined box grep '^Seccomp:' /proc/self/status
    says 0
}

@test "docker: --device, --ulimit, --sysctl, --shm-size, --oom-score-adj" {
    run drun --device /dev/loop-control:/dev/mine:r --ulimit nofile=123:456 --sysctl kernel.msgmax=4096 --shm-size 1m --oom-score-adj 500 \
        box sh -c 'ls /dev/mine; ulimit -n; cat /proc/sys/kernel/msgmax; grep /dev/shm /proc/mounts; cat /proc/self/oom_score_adj; : >/dev/mine'
    says /dev/mine
    says 123
    says 4096
    says size=1024k
    says 500
    says 'not permitted'
}

@test "docker: limits are in force, and update changes them" {
    started limited --memory 64m --memory-swap 64m --pids-limit 30 --cpus 0.5
    local pid group
    pid=$(docker inspect --format '{{.State.Pid}}' limited)
    group=/sys/fs/cgroup$(cut -d: -f3 "/proc/$pid/cgroup")
    [[ $(<"$group/memory.max") == 67108864 && $(<"$group/pids.max") == 30 && $(<"$group/cpu.max") == '50000 100000' ]]
    docker update --memory 48m --memory-swap 48m --pids-limit 20 limited
    [[ $(<"$group/memory.max") == 50331648 && $(<"$group/pids.max") == 20 ]]
}

@test "docker: a process that takes too much memory is killed" {
    run docker run --name hog --network none --memory 16m --memory-swap 16m box tail /dev/zero
    ended 137
    # The word of it comes by another way than that of the end.
    is_told() { [[ $(docker inspect --format '{{.State.OOMKilled}}' hog) == true ]]; }
    eventually is_told
}

@test "docker: stop, stop of the deaf, restart" {
    started life
    sleep 1
    docker stop --time 5 life
    [[ $(docker inspect --format '{{.State.ExitCode}}' life) == 7 ]]
    docker run -d --name deaf --network none box sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null
    sleep 1
    docker stop --time 1 deaf
    [[ $(docker inspect --format '{{.State.ExitCode}}' deaf) == 137 ]]
    docker restart --time 0 deaf
    [[ $(docker inspect --format '{{.State.Status}}' deaf) == running ]]
}

@test "docker: create, then start" {
    docker create --name later --network none box echo now >/dev/null
    run docker start --attach later
    ended 0
    [[ $output == now ]]
}

@test "docker: pause and unpause" {
    started cold
    docker pause cold
    [[ $(docker inspect --format '{{.State.Status}}' cold) == paused ]]
    docker unpause cold
    [[ $(docker inspect --format '{{.State.Status}}' cold) == running ]]
}

@test "docker: exec with exit codes, user, environment, input, terminal" {
    started ex
    run docker exec ex sh -c 'exit 9'
    ended 9
    # Docker 20.10 says 126 whatever the reason was.
    run docker exec ex nosuchprogram
    ((status == 126 || status == 127))
    says 'executable file'
    run docker exec ex /etc/passwd
    ended 126
    says 'ermission denied'
    run docker exec --user 33 -e A=b --workdir /tmp ex sh -c 'id -u; echo $A; pwd'
    ended 0
    [[ ${lines[0]} == 33 && ${lines[1]} == b && ${lines[2]} == /tmp ]]
    run docker exec -i ex cat <<<'typed in'
    [[ $output == 'typed in' ]]
    run docker exec -t ex tty
    says /dev/pts/
    docker exec -d ex sleep 77
    eventually bash -c "docker --host unix://$DOCKER_SOCKET top ex | grep -q 'sleep 77'"
}

@test "docker: top, stats, logs, cp" {
    started seen
    run docker top seen
    ended 0
    says PID
    run docker stats --no-stream --format '{{.Name}} {{.PIDs}}' seen
    says seen
    docker exec seen sh -c 'echo logged >/proc/1/fd/1'
    eventually bash -c "docker --host unix://$DOCKER_SOCKET logs seen | grep -q logged"
    docker cp seen:/data/file "$CLIENT_WORK/back"
    [[ $(<"$CLIENT_WORK/back") == of-the-image ]]
}

@test "docker: namespaces of another container and of the host" {
    started other --ipc shareable
    run drun --pid container:other --ipc container:other box sh -c 'tr "\0" " " </proc/1/cmdline'
    ended 0
    says trap
    run drun --pid host box sh -c 'ls -d /proc/[0-9]* 2>/dev/null | wc -l'
    ((output > 10))
}

@test "docker: device rules" {
    # Nobody serves character device 42: what the rule lets through finds no driver.
    run drun --device-cgroup-rule 'c 42:* rw' box sh -c 'mknod /tmp/ours c 42 0; mknod /tmp/loop c 10 237; cat /tmp/ours; cat /tmp/loop'
    [[ ${lines[0]} == *ours*'No such device'* && ${lines[1]} == *loop*'not permitted'* ]]
}

@test "docker: attach, restarts, a volume kept, a commit" {
    docker run -d -i --name attached --network none box sh -c 'read line; echo "heard $line"; sleep 1; exit 4' >/dev/null
    run docker attach attached < <(echo spoken; sleep 3)
    says 'heard spoken'
    [[ $(docker wait attached) == 4 ]]
    docker run -d --name retried --network none --restart on-failure:2 box false >/dev/null
    eventually bash -c "[ \"\$(docker --host unix://$DOCKER_SOCKET inspect --format '{{.RestartCount}} {{.State.Status}}' retried)\" = '2 exited' ]"
    docker run --name wrote --network none box sh -c 'echo kept >/kept'
    docker commit wrote wrote-image >/dev/null
    run drun wrote-image cat /kept
    [[ $output == kept ]]
}

@test "docker: exec --privileged, of a user with capabilities" {
    started strong --user 33
    # Its seccomp profile stays the container's.
    run docker exec --privileged --user 0 strong grep -E '^(CapEff|Seccomp):' /proc/self/status
    local effective=${lines[0]##*[[:space:]]}
    (((16#$effective >> 21) & 1))
    [[ ${lines[1]} == *2 ]]
    run docker exec strong sh -c 'id -u; grep CapEff /proc/self/status'
    [[ ${lines[0]} == 33 && ${lines[1]} == *0000000000000000 ]]
}

@test "docker: --cgroupns host, --ipc host, --uts host, --network host" {
    run drun --cgroupns host --ipc host --uts host box sh -c 'readlink /proc/self/ns/uts; cat /proc/self/cgroup'
    ended 0
    says "$(readlink /proc/self/ns/uts)"
    # With the cgroupfs driver, or the scope of the systemd driver, which is Docker's default where there is systemd.
    [[ $output == */docker/* || $output == */docker-*.scope* ]]
    run docker run --rm --network host box readlink /proc/self/ns/net
    [[ $output == "$(readlink /proc/self/ns/net)" ]]
}

@test "docker: --init" {
    run drun --init box cat /proc/1/comm
    ended 0
    says init
}

@test "docker: healthcheck" {
    started healthy --health-cmd 'test -e /data/file' --health-interval 1s
    eventually bash -c "[ \"\$(docker --host unix://$DOCKER_SOCKET inspect --format '{{.State.Health.Status}}' healthy)\" = healthy ]"
}

@test "docker: build with RUN" {
    mkdir -p "$CLIENT_WORK/dockerbuild"
    printf 'FROM box\nRUN echo built >/built\nCMD cat /built\n' >"$CLIENT_WORK/dockerbuild/Dockerfile"
    DOCKER_BUILDKIT=0 docker build --network none -t made "$CLIENT_WORK/dockerbuild"
    run drun made
    [[ $output == built ]]
}

@test "docker: containers survive a restart of the daemon with --live-restore" {
    stop_daemon
    start_daemon --live-restore
    started survivor
    local pid
    pid=$(docker inspect --format '{{.State.Pid}}' survivor)
    stop_daemon
    kill -0 "$pid"
    start_daemon --live-restore
    [[ $(docker inspect --format '{{.State.Status}} {{.State.Pid}}' survivor) == "running $pid" ]]
    docker stop --time 5 survivor
    stop_daemon
    start_daemon
}

@test "docker: --userns-remap" {
    stop_daemon
    # A user of the system that has a range of ids.
    local range
    range=$(awk -F: '$1 == "tester" {print $2}' /etc/subuid)
    start_daemon --userns-remap tester
    docker import "$CLIENT_WORK/image.tar" box >/dev/null
    run drun box sh -c 'id -u; cat /proc/self/uid_map'
    ended 0
    says "$range"
    started remapped
    run docker exec remapped id -u
    [[ $output == 0 ]]
    docker rm -f remapped >/dev/null
    stop_daemon
    start_daemon
}

@test "docker: nothing is left when all are gone" {
    drun box true
    [[ -z $(find /sys/fs/cgroup -type d -path '*/docker/[0-9a-f]*' 2>/dev/null) ]]
    [[ -z $(ls /run/docker-test/runtime-runc/moby 2>/dev/null) ]]
}
