//! What is fed with random bytes: ELF files, and what may be found in another process's memory. `make fuzz` looks for bytes that
//! reach code which the ones kept in `fuzz/` do not reach; the tests replay those.

#![allow(clippy::expect_used, reason = "a fault ends the fuzzer")]

#[path = "../../fuzz/target.rs"]
mod target;

use std::fs::File;
use std::io::Write;
use std::os::fd::FromRawFd;

use crate::counters;
use crate::elf::Image;
use target::Target;

/// The targets.
pub const TARGETS: &[Target] = &[("counters", counters), ("elf", elf)];

/// A file in memory with these bytes.
fn file(bytes: &[u8]) -> File {
    // SAFETY: a C string, and a descriptor that is nobody's.
    let mut file = unsafe { File::from_raw_fd(libc::memfd_create(c"fuzz".as_ptr(), libc::MFD_CLOEXEC)) };
    file.write_all(bytes).expect("memory takes bytes");
    file
}

/// A program or library, read for everything that `doctor` asks.
fn elf(bytes: &[u8]) {
    let image = Image::of(file(bytes));
    let _ = (image.script_line(), image.kind(), image.needed());
    let imports = image.imports();
    assert!(imports.iter().all(|name| !name.is_empty()));
    let _ = (image.exports(&["aio_read"]), image.has_inside(&["aio_read"]), image.mentions(b"libaio.so.1"));
    assert!(image.calls_by_number().iter().all(|&number| number < 1024));
}

/// The memory of a process that has the library's note at its start.
fn counters(bytes: &[u8]) {
    let memory = file(bytes);
    memory.set_len(1 << 20).expect("memory grows");
    if let Some(version) = counters::version_in(memory) {
        assert!(version.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}

/// As the command is built for the fuzzer: `uringaio TARGET [ARGUMENT]...`, the arguments libFuzzer's.
#[cfg(fuzzing)]
pub fn main() -> std::process::ExitCode {
    use std::ffi::{CString, c_char, c_int};
    use std::os::unix::ffi::OsStringExt;
    use std::sync::OnceLock;

    unsafe extern "C" {
        fn LLVMFuzzerRunDriver(
            count: *mut c_int,
            words: *mut *mut *mut c_char,
            feed: extern "C" fn(*const u8, usize) -> c_int,
        ) -> c_int;
    }
    static FEED: OnceLock<fn(&[u8])> = OnceLock::new();
    extern "C" fn feed(bytes: *const u8, length: usize) -> c_int {
        // SAFETY: libFuzzer's; no bytes may be nowhere.
        let bytes = if length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(bytes, length) } };
        FEED.get().expect("set before")(bytes);
        0
    }
    let mut words: Vec<CString> = std::env::args_os().filter_map(|word| CString::new(word.into_vec()).ok()).collect();
    let target = if words.len() > 1 { words.remove(1) } else { CString::default() };
    let Some((_, found)) = TARGETS.iter().find(|(name, _)| name.as_bytes() == target.as_bytes()) else {
        return std::process::ExitCode::from(2);
    };
    FEED.get_or_init(|| *found);
    let mut raw: Vec<*mut c_char> = words.into_iter().map(CString::into_raw).collect();
    raw.push(std::ptr::null_mut());
    let (mut count, mut first) = (raw.len() as c_int - 1, raw.as_mut_ptr());
    // SAFETY: as main is given them; they stay.
    let status = unsafe { LLVMFuzzerRunDriver(&raw mut count, &raw mut first, feed) };
    std::process::ExitCode::from(status as u8)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_the_fuzzer_found_is_taken() {
        super::target::replay(super::TARGETS);
    }
}
