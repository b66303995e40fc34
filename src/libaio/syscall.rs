//! `syscall(2)`: programs that make the AIO calls by number reach us as well. Every other number is passed on in place,
//! without a frame of ours on the stack, so that `vfork` and `clone` work through it.

use core::ffi::{c_int, c_long};

use super::dispatch::{self, Caller};
use super::{kernel_aio, mapping, registry};
use crate::engine;
use crate::host::kernel::{Errno, check};
use crate::host::{descriptors, kernel, settings};
use crate::interpose;
use crate::submission::{hazards, thread_identity};

/// `syscall(2)`.
///
/// # Safety
/// As the system call asked for.
#[cfg(target_arch = "x86_64")]
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn syscall(number: c_long) -> c_long {
    // Numbers below 128 that are ours are the bits of two masks, the others are compared.
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
        "jmp {ours}",
        "5:",
        "mov rdi, rax",
        "jmp {failed}",
        low = const LOW,
        middle = const MIDDLE,
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
        ours = sym ours,
        failed = sym failed,
    )
}

#[cfg(target_arch = "x86_64")]
const LOW: u64 = 1 << libc::SYS_close
    | 1 << libc::SYS_mprotect
    | 1 << libc::SYS_munmap
    | 1 << libc::SYS_mremap
    | 1 << libc::SYS_ioctl
    | 1 << libc::SYS_dup2;

/// Numbers from 64 on, less 64: what changes the calling thread's rights alone.
#[cfg(target_arch = "x86_64")]
const MIDDLE: u64 = 1 << (libc::SYS_setuid - 64)
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
        "b {ours}",
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
        ours = sym ours,
        failed = sym failed,
    )
}

/// Sets `errno` from the kernel's answer.
extern "C" fn failed(answer: isize) -> c_long {
    mapping::returned(Err(Errno(-answer as c_int))) as c_long
}

/// A system call that is perhaps ours, with the arguments of `syscall(2)`.
extern "C" fn ours(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long {
    let answer = match number {
        libc::SYS_io_setup if settings::get().raw => registry::set_up(a as u32, b),
        libc::SYS_io_setup => kernel_aio::set_up(a as u32, b),
        libc::SYS_io_destroy => dispatch::io_destroy(a),
        libc::SYS_io_submit => dispatch::io_submit(a, b as isize, c),
        libc::SYS_io_cancel => dispatch::io_cancel(a, b, c),
        libc::SYS_io_getevents => dispatch::io_getevents(Caller::Raw, a, b as isize, c as isize, d, e),
        kernel_aio::SYS_IO_PGETEVENTS => dispatch::io_pgetevents(Caller::Raw, a, b as isize, c as isize, d, e, f),
        libc::SYS_munmap => mapping::unmap(a, b),
        libc::SYS_mprotect => mapping::protect(a, b, c as c_int),
        libc::SYS_mremap => mapping::remap(a, b, c, d as c_int, e),
        _ => {
            before(number, a, b, c);
            // SAFETY: what the program asked for.
            let answer = check(unsafe { kernel::call6(number, a, b, c, d, e, f) });
            after(number, a, b, c, answer);
            answer
        }
    };
    mapping::returned(answer) as c_long
}

/// What must be settled before a call that changes descriptors, or takes system calls away.
fn before(number: c_long, a: usize, b: usize, c: usize) {
    match number {
        libc::SYS_close => descriptors::before_close(a as c_int),
        libc::SYS_dup3 => descriptors::before_close(b as c_int),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_dup2 => descriptors::before_close(b as c_int),
        libc::SYS_close_range => descriptors::before_closing_many(),
        libc::SYS_prctl if a as c_int == libc::PR_SET_SECCOMP => engine::close_uring(),
        libc::SYS_seccomp if a as u32 <= libc::SECCOMP_SET_MODE_FILTER => engine::close_uring(),
        libc::SYS_userfaultfd => hazards::note_slow_pages(),
        libc::SYS_fanotify_init => interpose::before_fanotify_init(a as u32),
        libc::SYS_ioctl => interpose::before_ioctl(b as u64),
        libc::SYS_fcntl if b as c_int == libc::F_SETFL => descriptors::before_flags_change(a as c_int, c as c_int),
        _ => {}
    }
}

/// What is to be noted once a call has been made.
fn after(number: c_long, a: usize, b: usize, c: usize, answer: Result<usize, Errno>) {
    match number {
        libc::SYS_ioctl => interpose::after_ioctl(b as u64, answer.is_ok()),
        libc::SYS_unshare => interpose::after_unshare(a as c_int, answer.is_ok()),
        libc::SYS_close_range => interpose::after_close_range(c as c_int, answer.is_ok()),
        libc::SYS_setuid
        | libc::SYS_setgid
        | libc::SYS_setreuid
        | libc::SYS_setregid
        | libc::SYS_setgroups
        | libc::SYS_setresuid
        | libc::SYS_setresgid
        | libc::SYS_setfsuid
        | libc::SYS_setfsgid
        | libc::SYS_capset
            if answer.is_ok() =>
        {
            thread_identity::note_separate();
        }
        _ => {}
    }
}
