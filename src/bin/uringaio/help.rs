//! What `--help` says, of the command and of each of its own commands.

pub const ALL: &str = "\
uringaio: POSIX AIO and libaio on io_uring, for programs that need not change

  uringaio run [OPTIONS] [--] PROGRAM [ARGUMENTS]   runs the program on the library
  uringaio doctor [PROGRAM]                         what this machine allows, and what the program would gain from
  uringaio stat PID                                 live counters of a running program
  uringaio bench [FILE|DIRECTORY]                   the system's AIO and uringaio side by side, on your disk
  uringaio drop-in enable|disable|status            libaio.so.1 replaced for every program of the machine
  uringaio help COMMAND                             more about one of these; so does uringaio(1)

  -h, --help      this text
  -V, --version   the version
";

pub const RUN: &str = "\
uringaio run [OPTIONS] [--] PROGRAM [ARGUMENTS]: runs the program on the library

  --face posix|libaio|both     which interface is served (both)
  --engine auto|uring|threads|system
                               what carries the I/O out (auto: io_uring, and what is left where that is not to be had)
  --stats                      a summary of what was done, on standard error at exit
  --log                        one line on standard error: which engine serves, and why
  --raw                        contexts made by a raw io_setup system call are served too
  --library FILE               this liburingaio.so instead of the installed one
  -h, --help                   this text

Exit status: the program's own; 125 the command failed; 126 the program cannot be run, or not on uringaio (set-uid, static,
another machine's); 127 there is no such program; 2 the command line is wrong.
";

pub const DOCTOR: &str = "\
uringaio doctor [OPTIONS] [PROGRAM]: what this kernel and this container allow, feature by feature

With PROGRAM: which of its symbols, and of the libraries it is linked with, would be served.
  --directory DIRECTORY        whose file system is looked at (the current one)
  --library FILE               this liburingaio.so instead of the installed one
  --json                       one JSON object
  -h, --help                   this text

Exit status: 0 io_uring would serve; 1 it would not, or the program cannot be served; 2 the command line is wrong;
126 the program cannot be read; 127 there is no such program.
";

pub const STAT: &str = "\
uringaio stat [OPTIONS] PID: live counters of a running program

  --interval SECONDS           how often they are read (1)
  --count N                    how often in all (until the program ends)
  --once                       the numbers since the program began, once
  --json                       one JSON object a line
  -h, --help                   this text

Exit status: 0; 1 no such process, or it does not use uringaio, or it may not be read; 2 the command line is wrong.
";

pub const BENCH: &str = "\
uringaio bench [OPTIONS] [FILE|DIRECTORY]: the system's AIO and uringaio side by side

DIRECTORY (the current one): measures on a file made there and gone afterwards. FILE, which may be a block device: reads
it, and never writes. Cached reads stay within the first 256 MiB.
  --size MIB                   size of the file that is made (256)
  --seconds S                  length of each measurement (2)
  --rounds N                   measurements of each kind, taken in turn (3)
  --only TEXT                  only the rows whose name contains TEXT
  --report FILE.html|FILE.svg  a report to send to somebody
  --library FILE               this liburingaio.so instead of the installed one
  --json                       one JSON object
  -h, --help                   this text

Exit status: 0; 1 a measurement failed; 2 the command line is wrong.
";

pub const DROP_IN: &str = "\
uringaio drop-in enable|disable|status: libaio.so.1 replaced for every program of the machine

enable writes /etc/ld.so.conf.d/00-uringaio-libaio.conf, which puts the directory of the drop-in before the system's own, and
runs ldconfig. No file of the distribution is touched. disable takes it back. Programs that are running are not changed.
  -h, --help                   this text

Exit status: 0; 1 it could not be done, or (status) it is disabled; 2 the command line is wrong.
";
