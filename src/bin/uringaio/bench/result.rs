//! What `uringaio bench` measured: the types that its charts are drawn from and that `--json` writes as they are.

use serde::Serialize;

/// What `uringaio bench --json` writes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outcome {
    pub machine: Machine,
    pub rows: Vec<Measured>,
}

/// Where, on what and how it was measured.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Machine {
    /// The version of uringaio.
    pub version: String,
    /// What the library used: `io_uring`, `threads` or `system`.
    pub engine: String,
    /// The kernel's release.
    pub linux: String,
    pub processors: String,
    pub file_system: String,
    /// The day and hour, in UTC.
    pub measured_at: String,
    /// Measurements of each kind on each side.
    pub rounds: u32,
    /// Length of each.
    pub seconds: f64,
    /// Size of the file.
    pub file_mib: u64,
    /// Whether the file system has `O_DIRECT`; what needs it is left out otherwise.
    pub has_o_direct: bool,
}

/// One kind of load, on both sides.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Measured {
    /// `POSIX AIO` or `libaio`.
    pub interface: &'static str,
    /// What was done, such as `cached read, 1 in flight`.
    pub load: String,
    pub system: Side,
    pub uringaio: Side,
    /// uringaio's rate by the system's: the median of the rounds.
    pub ratio: f64,
    /// The lowest ratio of a round.
    pub ratio_least: f64,
    /// The highest.
    pub ratio_most: f64,
}

/// What was measured of one side.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Side {
    /// Operations a second, the median of the rounds.
    pub per_second: f64,
    /// Processor time of one operation in microseconds, the median of the rounds.
    pub cpu_us: f64,
    /// 99 % of the operations were done within this time, the median of the rounds.
    pub p99_ns: u64,
    /// The rounds in the order in which they were taken.
    pub rounds: Vec<Round>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Round {
    pub per_second: f64,
    pub cpu_us: f64,
    pub p99_ns: u64,
}

impl Measured {
    /// Puts the rounds of both sides together, of which the nth were measured one after the other.
    pub fn new(interface: &'static str, load: String, system: Vec<Round>, uringaio: Vec<Round>) -> Self {
        let ratios =
            || uringaio.iter().zip(&system).map(|(ours, theirs)| ours.per_second / theirs.per_second.max(1e-9));
        let (ratio, (ratio_least, ratio_most)) = (median(ratios()), extremes(ratios()));
        Self {
            interface,
            load,
            system: Side::new(system),
            uringaio: Side::new(uringaio),
            ratio,
            ratio_least,
            ratio_most,
        }
    }
}

impl Side {
    fn new(rounds: Vec<Round>) -> Self {
        Self {
            per_second: median(rounds.iter().map(|round| round.per_second)),
            cpu_us: median(rounds.iter().map(|round| round.cpu_us)),
            p99_ns: median(rounds.iter().map(|round| round.p99_ns as f64)) as u64,
            rounds,
        }
    }

    /// Operations a second in the slowest and in the fastest round.
    pub fn extremes(&self) -> (f64, f64) {
        extremes(self.rounds.iter().map(|round| round.per_second))
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
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

#[cfg(test)]
mod tests {
    use super::{Measured, Round};

    #[test]
    fn the_ratio_is_the_median_of_the_rounds_ratios() {
        let rounds = |rates: [f64; 3]| rates.map(|per_second| Round { per_second, cpu_us: 1.0, p99_ns: 1000 }).to_vec();
        let row = Measured::new("libaio", String::new(), rounds([10.0, 20.0, 30.0]), rounds([20.0, 20.0, 120.0]));
        assert_eq!((row.ratio, row.ratio_least, row.ratio_most), (2.0, 1.0, 4.0));
        assert_eq!((row.system.per_second, row.uringaio.per_second), (20.0, 20.0));
    }
}
