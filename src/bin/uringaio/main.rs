//! The command `uringaio`: runs a program on the library, says what the library could do here, and shows what it does.

mod bench;
mod block;
mod doctor;
mod drop_in;
mod failure;
mod help;
mod kernel;
#[path = "../../stats/layout.rs"]
#[allow(dead_code, reason = "the library writes what is only read here")]
mod layout;
mod library;
mod load;
mod probe;
mod program;
mod run;
mod stat;
mod units;

use std::io::Write;
use std::process::ExitCode;

use failure::{Failure, USAGE};

fn main() -> ExitCode {
    let mut arguments = lexopt::Parser::from_env();
    match dispatch(&mut arguments) {
        Ok(code) => code,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "uringaio: {}", failure.message);
            ExitCode::from(failure.status)
        }
    }
}

fn dispatch(arguments: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    use lexopt::Arg::{Long, Short, Value};
    match arguments.next()? {
        Some(Long("help") | Short('h')) => Ok(print(help::ALL)),
        Some(Long("version") | Short('V')) => Ok(print(&format!("uringaio {}\n", env!("CARGO_PKG_VERSION")))),
        Some(Value(command)) => match command.to_str() {
            Some("run") => run::main(arguments),
            Some("doctor") => doctor::main(arguments),
            Some("stat") => stat::main(arguments),
            Some("bench") => bench::main(arguments),
            Some("drop-in") => drop_in::main(arguments),
            Some("help") => help(arguments),
            // What the command starts itself again for; not for users.
            Some("__probe") => Ok(probe::child()),
            Some("__load") => load::child(arguments),
            _ => Err(Failure::usage(format!("there is no command {}; see uringaio --help", command.display()))),
        },
        Some(other) => Err(other.unexpected().into()),
        None => {
            let _ = std::io::stderr().write_all(help::ALL.as_bytes());
            Ok(ExitCode::from(USAGE))
        }
    }
}

/// `uringaio help`, `uringaio help COMMAND`.
fn help(arguments: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let Some(argument) = arguments.next()? else { return Ok(print(help::ALL)) };
    let lexopt::Arg::Value(command) = argument else { return Err(argument.unexpected().into()) };
    let text = match command.to_str() {
        Some("run") => help::RUN,
        Some("doctor") => help::DOCTOR,
        Some("stat") => help::STAT,
        Some("bench") => help::BENCH,
        Some("drop-in") => help::DROP_IN,
        _ => return Err(Failure::usage(format!("there is no command {}; see uringaio --help", command.display()))),
    };
    Ok(print(text))
}

/// Writes to standard output; a reader that has gone is nobody's failure.
fn print(text: &str) -> ExitCode {
    let mut output = std::io::stdout();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    ExitCode::SUCCESS
}
