//! What a program or a shared object uses of asynchronous I/O, and whether uringaio would serve it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::known::{self, Candidate};
use super::report::{Effect, Finding};
use super::running;
use crate::elf::{Image, Kind};
use crate::failure::Failure;
use crate::program::{self, Program, with_libraries};
use crate::root::Root;
use crate::uses::{self, Uses};

/// Names of functions that are listed, at most.
const MOST_NAMES: usize = 12;

/// What is said, and what the summary is made of.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Subject {
    pub findings: Vec<Finding>,
    /// Why it cannot be served, or not be looked into.
    pub refusal: Option<Failure>,
    /// It could not be looked into: nothing is known of it.
    pub is_unseen: bool,
    /// It calls an interface that is served.
    pub is_served: bool,
    pub uses_io_uring: bool,
    /// It is served with URINGAIO_RAW alone.
    pub needs_raw: bool,
    /// The file is a shared object, which some program loads.
    pub is_shared: bool,
    /// What is known of a program of this name, in a sentence.
    pub known: Option<String>,
    /// What its settings say, where they decide.
    pub set_up: Option<Effect>,
}

impl Subject {
    /// What running it on uringaio changes.
    pub fn effect(&self) -> Effect {
        match self {
            Self { refusal: Some(_), .. } => Effect::Refused,
            Self { set_up: Some(effect), .. } => *effect,
            Self { is_served: true, .. } => Effect::Served,
            Self { needs_raw: true, .. } => Effect::Raw,
            _ => Effect::None,
        }
    }
}

/// Looks into a program by name, or into a shared object by its path.
pub fn look(name: &OsStr) -> Subject {
    if let Some(file) = shared_object(name) {
        let mut subject = of_files(&[(file.clone(), file.clone())], &file, None, &Root::own());
        subject.is_shared = true;
        if subject.is_served || subject.needs_raw {
            let title = format!("{} is a shared object: run the program that loads it on uringaio", file.display());
            subject.findings.insert(0, Finding::good("shared_object", title, ""));
        }
        return subject;
    }
    match Program::open(name) {
        Ok(program) => {
            let files: Vec<Seen> =
                with_libraries(&program.image).into_iter().map(|file| (file.clone(), file)).collect();
            of_files(&files, &program.image, None, &Root::own())
        }
        Err(failure) => Subject {
            findings: vec![Finding::bad("cannot_be_served", failure.message.clone(), "")],
            refusal: Some(failure),
            ..Subject::default()
        },
    }
}

/// The file that is named, if it holds data: a directory, a device, or a file that is neither run nor loaded. What a shell would
/// find as a program is one.
pub fn data_file(name: &OsStr) -> Option<PathBuf> {
    let file = PathBuf::from(name);
    let kind = file.metadata().ok()?.file_type();
    if !name.as_encoded_bytes().contains(&b'/') && (running::number(name).is_some() || program::find(name).is_ok()) {
        return None;
    }
    let image = Image::open(&file).ok().filter(|_| kind.is_file());
    let is_run = image.is_some_and(|image| image.kind() != Kind::Other || image.script_line().is_some());
    (!is_run).then_some(file)
}

/// The shared object with this path, executable or not.
fn shared_object(name: &OsStr) -> Option<PathBuf> {
    let file = PathBuf::from(name);
    (Image::open(&file).ok()?.kind() == Kind::Shared).then_some(file)
}

/// A file by the name that is shown, and by the one that this command can open.
pub type Seen = (PathBuf, PathBuf);

/// What these files use together. `image` is the one that was asked about, by its name below `root`; `arguments` is the command line
/// of a process.
pub fn of_files(files: &[Seen], image: &Path, arguments: Option<&[String]>, root: &Root) -> Subject {
    let of = |(shown, opened): &Seen| Some(Uses { file: shown.clone(), ..uses::in_depth(opened)? });
    let used: Vec<Uses> = files.iter().filter_map(of).collect();
    let mut findings: Vec<Finding> = used.iter().flat_map(of_file).collect();
    let uses_io_uring = used.iter().any(|uses| uses.uses_io_uring.is_some());
    let is_served = used.iter().any(Uses::is_served);
    let needs_raw = used.iter().any(|uses| uses.calls_aio_by_number);
    let hides_numbers = used.iter().any(|uses| uses.file == image && uses.hides_numbers);
    if hides_numbers && findings.is_empty() {
        findings.push(
            Finding::note(
                "hidden_numbers",
                format!("{} makes system calls by number (syscall), and it cannot be seen which", image.display()),
                "It calls neither POSIX AIO nor libaio by name. If io_setup is among those calls, the library says so once, and \
                 URINGAIO_RAW=1 serves them.",
            )
            .with_remedy(["uringaio run --log -- PROGRAM"]),
        );
    }
    if uses::offers(&root.find(image)) {
        findings.push(Finding::note(
            "provider",
            format!("{} is one of the libraries that uringaio takes the place of, or works beside", image.display()),
            "Name the program that uses it.",
        ));
    } else if findings.is_empty() {
        findings.push(Finding::note(
            "nothing",
            format!("{} calls neither POSIX AIO nor libaio, nor do the libraries that it is linked with", image.display()),
            "Running it on uringaio changes nothing, unless it loads something later that does: a plug-in, an extension.",
        ));
    }
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    let known = known::look(
        &name,
        &Candidate {
            image: &root.find(image),
            uses_io_uring,
            calls_libaio: used.iter().any(|uses| !uses.libaio.is_empty()),
            calls_aio_by_number: needs_raw,
            arguments,
            root,
        },
    );
    let (finding, set_up) = known.map_or((None, None), |known| (Some(known.finding), known.effect));
    let in_short = finding.as_ref().map(|finding| finding.title.clone());
    findings.extend(finding);
    Subject { findings, is_served, uses_io_uring, needs_raw, known: in_short, set_up, ..Subject::default() }
}

fn of_file(uses: &Uses) -> Vec<Finding> {
    let file = uses.file.display();
    let mut findings = Vec::new();
    if uses.is_linked_with_uringaio {
        findings.push(Finding::good("linked", format!("{file} is linked with uringaio and needs no preloading"), ""));
        return findings;
    }
    if !uses.posix.is_empty() {
        findings.push(Finding::good(
            "posix_aio",
            format!("{file} calls POSIX AIO, which is served"),
            list(&uses.posix),
        ));
    }
    if !uses.libaio.is_empty() {
        findings.push(Finding::good("libaio", format!("{file} calls libaio, which is served"), list(&uses.libaio)));
    }
    if uses.has_its_own {
        findings.push(
            Finding::bad(
                "linked_in",
                format!("{file} has AIO functions of its own linked in"),
                "Its calls of them do not reach a library that is preloaded.",
            )
            .with_remedy(["# link the program with liburingaio.a instead of libaio.a"]),
        );
    }
    if let Some(name) = &uses.bundled {
        findings.push(Finding::note(
            "own_libaio",
            format!("{file} brings a libaio of its own, {name}"),
            "uringaio run serves it, since it puts its library first; the drop-in, which replaces libaio.so.1, does not reach it.",
        ));
    }
    if uses.calls_aio_by_number {
        findings.push(
            Finding::note(
                "aio_by_number",
                format!("{file} calls the kernel's AIO by system call number, past libaio"),
                "These calls are served only where that is asked for.",
            )
            .with_remedy([
                "uringaio run --raw -- PROGRAM",
                "# or, where PROGRAM is started by something else",
                "URINGAIO_RAW=1",
            ]),
        );
    }
    if let Some(way) = uses.uses_io_uring {
        findings.push(Finding::note(
            "own_io_uring",
            format!("{file} uses io_uring by itself ({way})"),
            "For what it does that way, running it on uringaio changes nothing.",
        ));
    }
    if uses.may_load_libaio {
        findings.push(
            Finding::note(
                "loads_libaio",
                format!("{file} may load libaio.so.1 while it runs"),
                "Functions that a program looks up in a library which it loads itself are not reached by preloading; the drop-in \
                 libaio.so.1 is what it then loads.",
            )
            .with_remedy(["uringaio run --interface libaio -- PROGRAM"]),
        );
    }
    findings
}

fn list(names: &[String]) -> String {
    let mut text = names.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(" ");
    if names.len() > MOST_NAMES {
        text.push_str(" ...");
    }
    text
}
