//! Waiting for requests, without a lock and without memory: `aio_suspend`, and the wake of those who are in it.
//!
//! A thread sleeps on its *bell*, one of 64 words, chosen by thread. Before it does, it marks its bell's bit in the *slot*
//! of each aiocb it waits for, one of 1024 words, chosen by address. Whoever finishes a request stores the final status
//! first and then looks at the slot: no bit, no system call. Two aiocbs or two threads that share a word cost each other
//! a look at the clock, nothing more; words that a cancelled or interrupted thread has marked are unmarked by the next that
//! finishes something there. Nothing of the aiocb's memory is touched after its final status.

use core::ffi::c_int;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use core::time::Duration;

use super::aiocb::Block;
use super::own_ring;
use crate::engine::Wakes;
use crate::engine::private::Ring;
use crate::host::futex::Deadline;
use crate::host::kernel::{Errno, syscall};
use crate::host::{signals, thread};

/// A word that threads sleep on. Odd: someone may sleep. Counts up otherwise.
#[repr(align(64))]
struct Bell(AtomicU32);

const BELLS: usize = 64;
const SLOTS: usize = 1024;

static BELL: [Bell; BELLS] = [const { Bell(AtomicU32::new(0)) }; BELLS];

/// Which bells are to be rung for the aiocbs of this slot.
static SLOT: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];

/// The high bits of a multiplication that mixes well (2^64 divided by the golden ratio).
const fn spread(word: usize) -> usize {
    (word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize >> 32
}

fn slot(address: usize) -> &'static AtomicU64 {
    &SLOT[spread(address) % SLOTS]
}

/// The calling thread's bell, by the address of its `errno`: that is its own and costs no system call.
fn own_bell() -> usize {
    // SAFETY: asks for an address.
    spread(unsafe { libc::__errno_location() }.addr()) % BELLS
}

/// Tells those who wait for the aiocb at `address`, whose final status has been stored.
pub fn announce(address: usize, wakes: &mut Wakes) {
    let slot = slot(address);
    // Pairs with the fence in `suspend`: either the waiter sees the status, or we see its mark.
    fence(Ordering::SeqCst);
    if slot.load(Ordering::Relaxed) == 0 {
        return;
    }
    // AcqRel: the marks are seen with the bells as they were before, and the rings below come after.
    let mut marked = slot.swap(0, Ordering::AcqRel);
    while marked != 0 {
        let bell = &BELL[marked.trailing_zeros() as usize].0;
        marked &= marked - 1;
        // An odd bell becomes even, an even one stays so; either way whoever read it before does not fall asleep on it.
        let step = if bell.load(Ordering::Relaxed) % 2 == 1 { 1 } else { 2 };
        if bell.fetch_add(step, Ordering::AcqRel) % 2 == 1 {
            wakes.wake(bell, u32::MAX);
        }
    }
}

/// Waits until one of `blocks` is not in progress.
///
/// Takes no lock and no memory, and is async-signal-safe; a cancellation point.
///
/// # Errors
/// `EAGAIN`: the deadline came first. `EINTR`: a signal handler ran; without a deadline, one without `SA_RESTART`.
pub fn suspend(blocks: &(impl Iterator<Item = Block> + Clone), deadline: Option<Deadline>) -> Result<(), Errno> {
    let number = own_bell();
    let bell = &BELL[number].0;
    loop {
        let ring = own_ring::in_progress();
        if let Some(ring) = ring {
            ring.poll();
        }
        let whole = ring.is_some_and(|ring| !ring.has_strays());
        let others = match look(blocks.clone(), whole) {
            Seen::Over => return Ok(()),
            // All that is waited for is in this thread's own ring.
            Seen::Own => {
                match ring.map_or(Ok(()), |ring| sleep_in_ring(ring, deadline, deadline.is_none())) {
                    Err(Errno(libc::EAGAIN)) if look(blocks.clone(), whole) == Seen::Over => return Ok(()),
                    slept => slept?,
                }
                continue;
            }
            Seen::Elsewhere => false,
            Seen::Others => true,
        };
        // Another's ring is looked at again and again.
        let soon = deadline.unwrap_or(Deadline::Never).sooner(Deadline::after(MOMENT));
        let until = if others { Some(soon) } else { deadline };
        // A wait without an end goes on after handlers with SA_RESTART, however it is cut into pieces.
        let restarts = deadline.is_none();
        let is_over = || deadline.and_then(Deadline::left) == Some(0);
        // AcqRel: read before any slot is marked, so that a ring for a mark comes after this value.
        let quiet = bell.fetch_or(1, Ordering::AcqRel) | 1;
        for block in blocks.clone() {
            let slot = slot(block.address());
            if slot.load(Ordering::Acquire) & (1 << number) == 0 {
                slot.fetch_or(1 << number, Ordering::AcqRel);
            }
        }
        // Pairs with the fence in `announce`.
        fence(Ordering::SeqCst);
        if look(blocks.clone(), whole) == Seen::Over {
            return Ok(());
        }
        let slept = match ring.filter(|ring| ring.in_flight() > 0) {
            Some(ring) if ring.watch_word(bell, quiet) => sleep_in_ring(ring, until, restarts),
            // From within a batch, which this handler has interrupted, or for want of room: looks again and again.
            Some(ring) => sleep_in_ring(ring, Some(soon), restarts),
            None => match sleep(bell, quiet, until) {
                Err(Errno(libc::ETIMEDOUT)) => Err(Errno(libc::EAGAIN)),
                Err(Errno(libc::EINTR)) if others && restarts && signals::all_restart() => Ok(()),
                Err(errno @ Errno(libc::EINTR)) => Err(errno),
                _ => Ok(()),
            },
        };
        match slept {
            Err(Errno(libc::EAGAIN)) if look(blocks.clone(), whole) == Seen::Over => return Ok(()),
            Err(Errno(libc::EAGAIN)) if !is_over() => {}
            slept => slept?,
        }
    }
}

/// How long to sleep where nothing may wake.
const MOMENT: Duration = Duration::from_millis(1);

/// Sleeps in the calling thread's own ring until something completes there, or a word that it watches is woken.
///
/// # Errors
/// `EAGAIN`: the deadline came first; `EINTR`: a signal handler ran; if the wait `restarts`, one without `SA_RESTART`.
fn sleep_in_ring(ring: &'static Ring, deadline: Option<Deadline>, restarts: bool) -> Result<(), Errno> {
    let until = deadline.unwrap_or(Deadline::Never);
    let slept = with_cancellation(|| ring.wait(1, until, None));
    ring.gather();
    match slept {
        Err(Errno(libc::ETIMEDOUT)) => Err(Errno(libc::EAGAIN)),
        // The ring's wait ends for every handler. One with SA_RESTART does not end a futex's, which is what others sleep in.
        Err(Errno(libc::EINTR)) if restarts && signals::all_restart() => Ok(()),
        Err(errno @ Errno(libc::EINTR)) => Err(errno),
        _ => Ok(()),
    }
}

/// How the requests of a list stand. The greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    /// One of them has ended, or there is none.
    Over,
    /// They are in progress in the calling thread's own ring.
    Own,
    /// Some are in progress elsewhere, none of them in another thread's ring.
    Elsewhere,
    /// Some are in progress in another thread's ring, which has to be looked after.
    Others,
}

/// How they stand; `whole`: what went to the calling thread's own ring is there.
fn look(blocks: impl Iterator<Item = Block>, whole: bool) -> Seen {
    let me = thread::pointer();
    let mut seen = Seen::Over;
    for block in blocks {
        if !block.is_in_progress() {
            return Seen::Over;
        }
        seen = seen.max(match block.ring_of() {
            Some(thread) if thread != me => {
                // It is sent for in time.
                let _ = own_ring::error(block);
                Seen::Others
            }
            Some(_) if whole => Seen::Own,
            _ => Seen::Elsewhere,
        });
    }
    seen
}

unsafe extern "C" {
    fn pthread_testcancel();
    fn pthread_setcanceltype(kind: c_int, before: *mut c_int) -> c_int;
}

const PTHREAD_CANCEL_ASYNCHRONOUS: c_int = 1;

/// A cancellation point that does not wait.
pub fn test_cancel() {
    // SAFETY: where the thread ends here, no frame of ours needs more than to be left.
    unsafe { pthread_testcancel() };
}

/// Sleeps while `word` is `expected`. A cancellation point: the thread can be cancelled while it sleeps.
///
/// # Errors
/// `ETIMEDOUT`; `EAGAIN`: the word has changed; `EINTR`: a signal handler ran. Without a deadline the kernel begins again
/// after a handler with `SA_RESTART`, as `aio_suspend` of glibc does (measured) and POSIX asks (sigaction).
pub fn sleep(word: &AtomicU32, expected: u32, deadline: Option<Deadline>) -> Result<(), Errno> {
    let until = deadline.map(Deadline::timespec);
    let until = until.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: the word and the time live for the call.
    with_cancellation(|| unsafe {
        syscall!(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG,
            expected,
            until,
            0,
            u32::MAX
        )
    })
    .map(drop)
}

/// Does a system call, in which the thread can be cancelled.
fn with_cancellation<T>(call: impl FnOnce() -> T) -> T {
    let mut before = 0;
    // SAFETY: while cancellation is asynchronous nothing is done but the system call, and a thread that ends in it leaves
    // nothing behind that another needs.
    unsafe {
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &raw mut before);
        let answer = call();
        pthread_setcanceltype(before, &raw mut before);
        answer
    }
}
