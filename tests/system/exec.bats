# `exec`: a second process in a container, by command line and by document.
load helpers

sleeping_container() {
    program sleep
    run_detached
}

@test "exec: command line, exit status, streams" {
    sleeping_container
    run -9 rt exec "$ID" /probe exit 9
    run -0 --separate-stderr rt exec "$ID" /probe echo-stdin + warn err <<<"in"
    [[ $output == in && $stderr == err ]]
    # Options end at the id.
    run -0 --separate-stderr rt exec "$ID" /probe report -x --flag
    expect '.args == ["report", "-x", "--flag"]'
    silently rt delete --force "$ID"
}

@test "exec: same namespaces, cgroup, capabilities, limits and user as the container" {
    local pid
    sleeping_container
    pid=$(container_pid "$ID")
    run -0 --separate-stderr rt exec "$ID" /probe report
    for kind in ipc mnt net pid uts cgroup; do
        expect --arg kind "$kind" --arg ns "$(readlink "/proc/$pid/ns/$kind")" '.namespaces[$kind] == $ns'
    done
    expect '(.cgroup | test("(^|\n)0::/$")) and .pid > 1 and .cwd == "/" and .uid == 0'
    expect '.status.CapBnd == "0000000020000420" and .status.NoNewPrivs == "1" and .rlimits.RLIMIT_NOFILE.hard == 1024'
    expect '.env | contains(["FROM_CONFIG=yes"])'
    expect '.fds | keys == ["0", "1", "2"]'
    silently rt delete --force "$ID"
}

@test "exec: --cwd --env --user --additional-gids --cap --no-new-privs" {
    sleeping_container
    run -0 --separate-stderr rt exec --cwd /tmp --env A=b -e C=d --user 12:34 -g 56 -g 78 --cap CAP_CHOWN "$ID" /probe report
    expect '.cwd == "/tmp" and .uid == 12 and .gid == 34 and (.groups | sort) == [56, 78]'
    expect '.env | contains(["A=b", "C=d"])'
    expect '.status.CapBnd == "0000000020000421"'
    silently rt delete --force "$ID"
}

@test "exec --process: the document decides alone" {
    sleeping_container
    jq '.process | .args = ["/probe", "report"] | .cwd = "/etc" | .user = {"uid": 5, "gid": 6, "additionalGids": [7]}
        | .env = ["ONLY=this"] | .capabilities = {"bounding": ["CAP_CHOWN"]} | .noNewPrivileges = false' config.json >process.json
    run -0 --separate-stderr rt exec --process process.json "$ID"
    expect '.cwd == "/etc" and .uid == 5 and .gid == 6 and .groups == [7] and .status.CapBnd == "0000000000000001"'
    expect '(.env | contains(["ONLY=this"])) and (.env | contains(["FROM_CONFIG=yes"]) | not) and .status.NoNewPrivs == "0"'
    silently rt delete --force "$ID"
}

@test "exec --detach with --pid-file" {
    local pid
    sleeping_container
    rt exec --detach --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" /probe sleep </dev/null >/dev/null 2>&1 3>&- 4>&-
    pid=$(<"$BATS_TEST_TMPDIR/pid")
    [[ $(readlink "/proc/$pid/ns/pid") == $(readlink "/proc/$(container_pid "$ID")/ns/pid") ]]
    silently rt delete --force "$ID"
}

@test "exec: what cannot be executed, in the words that engines match, and no pid file" {
    sleeping_container
    run --separate-stderr rt exec --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" nonexistent
    [[ $status != 0 ]] && says "$stderr" "executable file" nonexistent "$M_ARGV0_IN_PATH"
    [[ ! -e $BATS_TEST_TMPDIR/pid ]]
    run --separate-stderr rt exec "$ID" /no/such
    [[ $status != 0 ]] && says "$stderr" "$M_ENOENT"
    run --separate-stderr rt exec "$ID" /etc/marker
    [[ $status != 0 ]] && says "$stderr" "$M_EACCES"
    run --separate-stderr rt exec --cwd /no/such "$ID" /probe report
    [[ $status != 0 ]] && says "$stderr" "$M_CWD" "$M_ENOENT"
    silently rt delete --force "$ID"
}

@test "exec in a stopped, and in a paused container" {
    sleeping_container
    rt pause "$ID"
    run --separate-stderr rt exec "$ID" /probe exit 0
    [[ $status != 0 ]] && says "$stderr" "$M_EXEC_PAUSED"
    rt resume "$ID"
    rt kill "$ID" KILL
    status_becomes "$ID" stopped
    run --separate-stderr rt exec "$ID" /probe exit 0
    [[ $status != 0 ]] && says "$stderr" "$M_EXEC_STOPPED"
    silently rt delete "$ID"
}

@test "exec in a created container works" {
    program sleep
    create_container
    run -6 rt exec "$ID" /probe exit 6
    silently rt delete "$ID"
}

@test "exec gets the container's seccomp filter" {
    config '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat", "mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}'
    sleeping_container
    run -0 --separate-stderr rt exec "$ID" /probe syscall mkdirat -100 0 0
    expect '.errno == "EOPNOTSUPP"'
    silently rt delete --force "$ID"
}
