# Configurations far larger than those of engines: carried out in proportion to their size, or refused by a limit that
# the message names.  What needs no kernel is measured in tests/spec/growth.
load helpers

# generate PYTHON: the bundle's config.json after PYTHON has changed `c`.
generate() {
    python3 - "$BUNDLE/config.json" "$1" <<'PYTHON'
import json, sys
with open(sys.argv[1]) as file:
    c = json.load(file)
exec(sys.argv[2])
with open(sys.argv[1], "w") as file:
    json.dump(c, file)
PYTHON
}

# Hundredths of a second of processor time that `rt ARGS...` and its children take, the least of three.
hundredths() {
    local TIMEFORMAT='%U %S' times least=999999 now
    for _ in 1 2 3; do
        times=$({ time rt "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" </dev/null; } 2>&1) || { cat "$BATS_TEST_TMPDIR/err" >&2; return 1; }
        now=$(awk -v t="$times" 'BEGIN { split(t, part, " "); print int((part[1] + part[2]) * 100) }')
        ((now >= least)) || least=$now
    done
    echo "$least"
}

binds() {
    mkdir -p "$BUNDLE/source"
    generate "c['mounts'] += [{'destination': '/mnt/%d' % i, 'type': 'bind', 'source': 'source', 'options': ['rbind', 'ro']} for i in range($1, $2)]"
}

@test "ten thousand mounts under a limit of 256 open files" {
    generate 'c["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 256, "hard": 256}]'
    binds 0 10000
    inside syscall getpid
}

@test "four times as many mounts take about four times as long" {
    local few many
    program syscall getpid
    binds 0 1000
    few=$(hundredths run "$ID")
    binds 1000 4000
    many=$(hundredths run "$ID")
    echo "1000 mounts: $few, 4000 mounts: $many hundredths of a second"
    ((many <= few * 9 + 5))
}

@test "a hundred thousand variables, annotations, masked paths and unknown members" {
    generate 'c["process"]["env"] += ["V%d=x" % i for i in range(100000)]
c["annotations"] = {"k%d" % i: "v" for i in range(100000)}
c["linux"]["maskedPaths"] = ["/no/%d" % i for i in range(100000)]
c["x-unknown"] = {"k%d" % i: [i, {}] for i in range(100000)}'
    inside syscall getpid
}

@test "a hundred thousand names of system calls that nobody knows" {
    generate 'c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["call_%d" % i for i in range(100000)] + ["getppid"], "action": "SCMP_ACT_ERRNO"}]}'
    inside syscall getppid
    expect '.errno == "EPERM"'
}

@test "what is past a limit is refused by it" {
    local change words
    while IFS='|' read -r change words; do
        cp "$BUNDLE/config.json" "$BUNDLE/kept"
        generate "$change"
        # shellcheck disable=SC2086  # words
        fails 1 $words -- rt run "$ID"
        mv "$BUNDLE/kept" "$BUNDLE/config.json"
    done <<'LIMITS'
c["x"] = "x" * (16 << 20)|config.json 16 MiB
c["x"] = eval("[" * 64 + "]" * 64)|/x/0/0/0/ 64 levels
c["linux"]["cgroupsPath"] = "/" + "a/" * 1000000|/linux/cgroupsPath 2048 bytes
c["linux"].setdefault("resources", {})["unified"] = {"x%d.y" % i: "1" for i in range(5000)}|/linux/resources/unified/x4096.y 4096 settings
c["linux"].setdefault("resources", {})["devices"] = [{"allow": True, "type": "c", "major": i} for i in range(2001)]|/linux/resources/devices 2000
c["linux"].setdefault("resources", {})["cpu"] = {"cpus": ",".join(["0-8191"] * 20000)}|/linux/resources/cpu/cpus 65536 bytes
c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["acct"] * 300000, "action": "SCMP_ACT_ERRNO"}]}|/linux/seccomp/syscalls/0 too complex 2000 ms
c["mounts"].append({"destination": "/tmp", "type": "tmpfs", "options": ["mode=" + "7" * 5000]})|/options/0 4095 bytes
c["process"]["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}] * 65|/process/rlimits 16 resource limits
c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": i, "hostID": i + 100000, "size": 1} for i in range(341)]; c["linux"]["namespaces"].append({"type": "user"})|/linux/ Mappings 340
LIMITS
}

@test "a document from a pipe is as large as a file may be, and no larger" {
    local mib=1048576
    too_large() { head -c $((16 * mib + 1)) /dev/zero | rt "$@" - "$ID"; }
    fits() { head -c $((16 * mib)) /dev/zero | tr '\0' ' ' | rt "$@" - "$ID"; }
    program sleep
    run_detached
    fails 255 "the process document '-' is larger than 16 MiB" -- too_large exec --process
    fails 1 "the resources '-' are larger than 16 MiB" -- too_large update --resources
    fails 255 "process document" JSON -- fits exec --process
    fails 1 JSON -- fits update --resources
    rt delete --force "$ID"
}
