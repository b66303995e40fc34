//! What the kernel and the machine say of themselves.

use std::ffi::{CStr, CString};
use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::file_systems::with_magic;

/// The kernel's release, as `6.1.0-13-amd64`.
pub fn release() -> String {
    let mut names = MaybeUninit::<libc::utsname>::uninit();
    // SAFETY: uname fills the structure with C strings, or fails, which it does not for a valid address.
    unsafe {
        if libc::uname(names.as_mut_ptr()) != 0 {
            return String::new();
        }
        CStr::from_ptr((*names.as_ptr()).release.as_ptr()).to_string_lossy().into_owned()
    }
}

/// An error number in words.
pub fn error_text(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().unwrap_or_default().to_string()
}

/// The first line of a file, or nothing where it cannot be read.
pub fn line(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()?.lines().next().map(|line| line.trim().to_string())
}

/// The number in the first line of a file.
pub fn number(path: &str) -> Option<u64> {
    line(path)?.parse().ok()
}

/// The type of the file system that holds `target`, as `/proc/self/mountinfo` names it, and the same with its device in words.
/// The root of a `chroot` need not be there: then the file system is asked, which tells no device.
pub fn file_system(target: &Path) -> Option<(String, String)> {
    let target = target.canonicalize().ok()?;
    mounted(&target).or_else(|| file_system_itself(&target).map(|name| (name.into(), name.into())))
}

/// What the file system itself says, if it is one that io_uring or the calling thread may serve.
fn file_system_itself(target: &Path) -> Option<&'static str> {
    let path = CString::new(target.as_os_str().as_bytes()).ok()?;
    let mut status = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: statfs reads the path, and fills the structure or fails.
    let magic = unsafe {
        if libc::statfs(path.as_ptr(), status.as_mut_ptr()) != 0 {
            return None;
        }
        status.assume_init().f_type as u32
    };
    with_magic(magic).map(|system| system.name)
}

fn mounted(target: &Path) -> Option<(String, String)> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let found = mounts.lines().filter_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let point = left.split(' ').nth(4)?;
        let mut words = right.split(' ');
        let found = (point.len(), words.next()?, words.next()?);
        target.starts_with(point).then_some(found)
    });
    // Of two mounts on one place the later one is seen.
    let (_, kind, device) = found.max_by_key(|&(length, _, _)| length)?;
    let place = if kind == device { kind.into() } else { format!("{kind} on {device}") };
    Some((kind.into(), place))
}

/// The name of the block device with this number, as sysfs has it.
pub fn block_device(number: libc::dev_t) -> Option<String> {
    let link = format!("/sys/dev/block/{}:{}", libc::major(number), libc::minor(number));
    let link = fs::read_link(link).ok()?;
    Some(link.file_name()?.to_string_lossy().into_owned())
}

/// Seconds since 1970.
pub fn seconds() -> libc::time_t {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs() as libc::time_t)
}

/// Nanoseconds of the monotonic clock.
pub fn monotonic() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the structure.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{file_system_itself, mounted};

    #[test]
    fn mounts_and_file_systems_tell_the_same() {
        // The source, mostly on a disk, and what is in memory.
        for place in [env!("CARGO_MANIFEST_DIR"), "/dev/shm"].map(Path::new) {
            let (Some((by_mount, _)), Some(by_itself)) = (mounted(place), file_system_itself(place)) else { continue };
            assert_eq!(
                by_mount.trim_end_matches(['2', '3', '4']),
                by_itself.trim_end_matches(['2', '3', '4']),
                "{place:?}"
            );
        }
        assert_eq!(file_system_itself(Path::new("/proc")), None);
    }
}
