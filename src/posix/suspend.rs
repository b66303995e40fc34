//! `aio_suspend`: waiting for requests without a lock and without memory, and waking the threads that wait.
//!
//! A thread sleeps on one of 64 *words*, chosen by thread. Before that, it sets its word's bit in the *slot* of each aiocb
//! it waits for; there are 1024 slots, chosen by address. A thread that finishes a request stores the final status first
//! and then looks at the slot: no bit, no system call. Two aiocbs or two threads that share a slot or a word cost each
//! other a look at the clock, nothing more. A bit that a cancelled or interrupted thread has left is cleared by the next
//! request that finishes in the slot. The aiocb's memory is not touched after its final status.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use super::aiocb::AiocbRef;
use super::cancellation;
use crate::engine::{self, Engine, WakeBatch};
use crate::host::futex::Deadline;
use crate::host::hash;
use crate::host::kernel::Errno;

/// A word that threads sleep on. Odd while a thread may sleep on it; counts up otherwise.
#[repr(align(64))]
struct WaitWord(AtomicU32);

const WAIT_WORDS: usize = 64;
const SLOTS: usize = 1024;

static WORDS: [WaitWord; WAIT_WORDS] = [const { WaitWord(AtomicU32::new(0)) }; WAIT_WORDS];

/// Which words to wake when a request of the slot finishes, a bit for each.
static WAITED_FOR: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];

fn slot(address: usize) -> &'static AtomicU64 {
    &WAITED_FOR[hash::spread(address) % SLOTS]
}

/// The calling thread's word, by the address of its `errno`, which no other thread shares and which costs no system call.
fn own_word() -> usize {
    // SAFETY: asks for an address.
    hash::spread(unsafe { libc::__errno_location() }.addr()) % WAIT_WORDS
}

/// Wakes the threads that wait for the aiocb at `address`, whose final status has been stored.
pub fn wake_waiters(address: usize, wakes: &mut WakeBatch) {
    let slot = slot(address);
    // SeqCst pairs with the fence in `suspend`: either the waiter sees the status, or this thread sees its bit.
    fence(Ordering::SeqCst);
    if slot.load(Ordering::Relaxed) == 0 {
        return;
    }
    // AcqRel pairs with the `fetch_or` of a waiter: the words are seen as they were before the bits were set.
    let mut bits = slot.swap(0, Ordering::AcqRel);
    while bits != 0 {
        let word = &WORDS[bits.trailing_zeros() as usize].0;
        bits &= bits - 1;
        // An odd word becomes even, an even word stays even. Either way it changes, so that a thread that has read it before
        // does not fall asleep on it.
        let step = if word.load(Ordering::Relaxed) % 2 == 1 { 1 } else { 2 };
        // AcqRel pairs with the `fetch_or` on the word in `suspend`.
        if word.fetch_add(step, Ordering::AcqRel) % 2 == 1 {
            wakes.wake(word, u32::MAX);
        }
    }
}

/// Waits until one of `aiocbs` is not in progress.
///
/// Takes no lock and no memory, and is async-signal-safe; a cancellation point.
///
/// # Errors
/// `EAGAIN`: the deadline came first. `EINTR`: a signal handler ran; without a deadline, one without `SA_RESTART`.
pub fn suspend(aiocbs: &(impl Iterator<Item = AiocbRef> + Clone), deadline: Option<Deadline>) -> Result<(), Errno> {
    let number = own_word();
    let word = &WORDS[number].0;
    loop {
        if is_any_finished(aiocbs.clone()) {
            return Ok(());
        }
        // AcqRel: read before any bit is set, so that a wake for a bit comes after this value.
        let expected = word.fetch_or(1, Ordering::AcqRel) | 1;
        for aiocb in aiocbs.clone() {
            let slot = slot(aiocb.address());
            // Acquire and AcqRel pair with the swap in `wake_waiters`.
            if slot.load(Ordering::Acquire) & (1 << number) == 0 {
                slot.fetch_or(1 << number, Ordering::AcqRel);
            }
        }
        // SeqCst pairs with the fence in `wake_waiters`.
        fence(Ordering::SeqCst);
        if is_any_finished(aiocbs.clone()) {
            return Ok(());
        }
        engine::running().for_each(Engine::notify_if_missed);
        match cancellation::sleep(word, expected, deadline) {
            Err(Errno(libc::ETIMEDOUT)) if is_any_finished(aiocbs.clone()) => return Ok(()),
            Err(Errno(libc::ETIMEDOUT)) => return Err(Errno(libc::EAGAIN)),
            Err(errno @ Errno(libc::EINTR)) => return Err(errno),
            _ => {}
        }
    }
}

/// Whether one of them has finished, or there is none.
fn is_any_finished(mut aiocbs: impl Iterator<Item = AiocbRef>) -> bool {
    let Some(first) = aiocbs.next() else { return true };
    !first.is_in_progress() || aiocbs.any(|aiocb| !aiocb.is_in_progress())
}
