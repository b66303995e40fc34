//! Fetching what a thread has left in its ring: somebody else waits for it.
//!
//! Nobody but the thread can enter its ring. So it is sent a signal of the C library's own, which no mask of the program's
//! blocks (33, by which `setuid` reaches every thread; see nptl(7)), and whose handler is ours first: it lets what is under
//! way complete, and hands every other such signal on. This happens where a thread that reaped its own requests leaves that
//! to another, once in a program's life perhaps. A call that the signal interrupts goes on if it is one that does after a
//! handler with `SA_RESTART`; the few others (signal(7)) end with `EINTR`.

use core::ffi::{c_int, c_void};
use core::mem::transmute;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use super::ring::Ring;
use crate::host::futex;
use crate::host::kernel::{self, Errno, syscall};
use crate::host::signals::Action;

/// The C library's `SIGSETXID`.
const SIGNAL: c_int = 33;

/// How long a thread may come by itself before it is sent for, in milliseconds.
const GRACE: u32 = 2;

/// How often it is sent for: a signal can come at a moment when the thread is just about to look itself.
const EVERY: u32 = 20;

/// The kernel's `siginfo_t`, as far as a queued signal has it.
#[repr(C)]
struct Info {
    signal: c_int,
    error: c_int,
    code: c_int,
    padding: c_int,
    process: c_int,
    user: u32,
    value: usize,
    rest: [u64; 12],
}

const _: () = assert!(size_of::<Info>() == 128);

const NOT_YET: u32 = 0;
const INSTALLED: u32 = 1;
const IMPOSSIBLE: u32 = 2;

/// Signals that come of what a thread does itself, and kill it where they are blocked.
const FAULTS: [c_int; 6] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS];

static STATE: AtomicU32 = AtomicU32::new(NOT_YET);

/// The C library's handler.
static FORMER: AtomicUsize = AtomicUsize::new(0);

/// What a signal of ours carries: an address that no other copy of this library has.
fn token() -> usize {
    ptr::from_ref(&STATE).addr()
}

/// Makes threads reachable. False: they are not, and should have no ring. `begun` is this process's own, and says that
/// somebody is at it: a forked child has the handlers of its parent, or those that it had midway, but not the thread.
pub(super) fn install(begun: &AtomicBool) -> bool {
    // Acquire pairs with the Release below: the handler is in place.
    match STATE.load(Ordering::Acquire) {
        INSTALLED => return true,
        IMPOSSIBLE => return false,
        _ => {}
    }
    // Relaxed: nothing comes with it. Another thread is at it: this one asks again later.
    if begun.swap(true, Ordering::Relaxed) {
        return false;
    }
    let done = if replace().is_ok() { INSTALLED } else { IMPOSSIBLE };
    STATE.store(done, Ordering::Release);
    done == INSTALLED
}

fn replace() -> Result<(), Errno> {
    let mut action = Action::of(SIGNAL)?;
    let ours = handle as *const () as usize;
    if action.handler == ours {
        return Ok(());
    }
    let flags = libc::SA_SIGINFO | libc::SA_RESTART;
    // The C library sets its handler with the first thread, and the engine is one. Its way back from a handler serves ours.
    if !action.is_handled() || action.flags as c_int & flags != flags {
        return Err(Errno(libc::EOPNOTSUPP));
    }
    FORMER.store(action.handler, Ordering::Release);
    action.handler = ours;
    // No handler of the program's comes in between, which might leave by a jump and with it what ours has in hand, nor does
    // the C library's cancellation (32), for which a call that ours has interrupted may be open.
    action.mask = FAULTS.iter().fold(u64::MAX, |mask, fault| mask & !(1 << (fault - 1)));
    // SAFETY: the handler takes what SA_SIGINFO passes.
    unsafe { action.install(SIGNAL) }
}

extern "C" fn handle(signal: c_int, info: *mut Info, context: *mut c_void) {
    // SAFETY: the kernel passes the signal's information.
    let (code, value) = unsafe { ((*info).code, (*info).value) };
    if matches!(code, libc::SI_QUEUE | libc::SI_TIMER) && value == token() {
        if let Some(ring) = super::mine() {
            ring.note_fetched();
            // Also in the midst of a batch: the call that began it may have been left by a jump, and never end it.
            ring.finish_all();
        }
        return;
    }
    let former = FORMER.load(Ordering::Acquire);
    if former != 0 {
        // SAFETY: the C library's handler, set with SA_SIGINFO, and called with what it would have been.
        unsafe {
            transmute::<usize, extern "C" fn(c_int, *mut Info, *mut c_void)>(former)(signal, info, context);
        }
    }
}

/// Sends for the ring's thread, or does what it would if it is not there any more.
pub(super) fn send_or_adopt(ring: &Ring) {
    let thread = ring.thread();
    if !send(ring, thread) {
        adopt(ring, thread);
    }
}

/// Sends for the ring's thread. False: it is not there any more.
fn send(ring: &Ring, thread: c_int) -> bool {
    let process = kernel::process_id();
    let info = Info {
        signal: SIGNAL,
        error: 0,
        code: libc::SI_QUEUE,
        padding: 0,
        process,
        user: 0,
        value: token(),
        rest: [0; 12],
    };
    // SAFETY: reads the information; the handler is ours.
    match unsafe { syscall!(libc::SYS_rt_tgsigqueueinfo, process, thread, SIGNAL, &raw const info) } {
        Err(Errno(libc::ESRCH)) => false,
        Err(_) => {
            ring.ring_alarm();
            true
        }
        Ok(_) => true,
    }
}

/// A timer that sends for a ring's thread where no signal can be queued any more (`RLIMIT_SIGPENDING`, which counts all that
/// is queued for the user's processes): the kernel sets a timer's signal aside when the timer is made.
pub struct Alarm(c_int);

impl Alarm {
    /// For the calling thread.
    ///
    /// # Errors
    /// `EAGAIN`: no signal can be set aside; `ENOMEM`.
    pub fn new() -> Result<Self, Errno> {
        // SAFETY: zeros are a valid structure.
        let mut event: libc::sigevent = unsafe { core::mem::zeroed() };
        event.sigev_value.sival_ptr = ptr::without_provenance_mut(token());
        event.sigev_signo = SIGNAL;
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_notify_thread_id = kernel::thread_id();
        let mut timer = 0;
        // SAFETY: reads the event and writes the number.
        unsafe { syscall!(libc::SYS_timer_create, libc::CLOCK_MONOTONIC, &raw const event, &raw mut timer) }?;
        Ok(Self(timer))
    }

    /// Sends for the thread. Async-signal-safe.
    pub fn ring(&self) {
        let none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let at_once = libc::itimerspec { it_interval: none, it_value: libc::timespec { tv_sec: 0, tv_nsec: 1 } };
        // SAFETY: reads the time.
        let _ = unsafe { syscall!(libc::SYS_timer_settime, self.0, 0, &raw const at_once, 0) };
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // SAFETY: our own timer.
        let _ = unsafe { syscall!(libc::SYS_timer_delete, self.0) };
    }
}

/// Returns when the ring of another thread of this process has nothing under way. That thread may still be submitting: then it comes by
/// itself, and what it submits meanwhile goes by the engine, lest this never ends.
pub(super) fn fetch(ring: &'static Ring) {
    ring.hold();
    let mut waited = 0;
    let mut visits = ring.visits();
    while ring.in_flight() > 0 {
        if ring.visits() != visits {
            (visits, waited) = (ring.visits(), 0);
        }
        if waited >= GRACE && (waited - GRACE).is_multiple_of(EVERY) && ring.has_work() {
            send_or_adopt(ring);
        }
        futex::nap();
        waited += 1;
    }
    ring.let_go();
}

/// Finishes what this thread, which has ended, has left. The kernel puts it into the ring's memory by and by.
pub(super) fn adopt(ring: &Ring, thread: c_int) {
    ring.finish_for_its_thread();
    if ring.in_flight() == 0 {
        ring.take_apart(thread);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_goes_on_where_its_parent_was_forked() {
        // The C library sets its handler with the first thread.
        std::thread::spawn(|| {}).join().unwrap();
        let begun = AtomicBool::new(false);
        assert!(install(&begun));
        let former = FORMER.load(Ordering::Acquire);
        assert!(former > 1);
        // The handler is there, and it was not noted any more.
        STATE.store(NOT_YET, Ordering::Release);
        assert!(!install(&begun), "the thread that was at it is none of the child's");
        assert!(install(&AtomicBool::new(false)));
        assert_eq!(FORMER.load(Ordering::Acquire), former);
        let action = Action::of(SIGNAL).unwrap();
        assert_ne!(action.handler, former);
        for (signal, blocked) in [(32, true), (libc::SIGALRM, true), (libc::SIGSEGV, false)] {
            assert_eq!(action.mask >> (signal - 1) & 1 == 1, blocked, "signal {signal}");
        }
    }
}
