//! What a load is to do, and what it has done.

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::layout::{LATENCIES, latency_bucket};

/// Bytes of a transfer.
pub const BLOCK: usize = 4096;

/// What to do.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Plan {
    pub libaio: bool,
    pub write: bool,
    pub direct: bool,
    /// Read once before the clock starts, as much as cached reads stay within.
    pub warm: bool,
    pub depth: usize,
    pub seconds: f64,
}

impl Plan {
    /// As arguments of the process that carries it out.
    pub fn arguments(&self) -> Vec<String> {
        let flag = |on: bool| if on { "1" } else { "0" }.to_string();
        vec![
            flag(self.libaio),
            flag(self.write),
            flag(self.direct),
            flag(self.warm),
            self.depth.to_string(),
            self.seconds.to_string(),
        ]
    }
}

/// One measurement on its way.
pub struct Meter {
    blocks: u64,
    random: u64,
    end: Duration,
    started: Instant,
    pub operations: u64,
    latencies: [u64; LATENCIES],
}

impl Meter {
    /// Starts the clock.
    pub fn new(blocks: u64, seconds: f64) -> Self {
        Self {
            blocks,
            random: 0x9e37_79b9_7f4a_7c15,
            end: Duration::from_secs_f64(seconds),
            started: Instant::now(),
            operations: 0,
            latencies: [0; LATENCIES],
        }
    }

    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    pub const fn latencies(&self) -> &[u64; LATENCIES] {
        &self.latencies
    }

    /// The next position.
    pub fn position(&mut self) -> i64 {
        // Xorshift, George Marsaglia, "Xorshift RNGs", 2003.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % self.blocks * BLOCK as u64) as i64
    }

    /// Nanoseconds since the beginning.
    pub fn now(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    /// Takes note of a transfer that was submitted at `since`. An error is what ends the measurement.
    pub fn done(&mut self, result: i64, since: u64) -> Result<(), Failure> {
        if result != BLOCK as i64 {
            let why = i32::try_from(-result).map_or(0, |errno| errno.max(0));
            let error = std::io::Error::from_raw_os_error(why);
            return Err(Failure::wanting(format!("a transfer of {BLOCK} bytes ended with {result} ({error})")));
        }
        self.operations += 1;
        self.latencies[latency_bucket(self.now().saturating_sub(since))] += 1;
        Ok(())
    }

    pub fn goes_on(&self) -> bool {
        self.started.elapsed() < self.end
    }
}

/// Memory as `O_DIRECT` wants it; never given back.
pub fn buffer() -> *mut u8 {
    let layout = Layout::new::<Page>();
    // SAFETY: the layout is not empty.
    let memory = unsafe { alloc_zeroed(layout) };
    if memory.is_null() { handle_alloc_error(layout) } else { memory }
}

#[repr(align(4096))]
struct Page {
    _bytes: [u8; BLOCK],
}

const _: () = assert!(size_of::<Page>() == BLOCK);

/// What an AIO function said: an error of errno's.
pub fn last_error(what: &str) -> Failure {
    Failure::wanting(format!("{what}: {}", std::io::Error::last_os_error()))
}
