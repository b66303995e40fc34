//! Where the library is and what it would use here: it is asked itself.

use super::report::Finding;
use crate::drop_in;
use crate::library::Libraries;
use crate::probe::{self, Tried};

/// The library's answer, and what to say about it. `ring`: how io_uring answered when it was tried without the library.
pub fn findings(libraries: &Libraries, ring: Tried) -> (Option<String>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut engine = None;
    match &libraries.preload {
        Err(why) => findings.push(
            Finding::bad("library", "The library liburingaio.so.1 was not found", format!("{why}."))
                .with_remedy(["uringaio doctor --library FILE"]),
        ),
        Ok(file) => {
            let answer = probe::library(file);
            findings.push(chosen(answer.engine.as_deref(), &answer.why, ring));
            if let Some(engine) = &answer.engine {
                findings.extend(interfaces(engine));
            }
            findings.push(Finding::good("library", format!("The library is {}", file.display()), ""));
            engine = answer.engine;
        }
    }
    findings.push(match &libraries.drop_in {
        Some(directory) if drop_in::is_enabled() => Finding::good(
            "drop_in",
            format!("The drop-in libaio.so.1 in {} serves the whole machine", directory.display()),
            "",
        ),
        Some(directory) => Finding::good(
            "drop_in",
            format!("The drop-in libaio.so.1 is in {}", directory.display()),
            "uringaio drop-in enable makes every program of the machine use it.",
        ),
        None => Finding::note(
            "drop_in",
            "The drop-in libaio.so.1 was not found",
            "Preloading serves callers of libaio as well.",
        ),
    });
    (engine, findings)
}

fn chosen(engine: Option<&str>, why: &str, ring: Tried) -> Finding {
    // Where io_uring was refused, that has been explained already, and better.
    let told = match ring {
        Tried::Works if !why.is_empty() => format!("The library says: {why}."),
        Tried::Works => String::new(),
        _ => "The reason is above.".into(),
    };
    match engine {
        Some("io_uring") if why.contains("a restriction denies") => {
            Finding::note("engine", "The library uses io_uring here, as far as it is allowed", told)
        }
        Some("io_uring") => Finding::good("engine", "The library uses io_uring here", ""),
        Some("threads") => Finding::note("engine", "The library uses threads here, not io_uring", told),
        Some(_) => Finding::bad("engine", "The library leaves all I/O to the system's own AIO here", told),
        None if matches!(ring, Tried::Killed(_)) => {
            Finding::bad("engine", "The library could not be asked: a system call filter ended the process", told)
        }
        None => Finding::bad("engine", "The library could not be loaded", format!("{why}.")),
    }
}

/// What would become of the calls of each interface.
fn interfaces(engine: &str) -> Vec<Finding> {
    let setting = |name: &str| std::env::var(name).unwrap_or_default();
    let (only, by_choice) = (setting("URINGAIO_INTERFACE"), setting("URINGAIO_ENGINE") == "threads");
    let served = |own: &str| only.is_empty() || only == own || only == "both";
    let left = |id: &'static str, name: &str, system: &str| {
        Finding::note(id, format!("{name} is left to {system}: URINGAIO_INTERFACE={only}"), "")
    };
    let posix = match engine {
        _ if !served("posix") => left("posix", "POSIX AIO", "the C library"),
        "io_uring" => Finding::good(
            "posix",
            "POSIX AIO: what need not wait is done in the calling thread, the rest by io_uring",
            "",
        ),
        "threads" => Finding::note("posix", "POSIX AIO: by threads of the library, many requests at a time", ""),
        _ => Finding::bad(
            "posix",
            "POSIX AIO is left to the C library, which runs one request at a time on each file",
            "",
        ),
    };
    let libaio = match engine {
        _ if !served("libaio") => left("libaio", "libaio", "the kernel's AIO"),
        "io_uring" => Finding::good(
            "libaio",
            "libaio: O_DIRECT requests by the kernel's own AIO; other requests in the calling thread or by io_uring",
            "",
        ),
        "threads" if by_choice => Finding::note("libaio", "libaio: by threads of the library", ""),
        "threads" => Finding::note(
            "libaio",
            "libaio: by the kernel's own AIO; where that cannot be used, by threads of the library",
            "",
        ),
        _ => Finding::bad("libaio", "libaio is left to the kernel's AIO", ""),
    };
    vec![posix, libaio]
}
