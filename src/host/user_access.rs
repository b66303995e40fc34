//! Whether the program's memory can be read or written, checked before it is touched: a wild pointer is `EFAULT`, as from a
//! system call, and not a crash.
//!
//! The kernel is asked once for each page, by a futex call that reads or writes one word without changing it. A page that is
//! good is remembered until the program unmaps or protects it. (A page that the C library itself unmaps meanwhile still
//! counts as good; a program that passes such a pointer has freed the memory.)

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::address_range::{AddressRange, PAGE_BYTES};
use super::kernel::{Errno, syscall};

/// Pages that are remembered, by the low bits of their number.
const REMEMBERED_PAGES: usize = 1024;

/// A good page: its address, and [`READABLE`] or [`WRITABLE`] in the low bits. Relaxed throughout: an entry says all that
/// there is to know.
static GOOD: [AtomicUsize; REMEMBERED_PAGES] = [const { AtomicUsize::new(0) }; REMEMBERED_PAGES];

const READABLE: usize = 1;
const WRITABLE: usize = 3;

/// Whether `length` bytes at `address` can be read.
///
/// # Errors
/// `EFAULT`
#[inline]
pub fn readable(address: usize, length: usize) -> Result<(), Errno> {
    check(address, length, READABLE)
}

/// Whether `length` bytes at `address` can be read and written.
///
/// # Errors
/// `EFAULT`
#[inline]
pub fn writable(address: usize, length: usize) -> Result<(), Errno> {
    check(address, length, WRITABLE)
}

/// Whether these bytes lie on one page, so that they can be read if one of them can.
#[inline]
pub const fn lie_on_one_page(address: usize, length: usize) -> bool {
    address % PAGE_BYTES + length <= PAGE_BYTES
}

/// Whether the addresses are a program's at all, mapped or not: what the kernel checks before it takes a buffer.
///
/// # Errors
/// `EFAULT`
pub fn in_user_space(address: usize, length: usize) -> Result<(), Errno> {
    match address.checked_add(length) {
        Some(end) if end <= user_space_end() => Ok(()),
        _ => Err(Errno(libc::EFAULT)),
    }
}

/// The end of the addresses that a program can have: `TASK_SIZE_MAX` of arch/x86/include/asm/page_64_types.h, or the sign,
/// which is all that `access_ok` looks at from Linux 6.4 to 6.11. The kernel is asked, for a processor may have five levels
/// of page tables and the kernel use four.
#[cfg(all(target_arch = "x86_64", not(miri)))]
fn user_space_end() -> usize {
    use core::num::NonZeroUsize;

    use once_cell::race::OnceNonZeroUsize;

    // Threads that ask at once both ask the kernel.
    static KNOWN: OnceNonZeroUsize = OnceNonZeroUsize::new();
    let ask = || {
        let refused = [47, 56].into_iter().map(|bits| 1usize << bits).find(|&end| is_refused(end));
        NonZeroUsize::new(refused.map_or(isize::MAX as usize, |end| end - PAGE_BYTES)).unwrap_or(NonZeroUsize::MAX)
    };
    KNOWN.get_or_init(ask).get()
}

/// Whether the kernel takes the address for none of a program's, mapped or not.
#[cfg(all(target_arch = "x86_64", not(miri)))]
fn is_refused(address: usize) -> bool {
    // SAFETY: the address is a key and is checked as such; the memory is not accessed. A sleeper on a word there may always
    // wake without a cause.
    let answer = unsafe { syscall!(libc::SYS_futex, address, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 0) };
    answer == Err(Errno(libc::EFAULT))
}

/// The upper half of the addresses is the kernel's.
#[cfg(any(not(target_arch = "x86_64"), miri))]
const fn user_space_end() -> usize {
    isize::MAX as usize
}

#[inline]
fn check(address: usize, length: usize, wanted: usize) -> Result<(), Errno> {
    if length == 0 {
        return Ok(());
    }
    let Some(last) = address.checked_add(length - 1) else { return Err(Errno(libc::EFAULT)) };
    let mut page = address & !(PAGE_BYTES - 1);
    loop {
        let entry = &GOOD[page / PAGE_BYTES % REMEMBERED_PAGES];
        let known = entry.load(Ordering::Relaxed);
        if known & !(PAGE_BYTES - 1) != page || known & wanted != wanted {
            ask(page, wanted)?;
            entry.store(page | wanted, Ordering::Relaxed);
        }
        if last - page < PAGE_BYTES {
            return Ok(());
        }
        page += PAGE_BYTES;
    }
}

/// A value that a word of the program's rarely has.
const RARE: u32 = 0xac7;

/// Asks the kernel about the page at `page`.
#[cold]
fn ask(page: usize, wanted: usize) -> Result<(), Errno> {
    static UNUSED: AtomicU32 = AtomicU32::new(0);
    in_user_space(page, PAGE_BYTES)?;
    // SAFETY: futex calls answer EFAULT for bad addresses. The first ors 0 into the word and wakes sleepers on another word, on
    // which no thread sleeps (and on this one if it holds -1337, which is RARE in twelve bits; a futex may always wake without
    // a cause). The second compares the word and moves no sleeper.
    let answer = unsafe {
        if wanted == WRITABLE {
            // Operation OR in the highest four bits, comparison EQUAL in the next, then two operands of twelve bits.
            const OR_0_IF_EQUAL: u32 = 0x2000_0000 | RARE;
            let operation = libc::FUTEX_WAKE_OP | libc::FUTEX_PRIVATE_FLAG;
            syscall!(libc::SYS_futex, UNUSED.as_ptr(), operation, 0, 0, page, OR_0_IF_EQUAL)
        } else {
            let operation = libc::FUTEX_CMP_REQUEUE | libc::FUTEX_PRIVATE_FLAG;
            syscall!(libc::SYS_futex, page, operation, 0, 0, UNUSED.as_ptr(), 0)
        }
    };
    match answer {
        Err(Errno(libc::EFAULT)) => Err(Errno(libc::EFAULT)),
        _ => Ok(()),
    }
}

/// The program has unmapped, moved or protected this memory: what was learnt of it is forgotten.
pub fn forget(memory: AddressRange) {
    let first = memory.start() & !(PAGE_BYTES - 1);
    let pages = memory.length().div_ceil(PAGE_BYTES) + 1;
    if pages >= REMEMBERED_PAGES {
        for entry in &GOOD {
            entry.store(0, Ordering::Relaxed);
        }
        return;
    }
    for page in (0..pages).map(|number| first.wrapping_add(number * PAGE_BYTES)) {
        let entry = &GOOD[page / PAGE_BYTES % REMEMBERED_PAGES];
        if entry.load(Ordering::Relaxed) & !(PAGE_BYTES - 1) == page {
            entry.store(0, Ordering::Relaxed);
        }
    }
}
