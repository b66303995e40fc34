//! Between the faces and the engines: where a request goes is decided here, and nowhere else.
//!
//! [`router`] holds the table: kind of request × kind of file × what was seen → route. [`inline_io`] is what is done in the
//! calling thread, for both faces. [`breaker`] ends that for a while where it waits. [`fd_cache`] knows what a descriptor is,
//! [`device_profile`] how its device has shown itself to be, [`hazards`] what could make a thread sleep that touches the
//! program's memory or files, [`order_counts`] what is outstanding where an order must be kept, [`vectors`] the buffers of a
//! vectored request, [`eventfd`] the eventfd that counts its end.

pub mod breaker;
pub mod device_profile;
pub mod eventfd;
pub mod fd_cache;
pub mod hazards;
pub mod inline_io;
pub mod order_counts;
pub mod router;
#[allow(dead_code, reason = "for the documentation, and for the command")]
mod routes;
pub mod vectors;
