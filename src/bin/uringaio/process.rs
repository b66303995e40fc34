//! A process as `/proc` shows it: this one, or another.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::root::Root;

/// The capabilities to open files whatever their mode, to lock memory beyond the limit, and to look into other users' processes.
const CAP_DAC_OVERRIDE: u32 = 1;
const CAP_IPC_LOCK: u32 = 14;
const CAP_SYS_PTRACE: u32 = 19;

/// A process by its folder in `/proc`.
#[derive(Clone, Debug)]
pub struct Process {
    folder: PathBuf,
}

/// What of a process's rights matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    OverrideModes,
    LockMemory,
    TraceOthers,
}

impl Process {
    pub fn own() -> Self {
        Self { folder: "/proc/self".into() }
    }

    pub fn of(process: libc::pid_t) -> Self {
        Self { folder: format!("/proc/{process}").into() }
    }

    pub fn exists(&self) -> bool {
        self.folder.exists()
    }

    /// A field of `status`.
    pub fn status(&self, field: &str) -> Option<String> {
        let status = fs::read_to_string(self.folder.join("status")).ok()?;
        status.lines().find_map(|line| Some(line.strip_prefix(field)?.strip_prefix(':')?.trim().to_string()))
    }

    /// Whether a seccomp filter decides about its system calls.
    pub fn is_filtered(&self) -> bool {
        self.status("Seccomp").is_some_and(|mode| mode == "2")
    }

    /// How many filters it has; older kernels do not tell.
    pub fn filters(&self) -> u32 {
        self.status("Seccomp_filters").and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    pub fn has(&self, capability: Capability) -> bool {
        let bit = match capability {
            Capability::OverrideModes => CAP_DAC_OVERRIDE,
            Capability::LockMemory => CAP_IPC_LOCK,
            Capability::TraceOthers => CAP_SYS_PTRACE,
        };
        let effective = self.status("CapEff").and_then(|digits| u64::from_str_radix(&digits, 16).ok());
        effective.is_some_and(|effective| effective >> bit & 1 == 1)
    }

    /// The soft limit of a row of `limits`; nothing where there is none.
    pub fn limit(&self, row: &str) -> Option<u64> {
        let limits = fs::read_to_string(self.folder.join("limits")).ok()?;
        limits.lines().find_map(|line| line.strip_prefix(row)?.split_whitespace().next()?.parse().ok())
    }

    /// `RLIMIT_MEMLOCK` in bytes, where there is one and it counts for this process.
    pub fn lock_limit(&self) -> Option<u64> {
        if self.has(Capability::LockMemory) { None } else { self.limit("Max locked memory") }
    }

    /// The environment that it was started with; nothing where it may not be read.
    pub fn environment(&self) -> Option<Vec<(OsString, OsString)>> {
        let block = fs::read(self.folder.join("environ")).ok()?;
        let variables = block.split(|&byte| byte == 0).filter_map(|entry| {
            let at = entry.iter().position(|&byte| byte == b'=')?;
            Some((OsString::from_vec(entry[..at].to_vec()), OsString::from_vec(entry[at + 1..].to_vec())))
        });
        Some(variables.collect())
    }

    /// Its command line; empty where it may not be read.
    pub fn arguments(&self) -> Vec<String> {
        let line = fs::read(self.folder.join("cmdline")).unwrap_or_default();
        let line = line.strip_suffix(b"\0").unwrap_or(&line);
        line.split(|&byte| byte == 0).map(|argument| String::from_utf8_lossy(argument).into_owned()).collect()
    }

    /// The files that it sees, which may be a container's.
    pub fn root(&self) -> Root {
        Root::at(self.folder.join("root"))
    }

    /// The file that it runs.
    pub fn executable(&self) -> std::io::Result<PathBuf> {
        fs::read_link(self.folder.join("exe"))
    }

    /// The files that are mapped for execution, by their names inside its root, and whether a context of the kernel's own AIO
    /// is mapped.
    pub fn mapped(&self) -> std::io::Result<(BTreeSet<PathBuf>, bool)> {
        let maps = fs::read(self.folder.join("maps"))?;
        let (mut files, mut has_context) = (BTreeSet::new(), false);
        for line in maps.split(|&byte| byte == b'\n') {
            let Some(at) = line.iter().position(|&byte| byte == b'/') else { continue };
            let (fields, name) = line.split_at(at);
            let mode = fields.split(u8::is_ascii_whitespace).nth(1).unwrap_or_default();
            if name.starts_with(b"/[aio]") {
                has_context = true;
            } else if mode.contains(&b'x') {
                files.insert(PathBuf::from(OsStr::from_bytes(name.strip_suffix(b" (deleted)").unwrap_or(name))));
            }
        }
        Ok((files, has_context))
    }

    /// A file of the process's own root, which may be a container's, as this command can open it.
    pub fn reach(&self, file: &Path) -> PathBuf {
        self.folder.join("root").join(file.strip_prefix("/").unwrap_or(file))
    }

    /// Whether it has an io_uring of its own open. The library's rings are not among its descriptors on newer kernels.
    pub fn has_io_uring_open(&self) -> bool {
        let descriptors = fs::read_dir(self.folder.join("fd")).into_iter().flatten().flatten();
        let mut targets = descriptors.filter_map(|entry| fs::read_link(entry.path()).ok());
        targets.any(|target| target.as_os_str() == "anon_inode:[io_uring]")
    }

    /// The processes that it started, and those that these started.
    pub fn descendants(&self) -> Vec<libc::pid_t> {
        let mut found = self.children();
        let mut next = 0;
        while next < found.len() {
            found.extend(Self::of(found[next]).children());
            next += 1;
        }
        found
    }

    fn children(&self) -> Vec<libc::pid_t> {
        let threads = fs::read_dir(self.folder.join("task")).into_iter().flatten().flatten();
        let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
    }

    /// The control groups, one a line.
    pub fn control_groups(&self) -> String {
        fs::read_to_string(self.folder.join("cgroup")).unwrap_or_default()
    }
}
