//! `uringaio run`: a program on the library.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use clap::ValueEnum;

use crate::arguments::{Interface, Run};
use crate::failure::{CANNOT, Failure, RUN};
use crate::library;
use crate::output::harmless;
use crate::program::{Program, with_libraries};
use crate::uses::{self, Uses};

pub fn main(arguments: &Run) -> Result<ExitCode, Failure> {
    let [name, rest @ ..] = &*arguments.program else { return Err(Failure::usage("which program?")) };
    let program = Program::open(name)?;
    let libraries = library::find(arguments.library.as_deref());
    let mut command = Command::new(&program.file);
    command.arg0(name).args(rest);
    if let Some(engine) = arguments.engine {
        command.env(
            "URINGAIO_ENGINE",
            engine.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default(),
        );
    }
    for (wanted, variable) in
        [(arguments.stats, "URINGAIO_STATS"), (arguments.log, "URINGAIO_LOG"), (arguments.raw, "URINGAIO_RAW")]
    {
        if wanted {
            command.env(variable, "1");
        }
    }
    if arguments.interface == Interface::Libaio {
        let Some(directory) = libraries.drop_in else {
            return Err(Failure::new(RUN, "the drop-in libaio.so.1 is not beside this command; is it installed?"));
        };
        command.env("LD_LIBRARY_PATH", library::with_first(&directory, "LD_LIBRARY_PATH"));
    } else {
        let preload = libraries.preload.map_err(|why| Failure::new(RUN, why))?;
        command.env("LD_PRELOAD", library::preloaded(&preload));
        if arguments.interface == Interface::Posix {
            command.env("URINGAIO_INTERFACE", "posix");
        }
    }
    warn_if_unused(&program, arguments);
    let error = command.exec();
    Err(Failure::new(CANNOT, format!("{}: {error}", program.file.display())))
}

fn warn_if_unused(program: &Program, arguments: &Run) {
    let used: Vec<Uses> = with_libraries(&program.image).iter().filter_map(|file| uses::by_name(file)).collect();
    let found = used.iter().any(|uses| match arguments.interface {
        Interface::Posix => !uses.posix.is_empty(),
        Interface::Libaio => !uses.libaio.is_empty(),
        Interface::Both => uses.is_served(),
    });
    if found {
        return;
    }
    let by_number = uses::in_depth(&program.image).is_some_and(|uses| uses.calls_aio_by_number);
    if by_number && arguments.raw {
        return;
    }
    let (name, what) = (
        program.image.display(),
        match arguments.interface {
            Interface::Posix => "does not call aio_* or lio_listio",
            Interface::Libaio => "does not call libaio",
            Interface::Both => "calls neither aio_* nor libaio",
        },
    );
    let hint = if by_number {
        "it calls the kernel's AIO by system call number: add --raw"
    } else {
        "only what it loads or starts later can gain"
    };
    let warning = format!("{name} {what} by name, nor do its libraries: {hint}");
    let _ = writeln!(std::io::stderr(), "uringaio: warning: {}", harmless(&warning));
}
