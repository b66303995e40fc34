//! References of the loaded objects to functions by name: what a program is linked with, and the slots of the global offset
//! tables (GOT) that the dynamic linker has filled.

use core::ffi::{CStr, c_char, c_int, c_void};

use super::address_range::AddressRange;

/// A reference of an object to a symbol.
#[cfg_attr(not(feature = "libaio-abi"), allow(dead_code, reason = "the drop-in redirects references"))]
pub struct Reference<'a> {
    /// The symbol's name.
    pub name: &'a CStr,
    /// The address that is filled in.
    pub place: usize,
    /// Whether it is a slot that calls go through.
    pub is_slot: bool,
    /// Whether the dynamic linker has made its page read-only.
    pub is_read_only: bool,
}

/// Which objects are of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "the library and the drop-in want one each")]
pub enum Objects {
    /// Every one but the library itself.
    All,
    /// Those that name a library whose name begins so as one that they need.
    Needing(&'static str),
}

struct Search<'a> {
    objects: Objects,
    visit: &'a mut dyn FnMut(&Reference),
}

/// Calls `visit` for each reference of the loaded objects.
pub fn visit(objects: Objects, visit: &mut dyn FnMut(&Reference)) {
    let mut search = Search { objects, visit };
    // SAFETY: the callback gets the search, which lives for the call.
    unsafe { libc::dl_iterate_phdr(Some(visit_object), (&raw mut search).cast()) };
}

unsafe extern "C" fn visit_object(object: *mut libc::dl_phdr_info, _: usize, search: *mut c_void) -> c_int {
    // SAFETY: the dynamic linker's own structure, and the search of `visit`.
    let (object, search) = unsafe { (&*object, &mut *search.cast::<Search>()) };
    // SAFETY: as above.
    if let Some(object) = unsafe { Object::of(object, search.objects) } {
        object.visit(search.visit);
    }
    0
}

/// The parts of a loaded object that hold references.
struct Object {
    base: usize,
    strings: usize,
    symbols: usize,
    /// The tables of relocations.
    relocations: [RelocationTable; 2],
    /// Memory that the dynamic linker has made read-only.
    read_only: AddressRange,
}

#[derive(Clone, Copy, Default)]
struct RelocationTable {
    address: usize,
    bytes: usize,
}

#[repr(C)]
struct Dynamic {
    tag: i64,
    value: usize,
}

#[repr(C)]
struct Symbol {
    name: u32,
    info: u8,
    other: u8,
    section: u16,
    value: u64,
    size: u64,
}

#[repr(C)]
struct Relocation {
    offset: usize,
    info: u64,
    addend: i64,
}

// elf.h
const DT_NEEDED: i64 = 1;
const DT_PLTRELSZ: i64 = 2;
const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const DT_RELA: i64 = 7;
const DT_RELASZ: i64 = 8;
const DT_JMPREL: i64 = 23;
#[cfg(target_arch = "x86_64")]
const SLOTS: [u32; 2] = [6 /* GLOB_DAT */, 7 /* JUMP_SLOT */];
#[cfg(target_arch = "aarch64")]
const SLOTS: [u32; 2] = [1025 /* GLOB_DAT */, 1026 /* JUMP_SLOT */];

impl Object {
    /// # Safety
    /// The dynamic linker's description of a loaded object.
    unsafe fn of(info: &libc::dl_phdr_info, objects: Objects) -> Option<Self> {
        let base = info.dlpi_addr as usize;
        // SAFETY: as many headers as it says.
        let headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
        let range =
            |header: &libc::Elf64_Phdr| AddressRange::new(base + header.p_vaddr as usize, header.p_memsz as usize);
        let of_kind = |kind| headers.iter().find(|header| header.p_type == kind).map(range);
        let here = visit as *const () as usize;
        let mut loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD).map(range);
        if loaded.any(|range| range.contains(here)) {
            return None;
        }
        let dynamic = of_kind(libc::PT_DYNAMIC)?.start();
        let mut this = Self {
            base,
            strings: 0,
            symbols: 0,
            relocations: [RelocationTable::default(); 2],
            read_only: of_kind(libc::PT_GNU_RELRO).unwrap_or(AddressRange::new(0, 0)),
        };
        for Dynamic { tag, value } in entries(dynamic) {
            // The dynamic linker has made addresses of the offsets, except in objects that it did not map itself.
            let address = if value < base { base + value } else { value };
            match tag {
                DT_STRTAB => this.strings = address,
                DT_SYMTAB => this.symbols = address,
                DT_RELA => this.relocations[0].address = address,
                DT_RELASZ => this.relocations[0].bytes = value,
                DT_JMPREL => this.relocations[1].address = address,
                DT_PLTRELSZ => this.relocations[1].bytes = value,
                _ => {}
            }
        }
        if this.strings == 0 || this.symbols == 0 {
            return None;
        }
        let is_wanted = match objects {
            Objects::All => true,
            Objects::Needing(name) => entries(dynamic).any(|entry| {
                entry.tag == DT_NEEDED && this.string(entry.value).to_bytes().starts_with(name.as_bytes())
            }),
        };
        is_wanted.then_some(this)
    }

    fn string<'a>(&self, offset: usize) -> &'a CStr {
        // SAFETY: offsets of an object's tables are into its table of strings, which stays as long as the object.
        unsafe { CStr::from_ptr((self.strings + offset) as *const c_char) }
    }

    fn visit(&self, visit: &mut dyn FnMut(&Reference)) {
        for table in self.relocations.into_iter().filter(|table| table.address != 0) {
            for index in 0..table.bytes / size_of::<Relocation>() {
                // SAFETY: the object's relocation table has that many entries.
                let relocation = unsafe { &*(table.address as *const Relocation).add(index) };
                let symbol = (relocation.info >> 32) as usize;
                if symbol == 0 {
                    continue;
                }
                // SAFETY: relocations name symbols of the object's table.
                let name = unsafe { (*(self.symbols as *const Symbol).add(symbol)).name };
                let place = self.base + relocation.offset;
                visit(&Reference {
                    name: self.string(name as usize),
                    place,
                    is_slot: SLOTS.contains(&(relocation.info as u32)),
                    is_read_only: self.read_only.contains(place),
                });
            }
        }
    }
}

/// The entries of a dynamic section, which ends with a tag of 0.
fn entries(first: usize) -> impl Iterator<Item = Dynamic> {
    // SAFETY: the section of a loaded object, no further than its end.
    let at = move |index| unsafe { (first as *const Dynamic).add(index).read() };
    (0..).map(at).take_while(|entry| entry.tag != 0)
}
