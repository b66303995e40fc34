//! How the library's threads are scheduled: as the process was when the library was loaded, whichever of the program's
//! threads starts them.
//!
//! A thread inherits from its creator. A poller that is `SCHED_FIFO` and bound to one CPU would have the thread that it
//! waits for behind it on that CPU; a low-priority thread would make one that everybody else waits for. So helpers are
//! `SCHED_OTHER`, on every CPU that the process had at first (or those of `URINGAIO_CPUS`), with the process's first
//! nice value and I/O priority, as far as the kernel allows: an unprivileged thread with a higher nice value cannot
//! make one with a lower.

use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

use super::cpu_set::{CpuSet, MASK_WORDS};
use super::kernel::{Errno, syscall};
use super::settings;

/// For `ioprio_set(2)`: what follows is a thread's id, or 0 for the calling one (linux/ioprio.h).
pub const IOPRIO_WHO_PROCESS: c_int = 1;

/// What was recorded. Written once each; a reader that comes between two words at the worst binds a thread to fewer
/// CPUs.
static CPUS: [AtomicU64; MASK_WORDS] = [const { AtomicU64::new(0) }; MASK_WORDS];
static NICE: AtomicI32 = AtomicI32::new(0);
static IO_PRIORITY: AtomicI32 = AtomicI32::new(0);
static RECORDED: AtomicBool = AtomicBool::new(false);

/// Records how the process is scheduled. Called when the library is loaded, and before the first thread if that comes
/// first.
pub fn record() {
    // Acquire pairs with the Release below: what was recorded is seen.
    if RECORDED.load(Ordering::Acquire) {
        return;
    }
    if let Some(cpus) = settings::cpus().or_else(|| CpuSet::of_this_thread().ok()) {
        for (kept, word) in CPUS.iter().zip(cpus.words()) {
            kept.store(word, Ordering::Relaxed);
        }
    }
    NICE.store(nice(), Ordering::Relaxed);
    IO_PRIORITY.store(io_priority().unwrap_or(0), Ordering::Relaxed);
    RECORDED.store(true, Ordering::Release);
}

/// The CPUs for the library's threads, and for the kernel's that work for them.
#[must_use]
pub fn helper_cpus() -> CpuSet {
    record();
    CpuSet::from_words(&core::array::from_fn(|index| CPUS[index].load(Ordering::Relaxed)))
}

/// Gives the calling thread, which is the library's, the process's first nice value and I/O priority.
pub fn take_first_priorities() {
    record();
    let (first, first_io) = (NICE.load(Ordering::Relaxed), IO_PRIORITY.load(Ordering::Relaxed));
    // SAFETY: changes numbers of this thread; 0 means this thread.
    unsafe {
        if nice() != first {
            let _ = syscall!(libc::SYS_setpriority, libc::PRIO_PROCESS, 0, first);
        }
        if io_priority().is_ok_and(|inherited| inherited != first_io) {
            let _ = syscall!(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, first_io);
        }
    }
}

/// The calling thread's nice value.
fn nice() -> c_int {
    // SAFETY: asks for a number. The kernel answers with 20 less the nice value.
    unsafe { syscall!(libc::SYS_getpriority, libc::PRIO_PROCESS, 0) }.map_or(0, |answer| 20 - answer as c_int)
}

/// The calling thread's I/O priority.
fn io_priority() -> Result<c_int, Errno> {
    // SAFETY: asks for a number.
    unsafe { syscall!(libc::SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) }.map(|priority| priority as c_int)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use core::ffi::{c_int, c_void};
    use core::ptr;
    use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

    use super::{CpuSet, helper_cpus, nice, take_first_priorities};
    use crate::host::futex::{self, Deadline};
    use crate::host::kernel::syscall;
    use crate::host::thread;

    #[test]
    fn a_list_of_cpus_is_read_or_refused() {
        let words = |list: &[u8]| CpuSet::parse(list).map(|set| [set.words()[0], set.words()[1]]);
        assert_eq!(words(b"0"), Some([1, 0]));
        assert_eq!(words(b"0-3,8"), Some([0x10f, 0]));
        assert_eq!(words(b" 1 , 63-64 "), Some([1 << 63 | 2, 1]));
        assert!(CpuSet::parse(b"8191").is_some());
        for wrong in [&b""[..], b",", b"3-1", b"0-", b"-1", b"all", b"8192", b"0x1", b"1,,2", b"\xff"] {
            assert_eq!(CpuSet::parse(wrong), None, "{wrong:?}");
        }
    }

    /// What a thread of the library's finds of itself.
    #[derive(Default)]
    struct Found {
        done: AtomicU32,
        policy: AtomicI32,
        nice: AtomicI32,
        cpus: AtomicU64,
    }

    extern "C" fn look(found: *mut c_void) -> *mut c_void {
        // SAFETY: the test waits.
        let found = unsafe { &*found.cast::<Found>() };
        // SAFETY: asks for a number.
        let policy = unsafe { syscall!(libc::SYS_sched_getscheduler, 0) };
        found.policy.store(policy.unwrap() as c_int, Ordering::Relaxed);
        found.nice.store(nice(), Ordering::Relaxed);
        found.cpus.store(CpuSet::of_this_thread().unwrap().words()[0], Ordering::Relaxed);
        found.done.store(1, Ordering::Release);
        futex::wake_all(&raw const found.done);
        ptr::null_mut()
    }

    fn looked() -> (c_int, c_int, u64) {
        static FOUND: Found = Found {
            done: AtomicU32::new(0),
            policy: AtomicI32::new(0),
            nice: AtomicI32::new(0),
            cpus: AtomicU64::new(0),
        };
        FOUND.done.store(0, Ordering::Relaxed);
        thread::start(look, (&raw const FOUND).cast_mut().cast()).unwrap();
        while FOUND.done.load(Ordering::Acquire) == 0 {
            let _ = futex::wait(&FOUND.done, 0, Deadline::Never);
        }
        (FOUND.policy.load(Ordering::Relaxed), FOUND.nice.load(Ordering::Relaxed), FOUND.cpus.load(Ordering::Relaxed))
    }

    #[test]
    #[cfg_attr(miri, ignore = "it needs the kernel")]
    fn a_helper_is_scheduled_as_the_process_was() {
        let first = (libc::SCHED_OTHER, nice(), helper_cpus().words()[0]);
        std::thread::spawn(move || {
            assert_eq!(looked(), first);
            // A thread bound to one CPU, then one with a low priority, then one with a real-time priority.
            let mut one = [0; crate::host::cpu_set::MASK_WORDS];
            one[0] = first.2 & first.2.wrapping_neg();
            let one = CpuSet::from_words(&one);
            let (mask, bytes) = one.as_raw();
            // SAFETY: reads the set, changes this thread alone.
            unsafe { syscall!(libc::SYS_sched_setaffinity, 0, bytes, mask) }.unwrap();
            assert_eq!(looked(), first);
            // SAFETY: changes this thread alone.
            unsafe { syscall!(libc::SYS_setpriority, libc::PRIO_PROCESS, 0, 10) }.unwrap();
            let (policy, found, cpus) = looked();
            assert_eq!((policy, cpus), (first.0, first.2));
            take_first_priorities();
            // An unprivileged thread cannot make a better one than it is.
            assert!(found == first.1 || nice() == 10);
            let priority: c_int = 1;
            // SAFETY: reads the priority, changes this thread alone.
            let real_time = unsafe { syscall!(libc::SYS_sched_setscheduler, 0, libc::SCHED_FIFO, &raw const priority) };
            if real_time.is_ok() {
                assert_eq!(looked(), first);
            }
        })
        .join()
        .unwrap();
    }
}
