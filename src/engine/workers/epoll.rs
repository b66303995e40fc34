//! Waiting for streams: one epoll for all that have nothing to give or no room to take.

use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use super::job::Job;
use crate::engine::operation::Kind;
use crate::host::kernel::{self, Errno, syscall};

/// What became of a job that was to be parked.
pub enum Parked {
    /// It is parked, and the caller's no longer.
    Waits,
    /// It need not be: these events have come meanwhile.
    Ready(u32),
    /// Its file cannot be waited for.
    Refused(Errno),
}

/// What the epoll tells of the poller's wakeup.
pub const WAKEUP: u64 = u64::MAX;

/// The epoll, and how the poller is told of something else.
pub struct Epoll {
    fd: AtomicI32,
    /// An eventfd in the epoll.
    wakeup: AtomicI32,
    /// Whether the thread is to end.
    is_over: AtomicBool,
}

impl Epoll {
    /// None yet.
    pub const fn new() -> Self {
        Self { fd: AtomicI32::new(-1), wakeup: AtomicI32::new(-1), is_over: AtomicBool::new(false) }
    }

    /// Makes the epoll, in the calling thread's descriptor table.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn begin(&self) -> Result<(), Errno> {
        // SAFETY: makes a descriptor.
        let epoll = unsafe { syscall!(libc::SYS_epoll_create1, libc::EPOLL_CLOEXEC) }? as c_int;
        let flags = libc::EFD_CLOEXEC | libc::EFD_NONBLOCK;
        // SAFETY: makes a descriptor.
        let wakeup = unsafe { syscall!(libc::SYS_eventfd2, 0, flags) }.inspect_err(|_| kernel::close(epoll))? as c_int;
        let event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: WAKEUP };
        // SAFETY: reads the event.
        let known = unsafe { syscall!(libc::SYS_epoll_ctl, epoll, libc::EPOLL_CTL_ADD, wakeup, &raw const event) };
        known.inspect_err(|_| close_both(epoll, wakeup))?;
        self.is_over.store(false, Ordering::Relaxed);
        // Seen by the workers, which are started after this.
        self.fd.store(epoll, Ordering::Relaxed);
        self.wakeup.store(wakeup, Ordering::Relaxed);
        Ok(())
    }

    /// The poller is to start workers, or to end.
    pub fn notify(&self) {
        let one = 1u64;
        // SAFETY: reads eight bytes.
        let _ = unsafe { syscall!(libc::SYS_write, self.wakeup.load(Ordering::Relaxed), &raw const one, 8) };
    }

    /// The poller is to end: nothing is parked, and no worker is left but the calling one.
    pub fn dismiss(&self) {
        // Release pairs with the Acquire of `take_wakeup`.
        self.is_over.store(true, Ordering::Release);
        self.notify();
    }

    /// Whether the poller is to end; if not, it is to start workers.
    pub fn take_wakeup(&self) -> bool {
        let mut count = 0u64;
        // SAFETY: fills eight bytes.
        let _ = unsafe { syscall!(libc::SYS_read, self.wakeup.load(Ordering::Relaxed), &raw mut count, 8) };
        self.is_over.load(Ordering::Acquire)
    }

    /// What has happened, if need be after a wait of so many milliseconds; -1: without end. How many events.
    pub fn wait(&self, events: &mut [libc::epoll_event], most_ms: c_int) -> usize {
        let fd = self.fd.load(Ordering::Relaxed);
        // SAFETY: fills as many events as there is room for. No signal mask is given.
        let seen =
            unsafe { syscall!(libc::SYS_epoll_pwait, fd, events.as_mut_ptr(), events.len(), most_ms as isize, 0, 8) };
        seen.unwrap_or(0).min(events.len())
    }

    /// Ends the epoll. For the poller.
    pub fn end(&self) {
        close_both(self.fd.swap(-1, Ordering::Relaxed), self.wakeup.swap(-1, Ordering::Relaxed));
    }

    /// Parks a job that the caller owns until one of `events` is true of its file.
    pub fn park(&self, job: &'static Job, events: u32) -> Parked {
        let epoll = self.fd.load(Ordering::Relaxed);
        let task = job.task();
        // What was seen before is old.
        let _ = job.take_events();
        let event = libc::epoll_event {
            events: events | libc::EPOLLONESHOT as u32,
            u64: u64::from(job.life()) << 32 | u64::from(job.number()),
        };
        let command = if job.is_registered.get() { libc::EPOLL_CTL_MOD } else { libc::EPOLL_CTL_ADD };
        // Set before the epoll's thread can have the job.
        let before = job.is_registered.replace(true);
        // SAFETY: reads the event.
        let known = unsafe { syscall!(libc::SYS_epoll_ctl, epoll, command, task.fd, &raw const event) };
        if let Err(errno) = known {
            job.is_registered.set(before);
            // A file that cannot be waited for is always ready to be read and written, as poll(2) says.
            let always = (libc::POLLIN | libc::POLLOUT | libc::POLLRDNORM | libc::POLLWRNORM) as u32;
            return match errno {
                Errno(libc::EPERM) if task.kind == Kind::Poll && events & always != 0 => Parked::Ready(events & always),
                // As the kernel's AIO says it.
                Errno(libc::EPERM) if task.kind == Kind::Poll => Parked::Refused(Errno(libc::EINVAL)),
                errno => Parked::Refused(errno),
            };
        }
        // From here on another thread may own it, unless that was too early.
        if job.park() { Parked::Waits } else { Parked::Ready(job.take_events()) }
    }

    /// Takes a job that the caller owns out of the epoll.
    pub fn forget(&self, job: &'static Job) {
        if job.is_registered.replace(false) {
            let unused = libc::epoll_event { events: 0, u64: 0 };
            let epoll = self.fd.load(Ordering::Relaxed);
            // SAFETY: takes numbers; the event is not read.
            let _ =
                unsafe { syscall!(libc::SYS_epoll_ctl, epoll, libc::EPOLL_CTL_DEL, job.task().fd, &raw const unused) };
        }
    }
}

fn close_both(epoll: c_int, stop: c_int) {
    kernel::close(epoll);
    kernel::close(stop);
}
