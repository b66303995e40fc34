//! What the program has done that could make any thread sleep that touches its memory or its files: a library thread must
//! not, because everything else would stand still with it, and the very thread that could end the sleep might wait for it.
//!
//! All is seen when the program arranges for it, through the C library. Until then a check costs one load.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::host::kernel::{page_size, syscall};
use crate::host::seccomp;

/// Bits of [`SEEN`].
const SLOW_PAGES: u32 = 1;
const PERMISSION_EVENTS: u32 = 1 << 1;
/// File systems that are frozen at the moment, counted in the upper half.
const ONE_FROZEN: u32 = 1 << 16;

// Relaxed throughout: a program that arranges for a hazard and meets it orders the two by itself.
static SEEN: AtomicU32 = AtomicU32::new(0);

/// The program handles page faults itself (`userfaultfd(2)`), or has mapped a file of a server's: a page may be long in
/// coming.
pub fn note_slow_pages() {
    SEEN.fetch_or(SLOW_PAGES, Ordering::Relaxed);
}

/// The program decides about accesses to files (`fanotify_init(2)` with permission events).
pub fn note_permission_events() {
    SEEN.fetch_or(PERMISSION_EVENTS, Ordering::Relaxed);
}

/// The program freezes a file system (`FIFREEZE`).
pub fn note_freeze() {
    SEEN.fetch_add(ONE_FROZEN, Ordering::Relaxed);
}

/// It thaws one.
pub fn note_thaw() {
    let _ = SEEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seen| seen.checked_sub(ONE_FROZEN));
}

/// What could make a thread sleep in a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hazards(u32);

impl Hazards {
    /// At this moment.
    #[inline]
    #[must_use]
    pub fn now() -> Self {
        Self(SEEN.load(Ordering::Relaxed))
    }

    /// None at all.
    #[inline]
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether a read may need somebody's permission, who is asked by each attempt at it.
    #[must_use]
    pub const fn ask_permission(self) -> bool {
        self.0 & PERMISSION_EVENTS != 0
    }

    /// Whether a transfer between a file and these buffers may sleep for something that the program itself has to do.
    #[must_use]
    pub fn threaten(self, writes: bool, buffers: &[libc::iovec]) -> bool {
        self.ask_permission()
            || (writes && self.0 >= ONE_FROZEN)
            || (self.0 & SLOW_PAGES != 0 && !buffers.iter().all(is_present))
    }
}

/// Pages asked about by one system call.
const PAGES_AT_ONCE: usize = 64;

/// Whether every page of a buffer is known to be in memory. Beneath a filter it is not asked: mincore(2) is in none of the
/// sets of calls that service managers allow.
fn is_present(buffer: &libc::iovec) -> bool {
    if seccomp::is_active() {
        return false;
    }
    let page = page_size();
    let start = (buffer.iov_base as usize) & !(page - 1);
    let end = (buffer.iov_base as usize).saturating_add(buffer.iov_len);
    let mut at = start;
    while at < end {
        let pages = (end - at).div_ceil(page).min(PAGES_AT_ONCE);
        let mut present = [0u8; PAGES_AT_ONCE];
        // SAFETY: writes a byte for each page; an address that is not mapped is an error, and left to the transfer.
        let asked = unsafe { syscall!(libc::SYS_mincore, at, pages * page, present.as_mut_ptr()) };
        if asked.is_ok() && present[..pages].iter().any(|byte| byte & 1 == 0) {
            return false;
        }
        at += pages * page;
    }
    true
}

/// `ioctl(2)` requests that freeze and thaw a file system (linux/fs.h).
pub const FIFREEZE: u64 = 0xc004_5877;
/// See [`FIFREEZE`].
pub const FITHAW: u64 = 0xc004_5878;
