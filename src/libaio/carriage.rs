//! Who carries the requests of a context: the library, or from some point on the kernel's own AIO.
//!
//! On `O_DIRECT` files the kernel's AIO is as good as it gets: it submits in the caller, pins the buffers there, looks the
//! descriptor up in the caller's table and with the caller's rights, completes by an interrupt that writes the event into
//! the ring in memory and signals the eventfd, without any thread. No second thread can be as near. So a context that begins
//! with such requests is handed to it: a ring of the kernel's own, of the same size, is moved onto the address that the
//! program knows (`mremap` with `MREMAP_FIXED` replaces the one by the other in one step), at a moment when nothing is in
//! flight and the ring is empty. From then on every call on the context passes through, as if the library were not there.
//!
//! What the kernel's AIO does badly, buffered reads one after another inside `io_submit`, stays with the library: a context
//! that has had such reads is not handed over before it has shown that it needs the other more.
//!
//! The kernel takes what it needs for a context out of `fs.aio-max-nr`. Where that is used up, or the kernel has no AIO, the
//! engines carry everything (`URINGAIO_KERNEL_AIO=off` asks for that).

use core::sync::atomic::{AtomicU32, Ordering};

use super::context::Used;
use super::event_ring;
use super::kernel_aio;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::{Errno, syscall};
use crate::host::settings;
use crate::host::thread;

use core::time::Duration;

const LIBRARY: u32 = 0;
/// It is just being handed over.
const CHANGING: u32 = 1;
const KERNEL: u32 = 2;

/// `O_DIRECT` requests in a row after which a context with buffered reads behind it may be handed over.
const DIRECT_IN_A_ROW: u32 = 64;

/// How long another thread's handing over is waited for.
const CHANGE_WAIT_MS: u64 = 1_000;

/// Who carries a context.
pub struct Carriage {
    carrier: AtomicU32,
    /// `O_DIRECT` requests to come before the context may be handed over; [`NEVER`].
    to_come: AtomicU32,
}

const NEVER: u32 = u32::MAX;

impl Carriage {
    /// The library.
    pub const fn new() -> Self {
        Self { carrier: AtomicU32::new(LIBRARY), to_come: AtomicU32::new(0) }
    }

    /// The same, of a context that nobody uses.
    pub fn reset(&self) {
        self.carrier.store(LIBRARY, Ordering::Relaxed);
        let settings = settings::get();
        // The kernel's AIO does in the caller what a device cannot be asked to do without waiting.
        let to_come = if settings.kernel_aio && settings.inline { 0 } else { NEVER };
        self.to_come.store(to_come, Ordering::Relaxed);
    }

    /// Whether the kernel carries the context.
    #[inline]
    pub fn is_kernels(&self) -> bool {
        // SeqCst pairs with `try_hand_over`: it sees this call, or this call sees the change.
        match self.carrier.load(Ordering::SeqCst) {
            LIBRARY => false,
            KERNEL => true,
            _ => self.await_change(),
        }
    }

    /// A thread that is stopped in the midst of a change is not waited for without end.
    #[cold]
    fn await_change(&self) -> bool {
        let deadline = Deadline::after(Duration::from_millis(CHANGE_WAIT_MS));
        while self.carrier.load(Ordering::Acquire) == CHANGING && !deadline.is_over() {
            let _ = futex::wait(&self.carrier, CHANGING, deadline);
        }
        self.carrier.load(Ordering::Acquire) == KERNEL
    }

    /// A buffered read was not in the page cache: the library reads such side by side, the kernel one after another.
    #[cold]
    pub fn note_uncached_read(&self) {
        if self.to_come.load(Ordering::Relaxed) != NEVER {
            self.to_come.store(DIRECT_IN_A_ROW, Ordering::Relaxed);
        }
    }
}

/// The calling thread is about to submit a request on an `O_DIRECT` file. Whether the kernel carries the context from here
/// on.
#[inline]
pub fn hand_over(used: &Used) -> bool {
    let carriage = &used.carriage;
    match carriage.to_come.load(Ordering::Relaxed) {
        0 => try_hand_over(used),
        NEVER => false,
        to_come => {
            carriage.to_come.store(to_come - 1, Ordering::Relaxed);
            false
        }
    }
}

#[cold]
fn try_hand_over(used: &Used) -> bool {
    if !used.is_idle() || !used.is_empty() {
        return false;
    }
    let carriage = &used.carriage;
    // No handler leaves this half-way.
    let blocked = thread::block_all_departures();
    // Acquire pairs with the Release below.
    let is_ours = carriage.carrier.compare_exchange(LIBRARY, CHANGING, Ordering::SeqCst, Ordering::SeqCst).is_ok();
    let mut is_kernels = false;
    if is_ours {
        // A call that began before looks at the carrier no more: it must not find another ring under it.
        if used.is_used_alone() && used.is_idle() && used.is_empty() {
            is_kernels = put_kernels_ring(used).is_ok();
            if !is_kernels {
                carriage.to_come.store(NEVER, Ordering::Relaxed);
            }
        }
        carriage.carrier.store(if is_kernels { KERNEL } else { LIBRARY }, Ordering::Release);
        futex::wake_all(&raw const carriage.carrier);
        if is_kernels {
            // Who sleeps until the library has events waits in the kernel from here on.
            used.wake_all();
        }
    }
    thread::restore_signals(&blocked);
    is_kernels
}

/// Makes a context of the kernel's and moves its ring onto the one at the address that the program knows.
fn put_kernels_ring(used: &Used) -> Result<(), Errno> {
    let mut kernels: usize = 0;
    kernel_aio::set_up(used.requested.load(Ordering::Relaxed), (&raw mut kernels).addr())?;
    let (nr, length) = (used.ring().nr(), used.ring().length());
    // SAFETY: the kernel has just mapped its ring there.
    let is_alike = unsafe { event_ring::has_size(kernels, nr) };
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    let moved = if is_alike {
        // SAFETY: both mappings are the library's or the kernel's for this context; the program may read the one throughout,
        // and finds an empty ring before and after.
        unsafe { syscall!(libc::SYS_mremap, kernels, length, length, flags, used.address()) }
    } else {
        Err(Errno(libc::EINVAL))
    };
    moved.map(drop).inspect_err(|_| {
        let _ = kernel_aio::destroy(kernels);
    })
}
