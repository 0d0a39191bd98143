# What is done for speed alone, and can be switched off: CRUN_LITE_WITHOUT.  A container is the same either way.
load helpers

# Without what every container has of its own: process ids, numbers of namespaces, keyrings, file systems and files, streams, and the
# user's signals in flight.
same_report() {
    jq 'del(.pid, .ppid, .pgid, .sid, .namespaces, .session_keyring, .fds["0", "1", "2"]) | del(.. | .filesystem?, .inode?)
        | .status |= with_entries(select(.key | test("^(Cap|Sig(Pnd|Blk|Ign|Cgt)|ShdPnd|NoNew|Seccomp|Groups|Uid|Gid|Umask|Cpus)")))'
}

# report WITHOUT COMMAND...: what the probe reports, the words of CRUN_LITE_WITHOUT in the environment.
report() {
    local without=$1
    shift
    CRUN_LITE_WITHOUT=$without run --separate-stderr rt "$@"
    [[ $status == 0 ]] || { echo "$without: exit $status, stderr: $stderr" >&2; return 1; }
    same_report <<<"$output"
}

@test "shortcuts: run makes the same container without each and all of them" {
    local with without
    program report
    with=$(report '' run "$ID")
    [[ $with == *mounts* ]]
    for without in network early-start shared-devices all; do
        diff <(echo "$with") <(report "$without" run "$ID" || echo 'no report') || { echo "without $without" >&2; return 1; }
    done
}

@test "shortcuts: exec makes the same process with and without an escort" {
    program sleep
    run_detached
    local with without
    with=$(report '' exec "$ID" /probe report)
    without=$(report no-escort exec "$ID" /probe report)
    [[ $with == *mounts* ]]
    diff <(echo "$with") <(echo "$without")
    rt delete --force "$ID"
}

@test "shortcuts: the network namespace is new, has its loopback device up, and is what sysfs shows" {
    local without
    for without in '' network; do
        export CRUN_LITE_WITHOUT=$without
        inside report
        expect --arg own "$(ns_of self net)" '.namespaces.net != $own and .namespaces.net != null'
        inside list /sys/class/net
        [[ $output == *lo* && $(wc -w <<<"$output") == 1 ]]
        inside cat /sys/class/net/lo/flags
        [[ $(($output & 1)) == 1 ]]
    done
}

# The device programs of a container's cgroup, as the kernel numbers them.
device_programs() {
    python3 "$BATS_TEST_DIRNAME/device-programs.py" "/sys/fs/cgroup$TEST_CGROUP/$1"
}

@test "shortcuts: containers with the same device rules share a device program, without shared-devices they do not" {
    local name first second third
    program sleep
    config '.linux.resources.devices = [{"allow": false, "access": "rwm"}]'
    for name in first second third; do
        config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/$ID-$name"
        export CRUN_LITE_WITHOUT=
        if [[ $name == third ]]; then CRUN_LITE_WITHOUT=shared-devices; fi
        rt run --detach "$ID-$name" </dev/null >/dev/null 2>&1 3>&- 4>&-
    done
    first=$(device_programs "$ID-first") second=$(device_programs "$ID-second") third=$(device_programs "$ID-third")
    [[ $first =~ ^[0-9]+$ && $first == "$second" && $third =~ ^[0-9]+$ && $third != "$first" ]] || { echo "$first, $second, $third" >&2; return 1; }
    # The first one's end takes nothing from the second, whose new rules are its own.
    rt delete --force "$ID-first"
    [[ $(device_programs "$ID-second") == "$second" ]]
    rt update --resources - "$ID-second" <<<'{"devices": [{"allow": true, "access": "rwm"}]}'
    [[ -z $(device_programs "$ID-second") ]]
    rt delete --force "$ID-second"
    rt delete --force "$ID-third"
}

@test "shortcuts: a container that cannot be built says why, also where START was sent already" {
    local without
    for without in '' early-start all; do
        export CRUN_LITE_WITHOUT=$without
        config '.mounts += [{"destination": "/mnt", "type": "no-such-type", "source": "x"}]'
        fails 1 "no-such-type" -- rt run "$ID"
        config 'del(.mounts[-1])'
        config '.process.args = ["/no/such/program"]'
        fails 127 "/no/such/program" -- rt run "$ID"
        program report
    done
}

@test "shortcuts: run --detach with a pid file, killed at any moment, leaves what delete --force can remove" {
    local moment
    program sleep
    for moment in 0.001 0.002 0.003 0.005 0.01; do
        timeout --signal=KILL "$moment" "$CRUN_LITE" --root "$STATE" run --detach --pid-file pid "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&- || true
        rt delete --force "$ID"
        assert_nothing_left
    done
}
