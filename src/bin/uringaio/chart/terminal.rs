//! The chart as text, for terminals.

use std::fmt::Write;
use std::io::IsTerminal;

use super::model::{Bar, Chart, Row, Verdict, factor};
use crate::output::fold;

/// How the terminal can be written to.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub columns: usize,
    pub colours: bool,
    /// Whether it shows block characters.
    pub blocks: bool,
}

/// Columns of the name before a bar, and of what stands behind it.
const NAME: usize = 10;
const BEHIND: usize = 40;

impl Style {
    /// That of standard output, as it and the environment tell.
    pub fn of_output() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(|name| set(name)).and_then(|name| std::env::var(name).ok());
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        Self {
            columns: crate::output::columns(),
            colours: std::io::stdout().is_terminal() && !set("NO_COLOR"),
            blocks: locale.contains("utf-8") || locale.contains("utf8"),
        }
    }

    fn painted(self, colour: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.into() }
    }
}

pub fn terminal(chart: &Chart, style: Style) -> String {
    let mut text = fold("", &chart.title, style.columns);
    for fact in &chart.facts {
        text.push_str(&fold("  ", fact, style.columns));
    }
    for group in &chart.groups {
        let _ = writeln!(text, "\n{}", style.painted("1", &group.title));
        for row in &group.rows {
            one(&mut text, row, chart.sides, style);
        }
    }
    text.push('\n');
    text.push_str(&fold("", &chart.note, style.columns));
    text
}

fn one(text: &mut String, row: &Row, sides: [&str; 2], style: Style) {
    let [ratio, least, most] = row.ratio.map(factor);
    let colour = match row.verdict {
        Verdict::Faster => "1;32",
        Verdict::Slower => "1;33",
        Verdict::Unclear => "2",
    };
    let times = if style.blocks { "×" } else { "x" };
    let _ =
        writeln!(text, "  {:30} {}  {least} to {most}", row.label, style.painted(colour, &format!("{ratio} {times}")));
    let room = style.columns.saturating_sub(4 + NAME + BEHIND).max(8);
    // Each row has a scale of its own, since what is compared is its two bars.
    let scale = room as f64 / row.bars.iter().fold(1e-9_f64, |most, bar| most.max(bar.value));
    for (side, (name, bar)) in sides.into_iter().zip(&row.bars).enumerate() {
        let drawn = drawn(bar, scale, side, style);
        let blank = room.saturating_sub(drawn.chars().count());
        let drawn = style.painted(if side == 0 { "38;5;244" } else { "38;5;37" }, &drawn);
        let _ = writeln!(text, "    {name:NAME$}{drawn}{:blank$} {:>6}  {}", "", bar.text, bar.detail);
    }
}

/// The bar itself, to an eighth of a column where the terminal can show that.
fn drawn(bar: &Bar, scale: f64, side: usize, style: Style) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if !style.blocks {
        return if side == 0 { "=" } else { "#" }.repeat((bar.value * scale).round() as usize);
    }
    let eighths = (bar.value * scale * 8.0).round().max(1.0) as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::{Bar, Style, drawn};

    #[test]
    fn bars_are_as_long_as_their_values() {
        let bar = Bar { value: 10.0, least: 9.0, most: 11.0, text: String::new(), detail: String::new() };
        let style = Style { columns: 80, colours: false, blocks: true };
        assert_eq!(drawn(&bar, 0.55, 1, style), "█████▌");
        assert_eq!(drawn(&bar, 0.55, 1, Style { blocks: false, ..style }), "######");
    }
}
