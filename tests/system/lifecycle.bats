# create, start, state, kill, delete, list: the right moments and every wrong one, in the words that engines match.
load helpers

# spec: OPST-01 LIFE-18 OPDE-04 STATE-08
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
    # What create has made is there until delete.
    [[ -d $STATE/$ID && -d /sys/fs/cgroup$TEST_CGROUP/$ID ]]
    silently rt delete "$ID"
    assert_nothing_left
    fails 1 "$ID" "$M_NO_CONTAINER" -- rt state "$ID"
}

# spec: LIFE-03 OPSA-03
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

state_is_valid() { python3 "$BATS_TEST_DIRNAME/validate.py" "$BATS_TEST_DIRNAME/../data/schema/state-schema.json" <<<"$output"; }

# state_shows STATUS: sets $output to the state, which is of that status and valid.
state_shows() {
    run -0 --separate-stderr rt state "$ID"
    state_is_valid
    expect --arg s "$1" '.status == $s'
    expect --arg id "$ID" --arg b "$BUNDLE" '.id == $id and .bundle == $b and .rootfs == ($b + "/rootfs")'
    expect '.ociVersion | test("^[0-9]+\\.[0-9]+\\.[0-9]+$")'
    expect '.created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$")'
    expect --arg o "$EUID" '.owner == $o and .annotations == {"org.example.key": "value \"quoted\"", "empty": ""}'
}

# spec: STATE-01 STATE-02 STATE-04 STATE-06 STATE-07 STATE-10 STATE-13 STATE-14 STATE-15 STATE-16 STATE-17 OPST-04
@test "state is what the schema says in every phase, with the pid of the moment and an exact version" {
    local pid
    config '.annotations = {"org.example.key": "value \"quoted\"", "empty": ""}'
    program trap TERM
    # A relative bundle is shown absolute.
    create_container --bundle .
    state_shows created
    pid=$(jq .pid <<<"$output")
    # That process is init: in the container's namespaces, not yet the program.
    [[ $(readlink "/proc/$pid/ns/pid") != "$(readlink /proc/$$/ns/pid)" && ! /proc/$pid/exe -ef $BUNDLE/rootfs/probe ]]
    [[ $(awk '/^NSpid/ {print $3}' "/proc/$pid/status") == 1 ]]
    silently rt start "$ID"
    state_shows running
    expect --argjson pid "$pid" '.pid == $pid'
    [[ /proc/$pid/exe -ef $BUNDLE/rootfs/probe ]]
    run -0 rt list --format json
    expect --arg id "$ID" --argjson pid "$pid" 'map({id, pid, status, ociVersion}) == [{$id, $pid, status: "running", ociVersion: .[0].ociVersion}]'
    expect '.[0].ociVersion | test("^[0-9]+\\.[0-9]+\\.[0-9]+$")'
    wait_until output_has ready
    silently rt kill "$ID" TERM
    status_becomes "$ID" stopped
    state_shows stopped
    expect '.pid == 0'
    silently rt delete "$ID"
}

# spec: STATE-09
@test "state: a paused container says so, the one word that the schema does not know" {
    program sleep
    run_detached
    silently rt pause "$ID"
    run -0 --separate-stderr rt state "$ID"
    expect --argjson pid "$(container_pid "$ID")" '.status == "paused" and .pid == $pid and $pid > 1'
    run -1 state_is_valid
    output=$(rt state "$ID" | jq '.status = "running"')
    state_is_valid
    silently rt delete --force "$ID"
}

# spec: OPST-03
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

# spec: STATE-03 OPCR-02
@test "create of an existing id" {
    program sleep
    create_container
    local pid id
    pid=$(container_pid "$ID")
    fails 1 "$M_EXISTS" -- rt create "$ID"
    # The first one is untouched.
    is_status "$ID" created
    [[ $(container_pid "$ID") == "$pid" && -d /sys/fs/cgroup$TEST_CGROUP/$ID ]]
    silently rt start "$ID"
    fails 1 "$M_EXISTS" -- rt create "$ID"
    fails 1 "$M_EXISTS" -- rt run "$ID"
    is_status "$ID" running
    silently rt delete --force "$ID"
    for id in a/b "" . .. ../up; do
        fails 1 "invalid container id" -- rt create "$id"
    done
    [[ -z $(find "$STATE" -mindepth 1 -maxdepth 1 -name '[^.]*') && ! -e $STATE/../up ]]
}

# spec: OPSA-02
@test "start twice, of a paused, a stopped and an unknown container" {
    program trap TERM
    create_container
    silently rt start "$ID"
    local pid
    pid=$(container_pid "$ID")
    fails 1 "$M_START_RUNNING" -- rt start "$ID"
    is_status "$ID" running
    silently rt pause "$ID"
    fails 1 "cannot start container" paused -- rt start "$ID"
    is_status "$ID" paused
    silently rt resume "$ID"
    [[ $(container_pid "$ID") == "$pid" ]]
    # Before it has a handler, PID 1 does not hear SIGTERM.
    wait_until output_has ready
    silently rt kill "$ID"
    status_becomes "$ID" stopped
    fails 1 "$M_START_STOPPED" -- rt start "$ID"
    is_status "$ID" stopped
    silently rt delete "$ID"
    fails 1 "$ID" "$M_NO_CONTAINER" -- rt start "$ID"
}

# spec: OPDE-02
@test "delete of a running or paused container is refused and changes nothing; --force kills" {
    program sleep
    run_detached
    local pid
    pid=$(container_pid "$ID")
    fails 1 "cannot delete container" "$ID" "$M_DELETE_RUNNING" -- rt delete "$ID"
    is_status "$ID" running
    silently rt pause "$ID"
    fails 1 "cannot delete container" "$ID" paused -- rt delete "$ID"
    is_status "$ID" paused
    silently rt resume "$ID"
    [[ $(container_pid "$ID") == "$pid" && -d /sys/fs/cgroup$TEST_CGROUP/$ID ]]
    silently rt delete --force "$ID"
}

# spec: OPDE-02 OPDE-03
@test "delete of a created container kills its waiting init" {
    local pid
    program sleep
    create_container
    pid=$(container_pid "$ID")
    silently rt delete "$ID"
    [[ ! -e /proc/$pid/exe ]] || ! [[ /proc/$pid/exe -ef $CRUN_LITE ]]
}

# spec: OPKI-02
@test "a created container's init keeps little memory while it waits, and starts all the same" {
    local pid most=600
    # The sanitizers keep books of every byte.
    ! grep -q __asan_init "$CRUN_LITE" || most=1000000
    program report
    create_container
    pid=$(container_pid "$ID")
    rss() { awk '/^Rss:/ {print $2}' "/proc/$pid/smaps_rollup"; }
    is_small() { (($(rss) < most)); }
    wait_until is_small || { rss; return 1; }
    rt start "$ID"
    wait_until is_status "$ID" stopped
    output=$(<"$BATS_TEST_TMPDIR/out") expect '.pid == 1'
    rt delete "$ID"
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
    is_status "$ID" stopped
    silently rt delete "$ID"
    fails 1 "$ID" "$M_NO_CONTAINER" -- rt kill "$ID" KILL
}

# spec: OPKI-03 OPKI-04
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
    # Every signal by every name that bash and glibc know, and real-time ones by both their ends; the number it has arrives.
    local number name
    for number in $(seq 1 31) $(seq 34 64); do
        case $number in 9 | 15 | 19) continue ;; esac
        name=$(kill -l "$number")
        [[ $number != 34 ]] || name=RTMIN
        case $((number % 3)) in
        1) name=SIG$name ;;
        2) name=${name,,} ;;
        esac
        silently rt kill "$ID" "$name"
        wait_until output_has "got $number\$"
    done
    : >"$BATS_TEST_TMPDIR/out"
    for form in IO:29 sigio:29 POLL:29 CLD:17 IOT:6 ABRT:6 rtmin+15:49 SIGRTMAX:64 RTMAX-30:34; do
        silently rt kill "$ID" "${form%:*}"
        wait_until output_has "got ${form#*:}\$"
        : >"$BATS_TEST_TMPDIR/out"
    done
    for form in "" SIG SIGSIGTERM RTMIN+31 RTMAX-31 RTMIN- 65 NONSENSE; do
        fails 1 "unknown signal '$form'" -- rt kill "$ID" "$form"
    done
    fails 1 NONSENSE -- rt kill "$ID" NONSENSE
    fails 1 99 -- rt kill "$ID" 99
    silently rt kill "$ID"
    status_becomes "$ID" stopped
    output_has "got 15"
    silently rt delete "$ID"
}

# spec: OPKI-03
@test "kill of a created container ends it" {
    program sleep
    create_container
    silently rt kill "$ID" KILL
    status_becomes "$ID" stopped
    silently rt delete "$ID"
    # Any signal that ends a process by default, also as the first process of a pid namespace, for which the kernel drops it.
    local word
    for word in "" TERM INT USR1 32 RTMIN RTMIN+1; do
        create_container
        silently rt kill "$ID" $word
        status_becomes "$ID" stopped
        fails 1 "$M_START_STOPPED" -- rt start "$ID"
        silently rt delete "$ID"
    done
    create_container
    for word in 0 CHLD WINCH CONT; do silently rt kill "$ID" $word; done
    silently rt start "$ID"
    is_status "$ID" running
    silently rt delete --force "$ID"
    config '.linux.namespaces |= map(select(.type != "pid"))'
    create_container
    silently rt kill "$ID" TERM
    status_becomes "$ID" stopped
    silently rt delete "$ID"
}

# A process remembers the id of the one that it was cloned from.
@test "kill of a created container means it, and not who has its creator's id by then" {
    config '.linux.namespaces |= map(select(.type != "pid"))'
    program sleep
    # shellcheck disable=SC2016
    run -0 env ID="$ID" unshare --pid --fork --mount-proc bash -c '
        "$@" create "$ID" <&- >/dev/null 2>&1 &
        creator=$!
        wait $creator || exit
        echo $((creator - 1)) >/proc/sys/kernel/ns_last_pid
        sleep 1000 &
        [ $! = $creator ] || { echo "a pid was taken: $!, not $creator"; exit 1; }
        "$@" kill "$ID" TERM
        for ((tries = 0; tries < 500; tries++)); do
            ! "$@" state "$ID" | grep -q stopped || break
            sleep 0.02
        done
        ((tries < 500)) && kill -0 $creator && "$@" delete "$ID"' - "$CRUN_LITE" --root "$STATE"
}

@test "a bundle is called by one slash, however many it was given with" {
    program sleep
    create_container --bundle "//${BUNDLE#/}"
    [[ $(rt state "$ID" | jq -r .bundle) == "$BUNDLE" ]]
    silently rt delete --force "$ID"
}

# spec: OPKI-04
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

@test "kill KILL of a container without a pid namespace leaves none of it behind, other signals reach its first process only" {
    cgroup_is_empty() { [[ -z $(<"/sys/fs/cgroup$TEST_CGROUP/$ID/cgroup.procs") ]]; }
    config '.linux.namespaces |= map(select(.type != "pid"))'
    program orphan + sleep
    run_detached
    silently rt kill "$ID" KILL
    wait_until cgroup_is_empty
    status_becomes "$ID" stopped
    fails 1 "container not running" -- rt kill "$ID" KILL
    silently rt delete "$ID"
    # After init's death: nobody else could end them but delete.
    run_detached
    kill -9 "$(container_pid "$ID")"
    status_becomes "$ID" stopped
    fails 1 "container not running" -- rt kill "$ID" TERM
    run ! cgroup_is_empty
    silently rt kill "$ID" KILL
    wait_until cgroup_is_empty
    fails 1 "container not running" -- rt kill "$ID" KILL
    silently rt delete "$ID"
}

# spec: OPDE-07
@test "delete --force kills all of a container without a pid namespace" {
    config '.linux.namespaces |= map(select(.type != "pid"))'
    local init cgroup=/sys/fs/cgroup$TEST_CGROUP/$ID
    program orphan + fork 3 + sleep
    run_detached
    wait_until output_has forked
    silently rt delete --force "$ID"
    assert_nothing_left
    # The same for plain delete of a stopped one, some of whose processes sit in cgroups below.
    run_detached
    wait_until output_has forked
    init=$(container_pid "$ID")
    mkdir -p "$cgroup/below/deeper"
    grep -vx "$init" "$cgroup/cgroup.procs" | head -n 1 >"$cgroup/below/deeper/cgroup.procs"
    [[ -n $(<"$cgroup/below/deeper/cgroup.procs") ]]
    kill -9 "$init"
    status_becomes "$ID" stopped
    silently rt delete "$ID"
}

# spec: STATE-08
@test "init killed by an outsider: stopped, and plain delete works" {
    local command
    program sleep
    for command in create_container run_detached; do
        $command
        kill -9 "$(container_pid "$ID")"
        status_becomes "$ID" stopped
        silently rt delete "$ID"
    done
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

@test "ps: with options of ps, the host's ps shows the container's processes and no others" {
    local pids words
    program fork 2 + sleep
    run_detached
    wait_until output_has forked
    pids=$(rt ps --format json "$ID" | jq -r '.[]')
    # As clients of runc give them: one word, or several.
    for words in "-ef" "aux" "-eo user,pid" "-e -o ppid,pid,args"; do
        # shellcheck disable=SC2086  # several words
        run -0 --separate-stderr rt ps --format table "$ID" $words
        [[ ${lines[0]} == *PID* && ${#lines[@]} == 4 && -z $stderr ]]
        [[ $words != "-eo user,pid" || $(printf '%s\n' "${lines[@]:1}" | awk '{print $2}' | sort -n) == "$pids" ]]
    done
    run -0 rt ps "$ID" "-eo pid,comm"
    [[ ${lines[1]} =~ ^\ *[0-9]+\ probe$ ]]
    # The pids for programs are those of the cgroup, whatever ps would show.
    run -0 rt ps --format json "$ID" -ef
    [[ $(jq -r '.[]' <<<"$output") == "$pids" ]]
    fails 1 "no column PID" "-o pid" -- rt ps "$ID" -eo user,comm
    fails 1 "ps exited with status 1" -- rt ps "$ID" --no-such-option
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

# spec: LIFE-01 OPCR-01
@test "create needs an id, and a bundle: the given one or the current directory" {
    fails 1 create -- rt create
    fails 1 create -- rt create --bundle "$BUNDLE"
    fails 1 "$M_NO_CONFIG" -- rt create --bundle "$BATS_TEST_TMPDIR" "$ID"
    cd "$BATS_TEST_TMPDIR"
    fails 1 "$M_NO_CONFIG" -- rt create "$ID"
    [[ ! -e $STATE/$ID ]]
}

# spec: BUN-02 BUN-03 BUN-04
@test "the bundle may be anywhere and be called anything; its root is relative to it or absolute" {
    local place
    program cat /etc/marker
    for place in "$BATS_TEST_TMPDIR/a b/ü \"x\"\\/deep/er/$(printf 'd%.0s' {1..200})" "$BATS_TEST_TMPDIR/-dash" "$BATS_TEST_TMPDIR/plain"; do
        mkdir -p "$place"
        cp -a "$BUNDLE/." "$place"
        echo "$place" >"$place/rootfs/etc/marker"
        run_ok --bundle "$place"
        [[ $output == "$place" ]]
        ln -sfn "$place" "$BATS_TEST_TMPDIR/link"
        run_ok --bundle "$BATS_TEST_TMPDIR/link"
        [[ $output == "$place" ]]
        cd "$place"
        run_ok
        [[ $output == "$place" ]]
        create_container
        [[ $(rt state "$ID" | jq -r .bundle) == "$place" ]]
        silently rt delete "$ID"
    done
    cd "$BUNDLE"
    config '.root.path = $p' --arg p "$place/rootfs"
    run_ok
    [[ $output == "$place" ]]
}

# spec: SCOPE-01 SCOPE-02 LIFE-08
@test "any process of the same user works on a container by its id alone; another state root does not know it" {
    local command
    program trap TERM
    create_container
    cd /
    mkdir "$BATS_TEST_TMPDIR/other"
    for command in state start kill delete; do
        fails 1 "$M_NO_CONTAINER" -- "$CRUN_LITE" --root "$BATS_TEST_TMPDIR/other" $command "$ID"
    done
    run -0 "$CRUN_LITE" --root "$BATS_TEST_TMPDIR/other" list --quiet
    [[ -z $output ]]
    # Sessions of their own, without this one's environment.
    for command in state start kill; do
        setsid --wait env -i "$CRUN_LITE" --root "$STATE" $command "$ID" </dev/null >/dev/null
        if [[ $command == start ]]; then wait_until output_has ready; fi
    done
    status_becomes "$ID" stopped
    run -0 setsid --wait env -i "$CRUN_LITE" --root "$STATE" delete "$ID" </dev/null
}

# spec: LIFE-17
@test "a container that ended by itself, by an error, by a crash or by kill is stopped until delete" {
    local words
    # Without a pid namespace: its first process does not hear its own signals.
    config '.linux.namespaces |= map(select(.type != "pid"))'
    for words in "exit 0" "exit 3" "kill-self SEGV" "kill-self KILL"; do
        program $words
        create_container
        silently rt start "$ID"
        status_becomes "$ID" stopped
        is_status "$ID" stopped
        silently rt delete "$ID"
    done
}

# spec: OPCR-04
@test "create takes over nothing: a state directory that is there is somebody's" {
    program sleep
    mkdir -m 700 "$STATE/$ID"
    fails 1 "$M_EXISTS" -- rt create "$ID"
    [[ -z $(ls -A "$STATE/$ID") ]]
    rmdir "$STATE/$ID"
    create_container
    [[ $(stat -c %a "$STATE/$ID") == 700 && -s $STATE/$ID/state.json ]]
    silently rt delete "$ID"
}

# spec: OPCR-05 OPCR-06 OPCR-07
@test "create applies everything but the program: namespaces, mounts, names, parameters; identity, resource limits and argv wait for start" {
    local pid
    config '.hostname = "created" | .linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "77", "kernel.msgmax": "5555"}
            | .process.user = {"uid": 1000, "gid": 1000} | .process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 70, "hard": 71}]
            | .process.oomScoreAdj = 555 | .linux.devices = [{"path": "/dev/extra", "type": "c", "major": 1, "minor": 5, "fileMode": 416}]
            | .linux.maskedPaths += ["/etc/marker"]'
    mount_add '{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "noexec"]}'
    program sleep
    create_container
    pid=$(container_pid "$ID")
    output=$(for name in pid net ipc uts mnt cgroup; do readlink "/proc/$pid/ns/$name" | grep -vx "$(readlink "/proc/$$/ns/$name")" | wc -l; done | xargs)
    [[ $output == "1 1 1 1 1 1" ]]
    [[ $(nsenter -t "$pid" -u uname -n) == created ]]
    [[ $(nsenter -t "$pid" -n cat /proc/sys/net/ipv4/ip_unprivileged_port_start) == 77 ]]
    [[ $(nsenter -t "$pid" -i cat /proc/sys/kernel/msgmax) == 5555 ]]
    grep -q " /mnt .*noexec.* - tmpfs .*size=64k" "/proc/$pid/mountinfo"
    grep -q " /proc/sys ro" "/proc/$pid/mountinfo"
    [[ $(stat -c '%F %t:%T %a' "/proc/$pid/root/dev/extra") == "character special file 1:5 640" && ! -s /proc/$pid/root/etc/marker ]]
    grep -q "$TEST_CGROUP/$ID\$" "/proc/$pid/cgroup"
    [[ $(<"/proc/$pid/oom_score_adj") == 555 ]]
    # Not yet: the program, its user, and limits that hooks and preparations would suffer from.
    [[ $(awk '/^Max open files/ {print $4, $5}' "/proc/$pid/limits") == "$(ulimit -Sn) $(ulimit -Hn)" ]]
    [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == *"create"*"$ID"* && $(awk '/^Uid/ {print $2}' "/proc/$pid/status") == 0 ]]
    silently rt start "$ID"
    [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == "/probe sleep " && $(awk '/^Uid/ {print $2}' "/proc/$pid/status") == 1000 ]]
    [[ $(awk '/^Max open files/ {print $4, $5}' "/proc/$pid/limits") == "70 71" ]]
    silently rt delete --force "$ID"
}

# spec: OPCR-09
@test "what a config shows by itself is refused before anything is made, the state root included" {
    local root=$BATS_TEST_TMPDIR/fresh filter
    cp config.json good.json
    for filter in '.ociVersion = "2.0"' '.hooks.poststop = [{"path": "x"}]' '.process.args = []' '.linux.namespaces += [{"type": "pid"}]' \
        '.linux.seccomp = {"defaultAction": "SCMP_ACT_NONSENSE"}' '.linux.sysctl = {"kernel.panic": "1"}' '.vm = {}'; do
        jq "$filter" good.json >config.json
        run -1 "$CRUN_LITE" --root "$root" create "$ID"
        [[ ! -e $root ]] || { echo "made before: $filter" >&2; return 1; }
    done
}

# spec: OPCR-11
@test "create already says that the program is absent or cannot be executed, or that the working directory is missing" {
    local words
    while IFS='|' read -r words wanted; do
        config ".process.args = $words"
        fails "${wanted%% *}" "${wanted#* }" -- rt create "$ID" </dev/null
        assert_nothing_left
    done <<-TABLE
	["/nope"]|127 $M_ENOENT
	["nope"]|127 $M_ARGV0_IN_PATH
	["/etc/marker"]|126 $M_EACCES
	["/etc"]|126 /etc
	TABLE
}

# spec: OPSA-04 OPSA-05
@test "a config without process: create and delete work, start and run fail, and start changes nothing" {
    local minimal=$BATS_TEST_DIRNAME/../data/schema/config/good/minimal.json
    mkdir -p "$BATS_TEST_TMPDIR/minimal"
    # To the letter: without namespaces there is no mount namespace to pivot in; the smallest one that has.
    cp "$minimal" "$BATS_TEST_TMPDIR/minimal/config.json"
    ln -s "$BUNDLE/rootfs" "$BATS_TEST_TMPDIR/minimal/rootfs"
    rt --cgroup-manager disabled create --bundle "$BATS_TEST_TMPDIR/minimal" "$ID" </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- ||
        { cat "$BATS_TEST_TMPDIR/err"; return 1; }
    is_status "$ID" created
    fails 1 "/process" "there is no process to start" -- rt start "$ID"
    is_status "$ID" created
    silently rt delete "$ID"

    config 'del(.process)'
    create_container
    is_status "$ID" created
    fails 1 "/process" "there is no process to start" -- rt start "$ID"
    is_status "$ID" created
    silently rt delete "$ID"
    fails 1 "/process" "there is no process to start" -- rt run "$ID"
    fails 1 "/process" "there is no process to start" -- rt run --detach "$ID"
}

# spec: OPDE-05
@test "delete leaves alone what create did not make: joined namespace, parent cgroup, bundle, other containers" {
    local parent=/sys/fs/cgroup$TEST_CGROUP/$ID-parent before
    mkdir "$parent" "$parent/neighbour"
    touch "$BATS_TEST_TMPDIR/netns"
    unshare --net="$BATS_TEST_TMPDIR/netns" true
    config '.linux.cgroupsPath = $c | .linux.namespaces |= map(if .type == "network" then .path = $n else . end)' \
        --arg c "$TEST_CGROUP/$ID-parent/a/b" --arg n "$BATS_TEST_TMPDIR/netns"
    program write /tmp/x y + sleep
    config '.root.readonly = false'
    echo kept >rootfs/data/kept
    before=$(find "$BUNDLE" -printf '%P %y %m %U %G %s\n' | sort)
    run_detached
    silently rt delete --force "$ID"
    [[ -d $parent && -d $parent/neighbour && -z $(ls -d "$parent/a/b" 2>/dev/null) ]]
    nsenter --net="$BATS_TEST_TMPDIR/netns" true
    rm -f rootfs/tmp/x
    diff <(echo "$before") <(find "$BUNDLE" -printf '%P %y %m %U %G %s\n' | sort)
    umount "$BATS_TEST_TMPDIR/netns"
    if [[ -d $parent/a ]]; then rmdir "$parent/a"; fi
    rmdir "$parent/neighbour" "$parent"
}

# spec: OPDE-06
@test "an id can be used again after delete" {
    local i pid last=
    program sleep
    for i in 1 2 3; do
        create_container
        pid=$(container_pid "$ID")
        [[ $pid != "$last" ]]
        last=$pid
        silently rt start "$ID"
        is_status "$ID" running
        silently rt delete --force "$ID"
    done
}

# spec: ERR-02
@test "a warning changes nothing: an unknown capability is told with --log-level warning, and the container runs" {
    config '.process.capabilities.bounding += ["CAP_OF_TOMORROW"]'
    program exit 5
    run -5 --separate-stderr rt run "$ID"
    [[ -z $stderr ]]
    run -5 --separate-stderr rt --log-level warning run "$ID"
    says "$stderr" warning CAP_OF_TOMORROW /process/capabilities/bounding
    run -5 rt --log "$BATS_TEST_TMPDIR/log" --log-format json --log-level warning run "$ID"
    jq -e '.level == "warning" and (.msg | contains("CAP_OF_TOMORROW"))' "$BATS_TEST_TMPDIR/log"
}

# spec: ANN-01 ANN-02 ANN-03 ANN-04 ANN-06 ANN-09
@test "annotations: any key but the empty one, strings only, and they come back unchanged; none and {} are the same" {
    local wrong all='{"org.opencontainers.image.os": "linux", "org.opencontainers.image.os.version": "1", "org.opencontainers.image.os.features": "a,b",
        "org.opencontainers.image.architecture": "amd64", "org.opencontainers.image.variant": "v8", "org.opencontainers.image.author": "A. <a@example.org>",
        "org.opencontainers.image.created": "2026-01-02T03:04:05Z", "org.opencontainers.image.stopSignal": "SIGRTMIN+3",
        "com.example.unknown": "", "no domain at all": "é \" \\ \n \u0001", "run.oci.future": "x", "module.wasm.image/variant": "compat"}'
    program sleep
    config '.annotations = $a' --argjson a "$all"
    create_container
    run -0 rt state "$ID"
    expect --argjson a "$all" '.annotations == $a'
    silently rt delete "$ID"
    for filter in 'del(.annotations)' '.annotations = {}' '.annotations = null'; do
        config "$filter"
        create_container
        run -0 rt state "$ID"
        expect '.annotations == {}'
        silently rt delete "$ID"
    done
    for wrong in '{"a": 1}' '{"a": null, "b": []}' '{"a": {}}' '{"a": true}' '[]' '"x"'; do
        config '.annotations = $a' --argjson a "$wrong"
        fails 1 /annotations -- rt create "$ID"
    done
    config '.annotations = {"": "x"}'
    fails 1 /annotations/ "empty member name" -- rt create "$ID"
}

# spec: ANN-07
@test "the image's stop signal is what kill sends without a signal" {
    local word
    program trap-all
    for word in SIGUSR1 USR1 10; do
        config '.annotations = {"org.opencontainers.image.stopSignal": $w}' --arg w "$word"
        run_detached
        wait_until output_has ready
        silently rt kill "$ID"
        wait_until output_has "got 10"
        is_status "$ID" running
        silently rt kill "$ID" TERM
        status_becomes "$ID" stopped
        silently rt delete "$ID"
    done
    config '.annotations = {"org.opencontainers.image.stopSignal": "SIGNONSENSE"}'
    run_detached
    fails 1 SIGNONSENSE -- rt kill "$ID"
    is_status "$ID" running
    silently rt delete --force "$ID"
}

# While `run` waits others may have had their turn; what has its name then is not its own.
@test "run whose container was deleted meanwhile leaves another one of that name alone" {
    local runtime first
    config '.hooks.poststop = [{"path": $p, "args": ["probe", "hook", $l, "poststop"]}]' --arg p "$PROBE" --arg l "$BATS_TEST_TMPDIR/log"
    program sleep
    rt_background run "$ID" >/dev/null </dev/null
    runtime=$!
    status_becomes "$ID" running
    first=$(container_pid "$ID")
    kill -STOP "$runtime"
    silently rt delete --force "$ID"
    [[ $(jq -s length "$BATS_TEST_TMPDIR/log") == 1 ]]
    [[ ! -d /sys/fs/cgroup$TEST_CGROUP ]] || config '.linux.cgroupsPath += "-too"'
    run_detached
    [[ $(container_pid "$ID") != "$first" ]]
    kill -CONT "$runtime"
    exits 137 "$runtime"
    is_status "$ID" running
    [[ $(jq -s length "$BATS_TEST_TMPDIR/log") == 1 ]]
    silently rt delete --force "$ID"
}

@test "list: one whose record is gone has a time too; json says what state says" {
    config '.annotations = {"a": "b"}'
    program sleep
    run_detached
    run -0 --separate-stderr rt list --format json
    expect --argjson state "$(rt state "$ID")" --arg id "$ID" '.[] | select(.id == $id) | . == $state'
    mkdir -m 700 "$STATE/$ID-half"
    run -0 --separate-stderr rt list --format json
    expect --arg id "$ID-half" '.[] | select(.id == $id) | .created | test("^20[0-9-]+T[0-9:]+Z$")'
    rmdir "$STATE/$ID-half"
    silently rt delete --force "$ID"
}

@test "kill of a container that is still being created, also of everybody, has no effect" {
    local creator scope
    config '.hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "until [ -e \($go) ]; do sleep 0.02; done"], "env": ["PATH=/usr/bin:/bin"]}]' \
        --arg go "$BATS_TEST_TMPDIR/go"
    program sleep
    rt_background create "$ID" >/dev/null </dev/null
    creator=$!
    status_becomes "$ID" creating
    for scope in "" --all; do
        # shellcheck disable=SC2086  # nothing, or one word
        fails 1 "container not running" "still being created" -- rt kill $scope "$ID" KILL
    done
    touch "$BATS_TEST_TMPDIR/go"
    exits 0 "$creator"
    is_status "$ID" created
    silently rt delete --force "$ID"
}
