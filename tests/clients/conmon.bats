#!/usr/bin/env bats
# conmon alone, called as Podman and CRI-O call it.
load helpers

setup_file() {
    image_tree
}

setup() {
    BUNDLE=$BATS_TEST_TMPDIR/bundle
    ID=conmon-$BATS_TEST_NUMBER
    mkdir -p "$BUNDLE" "$BATS_TEST_TMPDIR/exits"
    (cd "$BUNDLE" && "$CLIENT_RUNTIME" spec)
    jq --arg root "$CLIENT_WORK/image" '.root.path = $root | .process.terminal = false | .process.env = ["PATH=/bin"]' "$BUNDLE/config.json" >"$BUNDLE/new"
    mv "$BUNDLE/new" "$BUNDLE/config.json"
}

teardown() {
    "$CLIENT_RUNTIME" delete --force "$ID" >/dev/null 2>&1 || true
}

program() {
    jq '.process.args = $ARGS.positional' --args -- "$@" <"$BUNDLE/config.json" >"$BUNDLE/new" && mv "$BUNDLE/new" "$BUNDLE/config.json"
}

# Starts conmon; its report on the sync pipe goes to $BATS_TEST_TMPDIR/sync.
conmon_starts() {
    _OCI_SYNCPIPE=3 conmon --api-version 1 -c "$ID" -u "$ID" -n "$ID" -r "$(command -v "$CLIENT_RUNTIME")" -b "$BUNDLE" \
        -p "$BATS_TEST_TMPDIR/pidfile" --exit-dir "$BATS_TEST_TMPDIR/exits" -l "k8s-file:$BATS_TEST_TMPDIR/log" \
        --conmon-pidfile "$BATS_TEST_TMPDIR/conmon-pid" --socket-dir-path "$BATS_TEST_TMPDIR" --full-attach \
        --runtime-arg --log-format=json --runtime-arg --log --runtime-arg "$BATS_TEST_TMPDIR/oci-log" "$@" 3>"$BATS_TEST_TMPDIR/sync"
}

@test "conmon: create, start, exit status, log" {
    program sh -c 'echo to-stdout; echo to-stderr >&2; exit 7'
    conmon_starts
    eventually grep -q data "$BATS_TEST_TMPDIR/sync" || eventually grep -q pid "$BATS_TEST_TMPDIR/sync"
    [[ $("$CLIENT_RUNTIME" state "$ID" | jq -r .status) == created ]]
    [[ $("$CLIENT_RUNTIME" state "$ID" | jq -r .pid) == $(<"$BATS_TEST_TMPDIR/pidfile") ]]
    "$CLIENT_RUNTIME" start "$ID"
    eventually test -s "$BATS_TEST_TMPDIR/exits/$ID"
    [[ $(<"$BATS_TEST_TMPDIR/exits/$ID") == 7 ]]
    grep -q 'stdout F to-stdout' "$BATS_TEST_TMPDIR/log"
    grep -q 'stderr F to-stderr' "$BATS_TEST_TMPDIR/log"
}

@test "conmon: the failure of create reaches the sync pipe and the log" {
    program nosuchprogram
    conmon_starts || true
    eventually grep -q 'executable file' "$BATS_TEST_TMPDIR/sync"
    [[ $(jq -r .level "$BATS_TEST_TMPDIR/oci-log") == error ]]
}

@test "conmon: with a terminal" {
    program tty
    jq '.process.terminal = true' <"$BUNDLE/config.json" >"$BUNDLE/new" && mv "$BUNDLE/new" "$BUNDLE/config.json"
    conmon_starts -t
    eventually grep -Eq 'data|pid' "$BATS_TEST_TMPDIR/sync"
    "$CLIENT_RUNTIME" start "$ID"
    eventually grep -q /dev/pts/0 "$BATS_TEST_TMPDIR/log"
}

@test "conmon: exec" {
    program sleep 100
    conmon_starts
    eventually grep -Eq 'data|pid' "$BATS_TEST_TMPDIR/sync"
    "$CLIENT_RUNTIME" start "$ID"
    jq '.process | .args = ["sh", "-c", "echo from-exec; exit 5"]' "$BUNDLE/config.json" >"$BATS_TEST_TMPDIR/process.json"
    : >"$BATS_TEST_TMPDIR/exec-pid"
    _OCI_SYNCPIPE=3 conmon --api-version 1 -c "$ID" -u "exec-$ID" -n "$ID" -r "$(command -v "$CLIENT_RUNTIME")" -b "$BUNDLE" \
        -p "$BATS_TEST_TMPDIR/exec-pid" --exit-dir "$BATS_TEST_TMPDIR/exits" -l "k8s-file:$BATS_TEST_TMPDIR/exec-log" \
        --socket-dir-path "$BATS_TEST_TMPDIR" -e --exec-process-spec "$BATS_TEST_TMPDIR/process.json" 3>"$BATS_TEST_TMPDIR/exec-sync"
    eventually grep -q from-exec "$BATS_TEST_TMPDIR/exec-log"
    grep -q '"exit_code": *5\|"data": *5' "$BATS_TEST_TMPDIR/exec-sync" || eventually grep -q . "$BATS_TEST_TMPDIR/exits/exec-$ID"
}

@test "conmon: the failure of exec reaches the sync pipe" {
    program sleep 100
    conmon_starts
    eventually grep -Eq 'data|pid' "$BATS_TEST_TMPDIR/sync"
    "$CLIENT_RUNTIME" start "$ID"
    jq '.process | .args = ["nosuchprogram"]' "$BUNDLE/config.json" >"$BATS_TEST_TMPDIR/process.json"
    _OCI_SYNCPIPE=3 conmon --api-version 1 -c "$ID" -u "exec-$ID" -n "$ID" -r "$(command -v "$CLIENT_RUNTIME")" -b "$BUNDLE" \
        -p "$BATS_TEST_TMPDIR/exec-pid" --exit-dir "$BATS_TEST_TMPDIR/exits" -l "k8s-file:$BATS_TEST_TMPDIR/exec-log" \
        --socket-dir-path "$BATS_TEST_TMPDIR" -e --exec-process-spec "$BATS_TEST_TMPDIR/process.json" 3>"$BATS_TEST_TMPDIR/exec-sync" || true
    eventually grep -q 'executable file' "$BATS_TEST_TMPDIR/exec-sync"
    [[ $("$CLIENT_RUNTIME" state "$ID" | jq -r .status) == running ]]
}

@test "conmon: the status of a killed container" {
    program sleep 100
    conmon_starts
    eventually grep -Eq 'data|pid' "$BATS_TEST_TMPDIR/sync"
    "$CLIENT_RUNTIME" start "$ID"
    "$CLIENT_RUNTIME" kill "$ID" KILL
    eventually test -s "$BATS_TEST_TMPDIR/exits/$ID"
    [[ $(<"$BATS_TEST_TMPDIR/exits/$ID") == 137 ]]
    "$CLIENT_RUNTIME" delete "$ID"
}

@test "conmon: the systemd cgroup driver" {
    [[ -d /run/systemd/system ]] || skip 'no systemd'
    program sleep 100
    jq --arg path "system.slice:conmon:$ID" '.linux.cgroupsPath = $path' <"$BUNDLE/config.json" >"$BUNDLE/new" && mv "$BUNDLE/new" "$BUNDLE/config.json"
    conmon_starts -s
    eventually grep -Eq 'data|pid' "$BATS_TEST_TMPDIR/sync"
    "$CLIENT_RUNTIME" start "$ID"
    [[ $(<"/proc/$(<"$BATS_TEST_TMPDIR/pidfile")/cgroup") == "0::/system.slice/conmon-$ID.scope" ]]
    # As Podman does: without --systemd-cgroup.
    "$CLIENT_RUNTIME" delete --force "$ID"
    eventually bash -c "! systemctl is-active -q conmon-$ID.scope"
}
