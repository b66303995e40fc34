//! What a seccomp filter that the program is about to set says to a system call: the filter is a program of classic BPF, and is
//! run here as the kernel runs it (`bpf_prog_run`, kernel/seccomp.c), on a call that nobody makes.
//!
//! By hand: the kept crates for seccomp (seccompiler, libseccomp) make such programs, and do not run them.

use core::ffi::c_long;

/// Words of memory that such a program has (`BPF_MEMWORDS`).
const MEMORY_WORDS: usize = 16;

/// The parts of `struct seccomp_data`, in words of four bytes: number, architecture, the address of the call, six arguments.
const DATA_WORDS: usize = 16;

/// `AUDIT_ARCH_X86_64` and its like.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
/// The same.
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

/// The upper half of what a filter answers (`SECCOMP_RET_ACTION_FULL`).
const ACTION: u32 = 0xFFFF_0000;

/// Whether the filter lets a call by this number, with arguments of 0, through. `None`: it is no program that the kernel takes.
#[must_use]
pub fn lets_through(filter: &[libc::sock_filter], number: c_long) -> Option<bool> {
    const ALLOW: u32 = 0x7FFF_0000;
    const LOG: u32 = 0x7FFC_0000;
    run(filter, number).map(|answer| matches!(answer & ACTION, ALLOW | LOG))
}

/// Whether the filter ends the thread or the process for such a call, or has a handler of the program's run.
#[must_use]
pub fn ends(filter: &[libc::sock_filter], number: c_long) -> Option<bool> {
    const KILL_PROCESS: u32 = 0x8000_0000;
    const KILL_THREAD: u32 = 0;
    const TRAP: u32 = 0x0003_0000;
    run(filter, number).map(|answer| matches!(answer & ACTION, KILL_PROCESS | KILL_THREAD | TRAP))
}

/// What the filter answers. Its jumps go forward alone, so it ends.
fn run(filter: &[libc::sock_filter], number: c_long) -> Option<u32> {
    let mut data = [0_u32; DATA_WORDS];
    (data[0], data[1]) = (number as u32, ARCHITECTURE);
    let mut memory = [0_u32; MEMORY_WORDS];
    let (mut a, mut x) = (0_u32, 0_u32);
    let mut at = 0_usize;
    loop {
        let &libc::sock_filter { code, jt, jf, k } = filter.get(at)?;
        at += 1;
        let code = u32::from(code);
        let operand = if code & libc::BPF_X == 0 { k } else { x };
        let mode = code & 0xE0;
        match code & 0x07 {
            libc::BPF_LD if mode == libc::BPF_ABS && k % 4 == 0 => a = *data.get(k as usize / 4)?,
            libc::BPF_LD => a = loaded(mode, k, &memory)?,
            libc::BPF_LDX => x = loaded(mode, k, &memory)?,
            libc::BPF_ST => *memory.get_mut(k as usize)? = a,
            libc::BPF_STX => *memory.get_mut(k as usize)? = x,
            libc::BPF_ALU => a = computed(code & 0xF0, a, operand)?,
            libc::BPF_JMP => {
                let is_so = match code & 0xF0 {
                    libc::BPF_JA => {
                        at = at.checked_add(k as usize)?;
                        continue;
                    }
                    libc::BPF_JEQ => a == operand,
                    libc::BPF_JGT => a > operand,
                    libc::BPF_JGE => a >= operand,
                    libc::BPF_JSET => a & operand != 0,
                    _ => return None,
                };
                at += usize::from(if is_so { jt } else { jf });
            }
            libc::BPF_RET => return Some(if code & 0x18 == libc::BPF_A { a } else { k }),
            // BPF_MISC: from one register to the other.
            _ if code & 0xF8 == libc::BPF_TXA => a = x,
            _ => x = a,
        }
    }
}

/// A value that is no part of the call.
fn loaded(mode: u32, k: u32, memory: &[u32; MEMORY_WORDS]) -> Option<u32> {
    match mode {
        libc::BPF_IMM => Some(k),
        libc::BPF_LEN => Some(size_of::<[u32; DATA_WORDS]>() as u32),
        libc::BPF_MEM => memory.get(k as usize).copied(),
        _ => None,
    }
}

fn computed(operation: u32, a: u32, operand: u32) -> Option<u32> {
    Some(match operation {
        libc::BPF_ADD => a.wrapping_add(operand),
        libc::BPF_SUB => a.wrapping_sub(operand),
        libc::BPF_MUL => a.wrapping_mul(operand),
        libc::BPF_DIV => a.checked_div(operand)?,
        libc::BPF_OR => a | operand,
        libc::BPF_AND => a & operand,
        libc::BPF_XOR => a ^ operand,
        libc::BPF_LSH => a.checked_shl(operand)?,
        libc::BPF_RSH => a.checked_shr(operand)?,
        libc::BPF_NEG => a.wrapping_neg(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{ends, lets_through};

    const fn line(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
        libc::sock_filter { code: code as u16, jt, jf, k }
    }

    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;

    #[test]
    fn a_list_of_calls_lets_those_through_and_ends_at_others() {
        let filter = [
            line(LOAD, 0, 0, 4),
            line(EQUAL, 0, 4, super::ARCHITECTURE),
            line(LOAD, 0, 0, 0),
            line(EQUAL, 1, 0, libc::SYS_io_submit as u32),
            line(EQUAL, 0, 1, libc::SYS_write as u32),
            line(RETURN, 0, 0, 0x7FFF_0000),
            line(RETURN, 0, 0, 0x8000_0000),
        ];
        for number in [libc::SYS_io_submit, libc::SYS_write] {
            assert_eq!(lets_through(&filter, number), Some(true));
            assert_eq!(ends(&filter, number), Some(false));
        }
        assert_eq!(lets_through(&filter, libc::SYS_getpid), Some(false));
        assert_eq!(ends(&filter, libc::SYS_getpid), Some(true));
    }

    #[test]
    fn registers_memory_and_arithmetic_are_the_kernels() {
        // The number, doubled by way of memory and the other register, with 1 taken off, compared with both.
        let filter = [
            line(LOAD, 0, 0, 0),
            line(libc::BPF_ST, 0, 0, 3),
            line(libc::BPF_LDX | libc::BPF_MEM, 0, 0, 3),
            line(libc::BPF_ALU | libc::BPF_ADD | libc::BPF_X, 0, 0, 0),
            line(libc::BPF_ALU | libc::BPF_SUB | libc::BPF_K, 0, 0, 1),
            line(EQUAL, 1, 0, 2 * libc::SYS_write as u32 - 1),
            line(RETURN, 0, 0, 0x0005_0001),
            line(RETURN, 0, 0, 0x7FFF_0000),
        ];
        assert_eq!(lets_through(&filter, libc::SYS_write), Some(true));
        assert_eq!(lets_through(&filter, libc::SYS_getpid), Some(false));
        assert_eq!(ends(&filter, libc::SYS_getpid), Some(false));
    }

    #[test]
    fn what_the_kernel_would_not_take_says_nothing() {
        for filter in
            [&[][..], &[line(LOAD, 0, 0, 64)], &[line(libc::BPF_JMP, 0, 0, 9)], &[line(libc::BPF_ST, 0, 0, 16)]]
        {
            assert_eq!(lets_through(filter, 0), None);
            assert_eq!(ends(filter, 0), None);
        }
    }
}
