//! A thread for one short task, made without the C library: it allocates nothing, and can be started from a signal
//! handler. One that makes descriptors has a table of its own, so that none of the library's is ever seen in the program's.
//!
//! Its task takes numbers and gives a number. It may make system calls, and use no thread-local storage, for the thread
//! has its creator's. What both threads know lies in pages of their own, so that either may leave first.
//!
//! Such a table begins as a copy of the program's: for the task's few system calls it holds the program's files, and
//! when it ends a file server is asked to flush those it keeps. So it is for what cannot be found out otherwise.

use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use core::time::Duration;

use super::futex::{self, Deadline};
use super::kernel::{self, Errno, syscall};
use super::signal_mask;
use super::thread;
use super::valgrind;

/// What such a thread does.
pub type Task = fn([u64; 2]) -> u64;

const STACK_BYTES: usize = 64 * 1024;

const RUNNING: u32 = 0;
const DONE: u32 = 1;
/// Its creator waits no longer: the thread frees the pages.
const LEFT: u32 = 2;

/// In pages of its own, of which the last to leave frees them.
#[repr(C)]
struct Shared {
    state: AtomicU32,
    answer: AtomicU64,
    task: Task,
    input: [u64; 2],
}

/// Frees the pages.
///
/// # Safety
/// No other thread uses them any more.
unsafe fn free(shared: *mut Shared) {
    // SAFETY: the caller's promise.
    let _ = unsafe { syscall!(libc::SYS_munmap, shared, size_of::<Shared>()) };
}

/// Whose descriptors a thread has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// A table of its own, which begins as a copy of the program's: the task may make descriptors.
    Own,
    /// The program's: the task makes none.
    Programs,
}

/// What `task(input)` answers, which may make descriptors: none is seen in the program's table. Where the program has no
/// other thread, none can be seen there, and no thread is started: a copy of the table would have file servers asked to
/// flush. Async-signal-safe.
///
/// # Errors
/// As for [`run`].
pub fn run_unseen(task: Task, input: [u64; 2], limit_ms: u64) -> Result<u64, Errno> {
    if valgrind::is_present() || !thread::is_alone_but_for_helpers() {
        return run(Table::Own, task, input, limit_ms);
    }
    // Neither a handler nor what a jump leads to.
    let blocked = thread::block_all_departures();
    let answer = task(input);
    thread::restore_signals(blocked);
    Ok(answer)
}

/// What `task(input)` answers, from a thread of its own, if it does within `limit_ms`. Async-signal-safe.
///
/// # Errors
/// `EAGAIN`, `ENOMEM`, `EPERM`: no such thread can be started; `ENOSYS`: Valgrind, which ends a process at such a `clone`;
/// `ETIMEDOUT`.
pub fn run(table: Table, task: Task, input: [u64; 2], limit_ms: u64) -> Result<u64, Errno> {
    if valgrind::is_present() {
        return Err(Errno(libc::ENOSYS));
    }
    // A jump out of the wait would leave the pages behind.
    let blocked = thread::block_all_departures();
    let answer = run_blocked(table, task, input, limit_ms);
    thread::restore_signals(blocked);
    answer
}

fn run_blocked(table: Table, task: Task, input: [u64; 2], limit_ms: u64) -> Result<u64, Errno> {
    let shared = kernel::map(size_of::<Shared>())?.cast::<Shared>();
    // SAFETY: pages of this function's. The thread gets them once they are whole.
    unsafe { shared.write(Shared { state: AtomicU32::new(RUNNING), answer: AtomicU64::new(0), task, input }) };
    let started = kernel::map(STACK_BYTES).and_then(|stack| {
        // SAFETY: the stack is new; `body` frees neither.
        unsafe { clone(table, stack.cast(), shared) }.inspect_err(|_| {
            // SAFETY: no thread has it.
            let _ = unsafe { syscall!(libc::SYS_munmap, stack, STACK_BYTES) };
        })
    });
    if let Err(errno) = started {
        // SAFETY: no thread has them.
        unsafe { free(shared) };
        return Err(errno);
    }
    let deadline = Deadline::after(Duration::from_millis(limit_ms));
    // SAFETY: the thread frees the pages only if it finds them left.
    let state = unsafe { &(*shared).state };
    // Acquire pairs with the Release of `body`: the answer is seen.
    while state.load(Ordering::Acquire) == RUNNING && !deadline.is_over() {
        let _ = futex::wait(state, RUNNING, deadline);
    }
    if state.compare_exchange(RUNNING, LEFT, Ordering::AcqRel, Ordering::Acquire).is_ok() {
        return Err(Errno(libc::ETIMEDOUT));
    }
    // SAFETY: the thread is done with them.
    unsafe {
        let answer = (*shared).answer.load(Ordering::Relaxed);
        free(shared);
        Ok(answer)
    }
}

extern "C" fn body(shared: *mut c_void) {
    let shared = shared.cast::<Shared>();
    // SAFETY: the pages stay until both have left.
    let (task, input) = unsafe { ((*shared).task, (*shared).input) };
    let answer = task(input);
    // SAFETY: the same.
    let state = unsafe {
        (*shared).answer.store(answer, Ordering::Relaxed);
        &raw const (*shared).state
    };
    // Release pairs with the Acquire of `run_blocked`, which then frees the pages: a wake needs the address alone.
    // SAFETY: the same.
    match unsafe { &*state }.compare_exchange(RUNNING, DONE, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => futex::wake(state, 1),
        // SAFETY: its creator has left.
        Err(_) => unsafe { free(shared) },
    }
}

/// Makes the thread: it calls `body(shared)`, gives its stack back, and ends. Every signal is blocked in it.
///
/// # Safety
/// There are `STACK_BYTES` at `stack`, for this thread alone; `shared` is as `body` wants it.
unsafe fn clone(table: Table, stack: *mut u8, shared: *mut Shared) -> Result<(), Errno> {
    let files = if table == Table::Programs { libc::CLONE_FILES } else { 0 };
    let flags =
        files | libc::CLONE_VM | libc::CLONE_FS | libc::CLONE_SIGHAND | libc::CLONE_THREAD | libc::CLONE_SYSVSEM;
    // The C library's own signals too: their handlers would take this thread for another.
    let blocked = signal_mask::block_everything();
    // SAFETY: the caller's promise.
    let answer = unsafe { clone_raw(flags as usize, stack, shared.cast()) };
    thread::restore_signals(blocked);
    kernel::check(answer).map(drop)
}

/// # Safety
/// As for [`clone`].
#[cfg(target_arch = "x86_64")]
unsafe fn clone_raw(flags: usize, stack: *mut u8, shared: *mut c_void) -> isize {
    let answer: isize;
    // SAFETY: the new thread begins behind the first system call on its own stack, and never returns from here: it ends
    // without a stack. Its creator finds its registers as they were, but for those that the instruction changes.
    unsafe {
        core::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "mov rdi, r14",
            "mov rsi, r15",
            "mov eax, {unmap}",
            "syscall",
            "xor edi, edi",
            "mov eax, {exit}",
            "syscall",
            "ud2",
            "2:",
            unmap = const libc::SYS_munmap,
            exit = const libc::SYS_exit,
            inlateout("rax") libc::SYS_clone as isize => answer,
            in("rdi") flags, in("rsi") stack.add(STACK_BYTES), in("rdx") 0, in("r10") 0, in("r8") 0,
            in("r12") shared, in("r13") body as extern "C" fn(*mut c_void), in("r14") stack, in("r15") STACK_BYTES,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    answer
}

/// # Safety
/// As for [`clone`].
#[cfg(target_arch = "aarch64")]
unsafe fn clone_raw(flags: usize, stack: *mut u8, shared: *mut c_void) -> isize {
    let answer: isize;
    // SAFETY: as on x86-64.
    unsafe {
        core::arch::asm!(
            "svc 0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, x20",
            "blr x21",
            "mov x0, x22",
            "mov x1, x23",
            "mov x8, {unmap}",
            "svc 0",
            "mov x0, xzr",
            "mov x8, {exit}",
            "svc 0",
            "brk 1",
            "2:",
            unmap = const libc::SYS_munmap,
            exit = const libc::SYS_exit,
            in("x8") libc::SYS_clone,
            inlateout("x0") flags => answer,
            in("x1") stack.add(STACK_BYTES), in("x2") 0, in("x3") 0, in("x4") 0,
            in("x20") shared, in("x21") body as extern "C" fn(*mut c_void), in("x22") stack, in("x23") STACK_BYTES,
            options(nostack),
        );
    }
    answer
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::{Table, run};
    use crate::host::futex;
    use crate::host::kernel::{self, Errno, syscall};
    use crate::host::proc_file::scan;

    #[test]
    #[cfg_attr(miri, ignore = "it needs the kernel")]
    fn a_task_answers_from_a_thread_with_a_table_of_its_own() {
        fn own_table([fd, process]: [u64; 2]) -> u64 {
            kernel::close(fd as i32);
            let name = scan(c"/proc/thread-self/comm", |bytes| Some(bytes.len() as u64)).unwrap_or(None);
            let same_process = kernel::process_id() as u64 == process;
            name.map_or(0, |length| u64::from(length > 1 && same_process) + 1)
        }
        let mut ends = [-1; 2];
        // SAFETY: writes the two numbers.
        unsafe { syscall!(libc::SYS_pipe2, ends.as_mut_ptr(), 0) }.unwrap();
        for _ in 0..100 {
            assert_eq!(run(Table::Own, own_table, [ends[0] as u64, std::process::id().into()], 10_000), Ok(2));
        }
        // SAFETY: asks for flags.
        unsafe { syscall!(libc::SYS_fcntl, ends[0], libc::F_GETFD) }.unwrap();
        for end in ends {
            kernel::close(end);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it needs the kernel")]
    fn a_creator_waits_no_longer_than_it_wants_to() {
        fn slow(_: [u64; 2]) -> u64 {
            (0..50).for_each(|_| futex::sleep_1ms());
            1
        }
        assert_eq!(run(Table::Own, slow, [0; 2], 1), Err(Errno(libc::ETIMEDOUT)));
        assert_eq!(run(Table::Own, slow, [0; 2], 10_000), Ok(1));
    }
}
