//! What `uringaio stat` shows of one interval: the types that its table is written from and that `--json` writes as they are.

use serde::Serialize;

/// One line of `uringaio stat --json`: what was counted in an interval, or with `--once` since the first AIO call.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sample {
    /// The number of the process.
    pub process: i32,
    /// The version of the library in it.
    pub version: String,
    /// What carries out its I/O: `io_uring`, `threads` or `system` (the system's own AIO).
    pub engine: &'static str,
    /// Length of the interval. All counts below are of this interval.
    pub seconds: f64,
    pub posix: Interface,
    pub libaio: Interface,
    /// Bytes that were read.
    pub bytes_read: u64,
    /// Bytes that were written.
    pub bytes_written: u64,
    /// How many operations a submitting call brought.
    pub call_sizes: Vec<Size>,
    pub engine_thread: EngineThread,
    pub notifications: Notifications,
    pub latency: Latency,
    /// The devices of the files that io_uring may serve, as far as the process has met them.
    pub devices: Vec<Device>,
}

/// One of the two interfaces: POSIX AIO (`aio_read` and its like) or libaio (`io_submit` and its like).
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Interface {
    /// Calls that submitted something.
    pub calls: u64,
    /// Operations that these submitted.
    pub submitted: u64,
    /// Operations that were finished in the calling thread, by kind.
    pub in_caller: Kinds,
    /// Operations that the engine took, by kind: io_uring or threads, see `engine`.
    pub by_engine: Kinds,
    /// Operations that the kernel's own AIO carried. They are among those submitted, and in no other number here.
    pub kernel_aio: u64,
    /// Operations in flight in the engine, at the end of the interval.
    pub in_flight: u64,
    /// Operations that ended in an error; canceled ones are not among them.
    pub failed: u64,
    /// Operations that ended canceled.
    pub canceled: u64,
    /// Calls that were passed on to the system's own implementation.
    pub passed_on: u64,
}

/// Operations by kind.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Kinds {
    pub read: u64,
    pub write: u64,
    pub readv: u64,
    pub writev: u64,
    pub fsync: u64,
    pub fdatasync: u64,
    pub poll: u64,
}

/// How often the number of operations was from `least` to `most`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Size {
    pub least: u64,
    /// Null: without a bound.
    pub most: Option<u64>,
    pub number: u64,
}

/// The library's thread.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EngineThread {
    /// How many operations it took up at once.
    pub batches: Vec<Size>,
    /// Times that it slept until it was woken or an operation completed.
    pub sleeps: u64,
    /// Times that it slept for the next completion alone, so that submitting threads need not wake it.
    pub timed_sleeps: u64,
    /// Times that a submitting thread woke it.
    pub wakes: u64,
}

/// Notifications that were sent.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Notifications {
    pub signals: u64,
    /// Of SIGEV_THREAD.
    pub callbacks: u64,
    pub eventfds: u64,
}

/// How long operations took from submission to completion, as far as they were timed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Latency {
    /// Of those that were finished in the calling thread.
    pub in_caller: Times,
    /// Of those that the engine took.
    pub by_engine: Times,
}

/// What the library has seen of a device, since the process's first AIO call.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Device {
    /// Its number, as `major:minor`.
    pub number: String,
    /// The name of the block device; null where the file system has none (btrfs) or a container hides it.
    pub name: Option<String>,
    /// The best of the last requests that io_uring timed; null where it timed none.
    pub best_ns: Option<u64>,
    /// Whether it completes requests immediately: `O_DIRECT` requests are done in the calling thread then.
    pub is_immediate: bool,
    /// How often that was given up for a while, because requests turned out to wait.
    pub pauses: u64,
}

/// Percentiles, in nanoseconds; null where nothing was timed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Times {
    /// Operations that were timed.
    pub timed: u64,
    pub p50_ns: Option<u64>,
    pub p95_ns: Option<u64>,
    pub p99_ns: Option<u64>,
    pub longest_ns: Option<u64>,
}

impl Kinds {
    /// Each kind by its name.
    pub fn by_name(self) -> [(&'static str, u64); 7] {
        [
            ("read", self.read),
            ("write", self.write),
            ("readv", self.readv),
            ("writev", self.writev),
            ("fsync", self.fsync),
            ("fdatasync", self.fdatasync),
            ("poll", self.poll),
        ]
    }

    pub fn sum(self) -> u64 {
        self.by_name().iter().map(|(_, number)| number).sum()
    }
}
