//! The load of `uringaio bench`: one process that keeps a number of random transfers in flight for a while. It does not know
//! whose functions it calls.

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::failure::Failure;
use crate::layout::{LATENCIES, latency_bucket, percentile};
use crate::print;
use crate::probe::symbol;

mod libaio;
mod posix;

/// Bytes of a transfer.
pub const BLOCK: usize = 4096;

/// Bytes that cached reads stay within: a file may be larger than the memory.
const WARM: u64 = 256 << 20;

/// What to do.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Plan {
    pub libaio: bool,
    pub write: bool,
    pub direct: bool,
    /// Read once before the clock starts, as much as [`WARM`] says.
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

/// `uringaio __load FILE PLAN…`: carries the plan out and prints what came of it.
pub fn child(arguments: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let words: Vec<OsString> = arguments.raw_args()?.collect();
    let text = |index: usize| words.get(index).and_then(|word| word.to_str()).unwrap_or_default();
    let wrong = || Failure::usage("not a plan");
    let plan = Plan {
        libaio: text(1) == "1",
        write: text(2) == "1",
        direct: text(3) == "1",
        warm: text(4) == "1",
        depth: text(5).parse().map_err(|_| wrong())?,
        seconds: text(6).parse().map_err(|_| wrong())?,
    };
    let file = words.first().ok_or_else(wrong)?;
    let named = |error: std::io::Error| Failure::wanting(format!("{}: {error}", file.display()));
    let flags = if plan.direct { libc::O_DIRECT } else { 0 };
    let mut open = OpenOptions::new().read(true).write(plan.write).custom_flags(flags).open(file).map_err(named)?;
    // By seeking, since a block device has no length of its own.
    let blocks = open.seek(SeekFrom::End(0)).map_err(named)? / BLOCK as u64;
    open.rewind().map_err(named)?;
    if blocks == 0 {
        return Err(Failure::wanting("the file is shorter than one block"));
    }
    let blocks = if plan.warm { blocks.min(WARM / BLOCK as u64) } else { blocks };
    if plan.warm {
        warm(&open).map_err(named)?;
    }
    let cpu = cpu_time();
    let mut meter = Meter {
        blocks,
        random: 0x9e37_79b9_7f4a_7c15,
        end: Duration::from_secs_f64(plan.seconds),
        started: Instant::now(),
        operations: 0,
        latencies: [0; LATENCIES],
    };
    if plan.libaio {
        libaio::run(&open, &plan, &mut meter)?;
    } else {
        posix::run(&open, &plan, &mut meter)?;
    }
    let seconds = meter.started.elapsed().as_secs_f64();
    let object = json!({
        "operations": meter.operations,
        "seconds": seconds,
        "cpu_seconds": cpu_time() - cpu,
        "p50_ns": percentile(&meter.latencies, 0.5),
        "p99_ns": percentile(&meter.latencies, 0.99),
        "on_library": symbol(c"uringaio_version").is_some(),
    });
    Ok(print(&format!("{object}\n")))
}

/// Brings the file's beginning into the page cache.
fn warm(file: &File) -> std::io::Result<()> {
    std::io::copy(&mut file.take(WARM), &mut std::io::sink()).map(drop)
}

/// Processor time of the whole process, every thread's, the library's included.
fn cpu_time() -> f64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: fills the structure, of which zeros are a value as well.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
