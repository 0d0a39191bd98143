# The container's process: identity, capabilities, limits, environment, scheduling.
load helpers

@test "args, env and cwd are those of the config, and nothing of the caller's environment" {
    export FROM_CALLER=leak
    config '.process.cwd = "/data" | .process.env = ["PATH=/bin", "EMPTY=", "SPACE=a b", "UTF=\u00fc"]'
    inside report "two words" "" '$HOME'
    expect '.args == ["report", "two words", "", "$HOME"]'
    expect '.cwd == "/data" and ((.env | map(select(startswith("HOME=") | not))) == ["PATH=/bin", "EMPTY=", "SPACE=a b", "UTF=\u00c3\u00bc"])'
}

@test "argv[0] is looked up in the config's PATH" {
    config '.process.args = ["probe", "exit", "8"] | .process.env = ["PATH=/nowhere:/bin"]'
    run -8 rt run "$ID"
}

@test "cwd that does not exist is made in a writable root, or refused in words that engines know" {
    config '.process.cwd = "/no/such/cwd" | .process.args = ["/probe", "exit", "0"]'
    run --separate-stderr rt run "$ID"
    [[ $status == 1 ]] && says "$stderr" "$M_CWD" /no/such/cwd
    config '.root.readonly = false'
    run_ok
    [[ -d rootfs/no/such/cwd ]]
}

@test "user: uid, gid, additional groups, umask" {
    config '.process.user = {"uid": 1234, "gid": 5678, "additionalGids": [10, 20, 30], "umask": 63}'
    inside report
    expect '[.uid, .euid, .suid, .gid, .egid, .sgid] == [1234, 1234, 1234, 5678, 5678, 5678] and (.groups | sort) == [10, 20, 30]'
    expect '.umask == 63'
}

@test "umask that is not set is the caller's; no groups of the caller leak in" {
    umask 027
    run_ok
    expect '.umask == 23'
    expect '.groups == []'
}

@test "capabilities: exactly the listed sets" {
    config '.process.capabilities = {"bounding": ["CAP_CHOWN", "CAP_KILL"], "permitted": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN"]}'
    # Executing as user 0 makes effective what is bounding, whatever was effective before.
    inside report
    expect '.status | .CapBnd == "0000000000000021" and .CapPrm == "0000000000000021" and .CapEff == "0000000000000021" and .CapInh == "0000000000000000" and .CapAmb == "0000000000000000"'
}

@test "capabilities of a user that is not root: ambient ones survive exec" {
    config '.process.user = {"uid": 1000, "gid": 1000} | .process.capabilities = ({} | .bounding = ["CAP_NET_BIND_SERVICE"] | .permitted = .bounding | .inheritable = .bounding | .effective = .bounding | .ambient = .bounding)'
    inside report
    expect '.status | .CapEff == "0000000000000400" and .CapAmb == "0000000000000400" and .CapPrm == "0000000000000400"'
    config 'del(.process.capabilities.ambient)'
    run_ok
    expect '.status | .CapEff == "0000000000000000" and .CapBnd == "0000000000000400"'
}

@test "no capabilities member means none" {
    config 'del(.process.capabilities)'
    inside report
    expect '.status | .CapBnd == "0000000000000000" and .CapPrm == "0000000000000000" and .CapEff == "0000000000000000"'
}

@test "a capability nobody knows" {
    config '.process.capabilities.bounding += ["CAP_FLY"]'
    run --separate-stderr rt run "$ID"
    [[ $status == 0 ]] || says "$stderr" CAP_FLY /process/capabilities/bounding/3
}

@test "noNewPrivileges on and off" {
    run_ok
    expect '.status.NoNewPrivs == "1"'
    config '.process.noNewPrivileges = false'
    run_ok
    expect '.status.NoNewPrivs == "0"'
}

@test "rlimits: soft and hard; raising needs the privilege" {
    config '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}, {"type": "RLIMIT_NPROC", "soft": 50, "hard": 60}]'
    run_ok
    expect '.rlimits | .RLIMIT_NOFILE == {"soft": 100, "hard": 200} and .RLIMIT_CORE == {"soft": 0, "hard": 0} and .RLIMIT_NPROC == {"soft": 50, "hard": 60}'
}

@test "rlimits: unknown, twice, soft above hard" {
    config '.process.rlimits = [{"type": "RLIMIT_SPEED", "soft": 1, "hard": 1}]'
    fails 1 RLIMIT_SPEED /process/rlimits/0 -- rt run "$ID"
    config '.process.rlimits = [{"type": "RLIMIT_CORE", "soft": 1, "hard": 1}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 1}]'
    fails 1 RLIMIT_CORE /process/rlimits/1 -- rt run "$ID"
    config '.process.rlimits = [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]'
    fails 1 RLIMIT_CORE -- rt run "$ID"
}

@test "rlimits above the caller's hard limit" {
    needs sys_resource
    config '.process.rlimits = [{"type": "RLIMIT_MEMLOCK", "soft": 1073741824, "hard": 1073741824}]'
    run_ok
    expect '.rlimits.RLIMIT_MEMLOCK.hard == 1073741824'
}

@test "oomScoreAdj: raised" {
    config '.process.oomScoreAdj = 321'
    run_ok
    expect '.oom_score_adj == "321"'
}

@test "oomScoreAdj: lowered" {
    needs sys_resource
    config '.process.oomScoreAdj = -321'
    run_ok
    expect '.oom_score_adj == "-321"'
}

@test "hostname and domainname" {
    config '.hostname = "other" | .domainname = "example.org"'
    run_ok
    expect '.hostname == "other" and .domainname == "example.org"'
    [[ $(hostname) != other ]]
}

@test "sysctl inside, and only namespaced ones" {
    config '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "4096", "fs.mqueue.msg_max": "20"}'
    inside cat /proc/sys/net/ipv4/ip_forward + cat /proc/sys/kernel/msgmax + cat /proc/sys/fs/mqueue/msg_max
    [[ $output == $'1\n4096\n20' ]]
    config '.linux.sysctl = {"net/ipv4/conf/lo/forwarding": "1"}'
    inside cat /proc/sys/net/ipv4/conf/lo/forwarding
    [[ $output == 1 ]]
    config '.linux.sysctl = {"vm.swappiness": "1"}'
    fails 1 vm.swappiness -- rt run "$ID"
    config '.linux.sysctl = {"net.ipv4.no_such_thing": "1"}'
    fails 1 no_such_thing -- rt run "$ID"
}

@test "sysctl of a namespace that is the host's is refused" {
    config '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.namespaces |= map(select(.type != "network"))'
    fails 1 net.ipv4.ip_forward -- rt run "$ID"
}

@test "a session keyring of its own, but not with --no-new-keyring" {
    run_ok
    local own=$output
    run --separate-stderr rt run --no-new-keyring "$ID"
    [[ $(jq .session_keyring <<<"$own") != "$(jq .session_keyring <<<"$output")" ]]
}

@test "signals: none blocked, none ignored, whatever the caller did" {
    run --separate-stderr bash -c 'trap "" PIPE HUP USR1; exec "$@"' - "$CRUN_LITE" --root "$STATE" run "$ID"
    expect '.status.SigBlk == "0000000000000000" and .status.SigIgn == "0000000000000000"'
}

@test "the process is alone: session leader, no threads, no parent death signal, root of its cgroup" {
    run_ok
    expect '.pid == 1 and .status.Threads == "1" and .pdeathsig == 0 and .sid == 1'
}

@test "duplicate members and wrong types are refused with pointer and line" {
    sed -i 's/"hostname": "box",/"hostname": "box", "hostname": "twice",/' config.json
    fails 1 hostname config.json -- rt run "$ID"
    new_bundle "$BUNDLE"
    config '.process.args = "report"'
    fails 1 /process/args -- rt run "$ID"
    config '.process.args = []'
    fails 1 /process/args -- rt run "$ID"
}

@test "unknown members are ignored, null means absent" {
    config '.newInVersion9 = {"a": 1} | .process.alsoNew = 3 | .process.user.umask = null | .linux.seccomp = null'
    run_ok
}
