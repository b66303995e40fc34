//! A short path for a system call, formatted without a heap.

use core::fmt::{self, Write};

/// A C string of at most 63 bytes.
pub struct Path {
    bytes: [u8; 64],
    length: usize,
}

impl Path {
    /// The path; none if it is too long.
    #[must_use]
    pub fn of(path: fmt::Arguments) -> Option<Self> {
        let mut this = Self { bytes: [0; 64], length: 0 };
        this.write_fmt(path).ok()?;
        Some(this)
    }

    /// The string, ended by a zero byte.
    #[must_use]
    pub const fn as_ptr(&self) -> *const u8 {
        self.bytes.as_ptr()
    }
}

impl Write for Path {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        // The last byte stays 0.
        let room = self.bytes.len() - 1;
        self.bytes[..room].get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn ends_in_a_zero_or_is_none() {
        let longest = "x".repeat(63);
        // SAFETY: ends in a zero byte, which is what this test shows.
        let read = |path: Path| unsafe { core::ffi::CStr::from_ptr(path.as_ptr().cast()) }.to_bytes().to_vec();
        assert_eq!(Path::of(format_args!("/proc/{}", 7)).map(read), Some(b"/proc/7".to_vec()));
        assert_eq!(Path::of(format_args!("{longest}")).map(read), Some(longest.clone().into_bytes()));
        assert!(Path::of(format_args!("{longest}x")).is_none());
    }
}
