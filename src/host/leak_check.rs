//! LeakSanitizer, where the program is built with it, looks for pointers to the program's memory in the library's, too.
//!
//! A program may have no pointer of its own to an aiocb whose request is outstanding. LeakSanitizer looks for pointers in
//! global variables, in stacks, and in what its own allocator gave. The library's heap is none of these, and is named to
//! it as a further root (`sanitizer/lsan_interface.h`).

use core::ffi::c_void;

// The address of LeakSanitizer's function, or 0. A weak reference costs nothing where there is none: `dlsym` of a missing
// name would allocate.
core::arch::global_asm!(
    ".weak __lsan_register_root_region",
    ".pushsection .data.rel.ro.uringaio_lsan,\"aw\"",
    ".balign 8",
    ".hidden uringaio_lsan_register_root_region",
    ".globl uringaio_lsan_register_root_region",
    "uringaio_lsan_register_root_region: .quad __lsan_register_root_region",
    ".popsection",
);

unsafe extern "C" {
    static uringaio_lsan_register_root_region: Option<unsafe extern "C" fn(*const c_void, usize)>;
}

/// From now on `pages` may hold the only pointers to memory of the program. Nothing has to be taken back: what is no longer
/// mapped is passed over.
pub fn may_point_to_programs_memory(pages: *const c_void, bytes: usize) {
    #[cfg(miri)]
    let _ = (pages, bytes);
    #[cfg(not(miri))]
    // SAFETY: the dynamic linker has stored the function's address there, or 0, before any code of the library runs.
    if let Some(register) = unsafe { uringaio_lsan_register_root_region } {
        // SAFETY: the function notes two numbers. It reads the pages only during a check, and only if they are mapped.
        unsafe { register(pages, bytes) };
    }
}
