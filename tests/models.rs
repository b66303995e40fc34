//! Every interleaving of the inbox's pushers and taker, by loom. Run with `RUSTFLAGS="--cfg loom"`; without that the file is
//! empty, because loom's atomics work in its models alone.
#![cfg(loom)]
#![allow(missing_docs, reason = "a test")]

#[allow(dead_code, reason = "the model uses a part of it")]
#[path = "../src/engine/inbox.rs"]
mod inbox;

use std::ptr::NonNull;

use inbox::{Inbox, Node, Pushed};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use loom::thread;

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
