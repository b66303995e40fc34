//! What a file is to the workers: how it may make them wait.

use crate::host::file_info::FileInfo;

/// What a file is to the threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Answers in a time that depends on no other program, or on one that is there for that.
    File,
    /// A pipe or the like: may have nothing to give or no room to take.
    Stream,
    /// The same, and has the socket calls.
    Socket,
    /// A character device: a stream that may have positions.
    Device,
}

impl Nature {
    /// That of an open file.
    pub const fn of(file: FileInfo) -> Self {
        match file.file_type {
            libc::S_IFSOCK => Self::Socket,
            libc::S_IFCHR => Self::Device,
            libc::S_IFIFO | 0 => Self::Stream,
            _ => Self::File,
        }
    }
}
