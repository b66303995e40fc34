//! The report of `uringaio bench`: one file, HTML or SVG, that needs nothing else.

use std::fmt::Write;
use std::path::Path;

use crate::bench::Row;
use crate::failure::Failure;
use crate::units::{count, time};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Html,
    Svg,
}

/// By the file's name.
pub fn kind(file: &Path) -> Result<Kind, Failure> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html" | "htm") => Ok(Kind::Html),
        Some("svg") => Ok(Kind::Svg),
        _ => Err(Failure::usage("--report is a file that ends in .html or .svg")),
    }
}

type Facts = [(&'static str, String)];

/// The report's text.
pub fn make(kind: Kind, facts: &Facts, rows: &[Row]) -> String {
    match kind {
        Kind::Svg => chart(facts, rows),
        Kind::Html => page(facts, rows),
    }
}

const WIDTH: f64 = 860.0;
const LEFT: f64 = 290.0;
const ROW: f64 = 46.0;

fn chart(facts: &Facts, rows: &[Row]) -> String {
    let height = 84.0 + ROW * rows.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\" aria-label=\"operations a second, the system's AIO and \
         uringaio\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"16\" font-weight=\"bold\">Operations of 4 KiB a second</text>\n\
         <text x=\"12\" y=\"44\" fill=\"#555\">{}</text>\n\
         <rect x=\"12\" y=\"56\" width=\"12\" height=\"12\" fill=\"#9aa5b1\"/><text x=\"30\" y=\"66\">the system's AIO</text>\n\
         <rect x=\"150\" y=\"56\" width=\"12\" height=\"12\" fill=\"#1769aa\"/><text x=\"168\" y=\"66\">uringaio</text>\n",
        escape(&facts.iter().map(|(name, fact)| format!("{name} {fact}")).collect::<Vec<_>>().join(" · "))
    );
    for (index, row) in rows.iter().enumerate() {
        let y = 84.0 + ROW * index as f64;
        // Each row has a scale of its own: what is compared is the two bars of one row.
        let most = row.system.rate().max(row.ours.rate()).max(1e-9);
        let room = WIDTH - LEFT - 140.0;
        let _ = writeln!(svg, "<text x=\"12\" y=\"{}\">{}</text>", y + 20.0, escape(&row.name));
        for (offset, rate, colour, note) in [
            (2.0, row.system.rate(), "#9aa5b1", String::new()),
            (18.0, row.ours.rate(), "#1769aa", format!(" ({:.2}×)", row.ratio())),
        ] {
            let width = (rate / most * room).max(1.0);
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{}\" width=\"{width:.1}\" height=\"14\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{}\">{}{note}</text>",
                y + offset,
                LEFT + width + 6.0,
                y + offset + 11.0,
                count(rate)
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn page(facts: &Facts, rows: &[Row]) -> String {
    let mut html = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>uringaio bench</title>\n<style>\
         body{font-family:sans-serif;margin:2em auto;max-width:60em;padding:0 1em;color:#222}\
         table{border-collapse:collapse;width:100%}td,th{padding:.35em .6em;text-align:right;border-bottom:1px solid #ddd}\
         td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}</style></head><body>\n\
         <h1>The system's AIO and uringaio, side by side</h1>\n<p>",
    );
    for (name, fact) in facts {
        let _ = write!(html, "{}: {}<br>", escape(name), escape(fact));
    }
    html.push_str("</p>\n");
    html.push_str(&chart(facts, rows));
    html.push_str(
        "<table><tr><th>4 KiB, random</th><th>system, a second</th><th>uringaio, a second</th><th>ratio</th>\
         <th>CPU µs each</th><th>99 % within</th><th>spread</th></tr>\n",
    );
    for row in rows {
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.2}×</td><td>{:.1} → {:.1}</td><td>{} → {}</td><td>{:.0} %</td></tr>",
            escape(&row.name),
            count(row.system.rate()),
            count(row.ours.rate()),
            row.ratio(),
            row.system.cpu(),
            row.ours.cpu(),
            time(row.system.p99()),
            time(row.ours.p99()),
            row.system.spread().max(row.ours.spread())
        );
    }
    html.push_str(
        "</table>\n<p>Medians of measurements that were taken in turn. Spread is the distance between the slowest and the \
         fastest round, in percent of the median: a ratio that differs from 1 by less means nothing. CPU is the time of the \
         whole process, the library's thread included.</p></body></html>\n",
    );
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
