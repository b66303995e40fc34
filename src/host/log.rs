//! What the library says on standard error.

use core::sync::atomic::{AtomicBool, Ordering};

use super::fd_broker;
use super::kernel::syscall;
use super::settings::{self, VARIABLES};

/// Whether `URINGAIO_LOG` asks for lines.
#[must_use]
pub fn is_on() -> bool {
    settings::get().log
}

/// Writes one line to standard error, if `URINGAIO_LOG` asks for it. Before the first one it names the variables whose
/// values mean nothing.
pub fn log(line: core::fmt::Arguments) {
    static NAMED: AtomicBool = AtomicBool::new(false);
    let settings = settings::get();
    if !settings.log {
        return;
    }
    // Relaxed: which thread names them does not matter.
    if settings.wrong != 0 && !NAMED.swap(true, Ordering::Relaxed) {
        for (place, (name, values)) in VARIABLES.iter().enumerate() {
            if settings.wrong >> place & 1 != 0 {
                let name = name.to_str().unwrap_or_default();
                write_line(format_args!("{name} is none of what it can be ({values}), and is ignored"));
            }
        }
    }
    write_line(line);
}

/// Writes one line to standard error, in one piece and without a heap. Longer lines are cut.
pub fn write_line(line: core::fmt::Arguments) {
    use core::fmt::Write;

    struct Line {
        bytes: [u8; 512],
        length: usize,
    }
    impl Write for Line {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            let room = self.bytes.len() - 1 - self.length;
            let taken = text.len().min(room);
            self.bytes[self.length..self.length + taken].copy_from_slice(&text.as_bytes()[..taken]);
            self.length += taken;
            Ok(())
        }
    }

    let mut buffer = Line { bytes: [0; 512], length: 0 };
    let _ = write!(buffer, "uringaio: {line}");
    buffer.bytes[buffer.length] = b'\n';
    unsafe fn write(line: *mut core::ffi::c_void) {
        // SAFETY: the line below, which outlives the task. Nothing follows from an error: standard error may be closed
        // or full.
        let _ = unsafe {
            let line = &*line.cast::<Line>();
            syscall!(libc::SYS_write, libc::STDERR_FILENO, line.bytes.as_ptr(), line.length + 1)
        };
    }
    // SAFETY: as `write` asks.
    unsafe { fd_broker::with_descriptors(write, (&raw mut buffer).cast()) };
}
