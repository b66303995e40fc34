//! Every interleaving of the inbox's pushers and taker, and of those who meet at a desk, by loom. Run with `RUSTFLAGS="--cfg loom"`; without that the file is
//! empty, because loom's atomics work in its models alone.
#![cfg(loom)]
#![allow(missing_docs, reason = "a test")]

#[allow(dead_code, reason = "the model uses a part of it")]
#[path = "../src/engine/inbox.rs"]
mod inbox;

#[allow(dead_code, reason = "the model uses a part of it")]
#[path = "../src/engine/private/desk.rs"]
mod desk;

use std::ptr::NonNull;

use desk::Desk;
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

/// What is laid down is taken by the keeper or taken back, one of the two, and whoever has it sees it whole.
#[test]
fn nothing_is_lost_at_a_desk() {
    model(|| {
        let desk = Arc::new(Desk::<Parcel>::new());
        let open_parcel = |parcel: NonNull<Parcel>| {
            // SAFETY: whoever has a parcel has it alone, and it was leaked from a box.
            let parcel = unsafe { Box::from_raw(parcel.as_ptr()) };
            // SAFETY: as above.
            parcel.weight.with(|weight| unsafe { *weight })
        };
        let submitters: Vec<_> = [1, 2]
            .map(|weight| {
                let desk = Arc::clone(&desk);
                thread::spawn(move || {
                    let parcel = parcel(weight);
                    let handed = desk.lay(parcel) && {
                        thread::yield_now();
                        !(desk.has(parcel) && desk.take_back(parcel))
                    };
                    if handed { 0 } else { open_parcel(parcel) }
                })
            })
            .into();
        let mut kept = 0;
        assert!(desk.open());
        let taken = desk.take().or_else(|| {
            thread::yield_now();
            desk.close()
        });
        if let Some(parcel) = taken {
            assert!(!desk.is_clear());
            kept = open_parcel(parcel);
            desk.put_away();
        }
        let returned: u32 = submitters.into_iter().map(|submitter| submitter.join().unwrap()).sum();
        assert_eq!(kept + returned, 3);
        assert!(desk.is_clear());
    });
}
