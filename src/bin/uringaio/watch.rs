//! What `stat` and `top` do between two readings: wait, and have operations of the programs timed meanwhile.

use std::time::{Duration, Instant};

/// Operations timed a second: enough for a 99th percentile, and too few to be felt.
const TIMED_PER_SECOND: f64 = 5_000.0;
/// Seconds after which the next of them are asked for, so that they are spread over an interval.
const TIMING_SLICE_SECONDS: f64 = 0.1;

/// Waits `interval` seconds. `time` has so many more operations timed; `pause` returns after the time that it is given, or earlier,
/// and says whether to go on waiting.
pub fn wait(interval: f64, time: impl Fn(u32), mut pause: impl FnMut(Duration) -> bool) {
    let begun = Instant::now();
    let mut asked_at: Option<Instant> = None;
    loop {
        let left = interval - begun.elapsed().as_secs_f64();
        if left <= 0.0 {
            return;
        }
        let slice = left.min(TIMING_SLICE_SECONDS);
        if asked_at.is_none_or(|at| at.elapsed().as_secs_f64() >= slice) {
            time((TIMED_PER_SECOND * slice).ceil() as u32);
            asked_at = Some(Instant::now());
        }
        if !pause(Duration::from_secs_f64(slice)) {
            return;
        }
    }
}

/// A pause that nothing shortens.
pub fn sleep(time: Duration) -> bool {
    std::thread::sleep(time);
    true
}
