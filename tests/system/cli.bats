# The command line itself: grammar, help, version, logs, and the documents that need no container.
load helpers

@test "--help: global and per command, exit 0, on standard output" {
    local command
    run --separate-stderr "$CRUN_LITE" --help
    [[ $status == 0 && $output == *create* && $output == *--root* && -z $stderr ]]
    for command in create run start state kill delete list ps pause resume update stats events wait features spec; do
        run --separate-stderr "$CRUN_LITE" "$command" --help
        [[ $status == 0 && $output == *"$command"* && -z $stderr ]] || { echo "$command --help: $status $output $stderr"; return 1; }
    done
}

@test "--version: first line, commit, spec, and no other line with the word version" {
    run --separate-stderr "$CRUN_LITE" --version
    [[ $status == 0 && -z $stderr ]]
    [[ ${lines[0]} =~ ^[a-z-]+\ version\ [0-9]+\.[0-9]+\.[0-9]+ ]]
    [[ $(grep -c version <<<"$output") == 1 ]]
    grep -q '^commit: [0-9a-z.+-]*$' <<<"$output"
    grep -q '^spec: 1\.[0-9]*\.[0-9]*' <<<"$output"
    local long=$output
    run "$CRUN_LITE" -v
    [[ $output == "$long" ]]
}

@test "an unknown command, global flag or command flag is exit 1 and named, without 'not found'" {
    local text
    fails 1 invalidcommand -- "$CRUN_LITE" invalidcommand
    [[ $stderr != *"not found"* && $stderr != *"o such file"* ]]
    fails 1 invalidflag -- "$CRUN_LITE" --invalidflag state "$ID"
    [[ $stderr != *"not found"* && $stderr != *"o such file"* ]]
    fails 1 invalidflag -- rt create --invalidflag "$ID"
    [[ $stderr != *"not found"* && $stderr != *"o such file"* ]]
}

# spec: OPST-02 OPSA-01 OPKI-01 OPDE-01
@test "missing and surplus arguments are refused before anything is made" {
    local command
    for command in create run state start kill delete pause resume ps update events wait; do
        fails 1 "$command" -- rt "$command"
        [[ -n $stderr ]] || { echo "$command without id says nothing"; return 1; }
    done
    fails 1 "" -- rt state "$ID" surplus
    fails 1 root -- "$CRUN_LITE" --root
}

@test "long options: --opt VALUE, --opt=VALUE, -opt VALUE, -opt=VALUE; the last one wins" {
    program exit 7
    run -7 rt run --bundle "$BUNDLE" "$ID"
    run -7 rt run --bundle="$BUNDLE" "$ID"
    run -7 rt run -bundle "$BUNDLE" "$ID"
    run -7 rt run -bundle="$BUNDLE" "$ID"
    run -7 rt run -b "$BUNDLE" "$ID"
    run -7 rt run --bundle /nowhere --bundle "$BUNDLE" "$ID"
    run -7 "$CRUN_LITE" --root=/nowhere -root "$STATE" --systemd-cgroup=false run -no-pivot=false -keep=false "$ID"
    run -7 "$CRUN_LITE" --debug=false -rootless=false --root "$STATE" --log-format=text run "$ID"
}

@test "booleans take =true and =false, and nothing else" {
    program sleep
    rt run --detach=true "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
    is_status "$ID" running
    silently rt delete --force=true "$ID"
    fails 1 force -- rt delete --force=maybe "$ID"
}

# spec: ERR-03
@test "--log with --log-format json: one object per failure, appended, the file made before anything fails" {
    local log=$BATS_TEST_TMPDIR/log.json
    run -1 rt --log "$log" --log-format json state "$ID"
    [[ $(wc -l <"$log") == 1 ]]
    jq -e '.level == "error" and (.msg | contains("does not exist")) and (.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})$"))' "$log"
    run -1 rt --log="$log" --log-format=json start "$ID"
    [[ $(jq -s length "$log") == 2 ]]

    rm "$log"
    run -1 rt --log "$log" --log-format json run --bundle /nowhere "$ID"
    [[ $(jq -s length "$log") == 1 ]]
    # Also standard error always has it.
    [[ -n $output ]]
}

@test "--log: bytes that JSON cannot hold are escaped" {
    local log=$BATS_TEST_TMPDIR/log.json
    program exit 0
    config '.process.args = ["/no\u0001\"\\such\nthing"]'
    run -127 rt --log "$log" --log-format json run "$ID"
    [[ $(jq -s length "$log") == 1 ]]
}

@test "--log: a run that succeeds writes nothing at the default level" {
    local log=$BATS_TEST_TMPDIR/log.json
    program exit 0
    run -0 rt --log "$log" --log-format json run "$ID"
    [[ ! -s $log ]]
}

@test "--log that cannot be opened is a failure that names the file" {
    fails 1 /nowhere/log "$M_ENOENT" -- rt --log /nowhere/log list
}

@test "spec writes a config that runs, and does not overwrite one" {
    mkdir "$BATS_TEST_TMPDIR/new"
    cd "$BATS_TEST_TMPDIR/new"
    silently "$CRUN_LITE" spec
    jq -e '.ociVersion and .process.args and .root.path == "rootfs" and (.linux.namespaces | map(.type) | contains(["pid", "mount"]))' config.json
    cp config.json before.json
    fails 1 config.json exist -- "$CRUN_LITE" spec
    cmp config.json before.json
    cp -a "$BUNDLE/rootfs" rootfs
    jq '.process.terminal = false | .process.args = ["/probe", "exit", "5"]' before.json >config.json
    run -5 rt run "$ID"
}

@test "spec --bundle writes there; spec --rootless maps the caller and needs no privilege" {
    mkdir "$BATS_TEST_TMPDIR/new"
    silently "$CRUN_LITE" spec --rootless --bundle "$BATS_TEST_TMPDIR/new"
    jq -e '(.linux.namespaces | map(.type) | contains(["user"]) and (contains(["network"]) | not))
           and .linux.uidMappings[0].containerID == 0 and (.linux.resources | not)' "$BATS_TEST_TMPDIR/new/config.json"
    fails 1 /nowhere "$M_ENOENT" -- "$CRUN_LITE" spec --bundle /nowhere
}

@test "features: one JSON object with what engines look for" {
    run --separate-stderr "$CRUN_LITE" features
    [[ $status == 0 && -z $stderr ]]
    expect '(.ociVersionMin | test("^1\\.")) and (.ociVersionMax | test("^1\\."))'
    expect '.hooks == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]'
    expect '.mountOptions | contains(["ro", "rw", "rbind", "rro", "nosuid", "rprivate"])'
    expect '.linux.namespaces | contains(["cgroup", "ipc", "mount", "network", "pid", "user", "uts"])'
    expect '.linux.capabilities | contains(["CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE"])'
    expect '.linux.cgroup.v2 == true and .linux.cgroup.v1 == false'
    expect '.linux.seccomp.enabled == true and (.linux.seccomp.actions | contains(["SCMP_ACT_ERRNO", "SCMP_ACT_NOTIFY"]))'
    expect '.linux.mountExtensions.idmap.enabled == true'
    # Only members that the schema knows.
    expect '(keys - ["ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations", "potentiallyUnsafeConfigAnnotations"]) == []'
}

@test "list: empty, table, json and quiet" {
    run -0 rt list --format json
    expect ". == null or . == []"
    run -0 rt list
    [[ ${lines[0]} == ID* && ${#lines[@]} == 1 ]]
    program sleep
    create_container
    run -0 rt list --quiet
    [[ $output == "$ID" ]]
    run -0 rt list -f json
    expect --arg id "$ID" 'length == 1 and .[0].id == $id and .[0].status == "created" and .[0].pid > 1'
    run -0 rt list
    [[ ${lines[1]} == "$ID"*created* ]]
    silently rt delete "$ID"
    # A path is one line of the table, and sends nothing to the terminal.
    mv "$BUNDLE" "$BUNDLE"$'\n\e[31mforged'
    rt create --bundle "$BUNDLE"$'\n\e[31mforged' "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
    run -0 rt list
    [[ ${#lines[@]} == 2 && $output != *$'\e'* ]]
    silently rt delete "$ID"
    mv "$BUNDLE"$'\n\e[31mforged' "$BUNDLE"
}

# spec: OPCR-03
@test "ids: letters, digits and _+-. only, never a path" {
    local id
    program exit 0
    for id in ../up . .. a/b "" "a b" "$(printf 'x%.0s' {1..2000})"; do
        run --separate-stderr rt run --bundle "$BUNDLE" "$id"
        [[ $status == 1 && -n $stderr ]] || { echo "'$id' was taken: $status"; return 1; }
    done
    for id in "cl-a+b_c.d-$$" "cl1"; do
        run -0 rt run --bundle "$BUNDLE" "$id"
    done
    [[ ! -e $STATE/../up ]]
}

@test "a letter with its value behind =, and --rootless with its value behind it" {
    program exit 0
    run -0 rt run -b="$BUNDLE" "$ID"
    program sleep
    run_detached
    jq '.process | .args = ["/probe", "exit", "7"]' config.json >process.json
    run -7 rt exec -p=process.json "$ID"
    run -0 --separate-stderr rt exec -e=NAME=value -u=7:8 -g=9 "$ID" /probe report
    expect '.uid == 7 and .gid == 8 and .groups == [9] and (.env | any(. == "NAME=value"))'
    run -0 rt exec -t=false -e=A=B "$ID" /probe exit 0
    fails 1 "unknown or ambiguous option '-Zt'" -- rt exec -e=A=B -Zt "$ID" /probe exit 0
    fails 1 "flag needs an argument: --format" -- rt list -f
    fails 1 "flag needs an argument: --bundle" -- rt run -b
    silently rt delete -f=true "$ID"
    local word
    for word in true false auto; do run -0 "$CRUN_LITE" --rootless "$word" --root "$STATE" list; done
    fails 1 "unknown command 'maybe'" -- "$CRUN_LITE" --rootless maybe --root "$STATE" list
}
