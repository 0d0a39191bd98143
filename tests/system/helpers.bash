# Loaded by every .bats file.  A test gets a bundle of its own in $BUNDLE (rootfs with the probe and nothing else), a
# container id in $ID and a state directory in $STATE; after it, teardown insists that nothing is left on the host.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/messages.bash"

# --- the runtime -----------------------------------------------------------------------------------------------------

rt() { "$CRUN_LITE" --root "$STATE" "$@"; }

# Background processes must not hold bats' own descriptor.
rt_background() { "$CRUN_LITE" --root "$STATE" "$@" 3>&- 4>&- & }

runtime_is() { [[ ${CRUN_LITE##*/} == "$1"* ]]; }

# --- what this host has ------------------------------------------------------------------------------------------------

has() {
    case $1 in
    controller:*) grep -qw "${1#*:}" /sys/fs/cgroup/cgroup.controllers ;;
    no-controller:*) ! has "${1#no-}" ;;
    delegated_cgroup) [[ -n ${TEST_CGROUP-} ]] ;;
    controllers_are_enabled) [[ -n $(<"/sys/fs/cgroup$TEST_CGROUP/cgroup.subtree_control") ]] ;;
    sys_resource) capable 24 ;;
    no-sys_resource) ! has sys_resource ;;
    root) [[ $EUID == 0 ]] ;;
    systemd) [[ -d /run/systemd/system ]] ;;
    user_systemd) [[ -S /run/user/$EUID/bus ]] ;;
    apparmor) [[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) == Y ]] ;;
    no-apparmor) ! has apparmor ;;
    no-selinux) [[ ! -d /sys/fs/selinux ]] ;;
    no-resctrl) [[ ! -d /sys/fs/resctrl ]] ;;
    time_namespaces) [[ -e /proc/self/timens_offsets ]] ;;
    pressure) [[ -e /proc/pressure/memory ]] ;;
    numa) [[ -d /sys/devices/system/node ]] ;;
    two_processors) (($(nproc) > 1)) ;;
    processors_0_and_1) [[ $(taskset -cp $$) == *"0,1"* || $(taskset -cp $$) == *"0-"* ]] ;;
    systemd_driver) [[ $(rt features | jq .linux.cgroup.systemd) == true ]] ;;
    newuidmap) command -v newuidmap >/dev/null && grep -q "^$(id -un):" /etc/subuid ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

capable() { (( (16#$(awk '/^CapEff/ {print $2}' /proc/self/status) >> $1) & 1 )); }

# needs THING...: skips the test where one is missing, or fails it where nothing may be skipped.
needs() {
    local thing
    for thing in "$@"; do
        has "$thing" || lacks "$thing" || return
    done
}

# lacks THING: found out on the way, the same.
lacks() {
    if [[ ${CRUN_LITE_TESTS_MUST_RUN-} == 1 ]] && ! grep -q "^$1	$SYSTEM_TESTS_HOST	" "$BATS_TEST_DIRNAME/host-limits.tsv"; then
        echo "$1 is missing, and nothing may be skipped here" >&2
        return 1
    fi
    skip "needs $1"
}

# --- bundle ------------------------------------------------------------------------------------------------------------

# new_bundle DIR: a root filesystem that holds the probe, the mount points and a few files to look at.
new_bundle() {
    mkdir -p "$1"/rootfs/{proc,dev,sys,tmp,bin,etc,data,mnt}
    chmod 1777 "$1/rootfs/tmp"
    cp "$PROBE" "$1/rootfs/probe"
    ln -f "$1/rootfs/probe" "$1/rootfs/bin/probe"
    echo inside >"$1/rootfs/etc/marker"
    local base
    base=$(<"$BATS_TEST_DIRNAME/base.config.json")
    # Not with jq, the slowest program of all, which is started often enough.
    [[ -z ${TEST_CGROUP-} ]] || base=${base/'"linux": {'/"\"linux\": {\"cgroupsPath\": \"$TEST_CGROUP/$ID\", "}
    echo "$base" >"$1/config.json"
}

# config FILTER [JQ OPTION...]: changes the bundle's config.json.
config() {
    local filter=$1
    shift
    jq "$filter" "$@" <"$BUNDLE/config.json" >"$BUNDLE/config.new" && mv "$BUNDLE/config.new" "$BUNDLE/config.json"
}

# The container's process becomes `probe WORDS...`.
program() { config '.process.args = ["/probe"] + $ARGS.positional' --args "$@"; }

mount_add() { config '.mounts += [$m]' --argjson m "$1"; }

common_setup() {
    umask 022
    # Ids that own nothing here must reach the bundle.
    [[ -O $BATS_RUN_TMPDIR ]] && chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
    ID=cl-$BATS_SUITE_TEST_NUMBER-$$
    BUNDLE=$BATS_TEST_TMPDIR/bundle
    new_bundle "$BUNDLE"
    MOUNTS_BEFORE=$(cut -d' ' -f1,5 /proc/self/mountinfo)
    cd "$BUNDLE" || return
}

common_teardown() {
    local failed=0
    if [[ -n ${BATS_TEST_COMPLETED-} && -z ${BATS_TEST_SKIPPED-} ]]; then
        assert_nothing_left || failed=1
    fi
    clean_up
    return "$failed"
}

setup() { common_setup; }
teardown() { common_teardown; }

# Whatever a failed test left must not spoil the next one.
clean_up() {
    local entry
    for entry in "$STATE"/cl*; do
        [[ -e $entry ]] && rt delete --force "${entry##*/}" >/dev/null 2>&1
    done
    left_processes | while read -r pid _; do kill -9 "$pid" 2>/dev/null; done
    [[ -n ${TEST_CGROUP-} ]] && find "/sys/fs/cgroup$TEST_CGROUP" -depth -mindepth 1 -type d ! -name runner \
        -exec rmdir {} + 2>/dev/null
    rm -rf "$STATE"/cl*
    return 0
}

# Processes that run this test's probe, or a runtime for this suite's state directory.  Zombies have neither.
left_processes() {
    local ours=("$CRUN_LITE") exe words
    [[ -e $BUNDLE/rootfs/probe ]] && ours+=(-o -samefile "$BUNDLE/rootfs/probe")
    # One process instead of a loop over all: bats does something of its own after every command.
    while read -r exe; do
        words=$(tr '\0' ' ' 2>/dev/null <"${exe%/exe}/cmdline") || continue
        if [[ $exe -ef $BUNDLE/rootfs/probe ]]; then
            echo "${exe//[!0-9]/} probe"
        elif [[ $words == *"$STATE"* || $words == *" init"* && $CRUN_LITE == *runc ]]; then
            echo "${exe//[!0-9]/} $words"
        fi
    done < <(find -L /proc/[0-9]*/exe -maxdepth 0 \( -samefile "${ours[@]}" \) 2>/dev/null)
    return 0
}

# A mount whose directory somebody else removed on the host meanwhile goes away everywhere: that is not ours.
mounts_are_the_same() {
    local line
    [[ $1 == "$MOUNTS_BEFORE" ]] && return
    while read -r line; do
        case $line in
        '> '*) return 1 ;;
        '< '*) [[ ! -e ${line##* } ]] || return 1 ;;
        esac
    done < <(diff <(echo "$MOUNTS_BEFORE") <(echo "$1"))
}

# No state directory, no cgroup, no process, no mount on the host.  A process that was just killed may need a moment.
assert_nothing_left() {
    local left mounts
    left=$(find "$STATE" -mindepth 1 -maxdepth 1 -name 'cl*')
    [[ -z $left ]] || { echo "state is left: $left" >&2; return 1; }
    if [[ -n ${TEST_CGROUP-} ]]; then
        # Others' cgroups may go away while find looks.
        left=$(find /sys/fs/cgroup -mindepth 1 -type d -name "*$ID*" 2>/dev/null) || true
        [[ -z $left ]] || { echo "cgroups are left: $left" >&2; return 1; }
    fi
    wait_until no_processes_left || { echo "processes are left: $(left_processes)" >&2; return 1; }
    mounts=$(cut -d' ' -f1,5 /proc/self/mountinfo)
    mounts_are_the_same "$mounts" ||
        { echo "mounts changed:"; diff <(echo "$MOUNTS_BEFORE") <(echo "$mounts"); return 1; } >&2
}

no_processes_left() { [[ -z $(left_processes) ]]; }

# --- running and looking -----------------------------------------------------------------------------------------------

# wait_until COMMAND...: up to ten seconds, or what a slow host needs.
wait_until() {
    local end=$((SECONDS + ${SYSTEM_TESTS_PATIENCE:-10}))
    while ((SECONDS <= end)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.02
    done
    echo "waited in vain for: $*" >&2
    return 1
}

# Runs the bundle in the foreground: $output and $stderr are the container's; it must exit with 0.
run_ok() {
    run --separate-stderr rt run "$@" "$ID"
    [[ $status == 0 ]] || { echo "run: exit $status, stdout: $output, stderr: $stderr" >&2; return 1; }
}

# inside WORDS...: runs `probe WORDS...` in the container.
inside() { program "$@" && run_ok; }

# The probe's report, or any JSON in $output, must make FILTER true.
expect() {
    jq -e "$@" <<<"$output" >/dev/null && return 0
    echo "not so: $*" >&2
    # What was there instead: the left side of a comparison.
    local filter=${!#}
    jq -c "${filter%% ==*}" <<<"$output" >&2 || echo "output: $output; stderr: ${stderr-}" >&2
    return 1
}

# The mount on TARGET as the report has it (the last one wins) must make FILTER true.
expect_mount() { expect --arg at "$1" "[.mounts[] | select(.target == \$at)] | last | $2"; }

says() {
    local text=$1 fragment
    shift
    for fragment in "$@"; do
        [[ $text == *"$fragment"* ]] && continue
        # Another runtime as a check of the suite itself: its capitals are its own.
        runtime_is runc && [[ ${text,,} == *"${fragment,,}"* ]] && continue
        echo "expected: $fragment" >&2
        echo "got     : $text" >&2
        return 1
    done
}

# fails CODE FRAGMENT... -- COMMAND...: exit code, and one line on stderr that holds every fragment; nothing on stdout.
fails() {
    local code=$1 fragments=()
    shift
    while [[ $1 != -- ]]; do
        fragments+=("$1")
        shift
    done
    shift
    # Not `run`: a container that is created against expectation would hold its pipe, and the test with it.
    status=0
    "$@" >"$BATS_TEST_TMPDIR/fails.out" 2>"$BATS_TEST_TMPDIR/fails.err" 3>&- 4>&- || status=$?
    output=$(<"$BATS_TEST_TMPDIR/fails.out")
    stderr=$(<"$BATS_TEST_TMPDIR/fails.err")
    [[ $status == "$code" ]] || { echo "exit $status instead of $code: $stderr" >&2; return 1; }
    [[ -z $output ]] || { echo "stdout is not empty: $output" >&2; return 1; }
    says "$stderr" "${fragments[@]}"
}

# Succeeds without a word on either stream.
silently() {
    run --separate-stderr "$@"
    [[ $status == 0 ]] || { echo "exit $status: $stderr" >&2; return 1; }
    [[ -z $output$stderr ]] || { echo "not silent: $output $stderr" >&2; return 1; }
}

# exits CODE PID: a background runtime ends with that status.  (`run wait` would ask a subshell that has no such child.)
exits() {
    local got=0
    wait "$2" || got=$?
    [[ $got == "$1" ]] || { echo "exit $got instead of $1" >&2; return 1; }
}

container_status() { rt state "$1" | jq -r .status; }
is_status() { [[ $(container_status "$1") == "$2" ]]; }
status_becomes() { wait_until is_status "$1" "$2"; }
container_pid() { rt state "$1" | jq -r .pid; }

# A container in the background with its output in $BATS_TEST_TMPDIR/out.
create_container() { rt create "$@" "$ID" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" </dev/null 3>&- 4>&-; }
run_detached() {
    rt run --detach "$@" "$ID" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" </dev/null 3>&- 4>&- ||
        { cat "$BATS_TEST_TMPDIR/err" >&2; return 1; }
}
output_has() { grep -q -- "$1" "$BATS_TEST_TMPDIR/out"; }

# --- namespaces --------------------------------------------------------------------------------------------------------

# hold FLAGS...: a process in new namespaces; HOLDER is its pid.  release_holders belongs into the file's teardown.
HOLDER=
HOLDERS=()
hold() {
    unshare "$@" --fork --kill-child=KILL sleep 1000 3>&- 4>&- &
    local waiter=$!
    HOLDER=
    holder_is_there() { HOLDER=$(pgrep -P "$waiter" -x sleep); }
    for _ in {1..200}; do holder_is_there && break; sleep 0.02; done
    HOLDERS+=("$HOLDER")
    [[ -n $HOLDER ]]
}

release_holders() {
    local pid
    for pid in "${HOLDERS[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
}

ns_of() { readlink "/proc/$1/ns/$2"; }
