//! The POSIX face: `aio_*` and `lio_listio`.
//!
//! A call is checked and converted by `abi`; `inline` does at once what need not wait; the rest becomes a `request` and
//! goes to the engine. What the engine finishes shows in the `aiocb`, wakes who `wait`s, and is announced by `notify` or
//! `callbacks`. Of a finished request all state is in the program's aiocb.

mod abi;
mod aiocb;
mod callbacks;
mod cancel;
mod ending;
mod familiar;
mod inline;
mod list;
mod notify;
mod request;
mod system;
mod wait;

use crate::engine::{self, Engine};
use crate::host::kernel::Errno;
use crate::host::memory;
use crate::host::process::PerProcess;
use crate::host::settings::{self, Served};

/// What the face keeps in this process.
struct Face {
    requests: request::Pool,
    callbacks: callbacks::Desk,
}

static FACE: PerProcess<Face> = PerProcess::new(1);

/// The engine, started by the first call; nothing where the system's own implementation serves.
fn engine() -> Option<&'static Engine> {
    if settings::get().served == Served::Libaio { None } else { engine::get() }
}

/// Whether it is known that the system's own implementation serves. Async-signal-safe.
fn stands_aside() -> bool {
    settings::get().served == Served::Libaio || engine::stands_aside()
}

fn face() -> Result<&'static Face, Errno> {
    match FACE.get() {
        Some(face) => Ok(face),
        None => FACE
            .get_or_init(|| memory::boxed(Face { requests: request::Pool::new(), callbacks: callbacks::Desk::new() })),
    }
}
