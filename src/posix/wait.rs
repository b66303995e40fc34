//! Waiting for requests, without a lock and without memory: `aio_suspend`, and the wake of those who are in it.
//!
//! A thread sleeps on its *word*, one of 64 words, chosen by thread. Before it does, it marks its word's bit in the *slot*
//! of each aiocb it waits for, one of 1024 words, chosen by address. Whoever finishes a request stores the final status
//! first and then looks at the slot: no bit, no system call. Two aiocbs or two threads that share a word cost each other
//! a look at the clock, nothing more; words that a cancelled or interrupted thread has marked are unmarked by the next that
//! finishes something there. Nothing of the aiocb's memory is touched after its final status.

use core::ffi::c_int;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use super::aiocb::AiocbRef;
use crate::engine::{self, Engine, WakeBatch};
use crate::host::futex::Deadline;
use crate::host::kernel::{Errno, syscall};

/// A word that threads sleep on. Odd: someone may sleep. Counts up otherwise.
#[repr(align(64))]
struct WaitWord(AtomicU32);

const WAIT_WORDS: usize = 64;
const SLOTS: usize = 1024;

static WORDS: [WaitWord; WAIT_WORDS] = [const { WaitWord(AtomicU32::new(0)) }; WAIT_WORDS];

/// Which words are to be rung for the aiocbs of this slot.
static SLOT: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];

/// The high bits of a multiplication that mixes well (2^64 divided by the golden ratio).
const fn spread(word: usize) -> usize {
    (word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize >> 32
}

fn slot(address: usize) -> &'static AtomicU64 {
    &SLOT[spread(address) % SLOTS]
}

/// The calling thread's word, by the address of its `errno`: that is its own and costs no system call.
fn own_word() -> usize {
    // SAFETY: asks for an address.
    spread(unsafe { libc::__errno_location() }.addr()) % WAIT_WORDS
}

/// Tells those who wait for the aiocb at `address`, whose final status has been stored.
pub fn announce(address: usize, wakes: &mut WakeBatch) {
    let slot = slot(address);
    // Pairs with the fence in `suspend`: either the waiter sees the status, or we see its mark.
    fence(Ordering::SeqCst);
    if slot.load(Ordering::Relaxed) == 0 {
        return;
    }
    // AcqRel: the marks are seen with the words as they were before, and the rings below come after.
    let mut marked = slot.swap(0, Ordering::AcqRel);
    while marked != 0 {
        let word = &WORDS[marked.trailing_zeros() as usize].0;
        marked &= marked - 1;
        // An odd word becomes even, an even one stays so; either way whoever read it before does not fall asleep on it.
        let step = if word.load(Ordering::Relaxed) % 2 == 1 { 1 } else { 2 };
        if word.fetch_add(step, Ordering::AcqRel) % 2 == 1 {
            wakes.wake(word, u32::MAX);
        }
    }
}

/// Waits until one of `blocks` is not in progress.
///
/// Takes no lock and no memory, and is async-signal-safe; a cancellation point.
///
/// # Errors
/// `EAGAIN`: the deadline came first. `EINTR`: a signal handler ran; without a deadline, one without `SA_RESTART`.
pub fn suspend(blocks: &(impl Iterator<Item = AiocbRef> + Clone), deadline: Option<Deadline>) -> Result<(), Errno> {
    let number = own_word();
    let word = &WORDS[number].0;
    loop {
        if is_any_over(blocks.clone()) {
            return Ok(());
        }
        // AcqRel: read before any slot is marked, so that a wake for a mark comes after this value.
        let quiet = word.fetch_or(1, Ordering::AcqRel) | 1;
        for block in blocks.clone() {
            let slot = slot(block.address());
            if slot.load(Ordering::Acquire) & (1 << number) == 0 {
                slot.fetch_or(1 << number, Ordering::AcqRel);
            }
        }
        // Pairs with the fence in `announce`.
        fence(Ordering::SeqCst);
        if is_any_over(blocks.clone()) {
            return Ok(());
        }
        engine::running().for_each(Engine::notify_if_missed);
        match sleep(word, quiet, deadline) {
            Err(Errno(libc::ETIMEDOUT)) if is_any_over(blocks.clone()) => return Ok(()),
            Err(Errno(libc::ETIMEDOUT)) => return Err(Errno(libc::EAGAIN)),
            Err(errno @ Errno(libc::EINTR)) => return Err(errno),
            _ => {}
        }
    }
}

/// Whether one of them has ended, or there is none.
fn is_any_over(mut blocks: impl Iterator<Item = AiocbRef>) -> bool {
    let Some(first) = blocks.next() else { return true };
    !first.is_in_progress() || blocks.any(|block| !block.is_in_progress())
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
