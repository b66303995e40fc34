//! What happens when io_uring is about to be forbidden, or was: the workers serve from there on.
//!
//! A seccomp filter that the program sets through the C library is seen before it is set ([`close_uring`]): what is
//! with io_uring is waited for, and nothing more goes there. A filter set in another way (an instruction of the
//! program's own, a supervisor's) shows as a call on the ring that fails, and so does a ring whose descriptor the program has
//! closed (before 5.18): what the kernel has not taken the workers do; what it has is reported as far as it still completes
//! within a short time; what is then left ends with `EIO`.

use core::ptr::NonNull;
use core::sync::atomic::Ordering;
use core::time::Duration;

use super::cancel::Command;
use super::device::Device;
use super::lifecycle::{CLOSING, ENGINE_WAIT_MS, Engine, RESTING, SERVING, SETTLE_TICK, UNAVAILABLE};
use super::operation::{Kind, Operation, Stage, finish_unheld};
use super::reactor::Reactor;
use super::uring::Uring;
use super::wake_batch::WakeBatch;
use super::{engines, inbox, stand_in};
use crate::host::futex::{self, Deadline};
use crate::host::kernel::Errno;
use crate::host::log::{self, Priority};
use crate::host::seccomp;
use crate::stats::{self, ServedBy};

/// How long completions of a lost ring are waited for: a device that answers does so well within this time.
const LOST_RING_WAIT_MS: u64 = 2_000;

/// A filter may be about to forbid io_uring: nothing more goes there, what is there is waited for, as long as a device
/// may take, and the engine's thread leaves its ring. A filter may forbid threads as well: the workers' are there
/// before, and stay. Called before the filter is set. Async-signal-safe, unless a thread has to be started.
pub fn close_uring() {
    seccomp::note_set();
    // A filter of a child of `vfork` is that child's alone.
    if engines::started().is_none() || engines::all().any(|engine| !engine.is_of_this_process()) {
        return;
    }
    if let Some(workers) = engines::workers() {
        workers.stay();
    }
    let Some(engine) = engines::uring().filter(|engine| engine.is_available()) else { return };
    let deadline = Deadline::after(Duration::from_millis(ENGINE_WAIT_MS));
    let mut is_first = true;
    while !deadline.is_over() {
        let state = engine.state.load(Ordering::Acquire);
        match state {
            SERVING | RESTING => {
                // With no thread there is nothing to wait for.
                let next = if state == SERVING { CLOSING } else { UNAVAILABLE };
                if engine.state.compare_exchange(state, next, Ordering::SeqCst, Ordering::SeqCst).is_ok() && is_first {
                    is_first = false;
                    stats::begin(ServedBy::Workers);
                    log::log(
                        Priority::Notice,
                        format_args!("worker threads serve from here on: the program sets a seccomp filter"),
                    );
                }
            }
            UNAVAILABLE => return,
            state => {
                engine.notify();
                let _ = futex::wait(&engine.state, state, deadline.sooner(Deadline::after(SETTLE_TICK)));
            }
        }
    }
}

/// The ring is not used any more: it was closed, or is lost. Runs on its thread, which ends afterwards.
pub(super) fn after(engine: &'static Engine, mut reactor: Reactor<Uring>) {
    if let Some(Errno(errno)) = reactor.device().lost() {
        engine.state.store(CLOSING, Ordering::SeqCst);
        log::log(
            Priority::Warning,
            format_args!("worker threads serve from here on: io_uring was taken away (errno {errno})"),
        );
        stats::begin(ServedBy::Workers);
        // What completes goes into the ring's memory whenever this thread enters the kernel, for whatever.
        let deadline = Deadline::after(Duration::from_millis(LOST_RING_WAIT_MS));
        loop {
            // At least once: signals that reached the kernel are told from those that did not.
            reactor.deliver();
            if reactor.device().in_flight() == 0 || deadline.is_over() {
                break;
            }
            futex::sleep_1ms();
        }
        reactor.fail_all(Errno(libc::EIO));
        // A call that asks for them is to find them here.
        while reactor.take_back(pass_on) {
            futex::sleep_1ms();
        }
    }
    engine.wants_signal.store(0, Ordering::Relaxed);
    engine.decide(UNAVAILABLE);
    // The ring, and the files in it.
    drop(reactor);
    forward(engine);
}

/// Hands on to the workers what submitters pushed that saw the engine serving before. Later ones find its inbox without
/// a thread, and go to the workers themselves.
pub(super) fn forward(engine: &'static Engine) {
    let mut wakes = WakeBatch::new();
    loop {
        let mut next = engine.inbox.take();
        while let Some(operation) = next {
            // SAFETY: taken just now, and not passed on yet.
            next = unsafe { inbox::next(operation) };
            pass_on(operation, &mut wakes);
        }
        wakes.wake_now();
        engine.end_turn();
        if engine.inbox.all_reached() && engine.inbox.fall_asleep() && engine.inbox.leave() {
            engine.thread.store(0, Ordering::Relaxed);
            return;
        }
    }
}

/// Gives an operation to the workers, or ends it with `EIO` where there are none.
fn pass_on(operation: NonNull<Operation>, wakes: &mut WakeBatch) {
    if let Some(command) = Command::of(operation) {
        return Command::answer(command, wakes);
    }
    // SAFETY: taken from the inbox, so this thread's alone.
    let this = unsafe { operation.as_ref() };
    if this.stage == Stage::StandIn {
        return stand_in::send_back(operation);
    }
    let eventfds = this.eventfd_numbers();
    let result = match this.kind {
        Kind::Nop => 0,
        _ => match engines::workers() {
            // SAFETY: as its submitter promised.
            Some(workers) => return unsafe { workers.submit(operation) },
            None => -i64::from(libc::EIO),
        },
    };
    // SAFETY: this thread's, and not finished.
    unsafe { finish_unheld(operation, result, eventfds, wakes) };
}
