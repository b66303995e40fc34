
# Behind `run`'s own options stand a program and its arguments, which the program's own completion knows where bash-completion is
# installed; `stat` and `doctor` take the number of a process.
_uringaio_with_programs() {
    local index word=${COMP_WORDS[COMP_CWORD]}
    case ${COMP_WORDS[1]} in
        run)
            for ((index = 2; index < COMP_CWORD; index++)); do
                case ${COMP_WORDS[index]} in
                    --interface | --engine | --library) ((index++)) ;;
                    -*) ;;
                    *)
                        if declare -F _command_offset > /dev/null; then _command_offset "$index"; fi
                        return
                        ;;
                esac
            done
            ;;
        doctor | stat) ;;
        *) _uringaio "$@"; return ;;
    esac
    _uringaio "$@"
    if [[ $COMP_CWORD -eq 1 || $word == -* || ${COMP_WORDS[COMP_CWORD - 1]} == --* ]]; then return; fi
    case ${COMP_WORDS[1]} in
        run | doctor) mapfile -t COMPREPLY < <(compgen -c -- "$word") ;;
    esac
    case ${COMP_WORDS[1]} in
        stat) mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && echo [1-9]*)" -- "$word") ;;
    esac
}
complete -o bashdefault -o default -F _uringaio_with_programs uringaio
