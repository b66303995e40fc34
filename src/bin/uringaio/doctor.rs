//! `uringaio doctor`: what this kernel and this sandbox allow, whether a program would be served, and where requests on a file go.

use std::process::ExitCode;

use crate::arguments::Doctor;
use crate::failure::{Failure, NOT_FOUND, WANTING};
use crate::output::{json, print, print_as_is};
use crate::probe::Tried;
use crate::{host, library};
use report::{Effect, Report, Section};
use ring::Evidence;
use subject::Subject;

mod files;
mod known;
mod limits;
mod option_files;
mod reads;
pub mod report;
mod ring;
mod running;
mod serving;
mod settings;
mod storage;
pub mod subject;
mod text;

pub fn main(arguments: &Doctor) -> Result<ExitCode, Failure> {
    let libraries = library::find(arguments.library.as_deref());
    let evidence = Evidence::gather();
    let (engine, serving) = serving::findings(&libraries, evidence.ring.answer);
    let mut sections = vec![
        Section::new("kernel", "Kernel and sandbox", ring::findings(&evidence)),
        Section::new("library", "Library", serving),
        Section::new("limits", "Limits", limits::findings(&evidence)),
    ];
    let settings = Section::new("settings", "Settings", settings::findings(std::env::vars_os()));
    let mut summary = machine(engine.as_deref(), evidence.ring.answer);
    let preload = libraries.preload.as_deref().ok();
    let (mut refusal, mut effect, mut reads) = (None, None, Vec::new());
    if let Some(file) = arguments.subject.as_deref().and_then(subject::data_file) {
        let storage = storage::look(&file, preload, engine.as_deref())
            .map_err(|error| Failure::new(NOT_FOUND, format!("{}: {error}", file.display())))?;
        summary = format!("{summary} {}", storage.summary);
        reads = storage.reads;
        let kind = if file.is_dir() { "Directory" } else { "File" };
        sections.extend([settings, Section::new("file", format!("{kind} {}", file.display()), storage.findings)]);
    } else {
        let files = files::findings(&arguments.directory, engine.as_deref());
        sections
            .extend([Section::new("files", format!("Files in {}", arguments.directory.display()), files), settings]);
        if let Some(name) = &arguments.subject {
            let (kind, title, mut subject) = match running::number(name) {
                Some(number) => ("process", format!("Process {number}"), running::look(number)),
                None => ("program", format!("Program {}", name.display()), subject::look(name)),
            };
            summary = format!("{summary} {}", outcome(&title, &subject));
            if let Some(known) = &subject.known {
                summary = format!("{summary} {known}.");
            }
            effect = Some(subject.effect());
            sections.push(Section::new(kind, title, std::mem::take(&mut subject.findings)));
            refusal = subject.refusal.map(|failure| failure.status);
        } else if engine.as_deref() == Some("io_uring") && evidence.ring.answer == Tried::Works {
            summary.push_str(" Run a program on uringaio by: uringaio run PROGRAM");
        }
    }
    let report = Report {
        version: env!("CARGO_PKG_VERSION").into(),
        linux: host::release(),
        engine,
        summary,
        effect,
        sections,
        reads,
    };
    if arguments.json {
        print_as_is(&json(serde_json::to_string_pretty(&report))?)?;
    } else {
        print(&text::text(&report))?;
    }
    let is_io_uring = report.engine.as_deref() == Some("io_uring");
    let status = refusal.unwrap_or(if is_io_uring && !report.has_bad() { 0 } else { WANTING });
    Ok(ExitCode::from(status))
}

/// The outcome for the machine in a sentence.
fn machine(engine: Option<&str>, ring: Tried) -> String {
    match (engine, ring) {
        (_, Tried::Killed(_)) => "A system call filter ends programs that use io_uring here.",
        (Some("io_uring"), _) => "io_uring works here, and uringaio uses it.",
        (Some("threads"), _) => {
            "uringaio does not use io_uring here (the reason is below), and serves by threads instead."
        }
        (Some(_), _) => "uringaio leaves everything to the system's own AIO here (the reason is below).",
        (None, _) => "It cannot be said what uringaio would use here: its library could not be asked.",
    }
    .into()
}

/// The outcome for the program or process in a sentence.
fn outcome(title: &str, subject: &Subject) -> String {
    let nothing = "running it on uringaio changes nothing";
    match (subject.effect(), &subject.refusal) {
        (_, Some(failure)) if subject.is_unseen => format!("{}.", failure.sentence()),
        (Effect::Refused, Some(failure)) => format!("{title} cannot be served: {}.", failure.message),
        (Effect::Setting, _) => format!("{title} needs another setting to be served; as it is, {nothing}."),
        (Effect::Raw, _) => format!("{title} is served with URINGAIO_RAW=1 alone."),
        (Effect::Served, _) if subject.is_shared => format!("{title} is served in a program that runs on uringaio."),
        (Effect::Served, _) if subject.uses_io_uring && subject.set_up.is_none() => {
            format!("{title} is served where it calls POSIX AIO or libaio; it also uses io_uring by itself.")
        }
        (Effect::Served, _) => format!("{title} is served."),
        _ if subject.uses_io_uring => format!("{title} uses io_uring by itself: {nothing}."),
        _ => format!("{title} calls neither POSIX AIO nor libaio: {nothing}."),
    }
}
