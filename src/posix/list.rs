//! `lio_listio`: many requests by one call, and one notification or one wait for all.

use core::ffi::c_int;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, Ordering};

use super::aiocb::{AiocbRef, SigEvent};
use super::request::{self, Begun, Handle, Request};
use super::{callback_pool, notify, wait};
use crate::engine::{self, Engine, Engines, Operation, WakeBatch};
use crate::host::kernel::Errno;
use crate::host::thread_exit_hook::ThreadExitHook;
use crate::stats::{self, Face};

/// The requests of one list. Each outstanding one holds it, and so does the caller while it is busy with it.
#[derive(Clone, Copy)]
pub struct Group(Handle);

impl Group {
    fn make(sigevent: SigEvent, waits: bool) -> Result<Self, Errno> {
        let mut group = Request::make(sigevent)?;
        // SAFETY: just made.
        unsafe {
            group.as_mut().waits = waits;
            group.as_ref().holders.store(1, Ordering::Relaxed);
        }
        Ok(Self(group))
    }

    /// One request more.
    fn join(self) {
        // SAFETY: the caller holds the group. Relaxed: a holder lends its own.
        unsafe { self.0.as_ref() }.holders.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes note that a request failed.
    fn fail(self) {
        // SAFETY: the caller holds the group. Relaxed: published by leaving.
        unsafe { self.0.as_ref() }.failed.store(true, Ordering::Relaxed);
    }

    fn has_failed(self) -> bool {
        // SAFETY: as above.
        unsafe { self.0.as_ref() }.failed.load(Ordering::Relaxed)
    }

    fn holders<'a>(self) -> &'a AtomicU32 {
        // SAFETY: as above.
        unsafe { &self.0.as_ref().holders }
    }

    /// A holder leaves; with `wakes` on the engine's thread. The last one sends the list's notification.
    pub fn leave(self, failed: bool, wakes: Option<&mut WakeBatch>) {
        if failed {
            self.fail();
        }
        let holders = self.holders();
        // SAFETY: the caller holds the group.
        let waits = unsafe { self.0.as_ref().waits };
        let address = ptr::from_ref(holders);
        // Release and Acquire: the last one sees what all did. Unless it is the last, the group may be gone from here on.
        match holders.fetch_sub(1, Ordering::AcqRel) {
            // SAFETY: nobody else refers to the group.
            1 if waits => unsafe { Request::recycle(self.0) },
            1 => {
                // SAFETY: the same.
                unsafe { self.announce(wakes.is_some()) };
            }
            2 if waits => {
                if let Some(wakes) = wakes {
                    wakes.wake(address, 1);
                }
            }
            _ => {}
        }
    }

    /// Sends the list's notification: it is over.
    ///
    /// # Safety
    /// The caller was the last holder.
    unsafe fn announce(self, on_engines_thread: bool) {
        // SAFETY: the caller's promise.
        unsafe {
            if on_engines_thread {
                notify::send(self.0);
            } else {
                notify::send_from_elsewhere(self.0);
            }
        }
    }

    /// Waits until the caller is the last holder.
    fn wait(self) -> Result<(), Errno> {
        // Should the thread be cancelled while it waits, its hold is let go when it ends.
        let held = LEFT_BEHIND.set(self.0.as_ptr().cast());
        let waited = loop {
            let holders = self.holders().load(Ordering::Acquire);
            if holders == 1 {
                break Ok(());
            }
            if let Err(Errno(libc::EINTR)) = wait::sleep(self.holders(), holders, None) {
                break Err(Errno(libc::EINTR));
            }
        };
        if held {
            LEFT_BEHIND.clear();
        }
        waited
    }
}

/// A group whose caller was cancelled in its wait.
static LEFT_BEHIND: ThreadExitHook = ThreadExitHook::new(leave_behind);

unsafe extern "C" fn leave_behind(group: *mut core::ffi::c_void) {
    if let Some(group) = NonNull::new(group.cast()) {
        Group(group).leave(false, None);
    }
}

/// Operations that are to be submitted to one engine together.
struct Chain {
    engine: &'static Engine,
    newest: NonNull<Operation>,
    oldest: NonNull<Operation>,
}

/// Operations that are to be submitted together, by engine.
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

/// Begins every request of a list, and waits for all if `waits`.
///
/// # Errors
/// `EIO`: one failed, and the caller waited. Where it did not wait, or none could be begun: what kept the last one from
/// being begun, `EINVAL` for a bad `aio_reqprio` or `EAGAIN`. `EINTR`: a signal handler ran during the wait.
pub fn run(
    engines: Engines,
    blocks: impl Iterator<Item = AiocbRef>,
    sigevent: SigEvent,
    waits: bool,
    old: bool,
) -> Result<(), Errno> {
    if !waits && sigevent.how == libc::SIGEV_THREAD && !sigevent.is_silent() {
        callback_pool::prepare()?;
    }
    let group = Group::make(if waits { SigEvent::NONE } else { sigevent }, waits)?;
    let mut chains = Chains([None, None]);
    let mut partially_done = 0usize;
    let mut refused = None;
    for block in blocks {
        match begin(engines, block, group, old, &mut chains) {
            Ok(true) => partially_done += 1,
            Ok(false) => {}
            Err(errno) => {
                block.finish(errno.negated());
                refused = Some(errno);
                group.fail();
            }
        }
    }
    stats::submitted(Face::Posix, partially_done as u64);
    chains.submit();
    let waited = if waits { group.wait() } else { Ok(()) };
    let failed = group.has_failed();
    group.leave(false, None);
    waited?;
    match refused {
        Some(errno) if !waits || partially_done == 0 => Err(errno),
        _ if waits && failed => Err(Errno(libc::EIO)),
        _ => Ok(()),
    }
}

/// Begins one request. Whether there was one.
fn begin(engines: Engines, block: AiocbRef, group: Group, old: bool, chains: &mut Chains) -> Result<bool, Errno> {
    let kind = match block.list_kind() {
        Ok(None) => return Ok(false),
        Ok(Some(kind)) => Some(kind),
        Err(()) => None,
    };
    if old {
        block.silence();
    }
    let (kind, sigevent) = match kind {
        _ if !block.has_sane_priority() => return Err(Errno(libc::EINVAL)),
        Some(kind) => (kind, block.sigevent()),
        None => {
            refuse(engines, block, group, chains)?;
            return Ok(true);
        }
    };
    group.join();
    match request::begin(engines, block, kind, sigevent, Some(group)) {
        Ok((Begun::Queued(operation, engine), _)) => chains.add(operation, engine),
        Ok((Begun::Over { failed }, notification)) => {
            if let Some(notification) = notification {
                add_notification(engines, notification, chains);
            }
            group.leave(failed, None);
        }
        Err(errno) => {
            group.leave(true, None);
            return Err(errno);
        }
    }
    Ok(true)
}

/// An unknown `aio_lio_opcode` is a request that fails with EINVAL, and tells so as others do.
fn refuse(engines: Engines, block: AiocbRef, group: Group, chains: &mut Chains) -> Result<(), Errno> {
    let sigevent = block.sigevent();
    if !sigevent.is_silent() {
        if sigevent.how == libc::SIGEV_THREAD {
            callback_pool::prepare()?;
        }
        add_notification(engines, Request::make(sigevent)?, chains);
    }
    block.finish(Errno(libc::EINVAL).negated());
    group.fail();
    Ok(())
}

/// Has a notification sent by an engine's thread, after what the list submits.
fn add_notification(engines: Engines, notification: Handle, chains: &mut Chains) {
    match engines.uring_or_workers() {
        Ok(engine) => chains.add(Request::operation(notification), engine),
        // SAFETY: the request is over, and its notification ours.
        Err(_) => unsafe { notify::send(notification) },
    }
}

/// Whether `mode` is one of the two.
pub const fn is_mode(mode: c_int) -> bool {
    matches!(mode, libc::LIO_WAIT | libc::LIO_NOWAIT)
}
