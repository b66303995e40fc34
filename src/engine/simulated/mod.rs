//! The engines on a simulated kernel, in one thread: its completions come in any order and late, with any result, and it may
//! refuse each call. All that happens follows from a seed.
//!
//! A random sequence of calls is run on it and compared with a plain model ([`request`]): every request ends exactly once, with
//! the answer that is the program's business; the right bytes are moved; order is kept; what is stopped is told truly; nothing
//! is held back for ever, and nothing is left. A sequence that fails is made as short as it gets, and printed.
//!
//! `SIMULATED_OPERATIONS=n` runs until so many requests have ended, from a new seed on; `SIMULATED_SEED=n` begins with that one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod calls;
pub mod files;
mod moved;
pub mod program;
pub mod random;
pub mod request;
mod ring;
pub mod step;
mod workers;
pub mod world;

use std::cell::Cell;
use std::fmt::Debug;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use world::World;

/// Requests of the run in `make test`, which begins with seed 1.
const OPERATIONS: usize = if cfg!(miri) { 100 } else { 20_000 };

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: Cell<Option<String>> = const { Cell::new(None) };
}

/// From here on a panic of a thread that is quiet is kept, not printed.
fn keep_messages() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if IS_QUIET.get() {
                MESSAGE.set(Some(info.to_string()));
            } else {
                before(info);
            }
        }));
    });
}

/// Runs a sequence. How many requests there were, or what went wrong.
fn attempt<S>(run: fn(&[S]) -> usize, steps: &[S]) -> Result<usize, String> {
    IS_QUIET.set(true);
    let ran = panic::catch_unwind(AssertUnwindSafe(|| run(steps)));
    World::forget_all();
    IS_QUIET.set(false);
    ran.map_err(|_| MESSAGE.take().unwrap_or_default())
}

/// The shortest sequence that still fails, found by leaving out steps, many at a time at first; and how it fails.
fn shrink<S: Clone>(run: fn(&[S]) -> usize, mut steps: Vec<S>, mut message: String) -> (Vec<S>, String) {
    let until = Instant::now() + Duration::from_secs(60);
    let mut size = steps.len().div_ceil(2);
    while size > 0 && Instant::now() < until {
        let (mut at, before) = (0, steps.len());
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            match attempt(run, &fewer) {
                Err(other) => (steps, message) = (fewer, other),
                Ok(_) => at += size,
            }
        }
        if size > 1 {
            size /= 2;
        } else if steps.len() == before {
            break;
        }
    }
    (steps, message)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
#[cfg_attr(miri, ignore = "it takes minutes")]
fn any_sequence_is_as_the_model_says() {
    check(step::sequence, step::run);
}

/// Makes a sequence for each seed, and runs it.
///
/// # Panics
/// One fails.
pub fn check<S: Clone + Debug>(sequence: fn(u64) -> Vec<S>, run: fn(&[S]) -> usize) {
    keep_messages();
    let wanted = number("SIMULATED_OPERATIONS");
    let new_seed = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_nanos() as u64 >> 10 << 20);
    let first = number("SIMULATED_SEED").unwrap_or_else(|| if wanted.is_some() { new_seed() } else { 1 });
    let (mut seed, mut done, begun) = (first, 0, Instant::now());
    while done < wanted.map_or(OPERATIONS, |wanted| wanted as usize) {
        let steps = sequence(seed);
        match attempt(run, &steps) {
            Ok(count) => done += count,
            Err(message) => {
                let (steps, shorter) = shrink(run, steps, message.clone());
                let listed = steps.iter().map(|step| format!("    {step:?}")).collect::<Vec<_>>().join("\n");
                panic!(
                    "SIMULATED_SEED={seed} fails: {message}\n{} steps are left of it: {shorter}\n{listed}",
                    steps.len()
                );
            }
        }
        seed += 1;
    }
    let took = begun.elapsed();
    eprintln!(
        "{done} requests in {} sequences from {first} on, {took:.1?}: {:.0} a minute",
        seed - first,
        done as f64 / took.as_secs_f64() * 60.0
    );
}
