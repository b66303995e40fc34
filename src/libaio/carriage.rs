//! Handing a context over to the kernel's own AIO.
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

use core::sync::atomic::Ordering;

use super::context::ContextRef;
use super::kernel_aio;
use super::ring::layout::HeaderCopy;
use crate::host::kernel::{Errno, syscall};
use crate::host::thread;

/// The calling thread has descriptors or rights of its own, and is about to submit. Whether the kernel, which knows them,
/// carries the context from here on.
#[cold]
pub fn hand_over_for_separate(context: &ContextRef) -> bool {
    context.carriage.may_ever_hand_over() && try_hand_over(context)
}

/// The calling thread is about to submit a request on an `O_DIRECT` file. Whether the kernel carries the context from here
/// on.
#[inline]
pub fn hand_over(context: &ContextRef) -> bool {
    context.carriage.may_hand_over() && try_hand_over(context)
}

#[cold]
fn try_hand_over(context: &ContextRef) -> bool {
    if !context.is_idle() || !context.may_begin_anew() {
        return false;
    }
    let carriage = &context.carriage;
    // No signal handler leaves this half-way.
    let blocked = thread::block_all_departures();
    let mut is_kernels = false;
    if carriage.begin_change() {
        // A call that began earlier, perhaps one that this call's signal handler has interrupted, does not look at the carrier
        // again: it must not find another ring under it.
        if context.is_only_call() && context.is_idle() && context.may_begin_anew() {
            is_kernels = put_kernels_ring(context).is_ok();
            if !is_kernels {
                carriage.stay();
            }
        }
        carriage.end_change(is_kernels);
        if is_kernels {
            // Threads that sleep until the library has events wait in the kernel from here on.
            context.wake_all();
        }
    }
    thread::restore_signals(blocked);
    is_kernels
}

/// Makes a context of the kernel's and moves its ring onto the one at the address that the program knows.
fn put_kernels_ring(context: &ContextRef) -> Result<(), Errno> {
    if context.carriage.is_filtered() && !kernel_aio::may_set_up() {
        return Err(Errno(libc::EPERM));
    }
    let mut kernels: usize = 0;
    kernel_aio::set_up(context.requested.load(Ordering::Relaxed), (&raw mut kernels).addr())?;
    let (nr, length) = (context.ring().nr(), context.ring().length());
    // SAFETY: the kernel has just mapped its ring there.
    let is_alike = unsafe { HeaderCopy::read(kernels) }.has_slots(nr);
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    let moved = if is_alike {
        // SAFETY: both mappings are the library's or the kernel's for this context; the program may read the one throughout,
        // and finds an empty ring before and after.
        unsafe { syscall!(libc::SYS_mremap, kernels, length, length, flags, context.address()) }
    } else {
        Err(Errno(libc::EINVAL))
    };
    moved.map(drop).inspect_err(|_| {
        let _ = kernel_aio::destroy(kernels);
    })
}
