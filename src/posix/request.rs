//! A request: what an engine carries for an aiocb, until it is finished.

use core::mem::offset_of;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicU32};

use super::aiocb::AiocbRef;
use super::sigevent::SigEvent;
use crate::engine::{Finish, Kind, Operation};

/// A request that is outstanding, a notification that is to be sent, or a list of requests (see [`super::list_group`]).
///
/// **`request-is-owned`**: between two hands (the program's thread, an engine, the callback pool, a list) exactly one has
/// the request. It passes by submission, by the call of its [`Finish`], or by a queue; the memory is the owner's alone.
#[repr(C)]
pub struct Request {
    /// First, so that the engine's pointer is the request's ([`Request::of`]).
    pub operation: Operation,
    /// The aiocb, until the request is finished. A notification and a list have none.
    pub aiocb: Option<AiocbRef>,
    /// The list that the request belongs to.
    pub group: Option<RequestPtr>,
    /// The notification, as the aiocb or the list asked for it at the call.
    pub sigevent: SigEvent,
    /// For a list: how many hold it.
    pub holders: AtomicU32,
    /// For a list: whether one of its requests failed.
    pub has_failed: AtomicBool,
    /// For a list: whether its caller waits (`LIO_WAIT`), and wants no notification.
    pub caller_waits: bool,
}

const _: () = assert!(size_of::<Request>() == 184, "with the pool's links 192 bytes: three whole cache lines to fetch");
const _: () = assert!(offset_of!(Request, operation) == 0, "Request::of relies on it");

/// A request's memory.
pub type RequestPtr = NonNull<Request>;

impl Request {
    /// A request that does nothing yet; `finish` is called when an engine is done with it.
    pub const fn new(sigevent: SigEvent, finish: Finish) -> Self {
        Self {
            operation: Operation::new(Kind::Nop, -1, finish),
            aiocb: None,
            group: None,
            sigevent,
            holders: AtomicU32::new(0),
            has_failed: AtomicBool::new(false),
            caller_waits: false,
        }
    }

    /// What an engine is given.
    pub fn operation(request: RequestPtr) -> NonNull<Operation> {
        // For `around`.
        request.as_ptr().expose_provenance();
        request.cast()
    }

    /// The request of an operation that [`Request::operation`] gave.
    pub const fn of(operation: NonNull<Operation>) -> RequestPtr {
        operation.cast()
    }

    /// The request around an operation, if this is the operation's [`Finish`].
    pub fn around(operation: &Operation, finish: Finish) -> Option<&Self> {
        if !ptr::fn_addr_eq(operation.finish, finish) {
            return None;
        }
        // SAFETY: operations with this function are first fields of requests, alive as long as the operation is
        // outstanding. `operation` exposed the request's provenance when it was submitted.
        Some(unsafe { &*ptr::with_exposed_provenance(ptr::from_ref(operation).addr()) })
    }
}
