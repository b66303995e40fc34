//! The load of `uringaio bench`: one process that keeps a number of random transfers in flight for a while. It does not know
//! whose functions it calls.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::process::ExitCode;

use serde_json::json;

use crate::failure::Failure;
use crate::layout::{percentile, uringaio_counters};
use crate::output::print;
use crate::probe::{self, symbol};
use meter::Meter;
pub use meter::{BLOCK, Plan};

mod libaio;
mod meter;
mod posix;

/// The word by which the command starts itself again as a load.
pub const CHILD: &str = "__load";

/// Bytes that cached reads stay within: a file may be larger than the memory.
const CACHED_BYTES: u64 = 256 << 20;

/// `uringaio __load FILE PLAN…`: carries the plan out and prints what came of it.
pub fn child(words: impl Iterator<Item = OsString>) -> Result<ExitCode, Failure> {
    let words: Vec<OsString> = words.collect();
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
    let blocks = if plan.warm { blocks.min(CACHED_BYTES / BLOCK as u64) } else { blocks };
    if plan.warm {
        warm(&open).map_err(named)?;
    }
    let cpu = cpu_time();
    let mut meter = Meter::new(blocks, plan.seconds);
    if plan.libaio {
        libaio::run(&open, &plan, &mut meter)?;
    } else {
        posix::run(&open, &plan, &mut meter)?;
    }
    let seconds = meter.seconds();
    let counters = counters();
    let face = usize::from(plan.libaio);
    let object = json!({
        "operations": meter.operations,
        "seconds": seconds,
        "cpu_seconds": cpu_time() - cpu,
        "p50_ns": percentile(meter.latencies(), 0.5),
        "p99_ns": percentile(meter.latencies(), 0.99),
        "on_library": symbol(c"uringaio_version").is_some(),
        "engine": probe::engine(),
        "in_caller": counters.in_caller[face].iter().sum::<u64>(),
        "by_engine": counters.by_engine[face].iter().sum::<u64>(),
        "by_kernel_aio": counters.kernel_aio[face],
    });
    print(&format!("{object}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// What the library counted; zeros where there is none.
fn counters() -> uringaio_counters {
    let mut counters = uringaio_counters::default();
    if let Some(read) = symbol(c"uringaio_read_counters") {
        // SAFETY: the function fills as many bytes as it is told, by include/uringaio.h.
        unsafe {
            let read: extern "C" fn(*mut uringaio_counters, usize) -> usize = std::mem::transmute(read);
            read(&raw mut counters, size_of::<uringaio_counters>());
        }
    }
    counters
}

/// Brings the file's beginning into the page cache.
fn warm(file: &File) -> std::io::Result<()> {
    std::io::copy(&mut file.take(CACHED_BYTES), &mut std::io::sink()).map(drop)
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
