# Seccomp: actions, arguments, profiles of real engines.
load helpers

profile() { config '.linux.seccomp = $s' --argjson s "$1"; }

# spec: SECC-01 SECC-10 SCACT-05 SCACT-07
@test "an errno action, its own errno, and everything else allowed" {
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}, {"names": ["getppid"], "action": "SCMP_ACT_ERRNO"}]}'
    inside syscall mkdirat -100 0 0 + syscall getppid + syscall getuid + report
    output=${lines[0]} expect '.errno == "EOPNOTSUPP"'
    output=${lines[1]} expect '.errno == "EPERM"'
    output=${lines[2]} expect '.errno == null'
    output=${lines[3]} expect '.status.Seccomp == "2"'
}

# spec: SECC-12
@test "arguments decide" {
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 42, "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}]}'
    inside syscall personality 8 + syscall personality 0xffffffff
    output=${lines[0]} expect '.errno == "ENOMSG"'
    output=${lines[1]} expect '.errno == null'
}

# spec: SCACT-02
@test "kill: the process ends by SIGSYS" {
    config '.linux.namespaces |= map(select(.type != "pid"))'
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["acct"], "action": "SCMP_ACT_KILL_PROCESS"}]}'
    program syscall acct 0
    run -159 rt run "$ID"
}

@test "a profile that forbids execve and every word about it is named as the cause" {
    # The sanitizers' own code cannot bear it.
    if ! grep -q __asan_init "$CRUN_LITE"; then
        profile '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}'
        fails 1 "read from the init process" "while executing the program" "seccomp profile forbids" -- rt run "$ID"
    fi
    profile '{"defaultAction": "SCMP_ACT_KILL_PROCESS"}'
    fails 1 "read from the init process" "signal 31" "seccomp profile forbids" -- rt run "$ID"
}

@test "what keeps a program from being executed is found out with the calls that profiles know" {
    printf '#!/no/such/interpreter\n' >rootfs/data/script
    chmod 755 rootfs/data/script
    config '.process.args = ["/data/script"]'
    profile '{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [{"action": "SCMP_ACT_ALLOW", "names": ["execve", "openat", "openat2", "newfstatat",
        "fstat", "pread64", "read", "close", "sendmsg", "sendto", "recvmsg", "exit_group", "mmap", "brk", "munmap"]}]}'
    if ! grep -q __asan_init "$CRUN_LITE"; then
        fails 127 "/data/script" "No such file or directory" "/no/such/interpreter" -- rt run "$ID"
    fi
}

# spec: SECC-20
@test "system calls newer than the profile are ENOSYS under a deny-by-default one, older ones its errno" {
    profile "$(jq -c '.linux.seccomp' "$(engine_config docker-default)")"
    inside syscall 1000 + syscall kexec_load 0 0 0 0
    output=${lines[0]} expect '.errno == "ENOSYS"'
    output=${lines[1]} expect '.errno == "EPERM"'
}

engine_config() {
    local file=${ENGINE_CONFIGS:-$BATS_TEST_DIRNAME/../data/engines}/$1.config.json
    [[ -e $file ]] || { echo "$file is missing" >&2; return 1; }
    echo "$file"
}

@test "the profiles of docker, podman and containerd: the probe works, what they forbid is forbidden" {
    local engine
    for engine in docker-default podman-default buildah-run; do
        profile "$(jq -c '.linux.seccomp' "$(engine_config "$engine")")"
        inside report + syscall open_by_handle_at -1 0 0 + syscall init_module 0 0 0 + syscall swapon 0 0 + syscall getpid
        output=${lines[0]} expect '.status.Seccomp == "2" and .pid == 1'
        output=${lines[2]} expect '.errno == "EPERM"'
        output=${lines[4]} expect '.errno == null'
    done
}

@test "the same profile twice: the second start gives the same filter" {
    local first
    profile "$(jq -c '.linux.seccomp' "$(engine_config docker-default)")"
    inside syscall init_module 0 0 0 + syscall getpid + syscall 1000
    first=$output
    run_ok
    [[ $output == "$first" ]]
}

# spec: SECC-18
@test "a filter also without no_new_privs" {
    config '.process.noNewPrivileges = false'
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getppid"], "action": "SCMP_ACT_ERRNO"}]}'
    inside syscall getppid
    expect '.errno == "EPERM"'
}

# spec: SECC-18
@test "with no_new_privs the filter comes last: a profile may forbid what init itself needs to dress the process" {
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["capset", "setuid", "setgid", "setresuid", "setresgid", "setgroups",
        "personality", "set_mempolicy", "prctl", "sched_setattr", "ioprio_set", "setrlimit", "umask", "chdir", "keyctl"], "action": "SCMP_ACT_ERRNO"}]}'
    config '.process.user = {"uid": 1000, "gid": 1001, "additionalGids": [1002], "umask": 63} | .linux.personality = {"domain": "LINUX32"}
        | .process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 6} | .process.capabilities.ambient = ["CAP_KILL"]
        | .process.capabilities.inheritable = ["CAP_KILL"]'
    inside report
    expect '.uid == 1000 and .gid == 1001 and .groups == [1002] and .status.NoNewPrivs == "1" and .status.Seccomp == "2"'
    expect '.status.CapEff == "0000000000000020" and .status.Umask == "0077"'
    expect '.ioprio == (2 * 8192 + 6)'
    [[ $(jq -r .machine <<<"$output") != "$(uname -m)" ]]
}

# spec: SECC-02 SECC-16 SECC-17
@test "unknown calls are skipped, unknown actions, operators and architectures named with their place" {
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["from_the_future", "getppid"], "action": "SCMP_ACT_ERRNO"}]}'
    inside syscall getppid
    expect '.errno == "EPERM"'
    profile '{"defaultAction": "SCMP_ACT_SHRUG"}'
    fails 1 SCMP_ACT_SHRUG /linux/seccomp/defaultAction -- rt run "$ID"
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_ABACUS"]}'
    fails 1 SCMP_ARCH_ABACUS /linux/seccomp/architectures/0 -- rt run "$ID"
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getppid"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_SIMILAR"}]}]}'
    fails 1 SCMP_CMP_SIMILAR /linux/seccomp/syscalls/0 -- rt run "$ID"
}

@test "a profile that kills init itself is told as such" {
    profile '{"defaultAction": "SCMP_ACT_KILL_PROCESS"}'
    run --separate-stderr rt run "$ID"
    [[ $status != 0 ]] && says "$stderr" "read from the init process"
}

# ---- SCMP_ACT_NOTIFY ----

# agent WORDS...: an agent for this bundle at $AGENT, its lines in $BATS_TEST_TMPDIR/agent.
agent() {
    AGENT=$BATS_TEST_TMPDIR/agent.sock
    rm -f "$AGENT" "$AGENT.ready"
    python3 "$BATS_TEST_DIRNAME/seccomp-agent.py" "$AGENT" "$@" >"$BATS_TEST_TMPDIR/agent" 3>&- 4>&- &
    AGENT_PID=$!
    wait_until test -e "$AGENT.ready"
}

agent_ends() {
    kill "$AGENT_PID"
    wait "$AGENT_PID" 2>/dev/null || true
}

# notify [FILTER]: a profile that notifies of getppid, sent to $AGENT; FILTER changes it.
notify() {
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getppid"], "action": "SCMP_ACT_NOTIFY"}]}'
    config ".linux.seccomp.listenerPath = \$p | .linux.seccomp |= (${1-.})" --arg p "$AGENT"
}

process_state() { jq -c "$@" <<<"$(jq -r .document "$BATS_TEST_TMPDIR/agent")"; }

# spec: SECN-01 SECN-03 SECN-04 SECN-07 SECN-08 SECN-10 SECN-12 SECN-13 SECN-14 SECN-16
@test "notify: the agent gets one process state and one working listener on a connection that ends, and decides the call" {
    local flags pid
    for flags in '[]' '["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'; do
        agent answer 71
        notify '.listenerMetadata = "some \"opaque\" words"'
        config '.linux.seccomp.flags = $f | .annotations = {"org.example.a": "b"}' --argjson f "$flags"
        program syscall getppid + sleep
        create_container
        [[ ! -s $BATS_TEST_TMPDIR/agent ]]
        silently rt start "$ID"
        pid=$(container_pid "$ID")
        # The agent answers only after it has seen the end of the connection, and the program waits for the answer.
        wait_until output_has EPROTO
        is_status "$ID" running
        output=$(<"$BATS_TEST_TMPDIR/agent")
        expect --argjson p "$pid" '.messages == [1] and (.nr == 110 or .nr == 173) and .caller == $p'
        output=$(process_state .)
        expect '(keys == ["fds", "metadata", "ociVersion", "pid", "state"]) and .fds == ["seccompFd"] and .metadata == "some \"opaque\" words"'
        expect --argjson p "$pid" '.pid == $p and .state.pid == $p and (.ociVersion | test("^[0-9]+\\.[0-9]+\\.[0-9]+$"))'
        expect --arg id "$ID" --arg b "$BUNDLE" '.state | .status == "creating" and .id == $id and .bundle == $b and .annotations == {"org.example.a": "b"}'
        expect '.state.ociVersion == .ociVersion'
        process_state .state | python3 "$BATS_TEST_DIRNAME/validate.py" "$BATS_TEST_DIRNAME/../data/schema/state-schema.json"
        # One connection only.
        [[ $(wc -l <"$BATS_TEST_TMPDIR/agent") == 1 ]]
        agent_ends
        silently rt delete --force "$ID"
    done
}

# spec: SECN-11 SECN-15
@test "notify: a state larger than a socket's buffer comes whole, the descriptor with its first part; no metadata, no member" {
    agent answer
    notify
    python3 -c 'print("{\"large\": \"" + 700000 * "x" + "\"}")' >"$BATS_TEST_TMPDIR/large"
    jq --slurpfile a "$BATS_TEST_TMPDIR/large" '.annotations = $a[0]' config.json >config.new && mv config.new config.json
    program syscall getppid
    run_ok
    expect '.result == 0'
    output=$(jq -c .messages "$BATS_TEST_TMPDIR/agent")
    expect '.[0] == 1 and length > 3 and add == 1'
    [[ $(process_state '.state.annotations.large | length') == 700000 ]]
    [[ $(process_state keys) == '["fds","ociVersion","pid","state"]' ]]
    agent_ends
}

# spec: SECN-02 SECN-05
@test "notify: nobody listens, the wrong type of socket, an agent that goes away: the operation fails, nothing runs" {
    local command
    program write /tmp/started x + syscall getppid
    config '.root.readonly = false'
    AGENT=$BATS_TEST_TMPDIR/nobody
    notify
    for command in create run; do
        fails 1 "$AGENT" "$M_ENOENT" /linux/seccomp/listenerPath -- rt "$command" "$ID" </dev/null
        assert_nothing_left
    done
    AGENT=$BATS_TEST_TMPDIR/dead
    python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$AGENT"
    notify
    for command in create run; do
        fails 1 "$AGENT" "Connection refused" /linux/seccomp/listenerPath -- rt "$command" "$ID" </dev/null
        assert_nothing_left
    done
    agent dgram
    notify
    fails 1 "$AGENT" "wrong type" /linux/seccomp/listenerPath -- rt create "$ID" </dev/null
    agent_ends
    agent seqpacket
    notify
    fails 1 "$AGENT" "wrong type" /linux/seccomp/listenerPath -- rt run "$ID" </dev/null
    agent_ends
    # There at create, gone at start.
    agent answer
    notify
    create_container
    agent_ends
    fails 1 "$AGENT" "Connection refused" -- rt start "$ID"
    status_becomes "$ID" stopped
    silently rt delete "$ID"
    # Closes before the large state is sent.
    agent hang-up
    notify
    jq --arg l "$(printf 'x%.0s' {1..90000})" '.annotations = {"1": $l, "2": $l, "3": $l, "4": $l, "5": $l, "6": $l}' config.json >config.new && mv config.new config.json
    fails 1 "$AGENT" /linux/seccomp/listenerPath -- rt run "$ID" </dev/null
    agent_ends
    [[ ! -e rootfs/tmp/started ]]
}

# spec: SECN-06
@test "notify: a listenerPath without a rule that notifies is not looked at" {
    AGENT=/no/such/directory/agent
    notify '.syscalls[0].action = "SCMP_ACT_ERRNO"'
    inside syscall getppid
    expect '.errno == "EPERM"'
    # An agent that is there hears nothing.
    agent answer
    notify '.syscalls[0].action = "SCMP_ACT_ERRNO"'
    inside syscall getppid
    expect '.errno == "EPERM"'
    agent_ends
    [[ ! -s $BATS_TEST_TMPDIR/agent ]]
}

# spec: SECN-09 SECN-17 SECN-18
@test "notify: metadata without a path, a rule without a path, and what init itself needs are refused" {
    local name
    agent answer
    notify 'del(.listenerPath) | .syscalls[0].action = "SCMP_ACT_ERRNO" | .listenerMetadata = "x"'
    fails 1 /linux/seccomp/listenerMetadata -- rt create "$ID" </dev/null
    notify 'del(.listenerPath)'
    fails 1 /linux/seccomp/listenerPath -- rt create "$ID" </dev/null
    notify '.listenerPath = ""'
    fails 1 /linux/seccomp/listenerPath -- rt create "$ID" </dev/null
    notify '.defaultAction = "SCMP_ACT_NOTIFY" | .syscalls = []'
    fails 1 /linux/seccomp/defaultAction "cannot be the default" -- rt create "$ID" </dev/null
    for name in write sendmsg close; do
        notify ".syscalls[0].names = [\"getppid\", \"$name\"]"
        fails 1 "$name" /linux/seccomp/syscalls/0/names/1 -- rt create "$ID" </dev/null
    done
    agent_ends
    [[ ! -s $BATS_TEST_TMPDIR/agent ]]
}
