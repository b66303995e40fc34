//! The service manager, by `systemctl`.

use std::process::{Command, Stdio};

use crate::failure::Failure;

/// It does not run in most containers.
pub fn is_running() -> bool {
    show(&["--property=Version"]).is_some()
}

/// Reads the unit files anew.
pub fn reload() -> Result<(), Failure> {
    systemctl(&["daemon-reload"])
}

/// Returns when the service has started, or has failed to.
pub fn restart(unit: &str) -> Result<(), Failure> {
    systemctl(&["restart", unit])
}

/// The main process of a service, if it runs.
pub fn process(unit: &str) -> Option<libc::pid_t> {
    show(&["--property=MainPID", unit])?.trim().strip_prefix("MainPID=")?.parse().ok().filter(|&process| process > 0)
}

/// Whether a service has ended otherwise than it should, since it was last started.
pub fn has_failed(unit: &str) -> bool {
    show(&["--property=Result", unit]).is_some_and(|said| !matches!(said.trim(), "" | "Result=success"))
}

fn show(arguments: &[&str]) -> Option<String> {
    let answer = Command::new("systemctl").arg("show").args(arguments).stdin(Stdio::null()).output().ok()?;
    answer.status.success().then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
}

fn systemctl(arguments: &[&str]) -> Result<(), Failure> {
    let named = format!("systemctl {}", arguments.join(" "));
    match Command::new("systemctl").args(arguments).stdin(Stdio::null()).output() {
        Ok(answer) if answer.status.success() => Ok(()),
        Ok(answer) => {
            let said = String::from_utf8_lossy(&answer.stderr);
            Err(Failure::wanting(format!("{named}: {} ({})", said.trim(), answer.status)))
        }
        Err(error) => Err(Failure::wanting(format!("{named}: {error}"))),
    }
}
