
# What stands behind `run` and its options: the program and its arguments; nothing as long as there is no program.
function __uringaio_program
    set -l words (commandline -opc)
    set -l from (contains -i -- run $words); or return 1
    set -l skip 0
    for index in (seq (math $from + 1) (count $words))
        if test $skip = 1
            set skip 0
            continue
        end
        switch $words[$index]
            case --interface --engine --library
                set skip 1
            case '-*'
            case '*'
                string join ' ' -- (string escape -- $words[$index..-1])
                return 0
        end
    end
    return 1
end
function __uringaio_complete_program
    set -l program (__uringaio_program)
    set -l word (commandline -ct)
    if test -n "$program"
        complete "-C$program $word"
    else if test -n "$word"; and not string match -q -- '-*' $word
        complete "-C$word"
    end
end
complete -c uringaio -n '__fish_uringaio_using_subcommand run' -f -a '(__uringaio_complete_program)'
complete -c uringaio -n '__fish_uringaio_using_subcommand doctor' -a '(__fish_complete_command) (__fish_complete_pids)'
complete -c uringaio -n '__fish_uringaio_using_subcommand stat' -f -a '(__fish_complete_pids)'
complete -c uringaio -n '__fish_uringaio_using_subcommand bench' -F
