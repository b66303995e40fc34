//! A request: what an engine carries for an aiocb, until it is finished; and the list that it may belong to.

use core::mem::offset_of;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU32};

use super::aiocb::AiocbRef;
use super::sigevent::SigEvent;
use crate::engine::{AroundOperation, Finish, Kind, Operation};
use crate::submission::eventfd::Eventfd;
use crate::submission::vectors::VectorMemory;

/// A request that is outstanding, or a notification that is to be sent.
///
/// **`request-is-owned`**: between two hands (the program's thread, an engine, the callback pool, a list) exactly one has
/// the request. It passes by submission, by the call of its [`Finish`], or by a queue; the memory is the owner's alone.
#[repr(C)]
pub struct Request {
    /// First, so that the engine's pointer is the request's ([`AroundOperation`]).
    pub operation: Operation,
    /// The aiocb, until the request is finished. A notification has none.
    pub aiocb: Option<AiocbRef>,
    /// The list that the request belongs to.
    pub group: Option<NonNull<Group>>,
    /// The notification, as the aiocb or the list asked for it at the call.
    pub sigevent: SigEvent,
    /// Memory for the buffers of a vectored request, kept for the next use.
    pub vectors: VectorMemory,
}

/// A list of requests; see [`super::list_group`].
pub struct Group {
    /// How many hold it.
    pub holders: AtomicU32,
    /// Whether one of its requests failed.
    pub has_failed: AtomicBool,
    /// Whether its caller waits (`LIO_WAIT`), and wants no notification.
    pub caller_waits: bool,
    /// The list's own notification, if it has one, which the last holder sends.
    pub notification: Option<RequestPtr>,
    /// The eventfd that counts the end of the list, if that is its notification.
    pub eventfd: Option<Eventfd>,
}

const _: () = assert!(size_of::<Request>() == 184, "with the pool's links 192 bytes: three whole cache lines to fetch");
const _: () = assert!(offset_of!(Request, operation) == 0, "AroundOperation relies on it");

/// A request's memory.
pub type RequestPtr = NonNull<Request>;

// SAFETY: its layout is asserted above; `submit::finish` is the function of requests alone.
unsafe impl AroundOperation for Request {}

impl Request {
    /// A request that does nothing yet; `finish` is called when an engine is done with it.
    pub const fn new(sigevent: SigEvent, finish: Finish) -> Self {
        Self {
            operation: Operation::new(Kind::Nop, -1, finish),
            aiocb: None,
            group: None,
            sigevent,
            vectors: VectorMemory::NONE,
        }
    }
}
