//! `uringaio bench`: the user's own disk, the system's AIO against uringaio, in turn.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{IsTerminal, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::load::Plan;
use crate::units::{count, time};
use crate::{help, kernel, library, print, probe, report};

/// One line of the table.
pub struct Row {
    pub name: String,
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

impl Side {
    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    }

    /// Operations a second.
    pub fn rate(&self) -> f64 {
        self.median(|round| round.rate)
    }

    /// Microseconds of processor time for one operation.
    pub fn cpu(&self) -> f64 {
        self.median(|round| round.cpu)
    }

    /// Nanoseconds within which 99 % were done.
    pub fn p99(&self) -> u64 {
        self.median(|round| round.p99 as f64) as u64
    }

    /// How far the rounds lie apart, in percent of the median.
    pub fn spread(&self) -> f64 {
        let rates = || self.rounds.iter().map(|round| round.rate);
        let (least, most) = (rates().fold(f64::MAX, f64::min), rates().fold(0.0, f64::max));
        (most - least) * 100.0 / self.rate().max(1e-9)
    }

    fn to_json(&self) -> Value {
        json!({ "per_second": self.rate(), "cpu_us": self.cpu(), "p99_ns": self.p99(), "spread_percent": self.spread() })
    }
}

impl Row {
    /// How many times as fast.
    pub fn ratio(&self) -> f64 {
        self.ours.rate() / self.system.rate().max(1e-9)
    }
}

struct Options {
    target: PathBuf,
    size: u64,
    seconds: f64,
    rounds: usize,
    only: String,
    report: Option<PathBuf>,
    library: Option<PathBuf>,
    as_json: bool,
}

fn options(arguments: &mut lexopt::Parser) -> Result<Option<Options>, Failure> {
    use lexopt::{Arg, ValueExt};
    let mut options = Options {
        target: ".".into(),
        size: 256,
        seconds: 2.0,
        rounds: 3,
        only: String::new(),
        report: None,
        library: None,
        as_json: false,
    };
    let mut named = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("size") => options.size = arguments.value()?.parse()?,
            Arg::Long("seconds") => options.seconds = arguments.value()?.parse()?,
            Arg::Long("rounds") => options.rounds = arguments.value()?.parse()?,
            Arg::Long("only") => options.only = arguments.value()?.string()?,
            Arg::Long("report") => options.report = Some(arguments.value()?.into()),
            Arg::Long("library") => options.library = Some(arguments.value()?.into()),
            Arg::Long("json") => options.as_json = true,
            Arg::Long("help") | Arg::Short('h') => {
                print(help::BENCH);
                return Ok(None);
            }
            Arg::Value(value) if !named => {
                options.target = value.into();
                named = true;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if !(1..=1 << 20).contains(&options.size) || !(0.05..=3600.0).contains(&options.seconds) || options.rounds == 0 {
        return Err(Failure::usage("--size is from 1 MiB on, --seconds from 0.05 to 3600, --rounds at least 1"));
    }
    Ok(Some(options))
}

pub fn main(arguments: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let Some(options) = options(arguments)? else { return Ok(ExitCode::SUCCESS) };
    if let Some(file) = &options.report {
        report::kind(file)?;
    }
    let preload = library::find(options.library.as_deref())
        .preload
        .ok_or_else(|| Failure::wanting("liburingaio.so.1 is not beside this command; name it with --library"))?;
    let own = options.target.is_dir();
    let made = if own { Some(Made::new(&options.target, options.size)?) } else { None };
    let file = made.as_ref().map_or(options.target.as_path(), |made| made.file.as_path());
    let mut rows = rows(own, &options);
    if rows.is_empty() {
        return Err(Failure::usage(format!("no row has {:?} in its name", options.only)));
    }
    measure(&mut rows, file, &preload, options.rounds)?;
    let facts = facts(&options.target, &preload);
    if let Some(to) = &options.report {
        let text = report::make(report::kind(to)?, &facts, &rows);
        fs::write(to, text).map_err(|error| Failure::wanting(format!("{}: {error}", to.display())))?;
    }
    Ok(print(&if options.as_json { object(&facts, &rows) } else { table(&facts, &rows) }))
}

/// A file without a name, which is gone with this process, however that ends. The loads open it by its descriptor here.
struct Made {
    file: PathBuf,
    _open: File,
}

impl Made {
    fn new(directory: &Path, mebibytes: u64) -> Result<Self, Failure> {
        let name = directory.join(format!(".uringaio-bench-{}", std::process::id()));
        let failed = |error: std::io::Error| Failure::wanting(format!("{}: {error}", name.display()));
        let mut open = File::create_new(&name).map_err(failed)?;
        fs::remove_file(&name).map_err(failed)?;
        // Not zeros: some devices do not store those.
        let chunk: Vec<u8> = (0..1 << 20).map(|index: u32| (index.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
        for _ in 0..mebibytes {
            open.write_all(&chunk).map_err(failed)?;
        }
        open.sync_all().map_err(failed)?;
        Ok(Self { file: format!("/proc/{}/fd/{}", std::process::id(), open.as_raw_fd()).into(), _open: open })
    }
}

/// What is measured: of a file that is not ours, only reads.
fn rows(own: bool, options: &Options) -> Vec<Row> {
    let mut rows = Vec::new();
    for (face, libaio) in [("POSIX AIO", false), ("libaio", true)] {
        for (what, write, direct, depth) in [
            ("O_DIRECT read", false, true, 1),
            ("O_DIRECT read", false, true, 32),
            ("cached read", false, false, 1),
            ("cached read", false, false, 32),
            ("O_DIRECT write", true, true, 32),
            ("buffered write", true, false, 32),
        ] {
            let name = format!("{face}, {what}, {depth} in flight");
            if name.contains(&options.only) && (own || !write) {
                let warm = !write && !direct;
                let plan = Plan { libaio, write, direct, warm, depth, seconds: options.seconds };
                rows.push(Row { name, plan, system: Side::default(), ours: Side::default() });
            }
        }
    }
    rows
}

/// Takes every measurement, the two sides in turn and in changing order, so that what the machine does meanwhile hits both.
fn measure(rows: &mut [Row], file: &Path, preload: &Path, rounds: usize) -> Result<(), Failure> {
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
                bar.set_message(format!("{}{}", row.name, if with { ", uringaio" } else { "" }));
                let taken = one(&row.plan, file, with.then_some(preload)).map_err(|failure| {
                    let side = if with { "uringaio" } else { "the system's" };
                    Failure::wanting(format!("{} ({side}): {}", row.name, failure.message))
                })?;
                if with { &mut row.ours } else { &mut row.system }.rounds.push(taken);
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn one(plan: &Plan, file: &Path, preload: Option<&Path>) -> Result<Round, Failure> {
    let failed = |why: String| Failure::wanting(why);
    // What was written before is on the disk when the next one starts.
    let _ = File::open(file).and_then(|file| file.sync_data());
    let mut command = Command::new(std::env::current_exe().map_err(|error| failed(error.to_string()))?);
    command.arg("__load").arg(file).args(plan.arguments()).stdin(Stdio::null());
    if let Some(library) = preload {
        command.env("LD_PRELOAD", library::preloaded(library));
    }
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!("{} ({})", said.trim().trim_start_matches("uringaio: "), output.status)));
    }
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
    let number = |key: &str| answer[key].as_f64().unwrap_or(0.0);
    let operations = number("operations").max(1.0);
    Ok(Round {
        rate: operations / number("seconds").max(1e-9),
        cpu: number("cpu_seconds") * 1e6 / operations,
        p99: number("p99_ns") as u64,
    })
}

/// Where and on what it was measured: a name and what is so named.
fn facts(target: &Path, preload: &Path) -> Vec<(&'static str, String)> {
    let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find_map(|line| Some(line.strip_prefix("model name")?.split_once(": ")?.1.to_string()));
    let engine = probe::ask(preload).engine.unwrap_or_else(|| "nothing".into());
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    vec![
        ("uringaio", format!("{}, on {engine}", env!("CARGO_PKG_VERSION"))),
        ("Linux", kernel::release()),
        ("Processors", format!("{cpus}, {}", model.unwrap_or_else(|| std::env::consts::ARCH.into()))),
        ("File system", file_system(target).unwrap_or_else(|| "unknown".into())),
    ]
}

/// The type of the file system that holds `target`, as `/proc/self/mountinfo` has it.
fn file_system(target: &Path) -> Option<String> {
    let target = target.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    mounts
        .lines()
        .filter_map(|line| {
            let (left, right) = line.split_once(" - ")?;
            let point = left.split(' ').nth(4)?;
            target.starts_with(point).then(|| (point.len(), right.split(' ').next()))
        })
        .max_by_key(|&(length, _)| length)?
        .1
        .map(str::to_string)
}

fn table(facts: &[(&str, String)], rows: &[Row]) -> String {
    let mut text = String::new();
    for (name, fact) in facts {
        let _ = writeln!(text, "{name:12} {fact}");
    }
    let _ = write!(
        text,
        "\n{:40} {:>10} {:>10} {:>7}   {:>15} {:>19} {:>7}\n",
        "operations of 4 KiB a second, median", "system", "uringaio", "", "CPU µs each", "99 % within", "spread"
    );
    for row in rows {
        let _ = writeln!(
            text,
            "{:40} {:>10} {:>10} {:>6.2}x   {:>6.1} → {:>6.1} {:>8} → {:>8} {:>6.0}%",
            row.name,
            count(row.system.rate()),
            count(row.ours.rate()),
            row.ratio(),
            row.system.cpu(),
            row.ours.cpu(),
            time(row.system.p99()),
            time(row.ours.p99()),
            row.system.spread().max(row.ours.spread())
        );
    }
    text
}

fn object(facts: &[(&str, String)], rows: &[Row]) -> String {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name,
                "system": row.system.to_json(),
                "uringaio": row.ours.to_json(),
                "ratio": row.ratio(),
            })
        })
        .collect();
    let facts: Value = facts.iter().map(|(name, fact)| ((*name).to_string(), json!(fact))).collect();
    format!("{:#}\n", json!({ "machine": facts, "rows": rows }))
}
