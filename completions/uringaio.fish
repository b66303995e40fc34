# Completion of uringaio(1) for fish.
set -l commands run doctor stat bench drop-in help
complete -c uringaio -f

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
            case --face --engine --library
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
complete -c uringaio -s h -l help -d 'How it is used'
complete -c uringaio -n "not __fish_seen_subcommand_from $commands" -s V -l version -d 'The version'
complete -c uringaio -n "not __fish_seen_subcommand_from $commands" -a run -d 'Run a program on the library'
complete -c uringaio -n "not __fish_seen_subcommand_from $commands" -a doctor -d 'What this machine allows'
complete -c uringaio -n "not __fish_seen_subcommand_from $commands" -a stat -d 'Live counters of a running program'
complete -c uringaio -n "not __fish_seen_subcommand_from $commands" -a bench -d 'The system and uringaio side by side'
complete -c uringaio -n "not __fish_seen_subcommand_from $commands" -a drop-in -d 'libaio.so.1 for the whole machine'
complete -c uringaio -n "not __fish_seen_subcommand_from $commands" -a help -d 'What a command does'
complete -c uringaio -n '__fish_seen_subcommand_from help' -a 'run doctor stat bench drop-in'
complete -c uringaio -n '__fish_seen_subcommand_from run; and not __uringaio_program > /dev/null' -l face -x -a 'posix libaio both' -d 'Which interface is served'
complete -c uringaio -n '__fish_seen_subcommand_from run; and not __uringaio_program > /dev/null' -l engine -x -a 'auto uring threads system' -d 'What carries the I/O out'
complete -c uringaio -n '__fish_seen_subcommand_from run; and not __uringaio_program > /dev/null' -l stats -d 'A summary at exit'
complete -c uringaio -n '__fish_seen_subcommand_from run; and not __uringaio_program > /dev/null' -l log -d 'Say which engine serves'
complete -c uringaio -n '__fish_seen_subcommand_from run; and not __uringaio_program > /dev/null' -l raw -d 'Serve raw io_setup as well'
complete -c uringaio -n '__fish_seen_subcommand_from run' -a '(__uringaio_complete_program)'
complete -c uringaio -n '__fish_seen_subcommand_from doctor' -a '(__uringaio_complete_program)'
complete -c uringaio -n '__fish_seen_subcommand_from run; and not __uringaio_program > /dev/null' -l library -r -F -d 'The library'
complete -c uringaio -n '__fish_seen_subcommand_from doctor bench' -l library -r -F -d 'The library'
complete -c uringaio -n '__fish_seen_subcommand_from doctor' -l directory -x -a '(__fish_complete_directories)' -d 'Whose file system'
complete -c uringaio -n '__fish_seen_subcommand_from doctor stat bench' -l json -d 'JSON'
complete -c uringaio -n '__fish_seen_subcommand_from stat' -l interval -x -d 'Seconds between two readings'
complete -c uringaio -n '__fish_seen_subcommand_from stat' -l count -x -d 'How many readings'
complete -c uringaio -n '__fish_seen_subcommand_from stat' -l once -d 'The numbers since the beginning, once'
complete -c uringaio -n '__fish_seen_subcommand_from stat' -a '(__fish_complete_pids)'
complete -c uringaio -n '__fish_seen_subcommand_from bench' -l size -x -d 'MiB of the file that is made'
complete -c uringaio -n '__fish_seen_subcommand_from bench' -l seconds -x -d 'Length of a measurement'
complete -c uringaio -n '__fish_seen_subcommand_from bench' -l rounds -x -d 'Measurements of each kind'
complete -c uringaio -n '__fish_seen_subcommand_from bench' -l only -x -d 'Rows with this text'
complete -c uringaio -n '__fish_seen_subcommand_from bench' -l report -r -F -d 'A report, .html or .svg'
complete -c uringaio -n '__fish_seen_subcommand_from bench' -F
complete -c uringaio -n '__fish_seen_subcommand_from drop-in' -a 'enable disable status'
