//! `munmap`, `mprotect` and `mremap`: functions of the C library that the library replaces ([`crate::libaio::calls::unmap`]).
//!
//! All are as thread-safe and async-signal-safe as the originals, and set `errno` as they do.

use core::ffi::{c_int, c_void};
use core::mem::transmute;

use crate::c_boundary::{answer_of, value_or_errno};
use crate::host::address_range::AddressRange;
use crate::host::dlsym_next::Next;
use crate::host::kernel::syscall;
use crate::libaio::calls::unmap;

static MUNMAP: Next = Next::new(c"munmap");
static MPROTECT: Next = Next::new(c"mprotect");
static MREMAP: Next = Next::new(c"mremap");

/// Looks up the originals when the library is loaded. Before that the kernel is called: an allocator that is just beginning may
/// call these functions with its lock held, and the dynamic linker may call the allocator.
pub fn look_up() {
    for original in [&MUNMAP, &MPROTECT, &MREMAP] {
        let _ = original.get();
    }
}

/// `munmap(2)`.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn munmap(address: *mut c_void, length: usize) -> c_int {
    type Function = unsafe extern "C" fn(*mut c_void, usize) -> c_int;
    let system = || match MUNMAP.known() {
        // SAFETY: the C library's function of this name has this signature; the arguments are the program's.
        Some(next) => answer_of(unsafe { transmute::<*mut c_void, Function>(next)(address, length) }),
        // SAFETY: what the program asked for.
        None => unsafe { syscall!(libc::SYS_munmap, address, length) },
    };
    value_or_errno(unmap::unmap(AddressRange::new(address as usize, length), system).map(|_| 0))
}

/// `mprotect(2)`.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn mprotect(address: *mut c_void, length: usize, protection: c_int) -> c_int {
    type Function = unsafe extern "C" fn(*mut c_void, usize, c_int) -> c_int;
    let system = || match MPROTECT.known() {
        // SAFETY: the C library's function of this name has this signature; the arguments are the program's.
        Some(next) => answer_of(unsafe { transmute::<*mut c_void, Function>(next)(address, length, protection) }),
        // SAFETY: what the program asked for.
        None => unsafe { syscall!(libc::SYS_mprotect, address, length, protection) },
    };
    value_or_errno(unmap::protect(AddressRange::new(address as usize, length), protection, system).map(|_| 0))
}

/// `mremap(2)`. Its fifth argument, if it has one, is a pointer. Without `MREMAP_FIXED` a caller need not have given it, and
/// the kernel looks at it all the same for `MREMAP_DONTUNMAP`.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn mremap(old: *mut c_void, old_length: usize, length: usize, flags: c_int, new: usize) -> *mut c_void {
    type Function = unsafe extern "C" fn(*mut c_void, usize, usize, c_int, usize) -> *mut c_void;
    let new = if flags & libc::MREMAP_FIXED == 0 { 0 } else { new };
    let memory = AddressRange::new(old as usize, old_length);
    let system = || match MREMAP.known() {
        Some(next) => {
            // SAFETY: the C library's function of this name takes these; the arguments are the program's.
            let moved = unsafe { transmute::<*mut c_void, Function>(next)(old, old_length, length, flags, new) };
            if moved == libc::MAP_FAILED { answer_of(-1) } else { Ok(moved as usize) }
        }
        // SAFETY: what the program asked for.
        None => unsafe { syscall!(libc::SYS_mremap, old, old_length, length, flags, new) },
    };
    value_or_errno(unmap::remap(memory, length, flags, new, system).map(|address| address as *mut c_void))
}
