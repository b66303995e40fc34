//! Whether the program's memory can be read or written, asked before it is touched: a wild pointer is `EFAULT`, as from a
//! system call, and not a crash.
//!
//! The kernel is asked once for each page, by a futex call that reads or writes one word without changing it; a page seen
//! good is remembered until the program is seen to unmap or protect it. (A page that the C library itself gives back
//! meanwhile is taken for good still; a program that passes such a pointer has freed the memory.)

use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use once_cell::race::OnceNonZeroUsize;

use super::address_range::AddressRange;
use crate::host::kernel::{Errno, syscall};

const PAGE_BYTES: usize = 4096;

/// Pages remembered, by the low bits of their number.
const REMEMBERED: usize = 1024;

/// A page seen good: its address, with [`WRITABLE`] if it could be written. An entry is a fact by itself, so all accesses
/// are relaxed.
static GOOD: [AtomicUsize; REMEMBERED] = [const { AtomicUsize::new(0) }; REMEMBERED];

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

/// Whether the addresses are at all the program's, mapped or not: what the kernel asks before it takes a buffer.
///
/// # Errors
/// `EFAULT`
pub fn in_user_space(address: usize, length: usize) -> Result<(), Errno> {
    match address.checked_add(length) {
        Some(end) if end <= user_space_end() => Ok(()),
        _ => Err(Errno(libc::EFAULT)),
    }
}

/// The end of the addresses that a program can have: `TASK_SIZE_MAX` of arch/x86/include/asm/page_64_types.h.
#[cfg(target_arch = "x86_64")]
fn user_space_end() -> usize {
    // Threads that ask at once both ask the processor.
    static KNOWN: OnceNonZeroUsize = OnceNonZeroUsize::new();
    let ask = || {
        // Five levels of page tables, as the kernel uses them where the processor has them.
        let bits = if core::arch::x86_64::__cpuid_count(7, 0).ecx & (1 << 16) == 0 { 47 } else { 56 };
        NonZeroUsize::new((1usize << bits) - PAGE_BYTES).unwrap_or(NonZeroUsize::MAX)
    };
    KNOWN.get_or_init(ask).get()
}

/// The upper half of the addresses is the kernel's.
#[cfg(not(target_arch = "x86_64"))]
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
        let entry = &GOOD[page / PAGE_BYTES % REMEMBERED];
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

/// A value that a word of the program's has rarely.
const RARE: u32 = 0xac7;

/// Asks the kernel about the page at `page`.
#[cold]
fn ask(page: usize, wanted: usize) -> Result<(), Errno> {
    static NOBODY_SLEEPS_HERE: AtomicU32 = AtomicU32::new(0);
    in_user_space(page, PAGE_BYTES)?;
    // SAFETY: futex calls tell of bad addresses with EFAULT. The first ors 0 into the word and wakes who sleeps on another
    // that nobody knows (and on this one if it holds -1337, which is RARE in twelve bits; waiters on a futex bear a wake too many). The second
    // compares the word and moves no sleeper.
    let answer = unsafe {
        if wanted == WRITABLE {
            // Operation OR in the highest four bits, comparison EQUAL in the next, then two operands of twelve bits.
            const OR_0_IF_EQUAL: u32 = 0x2000_0000 | RARE;
            let operation = libc::FUTEX_WAKE_OP | libc::FUTEX_PRIVATE_FLAG;
            syscall!(libc::SYS_futex, NOBODY_SLEEPS_HERE.as_ptr(), operation, 0, 0, page, OR_0_IF_EQUAL)
        } else {
            let operation = libc::FUTEX_CMP_REQUEUE | libc::FUTEX_PRIVATE_FLAG;
            syscall!(libc::SYS_futex, page, operation, 0, 0, NOBODY_SLEEPS_HERE.as_ptr(), 0)
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
    if pages >= REMEMBERED {
        for entry in &GOOD {
            entry.store(0, Ordering::Relaxed);
        }
        return;
    }
    for page in (0..pages).map(|number| first.wrapping_add(number * PAGE_BYTES)) {
        let entry = &GOOD[page / PAGE_BYTES % REMEMBERED];
        if entry.load(Ordering::Relaxed) & !(PAGE_BYTES - 1) == page {
            entry.store(0, Ordering::Relaxed);
        }
    }
}
