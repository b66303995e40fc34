//! The report of `uringaio bench`: one file, HTML or SVG, that needs nothing else.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::present::{chart, facts, verdict};
use super::result::{Measured, Outcome};
use crate::chart::{Verdict, escape, factor, svg};
use crate::failure::Failure;
use crate::units::{count, time};

/// The file, opened before anything is measured, so that a file that cannot be written is reported at once.
pub struct Report {
    name: PathBuf,
    file: File,
    html: bool,
}

impl Report {
    /// By its name it is HTML or SVG.
    pub fn new(name: &Path) -> Result<Self, Failure> {
        let html = match name.extension().and_then(|extension| extension.to_str()) {
            Some("html" | "htm") => true,
            Some("svg") => false,
            _ => return Err(Failure::usage("--report is a file that ends in .html or .svg")),
        };
        // What is there stays, until there is something better.
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(name);
        let file = file.map_err(|error| Failure::wanting(format!("{}: {error}", name.display())))?;
        Ok(Self { name: name.into(), file, html })
    }

    pub fn write(mut self, outcome: &Outcome) -> Result<(), Failure> {
        let text = if self.html { page(outcome) } else { svg(&chart(outcome)) };
        let written = self.file.set_len(0).and_then(|()| self.file.write_all(text.as_bytes()));
        written.map_err(|error| Failure::wanting(format!("{}: {error}", self.name.display())))
    }
}

impl Drop for Report {
    /// When nothing came of it, no empty file is left.
    fn drop(&mut self) {
        if self.file.metadata().is_ok_and(|status| status.len() == 0) {
            let _ = fs::remove_file(&self.name);
        }
    }
}

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:15px/1.5 system-ui,'Segoe UI','DejaVu Sans',Helvetica,Arial,sans-serif;margin:2.5em auto;max-width:62em;\
padding:0 1.2em;color:#1f2933;background:#fff}\
h1{font-size:1.6em;margin:0 0 .3em}h2{font-size:1.15em;margin:2em 0 .5em}.lead{font-size:1.1em;margin:0 0 1.5em}\
svg{display:block;width:100%;height:auto;margin:0 auto}\
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th,td{padding:.35em .7em;text-align:right;border-bottom:1px solid #d5dae0;white-space:nowrap}\
th{font-weight:600;font-size:.9em;color:#65717e}td:first-child,th:first-child{text-align:left}\
tr.interface th{color:inherit;font-size:1em;padding-top:1.1em}\
.faster{color:#12703c}.slower{color:#b04a00}.unclear{color:#65717e}td b{font-size:1.05em}\
small,footer{color:#65717e}footer{margin-top:2.5em;border-top:1px solid #d5dae0;padding-top:.8em}\
code{background:#eef1f4;padding:.1em .35em;border-radius:3px}\
@media(prefers-color-scheme:dark){body{color:#e6eaee;background:#15191e}th,td,footer{border-color:#37404a}\
th,small,footer,.unclear{color:#9aa6b2}.faster{color:#5fce8e}.slower{color:#f39a52}code{background:#232a31}}";

fn page(outcome: &Outcome) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>uringaio bench</title>\n\
         <style>{STYLE}</style></head><body>\n<h1>The system's AIO and uringaio, side by side</h1>\n<p class=\"lead\">{}</p>\n",
        lead(&outcome.rows)
    );
    html.push_str(&svg(&chart(outcome)));
    html.push_str(
        "<h2>The figures</h2>\n<div class=\"wide\"><table>\n<tr><th></th><th>system</th><th>uringaio</th>\
         <th>times as fast</th><th>of rounds</th><th>CPU µs each</th><th>99 % within</th></tr>\n",
    );
    let mut interface = "";
    for row in &outcome.rows {
        if row.interface != interface {
            interface = row.interface;
            let _ = writeln!(html, "<tr class=\"interface\"><th colspan=\"7\">{interface}</th></tr>");
        }
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{}\"><b>{}×</b></td><td><small>{}–{}</small></td>\
             <td>{:.1} → {:.1}</td><td>{} → {}</td></tr>",
            escape(&row.load),
            count(row.system.per_second),
            count(row.uringaio.per_second),
            match verdict(row) {
                Verdict::Faster => "faster",
                Verdict::Slower => "slower",
                Verdict::Unclear => "unclear",
            },
            factor(row.ratio),
            factor(row.ratio_least),
            factor(row.ratio_most),
            row.system.cpu_us,
            row.uringaio.cpu_us,
            time(row.system.p99_ns),
            time(row.uringaio.p99_ns)
        );
    }
    html.push_str(
        "</table></div>\n<h2>How to read it</h2>\n<p>Operations of 4 KiB at random places, per second. One program did them all; \
         only the library under it differed, and the program checked which one that was. The two sides took turns, and neither \
         always went first. The ratio is the median over the rounds of uringaio's figure by the system's of the same round, with \
         the lowest and the highest beside it: where those lie on both sides of 1, it says nothing. CPU is the processor time of \
         the whole process, the library's thread included. Cached reads come from memory; O_DIRECT goes to the device.</p>\n\
         <footer>Made by <code>uringaio bench</code>. ",
    );
    html.push_str(&escape(&facts(&outcome.machine).join(". ")));
    html.push_str(".</footer>\n</body></html>\n");
    html
}

/// The outcome in a sentence for each interface.
fn lead(rows: &[Measured]) -> String {
    let mut lead = String::new();
    for interface in ["POSIX AIO", "libaio"] {
        let ratios = || rows.iter().filter(|row| row.interface == interface).map(|row| row.ratio);
        let (least, most) = (ratios().fold(f64::INFINITY, f64::min), ratios().fold(0.0, f64::max));
        if ratios().count() > 0 {
            let _ = write!(lead, "{interface}: {} to {} times as fast as the system's. ", factor(least), factor(most));
        }
    }
    lead.trim_end().to_string()
}
