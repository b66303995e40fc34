//! What the library says on standard error: with a priority, if that is the journal of systemd.
//!
//! A line is lost rather than waited for: the engine's thread may write it, and a program whose standard error nobody
//! reads must not stand still, or be ended by `SIGPIPE`, for what the library has to say.

use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, Ordering};

use super::fd_broker;
use super::kernel::{self, syscall};
use super::settings::{self, VARIABLES};

/// How much a line matters: the levels of syslog(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Priority {
    /// The library cannot do what the program asks for.
    Error = 3,
    /// It does it another way, or a setting means nothing.
    Warning = 4,
    /// It does what it should, and there is something to know about it.
    Notice = 5,
    /// All is as it should be.
    Info = 6,
}

/// How long a line of the summary at exit waits until there is room for it.
const SUMMARY_WAIT_MS: u32 = 1000;

/// Whether `URINGAIO_LOG` asks for lines.
#[must_use]
pub fn is_on() -> bool {
    settings::get().log
}

/// Writes one line to standard error, if `URINGAIO_LOG` asks for it. Before the first one it names the variables whose
/// values mean nothing.
pub fn log(priority: Priority, line: core::fmt::Arguments) {
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
                let line = format_args!("{name} is none of what it can be ({values}), and is ignored");
                Line::of(Priority::Warning, line).write();
            }
        }
    }
    Line::of(priority, line).write();
}

/// Writes a line of the summary at exit, for which the program may wait for a moment. `None`: nobody reads, and no
/// further line need be tried.
pub fn summary_line(line: core::fmt::Arguments) -> Option<()> {
    let mut line = Line::of(Priority::Info, line);
    line.wait_ms = SUMMARY_WAIT_MS;
    line.write().then_some(())
}

/// A line, with its priority in front as `<6>`, which sd-daemon(3) describes. Longer ones are cut.
struct Line {
    bytes: [u8; 512],
    length: usize,
    wait_ms: u32,
    was_tried: bool,
}

/// Bytes of `<6>`.
const PREFIX: usize = 3;

impl core::fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let room = self.bytes.len() - 1 - self.length;
        let taken = text.len().min(room);
        self.bytes[self.length..self.length + taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.length += taken;
        Ok(())
    }
}

impl Line {
    fn of(priority: Priority, text: core::fmt::Arguments) -> Self {
        use core::fmt::Write;

        let mut line = Self { bytes: [0; 512], length: 0, wait_ms: 0, was_tried: false };
        let _ = write!(line, "<{}>uringaio: {text}", priority as u8);
        line.bytes[line.length] = b'\n';
        line.length += 1;
        line
    }

    /// Writes it in one piece and without a heap. Whether there was room for it. Nothing follows from an error:
    /// standard error may be closed, or its disk full.
    fn write(mut self) -> bool {
        unsafe fn write(line: *mut c_void) {
            // SAFETY: the line below, which outlives the task.
            let line = unsafe { &mut *line.cast::<Line>() };
            if !has_room(line.wait_ms) {
                return;
            }
            line.was_tried = true;
            let from = if is_journal() { 0 } else { PREFIX };
            let bytes = &line.bytes[from..line.length];
            // SAFETY: reads the line.
            let _ = unsafe { syscall!(libc::SYS_write, libc::STDERR_FILENO, bytes.as_ptr(), bytes.len()) };
        }
        // SAFETY: as `write` asks; it is over when the call returns.
        unsafe { fd_broker::with_descriptors(write, (&raw mut self).cast()) };
        self.was_tried
    }
}

/// Whether standard error takes a line without a wait, or does so within that time. A pipe or socket without a reader
/// takes none.
fn has_room(wait_ms: u32) -> bool {
    let room = libc::POLLOUT as u32;
    let ready = kernel::ready_within(libc::STDERR_FILENO, room, wait_ms);
    // What cannot be asked (a filter) is tried.
    ready.map_or(true, |ready| ready & (room | (libc::POLLERR | libc::POLLHUP) as u32) == room)
}

/// Whether standard error leads to the journal now: the program may have sent it elsewhere since it was started. See
/// `JOURNAL_STREAM` in systemd.exec(5).
fn is_journal() -> bool {
    let Some(journal) = settings::get().journal else { return false };
    kernel::file_status(libc::STDERR_FILENO).is_ok_and(|status| (status.st_dev, status.st_ino) == journal)
}
