//! System calls in place, past the C library: no `errno`, no cancellation point, and no way back into the functions
//! that this library interposes (`syscall`, `close`, `fcntl`, …).

use core::ffi::{c_int, c_long, c_void};
use core::mem::MaybeUninit;
use core::num::NonZeroUsize;
use core::ptr;

use once_cell::race::OnceNonZeroUsize;

/// A kernel error number, positive: `EINVAL`, `EAGAIN`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub c_int);

impl Errno {
    /// The form in which the kernel returns it and a completion carries it.
    #[must_use]
    pub const fn negated(self) -> i64 {
        -(self.0 as i64)
    }
}

/// The number of `io_pgetevents(2)`, which the crate libc lacks.
#[cfg(target_arch = "x86_64")]
pub const SYS_IO_PGETEVENTS: c_long = 333;
/// The same.
#[cfg(target_arch = "aarch64")]
pub const SYS_IO_PGETEVENTS: c_long = 292;

/// Makes system call `number` with six arguments. The kernel's result: a value, or `-errno`.
///
/// # Safety
/// The arguments are valid for the system call, and its effects on memory and descriptors are sound.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
#[must_use]
pub unsafe fn trap(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> isize {
    let answer: isize;
    // SAFETY: the `syscall` instruction clobbers rcx and r11 alone beside its answer; the caller vouches for the
    // arguments.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number as isize => answer,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    answer
}

/// The same on aarch64.
///
/// # Safety
/// As on x86-64.
#[cfg(all(target_arch = "aarch64", not(miri)))]
#[inline]
#[must_use]
pub unsafe fn trap(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> isize {
    let answer: isize;
    // SAFETY: `svc 0` changes x0 alone; the caller vouches for the arguments.
    unsafe {
        core::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a => answer,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack),
        );
    }
    answer
}

/// The same in Miri.
///
/// # Safety
/// As on x86-64.
#[cfg(miri)]
#[must_use]
pub unsafe fn trap(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { super::under_miri::call(number, [a, b, c, d, e, f]) }
}

#[cfg(not(test))]
pub use trap as call6;

/// The same, unless a simulated kernel answers.
///
/// # Safety
/// As for [`trap`].
#[cfg(test)]
#[must_use]
pub unsafe fn call6(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> isize {
    // SAFETY: the caller's promise.
    super::simulation::call(number, [a, b, c, d, e, f]).unwrap_or_else(|| unsafe { trap(number, a, b, c, d, e, f) })
}

/// The kernel's result as a [`Result`]: values from -4095 to -1 are errors.
///
/// # Errors
/// The kernel's error.
#[inline]
pub fn check(answer: isize) -> Result<usize, Errno> {
    if (-4095..0).contains(&answer) { Err(Errno(-answer as c_int)) } else { Ok(answer as usize) }
}

/// The opposite of [`check`]: the value, or `-errno`.
#[inline]
#[must_use]
pub fn value_or_negated(answer: Result<usize, Errno>) -> i64 {
    answer.map_or_else(Errno::negated, |value| value as i64)
}

/// A system call of up to six arguments, as a [`Result`]; must stand in an `unsafe` block.
macro_rules! syscall {
    ($number:expr $(, $argument:expr)* $(,)?) => {
        $crate::host::kernel::syscall!(@fill $number; $($argument,)* 0, 0, 0, 0, 0, 0,)
    };
    (@fill $number:expr; $a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr, $($rest:expr,)*) => {
        $crate::host::kernel::check($crate::host::kernel::call6(
            $number, $a as usize, $b as usize, $c as usize, $d as usize, $e as usize, $f as usize,
        ))
    };
}
pub(crate) use syscall;

/// A resource limit of this process (`RLIMIT_NOFILE`, …), which is then set to `new`, if that is given.
///
/// # Errors
/// The kernel's error.
pub fn limit(resource: libc::__rlimit_resource_t, new: Option<&libc::rlimit>) -> Result<libc::rlimit, Errno> {
    let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let new = new.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: reads one structure, if there is one, and fills the other.
    unsafe { syscall!(libc::SYS_prlimit64, 0, resource, new, &raw mut old) }.map(|_| old)
}

/// What fstat(2) tells of an open file.
///
/// # Errors
/// `EBADF`: it is not open; what the kernel answers instead.
pub fn file_status(fd: c_int) -> Result<libc::stat, Errno> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fills the structure or fails; the C library's layout is the kernel's on the 64-bit machines we serve.
    unsafe { syscall!(libc::SYS_fstat, fd, status.as_mut_ptr()).map(|_| status.assume_init()) }
}

/// Which of `events` (`POLLIN`, …), errors among them, are true of a file now.
///
/// # Errors
/// What the kernel answers instead.
pub fn ready(fd: c_int, events: u32) -> Result<u32, Errno> {
    ready_within(fd, events, 0)
}

/// The same of what becomes true within a time; signal handlers do not end it.
///
/// # Errors
/// What the kernel answers instead.
pub fn ready_within(fd: c_int, events: u32, wait_ms: u32) -> Result<u32, Errno> {
    let mut asked = libc::pollfd { fd, events: events as i16, revents: 0 };
    let mut wait = libc::timespec { tv_sec: (wait_ms / 1000).into(), tv_nsec: (wait_ms % 1000 * 1_000_000).into() };
    loop {
        // SAFETY: reads and writes both structures; the kernel leaves in the second what is left of the time.
        match unsafe { syscall!(libc::SYS_ppoll, &raw mut asked, 1, &raw mut wait, 0, 0) } {
            Err(Errno(libc::EINTR)) => {}
            answer => return answer.map(|_| u32::from(asked.revents as u16)),
        }
    }
}

/// Adds to the count of an eventfd, which never waits: a count without room for more stays as it is. It is at its end, and
/// tells what it is there to tell; the kernel's own additions stop there too.
pub fn add_to_eventfd(fd: c_int, count: u32) {
    if ready(fd, libc::POLLOUT as u32) != Ok(0) {
        let amount = u64::from(count);
        // SAFETY: reads the eight bytes.
        let _ = unsafe { syscall!(libc::SYS_write, fd, &raw const amount, size_of::<u64>()) };
    }
}

/// Closes a descriptor of the library's.
pub fn close(fd: c_int) {
    // SAFETY: closes a number; the caller opened it.
    let _ = unsafe { syscall!(libc::SYS_close, fd) };
}

/// This process's id. It is not cached: that would be wrong after a raw `clone`.
#[must_use]
pub fn process_id() -> c_int {
    // SAFETY: takes no arguments.
    unsafe { call6(libc::SYS_getpid, 0, 0, 0, 0, 0, 0) as c_int }
}

/// This thread's id.
#[must_use]
pub fn thread_id() -> c_int {
    // SAFETY: takes no arguments.
    unsafe { call6(libc::SYS_gettid, 0, 0, 0, 0, 0, 0) as c_int }
}

/// Anonymous private memory of whole pages, zeroed.
///
/// # Errors
/// `ENOMEM`, or what else `mmap` answers.
pub fn map(length: usize) -> Result<*mut c_void, Errno> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
    unsafe { syscall!(libc::SYS_mmap, 0, length, libc::PROT_READ | libc::PROT_WRITE, flags, -1isize, 0) }
        .map(|address| address as *mut c_void)
}

/// Nanoseconds of `CLOCK_MONOTONIC`.
#[must_use]
pub fn now() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// The same as it was at the last tick, 1 to 10 ms ago at most (`CLOCK_MONOTONIC_COARSE`).
#[inline]
#[must_use]
pub fn coarse_now() -> u64 {
    clock(libc::CLOCK_MONOTONIC_COARSE)
}

fn clock(clock: libc::clockid_t) -> u64 {
    #[cfg(test)]
    if let Some(now) = super::simulation::now() {
        return now;
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes one timespec; clock_gettime does not fail for these clocks. It is not interposed here and does not
    // enter the kernel where the vDSO serves it.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Bytes of a page of this machine: 4096 on x86-64, up to 65,536 elsewhere.
#[must_use]
pub fn page_size() -> usize {
    // Threads that ask at once both ask the kernel: no thread waits, and a fork finds no lock held.
    static KNOWN: OnceNonZeroUsize = OnceNonZeroUsize::new();
    let ask = || {
        // SAFETY: asks for a number.
        let asked = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(asked)
            .ok()
            .filter(|size| size.is_power_of_two())
            .and_then(NonZeroUsize::new)
            .unwrap_or(SMALLEST_PAGE)
    };
    KNOWN.get_or_init(ask).get()
}

/// The page size of x86-64, and the smallest of aarch64.
const SMALLEST_PAGE: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
