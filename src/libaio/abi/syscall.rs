//! `syscall(2)`: the AIO calls, and the calls of [`crate::interpose`], by number. Every other number goes to the kernel
//! without another frame on the stack, so that `vfork` and `clone` work through it.

use core::ffi::{c_int, c_long};
use core::sync::atomic::{AtomicBool, Ordering};

use crate::c_boundary::value_or_errno;
use crate::host::address_range::AddressRange;
use crate::host::kernel::{self, Errno, check};
use crate::host::log::{self, Priority};
use crate::host::settings::{self, EngineChoice};
use crate::interpose::by_number;
use crate::libaio::calls::dispatch::{self, Caller, GetEvents};
use crate::libaio::calls::{io_setup, unmap};
use crate::libaio::{got_patch, kernel_aio};

/// Whether a call by this number comes to [`intercepted`].
const fn is_intercepted(number: c_long) -> bool {
    matches!(
        number,
        libc::SYS_io_setup
            | libc::SYS_io_destroy
            | libc::SYS_io_submit
            | libc::SYS_io_cancel
            | libc::SYS_io_getevents
            | kernel::SYS_IO_PGETEVENTS
            | libc::SYS_munmap
            | libc::SYS_mprotect
            | libc::SYS_mremap
    ) || by_number::is_noted(number)
}

/// A number from which on no call is intercepted.
const NUMBERS: usize = 512;

/// One bit for each number.
static INTERCEPTED: [u64; NUMBERS / 64] = {
    let mut bits = [0; NUMBERS / 64];
    let mut number = 0;
    while number < NUMBERS {
        bits[number / 64] |= (is_intercepted(number as c_long) as u64) << (number % 64);
        number += 1;
    }
    bits
};

/// `syscall(2)`.
///
/// # Safety
/// As the system call asked for.
#[cfg(target_arch = "x86_64")]
#[cfg_attr(interposes, unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn syscall(number: c_long) -> c_long {
    core::arch::naked_asm!(
        "cmp rdi, {numbers}",
        "jae 2f",
        "mov rax, rdi",
        "shr rax, 6",
        "lea r11, [rip + {bits}]",
        "mov rax, [r11 + 8 * rax]",
        "bt rax, rdi",
        "jc 4f",
        "2:",
        "mov rax, rdi",
        "mov rdi, rsi",
        "mov rsi, rdx",
        "mov rdx, rcx",
        "mov r10, r8",
        "mov r8, r9",
        "mov r9, [rsp + 8]",
        "syscall",
        "cmp rax, -4095",
        "jae 3f",
        "ret",
        "3:",
        "mov rdi, rax",
        "jmp {failed}",
        "4:",
        "jmp {intercepted}",
        numbers = const NUMBERS,
        bits = sym INTERCEPTED,
        intercepted = sym intercepted,
        failed = sym failed,
    )
}

/// `syscall(2)`.
///
/// # Safety
/// As the system call asked for.
#[cfg(target_arch = "aarch64")]
#[cfg_attr(interposes, unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn syscall(number: c_long) -> c_long {
    core::arch::naked_asm!(
        "cmp x0, {numbers}",
        "b.hs 2f",
        "adrp x9, {bits}",
        "add x9, x9, :lo12:{bits}",
        "lsr x10, x0, 6",
        "ldr x9, [x9, x10, lsl 3]",
        "lsr x9, x9, x0",
        "tbnz x9, 0, 4f",
        "2:",
        "mov x8, x0",
        "mov x0, x1",
        "mov x1, x2",
        "mov x2, x3",
        "mov x3, x4",
        "mov x4, x5",
        "mov x5, x6",
        "svc 0",
        "cmn x0, 4095",
        "b.cs {failed}",
        "ret",
        "4:",
        "b {intercepted}",
        numbers = const NUMBERS,
        bits = sym INTERCEPTED,
        intercepted = sym intercepted,
        failed = sym failed,
    )
}

/// Sets `errno` from the kernel's answer.
extern "C" fn failed(answer: isize) -> c_long {
    value_or_errno(Err(Errno(-answer as c_int)))
}

/// Says once, where lines are asked for, that a context made by number is not served, and how it would be.
fn name_the_setting() {
    static SAID: AtomicBool = AtomicBool::new(false);
    let settings = settings::get();
    let could_serve = settings.served.libaio() && settings.engine != EngineChoice::System;
    // Relaxed: which thread says it does not matter.
    if log::is_on() && could_serve && !SAID.swap(true, Ordering::Relaxed) {
        log::log(
            Priority::Notice,
            format_args!(
                "a context made by the system call io_setup is left to the kernel's AIO; URINGAIO_RAW=1 serves such contexts"
            ),
        );
    }
}

/// A system call that may concern the library, with the arguments of `syscall(2)`.
extern "C" fn intercepted(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long {
    let events = GetEvents { context: a, min: b as isize, most: c as isize, events: d, timeout: e };
    let memory = AddressRange::new(a, b);
    // SAFETY: what the program asked for.
    let system = || check(unsafe { kernel::call6(number, a, b, c, d, e, f) });
    let answer = match number {
        libc::SYS_io_setup if settings::get().raw => io_setup::set_up(a as u32, b, got_patch::install_again),
        libc::SYS_io_setup => {
            name_the_setting();
            kernel_aio::set_up(a as u32, b)
        }
        libc::SYS_io_destroy => dispatch::io_destroy(a),
        libc::SYS_io_submit => dispatch::io_submit(a, b as isize, c),
        libc::SYS_io_cancel => dispatch::io_cancel(a, b, c),
        libc::SYS_io_getevents => dispatch::io_getevents(Caller::Raw, events),
        kernel::SYS_IO_PGETEVENTS => dispatch::io_pgetevents(Caller::Raw, events, f),
        libc::SYS_munmap => unmap::unmap(memory, system),
        libc::SYS_mprotect => unmap::protect(memory, c as c_int, system),
        libc::SYS_mremap => unmap::remap(memory, c, d as c_int, e, system),
        // SAFETY: what the program asked for.
        _ => unsafe { by_number::call(number, [a, b, c, d, e, f]) },
    };
    value_or_errno(answer.map(|value| value as c_long))
}
