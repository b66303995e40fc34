//! `io_destroy`: ends a context, after all requests that were submitted in it.

use core::time::Duration;

use crate::engine;
use crate::host::kernel::Errno;
use crate::libaio::context::ContextRef;
use crate::libaio::registry::{self, Remains};
use crate::libaio::{kernel_aio, outstanding};

/// How long requests may take before those that may wait for ever are cancelled again: a request that was just being begun
/// at one moment can be stopped at another. Doubles up to the second value.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LAST_WAIT: Duration = Duration::from_secs(1);

/// `io_destroy(2)`. Threads that wait in the context wake with `EINVAL`; what may wait for ever (polls, streams) is
/// cancelled, and all else is waited for: when this returns, no buffer is used any more.
///
/// # Errors
/// `EINVAL`: another call destroys it already.
pub fn destroy(context: ContextRef) -> Result<usize, Errno> {
    if !context.carriage.is_kernels() {
        return end(context, true);
    }
    let address = context.address();
    if !context.mark_destroyed() {
        return Err(Errno(libc::EINVAL));
    }
    // Out of the table first: the address may be another context's the moment it is unmapped.
    let is_alone = context.await_users();
    registry::dispose(context, Remains { is_mapped: false, is_alone });
    kernel_aio::destroy(address)
}

/// The program has unmapped the ring without `io_destroy`: the context is gone. (One that the kernel carries lives on there,
/// out of reach, until the process ends, as it does without the library.)
pub fn unmapped(context: ContextRef) {
    if !context.carriage.is_kernels() {
        let _ = end(context, false);
    } else if context.mark_destroyed() {
        let is_alone = context.await_users();
        registry::dispose(context, Remains { is_mapped: false, is_alone });
    }
}

fn end(context: ContextRef, is_mapped: bool) -> Result<usize, Errno> {
    if !context.mark_destroyed() {
        return Err(Errno(libc::EINVAL));
    }
    let is_alone = context.await_users();
    let mut wait = FIRST_WAIT;
    while let Some(engines) = engine::started() {
        let outcome = engines.cancel(outstanding::endless_of(&context));
        // The engines' own count decides: the context may have noted requests whose call was left before it submitted them.
        if outcome.refused == 0 && engines.count(outstanding::all_of(&context)) == 0 {
            break;
        }
        context.await_event(wait);
        wait = (wait * 2).min(LAST_WAIT);
    }
    registry::dispose(context, Remains { is_mapped, is_alone });
    Ok(0)
}
