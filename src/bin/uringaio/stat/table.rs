//! The table of `uringaio stat`.

use std::fmt::Write;

use super::sample::{Device, Interface, Sample, Size, Times};
use crate::output::{columns, fold};
use crate::units::{bytes, count, time};

/// Columns of what a line is about.
const LABEL: usize = 12;

/// What the numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Counts a second, over an interval.
    Rates,
    /// Counts since the first AIO call.
    Totals,
}

pub fn table(sample: &Sample, numbers: Numbers) -> String {
    let shown = |number: u64| match numbers {
        Numbers::Rates => count(number as f64 / sample.seconds.max(1e-9)),
        Numbers::Totals => number.to_string(),
    };
    let of = match numbers {
        Numbers::Rates => format!("numbers per second, over the last {:.1} s", sample.seconds),
        Numbers::Totals => format!("totals since its first AIO call, {:.1} s ago", sample.seconds),
    };
    let mut text = String::new();
    let engine = engine_name(sample.engine);
    text.push_str(&fold(
        "",
        &format!("process {}, uringaio {}, served by {engine}: {of}", sample.process, sample.version),
        columns(),
    ));
    let names = ["calls", "submitted", "in caller", engine, "kernel AIO", "failed", "in flight"];
    let interfaces = [("POSIX AIO", cells(&sample.posix, &shown)), ("libaio", cells(&sample.libaio, &shown))];
    text.push_str(&rows(&names, &interfaces, columns()));
    let mut line = |label: &str, words: &str| text.push_str(&fold(&format!("{label:LABEL$}"), words, columns()));
    line("operations", &operations(sample, &shown));
    line(
        "bytes",
        &match numbers {
            Numbers::Rates => {
                let rate = |number: u64| bytes(number as f64 / sample.seconds.max(1e-9));
                format!("read {}/s, written {}/s", rate(sample.bytes_read), rate(sample.bytes_written))
            }
            Numbers::Totals => {
                format!("read {}, written {}", bytes(sample.bytes_read as f64), bytes(sample.bytes_written as f64))
            }
        },
    );
    for (name, times) in [("in caller", &sample.latency.in_caller), (engine, &sample.latency.by_engine)] {
        if let Some(words) = latency(times) {
            line("latency", &format!("{name}: {words}"));
        }
    }
    line("call sizes", &sizes(&sample.call_sizes, "operations a call"));
    let thread = &sample.engine_thread;
    line(
        "thread",
        &format!(
            "slept {} times, {} of them for the next completion alone; was woken {} times; took up {}",
            shown(thread.sleeps + thread.timed_sleeps),
            shown(thread.timed_sleeps),
            shown(thread.wakes),
            sizes(&thread.batches, "operations at a time")
        ),
    );
    let sent = &sample.notifications;
    line(
        "notified",
        &format!(
            "signals {}, callbacks {}, eventfds {}",
            shown(sent.signals),
            shown(sent.callbacks),
            shown(sent.eventfds)
        ),
    );
    let both = |field: fn(&Interface) -> u64| {
        format!("POSIX AIO {}, libaio {}", shown(field(&sample.posix)), shown(field(&sample.libaio)))
    };
    line("canceled", &both(|interface| interface.canceled));
    line("passed on", &format!("to the system: {}", both(|interface| interface.passed_on)));
    for device in &sample.devices {
        line("device", &shown_device(device));
    }
    text
}

fn engine_name(engine: &str) -> &str {
    if engine == "system" { "the system" } else { engine }
}

/// A row for each label; where `width` has no room for that, its numbers by name.
fn rows<const N: usize>(names: &[&str; N], labelled: &[(&str, [String; N])], width: usize) -> String {
    let length = |text: &str| text.chars().count();
    let widths: [usize; N] = core::array::from_fn(|place| {
        let longest = labelled.iter().map(|(_, cells)| length(&cells[place])).fold(length(names[place]), usize::max);
        // The label ends in blanks.
        longest + if place > 0 { 2 } else { 0 }
    });
    if LABEL + widths.iter().sum::<usize>() > width {
        let by_name = |cells: &[String; N]| {
            names.iter().zip(cells).map(|(name, cell)| format!("{name} {cell}")).collect::<Vec<_>>().join(", ")
        };
        return labelled
            .iter()
            .map(|(label, cells)| fold(&format!("{label:LABEL$}"), &by_name(cells), width))
            .collect();
    }
    let row = |label: &str, cells: &[String; N]| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}"));
        format!("{label:LABEL$}{}\n", cells.collect::<String>())
    };
    let head = row("", &names.map(String::from));
    head + &labelled.iter().map(|(label, cells)| row(label, cells)).collect::<String>()
}

fn cells(interface: &Interface, shown: &dyn Fn(u64) -> String) -> [String; 7] {
    [
        shown(interface.calls),
        shown(interface.submitted),
        shown(interface.in_caller.sum()),
        shown(interface.by_engine.sum()),
        shown(interface.kernel_aio),
        shown(interface.failed),
        interface.in_flight.to_string(),
    ]
}

/// By kind, of both interfaces and lanes that count kinds.
fn operations(sample: &Sample, shown: &dyn Fn(u64) -> String) -> String {
    let lanes = [&sample.posix, &sample.libaio].map(|interface| [interface.in_caller, interface.by_engine]).concat();
    let mut parts = Vec::new();
    for (index, (name, _)) in sample.posix.in_caller.by_name().iter().enumerate() {
        let number: u64 = lanes.iter().map(|kinds| kinds.by_name()[index].1).sum();
        if number > 0 {
            parts.push(format!("{name} {}", shown(number)));
        }
    }
    let mut text = or_none(&parts);
    if sample.posix.kernel_aio + sample.libaio.kernel_aio > 0 {
        text.push_str(" (without those by the kernel's AIO, of which no more than the number is known)");
    }
    text
}

fn latency(times: &Times) -> Option<String> {
    let (p50, p95, p99, longest) = (times.p50_ns?, times.p95_ns?, times.p99_ns?, times.longest_ns?);
    Some(format!("50 % within {}, 95 % {}, 99 % {}, longest {}", time(p50), time(p95), time(p99), time(longest)))
}

fn shown_device(device: &Device) -> String {
    // Containers hide the names, and btrfs' devices have none.
    let mut text = match &device.name {
        Some(name) => format!("{name} ({})", device.number),
        None => device.number.clone(),
    };
    if let Some(best) = device.best_ns {
        let _ = write!(text, ", a request takes {} at best", time(best));
    }
    if device.is_immediate {
        text.push_str(", completes at once: O_DIRECT requests are done in the calling thread");
    }
    if device.pauses > 0 {
        let _ = write!(text, "; they waited, and io_uring served for a while, {} times", device.pauses);
    }
    text
}

/// In shares; what is less than half a percent is left out.
fn sizes(sizes: &[Size], what: &str) -> String {
    let total: u64 = sizes.iter().map(|size| size.number).sum();
    let large = sizes.iter().filter(|size| size.number * 200 >= total);
    let shares: Vec<String> = large
        .map(|size| {
            let name = match size.most {
                Some(most) if most == size.least => most.to_string(),
                Some(most) => format!("{}-{most}", size.least),
                None => format!("{} or more", size.least),
            };
            format!("{name} ({:.0} %)", size.number as f64 * 100.0 / total as f64)
        })
        .collect();
    if shares.is_empty() { "none".into() } else { format!("{} {what}", shares.join(", ")) }
}

fn or_none(list: &[String]) -> String {
    if list.is_empty() { "none".into() } else { list.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::{rows, shown_device};
    use crate::stat::sample::Device;

    #[test]
    fn a_device_without_a_name() {
        let named = |name: Option<&str>| {
            let name = name.map(String::from);
            shown_device(&Device { number: "8:1".into(), name, best_ns: None, is_immediate: false, pauses: 0 })
        };
        assert_eq!(named(Some("sda1")), "sda1 (8:1)");
        assert_eq!(named(None), "8:1");
    }

    #[test]
    fn long_numbers_keep_apart_and_narrow_terminals_get_lines() {
        let cells = |of: [&str; 2]| of.map(String::from);
        let labelled = [("POSIX AIO", cells(["12345678901", "7"])), ("libaio", cells(["0", "0"]))];
        let wide =
            "                  calls  failed\nPOSIX AIO   12345678901       7\nlibaio                0       0\n";
        assert_eq!(rows(&["calls", "failed"], &labelled, 31), wide);
        let narrow = "POSIX AIO   calls\n            12345678901,\n            failed 7\nlibaio      calls 0,\n            failed 0\n";
        assert_eq!(rows(&["calls", "failed"], &labelled, 25), narrow);
    }
}
