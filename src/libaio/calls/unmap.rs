//! `munmap`, `mprotect` and `mremap` of the program, for memory that contexts and requests lie in.
//!
//! The ring behind a context is the program's to move (the context goes with it) and to unmap (the context is gone), as with
//! the kernel's AIO. What was learnt of other memory is forgotten.
//!
//! The kernel's AIO has done buffered I/O, and holds the pages of direct I/O, when `io_submit` returns, and programs rely on
//! that. Here a request may still be with an engine, so a call that unmaps its buffer, or takes access to it away, waits for it,
//! as long as a device may take.

use core::ffi::c_int;
use core::time::Duration;

use super::io_destroy;
use crate::engine;
use crate::host::address_range::AddressRange;
use crate::host::futex::Deadline;
use crate::host::kernel::{self, Errno};
use crate::host::user_access;
use crate::libaio::{outstanding, registry};

/// What requests need of their buffers, at most.
const ACCESS: c_int = libc::PROT_READ | libc::PROT_WRITE;

/// How long a call waits for requests at most: the file may be on a server that does not answer.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// `munmap(2)`, which `system` does.
///
/// # Errors
/// The kernel's.
pub fn unmap(memory: AddressRange, system: impl FnOnce() -> Result<usize, Errno>) -> Result<usize, Errno> {
    end_contexts(memory);
    await_unused(memory);
    let answer = system();
    user_access::forget(memory);
    answer
}

/// `mprotect(2)`, which `system` does.
///
/// # Errors
/// The kernel's.
pub fn protect(
    memory: AddressRange,
    protection: c_int,
    system: impl FnOnce() -> Result<usize, Errno>,
) -> Result<usize, Errno> {
    if protection & ACCESS != ACCESS {
        await_unused(memory);
    }
    let answer = system();
    user_access::forget(memory);
    answer
}

/// `mremap(2)`, to `length` bytes, at `new` if the flags say so, which `system` does.
///
/// # Errors
/// The kernel's; `EFAULT` for a ring that is to grow, as of the kernel's AIO (`VM_DONTEXPAND` in fs/aio.c).
pub fn remap(
    old: AddressRange,
    length: usize,
    flags: c_int,
    new: usize,
    system: impl FnOnce() -> Result<usize, Errno>,
) -> Result<usize, Errno> {
    if flags & libc::MREMAP_FIXED != 0 {
        let replaced = AddressRange::new(new, length);
        end_contexts(replaced);
        await_unused(replaced);
    }
    if pages(length) > pages(old.length()) && registry::within(old).is_some() {
        return Err(Errno(libc::EFAULT));
    }
    if flags & libc::MREMAP_MAYMOVE != 0 || length < old.length() {
        await_unused(old);
    }
    let answer = system();
    if let Ok(now) = answer {
        if now != old.start() && old.length() > 0 {
            registry::moved(old.start(), now);
        }
        user_access::forget(old);
        user_access::forget(AddressRange::new(now, length));
    }
    answer
}

/// How many pages so many bytes take: what the kernel compares.
fn pages(length: usize) -> usize {
    length.div_ceil(kernel::page_size())
}

/// Ends the contexts whose rings begin in this memory.
fn end_contexts(memory: AddressRange) {
    while let Some(context) = registry::within(memory) {
        io_destroy::unmapped(context);
    }
}

/// Returns when no file is being read into or written from this memory. (A request on a stream may wait for another program
/// for ever, and is not waited for. The kernel's AIO would not have let the program come this far.)
fn await_unused(memory: AddressRange) {
    if registry::has_transfers() {
        engine::await_none(engine::running(), outstanding::with_buffers_in(memory), Deadline::after(MAX_WAIT));
    }
}
