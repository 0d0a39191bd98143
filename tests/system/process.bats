# The container's process: identity, capabilities, limits, environment, scheduling.
load helpers

# spec: PROC-04 PROC-06
@test "args, env and cwd are those of the config, and nothing of the caller's environment" {
    export FROM_CALLER=leak
    config '.process.cwd = "/data" | .process.env = ["PATH=/bin", "EMPTY=", "SPACE=a b", "UTF=\u00fc"]'
    inside report "two words" "" '$HOME'
    expect '.args == ["report", "two words", "", "$HOME"]'
    expect '.cwd == "/data" and ((.env | map(select(startswith("HOME=") | not))) == ["PATH=/bin", "EMPTY=", "SPACE=a b", "UTF=\u00c3\u00bc"])'
}

# spec: PROC-09
@test "argv[0] is looked up in the config's PATH" {
    config '.process.args = ["probe", "exit", "8"] | .process.env = ["PATH=/nowhere:/bin"]'
    run -8 rt run "$ID"
    # With a slash it is a path, of the container; the rest of argv is untouched.
    config '.process.args = ["bin/probe", "report", "", "a b"] | .process.env = ["PATH=/nowhere"]'
    run_ok
    expect '.args == ["report", "", "a b"]'
    config '.process.args = ["probe"]'
    fails 127 probe -- rt run "$ID"
}

# spec: PROC-05
@test "cwd that does not exist is made, also in a read-only root, or refused in words that engines know" {
    local read_only
    for read_only in true false; do
        config ".root.readonly = $read_only | .process.cwd = \"/no/such/cwd\" | .process.args = [\"/probe\", \"report\"]"
        run_ok
        expect '.cwd == "/no/such/cwd"'
        [[ $(stat -c '%a %u' rootfs/no/such/cwd) == '755 0' ]]
        rm -r rootfs/no
    done
    config '.process.cwd = "/proc/no/such"'
    run --separate-stderr rt run "$ID"
    [[ $status == 1 ]] && says "$stderr" "$M_CWD" /proc/no/such
}

# spec: USR-01 USR-02 USR-03 USR-04 USR-07
@test "user: uid, gid, additional groups, umask" {
    config '.process.user = {"uid": 1234, "gid": 5678, "additionalGids": [10, 20, 30], "umask": 63}'
    inside report
    expect '[.uid, .euid, .suid, .gid, .egid, .sgid] == [1234, 1234, 1234, 5678, 5678, 5678] and (.groups | sort) == [10, 20, 30]'
    expect '.umask == 63'
    # The kernel's own lines have the file system ids too.
    expect '.status | .Uid == "1234\t1234\t1234\t1234" and .Gid == "5678\t5678\t5678\t5678"'
}

# spec: USR-05 USR-06 USR-07
@test "umask that is not set is the caller's; no groups of the caller leak in" {
    umask 027
    run --separate-stderr setpriv --groups 7,8 "$CRUN_LITE" --root "$STATE" run "$ID"
    expect '.umask == 23'
    expect '.groups == []'
    # That of a daemon which has none for itself.
    umask 0
    inside report
    expect '.umask == 18'
    program sleep
    run_detached
    run -0 --separate-stderr rt exec "$ID" /probe report
    expect '.umask == 18'
    rt delete --force "$ID"
}

@test "pipes are the process's own: it can open /dev/stdin, /dev/stdout and /dev/stderr; a file of the caller's stays the caller's" {
    needs root
    local user opens=(try-open /dev/stdin r + try-open /dev/stdout w + try-open /dev/stderr w)
    through_pipes() { # COMMAND...: how many of the three could be opened
        echo | "$CRUN_LITE" --root "$STATE" "$@" 2> >(cat >&2) | grep -c '"errno": *null' || true
    }
    config '.process.user = {"uid": 1234, "gid": 5678}'
    for user in '' user; do
        if [[ -n $user ]]; then
            config '.linux.namespaces += [{"type": "user"}] | .linux.gidMappings = .linux.uidMappings
                | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'
            chmod a+x "$BUNDLE" "$BUNDLE/rootfs"
        fi
        program "${opens[@]}"
        run through_pipes run "$ID"
        [[ $output == 3 ]] || { echo "$user: $output" >&2; return 1; }
        program sleep
        run_detached
        run through_pipes exec "$ID" /probe "${opens[@]}"
        [[ $output == 3 ]] || { echo "exec, $user: $output" >&2; return 1; }
        rt delete --force "$ID"
    done
    program say into-a-file
    rt run "$ID" >"$BATS_TEST_TMPDIR/file"
    [[ $(<"$BATS_TEST_TMPDIR/file") == into-a-file && $(stat -c %u "$BATS_TEST_TMPDIR/file") == 0 ]]
}

@test "the runtime's environment is not in /proc/PID/environ of a created container" {
    needs root
    program sleep
    export OF_THE_HOST=secret
    create_container
    [[ $(tr "\\0" "\\n" <"/proc/$(container_pid "$ID")/environ") != *secret* ]]
    rt delete --force "$ID"
}

@test "run.oci.keep_original_groups: the caller's groups stay, and those of the config are not taken, mapped or not" {
    needs root
    local users='.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 4300}] | .linux.gidMappings = .linux.uidMappings'
    caller() { setpriv --groups 4242,4243 "$CRUN_LITE" --root "$STATE" "$@"; }
    config '.process.user.additionalGids = [55]'
    output=$(caller run "$ID") expect '.groups == [55]'
    config '.annotations = {"run.oci.keep_original_groups": "1"}'
    output=$(caller run "$ID") expect '.groups == [4242, 4243]'
    # In a user namespace what is not taken needs no mapping.
    config "$users | .process.user.additionalGids = [55, 70000]"
    output=$(caller run "$ID") expect '.groups == [4242, 4243]'
    config '.annotations = {"run.oci.keep_original_groups": "0"}'
    fails 1 /process/user/additionalGids/1 "group 70000 is not mapped" -- caller run "$ID"
}

# spec: CAP-01 CAP-02 CAP-03 CAP-04 CAP-05 CAP-07
@test "capabilities: exactly the listed sets" {
    config '.process.capabilities = {"bounding": ["CAP_CHOWN", "CAP_KILL"], "permitted": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN"]}'
    # Executing as user 0 makes effective what is bounding, whatever was effective before.
    inside report
    expect '.status | .CapBnd == "0000000000000021" and .CapPrm == "0000000000000021" and .CapEff == "0000000000000021" and .CapInh == "0000000000000000" and .CapAmb == "0000000000000000"'
    # A user that is not root has after exec what is ambient, and what is inheritable is still that.
    config '.process.user = {"uid": 1000, "gid": 1000} | .process.capabilities = {"bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"],
        "permitted": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"], "inheritable": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_SETUID"], "ambient": ["CAP_KILL"]}'
    run_ok
    expect '.status | .CapBnd == "00000000000000a1" and .CapInh == "0000000000000021" and .CapAmb == "0000000000000020"
        and .CapPrm == "0000000000000020" and .CapEff == "0000000000000020"'
    # Root has again what is bounding.
    config '.process.user = {"uid": 0, "gid": 0} | .process.capabilities.ambient = []'
    run_ok
    expect '.status | .CapInh == "0000000000000021" and .CapAmb == "0000000000000000" and .CapPrm == "00000000000000a1"'
}

# spec: CAP-06 CAP-11
@test "capabilities of a user that is not root: ambient ones survive exec" {
    config '.process.user = {"uid": 1000, "gid": 1000} | .process.capabilities = ({} | .bounding = ["CAP_NET_BIND_SERVICE"] | .permitted = .bounding | .inheritable = .bounding | .effective = .bounding | .ambient = .bounding)'
    inside bind 80 + report
    [[ ${lines[0]} == '{"bind":"80","errno":null}' ]]
    output=${lines[1]}
    expect '.status | .CapEff == "0000000000000400" and .CapInh == "0000000000000400" and .CapAmb == "0000000000000400" and .CapPrm == "0000000000000400"'
    config 'del(.process.capabilities.ambient)'
    run_ok
    output=${lines[1]}
    expect '.status | .CapEff == "0000000000000000" and .CapBnd == "0000000000000400"'
}

# spec: CAP-12
@test "no capabilities member means none" {
    config 'del(.process.capabilities)'
    inside report
    expect '.status | .CapBnd == "0000000000000000" and .CapPrm == "0000000000000000" and .CapEff == "0000000000000000"'
}

# Succeeds, with the warnings on standard error, which is where only errors go by default.
warned() {
    run --separate-stderr "$@" "$CRUN_LITE" --log-level warning --root "$STATE" run "$ID"
    [[ $status == 0 ]]
}

# spec: CAP-08 CAP-09
@test "capabilities: one that nobody knows, or that cannot be granted, is a warning" {
    config '.process.capabilities.bounding += ["CAP_FLY"]'
    warned
    says "$stderr" CAP_FLY /process/capabilities/bounding/3
    expect '.status.CapBnd == "0000000020000420"'
    # A restricted environment: the runtime itself has no CAP_KILL.
    config 'del(.process.capabilities.bounding[3])'
    warned setpriv --inh-caps=-all --bounding-set=-kill
    says "$stderr" "CAP_KILL cannot be granted"
    expect '.status | .CapBnd == "0000000020000400" and .CapPrm == "0000000020000400"'
    # Ambient needs inheritable.
    config '.process.capabilities.ambient = ["CAP_KILL"]'
    warned
    says "$stderr" /process/capabilities/ambient "CAP_KILL cannot be granted"
    expect '.status.CapAmb == "0000000000000000"'
}

# spec: CAP-10
@test "capabilities: every name of the features document is known" {
    local words
    words=$("$CRUN_LITE" features | jq -c .linux.capabilities)
    [[ $(jq length <<<"$words") == 41 && $(jq -r '.[0] + .[40]' <<<"$words") == CAP_CHOWNCAP_CHECKPOINT_RESTORE ]]
    config '.process.capabilities.bounding = $w' --argjson w "$words"
    warned
    [[ $stderr != *"is no capability"* ]]
    # As many of them as the runtime has itself.
    expect --arg all "$(awk '/^CapBnd/ {print $2}' /proc/self/status)" '.status.CapBnd == $all'
}

# spec: NNP-01 NNP-02
@test "noNewPrivileges on and off: a set-user-id program, a seccomp filter" {
    cp "$PROBE" rootfs/bin/suid
    chmod 4755 rootfs/bin/suid
    config '.process.user = {"uid": 1000, "gid": 1000}'
    inside exec /bin/suid report
    expect '.status.NoNewPrivs == "1" and .uid == 1000 and .euid == 1000'
    config '.process.noNewPrivileges = false'
    run_ok
    expect '.status.NoNewPrivs == "0" and .uid == 1000 and .euid == 0'
    config 'del(.process.noNewPrivileges) | .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["acct"], "action": "SCMP_ACT_ERRNO"}]}'
    run_ok
    expect '.status.NoNewPrivs == "0" and .status.Seccomp == "2" and .euid == 0'
}

# spec: RLIM-01 RLIM-02 RLIM-04 RLIM-05 RLIM-06
@test "rlimits: every type, soft and hard" {
    # What any caller may set: at or below its own hard limits.
    config '.process.rlimits = $l' --argjson l '[
        {"type": "RLIMIT_AS", "soft": 1073741824, "hard": 2147483648}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
        {"type": "RLIMIT_CPU", "soft": 1000, "hard": 1001}, {"type": "RLIMIT_DATA", "soft": 536870912, "hard": 536870913},
        {"type": "RLIMIT_FSIZE", "soft": 1048576, "hard": 1048577}, {"type": "RLIMIT_LOCKS", "soft": 10, "hard": 20},
        {"type": "RLIMIT_MEMLOCK", "soft": 4096, "hard": 8192}, {"type": "RLIMIT_MSGQUEUE", "soft": 1000, "hard": 2000},
        {"type": "RLIMIT_NICE", "soft": 0, "hard": 0}, {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
        {"type": "RLIMIT_NPROC", "soft": 50, "hard": 60}, {"type": "RLIMIT_RSS", "soft": 1048576, "hard": 2097152},
        {"type": "RLIMIT_RTPRIO", "soft": 0, "hard": 0}, {"type": "RLIMIT_RTTIME", "soft": 1000000, "hard": 2000000},
        {"type": "RLIMIT_SIGPENDING", "soft": 30, "hard": 40}, {"type": "RLIMIT_STACK", "soft": 1048576, "hard": 2097152}]'
    run_ok
    expect --slurpfile config config.json '.rlimits == ($config[0].process.rlimits | map({(.type): {soft, hard}}) | add)'
    # All 64 bits: no limit.
    config '.process.rlimits = [{"type": "RLIMIT_RSS", "soft": 7, "hard": "INFINITY"}]'
    sed -i 's/"INFINITY"/18446744073709551615/' config.json
    run_ok
    expect '.rlimits.RLIMIT_RSS == {"soft": 7, "hard": -1}'
}

# Neither the making of the container nor a hook in it, a filter or exec may suffer from a small one.
# spec: RLIM-04
@test "rlimits: those too small for anything are in force in the program, and not before" {
    local users='.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'
    local filter='.process.noNewPrivileges = false | .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["prlimit64", "setrlimit"], "action": "SCMP_ACT_ERRNO"}]}'
    local base more pid
    program sleep 100
    config '.root.readonly = false | .process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 3, "hard": 3},
            {"type": "RLIMIT_FSIZE", "soft": 0, "hard": 0}, {"type": "RLIMIT_DATA", "soft": 1048576, "hard": 1048576}]
        | .hooks = {"createContainer": [{"path": $probe, "args": ["probe", "hook", ($bundle + "/create.log"), "create"]}],
            "startContainer": [{"path": "/probe", "args": ["probe", "hook", "/data/start.log", "start"]}]}' \
        --arg probe "$PROBE" --arg bundle "$BUNDLE"
    base=$(<config.json)
    for more in . "$filter" "$users"; do
        echo "$base" >config.json
        config "$more"
        rm -f create.log rootfs/data/start.log
        run_detached
        [[ -s create.log && -s rootfs/data/start.log ]]
        jq '.process | .args = ["/probe", "sleep", "200"]' config.json >process.json
        rt exec --detach --process process.json --pid-file exec.pid "$ID" 3>&- 4>&-
        for pid in "$(container_pid "$ID")" "$(<exec.pid)"; do
            grep -q '^Max open files  *3  *3 ' "/proc/$pid/limits"
            grep -q '^Max file size  *0  *0 ' "/proc/$pid/limits"
            grep -q '^Max data size  *1048576  *1048576 ' "/proc/$pid/limits"
        done
        rt delete --force "$ID"
    done
}

# spec: RLIM-03 RLIM-07 RLIM-08
@test "rlimits: unknown, twice, soft above hard, members that are missing" {
    local limits pointer
    while IFS='|' read -r limits pointer; do
        config '.process.rlimits = $l' --argjson l "$limits"
        fails 1 "/process/rlimits/$pointer" RLIMIT_ -- rt create "$ID"
    done <<'END'
[{"type": "RLIMIT_SPEED", "soft": 1, "hard": 1}]|0
[{"type": "NOFILE", "soft": 1, "hard": 1}]|0/type
[{"type": "RLIMIT_CORE", "soft": 1, "hard": 1}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 1}]|1
[{"type": "RLIMIT_CORE", "soft": 10, "hard": 5}]|0
END
    for limits in '{"soft": 1, "hard": 1}' '{"type": "RLIMIT_CORE", "hard": 1}' '{"type": "RLIMIT_CORE", "soft": 1}'; do
        config '.process.rlimits = [$l]' --argjson l "$limits"
        fails 1 /process/rlimits/0 "is missing" -- rt create "$ID"
    done
}

# spec: RLIM-08
@test "rlimits: a raise without the privilege is refused, with the limit there is" {
    config '.process.rlimits = [{"type": "RLIMIT_NPROC", "soft": 5000, "hard": 5001}]'
    fails 1 /process/rlimits/0 RLIMIT_NPROC "hard limit is 5000" CAP_SYS_RESOURCE -- \
        prlimit --nproc=5000:5000 setpriv --inh-caps=-all --bounding-set=-sys_resource "$CRUN_LITE" --root "$STATE" run "$ID"
}

# spec: RLIM-09
@test "rlimits above the caller's hard limit, in a user namespace too" {
    needs sys_resource
    config '.process.rlimits = [{"type": "RLIMIT_MEMLOCK", "soft": 1073741824, "hard": 1073741824},
        {"type": "RLIMIT_NICE", "soft": 10, "hard": 20}, {"type": "RLIMIT_RTPRIO", "soft": 5, "hard": 6}]'
    run_ok
    expect '.rlimits | .RLIMIT_MEMLOCK.hard == 1073741824 and .RLIMIT_NICE == {"soft": 10, "hard": 20} and .RLIMIT_RTPRIO == {"soft": 5, "hard": 6}'
    config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'
    run_ok
    expect '.rlimits.RLIMIT_MEMLOCK.hard == 1073741824'
}

# spec: OOM-01
@test "oomScoreAdj: raised, and zero is a value" {
    config '.process.oomScoreAdj = 321'
    run_ok
    expect '.oom_score_adj == "321"'
    config '.process.oomScoreAdj = 0'
    run --separate-stderr bash -c 'echo 100 >/proc/self/oom_score_adj; exec "$@"' - "$CRUN_LITE" --root "$STATE" run "$ID"
    [[ $status == 0 ]]
    expect '.oom_score_adj == "0"'
}

# spec: OOM-02
@test "oomScoreAdj that is not set is the caller's" {
    run --separate-stderr bash -c 'echo 100 >/proc/self/oom_score_adj; exec "$@"' - "$CRUN_LITE" --root "$STATE" run "$ID"
    [[ $status == 0 ]]
    expect '.oom_score_adj == "100"'
}

# spec: OOM-03
@test "oomScoreAdj: out of range, or lowered without the privilege" {
    local score
    for score in 1001 -1001; do
        config '.process.oomScoreAdj = $s' --argjson s "$score"
        fails 1 /process/oomScoreAdj "$score" -- rt create "$ID"
    done
    config '.process.oomScoreAdj = -321'
    fails 1 /process/oomScoreAdj "-321" CAP_SYS_RESOURCE -- \
        setpriv --inh-caps=-all --bounding-set=-sys_resource "$CRUN_LITE" --root "$STATE" run "$ID"
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

# spec: SEL-03
@test "a session keyring of its own, but not with --no-new-keyring" {
    run_ok
    local own=$output
    expect --arg id "$ID" '.session_keyring_description | endswith(";_ses." + $id)'
    run --separate-stderr rt run --no-new-keyring "$ID"
    [[ $(jq .session_keyring <<<"$own") != "$(jq .session_keyring <<<"$output")" ]]
}

@test "signals: none blocked, none ignored, whatever the caller did" {
    local quiet=(env --block-signal=TERM --block-signal=RTMIN --block-signal=RTMAX bash -c 'trap "" PIPE HUP USR1 RTMIN RTMAX; exec "$@"' - "$CRUN_LITE" --root "$STATE")
    run --separate-stderr "${quiet[@]}" run "$ID"
    expect '.status.SigBlk == "0000000000000000" and .status.SigIgn == "0000000000000000"'
    program sleep
    run_detached
    run --separate-stderr "${quiet[@]}" exec "$ID" /probe report
    expect '.status.SigBlk == "0000000000000000" and .status.SigIgn == "0000000000000000"'
    silently rt delete --force "$ID"
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

# spec: PROC-01
@test "process may be absent for create, not for start" {
    config 'del(.process)'
    create_container
    fails 1 /process -- rt start "$ID"
    silently rt delete --force "$ID"
    fails 1 /process -- rt run "$ID"
}

# spec: PROC-02 PROC-03 PROC-08 TTY-04 TTY-05 USR-08
@test "process: members that are required, and words where numbers are due" {
    local change pointer
    while IFS='|' read -r change pointer; do
        new_bundle "$BUNDLE"
        config "$change"
        fails 1 "/process$pointer" -- rt create "$ID"
    done <<'END'
del(.process.cwd)|/cwd
.process.cwd = "tmp"|/cwd
.process.cwd = ""|/cwd
del(.process.args)|/args
.process.args = []|/args
.process += {"terminal": true, "consoleSize": {"width": 80}}|/consoleSize/height
.process += {"terminal": true, "consoleSize": {"height": 25}}|/consoleSize/width
.process.user.uid = "root"|/user/uid
.process.user.gid = "wheel"|/user/gid
.process.user.additionalGids = ["audio"]|/user/additionalGids/0
.process.user.uid = -1|/user/uid
.process.user.uid = 4294967296|/user/uid
END
}

# spec: PROC-05 FD-04
@test "cwd: a private directory of the user; never a descriptor of the host" {
    local fd
    mkdir rootfs/data/own
    chown 1000:1000 rootfs/data/own
    chmod 700 rootfs/data/own
    config '.process.user = {"uid": 1000, "gid": 1000} | .process.cwd = "/data/own"'
    run_ok
    expect '.cwd == "/data/own" and .uid == 1000'
    exec 7</ 8<"$BATS_TEST_TMPDIR"
    for fd in {3..20}; do
        config '.process.user = {"uid": 0, "gid": 0} | .process.cwd = "/proc/self/fd/" + $n' --arg n "$fd"
        run -1 --separate-stderr rt run --preserve-fds 6 "$ID"
        config '.process.cwd = "/" | .process.args = ["/proc/self/fd/" + $n + "/bin/true"]' --arg n "$fd"
        run -127 --separate-stderr rt run "$ID"
    done
    exec 7<&- 8<&-
}

# spec: PROC-07
@test "env: HOME comes from the container's passwd, and of two values the last one counts" {
    config '.process.env = ["PATH=/bin", "TWICE=1", "TWICE=2"]'
    run_ok
    expect '.env | (map(select(startswith("TWICE="))) == ["TWICE=2"]) and any(. == "HOME=/")'
    printf 'first:x:1:1::/one:/bin/sh\nroot:x:0:0:root:/root:/bin/sh\n' >rootfs/etc/passwd
    run_ok
    expect '.env | any(. == "HOME=/root")'
    config '.process.env += ["HOME="]'
    run_ok
    expect '.env | map(select(startswith("HOME="))) == ["HOME=/root"]'
    config '.process.env += ["HOME=/mine"]'
    run_ok
    expect '.env | map(select(startswith("HOME="))) == ["HOME=/mine"]'
}

# spec: USR-09
@test "user: an id that the user namespace does not map" {
    local member
    config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'
    for member in uid gid; do
        config '.process.user = ({"uid": 0, "gid": 0} + {($m): 70000})' --arg m "$member"
        fails 1 "/process/user/$member" 70000 -- rt create "$ID"
    done
}

# spec: AA-02
@test "apparmor: a profile that cannot be applied" {
    config '.process.apparmorProfile = "no-such-profile"'
    fails 1 /process/apparmorProfile no-such-profile -- rt run "$ID"
}

# A policy namespace has a profile of its own, "unconfined", so that none needs to be compiled and loaded.
# spec: AA-01 AA-03
@test "apparmor: the process runs under its profile; unconfined needs none" {
    local namespace=crunlite$$ policy=/sys/kernel/security/apparmor/policy/namespaces current
    config '.process.apparmorProfile = "unconfined"'
    run_ok
    config '.process.apparmorProfile = ""'
    run_ok
    needs apparmor
    mkdir "$policy/$namespace"
    config '.process.apparmorProfile = $p' --arg p ":$namespace://unconfined"
    # Nothing that is mounted in the container takes the label in the kernel's place.
    mkdir -p rootfs/proc/self/attr/apparmor
    : >rootfs/proc/self/attr/exec
    : >rootfs/proc/self/attr/apparmor/exec
    program sleep
    config '.mounts |= map(select(.destination != "/proc")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
    run_detached || { rmdir "$policy/$namespace"; return 1; }
    current=$(<"/proc/$(container_pid "$ID")/attr/current")
    rt delete --force "$ID"
    rmdir "$policy/$namespace"
    [[ $current == ":$namespace:unconfined" ]]
    [[ ! -s rootfs/proc/self/attr/exec && ! -s rootfs/proc/self/attr/apparmor/exec ]]
}

# spec: SEL-02
@test "selinux: a label where SELinux is off" {
    needs no-selinux
    config '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
    fails 1 /process/selinuxLabel SELinux -- rt create "$ID"
}

@test "unknown members are ignored, null means absent" {
    config '.newInVersion9 = {"a": 1} | .process.alsoNew = 3 | .process.user.umask = null | .linux.seccomp = null'
    run_ok
}

# CVE-2024-21626, by the program and by the interpreter of a script: the kernel looks for both while close-on-exec descriptors are still
# there.  The file is a static program of the host, so that only its place decides.
@test "security: no descriptor leads run, exec or a hook to a program of the host" {
    local way outside=$BATS_TEST_TMPDIR/outside
    cp "$PROBE" "$outside"
    refused() {
        run --separate-stderr rt "$@"
        [[ $status == 126 || $status == 127 ]] || { echo "$way: exit $status: rt $*" >&2; return 1; }
    }
    exec 9</
    program sleep
    run_detached
    config 'if .linux.cgroupsPath then .linux.cgroupsPath += "-2" else . end'
    # The runtime's own, from 3 on: its procfs is the host's; and what it was given.
    for way in /proc/self/fd/{3..9}/.. /proc/self/fd/9; do
        printf '#!%s exit\n' "$way$outside" >rootfs/script
        chmod 755 rootfs/script
        refused exec "$ID" "$way$outside" exit 0
        refused exec "$ID" /script
        config '.process.args = [$p, "exit", "0"] | del(.hooks)' --arg p "$way$outside"
        refused run "$ID-2"
        program exit 0
        config '.hooks.startContainer = [{"path": "/script"}]'
        run --separate-stderr rt run "$ID-2"
        [[ $status == 1 && $stderr == *hook* ]] || { echo "hook $way: exit $status: $stderr" >&2; return 1; }
    done
    rt delete --force "$ID"
    exec 9<&-
}
