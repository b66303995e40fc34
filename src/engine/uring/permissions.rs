//! Which operations a ring may carry out, where that was decided by another.
//!
//! From Linux 7.0 on a process may inherit a list of the operations that its rings may carry out
//! (`IORING_REGISTER_RESTRICTIONS` without a ring), or filters that look at each (`IORING_REGISTER_BPF_FILTER`). What is
//! denied completes with `-EACCES`. What the library uses is tried when a ring is made ([`super::adapt`]); what is denied is
//! done another way:
//!
//! | denied | instead |
//! |---|---|
//! | `READ`, `READV`, `WRITEV` | workers do what would need it |
//! | `FSYNC` | nothing: workers do it, unless no thread can be started for one |
//! | `ASYNC_CANCEL` | nothing under way is stopped: `AIO_NOTCANCELED` |
//! | `FUTEX_WAIT` | the doorbell is a signal, which needs `POLL_ADD` |
//! | changing the file table by a call | by an entry, `FILES_UPDATE` |
//! | enabling a ring | it is made so that it is enabled from the start |
//! | registering the ring | its descriptor stays, with a high number |
//! | `WRITE`, the flags `FIXED_FILE` and `ASYNC`, a table of files, both of a pair above | workers serve |

use core::fmt::{Display, Formatter, Result as Formatted};
use core::sync::atomic::{AtomicU32, Ordering};

use io_uring::{opcode, squeue::Flags};

use crate::engine::operation::Kind;

/// An operation that the library uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Use {
    Read,
    Write,
    ReadVector,
    WriteVector,
    Sync,
    Cancel,
    FutexWait,
    Poll,
    UpdateFiles,
}

/// Each of them, with its name and number in linux/io_uring.h.
pub const USES: [(Use, &str, u8); 9] = [
    (Use::Read, "IORING_OP_READ", opcode::Read::CODE),
    (Use::Write, "IORING_OP_WRITE", opcode::Write::CODE),
    (Use::ReadVector, "IORING_OP_READV", opcode::Readv::CODE),
    (Use::WriteVector, "IORING_OP_WRITEV", opcode::Writev::CODE),
    (Use::Sync, "IORING_OP_FSYNC", opcode::Fsync::CODE),
    (Use::Cancel, "IORING_OP_ASYNC_CANCEL", opcode::AsyncCancel::CODE),
    (Use::FutexWait, "IORING_OP_FUTEX_WAIT", opcode::FutexWait::CODE),
    (Use::Poll, "IORING_OP_POLL_ADD", opcode::PollAdd::CODE),
    (Use::UpdateFiles, "IORING_OP_FILES_UPDATE", opcode::FilesUpdate::CODE),
];

/// The flags that its entries have.
pub const FLAGS: Flags = Flags::FIXED_FILE.union(Flags::ASYNC);

/// What of [`USES`] is denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Denied(u32);

impl Denied {
    /// Whether this one is.
    pub const fn has(self, which: Use) -> bool {
        self.0 & 1 << which as u32 != 0
    }

    /// With this one denied or not.
    pub const fn set(&mut self, which: Use, is_denied: bool) {
        let bit = 1 << which as u32;
        self.0 = if is_denied { self.0 | bit } else { self.0 & !bit };
    }

    /// Whether nothing is.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl Display for Denied {
    fn fmt(&self, to: &mut Formatter) -> Formatted {
        let mut names = USES.iter().filter(|(which, ..)| self.has(*which)).map(|(_, name, _)| name);
        if let Some(first) = names.next() {
            to.write_str(first)?;
        }
        names.try_for_each(|name| write!(to, ", {name}"))
    }
}

/// What the ring of this process is denied. A forked child, which begins with it, inherits what denied it as well.
static DENIED: AtomicU32 = AtomicU32::new(0);

/// What the ring that was made last is denied.
pub fn denied() -> Denied {
    // Relaxed: a request that goes to the ring all the same is done again by a worker.
    Denied(DENIED.load(Ordering::Relaxed))
}

/// Whether workers move these bytes although io_uring serves the file.
#[inline]
pub fn denies(kind: Kind) -> bool {
    let denied = denied();
    !denied.is_none() && denied.denies(kind)
}

impl Denied {
    #[cold]
    const fn denies(self, kind: Kind) -> bool {
        match kind {
            Kind::Read => self.has(Use::Read),
            Kind::ReadVector => self.has(Use::ReadVector),
            Kind::WriteVector => self.has(Use::WriteVector),
            // Without this one io_uring does not serve at all.
            Kind::Write => self.has(Use::Write),
            // The workers' in any case.
            Kind::Sync | Kind::DataSync | Kind::Poll | Kind::Nop => false,
        }
    }
}

/// Takes note of what is missed: what is denied, less what the ring does another way already.
pub fn note(denied: Denied) {
    DENIED.store(denied.0, Ordering::Relaxed);
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test")]
mod tests {
    use super::{Denied, FLAGS, USES, Use};
    use crate::engine::operation::Kind;
    use serde_json::Value;

    /// What is published for those who write such lists.
    const LIST: &str = include_str!("../../../share/sandbox/io_uring-operations.json");
    const PAGE: &str = include_str!("../../../docs/containers.md");

    /// Name and number of each entry of a part of the list; the page has a row for each.
    fn published<'a>(list: &'a Value, part: &str) -> Vec<(&'a str, u64)> {
        let entries = list[part].as_array().expect("a list");
        let read = |entry: &'a Value| {
            let (name, number) = (entry["name"].as_str().expect("text"), entry["number"].as_u64().expect("a number"));
            if let Some(without) = entry["without"].as_str() {
                let need = if entry["needed"] == Value::Bool(true) { "yes" } else { "no" };
                let row = format!("| `{name}` | {number} | {need} | {without} |");
                assert!(PAGE.contains(&row), "docs/containers.md lacks the row\n{row}");
            }
            (name, number)
        };
        entries.iter().map(read).collect()
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri takes minutes to compare a page")]
    fn the_published_list_is_what_is_used() {
        let list: Value = serde_json::from_str(LIST).expect("is JSON");
        assert_eq!(published(&list, "opcodes"), USES.map(|(_, name, number)| (name, number.into())));
        let flags: u64 = published(&list, "sqe_flags").iter().map(|(_, number)| number).sum();
        assert_eq!(flags, u64::from(FLAGS.bits()));
        assert!(published(&list, "register").contains(&("IORING_REGISTER_FILES_UPDATE", 6)));
    }

    #[test]
    fn what_is_denied_goes_to_the_workers() {
        let denied = |which: Use| Denied(1 << which as u32);
        assert!(denied(Use::Read).denies(Kind::Read) && !denied(Use::Read).denies(Kind::Write));
        assert!(denied(Use::WriteVector).denies(Kind::WriteVector) && !denied(Use::WriteVector).denies(Kind::Write));
        assert!(!denied(Use::Sync).denies(Kind::Write) && !denied(Use::FutexWait).denies(Kind::Read));
        let both = Denied(denied(Use::Read).0 | denied(Use::Poll).0);
        assert_eq!(both.to_string(), "IORING_OP_READ, IORING_OP_POLL_ADD");
    }
}
