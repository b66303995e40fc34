//! The measurements of `uringaio bench`: what is run, in which order, and what came of it.

use std::fs::File;
use std::io::IsTerminal;
use std::path::Path;
use std::process::{Command, Stdio};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::library;
use crate::load::Plan;

/// One kind of load, on both sides.
pub struct Row {
    pub face: &'static str,
    pub what: String,
    plan: Plan,
    pub system: Side,
    pub ours: Side,
}

/// What was measured of one side, the rounds in the order they were taken.
#[derive(Clone, Debug, Default)]
pub struct Side {
    rounds: Vec<Round>,
}

#[derive(Clone, Copy, Debug)]
struct Round {
    rate: f64,
    /// Processor time of one operation, in microseconds.
    cpu: f64,
    p99: u64,
}

/// What the rounds say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// uringaio was faster in every round.
    Faster,
    /// It was slower in every round.
    Slower,
    /// Now this, now that; or there was one round only.
    Unclear,
}

impl Side {
    /// Operations a second.
    pub fn rate(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.rate).collect())
    }

    /// Operations a second in the slowest and in the fastest round.
    pub fn extremes(&self) -> (f64, f64) {
        extremes(self.rounds.iter().map(|round| round.rate))
    }

    /// Microseconds of processor time for one operation.
    pub fn cpu(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.cpu).collect())
    }

    /// Nanoseconds within which 99 % were done.
    pub fn p99(&self) -> u64 {
        median(self.rounds.iter().map(|round| round.p99 as f64).collect()) as u64
    }

    pub fn to_json(&self) -> Value {
        let rounds: Vec<Value> = self
            .rounds
            .iter()
            .map(|round| json!({ "per_second": round.rate, "cpu_us": round.cpu, "p99_ns": round.p99 }))
            .collect();
        json!({ "per_second": self.rate(), "cpu_us": self.cpu(), "p99_ns": self.p99(), "rounds": rounds })
    }
}

impl Row {
    pub fn name(&self) -> String {
        format!("{}, {}", self.face, self.what)
    }

    /// How many times as fast: the median over the rounds of ours by the system's of the same round.
    pub fn ratio(&self) -> f64 {
        median(self.ratios().collect())
    }

    /// The ratio in the worst and in the best round.
    pub fn ratio_extremes(&self) -> (f64, f64) {
        extremes(self.ratios())
    }

    pub fn verdict(&self) -> Verdict {
        match (self.ours.rounds.len(), self.ratio_extremes()) {
            (2.., (least, _)) if least > 1.0 => Verdict::Faster,
            (2.., (_, most)) if most < 1.0 => Verdict::Slower,
            _ => Verdict::Unclear,
        }
    }

    fn ratios(&self) -> impl Iterator<Item = f64> {
        self.ours.rounds.iter().zip(&self.system.rounds).map(|(ours, system)| ours.rate / system.rate.max(1e-9))
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.get(middle) {
        Some(value) if values.len() % 2 == 1 => *value,
        Some(value) => f64::midpoint(*value, values[middle - 1]),
        None => 0.0,
    }
}

fn extremes(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(least, most), value| (least.min(value), most.max(value)))
}

/// What is measured: of a file that is not ours, only reads; without `O_DIRECT`, what does not need it.
pub fn rows(writes: bool, direct: bool, only: &str, seconds: f64) -> Vec<Row> {
    let mut rows = Vec::new();
    for (face, libaio) in [("POSIX AIO", false), ("libaio", true)] {
        for (what, write, o_direct, depth) in [
            ("O_DIRECT read", false, true, 1),
            ("O_DIRECT read", false, true, 32),
            ("cached read", false, false, 1),
            ("cached read", false, false, 32),
            ("O_DIRECT write", true, true, 32),
            ("buffered write", true, false, 32),
        ] {
            let plan = Plan { libaio, write, direct: o_direct, warm: !write && !o_direct, depth, seconds };
            let what = format!("{what}, {depth} in flight");
            let row = Row { face, what, plan, system: Side::default(), ours: Side::default() };
            if row.name().contains(only) && (writes || !write) && (direct || !o_direct) {
                rows.push(row);
            }
        }
    }
    rows
}

/// Takes every measurement, the two sides in turn and in changing order, so that what the machine does meanwhile hits both.
pub fn take(rows: &mut [Row], file: &Path, preload: &Path, rounds: usize) -> Result<(), Failure> {
    let bar = ProgressBar::new((rows.len() * rounds * 2) as u64);
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
                if with { &mut row.ours } else { &mut row.system }.rounds.push(taken);
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
    command.arg("__load").arg(file).args(plan.arguments()).stdin(Stdio::null());
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
        (Some(_), _) => return Err("the loader did not load the library".into()),
        (None, _) => {
            return Err("the loader loads uringaio into every program here: there is nothing to compare".into());
        }
    }
    let number = |key: &str| answer[key].as_f64().unwrap_or(0.0);
    let operations = number("operations").max(1.0);
    Ok(Round {
        rate: operations / number("seconds").max(1e-9),
        cpu: number("cpu_seconds") * 1e6 / operations,
        p99: number("p99_ns") as u64,
    })
}
