//! How the drop-in gets to see that the program closes a descriptor, changes its flags, or moves memory.
//!
//! `liburingaio.so` exports `close` and its like under their own names, so that the program binds to them. `libaio.so.1`
//! must export what upstream's does and nothing else. There `io_setup` redirects the references of the loaded objects to
//! these functions: the slots of the global offset tables (GOT) that the dynamic linker has filled.

#[cfg(not(feature = "libaio-abi"))]
mod exported {
    /// Nothing is to be done.
    pub const fn install_again() {}

    /// Whether every `close` of the program's passes through the library.
    pub const fn sees_closes() -> bool {
        true
    }
}

#[cfg(not(feature = "libaio-abi"))]
pub use exported::{install_again, sees_closes};

#[cfg(feature = "libaio-abi")]
pub use slots::{install, install_again, sees_closes};

#[cfg(feature = "libaio-abi")]
mod slots {
    use core::ffi::{CStr, c_char, c_int, c_void};
    use core::mem::transmute;
    use core::ptr;
    use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

    use crate::host::address_range::{AddressRange, PAGE_BYTES};
    use crate::host::kernel::syscall;

    /// The library's function for a name, if it has one.
    pub type Replacement = fn(&CStr) -> Option<usize>;

    /// A [`Replacement`], once [`install`] has been called.
    static REPLACEMENT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

    /// How many objects had been loaded at the last look. Relaxed throughout: two threads may redirect the same slots.
    static LOOKED_AT: AtomicU64 = AtomicU64::new(0);

    /// A reference could not be redirected. Relaxed throughout: set by `install`, before the context exists.
    static MISSED: AtomicBool = AtomicBool::new(false);

    /// Whether every `close` of the program's passes through the library.
    pub fn sees_closes() -> bool {
        !MISSED.load(Ordering::Relaxed)
    }

    /// Redirects the references of every loaded object to the library's functions.
    pub fn install(replacement: Replacement) {
        // Release pairs with the Acquire in `replacement`.
        REPLACEMENT.store(replacement as *mut (), Ordering::Release);
        install_again();
    }

    /// Redirects those of objects that were loaded since.
    pub fn install_again() {
        let mut loaded = LOOKED_AT.load(Ordering::Relaxed);
        // SAFETY: the callback gets a valid pointer to a number.
        unsafe { libc::dl_iterate_phdr(Some(count), (&raw mut loaded).cast()) };
        if LOOKED_AT.swap(loaded, Ordering::Relaxed) != loaded {
            // SAFETY: the callback takes no data.
            unsafe { libc::dl_iterate_phdr(Some(redirect), ptr::null_mut()) };
        }
    }

    /// Stores how many objects have ever been loaded.
    unsafe extern "C" fn count(object: *mut libc::dl_phdr_info, _: usize, loaded: *mut c_void) -> c_int {
        // SAFETY: the dynamic linker's own structure, and the number of `install_again`.
        unsafe { *loaded.cast::<u64>() = (*object).dlpi_adds };
        1
    }

    unsafe extern "C" fn redirect(object: *mut libc::dl_phdr_info, _: usize, _: *mut c_void) -> c_int {
        // SAFETY: the dynamic linker's own structure.
        if let Some(object) = unsafe { Object::of(&*object) } {
            object.redirect();
        }
        0
    }

    fn replacement(name: &CStr) -> Option<usize> {
        // Acquire pairs with the Release in `install`.
        let replacement = REPLACEMENT.load(Ordering::Acquire);
        // SAFETY: only `install` stores here, and it stores a `Replacement`.
        (!replacement.is_null()).then(|| unsafe { transmute::<*mut (), Replacement>(replacement) })?(name)
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
        unsafe fn of(info: &libc::dl_phdr_info) -> Option<Self> {
            let base = info.dlpi_addr as usize;
            // SAFETY: as many headers as it says.
            let headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
            let range =
                |header: &libc::Elf64_Phdr| AddressRange::new(base + header.p_vaddr as usize, header.p_memsz as usize);
            let of_kind = |kind| headers.iter().find(|header| header.p_type == kind).map(range);
            let here = install as *const () as usize;
            let mut loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD).map(range);
            // The library's own references stay as they are.
            if loaded.any(|range| range.contains(here)) {
                return None;
            }
            let mut dynamic = of_kind(libc::PT_DYNAMIC)?.start();
            let mut this = Self {
                base,
                strings: 0,
                symbols: 0,
                relocations: [RelocationTable::default(); 2],
                read_only: of_kind(libc::PT_GNU_RELRO).unwrap_or(AddressRange::new(0, 0)),
            };
            loop {
                // SAFETY: the dynamic section ends with a tag of 0.
                let Dynamic { tag, value } = unsafe { (dynamic as *const Dynamic).read() };
                // The dynamic linker has made addresses of the offsets, except in objects that it did not map itself.
                let address = if value < base { base + value } else { value };
                match tag {
                    0 => break,
                    DT_STRTAB => this.strings = address,
                    DT_SYMTAB => this.symbols = address,
                    DT_RELA => this.relocations[0].address = address,
                    DT_RELASZ => this.relocations[0].bytes = value,
                    DT_JMPREL => this.relocations[1].address = address,
                    DT_PLTRELSZ => this.relocations[1].bytes = value,
                    _ => {}
                }
                dynamic += size_of::<Dynamic>();
            }
            (this.strings != 0 && this.symbols != 0).then_some(this)
        }

        fn redirect(&self) {
            for table in self.relocations.into_iter().filter(|table| table.address != 0) {
                for index in 0..table.bytes / size_of::<Relocation>() {
                    // SAFETY: the object's relocation table has that many entries.
                    let relocation = unsafe { &*(table.address as *const Relocation).add(index) };
                    if SLOTS.contains(&(relocation.info as u32)) {
                        // SAFETY: relocations name symbols of the object's table, and these names of its string table.
                        let name = unsafe {
                            let symbol = &*(self.symbols as *const Symbol).add((relocation.info >> 32) as usize);
                            CStr::from_ptr((self.strings + symbol.name as usize) as *const c_char)
                        };
                        if let Some(function) = replacement(name) {
                            self.set(self.base + relocation.offset, function);
                        }
                    }
                }
            }
        }

        fn set(&self, slot: usize, function: usize) {
            let is_read_only = self.read_only.contains(slot);
            let page = slot & !(PAGE_BYTES - 1);
            let protect = |protection: c_int| {
                // SAFETY: the page holds a slot, which is data: no thread executes it, and readers go on reading.
                unsafe { syscall!(libc::SYS_mprotect, page, PAGE_BYTES, protection) }
            };
            if is_read_only && protect(libc::PROT_READ | libc::PROT_WRITE).is_err() {
                MISSED.store(true, Ordering::Relaxed);
                return;
            }
            // SAFETY: a slot of a loaded object, aligned, writable now. Relaxed: a call through it meanwhile reaches either.
            unsafe { &*(slot as *const AtomicUsize) }.store(function, Ordering::Relaxed);
            if is_read_only {
                let _ = protect(libc::PROT_READ);
            }
        }
    }
}
