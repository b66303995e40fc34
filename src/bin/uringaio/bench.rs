//! `uringaio bench`: the user's own disk, the system's AIO against uringaio, in turn.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::units::{count, time};
use crate::{help, kernel, library, print, probe};
use measure::Row;
use report::Report;
use target::Target;

mod chart;
mod measure;
mod report;
mod target;

/// Where, on what and how it was measured: a name and what is so named.
type Facts = [(&'static str, String)];

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
    if !(1..=1 << 20).contains(&options.size)
        || !(0.05..=3600.0).contains(&options.seconds)
        || !(1..=1000).contains(&options.rounds)
    {
        return Err(Failure::usage("--size is from 1 MiB on, --seconds from 0.05 to 3600, --rounds from 1 to 1000"));
    }
    Ok(Some(options))
}

pub fn main(arguments: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let Some(options) = options(arguments)? else { return Ok(ExitCode::SUCCESS) };
    let report = options.report.as_deref().map(Report::new).transpose()?;
    let preload = library::find(options.library.as_deref()).preload.map_err(Failure::wanting)?;
    let target = Target::new(&options.target, options.size)?;
    let mut rows = measure::rows(target.own, target.direct, &options.only, options.seconds);
    if rows.is_empty() {
        return Err(Failure::usage(format!("no row has {:?} in its name", options.only)));
    }
    measure::take(&mut rows, &target.file, &preload, options.rounds)?;
    let engine = probe::ask(&preload).engine.unwrap_or_else(|| "nothing".into());
    let mut facts = vec![
        ("uringaio", format!("{}, on {engine}", env!("CARGO_PKG_VERSION"))),
        ("Linux", kernel::release()),
        ("Processors", target::processors()),
        ("File system", target::file_system(&options.target).unwrap_or_else(|| "unknown".into())),
        (
            "Measured",
            format!(
                "{}, {} of {} s, on a file of {} MiB",
                target::now(),
                match options.rounds {
                    1 => "one round".to_string(),
                    rounds => format!("medians of {rounds} rounds"),
                },
                options.seconds,
                target.bytes >> 20
            ),
        ),
    ];
    if !target.direct {
        facts.push(("Left out", "O_DIRECT, which this file system has not".into()));
    }
    if let Some(report) = report {
        report.write(&facts, &rows)?;
    }
    Ok(print(&if options.as_json { object(&facts, &rows) } else { table(&facts, &rows) }))
}

fn table(facts: &Facts, rows: &[Row]) -> String {
    let mut text = String::new();
    for (name, fact) in facts {
        let _ = writeln!(text, "{name:12} {fact}");
    }
    let mut face = "";
    for row in rows {
        if row.face != face {
            face = row.face;
            let _ = write!(
                text,
                "\n{face:30} {:>8} {:>9} {:>7} {:13} {:>16} {:>20}\n",
                "system", "uringaio", "ratio", "  of rounds", "CPU µs each", "99 % within"
            );
        }
        let (least, most) = row.ratio_extremes();
        let _ = writeln!(
            text,
            "  {:28} {:>8} {:>9} {:>6.2}× {:13} {:>7.1} → {:>6.1} {:>9} → {:>8}",
            row.what,
            count(row.system.rate()),
            count(row.ours.rate()),
            row.ratio(),
            format!("{least:>6.2}–{most:.2}"),
            row.system.cpu(),
            row.ours.cpu(),
            time(row.system.p99()),
            time(row.ours.p99()),
        );
    }
    text.push_str("\nRandom operations of 4 KiB a second. A ratio whose rounds lie on both sides of 1 says nothing.\n");
    text
}

fn object(facts: &Facts, rows: &[Row]) -> String {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let (least, most) = row.ratio_extremes();
            json!({
                "name": row.name(),
                "system": row.system.to_json(),
                "uringaio": row.ours.to_json(),
                "ratio": row.ratio(),
                "ratio_least": least,
                "ratio_most": most,
            })
        })
        .collect();
    let facts: Value = facts.iter().map(|(name, fact)| ((*name).to_string(), json!(fact))).collect();
    format!("{:#}\n", json!({ "machine": facts, "rows": rows }))
}
