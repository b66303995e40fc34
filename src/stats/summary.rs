//! The summary at exit that `URINGAIO_STATS=1` asks for.

use core::fmt;

use super::counter_block as block;
use super::kinds::{Lane, ServedBy};
use super::layout::{INTERFACES, percentile};
use super::read::{latencies, read};
use crate::host::kernel;
use crate::host::log::summary_line;
use crate::host::settings;

/// Writes the summary to standard error, if it is asked for and this process has made an AIO call. No heap, no lock: the
/// program may exit in the middle of anything.
pub fn summarize() {
    // First whether there is anything to tell: the environment of a process that never used AIO need not be read.
    let process = kernel::process_id() as u32;
    if block::has_begun(process) && settings::get().stats {
        let _ = write_all(process);
    }
}

/// Not part of [`summarize`]: these copies of the counters are more than the stack of a signal handler may have room for,
/// and any of them may call `_exit`.
#[cold]
#[inline(never)]
fn write_all(process: u32) -> Option<()> {
    let counters = read();
    let seconds = kernel::now().saturating_sub(block::started()) as f64 / 1e9;
    let by = match block::BLOCK.serves() {
        serves if serves == ServedBy::Uring as u32 => "io_uring",
        serves if serves == ServedBy::Workers as u32 => "worker threads",
        _ => "the system's own AIO",
    };
    let in_caller = counters.in_caller.iter().flatten().sum::<u64>();
    let engine = counters.by_engine.iter().flatten().sum::<u64>();
    let sum = |of: &[u64]| of.iter().sum::<u64>();
    let kernel = sum(&counters.kernel_aio);
    summary_line(format_args!(
        "process {process}, {by}, {seconds:.1} s: {} operations (POSIX {}, libaio {}): {in_caller} in the caller, {engine} by the \
         engine, {kernel} by the kernel's AIO, {} failed, {} canceled, {} in flight",
        in_caller + engine + kernel,
        counters.submitted[0],
        counters.submitted[1],
        sum(&counters.failed),
        sum(&counters.canceled),
        sum(&counters.in_flight()),
    ))?;
    summary_line(format_args!(
        "read {}, wrote {}; {:.1} operations per call; notified by {} signals, {} callbacks, {} eventfds",
        Bytes(counters.bytes_read),
        Bytes(counters.bytes_written),
        sum(&counters.submitted) as f64 / (sum(&counters.calls).max(1)) as f64,
        counters.notifications[0],
        counters.notifications[1],
        counters.notifications[2],
    ))?;
    for (lane, name) in [(Lane::InCaller, "in the caller"), (Lane::Engine, "by the engine")] {
        let times = latencies(lane);
        if let (Some(half), Some(most), Some(nearly_all)) =
            (percentile(&times, 0.5), percentile(&times, 0.95), percentile(&times, 0.99))
        {
            summary_line(format_args!(
                "{name}, 50 % took less than {}, 95 % {}, 99 % {}",
                Time(half),
                Time(most),
                Time(nearly_all)
            ))?;
        }
    }
    let passed_on: [u64; INTERFACES] = counters.passed_on;
    if sum(&passed_on) > 0 {
        summary_line(format_args!(
            "passed on to the system's own AIO: {} POSIX calls, {} libaio calls",
            passed_on[0], passed_on[1]
        ))?;
    }
    Some(())
}

struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            bytes @ ..10_240 => write!(to, "{bytes} bytes"),
            bytes @ ..10_485_760 => write!(to, "{:.1} KiB", bytes as f64 / 1024.0),
            bytes => write!(to, "{:.1} MiB", bytes as f64 / 1_048_576.0),
        }
    }
}

struct Time(u64);

impl fmt::Display for Time {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            time @ ..10_000 => write!(to, "{time} ns"),
            time @ ..10_000_000 => write!(to, "{:.1} µs", time as f64 / 1e3),
            time => write!(to, "{:.1} ms", time as f64 / 1e6),
        }
    }
}
