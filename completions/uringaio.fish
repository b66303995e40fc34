# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_uringaio_global_optspecs
    string join \n h/help V/version
end

function __fish_uringaio_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_uringaio_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_uringaio_using_subcommand
    set -l cmd (__fish_uringaio_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c uringaio -n "__fish_uringaio_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uringaio -n "__fish_uringaio_needs_command" -s V -l version -d 'Print version'
complete -c uringaio -n "__fish_uringaio_needs_command" -f -a "run" -d 'Run a program on the library'
complete -c uringaio -n "__fish_uringaio_needs_command" -f -a "doctor" -d 'Say what this machine allows, whether a program would be served, and where requests on a file go'
complete -c uringaio -n "__fish_uringaio_needs_command" -f -a "stat" -d 'Show what the library does in a running program'
complete -c uringaio -n "__fish_uringaio_needs_command" -f -a "top" -d 'Show all programs on the library, live'
complete -c uringaio -n "__fish_uringaio_needs_command" -f -a "bench" -d 'Measure the system\'s AIO and uringaio side by side'
complete -c uringaio -n "__fish_uringaio_needs_command" -f -a "drop-in" -d 'Replace libaio.so.1 for every program of the machine'
complete -c uringaio -n "__fish_uringaio_needs_command" -f -a "enable" -d 'Run a systemd service on the library'
complete -c uringaio -n "__fish_uringaio_needs_command" -f -a "disable" -d 'Run a systemd service on the system\'s own AIO again'
complete -c uringaio -n "__fish_uringaio_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c uringaio -n "__fish_uringaio_using_subcommand run; and not __uringaio_program > /dev/null" -l interface -d 'Which interface is served; the other one stays the system\'s' -r -f -a "both\t'POSIX AIO and libaio'
posix\t'POSIX AIO alone: aio_read, lio_listio and their like'
libaio\t'libaio alone: io_submit and its like'"
complete -c uringaio -n "__fish_uringaio_using_subcommand run; and not __uringaio_program > /dev/null" -l engine -d 'What carries out the I/O, as the variable URINGAIO_ENGINE' -r -f -a "auto\t'io_uring; where it cannot be used, threads and the kernel\'s AIO'
uring\t'io_uring, or the system\'s own AIO'
threads\t'Threads of the library'
system\t'The system\'s own AIO'"
complete -c uringaio -n "__fish_uringaio_using_subcommand run; and not __uringaio_program > /dev/null" -l library -d 'Use this liburingaio.so instead of the installed one' -r -F
complete -c uringaio -n "__fish_uringaio_using_subcommand run; and not __uringaio_program > /dev/null" -l stats -d 'Write a summary to standard error when the program exits'
complete -c uringaio -n "__fish_uringaio_using_subcommand run; and not __uringaio_program > /dev/null" -l log -d 'Write one line to standard error that says what carries out the I/O, and why'
complete -c uringaio -n "__fish_uringaio_using_subcommand run; and not __uringaio_program > /dev/null" -l raw -d 'Also serve contexts that the program makes by the system call io_setup, past libaio'
complete -c uringaio -n "__fish_uringaio_using_subcommand run; and not __uringaio_program > /dev/null" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uringaio -n "__fish_uringaio_using_subcommand doctor" -l directory -d 'Look at the file system of this directory' -r -f -a "(__fish_complete_directories)"
complete -c uringaio -n "__fish_uringaio_using_subcommand doctor" -l library -d 'Use this liburingaio.so instead of the installed one' -r -F
complete -c uringaio -n "__fish_uringaio_using_subcommand doctor" -l json -d 'Write one JSON object'
complete -c uringaio -n "__fish_uringaio_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uringaio -n "__fish_uringaio_using_subcommand stat" -l interval -d 'Seconds between two readings, 0.05 to 3600' -r
complete -c uringaio -n "__fish_uringaio_using_subcommand stat" -l count -d 'How many intervals are shown; without it, until the process ends' -r
complete -c uringaio -n "__fish_uringaio_using_subcommand stat" -l once -d 'Show once what was counted since the process\'s first AIO call: totals, not rates'
complete -c uringaio -n "__fish_uringaio_using_subcommand stat" -l json -d 'Write one JSON object a line'
complete -c uringaio -n "__fish_uringaio_using_subcommand stat" -l openmetrics -d 'Write the totals as OpenMetrics text'
complete -c uringaio -n "__fish_uringaio_using_subcommand stat" -l all -d 'All processes on the library that this user may look into; with --openmetrics'
complete -c uringaio -n "__fish_uringaio_using_subcommand stat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uringaio -n "__fish_uringaio_using_subcommand top" -s d -l interval -d 'Seconds between two readings, 0.05 to 3600' -r
complete -c uringaio -n "__fish_uringaio_using_subcommand top" -s n -l count -d 'How many intervals are shown; without it, until the end is asked for' -r
complete -c uringaio -n "__fish_uringaio_using_subcommand top" -l sort -d 'Which program is the first' -r -f -a "operations\t'The most operations per second first'
bytes\t'The most bytes per second first'
latency\t'The longest time of 99 % first'
in-flight\t'The most operations in flight first'
process\t'By process number'"
complete -c uringaio -n "__fish_uringaio_using_subcommand top" -l once -d 'Write one interval as lines, on a terminal too'
complete -c uringaio -n "__fish_uringaio_using_subcommand top" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uringaio -n "__fish_uringaio_using_subcommand bench" -l size -d 'Size of the file that is made, in MiB' -r
complete -c uringaio -n "__fish_uringaio_using_subcommand bench" -l seconds -d 'Length of each measurement in seconds, 0.05 to 3600' -r
complete -c uringaio -n "__fish_uringaio_using_subcommand bench" -l rounds -d 'Measurements of each kind on each side, 1 to 1000' -r
complete -c uringaio -n "__fish_uringaio_using_subcommand bench" -l only -d 'Only the rows whose name contains TEXT' -r -f
complete -c uringaio -n "__fish_uringaio_using_subcommand bench" -l report -d 'Write a report that needs no other file; its name ends in .html or .svg' -r -F
complete -c uringaio -n "__fish_uringaio_using_subcommand bench" -l library -d 'Use this liburingaio.so instead of the installed one' -r -F
complete -c uringaio -n "__fish_uringaio_using_subcommand bench" -l json -d 'Write one JSON object'
complete -c uringaio -n "__fish_uringaio_using_subcommand bench" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uringaio -n "__fish_uringaio_using_subcommand drop-in" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uringaio -n "__fish_uringaio_using_subcommand enable" -l interface -d 'Which interface is served; the other one stays the system\'s' -r -f -a "both\t'POSIX AIO and libaio'
posix\t'POSIX AIO alone: aio_read, lio_listio and their like'
libaio\t'libaio alone: io_submit and its like'"
complete -c uringaio -n "__fish_uringaio_using_subcommand enable" -l library -d 'Use this liburingaio.so instead of the installed one' -r -F
complete -c uringaio -n "__fish_uringaio_using_subcommand enable" -l root -d 'Work on the tree below this directory, such as an image, in which uringaio is installed' -r -f -a "(__fish_complete_directories)"
complete -c uringaio -n "__fish_uringaio_using_subcommand enable" -l dry-run -d 'Show what would be written, and write nothing'
complete -c uringaio -n "__fish_uringaio_using_subcommand enable" -l restart -d 'Start the service anew, and check that it runs on the library'
complete -c uringaio -n "__fish_uringaio_using_subcommand enable" -l force -d 'Write it even if nothing of the program would be served'
complete -c uringaio -n "__fish_uringaio_using_subcommand enable" -l raw -d 'Also serve contexts that the program makes by the system call io_setup, past libaio'
complete -c uringaio -n "__fish_uringaio_using_subcommand enable" -l container -d 'Print the lines for a Dockerfile and for compose instead'
complete -c uringaio -n "__fish_uringaio_using_subcommand enable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uringaio -n "__fish_uringaio_using_subcommand disable" -l root -d 'Work on the tree below this directory, such as an image' -r -f -a "(__fish_complete_directories)"
complete -c uringaio -n "__fish_uringaio_using_subcommand disable" -l dry-run -d 'Show what would be removed, and remove nothing'
complete -c uringaio -n "__fish_uringaio_using_subcommand disable" -l restart -d 'Start the service anew'
complete -c uringaio -n "__fish_uringaio_using_subcommand disable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uringaio -n "__fish_uringaio_using_subcommand help; and not __fish_seen_subcommand_from run doctor stat top bench drop-in enable disable help" -f -a "run" -d 'Run a program on the library'
complete -c uringaio -n "__fish_uringaio_using_subcommand help; and not __fish_seen_subcommand_from run doctor stat top bench drop-in enable disable help" -f -a "doctor" -d 'Say what this machine allows, whether a program would be served, and where requests on a file go'
complete -c uringaio -n "__fish_uringaio_using_subcommand help; and not __fish_seen_subcommand_from run doctor stat top bench drop-in enable disable help" -f -a "stat" -d 'Show what the library does in a running program'
complete -c uringaio -n "__fish_uringaio_using_subcommand help; and not __fish_seen_subcommand_from run doctor stat top bench drop-in enable disable help" -f -a "top" -d 'Show all programs on the library, live'
complete -c uringaio -n "__fish_uringaio_using_subcommand help; and not __fish_seen_subcommand_from run doctor stat top bench drop-in enable disable help" -f -a "bench" -d 'Measure the system\'s AIO and uringaio side by side'
complete -c uringaio -n "__fish_uringaio_using_subcommand help; and not __fish_seen_subcommand_from run doctor stat top bench drop-in enable disable help" -f -a "drop-in" -d 'Replace libaio.so.1 for every program of the machine'
complete -c uringaio -n "__fish_uringaio_using_subcommand help; and not __fish_seen_subcommand_from run doctor stat top bench drop-in enable disable help" -f -a "enable" -d 'Run a systemd service on the library'
complete -c uringaio -n "__fish_uringaio_using_subcommand help; and not __fish_seen_subcommand_from run doctor stat top bench drop-in enable disable help" -f -a "disable" -d 'Run a systemd service on the system\'s own AIO again'
complete -c uringaio -n "__fish_uringaio_using_subcommand help; and not __fish_seen_subcommand_from run doctor stat top bench drop-in enable disable help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'

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
