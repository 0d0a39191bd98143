# Loaded by every file of tests/clients: real engines of the distribution call the runtime of $CLIENT_RUNTIME (crun-lite; crun
# or runc as the control).  Runs in the VM of the profile "engines" (tests/vm/clients).

bats_require_minimum_version 1.5.0

CLIENT_RUNTIME=${CLIENT_RUNTIME:-crun-lite}
CLIENT_WORK=${CLIENT_WORK:-${TMPDIR:-/tmp}/clients-$EUID}
# Where the registration of the runtime is, as users get it.
REGISTRATION=${REGISTRATION:-$BATS_TEST_DIRNAME/../../docs/engines}

# The one image of all engines: busybox with the names of its programs, made here, because there is no network.
image_tree() {
    local tree=$CLIENT_WORK/image name
    [[ ! -d $tree ]] || return 0
    mkdir -p "$tree"/{bin,etc,tmp,root,data,var/empty}
    chmod 1777 "$tree/tmp"
    cp /bin/busybox "$tree/bin/"
    for name in $(/bin/busybox --list); do
        [[ -e $tree/bin/$name ]] || ln -s busybox "$tree/bin/$name"
    done
    printf 'root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/:/bin/sh\n' >"$tree/etc/passwd"
    printf 'root:x:0:\nwww:x:33:\naudio:x:29:www\n' >"$tree/etc/group"
    echo of-the-image >"$tree/data/file"
    chown -R 33 "$tree/data" 2>/dev/null || true
    echo 'no program' >"$tree/bin/no-program"
    printf '\177ELFnonsense' >"$tree/bin/nonsense"
    chmod 755 "$tree/bin/nonsense"
}

image_tar() {
    image_tree
    [[ -f $CLIENT_WORK/image.tar ]] || tar -C "$CLIENT_WORK/image" -cf "$CLIENT_WORK/image.tar" .
}

# image_archive NAME COMMAND FILE: a docker archive of the image, one layer, with COMMAND (a JSON array).
image_archive() {
    local place=$CLIENT_WORK/archive id
    rm -rf "$place"
    mkdir -p "$place/layer"
    cp "$CLIENT_WORK/image.tar" "$place/layer/layer.tar"
    id=$(sha256sum "$CLIENT_WORK/image.tar" | cut -d' ' -f1)
    printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$2" "$id" >"$place/config.json"
    printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer/layer.tar"]}]' "$1" >"$place/manifest.json"
    tar -C "$place" -cf "$3" manifest.json config.json layer/layer.tar
}

is_root() { [[ $EUID == 0 ]]; }

# eventually COMMAND...: within 30 s.
eventually() {
    local end=$((SECONDS + 30))
    until "$@"; do
        ((SECONDS < end)) || { echo "never came true: $*" >&2; return 1; }
        sleep 0.2
    done
}

# says TEXT: the output of `run` holds TEXT.
says() {
    [[ $output == *"$1"* ]] || { echo "'$1' is not in: $output" >&2; return 1; }
}

# ended STATUS: `run` ended with it.
ended() {
    # shellcheck disable=SC2154  # bats sets it
    [[ $status == "$1" ]] || { echo "status $status instead of $1: $output" >&2; return 1; }
}
