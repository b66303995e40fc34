//! `io_destroy`: the end of a context, after everything that was submitted in it.

use super::context::Used;
use super::{cancel, contexts};
use crate::host::kernel::Errno;

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
    used.await_users();
    cancel::endless(&used);
    used.await_requests();
    contexts::dispose(used, mapped);
    Ok(0)
}
