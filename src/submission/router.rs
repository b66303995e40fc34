//! Where a request goes. The only place that decides it, for both faces.
//!
//! A route is chosen by what the request is, what its file is, and what has been seen to threaten a thread that touches the
//! program's memory or files. [`TABLE`] is the same in words; docs/lanes.md prints it, and a test compares the two.
//!
//! io_uring serves what is on a list of file systems for which it was shown to answer as `pread` and `pwrite` do
//! ([`crate::host::file_info`]). Everything else goes by plain system calls, which are correct by construction.

use super::device_profile;
use super::fd_cache::FdInfo;
use super::hazards::Hazards;
use super::thread_identity;
use crate::engine::{Carrier, Kind};
use crate::host::settings;
use crate::stats::Face;

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// By which face.
    pub face: Face,
    /// What is to be done.
    pub kind: Kind,
    /// With which file.
    pub file: FdInfo,
    /// Whether it is a write that appends.
    pub appends: bool,
    /// The program's buffers, for a transfer.
    pub buffers: &'a [libc::iovec],
}

/// The way of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// In the calling thread, to its end: no other thread could do it with the caller's descriptors and rights.
    InCaller,
    /// In the calling thread as far as that need not wait; the rest by an engine.
    Inline(Carrier),
    /// In the calling thread if nothing earlier is outstanding on the stream or file, as far as that need not wait; the rest
    /// by the workers, in order.
    InlineInOrder,
    /// By an engine.
    Engine(Carrier),
}

#[allow(dead_code, reason = "for the documentation, and compared with it")]
/// A row of the table: which requests, on which files, when; the route; why.
pub type Row = [&'static str; 4];

/// The table, in the order in which it is gone through. (Before it is asked, `libaio::carriage` has given contexts that
/// begin with `O_DIRECT` requests to the kernel's own AIO.)
#[allow(dead_code, reason = "as above")]
pub const TABLE: [Row; 10] = [
    [
        "any",
        "the thread has descriptors or rights of its own",
        "in the caller",
        "the engines' threads would look the number up elsewhere, or have other rights",
    ],
    ["poll", "any", "workers", "one epoll waits for all; it can be cancelled at any time"],
    [
        "read, write",
        "pipe, socket, terminal, character device",
        "in the caller if nothing is queued (libaio), then workers in order",
        "order, whole writes, timeouts and terminals' rules are those of plain system calls",
    ],
    [
        "write",
        "O_APPEND",
        "in the caller if nothing is queued (libaio), then workers in order",
        "appends must land in call order",
    ],
    [
        "fsync, fdatasync",
        "ext4, XFS, btrfs, block device",
        "io_uring",
        "held back there until earlier requests on the file have ended",
    ],
    ["fsync, fdatasync", "any other", "workers", "a plain system call"],
    [
        "read, write",
        "a page of the buffer or the file may be long in coming (userfaultfd, fanotify, a frozen file system)",
        "workers",
        "only the worker that does it may sleep; libaio's inline part stays, as the kernel's AIO would sleep there too",
    ],
    [
        "read, write",
        "tmpfs, ramfs, hugetlbfs",
        "in the caller, then workers",
        "nothing waits for a device; io_uring would need a worker for each",
    ],
    [
        "read, write",
        "ext4, XFS, btrfs, block device",
        "in the caller if cached (O_DIRECT: if the device has shown that it completes requests immediately), then io_uring",
        "a cached read or a buffered write is cheaper than waking a thread; the device is kept busy by io_uring",
    ],
    [
        "read, write",
        "any other (FUSE, NFS, SMB, …)",
        "workers",
        "io_uring is not known to answer as pread does there, and may sleep in its caller",
    ],
];

/// The route of a request.
#[inline]
#[must_use]
pub fn route(question: Question) -> Route {
    let Question { face, kind, file, appends, buffers } = question;
    if thread_identity::is_separate() {
        return Route::InCaller;
    }
    let local = if file.is_local() { Carrier::Uring } else { Carrier::Workers };
    match kind {
        Kind::Poll | Kind::Nop => return Route::Engine(Carrier::Workers),
        Kind::Sync | Kind::DataSync => return Route::Engine(local),
        Kind::Read | Kind::Write | Kind::ReadVector | Kind::WriteVector => {}
    }
    let may_inline = settings::get().inline;
    if !file.seeks() || appends {
        // POSIX says "queued"; the kernel's AIO does it in `io_submit`, and programs look for the event there.
        return match face {
            Face::Libaio if may_inline => Route::InlineInOrder,
            _ => Route::Engine(Carrier::Workers),
        };
    }
    let writes = kind.writes();
    let hazards = Hazards::now();
    let is_threatened = !hazards.is_none() && hazards.threaten(writes, buffers);
    let carrier = if is_threatened { Carrier::Workers } else { local };
    let waits_for_device = || file.is_direct() && !device_profile::completes_immediately(file.device);
    let inlines = may_inline && (file.in_memory() || file.is_local()) && !waits_for_device();
    match face {
        _ if !inlines => Route::Engine(carrier),
        Face::Posix if is_threatened => Route::Engine(carrier),
        _ => Route::Inline(carrier),
    }
}

/// Whether writes on a file that io_uring serves may be with the workers nevertheless, uncounted.
#[must_use]
pub fn may_be_with_workers() -> bool {
    !Hazards::now().never_were()
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn the_documentation_has_the_same_table() {
        let page = include_str!("../../docs/lanes.md");
        for [request, file, route, reason] in TABLE {
            let row = format!("| {request} | {file} | {route} | {reason} |");
            assert!(page.contains(&row), "docs/lanes.md lacks the row\n{row}");
        }
    }
}
