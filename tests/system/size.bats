# Configurations far larger than those of engines: carried out, or refused in no time by a limit that the message names.
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

# Seconds of processor time that COMMAND and its children took, in hundredths.
hundredths() {
    local TIMEFORMAT='%U %S' times
    times=$({ time "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" </dev/null; } 2>&1) || { cat "$BATS_TEST_TMPDIR/err" >&2; return 1; }
    awk -v t="$times" 'BEGIN { split(t, part, " "); print int((part[1] + part[2]) * 100) }'
}

@test "a thousand mounts are carried out, in proportion to two hundred and fifty" {
    local few many
    mkdir -p "$BUNDLE/source"
    generate 'c["mounts"] += [{"destination": "/mnt/%d" % i, "type": "bind", "source": "source", "options": ["rbind", "ro"]} for i in range(250)]'
    few=$(hundredths rt run "$ID")
    generate 'c["mounts"] += [{"destination": "/mnt/%d" % i, "type": "bind", "source": "source", "options": ["rbind", "ro"]} for i in range(250, 1000)]'
    many=$(hundredths rt run "$ID")
    expect_mount_count=$(jq '[.mounts[] | select(.target | startswith("/mnt/"))] | length' "$BATS_TEST_TMPDIR/out")
    [[ $expect_mount_count == 1000 ]]
    echo "250 mounts: $few, 1000 mounts: $many hundredths of a second"
    ((many <= few * 9 + 10))
}

@test "more mounts than the kernel lets a namespace have" {
    local limit
    limit=$(cat /proc/sys/fs/mount-max)
    generate "c['mounts'] += [{'destination': '/tmp', 'type': 'tmpfs'} for i in range($limit)]"
    time fails 1 "/mounts/" "mount-max" -- rt run "$ID"
}
