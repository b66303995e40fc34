//! Whether Valgrind runs the process, asked by its client request `RUNNING_ON_VALGRIND` (valgrind.h).

/// A client request: its number, and five arguments.
type Request = [u64; 6];

/// Whether it does.
#[must_use]
pub fn is_present() -> bool {
    const RUNNING_ON_VALGRIND: u64 = 0x1001;
    answer_to(&[RUNNING_ON_VALGRIND, 0, 0, 0, 0, 0]) != 0
}

/// What Valgrind answers. Elsewhere the request's instructions change nothing, and the answer is 0.
#[cfg(all(target_arch = "x86_64", not(miri)))]
fn answer_to(request: &Request) -> u64 {
    let answer: u64;
    // SAFETY: turns a register by 128 bits in all, and exchanges another with itself. Valgrind knows the sequence, reads the
    // request, and answers in rdx.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") request, inlateout("rdx") 0u64 => answer, inlateout("rdi") 0u64 => _,
            options(nostack),
        );
    }
    answer
}

/// The same on aarch64.
#[cfg(all(target_arch = "aarch64", not(miri)))]
fn answer_to(request: &Request) -> u64 {
    let answer: u64;
    // SAFETY: as on x86-64; the answer is in x3.
    unsafe {
        core::arch::asm!(
            "ror x12, x12, #3",
            "ror x12, x12, #13",
            "ror x12, x12, #51",
            "ror x12, x12, #61",
            "orr x10, x10, x10",
            in("x4") request, inlateout("x3") 0u64 => answer, inlateout("x12") 0u64 => _,
            options(nostack),
        );
    }
    answer
}

/// Miri is no Valgrind.
#[cfg(miri)]
const fn answer_to(_: &Request) -> u64 {
    0
}
