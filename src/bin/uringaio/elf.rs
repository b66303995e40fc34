//! ELF files, read by `object`: what a program or library is, what it needs, imports and defines.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Error;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use object::elf::{DF_1_PIE, DT_FLAGS_1, DT_NEEDED, EM_AARCH64, EM_X86_64, ET_DYN};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Object, ObjectSegment, ObjectSymbol, ReadCache, ReadRef};

mod calls;
mod parts;

use parts::Elf;

/// Files of at most this size are searched for the names that they load at run time.
const MOST_SEARCHED: u64 = 256 << 20;

/// An open file, of which only the parts that are asked for are read.
#[derive(Debug)]
pub struct Image {
    data: ReadCache<File>,
}

/// What a file is, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A program, and the dynamic linker that it asks for.
    Program(PathBuf),
    /// A program without a dynamic linker.
    Static,
    /// A shared object.
    Shared,
    /// A 32-bit program or library.
    Narrow,
    /// For another machine.
    Foreign,
    /// Something else than ELF.
    Other,
}

impl Image {
    /// Opens a file to be looked into. Only a file has anything inside, and a pipe would block.
    pub fn open(file: &Path) -> Result<Self, Error> {
        if !file.metadata()?.is_file() {
            return Err(Error::other("is not a file"));
        }
        Ok(Self::of(File::open(file)?))
    }

    /// The image in an open file.
    pub fn of(file: File) -> Self {
        Self { data: ReadCache::new(file) }
    }

    /// What stands behind `#!`; nothing where the file does not begin so.
    pub fn script_line(&self) -> Option<&[u8]> {
        // The kernel looks at no more than the first 256 bytes.
        let length = (&self.data).len().ok()?.min(256);
        let line = self.data.read_bytes_at(0, length).ok()?.strip_prefix(b"#!")?;
        line.split(|&byte| byte == b'\n').next()
    }

    pub fn kind(&self) -> Kind {
        let Some(elf) = self.elf() else {
            let narrow = (&self.data).read_bytes_at(0, 5) == Ok(b"\x7fELF\x01");
            return if narrow { Kind::Narrow } else { Kind::Other };
        };
        let own = if cfg!(target_arch = "aarch64") { EM_AARCH64 } else { EM_X86_64 };
        if elf.elf_header().e_machine(elf.endian()) != own {
            return Kind::Foreign;
        }
        let asked = elf
            .elf_program_headers()
            .iter()
            .find_map(|header| header.interpreter(elf.endian(), &self.data).ok().flatten());
        match asked {
            Some(name) => Kind::Program(PathBuf::from(OsStr::from_bytes(name))),
            None if elf.elf_header().e_type(elf.endian()) == ET_DYN && !self.is_position_independent_program() => {
                Kind::Shared
            }
            None => Kind::Static,
        }
    }

    /// The names of the libraries that it is linked with.
    pub fn needed(&self) -> Vec<String> {
        let Some(elf) = self.elf() else { return Vec::new() };
        let Ok(Some((entries, strings))) = elf.elf_section_table().dynamic(elf.endian(), &self.data).map(|found| {
            found.and_then(|(entries, link)| {
                let strings = elf.elf_section_table().strings(elf.endian(), &self.data, link).ok()?;
                Some((entries, strings))
            })
        }) else {
            return Vec::new();
        };
        entries
            .iter()
            .filter(|entry| entry.tag32(elf.endian()) == Some(DT_NEEDED))
            .filter_map(|entry| {
                Some(String::from_utf8_lossy(strings.get(entry.val32(elf.endian())?).ok()?).into_owned())
            })
            .collect()
    }

    /// The functions that it takes from other objects.
    pub fn imports(&self) -> BTreeSet<String> {
        let Some(elf) = self.elf() else { return BTreeSet::new() };
        elf.dynamic_symbols()
            .filter(ObjectSymbol::is_undefined)
            .filter_map(|symbol| Some(symbol.name().ok()?.to_string()))
            .filter(|name| !name.is_empty())
            .collect()
    }

    /// Whether it offers one of these functions to other objects.
    pub fn exports(&self, names: &[&str]) -> bool {
        self.elf().is_some_and(|elf| defines(elf.dynamic_symbols(), names))
    }

    /// Whether one of these functions is linked into it, as far as its symbols were left in.
    pub fn has_inside(&self, names: &[&str]) -> bool {
        self.elf().is_some_and(|elf| defines(elf.symbols(), names))
    }

    /// Whether the bytes stand in one of its segments, as the name of a library does that it loads at run time.
    pub fn mentions(&self, bytes: &[u8]) -> bool {
        let Some(elf) = self.elf() else { return false };
        if (&self.data).len().is_ok_and(|length| length > MOST_SEARCHED) {
            return false;
        }
        elf.segments().any(|segment| memchr::memmem::find(segment.data().unwrap_or_default(), bytes).is_some())
    }

    /// The numbers of the system calls that it makes through the C library's `syscall()`, as far as that can be seen.
    pub fn calls_by_number(&self) -> BTreeSet<u32> {
        self.elf().map(|elf| calls::by_number(&elf)).unwrap_or_default()
    }

    fn elf(&self) -> Option<Elf<'_>> {
        Elf::parse(&self.data).ok()
    }

    /// Whether a file of the type of shared objects says that it is a program all the same.
    fn is_position_independent_program(&self) -> bool {
        let Some(elf) = self.elf() else { return false };
        let found = elf.elf_section_table().dynamic(elf.endian(), &self.data);
        let entries = found.ok().flatten().map_or(&[][..], |(entries, _)| entries);
        entries.iter().any(|entry| {
            entry.tag32(elf.endian()) == Some(DT_FLAGS_1) && entry.d_val.get(elf.endian()) & u64::from(DF_1_PIE) != 0
        })
    }
}

/// Whether one of these functions is among the symbols, and defined.
fn defines<'data>(symbols: impl Iterator<Item: ObjectSymbol<'data>>, names: &[&str]) -> bool {
    let mut defined = symbols.filter(ObjectSymbol::is_definition);
    defined.any(|symbol| symbol.name().is_ok_and(|name| names.contains(&name)))
}
