//! `uringaio drop-in`: our libaio.so.1 before the system's, for the whole machine, by a line in the loader's configuration.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::failure::{Failure, WANTING};
use crate::{help, library, print, program};

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
    // Half of it would be worse than nothing.
    ldconfig().and_then(|()| is_first(&directory)).inspect_err(|_| {
        let _ = std::fs::remove_file(SNIPPET);
        let _ = ldconfig();
    })?;
    Ok(print(&format!("libaio.so.1 is now {}/libaio.so.1 for programs started from here on\n", directory.display())))
}

/// Whether the loader has taken the directory up, before any other that has a libaio.
fn is_first(directory: &Path) -> Result<(), Failure> {
    let cache = library::loader_cache();
    // Those for other machines, as 32-bit ones, are none of ours.
    let usable = |file: &Path| program::has_function(file, "io_submit") == Ok(true);
    match cache.iter().find(|(name, file)| name == "libaio.so.1" && usable(file)) {
        Some((_, file)) if file.parent() == Some(directory) => Ok(()),
        Some((_, file)) => Err(Failure::wanting(format!(
            "the loader takes {} first; does /etc/ld.so.conf include ld.so.conf.d/*.conf before all else?",
            file.display()
        ))),
        None => Err(Failure::wanting("the loader does not read /etc/ld.so.conf.d: nothing was changed")),
    }
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
    let done = Command::new(library::ldconfig()).status();
    match done {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::wanting(format!("ldconfig ended with {status}"))),
        Err(error) => Err(Failure::wanting(format!("ldconfig: {error}"))),
    }
}
