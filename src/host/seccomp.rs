//! What a seccomp filter makes of a system call, found out where nothing can come of it: in a child process.
//!
//! A filter may end the process (`SECCOMP_RET_KILL`, systemd's default) or run a handler of the program's
//! (`SECCOMP_RET_TRAP`), so a call that it may be about is not simply tried. The child shares with the program a page for
//! its answers, and the table of descriptors: the end of a copy would close every file once more, and a file server would
//! be asked to flush each. It has no handlers, dumps no core, and is seen by no `wait` of the program's that does not ask
//! for such children.

use core::ffi::{c_int, c_long};
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize, Ordering};
use core::time::Duration;

use super::filter_program;
use super::futex::{self, Deadline};
use super::kernel::{self, Errno, call6, syscall};
use super::thread;

/// A filter may hand the call to a supervisor, who may take its time.
const CHILD_LIMIT_MS: u64 = 2_000;

/// Calls of one question, at most.
const MAX_CALLS: usize = 4;

/// A system call: its number, and its first two arguments; the others are 0.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub number: c_long,
    pub arguments: [usize; 2],
}

/// What came of the calls, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Each was answered, by the kernel or by the filter: with 0 and more, or `-errno`.
    All([i64; MAX_CALLS]),
    /// The call at this place ended the child, or was not answered in time.
    Ended(usize),
}

/// Whether a filter is active in the calling thread. Where that cannot be asked, one is.
#[must_use]
pub fn is_active() -> bool {
    // SAFETY: asks for a number.
    match unsafe { syscall!(libc::SYS_prctl, libc::PR_GET_SECCOMP, 0, 0, 0, 0) } {
        Ok(mode) => mode != 0,
        // A kernel without filters.
        Err(Errno(libc::EINVAL)) => false,
        Err(_) => true,
    }
}

/// How often the program was seen to set a filter.
static SET: AtomicU32 = AtomicU32::new(0);

/// The program is about to set a filter.
pub fn note_set() {
    // Relaxed here and below: a thread asks about filters that it has set itself, or knows of.
    SET.fetch_add(1, Ordering::Relaxed);
}

/// Changes when the program sets a filter.
#[must_use]
pub fn times_set() -> u32 {
    SET.load(Ordering::Relaxed)
}

/// The program has set a filter that [confines](note_filter).
static CONFINES: AtomicBool = AtomicBool::new(false);

/// The last of these filters lets `io_pgetevents` through and not `io_getevents`.
static LACKS_GETEVENTS: AtomicBool = AtomicBool::new(false);

/// The program is about to set this filter. Whether it is a list of what the program itself calls: it lets the kernel's AIO
/// through, and ends the process at calls that the library would make in its place. Such a filter may be one thread's; which
/// of them will make a context cannot be known, so all count.
pub fn note_filter(filter: &[libc::sock_filter]) {
    const AIO: [c_long; 2] = [libc::SYS_io_setup, libc::SYS_io_submit];
    // In every context, or on the way of every request.
    const OURS: [c_long; 4] = [libc::SYS_getpid, libc::SYS_mremap, libc::SYS_statx, libc::SYS_preadv2];
    let lets_through = |&number: &c_long| filter_program::lets_through(filter, number) == Some(true);
    let ends = |&number: &c_long| filter_program::ends(filter, number) == Some(true);
    // libaio's io_getevents makes the one or, in Debian 13, the other.
    let getevents = lets_through(&libc::SYS_io_getevents);
    let gives_events = getevents || lets_through(&kernel::SYS_IO_PGETEVENTS);
    if AIO.iter().all(lets_through) && gives_events && OURS.iter().any(ends) {
        LACKS_GETEVENTS.store(!getevents, Ordering::Relaxed);
        CONFINES.store(true, Ordering::Relaxed);
    }
}

/// Whether the program has set such a filter. Relaxed: a thread asks about one that it has set itself, or knows of.
#[inline]
#[must_use]
pub fn confines() -> bool {
    CONFINES.load(Ordering::Relaxed)
}

/// Whether under such a filter `io_pgetevents` is to be called where the program calls libaio's `io_getevents`. Relaxed: as
/// [`confines`].
#[inline]
#[must_use]
pub fn lacks_getevents() -> bool {
    LACKS_GETEVENTS.load(Ordering::Relaxed)
}

/// The page that both processes see.
struct Shared {
    /// How many calls have begun.
    begun: AtomicUsize,
    answers: [AtomicI64; MAX_CALLS],
}

/// Tries the calls in a child process, in order, until one ends it.
///
/// # Errors
/// `EAGAIN`, `ENOMEM`, `EPERM`: there can be no child.
///
/// # Safety
/// The calls do no harm in a copy of this process, and make and close no descriptor.
pub unsafe fn try_in_child(calls: &[Call]) -> Result<Answer, Errno> {
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    let length = size_of::<Shared>();
    // SAFETY: a new mapping at an address of the kernel's choice.
    let page = unsafe { syscall!(libc::SYS_mmap, 0, length, libc::PROT_READ | libc::PROT_WRITE, flags, -1isize, 0) }?;
    // SAFETY: mapped above; zeroed atomics are valid.
    let shared = unsafe { &*ptr::with_exposed_provenance::<Shared>(page) };
    // The child must not be left by a handler either.
    let blocked = thread::block_all_departures();
    // Neither shared memory nor a signal at its end.
    // SAFETY: the child has a copy of everything but the descriptors and goes on in this function.
    let child = kernel::check(unsafe { call6(libc::SYS_clone, libc::CLONE_FILES as usize, 0, 0, 0, 0, 0) });
    if child == Ok(0) {
        // SAFETY: this is the child.
        unsafe { try_and_end(calls, shared) };
    }
    thread::restore_signals(blocked);
    let answer = child.map(|child| {
        let ended_well = wait_for(child as c_int);
        let answers = core::array::from_fn(|place| shared.answers[place].load(Ordering::Relaxed));
        let begun = shared.begun.load(Ordering::Relaxed);
        if ended_well { Answer::All(answers) } else { Answer::Ended(begun.saturating_sub(1)) }
    });
    // SAFETY: mapped above.
    let _ = unsafe { syscall!(libc::SYS_munmap, page, length) };
    answer
}

/// Waits for the child, and ends it where it takes too long. Whether it has ended by itself.
fn wait_for(child: c_int) -> bool {
    let deadline = Deadline::after(Duration::from_millis(CHILD_LIMIT_MS));
    let mut status: c_int = 0;
    let wait = |status: &mut c_int, how: c_int| {
        // SAFETY: writes the status.
        unsafe { syscall!(libc::SYS_wait4, child, ptr::from_mut(status), how | libc::__WALL, 0) }
    };
    loop {
        match wait(&mut status, libc::WNOHANG) {
            Ok(0) if !deadline.is_over() => futex::sleep_50us(),
            Ok(0) => {
                // SAFETY: a child of this process that was not waited for yet.
                let _ = unsafe { syscall!(libc::SYS_kill, child, libc::SIGKILL) };
                let _ = wait(&mut status, 0);
                return false;
            }
            Ok(_) => return libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
            Err(Errno(libc::EINTR)) => {}
            // The program waits for all children of every kind, and was sooner.
            Err(_) => return false,
        }
    }
}

/// What the child does.
///
/// # Safety
/// The calling process is the child.
unsafe fn try_and_end(calls: &[Call], shared: &Shared) -> ! {
    /// The kernel's `struct sigaction`: all zeros are the default action.
    type Action = [usize; 4];
    let action: Action = [libc::SIG_DFL, 0, 0, 0];
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: changes this process alone.
    unsafe {
        let _ = syscall!(libc::SYS_rt_sigaction, libc::SIGSYS, action.as_ptr(), 0, size_of::<thread::SignalSet>());
        let _ = syscall!(libc::SYS_prlimit64, 0, libc::RLIMIT_CORE, &raw const no_core, 0);
        let _ = syscall!(libc::SYS_prctl, libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
    for (call, answer) in calls.iter().zip(&shared.answers) {
        shared.begun.fetch_add(1, Ordering::Relaxed);
        let [a, b] = call.arguments;
        // SAFETY: the caller of `try_in_child` vouches for it.
        answer.store(unsafe { call6(call.number, a, b, 0, 0, 0, 0) } as i64, Ordering::Relaxed);
    }
    loop {
        // SAFETY: ends this process.
        let _ = unsafe { call6(libc::SYS_exit_group, 0, 0, 0, 0, 0, 0) };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::{Answer, Call, is_active, try_in_child};
    use crate::host::kernel::{Errno, call6, syscall};

    const SECCOMP_RET_KILL_PROCESS: u32 = 0x8000_0000;
    const SECCOMP_RET_KILL_THREAD: u32 = 0;
    const SECCOMP_RET_TRAP: u32 = 0x0003_0000;
    const SECCOMP_RET_ERRNO: u32 = 0x0005_0000;

    /// Two calls that are harmless in every process: the second is what a filter is about.
    fn ask() -> Result<Answer, Errno> {
        let getppid = Call { number: libc::SYS_getppid, arguments: [0; 2] };
        let getsid = Call { number: libc::SYS_getsid, arguments: [usize::MAX >> 33, 0] };
        // SAFETY: asks for numbers.
        unsafe { try_in_child(&[getppid, getsid]) }
    }

    /// Does what `work` does in a child of this process, with a filter that answers `getsid` so.
    fn under(filter: u32, work: fn() -> bool) -> bool {
        let statement = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
        let mut filter = [
            statement((libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, 0, 0, 0),
            statement((libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, 0, 1, libc::SYS_getsid as u32),
            statement((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, filter),
            statement((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0x7fff_0000),
        ];
        let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
        extern "C" fn handler(_: libc::c_int) {
            // SAFETY: ends the process: a handler of the program's has run.
            let _ = unsafe { call6(libc::SYS_exit_group, 3, 0, 0, 0, 0, 0) };
        }
        // SAFETY: the child makes system calls alone.
        unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::signal(libc::SIGSYS, handler as extern "C" fn(libc::c_int) as usize);
                syscall!(libc::SYS_prctl, libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).unwrap();
                syscall!(libc::SYS_prctl, libc::PR_SET_SECCOMP, 2, &raw const program, 0, 0).unwrap();
                let code = usize::from(!(is_active() && work()));
                let _ = call6(libc::SYS_exit_group, code, 0, 0, 0, 0, 0);
            }
            let mut status = 0;
            assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
            libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it needs the kernel")]
    fn what_ends_the_child_is_named_and_what_is_answered_is_told() {
        // SAFETY: asks for a number.
        let this = unsafe { call6(libc::SYS_getpid, 0, 0, 0, 0, 0, 0) } as i64;
        assert_eq!(ask(), Ok(Answer::All([this, -i64::from(libc::ESRCH), 0, 0])));
        for kills in [SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP] {
            assert!(under(kills, || ask() == Ok(Answer::Ended(1))), "{kills:x}");
        }
        assert!(under(SECCOMP_RET_ERRNO | libc::EPERM as u32, || matches!(ask(), Ok(Answer::All([_, -1, ..])))));
    }
}
