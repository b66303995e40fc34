//! Changes of the program's descriptors, as far as they are seen: before a number is closed or given to another file,
//! the kernel gets what was submitted on it.
//!
//! The calls that do so are interposed by name ([`crate::interpose`]) and, where they are made as `syscall(…)`, by
//! number. What the C library closes by itself is not seen; the program has no I/O on such numbers.

use core::ffi::c_int;
use core::sync::atomic::{AtomicU32, Ordering, fence};
use core::time::Duration;

use once_cell::race::OnceRef;

use super::file_info;
use super::futex::{self, Deadline};
use super::kernel;

const COUNTERS: usize = 4096;

/// How often a number was seen to be closed. Numbers share counters: one that counts too often does no harm.
static CLOSED: [AtomicU32; COUNTERS] = [const { AtomicU32::new(0) }; COUNTERS];

/// How often flags of an open file were seen to be changed, by number, with shared counters as well.
static FLAGS: [AtomicU32; COUNTERS] = [const { AtomicU32::new(0) }; COUNTERS];

/// How often a range of numbers was seen to be closed that has numbers of so many binary digits.
static RANGES: [AtomicU32; DIGITS] = [const { AtomicU32::new(0) }; DIGITS];

const DIGITS: usize = u32::BITS as usize + 1;

/// How many files the engine keeps open for each number, with shared counters as well.
static KEPT: [AtomicU32; COUNTERS] = [const { AtomicU32::new(0) }; COUNTERS];

/// How many it keeps open for all numbers.
static ALL_KEPT: AtomicU32 = AtomicU32::new(0);

/// What the engine does before a change of a descriptor. The functions must be async-signal-safe, as `close` is.
pub struct Hooks {
    /// Called before every change: returns when the kernel has what was submitted before.
    pub settle: fn(),
    /// Called before a change of flags on which operations under way depend.
    pub drain: fn(c_int),
    /// Called before a descriptor is closed for which a file is kept open ([`note_kept`]); with -1 for all.
    pub let_go: fn(c_int),
}

static HOOKS: OnceRef<Hooks> = OnceRef::new();

/// Changes whenever `fd` is seen to be closed or replaced. Between two equal results it names the same file; between two
/// different ones it may, too, since numbers share counters.
#[must_use]
pub fn generation(fd: c_int) -> u32 {
    // Relaxed: a program that submits on a number while it closes it has a race of its own; where it orders the two,
    // its own synchronisation and the inbox's order these as well.
    let ranges = &RANGES[digits(fd as u32)];
    counter(&CLOSED, fd).load(Ordering::Relaxed).wrapping_add(ranges.load(Ordering::Relaxed))
}

/// Changes like [`generation`], and also when the flags of `fd` are seen to be changed.
#[must_use]
pub fn flags_generation(fd: c_int) -> u32 {
    generation(fd).wrapping_add(counter(&FLAGS, fd).load(Ordering::Relaxed))
}

/// From here on the hooks are called. There is one set of them.
pub fn set_hooks(hooks: &'static Hooks) {
    let _ = HOOKS.set(hooks);
}

/// The engine keeps a file open as long as the program has `fd`, or does so no longer. SeqCst: a thread that closes the
/// number afterwards, by whatever order, sees it.
pub fn note_kept(fd: c_int, is_kept: bool) {
    let change = if is_kept { 1 } else { u32::MAX };
    counter(&KEPT, fd).fetch_add(change, Ordering::SeqCst);
    ALL_KEPT.fetch_add(change, Ordering::SeqCst);
}

/// Has the engine let go of what it keeps for `fd`, or for all with -1, if `kept` counts something.
fn let_go(kept: &AtomicU32, fd: c_int) {
    if kept.load(Ordering::SeqCst) != 0
        && let Some(hooks) = HOOKS.get()
    {
        (hooks.let_go)(fd);
    }
}

/// Must be called before `fd` is closed or replaced.
pub fn before_close(fd: c_int) {
    settle();
    let_go(counter(&KEPT, fd), fd);
    note_closed(fd);
    await_unused(|used| used == fd);
}

/// From here on the number is not what it was.
pub fn note_closed(fd: c_int) {
    counter(&CLOSED, fd).fetch_add(1, Ordering::Relaxed);
}

/// The process in which descriptors are being copied at this moment; 0: none.
static COPYING: AtomicU32 = AtomicU32::new(0);

/// How long a close waits for that.
const COPY_WAIT_MS: u64 = 2_000;

/// While this lives the library's table of descriptors may hold copies of the program's, which are about to be closed.
pub struct Copying(());

impl Copying {
    /// Before the first copy.
    #[must_use]
    pub fn begin() -> Self {
        // SeqCst pairs with `await_copied`: a close that comes too late to keep a file from being copied sees this.
        COPYING.store(kernel::process_id() as u32, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        COPYING.store(0, Ordering::SeqCst);
        futex::wake_all(&raw const COPYING);
    }
}

/// Returns when no copy is left of what was just closed.
fn await_copied() {
    let copying = COPYING.load(Ordering::SeqCst);
    // A child that was forked meanwhile has the mark, and no copies.
    if copying == 0 || copying != kernel::process_id() as u32 {
        return;
    }
    let deadline = Deadline::after(Duration::from_millis(COPY_WAIT_MS));
    while COPYING.load(Ordering::SeqCst) == copying && !deadline.is_over() {
        let _ = futex::wait(&COPYING, copying, deadline);
    }
}

/// Must be called after `fd` was closed or replaced. The engine may have begun to keep its file just before.
pub fn after_close(fd: c_int) {
    await_copied();
    let_go(counter(&KEPT, fd), fd);
    after_change(fd);
}

/// Must be called after a range of descriptors was closed.
pub fn after_closing_many() {
    await_copied();
    let_go(&ALL_KEPT, -1);
}

/// Must be called after `fd` was replaced or its flags were changed: what was learnt of it meanwhile is out of date.
pub fn after_change(fd: c_int) {
    // Release: a thread that sees the new count and looks the descriptor up finds the file as it is now.
    counter(&FLAGS, fd).fetch_add(1, Ordering::Release);
}

/// Must be called before the descriptors from `first` to `last` are closed.
pub fn before_closing_many(first: u32, last: u32) {
    settle();
    let_go(&ALL_KEPT, -1);
    for closed in &RANGES[digits(first)..=digits(last).max(digits(first))] {
        closed.fetch_add(1, Ordering::Relaxed);
    }
    await_unused(|used| (first..=last).contains(&(used as u32)));
}

const fn digits(number: u32) -> usize {
    (u32::BITS - number.leading_zeros()) as usize
}

/// Must be called before the flags of the open file behind `fd` become `flags`. The kernel may look at the flags again
/// when it tries an operation a second time, so operations under way on `fd` are waited for where the change concerns
/// them.
pub fn before_flags_change(fd: c_int, flags: c_int) {
    if let Some(hooks) = HOOKS.get()
        && let Ok(info) = file_info::info(fd)
        && info.is_seekable()
        && (info.flags ^ flags) & (libc::O_APPEND | libc::O_DIRECT) != 0
    {
        (hooks.drain)(fd);
    } else {
        settle();
    }
    counter(&FLAGS, fd).fetch_add(1, Ordering::Relaxed);
}

/// Returns when the kernel has what was submitted before.
pub fn settle() {
    if let Some(hooks) = HOOKS.get() {
        (hooks.settle)();
    }
}

/// Descriptors that calls are writing to by number at this moment, each with one added; 0: none. One cache line.
static USED: [AtomicU32; USED_SLOTS] = [const { AtomicU32::new(0) }; USED_SLOTS];

const USED_SLOTS: usize = 16;

/// How long a close waits for such a call, 50 µs at a time: a signal handler may have left it by a jump.
const USED_LOOKS: u32 = 200;

/// Does `work` with `fd` if it was not closed since its [`generation`] was asked for. A close that comes meanwhile
/// waits until it is done, so that the number is not another file's.
pub fn while_open(fd: c_int, known: u32, work: impl FnOnce()) {
    let mark = (fd as u32).wrapping_add(1);
    // SeqCst here and below pairs with `await_unused`: either it finds the mark, or the number is seen to be closed
    // here.
    let takes = |slot: &&AtomicU32| slot.compare_exchange(0, mark, Ordering::SeqCst, Ordering::Relaxed).is_ok();
    let slot = USED.iter().find(takes);
    fence(Ordering::SeqCst);
    if generation(fd) == known {
        work();
    }
    if let Some(slot) = slot {
        // Fails where a close has waited for too long. Release pairs with the Acquire of `await_unused`.
        let _ = slot.compare_exchange(mark, 0, Ordering::Release, Ordering::Relaxed);
    }
}

/// Returns when no call is writing to a descriptor that `is_meant`, which was just noted as closed.
fn await_unused(is_meant: impl Fn(c_int) -> bool) {
    fence(Ordering::SeqCst);
    for slot in &USED {
        let mut looks = 0;
        loop {
            let mark = slot.load(Ordering::Acquire);
            if mark == 0 || !is_meant(mark.wrapping_sub(1) as c_int) {
                break;
            }
            if looks == USED_LOOKS {
                // The call was left.
                let _ = slot.compare_exchange(mark, 0, Ordering::Relaxed, Ordering::Relaxed);
                break;
            }
            looks += 1;
            futex::sleep_50us();
        }
    }
}

fn counter(of: &'static [AtomicU32; COUNTERS], fd: c_int) -> &'static AtomicU32 {
    &of[fd as usize % COUNTERS]
}
