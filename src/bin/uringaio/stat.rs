//! `uringaio stat`: what the library does in a running program, or in all of them for a monitor.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Instant;

use crate::arguments::Stat;
use crate::counters::{Missing, Observed, Snapshot};
use crate::failure::Failure;
use crate::output::{deliver, json, print};
use crate::programs::{Program, Survey, survey};
use crate::watch::{sleep, wait};
use sample::Sample;
use table::{Numbers, table};

mod openmetrics;
mod reading;
mod sample;
mod table;

/// Operations that are timed between two pages for a monitor, which comes when it likes.
const TIMED_PER_PAGE: u32 = 5_000;
/// To the terminal's first line, and everything below it gone.
const CLEAR_SCREEN: &str = "\x1b[H\x1b[2J";

pub fn main(arguments: &Stat) -> Result<ExitCode, Failure> {
    // The command line has a number, or --all.
    let Some(process) = arguments.process else { return page(&survey(|_| false)) };
    if arguments.openmetrics {
        let program = Program::find(process).map_err(|missing| missing.of(process))?;
        return page(&Survey { programs: vec![program], unreadable: 0, other_versions: 0 });
    }
    let observed = Observed::find(process).map_err(|missing| missing.of(process))?;
    let first = observed.read().ok_or_else(|| Missing::Ended.of(process))?;
    if arguments.once {
        print(&written(&reading::total(process, &first), Numbers::Totals, arguments.json)?)?;
    } else {
        watch(process, &observed, first, arguments)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes totals for a monitor.
fn page(survey: &Survey) -> Result<ExitCode, Failure> {
    for program in survey.programs.iter().filter(|program| !program.snapshot.times_all()) {
        program.observed.time(TIMED_PER_PAGE);
    }
    print(&openmetrics::text(survey))?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what was counted in each interval, until the process ends, or the reader has gone.
fn watch(process: libc::pid_t, observed: &Observed, first: Snapshot, arguments: &Stat) -> Result<(), Failure> {
    let clear = !arguments.json && std::io::stdout().is_terminal();
    let (mut before, mut read_at) = (first, Instant::now());
    let times_all = before.times_all();
    let time = |count: u32| {
        if !times_all {
            observed.time(count);
        }
    };
    let mut left = arguments.count;
    let mut has_reader = Ok(true);
    while left != Some(0) && matches!(has_reader, Ok(true)) {
        wait(arguments.interval, time, sleep);
        let Some(after) = observed.read() else { break };
        let now = Instant::now();
        let seconds = now.duration_since(read_at).as_secs_f64();
        let text = written(&reading::between(process, &before, &after, seconds), Numbers::Rates, arguments.json)?;
        let text = if clear { format!("{CLEAR_SCREEN}{text}") } else { text };
        has_reader = deliver(&text);
        (before, read_at) = (after, now);
        left = left.map(|left| left - 1);
    }
    time(0);
    has_reader.map(|_| ())
}

fn written(sample: &Sample, numbers: Numbers, as_json: bool) -> Result<String, Failure> {
    if as_json { json(serde_json::to_string(sample)) } else { Ok(table(sample, numbers)) }
}
