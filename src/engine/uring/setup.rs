//! Ring setup: with the best features that the kernel has, restricted to the operations that are used, and out of the
//! program's descriptor table.

use core::sync::atomic::{AtomicBool, Ordering};
use std::os::fd::AsRawFd;

use io_uring::register::Restriction;
use io_uring::{EnterFlags, IoUring, Probe, Submitter, opcode};

use super::permissions::{FLAGS, USES, Use};
use super::refused::{self, Refused};
use super::ring_memory::RingMemory;
use crate::engine::ring_layout::{REGISTER_USE_REGISTERED_RING, Update};
use crate::host::kernel::{self, Errno, syscall};
use crate::host::settings::{self, EngineChoice};
use crate::host::{fd_broker, kernel_version, scheduling, thread};

/// Completions that fit: also the most operations in flight, so that none can overflow. What is submitted beyond that
/// waits in the engine. The kernel counts a ring's memory against the RLIMIT_MEMLOCK of its user, all processes
/// together: 28 KiB each, so that the usual 8 MiB carry 292 processes. More in flight is no faster: a device has its
/// own depth, and 4096 reads at once on a virtio disk took as long with 16,384 completions.
const COMPLETIONS: u32 = 1024;

/// Entries of the submission queue: more than these take another call.
const SUBMISSIONS: u32 = 128;

/// What a ring takes of `RLIMIT_MEMLOCK`, in whole pages: header, completions and index of entries; and the entries.
const RING_BYTES: usize = {
    const HEADER_BYTES: usize = 512;
    let rings = HEADER_BYTES + COMPLETIONS as usize * 16 + SUBMISSIONS as usize * 4;
    rings.next_multiple_of(4096) + (SUBMISSIONS as usize * 64).next_multiple_of(4096)
};
const _: () = assert!(RING_BYTES * 200 <= 8 << 20, "the usual limit carries 200 processes of one user");

/// Slots of the file table.
const FILES: u32 = 16_384;

/// Most worker threads that the kernel may run for the ring: for files (bounded), and for what may block without end
/// (unbounded).
const WORKERS: [u32; 2] = [64, 256];

const REGISTER_FILES_UPDATE: u32 = 6;
const REGISTER_IOWQ_AFF: u32 = 17;
const REGISTER_RING_FDS: u32 = 20;
const REGISTER_BPF_FILTER: u32 = 37;

/// A ring, ready for use.
pub struct RingSetup {
    pub memory: RingMemory,
    pub name: RingName,
    pub doorbell: Doorbell,
    /// Slots of its file table for fixed files.
    pub files: u32,
    pub restricted: Restricted,
}

/// What may deny a ring operations, beside the library itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restricted {
    /// Nothing.
    No,
    /// A filter that this process may have inherited: the kernel has such.
    MayBe,
    /// A list that this process has inherited.
    ByList,
}

/// Makes the ring of the calling thread.
///
/// # Errors
/// What stands in the way; nothing is left behind.
pub fn set_up() -> Result<RingSetup, Refused> {
    with_raised_limit(|limit| match within(limit, Begins::Disabled) {
        Err(Refused::Kernel(Errno(libc::EACCES))) => within(limit, Begins::Enabled),
        made => made,
    })
}

/// How a ring begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    /// It can be restricted before it is enabled.
    Disabled,
    /// For a process whose inherited list does not let it enable a ring.
    Enabled,
}

fn within(limit: u64, begins: Begins) -> Result<RingSetup, Refused> {
    // A filter that is set later is seen as it is set, or by what it refuses.
    static HAS_TRIED_FILTER: AtomicBool = AtomicBool::new(false);
    if !HAS_TRIED_FILTER.load(Ordering::Relaxed) {
        refused::try_filter()?;
        HAS_TRIED_FILTER.store(true, Ordering::Relaxed);
    }
    let uring = create(begins)?;
    let submitter = uring.submitter();
    let mut probe = Probe::new();
    let can_wait_on_futex = match submitter.register_probe(&mut probe) {
        Ok(()) => probe.is_supported(opcode::FutexWait::CODE),
        // A list that denies the question: the kernel is younger (7.0).
        Err(error) => is_denial(&error),
    };
    // 5.15.
    let _ = submitter.register_iowq_max_workers(&mut WORKERS.clone());
    bind_kernel_workers(&uring);
    let mut files = register_files(&submitter, limit);
    let doorbell = if can_wait_on_futex {
        Doorbell::Futex
    } else {
        // The last slot is not for fixed files.
        files = files.checked_sub(1).ok_or(Refused::Lacks("FUTEX_WAIT (6.7), and a table of files"))?;
        register_doorbell(&submitter, files)?;
        Doorbell::Signal(files)
    };
    let mut name = RingName::of(&uring);
    let restricted = match begins {
        Begins::Enabled => Restricted::ByList,
        Begins::Disabled if !restrict(&submitter, can_wait_on_futex, name.table)? => Restricted::ByList,
        Begins::Disabled if knows_filters(&uring) => Restricted::MayBe,
        Begins::Disabled => Restricted::No,
    };
    if begins == Begins::Disabled {
        submitter.register_enable_rings()?;
    }
    let memory = RingMemory::map(uring.as_raw_fd(), &uring)?;
    name.keep(&uring)?;
    // Closes the descriptor: the program's descriptor table is as it was.
    drop(uring);
    Ok(RingSetup { memory, name, doorbell, files, restricted })
}

/// Has the kernel's workers run where the library's threads do (5.14): without that, on every CPU of the machine.
fn bind_kernel_workers(ring: &IoUring) {
    let cpus = scheduling::helper_cpus();
    let (mask, bytes) = cpus.as_raw();
    // SAFETY: reads the set.
    let _ = unsafe { syscall!(libc::SYS_io_uring_register, ring.as_raw_fd(), REGISTER_IOWQ_AFF, mask, bytes) };
}

/// Restricts the ring, from the moment it is enabled, to the operations that it is used for: no other code that finds
/// it can make it do more. False: it was restricted before, by a list that this process has inherited (Linux 7.0).
fn restrict(submitter: &Submitter, can_wait_on_futex: bool, table: FileTableAccess) -> Result<bool, Refused> {
    let by_entry = table == FileTableAccess::ByEntry;
    let is_used = |which| match which {
        // The kernel refuses a list with an operation that it does not know.
        Use::FutexWait => can_wait_on_futex,
        Use::UpdateFiles => by_entry,
        _ => true,
    };
    let mut list: [Restriction; USES.len() + 2] = core::array::from_fn(|place| match USES.get(place) {
        Some(&(which, _, code)) if is_used(which) => Restriction::sqe_op(code),
        None if place == USES.len() => Restriction::sqe_flags_allowed(FLAGS.bits()),
        None if !by_entry => Restriction::register_op(REGISTER_FILES_UPDATE as u8),
        _ => Restriction::sqe_op(opcode::Write::CODE),
    });
    match submitter.register_restrictions(&mut list) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EBUSY) || is_denial(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether a list that this process has inherited denies the call.
fn is_denial(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(libc::EACCES)
}

/// Whether the kernel has filters on operations (Linux 7.0): a process can inherit some, and cannot ask for them.
fn knows_filters(ring: &IoUring) -> bool {
    // One without an address: EFAULT where the operation exists, EINVAL elsewhere.
    // SAFETY: reads nothing.
    let tried = unsafe { syscall!(libc::SYS_io_uring_register, ring.as_raw_fd(), REGISTER_BPF_FILTER, 0, 1) };
    tried == Err(Errno(libc::EFAULT))
}

/// A ring with as many of these as the kernel has: one submitter (6.0), task work only when the submitter enters the
/// kernel (5.19), batches that go on after a bad entry (5.18). Restrictions (5.10) are required.
fn create(begins: Begins) -> Result<IoUring, Refused> {
    const OLDEST_STEP: u32 = 3;
    let mut refused = Refused::Lacks("restrictions (5.10)");
    for step in 0..=OLDEST_STEP {
        let mut builder = IoUring::builder();
        builder.setup_cqsize(COMPLETIONS).dontfork();
        if begins == Begins::Disabled {
            builder.setup_r_disabled();
        }
        if step < 3 {
            builder.setup_submit_all();
        }
        if step < 2 {
            builder.setup_coop_taskrun();
        }
        if step < 1 {
            builder.setup_single_issuer();
        }
        match builder.build(SUBMISSIONS) {
            // Without a flag of 5.18 or later only its version tells that it loses no writes. Where io_uring was asked
            // for by name, that is the caller's decision.
            Ok(_)
                if step == OLDEST_STEP
                    && settings::get().engine != EngineChoice::Uring
                    && kernel_version::may_lose_writes() =>
            {
                return Err(Refused::Lacks("the fix for lost writes (5.14.19, 5.15.3)"));
            }
            Ok(ring) => return Ok(ring),
            // The kernel does not know one of the flags.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
            Err(error) => {
                refused = refused::explain(Errno(error.raw_os_error().unwrap_or(libc::EIO)));
                break;
            }
        }
    }
    Err(refused)
}

/// Makes a file table with empty slots. The result is how many: 0 where there can be none.
fn register_files(submitter: &Submitter, limit: u64) -> u32 {
    let files = u32::try_from(limit).map_or(FILES, |limit| limit.min(FILES));
    if submitter.register_files_sparse(files).is_ok() {
        return files;
    }
    // Before 5.19 the slots are listed one by one.
    let mut empty = Vec::new();
    if empty.try_reserve_exact(files as usize).is_err() {
        return 0;
    }
    empty.resize(files as usize, -1);
    submitter.register_files(&empty).map_or(0, |()| files)
}

/// Puts a signalfd for the doorbell's signal into `slot`.
fn register_doorbell(submitter: &Submitter, slot: u32) -> Result<(), Refused> {
    let fd = doorbell_signalfd()?;
    let registered = submitter.register_files_update(slot, &[fd]);
    kernel::close(fd);
    registered?;
    Ok(())
}

/// A signalfd for the doorbell's signal.
///
/// # Errors
/// The thread does not block the signal; what the kernel answers.
pub fn doorbell_signalfd() -> Result<i32, Refused> {
    if !thread::blocks(DOORBELL_SIGNAL) {
        return Err(Refused::Lacks("FUTEX_WAIT (6.7), and the signal for it is not blocked"));
    }
    let set = signal_set(DOORBELL_SIGNAL);
    // SAFETY: reads the set; makes a descriptor.
    let fd = unsafe {
        syscall!(
            libc::SYS_signalfd4,
            -1isize,
            &raw const set,
            size_of_val(&set),
            libc::SFD_CLOEXEC | libc::SFD_NONBLOCK
        )
    }?;
    Ok(fd as i32)
}

/// How the kernel is told which ring is meant.
#[derive(Clone, Copy)]
pub struct RingName {
    /// The number for `io_uring_enter`, and the flag that goes with it.
    pub enter: (u32, u32),
    pub table: FileTableAccess,
}

/// How the ring's file table is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileTableAccess {
    /// By `io_uring_register`, with this number, and with this flag in the operation.
    ByCall(u32, u32),
    /// By an entry of the ring: from 5.18 to 6.2 a ring without a descriptor can be entered, but `io_uring_register`
    /// does not know it.
    ByEntry,
}

impl RingName {
    /// Registers the ring with the calling thread, where the kernel can (5.18): it then needs no descriptor.
    fn of(ring: &IoUring) -> Self {
        let fd = ring.as_raw_fd();
        let mut update = Update { place: u32::MAX, reserved: 0, data: fd as u64 };
        // SAFETY: reads and writes the one structure.
        let registered = unsafe { syscall!(libc::SYS_io_uring_register, fd, REGISTER_RING_FDS, &raw mut update, 1) };
        if registered.is_err() {
            return Self { enter: (fd as u32, 0), table: FileTableAccess::ByCall(fd as u32, 0) };
        }
        // Whether `io_uring_register` knows it as well (6.3) is tried by emptying an empty slot. ENXIO: there is no
        // table.
        let by_index = FileTableAccess::ByCall(update.place, REGISTER_USE_REGISTERED_RING);
        let known = matches!(update_files(by_index, 0, -1), Ok(_) | Err(Errno(libc::ENXIO)));
        let table = if known { by_index } else { FileTableAccess::ByEntry };
        Self { enter: (update.place, EnterFlags::REGISTERED_RING.bits()), table }
    }

    /// Where the ring has no other name, gives it a descriptor with a high number.
    fn keep(&mut self, ring: &IoUring) -> Result<(), Errno> {
        if self.enter.1 == 0 {
            let high = fd_broker::duplicate_high(ring.as_raw_fd())? as u32;
            *self = Self { enter: (high, 0), table: FileTableAccess::ByCall(high, 0) };
        }
        Ok(())
    }

    /// Closes the ring's descriptor, if it has one, and the program has not used its number for another file.
    pub fn close(&self) {
        if self.enter.1 == 0 && matches!(update_files(self.table, 0, -1), Ok(_) | Err(Errno(libc::ENXIO))) {
            kernel::close(self.enter.0 as i32);
        }
    }
}

/// Puts the file behind `fd` into a slot of the file table, or empties the slot with -1, by `io_uring_register`.
///
/// # Errors
/// What the kernel answers; `EOPNOTSUPP` where the table is changed by entries.
pub fn update_files(table: FileTableAccess, slot: u32, fd: i32) -> Result<usize, Errno> {
    let FileTableAccess::ByCall(number, flag) = table else { return Err(Errno(libc::EOPNOTSUPP)) };
    let update = Update { place: slot, reserved: 0, data: (&raw const fd).expose_provenance() as u64 };
    // SAFETY: reads the structure and the one descriptor it points to.
    unsafe { syscall!(libc::SYS_io_uring_register, number, REGISTER_FILES_UPDATE | flag, &raw const update, 1) }
}

/// Calls `work` with the soft `RLIMIT_NOFILE` raised towards the hard one, and passes it the limit.
///
/// The soft limit bounds the ring's file table, and a program that has used it up could not even make a ring. It is
/// meant for the program's descriptor table, which the ring's files are not in.
fn with_raised_limit<T>(work: impl FnOnce(u64) -> T) -> T {
    let limit = |new| kernel::limit(libc::RLIMIT_NOFILE, new);
    let Ok(before) = limit(None) else { return work(0) };
    let wanted = u64::from(FILES) * 2;
    let raised = libc::rlimit { rlim_cur: before.rlim_max.min(wanted).max(before.rlim_cur), ..before };
    let must_raise = raised.rlim_cur > before.rlim_cur && limit(Some(&raised)).is_ok();
    let done = work(if must_raise { raised.rlim_cur } else { before.rlim_cur });
    if must_raise {
        let _ = limit(Some(&before));
    }
    done
}

/// How another thread wakes the ring's thread while that sleeps in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doorbell {
    /// It waits on the futex (6.7).
    Futex,
    /// The thread is sent [`DOORBELL_SIGNAL`], which it blocks. The ring polls a signalfd in this slot of its table:
    /// there is no descriptor that the program could close and reuse.
    Signal(u32),
}

/// Sent to one thread, which blocks it, so no handler runs. Its default action is to be ignored.
pub const DOORBELL_SIGNAL: i32 = libc::SIGURG;

/// The kernel's set of one signal.
pub const fn signal_set(signal: i32) -> u64 {
    1 << (signal - 1)
}
