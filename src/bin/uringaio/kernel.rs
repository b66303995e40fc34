//! What the kernel and the container say of themselves, in files.

use std::ffi::CStr;
use std::fs;

/// The kernel's release, as `6.1.0-13-amd64`.
pub fn release() -> String {
    let mut names = std::mem::MaybeUninit::<libc::utsname>::uninit();
    // SAFETY: uname fills the structure with C strings, or fails, which it does not for a valid address.
    unsafe {
        if libc::uname(names.as_mut_ptr()) != 0 {
            return String::new();
        }
        CStr::from_ptr((*names.as_ptr()).release.as_ptr()).to_string_lossy().into_owned()
    }
}

/// The first line of a file, or nothing where it cannot be read.
pub fn line(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()?.lines().next().map(|line| line.trim().to_string())
}

/// The field of this process's `/proc/self/status`.
pub fn status(field: &str) -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| Some(line.strip_prefix(field)?.strip_prefix(':')?.trim().to_string()))
}

/// The soft limit of a resource; nothing where there is none.
pub fn limit(resource: libc::__rlimit_resource_t) -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: fills the structure.
    let known = unsafe { libc::getrlimit(resource, &raw mut limit) } == 0;
    (known && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

/// Seconds since 1970.
pub fn seconds() -> libc::time_t {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs() as libc::time_t)
}
