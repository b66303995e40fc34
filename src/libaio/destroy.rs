//! `io_destroy`: the end of a context, after everything that was submitted in it.

use core::time::Duration;

use super::context::Used;
use super::{cancel, contexts};
use crate::engine::private;
use crate::host::kernel::Errno;

/// How long the cancelling may take before it is tried again, at first and at last.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_secs(1);

/// `io_destroy(2)`. Sleepers in the context wake with `EINVAL`; what may wait for ever (polls, streams) is cancelled, and
/// what is left is waited for: when this returns, no buffer is used any more.
///
/// # Errors
/// `EINVAL`: another call destroys it already.
pub fn destroy(used: Used) -> Result<usize, Errno> {
    end(used, true)
}

/// The program has unmapped the ring without a word: the context is none any more.
pub fn lost(used: Used) {
    let _ = end(used, false);
}

fn end(used: Used, mapped: bool) -> Result<usize, Errno> {
    if !used.kill() {
        return Err(Errno(libc::EINVAL));
    }
    let alone = used.await_users();
    let mut patience = FIRST_LOOK;
    // What could not be stopped at one moment, because it was just being begun, can be at another.
    loop {
        private::settle_desks();
        if used.habit.0.private() > 0 {
            used.fetch();
        }
        cancel::endless(&used);
        if used.await_requests(patience) {
            break;
        }
        patience = (patience * 2).min(LAST_LOOK);
    }
    contexts::dispose(used, mapped, alone);
    Ok(0)
}
