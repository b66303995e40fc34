//! What a completion of io_uring's means for the program.
//!
//! io_uring puts answers into completions that no `pread`, `pwrite` or `fsync` would give: of its own attempt not to
//! wait, of its workers, of a filter on its operations. None of them is the program's business: the operation is done
//! again.
//!
//! | result | where it comes from | the program is told |
//! |---|---|---|
//! | 0 and more | the file | the count |
//! | `-EAGAIN` of a read for which `RWF_NOWAIT` was asked | the file | `-EAGAIN` |
//! | `-EAGAIN` of such a write | the file, or io_uring in place of its `-EOPNOTSUPP` | what a worker says |
//! | `-EAGAIN`, or too few bytes, of a write through the page cache of a regular file | io_uring is asked not to wait for it | what a worker says |
//! | `-EAGAIN` otherwise | an attempt not to wait that could not be repeated | what one attempt that may wait says, then a worker |
//! | `-ECANCELED`, and it was asked for | `io_cancel`, `aio_cancel` | `-ECANCELED` |
//! | `-EINTR`, and it was to be stopped | the same, in a worker of the kernel's | `-ECANCELED` |
//! | `-ECANCELED`, `-EINTR` otherwise | no worker of the kernel's could be made (RLIMIT_NPROC, pids.max), or it ended | what a worker says |
//! | `-512` to `-516` (`ERESTARTSYS` and its kin) | a signal to a worker of the kernel's, Linux 6.7 to 7.1 | what a worker says |
//! | `-EACCES`, `-EPERM`, `-EOPNOTSUPP` | a restriction on the operation (Linux 7.0), or the file | what a worker says |
//! | `-ENOMEM` | io_uring's own memory, or the file system's | what a worker says |
//! | any other error, `-EIO` above all | the file | the error, once |
//!
//! "A worker" is a thread of the library's that makes the plain system call ([`crate::engine::redo`]). docs/lanes.md has the
//! same table; the C programs results/completions-falsified-* prove it.

use crate::engine::device::Verdict;
use crate::engine::operation::{CANCELED, History, Operation};
use crate::host::kernel::Errno;

/// The kernel's own restart codes, `ERESTARTSYS` to `ERESTART_RESTARTBLOCK` (include/linux/errno.h), never meant to be
/// seen.
const RESTART_CODES: core::ops::RangeInclusive<i64> = -516..=-512;

const fn is(result: i64, errno: i32) -> bool {
    result == Errno(errno).negated()
}

/// See the table.
pub fn judge(operation: &Operation, result: i64) -> Verdict {
    let stopped = operation.stop_error != 0 && (is(result, libc::ECANCELED) || is(result, libc::EINTR));
    if stopped {
        return Verdict::Finish(CANCELED);
    }
    if operation.tries_without_waiting() {
        let is_short = usize::try_from(result).is_ok_and(|count| count < operation.bytes());
        if is_short || is(result, libc::EAGAIN) {
            return Verdict::RetryByWorker;
        }
    }
    if is(result, libc::EAGAIN) {
        return match (operation.rw_flags & libc::RWF_NOWAIT, operation.history < History::Retried) {
            (0, true) => Verdict::RetryBlocking,
            (0, _) => Verdict::RetryByWorker,
            _ if operation.kind.writes() => Verdict::RetryByWorker,
            _ => Verdict::Finish(result),
        };
    }
    let not_the_files = [libc::ECANCELED, libc::EINTR, libc::EACCES, libc::EPERM, libc::EOPNOTSUPP, libc::ENOMEM];
    if RESTART_CODES.contains(&result) || not_the_files.iter().any(|&errno| is(result, errno)) {
        return Verdict::RetryByWorker;
    }
    Verdict::Finish(result)
}

#[cfg(test)]
mod tests {
    use super::{Verdict, judge};
    use crate::engine::operation::{History, Kind, Operation};
    use crate::engine::wake_batch::WakeBatch;
    use core::ptr::NonNull;

    unsafe fn nothing(_: NonNull<Operation>, _: i64, _: &mut WakeBatch) {}

    fn operation(kind: Kind) -> Operation {
        Operation::new(kind, 3, nothing)
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri takes minutes to compare a page")]
    fn the_documentation_has_the_same_table() {
        let page = include_str!("../../../docs/lanes.md");
        for row in include_str!("results.rs").lines().filter_map(|line| line.strip_prefix("//! ")) {
            assert!(!row.starts_with('|') || page.contains(row), "docs/lanes.md lacks the row\n{row}");
        }
    }

    #[test]
    fn what_the_file_says_is_told() {
        for kind in [Kind::Read, Kind::Write, Kind::ReadVector, Kind::WriteVector, Kind::Sync, Kind::DataSync] {
            for result in [0, 1, 4096, 0x7fff_f000] {
                assert_eq!(judge(&operation(kind), result), Verdict::Finish(result));
            }
            for errno in [libc::EIO, libc::EINVAL, libc::EFAULT, libc::ENOSPC, libc::EBADF, libc::EFBIG, libc::EDQUOT] {
                let result = -i64::from(errno);
                assert_eq!(judge(&operation(kind), result), Verdict::Finish(result), "{kind:?} {errno}");
            }
        }
    }

    #[test]
    fn what_io_uring_says_for_itself_is_not() {
        for kind in [Kind::Read, Kind::Write, Kind::ReadVector, Kind::WriteVector, Kind::Sync, Kind::DataSync] {
            for result in (512..=516).chain([125, 4, 13, 1, 95, 12]) {
                assert_eq!(judge(&operation(kind), -result), Verdict::RetryByWorker, "{kind:?} {result}");
            }
            let mut again = operation(kind);
            assert_eq!(judge(&again, -11), Verdict::RetryBlocking);
            again.history = History::Retried;
            assert_eq!(judge(&again, -11), Verdict::RetryByWorker);
            again.rw_flags = libc::RWF_NOWAIT;
            let told = if kind.writes() { Verdict::RetryByWorker } else { Verdict::Finish(-11) };
            assert_eq!(judge(&again, -11), told);
        }
    }

    #[test]
    fn a_write_that_was_only_tried_is_done_in_full() {
        let mut tried = operation(Kind::Write);
        tried.length = 4096;
        tried.try_without_waiting(true);
        for result in [-11, 0, 4095] {
            assert_eq!(judge(&tried, result), Verdict::RetryByWorker, "{result}");
        }
        for result in [4096, -5, -28] {
            assert_eq!(judge(&tried, result), Verdict::Finish(result));
        }
        // With O_DIRECT or on a block device, of a read, and as the program wants it.
        let mut others = [operation(Kind::Write), operation(Kind::Read), operation(Kind::Write)];
        others[2].rw_flags = libc::RWF_NOWAIT;
        for (other, is_cached) in others.iter_mut().zip([false, true, true]) {
            other.length = 4096;
            other.try_without_waiting(is_cached);
            assert_eq!(judge(other, 4095), Verdict::Finish(4095));
        }
    }

    #[test]
    fn a_cancellation_is_told_where_one_was_asked_for() {
        let mut stopped = operation(Kind::Read);
        stopped.stop_error = libc::ECANCELED as u8;
        assert_eq!(judge(&stopped, -125), Verdict::Finish(-125));
        assert_eq!(judge(&stopped, -4), Verdict::Finish(-125));
        assert_eq!(judge(&stopped, 4096), Verdict::Finish(4096));
    }
}
