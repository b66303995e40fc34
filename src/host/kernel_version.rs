//! The running kernel's release, for the few faults that cannot be found out by trying.

use core::sync::atomic::{AtomicU64, Ordering};

use super::kernel::syscall;

/// Version, patch level, sublevel; zeros if it is not told. Asked for once. Async-signal-safe.
#[must_use]
pub fn number() -> [u32; 3] {
    static KNOWN: AtomicU64 = AtomicU64::new(0);
    const ASKED: u64 = 1 << 63;
    // Relaxed here and below: the word says all.
    let mut known = KNOWN.load(Ordering::Relaxed);
    if known == 0 {
        known = ask().iter().fold(0, |word, &number| word << 16 | u64::from(number.min(0xffff))) | ASKED;
        KNOWN.store(known, Ordering::Relaxed);
    }
    [(known >> 32 & 0xffff) as u32, (known >> 16 & 0xffff) as u32, (known & 0xffff) as u32]
}

fn ask() -> [u32; 3] {
    // SAFETY: the kernel fills the structure, which is made of bytes.
    let mut names: libc::utsname = unsafe { core::mem::zeroed() };
    let mut numbers = [0u32; 3];
    // SAFETY: as above.
    if unsafe { syscall!(libc::SYS_uname, &raw mut names) }.is_err() {
        return numbers;
    }
    let mut at = 0;
    for &letter in &names.release {
        match letter as u8 {
            digit @ b'0'..=b'9' => numbers[at] = numbers[at].saturating_mul(10).saturating_add(u32::from(digit - b'0')),
            b'.' if at < 2 => at += 1,
            _ => break,
        }
    }
    numbers
}

/// Whether a read with `RWF_NOWAIT` may find nothing where there is something: on 5.9 and 5.10 (preadv2(2), BUGS).
#[must_use]
pub fn nothing_may_be_wrong() -> bool {
    ([5, 9, 0]..[5, 11, 0]).contains(&number())
}
