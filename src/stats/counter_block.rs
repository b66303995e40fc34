//! The block of counters in memory, a slot for each thread, and the ELF note by which another process finds it.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::kinds::ServedBy;
use super::layout::{self, DEVICES, LANES, LATENCIES, LAYOUT, MAGIC, SLOTS, WORDS};
use crate::host::{hash, thread};

#[repr(C)]
struct Header {
    magic: AtomicU64,
    layout: AtomicU32,
    process: AtomicU32,
    started: AtomicU64,
    serves: AtomicU32,
    observed: AtomicU32,
    version: [AtomicU64; 2],
    padding: [u64; 2],
}

#[repr(C, align(64))]
pub struct Slot {
    owner: AtomicU64,
    words: [AtomicU64; WORDS],
}

/// [`layout::Device`], as the library writes it.
#[repr(C)]
pub struct Device {
    pub number: AtomicU64,
    pub best_ns: AtomicU64,
    pub is_immediate: AtomicU64,
    pub pauses: AtomicU64,
}

/// [`layout::Block`], as the library writes it.
#[repr(C, align(64))]
pub struct Block {
    header: Header,
    slots: [Slot; SLOTS],
    latencies: [[AtomicU64; LATENCIES]; LANES],
    pub devices: [Device; DEVICES],
}

const _: () = {
    assert!(size_of::<Header>() == 64 && size_of::<layout::Header>() == 64);
    assert!(size_of::<Slot>() == size_of::<layout::Slot>());
    assert!(size_of::<Device>() == size_of::<layout::Device>());
    assert!(size_of::<Block>() == size_of::<layout::Block>());
    assert!(align_of::<Block>() == align_of::<layout::Block>());
};

/// All zeros until the first AIO call, so that it takes no room in the file.
pub static BLOCK: Block = Block {
    header: Header {
        magic: AtomicU64::new(0),
        layout: AtomicU32::new(0),
        process: AtomicU32::new(0),
        started: AtomicU64::new(0),
        serves: AtomicU32::new(0),
        observed: AtomicU32::new(0),
        version: [const { AtomicU64::new(0) }; 2],
        padding: [0; 2],
    },
    slots: [const { Slot { owner: AtomicU64::new(0), words: [const { AtomicU64::new(0) }; WORDS] } }; SLOTS],
    latencies: [const { [const { AtomicU64::new(0) }; LATENCIES] }; LANES],
    devices: [const {
        Device {
            number: AtomicU64::new(0),
            best_ns: AtomicU64::new(0),
            is_immediate: AtomicU64::new(0),
            pauses: AtomicU64::new(0),
        }
    }; DEVICES],
};

// The note: name, type, and the distance of the block. It is loaded with the library, so that a reader needs no file.
core::arch::global_asm!(
    ".pushsection .note.uringaio,\"a\",%note",
    ".balign 4",
    ".long 9, 8, {note_type}",
    ".asciz \"uringaio\"",
    ".balign 4",
    ".long {layout}",
    "0: .long {block} - 0b",
    ".popsection",
    note_type = const layout::NOTE_TYPE,
    layout = const LAYOUT,
    block = sym BLOCK,
);

impl Block {
    /// What serves ([`ServedBy`]); 0 before the first AIO call.
    pub fn serves(&self) -> u32 {
        if !has_begun(crate::host::kernel::process_id() as u32) {
            return 0;
        }
        // Relaxed, here and below unless it says otherwise: a number by itself, which publishes nothing.
        self.header.serves.load(Ordering::Relaxed)
    }
}

/// The slot that the calling thread counts in.
#[derive(Clone, Copy)]
pub struct Mine {
    slot: &'static Slot,
    /// No other thread writes there.
    is_own: bool,
}

/// The calling thread's slot. The first thread that hashes to a slot keeps it; a later thread with the same stack, and with
/// it the same thread pointer, goes on where the dead one left off. A thread that finds its slot taken counts in the last
/// slot, atomically. So no count is lost, and few words are contended. (A signal handler that submits can lose a count that
/// the thread was about to store.)
#[inline]
pub fn mine() -> Mine {
    let me = thread::pointer() as u64;
    let slot = &BLOCK.slots[hash::spread(thread::pointer() >> 6) % (SLOTS - 1)];
    let owner = slot.owner.load(Ordering::Relaxed);
    if owner == me || (owner == 0 && take(slot, me)) {
        return Mine { slot, is_own: true };
    }
    Mine { slot: &BLOCK.slots[SLOTS - 1], is_own: false }
}

#[cold]
fn take(slot: &Slot, me: u64) -> bool {
    slot.owner.compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

/// Adds to a counter.
#[inline]
pub fn add(mine: Mine, word: usize, count: u64) {
    let word = &mine.slot.words[word];
    if mine.is_own {
        word.store(word.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    } else {
        word.fetch_add(count, Ordering::Relaxed);
    }
}

/// See [`super::begin`].
pub fn begin(serves: ServedBy, process: u32, now: u64, observed: bool) {
    let header = &BLOCK.header;
    if header.process.load(Ordering::Relaxed) != process {
        // A forked child: only its first AIO call comes here, and its threads wait for that.
        for slot in &BLOCK.slots {
            slot.owner.store(0, Ordering::Relaxed);
            slot.words.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        }
        BLOCK.latencies.iter().flatten().for_each(|bucket| bucket.store(0, Ordering::Relaxed));
        BLOCK.devices.iter().for_each(|device| device.number.store(0, Ordering::Relaxed));
        header.observed.store(if observed { u32::MAX } else { 0 }, Ordering::Relaxed);
        header.started.store(now, Ordering::Relaxed);
    }
    let mut version = [0; 16];
    for (to, from) in version.iter_mut().zip(env!("CARGO_PKG_VERSION").bytes()) {
        *to = from;
    }
    let [first @ .., _, _, _, _, _, _, _, _] = version;
    let [_, _, _, _, _, _, _, _, last @ ..] = version;
    header.version[0].store(u64::from_ne_bytes(first), Ordering::Relaxed);
    header.version[1].store(u64::from_ne_bytes(last), Ordering::Relaxed);
    header.layout.store(LAYOUT, Ordering::Relaxed);
    header.serves.store(serves as u32, Ordering::Relaxed);
    header.magic.store(MAGIC, Ordering::Relaxed);
    // Release pairs with the Acquire in `has_begun`: a reader that finds the process here finds the rest.
    header.process.store(process, Ordering::Release);
}

/// Whether this process has begun to count.
pub fn has_begun(process: u32) -> bool {
    // Acquire pairs with the Release in `begin`.
    BLOCK.header.process.load(Ordering::Acquire) == process && BLOCK.header.magic.load(Ordering::Relaxed) == MAGIC
}

/// `CLOCK_MONOTONIC` of the beginning.
pub fn started() -> u64 {
    BLOCK.header.started.load(Ordering::Relaxed)
}

/// Whether the next operation is to be timed; it uses up one of those that the observer has asked for.
#[inline]
pub fn is_observed() -> bool {
    let observed = &BLOCK.header.observed;
    match observed.load(Ordering::Relaxed) {
        0 => false,
        u32::MAX => true,
        left => {
            // Two threads may use up the same one: then one more is timed.
            observed.store(left - 1, Ordering::Relaxed);
            true
        }
    }
}

/// Counts a time.
pub fn count_latency(lane: usize, bucket: usize) {
    BLOCK.latencies[lane][bucket].fetch_add(1, Ordering::Relaxed);
}

/// All slots together.
pub fn totals() -> [u64; WORDS] {
    core::array::from_fn(|word| {
        BLOCK.slots.iter().fold(0u64, |sum, slot| sum.wrapping_add(slot.words[word].load(Ordering::Relaxed)))
    })
}

/// The times of one lane.
pub fn latencies(lane: usize) -> [u64; LATENCIES] {
    core::array::from_fn(|bucket| BLOCK.latencies[lane][bucket].load(Ordering::Relaxed))
}
