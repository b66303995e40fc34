//! What a socket's options say of how long a call may wait, and of what it does (socket(7)).

use core::ffi::c_int;
use core::mem::MaybeUninit;

use super::kernel::syscall;

/// Whether `option` (`SO_RCVTIMEO`, `SO_SNDTIMEO`) ends a call that waits.
#[must_use]
pub fn has_timeout(socket: c_int, option: c_int) -> bool {
    option_of::<libc::timeval>(socket, option).is_some_and(|time| time.tv_sec != 0 || time.tv_usec != 0)
}

/// How many bytes have to be there before a read goes on (`SO_RCVLOWAT`).
#[must_use]
pub fn low_water_bytes(socket: c_int) -> c_int {
    option_of(socket, libc::SO_RCVLOWAT).unwrap_or(1)
}

/// Whether closing the socket may have to wait for its peer (`SO_LINGER`).
#[must_use]
pub fn lingers(socket: c_int) -> bool {
    option_of::<libc::linger>(socket, libc::SO_LINGER).is_none_or(|linger| linger.l_onoff != 0)
}

/// Whether each write ends a record (`SOCK_SEQPACKET`): `write` says so to the protocol (`sock_write_iter` of net/socket.c).
#[must_use]
pub fn keeps_records(socket: c_int) -> bool {
    option_of(socket, libc::SO_TYPE) == Some(libc::SOCK_SEQPACKET)
}

/// Whether its bytes have no records (`SOCK_STREAM`).
#[must_use]
pub fn is_stream(socket: c_int) -> bool {
    option_of(socket, libc::SO_TYPE) == Some(libc::SOCK_STREAM)
}

/// Whether it connects processes of one machine (`AF_UNIX`).
#[must_use]
pub fn is_local(socket: c_int) -> bool {
    option_of(socket, libc::SO_DOMAIN) == Some(libc::AF_UNIX)
}

/// The error that the socket has for the next call that asks for it (`SO_ERROR`), which is gone then; 0: none.
#[must_use]
pub fn take_error(socket: c_int) -> c_int {
    option_of(socket, libc::SO_ERROR).unwrap_or(0)
}

/// An option that is a number, or a structure of numbers. None: it is no socket.
fn option_of<T: Copy>(socket: c_int, option: c_int) -> Option<T> {
    let mut found = MaybeUninit::<T>::zeroed();
    let mut size = size_of::<T>() as libc::socklen_t;
    // SAFETY: fills at most as many bytes as there are; numbers of zero bytes are valid.
    unsafe {
        syscall!(libc::SYS_getsockopt, socket, libc::SOL_SOCKET, option, found.as_mut_ptr(), &raw mut size)
            .ok()
            .map(|_| found.assume_init())
    }
}
