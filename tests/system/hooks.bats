# Hooks of all six kinds: order, place, what they are given, and what follows when one fails.
load helpers

KINDS="prestart createRuntime createContainer startContainer poststart poststop"

# One log for all, so that its order is that of the world: hooks outside see it as $LOG, inside as /data/log.
setup() {
    common_setup
    LOG=$BUNDLE/rootfs/data/log
    config '.root.readonly = false'
}

# A startContainer hook is a program of the container's root, every other one of the host; neither exists on the other side.
hook_path() { if [[ $1 == startContainer ]]; then echo /probe; else echo "$PROBE"; fi; }
hook_log() { if [[ $1 == startContainer ]]; then echo /data/log; else echo "$LOG"; fi; }

# hook KIND [EXIT [NAME]]: adds one.
hook() {
    config '.hooks[$k] += [{"path": $p, "args": (["probe", "hook", $l, $n] + (if $x == "" then [] else [$x] end))}]' \
        --arg k "$1" --arg p "$(hook_path "$1")" --arg l "$(hook_log "$1")" --arg x "${2-}" --arg n "${3-$1}"
}

all_kinds() {
    local kind
    for kind in $KINDS; do hook "$kind"; done
}

logged() { if [[ -e $LOG ]]; then jq -r .hook "$LOG" | xargs; fi; }
is_unknown() { fails 1 "$ID" "$M_NO_CONTAINER" -- rt state "$ID"; }
state_schema() { python3 "$BATS_TEST_DIRNAME/validate.py" "$BATS_TEST_DIRNAME/../data/schema/state-schema.json" "$@"; }

# Per kind: 1 says all of argv and env, 2 has no args, 3 has no env.
three_of_each_kind() {
    local kind
    for kind in $KINDS; do
        config '.hooks[$k] = [
            {"path": $p, "args": ["zeroth", "hook", $l, $k + "/1", "0", "two words", ""], "env": ["A=1", "B=two words", "EMPTY="]},
            {"path": $p, "env": ["PROBE_COMMAND=hook \($l) \($k)/2", "PROBE_LOOK=" + $look]},
            {"path": $p, "args": ["probe", "hook", $l, $k + "/3"]}]' --arg k "$kind" --arg p "$(hook_path "$kind")" \
            --arg l "$(hook_log "$kind")" --arg look "$STATE/$ID:/sys/fs/cgroup$TEST_CGROUP/$ID:$PROBE:/etc/marker"
    done
}

# Everything that one life shows.  Afterwards $output is an object: "KIND/N": what that hook saw; "program" too.
one_life() {
    export FROM_CALLER=here
    three_of_each_kind
    config '.annotations = {"org.example.a": "b", "empty": ""}'
    program hook /data/log program + sleep
    # Somewhere else, so that a hook in the bundle's directory is there by the runtime's doing.
    cd / || return
    create_container --bundle "$BUNDLE"
    cd "$BUNDLE" || return
    CREATED=$(rt state "$ID")
    LOGGED_AT_CREATE=$(logged)
    cd / || return
    silently rt start "$ID"
    cd "$BUNDLE" || return
    wait_until grep -q '"program"' "$LOG"
    LOGGED_AT_START=$(logged)
    cd / || return
    silently rt delete --force "$ID"
    cd "$BUNDLE" || return
    LOGGED_AT_END=$(logged)
    output=$(jq -s 'map({(.hook): .}) | add' "$LOG")
}

# spec: LIFE-06 LIFE-07 LIFE-09 LIFE-10 HOOK-01 HOOK-02 HOOK-10 HOOK-18 HOOK-26 HOOK-42 HOOK-50 HOOK-52
@test "hooks: six kinds in their order, each kind in the order of its list, at create, start and delete" {
    one_life
    local at_create="prestart/1 prestart/2 prestart/3 createRuntime/1 createRuntime/2 createRuntime/3 createContainer/1 createContainer/2 createContainer/3"
    [[ $LOGGED_AT_CREATE == "$at_create" ]]
    # The program writes its line whenever it comes to it; here without.
    [[ ${LOGGED_AT_START/ program/} == "$at_create startContainer/1 startContainer/2 startContainer/3 poststart/1 poststart/2 poststart/3" ]]
    [[ ${LOGGED_AT_START%% program*} == *startContainer/3* ]]
    [[ $LOGGED_AT_END == "$LOGGED_AT_START poststop/1 poststop/2 poststop/3" ]]
}

# spec: LIFE-05 LIFE-11 LIFE-19 HOOK-34 HOOK-53 STATE-11
@test "hooks: what exists at the time of each kind: namespaces, mounts, cgroup; root not changed, changed; program; nothing" {
    one_life
    local kind
    for kind in prestart createRuntime; do
        # The namespaces are there, the mounts are done below the bundle, init sits in its cgroup, pivot_root is to come.
        expect --arg k "$kind/2" --arg h "$(readlink /proc/$$/ns/net)" '.[$k].subject | .["ns/net"] != null and .["ns/net"] != $h'
        expect --arg k "$kind/2" --arg r "$BUNDLE/rootfs" '[.[$k].subject.mounts[].target] | contains([$r, $r + "/proc", $r + "/dev/pts", $r + "/sys/fs/cgroup"])'
        expect --arg k "$kind/2" --arg c "$TEST_CGROUP/$ID" '.[$k].subject.cgroup | contains($c)'
        expect --arg k "$kind/2" '.[$k].subject | (.exe | endswith("/probe") | not) and .in_root == false'
        expect --arg k "$kind/2" '[.[$k].exists[]] == [true, true, true, false]'
    done
    # createContainer: in the container's mount namespace, whose root is still the host's.
    expect --arg p "$PROBE" '.["createContainer/2"].exists | .[$p] and (.["/etc/marker"] | not)'
    # startContainer: the container's root and nothing else; init has not executed the program.
    expect --arg p "$PROBE" '.["startContainer/2"] | (.exists[$p] | not) and .exists["/etc/marker"] and (.subject.exe | endswith("/probe") | not)'
    # poststart: the process of the state has executed the program, in the container's root.
    expect '.["poststart/1"].subject | .exe == "/probe" and .in_root'
    # poststop: neither state nor cgroup is left.
    expect '[.["poststop/2"].exists[]] == [false, false, true, false]'
}

# spec: HOOK-03 HOOK-04 HOOK-11 HOOK-12 HOOK-19 HOOK-20 HOOK-27 HOOK-28 HOOK-35 HOOK-36 HOOK-43 HOOK-44
@test "hooks: where the path is resolved, and all eight namespaces that the hook runs in" {
    local runtime_ns name
    [[ ! -e /probe && ! -e $BUNDLE/rootfs$PROBE ]]
    one_life
    runtime_ns=$(for name in cgroup ipc mnt net pid time user uts; do echo "$name $(readlink "/proc/$$/ns/$name")"; done |
        jq -Rn '[inputs | split(" ") | {(.[0]): .[1]}] | add')
    expect --argjson r "$runtime_ns" '[.["prestart/1", "createRuntime/1", "poststart/1", "poststop/1"].namespaces] | unique == [$r]'
    expect '.program.namespaces as $c | [.["createContainer/1", "startContainer/1"].namespaces] | unique == [$c]'
    expect --argjson r "$runtime_ns" '.program.namespaces as $c | [$r | keys[] | select($r[.] != $c[.])] == ["cgroup", "ipc", "mnt", "net", "pid", "uts"]'
}

# spec: HOOK-06 HOOK-07 HOOK-14 HOOK-15 HOOK-22 HOOK-23 HOOK-30 HOOK-31 HOOK-38 HOOK-39 HOOK-46 HOOK-47 HOOK-55 HOOK-56 HOOK-57
@test "hooks: args are all of argv, env all of the environment; without args the path, without env the caller's or the program's" {
    local kind
    config '.process.cwd = "/data"'
    one_life
    for kind in $KINDS; do
        expect --arg k "$kind" --arg l "$(hook_log "$kind")" '.[$k + "/1"].argv == ["zeroth", "hook", $l, $k + "/1", "0", "two words", ""]'
        expect --arg k "$kind" '.[$k + "/1"].env == ["A=1", "B=two words", "EMPTY="]'
        expect --arg k "$kind" --arg p "$(hook_path "$kind")" '.[$k + "/2"].argv == [$p]'
        # Nothing but the three streams is handed on; 3 is the hook's own log.
        expect --arg k "$kind" '.[$k + "/1"].fds | keys | map(tonumber) | map(select(. > 3)) == []'
    done
    expect '[.["prestart/3", "createRuntime/3", "createContainer/3", "poststart/3", "poststop/3"].env | index("FROM_CALLER=here") != null] | unique == [true]'
    expect '.["startContainer/3"].env == .program.env'
    expect '.["startContainer/3"].env | index("FROM_CONFIG=yes") != null and index("FROM_CALLER=here") == null'
    expect --arg b "$BUNDLE" '[.["prestart/1", "createRuntime/1", "createContainer/1", "poststart/1", "poststop/1"].cwd] | unique == [$b]'
    expect '.["startContainer/1"].cwd == "/data"'
}

# spec: HOOK-09 HOOK-17 HOOK-25 HOOK-33 HOOK-41 HOOK-49 HOOK-51 STATE-12 STATE-15 STATE-17
@test "hooks: the state on standard input is the document of the state command, with the status and pid of the moment" {
    local key
    one_life
    for key in $(jq -r 'keys[] | select(. != "program")' <<<"$output"); do
        jq --arg k "$key" '.[$k].state' <<<"$output" | state_schema
        # Everything but status and pid is what `state` has printed after create.
        expect --arg k "$key" --argjson s "$CREATED" '.[$k].state | del(.status, .pid) == ($s | del(.status, .pid))'
    done
    expect --argjson s "$CREATED" '$s.annotations == {"org.example.a": "b", "empty": ""} and $s.pid > 1'
    expect --argjson s "$CREATED" 'map_values(.state) | [.["prestart/1", "createRuntime/1", "poststart/1"].pid] | unique == [$s.pid]'
    expect '[.["createContainer/1", "startContainer/1"].state.pid] == [1, 1] and .["poststop/1"].state.pid == 0'
    expect '[.["prestart/1", "createRuntime/1", "createContainer/1", "startContainer/1", "poststart/1", "poststop/1"].state.status]
            == ["creating", "creating", "creating", "created", "running", "stopped"]'
}

@test "hooks: in a user namespace those of the container are its root, and run though the bundle is closed to them" {
    local log=$BATS_TEST_TMPDIR/mapped.log
    config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'
    all_kinds
    # Hooks outside write here; the bundle is nobody else's, so inside only the streams say something.
    config '.hooks |= (map_values(map(.args[2] = $l)) | .createContainer = [{"path": "/bin/sh", "args": ["sh", "-c", $s]}]
            | .startContainer = [{"path": "/probe", "args": ["probe", "stat", "/etc/marker"]}])' --arg l "$log" \
        --arg s "[ \"\$(pwd)\" = / ] && [ \"\$(id -u)\" = 0 ] && [ \"\$(tr -s ' ' </proc/self/uid_map | cut -d' ' -f3)\" = 100000 ]"
    chown -R 100000:100000 rootfs
    chmod 700 "$BUNDLE"
    program exit 4
    cd /
    run -4 rt run --bundle "$BUNDLE" "$ID"
    [[ $(jq -r .hook "$log" | xargs) == "prestart createRuntime poststart poststop" ]]
    output=$(jq -s . "$log")
    expect --arg b "$BUNDLE" 'map(.cwd) | unique == [$b]'
    chmod 755 "$BUNDLE"
}

# spec: STATE-05
@test "hooks: a runtime that is asked for the state while a createRuntime hook runs says creating" {
    config '.hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "exec \"$CRUN_LITE\" --root \"$STATE\" state \"$ID\" >\"$1\"", "-", $f]}]' \
        --arg f "$BATS_TEST_TMPDIR/during"
    program sleep
    ID=$ID create_container
    output=$(<"$BATS_TEST_TMPDIR/during")
    expect --arg id "$ID" '.status == "creating" and .id == $id'
    state_schema "$BATS_TEST_TMPDIR/during"
    is_status "$ID" created
    silently rt delete "$ID"
}

# spec: LIFE-13 LIFE-14 LIFE-15
@test "hooks: a failing one before start: create and run fail naming kind, path, status; no later hook; undone; poststop runs" {
    local kind command
    for kind in prestart createRuntime createContainer; do
        for command in create run; do
            new_bundle "$BUNDLE"
            config '.root.readonly = false'
            rm -f "$LOG"
            hook "$kind" 7
            hook "$kind" "" later
            hook startContainer
            hook poststop
            config '.hooks.poststop[0].env = ["PROBE_LOOK=" + $look]' --arg look "$STATE/$ID:/sys/fs/cgroup$TEST_CGROUP/$ID"
            program write /data/started x
            fails 1 "$kind hook '$PROBE' exited with status 7" "hook $kind says no" "/hooks/$kind/0" -- rt "$command" "$ID" </dev/null
            is_unknown
            [[ $(logged) == "$kind poststop" ]]
            output=$(tail -n 1 "$LOG")
            expect '[.exists[]] == [false, false] and .state.status == "stopped"'
            [[ ! -e rootfs/data/started ]]
            assert_nothing_left
        done
    done
}

# spec: LIFE-16
@test "hooks: a failing startContainer hook: start and run fail, the program never runs, the container is destroyed, poststop runs" {
    local command
    hook startContainer 9
    hook startContainer "" later
    hook poststart
    hook poststop
    program write /data/started x
    for command in start run "run --detach"; do
        rm -f "$LOG"
        if [[ $command == start ]]; then create_container; fi
        fails 1 "startContainer hook '/probe' exited with status 9" "hook startContainer says no" /hooks/startContainer/0 -- rt $command "$ID" </dev/null
        is_unknown
        [[ ! -e rootfs/data/started ]]
        [[ $(logged) == "startContainer poststop" ]]
        assert_nothing_left
    done
}

# spec: LIFE-12
@test "hooks: a failing poststart hook: start and run fail, the process is killed, the container destroyed, poststop runs" {
    local command pid
    hook poststart 6
    hook poststart "" later
    hook poststop
    program sleep
    for command in start run "run --detach"; do
        rm -f "$LOG"
        if [[ $command == start ]]; then create_container; fi
        fails 1 "poststart hook '$PROBE' exited with status 6" "hook poststart says no" /hooks/poststart/0 -- rt $command "$ID" </dev/null
        is_unknown
        [[ $(logged) == "poststart poststop" ]]
        pid=$(jq 'select(.hook == "poststart").state.pid' "$LOG")
        [[ $pid -gt 1 && ! -e /proc/$pid/root/etc/marker ]]
        assert_nothing_left
    done
}

@test "hooks: a start that fails in exec leaves the hooks of the end to delete; run has deleted already" {
    hook poststart
    hook poststop
    config '.process.args = ["/data/strange"]'
    printf 'not a program' >rootfs/data/strange
    chmod 755 rootfs/data/strange
    create_container
    fails 126 /data/strange -- rt start "$ID"
    status_becomes "$ID" stopped
    [[ -z $(logged) ]]
    silently rt delete "$ID"
    [[ $(logged) == poststop ]]
    rm "$LOG"
    fails 126 /data/strange -- rt run "$ID"
    [[ $(logged) == poststop ]]
}

# spec: LIFE-20
@test "hooks: failing poststop hooks are warnings, the others run, delete and run succeed" {
    hook poststop 5
    hook poststop "" second
    program exit 0
    create_container
    rt start "$ID"
    status_becomes "$ID" stopped
    run --separate-stderr rt --log-level warning delete "$ID"
    [[ $status == 0 && -z $output ]]
    says "$stderr" warning "poststop hook '$PROBE' exited with status 5" "hook poststop says no" /hooks/poststop/0
    is_unknown
    [[ $(logged) == "poststop second" ]]
    rm "$LOG"
    # At the default level not even a word.
    silently rt run "$ID"
    [[ $(logged) == "poststop second" ]]
}

# spec: HOOK-05 HOOK-13 HOOK-21 HOOK-29 HOOK-37 HOOK-45
@test "hooks: a path that is missing, empty or relative is refused at create, whatever the kind" {
    local kind wrong
    for kind in $KINDS; do
        for wrong in '{}' '{"path": ""}' '{"path": "bin/true"}' '{"path": 5}'; do
            config '.hooks = {($k): [{"path": "/bin/true"}, $w]}' --arg k "$kind" --argjson w "$wrong"
            fails 1 "/hooks/$kind/1" -- rt create "$ID" </dev/null
        done
    done
}

# spec: HOOK-08 HOOK-16 HOOK-24 HOOK-32 HOOK-40 HOOK-48
@test "hooks: timeout is in seconds; the hook is killed and has failed; zero and less are refused" {
    local kind wrong begun sentence
    for kind in $KINDS; do
        for wrong in 0 -1 1.5 '"1"'; do
            config '.hooks = {($k): [{"path": "/bin/true", "timeout": $t}]}' --arg k "$kind" --argjson t "$wrong"
            fails 1 "/hooks/$kind/0/timeout" -- rt create "$ID" </dev/null
        done
        rm -f "$LOG"
        config '.hooks = {}'
        hook "$kind"
        config '.hooks[$k][0] |= (.timeout = 1 | .args[1] = "hang-hook")' --arg k "$kind"
        program exit 0
        begun=${EPOCHREALTIME/./}
        sentence="$kind hook '$(hook_path "$kind")' timed out after 1"
        run --separate-stderr rt --log-level warning run "$ID" </dev/null
        says "$stderr" "$sentence" "/hooks/$kind/0"
        [[ $status == $([[ $kind == poststop ]] && echo 0 || echo 1) ]]
        ((${EPOCHREALTIME/./} - begun >= 1000000 && ${EPOCHREALTIME/./} - begun < ${SYSTEM_TESTS_PATIENCE:-10} * 1000000))
        [[ $(logged) == "$kind" ]]
        run ! pgrep -f "hang-hook $(hook_log "$kind")"
    done
    # One that is in time has no reason to fail.
    config '.hooks = {"createRuntime": [{"path": "/bin/true", "timeout": 2147483}]}'
    run -0 rt run "$ID"
    config '.hooks.createRuntime[0].timeout = 2147484'
    fails 1 /hooks/createRuntime/0/timeout -- rt run "$ID"
}

# spec: HOOK-54
@test "hooks: failing is a status, a signal, no exec; not reading a state of any size is no failure" {
    local kind
    program sleep
    for kind in createRuntime startContainer poststart; do
        config '.hooks = {($k): [{"path": $p, "args": ["probe", "exit", "1"]}]}' --arg k "$kind" --arg p "$(hook_path "$kind")"
        fails 1 "$kind hook '$(hook_path "$kind")' exited with status 1" -- rt run "$ID"
        config '.hooks = {($k): [{"path": $p, "args": ["probe", "kill-self", "SEGV"]}]}' --arg k "$kind" --arg p "$(hook_path "$kind")"
        # The first process of a pid namespace hears no such signal; a hook is not the first.
        fails 1 "$kind hook '$(hook_path "$kind")' was killed by signal 11" -- rt run "$ID"
        config '.hooks = {($k): [{"path": "/no/such/hook"}]}' --arg k "$kind"
        fails 1 "$kind hook '/no/such/hook' could not be executed: $M_ENOENT" "/hooks/$kind/0" -- rt run "$ID"
        config '.hooks = {($k): [{"path": "/etc"}]}' --arg k "$kind"
        fails 1 "$kind hook '/etc' could not be executed" ermission -- rt run "$ID"
    done
    # Larger than any socket's or pipe's buffer.
    python3 -c 'print("{\"large\": \"" + 600000 * "x" + "\"}")' >"$BATS_TEST_TMPDIR/large"
    jq --slurpfile a "$BATS_TEST_TMPDIR/large" '.annotations = $a[0] | .hooks = {}' config.json >config.new && mv config.new config.json
    for kind in $KINDS; do
        config '.hooks[$k] = [{"path": $p, "args": ["probe", "exit", "0"]}]' --arg k "$kind" --arg p "$(hook_path "$kind")"
    done
    config '.hooks.poststop += [{"path": "/bin/sh", "args": ["sh", "-c", "exec cat >\"$1\"", "-", $f]}]' --arg f "$BATS_TEST_TMPDIR/seen"
    program exit 0
    silently rt run "$ID"
    [[ $(jq -r '.annotations.large | length' "$BATS_TEST_TMPDIR/seen") == 600000 ]]
}

@test "hooks: the last words of a talkative one are in the message, cleaned of what a terminal would obey" {
    config '.hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "seq 1 100000; printf \"the end \\033[31m\\n\" >&2; exit 4"]}]'
    fails 1 "exited with status 4" "the end" -- rt run "$ID"
    [[ $stderr != *$'\033'* && ${#stderr} -lt 2500 ]]
}

# spec: LIFE-04 OPCR-10
@test "hooks and program are those of the config.json that create read, whatever the file says later" {
    all_kinds
    program hook /data/log program + sleep
    create_container
    # Another program, other hooks, another root, another life: then no file at all.
    config '.process.args = ["/probe", "hook", "/data/log", "other"] | .hooks |= map_values(map(.args[3] = "other")) | .root.path = "/nowhere" | .annotations = {"new": "1"}'
    silently rt start "$ID"
    wait_until grep -q '"program"' "$LOG"
    rm config.json
    [[ $(rt state "$ID" | jq -c .annotations) == "{}" ]]
    silently rt delete --force "$ID"
    [[ $(logged) != *other* && $(logged) == *poststop ]]
    [[ $(logged | tr ' ' '\n' | sort | xargs) == "createContainer createRuntime poststart poststop prestart program startContainer" ]]
}

@test "stdin is a file that can be opened again as /dev/stdin" {
    config '.hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "cat /dev/stdin >\($to)/one; cat </dev/stdin >\($to)/two; cat >\($to)/three"],
        "env": ["PATH=/usr/bin:/bin"]}]' --arg to "$BATS_TEST_TMPDIR"
    program exit 0
    run_ok
    for name in one two three; do
        jq -e --arg id "$ID" '.id == $id' "$BATS_TEST_TMPDIR/$name"
    done
}

@test "a hook's failure is seen where the caller ignores SIGCHLD" {
    hook poststart 3
    program sleep
    create_container
    run -1 bash -c 'trap "" CHLD; exec "$@"' bash "$CRUN_LITE" --root "$STATE" start "$ID"
    is_unknown
}

# The program that knows systemd takes the place of the one that does not: not when half of the container is gone.
@test "a hook that fails under the systemd manager is the news, and nothing is left" {
    hook startContainer 7
    hook poststop
    program sleep
    create_container
    jq -c --arg unit "crun-lite-test-$ID.scope" '.cgroupManager = "systemd" | .systemdUnit = $unit' "$STATE/$ID/state.json" >forged
    cat forged >"$STATE/$ID/state.json"
    DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere fails 1 "startContainer hook" "status 7" -- rt start "$ID"
    [[ $(logged) == "startContainer poststop" ]]
    is_unknown
}

@test "while a hook hangs: who needs the lock gives up in time and names who has it, start knows better, nothing changes" {
    local slow=$ID-slow begin pid creating starting late command
    local -A waiting
    program sleep
    config 'if .linux.cgroupsPath then .linux.cgroupsPath += "-slow" else . end | .hooks = {"createRuntime": [{"path": $p, "args": ["probe", "trap", "USR1", "0"]}]}' --arg p "$PROBE"
    rt_background create "$slow" </dev/null >/dev/null 2>&1
    creating=$!
    hook_of() { pgrep -P "$1" -f 'probe trap USR1 0'; }
    wait_until hook_of "$creating"
    config 'if .linux.cgroupsPath then .linux.cgroupsPath |= rtrimstr("-slow") else . end | .hooks = {"poststart": .hooks.createRuntime}'
    create_container
    rt_background start "$ID"
    starting=$!
    wait_until hook_of "$starting"
    pid=$(container_pid "$ID")
    echo '{}' >"$BATS_TEST_TMPDIR/resources"
    begin=$SECONDS
    # At the same time, for the sake of ours.
    rt_background start "$slow"
    late=$!
    for command in "delete $slow" "delete $ID" "pause $ID" "resume $ID" "update --resources $BATS_TEST_TMPDIR/resources $ID"; do
        # shellcheck disable=SC2086  # several words
        rt_background $command >"$BATS_TEST_TMPDIR/err-${command//\//_}" 2>&1
        waiting[$command]=$!
    done
    fails 1 "$M_START_RUNNING" -- rt start "$ID"
    ((SECONDS - begin <= 5))
    for command in "${!waiting[@]}"; do
        exits 1 "${waiting[$command]}"
        says "$(<"$BATS_TEST_TMPDIR/err-${command//\//_}")" "another command, process $([[ $command == *slow ]] && echo "$creating" || echo "$starting") (crun-lite)" \
            "has been busy with container" "for 10 seconds" "wait for it, or use delete --force"
    done
    ((SECONDS - begin >= 9 && SECONDS - begin <= 12))
    is_status "$ID" running
    [[ $(container_pid "$ID") == "$pid" && ! -e $STATE/$ID/resources.json ]]
    is_status "$slow" creating
    # A create may take as long as it likes: who starts what it makes has waited on.
    sleep 1
    kill -0 "$late"
    kill -USR1 "$(hook_of "$creating")"
    exits 0 "$creating"
    exits 0 "$late"
    is_status "$slow" running
    kill -USR1 "$(hook_of "$starting")"
    exits 0 "$starting"
    silently rt pause "$ID"
    silently rt resume "$ID"
    silently rt update --resources "$BATS_TEST_TMPDIR/resources" "$ID"
    silently rt kill "$ID" KILL
    status_becomes "$ID" stopped
    silently rt delete "$ID"
    silently rt delete --force "$slow"
}

@test "exec is not held up by a startContainer hook" {
    local starter
    config '.hooks.startContainer = [{"path": "/probe", "args": ["probe", "sleep"]}]'
    program sleep
    create_container
    rt_background start "$ID" 2>/dev/null
    starter=$!
    has_joined() { rt exec "$ID" /probe exit 0; }
    wait_until has_joined
    silently rt delete --force "$ID"
    exits 1 "$starter"
}

@test "a process that is killed while its startContainer hook runs died before it executed the program" {
    local starter
    config '.hooks.startContainer = [{"path": "/probe", "args": ["probe", "sleep"]}]'
    program sleep
    create_container
    rt_background start "$ID" 2>"$BATS_TEST_TMPDIR/words"
    starter=$!
    hook_runs() { pgrep -P "$(container_pid "$ID")"; }
    wait_until hook_runs
    rt kill "$ID" KILL
    exits 1 "$starter"
    says "$(<"$BATS_TEST_TMPDIR/words")" "it died before it executed the program"
    silently rt delete --force "$ID"
}
