//! The command line: every command, option and value. Help, the manual page and the shell completions are made of this file;
//! tests/command_pages.rs includes it, so it depends on clap alone.

use std::ffi::OsString;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

/// Run programs that use POSIX AIO or libaio on io_uring
///
/// uringaio carries out the asynchronous file I/O of programs that call aio_read, lio_listio and their like (POSIX AIO) or
/// libaio's io_submit and its like. It puts its library under a program that stays as it is, and shows what the library does
/// there.
#[derive(Debug, Parser)]
#[command(name = "uringaio", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "uringaio help COMMAND says more about one command; so does the manual page uringaio(1).")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Run),
    Doctor(Doctor),
    Stat(Stat),
    Top(Top),
    Bench(Bench),
    DropIn(DropIn),
    Enable(Enable),
    Disable(Disable),
}

/// Run a program on the library
///
/// Runs PROGRAM with the library loaded before its other libraries. The process is the program's own: same process number,
/// same exit status, same signals. Options stand before PROGRAM; what follows PROGRAM is passed to it.
///
/// A program that is set-uid, set-gid or has file capabilities, is linked statically, is made for another machine or uses
/// another C library than glibc cannot be served; uringaio says so and does not run it. If neither the program nor its libraries
/// call one of the interfaces by name, there is a warning and the program is run.
#[derive(Args, Debug)]
#[command(override_usage = "uringaio run [OPTIONS] [--] PROGRAM [ARGUMENT]...")]
#[command(
    after_help = "Exit status: the program's own; 125 the library was not found; 126 the program cannot be run, or not on \
                        uringaio; 127 there is no such program; 2 the command line is wrong."
)]
pub struct Run {
    /// Which interface is served; the other one stays the system's
    ///
    /// "libaio" uses the drop-in libaio.so.1 by LD_LIBRARY_PATH instead of preloading.
    #[arg(long, value_enum, value_name = "INTERFACE", default_value_t)]
    pub interface: Interface,

    /// What carries out the I/O, as the variable URINGAIO_ENGINE
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub engine: Option<Engine>,

    /// Write a summary to standard error when the program exits
    #[arg(long)]
    pub stats: bool,

    /// Write one line to standard error that says what carries out the I/O, and why
    #[arg(long)]
    pub log: bool,

    /// Also serve contexts that the program makes by the system call io_setup, past libaio
    #[arg(long)]
    pub raw: bool,

    /// Use this liburingaio.so instead of the installed one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub library: Option<PathBuf>,

    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "PROGRAM", value_hint = ValueHint::CommandWithArguments)]
    pub program: Vec<OsString>,
}

/// Which interface `run` serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Interface {
    /// POSIX AIO and libaio
    #[default]
    Both,
    /// POSIX AIO alone: aio_read, lio_listio and their like
    Posix,
    /// libaio alone: io_submit and its like
    Libaio,
}

/// What carries out the I/O.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// io_uring; where it cannot be used, threads and the kernel's AIO
    Auto,
    /// io_uring, or the system's own AIO
    Uring,
    /// Threads of the library
    Threads,
    /// The system's own AIO
    System,
}

/// Say what this machine allows, whether a program would be served, and where requests on a file go
///
/// Tries in processes of its own whether io_uring may be used here, asks the library what it would use, and says in plain words
/// what was found, which limits matter, and what to do.
///
/// With a program: which interfaces the program and its libraries call, and whether running it on uringaio changes anything. Of
/// programs that can do their I/O in several ways (MariaDB, QEMU, nginx), which of their settings decides. The files are looked
/// into; nothing of them is run. A shared object, such as a plug-in or a Python extension, can be named as well.
///
/// With the number of a process: the same of a program that runs now, with its own limits, filters and settings, and whether it is
/// served.
///
/// With a data file, a directory or a block device: on which device and file system it is, where requests on it go and why, whether
/// it can be used with O_DIRECT and how that must be aligned; and how long some reads take, and who does them. It is read for less
/// than a second, and never written.
#[derive(Args, Debug)]
#[command(override_usage = "uringaio doctor [OPTIONS] [PROGRAM|PID|FILE]")]
#[command(
    after_help = "Exit status: 0 io_uring works and the program can be served; 1 one of them is not so; 2 the command line \
                        is wrong; 126 the program cannot be looked into; 127 there is no such program, process or file."
)]
pub struct Doctor {
    /// Look at the file system of this directory
    #[arg(long, value_name = "DIRECTORY", default_value = ".", value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,

    /// Use this liburingaio.so instead of the installed one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub library: Option<PathBuf>,

    /// Write one JSON object
    #[arg(long)]
    pub json: bool,

    /// A program, a shared object, the number of a running process, or a data file, directory or block device
    #[arg(value_name = "PROGRAM|PID|FILE", value_hint = ValueHint::CommandName)]
    pub subject: Option<OsString>,
}

/// Show what the library does in a running program
///
/// Shows the counters of a process once a second: calls and operations by interface and kind, what carried them out, in flight,
/// bytes, how many operations a call submits, latency percentiles and notifications. All numbers are per second, over the last
/// interval; "in flight" is the number at its end. Operations that the kernel's own AIO carries, as libaio's O_DIRECT requests, are
/// known by their number alone.
///
/// The counters are read out of the process's memory, which the kernel permits to the same user and to root (to root alone where
/// kernel.yama.ptrace_scope is set). The process is not stopped and need not answer. If it has the library but leaves the work to
/// processes that it started, those are named.
///
/// While it is watched, a few thousand operations a second are timed; otherwise none. With --once there are therefore no latencies
/// unless the process runs with URINGAIO_STATS.
///
/// With --openmetrics the totals of one process, or with --all of every process on the library, are written as a page that
/// Prometheus reads. Each time has the next 5,000 operations of each process timed: the next page shows their latencies.
#[derive(Args, Debug)]
#[command(
    override_usage = "uringaio stat [--interval SECONDS] [--count N] [--json] PID\n       uringaio stat --once [--json] PID\n       \
                      uringaio stat --openmetrics PID|--all"
)]
#[command(
    after_help = "Exit status: 0; 1 there is no such process, it does not use uringaio, or it may not be read; 2 the \
                        command line is wrong."
)]
#[allow(clippy::struct_excessive_bools, reason = "options of the command line")]
pub struct Stat {
    /// Seconds between two readings, 0.05 to 3600
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    pub interval: f64,

    /// How many intervals are shown; without it, until the process ends
    #[arg(long, value_name = "N", value_parser = intervals)]
    pub count: Option<u64>,

    /// Show once what was counted since the process's first AIO call: totals, not rates
    #[arg(long, conflicts_with_all = ["interval", "count"])]
    pub once: bool,

    /// Write one JSON object a line
    #[arg(long)]
    pub json: bool,

    /// Write the totals as OpenMetrics text
    #[arg(long, conflicts_with_all = ["interval", "count", "once", "json"])]
    pub openmetrics: bool,

    /// All processes on the library that this user may look into; with --openmetrics
    #[arg(long, requires = "openmetrics", conflicts_with = "process")]
    pub all: bool,

    /// The number of the process
    #[arg(value_name = "PID", value_parser = process, value_hint = ValueHint::Other, required_unless_present = "all")]
    pub process: Option<i32>,
}

/// Show all programs on the library, live
///
/// Shows every program on the library that this user may look into: operations and bytes per second, what carried the operations
/// out (the calling thread, the engine, the kernel's own AIO), within which time half and 99 % of those that were timed were done,
/// how many are in flight in the engine and how many failed per second. On a narrow screen some columns are left out. `uringaio
/// stat PID` says more about one program.
///
/// On a terminal the table is renewed until "q" or Ctrl-C; "s" sorts by the next column, the space bar renews at once. Elsewhere
/// each interval is written as lines.
#[derive(Args, Debug)]
#[command(override_usage = "uringaio top [-d SECONDS] [-n N] [--once] [--sort COLUMN]")]
#[command(after_help = "Exit status: 0; 1 the output could not be written; 2 the command line is wrong.")]
pub struct Top {
    /// Seconds between two readings, 0.05 to 3600
    #[arg(short = 'd', long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    pub interval: f64,

    /// How many intervals are shown; without it, until the end is asked for
    #[arg(short = 'n', long, value_name = "N", value_parser = intervals)]
    pub count: Option<u64>,

    /// Write one interval as lines, on a terminal too
    #[arg(long, conflicts_with = "count")]
    pub once: bool,

    /// Which program is the first
    #[arg(long, value_enum, value_name = "COLUMN", default_value_t)]
    pub sort: Order,
}

/// By what `top` sorts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Order {
    /// The most operations per second first
    #[default]
    Operations,
    /// The most bytes per second first
    Bytes,
    /// The longest time of 99 % first
    Latency,
    /// The most operations in flight first
    InFlight,
    /// By process number
    Process,
}

/// Measure the system's AIO and uringaio side by side
///
/// DIRECTORY: measures on a file that is made there and removed afterwards. FILE, which may be a block device: reads it and never
/// writes; cached reads stay within its first 256 MiB. What needs O_DIRECT is left out where the file system has none.
///
/// Each measurement is a process of its own, which checks on which library it ran. The two sides take turns. Shown is the median of
/// the rounds; the ratio is the median of the rounds' ratios, with the lowest and the highest. Where these lie on both sides of 1,
/// the ratio says nothing.
#[derive(Args, Debug)]
#[command(override_usage = "uringaio bench [OPTIONS] [DIRECTORY|FILE]")]
#[command(
    after_help = "Exit status: 0; 1 a measurement failed, or a file cannot be opened or written; 2 the command line is \
                        wrong."
)]
pub struct Bench {
    /// Size of the file that is made, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = |text: &str| whole(text, 1..=1_u64 << 20))]
    pub size: u64,

    /// Length of each measurement in seconds, 0.05 to 3600
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds)]
    pub seconds: f64,

    /// Measurements of each kind on each side, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = |text: &str| whole(text, 1..=1000_u32))]
    pub rounds: u32,

    /// Only the rows whose name contains TEXT
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, value_hint = ValueHint::Other)]
    pub only: String,

    /// Write a report that needs no other file; its name ends in .html or .svg
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,

    /// Use this liburingaio.so instead of the installed one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub library: Option<PathBuf>,

    /// Write one JSON object
    #[arg(long)]
    pub json: bool,

    /// A directory, a file or a block device
    #[arg(value_name = "DIRECTORY|FILE", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub target: PathBuf,
}

/// Replace libaio.so.1 for every program of the machine
///
/// For programs that ignore LD_PRELOAD because they are set-uid or have file capabilities, and for machines where every user of
/// libaio is to be served. "enable" writes /etc/ld.so.conf.d/00-uringaio-libaio.conf, which puts the directory of the drop-in
/// before the system's own, and runs ldconfig. No file of the distribution is changed. Programs that are running stay as they are.
#[derive(Args, Debug)]
#[command(override_usage = "uringaio drop-in enable|disable|status")]
#[command(
    after_help = "Exit status: 0; 1 it could not be done, or (status) the drop-in is disabled; 2 the command line is wrong."
)]
pub struct DropIn {
    /// What to do
    #[arg(value_enum, value_name = "ACTION")]
    pub action: Action,
}

/// Run a systemd service on the library
///
/// Writes /etc/systemd/system/UNIT.d/50-uringaio.conf, which gives the service the library by LD_PRELOAD and room for io_urings
/// (LimitMEMLOCK), and allows io_uring where the unit's SystemCallFilter does not. The unit itself stays as it is. What the unit
/// preloads already is kept behind the library.
///
/// The program of the unit is looked into first. What cannot be served is refused, with the reason. Where a setting of the program
/// decides whether there is anything to serve, it is named.
///
/// With --restart the service is started anew, and it is checked that its process has the library loaded; if it has not, or the
/// service does not start, everything is put back as it was.
#[derive(Args, Debug)]
#[command(
    override_usage = "uringaio enable [OPTIONS] UNIT\n       uringaio enable --container [--raw] [--library FILE]"
)]
#[command(
    after_help = "Exit status: 0; 1 it could not be done; 2 the command line is wrong; 126 the service cannot be served, or there is \
                        nothing to serve; 127 there is no such unit."
)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Enable {
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Start the service anew, and check that it runs on the library
    #[arg(long, conflicts_with = "root")]
    pub restart: bool,

    /// Write it even if nothing of the program would be served
    #[arg(long)]
    pub force: bool,

    /// Which interface is served; the other one stays the system's
    ///
    /// "libaio" uses the drop-in libaio.so.1 by LD_LIBRARY_PATH instead of preloading.
    #[arg(long, value_enum, value_name = "INTERFACE", default_value_t)]
    pub interface: Interface,

    /// Also serve contexts that the program makes by the system call io_setup, past libaio
    #[arg(long)]
    pub raw: bool,

    /// Use this liburingaio.so instead of the installed one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub library: Option<PathBuf>,

    /// Work on the tree below this directory, such as an image, in which uringaio is installed
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    pub root: Option<PathBuf>,

    /// Print the lines for a Dockerfile and for compose instead
    #[arg(long, conflicts_with_all = ["unit", "root", "restart", "force"])]
    pub container: bool,

    /// The service, such as mariadb or mariadb.service
    #[arg(value_name = "UNIT", required_unless_present = "container", value_hint = ValueHint::Other)]
    pub unit: Option<String>,
}

/// Run a systemd service on the system's own AIO again
///
/// Removes what "enable" wrote. The service runs as before until it is started anew.
#[derive(Args, Debug)]
#[command(override_usage = "uringaio disable [OPTIONS] UNIT")]
#[command(after_help = "Exit status: 0; 1 it could not be done; 2 the command line is wrong.")]
pub struct Disable {
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Start the service anew
    #[arg(long, conflicts_with = "root")]
    pub restart: bool,

    /// Work on the tree below this directory, such as an image
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    pub root: Option<PathBuf>,

    /// The service, such as mariadb or mariadb.service
    #[arg(value_name = "UNIT", value_hint = ValueHint::Other)]
    pub unit: String,
}

/// What `drop-in` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Action {
    /// Use the drop-in for programs that are started from now on
    Enable,
    /// Use the system's libaio again
    Disable,
    /// Say which one is used
    Status,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.05..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("it is a number of seconds from 0.05 to 3600".into()),
    }
}

fn whole<N: FromStr + PartialOrd + Display>(text: &str, range: RangeInclusive<N>) -> Result<N, String> {
    match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("it is a whole number from {} to {}", range.start(), range.end())),
    }
}

fn intervals(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("it is a number of intervals, 1 or more".into()),
    }
}

fn process(text: &str) -> Result<i32, String> {
    match text.parse() {
        Ok(process) if process > 0 => Ok(process),
        _ => Err("it is the number of a process, as pgrep prints it: uringaio stat $(pgrep -o PROGRAM)".into()),
    }
}
