//! What sysfs tells of the file system on a device by the names that are there: no descriptor is made, and no file system
//! is asked.

use core::fmt;

use super::block_device;
use super::file_systems::{self, Backing};
use super::kernel::syscall;
use super::path::Path;

/// File systems that have a folder in `/sys/fs` for each of their devices; ext2 and ext3 are in that of ext4.
const HAVE_FOLDERS: [&str; 2] = ["ext4", "xfs"];

/// Where the file system on `device` (`st_dev`) keeps its files, if there is a sign of it. Async-signal-safe.
#[must_use]
#[inline(never)]
pub fn backing(device: u64) -> Option<Backing> {
    let (major, minor) = (libc::major(device), libc::minor(device));
    if major == 0 {
        // A file system without a block device that has a backing device of its own by this number is NFS or FUSE
        // (Documentation/ABI/testing/sysfs-class-bdi); others' are called by their names.
        return exists(format_args!("/sys/class/bdi/0:{minor}")).then_some(Backing::Remote);
    }
    if exists(format_args!("/sys/class/bdi/{major}:{minor}-fuseblk")) {
        return Some(Backing::Remote);
    }
    let mut target = block_device::NO_TARGET;
    let name = block_device::name(device, &mut target)?;
    let found = HAVE_FOLDERS.iter().find(|system| exists(format_args!("/sys/fs/{system}/{name}")))?;
    Some(file_systems::by_name(found.as_bytes()))
}

fn exists(path: fmt::Arguments) -> bool {
    // SAFETY: reads a C string.
    Path::of(path)
        .is_some_and(|path| unsafe { syscall!(libc::SYS_faccessat, libc::AT_FDCWD, path.as_ptr(), libc::F_OK) }.is_ok())
}
