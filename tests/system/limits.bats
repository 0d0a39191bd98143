# Limits by their effect: what a container gets when it wants more than it may have; and what holds around them under load,
# in nested hosts, and when a command is killed half-way.
load helpers
load limits

every_controller() { needs controller:memory controller:cpu controller:cpuset controller:pids controller:io; }

@test "limits hold: memory, processor time, processors, processes, disk" {
    every_controller
    limits_hold
}

@test "limits hold that came by update" {
    every_controller
    WAY=update
    limits_hold
}

@test "limits hold with the systemd manager" {
    every_controller
    needs systemd
    MANAGER=(--systemd-cgroup)
    limits_hold
}

@test "limits hold that came by update, with the systemd manager" {
    every_controller
    needs systemd
    MANAGER=(--systemd-cgroup) WAY=update
    limits_hold
}

@test "two hogs share a processor by weight, with both managers" {
    every_controller
    weights_hold
    needs systemd
    MANAGER=(--systemd-cgroup)
    weights_hold
}

# Opens what the rules of the next test permit, and what they do not.
devices_are_guarded() {
    run -0 --separate-stderr rt exec "$ID" /probe try-open /data/closed r + try-open /data/open r
    output=${lines[0]} expect '.errno == "EPERM"'
    output=${lines[1]} expect '.errno != "EPERM"'
}

@test "systemd manager: device rules and limits, also those that systemd has no words for, survive a daemon-reload" {
    local before files=(memory.max pids.max cpu.max cpu.idle cpuset.cpus io.max hugetlb.2MB.max cgroup.max.depth)
    every_controller
    needs systemd
    MANAGER=(--systemd-cgroup)
    mknod rootfs/data/closed c 10 201
    mknod rootfs/data/open c 10 229
    config '.linux.resources.devices = [{"allow": false}, {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rwm"}]'
    config '.linux.resources.unified = {"hugetlb.2MB.max": "4194304", "cgroup.max.depth": "7"}'
    limited
    silently rt update --cpu-idle 1 "$ID"
    devices_are_guarded
    before=$(cd "$GROUP" && grep . "${files[@]}")
    systemctl daemon-reload
    devices_are_guarded
    diff <(echo "$before") <(cd "$GROUP" && grep . "${files[@]}")
    observed "after daemon-reload" "the same files" "the same"
    silently rt delete --force "$ID"
    # No process at all: systemd has no such word, and must not bring its own default back.
    config '.linux.resources = {"pids": {"limit": 0}}'
    program fork 1 + sleep
    detached "$ID"
    wait_until output_has '"forked":0'
    systemctl daemon-reload
    (($(<"$(group_of "$ID")/pids.max") <= 1))
    silently rt delete --force "$ID"
}

# --- update under load -------------------------------------------------------------------------------------------------

@test "updates from two sides, again and again under load, lose nothing" {
    local count=${SYSTEM_TESTS_UPDATES:-1000} file=hugetlb.2MB.max other one two init
    needs controller:hugetlb
    config '.linux.resources += {"unified": {"hugetlb.2MB.max": "2097152", "cgroup.max.depth": "1"}}'
    program sleep
    run_detached
    GROUP=$(group_of "$ID") init=$(container_pid "$ID")
    rt_background exec "$ID" /probe spin 1000 >/dev/null
    # Each side sets limits of its own, and must find those of the other in the record.
    updates() {
        local i
        for ((i = 1; i <= count / 2; i++)); do
            rt update --resources - "$ID" <<<"{\"unified\": {\"$1\": \"$((i * $2))\"}}" || return
        done
    }
    updates "$file" 2097152 2>"$BATS_TEST_TMPDIR/one" 3>&- 4>&- &
    one=$!
    updates cgroup.max.depth 1 2>"$BATS_TEST_TMPDIR/two" 3>&- 4>&- &
    two=$!
    wait "$one"
    wait "$two"
    [[ ! -s $BATS_TEST_TMPDIR/one && ! -s $BATS_TEST_TMPDIR/two ]]
    other=$((count / 2))
    [[ $(<"$GROUP/$file") == $((other * 2097152)) && $(<"$GROUP/cgroup.max.depth") == "$other" ]]
    jq -e --arg a "$((other * 2097152))" --arg b "$other" '.unified == {"hugetlb.2MB.max": $a, "cgroup.max.depth": $b}' "$STATE/$ID/resources.json"
    # The same program as before, still at work, and nothing half-done beside the record.
    [[ $(container_pid "$ID") == "$init" && $(wc -l <"$GROUP/cgroup.procs") == 2 && ! -e $STATE/$ID/resources.json.next ]]
    observed "updates under load" "$count" "$count, the last of each side in force"
    silently rt delete --force "$ID"
}

# --- death ---------------------------------------------------------------------------------------------------------------

@test "500 processes of a paused container die at once of delete --force" {
    local begin took
    program fork 500 + sleep
    run_detached
    wait_until output_has '"forked":500'
    GROUP=$(group_of "$ID")
    [[ $(wc -l <"$GROUP/cgroup.procs") == 501 ]]
    rt pause "$ID"
    begin=$(microseconds)
    silently rt delete --force "$ID"
    took=$((($(microseconds) - begin) / 1000))
    observed "delete --force, 501 frozen processes" "at most 11000 ms" "$took ms"
    ((took < 11000))
    [[ ! -e $GROUP ]]
}

# killed_after SECONDS COMMAND...: the runtime, killed at that moment where it has not ended by then.
killed_after() {
    local command moment=$1
    shift
    rt_background "$@" >/dev/null 2>&1 <&0
    command=$!
    sleep "$moment"
    kill -9 "$command" 2>/dev/null || true
    wait "$command" 2>/dev/null || true
}
is_thawed() { [[ $(<"$GROUP/cgroup.freeze") == 0 && $(reads_as frozen cgroup.events) == 0 ]]; }

@test "a command that is killed at any moment leaves no container that cannot be thawed" {
    local moment
    config '.linux.resources += {"unified": {"cgroup.max.depth": "3"}}'
    for moment in ${SYSTEM_TESTS_CONTROL_MOMENTS:-0 0.0005 0.001 0.0015 0.002 0.003 0.004 0.006 0.01}; do
        program fork 20 + sleep
        run_detached
        wait_until output_has forked
        GROUP=$(group_of "$ID")
        # Frozen or not, what is said of it is true, and one command brings it back.
        killed_after "$moment" pause "$ID"
        if is_status "$ID" paused || [[ $(<"$GROUP/cgroup.freeze") == 1 ]]; then silently rt resume "$ID"; fi
        is_thawed
        killed_after "$moment" update --resources - "$ID" <<<'{"unified": {"cgroup.max.depth": "4"}}'
        is_thawed
        silently rt update --resources - "$ID" <<<'{"unified": {"cgroup.max.depth": "5"}}'
        [[ $(<"$GROUP/cgroup.max.depth") == 5 ]]
        rt pause "$ID"
        killed_after "$moment" resume "$ID"
        if is_status "$ID" paused; then silently rt resume "$ID"; fi
        is_thawed
        killed_after "$moment" delete --force "$ID"
        [[ ! -e $GROUP ]] || is_thawed
        silently rt delete --force "$ID"
        [[ ! -e $GROUP ]]
    done
}

# A file system of its own below the bundle's data, which can be frozen: whoever writes there waits in the kernel, and no
# signal helps.
freezable() {
    needs root
    needs mkfs.ext4 fsfreeze losetup
    truncate -s 8M "$BATS_TEST_TMPDIR/disk"
    mkfs.ext4 -q -O ^has_journal "$BATS_TEST_TMPDIR/disk"
    mount -o loop "$BATS_TEST_TMPDIR/disk" rootfs/data 2>/dev/null || lacks loop_devices
    FREEZABLE=$BUNDLE/rootfs/data
    config '.root.readonly = false'
    # One of many: the message must find it.
    program fork 20 + sleep
    run_detached
    wait_until output_has forked
    GROUP=$(group_of "$ID")
    fsfreeze --freeze "$FREEZABLE"
    rt_background exec "$ID" /probe write /data/file words >/dev/null 2>&1
    WRITER=$!
    wait_until waits_in_kernel
}
STUCK=
waits_in_kernel() {
    local pid
    while read -r pid; do
        [[ $(sed 's/.*) //; s/ .*//' "/proc/$pid/stat") != D ]] || { STUCK=$pid; return 0; }
    done <"$GROUP/cgroup.procs"
    return 1
}
FREEZABLE=
unfreeze() {
    fsfreeze --unfreeze "$FREEZABLE"
    wait "$WRITER" || true
}
teardown() {
    local failed=0
    if [[ -n $FREEZABLE ]]; then
        fsfreeze --unfreeze "$FREEZABLE" 2>/dev/null || true
        rt delete --force "$ID" 2>/dev/null || true
        umount "$FREEZABLE"
    fi
    common_teardown || failed=1
    return "$failed"
}

@test "a process that waits in the kernel: pause gives up and takes the freeze back, a killed pause can be resumed" {
    local begin pausing
    freezable
    begin=$SECONDS
    fails 1 "did not freeze in time" "pid $STUCK (probe) in state D" -- rt pause "$ID"
    ((SECONDS - begin <= 12))
    is_thawed
    rt_background pause "$ID" >/dev/null 2>&1
    pausing=$!
    wait_until grep -qx 1 "$GROUP/cgroup.freeze"
    kill -9 "$pausing"
    wait "$pausing" || true
    is_status "$ID" running
    silently rt resume "$ID"
    is_thawed
    fails 1 "is not paused" -- rt resume "$ID"
    unfreeze
    silently rt delete --force "$ID"
}

@test "a process that waits in the kernel: delete --force ends in time, and says which process, in which state, where" {
    local begin
    freezable
    begin=$SECONDS
    fails 1 "still has processes" "pid $STUCK (probe) in state D waiting in" "no signal ends" -- rt delete --force "$ID"
    ((SECONDS - begin <= 12))
    unfreeze
    silently rt delete --force "$ID"
}

@test "delete --force does not wait for a start whose hook inside the container hangs" {
    local starting
    config '.hooks.startContainer = [{"path": "/probe", "args": ["probe", "sleep"]}]'
    program exit 0
    create_container
    rt_background start "$ID" 2>/dev/null
    starting=$!
    hook_sleeps() { [[ $(wc -l <"$(group_of "$ID")/cgroup.procs") == 2 ]]; }
    wait_until hook_sleeps
    silently rt delete --force "$ID"
    run ! wait "$starting"
}

@test "delete --force names the command that has been busy with the container for too long" {
    local starting begin
    config '.hooks.poststart = [{"path": $p, "args": ["sleep", "1000"]}]' --arg p "$(command -v sleep)"
    program sleep
    create_container
    rt_background start "$ID" 2>/dev/null
    starting=$!
    hook_runs() { pgrep -P "$starting" -x sleep; }
    wait_until hook_runs
    begin=$SECONDS
    # The deadline must not depend on the signals that a caller lets through.
    fails 1 "another command, process $starting (crun-lite)" "busy with container" "hook" -- \
        timeout 30 env --block-signal=ALRM "$CRUN_LITE" --root "$STATE" delete --force "$ID"
    ((SECONDS - begin <= 12))
    pkill -P "$starting" -x sleep
    wait "$starting" || true
    silently rt delete --force "$ID"
}

# --- nested hosts ---------------------------------------------------------------------------------------------------------

# nested SCRIPT: bash runs it in a container that has this host's files and may do everything below its own cgroup; the
# inner bundle is $INNER, its state is kept in $INNER/state.
INNER=
nested() {
    INNER=$BATS_TEST_TMPDIR/inner
    new_bundle "$INNER"
    jq --arg p "/inner-$ID" '.process.args = ["/probe", "report"] | .linux.cgroupsPath = $p' "$INNER/config.json" >"$INNER/new"
    mv "$INNER/new" "$INNER/config.json"
    mkdir "$INNER/state"
    config '.root = {"path": "/", "readonly": false} | .process.noNewPrivileges = false | .linux.maskedPaths = [] | .linux.readonlyPaths = []
            | .process.capabilities = ($c | {bounding: ., effective: ., permitted: .}) | .linux.resources.devices = [{"allow": true, "access": "rwm"}]
            | .process.args = ["bash", "-euc", $s] | .process.env = ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "INNER=" + $i, "RT=" + $rt, "CELL=inner-" + $id]' \
        --arg s "$1" --arg i "$INNER" --arg rt "$CRUN_LITE" --arg id "$ID" \
        --argjson c "$(capability_names)"
    run --separate-stderr rt run "$ID"
}
# Those that this test has itself.
capability_names() {
    local number=0 name
    for name in CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST \
        NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE \
        SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ \
        PERFMON BPF CHECKPOINT_RESTORE; do
        ! capable $((number++)) || echo "\"CAP_$name\""
    done | jq -sc .
}
writable_cgroup() { config '(.mounts[] | select(.type == "cgroup")).options -= ["ro"]'; }

@test "a nested host with a delegated cgroup: the inner container gets its cgroup, its limits and its end" {
    needs controller:hugetlb
    writable_cgroup
    # A cgroup that passes controllers on has no processes of its own: bash makes itself a place, as systemd would.
    nested 'mkdir /sys/fs/cgroup/host; echo $$ >/sys/fs/cgroup/host/cgroup.procs
        jq ".linux.resources.unified = {\"hugetlb.2MB.max\": \"4194304\"} | .process.args = [\"/probe\", \"sleep\"]" <"$INNER/config.json" >"$INNER/new"
        mv "$INNER/new" "$INNER/config.json"
        "$RT" --root "$INNER/state" run --bundle "$INNER" --detach inner </dev/null >/dev/null
        cat "/sys/fs/cgroup/$CELL/hugetlb.2MB.max"
        wc -l <"/sys/fs/cgroup/$CELL/cgroup.procs"
        "$RT" --root "$INNER/state" pause inner
        "$RT" --root "$INNER/state" delete --force inner
        test ! -e "/sys/fs/cgroup/$CELL" && echo gone'
    [[ $status == 0 && $output == $'4194304\n1\ngone' ]] || { echo "$status: $output; $stderr" >&2; return 1; }
}

@test "a nested host without a cgroup namespace: the inner cgroup is below the outer one" {
    writable_cgroup
    config '.linux.namespaces |= map(select(.type != "cgroup"))'
    nested 'own=$(sed -n s/^0:://p /proc/self/cgroup)
        jq ".linux.cgroupsPath = \"$own/inner\" | .process.args = [\"/probe\", \"sleep\"] | .linux.namespaces |= map(select(.type != \"cgroup\"))" <"$INNER/config.json" >"$INNER/new"
        mv "$INNER/new" "$INNER/config.json"
        "$RT" --root "$INNER/state" run --bundle "$INNER" --detach inner </dev/null >/dev/null
        pid=$("$RT" --root "$INNER/state" state inner | jq .pid)
        echo "$own $(sed -n s/^0:://p /proc/$pid/cgroup)"
        "$RT" --root "$INNER/state" delete --force inner'
    [[ $status == 0 && $output == "$TEST_CGROUP/$ID $TEST_CGROUP/$ID/inner" ]] || { echo "$status: $output; $stderr" >&2; return 1; }
}

@test "a nested host whose cgroup is read-only: without limits the inner container runs, with one it is told why not" {
    nested 'jq "del(.linux.resources) | .process.args = [\"/probe\", \"exit\", \"7\"]" <"$INNER/config.json" >"$INNER/plain"
        jq ".linux.resources.unified = {\"cgroup.max.depth\": \"3\"}" <"$INNER/plain" >"$INNER/limited"
        for kind in plain limited; do
            cp "$INNER/$kind" "$INNER/config.json"
            "$RT" --root "$INNER/state" run --bundle "$INNER" inner || echo "$kind $?"
        done
        ls "$INNER/state"'
    [[ $status == 0 && $output == $'plain 7\nlimited 1' ]] || { echo "$status: $output; $stderr" >&2; return 1; }
    says "$stderr" "read-only"
}

@test "a nested host without any cgroup2: the disabled manager runs, updates nothing, kills and deletes" {
    config 'del(.mounts[] | select(.type == "cgroup")) | (.mounts[] | select(.type == "sysfs")) = {"destination": "/sys", "type": "tmpfs", "source": "tmpfs"}'
    nested 'jq "del(.mounts[] | select(.type == \"cgroup\"), .linux.cgroupsPath, .linux.resources) | .process.args = [\"/probe\", \"sleep\"]" <"$INNER/config.json" >"$INNER/new"
        mv "$INNER/new" "$INNER/config.json"
        run() { "$RT" --root "$INNER/state" "$@"; }
        run run --bundle "$INNER" inner && echo unexpected
        run --cgroup-manager disabled run --bundle "$INNER" --detach inner </dev/null >/dev/null
        run state inner | jq -r .status
        run pause inner && echo unexpected
        run kill inner KILL
        run wait inner >/dev/null
        run delete inner
        ls "$INNER/state"'
    [[ $status == 0 && $output == running ]] || { echo "$status: $output; $stderr" >&2; return 1; }
    says "$stderr" "no cgroup v2 file system" "--cgroup-manager disabled" "no cgroup of its own"
}

# --- what stands in the way ------------------------------------------------------------------------------------------------

@test "a controller that cannot be had: which one, where it stops, and why" {
    local parent=$TEST_CGROUP/parent-$ID sleeper
    needs controller:hugetlb
    config '.linux.resources.unified = {"hugetlb.2MB.max": "4194304"}'
    program exit 0
    mkdir -p "/sys/fs/cgroup$parent/threads"
    # A threaded cgroup makes a thread root of the one above it.
    echo threaded >"/sys/fs/cgroup$parent/threads/cgroup.type"
    config '.linux.cgroupsPath = $p' --arg p "$parent/threads/$ID"
    fails 1 "controller 'hugetlb'" "cgroup '$parent'" "cgroup.type is 'domain threaded'" "/linux/resources/unified" -- rt run "$ID"
    rmdir "/sys/fs/cgroup$parent/threads"
    # One with processes of its own.
    sleep 1000 3>&- 4>&- &
    sleeper=$!
    echo "$sleeper" >"/sys/fs/cgroup$parent/cgroup.procs"
    config '.linux.cgroupsPath = $p' --arg p "$parent/$ID"
    fails 1 "controller 'hugetlb'" "cgroup '$parent'" "processes live in that cgroup" -- rt run "$ID"
    kill "$sleeper"
    wait "$sleeper" || true
    # One that is asked for only now is enabled from the top down, also by update.
    config '.linux.resources.unified = {}'
    program sleep
    run_detached
    [[ ! -e /sys/fs/cgroup$parent/$ID/hugetlb.2MB.max ]]
    silently rt update --resources - "$ID" <<<'{"unified": {"hugetlb.2MB.max": "4194304"}}'
    [[ $(<"/sys/fs/cgroup$parent/$ID/hugetlb.2MB.max") == 4194304 ]]
    silently rt delete --force "$ID"
    rmdir "/sys/fs/cgroup$parent"
}

# What a unit of systemd is: unit_is UNIT PROPERTY VALUE...
unit_is() {
    local unit=$1
    shift
    while (($#)); do
        [[ $(systemctl show --property "$1" --value "$unit") == "$2" ]] ||
            { echo "$unit: $1 is $(systemctl show --property "$1" --value "$unit") instead of $2" >&2; return 1; }
        shift 2
    done
}

@test "systemd manager: every form of cgroupsPath, the unit's properties, and annotations by type" {
    local words unit place
    needs systemd
    MANAGER=(--systemd-cgroup)
    config '.linux.resources += {"pids": {"limit": 30}, "cpu": {"shares": 2048, "quota": 30000, "period": 100000}}
            | .annotations = {"org.systemd.property.TimeoutStopUSec": "uint64 5000000", "org.systemd.property.Documentation": "[\u0027man:true(1)\u0027]"}'
    program sleep
    while read -r words place; do
        unit=${place##*/}
        config 'if $p == "none" then del(.linux.cgroupsPath) else .linux.cgroupsPath = $p end' --arg p "$words"
        detached "$ID"
        [[ $(group_of "$ID") == "/sys/fs/cgroup$place" ]] || { echo "$words: $(group_of "$ID")" >&2; return 1; }
        unit_is "$unit" Delegate yes DefaultDependencies no TasksMax 30 CPUWeight 174 CPUQuotaPerSecUSec 300ms TimeoutStopUSec 5s \
            Documentation '"man:true(1)"' Description "crun-lite container $ID" Slice "$(basename "${place%/*}" | sed 's/^$/-.slice/')"
        # The other commands know the manager from the record.
        silently rt delete --force "$ID"
        run ! systemctl is-active "$unit"
        [[ ! -e /sys/fs/cgroup$place ]]
    done <<FORMS
none /system.slice/crun-lite-$ID.scope
:pre:$ID /system.slice/pre-$ID.scope
system.slice::$ID /system.slice/$ID.scope
one-two-three.slice:pre:$ID /one.slice/one-two.slice/one-two-three.slice/pre-$ID.scope
-:pre:$ID /pre-$ID.scope
FORMS
    config '.linux.cgroupsPath = "/no/colon"'
    fails 1 "slice:prefix:name" "/linux/cgroupsPath" -- rt --systemd-cgroup run "$ID"
    # The unit of a container that runs is not taken over.
    config '.linux.cgroupsPath = $p' --arg p ":pre:$ID"
    detached "$ID"
    fails 1 "systemd unit 'pre-$ID.scope'" "it is in use" "/linux/cgroupsPath" -- rt --systemd-cgroup run "$ID-b"
    is_status "$ID" running
    silently rt delete --force "$ID"
    config '.annotations = {"org.systemd.property.NoSuchProperty": "true"}'
    fails 1 "NoSuchProperty" -- rt --systemd-cgroup run "$ID"
    run ! systemctl is-active "pre-$ID.scope"
}
