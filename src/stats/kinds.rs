//! By what the counters are kept apart: face, lane, action, kind of notification.

/// The face that an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Face {
    /// `aio_*`, `lio_listio`.
    Posix = 0,
    /// `io_*`.
    Libaio = 1,
}

/// Where an operation was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Lane {
    /// In the calling thread.
    InCaller = 0,
    /// By an engine.
    Engine = 1,
}

/// What an operation does: the engine's kinds without its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    /// One buffer.
    Read = 0,
    /// One buffer.
    Write = 1,
    /// Several buffers.
    ReadVector = 2,
    /// Several buffers.
    WriteVector = 3,
    /// `fsync`.
    Sync = 4,
    /// `fdatasync`.
    DataSync = 5,
    /// `poll`.
    Poll = 6,
}

/// How a program learns of a completion without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Notification {
    /// `SIGEV_SIGNAL`, `SIGEV_THREAD_ID`.
    Signal = 0,
    /// `SIGEV_THREAD`.
    Callback = 1,
    /// `IOCB_FLAG_RESFD`.
    Eventfd = 2,
}

/// What serves the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ServedBy {
    /// The system's own AIO.
    System = 0,
    /// io_uring.
    Uring = 1,
    /// Worker threads of the library.
    Workers = 2,
}
