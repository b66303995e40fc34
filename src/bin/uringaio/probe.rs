//! What the library itself decides here: it is asked in a process of its own, which it is preloaded into.

use std::ffi::{CStr, c_int, c_void};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::library;

/// The library's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// `io_uring`, `threads` or `system`; nothing where the library could not be loaded.
    pub engine: Option<String>,
    /// What it says of itself with `URINGAIO_LOG=1`.
    pub why: String,
}

/// Asks the library.
pub fn ask(file: &Path) -> Answer {
    let run = std::env::current_exe().and_then(|command| {
        Command::new(command)
            .arg("__probe")
            .env("LD_PRELOAD", library::preloaded(file))
            .env("URINGAIO_LOG", "1")
            .stdin(Stdio::null())
            .output()
    });
    match run {
        Ok(output) => Answer {
            engine: Some(String::from_utf8_lossy(&output.stdout).trim().to_string())
                .filter(|engine| !engine.is_empty()),
            why: String::from_utf8_lossy(&output.stderr).trim().to_string(),
        },
        Err(error) => Answer { engine: None, why: error.to_string() },
    }
}

/// The process that is asked: starts the engine and says which one it is.
pub fn child() -> ExitCode {
    let (Some(serves), Some(engine)) = (symbol(c"uringaio_serves"), symbol(c"uringaio_engine")) else {
        return ExitCode::FAILURE;
    };
    // SAFETY: both functions take nothing and return an int, by include/uringaio.h.
    let engine = unsafe {
        let serves: extern "C" fn() -> c_int = std::mem::transmute(serves);
        let engine: extern "C" fn() -> c_int = std::mem::transmute(engine);
        serves();
        engine()
    };
    crate::print(match engine {
        1 => "io_uring\n",
        2 => "threads\n",
        _ => "system\n",
    })
}

/// A function of this process, whoever brought it.
pub fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: looks up a C string.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}
