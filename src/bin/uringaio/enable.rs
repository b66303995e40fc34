//! `uringaio enable` and `uringaio disable`: a systemd service on the library, by a drop-in of its unit; and what a container image
//! needs for the same.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::arguments::{Disable, Enable};
use crate::failure::{Failure, NOT_FOUND, WANTING};
use crate::library;
use crate::output::{columns, fold, print};
use crate::root::Root;
use plan::Plan;
use unit::Unit;

mod container;
mod plan;
mod systemd;
mod unit;

/// The drop-in's name in the folder of its unit.
const NAME: &str = "50-uringaio.conf";
/// How long a service that has been started may take until its program is loaded.
const LIMIT: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(100);
/// A service that is there for so long has begun its work.
const SETTLED: Duration = Duration::from_millis(500);
/// How its first line begins: a file that begins otherwise is not ours.
const MARK: &str = "# Written by `uringaio enable";

pub fn enable(arguments: &Enable) -> Result<ExitCode, Failure> {
    let root = arguments.root.as_ref().map_or_else(Root::own, Root::at);
    let libraries = if root.is_own() {
        library::find(arguments.library.as_deref())
    } else {
        library::find_in(&root, arguments.library.as_deref())
    };
    let Some(name) = &arguments.unit else {
        print(&container::lines(&libraries.preload.map_err(Failure::wanting)?, arguments.raw))?;
        return Ok(ExitCode::SUCCESS);
    };
    let unit = Unit::find(&root, name)?;
    let plan = plan::make(&root, &unit, &libraries, arguments)?;
    let file = folder(&unit.name).join(NAME);
    let done = if arguments.dry_run { "would be written to" } else { "is written to" };
    let mut text = fold("", &format!("For {}, this {done} {}:", unit.name, root.find(&file).display()), columns());
    text.push('\n');
    text.extend(plan.text.lines().map(|line| format!("    {line}\n")));
    text.push('\n');
    for note in &plan.notes {
        text.push_str(&fold("- ", note, columns()));
    }
    print(&text)?;
    if arguments.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let before = fs::read(root.find(&file)).ok();
    write(&root.find(&folder(&unit.name)), &plan.text)?;
    if !root.is_own() {
        print("Not checked: the tree is not this machine's.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    if !systemd::is_running() {
        print("Not checked: systemd does not run here. The service has it when it is started by systemd.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let taken = systemd::reload().and_then(|()| take_up(&unit.name, &plan, arguments.restart));
    if taken.is_err() {
        take_back(&unit.name, &file, before.as_deref(), arguments.restart);
    }
    print(&fold("", &taken?, columns()))?;
    Ok(ExitCode::SUCCESS)
}

pub fn disable(arguments: &Disable) -> Result<ExitCode, Failure> {
    let root = arguments.root.as_ref().map_or_else(Root::own, Root::at);
    // A unit that is gone may have left its drop-in.
    let name =
        Unit::find(&root, &arguments.unit).map_or_else(|_| unit::full_name(&arguments.unit), |unit| Ok(unit.name))?;
    let file = root.find(&folder(&name).join(NAME));
    let failed = |error: std::io::Error| Failure::wanting(format!("{}: {error}", file.display()));
    match fs::read_to_string(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            print(&format!("{name} was not enabled: there is no {}\n", file.display()))?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => return Err(failed(error)),
        Ok(text) if !text.starts_with(MARK) => {
            return Err(Failure::wanting(format!("{} was not written by this command: it stays", file.display())));
        }
        Ok(_) => {}
    }
    if arguments.dry_run {
        print(&format!("{} would be removed\n", file.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    fs::remove_file(&file).map_err(failed)?;
    // The folder stays if anything else is in it.
    let _ = file.parent().map(fs::remove_dir);
    print(&format!("{} is removed\n", file.display()))?;
    if root.is_own() && systemd::is_running() {
        systemd::reload()?;
        if arguments.restart {
            systemd::restart(&name)?;
        } else if systemd::process(&name).is_some() {
            print(&format!("The service runs as before until it is started anew: systemctl restart {name}\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn folder(unit: &str) -> PathBuf {
    Path::new("/etc/systemd/system").join(format!("{unit}.d"))
}

/// Puts the drop-in in place in one step: systemd never reads half of it.
fn write(folder: &Path, text: &str) -> Result<(), Failure> {
    let (file, new) = (folder.join(NAME), folder.join(format!(".{NAME}.new")));
    let written = fs::create_dir_all(folder).and_then(|()| {
        let mut open = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&new)?;
        open.write_all(text.as_bytes())?;
        open.sync_all()?;
        fs::rename(&new, &file)
    });
    written.map_err(|error| {
        let _ = fs::remove_file(&new);
        let _ = fs::remove_dir(folder);
        Failure::wanting(format!("{}: {error}", file.display()))
    })
}

/// Starts the service anew if that is wanted, and looks at its process. What to tell.
fn take_up(unit: &str, plan: &Plan, restart: bool) -> Result<String, Failure> {
    if !restart {
        let then = format!("systemctl restart {unit} && uringaio doctor $(systemctl show -P MainPID {unit})");
        return Ok(match systemd::process(unit) {
            Some(_) => {
                format!("The service runs as before until it is started anew. Then see whether it is served: {then}")
            }
            None => "The service is not running: it has it from its next start on.".into(),
        });
    }
    systemd::restart(unit)?;
    let begun = Instant::now();
    let is_loaded = || systemd::process(unit).is_some_and(|process| plan.is_mapped_in(process));
    while !is_loaded() && systemd::process(unit).is_some() && begun.elapsed() < LIMIT {
        std::thread::sleep(STEP);
    }
    // What does not get on with the library, or a filter with it, ends as it begins.
    std::thread::sleep(SETTLED);
    let failed = |why: String| Failure::new(WANTING, format!("{unit} {why}; everything was put back"));
    match systemd::process(unit) {
        _ if systemd::has_failed(unit) => Err(failed("was started with the library, and failed".into())),
        None => Ok(format!("Not checked: {unit} was started, and has no main process.")),
        Some(process) if plan.is_mapped_in(process) => Ok(format!(
            "Checked: process {process} of {unit} has the library loaded. uringaio doctor {process} says whether it is served."
        )),
        Some(process) => {
            Err(failed(format!("was started, and its process {process} does not have the library loaded")))
        }
    }
}

/// As it was before, and the service with it.
fn take_back(unit: &str, file: &Path, before: Option<&[u8]>, restart: bool) {
    let _ = match before {
        Some(text) => fs::write(file, text),
        None => fs::remove_file(file).and_then(|()| file.parent().map_or(Ok(()), fs::remove_dir)),
    };
    let _ = systemd::reload().and_then(|()| if restart { systemd::restart(unit) } else { Ok(()) });
}

/// There is no such unit.
fn no_unit(name: &str) -> Failure {
    Failure::new(NOT_FOUND, format!("there is no unit {name}"))
}
