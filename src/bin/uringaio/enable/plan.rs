//! What is written for a service, and what to tell about it; or why it cannot be served.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::MARK;
use super::unit::{Unit, script_of, words};
use crate::arguments::{Enable, Interface};
use crate::doctor::report::Effect;
use crate::doctor::subject::{self, Subject};
use crate::elf::Image;
use crate::failure::{CANNOT, Failure};
use crate::library::Libraries;
use crate::process::Process;
use crate::program;
use crate::root::Root;
use crate::sandbox::CALLS;

/// What a service gets for io_urings, which the kernel counts as locked memory of its user: enough for thousands.
const LOCKED_MEMORY: &str = "64M";
const LOCKED_MEMORY_BYTES: u64 = 64 << 20;
/// Sets of system calls that have those of io_uring among them (systemd-analyze syscall-filter).
const SETS_WITH_IO_URING: [&str; 3] = ["@aio", "@system-service", "@known"];

/// The drop-in and what to tell.
#[derive(Debug)]
pub struct Plan {
    pub text: String,
    pub notes: Vec<String>,
    /// The file that the service has mapped when it runs on it.
    library: PathBuf,
}

impl Plan {
    pub fn is_mapped_in(&self, process: libc::pid_t) -> bool {
        Process::of(process).mapped().is_ok_and(|(files, _)| files.iter().any(|file| is_same(file, &self.library)))
    }
}

/// Whether two names are of one file: one may be a link, as libraries are.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

pub fn make(root: &Root, unit: &Unit, libraries: &Libraries, arguments: &Enable) -> Result<Plan, Failure> {
    let refused = |why: String| Failure::new(CANNOT, why);
    let mut notes = Vec::new();
    let commands = unit.commands();
    if commands.is_empty() {
        return Err(refused(format!("{} starts no program (ExecStart)", unit.name)));
    }
    if let Some(folder) = unit.value("RootDirectory").or(unit.value("RootImage")) {
        return Err(refused(format!(
            "{} runs in a root of its own, {folder}: install the library there, and use --root {folder} to write the drop-in",
            unit.name
        )));
    }
    let mut needs_raw = arguments.raw;
    let mut would_be_served = false;
    for command in &commands {
        match of_program(root, unit, command, &mut notes)? {
            Effect::None => {}
            effect => {
                would_be_served = true;
                needs_raw |= effect == Effect::Raw;
            }
        }
    }
    if !would_be_served && !arguments.force {
        return Err(refused(format!(
            "{} calls neither POSIX AIO nor libaio, or uses io_uring by itself: there is nothing to serve in {}. --force writes it all the same",
            commands.iter().map(|command| &*command[0]).collect::<Vec<_>>().join(", "),
            unit.name
        )));
    }
    let (library, variables) = variables(root, unit, libraries, arguments, needs_raw, &mut notes)?;
    let mut text = format!("{MARK} {0}`; `uringaio disable {0}` removes it.\n[Service]\n", unit.name);
    for variable in variables {
        let _ = writeln!(text, "Environment={variable}");
    }
    if !has_room(unit.value("LimitMEMLOCK")) {
        let _ = writeln!(text, "LimitMEMLOCK={LOCKED_MEMORY}");
    }
    if forbids_io_uring(&unit.values("SystemCallFilter")) {
        let _ = writeln!(text, "SystemCallFilter={CALLS}");
        notes.push(
            "The unit's SystemCallFilter does not allow io_uring: its three calls are added. The library makes others of \
             @system-service, too; where the service does not start with it, --restart puts everything back."
                .into(),
        );
    }
    Ok(Plan { text, notes, library })
}

/// What becomes of one program of a unit, with its arguments. An error says why it cannot be served.
fn of_program(root: &Root, unit: &Unit, command: &[String], notes: &mut Vec<String>) -> Result<Effect, Failure> {
    let name = command.first().map_or("", String::as_str);
    let program = Path::new(name);
    let cannot = |why: String| Failure::new(CANNOT, format!("{name} {why}"));
    if name.contains('%') || !program.is_absolute() {
        notes.push(format!("{name} was not looked into: its path is known to systemd alone."));
        return Ok(Effect::Served);
    }
    let found = root.find(program);
    let image = Image::open(&found).map_err(|error| Failure::new(CANNOT, format!("{name}: {error}")))?;
    let runs_script = script_of(command).is_some();
    if runs_script || image.script_line().is_some() {
        let verb = if runs_script { "runs" } else { "is" };
        notes.push(format!("{name} {verb} a script: what it starts has the library, too, and was not looked into."));
        return Ok(Effect::Served);
    }
    if let Some(why) = program::unservable(&image.kind()) {
        return Err(cannot(why.into()));
    }
    // A service's user is not this command's.
    let user = unit.value("User").filter(|user| !["root", "0"].contains(user));
    if !unit.is_on("NoNewPrivileges")
        && let Some(why) = program::gains_rights(&found, user.is_some() || unit.is_on("DynamicUser"))
    {
        return Err(cannot(format!("{why}: {}", program::ADVICE_FOR_PRIVILEGED)));
    }
    let subject = subject::of_files(&program::with_libraries_in(root, program), program, Some(command), root);
    notes.extend(told(&subject));
    Ok(subject.effect())
}

/// What the reader has to know or to do about the program.
fn told(subject: &Subject) -> Vec<String> {
    let setting = subject.effect() == Effect::Setting;
    let lines = subject.findings.iter().filter(|finding| finding.id == "known_program" || finding.id == "loads_libaio");
    lines
        .map(|finding| {
            let remedy: Vec<&str> =
                finding.remedy.iter().map(|line| &**line).filter(|line| !line.starts_with('#')).collect();
            match &*remedy {
                remedy if setting && !remedy.is_empty() => {
                    format!("Until this is set, nothing changes: {} ({}).", remedy.join(" "), finding.title)
                }
                _ => format!("{}. {}", finding.title, finding.detail).trim().to_string(),
            }
        })
        .collect()
}

/// The file that the service will have mapped, and the variables that lead there.
fn variables(
    root: &Root,
    unit: &Unit,
    libraries: &Libraries,
    arguments: &Enable,
    raw: bool,
    notes: &mut Vec<String>,
) -> Result<(PathBuf, Vec<String>), Failure> {
    let (name, value, file) = if arguments.interface == Interface::Libaio {
        let folder = libraries.drop_in.clone().ok_or_else(|| {
            Failure::new(CANNOT, "the drop-in libaio.so.1 is not beside this command; is it installed?")
        })?;
        ("LD_LIBRARY_PATH", folder.clone(), folder.join("libaio.so.1"))
    } else {
        let file = libraries.preload.clone().map_err(|why| Failure::new(CANNOT, why))?;
        ("LD_PRELOAD", file.clone(), file)
    };
    if !["/usr", "/lib", "/lib64", "/opt"].iter().any(|folder| value.starts_with(folder)) {
        notes.push(format!(
            "{} is not where libraries are installed: the service must be able to read it (ProtectHome, PrivateTmp).",
            value.display()
        ));
    }
    let mut list = value.display().to_string();
    // What the unit loads already, as another allocator, stays.
    if let Some(others) = unit.variable(name) {
        let others = others.split([':', ' ']).filter(|other| !other.is_empty() && Path::new(other) != value);
        for other in others {
            let _ = write!(list, ":{other}");
        }
    }
    for file in unit.values("EnvironmentFile") {
        let path = Path::new(file.trim_start_matches('-'));
        let text = root.read(path).unwrap_or_default();
        if text.lines().any(|line| words(line).first().is_some_and(|word| word.starts_with(&format!("{name}=")))) {
            let path = path.display();
            return Err(Failure::new(
                CANNOT,
                format!(
                    "{path} sets {name} for {}, and counts more than the drop-in: put {list} first there",
                    unit.name
                ),
            ));
        }
    }
    let mut variables = vec![format!("{name}={list}")];
    if arguments.interface == Interface::Posix {
        variables.push("URINGAIO_INTERFACE=posix".into());
    }
    if raw {
        variables.push("URINGAIO_RAW=1".into());
    }
    Ok((file, variables))
}

/// Whether a limit of locked memory is enough. Without one it is the service manager's default, 8 MiB for all processes of a user.
fn has_room(limit: Option<&str>) -> bool {
    let Some(soft) = limit.and_then(|limit| limit.split(':').next()) else { return false };
    let (digits, unit) =
        soft.trim().split_at(soft.trim().find(|letter: char| !letter.is_ascii_digit()).unwrap_or(soft.trim().len()));
    let shift = match unit {
        "infinity" => return true,
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => 40,
    };
    digits.parse::<u64>().is_ok_and(|number| number << shift >= LOCKED_MEMORY_BYTES)
}

/// Whether a unit's filter keeps io_uring from it: the first list decides whether lists name what is allowed or what is not.
fn forbids_io_uring(lists: &[&str]) -> bool {
    let Some(first) = lists.first() else { return false };
    let denies = first.starts_with('~');
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for list in lists {
        let (removes, calls) = list.strip_prefix('~').map_or((false, *list), |calls| (true, calls));
        // Of io_uring alone: by its own name, or by a set that it is in.
        let calls = calls.split_whitespace().map(|call| call.split(':').next().unwrap_or(call));
        for call in calls.filter(|call| call.starts_with("io_uring_") || SETS_WITH_IO_URING.contains(call)) {
            let calls: Vec<&str> = if call.starts_with('@') { CALLS.split(' ').collect() } else { vec![call] };
            for call in calls {
                if removes == denies {
                    named.insert(call)
                } else {
                    named.remove(call)
                };
            }
        }
    }
    let all = CALLS.split(' ').all(|call| named.contains(call));
    if denies { !named.is_empty() } else { !all }
}

#[cfg(test)]
mod tests {
    use super::{forbids_io_uring, has_room};

    #[test]
    fn filters() {
        assert!(!forbids_io_uring(&[]));
        assert!(!forbids_io_uring(&["@system-service"]));
        assert!(forbids_io_uring(&["@basic-io @file-system"]));
        assert!(forbids_io_uring(&["@system-service", "~io_uring_setup"]));
        assert!(!forbids_io_uring(&["@basic-io", "io_uring_setup io_uring_enter io_uring_register"]));
        assert!(forbids_io_uring(&["~@aio"]) && forbids_io_uring(&["~@mount io_uring_setup:EPERM"]));
        assert!(!forbids_io_uring(&["~@mount"]));
        assert!(!forbids_io_uring(&["~@aio", "io_uring_setup io_uring_enter io_uring_register"]));
    }

    #[test]
    fn limits() {
        assert!(
            has_room(Some("infinity"))
                && has_room(Some("64M"))
                && has_room(Some("1G:2G"))
                && has_room(Some("67108864"))
        );
        assert!(!has_room(None) && !has_room(Some("524288")) && !has_room(Some("8M:infinity")));
    }
}
