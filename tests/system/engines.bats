# Configs that real engines wrote, with only what their host had replaced: root, sources, namespaces and labels.
load helpers

ENGINES=${ENGINE_CONFIGS:-$BATS_TEST_DIRNAME/../data/engines}

# adapt NAME: the engine's config for our root; the probe reports.
adapt() {
    [[ -e $ENGINES/$1.config.json ]] || { echo "$ENGINES/$1.config.json is missing" >&2; return 1; }
    local limited='{}'
    has controller:memory && has controller:pids && has controller:cpu && limited='null'
    jq --arg cgroup "$TEST_CGROUP/$ID" --argjson limited "$limited" --arg source "$BATS_TEST_TMPDIR/source" \
        --argjson sys_resource "$(has sys_resource && echo true || echo false)" '
        .root.path = "rootfs"
        | .process.args = ["/probe", "report"] | .process.terminal = false | .process.cwd = "/"
        | .linux.cgroupsPath = $cgroup
        | del(.process.apparmorProfile, .process.selinuxLabel, .linux.mountLabel, .hooks)
        # Namespaces that the engine had made are new ones here.
        | .linux.namespaces |= map(del(.path))
        | .mounts |= map(if .type == "bind" or ((.options // []) | any(. == "bind" or . == "rbind"))
                         then (if (.destination | test("^/(etc/|run/[.]container|run/secrets|dev/termination)"))
                               then .source = $source + "/file"
                               elif .source == "/sys" or .source == "/proc" or (.source | startswith("/dev/")) then .
                               else .source = $source + "/dir" end)
                         else . end)
        # What this host cannot give: its controllers and its right to raise limits.
        | if $limited == {} then .linux.resources |= {devices: .devices} else . end
        | if $sys_resource then . else del(.process.rlimits) | .process.capabilities |= map_values(. - ["CAP_SYS_RESOURCE"]) | if (.process.oomScoreAdj // 0) < 0 then del(.process.oomScoreAdj) else . end end
        | if .linux.devices then .linux.devices |= map(select(.major == 1 or .major == 5 or .major == 10)) else . end
        ' "$ENGINES/$1.config.json" >config.json
    mkdir -p "$BATS_TEST_TMPDIR/source/dir"
    echo file >"$BATS_TEST_TMPDIR/source/file"
    mkdir -p rootfs/run
    if jq -e '.linux.uidMappings' config.json >/dev/null; then
        # The ids were the engine's choice; the root's owner follows them.
        chown -R "$(jq '.linux.uidMappings[] | select(.containerID == 0) | .hostID' config.json)" rootfs
    fi
}

# What every engine's container must look like, computed from its own config.
looks_as_configured() {
    local wanted
    wanted=$(<config.json)
    expect --argjson c "$wanted" '.status.NoNewPrivs == (if $c.process.noNewPrivileges then "1" else "0" end)'
    expect --argjson c "$wanted" '.status.Seccomp == (if $c.linux.seccomp then "2" else "0" end)'
    expect --argjson c "$wanted" '.uid == $c.process.user.uid and .gid == $c.process.user.gid'
    expect --argjson c "$wanted" '.hostname == ($c.hostname // .hostname)'
    expect --argjson c "$wanted" '.pid == (if ([$c.linux.namespaces[].type] | index("pid")) then 1 else .pid end)'
    # Every variable of the config arrives.
    expect --argjson c "$wanted" '($c.process.env - .env) | map(select(test("[^ -~]") | not)) == []'
    # The number of capabilities in the bounding set.
    expect --argjson c "$wanted" '
        def bits: explode | map(if . >= 97 then . - 87 else . - 48 end) | map([0,1,1,2,1,2,2,3,1,2,2,3,2,3,3,4][.]) | add;
        (.status.CapBnd | bits) == ($c.process.capabilities.bounding | length)
        # An ambient capability must be inheritable as well (the kernel insists); buildah 1.28 lists it as ambient only.
        and (.status.CapAmb | bits) == (($c.process.capabilities | (.ambient // []) - ((.ambient // []) - (.inheritable // []))) | length)'
    # Every mount is there with its type; the binds with whatever type the host has.
    expect --argjson c "$wanted" '
        [.mounts[] | {key: .target, value: .}] | from_entries as $at
        | [$c.mounts[] | . as $m | ($m.destination | sub("/$"; "")) as $d
           | select(($at[$d] == null)
                    or (($m.type // "bind") as $t | $t != "bind" and $t != "none" and $t != "cgroup" and ($m.options | index("bind") == null and index("rbind") == null)
                        and $at[$d].type != $t)
                    or (($m.options // []) | index("ro") != null and ($at[$d].options | split(",") | index("ro") == null)))
           | .destination] == []'
    expect --argjson c "$wanted" '[.mounts[] | select(.target == "/")] | last | (.options | split(",") | index("ro") != null) == ($c.root.readonly // false)'
    # The standard devices.
    expect '[.dev.null, .dev.zero, .dev.full, .dev.random, .dev.urandom, .dev.tty] | map(.type == "char") | all'
}

masks_hold() {
    local path
    for path in $(jq -r '.linux.maskedPaths // [] | .[]' config.json); do
        if [[ -d $path ]]; then
            program list "$path" && run_ok && [[ $output == '[]' ]] || { echo "$path shows: $output"; return 1; }
        elif [[ -f $path ]]; then
            program stat "$path" && run_ok && expect '.errno == "ENOENT" or (.type == "char" and .minor == 3)'
        fi
    done
}

runs_as_configured() {
    adapt "$1"
    run_ok
    looks_as_configured
}

@test "docker run" { runs_as_configured docker-default; masks_hold; }
@test "docker run with limits" { runs_as_configured docker-limits; }
@test "docker run --privileged" { runs_as_configured docker-privileged; }
@test "docker build" { runs_as_configured docker-build; }
@test "podman run" { runs_as_configured podman-default; masks_hold; }
@test "podman run with limits" { runs_as_configured podman-limits; }
@test "podman run -d" { runs_as_configured podman-d; }
@test "podman run, cgroupfs" { runs_as_configured podman-cgroupfs; }
@test "podman run --privileged" { runs_as_configured podman-privileged; }
@test "podman run with the host's namespaces" { runs_as_configured podman-hostns; }
@test "podman pod: infra container" { runs_as_configured podman-pod; }
@test "podman pod: member" { runs_as_configured podman-pod-2; }
@test "podman run --uidmap" { runs_as_configured podman-uidmap; }
@test "podman run --userns=auto" { runs_as_configured podman-userns-auto; }
@test "podman build" { runs_as_configured podman-build; }
@test "buildah run" { runs_as_configured buildah-run; }
@test "ctr run" { runs_as_configured ctr-default; masks_hold; }
@test "ctr run with limits" { runs_as_configured ctr-limits; }
@test "ctr run --privileged" { runs_as_configured ctr-privileged; }


# Written for a Podman that runs in a user namespace of its own; what they ask of the runtime is the same.
@test "rootless podman run" { runs_as_configured podman-rootless; }
@test "rootless podman run with limits" { runs_as_configured podman-rootless-limits; }
@test "rootless podman run, cgroupfs" { runs_as_configured podman-rootless-cgroupfs; }
@test "rootless podman run --userns=keep-id" { runs_as_configured podman-rootless-keepid; }
@test "rootless buildah run" { runs_as_configured buildah-rootless; }
@test "podman run -t, without its terminal" { runs_as_configured podman-tty; }
@test "ctr run with the systemd manager's path replaced" { runs_as_configured ctr-systemd; }
@test "ctr run --privileged with every device of its host" { runs_as_configured ctr-privileged-2; }
