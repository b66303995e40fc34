//! Whether io_uring may be used here, and who forbids it if not: the kernel, a setting of it, a filter, a limit.

use super::report::Finding;
use crate::host;
use crate::probe::{self, FEATURES, Ring, Tried};
use crate::process::Process;
use crate::sandbox::{self, CALLS, Sandbox};

/// The first Linux with io_uring.
const FIRST: (u32, u32) = (5, 1);

/// What is known of this process and its kernel.
#[derive(Clone, Debug)]
pub struct Evidence {
    pub release: String,
    /// `kernel.io_uring_disabled`, which kernels with io_uring have from 6.6 on, and so have those of RHEL 9.
    pub disabled: Option<String>,
    /// `kernel.io_uring_group`.
    pub group: Option<String>,
    /// Whether a seccomp filter decides about system calls.
    pub filtered: bool,
    pub sandbox: Option<Sandbox>,
    /// `RLIMIT_MEMLOCK` in bytes, where it counts for this process.
    pub lock_limit: Option<u64>,
    /// The security modules that the kernel runs.
    pub modules: String,
    pub ring: Ring,
}

impl Evidence {
    pub fn gather() -> Self {
        let own = Process::own();
        Self {
            release: host::release(),
            disabled: host::line("/proc/sys/kernel/io_uring_disabled"),
            group: host::line("/proc/sys/kernel/io_uring_group"),
            filtered: own.is_filtered(),
            sandbox: Sandbox::of(&own),
            lock_limit: own.lock_limit(),
            modules: host::line("/sys/kernel/security/lsm").unwrap_or_default(),
            ring: probe::ring(),
        }
    }

    /// As a part of a sentence: whose filter it would be.
    fn filter(&self) -> String {
        match &self.sandbox {
            Some(sandbox) => format!("the system call filter (seccomp) of {}", sandbox.name()),
            None => "a system call filter (seccomp) that a parent process has set".into(),
        }
    }

    fn allow(&self) -> Vec<String> {
        let remedy = self.sandbox.as_ref().map(Sandbox::remedy).unwrap_or_default();
        if !remedy.is_empty() {
            return remedy;
        }
        vec!["# allow these system calls in the filter that this process runs under:".into(), CALLS.into()]
    }
}

/// What to say about io_uring.
pub fn findings(evidence: &Evidence) -> Vec<Finding> {
    match evidence.ring.answer {
        Tried::Works => {
            let mut findings = vec![Finding::good(
                "io_uring",
                "io_uring can be used here",
                "A test process set up an io_uring, passed an operation through it and took it down again.",
            )];
            if evidence.ring.restricted {
                findings.push(restricted());
            }
            findings.extend(features(&evidence.ring.lacks));
            findings
        }
        Tried::Refused(errno) => vec![refused(evidence, errno)],
        Tried::Killed(signal) => vec![killed(evidence, signal)],
        Tried::Unknown => vec![Finding::note(
            "io_uring",
            "It could not be tried whether io_uring may be used",
            "No test process could be started. Is /proc mounted?",
        )],
    }
}

fn features(lacks: &[usize]) -> Vec<Finding> {
    if lacks.is_empty() {
        return vec![Finding::good(
            "features",
            "This kernel has every feature of io_uring that the library can use",
            "",
        )];
    }
    let lacking = lacks.iter().filter_map(|&index| FEATURES.get(index));
    lacking
        .map(|(name, since, without)| {
            let title = format!("This kernel's io_uring has no {name}, which Linux {since} introduced");
            Finding::note("features", title, format!("Without: {without}."))
        })
        .collect()
}

/// A list of allowed operations, of which each lack is the library's to tell.
fn restricted() -> Finding {
    Finding::note(
        "restrictions",
        "This process was started with a list of the io_uring operations that it may use",
        format!(
            "A process that started it has set the list (Linux 7.0, IORING_REGISTER_RESTRICTIONS). What is not on it is done without \
             io_uring; what the library makes use of is listed in {}.",
            sandbox::shared_file("io_uring-operations.json")
        ),
    )
}

/// A call was answered with an error.
fn refused(evidence: &Evidence, errno: i32) -> Finding {
    let call = &evidence.ring.call;
    match (errno, evidence.disabled.as_deref()) {
        (libc::EPERM, Some("2")) => switched_off(),
        (libc::EPERM, Some("1")) if !evidence.filtered => restricted_to_a_group(evidence.group.as_deref()),
        (libc::EPERM | libc::EACCES, _) if evidence.filtered => by_a_filter(evidence, errno),
        (libc::ENOSYS, known) if evidence.filtered && (known.is_some() || is_at_least(&evidence.release, FIRST)) => {
            by_a_filter(evidence, errno)
        }
        (libc::ENOSYS, _) if !is_at_least(&evidence.release, FIRST) => Finding::bad(
            "io_uring",
            format!("Linux {} has no io_uring", evidence.release),
            "io_uring came with Linux 5.1, and the library needs that of 5.10 or newer.",
        )
        .with_remedy(["# boot a kernel from Linux 5.10 on; better still, from 6.1 on"]),
        (libc::ENOSYS, _) => Finding::bad(
            "io_uring",
            "This kernel was built without io_uring",
            "No system call filter is active, the kernel is new enough, and still it does not know the call (ENOSYS).",
        )
        .with_remedy(["# boot a kernel that is built with CONFIG_IO_URING=y", "zgrep CONFIG_IO_URING /proc/config.gz \"/boot/config-$(uname -r)\""]),
        (libc::ENOMEM, _) => no_memory(evidence),
        (libc::EPERM | libc::EACCES, _) => Finding::bad(
            "io_uring",
            "A security module of the kernel forbids io_uring to this process",
            format!(
                "{call} was refused ({}), although kernel.io_uring_disabled does not forbid it and no system call filter is \
                 active. Security modules here: {}.",
                host::error_text(errno),
                if evidence.modules.is_empty() { "not told" } else { &evidence.modules }
            ),
        )
        .with_remedy(["# the kernel's log names the rule", "sudo dmesg | grep -i -e avc -e apparmor -e io_uring", "sudo ausearch -m avc -ts recent"]),
        _ => Finding::bad(
            "io_uring",
            "The kernel refuses io_uring",
            format!("{call}: {}.", host::error_text(errno)),
        ),
    }
}

fn switched_off() -> Finding {
    Finding::bad(
        "io_uring",
        "io_uring is switched off on this machine: kernel.io_uring_disabled is 2",
        "The kernel has io_uring and refuses it to every process. Red Hat Enterprise Linux and its kin come like that. The setting \
         is the whole machine's, containers included.",
    )
    .with_remedy([
        "echo 'kernel.io_uring_disabled = 0' | sudo tee /etc/sysctl.d/90-io_uring.conf",
        "sudo sysctl -p /etc/sysctl.d/90-io_uring.conf",
    ])
}

fn restricted_to_a_group(group: Option<&str>) -> Finding {
    let finding = Finding::bad(
        "io_uring",
        "io_uring is restricted on this machine: kernel.io_uring_disabled is 1",
        format!(
            "Only processes with CAP_SYS_ADMIN and members of the group that kernel.io_uring_group names ({}) may use it.",
            group.map_or("not told".into(), |group| if group == "-1" { "none".into() } else { group.to_string() })
        ),
    );
    match group {
        Some(group) if group != "-1" => finding.with_remedy([
            "# add the user to the group, who then logs in again".to_string(),
            format!("sudo usermod --append --groups \"$(getent group {group} | cut -d: -f1)\" \"$USER\""),
        ]),
        _ => finding.with_remedy([
            "# name a group, here the one of this user; or set kernel.io_uring_disabled = 0 for everybody",
            "echo \"kernel.io_uring_group = $(id -g)\" | sudo tee /etc/sysctl.d/90-io_uring.conf",
            "sudo sysctl -p /etc/sysctl.d/90-io_uring.conf",
        ]),
    }
}

fn by_a_filter(evidence: &Evidence, errno: i32) -> Finding {
    let answer = if errno == libc::ENOSYS {
        format!(
            "It answers ENOSYS, as if the kernel were too old; but Linux {} has io_uring{}.",
            evidence.release,
            if evidence.disabled.is_some() { " (it has the setting kernel.io_uring_disabled)" } else { "" }
        )
    } else {
        format!("{} was refused: {}.", evidence.ring.call, host::error_text(errno))
    };
    let by_default = match evidence.sandbox {
        Some(Sandbox::Docker | Sandbox::Podman | Sandbox::Kubernetes) => " The default profile forbids io_uring.",
        _ => "",
    };
    Finding::bad(
        "io_uring",
        "A system call filter forbids io_uring; the kernel is not the reason",
        format!("It is {}. {answer}{by_default}", evidence.filter()),
    )
    .with_remedy(evidence.allow())
}

fn killed(evidence: &Evidence, signal: i32) -> Finding {
    let by = if signal == libc::SIGSYS { "SIGSYS".into() } else { format!("signal {signal}") };
    Finding::bad(
        "io_uring",
        "A system call filter ends every process that uses io_uring",
        format!(
            "A test process was ended by {by} when it called {}. It is {}. Filters of systemd units end processes unless the unit \
             has SystemCallErrorNumber=EPERM.",
            evidence.ring.call,
            evidence.filter()
        ),
    )
    .with_remedy(evidence.allow())
}

fn no_memory(evidence: &Evidence) -> Finding {
    let limit = evidence.lock_limit.map_or("no limit".into(), |bytes| format!("{} KiB", bytes >> 10));
    Finding::bad(
        "io_uring",
        "There is not enough locked memory for an io_uring",
        format!(
            "The kernel counts io_urings as locked memory, all processes of one user together, and RLIMIT_MEMLOCK here is {limit}."
        ),
    )
    .with_remedy(Sandbox::memory_remedy(evidence.sandbox.as_ref()))
}

/// Whether a release such as `5.15.0-122-generic` is of at least this version.
fn is_at_least(release: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= wanted
}

#[cfg(test)]
mod tests {
    use super::super::report::{Finding, Verdict};
    use super::{Evidence, Ring, Sandbox, Tried, findings};

    /// A machine on which io_uring was refused with `answer`, and nothing else is known.
    fn machine(answer: Tried) -> Evidence {
        Evidence {
            release: "6.1.0-13-amd64".into(),
            disabled: None,
            group: None,
            filtered: false,
            sandbox: None,
            lock_limit: None,
            modules: String::new(),
            ring: Ring { answer, call: "io_uring_setup".into(), lacks: Vec::new(), restricted: false },
        }
    }

    /// The one finding about io_uring, which is a bad one, and must hold these words.
    fn says(evidence: &Evidence, words: &[&str]) -> Finding {
        let finding = findings(evidence).remove(0);
        assert_eq!(finding.verdict, Verdict::Bad);
        let text = format!("{} {} {}", finding.title, finding.detail, finding.remedy.join("\n"));
        for word in words {
            assert!(text.contains(word), "{word:?} is not in {text:?}");
        }
        finding
    }

    #[test]
    fn an_old_kernel_is_not_taken_for_a_filter_nor_the_reverse() {
        let mut evidence = machine(Tried::Refused(libc::ENOSYS));
        evidence.release = "4.19.0-26-amd64".into();
        says(&evidence, &["Linux 4.19.0-26-amd64 has no io_uring"]);
        evidence.filtered = true;
        says(&evidence, &["has no io_uring"]);
        // Podman on a kernel that has io_uring.
        evidence.release = "6.1.0-13-amd64".into();
        evidence.sandbox = Some(Sandbox::Podman);
        says(
            &evidence,
            &["the kernel is not the reason", "this Podman container", "ENOSYS", "podman run --security-opt seccomp="],
        );
        evidence.filtered = false;
        says(&evidence, &["built without io_uring", "CONFIG_IO_URING=y"]);
        // An old version number, but the kernel has the setting: a filter.
        evidence.release = "4.18.0-553.el8_10.x86_64".into();
        evidence.disabled = Some("0".into());
        evidence.filtered = true;
        says(&evidence, &["A system call filter forbids io_uring", "kernel.io_uring_disabled"]);
    }

    #[test]
    fn the_setting_is_named_with_its_remedy() {
        let mut evidence = machine(Tried::Refused(libc::EPERM));
        evidence.release = "5.14.0-503.el9.x86_64".into();
        evidence.disabled = Some("2".into());
        says(&evidence, &["kernel.io_uring_disabled is 2", "kernel.io_uring_disabled = 0", "sysctl -p"]);
        // In a container on such a machine the setting is what to change first.
        evidence.filtered = true;
        evidence.sandbox = Some(Sandbox::Docker);
        says(&evidence, &["kernel.io_uring_disabled is 2"]);
        evidence.filtered = false;
        evidence.disabled = Some("1".into());
        evidence.group = Some("-1".into());
        says(&evidence, &["restricted", "kernel.io_uring_group = $(id -g)"]);
        evidence.group = Some("985".into());
        says(&evidence, &["985", "usermod"]);
    }

    #[test]
    fn filters_are_named_by_whose_they_are() {
        let mut evidence = machine(Tried::Refused(libc::EPERM));
        evidence.filtered = true;
        evidence.disabled = Some("0".into());
        says(&evidence, &["a parent process has set", "io_uring_setup io_uring_enter io_uring_register"]);
        evidence.sandbox = Some(Sandbox::Docker);
        says(&evidence, &["this Docker container", "docker run --security-opt seccomp=", "seccomp-io_uring.json"]);
        evidence.sandbox = Some(Sandbox::Kubernetes);
        says(&evidence, &["this Kubernetes pod", "localhostProfile: profiles/seccomp-io_uring.json"]);
        evidence.ring.answer = Tried::Killed(libc::SIGSYS);
        evidence.ring.call = "io_uring_register".into();
        evidence.sandbox = Some(Sandbox::Unit("mariadb.service".into()));
        says(
            &evidence,
            &[
                "ends every process",
                "SIGSYS",
                "io_uring_register",
                "mariadb.service",
                "sudo systemctl edit mariadb.service",
                "SystemCallFilter=io_uring_setup io_uring_enter io_uring_register",
            ],
        );
    }

    #[test]
    fn a_list_of_operations_is_told() {
        let mut evidence = machine(Tried::Works);
        evidence.ring.restricted = true;
        let told = findings(&evidence).remove(1);
        assert_eq!((told.verdict, told.id), (Verdict::Note, "restrictions"));
        assert!(told.detail.contains("io_uring-operations.json"));
    }

    #[test]
    fn limits_and_security_modules() {
        let mut evidence = machine(Tried::Refused(libc::ENOMEM));
        evidence.lock_limit = Some(65536);
        says(&evidence, &["64 KiB", "RLIMIT_MEMLOCK", "limits.d"]);
        evidence.sandbox = Some(Sandbox::Unit("a.service".into()));
        says(&evidence, &["LimitMEMLOCK=64M"]);
        let mut evidence = machine(Tried::Refused(libc::EACCES));
        evidence.modules = "capability,selinux,bpf".into();
        says(&evidence, &["security module", "capability,selinux,bpf"]);
    }
}
