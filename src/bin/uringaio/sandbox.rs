//! Whose filter it is: the container engine or the service manager that a process runs under, and how each is told to allow
//! io_uring.

use std::path::Path;

use crate::process::Process;

/// What restricts a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sandbox {
    Docker,
    Podman,
    Kubernetes,
    /// Another container, by the name that its manager gives: `lxc`, `systemd-nspawn`, `flatpak`.
    Container(String),
    /// A unit of systemd's.
    Unit(String),
}

/// Where a file lies that is installed with this command, for those who write profiles and units. Of a command that lies where it
/// was built, as `target/release/uringaio`, it is the source's.
pub fn shared_file(name: &str) -> String {
    let prefix = std::env::current_exe().ok().and_then(|file| Some(file.parent()?.parent()?.to_path_buf()));
    let prefix = prefix.unwrap_or_else(|| "/usr".into());
    let source = prefix.parent().map(|tree| tree.join("share/sandbox").join(name));
    let installed = prefix.join("share/uringaio/sandbox").join(name);
    source.filter(|file| !installed.exists() && file.exists()).unwrap_or(installed).display().to_string()
}

/// The three system calls of io_uring, as filters name them.
pub const CALLS: &str = "io_uring_setup io_uring_enter io_uring_register";

impl Sandbox {
    /// What `process` runs under. Where it has more filters than the first process of its container or machine, one was set
    /// inside: by systemd for a service, else by a program that is not known.
    pub fn of(process: &Process) -> Option<Self> {
        let unit = unit(&process.control_groups()).map(Self::Unit);
        if process.filters() > Process::of(1).filters() {
            return unit;
        }
        container(process).or(unit)
    }

    /// As a part of a sentence: `this Docker container`.
    pub fn name(&self) -> String {
        match self {
            Self::Docker => "this Docker container".into(),
            Self::Podman => "this Podman container".into(),
            Self::Kubernetes => "this Kubernetes pod".into(),
            Self::Container(name) => format!("this container ({name})"),
            Self::Unit(unit) => format!("the systemd unit {unit}"),
        }
    }

    /// What to paste so that the three calls are allowed.
    pub fn remedy(&self) -> Vec<String> {
        let run = |engine: &str| {
            let profile = shared_file(PROFILE);
            vec![
                "# on the host; the file is installed with uringaio".into(),
                format!("{engine} run --security-opt seccomp={profile} ..."),
            ]
        };
        match self {
            Self::Docker => run("docker"),
            Self::Podman => run("podman"),
            Self::Kubernetes => vec![
                "# on each node: a profile below the kubelet's folder".into(),
                format!("install -D -m 644 {} /var/lib/kubelet/seccomp/profiles/{PROFILE}", shared_file(PROFILE)),
                format!("# in the pod's specification ({})", shared_file("kubernetes-pod.yaml")),
                "securityContext:".into(),
                "  seccompProfile:".into(),
                "    type: Localhost".into(),
                format!("    localhostProfile: profiles/{PROFILE}"),
            ],
            Self::Container(_) => Vec::new(),
            Self::Unit(unit) => edit_unit(unit, [format!("SystemCallFilter={CALLS}")]),
        }
    }

    /// What to paste so that `bytes` of memory may be locked.
    pub fn memory_remedy(sandbox: Option<&Self>) -> Vec<String> {
        match sandbox {
            Some(Self::Docker) => vec!["docker run --ulimit memlock=67108864 ...".into()],
            Some(Self::Podman) => vec!["podman run --ulimit memlock=67108864 ...".into()],
            Some(Self::Unit(unit)) => edit_unit(unit, ["LimitMEMLOCK=64M".into()]),
            _ => vec![
                "echo '* - memlock 65536' | sudo tee /etc/security/limits.d/90-memlock.conf".into(),
                "# and log in again".into(),
            ],
        }
    }
}

/// What to paste so that a unit has these lines in its service section.
fn edit_unit(unit: &str, lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut all =
        vec![format!("sudo systemctl edit {unit}"), "# and in the file that it opens:".into(), "[Service]".into()];
    all.extend(lines);
    all.extend(["# then".into(), format!("sudo systemctl restart {unit}")]);
    all
}

/// The profile that is installed with this command: what container engines allow by default, and io_uring.
pub const PROFILE: &str = "seccomp-io_uring.json";

fn container(process: &Process) -> Option<Sandbox> {
    let exists = |file: &str| process.reach(Path::new(file)).exists();
    let variable = |wanted: &str| {
        let (_, value) = process.environment()?.into_iter().find(|(name, _)| name == wanted)?;
        Some(value.to_string_lossy().into_owned())
    };
    if variable("KUBERNETES_SERVICE_HOST").is_some() || exists("/var/run/secrets/kubernetes.io") {
        return Some(Sandbox::Kubernetes);
    }
    let manager = || process.root().read(Path::new("/run/host/container-manager")).ok();
    let manager = variable("container").or_else(manager).map(|name| name.trim().to_string());
    match manager.as_deref() {
        Some("podman") => Some(Sandbox::Podman),
        Some("docker") => Some(Sandbox::Docker),
        _ if exists("/run/.containerenv") => Some(Sandbox::Podman),
        _ if exists("/.dockerenv") => Some(Sandbox::Docker),
        Some("" | "oci") | None => None,
        Some(name) => Some(Sandbox::Container(name.into())),
    }
}

/// The service in the control groups of a process: `/system.slice/mariadb.service`. A login's own are none.
fn unit(control_groups: &str) -> Option<String> {
    let path = control_groups
        .lines()
        .find_map(|line| line.strip_prefix("0::").or(line.split_once("name=systemd:").map(|(_, path)| path)))?;
    let unit = path.split('/').rev().find(|part| part.ends_with(".service"))?;
    let of_a_user = unit.starts_with("user@") || unit.starts_with("session-");
    (!of_a_user).then(|| unit.to_string())
}

#[cfg(test)]
mod tests {
    use super::{PROFILE, Sandbox, unit};

    #[test]
    fn a_service_is_known_by_its_control_group() {
        assert_eq!(unit("0::/system.slice/mariadb.service\n").as_deref(), Some("mariadb.service"));
        assert_eq!(unit("12:pids:/x\n1:name=systemd:/system.slice/a.service/sub\n").as_deref(), Some("a.service"));
        assert_eq!(unit("0::/user.slice/user-0.slice/user@0.service/init.scope\n"), None);
        assert_eq!(unit("0::/\n"), None);
    }

    #[test]
    fn every_engine_gets_something_to_paste() {
        for sandbox in [Sandbox::Docker, Sandbox::Podman, Sandbox::Kubernetes, Sandbox::Unit("a.service".into())] {
            let remedy = sandbox.remedy().join("\n");
            assert!(remedy.contains("io_uring_setup") || remedy.contains(PROFILE), "{remedy}");
        }
    }
}
