//! The exported functions: check, convert, call.
//!
//! They have no symbol version, so that they replace every version of glibc's. Only `lio_listio` has versions, because its
//! behaviour differs by version. All are thread-safe. An error that a function returns is found synchronously, and nothing is
//! queued; `aio_error` returns all other errors of a request.

use core::ffi::{c_int, c_void};
use core::iter;
use core::time::Duration;

use super::aiocb::{AiocbRef, ListEntry};
use super::sigevent::{SIGEV_EVENTFD, SigEvent};
use super::{cancel, cancellation, completed, glibc_aio, list, submit, suspend};
use crate::c_boundary::value_or_errno;
use crate::engine::Kind;
use crate::host::file_info;
use crate::host::futex::Deadline;
use crate::host::kernel::Errno;

/// A function under its name and the one that ends in 64: on 64-bit machines the structures are the same.
macro_rules! both_names {
    ($(#[$documentation:meta])* pub unsafe extern "C" fn $name:ident, $name64:ident $arguments:tt -> $result:ty $body:block) => {
        both_names!(@ $(#[$documentation])* $name $arguments $result $body);
        both_names!(@ $(#[$documentation])* $name64 $arguments $result $body);
    };
    (@ $(#[$documentation:meta])* $name:ident ($($argument:ident: $type:ty),* $(,)?) $result:ty $body:block) => {
        $(#[$documentation])*
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> $result $body
    };
}

both_names! {
    /// `aio_read(3)`: reads `aio_nbytes` at `aio_offset` of `aio_fildes` into `aio_buf`, asynchronously. Returns 0.
    ///
    /// # Errors
    /// -1 with `EINVAL`: `aio_reqprio` is not in 0..=20 (glibc's range; the aiocb then says so too), or a null pointer.
    /// `EAGAIN`: memory or threads are out. By `aio_error`: `EBADF`, `EINVAL` for a negative offset, and whatever `pread` says.
    ///
    /// # Safety
    /// The aiocb, and the buffer, stay valid until the request has ended (POSIX.1-2024, aio_read).
    pub unsafe extern "C" fn aio_read, aio_read64(aiocbp: *mut libc::aiocb) -> c_int {
        transfer(aiocbp, Kind::Read, glibc_aio::read)
    }
}

both_names! {
    /// `aio_write(3)`: writes, as [`aio_read`] reads. With `O_APPEND`, and to what has no positions, in the order of the calls.
    ///
    /// # Errors
    /// As for [`aio_read`].
    ///
    /// # Safety
    /// As for [`aio_read`].
    pub unsafe extern "C" fn aio_write, aio_write64(aiocbp: *mut libc::aiocb) -> c_int {
        transfer(aiocbp, Kind::Write, glibc_aio::write)
    }
}

/// The engines, or none where the C library's own AIO serves. Where neither is decided because memory or threads are out,
/// the call fails, and so do the requests of `aiocbs`: one implementation cannot wait for a request of the other. It fails with
/// `ENOSYS` where the C library would send no notification and the program wait for it in vain: `of_list`, or one of theirs.
macro_rules! engines_or_return {
    ($aiocbs:expr, $of_list:expr) => {
        match glibc_aio::engines() {
            Ok(None)
                if iter::once($of_list)
                    .chain($aiocbs.map(AiocbRef::sigevent))
                    .any(|sigevent: SigEvent| sigevent.how == SIGEV_EVENTFD) =>
            {
                return value_or_errno(Err(Errno(libc::ENOSYS)));
            }
            Ok(engines) => engines,
            Err(errno) => {
                $aiocbs.for_each(|aiocb: AiocbRef| aiocb.finish(errno.negated()));
                return value_or_errno(Err(errno));
            }
        }
    };
}

#[inline]
pub(super) fn transfer(aiocbp: *mut libc::aiocb, kind: Kind, glibc: fn(*mut libc::aiocb) -> c_int) -> c_int {
    let Some(aiocb) = AiocbRef::at(aiocbp) else { return value_or_errno(Err(Errno(libc::EINVAL))) };
    let Some(engines) = engines_or_return!(iter::once(aiocb), SigEvent::NONE) else { return glibc(aiocbp) };
    value_or_errno(if aiocb.has_valid_priority() {
        submit::submit(engines, aiocb, kind).map(|()| 0)
    } else {
        aiocb.finish(Errno(libc::EINVAL).negated());
        Err(Errno(libc::EINVAL))
    })
}

both_names! {
    /// `aio_fsync(3)`: makes durable what was queued on the file before, as `fsync` (`O_SYNC`) or `fdatasync` (`O_DSYNC`) does.
    /// Requests that are queued later need not wait for it. Returns 0.
    ///
    /// # Errors
    /// -1 with `EINVAL`: another `operation`, or a null pointer; `EBADF`: `aio_fildes` is not open; `EAGAIN`: memory or threads
    /// are out. By `aio_error`: `EINVAL` for what cannot be synchronised (pipes, sockets), `EIO` and whatever `fsync` says.
    ///
    /// # Safety
    /// As for [`aio_read`].
    pub unsafe extern "C" fn aio_fsync, aio_fsync64(operation: c_int, aiocbp: *mut libc::aiocb) -> c_int {
        let kind = match operation {
            libc::O_SYNC => Kind::Sync,
            libc::O_DSYNC => Kind::DataSync,
            _ => return value_or_errno(Err(Errno(libc::EINVAL))),
        };
        let Some(aiocb) = AiocbRef::at(aiocbp) else { return value_or_errno(Err(Errno(libc::EINVAL))) };
        let Some(engines) = engines_or_return!(iter::once(aiocb), SigEvent::NONE) else {
            return glibc_aio::fsync(operation, aiocbp);
        };
        value_or_errno(file_info::flags(aiocb.fd()).and_then(|_| submit::submit(engines, aiocb, kind).map(|()| 0)))
    }
}

both_names! {
    /// `aio_error(3)`: 0, `EINPROGRESS`, `ECANCELED`, or the error of the request. `EINVAL` for a null pointer.
    ///
    /// Async-signal-safe: one load.
    ///
    /// # Safety
    /// `aiocbp` points to an aiocb.
    pub unsafe extern "C" fn aio_error, aio_error64(aiocbp: *const libc::aiocb) -> c_int {
        AiocbRef::at(aiocbp).map_or(libc::EINVAL, AiocbRef::error)
    }
}

both_names! {
    /// `aio_return(3)`: what `read`, `write` or `fsync` would have returned. May be called again. Nothing depends on it, but that
    /// `aio_waitcomplete` does not tell of the request any more.
    ///
    /// Async-signal-safe: one load, or some where `aio_waitcomplete` is used.
    ///
    /// # Errors
    /// -1 with `EINVAL`: a null pointer.
    ///
    /// # Safety
    /// As for [`aio_error`].
    pub unsafe extern "C" fn aio_return, aio_return64(aiocbp: *mut libc::aiocb) -> isize {
        match AiocbRef::at(aiocbp) {
            Some(aiocb) => {
                completed::take_back(aiocb);
                aiocb.result() as isize
            }
            None => value_or_errno(Err(Errno(libc::EINVAL))),
        }
    }
}

both_names! {
    /// `aio_suspend(3)`: waits until one of the requests has ended; null entries are ignored, and a list of nothing else is not
    /// waited for. Returns 0.
    ///
    /// Async-signal-safe: no lock, no memory. A cancellation point.
    ///
    /// # Errors
    /// -1 with `EAGAIN`: the time is over; `EINTR`: a signal handler ran (without a time limit: one without `SA_RESTART`, as
    /// with glibc); `EINVAL`: `nent` is negative, `tv_nsec` is not in 0..=999999999, or a null pointer.
    ///
    /// # Safety
    /// `list` has `nent` entries, each null or an aiocb; `timeout` is null or a time.
    pub unsafe extern "C" fn aio_suspend, aio_suspend64(
        list: *const *const libc::aiocb,
        nent: c_int,
        timeout: *const libc::timespec,
    ) -> c_int {
        cancellation::test_cancel();
        if glibc_aio::serves() {
            return glibc_aio::suspend(list, nent, timeout);
        }
        // SAFETY: the caller's promise.
        value_or_errno(unsafe { aiocbs(list, nent) }.and_then(|aiocbs| {
            // SAFETY: the caller's promise.
            let deadline = unsafe { deadline(timeout) }?;
            suspend::suspend(&aiocbs, deadline).map(|()| 0)
        }))
    }
}

/// The aiocbs of a list.
///
/// # Safety
/// `list` has `nent` entries that stay for as long as the iterator is used.
unsafe fn aiocbs<'a>(
    list: *const *const libc::aiocb,
    nent: c_int,
) -> Result<impl Iterator<Item = AiocbRef> + Clone + 'a, Errno> {
    let count = usize::try_from(nent).map_err(|_| Errno(libc::EINVAL))?;
    if list.is_null() && count > 0 {
        return Err(Errno(libc::EINVAL));
    }
    // SAFETY: the caller's promise; an empty list is not looked at.
    let entries = if count == 0 { &[] } else { unsafe { core::slice::from_raw_parts(list, count) } };
    Ok(entries.iter().filter_map(|&entry| AiocbRef::at(entry)))
}

/// The end of a time that begins now; none without a time. A negative time is over.
///
/// # Safety
/// `timeout` is null or points to a time.
pub(super) unsafe fn deadline(timeout: *const libc::timespec) -> Result<Option<Deadline>, Errno> {
    if timeout.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let timeout = unsafe { timeout.read() };
    let nanoseconds = u32::try_from(timeout.tv_nsec).ok().filter(|&nanoseconds| nanoseconds < 1_000_000_000);
    let nanoseconds = nanoseconds.ok_or(Errno(libc::EINVAL))?;
    Ok(Some(match u64::try_from(timeout.tv_sec) {
        Ok(seconds) => Deadline::after(Duration::new(seconds, nanoseconds)),
        Err(_) => Deadline::At(0),
    }))
}

both_names! {
    /// `aio_cancel(3)`: stops a request, or all on a descriptor. Returns `AIO_CANCELED`, `AIO_NOTCANCELED` or `AIO_ALLDONE`.
    /// Requests that were stopped end with `ECANCELED` and send their notifications; their buffers are not touched any more.
    /// A request on a stream that has moved bytes is not stopped.
    ///
    /// # Errors
    /// -1 with `EBADF`: `fildes` is not open; `EINVAL`: the request is on another descriptor (glibc).
    ///
    /// # Safety
    /// `aiocbp` is null or points to an aiocb.
    pub unsafe extern "C" fn aio_cancel, aio_cancel64(fildes: c_int, aiocbp: *mut libc::aiocb) -> c_int {
        if glibc_aio::serves() {
            return glibc_aio::cancel(fildes, aiocbp);
        }
        value_or_errno(cancel::cancel(fildes, AiocbRef::at(aiocbp)))
    }
}

/// `lio_listio(3)`: begins every request of a list by its `aio_lio_opcode` and, with `LIO_WAIT`, waits for all of them;
/// with `LIO_NOWAIT`, `sig` is notified when all have ended. Null entries and `LIO_NOP` are ignored. Each request sends its
/// own notification as well. Neither the list nor `sig` is needed after the call. Returns 0.
///
/// With `LIO_WAIT` a cancellation point.
///
/// # Errors
/// -1 with `EINVAL`: another `mode`, a negative `nent`, or a null list; with `EIO`: a request failed that was waited for, see
/// each request's status; with `EINTR`: a signal handler without `SA_RESTART` ran during the wait, and the requests go on;
/// with `EINVAL` or `EAGAIN` where some requests could not be begun (their aiocbs tell which): the others were.
///
/// # Safety
/// The list has `nent` entries, each null or an aiocb as [`aio_read`] wants it; `sig` is null or a sigevent.
unsafe extern "C" fn list_with_events(
    mode: c_int,
    list: *const *mut libc::aiocb,
    nent: c_int,
    sig: *mut libc::sigevent,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { run_list(mode, list, nent, sig, false) }
}

/// `lio_listio` as it was in the first version of glibc: the requests send no notifications of their own, and their aiocbs
/// are changed to say so.
///
/// # Safety
/// As for [`list_with_events`].
unsafe extern "C" fn list_without_events(
    mode: c_int,
    list: *const *mut libc::aiocb,
    nent: c_int,
    sig: *mut libc::sigevent,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { run_list(mode, list, nent, sig, true) }
}

pub(super) unsafe fn run_list(
    mode: c_int,
    list: *const *mut libc::aiocb,
    nent: c_int,
    sig: *mut libc::sigevent,
    is_oldest: bool,
) -> c_int {
    if !list::is_mode(mode) {
        return value_or_errno(Err(Errno(libc::EINVAL)));
    }
    let waits = mode == libc::LIO_WAIT;
    if waits {
        cancellation::test_cancel();
    }
    // SAFETY: the caller's promise.
    let aiocbs = match unsafe { aiocbs(list.cast(), nent) } {
        Ok(aiocbs) => aiocbs,
        Err(errno) => return value_or_errno(Err(errno)),
    };
    let requests = aiocbs.clone().filter(|aiocb| aiocb.list_entry() != ListEntry::Nop);
    // SAFETY: the caller's promise.
    let sigevent = unsafe { SigEvent::read(sig) };
    let Some(engines) = engines_or_return!(requests.clone(), sigevent) else {
        return glibc_aio::list(mode, list, nent, sig, is_oldest);
    };
    value_or_errno(list::run(engines, aiocbs, sigevent, waits, is_oldest).map(|()| 0))
}

crate::symbol_versions::default_version!("lio_listio", "GLIBC_2.34", list_with_events);
crate::symbol_versions::default_version!("lio_listio64", "GLIBC_2.34", list_with_events);

#[cfg(target_arch = "x86_64")]
mod historical {
    //! The versions that programs are bound to which were linked before glibc 2.34, and before 2.4.

    use super::{list_with_events, list_without_events};

    crate::symbol_versions::old_version!("lio_listio", "GLIBC_2.4", list_with_events);
    crate::symbol_versions::old_version!("lio_listio64", "GLIBC_2.4", list_with_events);
    crate::symbol_versions::old_version!("lio_listio", "GLIBC_2.2.5", list_without_events);
    crate::symbol_versions::old_version!("lio_listio64", "GLIBC_2.2.5", list_without_events);
}

#[cfg(not(target_arch = "x86_64"))]
mod historical {
    //! The version that programs are bound to which were linked before glibc 2.34.

    use super::{list_with_events, list_without_events};

    crate::symbol_versions::old_version!("lio_listio", "GLIBC_2.17", list_with_events);
    crate::symbol_versions::old_version!("lio_listio64", "GLIBC_2.17", list_with_events);
    const _: *const () = list_without_events as *const ();
}

/// `aio_init(3)`: hints for an implementation with threads. There is nothing here that they could tune; they are passed on
/// to the C library, which may have to serve.
///
/// # Safety
/// `init` points to a `struct aioinit`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aio_init(init: *const c_void) {
    if !init.is_null() {
        glibc_aio::init(init);
    }
}

// The signatures are the libc crate's.
const _: [unsafe extern "C" fn(*mut libc::aiocb) -> c_int; 6] =
    [libc::aio_read, libc::aio_write, aio_read, aio_read64, aio_write, aio_write64];
const _: [unsafe extern "C" fn(c_int, *mut libc::aiocb) -> c_int; 6] =
    [libc::aio_fsync, libc::aio_cancel, aio_fsync, aio_fsync64, aio_cancel, aio_cancel64];
const _: [unsafe extern "C" fn(*const libc::aiocb) -> c_int; 3] = [libc::aio_error, aio_error, aio_error64];
const _: [unsafe extern "C" fn(*mut libc::aiocb) -> isize; 3] = [libc::aio_return, aio_return, aio_return64];
const _: [unsafe extern "C" fn(*const *const libc::aiocb, c_int, *const libc::timespec) -> c_int; 3] =
    [libc::aio_suspend, aio_suspend, aio_suspend64];
const _: [unsafe extern "C" fn(c_int, *const *mut libc::aiocb, c_int, *mut libc::sigevent) -> c_int; 3] =
    [libc::lio_listio, list_with_events, list_without_events];
