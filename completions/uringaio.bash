# Completion of uringaio(1) for bash.
_uringaio() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} index
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'run doctor stat bench drop-in help --help --version' -- "$word")
        return
    fi
    case $before in
        --face) mapfile -t COMPREPLY < <(compgen -W 'posix libaio both' -- "$word"); return ;;
        --engine) mapfile -t COMPREPLY < <(compgen -W 'auto uring threads system' -- "$word"); return ;;
        --library | --report) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --directory) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --interval | --count | --size | --seconds | --rounds | --only) return ;;
    esac
    case $command in
        run)
            # Behind the program's name its own completion takes over, where bash-completion can find it.
            for ((index = 2; index < COMP_CWORD; index++)); do
                case ${COMP_WORDS[index]} in
                    --face | --engine | --library) ((index++)) ;;
                    --) ;;
                    -*) ;;
                    *)
                        if declare -F _command_offset > /dev/null; then _command_offset "$index"; fi
                        return
                        ;;
                esac
            done
            if [[ $word == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '--face --engine --stats --log --raw --library --help --' -- "$word")
            else
                mapfile -t COMPREPLY < <(compgen -c -- "$word")
            fi
            ;;
        doctor)
            if [[ $word == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '--directory --library --json --help' -- "$word")
            else
                mapfile -t COMPREPLY < <(compgen -c -- "$word")
            fi
            ;;
        stat)
            if [[ $word == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '--interval --count --once --json --help' -- "$word")
            else
                mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && echo [1-9]*)" -- "$word")
            fi
            ;;
        bench)
            if [[ $word == -* ]]; then
                mapfile -t COMPREPLY < <(
                    compgen -W '--size --seconds --rounds --only --report --library --json --help' -- "$word"
                )
            else
                mapfile -t COMPREPLY < <(compgen -f -- "$word")
            fi
            ;;
        help) mapfile -t COMPREPLY < <(compgen -W 'run doctor stat bench drop-in' -- "$word") ;;
        drop-in) mapfile -t COMPREPLY < <(compgen -W 'enable disable status --help' -- "$word") ;;
    esac
}
complete -o filenames -F _uringaio uringaio
