//! A data file, directory or block device: what holds it, where its requests go and why, and what some reads take. Nothing is
//! written.

use std::fs::{File, OpenOptions};
use std::io::{Error, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::reads;
use super::report::{Finding, Reads};
use crate::file_systems::{Backing, by_name, is_device_in_memory};
use crate::host;
use crate::routes::{self, Row};

pub const IO_URING: &str = "io_uring";
const CALLER: &str = "the calling thread";
pub const THREADS: &str = "threads";
pub const SYSTEM: &str = "the system's own AIO";

/// What is said of files that io_uring would serve, where it is not used.
pub const THREADS_INSTEAD: &str = "As io_uring is not used here, threads take its place (the reason is above).";
/// What is said of all files where the library serves none.
pub const LEFT: &str = "left to the system's own AIO (the reason is above)";

/// What is said of it.
#[derive(Debug)]
pub struct Storage {
    pub findings: Vec<Finding>,
    pub reads: Vec<Reads>,
    /// In a sentence.
    pub summary: String,
}

/// What kind of file it is, as far as routes go by that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Regular,
    Block,
    Directory,
    Stream,
}

/// Looks at a file that exists. `library` is put under the process that reads it; `engine` is what it uses here.
pub fn look(file: &Path, library: Option<&Path>, engine: Option<&str>) -> Result<Storage, Error> {
    let status = file.metadata()?;
    let kind = match status.file_type() {
        kind if kind.is_dir() => Kind::Directory,
        kind if kind.is_block_device() => Kind::Block,
        kind if kind.is_file() => Kind::Regular,
        _ => Kind::Stream,
    };
    let number = if kind == Kind::Block { status.rdev() } else { status.dev() };
    let device = host::block_device(number);
    let file_system = host::file_system(file);
    let (backing, place) = match (kind, &file_system) {
        (Kind::Block, _) => (Backing::Local, "a block device".to_string()),
        (_, Some((name, place))) => (by_name(name.as_bytes()), place.clone()),
        (_, None) => (Backing::Remote, "on an unknown file system".into()),
    };
    let (row, lane) = route(kind, backing);
    let lane = lane_here(lane, engine);
    let mut findings = vec![placed(&place, device.as_deref(), number), way(row, lane)];
    let mut measured = Vec::new();
    match kind {
        Kind::Regular | Kind::Block => {
            if let Some(device) = device.filter(|name| is_device_in_memory(name)) {
                findings.push(Finding::good(
                    "immediate",
                    format!("{device} keeps everything in memory"),
                    "O_DIRECT requests are done in the calling thread, too, as long as that takes no time.",
                ));
            }
            match File::open(file) {
                Ok(open) => {
                    findings.extend(nowait(&open, backing));
                    let direct = direct(file);
                    findings.push(direct_io(&open, direct.as_ref()));
                    measured = tried(file, open, direct.is_ok(), library, backing, &mut findings);
                }
                Err(error) => {
                    findings.push(Finding::note("reads", "It may not be read: nothing was tried", text_of(&error)));
                }
            }
        }
        Kind::Directory => findings.push(Finding::note("reads", "Name a file in it to have reads tried", "")),
        Kind::Stream => {}
    }
    let summary = format!("Requests on {} {}.", file.display(), goes(lane));
    Ok(Storage { findings, reads: measured, summary })
}

/// The row of the library's own table, and who does what cannot be done in the calling thread.
fn route(kind: Kind, backing: Backing) -> (&'static Row, &'static str) {
    match (kind, backing) {
        (Kind::Stream, _) => (&routes::STREAMS, THREADS),
        (_, Backing::Memory) => (&routes::MEMORY, CALLER),
        (_, Backing::Local) => (&routes::LOCAL, IO_URING),
        (_, Backing::Remote) => (&routes::OTHERS, THREADS),
    }
}

/// Who does it where the library uses `engine`.
pub fn lane_here(lane: &'static str, engine: Option<&str>) -> &'static str {
    match engine {
        Some("system") => SYSTEM,
        Some("threads") if lane == IO_URING => THREADS,
        _ => lane,
    }
}

fn goes(lane: &str) -> String {
    match lane {
        SYSTEM => format!("are left to {SYSTEM}"),
        CALLER => format!("are done in {CALLER}"),
        lane => format!("go to {lane}, where they cannot be done at once"),
    }
}

fn placed(place: &str, device: Option<&str>, number: u64) -> Finding {
    let (major, minor) = (libc::major(number), libc::minor(number));
    let title = match device {
        Some(name) => format!("Device: {name} ({major}:{minor}), {place}"),
        // Containers hide the names.
        None if major != 0 => format!("Device: {major}:{minor}, {place}"),
        None => format!("Device: {place}, without a block device of its own"),
    };
    Finding::good("device", title, "")
}

fn way(row: &Row, lane: &str) -> Finding {
    if lane == SYSTEM {
        return Finding::note("route", format!("Reads and writes are {LEFT}"), "");
    }
    let [_, files, route, reason] = row;
    let mut detail = format!("Because it is on: {files}. There {reason}.");
    if lane == THREADS && route.ends_with(IO_URING) {
        detail.push(' ');
        detail.push_str(THREADS_INSTEAD);
    }
    let title = format!("Reads and writes go: {route}");
    if lane == THREADS { Finding::note("route", title, detail) } else { Finding::good("route", title, detail) }
}

/// Whether a read may be told not to wait.
fn nowait(file: &File, backing: Backing) -> Option<Finding> {
    let mut buffer = [0u8; 512];
    let vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: writes within the buffer.
    let got = unsafe { libc::preadv2(file.as_raw_fd(), &raw const vector, 1, 0, libc::RWF_NOWAIT) };
    let error = Error::last_os_error();
    if got >= 0 || error.raw_os_error() == Some(libc::EAGAIN) {
        let detail = "What is in memory already is finished in the calling thread.";
        return Some(Finding::good("nowait", "A read can say whether it would have to wait (RWF_NOWAIT)", detail));
    }
    (backing != Backing::Memory).then(|| {
        Finding::note(
            "nowait",
            format!("A read cannot say whether it would have to wait (RWF_NOWAIT: {})", text_of(&error)),
            "Reads through the page cache therefore go to worker threads, also of what is in memory already.",
        )
    })
}

fn text_of(error: &Error) -> String {
    host::error_text(error.raw_os_error().unwrap_or(0))
}

fn direct(file: &Path) -> Result<File, Error> {
    OpenOptions::new().read(true).custom_flags(libc::O_DIRECT).open(file)
}

/// `O_DIRECT` and what it must be aligned to, from Linux 6.1 on.
fn direct_io(file: &File, direct: Result<&File, &Error>) -> Finding {
    if let Err(error) = direct {
        return Finding::note("o_direct", format!("O_DIRECT cannot be used: {}", text_of(error)), "");
    }
    let mut status = std::mem::MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: reads an empty path, fills the structure, of which zeros are a value as well.
    let status = unsafe {
        libc::statx(file.as_raw_fd(), c"".as_ptr(), libc::AT_EMPTY_PATH, libc::STATX_DIOALIGN, status.as_mut_ptr());
        status.assume_init()
    };
    let (memory, offset) = (status.stx_dio_mem_align, status.stx_dio_offset_align);
    if status.stx_mask & libc::STATX_DIOALIGN == 0 {
        let detail = "This kernel or file system does not tell how requests must be aligned.";
        return Finding::good("o_direct", "O_DIRECT can be used", detail);
    }
    if offset == 0 {
        return Finding::note("o_direct", "O_DIRECT can be asked for, and is not done on this file", "");
    }
    let title = format!("O_DIRECT can be used, aligned to {offset} bytes in the file and {memory} in memory");
    Finding::good("o_direct", title, "Other requests end with EINVAL, on uringaio as without it.")
}

/// Some reads on the library.
fn tried(
    file: &Path,
    mut open: File,
    has_direct: bool,
    library: Option<&Path>,
    backing: Backing,
    findings: &mut Vec<Finding>,
) -> Vec<Reads> {
    let bytes = open.seek(SeekFrom::End(0)).unwrap_or(0);
    if bytes < crate::load::BLOCK as u64 {
        let title = format!("No read was tried: it is shorter than {} bytes", crate::load::BLOCK);
        findings.push(Finding::note("reads", title, ""));
        return Vec::new();
    }
    let Some(library) = library else { return Vec::new() };
    let absolute: PathBuf = std::path::absolute(file).unwrap_or_else(|_| file.into());
    let mut measured = Vec::new();
    for (libaio, direct) in [(false, false), (false, true), (true, false), (true, true)] {
        if direct && !has_direct {
            continue;
        }
        match reads::take(&absolute, library, libaio, direct, backing == Backing::Local) {
            Ok(taken) => {
                findings.push(Finding::good("reads", taken.in_words(), ""));
                measured.push(taken);
            }
            Err(why) => {
                findings.push(Finding::bad("reads", format!("Reads were tried and failed: {why}"), ""));
                break;
            }
        }
    }
    measured
}

#[cfg(test)]
mod tests {
    use super::{CALLER, IO_URING, Kind, SYSTEM, THREADS, lane_here, route};
    use crate::file_systems::{Backing, by_name};

    #[test]
    fn routes_are_those_of_the_librarys_table() {
        let lane = |kind, name: &str| route(kind, by_name(name.as_bytes())).1;
        assert_eq!(lane(Kind::Regular, "ext4"), IO_URING);
        assert_eq!(lane(Kind::Regular, "fuse.sshfs"), THREADS);
        assert_eq!(lane(Kind::Regular, "tmpfs"), CALLER);
        assert_eq!(lane(Kind::Stream, "ext4"), THREADS);
        assert_eq!(route(Kind::Block, Backing::Local).1, "io_uring");
    }

    #[test]
    fn another_engine_takes_the_place_of_io_uring() {
        assert_eq!(lane_here(IO_URING, Some("io_uring")), IO_URING);
        assert_eq!(lane_here(IO_URING, None), IO_URING);
        assert_eq!(lane_here(IO_URING, Some("threads")), THREADS);
        assert_eq!(lane_here(CALLER, Some("threads")), CALLER);
        assert_eq!(lane_here(CALLER, Some("system")), SYSTEM);
    }
}
