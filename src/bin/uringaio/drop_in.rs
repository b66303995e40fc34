//! `uringaio drop-in`: our libaio.so.1 before the system's, for the whole machine, by a line in the loader's configuration.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::failure::{Failure, WANTING};
use crate::{help, library, print};

/// Read before those of the distribution: the loader takes the first directory that has the library.
const SNIPPET: &str = "/etc/ld.so.conf.d/00-uringaio-libaio.conf";

pub fn main(arguments: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    use lexopt::Arg::{Long, Short, Value};
    let action = match arguments.next()? {
        Some(Long("help") | Short('h')) => return Ok(print(help::DROP_IN)),
        Some(Value(action)) => action,
        Some(other) => return Err(other.unexpected().into()),
        None => return Err(Failure::usage("enable, disable or status?")),
    };
    if let Some(more) = arguments.next()? {
        return Err(more.unexpected().into());
    }
    match action.to_str() {
        Some("enable") => enable(),
        Some("disable") => disable(),
        Some("status") => Ok(status()),
        _ => Err(Failure::usage("enable, disable or status?")),
    }
}

fn enable() -> Result<ExitCode, Failure> {
    let Some(directory) = library::find(None).drop_in else {
        return Err(Failure::wanting("the drop-in libaio.so.1 is not installed beside this command"));
    };
    let text = format!(
        "# Written by `uringaio drop-in enable`; `uringaio drop-in disable` removes it.\n{}\n",
        directory.display()
    );
    std::fs::write(SNIPPET, text).map_err(|error| Failure::wanting(format!("{SNIPPET}: {error}")))?;
    ldconfig()?;
    Ok(print(&format!("libaio.so.1 is now {}/libaio.so.1 for programs started from here on\n", directory.display())))
}

fn disable() -> Result<ExitCode, Failure> {
    match std::fs::remove_file(SNIPPET) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(print("the drop-in was not enabled\n")),
        Err(error) => return Err(Failure::wanting(format!("{SNIPPET}: {error}"))),
    }
    ldconfig()?;
    Ok(print("libaio.so.1 is the system's own again for programs started from here on\n"))
}

/// Whether the loader has been told of the drop-in.
pub fn is_enabled() -> bool {
    Path::new(SNIPPET).exists()
}

fn status() -> ExitCode {
    if !is_enabled() {
        print("disabled\n");
        return ExitCode::from(WANTING);
    }
    print("enabled\n")
}

fn ldconfig() -> Result<(), Failure> {
    let found = ["/sbin/ldconfig", "/usr/sbin/ldconfig"].into_iter().find(|path| Path::new(path).exists());
    let done = Command::new(found.unwrap_or("ldconfig")).status();
    match done {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::wanting(format!("ldconfig ended with {status}"))),
        Err(error) => Err(Failure::wanting(format!("ldconfig: {error}"))),
    }
}
