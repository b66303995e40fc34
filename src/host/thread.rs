//! Threads of the library: every signal blocked, a small stack, a name, scheduled as the process is.

use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};

use super::dlsym_next::Next;
use super::fork::PerProcess;
use super::futex::{self, Deadline};
use super::kernel::{self, Errno};
use super::signal_mask;
pub use super::signal_mask::{
    SignalSet, block_all_departures, block_all_signals, blocks, pending_signals, restore_signals,
};
use super::this_thread::others;
pub use super::this_thread::{NAME, pointer, set_name};
use super::{memory, scheduling};

/// What a thread runs, with the pointer that it was started with. The result is not used.
pub type Body = extern "C" fn(*mut c_void) -> *mut c_void;

unsafe extern "C" {
    // Not among the libc crate's.
    fn pthread_attr_setinheritsched(attributes: *mut libc::pthread_attr_t, how: c_int) -> c_int;
    fn pthread_attr_setschedpolicy(attributes: *mut libc::pthread_attr_t, policy: c_int) -> c_int;
    fn pthread_attr_setschedparam(attributes: *mut libc::pthread_attr_t, priority: *const libc::sched_param) -> c_int;
    fn pthread_setaffinity_np(thread: libc::pthread_t, bytes: usize, cpus: *const u64) -> c_int;
}

/// A new thread is scheduled as its creator is.
const PTHREAD_INHERIT_SCHED: c_int = 0;
/// A new thread is scheduled as its attributes say.
const PTHREAD_EXPLICIT_SCHED: c_int = 1;

/// For the library's frames, beside what the C library takes from a stack for itself and for thread-local storage.
/// Under `mlockall(MCL_FUTURE)` every byte of it is real memory, so it is small.
const STACK_BYTES: usize = 96 * 1024;

/// What a new thread is told. It waits for the gate, and then frees this.
struct Launch {
    body: Body,
    argument: *mut c_void,
    runs: Runs,
    /// 1 once the thread's CPUs are set.
    gate: AtomicU32,
}

/// Whose code a thread runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// The library's alone: it makes no use of the program's descriptors but as it is told to.
    Library,
    /// The program's, too.
    Program,
}

/// How many threads there are that run the library's code alone: never more than the kernel counts.
static HELPERS: PerProcess<AtomicU32> = PerProcess::new(12);

/// Whether the process has no other thread. Not where that cannot be known.
#[must_use]
pub fn is_alone() -> bool {
    others() == Some(0)
}

/// Whether all others run the library's code alone.
#[must_use]
pub fn is_alone_but_for_helpers() -> bool {
    // Relaxed: one that begins or ends now is taken for the program's, as the kernel's workers for io_uring are.
    let helpers = HELPERS.get().map_or(0, |count| count.load(Ordering::Relaxed));
    others() == Some(helpers)
}

/// Starts a detached thread that runs `body(argument)` with every signal blocked: the program's handlers never run on
/// it, and a signal sent to the process is delivered to a thread of the program. How the calling thread is scheduled
/// does not matter; see [`scheduling`].
///
/// # Errors
/// `EAGAIN` or `ENOMEM`: there can be no thread.
pub fn start(body: Body, argument: *mut c_void) -> Result<(), Errno> {
    start_as(body, argument, Runs::Library, libc::PTHREAD_CREATE_DETACHED).map(drop)
}

/// The same, for a thread that runs code of the program's.
///
/// # Errors
/// As for [`start`].
pub fn start_for_program(body: Body, argument: *mut c_void) -> Result<(), Errno> {
    start_as(body, argument, Runs::Program, libc::PTHREAD_CREATE_DETACHED).map(drop)
}

/// The same, for a thread that is to be joined.
///
/// # Errors
/// As for [`start`].
pub fn start_joinable(body: Body, argument: *mut c_void) -> Result<JoinHandle, Errno> {
    start_as(body, argument, Runs::Library, libc::PTHREAD_CREATE_JOINABLE).map(JoinHandle)
}

/// A thread that is to be joined or detached, once.
pub struct JoinHandle(libc::pthread_t);

impl JoinHandle {
    /// That of the calling thread, if its creator does not use the one that it has.
    #[must_use]
    pub fn of_this_thread() -> Self {
        // SAFETY: takes no arguments.
        Self(unsafe { libc::pthread_self() })
    }

    /// Nothing waits for the thread's end.
    pub fn detach(self) {
        // SAFETY: each thread is detached or joined once.
        unsafe { libc::pthread_detach(self.0) };
    }

    /// Waits until the thread has ended, for the C library and for the kernel.
    pub fn join(self) {
        // SAFETY: each thread is detached or joined once.
        unsafe { libc::pthread_join(self.0, core::ptr::null_mut()) };
    }
}

fn start_as(body: Body, argument: *mut c_void, runs: Runs, detached: c_int) -> Result<libc::pthread_t, Errno> {
    // SAFETY: errno is this thread's. The C library may set it on its way to a thread (glibc on aarch64 does); libaio's
    // functions leave it alone.
    let errno = unsafe { *libc::__errno_location() };
    // Neither a jump nor a cancellation leaves a thread before its gate.
    let blocked = block_all_departures();
    let started = launch(body, argument, runs, detached);
    restore_signals(blocked);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
    started
}

fn launch(body: Body, argument: *mut c_void, runs: Runs, detached: c_int) -> Result<libc::pthread_t, Errno> {
    let launch = Box::into_raw(memory::boxed(Launch { body, argument, runs, gate: AtomicU32::new(0) })?);
    let thread = match create(launch.cast(), detached, PTHREAD_EXPLICIT_SCHED) {
        // The kernel refuses SCHED_OTHER to an unprivileged thread that is SCHED_IDLE.
        Err(Errno(libc::EPERM)) => create(launch.cast(), detached, PTHREAD_INHERIT_SCHED),
        answer => answer,
    };
    let thread = thread.inspect_err(|_| {
        // SAFETY: made above; no thread knows it.
        drop(unsafe { Box::from_raw(launch) });
    })?;
    let cpus = scheduling::helper_cpus();
    let (mask, bytes) = cpus.as_raw();
    // SAFETY: the thread waits for its gate, so it exists; the mask is read. Where the kernel refuses it (the process
    // has been given other CPUs since), the thread keeps its creator's. It cannot set its own: its creator may not let
    // it run.
    unsafe { pthread_setaffinity_np(thread, bytes, mask) };
    // SAFETY: the thread frees this once it has seen the gate open, which is the last that is done with it here.
    let gate = unsafe { &raw const (*launch).gate };
    // Release pairs with the Acquire of `begin`.
    // SAFETY: as above.
    unsafe { &*gate }.store(1, Ordering::Release);
    futex::wake(gate, 1);
    Ok(thread)
}

extern "C" fn begin(launch: *mut c_void) -> *mut c_void {
    let launch = launch.cast::<Launch>();
    let (body, argument, helpers) = {
        // SAFETY: this thread's, but for the gate, which its creator opens.
        let launch = unsafe { &*launch };
        let helpers = (launch.runs == Runs::Library).then(|| HELPERS.get_or_init(|| memory::boxed(AtomicU32::new(0))));
        // Where there is no memory for the count, this is taken for a thread of the program's.
        let helpers = helpers.and_then(Result::ok);
        // Relaxed here and below: nothing else is told by it.
        if let Some(count) = helpers {
            count.fetch_add(1, Ordering::Relaxed);
        }
        while launch.gate.load(Ordering::Acquire) == 0 {
            let _ = futex::wait(&launch.gate, 0, Deadline::Never);
        }
        (launch.body, launch.argument, helpers)
    };
    // SAFETY: made by `launch`, and no more used there.
    drop(unsafe { Box::from_raw(launch) });
    set_name(NAME);
    // In the program's threads cancellation was blocked for the start alone.
    restore_signals(!signal_mask::INTERNAL);
    scheduling::take_first_priorities();
    let result = body(argument);
    if let Some(count) = helpers {
        count.fetch_sub(1, Ordering::Relaxed);
    }
    result
}

fn create(launch: *mut c_void, detached: c_int, scheduling: c_int) -> Result<libc::pthread_t, Errno> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    let mut thread = 0;
    let priority = libc::sched_param { sched_priority: 0 };
    // SAFETY: the attributes are initialised first and destroyed last; setting what the C library dislikes leaves its
    // default. None of these allocates.
    let error = unsafe {
        if libc::pthread_attr_init(attributes) != 0 {
            return Err(Errno(libc::ENOMEM));
        }
        libc::pthread_attr_setdetachstate(attributes, detached);
        libc::pthread_attr_setstacksize(
            attributes,
            (least_stack() + STACK_BYTES).next_multiple_of(kernel::page_size()),
        );
        pthread_attr_setinheritsched(attributes, scheduling);
        pthread_attr_setschedpolicy(attributes, libc::SCHED_OTHER);
        pthread_attr_setschedparam(attributes, &raw const priority);
        let error = libc::pthread_create(&raw mut thread, attributes, begin, launch);
        libc::pthread_attr_destroy(attributes);
        error
    };
    if error == 0 { Ok(thread) } else { Err(Errno(error)) }
}

/// What a thread's stack must hold before its first frame, thread-local storage of the program and its libraries included, in
/// bytes. `sysconf` leaves the latter out (glibc bug 11787); Rust's standard library asks this function for the same reason.
static MINIMAL_STACK: Next = Next::new(c"__pthread_get_minstack");

/// Looks up what starting a thread needs: for the load-time hook, since the dynamic linker's lock may be held later.
pub fn look_up() {
    let _ = MINIMAL_STACK.get();
}

/// The least stack that the C library takes: more on a processor with large registers and in a program with much
/// thread-local storage, and never less than the constant that it was built with, which is all that is known where neither
/// function answers. With a smaller size a thread would get the default stack, which is as large as the program's, or none.
fn least_stack() -> usize {
    // SAFETY: asks for a number.
    let answer = unsafe { libc::sysconf(libc::_SC_THREAD_STACK_MIN) };
    let with_storage = MINIMAL_STACK.get().map_or(0, |function| {
        // SAFETY: the C library's function of this name takes attributes, which it does not use, and answers with a size.
        unsafe {
            core::mem::transmute::<*mut c_void, unsafe extern "C" fn(*const libc::pthread_attr_t) -> usize>(function)(
                core::ptr::null(),
            )
        }
    });
    usize::try_from(answer).unwrap_or(0).max(libc::PTHREAD_STACK_MIN).max(with_storage)
}
