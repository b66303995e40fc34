//! What `uringaio bench` measures on: a file of its own, or one of the user's; and what is known of the machine.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::host;
use crate::load::BLOCK;

/// The file.
pub struct Target {
    /// How the loads open it. A file that was made here has no name, and is gone with this process, however that ends: it is
    /// opened by its descriptor.
    pub file: PathBuf,
    /// Whether it was made here, and may be written.
    pub own: bool,
    /// Whether it can be opened with `O_DIRECT`.
    pub direct: bool,
    pub bytes: u64,
    _open: File,
}

impl Target {
    /// Makes a file in a directory, or takes the one that is named.
    pub fn new(named: &Path, mebibytes: u64) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::wanting(format!("{}: {error}", named.display()));
        let kind = named.metadata().map_err(failed)?.file_type();
        let own = kind.is_dir();
        if !(own || kind.is_file() || kind.is_block_device()) {
            return Err(Failure::usage(format!("{} is neither a directory nor a file", named.display())));
        }
        let mut open = if own { make(named, mebibytes).map_err(failed)? } else { File::open(named).map_err(failed)? };
        let file =
            if own { format!("/proc/{}/fd/{}", std::process::id(), open.as_raw_fd()).into() } else { named.into() };
        let bytes = open.seek(SeekFrom::End(0)).map_err(failed)?;
        if bytes < BLOCK as u64 {
            return Err(Failure::wanting(format!("{} is shorter than one block of {BLOCK} bytes", named.display())));
        }
        let direct = OpenOptions::new().read(true).custom_flags(libc::O_DIRECT).open(&file).is_ok();
        Ok(Self { file, own, direct, bytes, _open: open })
    }
}

fn make(directory: &Path, mebibytes: u64) -> std::io::Result<File> {
    let name = directory.join(format!(".uringaio-bench-{}", std::process::id()));
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&name)?;
    fs::remove_file(&name)?;
    // Not zeros: some devices do not store those.
    let chunk: Vec<u8> = (0..1 << 20).map(|index: u32| (index.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    for _ in 0..mebibytes {
        file.write_all(&chunk)?;
    }
    file.sync_all()?;
    Ok(file)
}

/// The processors.
pub fn processors() -> String {
    let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find_map(|line| Some(line.strip_prefix("model name")?.split_once(": ")?.1.to_string()));
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{count} processors, {}", model.unwrap_or_else(|| std::env::consts::ARCH.into()))
}

/// The type of the file system that holds `target`, and the device.
pub fn file_system(target: &Path) -> Option<String> {
    let target = target.canonicalize().ok()?;
    if target.metadata().ok()?.file_type().is_block_device() {
        return Some(format!("none, the device {}", target.display()));
    }
    host::file_system(&target).map(|(_, place)| place)
}

/// The day and the hour, as `2026-02-27 14:05 UTC`.
pub fn now() -> String {
    let seconds = host::seconds();
    let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: fills the structure, of which zeros are a value as well.
    let parts = unsafe {
        libc::gmtime_r(&raw const seconds, parts.as_mut_ptr());
        parts.assume_init()
    };
    format!(
        "{}-{:02}-{:02} {:02}:{:02} UTC",
        parts.tm_year + 1900,
        parts.tm_mon + 1,
        parts.tm_mday,
        parts.tm_hour,
        parts.tm_min
    )
}
