//! The thread of the engine on io_uring.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::Ordering;

use super::failover;
use super::lifecycle::{Engine, STARTING, UNAVAILABLE};
use super::reactor::Reactor;
use super::reactor::run::End;
use super::uring::{Uring, permissions};
use crate::host::kernel::Errno;
use crate::host::log::{self, Priority};
use crate::host::settings::{self, EngineChoice};
use crate::host::thread;
use crate::stats::{self, ServedBy};

/// Starts it. To be called on a thread that has the program's descriptors.
///
/// # Errors
/// `EAGAIN` or `ENOMEM`: no thread can be started.
pub fn start(engine: &'static Engine) -> Result<(), Errno> {
    thread::start(body, ptr::from_ref(engine).cast_mut().cast())
}

extern "C" fn body(engine: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passed the engine, which lives as long as the process.
    serve(unsafe { &*engine.cast::<Engine>() });
    ptr::null_mut()
}

fn serve(engine: &'static Engine) {
    engine.begin_thread();
    let is_first = engine.state.load(Ordering::Relaxed) == STARTING;
    if !is_first {
        // The submitter need not wait for the ring.
        engine.begin_serving();
    }
    match Uring::new(&engine.doorbell) {
        Ok(device) => {
            engine.wants_signal.store(device.wants_signal().unwrap_or(0), Ordering::Relaxed);
            if is_first {
                let denied = permissions::denied();
                if denied.is_none() {
                    log::log(Priority::Info, format_args!("io_uring serves"));
                } else {
                    log::log(
                        Priority::Notice,
                        format_args!("io_uring serves, without what a restriction denies this process: {denied}"),
                    );
                }
                stats::begin(ServedBy::Uring);
                engine.begin_serving();
            }
            let mut reactor = Reactor::new(engine, device);
            match reactor.run() {
                End::Idle => {
                    // The ring ends with its thread, and so do the kernel's workers for it.
                    drop(reactor);
                    engine.rest();
                }
                End::Closed => failover::after(engine, reactor),
            }
        }
        Err(refused) => {
            let who = match settings::get().engine {
                EngineChoice::Uring => "the system's own AIO serves",
                _ => "worker threads serve",
            };
            log::log(Priority::Warning, format_args!("{who}: {refused}"));
            engine.decide(UNAVAILABLE);
            if !is_first {
                failover::forward(engine);
            }
        }
    }
}
