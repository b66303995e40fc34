//! Private rings: a ring of a program's own thread, for what that thread submits and waits for itself.
//!
//! The way over the engine's thread costs a request two changes of thread. A thread that both submits and reaps can do
//! without: it hands its requests to a ring of its own and sleeps in it, two system calls as with the kernel's AIO. The
//! ring leaves the rest of the thread in peace: its completions wait until the thread enters it (see [`super::bare`]), so no
//! `epoll_wait` ends with `EINTR`.
//!
//! The other side of that coin: nothing completes while the thread stays away. So a face uses the ring only for a thread
//! that has shown that it comes back ([`Proof`]), for I/O that ends by itself (`O_DIRECT` on files and block devices), and where nobody
//! is to be notified. And should such a thread change its ways, it is fetched: see `rescue` and `watch`.

mod absence;
mod batch;
mod desk;
mod lending;
mod parts;
mod proof;
mod rescue;
mod ring;
mod watch;

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::time::Duration;

use io_uring::opcode;
use io_uring::register::Restriction;

pub use batch::Batch;
pub use lending::{Handed, settle as settle_desks};
pub use parts::On;
use parts::{Parts, Slots};
pub use proof::Proof;
use rescue::Alarm;
pub use ring::Ring;
pub use watch::{look, pause};

use super::bare::{Bare, Room};
use super::inbox;
use super::{Carrier, started};
use crate::host::ending::AtThreadEnd;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::{self, Errno};
use crate::host::memory::{boxed, try_box};
use crate::host::process::PerProcess;
use crate::host::settings::{self, Private};
use crate::host::thread;

/// Threads that can have a ring at the same time.
const RINGS: usize = 64;

/// How far a thread looks for a free place.
const PROBES: usize = 8;

/// Entries that can be filled before the kernel has to be called.
const SUBMISSIONS: u32 = 256;

/// Completions that fit: also the most that is under way, so that none can overflow. A ring is narrow at first, and made
/// anew, up to the width given, when that does not do: the kernel holds its memory as long as it exists, and counts it
/// (`RLIMIT_MEMLOCK`).
const NARROW: u32 = 1024;
const WIDE: u32 = 16_384;

/// Threads that the kernel may run for a ring, for files and for the rest.
const WORKERS: [u32; 2] = [16, 1];

/// How often in vain a ring is asked for before nobody asks again.
const PATIENCE: u32 = 8;

static TABLE: PerProcess<Table> = PerProcess::new(3);

/// The rings of this process. A forked child has none.
struct Table {
    /// The process: a child of `vfork` has our memory, but not our threads, and can reach no ring.
    process: i32,
    rings: [Ring; RINGS],
    /// No more rings: the kernel does not give them, or somebody is about to forbid them.
    closed: AtomicBool,
    failures: AtomicU32,
    /// Threads are being made reachable.
    reaching: AtomicBool,
    /// The engine's thread looks after the rings; and after desks that were left open.
    watched: AtomicBool,
    desks_watched: AtomicBool,
    /// What it saw, ring by ring.
    seen: [watch::Seen; RINGS],
    desks_seen: [lending::Seen; RINGS],
}

impl Table {
    fn new() -> Self {
        Self {
            process: kernel::process_id(),
            rings: [const { Ring::new() }; RINGS],
            closed: AtomicBool::new(false),
            failures: AtomicU32::new(0),
            reaching: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            desks_watched: AtomicBool::new(false),
            desks_seen: [const { lending::Seen::new() }; RINGS],
            seen: [const { watch::Seen::new() }; RINGS],
        }
    }

    /// Whether the caller is in the process that the rings are of.
    fn is_ours(&self) -> bool {
        self.process == kernel::process_id()
    }

    /// Where a thread's ring may be.
    fn places(&self, thread: usize) -> impl Iterator<Item = &Ring> {
        let first = (thread >> 6).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        (first..first + PROBES).map(|place| &self.rings[place % RINGS])
    }
}

/// The calling thread's ring, if it has one. Async-signal-safe.
#[inline]
#[must_use]
pub fn mine() -> Option<&'static Ring> {
    let me = thread::pointer();
    let ring = of(me)?;
    if ptr::eq(PLACE.get(), ring) {
        return Some(ring);
    }
    ring.outlive(me);
    None
}

std::thread_local! {
    /// The thread's place, or one that it has tried to take. A thread that ends by the system call alone keeps its place, and
    /// leaves its thread pointer to another, which begins with nothing here. (The C library may make this memory at its first
    /// use, which is no matter for a handler: there a thread looks that has taken a place.)
    static PLACE: Cell<*const Ring> = const { Cell::new(ptr::null()) };
}

/// The ring of a thread, if it has one. Async-signal-safe.
#[inline]
#[must_use]
pub fn of(thread: usize) -> Option<&'static Ring> {
    TABLE.get()?.places(thread).find(|ring| ring.belongs_to(thread))
}

/// The calling thread's place for a ring, with or without one; nothing where there shall be none, or is no room.
#[must_use]
pub fn place() -> Option<&'static Ring> {
    if let Some(ring) = mine() {
        return Some(ring);
    }
    if settings::get().private == Private::Off || started()?.carrier() != Carrier::Uring {
        return None;
    }
    let table = TABLE.get_or_init(|| boxed(Table::new())).ok()?;
    // Relaxed: whoever closes the table looks for rings afterwards, and takes part in what they do.
    if table.closed.load(Ordering::Relaxed) || !table.is_ours() || !rescue::install(&table.reaching) {
        return None;
    }
    let me = thread::pointer();
    // What threads left behind that could not say that they end.
    table.places(me).for_each(Ring::clear_away);
    let ring = table.places(me).find(|ring| {
        // First, for a handler that comes in between.
        PLACE.set(ptr::from_ref(*ring));
        ring.take_place(me)
    })?;
    // A handler that came in between may have taken one, and have something under way there.
    if let Some(earlier) = table.places(me).find(|other| other.belongs_to(me) && !ptr::eq(*other, ring)) {
        ring.leave_place();
        return Some(earlier);
    }
    if ENDING.hold(ptr::from_ref(ring).cast_mut().cast()) {
        return Some(ring);
    }
    ring.leave_place();
    None
}

/// The calling thread's ring, made if it has none; nothing where it cannot be had, or should not.
#[inline]
#[must_use]
pub fn open() -> Option<&'static Ring> {
    let ring = place()?;
    if ring.is_in_use() || (!ring.is_retired() && fill(ring)) { Some(ring) } else { None }
}

/// Makes the ring of the calling thread, in its place.
#[cold]
fn fill(ring: &Ring) -> bool {
    let Some(table) = TABLE.get() else { return false };
    // A handler that interrupts this does without.
    if table.closed.load(Ordering::Relaxed) || !ring.begin_making() {
        return false;
    }
    let made = make(NARROW);
    let is_made = made.is_ok();
    if let Ok(parts) = made {
        ring.begin_use(parts);
    } else {
        ring.retire();
        if table.failures.fetch_add(1, Ordering::Relaxed) >= PATIENCE {
            table.closed.store(true, Ordering::Relaxed);
        }
    }
    ring.end_making();
    is_made
}

/// What is to be done when a thread with a ring ends.
static ENDING: AtThreadEnd = AtThreadEnd::new(thread_ends);

unsafe extern "C" fn thread_ends(ring: *mut c_void) {
    // SAFETY: `open` passed a ring, and rings are never freed. In a child of a fork it is its parent's, and left alone.
    if let Some(ring) = unsafe { ring.cast::<Ring>().as_ref::<'static>() }
        && is_mine(ring)
    {
        ring.end_use();
    }
}

fn make(completions: u32) -> Result<Box<Parts>, Errno> {
    let (slots, alarm) = (Slots::new(completions)?, Alarm::new()?);
    let room = Room::new(SUBMISSIONS, completions)?;
    let bare = narrow(&room)?;
    try_box(Parts::new(bare, room, slots, alarm)).map_err(|parts| {
        // SAFETY: made by this thread.
        unsafe { parts.bare.end() };
        Errno(libc::ENOMEM)
    })
}

/// A ring that takes what we use and nothing else, ever.
fn narrow(room: &Room) -> Result<Bare, Errno> {
    const RESTRICTIONS: u32 = 11;
    const IOWQ_MAX_WORKERS: u32 = 19;
    const UNREGISTER_RING_FDS: u8 = 21;
    let bare = Bare::new(room)?;
    let mut workers = WORKERS;
    let list = [
        Restriction::sqe_op(opcode::Read::CODE),
        Restriction::sqe_op(opcode::Write::CODE),
        Restriction::sqe_op(opcode::Readv::CODE),
        Restriction::sqe_op(opcode::Writev::CODE),
        Restriction::sqe_op(opcode::FutexWait::CODE),
        Restriction::register_op(UNREGISTER_RING_FDS),
    ];
    // SAFETY: each call reads, or changes, an array of the length given.
    let narrowed = unsafe {
        bare.register(IOWQ_MAX_WORKERS, workers.as_mut_ptr().cast(), workers.len() as u32)
            .and_then(|_| bare.register(RESTRICTIONS, list.as_ptr().cast(), list.len() as u32))
            .and_then(|_| bare.enable())
    };
    if let Err(errno) = narrowed {
        // SAFETY: made by this thread.
        unsafe { bare.end() };
        return Err(errno);
    }
    Ok(bare)
}

/// Returns when no ring has anything under way that was submitted before, and is meant; each thread that has is fetched. For
/// whoever must know that earlier I/O has ended, and is rarely called: a change of flags, a sync, a cancellation.
pub fn settle(what: On) {
    let Some(table) = TABLE.get().filter(|table| table.is_ours()) else { return };
    for ring in &table.rings {
        if ring.is_busy_on(what) {
            fetch(ring);
        }
    }
}

/// Whether any ring has something under way.
#[must_use]
pub fn is_anything_under_way() -> bool {
    TABLE.get().is_some_and(|table| table.rings.iter().any(|ring| ring.in_flight() > 0))
}

/// Whether the rings are of the caller's process.
fn are_ours() -> bool {
    TABLE.get().is_some_and(Table::is_ours)
}

/// Whether it is the calling thread's.
fn is_mine(ring: &Ring) -> bool {
    mine().is_some_and(|mine| ptr::eq(mine, ring))
}

/// Returns when the ring has nothing under way. False: that cannot be had here. What the calling thread has in hand itself, in
/// a call that this one has interrupted, it would wait for in vain; and a child of `vfork` reaches no thread of its parent's.
pub fn fetch(ring: &'static Ring) -> bool {
    if !are_ours() {
        return false;
    }
    if is_mine(ring) {
        ring.finish_all();
        return ring.in_flight() == 0;
    }
    rescue::fetch(ring);
    true
}

/// No thread gets a ring from here on, and none has anything under way in one: system calls that they need are about to be
/// taken away.
pub fn close_all() {
    let Some(table) = TABLE.get().filter(|table| table.is_ours()) else { return };
    table.closed.store(true, Ordering::SeqCst);
    for ring in &table.rings {
        ring.retire();
    }
    settle_desks();
    // A thread that has not seen that is at most in the midst of a batch by now.
    if table.rings.iter().any(Ring::is_alive) {
        futex::nap();
    }
    let me = thread::pointer();
    let end = Deadline::after(Duration::from_secs(1));
    while end.left() != Some(0) && table.rings.iter().any(|ring| ring.is_busy() && !ring.belongs_to(me)) {
        futex::nap();
    }
    settle(On::Anything);
}
