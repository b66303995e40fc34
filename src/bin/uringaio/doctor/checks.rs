//! The single checks: each tries the thing itself rather than reading a version.

use std::fs::{File, OpenOptions};
use std::io::{Error, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use io_uring::register::Restriction;
use io_uring::{IoUring, Probe, opcode};

use super::{Check, Verdict};
use crate::kernel;

/// io_uring, feature by feature. `serves`: what the library decided.
pub fn ring(serves: bool) -> Vec<Check> {
    let mut checks = Vec::new();
    let release = kernel::release();
    if is_known_bad(&release) {
        checks.push(Check::new(
            Verdict::Bad,
            format!("Linux {release}"),
            "io_uring of 5.11 to 5.15.2 can lose completions: take a newer kernel",
        ));
    }
    match IoUring::new(2) {
        Err(error) => checks.push(Check::new(Verdict::Bad, "io_uring", refused(&error))),
        Ok(ring) => {
            checks.push(Check::new(Verdict::Good, "io_uring", "may be used"));
            checks.extend(features(&ring, serves));
        }
    }
    checks
}

/// Why there is no ring, and what to do.
fn refused(error: &Error) -> String {
    let disabled = kernel::line("/proc/sys/kernel/io_uring_disabled");
    let filtered = kernel::status("Seccomp").is_some_and(|mode| mode != "0");
    match (error.raw_os_error(), disabled.as_deref()) {
        (Some(libc::EPERM), Some("2")) => {
            "switched off by kernel.io_uring_disabled=2; as root: sysctl kernel.io_uring_disabled=0".into()
        }
        (Some(libc::EPERM), Some("1")) => "kernel.io_uring_disabled=1 allows it to CAP_SYS_ADMIN and to the group \
             kernel.io_uring_group alone; as root: sysctl kernel.io_uring_disabled=0, or set that group"
            .into(),
        (Some(libc::EPERM), _) if filtered => {
            "a seccomp filter forbids it, as containers do by default. Docker, Podman: \
             --security-opt seccomp=PROFILE with a profile that allows io_uring_setup, io_uring_enter and \
             io_uring_register; Kubernetes: securityContext.seccompProfile"
                .into()
        }
        (Some(libc::ENOSYS), _) if filtered => {
            "not there, or a seccomp filter says so (ENOSYS): see the container's profile".into()
        }
        (Some(libc::ENOSYS), _) => {
            "this kernel has none: it is older than 5.1, or was built without CONFIG_IO_URING".into()
        }
        (Some(libc::ENOMEM), _) => "no locked memory left: raise RLIMIT_MEMLOCK (ulimit -l)".into(),
        _ => format!("refused: {error}"),
    }
}

fn features(ring: &IoUring, serves: bool) -> Vec<Check> {
    // Where the library has chosen io_uring anyway, nothing here can be bad.
    let lacking = if serves { Verdict::Note } else { Verdict::Bad };
    let mut checks = Vec::new();
    let mut add = |good: bool, missing: Verdict, what: &str, means: &str, without: &str| {
        let (verdict, means) = if good { (Verdict::Good, means) } else { (missing, without) };
        checks.push(Check::new(verdict, what, means));
    };
    let cooperative: Result<IoUring, Error> = IoUring::builder().setup_coop_taskrun().build(2);
    add(
        cooperative.is_ok(),
        Verdict::Note,
        "COOP_TASKRUN (5.19)",
        "completions wait until the engine's thread looks for them",
        "missing: completions interrupt the engine's thread, and no other",
    );
    let mut probe = Probe::new();
    let probed = ring.submitter().register_probe(&mut probe).is_ok();
    add(
        probed && probe.is_supported(opcode::FutexWait::CODE),
        lacking,
        "FUTEX_WAIT (6.7)",
        "the engine's thread is woken by a futex",
        "missing: it is woken by a signal that it blocks",
    );
    add(
        registers_itself(ring),
        lacking,
        "registered rings (5.18)",
        "the ring leaves the program's descriptor table",
        "missing: its descriptor stays there, high and close-on-exec",
    );
    let restricted = IoUring::builder().setup_r_disabled().build(2).and_then(|ring: IoUring| {
        ring.submitter().register_restrictions(&mut [Restriction::sqe_op(opcode::Read::CODE)])
    });
    add(
        restricted.is_ok(),
        lacking,
        "restrictions (5.10)",
        "the ring accepts only the operations that are needed",
        "missing: take Linux 5.10 or newer",
    );
    add(
        ring.params().is_feature_no_iowait(),
        Verdict::Note,
        "NO_IOWAIT (6.15)",
        "the engine's waiting is not shown as iowait",
        "missing: the engine's waiting is shown as iowait (a matter of monitoring, not of speed)",
    );
    add(
        has_private_rings(),
        Verdict::Note,
        "private rings (6.10)",
        "a thread that reaps its own O_DIRECT requests gets a ring of its own",
        "missing: all O_DIRECT requests go by the engine's thread (a matter of speed alone)",
    );
    checks
}

/// Whether a ring in memory of ours, in more than one page, and without a descriptor can be had.
fn has_private_rings() -> bool {
    /// `CQSIZE | SUBMIT_ALL | TASKRUN_FLAG | SINGLE_ISSUER | DEFER_TASKRUN | NO_MMAP | REGISTERED_FD_ONLY | NO_SQARRAY`
    const FLAGS: u32 = 1 << 3 | 1 << 7 | 1 << 9 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15 | 1 << 16;
    const UNREGISTER_RING_FDS: u32 = 21;
    const USE_REGISTERED_RING: u32 = 1 << 31;
    const LENGTH: usize = 1 << 16;
    // `struct io_uring_params`: completions wanted, flags, and the two addresses at the ends of the offsets.
    let mut parameters = [0u32; 30];
    (parameters[1], parameters[2]) = (1024, FLAGS);
    // SAFETY: maps new memory, which the ring alone uses; ends the ring, and unmaps the memory.
    unsafe {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        let memory = libc::mmap(core::ptr::null_mut(), LENGTH, protection, flags, -1, 0);
        if memory == libc::MAP_FAILED {
            return false;
        }
        for (place, address) in [(18, memory as u64 + LENGTH as u64 / 2), (28, memory as u64)] {
            (parameters[place], parameters[place + 1]) = (address as u32, (address >> 32) as u32);
        }
        let index = libc::syscall(libc::SYS_io_uring_setup, 256, parameters.as_mut_ptr());
        if index >= 0 {
            let update = [index as u64, 0];
            let operation = UNREGISTER_RING_FDS | USE_REGISTERED_RING;
            libc::syscall(libc::SYS_io_uring_register, index, operation, update.as_ptr(), 1);
        }
        libc::munmap(memory, LENGTH);
        index >= 0
    }
}

fn registers_itself(ring: &IoUring) -> bool {
    const REGISTER_RING_FDS: u32 = 20;
    const UNREGISTER_RING_FDS: u32 = 21;
    #[repr(C)]
    struct Update {
        offset: u32,
        reserved: u32,
        fd: u64,
    }
    let fd = ring.as_raw_fd();
    let mut update = Update { offset: u32::MAX, reserved: 0, fd: fd as u64 };
    // SAFETY: reads and writes the one structure, twice.
    unsafe {
        let registered = libc::syscall(libc::SYS_io_uring_register, fd, REGISTER_RING_FDS, &raw mut update, 1) == 1;
        if registered {
            libc::syscall(libc::SYS_io_uring_register, fd, UNREGISTER_RING_FDS, &raw mut update, 1);
        }
        registered
    }
}

/// The range in which completions were lost (design of the library: probe everything but this).
fn is_known_bad(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    ((5, 11, 0)..=(5, 15, 2)).contains(&version)
}

/// Limits that bite, or are thought to.
pub fn limits() -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(files) = kernel::limit(libc::RLIMIT_NOFILE) {
        checks.push(Check::new(
            Verdict::Good,
            format!("open files {files}"),
            "the library's own files are outside this limit and outside the descriptor table",
        ));
    }
    let tasks = kernel::line("/sys/fs/cgroup/pids.max").and_then(|line| line.parse::<u64>().ok());
    let tasks = [kernel::limit(libc::RLIMIT_NPROC), tasks].into_iter().flatten().min();
    if let Some(tasks) = tasks.filter(|&tasks| tasks < 512) {
        checks.push(Check::new(
            Verdict::Note,
            format!("threads {tasks}"),
            "the library needs one thread; the kernel's own workers count here too (ulimit -u, pids.max)",
        ));
    }
    if let (Some(used), Some(most)) = (kernel::line("/proc/sys/fs/aio-nr"), kernel::line("/proc/sys/fs/aio-max-nr")) {
        checks.push(Check::new(
            Verdict::Good,
            format!("aio-nr {used} of {most}"),
            "the limit of the kernel's AIO; uringaio takes nothing from it",
        ));
    }
    if let Some(scope) = kernel::line("/proc/sys/kernel/yama/ptrace_scope").filter(|scope| scope != "0") {
        checks.push(Check::new(
            Verdict::Note,
            format!("ptrace_scope {scope}"),
            "uringaio stat needs root to read other processes here",
        ));
    }
    checks
}

/// What the file system of `directory` does with the two lanes.
pub fn files(directory: &Path) -> Vec<Check> {
    let name = directory.display();
    let (file, direct) = match temporary(directory) {
        Ok(made) => made,
        Err(error) => {
            let why = format!("not looked at, no file can be made there: {error}; see --directory");
            return vec![Check::new(Verdict::Note, name.to_string(), why)];
        }
    };
    let cached = reads_without_waiting(&file);
    vec![
        if cached {
            Check::new(Verdict::Good, name.to_string(), "cached reads are finished in the calling thread (RWF_NOWAIT)")
        } else {
            Check::new(
                Verdict::Note,
                name.to_string(),
                "this file system cannot say whether a read would wait (RWF_NOWAIT): reads go to the engine",
            )
        },
        if direct {
            Check::new(
                Verdict::Good,
                name.to_string(),
                "O_DIRECT can be used: it goes to the engine, past the page cache",
            )
        } else {
            Check::new(Verdict::Note, name.to_string(), "this file system has no O_DIRECT")
        },
    ]
}

/// A file without a name, and whether it may be opened with `O_DIRECT`.
fn temporary(directory: &Path) -> Result<(File, bool), Error> {
    let open = |flags: libc::c_int| {
        let flags = libc::O_TMPFILE | flags;
        OpenOptions::new().read(true).write(true).mode(0o600).custom_flags(flags).open(directory)
    };
    let mut file = open(0)?;
    file.write_all(&[0; 4096])?;
    Ok((file, open(libc::O_DIRECT).is_ok()))
}

fn reads_without_waiting(file: &File) -> bool {
    let mut buffer = [0u8; 512];
    let vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: writes within the buffer.
    unsafe { libc::preadv2(file.as_raw_fd(), &raw const vector, 1, 0, libc::RWF_NOWAIT) == 512 }
}
