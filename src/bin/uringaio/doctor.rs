//! `uringaio doctor`: what this kernel and this container allow, and what a program would gain from.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::failure::{Failure, WANTING};
use crate::program::Program;
use crate::{drop_in, help, kernel, library, print, probe};

mod checks;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// Worth knowing; nothing is lost.
    Note,
    /// Something is lost.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Check {
    pub verdict: Verdict,
    pub what: String,
    /// What it means, and what to do about it.
    pub means: String,
}

impl Check {
    pub fn new(verdict: Verdict, what: impl Into<String>, means: impl Into<String>) -> Self {
        Self { verdict, what: what.into(), means: means.into() }
    }

    fn to_json(&self) -> Value {
        let verdict = match self.verdict {
            Verdict::Good => "good",
            Verdict::Note => "note",
            Verdict::Bad => "bad",
        };
        json!({ "verdict": verdict, "what": self.what, "means": self.means })
    }
}

pub fn main(arguments: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    use lexopt::Arg;
    let (mut as_json, mut chosen, mut program) = (false, None::<PathBuf>, None::<OsString>);
    let mut directory = PathBuf::from(".");
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("json") => as_json = true,
            Arg::Long("library") => chosen = Some(arguments.value()?.into()),
            Arg::Long("directory") => directory = arguments.value()?.into(),
            Arg::Long("help") | Arg::Short('h') => return Ok(print(help::DOCTOR)),
            Arg::Value(value) if program.is_none() => program = Some(value),
            other => return Err(other.unexpected().into()),
        }
    }
    let libraries = library::find(chosen.as_deref());
    let (engine, decision) = decide(&libraries);
    let serves = engine.as_deref() == Some("io_uring");
    let mut sections = vec![
        ("library", decision),
        ("kernel", checks::ring(serves)),
        ("limits", checks::limits()),
        ("files", checks::files(&directory)),
    ];
    let mut servable = true;
    let mut refusal = None;
    if let Some(name) = program {
        let checked = match Program::open(&name) {
            Ok(program) => of_program(&program),
            Err(failure) => {
                servable = false;
                let check = Check::new(Verdict::Bad, name.to_string_lossy(), &failure.message);
                refusal = Some(failure.status);
                vec![check]
            }
        };
        servable &= checked.iter().all(|check| check.verdict != Verdict::Bad);
        sections.push(("program", checked));
    }
    print(&if as_json { object(engine.as_deref(), &sections) } else { text(&sections) });
    let status = refusal.unwrap_or(if serves && servable { 0 } else { WANTING });
    Ok(ExitCode::from(status))
}

/// Which engine the library chooses here, in its own words.
fn decide(libraries: &library::Libraries) -> (Option<String>, Vec<Check>) {
    let mut checks = Vec::new();
    let mut engine = None;
    match &libraries.preload {
        Err(why) => checks.push(Check::new(Verdict::Bad, "liburingaio.so.1", why)),
        Ok(file) => {
            let answer = probe::ask(file);
            let why =
                answer.why.lines().map(|line| line.trim_start_matches("uringaio: ")).collect::<Vec<_>>().join("; ");
            let (verdict, what) = match answer.engine.as_deref() {
                Some("io_uring") => (Verdict::Good, "engine: io_uring"),
                Some("threads") => (Verdict::Note, "engine: threads"),
                Some(_) => (Verdict::Bad, "engine: the system's"),
                None => (Verdict::Bad, "engine: none"),
            };
            let why = match answer.engine {
                Some(_) if why == "io_uring serves" => "the kernel has all that is needed".into(),
                Some(_) => why,
                None => format!("the library could not be loaded: {why}"),
            };
            engine = answer.engine;
            checks.push(Check::new(verdict, what, why));
            checks.extend(faces(engine.as_deref()));
            checks.push(Check::new(Verdict::Good, "liburingaio.so.1", file.display().to_string()));
        }
    }
    checks.push(match &libraries.drop_in {
        Some(directory) if drop_in::is_enabled() => Check::new(
            Verdict::Good,
            "drop-in libaio.so.1",
            format!("{}; enabled for the whole machine", directory.display()),
        ),
        Some(directory) => Check::new(Verdict::Good, "drop-in libaio.so.1", directory.display().to_string()),
        None => {
            Check::new(Verdict::Note, "drop-in libaio.so.1", "not found; LD_PRELOAD serves libaio's callers as well")
        }
    });
    (engine, checks)
}

/// What would become of the calls of each face.
fn faces(engine: Option<&str>) -> Vec<Check> {
    let setting = |name: &str| std::env::var(name).unwrap_or_default();
    let (face, threads_chosen) = (setting("URINGAIO_FACE"), setting("URINGAIO_ENGINE") == "threads");
    let mut checks = Vec::new();
    for (name, own, other, system) in
        [("POSIX AIO", "posix", "libaio", "the C library"), ("libaio", "libaio", "posix", "the kernel's AIO")]
    {
        let (verdict, means) = match engine {
            None => continue,
            Some("io_uring" | "threads") if face == other => {
                (Verdict::Note, format!("left to {system}: URINGAIO_FACE={face}"))
            }
            Some("io_uring") => {
                (Verdict::Good, "what need not wait is done in the calling thread, the rest by io_uring".to_string())
            }
            Some("threads") if own == "libaio" && !threads_chosen => (
                Verdict::Note,
                "left to the kernel's AIO; where there is none, threads of the library's own".to_string(),
            ),
            Some("threads") => {
                (Verdict::Note, "by threads of the library's own: as glibc's, but not one after another".to_string())
            }
            Some(_) => (Verdict::Bad, format!("left to {system}")),
        };
        checks.push(Check::new(verdict, name, means));
    }
    checks
}

fn of_program(program: &Program) -> Vec<Check> {
    let mut checks = Vec::new();
    let uses = program.uses();
    let list = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
    for uses in uses.iter().filter(|uses| !uses.nothing()) {
        for (face, names) in [("POSIX AIO", &uses.posix), ("libaio", &uses.libaio)] {
            if !names.is_empty() {
                checks.push(Check::new(
                    Verdict::Good,
                    uses.file.display().to_string(),
                    format!("{face}: {}", list(names)),
                ));
            }
        }
    }
    if checks.is_empty() {
        checks.push(Check::new(
            Verdict::Note,
            program.image.display().to_string(),
            "calls neither interface by name, nor do its libraries: only what it loads later (plug-ins), or calls by system \
             call number on a libaio context, can be served",
        ));
    }
    if program.defines_its_own() {
        checks.push(Check::new(
            Verdict::Bad,
            program.image.display().to_string(),
            "has AIO functions of its own linked in: its calls of them do not reach a preloaded library",
        ));
    }
    checks
}

/// Columns of the text, as long as what is named is not longer.
const NAMES: usize = 26;
const WIDTH: usize = 110;

fn text(sections: &[(&str, Vec<Check>)]) -> String {
    let mut text = format!("uringaio {}, Linux {}\n", env!("CARGO_PKG_VERSION"), kernel::release());
    for (name, checks) in sections {
        let _ = writeln!(text, "\n{name}");
        for check in checks {
            let mark = match check.verdict {
                Verdict::Good => "ok  ",
                Verdict::Note => "note",
                Verdict::Bad => "BAD ",
            };
            let _ = write!(text, "  {mark}  {:NAMES$} ", check.what);
            let indent = NAMES + 9;
            let mut column = indent.max(check.what.chars().count() + 9);
            for word in check.means.split_whitespace() {
                let length = word.chars().count() + 1;
                if column + length > WIDTH && column > indent {
                    let _ = write!(text, "\n{:indent$}", "");
                    column = indent;
                }
                let _ = write!(text, " {word}");
                column += length;
            }
            text.push('\n');
        }
    }
    text
}

fn object(engine: Option<&str>, sections: &[(&str, Vec<Check>)]) -> String {
    let mut object = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "linux": kernel::release(),
        "engine": engine,
    });
    for (name, checks) in sections {
        object[*name] = checks.iter().map(Check::to_json).collect();
    }
    format!("{object:#}\n")
}
