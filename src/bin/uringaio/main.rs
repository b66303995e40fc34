//! The command `uringaio`: runs a program on the library, says what the library could do here, and shows what it does.

mod arguments;
mod bench;
mod chart;
mod counters;
mod doctor;
mod drop_in;
mod elf;
mod enable;
mod failure;
#[path = "../../host/file_systems.rs"]
#[allow(dead_code, reason = "the library asks by number as well")]
mod file_systems;
#[cfg(any(test, fuzzing))]
mod fuzz;
mod host;
#[path = "../../stats/layout.rs"]
#[allow(dead_code, reason = "the library writes what is only read here")]
mod layout;
mod library;
mod load;
mod output;
mod probe;
mod process;
mod program;
mod programs;
mod root;
#[path = "../../submission/routes.rs"]
mod routes;
mod run;
mod sandbox;
mod stat;
mod top;
mod units;
mod uses;
mod watch;

use std::io::Write;
use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;
use clap::error::ErrorKind;
use failure::{Failure, USAGE};

#[cfg(fuzzing)]
fn main() -> ExitCode {
    fuzz::main()
}

#[cfg(not(fuzzing))]
fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => code,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "uringaio: {}", output::harmless(&failure.message));
            ExitCode::from(failure.status)
        }
    }
}

fn dispatch() -> Result<ExitCode, Failure> {
    // What the command starts itself again for; not for users, and not in help, manual page or completions.
    let mut words = std::env::args_os().skip(1);
    match words.next().as_deref().and_then(|word| word.to_str()) {
        Some(probe::LIBRARY) => return probe::library_child(),
        Some(probe::KERNEL) => return Ok(probe::kernel_child()),
        Some(load::CHILD) => return load::child(words),
        _ => {}
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => return answered(&answer),
    };
    match arguments.command {
        Command::Run(run) => run::main(&run),
        Command::Doctor(doctor) => doctor::main(&doctor),
        Command::Stat(stat) => stat::main(&stat),
        Command::Top(top) => top::main(&top),
        Command::Bench(bench) => bench::main(&bench),
        Command::DropIn(drop_in) => drop_in::main(&drop_in),
        Command::Enable(arguments) => enable::enable(&arguments),
        Command::Disable(arguments) => enable::disable(&arguments),
    }
}

/// What the command line alone answers: help, the version, or why it is wrong.
fn answered(answer: &clap::Error) -> Result<ExitCode, Failure> {
    let text = answer.render().to_string();
    match answer.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => output::print_as_is(&text).map(|()| ExitCode::SUCCESS),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = std::io::stderr().write_all(text.as_bytes());
            Ok(ExitCode::from(USAGE))
        }
        _ => Err(Failure::usage(text.trim_start_matches("error: ").trim_end())),
    }
}
