//! `uringaio stat --openmetrics`: counters as OpenMetrics text, which Prometheus scrapes and node_exporter's textfile collector
//! reads. The names are an interface: dashboards are written with them.
//!
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/> is the format. The type `info` is not used: the textfile collector
//! does not know it.

use std::fmt::{Display, Write};

use super::reading::{LIBAIO, POSIX, kinds};
use crate::layout::{LATENCIES, SIZES, latency_bound, uringaio_counters};
use crate::programs::{Program, Survey};

/// Interfaces as labels, in the counters' order.
const INTERFACES: [(usize, &str); 2] = [(POSIX, "posix"), (LIBAIO, "libaio")];
/// Bounds of the buckets of latencies: powers of two from 2^10 ns, about a microsecond, to 2^34 ns, 17 seconds.
const LATENCY_POWERS: std::ops::RangeInclusive<u32> = 10..=34;

/// The counters of all `survey.programs`.
pub fn text(survey: &Survey) -> String {
    let mut page = Page { programs: &survey.programs, text: String::new() };
    page.programs();
    page.calls_and_operations();
    page.sizes_and_latencies();
    page.engine_and_notifications();
    let beside = [
        ("uringaio_unreadable_processes", "Processes that the command may not look into.", survey.unreadable),
        (
            "uringaio_other_version_processes",
            "Programs on versions of uringaio that it cannot read.",
            survey.other_versions,
        ),
    ];
    for (name, help, number) in beside {
        page.family(name, "gauge", "", help);
        page.sample(name, &[], number);
    }
    page.text.push_str("# EOF\n");
    page.text
}

struct Page<'a> {
    programs: &'a [Program],
    text: String,
}

impl Page<'_> {
    fn programs(&mut self) {
        const INFO: &str = "uringaio_process_info";
        self.family(INFO, "gauge", "", "A program on uringaio: its library's version, and what carries out its I/O.");
        for program in self.programs {
            let now = &program.snapshot;
            self.of(program, INFO, &[("version", &now.version()), ("engine", now.engine())], 1);
        }
    }

    fn calls_and_operations(&mut self) {
        self.by_interface("uringaio_calls", "Calls that submitted operations.", |now| now.calls);
        self.by_interface("uringaio_submitted_operations", "Operations submitted.", |now| now.submitted);
        self.by_lane_and_kind();
        self.by_interface(
            "uringaio_failed_operations",
            "Operations that ended in an error; canceled ones are not among them.",
            |now| now.failed,
        );
        self.by_interface("uringaio_canceled_operations", "Operations that ended canceled.", |now| now.canceled);
        self.by_interface("uringaio_passed_on_calls", "Calls passed on to the system's own AIO.", |now| now.passed_on);
        const IN_FLIGHT: &str = "uringaio_in_flight_operations";
        self.family(IN_FLIGHT, "gauge", "", "Operations that the engine has taken and not finished.");
        for program in self.programs {
            for (at, interface) in INTERFACES {
                let number = program.snapshot.counters.in_flight()[at];
                self.of(program, IN_FLIGHT, &[("interface", interface)], number);
            }
        }
        self.counter("uringaio_read_bytes", "bytes", "Bytes read.", |now| now.bytes_read);
        self.counter("uringaio_written_bytes", "bytes", "Bytes written.", |now| now.bytes_written);
    }

    fn by_lane_and_kind(&mut self) {
        const DONE: &str = "uringaio_operations";
        self.family(
            DONE,
            "counter",
            "",
            "Operations by what carries them out: in_caller, by_engine (io_uring or threads, see uringaio_process_info), \
             kernel_aio (whose kinds are not known).",
        );
        for program in self.programs {
            let counters = &program.snapshot.counters;
            for (at, interface) in INTERFACES {
                for (lane, counted) in [("in_caller", counters.in_caller[at]), ("by_engine", counters.by_engine[at])] {
                    for (kind, number) in kinds(counted).by_name() {
                        let labels = [("interface", interface), ("lane", lane), ("kind", kind)];
                        self.of(program, &total(DONE), &labels, number);
                    }
                }
                let labels = [("interface", interface), ("lane", "kernel_aio"), ("kind", "unknown")];
                self.of(program, &total(DONE), &labels, counters.kernel_aio[at]);
            }
        }
    }

    fn sizes_and_latencies(&mut self) {
        const CALLS: &str = "uringaio_operations_per_call";
        self.family(CALLS, "histogram", "", "How many operations a submitting call brought.");
        for program in self.programs {
            let counters = &program.snapshot.counters;
            self.histogram(program, CALLS, &[], &sizes(&counters.call_sizes), Some(counters.submitted.iter().sum()));
        }
        const BATCHES: &str = "uringaio_engine_batch_operations";
        self.family(BATCHES, "histogram", "", "How many operations the engine's threads took up at once.");
        for program in self.programs {
            self.histogram(program, BATCHES, &[], &sizes(&program.snapshot.counters.engine_batches), None);
        }
        const LATENCY: &str = "uringaio_latency_seconds";
        let help = "Time from submission to completion, of the operations that were timed.";
        self.family(LATENCY, "histogram", "seconds", help);
        for program in self.programs {
            for (lane, buckets) in ["in_caller", "by_engine"].into_iter().zip(&program.snapshot.latencies) {
                self.histogram(program, LATENCY, &[("lane", lane)], &latencies(buckets), None);
            }
        }
    }

    fn engine_and_notifications(&mut self) {
        let help = "Times that an engine's thread slept until it was woken or an operation completed.";
        self.counter("uringaio_engine_sleeps", "", help, |now| now.sleeps);
        let help = "Times that it slept for the next completion alone.";
        self.counter("uringaio_engine_timed_sleeps", "", help, |now| now.timed_sleeps);
        self.counter("uringaio_engine_wakes", "", "Times that a submitting thread woke it.", |now| now.wakes);
        const SENT: &str = "uringaio_notifications";
        self.family(SENT, "counter", "", "Notifications sent.");
        for program in self.programs {
            let sent = program.snapshot.counters.notifications;
            for (kind, number) in ["signal", "callback", "eventfd"].into_iter().zip(sent) {
                self.of(program, &total(SENT), &[("kind", kind)], number);
            }
        }
    }

    /// A counter with a value for each program.
    fn counter(&mut self, name: &str, unit: &str, help: &str, value: impl Fn(&uringaio_counters) -> u64) {
        self.family(name, "counter", unit, help);
        for program in self.programs {
            self.of(program, &total(name), &[], value(&program.snapshot.counters));
        }
    }

    /// A counter with a value for each program and interface.
    fn by_interface(&mut self, name: &str, help: &str, values: impl Fn(&uringaio_counters) -> [u64; INTERFACES.len()]) {
        self.family(name, "counter", "", help);
        for program in self.programs {
            for (at, interface) in INTERFACES {
                let number = values(&program.snapshot.counters)[at];
                self.of(program, &total(name), &[("interface", interface)], number);
            }
        }
    }

    /// The lines before a family's samples.
    fn family(&mut self, name: &str, kind: &str, unit: &str, help: &str) {
        let _ = writeln!(self.text, "# TYPE {name} {kind}");
        if !unit.is_empty() {
            let _ = writeln!(self.text, "# UNIT {name} {unit}");
        }
        let _ = writeln!(self.text, "# HELP {name} {help}");
    }

    /// A sample of one program.
    fn of(&mut self, program: &Program, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let process = program.process.to_string();
        let labels = [&[("pid", process.as_str()), ("comm", program.name.as_str())], labels].concat();
        self.sample(name, &labels, value);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{name}{labels} {value}");
    }

    /// Buckets that count what is at most `bound`, and no more than the one before; the last has no bound.
    fn histogram(
        &mut self,
        program: &Program,
        name: &str,
        labels: &[(&str, &str)],
        buckets: &[(String, u64)],
        sum: Option<u64>,
    ) {
        let mut count = 0;
        for (bound, number) in buckets {
            count += number;
            self.of(program, &format!("{name}_bucket"), &[labels, &[("le", bound)]].concat(), count);
        }
        // The two go together: without a sum there is no count.
        if let Some(sum) = sum {
            self.of(program, &format!("{name}_count"), labels, count);
            self.of(program, &format!("{name}_sum"), labels, sum);
        }
    }
}

/// The name of a counter's samples.
fn total(family: &str) -> String {
    format!("{family}_total")
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// 1, 2, 4, 8, … 1024, more.
fn sizes(buckets: &[u64; SIZES]) -> Vec<(String, u64)> {
    let bound = |at: usize| if at == SIZES - 1 { "+Inf".into() } else { format!("{}.0", 1 << at) };
    buckets.iter().enumerate().map(|(at, &number)| (bound(at), number)).collect()
}

/// The library's buckets of times, four to an octave, put together to one of [`LATENCY_POWERS`] each.
fn latencies(buckets: &[u64; LATENCIES]) -> Vec<(String, u64)> {
    let mut rest = buckets.iter().enumerate().peekable();
    let mut together: Vec<(String, u64)> = LATENCY_POWERS
        .map(|power| {
            let mut number = 0;
            while let Some((_, count)) = rest.next_if(|&(at, _)| latency_bound(at) <= 1 << power) {
                number += count;
            }
            (seconds(f64::from(power).exp2() / 1e9), number)
        })
        .collect();
    together.push(("+Inf".into(), rest.map(|(_, count)| count).sum()));
    together
}

/// As other exporters write it: series are told apart by the text.
fn seconds(value: f64) -> String {
    if value >= 1e-4 {
        return value.to_string();
    }
    format!("{value:e}").replace("e-", "e-0")
}

#[cfg(test)]
mod tests {
    use super::{LATENCIES, SIZES, escaped, latencies, sizes};
    use crate::layout::latency_bucket;

    #[test]
    fn times_are_below_their_bounds() {
        let mut buckets = [0; LATENCIES];
        for nanoseconds in [1, 1_023, 1_024, 5_000, 20_000_000_000] {
            buckets[latency_bucket(nanoseconds)] += 1;
        }
        let made = latencies(&buckets);
        assert_eq!(made[0], ("1.024e-06".into(), 2));
        assert_eq!(made[1], ("2.048e-06".into(), 1));
        assert_eq!(made[3].1, 1);
        assert_eq!(made.last(), Some(&("+Inf".into(), 1)));
        assert_eq!(made.iter().map(|(_, number)| number).sum::<u64>(), 5);
    }

    #[test]
    fn sizes_end_without_a_bound() {
        let made = sizes(&[1; SIZES]);
        assert_eq!((made[0].0.as_str(), made[10].0.as_str(), made[11].0.as_str()), ("1.0", "1024.0", "+Inf"));
    }

    #[test]
    fn label_values_are_escaped() {
        assert_eq!(escaped("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
    }
}
