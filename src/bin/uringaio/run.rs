//! `uringaio run`: a program on the library.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::failure::{CANNOT, Failure, RUN};
use crate::program::Program;
use crate::{help, library, print};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Face {
    Posix,
    Libaio,
    Both,
}

pub fn main(arguments: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    use lexopt::Arg::{Long, Short, Value};
    let mut face = Face::Both;
    let mut settings: Vec<(&str, String)> = Vec::new();
    let mut chosen: Option<PathBuf> = None;
    let name = loop {
        match arguments.next()? {
            Some(Long("face")) => {
                face = match arguments.value()?.to_str() {
                    Some("posix") => Face::Posix,
                    Some("libaio") => Face::Libaio,
                    Some("both") => Face::Both,
                    _ => return Err(Failure::usage("--face is posix, libaio or both")),
                }
            }
            Some(Long("engine")) => match arguments.value()?.to_str() {
                Some(engine @ ("auto" | "uring" | "threads" | "system")) => {
                    settings.push(("URINGAIO_ENGINE", engine.into()));
                }
                _ => return Err(Failure::usage("--engine is auto, uring, threads or system")),
            },
            Some(Long("stats")) => settings.push(("URINGAIO_STATS", "1".into())),
            Some(Long("log")) => settings.push(("URINGAIO_LOG", "1".into())),
            Some(Long("raw")) => settings.push(("URINGAIO_RAW", "1".into())),
            Some(Long("library")) => chosen = Some(arguments.value()?.into()),
            Some(Long("help") | Short('h')) => return Ok(print(help::RUN)),
            Some(Value(name)) => break name,
            Some(other) => return Err(other.unexpected().into()),
            None => return Err(Failure::usage("which program? See uringaio run --help")),
        }
    };
    // What follows the program's name is the program's, options and all.
    let rest: Vec<OsString> = arguments.raw_args()?.collect();
    let program = Program::open(&name)?;
    let libraries = library::find(chosen.as_deref());
    let mut command = Command::new(&program.file);
    command.arg0(&name).args(rest).envs(settings);
    if face == Face::Libaio {
        let Some(directory) = libraries.drop_in else {
            return Err(Failure::new(RUN, "the drop-in libaio.so.1 is not beside this command; is it installed?"));
        };
        command.env("LD_LIBRARY_PATH", library::with_first(&directory, "LD_LIBRARY_PATH"));
    } else {
        let preload = libraries.preload.map_err(|why| Failure::new(RUN, why))?;
        command.env("LD_PRELOAD", library::preloaded(&preload));
        if face == Face::Posix {
            command.env("URINGAIO_FACE", "posix");
        }
    }
    warn_if_unused(&program, face);
    let error = command.exec();
    Err(Failure::new(CANNOT, format!("{}: {error}", program.file.display())))
}

fn warn_if_unused(program: &Program, face: Face) {
    let uses = program.uses();
    let found = uses.iter().any(|uses| match face {
        Face::Posix => !uses.posix.is_empty(),
        Face::Libaio => !uses.libaio.is_empty(),
        Face::Both => !uses.nothing(),
    });
    if found {
        return;
    }
    let what = match face {
        Face::Posix => "does not call aio_* or lio_listio",
        Face::Libaio => "does not call libaio",
        Face::Both => "calls neither aio_* nor libaio",
    };
    let _ = writeln!(
        std::io::stderr(),
        "uringaio: warning: {} {what} by name, nor do its libraries: only what it loads or starts later can gain",
        program.image.display()
    );
}
