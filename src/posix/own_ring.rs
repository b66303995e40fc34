//! Requests that go by a [private ring](crate::engine::private) of the thread that submits them: those that nobody is notified
//! of, on the device alone, of a thread that waits for its requests itself.
//!
//! Whose ring it is stands in the aiocb while the request is in progress, so that whoever asks after it can see to it: its
//! own thread looks into the ring, another has that thread fetched.

use core::ffi::c_int;
use core::ptr::NonNull;

use super::aiocb::Block;
use super::request::Request;
use crate::engine::Operation;
use crate::engine::private::{self, Batch, On, Ring};
use crate::host::{files, thread};

/// Requests that go by the calling thread's ring, in one call of the program's.
pub struct Own {
    place: Option<&'static Ring>,
    batch: Option<Batch>,
}

impl Own {
    /// The calling thread begins a call that submits.
    #[inline]
    pub fn begin() -> Self {
        let place = private::place();
        if let Some(place) = place {
            place.proof.enter();
        }
        Self { place, batch: None }
    }

    /// Takes a request that nobody is notified of. False: it has to go to the engine.
    #[inline]
    pub fn take(&mut self, operation: NonNull<Operation>) -> bool {
        let Some(place) = self.place else { return false };
        // SAFETY: the request is the caller's, and not submitted yet.
        let (fits, block) = unsafe { (operation.as_ref().may_be_private(), Request::block(operation)) };
        let Some(block) = block.filter(|_| fits) else { return false };
        let me = thread::pointer();
        if !place.proof.is_enough() {
            block.mark(me, false);
            return false;
        }
        // SIGXFSZ would go to the program's thread. SAFETY: as above.
        if unsafe { operation.as_ref() }.may_raise_signal() {
            return false;
        }
        if self.batch.is_none() {
            self.batch = private::open().and_then(Ring::begin);
        }
        let Some(batch) = &mut self.batch else { return false };
        // SAFETY: the operation stays where it is until it is finished; the buffer by the program's promise.
        let added = unsafe { batch.add(operation) };
        block.mark(me, added);
        added
    }

    /// Hands to the kernel what was taken.
    #[inline]
    pub fn submit(self) {
        match (self.batch, self.place) {
            (Some(batch), _) => batch.submit(),
            (None, Some(place)) => place.proof.leave(0, true),
            (None, None) => {}
        }
    }
}

/// The status of a request, after a look at where it went. Async-signal-safe, as `aio_error` is.
#[inline]
pub fn error(block: Block) -> i32 {
    match block.error() {
        libc::EINPROGRESS => look_after(block),
        known => known,
    }
}

#[cold]
fn look_after(block: Block) -> i32 {
    match block.ring_of() {
        Some(thread) if thread == thread::pointer() => {
            private::mine().map(Ring::poll);
        }
        Some(thread) => {
            private::of(thread).map(Ring::nudge);
        }
        None => {}
    }
    block.error()
}

/// The program takes a result: the calling thread's own, perhaps.
#[inline]
pub fn note_returned(block: Block) {
    let me = thread::pointer();
    if block.is_by(me)
        && let Some(place) = private::mine()
    {
        place.proof.enter();
        place.proof.leave(1, true);
    }
}

/// Does a wait of the face's own, in which the calling thread may sleep. Async-signal-safe.
#[inline]
pub fn while_waiting<T>(wait: impl FnOnce() -> T) -> T {
    let place = private::mine();
    if let Some(place) = place {
        place.proof.enter();
    }
    let answer = wait();
    if let Some(place) = place {
        place.proof.leave(0, true);
    }
    answer
}

/// Sees to it that no request on the file behind `fd` is in progress in anybody's ring, for a sync that covers them. The
/// calling thread has to show anew that it should have a ring.
pub fn settle(fd: c_int) {
    if private::is_anything_under_way() {
        let identity = files::facts(fd).map_or(0, |facts| facts.identity);
        private::settle(On::File(fd, identity));
    }
    if let Some(place) = private::mine() {
        place.proof.reset();
    }
}

/// The calling thread's ring, if something is in progress there.
#[inline]
pub fn in_progress() -> Option<&'static Ring> {
    private::mine().filter(|ring| ring.in_flight() > 0)
}
