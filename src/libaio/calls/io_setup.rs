//! `io_setup`: makes a context.

use crate::engine;
use crate::host::kernel::Errno;
use crate::host::{seccomp, settings, thread_identity, user_access, valgrind};
use crate::libaio::ring::ring_size;
use crate::libaio::{kernel_aio, registry};

/// `io_setup(2)`: makes a context for at least `nr_events` requests in flight and stores its address at `to`. `prepare` is
/// called before. Where neither io_uring nor worker threads can be used, the kernel makes a context of its own.
///
/// # Errors
/// `EFAULT`: `to` cannot be read or written. `EINVAL`: what is there is not 0, or `nr_events` is 0 or too many. `EAGAIN`:
/// past `URINGAIO_MAX_EVENTS`. `ENOMEM`.
pub fn set_up(nr_events: u32, to: usize, prepare: fn()) -> Result<usize, Errno> {
    // A call of the library's own might end the process.
    if seccomp::confines() {
        return kernel_aio::set_up(nr_events, to);
    }
    // The kernel knows the thread's descriptors and rights. Where it has no context left, the library's does.
    if settings::get().kernel_aio && thread_identity::is_separate() {
        let answer = kernel_aio::set_up(nr_events, to);
        if answer != Err(Errno(libc::EAGAIN)) {
            return answer;
        }
    }
    // Valgrind refuses the mremap that maps a ring twice.
    if valgrind::is_present() {
        return kernel_aio::set_up(nr_events, to);
    }
    // The kernel says ENOMEM where memory is short; EAGAIN is for a limit.
    if !settings::get().served.libaio() || engine::get().map_err(|_| Errno(libc::ENOMEM))?.is_none() {
        return kernel_aio::set_up(nr_events, to);
    }
    user_access::readable(to, size_of::<usize>())?;
    // SAFETY: just seen to be readable.
    let before = unsafe { (to as *const usize).read_unaligned() };
    if before != 0 || nr_events == 0 {
        return Err(Errno(libc::EINVAL));
    }
    let size = ring_size::for_events(nr_events)?;
    user_access::writable(to, size_of::<usize>())?;
    prepare();
    let address = registry::add(nr_events, size)?;
    // SAFETY: just seen to be writable.
    unsafe { (to as *mut usize).write_unaligned(address) };
    Ok(0)
}
