#!/usr/bin/env bats
# containerd's CRI plugin, called as a kubelet calls it; the runtime is registered by docs/engines/containerd-1.toml.
# Pods have the host's network: there is no network to plug into.
load helpers

SOCKET=/run/cri-test/containerd.sock
image=example.org/box:latest
# Where the kubelet's driver is systemd, which is what the registration says, else a cgroupfs path.
if [[ -d /run/systemd/system ]]; then pods=system.slice; else pods=/pods; fi

cri() { python3 "$BATS_TEST_DIRNAME/cri.py" "$SOCKET" "$@"; }

start_daemon() {
    local driver=true
    [[ -d /run/systemd/system ]] || driver=false
    {
        cat <<C
root = "$CLIENT_WORK/containerd"
state = "/run/cri-test"
disabled_plugins = ["io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "$SOCKET"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "example.org/pause:latest"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "native"
  default_runtime_name = "crun-lite"
C
        sed "s#/usr/bin/crun-lite#$(command -v "$CLIENT_RUNTIME")#; s#SystemdCgroup = true#SystemdCgroup = $driver#" "$REGISTRATION/containerd-1.toml"
    } >"$CLIENT_WORK/cri.toml"
    # The keys without a table come first.
    sed -i '/^version = /d; 1i version = 2' "$CLIENT_WORK/cri.toml"
    containerd --config "$CLIENT_WORK/cri.toml" >"$CLIENT_WORK/cri.log" 2>&1 3>&- &
    echo $! >"$CLIENT_WORK/cri.pid"
    eventually cri Version >/dev/null 2>&1 || { tail -20 "$CLIENT_WORK/cri.log" >&2; return 1; }
}

setup_file() {
    image_tar
    image_archive "$image" '["sh"]' "$CLIENT_WORK/box-archive.tar"
    image_archive example.org/pause:latest '["sleep", "1000000"]' "$CLIENT_WORK/pause-archive.tar"
    start_daemon
    local archive
    for archive in box pause; do
        ctr --address "$SOCKET" --namespace k8s.io image import --snapshotter native "$CLIENT_WORK/$archive-archive.tar" >/dev/null
    done
}

teardown_file() {
    kill "$(<"$CLIENT_WORK/cri.pid")"
}

setup() {
    local privileged=false
    # A container has no more rights than its pod.
    [[ $BATS_TEST_DESCRIPTION != *privileged* ]] || privileged=true
    POD_CONFIG=$(jq -nc --argjson privileged "$privileged" --arg name "pod$BATS_TEST_NUMBER" --arg logs "$BATS_TEST_TMPDIR" --arg parent "$pods" \
        '{metadata: {name: $name, uid: $name, namespace: "tests"}, log_directory: $logs,
          linux: {cgroup_parent: $parent, security_context: {namespace_options: {network: 2}, privileged: $privileged}}}')
    POD=$(cri RunPodSandbox "$(jq -nc --argjson config "$POD_CONFIG" '{config: $config, runtime_handler: "crun-lite"}')" | jq -r .pod_sandbox_id)
    [[ -n $POD ]]
}

teardown() {
    cri StopPodSandbox "{\"pod_sandbox_id\": \"$POD\"}" >/dev/null
    cri RemovePodSandbox "{\"pod_sandbox_id\": \"$POD\"}" >/dev/null
}

# container NAME CONFIG COMMAND...: creates it in the pod, with CONFIG (JSON) merged in; its id is in $container.
container() {
    local config
    config=$(jq -nc --arg name "$1" --arg image "$image" --argjson more "$2" \
        '{metadata: {name: $name}, image: {image: $image}, log_path: ($name + ".log"), command: $ARGS.positional,
          linux: {security_context: {namespace_options: {network: 2, pid: 1}}}} * $more' --args -- "${@:3}")
    container=$(cri CreateContainer "$(jq -nc --arg pod "$POD" --argjson config "$config" --argjson sandbox "$POD_CONFIG" \
        '{pod_sandbox_id: $pod, config: $config, sandbox_config: $sandbox}')" | jq -r .container_id)
    [[ -n $container ]]
}

of_container() { cri "$1" "$(jq -nc --arg id "$container" --argjson more "${2:-"{}"}" '{container_id: $id} + $more')"; }
status_of() { of_container ContainerStatus | jq -r ".status.$1"; }
has_exited() { [[ $(status_of state) == 2 ]]; }

@test "cri: a container's life: created, running, exited, with its exit code and log" {
    container life '{}' sh -c 'echo logged; echo wrong >&2; exit 7'
    [[ $(status_of state) == 0 ]]
    of_container StartContainer
    eventually has_exited
    [[ $(status_of exit_code) == 7 && $(status_of reason) == Error ]]
    grep -q 'stdout F logged' "$BATS_TEST_TMPDIR/life.log"
    grep -q 'stderr F wrong' "$BATS_TEST_TMPDIR/life.log"
    of_container RemoveContainer
}

@test "cri: a start that fails says why" {
    container absent '{}' nosuchprogram
    run of_container StartContainer
    ((status != 0))
    says 'executable file'
    [[ $(status_of state) == 2 && $(status_of reason) == StartError ]]
    [[ $(status_of message) == *'executable file'* ]]
}

@test "cri: exec with output and exit code; with a time limit" {
    container ex '{}' sleep 1000
    of_container StartContainer
    run of_container ExecSync '{"cmd": ["sh", "-c", "echo within; exit 9"]}'
    ended 0
    [[ $(jq -r '.stdout | @base64d' <<<"$output") == within && $(jq .exit_code <<<"$output") == 9 ]]
    run of_container ExecSync '{"cmd": ["sleep", "100"], "timeout": 1}'
    ((status != 0))
    says DEADLINE_EXCEEDED
    run of_container ExecSync '{"cmd": ["nosuchprogram"]}'
    ((status != 0))
    says 'executable file'
}

@test "cri: stop asks, waits and kills" {
    container polite '{}' sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done'
    of_container StartContainer
    sleep 1
    of_container StopContainer '{"timeout": 20}'
    [[ $(status_of state) == 2 && $(status_of exit_code) == 3 ]]
    container deaf '{}' sh -c 'trap "" TERM; while :; do sleep 0.1; done'
    of_container StartContainer
    sleep 1
    of_container StopContainer '{"timeout": 1}'
    [[ $(status_of exit_code) == 137 ]]
}

@test "cri: the security context" {
    container secure '{"linux": {"security_context": {"run_as_user": {"value": 33}, "readonly_rootfs": true, "no_new_privs": true,
        "seccomp": {"profile_type": 0}, "capabilities": {"drop_capabilities": ["ALL"]}}}}' \
        sh -c 'id -u; touch /x; grep -E "^(Seccomp|NoNewPrivs|CapBnd):" /proc/self/status'
    of_container StartContainer
    eventually has_exited
    local log
    log=$(<"$BATS_TEST_TMPDIR/secure.log")
    [[ $log == *'F 33'* && $log == *'Read-only file system'* ]]
    [[ $log == *NoNewPrivs:?1* && $log == *Seccomp:?2* && $log == *CapBnd:?0000000000000000* ]]
}

@test "cri: privileged" {
    container mighty '{"linux": {"security_context": {"privileged": true}}}' sh -c 'mkdir /m && mount -t tmpfs none /m && echo mounted'
    of_container StartContainer
    eventually has_exited
    grep -q 'stdout F mounted' "$BATS_TEST_TMPDIR/mighty.log"
}

@test "cri: the process namespace of the pod" {
    container shared '{"linux": {"security_context": {"namespace_options": {"pid": 0}}}}' sh -c 'tr "\0" " " </proc/1/cmdline'
    of_container StartContainer
    eventually has_exited
    grep -q 'sleep 1000000' "$BATS_TEST_TMPDIR/shared.log"
}

@test "cri: limits are in force, and updates change them" {
    container limited '{"linux": {"resources": {"memory_limit_in_bytes": 67108864, "cpu_period": 100000, "cpu_quota": 50000, "cpu_shares": 512}}}' sleep 1000
    of_container StartContainer
    local pid group
    pid=$("$CLIENT_RUNTIME" --root /run/containerd/runc/k8s.io state "$container" | jq .pid)
    group=/sys/fs/cgroup$(cut -d: -f3 "/proc/$pid/cgroup")
    [[ $(<"$group/memory.max") == 67108864 && $(<"$group/cpu.max") == '50000 100000' ]]
    of_container UpdateContainerResources '{"linux": {"memory_limit_in_bytes": 50331648, "cpu_period": 100000, "cpu_quota": 30000}}'
    [[ $(<"$group/memory.max") == 50331648 && $(<"$group/cpu.max") == '30000 100000' ]]
}
