//! Waiting for streams: one thread and one epoll for all that have nothing to give or no room to take.

use core::ffi::{c_int, c_void};
use core::sync::atomic::Ordering;

use super::job::{Job, place};
use super::shared::Shared;
use crate::engine::operation::Kind;
use crate::host::kernel::{self, Errno, syscall};
use crate::host::thread;

/// Whether a job waits.
pub enum Parked {
    /// It does, and is the caller's no longer.
    Waits,
    /// It need not: these events have come meanwhile.
    Ready(u32),
    /// It cannot.
    Refused(Errno),
}

/// Makes the epoll of the calling thread's table, and starts its thread.
///
/// # Errors
/// What the kernel answers.
pub fn start(shared: &'static Shared) -> Result<(), Errno> {
    // SAFETY: makes a descriptor.
    let epoll = unsafe { syscall!(libc::SYS_epoll_create1, libc::EPOLL_CLOEXEC) }? as c_int;
    // Release pairs with the Acquire of the threads that use it.
    shared.epoll.store(epoll, Ordering::Release);
    thread::start(body, core::ptr::from_ref(shared).cast_mut().cast()).inspect_err(|_| {
        shared.epoll.store(-1, Ordering::Release);
        kernel::close(epoll);
    })
}

/// Leaves a job that the caller owns until one of `events` is true of its file.
pub fn park(shared: &Shared, job: &'static Job, events: u32) -> Parked {
    let epoll = shared.epoll.load(Ordering::Acquire);
    let task = job.task();
    // Whatever was seen before is old.
    let _ = job.seen();
    let event = libc::epoll_event {
        events: events | libc::EPOLLONESHOT as u32,
        u64: u64::from(job.life()) << 32 | place(shared.table, job) as u64,
    };
    let command = if job.registered.get() { libc::EPOLL_CTL_MOD } else { libc::EPOLL_CTL_ADD };
    // Set before the epoll's thread can have the job.
    let before = job.registered.replace(true);
    // SAFETY: reads the event.
    let known = unsafe { syscall!(libc::SYS_epoll_ctl, epoll, command, task.fd, &raw const event) };
    if let Err(errno) = known {
        job.registered.set(before);
        // A file that cannot be waited for is always ready to be read and written, as poll(2) says.
        let always = (libc::POLLIN | libc::POLLOUT | libc::POLLRDNORM | libc::POLLWRNORM) as u32;
        match errno {
            Errno(libc::EPERM) if task.kind == Kind::Poll && events & always == 0 => {}
            Errno(libc::EPERM) if task.kind == Kind::Poll => return Parked::Ready(events & always),
            errno => return Parked::Refused(errno),
        }
    }
    // From here on another thread may own it, unless that was too early.
    if job.leave() { Parked::Waits } else { Parked::Ready(job.seen()) }
}

/// Takes a job that the caller owns out of the epoll.
pub fn forget(shared: &Shared, job: &'static Job) {
    if job.registered.replace(false) {
        let unused = libc::epoll_event { events: 0, u64: 0 };
        let (epoll, fd) = (shared.epoll.load(Ordering::Acquire), job.task().fd);
        // SAFETY: takes numbers; the event is not read.
        let _ = unsafe { syscall!(libc::SYS_epoll_ctl, epoll, libc::EPOLL_CTL_DEL, fd, &raw const unused) };
    }
}

extern "C" fn body(shared: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passed the shared, which lives as long as the process.
    let shared: &'static Shared = unsafe { &*shared.cast::<Shared>() };
    thread::set_name(c"uringaio");
    let epoll = shared.epoll.load(Ordering::Acquire);
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 64];
    loop {
        // SAFETY: fills as many events as there is room for. No signal mask is given.
        let seen = unsafe { syscall!(libc::SYS_epoll_pwait, epoll, events.as_mut_ptr(), events.len(), -1isize, 0, 8) };
        for event in &events[..seen.unwrap_or(0).min(events.len())] {
            let (data, seen) = (event.u64, event.events);
            // The phase tells whether the job is still meant.
            if let Some(job) = shared.table.get((data & 0xffff_ffff) as usize)
                && job.fire((data >> 32) as u32, seen)
            {
                proceed(shared, job, seen);
            }
        }
    }
}

/// Goes on with a job that this thread has taken from the epoll.
fn proceed(shared: &'static Shared, job: &'static Job, seen: u32) {
    if job.task().kind == Kind::Poll {
        return shared.finish(job, seen.into());
    }
    job.next.set(None);
    if !shared.streams.push(shared, job, job, 1) {
        while let Some(job) = shared.streams.pop() {
            shared.run(job);
        }
    }
}
