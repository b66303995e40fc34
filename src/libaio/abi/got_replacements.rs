//! Which functions of the C library the drop-in replaces in the program's references ([`crate::libaio::got_patch`]).

/// Redirects the program's references to the library; `liburingaio.so` exports the functions by name instead.
#[cfg(not(feature = "libaio-abi"))]
pub(super) const fn install() {}

/// Redirects the program's references to the library.
#[cfg(feature = "libaio-abi")]
pub(super) fn install() {
    crate::libaio::got_patch::install(drop_in::replacement);
}

#[cfg(feature = "libaio-abi")]
mod drop_in {
    use core::ffi::CStr;

    use crate::interpose;
    use crate::libaio::abi::{munmap, syscall};

    /// The library's function for a name.
    pub fn replacement(name: &CStr) -> Option<usize> {
        Some(match name.to_bytes() {
            b"syscall" => syscall::syscall as *const () as usize,
            b"close" => interpose::close as *const () as usize,
            b"close_range" => interpose::close_range as *const () as usize,
            b"closefrom" => interpose::closefrom as *const () as usize,
            b"dup2" => interpose::dup2 as *const () as usize,
            b"dup3" => interpose::dup3 as *const () as usize,
            b"fcntl" => interpose::fcntl as *const () as usize,
            b"fcntl64" => interpose::fcntl64 as *const () as usize,
            b"fclose" => interpose::fclose as *const () as usize,
            b"setfsuid" => interpose::setfsuid as *const () as usize,
            b"setfsgid" => interpose::setfsgid as *const () as usize,
            b"capset" => interpose::capset as *const () as usize,
            b"setns" => interpose::setns as *const () as usize,
            b"unshare" => interpose::unshare as *const () as usize,
            b"ioctl" => interpose::ioctl as *const () as usize,
            b"fanotify_init" => interpose::fanotify_init as *const () as usize,
            b"prctl" => interpose::prctl as *const () as usize,
            b"munmap" => munmap::munmap as *const () as usize,
            b"mprotect" => munmap::mprotect as *const () as usize,
            b"mremap" => munmap::mremap as *const () as usize,
            b"_exit" => interpose::_exit as *const () as usize,
            b"_Exit" => interpose::_Exit as *const () as usize,
            _ => return None,
        })
    }
}
