//! `uringaio drop-in`: the library's libaio.so.1 before the system's, for the whole machine, by a line in the dynamic linker's
//! configuration.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::arguments::{Action, DropIn};
use crate::failure::{Failure, WANTING};
use crate::output::print;
use crate::{library, uses};

/// Read before those of the distribution: the dynamic linker takes the first directory that has the library.
const SNIPPET: &str = "/etc/ld.so.conf.d/00-uringaio-libaio.conf";

pub fn main(arguments: &DropIn) -> Result<ExitCode, Failure> {
    match arguments.action {
        Action::Enable => enable(),
        Action::Disable => disable(),
        Action::Status => status(),
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
    // A configuration that the dynamic linker does not use is taken back.
    ldconfig().and_then(|()| is_first(&directory)).inspect_err(|_| {
        let _ = std::fs::remove_file(SNIPPET);
        let _ = ldconfig();
    })?;
    print(&format!("libaio.so.1 is now {}/libaio.so.1 for programs started from here on\n", directory.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the dynamic linker has taken the directory up, before any other that has a libaio.
fn is_first(directory: &Path) -> Result<(), Failure> {
    let cache = library::loader_cache();
    // Those for other machines, as 32-bit ones, do not count.
    let usable = |file: &Path| uses::library_has(file, "io_submit") == Ok(true);
    match cache.iter().find(|(name, file)| name == "libaio.so.1" && usable(file)) {
        Some((_, file)) if file.parent() == Some(directory) => Ok(()),
        Some((_, file)) => Err(Failure::wanting(format!(
            "the dynamic linker takes {} first; does /etc/ld.so.conf include ld.so.conf.d/*.conf before all else?",
            file.display()
        ))),
        None => Err(Failure::wanting("the dynamic linker does not read /etc/ld.so.conf.d: nothing was changed")),
    }
}

fn disable() -> Result<ExitCode, Failure> {
    match std::fs::remove_file(SNIPPET) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            print("the drop-in was not enabled\n")?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => return Err(Failure::wanting(format!("{SNIPPET}: {error}"))),
    }
    ldconfig()?;
    print("libaio.so.1 is the system's own again for programs started from here on\n")?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the dynamic linker has been told of the drop-in.
pub fn is_enabled() -> bool {
    Path::new(SNIPPET).exists()
}

fn status() -> Result<ExitCode, Failure> {
    print(if is_enabled() { "enabled\n" } else { "disabled\n" })?;
    Ok(if is_enabled() { ExitCode::SUCCESS } else { ExitCode::from(WANTING) })
}

fn ldconfig() -> Result<(), Failure> {
    let done = Command::new(library::ldconfig()).status();
    match done {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::wanting(format!("ldconfig ended with {status}"))),
        Err(error) => Err(Failure::wanting(format!("ldconfig: {error}"))),
    }
}
