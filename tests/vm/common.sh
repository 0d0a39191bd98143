# Sourced by the scripts of tests/vm: where things are, and how they speak.
# shellcheck shell=bash disable=SC2034  # the variables are for the sourcing script

# An ordinary user's path, and that of some daemons, lacks the places of depmod and mkfs.
PATH=$PATH:/usr/sbin:/sbin

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
cache=${CRUN_LITE_VM_CACHE:-$here/cache}

note() {
    printf 'tests/vm: %s\n' "$*" >&2
}

die() {
    note "$@"
    exit 1
}

# package_list PROFILE: prints the guest's packages, one a line.
package_list() {
    local files=("$here/packages.base")
    if [ "$1" != base ]; then
        [ -f "$here/packages.$1" ] || die "no profile '$1': there is no packages.$1"
        files+=("$here/packages.$1")
    fi
    sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "${files[@]}"
}
