//! The environment, read once: every `URINGAIO_*` variable and what it chooses.
//!
//! In a program that runs with more rights than its caller (`AT_SECURE`: set-uid, capabilities) nothing is read.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};

/// Which engine serves the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineChoice {
    /// io_uring; where it cannot be had, the best of what is left.
    Auto,
    /// io_uring, or the system's own implementation.
    Uring,
    /// Threads of ours, without io_uring.
    Threads,
    /// The system's own implementation: the library stands aside.
    System,
}

/// Which interface is served; the other is the system's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// Neither is left to the system.
    Both,
    /// POSIX AIO alone.
    Posix,
    /// libaio alone.
    Libaio,
}

impl Served {
    /// Whether POSIX AIO is served.
    #[must_use]
    pub const fn posix(self) -> bool {
        !matches!(self, Self::Libaio)
    }

    /// Whether libaio is served.
    #[must_use]
    pub const fn libaio(self) -> bool {
        !matches!(self, Self::Posix)
    }
}

/// What the environment asked for.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "switches, each by itself")]
pub struct Settings {
    /// `URINGAIO_ENGINE`: `auto` (default), `uring`, `threads` or `system`.
    pub engine: EngineChoice,
    /// `URINGAIO_FACE`: `posix` or `libaio` for one of the two interfaces alone, both by default.
    pub served: Served,
    /// `URINGAIO_LOG=1`: one line to standard error that says which engine serves, and why.
    pub log: bool,
    /// `URINGAIO_RAW=1`: contexts made by a raw `syscall(SYS_io_setup, …)` are ours too.
    pub raw: bool,
    /// `URINGAIO_MAX_EVENTS`: most events of all contexts together, as `/proc/sys/fs/aio-max-nr`; none by default.
    pub max_events: Option<u64>,
    /// `URINGAIO_KERNEL_AIO`: on by default; `off`: the kernel's own AIO carries no context.
    pub kernel_aio: bool,
    /// `URINGAIO_INLINE`: on by default; `never`: no call of ours does I/O, or sleeps for it, in the calling thread.
    pub inline: bool,
    /// `URINGAIO_STATS=1`: a summary to standard error at exit.
    pub stats: bool,
}

impl Settings {
    fn read() -> Self {
        let engine = match variable(c"URINGAIO_ENGINE") {
            Some(b"uring") => EngineChoice::Uring,
            Some(b"threads") => EngineChoice::Threads,
            Some(b"system") => EngineChoice::System,
            _ => EngineChoice::Auto,
        };
        let served = match variable(c"URINGAIO_FACE") {
            Some(b"posix") => Served::Posix,
            Some(b"libaio") => Served::Libaio,
            _ => Served::Both,
        };
        Self {
            engine,
            served,
            log: is_on(c"URINGAIO_LOG"),
            raw: is_on(c"URINGAIO_RAW"),
            max_events: variable(c"URINGAIO_MAX_EVENTS")
                .and_then(|text| core::str::from_utf8(text).ok())
                .and_then(|text| text.trim().parse().ok()),
            kernel_aio: !matches!(variable(c"URINGAIO_KERNEL_AIO"), Some(b"off" | b"0" | b"no")),
            inline: !matches!(variable(c"URINGAIO_INLINE"), Some(b"never" | b"off" | b"0" | b"no")),
            stats: is_on(c"URINGAIO_STATS"),
        }
    }
}

const UNREAD: u32 = 0;
const BEING_KEPT: u32 = 1;
const KEPT: u32 = 2;

/// The settings as they were first read. They lie in the library itself: a program that never does asynchronous I/O has no
/// memory of ours.
struct Cell {
    state: AtomicU32,
    settings: UnsafeCell<MaybeUninit<Settings>>,
}

// SAFETY: written once, by the thread that changed the state from `UNREAD`, and read once the state is `KEPT`.
unsafe impl Sync for Cell {}

static CELL: Cell = Cell { state: AtomicU32::new(UNREAD), settings: UnsafeCell::new(MaybeUninit::uninit()) };

/// The settings, from the environment as it was when they were first asked for: when the library was loaded, unless a
/// constructor of another library came first.
#[inline]
#[must_use]
pub fn get() -> Settings {
    // Acquire pairs with the Release of `read`.
    if CELL.state.load(Ordering::Acquire) == KEPT {
        // SAFETY: written before the state was set, and never again.
        return unsafe { (*CELL.settings.get()).assume_init() };
    }
    read()
}

#[cold]
fn read() -> Settings {
    let settings = Settings::read();
    // Where another thread keeps its own just now, nobody waits for it: the environment says the same.
    if CELL.state.compare_exchange(UNREAD, BEING_KEPT, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        // SAFETY: this thread alone has the right to write, once.
        unsafe { (*CELL.settings.get()).write(settings) };
        CELL.state.store(KEPT, Ordering::Release);
    }
    settings
}

fn is_on(name: &CStr) -> bool {
    variable(name).is_some_and(|value| !matches!(value, b"" | b"0" | b"no" | b"off"))
}

fn variable(name: &CStr) -> Option<&'static [u8]> {
    unsafe extern "C" {
        fn secure_getenv(name: *const c_char) -> *const c_char;
    }
    // SAFETY: reads a C string and answers with one or with NULL; nothing for a program with AT_SECURE. A program that
    // changes its environment while it first uses AIO on another thread races with any getenv, ours as well.
    unsafe {
        let value = secure_getenv(name.as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value).to_bytes())
    }
}

/// Writes one line to standard error, if `URINGAIO_LOG` asks for it.
pub fn log(line: core::fmt::Arguments) {
    if get().log {
        write_line(line);
    }
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
        // SAFETY: the line below, which outlives the errand. A standard error that is closed or full is nobody's concern.
        let _ = unsafe {
            let line = &*line.cast::<Line>();
            super::kernel::syscall!(libc::SYS_write, libc::STDERR_FILENO, line.bytes.as_ptr(), line.length + 1)
        };
    }
    // SAFETY: as `write` asks.
    unsafe { super::fd_broker::with_descriptors(write, (&raw mut buffer).cast()) };
}
