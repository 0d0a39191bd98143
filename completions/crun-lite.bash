# completions/crun-lite.bash: bash completion for crun-lite.
# bash-completion loads it on demand from its directory of completions; it may also be sourced.

# Value of a global option given on the line, so that ids come from the state root in use.
__crun_lite_root() {
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --root | -root)
            # bash splits --root=DIR at the "=".
            if [[ ${COMP_WORDS[i + 1]-} == = ]]; then ((i++)); fi
            printf '%s' "${COMP_WORDS[i + 1]-}"
            return
            ;;
        esac
    done
}

__crun_lite_ids() {
    local root
    local -a options=()
    root=$(__crun_lite_root)
    [[ -z $root ]] || options=(--root "$root")
    command crun-lite "${options[@]}" list --quiet 2> /dev/null
}

__crun_lite() {
    local commands='run create start exec state kill delete pause resume ps update stats events wait list spec check features'
    local globals='--root --log --log-format --log-level --debug --cgroup-manager --systemd-cgroup --rootless --criu
                   --timing --version --help'
    local create='--bundle --pid-file --console-socket --pidfd-socket --no-pivot --no-new-keyring --preserve-fds --detach
                  --no-subreaper --help'
    local update='--resources --memory --memory-reservation --memory-swap --kernel-memory --kernel-memory-tcp --cpu-share
                  --cpu-quota --cpu-period --cpu-burst --cpu-idle --cpu-rt-runtime --cpu-rt-period --cpuset-cpus
                  --cpuset-mems --blkio-weight --pids-limit --l3-cache-schema --mem-bw-schema --help'
    local exec='--process --detach --pid-file --console-socket --pidfd-socket --tty --cwd --env --user --additional-gids --cap
                --no-new-privs --process-label --apparmor --cgroup --preserve-fds --ignore-paused --help'
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' words='' kind='' i
    local -a arguments=()

    # --option=VALUE arrives as three words.
    if [[ $word == = ]]; then
        word=''
    elif [[ $before == = ]] && ((COMP_CWORD >= 2)); then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        =) ;;
        --root | --log | --log-format | --log-level | --cgroup-manager | --criu | --timing | --bundle | -b | --pid-file | \
            --console-socket | --pidfd-socket | --preserve-fds | --format | --resources | -r | --memory | \
            --memory-* | --kernel-memory* | --cpu* | --blkio-weight | --pids-limit | --l3-cache-schema | --mem-bw-schema | --interval | \
            --pressure | --process | -p | --cwd | --env | -e | --user | -u | --additional-gids | -g | --cap | -c | --process-label | \
            --apparmor | --cgroup)
            if [[ ${COMP_WORDS[i + 1]-} == = ]]; then ((i++)); fi
            ((i++))
            ;;
        --rootless)
            if [[ ${COMP_WORDS[i + 1]-} == = ]]; then ((i++)); fi
            [[ ${COMP_WORDS[i + 1]-} != @(true|false|auto) ]] || ((i++))
            ;;
        -f) [[ $command != list && $command != ps && $command != stats && $command != check ]] || ((i++)) ;;
        -*) ;;
        *) if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else arguments+=("${COMP_WORDS[i]}"); fi ;;
        esac
    done

    COMPREPLY=()
    case $before in
    --root | --bundle | -b) kind=directory ;;
    --log | --criu | --timing | --pid-file | --console-socket | --pidfd-socket | --resources | -r | --process) kind=paths ;;
    -p) [[ $command != exec ]] || kind=paths ;;
    --preserve-fds | --memory | --memory-* | --kernel-memory* | --cpu* | --blkio-weight | --pids-limit | --l3-cache-schema | \
        --mem-bw-schema | --interval | --pressure | --cwd | --env | --user | --additional-gids | --cap | --process-label | --apparmor | \
        --cgroup) return ;;
    --log-format) words='text json' ;;
    --log-level) words='error warning debug' ;;
    --cgroup-manager) words='cgroupfs systemd disabled' ;;
    --format | -f)
        case $before:$command in
        *:stats) words='table json openmetrics' ;;
        *:check) words='text json' ;;
        --format:* | -f:list | -f:ps) words='table json' ;;
        esac
        ;;
    esac

    if [[ -z $kind && -z $words ]]; then
        case $command:$word in
        :-*) words=$globals ;;
        :*) words=$commands ;;
        run:-*) words="$create --keep" ;;
        create:-*) words=$create ;;
        exec:-*) words=$exec ;;
        kill:-*) words='--all --help' ;;
        delete:-*) words='--force --help' ;;
        update:-*) words=$update ;;
        stats:-*) words='--format --help' ;;
        events:-*) words='--stats --interval --pressure --help' ;;
        ps:-*) words='--format --help' ;;
        list:-*) words='--format --quiet --help' ;;
        spec:-*) words='--bundle --rootless --help' ;;
        check:-*) words='--bundle --format --help' ;;
        *:-*) words='--help' ;;
        run:* | check:*) ((${#arguments[@]})) || kind=directory ;;
        start:* | exec:* | state:* | delete:* | pause:* | resume:* | ps:* | update:* | events:* | wait:*)
            ((${#arguments[@]})) || words=$(__crun_lite_ids)
            ;;
        stats:*) words=$(__crun_lite_ids) ;;
        kill:*)
            case ${#arguments[@]} in
            0) words=$(__crun_lite_ids) ;;
            1) words='HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH' ;;
            esac
            ;;
        esac
    fi

    # Escapes blanks in names and adds the slash; outside of a completion there is nothing to tell.
    [[ -z $kind ]] || compopt -o filenames 2> /dev/null
    case $kind in
    directory) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    paths) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    *) [[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word") ;;
    esac
}

complete -F __crun_lite crun-lite
