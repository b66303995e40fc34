//! Exports a function under a name and a symbol version.
//!
//! A versioned symbol is a jump to the function, written in assembly and given its version by `.symver`; the version script
//! that `build.rs` passes to the linker declares the nodes. (rustc's own script exports `#[no_mangle]` functions without a
//! version. The `aio_*` functions need that: unversioned, they replace every version of glibc's.)

/// The jump instruction of this machine.
#[cfg(target_arch = "x86_64")]
macro_rules! jump {
    () => {
        "jmp {function}"
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! jump {
    () => {
        "b {function}"
    };
}

/// `default_version!("io_getevents", "LIBAIO_0.4", io_getevents)`: the version that a program linked today binds to. In a
/// static archive, which has no versions, the plain name.
macro_rules! default_version {
    ($name:literal, $node:literal, $function:path) => {
        #[cfg(not(feature = "archive"))]
        $crate::symbol_versions::trampoline!(
            $function,
            concat!("uringaio_", $name, "_", $node),
            concat!($name, "@@", $node)
        );
        #[cfg(feature = "archive")]
        $crate::symbol_versions::trampoline!($function, $name);
    };
}

/// `old_version!("io_getevents", "LIBAIO_0.1", io_getevents_0_1)`: a version that programs linked long ago are bound to.
macro_rules! old_version {
    ($name:literal, $node:literal, $function:path) => {
        #[cfg(not(feature = "archive"))]
        $crate::symbol_versions::trampoline!(
            $function,
            concat!("uringaio_", $name, "_", $node),
            concat!($name, "@", $node)
        );
        #[cfg(feature = "archive")]
        const _: *const () = $function as *const ();
    };
}

macro_rules! trampoline {
    ($function:path, $label:expr $(, $version:expr)?) => {
        core::arch::global_asm!(
            ".text",
            concat!(".globl ", $label),
            concat!(".type ", $label, ",@function"),
            concat!($label, ":"),
            $crate::symbol_versions::jump!(),
            concat!(".size ", $label, ", . - ", $label),
            $(concat!(".symver ", $label, ", ", $version, ", remove"),)?
            function = sym $function,
        );
    };
}

pub(crate) use {default_version, jump, old_version, trampoline};
