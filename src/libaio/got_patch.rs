//! How the library sees that the program closes a descriptor, changes its flags, or moves memory.
//!
//! `liburingaio.so` exports `close` and its like under their own names, so that the program binds to them. `libaio.so.1`
//! must export what upstream's does and nothing else; there the first `io_setup` lets the loaded objects' references to
//! these functions (the slots that the dynamic linker filled) lead to ours.

#[cfg(not(feature = "libaio-abi"))]
mod exported {
    /// Nothing is to be done.
    pub fn install() {}

    /// Whether every `close` of the program's passes through us.
    pub const fn sees_closes() -> bool {
        true
    }
}

#[cfg(not(feature = "libaio-abi"))]
pub use exported::{install, sees_closes};

#[cfg(feature = "libaio-abi")]
pub use slots::{install, sees_closes};

#[cfg(feature = "libaio-abi")]
mod slots {
    use core::ffi::{CStr, c_char, c_int, c_void};
    use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

    use crate::host::kernel::syscall;
    use crate::interpose;
    use crate::libaio::{mapping, syscall as by_number};

    const PAGE: usize = 4096;

    /// What leads where.
    fn ours(name: &CStr) -> Option<usize> {
        Some(match name.to_bytes() {
            b"syscall" => by_number::syscall as *const () as usize,
            b"close" => interpose::close as *const () as usize,
            b"close_range" => interpose::close_range as *const () as usize,
            b"closefrom" => interpose::closefrom as *const () as usize,
            b"dup2" => interpose::dup2 as *const () as usize,
            b"dup3" => interpose::dup3 as *const () as usize,
            b"fcntl" => interpose::fcntl as *const () as usize,
            b"fcntl64" => interpose::fcntl64 as *const () as usize,
            b"fclose" => interpose::fclose as *const () as usize,
            b"unshare" => interpose::unshare as *const () as usize,
            b"ioctl" => interpose::ioctl as *const () as usize,
            b"fanotify_init" => interpose::fanotify_init as *const () as usize,
            b"prctl" => interpose::prctl as *const () as usize,
            b"munmap" => mapping::munmap as *const () as usize,
            b"mprotect" => mapping::mprotect as *const () as usize,
            b"mremap" => mapping::mremap as *const () as usize,
            _ => return None,
        })
    }

    /// How many objects had been loaded when we last looked.
    static LOOKED_AT: AtomicU64 = AtomicU64::new(0);

    /// Some reference could not be led to us.
    static MISSED: AtomicBool = AtomicBool::new(false);

    /// Whether every `close` of the program's passes through us.
    pub fn sees_closes() -> bool {
        !MISSED.load(Ordering::Relaxed)
    }

    /// Leads the references of every object to ours; of those loaded since as well, when it is called again.
    pub fn install() {
        let mut loaded = LOOKED_AT.load(Ordering::Relaxed);
        // SAFETY: the callback gets a valid pointer to `loaded`.
        unsafe { libc::dl_iterate_phdr(Some(count), (&raw mut loaded).cast()) };
        if LOOKED_AT.swap(loaded, Ordering::Relaxed) != loaded {
            // SAFETY: the callback takes no data.
            unsafe { libc::dl_iterate_phdr(Some(lead), core::ptr::null_mut()) };
        }
    }

    unsafe extern "C" fn count(object: *mut libc::dl_phdr_info, _: usize, loaded: *mut c_void) -> c_int {
        // SAFETY: the dynamic linker's own structure, and `install`'s variable.
        unsafe { *loaded.cast::<u64>() = (*object).dlpi_adds };
        1
    }

    unsafe extern "C" fn lead(object: *mut libc::dl_phdr_info, _: usize, _: *mut c_void) -> c_int {
        // SAFETY: the dynamic linker's own structure.
        if let Some(object) = unsafe { Object::of(&*object) } {
            object.lead();
        }
        0
    }

    /// The parts of a loaded object that matter.
    struct Object {
        base: usize,
        strings: usize,
        symbols: usize,
        /// Relocations: address and bytes of each table.
        relocations: [(usize, usize); 2],
        /// What the dynamic linker has made read-only.
        read_only: (usize, usize),
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
            let range = |header: &libc::Elf64_Phdr| (base + header.p_vaddr as usize, header.p_memsz as usize);
            let of_kind = |kind| headers.iter().find(|header| header.p_type == kind).map(range);
            let here = install as *const () as usize;
            let mut loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD).map(range);
            if loaded.any(|(start, length)| here.wrapping_sub(start) < length) {
                return None;
            }
            let (mut dynamic, _) = of_kind(libc::PT_DYNAMIC)?;
            let mut this = Self {
                base,
                strings: 0,
                symbols: 0,
                relocations: [(0, 0); 2],
                read_only: of_kind(libc::PT_GNU_RELRO).unwrap_or((0, 0)),
            };
            loop {
                // SAFETY: the dynamic section ends with a tag of 0.
                let Dynamic { tag, value } = unsafe { (dynamic as *const Dynamic).read() };
                // The dynamic linker has made addresses of them, except in what it did not map itself.
                let address = if value < base { base + value } else { value };
                match tag {
                    0 => break,
                    DT_STRTAB => this.strings = address,
                    DT_SYMTAB => this.symbols = address,
                    DT_RELA => this.relocations[0].0 = address,
                    DT_RELASZ => this.relocations[0].1 = value,
                    DT_JMPREL => this.relocations[1].0 = address,
                    DT_PLTRELSZ => this.relocations[1].1 = value,
                    _ => {}
                }
                dynamic += size_of::<Dynamic>();
            }
            (this.strings != 0 && this.symbols != 0).then_some(this)
        }

        fn lead(&self) {
            for (first, bytes) in self.relocations {
                for index in 0..if first == 0 { 0 } else { bytes / size_of::<Relocation>() } {
                    // SAFETY: the object's relocation table has that many entries.
                    let relocation = unsafe { &*(first as *const Relocation).add(index) };
                    if SLOTS.contains(&(relocation.info as u32)) {
                        // SAFETY: relocations name symbols of the object's table, and these names of its string table.
                        let name = unsafe {
                            let symbol = &*(self.symbols as *const Symbol).add((relocation.info >> 32) as usize);
                            CStr::from_ptr((self.strings + symbol.name as usize) as *const c_char)
                        };
                        if let Some(function) = ours(name) {
                            self.set(self.base + relocation.offset, function);
                        }
                    }
                }
            }
        }

        fn set(&self, slot: usize, function: usize) {
            let (start, length) = self.read_only;
            let is_read_only = slot.wrapping_sub(start) < length;
            let page = slot & !(PAGE - 1);
            let protect = |protection: c_int| {
                // SAFETY: the page holds a slot, which is data: nobody executes it, and readers go on reading.
                unsafe { syscall!(libc::SYS_mprotect, page, PAGE, protection) }
            };
            if is_read_only && protect(libc::PROT_READ | libc::PROT_WRITE).is_err() {
                MISSED.store(true, Ordering::Relaxed);
                return;
            }
            // SAFETY: a slot of a loaded object, aligned, writable now. Whoever calls through it meanwhile reaches either.
            unsafe { &*(slot as *const AtomicUsize) }.store(function, Ordering::Relaxed);
            if is_read_only {
                let _ = protect(libc::PROT_READ);
            }
        }
    }
}
