//! Where the memory of requests comes from, and where it goes back to be used again.
//!
//! No call waits for another in it, so a signal handler may use it, and may leave it at any point by a jump.

use super::request::{Request, RequestPtr};
use crate::host::fork::PerProcess;
use crate::host::kernel::Errno;
use crate::host::memory;
use crate::host::pool::Pool;

static REQUESTS: PerProcess<Pool<Request>> = PerProcess::new(1);

/// Memory for a request.
///
/// # Errors
/// `EAGAIN`: memory is out.
pub fn take(request: Request) -> Result<RequestPtr, Errno> {
    let pool = REQUESTS.get_or_init(|| memory::boxed(Pool::new())).ok();
    let place = pool.and_then(Pool::take).ok_or(Errno(libc::EAGAIN))?;
    // SAFETY: the taker owns what was taken. What its last user left there means nothing.
    unsafe { place.write(request) };
    Ok(place)
}

/// Takes a request's memory back.
///
/// # Safety
/// The caller owns the request, and gives it up.
pub unsafe fn put(request: RequestPtr) {
    // The request was taken from there, in this process.
    if let Some(pool) = REQUESTS.get() {
        pool.put(request);
    }
}
