//! The io_uring itself: made, narrowed to what we use, and hidden from the program's descriptor table.
//!
//! One thread makes it and alone may enter it (`SINGLE_ISSUER | COOP_TASKRUN`): completions are then worked off when that
//! thread enters the kernel, and no thread of the program is ever interrupted for one. (`DEFER_TASKRUN` is as fast, but what
//! completes after that thread's end is then never reported; see [`super::reactor::heir`].)

use core::mem::ManuallyDrop;
use core::ptr;

use io_uring::register::Restriction;
use io_uring::squeue::{self, Flags};
use io_uring::{EnterFlags, IoUring, Probe, Submitter, opcode};

use crate::host::futex;
use crate::host::kernel::{self, Errno, syscall};
use crate::host::{porter, thread};

/// Entries that can be filled before the kernel has to be called.
const SUBMISSIONS: u32 = 512;

/// Completions that fit: also the most operations in flight, so that none can overflow.
pub const COMPLETIONS: u32 = 16_384;

/// Slots of the file table.
const FILES: u32 = 16_384;

/// How often in a row the kernel may put us off. After a tenth of it there is a millisecond between two attempts.
const PATIENCE: u32 = 400;

/// Threads that the kernel may run for us: for files (bounded) and for what may block for ever (unbounded).
const WORKERS: [u32; 2] = [64, 256];

const REGISTER_RING_FDS: u32 = 20;
const REGISTER_FILES_UPDATE: u32 = 6;
const USE_REGISTERED_RING: u32 = 1 << 31;

/// What stands in the way of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The kernel said no: ENOSYS (no io_uring), EPERM (forbidden or disabled), ENOMEM, EMFILE, …
    Kernel(Errno),
    /// It lacks something that we cannot do without.
    Lacks(&'static str),
}

impl core::fmt::Display for Refused {
    fn fmt(&self, to: &mut core::fmt::Formatter) -> core::fmt::Result {
        match self {
            Self::Kernel(Errno(libc::ENOSYS)) => to.write_str("this kernel has no io_uring"),
            Self::Kernel(Errno(libc::EPERM)) => to.write_str("io_uring is forbidden here (EPERM)"),
            Self::Kernel(Errno(number)) => write!(to, "io_uring_setup failed with errno {number}"),
            Self::Lacks(what) => write!(to, "this kernel's io_uring lacks {what}"),
        }
    }
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        Self::Kernel(errno)
    }
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        Self::Kernel(Errno(error.raw_os_error().unwrap_or(libc::EIO)))
    }
}

/// A ring that belongs to the thread that made it.
pub struct Ring {
    /// Its descriptor is closed or moved: nothing of the crate's that would use it is called, and it is never dropped.
    uring: ManuallyDrop<IoUring>,
    name: Name,
    bell: Bell,
    has_timeouts: bool,
    /// `IORING_ENTER_NO_IOWAIT` where the kernel has it: our sleep is not the disk's slowness.
    no_iowait: u32,
    /// Entries that the kernel has not taken.
    queued: u32,
    /// Entries pushed so far.
    pushed: usize,
    files: u32,
    /// How often in a row the kernel has put us off.
    refusals: u32,
    /// Why the kernel serves this ring no longer.
    lost: Option<Errno>,
}

impl Ring {
    /// Makes the ring of the calling thread.
    ///
    /// # Errors
    /// What stands in the way; nothing is left behind.
    pub fn new() -> Result<Self, Refused> {
        with_raised_limit(Self::within)
    }

    fn within(limit: u64) -> Result<Self, Refused> {
        if kernel_is_bad() {
            return Err(Refused::Lacks("what was mended in 5.15.3"));
        }
        let ring = set_up()?;
        let submitter = ring.submitter();
        let mut probe = Probe::new();
        submitter.register_probe(&mut probe)?;
        let can_wait_on_futex = probe.is_supported(opcode::FutexWait::CODE);
        // 5.15.
        let _ = submitter.register_iowq_max_workers(&mut WORKERS.clone());
        let files = register_files(&submitter, limit);
        let bell = if can_wait_on_futex {
            Bell::Futex
        } else {
            // The last slot is not for pins.
            let slot = files.checked_sub(1).ok_or(Refused::Lacks("FUTEX_WAIT (6.7), and a table of files"))?;
            hang_bell(&submitter, slot)?;
            Bell::Signal(slot)
        };
        restrict(&submitter, can_wait_on_futex)?;
        submitter.register_enable_rings()?;
        let params = ring.params();
        let no_iowait = if params.is_feature_no_iowait() { EnterFlags::NO_IOWAIT.bits() } else { 0 };
        let has_timeouts = params.is_feature_ext_arg();
        let name = Name::hide(&ring);
        Ok(Self {
            uring: ManuallyDrop::new(ring),
            name,
            bell,
            has_timeouts,
            no_iowait,
            queued: 0,
            pushed: 0,
            files: if can_wait_on_futex { files } else { files - 1 },
            refusals: 0,
            lost: None,
        })
    }

    /// How it is told that there is something to do.
    pub const fn bell(&self) -> Bell {
        self.bell
    }

    /// Whether [`Ring::wait`] can be given a time (5.11).
    pub const fn has_timeouts(&self) -> bool {
        self.has_timeouts
    }

    /// Slots in the file table.
    pub const fn files(&self) -> u32 {
        self.files
    }

    /// Puts an entry into the submission queue. The kernel is called when the queue is full.
    ///
    /// # Safety
    /// What the entry points to stays until its completion.
    pub unsafe fn push(&mut self, entry: &squeue::Entry) {
        // SAFETY: the caller's promise.
        while unsafe { self.uring.submission().push(entry) }.is_err() && self.lost.is_none() {
            self.submit();
        }
        // In a ring that is lost it is among those that the kernel never takes, even where there was no room for it.
        self.queued += 1;
        self.pushed += 1;
    }

    /// Hands what is queued to the kernel, and lets arrive what has completed.
    pub fn submit(&mut self) {
        while self.queued > 0 && self.lost.is_none() {
            // Where it fails, what was taken is taken; the rest is still queued.
            let _ = self.enter(0, EnterFlags::GETEVENTS.bits(), ptr::null(), 0);
        }
    }

    /// Submits, and sleeps until a completion is there, at most `nanoseconds` if that is given.
    pub fn wait(&mut self, nanoseconds: Option<u32>) {
        let flags = EnterFlags::GETEVENTS.bits() | self.no_iowait;
        let _ = match nanoseconds {
            None => self.enter(1, flags, ptr::null(), 0),
            Some(nanoseconds) => {
                let most = io_uring::types::Timespec::new().nsec(nanoseconds);
                let arguments = io_uring::types::SubmitArgs::new().timespec(&most);
                self.enter(
                    1,
                    flags | EnterFlags::EXT_ARG.bits(),
                    ptr::from_ref(&arguments).cast(),
                    size_of_val(&arguments),
                )
            }
        };
    }

    fn enter(&mut self, want: u32, flags: u32, argument: *const u8, size: usize) -> Result<(), Errno> {
        let (ring, named_by) = self.name.enter;
        let flags = flags | named_by;
        // SAFETY: the ring is this thread's; queued entries are valid by the promise of `push`.
        let taken = unsafe { syscall!(libc::SYS_io_uring_enter, ring, self.queued, want, flags, argument, size) }
            .inspect_err(|&errno| self.note_loss(errno))?;
        self.queued = self.queued.saturating_sub(taken as u32);
        self.refusals = 0;
        Ok(())
    }

    /// Looks whether an error means that the ring can be used no longer: a filter that the program has set since refuses
    /// the call, with whatever errno it was written with.
    fn note_loss(&mut self, errno: Errno) {
        let passes = match errno {
            Errno(libc::ETIME | libc::EBADR) => return,
            // No memory for a request, or completions stand in the way: give the machine a moment, but not for ever.
            Errno(libc::EAGAIN | libc::EBUSY | libc::ENOMEM | libc::EINTR) => {
                self.refusals += 1;
                if self.refusals > PATIENCE / 10 {
                    futex::nap();
                }
                self.refusals < PATIENCE
            }
            _ => false,
        };
        if !passes && self.lost.is_none() {
            self.lost = Some(errno);
        }
    }

    /// Why the kernel serves this ring no longer, if so.
    pub const fn lost(&self) -> Option<Errno> {
        self.lost
    }

    /// Entries pushed so far: the number of the newest.
    pub const fn pushed(&self) -> usize {
        self.pushed
    }

    /// Entries that the kernel has taken: the number of the newest of them.
    pub const fn taken(&self) -> usize {
        self.pushed - self.queued as usize
    }

    /// The next completion: what was pushed with it, and the result.
    pub fn next(&mut self) -> Option<(u64, i32)> {
        self.uring.completion().next().map(|entry| (entry.user_data(), entry.result()))
    }

    /// Puts the file behind `fd` into a slot of the file table, or empties the slot with -1.
    ///
    /// # Errors
    /// `EBADF`, or what the kernel answers.
    pub fn set_file(&mut self, slot: u32, fd: i32) -> Result<(), Errno> {
        #[repr(C)]
        struct Update {
            offset: u32,
            reserved: u32,
            descriptors: *const i32,
        }
        let update = Update { offset: slot, reserved: 0, descriptors: &raw const fd };
        let (ring, named_by) = self.name.register;
        // SAFETY: reads the structure and the one descriptor it points to.
        unsafe { syscall!(libc::SYS_io_uring_register, ring, REGISTER_FILES_UPDATE | named_by, &raw const update, 1) }
            .map(drop)
            .inspect_err(|&errno| {
                if !matches!(errno, Errno(libc::EBADF | libc::ENFILE | libc::EMFILE | libc::EOPNOTSUPP)) {
                    self.note_loss(errno);
                }
            })
    }
}

/// Narrows the ring to what it is used for, from its enabling on: even somebody who got hold of it could do no more.
///
/// What the kernel does not know it does not take into the list.
fn restrict(submitter: &Submitter, can_wait_on_futex: bool) -> Result<(), Refused> {
    let flags = Flags::FIXED_FILE | Flags::ASYNC;
    let mut list = [
        Restriction::sqe_op(opcode::Read::CODE),
        Restriction::sqe_op(opcode::Write::CODE),
        Restriction::sqe_op(opcode::Readv::CODE),
        Restriction::sqe_op(opcode::Writev::CODE),
        Restriction::sqe_op(opcode::Fsync::CODE),
        Restriction::sqe_op(opcode::PollAdd::CODE),
        Restriction::sqe_op(opcode::AsyncCancel::CODE),
        Restriction::sqe_op(if can_wait_on_futex { opcode::FutexWait::CODE } else { opcode::Nop::CODE }),
        Restriction::sqe_op(opcode::Nop::CODE),
        Restriction::sqe_flags_allowed(flags.bits()),
        Restriction::register_op(REGISTER_FILES_UPDATE as u8),
        // 5.18: last, to be left away.
        Restriction::register_op(REGISTER_RING_FDS as u8),
    ];
    if submitter.register_restrictions(&mut list).is_err() {
        let known = list.len() - 1;
        submitter.register_restrictions(&mut list[..known])?;
    }
    Ok(())
}

/// A ring with the best this kernel has: one submitter (6.0), task work when the submitter enters the kernel (5.19), a batch
/// that goes on after a bad entry (5.18). All have restrictions (5.10).
fn set_up() -> Result<IoUring, Refused> {
    let mut refused = Refused::Lacks("restrictions (5.10)");
    for step in 0..4 {
        let mut builder = IoUring::builder();
        builder.setup_r_disabled().setup_cqsize(COMPLETIONS).dontfork();
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
            Ok(ring) => return Ok(ring),
            // A flag is unknown.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
            Err(error) => {
                refused = error.into();
                break;
            }
        }
    }
    Err(refused)
}

/// A table of empty slots, as many as can be had. How many.
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

/// Lets the ring see the signal that is the doorbell, through a file in `slot`.
fn hang_bell(submitter: &Submitter, slot: u32) -> Result<(), Refused> {
    if !thread::blocks(BELL_SIGNAL) {
        return Err(Refused::Lacks("FUTEX_WAIT (6.7), and the signal for it is not blocked"));
    }
    let set = signal_set(BELL_SIGNAL);
    // SAFETY: reads the set; makes a descriptor.
    let fd = unsafe {
        syscall!(
            libc::SYS_signalfd4,
            -1isize,
            &raw const set,
            size_of_val(&set),
            libc::SFD_CLOEXEC | libc::SFD_NONBLOCK
        )
    }? as i32;
    let hung = submitter.register_files_update(slot, &[fd]);
    kernel::close(fd);
    hung?;
    Ok(())
}

/// How the ring is told that there is something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bell {
    /// It waits on the futex (6.7).
    Futex,
    /// The thread is sent [`BELL_SIGNAL`], which it blocks, and the ring sees that through the file in this slot. So there is
    /// no descriptor that the program could close, or could have closed and opened as something else.
    Signal(u32),
}

/// Sent to one thread, which blocks it: no handler runs, and where it is not blocked it is ignored.
pub const BELL_SIGNAL: i32 = libc::SIGURG;

/// The kernel's set of one signal.
pub const fn signal_set(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// By which the kernel knows the ring.
#[derive(Clone, Copy)]
struct Name {
    /// For `io_uring_enter`, with this flag.
    enter: (u32, u32),
    /// For `io_uring_register`, with this flag.
    register: (u32, u32),
}

impl Name {
    /// Registers the ring with this thread and closes its descriptor: it works on by its index, and the program's descriptor
    /// table is as it was. Where that is not to be had, the descriptor is moved out of the program's way.
    fn hide(ring: &IoUring) -> Self {
        #[repr(C)]
        struct Update {
            offset: u32,
            reserved: u32,
            fd: u64,
        }
        use std::os::fd::AsRawFd;
        let fd = ring.as_raw_fd();
        let mut update = Update { offset: u32::MAX, reserved: 0, fd: fd as u64 };
        // SAFETY: reads and writes the one structure.
        let registered = unsafe { syscall!(libc::SYS_io_uring_register, fd, REGISTER_RING_FDS, &raw mut update, 1) };
        let by_index = (update.offset, EnterFlags::REGISTERED_RING.bits());
        let probe: u32 = u32::MAX;
        let nothing = ptr::from_ref(&probe);
        let operation = REGISTER_FILES_UPDATE | USE_REGISTERED_RING;
        if registered.is_ok() {
            // An update of no files: does nothing but tell whether a hidden ring can still be registered with (6.3).
            // SAFETY: the length is 0, and the structure is not read past its size.
            let known = unsafe { syscall!(libc::SYS_io_uring_register, update.offset, operation, nothing, 0) };
            if !matches!(known, Err(Errno(libc::EBADF | libc::EOPNOTSUPP))) {
                kernel::close(fd);
                return Self { enter: by_index, register: (update.offset, USE_REGISTERED_RING) };
            }
        }
        let high = porter::raise(fd) as u32;
        // Before 5.18 the number is all there is.
        let enter = if registered.is_ok() { by_index } else { (high, 0) };
        Self { enter, register: (high, 0) }
    }
}

/// From 5.11 to 5.15.2 io_uring loses writes now and then (MariaDB, MDEV-26674).
fn kernel_is_bad() -> bool {
    // SAFETY: the kernel fills the structure, which is made of bytes.
    let mut names: libc::utsname = unsafe { core::mem::zeroed() };
    // SAFETY: as above.
    if unsafe { syscall!(libc::SYS_uname, &raw mut names) }.is_err() {
        return false;
    }
    let mut numbers = [0u32; 3];
    let mut at = 0;
    for &letter in &names.release {
        match letter as u8 {
            digit @ b'0'..=b'9' => numbers[at] = numbers[at].saturating_mul(10).saturating_add(u32::from(digit - b'0')),
            b'.' if at < 2 => at += 1,
            _ => break,
        }
    }
    is_bad(numbers)
}

fn is_bad(release: [u32; 3]) -> bool {
    ([5, 11, 0]..[5, 15, 3]).contains(&release)
}

/// Does `work` with as many descriptors allowed as the hard limit allows, and tells it how many these are.
///
/// The soft RLIMIT_NOFILE bounds the ring's file table, and a program that has used it up could not even make a ring; the
/// limit is meant for the descriptor table, and ours stays out of that.
fn with_raised_limit<T>(work: impl FnOnce(u64) -> T) -> T {
    let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: fills the structure; or sets the limit from it.
    let limit = |new: *const libc::rlimit, old: *mut libc::rlimit| unsafe {
        syscall!(libc::SYS_prlimit64, 0, libc::RLIMIT_NOFILE, new, old)
    };
    if limit(ptr::null(), &raw mut before).is_err() {
        return work(0);
    }
    let wanted = u64::from(FILES) * 2;
    let raised = libc::rlimit { rlim_cur: before.rlim_max.min(wanted).max(before.rlim_cur), ..before };
    let must_raise = raised.rlim_cur > before.rlim_cur && limit(&raw const raised, ptr::null_mut()).is_ok();
    let done = work(if must_raise { raised.rlim_cur } else { before.rlim_cur });
    if must_raise {
        let _ = limit(&raw const before, ptr::null_mut());
    }
    done
}
