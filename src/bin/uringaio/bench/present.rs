//! What was measured as a chart.

use super::result::{Machine, Measured, Outcome, Side};
use crate::chart::{Bar, Chart, Group, Row, Verdict};
use crate::units::{count, time};

/// How to read it.
const NOTE: &str = "Random operations of 4 KiB, per second. Each pair of bars has its own scale. The ratio is the median over the \
                    rounds, with the lowest and the highest; where these lie on both sides of 1 it says nothing.";

pub fn chart(outcome: &Outcome) -> Chart {
    let mut groups: Vec<Group> = Vec::new();
    for (interface, title) in
        [("POSIX AIO", "POSIX AIO: glibc and uringaio"), ("libaio", "libaio: the kernel's AIO and uringaio")]
    {
        let rows: Vec<Row> = outcome.rows.iter().filter(|row| row.interface == interface).map(row).collect();
        if !rows.is_empty() {
            groups.push(Group { title: title.into(), rows });
        }
    }
    Chart {
        title: "Random 4 KiB operations per second: the system's AIO and uringaio".into(),
        facts: facts(&outcome.machine),
        sides: ["system", "uringaio"],
        groups,
        note: NOTE.into(),
    }
}

/// Where, on what and how it was measured.
pub fn facts(machine: &Machine) -> Vec<String> {
    let rounds = match machine.rounds {
        1 => "one round".into(),
        rounds => format!("medians of {rounds} rounds"),
    };
    let mut facts = vec![
        format!("uringaio {}, by {}", machine.version, machine.engine),
        format!("Linux {}", machine.linux),
        machine.processors.clone(),
        machine.file_system.clone(),
        format!("{}, {rounds} of {} s, on a file of {} MiB", machine.measured_at, machine.seconds, machine.file_mib),
    ];
    if !machine.has_o_direct {
        facts.push("without O_DIRECT, which this file system does not have".into());
    }
    facts
}

pub fn verdict(row: &Measured) -> Verdict {
    match row.uringaio.rounds.len() {
        2.. if row.ratio_least > 1.0 => Verdict::Faster,
        2.. if row.ratio_most < 1.0 => Verdict::Slower,
        _ => Verdict::Unclear,
    }
}

fn row(row: &Measured) -> Row {
    Row {
        label: row.load.clone(),
        bars: [bar(&row.system), bar(&row.uringaio)],
        ratio: [row.ratio, row.ratio_least, row.ratio_most],
        verdict: verdict(row),
    }
}

fn bar(side: &Side) -> Bar {
    let (least, most) = side.extremes();
    Bar {
        value: side.per_second,
        least,
        most,
        text: count(side.per_second),
        detail: format!("CPU {:.1} µs, 99 % in {}", side.cpu_us, time(side.p99_ns)),
    }
}
