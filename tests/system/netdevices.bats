# Network devices (/linux/netDevices) that go into the container, and that come back when create fails.  The runtime runs in a network
# namespace that the test makes, which is "the host" here.
load helpers

setup() {
    common_setup
    hold --net
    HOST=$HOLDER
    host ip link set lo up
}

teardown() {
    release_holders
    common_teardown
}

host() { nsenter --net="/proc/$HOST/ns/net" "$@"; }
there() { nsenter --net="/proc/$1/ns/net" "${@:2}"; }
rt() { host "$CRUN_LITE" --root "$STATE" "$@"; }

devices() { config '.linux.netDevices = $d' --argjson d "$1"; }

# veth NAME...: a veth pair each, whose other end stays behind, with a bit of everything that has to be kept.
veth() {
    local name last=10
    for name; do
        host ip link add "$name" type veth peer name "p-$name"
        host ip link set "p-$name" up
        host ip link set "$name" mtu 1400 alias "the $name" txqueuelen 321 address "02:00:00:00:00:$last"
        host ip addr add "10.0.$last.5/24" broadcast + dev "$name"
        host ip link set "$name" up
        last=$((last + 1))
    done
}

# What has to be the same afterwards.  Words that only say how an address was checked are left out.
look() {
    { host ip -j link show dev "$1" && host ip -j addr show dev "$1"; } | jq -sc '.[0][0] * .[1][0] | [.ifindex, .ifname, .mtu, .txqlen, .address, .ifalias, .master,
        (.flags | contains(["UP"])), [.addr_info[] | select(.scope == "global") | [.family, .local, .prefixlen, .address, .broadcast, .label,
        .scope, .noprefixroute, .metric, .valid_life_time, .preferred_life_time]]]'
}

# is NAME FILTER...: the device NAME inside the container's network namespace.
is() {
    local output
    output=$({ there "$INSIDE" ip -j link show dev "$1" && there "$INSIDE" ip -j addr show dev "$1"; } |
        jq -s '.[0][0] * .[1][0] | .addrs = [.addr_info[] | "\(.local)/\(.prefixlen)"]')
    expect "${@:2}"
}

# trace CALLS WORD...: the runtime under strace, what it did in $BATS_TEST_TMPDIR/trace.  A leak check would have to trace as well.
trace() {
    ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 host strace -f -qq -s 200 -o "$BATS_TEST_TMPDIR/trace" -e "trace=$1" \
        "$CRUN_LITE" --root "$STATE" "${@:2}"
}

gone_from_host() {
    local name
    for name; do
        ! host ip link show dev "$name" >/dev/null 2>&1 || { echo "$name is still on the host" >&2; return 1; }
    done
}

# spec: NETD-01 NETD-03 NETD-07 NETD-09
@test "network devices: a moved device is inside under its new name, as it was, and up" {
    veth va vb
    local mac
    mac=$(host ip -j link show dev va | jq -r '.[0].address')
    devices '{"va": {"name": "container_eth0"}, "vb": {}}'
    program sleep
    run_detached
    INSIDE=$(container_pid "$ID")
    gone_from_host va vb container_eth0
    is container_eth0 --arg mac "$mac" '.address == $mac and .mtu == 1400 and .ifalias == "the va" and .txqlen == 321 and (.flags | contains(["UP"]))'
    is container_eth0 '.addrs | index("10.0.10.5/24") != null'
    is vb '.mtu == 1400 and .ifalias == "the vb" and (.flags | contains(["UP"])) and (.addrs | index("10.0.11.5/24") != null)'
    silently rt delete --force "$ID"
}

# spec: NETD-08
@test "network devices: permanent addresses of global scope are kept with all that is theirs, no others" {
    # What was checked on this link already is not checked inside, where that would take a second of its own.
    host sysctl -qw net.ipv6.conf.default.accept_dad=0
    veth va
    host ip addr add 10.0.10.7/24 dev va
    host ip addr add 10.0.10.8/24 dev va label va:x noprefixroute metric 77
    host ip addr add 10.2.0.1 peer 10.2.0.2/32 dev va
    host ip addr add 10.3.0.1/16 dev va scope link
    host ip addr add 10.4.0.1/24 dev va valid_lft 1000 preferred_lft 500
    host ip addr add fd00::5/64 dev va
    host ip addr add fd00::6 peer fd00::7/128 dev va noprefixroute
    host ip addr add fd00::8/64 dev va preferred_lft 0
    host ip addr add fd00::9/64 dev va valid_lft 1000 preferred_lft 500
    host ip addr add fe80::dead/64 dev va nodad
    devices '{"va": {"name": "eth0"}}'
    program sleep
    run_detached
    INSIDE=$(container_pid "$ID")
    is eth0 '[.addr_info[] | select(.family == "inet")] | map(.local) == ["10.0.10.5", "10.2.0.1", "10.0.10.7", "10.0.10.8"]'
    is eth0 '.addr_info[] | select(.local == "10.0.10.5") | .prefixlen == 24 and .broadcast == "10.0.10.255" and .label == "eth0" and .secondary == null'
    is eth0 '.addr_info[] | select(.local == "10.0.10.7") | .secondary and .label == "eth0"'
    is eth0 '.addr_info[] | select(.local == "10.0.10.8") | .secondary and .label == "eth0:x" and .noprefixroute and .metric == 77'
    is eth0 '.addr_info[] | select(.local == "10.2.0.1") | .address == "10.2.0.2" and .prefixlen == 32'
    is eth0 '[.addr_info[] | select(.family == "inet6" and .scope == "global") | .local] | sort == ["fd00::5", "fd00::6", "fd00::8"]'
    is eth0 '.addr_info[] | select(.local == "fd00::5") | .prefixlen == 64 and .tentative == null and .valid_life_time == 4294967295'
    is eth0 '.addr_info[] | select(.local == "fd00::6") | .address == "fd00::7" and .noprefixroute'
    is eth0 '.addr_info[] | select(.local == "fd00::8") | .deprecated'
    is eth0 '[.addr_info[].local] | index("fe80::dead") == null'
    silently rt delete --force "$ID"
}

# spec: NETD-06
@test "network devices: a template takes the lowest free number" {
    veth va vb eth0
    devices '{"va": {"name": "eth%d"}, "vb": {"name": "eth%d"}, "eth0": {"name": "net%d"}}'
    program sleep
    run_detached
    INSIDE=$(container_pid "$ID")
    is eth0 '.ifalias == "the va"'
    is eth1 '.ifalias == "the vb"'
    is net0 '.ifalias == "the eth0"'
    silently rt delete --force "$ID"
    # A device that has such a name already keeps it; a number that is taken is passed over.
    veth eth3 vc
    hold --net
    there "$HOLDER" ip link add eth0 type veth peer name eth1
    devices '{"eth3": {"name": "eth%d"}, "vc": {"name": "eth%d"}}'
    config '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)' --arg p "/proc/$HOLDER/ns/net"
    run_detached
    INSIDE=$HOLDER
    is eth2 '.ifalias == "the eth3"'
    is eth3 '.ifalias == "the vc"'
    silently rt delete --force "$ID"
}

# spec: NETD-04 NETD-12
@test "network devices: what cannot be moved is refused with its reason, and nothing has changed" {
    veth va
    host ip link property add dev va altname second-name
    host ip link add br0 type bridge
    local before config pointer says
    before=$(look va)
    while IFS=@ read -r config pointer says; do
        cp config.json saved.json
        config "$config"
        fails 1 "$pointer" "$says" -- rt run "$ID"
        [[ $(look va) == "$before" ]]
        host ip link show dev br0 >/dev/null
        mv saved.json config.json
    done <<'TABLE'
.linux.netDevices = {"nope0": {}}@/linux/netDevices/nope0@there is no network device 'nope0'
.linux.netDevices = {"va": {}, "n~": {}}@/linux/netDevices/n~0@there is no network device 'n~'
.linux.netDevices = {"lo": {}}@/linux/netDevices/lo@loopback device
.linux.netDevices = {"second-name": {}}@/linux/netDevices/second-name@alternative name of network device 'va'
.linux.netDevices = {"va": {}, "br0": {}}@/linux/netDevices/br0@move network device 'br0' into the container
.linux.netDevices = {"va": {"name": "a b"}}@/linux/netDevices/va/name@interface name
.linux.netDevices = {"va": {"name": "a:b"}}@/linux/netDevices/va/name@interface name
.linux.netDevices = {"va": {"name": "a/b"}}@/linux/netDevices/va/name@interface name
.linux.netDevices = {"va": {"name": "."}}@/linux/netDevices/va/name@interface name
.linux.netDevices = {"va": {"name": ".."}}@/linux/netDevices/va/name@interface name
.linux.netDevices = {"va": {"name": "sixteen-letters-"}}@/linux/netDevices/va/name@interface name
.linux.netDevices = {"va": {"name": "eth%"}}@/linux/netDevices/va/name@interface name
.linux.netDevices = {"va": {"name": "%d%d"}}@/linux/netDevices/va/name@interface name
.linux.netDevices = {"va": {"name": "eth%s"}}@/linux/netDevices/va/name@interface name
.linux.netDevices = {"va": {"name": "br0"}, "br0": {}}@/linux/netDevices@cannot both be 'br0'
.linux.netDevices = {"va": {}} | .linux.namespaces |= map(select(.type != "network"))@/linux/netDevices@needs a network namespace
.linux.netDevices = {"va": {}} | (.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/net"@/linux/netDevices@the runtime's own
TABLE
}

# spec: NETD-05
@test "network devices: a name that is taken inside is refused, and the device stays on the host" {
    veth va vb
    local before
    before=$(look va)$(look vb)
    devices '{"va": {}, "vb": {"name": "lo"}}'
    fails 1 "'lo' is taken" /linux/netDevices/vb/name -- rt run "$ID"
    [[ $(look va)$(look vb) == "$before" ]]
    # In a namespace that is joined, where others put their own.
    hold --net
    there "$HOLDER" ip link add vb type veth peer name other
    devices '{"va": {}, "vb": {}}'
    config '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)' --arg p "/proc/$HOLDER/ns/net"
    fails 1 "'vb' is taken" /linux/netDevices/vb -- rt run "$ID"
    [[ $(look va)$(look vb) == "$before" ]]
    run there "$HOLDER" ip link show dev va
    [[ $status != 0 ]]
}

@test "network devices: a create or run that fails later gives them back with name, number, addresses and state" {
    veth va
    echo "no program" >rootfs/no-program
    chmod +x rootfs/no-program
    host ip addr add 10.0.10.8/24 dev va label va:x noprefixroute metric 77
    host ip addr add fd00::5/64 dev va
    host ip link add vb type veth peer name p-vb
    host ip addr add 10.9.0.1/24 dev vb
    host ip link add br0 type bridge
    host ip link add vc type veth peer name p-vc
    host ip link set vc up master br0
    local before way
    look_all() { look va; look vb; look vc; }
    before=$(look_all)
    cat >hook <<'HOOK'
#!/bin/sh
pid=$(sed 's/.*"pid": *\([0-9]*\).*/\1/')
nsenter --net="/proc/$pid/ns/net" ip link show dev inside0 >>"$BUNDLE/seen" 2>&1
[ "$1" = kill ] || exit 1
kill -9 "$pid"
HOOK
    chmod +x hook
    while read -r way; do
        cp config.json saved.json
        devices '{"va": {"name": "inside0"}, "vb": {"name": "eth%d"}, "vc": {}}'
        config "$way" --arg hook "$PWD/hook" --arg bundle "BUNDLE=$PWD"
        if rt run "$ID" >out 2>err; then return 1; fi
        [[ ! -s out && -s err ]]
        says "$(look_all)" "$before"
        mv saved.json config.json
    done <<'WAYS'
.process.args = ["/no/such/program"]
.process.cwd = "/proc/no/such"
.linux.sysctl = {"net.ipv4.conf.inside0.forwarding": "no number"}
.linux.sysctl = {"net.ipv4.no_such_key": "1"}
.process.args = ["/no-program"]
.hooks.startContainer = [{"path": "/no-program"}]
.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["execve", "execveat"], "action": "SCMP_ACT_ERRNO"}]}
.hooks.createRuntime = [{"path": $hook, "args": ["hook", "fail"], "env": [$bundle, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]
.hooks.createRuntime = [{"path": $hook, "args": ["hook", "kill"], "env": [$bundle, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]
WAYS
    # The hooks were run, and saw the device inside.
    [[ $(grep -c "inside0" seen) == 2 ]]
    # And afterwards it can be moved as if nothing had been.
    devices '{"va": {"name": "inside0"}}'
    inside cat /proc/net/dev
    says "$output" inside0
}

# spec: NETD-10 NETD-11
@test "network devices: afterwards they are the container's: nobody touches them, and delete leaves them where they are" {
    needs strace
    veth va
    hold --net
    devices '{"va": {"name": "eth0"}}'
    config '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)' --arg p "/proc/$HOLDER/ns/net"
    program trap-all
    create_container
    INSIDE=$HOLDER
    there "$INSIDE" ip link set eth0 down
    there "$INSIDE" ip addr flush dev eth0
    there "$INSIDE" ip link set eth0 mtu 1300 name changed
    local words
    for words in "start $ID" "kill $ID TERM" "delete --force $ID"; do
        # shellcheck disable=SC2086  # words
        trace socket,setns $words
        run grep -E 'NETLINK|setns' "$BATS_TEST_TMPDIR/trace"
        [[ $status == 1 ]] || { echo "$output" >&2; return 1; }
    done
    is changed '.mtu == 1300 and .addrs == [] and (.flags | contains(["UP"]) | not)'
    gone_from_host va eth0 changed
}

# spec: NETD-02
@test "network devices: one message moves and renames, once the namespace is there and before hooks" {
    needs strace
    veth va
    devices '{"va": {"name": "eth0"}}'
    config '.hooks.createRuntime = [{"path": "/bin/true"}]'
    program exit 0
    trace sendto,execve,clone3 run "$ID"
    grep -E 'RTM_NEWLINK|execve|clone3' "$BATS_TEST_TMPDIR/trace" >steps
    [[ $(grep -c 'IFLA_NET_NS_FD' steps) == 1 ]]
    grep IFLA_NET_NS_FD steps | grep -q 'IFLA_IFNAME.*"eth0"'
    local moved hooked born
    born=$(grep -n CLONE_NEWNET steps | head -1 | cut -d: -f1)
    moved=$(grep -n IFLA_NET_NS_FD steps | cut -d: -f1)
    hooked=$(grep -n 'execve("/bin/true"' steps | head -1 | cut -d: -f1)
    ((born < moved && moved < hooked))
}

@test "network devices: with a new user namespace, its own network namespace or a joined one" {
    chown -R 200000:200000 "$BUNDLE/rootfs"
    config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = $m | .linux.gidMappings = $m' \
        --argjson m '[{"containerID": 0, "hostID": 200000, "size": 1000}]'
    local before
    veth va
    before=$(look va)
    devices '{"va": {"name": "eth0"}}'
    program sleep
    run_detached
    INSIDE=$(container_pid "$ID")
    is eth0 '.ifalias == "the va" and (.flags | contains(["UP"])) and (.addrs | index("10.0.10.5/24") != null)'
    silently rt delete --force "$ID"
    gone_from_host va
    # A virtual device ended with its namespace, perhaps a moment later.
    wait_until gone_from_host p-va
    veth va
    hold --net
    config '.linux.namespaces |= map(if .type == "network" then .path = $p else . end) | .mounts |= map(select(.type != "sysfs" and .type != "cgroup"))
            | .linux.maskedPaths = []' --arg p "/proc/$HOLDER/ns/net"
    run_detached
    INSIDE=$HOLDER
    is eth0 '.ifalias == "the va" and (.flags | contains(["UP"])) and (.addrs | index("10.0.10.5/24") != null)'
    silently rt delete --force "$ID"
}

@test "network devices: without privilege nothing is made and the message says what is missing" {
    veth va
    local before
    before=$(look va)
    devices '{"va": {"name": "eth0"}}'
    config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = $m | .linux.gidMappings = $m' \
        --argjson m '[{"containerID": 0, "hostID": 65534, "size": 1}]'
    fails 1 "move network device 'va': Operation not permitted" CAP_NET_ADMIN /linux/netDevices/va -- \
        host setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$CRUN_LITE" --root "$BATS_TEST_TMPDIR/state" run "$ID"
    fails 1 "move network device 'va': Operation not permitted" CAP_NET_ADMIN /linux/netDevices/va -- \
        host setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$CRUN_LITE" --root "$STATE" run "$ID"
    [[ $(look va) == "$before" ]]
}

@test "network devices: kernel parameters of a moved device can be set by its new name" {
    veth va
    devices '{"va": {"name": "eth0"}}'
    config '.linux.sysctl = {"net.ipv4.conf.eth0.forwarding": "1"}'
    inside cat /proc/sys/net/ipv4/conf/eth0/forwarding
    [[ $output == 1 ]]
}
