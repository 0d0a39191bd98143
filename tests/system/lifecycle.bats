# create, start, state, kill, delete, list: the right moments and every wrong one, in the words that engines match.
load helpers

@test "create, start, kill, delete: silent, and state follows" {
    program trap TERM
    create_container
    [[ ! -s $BATS_TEST_TMPDIR/out && ! -s $BATS_TEST_TMPDIR/err ]]
    is_status "$ID" created
    silently rt start "$ID"
    is_status "$ID" running
    wait_until output_has ready
    silently rt kill "$ID" TERM
    status_becomes "$ID" stopped
    [[ $(container_pid "$ID") == 0 ]]
    silently rt delete "$ID"
    fails 1 "$ID" "$M_NO_CONTAINER" -- rt state "$ID"
}

@test "the program does not start before start" {
    program write /data/started yes
    config '.root.readonly = false'
    create_container
    [[ ! -e rootfs/data/started ]]
    silently rt start "$ID"
    status_becomes "$ID" stopped
    [[ $(<rootfs/data/started) == yes ]]
    silently rt delete "$ID"
}

@test "config.json may change or vanish after create" {
    program sleep
    create_container
    mv config.json config.saved
    silently rt start "$ID"
    is_status "$ID" running
    silently rt delete --force "$ID"
}

@test "state: every member that engines parse" {
    program sleep
    config '.annotations = {"org.example.key": "value \"quoted\"", "empty": ""}'
    create_container
    run -0 --separate-stderr rt state "$ID"
    expect --arg id "$ID" --arg bundle "$BUNDLE" '.id == $id and .status == "created" and .bundle == $bundle and .rootfs == ($bundle + "/rootfs")'
    expect '.ociVersion | test("^1\\.[0-9]+\\.[0-9]+")'
    expect '.created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$")'
    expect '.annotations == {"org.example.key": "value \"quoted\"", "empty": ""}'
    expect '(.pid | type == "number") and .pid > 1'
    [[ $(stat -c %i "/proc/$(jq .pid <<<"$output")/ns/pid") != "" ]]
    silently rt delete "$ID"
}

@test "every command but delete --force names an unknown id" {
    local words
    for words in "state" "start" "kill" "delete" "pause" "resume" "ps" "update --resources -" "events --stats" "events" "stats" "wait"; do
        fails 1 "$ID" "$M_NO_CONTAINER" -- rt $words "$ID" <<<'{}'
    done
}

@test "delete --force of an unknown id succeeds without a word" {
    silently rt delete --force "$ID"
    silently rt delete -f "$ID"
}

@test "create of an existing id" {
    program sleep
    create_container
    fails 1 "$M_EXISTS" -- rt create "$ID"
    is_status "$ID" created
    silently rt delete "$ID"
}

@test "start twice, and start of a stopped container" {
    program trap TERM
    create_container
    silently rt start "$ID"
    fails 1 "$M_START_RUNNING" -- rt start "$ID"
    # Before it has a handler, PID 1 does not hear SIGTERM.
    wait_until output_has ready
    silently rt kill "$ID"
    status_becomes "$ID" stopped
    fails 1 "$M_START_STOPPED" -- rt start "$ID"
    silently rt delete "$ID"
}

@test "delete of a running container is refused and changes nothing; --force kills" {
    program sleep
    run_detached
    fails 1 "cannot delete container" "$ID" "$M_DELETE_RUNNING" -- rt delete "$ID"
    is_status "$ID" running
    silently rt delete --force "$ID"
}

@test "delete of a created container kills its waiting init" {
    local pid
    program sleep
    create_container
    pid=$(container_pid "$ID")
    silently rt delete "$ID"
    [[ ! -e /proc/$pid/exe ]] || ! [[ /proc/$pid/exe -ef $CRUN_LITE ]]
}

@test "kill of a stopped container says container not running, every form of signal" {
    local form
    program exit 0
    create_container
    rt start "$ID"
    status_becomes "$ID" stopped
    for form in "" 9 15 KILL SIGKILL sigterm term; do
        fails 1 "$M_NOT_RUNNING" -- rt kill "$ID" $form
    done
    silently rt delete "$ID"
}

@test "kill: number, NAME, SIGNAME, lower case, missing means TERM, RTMIN+n; nonsense is named" {
    local form
    program trap-all
    run_detached
    wait_until output_has ready
    for form in 10 USR1 SIGUSR1 usr1 sigusr1; do
        silently rt kill "$ID" "$form"
        wait_until output_has "got 10"
        : >"$BATS_TEST_TMPDIR/out"
    done
    fails 1 NONSENSE -- rt kill "$ID" NONSENSE
    fails 1 99 -- rt kill "$ID" 99
    silently rt kill "$ID"
    status_becomes "$ID" stopped
    output_has "got 15"
    silently rt delete "$ID"
}

@test "kill of a created container ends it" {
    program sleep
    create_container
    silently rt kill "$ID" KILL
    status_becomes "$ID" stopped
    silently rt delete "$ID"
}

@test "kill --all reaches processes without a pid namespace, also after init's death" {
    local pid
    config '.linux.namespaces |= map(select(.type != "pid"))'
    program orphan + sleep
    run_detached
    pid=$(container_pid "$ID")
    kill -9 "$pid"
    status_becomes "$ID" stopped
    [[ -n $(<"/sys/fs/cgroup$TEST_CGROUP/$ID/cgroup.procs") ]]
    run -0 rt kill --all "$ID" 9
    cgroup_is_empty() { [[ -z $(<"/sys/fs/cgroup$TEST_CGROUP/$ID/cgroup.procs") ]]; }
    wait_until cgroup_is_empty
    # And again, when nobody is left.
    run -0 rt kill --all "$ID" 9
    silently rt delete "$ID"
}

@test "delete --force kills all of a container without a pid namespace" {
    config '.linux.namespaces |= map(select(.type != "pid"))'
    program orphan + fork 3 + sleep
    run_detached
    wait_until output_has forked
    silently rt delete --force "$ID"
}

@test "init killed by an outsider: stopped, and plain delete works" {
    program sleep
    run_detached
    kill -9 "$(container_pid "$ID")"
    status_becomes "$ID" stopped
    silently rt delete "$ID"
}

@test "a pid that was given to somebody else is not trusted" {
    local file
    program sleep
    run_detached
    kill -9 "$(container_pid "$ID")"
    status_becomes "$ID" stopped
    # The record now gets the pid of a process that is alive and not ours, as a reuse of the number would.
    for file in $(grep -lrs '"pid"' "$STATE/$ID"); do
        sed -i -E "s/(\"(init_process_)?pid\": ?)[0-9]+/\1$$/" "$file"
    done
    is_status "$ID" stopped
    fails 1 "$M_NOT_RUNNING" -- rt kill "$ID" KILL
    silently rt delete "$ID"
    [[ -d /proc/$$ ]]
}

@test "pause freezes, resume thaws, kill and delete --force work on a paused one" {
    program trap-all
    run_detached
    wait_until output_has ready
    silently rt pause "$ID"
    is_status "$ID" paused
    [[ $(<"/sys/fs/cgroup$TEST_CGROUP/$ID/cgroup.freeze") == 1 ]]
    rt kill "$ID" USR1
    sleep 0.1
    run ! output_has "got 10"
    silently rt resume "$ID"
    is_status "$ID" running
    wait_until output_has "got 10"
    silently rt pause "$ID"
    silently rt delete --force "$ID"
}

@test "pause and resume at the wrong moment" {
    program sleep
    run_detached
    run --separate-stderr rt resume "$ID"
    [[ $status == 1 && -n $stderr ]]
    rt kill "$ID" KILL
    status_becomes "$ID" stopped
    run --separate-stderr rt pause "$ID"
    [[ $status == 1 && -n $stderr ]]
    run --separate-stderr rt resume "$ID"
    [[ $status == 1 && -n $stderr ]]
    silently rt delete "$ID"
}

@test "ps: json is the host's pids of the whole cgroup, table has a PID column" {
    program fork 2 + sleep
    run_detached
    wait_until output_has forked
    run -0 --separate-stderr rt ps --format json "$ID"
    expect 'length == 3 and (map(type) | unique) == ["number"]'
    expect --argjson pid "$(container_pid "$ID")" 'index([$pid]) != null'
    run -0 rt ps "$ID"
    [[ ${lines[0]} == *PID* && ${#lines[@]} == 4 ]]
    silently rt delete --force "$ID"
}

@test "start and state in parallel on one id leave one outcome" {
    local i pids=() lookers=() won=0
    program sleep
    create_container
    for i in {1..6}; do
        rt_background start "$ID" 2>/dev/null
        pids+=($!)
        rt_background state "$ID" >/dev/null
        lookers+=($!)
    done
    for i in "${pids[@]}"; do wait "$i" && won=$((won + 1)); done
    [[ $won == 1 ]]
    is_status "$ID" running
    # Each by its pid: a bare wait would also wait for what bats runs beside us.
    for i in "${lookers[@]}"; do wait "$i"; done
    silently rt delete --force "$ID"
}

@test "the state root is made with 0700, the record is not readable by others" {
    local root=$BATS_TEST_TMPDIR/fresh/state
    program sleep
    "$CRUN_LITE" --root "$root" create "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
    [[ $(stat -c %a "$root/$ID") =~ ^7[01]{2}$ ]]
    "$CRUN_LITE" --root "$root" delete --force "$ID"
    [[ ! -e $root/$ID ]]
}
