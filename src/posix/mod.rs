//! The POSIX face: `aio_*` and `lio_listio`.
//!
//! A call is checked and converted by `abi`; `inline` does at once what need not wait; the rest becomes a `request` and
//! goes to the engine. What the engine finishes shows in the `aiocb`, wakes who `wait`s, and is announced by `notify` or
//! `callbacks`. Of a finished request all state is in the program's aiocb.

mod abi;
mod aiocb;
mod callbacks;
mod cancel;
mod familiar;
mod inline;
mod list;
mod notify;
mod own_ring;
mod request;
mod system;
mod wait;

use crate::host::kernel::Errno;
use crate::host::memory;
use crate::host::process::PerProcess;

/// What the face keeps in this process.
struct Face {
    requests: request::Pool,
    callbacks: callbacks::Desk,
}

static FACE: PerProcess<Face> = PerProcess::new(1);

fn face() -> Result<&'static Face, Errno> {
    match FACE.get() {
        Some(face) => Ok(face),
        None => FACE
            .get_or_init(|| memory::boxed(Face { requests: request::Pool::new(), callbacks: callbacks::Desk::new() })),
    }
}
