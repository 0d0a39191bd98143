# events, stats, wait: what happens to a container, and what it uses.
load helpers

group() { echo "/sys/fs/cgroup$TEST_CGROUP/$ID"; }

sleeping() {
    program sleep
    run_detached
}

# holds PID KIND: the process has a descriptor of this kind, and so has come that far.
holds() { find "/proc/$1/fd" -lname "*$2*" | grep -q .; }

# What containerd's go-runc decodes: names and types.
stats_document='
    def entry: type == "object" and (.limit, .usage, .max, .failcnt | type == "number" and . >= 0 and . == floor);
    .type == "stats" and .id == $id
    and (.data.cpu.usage | .total >= 0 and .kernel >= 0 and .user >= 0 and .total == (.total | floor))
    and (.data.cpu.throttling | .periods >= 0 and .throttledPeriods >= 0 and .throttledTime >= 0)
    and (.data.memory | .cache >= 0 and (.usage | entry) and (.swap | entry) and (.kernel | entry) and (.kernelTCP | entry)
         and (.raw | type == "object" and all(.[]; type == "number")))
    and (.data.pids | .current >= 0 and .limit >= 0)
    and (.data.blkio | type == "object" and all(.ioServiceBytesRecursive[]?, .ioServicedRecursive[]?;
         (.op | type == "string") and .major >= 0 and .minor >= 0 and .value >= 0))
    and (.data.hugetlb | type == "object" and all(.[]; .usage >= 0 and .failcnt >= 0))
    and (.data.intel_rdt | type == "object") and (.data.cpuset | type == "object") and (.data | has("network_interfaces"))'

@test "events --stats: one line that clients of runc read" {
    sleeping
    run -0 --separate-stderr rt events --stats "$ID"
    [[ ${#lines[@]} == 1 && -z $stderr ]]
    expect --arg id "$ID" "$stats_document"
    if [[ -e $(group)/memory.pressure ]]; then
        expect '.data.memory.psi, .data.cpu.psi, .data.blkio.psi | (.some.avg10, .some.avg60, .some.avg300, .some.total) >= 0'
    fi
    has controller:hugetlb && expect '.data.hugetlb | has("2MB")'
    silently rt delete --force "$ID"
}

@test "events --interval: statistics again and again, until the container ends" {
    local events
    sleeping
    for words in "--interval 20ms" "--interval=20ms" "-interval=0.02s"; do
        # shellcheck disable=SC2086  # several words
        rt_background events $words "$ID" >"$BATS_TEST_TMPDIR/events" 2>"$BATS_TEST_TMPDIR/err"
        events=$!
        wait_until eval "[[ \$(wc -l <'$BATS_TEST_TMPDIR/events') -ge 3 ]]"
        kill "$events"
        wait "$events" || true
        output=$(tail -n +2 "$BATS_TEST_TMPDIR/events" | head -1) expect --arg id "$ID" "$stats_document"
    done
    # It ends with the container, and says nothing of its own.
    rt_background events --interval 1h "$ID" >"$BATS_TEST_TMPDIR/events" 2>&1
    events=$!
    wait_until holds "$events" timerfd
    rt delete --force "$ID"
    wait "$events"
    [[ ! -s $BATS_TEST_TMPDIR/events ]]
}

@test "events: wrong durations, unknown and stopped containers" {
    local word
    sleeping
    for word in 0 0s 5 -5s 1d "" 0.5ms; do
        fails 1 "--interval" "$word" -- rt events --interval "$word" "$ID"
    done
    fails 1 "--pressure" "3s" -- rt events --pressure 3s "$ID"
    fails 1 "an argument is missing" -- rt events --stats
    fails 1 "$M_NO_CONTAINER" -- rt events --stats no-such-container
    rt kill "$ID" KILL
    status_becomes "$ID" stopped
    fails 1 "not running" -- rt events --stats "$ID"
    fails 1 "not running" -- rt events "$ID"
    silently rt delete "$ID"
}

@test "events: a reader that goes away ends them" {
    local events
    sleeping
    rt_background events --interval 20ms "$ID" > >(head -1 >/dev/null) 2>/dev/null
    events=$!
    run ! wait "$events"
    silently rt delete --force "$ID"
}

@test "events: a kill for lack of memory is told, before the end" {
    needs controller:memory
    local events
    config '.linux.resources += {"memory": {"limit": 33554432, "swap": 33554432}}'
    program mem 200
    create_container
    rt_background events --interval 1h "$ID" >"$BATS_TEST_TMPDIR/events"
    events=$!
    wait_until holds "$events" memory.events
    rt start "$ID"
    wait "$events"
    [[ $(<"$BATS_TEST_TMPDIR/events") == '{"type":"oom","id":"'"$ID"'"}' ]]
    silently rt delete --force "$ID"
}

@test "events --pressure: waiting for memory is told with statistics" {
    needs controller:memory
    local events
    needs pressure
    # Reclaim that never gets anywhere: more than memory.high, and no swap space.
    config '.linux.resources += {"unified": {"memory.high": "8388608", "memory.swap.max": "0"}}'
    program mem 64 + sleep
    create_container
    rt_background events --interval 1h --pressure 10ms "$ID" >"$BATS_TEST_TMPDIR/events" 2>"$BATS_TEST_TMPDIR/err"
    events=$!
    wait_until holds "$events" memory.events
    rt start "$ID"
    SYSTEM_TESTS_PATIENCE=60 wait_until test -s "$BATS_TEST_TMPDIR/events" || { cat "$BATS_TEST_TMPDIR/err" >&2; return 1; }
    output=$(head -1 "$BATS_TEST_TMPDIR/events") expect '.type == "memory-pressure" and .data.memory.psi.some.total > 0'
    rt delete --force "$ID"
    wait "$events"
}

@test "stats with the controllers: use, peaks and limits in every form" {
    needs controller:memory controller:pids controller:cpu
    config '.linux.resources += {"memory": {"limit": 67108864}, "pids": {"limit": 20}}'
    program mem 16 + fork 3 + sleep
    run_detached
    wait_until output_has forked
    run -0 --separate-stderr rt events --stats "$ID"
    expect '.data.memory.usage | .limit == 67108864 and .usage > 4194304 and .max >= .usage'
    expect '.data.memory.swap.usage >= .data.memory.usage.usage and .data.memory.raw.anon > 4194304'
    expect '.data.pids == {"current": 4, "limit": 20} and .data.cpu.usage.total > 0'
    run -0 rt stats "$ID"
    [[ ${lines[1]} =~ ^$ID\ +[0-9.]+s\ +[0-9.]+[MK]\ +[0-9.]+[MK]\ +64.0M\ +4\ +20\  ]]
    run -0 rt stats --format openmetrics "$ID"
    [[ $output == *"container_memory_limit_bytes{id=\"$ID\"} 67108864"* && $output == *"container_pids_limit{id=\"$ID\"} 20"* ]]
    silently rt update --pids-limit -1 "$ID"
    run -0 rt stats --format openmetrics "$ID"
    [[ $output == *"container_pids_limit{id=\"$ID\"} +Inf"* ]]
    silently rt delete --force "$ID"
}

@test "stats: a table, JSON and OpenMetrics, of some containers or of all that live" {
    local other=$ID-other
    sleeping
    config '.linux.cgroupsPath += "-other"'
    rt run --detach "$other" </dev/null >/dev/null 2>&1 3>&- 4>&-
    run -0 --separate-stderr rt stats
    [[ ${lines[0]} == ID*CPU\ TIME*MEMORY*PEAK*LIMIT*PIDS*PSI* && ${#lines[@]} == 3 && -z $stderr ]]
    [[ ${lines[1]} == "$ID "* && ${lines[2]} == "$other "* && ${#lines[1]} == "${#lines[0]}" ]]
    run -0 rt stats "$other"
    [[ ${#lines[@]} == 2 && ${lines[1]} == "$other "* ]]
    run -0 rt stats --format json "$other" "$ID"
    expect --arg id "$ID" --arg other "$other" 'map(.id) == [$other, $id] and all(.[]; .type == "stats" and .data.cpu.usage.total >= 0)'
    # A family's samples stand together, behind its type; the end is marked.
    run -0 rt stats -f openmetrics
    [[ ${lines[-1]} == "# EOF" ]]
    python3 - <(echo "$output") "$ID" "$other" <<'PYTHON'
import re, sys
family, seen, samples = None, set(), 0
for line in open(sys.argv[1]).read().splitlines()[:-1]:
    kind = re.fullmatch(r"# TYPE (\w+) (counter|gauge)", line)
    if kind:
        family, form = kind.groups()
        assert family not in seen, line
        seen.add(family)
    elif line.startswith("# UNIT "):
        assert line.split()[2] == family and family.endswith("_" + line.split()[3]), line
    elif line.startswith("# HELP "):
        assert line.split()[2] == family, line
    else:
        name, labels, value = re.fullmatch(r"(\w+)\{(.*)\} ([0-9.]+|\+Inf)", line).groups()
        assert name == family + ("_total" if form == "counter" else ""), line
        assert re.match(r'id="(%s|%s)"' % (sys.argv[2], sys.argv[3]), labels), line
        samples += 1
assert "container_cpu_usage_seconds" in seen and samples >= 12, samples
PYTHON
    fails 1 "unknown format" "xml" -- rt stats --format xml
    fails 1 "$M_NO_CONTAINER" -- rt stats no-such-container
    silently rt delete --force "$ID"
    # One that has no statistics is left out of "all".
    rt kill "$other" KILL
    status_becomes "$other" stopped
    run -0 rt stats
    [[ ${#lines[@]} == 1 ]]
    run -0 rt stats --format json
    [[ $output == "[]" ]]
    silently rt delete "$other"
}

@test "wait: the exit status of a container that ends, whoever its parent is" {
    local waiting code
    for code in 0 7 255; do
        program exit "$code"
        create_container
        rt_background wait "$ID" >"$BATS_TEST_TMPDIR/status" 2>&1
        waiting=$!
        wait_until holds "$waiting" pidfd
        rt start "$ID"
        wait "$waiting"
        # Known where nobody has reaped it yet, or the kernel keeps it (6.15).
        [[ $(<"$BATS_TEST_TMPDIR/status") == "$code" || $(<"$BATS_TEST_TMPDIR/status") == unknown && $(printf '%s\n6.15\n' "$(uname -r)" | sort -V | head -1) != 6.15 ]]
        silently rt delete "$ID"
    done
    sleeping
    rt_background wait "$ID" >"$BATS_TEST_TMPDIR/status" 2>&1
    waiting=$!
    wait_until holds "$waiting" pidfd
    rt kill "$ID" KILL
    wait "$waiting"
    [[ $(<"$BATS_TEST_TMPDIR/status") == 137 || $(<"$BATS_TEST_TMPDIR/status") == unknown && $(printf '%s\n6.15\n' "$(uname -r)" | sort -V | head -1) != 6.15 ]]
    # One that has ended is no failure.
    run -0 rt wait "$ID"
    [[ $output =~ ^(137|unknown)$ ]]
    silently rt delete "$ID"
    fails 1 "$M_NO_CONTAINER" -- rt wait "$ID"
}
