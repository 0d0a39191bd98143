# Hooks of all six kinds: order, place, what they are given, and what follows when one fails.
load helpers

setup() {
    common_setup
    LOG=$BATS_TEST_TMPDIR/hooks.log
}

# hook KIND [EXIT] [JQ]: adds one; inside kinds see the log as /data/log.
hook() {
    local path=$PROBE log=$LOG
    case $1 in startContainer) path=/probe log=/data/log ;; esac
    config '.hooks[$k] += [{"path": $p, "args": (["probe", "hook", $l, $k] + (if $x == "" then [] else [$x] end))}]' \
        --arg k "$1" --arg p "$path" --arg l "$log" --arg x "${2-}"
}

all_kinds() {
    local kind
    config '.root.readonly = false'
    for kind in prestart createRuntime createContainer startContainer poststart poststop; do hook "$kind"; done
}

@test "all six kinds run, each at its time" {
    all_kinds
    program sleep
    create_container
    [[ $(jq -r .hook "$LOG" | xargs) == "prestart createRuntime createContainer" ]]
    [[ ! -e rootfs/data/log ]]
    silently rt start "$ID"
    [[ $(jq -r .hook rootfs/data/log) == startContainer ]]
    [[ $(jq -r .hook "$LOG" | xargs) == "prestart createRuntime createContainer poststart" ]]
    silently rt delete --force "$ID"
    [[ $(jq -r .hook "$LOG" | xargs) == "prestart createRuntime createContainer poststart poststop" ]]
}

@test "the state on standard input: id, pid, bundle, status of the moment, annotations" {
    local host
    all_kinds
    config '.annotations = {"org.example.a": "b"}'
    program sleep
    create_container
    host=$(container_pid "$ID")
    silently rt start "$ID"
    silently rt delete --force "$ID"
    output=$(cat "$LOG" rootfs/data/log | jq -s 'map({(.hook): .state}) | add')
    expect --arg id "$ID" --arg b "$BUNDLE" 'map(.id == $id and .bundle == $b and .annotations["org.example.a"] == "b" and (.ociVersion | test("^1\\."))) | all'
    expect --argjson pid "$host" '[.prestart.pid, .createRuntime.pid, .poststart.pid] | unique == [$pid]'
    # In the container's own pid namespace init is 1; both views are seen in the field.
    expect --argjson pid "$host" '.createContainer.pid == $pid or .createContainer.pid == 1'
    expect '[.prestart.status, .createRuntime.status, .createContainer.status] | unique | . == ["creating"] or . == ["created"]'
    expect '.startContainer.status == "created" and .poststart.status == "running" and .poststop.status == "stopped"'
}

@test "the namespaces: runtime's for prestart, createRuntime, poststart, poststop; the container's for the other two" {
    all_kinds
    program report
    run_ok
    local inside_ns outside_ns
    inside_ns=$(jq -r .namespaces.net <<<"$output")
    outside_ns=$(readlink /proc/$$/ns/mnt)
    output=$(cat "$LOG" rootfs/data/log | jq -s 'map({(.hook): .namespaces}) | add')
    expect --arg h "$outside_ns" '[.prestart.mnt, .createRuntime.mnt, .poststart.mnt, .poststop.mnt] | unique == [$h]'
    expect --arg n "$inside_ns" --arg h "$outside_ns" '.startContainer.net == $n and .createContainer.net == $n and .createContainer.mnt != $h and .startContainer.mnt == .createContainer.mnt'
}

@test "a hook's environment is its own env and nothing else, where it has one; no descriptors leak" {
    export FROM_CALLER=leak
    hook createRuntime
    config '.hooks.createRuntime[0].env = ["A=1", "B=two words"]'
    hook poststop
    config '.hooks.poststop[0].env = []'
    program exit 0
    run_ok
    output=$(jq -s 'map({(.hook): .}) | add' "$LOG")
    expect '.createRuntime.env == ["A=1", "B=two words"] and (.poststop.env | index("FROM_CALLER=leak") == null)'
    expect '.createRuntime.fds | keys | map(tonumber) | map(select(. > 3)) == []'
}

@test "several hooks of a kind run in the order they are listed" {
    local i
    for i in 1 2 3; do
        config '.hooks.createRuntime += [{"path": $p, "args": ["probe", "hook", $l, $i]}]' --arg p "$PROBE" --arg l "$LOG" --arg i "$i"
    done
    program exit 0
    run_ok
    [[ $(jq -r .hook "$LOG" | xargs) == "1 2 3" ]]
}

@test "a failing hook before start: create fails naming kind, path and status; the later ones do not run; nothing is left" {
    local kind
    for kind in prestart createRuntime createContainer; do
        new_bundle "$BUNDLE"
        rm -f "$LOG"
        hook "$kind" 7
        hook "$kind"
        program exit 0
        run --separate-stderr rt create "$ID" </dev/null
        [[ $status == 1 ]]
        says "$stderr" "$kind" "$PROBE" 7
        [[ $(jq -r .hook "$LOG" | grep -c "$kind") == 1 ]]
        assert_nothing_left
    done
}

@test "what a failing hook wrote to standard error is part of the message" {
    hook createRuntime 7
    fails 1 createRuntime "says no" -- rt run "$ID"
}

@test "a failing startContainer hook is told to the caller of start" {
    config '.root.readonly = false'
    hook startContainer 9
    program write /data/started x
    create_container
    fails 1 startContainer 9 -- rt start "$ID"
    [[ ! -e rootfs/data/started ]]
    rt delete --force "$ID"
}

@test "failing poststop hooks do not stop the deletion, and the others run" {
    hook poststop 5
    hook poststop
    program sleep
    run_detached
    run -0 rt delete --force "$ID"
    [[ $(jq -r .hook "$LOG" | xargs) == "poststop poststop" ]]
}

@test "a hook that takes longer than its timeout is killed and counts as failed" {
    hook createRuntime
    config '.hooks.createRuntime[0] |= (.timeout = 1 | .args[1] = "hang-hook")'
    program exit 0
    SECONDS=0
    fails 1 createRuntime -- rt run "$ID"
    ((SECONDS <= 4))
    run ! pgrep -f "probe hang-hook $LOG"
}

@test "a hook that does not exist is named" {
    config '.hooks.createRuntime = [{"path": "/no/such/hook"}]'
    fails 1 createRuntime /no/such/hook "$M_ENOENT" -- rt run "$ID"
    config '.hooks.createRuntime = [{"path": "relative"}]'
    fails 1 /hooks/createRuntime/0/path -- rt run "$ID"
}

@test "createRuntime sees the network namespace that an engine would set up" {
    hook createRuntime
    program sleep
    create_container
    [[ -e /proc/$(jq .state.pid "$LOG")/ns/net ]]
    [[ $(readlink "/proc/$(jq .state.pid "$LOG")/ns/net") != "$(readlink /proc/$$/ns/net)" ]]
    silently rt delete "$ID"
}
