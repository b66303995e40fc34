//! The POSIX face: `aio_*` and `lio_listio`.
//!
//! A call is checked and converted by `abi`; `inline_io` does at once what need not wait; the rest becomes a `request` and
//! goes to the engine. What the engine finishes shows in the `aiocb`, wakes who `wait`s, and is announced by `notify` or
//! `callback_pool`. Of a finished request all state is in the program's aiocb.

mod abi;
mod aiocb;
mod callback_pool;
mod cancel;
mod glibc_aio;
mod list;
mod notify;
mod request;
mod wait;

use crate::host::kernel::Errno;
use crate::host::memory;
use crate::host::process::PerProcess;

/// What the face keeps in this process.
struct Face {
    requests: request::Pool,
    callbacks: callback_pool::CallbackPool,
}

static FACE: PerProcess<Face> = PerProcess::new(1);

fn face() -> Result<&'static Face, Errno> {
    match FACE.get() {
        Some(face) => Ok(face),
        None => FACE.get_or_init(|| {
            memory::boxed(Face { requests: request::Pool::new(), callbacks: callback_pool::CallbackPool::new() })
        }),
    }
}
