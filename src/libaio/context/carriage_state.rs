//! Which side carries the requests of a context: the library, or the kernel's own AIO ([`crate::libaio::carriage`] decides).

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use crate::host::futex::{self, Deadline};
use crate::host::{seccomp, settings};

// The values of `Carriage::carrier`.
const LIBRARY: u32 = 0;
/// A thread is handing the context over.
const CHANGING: u32 = 1;
const KERNEL: u32 = 2;

/// `O_DIRECT` requests in a row after which a context that has had buffered reads may be handed over.
const DIRECT_IN_A_ROW: u32 = 64;

/// How long a call waits while another thread hands the context over.
const CHANGE_WAIT_MS: u64 = 1_000;

/// In [`Carriage::to_come`]: the context stays with the library.
const NEVER: u32 = u32::MAX;

/// Which side carries a context.
pub struct Carriage {
    carrier: AtomicU32,
    /// `O_DIRECT` requests to come before the context may be handed over, or [`NEVER`]. Relaxed throughout: an estimate.
    to_come: AtomicU32,
    /// How often the program had set a seccomp filter when the context was made.
    filters: AtomicU32,
}

impl Carriage {
    /// The library does.
    pub const fn new() -> Self {
        Self { carrier: AtomicU32::new(LIBRARY), to_come: AtomicU32::new(0), filters: AtomicU32::new(0) }
    }

    /// The same, of a context that is not in use.
    pub fn reset(&self) {
        self.carrier.store(LIBRARY, Ordering::Relaxed);
        let settings = settings::get();
        // The kernel's AIO does in the caller what a device cannot be asked to do without waiting.
        let to_come = if settings.kernel_aio && settings.inline { 0 } else { NEVER };
        self.to_come.store(to_come, Ordering::Relaxed);
        self.filters.store(seccomp::times_set(), Ordering::Relaxed);
    }

    /// Whether the program has set a seccomp filter since it made the context: it may forbid what making one takes.
    pub fn is_filtered(&self) -> bool {
        seccomp::times_set() != self.filters.load(Ordering::Relaxed)
    }

    /// Whether the kernel carries the context.
    #[inline]
    pub fn is_kernels(&self) -> bool {
        // SeqCst pairs with `begin_change`: that thread sees this call among the context's users, or this call sees the change.
        match self.carrier.load(Ordering::SeqCst) {
            LIBRARY => false,
            KERNEL => true,
            _ => self.await_change(),
        }
    }

    /// Whether the kernel carries the context, and will to its end.
    #[inline]
    pub fn was_handed_over(&self) -> bool {
        // Acquire pairs with the Release in `end_change`: the kernel's ring is in place.
        self.carrier.load(Ordering::Acquire) == KERNEL
    }

    /// Waits for another thread's change, with an end: that thread may be stopped in the middle of it.
    #[cold]
    fn await_change(&self) -> bool {
        let deadline = Deadline::after(Duration::from_millis(CHANGE_WAIT_MS));
        // Acquire pairs with the Release in `end_change`.
        while self.carrier.load(Ordering::Acquire) == CHANGING && !deadline.is_over() {
            let _ = futex::wait(&self.carrier, CHANGING, deadline);
        }
        self.carrier.load(Ordering::Acquire) == KERNEL
    }

    /// A buffered read was not in the page cache. The library does such reads side by side, the kernel one after another.
    #[cold]
    pub fn note_uncached_read(&self) {
        if self.to_come.load(Ordering::Relaxed) != NEVER {
            self.to_come.store(DIRECT_IN_A_ROW, Ordering::Relaxed);
        }
    }

    /// Counts an `O_DIRECT` request. True: the context may be handed over now.
    #[inline]
    pub fn may_hand_over(&self) -> bool {
        match self.to_come.load(Ordering::Relaxed) {
            0 => true,
            NEVER => false,
            to_come => {
                self.to_come.store(to_come - 1, Ordering::Relaxed);
                false
            }
        }
    }

    /// Whether the context need not stay with the library.
    pub fn may_ever_hand_over(&self) -> bool {
        self.to_come.load(Ordering::Relaxed) != NEVER
    }

    /// Begins to hand the context over. False: another thread does, or has.
    pub fn begin_change(&self) -> bool {
        // SeqCst pairs with `is_kernels`.
        self.carrier.compare_exchange(LIBRARY, CHANGING, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Ends what [`Carriage::begin_change`] began.
    pub fn end_change(&self, to_kernel: bool) {
        // Release pairs with the Acquire in `await_change`, and with `is_kernels`: the kernel's ring is in place.
        self.carrier.store(if to_kernel { KERNEL } else { LIBRARY }, Ordering::Release);
        futex::wake_all(&raw const self.carrier);
    }

    /// The context stays with the library: the kernel has refused it.
    pub fn stay(&self) {
        self.to_come.store(NEVER, Ordering::Relaxed);
    }
}
