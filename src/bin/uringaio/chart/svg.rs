//! The chart as SVG, narrow enough that its words can be read on a phone. It has no size of its own: it takes that of its place.

use std::fmt::Write;

use super::model::{Bar, Chart, Row, Verdict, factor};

/// Units of the drawing: about the pixels of a phone's screen.
const WIDTH: f64 = 440.0;
const EDGE: f64 = 14.0;
/// Where bars begin, and how long the longest one of a row is: its value stands behind it.
const BARS: f64 = EDGE;
const ROOM: f64 = WIDTH - 2.0 * EDGE - 62.0;
const BAR_HEIGHT: f64 = 13.0;
const ROW_HEIGHT: f64 = 84.0;
const HEADING_HEIGHT: f64 = 38.0;
const LINE_HEIGHT: f64 = 17.0;
/// Characters of a line of facts, at their size.
const LINE_CHARACTERS: usize = 66;
/// On large screens it does not grow beyond this.
const MOST_PIXELS: u32 = 680;

/// Light as it stands; dark where the reader's desktop is.
const STYLE: &str = "\
.paper{fill:#fff}.ink{fill:#1f2933}.faint{fill:#65717e}.rule{stroke:#d5dae0}.first{fill:#a3adb8}.second{fill:#1769aa}\
.range{stroke:#1f2933;stroke-width:1.3;opacity:.75;fill:none}.faster{fill:#12703c}.slower{fill:#b04a00}.unclear{fill:#65717e}\
@media(prefers-color-scheme:dark){.paper{fill:#15191e}.ink{fill:#e6eaee}.faint{fill:#9aa6b2}.rule{stroke:#37404a}\
.first{fill:#6b7681}.second{fill:#4ea1e0}.range{stroke:#e6eaee}.faster{fill:#5fce8e}.slower{fill:#f39a52}\
.unclear{fill:#9aa6b2}}";

/// The chart as an SVG element.
pub fn svg(chart: &Chart) -> String {
    let mut body = String::new();
    let mut y = 10.0;
    for line in folded(&chart.title, 46) {
        y += 20.0;
        text(&mut body, "ink", EDGE, y, 16.0, "font-weight=\"bold\"", &line);
    }
    y += 6.0;
    for line in folded(&chart.facts.join(" · "), LINE_CHARACTERS) {
        y += LINE_HEIGHT;
        text(&mut body, "faint", EDGE, y, 12.0, "", &line);
    }
    y += 24.0;
    legend(&mut body, chart.sides, y);
    y += 12.0;
    for group in &chart.groups {
        text(&mut body, "ink", EDGE, y + 22.0, 14.0, "font-weight=\"bold\"", &group.title);
        let _ = writeln!(
            body,
            "<line class=\"rule\" x1=\"{EDGE}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>",
            WIDTH - EDGE,
            y + 30.0,
            y + 30.0
        );
        y += HEADING_HEIGHT;
        for row in &group.rows {
            one(&mut body, row, y);
            y += ROW_HEIGHT;
        }
    }
    for line in folded(&chart.note, LINE_CHARACTERS) {
        y += LINE_HEIGHT;
        text(&mut body, "faint", EDGE, y, 12.0, "", &line);
    }
    let height = y + 16.0;
    let title = escape(&chart.title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" style=\"max-width:{MOST_PIXELS}px\" \
         font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif\" role=\"img\" \
         aria-label=\"{title}\">\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n{body}</svg>\n"
    )
}

fn legend(body: &mut String, sides: [&str; 2], y: f64) {
    let mut x = EDGE;
    for (class, name) in ["first", "second"].into_iter().zip(sides) {
        let _ = writeln!(
            body,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"13\" height=\"13\" rx=\"2\"/>",
            y - 11.0
        );
        text(body, "ink", x + 19.0, y, 13.0, "", name);
        x += 19.0 + 8.0 * name.chars().count() as f64 + 18.0;
    }
    text(body, "faint", WIDTH - EDGE, y, 13.0, "text-anchor=\"end\"", "times as fast");
}

fn one(body: &mut String, row: &Row, y: f64) {
    text(body, "ink", EDGE, y + 16.0, 14.0, "", &row.label);
    let class = match row.verdict {
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Unclear => "unclear",
    };
    let [ratio, least, most] = row.ratio.map(factor);
    let _ = writeln!(
        body,
        "<text class=\"{class}\" x=\"{}\" y=\"{}\" font-size=\"16\" font-weight=\"bold\" text-anchor=\"end\">{ratio}×\
         <tspan class=\"faint\" font-size=\"11\" font-weight=\"normal\" dx=\"6\">{least}–{most}</tspan></text>",
        WIDTH - EDGE,
        y + 16.0
    );
    // Each row has a scale of its own, since what is compared is its two bars.
    let scale = ROOM / row.bars.iter().fold(1e-9_f64, |most, bar| most.max(bar.value).max(bar.most));
    let [first, second] = &row.bars;
    bar(body, "first", first, y + 24.0, scale);
    bar(body, "second", second, y + 40.0, scale);
    text(body, "faint", EDGE, y + 68.0, 12.0, "", &format!("{} → {}", first.detail, second.detail));
}

fn bar(body: &mut String, class: &str, bar: &Bar, y: f64, scale: f64) {
    let width = (bar.value * scale).max(1.0);
    let (least, most) = (BARS + bar.least * scale, BARS + bar.most * scale);
    let middle = y + BAR_HEIGHT / 2.0;
    let _ = writeln!(
        body,
        "<rect class=\"{class}\" x=\"{BARS}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR_HEIGHT}\" rx=\"2\"/>\
         <path class=\"range\" d=\"M{least:.1} {middle}H{most:.1}M{least:.1} {}v7M{most:.1} {}v7\"/>",
        middle - 3.5,
        middle - 3.5
    );
    text(body, "ink", most.max(BARS + width) + 7.0, y + 11.0, 13.0, "", &bar.text);
}

fn text(body: &mut String, class: &str, x: f64, y: f64, size: f64, attributes: &str, words: &str) {
    let space = if attributes.is_empty() { "" } else { " " };
    let _ = writeln!(
        body,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\"{space}{attributes}>{}</text>",
        escape(words)
    );
}

fn folded(words: &str, width: usize) -> Vec<String> {
    crate::output::fold("", words, width).lines().map(str::to_string).collect()
}

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
