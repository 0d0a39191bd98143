# Scheduler, I/O priority, memory policy, personality: every word of the specification, read back from inside.
load helpers

linux_has() { [[ $(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -1) == "$1" ]]; }

# scheduler JSON: the program's report with that scheduler.
scheduler() {
    config '.process.scheduler = $s' --argjson s "$1"
    run_ok
}

# spec: SCHED-01 SCHED-02 SCHED-04 SCHED-05 SCHED-07 SCHED-08 SCHED-09
@test "scheduler: every policy with its parameters" {
    # What sched_getattr(2) says: policy, nice, priority, and for SCHED_DEADLINE runtime, deadline, period.  (Newer kernels show
    # the time slice of the others as their runtime.)
    local wanted answer
    while IFS='|' read -r wanted answer; do
        scheduler "$wanted"
        expect --argjson a "$answer" \
            '.sched_attr | [.policy, .nice, .priority] + (if .policy == 6 then [.runtime, .deadline, .period] else [] end) == $a'
    done <<'END'
{"policy": "SCHED_OTHER"}                             |[0, 0, 0]
{"policy": "SCHED_OTHER", "nice": 19}                 |[0, 19, 0]
{"policy": "SCHED_OTHER", "nice": -20}                |[0, -20, 0]
{"policy": "SCHED_BATCH", "nice": 7}                  |[3, 7, 0]
{"policy": "SCHED_IDLE"}                              |[5, 0, 0]
{"policy": "SCHED_FIFO", "priority": 1}               |[1, 0, 1]
{"policy": "SCHED_FIFO", "priority": 99}              |[1, 0, 99]
{"policy": "SCHED_RR", "priority": 42}                |[2, 0, 42]
{"policy": "SCHED_DEADLINE", "runtime": 10000000, "deadline": 20000000, "period": 40000000}|[6, 0, 0, 10000000, 20000000, 40000000]
{"policy": "SCHED_DEADLINE", "runtime": 10000000, "deadline": 30000000}|[6, 0, 0, 10000000, 30000000, 30000000]
END
}

# spec: SCHED-06
@test "scheduler: every flag" {
    local wanted answer
    # Policy, flags, nice.  The flags that keep something are orders to the call and leave no trace but the old values.
    while IFS='|' read -r wanted answer; do
        scheduler "$wanted"
        expect --argjson a "$answer" '.sched_attr | [.policy, .flags, .nice] == $a'
    done <<'END'
{"policy": "SCHED_BATCH", "nice": 3, "flags": []}                               |[3, 0, 3]
{"policy": "SCHED_BATCH", "nice": 3, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}     |[3, 1, 3]
{"policy": "SCHED_DEADLINE", "runtime": 10000000, "deadline": 20000000, "flags": ["SCHED_FLAG_RECLAIM"]}    |[6, 2, 0]
{"policy": "SCHED_DEADLINE", "runtime": 10000000, "deadline": 20000000, "flags": ["SCHED_FLAG_DL_OVERRUN"]} |[6, 4, 0]
{"policy": "SCHED_BATCH", "nice": 3, "flags": ["SCHED_FLAG_KEEP_POLICY"]}       |[0, 0, 3]
{"policy": "SCHED_BATCH", "nice": 3, "flags": ["SCHED_FLAG_KEEP_PARAMS"]}       |[0, 0, 0]
END
    config '.process.scheduler = {"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_FAST"]}'
    fails 1 /process/scheduler/flags/1 SCHED_FLAG_FAST -- rt create "$ID"
}

# spec: SCHED-02 SCHED-03 SCHED-10 SCHED-11
@test "scheduler: what is refused before anything is made" {
    local wanted member
    while IFS='|' read -r wanted member; do
        config '.process.scheduler = $s' --argjson s "$wanted"
        fails 1 "/process/scheduler$member" -- rt create "$ID"
    done <<'END'
{}                                                             |/policy
{"policy": "SCHED_FAST"}                                       |/policy
{"policy": "SCHED_ISO"}                                        |/policy
{"policy": "SCHED_OTHER", "nice": 20}                          |/nice
{"policy": "SCHED_BATCH", "nice": -21}                         |/nice
{"policy": "SCHED_OTHER", "priority": 1}                       |/priority
{"policy": "SCHED_IDLE", "priority": 1}                        |/priority
{"policy": "SCHED_FIFO"}                                       |/priority
{"policy": "SCHED_RR", "priority": 100}                        |/priority
{"policy": "SCHED_FIFO", "priority": 1, "runtime": 1}          |/policy
{"policy": "SCHED_OTHER", "deadline": 1}                       |/policy
{"policy": "SCHED_OTHER", "period": 1}                         |/policy
{"policy": "SCHED_DEADLINE"}                                   |/runtime
{"policy": "SCHED_DEADLINE", "runtime": 5, "deadline": 4}      |/runtime
{"policy": "SCHED_DEADLINE", "runtime": 5}                     |/deadline
{"policy": "SCHED_DEADLINE", "runtime": 5, "deadline": 9, "period": 8}|/deadline
{"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_UTIL_CLAMP_MIN"]}|/flags
{"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_UTIL_CLAMP_MAX"]}|/flags
END
}

@test "scheduler: SCHED_DEADLINE, whose processes cannot fork, and hooks" {
    config '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 10000000, "deadline": 20000000}'
    config '.hooks = {"createContainer": [{"path": $p, "args": ["probe", "hook", $l, "create"]}], "startContainer": [{"path": "/probe", "args": ["probe", "exit", "0"]}]}' \
        --arg p "$PROBE" --arg l "$BATS_TEST_TMPDIR/log"
    run_ok
    [[ $(wc -l <"$BATS_TEST_TMPDIR/log") == 1 ]]
    expect '.sched_attr | .policy == 6 and .flags == 0 and .runtime == 10000000'
}

# spec: SCHED-12
@test "scheduler: SCHED_DEADLINE needs all CPUs: the caller's affinity is not in the way, a cpuset is, and said to be" {
    needs two_processors
    config '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 10000000, "deadline": 20000000}'
    run --separate-stderr taskset -c 0 "$CRUN_LITE" --root "$STATE" run "$ID"
    [[ $status == 0 ]]
    expect '.sched_attr.policy == 6'
    needs controller:cpuset
    config '.linux.resources.cpu.cpus = "0"'
    fails 1 /process/scheduler "Operation not permitted" "affinity of all CPUs" -- rt run "$ID"
}

# spec: IOPR-01 IOPR-02 IOPR-03
@test "I/O priority: every class and both ends of the range" {
    local class level number=0
    for class in RT BE IDLE; do
        number=$((number + 1))
        for level in 0 7; do
            config '.process.ioPriority = {"class": $c, "priority": $p}' --arg c "IOPRIO_CLASS_$class" --argjson p "$level"
            run_ok
            expect --argjson n "$((number * 8192 + level))" '.ioprio == $n'
        done
    done
    while IFS='|' read -r level class; do
        config '.process.ioPriority = $i' --argjson i "$level"
        fails 1 "/process/ioPriority$class" -- rt create "$ID"
    done <<'END'
{"class": "IOPRIO_CLASS_BE", "priority": 8}  |/priority
{"class": "IOPRIO_CLASS_BE", "priority": -1} |/priority
{"class": "IOPRIO_CLASS_BE"}                 |/priority
{"class": "IOPRIO_CLASS_NONE", "priority": 1}|/class
{"class": "BE", "priority": 1}               |/class
{"priority": 1}                              |/class
END
}

# spec: IOPR-04
@test "I/O priority: of all that the container starts, and not of the runtime's caller" {
    local pid
    config '.process.ioPriority = {"class": "IOPRIO_CLASS_IDLE", "priority": 0}'
    program fork 2 + sleep
    run_detached
    wait_until output_has forked
    [[ $(pgrep -P "$(container_pid "$ID")" | wc -l) == 2 ]]
    for pid in $(container_pid "$ID") $(pgrep -P "$(container_pid "$ID")"); do
        [[ $(ionice -p "$pid") == idle* ]]
    done
    [[ $(ionice -p $$) != idle* ]]
    silently rt delete --force "$ID"
}

# spec: MPOL-01 MPOL-02 MPOL-05
@test "memory policy: every mode and flag, as the kernel has it" {
    needs numa
    local mode number nodes flag flags bits
    # The kernel's number; its MPOL_PREFERRED without nodes is MPOL_LOCAL.
    while read -r mode number nodes flags; do
        for flag in none $flags; do
            case $flag in
            none) bits=0 ;;
            NUMA_BALANCING) bits=$((1 << 13)) ;;
            RELATIVE_NODES) bits=$((1 << 14)) ;;
            STATIC_NODES) bits=$((1 << 15)) ;;
            esac
            config '.linux.memoryPolicy = ({"mode": ("MPOL_" + $m)} + (if $n == "-" then {} else {"nodes": $n} end)
                + (if $f == "none" then {} else {"flags": ["MPOL_F_" + $f]} end))' --arg m "$mode" --arg n "$nodes" --arg f "$flag"
            if [[ $mode == WEIGHTED_INTERLEAVE ]] && ! linux_has 6.9; then
                fails 1 /linux/memoryPolicy MPOL_WEIGHTED_INTERLEAVE "lacks the mode" -- rt run "$ID"
                continue
            fi
            run_ok
            expect --argjson mode "$((number + bits))" --argjson nodes "$([[ $nodes == - ]] && echo '[]' || echo "[$nodes]")" \
                '.memory_policy == {"mode": $mode, "nodes": $nodes}'
        done
    done <<'END'
DEFAULT             0 -
PREFERRED           4 -
PREFERRED           1 0 RELATIVE_NODES STATIC_NODES
BIND                2 0 NUMA_BALANCING RELATIVE_NODES STATIC_NODES
INTERLEAVE          3 0 RELATIVE_NODES STATIC_NODES
LOCAL               4 -
PREFERRED_MANY      5 0 RELATIVE_NODES STATIC_NODES
WEIGHTED_INTERLEAVE 6 0 RELATIVE_NODES STATIC_NODES
END
}

# spec: MPOL-02 MPOL-03 MPOL-05
@test "memory policy: what is refused" {
    local wanted member
    while IFS='|' read -r wanted member; do
        config '.linux.memoryPolicy = $m' --argjson m "$wanted"
        fails 1 "/linux/memoryPolicy$member" -- rt create "$ID"
    done <<'END'
{}                                                          |/mode
{"mode": "MPOL_RANDOM"}                                     |/mode
{"mode": "MPOL_BIND"}                                       |/nodes
{"mode": "MPOL_INTERLEAVE"}                                 |/nodes
{"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": ""}           |/nodes
{"mode": "MPOL_PREFERRED_MANY"}                             |/nodes
{"mode": "MPOL_DEFAULT", "nodes": "0"}                      |/nodes
{"mode": "MPOL_LOCAL", "nodes": "0"}                        |/nodes
{"mode": "MPOL_BIND", "nodes": "0-"}                        |/nodes
{"mode": "MPOL_BIND", "nodes": "1-0"}                       |/nodes
{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_X"]}  |/flags/0
{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]}|/flags
END
}

# spec: MPOL-04
@test "memory policy: empty nodes are absent ones" {
    needs numa
    config '.linux.memoryPolicy = {"mode": "MPOL_LOCAL", "nodes": ""}'
    run_ok
    expect '.memory_policy.mode == 4'
}

# spec: MPOL-06 PERS-04
@test "memory policy and personality are set before a filter that forbids both calls" {
    needs numa
    config '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0"} | .linux.personality = {"domain": "LINUX32"}
        | .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["set_mempolicy", "personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}'
    inside syscall personality 0 + report
    says "${lines[0]}" EPERM
    output=${lines[1]}
    expect '.memory_policy == {"mode": 2, "nodes": [0]}'
    [[ $(uname -m) != x86_64 ]] || expect '.machine == "i686"'
    # A node above the first 1024 is not cut off: the kernel says that there is none.
    config '.linux.memoryPolicy.nodes = "0,1500" | del(.linux.seccomp)'
    fails 1 /linux/memoryPolicy "Invalid argument" "not online" -- rt run "$ID"
}

# spec: PERS-01 PERS-02 PERS-03
@test "personality: both domains, no flags" {
    run_ok
    expect --arg m "$(uname -m)" '.machine == $m and .personality == 0'
    config '.linux.personality = {"domain": "LINUX"}'
    run_ok
    expect --arg m "$(uname -m)" '.machine == $m and .personality == 0'
    config '.linux.personality = {"domain": "LINUX32", "flags": []}'
    run_ok
    expect '.personality == 8'
    [[ $(uname -m) != x86_64 ]] || expect '.machine == "i686"'
    config '.linux.personality = {"domain": "LINUX64"}'
    fails 1 /linux/personality/domain LINUX64 -- rt create "$ID"
    config '.linux.personality = {}'
    fails 1 /linux/personality/domain -- rt create "$ID"
    config '.linux.personality = {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}'
    fails 1 /linux/personality/flags ADDR_NO_RANDOMIZE -- rt create "$ID"
}
