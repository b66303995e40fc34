//! Limits that matter to uringaio: locked memory, contexts of the kernel's AIO, threads, and who may look at a process.

use super::report::Finding;
use super::ring::Evidence;
use crate::host;
use crate::probe::{self, Tried};
use crate::process::Process;
use crate::sandbox::Sandbox;

/// What distributions give each user, and what the library is made to get along with.
const USUAL_LOCK_LIMIT: u64 = 8 << 20;
/// The library's thread, and workers of the kernel and the library for what would block.
const FEW_TASKS: u64 = 512;
/// What is proposed where the kernel's AIO has run out of requests.
const MANY_REQUESTS: u64 = 1 << 20;

pub fn findings(evidence: &Evidence) -> Vec<Finding> {
    let own = Process::own();
    let mut findings = vec![locked_memory(evidence.lock_limit, evidence.sandbox.as_ref())];
    findings.extend(kernel_aio(
        probe::kernel_aio(),
        host::number("/proc/sys/fs/aio-nr"),
        host::number("/proc/sys/fs/aio-max-nr"),
        evidence.filtered,
    ));
    let tasks = [own.limit("Max processes"), host::number("/sys/fs/cgroup/pids.max")].into_iter().flatten().min();
    if let Some(tasks) = tasks.filter(|&tasks| tasks < FEW_TASKS) {
        findings.push(Finding::note(
            "task_limit",
            format!("Only {tasks} threads may run"),
            "uringaio needs a few, and the kernel's own for io_uring count as well (ulimit -u, pids.max).",
        ));
    }
    if let Some(scope) = host::line("/proc/sys/kernel/yama/ptrace_scope").filter(|scope| scope != "0") {
        findings.push(Finding::note(
            "ptrace_scope",
            format!("kernel.yama.ptrace_scope is {scope}: uringaio stat and doctor PID need root here"),
            "",
        ));
    }
    findings
}

/// `RLIMIT_MEMLOCK`, against which the kernel counts the rings of a user without CAP_IPC_LOCK.
pub fn locked_memory(limit: Option<u64>, sandbox: Option<&Sandbox>) -> Finding {
    match limit {
        None => Finding::good("lock_limit", "Locked memory is not limited here (RLIMIT_MEMLOCK, CAP_IPC_LOCK)", ""),
        Some(bytes) if bytes >= USUAL_LOCK_LIMIT => Finding::good(
            "lock_limit",
            format!("Locked memory is limited to {} MiB (RLIMIT_MEMLOCK), which is enough", bytes >> 20),
            "The kernel counts io_urings against it, all processes of one user together.",
        ),
        Some(bytes) => Finding::note(
            "lock_limit",
            format!("Locked memory is limited to {} KiB (RLIMIT_MEMLOCK)", bytes >> 10),
            "The kernel counts io_urings against it, all processes of one user together. Where it is used up, threads serve \
             instead of io_uring.",
        )
        .with_remedy(Sandbox::memory_remedy(sandbox)),
    }
}

/// The kernel's own AIO, which carries libaio's `O_DIRECT` requests.
fn kernel_aio(tried: Tried, used: Option<u64>, most: Option<u64>, filtered: bool) -> Option<Finding> {
    let counts = match (used, most) {
        (Some(used), Some(most)) => format!("fs.aio-nr is {used} of fs.aio-max-nr {most}"),
        _ => "fs.aio-max-nr cannot be read".into(),
    };
    let instead = "libaio's O_DIRECT requests, which otherwise go that way, are carried by io_uring or threads instead";
    Some(match tried {
        Tried::Works => Finding::good(
            "kernel_aio",
            format!("The kernel's own AIO has room ({counts})"),
            "libaio's O_DIRECT requests use it.",
        ),
        Tried::Refused(libc::EAGAIN) => Finding::note(
            "kernel_aio",
            format!("The kernel's own AIO has no room left ({counts})"),
            format!("The limit counts the requests that all programs of the machine have reserved. {instead}."),
        )
        .with_remedy([
            format!("echo 'fs.aio-max-nr = {MANY_REQUESTS}' | sudo tee /etc/sysctl.d/90-aio.conf"),
            "sudo sysctl -p /etc/sysctl.d/90-aio.conf".into(),
        ]),
        Tried::Refused(errno) => Finding::note(
            "kernel_aio",
            format!("The kernel's own AIO cannot be used here: {}", host::error_text(errno)),
            format!(
                "{} {instead}.",
                if filtered { "A system call filter is active." } else { "The kernel may be built without it." }
            ),
        ),
        Tried::Killed(_) => Finding::note(
            "kernel_aio",
            "A system call filter ends processes that use the kernel's own AIO",
            "Programs that use libaio need io_setup, io_submit, io_getevents, io_cancel and io_destroy to be allowed.",
        ),
        Tried::Unknown => return None,
    })
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test")]
mod tests {
    use super::super::report::Verdict;
    use super::{Tried, kernel_aio};

    #[test]
    fn room_for_the_kernels_aio() {
        let full = kernel_aio(Tried::Refused(libc::EAGAIN), Some(65536), Some(65536), false).expect("it was tried");
        assert_eq!(full.verdict, Verdict::Note);
        assert!(
            full.title.contains("65536 of fs.aio-max-nr 65536") && full.remedy[0].contains("fs.aio-max-nr = 1048576")
        );
        let room = kernel_aio(Tried::Works, Some(0), Some(65536), false).expect("it was tried");
        assert_eq!(room.verdict, Verdict::Good);
        assert!(kernel_aio(Tried::Unknown, None, None, false).is_none());
    }
}
