//! `uringaio bench`: the user's own disk, the system's AIO against uringaio, in turn.

use std::process::ExitCode;

use crate::arguments::Bench;
use crate::chart::{Style, terminal};
use crate::failure::Failure;
use crate::output::{json, print_as_is};
use crate::{host, library, probe};
use measure::Row;
use report::Report;
use result::{Machine, Outcome};
use target::Target;

mod measure;
mod present;
mod report;
mod result;
mod target;

pub fn main(arguments: &Bench) -> Result<ExitCode, Failure> {
    let report = arguments.report.as_deref().map(Report::new).transpose()?;
    let preload = library::find(arguments.library.as_deref()).preload.map_err(Failure::wanting)?;
    let target = Target::new(&arguments.target, arguments.size)?;
    let mut rows = measure::rows(target.own, target.direct, &arguments.only, arguments.seconds);
    if rows.is_empty() {
        return Err(Failure::usage(format!("no row has {:?} in its name", arguments.only)));
    }
    measure::take(&mut rows, &target.file, &preload, arguments.rounds)?;
    let machine = Machine {
        version: env!("CARGO_PKG_VERSION").into(),
        engine: probe::library(&preload).engine.unwrap_or_else(|| "nothing".into()),
        linux: host::release(),
        processors: target::processors(),
        file_system: target::file_system(&arguments.target).unwrap_or_else(|| "an unknown file system".into()),
        measured_at: target::now(),
        rounds: arguments.rounds,
        seconds: arguments.seconds,
        file_mib: target.bytes >> 20,
        has_o_direct: target.direct,
    };
    let outcome = Outcome { machine, rows: rows.into_iter().map(Row::measured).collect() };
    if let Some(report) = report {
        report.write(&outcome)?;
    }
    print_as_is(&if arguments.json {
        json(serde_json::to_string_pretty(&outcome))?
    } else {
        terminal(&present::chart(&outcome), Style::of_output())
    })?;
    Ok(ExitCode::SUCCESS)
}
