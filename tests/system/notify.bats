# NOTIFY_SOCKET: what the container's program says with sd_notify reaches a service manager, played by notify-manager.py.
load helpers

setup() {
    common_setup
    mkdir -p "$BUNDLE/rootfs/run"
    MANAGER=''
    MANAGER_PID=''
    manager "$BATS_TEST_TMPDIR/manager.sock"
}

teardown() {
    [[ -z $MANAGER_PID ]] || kill "$MANAGER_PID"
    common_teardown
}

# manager ADDRESS: listens there; what it hears is in $BATS_TEST_TMPDIR/heard.
manager() {
    [[ -z $MANAGER_PID ]] || kill "$MANAGER_PID"
    MANAGER=$1
    : >"$BATS_TEST_TMPDIR/heard"
    python3 "$BATS_TEST_DIRNAME/notify-manager.py" "$1" 100 >"$BATS_TEST_TMPDIR/heard" 3>&- 4>&- &
    MANAGER_PID=$!
    wait_until grep -q listening "$BATS_TEST_TMPDIR/heard"
}

heard() { grep -v listening "$BATS_TEST_TMPDIR/heard" | jq -c "$@"; }
has_heard() { [[ $(heard -s "$1") == true ]]; }
notified() { NOTIFY_SOCKET=$MANAGER "$@"; }

@test "run --detach: returns when the program is ready, having told the manager init's pid; then nobody listens any more" {
    program notify STATUS=warming + sleep 1 + notify READY=1 MAINPID=1 STATUS=up + sleep
    notified run_detached
    # The barrier is the last word, and it comes after the manager has the rest.
    has_heard "map(.lines) == [[\"STATUS=warming\", \"\"], [\"READY=1\", \"STATUS=up\", \"MAINPID=$(container_pid "$ID")\", \"\"], [\"BARRIER=1\"]]"
    has_heard 'map(.fds) == [0, 0, 1] and (map(.pid) | unique | length) == 1'
    is_status "$ID" running
    [[ -S $STATE/$ID/notify/notify.sock ]]
    [[ -z $(left_processes | grep -v probe) ]]
    run -0 rt exec "$ID" /probe notify STATUS=late
    silently rt delete --force "$ID"
    [[ ! -e $STATE/$ID ]]
}

@test "create and start: start waits; the runtime's lock is free meanwhile" {
    local start
    program sleep 2 + notify READY=1 + sleep
    notified create_container
    [[ -z $(heard .) ]]
    NOTIFY_SOCKET=$MANAGER rt_background start "$ID"
    start=$!
    status_becomes "$ID" running
    silently timeout 5 "$CRUN_LITE" --root "$STATE" pause "$ID"
    silently timeout 5 "$CRUN_LITE" --root "$STATE" resume "$ID"
    kill -0 "$start"
    exits 0 "$start"
    has_heard "map(.lines) == [[\"READY=1\", \"MAINPID=$(container_pid "$ID")\", \"\"], [\"BARRIER=1\"]]"
    silently rt delete --force "$ID"
}

@test "run in the foreground: everything is passed on until the end, MAINPID is the runtime's own" {
    local runtime
    program notify READY=1 + notify STATUS=working + barrier + notify STOPPING=1
    NOTIFY_SOCKET=$MANAGER rt_background run "$ID" >"$BATS_TEST_TMPDIR/out"
    runtime=$!
    exits 0 "$runtime"
    wait_until has_heard "map(.lines) == [[\"READY=1\", \"MAINPID=$runtime\", \"\"], [\"STATUS=working\", \"\"], [\"STOPPING=1\", \"\"]]"
    has_heard "all(.pid == $runtime and .fds == 0)"
    output_has '"barrier":"closed"'
}

@test "a user without privileges may notify; the socket cannot be replaced" {
    config '.process.user = {"uid": 4711, "gid": 4711}'
    program notify READY=1 + unlink /run/notify/notify.sock + try-open /run/notify/other c
    notified run_ok
    [[ ${lines[0]} == *'"errno":null'* && ${lines[1]} == *EROFS* && ${lines[2]} == *EROFS* ]]
    wait_until has_heard 'any(.lines[0] == "READY=1")'
}

@test "in a user namespace, on a read-only root with a tmpfs on /run" {
    needs root
    config '.root.readonly = true | .mounts += [{"destination": "/run", "type": "tmpfs", "source": "tmpfs"}]
            | .linux.namespaces += [{"type": "user"}]
            | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 1000}] | .linux.gidMappings = .linux.uidMappings'
    program notify READY=1 + report
    notified run_ok
    output=${lines[1]} expect_mount /run/notify '.options | split(",") | index("ro") != null and index("nosuid") != null and index("nodev") != null and index("noexec") != null'
    wait_until has_heard 'any(.lines[0] == "READY=1")'
}

@test "what is not the container's to say is not passed on" {
    program notify MAINPID=1 NOTIFYACCESS=all FDSTORE=1 + notify "$(printf 'STATUS=\033[2Jx')" + notify READY=1
    notified run_ok
    wait_until has_heard 'any(.lines[0] == "READY=1")'
    has_heard 'map(.lines[0]) == ["STATUS=?[2Jx", "READY=1"]'
}

@test "an abstract socket, and a path longer than a socket address" {
    program notify READY=1
    manager "@crun-lite-$ID"
    notified run_ok
    wait_until has_heard 'any(.lines[0] == "READY=1")'
    local long
    long=$BATS_TEST_TMPDIR/$(printf 'long%.0s' {1..40})
    mkdir "$long"
    manager "$long/manager.sock"
    notified run_ok
    wait_until has_heard 'any(.lines[0] == "READY=1")'
}

@test "a program that ends before it is ready: start and run --detach fail; what it said before its end counts" {
    program exit 3
    notified fails 1 'ended before it was ready' 'READY=1' -- rt run --detach "$ID"
    [[ ! -e $STATE/$ID ]]
    notified create_container
    notified fails 1 'ended before it was ready' -- rt start "$ID"
    is_status "$ID" stopped
    silently rt delete "$ID"
    program notify READY=1
    notified run_detached
    has_heard 'any(.lines[0] == "READY=1")'
    silently rt delete "$ID"
}

@test "a run --detach that waits can be interrupted; the container goes on" {
    local runtime
    program sleep
    NOTIFY_SOCKET=$MANAGER rt_background run --detach "$ID"
    runtime=$!
    status_becomes "$ID" running
    wait_until test -S "$STATE/$ID/notify/notify.sock"
    sleep 0.3
    kill -TERM "$runtime"
    exits 143 "$runtime"
    is_status "$ID" running
    silently rt delete --force "$ID"
}

@test "without NOTIFY_SOCKET, or with it at start only, nothing waits and nothing is added" {
    program report
    run_ok
    expect '([.mounts[].target] | index("/run/notify")) == null and (.env | tostring | contains("NOTIFY_SOCKET") | not)'
    program sleep
    create_container
    notified silently timeout 10 "$CRUN_LITE" --root "$STATE" start "$ID"
    [[ ! -e $STATE/$ID/notify && -z $(heard .) ]]
    silently rt delete --force "$ID"
    # At create only: its program has a variable that leads to nobody.
    program notify READY=1
    notified create_container
    silently rt start "$ID"
    wait_until output_has '"errno":"ENOENT"'
    silently rt delete --force "$ID"
}

@test "a configuration with a NOTIFY_SOCKET of its own means that one" {
    config '.process.env += ["NOTIFY_SOCKET=/mine"]'
    program report
    notified run_ok
    expect '([.mounts[].target] | index("/run/notify")) == null'
    [[ -z $(heard .) ]]
}

@test "no mount namespace, no manager, no address: refused, saying what to do" {
    program notify READY=1
    NOTIFY_SOCKET=relative fails 1 "NOTIFY_SOCKET is 'relative'" 'unset it' -- rt run "$ID"
    NOTIFY_SOCKET=$BATS_TEST_TMPDIR/nobody fails 1 "$BATS_TEST_TMPDIR/nobody" 'unset NOTIFY_SOCKET' -- rt run "$ID"
    config '.linux.namespaces |= map(select(.type != "mount")) | .mounts = [] | .linux.devices = []
            | del(.linux.maskedPaths, .linux.readonlyPaths) | .root.readonly = false'
    notified fails 1 'without a new mount namespace' 'unset NOTIFY_SOCKET' -- rt run "$ID"
    # check is not about who calls it.
    notified rt check
}
