# What is hidden and what cannot be changed: masked and read-only paths, the root's propagation, labels; and the file systems of
# the default configuration.
load helpers

# mounts_of ID: the container's mountinfo.
mounts_of() { cat "/proc/$(container_pid "$1")/mountinfo"; }

# at PATH: the last mount there, out of the mountinfo on standard input.
at() { awk -v path="$1" '$5 == path {line = $0} END {print line}'; }

# mount_in PID SOURCE TARGET TYPE FLAGS [peer]: mounts in the container's mount namespace and says OK or the error's number; with
# `peer`, whether a copy of that namespace sees it as well.
mount_in() {
    python3 - "$@" <<'PYTHON'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
pid, source, target, kind, flags = sys.argv[1:6]
os.chdir("/")
fd = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
if libc.setns(fd, 0) < 0:
    sys.exit("setns")
go, gone = os.pipe()
seen, told = os.pipe()
if len(sys.argv) > 6 and os.fork() == 0:
    if libc.unshare(0x20000) < 0:
        os._exit(1)
    before = os.stat(target).st_dev
    os.write(told, b"r")
    os.read(go, 1)
    os.write(told, b"y" if os.stat(target).st_dev != before else b"n")
    os._exit(0)
peer = len(sys.argv) > 6
if peer:
    os.read(seen, 1)
done = libc.mount(source.encode(), target.encode(), kind.encode() or None, int(flags), None)
print("OK" if done == 0 else ctypes.get_errno())
if peer:
    os.write(gone, b"x")
    print({b"y": "seen", b"n": "unseen"}[os.read(seen, 1)])
    os.wait()
PYTHON
}

teardown() {
    [[ ! -e $BUNDLE/shared/rootfs ]] || umount "$BUNDLE/shared"
    common_teardown
}

# The bundle's root on a shared mount of the host.
shared_root() {
    mkdir shared
    mount -t tmpfs tmpfs shared
    mount --make-shared shared
    cp -a rootfs shared/
    config '.root = {"path": "shared/rootfs", "readonly": false}'
}

# spec: MASK-01 MASK-03
@test "masked paths: file, directory, missing and listed twice; all directories are covered by one empty one" {
    mkdir -p rootfs/secret/deep rootfs/other
    echo x >rootfs/secret/file
    echo y >rootfs/etc/shadowed
    config '.root.readonly = false | .linux.maskedPaths = ["/proc/kcore", "/proc/version", "/secret", "/secret", "/etc/shadowed", "/other", "/not/there", "/etc/marker/below"]'
    program cat /proc/version + cat /etc/shadowed + list /secret + list /other + stat /secret + stat /other + stat /etc/shadowed + \
        write /secret/new x + chown /etc/shadowed 1 1 + report
    run_ok
    local first second
    [[ ${lines[0]} == '[]' && ${lines[1]} == '[]' ]]
    first=$(jq .dev <<<"${lines[2]}") second=$(jq .dev <<<"${lines[3]}")
    [[ $first == "$second" ]]
    output=${lines[4]} expect '.type == "char" and .major == 1 and .minor == 3'
    [[ ${lines[5]} == *EROFS* && ${lines[6]} == *EROFS* ]]
    output=${lines[7]}
    expect_mount /secret '.type == "tmpfs" and (.options | test("^ro,")) and (.super | tostring | contains("nr_inodes=1"))'
    [[ $(stat -c %u:%g /dev/null) == 0:0 && $(<rootfs/secret/file) == x ]]
}

# spec: MASK-02 ROP-02
@test "masked and read-only paths: relative ones are refused" {
    config '.linux.maskedPaths += ["proc/kcore"]'
    fails 1 absolute "/linux/maskedPaths/10" -- rt run "$ID"
    config 'del(.linux.maskedPaths) | .linux.readonlyPaths = ["/data", "./mnt"]'
    fails 1 absolute "/linux/readonlyPaths/1" -- rt run "$ID"
}

# spec: ROP-01 ROP-03
@test "read-only paths: writes are refused, what was mounted keeps its options, masks come on top, kernel parameters before" {
    echo y >rootfs/data/hidden
    config '.root.readonly = false | .linux.sysctl = {"net.ipv4.ip_forward": "1"}
            | (.mounts[] | select(.type == "proc")).options = ["nosuid", "nodev", "noexec"] | .linux.readonlyPaths = ["/proc/sys", "/data", "/mnt", "/not/there"] | .linux.maskedPaths = ["/data/hidden"]
            | .mounts += [{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "noexec"]},
                          {"destination": "/mnt/below", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"]}]'
    program write /data/new x + write /mnt/new x + write /mnt/below/new x + write /proc/sys/net/ipv4/ip_forward 0 + \
        cat /proc/sys/net/ipv4/ip_forward + stat /data/hidden + report
    run_ok
    [[ $(head -4 <<<"$output" | grep -c EROFS) == 4 && ${lines[4]} == 1 ]]
    output=${lines[5]} expect '.type == "char"'
    output=${lines[6]}
    expect_mount /mnt '.options | split(",") | contains(["ro", "nosuid", "nodev", "noexec"])'
    expect_mount /mnt/below '.options | split(",") | contains(["ro", "nosuid"])'
    expect_mount /proc/sys '.options | split(",") | contains(["ro", "nosuid", "nodev", "noexec"])'
}

# spec: PROPG-01 PROPG-06
@test "root propagation: each word is what the mount table says of the root; others are refused" {
    local word expected
    shared_root
    program report
    for word in shared:shared rshared:shared slave:master rslave:master private: rprivate: unbindable:unbindable runbindable:unbindable; do
        expected=${word#*:}
        config '.linux.rootfsPropagation = $w' --arg w "${word%:*}"
        run --separate-stderr rt run "$ID"
        [[ $status == 0 ]] || break
        expect_mount / "(.propagation | map(sub(\":.*\"; \"\"))) == [\"$expected\"] or (\"$expected\" == \"\" and .propagation == [])" ||
            { status=$word; break; }
    done
    [[ $status == 0 ]]
    config 'del(.linux.rootfsPropagation)'
    output=$(rt run "$ID")
    umount shared
    rmdir shared
    expect_mount / '.propagation == []'
    for word in public Shared sharedx; do
        config '.linux.rootfsPropagation = $w' --arg w "$word"
        fails 1 "\"$word\"" /linux/rootfsPropagation -- rt run "$ID"
    done
}

# run_with WORD: a container that waits, on the shared root with that propagation; PID is its process.
run_with() {
    config '.linux.rootfsPropagation = $w' --arg w "$1"
    run_detached
    PID=$(container_pid "$ID")
}

# from_host: mounts below the root on the host; says whether it is seen inside.
from_host() {
    mount -t tmpfs tmpfs shared/rootfs/mnt
    [[ -n $(at /mnt <"/proc/$PID/mountinfo") ]] && echo seen || echo unseen
    umount shared/rootfs/mnt
}

seen_on_host() { [[ -n $(at "$BUNDLE/shared/rootfs/data" </proc/self/mountinfo) ]] && echo seen || echo unseen; }

# spec: PROPG-02 PROPG-03 PROPG-04 PROPG-05
@test "root propagation: who sees whose mounts" {
    shared_root
    program sleep
    local word facts=''
    for word in shared slave private unbindable; do
        run_with "$word"
        # Of the host inside, of the container on the host and in a copy of its namespace; and a bind of the root.
        facts+="$word: $(from_host) $(mount_in "$PID" tmpfs /data tmpfs 0 peer | tr '\n' ' ')$(seen_on_host) $(mount_in "$PID" / /mnt '' 4096)"
        [[ $word != shared ]] || facts+=" $(grep -c "shared:$(at / <"/proc/$PID/mountinfo" | grep -o 'shared:[0-9]*' | cut -d: -f2) " /proc/self/mountinfo || true)"
        facts+=$'\n'
        silently rt delete --force "$ID"
    done
    umount shared
    rmdir shared
    [[ $facts == "shared: unseen OK seen unseen OK 0
slave: seen OK unseen unseen OK
private: unseen OK unseen unseen OK
unbindable: unseen OK unseen unseen 22
" ]] || { echo "$facts" >&2; return 1; }
}

# spec: LABEL-01 LABEL-02
@test "a mount label is refused where there is no SELinux to understand it, and an empty one is none" {
    needs no-selinux
    config '.linux.mountLabel = "system_u:object_r:container_file_t:s0:c1,c2"'
    fails 1 SELinux /linux/mountLabel -- rt run "$ID"
    config '.linux.mountLabel = ""'
    inside report
    expect '[.mounts[] | select(.super | tostring | contains("context="))] == []'
}

# spec: DFS-01 DFS-02 DFS-03 DFS-04
@test "the default configuration mounts proc, sysfs, devpts and shared memory, and they work" {
    rm config.json
    silently rt spec
    config '.process.terminal = false | .process.args = ["/probe", "report"]'
    [[ -z ${TEST_CGROUP-} ]] || config '.linux.cgroupsPath = $p' --arg p "$TEST_CGROUP/$ID"
    run_ok
    expect_mount /proc '.type == "proc"'
    expect_mount /sys '.type == "sysfs"'
    expect_mount /dev/pts '.type == "devpts"'
    expect_mount /dev/shm '.type == "tmpfs"'
}
