//! `uringaio top`: all programs on the library, live on a terminal, or interval by interval into a pipe.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::arguments::{Order, Top};
use crate::failure::Failure;
use crate::output::deliver;
use crate::programs::{Program, survey};
use crate::watch::{sleep, wait};
use rates::Rates;
use table::Table;
use terminal::{Event, Terminal};

mod rates;
mod table;
mod terminal;

pub fn main(arguments: &Top) -> Result<ExitCode, Failure> {
    let mut watched = Watched::new(arguments);
    let has_screen = !arguments.once && std::io::stdout().is_terminal() && terminal::has_screen();
    let shown = match has_screen.then(Terminal::enter) {
        Some(Ok(terminal)) => live(&mut watched, terminal, arguments),
        _ => batch(&mut watched, arguments),
    };
    time(&watched.programs, 0);
    shown.map(|()| ExitCode::SUCCESS)
}

/// Shows every interval on the terminal, until `q` or a signal.
fn live(watched: &mut Watched, mut terminal: Terminal, arguments: &Top) -> Result<(), Failure> {
    let mut left = arguments.count;
    let mut outcome = deliver(&watched.table.screen(terminal::size()));
    while left != Some(0) && matches!(outcome, Ok(true)) {
        let mut ends = false;
        let (table, programs) = (&mut watched.table, &watched.programs);
        wait(
            arguments.interval,
            |count| time(programs, count),
            |slice| {
                match terminal.wait(slice) {
                    Event::None => return true,
                    Event::Refresh => return false,
                    Event::Quit => {
                        ends = true;
                        return false;
                    }
                    Event::Sort => table.order = table.order.next(),
                    Event::Resized => {}
                }
                outcome = deliver(&table.screen(terminal::size()));
                matches!(outcome, Ok(true))
            },
        );
        if ends || !matches!(outcome, Ok(true)) {
            break;
        }
        watched.refresh();
        outcome = deliver(&watched.table.screen(terminal::size()));
        left = left.map(|left| left - 1);
    }
    outcome.map(|_| ())
}

/// Writes every interval as lines.
fn batch(watched: &mut Watched, arguments: &Top) -> Result<(), Failure> {
    let mut left = if arguments.once { Some(1) } else { arguments.count };
    while left != Some(0) {
        wait(arguments.interval, |count| time(&watched.programs, count), sleep);
        watched.refresh();
        left = left.map(|left| left - 1);
        let end = if left == Some(0) { "" } else { "\n" };
        if !deliver(&(watched.table.lines() + end))? {
            break;
        }
    }
    Ok(())
}

type Programs = BTreeMap<libc::pid_t, Program>;

/// Has `count` operations timed of each program that does not time all of them by itself.
fn time(programs: &Programs, count: u32) {
    for program in programs.values().filter(|program| !program.snapshot.times_all()) {
        program.observed.time(count);
    }
}

/// The programs that are known, and what they did in the last interval.
struct Watched {
    programs: Programs,
    read_at: Instant,
    table: Table,
}

impl Watched {
    fn new(arguments: &Top) -> Self {
        let table = Table::new(arguments.sort);
        let mut watched = Self { programs: Programs::new(), read_at: Instant::now(), table };
        watched.look_for_others();
        watched
    }

    /// Reads what the known programs did since the last time, forgets those that have ended, and looks for others. These have
    /// rates from the next time on.
    fn refresh(&mut self) {
        let now = Instant::now();
        let seconds = now.duration_since(self.read_at).max(Duration::from_millis(1)).as_secs_f64();
        self.read_at = now;
        self.table.rows.clear();
        self.programs.retain(|_, program| {
            let Some(snapshot) = program.observed.read() else { return false };
            self.table.rows.push(Rates::between(program, &snapshot, seconds));
            program.snapshot = snapshot;
            true
        });
        self.table.seconds = seconds;
        self.look_for_others();
    }

    fn look_for_others(&mut self) {
        let found = survey(|process| self.programs.contains_key(&process));
        (self.table.unreadable, self.table.other_versions) = (found.unreadable, found.other_versions);
        self.programs.extend(found.programs.into_iter().map(|program| (program.process, program)));
    }
}

impl Order {
    fn next(self) -> Self {
        match self {
            Self::Operations => Self::Bytes,
            Self::Bytes => Self::Latency,
            Self::Latency => Self::InFlight,
            Self::InFlight => Self::Process,
            Self::Process => Self::Operations,
        }
    }
}
