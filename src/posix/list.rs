//! `lio_listio`: begins all requests of a list, and waits for them or has the list's notification sent.

use core::ffi::c_int;
use core::ptr::NonNull;

use super::aiocb::{AiocbRef, ListEntry};
use super::list_group::ListGroup;
use super::request::{Request, RequestPtr};
use super::sigevent::SigEvent;
use super::submit::{self, Start};
use super::{notify, request_pool};
use crate::engine::{self, AroundOperation, Engine, Engines, Eventfd, Kind, Operation, WakeBatch};
use crate::host::kernel::Errno;
use crate::stats::{self, Face};

/// Operations that are submitted to one engine together.
struct Chain {
    engine: &'static Engine,
    newest: NonNull<Operation>,
    oldest: NonNull<Operation>,
}

/// Operations that are submitted together, by engine.
struct Chains([Option<Chain>; 2]);

impl Chains {
    fn add(&mut self, operation: NonNull<Operation>, engine: &'static Engine) {
        match &mut self.0[engine.carrier() as usize] {
            Some(chain) => {
                // SAFETY: both are valid and not submitted.
                unsafe { engine::chain(chain.newest, operation) };
                chain.newest = operation;
            }
            empty => *empty = Some(Chain { engine, newest: operation, oldest: operation }),
        }
    }

    fn submit(&mut self) {
        for Chain { engine, newest, oldest } in self.0.iter_mut().filter_map(Option::take) {
            // SAFETY: linked by `add`; each stays until it is finished.
            unsafe { engine.submit_chain(newest, oldest) };
        }
    }
}

/// One `lio_listio` call.
struct Call {
    engines: Engines,
    group: ListGroup,
    chains: Chains,
    /// The requests send no notifications of their own: glibc's first version.
    silences: bool,
}

/// Begins every request of a list, and waits for all of them if `waits`.
///
/// # Errors
/// `EIO`: the caller waited, and a request failed. `EINVAL`, `EAGAIN`, …: a request could not be begun (for its
/// `aio_reqprio`, its buffers or its eventfd; for want of memory or threads), and the caller did not wait or none could.
/// `EBADF`, `EINVAL`: the list's eventfd; nothing was begun. `EINTR`: a signal handler ran
/// during the wait.
pub fn run(
    engines: Engines,
    aiocbs: impl Iterator<Item = AiocbRef>,
    sigevent: SigEvent,
    waits: bool,
    silences: bool,
) -> Result<(), Errno> {
    let (notification, eventfd) = if waits { (None, None) } else { (notify::prepare(sigevent)?, sigevent.eventfd()?) };
    let group = ListGroup::new(notification, eventfd, waits).inspect_err(|_| {
        if let Some(notification) = notification {
            // SAFETY: request-is-owned: just taken, and known to no other thread.
            unsafe { request_pool::put(notification) };
        }
    })?;
    let mut call = Call { engines, group, chains: Chains([None, None]), silences };
    let mut begun = 0u64;
    let mut refused = None;
    for aiocb in aiocbs {
        match call.begin(aiocb) {
            Ok(true) => begun += 1,
            Ok(false) => {}
            Err(errno) => {
                aiocb.finish(errno.negated());
                refused = Some(errno);
                group.note_failure();
            }
        }
    }
    stats::submitted(Face::Posix, begun);
    call.chains.submit();
    let waited = if waits { group.wait() } else { Ok(()) };
    let has_failed = group.has_failed();
    group.leave(false, None);
    waited?;
    match refused {
        Some(errno) if !waits || begun == 0 => Err(errno),
        _ if waits && has_failed => Err(Errno(libc::EIO)),
        _ => Ok(()),
    }
}

impl Call {
    /// Begins one request. False: the entry asks for none.
    fn begin(&mut self, aiocb: AiocbRef) -> Result<bool, Errno> {
        let entry = aiocb.list_entry();
        if entry == ListEntry::Nop {
            return Ok(false);
        }
        if self.silences {
            aiocb.silence();
        }
        if !matches!(entry, ListEntry::Request(Kind::Sync | Kind::DataSync)) && !aiocb.has_valid_priority() {
            return Err(Errno(libc::EINVAL));
        }
        let ListEntry::Request(kind) = entry else {
            self.fail_unknown(aiocb)?;
            return Ok(true);
        };
        self.group.join();
        match submit::begin(self.engines, aiocb, kind, aiocb.sigevent(), Some(self.group)) {
            Ok(Start::Ready(operation, engine)) => self.chains.add(operation, engine),
            Ok(Start::Finished { failed, notification }) => {
                if failed {
                    self.group.note_failure();
                }
                match notification {
                    Some(notification) => self.add_notification(notification),
                    None => self.group.leave(false, None),
                }
            }
            Err(errno) => {
                self.group.leave(true, None);
                return Err(errno);
            }
        }
        Ok(true)
    }

    /// An unknown `aio_lio_opcode` is a request that fails with `EINVAL`, and sends its notification as others do.
    fn fail_unknown(&mut self, aiocb: AiocbRef) -> Result<(), Errno> {
        if let Some(notification) = notify::prepare(aiocb.sigevent())? {
            self.group.join();
            self.add_notification(notification);
        }
        aiocb.finish(Errno(libc::EINVAL).negated());
        self.group.note_failure();
        Ok(())
    }

    /// Has an engine's thread send a notification, after what the list submits. It holds the group until it is sent.
    fn add_notification(&mut self, mut notification: RequestPtr) {
        // SAFETY: request-is-owned, by this call until it is submitted.
        let request = unsafe { notification.as_mut() };
        request.group = Some(self.group.pointer());
        request.operation.finish = finish_notification;
        if let Some(eventfd) = self.group.eventfd() {
            request.operation.eventfds[Eventfd::List as usize] = eventfd;
        }
        if let Ok(engine) = self.engines.uring_or_workers() {
            return self.chains.add(Request::operation(notification), engine);
        }
        // SAFETY: the request has ended, and the caller owns its notification.
        unsafe { notify::send(notification) };
        self.group.leave(false, None);
    }
}

/// The engine's thread has reached the notification of a request that ended in the calling thread.
///
/// # Safety
/// As for a [`Finish`](engine::Finish).
unsafe fn finish_notification(operation: NonNull<Operation>, _: i64, wakes: &mut WakeBatch) {
    let request = Request::of(operation);
    // SAFETY: the operation is that of a request, which is the engine's thread's now.
    let group = unsafe {
        let group = request.as_ref().group;
        notify::send(request);
        group
    };
    if let Some(group) = group {
        // SAFETY: group-is-held, by the notification until it leaves here.
        unsafe { ListGroup::of(group) }.leave(false, Some(wakes));
    }
}

/// Whether `mode` is one of the two.
pub const fn is_mode(mode: c_int) -> bool {
    matches!(mode, libc::LIO_WAIT | libc::LIO_NOWAIT)
}
