//! All programs of the machine that run on the library, as far as this command may look into them.

use std::fs;

use crate::counters::{Missing, Observed, Snapshot};

/// A program on the library, at one moment.
pub struct Program {
    pub process: libc::pid_t,
    pub name: String,
    pub observed: Observed,
    pub snapshot: Snapshot,
}

/// What a look at every process found.
pub struct Survey {
    /// By process number.
    pub programs: Vec<Program>,
    /// Processes that this command may not look into; whether they use the library is not known.
    pub unreadable: usize,
    /// Programs on other versions of the library, whose counters this command cannot read.
    pub other_versions: usize,
}

/// Looks at every process that `/proc` shows, but for those that `is_known` says need no look.
pub fn survey(is_known: impl Fn(libc::pid_t) -> bool) -> Survey {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut numbers: Vec<libc::pid_t> = numbers.filter(|&process| !is_known(process)).collect();
    numbers.sort_unstable();
    let mut survey = Survey { programs: Vec::new(), unreadable: 0, other_versions: 0 };
    for process in numbers {
        match Program::look(process) {
            Ok(program) => survey.programs.push(program),
            Err(Missing::Forbidden) => survey.unreadable += 1,
            Err(Missing::OtherVersion) => survey.other_versions += 1,
            Err(_) => {}
        }
    }
    survey
}

impl Program {
    /// Reads the counters of one process.
    pub fn find(process: libc::pid_t) -> Result<Self, Missing> {
        Self::of(process, Observed::find(process)?)
    }

    /// The same, without a look at the processes that it started.
    fn look(process: libc::pid_t) -> Result<Self, Missing> {
        Self::of(process, Observed::alone(process)?)
    }

    fn of(process: libc::pid_t, observed: Observed) -> Result<Self, Missing> {
        let snapshot = observed.read().ok_or(Missing::Ended)?;
        Ok(Self { process, name: name(process), observed, snapshot })
    }
}

/// What the process calls itself. It may be anything; a terminal is not to obey it.
fn name(process: libc::pid_t) -> String {
    let bytes = fs::read(format!("/proc/{process}/comm")).unwrap_or_default();
    let text = String::from_utf8_lossy(bytes.strip_suffix(b"\n").unwrap_or(&bytes));
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}
