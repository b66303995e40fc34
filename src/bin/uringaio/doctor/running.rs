//! A program that runs now: whether it is served, what it uses, and what its own limits, filter and settings allow.

use std::process::{Command, Stdio};

use super::limits;
use super::report::{Effect, Finding};
use super::settings;
use super::subject::{Seen, Subject, of_files};
use crate::counters::{Missing, Observed};
use crate::failure::{NOT_FOUND, WANTING};
use crate::process::Process;
use crate::sandbox::Sandbox;

/// The number of a process that exists; names of programs are anything else.
pub fn number(name: &std::ffi::OsStr) -> Option<libc::pid_t> {
    name.to_str()?.parse().ok().filter(|&number| number > 0)
}

/// Looks at a process.
pub fn look(number: libc::pid_t) -> Subject {
    let process = Process::of(number);
    let sandbox = Sandbox::of(&process);
    let seen = match Observed::find(number) {
        Ok(observed) => {
            let (operations, finding) = counted(number, &observed);
            if operations > 0 {
                return served(number, finding, &process, sandbox.as_ref());
            }
            Loaded::Yes(finding)
        }
        Err(missing @ Missing::NoProcess) => return refused(missing, number, NOT_FOUND),
        Err(missing @ (Missing::Kernel | Missing::Ended)) => return refused(missing, number, WANTING),
        Err(missing) => loaded(number, missing),
    };
    let is_loaded = matches!(seen, Loaded::Yes(_));
    let Ok((files, has_context)) = process.mapped() else {
        return match seen {
            Loaded::No(missing) => refused(missing, number, WANTING),
            Loaded::Yes(_) => refused(Missing::Ended, number, WANTING),
        };
    };
    let mut findings = Vec::new();
    if let Loaded::Yes(finding) = seen {
        findings.extend(finding);
    }
    let image = process.executable().unwrap_or_default();
    let files: Vec<Seen> = files.into_iter().map(|file| (file.clone(), process.reach(&file))).collect();
    let (arguments, root) = (process.arguments(), process.root());
    let mut subject = of_files(&files, &image, Some(&arguments), &root);
    findings.extend(has_context.then(|| kernel_contexts(number, is_loaded)));
    if process.has_io_uring_open() {
        let detail = if is_loaded { "What it does by that is not uringaio's." } else { "" };
        findings.push(Finding::note(
            "own_io_uring",
            format!("Process {number} has an io_uring of its own open"),
            detail,
        ));
        subject.uses_io_uring = true;
    }
    if !is_loaded && matches!(subject.effect(), Effect::Served | Effect::Raw) {
        findings.push(
            Finding::note(
                "restart",
                format!("Process {number} does not run on uringaio"),
                "A running program cannot be changed: start it anew.",
            )
            .with_remedy(start_anew(sandbox.as_ref(), subject.needs_raw)),
        );
    }
    findings.append(&mut subject.findings);
    findings.extend(own_filter(&process, sandbox.as_ref()));
    findings.push(limits::locked_memory(process.lock_limit(), sandbox.as_ref()));
    findings.extend(own_settings(&process, number));
    Subject { findings, ..subject }
}

/// Whether the library is in a process that it has not served yet.
enum Loaded {
    Yes(Option<Finding>),
    No(Missing),
}

fn loaded(number: libc::pid_t, missing: Missing) -> Loaded {
    let (title, detail) = match missing {
        Missing::NotCalled(descendants) => {
            let others = match &*descendants {
                [] => "Nothing has been served yet.".to_string(),
                numbers => format!("It is used by processes that this one started: {numbers:?}."),
            };
            (format!("Process {number} has uringaio loaded, and has not called it yet"), others)
        }
        Missing::OtherVersion => (format!("Process {number} runs on another version of uringaio"), String::new()),
        missing => return Loaded::No(missing),
    };
    Loaded::Yes(Some(Finding::good("loaded", title, detail)))
}

/// Contexts of the kernel's own AIO in a process that has not had anything served.
fn kernel_contexts(number: libc::pid_t, is_loaded: bool) -> Finding {
    if is_loaded {
        return Finding::note(
            "kernel_contexts",
            format!("Process {number} uses the kernel's own AIO, past uringaio"),
            "It has memory of the kernel's AIO mapped ([aio] in its maps), made by the system call io_setup and not by libaio's \
             function. With URINGAIO_RAW=1 such contexts are served, too.",
        )
        .with_remedy(["URINGAIO_RAW=1"]);
    }
    Finding::note(
        "kernel_contexts",
        format!("Process {number} uses the kernel's own AIO now"),
        "It has memory of the kernel's AIO mapped ([aio] in its maps).",
    )
}

/// What the counters say: operations so far, and that in words.
fn counted(number: libc::pid_t, observed: &Observed) -> (u64, Option<Finding>) {
    let Some(snapshot) = observed.read() else { return (0, None) };
    let operations: u64 = snapshot.counters.submitted.iter().sum();
    let by = match snapshot.engine() {
        "io_uring" => "by io_uring",
        "threads" => "by threads of the library, not by io_uring",
        _ => "by the system's own AIO",
    };
    let kernel_aio = match snapshot.counters.kernel_aio.iter().sum::<u64>() {
        0 => String::new(),
        all if all == operations => ", all by the kernel's own AIO".into(),
        some => format!(", {some} of them by the kernel's own AIO"),
    };
    let title = format!(
        "Process {number} runs on uringaio {}, {by}: {operations} operations so far{kernel_aio}",
        snapshot.version()
    );
    let watch = format!("uringaio stat {number} shows what it does.");
    let finding = match snapshot.engine() {
        "system" => Finding::bad("served", title, watch),
        "threads" => Finding::note("served", title, watch),
        _ => Finding::good("served", title, watch),
    };
    (operations, Some(finding))
}

/// A process that is served.
fn served(number: libc::pid_t, counters: Option<Finding>, process: &Process, sandbox: Option<&Sandbox>) -> Subject {
    let mut findings: Vec<Finding> = counters.into_iter().collect();
    if process.has_io_uring_open() {
        findings.push(Finding::note(
            "ring_descriptor",
            format!("Process {number} has the descriptor of an io_uring open"),
            "It is the program's own, or the library's on kernels before 5.18.",
        ));
    }
    findings.push(limits::locked_memory(process.lock_limit(), sandbox));
    findings.extend(own_settings(process, number));
    Subject { findings, is_served: true, ..Subject::default() }
}

fn refused(missing: Missing, number: libc::pid_t, status: u8) -> Subject {
    let mut failure = missing.of(number);
    failure.status = status;
    let findings = vec![Finding::bad("process", failure.sentence(), "")];
    Subject { findings, refusal: Some(failure), is_unseen: true, ..Subject::default() }
}

/// How it is started so that it is served.
fn start_anew(sandbox: Option<&Sandbox>, raw: bool) -> Vec<String> {
    match sandbox {
        Some(Sandbox::Unit(unit)) => {
            let raw = if raw { " --raw" } else { "" };
            vec![format!("sudo uringaio enable --restart{raw} {unit}")]
        }
        _ if raw => vec!["uringaio run --raw -- PROGRAM".into()],
        _ => vec!["uringaio run -- PROGRAM".into()],
    }
}

/// A filter that the process has and this command has not, so that it cannot be tried what the filter allows.
fn own_filter(process: &Process, sandbox: Option<&Sandbox>) -> Option<Finding> {
    if !process.is_filtered() || process.filters() <= Process::own().filters() {
        return None;
    }
    let allowed = match sandbox {
        Some(Sandbox::Unit(unit)) => allowed_by_unit(unit),
        _ => None,
    };
    Some(match allowed {
        Some(true) => Finding::good("filter", "The unit's SystemCallFilter allows io_uring", ""),
        Some(false) => Finding::bad(
            "filter",
            "The unit's SystemCallFilter does not allow io_uring",
            "Threads would serve instead.",
        )
        .with_remedy(sandbox.map(Sandbox::remedy).unwrap_or_default()),
        None => Finding::note(
            "filter",
            "The process runs under a system call filter (seccomp) of its own",
            "Whether it allows io_uring can only be seen from inside: run uringaio doctor there.",
        ),
    })
}

/// What systemd says about `io_uring_setup` in a unit.
fn allowed_by_unit(unit: &str) -> Option<bool> {
    let answer = Command::new("systemctl")
        .args(["show", "--property=SystemCallFilter", "--value", unit])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    allows(String::from_utf8_lossy(&answer.ok()?.stdout).trim())
}

/// Whether a list of system calls lets `io_uring_setup` pass; with a tilde before it, it is a list of what may not. Nothing for an
/// empty list.
fn allows(list: &str) -> Option<bool> {
    let (denies, calls) = list.strip_prefix('~').map_or((false, list), |calls| (true, calls));
    if calls.is_empty() {
        return None;
    }
    let listed = calls.split_whitespace().any(|call| call.split(':').next() == Some("io_uring_setup"));
    Some(listed != denies)
}

fn own_settings(process: &Process, number: libc::pid_t) -> Vec<Finding> {
    match process.environment() {
        Some(environment) => settings::findings(environment),
        None => vec![Finding::note("settings", format!("The environment of process {number} may not be read"), "")],
    }
}

#[cfg(test)]
mod tests {
    use super::allows;

    #[test]
    fn lists_of_system_calls() {
        assert_eq!(allows(""), None);
        assert_eq!(allows("read write io_uring_setup"), Some(true));
        assert_eq!(allows("read write"), Some(false));
        assert_eq!(allows("~io_uring_setup:1 mount"), Some(false));
        assert_eq!(allows("~mount"), Some(true));
    }
}
