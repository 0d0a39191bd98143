# linux.intelRdt.  No machine of a test lab has resctrl, so most of it runs the runtime with a made-up one in place of the
# kernel's: tests/helpers/made_up_resctrl.c.
load helpers

MADE_UP=${CRUN_LITE_MADE_UP_RESCTRL:-${PROBE%/*}/crun-lite-made-up-resctrl}

setup() {
    common_setup
    TREE=$BATS_TEST_TMPDIR/resctrl
    LOG=$BATS_TEST_TMPDIR/resctrl.log
}
teardown() {
    local left=
    [[ ! -d $TREE ]] || left=$(cd "$TREE" && find . -path "*$ID*" | head)
    common_teardown
    [[ -z ${BATS_TEST_COMPLETED-} || -z $left ]] || { echo "left in resctrl: $left" >&2; return 1; }
}

# From here on the runtime under test is the one with the made-up resctrl.
made_up_resctrl() {
    [[ -x $MADE_UP ]] || { echo "$MADE_UP is missing: make tests/helpers/crun-lite-made-up-resctrl" >&2; return 1; }
    CRUN_LITE=$MADE_UP
    mkdir -p "$TREE"/{info/{L3,MB},mon_groups,mon_data}
    : >"$TREE/tasks"
    printf '    L3:0=fffff;1=fffff\n    MB:0=100;1=100\n' | tee "$TREE/schemata" >"$TREE/default"
    echo 10 >"$TREE/info/MB/bandwidth_gran"
    : >"$LOG"
    export RESCTRL_TREE=$TREE RESCTRL_LOG=$LOG RESCTRL_ASKED=$LOG.asked
}

intel_rdt() { config '.linux.intelRdt = $r' --argjson r "$1"; }
written() { grep -v tasks "$LOG" || true; }

# spec: RDT-03
@test "intelRdt on a host without resctrl: refused with the cure" {
    needs no-resctrl
    local value
    for value in '{}' '{"closID": "/"}' '{"closID": "gold", "l3CacheSchema": "L3:0=f"}' '{"enableMonitoring": true}'; do
        intel_rdt "$value"
        fails 1 /linux/intelRdt "this host has no resctrl" "mount -t resctrl" CONFIG_X86_CPU_RESCTRL -- rt create "$ID"
        fails 1 /linux/intelRdt "this host has no resctrl" -- rt run "$ID"
        assert_nothing_left
    done
}

# spec: RDT-07 RDT-08 RDT-09 RDT-22
@test "intelRdt: values that are refused" {
    made_up_resctrl
    local member value
    while read -r member value; do
        config '.linux.intelRdt = {($m): $v}' --arg m "$member" --argjson v "$value"
        fails 1 "/linux/intelRdt/$member" -- rt create "$ID"
    done <<'END'
closID ".."
closID "."
closID "a/b"
closID "/a"
closID "a\nb"
closID 1
l3CacheSchema "L3:0=f\nMB:0=10"
l3CacheSchema 3
memBwSchema "L3:0=f"
memBwSchema "XX:0=1"
memBwSchema " MB:0=1"
memBwSchema "MB:0=10\nMB:1=10"
schemata ["L3:0=f", "L3:1=f\nMB:0=1"]
schemata "L3:0=f"
enableMonitoring "yes"
END
    [[ ! -s $LOG && -z $(ls "$TREE/mon_groups") ]]
}

# spec: RDT-01 RDT-02 RDT-05 RDT-15 RDT-19 RDT-21
@test "intelRdt: the process is in its groups before it runs anything, and they go with the container" {
    made_up_resctrl
    intel_rdt '{"enableMonitoring": true, "schemata": ["L3:0=f;1=f", "MB:0=20;1=20"]}'
    program sleep
    # In init, before the container's root is entered: the first program that the container brings.
    config '.hooks.createContainer = [{"path": "/bin/cp", "args": ["cp", $l, $l + ".at-hook"]}]' --arg l "$LOG"
    create_container
    local pid
    pid=$(container_pid "$ID")
    [[ $(<"$TREE/$ID/tasks") == "$pid" && $(<"$TREE/$ID/mon_groups/$ID/tasks") == "$pid" ]]
    [[ $(<"$LOG.at-hook") == "$ID/schemata L3:0=f;1=f
$ID/schemata MB:0=20;1=20
$ID/tasks $pid
$ID/mon_groups/$ID/tasks $pid" ]]
    run -0 rt state "$ID"
    expect --arg id "$ID" '.resctrlGroup == $id'
    rt start "$ID"
    rt kill "$ID" KILL
    status_becomes "$ID" stopped
    [[ -d $TREE/$ID ]]
    silently rt delete "$ID"
    [[ ! -e $TREE/$ID ]]
    # And the foreground way.
    config 'del(.hooks)'
    inside exit 0
    [[ ! -e $TREE/$ID ]]
}

# spec: RDT-06 RDT-20
@test "intelRdt: closID names a group that stays, the root group too" {
    made_up_resctrl
    program exit 0
    intel_rdt '{"closID": "/", "enableMonitoring": true}'
    run_ok
    [[ $(wc -l <"$TREE/tasks") == 1 && $(<"$LOG") == "tasks "*"mon_groups/$ID/tasks "* ]]
    intel_rdt '{"closID": "gold", "l3CacheSchema": "L3:0=f;1=f"}'
    run_ok
    [[ $(wc -l <"$TREE/gold/tasks") == 1 ]]
    # The same again, written in another way: the group is shared.
    intel_rdt '{"closID": "gold", "l3CacheSchema": "L3:1=0f;0=F"}'
    run_ok
    intel_rdt '{"closID": "gold"}'
    run_ok
    [[ $(wc -l <"$TREE/gold/tasks") == 3 ]]
    intel_rdt '{"closID": "gold", "l3CacheSchema": "L3:0=3;1=f"}'
    fails 1 /linux/intelRdt/l3CacheSchema "group 'gold' exists with" "'L3:0=3;1=f' is asked for" -- rt run "$ID"
    [[ -d $TREE/gold ]]
    cmp "$TREE/schemata" "$TREE/default"
}

# spec: RDT-04
@test "without intelRdt resctrl is not touched" {
    made_up_resctrl
    program exit 0
    run_ok
    config '.linux.intelRdt = null'
    run_ok
    create_container
    silently rt delete --force "$ID"
    # Not even looked for.
    [[ ! -s $LOG && ! -e $RESCTRL_ASKED ]]
    intel_rdt '{}'
    run_ok
    [[ -s $LOG && -s $RESCTRL_ASKED ]]
}

# spec: RDT-10
@test "intelRdt: enableCMT and enableMBM of earlier versions are unknown members" {
    made_up_resctrl
    program exit 0
    intel_rdt '{"closID": "/", "enableCMT": true, "enableMBM": "yes"}'
    run_ok
    [[ $(<"$LOG") == "tasks "* && $(<"$LOG") != *mon_groups* ]]
}

@test "intelRdt: a create that fails leaves no group behind" {
    made_up_resctrl
    local value
    program exit 0
    for value in '{"schemata": ["L3:0=f", "L9:0=1"]}' '{"closID": "gold", "memBwSchema": "MB:0=10", "schemata": ["L9:0=1"]}'; do
        intel_rdt "$value"
        fails 1 /linux/intelRdt/schemata/ "L9:0=1" "Unknown or unsupported resource name 'L9'" -- rt run "$ID"
        [[ ! -e $TREE/gold && ! -e $TREE/$ID ]]
    done
    : >"$TREE/full-monitors"
    intel_rdt '{"closID": "gold", "memBwSchema": "MB:0=10", "enableMonitoring": true}'
    fails 1 /linux/intelRdt/enableMonitoring "No space left on device" -- rt create "$ID"
    [[ ! -e $TREE/gold ]]
    rm "$TREE/full-monitors"
    # Later than the group: the hook, the program.
    config '.hooks.createRuntime = [{"path": $p, "args": ["probe", "exit", "3"]}]' --arg p "$PROBE"
    fails 1 createRuntime -- rt create "$ID"
    [[ ! -e $TREE/gold ]]
    config 'del(.hooks) | .process.args = ["/absent"]'
    fails 127 /absent -- rt run "$ID"
    : >"$TREE/full"
    fails 1 "No space left on device" closID -- rt run "$ID"
}

@test "intelRdt: a container of the same id keeps its group" {
    made_up_resctrl
    intel_rdt '{"enableMonitoring": true}'
    program sleep
    create_container
    fails 1 "already exists" -- rt create "$ID"
    [[ -d $TREE/$ID/mon_groups/$ID ]]
    silently rt delete --force "$ID"
    [[ ! -e $TREE/$ID ]]
}

@test "intelRdt: delete --force removes the groups of a create that was killed" {
    made_up_resctrl
    local creator value
    program sleep
    config '.hooks.createRuntime = [{"path": $p, "args": ["probe", "hang-hook", $l, "createRuntime"]}]' \
        --arg p "$PROBE" --arg l "$BATS_TEST_TMPDIR/hooks.log"
    for value in '{"enableMonitoring": true}' '{"closID": "gold", "memBwSchema": "MB:0=10"}'; do
        rm -f "$BATS_TEST_TMPDIR/hooks.log"
        intel_rdt "$value"
        rt_background create "$ID" </dev/null >/dev/null 2>&1
        creator=$!
        wait_until test -s "$BATS_TEST_TMPDIR/hooks.log"
        [[ -d $TREE/$ID/mon_groups/$ID || -s $TREE/gold/tasks ]]
        kill -9 "$creator"
        wait "$creator" 2>/dev/null || true
        silently rt delete --force "$ID"
        [[ ! -e $TREE/$ID && ! -e $TREE/gold ]]
        pkill -9 -f "probe hang-hook $BATS_TEST_TMPDIR/hooks.log" || true
    done
}

@test "intelRdt: a lock that somebody holds blocks neither create nor delete --force" {
    made_up_resctrl
    local holder creator deleted refused=no
    export RESCTRL_LOCK_MS=30
    program sleep
    # Ready with a group of its own making, and killed.
    config '.hooks.createRuntime = [{"path": $p, "args": ["probe", "hang-hook", $l, "createRuntime"]}]' \
        --arg p "$PROBE" --arg l "$BATS_TEST_TMPDIR/hooks.log"
    intel_rdt '{"closID": "gold", "memBwSchema": "MB:0=10"}'
    rt_background create "$ID" </dev/null >/dev/null 2>&1
    creator=$!
    wait_until test -s "$BATS_TEST_TMPDIR/hooks.log"
    kill -9 "$creator"
    wait "$creator" 2>/dev/null || true
    pkill -9 -f "probe hang-hook $BATS_TEST_TMPDIR/hooks.log" || true
    config 'del(.hooks)'
    intel_rdt '{}'
    exec {holder}<"$TREE"
    flock -x "$holder"
    run --separate-stderr timeout 10 "$CRUN_LITE" --root "$STATE" --log-level warning delete --force "$ID"
    deleted="$status $stderr"
    fails 1 "lock the resctrl file system" "somebody holds the lock of resctrl" -- \
        timeout 10 "$CRUN_LITE" --root "$STATE" create "$ID" && refused=yes
    exec {holder}<&- # before anything may fail: cleaning up waits for it
    says "$deleted" "0 " warning "resctrl group 'gold' stays" "somebody holds the lock of resctrl"
    [[ $refused == yes && ! -e $STATE/$ID && -d $TREE/gold && ! -e $TREE/$ID ]]
}

@test "intelRdt: a resctrl that was unmounted meanwhile does not block delete" {
    made_up_resctrl
    intel_rdt '{}'
    program sleep
    create_container
    rm -rf "$TREE"
    silently rt delete --force "$ID"
}

@test "intelRdt: exec puts its process into the container's groups, while they are there" {
    made_up_resctrl
    intel_rdt '{"enableMonitoring": true}'
    program sleep
    run_detached
    run -0 rt exec "$ID" /probe exit 0
    [[ $(wc -l <"$TREE/$ID/tasks") == 2 && $(wc -l <"$TREE/$ID/mon_groups/$ID/tasks") == 2 ]]
    rm -r "${TREE:?}/$ID"
    run -7 rt exec "$ID" /probe exit 7
    silently rt delete --force "$ID"
}

@test "intelRdt: delete --force with a broken record removes what the runtime made, and nothing else" {
    made_up_resctrl
    local value
    program sleep
    mkdir "$TREE/gold" "$TREE/gold/mon_groups"
    : >"$TREE/gold/tasks"
    for value in '{"enableMonitoring": true}' '{"closID": "gold", "enableMonitoring": true}' '{"closID": "/", "enableMonitoring": true}'; do
        intel_rdt "$value"
        create_container
        [[ -n $(find "$TREE" -path "*/mon_groups/$ID") ]]
        echo '{"broken' >"$STATE/$ID/state.json"
        run -0 rt delete --force "$ID"
        [[ ! -e $TREE/$ID && -d $TREE/gold && -z $(find "$TREE" -path "*/mon_groups/$ID") ]]
    done
}

@test "intelRdt: update does not change the root group, which is the host's" {
    made_up_resctrl
    intel_rdt '{"closID": "/"}'
    program sleep
    run_detached
    fails 1 "root group of resctrl" "closID" -- rt update --l3-cache-schema "L3:0=1;1=1" --pids-limit 0 "$ID"
    cmp "$TREE/schemata" "$TREE/default"
    silently rt delete --force "$ID"
}

@test "intelRdt: update changes the shares of a container without a cgroup, and only those" {
    made_up_resctrl
    intel_rdt '{"l3CacheSchema": "L3:0=f;1=f"}'
    config 'del(.linux.resources)'
    program sleep
    "$CRUN_LITE" --cgroup-manager disabled --root "$STATE" run --detach "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
    silently rt update --l3-cache-schema "L3:0=ff;1=f" "$ID"
    grep -q "L3:0=ff;1=f" "$TREE/$ID/schemata"
    fails 1 "no cgroup of its own" "--cgroup-manager disabled" -- rt update --l3-cache-schema "L3:0=1;1=1" --pids-limit 5 "$ID"
    fails 1 "no cgroup of its own" -- rt update --resources - "$ID" <<<'{"devices": [{"allow": false}]}'
    grep -q "L3:0=ff;1=f" "$TREE/$ID/schemata"
    fails 1 "no cgroup of its own" -- rt pause "$ID"
    silently rt delete --force "$ID"
}

@test "intelRdt: update changes the shares of the group, with limits or without, all or nothing" {
    made_up_resctrl
    intel_rdt '{"l3CacheSchema": "L3:0=f;1=f"}'
    program sleep
    run_detached
    : >"$LOG"
    silently rt update --l3-cache-schema "L3:0=ff;1=f" --mem-bw-schema "MB:0=50;1=50" "$ID"
    [[ $(written) == "$ID/schemata L3:0=ff;1=f
$ID/schemata MB:0=50;1=50" ]]
    grep -q "L3:0=ff;1=f" "$TREE/$ID/schemata"
    # A limit that is refused behind it takes the shares back.
    fails 1 cgroup.max.depth -- rt update --l3-cache-schema "L3:0=3;1=3" --resources - "$ID" <<<'{"unified": {"cgroup.max.depth": "x"}}'
    grep -q "L3:0=ff;1=f" "$TREE/$ID/schemata"
    # So does a second line that the kernel refuses; and the limit beside it is not even tried.
    rm -r "$TREE/info/MB"
    fails 1 "write 'MB:0=10' to the schemata" -- rt update --l3-cache-schema "L3:0=1;1=1" --mem-bw-schema "MB:0=10" \
        --resources - "$ID" <<<'{"unified": {"cgroup.max.depth": "4"}}'
    # It came from the command line: no document is to be blamed.
    [[ $stderr != *"new resources"* && $stderr != *config.json* && $stderr != */linux/* ]]
    grep -q "L3:0=ff;1=f" "$TREE/$ID/schemata"
    [[ $(<"/sys/fs/cgroup$TEST_CGROUP/$ID/cgroup.max.depth") == max ]]
    silently rt update --l3-cache-schema "" --resources - "$ID" <<<'{"unified": {"cgroup.max.depth": "4"}}'
    [[ $(<"/sys/fs/cgroup$TEST_CGROUP/$ID/cgroup.max.depth") == 4 ]]
    silently rt delete --force "$ID"
}
