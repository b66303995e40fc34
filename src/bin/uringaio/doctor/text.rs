//! The report of `uringaio doctor` as text, folded to the reader's terminal.

use std::fmt::Write;

use super::report::{Report, Verdict};
use crate::output::{columns, fold};

/// What a reader needs to know who has never heard of the project.
const INTRODUCTION: &str = "uringaio carries out the asynchronous file I/O of programs (POSIX AIO: aio_read and its like; libaio: \
                            io_submit and its like) through io_uring, a newer interface of the Linux kernel. The programs stay \
                            as they are. This page says whether that works here, and what to do where it does not.";

/// Lines to paste are not folded, and stand out by their indent.
const REMEDY: &str = "            ";

pub fn text(report: &Report) -> String {
    let width = columns();
    let mut text = format!("uringaio {}, Linux {}, {}\n\n", report.version, report.linux, std::env::consts::ARCH);
    text.push_str(&fold("", INTRODUCTION, width));
    text.push('\n');
    text.push_str(&fold("In short: ", &report.summary, width));
    for section in &report.sections {
        let _ = writeln!(text, "\n{}", section.title);
        for finding in &section.findings {
            let mark = match finding.verdict {
                Verdict::Good => "  ok    ",
                Verdict::Note => "  note  ",
                Verdict::Bad => "  BAD   ",
            };
            text.push_str(&fold(mark, &finding.title, width));
            if !finding.detail.is_empty() {
                text.push_str(&fold("        ", &finding.detail, width));
            }
            if !finding.remedy.is_empty() {
                text.push_str("        What to do:\n");
            }
            for line in &finding.remedy {
                let _ = writeln!(text, "{REMEDY}{line}");
            }
        }
    }
    text
}
