//! What becomes of requests on the file system of a directory: tried on a file without a name.

use std::fs::{File, OpenOptions};
use std::io::{Error, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::report::Finding;
use super::storage::{self, IO_URING};
use crate::file_systems::{Backing, by_name};
use crate::host;

/// `engine` is what the library uses here.
pub fn findings(directory: &Path, engine: Option<&str>) -> Vec<Finding> {
    if !directory.is_dir() {
        return vec![Finding::bad("file_system", format!("There is no directory {}", directory.display()), "")];
    }
    let (kind, place) = host::file_system(directory).unwrap_or_else(|| ("unknown".into(), "unknown".into()));
    let backing = by_name(kind.as_bytes());
    let mut findings = vec![way(backing, &place, engine)];
    match temporary(directory) {
        Ok((file, direct)) => {
            if !reads_without_waiting(&file) && backing != Backing::Memory {
                findings.push(Finding::note(
                    "nowait",
                    "This file system cannot say whether a read would have to wait (RWF_NOWAIT)",
                    "Reads of data that is in memory already are therefore not finished in the calling thread.",
                ));
            }
            findings.push(if direct {
                Finding::good("o_direct", "O_DIRECT can be used", "")
            } else {
                Finding::note("o_direct", "This file system has no O_DIRECT", "")
            });
        }
        Err(error) => findings.push(Finding::note(
            "o_direct",
            "Nothing more was tried: no file can be made there",
            format!(
                "{}. Name another directory with --directory.",
                host::error_text(error.raw_os_error().unwrap_or(0))
            ),
        )),
    }
    findings
}

fn way(backing: Backing, place: &str, engine: Option<&str>) -> Finding {
    let lane = storage::lane_here(IO_URING, engine);
    match backing {
        _ if lane == storage::SYSTEM => Finding::note("file_system", format!("{place}: {}", storage::LEFT), ""),
        Backing::Memory => Finding::good(
            "file_system",
            format!("{place}: in memory"),
            "Requests are finished at once in the calling thread.",
        ),
        Backing::Local if lane == storage::THREADS => {
            Finding::note("file_system", format!("{place}: by threads"), storage::THREADS_INSTEAD)
        }
        Backing::Local => Finding::good(
            "file_system",
            format!("{place}: by io_uring"),
            "What is in memory already is finished at once in the calling thread, the rest by io_uring; libaio's O_DIRECT requests \
             by the kernel's own AIO.",
        ),
        Backing::Remote => Finding::note(
            "file_system",
            format!("{place}: by threads"),
            "io_uring is used on file systems such as ext4, XFS and btrfs and on block devices. Requests on others, and on files \
             that another program or machine serves (FUSE, NFS, SMB), are carried out by plain system calls, many at a time, in \
             threads of the library.",
        ),
    }
}

/// A file without a name, and whether one may be opened with `O_DIRECT`.
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
