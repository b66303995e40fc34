//! The type of an ELF file here, and its executable parts.

use std::fs::File;

use object::elf::{PF_X, PT_LOAD};
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, ReadCache};

pub type Elf<'data> = ElfFile64<'data, Endianness, &'data ReadCache<File>>;

/// The executable parts of a file and where they are loaded.
pub fn code<'data>(elf: &Elf<'data>) -> Vec<(u64, &'data [u8])> {
    let endian = elf.endian();
    let headers = elf.elf_program_headers().iter();
    headers
        .filter(|header| header.p_type(endian) == PT_LOAD && header.p_flags(endian) & PF_X != 0)
        .filter_map(|header| Some((header.p_vaddr(endian), header.data(endian, elf.data()).ok()?)))
        .collect()
}
