//! What each call does, whichever way it came in.

pub mod dispatch;
mod io_cancel;
mod io_destroy;
mod io_getevents;
mod io_pgetevents;
pub mod io_setup;
mod timeout;
pub mod unmap;
