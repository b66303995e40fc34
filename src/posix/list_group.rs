//! The requests of one `lio_listio` call, and what happens when the last of them ends.
//!
//! The caller holds the group while it submits or waits, and each outstanding request holds it. The last holder sends the
//! list's notification and recycles the group.

use core::ffi::c_int;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::request::{Group, RequestPtr};
use super::{cancellation, notify, request_pool};
use crate::engine::{Eventfd as Which, WakeBatch};
use crate::host::kernel::Errno;
use crate::host::thread_exit_hook::ThreadExitHook;
use crate::submission::eventfd::Eventfd;

/// A group.
///
/// **`group-is-held`**: a holder's group is valid until that holder calls [`ListGroup::leave`].
#[derive(Clone, Copy)]
pub struct ListGroup(NonNull<Group>);

impl ListGroup {
    /// A group with one holder, the caller, which waits if `caller_waits`. The last holder sends `notification`, or counts
    /// the end by the eventfd.
    ///
    /// # Errors
    /// `EAGAIN`: memory is out.
    pub fn new(notification: Option<RequestPtr>, eventfd: Option<Eventfd>, caller_waits: bool) -> Result<Self, Errno> {
        let (holders, has_failed) = (AtomicU32::new(1), AtomicBool::new(false));
        request_pool::take_group(Group { holders, has_failed, caller_waits, notification, eventfd }).map(Self)
    }

    /// The number of its eventfd. Each operation of the list takes it: the one that is the last to end signals it.
    pub fn eventfd(self) -> Option<c_int> {
        // SAFETY: group-is-held, by the caller.
        unsafe { self.0.as_ref() }.eventfd.map(|eventfd| eventfd.fd)
    }

    /// The group that a request refers to.
    ///
    /// # Safety
    /// The request holds it (group-is-held).
    pub const unsafe fn of(group: NonNull<Group>) -> Self {
        Self(group)
    }

    /// What a request refers to it by.
    pub const fn pointer(self) -> NonNull<Group> {
        self.0
    }

    /// One more request holds it.
    pub fn join(self) {
        // SAFETY: group-is-held, by the caller. Relaxed: the caller's own hold keeps the count above 0.
        unsafe { self.0.as_ref() }.holders.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that a request failed.
    pub fn note_failure(self) {
        // SAFETY: group-is-held, by the caller. Relaxed: published by the Release in `leave`.
        unsafe { self.0.as_ref() }.has_failed.store(true, Ordering::Relaxed);
    }

    /// Whether a request failed.
    pub fn has_failed(self) -> bool {
        // SAFETY: group-is-held, by the caller. Relaxed: ordered by the Acquire in `wait`.
        unsafe { self.0.as_ref() }.has_failed.load(Ordering::Relaxed)
    }

    fn holders<'a>(self) -> &'a AtomicU32 {
        // SAFETY: group-is-held, by the caller.
        unsafe { &self.0.as_ref().holders }
    }

    /// A holder leaves; `wakes` is given on the engine's thread.
    pub fn leave(self, failed: bool, wakes: Option<&mut WakeBatch>) {
        if failed {
            self.note_failure();
        }
        let holders = self.holders();
        // SAFETY: group-is-held, by the caller.
        let Group { caller_waits, notification, eventfd, .. } = *unsafe { self.0.as_ref() };
        let address = ptr::from_ref(holders);
        // AcqRel: the last holder sees what all others did. Unless this was the last, the group may be gone from here on.
        match (holders.fetch_sub(1, Ordering::AcqRel), wakes) {
            (1, wakes) => {
                // SAFETY: the last holder owns the group, and the notification with it (request-is-owned).
                unsafe {
                    request_pool::put_group(self.0);
                    match (notification, &wakes) {
                        (Some(notification), Some(_)) => notify::send(notification),
                        (Some(notification), None) => notify::send_by_engine(notification),
                        (None, _) => {}
                    }
                }
                match (eventfd, wakes) {
                    (Some(_), Some(wakes)) => wakes.signal_eventfd(Which::List),
                    // The caller, in the call.
                    (Some(eventfd), None) => eventfd.signal(),
                    (None, _) => {}
                }
            }
            (2, Some(wakes)) if caller_waits => wakes.wake(address, 1),
            _ => {}
        }
    }

    /// Waits until the caller is the last holder. A cancellation point.
    ///
    /// # Errors
    /// `EINTR`: a signal handler without `SA_RESTART` ran.
    pub fn wait(self) -> Result<(), Errno> {
        // A thread that is cancelled while it waits leaves the group when it ends.
        let is_noted = WAITED_FOR.set(self.0.as_ptr().cast());
        let waited = loop {
            // Acquire pairs with the Release of `leave`: all that the requests did is seen.
            let holders = self.holders().load(Ordering::Acquire);
            if holders == 1 {
                break Ok(());
            }
            if let Err(Errno(libc::EINTR)) = cancellation::sleep(self.holders(), holders, None) {
                break Err(Errno(libc::EINTR));
            }
        };
        if is_noted {
            WAITED_FOR.clear();
        }
        waited
    }
}

/// The group that a thread waits for.
static WAITED_FOR: ThreadExitHook = ThreadExitHook::new(thread_ends);

unsafe extern "C" fn thread_ends(group: *mut core::ffi::c_void) {
    if let Some(group) = NonNull::new(group.cast()) {
        ListGroup(group).leave(false, None);
    }
}
