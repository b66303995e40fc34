//! The POSIX face: `aio_*` and `lio_listio`.
