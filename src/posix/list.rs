//! `lio_listio`: many requests by one call, and one notification or one wait for all.

use core::ffi::c_int;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, Ordering};

use super::aiocb::{Block, Notice};
use super::own_ring::{self, Own};
use super::request::{self, Begun, Handle, Request};
use super::{callbacks, notify, wait};
use crate::engine::{self, Engine, Kind, Operation, Wakes};
use crate::host::ending::AtThreadEnd;
use crate::host::kernel::Errno;
use crate::stats::{self, Face};

/// The requests of one list. Each outstanding one holds it, and so does the caller while it is busy with it.
#[derive(Clone, Copy)]
pub struct Group(Handle);

impl Group {
    fn make(notice: Notice, waits: bool) -> Result<Self, Errno> {
        let mut group = Request::make(notice)?;
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
    pub fn leave(self, failed: bool, wakes: Option<&mut Wakes>) {
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
            match engine::started() {
                Some(engine) if !on_engines_thread => notify::send_from_elsewhere(self.0, engine),
                _ => notify::send(self.0),
            }
        }
    }

    /// Waits until the caller is the last holder.
    fn wait(self) -> Result<(), Errno> {
        // Should the thread be cancelled while it waits, its hold is let go when it ends.
        let held = LEFT_BEHIND.hold(self.0.as_ptr().cast());
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
            LEFT_BEHIND.let_go();
        }
        waited
    }
}

/// A group whose caller was cancelled in its wait.
static LEFT_BEHIND: AtThreadEnd = AtThreadEnd::new(leave_behind);

unsafe extern "C" fn leave_behind(group: *mut core::ffi::c_void) {
    if let Some(group) = NonNull::new(group.cast()) {
        Group(group).leave(false, None);
    }
}

/// Operations that are to be submitted together.
struct Chain {
    ends: Option<(NonNull<Operation>, NonNull<Operation>)>,
    /// What goes by the calling thread's own ring, if anything may.
    own: Option<Own>,
}

impl Chain {
    fn add(&mut self, operation: NonNull<Operation>) {
        self.ends = Some(match self.ends {
            None => (operation, operation),
            Some((newest, oldest)) => {
                // SAFETY: both are valid and not submitted.
                unsafe { engine::chain(newest, operation) };
                (operation, oldest)
            }
        });
    }

    /// Adds a request; `silent`: nobody is notified of it.
    fn add_request(&mut self, operation: NonNull<Operation>, silent: bool) {
        if !silent || !self.own.as_mut().is_some_and(|own| own.take(operation)) {
            self.add(operation);
        }
    }

    fn submit(self, engine: &Engine) {
        if let Some(own) = self.own {
            own.submit();
        }
        if let Some((newest, oldest)) = self.ends {
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
    engine: &Engine,
    blocks: impl Iterator<Item = Block>,
    notice: Notice,
    waits: bool,
    old: bool,
) -> Result<(), Errno> {
    if !waits && notice.how == libc::SIGEV_THREAD && !notice.is_silent() {
        callbacks::prepare()?;
    }
    let group = Group::make(if waits { Notice::NONE } else { notice }, waits)?;
    // Whoever is notified of the whole list, or waits for it, need not look into a ring.
    let own = if waits || !notice.is_silent() { None } else { Some(Own::begin()) };
    let mut chain = Chain { ends: None, own };
    let mut begun = 0usize;
    let mut refused = None;
    for block in blocks {
        match begin(block, group, old, &mut chain) {
            Ok(true) => begun += 1,
            Ok(false) => {}
            Err(errno) => {
                block.finish(errno.negated());
                refused = Some(errno);
                group.fail();
            }
        }
    }
    stats::submitted(Face::Posix, begun as u64);
    chain.submit(engine);
    let waited = if waits { own_ring::while_waiting(|| group.wait()) } else { Ok(()) };
    let failed = group.has_failed();
    group.leave(false, None);
    waited?;
    match refused {
        Some(errno) if !waits || begun == 0 => Err(errno),
        _ if waits && failed => Err(Errno(libc::EIO)),
        _ => Ok(()),
    }
}

/// Begins one request. Whether there was one.
fn begin(block: Block, group: Group, old: bool, chain: &mut Chain) -> Result<bool, Errno> {
    let kind = match block.list_kind() {
        Ok(None) => return Ok(false),
        Ok(Some(kind)) => Some(kind),
        Err(()) => None,
    };
    if old {
        block.silence();
    }
    let (kind, notice) = match kind {
        _ if !block.has_sane_priority() => return Err(Errno(libc::EINVAL)),
        Some(kind) => (kind, block.notice()),
        None => {
            refuse(block, group, chain)?;
            return Ok(true);
        }
    };
    if matches!(kind, Kind::Sync | Kind::DataSync)
        && let Some(own) = chain.own.take()
    {
        // What comes before it in the list is covered.
        own.submit();
    }
    group.join();
    match request::begin(block, kind, notice, Some(group)) {
        Ok((Begun::Queued(operation), _)) => chain.add_request(operation, notice.is_silent()),
        Ok((Begun::Over { failed }, notification)) => {
            if let Some(notification) = notification {
                chain.add(Request::operation(notification));
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
fn refuse(block: Block, group: Group, chain: &mut Chain) -> Result<(), Errno> {
    let notice = block.notice();
    if !notice.is_silent() {
        if notice.how == libc::SIGEV_THREAD {
            callbacks::prepare()?;
        }
        chain.add(Request::operation(Request::make(notice)?));
    }
    block.finish(Errno(libc::EINVAL).negated());
    group.fail();
    Ok(())
}

/// Whether `mode` is one of the two.
pub const fn is_mode(mode: c_int) -> bool {
    matches!(mode, libc::LIO_WAIT | libc::LIO_NOWAIT)
}
