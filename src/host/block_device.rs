//! What sysfs calls a block device.

use super::kernel::syscall;
use super::path::Path;

/// Of a link in sysfs; a longer one is left alone.
const LONGEST_TARGET: usize = 511;

/// Room for what such a link names.
pub type Target = [u8; LONGEST_TARGET + 1];

/// An empty one.
pub const NO_TARGET: Target = [0; LONGEST_TARGET + 1];

/// The name of the device with this number (`st_dev`): the last part of what its number is a link to. None: it is no block
/// device, or there is no sysfs. Async-signal-safe.
pub fn name(device: u64, target: &mut Target) -> Option<&str> {
    let (major, minor) = (libc::major(device), libc::minor(device));
    let path = Path::of(format_args!("/sys/dev/block/{major}:{minor}"))?;
    // SAFETY: reads a C string and writes into the buffer.
    let length =
        unsafe { syscall!(libc::SYS_readlinkat, libc::AT_FDCWD, path.as_ptr(), target.as_mut_ptr(), target.len()) }
            .ok()?;
    let target = target.get(..length).filter(|target| target.len() <= LONGEST_TARGET)?;
    core::str::from_utf8(target.rsplit(|&byte| byte == b'/').next()?).ok()
}
