# Crash safety: SIGKILL of the creator at any moment leaves nothing that `delete --force` cannot remove.
load helpers

# In seconds; a slow host needs others.
moments=${SYSTEM_TESTS_CRASH_MOMENTS:-0 0.001 0.002 0.003 0.004 0.005 0.006 0.008 0.010 0.012 0.015 0.02 0.03 0.05 0.1}

# Kills the creator after some milliseconds; afterwards delete --force must clean up whatever it left, without a word.
killed_after() {
    local creator
    rt_background "$2" "$ID" </dev/null >/dev/null 2>&1
    creator=$!
    sleep "$1"
    kill -9 "$creator" 2>/dev/null || true
    wait "$creator" 2>/dev/null || true
    silently rt delete --force "$ID"
    assert_nothing_left
}

@test "create is killed at many moments" {
    local moment
    program sleep
    for moment in $moments; do
        killed_after "$moment" create || { echo "after $moment s" >&2; return 1; }
    done
}

@test "run is killed at many moments" {
    local moment
    program sleep
    for moment in $moments; do
        killed_after "$moment" run || { echo "after $moment s" >&2; return 1; }
    done
}

# At a known place, not by chance: a hook holds the creator while it is killed.
@test "create is killed while a hook runs: init does not outlive it, list and state still work" {
    local kind creator
    for kind in prestart createRuntime createContainer; do
        rm -rf "$BUNDLE" "$BATS_TEST_TMPDIR/hooks.log"
        new_bundle "$BUNDLE"
        cd "$BUNDLE"
        program sleep
        config '.hooks = {($k): [{"path": $p, "args": ["probe", "hang-hook", $l, $k]}]}' \
            --arg k "$kind" --arg p "$PROBE" --arg l "$BATS_TEST_TMPDIR/hooks.log"
        rt_background create "$ID" </dev/null >/dev/null 2>&1
        creator=$!
        wait_until test -s "$BATS_TEST_TMPDIR/hooks.log"
        run -0 rt list
        kill -9 "$creator"
        wait "$creator" 2>/dev/null || true
        run -0 rt list
        silently rt delete --force "$ID"
        pkill_hooks
        assert_nothing_left
    done
}
@test "create and run can be interrupted while a hook runs: nothing is left, and the hook neither" {
    local kind command creator
    for kind in prestart createRuntime createContainer startContainer poststart; do
        for command in create run; do
            [[ $command == run || $kind != start* && $kind != poststart ]] || continue
            rm -rf "$BUNDLE" "$BATS_TEST_TMPDIR/hooks.log"
            new_bundle "$BUNDLE"
            cd "$BUNDLE"
            program sleep
            mkdir rootfs/log
            config '.hooks = {($k): [{"path": $p, "args": ["probe", "hang-hook", $l, $k]}]} | .root.readonly = false' --arg k "$kind" \
                --arg p "$([[ $kind == startContainer ]] && echo /probe || echo "$PROBE")" \
                --arg l "$([[ $kind == startContainer ]] && echo /log/hooks.log || echo "$BATS_TEST_TMPDIR/hooks.log")"
            "$CRUN_LITE" --root "$STATE" "$command" "$ID" </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- &
            creator=$!
            hook_runs() { [[ -s $BATS_TEST_TMPDIR/hooks.log || -s $BUNDLE/rootfs/log/hooks.log ]]; }
            wait_until hook_runs
            kill -TERM "$creator"
            exits 1 "$creator"
            says "$(<"$BATS_TEST_TMPDIR/err")" interrupted
            # One that init started is in the container, or dies with it unseen; ours is killed.
            [[ $kind != createContainer ]] || pkill_hooks
            run ! pgrep -f "probe hang-hook $BATS_TEST_TMPDIR/hooks.log"
            assert_nothing_left
        done
    done
}

@test "a signal that the caller ignores does not interrupt create" {
    local creator
    program sleep
    config '.hooks = {"prestart": [{"path": $p, "args": ["probe", "trap", "USR1", "0"]}]}' --arg p "$PROBE"
    env --ignore-signal=HUP "$CRUN_LITE" --root "$STATE" create "$ID" </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- &
    creator=$!
    hook_runs() { pgrep -P "$creator" -f 'probe trap USR1 0'; }
    wait_until hook_runs
    kill -HUP "$creator"
    sleep 0.3
    kill -0 "$creator"
    pkill -USR1 -P "$creator" -f 'probe trap USR1 0'
    exits 0 "$creator"
    is_status "$ID" created
    silently rt delete --force "$ID"
}

# A hook is the host's own program: it may outlive a killed runtime, and only we know it is ours.
pkill_hooks() {
    local pid
    for pid in $(pgrep -f "probe hang-hook $BATS_TEST_TMPDIR/hooks.log"); do kill -9 "$pid"; done
}

@test "a broken, an empty, and an absent record do not block delete --force" {
    local how file
    for how in broken empty absent; do
        program sleep
        create_container
        for file in "$STATE/$ID"/*; do
            [[ -f $file ]] || continue
            case $how in
            broken) echo '{"broken' >"$file" ;;
            empty) : >"$file" ;;
            absent) rm "$file" ;;
            esac
        done
        run --separate-stderr rt state "$ID"
        [[ $status != 0 ]]
        run -0 rt list
        run -0 rt delete --force "$ID"
        # With no record at all nobody can say which cgroup it was: the default place is searched, this one is not.
        if [[ $how == absent ]]; then clean_up; fi
        assert_nothing_left
    done
}

@test "an empty state directory left by a crash" {
    mkdir "$STATE/$ID"
    run -0 rt list
    silently rt delete --force "$ID"
}

# Between its mkdir and its first record, and while its directory is being removed, another command has the lock.
@test "a container that is just being made or deleted is told so, in words that engines take for absence" {
    local holder command
    mkdir "$STATE/$ID"
    flock "$STATE/$ID" sleep 1000 3>&- 4>&- &
    holder=$!
    is_locked() { ! flock --nonblock "$STATE/$ID" true; }
    wait_until is_locked
    for command in state kill events; do
        fails 1 "container \`$ID\` does not exist yet, or no longer: another command is making or deleting it" -- rt "$command" "$ID"
    done
    : >"$STATE/$ID/state.json"
    fails 255 "does not exist yet, or no longer" -- rt exec "$ID" /probe exit 0
    run -0 rt list
    pkill -P "$holder" -x sleep
    wait "$holder" || true
    fails 1 "damaged" "state.json is empty" "delete --force" -- rt state "$ID"
    silently rt delete --force "$ID"
}

# The look and the freeze can be a moment apart; a hook of init's holds the moment open.
@test "a container that is frozen while it starts can be resumed: start lets go of it, and goes on" {
    local starting
    needs delegated_cgroup
    config '.hooks.startContainer = [{"path": "/probe", "args": ["probe", "trap", "USR1", "0"]}]'
    program sleep
    create_container
    rt_background start "$ID"
    starting=$!
    hook_runs() { [[ $(wc -l <"/sys/fs/cgroup$TEST_CGROUP/$ID/cgroup.procs") == 2 ]]; }
    wait_until hook_runs
    echo 1 >"/sys/fs/cgroup$TEST_CGROUP/$ID/cgroup.freeze"
    status_becomes "$ID" paused
    run -0 timeout 20 "$CRUN_LITE" --root "$STATE" resume "$ID"
    is_status "$ID" created
    kill -0 "$starting"
    sleep 0.2
    pkill -USR1 -f 'probe trap USR1 0'
    exits 0 "$starting"
    is_status "$ID" running
    silently rt delete --force "$ID"
}

@test "delete is killed half-way: the next one ends the work" {
    local deleter moment
    for moment in 0 0.001 0.002 0.004; do
        program sleep
        run_detached
        rt_background delete --force "$ID" >/dev/null 2>&1
        deleter=$!
        sleep "$moment"
        kill -9 "$deleter" 2>/dev/null || true
        wait "$deleter" 2>/dev/null || true
        silently rt delete --force "$ID"
        assert_nothing_left
    done
}

@test "start's caller is killed: the container either runs or still waits" {
    local starter
    program sleep
    create_container
    rt_background start "$ID" >/dev/null 2>&1
    starter=$!
    kill -9 "$starter" 2>/dev/null || true
    wait "$starter" 2>/dev/null || true
    [[ $(container_status "$ID") =~ ^(created|running)$ ]]
    silently rt delete --force "$ID"
}

@test "a paused container whose pauser is gone is deleted by force" {
    program sleep
    run_detached
    echo 1 >"/sys/fs/cgroup$TEST_CGROUP/$ID/cgroup.freeze"
    silently rt delete --force "$ID"
}

@test "the cgroup was removed by somebody else" {
    program sleep
    create_container
    kill -9 "$(container_pid "$ID")"
    status_becomes "$ID" stopped
    cgroup_goes() { rmdir "/sys/fs/cgroup$TEST_CGROUP/$ID"; }
    wait_until cgroup_goes
    silently rt delete "$ID"
}

DYING_ESCORT=${CRUN_LITE_DYING_ESCORT:-${PROBE%/*}/crun-lite-dying-escort}

# Whom it cloned holds the channel open: nothing but the escort's own end can tell.
@test "the escort of create is killed before it can name init: create ends, and nothing is left" {
    local command CRUN_LITE=$DYING_ESCORT
    config '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"monotonic": {"secs": 10, "nanosecs": 0}}'
    program say executed
    for command in create run; do
        fails 1 "read from the init process: it was killed by signal 9" -- timeout 30 "$DYING_ESCORT" --root "$STATE" "$command" "$ID"
        assert_nothing_left
    done
}

@test "the escort of exec is killed before it can name the joiner: the program does not run, the container does" {
    program sleep
    run_detached
    fails 255 "read from the escort of the process to execute: it was killed by signal 9" -- \
        env CRUN_LITE_WITHOUT=no-escort timeout 30 "$DYING_ESCORT" --root "$STATE" exec "$ID" /probe say executed
    run -0 rt ps --format json "$ID"
    expect 'length == 1'
    run -0 rt exec "$ID" /probe say executed
    [[ $output == executed ]]
    rt delete --force "$ID"
}
