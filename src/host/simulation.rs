//! Where a test puts a simulated kernel under the library, for one thread: it answers system calls, tells the time, and gives
//! the state that belongs to a process a place of its own.

use core::cell::Cell;
use core::ffi::c_long;
use core::ptr::NonNull;

/// What serves a thread instead of the kernel.
#[derive(Clone, Copy)]
pub struct Simulation {
    /// The answer to a system call: the kernel's result; none where the kernel itself is to answer.
    pub call: fn(number: c_long, arguments: &[usize; 6]) -> Option<isize>,
    /// Nanoseconds of every clock.
    pub now: fn() -> u64,
    /// [`ROOTS_BYTES`] zero bytes, aligned to 8, for the roots of the state of a process.
    pub roots: NonNull<u8>,
}

/// See [`Simulation::roots`].
pub const ROOTS_BYTES: usize = 4096;

thread_local! {
    static SIMULATION: Cell<Option<Simulation>> = const { Cell::new(None) };
}

/// Begins or ends a simulation for the calling thread.
pub fn set(simulation: Option<Simulation>) {
    SIMULATION.set(simulation);
}

/// The simulation's answer to a system call.
pub fn call(number: c_long, arguments: [usize; 6]) -> Option<isize> {
    (SIMULATION.get()?.call)(number, &arguments)
}

/// The simulation's time.
pub fn now() -> Option<u64> {
    SIMULATION.get().map(|simulation| (simulation.now)())
}

/// The simulated process's roots.
pub fn roots() -> Option<NonNull<u8>> {
    SIMULATION.get().map(|simulation| simulation.roots)
}
