# Terminals: handed to an engine by --console-socket, and in the foreground on the caller's own.
load helpers

setup() {
    common_setup
    SOCKET=$BATS_TEST_TMPDIR/console.sock
    config '.process.terminal = true'
}

teardown() {
    [[ -z ${RECEIVER-} ]] || kill "$RECEIVER" 2>/dev/null || true
    common_teardown
}

receiver() {
    python3 "$BATS_TEST_DIRNAME/receive-fd.py" "$SOCKET" "$@" >"$BATS_TEST_TMPDIR/terminal" 2>&1 3>&- 4>&- &
    RECEIVER=$!
    wait_until test -e "$SOCKET.ready"
}
terminal_has() { grep -q -- "$1" "$BATS_TEST_TMPDIR/terminal"; }

# spec: DDEV-07 TTY-01 TTY-06
@test "console-socket: one message, one descriptor, and the container on the other end" {
    receiver relay
    program report
    create_container --console-socket "$SOCKET"
    silently rt start "$ID"
    wait "$RECEIVER"
    [[ $(head -1 "$BATS_TEST_TMPDIR/terminal") =~ ^message\ [1-9][0-9]*\ 1$ ]]
    output=$(tail -n +2 "$BATS_TEST_TMPDIR/terminal" | tr -d '\r')
    expect '.tty == "/dev/pts/0" and .controlling_tty and .stdio_tty == [1, 1, 1] and .sid == 1'
    expect '.fds["0"] == "/dev/pts/0" and .dev.console.type == "char"'
    # The very terminal: the first of its devpts.
    expect '.dev.console.major == 136 and .dev.console.minor == 0'
    expect_mount /dev/console '.type == "devpts" and .root == "/0"'
    status_becomes "$ID" stopped
    silently rt delete "$ID"
}

# spec: TTY-02 TTY-06
@test "console-socket: consoleSize is the initial size; the process's user owns the terminal" {
    receiver size
    config '.process.consoleSize = {"height": 33, "width": 111} | .process.user = {"uid": 44, "gid": 55}
        | (.mounts[] | select(.type == "devpts")).options = ["newinstance", "ptmxmode=0666", "mode=0600", "gid=5"]'
    program stat /dev/pts/0
    create_container --console-socket "$SOCKET"
    wait_until terminal_has 33x111
    rt start "$ID"
    wait "$RECEIVER"
    output=$(grep uid "$BATS_TEST_TMPDIR/terminal")
    # 0620: its group, that of the devpts mount, may write to it.
    expect '.uid == 44 and .gid == 5 and .mode == 400'
    status_becomes "$ID" stopped
    silently rt delete "$ID"
}

# containerd's shim reads what `create` prints to its end: nothing of the caller's may stay open in the waiting process.
@test "console-socket: create lets go of the caller's standard streams" {
    receiver relay
    program report
    # shellcheck disable=SC2016  # the inner shell expands it
    run timeout 20 bash -c '"$@" 2>&1 </dev/null 3>&- 4>&- | cat' - "$CRUN_LITE" --root "$STATE" create --console-socket "$SOCKET" "$ID"
    [[ $status == 0 && -z $output ]]
    local pid fd
    pid=$(rt state "$ID" | jq .pid)
    for fd in 0 1 2; do
        [[ $(readlink "/proc/$pid/fd/$fd") == /dev/pts/0 ]]
    done
    rt start "$ID"
    wait "$RECEIVER"
    status_becomes "$ID" stopped
    silently rt delete "$ID"
}

@test "console-socket: typing reaches the process, resizing signals it" {
    receiver resize 21 79
    program winsize-on-winch
    create_container --console-socket "$SOCKET"
    rt start "$ID"
    wait_until terminal_has 21x79
    rt kill "$ID" TERM
    wait "$RECEIVER"
    status_becomes "$ID" stopped
    silently rt delete "$ID"
}

@test "console-socket with a path longer than sun_path" {
    SOCKET=$BATS_TEST_TMPDIR/$(printf 'long%.0s' {1..40})/console.sock
    mkdir "${SOCKET%/*}"
    receiver relay
    program say hello
    create_container --console-socket "$SOCKET"
    rt start "$ID"
    wait "$RECEIVER"
    terminal_has hello
    status_becomes "$ID" stopped
    silently rt delete "$ID"
}

@test "foreground: the caller's terminal is relayed, its size taken, and restored afterwards" {
    program report
    run script -qec "stty rows 37 cols 123; '$CRUN_LITE' --root '$STATE' run '$ID'; echo after=\$? \$(stty -a | grep -o -- '-\?echo ')" /dev/null </dev/null
    [[ $output == *"after=0 echo"* ]]
    # `script` types an end-of-file, which is echoed in front.
    output=$(tr -d '\r' <<<"$output" | sed -n 's/\^@//g; s/^[^{]*\({"pid"\)/\1/p')
    expect ".tty == \"/dev/pts/0\" and .controlling_tty"
    expect ".rows == 37"
    expect ".columns == 123"
}

@test "foreground: the exit status comes through a terminal too" {
    program exit 12
    run script -qec "'$CRUN_LITE' --root '$STATE' run '$ID'; echo after=\$?" /dev/null </dev/null
    [[ $output == *"after=12"* ]]
}

# A shell starts a job in the background, and puts it in front without SIGCONT because it was never stopped.
@test "foreground: started in the background, the terminal is relayed once the job is in front" {
    program say ready + edit-line + edit-line
    run timeout -k 5 30 python3 - "$CRUN_LITE" --root "$STATE" run "$ID" <<'PYTHON'
import os, pty, signal, sys, termios, time

def is_raw():
    return not termios.tcgetattr(terminal)[3] & termios.ICANON

def read_until(mark):
    seen = b""
    while mark not in seen:
        seen += os.read(terminal, 4096)

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])  # it may come before it is waited for
shell, terminal = pty.fork()
if shell == 0:
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.setpgid(0, 0)
        os.execv(sys.argv[1], sys.argv[1:])
    signal.sigwait([signal.SIGUSR1])
    os.tcsetpgrp(0, job)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]))
read_until(b"ready")
# The shell's, and untouched, as long as the job is not in front.
time.sleep(0.3)
assert not is_raw()
os.kill(shell, signal.SIGUSR1)
while not is_raw():
    time.sleep(0.02)
os.write(terminal, b"typed\r")
read_until(b"got typed")
os.write(terminal, b"\4")
read_until(b"end")
print("exit", os.waitstatus_to_exitcode(os.waitpid(shell, 0)[1]))
PYTHON
    [[ $status == 0 && $output == "exit 0" ]]
}

# ends_after INPUT EXPECTED COMMAND...: ten times, with a pipe that ends after INPUT in front, what the terminal says is EXPECTED.
ends_after() {
    local input=$1 expected=$2 count
    shift 2
    for count in {1..10}; do
        status=0
        # shellcheck disable=SC2059  # the input holds \n
        output=$(printf "$input" | timeout -k 5 10 "$@" 2>&1 3>&- 4>&-) || status=$?
        # What was typed before the program began is echoed in front, or not.
        output=$(tr -d '\r\0' <<<"$output" | sed -n '/^\(got\|end\)/,$p')
        [[ $status == 0 && $output == "$expected" ]] && continue
        echo "run $count: exit $status, '$output' instead of '$expected'" >&2
        return 1
    done
}

@test "foreground: the end of our input is the last that a program reads, whatever it does with its terminal" {
    # Its end was typed in canonical mode, and is lost when the editor of lines begins.
    program edit-line 50 + edit-line
    ends_after 'line\n' $'got line\nend' "$CRUN_LITE" --root "$STATE" run "$ID"
    program edit-line 50
    ends_after '' end "$CRUN_LITE" --root "$STATE" run "$ID"
    # What an editor starts reads in canonical mode again: shorter than anybody can look, and for longer.
    program edit-line 50 + echo-stdin + edit-line
    ends_after 'line\nrest\n' $'got line\nrest\nend' "$CRUN_LITE" --root "$STATE" run "$ID"
    program edit-line 50 + edit-line 300 + echo-stdin + echo-stdin
    ends_after 'line\n' $'got line\nend' "$CRUN_LITE" --root "$STATE" run "$ID"
}

@test "exec --tty: the end of our input is the last that a program reads" {
    config '.process.terminal = false'
    program sleep
    run_detached
    ends_after 'line\n' $'got line\nend' "$CRUN_LITE" --root "$STATE" exec --tty "$ID" /probe edit-line 50 + edit-line
    ends_after '' end "$CRUN_LITE" --root "$STATE" exec --tty "$ID" /probe edit-line 50
    silently rt delete --force "$ID"
}

# spec: TTY-07
@test "wrong combinations: no socket for create, a socket without terminal, an absent socket" {
    program exit 0
    fails 1 console-socket -- rt create "$ID"
    fails 1 console-socket -- rt run --detach "$ID"
    fails 1 "$BATS_TEST_TMPDIR/absent.sock" -- rt create --console-socket "$BATS_TEST_TMPDIR/absent.sock" "$ID"
    config '.process.terminal = false'
    fails 1 console-socket -- rt create --console-socket "$BATS_TEST_TMPDIR/absent.sock" "$ID"
}

@test "a terminal without devpts in the config" {
    receiver relay
    config '.mounts |= map(select(.destination != "/dev/pts"))'
    program report
    run --separate-stderr rt create --console-socket "$SOCKET" "$ID" </dev/null
    # With no devpts of its own there is no terminal inside: refused, in words that name it.
    [[ $status == 1 ]] && says "$stderr" "/dev/pt"
}

# spec: TTY-03
@test "consoleSize without a terminal has no effect, whatever it is" {
    config '.process.terminal = false | .process.consoleSize = {"height": 10, "width": 70000}'
    program report
    run_ok
    expect '.tty == null and .controlling_tty == false and .stdio_tty == [0, 0, 0] and .rows == null'
    config 'del(.process.terminal)'
    run_ok
}
