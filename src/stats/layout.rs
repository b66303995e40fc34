//! The layout of the counters, for all that read them: the library itself, programs that link it, and the command, which
//! reads them out of a running process. The same file is compiled into the library and the command.

/// The first word of the block: `uringaio`.
pub const MAGIC: u64 = u64::from_le_bytes(*b"uringaio");

/// Counts up with every change of the layout. A reader of another layout must refuse.
pub const LAYOUT: u32 = 4;

/// The name of the ELF note that leads to the block. Its descriptor is the layout (4 bytes, little endian) and the
/// distance from the descriptor's second word to the block (4 bytes, signed).
pub const NOTE: &str = "uringaio";
/// The type of the note, see [`NOTE`].
pub const NOTE_TYPE: u32 = 1;

/// Interfaces: 0 is POSIX AIO, 1 is libaio.
pub const INTERFACES: usize = 2;
/// Kinds of operation: read, write, vectored read, vectored write, fsync, fdatasync, poll.
pub const KINDS: usize = 7;
/// Numbers of operations at once: 1, 2, 3–4, 5–8, … 513–1024, more.
pub const SIZES: usize = 12;
/// Kinds of notification: signal, callback, eventfd.
pub const NOTIFICATIONS: usize = 3;

/// Everything that is counted. All numbers only grow.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(non_camel_case_types, reason = "the name that C programs use")]
pub struct uringaio_counters {
    /// Calls that submitted something, by interface: `aio_read`, `lio_listio`, `io_submit`, …
    pub calls: [u64; INTERFACES],
    /// Operations submitted by these calls, by interface.
    pub submitted: [u64; INTERFACES],
    /// Calls by the number of operations each submitted: 1, 2, 3–4, 5–8, … 513–1024, more.
    pub call_sizes: [u64; SIZES],
    /// Operations finished in the calling thread, by interface and kind.
    pub in_caller: [[u64; KINDS]; INTERFACES],
    /// Operations that the engine accepted, by interface and kind.
    pub by_engine: [[u64; KINDS]; INTERFACES],
    /// Operations that the engine finished, by interface. What it accepted and did not finish is in flight.
    pub engine_finished: [u64; INTERFACES],
    /// Operations that ended in an error, by interface. Canceled ones are not among them.
    pub failed: [u64; INTERFACES],
    /// Operations that ended canceled, by interface.
    pub canceled: [u64; INTERFACES],
    /// Bytes read.
    pub bytes_read: u64,
    /// Bytes written.
    pub bytes_written: u64,
    /// Calls passed on to the system's own implementation, by interface.
    pub passed_on: [u64; INTERFACES],
    /// Notifications sent: signals, callbacks (`SIGEV_THREAD`), eventfds.
    pub notifications: [u64; NOTIFICATIONS],
    /// Batches that the engines' threads took up, by their number of operations: 1, 2, 3–4, 5–8, … 513–1024, more.
    pub engine_batches: [u64; SIZES],
    /// Times that an engine's thread went to sleep until it was notified or an operation completed.
    pub sleeps: u64,
    /// Times that it slept for the next completion alone, so that submitters need not wake it.
    pub timed_sleeps: u64,
    /// Times that a submitter had to wake it.
    pub wakes: u64,
    /// Operations on contexts that the kernel's own AIO carries (`O_DIRECT` on libaio), by interface. They are among those
    /// submitted, and counted nowhere else.
    pub kernel_aio: [u64; INTERFACES],
}

/// Words of [`uringaio_counters`].
pub const WORDS: usize = size_of::<uringaio_counters>() / 8;

/// Threads that count for themselves; more share the last slot.
pub const SLOTS: usize = 64;

/// Latency buckets. Number n counts what took less than `bound(n)` and not less than `bound(n - 1)`.
pub const LATENCIES: usize = 144;

/// Lanes: 0 is in the calling thread, 1 is the engine.
pub const LANES: usize = 2;

/// Rows for devices. Devices beyond that share one.
pub const DEVICES: usize = 255;

/// What has been seen of one device that holds files which io_uring may serve.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// Its number, as `st_dev` has it; 0: no device here.
    pub number: u64,
    /// The best of the last requests that io_uring timed, in nanoseconds; 0: none was.
    pub best_ns: u64,
    /// Not 0: it completes requests immediately, so that `O_DIRECT` requests are done in the calling thread.
    pub is_immediate: u64,
    /// How often that was given up for a while, because requests turned out to wait.
    pub pauses: u64,
}

/// The first bytes of the block.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// [`MAGIC`], once the first AIO call has been made.
    pub magic: u64,
    /// [`LAYOUT`].
    pub layout: u32,
    /// The process that the numbers belong to: a forked child has its parent's until its own first AIO call.
    pub process: u32,
    /// `CLOCK_MONOTONIC` of the first AIO call, in nanoseconds.
    pub started: u64,
    /// What serves: 0 the system's own AIO, 1 io_uring, 2 threads.
    pub engine: u32,
    /// How many more operations are to be timed. An observer refills it; soon after the observer has gone it is 0, and no clock
    /// is read. All ones never run out.
    pub observed: u32,
    /// The library's version, padded with zeros.
    pub version: [u8; 16],
    /// So that words that are often read and words that are often written do not share a cache line.
    pub padding: [u64; 2],
}

/// One thread's counters.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub struct Slot {
    /// The thread pointer of the thread that counts here, or 0.
    pub owner: u64,
    /// [`uringaio_counters`] as words.
    pub words: [u64; WORDS],
}

/// The block as a reader sees it.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub struct Block {
    /// What the block is, and of which process.
    pub header: Header,
    /// Counters, to be added up.
    pub slots: [Slot; SLOTS],
    /// How long the timed operations took from submission to completion, by lane.
    pub latencies: [[u64; LATENCIES]; LANES],
    /// What has been seen of devices.
    pub devices: [Device; DEVICES],
}

/// The bucket for `count` operations at once.
#[must_use]
pub const fn size_bucket(count: u64) -> usize {
    let bucket = count.next_power_of_two().trailing_zeros() as usize;
    if bucket < SIZES { bucket } else { SIZES - 1 }
}

/// The bucket for a time in nanoseconds: four to an octave, so that a percentile is known to within a fifth.
#[must_use]
pub const fn latency_bucket(nanoseconds: u64) -> usize {
    let bucket = if nanoseconds < 4 {
        nanoseconds as usize
    } else {
        let octave = nanoseconds.ilog2();
        (octave as usize - 1) * 4 + ((nanoseconds >> (octave - 2)) & 3) as usize
    };
    if bucket < LATENCIES { bucket } else { LATENCIES - 1 }
}

/// The first time that is too long for `bucket`.
#[must_use]
pub const fn latency_bound(bucket: usize) -> u64 {
    if bucket < 4 { bucket as u64 + 1 } else { (5 + (bucket as u64 & 3)) << (bucket / 4 - 1) }
}

/// The time within which `share` (0 to 1) of the counted operations were done; none if none was counted.
#[must_use]
pub fn percentile(buckets: &[u64; LATENCIES], share: f64) -> Option<u64> {
    let total: u64 = buckets.iter().sum();
    let mut rank = (total as f64 * share).ceil() as u64;
    buckets.iter().enumerate().find_map(|(bucket, &count)| {
        if count > 0 && count >= rank {
            return Some(latency_bound(bucket));
        }
        rank = rank.saturating_sub(count);
        None
    })
}

impl uringaio_counters {
    /// The sum of all slots' words.
    #[must_use]
    pub fn from_words(words: &[u64; WORDS]) -> Self {
        // SAFETY: the structure is these words: it has nothing but 64-bit integers, and its size says that there is no gap.
        unsafe { core::mem::transmute_copy(words) }
    }

    /// What was counted since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let (now, then) = (self.to_words(), earlier.to_words());
        Self::from_words(&core::array::from_fn(|word| now[word].saturating_sub(then[word])))
    }

    fn to_words(self) -> [u64; WORDS] {
        // SAFETY: as in `from_words`.
        unsafe { core::mem::transmute(self) }
    }

    /// Operations in flight in the engine, by interface.
    #[must_use]
    pub fn in_flight(&self) -> [u64; INTERFACES] {
        core::array::from_fn(|interface| {
            self.by_engine[interface].iter().sum::<u64>().saturating_sub(self.engine_finished[interface])
        })
    }
}
