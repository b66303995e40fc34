//! Requests that have ended and whose result was not asked for yet, in the order of their ends: what `aio_waitcomplete`
//! returns. They are noted only in programs that use that function ([`is_noted`]); all others pay one load.
//!
//! They lie in a queue without locks ([`NumberQueue`]), in entries of a pool.
//!
//! An entry is taken when the request begins, so that its end can always be noted. The aiocb holds the entry's name
//! ([`Ticket`]) in a field that is glibc's own where glibc serves; by it `aio_return` takes the request back.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

use super::aiocb::{AiocbRef, Ticket};
use crate::engine::WakeBatch;
use crate::host::fork::PerProcess;
use crate::host::futex;
use crate::host::kernel::Errno;
use crate::host::memory;
use crate::host::number_queue::{Links, NumberQueue};
use crate::host::pool::Pool;

/// The exported function. A program that is linked with it names it.
const FUNCTION: &core::ffi::CStr = c"aio_waitcomplete";

/// Whether ends are noted. Set once and for good.
static IS_NOTED: AtomicBool = AtomicBool::new(false);

/// Counts arrivals; odd while a thread may sleep on it.
pub static ARRIVALS: AtomicU32 = AtomicU32::new(0);

static COMPLETED: PerProcess<Completed> = PerProcess::new(10);

/// A request that was begun, from its beginning until its result was asked for.
struct Entry {
    /// The queue's.
    link: AtomicU64,
    /// The use of the entry, twice; odd when `aio_return` has taken the request back.
    turn: AtomicU64,
    /// The address of the aiocb.
    aiocb: AtomicUsize,
    /// A count, or `-errno`.
    result: AtomicI64,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The address of its aiocb, which is the program's.
    pub aiocb: usize,
    /// A count, or `-errno`.
    pub result: i64,
}

struct Completed {
    pool: Pool<Entry>,
    queue: NumberQueue,
}

impl Links for Pool<Entry> {
    fn link(&self, number: u32) -> Option<&AtomicU64> {
        Some(&entry(self, number)?.link)
    }
}

/// The entry of a number.
fn entry(pool: &Pool<Entry>, number: u32) -> Option<&Entry> {
    // SAFETY: entries are never freed, zero bytes are valid ones, and all their fields are atomics.
    pool.at(number).map(|entry| unsafe { entry.as_ref() })
}

/// Notes the ends of all requests from here on, if the program or a library that it starts with is linked with
/// `aio_waitcomplete`. For the library's constructor.
pub fn note_if_linked() {
    use crate::host::references::{self, Objects};
    references::visit(Objects::Needing("liburingaio.so"), &mut |reference| {
        if reference.name == FUNCTION {
            IS_NOTED.store(true, Ordering::Relaxed);
        }
    });
}

/// Whether the ends of requests are noted.
#[inline]
pub fn is_noted() -> bool {
    // Relaxed: a request that begins meanwhile may be noted or not.
    IS_NOTED.load(Ordering::Relaxed)
}

/// Notes the ends of all requests that begin from here on. True: it was not so before.
pub fn note_from_now_on() -> bool {
    !IS_NOTED.swap(true, Ordering::SeqCst)
}

/// A request is about to begin.
///
/// # Errors
/// `EAGAIN`: memory is out.
#[inline]
pub fn expect(aiocb: AiocbRef) -> Result<(), Errno> {
    if is_noted() { expect_noted(aiocb) } else { Ok(()) }
}

#[cold]
fn expect_noted(aiocb: AiocbRef) -> Result<(), Errno> {
    let completed = COMPLETED.get_or_init(Completed::new).map_err(|_| Errno(libc::EAGAIN))?;
    let entry = completed.pool.take().ok_or(Errno(libc::EAGAIN))?;
    // SAFETY: entries are never freed, and zero bytes are valid ones.
    let this = unsafe { entry.as_ref() };
    let turn = (this.turn.load(Ordering::Relaxed) | 1) + 1;
    this.aiocb.store(aiocb.address(), Ordering::Relaxed);
    // Release pairs with the Acquire in `Completed::of`.
    this.turn.store(turn, Ordering::Release);
    aiocb.set_ticket(Ticket { number: u64::from(Pool::number(entry)) + 1, turn });
    Ok(())
}

/// Whether the request was expected. It has not ended.
pub fn is_expected(aiocb: AiocbRef) -> bool {
    COMPLETED.get().is_some_and(|completed| completed.of(aiocb).is_some())
}

/// A request that was expected does not begin.
#[cold]
pub fn withdraw(aiocb: AiocbRef) {
    if let Some(completed) = COMPLETED.get()
        && let Some((entry, turn)) = completed.of(aiocb)
        // SAFETY: entries are never freed. Relaxed: the entry is in no list.
        && unsafe { entry.as_ref() }.turn.compare_exchange(turn, turn | 1, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    {
        completed.pool.put(entry);
    }
}

/// A request ends: its status is stored, then its end noted. `wakes` is given on the engine's thread.
#[inline]
pub fn finish(aiocb: AiocbRef, result: i64, wakes: Option<&mut WakeBatch>) {
    if is_noted() {
        finish_noted(aiocb, result, wakes);
    } else {
        aiocb.finish(result);
    }
}

#[cold]
fn finish_noted(aiocb: AiocbRef, result: i64, wakes: Option<&mut WakeBatch>) {
    let expected = COMPLETED.get().and_then(|completed| Some((completed, completed.of(aiocb)?.0)));
    if let Some((_, entry)) = expected {
        // SAFETY: entries are never freed. Relaxed: published by the push.
        unsafe { entry.as_ref() }.result.store(result, Ordering::Relaxed);
    }
    // From here on the aiocb is the program's.
    aiocb.finish(result);
    let Some((completed, entry)) = expected else { return };
    completed.queue.push(&completed.pool, Pool::number(entry));
    completed.drop_taken_back();
    // SeqCst pairs with the fence of a waiter: either it sees the entry, or this thread sees that it sleeps.
    fence(Ordering::SeqCst);
    let arrivals = ARRIVALS.load(Ordering::Relaxed);
    // Where it has changed meanwhile, the thread that changed it wakes, or a waiter has looked since.
    if arrivals % 2 == 1
        && ARRIVALS.compare_exchange(arrivals, arrivals.wrapping_add(1), Ordering::AcqRel, Ordering::Relaxed).is_ok()
    {
        match wakes {
            Some(wakes) => wakes.wake(&raw const ARRIVALS, u32::MAX),
            None => futex::wake_all(&raw const ARRIVALS),
        }
    }
}

/// The program has asked for the result of a request that has ended: it is not told of it any more. Async-signal-safe.
#[inline]
pub fn take_back(aiocb: AiocbRef) {
    if is_noted() {
        take_back_noted(aiocb);
    }
}

#[cold]
fn take_back_noted(aiocb: AiocbRef) {
    let Some(completed) = COMPLETED.get() else { return };
    if let Some((entry, turn)) = completed.of(aiocb).filter(|_| !aiocb.is_in_progress()) {
        // SAFETY: entries are never freed. AcqRel: the one thread that changes it has taken the request back; where the entry
        // has gone on to another request, the exchange fails.
        let _ = unsafe { entry.as_ref() }.turn.compare_exchange(turn, turn | 1, Ordering::AcqRel, Ordering::Relaxed);
        completed.drop_taken_back();
    }
}

/// The next request that has ended and was not taken back. Takes no lock and no memory; async-signal-safe.
pub fn next() -> Option<Completion> {
    COMPLETED.get()?.take(|_| true)
}

impl Completed {
    fn new() -> Result<Box<Self>, Errno> {
        let pool = Pool::new();
        let before = pool.take().ok_or(Errno(libc::ENOMEM))?;
        memory::boxed(Self { queue: NumberQueue::new(Pool::number(before)), pool })
    }

    /// The entry that an aiocb names, with its turn, if it was not taken back. The aiocb's field may hold anything.
    fn of(&self, aiocb: AiocbRef) -> Option<(NonNull<Entry>, u64)> {
        let Ticket { number, turn } = aiocb.ticket();
        let entry = self.pool.at(u32::try_from(number.checked_sub(1)?).ok()?)?;
        // SAFETY: entries are never freed.
        let this = unsafe { entry.as_ref() };
        // Acquire pairs with the Release in `expect_noted`.
        let is_its = this.turn.load(Ordering::Acquire) == turn && this.aiocb.load(Ordering::Relaxed) == aiocb.address();
        (is_its && turn.is_multiple_of(2)).then_some((entry, turn))
    }

    /// Takes the first entry that was not taken back; entries before it, which were, are dropped. `takes` is asked with
    /// whether the first one was: where it says no, nothing is taken.
    fn take(&self, takes: impl Fn(bool) -> bool) -> Option<Completion> {
        loop {
            let read = |number| {
                let first = entry(&self.pool, number)?;
                // Acquire pairs with the Release in `expect_noted`.
                let was_taken_back = first.turn.load(Ordering::Acquire) % 2 == 1;
                let (aiocb, result) = (first.aiocb.load(Ordering::Relaxed), first.result.load(Ordering::Relaxed));
                takes(was_taken_back).then_some((Completion { aiocb, result }, was_taken_back))
            };
            let ((completion, was_taken_back), free) = self.queue.take_if(&self.pool, read)?;
            if let Some(free) = self.pool.at(free) {
                self.pool.put(free);
            }
            if !was_taken_back {
                return Some(completion);
            }
        }
    }

    /// Drops what was taken back from the head of the queue, so that a program that never asks for the next end keeps no
    /// entries.
    fn drop_taken_back(&self) {
        self.take(|was_taken_back| was_taken_back);
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::super::aiocb::AiocbRef;
    use super::{expect, finish, is_noted, next, note_from_now_on, take_back};

    /// Threads that begin and end requests, of which every third is taken back, and threads that ask for ends: each other
    /// request comes once, with its result, and what one thread ended comes in its order.
    #[test]
    fn each_end_comes_once() {
        const PRODUCERS: usize = 3;
        const ROUNDS: usize = if cfg!(miri) { 20 } else { 20_000 };
        note_from_now_on();
        assert!(is_noted());
        // SAFETY: zero bytes are a valid aiocb.
        let mut aiocbs: Vec<libc::aiocb> = (0..PRODUCERS * ROUNDS).map(|_| unsafe { core::mem::zeroed() }).collect();
        let first = aiocbs.as_mut_ptr() as usize;
        let at = |index: usize| AiocbRef::at((first as *const libc::aiocb).wrapping_add(index));
        let seen: Vec<AtomicUsize> = (0..aiocbs.len()).map(|_| AtomicUsize::new(0)).collect();
        let left = AtomicUsize::new((0..ROUNDS).filter(|round| round % 3 != 0).count() * PRODUCERS);
        thread::scope(|scope| {
            for producer in 0..PRODUCERS {
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let Some(aiocb) = at(producer * ROUNDS + round) else { continue };
                        assert_eq!(expect(aiocb), Ok(()));
                        finish(aiocb, round as i64, None);
                        if round % 3 == 0 {
                            take_back(aiocb);
                        }
                    }
                });
            }
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut last = [0; PRODUCERS];
                    while left.load(Ordering::Relaxed) > 0 {
                        let Some(completion) = next() else {
                            thread::yield_now();
                            continue;
                        };
                        let index = (completion.aiocb - first) / size_of::<libc::aiocb>();
                        let (producer, round) = (index / ROUNDS, index % ROUNDS);
                        assert_eq!(completion.result, round as i64);
                        assert_eq!(seen[index].fetch_add(1, Ordering::Relaxed), 0, "twice");
                        assert!(round == 0 || last[producer] < round, "out of order");
                        last[producer] = round;
                        if round % 3 != 0 {
                            left.fetch_sub(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(next(), None);
        // What was taken back sooner than another thread asked did not come; all else did.
        for (index, seen) in seen.iter().enumerate() {
            assert!(seen.load(Ordering::Relaxed) == 1 || (index % ROUNDS).is_multiple_of(3), "lost");
        }
    }
}
