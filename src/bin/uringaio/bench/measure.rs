//! The measurements of `uringaio bench`: what is run, in which order, and what came of it.

use std::fs::File;
use std::io::IsTerminal;
use std::path::Path;
use std::process::{Command, Stdio};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use super::result::{Measured, Round};
use crate::failure::Failure;
use crate::library;
use crate::load::{self, Plan};

/// One kind of load and its measurements so far.
pub struct Row {
    interface: &'static str,
    load: String,
    plan: Plan,
    system: Vec<Round>,
    uringaio: Vec<Round>,
}

impl Row {
    fn name(&self) -> String {
        format!("{}, {}", self.interface, self.load)
    }

    /// What came of it.
    pub fn measured(self) -> Measured {
        Measured::new(self.interface, self.load, self.system, self.uringaio)
    }
}

/// What is measured: of a file of the user, only reads; without `O_DIRECT`, what does not need it.
pub fn rows(writes: bool, direct: bool, only: &str, seconds: f64) -> Vec<Row> {
    let mut rows = Vec::new();
    for (interface, libaio) in [("POSIX AIO", false), ("libaio", true)] {
        for (what, write, o_direct, depth) in [
            ("O_DIRECT read", false, true, 1),
            ("O_DIRECT read", false, true, 32),
            ("cached read", false, false, 1),
            ("cached read", false, false, 32),
            ("O_DIRECT write", true, true, 32),
            ("buffered write", true, false, 32),
        ] {
            let plan = Plan { libaio, write, direct: o_direct, warm: !write && !o_direct, depth, seconds };
            let load = format!("{what}, {depth} in flight");
            let row = Row { interface, load, plan, system: Vec::new(), uringaio: Vec::new() };
            if row.name().contains(only) && (writes || !write) && (direct || !o_direct) {
                rows.push(row);
            }
        }
    }
    rows
}

/// Takes every measurement, the two sides in turn and in changing order, so that what the machine does meanwhile hits both.
pub fn take(rows: &mut [Row], file: &Path, preload: &Path, rounds: u32) -> Result<(), Failure> {
    let bar = ProgressBar::new(rows.len() as u64 * u64::from(rounds) * 2);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len}, {eta} left: {msg}") {
        bar.set_style(style);
    }
    for round in 0..rounds {
        for row in &mut *rows {
            for turn in 0..2 {
                let with = (round + turn) % 2 == 1;
                bar.set_message(format!("{}{}", row.name(), if with { ", uringaio" } else { "" }));
                let taken = one(&row.plan, file, with.then_some(preload)).map_err(|why| {
                    bar.finish_and_clear();
                    let side = if with { "uringaio" } else { "the system's" };
                    Failure::wanting(format!("{} ({side}): {why}", row.name()))
                })?;
                if with { &mut row.uringaio } else { &mut row.system }.push(taken);
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn one(plan: &Plan, file: &Path, preload: Option<&Path>) -> Result<Round, String> {
    // What was written before is on the disk when the next one starts.
    let _ = File::open(file).and_then(|file| file.sync_data());
    let mut command = Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
    command.arg(load::CHILD).arg(file).args(plan.arguments()).stdin(Stdio::null());
    match preload {
        Some(library) => command.env("LD_PRELOAD", library::preloaded(library)),
        // This command may itself have been started on the library.
        None => command.env("LD_PRELOAD", library::preloads_of_others()),
    };
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} ({})", said.trim().trim_start_matches("uringaio: "), output.status));
    }
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    match (preload, answer["on_library"].as_bool()) {
        (Some(_), Some(true)) | (None, Some(false)) => {}
        (Some(_), _) => return Err("the dynamic linker did not load the library".into()),
        (None, _) => {
            return Err("the dynamic linker loads uringaio into every program here: there is nothing to compare".into());
        }
    }
    let number = |key: &str| answer[key].as_f64().unwrap_or(0.0);
    let operations = number("operations").max(1.0);
    Ok(Round {
        per_second: operations / number("seconds").max(1e-9),
        cpu_us: number("cpu_seconds") * 1e6 / operations,
        p99_ns: number("p99_ns") as u64,
    })
}
