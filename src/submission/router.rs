//! Where a request goes. The only place that decides it, for both faces.
//!
//! A route is chosen by what the request is, what its file is, and what has been seen to threaten a thread that touches the
//! program's memory or files. [`super::routes`] is the same in words.
//!
//! io_uring serves what is on a list of file systems for which it was shown to answer as `pread` and `pwrite` do
//! ([`crate::host::file_info`]). Everything else goes by plain system calls, which are correct by construction.

use super::device_profile;
use super::fd_cache::FdInfo;
use super::hazards::Hazards;
use crate::engine::{self, Carrier, Kind};
use crate::host::{settings, thread_identity};
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

/// Where a request goes.
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

/// The route of a request.
#[inline]
#[must_use]
pub fn route(question: Question) -> Route {
    let Question { face, kind, file, appends, buffers } = question;
    if thread_identity::is_separate() {
        return Route::InCaller;
    }
    let by_uring = file.is_local() && !engine::uring_denies(kind);
    let local = if by_uring { Carrier::Uring } else { Carrier::Workers };
    match kind {
        Kind::Poll | Kind::Nop | Kind::Sync | Kind::DataSync => return Route::Engine(Carrier::Workers),
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
    // io_uring hands each read that cannot be tried without waiting to a thread of the kernel's; one of ours is nearer.
    let is_handed_over = !writes && file.refuses_nowait() && !file.is_direct();
    let carrier = if is_threatened || is_handed_over { Carrier::Workers } else { local };
    let inlines = may_inline
        && if file.is_remote() {
            // As in `io_submit` of the kernel's, and only as long as it is quick.
            let may_wait = face == Face::Libaio && !writes && !file.is_direct();
            may_wait && device_profile::reads_are_quick(file.device, false)
        } else {
            !file.is_direct() || device_profile::completes_immediately(file.device)
        };
    match face {
        _ if !inlines => Route::Engine(carrier),
        Face::Posix if is_threatened => Route::Engine(carrier),
        // Once, as the kernel's AIO does.
        Face::Libaio if !writes && hazards.ask_permission() => Route::Engine(carrier),
        _ => Route::Inline(carrier),
    }
}
