//! Every interleaving of the inbox's pushers and taker, of threads that run the reactor, of pushers and takers of a queue of
//! numbers, and of a sleeper and who wakes it, by loom. Run with `RUSTFLAGS="--cfg loom"`; without that the file is empty, because loom's
//! atomics work in its models alone.
#![cfg(loom)]
#![allow(missing_docs, reason = "a test")]

#[allow(dead_code, reason = "the model uses a part of it")]
#[path = "../src/engine/inbox.rs"]
mod inbox;

#[allow(dead_code, reason = "the model uses a part of it")]
#[path = "../src/engine/workers/combiner.rs"]
mod combiner;

#[path = "../src/host/number_queue.rs"]
mod number_queue;

#[allow(dead_code, reason = "the model uses a part of it")]
#[path = "../src/libaio/context/waiters.rs"]
mod waiters;

use std::ptr::NonNull;

use combiner::Combiner;
use inbox::{Inbox, Node, Pushed};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use loom::thread;
use number_queue::{Links, NumberQueue};
use waiters::Waiters;

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

fn push(inbox: &Inbox<Parcel>, doorbell: &AtomicU32, weight: u32) {
    let parcel = parcel(weight);
    // SAFETY: a fresh parcel, not touched again.
    if unsafe { inbox.push(parcel, parcel) } == Pushed::MustNotify {
        doorbell.fetch_add(1, Ordering::Release);
        inbox.notified(parcel);
    }
}

/// Interleavings with at most two preemptions: all of them would take hours.
fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(run);
}

/// Two pushers, three parcels: all arrive, each pusher's in its order, and the taker never sleeps on a parcel without being
/// notified of.
#[test]
fn nothing_is_lost_and_no_wake_is_missed() {
    model(|| {
        let inbox = Arc::new(Inbox::new());
        let doorbell = Arc::new(AtomicU32::new(0));
        let pushers: Vec<_> = [(10, 2), (20, 1)]
            .into_iter()
            .map(|(first, count)| {
                let (inbox, doorbell) = (Arc::clone(&inbox), Arc::clone(&doorbell));
                thread::spawn(move || {
                    for weight in first..first + count {
                        push(&inbox, &doorbell, weight);
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
            let seen = doorbell.load(Ordering::Acquire);
            if inbox.fall_asleep() {
                while weights.len() < 3 && doorbell.load(Ordering::Acquire) == seen {
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

/// A signal handler that pushes, between the push and the notification of the thread that it has interrupted, and waits: the taker is
/// notified of all the same.
#[test]
fn who_interrupts_a_notification_makes_it() {
    model(|| {
        let inbox = Arc::new(Inbox::new());
        let doorbell = Arc::new(AtomicU32::new(0));
        let opened = Arc::new(AtomicU32::new(0));
        let pusher = {
            let (inbox, doorbell, opened) = (Arc::clone(&inbox), Arc::clone(&doorbell), Arc::clone(&opened));
            thread::spawn(move || {
                let first = parcel(1);
                // SAFETY: a fresh parcel, not touched again.
                let pushed = unsafe { inbox.push(first, first) };
                push(&inbox, &doorbell, 2);
                while opened.load(Ordering::Acquire) < 2 {
                    thread::yield_now();
                }
                if pushed == Pushed::MustNotify {
                    doorbell.fetch_add(1, Ordering::Release);
                    inbox.notified(first);
                }
            })
        };
        let mut weights = Vec::new();
        while weights.len() < 2 {
            open_all(&inbox, &mut weights);
            opened.store(weights.len() as u32, Ordering::Release);
            let seen = doorbell.load(Ordering::Acquire);
            if inbox.all_reached() && inbox.fall_asleep() {
                while weights.len() < 2 && doorbell.load(Ordering::Acquire) == seen {
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
        let doorbell = AtomicU32::new(0);
        let dealt = Arc::new(AtomicU32::new(0));
        push(&inbox, &doorbell, 1);
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

/// A taker that leaves when it finds nothing to do, while others push: what was pushed is taken, and who comes too late is
/// told so, has pushed nothing, and can push to the next taker.
#[test]
fn a_taker_leaves_nothing_behind() {
    model(|| {
        let inbox = Arc::new(Inbox::new());
        let pushers: Vec<_> = (1..=2)
            .map(|weight| {
                let inbox = Arc::clone(&inbox);
                thread::spawn(move || {
                    let parcel = parcel(weight);
                    // SAFETY: a fresh parcel; where it was pushed, it is not touched again.
                    match unsafe { inbox.push(parcel, parcel) } {
                        Pushed::Gone => return Some(parcel.as_ptr() as usize),
                        Pushed::MustNotify => inbox.notified(parcel),
                        Pushed::Seen => {}
                    }
                    None
                })
            })
            .collect();
        let mut weights = Vec::new();
        // At most once for each parcel, and once more.
        while !(inbox.all_reached() && inbox.fall_asleep() && inbox.leave()) {
            open_all(&inbox, &mut weights);
        }
        let late: Vec<_> = pushers.into_iter().filter_map(|pusher| pusher.join().unwrap()).collect();
        assert_eq!(weights.len() + late.len(), 2);
        assert!(inbox.is_settled() && !inbox.is_waiting());
        inbox.arrive();
        for parcel in late {
            let parcel = NonNull::new(parcel as *mut Parcel).unwrap();
            // SAFETY: not pushed before.
            assert_eq!(unsafe { inbox.push(parcel, parcel) }, Pushed::Seen);
        }
        open_all(&inbox, &mut weights);
        assert_eq!(weights.iter().sum::<u32>(), 3);
    });
}

/// Of three threads that have something for the reactor, whichever runs it, each one's is seen, and one runs it at a time.
#[test]
fn what_is_left_to_the_reactor_is_seen() {
    model(|| {
        let combiner = Arc::new(Combiner::new());
        let waiting = Arc::new(AtomicU32::new(0));
        let seen = Arc::new(loom::cell::UnsafeCell::new(0));
        let leave = |combiner: &Combiner, waiting: &AtomicU32, seen: &loom::cell::UnsafeCell<u32>| {
            waiting.fetch_add(1, Ordering::Relaxed);
            combiner.run(|| {
                let new = waiting.swap(0, Ordering::Relaxed);
                // SAFETY: loom reports it if two do this at once.
                seen.with_mut(|seen| unsafe { *seen += new });
            });
        };
        let others: Vec<_> = (0..2)
            .map(|_| {
                let (combiner, waiting, seen) = (Arc::clone(&combiner), Arc::clone(&waiting), Arc::clone(&seen));
                thread::spawn(move || leave(&combiner, &waiting, &seen))
            })
            .collect();
        leave(&combiner, &waiting, &seen);
        for other in others {
            other.join().unwrap();
        }
        // SAFETY: the others have ended.
        assert_eq!(seen.with(|seen| unsafe { *seen }), 3);
    });
}

/// A thread that sleeps until there have been two events, each written by another thread, is woken. (Loom reports a thread
/// that sleeps for ever.)
#[test]
fn who_waits_for_two_events_is_woken() {
    model(|| {
        let waiters = Arc::new(Waiters::new());
        let completed = Arc::new(AtomicU64::new(0));
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let (waiters, completed) = (Arc::clone(&waiters), Arc::clone(&completed));
                thread::spawn(move || {
                    completed.fetch_add(1, Ordering::Release);
                    // In place of the futex: the sleeper below watches the word itself.
                    loom::sync::atomic::fence(Ordering::SeqCst);
                    let _ = waiters.have(|| completed.load(Ordering::Relaxed));
                })
            })
            .collect();
        loop {
            let seen = waiters.word().load(Ordering::Acquire);
            if !waiters.begin(2, || completed.load(Ordering::Acquire)) {
                break;
            }
            while waiters.word().load(Ordering::Acquire) == seen {
                thread::yield_now();
            }
        }
        assert_eq!(completed.load(Ordering::Acquire), 2);
        for writer in writers {
            writer.join().unwrap();
        }
    });
}

/// Entries of a queue of numbers, each with a value that the queue has to publish.
struct Shelf {
    links: Vec<AtomicU64>,
    values: Vec<AtomicU32>,
}

impl Links for Shelf {
    fn link(&self, number: u32) -> Option<&AtomicU64> {
        self.links.get(number as usize)
    }
}

impl Shelf {
    fn new(entries: u32) -> Self {
        Self {
            links: (0..entries).map(|_| AtomicU64::new(0)).collect(),
            values: (0..entries).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    fn push(&self, queue: &NumberQueue, number: u32, value: u32) {
        self.values[number as usize].store(value, Ordering::Relaxed);
        queue.push(self, number);
    }

    fn take(&self, queue: &NumberQueue) -> Option<(u32, u32)> {
        queue.take_if(self, |number| Some(self.values[number as usize].load(Ordering::Relaxed)))
    }
}

/// Two threads push, a third takes: everything comes once, with its value, and what one thread pushed in its order.
#[test]
fn numbers_come_once_and_in_order() {
    model(|| {
        let shared = Arc::new((Shelf::new(4), NumberQueue::new(0)));
        let pushers: Vec<_> = [&[(1, 10), (2, 11)][..], &[(3, 20)]]
            .into_iter()
            .map(|entries| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    entries.iter().for_each(|&(number, value)| shared.0.push(&shared.1, number, value))
                })
            })
            .collect();
        let mut values: Vec<u32> = (0..2).filter_map(|_| shared.0.take(&shared.1)).map(|(value, _)| value).collect();
        for pusher in pushers {
            pusher.join().unwrap();
        }
        values.extend(std::iter::from_fn(|| shared.0.take(&shared.1)).map(|(value, _)| value));
        assert_eq!(values.len(), 3);
        values.retain(|&value| value != 20);
        assert_eq!(values, [10, 11]);
    });
}

/// A thread takes while another takes an entry, pushes it once more, and takes everything, so that the head is the same entry
/// as before: one that is used again deceives no thread that is late.
#[test]
fn numbers_are_used_again() {
    model(|| {
        let shared = Arc::new((Shelf::new(3), NumberQueue::new(0)));
        shared.0.push(&shared.1, 1, 10);
        shared.0.push(&shared.1, 2, 11);
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (first, free) = shared.0.take(&shared.1).unwrap();
                shared.0.push(&shared.1, free, 12);
                let rest = std::iter::from_fn(|| shared.0.take(&shared.1)).map(|(value, _)| value);
                [first].into_iter().chain(rest).collect::<Vec<u32>>()
            })
        };
        let mut values: Vec<u32> = shared.0.take(&shared.1).map(|(value, _)| value).into_iter().collect();
        values.extend(other.join().unwrap());
        values.extend(std::iter::from_fn(|| shared.0.take(&shared.1)).map(|(value, _)| value));
        values.sort_unstable();
        assert_eq!(values, [10, 11, 12]);
    });
}
