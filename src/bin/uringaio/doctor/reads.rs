//! Some reads of a file on the library, one after another, in a process of their own: how long each takes, and who does it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::report::Reads;
use crate::library;
use crate::load::{self, Plan};
use crate::units::time;

/// How long is read.
const SECONDS: f64 = 0.1;
/// A file that has not answered by then is given up.
const LIMIT: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(10);

impl Reads {
    pub fn in_words(&self) -> String {
        let name = if self.interface == "posix" { "POSIX AIO" } else { "libaio" };
        let how = if self.direct { "O_DIRECT" } else { "buffered" };
        let ways = [
            (self.in_caller, "in the calling thread"),
            (self.by_io_uring, "by io_uring"),
            (self.by_threads, "by threads"),
            (self.by_kernel_aio, "by the kernel's own AIO"),
            (self.by_the_system, "by the system's AIO"),
        ];
        let ways: Vec<String> =
            ways.iter().filter(|(count, _)| *count > 0).map(|(count, way)| format!("{count} {way}")).collect();
        format!(
            "{name}, {how}: {} random reads of {} bytes, {} each (median): {}",
            self.reads,
            load::BLOCK,
            time(self.median_ns),
            ways.join(", ")
        )
    }
}

/// Reads for a moment. `is_local`: io_uring serves the file where it can be used.
pub fn take(file: &Path, library: &Path, libaio: bool, direct: bool, is_local: bool) -> Result<Reads, String> {
    let plan = Plan { libaio, write: false, direct, warm: false, depth: 1, seconds: SECONDS };
    let answer = answer(file, library, &plan)?;
    let number = |name: &str| answer[name].as_u64().unwrap_or(0);
    let (reads, in_caller, engine, kernel) =
        (number("operations"), number("in_caller"), number("by_engine"), number("by_kernel_aio"));
    let by_io_uring = is_local && answer["engine"] == "io_uring";
    Ok(Reads {
        interface: if libaio { "libaio" } else { "posix" },
        direct,
        reads,
        median_ns: number("p50_ns"),
        in_caller,
        by_io_uring: if by_io_uring { engine } else { 0 },
        by_threads: if by_io_uring { 0 } else { engine },
        by_kernel_aio: kernel,
        by_the_system: reads.saturating_sub(in_caller + engine + kernel),
    })
}

/// What the process says that reads. It may never answer, as its file may not: then it is left behind.
fn answer(file: &Path, library: &Path, plan: &Plan) -> Result<Value, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut reader = Command::new(own)
        .arg(load::CHILD)
        .arg(file)
        .args(plan.arguments())
        .env("LD_PRELOAD", library::preloaded(library))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let begun = Instant::now();
    while reader.try_wait().map_err(|error| error.to_string())?.is_none() {
        if begun.elapsed() > LIMIT {
            let _ = reader.kill();
            return Err(format!("the file has not answered within {} s", LIMIT.as_secs()));
        }
        std::thread::sleep(STEP);
    }
    let output = reader.wait_with_output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} ({})", said.trim().trim_start_matches("uringaio: "), output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}
