//! The command's manual page, completions, table of options and JSON schemas are what its source says: they are made anew and
//! compared. `UPDATE=1 cargo test --test command_pages` writes them.
#![allow(missing_docs, clippy::expect_used, reason = "a test")]

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory};
use clap_complete::{Shell, generate};
use clap_mangen::Man;

#[path = "../src/bin/uringaio/arguments.rs"]
#[allow(dead_code, reason = "only what the command line looks like is asked for")]
mod arguments;
#[path = "../src/bin/uringaio/bench/result.rs"]
#[allow(dead_code, reason = "only what the types look like is asked for")]
mod bench;
#[path = "../src/bin/uringaio/doctor/report.rs"]
#[allow(dead_code, reason = "only what the types look like is asked for")]
mod doctor;
#[path = "../src/bin/uringaio/stat/sample.rs"]
#[allow(dead_code, reason = "only what the types look like is asked for")]
mod stat;

/// The day of the last change to what the manual page says.
const DATE: &str = "2026-11-30";

#[test]
fn the_manual_page_is_current() {
    current("man/uringaio.1", &manual());
}

#[test]
fn the_completions_are_current() {
    let made = |shell: Shell| {
        let mut text = Vec::new();
        generate(shell, &mut command(), "uringaio", &mut text);
        String::from_utf8(text).expect("a completion is text")
    };
    current("completions/_uringaio", &made(Shell::Zsh));
    current("completions/uringaio.bash", &(made(Shell::Bash) + &kept("completions/support/uringaio.bash")));
    // Options behind the program are the program's.
    let fish = made(Shell::Fish).replace(
        "\"__fish_uringaio_using_subcommand run\"",
        "\"__fish_uringaio_using_subcommand run; and not __uringaio_program > /dev/null\"",
    );
    current("completions/uringaio.fish", &(fish + &kept("completions/support/uringaio.fish")));
}

#[test]
fn the_table_of_options_is_current() {
    current("docs/command.md", &table_of_options());
}

#[test]
fn the_schemas_are_current() {
    let text = |schema: &schemars::Schema| serde_json::to_string_pretty(schema).expect("a schema is JSON") + "\n";
    current("docs/schema/doctor.json", &text(&schemars::schema_for!(doctor::Report)));
    current("docs/schema/stat.json", &text(&schemars::schema_for!(stat::Sample)));
    current("docs/schema/bench.json", &text(&schemars::schema_for!(bench::Outcome)));
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares with the file that is kept, or writes it.
fn current(name: &str, made: &str) {
    let file = root().join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().expect("it has a folder")).expect("the folder can be made");
        fs::write(&file, made).expect("the file can be written");
    }
    let text = fs::read_to_string(&file).unwrap_or_default();
    assert!(text == made, "{name} is not what the command's source says: run UPDATE=1 cargo test --test command_pages");
}

/// What only a person can write, beside what is made.
fn kept(name: &str) -> String {
    fs::read_to_string(root().join(name)).expect("it is kept")
}

fn command() -> Command {
    let mut command = arguments::Arguments::command();
    command.build();
    command
}

/// The commands but `help`.
fn commands(whole: &Command) -> Vec<&Command> {
    whole.get_subcommands().filter(|command| command.get_name() != "help").collect()
}

/// Status, message and meaning of everything that can go wrong.
fn messages() -> Vec<[String; 3]> {
    let text = kept("man/support/messages.tsv");
    let lines = text.lines().map(|line| {
        let mut fields = line.split('\t').map(str::to_string);
        std::array::from_fn(|_| fields.next().expect("a line has three fields"))
    });
    lines.collect()
}

/// One page for the command and its own commands: the parts that `clap_mangen` makes, in one order.
fn manual() -> String {
    let whole = command();
    let man = |command: &Command| {
        let name = command.get_bin_name().unwrap_or("uringaio").to_string();
        Man::new(command.clone().display_name(name)).title("URINGAIO").section("1").date(DATE).manual("uringaio")
    };
    let part = |render: &dyn Fn(&mut Vec<u8>)| {
        let mut text = Vec::new();
        render(&mut text);
        String::from_utf8(text).expect("a manual page is text")
    };
    // A part without its own heading.
    let body = |render: &dyn Fn(&mut Vec<u8>)| {
        part(render).lines().filter(|line| !line.starts_with(".SH ")).collect::<Vec<_>>().join("\n") + "\n"
    };
    let page = man(&whole);
    let mut text = String::from("'\\\" t\n");
    text += &part(&|to| page.render_title(to).expect("memory takes it"));
    text += &part(&|to| page.render_name_section(to).expect("memory takes it"));
    text += ".SH SYNOPSIS\n";
    for command in commands(&whole) {
        text += &body(&|to| man(command).render_synopsis_section(to).expect("memory takes it"));
        text += ".br\n";
    }
    text += "\\fBuringaio help\\fR [COMMAND]\n";
    text += &part(&|to| page.render_description_section(to).expect("memory takes it"));
    for command in commands(&whole) {
        let _ = writeln!(text, ".SH \"uringaio {}\"", command.get_name());
        text += &body(&|to| man(command).render_description_section(to).expect("memory takes it"));
        text += &body(&|to| man(command).render_options_section(to).expect("memory takes it"));
        let _ = writeln!(text, ".PP\n{}", command.get_after_help().expect("every command says its exit status"));
    }
    text += ".SH \"EXIT STATUS AND MESSAGES\"\nWhat goes wrong is told on standard error, behind \"uringaio: \". Words in \
             capitals stand for what was named.\n.PP\n.TS\nlb lb lb\nl lx lx.\nStatus\tMessage\tWhen\n";
    for [status, message, meaning] in messages() {
        let plain = |text: &str| text.replace('\\', "\\e").replace('-', "\\-");
        let _ = writeln!(text, "{status}\tT{{\n{}\nT}}\tT{{\n{}\nT}}", plain(&message), plain(&meaning));
    }
    text += ".TE\n";
    text += &kept("man/support/uringaio.roff");
    tidy(&text)
}

/// Without macros that do nothing where they stand, which mandoc complains of.
fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        let last = lines.last().copied();
        let starts_a_paragraph = [".PP", ".TP", ".SH"].iter().any(|start| line.starts_with(start));
        if last == Some(".PP") && starts_a_paragraph || last == Some(".br") && line.is_empty() {
            lines.pop();
        }
        if !(line == ".br" && last == Some("")) {
            lines.push(line);
        }
    }
    lines.join("\n") + "\n"
}

/// docs/command.md: the options of each command, and what can go wrong.
fn table_of_options() -> String {
    let mut text = String::from(
        "# The command `uringaio`\n\nEvery option and message. `uringaio help COMMAND` and the manual page uringaio(1) say more about \
         each command. This page is made by `UPDATE=1 cargo test --test command_pages`.\n",
    );
    let whole = command();
    for command in commands(&whole) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "\n## `uringaio {}`\n\n{about}.\n\n```text", command.get_name());
        let usage = command.clone().render_usage().to_string();
        let _ = writeln!(text, "{}\n```\n", usage.trim_start_matches("Usage: ").replace("\n       ", "\n"));
        text += "| option | default | what it does |\n|---|---|---|\n";
        for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
            text += &row(argument);
        }
    }
    text += "\n## Exit status and messages\n\nWhat goes wrong is told on standard error, behind `uringaio: `. Words in capitals stand \
             for what was named. Otherwise the exit status is 0, and that of `run` the program's own.\n\n\
             | status | message | when |\n|---|---|---|\n";
    for [status, message, meaning] in messages() {
        let _ = writeln!(text, "| {status} | `{message}` | {meaning} |");
    }
    text += "\n## JSON\n\n`--json` writes what these schemas describe: [doctor](schema/doctor.json), [stat](schema/stat.json) (one \
             object a line) and [bench](schema/bench.json).\n";
    text
}

fn row(argument: &Arg) -> String {
    let escape = |text: &str| text.replace('|', "\\|");
    let value = argument.get_value_names().map(|names| names.join(" ")).unwrap_or_default();
    let takes_value = argument.get_action().takes_values();
    let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let name = match argument.get_long() {
        Some(long) if takes_value => format!("{short}--{long} {value}"),
        Some(long) => format!("{short}--{long}"),
        None => value,
    };
    let default =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let default = if !takes_value || default.is_empty() { String::new() } else { format!("`{default}`") };
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| takes_value)
        .map(|value| {
            format!("`{}`: {}", value.get_name(), value.get_help().map(ToString::to_string).unwrap_or_default())
        })
        .collect();
    let values = if values.is_empty() { String::new() } else { format!(". {}", values.join("; ")) };
    format!("| `{}` | {default} | {}{} |\n", escape(&name), escape(&help), escape(&values))
}
