//! Which system calls a file makes by number, through the C library's `syscall()`: x86-64 alone, where a number that is loaded as the
//! first argument shortly before a call of `syscall` is easily told.

use std::collections::BTreeSet;

use object::elf::{R_X86_64_GLOB_DAT, R_X86_64_JUMP_SLOT};
use object::{Object, ObjectSymbol, ObjectSymbolTable, RelocationFlags, RelocationTarget};

use super::parts::{Elf, code};

/// `mov edi, IMMEDIATE`: the first argument of a function.
const MOVE_TO_EDI: u8 = 0xbf;
/// Bytes between that and the call: the other arguments are loaded there.
const REACH: usize = 64;
/// System call numbers are below this.
const NUMBERS: u32 = 1024;

pub fn by_number(elf: &Elf) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    if !cfg!(target_arch = "x86_64") {
        return numbers;
    }
    let slots = slots_of_syscall(elf);
    if slots.is_empty() {
        return numbers;
    }
    let code = code(elf);
    for &(start, bytes) in &code {
        let last = bytes.len().saturating_sub(5);
        for at in memchr::memchr_iter(MOVE_TO_EDI, &bytes[..last]) {
            let number = signed(bytes, at + 1).cast_unsigned();
            if number < NUMBERS && !numbers.contains(&number) && calls_one_of(&code, &slots, start, bytes, at + 5) {
                numbers.insert(number);
            }
        }
    }
    numbers
}

/// Where the dynamic linker puts the address of `syscall`.
fn slots_of_syscall(elf: &Elf) -> BTreeSet<u64> {
    let Some(symbols) = elf.dynamic_symbol_table() else { return BTreeSet::new() };
    let is_syscall = |target: &RelocationTarget| match target {
        RelocationTarget::Symbol(index) => {
            symbols.symbol_by_index(*index).is_ok_and(|symbol| symbol.name() == Ok("syscall"))
        }
        _ => false,
    };
    let relocations = elf.dynamic_relocations().into_iter().flatten();
    relocations
        .filter(|(_, relocation)| {
            matches!(relocation.flags(), RelocationFlags::Elf { r_type: R_X86_64_JUMP_SLOT | R_X86_64_GLOB_DAT })
                && is_syscall(&relocation.target())
        })
        .map(|(slot, _)| slot)
        .collect()
}

/// Whether the first call or tail call behind `from` reaches one of the slots.
fn calls_one_of(code: &[(u64, &[u8])], slots: &BTreeSet<u64>, start: u64, bytes: &[u8], from: usize) -> bool {
    let end = bytes.len().saturating_sub(6).min(from + REACH);
    (from..end).any(|at| {
        let target = |length: usize| {
            let next = start.wrapping_add((at + length) as u64);
            next.wrapping_add_signed(i64::from(signed(bytes, at + length - 4)))
        };
        match bytes[at..] {
            // call and jmp by a slot.
            [0xff, 0x15 | 0x25, ..] => slots.contains(&target(6)),
            // call and jmp to a stub that jumps by a slot.
            [0xe8 | 0xe9, ..] => stub(code, target(5)).is_some_and(|slot| slots.contains(&slot)),
            _ => false,
        }
    })
}

/// The slot that the stub of the procedure linkage table at `address` jumps by.
fn stub(code: &[(u64, &[u8])], address: u64) -> Option<u64> {
    // The addresses are the file's, and may be anything.
    let (start, bytes) = code.iter().find(|(start, bytes)| address.wrapping_sub(*start) < bytes.len() as u64)?;
    let mut at = address.wrapping_sub(*start) as usize;
    if bytes.get(at..at + 4) == Some(&[0xf3, 0x0f, 0x1e, 0xfa]) {
        at += 4; // endbr64
    }
    if bytes.get(at) == Some(&0xf2) {
        at += 1; // bnd
    }
    (bytes.get(at..at + 2)? == [0xff, 0x25] && bytes.len() >= at + 6)
        .then(|| start.wrapping_add(at as u64 + 6).wrapping_add_signed(i64::from(signed(bytes, at + 2))))
}

fn signed(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
