//! `syscall(2)`: the AIO calls, and the calls of [`crate::interpose`], by number. Every other number goes to the kernel
//! without another frame on the stack, so that `vfork` and `clone` work through it.

use core::ffi::{c_int, c_long};
use core::sync::atomic::{AtomicBool, Ordering};

use crate::c_boundary::value_or_errno;
use crate::host::address_range::AddressRange;
use crate::host::kernel::Errno;
use crate::host::log;
use crate::host::settings::{self, EngineChoice};
use crate::interpose::by_number;
use crate::libaio::calls::dispatch::{self, Caller, GetEvents};
use crate::libaio::calls::{io_setup, unmap};
use crate::libaio::{got_patch, kernel_aio};

/// `syscall(2)`.
///
/// # Safety
/// As the system call asked for.
#[cfg(target_arch = "x86_64")]
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn syscall(number: c_long) -> c_long {
    // Intercepted numbers below 128 are the bits of two masks, the others are compared.
    core::arch::naked_asm!(
        "cmp rdi, 63",
        "ja 2f",
        "mov rax, {low}",
        "bt rax, rdi",
        "jc 4f",
        "3:",
        "mov rax, rdi",
        "mov rdi, rsi",
        "mov rsi, rdx",
        "mov rdx, rcx",
        "mov r10, r8",
        "mov r8, r9",
        "mov r9, [rsp + 8]",
        "syscall",
        "cmp rax, -4095",
        "jae 5f",
        "ret",
        "2:",
        "lea r11, [rdi - 64]",
        "cmp r11, 63",
        "ja 6f",
        "mov rax, {middle}",
        "bt rax, r11",
        "jc 4f",
        "jmp 3b",
        "6:",
        "lea rax, [rdi - {setup}]",
        "cmp rax, 4",
        "jbe 4f",
        "cmp rdi, {fcntl}",
        "je 4f",
        "cmp rdi, {dup3}",
        "je 4f",
        "cmp rdi, {pgetevents}",
        "je 4f",
        "cmp rdi, {prctl}",
        "je 4f",
        "cmp rdi, {seccomp}",
        "je 4f",
        "cmp rdi, {unshare}",
        "je 4f",
        "cmp rdi, {userfaultfd}",
        "je 4f",
        "cmp rdi, {fanotify_init}",
        "je 4f",
        "cmp rdi, {close_range}",
        "jne 3b",
        "4:",
        "jmp {intercepted}",
        "5:",
        "mov rdi, rax",
        "jmp {failed}",
        low = const INTERCEPTED_BELOW_64,
        middle = const INTERCEPTED_BELOW_128,
        unshare = const libc::SYS_unshare,
        userfaultfd = const libc::SYS_userfaultfd,
        fanotify_init = const libc::SYS_fanotify_init,
        setup = const libc::SYS_io_setup,
        fcntl = const libc::SYS_fcntl,
        dup3 = const libc::SYS_dup3,
        pgetevents = const kernel_aio::SYS_IO_PGETEVENTS,
        prctl = const libc::SYS_prctl,
        seccomp = const libc::SYS_seccomp,
        close_range = const libc::SYS_close_range,
        intercepted = sym intercepted,
        failed = sym failed,
    )
}

/// Numbers below 64.
#[cfg(target_arch = "x86_64")]
const INTERCEPTED_BELOW_64: u64 = 1 << libc::SYS_close
    | 1 << libc::SYS_mprotect
    | 1 << libc::SYS_munmap
    | 1 << libc::SYS_mremap
    | 1 << libc::SYS_ioctl
    | 1 << libc::SYS_dup2;

/// Numbers from 64 on, less 64: calls that change the calling thread's rights alone.
#[cfg(target_arch = "x86_64")]
const INTERCEPTED_BELOW_128: u64 = 1 << (libc::SYS_setuid - 64)
    | 1 << (libc::SYS_setgid - 64)
    | 1 << (libc::SYS_setreuid - 64)
    | 1 << (libc::SYS_setregid - 64)
    | 1 << (libc::SYS_setgroups - 64)
    | 1 << (libc::SYS_setresuid - 64)
    | 1 << (libc::SYS_setresgid - 64)
    | 1 << (libc::SYS_setfsuid - 64)
    | 1 << (libc::SYS_setfsgid - 64)
    | 1 << (libc::SYS_capset - 64);

#[cfg(target_arch = "x86_64")]
const _: () = assert!(
    libc::SYS_io_destroy == libc::SYS_io_setup + 1
        && libc::SYS_io_getevents == libc::SYS_io_setup + 2
        && libc::SYS_io_submit == libc::SYS_io_setup + 3
        && libc::SYS_io_cancel == libc::SYS_io_setup + 4
);

#[cfg(target_arch = "aarch64")]
const _: () = assert!(
    libc::SYS_io_setup == 0
        && libc::SYS_io_destroy < libc::SYS_io_getevents
        && libc::SYS_io_submit < libc::SYS_io_getevents
        && libc::SYS_io_cancel < libc::SYS_io_getevents
        && libc::SYS_io_getevents == 4
);

/// `syscall(2)`.
///
/// # Safety
/// As the system call asked for.
#[cfg(target_arch = "aarch64")]
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn syscall(number: c_long) -> c_long {
    // The AIO calls have the numbers 0 to 4 here.
    core::arch::naked_asm!(
        "cmp x0, {last}",
        "b.ls 4f",
        "cmp x0, {dup3}",
        "b.eq 4f",
        "cmp x0, {fcntl}",
        "b.eq 4f",
        "cmp x0, {close}",
        "b.eq 4f",
        "cmp x0, {munmap}",
        "b.eq 4f",
        "cmp x0, {mremap}",
        "b.eq 4f",
        "cmp x0, {mprotect}",
        "b.eq 4f",
        "cmp x0, {pgetevents}",
        "b.eq 4f",
        "cmp x0, {prctl}",
        "b.eq 4f",
        "cmp x0, {seccomp}",
        "b.eq 4f",
        "cmp x0, {setuid}",
        "b.eq 4f",
        "cmp x0, {setgid}",
        "b.eq 4f",
        "cmp x0, {setreuid}",
        "b.eq 4f",
        "cmp x0, {setregid}",
        "b.eq 4f",
        "cmp x0, {setgroups}",
        "b.eq 4f",
        "cmp x0, {setresuid}",
        "b.eq 4f",
        "cmp x0, {setresgid}",
        "b.eq 4f",
        "cmp x0, {setfsuid}",
        "b.eq 4f",
        "cmp x0, {setfsgid}",
        "b.eq 4f",
        "cmp x0, {capset}",
        "b.eq 4f",
        "cmp x0, {unshare}",
        "b.eq 4f",
        "cmp x0, {userfaultfd}",
        "b.eq 4f",
        "cmp x0, {fanotify_init}",
        "b.eq 4f",
        "cmp x0, {ioctl}",
        "b.eq 4f",
        "cmp x0, {close_range}",
        "b.eq 4f",
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
        last = const libc::SYS_io_getevents,
        setuid = const libc::SYS_setuid,
        setgid = const libc::SYS_setgid,
        setreuid = const libc::SYS_setreuid,
        setregid = const libc::SYS_setregid,
        setgroups = const libc::SYS_setgroups,
        setresuid = const libc::SYS_setresuid,
        setresgid = const libc::SYS_setresgid,
        setfsuid = const libc::SYS_setfsuid,
        setfsgid = const libc::SYS_setfsgid,
        capset = const libc::SYS_capset,
        unshare = const libc::SYS_unshare,
        userfaultfd = const libc::SYS_userfaultfd,
        fanotify_init = const libc::SYS_fanotify_init,
        ioctl = const libc::SYS_ioctl,
        dup3 = const libc::SYS_dup3,
        fcntl = const libc::SYS_fcntl,
        close = const libc::SYS_close,
        munmap = const libc::SYS_munmap,
        mremap = const libc::SYS_mremap,
        mprotect = const libc::SYS_mprotect,
        pgetevents = const kernel_aio::SYS_IO_PGETEVENTS,
        prctl = const libc::SYS_prctl,
        seccomp = const libc::SYS_seccomp,
        close_range = const libc::SYS_close_range,
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
        log::log(format_args!(
            "a context made by the system call io_setup is left to the kernel's AIO; URINGAIO_RAW=1 serves such contexts"
        ));
    }
}

/// A system call that may concern the library, with the arguments of `syscall(2)`.
extern "C" fn intercepted(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long {
    let events = GetEvents { context: a, min: b as isize, most: c as isize, events: d, timeout: e };
    let memory = AddressRange::new(a, b);
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
        kernel_aio::SYS_IO_PGETEVENTS => dispatch::io_pgetevents(Caller::Raw, events, f),
        libc::SYS_munmap => unmap::unmap(memory),
        libc::SYS_mprotect => unmap::protect(memory, c as c_int),
        libc::SYS_mremap => unmap::remap(memory, c, d as c_int, e),
        // SAFETY: what the program asked for.
        _ => unsafe { by_number::call(number, [a, b, c, d, e, f]) },
    };
    value_or_errno(answer.map(|value| value as c_long))
}
