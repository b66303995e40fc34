//! The io_uring itself: made, narrowed to what we use, and hidden from the program's descriptor table.
//!
//! One thread makes it and alone may enter it (`SINGLE_ISSUER | COOP_TASKRUN`): completions are then worked off when that
//! thread enters the kernel, and no thread of the program is ever interrupted for one. (`DEFER_TASKRUN` is as fast, but what
//! completes after that thread's end is then never reported; see [`super::reactor::heir`].)

use core::mem::ManuallyDrop;
use core::ptr;

use io_uring::register::Restriction;
use io_uring::squeue::{self, Flags};
use io_uring::{EnterFlags, IoUring, Probe, opcode};

use crate::host::futex;
use crate::host::kernel::{self, Errno, syscall};

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
    /// Its descriptor is closed: nothing of the crate's that would use it is called, and it is never dropped.
    uring: ManuallyDrop<IoUring>,
    /// By which the kernel knows the ring in this thread.
    index: u32,
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
        let mut ring: IoUring = IoUring::builder()
            .setup_single_issuer()
            .setup_coop_taskrun()
            .setup_r_disabled()
            .setup_submit_all()
            .setup_cqsize(COMPLETIONS)
            .dontfork()
            .build(SUBMISSIONS)
            .map_err(|error| match error.raw_os_error() {
                // The ring itself is to be had, so a flag is unknown.
                Some(libc::EINVAL) => Refused::Lacks("SINGLE_ISSUER (6.0)"),
                _ => error.into(),
            })?;
        let submitter = ring.submitter();
        let mut probe = Probe::new();
        submitter.register_probe(&mut probe)?;
        if !probe.is_supported(opcode::FutexWait::CODE) {
            return Err(Refused::Lacks("FUTEX_WAIT (6.7)"));
        }
        submitter.register_iowq_max_workers(&mut WORKERS.clone())?;
        let files = u32::try_from(limit).map_or(FILES, |limit| limit.min(FILES));
        let files = submitter.register_files_sparse(files).map_or(0, |()| files);
        submitter.register_restrictions(&mut restrictions())?;
        submitter.register_enable_rings()?;
        let no_iowait = if ring.params().is_feature_no_iowait() { EnterFlags::NO_IOWAIT.bits() } else { 0 };
        let index = hide(&mut ring)?;
        Ok(Self {
            uring: ManuallyDrop::new(ring),
            index,
            no_iowait,
            queued: 0,
            pushed: 0,
            files,
            refusals: 0,
            lost: None,
        })
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
        let flags = flags | EnterFlags::REGISTERED_RING.bits();
        // SAFETY: the ring is this thread's; queued entries are valid by the promise of `push`.
        let taken = unsafe { syscall!(libc::SYS_io_uring_enter, self.index, self.queued, want, flags, argument, size) }
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
        // SAFETY: reads the structure and the one descriptor it points to.
        unsafe {
            syscall!(
                libc::SYS_io_uring_register,
                self.index,
                REGISTER_FILES_UPDATE | USE_REGISTERED_RING,
                &raw const update,
                1
            )
        }
        .map(drop)
        .inspect_err(|&errno| {
            if !matches!(errno, Errno(libc::EBADF | libc::ENFILE | libc::EMFILE | libc::EOPNOTSUPP)) {
                self.note_loss(errno);
            }
        })
    }
}

/// What the ring may be used for, from its enabling on: even somebody who got hold of it could do no more.
fn restrictions() -> [Restriction; 12] {
    let flags = Flags::FIXED_FILE | Flags::ASYNC;
    [
        Restriction::sqe_op(opcode::Read::CODE),
        Restriction::sqe_op(opcode::Write::CODE),
        Restriction::sqe_op(opcode::Readv::CODE),
        Restriction::sqe_op(opcode::Writev::CODE),
        Restriction::sqe_op(opcode::Fsync::CODE),
        Restriction::sqe_op(opcode::PollAdd::CODE),
        Restriction::sqe_op(opcode::AsyncCancel::CODE),
        Restriction::sqe_op(opcode::FutexWait::CODE),
        Restriction::sqe_op(opcode::Nop::CODE),
        Restriction::register_op(REGISTER_RING_FDS as u8),
        Restriction::register_op(REGISTER_FILES_UPDATE as u8),
        Restriction::sqe_flags_allowed(flags.bits()),
    ]
}

/// Registers the ring with this thread and closes its descriptor: it works on by its index, and the program's descriptor
/// table is as it was.
fn hide(ring: &mut IoUring) -> Result<u32, Refused> {
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
    unsafe { syscall!(libc::SYS_io_uring_register, fd, REGISTER_RING_FDS, &raw mut update, 1) }
        .map_err(|_| Refused::Lacks("registered rings (5.18)"))?;
    let probe: u32 = u32::MAX;
    let nothing = ptr::from_ref(&probe);
    // An update of no files: does nothing but tell whether a hidden ring can still be registered with (6.3).
    // SAFETY: the length is 0, and the structure is not read past its size.
    let registered = unsafe {
        syscall!(libc::SYS_io_uring_register, update.offset, REGISTER_FILES_UPDATE | USE_REGISTERED_RING, nothing, 0)
    };
    if registered == Err(Errno(libc::EBADF)) {
        return Err(Refused::Lacks("registration by registered ring (6.3)"));
    }
    kernel::close(fd);
    Ok(update.offset)
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
