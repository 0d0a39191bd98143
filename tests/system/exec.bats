# `exec`: one more process in a container, by command line and by document.
load helpers

setup() {
    common_setup
    SOCKET=$BATS_TEST_TMPDIR/agent.sock
}

teardown() {
    if [[ -n ${HELPER-} ]]; then
        kill -KILL "$HELPER" 2>/dev/null || true
        wait "$HELPER" 2>/dev/null || true
    fi
    common_teardown
}

sleeping_container() {
    program sleep
    run_detached "$@"
}

# inside_report OPTION...: what one more process in the container sees, in $output.
inside_report() {
    run --separate-stderr rt exec "$@" "$ID" /probe report
    [[ $status == 0 ]] || { echo "exec: exit $status, stderr: $stderr" >&2; return 1; }
}

# by_document FILTER: the same with the container's process, changed by FILTER, as a document.
by_document() {
    jq ".process | .args = [\"/probe\", \"report\"] | $1" config.json >process.json
    run --separate-stderr rt exec --process process.json "$ID"
    [[ $status == 0 ]] || { echo "exec: exit $status, stderr: $stderr" >&2; return 1; }
}

# The namespaces of HELPER, which need a moment.
has_own() { [[ $(ns_of "$HELPER" "$1") != "$(ns_of $$ "$1")" ]]; }
denies_setgroups() { [[ $(<"/proc/$HELPER/setgroups") == deny ]]; }

ns_of() { readlink "/proc/$1/ns/$2"; }

expect_same_namespaces() {
    local kind pid
    pid=$(container_pid "$ID")
    for kind in cgroup ipc mnt net pid time user uts; do
        expect --arg kind "$kind" --arg ns "$(ns_of "$pid" "$kind")" '.namespaces[$kind] == $ns'
    done
}

@test "exec: the process document is read before the container is opened" {
    sleeping_container
    mkfifo process.fifo
    rt exec --process process.fifo "$ID" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- &
    HELPER=$!
    # Opens when exec has opened the other end.
    exec 9>process.fifo
    rt kill "$ID" KILL
    status_becomes stopped
    jq '.process | .args = ["/probe", "report"]' config.json >&9
    exec 9>&-
    local code=0
    wait "$HELPER" || code=$?
    HELPER=
    [[ $code == 255 ]]
    says "$(<"$BATS_TEST_TMPDIR/err")" "cannot exec in a stopped container"
    [[ ! -s $BATS_TEST_TMPDIR/out ]]
    silently rt delete "$ID"
}

# --- what the process gets ---------------------------------------------------------------------------------------------

@test "exec: command line, exit status, streams" {
    sleeping_container
    run -9 rt exec "$ID" /probe exit 9
    run -137 rt exec "$ID" /probe kill-self KILL
    run -0 --separate-stderr rt exec "$ID" /probe echo-stdin + warn err <<<"in"
    [[ $output == in && $stderr == err ]]
    # Options end at the id.
    run -0 --separate-stderr rt exec "$ID" /probe report -x --flag
    expect '.args == ["report", "-x", "--flag"]'
    run -0 --separate-stderr rt exec -- "$ID" /probe say -- --detach
    [[ $output == "-- --detach" ]]
    silently rt delete --force "$ID"
}

@test "exec: same namespaces, cgroup, capabilities, limits and user as the container" {
    config '.process.user = {"uid": 7, "gid": 8, "additionalGids": [9]} | .process.cwd = "/tmp" | .process.oomScoreAdj = 321'
    sleeping_container
    inside_report
    expect_same_namespaces
    expect '(.cgroup | test("(^|\n)0::/$")) and .pid > 1 and .cwd == "/tmp" and .uid == 7 and .gid == 8 and .groups == [9]'
    expect '.status.CapBnd == "0000000020000420" and .status.NoNewPrivs == "1" and .rlimits.RLIMIT_NOFILE.hard == 1024'
    expect '.oom_score_adj == "321" and .status.CapEff == "0000000000000000" and .status.CapInh == "0000000000000000"'
    expect '(.env | contains(["FROM_CONFIG=yes"])) and .hostname == "box" and .umask == 18'
    expect '.fds | keys == ["0", "1", "2"]'
    # A session of its own, no signal blocked or ignored, a parent outside.
    expect '.sid == .pid and .ppid == 0 and .pdeathsig == 0 and .status.SigBlk == "0000000000000000" and .status.SigIgn == "0000000000000000"'
    silently rt delete --force "$ID"
}

@test "exec: --cwd --env --user --additional-gids --cap --no-new-privs" {
    config '.process.noNewPrivileges = false | .process.user.additionalGids = [5]'
    sleeping_container
    inside_report --cwd /tmp --env A=b -e C=d=e --env FROM_CONFIG=no --user 12:34 -g 56 -g 78 --cap CAP_CHOWN --no-new-privs
    expect '.cwd == "/tmp" and .uid == 12 and .gid == 34 and (.groups | sort) == [5, 56, 78]'
    expect '.env | contains(["A=b", "C=d=e", "FROM_CONFIG=no"]) and (contains(["FROM_CONFIG=yes"]) | not)'
    expect '.status.CapBnd == "0000000020000421" and .status.NoNewPrivs == "1"'
    inside_report --user 3000000000
    expect '.uid == 3000000000 and .gid == 0 and .groups == [5] and .status.NoNewPrivs == "0"'
    silently rt delete --force "$ID"
}

# CVE-2022-24769, CVE-2022-29162, CVE-2022-27650, CVE-2025-27612
@test "exec: no capability becomes inheritable" {
    sleeping_container
    inside_report --cap CAP_NET_RAW --cap CAP_CHOWN --user 1000
    expect '.status.CapInh == "0000000000000000" and .status.CapAmb == "0000000000000000" and .status.CapPrm == "0000000000000000"'
    by_document '.capabilities.bounding += ["CAP_NET_RAW"] | .capabilities.permitted += ["CAP_NET_RAW"]'
    expect '.status.CapInh == "0000000000000000" and .status.CapBnd == "0000000020002420" and .status.CapPrm == "0000000020002420"'
    silently rt delete --force "$ID"
    # Where the container's own set has some, --cap does not add to it, and ambient follows.
    config '.process.capabilities |= (.inheritable = ["CAP_KILL"] | .ambient = ["CAP_KILL"])'
    sleeping_container
    inside_report --cap CAP_KILL --cap CAP_CHOWN --user 1000
    expect '.status.CapInh == "0000000000000020" and .status.CapAmb == "0000000000000020" and .status.CapEff == "0000000000000020"'
    silently rt delete --force "$ID"
}

# CVE-2016-3697, CVE-2026-30892
@test "exec --user takes numbers in range and nothing else" {
    local word
    mkdir -p rootfs/etc
    echo '1000:x:0:0::/:/bin/sh' >rootfs/etc/passwd
    sleeping_container
    for word in "" -1 +1 1: :1 1:2:3 1:-1 0x1 " 1" "1 " abc root 4294967295 1:4294967295 99999999999999999999; do
        fails 255 --user -- rt exec --user "$word" "$ID" /probe exit 0
    done
    for word in "" -1 4294967295 x; do
        fails 255 --additional-gids -- rt exec --additional-gids "$word" "$ID" /probe exit 0
    done
    inside_report --user 1000
    expect '.uid == 1000 and .gid == 0'
    inside_report --user 4294967294:4294967294
    expect '.uid == 4294967294 and .gid == 4294967294'
    silently rt delete --force "$ID"
}

@test "exec --process: the document decides, and what it does not say of confinement is the container's" {
    sleeping_container
    by_document '.cwd = "/etc" | .user = {"uid": 5, "gid": 6, "additionalGids": [7], "umask": 63} | .env = ["ONLY=this"]
        | .capabilities = {"bounding": ["CAP_CHOWN"]} | .noNewPrivileges = false | .rlimits = [{"type": "RLIMIT_NOFILE", "soft": 50, "hard": 60}]'
    expect '.cwd == "/etc" and .uid == 5 and .gid == 6 and .groups == [7] and .umask == 63 and .status.CapBnd == "0000000000000001"'
    expect '(.env | contains(["ONLY=this"])) and (.env | contains(["FROM_CONFIG=yes"]) | not) and .status.NoNewPrivs == "0"'
    expect '.rlimits.RLIMIT_NOFILE == {"soft": 50, "hard": 60}'
    by_document 'del(.capabilities, .noNewPrivileges, .rlimits, .env)'
    expect '.status.CapBnd == "0000000020000420" and .status.NoNewPrivs == "1" and .rlimits.RLIMIT_NOFILE.hard == 1024'
    expect '.env | contains(["FROM_CONFIG=yes"]) | not'
    # From standard input and from a pipe.
    run -4 rt exec --process - "$ID" < <(jq '.args = ["/probe", "exit", "4"]' process.json)
    run -5 rt exec -p <(jq '.args = ["/probe", "exit", "5"]' process.json) "$ID"
    silently rt delete --force "$ID"
}

@test "exec: what is wrong in a process document is told with that document's name" {
    sleeping_container
    refused() {
        jq ".process | .args = [\"/probe\", \"report\"] | $1" config.json >process.json
        shift
        fails 255 "process document line" "($1)" "${@:2}" -- rt exec --process process.json "$ID"
        [[ $stderr != *config.json* ]]
    }
    refused '.user.uid = "x"' /user/uid integer
    refused '.cwd = "tmp"' /cwd absolute
    refused '.args = []' /args
    refused '.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 2, "hard": 1}]' /rlimits/0 RLIMIT_NOFILE
    refused '.rlimits = [{"type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1}]' /rlimits/0/type RLIMIT_NOSUCH
    refused '.scheduler = {"policy": "SCHED_FIFO", "priority": 100}' /scheduler/priority SCHED_FIFO
    refused '.execCPUAffinity = {"final": "3-1"}' /execCPUAffinity/final 3-1
    jq '.process | .args = ["/probe"] | .terminal = true' config.json >process.json
    fails 255 "process document line" "(/terminal)" -- rt exec --detach --process process.json "$ID"
    echo '{"args": ["/probe"], "cwd": "/", ' >process.json
    fails 255 "process document" -- rt exec --process process.json "$ID"
    fails 255 "process document" "$M_ENOENT" -- rt exec --process none.json "$ID"
    silently rt delete --force "$ID"
}

@test "exec: options that --process leaves without meaning are refused, as are malformed ones" {
    sleeping_container
    jq '.process' config.json >process.json
    for option in --cwd=/ --user=1 --env=A=b --additional-gids=1 --cap=CAP_KILL --apparmor=x --process-label=x --no-new-privs; do
        fails 255 "${option%%=*}" --process -- rt exec --process process.json "$option" "$ID"
    done
    fails 255 command --process -- rt exec --process process.json "$ID" /probe exit 0
    fails 255 command -- rt exec "$ID"
    fails 255 NAME=VALUE -- rt exec --env novalue "$ID" /probe exit 0
    fails 255 NAME=VALUE -- rt exec --env =value "$ID" /probe exit 0
    fails 255 CAP_NONSENSE -- rt exec --cap CAP_NONSENSE "$ID" /probe exit 0
    fails 255 --cwd -- rt exec --cwd relative "$ID" /probe exit 0
    fails 1 invalidflag -- rt exec --invalidflag "$ID" /probe exit 0
    silently rt delete --force "$ID"
}

@test "exec: labels that this host cannot apply are refused" {
    needs no-apparmor
    sleeping_container
    fails 255 AppArmor -- rt exec --apparmor some-profile "$ID" /probe exit 0
    [[ -e /sys/fs/selinux/enforce ]] || fails 255 SELinux -- rt exec --process-label system_u:system_r:x_t:s0 "$ID" /probe exit 0
    inside_report --apparmor unconfined
    silently rt delete --force "$ID"
}

@test "exec: the profile of the container confines the process too, and --apparmor chooses another" {
    needs apparmor apparmor_parser
    local name=crun-lite-exec-$$
    printf 'profile %s flags=(attach_disconnected) { file, capability, signal, }\nprofile %s-2 flags=(attach_disconnected) { file, capability, signal, }\n' \
        "$name" "$name" | apparmor_parser --replace --skip-cache
    config '.process.apparmorProfile = $p' --arg p "$name"
    sleeping_container
    inside_report
    expect --arg p "$name" '.apparmor | startswith($p + " ")'
    by_document 'del(.apparmorProfile)'
    expect --arg p "$name" '.apparmor | startswith($p + " ")'
    inside_report --apparmor "$name-2"
    expect --arg p "$name-2" '.apparmor | startswith($p + " ")'
    silently rt delete --force "$ID"
}

@test "exec: HOME comes from the container's passwd, LISTEN_FDS and --preserve-fds from the caller" {
    echo 'someone:x:77:77::/tmp:/bin/sh' >rootfs/etc/passwd
    sleeping_container
    inside_report --user 77
    expect '.env | contains(["HOME=/tmp"])'
    run -0 --separate-stderr rt exec "$ID" /probe report 3</etc/hostname 4</etc/hostname
    expect '.fds | keys == ["0", "1", "2"]'
    run -0 --separate-stderr rt exec --preserve-fds 1 "$ID" /probe report 3</etc/hostname 4</etc/hostname
    expect '.fds | keys == ["0", "1", "2", "3"]'
    # shellcheck disable=SC2016
    fails 255 "descriptor 4" -- bash -c 'exec "$CRUN_LITE" --root "$STATE" exec --preserve-fds 2 "$1" /probe report 3</etc/hostname 4>&-' - "$ID"
    # shellcheck disable=SC2016
    run -0 --separate-stderr bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$CRUN_LITE" --root "$STATE" exec "$1" /probe report 3</etc/hostname 4>&-' - "$ID"
    expect '(.fds | keys == ["0", "1", "2", "3"]) and ([.env[] | select(startswith("LISTEN_"))] | sort) == ["LISTEN_FDS=1", "LISTEN_PID=\(.pid)"]'
    silently rt delete --force "$ID"
}

@test "exec: the keyring of the container, or the caller's where the container has none of its own" {
    needs root
    sleeping_container
    inside_report
    expect --arg name "_ses.$ID" '.session_keyring_description | endswith($name)'
    silently rt delete --force "$ID"
    sleeping_container --no-new-keyring
    inside_report
    expect --arg name "_ses.$ID" '.session_keyring_description | endswith($name) | not'
    silently rt delete --force "$ID"
}

# --- detached, foreground, terminals -----------------------------------------------------------------------------------

@test "exec --detach with --pid-file, which replaces what is there" {
    local pid
    sleeping_container
    : >"$BATS_TEST_TMPDIR/pid"
    rt exec --detach --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" /probe sleep </dev/null >"$BATS_TEST_TMPDIR/quiet" 2>&1 3>&- 4>&-
    [[ ! -s $BATS_TEST_TMPDIR/quiet ]]
    pid=$(<"$BATS_TEST_TMPDIR/pid")
    [[ $(ns_of "$pid" pid) == "$(ns_of "$(container_pid "$ID")" pid)" ]]
    # Written as digits and nothing else.
    [[ $(wc -c <"$BATS_TEST_TMPDIR/pid") == "${#pid}" ]]
    # The reaper's child, not ours.
    [[ $(awk '/^PPid/ {print $2}' "/proc/$pid/status") != "$$" ]]
    (cd "$BATS_TEST_TMPDIR" && rt exec --pid-file relative "$ID" /probe exit 0)
    [[ -s $BATS_TEST_TMPDIR/relative ]]
    silently rt delete --force "$ID"
}

@test "exec --pidfd-socket: a pidfd of the process" {
    sleeping_container
    python3 - "$SOCKET" >"$BATS_TEST_TMPDIR/got" 3>&- 4>&- <<'PYTHON' &
import array, os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
listener.settimeout(20)
connection, _ = listener.accept()
data, ancillary, _, _ = connection.recvmsg(100, socket.CMSG_SPACE(4))
fd = array.array("i", ancillary[0][2])[0]
print([line for line in open(f"/proc/self/fdinfo/{fd}") if line.startswith("Pid:")][0].split()[1])
PYTHON
    HELPER=$!
    wait_until test -S "$SOCKET"
    rt exec --detach --pid-file pid --pidfd-socket "$SOCKET" "$ID" /probe sleep </dev/null >/dev/null 2>&1 3>&- 4>&-
    wait "$HELPER"
    [[ $(<"$BATS_TEST_TMPDIR/got") == "$(<pid)" ]]
    silently rt delete --force "$ID"
}

@test "exec in the foreground passes signals on" {
    sleeping_container
    "$CRUN_LITE" --root "$STATE" exec "$ID" /probe trap USR1 21 >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- &
    HELPER=$!
    wait_until output_has ready
    kill -USR1 "$HELPER"
    exits 21 "$HELPER"
    output_has "got 10"
    silently rt delete --force "$ID"
}

@test "exec --tty: the caller's terminal is relayed, the exit status comes through" {
    sleeping_container
    run script -qec "stty rows 37 cols 123; '$CRUN_LITE' --root '$STATE' exec -t --user 44 '$ID' /probe report; echo after=\$? \$(stty -a | grep -o -- '-\?echo ')" /dev/null </dev/null
    [[ $output == *"after=0 echo"* ]]
    # `script` types an end, whose echo comes at any moment.
    output=$(tr -d '\r' <<<"$output" | sed -n 's/\^@//g; s/^[^{]*\({"pid"\)/\1/p')
    expect '.tty == "/dev/pts/0" and .controlling_tty and .rows == 37 and .columns == 123 and .stdio_tty == [1, 1, 1]'
    run script -qec "'$CRUN_LITE' --root '$STATE' exec -t '$ID' /probe exit 12; echo after=\$?" /dev/null </dev/null
    [[ $output == *"after=12"* ]]
    silently rt delete --force "$ID"
}

@test "exec --console-socket: detached, by option and by document alone" {
    local way
    sleeping_container
    jq '.process | .args = ["/probe", "report"] | .terminal = true | .consoleSize = {"height": 33, "width": 111}' config.json >process.json
    for way in option document; do
        python3 "$BATS_TEST_DIRNAME/receive-fd.py" "$SOCKET" relay >"$BATS_TEST_TMPDIR/terminal" 2>&1 3>&- 4>&- &
        HELPER=$!
        wait_until test -e "$SOCKET.ready"
        if [[ $way == option ]]; then
            rt exec -d --console-socket "$SOCKET" --tty "$ID" /probe report
        else
            rt exec --detach --console-socket "$SOCKET" --process process.json "$ID"
        fi
        wait "$HELPER"
        output=$(tail -n +2 "$BATS_TEST_TMPDIR/terminal" | tr -d '\r')
        expect '.tty == "/dev/pts/0" and .controlling_tty'
        rm "$SOCKET" "$SOCKET.ready"
    done
    expect '.rows == 33 and .columns == 111'
    fails 255 console-socket -- rt exec --detach --tty "$ID" /probe exit 0
    fails 255 console-socket -- rt exec --console-socket "$SOCKET" "$ID" /probe exit 0
    fails 255 absent.sock -- rt exec --tty --console-socket absent.sock "$ID" /probe exit 0
    silently rt delete --force "$ID"
}

# --- what fails ----------------------------------------------------------------------------------------------------------

@test "exec: what cannot be executed, in the words that engines match, with their codes and no pid file" {
    sleeping_container
    printf 'nonsense' >rootfs/data/format
    printf '#!/no/interpreter\n' >rootfs/data/script
    chmod 755 rootfs/data/format rootfs/data/script
    before=$(cd "/sys/fs/cgroup$TEST_CGROUP/$ID" 2>/dev/null && find . && cat cgroup.procs)
    fails 127 "executable file \`nonexistent\`" "$M_ARGV0_IN_PATH" -- rt exec --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" nonexistent
    fails 127 /no/such "$M_ENOENT" -- rt exec --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" /no/such
    fails 126 /etc/marker "$M_EACCES" -- rt exec --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" /etc/marker
    fails 126 /etc -- rt exec --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" /etc
    fails 126 "$M_EXEC_FORMAT" -- rt exec --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" /data/format
    fails 127 "$M_ENOENT" -- rt exec --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" /data/script
    fails 255 "$M_CWD" -- rt exec --cwd /etc/marker/x --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" /probe report
    [[ ! -e $BATS_TEST_TMPDIR/pid ]]
    # Nothing is left of them, and the container did not notice.
    [[ $(cd "/sys/fs/cgroup$TEST_CGROUP/$ID" 2>/dev/null && find . && cat cgroup.procs) == "$before" ]]
    is_status "$ID" running
    # One that cannot be told to the caller is ended again.
    fails 255 "pid file" /no/such/pid -- rt exec --pid-file /no/such/pid "$ID" /probe sleep
    alone
    silently rt delete --force "$ID"
}

@test "exec: a failure is one JSON object in the log and one line on stderr" {
    sleeping_container
    run --separate-stderr rt --log "$BATS_TEST_TMPDIR/log.json" --log-format json exec "$ID" nonexistent
    [[ $status == 127 && ${#stderr_lines[@]} == 1 ]]
    [[ $(jq -r '.level + " " + .msg' "$BATS_TEST_TMPDIR/log.json") == "error ${stderr#crun-lite: }" ]]
    silently rt delete --force "$ID"
}

@test "exec in a stopped container, in none, and in one being made" {
    fails 255 "$M_NO_CONTAINER" -- rt exec "$ID" /probe exit 0
    sleeping_container
    rt kill "$ID" KILL
    status_becomes "$ID" stopped
    fails 255 "$M_EXEC_STOPPED" "is not running" -- rt exec "$ID" /probe exit 0
    silently rt delete "$ID"
}

# spec: CGF-01 CGF-02 CGF-03
# A full queue of the console socket holds exec between its look at the container and its process.
@test "exec into a container that is paused meanwhile is refused, too: nobody waits, and no process is left" {
    local executing listener
    sleeping_container
    jq '.process | .terminal = true' config.json >process.json
    python3 - "$SOCKET" 3>&- 4>&- <<'PYTHON' &
import os, socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(0)
first = socket.socket(socket.AF_UNIX)
first.connect(sys.argv[1])
open("full", "w").close()
while not os.path.exists("paused"):
    time.sleep(0.02)
kept = [listener.accept() for _ in range(2)]
time.sleep(60)
PYTHON
    listener=$!
    HELPER=$listener
    wait_until test -e full
    "$CRUN_LITE" --root "$STATE" exec --process process.json --console-socket "$SOCKET" --detach "$ID" 2>err 3>&- 4>&- &
    executing=$!
    connects() { [[ $(<"/proc/$executing/wchan") == unix_* ]]; }
    wait_until connects
    rt pause "$ID"
    : >paused
    exits 255 "$executing"
    says "$(<err)" "$M_EXEC_PAUSED (use --ignore-paused to override)"
    run -0 rt ps --format json "$ID"
    expect 'length == 1'
    rt resume "$ID"
    run -0 rt exec "$ID" /probe say alive
    [[ $output == alive ]]
    silently rt delete --force "$ID"
}

@test "exec in a paused container is refused; with --ignore-paused the process waits for resume" {
    local pid
    sleeping_container
    rt pause "$ID"
    fails 255 "$M_EXEC_PAUSED (use --ignore-paused to override)" -- rt exec "$ID" /probe exit 0
    "$CRUN_LITE" --root "$STATE" exec --ignore-paused "$ID" /probe exit 23 3>&- 4>&- &
    HELPER=$!
    wait_until joiner_is_there
    is_status "$ID" paused
    rt resume "$ID"
    exits 23 "$HELPER"
    # Whoever waits may give up.
    rt pause "$ID"
    "$CRUN_LITE" --root "$STATE" exec --ignore-paused "$ID" /probe write /tmp/alive x 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- &
    HELPER=$!
    wait_until joiner_is_there
    kill -TERM "$HELPER"
    exits 255 "$HELPER"
    says "$(<"$BATS_TEST_TMPDIR/err")" interrupted
    [[ -z $(joiner_pid) ]]
    rt resume "$ID"
    # One whose runtime is killed meanwhile does not come to life.
    rt pause "$ID"
    "$CRUN_LITE" --root "$STATE" exec --ignore-paused "$ID" /probe write /tmp/alive x 3>&- 4>&- &
    HELPER=$!
    wait_until joiner_is_there
    pid=$(joiner_pid)
    kill -KILL "$HELPER"
    rt resume "$ID"
    wait_until test ! -e "/proc/$pid"
    [[ ! -e rootfs/tmp/alive ]]
    silently rt delete --force "$ID"
}

# Everybody in the container's cgroup but its init.
joiner_pid() { rt ps --format json "$ID" | jq --argjson init "$(container_pid "$ID")" '.[] | select(. != $init)'; }
joiner_is_there() { [[ -n $(joiner_pid) ]]; }

@test "exec in a created container works, and its start does too" {
    program sleep
    create_container
    run -6 rt exec "$ID" /probe exit 6
    inside_report
    expect_same_namespaces
    is_status "$ID" created
    silently rt start "$ID"
    is_status "$ID" running
    silently rt delete --force "$ID"
}

@test "exec killed at any moment leaves no process of its own, and the container alone" {
    needs delegated_cgroup
    local moment
    sleeping_container
    for moment in 0 0.0005 0.001 0.0015 0.002 0.0025 0.003 0.004 0.005 0.01; do
        "$CRUN_LITE" --root "$STATE" exec "$ID" /probe exit 0 >/dev/null 2>&1 3>&- 4>&- &
        HELPER=$!
        sleep "$moment"
        kill -KILL "$HELPER" 2>/dev/null || true
        wait "$HELPER" 2>/dev/null || true
    done
    wait_until alone
    is_status "$ID" running
    run -4 rt exec "$ID" /probe exit 4
    silently rt delete --force "$ID"
}
alone() { [[ $(rt ps --format json "$ID" | jq -c length) == 1 ]]; }

# --- kinds of containers -------------------------------------------------------------------------------------------------

@test "exec: a user namespace, entered by the host's root" {
    chown -R 200000:200000 rootfs
    config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 200000, "size": 1000}]
        | .linux.gidMappings = .linux.uidMappings | .root.readonly = false'
    sleeping_container
    inside_report --user 3:4 -g 5
    expect_same_namespaces
    expect '.uid == 3 and .gid == 4 and .groups == [5]'
    run -0 rt exec "$ID" /probe write /data/made x
    [[ $(stat -c %u:%g rootfs/data/made) == 200000:200000 ]]
    # A missing working directory is made by the container's root.
    inside_report --cwd /data/new/dir
    [[ $(stat -c %u:%g rootfs/data/new/dir) == 200000:200000 ]]
    fails 255 77777 uidMappings -- rt exec --user 77777 "$ID" /probe exit 0
    run script -qec "'$CRUN_LITE' --root '$STATE' exec -t '$ID' /probe exit 12; echo after=\$?" /dev/null </dev/null
    [[ $output == *"after=12"* ]]
    silently rt delete --force "$ID"
}

@test "exec: groups of the caller do not enter a user namespace that denies setgroups" {
    config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 1}]
        | .linux.gidMappings = .linux.uidMappings | .mounts |= map(select(.destination != "/dev/pts"))'
    # Only an unprivileged maker's namespace denies them.
    unshare --user --map-root-user sleep 60 3>&- 4>&- &
    HELPER=$!
    wait_until has_own user
    wait_until denies_setgroups
    config 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(if .type == "user" then .path = $p else . end)' --arg p "/proc/$HELPER/ns/user"
    sleeping_container
    run -0 --separate-stderr setpriv --groups 0,4,20 "$CRUN_LITE" --root "$STATE" exec "$ID" /probe report
    expect '.setgroups == "deny" and .groups == [] and (.status.Groups | test("^ *$"))'
    silently rt delete --force "$ID"
}

@test "exec: joined namespaces, a shared pid namespace, no new time namespace" {
    local other
    unshare --net --ipc --uts --fork --pid --mount-proc --kill-child sleep 100 3>&- 4>&- &
    HELPER=$!
    wait_until pgrep -P "$HELPER"
    other=$(pgrep -P "$HELPER")
    config 'del(.hostname) | .linux.namespaces |= map(if .type == "network" or .type == "ipc" or .type == "uts" or .type == "pid"
        then .path = "/proc/\($p)/ns/\({"network": "net"}[.type] // .type)" else . end)' --argjson p "$other"
    sleeping_container
    inside_report
    expect_same_namespaces
    silently rt delete --force "$ID"
}

@test "exec: no pid namespace, and no namespaces at all but mount" {
    local kinds
    for kinds in '.type != "pid"' '.type == "mount"'; do
        config ".linux.namespaces |= map(select($kinds)) | del(.hostname)"
        config '.mounts |= map(select(.type != "sysfs" and .type != "mqueue")) | .linux.readonlyPaths = []'
        sleeping_container
        inside_report
        expect_same_namespaces
        [[ $(jq .pid <<<"$output") -gt 100 ]]
        run -3 rt exec "$ID" /probe exit 3
        silently rt delete --force "$ID"
    done
}

@test "exec: time namespace with offsets" {
    needs time_namespaces
    config '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"boottime": {"secs": 100000, "nanosecs": 5}}'
    sleeping_container
    inside_report
    expect_same_namespaces
    run -0 rt exec "$ID" /probe cat /proc/uptime
    [[ ${output%%.*} -gt 100000 ]]
    silently rt delete --force "$ID"
}

@test "exec: a mount namespace by path and none at all: the root is the container's" {
    unshare --mount --propagation private sleep 100 3>&- 4>&- &
    HELPER=$!
    wait_until has_own mnt
    cp config.json saved.json
    config '.mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths) | .root.readonly = false
        | .linux.namespaces |= map(if .type == "mount" then .path = "/proc/\($p)/ns/mnt" else . end)' --argjson p "$HELPER"
    sleeping_container
    run -0 rt exec "$ID" /probe cat /etc/marker
    [[ $output == inside ]]
    silently rt delete --force "$ID"
    cp saved.json config.json
    config '.mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths) | .root.readonly = false | .linux.namespaces |= map(select(.type != "mount"))'
    sleeping_container
    run -0 rt exec "$ID" /probe cat /etc/marker
    [[ $output == inside ]]
    silently rt delete --force "$ID"
}

@test "exec after --no-pivot" {
    sleeping_container --no-pivot
    run -0 rt exec "$ID" /probe cat /etc/marker
    [[ $output == inside ]]
    silently rt delete --force "$ID"
}

# --- cgroups -------------------------------------------------------------------------------------------------------------

@test "exec --cgroup-manager disabled: the process stays in its caller's cgroup" {
    program sleep
    rt --cgroup-manager disabled run --detach "$ID" >/dev/null 2>&1 </dev/null 3>&- 4>&-
    inside_report
    fails 255 --cgroup -- rt exec --cgroup x "$ID" /probe exit 0
    silently rt delete --force "$ID"
}

group() { echo "/sys/fs/cgroup$TEST_CGROUP/$ID"; }
cgroup_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }
exec_in_background() { rt exec --detach --pid-file pid "$@" "$ID" /probe sleep </dev/null >/dev/null 2>&1 3>&- 4>&-; }

@test "exec --cgroup: an existing cgroup below the container's, and nothing else" {
    needs delegated_cgroup
    local path
    sleeping_container
    mkdir -p "$(group)/a/b"
    exec_in_background --cgroup /a/b
    [[ $(cgroup_of "$(<pid)") == "$TEST_CGROUP/$ID/a/b" ]]
    exec_in_background --cgroup a
    [[ $(cgroup_of "$(<pid)") == "$TEST_CGROUP/$ID/a" ]]
    exec_in_background --cgroup /
    [[ $(cgroup_of "$(<pid)") == "$TEST_CGROUP/$ID" ]]
    for path in ../x /../x a/../../x a/.. ..; do
        fails 255 --cgroup -- rt exec --cgroup "$path" "$ID" /probe exit 0
    done
    fails 255 absent "$M_ENOENT" -- rt exec --cgroup absent "$ID" /probe exit 0
    silently rt delete --force "$ID"
}

@test "exec: where the container's cgroup takes no process, into that of its init" {
    needs delegated_cgroup
    # Those of domains only: below the others processes may be above too.
    local controller
    controller=$(grep -oEw -m 1 'memory|io|hugetlb|rdma|misc' "/sys/fs/cgroup$TEST_CGROUP/cgroup.subtree_control" | head -n 1)
    [[ -n $controller ]] || lacks domain_controller
    sleeping_container
    # As an init does that is a manager of its own: first itself, then the controllers.
    mkdir "$(group)/init.scope"
    container_pid "$ID" >"$(group)/init.scope/cgroup.procs"
    exec_in_background
    [[ $(cgroup_of "$(<pid)") == "$TEST_CGROUP/$ID" ]]
    kill -9 "$(<pid)"
    # Read each time anew: a process that was just killed may need a moment.
    nobody_left() { [[ -z $(<"$(group)/cgroup.procs") ]]; }
    wait_until nobody_left
    echo "+$controller" >"$(group)/cgroup.subtree_control"
    if echo $$ >"$(group)/cgroup.procs" 2>/dev/null; then
        echo $$ >"/sys/fs/cgroup$TEST_CGROUP/runner/cgroup.procs"
        echo "$controller tolerates processes above" >&2
        return 1
    fi
    exec_in_background
    [[ $(cgroup_of "$(<pid)") == "$TEST_CGROUP/$ID/init.scope" ]]
    run -7 rt exec "$ID" /probe exit 7
    # Asked for in words there is no second choice.
    fails 255 "Device or resource busy" -- rt exec --cgroup / "$ID" /probe exit 0
    silently rt delete --force "$ID"
}

@test "exec into a cgroup whose processes were killed once" {
    needs delegated_cgroup
    sleeping_container
    mkdir "$(group)/sub"
    echo 1 >"$(group)/sub/cgroup.kill"
    exec_in_background --cgroup sub
    [[ $(cgroup_of "$(<pid)") == "$TEST_CGROUP/$ID/sub" ]]
    run -7 rt exec --cgroup sub "$ID" /probe exit 7
    silently rt delete --force "$ID"
}

@test "exec: into the scope of the systemd driver, whoever calls" {
    needs systemd
    config '.linux.cgroupsPath = $p' --arg p "system.slice:crunlite:$ID"
    program sleep
    "$CRUN_LITE" --systemd-cgroup --root "$STATE" run --detach "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
    exec_in_background
    [[ $(cgroup_of "$(<pid)") == */system.slice/crunlite-$ID.scope ]]
    run -5 rt --systemd-cgroup exec "$ID" /probe exit 5
    silently rt delete --force "$ID"
}

# --- seccomp, scheduling, CPUs -------------------------------------------------------------------------------------------

# spec: SECC-21
@test "exec gets the container's seccomp filter, with and without no_new_privs" {
    local privileges
    config '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat", "mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}'
    for privileges in true false; do
        config ".process.noNewPrivileges = $privileges"
        sleeping_container
        run -0 --separate-stderr rt exec --user 5 "$ID" /probe syscall mkdirat -100 0 0
        expect '.errno == "EOPNOTSUPP"'
        inside_report --user 5
        expect '.status.Seccomp == "2" and .status.Seccomp_filters == "1" and .status.CapEff == "0000000000000000"'
        silently rt delete --force "$ID"
    done
}

# spec: SECN-01 SECN-03 SECN-04 SECN-05 SECN-07 SECN-08 SECN-10 SECN-12 SECN-13 SECN-14 SECN-16
@test "exec: the seccomp agent gets a listener for the new process, of a running container" {
    config '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": $p, "listenerMetadata": "meta",
        "syscalls": [{"names": ["getppid"], "action": "SCMP_ACT_NOTIFY"}]} | .process.noNewPrivileges = true' --arg p "$SOCKET"
    program sleep
    python3 "$BATS_TEST_DIRNAME/notify-agent.py" "$SOCKET" 1 4242 2 >"$BATS_TEST_TMPDIR/agent" 2>&1 3>&- 4>&- &
    HELPER=$!
    wait_until test -e "$SOCKET.ready"
    program syscall getppid + sleep
    run_detached
    run -0 --separate-stderr rt exec --pid-file pid "$ID" /probe syscall getppid
    expect '.result == 4242'
    wait "$HELPER"
    output=$(tail -1 "$BATS_TEST_TMPDIR/agent")
    expect --argjson pid "$(<pid)" --argjson init "$(container_pid "$ID")" --arg id "$ID" \
        '.fds == 1 and .calls == 1 and (.state | .fds == ["seccompFd"] and .pid == $pid and .metadata == "meta"
            and .state.pid == $init and .state.status == "running" and .state.id == $id and (.ociVersion | test("^1\\.[0-9]+\\.[0-9]+")))'
    output=$(head -1 "$BATS_TEST_TMPDIR/agent") expect --argjson init "$(container_pid "$ID")" '.state.pid == $init and .state.state.status == "creating"'
    # Nobody listens any more: the process is not started without its agent.
    fails 255 "$SOCKET" -- rt exec "$ID" /probe exit 0
    silently rt delete --force "$ID"
}

# spec: SCHED-13 PERS-04
@test "exec: scheduler, I/O priority and personality, of the container and of the document" {
    config '.process.scheduler = {"policy": "SCHED_BATCH", "nice": 5} | .process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 6}
        | .linux.personality = {"domain": "LINUX32"}
        | .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["personality", "sched_setattr", "ioprio_set"], "action": "SCMP_ACT_ERRNO"}]}'
    sleeping_container
    inside_report
    # The filter forbids the probe to ask for its personality, too; the machine's name shows it.
    expect '.sched_policy == 3 and .nice == 5 and .ioprio == 16390 and (.machine | test("^(i686|armv8l)$"))'
    by_document '.scheduler = {"policy": "SCHED_IDLE"} | .ioPriority = {"class": "IOPRIO_CLASS_IDLE", "priority": 0}'
    expect '.sched_policy == 5 and .ioprio == 24576'
    silently rt delete --force "$ID"
}

affinity() { config '.process.execCPUAffinity = $a' --argjson a "$1"; }

# spec: AFF-01 AFF-02 AFF-04 AFF-05
@test "execCPUAffinity: final and initial, for exec alone" {
    needs processors_0_and_1
    affinity '{"final": "1"}'
    run_ok
    expect '.affinity | length > 1'
    sleeping_container
    inside_report
    expect '.affinity == [1]'
    by_document 'del(.execCPUAffinity)'
    expect '.affinity == [1]'
    # What becomes of it in the container's cgroup is the kernel's matter: before 6.2 a cpuset took it back.
    by_document '.execCPUAffinity = {"initial": "0", "final": ""}'
    expect '.affinity | . == [0] or length > 1'
    by_document '.execCPUAffinity = {"initial": "0", "final": "0-1, 1"}'
    expect '.affinity == [0, 1]'
    silently rt delete --force "$ID"
}

# spec: AFF-03
@test "execCPUAffinity: initial holds when the process comes into the container's cgroup, final comes after" {
    needs processors_0_and_1
    affinity '{"initial": "0", "final": "1"}'
    sleeping_container
    rt pause "$ID"
    "$CRUN_LITE" --root "$STATE" exec --ignore-paused "$ID" /probe report >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- &
    HELPER=$!
    wait_until joiner_is_there
    # Frozen in the cgroup before its first instruction: final has not been set yet.  KERNEL(6.2): a cpuset leaves initial.
    [[ $(sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$(joiner_pid)/status") == 0 ]] ||
        { has controller:cpuset && [[ $(printf '%s\n' 6.2 "$(uname -r)" | sort -V | head -n 1) != 6.2 ]]; }
    rt resume "$ID"
    exits 0 "$HELPER"
    output=$(<"$BATS_TEST_TMPDIR/out")
    expect '.affinity == [1]'
    silently rt delete --force "$ID"
}

# spec: AFF-06
@test "execCPUAffinity: malformed and impossible lists are refused, at create already" {
    local list member
    for list in 0-a 3-1 1- -1 "," "0,,1" "0,1," "1 2" 99999 8192; do
        for member in initial final; do
            affinity "{\"$member\": \"$list\"}"
            fails 1 "/process/execCPUAffinity/$member" -- rt create "$ID"
        done
    done
    # Well-formed, and nowhere to run.
    affinity '{"final": "8191"}'
    sleeping_container
    fails 255 8191 /process/execCPUAffinity/final -- rt exec "$ID" /probe exit 0
    silently rt delete --force "$ID"
}

# spec: AFF-07
@test "without execCPUAffinity neither init nor exec keeps the runtime's own CPU affinity" {
    needs processors_0_and_1
    run -0 --separate-stderr taskset -c 0 "$CRUN_LITE" --root "$STATE" run "$ID"
    expect '.affinity | length > 1'
    sleeping_container
    run -0 --separate-stderr taskset -c 0 "$CRUN_LITE" --root "$STATE" exec "$ID" /probe report
    expect '.affinity | length > 1'
    silently rt delete --force "$ID"
}

@test "execCPUAffinity: initial outside of the cpuset: the kernel decides" {
    needs controller:cpuset
    needs processors_0_and_1
    config '.linux.resources.cpu = {"cpus": "1"}'
    affinity '{"initial": "0"}'
    sleeping_container
    inside_report
    expect '.affinity == [1]'
    silently rt delete --force "$ID"
}

# --- security ------------------------------------------------------------------------------------------------------------

# CVE-2016-9962: the spy has the joiner's user and capabilities and lives in its pid namespace.
@test "security: a process of the container can neither trace the joiner nor see its descriptors" {
    config '.process.user = {"uid": 1000, "gid": 1000} | .process.capabilities = {}'
    # Not readable, so not dumpable either once it is executed: whatever the spy gets is from before.
    cp --remove-destination rootfs/probe rootfs/secret
    chmod 0111 rootfs/secret
    program spy
    run_detached
    for _ in {1..150}; do
        rt exec "$ID" /secret exit 0
    done
    rt kill "$ID" TERM
    status_becomes "$ID" stopped
    output=$(<"$BATS_TEST_TMPDIR/out")
    expect '.met > 20 and .traced == 0 and .links == []'
    rt delete "$ID"
    # The spy is able: an ordinary program is traced and looked into.
    run_detached
    rt exec --detach "$ID" /probe sleep 1 >/dev/null 2>&1 </dev/null 3>&- 4>&-
    sleep 0.3
    rt kill "$ID" TERM
    status_becomes "$ID" stopped
    output=$(<"$BATS_TEST_TMPDIR/out")
    expect '.traced == 1 and (.links | index("/dev/null") != null)'
    rm -f rootfs/secret
    rt delete "$ID"
}

# CVE-2024-21626
@test "security: no working directory leads out through a descriptor" {
    local number
    sleeping_container
    for number in {3..24}; do
        run --separate-stderr rt exec --cwd "/proc/self/fd/$number" "$ID" /probe report 3</ 4</etc
        [[ $status != 0 ]] || expect '.cwd | startswith("/")'
        [[ $status == 255 ]] || { echo "descriptor $number: exit $status" >&2; return 1; }
        run --separate-stderr rt exec "$ID" "/proc/self/fd/$number/probe" exit 0
        [[ $status == 127 || $status == 126 ]]
    done
    silently rt delete --force "$ID"
}

# CVE-2019-5736
@test "security: exec of /proc/self/exe cannot write the runtime" {
    local before
    before=$(sha256sum "$CRUN_LITE")
    sleeping_container
    # The image's program is the runtime itself: it runs, as a program like any other.
    run --separate-stderr rt exec --user 0 "$ID" /proc/self/exe --version
    [[ $status == 0 && $output == "crun-lite version"* ]] || [[ $status == 127 || $status == 126 ]]
    for _ in {1..20}; do
        rt exec --detach "$ID" /proc/self/exe --version >/dev/null 2>&1 </dev/null 3>&- 4>&- || true
        run --separate-stderr rt exec "$ID" /probe try-open /proc/self/exe w
        [[ $output != *'"errno":null'* ]]
    done
    [[ $(sha256sum "$CRUN_LITE") == "$before" ]]
    silently rt delete --force "$ID"
}

# The init of `run` is in the namespaces of its container before it is in their root: the host's files would be those of the joiner.
@test "security: exec during the start of run waits until init is in its root" {
    local outside=$BATS_TEST_TMPDIR/outside runtime host tries
    cp "$PROBE" "$outside"
    host=$(ns_of self net)
    # Mounts take time.
    config '.mounts += [range(100) | {"destination": "/data/\(.)", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]}] | .root.readonly = false'
    program sleep
    for _ in {1..3}; do
        rt_background run "$ID" >/dev/null </dev/null
        runtime=$!
        for ((tries = 0; tries < 1000; tries++)); do
            ! rt exec "$ID" "$outside" exit 0 2>/dev/null || { echo 'a program of the host was executed' >&2; return 1; }
            run --separate-stderr rt exec "$ID" /probe report
            [[ $status != 0 ]] || break
        done
        expect --arg host "$host" '.namespaces.net != $host and .hostname == "box"'
        rt delete --force "$ID"
        wait "$runtime" || true
    done
}

@test "security: /dev/null of the caller is the container's own" {
    local inside
    sleeping_container
    inside_report
    inside=$(jq '.dev.null.filesystem' <<<"$output")
    run --separate-stderr rt exec "$ID" /probe fstat 0 </dev/null
    expect --argjson inside "$inside" '.filesystem == $inside'
    silently rt delete --force "$ID"
}
