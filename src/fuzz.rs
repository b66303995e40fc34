//! What is fed with random bytes: iocbs and their vectors, aiocbs, the environment. `make fuzz` looks for bytes that reach code
//! which the ones kept in `fuzz/` do not reach; the tests replay those.

mod target;

use core::ffi::CStr;

use crate::engine::MAX_RW_BYTES;
use crate::host::settings::{EngineChoice, Served, Settings, VARIABLES};
use crate::host::user_access;
use crate::libaio::iocb::Iocb;
#[cfg(not(feature = "libaio-abi"))]
use crate::posix::aiocb::{AiocbRef, ListEntry};
use crate::submission::vectors::VectorMemory;
use target::Target;

/// The targets.
pub const TARGETS: &[Target] = &[
    #[cfg(not(feature = "libaio-abi"))]
    ("aiocb", aiocb),
    ("environment", environment),
    ("iocb", iocb),
];

/// A structure of plain numbers that begins with these bytes, and then is 0.
///
/// # Safety
/// Every bit pattern is a value.
unsafe fn structure<T: Copy>(bytes: &[u8]) -> T {
    let mut value = core::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: no more is written than there is room for; any bytes are a value, by the caller's promise.
    unsafe {
        value.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len().min(size_of::<T>()));
        value.assume_init()
    }
}

/// An iocb; behind it the array of vectors that it points to.
fn iocb(bytes: &[u8]) {
    // SAFETY: integers.
    let mut iocb: Iocb = unsafe { structure(bytes) };
    let array: Vec<libc::iovec> = bytes
        .get(size_of::<Iocb>()..)
        .unwrap_or_default()
        .chunks(size_of::<libc::iovec>())
        // SAFETY: integers and an address, which is not followed.
        .map(|bytes| unsafe { structure(bytes) })
        .collect();
    let _ = (iocb.kind(), iocb.check_poll(), iocb.io_priority());
    let length = (iocb.length as usize).min(MAX_RW_BYTES);
    if iocb.check_position(length).is_ok() {
        assert!(iocb.offset >= 0 && iocb.offset.checked_add(length as i64).is_some());
    }
    assert!(iocb.check().is_err() || (iocb.length.cast_signed() >= 0 && iocb.reserved2 == 0));
    // A count that is taken is of entries that are there.
    if iocb.length as u32 <= 1024 {
        iocb.length = iocb.length.min(array.len() as u64);
    }
    iocb.buffer = array.as_ptr().expose_provenance() as u64;
    let mut memory = VectorMemory::NONE;
    if let Ok(vectors) = iocb.copy_vectors(&mut memory) {
        let copied = vectors.as_slice();
        assert!(copied.len() == iocb.length as usize && copied.len() <= 1024);
        assert!(vectors.total <= MAX_RW_BYTES);
        assert_eq!(vectors.total, copied.iter().map(|vector| vector.iov_len).sum::<usize>());
        for (one, other) in copied.iter().zip(&array) {
            assert!(one.iov_base == other.iov_base && one.iov_len <= other.iov_len);
            assert!(user_access::in_user_space(one.iov_base as usize, one.iov_len).is_ok());
        }
    }
    memory.free();
}

/// An aiocb, as an entry of a list.
#[cfg(not(feature = "libaio-abi"))]
fn aiocb(bytes: &[u8]) {
    // SAFETY: integers and addresses, which are not followed.
    let mut aiocb: libc::aiocb = unsafe { structure(bytes) };
    let Some(this) = AiocbRef::at(&raw mut aiocb) else { unreachable!("an address") };
    let (opcode, priority) = (aiocb.aio_lio_opcode, aiocb.aio_reqprio);
    let entry = this.list_entry();
    assert_eq!(entry == ListEntry::Nop, opcode == libc::LIO_NOP);
    assert_eq!(this.has_valid_priority(), (0..=20).contains(&priority));
    if let ListEntry::Request(kind) = entry {
        let args = this.args(kind);
        assert!(args.fd == aiocb.aio_fildes && args.address == aiocb.aio_buf as usize);
        assert!(args.length == aiocb.aio_nbytes && args.offset == aiocb.aio_offset);
    }
    let silent = this.sigevent().is_silent();
    this.silence();
    assert!(this.sigevent().is_silent() && (silent || aiocb.aio_sigevent.sigev_notify == libc::SIGEV_NONE));
    this.begin();
    assert!(this.is_in_progress() && this.result() == 0);
    let result = aiocb.aio_offset.clamp(-4095, i64::MAX);
    this.finish(result);
    assert_eq!((this.error(), this.result()), if result < 0 { (-result as i32, -1) } else { (0, result) });
    assert_eq!((aiocb.aio_lio_opcode, aiocb.aio_reqprio), (opcode, priority));
}

/// Lines of the form NAME=VALUE.
fn environment(bytes: &[u8]) {
    let value = |name: &CStr| {
        bytes.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name.to_bytes())?.strip_prefix(b"="))
    };
    let settings = Settings::of(value);
    for (place, (name, _)) in VARIABLES.iter().enumerate() {
        let is_wrong = settings.wrong & (1 << place) != 0;
        assert!(!is_wrong || !value(name).unwrap_or_default().is_empty() || place == 1);
    }
    assert!(settings.wrong < 1 << VARIABLES.len());
    // What means nothing changes nothing.
    let kept = |place: u32, is_default: bool| assert!(settings.wrong & (1 << place) == 0 || is_default);
    kept(0, settings.engine == EngineChoice::Auto);
    kept(1, settings.served == Served::Both);
    kept(2, !settings.log);
    kept(3, !settings.raw);
    kept(4, settings.max_events.is_none());
    kept(5, settings.kernel_aio);
    kept(6, settings.inline);
    kept(7, !settings.stats);
}

/// Feeds a target, for the fuzzer. 1: there is no such target.
///
/// # Safety
/// `target` is a C string; there are `length` bytes at `bytes`.
#[cfg(fuzzing)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uringaio_fuzz(target: *const core::ffi::c_char, bytes: *const u8, length: usize) -> i32 {
    // SAFETY: the caller's promise; no bytes may be nowhere.
    let (target, bytes) = unsafe {
        let bytes = if length == 0 { &[] } else { core::slice::from_raw_parts(bytes, length) };
        (CStr::from_ptr(target).to_bytes(), bytes)
    };
    let Some((_, feed)) = TARGETS.iter().find(|(name, _)| name.as_bytes() == target) else { return 1 };
    feed(bytes);
    0
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_the_fuzzer_found_is_taken() {
        super::target::replay(super::TARGETS);
    }
}
