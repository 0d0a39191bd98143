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
