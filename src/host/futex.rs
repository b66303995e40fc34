//! Sleeping until a word changes, and waking sleepers: `futex(2)`, private to the process.

use core::sync::atomic::AtomicU32;
use core::time::Duration;

use super::kernel::{self, Errno, syscall};

/// `FUTEX2_SIZE_U32 | FUTEX2_PRIVATE`: the flags for a ring that waits on such a word.
pub const PRIVATE_U32: u32 = 0x02 | 128;

/// When a wait gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// Not at all.
    Never,
    /// At this time of `CLOCK_MONOTONIC`, in nanoseconds.
    At(u64),
}

impl Deadline {
    /// `duration` from now; never, where that is past the end of the clock.
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        match kernel::now().checked_add(nanoseconds) {
            Some(at) if at <= FAR => Self::At(at),
            _ => Self::Never,
        }
    }

    /// The earlier of two.
    #[must_use]
    pub fn sooner(self, other: Self) -> Self {
        if self.nanoseconds() <= other.nanoseconds() { self } else { other }
    }

    /// Whether it has come.
    #[must_use]
    pub fn is_over(self) -> bool {
        self.left() == Some(0)
    }

    /// Nanoseconds until then; none for never.
    #[must_use]
    pub fn left(self) -> Option<u64> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at.saturating_sub(kernel::now())),
        }
    }

    fn nanoseconds(self) -> u64 {
        match self {
            Self::Never => FAR,
            Self::At(at) => at.min(FAR),
        }
    }

    /// As the kernel takes it. `Never` is 290 years from the clock's beginning: a wait with a time limit returns
    /// `EINTR` after any signal handler, and one without is started again after handlers with `SA_RESTART`.
    #[must_use]
    pub fn timespec(self) -> libc::timespec {
        let at = self.nanoseconds();
        libc::timespec { tv_sec: (at / 1_000_000_000) as _, tv_nsec: (at % 1_000_000_000) as _ }
    }
}

const FAR: u64 = i64::MAX as u64;

/// Sleeps while `word` is `expected`, until woken or `deadline`.
///
/// Async-signal-safe.
///
/// # Errors
/// `EAGAIN`: the word was not `expected`; `ETIMEDOUT`; `EINTR`: a signal handler ran, with or without `SA_RESTART`.
pub fn wait(word: &AtomicU32, expected: u32, deadline: Deadline) -> Result<(), Errno> {
    let until = deadline.timespec();
    // SAFETY: the word is alive for the call, and so is the time.
    unsafe {
        syscall!(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG,
            expected,
            &raw const until,
            0,
            u32::MAX
        )
    }
    .map(drop)
}

/// As [`wait`], but goes on after handlers with `SA_RESTART`, with and without a deadline (futex_waitv(2), Linux 5.16; before,
/// it is the same).
///
/// Async-signal-safe.
///
/// # Errors
/// As [`wait`]; `EINTR`: a signal handler without `SA_RESTART` ran.
pub fn wait_restarting(word: &AtomicU32, expected: u32, deadline: Deadline) -> Result<(), Errno> {
    /// `struct futex_waitv` (linux/futex.h)
    #[repr(C)]
    struct Waiter {
        expected: u64,
        word: u64,
        flags: u32,
        reserved: u32,
    }
    let waiter =
        Waiter { expected: expected.into(), word: word.as_ptr().addr() as u64, flags: PRIVATE_U32, reserved: 0 };
    let until = deadline.timespec();
    // SAFETY: the word is alive for the call, and so are what names it and the time.
    let waited =
        unsafe { syscall!(libc::SYS_futex_waitv, &raw const waiter, 1, 0, &raw const until, libc::CLOCK_MONOTONIC) };
    match waited {
        Err(Errno(libc::ENOSYS | libc::EPERM)) => wait(word, expected, deadline),
        waited => waited.map(drop),
    }
}

/// Wakes up to `count` threads that sleep on the word at `address`.
///
/// The address is only a key: to wake, the kernel does not read the word of a private futex, so the memory may be gone.
/// A sleeper must expect wakes that were meant for another word at the same address.
pub fn wake(address: *const AtomicU32, count: u32) {
    // SAFETY: FUTEX_WAKE does not access the memory.
    let _ = unsafe {
        syscall!(libc::SYS_futex, address, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, count.min(i32::MAX as u32))
    };
}

/// Wakes all threads that sleep on the word at `address`.
pub fn wake_all(address: *const AtomicU32) {
    wake(address, u32::MAX);
}

/// Sleeps for 50 µs or little more, so that another thread can run. Unlike `sched_yield` it also lets threads of lower
/// priority run.
pub fn sleep_50us() {
    static NEVER_WOKEN: AtomicU32 = AtomicU32::new(0);
    let _ = wait(&NEVER_WOKEN, 0, Deadline::after(Duration::from_micros(50)));
}

/// Sleeps for a millisecond.
pub fn sleep_1ms() {
    let never_woken = AtomicU32::new(0);
    let _ = wait(&never_woken, 0, Deadline::after(Duration::from_millis(1)));
}
