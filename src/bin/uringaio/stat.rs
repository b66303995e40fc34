//! `uringaio stat`: live counters of a running program.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::block::{Observed, Snapshot};
use crate::failure::Failure;
use crate::layout::{LANES, LATENCIES, latency_bound, percentile, uringaio_counters};
use crate::units::{bytes, count, time};
use crate::{help, print};

/// Operations timed a second: enough for a 99th percentile, and too few to be felt.
const TIMED: f64 = 5_000.0;
/// Seconds after which the next of them are asked for, so that they are not all of an interval's beginning.
const SLICE: f64 = 0.1;

const KINDS: [&str; 7] = ["read", "write", "readv", "writev", "fsync", "fdatasync", "poll"];
const FACES: [&str; 2] = ["posix", "libaio"];
const LANE_NAMES: [&str; LANES] = ["in_place", "engine"];
const NOTICES: [&str; 3] = ["signals", "callbacks", "eventfds"];
const SIZES: [&str; 12] =
    ["1", "2", "3-4", "5-8", "9-16", "17-32", "33-64", "65-128", "129-256", "257-512", "513-1024", "more"];

pub fn main(arguments: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    use lexopt::{Arg, ValueExt};
    let (mut interval, mut rounds, mut once, mut as_json, mut process) = (1.0f64, None::<u64>, false, false, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("interval") => interval = arguments.value()?.parse()?,
            Arg::Long("count") => rounds = Some(arguments.value()?.parse()?),
            Arg::Long("once") => once = true,
            Arg::Long("json") => as_json = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(print(help::STAT)),
            Arg::Value(value) if process.is_none() => process = Some(value.parse::<libc::pid_t>()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let Some(process) = process else { return Err(Failure::usage("of which process? See uringaio stat --help")) };
    if !(0.05..=3600.0).contains(&interval) || rounds == Some(0) {
        return Err(Failure::usage("--interval is from 0.05 to 3600 seconds, --count at least 1"));
    }
    let observed = Observed::find(process)?;
    let gone = || Failure::wanting(format!("process {process} has ended"));
    let first = observed.read().ok_or_else(gone)?;
    if once {
        let shown = Shown::total(&first);
        return Ok(print(&if as_json { line(process, &shown) } else { table(process, &shown) }));
    }
    watch(&observed, process, first, interval, rounds, as_json);
    Ok(ExitCode::SUCCESS)
}

/// Shows what changed in each interval, until the process ends, or the reader has gone.
fn watch(
    observed: &Observed,
    process: libc::pid_t,
    first: Snapshot,
    interval: f64,
    rounds: Option<u64>,
    as_json: bool,
) {
    let mut output = std::io::stdout();
    let clear = !as_json && output.is_terminal();
    let (mut before, mut read_at) = (first, Instant::now());
    // A process that times everything by itself (URINGAIO_STATS) is to go on with that.
    let times_all = before.header.observed == u32::MAX;
    let mut left = rounds;
    while left != Some(0) {
        wait((!times_all).then_some(observed), interval);
        let Some(after) = observed.read() else { break };
        let now = Instant::now();
        let shown = Shown::between(&before, &after, now.duration_since(read_at).as_secs_f64());
        let mut text = String::new();
        if clear {
            text.push_str("\x1b[H\x1b[2J");
        }
        text.push_str(&if as_json { line(process, &shown) } else { table(process, &shown) });
        if output.write_all(text.as_bytes()).and_then(|()| output.flush()).is_err() {
            break;
        }
        (before, read_at) = (after, now);
        left = left.map(|left| left - 1);
    }
    if !times_all {
        observed.time(0);
    }
}

/// Waits, and has operations timed meanwhile, if somebody is named.
fn wait(observed: Option<&Observed>, interval: f64) {
    let begun = Instant::now();
    loop {
        let left = interval - begun.elapsed().as_secs_f64();
        if left <= 0.0 {
            return;
        }
        let slice = left.min(SLICE);
        if let Some(observed) = observed {
            observed.time((TIMED * slice).ceil() as u32);
        }
        std::thread::sleep(Duration::from_secs_f64(slice));
    }
}

/// What is shown: the counts of some time, and what is true at its end.
struct Shown<'a> {
    seconds: f64,
    counters: uringaio_counters,
    latencies: [[u64; LATENCIES]; LANES],
    end: &'a Snapshot,
}

impl<'a> Shown<'a> {
    fn total(snapshot: &'a Snapshot) -> Self {
        let now = monotonic();
        let seconds = now.saturating_sub(snapshot.header.started) as f64 / 1e9;
        Self { seconds, counters: snapshot.counters, latencies: snapshot.latencies, end: snapshot }
    }

    fn between(before: &Snapshot, end: &'a Snapshot, seconds: f64) -> Self {
        let latencies = std::array::from_fn(|lane| {
            std::array::from_fn(|bucket| end.latencies[lane][bucket].saturating_sub(before.latencies[lane][bucket]))
        });
        Self { seconds, counters: end.counters.since(&before.counters), latencies, end }
    }

    fn rate(&self, number: u64) -> f64 {
        number as f64 / self.seconds.max(1e-9)
    }

    fn serves(&self) -> &'static str {
        match self.end.header.engine {
            1 => "io_uring",
            2 => "threads",
            _ => "system",
        }
    }

    fn version(&self) -> String {
        // What another process has in its memory may be anything; a terminal is not to obey it.
        let known = |byte: &&u8| byte.is_ascii_alphanumeric() || b".-+".contains(byte);
        self.end.header.version.iter().take_while(known).map(|&byte| char::from(byte)).collect()
    }
}

fn monotonic() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the structure.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

fn table(process: libc::pid_t, shown: &Shown) -> String {
    let c = &shown.counters;
    let mut text = String::new();
    let rate = |number: u64| count(shown.rate(number));
    let _ = writeln!(
        text,
        "process {process}, uringaio {}, served by {}; a second, over {:.1} s:",
        shown.version(),
        shown.serves(),
        shown.seconds
    );
    let _ = writeln!(
        text,
        "{:12}{:>10}{:>10}{:>10}{:>10}{:>10}{:>11}",
        "", "calls", "submitted", "in place", "engine", "failed", "in flight"
    );
    let in_flight = shown.end.counters.in_flight();
    for (face, name) in FACES.iter().enumerate() {
        let _ = writeln!(
            text,
            "{name:12}{:>10}{:>10}{:>10}{:>10}{:>10}{:>11}",
            rate(c.calls[face]),
            rate(c.submitted[face]),
            rate(c.in_place[face].iter().sum()),
            rate(c.engine[face].iter().sum()),
            rate(c.failed[face]),
            in_flight[face]
        );
    }
    let kinds: Vec<String> = KINDS
        .iter()
        .enumerate()
        .filter_map(|(kind, name)| {
            let number: u64 = (0..2).map(|face| c.in_place[face][kind] + c.engine[face][kind]).sum();
            (number > 0).then(|| format!("{name} {}", rate(number)))
        })
        .collect();
    let _ = writeln!(text, "operations  {}", or_none(&kinds));
    let _ = writeln!(
        text,
        "bytes       read {}/s, written {}/s",
        bytes(shown.rate(c.bytes_read)),
        bytes(shown.rate(c.bytes_written))
    );
    for (lane, name) in ["in place", "engine"].iter().enumerate() {
        let times = &shown.latencies[lane];
        if let (Some(p50), Some(p95), Some(p99)) =
            (percentile(times, 0.5), percentile(times, 0.95), percentile(times, 0.99))
        {
            let _ = writeln!(
                text,
                "latency     {name}: 50 % {}, 95 % {}, 99 % {}, longest {}",
                time(p50),
                time(p95),
                time(p99),
                time(longest(times))
            );
        }
    }
    let _ = writeln!(text, "a call      {}", sizes(&c.call_sizes));
    let _ = writeln!(text, "a round     {}", sizes(&c.engine_batches));
    let _ =
        writeln!(text, "engine      slept {}, dozed {}, was rung for {}", rate(c.sleeps), rate(c.dozes), rate(c.rings));
    let _ = writeln!(text, "private     rings took posix {}, libaio {}", rate(c.private[0]), rate(c.private[1]));
    let notices: Vec<String> =
        NOTICES.iter().zip(c.notifications).map(|(name, number)| format!("{name} {}", rate(number))).collect();
    let _ = writeln!(text, "notified    {}", notices.join(", "));
    let _ = writeln!(
        text,
        "canceled    posix {}, libaio {}; passed on to the system: posix {}, libaio {}",
        rate(c.canceled[0]),
        rate(c.canceled[1]),
        rate(c.fallbacks[0]),
        rate(c.fallbacks[1])
    );
    text
}

fn or_none(list: &[String]) -> String {
    if list.is_empty() { "none".into() } else { list.join(", ") }
}

fn longest(times: &[u64; LATENCIES]) -> u64 {
    times.iter().rposition(|&count| count > 0).map_or(0, latency_bound)
}

/// How many operations at once, in shares: `1: 90 %, 2: 10 %`.
fn sizes(buckets: &[u64; 12]) -> String {
    let total: u64 = buckets.iter().sum();
    let shares: Vec<String> = SIZES
        .iter()
        .zip(buckets)
        .filter(|&(_, &number)| number * 200 >= total && number > 0)
        .map(|(name, &number)| format!("{name}: {:.0} %", number as f64 * 100.0 / total as f64))
        .collect();
    or_none(&shares)
}

fn line(process: libc::pid_t, shown: &Shown) -> String {
    let c = &shown.counters;
    let faces =
        |numbers: [u64; 2]| -> Value { FACES.iter().zip(numbers).map(|(k, v)| ((*k).to_string(), json!(v))).collect() };
    let kinds = |numbers: [[u64; 7]; 2]| -> Value {
        FACES
            .iter()
            .zip(numbers)
            .map(|(face, row)| {
                let row: Value =
                    KINDS.iter().zip(row).map(|(kind, number)| ((*kind).to_string(), json!(number))).collect();
                ((*face).to_string(), row)
            })
            .collect()
    };
    let buckets = |numbers: [u64; 12]| -> Value {
        SIZES.iter().zip(numbers).map(|(k, v)| ((*k).to_string(), json!(v))).collect()
    };
    let latency: Value = LANE_NAMES
        .iter()
        .zip(&shown.latencies)
        .map(|(lane, times)| {
            let times = json!({
                "timed": times.iter().sum::<u64>(),
                "p50": percentile(times, 0.5),
                "p95": percentile(times, 0.95),
                "p99": percentile(times, 0.99),
            });
            ((*lane).to_string(), times)
        })
        .collect();
    let notices: Value = NOTICES.iter().zip(c.notifications).map(|(k, v)| ((*k).to_string(), json!(v))).collect();
    let object = json!({
        "process": process,
        "version": shown.version(),
        "engine": shown.serves(),
        "seconds": shown.seconds,
        "calls": faces(c.calls),
        "submitted": faces(c.submitted),
        "in_place": kinds(c.in_place),
        "by_engine": kinds(c.engine),
        "in_flight": faces(shown.end.counters.in_flight()),
        "failed": faces(c.failed),
        "canceled": faces(c.canceled),
        "bytes_read": c.bytes_read,
        "bytes_written": c.bytes_written,
        "call_sizes": buckets(c.call_sizes),
        "engine_batches": buckets(c.engine_batches),
        "sleeps": c.sleeps,
        "dozes": c.dozes,
        "rings": c.rings,
        "private": faces(c.private),
        "notifications": notices,
        "fallbacks": faces(c.fallbacks),
        "latency_ns": latency,
    });
    format!("{object}\n")
}
