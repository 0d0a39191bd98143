# `run`: its three forms, exit statuses, streams, signals, detaching and pid files.
load helpers

@test "run BUNDLE: the directory is the bundle and its name the id" {
    program exit 3
    mv "$BUNDLE" "$BATS_TEST_TMPDIR/$ID"
    cd "$BATS_TEST_TMPDIR"
    run -3 rt run "$ID"
    run -3 rt run "./$ID"
    run -3 rt run "$BATS_TEST_TMPDIR/$ID"
    run -3 rt run "$ID/"
    mv "$BATS_TEST_TMPDIR/$ID" "$BUNDLE"
}

@test "run --bundle DIR ID, relative and absolute; run ID from inside the bundle" {
    program exit 4
    run -4 rt run "$ID"
    cd ..
    run -4 rt run --bundle bundle "$ID"
    cd /
    run -4 rt run -b "$BUNDLE" "$ID"
}

@test "every exit status from 0 to 255 comes through" {
    local wanted got
    # A slow host takes some of them.
    for wanted in ${SYSTEM_TESTS_EXIT_STATUSES:-$(seq 0 255)}; do
        sed "s/\"report\"/\"exit\", \"$wanted\"/" "$BUNDLE/config.json" >"$BUNDLE/config.now"
        mkdir -p "$BATS_TEST_TMPDIR/each"
        ln -sfn "$BUNDLE/rootfs" "$BATS_TEST_TMPDIR/each/rootfs"
        sed "s|\"path\": \"rootfs\"|\"path\": \"$BUNDLE/rootfs\"|" "$BUNDLE/config.now" >"$BATS_TEST_TMPDIR/each/config.json"
        got=0
        rt run --bundle "$BATS_TEST_TMPDIR/each" "$ID" || got=$?
        [[ $got == "$wanted" ]] || { echo "$wanted became $got"; return 1; }
    done
}

@test "a process ended by a signal is 128 + signal" {
    local name number
    config '.linux.namespaces |= map(select(.type != "pid"))'
    for name in TERM KILL SEGV USR1; do
        program kill-self "$name"
        number=$(kill -l "$name")
        run -$((128 + number)) rt run "$ID"
    done
}

@test "PID 1 killed from outside is 137" {
    local runtime
    program sleep
    rt_background run "$ID"
    runtime=$!
    status_becomes "$ID" running
    silently rt kill "$ID" KILL
    exits 137 "$runtime"
}

@test "standard input, output and error are the container's own" {
    program echo-stdin + warn "from inside"
    run --separate-stderr rt run "$ID" <<<"hello there"
    [[ $status == 0 && $output == "hello there" && $stderr == "from inside" ]]
}

# spec: FD-03
@test "a closed standard input does not stop anything, and is not replaced by a host file" {
    program say alive + list /proc/self/fd
    run --separate-stderr rt run "$ID" <&-
    [[ $status == 0 && ${lines[0]} == alive ]]
}

@test "large output passes whole" {
    dd if=/dev/zero of="$BUNDLE/rootfs/data/big" bs=1M count=8 status=none
    program cat /data/big
    [[ $(rt run "$ID" | wc -c) == $((8 << 20)) ]]
}

@test "signals to a foreground run reach the container's process" {
    local number name runtime
    for name in TERM HUP INT USR1 USR2 QUIT CONT WINCH RTMIN RTMAX; do
        number=$(kill -l "$name")
        program trap "$number" 33
        rt_background run "$ID" >"$BATS_TEST_TMPDIR/out"
        runtime=$!
        wait_until output_has ready
        kill -"$name" "$runtime"
        exits 33 "$runtime"
        output_has "got $number"
        : >"$BATS_TEST_TMPDIR/out"
    done
}

@test "run --detach returns at once, and the process goes on as nobody's child but the reaper's" {
    local pid
    program sleep
    run_detached
    is_status "$ID" running
    pid=$(container_pid "$ID")
    [[ $pid -gt 1 && -d /proc/$pid ]]
    # No monitor of ours stays in between.
    [[ ! $(readlink "/proc/$(awk '/^PPid/ {print $2}' "/proc/$pid/status")/exe") -ef $CRUN_LITE ]]
    silently rt kill "$ID" KILL
    status_becomes "$ID" stopped
    silently rt delete "$ID"
}

@test "--pid-file: the pid without a newline, written whole, relative to the working directory" {
    program sleep
    : >"$BATS_TEST_TMPDIR/pid"
    run_detached --pid-file "$BATS_TEST_TMPDIR/pid"
    [[ $(<"$BATS_TEST_TMPDIR/pid") == $(container_pid "$ID") ]]
    [[ $(tail -c1 "$BATS_TEST_TMPDIR/pid" | od -An -c) != *'\n'* ]]
    # Nothing else was left beside it.
    [[ $(find "$BATS_TEST_TMPDIR" -maxdepth 1 -name '*pid*' -printf . | wc -c) == 1 ]]
    silently rt delete --force "$ID"
    cd "$BATS_TEST_TMPDIR"
    run_detached --pid-file relative.pid --bundle "$BUNDLE"
    [[ $(<relative.pid) == $(container_pid "$ID") ]]
    silently rt delete --force "$ID"
}

@test "a foreground run removes its container; --keep keeps it" {
    program exit 0
    run -0 rt run "$ID"
    fails 1 "$M_NO_CONTAINER" -- rt state "$ID"
    run -0 rt run --keep "$ID"
    is_status "$ID" stopped
    silently rt delete "$ID"
}

@test "run of an existing id is refused, and the first one lives on" {
    program sleep
    run_detached
    fails 1 "$M_EXISTS" -- rt run "$ID"
    is_status "$ID" running
    silently rt delete --force "$ID"
}

@test "twenty at a time" {
    local i pids=() failed=0
    program exit 0
    for i in {1..20}; do
        config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/$ID-$i"
        mkdir "$BATS_TEST_TMPDIR/b$i"
        jq --arg r "$BUNDLE/rootfs" '.root.path = $r' config.json >"$BATS_TEST_TMPDIR/b$i/config.json"
    done
    for i in {1..20}; do
        rt_background run --bundle "$BATS_TEST_TMPDIR/b$i" "$ID-$i"
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i" || failed=$((failed + 1)); done
    [[ $failed == 0 ]]
}

# spec: FD-01 FD-02
@test "descriptors of the caller do not leak in; --preserve-fds passes those asked for" {
    program report
    exec 7</etc/hostname 8</etc/hostname
    run --separate-stderr rt run "$ID"
    expect '.fds | keys == ["0", "1", "2"]'
    exec 5</etc/hostname
    exec 3>&3
    run --separate-stderr bash -c 'exec 3</etc/hostname 4</etc/hostname 5</etc/hostname; exec "$@"' - \
        "$CRUN_LITE" --root "$STATE" run --preserve-fds 2 "$ID"
    expect '.fds | keys == ["0", "1", "2", "3", "4"]'
    exec 5<&- 7<&- 8<&-
}

# spec: FD-02
@test "LISTEN_FDS: the sockets come first, and LISTEN_PID is the process itself" {
    program report
    run --separate-stderr bash -c 'export LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=web:s; exec 3</etc/hostname 4</etc/hostname 5</etc/hostname; exec "$@"' - \
        "$CRUN_LITE" --root "$STATE" run "$ID"
    expect '.fds | keys == ["0", "1", "2", "3"]'
    expect '.env | contains(["LISTEN_FDS=1", "LISTEN_PID=1", "LISTEN_FDNAMES=web:s"])'
}
