//! `io_destroy`: the end of a context, after everything that was submitted in it.

use core::time::Duration;

use super::context::Used;
use super::{cancel, kernel_aio, registry};
use crate::engine;
use crate::host::kernel::Errno;

/// How long requests may take before those that may wait for ever are cancelled again: one that was just being begun at one
/// moment can be stopped at another.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_secs(1);

/// `io_destroy(2)`. Sleepers in the context wake with `EINVAL`; what may wait for ever (polls, streams) is cancelled, and
/// what is left is waited for: when this returns, no buffer is used any more.
///
/// # Errors
/// `EINVAL`: another call destroys it already.
pub fn destroy(used: Used) -> Result<usize, Errno> {
    if used.carriage.is_kernels() {
        let address = used.address();
        if !used.kill() {
            return Err(Errno(libc::EINVAL));
        }
        // Out of the table first: the address may be another context's the moment it is unmapped.
        let alone = used.await_users();
        registry::dispose(used, false, alone);
        return kernel_aio::destroy(address);
    }
    end(used, true)
}

/// The program has unmapped the ring without a word: the context is none any more. (One that the kernel carries lives on
/// there, out of reach, until the process ends; that is the kernel's own way.)
pub fn lost(used: Used) {
    if used.carriage.is_kernels() {
        if used.kill() {
            let alone = used.await_users();
            registry::dispose(used, false, alone);
        }
        return;
    }
    let _ = end(used, false);
}

fn end(used: Used, mapped: bool) -> Result<usize, Errno> {
    if !used.kill() {
        return Err(Errno(libc::EINVAL));
    }
    let alone = used.await_users();
    let mut look = FIRST_LOOK;
    while let Some(engines) = engine::started() {
        let outcome = engines.cancel(cancel::endless_of(&used));
        // The engines know what there is; the count may be of requests that a call was kept from submitting.
        if outcome.refused == 0 && engines.count(cancel::all_of(&used)) == 0 {
            break;
        }
        used.await_event(look);
        look = (look * 2).min(LAST_LOOK);
    }
    registry::dispose(used, mapped, alone);
    Ok(0)
}
