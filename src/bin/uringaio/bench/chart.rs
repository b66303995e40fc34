//! The chart of `uringaio bench`: two bars for each row, and how far they can be trusted.

use std::fmt::Write;

use super::Facts;
use super::measure::{Row, Side, Verdict};
use super::report::escape;
use crate::units::{count, time};

const WIDTH: f64 = 960.0;
const EDGE: f64 = 20.0;
/// Where bars begin, and how long the longest one of a row is.
const LEFT: f64 = 312.0;
const ROOM: f64 = 430.0;
const ROW: f64 = 48.0;
const HEADING: f64 = 40.0;
/// Characters of a line of facts.
const LINE: usize = 125;

/// Light as it stands; dark where the reader's desktop is.
const STYLE: &str = "\
.paper{fill:#fff}.ink{fill:#1f2933}.faint{fill:#65717e}.rule{stroke:#d5dae0}.system{fill:#a3adb8}.ours{fill:#1769aa}\
.range{stroke:#1f2933;stroke-width:1.3;opacity:.75}.faster{fill:#12703c}.slower{fill:#b04a00}.unclear{fill:#65717e}\
@media(prefers-color-scheme:dark){.paper{fill:#15191e}.ink{fill:#e6eaee}.faint{fill:#9aa6b2}.rule{stroke:#37404a}\
.system{fill:#6b7681}.ours{fill:#4ea1e0}.range{stroke:#e6eaee}.faster{fill:#5fce8e}.slower{fill:#f39a52}\
.unclear{fill:#9aa6b2}}";

/// The chart as an SVG element, of its own width.
pub fn draw(facts: &Facts, rows: &[Row]) -> String {
    let lines = fold(facts);
    let mut body = String::new();
    let mut y = 84.0 + 17.0 * lines.len() as f64;
    let _ = writeln!(
        body,
        "<text class=\"ink\" x=\"{EDGE}\" y=\"38\" font-size=\"20\" font-weight=\"bold\">{TITLE}</text>"
    );
    for (index, line) in lines.iter().enumerate() {
        let _ = writeln!(
            body,
            "<text class=\"faint\" x=\"{EDGE}\" y=\"{}\" font-size=\"12\">{}</text>",
            62.0 + 17.0 * index as f64,
            escape(line)
        );
    }
    legend(&mut body, y - 14.0);
    let mut face = "";
    for row in rows {
        if row.face != face {
            face = row.face;
            let _ = writeln!(
                body,
                "<text class=\"ink\" x=\"{EDGE}\" y=\"{}\" font-size=\"14\" font-weight=\"bold\">{}</text>\
                 <line class=\"rule\" x1=\"{EDGE}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>",
                y + 24.0,
                peers(face),
                WIDTH - EDGE,
                y + 32.0,
                y + 32.0
            );
            y += HEADING;
        }
        one(&mut body, row, y);
        y += ROW;
    }
    let _ = writeln!(
        body,
        "<text class=\"faint\" x=\"{EDGE}\" y=\"{}\" font-size=\"11\">Each pair of bars has its own scale. The line on a bar \
         reaches from its slowest to its fastest round. Grey ratio: the rounds do not agree which side is faster.</text>",
        y + 20.0
    );
    let height = y + 38.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif\" role=\"img\" \
         aria-label=\"{TITLE}\">\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n{body}</svg>\n"
    )
}

const TITLE: &str = "Random 4 KiB operations a second: the system's AIO and uringaio";

/// Who stands on the other side.
fn peers(face: &str) -> &'static str {
    if face == "libaio" { "libaio: the kernel's AIO, and uringaio" } else { "POSIX AIO: glibc, and uringaio" }
}

fn legend(body: &mut String, y: f64) {
    for (x, class, name) in [(EDGE, "system", "the system's AIO"), (EDGE + 150.0, "ours", "uringaio")] {
        let _ = writeln!(
            body,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"13\" height=\"13\" rx=\"2\"/>\
             <text class=\"ink\" x=\"{}\" y=\"{}\" font-size=\"12\">{name}</text>",
            y - 11.0,
            x + 19.0,
            y
        );
    }
    let _ = writeln!(
        body,
        "<text class=\"faint\" x=\"{}\" y=\"{y}\" font-size=\"12\" text-anchor=\"end\">times as fast</text>",
        WIDTH - EDGE
    );
}

fn one(body: &mut String, row: &Row, y: f64) {
    let _ = writeln!(
        body,
        "<text class=\"ink\" x=\"{EDGE}\" y=\"{}\" font-size=\"13\">{}</text>\
         <text class=\"faint\" x=\"{EDGE}\" y=\"{}\" font-size=\"11\">CPU {:.1} → {:.1} µs, 99 % within {} → {}</text>",
        y + 17.0,
        escape(&row.what),
        y + 33.0,
        row.system.cpu(),
        row.ours.cpu(),
        time(row.system.p99()),
        time(row.ours.p99())
    );
    // Each row has a scale of its own: what is compared is the two bars of one row.
    let most = row.system.extremes().1.max(row.ours.extremes().1).max(1e-9);
    bar(body, "system", &row.system, y + 5.0, ROOM / most);
    bar(body, "ours", &row.ours, y + 22.0, ROOM / most);
    let (least, most) = row.ratio_extremes();
    let class = match row.verdict() {
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Unclear => "unclear",
    };
    let _ = writeln!(
        body,
        "<text class=\"{class}\" x=\"{}\" y=\"{}\" font-size=\"17\" font-weight=\"bold\" text-anchor=\"end\">{}×</text>\
         <text class=\"faint\" x=\"{}\" y=\"{}\" font-size=\"11\" text-anchor=\"end\">{}–{}</text>",
        WIDTH - EDGE,
        y + 19.0,
        factor(row.ratio()),
        WIDTH - EDGE,
        y + 34.0,
        factor(least),
        factor(most)
    );
}

fn bar(body: &mut String, class: &str, side: &Side, y: f64, scale: f64) {
    let width = (side.rate() * scale).max(1.0);
    let (least, most) = side.extremes();
    let (least, most) = (LEFT + least * scale, LEFT + most * scale);
    let middle = y + 7.0;
    let _ = writeln!(
        body,
        "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"14\" rx=\"2\"/>\
         <path class=\"range\" d=\"M{least:.1} {middle}H{most:.1}M{least:.1} {}v7M{most:.1} {}v7\"/>\
         <text class=\"ink\" x=\"{:.1}\" y=\"{}\" font-size=\"12\">{}</text>",
        middle - 3.5,
        middle - 3.5,
        most.max(LEFT + width) + 8.0,
        y + 11.5,
        count(side.rate())
    );
}

/// A ratio with as many digits as mean something.
pub fn factor(ratio: f64) -> String {
    if ratio < 9.95 { format!("{ratio:.2}") } else { format!("{ratio:.1}") }
}

/// The facts in lines that fit.
fn fold(facts: &Facts) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (name, fact) in facts {
        let text = format!("{name} {fact}");
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = text,
            Some(line) if line.chars().count() + text.chars().count() < LINE => {
                line.push_str("  ·  ");
                line.push_str(&text);
            }
            _ => lines.push(text),
        }
    }
    lines
}
