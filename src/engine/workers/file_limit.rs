//! `RLIMIT_NOFILE`, which counts for the library's own descriptor table as well.
//!
//! A program with a soft limit of 1024 may have ten thousand polls outstanding: the kernel's AIO holds files without
//! numbers. So where the table is full, the soft limit is raised for the moment in which a descriptor is made. The
//! limit is the process's: in that moment the program's other threads can make a descriptor more, or see the value.
//! What the program itself sets meanwhile is found and kept.

use crate::host::kernel::{self, Errno};

/// The most descriptors that the table has, whatever the limit.
const MAX_DESCRIPTORS: u64 = 1 << 20;

/// As long as another thread changes the limit in the same moment.
const ATTEMPTS: u32 = 16;

fn exchange(new: Option<&libc::rlimit>) -> Option<libc::rlimit> {
    kernel::limit(libc::RLIMIT_NOFILE, new).ok()
}

/// The soft limit.
pub fn soft() -> u64 {
    exchange(None).map_or(1024, |limit| limit.rlim_cur)
}

/// The hard limit, as far as it is used.
pub fn hard() -> usize {
    exchange(None).map_or(1024, |limit| limit.rlim_max.min(MAX_DESCRIPTORS)) as usize
}

/// Makes a descriptor; where the table is full, with as many allowed as the hard limit allows.
///
/// # Errors
/// What `make` answers.
pub fn raised_if_full<T>(make: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
    match make() {
        Err(Errno(libc::EMFILE)) => raised(make).unwrap_or(Err(Errno(libc::EMFILE))),
        answer => answer,
    }
}

fn raised<T>(make: impl Fn() -> Result<T, Errno>) -> Option<Result<T, Errno>> {
    let before = exchange(None)?;
    // One less than what a program that raises its own limit would set: so the two can be told apart.
    let most = before.rlim_max.min(MAX_DESCRIPTORS).saturating_sub(1);
    if most <= before.rlim_cur {
        return None;
    }
    let raised = libc::rlimit { rlim_cur: most, ..before };
    let mut wanted = exchange(Some(&raised))?;
    let made = make();
    let mut ours = raised;
    for _ in 0..ATTEMPTS {
        let Some(found) = exchange(Some(&wanted)) else { break };
        if (found.rlim_cur, found.rlim_max) == (ours.rlim_cur, ours.rlim_max) {
            break;
        }
        // The program has set another limit meanwhile, which counts.
        ours = core::mem::replace(&mut wanted, found);
    }
    Some(made)
}
