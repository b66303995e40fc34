//! What ends the command: a sentence and an exit status.

/// Something was found wanting: a check of `doctor`, a measurement of `bench`, a process without counters.
pub const WANTING: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// `run` itself could not do its work.
pub const RUN: u8 = 125;
/// The program exists, but cannot be run, or not on uringaio.
pub const CANNOT: u8 = 126;
/// There is no such program.
pub const NOT_FOUND: u8 = 127;

/// Why the command ends.
#[derive(Debug)]
pub struct Failure {
    pub status: u8,
    pub message: String,
}

impl Failure {
    pub fn new(status: u8, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, message)
    }

    pub fn wanting(message: impl Into<String>) -> Self {
        Self::new(WANTING, message)
    }
}
