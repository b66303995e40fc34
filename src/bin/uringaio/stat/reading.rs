//! Counters of the library made into a sample: the one place that knows the names of the counters.

use super::sample::{Device, EngineThread, Interface, Kinds, Latency, Notifications, Sample, Size, Times};
use crate::counters::Snapshot;
use crate::host;
use crate::layout::{self, LANES, LATENCIES, SIZES, latency_bound, percentile, uringaio_counters};

/// Which of the two the counters of an interface stand for, as `layout.rs` numbers them.
pub const POSIX: usize = 0;
pub const LIBAIO: usize = 1;

/// What was counted since the process's first AIO call.
pub fn total(process: libc::pid_t, now: &Snapshot) -> Sample {
    let seconds = host::monotonic().saturating_sub(now.header.started) as f64 / 1e9;
    sample(process, now, seconds, &now.counters, &now.latencies)
}

/// What was counted between two readings.
pub fn between(process: libc::pid_t, before: &Snapshot, now: &Snapshot, seconds: f64) -> Sample {
    let latencies = std::array::from_fn(|lane| {
        std::array::from_fn(|bucket| now.latencies[lane][bucket].saturating_sub(before.latencies[lane][bucket]))
    });
    sample(process, now, seconds, &now.counters.since(&before.counters), &latencies)
}

fn sample(
    process: libc::pid_t,
    now: &Snapshot,
    seconds: f64,
    counted: &uringaio_counters,
    latencies: &[[u64; LATENCIES]; LANES],
) -> Sample {
    let in_flight = now.counters.in_flight();
    let interface = |face: usize| Interface {
        calls: counted.calls[face],
        submitted: counted.submitted[face],
        in_caller: kinds(counted.in_caller[face]),
        by_engine: kinds(counted.by_engine[face]),
        kernel_aio: counted.kernel_aio[face],
        in_flight: in_flight[face],
        failed: counted.failed[face],
        canceled: counted.canceled[face],
        passed_on: counted.passed_on[face],
    };
    let [signals, callbacks, eventfds] = counted.notifications;
    Sample {
        process,
        version: now.version(),
        engine: now.engine(),
        seconds,
        posix: interface(POSIX),
        libaio: interface(LIBAIO),
        bytes_read: counted.bytes_read,
        bytes_written: counted.bytes_written,
        call_sizes: sizes(&counted.call_sizes),
        engine_thread: EngineThread {
            batches: sizes(&counted.engine_batches),
            sleeps: counted.sleeps,
            timed_sleeps: counted.timed_sleeps,
            wakes: counted.wakes,
        },
        notifications: Notifications { signals, callbacks, eventfds },
        latency: Latency { in_caller: times(&latencies[0]), by_engine: times(&latencies[1]) },
        devices: now.devices.iter().map(device).collect(),
    }
}

pub fn kinds([read, write, readv, writev, fsync, fdatasync, poll]: [u64; 7]) -> Kinds {
    Kinds { read, write, readv, writev, fsync, fdatasync, poll }
}

/// 1, 2, 3 to 4, 5 to 8, … 513 to 1024, more. Sizes that were not seen are left out.
fn sizes(buckets: &[u64; SIZES]) -> Vec<Size> {
    let bounds = |bucket: usize| match bucket {
        0 => (1, Some(1)),
        last if last == SIZES - 1 => ((1 << (last - 1)) + 1, None),
        bucket => ((1 << (bucket - 1)) + 1, Some(1 << bucket)),
    };
    let seen = buckets.iter().enumerate().filter(|&(_, &number)| number > 0);
    seen.map(|(bucket, &number)| {
        let (least, most) = bounds(bucket);
        Size { least, most, number }
    })
    .collect()
}

fn device(seen: &layout::Device) -> Device {
    Device {
        number: format!("{}:{}", libc::major(seen.number), libc::minor(seen.number)),
        name: host::block_device(seen.number),
        best_ns: (seen.best_ns != 0).then_some(seen.best_ns),
        is_immediate: seen.is_immediate != 0,
        pauses: seen.pauses,
    }
}

fn times(buckets: &[u64; LATENCIES]) -> Times {
    Times {
        timed: buckets.iter().sum(),
        p50_ns: percentile(buckets, 0.5),
        p95_ns: percentile(buckets, 0.95),
        p99_ns: percentile(buckets, 0.99),
        longest_ns: buckets.iter().rposition(|&count| count > 0).map(latency_bound),
    }
}

#[cfg(test)]
mod tests {
    use super::{SIZES, sizes};

    #[test]
    fn sizes_have_bounds() {
        let bounds: Vec<_> = sizes(&[1; SIZES]).iter().map(|size| (size.least, size.most)).collect();
        assert_eq!(bounds[..4], [(1, Some(1)), (2, Some(2)), (3, Some(4)), (5, Some(8))]);
        assert_eq!(bounds[SIZES - 1], (1025, None));
        assert!(sizes(&[0; SIZES]).is_empty());
    }
}
