//! What happens when it is tried: the library's decision and the kernel's answers, each in a process of its own, since a filter
//! may end the process that asks.

use std::ffi::{CStr, c_int, c_void};
use std::io::{Error, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};

use io_uring::register::Restriction;
use io_uring::{IoUring, Probe, opcode};

use crate::failure::Failure;
use crate::library;
use crate::output::print;

/// The words by which the command starts itself again.
pub const LIBRARY: &str = "__probe-library";
pub const KERNEL: &str = "__probe-kernel";
/// What the kernel is asked for.
const IO_URING: &str = "io_uring";
const KERNEL_AIO: &str = "kernel-aio";
/// What the process that asks the kernel says where a list of operations is in force.
const RESTRICTED: &str = "restricted";

/// The library's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// `io_uring`, `threads` or `system`; nothing where the library could not be loaded.
    pub engine: Option<String>,
    /// What it says of itself with `URINGAIO_LOG=1`, or why it could not be asked.
    pub why: String,
}

/// Asks the library what it would use.
pub fn library(file: &Path) -> Answer {
    let mut command = match own() {
        Ok(command) => command,
        Err(error) => return Answer { engine: None, why: error.to_string() },
    };
    command.arg(LIBRARY).env("LD_PRELOAD", library::preloaded(file)).env("URINGAIO_LOG", "1");
    match command.output() {
        Ok(output) => Answer {
            engine: Some(String::from_utf8_lossy(&output.stdout).trim().to_string())
                .filter(|engine| !engine.is_empty()),
            why: match output.status.signal() {
                Some(signal) => format!("the process that asked it was ended by signal {signal}"),
                None => said(&output),
            },
        },
        Err(error) => Answer { engine: None, why: error.to_string() },
    }
}

/// The process that asks the library: starts what it uses and prints which that is.
pub fn library_child() -> Result<ExitCode, Failure> {
    let Some(serves) = symbol(c"uringaio_serves") else { return Ok(ExitCode::FAILURE) };
    // SAFETY: the function takes nothing and returns an int, by include/uringaio.h.
    unsafe {
        let serves: extern "C" fn() -> c_int = std::mem::transmute(serves);
        serves();
    }
    let Some(engine) = engine() else { return Ok(ExitCode::FAILURE) };
    print(&format!("{engine}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// What the library in this process uses; nothing where there is none.
pub fn engine() -> Option<&'static str> {
    let engine = symbol(c"uringaio_engine")?;
    // SAFETY: as above.
    let engine = unsafe {
        let engine: extern "C" fn() -> c_int = std::mem::transmute(engine);
        engine()
    };
    Some(match engine {
        1 => "io_uring",
        2 => "threads",
        _ => "system",
    })
}

/// A function of this process, from whichever library.
pub fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: looks up a C string.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}

/// How the kernel answered a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It did what was asked.
    Works,
    /// It answered with this error number.
    Refused(i32),
    /// A filter ended the process, by this signal.
    Killed(i32),
    /// It could not be tried.
    Unknown,
}

/// What of io_uring was tried, and how far that went.
#[derive(Clone, Debug)]
pub struct Ring {
    /// The answer to the last call that was made.
    pub answer: Tried,
    /// That call: `io_uring_setup`, `io_uring_register` or `io_uring_enter`.
    pub call: String,
    /// Features that this kernel lacks, by [`FEATURES`]; only where everything else works.
    pub lacks: Vec<usize>,
    /// The process has inherited a list of the operations that it may use (Linux 7.0).
    pub restricted: bool,
}

/// Features of io_uring that the library uses where they exist: name, the first Linux that has it, and what its lack means.
pub const FEATURES: [(&str, &str, &str); 5] = [
    ("restrictions", "5.10", "the library does not use io_uring without them"),
    ("registered rings", "5.18", "a descriptor of the library's is visible in the program's table, with a high number"),
    ("COOP_TASKRUN", "5.19", "completions cost a little more"),
    ("FUTEX_WAIT", "6.7", "waking the library's thread costs a little more"),
    ("NO_IOWAIT", "6.15", "monitoring shows the library's waiting as iowait"),
];

/// Tries io_uring.
pub fn ring() -> Ring {
    let (answer, words) = kernel(IO_URING);
    let mut ring = Ring { answer, call: "io_uring_setup".into(), lacks: Vec::new(), restricted: false };
    for line in words.lines() {
        match line.split_once(' ') {
            Some(("call", call)) => ring.call = call.into(),
            None if line == RESTRICTED => ring.restricted = true,
            Some(("lacks", index)) => {
                ring.lacks.extend(index.parse::<usize>().ok().filter(|&index| index < FEATURES.len()));
            }
            _ => {}
        }
    }
    ring
}

/// Tries the kernel's own AIO.
pub fn kernel_aio() -> Tried {
    kernel(KERNEL_AIO).0
}

/// Runs the process that tries it. Its last line is `works` or `refused ERRNO`.
fn kernel(what: &str) -> (Tried, String) {
    let Ok(output) = own().and_then(|mut command| command.args([KERNEL, what]).output()) else {
        return (Tried::Unknown, String::new());
    };
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = words.lines().last().unwrap_or_default();
    let refused = last.strip_prefix("refused ").and_then(|errno| errno.parse().ok());
    let answer = match (output.status.signal(), refused) {
        (Some(signal), _) => Tried::Killed(signal),
        (None, Some(errno)) => Tried::Refused(errno),
        (None, None) if last == "works" => Tried::Works,
        (None, None) => Tried::Unknown,
    };
    (answer, words)
}

/// The process that asks the kernel. It names each call before it makes it, since the call may be its last.
pub fn kernel_child() -> ExitCode {
    // A process that a filter ends is not worth a core file.
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads the structure.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
    let tried = match std::env::args().nth(2).as_deref() {
        Some(IO_URING) => try_io_uring(),
        _ => try_kernel_aio(),
    };
    match tried {
        Ok(()) => say("works"),
        Err(error) => say(&format!("refused {}", error.raw_os_error().unwrap_or(0))),
    }
    ExitCode::SUCCESS
}

fn try_io_uring() -> Result<(), Error> {
    say("call io_uring_setup");
    let mut ring = IoUring::new(2)?;
    say("call io_uring_register");
    let mut probe = Probe::new();
    ring.submitter().register_probe(&mut probe)?;
    say("call io_uring_enter");
    // SAFETY: an operation that touches no memory.
    let pushed = unsafe { ring.submission().push(&opcode::Nop::new().build()) };
    if pushed.is_ok() {
        ring.submit_and_wait(1)?;
    }
    let restrictions = IoUring::builder().setup_r_disabled().build(2).and_then(|ring: IoUring| {
        ring.submitter().register_restrictions(&mut [Restriction::sqe_op(opcode::Read::CODE)])
    });
    // A ring that has inherited a list takes no other.
    let is_restricted = matches!(&restrictions, Err(error) if error.raw_os_error() == Some(libc::EBUSY));
    if is_restricted {
        say(RESTRICTED);
    }
    let cooperative: Result<IoUring, Error> = IoUring::builder().setup_coop_taskrun().build(2);
    let has = [
        restrictions.is_ok() || is_restricted,
        ring.submitter().register_ring_fd().is_ok(),
        cooperative.is_ok(),
        probe.is_supported(opcode::FutexWait::CODE),
        ring.params().is_feature_no_iowait(),
    ];
    for (index, _) in has.iter().enumerate().filter(|&(_, &has)| !has) {
        say(&format!("lacks {index}"));
    }
    Ok(())
}

fn try_kernel_aio() -> Result<(), Error> {
    let mut context: libc::c_ulong = 0;
    // SAFETY: writes the context, which is destroyed right after.
    unsafe {
        if libc::syscall(libc::SYS_io_setup, 1, &raw mut context) != 0 {
            return Err(Error::last_os_error());
        }
        libc::syscall(libc::SYS_io_destroy, context);
    }
    Ok(())
}

/// Writes a line at once.
fn say(line: &str) {
    let mut output = std::io::stdout();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

/// This command again, without anything that is preloaded.
fn own() -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env("LD_PRELOAD", library::preloads_of_others()).stdin(Stdio::null());
    Ok(command)
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().map(|line| line.trim_start_matches("uringaio: ")).collect::<Vec<_>>().join("; ")
}
