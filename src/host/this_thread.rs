//! The calling thread: its name, its pointer, whether it is the library's, how many others there are. All is async-signal-safe.

use core::mem::MaybeUninit;

use super::kernel::syscall;

/// Names the calling thread as `/proc/PID/task/TID/comm` shows it; at most 15 bytes count.
pub fn set_name(name: &core::ffi::CStr) {
    // SAFETY: reads a C string.
    let _ = unsafe { syscall!(libc::SYS_prctl, libc::PR_SET_NAME, name.as_ptr()) };
}

/// What the library's threads are called, in `/proc/PID/task/TID/comm` and by [`is_ours`].
pub const NAME: &core::ffi::CStr = c"uringaio";

/// Whether the calling thread is the library's. It asks the kernel, and needs no thread-local storage, which the C
/// library may have to allocate.
#[must_use]
pub fn is_ours() -> bool {
    let mut name = [0u8; 16];
    // SAFETY: writes sixteen bytes, the last of them 0.
    let asked = unsafe { syscall!(libc::SYS_prctl, libc::PR_GET_NAME, name.as_mut_ptr()) };
    asked.is_ok() && core::ffi::CStr::from_bytes_until_nul(&name) == Ok(NAME)
}

/// How many threads the process has beside the calling one. None: that cannot be known.
#[must_use]
pub fn others() -> Option<u32> {
    // The kernel counts the threads as the folder's links, beside the two of every folder.
    const LINKS_IF_ALONE: u32 = 2 + 1;
    let (path, wanted) = (c"/proc/self/task", libc::STATX_NLINK);
    let mut status = MaybeUninit::<libc::statx>::uninit();
    // SAFETY: fills the structure or fails.
    let links = unsafe {
        syscall!(libc::SYS_statx, libc::AT_FDCWD, path.as_ptr(), 0, wanted, status.as_mut_ptr()).ok()?;
        status.assume_init().stx_nlink
    };
    links.checked_sub(LINKS_IF_ALONE)
}

/// How often the calling thread has given up its processor by itself, in order to wait; none where the kernel does not tell.
#[must_use]
pub fn voluntary_switches() -> Option<i64> {
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: fills the structure or fails; the C library's layout is the kernel's on 64-bit machines.
    unsafe {
        syscall!(libc::SYS_getrusage, libc::RUSAGE_THREAD, usage.as_mut_ptr()).ok()?;
        Some(usage.assume_init().ru_nvcsw)
    }
}

/// The calling thread's thread pointer: it differs between threads that exist at the same time, and takes no call.
#[inline]
#[must_use]
pub fn pointer() -> usize {
    #[cfg(miri)]
    let pointer = {
        std::thread_local!(static HERE: u8 = const { 0 });
        HERE.with(|here| core::ptr::from_ref(here).addr())
    };
    #[cfg(not(miri))]
    let pointer: usize;
    // SAFETY: reads the thread pointer: on x86-64 the first word it points to is the pointer itself, by the ABI.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    unsafe {
        core::arch::asm!("mov {}, fs:0", out(reg) pointer, options(nostack, preserves_flags, readonly));
    }
    // SAFETY: reads the thread pointer.
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    unsafe {
        core::arch::asm!("mrs {}, tpidr_el0", out(reg) pointer, options(nostack, preserves_flags, nomem));
    }
    pointer
}
