//! The environment, read once: every `URINGAIO_*` variable and what it chooses.
//!
//! In a program that runs with more rights than its caller (`AT_SECURE`: set-uid, capabilities) nothing is read.

use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};

use super::cpu_set::CpuSet;

/// Which engine serves the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineChoice {
    /// io_uring; where it cannot be used, the best of what is left.
    Auto,
    /// io_uring, on kernels that are known to lose writes as well, or the system's own implementation.
    Uring,
    /// Worker threads of the library, without io_uring.
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

/// What the environment asks for.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "switches, each by itself")]
pub struct Settings {
    /// `URINGAIO_ENGINE`: `auto` (default), `uring`, `threads` or `system`.
    pub engine: EngineChoice,
    /// `URINGAIO_INTERFACE`: `posix` or `libaio` for one of the two interfaces alone, both by default.
    pub served: Served,
    /// `URINGAIO_LOG=1`: lines to standard error that say which engine serves, and why.
    pub log: bool,
    /// `URINGAIO_RAW=1`: contexts made by a raw `syscall(SYS_io_setup, …)` are served, too.
    pub raw: bool,
    /// `URINGAIO_MAX_EVENTS`: most events of all contexts together, as `/proc/sys/fs/aio-max-nr`; none by default.
    pub max_events: Option<u64>,
    /// `URINGAIO_KERNEL_AIO`: on by default; `off`: the kernel's own AIO carries no context. Off as well with `restart`.
    pub kernel_aio: bool,
    /// `URINGAIO_INLINE`: on by default; `never`: no call of the library does I/O, or sleeps for it, in the calling
    /// thread.
    pub inline: bool,
    /// `URINGAIO_STATS=1`: a summary to standard error at exit.
    pub stats: bool,
    /// `URINGAIO_RESTART=1`: `io_getevents` goes on after signal handlers with `SA_RESTART`.
    pub restart: bool,
    /// `URINGAIO_DONTCACHE=1`: buffered reads and writes leave nothing in the page cache that was not there before.
    pub dontcache: bool,
    /// `JOURNAL_STREAM`, which systemd sets: device and inode of the journal's stream. Not read where no line is to be
    /// written.
    pub journal: Option<(u64, u64)>,
    /// Variables whose values mean nothing: one bit each, by place in [`VARIABLES`].
    pub wrong: u32,
}

/// The variables, and what they take.
pub const VARIABLES: [(&CStr, &str); 11] = [
    (c"URINGAIO_ENGINE", "auto, uring, threads or system"),
    (c"URINGAIO_INTERFACE", "both, posix or libaio"),
    (c"URINGAIO_LOG", "0 or 1"),
    (c"URINGAIO_RAW", "0 or 1"),
    (c"URINGAIO_MAX_EVENTS", "a number"),
    (c"URINGAIO_KERNEL_AIO", "on or off"),
    (c"URINGAIO_INLINE", "on or never"),
    (c"URINGAIO_STATS", "0 or 1"),
    (c"URINGAIO_CPUS", "CPUs, as 0-3,8"),
    (c"URINGAIO_RESTART", "0 or 1"),
    (c"URINGAIO_DONTCACHE", "0 or 1"),
];

/// Names that variables had before: each counts where the variable itself is not set.
const EARLIER_NAMES: [(&CStr, &CStr); 1] = [(c"URINGAIO_FACE", c"URINGAIO_INTERFACE")];

/// Takes the values of variables from `variable`, and notes those that mean nothing.
struct Reader<F> {
    variable: F,
    pub wrong: u32,
}

impl<'a, F: Fn(&CStr) -> Option<&'a [u8]>> Reader<F> {
    /// What `meaning` makes of the variable at `place`; `default` where it is not set, is empty, or means nothing.
    fn value<T>(&mut self, place: usize, default: T, meaning: impl FnOnce(&[u8]) -> Option<T>) -> T {
        let name = VARIABLES[place].0;
        let earlier = || (self.variable)(EARLIER_NAMES.iter().find(|&&(_, now)| now == name)?.0);
        self.value_of(place, (self.variable)(name).or_else(earlier).unwrap_or_default(), default, meaning)
    }

    fn value_of<T>(&mut self, place: usize, text: &[u8], default: T, meaning: impl FnOnce(&[u8]) -> Option<T>) -> T {
        if text.is_empty() {
            return default;
        }
        meaning(text).unwrap_or_else(|| {
            self.wrong |= 1 << place;
            default
        })
    }

    fn switch(&mut self, place: usize, default: bool) -> bool {
        self.value(place, default, |text| match text {
            b"1" | b"yes" | b"on" => Some(true),
            b"0" | b"no" | b"off" | b"never" => Some(false),
            _ => None,
        })
    }
}

impl Settings {
    /// What the variables ask for whose values `variable` gives.
    pub fn of<'a>(variable: impl Fn(&CStr) -> Option<&'a [u8]>) -> Self {
        let mut reader = Reader { variable, wrong: 0 };
        let engine = reader.value(0, EngineChoice::Auto, |text| match text {
            b"auto" => Some(EngineChoice::Auto),
            b"uring" => Some(EngineChoice::Uring),
            b"threads" => Some(EngineChoice::Threads),
            b"system" => Some(EngineChoice::System),
            _ => None,
        });
        let served = reader.value(1, Served::Both, |text| match text {
            b"both" => Some(Served::Both),
            b"posix" => Some(Served::Posix),
            b"libaio" => Some(Served::Libaio),
            _ => None,
        });
        let log = reader.switch(2, false);
        let raw = reader.switch(3, false);
        let max_events = reader.value(4, None, |text| core::str::from_utf8(text).ok()?.trim().parse().ok().map(Some));
        // The kernel's own `io_getevents` does not go on after any handler.
        let restart = reader.switch(9, false);
        let kernel_aio = reader.switch(5, true) && !restart;
        let inline = reader.switch(6, true);
        let stats = reader.switch(7, false);
        let dontcache = reader.switch(10, false);
        // Kept by `scheduling`.
        reader.value(8, (), |list| CpuSet::parse(list).map(drop));
        let journal = if log || stats { (reader.variable)(c"JOURNAL_STREAM").and_then(file_of) } else { None };
        let wrong = reader.wrong;
        Self { engine, served, log, raw, max_events, kernel_aio, inline, stats, restart, dontcache, journal, wrong }
    }
}

/// Device and inode, from `DEVICE:INODE`.
fn file_of(text: &[u8]) -> Option<(u64, u64)> {
    let (device, inode) = core::str::from_utf8(text).ok()?.split_once(':')?;
    Some((device.parse().ok()?, inode.parse().ok()?))
}

/// `URINGAIO_CPUS`: the CPUs of the library's threads, and of the kernel's that work for them; every CPU that the
/// process has by default.
#[must_use]
pub fn cpus() -> Option<CpuSet> {
    CpuSet::parse(variable(c"URINGAIO_CPUS")?)
}

const UNREAD: u32 = 0;
const BEING_KEPT: u32 = 1;
const KEPT: u32 = 2;

/// The settings as they were first read, in the library's data: a program that never does asynchronous I/O has no
/// memory of the library.
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
    let settings = Settings::of(variable);
    // If another thread is just keeping its own, this one does not wait: the environment says the same.
    if CELL.state.compare_exchange(UNREAD, BEING_KEPT, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        // SAFETY: this thread alone has the right to write, once.
        unsafe { (*CELL.settings.get()).write(settings) };
        CELL.state.store(KEPT, Ordering::Release);
    }
    settings
}

#[cfg(not(miri))]
fn variable(name: &CStr) -> Option<&'static [u8]> {
    unsafe extern "C" {
        fn secure_getenv(name: *const core::ffi::c_char) -> *const core::ffi::c_char;
    }
    // SAFETY: reads a C string and answers with one or with NULL; nothing for a program with AT_SECURE. A program that
    // changes its environment while it first uses AIO on another thread races with any getenv, ours as well.
    unsafe {
        let value = secure_getenv(name.as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value).to_bytes())
    }
}

/// Miri does not know `secure_getenv`: all is as without variables.
#[cfg(miri)]
const fn variable(_: &CStr) -> Option<&'static [u8]> {
    None
}

#[cfg(test)]
mod tests {
    use super::{CStr, Reader};

    #[test]
    fn what_means_nothing_is_noted() {
        let mut reader = Reader { variable: |_: &CStr| None, wrong: 0 };
        let number = |text: &[u8]| core::str::from_utf8(text).ok()?.parse::<u32>().ok();
        assert_eq!(reader.value_of(4, b"12", 7, number), 12);
        assert_eq!(reader.value_of(4, b"", 7, number), 7);
        assert_eq!(reader.wrong, 0);
        assert_eq!(reader.value_of(4, b"many", 7, number), 7);
        assert_eq!(reader.wrong, 1 << 4);
    }
}
