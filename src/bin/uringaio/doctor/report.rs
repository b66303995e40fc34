//! What `uringaio doctor` found: the types that its text is written from and that `--json` writes as they are.

use serde::Serialize;

/// What `uringaio doctor --json` writes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// The version of uringaio.
    pub version: String,
    /// The kernel's release.
    pub linux: String,
    /// What the library would use here: `io_uring`, `threads` or `system` (the system's own AIO). Null if it could not be asked.
    pub engine: Option<String>,
    /// The outcome in a sentence or two.
    pub summary: String,
    /// What running the program that was named on uringaio changes; null where none was named.
    pub effect: Option<Effect>,
    /// What was looked at, in the order of the text.
    pub sections: Vec<Section>,
    /// Random reads that were tried, one after another, of a file that was named; empty where none was.
    pub reads: Vec<Reads>,
}

/// Reads of a file, by one interface.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reads {
    /// `posix` or `libaio`.
    pub interface: &'static str,
    /// With `O_DIRECT`.
    pub direct: bool,
    /// How many were done within the time.
    pub reads: u64,
    /// The median time of one, in nanoseconds, known to within a fifth.
    pub median_ns: u64,
    /// Those that ended in the calling thread, at once.
    pub in_caller: u64,
    pub by_io_uring: u64,
    /// Those that threads of the library did.
    pub by_threads: u64,
    /// Those that were carried by the kernel's own AIO.
    pub by_kernel_aio: u64,
    /// Those that the library left to the system's own implementation.
    pub by_the_system: u64,
}

/// One part of the report.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Section {
    /// `library`, `kernel`, `limits`, `files`, `settings`, `program`, `process` or `file`.
    pub name: &'static str,
    /// The heading in the text.
    pub title: String,
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// A name for programs, such as `io_uring` or `lock_limit`; it stays the same when the words change.
    pub id: &'static str,
    pub verdict: Verdict,
    /// What was found, in one sentence.
    pub title: String,
    /// What it means.
    pub detail: String,
    /// What to do: lines to paste, `#` before explanations. Empty where nothing is to be done.
    pub remedy: Vec<String>,
}

/// What running a program on uringaio changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Its requests are served.
    Served,
    /// They are served with `URINGAIO_RAW=1` alone.
    Raw,
    /// Nothing, unless a setting of the program is changed.
    Setting,
    /// Nothing.
    None,
    /// It cannot be run on uringaio, or not be looked into.
    Refused,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Good,
    /// Worth knowing; nothing stands in the way.
    Note,
    /// Something stands in the way.
    Bad,
}

impl Finding {
    pub fn good(id: &'static str, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Verdict::Good, id, title, detail)
    }

    pub fn note(id: &'static str, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Verdict::Note, id, title, detail)
    }

    pub fn bad(id: &'static str, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Verdict::Bad, id, title, detail)
    }

    fn new(verdict: Verdict, id: &'static str, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { id, verdict, title: title.into(), detail: detail.into(), remedy: Vec::new() }
    }

    /// The same with lines to paste.
    #[must_use]
    pub fn with_remedy<Line: Into<String>>(mut self, lines: impl IntoIterator<Item = Line>) -> Self {
        self.remedy.extend(lines.into_iter().map(Into::into));
        self
    }
}

impl Section {
    pub fn new(name: &'static str, title: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self { name, title: title.into(), findings }
    }
}

impl Report {
    /// Whether something stands in the way.
    pub fn has_bad(&self) -> bool {
        self.sections.iter().flat_map(|section| &section.findings).any(|finding| finding.verdict == Verdict::Bad)
    }
}
