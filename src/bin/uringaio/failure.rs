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
        Self { status, message: without_numbers(message.into()) }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, message)
    }

    /// The message as the beginning of a sentence.
    pub fn sentence(&self) -> String {
        let mut letters = self.message.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    }

    pub fn wanting(message: impl Into<String>) -> Self {
        Self::new(WANTING, message)
    }
}

/// Without the numbers that Rust writes behind the system's words: " (os error 13)".
fn without_numbers(mut message: String) -> String {
    while let Some(begin) = message.find(" (os error ") {
        let Some(length) = message[begin..].find(')') else { break };
        message.replace_range(begin..=begin + length, "");
    }
    message
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn messages_have_no_numbers_of_errors() {
        let failure = Failure::wanting(format!("file: {}; tried", std::io::Error::from_raw_os_error(libc::EACCES)));
        assert_eq!(failure.message, "file: Permission denied; tried");
        assert_eq!(failure.sentence(), "File: Permission denied; tried");
        assert_eq!(Failure::wanting("").sentence(), "");
    }
}
