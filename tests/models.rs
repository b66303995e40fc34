//! Every interleaving of the inbox's pushers and taker, of those who meet at a desk, of those who claim completions, and of a
//! sleeper and who wakes it, by loom. Run with `RUSTFLAGS="--cfg loom"`; without that the file is empty, because loom's
//! atomics work in its models alone.
#![cfg(loom)]
#![allow(missing_docs, reason = "a test")]

#[allow(dead_code, reason = "the model uses a part of it")]
#[path = "../src/engine/inbox.rs"]
mod inbox;

#[allow(dead_code, reason = "the model uses a part of it")]
#[path = "../src/engine/private/desk.rs"]
mod desk;

#[path = "../src/engine/claim.rs"]
mod claim;

#[allow(dead_code, reason = "the model uses a part of it")]
#[path = "../src/libaio/sleepers.rs"]
mod sleepers;

use std::ptr::NonNull;

use claim::claim;
use desk::{ASLEEP, Desk, Laid};
use inbox::{Inbox, Node, Pushed};
use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use sleepers::Sleepers;

struct Parcel {
    link: AtomicPtr<Parcel>,
    /// Written by the pusher without synchronisation of its own: loom reports a race if the inbox does not publish it.
    weight: loom::cell::UnsafeCell<u32>,
}

// SAFETY: the link is a field, and the struct is aligned to a pointer.
unsafe impl Node for Parcel {
    fn link(&self) -> &AtomicPtr<Self> {
        &self.link
    }
}

fn parcel(weight: u32) -> NonNull<Parcel> {
    let parcel =
        Box::new(Parcel { link: AtomicPtr::new(std::ptr::null_mut()), weight: loom::cell::UnsafeCell::new(weight) });
    NonNull::from(Box::leak(parcel))
}

/// Opens everything that is taken at once, oldest first.
fn open_all(inbox: &Inbox<Parcel>, weights: &mut Vec<u32>) {
    let mut next = inbox.take();
    while let Some(parcel) = next {
        // SAFETY: taken parcels are the taker's alone, and were leaked from a box.
        let parcel = unsafe { Box::from_raw(parcel.as_ptr()) };
        // SAFETY: as above.
        weights.push(parcel.weight.with(|weight| unsafe { *weight }));
        next = NonNull::new(parcel.link.load(Ordering::Relaxed));
    }
}

fn push(inbox: &Inbox<Parcel>, bell: &AtomicU32, weight: u32) {
    let parcel = parcel(weight);
    // SAFETY: a fresh parcel, not touched again.
    if unsafe { inbox.push(parcel, parcel) } == Pushed::MustRing {
        bell.fetch_add(1, Ordering::Release);
        inbox.rung(parcel);
    }
}

/// Interleavings with at most two preemptions: all of them would take hours.
fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(run);
}

/// Two pushers, three parcels: all arrive, each pusher's in its order, and the taker never sleeps on a parcel without being
/// rung for.
#[test]
fn nothing_is_lost_and_no_ring_is_missed() {
    model(|| {
        let inbox = Arc::new(Inbox::new());
        let bell = Arc::new(AtomicU32::new(0));
        let pushers: Vec<_> = [(10, 2), (20, 1)]
            .into_iter()
            .map(|(first, count)| {
                let (inbox, bell) = (Arc::clone(&inbox), Arc::clone(&bell));
                thread::spawn(move || {
                    for weight in first..first + count {
                        push(&inbox, &bell, weight);
                    }
                })
            })
            .collect();
        let mut weights = Vec::new();
        while weights.len() < 3 {
            open_all(&inbox, &mut weights);
            if !inbox.all_reached() {
                continue;
            }
            let rung = bell.load(Ordering::Acquire);
            if inbox.fall_asleep() {
                while weights.len() < 3 && bell.load(Ordering::Acquire) == rung {
                    thread::yield_now();
                }
                inbox.wake_up();
            }
        }
        for pusher in pushers {
            pusher.join().unwrap();
        }
        weights.retain(|&weight| weight != 20);
        assert_eq!(weights, [10, 11]);
    });
}

/// A signal handler that pushes, between the push and the ring of the thread that it has interrupted, and waits: the taker is
/// rung for all the same.
#[test]
fn who_interrupts_a_ring_makes_it() {
    model(|| {
        let inbox = Arc::new(Inbox::new());
        let bell = Arc::new(AtomicU32::new(0));
        let opened = Arc::new(AtomicU32::new(0));
        let pusher = {
            let (inbox, bell, opened) = (Arc::clone(&inbox), Arc::clone(&bell), Arc::clone(&opened));
            thread::spawn(move || {
                let first = parcel(1);
                // SAFETY: a fresh parcel, not touched again.
                let pushed = unsafe { inbox.push(first, first) };
                push(&inbox, &bell, 2);
                while opened.load(Ordering::Acquire) < 2 {
                    thread::yield_now();
                }
                if pushed == Pushed::MustRing {
                    bell.fetch_add(1, Ordering::Release);
                    inbox.rung(first);
                }
            })
        };
        let mut weights = Vec::new();
        while weights.len() < 2 {
            open_all(&inbox, &mut weights);
            opened.store(weights.len() as u32, Ordering::Release);
            let rung = bell.load(Ordering::Acquire);
            if inbox.all_reached() && inbox.fall_asleep() {
                while weights.len() < 2 && bell.load(Ordering::Acquire) == rung {
                    thread::yield_now();
                }
                inbox.wake_up();
            }
        }
        pusher.join().unwrap();
        assert_eq!(weights, [1, 2]);
    });
}

/// Whoever finds the inbox settled after a push knows that the taker has dealt with it.
#[test]
fn settled_means_dealt_with() {
    model(|| {
        let inbox = Arc::new(Inbox::new());
        let bell = AtomicU32::new(0);
        let dealt = Arc::new(AtomicU32::new(0));
        push(&inbox, &bell, 1);
        let taker = {
            let (inbox, dealt) = (Arc::clone(&inbox), Arc::clone(&dealt));
            thread::spawn(move || {
                let mut weights = Vec::new();
                open_all(&inbox, &mut weights);
                dealt.store(weights.len() as u32, Ordering::Relaxed);
                inbox.all_reached();
            })
        };
        if inbox.is_settled() {
            assert_eq!(dealt.load(Ordering::Relaxed), 1);
        }
        taker.join().unwrap();
    });
}

/// Takes what lies at a desk, and adds up what it weighs.
fn empty(desk: &Desk<Parcel>, gone: &AtomicU32) {
    let mut next = desk.take();
    while let Some(it) = next {
        // SAFETY: taken from the desk.
        next = unsafe { inbox::next(it) };
        // SAFETY: whoever has a parcel has it alone, and it was leaked from a box.
        let parcel = unsafe { Box::from_raw(it.as_ptr()) };
        // SAFETY: as above. Relaxed: `put_away` publishes.
        gone.fetch_add(parcel.weight.with(|weight| unsafe { *weight }), Ordering::Relaxed);
    }
    desk.put_away();
}

/// Lays down a parcel of so much; 0 if the desk is closed.
fn lay(desk: &Desk<Parcel>, weight: u32) -> u32 {
    let parcel = parcel(weight);
    if desk.lay(parcel) != Laid::No {
        return weight;
    }
    // SAFETY: still the caller's own.
    drop(unsafe { Box::from_raw(parcel.as_ptr()) });
    0
}

/// What is laid down is taken once, by the keeper or by somebody else, and whoever has it sees it whole; and where a desk is
/// clear, what has lain there before has gone its way.
#[test]
fn nothing_is_lost_at_a_desk() {
    model(|| {
        let (desk, gone) = (Arc::new(Desk::<Parcel>::new()), Arc::new(AtomicU32::new(0)));
        desk.open();
        let submitters: Vec<_> = [1, 2]
            .map(|weight| {
                let (desk, gone) = (Arc::clone(&desk), Arc::clone(&gone));
                thread::spawn(move || {
                    let laid = lay(&desk, weight);
                    if weight == 2 && desk.has_any() {
                        empty(&desk, &gone);
                    }
                    if laid > 0 && desk.is_clear() {
                        assert_eq!(gone.load(Ordering::Relaxed) & weight, weight);
                    }
                    laid
                })
            })
            .into();
        if !desk.close() {
            empty(&desk, &gone);
        }
        let laid: u32 = submitters.into_iter().map(|submitter| submitter.join().unwrap()).sum();
        assert_eq!(gone.load(Ordering::Relaxed), laid);
        assert!(desk.is_clear());
    });
}

/// The keeper, which comes back and falls asleep, sees what was laid down meanwhile, or its bell is rung.
#[test]
fn a_keeper_does_not_sleep_over_what_lies_there() {
    model(|| {
        let (desk, gone) = (Arc::new(Desk::<Parcel>::new()), Arc::new(AtomicU32::new(0)));
        desk.leave();
        let submitters: Vec<_> = [1, 2]
            .map(|weight| {
                let desk = Arc::clone(&desk);
                thread::spawn(move || lay(&desk, weight))
            })
            .into();
        desk.fall_asleep();
        let sleeps = !desk.has_any();
        let laid: u32 = submitters.into_iter().map(|submitter| submitter.join().unwrap()).sum();
        assert_eq!(laid, 3);
        assert!(!sleeps || desk.bell().load(Ordering::Relaxed) != ASLEEP);
        empty(&desk, &gone);
        assert_eq!(gone.load(Ordering::Relaxed), 3);
    });
}

/// A completion queue with room for two.
struct Completions {
    head: AtomicU32,
    tail: AtomicU32,
    places: [(AtomicU32, AtomicU32); 2],
}

impl Completions {
    fn place(&self, at: u32) -> &(AtomicU32, AtomicU32) {
        &self.places[at as usize % 2]
    }

    /// What the kernel does.
    fn complete(&self, number: u32) {
        let tail = self.tail.load(Ordering::Relaxed);
        while tail.wrapping_sub(self.head.load(Ordering::Acquire)) == 2 {
            thread::yield_now();
        }
        let (first, second) = self.place(tail);
        first.store(number, Ordering::Relaxed);
        second.store(number * 10, Ordering::Relaxed);
        self.tail.store(tail.wrapping_add(1), Ordering::Release);
    }

    fn claim(&self) -> Option<(u32, u32)> {
        claim(&self.head, &self.tail, |at| {
            let (first, second) = self.place(at);
            (first.load(Ordering::Relaxed), second.load(Ordering::Relaxed))
        })
    }
}

/// Of two who claim, each completion goes to one, whole, also where its place is written anew at once.
#[test]
fn each_completion_is_claimed_once_and_whole() {
    model(|| {
        let queue = Arc::new(Completions {
            head: AtomicU32::new(u32::MAX),
            tail: AtomicU32::new(u32::MAX),
            places: std::array::from_fn(|_| (AtomicU32::new(0), AtomicU32::new(0))),
        });
        let kernel = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || (1..=3).for_each(|number| queue.complete(number)))
        };
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || [queue.claim(), queue.claim()])
        };
        let mut claimed: Vec<_> = [queue.claim(), queue.claim()].into_iter().chain(other.join().unwrap()).collect();
        while claimed.iter().flatten().count() < 3 {
            claimed.push(queue.claim());
            thread::yield_now();
        }
        kernel.join().unwrap();
        claimed.sort_unstable();
        let claimed: Vec<_> = claimed.into_iter().flatten().collect();
        assert_eq!(claimed, [(1, 10), (2, 20), (3, 30)]);
        assert_eq!(queue.claim(), None);
    });
}

/// A thread's own ring, as far as a wait on a word in it goes.
struct Nest {
    kernel: Mutex<Wait>,
    changed: Condvar,
}

#[derive(Default)]
struct Wait {
    /// The kernel has the wait.
    queued: bool,
    /// Completions that are there.
    completions: u32,
}

impl Nest {
    /// What `watch_word` does; `armed` is the thread's note of it.
    fn watch(&self, word: &AtomicU32, seen: u32, armed: &mut bool) {
        if core::mem::replace(armed, true) {
            return;
        }
        let mut wait = self.kernel.lock().unwrap();
        if word.load(Ordering::SeqCst) == seen { wait.queued = true } else { wait.completions += 1 }
    }

    /// `FUTEX_WAKE` of the word.
    fn wake(&self) {
        let mut wait = self.kernel.lock().unwrap();
        if core::mem::take(&mut wait.queued) {
            wait.completions += 1;
            self.changed.notify_one();
        }
    }

    /// Sleeps until something completes, and collects it.
    fn sleep(&self, armed: &mut bool) {
        let mut wait = self.kernel.lock().unwrap();
        while wait.completions == 0 {
            wait = self.changed.wait(wait).unwrap();
        }
        wait.completions = 0;
        *armed = wait.queued;
    }

    /// A request of the thread's own completes.
    fn complete(&self) {
        self.kernel.lock().unwrap().completions += 1;
        self.changed.notify_one();
    }
}

/// A thread that sleeps in its own ring until there have been two events, of which one comes by the engine's thread and one by
/// the ring, is woken; with a wait on the word that may be left over from an earlier sleep. (Loom reports a thread that
/// sleeps for ever.)
#[test]
fn who_sleeps_in_a_ring_is_woken_by_what_ends_elsewhere() {
    model(|| {
        let sleepers = Arc::new(Sleepers::new());
        let completed = Arc::new(AtomicU64::new(0));
        let nest = Arc::new(Nest { kernel: Mutex::new(Wait::default()), changed: Condvar::new() });
        let elsewhere = {
            let (sleepers, completed, nest) = (Arc::clone(&sleepers), Arc::clone(&completed), Arc::clone(&nest));
            thread::spawn(move || {
                for _ in 0..2 {
                    completed.fetch_add(1, Ordering::Release);
                    if sleepers.have(|| completed.load(Ordering::Relaxed)) {
                        nest.wake();
                    }
                }
            })
        };
        let device = {
            let nest = Arc::clone(&nest);
            thread::spawn(move || nest.complete())
        };
        let mut armed = false;
        loop {
            let seen = sleepers.word().load(Ordering::Acquire);
            if completed.load(Ordering::Acquire) >= 2 {
                break;
            }
            if sleepers.begin(2, || completed.load(Ordering::Acquire)) {
                nest.watch(sleepers.word(), seen, &mut armed);
                nest.sleep(&mut armed);
            }
        }
        elsewhere.join().unwrap();
        device.join().unwrap();
    });
}
