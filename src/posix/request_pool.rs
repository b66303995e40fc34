//! Where the memory of requests and lists comes from, and where it goes back to be used again.
//!
//! No call waits for another in it, so a signal handler may use it, and may leave it at any point by a jump.

use core::mem;
use core::ptr::NonNull;

use super::request::{Group, Request, RequestPtr};
use crate::host::fork::PerProcess;
use crate::host::kernel::Errno;
use crate::host::memory;
use crate::host::pool::Pool;
use crate::submission::vectors::VectorMemory;

static REQUESTS: PerProcess<Pool<Request>> = PerProcess::new(1);
static GROUPS: PerProcess<Pool<Group>> = PerProcess::new(9);

/// Memory for a request.
///
/// # Errors
/// `EAGAIN`: memory is out.
pub fn take(mut request: Request) -> Result<RequestPtr, Errno> {
    let pool = REQUESTS.get_or_init(|| memory::boxed(Pool::new())).ok();
    let place = pool.and_then(Pool::take).ok_or(Errno(libc::EAGAIN))?;
    // SAFETY: the taker owns what was taken. Of what its last user left there, the memory for buffers is good, and zero
    // bytes are none.
    unsafe {
        request.vectors = mem::replace(&mut (*place.as_ptr()).vectors, VectorMemory::NONE);
        place.write(request);
    }
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

/// Memory for a list.
///
/// # Errors
/// `EAGAIN`: memory is out.
pub fn take_group(group: Group) -> Result<NonNull<Group>, Errno> {
    let pool = GROUPS.get_or_init(|| memory::boxed(Pool::new())).ok();
    let place = pool.and_then(Pool::take).ok_or(Errno(libc::EAGAIN))?;
    // SAFETY: the taker owns what was taken. What its last user left there means nothing.
    unsafe { place.write(group) };
    Ok(place)
}

/// Takes a list's memory back.
///
/// # Safety
/// The caller is its last holder, and gives it up.
pub unsafe fn put_group(group: NonNull<Group>) {
    // It was taken from there, in this process.
    if let Some(pool) = GROUPS.get() {
        pool.put(group);
    }
}
