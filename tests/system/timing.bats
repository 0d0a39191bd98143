# --timing: the timeline of a command and of the processes that it makes.
load helpers

# The file is a trace in the Trace Event Format: every event is complete, no process has two steps at a time, and nobody was
# at work outside of the command's own time.
timed() { rt --timing "$TRACE" "$@"; }

setup() {
    common_setup
    TRACE=$BATS_TEST_TMPDIR/trace.json
}

trace_is_valid() {
    jq -e '
        def steps($pid): [.traceEvents[] | select(.ph == "X" and .pid == $pid and .cat != "slice")];
        (.displayTimeUnit | type == "string")
        and (.otherData | (.command | type == "string") and .version and .kernel and (.exitStatus | type == "number"))
        and ([.traceEvents[] | select(.ph == "X")] | length > 1 and all(
            (.name | length > 0) and .pid == .tid and (.pid | type == "number") and .ts > 0 and .dur >= 0
            and (.cat | IN("step", "stage", "slice"))))
        and (([.traceEvents[] | select(.ph == "X") | .pid] | unique)
            == ([.traceEvents[] | select(.ph == "M" and .name == "process_name") | .pid] | unique))
        and ([.traceEvents[] | select(.ph == "X") | .pid] | unique | length > 0)
        and (. as $all | [.traceEvents[] | select(.ph == "X") | .pid] | unique | all(. as $pid | $all | steps($pid)
            | . as $list | all(range(1; length); $list[. - 1].ts + $list[. - 1].dur <= $list[.].ts + 0.0011)))
    ' "$TRACE" >/dev/null || { echo "no valid trace:" >&2; jq -c . "$TRACE" >&2; return 1; }
}

# The names of what PROCESS did, of category CATEGORY, one a line and in order.
did() {
    jq -r --arg p "$1" --arg c "$2" '(.traceEvents[] | select(.ph == "M" and .name == "process_name" and .args.name == $p) | .pid) as $pid
        | .traceEvents[] | select(.ph == "X" and .pid == $pid and .cat == $c) | .name' "$TRACE"
}

# trace FILTER: `creator`, `init`, … are what these processes did.
trace() {
    jq -e '
        def of($p): (.traceEvents[] | select(.ph == "M" and .name == "process_name" and .args.name == $p) | .pid) as $pid
            | [.traceEvents[] | select(.ph == "X" and .pid == $pid)];
        def first_of($p): of($p) | map(.ts) | min;
        def last_of($p): of($p) | map(.ts + .dur) | max;
        '"$1" "${@:2}" "$TRACE" >/dev/null && return 0
    echo "not so: $1" >&2
    jq -c '.otherData, (.traceEvents[] | [.pid, .cat, .name, .ts, .dur, .args])' "$TRACE" >&2
    return 1
}

# in_order WORD...: each is a whole line of standard input, and they come in this order.
in_order() {
    local line found=()
    while read -r line; do
        [[ $# == 0 || $line != "$1" ]] || { found+=("$line"); shift; }
    done
    [[ $# == 0 ]] || { echo "missing, or not in order: $1 (found: ${found[*]})" >&2; return 1; }
}

@test "run: the steps of creator and init, in order, init's within the creator's" {
    program report
    timed run "$ID"
    trace_is_valid
    did creator step | in_order "protecting its own binary" "reading and checking the configuration" "recording the container" \
        "making the cgroup" "cloning" "keeping records while init works" "waiting until the program is executed" \
        "attending the program until its end" "removing what was made"
    did init stage | in_order starting "joining namespaces" "setting resource limits" "setting up namespaces" \
        "building the root filesystem" "masking paths" "entering the root filesystem" "looking for the program" \
        "waiting for start" "taking the process's user and capabilities" "executing the program"
    did init slice | in_order "mount /proc" "mount /dev"
    trace 'first_of("creator") < first_of("init") and last_of("init") < last_of("creator")'
    # What the program itself takes is not init's.
    trace '(of("creator")[] | select(.name == "attending the program until its end")).ts >= last_of("init") - 0.001'
    trace '[.traceEvents[].args | select(.failed or .unfinished)] == []'
    trace '.otherData | .command == "run" and .container == $id and .exitStatus == 0 and (has("failure") | not)' --arg id "$ID"
    [[ $(stat -c %a "$TRACE") == 600 ]]
}

@test "run: the exit status is the program's, and the trace's" {
    program exit 7
    run timed run "$ID"
    [[ $status == 7 ]]
    trace_is_valid
    trace '.otherData.exitStatus == 7'
}

@test "hooks: a slice each with its path, in the process that runs it" {
    config '.hooks = {createRuntime: [{path: $p, args: ["probe"]}], createContainer: [{path: $p, args: ["probe"]}],
        startContainer: [{path: "/probe"}], poststart: [{path: $p}, {path: $p}], poststop: [{path: $p}]}' --arg p "$PROBE"
    program exit 0
    timed run "$ID" >/dev/null
    trace_is_valid
    did creator slice | in_order "hook $PROBE" "hook $PROBE" "hook $PROBE" "hook $PROBE"
    did init slice | in_order "hook $PROBE" "hook /probe"
    trace '[.traceEvents[] | select(.name == "running poststart hooks") as $step | $step] | length == 1'
    trace 'of("creator") as $c | ($c[] | select(.name == "running poststart hooks")) as $s
        | [$c[] | select(.cat == "slice" and .ts >= $s.ts and .ts + .dur <= $s.ts + $s.dur + 0.001)] | length == 2'
}

@test "a failing hook: its slice, its step, and the failure" {
    config '.hooks.createContainer = [{path: $p, args: ["probe", "exit", "3"]}]' --arg p "$PROBE"
    fails 1 createContainer -- timed run "$ID"
    trace_is_valid
    trace 'of("init") | (.[] | select(.name == "running createContainer hooks")).args.failed == true'
    trace 'of("creator") | map(select(.args.failed)) | map(.name) | index("waiting until the process is ready") != null'
    trace '(of("creator") | last).name == "undoing what was made"'
    trace '.otherData | .exitStatus == 1 and (.failure | test("createContainer"))'
}

@test "a run that fails before anything exists tells where" {
    config '.process.args = ["/nonexistent"] | .linux.namespaces += [{"type": "nonsense"}]'
    fails 1 namespaces -- timed run "$ID"
    trace_is_valid
    trace '[.traceEvents[] | select(.args.failed).name] == ["reading and checking the configuration"]'
    trace '.otherData.failure | test("namespaces")'
    config '.linux.namespaces |= map(select(.type != "nonsense"))'
    fails 127 /nonexistent -- timed run "$ID"
    trace_is_valid
    trace '(of("init") | last) | .name == "looking for the program" and .args.failed'
}

@test "a program that cannot be executed fails in its last step" {
    printf 'no program' >"$BUNDLE/rootfs/bin/garbage"
    chmod 755 "$BUNDLE/rootfs/bin/garbage"
    config '.process.args = ["/bin/garbage"]'
    fails 126 garbage -- timed run "$ID"
    trace '(of("init") | last) | .name == "executing the program" and .args.failed'
}

@test "an unwritable file is refused before anything is made" {
    program exit 0
    fails 1 "open timing file '$BATS_TEST_TMPDIR/none/trace': No such file or directory" -- rt --timing "$BATS_TEST_TMPDIR/none/trace" create "$ID"
    fails 1 "open timing file '$BATS_TEST_TMPDIR': Is a directory" -- rt --timing "$BATS_TEST_TMPDIR" create "$ID"
    fails 1 "option --timing takes a file or -" -- rt --timing= create "$ID"
    fails 1 "flag needs an argument: --timing" -- "$CRUN_LITE" --timing
    [[ ! -e $STATE/$ID ]]
}

@test "a symbolic link is not followed, what was in the file is gone, and a full disk is told" {
    program exit 3
    echo precious >"$BATS_TEST_TMPDIR/precious"
    ln -s precious "$BATS_TEST_TMPDIR/link"
    fails 1 "open timing file '$BATS_TEST_TMPDIR/link'" "a symbolic link is not followed" -- rt --timing "$BATS_TEST_TMPDIR/link" run "$ID"
    [[ $(<"$BATS_TEST_TMPDIR/precious") == precious ]]
    head -c 1000000 /dev/zero >"$TRACE"
    run timed run "$ID"
    [[ $status == 3 ]]
    trace_is_valid
    # The container has run: its status stays.
    fails 3 "write timing file '/dev/full': No space left on device" -- rt --timing /dev/full run "$ID"
}

@test "--timing -: a summary on standard error, nothing on standard output" {
    program exit 0
    run --separate-stderr rt --timing - run "$ID"
    [[ $status == 0 && -z $output ]]
    [[ $stderr == "crun-lite run $ID: "*" ms, exit status 0 (crun-lite "*", Linux $(uname -r))"* ]]
    grep -q '^creator (process [0-9]*)$' <<<"$stderr"
    grep -q '^init (process [0-9]*)$' <<<"$stderr"
    grep -Eq '^ +[0-9]+\.[0-9]{3} +[0-9]+\.[0-9]{3}  building the root filesystem$' <<<"$stderr"
    grep -Eq '^ +[0-9]+\.[0-9]{3} +[0-9]+\.[0-9]{3}    mount /proc$' <<<"$stderr"
    fails 1 "does not exist" "exit status 1" "carrying out the command: failed" -- rt --timing - state "$ID"
}

@test "no command refuses the option" {
    local words
    program sleep
    while read -ra words; do
        timed "${words[@]}" </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- || { cat "$BATS_TEST_TMPDIR/err"; return 1; }
        trace_is_valid
        trace '.otherData.command == $c and .otherData.exitStatus == 0' --arg c "${words[0]}"
    done <<END
create $ID
state $ID
start $ID
list
ps $ID
exec $ID /probe exit 0
kill $ID KILL
wait $ID
delete $ID
run --detach $ID
delete --force $ID
check
features
END
    # Both forms, and in any place among the global options.
    "$CRUN_LITE" --timing="$TRACE" --root "$STATE" list
    trace_is_valid
    "$CRUN_LITE" -timing "$TRACE" --log "$BATS_TEST_TMPDIR/log" --root "$STATE" list
    [[ -e $BATS_TEST_TMPDIR/log ]]
}

@test "create: init waits for start and its stage is not over; start shows its own side and init's" {
    program exit 0
    config '.hooks.startContainer = [{path: "/probe", args: ["probe", "exit", "0"]}]'
    rt --timing "$TRACE" create "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
    trace_is_valid
    did creator step | in_order cloning "waiting until the process is ready" "setting late limits and handing out the process id"
    trace '(of("init") | last) | .name == "waiting for start" and .args.unfinished'
    trace 'last_of("init") <= last_of("creator") + 0.001'
    # The waiting init keeps nothing of it open.
    local pid
    pid=$(container_pid "$ID")
    [[ -z $(find "/proc/$pid/fd" -lname '*trace*') ]]
    [[ $(grep -c '^[^ ]* rw-s' "/proc/$pid/maps") == 1 ]] # its last words
    timed start "$ID"
    trace_is_valid
    did start step | in_order "carrying out the command" "waiting until the program is executed"
    did init stage | in_order "running startContainer hooks" "taking the process's user and capabilities" "executing the program"
    did init slice | in_order "hook /probe"
    trace 'first_of("start") < first_of("init") and last_of("init") < last_of("start")'
    trace '[of("init")[] | select(.pid != $pid or .args.unfinished)] == []' --argjson pid "$pid"
    wait_until is_status "$ID" stopped
    timed delete "$ID"
    trace_is_valid
    did delete step | in_order "ending the container's processes" "removing what was made"
}

@test "start with a timeline of a container created without; what is no timeline is ignored" {
    local pid
    config '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"monotonic": {"secs": 7777, "nanosecs": 0}}'
    program report
    create_container
    pid=$(container_pid "$ID")
    timed start "$ID"
    trace_is_valid
    trace '(of("init") | last) | .name == "executing the program" and .dur > 1'
    wait_until is_status "$ID" stopped
    # The program holds nothing of it.
    output=$(<"$BATS_TEST_TMPDIR/out") expect '(.fds | keys) == ["0", "1", "2"]'
    rt delete "$ID"
    # A start that fails in init.
    config '.process.user.uid = 1 | .linux.namespaces |= map(select(.type != "time")) | del(.linux.timeOffsets)
        | .hooks.startContainer = [{path: "/probe", args: ["probe", "exit", "4"]}]'
    create_container
    fails 1 startContainer -- timed start "$ID"
    trace_is_valid
    trace '(of("init")[] | select(.cat == "stage")) | .name == "running startContainer hooks" and .args.failed'
    trace '(of("init") | last).name == "hook /probe"'
    trace '[of("start")[] | select(.args.failed).name] == ["waiting until the program is executed"]'
    did start step | in_order "waiting until the program is executed" "ending the container's processes" "removing what was made"
}

@test "exec: the command, the escort where there is one, and the joiner" {
    program sleep
    run_detached
    timed exec "$ID" /probe exit 0
    trace_is_valid
    did exec step | in_order cloning "waiting until the program is executed"
    did joiner stage | in_order starting "joining namespaces" "looking for the program" "executing the program"
    trace 'first_of("exec") < first_of("joiner") and last_of("joiner") < last_of("exec")'
    export CRUN_LITE_WITHOUT=no-escort
    timed exec "$ID" /probe exit 0
    trace_is_valid
    did exec step | in_order "protecting its own binary" "reading and checking the configuration" cloning \
        "waiting until the program is executed" "attending the program until its end"
    did escort stage | in_order "joining namespaces" "being cloned"
    did joiner stage | in_order starting "joining namespaces" "looking for the program" "executing the program"
    trace 'first_of("exec") < first_of("escort") and first_of("escort") < first_of("joiner") and last_of("joiner") < last_of("exec")'
    rt delete --force "$ID"
}

@test "the program holds nothing of the timeline: no descriptor, no mapping" {
    program report
    run --separate-stderr rt run "$ID"
    local without=$output
    run --separate-stderr timed run "$ID"
    jq -e --argjson without "$without" '(.fds | keys) == ($without.fds | keys)' <<<"$output"
    [[ $output != *trace.json* ]]
}

@test "seccomp: compiled once, then found; a profile without clock_gettime does not kill, and its end is the creator's word" {
    config '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["acct"], "action": "SCMP_ACT_ERRNO"}]}'
    program exit 0
    rm -rf "$STATE/.seccomp"
    timed run "$ID"
    did creator slice | in_order "look for the compiled filter" "compile the seccomp filter"
    timed run "$ID"
    trace_is_valid
    did creator slice | in_order "look for the compiled filter"
    [[ $(did creator slice) != *compile\ the* ]]
    did init stage | in_order "loading the seccomp filter" "executing the program"
    config '.linux.seccomp.syscalls = [{"names": ["clock_gettime"], "action": "SCMP_ACT_KILL_PROCESS"}]'
    timed run "$ID"
    trace_is_valid
    trace '(of("init") | last) | .name == "loading the seccomp filter" and (has("args") | not)'
}

@test "a time namespace's clock does not move anybody on the timeline" {
    config '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"monotonic": {"secs": 7777, "nanosecs": 0}}'
    program sleep
    timed run --detach "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
    trace_is_valid
    # A time outside of the command's own would have been moved to its end: nothing would take any time.
    trace '[of("init")[].dur] | add > 0'
    trace 'first_of("escort") < first_of("init") and last_of("init") < last_of("creator")'
    trace 'last_of("init") - first_of("init") > 1'
    timed exec "$ID" /probe exit 0
    trace_is_valid
    trace 'first_of("exec") < first_of("joiner") and last_of("joiner") < last_of("exec")'
    trace '(of("joiner")[] | select(.name == "executing the program")).dur > 1'
    rt delete --force "$ID"
}

@test "a user namespace: the creator's part is between init's" {
    config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 1000}]
        | .linux.gidMappings = .linux.uidMappings'
    chmod a+rx "$BUNDLE" "$BUNDLE/rootfs"
    program exit 0
    timed run "$ID"
    trace_is_valid
    did creator step | in_order cloning "equipping the process" "waiting until the program is executed"
    did init stage | in_order starting "waiting for its id maps and limits" "joining namespaces" "executing the program"
}

# Only with the option is a clock read or a page shared: what it costs without is a comparison.
@test "without the option nothing is mapped, opened or written" {
    needs strace
    program exit 0
    ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -e trace=mmap -o "$BATS_TEST_TMPDIR/calls" "$CRUN_LITE" --root "$STATE" run "$ID"
    local without with
    without=$(grep -c 'MAP_SHARED|MAP_ANONYMOUS' "$BATS_TEST_TMPDIR/calls")
    ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -e trace=mmap -o "$BATS_TEST_TMPDIR/calls" "$CRUN_LITE" --root "$STATE" --timing "$TRACE" run "$ID"
    with=$(grep -c 'MAP_SHARED|MAP_ANONYMOUS' "$BATS_TEST_TMPDIR/calls")
    # Init's last words; and the ring, twice where the runtime executes itself again to protect its binary.
    ((without == 1 && with > 1 && with <= 3)) || { echo "$without, then $with" >&2; return 1; }
}
