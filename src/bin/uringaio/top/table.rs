//! The table of `uringaio top`, for a screen of a given size or for a pipe.

use std::cmp::Reverse;
use std::fmt::Write;

use super::rates::Rates;
use crate::arguments::Order;
use crate::output::fold;
use crate::units::{bytes, count, short_bytes, time};

/// Columns of a process's number, and of a program's name at least and at most: the kernel keeps 15 characters of it.
const NUMBER: usize = 7;
const LEAST_NAME: usize = 12;
const MOST_NAME: usize = 15;

/// Lines from which on there is room to fold what is above the programs.
const ROOMY_LINES: usize = 20;

/// A column: its title, its width with the blank before it, what it shows.
struct Column(&'static str, usize, fn(&Rates) -> String);

/// From left to right.
const COLUMNS: [Column; 11] = [
    Column("ENGINE", 9, |row| row.engine.into()),
    Column("OPS/s", 7, |row| count(row.operations)),
    Column("CALLER", 7, |row| count(row.in_caller)),
    Column("ENG.", 7, |row| count(row.by_engine)),
    Column("KERNEL", 7, |row| count(row.kernel_aio)),
    Column("READ/s", 7, |row| short_bytes(row.bytes_read)),
    Column("WRITE/s", 8, |row| short_bytes(row.bytes_written)),
    Column("50 %", 9, |row| row.p50.map_or("-".into(), time)),
    Column("99 %", 9, |row| row.p99.map_or("-".into(), time)),
    Column("FLIGHT", 7, |row| count(row.in_flight as f64)),
    Column("FAIL/s", 7, |row| count(row.failed)),
];
/// Which of them are left out last, where a screen is narrow: places in `COLUMNS`.
const BY_WORTH: [usize; 11] = [1, 8, 9, 2, 3, 4, 5, 6, 7, 0, 10];

/// What is shown.
pub struct Table {
    /// In no order.
    pub rows: Vec<Rates>,
    pub order: Order,
    /// The length of the interval; 0 before the first has passed.
    pub seconds: f64,
    /// Processes that may not be looked into.
    pub unreadable: usize,
    /// Programs on other versions of the library.
    pub other_versions: usize,
}

impl Table {
    pub fn new(order: Order) -> Self {
        Self { rows: Vec::new(), order, seconds: 0.0, unreadable: 0, other_versions: 0 }
    }

    /// All rows and columns, as lines.
    pub fn lines(&self) -> String {
        self.text(usize::MAX, usize::MAX).join("\n") + "\n"
    }

    /// What fits a screen of so many columns and rows, as the terminal is to get it.
    pub fn screen(&self, (columns, rows): (usize, usize)) -> String {
        let lines = self.text(columns, rows.saturating_sub(1));
        let heads = lines.into_iter().map(|line| {
            let is_head = line.trim_start().starts_with("PID ");
            if is_head { format!("\x1b[7m{line}\x1b[m") } else { line }
        });
        // Each line is cleared first: behind a full line the cursor is still on its last character.
        let lines: Vec<String> = heads.map(|line| format!("\x1b[K{line}")).collect();
        format!("\x1b[H{}\n\x1b[J\x1b[7mq\x1b[m ends, \x1b[7ms\x1b[m sorts by the next column", lines.join("\n"))
    }

    /// At most `height` lines of at most `width` columns.
    fn text(&self, width: usize, height: usize) -> Vec<String> {
        if self.seconds == 0.0 {
            return fold("", "Reading the first interval …", width).lines().take(height).map(String::from).collect();
        }
        // Where there are few lines they are for the programs.
        let fold_at = if height < ROOMY_LINES { usize::MAX } else { width };
        let summary: String = self.summary().iter().map(|line| fold("", line, fold_at)).collect();
        let mut lines: Vec<String> = summary.lines().map(String::from).collect();
        lines.push(String::new());
        if self.rows.is_empty() {
            let words =
                "No program on uringaio is known yet that has made an AIO call. `uringaio run -- PROGRAM` runs one.";
            lines.extend(fold("", words, width).lines().map(String::from));
        } else {
            self.add_rows(&mut lines, width, height);
        }
        lines.truncate(height);
        lines.iter().map(|line| line.chars().take(width).collect()).collect()
    }

    fn summary(&self) -> Vec<String> {
        let sum = |field: fn(&Rates) -> f64| self.rows.iter().map(field).fold(0.0, |sum, number| sum + number);
        let in_flight: u64 = self.rows.iter().map(|row| row.in_flight).sum();
        let all = format!(
            "{}, {} operations/s, {}/s read, {}/s written, {in_flight} in flight",
            number_of(self.rows.len(), "program", "programs"),
            count(sum(|row| row.operations)),
            bytes(sum(|row| row.bytes_read)),
            bytes(sum(|row| row.bytes_written)),
        );
        let lanes = [sum(|row| row.in_caller), sum(|row| row.by_engine), sum(|row| row.kernel_aio)];
        let total = lanes.iter().sum::<f64>();
        let [caller, engine, kernel] = lanes.map(|lane| if total > 0.0 { lane * 100.0 / total } else { 0.0 });
        let order = title(self.order);
        let lanes = format!(
            "{caller:.0} % in the caller, {engine:.0} % by the engine, {kernel:.0} % by the kernel's AIO; sorted by {order}"
        );
        let mut lines = vec![all, lanes];
        if self.other_versions > 0 {
            let programs = number_of(self.other_versions, "program", "programs");
            lines.push(format!("{programs} on another version of uringaio, whose counters this command cannot read"));
        }
        if self.unreadable > 0 {
            let processes = number_of(self.unreadable, "process", "processes");
            lines.push(format!("{processes} may not be looked into; `uringaio stat PID` says why"));
        }
        lines
    }

    fn add_rows(&self, lines: &mut Vec<String>, width: usize, height: usize) {
        let mut left = width.saturating_sub(NUMBER + 1 + LEAST_NAME);
        let mut shown = [false; COLUMNS.len()];
        for place in BY_WORTH {
            if COLUMNS[place].1 <= left {
                left -= COLUMNS[place].1;
                shown[place] = true;
            }
        }
        let name = MOST_NAME.min(LEAST_NAME + left);
        let line = |number: &str, program: &str, cell: &dyn Fn(&Column) -> String| {
            let program: String = program.chars().take(name).collect();
            let mut line = format!("{number:>NUMBER$} {program:name$}");
            for (column, _) in COLUMNS.iter().zip(shown).filter(|&(_, shown)| shown) {
                let _ = write!(line, "{:>1$}", cell(column), column.1);
            }
            line
        };
        lines.push(line("PID", "PROGRAM", &|column| column.0.into()));
        let mut rows: Vec<&Rates> = self.rows.iter().collect();
        rows.sort_by(|a, b| order(self.order, a, b));
        let room = height.saturating_sub(lines.len());
        let fit = if rows.len() > room { room.saturating_sub(1) } else { rows.len() };
        lines
            .extend(rows[..fit].iter().map(|row| line(&row.process.to_string(), &row.name, &|column| (column.2)(row))));
        if fit < rows.len() {
            lines.push(format!("and {} more", rows.len() - fit));
        }
    }
}

/// By what rows are ordered: the largest first, processes by number.
fn order(by: Order, a: &Rates, b: &Rates) -> std::cmp::Ordering {
    let descending = |field: fn(&Rates) -> f64| field(b).total_cmp(&field(a));
    let first = match by {
        Order::Operations => descending(|row| row.operations),
        Order::Bytes => descending(|row| row.bytes_read + row.bytes_written),
        Order::Latency => Reverse(a.p99).cmp(&Reverse(b.p99)),
        Order::InFlight => Reverse(a.in_flight).cmp(&Reverse(b.in_flight)),
        Order::Process => std::cmp::Ordering::Equal,
    };
    first.then(a.process.cmp(&b.process))
}

fn number_of(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn title(order: Order) -> &'static str {
    match order {
        Order::Operations => "operations",
        Order::Bytes => "bytes",
        Order::Latency => "latency",
        Order::InFlight => "in flight",
        Order::Process => "number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: usize) -> Table {
        let row = |number: usize| Rates {
            process: 4_000_000 + number as i32,
            name: format!("program-{number:07}"),
            engine: "io_uring",
            operations: number as f64,
            bytes_read: 1e12,
            p99: Some(number as u64 * 1_000),
            in_flight: 123_456,
            ..Rates::default()
        };
        Table {
            rows: (0..rows).map(row).collect(),
            order: Order::Operations,
            seconds: 1.0,
            unreadable: 3,
            other_versions: 1,
        }
    }

    #[test]
    fn fits_every_screen() {
        for width in [20, 40, 80, 97, 200] {
            for height in [1, 5, 24] {
                let lines = table(30).text(width, height);
                assert!(lines.len() <= height, "{lines:?}");
                assert!(lines.iter().all(|line| line.chars().count() <= width), "{lines:?}");
            }
        }
    }

    #[test]
    fn a_usual_screen_shows_rates_lanes_and_latency() {
        let lines = table(3).text(80, 24);
        let head = lines.iter().find(|line| line.trim_start().starts_with("PID ")).map_or("", String::as_str);
        for title in ["PROGRAM", "OPS/s", "CALLER", "ENG.", "KERNEL", "READ/s", "WRITE/s", "99 %", "FLIGHT"] {
            assert!(head.contains(title), "{head}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let lines = table(30).text(200, 12);
        assert_eq!(lines.len(), 12);
        assert!(lines[11].starts_with("and "), "{lines:?}");
        assert!(!table(3).text(200, 12).iter().any(|line| line.starts_with("and ")));
    }

    #[test]
    fn the_largest_is_first() {
        let first = |order: Order| {
            let mut table = table(4);
            table.order = order;
            table.text(200, 50).iter().find(|line| line.contains("program-")).cloned().unwrap_or_default()
        };
        assert!(first(Order::Operations).contains("program-0000003"));
        assert!(first(Order::Latency).contains("program-0000003"));
        assert!(first(Order::Process).contains("program-0000000"));
    }
}
